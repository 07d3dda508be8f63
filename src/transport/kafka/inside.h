/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the log on Kafka: what its files share. Outsiders see kafka.h.
 *
 * Clients: one producer (`client`) for metadata, administration and texts; one consumer (the follower) for
 * the topics of texts, offsets and notes; a producer for each appender and a consumer for each reader, since
 * connectors have client settings of their own.
 *
 * Waiting: every call that waits for a broker looks at `abandoned` at least every SL_KAFKA_TURN_MS.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_INSIDE_H
#define SLUICE_TRANSPORT_KAFKA_INSIDE_H

#include "base/buf.h"
#include "base/thread.h"
#include "sluice/transport.h"
#include "transport/kafka/client.h"
#include "transport/kafka/follower.h"

enum {
    SL_KAFKA_TURN_MS = 200,
    SL_KAFKA_ANSWER_US = 30 * 1000 * 1000, /* a call that has no answer by then fails with TIMEOUT */
};

/* The topics whose keys and values the follower keeps at hand. */
enum sl_kafka_table {
    SL_KAFKA_CONFIGS,
    SL_KAFKA_STATUSES,
    SL_KAFKA_OFFSETS,
    SL_KAFKA_STATE,
    SL_KAFKA_SCHEMAS,
    SL_KAFKA_TABLES
};

struct sl_kafka_claim {
    char *space;
    rd_kafka_t *producer; /* transactional */
};

struct sl_kafka {
    struct sl_transport transport;
    bool read_only;
    struct sl_props *props;     /* the worker's, a copy */
    const char *group;          /* group.id, in props; NULL: standalone */
    char *identity;             /* the cluster's id */
    struct sl_transport *local; /* standalone: texts, offsets and notes are here; else NULL */
    rd_kafka_t *client;
    struct sl_thread poller; /* serves what was produced by client */
    struct sl_stop stop;
    _Atomic bool abandoned;

    struct sl_kafka_follower follower; /* with group.id */
    char *tables[SL_KAFKA_TABLES];     /* names of the topics; NULL: there is none */
    int32_t table_partitions[SL_KAFKA_TABLES];

    pthread_mutex_t trouble_lock; /* guards the next two */
    char trouble[200];            /* what the clients complained of last; "" when something succeeded since */
    rd_kafka_resp_err_t trouble_code;

    pthread_mutex_t put_lock; /* one put (or batch of puts) at a time; guards the next four */
    struct sl_kafka_claim *claims;
    size_t n_claims, claims_capacity;
    bool has_led; /* the configs were claimed once: without a claim they are not written any more */

    pthread_mutex_t readers_lock; /* guards the list of open readers */
    struct sl_log_reader **readers;
    size_t n_readers, readers_capacity;

    struct sl_kafka_topic_watch *watch; /* topics.c; NULL: nobody listens */
    struct sl_kafka_groups *groups;     /* group.c */
    struct sl_kafka_graves *graves;     /* bury.c */
    struct sl_kafka_marks *marks;       /* incarnation.c */
};

static inline struct sl_kafka *sl_kafka_of(struct sl_transport *transport)
{
    return (struct sl_kafka *)transport;
}

static inline bool sl_kafka_given_up(const struct sl_kafka *kafka)
{
    return atomic_load_explicit(&kafka->abandoned, memory_order_acquire);
}

/* ---- errors.c ---- */

/* What a client's code means here. doing: "creating topic 'x'". */
enum sl_rc sl_kafka_error(struct sl_error *err, rd_kafka_resp_err_t code, const char *why, const char *doing,
                          ...) __attribute__((format(printf, 4, 5)));
/* The same of an error object, which is destroyed. */
enum sl_rc sl_kafka_error_of(struct sl_error *err, rd_kafka_error_t *error, const char *doing);
/* STOPPED: the transport was abandoned. */
enum sl_rc sl_kafka_stopped(struct sl_error *err);
/* Is it worth to ask again (brokers away, leaders moving)? */
bool sl_kafka_retriable(rd_kafka_resp_err_t code);

/* ---- open.c ---- */

/*
 * Ask where a topic is, for a second at most: a client that runs already learns of another topic only when it
 * looks around, once a second (librdkafka 2.0), and what it is to read or write there waits until then.
 */
