/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/reference.h"
#include "engine/secrets/secrets.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/props.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- a provider that tests fill ---- */

static struct {
    _Atomic int gets;
    _Atomic int version; /* the value of key "pw" is "planted-<version>" */
    int64_t ttl_ms;
    enum sl_rc failure;
} fake;

static enum sl_rc fake_open(const struct sl_props *params, void **ret_self, struct sl_error *err)
{
    (void)err;
    assert_false(sl_props_get(params, "bad"));
    *ret_self = &fake;
    return SL_OK;
}

static enum sl_rc fake_get(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                           int64_t *ret_ttl_ms, struct sl_error *err)
{
    (void)self;
    fake.gets++;
    if (fake.failure)
        return sl_error_set(err, fake.failure, "the fake is away");
    for (size_t i = 0; i < n; i++) {
        char *value = NULL;

        if (strcmp(wanted[i].key, "pw") == 0)
            value = sl_format("planted-%d", fake.version);
        else if (strcmp(wanted[i].key, "where") == 0)
            value = sl_format("at<%s>", path);
        if (value)
            wanted[i].value = sl_secret_new(value, strlen(value));
        sl_free(value);
    }
    *ret_ttl_ms = fake.ttl_ms;
    return SL_OK;
}

static void fake_close(void *self)
{
    (void)self;
}

static const char *const fake_classes[] = {"test.FakeProvider", NULL};
static const struct sl_option fake_options[] = {{.name = "token", .type = SL_OPT_PASSWORD, .doc = "t"},
                                                {.name = NULL}};
static const struct sl_provider_ops fake_ops = {.name = "fake",
                                                .classes = fake_classes,
                                                .options = fake_options,
                                                .with_hash = true,
                                                .open = fake_open,
                                                .get = fake_get,
                                                .close = fake_close};
static const struct sl_provider_ops *const providers[] = {&fake_ops, &sl_provider_file,
                                                          &sl_provider_directory, &sl_provider_env, NULL};

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct sl_props *make_props(const char *const *pairs)
{
    struct sl_props *props = sl_props_new();

    for (; *pairs; pairs += 2)
        sl_props_set(props, pairs[0], pairs[1]);
    return props;
}

static struct sl_secrets *open_with(const char *const *pairs)
{
    struct sl_props *worker = make_props(pairs);
    struct sl_secrets *secrets = NULL;
    struct sl_error err = {0};

    fake.ttl_ms = -1;
    fake.version = 1;
    fake.failure = SL_OK;
    if (sl_secrets_open(providers, worker, &secrets, &err))
        fail_msg("%s", err.text);
    sl_props_free(worker);
    return secrets;
}

static struct sl_secrets *open_fake(void)
{
    return open_with(PAIRS("config.providers", "v", "config.providers.v.class", "test.FakeProvider"));
}

/* What one setting becomes; heap memory. NULL: refused, with err. */
static char *resolve_one(struct sl_secrets *secrets, const char *setting, const char *text,
                         struct sl_error *err)
{
    struct sl_props *raw = make_props(PAIRS(setting, text));
    struct sl_props *resolved = NULL;
    char *value = NULL;
    int64_t ttl_ms;

    if (sl_secrets_resolve(secrets, raw, NULL, &resolved, &ttl_ms, err) == SL_OK)
        value = sl_strdup(sl_props_get(resolved, setting));
    sl_props_free(resolved);
    sl_props_free(raw);
    return value;
}

static void assert_becomes(struct sl_secrets *secrets, const char *text, const char *expected)
{
    struct sl_error err = {0};
    char *value = resolve_one(secrets, "transforms.t.x", text, &err);

    if (!value)
        fail_msg("'%s' was refused: %s", text, err.text);
    assert_string_equal(value, expected);
    sl_free(value);
}

/* ---- references ---- */

