/* SPDX-License-Identifier: Apache-2.0 */
/* The ODBC wrapper against the simulator's wire, with a server behind it that has no database. */
#include "net/odbc/odbc.h"
#include "sim/sqlserver/tds/faults.h"
#include "sim/sqlserver/tds/listener.h"
#include "tests/unit/sim/sqlserver/tds/fake_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define PASSWORD "Secret;of{sa}1"

struct fixture {
    struct ms_server *server;
    struct ms_faults faults;
    struct ms_watch watch;
    struct ms_replay replay;
    struct ms_wire wire;
    struct ms_listener listener;
    struct sl_odbc_target target;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->server = ms_server_open(&(struct ms_server_options){.sa_password = PASSWORD});
    ms_faults_init(&f->faults);
    ms_replay_init(&f->replay);
    assert_true(ms_watch_start(&f->watch));
    f->wire = (struct ms_wire){.server = f->server,
                               .faults = &f->faults,
                               .watch = &f->watch,
                               .replay = &f->replay,
                               .policy = MS_POLICY_OFF};
    assert_true(ms_listener_start(&f->listener, &f->wire, "127.0.0.1", 0));
    f->target = (struct sl_odbc_target){.host = "127.0.0.1",
                                        .port = f->listener.port,
                                        .user = "sa",
                                        .password = PASSWORD,
                                        .encrypt = SL_ODBC_ENCRYPT_OFF,
                                        .packet_bytes = 32767,
                                        .login_timeout_s = 5};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_true(ms_listener_stop(&f->listener, 5000));
    ms_watch_stop(&f->watch);
    ms_replay_done(&f->replay);
    ms_faults_done(&f->faults);
    ms_server_close(f->server);
    free(f);
    return 0;
}

static struct sl_odbc *open_connection(struct fixture *f)
{
    struct sl_odbc *conn = NULL;
    struct sl_error err = {0};

    if (sl_odbc_open(&f->target, &conn, &err) != SL_OK)
        fail_msg("%s", err.text);
    return conn;
}

static void a_wrong_password_is_said_in_one_line(void **state)
{
    struct fixture *f = *state;
    struct sl_odbc *conn = NULL;
    struct sl_error err = {0};

    f->target.password = "wrong";
    assert_int_equal(sl_odbc_open(&f->target, &conn, &err), SL_E_AUTH);
    assert_string_equal(err.native, "18456");
    assert_non_null(strstr(err.text, "Login failed"));
    assert_non_null(strstr(err.text, "HINT: "));
    assert_null(strstr(err.text, "wrong"));
}

static const struct sl_cell *cell_named(struct sl_odbc_stmt *stmt, const char *name)
{
    for (int i = 0; i < sl_odbc_n_cells(stmt); i++)
        if (strcmp(sl_odbc_cell(stmt, i)->name, name) == 0)
            return sl_odbc_cell(stmt, i);
    fail_msg("no column %s", name);
    return NULL;
}

static void expect_int(struct sl_odbc_stmt *stmt, const char *name, int64_t expected)
{
    const struct sl_cell *cell = cell_named(stmt, name);
    int64_t value;

    assert_int_equal(cell->kind, SL_CELL_INT);
    memcpy(&value, cell->data, sizeof(value));
    assert_true(value == expected);
}

static void expect_bytes(struct sl_odbc_stmt *stmt, const char *name, enum sl_cell_kind kind,
                         const char *bytes)
{
    const struct sl_cell *cell = cell_named(stmt, name);
    struct sl_error err = {0};

    if (cell->is_long && sl_odbc_read_long(stmt, (int)(cell - sl_odbc_cell(stmt, 0)), &err) != SL_OK)
        fail_msg("%s: %s", name, err.text);
    if (cell->kind != kind || cell->len != (SQLLEN)strlen(bytes) ||
        memcmp(cell->data, bytes, strlen(bytes)) != 0)
        fail_msg("%s: kind %d, %d bytes: '%.*s'", name, cell->kind, (int)cell->len, (int)cell->len,
                 (const char *)cell->data);
}

