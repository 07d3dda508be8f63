/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/reader.h"

#include <stdlib.h>

enum { ARENA_CHUNK = 1 << 18 };

/* The partition's row as it is now; *ret_found is false when its topic does not exist. */
static enum sl_rc find_row(struct sl_log_reader *reader, const struct sl_reader_part *part,
                           struct sl_sqlite_partition *ret, bool *ret_found, struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&reader->db, SL_SQL_FIND_PARTITION, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, part->topic->name);
    (void)sqlite3_bind_int(statement, 2, part->number);
    rc = sl_sqlite_db_next(&reader->db, SL_SQL_FIND_PARTITION, ret_found, err);
    if (!rc && *ret_found) {
        rc = sl_sqlite_partition_read(&reader->db, statement, ret, err);
        sl_sqlite_db_reset(&reader->db, SL_SQL_FIND_PARTITION);
    }
    return rc;
}

static enum sl_rc topic_lacks_partition(struct sl_log_reader *reader, const struct sl_reader_part *part,
                                        struct sl_error *err)
{
    sqlite3_stmt *statement;
    bool exists = false;
    int partitions = 0;
    enum sl_rc rc = sl_sqlite_db_statement(&reader->db, SL_SQL_HAS_TOPIC, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, part->topic->name);
    rc = sl_sqlite_db_next(&reader->db, SL_SQL_HAS_TOPIC, &exists, err);
    if (rc || !exists)
        return rc;
    partitions = sqlite3_column_int(statement, 0);
    sl_sqlite_db_reset(&reader->db, SL_SQL_HAS_TOPIC);
    return sl_error_set(err, SL_E_NOT_FOUND,
                        "topic '%.249s' has %d partitions, reader '%.80s' asks for partition %d",
                        part->topic->name, partitions, reader->name, part->number);
}

static enum sl_rc check_start(const struct sl_log_reader *reader, const struct sl_reader_part *part,
                              int64_t wanted, const struct sl_sqlite_partition *row, struct sl_error *err)
{
    if (wanted < row->first_offset)
        return sl_error_set(
            err, SL_E_GAP,
            "reader '%.60s' stands at offset %lld of topic '%.120s' partition %d, but the log begins "
            "at %lld: the records between are gone. HINT: take a new snapshot, or set the position "
            "to skip them knowingly",
            reader->name, (long long)wanted, part->topic->name, part->number, (long long)row->first_offset);
    if (wanted > row->next_offset)
        return sl_error_set(
            err, SL_E_FOREIGN_POSITION,
            "reader '%.60s' stands at offset %lld of topic '%.120s' partition %d, but the log ends at "
            "%lld: the position is of another log, or this one was restored from an older copy. HINT: "
            "use the state directory that the target was fed from, or reset the position",
            reader->name, (long long)wanted, part->topic->name, part->number, (long long)row->next_offset);
    return SL_OK;
}

/* Find a part's place; wanted -1: at the oldest. A topic that does not exist yet begins at 0. */
static enum sl_rc place(struct sl_log_reader *reader, struct sl_reader_part *part, int64_t wanted,
                        struct sl_error *err)
{
    struct sl_sqlite_partition row;
    bool found = false;
    enum sl_rc rc = find_row(reader, part, &row, &found, err);

    if (!rc && !found) {
        row = (struct sl_sqlite_partition){.id = -1};
        rc = topic_lacks_partition(reader, part, err);
    }
    if (!rc && wanted >= 0)
        rc = check_start(reader, part, wanted, &row, err);
    if (rc)
        return rc;
    part->id = row.id;
    part->gathered = wanted >= 0 ? wanted : row.first_offset;
    part->delivered = part->gathered;
    return SL_OK;
}

static int by_id(const void *a, const void *b)
{
    /* -1 (no id yet) sorts behind all others. */
    uint64_t x = (uint64_t)((const struct sl_reader_part *)a)->id;
    uint64_t y = (uint64_t)((const struct sl_reader_part *)b)->id;

    return (x > y) - (x < y);
}

static void sort_parts(struct sl_log_reader *reader)
{
    qsort(reader->parts, reader->n_parts, sizeof(*reader->parts), by_id);
    reader->n_known = 0;
    while (reader->n_known < reader->n_parts && reader->parts[reader->n_known].id >= 0)
        reader->n_known++;
}

enum sl_rc sl_sqlite_reader_resolve(struct sl_log_reader *reader, struct sl_error *err)
{
    bool changed = false;

    for (size_t i = reader->n_known; i < reader->n_parts; i++) {
        enum sl_rc rc = place(reader, &reader->parts[i], 0, err);

        if (rc)
            return rc;
        changed |= reader->parts[i].id >= 0;
    }
    if (changed)
        sort_parts(reader);
    return SL_OK;
}

