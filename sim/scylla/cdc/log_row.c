/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the log table, cell by cell. Its cells carry the base write's timestamp and the log's TTL. */
#include "group.h"

#include "../storage/arena.h"
#include "../types/bytes.h"

#include <stdio.h>
#include <string.h>

/* Longer than any column's name with its prefix: names have up to 48 characters, some clients' more. */
enum { NAME_SIZE = 320 };

static struct sy_value keep(struct sy_arena *arena, const void *bytes, int32_t len)
{
    return (struct sy_value){.len = len, .bytes = (const uint8_t *)sy_arena_dup(arena, bytes, (size_t)len)};
}

static void add_cell(struct sy_log_row *row, const struct sy_table_column *column, struct sy_value value)
{
    struct sy_arena *arena = row->rows->augment->arena;

    if (row->n == row->capacity) {
        struct sy_cell_write *more = sy_arena_alloc(arena, (row->capacity * 2 + 16) * sizeof(*more));

        if (row->n)
            memcpy(more, row->cells, row->n * sizeof(*more));
        row->cells = more;
        row->capacity = row->capacity * 2 + 16;
    }
    row->cells[row->n++] = (struct sy_cell_write){
        .column = column,
        .kind = SY_CELL_LIVE,
        .ttl_s = row->rows->augment->mutation->table->cdc.ttl_s,
        .timestamp_us = row->rows->us,
        .path = {.len = SY_NULL},
        .value = value,
    };
}

void sy_log_row_put(struct sy_log_row *row, const char *prefix, const char *column, struct sy_value value)
{
    char name[NAME_SIZE];
    int len = snprintf(name, sizeof(name), "%s%s", prefix, column);
    const struct sy_table_column *found = sy_table_column_named(row->rows->log, name, (size_t)len);

    if (found && value.len >= 0)
        add_cell(row, found, value);
}

void sy_log_row_put_flag(struct sy_log_row *row, const char *prefix, const char *column)
{
    static const uint8_t yes = 1;

    sy_log_row_put(row, prefix, column, (struct sy_value){1, &yes});
}

struct sy_log_row sy_log_row_begin(struct sy_log_rows *rows, int8_t operation, int32_t ttl_s)
{
    struct sy_arena *arena = rows->augment->arena;
    struct sy_log_row row = {.rows = rows};
    uint8_t op = (uint8_t)operation;
    uint8_t ttl[8];

    sy_log_row_put(&row, "", "cdc$operation", keep(arena, &op, 1));
    if (ttl_s > 0) {
        sy_put_u64(ttl, (uint64_t)ttl_s);
        sy_log_row_put(&row, "", "cdc$ttl", keep(arena, ttl, 8));
    }
    return row;
}

void sy_log_row_put_key(struct sy_log_row *row, const struct sy_value *clustering, uint32_t n_clustering)
{
    const struct sy_mutation *m = row->rows->augment->mutation;

    for (uint32_t i = 0; i < m->table->n_partition_key; i++)
        sy_log_row_put(row, "", sy_table_partition_column(m->table, i)->name, m->partition_key[i]);
    for (uint32_t i = 0; i < n_clustering; i++)
        sy_log_row_put(row, "", sy_table_clustering_column(m->table, i)->name, clustering[i]);
}

void sy_log_row_end(struct sy_log_row *row)
{
    struct sy_log_rows *rows = row->rows;
    struct sy_arena *arena = rows->augment->arena;
    struct sy_value *clustering = sy_arena_alloc(arena, 2 * sizeof(*clustering));
    uint8_t sequence[4];

    if (rows->n == rows->capacity) {
        struct sy_row_write *more = sy_arena_alloc(arena, (rows->capacity * 2 + 8) * sizeof(*more));

        if (rows->n)
            memcpy(more, rows->rows, rows->n * sizeof(*more));
        rows->rows = more;
        rows->capacity = rows->capacity * 2 + 8;
    }
    sy_put_u32(sequence, rows->n);
    clustering[0] = *rows->time;
    clustering[1] = keep(arena, sequence, 4);
    rows->rows[rows->n++] =
        (struct sy_row_write){.clustering = clustering, .cells = row->cells, .n_cells = row->n};
}
