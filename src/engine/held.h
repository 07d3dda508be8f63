/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that a sink task sets aside, since their next row waits for another one: the task goes on with
 * its other partitions meanwhile, as what the row waits for may stand there. They are read again after a
 * while, or when the others have come to the ends that they had when the row began to wait; a row for which
 * nothing is left to be done then has its time in the sink.
 *
 * Threads: the apply thread.
 */
#ifndef SLUICE_ENGINE_HELD_H
#define SLUICE_ENGINE_HELD_H

#include "engine/positions.h"
#include "sluice/transport.h"

struct sl_held {
    struct sl_progress *rows; /* first_offset: of the row that waits */
    size_t n;
    struct sl_progress *rest; /* the task's other partitions: next_offset: how far there is something to do */
    size_t n_rest;
    int64_t began_us;
    int64_t until_us; /* now they are set aside; 0: they are not */
    bool resting;     /* nothing is left to be done beside them: a row has its time in the sink */
    int64_t sum;      /* of the others' positions and ends, when they were set aside last */
    int64_t end_sum;
};

void sl_held_done(struct sl_held *held);

/*
 * Rows wait in these partitions, and in those that are set aside already. True: they are set aside, for about
 * pause_us, since there is something to do in the others. ends: the log's as they are now; open_us: so long
 * what comes into the log later counts, too.
 */
bool sl_held_set_aside(struct sl_held *held, const struct sl_progress *rows, size_t n,
                       const struct sl_progress *positions, size_t n_positions,
                       const struct sl_progress *ends, size_t n_ends, int64_t open_us, int64_t pause_us);

/* The sink is done with the batch whose row had its time. */
static inline void sl_held_wake(struct sl_held *held)
{
    held->resting = false;
}

/* Is it time to read them again? */
bool sl_held_is_over(const struct sl_held *held, struct sl_positions *positions);

/* Put those that are set aside behind the others, with the position of their rows; the number of the others.
 */
size_t sl_held_part(const struct sl_held *held, struct sl_progress *partitions, size_t n);

#endif
