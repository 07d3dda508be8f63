/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one request, given back all at once.
 *
 *     struct sy_arena *arena = sy_arena_new(0);
 *     ... serve a request: everything in its sy_result lives here ...
 *     sy_arena_reset(arena);
 *
 * One thread at a time. Running out of memory ends the program with a line on stderr, so nothing here
 * returns NULL (but for a size of nobody's making: lengths from outside are checked before they come here).
 */
#ifndef SIM_SCYLLA_STORAGE_ARENA_H
#define SIM_SCYLLA_STORAGE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct sy_arena;

struct sy_arena *sy_arena_new(size_t chunk_bytes); /* 0: a usual size */
void sy_arena_free(struct sy_arena *arena);        /* NULL is fine */
void sy_arena_reset(struct sy_arena *arena);       /* the first chunk is kept */

/* Aligned to 16, not zeroed. A size of 0 gives a pointer too. */
void *sy_arena_alloc(struct sy_arena *arena, size_t size) __attribute__((returns_nonnull));
void *sy_arena_zero(struct sy_arena *arena, size_t n, size_t size) __attribute__((returns_nonnull));
void *sy_arena_copy(struct sy_arena *arena, const void *bytes, size_t len) __attribute__((returns_nonnull));
char *sy_arena_strdup(struct sy_arena *arena, const char *text) __attribute__((returns_nonnull));
char *sy_arena_strndup(struct sy_arena *arena, const char *text, size_t len) __attribute__((returns_nonnull));
char *sy_arena_printf(struct sy_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
char *sy_arena_vprintf(struct sy_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), returns_nonnull));

#endif
