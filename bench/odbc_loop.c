/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a reader of change tables by ODBC can do: fetch every row of the same statements that the
 * source sends, each column bound to its native C type, and look at nothing. A JSON line: rows, wall seconds,
 * this process's CPU seconds. The connection and the preparing are not in it, as they are once in a life.
 *
 *     odbc_loop CONNECTION_STRING STATEMENT...
 */
#include "measure.h"

#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 64, CELL_BYTES = 2048 };

static uint8_t cells[CELLS][CELL_BYTES];
static SQLLEN lengths[CELLS];

static void must(SQLRETURN ret, SQLSMALLINT type, SQLHANDLE handle, const char *doing)
{
    SQLCHAR state[6] = "";
    SQLCHAR text[512] = "";
    SQLINTEGER native;
    SQLSMALLINT len;

    if (SQL_SUCCEEDED(ret))
        return;
    (void)SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof(text), &len);
    (void)fprintf(stderr, "odbc_loop: %s: %s %s\n", doing, (char *)state, (char *)text);
    exit(1);
}

/* As the source asks for it, so that the driver has the same to do; FreeTDS gives a decimal unchanged. */
static SQLSMALLINT native_type(SQLSMALLINT type)
{
    switch (type) {
    case SQL_BIT:
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER:
    case SQL_BIGINT: return SQL_C_SBIGINT;
    case SQL_REAL:
    case SQL_FLOAT:
    case SQL_DOUBLE: return SQL_C_DOUBLE;
    case SQL_TYPE_DATE: return SQL_C_TYPE_DATE;
    case SQL_TYPE_TIMESTAMP: return SQL_C_TYPE_TIMESTAMP;
    case SQL_CHAR:
    case SQL_VARCHAR:
    case SQL_WCHAR:
    case SQL_WVARCHAR: return SQL_C_CHAR;
    default: return SQL_C_BINARY;
    }
}

static void bind_row(SQLHSTMT stmt)
{
    SQLSMALLINT n = 0;

    must(SQLNumResultCols(stmt, &n), SQL_HANDLE_STMT, stmt, "columns");
    if (n > CELLS) {
        (void)fprintf(stderr, "odbc_loop: %d columns are too many\n", n);
        exit(1);
    }
    for (SQLUSMALLINT i = 1; i <= n; i++) {
        SQLCHAR name[64];
        SQLSMALLINT len, type, scale, nullable;
        SQLULEN size;

        must(SQLDescribeCol(stmt, i, name, sizeof(name), &len, &type, &size, &scale, &nullable),
             SQL_HANDLE_STMT, stmt, "a column");
        must(SQLBindCol(stmt, i, native_type(type), cells[i - 1], CELL_BYTES, &lengths[i - 1]),
             SQL_HANDLE_STMT, stmt, "bind");
    }
}

static int64_t read_all(SQLHDBC dbc, char *sql)
{
    int64_t rows = 0;
    SQLHSTMT stmt;
    SQLRETURN ret;

    must(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt), SQL_HANDLE_DBC, dbc, "new statement");
    must(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt, sql);
    bind_row(stmt);
    while (SQL_SUCCEEDED(ret = SQLFetch(stmt)))
        rows++;
    if (ret != SQL_NO_DATA)
        must(ret, SQL_HANDLE_STMT, stmt, "fetch");
    (void)SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return rows;
}

int main(int argc, char **argv)
{
    SQLHENV env;
    SQLHDBC dbc;
    int64_t rows = 0;
    struct bench_run measured;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: odbc_loop CONNECTION_STRING STATEMENT...\n");
        return 2;
    }
    must(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env), SQL_HANDLE_ENV, SQL_NULL_HANDLE, "start");
    (void)SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0);
    must(SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc), SQL_HANDLE_ENV, env, "new connection");
    must(SQLDriverConnect(dbc, NULL, (SQLCHAR *)argv[1], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT),
         SQL_HANDLE_DBC, dbc, "connect");
    measured = bench_begin(0);
    for (int i = 2; i < argc; i++)
        rows += read_all(dbc, argv[i]);
    bench_tell(&measured, "bare ODBC loop, bound natively", (uint64_t)rows);
    (void)SQLDisconnect(dbc);
    (void)SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    (void)SQLFreeHandle(SQL_HANDLE_ENV, env);
    return 0;
}
