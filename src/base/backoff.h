/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before the next try: doubling from base to max, half of it random, so that those who
 * failed together do not come back together.
 */
#ifndef SLUICE_BASE_BACKOFF_H
#define SLUICE_BASE_BACKOFF_H

#include "base/random.h"

struct sl_backoff {
    int64_t base_us;
    int64_t max_us;
    uint32_t attempt; /* failures in a row */
};

static inline void sl_backoff_reset(struct sl_backoff *backoff)
{
    backoff->attempt = 0;
}

/* The next delay: between half and the whole of base * 2^attempt, at most max. */
static inline int64_t sl_backoff_next_us(struct sl_backoff *backoff)
{
    uint32_t shift = backoff->attempt < 30 ? backoff->attempt : 30;
    int64_t delay_us =
        backoff->max_us >> shift < backoff->base_us ? backoff->max_us : backoff->base_us << shift;

    backoff->attempt++;
    return delay_us / 2 + (int64_t)(sl_random_u64() % (uint64_t)(delay_us - delay_us / 2 + 1));
}

#endif
