/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/recent.h"

#include "base/alloc.h"

enum { FIRST_CAPACITY = 256 };

/*
 * Open addressing; a hash of 0 is an empty slot, so 0 is kept as 1. Of ids half the bits do, and when the key
 * was met stands as milliseconds since the table's first, rounded up: 24 bytes instead of 32, of the most
 * numerous.
 */
struct sl_recent_slot {
    uint64_t hash;
    uint64_t ticks;
    uint32_t id;
    uint32_t met_ms;
};

void sl_recent_done(struct sl_recent *recent)
{
    for (int i = 0; i < 2; i++)
        sl_free(recent->tables[i].slots);
    *recent = (struct sl_recent){0};
}

static struct sl_recent_slot *find_slot(const struct sl_recent_table *table, uint64_t hash)
{
    uint32_t mask = table->capacity - 1;
    uint32_t at = (uint32_t)(hash ^ hash >> 32) & mask;

    while (table->slots[at].hash && table->slots[at].hash != hash)
        at = (at + 1) & mask;
    return &table->slots[at];
}

static struct sl_recent_change look(const struct sl_recent_table *table, uint64_t hash)
{
    const struct sl_recent_slot *slot = table->capacity ? find_slot(table, hash) : NULL;

    if (!slot || !slot->hash)
        return (struct sl_recent_change){0};
    return (struct sl_recent_change){
        .ticks = slot->ticks, .id = slot->id, .met_us = table->first_us + (int64_t)slot->met_ms * 1000};
}

struct sl_recent_change sl_recent_find(const struct sl_recent *recent, uint64_t key_hash)
{
    uint64_t hash = key_hash ? key_hash : 1;
    struct sl_recent_change now = look(&recent->tables[0], hash);
    struct sl_recent_change before = look(&recent->tables[1], hash);

    int64_t met_us = now.met_us > before.met_us ? now.met_us : before.met_us;
    struct sl_recent_change newest = now.ticks >= before.ticks ? now : before;

    newest.met_us = met_us;
    return newest;
}

static void grow(struct sl_recent_table *table)
{
    struct sl_recent_table larger = {.n = table->n,
                                     .last_ticks = table->last_ticks,
                                     .first_us = table->first_us,
                                     .capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY};

    larger.slots = sl_zalloc(larger.capacity, sizeof(*larger.slots));
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].hash)
            *find_slot(&larger, table->slots[i].hash) = table->slots[i];
    }
    sl_free(table->slots);
    *table = larger;
}

static void turn(struct sl_recent *recent, int64_t now_us)
{
    struct sl_recent_table oldest = recent->tables[1];

    recent->tables[1] = recent->tables[0];
    sl_free(oldest.slots);
    recent->tables[0] = (struct sl_recent_table){0};
    recent->turned_us = now_us;
}

void sl_recent_add(struct sl_recent *recent, uint64_t key_hash, struct sl_recent_change change,
                   int64_t now_us)
{
    uint64_t hash = key_hash ? key_hash : 1;
    struct sl_recent_table *table = &recent->tables[0];
    struct sl_recent_slot *slot;

    if (now_us - recent->turned_us >= recent->keep_us &&
        (!recent->tables[1].n || recent->tables[1].last_ticks < recent->settled_ticks))
        turn(recent, now_us);
    if ((table->n + 1) * 4 > table->capacity * 3)
        grow(table);
    if (!table->n)
        table->first_us = now_us;
    slot = find_slot(table, hash);
    if (!slot->hash) {
        slot->hash = hash;
        table->n++;
    }
    if (change.ticks > slot->ticks) {
        slot->ticks = change.ticks;
        slot->id = (uint32_t)change.id;
    }
    slot->met_ms = now_us > table->first_us ? (uint32_t)((now_us - table->first_us + 999) / 1000) : 0;
    if (change.ticks > table->last_ticks)
        table->last_ticks = change.ticks;
}
