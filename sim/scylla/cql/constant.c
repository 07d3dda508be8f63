/* SPDX-License-Identifier: Apache-2.0 */
#include "constant.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../types/bytes.h"
#include "../types/number.h"

const char *sy_constant_kind_name(enum sy_term_kind kind)
{
    switch ((int)kind) {
    case SY_TERM_STRING: return "STRING";
    case SY_TERM_INTEGER: return "INTEGER";
    case SY_TERM_FLOAT: return "FLOAT";
    case SY_TERM_UUID: return "UUID";
    case SY_TERM_BLOB: return "HEX";
    case SY_TERM_BOOLEAN: return "BOOLEAN";
    case SY_TERM_DURATION: return "DURATION";
    default: return NULL;
    }
}

static bool integer_fits(enum sy_type_id id)
{
    switch ((int)id) {
    case SY_TINYINT:
    case SY_SMALLINT:
    case SY_INT:
    case SY_BIGINT:
    case SY_COUNTER:
    case SY_VARINT:
    case SY_DECIMAL:
    case SY_FLOAT:
    case SY_DOUBLE:
    case SY_TIMESTAMP:
    case SY_DATE:
    case SY_TIME: return true;
    default: return false;
    }
}

static bool string_fits(enum sy_type_id id)
{
    switch ((int)id) {
    case SY_ASCII:
    case SY_TEXT:
    case SY_INET:
    case SY_TIMESTAMP:
    case SY_DATE:
    case SY_TIME: return true;
    default: return false;
    }
}

bool sy_constant_fits(const struct sy_term *term, enum sy_type_id id)
{
    switch ((int)term->kind) {
    case SY_TERM_STRING: return string_fits(id);
    case SY_TERM_INTEGER: return integer_fits(id);
    case SY_TERM_FLOAT: return id == SY_DECIMAL || id == SY_FLOAT || id == SY_DOUBLE;
    case SY_TERM_UUID: return id == SY_UUID || id == SY_TIMEUUID;
    case SY_TERM_BLOB: return id == SY_BLOB;
    case SY_TERM_BOOLEAN: return id == SY_BOOLEAN;
    case SY_TERM_DURATION: return id == SY_DURATION;
    default: return false;
    }
}

static struct sy_value big_endian(struct sy_arena *arena, uint64_t bits, int32_t len)
{
    uint8_t *bytes = sy_arena_raw(arena, 8);
    sy_put_u64(bytes, bits);
    return (struct sy_value){.len = len, .bytes = bytes + 8 - len};
}

static bool read_integer(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    *ret = v;
    return errno == 0 && *end == '\0' && end != text;
}

/* Whole numbers of a fixed width. */
static const char *make_fixed(const char *text, const char *name, int32_t len, struct sy_arena *arena,
                              struct sy_value *ret)
{
    int64_t v;
    int64_t max = (int64_t)(UINT64_MAX >> (65 - 8 * len));
    if (!read_integer(text, &v) || v > max || v < -max - 1)
        return sy_arena_format(arena, "Unable to make %s from '%s'", name, text);
    *ret = big_endian(arena, (uint64_t)v, len);
    return NULL;
}

static const char *make_floating(const char *text, enum sy_type_id id, struct sy_arena *arena,
                                 struct sy_value *ret)
{
    double v = strtod(text, NULL);
    uint8_t *bytes = sy_arena_raw(arena, 8);
    if (id == SY_DOUBLE)
        sy_put_double(bytes, v);
    else
        sy_put_float(bytes, strtof(text, NULL));
    *ret = (struct sy_value){.len = id == SY_DOUBLE ? 8 : 4, .bytes = bytes};
    if (isinf(v) && strchr(text, 'i') == NULL)
        return sy_arena_format(arena, "Unable to make %s from '%s'", id == SY_DOUBLE ? "double" : "float",
                               text);
    return NULL;
}

static const char *make_timestamp(const struct sy_term *term, struct sy_arena *arena, struct sy_value *ret)
{
    int64_t ms;
    bool whole = read_integer(term->text, &ms);
    if (!whole && !sy_timestamp_from_text(term->text, term->len, &ms))
        return sy_arena_format(arena, "Unable to parse a date/time from '%s'", term->text);
    *ret = big_endian(arena, (uint64_t)ms, 8);
    return NULL;
}

static const char *make_date(const struct sy_term *term, struct sy_arena *arena, struct sy_value *ret)
{
    uint32_t days;
    int64_t raw;
    if (read_integer(term->text, &raw) && raw >= 0 && raw <= UINT32_MAX)
        days = (uint32_t)raw;
    else if (!sy_date_from_text(term->text, term->len, &days))
        return sy_arena_format(arena, "Unable to coerce '%s' to a formatted date (long)", term->text);
    *ret = big_endian(arena, days, 4);
    return NULL;
}

