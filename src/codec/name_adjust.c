/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/name_adjust.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdbool.h>

/* One of Java's characters: a UTF-16 unit. */
static void put_unit(struct sl_buf *out, enum sl_name_adjust adjust, uint32_t unit)
{
    if (adjust == SL_NAME_ADJUST_AVRO)
        sl_buf_u8(out, '_');
    else
        sl_buf_format(out, "_u%04x", unit);
}

/* The code point at the front of UTF-8 text, and how many bytes it takes; what is broken is a byte by itself.
 */
static uint32_t code_point(const char *text, size_t *ret_len)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t len = *at < 0xC0 ? 1 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
    uint32_t point = len == 1 ? *at : *at & (0xFFu >> (len + 1));

    *ret_len = 1;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return *at;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    *ret_len = len;
    return point;
}

char *sl_name_adjust(enum sl_name_adjust adjust, const char *name)
{
    struct sl_buf out = {0};
    char *adjusted;
    size_t len;

    if (adjust == SL_NAME_ADJUST_NONE)
        return sl_strdup(name);
    for (const char *p = name; *p; p += len) {
        bool starts = p == name || p[-1] == '.';
        uint32_t point = code_point(p, &len);
        bool fits = point < 0x80 &&
                    (isalpha((int)point) || point == '_' || point == '.' || (isdigit((int)point) && !starts));

        if (fits && (point != '_' || adjust == SL_NAME_ADJUST_AVRO)) {
            sl_buf_u8(&out, (uint8_t)point);
        } else if (point < 0x10000) {
            put_unit(&out, adjust, point);
        } else {
            put_unit(&out, adjust, 0xD7C0 + (point >> 10));
            put_unit(&out, adjust, 0xDC00 + (point & 0x3FF));
        }
    }
    adjusted = sl_strdup(sl_buf_cstr(&out));
    sl_buf_done(&out);
    return adjusted;
}
