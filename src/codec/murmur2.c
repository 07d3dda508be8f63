/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/murmur2.h"

#include <string.h>

uint32_t sl_murmur2(const void *bytes, size_t len)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *at = bytes;
    uint32_t hash = 0x9747b28c ^ (uint32_t)len;
    uint32_t word;

    for (; len >= 4; at += 4, len -= 4) {
        memcpy(&word, at, 4);
        word *= m;
        word ^= word >> 24;
        hash = hash * m ^ word * m;
    }
    if (len) {
        word = 0;
        memcpy(&word, at, len);
        hash = (hash ^ word) * m;
    }
    hash ^= hash >> 13;
    hash *= m;
    return hash ^ hash >> 15;
}

int32_t sl_murmur2_partition(const void *bytes, size_t len, int32_t partitions)
{
    return (int32_t)(sl_murmur2(bytes, len) & 0x7fffffff) % partitions;
}
