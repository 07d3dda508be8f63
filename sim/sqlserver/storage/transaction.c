/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "sql.h"
#include "tran.h"

#include <stdio.h>
#include <string.h>

int32_t ms_tran_count(const struct ms_session *session)
{
    return session->tran->count;
}

uint64_t ms_tran_descriptor(const struct ms_session *session)
{
    return session->tran->count ? session->tran->id : 0;
}

uint64_t ms_tran_id(const struct ms_session *session)
{
    return session->tran->id;
}

bool ms_tran_is_writing(const struct ms_session *session)
{
    return session->tran->writing;
}

static bool fixed_view(const struct ms_session *session)
{
    return session->isolation >= MS_REPEATABLE_READ;
}

static void start(struct ms_session *session)
{
    struct ms_tran *tran = session->tran;
    if (tran->id)
        return;
    tran->id = atomic_fetch_add(&session->server->last_tran_id, 1) + 1;
    tran->begin_time = ms_clock_datetime();
    tran->command_id = 0;
    tran->n_logs = 0;
    tran->undone = false;
}

static bool begin_sqlite(struct ms_session *session, const char *how, struct ms_error *err)
{
    if (!ms_sql_exec(session, err, how))
        return false;
    session->tran->in_sqlite = true;
    return true;
}

static bool end_read(struct ms_session *session, struct ms_error *err)
{
    session->tran->in_sqlite = false;
    return ms_sql_exec(session, err, "COMMIT");
}

/* Give the savepoints that were set so far to SQLite. */
static bool make_savepoints_physical(struct ms_session *session, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    for (; tran->n_physical < tran->n_savepoints; tran->n_physical++) {
        if (!ms_sql_execf(session, err, "SAVEPOINT s%d", tran->n_physical))
            return false;
    }
    return true;
}

static bool become_writer(struct ms_session *session, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (tran->in_sqlite && !end_read(session, err))
        return false;
    if (!ms_locks_writer(&session->server->locks, session, err))
        return false;
    if (!begin_sqlite(session, "BEGIN IMMEDIATE", err)) {
        ms_locks_writer_release(&session->server->locks, session);
        return false;
    }
    tran->writing = true;
    return make_savepoints_physical(session, err);
}

/* After the physical end: nothing is held any more. */
static void forget(struct ms_session *session)
{
    struct ms_tran *tran = session->tran;
    bool wrote = tran->writing;
    tran->in_sqlite = false;
    tran->writing = false;
    tran->id = 0;
    tran->count = 0;
    tran->name[0] = 0;
    tran->n_savepoints = 0;
    tran->n_physical = 0;
    tran->n_logs = 0;
    tran->n_identities = 0;
    tran->last_locked = 0;
    ms_locks_release(&session->server->locks, session, -1);
    if (wrote)
        ms_locks_writer_release(&session->server->locks, session);
}

void ms_tran_abandon(struct ms_session *session)
{
    if (session->tran->in_sqlite && !sqlite3_get_autocommit(session->db))
        sqlite3_exec(session->db, "ROLLBACK", NULL, NULL, NULL);
    ms_fk_statement_forget(session);
    forget(session);
}

static bool commit_physical(struct ms_session *session, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (tran->writing) {
        if (!ms_identity_flush(session, err) || !ms_log_commit(session, err) ||
            !ms_sql_exec(session, err, "COMMIT")) {
            ms_tran_abandon(session);
            return false;
        }
        ms_catalog_publish(session->server, session->catalog);
        forget(session);
        return true;
    }
    if (tran->in_sqlite && !sqlite3_get_autocommit(session->db))
        sqlite3_exec(session->db, "COMMIT", NULL, NULL, NULL);
    forget(session);
    return true;
}

static bool session_alive(struct ms_session *session, struct ms_error *err)
{
    if (!session->killed)
        return true;
    ms_tran_abandon(session);
    return ms_error_set(err, 596, 21, 1,
                        "Cannot continue the execution because the session is in the kill state.");
}

static bool statement_begin(struct ms_session *session, enum ms_statement_kind kind, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (tran->depth > 0) {
        if (kind == MS_STATEMENT_WRITE && !tran->statement_write)
            return ms_error_set(err, 3930, 16, 1,
                                "A statement that writes cannot run inside a statement that only reads.");
        tran->depth++;
        return true;
    }
    if (!session_alive(session, err))
        return false;
    ms_sql_trim(session);
    start(session);
    bool ok = true;
    if (kind == MS_STATEMENT_WRITE && !tran->writing)
        ok = become_writer(session, err);
    else if (!tran->in_sqlite)
        ok = begin_sqlite(session, "BEGIN", err);
    ok = ok && ms_catalog_refresh(session, !tran->writing, err);
    if (ok && kind == MS_STATEMENT_WRITE)
        ok = ms_sql_exec(session, err, "SAVEPOINT statement");
    if (!ok) {
        if (tran->count == 0)
            ms_tran_abandon(session);
        return false;
    }
    tran->statement_write = kind == MS_STATEMENT_WRITE;
    tran->statement_changed = false;
    tran->depth = 1;
    return true;
}

