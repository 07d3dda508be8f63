/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of dates and times to values. Those without a zone are taken as UTC, as Debezium does. */
#include "source/sqlserver/field.h"

#include <stdio.h>
#include <stdlib.h>

enum { NS_PER_MS = 1000000 };
#define NS_PER_SECOND INT64_C(1000000000)

/* After Howard Hinnant's days_from_civil: years begin in March, eras have 400 of them. */
int64_t sl_mssql_days(int year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int64_t seconds_of(const SQL_TIMESTAMP_STRUCT *t)
{
    return (int64_t)t->hour * 3600 + (int64_t)t->minute * 60 + t->second;
}

static int64_t fraction_of(const struct sl_mssql_field *field, const SQL_TIMESTAMP_STRUCT *t)
{
    int64_t ns = t->fraction;

    return field->round_ms ? (ns + NS_PER_MS / 2) / NS_PER_MS * NS_PER_MS : ns;
}

struct sl_value sl_mssql_convert_date(struct sl_mssql_field *field, const struct sl_cell *cell,
                                      struct sl_arena *arena)
{
    const SQL_DATE_STRUCT *date = cell->data;

    (void)field;
    (void)arena;
    return sl_int(SL_INT32, sl_mssql_days(date->year, date->month, date->day));
}

struct sl_value sl_mssql_convert_time(struct sl_mssql_field *field, const struct sl_cell *cell,
                                      struct sl_arena *arena)
{
    const SQL_TIMESTAMP_STRUCT *t = cell->data;

    (void)arena;
    return sl_int(field->schema->type,
                  seconds_of(t) * field->unit + (int64_t)t->fraction / (NS_PER_SECOND / field->unit));
}

struct sl_value sl_mssql_convert_timestamp(struct sl_mssql_field *field, const struct sl_cell *cell,
                                           struct sl_arena *arena)
{
    const SQL_TIMESTAMP_STRUCT *t = cell->data;
    int64_t seconds = sl_mssql_days(t->year, t->month, t->day) * 86400 + seconds_of(t);
    int64_t value;

    (void)arena;
    /* Nanoseconds end in 2262; what lies beyond is held at the end and counted, never wrapped around. */
    if (__builtin_mul_overflow(seconds, field->unit, &value) ||
        __builtin_add_overflow(value, fraction_of(field, t) / (NS_PER_SECOND / field->unit), &value)) {
        field->overflowed++;
        value = seconds < 0 ? INT64_MIN : INT64_MAX;
    }
    return sl_int(SL_INT64, value);
}

/* ".123" without trailing zeros, or nothing. Returns how many bytes. */
static int put_fraction(char *text, size_t size, int64_t ns)
{
    int n;

    if (!ns)
        return 0;
    n = snprintf(text, size, ".%09lld", (long long)ns);
    while (n > 0 && text[n - 1] == '0')
        n--;
    return n;
}

struct sl_value sl_mssql_convert_offset(struct sl_mssql_field *field, const struct sl_cell *cell,
                                        struct sl_arena *arena)
{
    const struct sl_cell_offset *t = cell->data;
    char *text = sl_arena_alloc(arena, 64);
    int n = snprintf(text, 64, "%04d-%02u-%02uT%02u:%02u:%02u", t->year, t->month, t->day, t->hour, t->minute,
                     t->second);
    int minutes = t->offset_hour * 60 + t->offset_minute; /* both carry the sign */

    (void)field;
    n += put_fraction(text + n, 64 - (size_t)n, t->fraction);
    if (!minutes)
        text[n++] = 'Z';
    else
        n += snprintf(text + n, 64 - (size_t)n, "%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60,
                      abs(minutes) % 60);
    return sl_bytes(SL_STRING, text, (size_t)n);
}

struct sl_value sl_mssql_convert_iso_date(struct sl_mssql_field *field, const struct sl_cell *cell,
                                          struct sl_arena *arena)
{
    const SQL_DATE_STRUCT *date = cell->data;
    char *text = sl_arena_alloc(arena, 32);

    (void)field;
    return sl_bytes(SL_STRING, text,
                    (size_t)snprintf(text, 32, "%04d-%02u-%02uZ", date->year, date->month, date->day));
}

static struct sl_value iso(struct sl_mssql_field *field, const SQL_TIMESTAMP_STRUCT *t, bool with_date,
                           struct sl_arena *arena)
{
    char *text = sl_arena_alloc(arena, 64);
    int n = with_date ? snprintf(text, 64, "%04d-%02u-%02uT", t->year, t->month, t->day) : 0;

    n += snprintf(text + n, 64 - (size_t)n, "%02u:%02u:%02u", t->hour, t->minute, t->second);
    n += put_fraction(text + n, 64 - (size_t)n, fraction_of(field, t));
    text[n++] = 'Z';
    return sl_bytes(SL_STRING, text, (size_t)n);
}

struct sl_value sl_mssql_convert_iso_time(struct sl_mssql_field *field, const struct sl_cell *cell,
                                          struct sl_arena *arena)
{
    return iso(field, cell->data, false, arena);
}

struct sl_value sl_mssql_convert_iso_timestamp(struct sl_mssql_field *field, const struct sl_cell *cell,
                                               struct sl_arena *arena)
{
    return iso(field, cell->data, true, arena);
}
