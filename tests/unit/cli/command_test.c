/* SPDX-License-Identifier: Apache-2.0 */
/* Finding commands and reading their arguments; what the commands do is tested with the program. */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int calls;
static const char *state_flag;
static const char *quiet_flag;
static size_t words;

static int note_call(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    (void)cli;
    calls++;
    state_flag = sl_arguments_flag(arguments, "state");
    quiet_flag = sl_arguments_flag(arguments, "quiet");
    words = arguments->n_words;
    return SL_EXIT_OK;
}

static const struct sl_flag flags[] = {
    {"state", 's', "DIR", "where"},
    {"quiet", 'q', NULL, "say less"},
    {NULL, 0, NULL, NULL},
};

static const struct sl_command one = {.name = "things list",
                                      .arguments = "",
                                      .summary = "s",
                                      .min_words = 1,
                                      .max_words = 2,
                                      .flags = flags,
                                      .run = note_call};

static const struct sl_command *const commands[] = {&one, &sl_command_version, &sl_command_help, NULL};
static const struct sl_cli cli = {.commands = commands};

#define RUN(...)                                                                               \
    sl_cli_main(&cli, (int)(sizeof((const char *[]){"sluice", __VA_ARGS__}) / sizeof(char *)), \
                (char **)(uintptr_t)(const char *[]){"sluice", __VA_ARGS__})

static void flags_and_words_are_told_apart(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(RUN("things", "list", "--state", "d", "w", "-q"), SL_EXIT_OK);
    assert_string_equal(state_flag, "d");
    assert_non_null(quiet_flag);
    assert_int_equal(words, 1);
    assert_int_equal(RUN("things", "list", "--state=e", "w", "--", "-q"), SL_EXIT_OK);
    assert_string_equal(state_flag, "e");
    assert_null(quiet_flag);
    assert_int_equal(words, 2);
    assert_int_equal(RUN("things", "list", "-sf", "w"), SL_EXIT_OK);
    assert_string_equal(state_flag, "f");
    assert_int_equal(calls, 3);
}

static void wrong_use_is_status_2_and_runs_nothing(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(RUN("things", "list"), SL_EXIT_USAGE);
    assert_int_equal(RUN("things", "list", "a", "b", "c"), SL_EXIT_USAGE);
    assert_int_equal(RUN("things", "list", "a", "--state"), SL_EXIT_USAGE);
    assert_int_equal(RUN("things", "list", "a", "--quiet=1"), SL_EXIT_USAGE);
    assert_int_equal(RUN("things", "list", "a", "--nonsense"), SL_EXIT_USAGE);
    assert_int_equal(RUN("things"), SL_EXIT_USAGE);
    assert_int_equal(RUN("thngs", "list"), SL_EXIT_USAGE);
    assert_int_equal(calls, 0);
}

static void help_and_version_succeed(void **state)
{
    (void)state;
    assert_int_equal(RUN("version"), SL_EXIT_OK);
    assert_int_equal(RUN("--version"), SL_EXIT_OK);
    assert_int_equal(RUN("help"), SL_EXIT_OK);
    assert_int_equal(RUN("help", "things", "list"), SL_EXIT_OK);
    assert_int_equal(RUN("help", "nothing"), SL_EXIT_USAGE);
    assert_int_equal(RUN("things", "list", "--help"), SL_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_words_are_told_apart),
        cmocka_unit_test(wrong_use_is_status_2_and_runs_nothing),
        cmocka_unit_test(help_and_version_succeed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
