/* SPDX-License-Identifier: Apache-2.0 */
#include "render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
    case SY_TEXT:
    case SY_ASCII: sl_buf_format(out, "\"%.*s\"", value.len, (const char *)value.bytes); break;
    case SY_LIST:
    case SY_SET:
    case SY_MAP: render_items(out, type, value); break;
    case SY_UDT:
    case SY_TUPLE: render_fields(out, type, value); break;
    case SY_CUSTOM:
    case SY_BLOB:
    case SY_BOOLEAN:
    case SY_COUNTER:
    case SY_DECIMAL:
    case SY_DOUBLE:
    case SY_FLOAT:
    case SY_TIMESTAMP:
    case SY_UUID:
    case SY_VARINT:
    case SY_TIMEUUID:
    case SY_INET:
    case SY_DATE:
    case SY_TIME:
    case SY_SMALLINT:
    case SY_TINYINT:
    case SY_DURATION: broken("a type that no history has");
    }
}
