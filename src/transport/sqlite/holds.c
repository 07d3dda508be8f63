/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What readers have committed and reserved. A commit changes memory only: the position is durable where the
 * reader applied it, and the file's copy may lag. It is written with the next append, or by the housekeeper.
 */
#include "transport/sqlite/log.h"

#include "base/clock.h"

#include <string.h>

static uint32_t reader_crc(const char *name, int64_t partition_id, int64_t next_offset)
{
    uint32_t crc = sl_sqlite_crc_text(0, sl_sqlite_span(name));

    return sl_sqlite_crc_int(sl_sqlite_crc_int(crc, partition_id), next_offset);
}

static uint32_t reservation_crc(const char *name, struct sl_span topic)
{
    return sl_sqlite_crc_text(sl_sqlite_crc_text(0, sl_sqlite_span(name)), topic);
}

static struct sl_sqlite_name *find_name(struct sl_sqlite *log, const char *name)
{
    for (size_t i = 0; i < log->n_names; i++) {
        if (strcmp(log->names[i]->name, name) == 0)
            return log->names[i];
    }
    return NULL;
}

static struct sl_sqlite_name *find_or_add_name(struct sl_sqlite *log, const char *name)
{
    struct sl_sqlite_name *found = find_name(log, name);

    if (found)
        return found;
    found = sl_zalloc(1, sizeof(*found));
    found->name = sl_strdup(name);
    SL_GROW(log->names, log->n_names, log->names_capacity);
    log->names[log->n_names++] = found;
    return found;
}

/* The place of a partition in a name's holds, or where it belongs. */
static size_t hold_place(const struct sl_sqlite_name *name, int64_t partition_id)
{
    size_t low = 0;
    size_t high = name->n_holds;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (name->holds[middle].partition->id < partition_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sl_sqlite_hold *find_hold(const struct sl_sqlite_name *name,
                                        const struct sl_sqlite_partition *partition)
{
    size_t place = hold_place(name, partition->id);

    return place < name->n_holds && name->holds[place].partition == partition ? &name->holds[place] : NULL;
}

static struct sl_sqlite_hold *find_or_add_hold(struct sl_sqlite_name *name,
                                               struct sl_sqlite_partition *partition)
{
    size_t place = hold_place(name, partition->id);

    if (place < name->n_holds && name->holds[place].partition == partition)
        return &name->holds[place];
    SL_GROW(name->holds, name->n_holds, name->holds_capacity);
    memmove(name->holds + place + 1, name->holds + place, (name->n_holds - place) * sizeof(*name->holds));
    name->n_holds++;
    name->holds[place] = (struct sl_sqlite_hold){.partition = partition, .next_offset = -1, .stored = -1};
    return &name->holds[place];
}

static bool reserves(const struct sl_sqlite_name *name, const struct sl_topic *topic)
{
    for (size_t i = 0; i < name->n_reserved; i++) {
        if (name->reserved[i] == topic)
            return true;
    }
    return false;
}

int64_t sl_sqlite_floor(struct sl_sqlite *log, const struct sl_sqlite_partition *partition,
                        const char **ret_name)
{
    int64_t floor = INT64_MAX;
    const char *who = NULL;

    (void)pthread_mutex_lock(&log->table_lock);
    for (size_t i = 0; i < log->n_names; i++) {
        const struct sl_sqlite_name *name = log->names[i];
        const struct sl_sqlite_hold *hold = find_hold(name, partition);
        int64_t wants = hold ? hold->next_offset : reserves(name, partition->topic->topic) ? 0 : INT64_MAX;

        if (wants < floor) {
            floor = wants;
            who = name->name;
        }
    }
    (void)pthread_mutex_unlock(&log->table_lock);
    *ret_name = who;
    return floor;
}

/* Under table_lock. */
static enum sl_rc commit_one(struct sl_sqlite *log, struct sl_sqlite_name *name,
                             const struct sl_progress *progress, struct sl_error *err)
{
    struct sl_sqlite_topic *topic = sl_sqlite_topic_find(log, progress->topic);
    struct sl_sqlite_partition *partition;
    struct sl_sqlite_hold *hold;

    if (!topic || progress->partition < 0 || progress->partition >= topic->settings.partitions)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "reader '%.80s' commits to topic '%.250s' partition %d: there is none",
                            name->name, progress->topic->name, progress->partition);
    partition = &topic->partitions[progress->partition];
    if (progress->next_offset > partition->next_offset)
        return sl_error_set(
            err, SL_E_FOREIGN_POSITION,
            "reader '%.80s' commits offset %lld of topic '%.200s' partition %d, which ends at %lld",
            name->name, (long long)progress->next_offset, progress->topic->name, progress->partition,
            (long long)partition->next_offset);
    hold = find_or_add_hold(name, partition);
    if (progress->next_offset > hold->next_offset) {
        hold->next_offset = progress->next_offset;
        log->holds_dirty = true;
    }
    return SL_OK;
}

static enum sl_rc commit_all(struct sl_sqlite *log, const char *name, const struct sl_progress *progress,
                             size_t n, struct sl_error *err)
{
    struct sl_sqlite_name *entry;
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&log->table_lock);
    entry = find_or_add_name(log, name);
    for (size_t i = 0; !rc && i < n; i++)
        rc = commit_one(log, entry, &progress[i], err);
    (void)pthread_mutex_unlock(&log->table_lock);
    return rc;
}

