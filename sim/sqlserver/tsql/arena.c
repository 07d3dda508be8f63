/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)16 * 1024)

struct ms_arena_chunk {
    struct ms_arena_chunk *next;
    size_t used;
    size_t cap;
    size_t pad; /* keeps the data behind the header aligned to 16 */
};

void *ms_heap_resize(void *old, size_t size_bytes)
{
    void *p = realloc(old, size_bytes ? size_bytes : 1);
    if (!p) {
        fputs("mssim: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *ms_heap_alloc(size_t size_bytes)
{
    void *p = ms_heap_resize(NULL, size_bytes);
    memset(p, 0, size_bytes);
    return p;
}

char *ms_heap_text(const char *text, size_t len)
{
    char *copy = ms_heap_resize(NULL, len + 1);
    if (len)
        memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

static struct ms_arena_chunk *add_chunk(struct ms_arena *arena, size_t need)
{
    size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
    struct ms_arena_chunk *chunk = ms_heap_resize(NULL, sizeof *chunk + cap);
    *chunk = (struct ms_arena_chunk){.next = arena->chunks, .cap = cap};
    arena->chunks = chunk;
    return chunk;
}

void *ms_arena_alloc(struct ms_arena *arena, size_t size_bytes)
{
    size_t need = (size_bytes + 15) & ~(size_t)15;
    struct ms_arena_chunk *chunk = arena->chunks;
    if (!chunk || chunk->cap - chunk->used < need)
        chunk = add_chunk(arena, need);
    void *p = (char *)(chunk + 1) + chunk->used;
    chunk->used += need;
    memset(p, 0, need);
    return p;
}

char *ms_arena_dup(struct ms_arena *arena, const void *bytes, size_t len)
{
    char *copy = ms_arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

char *ms_arena_text(struct ms_arena *arena, const char *text)
{
    return ms_arena_dup(arena, text, strlen(text));
}

char *ms_arena_format(struct ms_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = ms_arena_alloc(arena, (size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void ms_arena_reset(struct ms_arena *arena)
{
    struct ms_arena_chunk *keep = arena->chunks;
    if (!keep)
        return;
    struct ms_arena rest = {keep->next};
    ms_arena_free(&rest);
    keep->next = NULL;
    keep->used = 0;
    if (keep->cap > CHUNK_BYTES * 64) {
        free(keep);
        arena->chunks = NULL;
    }
}

void ms_arena_free(struct ms_arena *arena)
{
    struct ms_arena_chunk *chunk = arena->chunks;
    while (chunk) {
        struct ms_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = NULL;
}

static void reserve(struct ms_buffer *buffer, size_t more)
{
    size_t need = buffer->len + more + 1;
    if (need <= buffer->cap)
        return;
    size_t cap = buffer->cap ? buffer->cap : 64;
    while (cap < need)
        cap *= 2;
    if (buffer->arena) {
        char *larger = ms_arena_alloc(buffer->arena, cap);
        if (buffer->len)
            memcpy(larger, buffer->data, buffer->len + 1);
        buffer->data = larger;
    } else {
        buffer->data = ms_heap_resize(buffer->data, cap);
    }
    buffer->cap = cap;
}

void ms_buffer_add(struct ms_buffer *buffer, const void *bytes, size_t len)
{
    reserve(buffer, len);
    if (len)
        memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    buffer->data[buffer->len] = 0;
}

void ms_buffer_text(struct ms_buffer *buffer, const char *text)
{
    ms_buffer_add(buffer, text, strlen(text));
}

void ms_buffer_byte(struct ms_buffer *buffer, char byte)
{
    ms_buffer_add(buffer, &byte, 1);
}

void ms_buffer_format(struct ms_buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    reserve(buffer, (size_t)len);
    va_start(args, format);
    (void)vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
    va_end(args);
    buffer->len += (size_t)len;
}

void ms_buffer_free(struct ms_buffer *buffer)
{
    if (!buffer->arena)
        free(buffer->data);
    *buffer = (struct ms_buffer){0};
}
