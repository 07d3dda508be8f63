/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of timestamps, dates, times and durations. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "constant.h"

/* Howard Hinnant's well-known arithmetic on eras of 400 years. */
int64_t sy_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

void sy_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *ret_day = doy - (153 * mp + 2) / 5 + 1;
    *ret_month = mp < 10 ? mp + 3 : mp - 9;
    *ret_year = (int64_t)yoe + era * 400 + (*ret_month <= 2);
}

struct text {
    const char *at;
    const char *end;
};

static bool take(struct text *t, char c)
{
    if (t->at >= t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

/* min to max digits. */
static bool take_digits(struct text *t, int min, int max, int64_t *ret)
{
    int n = 0;
    *ret = 0;
    while (n < max && t->at < t->end && isdigit((unsigned char)*t->at)) {
        *ret = *ret * 10 + (*t->at++ - '0');
        n++;
    }
    return n >= min;
}

static bool take_date(struct text *t, int64_t *ret_days)
{
    int64_t year, month, day;
    bool negative = take(t, '-');
    if (!take_digits(t, 1, 7, &year) || !take(t, '-') || !take_digits(t, 1, 2, &month) || !take(t, '-') ||
        !take_digits(t, 1, 2, &day))
        return false;
    static const uint8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
        return false;
    year = negative ? -year : year;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    *ret_days = sy_days_from_civil(year, (unsigned)month, (unsigned)day);
    return month != 2 || day < 29 || leap;
}

/* Digits behind a point, as nanoseconds. */
static bool take_fraction(struct text *t, int64_t *ret_ns)
{
    int64_t scale = 100000000;
    const char *from = t->at;
    *ret_ns = 0;
    while (t->at < t->end && isdigit((unsigned char)*t->at) && scale > 0) {
        *ret_ns += (*t->at++ - '0') * scale;
        scale /= 10;
    }
    return t->at > from;
}

/* HH:MM[:SS[.fraction]] */
static bool take_clock(struct text *t, int64_t *ret_ns)
{
    int64_t hours, minutes, seconds = 0, fraction = 0;
    if (!take_digits(t, 1, 2, &hours) || !take(t, ':') || !take_digits(t, 1, 2, &minutes))
        return false;
    if (take(t, ':') && !take_digits(t, 1, 2, &seconds))
        return false;
    if (take(t, '.') && !take_fraction(t, &fraction))
        return false;
    if (hours > 23 || minutes > 59 || seconds > 59)
        return false;
    *ret_ns = ((hours * 60 + minutes) * 60 + seconds) * 1000000000LL + fraction;
    return true;
}

/* Z, +HH, +HHMM, +HH:MM, or nothing for UTC. */
static bool take_zone(struct text *t, int64_t *ret_minutes)
{
    int64_t hours, minutes = 0;
    *ret_minutes = 0;
    while (take(t, ' '))
        ;
    if (t->at == t->end || take(t, 'Z') || take(t, 'z'))
        return true;
    if (t->end - t->at == 3 && (memcmp(t->at, "UTC", 3) == 0 || memcmp(t->at, "GMT", 3) == 0)) {
        t->at += 3;
        return true;
    }
    bool negative = take(t, '-');
    if ((!negative && !take(t, '+')) || !take_digits(t, 2, 2, &hours))
        return false;
    (void)take(t, ':');
    if (t->at < t->end && !take_digits(t, 2, 2, &minutes))
        return false;
    *ret_minutes = (hours * 60 + minutes) * (negative ? -1 : 1);
    return hours < 19 && minutes < 60;
}

bool sy_timestamp_from_text(const char *text, size_t len, int64_t *ret_ms)
{
    struct text t = {.at = text, .end = text + len};
    int64_t days, ns = 0, zone;
    if (!take_date(&t, &days))
        return false;
    bool separated = take(&t, 'T') || take(&t, 't') || take(&t, ' ');
    if (separated && t.at < t.end && isdigit((unsigned char)*t.at) && !take_clock(&t, &ns))
        return false;
    if (!take_zone(&t, &zone) || t.at != t.end)
        return false;
    *ret_ms = days * 86400000 + ns / 1000000 - zone * 60000;
    return true;
}

bool sy_date_from_text(const char *text, size_t len, uint32_t *ret_days)
{
    struct text t = {.at = text, .end = text + len};
    int64_t days;
    if (!take_date(&t, &days) || t.at != t.end)
        return false;
    days += 1LL << 31;
    if (days < 0 || days > UINT32_MAX)
        return false;
    *ret_days = (uint32_t)days;
    return true;
}

bool sy_time_from_text(const char *text, size_t len, int64_t *ret_ns)
{
    struct text t = {.at = text, .end = text + len};
    const char *second_colon = memchr(text, ':', len);
    second_colon =
        second_colon == NULL ? NULL : memchr(second_colon + 1, ':', (size_t)(t.end - second_colon - 1));
    return second_colon != NULL && take_clock(&t, ret_ns) && t.at == t.end;
}

struct duration {
    int64_t months;
    int64_t days;
    int64_t ns;
};

static bool add_unit(struct duration *d, int64_t n, const char *unit, size_t len)
{
    static const struct {
        const char *name;
        int64_t months, days, ns;
    } units[] = {{"y", 12, 0, 0},
                 {"mo", 1, 0, 0},
                 {"w", 0, 7, 0},
                 {"d", 0, 1, 0},
                 {"h", 0, 0, 3600000000000},
                 {"m", 0, 0, 60000000000},
                 {"s", 0, 0, 1000000000},
                 {"ms", 0, 0, 1000000},
                 {"us", 0, 0, 1000},
                 {"\xc2\xb5s", 0, 0, 1000},
                 {"ns", 0, 0, 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, unit, len) == 0) {
            int64_t months, days, ns;
            if (__builtin_mul_overflow(n, units[i].months, &months) ||
                __builtin_mul_overflow(n, units[i].days, &days) ||
                __builtin_mul_overflow(n, units[i].ns, &ns))
                return false;
            return !__builtin_add_overflow(d->months, months, &d->months) &&
                   !__builtin_add_overflow(d->days, days, &d->days) &&
                   !__builtin_add_overflow(d->ns, ns, &d->ns);
        }
    return false;
}

/* 1y2mo3w ... */
static bool read_units(struct text t, struct duration *ret)
{
    while (t.at < t.end) {
        int64_t n;
        if (!take_digits(&t, 1, 18, &n))
            return false;
        const char *unit = t.at;
        while (t.at < t.end && !isdigit((unsigned char)*t.at))
            t.at++;
        if (!add_unit(ret, n, unit, (size_t)(t.at - unit)))
            return false;
    }
    return true;
}

/* P1Y2M3DT4H5M6S and P3W; M is months before the T and minutes behind it. */
static bool read_iso(struct text t, struct duration *ret)
{
    bool clock = false;
    while (t.at < t.end) {
        int64_t n;
        if (!clock && (take(&t, 'T') || take(&t, 't'))) {
            clock = true;
            continue;
        }
        if (!take_digits(&t, 1, 18, &n) || t.at >= t.end)
            return false;
        char unit = (char)tolower((unsigned char)*t.at++);
        bool known = strchr(clock ? "hms" : "ymwd", unit) != NULL;
        const char *name = unit == 'm' && !clock ? "mo" : (const char[]){unit, '\0'};
        if (!known || !add_unit(ret, n, name, strlen(name)))
            return false;
    }
    return true;
}

/* P0001-02-03T04:05:06 */
static bool read_iso_alternative(struct text t, struct duration *ret)
{
    int64_t years, months, days, ns;
    if (!take_digits(&t, 4, 4, &years) || !take(&t, '-') || !take_digits(&t, 2, 2, &months) ||
        !take(&t, '-') || !take_digits(&t, 2, 2, &days) || !take(&t, 'T') || !take_clock(&t, &ns))
        return false;
    *ret = (struct duration){.months = years * 12 + months, .days = days, .ns = ns};
    return t.at == t.end;
}

bool sy_duration_from_text(const char *text, size_t len, int32_t *ret_months, int32_t *ret_days,
                           int64_t *ret_ns)
{
    struct text t = {.at = text, .end = text + len};
    struct duration d = {0};
    bool negative = take(&t, '-');
    bool iso = take(&t, 'P') || take(&t, 'p');
    if (t.at == t.end)
        return false;
    bool alternative = iso && t.end - t.at > 4 && t.at[4] == '-';
    if (!(alternative ? read_iso_alternative(t, &d) : iso ? read_iso(t, &d) : read_units(t, &d)))
        return false;
    if (d.months > INT32_MAX || d.days > INT32_MAX)
        return false;
    *ret_months = (int32_t)(negative ? -d.months : d.months);
    *ret_days = (int32_t)(negative ? -d.days : d.days);
    *ret_ns = negative ? -d.ns : d.ns;
    return true;
}