enum sl_rc sl_sqlite_commit(struct sl_transport *transport, const char *name,
                            const struct sl_progress *progress, size_t n, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    enum sl_rc rc = sl_sqlite_writable(log, err);

    if (rc)
        return rc;
    rc = commit_all(log, name, progress, n, err);
    if (rc == SL_E_FOREIGN_POSITION) {
        /* A reader may have seen an append that its writer has not booked yet: after it, this is settled. */
        (void)pthread_mutex_lock(&log->lock);
        rc = commit_all(log, name, progress, n, err);
        (void)pthread_mutex_unlock(&log->lock);
    }
    return rc;
}

/* Another process writes: ask the file. */
static enum sl_rc committed_in_file(struct sl_sqlite *log, const char *name, const struct sl_topic *topic,
                                    int32_t partition, int64_t *ret_next, struct sl_error *err)
{
    sqlite3_stmt *statement;
    bool row = false;
    int64_t next = -1;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_READER, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, topic->name);
    (void)sqlite3_bind_int(statement, 2, partition);
    sl_sqlite_bind_text(statement, 3, name);
    rc = sl_sqlite_db_next(&log->db, SL_SQL_READER, &row, err);
    if (!rc && row) {
        next = sqlite3_column_int64(statement, 0);
        if (sqlite3_column_int64(statement, 1) != reader_crc(name, sqlite3_column_int64(statement, 2), next))
            rc = sl_sqlite_db_damaged_row(&log->db, "the position of reader", name, err);
        sl_sqlite_db_reset(&log->db, SL_SQL_READER);
    }
    if (!rc)
        *ret_next = next;
    return rc;
}

enum sl_rc sl_sqlite_committed(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                               int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_sqlite_topic *known;
    struct sl_sqlite_name *entry;
    const struct sl_sqlite_hold *hold = NULL;
    enum sl_rc rc = SL_OK;

    *ret_foreign = false;
    if (log->read_only) {
        (void)pthread_mutex_lock(&log->lock);
        rc = committed_in_file(log, name, topic, partition, ret_next, err);
        (void)pthread_mutex_unlock(&log->lock);
        return rc;
    }
    (void)pthread_mutex_lock(&log->table_lock);
    known = sl_sqlite_topic_find(log, topic);
    entry = find_name(log, name);
    if (known && entry && partition >= 0 && partition < known->settings.partitions)
        hold = find_hold(entry, &known->partitions[partition]);
    *ret_next = hold ? hold->next_offset : -1;
    (void)pthread_mutex_unlock(&log->table_lock);
    return SL_OK;
}

enum sl_rc sl_sqlite_holds_store(struct sl_sqlite *log, struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_SET_READER, &statement, err);

    log->n_pending = 0;
    (void)pthread_mutex_lock(&log->table_lock);
    for (size_t i = 0; i < log->n_names; i++) {
        for (size_t j = 0; j < log->names[i]->n_holds; j++) {
            const struct sl_sqlite_hold *hold = &log->names[i]->holds[j];

            if (hold->next_offset == hold->stored)
                continue;
            SL_GROW(log->pending, log->n_pending, log->pending_capacity);
            log->pending[log->n_pending++] = (struct sl_sqlite_pending){
                .name = log->names[i], .partition = hold->partition, .next_offset = hold->next_offset};
        }
    }
    (void)pthread_mutex_unlock(&log->table_lock);
    for (size_t i = 0; !rc && i < log->n_pending; i++) {
        const struct sl_sqlite_pending *p = &log->pending[i];

        sl_sqlite_bind_text(statement, 1, p->name->name);
        (void)sqlite3_bind_int64(statement, 2, p->partition->id);
        (void)sqlite3_bind_int64(statement, 3, p->next_offset);
        (void)sqlite3_bind_int64(statement, 4, reader_crc(p->name->name, p->partition->id, p->next_offset));
        rc = sl_sqlite_db_run(&log->db, SL_SQL_SET_READER, err);
    }
    return rc;
}

