/* SPDX-License-Identifier: Apache-2.0 */
#include "../types/token.h"
#include "server.h"

struct reading {
    struct sy_server *server;
    const struct sy_read *read;
    const struct sy_table *table;
    sy_row_visitor *visit;
    void *ctx;
    int64_t now_s;
    bool stopped;
    struct sy_arena partition_arena; /* key, static row: until the next partition */
    struct sy_arena row_arena;       /* until the next row */
    struct sy_value *key;
    struct sy_column_state *statics; /* n_columns: the static ones filled */
    bool has_static;
    struct sy_column_state *columns; /* the row's */
    struct sy_value *clustering;
    struct sy_row row;
};

static void clear_states(const struct sy_table *table, struct sy_column_state *states)
{
    memset(states, 0, table->n_columns * sizeof(*states));
    for (uint32_t i = 0; i < table->n_columns; i++)
        states[i].value.len = SY_NULL;
}

static bool begin_partition(struct reading *reading, const struct sy_partition *partition)
{
    const struct sy_table *table = reading->table;
    struct sy_row_data row;

    sy_arena_reset(&reading->partition_arena);
    sy_arena_reset(&reading->row_arena);
    if (!sy_key_split(partition->key, partition->key_len, table->n_partition_key, reading->key))
        return false;
    reading->row.token = partition->token;
    reading->has_static = false;
    if (table->n_static == 0)
        return true;
    clear_states(table, reading->statics);
    if (partition->static_row != NULL &&
        sy_stored_row_unpack(partition->static_row, &reading->partition_arena, &row)) {
        int64_t deleted_us = partition->has_tombstone ? partition->tombstone_us : INT64_MIN;

        reading->has_static = sy_row_resolve(table, &row, true, deleted_us, reading->now_s,
                                             &reading->partition_arena, reading->statics)
                                  .alive;
    }
    return true;
}

static void start_row(struct reading *reading)
{
    const struct sy_table *table = reading->table;

    if (table->n_static > 0)
        memcpy(reading->columns, reading->statics, table->n_columns * sizeof(*reading->columns));
    else
        clear_states(table, reading->columns);
}

/* true: it was alive and was shown. */
static bool show_row(struct reading *reading, const struct sy_partition *partition,
                     const struct sy_stored_row *stored)
{
    const struct sy_table *table = reading->table;
    struct sy_row_data data;
    struct sy_row_states states;
    int64_t deleted_us;

    sy_arena_reset(&reading->row_arena);
    if (!sy_stored_row_unpack(stored, &reading->row_arena, &data))
        return false;
    sy_stored_row_key(stored, table->n_clustering, reading->clustering);
    deleted_us = sy_partition_deleted_us(partition, table, reading->clustering);
    start_row(reading);
    states = sy_row_resolve(table, &data, false, deleted_us, reading->now_s, &reading->row_arena,
                            reading->columns);
    if (!states.alive)
        return false;
    reading->row.has_clustering = true;
    reading->row.clustering = reading->clustering;
    reading->row.marker_alive = states.marker_alive;
    reading->row.marker_timestamp_us = states.marker_us;
    reading->row.marker_ttl_s = states.marker_ttl_s;
    reading->row.marker_left_s = states.marker_left_s;
    if (!reading->visit(reading->ctx, &reading->row))
        reading->stopped = true;
    return true;
}

static void show_static(struct reading *reading)
{
    start_row(reading);
    reading->row = (struct sy_row){
        .token = reading->row.token, .partition_key = reading->key, .columns = reading->columns};
    if (!reading->visit(reading->ctx, &reading->row))
        reading->stopped = true;
}

/* Rows from one place to another; after: go on behind that clustering key. */
static bool read_slice(struct reading *reading, const struct sy_partition *partition,
                       const struct sy_slice *slice, const struct sy_value *after)
{
    const struct sy_table *table = reading->table;
    struct sy_place from = sy_place_of_start(table, &slice->start);
    struct sy_place to = sy_place_of_end(table, &slice->end);
    bool reverse = reading->read->reverse;
    bool any = false;
    struct sy_order_node *node;

    if (after != NULL) {
        struct sy_place behind = {
            .table = table, .prefix = after, .n = table->n_clustering, .weight = reverse ? -1 : 1};

        if (!reverse && sy_place_compare(&behind, &from) > 0)
            from = behind;
        if (reverse && sy_place_compare(&behind, &to) < 0)
            to = behind;
    }
    if (sy_place_compare(&from, &to) >= 0)
        return false;
    node = reverse ? sy_order_seek_before(&partition->rows, sy_place_of_row, &to)
                   : sy_order_seek(&partition->rows, sy_place_of_row, &from);
    while (node != NULL && !reading->stopped) {
        if (reverse ? sy_place_of_row(&from, node->item) < 0 : sy_place_of_row(&to, node->item) > 0)
            break;
        any = show_row(reading, partition, node->item) || any;
        node = reverse ? node->prev : node->next[0];
    }
    return any;
}

