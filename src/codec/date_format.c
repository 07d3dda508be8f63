/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/date_format.h"

#include "base/clock.h"
#include "codec/calendar.h"
#include "codec/date_pattern.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

const char *const sl_month_names[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const sl_day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};

/* ---- the pattern ---- */

void sl_date_format_free(struct sl_date_format *format)
{
    if (!format)
        return;
    sl_free(format->pieces);
    sl_free(format->texts);
    sl_free(format);
}

static int64_t step_of(char letter)
{
    switch (letter) {
    case 'S': return 1;
    case 's': return 1000;
    case 'm': return 60000;
    case 'H':
    case 'k':
    case 'K':
    case 'h': return 3600000;
    case 'a': return 43200000;
    default: return SL_MS_PER_DAY;
    }
}

static void add_piece(struct sl_date_format *format, struct sl_date_piece piece)
{
    int64_t step = step_of(piece.letter);

    if (step < format->step_ms)
        format->step_ms = step;
    SL_GROW(format->pieces, format->n, format->capacity);
    format->pieces[format->n++] = piece;
}

/* A character of plain text, behind what of it stands there already. */
static void add_char(struct sl_date_format *format, char c, char **end)
{
    struct sl_date_piece *last = format->n ? &format->pieces[format->n - 1] : NULL;

    **end = c;
    if (last && !last->letter)
        last->len++;
    else
        add_piece(format, (struct sl_date_piece){.text = *end, .len = 1});
    (*end)++;
}

/* Text in quotes, from behind the first one; two quotes are one. NULL: it does not end. */
static const char *read_quoted(struct sl_date_format *format, const char *at, char **end)
{
    if (*at == '\'') {
        add_char(format, '\'', end);
        return at + 1;
    }
    for (; *at; at++) {
        if (*at == '\'' && at[1] != '\'')
            return at + 1;
        at += *at == '\'';
        add_char(format, *at, end);
    }
    return NULL;
}

static const char *read_pattern(struct sl_date_format *format, const char *pattern, const char **ret_at)
{
    char *end = format->texts;
    const char *at = pattern;

    while (*at) {
        *ret_at = at;
        if (*at == '\'') {
            at = read_quoted(format, at + 1, &end);
            if (!at)
                return "a quote without its end";
        } else if (isalpha((unsigned char)*at)) {
            uint32_t count = 1;

            while (at[count] == *at)
                count++;
            if (!strchr("GyYMLwWDdFEuaHkKhmsSzZX", *at) || (*at == 'X' && count > 3) || count > 255)
                return "a letter that stands for nothing";
            add_piece(format, (struct sl_date_piece){.letter = *at, .count = count});
            at += count;
        } else {
            add_char(format, *at++, &end);
        }
    }
    return NULL;
}

enum sl_rc sl_date_format_compile(const char *pattern, struct sl_date_format **ret, struct sl_error *err)
{
    struct sl_date_format *format = sl_zalloc(1, sizeof(*format));
    struct sl_calendar now;
    const char *at = pattern;
    const char *wrong;

    format->step_ms = SL_MS_PER_DAY;
    format->texts = sl_alloc(strlen(pattern) + 1);
    wrong = read_pattern(format, pattern, &at);
    if (wrong) {
        sl_date_format_free(format);
        return sl_error_set(err, SL_E_CONFIG,
                            "the date pattern '%.100s' has %s at character %td. HINT: it is one of Java's "
                            "SimpleDateFormat; text goes into single quotes",
                            pattern, wrong, at - pattern + 1);
    }
    sl_calendar_of(sl_wall_us() / 1000, &now);
    format->century_start_ms =
        sl_calendar_days(now.year - 80, now.month, now.day) * SL_MS_PER_DAY + now.ms_of_day;
    *ret = format;
    return SL_OK;
}

int64_t sl_date_format_step_ms(const struct sl_date_format *format)
{
    return format->step_ms;
}

/* ---- writing ---- */

static void put_number(struct sl_buf *out, int64_t number, uint32_t digits)
{
    sl_buf_format(out, "%0*" PRId64, (int)digits, number);
}

/* The week that the first day is in is the first; weeks begin on Sunday. */
static int64_t week_of(int32_t day_of_period, int32_t day_of_week)
{
    int32_t first = ((day_of_week - (day_of_period - 1)) % 7 + 7) % 7; /* of the period's first day */

    return (day_of_period - 1 + first) / 7 + 1;
}

/* The last days of a year belong to the next one's first week, when that has begun. */
static void week_year(const struct sl_calendar *date, int64_t *ret_year, int64_t *ret_week)
{
    int64_t next = sl_calendar_days(date->year + 1, 0, 1);
    int64_t next_week_day = ((next + 4) % 7 + 7) % 7;

    if (date->epoch_day >= next - next_week_day) {
        *ret_year = date->year + 1;
        *ret_week = 1;
    } else {
        *ret_year = date->year;
        *ret_week = week_of(date->day_of_year, date->day_of_week);
    }
}

