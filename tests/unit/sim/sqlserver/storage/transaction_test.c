/* SPDX-License-Identifier: Apache-2.0 */
/* What transactions, locks and keys promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define WRITERS 4
#define ROWS_EACH 200

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    make_shop(&f);
    make_table(f.session, "t");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static int64_t count_rows(struct ms_session *s)
{
    return number(s, "SELECT count(*) FROM {t}");
}

static void a_reader_in_read_committed_sees_each_commit(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *reader = fixture_login(f, "shop");
    assert_true(ms_tran_begin(reader, NULL, &err));
    assert_int_equal(count_rows(reader), 0);
    insert_row(f->session, "t", 1, "a");
    assert_int_equal(count_rows(reader), 1);
    ms_session_close(reader);
}

static void a_snapshot_stays_as_it_was_at_its_first_statement(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *reader = fixture_login(f, "shop");
    reader->isolation = MS_SNAPSHOT;
    assert_true(ms_tran_begin(reader, NULL, &err));
    assert_int_equal(count_rows(reader), 0);
    insert_row(f->session, "t", 1, "a");
    assert_int_equal(count_rows(reader), 0);
    assert_true(ms_tran_commit(reader, &err));
    assert_int_equal(count_rows(reader), 1);
    ms_session_close(reader);
}

static void nobody_sees_what_is_not_committed(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *other = fixture_login(f, "shop");
    assert_true(ms_tran_begin(f->session, NULL, &err));
    insert_row(f->session, "t", 1, "a");
    assert_int_equal(count_rows(f->session), 1);
    assert_int_equal(count_rows(other), 0);
    assert_true(ms_tran_rollback(f->session, NULL, &err));
    assert_int_equal(count_rows(f->session), 0);
    ms_session_close(other);
}

static void a_savepoint_before_the_first_write_can_be_gone_back_to(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    assert_true(ms_tran_begin(f->session, NULL, &err));
    assert_true(ms_tran_save(f->session, "a", &err));
    insert_row(f->session, "t", 1, "a");
    assert_true(ms_tran_save(f->session, "b", &err));
    insert_row(f->session, "t", 2, "b");
    assert_true(ms_tran_rollback(f->session, "b", &err));
    assert_int_equal(count_rows(f->session), 1);
    assert_true(ms_tran_rollback(f->session, "a", &err));
    assert_int_equal(count_rows(f->session), 0);
    assert_int_equal(ms_tran_count(f->session), 1);
    assert_false(ms_tran_rollback(f->session, "nowhere", &err));
    assert_int_equal(err.number, 6401);
    assert_true(ms_tran_commit(f->session, &err));
    assert_false(ms_tran_commit(f->session, &err));
    assert_int_equal(err.number, 3902);
}

static void a_lock_that_takes_too_long_is_error_1222(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *other = fixture_login(f, "shop");
    assert_true(ms_tran_begin(f->session, NULL, &err));
    begin_read(f->session);
    int32_t id = ms_catalog_table(f->session, NULL, NULL, "t")->object_id;
    assert_true(ms_lock_table(f->session, id, MS_LOCK_X, &err));
    end_ok(f->session);
    other->lock_timeout_ms = 20;
    begin_read(other);
    assert_false(ms_lock_table(other, id, MS_LOCK_READ, &err));
    assert_int_equal(err.number, 1222);
    other->isolation = MS_READ_UNCOMMITTED;
    assert_true(ms_lock_table(other, id, MS_LOCK_READ, &err));
    end_ok(other);
    assert_true(ms_tran_rollback(f->session, NULL, &err));
    other->isolation = MS_READ_COMMITTED;
    begin_read(other);
    assert_true(ms_lock_table(other, id, MS_LOCK_READ, &err));
    end_ok(other);
    ms_session_close(other);
}

static void rolling_back_to_a_savepoint_lets_go_of_later_locks(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *other = fixture_login(f, "shop");
    assert_true(ms_tran_begin(f->session, NULL, &err));
    assert_true(ms_tran_save(f->session, "before", &err));
    begin_read(f->session);
    int32_t id = ms_catalog_table(f->session, NULL, NULL, "t")->object_id;
    assert_true(ms_lock_table(f->session, id, MS_LOCK_X, &err));
    end_ok(f->session);
    assert_true(ms_tran_rollback(f->session, "before", &err));
    other->lock_timeout_ms = 0;
    insert_row(other, "t", 1, "a");
    ms_session_close(other);
}

static void a_second_writer_times_out_behind_the_first(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *other = fixture_login(f, "shop");
    assert_true(ms_tran_begin(f->session, NULL, &err));
    insert_row(f->session, "t", 1, "a");
    other->lock_timeout_ms = 20;
    assert_false(ms_statement_begin(other, MS_STATEMENT_WRITE, &err));
    assert_int_equal(err.number, 1222);
    assert_true(ms_tran_commit(f->session, &err));
    insert_row(other, "t", 2, "b");
    ms_session_close(other);
}

/* Holds X on a table, then wants to write. */
struct closer {
    struct ms_session *session;
    int32_t table;
    struct ms_error err;
    bool ok;
};

