/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing old batches: by time, by a topic's size, and by the log's total size. What a reader's name has
 * reserved or not yet committed stays in any case. Batches go oldest first, over all partitions, in
 * transactions of bounded size. Compacted topics are left to compact.c.
 */
#include "transport/sqlite/log.h"

#include "base/clock.h"

/* The oldest batch of a partition, and the partition as it is to become. */
struct front {
    struct sl_sqlite_partition *partition;
    struct sl_sqlite_partition after;
    int64_t floor; /* offsets from here on are wanted by somebody */
    const char *holder;
    bool exists;
    int64_t id;
    int64_t next_offset;
    int64_t appended_ms;
    int64_t bytes;
};

struct sweep {
    struct sl_sqlite *log;
    struct front *fronts;
    size_t n, capacity;
    int64_t now_ms;
    bool for_room;   /* the total limit asks: age does not matter */
    int64_t removed; /* bytes so far */
};

static enum sl_rc load_front(struct sweep *sweep, struct front *front, struct sl_error *err)
{
    struct sl_sqlite_db *db = &sweep->log->db;
    sqlite3_stmt *row;
    enum sl_rc rc = sl_sqlite_db_statement(db, SL_SQL_FIRST_BATCH, &row, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(row, 1, front->partition->id);
    rc = sl_sqlite_db_next(db, SL_SQL_FIRST_BATCH, &front->exists, err);
    if (!rc && front->exists) {
        front->id = sqlite3_column_int64(row, 0);
        front->next_offset = sqlite3_column_int64(row, 2);
        front->appended_ms = sqlite3_column_int64(row, 3);
        front->bytes = sqlite3_column_int64(row, 4);
        sl_sqlite_db_reset(db, SL_SQL_FIRST_BATCH);
    }
    return rc;
}

static enum sl_rc add_fronts(struct sweep *sweep, struct sl_sqlite_topic *topic, struct sl_error *err)
{
    topic->bytes = 0;
    for (int32_t i = 0; i < topic->settings.partitions; i++) {
        struct sl_sqlite_partition *partition = &topic->partitions[i];
        struct front *front;
        enum sl_rc rc;

        topic->bytes += partition->bytes;
        if (partition->first_offset == partition->next_offset)
            continue;
        SL_GROW(sweep->fronts, sweep->n, sweep->capacity);
        front = &sweep->fronts[sweep->n++];
        *front = (struct front){.partition = partition, .after = *partition};
        front->floor = sl_sqlite_floor(sweep->log, partition, &front->holder);
        rc = load_front(sweep, front, err);
        if (rc)
            return rc;
    }
    return SL_OK;
}

static enum sl_rc sweep_begin(struct sweep *sweep, struct sl_error *err)
{
    struct sl_sqlite *log = sweep->log;
    enum sl_rc rc = SL_OK;

    sweep->now_ms = sl_wall_us() / 1000;
    for (size_t i = 0; !rc && i < log->n_topics; i++) {
        if (!log->in_order[i]->settings.compact)
            rc = add_fronts(sweep, log->in_order[i], err);
    }
    return rc;
}

static bool removable(const struct sweep *sweep, const struct front *front)
{
    const struct sl_sqlite_topic *topic = front->partition->topic;
    const struct sl_topic_settings *settings = &topic->settings;

    if (!front->exists || front->next_offset > front->floor)
        return false;
    /* "For ever" is meant: the total limit does not override it. */
    if (sweep->for_room)
        return settings->retention_ms >= 0 || settings->retention_bytes >= 0;
    if (settings->retention_ms >= 0 && front->appended_ms < sweep->now_ms - settings->retention_ms)
        return true;
    return settings->retention_bytes >= 0 && topic->bytes - front->bytes >= settings->retention_bytes;
}

static struct front *oldest(const struct sweep *sweep)
{
    struct front *best = NULL;

    for (size_t i = 0; i < sweep->n; i++) {
        struct front *front = &sweep->fronts[i];

        if (removable(sweep, front) && (!best || front->id < best->id))
            best = front;
    }
    return best;
}

static enum sl_rc remove_front(struct sweep *sweep, struct front *front, struct sl_error *err)
{
    struct sl_sqlite_db *db = &sweep->log->db;
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(db, SL_SQL_DROP_BATCH, &statement, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(statement, 1, front->id);
    rc = sl_sqlite_db_run(db, SL_SQL_DROP_BATCH, err);
    if (rc)
        return rc;
    front->after.first_offset = front->next_offset;
    front->after.bytes -= front->bytes;
    front->partition->topic->bytes -= front->bytes;
    sweep->removed += front->bytes;
    return load_front(sweep, front, err);
}

/* In a transaction: remove up to about bytes, then write the partitions' rows. */
static enum sl_rc sweep_run(struct sweep *sweep, int64_t bytes, bool *ret_more, struct sl_error *err)
{
    struct front *front = oldest(sweep);
    enum sl_rc rc = SL_OK;

