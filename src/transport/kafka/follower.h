/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the compacted topics hold, at hand: one consumer reads them from their beginning and goes on reading.
 * Keys and values lie in a temporary SQLite database (in memory, and on disk when there is more than a few
 * megabytes), which is made anew at each start: the topics are the truth. Only committed records are seen.
 *
 * Threads: any; the follower's own thread reads and calls watchers.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_FOLLOWER_H
#define SLUICE_TRANSPORT_KAFKA_FOLLOWER_H

#include "base/buf.h"
#include "base/thread.h"
#include "sluice/transport.h"

#include <librdkafka/rdkafka.h>
#include <sqlite3.h>

struct sl_kafka;

/* One partition that is followed. */
struct sl_kafka_followed {
    int table; /* enum sl_kafka_table */
    int32_t partition;
    int64_t next; /* everything below is in the database */
};

struct sl_kafka_watcher {
    char *space;
    sl_text_visitor *visit;
    void *ctx;
};

struct sl_kafka_follower {
    struct sl_kafka *kafka;
    rd_kafka_t *consumer;
    struct sl_thread thread;
    struct sl_stop stop;

    pthread_mutex_t lock; /* guards the database, next and failure */
    pthread_cond_t moved;
    sqlite3 *db;
    sqlite3_stmt *set, *drop;
    struct sl_kafka_followed *followed;
    size_t n_followed;
    struct sl_error failure; /* rc set: it has ended */

    pthread_mutex_t watch_lock;
    pthread_cond_t told;
    struct sl_kafka_watcher *watchers;
    size_t n_watchers, watchers_capacity;
    const void *telling;
};

/* What a visit brings; the spans live until the visitor returns. */
struct sl_kafka_entry {
    struct sl_span key;
    struct sl_span value;
    int64_t timestamp_ms;
};

typedef void sl_kafka_entry_visitor(void *ctx, const struct sl_kafka_entry *entry);

/* Begin to follow the tables that kafka names, and read them to their ends as they are now. */
enum sl_rc sl_kafka_follower_open(struct sl_kafka *kafka, struct sl_error *err);
void sl_kafka_follower_close(struct sl_kafka *kafka);

/* Wait until what was in a table when the call was made has been read. Errors: CONNECT, TIMEOUT, STOPPED. */
enum sl_rc sl_kafka_follow_to_end(struct sl_kafka *kafka, int table, struct sl_error *err);

/* Wait until the record at this place has been read. */
enum sl_rc sl_kafka_follow_to(struct sl_kafka *kafka, int table, int32_t partition, int64_t offset,
                              struct sl_error *err);

/*
 * Visit the keys of a table that begin with prefix and lie in [from, to) behind it (NULL spans: no bound), at
 * most max; in the order of their last writes, or by_key. Copies are made first: the visitor may call back.
 */
struct sl_kafka_query {
    int table;
    struct sl_span prefix;
    struct sl_span from, to;
    size_t max;
    bool by_key;
};
enum sl_rc sl_kafka_follower_visit(struct sl_kafka *kafka, const struct sl_kafka_query *query,
                                   sl_kafka_entry_visitor *visit, void *ctx, struct sl_error *err);

/* visit NULL: end. */
void sl_kafka_follower_watch(struct sl_kafka *kafka, const char *space, sl_text_visitor *visit, void *ctx);

#endif
