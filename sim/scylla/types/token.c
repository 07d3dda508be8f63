/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <string.h>

#include "bytes.h"

static const uint64_t c1 = 0x87c37b91114253d5ULL;
static const uint64_t c2 = 0x4cf5ad432745937fULL;

static uint64_t rotl(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static uint64_t load_little(const uint8_t *at)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | at[i];
    return v;
}

static uint64_t final_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

static uint64_t mix_k1(uint64_t k1)
{
    return rotl(k1 * c1, 31) * c2;
}

static uint64_t mix_k2(uint64_t k2)
{
    return rotl(k2 * c2, 33) * c1;
}

/* One byte of the tail, sign-extended as Java's bytes are. */
static uint64_t signed_byte(uint8_t byte, size_t place)
{
    return (uint64_t)(int64_t)(int8_t)byte << (8 * place);
}

int64_t sy_token_of(const uint8_t *key, size_t len)
{
    uint64_t h1 = 0, h2 = 0;
    size_t blocks = len / 16;
    for (size_t i = 0; i < blocks; i++) {
        h1 ^= mix_k1(load_little(key + i * 16));
        h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= mix_k2(load_little(key + i * 16 + 8));
        h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    const uint8_t *tail = key + blocks * 16;
    size_t rest = len % 16;
    uint64_t k1 = 0, k2 = 0;
    for (size_t i = 8; i < rest; i++)
        k2 ^= signed_byte(tail[i], i - 8);
    for (size_t i = 0; i < rest && i < 8; i++)
        k1 ^= signed_byte(tail[i], i);
    h2 ^= mix_k2(k2); /* 0 mixes to 0, so an absent tail changes nothing */
    h1 ^= mix_k1(k1);
    h1 ^= len;
    h2 ^= len;
    h1 += h2;
    h2 += h1;
    h1 = final_mix(h1);
    h2 = final_mix(h2);
    h1 += h2;
    return (int64_t)h1 == INT64_MIN ? INT64_MAX : (int64_t)h1;
}

int64_t sy_token_of_stream(const uint8_t *key, size_t len)
{
    return len == 16 ? (int64_t)sy_get_u64(key) : INT64_MIN;
}

size_t sy_key_serialise(const struct sy_value *values, uint32_t n, uint8_t *ret_key, size_t size)
{
    size_t need = 0;
    for (uint32_t i = 0; i < n; i++)
        need += (size_t)values[i].len + (n > 1 ? 3 : 0);
    if (need > size)
        return need;
    uint8_t *at = ret_key;
    for (uint32_t i = 0; i < n; i++) {
        if (n > 1) {
            sy_put_u16(at, (uint16_t)values[i].len);
            at += 2;
        }
        if (values[i].len > 0)
            memcpy(at, values[i].bytes, (size_t)values[i].len);
        at += values[i].len;
        if (n > 1)
            *at++ = 0;
    }
    return need;
}

bool sy_key_split(const uint8_t *key, size_t len, uint32_t n, struct sy_value *ret_values)
{
    if (n == 1) {
        ret_values[0] = (struct sy_value){.len = (int32_t)len, .bytes = key};
        return len <= INT32_MAX;
    }
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (len - at < 3)
            return false;
        size_t part = sy_get_u16(key + at);
        if (len - at - 3 < part)
            return false;
        ret_values[i] = (struct sy_value){.len = (int32_t)part, .bytes = key + at + 2};
        at += part + 3;
    }
    return at == len;
}
