/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/absent.h"

#include "codec/header_codec.h"
#include "sluice/position.h"

enum { VERSION = 1, THE_VALUE = 0xFFFF, PART_HEADER = 4 };

/* ---- writing ---- */

static uint32_t bits_bytes(struct sl_value value)
{
    return (value.len + 7) / 8;
}

/* Bytes that a part takes; 0: the value is no struct, or says something about all of its fields. */
static size_t part_size(struct sl_value value)
{
    if (value.tag != SL_STRUCT || bits_bytes(value) > UINT16_MAX)
        return 0;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.items[i].tag == SL_ABSENT)
            return PART_HEADER + (size_t)bits_bytes(value);
    }
    return 0;
}

static uint8_t *put_part(uint8_t *at, uint32_t index, struct sl_value value)
{
    uint32_t n_bytes = bits_bytes(value);

    at[0] = (uint8_t)(index >> 8);
    at[1] = (uint8_t)index;
    at[2] = (uint8_t)(n_bytes >> 8);
    at[3] = (uint8_t)n_bytes;
    at += PART_HEADER;
    memset(at, 0, n_bytes);
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.items[i].tag == SL_ABSENT)
            at[i / 8] |= (uint8_t)(1 << i % 8);
    }
    return at + n_bytes;
}

void sl_absent_put(struct sl_buf *out, struct sl_value value)
{
    uint8_t here[256];
    uint8_t *bytes = here;
    uint8_t *at;
    size_t size = 1 + part_size(value);
    uint32_t n = value.tag != SL_STRUCT ? 0 : value.len < THE_VALUE ? value.len : THE_VALUE;

    for (uint32_t i = 0; i < n; i++)
        size += part_size(value.items[i]);
    if (size == 1)
        return;
    if (size > sizeof(here))
        bytes = sl_alloc(size);
    at = bytes;
    *at++ = VERSION;
    if (part_size(value))
        at = put_part(at, THE_VALUE, value);
    for (uint32_t i = 0; i < n; i++) {
        if (part_size(value.items[i]))
            at = put_part(at, i, value.items[i]);
    }
    sl_headers_put(out, SL_HEADER_ABSENT, (struct sl_span){bytes, size});
    if (bytes != here)
        sl_free(bytes);
}

/* ---- reading ---- */

static enum sl_rc misfit(struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_DATA,
        "the header " SL_HEADER_ABSENT
        " does not fit the record's value. HINT: the value was changed after it was written; look at the "
        "record with sluice topics tail");
}

static bool mark(struct sl_value *value, const uint8_t *bits, uint32_t n_bytes, struct sl_arena *arena)
{
    struct sl_value *fields;

    if (value->tag != SL_STRUCT || (value->len + 7) / 8 != n_bytes)
        return false;
    fields = sl_arena_copy(arena, value->items, value->len * sizeof(*fields));
    for (uint32_t i = 0; i < value->len; i++) {
        if (bits[i / 8] >> i % 8 & 1)
            fields[i] = (struct sl_value){.tag = SL_ABSENT};
    }
    value->items = fields;
    return true;
}

static bool mark_field(struct sl_value *value, uint32_t index, const uint8_t *bits, uint32_t n_bytes,
                       struct sl_arena *arena)
{
    struct sl_value *fields;

    if (index >= value->len)
        return false;
    fields = sl_arena_copy(arena, value->items, value->len * sizeof(*fields));
    value->items = fields;
    return mark(&fields[index], bits, n_bytes, arena);
}

enum sl_rc sl_absent_restore(struct sl_span header, struct sl_arena *arena, struct sl_value *value,
                             struct sl_error *err)
{
    const uint8_t *at = header.ptr;
    const uint8_t *end = header.ptr + header.len;

    if (!at || at == end || *at != VERSION)
        return sl_error_set(err, SL_E_DATA,
                            "the header " SL_HEADER_ABSENT " is of an unknown version. HINT: a newer "
                            "program wrote it; read the log with that one");
    if (value->tag != SL_STRUCT)
        return SL_OK;
    for (at++; at < end;) {
        uint32_t index;
        uint32_t n_bytes;
        bool fits;

        if (end - at < PART_HEADER)
            return misfit(err);
        index = (uint32_t)at[0] << 8 | at[1];
        n_bytes = (uint32_t)at[2] << 8 | at[3];
        at += PART_HEADER;
        if ((size_t)(end - at) < n_bytes)
            return misfit(err);
        fits = index == THE_VALUE ? mark(value, at, n_bytes, arena)
                                  : mark_field(value, index, at, n_bytes, arena);
        if (!fits)
            return misfit(err);
        at += n_bytes;
    }
    return SL_OK;
}
