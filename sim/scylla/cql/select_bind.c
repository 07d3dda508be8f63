/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../storage/arena.h"
#include "../types/collection.h"
#include "select.h"

/* A result column's name as drivers see it: c, count, system.min(c), writetime(c). */
static const char *term_text(struct sy_binder *binder, const struct sy_term *term, const char *written)
{
    if (term->kind == SY_TERM_COLUMN)
        return term->text;
    if (term->kind != SY_TERM_CALL)
        return written;
    bool cell = strcmp(term->text, "writetime") == 0 || strcmp(term->text, "ttl") == 0;
    const char *arguments = "";
    for (uint32_t i = 0; i < term->n_items; i++) {
        const struct sy_term *item = term->items[i];
        const char *text = term_text(binder, item, item->text != NULL ? item->text : "?");
        arguments = sy_arena_format(binder->arena, "%s%s%s", arguments, i > 0 ? ", " : "", text);
    }
    return sy_arena_format(binder->arena, "%s%s(%s)", cell ? "" : "system.", term->text, arguments);
}

static void collect_aggregates(struct sy_binder *binder, const struct sy_expression *e,
                               struct sy_select_plan *plan, const struct sy_expression **list)
{
    if (e->kind == SY_EXPR_AGGREGATE) {
        struct sy_expression *own =
            (struct sy_expression *)(uintptr_t)e; /* made by this binder, not shared */
        own->index = plan->n_aggregates;
        list[plan->n_aggregates++] = e;
        return;
    }
    for (uint32_t i = 0; i < e->n_items; i++)
        if (e->items[i] != NULL)
            collect_aggregates(binder, e->items[i], plan, list);
}

static uint32_t count_aggregates(const struct sy_expression *e)
{
    uint32_t n = e->kind == SY_EXPR_AGGREGATE;
    for (uint32_t i = 0; i < e->n_items; i++)
        n += e->items[i] != NULL ? count_aggregates(e->items[i]) : 0;
    return n;
}

static bool bind_star(struct sy_binder *binder, struct sy_select_plan *plan)
{
    const struct sy_table *table = binder->table;
    const struct sy_expression **items = sy_arena_alloc(binder->arena, table->n_columns * sizeof *items);
    struct sy_column *columns = sy_arena_alloc(binder->arena, table->n_columns * sizeof *columns);
    for (uint32_t i = 0; i < table->n_columns; i++) {
        struct sy_expression *e = sy_arena_alloc(binder->arena, sizeof *e);
        e->kind = SY_EXPR_COLUMN;
        e->column = &table->columns[i];
        e->type = table->columns[i].type;
        items[i] = e;
        columns[i] = sy_receiver_of(table, &table->columns[i]);
    }
    plan->items = items;
    plan->columns = columns;
    plan->n_columns = table->n_columns;
    return true;
}

static bool bind_selectors(struct sy_binder *binder, const struct sy_select *select,
                           struct sy_select_plan *plan)
{
    const struct sy_expression **items = sy_arena_alloc(binder->arena, select->n_selectors * sizeof *items);
    struct sy_column *columns = sy_arena_alloc(binder->arena, select->n_selectors * sizeof *columns);
    static const struct sy_term count_call = {.kind = SY_TERM_CALL, .text = "count", .len = 5};
    uint32_t n_aggregates = 0;
    for (uint32_t i = 0; i < select->n_selectors; i++) {
        const struct sy_selector *selector = &select->selectors[i];
        const struct sy_term *term = select->count_star ? &count_call : selector->term;
        items[i] = sy_bind_selector(binder, term);
        if (items[i] == NULL)
            return false;
        const char *name = select->count_star || (term->kind == SY_TERM_CALL && term->n_items == 0 &&
                                                  strcmp(term->text, "count") == 0)
                               ? "count"
                               : term_text(binder, term, selector->text);
        columns[i] = (struct sy_column){.keyspace = binder->table->keyspace->name,
                                        .table = binder->table->name,
                                        .name = selector->alias != NULL ? selector->alias : name,
                                        .type = items[i]->type};
        n_aggregates += count_aggregates(items[i]);
    }
    const struct sy_expression **aggregates =
        sy_arena_alloc(binder->arena, (n_aggregates + 1) * sizeof *aggregates);
    for (uint32_t i = 0; i < select->n_selectors; i++)
        collect_aggregates(binder, items[i], plan, aggregates);
    plan->items = items;
    plan->columns = columns;
    plan->n_columns = select->n_selectors;
    plan->aggregates = aggregates;
    return true;
}

static bool check_distinct(struct sy_binder *binder, const struct sy_select *select,
                           const struct sy_select_plan *plan)
{
    if (!select->distinct)
        return true;
    for (uint32_t i = 0; i < plan->n_columns; i++) {
        const struct sy_table_column *column = plan->items[i]->column;
        if (plan->items[i]->kind == SY_EXPR_COLUMN && column->kind != SY_PARTITION_KEY &&
            column->kind != SY_STATIC)
            return sy_bind_fail(
                binder, 0x2200,
                "SELECT DISTINCT queries must only request partition key columns and/or static "
                "columns (not %s)",
                column->name);
    }
    return plan->where.clustering_restricted
               ? sy_bind_fail(binder, 0x2200,
                              "SELECT DISTINCT with WHERE clause only supports restriction by "
                              "partition key and/or static columns.")
               : true;
}