void sl_sqlite_holds_stored(struct sl_sqlite *log)
{
    bool dirty = false;

    (void)pthread_mutex_lock(&log->table_lock);
    for (size_t i = 0; i < log->n_pending; i++) {
        struct sl_sqlite_hold *hold = find_hold(log->pending[i].name, log->pending[i].partition);

        hold->stored = log->pending[i].next_offset;
        dirty |= hold->stored != hold->next_offset;
    }
    log->holds_dirty = dirty;
    log->holds_stored_us = sl_now_us();
    (void)pthread_mutex_unlock(&log->table_lock);
}

enum sl_rc sl_sqlite_sync_commits(struct sl_transport *transport, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    enum sl_rc rc = sl_sqlite_writable(log, err);

    if (rc)
        return rc;
    (void)pthread_mutex_lock(&log->lock);
    rc = sl_sqlite_db_begin(&log->db, err);
    if (!rc)
        rc = sl_sqlite_db_end(&log->db, sl_sqlite_holds_store(log, err), err);
    if (!rc)
        sl_sqlite_holds_stored(log);
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

static enum sl_rc reserve_one(struct sl_sqlite *log, struct sl_sqlite_name *name,
                              const struct sl_topic *topic, struct sl_error *err)
{
    sqlite3_stmt *add;
    enum sl_rc rc;

    if (reserves(name, topic))
        return SL_OK;
    rc = sl_sqlite_db_statement(&log->db, SL_SQL_ADD_RESERVATION, &add, err);
    if (rc)
        return rc;
    sl_sqlite_bind_text(add, 1, name->name);
    sl_sqlite_bind_text(add, 2, topic->name);
    (void)sqlite3_bind_int64(add, 3, reservation_crc(name->name, sl_sqlite_span(topic->name)));
    rc = sl_sqlite_db_run(&log->db, SL_SQL_ADD_RESERVATION, err);
    if (!rc) {
        SL_GROW(name->reserved, name->n_reserved, name->reserved_capacity);
        name->reserved[name->n_reserved++] = topic;
    }
    return rc;
}

/* In a transaction; under lock. A topic that does not exist yet is reserved, to be held from offset 0 on. */
static enum sl_rc hold_starts(struct sl_sqlite *log, const char *name, const struct sl_progress *start,
                              size_t n, struct sl_error *err)
{
    struct sl_sqlite_name *entry;
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&log->table_lock);
    entry = find_or_add_name(log, name);
    for (size_t i = 0; !rc && i < n; i++) {
        struct sl_sqlite_topic *topic = sl_sqlite_topic_find(log, start[i].topic);

        if (topic)
            find_or_add_hold(entry, &topic->partitions[start[i].partition])->next_offset =
                start[i].next_offset;
        else
            rc = reserve_one(log, entry, start[i].topic, err);
    }
    (void)pthread_mutex_unlock(&log->table_lock);
    return rc ? rc : sl_sqlite_holds_store(log, err);
}

enum sl_rc sl_sqlite_hold(struct sl_sqlite *log, const char *name, const struct sl_progress *start, size_t n,
                          struct sl_error *err)
{
    enum sl_rc rc = sl_sqlite_db_begin(&log->db, err);

    if (!rc)
        rc = sl_sqlite_db_end(&log->db, hold_starts(log, name, start, n, err), err);
    if (!rc)
        sl_sqlite_holds_stored(log);
    return rc;
}

static bool same_list(const struct sl_sqlite_name *name, const struct sl_topic *const *topics, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!reserves(name, topics[i]))
            return false;
    }
    return n == name->n_reserved;
}

static bool in_list(const struct sl_topic *topic, const struct sl_topic *const *topics, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (topics[i] == topic)
            return true;
    }
    return false;
}

