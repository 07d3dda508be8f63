/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The housekeeping thread of a log that is open for writing. It moves what commits left in the write-ahead
 * log into the database, writes readers' positions, removes and compacts, and gives space back. Trouble here
 * loses nothing: it is said once and tried again.
 */
#include "transport/sqlite/housekeeper.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

enum {
    HOLDS_US = 1000000,
    STEP_BYTES = 32 << 20, /* removed per transaction */
    KEEP_FREE_BYTES = 32 << 20,
};

static void complain(struct sl_sqlite *log, const char *sentence, const struct sl_error *err)
{
    if (strcmp(log->last_complaint, err->text) == 0)
        return;
    memcpy(log->last_complaint, err->text, sizeof(log->last_complaint));
    sl_log_error(SL_LEVEL_WARN, sentence, err);
}

static void checkpoint(struct sl_sqlite *log)
{
    struct sl_error err;
    int code =
        sqlite3_wal_checkpoint_v2(log->checkpointer.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        (void)sl_sqlite_db_fail(&log->checkpointer, "moving the write-ahead log into it", &err);
        complain(log, "the log could not be checkpointed, and goes on with a longer write-ahead log", &err);
    }
}

static bool holds_dirty(struct sl_sqlite *log)
{
    bool dirty;

    (void)pthread_mutex_lock(&log->table_lock);
    dirty = log->holds_dirty && sl_now_us() - log->holds_stored_us >= HOLDS_US;
    (void)pthread_mutex_unlock(&log->table_lock);
    return dirty;
}

void sl_sqlite_housekeeper_store_holds(struct sl_sqlite *log)
{
    struct sl_error err;

    if (sl_sqlite_sync_commits(&log->transport, &err))
        complain(log, "readers' positions could not be written, and will be later", &err);
}

static bool stopping(struct sl_sqlite *log)
{
    bool stop;

    (void)pthread_mutex_lock(&log->wait_lock);
    stop = log->stopping;
    (void)pthread_mutex_unlock(&log->wait_lock);
    return stop;
}

/* Give pages back that will hardly be needed soon: what is free beyond a quarter of the file. */
static enum sl_rc vacuum_step(struct sl_sqlite *log, bool *ret_more, struct sl_error *err)
{
    int64_t free_pages = 0;
    int64_t pages = 0;
    int64_t page_size = 0;
    enum sl_rc rc = sl_sqlite_db_integer(&log->db, "PRAGMA freelist_count", &free_pages, err);

    if (!rc)
        rc = sl_sqlite_db_integer(&log->db, "PRAGMA page_count", &pages, err);
    if (!rc)
        rc = sl_sqlite_db_integer(&log->db, "PRAGMA page_size", &page_size, err);
    *ret_more = !rc && free_pages * page_size > KEEP_FREE_BYTES && free_pages * 4 > pages;
    if (*ret_more)
        rc = sl_sqlite_db_exec(&log->db, "PRAGMA incremental_vacuum(1024)", err);
    return rc;
}

typedef enum sl_rc locked_step(struct sl_sqlite *log, bool *ret_more, struct sl_error *err);

static enum sl_rc remove_step(struct sl_sqlite *log, bool *ret_more, struct sl_error *err)
{
    return sl_sqlite_retention_step(log, STEP_BYTES, ret_more, err);
}

/* Repeat a step as long as it says that there is more; appends get the lock between two steps. */
static enum sl_rc repeat(struct sl_sqlite *log, locked_step *step, struct sl_error *err)
{
    bool more = true;
    enum sl_rc rc = SL_OK;

    while (!rc && more && !stopping(log)) {
        (void)pthread_mutex_lock(&log->lock);
        rc = step(log, &more, err);
        (void)pthread_mutex_unlock(&log->lock);
    }
    return rc;
}

