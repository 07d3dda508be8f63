/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include "base/alloc.h"
#include "base/thread.h"

struct sl_budget {
    pthread_mutex_t lock; /* guards everything below and held_bytes of the shares */
    pthread_cond_t room;
    size_t limit_bytes;
    size_t used_bytes;
    uint64_t wakes;
};

struct sl_budget *sl_budget_new(size_t limit_bytes)
{
    struct sl_budget *budget = sl_zalloc(1, sizeof(*budget));

    (void)pthread_mutex_init(&budget->lock, NULL);
    sl_cond_init(&budget->room);
    budget->limit_bytes = limit_bytes;
    return budget;
}

void sl_budget_free(struct sl_budget *budget)
{
    if (!budget)
        return;
    (void)pthread_cond_destroy(&budget->room);
    (void)pthread_mutex_destroy(&budget->lock);
    sl_free(budget);
}

bool sl_share_wait(struct sl_share *share, int64_t deadline_us)
{
    struct sl_budget *budget = share->budget;
    uint64_t wakes;
    bool room;

    (void)pthread_mutex_lock(&budget->lock);
    wakes = budget->wakes;
    for (;;) {
        room = share->held_bytes == 0 || budget->used_bytes < budget->limit_bytes;
        if (room || wakes != budget->wakes || !sl_cond_wait(&budget->room, &budget->lock, deadline_us))
            break;
    }
    (void)pthread_mutex_unlock(&budget->lock);
    return room;
}

void sl_share_take(struct sl_share *share, size_t bytes)
{
    (void)pthread_mutex_lock(&share->budget->lock);
    share->held_bytes += bytes;
    share->budget->used_bytes += bytes;
    (void)pthread_mutex_unlock(&share->budget->lock);
}

void sl_share_give(struct sl_share *share, size_t bytes)
{
    struct sl_budget *budget = share->budget;

    (void)pthread_mutex_lock(&budget->lock);
    SL_ASSERT(share->held_bytes >= bytes && budget->used_bytes >= bytes);
    share->held_bytes -= bytes;
    budget->used_bytes -= bytes;
    (void)pthread_cond_broadcast(&budget->room);
    (void)pthread_mutex_unlock(&budget->lock);
}

void sl_budget_wake(struct sl_budget *budget)
{
    (void)pthread_mutex_lock(&budget->lock);
    budget->wakes++;
    (void)pthread_cond_broadcast(&budget->room);
    (void)pthread_mutex_unlock(&budget->lock);
}

size_t sl_budget_used(struct sl_budget *budget)
{
    size_t used;

    (void)pthread_mutex_lock(&budget->lock);
    used = budget->used_bytes;
    (void)pthread_mutex_unlock(&budget->lock);
    return used;
}
