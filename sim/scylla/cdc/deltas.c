/* SPDX-License-Identifier: Apache-2.0 */
/* The change rows of a group: which operations, in which order, with which cells. */
#include "group.h"

#include "../storage/arena.h"

#include <string.h>

enum operation {
    UPDATE = 1,
    INSERT = 2,
    ROW_DELETE = 3,
    PARTITION_DELETE = 4,
    RANGE_FROM_INCLUSIVE = 5,
    RANGE_FROM_EXCLUSIVE = 6,
    RANGE_TO_INCLUSIVE = 7,
    RANGE_TO_EXCLUSIVE = 8,
    EXPIRED_ROW = -3,
    EXPIRED_PARTITION = -4,
};

/* What has no TTL of its own (deletions) goes with what was written without one. */
static int32_t ttl_of(const struct sy_cell_write *cell)
{
    return cell->kind == SY_CELL_LIVE && cell->ttl_s > 0 ? cell->ttl_s : 0;
}

/* ---- the cells of one column ---- */

/* Collects what a change does to one multi-cell column. */
struct collected {
    struct sy_cell *live;
    uint32_t n_live;
    struct sy_value *dead;
    uint32_t n_dead;
    bool tombstone;
};

static void sort_live(struct collected *c, const struct sy_type *path)
{
    for (uint32_t i = 1; i < c->n_live; i++) {
        struct sy_cell cell = c->live[i];
        uint32_t at = i;

        for (; at && sy_value_compare(path, c->live[at - 1].path, cell.path) > 0; at--)
            c->live[at] = c->live[at - 1];
        c->live[at] = cell;
    }
}

static void sort_dead(struct collected *c, const struct sy_type *path)
{
    for (uint32_t i = 1; i < c->n_dead; i++) {
        struct sy_value value = c->dead[i];
        uint32_t at = i;

        for (; at && sy_value_compare(path, c->dead[at - 1], value) > 0; at--)
            c->dead[at] = c->dead[at - 1];
        c->dead[at] = value;
    }
}

/* A user type's value is always there, if only with nulls. */
static struct sy_value collection_of(const struct sy_type *type, const struct collected *c,
                                     struct sy_arena *arena)
{
    if (type->id == SY_UDT)
        return sy_log_user_type(type, c->live, c->n_live, arena);
    return sy_log_collection(type, c->live, c->n_live, arena);
}

static bool empties(const struct sy_row_change *change, const struct sy_table_column *column)
{
    for (uint32_t i = 0; i < change->n_cells; i++) {
        if (change->cells[i]->column->id == column->id && change->cells[i]->kind == SY_CELL_TOMBSTONE)
            return true;
    }
    return false;
}

/* Does the insert of the row take the cell? Those of its marker's TTL, and of collections the ones set whole.
 */
static bool insert_takes(const struct sy_row_change *change, const struct sy_cell_write *cell)
{
    if (!change->has_marker || ttl_of(cell) != change->marker_ttl_s)
        return false;
    return !sy_type_is_multi_cell(cell->column->type) ||
           (change->marker_ttl_s == 0 && empties(change, cell->column));
}

enum part { WHOLE, OF_INSERT, OF_UPDATE };

static bool takes(const struct sy_row_change *change, const struct sy_cell_write *cell, enum part part,
                  int32_t ttl_s)
{
    if (part == WHOLE)
        return true;
    return ttl_of(cell) == ttl_s && insert_takes(change, cell) == (part == OF_INSERT);
}

static void collect(struct collected *c, const struct sy_row_change *change,
                    const struct sy_table_column *column, enum part part, int32_t ttl_s,
                    struct sy_arena *arena)
{
    c->live = sy_arena_alloc(arena, (change->n_cells + 1) * sizeof(*c->live));
    c->dead = sy_arena_alloc(arena, (change->n_cells + 1) * sizeof(*c->dead));
    for (uint32_t i = 0; i < change->n_cells; i++) {
        const struct sy_cell_write *cell = change->cells[i];

        if (cell->column->id != column->id || !takes(change, cell, part, ttl_s))
            continue;
        if (cell->kind == SY_CELL_TOMBSTONE)
            c->tombstone = true;
        else if (cell->kind == SY_CELL_LIVE)
            c->live[c->n_live++] = (struct sy_cell){.path = cell->path, .value = cell->value};
        else
            c->dead[c->n_dead++] = cell->path;
    }
    sort_live(c, sy_type_path(column->type));
    sort_dead(c, sy_type_path(column->type));
}

