/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/change.h"

#include "base/hash.h"

enum { INDEX_FROM = 16 }; /* rows of a group; fewer are looked through one by one */

enum sl_rc sl_scylla_row_place(const struct sl_scylla_shape *shape, const struct sl_cql_cell *cells,
                               struct sl_scylla_place *ret, struct sl_error *err)
{
    struct sl_cql_cell stream = cells[shape->stream], time = cells[shape->time];

    if (stream.len != 16 || time.len != 16)
        return sl_error_set(err, SL_E_PROTOCOL,
                            "a row of '%s.%s' has no stream id or no time of 16 bytes. HINT: is it a change "
                            "log made by ScyllaDB?",
                            shape->table->keyspace, shape->table->log_name);
    memcpy(ret->stream, stream.data, 16);
    memcpy(ret->time, time.data, 16);
    return SL_OK;
}

void sl_scylla_group_begin(struct sl_scylla_group *group, const struct sl_scylla_place *place)
{
    group->place = *place;
    group->us = sl_cql_timeuuid_us(place->time);
    group->n = 0;
    group->n_cells = 0;
    group->n_slots = 0;
    group->ended = false;
}

/* The cells array may move when it grows: rows follow. */
static const struct sl_cql_cell *keep_cells(struct sl_scylla_group *group, const struct sl_cql_cell *cells,
                                            uint32_t n)
{
    struct sl_cql_cell *before = group->cells;

    while (group->n_cells + n > group->cells_capacity)
        SL_GROW(group->cells, group->cells_capacity, group->cells_capacity);
    if (group->cells != before)
        for (uint32_t i = 0, at = 0; i < group->n; i++) {
            group->rows[i].cells = group->cells + at;
            at += group->rows[i].shape->columns->n;
        }
    memcpy(group->cells + group->n_cells, cells, n * sizeof(*cells));
    group->n_cells += n;
    return group->cells + group->n_cells - n;
}

static bool clustering_is_null(const struct sl_scylla_row *row)
{
    const struct sl_scylla_shape *shape = row->shape;

    for (uint32_t i = 0; i < shape->n_clustering; i++)
        if (row->cells[shape->fields[shape->clustering[i]].cell].len >= 0)
            return false;
    return shape->n_clustering > 0;
}

enum sl_rc sl_scylla_group_add(struct sl_scylla_group *group, const struct sl_scylla_shape *shape,
                               const struct sl_cql_cell *cells, struct sl_error *err)
{
    struct sl_scylla_row row = {.shape = shape};
    int32_t sequence;
    int8_t op;

    if (!sl_cql_int32(cells[shape->sequence], &sequence) || !sl_cql_int8(cells[shape->operation], &op))
        return sl_error_set(err, SL_E_PROTOCOL,
                            "a row of '%s.%s' has no cdc$batch_seq_no or no cdc$operation. HINT: is it a "
                            "change log made by ScyllaDB?",
                            shape->table->keyspace, shape->table->log_name);
    if (shape->ttl >= 0)
        (void)sl_cql_int64(cells[shape->ttl], &row.ttl_s);
    row.op = op;
    row.sequence = (uint32_t)sequence;
    row.cells = keep_cells(group, cells, shape->columns->n);
    row.is_static = (op == SL_SCYLLA_OP_UPDATE || op == SL_SCYLLA_OP_INSERT || op == SL_SCYLLA_OP_PREIMAGE ||
                     op == SL_SCYLLA_OP_POSTIMAGE) &&
                    clustering_is_null(&row);
    group->ended = sl_scylla_flag(&row, shape->end);
    SL_GROW(group->rows, group->n, group->capacity);
    group->rows[group->n++] = row;
    return SL_OK;
}

void sl_scylla_group_done(struct sl_scylla_group *group)
{
    sl_free(group->rows);
    sl_free(group->cells);
    sl_free(group->slots);
    memset(group, 0, sizeof(*group));
}

/* ---- images by key ---- */

static bool same_cells(const struct sl_scylla_row *a, const struct sl_scylla_row *b, const uint32_t *a_key,
                       const uint32_t *b_key, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct sl_cql_cell x = a->cells[a->shape->fields[a_key[i]].cell];
        struct sl_cql_cell y = b->cells[b->shape->fields[b_key[i]].cell];

        if (x.len != y.len || (x.len > 0 && memcmp(x.data, y.data, (size_t)x.len) != 0))
            return false;
    }
    return true;
}

static bool same_key(const struct sl_scylla_row *a, const struct sl_scylla_row *b)
{
    return same_cells(a, b, a->shape->clustering, b->shape->clustering, a->shape->n_clustering) &&
           same_cells(a, b, a->shape->partition, b->shape->partition, a->shape->n_partition);
}

static uint64_t hash_key(const struct sl_scylla_row *row, int op)
{
    uint64_t hash = (uint64_t)op;

    for (uint32_t i = 0; i < row->shape->n_clustering; i++) {
        struct sl_cql_cell cell = row->cells[row->shape->fields[row->shape->clustering[i]].cell];

        hash = sl_hash_bytes(cell.data, cell.len > 0 ? (size_t)cell.len : 0, hash + 1);
    }
    return hash;
}

static bool is_image(const struct sl_scylla_row *row)
{
    return row->op == SL_SCYLLA_OP_PREIMAGE || row->op == SL_SCYLLA_OP_POSTIMAGE;
}

static void make_index(struct sl_scylla_group *group)
{
    uint32_t n = 32;

    while (n < group->n * 2)
        n *= 2;
    if (n > group->slots_capacity) {
        group->slots = sl_realloc(group->slots, n, sizeof(*group->slots));
        group->slots_capacity = n;
    }
    memset(group->slots, 0xFF, n * sizeof(*group->slots));
    group->n_slots = n;
    for (uint32_t i = 0; i < group->n; i++) {
        uint64_t at;

        if (!is_image(&group->rows[i]))
            continue;
        for (at = hash_key(&group->rows[i], group->rows[i].op); group->slots[at % n] != UINT32_MAX; at++)
            ;
        group->slots[at % n] = i;
    }
}

const struct sl_scylla_row *sl_scylla_group_image(struct sl_scylla_group *group,
                                                  const struct sl_scylla_row *row, enum sl_scylla_op op)
{
    if (group->n < INDEX_FROM) {
        for (uint32_t i = 0; i < group->n; i++)
            if (group->rows[i].op == (int)op && same_key(&group->rows[i], row))
                return &group->rows[i];
        return NULL;
    }
    if (!group->n_slots)
        make_index(group);
    for (uint64_t at = hash_key(row, (int)op); group->slots[at % group->n_slots] != UINT32_MAX; at++) {
        const struct sl_scylla_row *image = &group->rows[group->slots[at % group->n_slots]];

        if (image->op == (int)op && same_key(image, row))
            return image;
    }
    return NULL;
}

/* ---- order ---- */

int sl_scylla_place_compare(const struct sl_scylla_place *a, const struct sl_scylla_place *b)
{
    int order = sl_scylla_stream_compare(a->stream, b->stream);

    return order ? order : sl_cql_timeuuid_compare(a->time, b->time);
}

int sl_scylla_stream_compare(const uint8_t a[16], const uint8_t b[16])
{
    for (int i = 0; i < 16; i++)
        if (a[i] != b[i])
            return (int8_t)a[i] < (int8_t)b[i] ? -1 : 1;
    return 0;
}
