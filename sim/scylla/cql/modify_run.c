/* SPDX-License-Identifier: Apache-2.0 */
/* A bound INSERT, UPDATE or DELETE as mutations; rows read before they are written. */
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "modify.h"

enum { MAX_TTL_S = 630720000 /* 20 years */ };

static bool statement_timestamp(struct sy_run *run, const struct sy_modify_plan *plan, int64_t *ret)
{
    struct sy_value value;
    *ret = run->timestamp_us;
    if (plan->timestamp == NULL)
        return true;
    if (!sy_evaluate(run, plan->timestamp, &value))
        return false;
    if (value.len == SY_UNSET)
        return true;
    if (value.len != 8)
        return sy_run_fail(run, 0x2200, "Invalid null value of timestamp");
    *ret = (int64_t)sy_get_u64(value.bytes);
    if (*ret == INT64_MIN)
        return sy_run_fail(run, 0x2200,
                           "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]");
    return true;
}

static bool statement_ttl(struct sy_run *run, const struct sy_modify_plan *plan, int32_t *ret)
{
    struct sy_value value;
    *ret = SY_TTL_DEFAULT;
    if (plan->ttl == NULL)
        return true;
    if (!sy_evaluate(run, plan->ttl, &value))
        return false;
    if (value.len == SY_UNSET || value.len == SY_NULL)
        return true;
    if (value.len != 4)
        return sy_run_fail(run, 0x2200, "Invalid TTL value");
    *ret = (int32_t)sy_get_u32(value.bytes);
    if (*ret < 0)
        return sy_run_fail(run, 0x2200, "A TTL must be greater or equal to 0");
    if (*ret > MAX_TTL_S)
        return sy_run_fail(run, 0x2200, "ttl is too large. requested (%d) maximum (%d)", *ret, MAX_TTL_S);
    return true;
}

struct visit {
    struct sy_run *run;
    const struct sy_table *table;
    const struct sy_row *row;
};

static struct sy_value copied(struct sy_arena *arena, struct sy_value value)
{
    if (value.len > 0)
        value.bytes = (const uint8_t *)sy_arena_dup(arena, value.bytes, (size_t)value.len);
    return value;
}

static const struct sy_value *copied_values(struct sy_arena *arena, const struct sy_value *values, uint32_t n)
{
    struct sy_value *copy = sy_arena_alloc(arena, n * sizeof *copy);
    for (uint32_t i = 0; i < n; i++)
        copy[i] = copied(arena, values[i]);
    return copy;
}

static bool copy_row(void *ctx, const struct sy_row *row)
{
    struct visit *visit = ctx;
    struct sy_arena *arena = visit->run->arena;
    const struct sy_table *table = visit->table;
    struct sy_row *copy = (struct sy_row *)sy_arena_dup(arena, row, sizeof *row);
    struct sy_column_state *columns = sy_arena_alloc(arena, table->n_columns * sizeof *columns);
    copy->partition_key = copied_values(arena, row->partition_key, table->n_partition_key);
    if (row->has_clustering)
        copy->clustering = copied_values(arena, row->clustering, table->n_clustering);
    for (uint32_t i = table->n_partition_key + table->n_clustering; i < table->n_columns; i++) {
        columns[i] = row->columns[i];
        columns[i].value = copied(arena, row->columns[i].value);
        struct sy_cell *cells = sy_arena_alloc(arena, columns[i].n_cells * sizeof *cells);
        for (uint32_t c = 0; c < columns[i].n_cells; c++) {
            cells[c] = row->columns[i].cells[c];
            cells[c].path = copied(arena, cells[c].path);
            cells[c].value = copied(arena, cells[c].value);
        }
        columns[i].cells = cells;
    }
    copy->columns = columns;
    visit->row = copy;
    return false;
}

