/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transform_judge CASES: sends each case's records through our transform (or predicate) of the class that it
 * names, and prints what comes out: the same lines as Recorder.java.
 */
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/decimal_text.h"
#include "data/schema_build.h"
#include "transform/predicate.h"
#include "transform/transforms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct sl_transform_ops *const transforms[] = {
    &sl_transform_by_logical_table_router,
    &sl_transform_cast,
    &sl_transform_collection_name,
    &sl_transform_content_based_router,
    &sl_transform_drop_headers,
    &sl_transform_extract_changed_record_state,
    &sl_transform_extract_field,
    &sl_transform_extract_new_record_state,
    &sl_transform_extract_schema_to_new_record,
    &sl_transform_field_name,
    &sl_transform_filter,
    &sl_transform_flatten,
    &sl_transform_header_from,
    &sl_transform_header_to_value,
    &sl_transform_hoist_field,
    &sl_transform_insert_field,
    &sl_transform_insert_header,
    &sl_transform_mask_field,
    &sl_transform_regex_router,
    &sl_transform_replace_field,
    &sl_transform_scripted_filter,
    &sl_transform_set_schema_metadata,
    &sl_transform_timestamp_converter,
    &sl_transform_timestamp_router,
    &sl_transform_timezone_converter,
    &sl_transform_value_to_key,
};

static struct sl_arena *arena;

/* ---- from JSON ---- */

static struct sl_value read_value(const struct sl_schema *schema, const json_t *json);

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static enum sl_type type_of(const char *name)
{
    for (int type = SL_INT8; type <= SL_STRUCT; type++) {
        if (strcmp(sl_type_name((enum sl_type)type), name) == 0)
            return (enum sl_type)type;
    }
    abort();
}

static const struct sl_schema *read_schema(const json_t *json)
{
    struct sl_schema draft = {0};
    struct sl_parameter parameters[8];
    struct sl_field fields[64];
    json_t *item;
    const char *key;
    size_t i;

    if (!json || json_is_null(json))
        return NULL;
    draft.type = type_of(text_of(json, "t"));
    draft.optional = json_is_true(json_object_get(json, "o"));
    draft.name = text_of(json, "n");
    draft.doc = text_of(json, "doc");
    draft.has_version = json_object_get(json, "v") != NULL;
    draft.version = (int32_t)json_integer_value(json_object_get(json, "v"));
    json_object_foreach(json_object_get(json, "p"), key, item) parameters[draft.n_parameters++] =
        (struct sl_parameter){key, json_string_value(item)};
    draft.parameters = parameters;
    json_array_foreach(json_object_get(json, "f"), i, item) fields[draft.n_fields++] =
        (struct sl_field){json_string_value(json_array_get(item, 0)), read_schema(json_array_get(item, 1))};
    draft.fields = fields;
    draft.key = read_schema(json_object_get(json, "k"));
    draft.element = read_schema(json_object_get(json, "e"));
    if (json_object_get(json, "d")) {
        draft.default_value = read_value(sl_schema_intern(&draft), json_object_get(json, "d"));
        draft.has_default = true;
    }
    return sl_schema_intern(&draft);
}

static struct sl_value read_text(enum sl_type type, const json_t *json)
{
    return sl_bytes(type, sl_arena_copy(arena, json_string_value(json), json_string_length(json)),
                    json_string_length(json));
}

static struct sl_value read_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = sl_arena_alloc(arena, len + 1);

    for (size_t i = 0; i < len; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return sl_bytes(SL_BYTES, bytes, len);
}

static struct sl_value read_bytes(const struct sl_schema *schema, const char *text)
{
    struct sl_value value;

    if (schema->semantic != SL_SEM_DECIMAL)
        return read_hex(text);
    if (!sl_decimal_read(text, strlen(text), 0, arena, &value))
        abort();
    return value;
}

static struct sl_value read_items(const struct sl_schema *schema, const json_t *json)
{
    size_t n = json_array_size(json);
    bool map = schema->type == SL_MAP;
    struct sl_value *items = sl_arena_alloc(arena, (map ? 2 : 1) * n * sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(json, i);

        if (map) {
            items[2 * i] = read_value(schema->key, json_array_get(item, 0));
            items[2 * i + 1] = read_value(schema->element, json_array_get(item, 1));
        } else {
            items[i] =
                read_value(schema->type == SL_STRUCT ? schema->fields[i].schema : schema->element, item);
        }
    }
    return sl_items(schema->type, items, n);
}

/* [type, value] */
static struct sl_value read_schemaless(const json_t *json)
{
    const json_t *inner = json_array_get(json, 1);
    enum sl_type type = type_of(json_string_value(json_array_get(json, 0)));
    size_t n = json_array_size(inner);
    struct sl_value *items;

