/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(size_t size) __attribute__((noreturn));

static void out_of_memory(size_t size)
{
    (void)fprintf(stderr, "sluice: out of memory (%zu bytes were asked for)\n", size);
    abort();
}

void *sl_alloc(size_t size)
{
    void *ptr = malloc(size ? size : 1);

    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void *sl_zalloc(size_t count, size_t size)
{
    void *ptr = calloc(count ? count : 1, size ? size : 1);

    if (!ptr)
        out_of_memory(count * size);
    return ptr;
}

void *sl_realloc(void *ptr, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory(SIZE_MAX);
    ptr = realloc(ptr, total ? total : 1);
    if (!ptr)
        out_of_memory(total);
    return ptr;
}

char *sl_strndup(const char *text, size_t len)
{
    char *copy = sl_alloc(len + 1);

    if (len) /* text may be NULL then */
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *sl_strdup(const char *text)
{
    return sl_strndup(text, strlen(text));
}

char *sl_vformat(const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        out_of_memory(0);
    return text;
}

char *sl_format(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = sl_vformat(format, args);
    va_end(args);
    return text;
}

void sl_free(void *ptr)
{
    free(ptr);
}

void sl_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "sluice: %s:%d: this must hold and does not: %s\n", file, line, condition);
    abort();
}