static void put_multi_cell(struct sy_log_row *row, const struct sy_row_change *change,
                           const struct sy_table_column *column, enum part part, int32_t ttl_s)
{
    struct sy_arena *arena = row->rows->augment->arena;
    struct collected c = {0};

    collect(&c, change, column, part, ttl_s, arena);
    if (!c.tombstone && !c.n_live && !c.n_dead)
        return;
    sy_log_row_put(row, "", column->name, collection_of(column->type, &c, arena));
    if (c.tombstone)
        sy_log_row_put_flag(row, "cdc$deleted_", column->name);
    sy_log_row_put(row, "cdc$deleted_elements_", column->name, sy_log_paths(c.dead, c.n_dead, arena));
}

static void put_atomic(struct sy_log_row *row, const struct sy_cell_write *cell)
{
    if (cell->kind == SY_CELL_LIVE)
        sy_log_row_put(row, "", cell->column->name, cell->value);
    else
        sy_log_row_put_flag(row, "cdc$deleted_", cell->column->name);
}

/* ---- rows ---- */

static bool is_first_of_column(const struct sy_row_change *change, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (change->cells[i]->column->id == change->cells[index]->column->id)
            return false;
    }
    return true;
}

/* An insert or update row with its part of the change's cells. */
static void put_upsert(struct sy_log_rows *rows, const struct sy_row_change *change, enum operation op,
                       enum part part, int32_t ttl_s)
{
    const struct sy_table *table = rows->augment->mutation->table;
    struct sy_log_row row = sy_log_row_begin(rows, (int8_t)op, ttl_s);

    sy_log_row_put_key(&row, change->row->clustering, change->row->is_static ? 0 : table->n_clustering);
    for (uint32_t i = 0; i < change->n_cells && !table->cdc.delta_keys; i++) {
        const struct sy_cell_write *cell = change->cells[i];

        if (!sy_type_is_multi_cell(cell->column->type)) {
            if (takes(change, cell, part, ttl_s))
                put_atomic(&row, cell);
        } else if (is_first_of_column(change, i)) {
            put_multi_cell(&row, change, cell->column, part, ttl_s);
        }
    }
    sy_log_row_end(&row);
}

static void put_deletion(struct sy_log_rows *rows, enum operation op, const struct sy_value *clustering,
                         uint32_t n_clustering)
{
    struct sy_log_row row = sy_log_row_begin(rows, (int8_t)op, 0);

    sy_log_row_put_key(&row, clustering, n_clustering);
    sy_log_row_end(&row);
}

static void put_range(struct sy_log_rows *rows, const struct sy_range_write *range)
{
    bool open_start = range->start.n == 0;
    bool open_end = range->end.n == 0;

    put_deletion(rows, open_start || range->start.inclusive ? RANGE_FROM_INCLUSIVE : RANGE_FROM_EXCLUSIVE,
                 range->start.prefix, range->start.n);
    put_deletion(rows, open_end || range->end.inclusive ? RANGE_TO_INCLUSIVE : RANGE_TO_EXCLUSIVE,
                 range->end.prefix, range->end.n);
}

static void put_partition_delete(struct sy_log_rows *rows)
{
    put_deletion(rows, rows->augment->expiry_service ? EXPIRED_PARTITION : PARTITION_DELETE, NULL, 0);
}

static void put_row_delete(struct sy_log_rows *rows, const struct sy_row_change *change)
{
    put_deletion(rows, rows->augment->expiry_service ? EXPIRED_ROW : ROW_DELETE, change->row->clustering,
                 rows->augment->mutation->table->n_clustering);
}

static bool upserts(const struct sy_row_change *change)
{
    return change->has_marker || change->n_cells;
}

/* ---- together, or split ---- */

