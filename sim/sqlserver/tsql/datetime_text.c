/* SPDX-License-Identifier: Apache-2.0 */
/* The text side of datetime.h: reading literals in their many forms, and the styles of CONVERT. */
#include "datetime.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *at;
    const char *end;
};

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

/* Up to max digits; answers how many there were. */
static int read_number(struct reader *r, int max, int *ret)
{
    int digits = 0, value = 0;
    while (r->at < r->end && isdigit((unsigned char)*r->at) && digits < max) {
        value = value * 10 + (*r->at++ - '0');
        digits++;
    }
    *ret = value;
    return digits;
}

static int read_month_name(struct reader *r)
{
    size_t n = 0;
    while (r->at + n < r->end && isalpha((unsigned char)r->at[n]))
        n++;
    for (int month = 1; month <= 12 && n >= 3; month++) {
        const char *name = ms_datetime_month_name(month);
        if ((n == 3 || n == strlen(name)) && strncasecmp(r->at, name, n) == 0) {
            r->at += n;
            return month;
        }
    }
    return 0;
}

static bool take(struct reader *r, char c)
{
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool set_date(int year, int month, int day, struct ms_moment *m)
{
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > ms_datetime_month_length(year, month))
        return false;
    m->days = ms_datetime_days(year, month, day);
    m->has_date = true;
    return true;
}

static int full_year(int year, int digits)
{
    if (digits > 2)
        return year;
    return year < 50 ? 2000 + year : 1900 + year;
}

static void skip_separators(struct reader *r)
{
    while (r->at < r->end && (isspace((unsigned char)*r->at) || *r->at == ',' || *r->at == '-' ||
                              *r->at == '/' || *r->at == '.'))
        r->at++;
}

/* "Jan 16, 2016", "16 Jan 2016", "16-JAN-2016": the month's name decides where day and year stand. */
static bool read_named_date(struct reader *r, int first, int first_digits, struct ms_moment *m)
{
    int second, year, digits;
    skip_separators(r);
    int month = read_month_name(r);
    if (!month)
        return false;
    skip_separators(r);
    digits = read_number(r, 4, &second);
    if (!digits)
        return false;
    if (first_digits)
        return set_date(full_year(second, digits), month, first, m);
    skip_separators(r);
    digits = read_number(r, 4, &year);
    return digits && set_date(full_year(year, digits), month, second, m);
}

static bool read_date(struct reader *r, struct ms_moment *m)
{
    int a, b, c, digits = read_number(r, 8, &a), last;
    if (digits == 0 || (r->at < r->end && isalpha((unsigned char)*r->at)) ||
        (r->at + 1 < r->end && isalpha((unsigned char)r->at[1])))
        if (digits != 4 || r->at >= r->end || (*r->at != 'T' && *r->at != 't'))
            return read_named_date(r, a, digits, m);
    if (digits == 8)
        return set_date(a / 10000, a / 100 % 100, a % 100, m);
    if (digits == 6)
        return set_date(full_year(a / 10000, 2), a / 100 % 100, a % 100, m);
    if (r->at >= r->end || !strchr("-/.", *r->at))
        return digits == 4 && set_date(a, 1, 1, m);
    char separator = *r->at++;
    if (!read_number(r, 2, &b) || !take(r, separator))
        return false;
    last = read_number(r, 4, &c);
    if (!last)
        return false;
    if (digits >= 3)
        return set_date(a, b, c, m);              /* year first */
    return set_date(full_year(c, last), a, b, m); /* SET DATEFORMAT mdy, the default */
}

static bool read_fraction(struct reader *r, int64_t *ret_ticks)
{
    int64_t ticks = 0, unit = MS_TICKS_PER_SECOND;
    int digits = 0;
    while (r->at < r->end && isdigit((unsigned char)*r->at)) {
        int digit = *r->at++ - '0';
        unit /= 10;
        ticks += unit * digit;
        if (++digits == 8 && digit >= 5)
            ticks++;
        if (digits > 9)
            return false;
    }
    *ret_ticks = ticks;
    return digits > 0;
}

static bool read_meridiem(struct reader *r, int *hour)
{
    if (r->end - r->at < 2 || tolower((unsigned char)r->at[1]) != 'm')
        return true;
    int c = tolower((unsigned char)r->at[0]);
    if ((c != 'a' && c != 'p') || *hour < 1 || *hour > 12)
        return c != 'a' && c != 'p';
    *hour = *hour % 12 + (c == 'p' ? 12 : 0);
    r->at += 2;
    return true;
}

