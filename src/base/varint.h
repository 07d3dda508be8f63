/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading variable-length integers from bytes that came from outside: nothing is read past the end, and a
 * number that does not fit in 64 bits is refused. Writing is in base/buf.h.
 */
#ifndef SLUICE_BASE_VARINT_H
#define SLUICE_BASE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unsigned LEB128. On success *at stands behind it; on failure *at and *ret are untouched. */
static inline bool sl_varint_read(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
    const uint8_t *p = *at;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
        uint8_t byte = *p++;

        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            *at = p;
            return true;
        }
    }
    return false;
}

/* ZigZag over LEB128: Avro's int and long, Kafka's record fields. */
static inline bool sl_zigzag_read(const uint8_t **at, const uint8_t *end, int64_t *ret)
{
    uint64_t raw;

    if (!sl_varint_read(at, end, &raw))
        return false;
    *ret = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

static inline uint64_t sl_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

/* len bytes at *at as a borrowed pointer; false when so many are not there. */
static inline bool sl_bytes_read(const uint8_t **at, const uint8_t *end, uint64_t len, const uint8_t **ret)
{
    if (len > (uint64_t)(end - *at))
        return false;
    *ret = *at;
    *at += len;
    return true;
}

#endif
