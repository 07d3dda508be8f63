/* SPDX-License-Identifier: Apache-2.0 */
/* DDL on tracked tables, cleanup, and who may read what was captured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../storage/fixture.h"
#include "sim/sqlserver/cdc/access.h"
#include "sim/sqlserver/cdc/cleanup.h"
#include "sim/sqlserver/cdc/capture.h"

#include <stdio.h>
#include <string.h>

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

static int32_t table_id(struct ms_session *s)
{
    begin_read(s);
    int32_t id = ms_catalog_table(s, NULL, NULL, "t")->object_id;
    end_ok(s);
    return id;
}

#define in_write(s, call)                        \
    do {                                         \
        begin_write(s);                          \
        if (!(call))                             \
            fail_msg("%s: %s", #call, err.text); \
        end_ok(s);                               \
    } while (0)

#define refused(s, call, number_of_error)                  \
    do {                                                   \
        begin_write(s);                                    \
        assert_false(call);                                \
        assert_int_equal(err.number, number_of_error);     \
        ms_statement_end(s, false, &(struct ms_error){0}); \
    } while (0)

static void an_added_column_is_not_captured(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_column_spec extra = {.name = "extra", .type = {.id = MS_INT}, .nullable = true};
    int32_t id = table_id(f->session);
    in_write(f->session,
             ms_ddl_add_column(f->session, id, &extra, NULL, "ALTER TABLE t ADD extra int", &err));
    begin_write(f->session);
    struct ms_value row[] = {{.i = 1}, {.is_null = true}, {.is_null = true}, {.i = 9}};
    int64_t rowid;
    assert_true(ms_row_insert(f->session, ms_catalog_table_by_id(f->session, id), row, &rowid, &err));
    end_ok(f->session);
    capture_once(f);
    assert_string_equal(text(f->session, "SELECT c6||' '||c4 FROM {cdc:dbo_t_CT}"), "1 2");
    assert_string_equal(text(f->session, "SELECT c4||' '||c3 FROM {cdc:ddl_history}"),
                        "ALTER TABLE t ADD extra int 0");
}

static void a_dropped_column_becomes_null(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    int32_t id = table_id(f->session);
    insert_row(f->session, "t", 1, "before");
    in_write(f->session, ms_ddl_drop_column(f->session, id, "name", "ALTER TABLE t DROP COLUMN name", &err));
    begin_write(f->session);
    struct ms_value row[] = {{.i = 2}, {.is_null = true}};
    int64_t rowid;
    assert_true(ms_row_insert(f->session, ms_catalog_table_by_id(f->session, id), row, &rowid, &err));
    end_ok(f->session);
    capture_once(f);
    assert_string_equal(text(f->session, "SELECT ifnull(c7,'-') FROM {cdc:dbo_t_CT} ORDER BY c1"),
                        "before|-");
}

static void a_wider_column_is_carried_over(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_type wider = {.id = MS_VARCHAR, .length = 100};
    int32_t id = table_id(f->session);
    insert_row(f->session, "t", 1, "a");
    in_write(f->session,
             ms_ddl_alter_column(f->session, id, "name", &wider, true, NULL, "ALTER TABLE t ...", &err));
    insert_row(f->session, "t", 2, "b");
    capture_once(f);
    assert_string_equal(text(f->session, "SELECT c7 FROM {cdc:dbo_t_CT} ORDER BY c1"), "a|b");
    assert_int_equal(number(f->session, "SELECT c3 FROM {cdc:ddl_history}"), 1);
    begin_read(f->session);
    assert_int_equal(ms_catalog_table(f->session, NULL, "cdc", "dbo_t_CT")->columns[6].type.length, 100);
    end_ok(f->session);
}

static void truncate_and_a_new_key_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    int32_t id = table_id(f->session);
    struct ms_type bigint = {.id = MS_BIGINT};
    refused(f->session, ms_ddl_truncate_table(f->session, id, &err), 4711);
    refused(f->session, ms_ddl_alter_column(f->session, id, "id", &bigint, false, NULL, "", &err), 4922);
    refused(f->session, ms_ddl_rename_column(f->session, id, "name", "title", &err), 4928);
    begin_write(f->session);
    char key[140];
    snprintf(key, sizeof key, "%s", ms_table_primary_key(ms_catalog_table_by_id(f->session, id))->name);
    assert_false(ms_ddl_drop_constraint(f->session, id, key, &err));
    assert_int_equal(err.number, 4929);
    ms_statement_end(f->session, false, &err);
}

static void drop_table_takes_its_instances_along(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    int32_t id = table_id(f->session);
    insert_row(f->session, "t", 1, "a");
    in_write(f->session, ms_ddl_drop_table(f->session, id, &err));
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT count(*) FROM {cdc:change_tables}"), 0);
    begin_read(f->session);
    assert_null(ms_catalog_table(f->session, NULL, "cdc", "dbo_t_CT"));
    end_ok(f->session);
}

static void a_captured_column_list_must_hold_the_key(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_enable_table what = {.source_schema = "dbo",
                                   .source_name = "t",
                                   .capture_instance = "part",
                                   .supports_net_changes = -1,
                                   .captured_columns = "[name]"};
    refused(f->session, ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err), 22943);
    what.captured_columns = "id, nothing";
    refused(f->session, ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err), 22942);
    what.captured_columns = "[id], note";
    in_write(f->session, ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err));
    insert_row(f->session, "t", 1, "a");
    capture_once(f);
    assert_string_equal(text(f->session, "SELECT c6||' '||hex(c5) FROM {cdc:part_CT}"), "1 03");
}

static void names_follow_the_rules(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    char longer[110];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    struct ms_enable_table what = {
        .source_schema = "dbo", .source_name = "t", .capture_instance = longer, .supports_net_changes = -1};
    refused(f->session, ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err), 22927);
    what.capture_instance = "DBO_T";
    refused(f->session, ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err), 22926);
    what.source_name = "nothing";
    refused(f->session, ms_cdc_enable_table(f->session, f->session->db_id, &what, NULL, &err), 22931);
}

static void cleanup_removes_rows_and_raises_the_mark(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    uint8_t mark[MS_LSN_SIZE];
    for (int i = 1; i <= 3; i++)
        insert_row(f->session, "t", i, "a");
    capture_once(f);
    begin_read(f->session);
    sqlite3_stmt *s = ms_cdc_sql(f->session, f->session->db_id, &err,
                                 "SELECT c1 FROM {3} ORDER BY c1 LIMIT 1 OFFSET 3", "");
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    memcpy(mark, sqlite3_column_blob(s, 0), sizeof mark);
    sqlite3_reset(s);
    end_ok(f->session);
    in_write(f->session, ms_cleanup_instance(f->session, f->session->db_id, "dbo_t", mark, &err));
    assert_string_equal(text(f->session, "SELECT c6 FROM {cdc:dbo_t_CT} ORDER BY c1"), "2|3");
    assert_int_equal(
        number(f->session, "SELECT c5=(SELECT min(c1) FROM {cdc:dbo_t_CT}) FROM {cdc:change_tables}"), 1);
    mark[0] = 0xFF;
    refused(f->session, ms_cleanup_instance(f->session, f->session->db_id, "dbo_t", mark, &err), 22964);
}

static void the_cleanup_job_keeps_what_is_younger_than_its_retention(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    insert_row(f->session, "t", 1, "old");
    capture_once(f);
    /* two days of 1/300 s */
    begin_write(f->session);
    assert_true(ms_cdc_run(f->session, f->session->db_id, &err, "UPDATE {3} SET c3=c3-?", "I",
                           (int64_t)2 * 86400 * 300));
    end_ok(f->session);
    insert_row(f->session, "t", 2, "new");
    capture_once(f);
    assert_true(ms_cleanup_by_retention(f->session, f->session->db_id, &err));
    assert_int_equal(number(f->session, "SELECT count(*) FROM {cdc:dbo_t_CT}"), 2);
    begin_write(f->session);
    assert_true(ms_cdc_run(f->session, f->session->db_id, &err,
                           "UPDATE {3} SET c3=c3-? WHERE c1<>(SELECT max(c1) FROM {3})", "I",
                           (int64_t)2 * 86400 * 300));
    end_ok(f->session);
    assert_true(ms_cleanup_by_retention(f->session, f->session->db_id, &err));
    assert_string_equal(text(f->session, "SELECT c7 FROM {cdc:dbo_t_CT}"), "new");
}

