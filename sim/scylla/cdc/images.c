/* SPDX-License-Identifier: Apache-2.0 */
/* What a row was before a write, and what it is after it. */
#include "group.h"

#include "../storage/arena.h"
#include "../types/bytes.h"

#include <string.h>

static const struct sy_value nothing = {.len = SY_NULL};

/* ---- collections as the log has them ---- */

static size_t part_size(struct sy_value value)
{
    return 4 + (value.len > 0 ? (size_t)value.len : 0);
}

static uint8_t *put_part(uint8_t *at, struct sy_value value)
{
    sy_put_u32(at, (uint32_t)(value.len < 0 ? -1 : value.len));
    if (value.len > 0)
        memcpy(at + 4, value.bytes, (size_t)value.len);
    return at + part_size(value);
}

struct sy_value sy_log_paths(const struct sy_value *paths, uint32_t n, struct sy_arena *arena)
{
    size_t size = 4;
    uint8_t *bytes;
    uint8_t *at;

    if (!n)
        return nothing;
    for (uint32_t i = 0; i < n; i++)
        size += part_size(paths[i]);
    at = bytes = sy_arena_alloc(arena, size);
    sy_put_u32(at, n);
    at += 4;
    for (uint32_t i = 0; i < n; i++)
        at = put_part(at, paths[i]);
    return (struct sy_value){.len = (int32_t)size, .bytes = bytes};
}

struct sy_value sy_log_user_type(const struct sy_type *type, const struct sy_cell *cells, uint32_t n,
                                 struct sy_arena *arena)
{
    struct sy_value *fields = sy_arena_alloc(arena, (type->n_parts + 1) * sizeof(*fields));
    size_t size = 0;
    uint8_t *bytes;
    uint8_t *at;

    for (uint32_t i = 0; i < type->n_parts; i++)
        fields[i] = nothing;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t index = cells[i].path.len == 2 ? sy_get_u16(cells[i].path.bytes) : UINT16_MAX;

        if (index < type->n_parts)
            fields[index] = cells[i].value;
    }
    for (uint32_t i = 0; i < type->n_parts; i++)
        size += part_size(fields[i]);
    at = bytes = sy_arena_alloc(arena, size);
    for (uint32_t i = 0; i < type->n_parts; i++)
        at = put_part(at, fields[i]);
    return (struct sy_value){.len = (int32_t)size, .bytes = bytes};
}

struct sy_value sy_log_collection(const struct sy_type *type, const struct sy_cell *cells, uint32_t n,
                                  struct sy_arena *arena)
{
    size_t size = 4;
    uint8_t *bytes;
    uint8_t *at;

    if (!n)
        return nothing;
    if (type->id == SY_UDT)
        return sy_log_user_type(type, cells, n, arena);
    for (uint32_t i = 0; i < n; i++)
        size += part_size(cells[i].path) + (type->id == SY_SET ? 0 : part_size(cells[i].value));
    at = bytes = sy_arena_alloc(arena, size);
    sy_put_u32(at, n);
    at += 4;
    for (uint32_t i = 0; i < n; i++) {
        at = put_part(at, cells[i].path);
        if (type->id != SY_SET)
            at = put_part(at, cells[i].value);
    }
    return (struct sy_value){.len = (int32_t)size, .bytes = bytes};
}

/* ---- the state of a row ---- */

/* A copy: the row itself is changed before the log's rows are stored. */
static struct sy_value keep(struct sy_value value, struct sy_arena *arena)
{
    if (value.len > 0)
        value.bytes = (const uint8_t *)sy_arena_dup(arena, value.bytes, (size_t)value.len);
    return value;
}

static void keep_column(struct sy_column_state *ret, const struct sy_column_state *was,
                        struct sy_arena *arena)
{
    struct sy_cell *cells = sy_arena_alloc(arena, (was->n_cells + 1) * sizeof(*cells));

    *ret = *was;
    ret->value = keep(was->value, arena);
    for (uint32_t i = 0; i < was->n_cells; i++) {
        cells[i] = was->cells[i];
        cells[i].path = keep(was->cells[i].path, arena);
        cells[i].value = keep(was->cells[i].value, arena);
    }
    ret->cells = cells;
}

void sy_image_load(struct sy_image *image, const struct sy_augment *augment, const struct sy_row_write *row)
{
    const struct sy_table *table = augment->mutation->table;
    struct sy_row was = {0};

    *image = (struct sy_image){.row = row};
    image->columns = sy_arena_alloc(augment->arena, table->n_columns * sizeof(*image->columns));
    for (uint32_t i = 0; i < table->n_columns; i++)
        image->columns[i].value = nothing;
    if (!augment->fetch(augment->ctx, row->is_static ? NULL : row->clustering, &was))
        return;
    image->alive = true;
    for (uint32_t i = 0; i < table->n_columns; i++)
        keep_column(&image->columns[i], &was.columns[i], augment->arena);
}

/* One element put, replaced or removed; the array is copied, for the row's own is not ours. */
static void change_element(struct sy_column_state *state, const struct sy_type *type,
                           const struct sy_cell_write *cell, struct sy_arena *arena)
{
    struct sy_cell *cells = sy_arena_alloc(arena, (state->n_cells + 1) * sizeof(*cells));
    const struct sy_type *path = sy_type_path(type);
    uint32_t n = 0;
    bool put = cell->kind != SY_CELL_LIVE;

    for (uint32_t i = 0; i < state->n_cells; i++) {
        int order = sy_value_compare(path, state->cells[i].path, cell->path);

        if (!put && order >= 0) {
            cells[n++] = (struct sy_cell){.path = cell->path, .value = cell->value};
            put = true;
        }
        if (order != 0)
            cells[n++] = state->cells[i];
    }
    if (!put)
        cells[n++] = (struct sy_cell){.path = cell->path, .value = cell->value};
    state->cells = cells;
    state->n_cells = n;
}

