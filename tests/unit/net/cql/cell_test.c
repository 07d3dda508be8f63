/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct sl_cql_type *const int_text[] = {&(const struct sl_cql_type){.kind = SL_CQL_INT},
                                                     &(const struct sl_cql_type){.kind = SL_CQL_VARCHAR}};
static const char *const field_names[] = {"n", "t"};
static const struct sl_cql_type list = {.kind = SL_CQL_LIST, .n_args = 1, .args = int_text};
static const struct sl_cql_type map = {.kind = SL_CQL_MAP, .n_args = 2, .args = int_text};
static const struct sl_cql_type tuple = {.kind = SL_CQL_TUPLE, .n_args = 2, .args = int_text};
static const struct sl_cql_type udt = {
    .kind = SL_CQL_UDT, .name = "u", .n_args = 2, .args = int_text, .field_names = field_names};

static void assert_shows(const struct sl_cql_type *type, struct sl_cql_cell cell, const char *text)
{
    struct sl_buf out = {0};

    sl_cql_put_value(&out, type, cell);
    assert_string_equal(sl_buf_cstr(&out), text);
    sl_buf_done(&out);
}

static void assert_simple(enum sl_cql_kind kind, struct sl_cql_cell cell, const char *text)
{
    assert_shows(sl_cql_type_simple(kind), cell, text);
}

static void numbers_are_read_at_their_ends(void **state)
{
    (void)state;
    assert_simple(SL_CQL_TINYINT, CELL("\x80"), "-128");
    assert_simple(SL_CQL_SMALLINT, CELL("\x7f\xff"), "32767");
    assert_simple(SL_CQL_INT, CELL("\x80\0\0\0"), "-2147483648");
    assert_simple(SL_CQL_BIGINT, CELL("\x7f\xff\xff\xff\xff\xff\xff\xff"), "9223372036854775807");
    assert_simple(SL_CQL_DATE, CELL("\0\0\0\0"), "-2147483648");
    assert_simple(SL_CQL_DATE, CELL("\x80\0\0\x01"), "1");
    assert_simple(SL_CQL_BOOLEAN, CELL("\x01"), "True");
    assert_simple(SL_CQL_VARINT, CELL("\x80"), "-128");
    assert_simple(SL_CQL_VARINT, CELL("\x00\x80"), "128");
    assert_simple(SL_CQL_INT, CELL("\x80\0\0"), "<malformed>");
    assert_simple(SL_CQL_INT, CELL(""), "null");
    assert_simple(SL_CQL_VARCHAR, CELL(""), "''");
}

static void decimals_print_as_java_prints_them(void **state)
{
    (void)state;
    assert_simple(SL_CQL_DECIMAL, CELL("\0\0\0\x02\x30\x39"), "123.45");
    assert_simple(SL_CQL_DECIMAL, CELL("\xff\xff\xff\xfd\x01"), "1E+3");
    assert_simple(SL_CQL_DECIMAL, CELL("\0\0\0\x08\x0c"), "1.2E-7");
    assert_simple(SL_CQL_DECIMAL, CELL("\0\0\0\x02"), "<malformed>");
}

static void addresses_keep_their_zeros(void **state)
{
    (void)state;
    assert_simple(SL_CQL_INET, CELL("\xc0\0\x02\x01"), "192.0.2.1");
    assert_simple(SL_CQL_INET, CELL("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"), "2001:db8:0:0:0:0:0:1");
    assert_simple(SL_CQL_INET, CELL("\x7f\0\0"), "<malformed>");
}

