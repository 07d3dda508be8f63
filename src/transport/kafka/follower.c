/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/follower.h"

#include "transport/kafka/inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>

enum { BATCH = 500 };

static enum sl_rc fail(struct sl_kafka_follower *follower, struct sl_error *err)
{
    return sl_error_set(err, SL_E_IO,
                        "the temporary index of Kafka's texts: %s. HINT: is there room in TMPDIR?",
                        sqlite3_errmsg(follower->db));
}

/* ---- the index ---- */

static enum sl_rc open_index(struct sl_kafka_follower *follower, struct sl_error *err)
{
    static const char *const schema =
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;"
        "CREATE TABLE kv (place INTEGER, key BLOB, value BLOB NOT NULL, written_ms INTEGER NOT NULL,"
        " partition INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (place, key)) WITHOUT ROWID";

    if (sqlite3_open_v2("", &follower->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(follower->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(follower->db, "REPLACE INTO kv VALUES (?1, ?2, ?3, ?4, ?5, ?6)", -1,
                           &follower->set, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(follower->db, "DELETE FROM kv WHERE place = ?1 AND key = ?2", -1, &follower->drop,
                           NULL) != SQLITE_OK)
        return fail(follower, err);
    return SL_OK;
}

static void bind_bytes(sqlite3_stmt *statement, int index, const void *bytes, size_t len)
{
    (void)sqlite3_bind_blob64(statement, index, len ? bytes : "", len, SQLITE_STATIC);
}

static enum sl_rc store(struct sl_kafka_follower *follower, int table, const rd_kafka_message_t *message,
                        struct sl_error *err)
{
    sqlite3_stmt *statement = message->payload ? follower->set : follower->drop;
    int result;

    (void)sqlite3_bind_int(statement, 1, table);
    bind_bytes(statement, 2, message->key, message->key_len);
    if (message->payload) {
        bind_bytes(statement, 3, message->payload, message->len);
        (void)sqlite3_bind_int64(statement, 4, rd_kafka_message_timestamp(message, NULL));
        (void)sqlite3_bind_int(statement, 5, message->partition);
        (void)sqlite3_bind_int64(statement, 6, message->offset);
    }
    result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return result == SQLITE_DONE ? SL_OK : fail(follower, err);
}

/* ---- following ---- */

static struct sl_kafka_followed *find(struct sl_kafka_follower *follower, const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);

    for (size_t i = 0; i < follower->n_followed; i++) {
        struct sl_kafka_followed *followed = &follower->followed[i];

        if (followed->partition == message->partition &&
            strcmp(follower->kafka->tables[followed->table], topic) == 0)
            return followed;
    }
    return NULL;
}

static enum sl_rc take(struct sl_kafka_follower *follower, const rd_kafka_message_t *message,
                       struct sl_error *err)
{
    struct sl_kafka_followed *followed = message->rkt ? find(follower, message) : NULL;
    enum sl_rc rc = SL_OK;

    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && followed)
        followed->next = message->offset; /* past the marks of transactions, which nobody is given */
    if (message->err &&
        (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || sl_kafka_retriable(message->err)))
        return SL_OK;
    if (message->err)
        return sl_kafka_error(err, message->err, rd_kafka_message_errstr(message), "reading topic '%.120s'",
                              message->rkt ? rd_kafka_topic_name(message->rkt) : "?");
    if (!followed)
        return SL_OK;
    if (message->key)
        rc = store(follower, followed->table, message, err);
    followed->next = message->offset + 1;
    return rc;
}

static void take_all(struct sl_kafka_follower *follower, rd_kafka_message_t **messages, size_t n)
{
    struct sl_error err = {0};

    (void)pthread_mutex_lock(&follower->lock);
    (void)sqlite3_exec(follower->db, "BEGIN", NULL, NULL, NULL);
    for (size_t i = 0; i < n && !err.rc; i++)
        (void)take(follower, messages[i], &err);
    (void)sqlite3_exec(follower->db, "COMMIT", NULL, NULL, NULL);
    if (err.rc && !follower->failure.rc)
        follower->failure = err;
    (void)pthread_cond_broadcast(&follower->moved);
    (void)pthread_mutex_unlock(&follower->lock);
    if (err.rc)
        sl_log_error(SL_LEVEL_ERROR, "the topics of configurations and offsets cannot be followed", &err);
}

/* The key within its space, when the message belongs to it; else NULL. */
static const char *key_in_space(const struct sl_kafka_follower *follower, const char *space,
                                const rd_kafka_message_t *message, struct sl_buf *key)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    int table = sl_kafka_table_of(space);
    size_t len = strlen(space);

