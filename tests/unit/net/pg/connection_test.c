/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pg/connection.h"

#include "net/pg/sqlstate.h"
#include "pg_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

static struct pg_fixture pg;

static int start(void **state)
{
    (void)state;
    pg_fixture_start(&pg);
    pg_fixture_run(&pg, "CREATE ROLE locked LOGIN PASSWORD 'secret'");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pg_fixture_stop(&pg);
    return 0;
}

static void params_for(struct sl_pg_params *params, const char *user, const char *database)
{
    char port[16];

    (void)snprintf(port, sizeof(port), "%d", pg.port);
    sl_pg_params_set(params, "host", "127.0.0.1");
    sl_pg_params_set(params, "port", port);
    sl_pg_params_set(params, "user", user);
    sl_pg_params_set(params, "dbname", database);
}

static enum sl_rc connect_as(const char *user, const char *database, int stop_fd, struct sl_pg **ret,
                             struct sl_error *err)
{
    struct sl_pg_params params = {0};
    enum sl_rc rc;

    params_for(&params, user, database);
    rc = sl_pg_connect(&params, stop_fd, ret, err);
    sl_pg_params_done(&params);
    return rc;
}

static void a_missing_database_and_a_missing_role_are_told_apart(void **state)
{
    struct sl_pg *conn = NULL;
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(connect_as("postgres", "nowhere", -1, &conn, &err), SL_E_NOT_FOUND);
    assert_int_equal(err.kind, SL_KIND_CONFIG);
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(connect_as("nobody-here", "postgres", -1, &conn, &err), SL_E_AUTH);
    assert_non_null(strstr(err.text, "HINT"));
}

static void a_port_without_a_server_is_worth_another_try(void **state)
{
    struct sl_pg_params params = {0};
    struct sl_pg *conn = NULL;
    struct sl_error err = {0};

    (void)state;
    params_for(&params, "postgres", "postgres");
    sl_pg_params_set(&params, "port", "1");
    assert_int_equal(sl_pg_connect(&params, -1, &conn, &err), SL_E_CONNECT);
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    assert_non_null(strstr(err.text, "port 1"));
    sl_pg_params_done(&params);
}

static void an_error_carries_its_sqlstate_and_no_values_of_rows(void **state)
{
    struct sl_pg *conn = NULL;
    struct sl_error err = {0};

    (void)state;
    pg_fixture_run(&pg, "DROP TABLE IF EXISTS e; CREATE TABLE e (id text PRIMARY KEY)");
    assert_int_equal(connect_as("postgres", "postgres", -1, &conn, &err), SL_OK);
    assert_int_equal(sl_pg_run(conn, "INSERT INTO e VALUES ('hush-hush'), ('hush-hush')", &err), SL_E_DATA);
    assert_string_equal(err.native, "23505");
    assert_null(strstr(err.text, "hush"));
    assert_non_null(strstr(err.text, "table e"));
    assert_int_equal(sl_pg_run(conn, "SELEC 1", &err), SL_E_SCHEMA);
    assert_int_equal(sl_pg_run(conn, "SELECT 1", &err), SL_OK);
    sl_pg_close(conn);
}

