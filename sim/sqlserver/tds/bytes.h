/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing byte buffers, a bounds-checked reader, and scratch memory for one request.
 *
 * TDS is little-endian but for packet headers and PRELOGIN, which are big-endian. A reader never steps
 * outside its bytes: the first read past the end sets `failed`, and every later read gives zeros, so that a
 * parser can read a whole structure and ask once. Out of memory ends the process with one line: a test
 * stand-in has nothing to save.
 */
#ifndef SIM_SQLSERVER_TDS_BYTES_H
#define SIM_SQLSERVER_TDS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ms_bytes {
    uint8_t *data;
    size_t len;
    size_t cap;
};

void ms_bytes_done(struct ms_bytes *bytes);
/* Make room for `more` bytes and return where they go; the caller adds to len what it wrote. */
uint8_t *ms_bytes_grow(struct ms_bytes *bytes, size_t more);
void ms_bytes_drop_front(struct ms_bytes *bytes, size_t n);

static inline uint8_t *ms_bytes_room(struct ms_bytes *bytes, size_t more)
{
    return bytes->cap - bytes->len >= more ? bytes->data + bytes->len : ms_bytes_grow(bytes, more);
}

static inline void ms_bytes_put(struct ms_bytes *bytes, const void *data, size_t n)
{
    if (n > 0) {
        memcpy(ms_bytes_room(bytes, n), data, n);
        bytes->len += n;
    }
}

/* The low `size` bytes of a number, little-endian (the machines that this runs on are too). */
static inline void ms_bytes_put_le(struct ms_bytes *bytes, uint64_t number, size_t size)
{
    memcpy(ms_bytes_room(bytes, 8), &number, 8);
    bytes->len += size;
}

static inline void ms_bytes_put_u8(struct ms_bytes *bytes, uint8_t number)
{
    *ms_bytes_room(bytes, 1) = number;
    bytes->len += 1;
}

static inline void ms_bytes_put_be16(struct ms_bytes *bytes, uint16_t number)
{
    ms_bytes_put_u8(bytes, (uint8_t)(number >> 8));
    ms_bytes_put_u8(bytes, (uint8_t)number);
}

struct ms_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline size_t ms_reader_left(const struct ms_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* n bytes in place, or NULL (and failed) when there are fewer. */
static inline const uint8_t *ms_read_bytes(struct ms_reader *reader, size_t n)
{
    if (reader->failed || ms_reader_left(reader) < n) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->at;
    reader->at += n;
    return bytes;
}

static inline uint64_t ms_read_le(struct ms_reader *reader, size_t size)
{
    uint64_t number = 0;
    const uint8_t *bytes = ms_read_bytes(reader, size);
    if (bytes != NULL)
        memcpy(&number, bytes, size);
    return number;
}

static inline uint8_t ms_read_u8(struct ms_reader *reader)
{
    return (uint8_t)ms_read_le(reader, 1);
}

static inline uint16_t ms_read_u16(struct ms_reader *reader)
{
    return (uint16_t)ms_read_le(reader, 2);
}

static inline uint32_t ms_read_u32(struct ms_reader *reader)
{
    return (uint32_t)ms_read_le(reader, 4);
}

static inline uint16_t ms_read_be16(struct ms_reader *reader)
{
    uint16_t number = ms_read_u16(reader);
    return (uint16_t)(number >> 8 | number << 8);
}

struct ms_scratch_block;

/* Memory for one request: given out in pieces, taken back all at once. */
struct ms_scratch {
    struct ms_scratch_block *newest;
};

void *ms_scratch_alloc(struct ms_scratch *scratch, size_t size);
void ms_scratch_reset(struct ms_scratch *scratch);

#endif
