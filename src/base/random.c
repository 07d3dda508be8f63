/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <sys/random.h>

void sl_random_bytes(void *ret, size_t len)
{
    uint8_t *at = ret;

    while (len) {
        ssize_t n = getrandom(at, len, 0);

        if (n < 0) /* EINTR */
            continue;
        at += n;
        len -= (size_t)n;
    }
}

uint64_t sl_random_u64(void)
{
    static _Thread_local uint64_t state;

    if (!state)
        sl_random_bytes(&state, sizeof(state));
    state += SL_HASH_A; /* a counter through a mixing function */
    return sl_hash_mix(state, state ^ SL_HASH_C);
}