static void references_are_found_as_javas_expression_finds_them(void **state)
{
    struct sl_secrets *secrets = open_fake();

    (void)state;
    assert_becomes(secrets, "${v:pw}", "planted-1");
    assert_becomes(secrets, "a ${v:p:pw} b ${v:q:where} c", "a planted-1 b at<q> c");
    assert_becomes(secrets, "${v:C:where}", "at<C>");
    assert_becomes(secrets, "${v:/a/b.properties:where}", "at</a/b.properties>");
    assert_becomes(secrets, "${v:a:b:c}", "${v:a:b:c}"); /* the key is "b:c" */
    assert_becomes(secrets, "${uuid} ${v:pw}", "${uuid} planted-1");
    assert_becomes(secrets, "${v:pw", "${v:pw");
    assert_becomes(secrets, "$${v:pw}}", "$planted-1}");
    assert_becomes(secrets, "${other:pw} ${v:pw}", "${other:pw} planted-1");
    assert_becomes(secrets, "${A}:${B}", "${A}:${B}");
    assert_becomes(secrets, "${a ${v:pw}", "${a ${v:pw}"); /* one reference, to the provider "a ${v" */
    sl_secrets_close(secrets);
}

static void the_form_with_a_hash_is_a_reference_when_it_is_the_whole_text(void **state)
{
    struct sl_secrets *secrets = open_fake();

    (void)state;
    assert_becomes(secrets, "v:secret/database#where", "at<secret/database>");
    assert_becomes(secrets, "v:secret/database#where ", "v:secret/database#where ");
    assert_becomes(secrets, "jdbc:postgresql://h/d#where", "jdbc:postgresql://h/d#where");
    assert_becomes(secrets, "v:#where", "v:#where");
    sl_secrets_close(secrets);
}

static void a_resolved_setting_is_secret_and_is_not_resolved_again(void **state)
{
    struct sl_secrets *secrets = open_fake();
    struct sl_props *raw = make_props(PAIRS("a", "${v:${v}:where}", "b", "plain", "c.password", "open", "url",
                                            "jdbc:postgresql://h/d?user=u&password=Planted-In-Url&x=1"));
    struct sl_props *resolved = NULL;
    struct sl_error err = {0};
    int64_t ttl_ms;

    (void)state;
    sl_props_set(raw, "a", "${v:x:where}");
    assert_int_equal(sl_secrets_resolve(secrets, raw, NULL, &resolved, &ttl_ms, &err), SL_OK);
    assert_string_equal(sl_props_get(resolved, "a"), "at<x>");
    assert_string_equal(sl_props_shown(resolved, "a"), "****");
    assert_string_equal(sl_props_shown(resolved, "b"), "plain");
    assert_string_equal(sl_props_shown(resolved, "c.password"), "****");
    assert_string_equal(sl_props_get(raw, "a"), "${v:x:where}");
    (void)sl_error_set(&err, SL_E_CONNECT, "url %s", sl_props_get(resolved, "url"));
    assert_string_equal(err.text, "url jdbc:postgresql://h/d?user=u&password=****&x=1");
    sl_props_free(resolved);
    sl_props_free(raw);
    sl_secrets_close(secrets);
}

static void one_path_is_asked_once_for_all_its_keys(void **state)
{
    struct sl_secrets *secrets = open_fake();
    struct sl_props *raw =
        make_props(PAIRS("a", "${v:p:pw}${v:p:where}", "b", "${v:p:pw}", "c", "${v:q:pw}"));
    struct sl_props *resolved = NULL;
    struct sl_error err = {0};
    int64_t ttl_ms;

    (void)state;
    fake.gets = 0;
    fake.ttl_ms = 5000;
    assert_int_equal(sl_secrets_resolve(secrets, raw, NULL, &resolved, &ttl_ms, &err), SL_OK);
    assert_int_equal(fake.gets, 2);
    assert_int_equal(ttl_ms, 5000);
    assert_string_equal(sl_props_get(resolved, "a"), "planted-1at<p>");
    sl_props_free(resolved);
    sl_props_free(raw);
    sl_secrets_close(secrets);
}

