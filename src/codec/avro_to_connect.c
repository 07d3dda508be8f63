/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Avro's tree to Connect's schema as Confluent's AvroData reads it. Recursive types cannot be interned and
 * are refused; the number of schemas that one text unfolds into is bounded, since names can multiply.
 */
#include "base/alloc.h"
#include "codec/avro_default.h"
#include "codec/avro_tree.h"

enum { MAX_VISITS = 100000 };

struct reader {
    const struct sl_avro_options *options;
    struct sl_error *err;
    struct sl_arena *arena;                             /* texts and defaults, until everything is interned */
    const struct sl_avro_type *open[SL_AVRO_MAX_DEPTH]; /* records on the way down, to see recursion */
    int depth;
    int visits;
    int unions; /* so far, with generalised sum types */
};

/* A schema in the making; parameters grow one by one. */
struct draft {
    struct sl_schema schema;
    struct sl_parameter *parameters;
    uint32_t capacity;
};

struct context {
    bool optional;
    const json_t *field_default; /* NULL: none */
    const char *field_doc;
    int32_t version;
};

static const struct sl_schema *read_type(struct reader *r, const struct sl_avro_type *type,
                                         struct context context);

static bool refuse(struct reader *r, const char *what, const struct sl_avro_type *type)
{
    (void)sl_error_set(r->err, SL_E_DATA, "an Avro schema cannot be read as Connect's: %s, in '%.100s'", what,
                       type->full);
    return false;
}

static const char *text_prop(const struct sl_avro_type *type, const char *name)
{
    const struct sl_avro_prop *prop = sl_avro_prop_find(type, name);

    return prop ? json_string_value(prop->value) : NULL;
}

/* Set or replace. Texts must live until the schema is interned. */
static void set_parameter(struct draft *draft, const char *name, const char *value)
{
    for (uint32_t i = 0; i < draft->schema.n_parameters; i++) {
        if (strcmp(draft->parameters[i].name, name) == 0) {
            draft->parameters[i].value = value;
            return;
        }
    }
    SL_GROW(draft->parameters, draft->schema.n_parameters, draft->capacity);
    draft->parameters[draft->schema.n_parameters++] = (struct sl_parameter){.name = name, .value = value};
    draft->schema.parameters = draft->parameters;
}

static void set_logical(struct draft *draft, enum sl_type type, const char *name)
{
    draft->schema.type = type;
    if (!name)
        return;
    draft->schema.name = name;
    draft->schema.has_version = true;
    draft->schema.version = 1;
}

static bool says(const char *logical, const char *word)
{
    return logical && strcasecmp(logical, word) == 0;
}

static bool read_int(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    const char *logical = text_prop(type, "logicalType");
    const char *connect = text_prop(type, "connect.type");

    if (says(logical, "date"))
        set_logical(draft, SL_INT32, "org.apache.kafka.connect.data.Date");
    else if (says(logical, "time-millis"))
        set_logical(draft, SL_INT32, "org.apache.kafka.connect.data.Time");
    else if (logical || !connect)
        draft->schema.type = SL_INT32;
    else if (strcmp(connect, "int8") == 0)
        draft->schema.type = SL_INT8;
    else if (strcmp(connect, "int16") == 0)
        draft->schema.type = SL_INT16;
    else
        return refuse(r, "an unknown connect.type on an int", type);
    return true;
}

static bool read_bytes(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    const struct sl_avro_prop *scale = sl_avro_prop_find(type, "scale");
    const struct sl_avro_prop *precision = sl_avro_prop_find(type, "precision");

    draft->schema.type = SL_BYTES;
    if (says(text_prop(type, "logicalType"), "decimal")) {
        long long digits = scale ? json_integer_value(scale->value) : 0;

        set_logical(draft, SL_BYTES, "org.apache.kafka.connect.data.Decimal");
        set_parameter(draft, "scale", sl_arena_format(r->arena, "%lld", digits));
        if (precision && !json_is_number(precision->value))
            return refuse(r, "a precision that is no number", type);
        if (precision && (int64_t)json_number_value(precision->value) != 64)
            set_parameter(draft, "connect.decimal.precision",
                          sl_arena_format(r->arena, "%lld", (long long)json_number_value(precision->value)));
    }
    if (type->kind == SL_AVRO_FIXED)
        set_parameter(draft, SL_AVRO_FIXED_PARAMETER, sl_arena_format(r->arena, "%u", type->size));
    return true;
}

