/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in flight, per process: arenas, blocks and buffers of batches between source and target. When the
 * budget is spent, reading stops. It bounds memory without making anybody wait for ever: whoever holds
 * nothing may always take one batch, however large, so that the batch that frees the others can move.
 *
 * Threads: any.
 */
#ifndef SLUICE_BASE_BUDGET_H
#define SLUICE_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_budget;

/* One user of the budget, e.g. a task. */
struct sl_share {
    struct sl_budget *budget;
    size_t held_bytes; /* guarded by the budget's lock */
};

struct sl_budget *sl_budget_new(size_t limit_bytes);
void sl_budget_free(struct sl_budget *budget);

/*
 * Wait until more may be read: the budget has room, or the share holds nothing. False at the deadline
 * (sl_now_us clock), or when sl_budget_wake was called meanwhile.
 */
bool sl_share_wait(struct sl_share *share, int64_t deadline_us);

void sl_share_take(struct sl_share *share, size_t bytes); /* never waits; the size is known after reading */
void sl_share_give(struct sl_share *share, size_t bytes);

void sl_budget_wake(struct sl_budget *budget); /* everybody who waits returns now */
size_t sl_budget_used(struct sl_budget *budget);

#endif