/* Elements that are added to a collection, beside the marker of their row. */
static bool adds_elements(const struct sy_row_change *change)
{
    for (uint32_t i = 0; i < change->n_cells; i++) {
        const struct sy_cell_write *cell = change->cells[i];

        if (cell->kind == SY_CELL_LIVE && sy_type_is_multi_cell(cell->column->type) &&
            !empties(change, cell->column))
            return true;
    }
    return false;
}

/* All of the row's cells and its marker have the TTL at hand (-1: none yet). */
static bool has_one_ttl(const struct sy_row_change *change, int32_t *ttl_s)
{
    if (change->has_marker) {
        if (*ttl_s >= 0 && *ttl_s != change->marker_ttl_s)
            return false;
        *ttl_s = change->marker_ttl_s;
    }
    for (uint32_t k = 0; k < change->n_cells; k++) {
        if (*ttl_s >= 0 && *ttl_s != ttl_of(change->cells[k]))
            return false;
        *ttl_s = ttl_of(change->cells[k]);
    }
    return true;
}

static bool is_uniform(const struct sy_change_group *group)
{
    int kinds = (group->n_ranges > 0) + group->deletes_partition;
    bool statics = false;
    bool rows = false;
    bool deletes = false;
    int32_t ttl_s = -1;

    for (uint32_t i = 0; i < group->n_rows; i++) {
        const struct sy_row_change *change = &group->rows[i];

        if (!has_one_ttl(change, &ttl_s) || (change->has_marker && adds_elements(change)))
            return false;
        deletes |= change->deletes;
        if (upserts(change))
            *(change->row->is_static ? &statics : &rows) = true;
    }
    return kinds + statics + rows + deletes <= 1;
}

bool sy_is_split(const struct sy_change_group *groups, uint32_t n)
{
    return n != 1 || !is_uniform(&groups[0]);
}

static int32_t ttl_of_change(const struct sy_row_change *change)
{
    return change->has_marker ? change->marker_ttl_s : ttl_of(change->cells[0]);
}

static void put_together(struct sy_log_rows *rows, const struct sy_change_group *group)
{
    for (uint32_t i = 0; i < group->n_rows; i++) {
        const struct sy_row_change *change = &group->rows[i];

        if (change->deletes)
            put_row_delete(rows, change);
        else
            put_upsert(rows, change, change->has_marker ? INSERT : UPDATE, WHOLE, ttl_of_change(change));
    }
}

/* The next larger TTL among the cells that the row's insert does not take; -1: none. */
static int32_t next_ttl(const struct sy_row_change *change, int32_t after_s)
{
    int32_t found = -1;

    for (uint32_t i = 0; i < change->n_cells; i++) {
        int32_t ttl_s = ttl_of(change->cells[i]);

        if (!insert_takes(change, change->cells[i]) && ttl_s > after_s && (found < 0 || ttl_s < found))
            found = ttl_s;
    }
    return found;
}

static void put_updates(struct sy_log_rows *rows, const struct sy_change_group *group, bool statics)
{
    for (uint32_t i = 0; i < group->n_rows; i++) {
        const struct sy_row_change *change = &group->rows[i];
        int32_t ttl_s = -1;

        while (change->row->is_static == statics && (ttl_s = next_ttl(change, ttl_s)) >= 0)
            put_upsert(rows, change, UPDATE, OF_UPDATE, ttl_s);
    }
}

static void put_split(struct sy_log_rows *rows, const struct sy_change_group *group)
{
    put_updates(rows, group, true);
    for (uint32_t i = 0; i < group->n_rows; i++) {
        if (group->rows[i].has_marker)
            put_upsert(rows, &group->rows[i], INSERT, OF_INSERT, group->rows[i].marker_ttl_s);
    }
    put_updates(rows, group, false);
    for (uint32_t i = 0; i < group->n_rows; i++) {
        if (group->rows[i].deletes)
            put_row_delete(rows, &group->rows[i]);
    }
}

void sy_log_deltas(struct sy_log_rows *rows, const struct sy_change_group *group, bool split)
{
    if (split)
        put_split(rows, group);
    else
        put_together(rows, group);
    for (uint32_t i = 0; i < group->n_ranges; i++)
        put_range(rows, group->ranges[i]);
    if (group->deletes_partition)
        put_partition_delete(rows);
}