static void a_reference_that_leads_nowhere_names_setting_provider_and_key(void **state)
{
    struct sl_secrets *secrets = open_fake();
    struct sl_props *raw =
        make_props(PAIRS("user", "${v:p:nobody}", "host", "${vlt:p:host}", "plugin.path", "${v:x:y}"));
    struct sl_complaints complaints = {0};
    struct sl_props *resolved = NULL;
    struct sl_error err = {0};
    int64_t ttl_ms;

    (void)state;
    assert_int_equal(sl_secrets_resolve(secrets, raw, &complaints, &resolved, &ttl_ms, &err), SL_E_CONFIG);
    assert_null(resolved);
    assert_int_equal(complaints.n, 2);
    assert_string_equal(complaints.items[0].key, "user");
    assert_non_null(strstr(complaints.items[0].text, "key 'nobody' at 'p' of the config provider 'v'"));
    assert_string_equal(complaints.items[1].key, "host");
    assert_non_null(
        strstr(complaints.items[1].text, "config provider 'vlt', which the worker does not have"));
    sl_complaints_done(&complaints);
    sl_props_free(raw);
    sl_secrets_close(secrets);
}

static void without_providers_nothing_but_names_is_secret(void **state)
{
    struct sl_error err = {0};
    char *value = resolve_one(NULL, "table.name.format", "${topic}", &err);

    (void)state;
    assert_string_equal(value, "${topic}");
    sl_free(value);
    assert_null(resolve_one(NULL, "password", "${vault:secret/db:pw}", &err));
    assert_non_null(strstr(err.text, "setting 'password'"));
    assert_non_null(strstr(err.text, "'vault'"));
}

static void a_provider_that_is_away_is_a_passing_failure_that_names_it(void **state)
{
    struct sl_secrets *secrets = open_fake();
    struct sl_error err = {0};

    (void)state;
    fake.failure = SL_E_BUSY;
    assert_null(resolve_one(secrets, "a", "${v:pw}", &err));
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    assert_string_equal(err.text, "setting 'a': config provider 'v': the fake is away");
    sl_secrets_close(secrets);
}

/* ---- the worker's settings of providers ---- */

static void providers_are_checked_key_by_key(void **state)
{
    struct sl_props *worker =
        make_props(PAIRS("config.providers", "a,b,c", "config.providers.a.class", "test.FakeProvidr",
                         "config.providers.b.class", "fake", "config.providers.b.param.odd", "1"));
    struct sl_complaints complaints = {0};

    (void)state;
    sl_secrets_check(providers, worker, &complaints);
    assert_int_equal(complaints.n, 2);
    assert_string_equal(complaints.items[0].key, "config.providers.a.class");
    assert_non_null(strstr(complaints.items[0].text, "did you mean 'test.FakeProvider'"));
    assert_string_equal(complaints.items[1].key, "config.providers.c.class");
    assert_true(sl_secrets_know(providers, worker, "config.providers.b.param.token"));
    assert_false(sl_secrets_know(providers, worker, "config.providers.b.param.odd"));
    assert_false(sl_secrets_know(providers, worker, "config.providers.d.class"));
    sl_complaints_done(&complaints);
    sl_props_free(worker);
}

static void a_providers_params_may_refer_to_an_earlier_one(void **state)
{
    struct sl_secrets *secrets;

    (void)state;
    fake.gets = 0;
    secrets =
        open_with(PAIRS("config.providers", "v,w", "config.providers.v.class", "fake",
                        "config.providers.w.class", "fake", "config.providers.w.param.token", "${v:pw}"));
    assert_int_equal(fake.gets, 1);
    sl_secrets_close(secrets);
}

/* ---- watches ---- */

struct told {
    struct sl_stop stop;
    _Atomic int times;
};

static void note_change(void *ctx, const char *name)
{
    struct told *told = ctx;

    assert_string_equal(name, "conn");
    told->times++;
    sl_stop_request(&told->stop);
}

