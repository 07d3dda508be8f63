/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch on the slow way. An attempt applies all of it in one transaction, in halves under savepoints, and
 * commits, unless rows are left that may only be early: then it is rolled back, and the hold begins: what
 * stands before those rows is committed alone, they are waited for outside any transaction, and the next
 * attempt takes the rest.
 */
#ifndef SLUICE_SINK_POSTGRES_SPLIT_H
#define SLUICE_SINK_POSTGRES_SPLIT_H

#include "sink/postgres/others.h"
#include "sink/postgres/state.h"

struct sl_pgsink_waiter {
    uint32_t record;
    struct sl_error why; /* its own, of the last time it was tried */
    uint32_t n_applied;  /* the attempt's, then: before that grows it need not be tried again */
};

/* A waiting row's time. It runs only while nothing can bring what the row waits for. */
struct sl_pgsink_clock {
    int64_t since_us; /* from when on nothing could; 0: the row never waited */
    uint32_t ahead;   /* index + 1 into the split's aheads; 0: not looked at yet */
    bool behind;      /* another task has not come to what it had to do then: the time is longer */
};

struct sl_pgsink_split {
    struct sl_pgsink *sink;
    struct sl_batch *batch;
    uint8_t *out;     /* one byte a record: reported as bad or parked, over all attempts */
    uint8_t *done;    /* committed before the rest, likewise */
    uint8_t *skip;    /* those, and those that wait: in the attempt at hand */
    uint8_t *follows; /* waits only because an earlier record of its key does, see wait_behind */
    struct sl_pgsink_waiter *waiting;
    size_t n_waiting, waiting_capacity;
    uint32_t n_applied; /* flights of the attempt at hand that went well */
    uint32_t end;       /* where the attempt ended: a delete of a range that rows wait before, or n_records */

    /* Of an attempt at a part: where it ends in each partition of the batch; NULL: it takes all. */
    const int64_t *limits;

    struct sl_pgsink_clock *clocks; /* one a record; NULL until a row waits */
    int64_t judged_us;              /* when the clocks were last set by what the others do */
    struct sl_pgsink_ahead *aheads; /* one for each time that rows began to wait */
    size_t n_aheads, aheads_capacity;
    int64_t pause_us; /* between two looks */
    int64_t began_us;
    int64_t attempt_us; /* how long the last attempt took */
    bool said;          /* that rows wait */
};

/*
 * One attempt, tried again after a deadlock, a conflict, a change of the table. SL_OK: see is_settled; when
 * it is not, waiting and end tell why, and nothing is open. progress: the batch's, or a part of it with
 * limits.
 */
enum sl_rc sl_pgsink_attempt(struct sl_pgsink_split *split, const struct sl_batch *progress,
                             struct sl_error *err);

static inline bool sl_pgsink_is_settled(const struct sl_pgsink_split *split)
{
    return split->n_waiting == 0 && split->end == split->batch->n_records;
}

/* One record under a savepoint. Errors: DATA kind in *why alone, the rest in err too. */
enum sl_rc sl_pgsink_try_one(struct sl_pgsink_split *split, uint32_t record, struct sl_error *why,
                             struct sl_error *err);

/* The target of a record. */
enum sl_rc sl_pgsink_split_target(struct sl_pgsink_split *split, uint32_t record,
                                  struct sl_pgsink_target **ret, struct sl_error *err);

/* hold.c: commit what stands before the waiting rows, and wait until an attempt may tell something new. */
enum sl_rc sl_pgsink_hold(struct sl_pgsink_split *split, struct sl_error *err);
/* Nothing waits any more, or the sink gives up. */
void sl_pgsink_hold_end(struct sl_pgsink_split *split, enum sl_rc rc);

/* Is a waiting row's time over, as far as it was judged last? */
bool sl_pgsink_is_late(const struct sl_pgsink_split *split, uint32_t record);
/* A row waits: from now on, or since before. */
void sl_pgsink_start_clock(struct sl_pgsink_split *split, uint32_t record);

#endif