static void expect_timestamp(struct sl_odbc_stmt *stmt, const char *name, int year, unsigned month,
                             unsigned day, unsigned hour, unsigned minute, unsigned second, unsigned fraction)
{
    const struct sl_cell *cell = cell_named(stmt, name);
    const SQL_TIMESTAMP_STRUCT *t = cell->data;

    assert_int_equal(cell->kind, SL_CELL_TIMESTAMP);
    if (year) {
        assert_int_equal(t->year, year);
        assert_int_equal(t->month, month);
        assert_int_equal(t->day, day);
    }
    assert_int_equal(t->hour, hour);
    assert_int_equal(t->minute, minute);
    assert_int_equal(t->second, second);
    assert_int_equal(t->fraction, fraction);
}

static void expect_numeric(struct sl_odbc_stmt *stmt, const char *name, int scale, bool negative,
                           uint64_t high, uint64_t low)
{
    const struct sl_cell *cell = cell_named(stmt, name);
    const SQL_NUMERIC_STRUCT *n = cell->data;

    assert_int_equal(cell->kind, SL_CELL_NUMERIC);
    assert_int_equal(n->scale, scale);
    assert_int_equal(n->sign, !negative);
    assert_memory_equal(n->val, &low, 8);
    assert_memory_equal(n->val + 8, &high, 8);
}

static void expect_every_type(struct sl_odbc_stmt *stmt)
{
    const SQL_DATE_STRUCT *date;
    const struct sl_cell_offset *offset;
    double d;

    expect_int(stmt, "c_bit", 1);
    expect_int(stmt, "c_tinyint", 255);
    expect_int(stmt, "c_smallint", INT16_MIN);
    expect_int(stmt, "c_int", INT32_MIN);
    expect_int(stmt, "c_bigint", INT64_MIN);
    memcpy(&d, cell_named(stmt, "c_real")->data, sizeof(d));
    assert_true(d == 1.5);
    memcpy(&d, cell_named(stmt, "c_float")->data, sizeof(d));
    assert_true(d == -2.25e300);
    expect_numeric(stmt, "c_decimal", 2, true, 0, 9999999999);
    expect_numeric(stmt, "c_numeric", 0, false, UINT64_C(1) << 62, 0);
    assert_true(sl_cell_money(cell_named(stmt, "c_smallmoney")) == INT32_MIN);
    assert_true(sl_cell_money(cell_named(stmt, "c_money")) == INT64_MAX);
    expect_bytes(stmt, "c_char", SL_CELL_TEXT, "a\xC3\xA9 ");
    expect_bytes(stmt, "c_varchar", SL_CELL_TEXT, "\xE2\x82\xAC 5");
    expect_bytes(stmt, "c_nchar", SL_CELL_TEXT, "\xF0\x9F\x98\x80");
    expect_bytes(stmt, "c_nvarchar", SL_CELL_TEXT, "\xD0\x94\xD0\xB0");
    expect_bytes(stmt, "c_binary", SL_CELL_BYTES, "\x01\x02\x03");
    expect_bytes(stmt, "c_varbinary", SL_CELL_BYTES, "\xFF\xFE");
    expect_bytes(stmt, "c_rowversion", SL_CELL_BYTES, "\x01\x02\x03\x04\x05\x06\x07\x08");
    date = cell_named(stmt, "c_date")->data;
    assert_int_equal(date->year, 9999);
    assert_int_equal(date->day, 31);
    expect_timestamp(stmt, "c_time", 0, 0, 0, 23, 59, 59, 999999900);
    expect_timestamp(stmt, "c_datetime2", 9999, 12, 31, 23, 59, 59, 999999900);
    offset = cell_named(stmt, "c_datetimeoffset")->data;
    assert_int_equal(cell_named(stmt, "c_datetimeoffset")->kind, SL_CELL_OFFSET);
    assert_int_equal(offset->offset_hour * 60 + offset->offset_minute, 345);
    assert_int_equal(offset->hour, 5);
    assert_int_equal(offset->minute, 45);
    expect_timestamp(stmt, "c_smalldatetime", 1900, 1, 3, 1, 1, 0, 0);
    expect_bytes(stmt, "c_varchar_max", SL_CELL_TEXT, "max");
    expect_bytes(stmt, "c_text", SL_CELL_TEXT, "old text");
    expect_bytes(stmt, "c_nvarchar_max", SL_CELL_TEXT, "");
    expect_bytes(stmt, "c_ntext", SL_CELL_TEXT, "old \xC3\xBC");
    expect_bytes(stmt, "c_varbinary_max", SL_CELL_BYTES, "blob");
    expect_bytes(stmt, "c_image", SL_CELL_BYTES, "picture");
    expect_bytes(stmt, "c_xml", SL_CELL_TEXT, "<a>\xC3\xA9</a>");
}

