/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One append is one transaction: a block for each partition that it touches, the partitions' new ends, the
 * source positions. Everything is encoded before the transaction begins, and nothing in memory changes before
 * it has committed.
 */
#include "transport/sqlite/housekeeper.h"

#include "base/clock.h"

enum {
    HOLDS_EVERY_US = 200000, /* readers' positions ride along at most this often */
    LAST = 0,                /* links hold index + 1: zero ends a chain */
};

static enum sl_rc find_partition(struct sl_sqlite *log, const struct sl_log_record *record,
                                 struct sl_sqlite_partition **ret, struct sl_error *err)
{
    struct sl_sqlite_topic *topic = sl_sqlite_topic_find(log, record->topic);

    if (!topic) {
        struct sl_topic_settings settings = {
            .partitions = 1,
            .retention_ms = log->settings.retention_ms,
            .retention_bytes = log->settings.retention_bytes,
        };
        enum sl_rc rc = sl_sqlite_topic_add(log, record->topic, &settings, err);

        if (rc)
            return rc;
        topic = sl_sqlite_topic_find(log, record->topic);
    }
    if (record->partition < 0 || record->partition >= topic->settings.partitions)
        return sl_error_set(err, SL_E_CONFIG,
                            "topic '%.249s' has %d partitions, a record asks for partition %d",
                            record->topic->name, topic->settings.partitions, record->partition);
    if (topic->settings.compact && !record->key.ptr)
        return sl_error_set(
            err, SL_E_CONFIG,
            "topic '%.249s' is compacted and takes no record without a key. HINT: give the records a "
            "key, or create the topic without cleanup.policy=compact",
            record->topic->name);
    *ret = &topic->partitions[record->partition];
    return SL_OK;
}

static void add_piece(struct sl_sqlite *log, struct sl_sqlite_partition *partition)
{
    SL_GROW(log->pieces, log->n_pieces, log->pieces_capacity);
    log->pieces[log->n_pieces++] = (struct sl_sqlite_piece){.partition = partition};
}

/* Chain the records of each partition through links, one piece a partition in order of appearance. */
static enum sl_rc group(struct sl_sqlite *log, const struct sl_append *append, struct sl_error *err)
{
    struct sl_sqlite_partition *partition = NULL;
    const struct sl_log_record *last = NULL;

    if (append->n_records > log->links_capacity) {
        log->links_capacity = append->n_records;
        log->links = sl_realloc(log->links, log->links_capacity, sizeof(*log->links));
    }
    for (size_t i = 0; i < append->n_records; i++) {
        const struct sl_log_record *record = &append->records[i];

        /* Neighbours mostly go to one place; a missing key is looked at in every record. */
        if (!last || record->topic != last->topic || record->partition != last->partition ||
            !record->key.ptr) {
            enum sl_rc rc = find_partition(log, record, &partition, err);

            if (rc)
                return rc;
        }
        last = record;
        if (partition->n_group == 0) {
            add_piece(log, partition);
            partition->head = (uint32_t)i + 1;
        } else {
            log->links[partition->tail - 1] = (uint32_t)i + 1;
        }
        partition->tail = (uint32_t)i + 1;
        log->links[i] = LAST;
        partition->n_group++;
    }
    return SL_OK;
}

static enum sl_rc encode_piece(struct sl_sqlite *log, struct sl_sqlite_piece *piece, int64_t append_id,
                               const struct sl_append *append, struct sl_error *err)
{
    struct sl_sqlite_partition *partition = piece->partition;
    int64_t offset = partition->next_offset;

    sl_block_begin(&log->encoder, partition->id, append_id, offset);
    for (uint32_t at = partition->head; at != LAST; at = log->links[at - 1]) {
        const struct sl_log_record *record = &append->records[at - 1];
        size_t size = record->key.len + record->value.len + record->headers.len;

        if (sl_block_raw_bytes(&log->encoder) + size > SL_BLOCK_RAW_MAX - 128)
            return sl_error_set(
                err, SL_E_CONFIG,
                "one append of more than %d MiB to topic '%.249s' is too large for the log. HINT: "
                "lower max.batch.size",
                SL_BLOCK_RAW_MAX >> 20, record->topic->name);
        sl_block_add(&log->encoder, record, offset++, at - 1);
    }
    piece->start = log->blocks.len;
    sl_block_end(&log->encoder, offset, &log->blocks);
    piece->size = log->blocks.len - piece->start;
    piece->next_offset = offset;
    return SL_OK;
}

