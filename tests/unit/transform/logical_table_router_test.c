/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const router = &sl_transform_by_logical_table_router;

static void topic_schemas_and_key_follow_the_logical_table(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");
    const struct sl_schema *schema;

    bench_open(bench, router, "topic.regex", "srv\\.(.*)\\.things", "topic.replacement", "all-$1", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "all-shop.dbo");
    assert_string_equal(message.key_schema->name, "all-shop.dbo.Key");
    assert_string_equal(value_text(bench, message.key_schema, message.record.key),
                        "{id:1,shard:7,__dbz__physicalTableIdentifier:srv.shop.dbo.things}");
    schema = message.value_schema;
    assert_string_equal(schema->name, "all-shop.dbo.Envelope");
    assert_string_equal(schema->fields[0].schema->name, "all-shop.dbo.Value");
    assert_ptr_equal(schema->fields[0].schema, schema->fields[1].schema);
    assert_true(schema->fields[0].schema->optional);
    assert_string_equal(value_text(bench, schema->fields[1].schema, message.record.value.items[1]),
                        "{id:1,name:a,qty:5}"); /* a null is read as its default, as there */
}

static void tombstones_keep_the_key_s_identifier(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, router, "topic.regex", ".*", "topic.replacement", "all", "key.field.name", "table",
               "key.field.regex", ".*\\.(.*)", "key.field.replacement", "t-$1", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key),
                        "{id:1,shard:7,table:t-things}");
    message = heartbeat_of(bench);
    message.record.key = sl_null();
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_null(message.key_schema);
    assert_string_equal(message.value_schema->name, "io.debezium.connector.common.Heartbeat");
}

static void keys_that_are_unique_stay_and_names_fit_avro(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'd', 1, "a");

    bench_open(bench, router, "topic.regex", ".*", "topic.replacement", "a-b", "key.enforce.uniqueness",
               "false", "schema.name.adjustment.mode", "avro", "logical.table.cache.size", "4", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key), "{id:1,shard:7}");
    assert_string_equal(message.key_schema->name, "a_b.Key");
    assert_string_equal(message.topic->name, "a-b");
}

static void other_topics_pass(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");
    struct sl_message before = message;

    bench_open(bench, router, "topic.regex", "other", "topic.replacement", "x", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_memory_equal(&message, &before, sizeof(message));
}

static void two_topics_of_one_key_schema_do_not_mix(void **state)
{
    struct bench *bench = *state;
    struct sl_message first = tombstone_of(bench, 1);
    struct sl_message second = tombstone_of(bench, 2);

    second.topic = sl_topic_intern("srv.shop.dbo.others", strlen("srv.shop.dbo.others"));
    bench_open(bench, router, "topic.regex", ".*\\.(.*)", "topic.replacement", "$1", NULL);
    assert_int_equal(bench_apply(bench, &first), SL_KEEP);
    assert_int_equal(bench_apply(bench, &second), SL_KEEP);
    assert_string_equal(first.key_schema->name, "things.Key");
    assert_string_equal(second.key_schema->name, "others.Key");
}

static void the_later_release_names_the_field_otherwise(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, &sl_transform_to_logical_topic_router, "topic.regex", ".*", "topic.replacement", "x",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.key_schema->fields[2].name, "__dbz__sourceIdentifier");
}

static void the_later_release_takes_the_same_options(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, &sl_transform_to_logical_topic_router, "topic.regex", ".*", "topic.replacement", "a-b",
               "key.enforce.uniqueness", "true", "key.field.name", "table", "key.field.regex", ".*\\.(.*)",
               "key.field.replacement", "t-$1", "schema.name.adjustment.mode", "avro",
               "logical.table.cache.size", "4", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key),
                        "{id:1,shard:7,table:t-things}");
    assert_string_equal(message.key_schema->name, "a_b.Key");
    assert_string_equal(message.topic->name, "a-b");
}

static void what_cannot_be_routed_says_so(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    assert_int_equal(bench_try(bench, router, "topic.regex", "x", NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, router, "topic.replacement", "x", "topic.regex", "[", NULL),
                     SL_E_CONFIG);
    assert_int_equal(bench_try(bench, router, "topic.regex", ".*", "key.field.regex", "x", NULL),
                     SL_E_CONFIG);
    bench_open(bench, router, "key.field.regex", "", "key.field.name", "id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL); /* the key has a field id */
    message.key_schema = sl_schema_plain(SL_INT32, false);
    message.record.key = sl_int(SL_INT32, 1);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(topic_schemas_and_key_follow_the_logical_table),
        TEST(tombstones_keep_the_key_s_identifier),
        TEST(keys_that_are_unique_stay_and_names_fit_avro),
        TEST(other_topics_pass),
        TEST(two_topics_of_one_key_schema_do_not_mix),
        TEST(the_later_release_names_the_field_otherwise),
        TEST(the_later_release_takes_the_same_options),
        TEST(what_cannot_be_routed_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
