/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heap memory. Nothing here returns NULL: when memory is out, the process says so in one line and aborts; a
 * restart is the most tested path of this program. Sizes that come from outside are checked by the caller
 * before they come here.
 */
#ifndef SLUICE_BASE_ALLOC_H
#define SLUICE_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *sl_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *sl_zalloc(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull)); /* zeroed; checks overflow */
void *sl_realloc(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));
char *sl_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *sl_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull)); /* adds the NUL */
char *sl_format(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *sl_vformat(const char *format, va_list args)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 0)));
void sl_free(void *ptr); /* NULL is fine */

/* Grow an array so that one more item fits: doubles, from 8. */
#define SL_GROW(array, n, capacity)                                      \
    do {                                                                 \
        if ((n) >= (capacity)) {                                         \
            (capacity) = (capacity) ? (capacity) * 2 : 8;                \
            (array) = sl_realloc((array), (capacity), sizeof(*(array))); \
        }                                                                \
    } while (0)

/* A broken invariant: one line, then abort. Never for bad input. */
#define SL_ASSERT(condition)                                  \
    do {                                                      \
        if (__builtin_expect(!(condition), 0))                \
            sl_assert_failed(#condition, __FILE__, __LINE__); \
    } while (0)

void sl_assert_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

#endif
