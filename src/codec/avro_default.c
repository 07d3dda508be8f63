/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/avro_default.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/number_text.h"

#include <stdlib.h>

/* Each byte becomes the character of that number. */
static json_t *latin1_json(struct sl_value value)
{
    struct sl_buf text = {0};
    json_t *json;

    for (uint32_t i = 0; i < value.len; i++) {
        uint8_t byte = value.bytes[i];

        if (byte < 0x80) {
            sl_buf_u8(&text, byte);
        } else {
            sl_buf_u8(&text, (uint8_t)(0xC0 | byte >> 6));
            sl_buf_u8(&text, (uint8_t)(0x80 | (byte & 0x3F)));
        }
    }
    json = json_stringn(text.data ? (const char *)text.data : "", text.len);
    sl_buf_done(&text);
    return json;
}

static json_t *items_json(const struct sl_schema *schema, struct sl_value value,
                          const struct sl_avro_options *options)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < value.len; i++) {
        json_t *item = sl_avro_default_json(schema->element, value.items[i], options);

        if (!item || json_array_append_new(array, item)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *map_json(const struct sl_schema *schema, struct sl_value value,
                        const struct sl_avro_options *options)
{
    bool by_name =
        schema->key->type == SL_STRING && (!schema->key->optional || options->allow_optional_map_keys);
    json_t *map = by_name ? json_object() : json_array();

    for (uint32_t i = 0; i < value.len; i++) {
        struct sl_value key = value.items[2 * (size_t)i];
        json_t *item = sl_avro_default_json(schema->element, value.items[2 * (size_t)i + 1], options);
        json_t *name = sl_avro_default_json(schema->key, key, options);
        int failed = !item || !name;

        if (!failed && by_name && json_is_string(name))
            failed = json_object_set(map, json_string_value(name), item);
        else if (!failed)
            failed = json_array_append_new(map, json_pack("[O,O]", name, item));
        json_decref(item);
        json_decref(name);
        if (failed) {
            json_decref(map);
            return NULL;
        }
    }
    return map;
}

static json_t *struct_json(const struct sl_schema *schema, struct sl_value value,
                           const struct sl_avro_options *options)
{
    json_t *object = json_object();

    for (uint32_t i = 0; i < schema->n_fields && i < value.len; i++) {
        json_t *field = sl_avro_default_json(schema->fields[i].schema, value.items[i], options);

        if (!field || json_object_set_new(object, schema->fields[i].name, field)) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

json_t *sl_avro_default_json(const struct sl_schema *schema, struct sl_value value,
                             const struct sl_avro_options *options)
{
    char text[SL_NUMBER_TEXT_SIZE];

    switch ((enum sl_type)value.tag) {
    case SL_ABSENT:
    case SL_NULL: return json_null();
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return json_integer(value.i);
    case SL_FLOAT32:
        /* As a double that prints with the float's own few digits. */
        (void)sl_float_text((float)value.d, text);
        return json_real(strtod(text, NULL));
    case SL_FLOAT64: return json_real(value.d);
    case SL_BOOLEAN: return json_boolean(value.i);
    case SL_STRING: return json_stringn((const char *)value.bytes, value.len);
    case SL_BYTES: return latin1_json(value);
    case SL_ARRAY: return items_json(schema, value, options);
    case SL_MAP: return map_json(schema, value, options);
    case SL_STRUCT: return struct_json(schema, value, options);
    }
    return NULL;
}

/* Text back to bytes; characters above 255 do not fit. */
static bool latin1_bytes(const char *text, size_t len, struct sl_arena *arena, struct sl_value *ret)
{
    uint8_t *bytes = sl_arena_alloc(arena, len);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];

        if (c >= 0x80) {
            if ((c & 0xFC) != 0xC0 || i + 1 >= len)
                return false;
            c = (uint8_t)(c << 6 | ((uint8_t)text[++i] & 0x3F));
        }
        bytes[n++] = c;
    }
    *ret = sl_bytes(SL_BYTES, bytes, n);
    return true;
}

static bool array_value(const struct sl_schema *schema, const json_t *json, struct sl_arena *arena,
                        struct sl_value *ret)
{
    size_t n = json_array_size(json);
    struct sl_value *items = sl_arena_alloc(arena, n * sizeof(*items));

    if (!json_is_array(json))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!sl_avro_default_value(schema->element, json_array_get(json, i), arena, &items[i]))
            return false;
    }
    *ret = sl_items(SL_ARRAY, items, n);
    return true;
}

