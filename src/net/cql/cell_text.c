/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"
#include "codec/decimal_text.h"
#include "net/cql/cell.h"

#include <inttypes.h>

bool sl_cql_put_uuid(struct sl_buf *out, struct sl_cql_cell cell)
{
    struct sl_uuid uuid;

    if (cell.len != 16)
        return false;
    memcpy(uuid.bytes, cell.data, 16);
    sl_uuid_format(&uuid, (char *)sl_buf_reserve(out, SL_UUID_TEXT_SIZE));
    out->len += SL_UUID_TEXT_SIZE - 1;
    return true;
}

bool sl_cql_put_inet(struct sl_buf *out, struct sl_cql_cell cell)
{
    if (cell.len == 4) {
        sl_buf_format(out, "%d.%d.%d.%d", cell.data[0], cell.data[1], cell.data[2], cell.data[3]);
        return true;
    }
    if (cell.len != 16)
        return false;
    for (int i = 0; i < 16; i += 2)
        sl_buf_format(out, i ? ":%x" : "%x", (unsigned)sl_cql_load_be16(cell.data + i));
    return true;
}

bool sl_cql_put_decimal(struct sl_buf *out, struct sl_cql_cell cell)
{
    struct sl_cql_cell unscaled;
    int32_t scale;

    return sl_cql_decimal(cell, &scale, &unscaled) &&
           sl_decimal_put(out, unscaled.data, (size_t)unscaled.len, scale);
}

bool sl_cql_put_varint(struct sl_buf *out, struct sl_cql_cell cell)
{
    return cell.len > 0 && sl_decimal_put(out, cell.data, (size_t)cell.len, 0);
}

/* So many of a unit, taken off what is left. */
static void put_unit(struct sl_buf *out, uint64_t *left, uint64_t unit, const char *name)
{
    if (*left >= unit)
        sl_buf_format(out, "%" PRIu64 "%s", *left / unit, name);
    *left %= unit;
}

bool sl_cql_put_duration(struct sl_buf *out, struct sl_cql_cell cell)
{
    struct sl_cql_duration d;
    uint64_t months;
    uint64_t days;
    uint64_t nanos;

    if (!sl_cql_duration(cell, &d))
        return false;
    if (d.months < 0 || d.days < 0 || d.nanos < 0)
        sl_buf_u8(out, '-');
    months = (uint64_t)(d.months < 0 ? -(int64_t)d.months : d.months);
    days = (uint64_t)(d.days < 0 ? -(int64_t)d.days : d.days);
    nanos = d.nanos < 0 ? -(uint64_t)d.nanos : (uint64_t)d.nanos;
    put_unit(out, &months, 12, "y");
    put_unit(out, &months, 1, "mo");
    put_unit(out, &days, 1, "d");
    put_unit(out, &nanos, 3600000000000, "h");
    put_unit(out, &nanos, 60000000000, "m");
    put_unit(out, &nanos, 1000000000, "s");
    put_unit(out, &nanos, 1000000, "ms");
    put_unit(out, &nanos, 1000, "us");
    put_unit(out, &nanos, 1, "ns");
    return true;
}

static void put_quoted(struct sl_buf *out, struct sl_cql_cell cell)
{
    sl_buf_u8(out, '\'');
    for (int32_t i = 0; i < cell.len; i++) {
        if (cell.data[i] == '\'')
            sl_buf_u8(out, '\'');
        sl_buf_u8(out, cell.data[i]);
    }
    sl_buf_u8(out, '\'');
}

static void put_hex(struct sl_buf *out, struct sl_cql_cell cell)
{
    static const char digits[] = "0123456789abcdef";

    sl_buf_text(out, "0x");
    for (int32_t i = 0; i < cell.len; i++) {
        sl_buf_u8(out, (uint8_t)digits[cell.data[i] >> 4]);
        sl_buf_u8(out, (uint8_t)digits[cell.data[i] & 15]);
    }
}

