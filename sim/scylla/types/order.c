/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

#include <math.h>
#include <string.h>

#include "../storage/types.h"
#include "bytes.h"
#include "collection.h"
#include "number.h"
#include "timeuuid.h"

#define THREE_WAY(a, b) (((a) > (b)) - ((a) < (b)))

int sy_bytes_compare(struct sy_value a, struct sy_value b)
{
    int32_t len = a.len < b.len ? a.len : b.len;
    int c = len > 0 ? memcmp(a.bytes, b.bytes, (size_t)len) : 0;
    return c != 0 ? c : THREE_WAY(a.len, b.len);
}

static int compare_signed(struct sy_value a, struct sy_value b)
{
    if (a.len != b.len)
        return THREE_WAY(a.len, b.len);
    int c = THREE_WAY((int8_t)a.bytes[0], (int8_t)b.bytes[0]);
    return c != 0 ? c : memcmp(a.bytes, b.bytes, (size_t)a.len);
}

static int compare_floating(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    if (a == 0 && b == 0)
        return (signbit(b) != 0) - (signbit(a) != 0);
    return THREE_WAY(a, b);
}

static int compare_timeuuid(struct sy_value a, struct sy_value b)
{
    uint64_t ta = sy_timeuuid_ticks(a.bytes), tb = sy_timeuuid_ticks(b.bytes);
    if (ta != tb)
        return THREE_WAY(ta, tb);
    for (int i = 8; i < 16; i++)
        if (a.bytes[i] != b.bytes[i])
            return THREE_WAY((int8_t)a.bytes[i], (int8_t)b.bytes[i]);
    return 0;
}

static int compare_uuid(struct sy_value a, struct sy_value b)
{
    int va = a.bytes[6] >> 4, vb = b.bytes[6] >> 4;
    if (va != vb)
        return va - vb;
    if (va == 1) {
        uint64_t ta = sy_timeuuid_ticks(a.bytes), tb = sy_timeuuid_ticks(b.bytes);
        if (ta != tb)
            return THREE_WAY(ta, tb);
    }
    return memcmp(a.bytes, b.bytes, 16);
}

static int compare_elements(const struct sy_type *type, struct sy_value a, struct sy_value b)
{
    struct sy_walk wa, wb;
    struct sy_value ea, eb;
    if (!sy_walk_collection(&wa, a) || !sy_walk_collection(&wb, b))
        return sy_bytes_compare(a, b);
    int32_t common = wa.left < wb.left ? wa.left : wb.left;
    for (int32_t i = 0; i < common; i++)
        for (uint32_t p = 0; p < type->n_parts; p++) {
            if (!sy_walk_next(&wa, &ea) || !sy_walk_next(&wb, &eb))
                return sy_bytes_compare(a, b);
            int c = sy_value_compare(type->parts[p], ea, eb);
            if (c != 0)
                return c;
        }
    return THREE_WAY(wa.left, wb.left);
}

/* A field that is missing at the end is a null one. */
static int compare_fields(const struct sy_type *type, struct sy_value a, struct sy_value b)
{
    struct sy_walk wa, wb;
    sy_walk_fields(&wa, a);
    sy_walk_fields(&wb, b);
    for (uint32_t i = 0; i < type->n_parts; i++) {
        struct sy_value ea = {.len = SY_NULL}, eb = {.len = SY_NULL};
        bool more_a = sy_walk_next(&wa, &ea), more_b = sy_walk_next(&wb, &eb);
        if (!more_a && !more_b)
            return 0;
        int c = sy_value_compare(type->parts[i], ea, eb);
        if (c != 0)
            return c;
    }
    return 0;
}

int sy_value_compare(const struct sy_type *type, struct sy_value a, struct sy_value b)
{
    if (a.len <= 0 || b.len <= 0)
        return THREE_WAY(a.len, b.len);
    switch (type->id) {
    case SY_BIGINT:
    case SY_COUNTER:
    case SY_INT:
    case SY_SMALLINT:
    case SY_TINYINT:
    case SY_TIMESTAMP:
    case SY_TIME: return compare_signed(a, b);
    case SY_DOUBLE: return compare_floating(sy_get_double(a.bytes), sy_get_double(b.bytes));
    case SY_FLOAT: return compare_floating((double)sy_get_float(a.bytes), (double)sy_get_float(b.bytes));
    case SY_VARINT: return sy_varint_compare(a, b);
    case SY_DECIMAL: return sy_decimal_compare(a, b);
    case SY_UUID: return compare_uuid(a, b);
    case SY_TIMEUUID: return compare_timeuuid(a, b);
    case SY_LIST:
    case SY_SET:
    case SY_MAP: return compare_elements(type, a, b);
    case SY_UDT:
    case SY_TUPLE: return compare_fields(type, a, b);
    case SY_ASCII:
    case SY_TEXT:
    case SY_BLOB:
    case SY_BOOLEAN:
    case SY_INET:
    case SY_DATE:
    case SY_DURATION:
    case SY_CUSTOM: return sy_bytes_compare(a, b);
    }
    return sy_bytes_compare(a, b);
}
