/* SPDX-License-Identifier: Apache-2.0 */
#include "../cdc/cdc.h"
#include "../types/bytes.h"
#include "server.h"

#include <stdlib.h>

/* --- counters --- */

static int64_t counter_now(struct sy_server *server, const struct sy_mutation *mutation,
                           const struct sy_row_write *row, const struct sy_table_column *column,
                           struct sy_arena *arena, int64_t *ret_us)
{
    struct sy_update *update;
    uint32_t n;
    struct sy_mutation key_only = {.table = mutation->table, .partition_key = mutation->partition_key};
    const struct sy_column_state *columns;
    struct sy_error error;

    *ret_us = INT64_MIN;
    if (!sy_update_join(server, &key_only, 1, 0, arena, &update, &n, &error) ||
        !sy_update_read_row(server, update, row->is_static ? NULL : row->clustering, arena, &columns) ||
        columns[column->index].value.len != 8)
        return 0;
    *ret_us = columns[column->index].timestamp_us;
    return (int64_t)sy_get_u64(columns[column->index].value.bytes);
}

/* An addition becomes the sum, so that what is kept and replayed is a plain cell. */
static void sum_counter(struct sy_server *server, const struct sy_mutation *mutation,
                        const struct sy_row_write *row, struct sy_cell_write *cell, struct sy_arena *arena)
{
    int64_t last_us;
    uint64_t sum = (uint64_t)counter_now(server, mutation, row, cell->column, arena, &last_us);
    uint8_t *bytes = sy_arena_raw(arena, 8);

    if (cell->value.len == 8)
        sum += sy_get_u64(cell->value.bytes);
    sy_put_u64(bytes, sum);
    cell->kind = SY_CELL_LIVE;
    cell->ttl_s = SY_TTL_NONE;
    cell->value = (struct sy_value){.len = 8, .bytes = bytes};
    if (last_us != INT64_MIN && cell->timestamp_us <= last_us)
        cell->timestamp_us = last_us + 1;
}

/* Additions to one counter in one batch are summed one after the other: each sees the ones before, for the
 * rows are written in between. */
static const struct sy_mutation *sum_counters(struct sy_server *server, const struct sy_mutation *mutation,
                                              struct sy_arena *arena)
{
    struct sy_mutation *copy = (struct sy_mutation *)sy_arena_dup(arena, mutation, sizeof(*mutation));
    struct sy_row_write *rows =
        (struct sy_row_write *)sy_arena_dup(arena, mutation->rows, mutation->n_rows * sizeof(*rows));

    for (uint32_t i = 0; i < mutation->n_rows; i++) {
        struct sy_cell_write *cells = (struct sy_cell_write *)sy_arena_dup(
            arena, rows[i].cells, rows[i].n_cells * sizeof(*rows[i].cells));

        for (uint32_t k = 0; k < rows[i].n_cells; k++) {
            if (cells[k].kind == SY_CELL_COUNTER)
                sum_counter(server, mutation, &rows[i], &cells[k], arena);
        }
        rows[i].cells = cells;
    }
    copy->rows = rows;
    return copy;
}

/* --- holding back --- */

static struct sy_hold_order *order_for(struct sy_server *server, const struct sy_table *table)
{
    const struct sy_table *base = table->is_cdc_log ? table->base : table;

    for (struct sy_hold_order *order = server->hold_orders; order != NULL; order = order->next) {
        if (base != NULL && order->left > 0 && order->log_rows == table->is_cdc_log &&
            strcmp(order->keyspace, base->keyspace->name) == 0 && strcmp(order->table, base->name) == 0)
            return order;
    }
    return NULL;
}

static int64_t hold_until(struct sy_server *server, const struct sy_table *table)
{
    struct sy_hold_order *order = order_for(server, table);
    int64_t delay_us;

    if (order == NULL || ++order->counted % order->every != 0)
        return 0;
    if (order->left != UINT32_MAX)
        order->left--;
    delay_us = order->delay_us;
    if (order->shuffled && delay_us > 0)
        delay_us = (int64_t)(sy_server_draw(server) % (uint64_t)delay_us) + 1;
    return sy_server_now_us(server) + delay_us;
}

static void hold(struct sy_server *server, const struct sy_update *update)
{
    struct sy_held *held = calloc(1, sizeof(*held));
    struct sy_held **slot = &server->held;

    if (held == NULL)
        abort();
    held->visible_us = update->visible_us;
    sy_update_pack(&held->packed, update);
    while (*slot != NULL && (*slot)->visible_us <= held->visible_us)
        slot = &(*slot)->next;
    held->next = *slot;
    *slot = held;
}

void sy_store_release_held(struct sy_server *server)
{
    int64_t now_us = sy_server_now_us(server);
    struct sy_arena scratch = {0};

    while (server->held != NULL && server->held->visible_us <= now_us) {
        struct sy_held *held = server->held;
        struct sy_reader reader = {.at = held->packed.bytes, .end = held->packed.bytes + held->packed.len};
        struct sy_update update;

        server->held = held->next;
        if (sy_update_unpack(&reader, server, &scratch, &update) && update.table != NULL) {
            update.visible_us = 0;
            sy_store_apply_update(server, &update, 0, &scratch);
        }
        sy_buffer_free(&held->packed);
        free(held);
        sy_arena_reset(&scratch);
    }
    sy_arena_free(&scratch);
}

/* --- applying --- */

void sy_store_apply_update(struct sy_server *server, const struct sy_update *update, uint32_t node,
                           struct sy_arena *scratch)
{
    struct sy_partitions *partitions = sy_table_partitions(update->table, node);
    struct sy_partition_key key = {
        .token = update->token, .bytes = update->key_bytes, .len = update->key_len};
    struct sy_partition *partition;

