/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "../../../../../sim/sqlserver/tsql/convert.h"

static struct ms_arena arena;

static struct ms_type type_of(const char *name, int length, int scale)
{
    struct ms_type type;
    assert_true(ms_type_find(name, &type));
    if (length)
        type.length = length;
    if (ms_type_class(type.id) == MS_CLASS_DECIMAL) {
        type.length = 0;
        type.precision = (uint8_t)length;
        type.scale = (uint8_t)scale;
    } else if (scale >= 0) {
        type.scale = (uint8_t)scale;
    }
    return type;
}

/* 'text' as a varchar, CAST to the type, CAST back to nvarchar. */
static int32_t through(const char *text, struct ms_type type, int style, const char **ret)
{
    struct ms_error err = {0};
    struct ms_value in = {.len = (uint32_t)strlen(text), .bytes = (const uint8_t *)text}, value, out;
    struct ms_conversion there = {.from = ms_type_string(false, 100), .to = type, .style = MS_STYLE_NONE};
    struct ms_conversion back = {.from = type, .to = ms_type_string(true, MS_MAX), .style = style};
    *ret = "";
    if (ms_convert(&arena, &there, &in, &value, &err) && ms_convert(&arena, &back, &value, &out, &err))
        *ret = ms_arena_dup(&arena, out.bytes, out.len);
    return err.number;
}

static void text_becomes_each_type_and_text_again(void **state)
{
    static const struct {
        const char *in;
        const char *type;
        int length;
        int scale;
        int style;
        const char *out;
    } cases[] = {
        {" 42 ", "int", 0, -1, -1, "42"},
        {"-9223372036854775808", "bigint", 0, -1, -1, "-9223372036854775808"},
        {"true", "bit", 0, -1, -1, "1"},
        {"1.255", "decimal", 10, 2, -1, "1.26"},
        {"$1,234.5", "money", 0, -1, -1, "1234.50"},
        {"1234567.5", "float", 0, -1, -1, "1.23457e+006"},
        {"abc", "char", 5, -1, -1, "abc  "},
        {"2020-02-29", "date", 0, -1, -1, "2020-02-29"},
        {"20200229 13:14:15.1234567", "datetime2", 0, 7, -1, "2020-02-29 13:14:15.1234567"},
        {"2020-02-29T23:59:59.9999999", "datetime2", 0, 3, -1, "2020-03-01 00:00:00.000"},
        {"16-JAN-2016", "date", 0, -1, -1, "2016-01-16"},
        {"Jan 2 2020 3:04PM", "datetime", 0, -1, -1, "Jan  2 2020  3:04PM"},
        {"2018-07-13 12:23:45.456", "datetime", 0, -1, 121, "2018-07-13 12:23:45.457"},
        {"2018-07-13 12:23:45.456 +11:00", "datetimeoffset", 0, 7, -1, "2018-07-13 12:23:45.4560000 +11:00"},
        {"10:23:45.678", "time", 0, 7, -1, "10:23:45.6780000"},
        {"6F9619FF-8B86-D011-B42D-00C04FC964FF", "uniqueidentifier", 0, -1, -1,
         "6F9619FF-8B86-D011-B42D-00C04FC964FF"}};
    const char *out;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t number = through(cases[i].in, type_of(cases[i].type, cases[i].length, cases[i].scale),
                                 cases[i].style, &out);
        if (number)
            fail_msg("error %d: '%s' as %s", number, cases[i].in, cases[i].type);
        assert_string_equal(out, cases[i].out);
    }
}

static void what_does_not_convert_has_its_own_number(void **state)
{
    static const struct {
        const char *in;
        const char *type;
        int length;
        int32_t number;
    } cases[] = {{"abc", "int", 0, 245},         {"99999999999", "int", 0, 248},
                 {"300", "tinyint", 0, 244},     {"x", "bigint", 0, 8114},
                 {"x", "decimal", 10, 8114},     {"12345", "decimal", 4, 8115},
                 {"x", "float", 0, 8114},        {"nope", "datetime", 0, 241},
                 {"2020-02-30", "date", 0, 241}, {"x", "uniqueidentifier", 0, 8169},
                 {"12x", "money", 0, 235},       {"1700-01-01", "datetime", 0, 242}};
    const char *out;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t number = through(cases[i].in, type_of(cases[i].type, cases[i].length, 0), -1, &out);
        if (number != cases[i].number)
            fail_msg("error %d, not %d: '%s' as %s", number, cases[i].number, cases[i].in, cases[i].type);
    }
}

static void text_too_long_is_cut_by_a_cast_and_refused_by_an_assignment(void **state)
{
    struct ms_error err = {0};
    struct ms_value in = {.len = 6, .bytes = (const uint8_t *)"abcdef"}, out;
    struct ms_conversion how = {
        .from = ms_type_string(false, 10), .to = ms_type_string(false, 3), .style = MS_STYLE_NONE};
    (void)state;
    assert_true(ms_convert(&arena, &how, &in, &out, &err));
    assert_int_equal(out.len, 3);
    how.assign = true;
    assert_false(ms_convert(&arena, &how, &in, &out, &err));
    assert_int_equal(err.number, 8152);
    in.bytes = (const uint8_t *)"abc   "; /* blanks at the end may go */
    assert_true(ms_convert(&arena, &how, &in, &out, &err));
}

static void lengths_count_utf16_units_for_unicode_and_characters_otherwise(void **state)
{
    static const char text[] = "a\xc3\xa9\xf0\x9f\x98\x80"; /* a, e acute, an emoji */
    (void)state;
    assert_int_equal(ms_text_units((const uint8_t *)text, 7, true), 4);
    assert_int_equal(ms_text_units((const uint8_t *)text, 7, false), 3);
    assert_int_equal(ms_text_prefix((const uint8_t *)text, 7, 3, true), 3);
}

static void the_types_of_arithmetic_follow_the_rules_of_precision(void **state)
{
    static const struct {
        char op;
        int p1, s1, p2, s2, p, s;
    } cases[] = {{'+', 10, 2, 8, 4, 13, 4},   {'*', 10, 2, 8, 4, 19, 6},    {'/', 10, 2, 8, 4, 23, 11},
                 {'%', 10, 2, 8, 4, 8, 4},    {'*', 38, 10, 38, 10, 38, 6}, {'/', 38, 10, 38, 10, 38, 6},
                 {'+', 38, 10, 38, 10, 38, 9}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ms_type a = type_of("decimal", cases[i].p1, cases[i].s1),
                       b = type_of("decimal", cases[i].p2, cases[i].s2), r;
        assert_true(ms_type_arithmetic(cases[i].op, &a, &b, &r));
        if (r.precision != cases[i].p || r.scale != cases[i].s)
            fail_msg("case %zu: decimal(%d,%d)", i, r.precision, r.scale);
    }
}

static int free_arena(void **state)
{
    (void)state;
    ms_arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_each_type_and_text_again),
        cmocka_unit_test(what_does_not_convert_has_its_own_number),
        cmocka_unit_test(text_too_long_is_cut_by_a_cast_and_refused_by_an_assignment),
        cmocka_unit_test(lengths_count_utf16_units_for_unicode_and_characters_otherwise),
        cmocka_unit_test(the_types_of_arithmetic_follow_the_rules_of_precision),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
