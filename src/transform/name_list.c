/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/name_list.h"

#include "base/alloc.h"
#include "base/arena.h"

#include <string.h>

static uint8_t *put_name(uint8_t *at, const uint8_t *name, size_t len)
{
    memcpy(at, name, len);
    at[len] = '\0';
    return at + len + 1;
}

static struct sl_span pack_array(struct sl_value value, struct sl_arena *arena)
{
    size_t size = 1;
    uint8_t *start;
    uint8_t *at;

    for (uint32_t i = 0; i < value.len; i++)
        size += value.items[i].tag == SL_STRING ? value.items[i].len + 1 : 0;
    start = sl_arena_alloc(arena, size);
    at = start;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.items[i].tag == SL_STRING)
            at = put_name(at, value.items[i].bytes, value.items[i].len);
    }
    return (struct sl_span){.ptr = start, .len = (size_t)(at - start)};
}

static bool is_trim(uint8_t c)
{
    return c <= ' ' || c == '"' || c == '\'' || c == '[' || c == ']';
}

static struct sl_span pack_text(struct sl_value value, struct sl_arena *arena)
{
    uint8_t *start = sl_arena_alloc(arena, (size_t)value.len + 1);
    uint8_t *at = start;
    const uint8_t *text = value.bytes;
    const uint8_t *end = text + value.len;

    while (text < end) {
        const uint8_t *comma = memchr(text, ',', (size_t)(end - text));
        const uint8_t *stop = comma ? comma : end;
        const uint8_t *next = comma ? comma + 1 : end;

        while (text < stop && is_trim(*text))
            text++;
        while (stop > text && is_trim(stop[-1]))
            stop--;
        if (stop > text)
            at = put_name(at, text, (size_t)(stop - text));
        text = next;
    }
    return (struct sl_span){.ptr = start, .len = (size_t)(at - start)};
}

struct sl_span sl_name_list_pack(struct sl_value value, struct sl_arena *arena)
{
    if (value.tag == SL_ARRAY)
        return pack_array(value, arena);
    if (value.tag == SL_STRING || value.tag == SL_BYTES)
        return pack_text(value, arena);
    return (struct sl_span){.ptr = (const uint8_t *)"", .len = 0};
}

size_t sl_name_list_unpack(struct sl_span packed, struct sl_span **ret)
{
    struct sl_span *names = NULL;
    size_t n = 0;
    size_t capacity = 0;

    for (size_t at = 0; at < packed.len;) {
        size_t len = strlen((const char *)packed.ptr + at);

        SL_GROW(names, n, capacity);
        names[n++] = (struct sl_span){.ptr = packed.ptr + at, .len = len};
        at += len + 1;
    }
    *ret = names;
    return n;
}
