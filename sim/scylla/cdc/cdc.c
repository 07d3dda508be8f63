/* SPDX-License-Identifier: Apache-2.0 */
#include "cdc.h"

#include "augment.h"
#include "public.h"
#include "streams.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IGNORE_MSB = 12,           /* as servers are set up */
    FIRST_LIES_BACK_MS = 6000, /* so that writes of a moment ago are accepted from the start */
    NEXT_IN_MS = 3000,         /* a real cluster takes a minute, for its nodes to hear of it */
    TABLETS_DEFAULT = 2,
    TABLETS_MAX = 4096,
};

void sy_cdc_open(struct sy_server *server)
{
    server->cdc = sy_streams_new(server->options.seed, server->options.n_shards, IGNORE_MSB);
}

void sy_cdc_close(struct sy_server *server)
{
    sy_streams_free(server->cdc);
    server->cdc = NULL;
}

static int64_t now_ms(struct sy_server *server)
{
    return sy_server_now_us(server) / 1000;
}

static int compare_tokens(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static const struct sy_generation *open_generation(struct sy_server *server, int64_t start_ms)
{
    uint32_t n = server->options.n_nodes * server->options.vnodes;
    int64_t *ring = malloc(n * sizeof(*ring));
    const struct sy_generation *generation;

    if (!ring)
        abort();
    memcpy(ring, server->tokens, n * sizeof(*ring));
    qsort(ring, n, sizeof(*ring), compare_tokens);
    generation = sy_streams_open_generation(server->cdc, start_ms, ring, n);
    free(ring);
    return generation;
}

void sy_cdc_start(struct sy_server *server)
{
    const struct sy_streams *streams = server->cdc;

    if (!streams->n_generations) {
        sy_public_generation(server, open_generation(server, now_ms(server) - FIRST_LIES_BACK_MS));
        sy_journal_catalog(server);
    }
    for (uint32_t i = 0; i < streams->n_tables; i++)
        sy_public_table(server, NULL, &streams->tables[i]);
}

/* ---- tables ---- */

static uint32_t power_of_two(uint32_t n)
{
    uint32_t power = 1;

    while (power < n && power < TABLETS_MAX)
        power *= 2;
    return power;
}

/* tablets = {'min_tablet_count': n} of the table; 0: not said. */
static uint32_t min_tablets(const struct sy_table *table)
{
    for (uint32_t i = 0; i < table->n_properties; i++) {
        const struct sy_property *property = &table->properties[i];

        for (uint32_t k = 0; strcmp(property->name, "tablets") == 0 && k < property->n; k++) {
            if (strcmp(property->keys[k], "min_tablet_count") == 0)
                return (uint32_t)strtoul(property->values[k], NULL, 10);
        }
    }
    return 0;
}

static void open_set(struct sy_server *server, const struct sy_table *table, int64_t start_ms, uint32_t n)
{
    (void)sy_streams_open_set(server->cdc, table->id, start_ms, power_of_two(n));
    sy_public_table(server, table, sy_streams_of_table(server->cdc, table->id));
}

static bool has_sets(const struct sy_table *table)
{
    return table->keyspace->tablets && table->log && !table->is_cdc_log;
}

void sy_cdc_table_created(struct sy_server *server, const struct sy_table *table)
{
    uint32_t n = table->keyspace->initial_tablets ? table->keyspace->initial_tablets : TABLETS_DEFAULT;

    if (!has_sets(table) || sy_streams_of_table(server->cdc, table->id))
        return;
    open_set(server, table, now_ms(server) - FIRST_LIES_BACK_MS,
             min_tablets(table) > n ? min_tablets(table) : n);
}

void sy_cdc_table_altered(struct sy_server *server, const struct sy_table *table)
{
    const struct sy_table_streams *streams = sy_streams_of_table(server->cdc, table->id);

    if (!has_sets(table))
        return;
    if (!streams)
        sy_cdc_table_created(server, table);
    else if (min_tablets(table) > streams->sets[streams->n_sets - 1].n)
        open_set(server, table, now_ms(server) + NEXT_IN_MS, min_tablets(table));
}

void sy_cdc_table_dropped(struct sy_server *server, const struct sy_table *table)
{
    if (sy_streams_of_table(server->cdc, table->id))
        sy_public_forget(server, table);
    sy_streams_drop_table(server->cdc, table->id);
}

/* ---- orders ---- */

static bool order_generation(struct sy_server *server, int64_t in_ms, char *ret_text, size_t size)
{
    const struct sy_generation *generation = open_generation(server, now_ms(server) + in_ms);

    sy_public_generation(server, generation);
    sy_journal_catalog(server);
    (void)snprintf(ret_text, size, "generation %" PRId64, generation->start_ms);
    return true;
}

/* One tablet, or each of them. */
static void split(struct sy_server *server, const struct sy_table *table, uint32_t n, int64_t start_ms,
                  bool one)
{
    if (!one) {
        open_set(server, table, start_ms, n * 2);
        return;
    }
    (void)sy_streams_split_one(server->cdc, table->id, start_ms, sy_server_random(server));
    sy_public_table(server, table, sy_streams_of_table(server->cdc, table->id));
}

static bool order_split(struct sy_server *server, const char *keyspace, const char *name, int64_t in_ms,
                        bool one, char *ret_text, size_t size)
{
    const struct sy_table *table = sy_catalog_table(server, keyspace, name);
    const struct sy_table_streams *streams = table ? sy_streams_of_table(server->cdc, table->id) : NULL;

    if (!streams) {
        (void)snprintf(ret_text, size,
                       "%s.%s has no sets of streams: its keyspace has no tablets, or its CDC is off",
                       keyspace, name);
        return false;
    }
    if (streams->sets[streams->n_sets - 1].n * 2 > TABLETS_MAX) {
        (void)snprintf(ret_text, size, "%s.%s has %d tablets, which is the most", keyspace, name,
                       TABLETS_MAX);
        return false;
    }
    split(server, table, streams->sets[streams->n_sets - 1].n, now_ms(server) + in_ms, one);
    sy_journal_catalog(server);
    streams = sy_streams_of_table(server->cdc, table->id);
    (void)snprintf(ret_text, size, "%" PRIu32 " streams from %" PRId64 " on",
                   streams->sets[streams->n_sets - 1].n, streams->sets[streams->n_sets - 1].start_ms);
    return true;
}

/* " in MS" behind an order; false when something else stands there. */
static bool read_delay(const char *rest, int64_t *ret_ms)
{
    int used = 0;

    *ret_ms = NEXT_IN_MS;
    if (!*rest)
        return true;
    return sscanf(rest, " in %" SCNd64 "%n", ret_ms, &used) == 1 && rest[used] == '\0';
}

bool sy_cdc_command(struct sy_server *server, const char *line, char *ret_text, size_t size, bool *ret_known)
{
    char keyspace[64];
    char name[200];
    int64_t in_ms;
    int used = 0;
    bool one;

    *ret_known = true;
    if (strncmp(line, "generation new", 14) == 0 && read_delay(line + 14, &in_ms))
        return order_generation(server, in_ms, ret_text, size);
    if (sscanf(line, "tablets split %63[^. ].%199[^ ]%n", keyspace, name, &used) == 2) {
        one = strncmp(line + used, " one", 4) == 0;
        if (read_delay(line + used + (one ? 4 : 0), &in_ms))
            return order_split(server, keyspace, name, in_ms, one, ret_text, size);
    }
    *ret_known = false;
    return false;
}

/* ---- the log rows of an update ---- */

static const struct sy_cell_write *cells_of(const struct sy_table *table, const struct sy_row_data *data,
                                            struct sy_arena *arena, uint32_t *ret_n)
{
    struct sy_cell_write *cells = sy_arena_alloc(arena, (data->n_cells + 1) * sizeof(*cells));
    uint32_t n = 0;

    for (uint32_t i = 0; i < data->n_cells; i++) {
        const struct sy_cell_data *cell = &data->cells[i];
        const struct sy_table_column *column = sy_table_column_by_id(table, cell->column);

        if (column)
            cells[n++] = (struct sy_cell_write){
                .column = column,
                .kind = (enum sy_cell_kind)cell->kind,
                .ttl_s = cell->ttl_s,
                .timestamp_us = cell->timestamp_us,
                .path = cell->path,
                .value = cell->value,
            };
    }
    *ret_n = n;
    return cells;
}

static struct sy_row_write row_of(const struct sy_table *table, const struct sy_row_data *data,
                                  struct sy_arena *arena)
{
    struct sy_row_write row = {
        .has_marker = data->has_marker,
        .marker_timestamp_us = data->marker_us,
        .marker_ttl_s = data->marker_ttl_s,
        .has_tombstone = data->has_tombstone,
        .tombstone_timestamp_us = data->tombstone_us,
    };

    row.cells = cells_of(table, data, arena, &row.n_cells);
    return row;
}

static struct sy_mutation mutation_of(const struct sy_update *update, struct sy_arena *arena)
{
    struct sy_row_write *rows = sy_arena_alloc(arena, (update->n_rows + 1) * sizeof(*rows));
    uint32_t n = 0;

    if (update->has_static) {
        rows[n] = row_of(update->table, &update->static_row, arena);
        rows[n++].is_static = true;
    }
    for (uint32_t i = 0; i < update->n_rows; i++) {
        rows[n] = row_of(update->table, &update->rows[i].data, arena);
        rows[n++].clustering = update->rows[i].clustering;
    }
    return (struct sy_mutation){
        .table = update->table,
        .partition_key = update->key,
        .has_tombstone = update->has_tombstone,
        .tombstone_timestamp_us = update->tombstone_us,
        .rows = rows,
        .n_rows = n,
        .ranges = update->ranges,
        .n_ranges = update->n_ranges,
    };
}

struct before {
    struct sy_server *server;
    const struct sy_update *update;
    struct sy_arena *arena;
};

static bool fetch(void *ctx, const struct sy_value *clustering, struct sy_row *ret)
{
    struct before *before = ctx;

    *ret = (struct sy_row){0};
    return sy_update_read_row(before->server, before->update, clustering, before->arena, &ret->columns);
}

bool sy_cdc_augment(struct sy_server *server, const struct sy_update *update,
                    const struct sy_write_context *context, struct sy_arena *arena,
                    const struct sy_mutation **ret, uint32_t *ret_n, struct sy_error *ret_error)
{
    struct sy_mutation mutation = mutation_of(update, arena);
    struct before before = {server, update, arena};
    const struct sy_augment augment = {
        .server = server,
        .streams = server->cdc,
        .mutation = &mutation,
        .token = update->token,
        .now_us = sy_server_now_us(server),
        .expiry_service = context->expiry_service,
        .fetch = fetch,
        .ctx = &before,
        .arena = arena,
    };

    return sy_augment_run(&augment, ret, ret_n, ret_error);
}

/* ---- what lasts ---- */

void sy_cdc_state_save(struct sy_server *server, struct sy_buffer *out)
{
    sy_streams_save(server->cdc, out);
}

bool sy_cdc_state_load(struct sy_server *server, struct sy_reader *in)
{
    return sy_streams_load(server->cdc, in);
}
