/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 64-bit hash for tables that live in this process: not stable between versions, not for hostile keys in
 * unbounded tables, never stored.
 */
#ifndef SLUICE_DATA_HASH_H
#define SLUICE_DATA_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t sl_hash_mix(uint64_t hash, uint64_t word)
{
    __uint128_t product = (__uint128_t)(hash ^ word ^ 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sl_hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t word = 0;

    hash = sl_hash_mix(hash, len);
    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        hash = sl_hash_mix(hash, word);
    }
    if (len) {
        word = 0;
        memcpy(&word, at, len);
        hash = sl_hash_mix(hash, word);
    }
    return hash;
}

/* NULL and "" differ. */
static inline uint64_t sl_hash_text(uint64_t hash, const char *text)
{
    return text ? sl_hash_bytes(hash, text, strlen(text)) : sl_hash_mix(hash, 0x6E756C6Cu);
}

#endif
