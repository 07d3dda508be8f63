/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of connections and statements, for the files of this folder only. */
#ifndef SLUICE_NET_ODBC_CONNECTION_H
#define SLUICE_NET_ODBC_CONNECTION_H

#include "base/thread.h"
#include "net/odbc/odbc.h"

struct sl_odbc {
    SQLHENV env;
    SQLHDBC dbc;
    bool lost;
    bool microsoft; /* the driver: the two differ in how they give decimals */
    int query_timeout_s;
    struct sl_odbc_stmt *statements; /* all of this connection */
    _Atomic(SQLHSTMT) active;        /* the statement inside a call; what cancel aims at */
    _Atomic uint64_t calls;          /* how many have begun */
    _Atomic bool cancelling; /* whoever returns from a call waits for the lock before he makes another */
    _Atomic bool cancelled;  /* a cancel went out since the last execute */

    pthread_mutex_t cancel_lock; /* guards the rest, and is held while a call is cancelled */
    pthread_cond_t closed;
    struct sl_thread watcher; /* cancels the call that lasts */
    bool watching;
    bool closing;
};

struct sl_odbc_stmt {
    struct sl_odbc *conn;
    struct sl_odbc_stmt *next;
    SQLHSTMT handle;
    char *sql;      /* of a direct one; NULL when prepared */
    char doing[64]; /* begins the error text: the start of the SQL */
    struct sl_cell *cells;
    int n_cells;
    uint8_t *row; /* what the bound cells' data points into */
    struct sl_buf *longs;
    SQLLEN param_len[8]; /* indicators of the parameters */
    bool described;
    bool open; /* an answer is being read */
};

/* cancel.c. done comes before any handle is freed: nobody cancels after it. */
void sl_odbc_cancel_init(struct sl_odbc *conn);
void sl_odbc_cancel_done(struct sl_odbc *conn);
void sl_odbc_wait_for_cancel(struct sl_odbc *conn);

/* Around each call of the driver that may wait for the server. */
static inline void sl_odbc_call_begins(struct sl_odbc_stmt *stmt)
{
    struct sl_odbc *conn = stmt->conn;
    uint64_t calls = atomic_load_explicit(&conn->calls, memory_order_relaxed);

    atomic_store_explicit(&conn->calls, calls + 1, memory_order_relaxed);
    atomic_store_explicit(&conn->active, stmt->handle, memory_order_release);
}

static inline void sl_odbc_call_ends(struct sl_odbc_stmt *stmt)
{
    struct sl_odbc *conn = stmt->conn;

    atomic_store(&conn->active, NULL); /* seen before cancelling is read here, or by who sets that */
    if (__builtin_expect(atomic_load(&conn->cancelling), 0))
        sl_odbc_wait_for_cancel(conn);
}

/* By a driver's path or registered name. */
bool sl_odbc_is_microsoft(const char *driver);

/* An error of this statement, with its connection marked when that is gone. */
enum sl_rc sl_odbc_stmt_error(struct sl_odbc_stmt *stmt, struct sl_error *err);

#endif
