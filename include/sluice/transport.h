/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: topics with partitions, appended to by sources, read by sinks. Embedded (SQLite) or Kafka; nothing
 * outside transport/ asks which one it is.
 *
 * An operation that is said to be optional may be NULL: the caller then does what the comment says.
 *
 * Threads: append from one writer thread per transport instance; every reader and every appender belongs to
 * one thread; the rest from any.
 */
#ifndef SLUICE_TRANSPORT_H
#define SLUICE_TRANSPORT_H

#include "option.h"
#include "record.h"

struct sl_transport;
struct sl_log_reader;
struct sl_log_appender;
struct sl_membership_ops;

/* A record as the log keeps it: bytes. Spans with ptr NULL are null (not empty). */
struct sl_log_record {
    const struct sl_topic *topic;
    int32_t partition; /* append: >= 0, already chosen */
    int64_t offset;    /* fetch: its offset; append: ignored */
    int64_t timestamp_ms;
    struct sl_span key;
    struct sl_span value;
    struct sl_span headers; /* encoded (log_headers below), empty when none */
};

/*
 * Headers as bytes, in the log and in memory: for each header: varint name length, name, varint (value length
 * + 1, or 0 for null), value. varint = unsigned LEB128. The count is implied by the span.
 */

/* A source's position, stored in the same transaction as the records that it covers. */
struct sl_source_offset {
    const char *connector;
    struct sl_span partition; /* JSON text, compared byte for byte: write keys in a fixed order */
    struct sl_span offset;    /* JSON text; empty: delete the position */
};

/* A source's memory (record.h), stored in the same transaction. */
struct sl_source_note {
    const char *connector;
    struct sl_note note;
};

struct sl_append {
    const struct sl_log_record *records; /* in order; any mix of topics and partitions */
    size_t n_records;
    const struct sl_source_offset *offsets;
    size_t n_offsets;
    const struct sl_source_note *notes; /* in order */
    size_t n_notes;
};

/*
 * An append that was handed to an appender is over: failure NULL means durable, and visible to readers.
 * Called once for each, in the order in which they were handed in, on a thread of the transport. After a
 * failure everything handed in later fails too.
 */
typedef void sl_append_done(void *ctx, const struct sl_error *failure);

/* For whom an appender writes. What the pointers name is copied. */
struct sl_appender_config {
    const char *connector;
    int task;
    const char *role; /* "producer", or "dlq-producer": part of the name that the log's server sees */
    /* The connector's configuration, for the keys that a log has for one connector alone (Kafka:
     * producer.override.*); may be NULL. */
    const struct sl_props *props;
    /*
     * NULL: at least once after a crash, and the same twice is known by its source position. Else exactly
     * once: each append, its offsets and notes with it, becomes visible as a whole or not at all, and whoever
     * held this id before can make nothing durable any more from the moment that the appender is open.
     */
    const char *exclusive_id;
};

/* What a log has for a topic beside the settings that we know: "segment.ms", "compression.type", ... */
struct sl_topic_extra {
    const char *name;
    const char *value;
};

#define SL_LOG_DEFAULT                                                                  \
    INT64_MIN /* of a number: as the log has it for topics that nobody says anything of \
               */

struct sl_topic_settings {
    int32_t partitions;      /* > 0; 0: as the log has it */
    bool compact;            /* cleanup.policy=compact */
    int16_t replication;     /* copies; 0 or -1: as the log has it; the embedded log has one */
    int64_t retention_ms;    /* -1: for ever; or SL_LOG_DEFAULT */
    int64_t retention_bytes; /* -1: no limit; per topic; or SL_LOG_DEFAULT */
    const struct sl_topic_extra
        *extras; /* live as long as whoever gave them; the embedded log ignores them */
    size_t n_extras;
    const struct sl_props
        *props; /* of the connector that makes it, for its admin.override.*; NULL: none. Lives likewise */
};

/* A key and its new value, for put_all. */
struct sl_text {
    const char *key;
    struct sl_span value; /* ptr NULL: delete */
};

/* What one fetch brought. The arrays live until the next fetch of the same reader; what the records' spans
 * point to lies in the arena that the caller gave. */
