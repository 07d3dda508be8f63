/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records and batches: all that a source, a transform, a converter and a sink share.
 *
 * A batch owns one arena, an array of records in source (or log) order, and its runs: neighbours of the same
 * topic and the same schemas. Whoever asks "which plan?" asks once per run. When a batch is done its arena is
 * reset, not freed; two or three batches circulate for ever.
 */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include "schema.h"

struct sl_arena; /* base/arena.h */

/* Bytes that belong to somebody else; the comment at the use says until when they live. */
struct sl_span {
    const uint8_t *ptr;
    size_t len;
};

/* A topic name, interned: equal names are one pointer. */
struct sl_topic {
    const char *name;
    uint32_t len;
    uint32_t id; /* dense, from 0 */
};

const struct sl_topic *sl_topic_intern(const char *name, size_t len);

struct sl_header {
    const char *name;               /* in the arena or static */
    const struct sl_schema *schema; /* NULL: the value is raw bytes that no converter touches */
    struct sl_value value;
};

typedef void sl_text_visitor(void *ctx, const char *key, struct sl_span value);

#define SL_NO_TIMESTAMP INT64_MIN

/* Where the rare records differ from the rest: what is not flagged is not looked at. */
enum sl_record_flags {
    SL_RECORD_PARTIAL = 1, /* some field of the value, or of a struct in it, may be SL_ABSENT; set by a source
                              or transform that makes such fields, and by the engine when it decodes */
    SL_RECORD_RANGE = 2,   /* sink side: it has the header __sluice.range (position.h) */
    SL_RECORD_STATIC = 4,  /* sink side: likewise __sluice.static */
    SL_RECORD_VERBATIM = 8, /* source side: the value is text that goes to its topic as it is (no transform,
                               converter or header), and key null. All records of its run are */
};

struct sl_record {
    struct sl_value key;   /* tag SL_NULL: no key */
    struct sl_value value; /* tag SL_NULL: a tombstone */
    int64_t timestamp_ms;  /* of the record, or SL_NO_TIMESTAMP */
    int64_t offset;        /* in its log partition; -1 on the source side */
    const struct sl_header *headers;
    struct sl_span position; /* source side: kind and position (position.h), compares with memcmp; or empty */
    uint16_t n_headers;
    uint16_t origin;   /* sink side: index into the batch's progress, where the record came from */
    int32_t partition; /* source side: -1 = by the key's bytes; sink side: unused, see origin */
    uint8_t flags;     /* enum sl_record_flags */
};

struct sl_run {
    const struct sl_topic *topic;
    const struct sl_schema *key_schema;   /* NULL: no schema (null key, or schemaless) */
    const struct sl_schema *value_schema; /* NULL likewise; a tombstone has none */
    uint32_t first;
    uint32_t count;
};

/* A position of one source partition, beside the batch's own. */
struct sl_position {
    struct sl_span partition; /* JSON text, keys in a fixed order */
    struct sl_span offset;    /* JSON text; empty: forget this partition */
};

/*
 * Something that a source must remember beside its positions, for instance when to read a row again. Kept in
 * the order of memcmp over the keys, per connector, in the transaction that stores the records. Small: keys
 * up to a few hundred bytes, values up to some kilobytes.
 */
struct sl_note {
    struct sl_span key;
    struct sl_span value; /* ptr NULL: forget the key */
};

typedef void sl_note_visitor(void *ctx, const struct sl_note *note);

/* What part of a log partition a batch covers: offsets first .. next-1, dropped records included. */
struct sl_progress {
    const struct sl_topic *topic; /* as in the log, before transforms rename it */
    int32_t partition;
    int64_t first_offset;
    int64_t next_offset;
};

struct sl_batch {
    struct sl_arena *arena;
    struct sl_record *records;
    struct sl_run *runs;
    uint32_t n_records, records_capacity;
    uint32_t n_runs, runs_capacity;
    size_t bytes;  /* about how much memory the records take, for the budget */
    uint8_t flags; /* sink side: those of all records together */

    /* Source side: to be stored with the records, in one transaction. Empty partition: nothing to store. */
    struct sl_span source_partition; /* JSON text, e.g. {"server":"sqlserver","database":"shop"} */
    struct sl_span source_offset;    /* JSON text of the peer's offset */
    /* Further positions and memories of the same transaction; what they point to lives in the arena. */
    struct sl_position *positions;
    uint32_t n_positions, positions_capacity;
    struct sl_note *notes; /* applied in order: a later one of the same key wins */
    uint32_t n_notes, notes_capacity;

    /* Sink side. */
    struct sl_progress *progress;
    uint32_t n_progress, progress_capacity;
};

/* An empty batch with an arena of its own (grows by chunks of chunk_bytes). Aborts when memory is out. */
struct sl_batch *sl_batch_new(size_t chunk_bytes);
void sl_batch_free(struct sl_batch *batch);
void sl_batch_reset(struct sl_batch *batch);

/*
 * Add a record and return it, zeroed but for offset -1, partition -1 and SL_NO_TIMESTAMP. It extends the last
 * run when topic and schemas are the same pointers, else it begins one. The pointer holds until the next add.
 */
struct sl_record *sl_batch_add(struct sl_batch *batch, const struct sl_topic *topic,
                               const struct sl_schema *key_schema, const struct sl_schema *value_schema);

/* Store one more position with the batch. The spans are copied into the arena. */
void sl_batch_add_position(struct sl_batch *batch, struct sl_span partition, struct sl_span offset);

/* Remember (value ptr NULL: forget) something with the batch. The spans are copied into the arena. */
void sl_batch_add_note(struct sl_batch *batch, struct sl_span key, struct sl_span value);

#endif
