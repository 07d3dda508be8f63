/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connect's schema to Avro's tree as Confluent's AvroData makes it. Where a step looks odd (an optional
 * struct keeps null first even with a default; a struct met again by name is taken without a second look), it
 * is theirs: the text must come out the same, or the registry hands out another id.
 */
#include "base/alloc.h"
#include "codec/avro_default.h"
#include "codec/avro_tree.h"
#include "data/schema_build.h"

#include <stdlib.h>

struct seen {
    const struct sl_schema *schema;
    struct sl_avro_type *type;
};

struct builder {
    struct sl_avro_doc *doc;
    const struct sl_avro_options *options;
    struct sl_error *err;
    struct seen *structs; /* required structs already made: by pointer, and by name when reached indirectly */
    uint32_t n_structs, structs_capacity;
    struct sl_avro_type **named; /* enums, fixed, map entries already made */
    uint32_t n_named, named_capacity;
    const char **names; /* of every field's schema, to know those met again */
    uint32_t n_names, names_capacity;
    int n_unnamed;
    int depth;
};

static const struct sl_avro_type *build(struct builder *b, const struct sl_schema *schema, bool bare);

static const char anything[] =
    "{\"type\":\"record\",\"name\":\"Anything\",\"namespace\":\"io.confluent.connect.avro\",\"fields\":["
    "{\"name\":\"boolean\",\"type\":[\"null\",\"boolean\"],\"default\":null},"
    "{\"name\":\"bytes\",\"type\":[\"null\",\"bytes\"],\"default\":null},"
    "{\"name\":\"double\",\"type\":[\"null\",\"double\"],\"default\":null},"
    "{\"name\":\"float\",\"type\":[\"null\",\"float\"],\"default\":null},"
    "{\"name\":\"int\",\"type\":[\"null\",\"int\"],\"default\":null},"
    "{\"name\":\"long\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"string\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"array\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"Anything\"}]},"
    "{\"name\":\"map\",\"type\":[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
    "\"MapEntry\","
    "\"fields\":[{\"name\":\"key\",\"type\":\"Anything\"},{\"name\":\"value\",\"type\":\"Anything\"}]}}]}]}";

static struct sl_avro_type *refuse_name(struct builder *b, const char *name)
{
    (void)sl_error_set(
        b->err, SL_E_DATA,
        "the name '%.100s' cannot be written in Avro, which takes letters, digits and _ only. "
        "HINT: set schema.name.adjustment.mode=avro and field.name.adjustment.mode=avro on the "
        "source, or scrub.invalid.names=true on the converter",
        name);
    return NULL;
}

/* Java's URLEncoder, then everything but letters, digits and _ replaced; an x before a leading digit. */
static const char *scrub(struct builder *b, const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    char *text;
    size_t n = 0;

    if (!b->options->scrub_invalid_names || *name == '\0' || sl_avro_name_valid(name))
        return name;
    text = sl_arena_alloc(b->doc->arena, strlen(name) * 3 + 2);
    if (*name >= '0' && *name <= '9')
        text[n++] = 'x';
    for (const uint8_t *at = (const uint8_t *)name; *at; at++) {
        uint8_t c = *at;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
            text[n++] = (char)c;
            continue;
        }
        text[n++] = '_';
        if (strchr("_.-* ", c))
            continue;
        text[n++] = hex[c >> 4];
        text[n++] = hex[c & 15];
    }
    text[n] = '\0';
    return text;
}

/* Split at the last dot; each part is scrubbed on its own. */
static struct sl_avro_type *name_type(struct builder *b, struct sl_avro_type *type, const char *full)
{
    char *copy = sl_arena_strdup(b->doc->arena, full);
    char *last = strrchr(copy, '.');
    const char *space = NULL;

