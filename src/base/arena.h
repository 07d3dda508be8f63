/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that is given back all at once. A batch owns one; everything decoded into the batch lives
 * there.
 *
 *     struct sl_arena *arena = sl_arena_new(256 * 1024);
 *     struct sl_value *fields = sl_arena_alloc(arena, n * sizeof(*fields));
 *     ...
 *     sl_arena_reset(arena);   // everything above is gone, the chunks stay
 *
 * Threads: one at a time; handing a batch over a queue hands its arena over.
 */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sl_arena_chunk;

/* The current chunk's free space stands first, so that the common case is inline. */
struct sl_arena {
    uint8_t *next;
    uint8_t *end;
    struct sl_arena_chunk *chunks; /* newest first; its head is the current one */
    struct sl_arena_chunk *spare;  /* emptied by reset, to be used again */
    size_t chunk_bytes;
    size_t used_bytes; /* handed out since the last reset, without the current chunk's part */
};

struct sl_arena *sl_arena_new(size_t chunk_bytes);
void sl_arena_free(struct sl_arena *arena);

/* Empty the arena. Chunks of the usual size are kept (up to the high-water mark of the last rounds). */
void sl_arena_reset(struct sl_arena *arena);

/* Bytes handed out since the last reset. */
size_t sl_arena_used(const struct sl_arena *arena);

void *sl_arena_alloc_slow(struct sl_arena *arena, size_t size) __attribute__((returns_nonnull));

/* Memory aligned to 8; not zeroed. Never NULL. */
static inline void *sl_arena_alloc(struct sl_arena *arena, size_t size)
{
    size_t rounded = (size + 7) & ~(size_t)7;

    /* Nothing at all, and a size that overflowed, are 0 here: both go the slow way. */
    if (__builtin_expect((size_t)(arena->end - arena->next) > rounded - 1, 1)) {
        void *ptr = arena->next;

        arena->next += rounded;
        return ptr;
    }
    return sl_arena_alloc_slow(arena, size);
}

/* A copy of len bytes. */
static inline void *sl_arena_copy(struct sl_arena *arena, const void *bytes, size_t len)
{
    void *copy = sl_arena_alloc(arena, len);

    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

char *sl_arena_strdup(struct sl_arena *arena, const char *text);
char *sl_arena_format(struct sl_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