/* More than socket buffers hold, in both directions at once. */
static void a_pipeline_larger_than_all_buffers_does_not_block(void **state)
{
    enum { SIZE = 8 << 20, TIMES = 4 };
    struct sl_pg *conn = NULL;
    struct sl_error err = {0};
    char *big = sl_alloc(SIZE);
    const char *values[1] = {big};
    int lengths[1] = {SIZE};
    int formats[1] = {1};
    const Oid types[1] = {25};
    PGresult *result = NULL;

    (void)state;
    memset(big, 'x', SIZE);
    assert_int_equal(connect_as("postgres", "postgres", -1, &conn, &err), SL_OK);
    assert_int_equal(sl_pg_prepare(conn, "echo", "SELECT $1", 1, types, &err), SL_OK);
    assert_int_equal(sl_pg_pipeline_begin(conn, &err), SL_OK);
    for (int i = 0; i < TIMES; i++)
        assert_int_equal(
            sl_pg_send_prepared(
                conn, "echo",
                &(struct sl_pg_args){.n = 1, .values = values, .lengths = lengths, .formats = formats}, &err),
            SL_OK);
    assert_int_equal(sl_pg_pipeline_sync(conn, &err), SL_OK);
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(sl_pg_pipeline_next(conn, &result, &err), SL_OK);
        assert_non_null(result);
        assert_int_equal(PQgetlength(result, 0, 0), SIZE);
        PQclear(result);
    }
    assert_int_equal(sl_pg_pipeline_next(conn, &result, &err), SL_OK);
    assert_null(result);
    sl_pg_pipeline_end(conn);
    assert_int_equal(sl_pg_run(conn, "SELECT 1", &err), SL_OK);
    sl_pg_close(conn);
    sl_free(big);
}

static void a_wait_ends_when_asked_to_stop(void **state)
{
    int stop_fd = eventfd(0, EFD_CLOEXEC);
    struct sl_pg *conn = NULL;
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(connect_as("postgres", "postgres", stop_fd, &conn, &err), SL_OK);
    assert_int_equal(eventfd_write(stop_fd, 1), 0);
    assert_int_equal(sl_pg_run(conn, "SELECT pg_sleep(600)", &err), SL_E_STOPPED);
    sl_pg_close(conn);
    (void)close(stop_fd);
}

static void a_killed_session_is_a_lost_connection(void **state)
{
    struct sl_pg *conn = NULL;
    struct sl_error err = {0};
    char sql[100];

    (void)state;
    assert_int_equal(connect_as("postgres", "postgres", -1, &conn, &err), SL_OK);
    (void)snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%u, 5000)", sl_pg_backend_pid(conn));
    pg_fixture_run(&pg, sql);
    assert_int_equal(sl_pg_run(conn, "SELECT 1", &err), SL_E_CONNECT);
    assert_int_equal(err.kind, SL_KIND_TRANSIENT);
    sl_pg_close(conn);
}

static void classes_of_sqlstate_say_what_to_do(void **state)
{
    static const struct {
        const char *state;
        enum sl_err_kind kind;
    } cases[] = {
        {"08006", SL_KIND_TRANSIENT}, {"57P01", SL_KIND_TRANSIENT}, {"53300", SL_KIND_TRANSIENT},
        {"40P01", SL_KIND_TRANSIENT}, {"40001", SL_KIND_TRANSIENT}, {"55P03", SL_KIND_TRANSIENT},
        {"22001", SL_KIND_DATA},      {"23505", SL_KIND_DATA},      {"23503", SL_KIND_DATA},
        {"21000", SL_KIND_DATA},      {"P0001", SL_KIND_DATA},      {"28P01", SL_KIND_CONFIG},
        {"42501", SL_KIND_CONFIG},    {"3D000", SL_KIND_CONFIG},    {"42P01", SL_KIND_FATAL},
        {"42703", SL_KIND_FATAL},     {"XX001", SL_KIND_FATAL},     {"", SL_KIND_TRANSIENT},
        {"25006", SL_KIND_TRANSIENT}, {"54000", SL_KIND_DATA},      {"54011", SL_KIND_FATAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(sl_rc_kind(sl_pg_sqlstate_rc(cases[i].state)), cases[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_database_and_a_missing_role_are_told_apart),
        cmocka_unit_test(a_port_without_a_server_is_worth_another_try),
        cmocka_unit_test(an_error_carries_its_sqlstate_and_no_values_of_rows),
        cmocka_unit_test(a_pipeline_larger_than_all_buffers_does_not_block),
        cmocka_unit_test(a_wait_ends_when_asked_to_stop),
        cmocka_unit_test(a_killed_session_is_a_lost_connection),
        cmocka_unit_test(classes_of_sqlstate_say_what_to_do),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