    if (last) {
        *last = '\0';
        for (char *part = copy, *dot; part; part = dot ? dot + 1 : NULL) {
            const char *clean;

            dot = strchr(part, '.');
            if (dot)
                *dot = '\0';
            clean = scrub(b, part);
            space = space ? sl_arena_format(b->doc->arena, "%s.%s", space, clean) : clean;
        }
    }
    if (!sl_avro_type_name(b->doc, type, space, scrub(b, last ? last + 1 : copy)))
        return refuse_name(b, full);
    return type;
}

static struct sl_avro_type *name_or_default(struct builder *b, struct sl_avro_type *type, const char *name)
{
    if (name)
        return name_type(b, type, name);
    if (++b->n_unnamed == 1)
        return name_type(b, type, SL_AVRO_CONNECT_SPACE ".ConnectDefault");
    return name_type(
        b, type, sl_arena_format(b->doc->arena, "%s.ConnectDefault%d", SL_AVRO_CONNECT_SPACE, b->n_unnamed));
}

static void add_text_prop(struct builder *b, struct sl_avro_type *type, const char *name, const char *text)
{
    json_t *json = json_string(text);

    sl_avro_prop_add(b->doc, type, name, json ? json : json_string(""));
}

static json_t *parameters_json(const struct builder *b, const struct sl_schema *schema)
{
    json_t *object = json_object();

    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        if (b->options->discard_type_doc_default ||
            strcmp(schema->parameters[i].name, SL_AVRO_CONNECT_SPACE ".field.default") != 0)
            (void)json_object_set_new(object, schema->parameters[i].name,
                                      json_string(schema->parameters[i].value));
    }
    return object;
}

static void add_default(struct builder *b, struct sl_avro_type *type, const struct sl_schema *schema)
{
    json_t *json;

    if (!schema->has_default || sl_is_null(schema->default_value))
        return;
    if (!b->options->discard_type_doc_default &&
        sl_schema_parameter(schema, SL_AVRO_CONNECT_SPACE ".field.default"))
        return;
    json = sl_avro_default_json(schema, schema->default_value, b->options);
    if (json)
        sl_avro_prop_add(b->doc, type, "connect.default", json);
}

static void add_connect_props(struct builder *b, struct sl_avro_type *type, const struct sl_schema *schema)
{
    if (schema->doc)
        add_text_prop(b, type, "connect.doc", schema->doc);
    if (schema->has_version)
        sl_avro_prop_add(b->doc, type, "connect.version", json_integer(schema->version));
    if (schema->n_parameters) {
        json_t *parameters = parameters_json(b, schema);

        if (json_object_size(parameters))
            sl_avro_prop_add(b->doc, type, "connect.parameters", parameters);
        else
            json_decref(parameters);
    }
    add_default(b, type, schema);
    if (schema->name)
        add_text_prop(b, type, "connect.name", schema->name);
    if (schema->type == SL_INT8 || schema->type == SL_INT16)
        add_text_prop(b, type, "connect.type", sl_type_name(schema->type));
}

static long parameter_number(const struct sl_schema *schema, const char *name, long otherwise)
{
    const char *text = sl_schema_parameter(schema, name);

    return text ? strtol(text, NULL, 10) : otherwise;
}

static void add_logical_type(struct builder *b, struct sl_avro_type *type, const struct sl_schema *schema)
{
    if (schema->semantic == SL_SEM_DATE) {
        add_text_prop(b, type, "logicalType", "date");
    } else if (schema->semantic == SL_SEM_TIME) {
        add_text_prop(b, type, "logicalType", "time-millis");
    } else if (schema->semantic == SL_SEM_TIMESTAMP) {
        add_text_prop(b, type, "logicalType", "timestamp-millis");
    } else if (schema->semantic == SL_SEM_DECIMAL) {
        /* Java's library refuses a scale outside 0..precision; AvroData then writes the property by hand. */
        add_text_prop(b, type, "logicalType", "decimal");
    }
}

