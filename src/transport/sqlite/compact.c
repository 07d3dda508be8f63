/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction: of each key only the last record stays, and a tombstone goes some time after it has done its
 * work. Offsets keep their gaps; the range of a batch that became empty is taken over by the next one, so
 * that the batches of a partition always lie end to end.
 *
 * What a reader has not applied yet is not touched. One pass: learn the last offset of each key in the part
 * that was never compacted (as much as fits the memory), then rewrite the batches from the oldest on. A pass
 * that is cut short by a crash is simply done again.
 */
#include "transport/sqlite/log.h"

#include "base/clock.h"
#include "base/hash.h"

#include <string.h>

enum {
    MAP_BYTES = 32 << 20,   /* memory for the keys of one pass */
    WRITE_BYTES = 4 << 20,  /* rewritten blocks per transaction */
    ALWAYS_BYTES = 1 << 20, /* below this size a partition is compacted whenever something is new */
};

struct key {
    const uint8_t *bytes; /* NULL: a free slot */
    size_t len;
    uint64_t hash;
    int64_t last_offset;
};

struct key_map {
    struct sl_arena *arena;
    struct key *slots; /* open addressing, a power of two */
    size_t n, capacity;
};

/* A change of a row, to be written with others in one transaction. */
struct change {
    int64_t id;
    int64_t first_offset, next_offset;
    size_t start, size; /* of the new block in the pass's buffer; size 0: the row goes */
    int64_t old_bytes;
};

struct pass {
    struct sl_sqlite *log;
    struct sl_sqlite_partition *partition;
    int64_t old_cleaned_to;
    int64_t end; /* the pass looks at offsets below it */
    int64_t now_ms;
    int64_t tombstones_due_ms;
    struct key_map map;
    struct sl_arena *arena; /* the batch at hand */
    struct sl_log_record *records;
    uint32_t *ordinals;
    size_t capacity;
    struct sl_block_encoder encoder;
    struct sl_buf blocks;
    struct change *changes;
    size_t n_changes, changes_capacity;
};

/* A batch as read. */
struct batch {
    int64_t id, append_id, first_offset, next_offset, appended_ms, bytes;
    struct sl_block_head head;
};

static struct key *find_slot(const struct key_map *map, struct sl_span key, uint64_t hash)
{
    size_t at = hash & (map->capacity - 1);