static void durations_name_only_what_is_not_zero(void **state)
{
    (void)state;
    assert_simple(SL_CQL_DURATION, CELL("\x1c\x06\0"), "1y2mo3d");
    assert_simple(SL_CQL_DURATION, CELL("\0\0\0"), "");
    assert_simple(SL_CQL_DURATION, CELL("\x01\x03\0"), "-1mo2d");
    /* 1 h 1 ns = 3600000000001, zigzag 7200000000002 in six bytes */
    assert_simple(SL_CQL_DURATION, CELL("\0\0\xfc\x06\x8c\x61\x71\x40\x02"), "1h1ns");
    assert_simple(SL_CQL_DURATION, CELL("\x02\x01\0"), "<malformed>"); /* two signs */
    assert_simple(SL_CQL_DURATION, CELL("\0\0\xff\0\0"), "<malformed>");
    assert_simple(SL_CQL_DURATION, CELL("\0\0\0\0"), "<malformed>");
    /* the smallest nanoseconds there are: nine bytes, and the sign of what has no positive twin */
    assert_simple(SL_CQL_DURATION, CELL("\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                  "-2562047h47m16s854ms775us808ns");
}

static void collections_show_their_parts(void **state)
{
    (void)state;
    assert_shows(&list, CELL("\0\0\0\x02\0\0\0\x04\0\0\0\x01\xff\xff\xff\xff"), "[1, null]");
    assert_shows(&map, CELL("\0\0\0\x01\0\0\0\x04\0\0\0\x07\0\0\0\x02hi"), "{7: 'hi'}");
    assert_shows(&tuple, CELL("\0\0\0\x04\0\0\0\x07\0\0\0\x01x"), "(7, 'x')");
    assert_shows(&list, CELL("\0\0\0\0"), "[]");
}

static void a_user_type_may_stop_early_or_go_on(void **state)
{
    (void)state;
    assert_shows(&udt, CELL("\0\0\0\x04\0\0\0\x07"), "{n: 7, t: null}");
    assert_shows(&udt, CELL(""), "{n: null, t: null}");
    assert_shows(&udt, CELL("\0\0\0\x04\0\0\0\x07\0\0\0\x01x\0\0\0\x01y"), "{n: 7, t: 'x'}");
}

static void lengths_that_lie_are_refused(void **state)
{
    struct sl_cql_parts parts;

    (void)state;
    assert_shows(&list, CELL("\x7f\xff\xff\xff\0\0\0\x04\0\0\0\x01"), "<malformed>");
    assert_shows(&list, CELL("\0\0\0\x01\0\0\0\x05\0\0\0\x01"), "<malformed>");
    assert_shows(&list, CELL("\0\0\0\x01\0\0\0\x04\0\0\0\x01\0"), "<malformed>"); /* something behind */
    assert_shows(&map, CELL("\0\0\0\x01\0\0\0\x04\0\0\0\x01"), "<malformed>");
    assert_shows(&tuple, CELL("\0\0\0\x04\0\0\0"), "<malformed>");
    assert_shows(&udt, CELL("\0\0\0"), "<malformed>");
    assert_shows(&list, CELL("\0\0"), "<malformed>");
    assert_false(sl_cql_parts_open(&list, CELL("\xff\xff\xff\xff\0\0\0\0"), &parts));
    assert_false(sl_cql_parts_open(sl_cql_type_simple(SL_CQL_INT), CELL("\0\0\0\0"), &parts));
}

static void timeuuids_carry_microseconds(void **state)
{
    uint8_t low[16];
    uint8_t high[16];
    uint8_t other[16];

    (void)state;
    sl_cql_timeuuid_min(1700000000123456, low);
    sl_cql_timeuuid_max(1700000000123456, high);
    assert_int_equal(sl_cql_timeuuid_us(low), 1700000000123456);
    assert_int_equal(sl_cql_timeuuid_us(high), 1700000000123456);
    assert_int_equal(low[6] >> 4, 1);
    assert_true(sl_cql_timeuuid_compare(low, high) < 0);
    sl_cql_timeuuid_min(1700000000123457, other);
    assert_true(sl_cql_timeuuid_compare(high, other) < 0);
    sl_cql_timeuuid_min(-1, other);
    assert_int_equal(sl_cql_timeuuid_us(other), -1);
    memcpy(other, low, 16);
    other[15] = 0x7f; /* signed: 0x80 is the smallest */
    assert_true(sl_cql_timeuuid_compare(low, other) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_at_their_ends),
        cmocka_unit_test(decimals_print_as_java_prints_them),
        cmocka_unit_test(addresses_keep_their_zeros),
        cmocka_unit_test(durations_name_only_what_is_not_zero),
        cmocka_unit_test(collections_show_their_parts),
        cmocka_unit_test(a_user_type_may_stop_early_or_go_on),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(timeuuids_carry_microseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
