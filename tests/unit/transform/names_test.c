/* SPDX-License-Identifier: Apache-2.0 */
/* CollectionNameTransformation and FieldNameTransformation. */
#include "events.h"

#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const collection = &sl_transform_collection_name;
static const struct sl_transform_ops *const field = &sl_transform_field_name;

/* What a topic is called in a style. */
static void expect(const char *style, const char *name, const char *renamed)
{
    void *made;
    struct bench *bench;
    struct sl_message message;

    (void)bench_make(&made);
    bench = made;
    bench_open(bench, collection, "collection.naming.style", style, NULL);
    for (int round = 0; round < 2; round++) {
        message = tombstone_of(bench, 1);
        message.topic = sl_topic_intern(name, strlen(name));
        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_string_equal(message.topic->name, renamed);
    }
    (void)bench_remove(&made);
}

/* The cases of Debezium's own test, and those that its expressions decide. */
static void each_style_writes_names_as_debezium_does(void **state)
{
    (void)state;
    expect("snake_case", "CamelCaseName", "camel_case_name");
    expect("snake_case", "NameWithNumbers123", "name_with_numbers_123");
    expect("snake_case", "123NumbersExample", "123_numbers_example");
    expect("SNAKE_CASE", "srv.dbo.orderLines", "srv_dbo_order_lines");
    expect("snake_case", "a1b2", "a_1b_2");
    expect("snake_case", "ABCDef", "abcdef");
    expect("camel_case", "name_with_numbers_123", "nameWithNumbers123");
    expect("camel_case", "srv.dbo.ORDER__LINES_", "srvDboOrderLines");
    expect("camel_case", "_x_y", "XY");
    expect("camel_case", "orderLines", "orderlines");
    expect("upper_case", "camelCase.Name_1", "CAMELCASE.NAME_1");
    expect("lower_case", "NAME_WITH_NUMBERS", "name_with_numbers");
    expect("default", "camelCaseName", "camelCaseName");
}

static void topics_get_a_prefix_and_a_suffix(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, collection, "collection.naming.prefix", "Pre_", "collection.naming.suffix", ".X",
               "collection.naming.style", "upper_case", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "Pre_SRV.SHOP.DBO.THINGS.X");
}

static void a_topic_of_which_nothing_is_left_is_a_bad_record(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, collection, "collection.naming.style", "camel_case", NULL);
    message.topic = sl_topic_intern("._.", 3);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(bench->err.rc, SL_E_DATA);
}

static void a_style_that_nobody_knows_is_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, collection, "collection.naming.style", "kebab-case", NULL),
                     SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.collection.naming.style"));
    assert_int_equal(bench_try(bench, field, "column.naming.style", "kebab-case", NULL), SL_E_CONFIG);
    bench->self = NULL;
}

static void fields_of_rows_and_their_keys_are_renamed(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 9);
    const struct sl_value *before = message.record.value.items;

    bench_open(bench, field, "column.naming.prefix", "c_", "column.naming.suffix", "_x",
               "column.naming.style", "UPPER_CASE", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{c_ID_x:9,c_NAME_x:null,c_QTY_x:null}");
    assert_ptr_equal(message.record.value.items, before);
    assert_string_equal(message.value_schema->name, "srv.shop.dbo.things.Value");
    assert_true(message.value_schema->fields[2].schema->has_default);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key), "{c_ID_x:9,c_SHARD_x:7}");
}

static void of_an_envelope_before_and_after_are_renamed(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 9, "a");
    const struct sl_schema *from = message.value_schema;
    const struct sl_schema *row;

    bench_open(bench, field, "column.naming.style", "upper_case", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.value_schema->name, from->name);
    assert_int_equal(message.value_schema->n_fields, from->n_fields);
    for (const char *const *name = (const char *const[]){"before", "after", NULL}; *name; name++) {
        row = message.value_schema->fields[sl_schema_field(message.value_schema, *name)].schema;
        assert_int_equal(sl_schema_field(row, "NAME"), 1);
        assert_true(row->optional);
    }
    assert_int_equal(sl_schema_field(message.value_schema, "op"), sl_schema_field(from, "op"));
    row = message.value_schema->fields[sl_schema_field(message.value_schema, "source")].schema;
    assert_int_equal(sl_schema_field(row, "table"), 0);
    assert_int_equal(sl_schema_field(message.key_schema, "ID"), 0);
}

static void the_keys_of_tombstones_are_renamed_too(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 9);

    bench_open(bench, field, "column.naming.style", "upper_case", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key), "{ID:9,SHARD:7}");
    assert_null(message.value_schema);
}

static void what_has_no_schema_or_is_no_struct_stays(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);

    bench_open(bench, field, "column.naming.style", "upper_case", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(sl_schema_field(message.key_schema, "id"), 0);
    message.value_schema = sl_schema_plain(SL_STRING, false);
    message.record.value = sl_text("x");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.value_schema, sl_schema_plain(SL_STRING, false));
    assert_int_equal(sl_schema_field(message.key_schema, "id"), 0);
}

static void two_fields_that_get_one_name_are_a_bad_record(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_struct_builder row = {.name = "row"};
    struct sl_value values[2] = {sl_int(SL_INT32, 1), sl_int(SL_INT32, 2)};

    sl_struct_add(&row, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&row, "ID", sl_schema_plain(SL_INT32, false));
    message.value_schema = sl_struct_end(&row, false);
    message.record.value = sl_items(SL_STRUCT, values, 2);
    bench_open(bench, field, "column.naming.style", "lower_case", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(bench->err.rc, SL_E_DATA);
    assert_int_equal(sl_schema_field(message.value_schema, "ID"), 1);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_style_writes_names_as_debezium_does),
        BENCH_TEST(topics_get_a_prefix_and_a_suffix),
        BENCH_TEST(a_topic_of_which_nothing_is_left_is_a_bad_record),
        BENCH_TEST(a_style_that_nobody_knows_is_refused),
        BENCH_TEST(fields_of_rows_and_their_keys_are_renamed),
        BENCH_TEST(of_an_envelope_before_and_after_are_renamed),
        BENCH_TEST(the_keys_of_tombstones_are_renamed_too),
        BENCH_TEST(what_has_no_schema_or_is_no_struct_stays),
        BENCH_TEST(two_fields_that_get_one_name_are_a_bad_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
