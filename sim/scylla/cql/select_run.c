/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/order.h"
#include "select.h"

struct reading {
    struct sy_run *run;
    const struct sy_select_plan *plan;
    int64_t limit;         /* rows still wanted; -1: all */
    int64_t partition_cap; /* -1: all */
    int64_t page_rows;     /* -1: one page for all */
    bool aggregating;

    struct sy_value *cells;
    size_t n_cells;
    size_t cap_cells;
    uint32_t n_rows;
    const struct sy_value **sort_keys; /* clustering keys, when sorting */
    size_t cap_sort_keys;

    struct sy_value *partition; /* the key of the last row given */
    uint32_t in_partition;
    struct sy_page end; /* where the page ends, once it is full */
    bool full;
    bool more; /* and there are other rows */

    struct sy_value *group; /* GROUP BY's values of the group at hand */
    bool in_group;
    int64_t *counts; /* by aggregate: values folded */
};

static struct sy_value copied(struct sy_arena *arena, struct sy_value value)
{
    if (value.len > 0)
        value.bytes =
            (const uint8_t *)memcpy(sy_arena_raw(arena, (size_t)value.len), value.bytes, (size_t)value.len);
    return value;
}

static const struct sy_value *copied_key(struct sy_arena *arena, const struct sy_value *values, uint32_t n)
{
    struct sy_value *copy = sy_arena_alloc(arena, (n + 1) * sizeof *copy);
    for (uint32_t i = 0; i < n; i++)
        copy[i] = copied(arena, values[i]);
    return copy;
}

static bool same_key(const struct sy_value *a, const struct sy_value *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (sy_bytes_compare(a[i], b[i]) != 0)
            return false;
    return true;
}

/* Room for one row more. */
static struct sy_value *next_row(struct reading *r)
{
    uint32_t columns = r->plan->n_columns;
    if (r->n_cells + columns > r->cap_cells) {
        size_t cap = r->cap_cells == 0 ? 16 * (size_t)columns : 2 * r->cap_cells;
        struct sy_value *more = sy_arena_raw(r->run->arena, cap * sizeof *more);
        if (r->n_cells > 0)
            memcpy(more, r->cells, r->n_cells * sizeof *more);
        r->cells = more;
        r->cap_cells = cap;
    }
    r->n_cells += columns;
    r->n_rows++;
    return r->cells + r->n_cells - columns;
}

static void keep_sort_key(struct reading *r, const struct sy_row *row)
{
    if (r->n_rows > r->cap_sort_keys) {
        size_t cap = 2 * (size_t)r->n_rows + 16;
        const struct sy_value **more = sy_arena_alloc(r->run->arena, cap * sizeof *more);
        if (r->cap_sort_keys > 0)
            memcpy(more, r->sort_keys, r->cap_sort_keys * sizeof *more);
        r->sort_keys = more;
        r->cap_sort_keys = cap;
    }
    r->sort_keys[r->n_rows - 1] =
        row->has_clustering ? copied_key(r->run->arena, row->clustering, r->plan->table->n_clustering) : NULL;
}

static bool emit(struct reading *r, const struct sy_row *row)
{
    struct sy_value *cells = next_row(r);
    for (uint32_t i = 0; i < r->plan->n_columns; i++) {
        struct sy_value value;
        if (!sy_evaluate(r->run, r->plan->items[i], &value))
            return false;
        cells[i] = copied(r->run->arena, value);
    }
    if (r->plan->sorts)
        keep_sort_key(r, row);
    return true;
}

/* Moves to the row's partition; false when the row is not wanted for its partition's sake. */
static bool enter_partition(struct reading *r, const struct sy_row *row)
{
    const struct sy_table *table = r->plan->table;
    if (r->partition == NULL || !same_key(r->partition, row->partition_key, table->n_partition_key)) {
        r->partition = (struct sy_value *)(uintptr_t)copied_key(r->run->arena, row->partition_key,
                                                                table->n_partition_key);
        r->in_partition = 0;
    }
    if (r->plan->distinct && r->in_partition > 0)
        return false;
    return r->partition_cap < 0 || r->in_partition < r->partition_cap;
}

static bool visit_plain(void *ctx, const struct sy_row *row)
{
    struct reading *r = ctx;
    r->run->row = row;
    if (!sy_where_matches(r->run, &r->plan->where))
        return !r->run->failed;
    if (!enter_partition(r, row))
        return true;
    if (r->full) {
        r->more = true;
        return false;
    }
    if (!emit(r, row))
        return false;
    r->in_partition++;
    if (r->limit >= 0 && !r->plan->sorts && --r->limit == 0)
        return false;
    if (r->page_rows >= 0 && (int64_t)r->n_rows == r->page_rows) {
        r->full = true;
        r->end =
            (struct sy_page){.remaining = r->limit, .in_partition = r->in_partition, .key = r->partition};
        if (row->has_clustering && r->plan->table->n_clustering > 0 && !r->plan->distinct)
            r->end.clustering = copied_key(r->run->arena, row->clustering, r->plan->table->n_clustering);
    }
    return true;
}

