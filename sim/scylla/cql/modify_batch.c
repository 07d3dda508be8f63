/* SPDX-License-Identifier: Apache-2.0 */
/* One or more INSERT, UPDATE and DELETE as one write; conditions are asked first, under the store's lock. */
#include <string.h>

#include "../storage/arena.h"
#include "../types/order.h"
#include "language.h"

struct writing {
    struct sy_run *run;
    const struct sy_batch_member *members;
    uint32_t n;
    bool conditional;
    const struct sy_row **rows; /* the old row of each conditional member */
};

static bool write_all(struct writing *w)
{
    struct sy_mutation_list list = {0};
    for (uint32_t i = 0; i < w->n; i++) {
        w->run->values = w->members[i].values;
        w->run->n_values = w->members[i].n_values;
        if (!sy_modify_mutations(w->run, w->members[i].plan, &list))
            return false;
    }
    if (list.n == 0)
        return true;
    struct sy_write_context context = {.node = w->run->node, .consistency = w->run->consistency};
    struct sy_error error;
    if (sy_store_apply(w->run->server, list.items, list.n, &context, w->run->arena, &error))
        return true;
    if (!w->run->failed) {
        w->run->failed = true;
        w->run->error = error;
    }
    return false;
}

/* All conditional members of a batch speak of one partition. */
static bool check_one_partition(struct writing *w)
{
    const struct sy_table *table = w->members[0].plan->table;
    struct sy_scope first = {0};
    for (uint32_t i = 0; i < w->n; i++) {
        const struct sy_modify_plan *plan = w->members[i].plan;
        struct sy_scope scope;
        if (plan->table != table)
            return sy_run_fail(w->run, 0x2200, "BATCH with conditions cannot span multiple tables");
        if (plan->timestamp != NULL)
            return sy_run_fail(w->run, 0x2200, "Cannot provide custom timestamp for conditional BATCH");
        w->run->values = w->members[i].values;
        w->run->table = table;
        if (!sy_where_scope(w->run, &plan->where, &scope))
            return false;
        if (scope.n_keys != 1)
            return sy_run_fail(w->run, 0x2200, "BATCH with conditions cannot span multiple partitions");
        if (i == 0)
            first = scope;
        for (uint32_t c = 0; c < table->n_partition_key; c++)
            if (sy_bytes_compare(first.keys[0][c], scope.keys[0][c]) != 0)
                return sy_run_fail(w->run, 0x2200, "BATCH with conditions cannot span multiple partitions");
    }
    return true;
}

static bool all_hold(struct writing *w, bool *ret)
{
    *ret = true;
    for (uint32_t i = 0; i < w->n; i++) {
        bool holds = true;
        if (!w->members[i].plan->conditional)
            continue;
        w->run->values = w->members[i].values;
        if (!sy_conditions_hold(w->run, w->members[i].plan, &w->rows[i], &holds))
            return false;
        *ret &= holds;
    }
    return true;
}

static struct sy_value old_value(const struct sy_row *row, const struct sy_table_column *column)
{
    struct sy_value none = {.len = SY_NULL};
    if (row == NULL)
        return none;
    if (column->kind == SY_PARTITION_KEY)
        return row->partition_key[column->position];
    if (column->kind == SY_CLUSTERING)
        return row->has_clustering ? row->clustering[column->position] : none;
    return row->columns[column->index].value;
}

/* The columns that any member shows; a batch's also has the key, to tell its rows apart. */
static uint32_t result_sources(const struct writing *w, const struct sy_table_column **sources)
{
    const struct sy_table *table = w->members[0].plan->table;
    uint32_t n = 0;
    for (uint32_t c = 0; c < table->n_columns; c++) {
        const struct sy_table_column *column = &table->columns[c];
        bool wanted = w->n > 1 && (column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING);
        for (uint32_t i = 0; i < w->n && !wanted; i++)
            for (uint32_t s = 0; s + 1 < w->members[i].plan->n_result_columns && !wanted; s++)
                wanted = w->members[i].plan->result_sources[s] == column;
        if (wanted)
            sources[n++] = column;
    }
    return n;
}

/* "[applied]" and the old row: one row for each statement, whether it applied or not. */
static void answer(struct writing *w, bool applied, struct sy_result *ret)
{
    static const uint8_t booleans[] = {0, 1};
    struct sy_arena *arena = w->run->arena;
    const struct sy_table *table = w->members[0].plan->table;
    const struct sy_table_column **sources = sy_arena_alloc(arena, table->n_columns * sizeof *sources);
    uint32_t n = result_sources(w, sources);
    struct sy_column *columns = sy_arena_alloc(arena, (n + 1) * sizeof *columns);
    struct sy_value *cells = sy_arena_alloc(arena, (size_t)(n + 1) * w->n * sizeof *cells);
    columns[0] = (struct sy_column){.keyspace = table->keyspace->name,
                                    .table = table->name,
                                    .name = "[applied]",
                                    .type = sy_type_native(SY_BOOLEAN)};
    for (uint32_t c = 0; c < n; c++)
        columns[c + 1] = sy_receiver_of(table, sources[c]);
    for (uint32_t i = 0; i < w->n; i++) {
        struct sy_value *row = cells + (size_t)i * (n + 1);
        row[0] = (struct sy_value){.len = 1, .bytes = &booleans[applied]};
        for (uint32_t c = 0; c < n; c++)
            row[c + 1] = old_value(w->rows[i], sources[c]);
    }
    ret->kind = SY_ROWS;
    ret->columns = columns;
    ret->n_columns = n + 1;
    ret->cells = cells;
    ret->n_rows = w->n;
}

static bool run_conditional(struct writing *w, struct sy_result *ret)
{
    bool applied;
    w->rows = sy_arena_alloc(w->run->arena, w->n * sizeof *w->rows);
    w->run->timestamp_us = sy_store_timestamp_us(w->run->server); /* a ballot's, never the client's */
    if (!check_one_partition(w) || !all_hold(w, &applied) || (applied && !write_all(w)))
        return false;
    answer(w, applied, ret);
    return true;
}

bool sy_run_modify(struct sy_run *run, const struct sy_batch_member *members, uint32_t n,
                   struct sy_result *ret)
{
    struct writing w = {.run = run, .members = members, .n = n};
    bool locks = false;
    ret->kind = SY_VOID;
    for (uint32_t i = 0; i < n; i++) {
        w.conditional |= members[i].plan->conditional;
        locks |= members[i].plan->reads || members[i].plan->conditional;
    }
    if (!run->client_timestamp)
        run->timestamp_us = sy_store_timestamp_us(run->server);
    if (locks)
        sy_store_lock(run->server);
    bool done = w.conditional ? run_conditional(&w, ret) : write_all(&w);
    if (locks)
        sy_store_unlock(run->server);
    return done;
}
