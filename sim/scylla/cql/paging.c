/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/collection.h"
#include "select.h"

/* version, has clustering key, remaining, rows of the partition, then the key's values with their lengths. */
enum { VERSION = 1, HEAD = 1 + 1 + 8 + 4 };

struct sy_value sy_page_encode(const struct sy_table *table, const struct sy_page *page,
                               struct sy_arena *arena)
{
    uint32_t n_clustering = page->clustering != NULL ? table->n_clustering : 0;
    uint32_t n = table->n_partition_key + n_clustering;
    struct sy_value *values = sy_arena_alloc(arena, n * sizeof *values);
    memcpy(values, page->key, table->n_partition_key * sizeof *values);
    if (n_clustering > 0)
        memcpy(values + table->n_partition_key, page->clustering, n_clustering * sizeof *values);
    struct sy_value tail = sy_make_elements(-1, values, n, arena);
    uint8_t *bytes = sy_arena_raw(arena, HEAD + (size_t)tail.len);
    bytes[0] = VERSION;
    bytes[1] = page->clustering != NULL;
    sy_put_u64(bytes + 2, (uint64_t)page->remaining);
    sy_put_u32(bytes + 10, page->in_partition);
    memcpy(bytes + HEAD, tail.bytes, (size_t)tail.len);
    return (struct sy_value){.len = HEAD + tail.len, .bytes = bytes};
}

bool sy_page_decode(const struct sy_table *table, struct sy_value state, struct sy_arena *arena,
                    struct sy_page *ret)
{
    if (state.len < HEAD || state.bytes[0] != VERSION || state.bytes[1] > 1)
        return false;
    uint32_t n = table->n_partition_key + (state.bytes[1] ? table->n_clustering : 0);
    struct sy_value *values = sy_arena_alloc(arena, (n + 1) * sizeof *values);
    struct sy_walk walk;
    sy_walk_fields(&walk, (struct sy_value){.len = state.len - HEAD, .bytes = state.bytes + HEAD});
    for (uint32_t i = 0; i < n; i++)
        if (!sy_walk_next(&walk, &values[i]) || values[i].len < 0 ||
            sy_value_check(table->columns[i].type, values[i]) != NULL)
            return false;
    *ret = (struct sy_page){.remaining = (int64_t)sy_get_u64(state.bytes + 2),
                            .in_partition = sy_get_u32(state.bytes + 10),
                            .key = values,
                            .clustering = state.bytes[1] ? values + table->n_partition_key : NULL};
    return walk.at == walk.end && ret->remaining >= -1;
}
