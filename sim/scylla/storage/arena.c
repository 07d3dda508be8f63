/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 * 1024 };

struct sy_arena_chunk {
    struct sy_arena_chunk *next;
    size_t size;
    size_t used;
    size_t unused; /* keeps the bytes behind aligned to 16 */
};

static uint8_t *chunk_bytes(struct sy_arena_chunk *chunk)
{
    return (uint8_t *)(chunk + 1);
}

static void chunks_free(struct sy_arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct sy_arena_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
}

void sy_arena_reset(struct sy_arena *arena)
{
    struct sy_arena_chunk *kept = arena->chunks;

    if (kept == NULL)
        return;
    chunks_free(kept->next);
    kept->next = NULL;
    kept->used = 0;
    if (kept->size > (size_t)16 * CHUNK_BYTES)
        sy_arena_free(arena); /* one great request does not hold its memory for ever */
}

void sy_arena_free(struct sy_arena *arena)
{
    chunks_free(arena->chunks);
    arena->chunks = NULL;
}

static void grow(struct sy_arena *arena, size_t size)
{
    size_t wanted = CHUNK_BYTES;
    struct sy_arena_chunk *chunk;

    /* Each chunk doubles the last, so that a long scan does not ask malloc for ever. */
    if (arena->chunks != NULL && arena->chunks->size < (size_t)64 * CHUNK_BYTES)
        wanted = arena->chunks->size * 2;
    if (wanted < size)
        wanted = size;
    chunk = malloc(sizeof(*chunk) + wanted);
    if (chunk == NULL) {
        fprintf(stderr, "out of memory: %zu bytes for a request\n", wanted);
        abort();
    }
    chunk->size = wanted;
    chunk->used = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
}

void *sy_arena_raw(struct sy_arena *arena, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    uint8_t *ptr;

    if (arena->chunks == NULL || arena->chunks->size - arena->chunks->used < rounded)
        grow(arena, rounded);
    ptr = chunk_bytes(arena->chunks) + arena->chunks->used;
    arena->chunks->used += rounded;
    return ptr;
}

void *sy_arena_alloc(struct sy_arena *arena, size_t size)
{
    return memset(sy_arena_raw(arena, size), 0, size);
}

char *sy_arena_dup(struct sy_arena *arena, const void *bytes, size_t len)
{
    char *copy = sy_arena_raw(arena, len + 1);

    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *sy_arena_text(struct sy_arena *arena, const char *text)
{
    return sy_arena_dup(arena, text, strlen(text));
}

char *sy_arena_vformat(struct sy_arena *arena, const char *format, va_list args)
{
    va_list again;
    int len;
    char *text;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = sy_arena_raw(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *sy_arena_format(struct sy_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = sy_arena_vformat(arena, format, args);
    va_end(args);
    return text;
}