    while (!rc && front && sweep->removed < bytes) {
        rc = remove_front(sweep, front, err);
        front = oldest(sweep);
    }
    *ret_more = front != NULL;
    for (size_t i = 0; !rc && i < sweep->n; i++) {
        if (sweep->fronts[i].after.first_offset != sweep->fronts[i].partition->first_offset)
            rc = sl_sqlite_partition_store(sweep->log, &sweep->fronts[i].after, SL_SQL_SET_PARTITION, err);
    }
    return rc;
}

static void sweep_publish(struct sweep *sweep)
{
    (void)pthread_mutex_lock(&sweep->log->table_lock);
    for (size_t i = 0; i < sweep->n; i++) {
        sweep->fronts[i].partition->first_offset = sweep->fronts[i].after.first_offset;
        sweep->fronts[i].partition->bytes = sweep->fronts[i].after.bytes;
    }
    sweep->log->bytes -= sweep->removed;
    (void)pthread_mutex_unlock(&sweep->log->table_lock);
}

static enum sl_rc sweep_all(struct sweep *sweep, int64_t bytes, bool *ret_more, struct sl_error *err)
{
    enum sl_rc rc = sweep_begin(sweep, err);

    *ret_more = false;
    if (rc || !oldest(sweep))
        return rc;
    rc = sl_sqlite_db_begin(&sweep->log->db, err);
    if (rc)
        return rc;
    rc = sl_sqlite_db_end(&sweep->log->db, sweep_run(sweep, bytes, ret_more, err), err);
    if (!rc)
        sweep_publish(sweep);
    return rc;
}

enum sl_rc sl_sqlite_retention_step(struct sl_sqlite *log, int64_t step_bytes, bool *ret_more,
                                    struct sl_error *err)
{
    struct sweep sweep = {.log = log};
    enum sl_rc rc = sweep_all(&sweep, step_bytes, ret_more, err);

    sl_free(sweep.fronts);
    return rc;
}

/* Nothing more may go: say who is in the way. */
static enum sl_rc full(const struct sweep *sweep, struct sl_error *err)
{
    const struct sl_sqlite *log = sweep->log;
    const struct front *held = NULL;

    for (size_t i = 0; i < sweep->n; i++) {
        const struct front *front = &sweep->fronts[i];

        if (front->exists && front->next_offset > front->floor && (!held || front->id < held->id))
            held = front;
    }
    if (!held)
        return sl_error_set(
            err, SL_E_LOG_FULL,
            "the log '%.160s' is at its limit of %lld bytes, and all that is in it is to be kept for "
            "ever. HINT: raise sluice.log.max.bytes, or give its topics a retention",
            log->path, (long long)log->settings.max_bytes);
    return sl_error_set(
        err, SL_E_LOG_FULL,
        "the log '%.160s' is at its limit of %lld bytes: '%.60s' has not applied topic '%.120s' "
        "partition %d from offset %lld on. HINT: it clears when that sink advances; see its status, or "
        "raise sluice.log.max.bytes",
        log->path, (long long)log->settings.max_bytes, held->holder, held->partition->topic->topic->name,
        held->partition->number, (long long)held->floor);
}

enum sl_rc sl_sqlite_make_room(struct sl_sqlite *log, int64_t bytes, struct sl_error *err)
{
    int64_t max = log->settings.max_bytes;
    struct sweep sweep = {.log = log, .for_room = true};
    int64_t excess;
    bool more;
    enum sl_rc rc;

    if (max < 0 || log->bytes + bytes <= max)
        return SL_OK;
    if (bytes > max)
        return sl_error_set(err, SL_E_CONFIG,
                            "one append of %lld bytes is larger than the whole log may be. HINT: raise "
                            "sluice.log.max.bytes (now %lld)",
                            (long long)bytes, (long long)max);
    excess = log->bytes + bytes - max;
    /* Some more than asked, so that not every append has to sweep. */
    rc = sweep_all(&sweep, excess + max / 20, &more, err);
    if (!rc && log->bytes + bytes > max)
        rc = full(&sweep, err);
    sl_free(sweep.fronts);
    return rc;
}
