/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, the order of values, numbers of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim/scylla/storage/arena.h"
#include "sim/scylla/storage/types.h"
#include "sim/scylla/types/bytes.h"
#include "sim/scylla/types/collection.h"
#include "sim/scylla/types/number.h"
#include "sim/scylla/types/timeuuid.h"
#include "sim/scylla/types/token.h"

static struct sy_arena arena;

static struct sy_value bytes(const void *at, int32_t len)
{
    return (struct sy_value){.len = len, .bytes = at};
}

/* Tokens as a real Cassandra gives them with SELECT token(k). */
static void tokens_are_cassandras(void **state)
{
    (void)state;
    uint8_t one[4] = {0, 0, 0, 1};
    assert_int_equal(sy_token_of(one, 4), -4069959284402364209LL);
    assert_int_equal(sy_token_of((const uint8_t *)"", 0), 0);
    uint8_t two[4] = {0, 0, 0, 2};
    assert_int_equal(sy_token_of(two, 4), -3248873570005575792LL);
}

static void a_streams_token_is_its_first_half(void **state)
{
    (void)state;
    uint8_t stream[16] = {0x80, 0, 0, 0, 0, 0, 0, 1, 9, 9};
    assert_true(sy_token_of_stream(stream, 16) == INT64_MIN + 1);
    assert_true(sy_token_of_stream(stream, 15) == INT64_MIN);
}

static void composite_keys_are_framed_and_split_again(void **state)
{
    (void)state;
    struct sy_value in[2] = {bytes("ab", 2), bytes("", 0)}, out[2];
    uint8_t key[16];
    size_t len = sy_key_serialise(in, 2, key, sizeof key);
    assert_int_equal(len, 8);
    assert_memory_equal(key, "\0\2ab\0\0\0\0", 8);
    assert_true(sy_key_split(key, len, 2, out));
    assert_int_equal(out[0].len, 2);
    assert_int_equal(out[1].len, 0);
    assert_false(sy_key_split(key, len - 1, 2, out));
}

static int order(enum sy_type_id id, struct sy_value a, struct sy_value b)
{
    struct sy_type type = {.id = id};
    int c = sy_value_compare(&type, a, b), back = sy_value_compare(&type, b, a);
    assert_true((c > 0) == (back < 0) && (c == 0) == (back == 0));
    return (c > 0) - (c < 0);
}

static void each_type_has_its_own_order(void **state)
{
    (void)state;
    assert_int_equal(order(SY_INT, bytes("\xff\xff\xff\xff", 4), bytes("\0\0\0\1", 4)), -1);
    assert_int_equal(order(SY_DATE, bytes("\xff\xff\xff\xff", 4), bytes("\0\0\0\1", 4)), 1);
    assert_int_equal(order(SY_TEXT, bytes("ab", 2), bytes("b", 1)), -1);
    assert_int_equal(order(SY_BLOB, bytes("\xff", 1), bytes("\1\1", 2)), 1);
    assert_int_equal(order(SY_INT, bytes(NULL, SY_NULL), bytes("", 0)), -1);
    uint8_t nan[8], minus_zero[8], zero[8];
    sy_put_double(nan, __builtin_nan(""));
    sy_put_double(minus_zero, -0.0);
    sy_put_double(zero, 0.0);
    assert_int_equal(order(SY_DOUBLE, bytes(nan, 8), bytes(zero, 8)), 1);
    assert_int_equal(order(SY_DOUBLE, bytes(minus_zero, 8), bytes(zero, 8)), -1);
}

static void timeuuids_go_by_time_and_then_by_signed_bytes(void **state)
{
    (void)state;
    uint8_t early[16], late[16], low[16], high[16];
    sy_timeuuid_make(0xfffffffffULL, 0x80, early);
    sy_timeuuid_make(0x1000000000ULL, 0x80, late);
    assert_int_equal(order(SY_TIMEUUID, bytes(early, 16), bytes(late, 16)), -1);
    sy_timeuuid_make(5, 0x8080808080808080ULL, low);
    sy_timeuuid_make(5, 0x7f7f7f7f7f7f7f7fULL, high);
    assert_int_equal(order(SY_TIMEUUID, bytes(low, 16), bytes(high, 16)), -1);
    assert_int_equal(order(SY_UUID, bytes(low, 16), bytes(high, 16)), 1);
    sy_timeuuid_make(sy_timeuuid_ticks_of_us(1700000000123456LL), 0, low);
    assert_int_equal(sy_timeuuid_us(low), 1700000000123456LL);
}

