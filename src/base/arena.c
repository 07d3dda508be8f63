/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

struct sl_arena_chunk {
    struct sl_arena_chunk *older;
    size_t size;
    uint8_t bytes[] __attribute__((aligned(8)));
};

#ifdef SL_POISON
#define POISON(ptr, len) memset((ptr), 0xA5, (len))
#else
#define POISON(ptr, len) ((void)(ptr))
#endif

struct sl_arena *sl_arena_new(size_t chunk_bytes)
{
    struct sl_arena *arena = sl_zalloc(1, sizeof(*arena));

    arena->chunk_bytes = chunk_bytes < 1024 ? 1024 : chunk_bytes;
    return arena;
}

static void free_chunks(struct sl_arena_chunk *chunk)
{
    while (chunk) {
        struct sl_arena_chunk *older = chunk->older;

        sl_free(chunk);
        chunk = older;
    }
}

void sl_arena_free(struct sl_arena *arena)
{
    if (!arena)
        return;
    free_chunks(arena->chunks);
    free_chunks(arena->spare);
    sl_free(arena);
}

/* Make a chunk of at least size bytes the current one. */
static void push_chunk(struct sl_arena *arena, size_t size)
{
    struct sl_arena_chunk *chunk = arena->spare;

    if (arena->chunks)
        arena->used_bytes += (size_t)(arena->next - arena->chunks->bytes);
    if (chunk && size <= chunk->size) {
        arena->spare = chunk->older;
    } else {
        size_t wanted = size > arena->chunk_bytes ? size : arena->chunk_bytes;

        chunk = sl_alloc(sizeof(*chunk) + wanted);
        chunk->size = wanted;
    }
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    arena->next = chunk->bytes;
    arena->end = chunk->bytes + chunk->size;
}

void *sl_arena_alloc_slow(struct sl_arena *arena, size_t size)
{
    size_t rounded = (size + 7) & ~(size_t)7;
    void *ptr;

    SL_ASSERT(rounded >= size);
    if (size == 0 && arena->next)
        return arena->next;
    push_chunk(arena, rounded);
    ptr = arena->next;
    arena->next += rounded;
    return ptr;
}

void sl_arena_reset(struct sl_arena *arena)
{
    struct sl_arena_chunk *chunk = arena->chunks;

    while (chunk) {
        struct sl_arena_chunk *older = chunk->older;

        POISON(chunk->bytes, chunk->size);
        /* A chunk made for one huge value is not worth keeping. */
        if (chunk->size > arena->chunk_bytes) {
            sl_free(chunk);
        } else {
            chunk->older = arena->spare;
            arena->spare = chunk;
        }
        chunk = older;
    }
    arena->chunks = NULL;
    arena->next = NULL;
    arena->end = NULL;
    arena->used_bytes = 0;
}

size_t sl_arena_used(const struct sl_arena *arena)
{
    return arena->used_bytes + (arena->chunks ? (size_t)(arena->next - arena->chunks->bytes) : 0);
}

char *sl_arena_strdup(struct sl_arena *arena, const char *text)
{
    return sl_arena_copy(arena, text, strlen(text) + 1);
}

char *sl_arena_format(struct sl_arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    SL_ASSERT(len >= 0);
    text = sl_arena_alloc(arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
