/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as the wire has them (native protocol v4 section 6): where they lie and how long they are. Nothing
 * is copied; a cell points into the frame that brought it and lives as long as the answer.
 *
 * Readers return false for bytes that are no value of the type. An empty value (length 0), which old tables
 * hold, is legal for nearly every type: sl_cql_is_absent counts it as null where the type has no empty value.
 */
#ifndef SLUICE_NET_CQL_CELL_H
#define SLUICE_NET_CQL_CELL_H

#include "net/cql/type.h"

struct sl_cql_cell {
    const uint8_t *data;
    int32_t len; /* -1: null; in values to bind also -2: not set */
};

enum { SL_CQL_NULL = -1, SL_CQL_UNSET = -2 };

static inline bool sl_cql_is_null(struct sl_cql_cell cell)
{
    return cell.len < 0;
}

/* Null, or empty in a type that has no empty value (all but text, ascii, blob and collections of none). */
bool sl_cql_is_absent(const struct sl_cql_type *type, struct sl_cql_cell cell);

static inline uint64_t sl_cql_load_be64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, 8);
    return __builtin_bswap64(v);
}

static inline uint32_t sl_cql_load_be32(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, 4);
    return __builtin_bswap32(v);
}

static inline uint16_t sl_cql_load_be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* bigint, counter, timestamp (ms), time (ns of the day): 8 bytes. */
static inline bool sl_cql_int64(struct sl_cql_cell cell, int64_t *ret)
{
    if (cell.len != 8)
        return false;
    *ret = (int64_t)sl_cql_load_be64(cell.data);
    return true;
}

static inline bool sl_cql_int32(struct sl_cql_cell cell, int32_t *ret)
{
    if (cell.len != 4)
        return false;
    *ret = (int32_t)sl_cql_load_be32(cell.data);
    return true;
}

static inline bool sl_cql_int16(struct sl_cql_cell cell, int16_t *ret)
{
    if (cell.len != 2)
        return false;
    *ret = (int16_t)sl_cql_load_be16(cell.data);
    return true;
}

static inline bool sl_cql_int8(struct sl_cql_cell cell, int8_t *ret)
{
    if (cell.len != 1)
        return false;
    *ret = (int8_t)cell.data[0];
    return true;
}

static inline bool sl_cql_bool(struct sl_cql_cell cell, bool *ret)
{
    if (cell.len != 1)
        return false;
    *ret = cell.data[0] != 0;
    return true;
}

static inline bool sl_cql_float(struct sl_cql_cell cell, float *ret)
{
    uint32_t bits;

    if (cell.len != 4)
        return false;
    bits = sl_cql_load_be32(cell.data);
    memcpy(ret, &bits, 4);
    return true;
}

static inline bool sl_cql_double(struct sl_cql_cell cell, double *ret)
{
    uint64_t bits;

    if (cell.len != 8)
        return false;
    bits = sl_cql_load_be64(cell.data);
    memcpy(ret, &bits, 8);
    return true;
}

/* date: days since 1970-01-01 (on the wire 2^31 is that day). */
static inline bool sl_cql_date(struct sl_cql_cell cell, int32_t *ret_days)
{
    if (cell.len != 4)
        return false;
    *ret_days = (int32_t)(sl_cql_load_be32(cell.data) - 0x80000000U);
    return true;
}

/* decimal: scale, and the unscaled number in two's complement, big-endian, at least one byte. */
static inline bool sl_cql_decimal(struct sl_cql_cell cell, int32_t *ret_scale,
                                  struct sl_cql_cell *ret_unscaled)
{
    if (cell.len < 5)
        return false;
    *ret_scale = (int32_t)sl_cql_load_be32(cell.data);
    *ret_unscaled = (struct sl_cql_cell){cell.data + 4, cell.len - 4};
    return true;
}

struct sl_cql_duration {
    int32_t months;
    int32_t days;
    int64_t nanos; /* all three of one sign, or zero */
};

bool sl_cql_duration(struct sl_cql_cell cell, struct sl_cql_duration *ret);

/*
 * Text, appended, as the Scylla connector writes it (scylla-source §4.10): uuids in lower case; IPv4 dotted,
 * IPv6 in hex groups without "::"; decimals as Java's BigDecimal prints them; durations "1y2mo3d4h5m6s7ms"
 * with a leading "-" when negative and nothing for zero. False: no value of the type; nothing is appended.
 */
bool sl_cql_put_uuid(struct sl_buf *out, struct sl_cql_cell cell);
bool sl_cql_put_inet(struct sl_buf *out, struct sl_cql_cell cell);
bool sl_cql_put_decimal(struct sl_buf *out, struct sl_cql_cell cell);
bool sl_cql_put_varint(struct sl_buf *out, struct sl_cql_cell cell);
bool sl_cql_put_duration(struct sl_buf *out, struct sl_cql_cell cell);

/*
 * Any value as text for people and tests: cqlsh's notation, nearly ({'a': 1}, 0xff, null). Malformed bytes
 * show as <malformed>.
 */
void sl_cql_put_value(struct sl_buf *out, const struct sl_cql_type *type, struct sl_cql_cell cell);

/* Version 1 uuids. Microseconds since 1970; the full count is of 100 ns since 1582-10-15. */
static inline uint64_t sl_cql_timeuuid_ticks(const uint8_t uuid[16])
{
    uint64_t high = sl_cql_load_be64(uuid);

    return (high & 0xFFF) << 48 | (high >> 16 & 0xFFFF) << 32 | high >> 32;
}

#define SL_CQL_TICKS_OF_1970 0x01B21DD213814000LL

static inline int64_t sl_cql_timeuuid_us(const uint8_t uuid[16])
{
    int64_t ticks = (int64_t)sl_cql_timeuuid_ticks(uuid) - SL_CQL_TICKS_OF_1970;

    return ticks >= 0 ? ticks / 10 : -((-ticks + 9) / 10);
}

/*
 * The smallest and the largest timeuuid of a microsecond, in the server's order (time first, then the low
 * bytes as signed ones): for bounds that are inclusive.
 */
void sl_cql_timeuuid_min(int64_t us, uint8_t ret[16]);
void sl_cql_timeuuid_max(int64_t us, uint8_t ret[16]);

/* The server's order of timeuuids: by time, then the low 8 bytes as signed bytes. */
int sl_cql_timeuuid_compare(const uint8_t a[16], const uint8_t b[16]);

/*
 * The parts of a collection, tuple or UDT, one after the other. A map gives key, value, key, value.
 *
 *     struct sl_cql_parts parts;
 *     if (!sl_cql_parts_open(type, cell, &parts))
 *         malformed
 *     while ((more = sl_cql_parts_next(&parts, &type, &cell)) > 0)
 *         ...
 *     if (more < 0)
 *         malformed
 *
 * A UDT or tuple that stops early gives nulls for what is missing. n is the number of elements (entries for a
 * map, fields for a tuple); it never exceeds what the bytes can hold, so that it may size an allocation.
 */
struct sl_cql_parts {
    const struct sl_cql_type *type;
    const uint8_t *at;
    const uint8_t *end;
    uint32_t n;
    uint32_t index; /* of the next part: for a map twice n in all */
};

bool sl_cql_parts_open(const struct sl_cql_type *type, struct sl_cql_cell cell, struct sl_cql_parts *ret);
int sl_cql_parts_next(struct sl_cql_parts *parts, const struct sl_cql_type **ret_type,
                      struct sl_cql_cell *ret);

/* Is it, all the way down, a value of the type? */
bool sl_cql_check(const struct sl_cql_type *type, struct sl_cql_cell cell);

#endif
