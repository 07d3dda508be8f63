/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_text.h"

#include "codec/number_text.h"

/* What stands behind the backslash; 'u': four hex digits; 0: the byte goes as it is. */
static char escape_of(uint8_t byte)
{
    switch (byte) {
    case '"':
    case '\\': return (char)byte;
    case '\b': return 'b';
    case '\t': return 't';
    case '\n': return 'n';
    case '\f': return 'f';
    case '\r': return 'r';
    default: return byte < 0x20 ? 'u' : 0;
    }
}

static void put_escape(struct sl_buf *out, uint8_t byte, char escape)
{
    if (escape == 'u') {
        sl_buf_format(out, "\\u%04X", byte);
        return;
    }
    sl_buf_u8(out, '\\');
    sl_buf_u8(out, (uint8_t)escape);
}

void sl_json_text_string(struct sl_buf *out, const void *text, size_t len)
{
    const uint8_t *bytes = text;
    size_t plain = 0; /* where the bytes that need no escape begin */

    sl_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        char escape;

        if (__builtin_expect(bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\', 1))
            continue;
        escape = escape_of(bytes[i]);
        sl_buf_put(out, bytes + plain, i - plain);
        put_escape(out, bytes[i], escape);
        plain = i + 1;
    }
    sl_buf_put(out, bytes + plain, len - plain);
    sl_buf_u8(out, '"');
}

void sl_json_text_cstring(struct sl_buf *out, const char *text)
{
    sl_json_text_string(out, text, strlen(text));
}

void sl_json_text_int(struct sl_buf *out, int64_t i)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (i < 0)
        digits[--at] = '-';
    sl_buf_put(out, digits + at, sizeof(digits) - at);
}

static void put_object(struct sl_buf *out, json_t *object)
{
    void *it = json_object_iter(object);

    sl_buf_u8(out, '{');
    while (it) {
        sl_json_text_cstring(out, json_object_iter_key(it));
        sl_buf_u8(out, ':');
        sl_json_text_tree(out, json_object_iter_value(it));
        it = json_object_iter_next(object, it);
        if (it)
            sl_buf_u8(out, ',');
    }
    sl_buf_u8(out, '}');
}

static void put_array(struct sl_buf *out, json_t *array)
{
    sl_buf_u8(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            sl_buf_u8(out, ',');
        sl_json_text_tree(out, json_array_get(array, i));
    }
    sl_buf_u8(out, ']');
}

void sl_json_text_tree(struct sl_buf *out, json_t *json)
{
    char text[SL_NUMBER_TEXT_SIZE];

    switch (json_typeof(json)) {
    case JSON_OBJECT: put_object(out, json); return;
    case JSON_ARRAY: put_array(out, json); return;
    case JSON_STRING: sl_json_text_string(out, json_string_value(json), json_string_length(json)); return;
    case JSON_INTEGER: sl_json_text_int(out, json_integer_value(json)); return;
    case JSON_REAL: sl_buf_put(out, text, sl_double_text(json_real_value(json), text)); return;
    case JSON_TRUE: sl_buf_text(out, "true"); return;
    case JSON_FALSE: sl_buf_text(out, "false"); return;
    case JSON_NULL: sl_buf_text(out, "null"); return;
    }
}

void sl_json_text_base64(struct sl_buf *out, const void *bytes, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = bytes;
    uint8_t *at = sl_buf_reserve(out, len / 3 * 4 + 6);
    uint8_t *start = at;

    *at++ = '"';
    for (; len > 0; in += 3, len -= 3) {
        uint32_t word = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) | (len > 2 ? in[2] : 0);

        *at++ = (uint8_t)letters[word >> 18];
        *at++ = (uint8_t)letters[word >> 12 & 63];
        *at++ = len > 1 ? (uint8_t)letters[word >> 6 & 63] : '=';
        *at++ = len > 2 ? (uint8_t)letters[word & 63] : '=';
        if (len < 3)
            break;
    }
    *at++ = '"';
    out->len += (size_t)(at - start);
}