    while (map->slots[at].bytes && (map->slots[at].hash != hash || map->slots[at].len != key.len ||
                                    memcmp(map->slots[at].bytes, key.ptr, key.len) != 0))
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

static void map_grow(struct key_map *map)
{
    struct key_map larger = {
        .arena = map->arena, .n = map->n, .capacity = map->capacity ? map->capacity * 2 : 1024};

    larger.slots = sl_zalloc(larger.capacity, sizeof(*larger.slots));
    for (size_t i = 0; i < map->capacity; i++) {
        const struct key *key = &map->slots[i];

        if (key->bytes)
            *find_slot(&larger, (struct sl_span){.ptr = key->bytes, .len = key->len}, key->hash) = *key;
    }
    sl_free(map->slots);
    *map = larger;
}

static void map_put(struct key_map *map, struct sl_span key, int64_t offset)
{
    uint64_t hash = sl_hash_bytes(key.ptr, key.len, 0);
    struct key *slot;

    if ((map->n + 1) * 2 > map->capacity)
        map_grow(map);
    slot = find_slot(map, key, hash);
    if (!slot->bytes) {
        *slot =
            (struct key){.bytes = sl_arena_copy(map->arena, key.ptr, key.len), .len = key.len, .hash = hash};
        map->n++;
    }
    slot->last_offset = offset;
}

static bool superseded(const struct key_map *map, const struct sl_log_record *record)
{
    const struct key *slot;

    if (!map->n || !record->key.ptr)
        return false;
    slot = find_slot(map, record->key, sl_hash_bytes(record->key.ptr, record->key.len, 0));
    return slot->bytes && slot->last_offset > record->offset;
}

static size_t map_bytes(const struct key_map *map)
{
    return sl_arena_used(map->arena) + map->capacity * sizeof(*map->slots);
}

/* Read the first batch at or after an offset into the pass's memory; *ret_found false: none below the end. */
static enum sl_rc read_batch(struct pass *pass, int64_t offset, struct batch *ret, bool *ret_found,
                             struct sl_error *err)
{
    struct sl_log_record blank = {.topic = pass->partition->topic->topic,
                                  .partition = pass->partition->number};
    struct sl_sqlite_db *db = &pass->log->checkpointer;
    struct sl_span block;
    const uint8_t *raw;
    const char *why;
    sqlite3_stmt *row;
    bool found = false;
    enum sl_rc rc = sl_sqlite_db_statement(db, SL_SQL_BATCHES_FROM, &row, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(row, 1, pass->partition->id);
    (void)sqlite3_bind_int64(row, 2, offset);
    rc = sl_sqlite_db_next(db, SL_SQL_BATCHES_FROM, &found, err);
    *ret_found = found && sqlite3_column_int64(row, 3) <= pass->end;
    if (rc || !*ret_found) {
        sl_sqlite_db_reset(db, SL_SQL_BATCHES_FROM);
        return rc;
    }
    *ret = (struct batch){.id = sqlite3_column_int64(row, 0),
                          .append_id = sqlite3_column_int64(row, 1),
                          .first_offset = sqlite3_column_int64(row, 2),
                          .next_offset = sqlite3_column_int64(row, 3),
                          .appended_ms = sqlite3_column_int64(row, 4),
                          .bytes = sqlite3_column_int64(row, 5)};
    block = sl_sqlite_column_span(row, 6);
    sl_arena_reset(pass->arena);
    why = sl_block_check(block.ptr, block.len, &ret->head);
    if (!why)
        why = sl_block_unpack(&ret->head, block.ptr, block.len, pass->arena, &raw);
    if (!why && ret->head.records > pass->capacity) {
        pass->capacity = ret->head.records;
        pass->records = sl_realloc(pass->records, pass->capacity, sizeof(*pass->records));
        pass->ordinals = sl_realloc(pass->ordinals, pass->capacity, sizeof(*pass->ordinals));
    }
    if (!why)
        why = sl_block_records(&ret->head, raw, &blank, pass->records, pass->ordinals);
    sl_sqlite_db_reset(db, SL_SQL_BATCHES_FROM);
    if (why)
        return sl_sqlite_damaged_batch(pass->log->path, blank.topic, blank.partition, ret->first_offset,
                                       ret->next_offset, why, err);
    return SL_OK;
}

/* Learn the last offset of every key from old_cleaned_to on; moves the end back if memory is spent first. */
static enum sl_rc learn(struct pass *pass, bool *ret_more, struct sl_error *err)
{
    int64_t offset = pass->old_cleaned_to;

