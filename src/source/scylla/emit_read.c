/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the base table as records: a snapshot's, and those that are read again. */
#include "source/scylla/event.h"

/* All columns of the row; what is null is null, for the table was asked. */
static enum sl_rc whole_row(const struct sl_scylla_row *row, struct sl_arena *arena, struct sl_value *ret,
                            struct sl_error *err)
{
    const struct sl_scylla_shape *shape = row->shape;
    struct sl_value *values = sl_arena_alloc(arena, ((size_t)shape->n_after + 1) * sizeof(*values));

    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const struct sl_scylla_field *field = &shape->fields[i];
        struct sl_value value;
        struct sl_value *cell;
        enum sl_rc rc;

        if (field->place < 0)
            continue;
        rc = sl_scylla_value_of(row, field, arena, &value, err);
        if (rc != SL_OK)
            return rc;
        values[field->place] = value;
        if (shape->config->advanced || field->kind <= SL_SCYLLA_CLUSTERING)
            continue;
        cell = sl_arena_alloc(arena, sizeof(*cell));
        *cell = value;
        values[field->place] = sl_items(SL_STRUCT, cell, 1);
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_after);
    return SL_OK;
}

/* The key, and nothing of the rest. */
static enum sl_rc only_key(const struct sl_scylla_row *row, struct sl_arena *arena, struct sl_value *ret,
                           struct sl_error *err)
{
    const struct sl_scylla_shape *shape = row->shape;
    struct sl_value *values = sl_arena_alloc(arena, ((size_t)shape->n_before + 1) * sizeof(*values));

    for (uint32_t i = 0; i < shape->n_fields; i++) {
        int place = shape->before_place[i];
        enum sl_rc rc = SL_OK;

        if (place < 0)
            continue;
        values[place] = (struct sl_value){.tag = SL_ABSENT};
        if (shape->fields[i].kind <= SL_SCYLLA_CLUSTERING)
            rc = sl_scylla_value_of(row, &shape->fields[i], arena, &values[place], err);
        if (rc != SL_OK)
            return rc;
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_before);
    return SL_OK;
}

enum sl_rc sl_scylla_emit_read(struct sl_scylla_emitter *emitter, const struct sl_scylla_shape *base,
                               const struct sl_cql_cell *cells, bool exists, uint8_t how, int64_t us,
                               struct sl_error *err)
{
    struct sl_arena *arena = emitter->batch->arena;
    const struct sl_scylla_row row = {.shape = base, .cells = cells};
    struct sl_scylla_event event = {.shape = base,
                                    .op = exists ? 'r' : 'd',
                                    .us = us,
                                    .before = sl_null(),
                                    .after = sl_null(),
                                    .partial = !exists,
                                    .sequence = how == 1 ? "snapshot" : "read again",
                                    .snapshot = how == 1 ? "true" : "false",
                                    .partition = sl_scylla_partition_of(&row)};
    struct sl_header *headers = sl_scylla_headers_of(&row, 1, arena, &event.n_headers);
    enum sl_rc rc = sl_scylla_key_of(&row, arena, &event.key, err);

    if (rc == SL_OK)
        rc = exists ? whole_row(&row, arena, &event.after, err) : only_key(&row, arena, &event.before, err);
    if (rc != SL_OK)
        return rc;
    headers[event.n_headers++] = (struct sl_header){
        .name = SL_HEADER_READ, .value = sl_bytes(SL_BYTES, sl_arena_copy(arena, &how, 1), 1)};
    event.headers = headers;
    sl_scylla_emit(emitter, &event);
    return SL_OK;
}
