/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const replace = &sl_transform_replace_field;

static void fields_are_renamed_and_left_out(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, replace, "exclude", "qty", "renames", "id:key, name:title", NULL);
    if (bench_apply(bench, &message) != SL_KEEP)
        fail_msg("%s", bench->err.text);
    assert_string_equal(message.value_schema->fields[0].name, "key");
    assert_string_equal(message.value_schema->fields[1].name, "title");
    assert_int_equal(message.value_schema->n_fields, 2);
    assert_false(message.value_schema->optional);
}

static void only_the_included_are_kept(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, replace, "include", "qty,id", "exclude", "id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{qty:5}");
}

static void what_does_nothing_moves_nothing(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    const struct sl_value *fields = message.record.value.items;

    bench_open(bench, replace, "renames", "email_value:email", "replace.null.with.default", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.record.value.items, fields);
}

static void absent_fields_stay_absent(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_value fields[3] = {sl_int(SL_INT32, 1), {.tag = SL_ABSENT}, {.tag = SL_ABSENT}};

    message.record.value.items = fields;
    bench_open(bench, replace, "renames", "name:title", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,title:absent,qty:absent}");
}

static void a_name_that_is_taken_is_the_record_s_error(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, replace, "renames", "id:name", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_non_null(strstr(bench->err.text, "'name'"));
}

static void maps_without_a_schema_are_changed_too(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_value pairs[4] = {sl_text("a"), sl_int(SL_INT64, 1), sl_text("b"), sl_int(SL_INT64, 2)};

    message.value_schema = NULL;
    message.record.value = sl_items(SL_MAP, pairs, 2);
    bench_open(bench, replace, "exclude", "a", "renames", "b:c", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.len, 1);
    assert_memory_equal(message.record.value.items[0].bytes, "c", 1);
    assert_int_equal(message.record.value.items[1].i, 2);
}

static void a_rename_without_both_names_is_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, replace, "renames", "a", NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, replace, "renames", "a:b:c", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "a:b:c"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(fields_are_renamed_and_left_out),
        TEST(only_the_included_are_kept),
        TEST(what_does_nothing_moves_nothing),
        TEST(absent_fields_stay_absent),
        TEST(a_name_that_is_taken_is_the_record_s_error),
        TEST(maps_without_a_schema_are_changed_too),
        TEST(a_rename_without_both_names_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
