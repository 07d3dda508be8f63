/* SPDX-License-Identifier: Apache-2.0 */
/* A mutation taken apart by timestamps. */
#include "group.h"

#include "../storage/arena.h"

#include <stdlib.h>
#include <string.h>

struct times {
    int64_t *us;
    uint32_t n, capacity;
};

static void add_time(struct times *times, int64_t us, struct sy_arena *arena)
{
    for (uint32_t i = 0; i < times->n; i++) {
        if (times->us[i] == us)
            return;
    }
    if (times->n == times->capacity) {
        int64_t *more = sy_arena_alloc(arena, (times->capacity * 2 + 8) * sizeof(*more));

        if (times->n)
            memcpy(more, times->us, times->n * sizeof(*more));
        times->us = more;
        times->capacity = times->capacity * 2 + 8;
    }
    times->us[times->n++] = us;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void collect_times(struct times *times, const struct sy_mutation *m, struct sy_arena *arena)
{
    if (m->has_tombstone)
        add_time(times, m->tombstone_timestamp_us, arena);
    for (uint32_t i = 0; i < m->n_ranges; i++)
        add_time(times, m->ranges[i].timestamp_us, arena);
    for (uint32_t i = 0; i < m->n_rows; i++) {
        const struct sy_row_write *row = &m->rows[i];

        if (row->has_marker)
            add_time(times, row->marker_timestamp_us, arena);
        if (row->has_tombstone)
            add_time(times, row->tombstone_timestamp_us, arena);
        for (uint32_t k = 0; k < row->n_cells; k++)
            add_time(times, sy_cell_group_us(&row->cells[k]), arena);
    }
    if (times->n)
        qsort(times->us, times->n, sizeof(*times->us), compare_times);
}

/* Of what the row does at that time; false: nothing. */
static bool change_of(const struct sy_row_write *row, int64_t us, struct sy_arena *arena,
                      struct sy_row_change *ret)
{
    *ret = (struct sy_row_change){.row = row};
    ret->cells = sy_arena_alloc(arena, (row->n_cells + 1) * sizeof(*ret->cells));
    for (uint32_t i = 0; i < row->n_cells; i++) {
        if (sy_cell_group_us(&row->cells[i]) == us)
            ret->cells[ret->n_cells++] = &row->cells[i];
    }
    ret->has_marker = row->has_marker && row->marker_timestamp_us == us;
    ret->marker_ttl_s = ret->has_marker ? row->marker_ttl_s : 0;
    ret->deletes = row->has_tombstone && row->tombstone_timestamp_us == us;
    return ret->n_cells || ret->has_marker || ret->deletes;
}

static int compare_rows(const struct sy_table *table, const struct sy_row_change *a,
                        const struct sy_row_change *b)
{
    if (a->row->is_static || b->row->is_static)
        return (int)b->row->is_static - (int)a->row->is_static;
    for (uint32_t i = 0; i < table->n_clustering; i++) {
        const struct sy_table_column *column = sy_table_clustering_column(table, i);
        int order = sy_value_compare(column->type, a->row->clustering[i], b->row->clustering[i]);

        if (order)
            return column->descending ? -order : order;
    }
    return 0;
}

/* Insertion: mutations have few rows, and come nearly in order. */
static void add_row(const struct sy_table *table, struct sy_change_group *group, struct sy_row_change change)
{
    uint32_t at = group->n_rows++;

    while (at && compare_rows(table, &group->rows[at - 1], &change) > 0) {
        group->rows[at] = group->rows[at - 1];
        at--;
    }
    group->rows[at] = change;
}

static void fill_group(struct sy_change_group *group, const struct sy_mutation *m, struct sy_arena *arena)
{
    group->deletes_partition = m->has_tombstone && m->tombstone_timestamp_us == group->us;
    group->rows = sy_arena_alloc(arena, (m->n_rows + 1) * sizeof(*group->rows));
    group->ranges = sy_arena_alloc(arena, (m->n_ranges + 1) * sizeof(*group->ranges));
    for (uint32_t i = 0; i < m->n_rows; i++) {
        struct sy_row_change change;

        if (change_of(&m->rows[i], group->us, arena, &change))
            add_row(m->table, group, change);
    }
    for (uint32_t i = 0; i < m->n_ranges; i++) {
        if (m->ranges[i].timestamp_us == group->us)
            group->ranges[group->n_ranges++] = &m->ranges[i];
    }
}

struct sy_change_group *sy_groups_of(const struct sy_mutation *m, struct sy_arena *arena, uint32_t *ret_n)
{
    struct times times = {0};
    struct sy_change_group *groups;

    collect_times(&times, m, arena);
    groups = sy_arena_alloc(arena, (times.n + 1) * sizeof(*groups));
    for (uint32_t i = 0; i < times.n; i++) {
        groups[i].us = times.us[i];
        fill_group(&groups[i], m, arena);
    }
    *ret_n = times.n;
    return groups;
}
