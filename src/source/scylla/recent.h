/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest change of each key that was written lately: says whether a change comes after one that is newer,
 * at the same microsecond as another, or soon after another, and so whether its row must be read again.
 *
 * Kept until the windows are settled that a change may still be compared with, in two tables that take turns;
 * hashes stand for keys, so two keys may be
 * taken for one, which at worst has a row read again for nothing. Nothing here is durable: after a restart it
 * is filled from the open window. Threads: one owner.
 */
#ifndef SLUICE_SOURCE_SCYLLA_RECENT_H
#define SLUICE_SOURCE_SCYLLA_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_recent_change {
    uint64_t ticks; /* of cdc$time; 0: none */
    uint32_t id;    /* of the random half of cdc$time: tells two writes of one microsecond apart */
    int64_t
        met_us; /* when the key was met last, whatever the time of that change; filled by sl_recent_find */
};

struct sl_recent_slot;
struct sl_recent_table {
    struct sl_recent_slot *slots;
    uint32_t n, capacity;
    uint64_t last_ticks; /* the newest change in it */
    int64_t first_us;    /* when the first was put into it */
};

struct sl_recent {
    struct sl_recent_table tables[2]; /* the one in use, the one before */
    int64_t keep_us;                  /* at least this long ... */
    uint64_t settled_ticks;           /* ... and until this, which the owner moves, has passed the changes */
    int64_t turned_us;
};

void sl_recent_done(struct sl_recent *recent);

/* The newest change known of the key; ticks 0 when there is none. */
struct sl_recent_change sl_recent_find(const struct sl_recent *recent, uint64_t key_hash);

/* Remember the change if it is newer than what is known. now_us: the wall clock. */
void sl_recent_add(struct sl_recent *recent, uint64_t key_hash, struct sl_recent_change change,
                   int64_t now_us);

#endif
