/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/calendar.h"

#include <stdbool.h>

enum {
    CUTOVER_DAY = -141427,  /* 1582-10-15, the first Gregorian day */
    JULIAN_EPOCH = -719164, /* 0001-01-01 of the Julian calendar */
    DAYS_IN_400_YEARS = 146097,
    DAYS_IN_4_YEARS = 1461,
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Days from 1970-01-01 to the first of March of a year, in both calendars; March begins the year here. */
static int64_t march_first(int64_t year, bool julian)
{
    int64_t days = 365 * year + floor_div(year, 4);

    if (julian)
        return days + JULIAN_EPOCH - 306; /* from the first of March of year 0 */
    return days - floor_div(year, 100) + floor_div(year, 400) - 719468;
}

static int64_t days_of(int64_t year, int64_t month, int64_t day, bool julian)
{
    int64_t y = year + floor_div(month, 12);
    int64_t m = month - 12 * floor_div(month, 12); /* 0 .. 11 */
    int64_t since_march = m >= 2 ? m - 2 : m + 10;

    return march_first(m >= 2 ? y : y - 1, julian) + (153 * since_march + 2) / 5 + day - 1;
}

int64_t sl_calendar_days(int64_t year, int64_t month, int64_t day)
{
    int64_t gregorian = days_of(year, month, day, false);

    return gregorian >= CUTOVER_DAY ? gregorian : days_of(year, month, day, true);
}

int64_t sl_calendar_days_of_year(int64_t year, int64_t day_of_year)
{
    int64_t gregorian = days_of(year, 0, 1, false) + day_of_year - 1;

    return gregorian >= CUTOVER_DAY ? gregorian : days_of(year, 0, 1, true) + day_of_year - 1;
}

void sl_calendar_of(int64_t ms, struct sl_calendar *ret)
{
    int64_t days = floor_div(ms, SL_MS_PER_DAY);
    bool julian = days < CUTOVER_DAY;
    int64_t cycle = julian ? DAYS_IN_4_YEARS : DAYS_IN_400_YEARS;
    int64_t since = days - march_first(0, julian);
    int64_t cycles = floor_div(since, cycle);
    int64_t left = since - cycles * cycle;
    int64_t year;
    int64_t since_march;

    if (julian)
        year = (left - left / 1460) / 365;
    else
        year = (left - left / 1460 + left / 36524 - left / 146096) / 365;
    year += cycles * (julian ? 4 : 400);
    left = days - march_first(year, julian);
    since_march = (5 * left + 2) / 153;
    ret->day = (int32_t)(left - (153 * since_march + 2) / 5 + 1);
    ret->month = (int32_t)(since_march < 10 ? since_march + 2 : since_march - 10);
    ret->year = year + (ret->month < 2);
    ret->day_of_year = (int32_t)(days - sl_calendar_days(ret->year, 0, 1) + 1);
    ret->day_of_week = (int32_t)(days + 4 - 7 * floor_div(days + 4, 7));
    ret->ms_of_day = (int32_t)(ms - days * SL_MS_PER_DAY);
    ret->epoch_day = days;
}