bool ms_statement_begin(struct ms_session *session, enum ms_statement_kind kind, struct ms_error *err)
{
    pthread_mutex_lock(&session->tran->busy); /* until the end of the statement */
    if (statement_begin(session, kind, err))
        return true;
    pthread_mutex_unlock(&session->tran->busy);
    return false;
}

static bool undo_statement(struct ms_session *session)
{
    struct ms_error ignored;
    session->tran->undone = true;
    return ms_sql_exec(session, &ignored, "ROLLBACK TO statement") &&
           ms_sql_exec(session, &ignored, "RELEASE statement") &&
           ms_catalog_refresh(session, false, &ignored);
}

static bool statement_end(struct ms_session *session, bool ok, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    bool result = true;
    if (--tran->depth > 0)
        return true;
    if (tran->statement_write) {
        if (ok && !ms_fk_statement_end(session, err))
            result = ok = false;
        ms_fk_statement_forget(session);
        if (ok)
            result = ok = ms_sql_exec(session, err, "RELEASE statement");
        else if (tran->in_sqlite)
            undo_statement(session);
        tran->statement_write = false;
    }
    if (tran->count == 0) {
        if (!ok && tran->writing)
            ms_tran_abandon(session);
        else
            result = commit_physical(session, err) && result;
    } else if (tran->in_sqlite && !tran->writing && !fixed_view(session)) {
        result = end_read(session, err) && result;
    }
    return result;
}

bool ms_statement_end(struct ms_session *session, bool ok, struct ms_error *err)
{
    bool result = statement_end(session, ok, err);
    if (session->killed && session->tran->depth == 0)
        ms_tran_abandon(session);
    pthread_mutex_unlock(&session->tran->busy);
    return result;
}

bool ms_tran_begin(struct ms_session *session, const char *name, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (!session_alive(session, err))
        return false;
    start(session);
    if (tran->count++ == 0)
        snprintf(tran->name, sizeof tran->name, "%s", name ? name : "");
    return true;
}

static bool commit(struct ms_session *session, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (!session_alive(session, err))
        return false;
    if (tran->count == 0)
        return ms_error_set(err, 3902, 16, 1,
                            "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.");
    if (tran->count > 1) {
        tran->count--;
        return true;
    }
    return commit_physical(session, err);
}

static int32_t find_savepoint(const struct ms_tran *tran, const char *name)
{
    for (int32_t i = tran->n_savepoints - 1; i >= 0; i--) {
        if (ms_name_equal(tran->savepoints[i], name))
            return i;
    }
    return -1;
}

static bool rollback(struct ms_session *session, const char *name, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (tran->count == 0)
        return ms_error_set(err, 3903, 16, 1,
                            "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.");
    int32_t at = name && *name ? find_savepoint(tran, name) : -1;
    if (at < 0 && name && *name && !ms_name_equal(name, tran->name))
        return ms_error_set(err, 6401, 16, 1,
                            "Cannot roll back %s. No transaction or savepoint of that name was found.", name);
    if (at < 0) {
        ms_tran_abandon(session);
        return true;
    }
    if (at < tran->n_physical) {
        tran->undone = true;
        tran->n_physical = at + 1;
        if (!ms_sql_execf(session, err, "ROLLBACK TO s%d", at) || !ms_catalog_refresh(session, false, err))
            return false;
    }
    /* the savepoint itself stays, and with it the locks from before it */
    tran->n_savepoints = at + 1;
    tran->last_locked = 0;
    ms_locks_release(&session->server->locks, session, at);
    return true;
}

bool ms_tran_commit(struct ms_session *session, struct ms_error *err)
{
    pthread_mutex_lock(&session->tran->busy);
    bool ok = commit(session, err);
    pthread_mutex_unlock(&session->tran->busy);
    return ok;
}

bool ms_tran_rollback(struct ms_session *session, const char *name, struct ms_error *err)
{
    pthread_mutex_lock(&session->tran->busy);
    bool ok = rollback(session, name, err);
    pthread_mutex_unlock(&session->tran->busy);
    return ok;
}

bool ms_tran_save(struct ms_session *session, const char *name, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (tran->count == 0)
        return ms_error_set(err, 628, 16, 0,
                            "Cannot issue SAVE TRANSACTION when there is no active transaction.");
    if (tran->n_savepoints == MS_MAX_SAVEPOINTS)
        return ms_error_set(err, 701, 17, 1, "More than %d savepoints in one transaction.",
                            MS_MAX_SAVEPOINTS);
    snprintf(tran->savepoints[tran->n_savepoints++], sizeof tran->savepoints[0], "%s", name);
    return !tran->writing || make_savepoints_physical(session, err);
}

bool ms_lock_table(struct ms_session *session, int32_t object_id, enum ms_lock_mode mode,
                   struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    if (session->internal)
        return true;
    if (mode == MS_LOCK_READ &&
        (session->isolation == MS_READ_UNCOMMITTED || session->isolation == MS_SNAPSHOT))
        return true;
    if (mode == MS_LOCK_IX && tran->last_locked == object_id)
        return true;
    if (!ms_locks_table(&session->server->locks, session, object_id, mode, tran->n_savepoints, err))
        return false;
    if (mode == MS_LOCK_IX)
        tran->last_locked = object_id;
    return true;
}