    if (strcmp(topic, follower->kafka->tables[table]) != 0)
        return NULL;
    sl_buf_reset(key);
    if (table != SL_KAFKA_STATE) {
        sl_buf_put(key, message->key, message->key_len);
        return sl_buf_cstr(key);
    }
    if (message->key_len <= len || memcmp(message->key, space, len) != 0 ||
        ((const char *)message->key)[len] != '/')
        return NULL;
    sl_buf_put(key, (const char *)message->key + len + 1, message->key_len - len - 1);
    return sl_buf_cstr(key);
}

static void tell(struct sl_kafka_follower *follower, const rd_kafka_message_t *message, struct sl_buf *key)
{
    (void)pthread_mutex_lock(&follower->watch_lock);
    for (size_t i = 0; i < follower->n_watchers; i++) {
        struct sl_kafka_watcher watcher = follower->watchers[i];
        const char *name = key_in_space(follower, watcher.space, message, key);

        if (!name)
            continue;
        follower->telling = watcher.ctx;
        (void)pthread_mutex_unlock(&follower->watch_lock);
        watcher.visit(watcher.ctx, name, (struct sl_span){message->payload, message->len});
        (void)pthread_mutex_lock(&follower->watch_lock);
        follower->telling = NULL;
        (void)pthread_cond_broadcast(&follower->told);
    }
    (void)pthread_mutex_unlock(&follower->watch_lock);
}

static void run(void *arg)
{
    struct sl_kafka_follower *follower = arg;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(follower->consumer);
    struct sl_buf key = {0};

    while (!sl_stop_requested(&follower->stop)) {
        rd_kafka_message_t *messages[BATCH];
        ssize_t n = 1;
        ssize_t more;

        messages[0] = rd_kafka_consumer_poll(follower->consumer, SL_KAFKA_TURN_MS);
        if (!messages[0])
            continue;
        more = rd_kafka_consume_batch_queue(queue, 0, messages + 1, BATCH - 1);
        n += more > 0 ? more : 0;
        take_all(follower, messages, (size_t)n);
        for (ssize_t i = 0; i < n; i++) {
            if (!messages[i]->err && messages[i]->key)
                tell(follower, messages[i], &key);
            rd_kafka_message_destroy(messages[i]);
        }
    }
    sl_buf_done(&key);
    rd_kafka_queue_destroy(queue);
}

/* ---- waiting ---- */

static bool reached(const struct sl_kafka_follower *follower, int table, int32_t partition, int64_t next)
{
    for (size_t i = 0; i < follower->n_followed; i++) {
        const struct sl_kafka_followed *followed = &follower->followed[i];

        if (followed->table == table && followed->partition == partition)
            return followed->next >= next;
    }
    return true; /* not followed: a partition that was added later, which Connect does not do */
}

static enum sl_rc wait_for(struct sl_kafka_follower *follower, int table, int32_t partition, int64_t next,
                           int64_t deadline_us, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&follower->lock);
    while (rc == SL_OK && !reached(follower, table, partition, next)) {
        if (follower->failure.rc) {
            *err = follower->failure;
            rc = err->rc;
        } else if (sl_kafka_given_up(follower->kafka)) {
            rc = sl_kafka_stopped(err);
        } else if (sl_now_us() > deadline_us) {
            rc = sl_kafka_no_answer(follower->kafka, "reading a topic of texts to its end", err);
        } else {
            (void)sl_cond_wait(&follower->moved, &follower->lock, sl_now_us() + SL_KAFKA_TURN_MS * 1000);
        }
    }
    (void)pthread_mutex_unlock(&follower->lock);
    return rc;
}

enum sl_rc sl_kafka_follow_to(struct sl_kafka *kafka, int table, int32_t partition, int64_t offset,
                              struct sl_error *err)
{
    return wait_for(&kafka->follower, table, partition, offset + 1, sl_now_us() + SL_KAFKA_ANSWER_US, err);
}

enum sl_rc sl_kafka_follow_to_end(struct sl_kafka *kafka, int table, struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SL_KAFKA_ANSWER_US;
    int32_t n = kafka->table_partitions[table];
    int64_t *ends = sl_zalloc((size_t)n + 1, sizeof(*ends));
    enum sl_rc rc = sl_kafka_topic_ends(kafka, kafka->tables[table], n, ends, err);

    for (int32_t i = 0; rc == SL_OK && i < n; i++)
        rc = wait_for(&kafka->follower, table, i, ends[i], deadline_us, err);
    sl_free(ends);
    return rc;
}

/* ---- visiting ---- */

