/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing many things into one word, in order: the tables of schemas and topics use it. */
#ifndef SLUICE_DATA_HASH_H
#define SLUICE_DATA_HASH_H

#include "base/hash.h"

static inline uint64_t sl_hash_add(uint64_t hash, uint64_t word)
{
    return sl_hash_mix(hash ^ word ^ SL_HASH_B, SL_HASH_A);
}

/* NULL and "" differ. */
static inline uint64_t sl_hash_add_text(uint64_t hash, const char *text)
{
    return text ? sl_hash_bytes(text, strlen(text), hash) : sl_hash_add(hash, 0x6E756C6Cu);
}

#endif