/* --- aggregates --- */

static struct sy_value group_value(const struct sy_row *row, const struct sy_table_column *column)
{
    if (column->kind == SY_PARTITION_KEY)
        return row->partition_key[column->position];
    return row->has_clustering ? row->clustering[column->position] : (struct sy_value){.len = SY_NULL};
}

static bool same_group(const struct reading *r, const struct sy_row *row)
{
    for (uint32_t i = 0; i < r->plan->n_group_by; i++) {
        struct sy_value value = group_value(row, r->plan->group_by[i]);
        if (value.len != r->group[i].len || sy_bytes_compare(value, r->group[i]) != 0)
            return false;
    }
    return true;
}

/* The group's first row gives the columns that are not aggregated. */
static bool open_group(struct reading *r, const struct sy_row *row)
{
    const struct sy_select_plan *plan = r->plan;
    struct sy_value *cells = next_row(r);
    for (uint32_t i = 0; i < plan->n_aggregates; i++) {
        r->run->aggregates[i] = (struct sy_value){.len = SY_NULL};
        r->counts[i] = 0;
    }
    for (uint32_t i = 0; i < plan->n_columns; i++) {
        cells[i] = (struct sy_value){.len = SY_NULL};
        if (row == NULL || sy_expression_has(plan->items[i], SY_EXPR_AGGREGATE))
            continue;
        if (!sy_evaluate(r->run, plan->items[i], &cells[i]))
            return false;
        cells[i] = copied(r->run->arena, cells[i]);
    }
    for (uint32_t i = 0; row != NULL && i < plan->n_group_by; i++)
        r->group[i] = copied(r->run->arena, group_value(row, plan->group_by[i]));
    r->in_group = true;
    return true;
}

static bool close_group(struct reading *r)
{
    const struct sy_select_plan *plan = r->plan;
    struct sy_value *cells = r->cells + r->n_cells - plan->n_columns;
    for (uint32_t i = 0; i < plan->n_aggregates; i++) {
        const struct sy_expression *e = plan->aggregates[i];
        const struct sy_type *type = e->n_items > 0 ? e->items[0]->type : e->type;
        r->run->aggregates[i] = e->function->finish(r->run, type, r->run->aggregates[i], r->counts[i]);
    }
    r->run->row = NULL;
    for (uint32_t i = 0; i < plan->n_columns; i++)
        if (sy_expression_has(plan->items[i], SY_EXPR_AGGREGATE) &&
            !sy_evaluate(r->run, plan->items[i], &cells[i]))
            return false;
    r->in_group = false;
    return true;
}

static bool fold(struct reading *r)
{
    for (uint32_t i = 0; i < r->plan->n_aggregates; i++) {
        const struct sy_expression *e = r->plan->aggregates[i];
        struct sy_value value = {.len = 0};
        if (e->n_items > 0 && !sy_evaluate(r->run, e->items[0], &value))
            return false;
        if (value.len == SY_NULL)
            continue;
        r->counts[i]++;
        if (e->n_items > 0)
            e->function->fold(r->run, e->items[0]->type, &r->run->aggregates[i], value);
    }
    return true;
}

static bool visit_aggregate(void *ctx, const struct sy_row *row)
{
    struct reading *r = ctx;
    r->run->row = row;
    if (!sy_where_matches(r->run, &r->plan->where))
        return !r->run->failed;
    if (r->in_group && !same_group(r, row)) {
        if (!close_group(r))
            return false;
        if (r->limit >= 0 && (int64_t)r->n_rows >= r->limit)
            return false;
        r->run->row = row;
    }
    if (!enter_partition(r, row))
        return true;
    if (!r->in_group && !open_group(r, row))
        return false;
    r->in_partition += r->plan->n_group_by == 0;
    return fold(r);
}

/* --- the whole --- */

static bool evaluate_limit(struct sy_run *run, const struct sy_expression *e, const char *name, int64_t *ret)
{
    struct sy_value value;
    *ret = -1;
    if (e == NULL)
        return true;
    if (!sy_evaluate(run, e, &value))
        return false;
    if (value.len == SY_UNSET)
        return true;
    if (value.len != 4)
        return sy_run_fail(run, 0x2200, "Invalid null value of %s", name);
    *ret = (int32_t)sy_get_u32(value.bytes);
    return *ret > 0 ? true : sy_run_fail(run, 0x2200, "%s must be strictly positive", name);
}

static bool resume(struct reading *r, const struct sy_parameters *parameters, struct sy_read *read)
{
    struct sy_page page;
    if (parameters->paging_state.len <= 0)
        return true;
    if (!sy_page_decode(r->plan->table, parameters->paging_state, r->run->arena, &page))
        return sy_run_fail(r->run, 0x000A, "Invalid value for the paging state");
    read->after_key = page.key;
    read->after_clustering = page.clustering;
    r->partition = (struct sy_value *)(uintptr_t)page.key;
    r->in_partition = page.in_partition;
    r->limit = page.remaining;
    return true;
}