static bool read_enum(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    bool plain = !r->options->discard_type_doc_default;
    bool general = r->options->generalized_sum_type_support;
    const char *parameter = general ? SL_AVRO_GENERAL_ENUM : SL_AVRO_ENUM_PARAMETER;

    draft->schema.type = SL_STRING;
    if (r->options->connect_meta_data && type->doc)
        set_parameter(draft,
                      plain ? sl_arena_format(r->arena, "%s.enum.doc.%s", SL_AVRO_CONNECT_SPACE, type->name)
                            : "connect.enum.doc",
                      type->doc);
    if (r->options->connect_meta_data && plain && type->enum_default)
        set_parameter(draft,
                      sl_arena_format(r->arena, "%s.enum.default.%s", SL_AVRO_CONNECT_SPACE, type->name),
                      type->enum_default);
    set_parameter(draft, parameter, type->full);
    for (uint32_t i = 0; i < type->n; i++)
        set_parameter(draft, sl_arena_format(r->arena, "%s.%s", parameter, type->symbols[i]),
                      general ? sl_arena_format(r->arena, "%u", i) : type->symbols[i]);
    return true;
}

static bool read_array(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    const struct sl_avro_type *items = type->items;

    if (!sl_avro_is_map_entry(items)) {
        draft->schema.type = SL_ARRAY;
        draft->schema.element = read_type(r, items, (struct context){0});
        return draft->schema.element != NULL;
    }
    if (items->n != 2 || strcmp(items->fields[0].name, "key") != 0 ||
        strcmp(items->fields[1].name, "value") != 0)
        return refuse(r, "map entries are not pairs of key and value", items);
    draft->schema.type = SL_MAP;
    draft->schema.key = read_type(r, items->fields[0].type, (struct context){0});
    if (draft->schema.key)
        draft->schema.element = read_type(r, items->fields[1].type, (struct context){0});
    return draft->schema.element != NULL;
}

static bool read_map(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    draft->schema.type = SL_MAP;
    draft->schema.key = sl_schema_plain(SL_STRING, false);
    draft->schema.element = read_type(r, type->items, (struct context){0});
    return draft->schema.element != NULL;
}

/* A field whose named type was described before may say other parameters itself. */
static const struct sl_schema *apply_field_parameters(const struct sl_schema *schema,
                                                      const struct sl_avro_field *field)
{
    struct draft draft = {.schema = *schema};

    draft.schema.parameters = NULL;
    draft.schema.n_parameters = 0;
    for (uint32_t i = 0; i < schema->n_parameters; i++)
        set_parameter(&draft, schema->parameters[i].name, schema->parameters[i].value);
    for (uint32_t i = 0; i < field->n_props; i++) {
        json_t *object = field->props[i].value;

        if (strcmp(field->props[i].name, "connect.parameters") != 0 || !json_is_object(object))
            continue;
        for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
            if (json_is_string(json_object_iter_value(it)))
                set_parameter(&draft, json_object_iter_key(it),
                              json_string_value(json_object_iter_value(it)));
        }
    }
    schema = sl_schema_intern(&draft.schema);
    sl_free(draft.parameters);
    return schema;
}

static bool read_record(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    bool docs = !r->options->discard_type_doc_default && r->options->connect_meta_data;
    struct sl_field *fields = sl_arena_alloc(r->arena, type->n * sizeof(*fields));

    draft->schema.type = SL_STRUCT;
    if (docs && type->doc)
        set_parameter(draft, SL_AVRO_CONNECT_SPACE ".record.doc", type->doc);
    for (uint32_t i = 0; i < type->n; i++) {
        const struct sl_avro_field *field = &type->fields[i];

        if (docs && field->doc)
            set_parameter(draft,
                          sl_arena_format(r->arena, "%s.field.doc.%s", SL_AVRO_CONNECT_SPACE, field->name),
                          field->doc);
        fields[i].name = field->name;
        fields[i].schema = read_type(
            r, field->type, (struct context){.field_default = field->default_value, .field_doc = field->doc});
        if (!fields[i].schema)
            return false;
        if (r->options->connect_meta_data && field->n_props)
            fields[i].schema = apply_field_parameters(fields[i].schema, field);
    }
    draft->schema.fields = fields;
    draft->schema.n_fields = type->n;
    return true;
}

/* A branch goes by its place, or by its type: the full name of a named one with enhanced support. */
static const char *branch_name(struct reader *r, const struct sl_avro_type *branch, uint32_t index)
{
    if (r->options->generalized_sum_type_support)
        return sl_arena_format(r->arena, "connect_union_field_%u", index);
    return branch->name && !r->options->enhanced_schema_support ? branch->name : branch->full;
}

