/* SPDX-License-Identifier: Apache-2.0 */
/* What a wrong configuration is told, key by key, before anything runs. */
#include "engine/config/connector_config.h"
#include "engine/converters.h"
#include "engine/fakes.h"
#include "engine/config/worker_config.h"

#include "base/alloc.h"
#include "base/props.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_complaints check(const char *const *pairs)
{
    struct sl_props *worker = sl_props_new();
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;

    sl_props_set(worker, "value.converter", "test.FakeConverter");
    sl_props_set(worker, "key.converter", "test.FakeConverter");
    sl_props_set(props, "name", "c");
    sl_props_set(props, "connector.class", "test.FakeSink");
    sl_props_set(props, "topics", "a");
    for (; *pairs; pairs += 2) {
        if (pairs[1])
            sl_props_set(props, pairs[0], pairs[1]);
        else
            sl_props_remove(props, pairs[0]);
    }
    sl_connector_check(props, &fake_plugins, worker, NULL, &complaints, &connector);
    assert_true((connector == NULL) == (complaints.n > 0));
    sl_connector_free(connector);
    sl_props_free(worker);
    return complaints;
}

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL, NULL})

static void assert_refused(const char *const *pairs, const char *key, const char *part)
{
    struct sl_complaints complaints = check(pairs);

    assert_int_equal(complaints.n, 1);
    assert_string_equal(complaints.items[0].key, key);
    if (!strstr(complaints.items[0].text, part))
        fail_msg("'%s' does not say '%s'", complaints.items[0].text, part);
    sl_complaints_done(&complaints);
}

static void wrong_keys_are_refused_by_name(void **state)
{
    (void)state;
    assert_refused(PAIRS("name", NULL), "name", "required");
    assert_refused(PAIRS("connector.class", "test.FakeSnk"), "connector.class",
                   "did you mean 'test.FakeSink'");
    assert_refused(PAIRS("connector.class", "org.nothing.like.it.at.all"), "connector.class",
                   "use one of: test.FakeSource, test.FakeSink");
    assert_refused(PAIRS("topics", NULL), "topics", "topics.regex");
    assert_refused(PAIRS("topics.regex", "a.*"), "topics", "keep one");
    assert_refused(PAIRS("topics", "", "topics.regex", "a(b"), "topics.regex", "character");
    assert_refused(PAIRS("tasks.max", "0"), "tasks.max", "outside");
    assert_refused(PAIRS("errors.tolerance", "some"), "errors.tolerance", "none, all");
    assert_refused(PAIRS("value.converter", "test.FakeConvertr"), "value.converter", "test.FakeConverter");
    assert_refused(PAIRS("transforms", "t"), "transforms.t.type", "required");
    assert_refused(PAIRS("transforms", "t", "transforms.t.type", "x.Y"), "transforms.t.type",
                   "no transform class");
    assert_refused(PAIRS("password", "${vault:secret/db:pw}"), "password", "'vault'");
}

#define SOURCE "connector.class", "test.FakeSource", "topics", NULL

static void topic_groups_are_checked_key_by_key(void **state)
{
    struct sl_complaints none =
        check(PAIRS(SOURCE, "topic.creation.groups", "a, default", "topic.creation.a.include", "x.*, y",
                    "topic.creation.a.retention.ms", "5000", "topic.creation.a.max.message.bytes", "1"));

    (void)state;
    assert_int_equal(none.n, 0);
    assert_refused(PAIRS(SOURCE, "topic.creation.groups", "a"), "topic.creation.a.include", "required");
    assert_refused(PAIRS(SOURCE, "topic.creation.groups", "a", "topic.creation.a.include", "x.*",
                         "topic.creation.a.partitions", "many"),
                   "topic.creation.a.partitions", "many");
    assert_refused(PAIRS(SOURCE, "topic.creation.default.partitions", "-2"),
                   "topic.creation.default.partitions", "outside");
    assert_refused(PAIRS(SOURCE, "topic.creation.default.cleanup.policy", "shred"),
                   "topic.creation.default.cleanup.policy", "delete, compact");
    assert_refused(PAIRS(SOURCE, "topic.creation.groups", "a", "topic.creation.a.include", "x(y"),
                   "topic.creation.groups", "topic.creation.a.include");
}

static void several_faults_are_told_together(void **state)
{
    struct sl_complaints complaints = check(PAIRS("name", "", "tasks.max", "x", "topics", ""));

    (void)state;
    assert_int_equal(complaints.n, 3);
    sl_complaints_done(&complaints);
}

static void a_placeholder_without_a_provider_is_no_secret(void **state)
{
    struct sl_complaints complaints = check(PAIRS("table.name.format", "${topic}"));

    (void)state;
    assert_int_equal(complaints.n, 0);
}

static void a_connectors_own_converter_leaves_the_workers_keys_behind(void **state)
{
    struct sl_props *worker = sl_props_new();
    struct sl_props *connector = sl_props_new();
    struct sl_converter_choice choice;

    (void)state;
    assert_string_equal(sl_converters_choose(worker, connector, true).class_name,
                        "io.confluent.connect.avro.AvroConverter");
    sl_props_set(worker, "value.converter", "W");
    choice = sl_converters_choose(worker, connector, false);
    assert_string_equal(choice.class_name, "W");
    assert_ptr_equal(choice.props, worker);
    sl_props_set(connector, "value.converter", "C");
    choice = sl_converters_choose(worker, connector, false);
    assert_string_equal(choice.class_name, "C");
    assert_ptr_equal(choice.props, connector);
    sl_props_free(worker);
    sl_props_free(connector);
}

