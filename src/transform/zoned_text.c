/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/zoned_text.h"

#include "transform/time_zone.h"

#include <stdio.h>
#include <string.h>

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static bool digits(struct cursor *cursor, int n, int max, int *ret)
{
    int number = 0;

    for (; n > 0; n--) {
        if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9')
            return false;
        number = number * 10 + (*cursor->at++ - '0');
    }
    *ret = number;
    return number <= max;
}

static bool read_date(struct cursor *cursor, int64_t *ret_s)
{
    int year, month, day;
    int64_t back_year;
    int back_month, back_day;

    if (!digits(cursor, 4, 9999, &year) || !take(cursor, '-') || !digits(cursor, 2, 12, &month) ||
        !take(cursor, '-') || !digits(cursor, 2, 31, &day) || !take(cursor, 'T') || !month || !day)
        return false;
    *ret_s = sl_days_of(year, month, day) * 86400;
    sl_date_of(*ret_s / 86400 - (*ret_s % 86400 < 0), &back_year, &back_month, &back_day);
    return back_day == day; /* no 30 February */
}

static bool read_fraction(struct cursor *cursor, int32_t *ret_nanos)
{
    int32_t unit = 100000000;
    int digit;

    for (; unit && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; unit /= 10) {
        if (!digits(cursor, 1, 9, &digit))
            return false;
        *ret_nanos += digit * unit;
    }
    return true;
}

static bool read_offset(struct cursor *cursor, int32_t *ret_s)
{
    bool west = cursor->at < cursor->end && *cursor->at == '-';
    int hours, minutes;
    int seconds = 0;

    if (take(cursor, 'Z')) {
        *ret_s = 0;
        return true;
    }
    if (!take(cursor, west ? '-' : '+') || !digits(cursor, 2, 18, &hours) || !take(cursor, ':') ||
        !digits(cursor, 2, 59, &minutes))
        return false;
    if (take(cursor, ':') && !digits(cursor, 2, 59, &seconds))
        return false;
    *ret_s = (west ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

bool sl_zoned_read(const char *text, size_t len, struct sl_zoned *ret)
{
    struct cursor cursor = {text, text + len};
    struct sl_zoned zoned = {.has_date = len > 4 && text[4] == '-'};
    int hour, minute;
    int second = 0;

    if (zoned.has_date && !read_date(&cursor, &zoned.local_s))
        return false;
    if (!digits(&cursor, 2, 23, &hour) || !take(&cursor, ':') || !digits(&cursor, 2, 59, &minute))
        return false;
    if (take(&cursor, ':')) {
        if (!digits(&cursor, 2, 59, &second))
            return false;
        if (take(&cursor, '.') && !read_fraction(&cursor, &zoned.nanos))
            return false;
    }
    if (!read_offset(&cursor, &zoned.offset_s) || cursor.at != cursor.end)
        return false;
    zoned.local_s += hour * 3600 + minute * 60 + second;
    *ret = zoned;
    return true;
}

static size_t put_offset(int32_t offset_s, char *text, size_t size)
{
    int32_t east = offset_s < 0 ? -offset_s : offset_s;
    int n;

    if (offset_s == 0)
        n = snprintf(text, size, "Z");
    else if (east % 60)
        n = snprintf(text, size, "%c%02d:%02d:%02d", offset_s < 0 ? '-' : '+', (int)(east / 3600),
                     (int)(east / 60 % 60), (int)(east % 60));
    else
        n = snprintf(text, size, "%c%02d:%02d", offset_s < 0 ? '-' : '+', (int)(east / 3600),
                     (int)(east / 60 % 60));
    return (size_t)n;
}

size_t sl_zoned_write(const struct sl_zoned *zoned, char ret_text[SL_ZONED_TEXT_SIZE])
{
    int64_t days = zoned->local_s / 86400 - (zoned->local_s % 86400 < 0);
    int s = (int)(zoned->local_s - days * 86400);
    size_t n = 0;
    int64_t year;
    int month, day;

    if (zoned->has_date) {
        sl_date_of(days, &year, &month, &day);
        n += (size_t)snprintf(ret_text, SL_ZONED_TEXT_SIZE, "%04d-%02d-%02dT", (int)year, month, day);
    }
    n += (size_t)snprintf(ret_text + n, SL_ZONED_TEXT_SIZE - n, "%02d:%02d:%02d", s / 3600, s / 60 % 60,
                          s % 60);
    if (zoned->nanos) {
        n += (size_t)snprintf(ret_text + n, SL_ZONED_TEXT_SIZE - n, ".%09d", (int)zoned->nanos);
        while (ret_text[n - 1] == '0')
            n--;
    }
    return n + put_offset(zoned->offset_s, ret_text + n, SL_ZONED_TEXT_SIZE - n);
}
