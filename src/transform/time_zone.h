/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets of time zones: fixed ones (+05:30), and IANA's names (Europe/Berlin) by the system's zone data
 * (/usr/share/zoneinfo, RFC 8536), which are read once; the C library's TZ is not touched. The rule at the
 * end of a zone's data is followed until the year 2500.
 *
 * Threads: any; a zone does not change.
 */
#ifndef SLUICE_TRANSFORM_TIME_ZONE_H
#define SLUICE_TRANSFORM_TIME_ZONE_H

#include "sluice/error.h"

#include <stdint.h>

struct sl_time_zone;

/* Errors: CONFIG, no such zone. */
enum sl_rc sl_time_zone_open(const char *name, struct sl_time_zone **ret, struct sl_error *err);
void sl_time_zone_free(struct sl_time_zone *zone); /* NULL is fine */

/* Seconds east of UTC at a moment, seconds since 1970. */
int32_t sl_time_zone_at(const struct sl_time_zone *zone, int64_t utc_s);

/*
 * The same for what a clock on the wall shows, as seconds since its own 1970. An hour that is skipped or that
 * comes twice has the offset from before, as in Java.
 */
int32_t sl_time_zone_at_local(const struct sl_time_zone *zone, int64_t local_s);

/* Days since 1970 of a date of the Gregorian calendar, and the date of a day; month 1 .. 12. */
int64_t sl_days_of(int64_t year, int month, int day);
void sl_date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif
