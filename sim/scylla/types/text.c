/* SPDX-License-Identifier: Apache-2.0 */
/* A value as CQL would write it. */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../storage/arena.h"
#include "../storage/types.h"
#include "bytes.h"
#include "collection.h"
#include "number.h"

/* Text that grows in the arena. */
struct text {
    struct sy_arena *arena;
    char *at;
    size_t len;
    size_t size;
};

static void put(struct text *t, const char *bytes, size_t len)
{
    if (t->len + len + 1 > t->size) {
        size_t size = 2 * (t->len + len) + 64;
        char *more = sy_arena_raw(t->arena, size);
        if (t->len > 0)
            memcpy(more, t->at, t->len);
        t->at = more;
        t->size = size;
    }
    memcpy(t->at + t->len, bytes, len);
    t->len += len;
    t->at[t->len] = '\0';
}

static void put_text(struct text *t, const char *text)
{
    put(t, text, strlen(text));
}

static void put_quoted(struct text *t, struct sy_value value)
{
    put(t, "'", 1);
    for (int32_t i = 0; i < value.len; i++)
        put(t, value.bytes[i] == '\'' ? "''" : (const char *)&value.bytes[i], value.bytes[i] == '\'' ? 2 : 1);
    put(t, "'", 1);
}

static void put_hex(struct text *t, const uint8_t *bytes, int32_t len)
{
    for (int32_t i = 0; i < len; i++) {
        char hex[3];
        (void)snprintf(hex, sizeof hex, "%02x", bytes[i]);
        put(t, hex, 2);
    }
}

static void put_uuid(struct text *t, const uint8_t *uuid)
{
    static const uint8_t parts[] = {4, 2, 2, 2, 6};
    for (size_t i = 0; i < sizeof parts; i++) {
        if (i > 0)
            put(t, "-", 1);
        put_hex(t, uuid, parts[i]);
        uuid += parts[i];
    }
}

static int64_t whole(struct sy_value value)
{
    int64_t v = 0;
    (void)sy_varint_to_int(value, &v);
    return v;
}

/* The shortest text that reads back as the same number. */
static void put_floating(struct text *t, double v, bool single)
{
    char text[40];
    if (isnan(v) || isinf(v)) {
        put_text(t, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            break;
    }
    put_text(t, text);
    if (strpbrk(text, ".e") == NULL)
        put_text(t, ".0");
}

/* Days since 1970 as year-month-day. */
static void put_date(struct text *t, int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    put_text(t, sy_arena_format(t->arena, "%04lld-%02lld-%02lld", (long long)(yoe + era * 400 + (month <= 2)),
                                (long long)month, (long long)(doy - (153 * mp + 2) / 5 + 1)));
}

static void put_clock(struct text *t, int64_t ns, int places)
{
    int64_t s = ns / 1000000000, fraction = ns % 1000000000;
    for (int i = places; i < 9; i++)
        fraction /= 10;
    put_text(t, sy_arena_format(t->arena, "%02lld:%02lld:%02lld.%0*lld", (long long)(s / 3600),
                                (long long)(s / 60 % 60), (long long)(s % 60), places, (long long)fraction));
}

static void put_timestamp(struct text *t, int64_t ms)
{
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    put(t, "'", 1);
    put_date(t, days);
    put(t, " ", 1);
    put_clock(t, (ms - days * 86400000) * 1000000, 3);
    put_text(t, "+0000'");
}

static const uint8_t *get_vint(const uint8_t *at, const uint8_t *end, int64_t *ret)
{
    *ret = 0;
    if (at >= end)
        return at;
    int extra = at[0] == 0xff ? 8 : __builtin_clz((unsigned)(uint8_t)~at[0]) - 24;
    uint64_t v = extra >= 7 ? 0 : at[0] & (0xffu >> (extra + 1));
    at++;
    for (int i = 0; i < extra && at < end; i++)
        v = v << 8 | *at++;
    *ret = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    return at;
}

static void put_duration(struct text *t, struct sy_value value)
{
    int64_t months, days, ns;
    const uint8_t *end = value.bytes + value.len;
    get_vint(get_vint(get_vint(value.bytes, end, &months), end, &days), end, &ns);
    if (months < 0 || days < 0 || ns < 0)
        put(t, "-", 1);
    put_text(t, sy_arena_format(t->arena, "%lldmo%lldd%lldns", llabs(months), llabs(days), llabs(ns)));
}

static void put_inet(struct text *t, struct sy_value value)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(value.len == 4 ? AF_INET : AF_INET6, value.bytes, text, sizeof text) != NULL)
        put_quoted(t, (struct sy_value){.len = (int32_t)strlen(text), .bytes = (const uint8_t *)text});
}

