/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_schema.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "codec/json_text.h"

#include <jansson.h>
#include <stdlib.h>

enum { MAX_DEPTH = 64 };

/* Kafka's words: the floats are not called float32 and float64 here. */
static const char *const type_words[] = {
    [SL_INT8] = "int8",     [SL_INT16] = "int16",    [SL_INT32] = "int32",     [SL_INT64] = "int64",
    [SL_FLOAT32] = "float", [SL_FLOAT64] = "double", [SL_BOOLEAN] = "boolean", [SL_STRING] = "string",
    [SL_BYTES] = "bytes",   [SL_ARRAY] = "array",    [SL_MAP] = "map",         [SL_STRUCT] = "struct",
};

static void put_text_member(struct sl_buf *out, const char *name, const char *text)
{
    sl_buf_format(out, ",\"%s\":", name);
    sl_json_text_cstring(out, text);
}

static void put_schema(struct sl_buf *out, const struct sl_schema *schema, const char *field,
                       const struct sl_json_style *style);

static void put_children(struct sl_buf *out, const struct sl_schema *schema,
                         const struct sl_json_style *style)
{
    if (schema->type == SL_ARRAY) {
        sl_buf_text(out, ",\"items\":");
        put_schema(out, schema->element, NULL, style);
    } else if (schema->type == SL_MAP) {
        sl_buf_text(out, ",\"keys\":");
        put_schema(out, schema->key, NULL, style);
        sl_buf_text(out, ",\"values\":");
        put_schema(out, schema->element, NULL, style);
    } else if (schema->type == SL_STRUCT) {
        sl_buf_text(out, ",\"fields\":[");
        for (uint32_t i = 0; i < schema->n_fields; i++) {
            if (i)
                sl_buf_u8(out, ',');
            put_schema(out, schema->fields[i].schema, schema->fields[i].name, style);
        }
        sl_buf_u8(out, ']');
    }
}

static void put_parameters(struct sl_buf *out, const struct sl_schema *schema)
{
    sl_buf_text(out, ",\"parameters\":{");
    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        if (i)
            sl_buf_u8(out, ',');
        sl_json_text_cstring(out, schema->parameters[i].name);
        sl_buf_u8(out, ':');
        sl_json_text_cstring(out, schema->parameters[i].value);
    }
    sl_buf_u8(out, '}');
}

static void put_schema(struct sl_buf *out, const struct sl_schema *schema, const char *field,
                       const struct sl_json_style *style)
{
    sl_buf_format(out, "{\"type\":\"%s\"", type_words[schema->type]);
    put_children(out, schema, style);
    sl_buf_format(out, ",\"optional\":%s", schema->optional ? "true" : "false");
    if (schema->name)
        put_text_member(out, "name", schema->name);
    if (schema->has_version)
        sl_buf_format(out, ",\"version\":%d", schema->version);
    if (schema->doc)
        put_text_member(out, "doc", schema->doc);
    if (schema->n_parameters)
        put_parameters(out, schema);
    if (schema->has_default && !sl_is_null(schema->default_value)) {
        sl_buf_text(out, ",\"default\":");
        sl_value_json(out, schema, schema->default_value, style);
    }
    if (field)
        put_text_member(out, "field", field);
    sl_buf_u8(out, '}');
}

void sl_json_schema_put(struct sl_buf *out, const struct sl_schema *schema, const struct sl_json_style *style)
{
    put_schema(out, schema, NULL, style);
}

struct reader {
    struct sl_arena *arena; /* parameters and defaults, until they are interned */
    struct sl_error *err;
    int depth;
};

static const struct sl_schema *read_schema(struct reader *r, json_t *json);

static bool refuse(struct reader *r, const char *what)
{
    (void)sl_error_set(r->err, SL_E_DATA, "a JSON schema is not sound: %s", what);
    return false;
}

static bool find_type(const char *word, enum sl_type *ret)
{
    for (size_t i = SL_INT8; word && i < sizeof(type_words) / sizeof(*type_words); i++) {
        if (strcmp(type_words[i], word) == 0) {
            *ret = (enum sl_type)i;
            return true;
        }
    }
    return false;
}

static bool read_fields(struct reader *r, const json_t *json, struct sl_schema *draft)
{
    json_t *list = json_object_get(json, "fields");
    size_t n = json_array_size(list);
    struct sl_field *fields = sl_arena_alloc(r->arena, n * sizeof(*fields));

    if (!json_is_array(list))
        return refuse(r, "a struct has no array 'fields'");
    for (size_t i = 0; i < n; i++) {
        json_t *field = json_array_get(list, i);

        fields[i].name = json_string_value(json_object_get(field, "field"));
        if (!fields[i].name)
            return refuse(r, "a field of a struct has no name in 'field'");
        fields[i].schema = read_schema(r, field);
        if (!fields[i].schema)
            return false;
    }
    draft->fields = fields;
    draft->n_fields = (uint32_t)n;
    return true;
}

