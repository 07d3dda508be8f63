/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all topic names of the process. Topics are few and live until the process ends. */
#include "sluice/record.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/hash.h"

#include <pthread.h>

static struct {
    pthread_mutex_t lock; /* guards everything below */
    struct sl_arena *arena;
    const struct sl_topic **slots;
    size_t capacity; /* a power of two */
    uint32_t count;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct sl_topic **find_slot(const char *name, size_t len)
{
    size_t at = sl_hash_bytes(name, len, 0) & (table.capacity - 1);

    while (table.slots[at] &&
           (table.slots[at]->len != len || (len && memcmp(table.slots[at]->name, name, len) != 0)))
        at = (at + 1) & (table.capacity - 1);
    return &table.slots[at];
}

static void grow_table(void)
{
    const struct sl_topic **old = table.slots;
    size_t old_capacity = table.capacity;

    if (table.capacity && (size_t)table.count * 2 < table.capacity)
        return;
    table.capacity = old_capacity ? old_capacity * 2 : 64;
    table.slots = sl_zalloc(table.capacity, sizeof(*table.slots));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i])
            *find_slot(old[i]->name, old[i]->len) = old[i];
    }
    sl_free(old);
    if (!table.arena)
        table.arena = sl_arena_new((size_t)16 * 1024);
}

static const struct sl_topic *add_topic(const char *name, size_t len)
{
    struct sl_topic *topic = sl_arena_alloc(table.arena, sizeof(*topic));
    char *copy = sl_arena_alloc(table.arena, len + 1);

    if (len)
        memcpy(copy, name, len);
    copy[len] = '\0';
    *topic = (struct sl_topic){.name = copy, .len = (uint32_t)len, .id = table.count++};
    return topic;
}

const struct sl_topic *sl_topic_intern(const char *name, size_t len)
{
    const struct sl_topic **slot;
    const struct sl_topic *topic;

    (void)pthread_mutex_lock(&table.lock);
    grow_table();
    slot = find_slot(name, len);
    if (!*slot)
        *slot = add_topic(name, len);
    topic = *slot;
    (void)pthread_mutex_unlock(&table.lock);
    return topic;
}