static void add_props(struct builder *b, struct sl_avro_type *type, const struct sl_schema *schema)
{
    if (b->options->connect_meta_data)
        add_connect_props(b, type, schema);
    add_logical_type(b, type, schema);
    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        if (strncmp(schema->parameters[i].name, "avro", 4) == 0)
            add_text_prop(b, type, schema->parameters[i].name, schema->parameters[i].value);
    }
}

static const struct sl_avro_type *make_union(struct builder *b, const struct sl_avro_type *first,
                                             const struct sl_avro_type *second)
{
    struct sl_avro_type *type = sl_avro_type_new(b->doc, SL_AVRO_UNION);
    const struct sl_avro_type **branches = sl_arena_alloc(b->doc->arena, 2 * sizeof(struct sl_avro_type *));

    branches[0] = first;
    branches[1] = second;
    type->branches = branches;
    type->n = 2;
    return type;
}

static const struct sl_avro_type *make_optional(struct builder *b, const struct sl_schema *schema,
                                                const struct sl_avro_type *type)
{
    const struct sl_avro_type *null = sl_avro_type_new(b->doc, SL_AVRO_NULL);

    if (!schema->optional || !type)
        return type;
    if (schema->has_default && !sl_is_null(schema->default_value))
        return make_union(b, type, null);
    return make_union(b, null, type);
}

/* Of an array, a map, a union, an optional: a struct is taken by its name if one was begun under it. */
static const struct sl_avro_type *build_below(struct builder *b, const struct sl_schema *schema, bool bare)
{
    for (uint32_t i = 0; schema->name && i < b->n_structs; i++) {
        const char *name = b->structs[i].schema->name;

        if (name && strcmp(name, schema->name) == 0)
            return bare ? b->structs[i].type : make_optional(b, schema, b->structs[i].type);
    }
    return build(b, schema, bare);
}

/* Was the name met on an earlier field? Remembers it. */
static bool met_before(struct builder *b, const char *name)
{
    if (!name)
        return false;
    for (uint32_t i = 0; i < b->n_names; i++) {
        if (strcmp(b->names[i], name) == 0)
            return true;
    }
    SL_GROW(b->names, b->n_names, b->names_capacity);
    b->names[b->n_names++] = name;
    return false;
}

static bool has_named(const struct sl_avro_type *type)
{
    for (uint32_t i = 0; type->kind == SL_AVRO_UNION && i < type->n; i++) {
        if (type->branches[i]->name)
            return true;
    }
    return type->name != NULL;
}

static void add_field_parameters(struct builder *b, struct sl_avro_field *field,
                                 const struct sl_schema *schema)
{
    json_t *parameters = sl_avro_keep(b->doc, parameters_json(b, schema));
    struct sl_avro_prop *prop;

    if (json_object_size(parameters) == 0)
        return;
    prop = sl_arena_alloc(b->doc->arena, sizeof(*prop));
    *prop = (struct sl_avro_prop){.name = "connect.parameters", .value = parameters};
    field->props = prop;
    field->n_props = 1;
}

static bool build_field(struct builder *b, const char *name, const struct sl_schema *schema, const char *doc,
                        struct sl_avro_field *ret)
{
    const char *clean = scrub(b, name);
    json_t *json = NULL;
    bool again;

    if (!sl_avro_name_valid(clean))
        return refuse_name(b, name);
    if (schema->has_default && !sl_is_null(schema->default_value))
        json = sl_avro_default_json(schema, schema->default_value, b->options);
    else if (schema->optional)
        json = json_null();
    if (json)
        (void)sl_avro_keep(b->doc, json);
    again = met_before(b, schema->name);
    *ret = (struct sl_avro_field){.name = sl_arena_strdup(b->doc->arena, clean),
                                  .type = build(b, schema, false)};
    if (!ret->type)
        return false;
    if (b->options->discard_type_doc_default)
        doc = schema->doc;
    ret->doc = doc ? sl_arena_strdup(b->doc->arena, doc) : NULL;
    if (json && sl_avro_default_valid(ret->type, json))
        ret->default_value = json;
    if (b->options->connect_meta_data && again && schema->n_parameters && has_named(ret->type))
        add_field_parameters(b, ret, schema);
    return true;
}