static void put_value(struct text *t, const struct sy_type *type, struct sy_value value);

static void put_collection(struct text *t, const struct sy_type *type, struct sy_value value)
{
    struct sy_walk walk;
    struct sy_value part;
    put(t, type->id == SY_LIST ? "[" : "{", 1);
    (void)sy_walk_collection(&walk, value);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &part); i++) {
        if (i > 0)
            put(t, ", ", 2);
        put_value(t, type->parts[0], part);
        if (type->id == SY_MAP && sy_walk_next(&walk, &part)) {
            put(t, ": ", 2);
            put_value(t, type->parts[1], part);
        }
    }
    put(t, type->id == SY_LIST ? "]" : "}", 1);
}

static void put_fields(struct text *t, const struct sy_type *type, struct sy_value value)
{
    struct sy_walk walk;
    struct sy_value part;
    put(t, type->id == SY_UDT ? "{" : "(", 1);
    sy_walk_fields(&walk, value);
    for (uint32_t i = 0; i < type->n_parts; i++) {
        if (!sy_walk_next(&walk, &part))
            part.len = SY_NULL;
        if (i > 0)
            put(t, ", ", 2);
        if (type->id == SY_UDT) {
            put_text(t, type->field_names[i]);
            put(t, ": ", 2);
        }
        put_value(t, type->parts[i], part);
    }
    put(t, type->id == SY_UDT ? "}" : ")", 1);
}

static void put_scalar(struct text *t, enum sy_type_id id, struct sy_value value)
{
    switch ((int)id) {
    case SY_ASCII:
    case SY_TEXT: put_quoted(t, value); break;
    case SY_BOOLEAN: put_text(t, value.bytes[0] != 0 ? "true" : "false"); break;
    case SY_DECIMAL: put_text(t, sy_decimal_to_text(value, t->arena)); break;
    case SY_VARINT: put_text(t, sy_varint_to_text(value, t->arena)); break;
    case SY_DOUBLE: put_floating(t, sy_get_double(value.bytes), false); break;
    case SY_FLOAT: put_floating(t, (double)sy_get_float(value.bytes), true); break;
    case SY_TIMESTAMP: put_timestamp(t, whole(value)); break;
    case SY_DATE:
        put(t, "'", 1);
        put_date(t, (int64_t)sy_get_u32(value.bytes) - (1LL << 31));
        put(t, "'", 1);
        break;
    case SY_TIME:
        put(t, "'", 1);
        put_clock(t, whole(value), 9);
        put(t, "'", 1);
        break;
    case SY_UUID:
    case SY_TIMEUUID: put_uuid(t, value.bytes); break;
    case SY_INET: put_inet(t, value); break;
    case SY_DURATION: put_duration(t, value); break;
    case SY_BIGINT:
    case SY_COUNTER:
    case SY_INT:
    case SY_SMALLINT:
    case SY_TINYINT: put_text(t, sy_arena_format(t->arena, "%lld", (long long)whole(value))); break;
    default:
        put_text(t, "0x");
        put_hex(t, value.bytes, value.len);
        break;
    }
}

static void put_value(struct text *t, const struct sy_type *type, struct sy_value value)
{
    if (value.len < 0)
        put_text(t, value.len == SY_NULL ? "null" : "unset");
    else if (sy_value_check(type, value) != NULL)
        put_text(t, "malformed");
    else if (sy_is_collection(type))
        put_collection(t, type, value);
    else if (type->id == SY_UDT || type->id == SY_TUPLE)
        put_fields(t, type, value);
    else if (value.len == 0 && type->id != SY_TEXT && type->id != SY_ASCII && type->id != SY_BLOB)
        put_text(t, "empty");
    else
        put_scalar(t, type->id, value);
}

const char *sy_value_text(struct sy_arena *arena, const struct sy_type *type, struct sy_value value)
{
    struct text t = {.arena = arena};
    put(&t, "", 0);
    put_value(&t, type, value);
    return t.at;
}