static void read_partition(struct reading *reading, const struct sy_partition *partition,
                           const struct sy_value *after_clustering)
{
    static const struct sy_slice whole;
    const struct sy_read *read = reading->read;
    const struct sy_slice *slices = read->n_slices > 0 ? read->slices : &whole;
    uint32_t n = read->n_slices > 0 ? read->n_slices : 1;
    bool any = after_clustering != NULL;

    if (after_clustering != NULL && reading->table->n_clustering == 0)
        return; /* its one row was given */
    if (!begin_partition(reading, partition))
        return;
    reading->row.partition_key = reading->key;
    reading->row.columns = reading->columns;
    if (reading->table->n_clustering == 0) {
        any = partition->single != NULL && show_row(reading, partition, partition->single);
    } else {
        for (uint32_t i = 0; i < n && !reading->stopped; i++) {
            const struct sy_slice *slice = &slices[read->reverse ? n - 1 - i : i];

            any = read_slice(reading, partition, slice, after_clustering) || any;
        }
    }
    if (!any && read->static_alone && reading->has_static && !reading->stopped)
        show_static(reading);
}

static struct sy_partition_key serialise(const struct sy_table *table, const struct sy_value *values,
                                         struct sy_arena *arena)
{
    size_t len = sy_key_serialise(values, table->n_partition_key, NULL, 0);
    uint8_t *bytes = sy_arena_raw(arena, len);

    sy_key_serialise(values, table->n_partition_key, bytes, len);
    return (struct sy_partition_key){.bytes = bytes,
                                     .len = (uint32_t)len,
                                     .token = table->is_cdc_log ? sy_token_of_stream(bytes, len)
                                                                : sy_token_of(bytes, len)};
}