bool sy_read_row(struct sy_run *run, const struct sy_table *table, const struct sy_value *key,
                 const struct sy_value *clustering, const struct sy_row **ret)
{
    struct visit visit = {.run = run, .table = table};
    struct sy_slice slice = {.start = {.prefix = clustering, .n = table->n_clustering, .inclusive = true}};
    slice.end = slice.start;
    struct sy_read read = {
        .table = table, .node = run->node, .keys = &key, .n_keys = 1, .static_alone = true};
    if (clustering != NULL && table->n_clustering > 0) {
        read.slices = &slice;
        read.n_slices = 1;
    }
    struct sy_error error;
    if (!sy_store_read(run->server, &read, copy_row, &visit, run->arena, &error))
        return sy_run_fail(run, error.code, "%s", error.message);
    *ret = visit.row;
    return true;
}

/* Clustered row wanted, none there: its partition's static row may be asked for all the same. */
static bool read_condition_row(struct sy_run *run, const struct sy_modify_plan *plan,
                               const struct sy_value *key, const struct sy_value *clustering,
                               const struct sy_row **ret)
{
    if (!sy_read_row(run, plan->table, key, clustering, ret))
        return false;
    if (*ret != NULL || plan->table->n_static == 0 || clustering == NULL)
        return true;
    const struct sy_row *any;
    if (!sy_read_row(run, plan->table, key, NULL, &any))
        return false;
    if (any == NULL)
        return true;
    struct sy_row *only_static = (struct sy_row *)sy_arena_dup(run->arena, any, sizeof *any);
    struct sy_column_state *columns = (struct sy_column_state *)sy_arena_dup(
        run->arena, any->columns, plan->table->n_columns * sizeof *columns);
    for (uint32_t i = 0; i < plan->table->n_columns; i++)
        if (plan->table->columns[i].kind == SY_REGULAR)
            columns[i] = (struct sy_column_state){.value = {.len = SY_NULL}};
    only_static->has_clustering = false;
    only_static->columns = columns;
    *ret = only_static;
    return true;
}

static bool row_exists(const struct sy_modify_plan *plan, const struct sy_row *row)
{
    if (row == NULL)
        return false;
    if (!plan->static_conditions_only)
        return row->has_clustering || plan->table->n_clustering == 0;
    for (uint32_t i = 0; i < plan->table->n_columns; i++)
        if (plan->table->columns[i].kind == SY_STATIC && row->columns[i].value.len != SY_NULL)
            return true;
    return false;
}

bool sy_conditions_hold(struct sy_run *run, const struct sy_modify_plan *plan, const struct sy_row **ret_row,
                        bool *ret_hold)
{
    struct sy_scope scope;
    run->table = plan->table;
    if (!sy_where_scope(run, &plan->where, &scope))
        return false;
    const struct sy_value *clustering = scope.n_slices > 0 ? scope.slices[0].start.prefix : NULL;
    if (!read_condition_row(run, plan, scope.keys[0], clustering, ret_row))
        return false;
    bool exists = row_exists(plan, *ret_row);
    *ret_hold = plan->if_exists ? exists : plan->if_not_exists ? !exists : true;
    run->row = *ret_row;
    for (uint32_t i = 0; i < plan->n_conditions && *ret_hold; i++)
        *ret_hold = sy_condition_matches(run, &plan->conditions[i]);
    run->row = NULL;
    return !run->failed;
}

static struct sy_mutation *add_mutation(struct sy_run *run, struct sy_mutation_list *list)
{
    if (list->n == list->cap) {
        uint32_t cap = list->cap == 0 ? 4 : 2 * list->cap;
        struct sy_mutation *more = sy_arena_raw(run->arena, cap * sizeof *more);
        if (list->n > 0)
            memcpy(more, list->items, list->n * sizeof *more);
        list->items = more;
        list->cap = cap;
    }
    struct sy_mutation *mutation = &list->items[list->n++];
    memset(mutation, 0, sizeof *mutation);
    return mutation;
}