static enum sl_rc store_reservations(struct sl_sqlite *log, const struct sl_sqlite_name *name,
                                     const struct sl_topic *const *topics, size_t n, struct sl_error *err)
{
    sqlite3_stmt *clear;
    sqlite3_stmt *add;
    sqlite3_stmt *release;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_DROP_RESERVATIONS, &clear, err);

    if (!rc)
        rc = sl_sqlite_db_statement(&log->db, SL_SQL_ADD_RESERVATION, &add, err);
    if (!rc)
        rc = sl_sqlite_db_statement(&log->db, SL_SQL_DROP_READER, &release, err);
    if (rc)
        return rc;
    sl_sqlite_bind_text(clear, 1, name->name);
    rc = sl_sqlite_db_run(&log->db, SL_SQL_DROP_RESERVATIONS, err);
    for (size_t i = 0; !rc && i < n; i++) {
        sl_sqlite_bind_text(add, 1, name->name);
        sl_sqlite_bind_text(add, 2, topics[i]->name);
        (void)sqlite3_bind_int64(add, 3, reservation_crc(name->name, sl_sqlite_span(topics[i]->name)));
        rc = sl_sqlite_db_run(&log->db, SL_SQL_ADD_RESERVATION, err);
    }
    for (size_t i = 0; !rc && i < name->n_holds; i++) {
        if (in_list(name->holds[i].partition->topic->topic, topics, n))
            continue;
        sl_sqlite_bind_text(release, 1, name->name);
        (void)sqlite3_bind_int64(release, 2, name->holds[i].partition->id);
        rc = sl_sqlite_db_run(&log->db, SL_SQL_DROP_READER, err);
    }
    return rc;
}

/* Under both locks. */
static void keep_reservations(struct sl_sqlite_name *name, const struct sl_topic *const *topics, size_t n)
{
    size_t kept = 0;

    name->n_reserved = 0;
    for (size_t i = 0; i < n; i++) {
        if (reserves(name, topics[i]))
            continue;
        SL_GROW(name->reserved, name->n_reserved, name->reserved_capacity);
        name->reserved[name->n_reserved++] = topics[i];
    }
    for (size_t i = 0; i < name->n_holds; i++) {
        if (in_list(name->holds[i].partition->topic->topic, topics, n))
            name->holds[kept++] = name->holds[i];
    }
    name->n_holds = kept;
}

enum sl_rc sl_sqlite_reserve(struct sl_transport *transport, const char *name,
                             const struct sl_topic *const *topics, size_t n, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_sqlite_name *entry;
    enum sl_rc rc = sl_sqlite_writable(log, err);

    if (rc)
        return rc;
    /* Both locks through the transaction: commits may wait for once, at a connector's start. */
    (void)pthread_mutex_lock(&log->lock);
    (void)pthread_mutex_lock(&log->table_lock);
    entry = find_or_add_name(log, name);
    if (!same_list(entry, topics, n) || (n == 0 && entry->n_holds)) {
        rc = sl_sqlite_db_begin(&log->db, err);
        if (!rc)
            rc = sl_sqlite_db_end(&log->db, store_reservations(log, entry, topics, n, err), err);
        if (!rc)
            keep_reservations(entry, topics, n);
    }
    (void)pthread_mutex_unlock(&log->table_lock);
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

static enum sl_rc load_reader(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    int64_t partition_id = sqlite3_column_int64(row, 1);
    int64_t next_offset = sqlite3_column_int64(row, 2);
    struct sl_sqlite_partition *partition = sl_sqlite_partition_by_id(log, partition_id);
    struct sl_sqlite_hold *hold;

    if (!name || !partition || sqlite3_column_int64(row, 3) != reader_crc(name, partition_id, next_offset))
        return sl_sqlite_db_damaged_row(&log->db, "the position of reader", name ? name : "?", err);
    hold = find_or_add_hold(find_or_add_name(log, name), partition);
    hold->next_offset = next_offset;
    hold->stored = next_offset;
    return SL_OK;
}

static enum sl_rc load_reservation(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    struct sl_span topic = sl_sqlite_column_span(row, 1);
    struct sl_sqlite_name *entry;

    if (!name || sqlite3_column_int64(row, 2) != reservation_crc(name, topic))
        return sl_sqlite_db_damaged_row(&log->db, "a reservation of reader", name ? name : "?", err);
    entry = find_or_add_name(log, name);
    SL_GROW(entry->reserved, entry->n_reserved, entry->reserved_capacity);
    entry->reserved[entry->n_reserved++] = sl_topic_intern((const char *)topic.ptr, topic.len);
    return SL_OK;
}

enum sl_rc sl_sqlite_holds_load(struct sl_sqlite *log, struct sl_error *err)
{
    enum sl_rc rc = sl_sqlite_load_rows(log, SL_SQL_READERS, load_reader, err);

    return rc ? rc : sl_sqlite_load_rows(log, SL_SQL_RESERVATIONS, load_reservation, err);
}

void sl_sqlite_holds_done(struct sl_sqlite *log)
{
    for (size_t i = 0; i < log->n_names; i++) {
        sl_free(log->names[i]->name);
        sl_free(log->names[i]->holds);
        sl_free(log->names[i]->reserved);
        sl_free(log->names[i]);
    }
    sl_free(log->names);
    sl_free(log->pending);
}
