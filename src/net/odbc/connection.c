/* SPDX-License-Identifier: Apache-2.0 */
#include "net/odbc/connection.h"

#include <stdio.h>

static void free_handles(struct sl_odbc *conn)
{
    if (conn->dbc) {
        (void)SQLDisconnect(conn->dbc);
        (void)SQLFreeHandle(SQL_HANDLE_DBC, conn->dbc);
    }
    if (conn->env)
        (void)SQLFreeHandle(SQL_HANDLE_ENV, conn->env);
}

static enum sl_rc make_handles(struct sl_odbc *conn, const struct sl_odbc_target *target,
                               struct sl_error *err)
{
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &conn->env)))
        return sl_error_set(err, SL_E_INTERNAL, "the ODBC driver manager gives no environment");
    (void)SQLSetEnvAttr(conn->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, conn->env, &conn->dbc)))
        return sl_error_set(err, SL_E_INTERNAL, "the ODBC driver manager gives no connection");
    if (target->login_timeout_s > 0)
        (void)SQLSetConnectAttr(conn->dbc, SQL_ATTR_LOGIN_TIMEOUT,
                                (SQLPOINTER)(uintptr_t)target->login_timeout_s, 0);
    if (target->packet_bytes > 0)
        (void)SQLSetConnectAttr(conn->dbc, SQL_ATTR_PACKET_SIZE, (SQLPOINTER)(uintptr_t)target->packet_bytes,
                                0);
    return SL_OK;
}

/* The text holds the password: wiped before its memory is given back. */
static enum sl_rc login(struct sl_odbc *conn, const struct sl_odbc_target *target, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc = sl_odbc_connection_string(target, &text, err);
    char doing[200];
    SQLRETURN ret;
    bool lost = false;

    if (rc == SL_OK) {
        union {
            const char *in;
            SQLCHAR *out;
        } unconst = {.in = sl_buf_cstr(&text)}; /* ODBC's prototypes know no const */

        ret = SQLDriverConnect(conn->dbc, NULL, unconst.out, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
        if (!SQL_SUCCEEDED(ret)) {
            (void)snprintf(doing, sizeof(doing), "cannot connect to SQL Server '%s:%d'", target->host,
                           target->port ? target->port : 1433);
            rc = sl_odbc_diagnose(SQL_HANDLE_DBC, conn->dbc, doing, &lost, err);
        }
    }
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    sl_buf_done(&text);
    return rc;
}

enum sl_rc sl_odbc_open(const struct sl_odbc_target *target, struct sl_odbc **ret_conn, struct sl_error *err)
{
    struct sl_odbc *conn = sl_zalloc(1, sizeof(*conn));
    enum sl_rc rc;

    conn->microsoft = target->driver && sl_odbc_is_microsoft(target->driver);
    conn->query_timeout_s = target->query_timeout_s;
    rc = make_handles(conn, target, err);
    if (rc == SL_OK)
        rc = login(conn, target, err);
    if (rc != SL_OK) {
        free_handles(conn);
        sl_free(conn);
        return rc;
    }
    sl_odbc_cancel_init(conn);
    *ret_conn = conn;
    return SL_OK;
}

void sl_odbc_close(struct sl_odbc *conn)
{
    if (!conn)
        return;
    sl_odbc_cancel_done(conn);
    while (conn->statements)
        sl_odbc_stmt_free(conn->statements);
    free_handles(conn);
    sl_free(conn);
}

bool sl_odbc_is_lost(const struct sl_odbc *conn)
{
    return conn->lost;
}

enum sl_rc sl_odbc_run(struct sl_odbc *conn, const char *sql, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    enum sl_rc rc = sl_odbc_direct(conn, sql, &stmt, err);
    bool more = true;

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_execute(stmt, err);
    while (rc == SL_OK && more)
        rc = sl_odbc_next_result(stmt, &more, err);
    sl_odbc_stmt_free(stmt);
    return rc;
}
