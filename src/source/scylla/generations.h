/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which streams a table's log has had, and when (scylla-source §2). A set of streams holds from its start to
 * the start of the next one: one generation for all tables of a cluster with vnodes, one set a table with
 * tablets.
 */
#ifndef SLUICE_SOURCE_SCYLLA_GENERATIONS_H
#define SLUICE_SOURCE_SCYLLA_GENERATIONS_H

#include "source/scylla/scan.h"

#define SL_SCYLLA_NO_TIME INT64_MIN

/* Streams of one set, those of a vnode together, in each vnode in the order of sl_scylla_stream_compare. */
struct sl_scylla_stream_set {
    int64_t start_ms;
    struct sl_scylla_stream *streams;
    uint32_t n;
    struct sl_scylla_token_range *ranges; /* ascending; none with tablets and in the oldest metadata */
    uint32_t n_ranges;
};

/* Tokens up to the end, beyond the range before it, belong to the vnode; the last range goes on with the
 * first. */
struct sl_scylla_token_range {
    int64_t end;
    uint32_t vnode;
};

/* The bits of a stream id that name its vnode; 0 with tablets and in ids of the first releases. */
uint32_t sl_scylla_stream_vnode(const struct sl_scylla_stream *stream);

/* Which of n parts of a set the stream belongs to, where tasks share a table with tablets. Durable: never
 * change. */
uint32_t sl_scylla_stream_part(const struct sl_scylla_stream *stream, uint32_t parts);

/* The vnode that has the token (0 when the metadata does not tell); with tablets: the stream that has it. */
uint32_t sl_scylla_stream_set_vnode(const struct sl_scylla_stream_set *set, int64_t token);
const struct sl_scylla_stream *sl_scylla_stream_set_tablet(const struct sl_scylla_stream_set *set,
                                                           int64_t token);

/*
 * The start of the first set after a time (ms since 1970; 0: the very first), SL_SCYLLA_NO_TIME when there is
 * none yet. Blocks. Errors: NOT_FOUND (the server has no streams at all: no ScyllaDB), those of the session.
 */
enum sl_rc sl_scylla_next_generation(struct sl_cql *cql, const struct sl_scylla_table *table,
                                     int64_t after_ms, int64_t *ret_ms, struct sl_error *err);

/*
 * The streams of a set; n 0: they are not there yet (or not any more), ask again later. Blocks. The caller
 * frees with sl_scylla_stream_set_free.
 */
enum sl_rc sl_scylla_read_streams(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t start_ms,
                                  struct sl_scylla_stream_set *ret, struct sl_error *err);
void sl_scylla_stream_set_free(struct sl_scylla_stream_set *set);

#endif
