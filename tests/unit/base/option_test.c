/* SPDX-License-Identifier: Apache-2.0 */
#include "sluice/option.h"
#include "base/props.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const words[] = {"upsert", "insert", NULL};

static const char *no_blank(const char *text)
{
    return strchr(text, ' ') ? "holds a blank" : NULL;
}

static const struct sl_option table[] = {
    {.name = "host", .required = true, .doc = "where the server is"},
    {.name = "port",
     .type = SL_OPT_INT,
     .default_text = "1433",
     .min = 1,
     .max = 65535,
     .alias = "old.port,older.port"},
    {.name = "mode", .default_text = "insert", .values = words},
    {.name = "modes", .type = SL_OPT_LIST, .values = words},
    {.name = "on", .type = SL_OPT_BOOLEAN, .default_text = "false"},
    {.name = "rate", .type = SL_OPT_DOUBLE, .default_text = "0.5"},
    {.name = "word", .validate = no_blank},
    {.name = "driver.*"},
    {.name = NULL},
};

static struct sl_complaints check(const char *key, const char *value)
{
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};

    sl_props_set(props, "p.host", "h");
    if (value)
        sl_props_set(props, key, value);
    else
        sl_props_remove(props, key);
    sl_options_check(table, props, "p.", &complaints);
    sl_props_free(props);
    return complaints;
}

static void assert_complaint(const char *key, const char *value, const char *part)
{
    struct sl_complaints complaints = check(key, value);

    assert_int_equal(complaints.n, 1);
    assert_string_equal(complaints.items[0].key, key);
    if (!strstr(complaints.items[0].text, part))
        fail_msg("'%s' does not say '%s'", complaints.items[0].text, part);
    sl_complaints_done(&complaints);
}

static void assert_fine(const char *key, const char *value)
{
    struct sl_complaints complaints = check(key, value);

    assert_int_equal(complaints.n, 0);
    sl_complaints_done(&complaints);
}

static void what_is_wrong_is_said_key_by_key(void **state)
{
    (void)state;
    assert_complaint("p.host", NULL, "where the server is");
    assert_complaint("p.host", "", "empty");
    assert_complaint("p.port", "soon", "soon");
    assert_complaint("p.port", "65536", "1 to 65535");
    assert_complaint("p.old.port", "x", "whole number");
    assert_complaint("p.mode", "merge", "upsert, insert");
    assert_complaint("p.modes", "insert,merge", "merge");
    assert_complaint("p.on", "yes", "true nor false");
    assert_complaint("p.rate", "much", "number");
    assert_complaint("p.word", "a b", "blank");
}

static void what_is_right_passes(void **state)
{
    (void)state;
    assert_fine("p.port", " 1 ");
    assert_fine("p.mode", "UPSERT");
    assert_fine("p.modes", "insert, upsert");
    assert_fine("p.on", "True");
    assert_fine("p.rate", "1e-3");
    assert_fine("p.driver.anything", "x");
}

static void values_come_from_key_alias_or_default(void **state)
{
    struct sl_props *props = sl_props_new();

    (void)state;
    assert_int_equal(sl_option_int(table, props, NULL, "port"), 1433);
    sl_props_set(props, "older.port", "7");
    assert_int_equal(sl_option_int(table, props, NULL, "port"), 7);
    sl_props_set(props, "old.port", "8");
    assert_int_equal(sl_option_int(table, props, NULL, "port"), 8);
    sl_props_set(props, "port", "9");
    assert_int_equal(sl_option_int(table, props, NULL, "port"), 9);
    assert_false(sl_option_bool(table, props, NULL, "on"));
    assert_true(sl_option_double(table, props, NULL, "rate") > 0.4);
    assert_null(sl_option_text(table, props, NULL, "word"));
    sl_props_free(props);
}

static void families_and_aliases_are_known(void **state)
{
    (void)state;
    assert_true(sl_options_know(table, "driver.ssl"));
    assert_true(sl_options_know(table, "old.port"));
    assert_false(sl_options_know(table, "drive"));
    assert_false(sl_options_know(table, "port.old"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_key_by_key),
        cmocka_unit_test(what_is_right_passes),
        cmocka_unit_test(values_come_from_key_alias_or_default),
        cmocka_unit_test(families_and_aliases_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
