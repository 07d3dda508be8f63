/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/headers.h"

#include "codec/value_text.h"
#include "sluice/position.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_plain_int(const struct sl_header *header)
{
    return header->value.tag >= SL_INT8 && header->value.tag <= SL_INT64 &&
           (!header->schema || !header->schema->name);
}

/* As Connect's SimpleHeaderConverter; bytes without a schema are somebody's own and stay as they are. */
static void put_value(struct sl_buf *out, const struct sl_header *header)
{
    struct sl_value v = header->value;
    struct sl_span value = {0};
    struct sl_buf text = {0};
    char digits[24];

    if (v.tag == SL_STRING || (v.tag == SL_BYTES && !header->schema)) {
        value = (struct sl_span){v.bytes, v.len};
    } else if (is_plain_int(header)) {
        value.len = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, v.i);
        value.ptr = (const uint8_t *)digits;
    } else if (!sl_is_null(v)) {
        sl_value_literal(&text, header->schema, v);
        value = (struct sl_span){text.data, text.len};
    }
    sl_headers_put(out, header->name, value);
    sl_buf_done(&text);
}

void sl_headers_encode(struct sl_buf *out, const struct sl_record *record)
{
    for (uint16_t i = 0; i < record->n_headers; i++)
        put_value(out, &record->headers[i]);
}

/* Our own headers: their names are not copied, and the record is flagged where they say so. */
static const struct {
    const char *name;
    uint8_t len;
    uint8_t flag;
} own[] = {
    {SL_HEADER_SOURCE, sizeof(SL_HEADER_SOURCE) - 1, 0},
    {SL_HEADER_ABSENT, sizeof(SL_HEADER_ABSENT) - 1, SL_RECORD_PARTIAL},
    {SL_HEADER_RANGE, sizeof(SL_HEADER_RANGE) - 1, SL_RECORD_RANGE},
    {SL_HEADER_STATIC, sizeof(SL_HEADER_STATIC) - 1, SL_RECORD_STATIC},
    {SL_HEADER_READ, sizeof(SL_HEADER_READ) - 1, 0},
};

static const char *own_name(struct sl_span name, uint8_t *flags)
{
    size_t prefix = sizeof(SL_HEADER_PREFIX) - 1;

    if (name.len < prefix || memcmp(name.ptr, SL_HEADER_PREFIX, prefix) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        if (own[i].len == name.len && memcmp(own[i].name, name.ptr, name.len) == 0) {
            *flags |= own[i].flag;
            return own[i].name;
        }
    }
    return NULL;
}

static void take(const struct sl_raw_header *raw, struct sl_arena *arena, struct sl_header *ret,
                 uint8_t *flags)
{
    size_t len = raw->name.len;

    ret->schema = NULL;
    ret->value = raw->value.ptr ? sl_bytes(SL_BYTES, raw->value.ptr, raw->value.len) : sl_null();
    ret->name = own_name(raw->name, flags);
    if (!ret->name) {
        char *copy = sl_arena_alloc(arena, len + 1);

        memcpy(copy, raw->name.ptr, len);
        copy[len] = '\0';
        ret->name = copy;
    }
}

enum sl_rc sl_headers_decode(struct sl_span bytes, struct sl_arena *arena, struct sl_record *record,
                             struct sl_error *err)
{
    struct sl_span rest = bytes;
    struct sl_raw_header raw;
    struct sl_header *headers;
    size_t n = 0;
    int more;

    while ((more = sl_headers_next(&rest, &raw)) > 0 && n < UINT16_MAX)
        n++;
    if (more)
        return sl_error_set(
            err, SL_E_DATA,
            "the record's header bytes are malformed. HINT: the record was not written by this "
            "program; look at it with sluice topics tail");
    headers = n ? sl_arena_alloc(arena, n * sizeof(*headers)) : NULL;
    rest = bytes;
    for (size_t i = 0; i < n; i++) {
        (void)sl_headers_next(&rest, &raw);
        take(&raw, arena, &headers[i], &record->flags);
    }
    record->headers = headers;
    record->n_headers = (uint16_t)n;
    return SL_OK;
}