static void a_value_that_became_another_is_told_and_one_that_did_not_is_not(void **state)
{
    struct sl_secrets *secrets = open_fake();
    struct sl_props *raw = make_props(PAIRS("password", "${v:pw}"));
    struct sl_props *resolved = NULL;
    struct told told = {.times = 0};
    struct sl_error err = {0};
    int64_t ttl_ms;
    int before;

    (void)state;
    sl_stop_init(&told.stop);
    fake.ttl_ms = 1;
    assert_int_equal(sl_secrets_resolve(secrets, raw, NULL, &resolved, &ttl_ms, &err), SL_OK);
    before = fake.gets;
    sl_secrets_watch(secrets, "conn", raw, resolved, ttl_ms, note_change, &told);
    for (int64_t until = sl_now_us() + 10000000; fake.gets < before + 2 && sl_now_us() < until;)
        (void)usleep(1000);
    assert_true(fake.gets >= before + 2);
    assert_int_equal(told.times, 0);
    fake.version = 2;
    assert_true(sl_stop_wait(&told.stop, sl_now_us() + 10000000));
    sl_secrets_unwatch(secrets, "conn");
    assert_int_equal(told.times, 1);
    sl_props_free(resolved);
    sl_props_free(raw);
    sl_secrets_close(secrets);
    sl_stop_done(&told.stop);
}

/* ---- files, folders, environment ---- */

static char folder[64];

static void write_file(const char *name, const char *content)
{
    char path[200];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    char path[200];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sluice-secrets-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/in", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("in/db", "# c\nusername=app\npassword=Planted-File-1\n");
    write_file("in/password", "Planted-Dir-1\n");
    write_file("outside", "password=Planted-Out-1\n");
    (void)snprintf(path, sizeof(path), "%s/in/link", folder);
    assert_int_equal(symlink("../outside", path), 0);
    (void)snprintf(path, sizeof(path), "%s/in/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    return 0;
}

static int drop_folder(void **state)
{
    static const char *const names[] = {"in/db", "in/password", "outside", "in/link", "in/fifo"};
    char path[200];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof(path), "%s/in", folder);
    (void)rmdir(path);
    return rmdir(folder);
}

static struct sl_secrets *open_files(void)
{
    char allowed[100];

    (void)snprintf(allowed, sizeof(allowed), "%s/in", folder);
    return open_with(PAIRS("config.providers", "file,dir,env", "config.providers.file.class",
                           "org.apache.kafka.common.config.provider.FileConfigProvider",
                           "config.providers.file.param.allowed.paths", allowed, "config.providers.dir.class",
                           "DirectoryConfigProvider", "config.providers.dir.param.allowed.paths", allowed,
                           "config.providers.env.class", "env",
                           "config.providers.env.param.allowlist.pattern", "SLUICE_T.*"));
}

/* Provider and path are put together with the folder: "${file:FOLDER/in/db:password}". */
static char *fetch(struct sl_secrets *secrets, const char *provider, const char *path, const char *key,
                   struct sl_error *err)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "${%s:%s%s:%s}", provider, folder, path, key);
    return resolve_one(secrets, "a", text, err);
}

static void assert_fetches(struct sl_secrets *secrets, const char *provider, const char *path,
                           const char *key, const char *expected)
{
    struct sl_error err = {0};
    char *value = fetch(secrets, provider, path, key, &err);

    if (!value)
        fail_msg("%s", err.text);
    assert_string_equal(value, expected);
    sl_free(value);
}

static void assert_fetch_refused(struct sl_secrets *secrets, const char *provider, const char *path,
                                 const char *key, const char *part)
{
    struct sl_error err = {0};

    assert_null(fetch(secrets, provider, path, key, &err));
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
}

static void files_give_their_keys_and_folders_their_files(void **state)
{
    struct sl_secrets *secrets = open_files();

    (void)state;
    assert_fetches(secrets, "file", "/in/db", "password", "Planted-File-1");
    assert_fetches(secrets, "dir", "/in", "password", "Planted-Dir-1\n");
    sl_secrets_close(secrets);
}

