/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t sl_now_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

int64_t sl_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}
