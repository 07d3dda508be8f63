/* SPDX-License-Identifier: Apache-2.0 */
/* What the capture job makes of changes: the shapes of sqlserver-source.md 1.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../storage/fixture.h"

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    make_shop(&f);
    make_table(f.session, "t");
    enable_table(f.session, "t", NULL);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* operation, mask, id, name of each change in order */
static const char *changes(struct fixture *f)
{
    capture_once(f);
    return text(f->session, "SELECT c4||' '||hex(c5)||' '||c6||' '||ifnull(c7,'-') FROM {cdc:dbo_t_CT}"
                            " ORDER BY c1,c9,c3,c4");
}

static void insert_update_delete_have_their_operations_and_masks(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    update_row(f->session, "t", 1, 1, "b");
    delete_row(f->session, "t", 1);
    assert_string_equal(changes(f), "2 07 1 a|3 02 1 a|4 02 1 b|1 07 1 b");
}

static void both_halves_of_an_update_share_their_seqval(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    update_row(f->session, "t", 1, 1, "b");
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT count(DISTINCT c3) FROM {cdc:dbo_t_CT} WHERE c4 IN (3,4)"),
                     1);
}

static void update_that_changes_nothing_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    update_row(f->session, "t", 1, 1, "a");
    assert_string_equal(changes(f), "2 07 1 a");
}

static void update_that_names_the_key_leaves_a_pair_though_nothing_changed(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    update_ids(f->session, "t", 0);
    assert_string_equal(changes(f), "2 07 1 a|3 01 1 a|4 01 1 a");
}

static void key_update_of_one_row_is_delete_and_insert_with_one_seqval(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    update_row(f->session, "t", 1, 5, "a");
    assert_string_equal(changes(f), "2 07 1 a|1 07 1 a|2 07 5 a");
    assert_int_equal(
        number(f->session, "SELECT count(*) FROM (SELECT c1,c3 FROM {cdc:dbo_t_CT} GROUP BY c1,c3)"), 2);
}

static void key_update_of_many_rows_is_deferred_with_crossed_seqvals(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    insert_row(f->session, "t", 2, "b");
    update_ids(f->session, "t", 1);
    assert_string_equal(changes(f), "2 07 1 a|2 07 2 b|1 07 1 a|1 07 2 b|2 07 2 a|2 07 3 b");
    assert_int_equal(
        number(f->session,
               "SELECT (SELECT min(c3) FROM {cdc:dbo_t_CT} WHERE c4=1) >"
               " (SELECT max(c3) FROM {cdc:dbo_t_CT} WHERE c1=(SELECT max(c1) FROM {cdc:dbo_t_CT})"
               " AND c4=2)"),
        1);
}

static void key_update_of_many_rows_is_deferred_though_nothing_changed(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    insert_row(f->session, "t", 2, "b");
    update_ids(f->session, "t", 0);
    assert_string_equal(changes(f), "2 07 1 a|2 07 2 b|1 07 1 a|1 07 2 b|2 07 1 a|2 07 2 b");
}

static void commit_lsns_rise_and_lie_behind_their_rows(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 300; i++)
        insert_row(f->session, "t", i, "a");
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT count(*) FROM {cdc:dbo_t_CT} WHERE c3>=c1 OR length(c1)<>10"),
                     0);
    assert_int_equal(number(f->session,
                            "SELECT count(*) FROM {cdc:dbo_t_CT} a JOIN {cdc:dbo_t_CT} b ON b.c6=a.c6+1"
                            " WHERE b.c3<=a.c1"),
                     0);
    assert_int_equal(number(f->session, "SELECT count(*) FROM {cdc:lsn_time_mapping}"), 302);
}