void sl_kafka_find_topic(rd_kafka_t *client, const char *topic);

/* The delivery callback of clients that write texts: a message's opaque begins with the function to call. */
void sl_kafka_on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque);
/* A client of this log's; conf is taken over. Errors: CONFIG. */
enum sl_rc sl_kafka_client_open(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret,
                                struct sl_error *err);
/* A configuration with everything that all clients of this log have: brokers, security, logging. */
enum sl_rc sl_kafka_conf(const struct sl_kafka *kafka, const struct sl_kafka_client *client,
                         rd_kafka_conf_t **ret, struct sl_error *err);

/* A client complains, by its error callback. */
void sl_kafka_complain(struct sl_kafka *kafka, int code, const char *why);
/* Something succeeded: nobody has to be told of what failed before. */
void sl_kafka_no_trouble(struct sl_kafka *kafka);
/* What the clients complained of last, for those who wait ("" when nothing). */
void sl_kafka_trouble(struct sl_kafka *kafka, char *text, size_t size);
/* TIMEOUT, or AUTH when that is what the clients complain of; "doing" stands in front. */
enum sl_rc sl_kafka_no_answer(struct sl_kafka *kafka, const char *doing, struct sl_error *err);

/* ---- whose.c ---- */

enum sl_rc sl_kafka_is_log_at(struct sl_transport *transport, const struct sl_props *props,
                              const char *prefix, const char *servers, bool *ret_is, struct sl_error *err);

/* ---- bury.c ---- */

struct sl_kafka_graves *sl_kafka_graves_new(void);
/* Destroy a client, without waiting for it. NULL is fine. */
void sl_kafka_bury(struct sl_kafka *kafka, rd_kafka_t *client);
/* Wait until all are destroyed, or the deadline; then let go of the graves. */
void sl_kafka_graves_leave(struct sl_kafka_graves *graves, int64_t deadline_us);

/* ---- compacted.c ---- */

/* A topic that must be compacted, and by which property it was named: for the error. */
struct sl_kafka_compacted {
    const char *name, *property, *what;
};
/* Errors: CONFIG (names the topic, its cleanup.policy and the property). */
enum sl_rc sl_kafka_expect_compacted(struct sl_kafka *kafka, const struct sl_kafka_compacted *topics,
                                     size_t n, struct sl_error *err);

/* ---- mend.c ---- */

/*
 * What a former holder of the claim broke off is overwritten by what is committed, in a transaction of
 * producer's, who holds it now. Errors: CONNECT, TIMEOUT, FENCED.
 */
enum sl_rc sl_kafka_mend(struct sl_kafka *kafka, enum sl_kafka_table table, rd_kafka_t *producer,
                         struct sl_error *err);

/* ---- topics.c ---- */

enum sl_rc sl_kafka_create_topic(struct sl_transport *transport, const struct sl_topic *topic,
                                 const struct sl_topic_settings *settings, struct sl_error *err);
/* Make a topic by name when it is missing. cleanup_compact_only: a topic that is there must be compacted. */
enum sl_rc sl_kafka_make_topic(struct sl_kafka *kafka, const char *name,
                               const struct sl_topic_settings *settings, struct sl_error *err);
/* 0: it does not exist. */
enum sl_rc sl_kafka_count_partitions(struct sl_kafka *kafka, const char *name, int32_t *ret,
                                     struct sl_error *err);
/* The same, asked for again for a few seconds while there are fewer than at_least. */
enum sl_rc sl_kafka_expect_partitions(struct sl_kafka *kafka, const char *name, int32_t at_least,
                                      int32_t *ret, struct sl_error *err);
enum sl_rc sl_kafka_partitions(struct sl_transport *transport, const struct sl_topic *topic, int32_t *ret,
                               struct sl_error *err);
enum sl_rc sl_kafka_list_topics(struct sl_transport *transport, sl_topic_change *visit, void *ctx,
                                struct sl_error *err);
enum sl_rc sl_kafka_topics(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                           struct sl_error *err);
enum sl_rc sl_kafka_visit_topic(struct sl_transport *transport, const struct sl_topic *topic,
                                sl_topic_visitor *visit, void *ctx, struct sl_error *err);