void sl_sqlite_housekeeper_tidy(struct sl_sqlite *log)
{
    struct sl_error err;
    bool more = true;
    enum sl_rc rc = repeat(log, remove_step, &err);

    if (rc)
        complain(log, "old records could not be removed, and stay until the next time", &err);
    for (rc = SL_OK; !rc && more && !stopping(log);)
        rc = sl_sqlite_compact_step(log, &more, &err);
    if (rc)
        complain(log, "a topic could not be compacted, and stays as it is", &err);
    rc = repeat(log, vacuum_step, &err);
    if (rc)
        complain(log, "free space could not be given back", &err);
}

static void work(void *arg)
{
    struct sl_sqlite *log = arg;
    int64_t next_tidy = sl_now_us() + log->settings.retention_check_ms * 1000;

    sl_log_context(NULL, "log");
    (void)pthread_mutex_lock(&log->wait_lock);
    while (!log->stopping) {
        int64_t deadline = sl_now_us() + HOLDS_US;
        bool wal;
        bool tidy;

        if (!log->checkpoint_wanted)
            (void)sl_cond_wait(&log->work, &log->wait_lock, deadline < next_tidy ? deadline : next_tidy);
        if (log->stopping)
            break;
        wal = log->checkpoint_wanted;
        log->checkpoint_wanted = false;
        tidy = sl_now_us() >= next_tidy;
        (void)pthread_mutex_unlock(&log->wait_lock);
        if (wal)
            checkpoint(log);
        if (holds_dirty(log))
            sl_sqlite_housekeeper_store_holds(log);
        if (tidy) {
            sl_sqlite_housekeeper_tidy(log);
            next_tidy = sl_now_us() + log->settings.retention_check_ms * 1000;
        }
        (void)pthread_mutex_lock(&log->wait_lock);
    }
    (void)pthread_mutex_unlock(&log->wait_lock);
}

/* After each commit of the writing connection, with `lock` held. */
static int committed(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct sl_sqlite *log = arg;

    (void)handle;
    (void)name;
    log->wal_pages = pages;
    if (pages < log->wal_asked)
        log->wal_asked = 0;
    if (pages - log->wal_asked >= SL_SQLITE_WAL_PAGES) {
        log->wal_asked = pages;
        (void)pthread_mutex_lock(&log->wait_lock);
        log->checkpoint_wanted = true;
        (void)pthread_cond_signal(&log->work);
        (void)pthread_mutex_unlock(&log->wait_lock);
    }
    return SQLITE_OK;
}

void sl_sqlite_wal_bound(struct sl_sqlite *log, bool disk_is_full)
{
    if (!disk_is_full && log->wal_pages < SL_SQLITE_WAL_PAGES_MAX)
        return;
    /* No writer but us, and we hold the lock: all of it can be moved, and the next commit starts over in the
     * space that the write-ahead log has already. */
    (void)sqlite3_wal_checkpoint_v2(log->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    log->wal_pages = 0;
}

enum sl_rc sl_sqlite_housekeeper_start(struct sl_sqlite *log, struct sl_error *err)
{
    enum sl_rc rc = sl_sqlite_db_open(&log->checkpointer, log->path, SL_SQLITE_WRITE, err);

    if (!rc)
        rc =
            sl_sqlite_db_exec(&log->checkpointer, "PRAGMA synchronous = FULL; PRAGMA cache_size = -256", err);
    if (rc)
        return rc;
    (void)sqlite3_wal_hook(log->db.handle, committed, log);
    sl_thread_start(&log->housekeeper, "log-keeper", work, log);
    return SL_OK;
}

void sl_sqlite_housekeeper_stop(struct sl_sqlite *log)
{
    (void)pthread_mutex_lock(&log->wait_lock);
    log->stopping = true;
    (void)pthread_cond_broadcast(&log->work);
    (void)pthread_mutex_unlock(&log->wait_lock);
    sl_thread_join(&log->housekeeper);
    if (log->checkpointer.handle)
        sl_sqlite_db_close(&log->checkpointer);
}