/* [a, b], {a, b}, {k: v}, (a, b), {field: v} */
static bool put_parts(struct sl_buf *out, const struct sl_cql_type *type, struct sl_cql_cell cell)
{
    bool is_list = type->kind == SL_CQL_LIST;
    bool is_tuple = type->kind == SL_CQL_TUPLE;
    bool is_map = type->kind == SL_CQL_MAP;
    const struct sl_cql_type *part_type;
    struct sl_cql_parts parts;
    int more;

    if (!sl_cql_parts_open(type, cell, &parts))
        return false;
    sl_buf_u8(out, is_list ? '[' : is_tuple ? '(' : '{');
    while ((more = sl_cql_parts_next(&parts, &part_type, &cell)) > 0) {
        uint32_t index = parts.index - 1;

        if (index)
            sl_buf_text(out, is_map && index % 2 ? ": " : ", ");
        if (type->kind == SL_CQL_UDT)
            sl_buf_format(out, "%s: ", type->field_names[index]);
        sl_cql_put_value(out, part_type, cell);
    }
    sl_buf_u8(out, is_list ? ']' : is_tuple ? ')' : '}');
    return more == 0;
}

/* As sl_number_put would, but for people: the shortest that reads back. */
static void put_double(struct sl_buf *out, double v, int digits)
{
    sl_buf_format(out, "%.*g", digits, v);
}

static bool put_number(struct sl_buf *out, enum sl_cql_kind kind, struct sl_cql_cell cell)
{
    int64_t wide = 0;
    double real;
    float single;
    bool truth;

    switch ((int)kind) {
    case SL_CQL_BOOLEAN:
        if (sl_cql_bool(cell, &truth))
            sl_buf_text(out, truth ? "True" : "False");
        return cell.len == 1;
    case SL_CQL_FLOAT:
        if (sl_cql_float(cell, &single))
            put_double(out, (double)single, 9);
        return cell.len == 4;
    case SL_CQL_DOUBLE:
        if (sl_cql_double(cell, &real))
            put_double(out, real, 17);
        return cell.len == 8;
    case SL_CQL_DATE:
        if (cell.len != 4)
            return false;
        wide = (int64_t)sl_cql_load_be32(cell.data) - 0x80000000LL;
        break;
    default:
        for (int32_t i = 0; i < cell.len; i++)
            wide = (int64_t)((i ? (uint64_t)wide << 8 : cell.data[0] & 0x80 ? ~0xFFULL : 0) | cell.data[i]);
    }
    sl_buf_format(out, "%" PRId64, wide);
    return true;
}

static bool put_scalar(struct sl_buf *out, const struct sl_cql_type *type, struct sl_cql_cell cell)
{
    switch (type->kind) {
    case SL_CQL_ASCII:
    case SL_CQL_VARCHAR: put_quoted(out, cell); return true;
    case SL_CQL_UUID:
    case SL_CQL_TIMEUUID: return sl_cql_put_uuid(out, cell);
    case SL_CQL_INET: return sl_cql_put_inet(out, cell);
    case SL_CQL_DECIMAL: return sl_cql_put_decimal(out, cell);
    case SL_CQL_VARINT: return sl_cql_put_varint(out, cell);
    case SL_CQL_DURATION: return sl_cql_put_duration(out, cell);
    case SL_CQL_BLOB:
    case SL_CQL_CUSTOM: put_hex(out, cell); return true;
    case SL_CQL_BOOLEAN:
    case SL_CQL_FLOAT:
    case SL_CQL_DOUBLE:
    case SL_CQL_BIGINT:
    case SL_CQL_COUNTER:
    case SL_CQL_INT:
    case SL_CQL_TIMESTAMP:
    case SL_CQL_DATE:
    case SL_CQL_TIME:
    case SL_CQL_SMALLINT:
    case SL_CQL_TINYINT: return put_number(out, type->kind, cell);
    case SL_CQL_LIST:
    case SL_CQL_MAP:
    case SL_CQL_SET:
    case SL_CQL_UDT:
    case SL_CQL_TUPLE: return put_parts(out, type, cell);
    }
    return false;
}

void sl_cql_put_value(struct sl_buf *out, const struct sl_cql_type *type, struct sl_cql_cell cell)
{
    if (sl_cql_is_absent(type, cell))
        sl_buf_text(out, "null");
    else if (!sl_cql_check(type, cell) || !put_scalar(out, type, cell))
        sl_buf_text(out, "<malformed>");
}
