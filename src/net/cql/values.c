/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/cql.h"
#include "net/cql/wire.h"

void sl_cql_values_reset(struct sl_cql_values *values)
{
    sl_buf_reset(&values->bytes);
    values->n = 0;
}

void sl_cql_values_done(struct sl_cql_values *values)
{
    sl_buf_done(&values->bytes);
    values->n = 0;
}

void sl_cql_bind_bytes(struct sl_cql_values *values, const void *bytes, size_t len)
{
    SL_ASSERT(len <= INT32_MAX);
    sl_buf_be32(&values->bytes, (uint32_t)len);
    sl_buf_put(&values->bytes, bytes, len);
    values->n++;
}

void sl_cql_bind_cell(struct sl_cql_values *values, struct sl_cql_cell cell)
{
    if (cell.len >= 0) {
        sl_cql_bind_bytes(values, cell.data, (size_t)cell.len);
    } else {
        sl_buf_be32(&values->bytes, (uint32_t)cell.len);
        values->n++;
    }
}

void sl_cql_bind_null(struct sl_cql_values *values)
{
    sl_cql_bind_cell(values, (struct sl_cql_cell){NULL, SL_CQL_NULL});
}

void sl_cql_bind_text(struct sl_cql_values *values, const char *text)
{
    if (text)
        sl_cql_bind_bytes(values, text, strlen(text));
    else
        sl_cql_bind_null(values);
}

void sl_cql_bind_int64(struct sl_cql_values *values, int64_t v)
{
    sl_buf_be32(&values->bytes, 8);
    sl_buf_be64(&values->bytes, (uint64_t)v);
    values->n++;
}

void sl_cql_bind_int32(struct sl_cql_values *values, int32_t v)
{
    sl_buf_be32(&values->bytes, 4);
    sl_buf_be32(&values->bytes, (uint32_t)v);
    values->n++;
}

void sl_cql_bind_int16(struct sl_cql_values *values, int16_t v)
{
    sl_buf_be32(&values->bytes, 2);
    sl_cql_put_u16(&values->bytes, (uint16_t)v);
    values->n++;
}

void sl_cql_bind_int8(struct sl_cql_values *values, int8_t v)
{
    sl_cql_bind_bytes(values, &v, 1);
}

void sl_cql_bind_bool(struct sl_cql_values *values, bool v)
{
    sl_cql_bind_int8(values, v);
}

void sl_cql_bind_double(struct sl_cql_values *values, double v)
{
    int64_t bits;

    memcpy(&bits, &v, 8);
    sl_cql_bind_int64(values, bits);
}

void sl_cql_bind_float(struct sl_cql_values *values, float v)
{
    int32_t bits;

    memcpy(&bits, &v, 4);
    sl_cql_bind_int32(values, bits);
}

void sl_cql_bind_list(struct sl_cql_values *values, const struct sl_cql_cell *elements, uint32_t n)
{
    size_t start = values->bytes.len;
    uint32_t len;

    sl_buf_be32(&values->bytes, 0);
    sl_buf_be32(&values->bytes, n);
    for (uint32_t i = 0; i < n; i++) {
        sl_buf_be32(&values->bytes, (uint32_t)elements[i].len);
        if (elements[i].len > 0)
            sl_buf_put(&values->bytes, elements[i].data, (size_t)elements[i].len);
    }
    len = __builtin_bswap32((uint32_t)(values->bytes.len - start - 4));
    memcpy(values->bytes.data + start, &len, 4);
    values->n++;
}