static const char *prefixed_parameter(struct builder *b, const struct sl_schema *schema, const char *prefix,
                                      const char *name)
{
    return sl_schema_parameter(schema, sl_arena_format(b->doc->arena, "%s%s", prefix, name));
}

static struct sl_avro_type *build_record(struct builder *b, const struct sl_schema *schema)
{
    struct sl_avro_type *type = sl_avro_type_new(b->doc, SL_AVRO_RECORD);
    struct sl_avro_field *fields = sl_arena_alloc(b->doc->arena, schema->n_fields * sizeof(*fields));
    bool plain = !b->options->discard_type_doc_default;
    const char *doc =
        sl_schema_parameter(schema, plain ? SL_AVRO_CONNECT_SPACE ".record.doc" : "connect.record.doc");

    if (!name_or_default(b, type, schema->name))
        return NULL;
    for (uint32_t i = 0; i < b->n_structs; i++) {
        if (strcmp(b->structs[i].type->full, type->full) == 0) {
            (void)sl_error_set(b->err, SL_E_DATA, "two different structs of one schema are both named '%s'",
                               type->full);
            return NULL;
        }
    }
    type->doc = doc ? sl_arena_strdup(b->doc->arena, doc) : NULL;
    SL_GROW(b->structs, b->n_structs, b->structs_capacity);
    b->structs[b->n_structs++] = (struct seen){.schema = schema, .type = type};
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_field *field = &schema->fields[i];
        const char *field_doc =
            plain ? prefixed_parameter(b, schema, SL_AVRO_CONNECT_SPACE ".field.doc.", field->name) : NULL;

        if (!build_field(b, field->name, field->schema, field_doc, &fields[i]))
            return NULL;
    }
    type->fields = fields;
    type->n = schema->n_fields;
    return type;
}

static const struct sl_avro_type *build_union(struct builder *b, const struct sl_schema *schema)
{
    struct sl_avro_type *type = sl_avro_type_new(b->doc, SL_AVRO_UNION);
    const struct sl_avro_type **branches =
        sl_arena_alloc(b->doc->arena, (schema->n_fields + 1) * sizeof(struct sl_avro_type *));

    if (schema->optional)
        branches[type->n++] = sl_avro_type_new(b->doc, SL_AVRO_NULL);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_avro_type *branch = build_below(b, schema->fields[i].schema->required, true);

        if (!branch)
            return NULL;
        branches[type->n++] = branch;
    }
    type->branches = branches;
    return type;
}

/* The parameter that names the enum, and begins those of its symbols; NULL: the text is no enum. */
static const char *enum_parameter(const struct builder *b, const struct sl_schema *schema)
{
    const char *parameter =
        b->options->generalized_sum_type_support ? SL_AVRO_GENERAL_ENUM : SL_AVRO_ENUM_PARAMETER;

    if (!b->options->generalized_sum_type_support && !b->options->enhanced_schema_support)
        return NULL;
    return sl_schema_parameter(schema, parameter) ? parameter : NULL;
}

