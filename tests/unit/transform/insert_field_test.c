/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const insert = &sl_transform_insert_field;

static void fields_come_in_the_original_s_order_with_their_types(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    const struct sl_schema *schema;

    message.record.partition = 3;
    message.record.offset = 9;
    bench_open(bench, insert, "static.field", "s", "static.value", "x", "timestamp.field", "ts!",
               "offset.field", "o?", "partition.field", "p", "topic.field", "t!", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message),
                        "{id:1,name:null,qty:5,t:srv.shop.dbo.things,p:3,o:9,ts:1,s:x}");
    schema = message.value_schema;
    assert_string_equal(schema->name, "srv.shop.dbo.things.Value");
    assert_false(schema->optional);
    assert_false(schema->fields[3].schema->optional);
    assert_true(schema->fields[4].schema->optional && schema->fields[5].schema->optional);
    assert_int_equal(schema->fields[6].schema->semantic, SL_SEM_TIMESTAMP);
    assert_false(schema->fields[6].schema->optional);
}

static void what_a_record_has_not_is_null(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    message.record.partition = -1;
    message.record.timestamp_ms = SL_NO_TIMESTAMP;
    bench_open(bench, insert, "partition.field", "p", "timestamp.field", "ts", "replace.null.with.default",
               "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:null,p:null,ts:null}");
}

static void absent_fields_stay_absent(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_value fields[3] = {sl_int(SL_INT32, 1), {.tag = SL_ABSENT}, {.tag = SL_ABSENT}};

    message.record.value.items = fields;
    bench_open(bench, insert, "static.field", "s", "static.value", "x", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:absent,qty:absent,s:x}");
}

static void a_name_that_is_there_already_is_the_record_s_error(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, insert, "topic.field", "name", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_non_null(strstr(bench->err.text, "'name'"));
    assert_int_equal(bench_apply(bench, &message), SL_FAIL); /* and again, from the cache */
}

static void tombstones_pass_and_an_offset_needs_the_log(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, insert, "offset.field", "o", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_true(sl_is_null(message.record.value));
    message = row_of(bench, 1); /* offset -1: on the source's side */
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(bench->err.kind, SL_KIND_DATA);
}

static void maps_without_a_schema_get_entries(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_value pairs[4] = {sl_text("a"), sl_int(SL_INT64, 1), sl_text("s"), sl_text("old")};

    message.value_schema = NULL;
    message.record.value = sl_items(SL_MAP, pairs, 2);
    bench_open(bench, insert, "topic.field", "t", "static.field", "s", "static.value", "new", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.len, 3);
    assert_memory_equal(message.record.value.items[3].bytes, "new", 3);
    assert_memory_equal(message.record.value.items[4].bytes, "t", 1);
    message.record.value = sl_text("text");
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

static void maps_get_only_what_was_asked_for(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    message.value_schema = NULL;
    message.record.value = sl_items(SL_MAP, NULL, 0);
    bench_open(bench, insert, "topic.field", "t", NULL); /* and no static.field */
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.len, 1);
}

static void a_configuration_that_inserts_nothing_is_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, insert, NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, insert, "static.field", "s", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "static.value"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(fields_come_in_the_original_s_order_with_their_types),
        TEST(what_a_record_has_not_is_null),
        TEST(absent_fields_stay_absent),
        TEST(a_name_that_is_there_already_is_the_record_s_error),
        TEST(tombstones_pass_and_an_offset_needs_the_log),
        TEST(maps_without_a_schema_get_entries),
        TEST(maps_get_only_what_was_asked_for),
        TEST(a_configuration_that_inserts_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
