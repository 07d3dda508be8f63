/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the log, in groups. A group is what one write did to one partition at one microsecond: all rows
 * with the same stream and the same cdc$time. Before and after images stand in it by kind, not beside their
 * change, so they are found by primary key.
 *
 * Cells point into the answers that brought them; a group is done with before its answers are freed.
 */
#ifndef SLUICE_SOURCE_SCYLLA_CHANGE_H
#define SLUICE_SOURCE_SCYLLA_CHANGE_H

#include "source/scylla/shape.h"

/* cdc$operation (scylla-source §1.3). */
enum sl_scylla_op {
    SL_SCYLLA_OP_EXPIRED_ROW = -3, /* removed by the server's own expiration service */
    SL_SCYLLA_OP_EXPIRED_PARTITION = -4,
    SL_SCYLLA_OP_PREIMAGE = 0,
    SL_SCYLLA_OP_UPDATE = 1,
    SL_SCYLLA_OP_INSERT = 2,
    SL_SCYLLA_OP_ROW_DELETE = 3,
    SL_SCYLLA_OP_PARTITION_DELETE = 4, /* or a row delete where there is no clustering key */
    SL_SCYLLA_OP_RANGE_FROM_INCLUSIVE = 5,
    SL_SCYLLA_OP_RANGE_FROM_EXCLUSIVE = 6,
    SL_SCYLLA_OP_RANGE_TO_INCLUSIVE = 7,
    SL_SCYLLA_OP_RANGE_TO_EXCLUSIVE = 8,
    SL_SCYLLA_OP_POSTIMAGE = 9,
};

struct sl_scylla_row {
    const struct sl_scylla_shape *shape;
    const struct sl_cql_cell *cells; /* shape->columns->n of them */
    int op;
    uint32_t sequence;
    int64_t ttl_s; /* 0: none */
    bool is_static;
};

/* Where a group stands. The time is the whole timeuuid: two writes may share a microsecond. */
struct sl_scylla_place {
    uint8_t stream[16];
    uint8_t time[16];
};

struct sl_scylla_group {
    struct sl_scylla_place place;
    int64_t us; /* the write's time, since 1970 */
    struct sl_scylla_row *rows;
    uint32_t n, capacity;
    bool ended; /* its last row says that it is the last */

    struct sl_cql_cell *cells; /* of the rows: copies of where they lie */
    size_t n_cells, cells_capacity;
    uint32_t *slots; /* images by key, once there are many rows */
    uint32_t n_slots, slots_capacity;
};

/* Read stream and time of a log row. Errors: PROTOCOL (no uuid, no stream id). */
enum sl_rc sl_scylla_row_place(const struct sl_scylla_shape *shape, const struct sl_cql_cell *cells,
                               struct sl_scylla_place *ret, struct sl_error *err);

void sl_scylla_group_begin(struct sl_scylla_group *group, const struct sl_scylla_place *place);

/* Add the next row of the group. Errors: PROTOCOL (a meta column is missing). */
enum sl_rc sl_scylla_group_add(struct sl_scylla_group *group, const struct sl_scylla_shape *shape,
                               const struct sl_cql_cell *cells, struct sl_error *err);
void sl_scylla_group_done(struct sl_scylla_group *group);

/* The image of a row, by primary key; NULL when the log has none. op: PREIMAGE or POSTIMAGE. */
const struct sl_scylla_row *sl_scylla_group_image(struct sl_scylla_group *group,
                                                  const struct sl_scylla_row *row, enum sl_scylla_op op);

static inline struct sl_cql_cell sl_scylla_cell(const struct sl_scylla_row *row, int index)
{
    return index >= 0 ? row->cells[index] : (struct sl_cql_cell){.len = -1};
}

/* A boolean of the log: null and false are the same there. */
static inline bool sl_scylla_flag(const struct sl_scylla_row *row, int index)
{
    struct sl_cql_cell cell = sl_scylla_cell(row, index);

    return cell.len == 1 && cell.data[0] != 0;
}

/* Did the change name the column: a value, a deletion, or removed elements? */
static inline bool sl_scylla_touches(const struct sl_scylla_row *row, const struct sl_scylla_field *field)
{
    return row->cells[field->cell].len >= 0 || sl_scylla_flag(row, field->deleted) ||
           sl_scylla_cell(row, field->elements).len >= 0;
}

int sl_scylla_place_compare(const struct sl_scylla_place *a, const struct sl_scylla_place *b);

/* Streams in the order in which the connector goes through them: their bytes as signed ones. */
int sl_scylla_stream_compare(const uint8_t a[16], const uint8_t b[16]);

#endif