static void every_type_arrives_as_it_was_sent(void **state)
{
    struct sl_odbc *conn = open_connection(*state);
    struct sl_odbc_stmt *stmt;
    struct sl_error err = {0};
    bool row = false;

    assert_int_equal(sl_odbc_direct(conn, "types", &stmt, &err), SL_OK);
    if (sl_odbc_execute(stmt, &err) != SL_OK || sl_odbc_fetch(stmt, &row, &err) != SL_OK)
        fail_msg("%s", err.text);
    assert_true(row);
    expect_every_type(stmt);
    assert_int_equal(sl_odbc_fetch(stmt, &row, &err), SL_OK);
    assert_false(row);
    sl_odbc_close(conn);
}

static void a_server_error_keeps_its_number(void **state)
{
    struct sl_odbc *conn = open_connection(*state);
    struct sl_odbc_stmt *stmt;
    struct sl_error err = {0};

    assert_int_equal(sl_odbc_direct(conn, "fail", &stmt, &err), SL_OK);
    assert_int_equal(sl_odbc_execute(stmt, &err), SL_E_NOT_FOUND);
    assert_string_equal(err.native, "208");
    assert_non_null(strstr(err.text, "Invalid object name 't'."));
    assert_false(sl_odbc_is_lost(conn));
    sl_odbc_close(conn);
}

static void a_cut_connection_is_transient_and_lost(void **state)
{
    struct fixture *f = *state;
    struct sl_odbc *conn = open_connection(f);
    struct sl_odbc_stmt *stmt;
    struct sl_error err = {0};
    bool row = true;
    enum sl_rc rc;

    ms_faults_set_cut(&f->faults, MS_CUT_ONCE, 100000);
    assert_int_equal(sl_odbc_direct(conn, "rows 100000", &stmt, &err), SL_OK);
    rc = sl_odbc_execute(stmt, &err);
    while (rc == SL_OK && row)
        rc = sl_odbc_fetch(stmt, &row, &err);
    assert_int_equal(rc, SL_E_CONNECT); /* and never a result that seems to have ended */
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    assert_true(sl_odbc_is_lost(conn));
    sl_odbc_close(conn);
}

static void *cancel_soon(void *argument)
{
    struct fixture *f = ((void **)argument)[0];

    fake_wait_until_waiting(f->server, 1);
    sl_odbc_cancel(((void **)argument)[1]);
    return NULL;
}

static void a_waiting_statement_is_cancelled_from_another_thread(void **state)
{
    struct sl_odbc *conn = open_connection(*state);
    void *argument[] = {*state, conn};
    struct sl_odbc_stmt *stmt;
    struct sl_error err = {0};
    pthread_t thread;

    assert_int_equal(sl_odbc_direct(conn, "wait", &stmt, &err), SL_OK);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, argument), 0);
    assert_int_equal(sl_odbc_execute(stmt, &err), SL_E_STOPPED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sl_odbc_stmt_free(stmt);
    assert_int_equal(sl_odbc_run(conn, "set x", &err), SL_OK); /* the connection is still good */
    sl_odbc_close(conn);
}

struct canceller {
    struct sl_odbc *conn;
    _Atomic bool over;
};

static void *cancel_all_the_time(void *argument)
{
    struct canceller *canceller = argument;

    while (!atomic_load(&canceller->over))
        sl_odbc_cancel(canceller->conn);
    return NULL;
}

/* FreeTDS hangs when it is cancelled while it does not wait: about once in 3,000 times. */
static void a_statement_that_answers_by_itself_is_never_cancelled(void **state)
{
    struct canceller canceller = {.conn = open_connection(*state)};
    struct sl_error err = {0};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, cancel_all_the_time, &canceller), 0);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(sl_odbc_run(canceller.conn, "set x", &err), SL_OK);
    atomic_store(&canceller.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sl_odbc_close(canceller.conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_wrong_password_is_said_in_one_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_type_arrives_as_it_was_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_error_keeps_its_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_connection_is_transient_and_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiting_statement_is_cancelled_from_another_thread, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_statement_that_answers_by_itself_is_never_cancelled, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