static const char *make_time(const struct sy_term *term, struct sy_arena *arena, struct sy_value *ret)
{
    int64_t ns;
    if (!read_integer(term->text, &ns) && !sy_time_from_text(term->text, term->len, &ns))
        return sy_arena_format(arena, "Unable to coerce '%s' to a formatted time (long)", term->text);
    if (ns < 0 || ns >= 86400000000000LL)
        return sy_arena_format(arena, "Input long out of bounds: %s", term->text);
    *ret = big_endian(arena, (uint64_t)ns, 8);
    return NULL;
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Hex digits, dashes skipped; their number was checked by the lexer for UUIDs. */
static const char *make_hex(const struct sy_term *term, struct sy_arena *arena, struct sy_value *ret)
{
    uint8_t *bytes = sy_arena_raw(arena, term->len / 2 + 1);
    int32_t n = 0;
    if (term->kind == SY_TERM_BLOB && term->len % 2 != 0)
        return sy_arena_format(arena, "An hex string representing bytes must have an even length: 0x%s",
                               term->text);
    for (const char *s = term->text; *s != '\0';) {
        if (*s == '-') {
            s++;
            continue;
        }
        bytes[n++] = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
        s += 2;
    }
    *ret = (struct sy_value){.len = n, .bytes = bytes};
    return NULL;
}

static const char *make_inet(const struct sy_term *term, struct sy_arena *arena, struct sy_value *ret)
{
    uint8_t *bytes = sy_arena_raw(arena, 16);
    int32_t len = strchr(term->text, ':') == NULL ? 4 : 16;
    if (inet_pton(len == 4 ? AF_INET : AF_INET6, term->text, bytes) != 1)
        return sy_arena_format(arena, "Unable to make inet address from '%s'", term->text);
    *ret = (struct sy_value){.len = len, .bytes = bytes};
    return NULL;
}

/* A vint: as many leading ones as bytes follow; a signed number is zigzagged first. */
static uint8_t *put_vint(uint8_t *at, int64_t v)
{
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    int extra = 0;
    while (extra < 8 && z >> (7 * (extra + 1)) != 0)
        extra++;
    for (int i = extra; i > 0; i--)
        at[1 + extra - i] = (uint8_t)(z >> (8 * (i - 1)));
    uint64_t ones = 0xff00U >> extra & 0xffU;
    uint64_t first = extra == 8 ? 0xff : ones | z >> (8 * extra);
    at[0] = (uint8_t)first;
    return at + 1 + extra;
}

static const char *make_duration(const struct sy_term *term, struct sy_arena *arena, struct sy_value *ret)
{
    int32_t months, days;
    int64_t ns;
    if (!sy_duration_from_text(term->text, term->len, &months, &days, &ns))
        return sy_arena_format(arena, "Unable to convert '%s' to a duration", term->text);
    uint8_t *bytes = sy_arena_raw(arena, 27);
    uint8_t *end = put_vint(put_vint(put_vint(bytes, months), days), ns);
    *ret = (struct sy_value){.len = (int32_t)(end - bytes), .bytes = bytes};
    return NULL;
}

static const char *make_big(const struct sy_term *term, enum sy_type_id id, struct sy_arena *arena,
                            struct sy_value *ret)
{
    bool made = id == SY_VARINT ? sy_varint_from_text(term->text, term->len, arena, ret)
                                : sy_decimal_from_text(term->text, term->len, arena, ret);
    const char *name = id == SY_VARINT ? "varint" : "BigDecimal";
    return made ? NULL : sy_arena_format(arena, "unable to make %s from '%s'", name, term->text);
}

const char *sy_constant_value(const struct sy_term *term, enum sy_type_id id, struct sy_arena *arena,
                              struct sy_value *ret)
{
    switch (id) {
    case SY_ASCII:
        for (uint32_t i = 0; i < term->len; i++)
            if ((unsigned char)term->text[i] > 127)
                return "Invalid ASCII character in string literal";
        *ret = (struct sy_value){.len = (int32_t)term->len, .bytes = (const uint8_t *)term->text};
        return NULL;
    case SY_TEXT:
        *ret = (struct sy_value){.len = (int32_t)term->len, .bytes = (const uint8_t *)term->text};
        return NULL;
    case SY_BIGINT:
    case SY_COUNTER: return make_fixed(term->text, "long", 8, arena, ret);
    case SY_INT: return make_fixed(term->text, "int", 4, arena, ret);
    case SY_SMALLINT: return make_fixed(term->text, "short", 2, arena, ret);
    case SY_TINYINT: return make_fixed(term->text, "byte", 1, arena, ret);
    case SY_BOOLEAN: *ret = big_endian(arena, term->text[0] == 't', 1); return NULL;
    case SY_DOUBLE:
    case SY_FLOAT: return make_floating(term->text, id, arena, ret);
    case SY_VARINT:
    case SY_DECIMAL: return make_big(term, id, arena, ret);
    case SY_TIMESTAMP: return make_timestamp(term, arena, ret);
    case SY_DATE: return make_date(term, arena, ret);
    case SY_TIME: return make_time(term, arena, ret);
    case SY_TIMEUUID:
        if (term->len > 14 && term->text[14] != '1')
            return sy_arena_format(arena, "TimeUUID supports only version 1 UUIDs: %s", term->text);
        return make_hex(term, arena, ret);
    case SY_UUID:
    case SY_BLOB: return make_hex(term, arena, ret);
    case SY_INET: return make_inet(term, arena, ret);
    case SY_DURATION: return make_duration(term, arena, ret);
    case SY_CUSTOM:
    case SY_LIST:
    case SY_MAP:
    case SY_SET:
    case SY_UDT:
    case SY_TUPLE: break;
    }
    return "not a constant of this type";
}
