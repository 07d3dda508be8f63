/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow, and bytes that are read back with every length checked: the journal's records and the
 * rows in memory are written so. Integers of fixed width are little-endian, lengths and ids are LEB128.
 */
#ifndef SIM_SCYLLA_STORAGE_BUFFER_H
#define SIM_SCYLLA_STORAGE_BUFFER_H

#include "../value.h"

#include <string.h>

struct sy_arena;

struct sy_buffer {
    uint8_t *bytes; /* malloc */
    size_t len;
    size_t size;
};

void sy_buffer_free(struct sy_buffer *buffer);
void sy_buffer_grow(struct sy_buffer *buffer,
                    size_t more); /* room for so many bytes; aborts without memory */
void sy_buffer_put(struct sy_buffer *buffer, const void *bytes, size_t len);
void sy_buffer_put_u64(struct sy_buffer *buffer, uint64_t v);
void sy_buffer_put_varint(struct sy_buffer *buffer, uint64_t v);
void sy_buffer_put_text(struct sy_buffer *buffer, const char *text);       /* NULL stays NULL */
void sy_buffer_put_value(struct sy_buffer *buffer, struct sy_value value); /* SY_NULL stays it */

static inline void sy_buffer_put_u8(struct sy_buffer *buffer, uint8_t v)
{
    if (buffer->len == buffer->size)
        sy_buffer_grow(buffer, 1);
    buffer->bytes[buffer->len++] = v;
}

/* After a fault everything reads as 0 or empty; ask sy_reader.bad at the end. */
struct sy_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

uint8_t sy_reader_u8(struct sy_reader *reader);
uint64_t sy_reader_u64(struct sy_reader *reader);
uint64_t sy_reader_varint_slow(struct sy_reader *reader);
const uint8_t *sy_reader_bytes(struct sy_reader *reader, size_t len);
const char *sy_reader_text(struct sy_reader *reader, struct sy_arena *arena); /* a copy; NULL may be */
struct sy_value sy_reader_value(struct sy_reader *reader);                    /* a view */

static inline uint64_t sy_reader_varint(struct sy_reader *reader)
{
    if (reader->at < reader->end && *reader->at < 0x80)
        return *reader->at++;
    return sy_reader_varint_slow(reader);
}

#endif
