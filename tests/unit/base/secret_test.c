/* SPDX-License-Identifier: Apache-2.0 */
#include "sluice/secret.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/props.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_secret *plant(const char *value)
{
    return sl_secret_new(value, strlen(value));
}

static void a_value_in_an_error_prints_as_stars(void **state)
{
    struct sl_secret *secret = plant("Planted-Pass-1");
    struct sl_error err = {0};

    (void)state;
    (void)sl_error_set(&err, SL_E_AUTH,
                       "server says: password 'Planted-Pass-1' is wrong, not Planted-Pass-1!");
    assert_string_equal(err.text, "server says: password '****' is wrong, not ****!");
    (void)sl_error_wrap(&err, "logging in with Planted-Pass-1");
    assert_string_equal(err.text, "logging in with ****: server says: password '****' is wrong, not ****!");
    sl_secret_free(secret);
}

static void the_beginning_of_a_value_at_the_end_of_a_cut_text_is_hidden(void **state)
{
    struct sl_secret *secret = plant("Planted-Long-Pass-2");
    struct sl_error err = {0};
    char filling[SL_ERROR_TEXT_SIZE - 10];

    (void)state;
    memset(filling, 'x', sizeof(filling));
    filling[sizeof(filling) - 1] = '\0';
    (void)sl_error_set(&err, SL_E_AUTH, "%sPlanted-Long-Pass-2", filling);
    assert_null(strstr(err.text, "Plan"));
    assert_string_equal(err.text + strlen(err.text) - 5, "x****");
    sl_secret_free(secret);
}

static void a_text_that_is_whole_keeps_its_end(void **state)
{
    struct sl_secret *secret = plant("sqlserver.example.com");
    char text[] = "topic of sqlserver";

    (void)state;
    sl_secret_mask(text, false);
    assert_string_equal(text, "topic of sqlserver");
    sl_secret_free(secret);
}

static void the_longest_of_two_values_is_hidden(void **state)
{
    struct sl_secret *shorter = plant("abc-123");
    struct sl_secret *longer = plant("abc-123-and-more");
    char text[] = "<abc-123-and-more><abc-123>";

    (void)state;
    sl_secret_mask(text, false);
    assert_string_equal(text, "<****><****>");
    sl_secret_free(shorter);
    sl_secret_free(longer);
}

static void ordinary_words_are_not_hidden(void **state)
{
    struct sl_secret *word = plant("postgres");
    struct sl_secret *brief = plant("sa-1");
    char text[] = "postgres of sa-1";

    (void)state;
    sl_secret_mask(text, false);
    assert_string_equal(text, "postgres of sa-1");
    sl_secret_free(word);
    sl_secret_free(brief);
}

static void a_value_that_was_let_go_stays_hidden(void **state)
{
    struct sl_buf scratch = {0};
    const char *text = "the old one was Planted-Old-3";

    (void)state;
    sl_secret_free(plant("Planted-Old-3"));
    for (int i = 0; i < 500; i++) {
        char value[32];

        (void)snprintf(value, sizeof(value), "passing-value-%d", i);
        sl_secret_free(plant(value));
    }
    assert_string_equal(sl_secret_masked(text, &scratch), "the old one was ****");
    assert_string_equal(text, "the old one was Planted-Old-3");
    sl_buf_done(&scratch);
}

static void values_that_pass_do_not_pile_up(void **state)
{
    char first[] = "value-of-the-pile-0";

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char value[32];

        (void)snprintf(value, sizeof(value), "value-of-the-pile-%d", i);
        sl_secret_free(plant(value));
    }
    sl_secret_mask(first, false);
    assert_string_equal(first, "value-of-the-pile-0");
}