static struct sl_props *worker_file(const char *content)
{
    struct sl_props *props = NULL;
    struct sl_error err = {0};
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof(path), "/tmp/sluice-worker-%d", (int)getpid());
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(sl_worker_config_read(path, &props, &err), SL_OK);
    (void)unlink(path);
    return props;
}

static void worker_defaults_and_wrong_values(void **state)
{
    struct sl_props *props = worker_file("sluice.memory.bytes=5\nkey.converter=x.Unknown\nplugin.path=/x\n");
    struct sl_complaints complaints = {0};

    (void)state;
    assert_string_equal(sl_props_get(props, "sluice.state.dir"), "./sluice-state");
    sl_worker_config_check(props, &fake_plugins, &complaints);
    assert_int_equal(complaints.n, 2);
    assert_string_equal(complaints.items[0].key, "sluice.memory.bytes");
    assert_string_equal(complaints.items[1].key, "key.converter");
    assert_int_equal(sl_worker_config_topics(props).partitions, 0);
    sl_complaints_done(&complaints);
    sl_props_free(props);
}

static void what_the_worker_says_of_its_sources_holds_where_they_say_nothing(void **state)
{
    static const struct {
        const char *own;
        const char *result;
    } cases[] = {{NULL, "3.5"}, {"2.5", "2.5"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sl_props *worker = sl_props_new();
        struct sl_props *props = sl_props_new();
        struct sl_complaints complaints = {0};
        struct sl_connector *connector = NULL;

        sl_props_set(worker, "value.converter", "test.FakeConverter");
        sl_props_set(worker, "key.converter", "test.FakeConverter");
        sl_props_set(worker, "sluice.compat.debezium", "3.5");
        sl_props_set(worker, "sluice.compat.scylla", "1.2"); /* the fake source does not know it */
        sl_props_set(props, "name", "c");
        sl_props_set(props, "connector.class", "test.FakeSource");
        if (cases[i].own)
            sl_props_set(props, "sluice.compat.debezium", cases[i].own);
        sl_connector_check(props, &fake_plugins, worker, NULL, &complaints, &connector);
        assert_non_null(connector);
        assert_string_equal(sl_props_get(connector->props, "sluice.compat.debezium"), cases[i].result);
        assert_null(sl_props_get(connector->props, "sluice.compat.scylla"));
        sl_connector_free(connector);
        sl_props_free(worker);
    }
}

static void blanks_around_the_values_of_transforms_do_not_count(void **state)
{
    struct sl_props *worker = sl_props_new();
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;

    (void)state;
    sl_props_set(worker, "value.converter", "test.FakeConverter");
    sl_props_set(worker, "key.converter", "test.FakeConverter");
    sl_props_set(props, "name", "c");
    sl_props_set(props, "connector.class", "test.FakeSink");
    sl_props_set(props, "topics", "a");
    sl_props_set(props, "predicates.p.pattern", " heart.* \n");
    sl_props_set(props, "transforms.t.field", "   ");
    sl_connector_check(props, &fake_plugins, worker, NULL, &complaints, &connector);
    assert_non_null(connector);
    assert_string_equal(sl_props_get(connector->props, "predicates.p.pattern"), "heart.*");
    assert_string_equal(sl_props_get(connector->props, "transforms.t.field"), "");
    sl_connector_free(connector);
    sl_props_free(worker);
}

static void assert_worker_id(const char *key, const char *value, const char *expected)
{
    struct sl_props *props = sl_props_new();
    char *id;

    sl_props_set(props, "listeners", "https://0.0.0.0:9443,http://127.0.0.1:8083");
    sl_props_set(props, key, value);
    id = sl_worker_config_id(props);
    assert_string_equal(id, expected);
    sl_free(id);
    sl_props_free(props);
}

static void a_worker_is_known_by_what_its_listener_advertises(void **state)
{
    char host[256] = "";
    char *expected;

    (void)state;
    assert_worker_id("listeners", "http://10.1.2.3:8085", "10.1.2.3:8085");
    assert_worker_id("rest.advertised.host.name", "connect-1", "connect-1:9443");
    (void)gethostname(host, sizeof(host) - 1);
    expected = sl_format("%s:443", host); /* 0.0.0.0 is nobody's name */
    assert_worker_id("rest.advertised.port", "443", expected);
    sl_free(expected);
    expected = sl_format("%s:8083", host);
    assert_worker_id("listeners", "", expected);
    sl_free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_keys_are_refused_by_name),
        cmocka_unit_test(topic_groups_are_checked_key_by_key),
        cmocka_unit_test(several_faults_are_told_together),
        cmocka_unit_test(a_placeholder_without_a_provider_is_no_secret),
        cmocka_unit_test(a_connectors_own_converter_leaves_the_workers_keys_behind),
        cmocka_unit_test(worker_defaults_and_wrong_values),
        cmocka_unit_test(a_worker_is_known_by_what_its_listener_advertises),
        cmocka_unit_test(blanks_around_the_values_of_transforms_do_not_count),
        cmocka_unit_test(what_the_worker_says_of_its_sources_holds_where_they_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
