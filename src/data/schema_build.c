/* SPDX-License-Identifier: Apache-2.0 */
#include "data/schema_build.h"

#include "base/alloc.h"

#include <stdio.h>

void sl_struct_add(struct sl_struct_builder *builder, const char *name, const struct sl_schema *schema)
{
    SL_GROW(builder->fields, builder->n_fields, builder->capacity);
    builder->fields[builder->n_fields++] = (struct sl_field){.name = name, .schema = schema};
}

const struct sl_schema *sl_struct_end(struct sl_struct_builder *builder, bool optional)
{
    const struct sl_schema draft = {
        .type = SL_STRUCT,
        .optional = optional,
        .name = builder->name,
        .doc = builder->doc,
        .has_version = builder->version != 0,
        .version = builder->version,
        .parameters = builder->parameters,
        .n_parameters = builder->n_parameters,
        .fields = builder->fields,
        .n_fields = builder->n_fields,
    };
    const struct sl_schema *schema = sl_schema_intern(&draft);

    sl_free(builder->fields);
    *builder = (struct sl_struct_builder){0};
    return schema;
}

struct sl_struct_builder sl_struct_like(const struct sl_schema *schema)
{
    return (struct sl_struct_builder){
        .name = schema->name,
        .doc = schema->doc,
        .version = schema->has_version ? schema->version : 0,
        .parameters = schema->parameters,
        .n_parameters = schema->n_parameters,
    };
}

const struct sl_schema *sl_schema_plain(enum sl_type type, bool optional)
{
    return sl_schema_intern(&(struct sl_schema){.type = type, .optional = optional});
}

const struct sl_schema *sl_schema_named(enum sl_type type, const char *name, int32_t version, bool optional)
{
    return sl_schema_intern(&(struct sl_schema){
        .type = type, .optional = optional, .name = name, .has_version = version != 0, .version = version});
}

const struct sl_schema *sl_schema_with_default(const struct sl_schema *schema, struct sl_value value)
{
    struct sl_schema draft = *schema;

    draft.has_default = true;
    draft.default_value = value;
    return sl_schema_intern(&draft);
}

const struct sl_schema *sl_schema_array(const struct sl_schema *element, bool optional)
{
    return sl_schema_intern(&(struct sl_schema){.type = SL_ARRAY, .optional = optional, .element = element});
}

const struct sl_schema *sl_schema_map(const struct sl_schema *key, const struct sl_schema *element,
                                      bool optional)
{
    return sl_schema_intern(
        &(struct sl_schema){.type = SL_MAP, .optional = optional, .key = key, .element = element});
}

const struct sl_schema *sl_schema_as_optional(const struct sl_schema *schema, bool optional)
{
    struct sl_schema draft = *schema;

    if (schema->optional == optional)
        return schema;
    if (!optional)
        return schema->required;
    draft.optional = true;
    return sl_schema_intern(&draft);
}

const struct sl_schema *sl_schema_decimal(int32_t scale, int32_t precision, bool optional)
{
    char scale_text[16];
    char precision_text[16];
    const struct sl_parameter parameters[] = {
        {.name = "scale", .value = scale_text},
        {.name = "connect.decimal.precision", .value = precision_text},
    };

    (void)snprintf(scale_text, sizeof(scale_text), "%d", scale);
    (void)snprintf(precision_text, sizeof(precision_text), "%d", precision);
    return sl_schema_intern(&(struct sl_schema){.type = SL_BYTES,
                                                .optional = optional,
                                                .name = "org.apache.kafka.connect.data.Decimal",
                                                .has_version = true,
                                                .version = 1,
                                                .parameters = parameters,
                                                .n_parameters = precision > 0 ? 2 : 1});
}

int sl_schema_field(const struct sl_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

const char *sl_schema_parameter(const struct sl_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->n_parameters; i++) {
        if (strcmp(schema->parameters[i].name, name) == 0)
            return schema->parameters[i].value;
    }
    return NULL;
}

const char *sl_type_name(enum sl_type type)
{
    static const char *const names[] = {
        [SL_ABSENT] = "absent",   [SL_NULL] = "null",     [SL_INT8] = "int8",       [SL_INT16] = "int16",
        [SL_INT32] = "int32",     [SL_INT64] = "int64",   [SL_FLOAT32] = "float32", [SL_FLOAT64] = "float64",
        [SL_BOOLEAN] = "boolean", [SL_STRING] = "string", [SL_BYTES] = "bytes",     [SL_ARRAY] = "array",
        [SL_MAP] = "map",         [SL_STRUCT] = "struct",
    };

    return (size_t)type < sizeof(names) / sizeof(*names) ? names[type] : "unknown";
}
