/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/headers.h"

#include "base/varint.h"
#include "sluice/position.h"

#include <inttypes.h>
#include <stdio.h>

void sl_headers_put(struct sl_buf *out, const char *name, struct sl_span value)
{
    size_t name_len = strlen(name);

    sl_buf_varint(out, name_len);
    sl_buf_put(out, name, name_len);
    if (!value.ptr) {
        sl_buf_varint(out, 0);
        return;
    }
    sl_buf_varint(out, value.len + 1);
    sl_buf_put(out, value.ptr, value.len);
}

static enum sl_rc put_value(struct sl_buf *out, const struct sl_header *header, struct sl_error *err)
{
    struct sl_span value = {0};
    char text[40];

    switch ((enum sl_type)header->value.tag) {
    case SL_ABSENT:
    case SL_NULL: break;
    case SL_STRING:
    case SL_BYTES: value = (struct sl_span){header->value.bytes, header->value.len}; break;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
        value.len = (size_t)snprintf(text, sizeof(text), "%" PRId64, header->value.i);
        value.ptr = (const uint8_t *)text;
        break;
    case SL_FLOAT32:
    case SL_FLOAT64:
        value.len = (size_t)snprintf(text, sizeof(text), "%.17g", header->value.d);
        value.ptr = (const uint8_t *)text;
        break;
    case SL_BOOLEAN:
        value.ptr = (const uint8_t *)(header->value.i ? "true" : "false");
        value.len = header->value.i ? 4 : 5;
        break;
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT:
        return sl_error_set(err, SL_E_DATA,
                            "header '%s' holds a %s, which cannot be written as text. HINT: drop or flatten it "
                            "with a transform",
                            header->name, sl_type_name((enum sl_type)header->value.tag));
    }
    sl_headers_put(out, header->name, value);
    return SL_OK;
}

enum sl_rc sl_headers_encode(struct sl_buf *out, const struct sl_record *record, struct sl_error *err)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        enum sl_rc rc = put_value(out, &record->headers[i], err);

        if (rc)
            return rc;
    }
    return SL_OK;
}

/* Read one header; false when the bytes are not one. The name is copied only when ret is given. */
static bool read_one(const uint8_t **at, const uint8_t *end, struct sl_arena *arena, struct sl_header *ret)
{
    const uint8_t *name;
    const uint8_t *value = NULL;
    uint64_t name_len;
    uint64_t value_len;

    if (!sl_varint_read(at, end, &name_len) || !sl_bytes_read(at, end, name_len, &name) ||
        !sl_varint_read(at, end, &value_len) || value_len > UINT32_MAX)
        return false;
    if (value_len && !sl_bytes_read(at, end, value_len - 1, &value))
        return false;
    if (!ret)
        return true;
    if (name_len == sizeof(SL_HEADER_SOURCE) - 1 && memcmp(name, SL_HEADER_SOURCE, name_len) == 0) {
        ret->name = SL_HEADER_SOURCE;
    } else {
        char *copy = sl_arena_alloc(arena, name_len + 1);

        memcpy(copy, name, name_len);
        copy[name_len] = '\0';
        ret->name = copy;
    }
    ret->schema = NULL;
    ret->value = value_len ? sl_bytes(SL_BYTES, value, value_len - 1) : sl_null();
    return true;
}

enum sl_rc sl_headers_decode(struct sl_span bytes, struct sl_arena *arena, const struct sl_header **ret,
                             uint16_t *ret_n, struct sl_error *err)
{
    const uint8_t *end = bytes.ptr + bytes.len;
    const uint8_t *at = bytes.ptr;
    struct sl_header *headers;
    size_t n = 0;

    if (!bytes.len) {
        *ret = NULL;
        *ret_n = 0;
        return SL_OK;
    }
    while (at < end) {
        if (n == UINT16_MAX || !read_one(&at, end, NULL, NULL))
            return sl_error_set(err, SL_E_DATA, "the record's header bytes are malformed. HINT: the record was not "
                                                "written by this program; see the dead letter");
        n++;
    }
    headers = sl_arena_alloc(arena, n * sizeof(*headers));
    at = bytes.ptr;
    for (size_t i = 0; i < n; i++)
        (void)read_one(&at, end, arena, &headers[i]);
    *ret = headers;
    *ret_n = (uint16_t)n;
    return SL_OK;
}
