/* SPDX-License-Identifier: Apache-2.0 */
/* A small map of 64-bit numbers to pointers, for caches by schema, topic or id. */
#ifndef SLUICE_BASE_POINTER_MAP_H
#define SLUICE_BASE_POINTER_MAP_H

#include "base/alloc.h"
#include "base/hash.h"

struct sl_pointer_map {
    struct {
        uint64_t key;
        void *pointer; /* NULL: the slot is free */
    } *slots;
    size_t capacity; /* a power of two */
    size_t n;
};

static inline size_t sl_pointer_map_slot(const struct sl_pointer_map *map, uint64_t key)
{
    size_t at = sl_hash_u64(key) & (map->capacity - 1);

    while (map->slots[at].pointer && map->slots[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static inline void *sl_pointer_map_get(const struct sl_pointer_map *map, uint64_t key)
{
    return map->capacity ? map->slots[sl_pointer_map_slot(map, key)].pointer : NULL;
}

/* key is not in the map yet. */
static inline void sl_pointer_map_put(struct sl_pointer_map *map, uint64_t key, void *pointer)
{
    size_t at;

    if (map->n * 2 >= map->capacity) {
        struct sl_pointer_map bigger = {.capacity = map->capacity ? map->capacity * 2 : 32};

        bigger.slots = sl_zalloc(bigger.capacity, sizeof(*bigger.slots));
        for (size_t i = 0; i < map->capacity; i++) {
            if (map->slots[i].pointer)
                bigger.slots[sl_pointer_map_slot(&bigger, map->slots[i].key)] = map->slots[i];
        }
        bigger.n = map->n;
        sl_free(map->slots);
        *map = bigger;
    }
    at = sl_pointer_map_slot(map, key);
    map->slots[at].key = key;
    map->slots[at].pointer = pointer;
    map->n++;
}

/* Empties the map; free_pointer (may be NULL) is called for each. */
static inline void sl_pointer_map_done(struct sl_pointer_map *map, void (*free_pointer)(void *))
{
    for (size_t i = 0; free_pointer && i < map->capacity; i++) {
        if (map->slots[i].pointer)
            free_pointer(map->slots[i].pointer);
    }
    sl_free(map->slots);
    *map = (struct sl_pointer_map){0};
}

#endif