static bool read_time(struct reader *r, struct ms_moment *m)
{
    int hour, minute = 0, second = 0;
    int64_t fraction = 0;
    if (!read_number(r, 2, &hour))
        return false;
    if (take(r, ':')) {
        if (!read_number(r, 2, &minute))
            return false;
        if (take(r, ':')) {
            if (!read_number(r, 2, &second))
                return false;
            if ((take(r, '.') || take(r, ':')) && !read_fraction(r, &fraction))
                return false;
        }
    } else {
        skip_blanks(r);
        if (r->end - r->at < 2 || !strchr("aApP", *r->at))
            return false;
    }
    skip_blanks(r);
    if (!read_meridiem(r, &hour) || hour > 23 || minute > 59 || second > 59)
        return false;
    m->ticks = ((int64_t)hour * 3600 + minute * 60 + second) * MS_TICKS_PER_SECOND + fraction;
    m->has_time = true;
    return true;
}

static bool read_offset(struct reader *r, struct ms_moment *m)
{
    int hours, minutes = 0;
    if (take(r, 'Z') || take(r, 'z')) {
        m->has_offset = true;
        return true;
    }
    if (r->at >= r->end || (*r->at != '+' && *r->at != '-'))
        return true;
    int sign = *r->at++ == '-' ? -1 : 1;
    if (!read_number(r, 2, &hours) || !take(r, ':') || read_number(r, 2, &minutes) != 2)
        return false;
    m->offset_min = sign * (hours * 60 + minutes);
    m->has_offset = true;
    return hours <= 14 && minutes < 60 && hours * 60 + minutes <= 840;
}

bool ms_datetime_parse(const char *text, size_t len, struct ms_moment *ret)
{
    struct reader r = {text, text + len};
    struct ms_moment m = {0};
    skip_blanks(&r);
    if (r.at == r.end) { /* an empty text is 1900-01-01 */
        *ret = (struct ms_moment){.days = MS_DAYS_1900, .has_date = true, .has_time = true};
        return true;
    }
    const char *start = r.at;
    int number, digits = read_number(&r, 2, &number);
    bool time_first = digits && r.at < r.end &&
                      (*r.at == ':' || ((*r.at == 'a' || *r.at == 'A' || *r.at == 'p' || *r.at == 'P') &&
                                        r.end - r.at >= 2 && (r.at[1] == 'm' || r.at[1] == 'M') &&
                                        (r.end - r.at == 2 || isspace((unsigned char)r.at[2]))));
    r.at = start;
    if (!time_first) {
        if (!read_date(&r, &m))
            return false;
        if (!take(&r, 'T') && !take(&r, 't'))
            skip_blanks(&r);
    }
    if (r.at < r.end && isdigit((unsigned char)*r.at) && !read_time(&r, &m))
        return false;
    skip_blanks(&r);
    if (!read_offset(&r, &m))
        return false;
    skip_blanks(&r);
    if (r.at != r.end || (!m.has_date && !m.has_time))
        return false;
    *ret = m;
    return true;
}

/* --- printing --- */

struct shown {
    int year, month, day, hour, minute, second;
    int64_t fraction; /* of a second, 100 ns */
    int scale;        /* digits of it to show */
    int offset_min;
};

static size_t put_fraction(char *text, size_t at, const struct shown *s, int scale)
{
    char digits[8];
    if (scale == 0)
        return at;
    (void)snprintf(digits, sizeof digits, "%07d", (int)s->fraction);
    text[at++] = '.';
    memcpy(text + at, digits, (size_t)scale);
    text[at + (size_t)scale] = 0;
    return at + (size_t)scale;
}

static size_t put(char *text, size_t at, const char *format, int a, int b, int c)
    __attribute__((format(printf, 3, 0)));
static size_t put(char *text, size_t at, const char *format, int a, int b, int c)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return at + (size_t)snprintf(text + at, MS_DATETIME_TEXT - at, format, a, b, c);
#pragma GCC diagnostic pop
}

static size_t put_clock(char *text, size_t at, const struct shown *s, int scale)
{
    at = put(text, at, "%02d:%02d:%02d", s->hour, s->minute, s->second);
    return put_fraction(text, at, s, scale);
}

static size_t put_offset(char *text, size_t at, const struct shown *s)
{
    int minutes = s->offset_min < 0 ? -s->offset_min : s->offset_min;
    text[at++] = ' ';
    text[at++] = s->offset_min < 0 ? '-' : '+';
    return put(text, at, "%02d:%02d", minutes / 60, minutes % 60, 0);
}