static void a_log_line_does_not_carry_a_value_out(void **state)
{
    struct sl_secret *secret = plant("Planted\"Log\"4");
    char path[] = "/tmp/sluice-secret-XXXXXX";
    int file = mkstemp(path);
    int saved = dup(STDERR_FILENO);
    char line[1000];
    ssize_t len;

    (void)state;
    assert_true(file >= 0);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    sl_log_open(SL_LEVEL_INFO, SL_LOG_JSON);
    sl_info("connected", SL_T("url", "jdbc:postgresql://h/d?password=Planted\"Log\"4&x=1"));
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    len = pread(file, line, sizeof(line) - 1, 0);
    assert_true(len > 0);
    line[len] = '\0';
    assert_null(strstr(line, "Planted"));
    assert_non_null(strstr(line, "jdbc:postgresql://h/d?password=****&x=1"));
    (void)close(file);
    (void)unlink(path);
    sl_secret_free(secret);
}

static void a_secret_setting_is_shown_as_stars_and_so_are_its_copies(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_props *copy;

    (void)state;
    sl_props_set(props, "user", "app");
    sl_props_set(props, "pass", "in-the-open");
    sl_props_hide(props, "pass");
    sl_props_set_secret(props, "host", "db.example");
    copy = sl_props_copy(props);
    sl_props_free(props);
    assert_false(sl_props_is_secret(copy, "user"));
    assert_true(sl_props_is_secret(copy, "pass"));
    assert_string_equal(sl_props_get(copy, "pass"), "in-the-open");
    assert_string_equal(sl_props_shown(copy, "pass"), "****");
    assert_string_equal(sl_props_shown(copy, "host"), "****");
    assert_string_equal(sl_props_shown(copy, "user"), "app");
    sl_props_set(copy, "pass", sl_props_get(copy, "pass"));
    assert_true(sl_props_is_secret(copy, "pass"));
    assert_string_equal(sl_props_get(copy, "pass"), "in-the-open");
    sl_props_remove(copy, "pass");
    assert_null(sl_props_shown(copy, "pass"));
    sl_props_free(copy);
}

static void a_complaint_about_a_secret_setting_does_not_quote_it(void **state)
{
    static const char *const words[] = {"a", "b", NULL};
    static const struct sl_option table[] = {
        {.name = "port", .type = SL_OPT_INT, .doc = "port"},
        {.name = "pin", .type = SL_OPT_PASSWORD, .doc = "pin", .values = words},
        {.name = NULL},
    };
    struct sl_complaints complaints = {0};
    struct sl_props *props = sl_props_new();

    (void)state;
    sl_props_set_secret(props, "port", "abc");
    sl_props_set(props, "pin", "xyz");
    sl_options_check(table, props, NULL, &complaints);
    assert_int_equal(complaints.n, 2);
    assert_string_equal(complaints.items[0].text, "'****' is not a whole number");
    assert_string_equal(complaints.items[1].text, "'****' is not one of: a, b");
    sl_complaints_done(&complaints);
    sl_props_free(props);
}

static void names_tell_which_settings_are_secret(void **state)
{
    (void)state;
    assert_true(sl_secret_is_name("connection.password"));
    assert_true(sl_secret_is_name("producer.override.sasl.jaas.config"));
    assert_true(sl_secret_is_name("value.converter.basic.auth.user.info"));
    assert_true(sl_secret_is_name("config.providers.vault.param.vault.token"));
    assert_false(sl_secret_is_name("kubernetes.token.path"));
    assert_false(sl_secret_is_name("connection.user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_in_an_error_prints_as_stars),
        cmocka_unit_test(the_beginning_of_a_value_at_the_end_of_a_cut_text_is_hidden),
        cmocka_unit_test(a_text_that_is_whole_keeps_its_end),
        cmocka_unit_test(the_longest_of_two_values_is_hidden),
        cmocka_unit_test(ordinary_words_are_not_hidden),
        cmocka_unit_test(a_value_that_was_let_go_stays_hidden),
        cmocka_unit_test(values_that_pass_do_not_pile_up),
        cmocka_unit_test(a_log_line_does_not_carry_a_value_out),
        cmocka_unit_test(a_secret_setting_is_shown_as_stars_and_so_are_its_copies),
        cmocka_unit_test(a_complaint_about_a_secret_setting_does_not_quote_it),
        cmocka_unit_test(names_tell_which_settings_are_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
