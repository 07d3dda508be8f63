/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_scan.h"

#include "base/arena.h"

bool sl_json_fail(struct sl_json_scanner *r, const char *reason)
{
    if (!r->reason)
        r->reason = reason;
    return false;
}

void sl_json_skip_space(struct sl_json_scanner *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

/* The next byte that is not white space; 0 at the end. */
uint8_t sl_json_peek(struct sl_json_scanner *r)
{
    sl_json_skip_space(r);
    return r->at < r->end ? *r->at : 0;
}

bool sl_json_take(struct sl_json_scanner *r, uint8_t byte)
{
    if (sl_json_peek(r) != byte)
        return false;
    r->at++;
    return true;
}

bool sl_json_take_word(struct sl_json_scanner *r, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

/* From the opening quote to behind the closing one; the raw content. */
bool sl_json_raw_string(struct sl_json_scanner *r, struct sl_span *ret, bool *ret_escaped)
{
    const uint8_t *from;

    if (!sl_json_take(r, '"'))
        return sl_json_fail(r, "a string should begin here");
    from = r->at;
    *ret_escaped = false;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"') {
            *ret = (struct sl_span){from, (size_t)(r->at - from)};
            r->at++;
            return true;
        }
        if (*r->at < 0x20)
            return sl_json_fail(r, "a control character stands in a string");
        if (*r->at == '\\') {
            *ret_escaped = true;
            if (++r->at == r->end)
                break;
        }
    }
    return sl_json_fail(r, "a string does not end");
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex4(const uint8_t *at, const uint8_t *end, uint32_t *ret)
{
    uint32_t code = 0;

    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0)
            return false;
        code = code << 4 | (uint32_t)digit;
    }
    *ret = code;
    return true;
}

static size_t put_utf8(uint8_t *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

/* \uXXXX, or a pair of surrogates. *at stands on the 'u'; half a pair becomes U+FFFD. */
static bool unescape_unicode(const uint8_t **at, const uint8_t *end, uint32_t *ret)
{
    uint32_t code;
    uint32_t low;

    if (!hex4(*at + 1, end, &code))
        return false;
    *at += 5;
    if (code >= 0xD800 && code < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
        hex4(*at + 2, end, &low) && low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        *at += 6;
    }
    *ret = code >= 0xD800 && code < 0xE000 ? 0xFFFD : code;
    return true;
}

bool sl_json_unescape(struct sl_json_scanner *r, struct sl_span raw, struct sl_value *ret)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    uint8_t *text = sl_arena_alloc(r->arena, raw.len);
    const uint8_t *at = raw.ptr;
    const uint8_t *end = at + raw.len;
    size_t n = 0;

    while (at < end) {
        const char *known;
        uint32_t code;

        if (*at != '\\') {
            text[n++] = *at++;
            continue;
        }
        at++;
        known = *at ? strchr(from, *at) : NULL;
        if (known) {
            text[n++] = (uint8_t)to[known - from];
            at++;
        } else if (*at == 'u' && unescape_unicode(&at, end, &code)) {
            n += put_utf8(text + n, code); /* never more bytes than the escape had */
        } else {
            return sl_json_fail(r, "an escape in a string is not one of JSON's");
        }
    }
    *ret = sl_bytes(SL_STRING, text, n);
    return true;
}

/* Pass over one value: strings whole, brackets counted. */
static bool skip_value(struct sl_json_scanner *r)
{
    struct sl_span string;
    int depth = 0;
    bool escaped;

    do {
        uint8_t c = sl_json_peek(r);

        if (c == 0)
            return false;
        if (c == '"') {
            if (!sl_json_raw_string(r, &string, &escaped))
                return false;
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        else if (depth == 0 && c == ',')
            return false;
        r->at++;
        while (depth == 0 && c != '}' && c != ']' && r->at < r->end && !strchr(",]} \t\r\n", *r->at))
            r->at++;
    } while (depth > 0);
    return depth == 0;
}

int sl_json_next_member(struct sl_json_cursor *cursor, struct sl_span *ret_name, struct sl_span *ret_value)
{
    struct sl_json_scanner r = {.at = cursor->rest.ptr, .end = cursor->rest.ptr + cursor->rest.len};
    const uint8_t *from;
    bool escaped;

    if (sl_json_take(&r, '}')) {
        sl_json_skip_space(&r);
        return cursor->begun && r.at == r.end ? 0 : -1;
    }
    if (!sl_json_take(&r, cursor->begun ? ',' : '{'))
        return -1;
    if (!cursor->begun && sl_json_take(&r, '}'))
        return sl_json_peek(&r) == 0 && r.at == r.end ? 0 : -1;
    if (!sl_json_raw_string(&r, ret_name, &escaped) || !sl_json_take(&r, ':'))
        return -1;
    sl_json_skip_space(&r);
    from = r.at;
    if (!skip_value(&r))
        return -1;
    *ret_value = (struct sl_span){from, (size_t)(r.at - from)};
    cursor->begun = true;
    cursor->rest = (struct sl_span){r.at, (size_t)(r.end - r.at)};
    return 1;
}
