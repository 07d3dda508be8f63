/* SPDX-License-Identifier: Apache-2.0 */
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool matches(const char *pattern, unsigned flags, const char *text)
{
    struct sl_regex *regex = NULL;
    struct sl_error err = {0};
    bool matched;

    assert_int_equal(sl_regex_compile(pattern, flags, &regex, &err), SL_OK);
    matched = sl_regex_matches(regex, text, strlen(text));
    sl_regex_free(regex);
    return matched;
}

static void assert_replaced(const char *pattern, const char *text, const char *replacement,
                            const char *expected)
{
    struct sl_regex *regex = NULL;
    struct sl_error err = {0};
    struct sl_buf out = {0};

    assert_int_equal(sl_regex_compile(pattern, 0, &regex, &err), SL_OK);
    assert_int_equal(sl_regex_check_replacement(regex, replacement, &err), SL_OK);
    sl_regex_replace_first(regex, text, strlen(text), replacement, &out);
    assert_string_equal(sl_buf_cstr(&out), expected);
    sl_buf_done(&out);
    sl_regex_free(regex);
}

static void assert_refused(const char *pattern, const char *part)
{
    struct sl_regex *regex = NULL;
    struct sl_error err = {0};

    assert_int_equal(sl_regex_compile(pattern, 0, &regex, &err), SL_E_CONFIG);
    assert_null(regex);
    assert_non_null(strstr(err.text, part));
    assert_non_null(strstr(err.text, "HINT"));
}

static void the_whole_text_must_match(void **state)
{
    (void)state;
    assert_true(matches("dbo\\.(customers|orders)", 0, "dbo.orders"));
    assert_false(matches("dbo\\.(customers|orders)", 0, "dbo.orders2"));
    assert_false(matches("orders", 0, "dbo.orders"));
    assert_true(matches("a|ab", 0, "ab")); /* the other alternative is tried until the whole matches */
    assert_true(matches("DBO\\..*", SL_REGEX_IGNORE_CASE, "dbo.x"));
    assert_false(matches("DBO\\..*", 0, "dbo.x"));
}

static void javas_constructs_are_understood(void **state)
{
    (void)state;
    assert_true(matches("(?!dbo\\.tmp).*", 0, "dbo.orders"));
    assert_false(matches("(?!dbo\\.tmp).*", 0, "dbo.tmp_x"));
    assert_true(matches("\\Qa.b\\E\\d++", 0, "a.b12"));
    assert_false(matches("\\Qa.b\\E", 0, "axb"));
    assert_true(matches("\\u0041+", 0, "AA"));
    assert_true(matches("[^\\[\\]]+", 0, "ab"));
}

static void what_java_would_read_otherwise_is_refused(void **state)
{
    (void)state;
    assert_refused("[a-z&&[^x]]", "&&");
    assert_refused("[a[bc]]", "class");
    assert_refused("(a", "character");
}

static void replacements_are_javas(void **state)
{
    (void)state;
    assert_replaced("sqlserver\\.w\\.dbo\\.(.*)", "sqlserver.w.dbo.orders", "$1", "orders");
    assert_replaced("(\\w+)-(\\w+)", "a-b-c", "$2_$1", "b_a-c");
    assert_replaced("(a)", "xa", "$10", "xa0"); /* no group 10: group 1 and a zero */
    assert_replaced("(?<name>b)", "abc", "[${name}]", "a[b]c");
    assert_replaced("b", "abc", "\\$1", "a$1c");
    assert_replaced("(x)?b", "abc", "<$1>", "a<>c");
    assert_replaced("q", "abc", "z", "abc");
}

static void a_replacement_without_its_group_is_refused(void **state)
{
    struct sl_regex *regex = NULL;
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_regex_compile("(a)", 0, &regex, &err), SL_OK);
    assert_int_equal(sl_regex_check_replacement(regex, "$2", &err), SL_E_CONFIG);
    assert_int_equal(sl_regex_check_replacement(regex, "${none}", &err), SL_E_CONFIG);
    assert_int_equal(sl_regex_check_replacement(regex, "${open", &err), SL_E_CONFIG);
    assert_int_equal(sl_regex_check_replacement(regex, "end$", &err), SL_E_CONFIG);
    sl_regex_free(regex);
}

static void bytes_that_are_no_text_never_match(void **state)
{
    struct sl_regex *regex = NULL;
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_regex_compile(".*", 0, &regex, &err), SL_OK);
    assert_false(sl_regex_matches(regex, "\xff\xfe", 2));
    assert_true(sl_regex_finds(regex, "abc", 3));
    sl_regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_text_must_match),
        cmocka_unit_test(javas_constructs_are_understood),
        cmocka_unit_test(what_java_would_read_otherwise_is_refused),
        cmocka_unit_test(replacements_are_javas),
        cmocka_unit_test(a_replacement_without_its_group_is_refused),
        cmocka_unit_test(bytes_that_are_no_text_never_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
