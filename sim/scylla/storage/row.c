/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include "../types/order.h"
#include "arena.h"

#include <stdlib.h>

enum { HAS_MARKER = 1, HAS_TOMBSTONE = 2, HAS_MARKER_TTL = 4 };
enum { CELL_KIND = 3, CELL_HAS_TTL = 4, CELL_HAS_PATH = 8, CELL_SAME_TIME = 16 };

static int compare_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int sy_cell_compare_place(const struct sy_column_types *types, const struct sy_cell_data *a,
                          const struct sy_cell_data *b)
{
    const struct sy_type *path;

    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    if (a->path.len < 0 || b->path.len < 0)
        return (a->path.len >= 0) - (b->path.len >= 0);
    path = a->column < types->n && types->types[a->column] != NULL ? sy_type_path(types->types[a->column])
                                                                   : NULL;
    return path != NULL ? sy_value_compare(path, a->path, b->path) : sy_bytes_compare(a->path, b->path);
}

int sy_cell_reconcile(const struct sy_cell_data *a, const struct sy_cell_data *b)
{
    if (a->timestamp_us != b->timestamp_us)
        return compare_i64(a->timestamp_us, b->timestamp_us);
    if (a->kind != b->kind)
        return a->kind == SY_CELL_LIVE ? -1 : 1;
    if (a->kind != SY_CELL_LIVE)
        return 0;
    if ((a->ttl_s > 0) != (b->ttl_s > 0))
        return a->ttl_s > 0 ? 1 : -1;
    if (a->ttl_s > 0 && a->expiry_s != b->expiry_s)
        return compare_i64(a->expiry_s, b->expiry_s);
    if (a->ttl_s != b->ttl_s)
        return a->ttl_s < b->ttl_s ? 1 : -1;
    return sy_bytes_compare(a->value, b->value);
}

struct sort_entry {
    struct sy_cell_data cell;
    uint32_t place;
};

