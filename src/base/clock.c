/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t set_wall_us;

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
    int64_t set_us = atomic_load_explicit(&set_wall_us, memory_order_relaxed);

    return set_us ? set_us : read_clock_us(CLOCK_REALTIME);
}

void sl_clock_set_wall(int64_t wall_us)
{
    atomic_store_explicit(&set_wall_us, wall_us, memory_order_relaxed);
}

void sl_clock_text(int64_t wall_ms, char ret[SL_CLOCK_TEXT])
{
    time_t seconds = (time_t)(wall_ms / 1000 - (wall_ms % 1000 < 0));
    int part = (int)((wall_ms % 1000 + 1000) % 1000);
    struct tm parts;
    size_t len;

    (void)gmtime_r(&seconds, &parts);
    len = strftime(ret, SL_CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(ret + len, SL_CLOCK_TEXT - len, ".%03dZ", part);
}