    switch ((int)type) {
    case SL_INT64: return sl_int(type, json_integer_value(inner));
    case SL_FLOAT64: return sl_float(type, strtod(json_string_value(inner), NULL));
    case SL_BOOLEAN: return sl_bool(json_is_true(inner));
    case SL_STRING: return read_text(type, inner);
    default: break;
    }
    items = sl_arena_alloc(arena, 2 * n * sizeof(*items));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(inner, i);

        if (type == SL_MAP) {
            items[2 * i] = read_text(SL_STRING, json_array_get(item, 0));
            items[2 * i + 1] = read_value(NULL, json_array_get(item, 1));
        } else {
            items[i] = read_value(NULL, item);
        }
    }
    return sl_items(type, items, n);
}

static struct sl_value read_value(const struct sl_schema *schema, const json_t *json)
{
    if (!json || json_is_null(json))
        return sl_null();
    if (!schema)
        return read_schemaless(json);
    switch (schema->type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return sl_int(schema->type, json_integer_value(json));
    case SL_FLOAT32: return sl_float(SL_FLOAT32, (double)strtof(json_string_value(json), NULL));
    case SL_FLOAT64: return sl_float(SL_FLOAT64, strtod(json_string_value(json), NULL));
    case SL_BOOLEAN: return sl_bool(json_is_true(json));
    case SL_STRING: return read_text(SL_STRING, json);
    case SL_BYTES: return read_bytes(schema, json_string_value(json));
    case SL_ARRAY:
    case SL_MAP:
    case SL_STRUCT: return read_items(schema, json);
    case SL_ABSENT:
    case SL_NULL: break;
    }
    abort();
}

static struct sl_message read_message(const json_t *json)
{
    const json_t *headers = json_object_get(json, "headers");
    const char *topic = text_of(json, "topic");
    const json_t *timestamp = json_object_get(json, "ts");
    size_t n = json_array_size(headers);
    struct sl_header *copies = sl_arena_alloc(arena, n * sizeof(*copies));
    struct sl_message message = {
        .topic = sl_topic_intern(topic, strlen(topic)),
        .key_schema = read_schema(json_object_get(json, "ks")),
        .value_schema = read_schema(json_object_get(json, "vs")),
        .record = {.offset = json_integer_value(json_object_get(json, "offset")),
                   .partition = (int32_t)json_integer_value(json_object_get(json, "partition")),
                   .timestamp_ms = json_is_null(timestamp) ? SL_NO_TIMESTAMP : json_integer_value(timestamp),
                   .headers = copies,
                   .n_headers = (uint16_t)n},
    };

    message.record.key = read_value(message.key_schema, json_object_get(json, "k"));
    message.record.value = read_value(message.value_schema, json_object_get(json, "v"));
    for (size_t i = 0; i < n; i++) {
        const json_t *header = json_array_get(headers, i);

        copies[i].name = json_string_value(json_array_get(header, 0));
        copies[i].schema = read_schema(json_array_get(header, 1));
        copies[i].value = read_value(copies[i].schema, json_array_get(header, 2));
    }
    return message;
}

/* ---- to text ---- */

static void put_value(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value);

static void put_quoted(struct sl_buf *out, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    sl_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (at[i] >= ' ' && at[i] < 127 && at[i] != '"' && at[i] != '\\')
            sl_buf_u8(out, at[i]);
        else
            sl_buf_format(out, "\\%02x", at[i]);
    }
    sl_buf_u8(out, '"');
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sl_parameter *)a)->name, ((const struct sl_parameter *)b)->name);
}

static void put_parameters(struct sl_buf *out, const struct sl_schema *schema)
{
    struct sl_parameter sorted[8];

    if (!schema->n_parameters)
        return;
    memcpy(sorted, schema->parameters, schema->n_parameters * sizeof(*sorted));
    qsort(sorted, schema->n_parameters, sizeof(*sorted), by_name);
    for (uint32_t i = 0; i < schema->n_parameters; i++)
        sl_buf_format(out, "<%s=%s>", sorted[i].name, sorted[i].value);
}

static void put_schema(struct sl_buf *out, const struct sl_schema *schema);

static void put_children(struct sl_buf *out, const struct sl_schema *schema)
{
    if (schema->type == SL_STRUCT) {
        sl_buf_u8(out, '{');
        for (uint32_t i = 0; i < schema->n_fields; i++) {
            put_quoted(out, schema->fields[i].name, strlen(schema->fields[i].name));
            sl_buf_u8(out, ':');
            put_schema(out, schema->fields[i].schema);
            sl_buf_u8(out, ',');
        }
        sl_buf_u8(out, '}');
    } else if (schema->type == SL_ARRAY || schema->type == SL_MAP) {
        sl_buf_u8(out, '[');
        if (schema->type == SL_MAP) {
            put_schema(out, schema->key);
            sl_buf_u8(out, ':');
        }
        put_schema(out, schema->element);
        sl_buf_u8(out, ']');
    }
}

