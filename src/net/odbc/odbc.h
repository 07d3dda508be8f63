/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin wrapper on ODBC: connections to a SQL Server, statements on them, rows as natively typed cells. It
 * knows diagnostics and drivers (FreeTDS by default, Microsoft's by option); it knows nothing of change data
 * capture.
 *
 * Numbers and dates are never fetched as text. A cell is bound once per prepared statement and then refilled
 * by every fetch, so a row costs no allocation here.
 *
 * Threads: a connection and its statements belong to one thread at a time; sl_odbc_cancel alone may come from
 * another. Each connection has an environment of its own, because the driver manager takes its lock per
 * environment.
 */
#ifndef SLUICE_NET_ODBC_H
#define SLUICE_NET_ODBC_H

#include "base/buf.h"
#include "sluice/error.h"

#include <sql.h>
#include <sqlext.h>
#include <stdint.h>

enum sl_odbc_encrypt {
    SL_ODBC_ENCRYPT_REQUEST = 0, /* when the server offers it */
    SL_ODBC_ENCRYPT_OFF,
    SL_ODBC_ENCRYPT_REQUIRE,
    SL_ODBC_ENCRYPT_STRICT, /* TDS 8.0: Microsoft's driver only */
};

/* Whom to call. All texts are borrowed for the time of the call; NULL: not said. */
struct sl_odbc_target {
    const char *driver; /* path or registered name; NULL: FreeTDS, wherever it is installed */
    const char *host;
    int port;             /* 0: the default, or the instance's own */
    const char *instance; /* named instance */
    const char *database;
    const char *user; /* NULL: integrated authentication */
    const char *password;
    const char *application; /* as the server's administrator sees it */
    enum sl_odbc_encrypt encrypt;
    bool trust_server_certificate;
    const char *host_name_in_certificate;
    bool read_only; /* ApplicationIntent=ReadOnly */
    int packet_bytes;
    int login_timeout_s; /* 0: the driver's own */
    int query_timeout_s; /* of each statement; 0: none */
};

struct sl_odbc;      /* a connection */
struct sl_odbc_stmt; /* a statement on it */

/* "DRIVER=...;Server=...": every value that could end early is in braces. Holds the password: never log it.
 */
enum sl_rc sl_odbc_connection_string(const struct sl_odbc_target *target, struct sl_buf *ret_text,
                                     struct sl_error *err);

/* The FreeTDS driver's path or registered name; NULL when none is found. Static memory. */
const char *sl_odbc_find_freetds(void);

/* Errors: CONNECT (nobody answers), AUTH (login refused), NOT_FOUND (no such database), CONFIG (no driver).
 */
enum sl_rc sl_odbc_open(const struct sl_odbc_target *target, struct sl_odbc **ret_conn, struct sl_error *err);

/* Frees its statements too. NULL is fine. */
void sl_odbc_close(struct sl_odbc *conn);

/* True once an error said that the connection is gone. */
bool sl_odbc_is_lost(const struct sl_odbc *conn);

/*
 * Make a call that goes on for longer than half a second fail with STOPPED: the one that runs now, or the
 * next ones of the same stretch. What answers sooner is left alone (cancel.c says why). Any thread; does not
 * wait. An answer that was cut short this way never looks like one that ended.
 */
void sl_odbc_cancel(struct sl_odbc *conn);

/* Run a text that gives no rows. */
enum sl_rc sl_odbc_run(struct sl_odbc *conn, const char *sql, struct sl_error *err);

/* What a cell holds. */
enum sl_cell_kind {
    SL_CELL_INT,       /* int64_t: bit, tinyint .. bigint */
    SL_CELL_DOUBLE,    /* double: real, float */
    SL_CELL_NUMERIC,   /* SQL_NUMERIC_STRUCT: decimal, numeric; money with Microsoft's driver */
    SL_CELL_MONEY,     /* see sl_cell_money: money and smallmoney with FreeTDS */
    SL_CELL_DATE,      /* SQL_DATE_STRUCT */
    SL_CELL_TIMESTAMP, /* SQL_TIMESTAMP_STRUCT: datetime.., and time with today's date in front */
    SL_CELL_OFFSET,    /* struct sl_cell_offset: datetimeoffset */
    SL_CELL_GUID,      /* SQLGUID */
    SL_CELL_TEXT,      /* UTF-8 */
    SL_CELL_BYTES,
    SL_CELL_OTHER, /* a type that is not read (sql_variant) */
};

/* SQL_SS_TIMESTAMPOFFSET_STRUCT of both drivers. */
struct sl_cell_offset {
    int16_t year;
    uint16_t month, day, hour, minute, second;
    uint32_t fraction; /* ns */
    int16_t offset_hour, offset_minute;
};

/* One column of the current row. */
struct sl_cell {
    enum sl_cell_kind kind;
    bool is_long;      /* of no bounded length: fetched by sl_odbc_read_long, not bound */
    SQLLEN len;        /* bytes of text and bytes, or SQL_NULL_DATA */
    const void *data;  /* where each fetch puts the value; NULL for long ones until read */
    size_t capacity;   /* bytes behind data */
    SQLSMALLINT type;  /* ODBC's SQL type */
    SQLULEN size;      /* precision, or length in characters */
    SQLSMALLINT scale; /* digits after the point */
    char name[129];
};

static inline bool sl_cell_is_null(const struct sl_cell *cell)
{
    return cell->len == SQL_NULL_DATA;
}

/* Ten-thousandths. On the wire money is its high half before its low one, smallmoney one half. */
static inline int64_t sl_cell_money(const struct sl_cell *cell)
{
    int32_t first;
    uint32_t low;

    memcpy(&first, cell->data, 4);
    if (cell->len == 4)
        return first;
    memcpy(&low, (const uint8_t *)cell->data + 4, 4);
    return (int64_t)((uint64_t)(uint32_t)first << 32 | low);
}

/*
 * Statements. SQL text uses ? for parameters; values never become part of the text. A prepared one is kept by
 * the server between executions; a direct one is sent as text each time.
 */
enum sl_rc sl_odbc_prepare(struct sl_odbc *conn, const char *sql, struct sl_odbc_stmt **ret_stmt,
                           struct sl_error *err);
enum sl_rc sl_odbc_direct(struct sl_odbc *conn, const char *sql, struct sl_odbc_stmt **ret_stmt,
                          struct sl_error *err);
void sl_odbc_stmt_free(struct sl_odbc_stmt *stmt); /* NULL is fine */

/* Parameters, from 1. The memory is read at execute. */
enum sl_rc sl_odbc_bind_binary(struct sl_odbc_stmt *stmt, int index, const void *bytes, size_t len,
                               struct sl_error *err);
enum sl_rc sl_odbc_bind_text(struct sl_odbc_stmt *stmt, int index, const char *text, struct sl_error *err);
enum sl_rc sl_odbc_bind_int(struct sl_odbc_stmt *stmt, int index, const int64_t *value, struct sl_error *err);

/* Send it and wait for the first answer. The columns are described and bound when first executed. */
enum sl_rc sl_odbc_execute(struct sl_odbc_stmt *stmt, struct sl_error *err);

/* The next row into the cells; *ret_row false at the end. */
enum sl_rc sl_odbc_fetch(struct sl_odbc_stmt *stmt, bool *ret_row, struct sl_error *err);

/* The rest of an answer of several result sets: *ret_more tells whether there is another one. */
enum sl_rc sl_odbc_next_result(struct sl_odbc_stmt *stmt, bool *ret_more, struct sl_error *err);

/* Drop what is left of the answer; the statement can be executed again. */
void sl_odbc_finish(struct sl_odbc_stmt *stmt);

int sl_odbc_n_cells(const struct sl_odbc_stmt *stmt);
const struct sl_cell *sl_odbc_cell(const struct sl_odbc_stmt *stmt, int column); /* from 0 */

/*
 * Read a long cell of the current row whole: afterwards its data and len are set, until the next fetch. Long
 * cells come after all others in the select list and are read in order, each once (ODBC's rule).
 */
enum sl_rc sl_odbc_read_long(struct sl_odbc_stmt *stmt, int column, struct sl_error *err);

/* Of small queries: text (or "" when NULL), integer (or 0), both of bound cells. */
const char *sl_odbc_text(const struct sl_odbc_stmt *stmt, int column);
int64_t sl_odbc_int(const struct sl_odbc_stmt *stmt, int column);

/* Turn what a handle says into an error object; see diagnostics.c for the table. Marks the connection lost.
 */
enum sl_rc sl_odbc_diagnose(SQLSMALLINT handle_type, SQLHANDLE handle, const char *doing, bool *ret_lost,
                            struct sl_error *err);

/* The code for a SQL Server error number and a SQLSTATE. */
enum sl_rc sl_odbc_classify(int32_t native, const char *sqlstate);

#endif