static void put_year(struct sl_buf *out, int64_t year, uint32_t count)
{
    int64_t shown = year > 0 ? year : 1 - year;

    if (count == 2)
        put_number(out, shown % 100, 2);
    else
        put_number(out, shown, count);
}

static void put_name(struct sl_buf *out, const char *name, uint32_t count)
{
    if (count >= 4)
        sl_buf_text(out, name);
    else
        sl_buf_put(out, name, 3);
}

static void put_month(struct sl_buf *out, int32_t month, uint32_t count)
{
    if (count < 3)
        put_number(out, month + 1, count);
    else
        put_name(out, sl_month_names[month], count);
}

static void put_zone(struct sl_buf *out, char letter, uint32_t count)
{
    if (letter == 'X')
        sl_buf_u8(out, 'Z');
    else if (letter == 'Z')
        sl_buf_text(out, "+0000");
    else
        sl_buf_text(out, count >= 4 ? "Coordinated Universal Time" : "UTC");
}

static bool put_clock(struct sl_buf *out, char letter, uint32_t count, int32_t ms)
{
    int32_t hour = ms / 3600000;

    switch (letter) {
    case 'a': sl_buf_text(out, hour < 12 ? "AM" : "PM"); return true;
    case 'H': put_number(out, hour, count); return true;
    case 'k': put_number(out, hour ? hour : 24, count); return true;
    case 'K': put_number(out, hour % 12, count); return true;
    case 'h': put_number(out, hour % 12 ? hour % 12 : 12, count); return true;
    case 'm': put_number(out, ms / 60000 % 60, count); return true;
    case 's': put_number(out, ms / 1000 % 60, count); return true;
    case 'S': put_number(out, ms % 1000, count); return true;
    default: return false;
    }
}

static void put_week(struct sl_buf *out, const struct sl_date_piece *piece, const struct sl_calendar *date)
{
    int64_t year = 0;
    int64_t week = 0;

    week_year(date, &year, &week);
    if (piece->letter == 'Y')
        put_year(out, year, piece->count);
    else
        put_number(out, week, piece->count);
}

static void put_piece(struct sl_buf *out, const struct sl_date_piece *piece, const struct sl_calendar *date)
{
    uint32_t count = piece->count;

    switch (piece->letter) {
    case 0: sl_buf_put(out, piece->text, piece->len); break;
    case 'G': sl_buf_text(out, date->year > 0 ? "AD" : "BC"); break;
    case 'y': put_year(out, date->year, count); break;
    case 'Y':
    case 'w': put_week(out, piece, date); break;
    case 'M':
    case 'L': put_month(out, date->month, count); break;
    case 'W': put_number(out, week_of(date->day, date->day_of_week), count); break;
    case 'D': put_number(out, date->day_of_year, count); break;
    case 'd': put_number(out, date->day, count); break;
    case 'F': put_number(out, (date->day - 1) / 7 + 1, count); break;
    case 'E': put_name(out, sl_day_names[date->day_of_week], count); break;
    case 'u': put_number(out, date->day_of_week ? date->day_of_week : 7, count); break;
    default:
        if (!put_clock(out, piece->letter, count, date->ms_of_day))
            put_zone(out, piece->letter, count);
    }
}

void sl_date_format_put(const struct sl_date_format *format, int64_t ms, struct sl_buf *out)
{
    struct sl_calendar date;

    sl_calendar_of(ms, &date);
    for (size_t i = 0; i < format->n; i++)
        put_piece(out, &format->pieces[i], &date);
}

void sl_iso_text(int64_t ms, enum sl_iso_form form, struct sl_iso_text *ret)
{
    struct sl_calendar date;
    int n = 0;

    sl_calendar_of(ms, &date);
    if (form != SL_ISO_TIME)
        n = snprintf(ret->chars, sizeof(ret->chars), "%04" PRId64 "-%02d-%02d",
                     date.year > 0 ? date.year : 1 - date.year, date.month + 1, date.day);
    if (form == SL_ISO_TIMESTAMP)
        ret->chars[n++] = 'T';
    if (form != SL_ISO_DATE)
        n += snprintf(ret->chars + n, sizeof(ret->chars) - (size_t)n, "%02d:%02d:%02d.%03dZ",
                      date.ms_of_day / 3600000, date.ms_of_day / 60000 % 60, date.ms_of_day / 1000 % 60,
                      date.ms_of_day % 1000);
    ret->len = (size_t)n;
}
