/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char text[4096];

/* What a call writes to standard error. */
#define CAPTURE(call_)                                                  \
    do {                                                                \
        int pipe_[2];                                                   \
        int saved_ = dup(STDERR_FILENO);                                \
        ssize_t n_;                                                     \
        assert_int_equal(pipe(pipe_), 0);                               \
        assert_int_equal(fcntl(pipe_[0], F_SETFL, O_NONBLOCK), 0);      \
        assert_int_equal(dup2(pipe_[1], STDERR_FILENO), STDERR_FILENO); \
        call_;                                                          \
        assert_int_equal(dup2(saved_, STDERR_FILENO), STDERR_FILENO);   \
        n_ = read(pipe_[0], text, sizeof(text) - 1);                    \
        text[n_ > 0 ? n_ : 0] = '\0';                                   \
        (void)close(saved_);                                            \
        (void)close(pipe_[0]);                                          \
        (void)close(pipe_[1]);                                          \
    } while (0)

static void a_logfmt_line_quotes_what_needs_it(void **state)
{
    (void)state;
    sl_log_open(SL_LEVEL_INFO, SL_LOG_LOGFMT);
    sl_log_context("c1", "0");
    CAPTURE(
        sl_info("snapshot finished", SL_T("table", "dbo.x"), SL_T("said", "a \"b\"\nc"), SL_I("rows", -7)));
    sl_log_context(NULL, NULL);
    assert_non_null(strstr(text, " level=info msg=\"snapshot finished\" connector=c1 task=0 table=dbo.x "));
    assert_non_null(strstr(text, "said=\"a \\\"b\\\"\\nc\" rows=-7\n"));
}

static void a_json_line_is_json(void **state)
{
    json_t *line = NULL;
    struct sl_error err = {0};

    (void)state;
    sl_log_open(SL_LEVEL_INFO, SL_LOG_JSON);
    CAPTURE(sl_warn("odd", SL_T("control", "\x01\t"), SL_F("part", 0.25)));
    assert_int_equal(sl_json_parse(text, strlen(text), "line", &line, &err), SL_OK);
    assert_string_equal(json_string_value(json_object_get(line, "control")), "\x01\t");
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
    json_decref(line);
}

static int evaluated;

static const char *expensive(void)
{
    evaluated++;
    return "x";
}

static void fields_of_a_silent_level_are_not_evaluated(void **state)
{
    (void)state;
    sl_log_open(SL_LEVEL_INFO, SL_LOG_LOGFMT);
    CAPTURE(sl_debug("quiet", SL_T("field", expensive())));
    assert_int_equal(evaluated, 0);
    assert_string_equal(text, "");
}

static void an_error_shows_its_text_code_and_native_code(void **state)
{
    struct sl_error err = {0};

    (void)state;
    (void)sl_error_set(&err, SL_E_AUTH, "login failed");
    sl_error_native(&err, "18456");
    sl_log_open(SL_LEVEL_INFO, SL_LOG_LOGFMT);
    CAPTURE(sl_log_error(SL_LEVEL_ERROR, "no", &err));
    assert_non_null(strstr(text, "error=\"login failed\" code=AUTH kind=CONFIG native=18456\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_logfmt_line_quotes_what_needs_it),
        cmocka_unit_test(a_json_line_is_json),
        cmocka_unit_test(fields_of_a_silent_level_are_not_evaluated),
        cmocka_unit_test(an_error_shows_its_text_code_and_native_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
