/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/token.h"

#define C1 0x87c37b91114253d5ULL
#define C2 0x4cf5ad432745937fULL

static uint64_t rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static uint64_t finish(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

static uint64_t load_le64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, 8);
    return v;
}

/* Java's bytes are signed: each one spreads its sign over what stands above it. */
static uint64_t load_tail(const uint8_t *at, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v ^= (uint64_t)(int64_t)(int8_t)at[i] << (8 * i);
    return v;
}

int64_t sl_cql_murmur3(const uint8_t *key, size_t len)
{
    const uint8_t *tail = key + (len & ~(size_t)15);
    size_t rest = len & 15;
    uint64_t h1 = 0;
    uint64_t h2 = 0;

    for (const uint8_t *at = key; at < tail; at += 16) {
        h1 ^= rotate(load_le64(at) * C1, 31) * C2;
        h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotate(load_le64(at + 8) * C2, 33) * C1;
        h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (rest > 8)
        h2 ^= rotate(load_tail(tail + 8, rest - 8) * C2, 33) * C1;
    if (rest)
        h1 ^= rotate(load_tail(tail, rest < 8 ? rest : 8) * C1, 31) * C2;
    h1 ^= len;
    h2 ^= len;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    return (int64_t)h1 == INT64_MIN ? INT64_MAX : (int64_t)h1;
}

int64_t sl_cql_token(const struct sl_cql_cell *key, uint32_t n_columns)
{
    struct sl_buf joined = {0};
    int64_t token;

    if (n_columns == 1)
        return sl_cql_murmur3(key[0].data, (size_t)key[0].len);
    for (uint32_t i = 0; i < n_columns; i++) {
        sl_buf_u8(&joined, (uint8_t)(key[i].len >> 8));
        sl_buf_u8(&joined, (uint8_t)key[i].len);
        sl_buf_put(&joined, key[i].data, (size_t)key[i].len);
        sl_buf_u8(&joined, 0);
    }
    token = sl_cql_murmur3(joined.data, joined.len);
    sl_buf_done(&joined);
    return token;
}

int64_t sl_cql_cdc_token(struct sl_cql_cell stream_id)
{
    return stream_id.len == 16 ? (int64_t)sl_cql_load_be64(stream_id.data) : INT64_MIN;
}