/* AvroData counts such unions over the life of the converter; here each schema begins with 0. */
static void name_union(struct reader *r, struct draft *draft)
{
    draft->schema.name = SL_AVRO_UNION_NAME;
    if (!r->options->generalized_sum_type_support)
        return;
    draft->schema.name = sl_arena_format(r->arena, "connect_union_%d", r->unions++);
    set_parameter(draft, SL_AVRO_GENERAL_UNION, draft->schema.name);
}

static bool read_union(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    struct sl_field *fields = sl_arena_alloc(r->arena, type->n * sizeof(*fields));
    uint32_t n = 0;

    set_logical(draft, SL_STRUCT, NULL);
    name_union(r, draft);
    for (uint32_t i = 0; i < type->n; i++) {
        const struct sl_avro_type *branch = type->branches[i];

        if (branch->kind == SL_AVRO_NULL) {
            draft->schema.optional = true;
            continue;
        }
        fields[n].name = branch_name(r, branch, i);
        fields[n].schema = read_type(r, branch, (struct context){.optional = true});
        if (!fields[n].schema)
            return false;
        for (uint32_t j = 0; j < n; j++) {
            if (strcmp(fields[j].name, fields[n].name) == 0)
                return refuse(r, "two branches of a union have the same field name", branch);
        }
        n++;
    }
    draft->schema.fields = fields;
    draft->schema.n_fields = n;
    return true;
}

static bool read_kind(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    switch (type->kind) {
    case SL_AVRO_BOOLEAN: draft->schema.type = SL_BOOLEAN; return true;
    case SL_AVRO_INT: return read_int(r, type, draft);
    case SL_AVRO_LONG:
        set_logical(draft, SL_INT64,
                    says(text_prop(type, "logicalType"), "timestamp-millis")
                        ? "org.apache.kafka.connect.data.Timestamp"
                        : NULL);
        return true;
    case SL_AVRO_FLOAT: draft->schema.type = SL_FLOAT32; return true;
    case SL_AVRO_DOUBLE: draft->schema.type = SL_FLOAT64; return true;
    case SL_AVRO_STRING: draft->schema.type = SL_STRING; return true;
    case SL_AVRO_BYTES:
    case SL_AVRO_FIXED: return read_bytes(r, type, draft);
    case SL_AVRO_ENUM: return read_enum(r, type, draft);
    case SL_AVRO_ARRAY: return read_array(r, type, draft);
    case SL_AVRO_MAP: return read_map(r, type, draft);
    case SL_AVRO_RECORD: return read_record(r, type, draft);
    case SL_AVRO_UNION: return read_union(r, type, draft);
    case SL_AVRO_NULL: break;
    }
    return refuse(r, "null stands alone, outside a union", type);
}

static void read_doc(struct reader *r, const struct sl_avro_type *type, const char *field_doc,
                     struct draft *draft)
{
    const char *doc = text_prop(type, "connect.doc");

    if (r->options->discard_type_doc_default) {
        draft->schema.doc = field_doc ? field_doc : (type->doc ? type->doc : doc);
        if (r->options->connect_meta_data && type->doc)
            set_parameter(draft, "connect.record.doc", type->doc);
    } else if (r->options->connect_meta_data) {
        draft->schema.doc = doc;
    }
}

static bool read_version(struct reader *r, const struct sl_avro_type *type, int32_t otherwise,
                         struct draft *draft)
{
    const struct sl_avro_prop *prop = sl_avro_prop_find(type, "connect.version");
    int64_t version = prop ? json_integer_value(prop->value) : (otherwise > 0 ? otherwise : -1);

    if (prop && (!json_is_integer(prop->value) || version > INT32_MAX))
        return refuse(r, "a connect.version that is no number", type);
    if (version < 0)
        return true;
    if (draft->schema.has_version && prop && draft->schema.version != version)
        return refuse(r, "connect.version contradicts the logical type", type);
    if (!draft->schema.has_version)
        draft->schema.version = (int32_t)version;
    draft->schema.has_version = true;
    return true;
}

static bool read_parameters(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    const struct sl_avro_prop *prop = sl_avro_prop_find(type, "connect.parameters");

    if (prop && r->options->connect_meta_data) {
        if (!json_is_object(prop->value))
            return refuse(r, "connect.parameters is no object", type);
        for (void *it = json_object_iter(prop->value); it; it = json_object_iter_next(prop->value, it)) {
            if (!json_is_string(json_object_iter_value(it)))
                return refuse(r, "a connect.parameters value is no text", type);
            set_parameter(draft, json_object_iter_key(it), json_string_value(json_object_iter_value(it)));
        }
    }
    for (uint32_t i = 0; i < type->n_props; i++) {
        if (strncmp(type->props[i].name, "avro", 4) == 0 && json_is_string(type->props[i].value))
            set_parameter(draft, type->props[i].name, json_string_value(type->props[i].value));
    }
    return true;
}

