/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/log.h"

#include <stdio.h>
#include <string.h>

static uint32_t topic_crc(int64_t id, struct sl_span name, const struct sl_topic_settings *settings)
{
    uint32_t crc = sl_sqlite_crc_text(sl_sqlite_crc_int(0, id), name);

    crc = sl_sqlite_crc_int(crc, settings->partitions);
    crc = sl_sqlite_crc_int(crc, settings->compact);
    crc = sl_sqlite_crc_int(crc, settings->retention_ms);
    return sl_sqlite_crc_int(crc, settings->retention_bytes);
}

static uint32_t partition_crc(const struct sl_sqlite_partition *partition)
{
    uint32_t crc = sl_sqlite_crc_int(0, partition->id);

    crc = sl_sqlite_crc_int(crc, partition->topic_id);
    crc = sl_sqlite_crc_int(crc, partition->number);
    crc = sl_sqlite_crc_int(crc, partition->first_offset);
    crc = sl_sqlite_crc_int(crc, partition->next_offset);
    crc = sl_sqlite_crc_int(crc, partition->bytes);
    crc = sl_sqlite_crc_int(crc, partition->last_batch);
    return sl_sqlite_crc_int(crc, partition->cleaned_to);
}

enum sl_rc sl_sqlite_partition_read(struct sl_sqlite_db *db, sqlite3_stmt *row,
                                    struct sl_sqlite_partition *ret, struct sl_error *err)
{
    char name[32];
    struct sl_sqlite_partition partition = {
        .id = sqlite3_column_int64(row, 0),
        .topic_id = sqlite3_column_int64(row, 1),
        .number = sqlite3_column_int(row, 2),
        .first_offset = sqlite3_column_int64(row, 3),
        .next_offset = sqlite3_column_int64(row, 4),
        .bytes = sqlite3_column_int64(row, 5),
        .last_batch = sqlite3_column_int64(row, 6),
        .cleaned_to = sqlite3_column_int64(row, 7),
    };

    if (sqlite3_column_int64(row, 8) != partition_crc(&partition)) {
        (void)snprintf(name, sizeof(name), "%lld", (long long)partition.id);
        return sl_sqlite_db_damaged_row(db, "the partition with id", name, err);
    }
    *ret = partition;
    return SL_OK;
}

enum sl_rc sl_sqlite_partition_store(struct sl_sqlite *log, const struct sl_sqlite_partition *partition,
                                     enum sl_sql sql, struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, sql, &statement, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(statement, 1, partition->topic_id);
    (void)sqlite3_bind_int(statement, 2, partition->number);
    (void)sqlite3_bind_int64(statement, 3, partition->first_offset);
    (void)sqlite3_bind_int64(statement, 4, partition->next_offset);
    (void)sqlite3_bind_int64(statement, 5, partition->bytes);
    (void)sqlite3_bind_int64(statement, 6, partition->last_batch);
    (void)sqlite3_bind_int64(statement, 7, partition->cleaned_to);
    (void)sqlite3_bind_int64(statement, 8, partition_crc(partition));
    (void)sqlite3_bind_int64(statement, 9, partition->id);
    return sl_sqlite_db_run(&log->db, sql, err);
}

struct sl_sqlite_topic *sl_sqlite_topic_find(struct sl_sqlite *log, const struct sl_topic *topic)
{
    return topic->id < log->topics_capacity ? log->topics[topic->id] : NULL;
}

static struct sl_sqlite_topic *new_topic(const struct sl_topic *name, int64_t id,
                                         const struct sl_topic_settings *settings)
{
    struct sl_sqlite_topic *topic = sl_zalloc(1, sizeof(*topic));

    topic->topic = name;
    topic->id = id;
    topic->settings = *settings;
    topic->partitions = sl_zalloc((size_t)settings->partitions, sizeof(*topic->partitions));
    return topic;
}

static void free_topic(struct sl_sqlite_topic *topic)
{
    sl_free(topic->partitions);
    sl_free(topic);
}

/* Under both locks, or before anybody else knows the log. */
static void publish(struct sl_sqlite *log, struct sl_sqlite_topic *topic)
{
    uint32_t id = topic->topic->id;

    if (id >= log->topics_capacity) {
        size_t capacity = log->topics_capacity ? log->topics_capacity : 64;

        while (capacity <= id)
            capacity *= 2;
        log->topics = sl_realloc(log->topics, capacity, sizeof(struct sl_sqlite_topic *));
        memset(log->topics + log->topics_capacity, 0,
               (capacity - log->topics_capacity) * sizeof(struct sl_sqlite_topic *));
        log->topics_capacity = capacity;
    }
    log->topics[id] = topic;
    SL_GROW(log->in_order, log->n_topics, log->in_order_capacity);
    log->in_order[log->n_topics++] = topic;
}

