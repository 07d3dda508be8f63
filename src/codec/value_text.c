/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value_text.h"

#include "codec/decimal_text.h"
#include "codec/json_text.h"
#include "codec/number_text.h"
#include "codec/value_json.h"

#include <time.h>

enum { MS_PER_DAY = 86400000 };

static void put_real(struct sl_buf *out, struct sl_value v)
{
    char text[SL_NUMBER_TEXT_SIZE];
    size_t len = v.tag == SL_FLOAT32 ? sl_float_text((float)v.d, text) : sl_double_text(v.d, text);

    sl_buf_put(out, text, len);
}

static void put_collection(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    bool map = v.tag == SL_MAP;

    sl_buf_u8(out, map ? '{' : '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            sl_buf_text(out, ", ");
        if (map) {
            sl_value_string(out, schema ? schema->key : NULL, v.items[2 * (size_t)i]);
            sl_buf_u8(out, '=');
        }
        sl_value_string(out, schema ? schema->element : NULL, v.items[map ? 2 * (size_t)i + 1 : i]);
    }
    sl_buf_u8(out, map ? '}' : ']');
}

static void put_struct(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    bool any = false;

    sl_buf_text(out, "Struct{");
    for (uint32_t i = 0; schema && i < schema->n_fields && i < v.len; i++) {
        struct sl_value field = v.items[i];

        if (field.tag == SL_ABSENT && schema->fields[i].schema->has_default &&
            !schema->fields[i].schema->optional)
            field = schema->fields[i].schema->default_value;
        if (sl_is_null(field))
            continue;
        if (any)
            sl_buf_u8(out, ',');
        any = true;
        sl_buf_text(out, schema->fields[i].name);
        sl_buf_u8(out, '=');
        sl_value_string(out, schema->fields[i].schema, field);
    }
    sl_buf_u8(out, '}');
}

void sl_value_string(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    if (schema && schema->type != v.tag)
        schema = NULL;
    switch ((enum sl_type)v.tag) {
    case SL_ABSENT:
    case SL_NULL: sl_buf_text(out, "null"); return;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: sl_json_text_int(out, v.i); return;
    case SL_FLOAT32:
    case SL_FLOAT64: put_real(out, v); return;
    case SL_BOOLEAN: sl_buf_text(out, v.i ? "true" : "false"); return;
    case SL_STRING: sl_buf_put(out, v.bytes, v.len); return;
    case SL_BYTES:
        /* Java would print an object's address: the bytes themselves say more. */
        if (!schema || schema->semantic != SL_SEM_DECIMAL ||
            !sl_decimal_put(out, v.bytes, v.len, schema->scale))
            sl_buf_put(out, v.bytes, v.len);
        return;
    case SL_ARRAY:
    case SL_MAP: put_collection(out, schema, v); return;
    case SL_STRUCT: put_struct(out, schema, v); return;
    }
}

/* ISO-8601 in UTC: the day, the time of day with its milliseconds, or both. */
static bool put_time(struct sl_buf *out, int64_t ms, bool day, bool clock)
{
    int64_t part = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((ms - part) / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        return false;
    if (day)
        sl_buf_format(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    if (day && clock)
        sl_buf_u8(out, 'T');
    if (clock)
        sl_buf_format(out, "%02d:%02d:%02d.%03dZ", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)part);
    return true;
}

static bool put_logical(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    if (v.tag == SL_INT32 && schema->semantic == SL_SEM_DATE)
        return put_time(out, v.i * MS_PER_DAY, true, false);
    if (v.tag == SL_INT32 && schema->semantic == SL_SEM_TIME)
        return put_time(out, v.i, false, true);
    if (v.tag == SL_INT64 && schema->semantic == SL_SEM_TIMESTAMP)
        return put_time(out, v.i, true, true);
    return false;
}

void sl_value_literal(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    static const struct sl_json_style style = {.decimal_numbers = true};
    size_t before = out->len;

    if (schema && put_logical(out, schema, v))
        return;
    if (v.tag >= SL_ARRAY) {
        sl_value_json(out, schema, v, &style);
    } else if (v.tag == SL_BYTES && (!schema || schema->semantic != SL_SEM_DECIMAL)) {
        /* base64 without the quotes that JSON wants */
        sl_json_text_base64(out, v.bytes, v.len);
        memmove(out->data + before, out->data + before + 1, out->len - before - 2);
        out->len -= 2;
    } else {
        sl_value_string(out, schema, v);
    }
}
