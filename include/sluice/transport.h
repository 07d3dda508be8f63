/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: topics with partitions, appended to by sources, read by sinks. Embedded (SQLite) or Kafka; nothing
 * outside transport/ asks which one it is.
 *
 * Threads: append from one writer thread per transport instance; every reader belongs to one thread; the rest
 * from any.
 */
#ifndef SLUICE_TRANSPORT_H
#define SLUICE_TRANSPORT_H

#include "option.h"
#include "record.h"

struct sl_transport;
struct sl_log_reader;

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

struct sl_topic_settings {
    int32_t partitions;      /* > 0 */
    bool compact;            /* cleanup.policy=compact */
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: no limit; per topic */
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

struct sl_transport_ops {
    const char *name; /* "sqlite" */
    const struct sl_option *options;

    /* Open for writing (one process) or read_only (any number, beside the writer). */
    enum sl_rc (*open)(const struct sl_props *props, bool read_only, struct sl_transport **ret,
                       struct sl_error *err);
    /* The log's identity: a UUID as text, for the life of the transport. Positions are worth nothing in
     * another log. */
    const char *(*identity)(struct sl_transport *transport);
    /* Create when missing; an existing topic keeps its settings. */
    enum sl_rc (*create_topic)(struct sl_transport *transport, const struct sl_topic *topic,
                               const struct sl_topic_settings *settings, struct sl_error *err);
    enum sl_rc (*topics)(struct sl_transport *transport, sl_topic_visitor *visit, void *ctx,
                         struct sl_error *err);
    /*
     * Append and make durable, offsets included, all or nothing. Topics that do not exist are created with
     * one partition. Errors: LOG_FULL (at the size limit or on a full disk: clears when readers advance or
     * space is there), IO (disk failing), LOG_DAMAGED; nothing was written.
     */
    enum sl_rc (*append)(struct sl_transport *transport, const struct sl_append *append,
                         struct sl_error *err);
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
    /* Tell what is applied: for lag and retention. Lags behind the truth, never before it. Any thread. */
    enum sl_rc (*commit)(struct sl_transport *transport, const char *name, const struct sl_progress *progress,
                         size_t n, struct sl_error *err);
    /* A committed reader position; -1 when there is none. */
    enum sl_rc (*committed)(struct sl_transport *transport, const char *name, const struct sl_topic *topic,
                            int32_t partition, int64_t *ret_next, struct sl_error *err);
    /*
     * Say which topics a configured sink will read, before its source writes: retention keeps everything that
     * the name has not committed, from offset 0 on. The list replaces the name's earlier one: topics that are
     * not in it any more are let go, with their committed positions; n = 0 lets go of all.
     */
    enum sl_rc (*reserve)(struct sl_transport *transport, const char *name,
                          const struct sl_topic *const *topics, size_t n, struct sl_error *err);
    /* Keyed durable texts: connector configs, statuses. value ptr NULL deletes. */
    enum sl_rc (*put)(struct sl_transport *transport, const char *space, const char *key,
                      struct sl_span value, struct sl_error *err);
    enum sl_rc (*list)(struct sl_transport *transport, const char *space, sl_text_visitor *visit, void *ctx,
                       struct sl_error *err);
    void (*close)(struct sl_transport *transport);
};

/* The first member of every implementation. */
struct sl_transport {
    const struct sl_transport_ops *ops;
};

#endif
