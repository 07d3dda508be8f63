/* SPDX-License-Identifier: Apache-2.0 */
/* What of a row is alive: deletions and the clock taken into account, collections put together. */
#include "../types/bytes.h"
#include "server.h"

struct resolver {
    const struct sy_table *table;
    int64_t deleted_us;
    int64_t now_s;
    struct sy_arena *arena;
};

static bool cell_alive(const struct resolver *resolver, const struct sy_cell_data *cell, int64_t deleted_us)
{
    return cell->kind == SY_CELL_LIVE && cell->timestamp_us > deleted_us &&
           (cell->ttl_s == 0 || cell->expiry_s > resolver->now_s);
}

static struct sy_cell cell_view(const struct resolver *resolver, const struct sy_cell_data *cell)
{
    return (struct sy_cell){.path = cell->path,
                            .value = cell->value,
                            .timestamp_us = cell->timestamp_us,
                            .ttl_s = cell->ttl_s,
                            .left_s = cell->ttl_s > 0 ? (int32_t)(cell->expiry_s - resolver->now_s) : 0};
}

static uint8_t *put_element(uint8_t *at, struct sy_value value)
{
    sy_put_u32(at, (uint32_t)value.len);
    at += 4;
    if (value.len > 0)
        memcpy(at, value.bytes, (size_t)value.len);
    return at + (value.len > 0 ? value.len : 0);
}

static size_t element_size(struct sy_value value)
{
    return 4 + (value.len > 0 ? (size_t)value.len : 0);
}

static struct sy_value build_collection(const struct sy_type *type, const struct sy_cell *cells, uint32_t n,
                                        struct sy_arena *arena)
{
    bool paths = type->id != SY_LIST;
    bool values = type->id != SY_SET;
    size_t size = 4;
    uint8_t *bytes;
    uint8_t *at;

    for (uint32_t i = 0; i < n; i++)
        size += (paths ? element_size(cells[i].path) : 0) + (values ? element_size(cells[i].value) : 0);
    bytes = sy_arena_raw(arena, size);
    sy_put_u32(bytes, n);
    at = bytes + 4;
    for (uint32_t i = 0; i < n; i++) {
        if (paths)
            at = put_element(at, cells[i].path);
        if (values)
            at = put_element(at, cells[i].value);
    }
    return (struct sy_value){.len = (int32_t)size, .bytes = bytes};
}

static struct sy_value build_user_value(const struct sy_type *type, const struct sy_cell *cells, uint32_t n,
                                        struct sy_arena *arena)
{
    size_t size = (size_t)type->n_parts * 4;
    uint32_t next = 0;
    uint8_t *bytes;
    uint8_t *at;

    for (uint32_t i = 0; i < n; i++)
        size += element_size(cells[i].value);
    bytes = at = sy_arena_raw(arena, size);
    for (uint32_t field = 0; field < type->n_parts; field++) {
        struct sy_value value = {.len = SY_NULL};

        if (next < n && cells[next].path.len == 2 && sy_get_u16(cells[next].path.bytes) == field)
            value = cells[next++].value;
        at = put_element(at, value);
    }
    return (struct sy_value){.len = (int32_t)(at - bytes), .bytes = bytes};
}

/* The cells of one multi-cell column, from cells[0] on; how many they are. */
static uint32_t resolve_multi_cell(const struct resolver *resolver, const struct sy_table_column *column,
                                   const struct sy_cell_data *cells, uint32_t n,
                                   struct sy_column_state *state)
{
    int64_t deleted_us = resolver->deleted_us;
    struct sy_cell *alive;
    uint32_t end = 0;

    while (end < n && cells[end].column == column->id)
        end++;
    alive = sy_arena_raw(resolver->arena, end * sizeof(*alive));
    for (uint32_t i = 0; i < end; i++) {
        if (cells[i].kind == SY_CELL_TOMBSTONE && cells[i].timestamp_us > deleted_us)
            deleted_us = cells[i].timestamp_us;
        else if (cell_alive(resolver, &cells[i], deleted_us))
            alive[state->n_cells++] = cell_view(resolver, &cells[i]);
    }
    state->cells = alive;
    if (state->n_cells > 0)
        state->value = column->type->id == SY_UDT
                           ? build_user_value(column->type, alive, state->n_cells, resolver->arena)
                           : build_collection(column->type, alive, state->n_cells, resolver->arena);
    return end;
}

struct sy_row_states sy_row_resolve(const struct sy_table *table, const struct sy_row_data *row,
                                    bool is_static, int64_t deleted_us, int64_t now_s, struct sy_arena *arena,
                                    struct sy_column_state *columns)
{
    struct resolver resolver = {.table = table, .deleted_us = deleted_us, .now_s = now_s, .arena = arena};
    struct sy_row_states states = {0};
    enum sy_column_kind kind = is_static ? SY_STATIC : SY_REGULAR;

    if (row->has_tombstone && row->tombstone_us > deleted_us)
        resolver.deleted_us = row->tombstone_us;
    if (row->has_marker && row->marker_us > resolver.deleted_us &&
        (row->marker_ttl_s == 0 || row->marker_expiry_s > now_s)) {
        states.alive = states.marker_alive = true;
        states.marker_us = row->marker_us;
        states.marker_ttl_s = row->marker_ttl_s;
        states.marker_left_s = row->marker_ttl_s > 0 ? (int32_t)(row->marker_expiry_s - now_s) : 0;
    }
    for (uint32_t i = 0; i < row->n_cells;) {
        const struct sy_cell_data *cell = &row->cells[i];
        const struct sy_table_column *column = sy_table_column_by_id(table, cell->column);
        struct sy_column_state *state;

        if (column == NULL || column->kind != kind) {
            i++;
            continue;
        }
        state = &columns[column->index];
        if (sy_type_is_multi_cell(column->type)) {
            i += resolve_multi_cell(&resolver, column, cell, row->n_cells - i, state);
        } else {
            if (cell_alive(&resolver, cell, resolver.deleted_us)) {
                struct sy_cell view = cell_view(&resolver, cell);

                *state = (struct sy_column_state){.value = view.value,
                                                  .timestamp_us = view.timestamp_us,
                                                  .ttl_s = view.ttl_s,
                                                  .left_s = view.left_s};
            }
            i++;
        }
        states.alive = states.alive || state->value.len >= 0;
    }
    return states;
}
