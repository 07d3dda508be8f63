/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/cell.h"

bool sl_cql_is_absent(const struct sl_cql_type *type, struct sl_cql_cell cell)
{
    if (cell.len != 0)
        return cell.len < 0;
    switch ((int)type->kind) {
    case SL_CQL_ASCII:
    case SL_CQL_VARCHAR:
    case SL_CQL_BLOB:
    case SL_CQL_TUPLE:
    case SL_CQL_UDT:
    case SL_CQL_CUSTOM: return false;
    default: return true;
    }
}

/* The number of leading 1 bits in the first byte is the number of bytes that follow; then zigzag. */
static bool read_vint(const uint8_t **at, const uint8_t *end, int64_t *ret)
{
    uint64_t v;
    int extra;

    if (*at >= end)
        return false;
    extra = **at == 0xFF ? 8 : __builtin_clz((unsigned)(uint8_t)~**at) - 24;
    if (end - *at <= extra)
        return false;
    v = extra == 8 ? 0 : **at & (0xFFU >> extra);
    ++*at;
    for (int i = 0; i < extra; i++)
        v = v << 8 | *(*at)++;
    *ret = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    return true;
}

bool sl_cql_duration(struct sl_cql_cell cell, struct sl_cql_duration *ret)
{
    const uint8_t *at = cell.data;
    int64_t months;
    int64_t days;
    int64_t nanos;

    if (cell.len < 3)
        return false;
    if (!read_vint(&at, cell.data + cell.len, &months) || !read_vint(&at, cell.data + cell.len, &days) ||
        !read_vint(&at, cell.data + cell.len, &nanos) || at != cell.data + cell.len)
        return false;
    if (months != (int32_t)months || days != (int32_t)days)
        return false;
    if ((months < 0 || days < 0 || nanos < 0) && (months > 0 || days > 0 || nanos > 0))
        return false;
    *ret = (struct sl_cql_duration){(int32_t)months, (int32_t)days, nanos};
    return true;
}

static bool has_count(enum sl_cql_kind kind)
{
    return kind == SL_CQL_LIST || kind == SL_CQL_SET || kind == SL_CQL_MAP;
}

bool sl_cql_parts_open(const struct sl_cql_type *type, struct sl_cql_cell cell, struct sl_cql_parts *ret)
{
    uint32_t part_bytes = type->kind == SL_CQL_MAP ? 8 : 4; /* the least that an element takes */
    struct sl_cql_parts parts = {.type = type};

    if (cell.len < 0)
        return false;
    parts.at = cell.data;
    parts.end = cell.data + cell.len;
    if (has_count(type->kind)) {
        if (cell.len == 0) {
            *ret = parts;
            return true;
        }
        if (cell.len < 4)
            return false;
        parts.n = sl_cql_load_be32(parts.at);
        parts.at += 4;
        if (parts.n > (uint32_t)(cell.len - 4) / part_bytes)
            return false;
    } else if (type->kind == SL_CQL_TUPLE || type->kind == SL_CQL_UDT) {
        parts.n = type->n_args;
    } else {
        return false;
    }
    *ret = parts;
    return true;
}

/* A part behind its length; at the end of a tuple or UDT nothing, which is null. */
static bool take_part(struct sl_cql_parts *parts, bool may_end, struct sl_cql_cell *ret)
{
    int32_t len;

    if (parts->at == parts->end && may_end) {
        *ret = (struct sl_cql_cell){NULL, SL_CQL_NULL};
        return true;
    }
    if (parts->end - parts->at < 4)
        return false;
    len = (int32_t)sl_cql_load_be32(parts->at);
    parts->at += 4;
    if (len < 0) {
        *ret = (struct sl_cql_cell){NULL, SL_CQL_NULL};
        return true;
    }
    if (len > parts->end - parts->at)
        return false;
    *ret = (struct sl_cql_cell){parts->at, len};
    parts->at += len;
    return true;
}

int sl_cql_parts_next(struct sl_cql_parts *parts, const struct sl_cql_type **ret_type,
                      struct sl_cql_cell *ret)
{
    const struct sl_cql_type *type = parts->type;
    bool is_map = type->kind == SL_CQL_MAP;
    bool is_row = !has_count(type->kind);