    *ret_more = false;
    while (offset < pass->end) {
        struct batch batch;
        bool found;
        enum sl_rc rc = read_batch(pass, offset, &batch, &found, err);

        if (rc)
            return rc;
        if (!found)
            break;
        if (map_bytes(&pass->map) > MAP_BYTES) {
            *ret_more = true;
            break;
        }
        for (uint32_t i = 0; i < batch.head.records; i++) {
            if (pass->records[i].key.ptr)
                map_put(&pass->map, pass->records[i].key, pass->records[i].offset);
        }
        offset = batch.next_offset;
    }
    /* Only whole batches: a floor in the middle of one leaves it for later. */
    pass->end = offset;
    return SL_OK;
}

static bool keep(struct pass *pass, const struct sl_log_record *record, int64_t appended_ms)
{
    int64_t due = appended_ms + pass->log->settings.delete_retention_ms;

    if (superseded(&pass->map, record))
        return false;
    if (record->value.ptr)
        return true;
    /* A tombstone may go when an earlier pass has already removed what it deletes, and its time is over. */
    if (record->offset < pass->old_cleaned_to && due <= pass->now_ms)
        return false;
    if (due < pass->tombstones_due_ms)
        pass->tombstones_due_ms = due;
    return true;
}

static void note_change(struct pass *pass, const struct batch *batch, int64_t first_offset, size_t start)
{
    SL_GROW(pass->changes, pass->n_changes, pass->changes_capacity);
    pass->changes[pass->n_changes++] = (struct change){.id = batch->id,
                                                       .first_offset = first_offset,
                                                       .next_offset = batch->next_offset,
                                                       .start = start,
                                                       .size = pass->blocks.len - start,
                                                       .old_bytes = batch->bytes};
}

/* *carry: where the range of emptied batches before this one begins, or -1. */
static void filter(struct pass *pass, const struct batch *batch, int64_t *carry)
{
    int64_t first = *carry >= 0 ? *carry : batch->first_offset;
    size_t start = pass->blocks.len;
    uint32_t kept = 0;

    sl_block_begin(&pass->encoder, pass->partition->id, batch->append_id, first);
    for (uint32_t i = 0; i < batch->head.records; i++) {
        if (keep(pass, &pass->records[i], batch->appended_ms)) {
            sl_block_add(&pass->encoder, &pass->records[i], pass->records[i].offset, pass->ordinals[i]);
            kept++;
        }
    }
    if (kept == 0 && batch->next_offset < pass->end) {
        note_change(pass, batch, first, start);
        *carry = first;
        return;
    }
    if (kept < batch->head.records || first != batch->first_offset) {
        sl_block_end(&pass->encoder, batch->next_offset, &pass->blocks);
        note_change(pass, batch, first, start);
    }
    *carry = -1;
}

static enum sl_rc write_change(struct pass *pass, const struct change *change, struct sl_error *err)
{
    struct sl_sqlite_db *db = &pass->log->db;
    enum sl_sql sql = change->size ? SL_SQL_REPLACE_BATCH : SL_SQL_DROP_BATCH;
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(db, sql, &statement, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(statement, 1, change->id);
    if (change->size) {
        (void)sqlite3_bind_int64(statement, 2, change->first_offset);
        (void)sqlite3_bind_int64(statement, 3, change->next_offset);
        (void)sqlite3_bind_int64(statement, 4, (int64_t)change->size);
        (void)sqlite3_bind_blob64(statement, 5, pass->blocks.data + change->start, change->size,
                                  SQLITE_STATIC);
    }
    return sl_sqlite_db_run(db, sql, err);
}

static enum sl_rc write_changes(struct pass *pass, const struct sl_sqlite_partition *after,
                                struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; !rc && i < pass->n_changes; i++)
        rc = write_change(pass, &pass->changes[i], err);
    return rc ? rc : sl_sqlite_partition_store(pass->log, after, SL_SQL_SET_PARTITION, err);
}

/* Make the changes so far durable; cleaned_to is where the partition counts as compacted afterwards. */
static enum sl_rc flush(struct pass *pass, int64_t cleaned_to, struct sl_error *err)
{
    struct sl_sqlite *log = pass->log;
    struct sl_sqlite_partition after;
    int64_t freed = 0;
    enum sl_rc rc;

    for (size_t i = 0; i < pass->n_changes; i++)
        freed += pass->changes[i].old_bytes - (int64_t)pass->changes[i].size;
    (void)pthread_mutex_lock(&log->lock);
    after = *pass->partition;
    after.cleaned_to = cleaned_to;
    after.bytes -= freed;
    rc = sl_sqlite_db_begin(&log->db, err);
    if (!rc)
        rc = sl_sqlite_db_end(&log->db, write_changes(pass, &after, err), err);
    if (!rc) {
        (void)pthread_mutex_lock(&log->table_lock);
        pass->partition->cleaned_to = cleaned_to;
        pass->partition->bytes = after.bytes;
        log->bytes -= freed;
        (void)pthread_mutex_unlock(&log->table_lock);
    }
    (void)pthread_mutex_unlock(&log->lock);
    pass->n_changes = 0;
    sl_buf_reset(&pass->blocks);
    return rc;
}

static enum sl_rc rewrite(struct pass *pass, struct sl_error *err)
{
    int64_t offset = 0;
    int64_t carry = -1;
    enum sl_rc rc = SL_OK;

