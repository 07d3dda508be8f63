/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the simulator: allocation that never fails (it aborts with one line), an arena per statement,
 * and a growing text. Not thread-safe: each object belongs to one thread at a time.
 */
#ifndef SIM_SQLSERVER_STORAGE_MEMORY_H
#define SIM_SQLSERVER_STORAGE_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *ms_alloc(size_t size); /* zeroed */
void *ms_realloc(void *ptr, size_t size);
void ms_free(void *ptr); /* takes NULL */
char *ms_strdup(const char *text);

struct ms_arena_block;

/* Everything allocated lives until reset or done. A zeroed struct is an empty arena. */
struct ms_arena {
    struct ms_arena_block *head;
};

void *ms_arena_alloc(struct ms_arena *arena, size_t size); /* zeroed, aligned to 16 bytes */
char *ms_arena_strdup(struct ms_arena *arena, const char *text);
char *ms_arena_strndup(struct ms_arena *arena, const char *text, size_t len); /* adds the final NUL */
void *ms_arena_copy(struct ms_arena *arena, const void *data, size_t size);
char *ms_arena_printf(struct ms_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ms_arena_reset(struct ms_arena *arena); /* keeps one block for the next statement */
void ms_arena_done(struct ms_arena *arena);

/* A text that grows; data is always NUL-terminated once something was added. A zeroed struct is empty. */
struct ms_text {
    char *data;
    size_t len;
    size_t cap;
};

void ms_text_add(struct ms_text *text, const char *more);
void ms_text_addn(struct ms_text *text, const char *more, size_t len);
void ms_text_addf(struct ms_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ms_text_clear(struct ms_text *text); /* len 0, memory kept */
void ms_text_done(struct ms_text *text);

#endif