static bool same_key(const struct sy_partition_key *a, const struct sy_partition_key *b)
{
    return a->token == b->token && a->len == b->len &&
           (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static bool key_usable(const struct sy_table *table, const struct sy_value *values)
{
    for (uint32_t i = 0; i < table->n_partition_key; i++) {
        if (values[i].len < 0 || values[i].len > UINT16_MAX)
            return false;
    }
    return true;
}

static void read_keys(struct reading *reading, const struct sy_partition_key *after, struct sy_arena *arena)
{
    const struct sy_read *read = reading->read;
    const struct sy_partitions *partitions = sy_table_partitions(reading->table, read->node);
    bool skipping = after != NULL;

    for (uint32_t i = 0; i < read->n_keys && !reading->stopped; i++) {
        struct sy_partition_key key;
        struct sy_partition *partition;
        const struct sy_value *after_clustering = NULL;

        if (!key_usable(reading->table, read->keys[i]))
            continue;
        key = serialise(reading->table, read->keys[i], arena);
        if (skipping) {
            if (!same_key(&key, after))
                continue;
            skipping = false;
            if (read->after_clustering == NULL)
                continue;
            after_clustering = read->after_clustering;
        }
        partition = sy_partitions_find(partitions, &key);
        if (partition != NULL)
            read_partition(reading, partition, after_clustering);
    }
}

static int place_of_token(const void *sought, const void *item)
{
    int64_t token = *(const int64_t *)sought;
    const struct sy_partition *partition = item;

    return partition->token < token ? -1 : 1;
}

static void read_tokens(struct reading *reading, const struct sy_partition_key *after)
{
    const struct sy_read *read = reading->read;
    const struct sy_partitions *partitions = sy_table_partitions(reading->table, read->node);
    struct sy_order_node *node;

    if (after != NULL)
        node = sy_order_seek(&partitions->order, sy_place_of_partition, after);
    else
        node = sy_order_seek(&partitions->order, place_of_token, &read->first_token);
    for (; node != NULL && !reading->stopped; node = node->next[0]) {
        const struct sy_partition *partition = node->item;
        const struct sy_value *after_clustering = NULL;

        if (partition->token > read->last_token)
            break;
        if (after != NULL && sy_place_of_partition(after, partition) == 0) {
            if (read->after_clustering == NULL)
                continue;
            after_clustering = read->after_clustering;
        }
        read_partition(reading, partition, after_clustering);
    }
}

static void read_locked(struct sy_server *server, const struct sy_read *read, sy_row_visitor *visit,
                        void *ctx, struct sy_arena *arena)
{
    const struct sy_table *table = read->table;
    struct reading reading = {.server = server,
                              .read = read,
                              .table = table,
                              .visit = visit,
                              .ctx = ctx,
                              .now_s = sy_server_now_s(server)};
    struct sy_partition_key after;

    reading.key = sy_arena_raw(arena, table->n_partition_key * sizeof(*reading.key));
    reading.clustering = sy_arena_raw(arena, table->n_clustering * sizeof(*reading.clustering));
    reading.columns = sy_arena_raw(arena, table->n_columns * sizeof(*reading.columns));
    if (table->n_static > 0)
        reading.statics = sy_arena_raw(arena, table->n_columns * sizeof(*reading.statics));
    if (read->after_key != NULL)
        after = serialise(table, read->after_key, arena);
    if (read->n_keys > 0)
        read_keys(&reading, read->after_key != NULL ? &after : NULL, arena);
    else
        read_tokens(&reading, read->after_key != NULL ? &after : NULL);
    sy_arena_free(&reading.partition_arena);
    sy_arena_free(&reading.row_arena);
}

/* Work that a read asks for and that needs the lock alone. */
static bool needs_preparing(struct sy_server *server, const struct sy_read *read)
{
    bool stale = read->table->data->local && server->catalog.schema_rows_stale;
    bool due = server->held != NULL && server->held->visible_us <= sy_server_now_us(server);

    return stale || due;
}

static void prepare(struct sy_server *server)
{
    bool locked = sy_server_lock_write(server);

    if (server->catalog.schema_rows_stale)
        sy_system_refresh_schema(server);
    sy_store_release_held(server);
    sy_server_unlock(server, locked);
}

bool sy_store_read(struct sy_server *server, const struct sy_read *read, sy_row_visitor *visit, void *ctx,
                   struct sy_arena *arena, struct sy_error *ret)
{
    bool locked = sy_server_lock_read(server);
    bool there;

    if (needs_preparing(server, read)) {
        sy_server_unlock(server, locked);
        prepare(server);
        locked = sy_server_lock_read(server);
    }
    there = read->table->data->current != NULL;
    if (there)
        read_locked(server, read, visit, ctx, arena);
    sy_server_unlock(server, locked);
    return there || sy_fail(arena, ret, 0x2200, "unconfigured table %s", read->table->name);
}

bool sy_update_read_row(struct sy_server *server, const struct sy_update *update,
                        const struct sy_value *clustering, struct sy_arena *arena,
                        const struct sy_column_state **ret_columns)
{
    const struct sy_table *table = update->table;
    struct sy_partition_key key = {
        .token = update->token, .bytes = update->key_bytes, .len = update->key_len};
    const struct sy_partition *partition = sy_partitions_find(sy_table_partitions(table, 0), &key);
    const struct sy_stored_row *stored = NULL;
    struct sy_column_state *columns;
    struct sy_row_data row;
    bool is_static = clustering == NULL;

    if (partition == NULL)
        return false;
    if (table->n_clustering == 0) {
        stored = partition->single;
        is_static = false;
    } else if (is_static) {
        stored = partition->static_row;
    } else {
        struct sy_place place = {.table = table, .prefix = clustering, .n = table->n_clustering};
        struct sy_order_node *node = sy_order_seek(&partition->rows, sy_place_of_row, &place);

        if (node != NULL && sy_place_of_row(&place, node->item) == 0)
            stored = node->item;
    }
    if (stored == NULL || !sy_stored_row_unpack(stored, arena, &row))
        return false;
    columns = sy_arena_raw(arena, table->n_columns * sizeof(*columns));
    clear_states(table, columns);
    *ret_columns = columns;
    return sy_row_resolve(table, &row, is_static, sy_partition_deleted_us(partition, table, clustering),
                          sy_server_now_s(server), arena, columns)
        .alive;
}