/* The field's default wins over connect.default; one that does not fit is left out, as AvroData does. */
static void read_default(struct reader *r, const struct sl_avro_type *type, const json_t *field_default,
                         struct draft *draft)
{
    const struct sl_avro_prop *own = sl_avro_prop_find(type, "connect.default");
    const json_t *json = field_default;
    struct sl_value value;

    if (!json && own)
        json = own->value;
    else if (json && !own && !r->options->discard_type_doc_default && r->options->connect_meta_data)
        set_parameter(draft, SL_AVRO_CONNECT_SPACE ".field.default", "true");
    if (!json || json_is_null(json) || !sl_avro_default_value(&draft->schema, json, r->arena, &value))
        return;
    draft->schema.has_default = true;
    draft->schema.default_value = value;
}

static bool read_name(struct reader *r, const struct sl_avro_type *type, struct draft *draft)
{
    static const char unnamed[] = SL_AVRO_CONNECT_SPACE ".ConnectDefault";
    const struct sl_avro_prop *prop = sl_avro_prop_find(type, "connect.name");
    const char *name = prop ? json_string_value(prop->value) : type->name ? type->full : NULL;

    if (prop && !name)
        return refuse(r, "a connect.name that is no text", type);
    /* A decimal in a fixed is known by its logical type, not by the fixed's name. */
    if (!prop && type->kind == SL_AVRO_FIXED && draft->schema.name)
        return true;
    if (!name || strncmp(name, unnamed, sizeof(unnamed) - 1) == 0)
        return true;
    if (draft->schema.name && strcmp(draft->schema.name, name) != 0)
        return refuse(r, "connect.name contradicts the logical type", type);
    draft->schema.name = name;
    return true;
}

static bool read_all(struct reader *r, const struct sl_avro_type *type, struct context context,
                     struct draft *draft)
{
    if (!read_kind(r, type, draft))
        return false;
    read_doc(r, type, context.field_doc, draft);
    if (!read_version(r, type, context.version, draft) || !read_parameters(r, type, draft))
        return false;
    read_default(r, type, context.field_default, draft);
    if (!read_name(r, type, draft))
        return false;
    draft->schema.optional |= context.optional;
    return true;
}

/* Unions that only say "or null" are not seen in Connect. */
static const struct sl_schema *read_through(struct reader *r, const struct sl_avro_type *type,
                                            struct context context, bool *ret_done)
{
    uint32_t index;
    const struct sl_avro_type *branch = sl_avro_nullable(type, &index);

    *ret_done = true;
    if (branch) {
        /* AvroData forgets the field's default here; connect.default on the branch brings it back. */
        context.field_default = NULL;
        context.optional = true;
        context.version = 0;
        return read_type(r, branch, context);
    }
    if (type->kind == SL_AVRO_UNION && type->n == 1 && r->options->flatten_singleton_unions) {
        context.field_default = NULL;
        context.optional = false;
        context.version = 0;
        return read_type(r, type->branches[0], context);
    }
    *ret_done = false;
    return NULL;
}

static const struct sl_schema *read_type(struct reader *r, const struct sl_avro_type *type,
                                         struct context context)
{
    const struct sl_schema *schema = NULL;
    struct draft draft = {0};
    bool done;

    if (r->depth >= SL_AVRO_MAX_DEPTH || ++r->visits > MAX_VISITS) {
        (void)refuse(r, "it is too deep or too large", type);
        return NULL;
    }
    for (int i = 0; i < r->depth; i++) {
        if (r->open[i] == type && type->kind == SL_AVRO_RECORD) {
            (void)refuse(r, "it contains itself", type);
            return NULL;
        }
    }
    r->open[r->depth++] = type;
    schema = read_through(r, type, context, &done);
    if (!done && read_all(r, type, context, &draft))
        schema = sl_schema_intern(&draft.schema);
    sl_free(draft.parameters);
    r->depth--;
    return schema;
}

enum sl_rc sl_avro_to_connect(const struct sl_avro_type *type, const struct sl_avro_options *options,
                              int32_t version, const struct sl_schema **ret, struct sl_error *err)
{
    struct reader r = {.options = options, .err = err, .arena = sl_arena_new(4096)};
    const struct sl_schema *schema = read_type(&r, type, (struct context){.version = version});

    sl_arena_free(r.arena);
    if (!schema)
        return SL_E_DATA;
    *ret = schema;
    return SL_OK;
}
