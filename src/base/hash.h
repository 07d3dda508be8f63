/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fast 64-bit hash for tables in memory: 16 bytes a step by one 64x64 multiplication. Not for durable
 * formats (it may change), not against an adversary.
 */
#ifndef SLUICE_BASE_HASH_H
#define SLUICE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SL_HASH_A 0x9E3779B97F4A7C15ULL /* digits of the golden ratio, pi and e: odd, no pattern */
#define SL_HASH_B 0x243F6A8885A308D3ULL
#define SL_HASH_C 0xB7E151628AED2A6BULL

/* The two halves of the product folded into one word: every input bit reaches every output bit. */
static inline uint64_t sl_hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sl_hash_u64(uint64_t value)
{
    return sl_hash_mix(value ^ SL_HASH_B, SL_HASH_A);
}

static inline uint64_t sl_hash_load(const uint8_t *at, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, at, len);
    return word;
}

static inline uint64_t sl_hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
    const uint8_t *at = bytes;
    uint64_t state = seed ^ sl_hash_mix(len ^ SL_HASH_A, SL_HASH_C);
    size_t left = len;

    for (; left > 16; left -= 16, at += 16)
        state = sl_hash_mix(sl_hash_load(at, 8) ^ SL_HASH_B, sl_hash_load(at + 8, 8) ^ state);
    if (left > 8)
        state = sl_hash_mix(sl_hash_load(at, 8) ^ SL_HASH_B, sl_hash_load(at + 8, left - 8) ^ state);
    else if (left)
        state = sl_hash_mix(sl_hash_load(at, left) ^ SL_HASH_B, state);
    return sl_hash_mix(state ^ SL_HASH_C, len ^ SL_HASH_A);
}

static inline uint64_t sl_hash_text(const char *text)
{
    return sl_hash_bytes(text, strlen(text), 0);
}

#endif
