/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "transform/transforms.h"

#include <stdio.h>
#include <string.h>

static const struct sl_transform_ops *const cast = &sl_transform_cast;

/* What a field of the rich row becomes; "fail" when it cannot. */
static void expect(const char *field, const char *type, const char *text)
{
    void *made;
    struct bench *bench;
    struct sl_message message;
    char spec[60];
    int at;

    (void)bench_make(&made);
    bench = made;
    message = rich_of(bench);
    at = sl_schema_field(message.value_schema, field);
    (void)snprintf(spec, sizeof(spec), "%s:%s", field, type);
    bench_open(bench, cast, "spec", spec, NULL);
    if (bench_apply(bench, &message) == SL_KEEP) {
        const struct sl_schema *schema = message.value_schema->fields[at].schema;

        assert_string_equal(sl_type_name(schema->type), type);
        assert_null(schema->name);
        assert_string_equal(value_text(bench, schema, message.record.value.items[at]), text);
    } else {
        assert_int_equal(bench->err.kind, SL_KIND_DATA);
        assert_string_equal(text, "fail");
    }
    (void)bench_remove(&made);
}

static void numbers_are_cut_as_java_cuts_them(void **state)
{
    (void)state;
    expect("id", "int8", "44");
    expect("id", "boolean", "1");
    expect("id", "float32", "300");
    expect("real", "int32", "-1");
    expect("real", "boolean", "1");
    expect("real", "string", "-1.75");
    expect("flag", "int64", "1");
    expect("amount", "int16", "12");
    expect("amount", "float64", "12.34");
    expect("amount", "string", "12.34");
}

static void text_is_read_strictly(void **state)
{
    (void)state;
    expect("text", "int8", "12");
    expect("text", "float64", "12");
    expect("text", "boolean", "0");
    expect("text", "string", "12");
}

static void dates_become_text_or_their_number(void **state)
{
    (void)state;
    expect("at", "string", "2024-02-29T13:14:15.016Z");
    expect("day", "string", "2024-02-29");
    expect("day", "int64", "19782");
    expect("at", "int64", "1709212455016");
}

static void bytes_become_base64_and_nothing_else(void **state)
{
    (void)state;
    expect("raw", "string", "AQI=");
    expect("raw", "int32", "fail");
    expect("list", "string", "fail");
}

static void defaults_are_cast_and_nulls_read_as_them(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, cast, "spec", "n:string", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value.items[2]), "7");
    assert_memory_equal(message.value_schema->fields[2].schema->default_value.bytes, "7", 1);
    assert_true(message.value_schema->fields[2].schema->optional);
    assert_string_equal(message.value_schema->name, "rich");
}

static void nulls_stay_where_that_is_asked(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, cast, "spec", "n:string", "replace.null.with.default", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.items[2].tag, SL_NULL);
}

static void absent_fields_stay_absent(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_value fields[3] = {sl_int(SL_INT32, 1), {.tag = SL_ABSENT}, {.tag = SL_ABSENT}};

    message.record.value.items = fields;
    bench_open(bench, cast, "spec", "name:int32,qty:string", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:absent,qty:absent}");
}

static void the_whole_key_can_be_cast(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    message.key_schema = sl_schema_plain(SL_INT64, true);
    message.record.key = sl_int(SL_INT64, 70000);
    bench_open_key(bench, cast, "spec", "string", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.key_schema, sl_schema_plain(SL_STRING, true));
    assert_string_equal(value_text(bench, NULL, message.record.key), "70000");
}

static void maps_are_cast_by_what_they_hold(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);

    bench_open(bench, cast, "spec", "a:string,e:int8,new:int8", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value),
                        "{a:1,b:text,c:{d:2.5},e:null,new:null}");
    assert_int_equal(message.record.value.items[1].tag, SL_STRING);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static void a_bad_specification_is_refused(void **state)
{
    static const char *const specs[] = {"", "a:bytes", "a:b:c", "string,a:string", "a:", "nothing"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
        assert_int_equal(bench_try(bench, cast, "spec", specs[i], NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "HINT"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_cut_as_java_cuts_them),
        cmocka_unit_test(text_is_read_strictly),
        cmocka_unit_test(dates_become_text_or_their_number),
        cmocka_unit_test(bytes_become_base64_and_nothing_else),
        TEST(defaults_are_cast_and_nulls_read_as_them),
        TEST(nulls_stay_where_that_is_asked),
        TEST(absent_fields_stay_absent),
        TEST(the_whole_key_can_be_cast),
        TEST(maps_are_cast_by_what_they_hold),
        TEST(a_bad_specification_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
