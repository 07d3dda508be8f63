/* SPDX-License-Identifier: Apache-2.0 */
#include "datetime.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const month_names[12] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
#define SUNDAY 7 /* DATEDIFF counts weeks from Sundays, whatever SET DATEFIRST says */

static const char *const weekday_names[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                             "Friday", "Saturday", "Sunday"};

int64_t ms_datetime_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 306; /* 0001-01-01 is day 0 */
}

void ms_datetime_civil(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 306;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = (int)(yoe + era * 400 + (*ret_month <= 2));
}

int ms_datetime_month_length(int year, int month)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

const char *ms_datetime_month_name(int month)
{
    return month_names[month - 1];
}

const char *ms_datetime_weekday_name(int64_t days)
{
    return weekday_names[((days % 7) + 7) % 7]; /* 0001-01-01 was a Monday */
}

void ms_datetime_now(struct ms_moment *ret, bool utc)
{
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    int offset_min = utc ? 0 : (int)(local.tm_gmtoff / 60);
    int64_t seconds = (int64_t)now.tv_sec + (int64_t)offset_min * 60;
    int64_t days = seconds / 86400;
    *ret = (struct ms_moment){.days = days + ms_datetime_days(1970, 1, 1),
                              .ticks = (seconds - days * 86400) * MS_TICKS_PER_SECOND + now.tv_nsec / 100,
                              .offset_min = offset_min,
                              .has_date = true,
                              .has_time = true,
                              .has_offset = true};
}

/* Move a moment by ticks, carrying into days. */
static void carry(struct ms_moment *m)
{
    int64_t over = m->ticks / MS_TICKS_PER_DAY;
    if (m->ticks % MS_TICKS_PER_DAY < 0)
        over--;
    m->days += over;
    m->ticks -= over * MS_TICKS_PER_DAY;
}

void ms_datetime_read(const struct ms_type *type, const struct ms_value *value, struct ms_moment *ret)
{
    struct ms_moment m = {.days = MS_DAYS_1900, .has_date = true, .has_time = true};
    if (type->id == MS_DATE) {
        m.days = value->i;
        m.has_time = false;
    } else if (type->id == MS_TIME) {
        m.ticks = value->i;
        m.has_date = false;
    } else if (type->id == MS_DATETIME) {
        int64_t days = value->i / (300 * 86400);
        int64_t rest = value->i - days * 300 * 86400;
        if (rest < 0) {
            days--;
            rest += 300 * 86400;
        }
        m.days += days;
        m.ticks = (rest * MS_TICKS_PER_SECOND / 300 + 5000) / 10000 * 10000; /* shown as .000 .003 .007 */
    } else if (type->id == MS_SMALLDATETIME) {
        m.days += value->i / 1440;
        m.ticks = value->i % 1440 * 60 * MS_TICKS_PER_SECOND;
    } else {
        m.days = 0;
        m.offset_min = type->id == MS_DATETIMEOFFSET ? value->offset_min : 0;
        m.has_offset = type->id == MS_DATETIMEOFFSET;
        m.ticks = value->i + (int64_t)m.offset_min * 60 * MS_TICKS_PER_SECOND;
        carry(&m);
    }
    *ret = m;
}

static int64_t round_ticks(int64_t ticks, int scale)
{
    int64_t grain = 1;
    for (int i = scale; i < 7; i++)
        grain *= 10;
    return (ticks + grain / 2) / grain * grain;
}

static bool make_legacy(const struct ms_type *type, const struct ms_moment *m, struct ms_value *ret)
{
    if (type->id == MS_SMALLDATETIME) {
        int64_t minutes =
            (m->ticks / MS_TICKS_PER_SECOND + 30) / 60; /* 29.998 s rounds down, 29.999 up: near */
        ret->i = (m->days - MS_DAYS_1900) * 1440 + minutes;
        return ret->i >= 0 && ret->i < (int64_t)65536 * 1440;
    }
    int64_t ms = (m->ticks + 5000) / 10000;
    int64_t ticks300 = (ms * 300 + 500) / 1000;
    ret->i = (m->days - MS_DAYS_1900) * 300 * 86400 + ticks300;
    return m->days >= ms_datetime_days(1753, 1, 1) && m->days <= MS_DAYS_MAX;
}