static struct sy_value decimal(const char *text)
{
    struct sy_value v;
    assert_true(sy_decimal_from_text(text, strlen(text), &arena, &v));
    return v;
}

static struct sy_value varint(const char *text)
{
    struct sy_value v;
    assert_true(sy_varint_from_text(text, strlen(text), &arena, &v));
    return v;
}

static void numbers_of_any_size_keep_their_digits(void **state)
{
    (void)state;
    static const char *const wholes[] = {"0",
                                         "-1",
                                         "127",
                                         "128",
                                         "-128",
                                         "-129",
                                         "255",
                                         "-256",
                                         "123456789012345678901234567890",
                                         "-99999999999999999999"};
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
        assert_string_equal(sy_varint_to_text(varint(wholes[i]), &arena), wholes[i]);
    assert_int_equal(varint("127").len, 1);
    assert_int_equal(varint("128").len, 2);
    assert_int_equal(varint("-128").len, 1);
    assert_string_equal(sy_decimal_to_text(decimal("-1.50"), &arena), "-1.50");
    assert_string_equal(sy_decimal_to_text(decimal("0.001"), &arena), "0.001");
    assert_string_equal(sy_decimal_to_text(decimal("1e3"), &arena), "1E+3");
    assert_string_equal(sy_decimal_to_text(decimal("0.00000001"), &arena), "1E-8");
    struct sy_value v;
    assert_false(sy_varint_from_text("12a", 3, &arena, &v));
    assert_false(sy_decimal_from_text("1e999999", 8, &arena, &v));
    assert_false(sy_decimal_from_text("1.2.3", 5, &arena, &v));
}

static void numbers_compare_and_add_as_numbers(void **state)
{
    (void)state;
    assert_int_equal(order(SY_DECIMAL, decimal("1.0"), decimal("1.00")), 0);
    assert_int_equal(order(SY_DECIMAL, decimal("-2"), decimal("1e-5")), -1);
    assert_int_equal(order(SY_DECIMAL, decimal("100"), decimal("99.999")), 1);
    assert_int_equal(order(SY_VARINT, varint("-300"), varint("-20")), -1);
    assert_int_equal(order(SY_VARINT, varint("300"), varint("-20")), 1);
    assert_string_equal(sy_decimal_to_text(sy_decimal_add(decimal("1.5"), decimal("-0.25"), &arena), &arena),
                        "1.25");
    assert_string_equal(sy_varint_to_text(sy_varint_add(varint("-1"), varint("256"), &arena), &arena), "255");
    assert_string_equal(sy_varint_to_text(sy_varint_divide(varint("-7"), 2, &arena), &arena), "-3");
}

static void malformed_values_are_named(void **state)
{
    (void)state;
    struct sy_type integer = {.id = SY_INT}, text = {.id = SY_TEXT};
    const struct sy_type *parts[] = {&integer};
    struct sy_type list = {.id = SY_LIST, .n_parts = 1, .parts = parts};
    assert_non_null(sy_value_check(&integer, bytes("abc", 3)));
    assert_null(sy_value_check(&integer, bytes("", 0)));
    assert_non_null(sy_value_check(&text, bytes("\xc3", 1)));
    assert_null(sy_value_check(&text, bytes("\xc3\xab", 2)));
    assert_null(sy_value_check(&list, bytes("\0\0\0\1\0\0\0\4\0\0\0\7", 12)));
    assert_non_null(sy_value_check(&list, bytes("\0\0\0\2\0\0\0\4\0\0\0\7", 12)));
    assert_non_null(sy_value_check(&list, bytes("\x7f\xff\xff\xff", 4)));
    assert_non_null(sy_value_check(&list, bytes("\xff\xff\xff\xff", 4)));
    assert_non_null(sy_value_check(&list, bytes("\0\0\0\1\0\0\0\4\0\0\0\7z", 13)));
}

static int free_arena(void **state)
{
    (void)state;
    sy_arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_cassandras),
        cmocka_unit_test(a_streams_token_is_its_first_half),
        cmocka_unit_test(composite_keys_are_framed_and_split_again),
        cmocka_unit_test(each_type_has_its_own_order),
        cmocka_unit_test(timeuuids_go_by_time_and_then_by_signed_bytes),
        cmocka_unit_test(numbers_of_any_size_keep_their_digits),
        cmocka_unit_test(numbers_compare_and_add_as_numbers),
        cmocka_unit_test(malformed_values_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
