/* SPDX-License-Identifier: Apache-2.0 */
#include "render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t big_endian(const uint8_t *bytes, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | bytes[i];
    return v;
}

static void broken(const char *what)
{
    fprintf(stderr, "the server answered with %s\n", what);
    abort();
}

/* The next [bytes] of a collection, tuple or UDT; past the end: null, as a UDT may stop early. */
static struct sy_value next_part(struct sy_value *rest)
{
    struct sy_value part = {.len = SY_NULL};

    if (rest->len <= 0)
        return part;
    if (rest->len < 4)
        broken("a collection that ends in the middle");
    part.len = (int32_t)big_endian(rest->bytes, 4);
    rest->bytes += 4;
    rest->len -= 4;
    if (part.len < 0)
        return part;
    if (part.len > rest->len)
        broken("a collection that is too short");
    part.bytes = rest->bytes;
    rest->bytes += part.len;
    rest->len -= part.len;
    return part;
}

static uint32_t count(struct sy_value *rest)
{
    uint32_t n;

    if (rest->len < 4)
        broken("a collection without a count");
    n = (uint32_t)big_endian(rest->bytes, 4);
    rest->bytes += 4;
    rest->len -= 4;
    return n;
}

static void render_items(struct sl_buf *out, const struct sy_type *type, struct sy_value value)
{
    uint32_t n = count(&value);

    sl_buf_text(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        sl_buf_text(out, i ? "," : "");
        if (type->id == SY_MAP) {
            sl_buf_text(out, "{key:");
            render_cql(out, type->parts[0], next_part(&value));
            sl_buf_text(out, ",value:");
            render_cql(out, type->parts[1], next_part(&value));
            sl_buf_text(out, "}");
        } else {
            render_cql(out, type->parts[0], next_part(&value));
        }
    }
    sl_buf_text(out, "]");
}

static void render_fields(struct sl_buf *out, const struct sy_type *type, struct sy_value value)
{
    sl_buf_text(out, "{");
    for (uint32_t i = 0; i < type->n_parts; i++) {
        if (type->id == SY_UDT)
            sl_buf_format(out, "%s%s:", i ? "," : "", type->field_names[i]);
        else
            sl_buf_format(out, "%sfield_%" PRIu32 ":", i ? "," : "", i);
        render_cql(out, type->parts[i], next_part(&value));
    }
    sl_buf_text(out, "}");
}

/* ---- scalars, as far as scalars.c has values of them ---- */

static int64_t signed_number(struct sy_value value)
{
    int shift = 64 - 8 * value.len;

    return value.len < 1 ? 0 : (int64_t)(big_endian(value.bytes, value.len) << shift) >> shift;
}

static void render_decimal(struct sl_buf *out, struct sy_value value)
{
    struct sy_value digits = {.bytes = value.bytes + 4, .len = value.len - 4};
    int scale = (int)big_endian(value.bytes, 4);
    int64_t number = signed_number(digits);
    int64_t whole = 1;

    for (int i = 0; i < scale; i++)
        whole *= 10;
    if (scale > 0)
        sl_buf_format(out, "\"%" PRId64 ".%0*" PRId64 "\"", number / whole, scale, number % whole);
    else
        sl_buf_format(out, "\"%" PRId64 "\"", number);
}

static void render_uuid(struct sl_buf *out, struct sy_value value)
{
    sl_buf_text(out, "\"");
    for (int i = 0; i < value.len; i++)
        sl_buf_format(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", value.bytes[i]);
    sl_buf_text(out, "\"");
}

/* Months, days, nanoseconds, each below 64 and so a zigzag vint of one byte. */
static void render_duration(struct sl_buf *out, struct sy_value value)
{
    static const char *const units[] = {"mo", "d", "ns"};

    sl_buf_text(out, "\"");
    for (int i = 0; i < 3 && i < value.len; i++)
        if (value.bytes[i])
            sl_buf_format(out, "%d%s", value.bytes[i] / 2, units[i]);
    sl_buf_text(out, "\"");
}

static void render_real(struct sl_buf *out, struct sy_value value)
{
    uint64_t bits = big_endian(value.bytes, value.len);
    uint32_t half = (uint32_t)bits;
    double number;
    float single;

    memcpy(&number, &bits, sizeof(number));
    memcpy(&single, &half, sizeof(single));
    sl_buf_format(out, "%.17g", value.len == 4 ? (double)single : number);
}

static void render_inet(struct sl_buf *out, struct sy_value value)
{
    if (value.len != 4)
        broken("an address that no history has");
    sl_buf_format(out, "\"%d.%d.%d.%d\"", value.bytes[0], value.bytes[1], value.bytes[2], value.bytes[3]);
}

void render_cql(struct sl_buf *out, const struct sy_type *type, struct sy_value value)
{
    if (value.len < 0) {
        sl_buf_text(out, "null");
        return;
    }
    switch (type->id) {
    case SY_INT:
        if (value.len != 4)
            broken("an int that has not four bytes");
        sl_buf_format(out, "%" PRId32, (int32_t)big_endian(value.bytes, 4));
        break;
    case SY_BIGINT:
        if (value.len != 8)
            broken("a bigint that has not eight bytes");
        sl_buf_format(out, "%" PRId64, (int64_t)big_endian(value.bytes, 8));
        break;
    case SY_BOOLEAN:
    case SY_SMALLINT:
    case SY_TINYINT:
    case SY_TIMESTAMP:
    case SY_TIME: sl_buf_format(out, "%" PRId64, signed_number(value)); break;
    case SY_DATE:
        sl_buf_format(out, "%" PRId64, (int64_t)big_endian(value.bytes, 4) - INT64_C(0x80000000));
        break;
    case SY_FLOAT:
    case SY_DOUBLE: render_real(out, value); break;
    case SY_DECIMAL: render_decimal(out, value); break;
    case SY_VARINT: sl_buf_format(out, "\"%" PRId64 "\"", signed_number(value)); break;
    case SY_UUID:
    case SY_TIMEUUID: render_uuid(out, value); break;
    case SY_INET: render_inet(out, value); break;
    case SY_DURATION: render_duration(out, value); break;
    case SY_BLOB:
    case SY_TEXT:
    case SY_ASCII: sl_buf_format(out, "\"%.*s\"", value.len, (const char *)value.bytes); break;
    case SY_LIST:
    case SY_SET:
    case SY_MAP: render_items(out, type, value); break;
    case SY_UDT:
    case SY_TUPLE: render_fields(out, type, value); break;
    case SY_CUSTOM:
    case SY_COUNTER: broken("a type that no history has");
    }
}
