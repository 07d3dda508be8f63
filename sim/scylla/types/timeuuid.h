/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 1 UUIDs: 100 ns ticks since 1582-10-15 and eight bytes of clock sequence and node.
 */
#ifndef SIM_SCYLLA_TYPES_TIMEUUID_H
#define SIM_SCYLLA_TYPES_TIMEUUID_H

#include <stdint.h>

/* Ticks at 1970-01-01. */
#define SY_UUID_EPOCH 0x01B21DD213814000LL

uint64_t sy_timeuuid_ticks(const uint8_t uuid[16]); /* the 60-bit time */
int64_t sy_timeuuid_us(const uint8_t uuid[16]);     /* microseconds since 1970, rounded down */
/* low: the last eight bytes as they stand; set the variant bits (0x8000...) yourself. */
void sy_timeuuid_make(uint64_t ticks, uint64_t low, uint8_t ret_uuid[16]);

static inline uint64_t sy_timeuuid_ticks_of_us(int64_t us)
{
    return (uint64_t)us * 10 + (uint64_t)SY_UUID_EPOCH;
}

#endif