static bool read_children(struct reader *r, const json_t *json, struct sl_schema *draft)
{
    if (draft->type == SL_STRUCT)
        return read_fields(r, json, draft);
    if (draft->type == SL_MAP) {
        draft->key = read_schema(r, json_object_get(json, "keys"));
        draft->element = draft->key ? read_schema(r, json_object_get(json, "values")) : NULL;
        return draft->element != NULL;
    }
    if (draft->type == SL_ARRAY) {
        draft->element = read_schema(r, json_object_get(json, "items"));
        return draft->element != NULL;
    }
    return true;
}

static bool read_parameters(struct reader *r, json_t *json, struct sl_schema *draft)
{
    struct sl_parameter *parameters = sl_arena_alloc(r->arena, json_object_size(json) * sizeof(*parameters));
    uint32_t n = 0;

    if (!json || json_is_null(json))
        return true;
    if (!json_is_object(json))
        return refuse(r, "'parameters' is no object");
    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        if (!json_is_string(json_object_iter_value(it)))
            return refuse(r, "a parameter is no text");
        parameters[n].name = json_object_iter_key(it);
        parameters[n++].value = json_string_value(json_object_iter_value(it));
    }
    draft->parameters = parameters;
    draft->n_parameters = n;
    return true;
}

/* The default is read by the schema without it. */
static bool read_default(struct reader *r, const json_t *json, struct sl_schema *draft)
{
    const struct sl_schema *schema;
    struct sl_span span;
    char *text;
    bool good;

    if (!json || json_is_null(json))
        return true;
    schema = sl_schema_intern(draft);
    text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text)
        return refuse(r, "a default cannot be read");
    /* The value may point into its text: the copy lives as long as the draft. */
    span.len = strlen(text);
    span.ptr = sl_arena_copy(r->arena, text, span.len);
    free(text); /* jansson's own memory */
    good = sl_value_json_read(span, schema, r->arena, &draft->default_value, r->err) == SL_OK;
    draft->has_default = good;
    return good;
}

static bool read_texts(struct reader *r, const json_t *json, struct sl_schema *draft)
{
    const json_t *name = json_object_get(json, "name");
    const json_t *version = json_object_get(json, "version");
    const json_t *doc = json_object_get(json, "doc");

    if ((name && !json_is_null(name) && !json_is_string(name)) ||
        (doc && !json_is_null(doc) && !json_is_string(doc)) ||
        (version && !json_is_null(version) && !json_is_integer(version)))
        return refuse(r, "'name', 'doc' or 'version' is of a wrong type");
    draft->name = json_string_value(name);
    draft->doc = json_string_value(doc);
    draft->has_version = json_is_integer(version);
    draft->version = (int32_t)json_integer_value(version);
    draft->optional = json_is_true(json_object_get(json, "optional"));
    return true;
}

static const struct sl_schema *read_schema(struct reader *r, json_t *json)
{
    struct sl_schema draft = {0};
    bool good;

    if (!json_is_object(json) || !find_type(json_string_value(json_object_get(json, "type")), &draft.type)) {
        (void)refuse(r, "a schema is no object with a known 'type'");
        return NULL;
    }
    if (++r->depth > MAX_DEPTH) {
        (void)refuse(r, "it is nested deeper than 64 levels");
        return NULL;
    }
    good = read_children(r, json, &draft) && read_texts(r, json, &draft) &&
           read_parameters(r, json_object_get(json, "parameters"), &draft) &&
           read_default(r, json_object_get(json, "default"), &draft);
    r->depth--;
    return good ? sl_schema_intern(&draft) : NULL;
}

enum sl_rc sl_json_schema_read(struct sl_span text, const struct sl_schema **ret, struct sl_error *err)
{
    struct reader r = {.err = err};
    const struct sl_schema *schema = NULL;
    json_error_t bad;
    json_t *json = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &bad);

    if (!json)
        return sl_error_set(err, SL_E_DATA, "a JSON schema cannot be read: %s", bad.text);
    if (json_is_null(json)) {
        json_decref(json);
        *ret = NULL;
        return SL_OK;
    }
    r.arena = sl_arena_new(4096);
    schema = read_schema(&r, json);
    sl_arena_free(r.arena);
    json_decref(json);
    if (!schema)
        return SL_E_DATA;
    *ret = schema;
    return SL_OK;
}
