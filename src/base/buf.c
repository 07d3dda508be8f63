/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void sl_buf_grow(struct sl_buf *buf, size_t more)
{
    size_t wanted;
    size_t capacity = buf->capacity ? buf->capacity : 64;

    SL_ASSERT(!__builtin_add_overflow(buf->len, more, &wanted) && wanted < SIZE_MAX / 4);
    while (capacity < wanted)
        capacity *= 2;
    buf->data = sl_realloc(buf->data, capacity, 1);
    buf->capacity = capacity;
}

void sl_buf_done(struct sl_buf *buf)
{
    sl_free(buf->data);
    *buf = (struct sl_buf){0};
}

void sl_buf_text(struct sl_buf *buf, const char *text)
{
    sl_buf_put(buf, text, strlen(text));
}

void sl_buf_format(struct sl_buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    SL_ASSERT(len >= 0);
    (void)vsnprintf((char *)sl_buf_reserve(buf, (size_t)len + 1), (size_t)len + 1, format, again);
    buf->len += (size_t)len;
    va_end(again);
    va_end(args);
}

const char *sl_buf_cstr(struct sl_buf *buf)
{
    *sl_buf_reserve(buf, 1) = '\0';
    return (const char *)buf->data;
}