void sl_kafka_watch_topics(struct sl_transport *transport, sl_topic_change *change, void *ctx);
/* Is it one of those that hold texts, offsets or the brokers' own things? */
bool sl_kafka_internal_topic(const struct sl_kafka *kafka, const char *name);

/* ---- ends.c ---- */

/* The first and the next offset of a partition, as readers of committed records see it. NOT_FOUND: no topic.
 */
enum sl_rc sl_kafka_watermarks(struct sl_kafka *kafka, const char *topic, int32_t partition,
                               int64_t *ret_first, int64_t *ret_next, struct sl_error *err);
/*
 * The same, asked for again for a few seconds while the partition is missing or ends before at_least: a
 * leader that was just elected may not know yet how far its followers are.
 */
enum sl_rc sl_kafka_expect_end(struct sl_kafka *kafka, const char *topic, int32_t partition, int64_t at_least,
                               int64_t *ret_first, int64_t *ret_next, struct sl_error *err);
/* The next offsets of all partitions of a topic, ret_next[0 .. n-1]. */
enum sl_rc sl_kafka_topic_ends(struct sl_kafka *kafka, const char *topic, int32_t n, int64_t *ret_next,
                               struct sl_error *err);
enum sl_rc sl_kafka_ends(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                         struct sl_error *err);

/* ---- appender.c ---- */

enum sl_rc sl_kafka_appender_open(struct sl_transport *transport, const struct sl_appender_config *config,
                                  struct sl_log_appender **ret, struct sl_error *err);
void sl_kafka_appender_append(struct sl_log_appender *appender, const struct sl_append *append,
                              sl_append_done *done, void *ctx);
void sl_kafka_appender_note(struct sl_log_appender *appender, char *note, size_t size);
void sl_kafka_appender_abandon(struct sl_log_appender *appender);
void sl_kafka_appender_close(struct sl_log_appender *appender, int64_t deadline_us);
enum sl_rc sl_kafka_append(struct sl_transport *transport, const struct sl_append *append,
                           struct sl_error *err);
enum sl_rc sl_kafka_fence(struct sl_transport *transport, const char *exclusive_id, struct sl_error *err);

/* ---- reader.c ---- */

enum sl_rc sl_kafka_reader_open(struct sl_transport *transport, const char *name,
                                const struct sl_progress *start, size_t n, struct sl_log_reader **ret,
                                struct sl_error *err);
enum sl_rc sl_kafka_fetch(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                          int64_t deadline_us, struct sl_arena *arena, struct sl_fetched *ret,
                          struct sl_error *err);
void sl_kafka_reader_wake(struct sl_log_reader *reader);
void sl_kafka_reader_close(struct sl_log_reader *reader);
/* Visit what it reads, with the ends that its client has seen. */
void sl_kafka_reader_ends(struct sl_log_reader *reader, sl_topic_visitor *visit, void *ctx);

/* ---- group.c ---- */

void sl_kafka_groups_open(struct sl_kafka *kafka);
void sl_kafka_groups_close(struct sl_kafka *kafka);
void sl_kafka_reader_settings(struct sl_transport *transport, const char *name, const struct sl_props *props);
/* What was said of a name: a copy of the caller's; NULL: nothing. */
struct sl_props *sl_kafka_settings_of(struct sl_kafka *kafka, const char *name);
/* The consumer group that a name stands for; borrowed from one of the two. */
const char *sl_kafka_group_of(const char *name, const struct sl_props *settings);

enum sl_rc sl_kafka_commit(struct sl_transport *transport, const char *name,
                           const struct sl_progress *progress, size_t n, struct sl_error *err);
enum sl_rc sl_kafka_committed(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                              int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err);

/* ---- texts.c ---- */

int sl_kafka_table_of(const char *space); /* enum sl_kafka_table */
/* Which partition of its topic a key belongs to: as Java's producer has it. */
int32_t sl_kafka_table_partition(const struct sl_kafka *kafka, enum sl_kafka_table table, struct sl_span key);
/* A producer that holds a transactional id from now on; conf is taken over. */
enum sl_rc sl_kafka_transactional(struct sl_kafka *kafka, rd_kafka_conf_t *conf, const char *id,
                                  rd_kafka_t **ret, struct sl_error *err);
