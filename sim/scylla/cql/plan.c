/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

/* The markers that give the partition key, when every column of it is one. */
static void find_pk_indexes(struct sy_binder *binder, const struct sy_where *where, struct sy_plan *plan)
{
    uint32_t n = binder->table->n_partition_key;
    uint16_t *indexes = sy_arena_alloc(binder->arena, n * sizeof *indexes);
    for (uint32_t i = 0; i < n; i++) {
        const struct sy_restriction *r = where->partition[i];
        if (r == NULL || r->op != SY_OP_EQ || r->value->kind != SY_EXPR_MARKER)
            return;
        indexes[i] = (uint16_t)r->value->index;
    }
    plan->pk_indexes = indexes;
    plan->n_pk_indexes = n;
}

static bool check_batch_item(struct sy_binder *binder, const struct sy_batch_plan *batch,
                             const struct sy_modify_plan *item)
{
    bool counter = item->table->is_counter;
    if (batch->timestamp != NULL && item->timestamp != NULL)
        return sy_bind_fail(binder, 0x2200, "Timestamp must be set either on BATCH or individual statements");
    if (batch->timestamp != NULL && item->conditional)
        return sy_bind_fail(binder, 0x2200, "Cannot provide custom timestamp for conditional BATCH");
    if (counter && batch->kind == SY_BATCH_LOGGED)
        return sy_bind_fail(binder, 0x2200, "Cannot include a counter statement in a logged batch");
    if (!counter && batch->kind == SY_BATCH_COUNTER)
        return sy_bind_fail(binder, 0x2200, "Cannot include non-counter statement in a counter batch");
    if (counter && batch->timestamp != NULL)
        return sy_bind_fail(binder, 0x2200, "Cannot provide custom timestamp for counter BATCH");
    return true;
}

static bool bind_batch(struct sy_binder *binder, const struct sy_text_batch *batch, struct sy_plan *plan)
{
    struct sy_modify_plan *items = sy_arena_alloc(binder->arena, (batch->n_items + 1) * sizeof *items);
    plan->batch = (struct sy_batch_plan){.kind = batch->kind, .items = items, .n_items = batch->n_items};
    if (batch->timestamp != NULL) {
        struct sy_column receiver = {
            .keyspace = "", .table = "", .name = "[timestamp]", .type = sy_type_native(SY_BIGINT)};
        plan->batch.timestamp = sy_bind_term(binder, batch->timestamp, &receiver);
        if (plan->batch.timestamp == NULL)
            return false;
    }
    for (uint32_t i = 0; i < batch->n_items; i++)
        if (!sy_bind_modify(binder, batch->items[i], &items[i]) ||
            !check_batch_item(binder, &plan->batch, &items[i]))
            return false;
    return true;
}

static bool bind(struct sy_binder *binder, struct sy_plan *plan)
{
    const struct sy_statement *statement = plan->statement;
    switch ((int)statement->kind) {
    case SY_STATEMENT_SELECT:
        if (!sy_bind_select(binder, statement->select, &plan->select))
            return false;
        find_pk_indexes(binder, &plan->select.where, plan);
        break;
    case SY_STATEMENT_MODIFY:
        if (!sy_bind_modify(binder, statement->modify, &plan->modify))
            return false;
        find_pk_indexes(binder, &plan->modify.where, plan);
        break;
    case SY_STATEMENT_BATCH: return bind_batch(binder, statement->batch, plan);
    default: break; /* definitions look everything up when they run */
    }
    return true;
}

const struct sy_plan *sy_plan_make(struct sy_server *server, const char *keyspace, const char *cql,
                                   size_t len, struct sy_arena *arena, struct sy_error *ret_error)
{
    struct sy_binder binder;
    struct sy_plan *plan = sy_arena_alloc(arena, sizeof *plan);
    plan->statement = sy_parse(cql, len, arena, ret_error);
    if (plan->statement == NULL)
        return NULL;
    sy_binder_init(&binder, server, keyspace, plan->statement, arena);
    plan->markers = binder.markers;
    plan->n_markers = binder.n_markers;
    if (bind(&binder, plan)) {
        for (uint32_t i = 0; i < plan->n_markers; i++)
            if (plan->markers[i].type ==
                NULL) /* in a place where values are not looked at: USING TIMEOUT ? */
                plan->markers[i] = (struct sy_column){
                    .keyspace = "", .table = "", .name = "[timeout]", .type = sy_type_native(SY_DURATION)};
        return plan;
    }
    *ret_error = binder.error;
    return NULL;
}

bool sy_plan_is_current(struct sy_server *server, const struct sy_plan *plan)
{
    switch ((int)plan->statement->kind) {
    case SY_STATEMENT_SELECT: return sy_catalog_is_current(server, plan->select.table);
    case SY_STATEMENT_MODIFY: return sy_catalog_is_current(server, plan->modify.table);
    case SY_STATEMENT_BATCH:
        for (uint32_t i = 0; i < plan->batch.n_items; i++)
            if (!sy_catalog_is_current(server, plan->batch.items[i].table))
                return false;
        return true;
    default: return true;
    }
}

bool sy_plan_is_lwt(const struct sy_plan *plan)
{
    if (plan->statement->kind == SY_STATEMENT_MODIFY)
        return plan->modify.conditional;
    for (uint32_t i = 0; plan->statement->kind == SY_STATEMENT_BATCH && i < plan->batch.n_items; i++)
        if (plan->batch.items[i].conditional)
            return true;
    return false;
}

const struct sy_column *sy_plan_columns(const struct sy_plan *plan, uint32_t *ret_n)
{
    *ret_n = 0;
    if (plan->statement->kind == SY_STATEMENT_SELECT) {
        *ret_n = plan->select.n_columns;
        return plan->select.columns;
    }
    if (plan->statement->kind == SY_STATEMENT_MODIFY && plan->modify.conditional) {
        *ret_n = plan->modify.n_result_columns;
        return plan->modify.result_columns;
    }
    return NULL;
}
