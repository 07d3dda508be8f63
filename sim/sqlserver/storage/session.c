/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "functions.h"
#include "login.h"
#include "row_cache.h"
#include "sql.h"
#include "tran.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_OPS 4000

static int stop_when_cancelled(void *session)
{
    return ((struct ms_session *)session)->cancelled;
}

static bool open_connection(struct ms_session *session)
{
    /* A killed process loses nothing with synchronous=OFF: the WAL's pages are the kernel's by then. */
    static const char *const pragmas =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
        "PRAGMA secure_delete=OFF; PRAGMA cache_size=-16000;"
        "PRAGMA wal_autocheckpoint=4000; PRAGMA automatic_index=ON";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(session->server->path, &session->db, flags, NULL) != SQLITE_OK) {
        fprintf(stderr, "mssim: cannot open %s: %s\n", session->server->path, sqlite3_errmsg(session->db));
        return false;
    }
    sqlite3_busy_timeout(session->db, 10000);
    sqlite3_extended_result_codes(session->db, 1);
    sqlite3_exec(session->db, pragmas, NULL, NULL, NULL);
    sqlite3_progress_handler(session->db, PROGRESS_OPS, stop_when_cancelled, session);
    ms_cell_register(session->db);
    ms_functions_register(session);
    return true;
}

static struct ms_session *new_session(struct ms_server *server)
{
    pthread_mutexattr_t attr;
    struct ms_session *session = ms_heap_alloc(sizeof *session);
    session->server = server;
    session->sql = ms_sql_cache_new();
    session->tran = ms_heap_alloc(sizeof *session->tran);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&session->tran->busy, &attr);
    pthread_mutexattr_destroy(&attr);
    session->isolation = MS_READ_COMMITTED;
    session->lock_timeout_ms = -1;
    session->db_id = 1;
    snprintf(session->database, sizeof session->database, "master");
    session->login_time_dt = ms_clock_datetime();
    return session;
}

static void free_session(struct ms_session *session)
{
    ms_tran_abandon(session);
    ms_row_cache_free(session->rows);
    ms_sql_cache_free(session->sql);

    sqlite3_close_v2(session->db);
    ms_catalog_unref(session->catalog);
    ms_buffer_free(&session->tran->image);
    ms_arena_free(&session->tran->fk_arena);
    ms_arena_free(&session->tran->row_arena);
    free(session->tran->fk_checks);
    free(session->tran->identities);
    pthread_mutex_destroy(&session->tran->busy);
    free(session->tran);
    free(session);
}

struct ms_session *ms_session_open_internal(struct ms_server *server)
{
    struct ms_session *session = new_session(server);
    session->internal = true;
    session->sysadmin = true;
    session->spid = 20;
    snprintf(session->login, sizeof session->login, "sa");
    if (open_connection(session))
        return session;
    free_session(session);
    return NULL;
}

static void enlist(struct ms_session *session)
{
    struct ms_server *server = session->server;
    pthread_mutex_lock(&server->mutex);
    session->spid = ++server->last_spid;
    if (server->last_spid >= 32000)
        server->last_spid = 50;
    session->next = server->sessions;
    server->sessions = session;
    pthread_mutex_unlock(&server->mutex);
}

static void delist(struct ms_session *session)
{
    pthread_mutex_lock(&session->server->mutex);
    struct ms_session **at = &session->server->sessions;
    while (*at && *at != session)
        at = &(*at)->next;
    if (*at)
        *at = session->next;
    pthread_mutex_unlock(&session->server->mutex);
}

static void tell(const struct ms_error *err, struct ms_message *ret_message)
{
    static _Thread_local struct ms_error kept;
    kept = *err;
    *ret_message = (struct ms_message){.number = kept.number,
                                       .state = kept.state,
                                       .severity = kept.severity,
                                       .text = kept.text,
                                       .procedure = kept.procedure,
                                       .line = 1};
}

static bool log_in(struct ms_session *session, const char *user, const char *password, const char *database,
                   struct ms_error *err)
{
    if (!ms_statement_begin(session, MS_STATEMENT_READ, err))
        return false;
    bool ok = ms_login_check(session, user, password, err);
    ms_statement_end(session, true, &(struct ms_error){0});
    if (!ok || !database || !*database)
        return ok;
    struct ms_error why;
    return ms_session_use(session, database, &why) ||
           ms_error_set(err, 4060, 11, 1,
                        "Cannot open database \"%s\" requested by the login. The login failed.", database);
}

