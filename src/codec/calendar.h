/* SPDX-License-Identifier: Apache-2.0 */
/* Java's GregorianCalendar in UTC: days to dates and back, Julian before 15 October 1582. */
#ifndef SLUICE_CODEC_CALENDAR_H
#define SLUICE_CODEC_CALENDAR_H

#include <stdint.h>

enum { SL_MS_PER_DAY = 86400000 };

struct sl_calendar {
    int64_t year;        /* astronomical: 0 is 1 BC */
    int32_t month;       /* 0 .. 11 */
    int32_t day;         /* 1 .. 31 */
    int32_t day_of_year; /* 1 .. 366 */
    int32_t day_of_week; /* 0: Sunday */
    int32_t ms_of_day;
    int64_t epoch_day;
};

void sl_calendar_of(int64_t ms, struct sl_calendar *ret);

/* Days since 1970 of a date; month and day may lie outside their ranges and carry over. */
int64_t sl_calendar_days(int64_t year, int64_t month, int64_t day);

/* The same, counted by the day of the year (1: the first of January). */
int64_t sl_calendar_days_of_year(int64_t year, int64_t day_of_year);

#endif
