/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions as the connector stores them, one for each (generation, vnode, table) (scylla-source §4.11):
 *
 *     {"keyspace_name":"ks","vnode_id":"7","generation_start":"1795229668404","table_name":"t"}
 *     {"window_end":"<timeuuid>","change_id_time":"<timeuuid>","change_id_stream_id":"0x<32 hex>",
 *      "window_start":"<timeuuid>"}
 *
 * in this order of fields. It means: everything before window_start is done; of the streams below
 * change_id_stream_id (signed bytes) everything up to window_end; of that stream everything up to
 * change_id_time. Tables with tablets have vnode_id "0" for all streams of a set, or "k/n" for the k-th of n
 * parts where several tasks share a table (ours; the connector has one task for a table with tablets).
 */
#ifndef SLUICE_SOURCE_SCYLLA_OFFSET_H
#define SLUICE_SOURCE_SCYLLA_OFFSET_H

#include "base/buf.h"
#include "source/scylla/change.h"

struct sl_scylla_offset {
    char keyspace[49], table[49];
    uint32_t part, parts; /* of vnode_id: (7, 0) for "7", (1, 4) for "1/4" */
    int64_t generation_ms;
    int64_t start_ms; /* the window's, since 1970 */
    uint8_t window_end[16];
    bool has_change;
    struct sl_scylla_place change;
};

void sl_scylla_offset_put_partition(struct sl_buf *out, const char *keyspace, const char *table,
                                    uint32_t part, uint32_t parts, int64_t generation_ms);

/* change: NULL when nothing of the window was written yet. */
void sl_scylla_offset_put(struct sl_buf *out, int64_t start_ms, int64_t end_ms,
                          const struct sl_scylla_place *change);

/* Read a stored position, in any order of fields. False: it is none of these. */
bool sl_scylla_offset_parse(const char *partition, struct sl_span offset, struct sl_scylla_offset *ret);

/* The bounds that the connector uses for a window: before the first and after the last timeuuid of [start,
 * end).
 */
void sl_scylla_window_bounds(int64_t start_ms, int64_t end_ms, uint8_t ret_from[16], uint8_t ret_to[16]);

/* Every stored position of a connector. */
struct sl_scylla_offsets {
    struct sl_scylla_offset *items;
    size_t n, capacity;
};

/* For env->stored_offsets: adds what it is given; ctx is a struct sl_scylla_offsets. */
void sl_scylla_offsets_visit(void *ctx, const char *key, struct sl_span value);
void sl_scylla_offsets_done(struct sl_scylla_offsets *offsets);

#endif