static void disabling_the_database_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    insert_row(f->session, "t", 1, "a");
    in_write(f->session, ms_cdc_disable_db(f->session, f->session->db_id, &err));
    begin_read(f->session);
    const struct ms_database *db = ms_catalog_database(f->session, NULL);
    assert_false(db->cdc_enabled);
    assert_null(ms_catalog_schema(db, "cdc"));
    assert_int_equal(db->n_tables, 1);
    assert_false(db->tables[0].tracked_by_cdc);
    end_ok(f->session);
    in_write(f->session, ms_cdc_enable_db(f->session, f->session->db_id, &err));
}

static void a_user_without_the_role_gets_nothing(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    struct ms_session *user = NULL;
    struct ms_message message;
    int32_t db_id = f->session->db_id;
    int32_t id = table_id(f->session);
    in_write(f->session, ms_ddl_create_login(f->session, "reader", "secret", NULL, &err));
    in_write(f->session, ms_ddl_create_user(f->session, db_id, "reader", "reader", NULL, &err));
    in_write(f->session, ms_ddl_create_role(f->session, db_id, "gate", NULL, &err));
    assert_true(ms_session_open(f->server, "reader", "secret", "shop", "", "", false, &user, &message));
    begin_read(user);
    const struct ms_table *t = ms_catalog_table_by_id(user, id);
    assert_false(ms_access_check(user, t, MS_MAY_SELECT, &err));
    assert_int_equal(err.number, 229);
    assert_false(ms_cdc_may_read(user, db_id, "", t));
    end_ok(user);
    in_write(f->session, ms_ddl_permission(f->session, db_id, 'G', "SELECT", id, 0, "reader", &err));
    begin_read(user);
    t = ms_catalog_table_by_id(user, id);
    assert_true(ms_access_check(user, t, MS_MAY_SELECT, &err));
    assert_true(ms_cdc_may_read(user, db_id, "", t));
    assert_false(ms_cdc_may_read(user, db_id, "gate", t));
    end_ok(user);
    in_write(f->session, ms_ddl_role_member(f->session, db_id, "gate", "reader", true, &err));
    begin_read(user);
    assert_true(ms_cdc_may_read(user, db_id, "gate", ms_catalog_table_by_id(user, id)));
    end_ok(user);
    ms_session_close(user);
}