/* Clustering columns in their order, all the way they are stored or all against it. */
static bool bind_order(struct sy_binder *binder, const struct sy_select *select, struct sy_select_plan *plan)
{
    uint32_t next = 0;
    if (select->n_order_by > 0 && !plan->where.keys_given)
        return sy_bind_fail(
            binder, 0x2200,
            "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.");
    for (uint32_t i = 0; i < select->n_order_by; i++) {
        const struct sy_table_column *column = sy_bind_column(binder, select->order_by[i].column);
        if (column == NULL)
            return sy_bind_fail(binder, 0x2200, "Unrecognized name %s", select->order_by[i].column);
        if (column->kind != SY_CLUSTERING)
            return sy_bind_fail(
                binder, 0x2200,
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, "
                "got %s",
                column->name);
        if (column->position > next && column->position > plan->where.n_prefix_columns)
            return sy_bind_fail(
                binder, 0x2200,
                "Order by currently only support the ordering of columns following their declared "
                "order in the PRIMARY KEY");
        bool reverse = select->order_by[i].descending != column->descending;
        if (i > 0 && reverse != plan->reverse)
            return sy_bind_fail(binder, 0x2200, "Unsupported order by relation");
        plan->reverse = reverse;
        next = column->position + 1;
    }
    if (select->n_order_by > 0)
        for (uint32_t i = 0; i < binder->table->n_partition_key; i++)
            plan->sorts |= plan->where.partition[i]->op == SY_OP_IN;
    return true;
}

static bool has_index(struct sy_binder *binder, const struct sy_restriction *r)
{
    bool point = r->op == SY_OP_EQ || r->op == SY_OP_CONTAINS || r->op == SY_OP_CONTAINS_KEY;
    return point && sy_catalog_index_on(binder->server, binder->table, r->columns[0]->name) != NULL;
}

/* What can not be found by the key needs ALLOW FILTERING, or an index to stand for it. */
static bool check_filtering(struct sy_binder *binder, const struct sy_select *select,
                            const struct sy_where *where)
{
    bool scans = where->clustering_restricted && !where->keys_given;
    bool indexed = false;
    for (uint32_t i = 0; i < where->n_filters; i++)
        indexed |= has_index(binder, where->filters[i]);
    for (uint32_t i = 0; i < where->n_prefix; i++)
        indexed |= has_index(binder, where->prefix[i]);
    for (uint32_t i = 0; i < where->n_filters; i++)
        if (where->filters[i]->op == SY_OP_NE)
            return sy_bind_fail(binder, 0x2200, "Unsupported \"!=\" relation: %s != ...",
                                where->filters[i]->columns[0]->name);
    if (select->allow_filtering || indexed || (!scans && where->n_filters == where->n_free))
        return true;
    return sy_bind_fail(
        binder, 0x2200,
        "Cannot execute this query as it might involve data filtering and thus may have unpredictable "
        "performance. If you want to execute this query despite the performance unpredictability, use "
        "ALLOW FILTERING");
}

static bool bind_limit(struct sy_binder *binder, const struct sy_term *term, const char *name,
                       const struct sy_expression **ret)
{
    struct sy_column receiver = {.keyspace = binder->table->keyspace->name,
                                 .table = binder->table->name,
                                 .name = name,
                                 .type = sy_type_native(SY_INT)};
    if (term == NULL)
        return true;
    *ret = sy_bind_term(binder, term, &receiver);
    return *ret != NULL;
}

static bool bind_group_by(struct sy_binder *binder, const struct sy_select *select,
                          struct sy_select_plan *plan)
{
    const struct sy_table_column **columns =
        sy_arena_alloc(binder->arena, (select->n_group_by + 1) * sizeof *columns);
    uint32_t next = 0;
    for (uint32_t i = 0; i < select->n_group_by; i++) {
        columns[i] = sy_bind_column(binder, select->group_by[i]);
        if (columns[i] == NULL)
            return sy_bind_fail(binder, 0x2200, "Unrecognized name %s", select->group_by[i]);
        if (columns[i]->kind != SY_PARTITION_KEY && columns[i]->kind != SY_CLUSTERING)
            return sy_bind_fail(
                binder, 0x2200,
                "Group by is currently only supported on the columns of the PRIMARY KEY, got %s",
                columns[i]->name);
        if (columns[i]->index < next)
            return sy_bind_fail(
                binder, 0x2200,
                "Group by currently only support groups of columns following their declared order in "
                "the PRIMARY KEY");
        next = columns[i]->index + 1;
    }
    plan->group_by = columns;
    plan->n_group_by = select->n_group_by;
    return true;
}

bool sy_bind_select(struct sy_binder *binder, const struct sy_select *select, struct sy_select_plan *ret)
{
    if (!sy_bind_table(binder, select->keyspace, select->table))
        return false;
    if (select->json)
        return sy_bind_fail(binder, 0x2200, "this server has no SELECT JSON");
    *ret = (struct sy_select_plan){.table = binder->table, .distinct = select->distinct};
    if (!(select->star ? bind_star(binder, ret) : bind_selectors(binder, select, ret)))
        return false;
    if (!sy_bind_where(binder, select->where, select->n_where, &ret->where) ||
        !check_distinct(binder, select, ret) || !bind_group_by(binder, select, ret) ||
        !bind_order(binder, select, ret) || !check_filtering(binder, select, &ret->where))
        return false;
    return bind_limit(binder, select->per_partition_limit, "[per_partition_limit]",
                      &ret->per_partition_limit) &&
           bind_limit(binder, select->limit, "[limit]", &ret->limit);
}
