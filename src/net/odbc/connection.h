/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of connections and statements, for the files of this folder only. */
#ifndef SLUICE_NET_ODBC_CONNECTION_H
#define SLUICE_NET_ODBC_CONNECTION_H

#include "net/odbc/odbc.h"

#include <pthread.h>
#include <stdatomic.h>

struct sl_odbc {
    SQLHENV env;
    SQLHDBC dbc;
    bool lost;
    bool microsoft; /* the driver: the two differ in how they give decimals */
    int query_timeout_s;
    struct sl_odbc_stmt *statements; /* all of this connection */
    pthread_mutex_t cancel_lock;     /* keeps the handle in active from being freed under a cancel */
    _Atomic(SQLHSTMT) active;        /* the statement inside execute or fetch; what cancel aims at */
    _Atomic bool cancelled;          /* a cancel went out since the last execute */
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

/* By a driver's path or registered name. */
bool sl_odbc_is_microsoft(const char *driver);

/* An error of this statement, with its connection marked when that is gone. */
enum sl_rc sl_odbc_stmt_error(struct sl_odbc_stmt *stmt, struct sl_error *err);

#endif
