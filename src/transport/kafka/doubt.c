/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/doubt.h"

#include "base/alloc.h"

#include <stdatomic.h>
#include <string.h>

enum {
    STILL_PART = 3,          /* of the session: who does not look for so long stood still */
    LEAST_US = 30 * 1000000, /* a broker that is started again is back by then */
};

void sl_doubt_init(struct sl_doubt *doubt, int64_t session_us, int64_t now_us)
{
    *doubt = (struct sl_doubt){.session_us = session_us, .looked_us = now_us, .woke_us = INT64_MIN};
}

void sl_doubt_done(struct sl_doubt *doubt)
{
    sl_free(doubt->slots);
}

void sl_doubt_look(struct sl_doubt *doubt, int64_t now_us)
{
    if (now_us - doubt->looked_us > doubt->session_us / STILL_PART)
        doubt->woke_us = now_us;
    doubt->looked_us = now_us;
}

void sl_doubt_silence(struct sl_doubt *doubt)
{
    atomic_store(&doubt->silence, true);
}

bool sl_doubt_may_be(struct sl_doubt *doubt, int64_t now_us)
{
    bool silence = atomic_exchange(&doubt->silence, false);

    sl_doubt_look(doubt, now_us);
    return silence && (doubt->woke_us == INT64_MIN || now_us - doubt->woke_us > doubt->session_us);
}

void sl_doubt_begin(struct sl_doubt *doubt, const int32_t *slots, size_t n, int64_t now_us)
{
    sl_free(doubt->slots);
    doubt->slots = sl_zalloc(n, sizeof(*doubt->slots));
    if (n)
        memcpy(doubt->slots, slots, n * sizeof(*slots));
    doubt->n = n;
    doubt->until_us = now_us + (3 * doubt->session_us > LEAST_US ? 3 * doubt->session_us : LEAST_US);
}

static bool is_among(int32_t slot, const int32_t *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (slots[i] == slot)
            return true;
    }
    return false;
}

size_t sl_doubt_settle(struct sl_doubt *doubt, const int32_t *assigned, size_t n_assigned, int32_t *lost)
{
    size_t n = 0;

    for (size_t i = 0; i < doubt->n; i++) {
        if (!is_among(doubt->slots[i], assigned, n_assigned))
            lost[n++] = doubt->slots[i];
    }
    doubt->n = 0;
    atomic_store(&doubt->silence, false);
    return n;
}

bool sl_doubt_is_over(const struct sl_doubt *doubt, int64_t now_us)
{
    return doubt->n > 0 && now_us >= doubt->until_us;
}
