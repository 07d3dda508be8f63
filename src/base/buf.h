/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer. Reset keeps the memory, so that a buffer used for every batch stops allocating.
 */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include "base/alloc.h"

#include <stdint.h>
#include <string.h>

struct sl_buf {
    uint8_t *data; /* NULL while nothing was ever reserved */
    size_t len;
    size_t capacity;
};

void sl_buf_grow(struct sl_buf *buf, size_t more);
void sl_buf_done(struct sl_buf *buf); /* frees; the buffer is empty and usable again */

static inline void sl_buf_reset(struct sl_buf *buf)
{
    buf->len = 0;
}

/* Room for more bytes at the end; returns where they go. Does not change len. */
static inline uint8_t *sl_buf_reserve(struct sl_buf *buf, size_t more)
{
    if (__builtin_expect(buf->capacity - buf->len < more, 0))
        sl_buf_grow(buf, more);
    return buf->data + buf->len;
}

static inline void sl_buf_put(struct sl_buf *buf, const void *bytes, size_t len)
{
    if (len) /* nothing has no place: data may be NULL still */
        memcpy(sl_buf_reserve(buf, len), bytes, len);
    buf->len += len;
}

static inline void sl_buf_u8(struct sl_buf *buf, uint8_t byte)
{
    *sl_buf_reserve(buf, 1) = byte;
    buf->len++;
}

static inline void sl_buf_be32(struct sl_buf *buf, uint32_t v)
{
    v = __builtin_bswap32(v);
    sl_buf_put(buf, &v, 4);
}

static inline void sl_buf_be64(struct sl_buf *buf, uint64_t v)
{
    v = __builtin_bswap64(v);
    sl_buf_put(buf, &v, 8);
}

/* Unsigned LEB128. */
static inline void sl_buf_varint(struct sl_buf *buf, uint64_t v)
{
    uint8_t *at = sl_buf_reserve(buf, 10);
    size_t n = 0;

    while (v >= 0x80) {
        at[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    at[n++] = (uint8_t)v;
    buf->len += n;
}

void sl_buf_text(struct sl_buf *buf, const char *text);
void sl_buf_format(struct sl_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content as a C string (a NUL stands behind it, not counted); lives until the next change. */
const char *sl_buf_cstr(struct sl_buf *buf);

#endif