static struct sl_avro_type *build_enum(struct builder *b, const struct sl_schema *schema,
                                       const char *parameter)
{
    const char *prefix = sl_arena_format(b->doc->arena, "%s.", parameter);
    const char *name = sl_schema_parameter(schema, parameter);
    size_t prefix_len = strlen(prefix);
    struct sl_avro_type *type = sl_avro_type_new(b->doc, SL_AVRO_ENUM);
    const char **symbols = sl_arena_alloc(b->doc->arena, schema->n_parameters * sizeof(*symbols));
    const char *last = schema->name ? strrchr(schema->name, '.') : NULL;
    const char *own = last ? last + 1 : (schema->name ? schema->name : "ConnectDefault");

    if (!name_type(b, type, name))
        return NULL;
    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        if (strncmp(schema->parameters[i].name, prefix, prefix_len) == 0)
            symbols[type->n++] = sl_arena_strdup(b->doc->arena, schema->parameters[i].name + prefix_len);
    }
    type->symbols = symbols;
    if (b->options->discard_type_doc_default) {
        type->doc = sl_schema_parameter(schema, "connect.enum.doc");
        return type;
    }
    type->doc = prefixed_parameter(b, schema, SL_AVRO_CONNECT_SPACE ".enum.doc.", own);
    type->enum_default = prefixed_parameter(b, schema, SL_AVRO_CONNECT_SPACE ".enum.default.", own);
    return type;
}

static struct sl_avro_type *build_bytes(struct builder *b, const struct sl_schema *schema)
{
    long size = parameter_number(schema, SL_AVRO_FIXED_PARAMETER, -1);
    struct sl_avro_type *type = sl_avro_type_new(b->doc, size >= 0 ? SL_AVRO_FIXED : SL_AVRO_BYTES);

    if (size > SL_AVRO_MAX_FIXED) {
        (void)sl_error_set(b->err, SL_E_DATA, "a fixed value of %ld bytes is too large", size);
        return NULL;
    }
    if (size >= 0) {
        type->size = (uint32_t)size;
        if (!name_or_default(b, type, schema->name))
            return NULL;
    }
    if (schema->semantic == SL_SEM_DECIMAL) {
        sl_avro_prop_add(b->doc, type, "scale", json_integer(schema->scale));
        sl_avro_prop_add(b->doc, type, "precision",
                         json_integer(parameter_number(schema, "connect.decimal.precision", 64)));
    }
    return type;
}

/* An equal type of the same name is the same node, so that it is written once; an unequal one is refused. */
static struct sl_avro_type *unify(struct builder *b, struct sl_avro_type *type)
{
    for (uint32_t i = 0; i < b->n_named; i++) {
        struct sl_buf old_text = {0};
        struct sl_buf new_text = {0};
        bool same;

        if (strcmp(b->named[i]->full, type->full) != 0)
            continue;
        sl_avro_print(b->named[i], &old_text);
        sl_avro_print(type, &new_text);
        same = old_text.len == new_text.len && memcmp(old_text.data, new_text.data, old_text.len) == 0;
        sl_buf_done(&old_text);
        sl_buf_done(&new_text);
        if (same)
            return b->named[i];
        (void)sl_error_set(
            b->err, SL_E_DATA,
            "two different types of one schema are both named '%s' in Avro. HINT: give the maps "
            "or enums names of their own",
            type->full);
        return NULL;
    }
    SL_GROW(b->named, b->n_named, b->named_capacity);
    b->named[b->n_named++] = type;
    return type;
}

/* Keys that are not strings: an array of pairs. */
static struct sl_avro_type *build_entries(struct builder *b, const struct sl_schema *schema)
{
    struct sl_avro_type *array = sl_avro_type_new(b->doc, SL_AVRO_ARRAY);
    struct sl_avro_type *entry = sl_avro_type_new(b->doc, SL_AVRO_RECORD);
    struct sl_avro_field *fields = sl_arena_alloc(b->doc->arena, 2 * sizeof(*fields));

    if (!name_type(b, entry, schema->name ? schema->name : SL_AVRO_CONNECT_SPACE ".MapEntry"))
        return NULL;
    if (schema->name)
        add_text_prop(b, entry, "connect.internal.type", "MapEntry");
    if (!build_field(b, "key", schema->key, NULL, &fields[0]) ||
        !build_field(b, "value", schema->element, NULL, &fields[1]))
        return NULL;
    entry->fields = fields;
    entry->n = 2;
    array->items = unify(b, entry);
    return array->items ? array : NULL;
}