static void one_transaction_has_one_commit_lsn_and_command_ids_by_statement(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    assert_true(ms_tran_begin(f->session, NULL, &err));
    insert_row(f->session, "t", 1, "a");
    insert_row(f->session, "t", 2, "b");
    update_row(f->session, "t", 2, 2, "c");
    assert_true(ms_tran_commit(f->session, &err));
    capture_once(f);
    assert_string_equal(text(f->session, "SELECT c9 FROM {cdc:dbo_t_CT} ORDER BY c1,c9,c3,c4"), "1|2|3|3");
    assert_int_equal(number(f->session, "SELECT count(DISTINCT c1) FROM {cdc:dbo_t_CT}"), 1);
}

static void what_is_rolled_back_is_never_captured(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    assert_true(ms_tran_begin(f->session, NULL, &err));
    insert_row(f->session, "t", 1, "a");
    assert_true(ms_tran_save(f->session, "here", &err));
    insert_row(f->session, "t", 2, "b");
    assert_true(ms_tran_rollback(f->session, "here", &err));
    assert_true(ms_tran_commit(f->session, &err));
    assert_true(ms_tran_begin(f->session, NULL, &err));
    insert_row(f->session, "t", 3, "c");
    assert_true(ms_tran_rollback(f->session, NULL, &err));
    assert_string_equal(changes(f), "2 07 1 a");
}

static void start_lsn_is_null_until_the_job_has_run(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(text(f->session, "SELECT c5 FROM {cdc:change_tables}"), "NULL");
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT length(c5) FROM {cdc:change_tables}"), 10);
    assert_int_equal(number(f->session, "SELECT c5<(SELECT max(c1) FROM {cdc:lsn_time_mapping}) AND c5 IN"
                                        " (SELECT c1 FROM {cdc:lsn_time_mapping}) FROM {cdc:change_tables}"),
                     1);
}

static void two_instances_get_what_came_after_each(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    enable_table(f->session, "t", "second");
    insert_row(f->session, "t", 2, "b");
    capture_once(f);
    assert_string_equal(text(f->session, "SELECT c6 FROM {cdc:dbo_t_CT} ORDER BY c1"), "1|2");
    assert_string_equal(text(f->session, "SELECT c6 FROM {cdc:second_CT} ORDER BY c1"), "2");
}

static void a_third_instance_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_enable_table what = {
        .source_schema = "dbo", .source_name = "t", .capture_instance = "third", .supports_net_changes = -1};
    enable_table(f->session, "t", "second");
    begin_write(f->session);
    assert_false(ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err));
    assert_int_equal(err.number, 22962);
    ms_statement_end(f->session, false, &err);
}

static void restart_goes_on_where_it_was(void **state)
{
    struct fixture *f = *state;
    insert_row(f->session, "t", 1, "a");
    capture_once(f);
    insert_row(f->session, "t", 2, "b");
    fixture_reopen(f);
    insert_row(f->session, "t", 3, "c");
    assert_string_equal(changes(f), "2 07 1 a|2 07 2 b|2 07 3 c");
    assert_int_equal(number(f->session, "SELECT count(DISTINCT c1) FROM {cdc:dbo_t_CT}"), 3);
}

int main(void)
{
#define promise(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        promise(insert_update_delete_have_their_operations_and_masks),
        promise(both_halves_of_an_update_share_their_seqval),
        promise(update_that_changes_nothing_leaves_no_trace),
        promise(update_that_names_the_key_leaves_a_pair_though_nothing_changed),
        promise(key_update_of_one_row_is_delete_and_insert_with_one_seqval),
        promise(key_update_of_many_rows_is_deferred_with_crossed_seqvals),
        promise(key_update_of_many_rows_is_deferred_though_nothing_changed),
        promise(commit_lsns_rise_and_lie_behind_their_rows),
        promise(one_transaction_has_one_commit_lsn_and_command_ids_by_statement),
        promise(what_is_rolled_back_is_never_captured),
        promise(start_lsn_is_null_until_the_job_has_run),
        promise(two_instances_get_what_came_after_each),
        promise(a_third_instance_is_refused),
        promise(restart_goes_on_where_it_was),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
