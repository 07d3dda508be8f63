/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes as records: the connector's envelope in the legacy or the advanced shape (scylla-source §4.6 to
 * §4.10), with the headers that carry what these shapes cannot (include/sluice/position.h).
 *
 * Differences from the connector, on purpose: a missing image never holds an event back or drops it; range
 * and partition deletes are events; expired rows (operations -3 and -4) are deletes; a column that was null
 * before is {"value": null} in legacy's before. Fields that nobody told of are SL_ABSENT, which JSON shows as
 * null.
 */
#ifndef SLUICE_SOURCE_SCYLLA_EVENT_H
#define SLUICE_SOURCE_SCYLLA_EVENT_H

#include "sluice/position.h"
#include "sluice/record.h"
#include "source/scylla/change.h"

/* Where a row that is no change comes from (header __sluice.read). */
enum { SL_SCYLLA_READ_SNAPSHOT = 1, SL_SCYLLA_READ_AGAIN = 2 };

struct sl_scylla_emitter {
    const struct sl_scylla_config *config;
    const struct sl_topic *heartbeat_topic;
    const struct sl_schema *heartbeat_key, *heartbeat_value;

    /* Of the batch being filled. */
    struct sl_batch *batch;
    int64_t now_us;
    const struct sl_scylla_shape *template_shape; /* whose constant source fields these are */
    struct sl_value *template_values;
};

/* One event, its parts made. */
struct sl_scylla_event {
    const struct sl_scylla_shape *shape;
    char op;             /* 'c', 'u', 'd', 'r' */
    int64_t us;          /* source.ts_us: the write's time */
    struct sl_value key; /* of the shape's key schema */
    struct sl_value before, after;
    bool has_clock;       /* envelope's ts_us and ts_ns are filled */
    const char *sequence; /* of the source block, static; NULL: null, as in the connector */
    const char *snapshot; /* static: "false", "true", "last" */
    const struct sl_header *headers;
    uint16_t n_headers;
    bool partial;            /* before or after have absent fields */
    int32_t partition;       /* of sl_scylla_partition_of */
    struct sl_span position; /* 38 bytes, of sl_scylla_position; the tombstone gets ordinal 1 */
};

void sl_scylla_emitter_init(struct sl_scylla_emitter *emitter, const struct sl_scylla_config *config);

/* Begin filling an empty batch. */
void sl_scylla_emitter_begin(struct sl_scylla_emitter *emitter, struct sl_batch *batch);

/* A group's changes as records, in the order of the log. Errors: PROTOCOL (bytes that are no value), SCHEMA
 * (an operation that is not known). */
enum sl_rc sl_scylla_emit_group(struct sl_scylla_emitter *emitter, struct sl_scylla_group *group,
                                struct sl_error *err);

/* Add the records of one event: itself, and the tombstone behind a delete. Skipped operations add none. */
void sl_scylla_emit(struct sl_scylla_emitter *emitter, const struct sl_scylla_event *event);

void sl_scylla_emit_heartbeat(struct sl_scylla_emitter *emitter);

/* record.position of include/sluice/position.h: kind, stream, time, sequence, ordinal 0. */
struct sl_span sl_scylla_position(uint8_t kind, const struct sl_scylla_place *place, uint32_t sequence,
                                  struct sl_arena *arena);

/*
 * A row of the base table as a record (op r), or that it is not there (op d, with its tombstone; only the
 * key's cells are looked at). base: of sl_scylla_base_shape_new. how: 1 snapshot, 2 read again (header
 * __sluice.read). us: when it was read. Errors: PROTOCOL.
 */
enum sl_rc sl_scylla_emit_read(struct sl_scylla_emitter *emitter, const struct sl_scylla_shape *base,
                               const struct sl_cql_cell *cells, bool exists, uint8_t how, int64_t us,
                               struct sl_error *err);

/*
 * The log partition of a row's records (sl_record.partition). Where there is a clustering key it follows the
 * partition key alone, so that deletes of many rows stay in order with the rows; else -1, the key's bytes
 * decide.
 */
int32_t sl_scylla_partition_of(const struct sl_scylla_row *row);

/* The key of a row; clustering columns that the row leaves out are null. Errors: PROTOCOL. */
enum sl_rc sl_scylla_key_of(const struct sl_scylla_row *row, struct sl_arena *arena, struct sl_value *ret,
                            struct sl_error *err);

/* Headers pk.<column> and ck.<column>, with room for more behind them (cdc.include.primary-key.placement). */
struct sl_header *sl_scylla_headers_of(const struct sl_scylla_row *row, uint16_t room, struct sl_arena *arena,
                                       uint16_t *ret_n);

/* ---- row_values.c: before and after ---- */

struct sl_scylla_images {
    const struct sl_scylla_row *row; /* the change itself */
    const struct sl_scylla_row *before, *after;
    bool partial; /* set when a field is absent */
};

enum sl_rc sl_scylla_legacy_before(struct sl_scylla_images *images, struct sl_arena *arena,
                                   struct sl_value *ret, struct sl_error *err);
enum sl_rc sl_scylla_legacy_after(struct sl_scylla_images *images, struct sl_arena *arena,
                                  struct sl_value *ret, struct sl_error *err);
enum sl_rc sl_scylla_advanced_before(struct sl_scylla_images *images, struct sl_arena *arena,
                                     struct sl_value *ret, struct sl_error *err);
enum sl_rc sl_scylla_advanced_after(struct sl_scylla_images *images, struct sl_arena *arena,
                                    struct sl_value *ret, struct sl_error *err);

/* The partition key alone, all else null or absent: before of a delete of many rows. */
enum sl_rc sl_scylla_range_before(struct sl_scylla_images *images, struct sl_arena *arena,
                                  struct sl_value *ret, struct sl_error *err);

/* Decode a row's column; PROTOCOL names table and column when the bytes are no value of its type. */
enum sl_rc sl_scylla_value_of(const struct sl_scylla_row *row, const struct sl_scylla_field *field,
                              struct sl_arena *arena, struct sl_value *ret, struct sl_error *err);

/* ---- range.c ---- */

/*
 * The header __sluice.range of a range delete (from and to are the two rows of the log) or a partition delete
 * (both NULL). In the arena.
 */
enum sl_rc sl_scylla_range_header(const struct sl_scylla_row *row, const struct sl_scylla_row *from,
                                  const struct sl_scylla_row *to, struct sl_arena *arena,
                                  struct sl_header *ret, struct sl_error *err);

#endif