static void a_dummy_row_moves_the_maximum_without_a_transaction(void **state)
{
    struct fixture *f = *state;
    struct ms_error err;
    insert_row(f->session, "t", 1, "a");
    capture_once(f);
    assert_true(ms_capture_dummy(f->session, f->session->db_id, &err));
    assert_string_equal(
        text(f->session, "SELECT hex(c4) FROM {cdc:lsn_time_mapping} ORDER BY c1 DESC LIMIT 1"), "00");
    insert_row(f->session, "t", 2, "b");
    capture_once(f);
    assert_int_equal(number(f->session, "SELECT count(DISTINCT c1) FROM {cdc:lsn_time_mapping}"), 5);
}

int main(void)
{
#define promise(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        promise(an_added_column_is_not_captured),
        promise(a_dropped_column_becomes_null),
        promise(a_wider_column_is_carried_over),
        promise(truncate_and_a_new_key_are_refused),
        promise(drop_table_takes_its_instances_along),
        promise(a_captured_column_list_must_hold_the_key),
        promise(names_follow_the_rules),
        promise(cleanup_removes_rows_and_raises_the_mark),
        promise(the_cleanup_job_keeps_what_is_younger_than_its_retention),
        promise(disabling_the_database_leaves_nothing),
        promise(a_user_without_the_role_gets_nothing),
        promise(a_dummy_row_moves_the_maximum_without_a_transaction),
    };
    return cmocka_run_group_tests_name("change tables", tests, NULL, NULL);
}