static enum sl_rc store_topic(struct sl_sqlite *log, const struct sl_sqlite_topic *topic,
                              struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_ADD_TOPIC, &statement, err);

    if (rc)
        return rc;
    (void)sqlite3_bind_int64(statement, 1, topic->id);
    sl_sqlite_bind_text(statement, 2, topic->topic->name);
    (void)sqlite3_bind_int(statement, 3, topic->settings.partitions);
    (void)sqlite3_bind_int(statement, 4, topic->settings.compact);
    (void)sqlite3_bind_int64(statement, 5, topic->settings.retention_ms);
    (void)sqlite3_bind_int64(statement, 6, topic->settings.retention_bytes);
    (void)sqlite3_bind_int64(statement, 7,
                             topic_crc(topic->id, sl_sqlite_span(topic->topic->name), &topic->settings));
    rc = sl_sqlite_db_run(&log->db, SL_SQL_ADD_TOPIC, err);
    for (int32_t i = 0; !rc && i < topic->settings.partitions; i++)
        rc = sl_sqlite_partition_store(log, &topic->partitions[i], SL_SQL_ADD_PARTITION, err);
    return rc;
}

static enum sl_rc check_topic(const struct sl_topic *topic, const struct sl_topic_settings *settings,
                              struct sl_error *err)
{
    if (topic->len == 0 || topic->len > 249)
        return sl_error_set(
            err, SL_E_CONFIG,
            "the topic name '%.60s' has %u bytes, 1 to 249 are allowed. HINT: shorten topic.prefix, "
            "or rename by a RegexRouter",
            topic->name, topic->len);
    if (settings->partitions < 1 || settings->partitions > 10000)
        return sl_error_set(err, SL_E_CONFIG, "topic '%.250s' cannot have %d partitions. HINT: 1 to 10000",
                            topic->name, settings->partitions);
    return SL_OK;
}

enum sl_rc sl_sqlite_topic_add(struct sl_sqlite *log, const struct sl_topic *name,
                               const struct sl_topic_settings *settings, struct sl_error *err)
{
    struct sl_sqlite_topic *topic;
    enum sl_rc rc = check_topic(name, settings, err);

    if (rc)
        return rc;
    topic = new_topic(name, log->n_topics ? log->in_order[log->n_topics - 1]->id + 1 : 1, settings);
    for (int32_t i = 0; i < settings->partitions; i++)
        topic->partitions[i] = (struct sl_sqlite_partition){
            .topic = topic, .id = log->next_partition + i, .topic_id = topic->id, .number = i};
    rc = sl_sqlite_db_begin(&log->db, err);
    if (!rc)
        rc = sl_sqlite_db_end(&log->db, store_topic(log, topic, err), err);
    if (rc) {
        free_topic(topic);
        return rc;
    }
    (void)pthread_mutex_lock(&log->table_lock);
    log->next_partition += settings->partitions;
    publish(log, topic);
    (void)pthread_mutex_unlock(&log->table_lock);
    return SL_OK;
}

/* What was left to the log. */
static struct sl_topic_settings complete(const struct sl_sqlite *log,
                                         const struct sl_topic_settings *settings)
{
    struct sl_topic_settings complete = {
        .partitions = settings->partitions ? settings->partitions : 1,
        .compact = settings->compact,
        .retention_ms = settings->retention_ms,
        .retention_bytes = settings->retention_bytes,
    };

    if (complete.retention_ms == SL_LOG_DEFAULT)
        complete.retention_ms = log->settings.retention_ms;
    if (complete.retention_bytes == SL_LOG_DEFAULT)
        complete.retention_bytes = log->settings.retention_bytes;
    return complete;
}