    if (update->visible_us > sy_server_now_us(server)) {
        hold(server, update);
        return;
    }
    sy_partitions_apply(partitions, &update->table->data->types, update, scratch);
    if (update->table->is_cdc_log && (partition = sy_partitions_find(partitions, &key)) != NULL)
        sy_partition_drop_expired(partition, update->table, sy_server_now_s(server), 2, scratch);
}

/* All updates of one call: the base rows' first, then those of the log. */
struct write_set {
    const struct sy_update **updates;
    uint32_t n;
    uint32_t size;
};

static void write_set_add(struct write_set *set, const struct sy_update *update, struct sy_arena *arena)
{
    if (set->n == set->size) {
        uint32_t size = set->size == 0 ? 8 : set->size * 2;
        const struct sy_update **updates = sy_arena_raw(arena, size * sizeof(*updates));

        for (uint32_t i = 0; i < set->n; i++)
            updates[i] = set->updates[i];
        set->updates = updates;
        set->size = size;
    }
    set->updates[set->n++] = update;
}

static bool add_log_rows(struct sy_server *server, const struct sy_update *update,
                         const struct sy_write_context *context, struct write_set *set,
                         struct sy_arena *arena, struct sy_error *error)
{
    const struct sy_mutation *mutations = NULL;
    struct sy_update *logged;
    uint32_t n = 0;

    if (!sy_cdc_augment(server, update, context, arena, &mutations, &n, error))
        return false;
    if (!sy_update_join(server, mutations, n, sy_server_now_s(server), arena, &logged, &n, error))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (server->hold_orders != NULL)
            logged[i].visible_us = hold_until(server, logged[i].table);
        write_set_add(set, &logged[i], arena);
    }
    return true;
}

/* The tables as they are now: a statement may have been made ready for an older version. */
static bool current_tables(const struct sy_mutation *mutations, uint32_t n, struct sy_arena *arena,
                           struct sy_mutation **ret, struct sy_error *error)
{
    struct sy_mutation *current = sy_arena_raw(arena, n * sizeof(*current));

    for (uint32_t i = 0; i < n; i++) {
        current[i] = mutations[i];
        current[i].table = mutations[i].table->data->current;
        if (current[i].table == NULL)
            return sy_fail(arena, error, 0x2200, "unconfigured table %s", mutations[i].table->name);
    }
    *ret = current;
    return true;
}

static bool apply_counters(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n,
                           struct sy_arena *arena, struct sy_error *error)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct sy_mutation *summed = sum_counters(server, &mutations[i], arena);
        struct sy_update *update;
        const struct sy_update *one;
        uint32_t n_updates;

        if (!sy_update_join(server, summed, 1, sy_server_now_s(server), arena, &update, &n_updates, error))
            return false;
        one = update;
        sy_journal_updates(server, &one, 1);
        sy_store_apply_update(server, update, 0, arena);
    }
    return true;
}

static bool apply_locked(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n,
                         const struct sy_write_context *context, struct sy_arena *arena,
                         struct sy_error *error)
{
    struct write_set set = {0};
    struct sy_mutation *current = NULL;
    struct sy_update *updates = NULL;
    uint32_t n_updates;

    if (!current_tables(mutations, n, arena, &current, error))
        return false;
    if (n > 0 && current[0].table->is_counter)
        return apply_counters(server, current, n, arena, error);
    if (!sy_update_join(server, current, n, sy_server_now_s(server), arena, &updates, &n_updates, error))
        return false;
    for (uint32_t i = 0; i < n_updates; i++) {
        if (server->hold_orders != NULL)
            updates[i].visible_us = hold_until(server, updates[i].table);
        write_set_add(&set, &updates[i], arena);
    }
    for (uint32_t i = 0; i < n_updates; i++) {
        if (updates[i].table->log != NULL && !add_log_rows(server, &updates[i], context, &set, arena, error))
            return false;
    }
    sy_journal_updates(server, set.updates, set.n);
    /* The log's first: images in it are views of the rows that the base's updates replace. */
    for (uint32_t i = set.n; i-- > 0;)
        sy_store_apply_update(server, set.updates[i], context->node, arena);
    return true;
}

bool sy_store_apply(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n,
                    const struct sy_write_context *context, struct sy_arena *arena, struct sy_error *ret)
{
    bool locked = sy_server_lock_write(server);
    bool ok;

    sy_store_release_held(server);
    ok = apply_locked(server, mutations, n, context, arena, ret);
    sy_server_unlock(server, locked);
    return ok;
}

bool sy_store_apply_local(struct sy_server *server, const struct sy_mutation *mutations, uint32_t n,
                          uint32_t node, struct sy_arena *arena)
{
    struct sy_update *updates;
    struct sy_error error;
    uint32_t n_updates;

    if (!sy_update_join(server, mutations, n, sy_server_now_s(server), arena, &updates, &n_updates, &error))
        return false;
    for (uint32_t i = 0; i < n_updates; i++)
        sy_store_apply_update(server, &updates[i], node, arena);
    return true;
}

bool sy_store_truncate(struct sy_server *server, const struct sy_table *table, struct sy_arena *arena,
                       struct sy_error *ret)
{
    bool locked = sy_server_lock_write(server);
    const struct sy_table *current = table->data->current;

    if (current != NULL) {
        sy_store_release_held(server);
        for (uint32_t i = 0; i < table->data->n_partitions; i++)
            sy_partitions_clear(&table->data->partitions[i]);
        sy_journal_truncate(server, current);
    }
    sy_server_unlock(server, locked);
    return current != NULL || sy_fail(arena, ret, 0x2200, "unconfigured table %s", table->name);
}