/* Waits for as long as it takes, until stop. *ret_abort: the transaction can only be aborted. */
enum sl_rc sl_kafka_commit_transaction(struct sl_kafka *kafka, const struct sl_stop *stop,
                                       rd_kafka_t *producer, bool *ret_abort, struct sl_error *err);
void sl_kafka_abort_transaction(struct sl_kafka *kafka, const struct sl_stop *stop, rd_kafka_t *producer);

enum sl_rc sl_kafka_put(struct sl_transport *transport, const char *space, const char *key,
                        struct sl_span value, struct sl_error *err);
enum sl_rc sl_kafka_put_all(struct sl_transport *transport, const char *space, const struct sl_text *texts,
                            size_t n, struct sl_error *err);
enum sl_rc sl_kafka_claim(struct sl_transport *transport, const char *space, const char *id,
                          struct sl_error *err);
enum sl_rc sl_kafka_list(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                         struct sl_error *err);
enum sl_rc sl_kafka_watch(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                          void *ctx, struct sl_error *err);
void sl_kafka_claims_close(struct sl_kafka *kafka);

/* ---- offsets.c ---- */

enum sl_rc sl_kafka_source_offset(struct sl_transport *transport, const char *connector,
                                  struct sl_span partition, char **ret_offset, struct sl_error *err);
enum sl_rc sl_kafka_source_offsets(struct sl_transport *transport, const char *connector,
                                   sl_text_visitor *visit, void *ctx, struct sl_error *err);
enum sl_rc sl_kafka_source_notes(struct sl_transport *transport, const char *connector, struct sl_span from,
                                 struct sl_span to, size_t max, sl_note_visitor *visit, void *ctx,
                                 struct sl_error *err);
/* One message for a table: where it goes and its bytes. */
struct sl_kafka_message {
    enum sl_kafka_table table;
    struct sl_buf key;
    struct sl_span value; /* ptr NULL: a tombstone */
    const char *topic;    /* in place of the table's, with its partition; NULL: the table's */
    int32_t partition;
};
typedef enum sl_rc sl_kafka_send(void *ctx, const struct sl_kafka_message *message, struct sl_error *err);
/* The messages that store an offset: its own, and tombstones of other spellings of its partition. */
enum sl_rc sl_kafka_offset_messages(struct sl_kafka *kafka, const struct sl_source_offset *offset,
                                    sl_kafka_send *send, void *ctx, struct sl_error *err);
enum sl_rc sl_kafka_note_message(const struct sl_source_note *note, sl_kafka_send *send, void *ctx,
                                 struct sl_error *err);

/* ---- own_offsets.c ---- */

/*
 * A source is about to begin: take over what stands in the topic that its connector names for its offsets,
 * where it is newer, and mirror them there from then on. Before its offsets are asked for. Errors: CONNECT,
 * TIMEOUT, AUTH.
 */
enum sl_rc sl_kafka_own_offsets(struct sl_kafka *kafka, const char *connector, const struct sl_props *props,
                                struct sl_error *err);
/* Send the message to that topic too, when the connector has one. */
enum sl_rc sl_kafka_mirror_offset(struct sl_kafka *kafka, const char *connector,
                                  const struct sl_kafka_message *message, sl_kafka_send *send, void *ctx,
                                  struct sl_error *err);

/* ---- incarnation.c ---- */

enum sl_rc sl_kafka_topic_identity(struct sl_transport *transport, const struct sl_topic *topic, char **ret,
                                   struct sl_error *err);
/* The newest record that a reader has seen of a partition: what tells one topic from another of its name. */
struct sl_kafka_mark {
    int64_t offset; /* -1: none */
    int64_t timestamp_ms;
    uint32_t crc; /* of key and value */
};
uint32_t sl_kafka_mark_crc(struct sl_span key, struct sl_span value);
void sl_kafka_mark(struct sl_kafka *kafka, const struct sl_topic *topic, int32_t partition,
                   const struct sl_kafka_mark *mark);
void sl_kafka_marks_store(struct sl_kafka *kafka, bool now);
void sl_kafka_marks_open(struct sl_kafka *kafka);
void sl_kafka_marks_close(struct sl_kafka *kafka);

#endif
