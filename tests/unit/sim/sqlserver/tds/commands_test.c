/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the control socket, and the faults that they set. */
#include "sim/sqlserver/tds/commands.h"
#include "sim/sqlserver/tds/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void expect(const char *line, enum ms_command_word word, uint64_t number)
{
    struct ms_control_command command;
    char text[300] = "";
    assert_true(ms_command_parse(line, &command, text, sizeof(text)));
    assert_int_equal(command.word, word);
    assert_int_equal(command.number, number);
}

static void known_words_are_understood(void **state)
{
    (void)state;
    expect("cut after 1000", MS_WORD_CUT_ONCE, 1000);
    expect("  cut   each after 7 ", MS_WORD_CUT_EACH, 7);
    expect("cut off", MS_WORD_CUT_OFF, 0);
    expect("delay 25", MS_WORD_DELAY, 25);
    expect("refuse on", MS_WORD_REFUSE, 1);
    expect("refuse off", MS_WORD_REFUSE, 0);
    expect("restart", MS_WORD_RESTART, 0);
    expect("kill all", MS_WORD_KILL, 0);
    expect("kill 51", MS_WORD_KILL, 51);
    expect("replay /tmp/x 3", MS_WORD_REPLAY, 3);
    expect("replay off", MS_WORD_REPLAY_OFF, 0);
    struct ms_control_command command;
    char text[300];
    assert_true(ms_command_parse("record /tmp/x SELECT *  FROM t", &command, text, sizeof(text)));
    assert_int_equal(command.word, MS_WORD_RECORD);
    assert_string_equal(command.path, "/tmp/x");
    assert_string_equal(command.text, "SELECT *  FROM t");
}

static void other_words_go_to_the_server(void **state)
{
    (void)state;
    expect("capture interval 10", MS_WORD_SERVER, 0);
    expect("capture stop", MS_WORD_SERVER, 0);
}

static void wrong_arguments_are_refused_with_the_list(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "cut",      "cut after", "cut after x", "cut after -1",     "cut after 1 2",
        "delay",    "delay 1h",  "refuse",      "refuse maybe",     "restart now",
        "kill",     "kill 0",    "kill 70000",  "cut each 5",       "record",
        "record x", "replay x",  "replay x y",  "delay 99999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ms_control_command command;
        char text[300] = "";
        assert_false(ms_command_parse(wrong[i], &command, text, sizeof(text)));
        assert_true(text[0] != '\0');
    }
}

static void a_cut_once_counts_all_and_is_then_spent(void **state)
{
    (void)state;
    struct ms_faults faults;
    struct ms_fault_count one = {0}, two = {0};
    ms_faults_init(&faults);
    assert_int_equal(ms_faults_allow(&faults, &one, 50), 50);
    ms_faults_set_cut(&faults, MS_CUT_ONCE, 100);
    assert_int_equal(ms_faults_allow(&faults, &one, 60), 60);
    assert_int_equal(ms_faults_allow(&faults, &two, 40), 40);
    assert_int_equal(ms_faults_allow(&faults, &two, 1), 0);
    assert_int_equal(ms_faults_allow(&faults, &one, 1000), 1000);
    ms_faults_done(&faults);
}

static void a_cut_each_counts_every_connection_for_itself(void **state)
{
    (void)state;
    struct ms_faults faults;
    struct ms_fault_count one = {0}, two = {0};
    ms_faults_init(&faults);
    ms_faults_set_cut(&faults, MS_CUT_EACH, 100);
    assert_int_equal(ms_faults_allow(&faults, &one, 60), 60);
    assert_int_equal(ms_faults_allow(&faults, &two, 100), 100);
    assert_int_equal(ms_faults_allow(&faults, &one, 60), 40);
    assert_int_equal(ms_faults_allow(&faults, &two, 1), 0);
    ms_faults_set_cut(&faults, MS_CUT_EACH, 10);
    assert_int_equal(ms_faults_allow(&faults, &one, 11), 10);
    ms_faults_set_cut(&faults, MS_CUT_OFF, 0);
    assert_int_equal(ms_faults_allow(&faults, &one, 11), 11);
    ms_faults_done(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_words_are_understood),
        cmocka_unit_test(other_words_go_to_the_server),
        cmocka_unit_test(wrong_arguments_are_refused_with_the_list),
        cmocka_unit_test(a_cut_once_counts_all_and_is_then_spent),
        cmocka_unit_test(a_cut_each_counts_every_connection_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
