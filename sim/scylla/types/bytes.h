/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Big-endian integers in memory, as every CQL value keeps them. Nothing here checks bounds: callers do.
 */
#ifndef SIM_SCYLLA_TYPES_BYTES_H
#define SIM_SCYLLA_TYPES_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void sy_put_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static inline void sy_put_u32(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 24);
    at[1] = (uint8_t)(v >> 16);
    at[2] = (uint8_t)(v >> 8);
    at[3] = (uint8_t)v;
}

static inline void sy_put_u64(uint8_t *at, uint64_t v)
{
    sy_put_u32(at, (uint32_t)(v >> 32));
    sy_put_u32(at + 4, (uint32_t)v);
}

static inline uint16_t sy_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t sy_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t sy_get_u64(const uint8_t *at)
{
    return (uint64_t)sy_get_u32(at) << 32 | sy_get_u32(at + 4);
}

static inline double sy_get_double(const uint8_t *at)
{
    uint64_t bits = sy_get_u64(at);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline float sy_get_float(const uint8_t *at)
{
    uint32_t bits = sy_get_u32(at);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline void sy_put_double(uint8_t *at, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof v);
    sy_put_u64(at, bits);
}

static inline void sy_put_float(uint8_t *at, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof v);
    sy_put_u32(at, bits);
}

#endif