/* DELETE without columns: a partition, rows, or ranges. */
static void delete_rows(struct sy_run *run, const struct sy_modify_plan *plan, const struct sy_scope *scope,
                        int64_t timestamp_us, struct sy_mutation *mutation)
{
    if (scope->n_slices == 0) {
        mutation->has_tombstone = true;
        mutation->tombstone_timestamp_us = timestamp_us;
        return;
    }
    if (plan->where.single_row) {
        struct sy_row_write *rows = sy_arena_alloc(run->arena, scope->n_slices * sizeof *rows);
        for (uint32_t i = 0; i < scope->n_slices; i++) {
            rows[i].clustering = scope->slices[i].start.prefix;
            rows[i].has_tombstone = true;
            rows[i].tombstone_timestamp_us = timestamp_us;
        }
        mutation->rows = rows;
        mutation->n_rows = scope->n_slices;
        return;
    }
    struct sy_range_write *ranges = sy_arena_alloc(run->arena, scope->n_slices * sizeof *ranges);
    for (uint32_t i = 0; i < scope->n_slices; i++)
        ranges[i] = (struct sy_range_write){
            .start = scope->slices[i].start, .end = scope->slices[i].end, .timestamp_us = timestamp_us};
    mutation->ranges = ranges;
    mutation->n_ranges = scope->n_slices;
}

struct times {
    int64_t timestamp_us;
    int32_t ttl_s;
};

static bool write_row(struct sy_run *run, const struct sy_modify_plan *plan, const struct sy_value *key,
                      const struct sy_value *clustering, bool is_static, struct times times,
                      struct sy_row_write *row)
{
    const struct sy_row *old = NULL;
    *row = (struct sy_row_write){.is_static = is_static, .clustering = clustering};
    if (plan->reads && !sy_read_row(run, plan->table, key, is_static ? NULL : clustering, &old))
        return false;
    if (plan->kind == SY_INSERT && !is_static) {
        row->has_marker = true;
        row->marker_timestamp_us = times.timestamp_us;
        row->marker_ttl_s = times.ttl_s;
    }
    return sy_change_cells(run, plan, is_static, old, times.timestamp_us, times.ttl_s, &row->cells,
                           &row->n_cells);
}

static bool write_rows(struct sy_run *run, const struct sy_modify_plan *plan, const struct sy_scope *scope,
                       const struct sy_value *key, struct times times, struct sy_mutation *mutation)
{
    static const struct sy_value no_columns; /* a row without clustering columns has a key of none */
    struct sy_row_write *rows = sy_arena_alloc(run->arena, (scope->n_slices + 2) * sizeof *rows);
    uint32_t n = 0;
    if (plan->touches_static) {
        if (!write_row(run, plan, key, NULL, true, times, &rows[n]))
            return false;
        n += rows[n].n_cells > 0;
    }
    uint32_t n_rows = scope->n_slices > 0 ? scope->n_slices : plan->table->n_clustering == 0;
    for (uint32_t i = 0; i < n_rows && plan->whole_row; i++) {
        const struct sy_value *clustering = scope->n_slices > 0 ? scope->slices[i].start.prefix : &no_columns;
        if (!write_row(run, plan, key, clustering, false, times, &rows[n]))
            return false;
        n += rows[n].n_cells > 0 || rows[n].has_marker;
    }
    mutation->rows = rows;
    mutation->n_rows = n;
    return true;
}

bool sy_modify_mutations(struct sy_run *run, const struct sy_modify_plan *plan, struct sy_mutation_list *list)
{
    struct sy_scope scope;
    struct times times;
    run->table = plan->table;
    if (!sy_where_scope(run, &plan->where, &scope) || !statement_timestamp(run, plan, &times.timestamp_us) ||
        !statement_ttl(run, plan, &times.ttl_s))
        return false;
    for (uint32_t i = 0; i < scope.n_keys && !scope.empty; i++) {
        struct sy_mutation *mutation = add_mutation(run, list);
        mutation->table = plan->table;
        mutation->partition_key = scope.keys[i];
        if (plan->kind == SY_DELETE && plan->n_changes == 0)
            delete_rows(run, plan, &scope, times.timestamp_us, mutation);
        else if (!write_rows(run, plan, &scope, scope.keys[i], times, mutation))
            return false;
        if (!mutation->has_tombstone && mutation->n_rows == 0 && mutation->n_ranges == 0)
            list->n--;
    }
    return true;
}