static void change_column(struct sy_column_state *state, const struct sy_cell_write *cell,
                          struct sy_arena *arena)
{
    if (!sy_type_is_multi_cell(cell->column->type))
        state->value = cell->kind == SY_CELL_LIVE ? cell->value : nothing;
    else if (cell->kind == SY_CELL_TOMBSTONE)
        state->n_cells = 0;
    else
        change_element(state, cell->column->type, cell, arena);
}

static void change_columns(struct sy_image *image, const struct sy_row_change *change, enum sy_cell_kind kind,
                           struct sy_arena *arena)
{
    for (uint32_t i = 0; i < change->n_cells; i++) {
        if (change->cells[i]->kind == kind)
            change_column(&image->columns[change->cells[i]->column->index], change->cells[i], arena);
    }
}

static void forget(struct sy_image *image, const struct sy_table *table)
{
    for (uint32_t i = 0; i < table->n_columns; i++)
        image->columns[i] = (struct sy_column_state){.value = nothing};
    image->alive = false;
}

/* Without a look at timestamps: a write of the past shows as if it had won. */
void sy_image_apply(struct sy_image *image, const struct sy_table *table, const struct sy_row_change *change,
                    struct sy_arena *arena)
{
    change_columns(image, change, SY_CELL_TOMBSTONE, arena);
    change_columns(image, change, SY_CELL_LIVE, arena);
    change_columns(image, change, SY_CELL_DEAD, arena);
    image->alive = true;
    if (change->deletes)
        forget(image, table);
}

/* The order of a row and a bound's prefix, in clustering order. */
static int compare_bound(const struct sy_table *table, const struct sy_value *clustering,
                         const struct sy_bound *bound)
{
    for (uint32_t i = 0; i < bound->n; i++) {
        const struct sy_table_column *column = sy_table_clustering_column(table, i);
        int order = sy_value_compare(column->type, clustering[i], bound->prefix[i]);

        if (order)
            return column->descending ? -order : order;
    }
    return 0;
}

static bool is_outside(const struct sy_image *image, const struct sy_table *table,
                       const struct sy_range_write *range)
{
    int from = compare_bound(table, image->row->clustering, &range->start);
    int to = compare_bound(table, image->row->clustering, &range->end);

    return from < 0 || (from == 0 && range->start.n && !range->start.inclusive) || to > 0 ||
           (to == 0 && range->end.n && !range->end.inclusive);
}

void sy_image_cover(struct sy_image *image, const struct sy_table *table, const struct sy_range_write *range)
{
    if (image->row && !image->row->is_static && (!range || !is_outside(image, table, range)))
        forget(image, table);
}

/* ---- rows of the log ---- */

static struct sy_value value_of(const struct sy_image *image, const struct sy_table_column *column,
                                struct sy_arena *arena)
{
    const struct sy_column_state *state = &image->columns[column->index];

    if (sy_type_is_multi_cell(column->type))
        return sy_log_collection(column->type, state->cells, state->n_cells, arena);
    return state->value;
}

static bool belongs(const struct sy_image *image, const struct sy_table_column *column)
{
    return column->kind == (image->row->is_static ? SY_STATIC : SY_REGULAR);
}

static bool is_touched(const struct sy_row_change *change, const struct sy_table_column *column)
{
    if (change->deletes)
        return true;
    for (uint32_t i = 0; i < change->n_cells; i++) {
        if (change->cells[i]->column->id == column->id)
            return true;
    }
    return false;
}

static void put_image_key(struct sy_log_row *row, const struct sy_image *image)
{
    const struct sy_table *table = row->rows->augment->mutation->table;

    sy_log_row_put_key(row, image->row->clustering, image->row->is_static ? 0 : table->n_clustering);
}

void sy_log_preimage(struct sy_log_rows *rows, const struct sy_image *image,
                     const struct sy_row_change *change)
{
    const struct sy_table *table = rows->augment->mutation->table;
    struct sy_log_row row = sy_log_row_begin(rows, 0, 0);

    put_image_key(&row, image);
    for (uint32_t i = 0; i < table->n_columns; i++) {
        const struct sy_table_column *column = &table->columns[i];
        struct sy_value value;

        if (!belongs(image, column) ||
            (table->cdc.preimage != SY_PREIMAGE_FULL && !is_touched(change, column)))
            continue;
        value = value_of(image, column, rows->augment->arena);
        sy_log_row_put(&row, "", column->name, value);
        if (value.len < 0)
            sy_log_row_put_flag(&row, "cdc$deleted_", column->name);
    }
    sy_log_row_end(&row);
}

void sy_log_postimage(struct sy_log_rows *rows, const struct sy_image *image)
{
    const struct sy_table *table = rows->augment->mutation->table;
    struct sy_log_row row = sy_log_row_begin(rows, 9, 0);

    put_image_key(&row, image);
    for (uint32_t i = 0; i < table->n_columns; i++) {
        const struct sy_table_column *column = &table->columns[i];

        if (belongs(image, column))
            sy_log_row_put(&row, "", column->name, value_of(image, column, rows->augment->arena));
    }
    sy_log_row_end(&row);
}