/* The smallest key that is larger than every key with this prefix; none for 0xFF alone, which nobody uses. */
static void end_of_prefix(struct sl_span prefix, struct sl_buf *end)
{
    sl_buf_put(end, prefix.ptr, prefix.len);
    while (end->len && end->data[end->len - 1] == 0xFF)
        end->len--;
    if (end->len)
        end->data[end->len - 1]++;
}

static void bound(struct sl_span prefix, struct sl_span rest, struct sl_buf *key)
{
    sl_buf_put(key, prefix.ptr, prefix.len);
    sl_buf_put(key, rest.ptr, rest.len);
}

struct copied {
    struct sl_buf bytes;
    size_t *lengths; /* key, value */
    int64_t *times;
    size_t n, lengths_capacity, n_times, times_capacity;
};

static void copy_row(sqlite3_stmt *statement, struct copied *copied)
{
    size_t key_len = (size_t)sqlite3_column_bytes(statement, 0);
    size_t value_len = (size_t)sqlite3_column_bytes(statement, 1);

    sl_buf_put(&copied->bytes, sqlite3_column_blob(statement, 0), key_len);
    sl_buf_put(&copied->bytes, sqlite3_column_blob(statement, 1), value_len);
    SL_GROW(copied->lengths, copied->n, copied->lengths_capacity);
    copied->lengths[copied->n++] = key_len;
    SL_GROW(copied->lengths, copied->n, copied->lengths_capacity);
    copied->lengths[copied->n++] = value_len;
    SL_GROW(copied->times, copied->n_times, copied->times_capacity);
    copied->times[copied->n_times++] = sqlite3_column_int64(statement, 2);
}

static enum sl_rc copy_rows(struct sl_kafka_follower *follower, const struct sl_kafka_query *query,
                            struct copied *copied, struct sl_error *err)
{
    static const char *const sql[] = {
        "SELECT key, value, written_ms FROM kv WHERE place = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3)"
        " ORDER BY partition, offset LIMIT ?4",
        "SELECT key, value, written_ms FROM kv WHERE place = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3)"
        " ORDER BY key LIMIT ?4",
    };
    struct sl_buf from = {0};
    struct sl_buf to = {0};
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(follower->db, sql[query->by_key], -1, &statement, NULL);

    bound(query->prefix, query->from, &from);
    if (query->to.ptr)
        bound(query->prefix, query->to, &to);
    else
        end_of_prefix(query->prefix, &to);
    if (result == SQLITE_OK) {
        (void)sqlite3_bind_int(statement, 1, query->table);
        bind_bytes(statement, 2, from.data, from.len);
        if (to.len)
            bind_bytes(statement, 3, to.data, to.len);
        (void)sqlite3_bind_int64(statement, 4, query->max ? (int64_t)query->max : -1);
        while ((result = sqlite3_step(statement)) == SQLITE_ROW)
            copy_row(statement, copied);
    }
    (void)sqlite3_finalize(statement);
    sl_buf_done(&from);
    sl_buf_done(&to);
    return result == SQLITE_DONE ? SL_OK : fail(follower, err);
}

enum sl_rc sl_kafka_follower_visit(struct sl_kafka *kafka, const struct sl_kafka_query *query,
                                   sl_kafka_entry_visitor *visit, void *ctx, struct sl_error *err)
{
    struct sl_kafka_follower *follower = &kafka->follower;
    struct copied copied = {0};
    size_t at = 0;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&follower->lock);
    rc = copy_rows(follower, query, &copied, err);
    (void)pthread_mutex_unlock(&follower->lock);
    for (size_t i = 0; rc == SL_OK && i < copied.n; i += 2) {
        struct sl_kafka_entry entry = {
            .key = {copied.bytes.data + at, copied.lengths[i]},
            .value = {copied.bytes.data + at + copied.lengths[i], copied.lengths[i + 1]},
            .timestamp_ms = copied.times[i / 2]};

        visit(ctx, &entry);
        at += copied.lengths[i] + copied.lengths[i + 1];
    }
    sl_buf_done(&copied.bytes);
    sl_free(copied.lengths);
    sl_free(copied.times);
    return rc;
}

