/* SPDX-License-Identifier: Apache-2.0 */
#include "chars.h"

/* What 0x80..0x9F mean in code page 1252; SQL Server maps the five holes to the C1 controls of the same
 * number. */
static const uint16_t high_1252[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

#define REPLACEMENT 0xFFFD

static bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* One code point from at least one byte; surrogates pass, overlong forms and loose bytes give U+FFFD. */
static uint32_t next_point(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    size_t left = (size_t)(end - p);
    *at = p + 1;
    if (p[0] < 0x80)
        return p[0];
    if (p[0] >= 0xC2 && p[0] < 0xE0 && left >= 2 && is_tail(p[1])) {
        *at = p + 2;
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (p[0] >= 0xE0 && p[0] < 0xF0 && left >= 3 && is_tail(p[1]) && is_tail(p[2])) {
        uint32_t point = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        if (point < 0x800)
            return REPLACEMENT;
        *at = p + 3;
        return point;
    }
    if (p[0] >= 0xF0 && p[0] < 0xF5 && left >= 4 && is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3])) {
        uint32_t point = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
                         (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
        if (point < 0x10000 || point > 0x10FFFF)
            return REPLACEMENT;
        *at = p + 4;
        return point;
    }
    return REPLACEMENT;
}

static uint8_t *put_point(uint8_t *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (uint8_t)point;
    } else if (point < 0x800) {
        *out++ = (uint8_t)(0xC0 | point >> 6);
        *out++ = (uint8_t)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        *out++ = (uint8_t)(0xE0 | point >> 12);
        *out++ = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (point & 0x3F));
    } else {
        *out++ = (uint8_t)(0xF0 | point >> 18);
        *out++ = (uint8_t)(0x80 | (point >> 12 & 0x3F));
        *out++ = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (point & 0x3F));
    }
    return out;
}

static uint8_t *put_unit(uint8_t *out, uint32_t unit)
{
    out[0] = (uint8_t)unit;
    out[1] = (uint8_t)(unit >> 8);
    return out + 2;
}

/* Eight bytes at a time while all are ASCII: nearly every string of a database is. */
static const uint8_t *widen_ascii(const uint8_t *at, const uint8_t *end, uint8_t **out)
{
    uint8_t *to = *out;
    while (end - at >= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        if (eight & 0x8080808080808080U)
            break;
        for (int i = 0; i < 8; i++) {
            to[2 * i] = at[i];
            to[2 * i + 1] = 0;
        }
        at += 8;
        to += 16;
    }
    *out = to;
    return at;
}

size_t ms_chars_to_utf16(const uint8_t *utf8, size_t len, uint8_t *out)
{
    const uint8_t *at = utf8;
    const uint8_t *end = utf8 + len;
    uint8_t *to = out;
    while (at < end) {
        if (*at < 0x80) {
            const uint8_t *next = widen_ascii(at, end, &to);
            if (next != at) {
                at = next;
                continue;
            }
        }
        uint32_t point = next_point(&at, end);
        if (point >= 0x10000) {
            to = put_unit(to, 0xD800 + ((point - 0x10000) >> 10));
            point = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        to = put_unit(to, point);
    }
    return (size_t)(to - out);
}

size_t ms_chars_utf16_size(const uint8_t *utf8, size_t len)
{
    const uint8_t *at = utf8;
    const uint8_t *end = utf8 + len;
    size_t units = 0;
    while (at < end)
        units += next_point(&at, end) >= 0x10000 ? 2 : 1;
    return units * 2;
}

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

size_t ms_chars_from_utf16(const uint8_t *utf16, size_t units, uint8_t *out)
{
    uint8_t *to = out;
    for (size_t i = 0; i < units; i++) {
        uint32_t unit = (uint32_t)(utf16[2 * i] | utf16[2 * i + 1] << 8);
        if (is_high(unit) && i + 1 < units) {
            uint32_t low = (uint32_t)(utf16[2 * i + 2] | utf16[2 * i + 3] << 8);
            if (is_low(low)) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                i++;
            }
        }
        to = put_point(to, unit);
    }
    return (size_t)(to - out);
}

static uint8_t to_1252(uint32_t point)
{
    if (point < 0x80 || (point >= 0xA0 && point < 0x100))
        return (uint8_t)point;
    for (uint8_t i = 0; i < 32; i++) {
        if (high_1252[i] == point)
            return (uint8_t)(0x80 + i);
    }
    return '?';
}

size_t ms_chars_to_1252(const uint8_t *utf8, size_t len, uint8_t *out)
{
    const uint8_t *at = utf8;
    const uint8_t *end = utf8 + len;
    uint8_t *to = out;
    while (at < end) {
        uint32_t point = next_point(&at, end);
        *to++ = to_1252(point);
        /* a supplementary character is two units to SQL Server, and so two question marks */
        if (point >= 0x10000)
            *to++ = '?';
    }
    return (size_t)(to - out);
}

size_t ms_chars_from_1252(const uint8_t *bytes, size_t len, uint8_t *out)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to = put_point(to, bytes[i] >= 0x80 && bytes[i] < 0xA0 ? high_1252[bytes[i] - 0x80] : bytes[i]);
    return (size_t)(to - out);
}

static void put_counted(struct ms_bytes *out, const char *utf8, size_t count_size, size_t max_units)
{
    size_t len = strlen(utf8);
    size_t count_at = out->len;
    ms_bytes_put_le(out, 0, count_size);
    size_t size = ms_chars_to_utf16((const uint8_t *)utf8, len, ms_bytes_room(out, 2 * len));
    if (size > 2 * max_units)
        size = 2 * max_units;
    uint16_t units = (uint16_t)(size / 2);
    memcpy(out->data + count_at, &units, count_size);
    out->len += size;
}

void ms_chars_put_b_varchar(struct ms_bytes *out, const char *utf8)
{
    put_counted(out, utf8, 1, 255);
}

void ms_chars_put_us_varchar(struct ms_bytes *out, const char *utf8)
{
    put_counted(out, utf8, 2, 65535);
}

char *ms_chars_read_utf16(struct ms_reader *reader, size_t units, struct ms_scratch *scratch, size_t *ret_len)
{
    const uint8_t *utf16 = units > SIZE_MAX / 4 ? NULL : ms_read_bytes(reader, 2 * units);
    if (utf16 == NULL) {
        reader->failed = true;
        units = 0;
    }
    uint8_t *text = ms_scratch_alloc(scratch, 3 * units + 1);
    size_t len = ms_chars_from_utf16(utf16, units, text);
    text[len] = '\0';
    if (ret_len != NULL)
        *ret_len = len;
    return (char *)text;
}