static void put_schema(struct sl_buf *out, const struct sl_schema *schema)
{
    if (!schema) {
        sl_buf_text(out, "none");
        return;
    }
    sl_buf_text(out, sl_type_name(schema->type));
    if (schema->name || schema->has_version) {
        sl_buf_format(out, "(%s", schema->name ? schema->name : "");
        if (schema->has_version)
            sl_buf_format(out, " v%d", schema->version);
        sl_buf_u8(out, ')');
    }
    if (schema->doc) {
        sl_buf_u8(out, '#');
        put_quoted(out, schema->doc, strlen(schema->doc));
    }
    put_parameters(out, schema);
    if (schema->optional)
        sl_buf_u8(out, '?');
    if (schema->has_default && !sl_is_null(schema->default_value)) {
        sl_buf_u8(out, '=');
        put_value(out, schema, schema->default_value);
    }
    put_children(out, schema);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_map(struct sl_buf *out, const struct sl_schema *schema, struct sl_value map)
{
    char **pairs = sl_zalloc(map.len + 1, sizeof(char *));

    for (uint32_t i = 0; i < map.len; i++) {
        struct sl_buf pair = {0};

        put_value(&pair, schema ? schema->key : NULL, map.items[2 * i]);
        sl_buf_u8(&pair, ':');
        put_value(&pair, schema ? schema->element : NULL, map.items[2 * i + 1]);
        pairs[i] = sl_strdup(sl_buf_cstr(&pair));
        sl_buf_done(&pair);
    }
    qsort(pairs, map.len, sizeof(*pairs), by_text);
    sl_buf_u8(out, '{');
    for (uint32_t i = 0; i < map.len; i++) {
        sl_buf_format(out, "%s,", pairs[i]);
        sl_free(pairs[i]);
    }
    sl_free(pairs);
    sl_buf_u8(out, '}');
}

static void put_items(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value)
{
    bool is_struct = value.tag == SL_STRUCT;

    sl_buf_u8(out, is_struct ? '(' : '[');
    for (uint32_t i = 0; i < value.len; i++) {
        const struct sl_schema *item = !schema     ? NULL
                                       : is_struct ? schema->fields[i].schema
                                                   : schema->element;

        put_value(out, item, value.items[i]);
        sl_buf_u8(out, ',');
    }
    sl_buf_u8(out, is_struct ? ')' : ']');
}

static void put_real(struct sl_buf *out, struct sl_value value)
{
    float narrow = (float)value.d;
    uint32_t bits;

    if (value.tag == SL_FLOAT32) {
        memcpy(&bits, &narrow, sizeof(bits));
        sl_buf_format(out, "f%x", isnan(value.d) ? 0x7fc00000 : bits);
    } else {
        sl_buf_format(out, "d%" PRIx64, isnan(value.d) ? 0x7ff8000000000000 : (uint64_t)value.i);
    }
}

static void put_value(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value)
{
    switch ((enum sl_type)value.tag) {
    case SL_ABSENT:
    case SL_NULL: sl_buf_text(out, "null"); return;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: sl_buf_format(out, "%" PRId64, value.i); return;
    case SL_FLOAT32:
    case SL_FLOAT64: put_real(out, value); return;
    case SL_BOOLEAN: sl_buf_text(out, value.i ? "true" : "false"); return;
    case SL_STRING: put_quoted(out, value.bytes, value.len); return;
    case SL_BYTES:
        if (schema && schema->semantic == SL_SEM_DECIMAL) {
            sl_buf_text(out, "dec:");
            (void)sl_decimal_put(out, value.bytes, value.len, 0);
        } else {
            sl_buf_u8(out, 'x');
            put_quoted(out, value.bytes, value.len);
        }
        return;
    case SL_MAP: put_map(out, schema, value); return;
    case SL_ARRAY:
    case SL_STRUCT: put_items(out, schema, value); return;
    }
}

static void put_message(struct sl_buf *out, const struct sl_message *message)
{
    put_quoted(out, message->topic->name, message->topic->len);
    sl_buf_format(out, "\t%d\t", message->record.partition);
    if (message->record.timestamp_ms == SL_NO_TIMESTAMP)
        sl_buf_text(out, "null\t");
    else
        sl_buf_format(out, "%" PRId64 "\t", message->record.timestamp_ms);
    put_schema(out, message->key_schema);
    sl_buf_u8(out, '\t');
    put_value(out, message->key_schema, message->record.key);
    sl_buf_u8(out, '\t');
    put_schema(out, message->value_schema);
    sl_buf_u8(out, '\t');
    put_value(out, message->value_schema, message->record.value);
    for (uint16_t i = 0; i < message->record.n_headers; i++) {
        const struct sl_header *header = &message->record.headers[i];

        sl_buf_format(out, "\t%s=", header->name);
        put_schema(out, header->schema);
        sl_buf_u8(out, ' ');
        put_value(out, header->schema, header->value);
    }
}

/* ---- cases ---- */

static const struct sl_transform_ops *find(const char *class_name)
{
    for (size_t i = 0; i < sizeof(transforms) / sizeof(*transforms); i++) {
        for (const char *const *name = transforms[i]->classes; *name; name++) {
            if (strcmp(*name, class_name) == 0)
                return transforms[i];
        }
    }
    (void)fprintf(stderr, "no transform %s\n", class_name);
    exit(2);
}

static void put_outcome(struct sl_buf *out, enum sl_verdict verdict, const struct sl_message *message,
                        const struct sl_error *err)
{
    if (verdict == SL_KEEP)
        put_message(out, message);
    else
        sl_buf_format(out, verdict == SL_DROP ? "drop" : "fail\t%s", err->text);
}

static void run_transform(const char *class_name, const struct sl_props *props, const json_t *records)
{
    const struct sl_transform_ops *ops = find(class_name);
    struct sl_complaints complaints = {0};
    struct sl_error err = {0};
    void *self = NULL;
    json_t *record;
    size_t i;

    sl_options_check(ops->options, props, "", &complaints);
    if (complaints.n)
        (void)snprintf(err.text, sizeof(err.text), "%.100s: %.300s", complaints.items[0].key,
                       complaints.items[0].text);
    else if (ops->open(props, "", class_name, &self, &err) == SL_OK)
        err.text[0] = '\0';
    json_array_foreach(records, i, record)
    {
        struct sl_message message = read_message(record);
        struct sl_buf out = {0};

        if (err.text[0]) {
            sl_buf_format(&out, "refused\t%s", err.text);
        } else {
            struct sl_error failure = {0};

            put_outcome(&out, ops->apply(self, &message, arena, &failure), &message, &failure);
        }
        (void)puts(sl_buf_cstr(&out));
        sl_buf_done(&out);
    }
    if (!err.text[0])
        ops->close(self);
    sl_complaints_done(&complaints);
}

static void run_predicate(const char *class_name, bool negate, struct sl_props *props, const json_t *records)
{
    struct sl_predicate *predicate = NULL;
    struct sl_error err = {0};
    enum sl_rc rc;
    json_t *record;
    size_t i;

    sl_props_set(props, "predicates", "p");
    sl_props_set(props, "predicates.p.type", class_name);
    sl_props_set(props, "transforms.t.predicate", "p");
    sl_props_set(props, "transforms.t.negate", negate ? "true" : "false");
    rc = sl_predicate_open(props, "t", &predicate, &err);
    json_array_foreach(records, i, record)
    {
        struct sl_message message = read_message(record);

        if (rc)
            (void)printf("refused\t%s\n", err.text);
        else
            (void)puts(sl_predicate_holds(predicate, &message) ? "true" : "false");
    }
    sl_predicate_close(predicate);
}

static void run(const json_t *json)
{
    const char *class_name = text_of(json, "class");
    bool is_predicate = strstr(class_name, ".predicates.") != NULL;
    struct sl_props *props = sl_props_new();
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(json, "config"), key, value)
    {
        char full[200];

        (void)snprintf(full, sizeof(full), "%s%s", is_predicate ? "predicates.p." : "", key);
        sl_props_set(props, full, json_string_value(value));
    }
    if (is_predicate)
        run_predicate(class_name, json_is_true(json_object_get(json, "negate")), props,
                      json_object_get(json, "records"));
    else
        run_transform(class_name, props, json_object_get(json, "records"));
    sl_props_free(props);
}

int main(int argc, char **argv)
{
    FILE *cases = argc == 2 ? fopen(argv[1], "r") : NULL;
    char *line = NULL;
    size_t capacity = 0;
    size_t n = 0;

    if (!cases)
        return 2;
    sl_log_level = SL_LEVEL_ERROR;
    arena = sl_arena_new(1 << 16);
    while (getline(&line, &capacity, cases) > 0) {
        json_t *json = json_loads(line, 0, NULL);

        if (!json)
            return 3;
        (void)printf("# %zu\n", n++);
        run(json);
        json_decref(json);
        sl_arena_reset(arena);
    }
    free(line);
    sl_arena_free(arena);
    return fclose(cases);
}
