/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one request, given back all at once.
 *
 *     struct sy_arena arena = {0};
 *     ... serve a request: everything in its sy_result lives here ...
 *     sy_arena_reset(&arena);    // everything is gone, one chunk stays
 *     sy_arena_free(&arena);
 *
 * One thread at a time. Running out of memory ends the program with a line on stderr, so nothing here
 * returns NULL; lengths from outside are checked before they come here.
 */
#ifndef SIM_SCYLLA_STORAGE_ARENA_H
#define SIM_SCYLLA_STORAGE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct sy_arena_chunk;

struct sy_arena {
    struct sy_arena_chunk *chunks; /* newest first */
};

void sy_arena_reset(struct sy_arena *arena);
void sy_arena_free(struct sy_arena *arena);

/* Aligned to 16 and zeroed. A size of 0 gives a pointer too. */
void *sy_arena_alloc(struct sy_arena *arena, size_t size) __attribute__((returns_nonnull));
/* The same without zeroing. */
void *sy_arena_raw(struct sy_arena *arena, size_t size) __attribute__((returns_nonnull));

/* A copy of len bytes with a NUL behind it. */
char *sy_arena_dup(struct sy_arena *arena, const void *bytes, size_t len) __attribute__((returns_nonnull));
char *sy_arena_text(struct sy_arena *arena, const char *text) __attribute__((returns_nonnull));
char *sy_arena_format(struct sy_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2), returns_nonnull));
char *sy_arena_vformat(struct sy_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), nonnull(2), returns_nonnull));

#endif
