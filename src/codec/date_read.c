/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading dates with a SimpleDateFormat pattern. Numbers take all digits that follow, unless another field
 * stands right behind; blanks before a field are passed over; what stands behind the last field is nobody's.
 */
#include "codec/calendar.h"
#include "codec/date_pattern.h"

#include <strings.h>

/* What was read, and when: of two ways to say the day, or the hour, the later counts. */
enum field {
    ERA,
    YEAR,
    MONTH,
    DAY,
    DAY_OF_YEAR,
    AM_PM,
    HOUR,
    HOUR_OF_DAY,
    MINUTE,
    SECOND,
    MS,
    ZONE_MS,
    N_FIELDS
};

struct reading {
    const char *at;
    const char *end;
    int64_t fields[N_FIELDS];
    int order[N_FIELDS]; /* 0: not read */
    int next;
    bool ambiguous_year;
};

static void set(struct reading *r, enum field field, int64_t value)
{
    r->fields[field] = value;
    r->order[field] = ++r->next;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Not beyond limit. An int, as Java's Number.intValue gives it. */
static bool read_number(struct reading *r, const char *limit, int64_t *ret)
{
    bool negative = r->at < limit && *r->at == '-';
    const char *at = r->at + negative;
    uint64_t number = 0;

    if (at >= limit || !is_digit(*at))
        return false;
    for (; at < limit && is_digit(*at); at++)
        number = number > 100000000000 ? number : number * 10 + (uint64_t)(*at - '0');
    r->at = at;
    *ret = (int32_t)(negative ? -(int64_t)number : (int64_t)number);
    return true;
}

/* The longest of the names (whole, or their first three letters) that stands here; -1: none. */
static int read_name(struct reading *r, const char *const *names, int n)
{
    int best = -1;
    size_t best_len = 0;

    for (int i = 0; i < n; i++) {
        size_t whole = strlen(names[i]);
        size_t lens[2] = {whole, whole < 3 ? whole : 3};

        for (int l = 0; l < 2; l++) {
            if (lens[l] > best_len && (size_t)(r->end - r->at) >= lens[l] &&
                strncasecmp(r->at, names[i], lens[l]) == 0) {
                best = i;
                best_len = lens[l];
            }
        }
    }
    r->at += best_len;
    return best;
}

static bool read_digits(struct reading *r, int n, int *ret)
{
    int number = 0;

    if (r->end - r->at < n)
        return false;
    for (int i = 0; i < n; i++) {
        if (!is_digit(r->at[i]))
            return false;
        number = number * 10 + (r->at[i] - '0');
    }
    r->at += n;
    *ret = number;
    return true;
}

/* hh[[:]mm] behind a sign. count: of an X, 0 for z and Z. */
static bool read_offset(struct reading *r, int sign, uint32_t count, bool colon)
{
    bool one_digit = colon && count == 0 && r->end - r->at >= 2 && !is_digit(r->at[1]);
    int hours = 0;
    int minutes = 0;

    if (!read_digits(r, one_digit ? 1 : 2, &hours) || hours > 23)
        return false;
    if (count != 1) {
        if (colon && (r->at >= r->end || *r->at++ != ':'))
            return false;
        if (!read_digits(r, 2, &minutes) || minutes > 59)
            return false;
    }
    set(r, ZONE_MS, (int64_t)sign * (hours * 60 + minutes) * 60000);
    return true;
}

static bool starts_with(const struct reading *r, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(r->end - r->at) >= len && strncasecmp(r->at, word, len) == 0;
}

static int read_sign(const struct reading *r)
{
    return r->at >= r->end ? 0 : *r->at == '+' ? 1 : *r->at == '-' ? -1 : 0;
}

static bool read_zone(struct reading *r, char letter, uint32_t count)
{
    static const char *const names[] = {"Coordinated Universal Time", "UTC"};
    int sign = read_sign(r);

    if (letter == 'X' && starts_with(r, "Z") && *r->at == 'Z') {
        r->at++;
        set(r, ZONE_MS, 0);
        return true;
    }
    if (sign) {
        r->at++;
        return read_offset(r, sign, letter == 'X' ? count : 0, letter == 'X' && count == 3);
    }
    if (letter == 'X')
        return false;
    if (starts_with(r, "GMT")) {
        r->at += 3;
        sign = read_sign(r);
        if (sign) {
            r->at++;
            return read_offset(r, sign, 0, true);
        }
        set(r, ZONE_MS, 0);
        return true;
    }
    for (int i = 0; i < 2; i++) {
        if (starts_with(r, names[i])) {
            r->at += strlen(names[i]);
            set(r, ZONE_MS, 0);
            return true;
        }
    }
    return false;
}

/* Two digits where the pattern has two: a year of the hundred that began eighty years ago. */
static int64_t full_year(struct reading *r, const struct sl_date_format *format, int64_t year)
{
    struct sl_calendar start;

    sl_calendar_of(format->century_start_ms, &start);
    r->ambiguous_year = year == start.year % 100;
    return year + start.year / 100 * 100 + (year < start.year % 100 ? 100 : 0);
}

static bool store_number(struct reading *r, const struct sl_date_format *format,
                         const struct sl_date_piece *piece, int64_t number, bool two_digits)
{
    switch (piece->letter) {
    case 'y': set(r, YEAR, piece->count <= 2 && two_digits ? full_year(r, format, number) : number); break;
    case 'M':
    case 'L': set(r, MONTH, number - 1); break;
    case 'd': set(r, DAY, number); break;
    case 'D': set(r, DAY_OF_YEAR, number); break;
    case 'H': set(r, HOUR_OF_DAY, number); break;
    case 'k': set(r, HOUR_OF_DAY, number == 24 ? 0 : number); break;
    case 'K': set(r, HOUR, number); break;
    case 'h': set(r, HOUR, number == 12 ? 0 : number); break;
    case 'm': set(r, MINUTE, number); break;
    case 's': set(r, SECOND, number); break;
    case 'S': set(r, MS, number); break;
    case 'u': break; /* the day of the week does not make a date */
    default: return false;
    }
    return true;
}

static bool read_name_piece(struct reading *r, const struct sl_date_piece *piece)
{
    static const char *const eras[] = {"BC", "AD"};
    static const char *const halves[] = {"AM", "PM"};
    int found;

    switch (piece->letter) {
    case 'G':
        found = read_name(r, eras, 2);
        set(r, ERA, found);
        break;
    case 'a':
        found = read_name(r, halves, 2);
        set(r, AM_PM, found);
        break;
    case 'E': found = read_name(r, sl_day_names, 7); break;
    default: found = read_name(r, sl_month_names, 12); set(r, MONTH, found);
    }
    return found >= 0;
}

static bool read_piece(struct reading *r, const struct sl_date_format *format, size_t index)
{
    const struct sl_date_piece *piece = &format->pieces[index];
    bool abutting = index + 1 < format->n && format->pieces[index + 1].letter;
    const char *start = r->at;
    const char *limit = r->end;
    const char *digits;
    int64_t number = 0;

    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
    if (r->at == r->end)
        return false;
    if (strchr("GaE", piece->letter) || (strchr("ML", piece->letter) && piece->count > 2))
        return read_name_piece(r, piece);
    if (strchr("zZX", piece->letter))
        return read_zone(r, piece->letter, piece->count);
    if (abutting) {
        if ((size_t)(r->end - start) < piece->count)
            return false;
        limit = start + piece->count;
    }
    digits = r->at;
    return read_number(r, limit, &number) &&
           store_number(r, format, piece, number, r->at - digits == 2 && is_digit(*digits));
}

/* Of two ways to say the same the later counts; a way that was not used has order 0. */
static int64_t time_of_day(const struct reading *r)
{
    int by_half = r->order[HOUR] && r->order[AM_PM]
                      ? (r->order[HOUR] > r->order[AM_PM] ? r->order[HOUR] : r->order[AM_PM])
                      : 0;
    int64_t hour = r->fields[HOUR] + 12 * r->fields[AM_PM];

    if (r->order[HOUR_OF_DAY] && r->order[HOUR_OF_DAY] > by_half)
        hour = r->fields[HOUR_OF_DAY];
    return ((hour * 60 + r->fields[MINUTE]) * 60 + r->fields[SECOND]) * 1000 + r->fields[MS];
}

static int64_t assemble(const struct reading *r)
{
    int64_t year = r->order[YEAR] ? r->fields[YEAR] : 1970;
    int64_t days;

    if (r->order[ERA] && r->fields[ERA] == 0)
        year = 1 - year;
    if (r->order[DAY_OF_YEAR] > r->order[DAY])
        days = sl_calendar_days_of_year(year, r->fields[DAY_OF_YEAR]);
    else
        days = sl_calendar_days(year, r->fields[MONTH], r->order[DAY] ? r->fields[DAY] : 1);
    return days * SL_MS_PER_DAY + time_of_day(r) - r->fields[ZONE_MS];
}

bool sl_date_format_read(const struct sl_date_format *format, const char *text, size_t len, int64_t *ret_ms)
{
    struct reading r = {.at = text, .end = text + len};
    int64_t ms;

    for (size_t i = 0; i < format->n; i++) {
        const struct sl_date_piece *piece = &format->pieces[i];

        if (piece->letter) {
            if (!read_piece(&r, format, i))
                return false;
        } else {
            if ((size_t)(r.end - r.at) < piece->len || memcmp(r.at, piece->text, piece->len) != 0)
                return false;
            r.at += piece->len;
        }
    }
    ms = assemble(&r);
    if (r.ambiguous_year && ms < format->century_start_ms) {
        r.fields[YEAR] += 100;
        ms = assemble(&r);
    }
    *ret_ms = ms;
    return true;
}
