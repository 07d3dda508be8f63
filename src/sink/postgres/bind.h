/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops behind a cell plan, and what they are made of. A binary array is: int32 dimensions (1), int32
 * "has nulls", int32 element type, int32 length, int32 lower bound (1), then for each element int32 length
 * (-1: NULL) and its bytes (PostgreSQL's array_recv).
 */
#ifndef SLUICE_SINK_POSTGRES_BIND_H
#define SLUICE_SINK_POSTGRES_BIND_H

#include "sink/postgres/cell.h"

#include <string.h>

enum { SL_PGSINK_ARRAY_HEADER = 20 };

#define SL_PGSINK_INLINE static inline __attribute__((always_inline))

SL_PGSINK_INLINE uint8_t *put_be16(uint8_t *at, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(at, &v, 2);
    return at + 2;
}

SL_PGSINK_INLINE uint8_t *put_be32(uint8_t *at, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(at, &v, 4);
    return at + 4;
}

SL_PGSINK_INLINE uint8_t *put_be64(uint8_t *at, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(at, &v, 8);
    return at + 8;
}

SL_PGSINK_INLINE uint8_t *put_array_header(uint8_t *at, Oid element, uint32_t n)
{
    at = put_be32(at, 1);
    at = put_be32(at, 0);
    at = put_be32(at, element);
    at = put_be32(at, n);
    return put_be32(at, 1);
}

/* The header says "has nulls": PostgreSQL 15 takes the hint and counts for itself. */
SL_PGSINK_INLINE void mark_nulls(struct sl_buf *out, size_t header_at)
{
    (void)put_be32(out->data + header_at + 4, 1);
}

/*
 * A value that is not simply there: null, absent, or of another type than its schema says. True when a value
 * to write was found after all (the default).
 */
bool sl_pgsink_odd_value(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *row,
                         struct sl_value *value, struct sl_pgsink_bads *bads);

SL_PGSINK_INLINE bool read_value(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *row,
                                 struct sl_value *value, struct sl_pgsink_bads *bads)
{
    *value = row->cells[cell->source][cell->field];
    if (__builtin_expect(value->tag == cell->tag, 1))
        return true;
    return sl_pgsink_odd_value(cell, row, value, bads);
}

/* put writes size bytes and returns NULL, or says what is wrong. */
SL_PGSINK_INLINE void bind_fixed(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                                 uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads, uint32_t size,
                                 const char *(*put)(const struct sl_pgsink_cell *, struct sl_value,
                                                    uint8_t *))
{
    size_t header_at = out->len;
    uint8_t *at = sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER + (size_t)n * (4 + size));
    bool nulls = false;

    at = put_array_header(at, cell->element, n);
    for (uint32_t i = 0; i < n; i++) {
        struct sl_value value;
        const char *why = NULL;

        if (__builtin_expect(read_value(cell, rows[i], &value, bads), 1)) {
            why = put(cell, value, at + 4);
            if (__builtin_expect(!why, 1)) {
                (void)put_be32(at, size);
                at += 4 + size;
                continue;
            }
            sl_pgsink_bads_add(bads, rows[i]->record, cell, why);
        }
        at = put_be32(at, UINT32_MAX);
        nulls = true;
    }
    out->len = (size_t)(at - out->data);
    if (nulls)
        mark_nulls(out, header_at);
}

/*
 * put appends the element's bytes to out (which holds its length word already) and returns NULL, or says what
 * is wrong; what it appended by then is taken back.
 */
SL_PGSINK_INLINE void bind_varying(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows,
                                   uint32_t n, struct sl_buf *out, struct sl_pgsink_bads *bads,
                                   const char *(*put)(const struct sl_pgsink_cell *, struct sl_value,
                                                      struct sl_buf *))
{
    size_t header_at = out->len;
    bool nulls = false;

    out->len += (size_t)(put_array_header(sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER), cell->element, n) -
                         out->data) -
                header_at;
    for (uint32_t i = 0; i < n; i++) {
        size_t length_at = out->len;
        struct sl_value value;
        bool there = read_value(cell, rows[i], &value, bads);

        (void)sl_buf_reserve(out, 4);
        out->len += 4;
        if (__builtin_expect(there, 1)) {
            const char *why = put(cell, value, out);

            if (__builtin_expect(!why, 1)) {
                (void)put_be32(out->data + length_at, (uint32_t)(out->len - length_at - 4));
                continue;
            }
            sl_pgsink_bads_add(bads, rows[i]->record, cell, why);
        }
        (void)put_be32(out->data + length_at, UINT32_MAX);
        out->len = length_at + 4;
        nulls = true;
    }
    if (nulls)
        mark_nulls(out, header_at);
}

/* bind_number.c */
sl_pgsink_bind sl_pgsink_bind_int2, sl_pgsink_bind_int4, sl_pgsink_bind_int8;
sl_pgsink_bind sl_pgsink_bind_int_as_float4, sl_pgsink_bind_int_as_float8;
sl_pgsink_bind sl_pgsink_bind_float4, sl_pgsink_bind_float8;
sl_pgsink_bind sl_pgsink_bind_bool;

/* bind_decimal.c: numeric */
sl_pgsink_bind sl_pgsink_bind_decimal, sl_pgsink_bind_int_as_numeric;

/* bind_time.c: from days, or from milli-, micro- and nanoseconds */
sl_pgsink_bind sl_pgsink_bind_date;
sl_pgsink_bind sl_pgsink_bind_time_ms, sl_pgsink_bind_time_us, sl_pgsink_bind_time_ns;
sl_pgsink_bind sl_pgsink_bind_stamp_ms, sl_pgsink_bind_stamp_us, sl_pgsink_bind_stamp_ns;
sl_pgsink_bind sl_pgsink_bind_stamp_days; /* midnight of a day, as a timestamp */

/* bind_text.c */
sl_pgsink_bind sl_pgsink_bind_text, sl_pgsink_bind_jsonb, sl_pgsink_bind_bytes;
sl_pgsink_bind sl_pgsink_bind_uuid, sl_pgsink_bind_uuid_bytes;
sl_pgsink_bind sl_pgsink_bind_array_text; /* an array as text: {1,2,NULL} */

/* bind_json.c: arrays, maps and structs */
sl_pgsink_bind sl_pgsink_bind_as_json, sl_pgsink_bind_as_jsonb;

/* numeric in binary form: int16 digits, weight, sign, scale, then base-10000 digits. Appends. */
void sl_pgsink_put_numeric(struct sl_buf *out, const uint8_t *twos_complement, size_t len, int32_t scale);
void sl_pgsink_put_numeric_int(struct sl_buf *out, int64_t unscaled, int32_t scale);

/* NULL, or why the bytes are no text for PostgreSQL. */
const char *sl_pgsink_check_text(const uint8_t *bytes, size_t len);

#endif