    if (parts->index == (is_map ? 2 * parts->n : parts->n)) {
        /* A UDT of which a field was added meanwhile may be longer than its type here. */
        return parts->at == parts->end || type->kind == SL_CQL_UDT ? 0 : -1;
    }
    if (!take_part(parts, is_row, ret))
        return -1;
    if (is_row)
        *ret_type = type->args[parts->index];
    else
        *ret_type = type->args[is_map ? parts->index & 1 : 0];
    parts->index++;
    return 1;
}

/* Bytes of a fixed-size type; 0: any length. */
static int fixed_size(enum sl_cql_kind kind)
{
    switch ((int)kind) {
    case SL_CQL_BIGINT:
    case SL_CQL_COUNTER:
    case SL_CQL_DOUBLE:
    case SL_CQL_TIMESTAMP:
    case SL_CQL_TIME: return 8;
    case SL_CQL_INT:
    case SL_CQL_FLOAT:
    case SL_CQL_DATE: return 4;
    case SL_CQL_UUID:
    case SL_CQL_TIMEUUID: return 16;
    case SL_CQL_SMALLINT: return 2;
    case SL_CQL_TINYINT:
    case SL_CQL_BOOLEAN: return 1;
    default: return 0;
    }
}

static bool check_parts(const struct sl_cql_type *type, struct sl_cql_cell cell)
{
    struct sl_cql_parts parts;
    int more;

    if (!sl_cql_parts_open(type, cell, &parts))
        return false;
    while ((more = sl_cql_parts_next(&parts, &type, &cell)) > 0) {
        if (!sl_cql_check(type, cell))
            return false;
    }
    return more == 0;
}

bool sl_cql_check(const struct sl_cql_type *type, struct sl_cql_cell cell)
{
    struct sl_cql_duration duration;
    int size = fixed_size(type->kind);

    if (cell.len <= 0)
        return true;
    if (size)
        return cell.len == size;
    switch ((int)type->kind) {
    case SL_CQL_DECIMAL: return cell.len >= 5;
    case SL_CQL_INET: return cell.len == 4 || cell.len == 16;
    case SL_CQL_DURATION: return sl_cql_duration(cell, &duration);
    case SL_CQL_LIST:
    case SL_CQL_SET:
    case SL_CQL_MAP:
    case SL_CQL_TUPLE:
    case SL_CQL_UDT: return check_parts(type, cell);
    default: return true;
    }
}

/*
 * Within one microsecond there are ten ticks; the low 8 bytes compare as signed ones, so the smallest are all
 * 0x80 and the largest all 0x7f (which no real uuid has: the variant's bits are 10).
 */
static void timeuuid_of_ticks(uint64_t ticks, int fill, uint8_t ret[16])
{
    uint64_t high = ticks << 32 | (ticks >> 32 & 0xFFFF) << 16 | 0x1000 | (ticks >> 48 & 0xFFF);

    high = __builtin_bswap64(high);
    memcpy(ret, &high, 8);
    memset(ret + 8, fill, 8);
}

void sl_cql_timeuuid_min(int64_t us, uint8_t ret[16])
{
    timeuuid_of_ticks((uint64_t)(us * 10 + SL_CQL_TICKS_OF_1970), 0x80, ret);
}

void sl_cql_timeuuid_max(int64_t us, uint8_t ret[16])
{
    timeuuid_of_ticks((uint64_t)(us * 10 + 9 + SL_CQL_TICKS_OF_1970), 0x7F, ret);
}

int sl_cql_timeuuid_compare(const uint8_t a[16], const uint8_t b[16])
{
    uint64_t ticks_a = sl_cql_timeuuid_ticks(a);
    uint64_t ticks_b = sl_cql_timeuuid_ticks(b);

    if (ticks_a != ticks_b)
        return ticks_a < ticks_b ? -1 : 1;
    for (int i = 8; i < 16; i++) {
        if (a[i] != b[i])
            return (int8_t)a[i] < (int8_t)b[i] ? -1 : 1;
    }
    return 0;
}