bool ms_session_open(struct ms_server *server, const char *user, const char *password, const char *database,
                     const char *app_name, const char *host_name, bool read_only_intent,
                     struct ms_session **ret_session, struct ms_message *ret_message)
{
    struct ms_error err = {0};
    struct ms_session *session = new_session(server);
    snprintf(session->app_name, sizeof session->app_name, "%s", app_name ? app_name : "");
    snprintf(session->host_name, sizeof session->host_name, "%s", host_name ? host_name : "");
    session->read_only_intent = read_only_intent;
    if (!open_connection(session))
        ms_error_set(&err, 17809, 20, 1, "The state file of the server cannot be opened.");
    else
        log_in(session, user ? user : "", password ? password : "", database, &err);
    if (err.number) {
        tell(&err, ret_message);
        free_session(session);
        return false;
    }
    session->login_db_id = session->db_id;
    enlist(session);
    if (ms_tsql_session_open)
        ms_tsql_session_open(session);
    *ret_session = session;
    return true;
}

void ms_session_close(struct ms_session *session)
{
    if (!session)
        return;
    if (!session->internal) {
        delist(session);
        if (ms_tsql_session_close)
            ms_tsql_session_close(session);
    }
    free_session(session);
}

const char *ms_session_database(const struct ms_session *session)
{
    return session->database;
}

uint16_t ms_session_spid(const struct ms_session *session)
{
    return session->spid;
}

void ms_session_reset(struct ms_session *session)
{
    struct ms_error ignored;
    if (session->tran->count)
        ms_tran_rollback(session, NULL, &ignored);
    session->isolation = MS_READ_COMMITTED;
    session->lock_timeout_ms = -1;
    session->has_identity = false;
    if (session->db_id != session->login_db_id && ms_statement_begin(session, MS_STATEMENT_READ, &ignored)) {
        const struct ms_database *db = ms_catalog_database_by_id(session, session->login_db_id);
        session->db_id = db ? db->db_id : 1;
        snprintf(session->database, sizeof session->database, "%s", db ? db->name : "master");
        ms_statement_end(session, true, &ignored);
    }
    if (ms_tsql_session_reset)
        ms_tsql_session_reset(session);
}

void ms_session_cancel(struct ms_session *session)
{
    session->cancelled = true;
    sqlite3_interrupt(session->db);
    ms_locks_wake(&session->server->locks);
}

static bool may_use(struct ms_session *session, const char *name, const struct ms_database *db,
                    struct ms_error *err)
{
    if (!db)
        return ms_error_set(err, 911, 16, 1,
                            "Database '%s' does not exist. Make sure that the name is entered correctly.",
                            name);
    if (db->offline)
        return ms_error_set(err, 942, 14, 4, "Database '%s' cannot be opened because it is offline.",
                            db->name);
    if (!ms_login_user(session, db->db_id))
        return ms_error_set(
            err, 916, 14, 2,
            "The server principal \"%s\" is not able to access the database \"%s\" under the current "
            "security context.",
            session->login, db->name);
    return true;
}

bool ms_session_use(struct ms_session *session, const char *database, struct ms_error *err)
{
    struct ms_error ignored;
    if (!ms_statement_begin(session, MS_STATEMENT_READ, err))
        return false;
    const struct ms_database *db = ms_catalog_database(session, database);
    bool ok = may_use(session, database, db, err);
    if (ok) {
        pthread_mutex_lock(&session->server->mutex); /* others count who is where */
        session->db_id = db->db_id;
        snprintf(session->database, sizeof session->database, "%s", db->name);
        pthread_mutex_unlock(&session->server->mutex);
    }
    ms_statement_end(session, true, &ignored);
    return ok;
}

bool ms_session_take_error(struct ms_session *session, struct ms_error *ret_err)
{
    if (!session->pending.number)
        return false;
    *ret_err = session->pending;
    session->pending.number = 0;
    return true;
}

void ms_session_fail_function(struct ms_session *session, sqlite3_context *context,
                              const struct ms_error *err)
{
    session->pending = *err;
    sqlite3_result_error(context, err->text, -1);
}

bool ms_session_sqlite_error(struct ms_session *session, struct ms_error *err)
{
    int code = sqlite3_errcode(session->db);
    const char *text = sqlite3_errmsg(session->db);
    if (ms_session_take_error(session, err))
        return false;
    switch (code & 0xFF) {
    case SQLITE_INTERRUPT:
        return ms_error_set(err, 3617, 16, 1, "The batch has been aborted by an attention of the client.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ms_error_set(err, 1222, 16, 52, "Lock request time out period exceeded.");
    case SQLITE_FULL:
        return ms_error_set(err, 1105, 17, 2,
                            "Could not allocate space: the disk of the state directory is full.");
    case SQLITE_CONSTRAINT: return ms_error_set(err, 2627, 14, 1, "Violation of a constraint (%s).", text);
    default: return ms_error_set(err, 8630, 17, 38, "Internal error of the storage (%d): %s.", code, text);
    }
}