static enum sl_rc store_piece(struct sl_sqlite *log, size_t index, int64_t now_ms, struct sl_error *err)
{
    const struct sl_sqlite_piece *piece = &log->pieces[index];
    struct sl_sqlite_partition partition = *piece->partition;
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_ADD_BATCH, &statement, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(statement, 1, log->next_batch + (int64_t)index);
    (void)sqlite3_bind_int64(statement, 2, log->next_batch);
    (void)sqlite3_bind_int64(statement, 3, partition.id);
    (void)sqlite3_bind_int64(statement, 4, partition.next_offset);
    (void)sqlite3_bind_int64(statement, 5, piece->next_offset);
    (void)sqlite3_bind_int64(statement, 6, now_ms);
    (void)sqlite3_bind_int64(statement, 7, (int64_t)piece->size);
    (void)sqlite3_bind_blob64(statement, 8, log->blocks.data + piece->start, piece->size, SQLITE_STATIC);
    rc = sl_sqlite_db_run(&log->db, SL_SQL_ADD_BATCH, err);
    if (rc)
        return rc;
    partition.next_offset = piece->next_offset;
    partition.bytes += (int64_t)piece->size;
    partition.last_batch = log->next_batch + (int64_t)index;
    return sl_sqlite_partition_store(log, &partition, SL_SQL_SET_PARTITION, err);
}

static enum sl_rc store(struct sl_sqlite *log, const struct sl_append *append, bool with_holds,
                        struct sl_error *err)
{
    int64_t now_ms = sl_wall_us() / 1000;
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; !rc && i < log->n_pieces; i++)
        rc = store_piece(log, i, now_ms, err);
    for (size_t i = 0; !rc && i < append->n_offsets; i++)
        rc = sl_sqlite_offset_store(log, &append->offsets[i], err);
    for (size_t i = 0; !rc && i < append->n_notes; i++)
        rc = sl_sqlite_note_store(log, &append->notes[i], err);
    if (!rc && with_holds)
        rc = sl_sqlite_holds_store(log, err);
    return rc;
}

static void publish(struct sl_sqlite *log)
{
    (void)pthread_mutex_lock(&log->table_lock);
    for (size_t i = 0; i < log->n_pieces; i++) {
        struct sl_sqlite_partition *partition = log->pieces[i].partition;

        partition->next_offset = log->pieces[i].next_offset;
        partition->bytes += (int64_t)log->pieces[i].size;
        partition->last_batch = log->next_batch + (int64_t)i;
        log->bytes += (int64_t)log->pieces[i].size;
    }
    (void)pthread_mutex_unlock(&log->table_lock);
    log->next_batch += (int64_t)log->n_pieces;
}

static bool holds_due(struct sl_sqlite *log)
{
    bool due;

    (void)pthread_mutex_lock(&log->table_lock);
    due = log->holds_dirty && sl_now_us() - log->holds_stored_us >= HOLDS_EVERY_US;
    (void)pthread_mutex_unlock(&log->table_lock);
    return due;
}

static enum sl_rc write_out(struct sl_sqlite *log, const struct sl_append *append, struct sl_error *err)
{
    bool with_holds = holds_due(log);
    enum sl_rc rc = sl_sqlite_make_room(log, (int64_t)log->blocks.len, err);

    if (rc)
        return rc;
    rc = sl_sqlite_db_begin(&log->db, err);
    if (rc)
        return rc;
    rc = sl_sqlite_db_end(&log->db, store(log, append, with_holds, err), err);
    if (rc)
        return rc;
    publish(log);
    if (with_holds)
        sl_sqlite_holds_stored(log);
    return SL_OK;
}

/* Forget the grouping, so that a failed append leaves no trace. */
static void ungroup(struct sl_sqlite *log)
{
    for (size_t i = 0; i < log->n_pieces; i++)
        log->pieces[i].partition->n_group = 0;
    log->n_pieces = 0;
}

static enum sl_rc append_locked(struct sl_sqlite *log, const struct sl_append *append, struct sl_error *err)
{
    enum sl_rc rc = group(log, append, err);

    sl_buf_reset(&log->blocks);
    for (size_t i = 0; !rc && i < log->n_pieces; i++)
        rc = encode_piece(log, &log->pieces[i], log->next_batch, append, err);
    if (!rc)
        rc = write_out(log, append, err);
    ungroup(log);
    return rc;
}

enum sl_rc sl_sqlite_append(struct sl_transport *transport, const struct sl_append *append,
                            struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    enum sl_rc rc = sl_sqlite_writable(log, err);

    if (rc)
        return rc;
    if (append->n_records == 0 && append->n_offsets == 0 && append->n_notes == 0)
        return SL_OK;
    if (append->n_records >= UINT32_MAX)
        return sl_error_set(err, SL_E_CONFIG, "one append of %zu records is too large for the log",
                            append->n_records);
    (void)pthread_mutex_lock(&log->lock);
    rc = append_locked(log, append, err);
    sl_sqlite_wal_bound(log, rc == SL_E_LOG_FULL);
    (void)pthread_mutex_unlock(&log->lock);
    if (!rc && append->n_records) {
        (void)pthread_mutex_lock(&log->wait_lock);
        log->appends++;
        (void)pthread_cond_broadcast(&log->appended);
        (void)pthread_mutex_unlock(&log->wait_lock);
    }
    return rc;
}
