/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calendar of SQL Server's date and time types: text to moments, moments to text, and date parts.
 *
 * A moment is local: days since 0001-01-01 and 100 ns ticks since midnight, with the zone kept beside them.
 * Range: 0001-01-01 to 9999-12-31. Nothing here knows time zones other than a number of minutes.
 */
#ifndef SIM_SQLSERVER_TSQL_DATETIME_H
#define SIM_SQLSERVER_TSQL_DATETIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../value.h"

#define MS_TICKS_PER_SECOND INT64_C(10000000)
#define MS_TICKS_PER_DAY (86400 * MS_TICKS_PER_SECOND)
#define MS_DAYS_1900 693595 /* 1900-01-01 */
#define MS_DAYS_MAX 3652058 /* 9999-12-31 */
#define MS_DATETIME_TEXT 64 /* bytes that any text of a moment fits in */

struct ms_moment {
    int64_t days;       /* since 0001-01-01, local */
    int64_t ticks;      /* 100 ns since midnight, local */
    int32_t offset_min; /* minutes east of UTC */
    bool has_date;
    bool has_time;
    bool has_offset;
};

enum ms_date_part {
    MS_PART_NONE = 0,
    MS_PART_YEAR,
    MS_PART_QUARTER,
    MS_PART_MONTH,
    MS_PART_DAYOFYEAR,
    MS_PART_DAY,
    MS_PART_WEEK,
    MS_PART_ISO_WEEK,
    MS_PART_WEEKDAY,
    MS_PART_HOUR,
    MS_PART_MINUTE,
    MS_PART_SECOND,
    MS_PART_MILLISECOND,
    MS_PART_MICROSECOND,
    MS_PART_NANOSECOND,
    MS_PART_TZOFFSET,
};

int64_t ms_datetime_days(int year, int month, int day);
void ms_datetime_civil(int64_t days, int *ret_year, int *ret_month, int *ret_day);
int ms_datetime_month_length(int year, int month);

/* Parse any of the usual literal forms (ISO 8601, yyyymmdd, m/d/y, dd-MON-yyyy, MON dd yyyy h:mmAM, times).
 */
bool ms_datetime_parse(const char *text, size_t len, struct ms_moment *ret);

/* A value of one of the date types as a moment, and back (rounding to the type's grain). False: out of range.
 */
void ms_datetime_read(const struct ms_type *type, const struct ms_value *value, struct ms_moment *ret);
bool ms_datetime_make(const struct ms_type *type, const struct ms_moment *moment, struct ms_value *ret);

/* The text of a value of a date type under a CONVERT style (-1: the type's default). Answers the length, 0 =
 * style not known. ret_text holds MS_DATETIME_TEXT bytes. */
size_t ms_datetime_print(const struct ms_type *type, const struct ms_value *value, int style, char *ret_text);

enum ms_date_part ms_datetime_part_named(const char *name); /* "year", "yy", "yyyy", ... */
/* date_first (SET DATEFIRST, 1 Monday .. 7 Sunday) decides about week and weekday. */
int64_t ms_datetime_part(const struct ms_moment *moment, enum ms_date_part part, int date_first);
bool ms_datetime_add(struct ms_moment *moment, enum ms_date_part part, int64_t amount);
int64_t ms_datetime_difference(const struct ms_moment *from, const struct ms_moment *to,
                               enum ms_date_part part);
const char *ms_datetime_month_name(int month);         /* 1..12 */
const char *ms_datetime_weekday_name(int64_t days);    /* of that day */
void ms_datetime_now(struct ms_moment *ret, bool utc); /* local time of the server's TZ, or UTC */

#endif
