/* SPDX-License-Identifier: Apache-2.0 */
#include "public.h"

#include "../types/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row under construction: key values first, then one cell. */
struct row {
    struct sy_value partition[2];
    struct sy_value clustering[3];
    const char *column; /* NULL: a marker alone */
    struct sy_value value;
};

static struct sy_value number(struct sy_arena *arena, int64_t v)
{
    uint8_t *bytes = sy_arena_alloc(arena, 8);

    sy_put_u64(bytes, (uint64_t)v);
    return (struct sy_value){.len = 8, .bytes = bytes};
}

static struct sy_value tiny(struct sy_arena *arena, int8_t v)
{
    uint8_t *byte = sy_arena_alloc(arena, 1);

    *byte = (uint8_t)v;
    return (struct sy_value){.len = 1, .bytes = byte};
}

static struct sy_value text(const char *s)
{
    return (struct sy_value){.len = (int32_t)strlen(s), .bytes = (const uint8_t *)s};
}

static void complain(const char *keyspace, const char *table, const struct sy_error *error)
{
    fprintf(stderr, "the streams cannot be written to %s.%s: %s\n", keyspace, table, error->message);
}

/* Write one row. system_distributed is kept like a user's table, the local ones are not. */
static void put(struct sy_server *server, const char *keyspace, const char *name, const struct row *row,
                struct sy_arena *arena)
{
    const struct sy_table *table = sy_catalog_table(server, keyspace, name);
    int64_t now_us = sy_store_timestamp_us(server);
    struct sy_cell_write cell = {
        .kind = SY_CELL_LIVE, .timestamp_us = now_us, .path = {.len = SY_NULL}, .value = row->value};
    struct sy_row_write write = {
        .clustering = row->clustering, .has_marker = true, .marker_timestamp_us = now_us, .cells = &cell};
    struct sy_mutation mutation = {
        .table = table, .partition_key = row->partition, .rows = &write, .n_rows = 1};
    const struct sy_write_context context = {.consistency = 1};
    struct sy_error error;

    if (!table)
        return;
    if (row->column) {
        cell.column = sy_table_column_named(table, row->column, strlen(row->column));
        write.n_cells = cell.column != NULL;
    }
    if (strcmp(keyspace, "system") == 0) {
        for (uint32_t node = 0; node < server->options.n_nodes; node++)
            (void)sy_store_apply_local(server, &mutation, 1, node, arena);
    } else if (!sy_store_apply(server, &mutation, 1, &context, arena, &error)) {
        complain(keyspace, name, &error);
    }
}

/* ---- generations ---- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, SY_STREAM_ID_SIZE);
}

/* set<blob>: in the order of its bytes. */
static struct sy_value set_of(const struct sy_stream_id *ids, uint32_t n, struct sy_arena *arena)
{
    struct sy_stream_id *sorted = sy_arena_alloc(arena, (n + 1) * sizeof(*sorted));
    uint8_t *bytes = sy_arena_alloc(arena, 4 + n * (4 + SY_STREAM_ID_SIZE));
    uint8_t *at = bytes + 4;

    memcpy(sorted, ids, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_ids);
    sy_put_u32(bytes, n);
    for (uint32_t i = 0; i < n; i++, at += 4 + SY_STREAM_ID_SIZE) {
        sy_put_u32(at, SY_STREAM_ID_SIZE);
        memcpy(at + 4, sorted[i].bytes, SY_STREAM_ID_SIZE);
    }
    return (struct sy_value){.len = (int32_t)(at - bytes), .bytes = bytes};
}

void sy_public_generation(struct sy_server *server, const struct sy_generation *generation)
{
    struct sy_arena arena = {0};
    struct row row = {0};

    for (uint32_t i = 0; i < generation->n_ranges; i++) {
        row.partition[0] = number(&arena, generation->start_ms);
        row.clustering[0] = number(&arena, generation->ranges[i].end_token);
        row.column = "streams";
        row.value = set_of(generation->ranges[i].streams, generation->n_shards, &arena);
        put(server, "system_distributed", "cdc_streams_descriptions_v2", &row, &arena);
    }
    /* The time last: who sees it may read the streams. */
    row = (struct row){.partition = {text("timestamps")},
                       .clustering = {number(&arena, generation->start_ms)},
                       .value = {.len = SY_NULL}};
    put(server, "system_distributed", "cdc_generation_timestamps", &row, &arena);
    sy_arena_free(&arena);
}

/* ---- sets ---- */

enum { CURRENT = 0, CLOSED = 1, OPENED = 2 };

static const struct sy_table *table_of(struct sy_server *server, const uint8_t id[16], struct sy_arena *arena)
{
    const struct sy_table *const *tables;
    uint32_t n = sy_catalog_tables(server, NULL, arena, &tables);

    for (uint32_t i = 0; i < n; i++) {
        if (memcmp(tables[i]->id, id, 16) == 0)
            return tables[i];
    }
    return NULL;
}

/* The streams of a set that another one (NULL: none) does not have. */
static void put_state(struct sy_server *server, struct row *row, const struct sy_stream_set *set,
                      const struct sy_stream_set *without, int8_t state, struct sy_arena *arena)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (without && sy_streams_has(without, &set->streams[i]))
            continue;
        row->clustering[1] = tiny(arena, state);
        row->clustering[2] = (struct sy_value){.len = SY_STREAM_ID_SIZE, .bytes = set->streams[i].bytes};
        put(server, "system", "cdc_streams", row, arena);
    }
}

void sy_public_table(struct sy_server *server, const struct sy_table *table,
                     const struct sy_table_streams *streams)
{
    struct sy_arena arena = {0};

    if (!table)
        table = table_of(server, streams->table_id, &arena);
    for (uint32_t i = 0; table && i < streams->n_sets; i++) {
        struct row row = {.partition = {text(table->keyspace->name), text(table->name)},
                          .clustering = {number(&arena, streams->sets[i].start_ms)},
                          .value = {.len = SY_NULL}};

        const struct sy_stream_set *set = &streams->sets[i];
        const struct sy_stream_set *former = i ? &streams->sets[i - 1] : NULL;

        put_state(server, &row, set, NULL, CURRENT, &arena);
        put_state(server, &row, set, former, OPENED, &arena);
        if (former)
            put_state(server, &row, former, set, CLOSED, &arena);
        put(server, "system", "cdc_timestamps", &row, &arena);
    }
    sy_arena_free(&arena);
}

static void forget(struct sy_server *server, const char *name, const struct sy_value *partition,
                   struct sy_arena *arena)
{
    const struct sy_table *table = sy_catalog_table(server, "system", name);
    struct sy_mutation mutation = {.table = table,
                                   .partition_key = partition,
                                   .has_tombstone = true,
                                   .tombstone_timestamp_us = sy_store_timestamp_us(server)};

    for (uint32_t node = 0; table && node < server->options.n_nodes; node++)
        (void)sy_store_apply_local(server, &mutation, 1, node, arena);
}

void sy_public_forget(struct sy_server *server, const struct sy_table *table)
{
    struct sy_value partition[2] = {text(table->keyspace->name), text(table->name)};
    struct sy_arena arena = {0};

    forget(server, "cdc_timestamps", partition, &arena);
    forget(server, "cdc_streams", partition, &arena);
    sy_arena_free(&arena);
}
