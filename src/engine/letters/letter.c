/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/letter.h"

#include "base/json.h"
#include "codec/header_codec.h"

enum { VERSION = 1 };

#define CONNECT_PREFIX "__connect.errors."

static void put_text(struct sl_buf *out, const char *name, const char *text)
{
    sl_buf_format(out, ",\"%s\":", name);
    sl_json_put_text(out, text, strlen(text));
}

void sl_letter_put(struct sl_buf *out, const struct sl_letter *letter)
{
    sl_buf_format(out, "{\"version\":%d", VERSION);
    put_text(out, "connector", letter->connector);
    sl_buf_format(out, ",\"task\":%d", letter->task);
    put_text(out, "topic", letter->topic);
    sl_buf_format(out, ",\"partition\":%d,\"offset\":%lld", (int)letter->partition,
                  (long long)letter->offset);
    put_text(out, "stage", letter->stage);
    put_text(out, "class", letter->class_name);
    put_text(out, "code", letter->code);
    put_text(out, "native", letter->native);
    put_text(out, "error", letter->error);
    sl_buf_format(out, ",\"at\":%lld,\"attempt\":%d", (long long)letter->at_ms, letter->attempt);
    if (letter->behind >= 0)
        sl_buf_format(out, ",\"behind\":%lld", (long long)letter->behind);
    if (letter->source && *letter->source)
        sl_buf_format(out, ",\"source\":%s", letter->source);
    sl_buf_u8(out, '}');
}

static char *take_json(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);
    struct sl_buf out = {0};
    char *text;

    if (value)
        sl_json_put(&out, value);
    text = sl_strdup(sl_buf_cstr(&out));
    sl_buf_done(&out);
    return text;
}

static char *take_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return sl_strdup(text ? text : "");
}

static int64_t take_number(const json_t *json, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(json, name);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool sl_letter_read(struct sl_span headers, struct sl_letter *ret)
{
    struct sl_span value;
    json_t *json = NULL;

    if (!sl_headers_find(headers, SL_HEADER_LETTER, &value) || !value.ptr ||
        sl_json_parse((const char *)value.ptr, value.len, SL_HEADER_LETTER, &json, NULL))
        return false;
    if (!json_is_object(json) || take_number(json, "version", 0) != VERSION) {
        json_decref(json);
        return false;
    }
    *ret = (struct sl_letter){.connector = take_text(json, "connector"),
                              .task = (int)take_number(json, "task", 0),
                              .topic = take_text(json, "topic"),
                              .partition = (int32_t)take_number(json, "partition", -1),
                              .offset = take_number(json, "offset", -1),
                              .stage = take_text(json, "stage"),
                              .class_name = take_text(json, "class"),
                              .code = take_text(json, "code"),
                              .native = take_text(json, "native"),
                              .error = take_text(json, "error"),
                              .at_ms = take_number(json, "at", 0),
                              .attempt = (int)take_number(json, "attempt", 1),
                              .behind = take_number(json, "behind", -1),
                              .source = take_json(json, "source")};
    json_decref(json);
    return true;
}

void sl_letter_done(struct sl_letter *letter)
{
    sl_free(letter->connector);
    sl_free(letter->topic);
    sl_free(letter->stage);
    sl_free(letter->class_name);
    sl_free(letter->code);
    sl_free(letter->native);
    sl_free(letter->error);
    sl_free(letter->source);
    *letter = (struct sl_letter){0};
}

static bool is_of_letters(struct sl_span name)
{
    size_t prefix = strlen(CONNECT_PREFIX);

    if (name.len == strlen(SL_HEADER_LETTER) && memcmp(name.ptr, SL_HEADER_LETTER, name.len) == 0)
        return true;
    return name.len > prefix && memcmp(name.ptr, CONNECT_PREFIX, prefix) == 0;
}

void sl_letter_own_headers(struct sl_span headers, struct sl_buf *out)
{
    struct sl_raw_header header;
    struct sl_span rest = headers;
    const uint8_t *start = rest.ptr;

    while (sl_headers_next(&rest, &header) == 1) {
        if (!is_of_letters(header.name))
            sl_buf_put(out, start, (size_t)(rest.ptr - start));
        start = rest.ptr;
    }
}