static void *want_to_write(void *arg)
{
    struct closer *c = arg;
    c->ok = ms_statement_begin(c->session, MS_STATEMENT_WRITE, &c->err);
    if (c->ok)
        ms_statement_end(c->session, false, &c->err);
    return NULL;
}

static bool somebody_waits(struct fixture *f)
{
    pthread_mutex_lock(&f->server->locks.mutex);
    bool waits = f->server->locks.waiters != NULL;
    pthread_mutex_unlock(&f->server->locks.mutex);
    return waits;
}

static void who_closes_a_circle_of_waits_is_the_victim(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    pthread_t thread;
    struct closer other = {.session = fixture_login(f, "shop")};
    begin_read(f->session);
    other.table = ms_catalog_table(f->session, NULL, NULL, "t")->object_id;
    end_ok(f->session);
    assert_true(ms_tran_begin(other.session, NULL, &err));
    assert_true(ms_lock_table(other.session, other.table, MS_LOCK_X, &err));
    begin_write(f->session);
    pthread_create(&thread, NULL, want_to_write, &other);
    while (!somebody_waits(f))
        sched_yield();
    assert_false(ms_lock_table(f->session, other.table, MS_LOCK_IX, &err));
    assert_int_equal(err.number, 1205);
    ms_statement_end(f->session, false, &err);
    pthread_join(thread, NULL);
    assert_true(other.ok);
    ms_session_close(other.session);
}

static void a_duplicate_key_names_constraint_table_and_value(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    int64_t rowid;
    struct ms_value row[] = {{.i = 7}, {.is_null = true}, {.is_null = true}};
    insert_row(f->session, "t", 7, "a");
    begin_write(f->session);
    assert_false(ms_row_insert(f->session, ms_catalog_table(f->session, NULL, NULL, "t"), row, &rowid, &err));
    assert_int_equal(err.number, 2627);
    assert_non_null(
        strstr(err.text, "Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (7)."));
    ms_statement_end(f->session, false, &err);
}

static void a_null_where_none_may_be_is_error_515(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    int64_t rowid;
    struct ms_value row[] = {{.is_null = true}, {.is_null = true}, {.is_null = true}};
    begin_write(f->session);
    assert_false(ms_row_insert(f->session, ms_catalog_table(f->session, NULL, NULL, "t"), row, &rowid, &err));
    assert_int_equal(err.number, 515);
    ms_statement_end(f->session, false, &err);
}

static void keys_may_move_through_each_other(void **state)
{
    struct fixture *f = *state;
    for (int i = 1; i <= 5; i++)
        insert_row(f->session, "t", i, "a");
    update_ids(f->session, "t", 1);
    assert_string_equal(text(f->session, "SELECT c1 FROM {t} ORDER BY c1"), "2|3|4|5|6");
}

/* A child of t: dbo.child(id, name, note) whose id refers to t. */
static void make_child(struct fixture *f, enum ms_fk_action on_delete)
{
    struct ms_error err;
    const char *columns[] = {"id"};
    int32_t child = make_table(f->session, "child");
    begin_write(f->session);
    struct ms_fk_spec fk = {.name = "FK_child",
                            .referenced_id = ms_catalog_table(f->session, NULL, NULL, "t")->object_id,
                            .columns = columns,
                            .referenced_columns = columns,
                            .n_columns = 1,
                            .on_delete = on_delete};
    if (!ms_ddl_add_foreign_key(f->session, child, &fk, &err))
        fail_msg("%s", err.text);
    end_ok(f->session);
}

static void a_child_needs_its_parent(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    int64_t rowid;
    struct ms_value row[] = {{.i = 7}, {.is_null = true}, {.is_null = true}};
    make_child(f, MS_FK_NO_ACTION);
    begin_write(f->session);
    assert_false(
        ms_row_insert(f->session, ms_catalog_table(f->session, NULL, NULL, "child"), row, &rowid, &err));
    assert_int_equal(err.number, 547);
    ms_statement_end(f->session, false, &err);
    insert_row(f->session, "t", 7, "a");
    insert_row(f->session, "child", 7, "b");
}

static void a_parent_with_children_stays(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    make_child(f, MS_FK_NO_ACTION);
    insert_row(f->session, "t", 7, "a");
    insert_row(f->session, "child", 7, "b");
    begin_write(f->session);
    const struct ms_table *t = ms_catalog_table(f->session, NULL, NULL, "t");
    struct ms_value before[] = {{.i = 7}, {.is_null = true}, {.is_null = true}};
    assert_true(ms_row_delete(f->session, t, 1, before, &err));
    assert_false(ms_statement_end(f->session, true, &err));
    assert_int_equal(err.number, 547);
    assert_int_equal(count_rows(f->session), 1);
}

