/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the connector's other tasks do, as the target shows it; they may run in other processes.
 *
 * A task whose rows wait says so by shared advisory locks of its session: one names the connector, the others
 * hold the place of its earliest waiting row, six bytes each. pg_locks shows them to everybody, and they are
 * gone with the session. They are taken by trying, so they wait for nobody, and nobody who asks for other
 * keys waits for them.
 *
 * Places put all waiting rows of a connector in one order: tables without foreign keys before those that
 * refer to them, then by time, then by the source's own order. What a row waits for stands, if it is held up
 * behind another waiting row, behind one with an earlier place; so the earliest waits for nobody, and each
 * gets its turn.
 *
 * Threads: the apply thread. Never inside a transaction of the sink.
 */
#ifndef SLUICE_SINK_POSTGRES_OTHERS_H
#define SLUICE_SINK_POSTGRES_OTHERS_H

#include "sluice/error.h"
#include "sluice/record.h"

#include <stdbool.h>

struct sl_pgsink;
struct sl_pgsink_target;

enum { SL_PGSINK_PLACE_PART = 6, SL_PGSINK_PLACE_PARTS = 6, SL_PGSINK_PLACE_SIZE = 36 };

struct sl_pgsink_place {
    uint8_t bytes[SL_PGSINK_PLACE_SIZE]; /* compares with memcmp */
};

/* depth: how long the longest chain of foreign keys from the record's table is. */
void sl_pgsink_place_of(const struct sl_record *record, uint32_t depth, int task,
                        struct sl_pgsink_place *ret);
int sl_pgsink_place_task(const struct sl_pgsink_place *place);

/* The depth of a target table; asked once. Errors: the connection's. */
enum sl_rc sl_pgsink_depth(struct sl_pgsink *sink, struct sl_pgsink_target *target, uint32_t *ret,
                           struct sl_error *err);

/* Say that rows wait, the earliest at this place. Errors: the connection's. */
enum sl_rc sl_pgsink_publish(struct sl_pgsink *sink, const struct sl_pgsink_place *place,
                             struct sl_error *err);
enum sl_rc sl_pgsink_retract(struct sl_pgsink *sink, struct sl_error *err);
/* What the other tasks have said: an array of the caller (sl_free), NULL when none waits. */
enum sl_rc sl_pgsink_others(struct sl_pgsink *sink, struct sl_pgsink_place **ret, size_t *ret_n,
                            struct sl_error *err);

/* A partition of the connector that the target has not seen to the end that it had when a wait began. */
struct sl_pgsink_behind {
    const struct sl_topic *topic;
    int32_t partition;
    int task;
    int64_t end; /* one past the newest record then */
    int64_t at;  /* the target's position when it was last looked at; -1: none */
};

struct sl_pgsink_ahead {
    struct sl_pgsink_behind *items;
    size_t n, capacity;
    bool unknown; /* the log could not be asked: anything may be behind */
    /* Until then whatever moves counts: rows of a snapshot wait, and tables come into the log in any order.
     * 0: what is behind alone. */
    int64_t open_until_us;
    uint32_t seen; /* a checksum of the others' positions */
};

/* Does the source say that the record is a row of a snapshot? */
bool sl_pgsink_from_snapshot(const struct sl_record *record);

/* Which partitions are behind now. open_until_us: see above; 0 for none. Errors: the connection's. */
enum sl_rc sl_pgsink_ahead_begin(struct sl_pgsink *sink, int64_t open_until_us, struct sl_pgsink_ahead *ret,
                                 struct sl_error *err);
/*
 * Look at the positions again: partitions that have reached their end are out. *ret_moved: for each of the n,
 * did another task's partition move since the last look?
 */
enum sl_rc sl_pgsink_ahead_look(struct sl_pgsink *sink, struct sl_pgsink_ahead *aheads, size_t n,
                                bool *ret_moved, struct sl_error *err);
/* Does the log hold more of this partition than the batch that says so, of what was there then? */
bool sl_pgsink_ahead_has(const struct sl_pgsink_ahead *ahead, const struct sl_progress *partition);
/* Is a partition of this task behind, or may it be? */
bool sl_pgsink_ahead_has_task(const struct sl_pgsink_ahead *ahead, int task);
/* Is one behind of another task than ours that does not itself wait with a row behind this place? */
bool sl_pgsink_ahead_has_idle(const struct sl_pgsink_ahead *ahead, int own,
                              const struct sl_pgsink_place *place, const struct sl_pgsink_place *others,
                              size_t n);
void sl_pgsink_ahead_done(struct sl_pgsink_ahead *ahead);

#endif
