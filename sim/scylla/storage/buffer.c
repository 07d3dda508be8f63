/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include "arena.h"

#include <stdio.h>
#include <stdlib.h>

void sy_buffer_free(struct sy_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct sy_buffer){0};
}

void sy_buffer_grow(struct sy_buffer *buffer, size_t more)
{
    size_t wanted = buffer->size < 256 ? 256 : buffer->size;
    uint8_t *bytes;

    while (wanted - buffer->len < more)
        wanted *= 2;
    if (wanted == buffer->size)
        return;
    bytes = realloc(buffer->bytes, wanted);
    if (bytes == NULL) {
        fprintf(stderr, "out of memory: a record of %zu bytes\n", wanted);
        abort();
    }
    buffer->bytes = bytes;
    buffer->size = wanted;
}

void sy_buffer_put(struct sy_buffer *buffer, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    sy_buffer_grow(buffer, len);
    memcpy(buffer->bytes + buffer->len, bytes, len);
    buffer->len += len;
}

void sy_buffer_put_u64(struct sy_buffer *buffer, uint64_t v)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    sy_buffer_put(buffer, bytes, sizeof(bytes));
}

void sy_buffer_put_varint(struct sy_buffer *buffer, uint64_t v)
{
    while (v >= 0x80) {
        sy_buffer_put_u8(buffer, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    sy_buffer_put_u8(buffer, (uint8_t)v);
}

void sy_buffer_put_value(struct sy_buffer *buffer, struct sy_value value)
{
    if (value.len < 0) {
        sy_buffer_put_varint(buffer, 0);
        return;
    }
    sy_buffer_put_varint(buffer, (uint64_t)value.len + 1);
    sy_buffer_put(buffer, value.bytes, (size_t)value.len);
}

void sy_buffer_put_text(struct sy_buffer *buffer, const char *text)
{
    struct sy_value value = {.len = SY_NULL};

    if (text != NULL)
        value = (struct sy_value){.len = (int32_t)strlen(text), .bytes = (const uint8_t *)text};
    sy_buffer_put_value(buffer, value);
}

const uint8_t *sy_reader_bytes(struct sy_reader *reader, size_t len)
{
    const uint8_t *bytes = reader->at;

    if ((size_t)(reader->end - reader->at) < len) {
        reader->bad = true;
        reader->at = reader->end;
        return NULL;
    }
    reader->at += len;
    return bytes;
}

uint8_t sy_reader_u8(struct sy_reader *reader)
{
    const uint8_t *bytes = sy_reader_bytes(reader, 1);

    return bytes != NULL ? bytes[0] : 0;
}

uint64_t sy_reader_u64(struct sy_reader *reader)
{
    const uint8_t *bytes = sy_reader_bytes(reader, 8);
    uint64_t v = 0;

    for (int i = 0; bytes != NULL && i < 8; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    return v;
}

uint64_t sy_reader_varint_slow(struct sy_reader *reader)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = sy_reader_u8(reader);

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    reader->bad = true;
    return 0;
}

struct sy_value sy_reader_value(struct sy_reader *reader)
{
    uint64_t len = sy_reader_varint(reader);
    const uint8_t *bytes;

    if (len == 0)
        return (struct sy_value){.len = SY_NULL};
    if (len - 1 > INT32_MAX) {
        reader->bad = true;
        return (struct sy_value){.len = SY_NULL};
    }
    bytes = sy_reader_bytes(reader, (size_t)len - 1);
    if (bytes == NULL)
        return (struct sy_value){.len = SY_NULL};
    return (struct sy_value){.len = (int32_t)(len - 1), .bytes = bytes};
}

const char *sy_reader_text(struct sy_reader *reader, struct sy_arena *arena)
{
    struct sy_value value = sy_reader_value(reader);

    return value.len < 0 ? NULL : sy_arena_dup(arena, value.bytes, (size_t)value.len);
}
