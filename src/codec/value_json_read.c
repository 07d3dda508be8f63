/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to values, driven by the schema. The text may be anything: nesting is bounded, every byte is
 * looked at before it is used, numbers are parsed from a copy of bounded length.
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "codec/decimal_text.h"
#include "codec/json_scan.h"
#include "codec/value_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { MAX_DEPTH = 128, NUMBER_SIZE = 400 };

/* Values of a collection, until their number is known. */
struct items {
    struct sl_value *values;
    size_t n, capacity;
};

static bool read_value(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret);

static bool read_string(struct sl_json_scanner *r, struct sl_value *ret)
{
    struct sl_span raw;
    bool escaped;

    if (!sl_json_raw_string(r, &raw, &escaped))
        return false;
    if (escaped)
        return sl_json_unescape(r, raw, ret);
    *ret = sl_bytes(SL_STRING, raw.ptr, raw.len);
    return true;
}

/* A number as text with a NUL behind it. *ret_integer: it has neither point nor exponent. */
static bool number_text(struct sl_json_scanner *r, char text[NUMBER_SIZE], size_t *ret_len, bool *ret_integer)
{
    size_t n = 0;

    sl_json_skip_space(r);
    *ret_integer = true;
    for (; r->at < r->end; r->at++) {
        uint8_t c = *r->at;

        if (!((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'))
            break;
        if (n == NUMBER_SIZE - 1)
            return sl_json_fail(r, "a number is too long");
        if (c == '.' || c == 'e' || c == 'E')
            *ret_integer = false;
        text[n++] = (char)c;
    }
    text[n] = '\0';
    *ret_len = n;
    if (n == 0 || !((text[0] >= '0' && text[0] <= '9') || (text[0] == '-' && n > 1)))
        return sl_json_fail(r, "a number should stand here");
    return true;
}

static bool read_double(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    char text[NUMBER_SIZE];
    struct sl_value word;
    char *end;
    double d;
    size_t len;
    bool integer;

    if (sl_json_peek(r) == '"') {
        if (!read_string(r, &word))
            return false;
        if (word.len == 3 && memcmp(word.bytes, "NaN", 3) == 0)
            d = (double)NAN;
        else if (word.len == 8 && memcmp(word.bytes, "Infinity", 8) == 0)
            d = (double)INFINITY;
        else if (word.len == 9 && memcmp(word.bytes, "-Infinity", 9) == 0)
            d = -(double)INFINITY;
        else
            return sl_json_fail(r, "a number should stand here");
    } else {
        if (!number_text(r, text, &len, &integer))
            return false;
        d = strtod(text, &end);
        if (*end != '\0')
            return sl_json_fail(r, "a number is not well-formed");
    }
    *ret = sl_float(schema->type, schema->type == SL_FLOAT32 ? (double)(float)d : d);
    return true;
}

static bool text_integer(const char *text, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool read_integer(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    char text[NUMBER_SIZE];
    size_t len;
    bool integer;
    int64_t i;

    if (!number_text(r, text, &len, &integer))
        return false;
    if (!integer || !text_integer(text, &i) || (schema->type == SL_INT8 && i != (int8_t)i) ||
        (schema->type == SL_INT16 && i != (int16_t)i) || (schema->type == SL_INT32 && i != (int32_t)i))
        return sl_json_fail(r, "a number is out of the range of its integer type");
    *ret = sl_int(schema->type, i);
    return true;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool read_base64(struct sl_json_scanner *r, struct sl_value *ret)
{
    struct sl_value text;
    uint8_t *bytes;
    uint32_t word = 0;
    uint32_t n = 0;
    uint32_t i;

    if (!read_string(r, &text))
        return false;
    while (text.len && text.bytes[text.len - 1] == '=')
        text.len--;
    bytes = sl_arena_alloc(r->arena, (size_t)text.len * 3 / 4 + 3);
    for (i = 0; i < text.len; i++) {
        int digit = base64_digit(text.bytes[i]);

        if (digit < 0)
            return sl_json_fail(r, "bytes are not base64");
        word = word << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            bytes[n++] = (uint8_t)(word >> (6 - i % 4 * 2));
    }
    if (i % 4 == 1)
        return sl_json_fail(r, "bytes are not base64");
    *ret = sl_bytes(SL_BYTES, bytes, n);
    return true;
}

static bool read_bytes(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    char text[NUMBER_SIZE];
    size_t len;
    bool integer;

    if (sl_json_peek(r) == '"')
        return read_base64(r, ret);
    if (schema->semantic != SL_SEM_DECIMAL)
        return sl_json_fail(r, "bytes should be a base64 string");
    if (!number_text(r, text, &len, &integer))
        return false;
    return sl_decimal_read(text, len, schema->scale, r->arena, ret) ||
           sl_json_fail(r, "a decimal has more digits than its scale");
}

static struct sl_value *add_item(struct items *items)
{
    SL_GROW(items->values, items->n, items->capacity);
    return &items->values[items->n++];
}

static struct sl_value keep_items(struct sl_json_scanner *r, enum sl_type type, const struct items *items,
                                  size_t n)
{
    return sl_items(type, sl_arena_copy(r->arena, items->values, items->n * sizeof(*items->values)), n);
}

static bool read_items(struct sl_json_scanner *r, const struct sl_schema *element, struct items *items)
{
    struct sl_value value;

    if (!sl_json_take(r, '['))
        return sl_json_fail(r, "an array should begin here");
    if (sl_json_take(r, ']'))
        return true;
    do {
        if (!read_value(r, element, &value))
            return false;
        *add_item(items) = value;
    } while (sl_json_take(r, ','));
    return sl_json_take(r, ']') || sl_json_fail(r, "an array does not go on");
}

static bool read_pairs(struct sl_json_scanner *r, const struct sl_schema *schema, struct items *items)
{
    struct sl_value pair[2];

    if (!sl_json_take(r, '['))
        return sl_json_fail(r, "an array of pairs should begin here");
    if (sl_json_take(r, ']'))
        return true;
    do {
        if (!sl_json_take(r, '[') || !read_value(r, schema->key, &pair[0]) || !sl_json_take(r, ',') ||
            !read_value(r, schema->element, &pair[1]) || !sl_json_take(r, ']'))
            return sl_json_fail(r, "a pair of a map is not [key,value]");
        *add_item(items) = pair[0];
        *add_item(items) = pair[1];
    } while (sl_json_take(r, ','));
    return sl_json_take(r, ']') || sl_json_fail(r, "an array of pairs does not go on");
}

static bool read_object(struct sl_json_scanner *r, const struct sl_schema *element, struct items *items)
{
    struct sl_value pair[2];

    if (!sl_json_take(r, '{'))
        return sl_json_fail(r, "an object should begin here");
    if (sl_json_take(r, '}'))
        return true;
    do {
        if (!read_string(r, &pair[0]) || !sl_json_take(r, ':') || !read_value(r, element, &pair[1]))
            return sl_json_fail(r, "a member of an object is not \"name\":value");
        *add_item(items) = pair[0];
        *add_item(items) = pair[1];
    } while (sl_json_take(r, ','));
    return sl_json_take(r, '}') || sl_json_fail(r, "an object does not go on");
}

static bool read_array(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    struct items items = {0};
    bool good = read_items(r, schema ? schema->element : NULL, &items);

    if (good)
        *ret = keep_items(r, SL_ARRAY, &items, items.n);
    sl_free(items.values);
    return good;
}

static bool read_map(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    struct items items = {0};
    bool good = schema && schema->key->type != SL_STRING
                    ? read_pairs(r, schema, &items)
                    : read_object(r, schema ? schema->element : NULL, &items);

    if (good)
        *ret = keep_items(r, SL_MAP, &items, items.n / 2);
    sl_free(items.values);
    return good;
}

static int find_field(const struct sl_schema *schema, struct sl_value name, uint32_t guess)
{
    for (uint32_t k = 0; k < schema->n_fields; k++) {
        uint32_t i = (guess + k) % schema->n_fields;

        if (strlen(schema->fields[i].name) == name.len &&
            memcmp(schema->fields[i].name, name.bytes, name.len) == 0)
            return (int)i;
    }
    return -1;
}

/* Members come in any order; unknown ones are passed over, as Kafka's converter does. */
static bool read_members(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *fields)
{
    struct sl_value name;
    struct sl_value unknown;
    uint32_t guess = 0;

    if (sl_json_take(r, '}'))
        return true;
    do {
        int field;

        if (!read_string(r, &name) || !sl_json_take(r, ':'))
            return sl_json_fail(r, "a member of an object is not \"name\":value");
        field = find_field(schema, name, guess);
        if (!read_value(r, field < 0 ? NULL : schema->fields[field].schema,
                        field < 0 ? &unknown : &fields[field]))
            return false;
        guess = field < 0 ? guess : (uint32_t)field + 1;
    } while (sl_json_take(r, ','));
    return sl_json_take(r, '}') || sl_json_fail(r, "an object does not go on");
}

static bool read_struct(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    struct sl_value *fields = sl_arena_alloc(r->arena, schema->n_fields * sizeof(*fields));

    for (uint32_t i = 0; i < schema->n_fields; i++)
        fields[i] = (struct sl_value){.tag = SL_ABSENT};
    if (!sl_json_take(r, '{'))
        return sl_json_fail(r, "an object should begin here");
    if (!read_members(r, schema, fields))
        return false;
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_schema *field = schema->fields[i].schema;

        if (fields[i].tag != SL_ABSENT)
            continue;
        fields[i] = field->has_default ? field->default_value : sl_null();
        if (sl_is_null(fields[i]) && !field->optional)
            return sl_json_fail(r, "a member that is required is missing");
    }
    *ret = sl_items(SL_STRUCT, fields, schema->n_fields);
    return true;
}

static bool read_boolean(struct sl_json_scanner *r, struct sl_value *ret)
{
    sl_json_skip_space(r);
    *ret = sl_bool(sl_json_take_word(r, "true"));
    return ret->i || sl_json_take_word(r, "false") || sl_json_fail(r, "true or false should stand here");
}

static bool read_free_number(struct sl_json_scanner *r, struct sl_value *ret)
{
    static const struct sl_schema plain = {.type = SL_FLOAT64};
    const uint8_t *back = r->at;
    char text[NUMBER_SIZE];
    size_t len;
    bool integer;
    int64_t i;

    if (!number_text(r, text, &len, &integer))
        return false;
    if (integer && text_integer(text, &i)) {
        *ret = sl_int(SL_INT64, i);
        return true;
    }
    r->at = back;
    return read_double(r, &plain, ret);
}

/* Without a schema the text itself says the type. */
static bool read_free(struct sl_json_scanner *r, struct sl_value *ret)
{
    switch (sl_json_peek(r)) {
    case '{': return read_map(r, NULL, ret);
    case '[': return read_array(r, NULL, ret);
    case '"': return read_string(r, ret);
    case 't':
    case 'f': return read_boolean(r, ret);
    default: return read_free_number(r, ret);
    }
}

static bool read_typed(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    switch (schema->type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return read_integer(r, schema, ret);
    case SL_FLOAT32:
    case SL_FLOAT64: return read_double(r, schema, ret);
    case SL_BOOLEAN: return read_boolean(r, ret);
    case SL_STRING: return read_string(r, ret);
    case SL_BYTES: return read_bytes(r, schema, ret);
    case SL_ARRAY: return read_array(r, schema, ret);
    case SL_MAP: return read_map(r, schema, ret);
    case SL_STRUCT: return read_struct(r, schema, ret);
    case SL_ABSENT:
    case SL_NULL: break;
    }
    return sl_json_fail(r, "the schema has no type");
}

static bool read_value(struct sl_json_scanner *r, const struct sl_schema *schema, struct sl_value *ret)
{
    bool good;

    if (sl_json_peek(r) == 'n') {
        *ret = sl_null();
        if (!sl_json_take_word(r, "null"))
            return sl_json_fail(r, "this is no JSON value");
        return !schema || schema->optional || schema->has_default ||
               sl_json_fail(r, "null stands where its schema does not allow it");
    }
    if (++r->depth > MAX_DEPTH)
        return sl_json_fail(r, "it is nested too deep");
    good = schema ? read_typed(r, schema, ret) : read_free(r, ret);
    r->depth--;
    return good;
}

enum sl_rc sl_value_json_read(struct sl_span text, const struct sl_schema *schema, struct sl_arena *arena,
                              struct sl_value *ret, struct sl_error *err)
{
    struct sl_json_scanner r = {
        .start = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .arena = arena};
    struct sl_value value;

    if (read_value(&r, schema, &value)) {
        sl_json_skip_space(&r);
        if (r.at == r.end) {
            *ret = value;
            return SL_OK;
        }
        (void)sl_json_fail(&r, "something follows the value");
    }
    return sl_error_set(err, SL_E_DATA, "JSON does not fit: byte %zu: %s", (size_t)(r.at - r.start),
                        r.reason);
}
