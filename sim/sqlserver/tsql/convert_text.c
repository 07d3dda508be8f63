/* SPDX-License-Identifier: Apache-2.0 */
/* Text: its characters, its code page, and every other type as text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "datetime.h"
#include "decimal.h"

static const uint16_t high_1252[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                       0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

int32_t ms_text_next(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    int extra = *p < 0xC0 ? 0 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : 3;
    int32_t code = extra == 0 ? *p : *p & (0x3F >> extra);
    for (p++; extra > 0 && p < end && (*p & 0xC0) == 0x80; extra--)
        code = code << 6 | (*p++ & 0x3F);
    *at = p;
    return code;
}

size_t ms_text_put(uint8_t *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (uint8_t)((0xF00 >> n) | code);
    return n;
}

size_t ms_text_units(const uint8_t *text, size_t len, bool unicode)
{
    size_t units = 0;
    for (size_t i = 0; i < len; i++)
        if ((text[i] & 0xC0) != 0x80)
            units += unicode && text[i] >= 0xF0 ? 2 : 1;
    return units;
}

size_t ms_text_prefix(const uint8_t *text, size_t len, size_t units, bool unicode)
{
    size_t i = 0;
    while (i < len) {
        size_t need = unicode && text[i] >= 0xF0 ? 2 : 1;
        if (need > units)
            break;
        units -= need;
        do
            i++;
        while (i < len && (text[i] & 0xC0) == 0x80);
    }
    return i;
}

int ms_text_to_1252(uint32_t code)
{
    if (code < 0x80 || (code >= 0xA0 && code < 0x100))
        return (int)code;
    for (int i = 0; i < 32; i++)
        if (high_1252[i] == code)
            return 0x80 + i;
    return -1;
}

uint32_t ms_text_from_1252(uint8_t byte)
{
    return byte >= 0x80 && byte < 0xA0 ? high_1252[byte - 0x80] : byte;
}

static void set_text(struct ms_value *ret, const char *text, size_t len)
{
    *ret = (struct ms_value){.len = (uint32_t)len, .bytes = (const uint8_t *)text};
}

/* "1.5e+006": C's exponent has at least two digits, SQL Server's always three. */
static size_t widen_exponent(char *text, size_t len, size_t cap)
{
    char *e = memchr(text, 'e', len);
    if (!e || (size_t)(text + len - e) != 4 || len + 1 >= cap)
        return len;
    memmove(e + 3, e + 2, 3);
    e[2] = '0';
    return len + 1;
}

static size_t print_float(const struct ms_conversion *how, double d, char *out, size_t cap)
{
    int style = how->style;
    size_t len;
    if (style == 1 || style == 2 || style == 3) {
        int digits = how->from.id == MS_REAL && style == 3 ? 8 : style == 1 ? 7 : style == 2 ? 15 : 16;
        len = (size_t)snprintf(out, cap, "%.*e", digits, d);
    } else {
        len = (size_t)snprintf(out, cap, "%.6g", d);
    }
    return widen_exponent(out, len, cap);
}

static size_t print_money(int style, int64_t value, char *out, size_t cap)
{
    char text[MS_DECIMAL_TEXT];
    ms_int128 shown = value;
    int scale = style == 2 || style == 126 ? 4 : 2;
    (void)ms_decimal_rescale(value, 4, scale, &shown);
    size_t len = ms_decimal_print(shown, scale, text);
    if (style != 1)
        return (size_t)snprintf(out, cap, "%s", text);
    size_t n = 0, start = text[0] == '-', integral = len - 3;
    for (size_t i = 0; i < len && n + 2 < cap; i++) {
        if (i > start && i < integral && (integral - i) % 3 == 0)
            out[n++] = ',';
        out[n++] = text[i];
    }
    out[n] = 0;
    return n;
}

static size_t print_guid(const uint8_t *b, char *out, size_t cap)
{
    return (size_t)snprintf(out, cap, "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
                            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12],
                            b[13], b[14], b[15]);
}

static void hex_text(struct ms_arena *arena, const struct ms_value *in, bool prefix, struct ms_value *ret)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = ms_arena_alloc(arena, (size_t)in->len * 2 + 3);
    size_t n = 0;
    if (prefix) {
        out[n++] = '0';
        out[n++] = 'x';
    }
    for (uint32_t i = 0; i < in->len; i++) {
        out[n++] = digits[in->bytes[i] >> 4];
        out[n++] = digits[in->bytes[i] & 15];
    }
    set_text(ret, out, n);
}