static void nothing_outside_the_allowed_folders_is_read(void **state)
{
    struct sl_secrets *secrets = open_files();

    (void)state;
    assert_fetch_refused(secrets, "file", "/outside", "password", "outside the folders");
    assert_fetch_refused(secrets, "file", "/in/../outside", "password", "outside the folders");
    assert_fetch_refused(secrets, "file", "/in/link", "password", "outside the folders");
    assert_fetch_refused(secrets, "dir", "/in", "link", "outside the folders");
    assert_fetch_refused(secrets, "dir", "/in", "../outside", "not the name of a file");
    assert_fetch_refused(secrets, "file", "/inn/db", "password", "there is no file");
    assert_fetch_refused(secrets, "file", "/in/fifo", "password", "not a plain file");
    assert_fetch_refused(secrets, "file", "/in", "password", "not a plain file");
    assert_fetch_refused(secrets, "file", "/in/none", "password", "there is no file");
    assert_fetch_refused(secrets, "dir", "/in", "none", "no such key");
    sl_secrets_close(secrets);
}

static void the_default_folders_leave_the_machine_alone(void **state)
{
    struct sl_secrets *secrets =
        open_with(PAIRS("config.providers", "file", "config.providers.file.class", "file"));
    struct sl_error err = {0};

    (void)state;
    assert_null(resolve_one(secrets, "a", "${file:/etc/passwd:root}", &err));
    assert_non_null(strstr(err.text, "allowed.paths"));
    sl_secrets_close(secrets);
}

static void another_root_makes_foreign_paths_fit(void **state)
{
    struct sl_secrets *secrets = open_with(PAIRS("config.providers", "file", "config.providers.file.class",
                                                 "file", "config.providers.file.param.root", folder));
    struct sl_error err = {0};
    char *value = resolve_one(secrets, "a", "${file:/in/db:username}", &err);

    (void)state;
    assert_string_equal(value, "app");
    sl_free(value);
    assert_null(resolve_one(secrets, "a", "${file:/../../etc/passwd:root}", &err));
    sl_secrets_close(secrets);
}

static void the_environment_gives_what_its_pattern_allows(void **state)
{
    struct sl_secrets *secrets = open_files();
    struct sl_error err = {0};
    char *value;

    (void)state;
    (void)setenv("SLUICE_TEST_PW", "Planted-Env-1", 1);
    (void)setenv("OTHER_TEST_PW", "Planted-Env-2", 1);
    value = resolve_one(secrets, "a", "${env:SLUICE_TEST_PW}", &err);
    assert_string_equal(value, "Planted-Env-1");
    sl_free(value);
    assert_null(resolve_one(secrets, "a", "${env:OTHER_TEST_PW}", &err));
    assert_non_null(strstr(err.text, "'OTHER_TEST_PW'"));
    assert_null(resolve_one(secrets, "a", "${env:/p:SLUICE_TEST_PW}", &err));
    assert_non_null(strstr(err.text, "has no path"));
    sl_secrets_close(secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_found_as_javas_expression_finds_them),
        cmocka_unit_test(the_form_with_a_hash_is_a_reference_when_it_is_the_whole_text),
        cmocka_unit_test(a_resolved_setting_is_secret_and_is_not_resolved_again),
        cmocka_unit_test(one_path_is_asked_once_for_all_its_keys),
        cmocka_unit_test(a_reference_that_leads_nowhere_names_setting_provider_and_key),
        cmocka_unit_test(without_providers_nothing_but_names_is_secret),
        cmocka_unit_test(a_provider_that_is_away_is_a_passing_failure_that_names_it),
        cmocka_unit_test(providers_are_checked_key_by_key),
        cmocka_unit_test(a_providers_params_may_refer_to_an_earlier_one),
        cmocka_unit_test(a_value_that_became_another_is_told_and_one_that_did_not_is_not),
        cmocka_unit_test(files_give_their_keys_and_folders_their_files),
        cmocka_unit_test(nothing_outside_the_allowed_folders_is_read),
        cmocka_unit_test(the_default_folders_leave_the_machine_alone),
        cmocka_unit_test(another_root_makes_foreign_paths_fit),
        cmocka_unit_test(the_environment_gives_what_its_pattern_allows),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