void sl_kafka_follower_watch(struct sl_kafka *kafka, const char *space, sl_text_visitor *visit, void *ctx)
{
    struct sl_kafka_follower *follower = &kafka->follower;
    size_t kept = 0;

    (void)pthread_mutex_lock(&follower->watch_lock);
    if (visit) {
        SL_GROW(follower->watchers, follower->n_watchers, follower->watchers_capacity);
        follower->watchers[follower->n_watchers++] =
            (struct sl_kafka_watcher){.space = sl_strdup(space), .visit = visit, .ctx = ctx};
    } else {
        for (size_t i = 0; i < follower->n_watchers; i++) {
            if (follower->watchers[i].ctx == ctx && strcmp(follower->watchers[i].space, space) == 0)
                sl_free(follower->watchers[i].space);
            else
                follower->watchers[kept++] = follower->watchers[i];
        }
        follower->n_watchers = kept;
        while (ctx && follower->telling == ctx)
            (void)sl_cond_wait(&follower->told, &follower->watch_lock, INT64_MAX);
    }
    (void)pthread_mutex_unlock(&follower->watch_lock);
}

/* ---- life ---- */

static enum sl_rc open_consumer(struct sl_kafka_follower *follower, struct sl_error *err)
{
    const struct sl_kafka_setting always[] = {
        {"group.id", follower->kafka->group},   {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},      {"enable.partition.eof", "true"},
        {"isolation.level", "read_committed"},  {"queued.max.messages.kbytes", "4096"},
        {"fetch.message.max.bytes", "1048576"}, {"fetch.error.backoff.ms", "100"},
        {"allow.auto.create.topics", "false"},  {NULL, NULL}};
    struct sl_kafka_client description = {.client_id = "sluice-follower", .always = always};
    rd_kafka_conf_t *conf;
    enum sl_rc rc = sl_kafka_conf(follower->kafka, &description, &conf, err);

    if (rc)
        return rc;
    rc = sl_kafka_client_open(RD_KAFKA_CONSUMER, conf, &follower->consumer, err);
    if (rc == SL_OK)
        (void)rd_kafka_poll_set_consumer(follower->consumer);
    return rc;
}

static enum sl_rc assign(struct sl_kafka_follower *follower, struct sl_error *err)
{
    struct sl_kafka *kafka = follower->kafka;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;
    int total = 0;

    for (int table = 0; table < SL_KAFKA_TABLES; table++)
        total += kafka->table_partitions[table];
    list = rd_kafka_topic_partition_list_new(total);
    follower->followed = sl_zalloc((size_t)total + 1, sizeof(*follower->followed));
    for (int table = 0; table < SL_KAFKA_TABLES; table++) {
        for (int32_t i = 0; i < kafka->table_partitions[table]; i++) {
            follower->followed[follower->n_followed++] =
                (struct sl_kafka_followed){.table = table, .partition = i};
            rd_kafka_topic_partition_list_add(list, kafka->tables[table], i)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
        }
    }
    code = rd_kafka_assign(follower->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? sl_kafka_error(err, code, NULL, "following the topics of texts") : SL_OK;
}

enum sl_rc sl_kafka_follower_open(struct sl_kafka *kafka, struct sl_error *err)
{
    struct sl_kafka_follower *follower = &kafka->follower;
    enum sl_rc rc;

    follower->kafka = kafka;
    (void)pthread_mutex_init(&follower->lock, NULL);
    (void)pthread_mutex_init(&follower->watch_lock, NULL);
    sl_cond_init(&follower->moved);
    sl_cond_init(&follower->told);
    sl_stop_init(&follower->stop);
    rc = open_index(follower, err);
    if (rc == SL_OK)
        rc = open_consumer(follower, err);
    if (rc == SL_OK)
        rc = assign(follower, err);
    if (rc)
        return rc;
    sl_thread_start(&follower->thread, "kafka-follow", run, follower);
    for (int table = 0; rc == SL_OK && table < SL_KAFKA_TABLES; table++)
        rc = sl_kafka_follow_to_end(kafka, table, err);
    return rc;
}

void sl_kafka_follower_close(struct sl_kafka *kafka)
{
    struct sl_kafka_follower *follower = &kafka->follower;

    if (!follower->kafka)
        return;
    sl_stop_request(&follower->stop);
    sl_thread_join(&follower->thread);
    if (follower->consumer)
        sl_kafka_bury(kafka, follower->consumer);
    (void)sqlite3_finalize(follower->set);
    (void)sqlite3_finalize(follower->drop);
    (void)sqlite3_close(follower->db);
    for (size_t i = 0; i < follower->n_watchers; i++)
        sl_free(follower->watchers[i].space);
    sl_free(follower->watchers);
    sl_free(follower->followed);
    sl_stop_done(&follower->stop);
    (void)pthread_cond_destroy(&follower->moved);
    (void)pthread_cond_destroy(&follower->told);
    (void)pthread_mutex_destroy(&follower->lock);
    (void)pthread_mutex_destroy(&follower->watch_lock);
}
