/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value_json.h"

#include "codec/decimal_text.h"
#include "codec/json_text.h"
#include "codec/number_text.h"

#include <math.h>

static void put_number(struct sl_buf *out, struct sl_value v)
{
    char text[SL_NUMBER_TEXT_SIZE + 2];
    size_t len = v.tag == SL_FLOAT32 ? sl_float_text((float)v.d, text + 1) : sl_double_text(v.d, text + 1);

    if (isfinite(v.d)) {
        sl_buf_put(out, text + 1, len);
        return;
    }
    text[0] = '"';
    text[len + 1] = '"';
    sl_buf_put(out, text, len + 2);
}

static void put_bytes(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v,
                      const struct sl_json_style *style)
{
    if (style->decimal_numbers && schema && schema->semantic == SL_SEM_DECIMAL &&
        sl_decimal_put(out, v.bytes, v.len, schema->scale))
        return;
    sl_json_text_base64(out, v.bytes, v.len);
}

static void put_array(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v,
                      const struct sl_json_style *style)
{
    sl_buf_u8(out, '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            sl_buf_u8(out, ',');
        sl_value_json(out, schema ? schema->element : NULL, v.items[i], style);
    }
    sl_buf_u8(out, ']');
}

/* An object when the keys are strings: by the schema, or all of them without one. */
static bool keys_are_strings(const struct sl_schema *schema, struct sl_value v)
{
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.items[2 * (size_t)i].tag != SL_STRING)
            return false;
    }
    return !schema || schema->key->type == SL_STRING;
}

static void put_map(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v,
                    const struct sl_json_style *style)
{
    bool object = keys_are_strings(schema, v);

    sl_buf_u8(out, object ? '{' : '[');
    for (uint32_t i = 0; i < v.len; i++) {
        const struct sl_value *pair = &v.items[2 * (size_t)i];

        if (i)
            sl_buf_u8(out, ',');
        if (!object)
            sl_buf_u8(out, '[');
        sl_value_json(out, schema ? schema->key : NULL, pair[0], style);
        sl_buf_u8(out, object ? ':' : ',');
        sl_value_json(out, schema ? schema->element : NULL, pair[1], style);
        if (!object)
            sl_buf_u8(out, ']');
    }
    sl_buf_u8(out, object ? '}' : ']');
}

static void put_struct(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v,
                       const struct sl_json_style *style)
{
    sl_buf_u8(out, '{');
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        if (i)
            sl_buf_u8(out, ',');
        sl_json_text_cstring(out, schema->fields[i].name);
        sl_buf_u8(out, ':');
        sl_value_json(out, schema->fields[i].schema, v.items[i], style);
    }
    sl_buf_u8(out, '}');
}

/* The value to write in place of a null. */
static struct sl_value stand_in(const struct sl_schema *schema, struct sl_value v,
                                const struct sl_json_style *style)
{
    bool use_default = (v.tag != SL_ABSENT && style->null_becomes_default) || (schema && !schema->optional);

    return schema && schema->has_default && use_default ? schema->default_value : v;
}

void sl_value_json(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v,
                   const struct sl_json_style *style)
{
    if (sl_is_null(v))
        v = stand_in(schema, v, style);
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
    case SL_FLOAT64: put_number(out, v); return;
    case SL_BOOLEAN: sl_buf_text(out, v.i ? "true" : "false"); return;
    case SL_STRING: sl_json_text_string(out, v.bytes, v.len); return;
    case SL_BYTES: put_bytes(out, schema, v, style); return;
    case SL_ARRAY: put_array(out, schema, v, style); return;
    case SL_MAP: put_map(out, schema, v, style); return;
    case SL_STRUCT:
        /* Without its schema a struct has no names. */
        if (schema && schema->n_fields == v.len)
            put_struct(out, schema, v, style);
        else
            put_array(out, NULL, v, style);
        return;
    }
}
