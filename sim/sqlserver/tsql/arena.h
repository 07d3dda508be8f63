/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the language half: an arena (freed as a whole) and a growing text buffer.
 *
 * A parsed batch owns one arena (tokens, tree, plans); a running statement owns another (rows, values).
 * Nothing in them is freed singly. Out of memory ends the process with one line: the simulator keeps nothing
 * in memory that its state directory does not hold.
 */
#ifndef SIM_SQLSERVER_TSQL_ARENA_H
#define SIM_SQLSERVER_TSQL_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct ms_arena_chunk;

struct ms_arena {
    struct ms_arena_chunk *chunks; /* newest first; zero-initialised is an empty arena */
};

void *ms_arena_alloc(struct ms_arena *arena, size_t size_bytes);           /* zeroed, aligned to 16 */
char *ms_arena_dup(struct ms_arena *arena, const void *bytes, size_t len); /* a NUL follows the copy */
char *ms_arena_text(struct ms_arena *arena, const char *text);
char *ms_arena_format(struct ms_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ms_arena_reset(struct ms_arena *arena); /* keeps one chunk for the next user */
void ms_arena_free(struct ms_arena *arena);

/* Heap memory for what outlives statements; ends the process when there is none. */
void *ms_heap_alloc(size_t size_bytes); /* zeroed */
void *ms_heap_resize(void *old, size_t size_bytes);
char *ms_heap_text(const char *text, size_t len);

/*
 * A text under construction; always NUL-terminated once something was added. On the heap, or in an arena when
 * one is set beforehand: then nothing needs to be freed.
 */
struct ms_buffer {
    char *data;
    size_t len;
    size_t cap;
    struct ms_arena *arena; /* NULL: the heap */
};

void ms_buffer_add(struct ms_buffer *buffer, const void *bytes, size_t len);
void ms_buffer_text(struct ms_buffer *buffer, const char *text);
void ms_buffer_byte(struct ms_buffer *buffer, char byte);
void ms_buffer_format(struct ms_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ms_buffer_free(struct ms_buffer *buffer);

#endif
