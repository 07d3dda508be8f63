/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

#define SECONDS_1900_TO_1970 2208988800LL

int64_t ms_clock_local_offset_s(void)
{
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    return local.tm_gmtoff;
}

int64_t ms_clock_datetime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t seconds = t.tv_sec + SECONDS_1900_TO_1970 + ms_clock_local_offset_s();
    return seconds * 300 + t.tv_nsec * 3 / 10000000;
}

int64_t ms_clock_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