struct sorting {
    const struct reading *r;
};

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct reading *r = ((struct sorting *)context)->r;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct sy_value *x = r->sort_keys[i], *y = r->sort_keys[k];
    for (uint32_t c = 0; x != NULL && y != NULL && c < r->plan->table->n_clustering; c++) {
        const struct sy_table_column *column = sy_table_clustering_column(r->plan->table, c);
        int order = sy_value_compare(column->type, x[c], y[c]);
        if (order != 0)
            return (order < 0) != (column->descending != r->plan->reverse) ? -1 : 1;
    }
    if ((x == NULL) != (y == NULL))
        return x == NULL ? -1 : 1;
    return i < k ? -1 : i > k;
}

static void sort_rows(struct reading *r)
{
    struct sorting sorting = {.r = r};
    uint32_t columns = r->plan->n_columns;
    uint32_t *places = sy_arena_alloc(r->run->arena, ((size_t)r->n_rows + 1) * sizeof *places);
    struct sy_value *cells = sy_arena_alloc(r->run->arena, (r->n_cells + 1) * sizeof *cells);
    for (uint32_t i = 0; i < r->n_rows; i++)
        places[i] = i;
    qsort_r(places, r->n_rows, sizeof *places, compare_rows, &sorting);
    for (uint32_t i = 0; i < r->n_rows; i++)
        memcpy(cells + (size_t)i * columns, r->cells + (size_t)places[i] * columns, columns * sizeof *cells);
    r->cells = cells;
    if (r->limit >= 0 && r->n_rows > r->limit)
        r->n_rows = (uint32_t)r->limit;
}

static bool read_rows(struct reading *r, const struct sy_parameters *parameters)
{
    const struct sy_select_plan *plan = r->plan;
    struct sy_scope scope;
    struct sy_error error;
    if (!sy_where_scope(r->run, &plan->where, &scope))
        return false;
    struct sy_read read = {.table = plan->table,
                           .node = r->run->node,
                           .keys = (const struct sy_value *const *)scope.keys,
                           .n_keys = scope.n_keys,
                           .first_token = scope.first_token,
                           .last_token = scope.last_token,
                           .slices = scope.slices,
                           .n_slices = scope.n_slices,
                           .reverse = plan->reverse,
                           .static_alone = !plan->where.clustering_restricted};
    if (!r->aggregating && !plan->sorts && !resume(r, parameters, &read))
        return false;
    if (scope.empty)
        return true;
    if (!sy_store_read(r->run->server, &read, r->aggregating ? visit_aggregate : visit_plain, r,
                       r->run->arena, &error))
        return sy_run_fail(r->run, error.code, "%s", error.message);
    return !r->run->failed;
}

static bool finish(struct reading *r)
{
    r->run->row = NULL;
    if (r->aggregating) {
        if (!r->in_group && r->n_rows == 0 && r->plan->n_group_by == 0 && !open_group(r, NULL))
            return false;
        return !r->in_group || close_group(r);
    }
    if (r->plan->sorts)
        sort_rows(r);
    return true;
}

bool sy_run_select(struct sy_run *run, const struct sy_select_plan *plan,
                   const struct sy_parameters *parameters, struct sy_result *ret)
{
    struct reading r = {.run = run, .plan = plan, .page_rows = -1};
    run->table = plan->table;
    r.aggregating = plan->n_aggregates > 0 || plan->n_group_by > 0;
    if (!evaluate_limit(run, plan->limit, "LIMIT", &r.limit) ||
        !evaluate_limit(run, plan->per_partition_limit, "PER PARTITION LIMIT", &r.partition_cap))
        return false;
    if (plan->sorts && parameters->page_size > 0 && !r.aggregating)
        return sy_run_fail(
            run, 0x2200,
            "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you "
            "must either remove the ORDER BY or the IN and sort client side, or disable paging for "
            "this query");
    if (parameters->page_size > 0 && !r.aggregating)
        r.page_rows = parameters->page_size;
    run->aggregates = sy_arena_alloc(run->arena, (plan->n_aggregates + 1) * sizeof *run->aggregates);
    r.counts = sy_arena_alloc(run->arena, (plan->n_aggregates + 1) * sizeof *r.counts);
    r.group = sy_arena_alloc(run->arena, (plan->n_group_by + 1) * sizeof *r.group);
    if (!read_rows(&r, parameters) || !finish(&r))
        return false;
    ret->kind = SY_ROWS;
    ret->columns = plan->columns;
    ret->n_columns = plan->n_columns;
    ret->cells = r.cells;
    ret->n_rows = r.n_rows;
    ret->paging_state.len = SY_NULL;
    if (r.more)
        ret->paging_state = sy_page_encode(plan->table, &r.end, run->arena);
    return true;
}