static void on_delete_cascade_takes_the_children_along(void **state)
{
    struct fixture *f = *state;
    make_child(f, MS_FK_CASCADE);
    insert_row(f->session, "t", 7, "a");
    insert_row(f->session, "child", 7, "b");
    delete_row(f->session, "t", 7);
    assert_int_equal(number(f->session, "SELECT count(*) FROM {child}"), 0);
}

static void ddl_rolls_back_like_anything_else(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    uint64_t version = ms_catalog_version(f->session);
    assert_true(ms_tran_begin(f->session, NULL, &err));
    make_table(f->session, "u");
    assert_true(ms_catalog_version(f->session) != version);
    assert_non_null(ms_catalog_table(f->session, NULL, NULL, "u"));
    assert_true(ms_tran_rollback(f->session, NULL, &err));
    begin_read(f->session);
    assert_null(ms_catalog_table(f->session, NULL, NULL, "u"));
    end_ok(f->session);
    make_table(f->session, "u");
}

struct writer {
    pthread_t thread;
    struct ms_session *session;
    int64_t first;
};

static void *write_rows(void *arg)
{
    struct writer *w = arg;
    for (int64_t i = 0; i < ROWS_EACH; i++)
        insert_row(w->session, "t", w->first + i, "x");
    return NULL;
}

static void many_writers_and_the_capture_job_lose_nothing(void **state)
{
    struct fixture *f = *state;
    struct writer writers[WRITERS];
    char answer[100];
    enable_table(f->session, "t", NULL);
    assert_true(ms_server_fault(f->server, "capture interval 1", answer, sizeof answer));
    assert_true(ms_server_fault(f->server, "capture start", answer, sizeof answer));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.session = fixture_login(f, "shop"), .first = (int64_t)i * 1000};
        pthread_create(&writers[i].thread, NULL, write_rows, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        ms_session_close(writers[i].session);
    }
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT count(DISTINCT c6) FROM {cdc:dbo_t_CT}"),
                     WRITERS * ROWS_EACH);
    assert_int_equal(number(f->session, "SELECT count(DISTINCT c1) FROM {cdc:dbo_t_CT}"),
                     WRITERS * ROWS_EACH);
}

static void a_killed_session_loses_its_transaction_and_its_place(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *victim = fixture_login(f, "shop");
    assert_true(ms_tran_begin(victim, NULL, &err));
    insert_row(victim, "t", 1, "a");
    ms_session_kill_others(f->session, "shop");
    insert_row(f->session, "t", 2, "b");
    assert_string_equal(text(f->session, "SELECT c1 FROM {t}"), "2");
    assert_false(ms_statement_begin(victim, MS_STATEMENT_READ, &err));
    assert_int_equal(err.number, 596);
    ms_session_close(victim);
}

static void a_wrong_password_and_a_missing_database_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ms_session *session = NULL;
    struct ms_message message;
    assert_false(ms_session_open(f->server, "sa", "wrong", "", "", "", false, &session, &message));
    assert_int_equal(message.number, 18456);
    assert_string_equal(message.text, "Login failed for user 'sa'.");
    assert_false(ms_session_open(f->server, "sa", "Password!", "nowhere", "", "", false, &session, &message));
    assert_int_equal(message.number, 4060);
}

int main(void)
{
#define promise(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        promise(a_reader_in_read_committed_sees_each_commit),
        promise(a_snapshot_stays_as_it_was_at_its_first_statement),
        promise(nobody_sees_what_is_not_committed),
        promise(a_savepoint_before_the_first_write_can_be_gone_back_to),
        promise(a_lock_that_takes_too_long_is_error_1222),
        promise(rolling_back_to_a_savepoint_lets_go_of_later_locks),
        promise(a_second_writer_times_out_behind_the_first),
        promise(who_closes_a_circle_of_waits_is_the_victim),
        promise(a_duplicate_key_names_constraint_table_and_value),
        promise(a_null_where_none_may_be_is_error_515),
        promise(keys_may_move_through_each_other),
        promise(a_child_needs_its_parent),
        promise(a_parent_with_children_stays),
        promise(on_delete_cascade_takes_the_children_along),
        promise(ddl_rolls_back_like_anything_else),
        promise(many_writers_and_the_capture_job_lose_nothing),
        promise(a_killed_session_loses_its_transaction_and_its_place),
        promise(a_wrong_password_and_a_missing_database_are_refused),
    };
    return cmocka_run_group_tests_name("transaction", tests, NULL, NULL);
}