bool ms_datetime_make(const struct ms_type *type, const struct ms_moment *moment, struct ms_value *ret)
{
    struct ms_moment m = *moment;
    struct ms_value v = {0};
    if (!m.has_date)
        m.days = type->id == MS_TIME ? 0 : MS_DAYS_1900;
    if (type->id == MS_DATETIME || type->id == MS_SMALLDATETIME) {
        if (!make_legacy(type, &m, &v))
            return false;
    } else if (type->id == MS_DATE) {
        v.i = m.days;
    } else if (type->id == MS_TIME) {
        v.i = round_ticks(m.ticks, type->scale);
        if (v.i >= MS_TICKS_PER_DAY)
            v.i = 0;
    } else {
        v.i = m.days * MS_TICKS_PER_DAY + round_ticks(m.ticks, type->scale);
        if (type->id == MS_DATETIMEOFFSET) {
            v.i -= (int64_t)m.offset_min * 60 * MS_TICKS_PER_SECOND;
            v.offset_min = (int16_t)m.offset_min;
        }
        if (v.i < 0 || v.i >= (MS_DAYS_MAX + 1) * MS_TICKS_PER_DAY)
            return false;
    }
    if (m.days < 0 || m.days > MS_DAYS_MAX)
        return false;
    *ret = v;
    return true;
}

/* --- date parts --- */

static const struct {
    const char *name;
    enum ms_date_part part;
} part_names[] = {
    {"year", MS_PART_YEAR},
    {"yy", MS_PART_YEAR},
    {"yyyy", MS_PART_YEAR},
    {"quarter", MS_PART_QUARTER},
    {"qq", MS_PART_QUARTER},
    {"q", MS_PART_QUARTER},
    {"month", MS_PART_MONTH},
    {"mm", MS_PART_MONTH},
    {"m", MS_PART_MONTH},
    {"dayofyear", MS_PART_DAYOFYEAR},
    {"dy", MS_PART_DAYOFYEAR},
    {"y", MS_PART_DAYOFYEAR},
    {"day", MS_PART_DAY},
    {"dd", MS_PART_DAY},
    {"d", MS_PART_DAY},
    {"week", MS_PART_WEEK},
    {"wk", MS_PART_WEEK},
    {"ww", MS_PART_WEEK},
    {"iso_week", MS_PART_ISO_WEEK},
    {"isowk", MS_PART_ISO_WEEK},
    {"isoww", MS_PART_ISO_WEEK},
    {"weekday", MS_PART_WEEKDAY},
    {"dw", MS_PART_WEEKDAY},
    {"w", MS_PART_WEEKDAY},
    {"hour", MS_PART_HOUR},
    {"hh", MS_PART_HOUR},
    {"minute", MS_PART_MINUTE},
    {"mi", MS_PART_MINUTE},
    {"n", MS_PART_MINUTE},
    {"second", MS_PART_SECOND},
    {"ss", MS_PART_SECOND},
    {"s", MS_PART_SECOND},
    {"millisecond", MS_PART_MILLISECOND},
    {"ms", MS_PART_MILLISECOND},
    {"microsecond", MS_PART_MICROSECOND},
    {"mcs", MS_PART_MICROSECOND},
    {"nanosecond", MS_PART_NANOSECOND},
    {"ns", MS_PART_NANOSECOND},
    {"tzoffset", MS_PART_TZOFFSET},
    {"tz", MS_PART_TZOFFSET},
};

enum ms_date_part ms_datetime_part_named(const char *name)
{
    for (size_t i = 0; i < sizeof part_names / sizeof part_names[0]; i++)
        if (strcasecmp(part_names[i].name, name) == 0)
            return part_names[i].part;
    return MS_PART_NONE;
}

static int iso_week(int64_t days)
{
    int year, month, day;
    int64_t thursday = days - days % 7 + 3;
    ms_datetime_civil(thursday, &year, &month, &day);
    return (int)((thursday - ms_datetime_days(year, 1, 1)) / 7 + 1);
}

/* 0001-01-01 was a Monday; weeks begin on the day that SET DATEFIRST names. */
static int64_t weeks_since_start(int64_t days, int date_first)
{
    return (days + 8 - date_first) / 7;
}

int64_t ms_datetime_part(const struct ms_moment *m, enum ms_date_part part, int date_first)
{
    int year, month, day;
    int64_t seconds = m->ticks / MS_TICKS_PER_SECOND;
    int64_t fraction = m->ticks % MS_TICKS_PER_SECOND;
    ms_datetime_civil(m->days, &year, &month, &day);
    switch (part) {
    case MS_PART_YEAR: return year;
    case MS_PART_QUARTER: return (month + 2) / 3;
    case MS_PART_MONTH: return month;
    case MS_PART_DAYOFYEAR: return m->days - ms_datetime_days(year, 1, 1) + 1;
    case MS_PART_DAY: return day;
    case MS_PART_WEEK:
        return weeks_since_start(m->days, date_first) -
               weeks_since_start(ms_datetime_days(year, 1, 1), date_first) + 1;
    case MS_PART_ISO_WEEK: return iso_week(m->days);
    case MS_PART_WEEKDAY: return (m->days + 8 - date_first) % 7 + 1;
    case MS_PART_HOUR: return seconds / 3600;
    case MS_PART_MINUTE: return seconds / 60 % 60;
    case MS_PART_SECOND: return seconds % 60;
    case MS_PART_MILLISECOND: return fraction / 10000;
    case MS_PART_MICROSECOND: return fraction / 10;
    case MS_PART_NANOSECOND: return fraction * 100;
    case MS_PART_TZOFFSET: return m->offset_min;
    case MS_PART_NONE: break;
    }
    return 0;
}

