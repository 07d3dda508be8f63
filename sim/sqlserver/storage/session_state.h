/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a session, shared by storage/ (which opens and closes it and owns its transaction) and tsql/
 * (which owns the SET options and everything behind `tsql`). One thread at a time uses a session; only
 * `cancelled` is touched from elsewhere.
 */
#ifndef SIM_SQLSERVER_STORAGE_SESSION_STATE_H
#define SIM_SQLSERVER_STORAGE_SESSION_STATE_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "../session.h"
#include "error.h"

struct ms_catalog;
struct ms_tran;

enum ms_isolation {
    MS_READ_UNCOMMITTED = 1,
    MS_READ_COMMITTED = 2, /* the default */
    MS_REPEATABLE_READ = 3,
    MS_SERIALIZABLE = 4,
    MS_SNAPSHOT = 5,
};

struct ms_session {
    struct ms_server *server;
    sqlite3 *db;          /* this session's own connection; temporary tables live in its "temp" schema */
    struct ms_tran *tran; /* transaction.h */
    struct ms_catalog *catalog; /* as of the running statement; catalog.h */
    void *tsql;                 /* owned by tsql/: prepared handles, temporary tables, cursors, plan cache */
    struct ms_sql_cache *sql;   /* storage's own prepared statements; sql.h */
    struct ms_row_cache *rows;  /* row.c */
    atomic_bool cancelled; /* set by ms_session_cancel; storage stops waits and running SQLite statements */

    uint16_t spid;
    int32_t db_id; /* the current database */
    char database[129];
    int32_t login_db_id; /* the one after login, for ms_session_reset */
    char login[129];
    int32_t login_id;
    bool sysadmin;
    bool read_only_intent;
    char app_name[129];
    char host_name[129];
    int64_t login_time_dt; /* datetime ticks */

    /* SET options that storage reads */
    _Atomic enum ms_isolation isolation;
    _Atomic int32_t lock_timeout_ms; /* -1: wait for ever */
    int32_t deadlock_priority;

    struct ms_error pending; /* of a SQLite function that failed; number 0: none */
    atomic_bool killed;      /* its transaction was taken by ALTER DATABASE ... ROLLBACK IMMEDIATE */
    bool internal;           /* a capture job's own session: not listed, no login */
    struct ms_session *next; /* in the server's list, under its mutex */

    /* written by storage at each row it inserts */
    bool has_identity; /* false: @@IDENTITY is NULL */
    int64_t last_identity;
};

/*
 * Implemented by tsql/. open: called at the end of ms_session_open (sets session->tsql, registers SQLite
 * functions); reset: from ms_session_reset after the transaction was rolled back; close: before the
 * connection is closed. Weak, so that storage's own tests link without tsql/.
 */
void ms_tsql_session_open(struct ms_session *session) __attribute__((weak));
void ms_tsql_session_reset(struct ms_session *session) __attribute__((weak));
void ms_tsql_session_close(struct ms_session *session) __attribute__((weak));

/*
 * ALTER DATABASE ... WITH ROLLBACK IMMEDIATE: call this before ms_statement_begin. Every other session in
 * that database loses its transaction and answers error 596 (severity 21: the wire should close) from then
 * on.
 */
void ms_session_kill_others(struct ms_session *session, const char *database);

/* USE: 911 no such database, 916 no user in it, 942 offline. The caller tells env() and message 5701. */
bool ms_session_use(struct ms_session *session, const char *database, struct ms_error *err);

/*
 * A user function that storage registered (fn_cdc_..., OBJECT_ID ...) can fail with an error of SQL Server.
 * SQLite then answers SQLITE_ERROR; this tells the real error and forgets it. False when there was none.
 */
bool ms_session_take_error(struct ms_session *session, struct ms_error *ret_err);

/* For functions registered on the connection: keep the error and fail the SQLite call. */
void ms_session_fail_function(struct ms_session *session, sqlite3_context *context,
                              const struct ms_error *err);

/* Turn the connection's last SQLite error into an ms_error (taken error, cancel 3617, 2627, deadlock, 8630
 * ...). */
bool ms_session_sqlite_error(struct ms_session *session, struct ms_error *err);

#endif
