/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "registry/builtin.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char state_dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(state_dir, sizeof(state_dir), "/tmp/sluice-registry-XXXXXX");
    return mkdtemp(state_dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const files[] = {"registry.db", "registry.db-wal", "registry.db-shm"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", state_dir, files[i]);
        (void)unlink(path);
    }
    return rmdir(state_dir);
}

static struct sl_registry *open_registry(bool read_only)
{
    struct sl_registry *registry;
    struct sl_error err = {0};

    if (sl_registry_builtin_open(state_dir, read_only, &registry, &err))
        fail_msg("%s", err.text);
    return registry;
}

static int32_t add(struct sl_registry *registry, const char *subject, const char *text)
{
    struct sl_error err = {0};
    int32_t id = -1;

    if (registry->ops->register_schema(registry, subject, text, false, &id, &err))
        fail_msg("%s", err.text);
    return id;
}

/* Nothing is incompatible from now on. */
static void allow_all(struct sl_registry *registry)
{
    json_t *config = json_pack("{s:s}", "compatibility", "NONE");
    struct sl_refusal refusal = {0};
    json_t *done = sl_book_set_config(sl_registry_builtin_book(registry), "", config, &refusal);

    assert_non_null(done);
    json_decref(done);
    json_decref(config);
}

static void the_same_text_has_the_same_id_in_every_subject(void **state)
{
    struct sl_registry *r = open_registry(false);
    int32_t id = add(r, "a-value", "{\"type\":\"record\",\"name\":\"A\",\"fields\":[]}");
    struct sl_error err;
    struct sl_registry_found found;

    (void)state;
    allow_all(r);
    assert_int_equal(id, 1);
    assert_int_equal(add(r, "b-value", "{ \"name\": \"A\", \"fields\": [], \"type\": \"record\" }"), 1);
    assert_int_equal(add(r, "a-value", "\"int\""), 2);
    assert_int_equal(add(r, "a-value", "{\"type\":\"int\"}"), 2);
    assert_int_equal(r->ops->version(r, "a-value", SL_REGISTRY_LATEST, &found, &err), SL_OK);
    assert_int_equal(found.version, 2);
    assert_int_equal(found.id, 2);
    assert_string_equal(found.text, "\"int\"");
    sl_registry_found_done(&found);
    /* An old schema again: its old id, no new version. */
    assert_int_equal(add(r, "a-value", "{\"type\":\"record\",\"name\":\"A\",\"fields\":[]}"), 1);
    assert_int_equal(r->ops->version(r, "a-value", SL_REGISTRY_LATEST, &found, &err), SL_OK);
    assert_int_equal(found.version, 2);
    sl_registry_found_done(&found);
    r->ops->close(r);
}

static void ids_outlive_the_process_and_readers_see_them(void **state)
{
    struct sl_registry *r = open_registry(false);
    struct sl_registry *reader;
    struct sl_error err;
    struct sl_registry_found found;
    int32_t id = add(r, "s", "\"string\"");

    (void)state;
    allow_all(r);
    reader = open_registry(true); /* while the writer is there */
    assert_int_equal(reader->ops->schema_by_id(reader, id, NULL, &found, &err), SL_OK);
    assert_string_equal(found.text, "\"string\"");
    sl_registry_found_done(&found);
    id = add(r, "s", "\"long\"");
    assert_int_equal(reader->ops->schema_by_id(reader, id, NULL, &found, &err), SL_OK);
    sl_registry_found_done(&found);
    assert_int_equal(reader->ops->register_schema(reader, "s", "\"int\"", false, &id, &err),
                     SL_E_UNSUPPORTED);
    reader->ops->close(reader);
    r->ops->close(r);
    r = open_registry(false);
    assert_int_equal(add(r, "t", "\"string\""), 1);
    assert_int_equal(add(r, "t", "\"double\""), 3);
    r->ops->close(r);
}

static void what_is_not_there_or_no_schema_is_refused(void **state)
{
    struct sl_registry *r;
    struct sl_error err;
    int32_t id;
    struct sl_registry_found found;

    (void)state;
    assert_int_equal(sl_registry_builtin_open(state_dir, true, &r, &err), SL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "HINT"));
    r = open_registry(false);
    assert_int_equal(r->ops->schema_by_id(r, 7, NULL, &found, &err), SL_E_NOT_FOUND);
    assert_int_equal(r->ops->version(r, "none", SL_REGISTRY_LATEST, &found, &err), SL_E_NOT_FOUND);
    assert_int_equal(r->ops->register_schema(r, "s", "{\"type\":\"recor\"}", false, &id, &err), SL_E_DATA);
    assert_int_equal(r->ops->register_schema(r, "s", "nonsense", false, &id, &err), SL_E_DATA);
    r->ops->close(r);
}

static void a_file_that_is_no_registry_is_not_touched(void **state)
{
    struct sl_registry *r;
    struct sl_error err;
    char path[128];
    FILE *file;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/registry.db", state_dir);
    file = fopen(path, "we");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        (void)fputs("this is no database\n", file);
    (void)fclose(file);
    assert_int_equal(sl_registry_builtin_open(state_dir, false, &r, &err), SL_E_LOG_DAMAGED);
}

static void *register_many(void *arg)
{
    struct sl_registry *r = arg;

    for (int i = 0; i < 20; i++) {
        char text[100];

        (void)snprintf(text, sizeof(text), "{\"type\":\"fixed\",\"name\":\"F%d\",\"size\":1}", i);
        if (add(r, "many", text) <= 0)
            return r;
    }
    return NULL;
}

static void threads_that_register_at_once_agree(void **state)
{
    struct sl_registry *r = open_registry(false);
    pthread_t threads[4];
    struct sl_error err;
    struct sl_registry_found found;

    (void)state;
    allow_all(r);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, register_many, r), 0);
    for (int i = 0; i < 4; i++) {
        void *bad;

        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(r->ops->version(r, "many", SL_REGISTRY_LATEST, &found, &err), SL_OK);
    assert_int_equal(found.version, 20);
    assert_int_equal(found.id, 20);
    sl_registry_found_done(&found);
    r->ops->close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_text_has_the_same_id_in_every_subject, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(ids_outlive_the_process_and_readers_see_them, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_is_not_there_or_no_schema_is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_registry_is_not_touched, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(threads_that_register_at_once_agree, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
