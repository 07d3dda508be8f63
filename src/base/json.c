/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* jansson's position counts from 1 in lines and columns; line -1 means "not in the text". */
static enum sl_rc parse_failed(const char *what, const json_error_t *bad, struct sl_error *err)
{
    if (bad->line <= 0)
        return sl_error_set(err, SL_E_CONFIG, "%s is not JSON: %s. HINT: it must hold one JSON object", what,
                            bad->text);
    return sl_error_set(err, SL_E_CONFIG,
                        "%s is not JSON: line %d, column %d: %s. HINT: correct the text there (a missing or "
                        "extra comma or quote is the usual cause)",
                        what, bad->line, bad->column, bad->text);
}

enum sl_rc sl_json_parse(const char *text, size_t len, const char *what, json_t **ret, struct sl_error *err)
{
    json_error_t bad;
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &bad);

    if (!json)
        return parse_failed(what, &bad, err);
    *ret = json;
    return SL_OK;
}

/* Behind the string whose first quote stands before at. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at + 1;
}

enum sl_rc sl_json_within(const char *text, size_t len, const char *what, size_t depth, size_t values,
                          struct sl_error *err)
{
    size_t open = 0;
    size_t n = 1;

    for (size_t at = 0; at < len; at++) {
        switch (text[at]) {
        case '"': at = skip_string(text, len, at + 1) - 1; break;
        case '{':
        case '[':
            n++;
            if (++open > depth)
                return sl_error_set(err, SL_E_CONFIG,
                                    "%s nests objects and arrays deeper than %zu. HINT: no document that is "
                                    "meant for this place does",
                                    what, depth);
            break;
        case '}':
        case ']': open -= open > 0; break;
        case ',': n++; break;
        default: break;
        }
        if (n > values)
            return sl_error_set(err, SL_E_CONFIG,
                                "%s holds more than %zu values. HINT: no document that is meant for this "
                                "place does",
                                what, values);
    }
    return SL_OK;
}

enum sl_rc sl_json_parse_file(const char *path, json_t **ret, struct sl_error *err)
{
    json_error_t bad;
    json_t *json;
    FILE *file = fopen(path, "re");

    if (!file) {
        int reason = errno;

        return sl_error_set(err, SL_E_NOT_FOUND,
                            "cannot open '%s': %s. HINT: check the path and its permissions", path,
                            strerror(reason));
    }
    json = json_loadf(file, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &bad);
    (void)fclose(file);
    if (!json) {
        char what[256];

        (void)snprintf(what, sizeof(what), "'%s'", path);
        return parse_failed(what, &bad, err);
    }
    *ret = json;
    return SL_OK;
}

static void put_escaped(struct sl_buf *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btn?fr"; /* 0x08 .. 0x0D; 0x0B has none */
    uint8_t *at = sl_buf_reserve(out, 6);

    at[0] = '\\';
    if (c == '"' || c == '\\') {
        at[1] = c;
        out->len += 2;
    } else if (c >= 0x08 && c <= 0x0D && c != 0x0B) {
        at[1] = (uint8_t)letters[c - 0x08];
        out->len += 2;
    } else {
        memcpy(at + 1, "u00", 3);
        at[4] = (uint8_t)hex[c >> 4];
        at[5] = (uint8_t)hex[c & 15];
        out->len += 6;
    }
}

void sl_json_put_text(struct sl_buf *out, const char *text, size_t len)
{
    size_t start = 0;

    sl_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        sl_buf_put(out, text + start, i - start);
        put_escaped(out, c);
        start = i + 1;
    }
    sl_buf_put(out, text + start, len - start);
    sl_buf_u8(out, '"');
}

/* The shortest of the two usual precisions that reads back as the same number. */
static char *real_text(double real)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%.15g", real);
    if (strtod(text, NULL) == real)
        return sl_strdup(text);
    return sl_format("%.17g", real);
}

char *sl_json_scalar_text(const json_t *scalar)
{
    switch (json_typeof(scalar)) {
    case JSON_STRING: return sl_strdup(json_string_value(scalar));
    case JSON_INTEGER: return sl_format("%lld", (long long)json_integer_value(scalar));
    case JSON_REAL: return real_text(json_real_value(scalar));
    case JSON_TRUE: return sl_strdup("true");
    case JSON_FALSE: return sl_strdup("false");
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY: break;
    }
    return NULL;
}

static int put_chunk(const char *bytes, size_t len, void *out)
{
    sl_buf_put(out, bytes, len);
    return 0;
}

void sl_json_put(struct sl_buf *out, const json_t *json)
{
    int failed = json_dump_callback(json, put_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY);

    SL_ASSERT(!failed);
}