static struct sl_avro_type *build_collection(struct builder *b, const struct sl_schema *schema)
{
    struct sl_avro_type *type;

    if (schema->type == SL_MAP &&
        (schema->key->type != SL_STRING || (schema->key->optional && !b->options->allow_optional_map_keys)))
        return build_entries(b, schema);
    type = sl_avro_type_new(b->doc, schema->type == SL_ARRAY ? SL_AVRO_ARRAY : SL_AVRO_MAP);
    type->items = build_below(b, schema->element, false);
    return type->items ? type : NULL;
}

static struct sl_avro_type *build_base(struct builder *b, const struct sl_schema *schema)
{
    const char *parameter;

    switch (schema->type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32: return sl_avro_type_new(b->doc, SL_AVRO_INT);
    case SL_INT64: return sl_avro_type_new(b->doc, SL_AVRO_LONG);
    case SL_FLOAT32: return sl_avro_type_new(b->doc, SL_AVRO_FLOAT);
    case SL_FLOAT64: return sl_avro_type_new(b->doc, SL_AVRO_DOUBLE);
    case SL_BOOLEAN: return sl_avro_type_new(b->doc, SL_AVRO_BOOLEAN);
    case SL_STRING:
        parameter = enum_parameter(b, schema);
        return parameter ? build_enum(b, schema, parameter) : sl_avro_type_new(b->doc, SL_AVRO_STRING);
    case SL_BYTES: return build_bytes(b, schema);
    case SL_ARRAY:
    case SL_MAP: return build_collection(b, schema);
    case SL_STRUCT: return build_record(b, schema);
    case SL_ABSENT:
    case SL_NULL: break;
    }
    return NULL;
}

static const struct sl_avro_type *build_struct_again(const struct builder *b, const struct sl_schema *schema)
{
    for (uint32_t i = 0; i < b->n_structs; i++) {
        if (b->structs[i].schema == schema)
            return b->structs[i].type;
    }
    return NULL;
}

/* bare: leave optional to the caller. */
static const struct sl_avro_type *build(struct builder *b, const struct sl_schema *schema, bool bare)
{
    const struct sl_avro_type *again = build_struct_again(b, schema);
    const struct sl_avro_type *type;
    struct sl_avro_type *base;

    if (again)
        return again;
    if (b->depth >= SL_AVRO_MAX_DEPTH) {
        (void)sl_error_set(b->err, SL_E_DATA, "the schema is nested deeper than %d levels",
                           SL_AVRO_MAX_DEPTH);
        return NULL;
    }
    b->depth++;
    if (sl_avro_is_union(schema)) {
        type = build_union(b, schema);
    } else if (schema->type == SL_STRUCT && schema->optional) {
        type = build_below(b, schema->required, false);
        if (type)
            type = make_union(b, sl_avro_type_new(b->doc, SL_AVRO_NULL), type);
    } else {
        base = build_base(b, schema);
        if (base)
            add_props(b, base, schema);
        if (base && base->name && base->kind != SL_AVRO_RECORD)
            base = unify(b, base);
        type = bare ? base : make_optional(b, schema, base);
    }
    b->depth--;
    return type;
}

enum sl_rc sl_avro_from_connect(const struct sl_schema *schema, const struct sl_avro_options *options,
                                struct sl_avro_doc **ret, struct sl_error *err)
{
    struct builder b = {.options = options, .err = err};

    if (!schema)
        return sl_avro_parse(anything, sizeof(anything) - 1, ret, err);
    b.doc = sl_avro_doc_new();
    b.doc->root = build(&b, schema, false);
    sl_free(b.structs);
    sl_free(b.named);
    sl_free(b.names);
    if (!b.doc->root) {
        sl_avro_doc_free(b.doc);
        return SL_E_DATA;
    }
    *ret = b.doc;
    return SL_OK;
}