static bool map_value(const struct sl_schema *schema, json_t *json, struct sl_arena *arena,
                      struct sl_value *ret)
{
    size_t n = json_object_size(json);
    struct sl_value *items = sl_arena_alloc(arena, n * 2 * sizeof(*items));
    size_t i = 0;

    if (!json_is_object(json) || schema->key->type != SL_STRING)
        return false;
    for (void *it = json_object_iter(json); it && i < n; it = json_object_iter_next(json, it), i++) {
        items[2 * i] = sl_text(sl_arena_strdup(arena, json_object_iter_key(it)));
        if (!sl_avro_default_value(schema->element, json_object_iter_value(it), arena, &items[2 * i + 1]))
            return false;
    }
    *ret = sl_items(SL_MAP, items, n);
    return true;
}

static bool struct_value(const struct sl_schema *schema, const json_t *json, struct sl_arena *arena,
                         struct sl_value *ret)
{
    struct sl_value *items = sl_arena_alloc(arena, schema->n_fields * sizeof(*items));

    if (!json_is_object(json))
        return false;
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_field *field = &schema->fields[i];
        const json_t *member = json_object_get(json, field->name);

        if (!member && field->schema->has_default)
            items[i] = field->schema->default_value;
        else if (!sl_avro_default_value(field->schema, member, arena, &items[i]))
            return false;
    }
    *ret = sl_items(SL_STRUCT, items, schema->n_fields);
    return true;
}

static bool int_value(const struct sl_schema *schema, const json_t *json, struct sl_value *ret)
{
    json_int_t i = json_integer_value(json);

    if (!json_is_integer(json) || (schema->type == SL_INT8 && i != (int8_t)i) ||
        (schema->type == SL_INT16 && i != (int16_t)i) || (schema->type == SL_INT32 && i != (int32_t)i))
        return false;
    *ret = sl_int(schema->type, i);
    return true;
}

bool sl_avro_default_value(const struct sl_schema *schema, const json_t *json, struct sl_arena *arena,
                           struct sl_value *ret)
{
    if (!json || json_is_null(json)) {
        *ret = sl_null();
        return schema->optional;
    }
    switch (schema->type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return int_value(schema, json, ret);
    case SL_FLOAT32:
        *ret = sl_float(SL_FLOAT32, (double)(float)json_number_value(json));
        return json_is_number(json);
    case SL_FLOAT64: *ret = sl_float(SL_FLOAT64, json_number_value(json)); return json_is_number(json);
    case SL_BOOLEAN: *ret = sl_bool(json_is_true(json)); return json_is_boolean(json);
    case SL_STRING:
        if (!json_is_string(json))
            return false;
        *ret = sl_bytes(SL_STRING, sl_arena_copy(arena, json_string_value(json), json_string_length(json)),
                        json_string_length(json));
        return true;
    case SL_BYTES:
        return json_is_string(json) &&
               latin1_bytes(json_string_value(json), json_string_length(json), arena, ret);
    case SL_ARRAY: return array_value(schema, json, arena, ret);
    case SL_MAP: {
        json_t *copy = json_deep_copy(json);
        bool fits = map_value(schema, copy, arena, ret);

        json_decref(copy);
        return fits;
    }
    case SL_STRUCT: return struct_value(schema, json, arena, ret);
    case SL_ABSENT:
    case SL_NULL: break;
    }
    return false;
}