/* The id of the first batch that holds something for the part; *ret stays when there is none. */
static enum sl_rc seek(struct sl_log_reader *reader, const struct sl_reader_part *part, int64_t *ret_id,
                       struct sl_error *err)
{
    enum sl_sql steps[] = {SL_SQL_SEEK_BATCH, SL_SQL_SEEK_AFTER};
    bool done = false;

    for (size_t i = 0; !done && i < 2; i++) {
        sqlite3_stmt *statement;
        bool row = false;
        enum sl_rc rc = sl_sqlite_db_statement(&reader->db, steps[i], &statement, err);

        if (rc)
            return rc;
        (void)sqlite3_bind_int64(statement, 1, part->id);
        (void)sqlite3_bind_int64(statement, 2, part->gathered);
        rc = sl_sqlite_db_next(&reader->db, steps[i], &row, err);
        if (rc)
            return rc;
        if (!row)
            continue;
        /* The batch that begins at or before the offset may end there too. */
        if (i == 1 || sqlite3_column_int64(statement, 1) > part->gathered) {
            int64_t id = sqlite3_column_int64(statement, 0);

            if (id < *ret_id)
                *ret_id = id;
            done = true;
        }
        sl_sqlite_db_reset(&reader->db, steps[i]);
    }
    return SL_OK;
}

static enum sl_rc find_scan_id(struct sl_log_reader *reader, struct sl_error *err)
{
    int64_t id = INT64_MAX;
    int64_t newest = 0;
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; !rc && i < reader->n_known; i++)
        rc = seek(reader, &reader->parts[i], &id, err);
    if (!rc && id == INT64_MAX) {
        rc = sl_sqlite_db_integer(&reader->db, "SELECT coalesce(max(id), 0) FROM batches", &newest, err);
        id = newest + 1;
    }
    reader->scan_id = id;
    return rc;
}

static enum sl_rc place_all(struct sl_log_reader *reader, const struct sl_progress *start,
                            struct sl_error *err)
{
    enum sl_rc rc = sl_sqlite_db_begin_read(&reader->db, err);

    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < reader->n_parts; i++) {
        reader->parts[i] = (struct sl_reader_part){.topic = start[i].topic, .number = start[i].partition};
        rc = place(reader, &reader->parts[i], start[i].next_offset, err);
    }
    if (!rc) {
        sort_parts(reader);
        rc = find_scan_id(reader, err);
    }
    return sl_sqlite_db_end(&reader->db, rc, err);
}

/* From the moment that the start is known to be there, nobody may remove it: one lock around both. */
static enum sl_rc begin(struct sl_log_reader *reader, const struct sl_progress *start, struct sl_error *err)
{
    struct sl_sqlite *log = reader->log;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&log->lock);
    rc = place_all(reader, start, err);
    if (!rc && !log->read_only && reader->n_parts) {
        for (size_t i = 0; i < reader->n_parts; i++)
            reader->progress[i] = (struct sl_progress){.topic = reader->parts[i].topic,
                                                       .partition = reader->parts[i].number,
                                                       .next_offset = reader->parts[i].gathered};
        rc = sl_sqlite_hold(log, reader->name, reader->progress, reader->n_parts, err);
    }
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

enum sl_rc sl_sqlite_reader_open(struct sl_transport *transport, const char *name,
                                 const struct sl_progress *start, size_t n, struct sl_log_reader **ret,
                                 struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_log_reader *reader = sl_zalloc(1, sizeof(*reader));
    enum sl_rc rc;

    reader->log = log;
    reader->name = sl_strdup(name);
    reader->n_parts = n;
    reader->parts = sl_zalloc(n, sizeof(*reader->parts));
    reader->progress = sl_zalloc(n, sizeof(*reader->progress));
    reader->rest_arena = sl_arena_new(ARENA_CHUNK);
    reader->ends_unchecked = true;
    rc = sl_sqlite_db_open(&reader->db, log->path, SL_SQLITE_READ, err);
    if (!rc)
        rc = begin(reader, start, err);
    if (rc)
        sl_sqlite_reader_close(reader);
    else
        *ret = reader;
    return rc;
}

void sl_sqlite_reader_wake(struct sl_log_reader *reader)
{
    (void)pthread_mutex_lock(&reader->log->wait_lock);
    reader->woken = true;
    (void)pthread_cond_broadcast(&reader->log->appended);
    (void)pthread_mutex_unlock(&reader->log->wait_lock);
}

void sl_sqlite_reader_close(struct sl_log_reader *reader)
{
    if (reader->db.handle)
        sl_sqlite_db_close(&reader->db);
    sl_arena_free(reader->rest_arena);
    sl_free(reader->records);
    sl_free(reader->ordinals);
    sl_free(reader->batches);
    sl_free(reader->order[0]);
    sl_free(reader->order[1]);
    sl_free(reader->sorted);
    sl_free(reader->progress);
    sl_free(reader->parts);
    sl_free(reader->name);
    sl_free(reader);
}