struct sl_fetched {
    const struct sl_log_record *records; /* in log order, over all topics of the reader */
    size_t n_records;
    const struct sl_progress
        *progress; /* one per (topic, partition) that moved; compacted gaps are covered */
    size_t n_progress;
};

struct sl_topic_info {
    char name[250];
    struct sl_topic_settings settings;
    int32_t partition;
    int64_t first_offset; /* the oldest still there */
    int64_t next_offset;  /* one past the newest */
    int64_t bytes;        /* stored */
};

typedef void sl_topic_visitor(void *ctx, const struct sl_topic_info *info);

/* A topic is there that was not, or it has more partitions than before. */
typedef void sl_topic_change(void *ctx, const struct sl_topic *topic, int32_t partitions);

struct sl_transport_ops {
    const char *name; /* "sqlite", "kafka" */
    bool peers_read;  /* programs of others read the topics */
    const struct sl_option *options;

    /* Open for writing (one process) or read_only (any number, beside the writer). */
    enum sl_rc (*open)(const struct sl_props *props, bool read_only, struct sl_transport **ret,
                       struct sl_error *err);
    /* The log's identity (the state directory's UUID, the Kafka cluster's id), for the life of the transport.
     * Positions are worth nothing in another log. */
    const char *(*identity)(struct sl_transport *transport);
    /*
     * Do other programs reach this log at these brokers (host:port, ...)? props: of a connector, whose keys
     * behind prefix say how to connect to them. They are asked where their names alone do not tell, for a few
     * seconds. NULL: nobody else reads this log. Errors: they cannot be asked (TRANSIENT), CONFIG.
     */
    enum sl_rc (*is_log_at)(struct sl_transport *transport, const struct sl_props *props, const char *prefix,
                            const char *servers, bool *ret_is, struct sl_error *err);
    /*
     * The identity of what a topic holds: the log's own (embedded), or the log's and the topic's incarnation:
     * a topic that was deleted and made again has another one, and positions in it are worth nothing. Heap
     * memory of the caller. A topic that does not exist yet has one too: it gets it now. Errors: CONNECT,
     * TIMEOUT.
     */
    enum sl_rc (*topic_identity)(struct sl_transport *transport, const struct sl_topic *topic, char **ret,
                                 struct sl_error *err);
    /* Create when missing; an existing topic keeps its settings. */
    enum sl_rc (*create_topic)(struct sl_transport *transport, const struct sl_topic *topic,
                               const struct sl_topic_settings *settings, struct sl_error *err);
    /* How many partitions a topic has now; 0: it does not exist. */
    enum sl_rc (*partitions)(struct sl_transport *transport, const struct sl_topic *topic, int32_t *ret,
                             struct sl_error *err);
    /* Every topic that holds records, with its number of partitions. */
    enum sl_rc (*list_topics)(struct sl_transport *transport, sl_topic_change *visit, void *ctx,
                              struct sl_error *err);
    /* Every topic that holds records (not those that keep the texts and offsets below), each partition. */
    enum sl_rc (*topics)(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                         struct sl_error *err);
    /* Optional, where that is dear: of one topic; nothing is visited when it does not exist. NULL: topics is
     * cheap. */
    enum sl_rc (*topic_ends)(struct sl_transport *transport, const struct sl_topic *topic,
                             sl_topic_visitor *visit, void *ctx, struct sl_error *err);
    /* The same for those partitions only that some open reader of this transport reads: cheap, for the lag.
     * The ends may be a second old. */
    enum sl_rc (*ends)(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                       struct sl_error *err);
    /*
     * Optional: tell of topics that others made or gave more partitions, from now on, on a thread of the
     * transport; NULL ends it, and nobody is being called when that returns. NULL operation: only this
     * process makes topics.
     */
    void (*watch_topics)(struct sl_transport *transport, sl_topic_change *change, void *ctx);
    /*
     * Append and make durable, offsets included, all or nothing. Topics that do not exist are created with
     * one partition. Errors: LOG_FULL (at the size limit or on a full disk: clears when readers advance or
     * space is there), IO (disk failing), LOG_DAMAGED; nothing was written.
     */
    enum sl_rc (*append)(struct sl_transport *transport, const struct sl_append *append,
                         struct sl_error *err);
    /*
     * Optional (NULL operation: one thread joins what all tasks have to append and calls append above): an
     * appender of a task's own. The next append may be handed in while earlier ones are on their way.
     * Errors of opening: CONFIG (a key of the client's that is wrong), CONNECT, TIMEOUT, AUTH.
     */
    enum sl_rc (*appender_open)(struct sl_transport *transport, const struct sl_appender_config *config,
                                struct sl_log_appender **ret, struct sl_error *err);
    /*
     * Hand in; what append points to stays untouched until done is called. Waits while too much is on its
     * way. Failures reach done alone: DATA (one record is too large: nothing of the append is in the log),
     * FENCED, NOT_FOUND (a topic was deleted), AUTH. A log that cannot be reached is waited for.
     */
    void (*appender_append)(struct sl_log_appender *appender, const struct sl_append *append,
                            sl_append_done *done, void *ctx);
    /* Why appending waits now, "" when it does not; a copy. Any thread. */
    void (*appender_note)(struct sl_log_appender *appender, char *note, size_t size);
    /* Do not wait for the log any longer: what is on its way fails with STOPPED, and may be in the log all
     * the same. Any thread. */
    void (*appender_abandon)(struct sl_log_appender *appender);
    /* Wait until deadline_us (sl_now_us clock) for what is on its way; what is left fails with STOPPED. */
    void (*appender_close)(struct sl_log_appender *appender, int64_t deadline_us);
    /*
     * Whoever holds an appender with this exclusive_id, wherever it is, can make nothing durable any more.
     * The embedded log has one writer and does nothing. Errors: CONNECT, TIMEOUT, AUTH.
     */
    enum sl_rc (*fence)(struct sl_transport *transport, const char *exclusive_id, struct sl_error *err);
    /* The stored offset of a source partition, heap memory of the caller; NULL text when there is none. */
    enum sl_rc (*source_offset)(struct sl_transport *transport, const char *connector,
                                struct sl_span partition, char **ret_offset, struct sl_error *err);
    /* Every stored source offset of a connector: key = partition JSON, value = offset JSON. */
    enum sl_rc (*source_offsets)(struct sl_transport *transport, const char *connector,
                                 sl_text_visitor *visit, void *ctx, struct sl_error *err);
    /*
     * A connector's memories (sl_append.notes) with from <= key < to, in the order of their keys, at most
     * max of them; to.ptr NULL: to the end. Any thread. Errors: LOG_DAMAGED, IO.
     */
    enum sl_rc (*source_notes)(struct sl_transport *transport, const char *connector, struct sl_span from,
                               struct sl_span to, size_t max, sl_note_visitor *visit, void *ctx,
                               struct sl_error *err);
    /*
     * Optional: what a connector's configuration says of the clients that read, commit and ask under this
     * name from now on (Kafka: consumer.override.*; its group.id is the group in place of the name). Copied;
     * props NULL: nothing any more. Any thread.
     */
    void (*reader_settings)(struct sl_transport *transport, const char *name, const struct sl_props *props);
    /*
     * A reader with a name (Connect: "connect-<connector>"). start: one entry per topic partition,
     * next_offset says where to begin; -1: at the oldest. A start below the oldest record is a GAP, one
     * beyond the end a FOREIGN_POSITION. From now on retention keeps what this name has not committed.
     */
    enum sl_rc (*reader_open)(struct sl_transport *transport, const char *name,
                              const struct sl_progress *start, size_t n, struct sl_log_reader **ret,
                              struct sl_error *err);
    /*
     * The next records, up to about max_bytes and max_records, never splitting what one append wrote unless
     * it is larger than the limits. Waits until something is there or deadline_us (sl_now_us clock) has
     * passed; then n_records = 0. Keys, values and headers are put into the arena, which the caller has
     * emptied: they live as long as it is not reset. Errors: LOG_DAMAGED names the batch; nothing of a
     * damaged batch is ever returned.
     */
    enum sl_rc (*fetch)(struct sl_log_reader *reader, size_t max_bytes, size_t max_records,
                        int64_t deadline_us, struct sl_arena *arena, struct sl_fetched *ret,
                        struct sl_error *err);
    void (*reader_wake)(struct sl_log_reader *reader); /* makes a waiting fetch return at once; any thread */
    void (*reader_close)(struct sl_log_reader *reader);
    /* Tell what is applied: for lag and retention. Lags behind the truth, never before it. A next_offset of
     * -1 has the position forgotten; first_offset then is the oldest record. Any thread. */
    enum sl_rc (*commit)(struct sl_transport *transport, const char *name, const struct sl_progress *progress,
                         size_t n, struct sl_error *err);
    /* Optional: what was committed until now is durable when it returns. Without it, a commit's return says
     * as much as can be said. Any thread. */
    enum sl_rc (*sync_commits)(struct sl_transport *transport, struct sl_error *err);
    /* A committed reader position; -1 when there is none. *ret_foreign: it was another program that committed
     * it (Kafka Connect, a tool). */
    enum sl_rc (*committed)(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                            int32_t partition, int64_t *ret_next, bool *ret_foreign, struct sl_error *err);
    /*
     * Say which topics a configured sink will read, before its source writes: retention keeps everything that
     * the name has not committed, from offset 0 on. The list replaces the name's earlier one: topics that are
     * not in it any more are let go, with their committed positions; n = 0 lets go of all.
     */
    enum sl_rc (*reserve)(struct sl_transport *transport, const char *name,
                          const struct sl_topic *const *topics, size_t n, struct sl_error *err);
    /*
     * Keyed durable texts: connector configs, statuses. value ptr NULL deletes. What was put is durable and
     * seen by list when put returns; by watchers soon after. Errors: CONNECT, TIMEOUT (30 s), FENCED (another
     * holds the claim, see below): then it may come to be there or not, and list tells.
     */
    enum sl_rc (*put)(struct sl_transport *transport, const char *space, const char *key,
                      struct sl_span value, struct sl_error *err);
    /*
     * Several at once, in this order. All or nothing in the embedded log, and on Kafka in a space that is
     * claimed ("configs": FENCED when its claim was let go or lost); else, after a crash, the first few of
     * them may be there and the rest not.
     */
    enum sl_rc (*put_all)(struct sl_transport *transport, const char *space, const struct sl_text *texts,
                          size_t n, struct sl_error *err);
    /*
     * Take the sole right to put into a space, under an id (Kafka: a transactional id; "connect-cluster-<g>"
     * for the leader's configs). Whoever held the id before, wherever it is, gets FENCED from now on; puts
     * into the space are transactions of the id until it is let go (id NULL) or lost. The embedded log has
     * one writer and does nothing.
     */
    enum sl_rc (*claim)(struct sl_transport *transport, const char *space, const char *id,
                        struct sl_error *err);
    /*
     * Every key that has a value. On Kafka in the order of their last writes and as new as the topic's end
     * was when the call was made (what others wrote before is seen); in the embedded log by key.
     */
    enum sl_rc (*list)(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                       struct sl_error *err);
    /*
     * From now on visit is called for each change of the space, whoever made it, in the log's order, on a
     * thread of the transport (never the caller's own); value ptr NULL: the key is gone. It must return soon
     * and may list, but not put or watch. Several watchers are told apart by ctx. visit NULL ends the one
     * with this ctx: nobody is being called when that returns, so the caller holds no lock that visit takes.
     * To miss nothing, watch first, then list: what changes between is told twice.
     */
    enum sl_rc (*watch)(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                        struct sl_error *err);
    /*
     * Stop waiting for servers: calls under way and later ones return STOPPED soon. For a stop that must not
     * hang on a log that is away; an orderly stop does not need it. Any thread.
     */
    void (*abandon)(struct sl_transport *transport);
    void (*close)(struct sl_transport *transport);
    const struct sl_membership_ops *membership; /* who else works here, and who does what: membership.h */
};

/* The first member of every implementation. */
struct sl_transport {
    const struct sl_transport_ops *ops;
};

#endif
