/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "../../../../../sim/sqlserver/tsql/decimal.h"

#define NINES "99999999999999999999999999999999999999" /* 38 of them */

static ms_int128 parse(const char *text, int scale)
{
    ms_int128 value;
    assert_true(ms_decimal_parse(text, strlen(text), scale, &value));
    return value;
}

static void assert_prints(ms_int128 value, int scale, const char *text)
{
    char shown[MS_DECIMAL_TEXT];
    (void)ms_decimal_print(value, scale, shown);
    assert_string_equal(shown, text);
}

static void text_survives_the_way_there_and_back(void **state)
{
    static const struct {
        const char *text;
        int scale;
    } cases[] = {{"0", 0},  {"0.00", 2}, {"-0.01", 2},   {"123.45", 2},
                 {"-1", 0}, {NINES, 0},  {"-" NINES, 0}, {"0.00000000000000000000000000000000000001", 38}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_prints(parse(cases[i].text, cases[i].scale), cases[i].scale, cases[i].text);
}

static void surplus_digits_round_half_away_from_zero(void **state)
{
    ms_int128 value;
    (void)state;
    assert_prints(parse("1.005", 2), 2, "1.01");
    assert_prints(parse("-1.005", 2), 2, "-1.01");
    assert_prints(parse("1.0049999", 2), 2, "1.00");
    assert_true(ms_decimal_rescale(parse("2.5", 1), 1, 0, &value));
    assert_prints(value, 0, "3");
    assert_true(ms_decimal_truncate(parse("-2.9", 1), 1, 0, &value));
    assert_prints(value, 0, "-2");
}

static void more_than_38_digits_are_refused(void **state)
{
    ms_int128 value;
    (void)state;
    assert_false(ms_decimal_parse(NINES "9", 39, 0, &value));
    assert_false(ms_decimal_rescale(parse(NINES, 0), 0, 1, &value));
    assert_false(ms_decimal_add(parse(NINES, 0), 1, &value));
    assert_false(ms_decimal_multiply(parse(NINES, 0), 0, parse(NINES, 0), 0, 0, &value));
}

static void products_pass_through_256_bits(void **state)
{
    ms_int128 value;
    (void)state;
    assert_true(ms_decimal_multiply(parse("1234567890123456789.123456789", 9), 9,
                                    parse("9876543210.987654321", 9), 9, 6, &value));
    assert_prints(value, 6, "12193263113702179523593964322.360921");
    assert_true(ms_decimal_multiply(parse("0.00000000000000000001", 20), 20,
                                    parse("0.00000000000000000001", 20), 20, 38, &value));
    assert_prints(value, 38, "0.00000000000000000000000000000000000000");
}

static void quotients_keep_the_digits_asked_for(void **state)
{
    ms_int128 value;
    (void)state;
    assert_true(ms_decimal_divide(parse("1", 0), 0, parse("3", 0), 0, 20, &value));
    assert_prints(value, 20, "0.33333333333333333333");
    assert_true(ms_decimal_divide(parse("-7.0", 1), 1, parse("2", 0), 0, 6, &value));
    assert_prints(value, 6, "-3.500000");
    assert_true(ms_decimal_divide(parse(NINES, 0), 0, parse("10.0000000000", 10), 10, 0, &value));
    assert_prints(value, 0, "9999999999999999999999999999999999999");
    assert_true(ms_decimal_divide(parse("1", 0), 0, parse(NINES, 0), 0, 38, &value));
    assert_prints(value, 38, "0.00000000000000000000000000000000000001");
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const cases[] = {"", "-", ".", "1a", "1.2.3", " 1", "1e5", "--1"};
    ms_int128 value;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(ms_decimal_parse(cases[i], strlen(cases[i]), 2, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_survives_the_way_there_and_back),
        cmocka_unit_test(surplus_digits_round_half_away_from_zero),
        cmocka_unit_test(more_than_38_digits_are_refused),
        cmocka_unit_test(products_pass_through_256_bits),
        cmocka_unit_test(quotients_keep_the_digits_asked_for),
        cmocka_unit_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