static bool add_months(struct ms_moment *m, int64_t months)
{
    int year, month, day;
    ms_datetime_civil(m->days, &year, &month, &day);
    int64_t total = (int64_t)year * 12 + month - 1 + months;
    if (total < 12 || total >= (int64_t)10000 * 12)
        return false;
    year = (int)(total / 12);
    month = (int)(total % 12) + 1;
    int last = ms_datetime_month_length(year, month);
    m->days = ms_datetime_days(year, month, day < last ? day : last);
    return true;
}

static int64_t part_ticks(enum ms_date_part part)
{
    switch (part) {
    case MS_PART_HOUR: return 3600 * MS_TICKS_PER_SECOND;
    case MS_PART_MINUTE: return 60 * MS_TICKS_PER_SECOND;
    case MS_PART_SECOND: return MS_TICKS_PER_SECOND;
    case MS_PART_MILLISECOND: return 10000;
    case MS_PART_MICROSECOND: return 10;
    case MS_PART_NONE:
    case MS_PART_YEAR:
    case MS_PART_QUARTER:
    case MS_PART_MONTH:
    case MS_PART_DAYOFYEAR:
    case MS_PART_DAY:
    case MS_PART_WEEK:
    case MS_PART_ISO_WEEK:
    case MS_PART_WEEKDAY:
    case MS_PART_NANOSECOND:
    case MS_PART_TZOFFSET: break;
    }
    return 0;
}

bool ms_datetime_add(struct ms_moment *m, enum ms_date_part part, int64_t amount)
{
    int64_t ticks = part_ticks(part);
    if (part == MS_PART_YEAR || part == MS_PART_QUARTER || part == MS_PART_MONTH) {
        int64_t factor = part == MS_PART_YEAR ? 12 : part == MS_PART_QUARTER ? 3 : 1;
        if (amount > 200000 || amount < -200000 || !add_months(m, amount * factor))
            return false;
    } else if (part == MS_PART_NANOSECOND) {
        m->ticks += amount / 100;
    } else if (ticks) {
        int64_t per_day = MS_TICKS_PER_DAY / ticks;
        m->days += amount / per_day;
        m->ticks += amount % per_day * ticks;
    } else {
        int64_t days;
        if (__builtin_mul_overflow(amount, part == MS_PART_WEEK ? 7 : 1, &days) || days > 4000000 ||
            days < -4000000)
            return false;
        m->days += days;
    }
    carry(m);
    return m->days >= 0 && m->days <= MS_DAYS_MAX;
}

/* DATEDIFF counts boundaries crossed, not whole units elapsed. */
int64_t ms_datetime_difference(const struct ms_moment *from, const struct ms_moment *to,
                               enum ms_date_part part)
{
    int64_t year = ms_datetime_part(to, MS_PART_YEAR, SUNDAY) - ms_datetime_part(from, MS_PART_YEAR, SUNDAY);
    int64_t ticks = part_ticks(part);
    switch (part) {
    case MS_PART_YEAR: return year;
    case MS_PART_QUARTER:
        return year * 4 + ms_datetime_part(to, MS_PART_QUARTER, SUNDAY) -
               ms_datetime_part(from, MS_PART_QUARTER, SUNDAY);
    case MS_PART_MONTH:
        return year * 12 + ms_datetime_part(to, MS_PART_MONTH, SUNDAY) -
               ms_datetime_part(from, MS_PART_MONTH, SUNDAY);
    case MS_PART_WEEK:
    case MS_PART_ISO_WEEK: return weeks_since_start(to->days, SUNDAY) - weeks_since_start(from->days, SUNDAY);
    case MS_PART_HOUR:
    case MS_PART_MINUTE:
    case MS_PART_SECOND:
    case MS_PART_MILLISECOND:
    case MS_PART_MICROSECOND:
        return (to->days - from->days) * (MS_TICKS_PER_DAY / ticks) + to->ticks / ticks - from->ticks / ticks;
    case MS_PART_NANOSECOND:
        return ((to->days - from->days) * MS_TICKS_PER_DAY + to->ticks - from->ticks) * 100;
    case MS_PART_NONE:
    case MS_PART_DAYOFYEAR:
    case MS_PART_DAY:
    case MS_PART_WEEKDAY:
    case MS_PART_TZOFFSET: break;
    }
    return to->days - from->days;
}