enum sl_rc sl_sqlite_create_topic(struct sl_transport *transport, const struct sl_topic *topic,
                                  const struct sl_topic_settings *settings, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_topic_settings all = complete(log, settings);
    enum sl_rc rc = sl_sqlite_writable(log, err);

    if (rc)
        return rc;
    (void)pthread_mutex_lock(&log->lock);
    if (!sl_sqlite_topic_find(log, topic))
        rc = sl_sqlite_topic_add(log, topic, &all, err);
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

static enum sl_rc load_topic_row(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    struct sl_span name = sl_sqlite_column_span(row, 1);
    int64_t id = sqlite3_column_int64(row, 0);
    struct sl_topic_settings settings = {
        .partitions = sqlite3_column_int(row, 2),
        .compact = sqlite3_column_int(row, 3) != 0,
        .retention_ms = sqlite3_column_int64(row, 4),
        .retention_bytes = sqlite3_column_int64(row, 5),
    };

    if (sqlite3_column_int64(row, 6) != topic_crc(id, name, &settings) || settings.partitions < 1)
        return sl_sqlite_db_damaged_row(&log->db, "topic", (const char *)name.ptr, err);
    publish(log, new_topic(sl_topic_intern((const char *)name.ptr, name.len), id, &settings));
    return SL_OK;
}

static struct sl_sqlite_topic *topic_by_id(struct sl_sqlite *log, int64_t id)
{
    size_t low = 0;
    size_t high = log->n_topics;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (log->in_order[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < log->n_topics && log->in_order[low]->id == id ? log->in_order[low] : NULL;
}

static enum sl_rc load_partition_row(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    struct sl_sqlite_partition partition;
    struct sl_sqlite_topic *topic;
    enum sl_rc rc = sl_sqlite_partition_read(&log->db, row, &partition, err);

    if (rc)
        return rc;
    topic = topic_by_id(log, partition.topic_id);
    if (!topic || partition.number < 0 || partition.number >= topic->settings.partitions)
        return sl_sqlite_db_damaged_row(&log->db, "a partition of topic", topic ? topic->topic->name : "?",
                                        err);
    partition.topic = topic;
    topic->partitions[partition.number] = partition;
    log->bytes += partition.bytes;
    if (partition.last_batch >= log->next_batch)
        log->next_batch = partition.last_batch + 1;
    if (partition.id >= log->next_partition)
        log->next_partition = partition.id + 1;
    return SL_OK;
}

/* The offsets of a partition and of its batches are written together; if they differ, something was damaged.
 */
static enum sl_rc check_ends(struct sl_sqlite *log, const struct sl_sqlite_partition *partition,
                             struct sl_error *err)
{
    sqlite3_stmt *first;
    sqlite3_stmt *last;
    bool has_first = false;
    bool has_last = false;
    int64_t first_offset = partition->next_offset;
    int64_t next_offset = partition->next_offset;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_FIRST_BATCH, &first, err);

    if (!rc)
        rc = sl_sqlite_db_statement(&log->db, SL_SQL_LAST_BATCH, &last, err);
    if (rc)
        return rc;
    (void)sqlite3_bind_int64(first, 1, partition->id);
    (void)sqlite3_bind_int64(last, 1, partition->id);
    rc = sl_sqlite_db_next(&log->db, SL_SQL_FIRST_BATCH, &has_first, err);
    if (!rc && has_first)
        first_offset = sqlite3_column_int64(first, 1);
    if (!rc)
        rc = sl_sqlite_db_next(&log->db, SL_SQL_LAST_BATCH, &has_last, err);
    if (!rc && has_last)
        next_offset = sqlite3_column_int64(last, 0);
    sl_sqlite_db_reset(&log->db, SL_SQL_FIRST_BATCH);
    sl_sqlite_db_reset(&log->db, SL_SQL_LAST_BATCH);
    if (!rc && (first_offset != partition->first_offset || next_offset != partition->next_offset))
        return sl_sqlite_damaged_batch(log->path, partition->topic->topic, partition->number,
                                       partition->first_offset, partition->next_offset,
                                       "the stored batches do not cover these offsets", err);
    return rc;
}

enum sl_rc sl_sqlite_load_rows(struct sl_sqlite *log, enum sl_sql sql, sl_sqlite_load *load,
                               struct sl_error *err)
{
    sqlite3_stmt *statement;
    bool row = true;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, sql, &statement, err);

    while (!rc) {
        rc = sl_sqlite_db_next(&log->db, sql, &row, err);
        if (rc || !row)
            return rc;
        rc = load(log, statement, err);
        if (rc)
            sl_sqlite_db_reset(&log->db, sql);
    }
    return rc;
}

enum sl_rc sl_sqlite_table_load(struct sl_sqlite *log, struct sl_error *err)
{
    enum sl_rc rc;

    log->next_batch = 1;
    log->next_partition = 1;
    rc = sl_sqlite_load_rows(log, SL_SQL_TOPICS, load_topic_row, err);
    if (!rc)
        rc = sl_sqlite_load_rows(log, SL_SQL_PARTITIONS, load_partition_row, err);
    for (size_t i = 0; !rc && i < log->n_topics; i++) {
        struct sl_sqlite_topic *topic = log->in_order[i];

        for (int32_t j = 0; !rc && j < topic->settings.partitions; j++)
            rc = topic->partitions[j].topic
                     ? check_ends(log, &topic->partitions[j], err)
                     : sl_sqlite_db_damaged_row(&log->db, "a partition of topic", topic->topic->name, err);
    }
    return rc;
}

struct sl_sqlite_partition *sl_sqlite_partition_by_id(struct sl_sqlite *log, int64_t id)
{
    for (size_t i = 0; i < log->n_topics; i++) {
        struct sl_sqlite_topic *topic = log->in_order[i];

        /* A topic's partitions are made together: their ids are neighbours. */
        if (id >= topic->partitions[0].id && id < topic->partitions[0].id + topic->settings.partitions)
            return &topic->partitions[id - topic->partitions[0].id];
    }
    return NULL;
}

void sl_sqlite_table_done(struct sl_sqlite *log)
{
    for (size_t i = 0; i < log->n_topics; i++)
        free_topic(log->in_order[i]);
    sl_free(log->in_order);
    sl_free(log->topics);
}

/* What one visit tells, kept until the lock is given back: the visitor may call the transport again. */
static void note_partition(struct sl_topic_info *info, const struct sl_sqlite_topic *topic,
                           const struct sl_sqlite_partition *partition)
{
    (void)snprintf(info->name, sizeof(info->name), "%s", topic->topic->name);
    info->settings = topic->settings;
    info->partition = partition->number;
    info->first_offset = partition->first_offset;
    info->next_offset = partition->next_offset;
    info->bytes = partition->bytes;
}

/* Another process writes: what was loaded at open may be old. */
static enum sl_rc reload(struct sl_sqlite *log, struct sl_error *err)
{
    enum sl_rc rc;

    sl_sqlite_table_done(log);
    log->in_order = NULL;
    log->topics = NULL;
    log->n_topics = log->in_order_capacity = log->topics_capacity = 0;
    log->bytes = 0;
    rc = sl_sqlite_db_begin_read(&log->db, err);
    if (!rc)
        rc = sl_sqlite_db_end(&log->db, sl_sqlite_table_load(log, err), err);
    return rc;
}

enum sl_rc sl_sqlite_partitions(struct sl_transport *transport, const struct sl_topic *topic, int32_t *ret,
                                struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_sqlite_topic *found;
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&log->lock);
    if (log->read_only)
        rc = reload(log, err);
    if (!rc) {
        found = sl_sqlite_topic_find(log, topic);
        *ret = found ? found->settings.partitions : 0;
    }
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

enum sl_rc sl_sqlite_topics(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                            struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_topic_info *infos = NULL;
    size_t n = 0;
    size_t capacity = 0;
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&log->lock);
    if (log->read_only)
        rc = reload(log, err);
    for (size_t i = 0; !rc && i < log->n_topics; i++) {
        for (int32_t j = 0; j < log->in_order[i]->settings.partitions; j++) {
            SL_GROW(infos, n, capacity);
            note_partition(&infos[n++], log->in_order[i], &log->in_order[i]->partitions[j]);
        }
    }
    (void)pthread_mutex_unlock(&log->lock);
    for (size_t i = 0; !rc && i < n; i++)
        visit(ctx, &infos[i]);
    sl_free(infos);
    return rc;
}

struct naming {
    sl_topic_change *visit;
    void *ctx;
};

static void name_topic(void *ctx, const struct sl_topic_info *info)
{
    const struct naming *naming = ctx;

    if (info->partition == 0)
        naming->visit(naming->ctx, sl_topic_intern(info->name, strlen(info->name)),
                      info->settings.partitions);
}

enum sl_rc sl_sqlite_list_topics(struct sl_transport *transport, sl_topic_change *visit, void *ctx,
                                 struct sl_error *err)
{
    struct naming naming = {visit, ctx};

    return sl_sqlite_topics(transport, name_topic, &naming, err);
}