/* "Jan  2 2020  3:04PM", the style that datetime takes by itself. */
static size_t put_mon(char *text, size_t at, const struct shown *s, bool date, bool time)
{
    char name[4] = {0};
    memcpy(name, ms_datetime_month_name(s->month), 3);
    if (date)
        at += (size_t)snprintf(text + at, MS_DATETIME_TEXT - at, "%s %2d %04d", name, s->day, s->year);
    if (date && time)
        text[at++] = ' ';
    if (time) {
        int hour = s->hour % 12 == 0 ? 12 : s->hour % 12;
        at += (size_t)snprintf(text + at, MS_DATETIME_TEXT - at, "%2d:%02d%s", hour, s->minute,
                               s->hour < 12 ? "AM" : "PM");
    }
    return at;
}

static size_t put_iso(char *text, const struct shown *s, enum ms_type_id id, char between)
{
    size_t at = 0;
    if (id != MS_TIME)
        at = put(text, at, "%04d-%02d-%02d", s->year, s->month, s->day);
    if (id == MS_DATE)
        return at;
    if (id != MS_TIME)
        text[at++] = between;
    at = put_clock(text, at, s, s->scale);
    return id == MS_DATETIMEOFFSET ? put_offset(text, at, s) : at;
}

static size_t put_date_style(char *text, const struct shown *s, int style)
{
    int y = style >= 100 ? s->year : s->year % 100, width = style >= 100 ? 4 : 2;
    char name[4] = {0};
    memcpy(name, ms_datetime_month_name(s->month), 3);
    const struct {
        int style;
        char separator;
        int order; /* 0 mdy, 1 ymd, 2 dmy */
    } shapes[] = {{1, '/', 0}, {2, '.', 1},  {3, '/', 2}, {4, '.', 2},
                  {5, '-', 2}, {10, '-', 0}, {11, '/', 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char c = shapes[i].separator;
        if (shapes[i].style != style % 100)
            continue;
        if (shapes[i].order == 0)
            return (size_t)snprintf(text, MS_DATETIME_TEXT, "%02d%c%02d%c%0*d", s->month, c, s->day, c, width,
                                    y);
        if (shapes[i].order == 1)
            return (size_t)snprintf(text, MS_DATETIME_TEXT, "%0*d%c%02d%c%02d", width, y, c, s->month, c,
                                    s->day);
        return (size_t)snprintf(text, MS_DATETIME_TEXT, "%02d%c%02d%c%0*d", s->day, c, s->month, c, width, y);
    }
    if (style % 100 == 6)
        return (size_t)snprintf(text, MS_DATETIME_TEXT, "%02d %s %0*d", s->day, name, width, y);
    if (style % 100 == 7)
        return (size_t)snprintf(text, MS_DATETIME_TEXT, "%s %02d, %0*d", name, s->day, width, y);
    if (style % 100 == 12)
        return (size_t)snprintf(text, MS_DATETIME_TEXT, "%0*d%02d%02d", width, y, s->month, s->day);
    return 0;
}

static size_t print_default(enum ms_type_id id, const struct shown *s, char *text)
{
    if (id == MS_DATETIME || id == MS_SMALLDATETIME)
        return put_mon(text, 0, s, true, true);
    return put_iso(text, s, id, ' ');
}

size_t ms_datetime_print(const struct ms_type *type, const struct ms_value *value, int style, char *ret_text)
{
    struct ms_moment m;
    struct shown s = {.scale = type->id == MS_DATETIME ? 3 : type->id == MS_SMALLDATETIME ? 0 : type->scale};
    ms_datetime_read(type, value, &m);
    ms_datetime_civil(m.days, &s.year, &s.month, &s.day);
    int64_t seconds = m.ticks / MS_TICKS_PER_SECOND;
    s.hour = (int)(seconds / 3600);
    s.minute = (int)(seconds / 60 % 60);
    s.second = (int)(seconds % 60);
    s.fraction = m.ticks % MS_TICKS_PER_SECOND;
    s.offset_min = m.offset_min;
    switch (style) {
    case -1: return print_default(type->id, &s, ret_text);
    case 0:
    case 100: return put_mon(ret_text, 0, &s, type->id != MS_TIME, type->id != MS_DATE);
    case 8:
    case 24:
    case 108: return put_clock(ret_text, 0, &s, 0);
    case 14:
    case 114: {
        size_t at = put_clock(ret_text, 0, &s, s.scale > 3 ? s.scale : 3);
        ret_text[8] = ':';
        return at;
    }
    case 20:
    case 120: s.scale = 0; return put_iso(ret_text, &s, type->id, ' ');
    case 21:
    case 25:
    case 121: return put_iso(ret_text, &s, type->id, ' ');
    case 23: return put_iso(ret_text, &s, MS_DATE, ' ');
    case 126:
    case 127:
        if (type->id == MS_DATETIME && s.fraction == 0)
            s.scale = 0;
        return put_iso(ret_text, &s, type->id, 'T');
    default: return put_date_style(ret_text, &s, style);
    }
}
