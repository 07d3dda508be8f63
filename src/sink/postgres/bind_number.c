/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/bind.h"

#include <math.h>

#define BIND_FIXED(name, size, put)                                                                   \
    void name(const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows, uint32_t n, \
              struct sl_buf *out, struct sl_pgsink_bads *bads)                                        \
    {                                                                                                 \
        bind_fixed(cell, rows, n, out, bads, size, put);                                              \
    }

SL_PGSINK_INLINE const char *put_int2(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    (void)cell;
    (void)put_be16(at, (uint16_t)value.i);
    return value.i == (int16_t)value.i ? NULL : "the number is outside the range of smallint";
}

SL_PGSINK_INLINE const char *put_int4(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    (void)cell;
    (void)put_be32(at, (uint32_t)value.i);
    return value.i == (int32_t)value.i ? NULL : "the number is outside the range of integer";
}

SL_PGSINK_INLINE const char *put_int8(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    (void)cell;
    (void)put_be64(at, (uint64_t)value.i);
    return NULL;
}

SL_PGSINK_INLINE const char *put_float4_bits(float narrow, uint8_t *at)
{
    uint32_t bits;

    memcpy(&bits, &narrow, 4);
    (void)put_be32(at, bits);
    return NULL;
}

SL_PGSINK_INLINE const char *put_float8_bits(double wide, uint8_t *at)
{
    uint64_t bits;

    memcpy(&bits, &wide, 8);
    (void)put_be64(at, bits);
    return NULL;
}

SL_PGSINK_INLINE const char *put_float4(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    float narrow = (float)value.d;

    (void)cell;
    if (__builtin_expect(isinf(narrow) && !isinf(value.d), 0))
        return "the number is outside the range of real";
    return put_float4_bits(narrow, at);
}

SL_PGSINK_INLINE const char *put_float8(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    (void)cell;
    return put_float8_bits(value.d, at);
}

SL_PGSINK_INLINE const char *put_int_as_float4(const struct sl_pgsink_cell *cell, struct sl_value value,
                                               uint8_t *at)
{
    (void)cell;
    return put_float4_bits((float)value.i, at);
}

SL_PGSINK_INLINE const char *put_int_as_float8(const struct sl_pgsink_cell *cell, struct sl_value value,
                                               uint8_t *at)
{
    (void)cell;
    return put_float8_bits((double)value.i, at);
}

SL_PGSINK_INLINE const char *put_bool(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *at)
{
    (void)cell;
    *at = value.i != 0;
    return NULL;
}

BIND_FIXED(sl_pgsink_bind_int2, 2, put_int2)
BIND_FIXED(sl_pgsink_bind_int4, 4, put_int4)
BIND_FIXED(sl_pgsink_bind_int8, 8, put_int8)
BIND_FIXED(sl_pgsink_bind_float4, 4, put_float4)
BIND_FIXED(sl_pgsink_bind_float8, 8, put_float8)
BIND_FIXED(sl_pgsink_bind_int_as_float4, 4, put_int_as_float4)
BIND_FIXED(sl_pgsink_bind_int_as_float8, 8, put_int_as_float8)
BIND_FIXED(sl_pgsink_bind_bool, 1, put_bool)
