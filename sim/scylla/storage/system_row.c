/* SPDX-License-Identifier: Apache-2.0 */
#include "system_row.h"
#include "../types/bytes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sy_system_row_begin(struct sy_system_row *row, struct sy_server *server, const char *keyspace,
                         const char *table, uint32_t node, struct sy_arena *arena)
{
    row->server = server;
    row->arena = arena;
    row->node = node;
    row->n_cells = 0;
    row->table = sy_catalog_table(server, keyspace, table);
    if (row->table == NULL) {
        fprintf(stderr, "sluice-sim-scylla: system table %s.%s is not defined\n", keyspace, table);
        abort();
    }
}

void sy_system_row_value(struct sy_system_row *row, const char *column, struct sy_value value)
{
    const struct sy_table_column *found = sy_table_column_named(row->table, column, strlen(column));
    if (found == NULL || row->n_cells == SY_SYSTEM_CELLS) {
        fprintf(stderr, "sluice-sim-scylla: system table %s has no column %s\n", row->table->name, column);
        abort();
    }
    if (found->kind == SY_PARTITION_KEY)
        row->partition[found->position] = value;
    else if (found->kind == SY_CLUSTERING)
        row->clustering[found->position] = value;
    else if (value.len >= 0)
        row->cells[row->n_cells++] = (struct sy_cell_write){.column = found,
                                                            .kind = SY_CELL_LIVE,
                                                            .ttl_s = SY_TTL_NONE,
                                                            .path = {.len = SY_NULL},
                                                            .value = value};
}

void sy_system_row_write(struct sy_system_row *row)
{
    int64_t now_us = sy_server_now_us(row->server);
    for (uint32_t i = 0; i < row->n_cells; i++)
        row->cells[i].timestamp_us = now_us;
    const struct sy_row_write write = {.clustering = row->clustering,
                                       .has_marker = true,
                                       .marker_timestamp_us = now_us,
                                       .cells = row->cells,
                                       .n_cells = row->n_cells};
    const struct sy_mutation mutation = {
        .table = row->table, .partition_key = row->partition, .rows = &write, .n_rows = 1};
    (void)sy_store_apply_local(row->server, &mutation, 1, row->node, row->arena);
}

static void put(struct sy_system_row *row, const char *column, const void *bytes, size_t len)
{
    const struct sy_value value = {.len = (int32_t)len,
                                   .bytes = (const uint8_t *)sy_arena_dup(row->arena, bytes, len)};
    sy_system_row_value(row, column, value);
}

struct sy_value sy_system_text(const char *text)
{
    return (struct sy_value){.len = (int32_t)strlen(text), .bytes = (const uint8_t *)text};
}

void sy_system_row_text(struct sy_system_row *row, const char *column, const char *text)
{
    put(row, column, text, strlen(text));
}

void sy_system_row_bool(struct sy_system_row *row, const char *column, bool value)
{
    const uint8_t byte = value;
    put(row, column, &byte, 1);
}

void sy_system_row_int(struct sy_system_row *row, const char *column, int32_t value)
{
    uint8_t bytes[4];
    sy_put_u32(bytes, (uint32_t)value);
    put(row, column, bytes, sizeof(bytes));
}

void sy_system_row_tinyint(struct sy_system_row *row, const char *column, int8_t value)
{
    put(row, column, &value, 1);
}

void sy_system_row_bigint(struct sy_system_row *row, const char *column, int64_t value)
{
    uint8_t bytes[8];
    sy_put_u64(bytes, (uint64_t)value);
    put(row, column, bytes, sizeof(bytes));
}

void sy_system_row_double(struct sy_system_row *row, const char *column, double value)
{
    uint64_t bits;
    uint8_t bytes[8];
    memcpy(&bits, &value, sizeof(bits));
    sy_put_u64(bytes, bits);
    put(row, column, bytes, sizeof(bytes));
}

void sy_system_row_uuid(struct sy_system_row *row, const char *column, const uint8_t value[16])
{
    put(row, column, value, 16);
}

void sy_system_row_inet(struct sy_system_row *row, const char *column, const char *ipv4)
{
    struct in_addr address = {0};
    (void)inet_pton(AF_INET, ipv4, &address);
    put(row, column, &address.s_addr, sizeof(address.s_addr));
}

/* A collection: how many, then each element with its length. */
static void put_elements(struct sy_system_row *row, const char *column, const struct sy_value *elements,
                         uint32_t n_elements, uint32_t count)
{
    size_t size = 4;
    for (uint32_t i = 0; i < n_elements; i++)
        size += 4 + (size_t)elements[i].len;
    uint8_t *bytes = sy_arena_alloc(row->arena, size);
    uint8_t *at = bytes + 4;
    sy_put_u32(bytes, count);
    for (uint32_t i = 0; i < n_elements; i++) {
        sy_put_u32(at, (uint32_t)elements[i].len);
        if (elements[i].len > 0)
            memcpy(at + 4, elements[i].bytes, (size_t)elements[i].len);
        at += 4 + elements[i].len;
    }
    sy_system_row_value(row, column, (struct sy_value){.len = (int32_t)size, .bytes = bytes});
}

void sy_system_row_texts(struct sy_system_row *row, const char *column, const char *const *texts, uint32_t n)
{
    struct sy_value *elements = sy_arena_alloc(row->arena, (n + 1) * sizeof(*elements));
    for (uint32_t i = 0; i < n; i++)
        elements[i] = sy_system_text(texts[i]);
    put_elements(row, column, elements, n, n);
}

void sy_system_row_values(struct sy_system_row *row, const char *column, const struct sy_value *values,
                          uint32_t n)
{
    put_elements(row, column, values, n, n);
}

void sy_system_row_pairs(struct sy_system_row *row, const char *column, const struct sy_value *pairs,
                         uint32_t n)
{
    put_elements(row, column, pairs, 2 * n, n);
}

struct pair {
    struct sy_value key;
    struct sy_value value;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *left = a;
    const struct pair *right = b;
    return strcmp((const char *)left->key.bytes, (const char *)right->key.bytes);
}

void sy_system_row_map(struct sy_system_row *row, const char *column, const struct sy_property *map)
{
    struct pair *pairs = sy_arena_alloc(row->arena, (map->n + 1) * sizeof(*pairs));
    for (uint32_t i = 0; i < map->n; i++)
        pairs[i] = (struct pair){sy_system_text(map->keys[i]), sy_system_text(map->values[i])};
    qsort(pairs, map->n, sizeof(*pairs), compare_pairs);
    sy_system_row_pairs(row, column, &pairs[0].key, map->n);
}
