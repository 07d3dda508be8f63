/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing buffers of outgoing bytes, and a bounds-checked reader of incoming ones. CQL is big-endian
 * throughout.
 *
 * A reader never steps outside its bytes: the first read past the end sets `failed`, and every later read
 * gives zeros, so that a parser can read a whole structure and ask once. Out of memory ends the process with
 * one line: a test stand-in has nothing to save.
 */
#ifndef SIM_SCYLLA_WIRE_OCTETS_H
#define SIM_SCYLLA_WIRE_OCTETS_H

#include "../value.h"

#include <string.h>

struct sy_out {
    uint8_t *data;
    size_t len;
    size_t cap;
};

void sy_out_done(struct sy_out *out);
/* Make room for `more` bytes and return where they go; the caller adds to len what it wrote. */
uint8_t *sy_out_grow(struct sy_out *out, size_t more) __attribute__((returns_nonnull));
void sy_out_drop_front(struct sy_out *out, size_t n);
/* Memory that outlives requests: zeroed, never NULL. */
void *sy_wire_alloc(size_t n, size_t size) __attribute__((returns_nonnull));

static inline uint8_t *sy_out_room(struct sy_out *out, size_t more)
{
    return out->cap - out->len > more ? out->data + out->len : sy_out_grow(out, more);
}

static inline void sy_out_bytes(struct sy_out *out, const void *data, size_t n)
{
    if (n > 0) {
        memcpy(sy_out_room(out, n), data, n);
        out->len += n;
    }
}

static inline void sy_out_u8(struct sy_out *out, uint8_t number)
{
    *sy_out_room(out, 1) = number;
    out->len += 1;
}

static inline void sy_out_u16(struct sy_out *out, uint16_t number)
{
    uint16_t big = __builtin_bswap16(number);
    sy_out_bytes(out, &big, sizeof(big));
}

static inline void sy_out_u32(struct sy_out *out, uint32_t number)
{
    uint32_t big = __builtin_bswap32(number);
    sy_out_bytes(out, &big, sizeof(big));
}

static inline void sy_out_i32(struct sy_out *out, int32_t number)
{
    sy_out_u32(out, (uint32_t)number);
}

static inline void sy_out_u64(struct sy_out *out, uint64_t number)
{
    uint64_t big = __builtin_bswap64(number);
    sy_out_bytes(out, &big, sizeof(big));
}

/* [string]: what does not fit into 65,535 bytes is left off. */
static inline void sy_out_string(struct sy_out *out, const char *text)
{
    size_t len = strlen(text);
    if (len > UINT16_MAX)
        len = UINT16_MAX;
    sy_out_u16(out, (uint16_t)len);
    sy_out_bytes(out, text, len);
}

/* [bytes]: a null is length -1. */
static inline void sy_out_value(struct sy_out *out, struct sy_value value)
{
    sy_out_i32(out, value.len < 0 ? -1 : value.len);
    if (value.len > 0)
        sy_out_bytes(out, value.bytes, (size_t)value.len);
}

struct sy_in {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline size_t sy_in_left(const struct sy_in *in)
{
    return (size_t)(in->end - in->at);
}

/* n bytes in place, or NULL (and failed) when there are fewer. */
static inline const uint8_t *sy_in_bytes(struct sy_in *in, size_t n)
{
    if (in->failed || sy_in_left(in) < n) {
        in->failed = true;
        return NULL;
    }
    const uint8_t *bytes = in->at;
    in->at += n;
    return bytes;
}

static inline uint8_t sy_in_u8(struct sy_in *in)
{
    const uint8_t *bytes = sy_in_bytes(in, 1);
    return bytes == NULL ? 0 : *bytes;
}

static inline uint16_t sy_in_u16(struct sy_in *in)
{
    const uint8_t *bytes = sy_in_bytes(in, 2);
    return bytes == NULL ? 0 : (uint16_t)((uint32_t)bytes[0] << 8 | bytes[1]);
}

static inline uint32_t sy_in_u32(struct sy_in *in)
{
    uint32_t big = 0;
    const uint8_t *bytes = sy_in_bytes(in, 4);
    if (bytes != NULL)
        memcpy(&big, bytes, 4);
    return __builtin_bswap32(big);
}

static inline uint64_t sy_in_u64(struct sy_in *in)
{
    uint64_t big = 0;
    const uint8_t *bytes = sy_in_bytes(in, 8);
    if (bytes != NULL)
        memcpy(&big, bytes, 8);
    return __builtin_bswap64(big);
}

#endif