/* Raw bytes seen as text: code page 1252 for varchar, UTF-16LE for nvarchar. */
static void bytes_as_text(struct ms_arena *arena, const struct ms_value *in, bool unicode,
                          struct ms_value *ret)
{
    uint8_t *out = ms_arena_alloc(arena, (size_t)in->len * 3 + 4);
    size_t n = 0;
    for (uint32_t i = 0; i < in->len; i += unicode ? 2 : 1) {
        uint32_t code = ms_text_from_1252(in->bytes[i]);
        if (unicode)
            code = in->bytes[i] | (uint32_t)(i + 1 < in->len ? in->bytes[i + 1] : 0) << 8;
        if (unicode && (code & 0xFC00) == 0xD800 && i + 3 < in->len && (in->bytes[i + 3] & 0xFC) == 0xDC) {
            uint32_t low = in->bytes[i + 2] | (uint32_t)in->bytes[i + 3] << 8;
            code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF);
            i += 2;
        }
        n += ms_text_put(out + n, code);
    }
    set_text(ret, (const char *)out, n);
}

/*
 * The letter that Windows takes for one which code page 1252 lacks: U+0100 to U+017F lose their marks. A
 * blank means that the page has the letter itself.
 */
static uint32_t best_fit(uint32_t code)
{
    static const char base[] =
        "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi??JjKk?LlLlLlLlLlNnNnNn???OoOoOo  "
        "RrRrRrSsSsSs  TtTtTtUuUuUuUuUuUuWwYy ZzZz  ?";
    if (ms_text_to_1252(code) >= 0)
        return code;
    if (code >= 0x100 && code <= 0x17F && base[code - 0x100] != ' ')
        return (uint32_t)base[code - 0x100];
    if (code >= 0xFF01 && code <= 0xFF5E) /* full-width forms */
        return code - 0xFEE0;
    return '?';
}

const uint8_t *ms_text_narrow(struct ms_arena *arena, const uint8_t *text, size_t len, size_t *ret_len)
{
    const uint8_t *at = text, *end = text + len;
    bool fits = true;
    *ret_len = len;
    while (fits && at < end)
        fits = ms_text_to_1252((uint32_t)ms_text_next(&at, end)) >= 0;
    if (fits)
        return text;
    uint8_t *out = ms_arena_alloc(arena, len + 4);
    size_t n = 0;
    for (at = text; at < end;)
        n += ms_text_put(out + n, best_fit((uint32_t)ms_text_next(&at, end)));
    *ret_len = n;
    return out;
}

static void narrow(struct ms_arena *arena, const struct ms_value *in, struct ms_value *ret)
{
    size_t len;
    const uint8_t *text = ms_text_narrow(arena, in->bytes, in->len, &len);
    set_text(ret, (const char *)text, len);
}

bool ms_convert_to_text(struct ms_arena *arena, const struct ms_conversion *how, const struct ms_value *in,
                        struct ms_value *ret, struct ms_error *err)
{
    char *out = NULL;
    size_t len = 0, cap = 80;
    enum ms_class class = ms_type_class(how->from.id);
    if (class != MS_CLASS_TEXT && class != MS_CLASS_XML && class != MS_CLASS_BINARY &&
        class != MS_CLASS_VARIANT)
        out = ms_arena_alloc(arena, cap);
    switch (class) {
    case MS_CLASS_INTEGER: len = (size_t)snprintf(out, cap, "%lld", (long long)in->i); break;
    case MS_CLASS_FLOAT: len = print_float(how, in->d, out, cap); break;
    case MS_CLASS_DECIMAL: len = ms_decimal_print(in->dec, how->from.scale, out); break;
    case MS_CLASS_MONEY: len = print_money(how->style, in->i, out, cap); break;
    case MS_CLASS_GUID: len = print_guid(in->bytes, out, cap); break;
    case MS_CLASS_DATE:
        len = ms_datetime_print(&how->from, in, how->style, out);
        if (len == 0)
            return ms_error_set(err, 281, 16, 1,
                                "%d is not a valid style number when converting from %s to a "
                                "character string.",
                                how->style, ms_type_word(how->from.id));
        break;
    case MS_CLASS_BINARY:
        if (how->style == 1 || how->style == 2)
            hex_text(arena, in, how->style == 1, ret);
        else
            bytes_as_text(arena, in, ms_type_is_unicode(how->to.id), ret);
        return true;
    case MS_CLASS_TEXT:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT:
        if (ms_type_is_unicode(how->from.id) && !ms_type_is_unicode(how->to.id))
            narrow(arena, in, ret);
        else
            *ret = *in;
        return true;
    case MS_CLASS_NONE: break;
    }
    set_text(ret, out, len);
    return true;
}