static int sort_compare(const void *x, const void *y, void *ctx)
{
    const struct sort_entry *a = x;
    const struct sort_entry *b = y;
    const struct sy_column_types *const *types = ctx;
    int order = sy_cell_compare_place(*types, &a->cell, &b->cell);

    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static bool is_sorted(const struct sy_column_types *types, const struct sy_row_data *row)
{
    for (uint32_t i = 1; i < row->n_cells; i++) {
        if (sy_cell_compare_place(types, &row->cells[i - 1], &row->cells[i]) >= 0)
            return false;
    }
    return true;
}

void sy_row_sort(const struct sy_column_types *types, struct sy_row_data *row)
{
    struct sort_entry *entries;
    uint32_t n = 0;

    if (is_sorted(types, row))
        return;
    entries = malloc(row->n_cells * sizeof(*entries));
    if (entries == NULL)
        abort();
    for (uint32_t i = 0; i < row->n_cells; i++)
        entries[i] = (struct sort_entry){.cell = row->cells[i], .place = i};
    qsort_r(entries, row->n_cells, sizeof(*entries), sort_compare, &types);
    for (uint32_t i = 0; i < row->n_cells; i++) {
        const struct sy_cell_data *cell = &entries[i].cell;

        if (n > 0 && sy_cell_compare_place(types, &row->cells[n - 1], cell) == 0) {
            if (sy_cell_reconcile(cell, &row->cells[n - 1]) > 0)
                row->cells[n - 1] = *cell;
        } else {
            row->cells[n++] = *cell;
        }
    }
    row->n_cells = n;
    free(entries);
}

static void merge_marker(const struct sy_row_data *a, const struct sy_row_data *b, struct sy_row_data *ret)
{
    struct sy_cell_data left = {.kind = SY_CELL_LIVE,
                                .timestamp_us = a->marker_us,
                                .ttl_s = a->marker_ttl_s,
                                .expiry_s = a->marker_expiry_s};
    struct sy_cell_data right = {.kind = SY_CELL_LIVE,
                                 .timestamp_us = b->marker_us,
                                 .ttl_s = b->marker_ttl_s,
                                 .expiry_s = b->marker_expiry_s};
    const struct sy_row_data *from = a;

    if (b->has_marker && (!a->has_marker || sy_cell_reconcile(&left, &right) < 0))
        from = b;
    ret->has_marker = from->has_marker;
    ret->marker_us = from->marker_us;
    ret->marker_ttl_s = from->marker_ttl_s;
    ret->marker_expiry_s = from->marker_expiry_s;
}

static void merge_tombstone(const struct sy_row_data *a, const struct sy_row_data *b, struct sy_row_data *ret)
{
    const struct sy_row_data *from = a;

    if (b->has_tombstone && (!a->has_tombstone || b->tombstone_us > a->tombstone_us))
        from = b;
    ret->has_tombstone = from->has_tombstone;
    ret->tombstone_us = from->tombstone_us;
}

struct keeper {
    struct sy_row_data *row;
    bool prune;
    bool has_column_tombstone;
    uint32_t tombstone_column;
    int64_t column_tombstone_us;
};

static void keep(struct keeper *keeper, const struct sy_cell_data *cell)
{
    struct sy_row_data *row = keeper->row;

    if (keeper->prune && row->has_tombstone && cell->timestamp_us <= row->tombstone_us)
        return;
    if (cell->kind == SY_CELL_TOMBSTONE) {
        keeper->has_column_tombstone = true;
        keeper->tombstone_column = cell->column;
        keeper->column_tombstone_us = cell->timestamp_us;
    } else if (keeper->has_column_tombstone && keeper->tombstone_column == cell->column &&
               cell->timestamp_us <= keeper->column_tombstone_us) {
        return;
    }
    row->cells[row->n_cells++] = *cell;
}

void sy_row_merge(const struct sy_column_types *types, const struct sy_row_data *a,
                  const struct sy_row_data *b, bool prune, struct sy_arena *arena, struct sy_row_data *ret)
{
    struct sy_row_data row = {0};
    struct keeper keeper = {.row = &row, .prune = prune};
    uint32_t i = 0;
    uint32_t j = 0;

    merge_marker(a, b, &row);
    merge_tombstone(a, b, &row);
    if (prune && row.has_tombstone && row.has_marker && row.marker_us <= row.tombstone_us)
        row.has_marker = false;
    row.cells = sy_arena_raw(arena, ((size_t)a->n_cells + b->n_cells) * sizeof(*row.cells));
    while (i < a->n_cells || j < b->n_cells) {
        int order = i == a->n_cells   ? 1
                    : j == b->n_cells ? -1
                                      : sy_cell_compare_place(types, &a->cells[i], &b->cells[j]);

        if (order < 0) {
            keep(&keeper, &a->cells[i++]);
        } else if (order > 0) {
            keep(&keeper, &b->cells[j++]);
        } else {
            keep(&keeper, sy_cell_reconcile(&a->cells[i], &b->cells[j]) >= 0 ? &a->cells[i] : &b->cells[j]);
            i++;
            j++;
        }
    }
    *ret = row;
}

void sy_row_pack(struct sy_buffer *buffer, const struct sy_row_data *row)
{
    int64_t last_us = row->has_marker ? row->marker_us : 0;
    uint8_t flags = (uint8_t)((row->has_marker ? HAS_MARKER : 0) | (row->has_tombstone ? HAS_TOMBSTONE : 0) |
                              (row->has_marker && row->marker_ttl_s > 0 ? HAS_MARKER_TTL : 0));

    sy_buffer_put_u8(buffer, flags);
    if (flags & HAS_MARKER)
        sy_buffer_put_u64(buffer, (uint64_t)row->marker_us);
    if (flags & HAS_MARKER_TTL) {
        sy_buffer_put_varint(buffer, (uint64_t)row->marker_ttl_s);
        sy_buffer_put_varint(buffer, (uint64_t)row->marker_expiry_s);
    }
    if (flags & HAS_TOMBSTONE)
        sy_buffer_put_u64(buffer, (uint64_t)row->tombstone_us);
    sy_buffer_put_varint(buffer, row->n_cells);
    for (uint32_t i = 0; i < row->n_cells; i++) {
        const struct sy_cell_data *cell = &row->cells[i];
        bool same = cell->timestamp_us == last_us;

        sy_buffer_put_u8(buffer,
                         (uint8_t)(cell->kind | (cell->ttl_s > 0 ? CELL_HAS_TTL : 0) |
                                   (cell->path.len >= 0 ? CELL_HAS_PATH : 0) | (same ? CELL_SAME_TIME : 0)));
        sy_buffer_put_varint(buffer, cell->column);
        if (!same)
            sy_buffer_put_u64(buffer, (uint64_t)cell->timestamp_us);
        last_us = cell->timestamp_us;
        if (cell->ttl_s > 0) {
            sy_buffer_put_varint(buffer, (uint64_t)cell->ttl_s);
            sy_buffer_put_varint(buffer, (uint64_t)cell->expiry_s);
        }
        if (cell->path.len >= 0)
            sy_buffer_put_value(buffer, cell->path);
        if (cell->kind == SY_CELL_LIVE)
            sy_buffer_put_value(buffer, cell->value);
    }
}

static void unpack_cell(struct sy_reader *reader, int64_t *last_us, struct sy_cell_data *cell)
{
    uint8_t flags = sy_reader_u8(reader);

    *cell = (struct sy_cell_data){.kind = flags & CELL_KIND, .path.len = SY_NULL, .value.len = SY_NULL};
    cell->column = (uint32_t)sy_reader_varint(reader);
    if (!(flags & CELL_SAME_TIME))
        *last_us = (int64_t)sy_reader_u64(reader);
    cell->timestamp_us = *last_us;
    if (flags & CELL_HAS_TTL) {
        cell->ttl_s = (int32_t)sy_reader_varint(reader);
        cell->expiry_s = (int64_t)sy_reader_varint(reader);
    }
    if (flags & CELL_HAS_PATH)
        cell->path = sy_reader_value(reader);
    if (cell->kind == SY_CELL_LIVE)
        cell->value = sy_reader_value(reader);
}

bool sy_row_unpack(struct sy_reader *reader, struct sy_arena *arena, struct sy_row_data *ret)
{
    struct sy_row_data row = {0};
    uint8_t flags = sy_reader_u8(reader);
    int64_t last_us = 0;
    uint64_t n;

    row.has_marker = flags & HAS_MARKER;
    row.has_tombstone = flags & HAS_TOMBSTONE;
    if (row.has_marker)
        last_us = row.marker_us = (int64_t)sy_reader_u64(reader);
    if (flags & HAS_MARKER_TTL) {
        row.marker_ttl_s = (int32_t)sy_reader_varint(reader);
        row.marker_expiry_s = (int64_t)sy_reader_varint(reader);
    }
    if (row.has_tombstone)
        row.tombstone_us = (int64_t)sy_reader_u64(reader);
    n = sy_reader_varint(reader);
    if (n > (uint64_t)(reader->end - reader->at)) /* each cell has more bytes than one */
        reader->bad = true;
    if (reader->bad)
        return false;
    row.cells = sy_arena_raw(arena, (size_t)n * sizeof(*row.cells));
    row.n_cells = (uint32_t)n;
    for (uint32_t i = 0; i < row.n_cells; i++)
        unpack_cell(reader, &last_us, &row.cells[i]);
    *ret = row;
    return !reader->bad;
}
