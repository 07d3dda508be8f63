/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/bind.h"

#include <math.h>

static const char not_utf8[] = "the text is not valid UTF-8";
static const char holds_nul[] = "the text holds the character U+0000, which PostgreSQL cannot store";

/* Length of the well-formed sequence at the start, 0 when there is none (Unicode 15, table 3-7). */
static size_t sequence(const uint8_t *at, size_t len)
{
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    size_t size;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xC2 || at[0] > 0xF4)
        return 0;
    size = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (len < size)
        return 0;
    if (at[0] == 0xE0)
        low = 0xA0;
    else if (at[0] == 0xED)
        high = 0x9F;
    else if (at[0] == 0xF0)
        low = 0x90;
    else if (at[0] == 0xF4)
        high = 0x8F;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    return size;
}

static const char *check_slowly(const uint8_t *bytes, size_t len)
{
    while (len) {
        size_t size = sequence(bytes, len);

        if (size == 0)
            return not_utf8;
        if (*bytes == 0)
            return holds_nul;
        bytes += size;
        len -= size;
    }
    return NULL;
}

/* Eight bytes at a time while they are ASCII and not NUL. */
SL_PGSINK_INLINE const char *check_text(const uint8_t *bytes, size_t len)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t odd = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        uint64_t word;

        memcpy(&word, bytes + i, 8);
        odd |= (word | (word - ones)) & tops;
    }
    for (; i < len; i++)
        odd |= (uint64_t)((bytes[i] | (uint8_t)(bytes[i] - 1)) & 0x80);
    return __builtin_expect(odd == 0, 1) ? NULL : check_slowly(bytes, len);
}

const char *sl_pgsink_check_text(const uint8_t *bytes, size_t len)
{
    return check_text(bytes, len);
}

SL_PGSINK_INLINE const char *put_text(const struct sl_pgsink_cell *cell, struct sl_value value,
                                      struct sl_buf *out)
{
    (void)cell;
    sl_buf_put(out, value.bytes, value.len);
    return check_text(value.bytes, value.len);
}

SL_PGSINK_INLINE const char *put_jsonb(const struct sl_pgsink_cell *cell, struct sl_value value,
                                       struct sl_buf *out)
{
    sl_buf_u8(out, 1); /* jsonb_recv's version; text follows */
    return put_text(cell, value, out);
}

SL_PGSINK_INLINE const char *put_bytes(const struct sl_pgsink_cell *cell, struct sl_value value,
                                       struct sl_buf *out)
{
    (void)cell;
    sl_buf_put(out, value.bytes, value.len);
    return NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As uuid_in takes it: braces around and hyphens between are optional. */
SL_PGSINK_INLINE const char *put_uuid(const struct sl_pgsink_cell *cell, struct sl_value value, uint8_t *to)
{
    const uint8_t *at = value.bytes;
    const uint8_t *end = at + value.len;
    int nibbles = 0;

    (void)cell;
    if (value.len > 2 && *at == '{' && end[-1] == '}') {
        at++;
        end--;
    }
    for (; at < end; at++) {
        int digit = hex_digit(*at);

        if (*at == '-' && nibbles > 0)
            continue;
        if (digit < 0 || nibbles == 32)
            return "the text is no UUID";
        to[nibbles / 2] = (uint8_t)(nibbles % 2 ? to[nibbles / 2] | digit : digit << 4);
        nibbles++;
    }
    return nibbles == 32 ? NULL : "the text is no UUID";
}

SL_PGSINK_INLINE const char *put_uuid_bytes(const struct sl_pgsink_cell *cell, struct sl_value value,
                                            uint8_t *to)
{
    (void)cell;
    if (value.len != 16)
        return "a UUID has 16 bytes";
    memcpy(to, value.bytes, 16);
    return NULL;
}

static void put_quoted(struct sl_buf *out, const uint8_t *bytes, size_t len)
{
    sl_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            sl_buf_u8(out, '\\');
        sl_buf_u8(out, bytes[i]);
    }
    sl_buf_u8(out, '"');
}

static const char *put_element(struct sl_value value, struct sl_buf *out);

static const char *put_elements(struct sl_value array, struct sl_buf *out)
{
    const char *why = NULL;

    sl_buf_u8(out, '{');
    for (uint32_t i = 0; i < array.len && !why; i++) {
        if (i)
            sl_buf_u8(out, ',');
        why = put_element(array.items[i], out);
    }
    sl_buf_u8(out, '}');
    return why;
}

static void put_double(double number, struct sl_buf *out)
{
    if (isnan(number))
        sl_buf_text(out, "NaN");
    else if (isinf(number))
        sl_buf_text(out, number < 0 ? "-Infinity" : "Infinity");
    else
        sl_buf_format(out, "%.17g", number);
}

static const char *put_element(struct sl_value value, struct sl_buf *out)
{
    switch ((enum sl_type)value.tag) {
    case SL_ABSENT:
    case SL_NULL: sl_buf_text(out, "NULL"); return NULL;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: sl_buf_format(out, "%lld", (long long)value.i); return NULL;
    case SL_FLOAT32: sl_buf_format(out, "%.9g", value.d); return NULL;
    case SL_FLOAT64: put_double(value.d, out); return NULL;
    case SL_BOOLEAN: sl_buf_text(out, value.i ? "t" : "f"); return NULL;
    case SL_STRING: put_quoted(out, value.bytes, value.len); return check_text(value.bytes, value.len);
    case SL_ARRAY: return put_elements(value, out);
    case SL_BYTES:
    case SL_MAP:
    case SL_STRUCT: break;
    }
    return "the array holds what has no form in a PostgreSQL array";
}

SL_PGSINK_INLINE const char *put_array_text(const struct sl_pgsink_cell *cell, struct sl_value value,
                                            struct sl_buf *out)
{
    (void)cell;
    return put_elements(value, out);
}

#define ARGUMENTS                                                                           \
    const struct sl_pgsink_cell *cell, const struct sl_pgsink_row *const *rows, uint32_t n, \
        struct sl_buf *out, struct sl_pgsink_bads *bads

void sl_pgsink_bind_text(ARGUMENTS)
{
    bind_varying(cell, rows, n, out, bads, put_text);
}

void sl_pgsink_bind_jsonb(ARGUMENTS)
{
    bind_varying(cell, rows, n, out, bads, put_jsonb);
}

void sl_pgsink_bind_bytes(ARGUMENTS)
{
    bind_varying(cell, rows, n, out, bads, put_bytes);
}

void sl_pgsink_bind_array_text(ARGUMENTS)
{
    bind_varying(cell, rows, n, out, bads, put_array_text);
}

void sl_pgsink_bind_uuid(ARGUMENTS)
{
    bind_fixed(cell, rows, n, out, bads, 16, put_uuid);
}

void sl_pgsink_bind_uuid_bytes(ARGUMENTS)
{
    bind_fixed(cell, rows, n, out, bads, 16, put_uuid_bytes);
}
