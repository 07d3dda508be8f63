/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "base/uuid.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const insert = &sl_transform_insert_header;

static void each_record_gets_a_uuid_of_its_own(void **state)
{
    struct bench *bench = *state;
    struct sl_uuid before = {{0}};
    struct sl_uuid uuid;

    bench_open(bench, insert, "header", "correlation_id", "value.literal", "${uuid}", NULL);
    for (int i = 0; i < 100; i++) {
        struct sl_message message = row_of(bench, 1);
        char text[SL_UUID_TEXT_SIZE] = {0};

        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_int_equal(message.record.n_headers, 1);
        assert_string_equal(message.record.headers[0].name, "correlation_id");
        assert_int_equal(message.record.headers[0].schema->type, SL_STRING);
        assert_int_equal(message.record.headers[0].value.len, 36);
        memcpy(text, message.record.headers[0].value.bytes, 36);
        assert_true(sl_uuid_parse(text, &uuid));
        assert_int_equal(uuid.bytes[6] >> 4, 4);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_memory_not_equal(uuid.bytes, before.bytes, 16);
        before = uuid;
    }
}

static void uuids_stand_where_the_literal_has_them(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    const char *text;

    bench_open(bench, insert, "header", "h", "value.literal", "a-${uuid}-b-${uuid}", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.headers[0].value.len, 2 + 36 + 3 + 36);
    text = (const char *)message.record.headers[0].value.bytes;
    assert_memory_equal(text, "a-", 2);
    assert_memory_equal(text + 38, "-b-", 3);
    assert_memory_not_equal(text + 2, text + 41, 36);
}

static void it_stands_behind_the_headers_that_are_there(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    const struct sl_header old = {.name = "old", .value = sl_text("1")};

    message.record.headers = &old;
    message.record.n_headers = 1;
    bench_open(bench, insert, "header", "h", "value.literal", "x", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(headers_text(bench, &message), "old:1,h:x");
}

static void literals_are_read_as_the_smallest_type(void **state)
{
    static const struct {
        const char *literal;
        int tag;
    } cases[] = {
        {"null", SL_NULL},
        {"true", SL_BOOLEAN},
        {"1", SL_INT8},
        {"-128", SL_INT8},
        {"128", SL_INT16},
        {"32768", SL_INT32},
        {"2147483648", SL_INT64},
        {"1.5", SL_FLOAT32},
        {"1e300", SL_FLOAT64},
        {"1.0", SL_INT8},
        {"2026-11-21", SL_INT32},
        {"[1,2]", SL_ARRAY},
        {"{\"a\":1}", SL_MAP},
        {"99999999999999999999", SL_BYTES},
        {"text", SL_STRING},
        {"12abc", SL_STRING},
        {"9223372036854775807", SL_INT64},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_message message;
        struct bench *bench;
        void *made;

        (void)bench_make(&made);
        bench = made;
        message = row_of(bench, 1);
        bench_open(bench, insert, "header", "h", "value.literal", cases[i].literal, NULL);
        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_int_equal(message.record.headers[0].value.tag, cases[i].tag);
        (void)bench_remove(&made);
    }
}

static void a_header_needs_its_name_and_its_literal(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, insert, "header", "h", NULL), SL_E_CONFIG);
    sl_props_remove(bench->props, "transforms.t.header");
    assert_int_equal(bench_try(bench, insert, "value.literal", "x", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "HINT"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(each_record_gets_a_uuid_of_its_own),
        TEST(uuids_stand_where_the_literal_has_them),
        TEST(it_stands_behind_the_headers_that_are_there),
        cmocka_unit_test(literals_are_read_as_the_smallest_type),
        TEST(a_header_needs_its_name_and_its_literal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