    while (!rc && offset < pass->end) {
        struct batch batch;
        bool found;

        rc = read_batch(pass, offset, &batch, &found, err);
        if (rc || !found)
            break;
        filter(pass, &batch, &carry);
        offset = batch.next_offset;
        /* A dropped row and the one that takes over its range belong into one transaction. */
        if (pass->blocks.len >= WRITE_BYTES && carry < 0)
            rc = flush(pass, pass->old_cleaned_to, err);
    }
    if (rc)
        return rc;
    /* An append copies the partition under `lock`. */
    (void)pthread_mutex_lock(&pass->log->lock);
    pass->partition->tombstones_due_ms = pass->tombstones_due_ms;
    (void)pthread_mutex_unlock(&pass->log->lock);
    return flush(pass, pass->end > pass->old_cleaned_to ? pass->end : pass->old_cleaned_to, err);
}

static enum sl_rc dirty_bytes(struct sl_sqlite *log, const struct sl_sqlite_partition *partition,
                              int64_t *ret, struct sl_error *err)
{
    sqlite3_stmt *row;
    bool found = false;
    enum sl_rc rc = sl_sqlite_db_statement(&log->checkpointer, SL_SQL_DIRTY_BYTES, &row, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(row, 1, partition->id);
    (void)sqlite3_bind_int64(row, 2, partition->cleaned_to);
    rc = sl_sqlite_db_next(&log->checkpointer, SL_SQL_DIRTY_BYTES, &found, err);
    if (!rc && found) {
        *ret = sqlite3_column_int64(row, 0);
        sl_sqlite_db_reset(&log->checkpointer, SL_SQL_DIRTY_BYTES);
    }
    return rc;
}

/* Worth a pass? Half of it new, or small and something new, or a tombstone's time is over. */
static enum sl_rc is_due(struct pass *pass, bool *ret, struct sl_error *err)
{
    struct sl_sqlite_partition partition;
    int64_t dirty = 0;
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&pass->log->table_lock);
    partition = *pass->partition;
    (void)pthread_mutex_unlock(&pass->log->table_lock);
    if (pass->end > partition.cleaned_to)
        rc = dirty_bytes(pass->log, &partition, &dirty, err);
    *ret = (dirty > 0 && (partition.bytes < ALWAYS_BYTES || dirty * 2 >= partition.bytes)) ||
           (partition.cleaned_to > 0 && partition.tombstones_due_ms <= pass->now_ms);
    return rc;
}

static enum sl_rc compact(struct pass *pass, bool *ret_more, struct sl_error *err)
{
    enum sl_rc rc;

    pass->arena = sl_arena_new(1 << 20);
    pass->map.arena = sl_arena_new(1 << 16);
    pass->encoder.codec = pass->log->settings.codec;
    pass->tombstones_due_ms = INT64_MAX;
    rc = learn(pass, ret_more, err);
    if (!rc)
        rc = rewrite(pass, err);
    sl_arena_free(pass->arena);
    sl_arena_free(pass->map.arena);
    sl_free(pass->map.slots);
    sl_free(pass->records);
    sl_free(pass->ordinals);
    sl_free(pass->changes);
    sl_buf_done(&pass->blocks);
    sl_block_encoder_done(&pass->encoder);
    return rc;
}

/* The partition's state under the lock; the pass itself runs without. */
static struct pass look(struct sl_sqlite *log, struct sl_sqlite_partition *partition)
{
    const char *holder;
    int64_t floor = sl_sqlite_floor(log, partition, &holder);
    struct pass pass = {.log = log, .partition = partition, .now_ms = sl_wall_us() / 1000};

    (void)pthread_mutex_lock(&log->table_lock);
    pass.end = floor < partition->next_offset ? floor : partition->next_offset;
    pass.old_cleaned_to = partition->cleaned_to;
    (void)pthread_mutex_unlock(&log->table_lock);
    return pass;
}

static struct sl_sqlite_topic *topic_at(struct sl_sqlite *log, size_t index)
{
    struct sl_sqlite_topic *topic;

    (void)pthread_mutex_lock(&log->table_lock);
    topic = index < log->n_topics ? log->in_order[index] : NULL;
    (void)pthread_mutex_unlock(&log->table_lock);
    return topic;
}

enum sl_rc sl_sqlite_compact_step(struct sl_sqlite *log, bool *ret_more, struct sl_error *err)
{
    struct sl_sqlite_topic *topic;

    *ret_more = false;
    for (size_t i = 0; (topic = topic_at(log, i)) != NULL; i++) {
        for (int32_t j = 0; topic->settings.compact && j < topic->settings.partitions; j++) {
            struct pass pass = look(log, &topic->partitions[j]);
            bool due = false;
            bool more = false;
            enum sl_rc rc = is_due(&pass, &due, err);

            if (!rc && due)
                rc = compact(&pass, &more, err);
            if (rc)
                return rc;
            *ret_more |= more;
        }
    }
    return SL_OK;
}
