/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/avro_tree.h"

#include "base/alloc.h"
#include "data/schema_build.h"

#include <math.h>

const char *sl_avro_kind_name(enum sl_avro_kind kind)
{
    static const char *const names[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                        "string", "record",  "enum", "array", "map",   "union",  "fixed"};

    return names[kind];
}

struct sl_avro_doc *sl_avro_doc_new(void)
{
    struct sl_avro_doc *doc = sl_zalloc(1, sizeof(*doc));

    doc->arena = sl_arena_new(4096);
    doc->pool = json_array();
    SL_ASSERT(doc->pool);
    return doc;
}

void sl_avro_doc_free(struct sl_avro_doc *doc)
{
    if (!doc)
        return;
    json_decref(doc->pool);
    sl_arena_free(doc->arena);
    sl_free(doc);
}

json_t *sl_avro_keep(struct sl_avro_doc *doc, json_t *value)
{
    SL_ASSERT(value && json_array_append_new(doc->pool, value) == 0);
    return value;
}

struct sl_avro_type *sl_avro_type_new(struct sl_avro_doc *doc, enum sl_avro_kind kind)
{
    struct sl_avro_type *type = sl_arena_alloc(doc->arena, sizeof(*type));

    *type = (struct sl_avro_type){.kind = kind, .full = sl_avro_kind_name(kind)};
    return type;
}

static bool part_valid(const char *part, size_t len)
{
    if (len == 0 || (*part >= '0' && *part <= '9'))
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = part[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

bool sl_avro_name_valid(const char *name)
{
    return part_valid(name, strlen(name));
}

bool sl_avro_space_valid(const char *space)
{
    for (;;) {
        size_t len = strcspn(space, ".");

        if (!part_valid(space, len))
            return false;
        if (space[len] == '\0')
            return true;
        space += len + 1;
    }
}

bool sl_avro_type_name(struct sl_avro_doc *doc, struct sl_avro_type *type, const char *space,
                       const char *name)
{
    if (space && *space == '\0')
        space = NULL;
    if (!sl_avro_name_valid(name) || (space && !sl_avro_space_valid(space)))
        return false;
    type->name = sl_arena_strdup(doc->arena, name);
    type->space = space ? sl_arena_strdup(doc->arena, space) : NULL;
    type->full = space ? sl_arena_format(doc->arena, "%s.%s", space, name) : type->name;
    return true;
}

const struct sl_avro_prop *sl_avro_prop_find(const struct sl_avro_type *type, const char *name)
{
    for (uint32_t i = 0; i < type->n_props; i++) {
        if (strcmp(type->props[i].name, name) == 0)
            return &type->props[i];
    }
    return NULL;
}

void sl_avro_prop_add(struct sl_avro_doc *doc, struct sl_avro_type *type, const char *name, json_t *value)
{
    struct sl_avro_prop *props;

    (void)sl_avro_keep(doc, value);
    if (sl_avro_prop_find(type, name))
        return;
    /* Properties are few: a copy for each is simpler than a capacity. */
    props = sl_arena_alloc(doc->arena, (type->n_props + 1) * sizeof(*props));
    if (type->n_props)
        memcpy(props, type->props, type->n_props * sizeof(*props));
    props[type->n_props] = (struct sl_avro_prop){.name = sl_arena_strdup(doc->arena, name), .value = value};
    type->props = props;
    type->n_props++;
}

bool sl_avro_is_map_entry(const struct sl_avro_type *type)
{
    const struct sl_avro_prop *internal;

    if (type->kind != SL_AVRO_RECORD)
        return false;
    if (strcmp(type->full, SL_AVRO_CONNECT_SPACE ".MapEntry") == 0)
        return true;
    internal = sl_avro_prop_find(type, "connect.internal.type");
    return internal && json_is_string(internal->value) &&
           strcmp(json_string_value(internal->value), "MapEntry") == 0;
}

const struct sl_avro_type *sl_avro_nullable(const struct sl_avro_type *type, uint32_t *ret_index)
{
    if (type->kind != SL_AVRO_UNION || type->n != 2)
        return NULL;
    for (uint32_t i = 0; i < 2; i++) {
        if (type->branches[1 - i]->kind == SL_AVRO_NULL && type->branches[i]->kind != SL_AVRO_NULL) {
            *ret_index = i;
            return type->branches[i];
        }
    }
    return NULL;
}

bool sl_avro_is_union(const struct sl_schema *schema)
{
    if (schema->type != SL_STRUCT)
        return false;
    if (schema->name && strcmp(schema->name, SL_AVRO_UNION_NAME) == 0)
        return true;
    return sl_schema_parameter(schema, SL_AVRO_GENERAL_UNION) != NULL;
}

/* How much of a default is left to look at: records with defaults of their own multiply, or go in circles. */
struct look {
    int depth;
    int left;
    bool any_branch; /* of a union, not only its first */
};

static bool default_valid(struct look *look, const struct sl_avro_type *type, const json_t *value);

static bool fields_default_valid(struct look *look, const struct sl_avro_type *type, const json_t *value)
{
    for (uint32_t i = 0; i < type->n; i++) {
        const json_t *field = json_object_get(value, type->fields[i].name);

        if (!field)
            field = type->fields[i].default_value;
        if (!field || !default_valid(look, type->fields[i].type, field))
            return false;
    }
    return true;
}

static bool items_default_valid(struct look *look, const struct sl_avro_type *items, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!default_valid(look, items, json_array_get(array, i)))
            return false;
    }
    return true;
}

static bool map_default_valid(struct look *look, const struct sl_avro_type *items, const json_t *object)
{
    /* jansson's iteration takes the object without const but changes nothing. */
    json_t *map = json_deep_copy(object);
    const char *key;
    json_t *value;
    bool valid = map != NULL;

    json_object_foreach(map, key, value)
    {
        valid = valid && default_valid(look, items, value);
    }
    json_decref(map);
    return valid;
}

static bool branch_default_valid(struct look *look, const struct sl_avro_type *type, const json_t *value)
{
    for (uint32_t i = 0; i < type->n; i++) {
        if (default_valid(look, type->branches[i], value))
            return true;
        if (!look->any_branch)
            break;
    }
    return false;
}

static bool nested_default_valid(struct look *look, const struct sl_avro_type *type, const json_t *value)
{
    bool valid = false;

    if (++look->depth > SL_AVRO_MAX_DEPTH)
        return false;
    if (type->kind == SL_AVRO_ARRAY)
        valid = json_is_array(value) && items_default_valid(look, type->items, value);
    else if (type->kind == SL_AVRO_MAP)
        valid = json_is_object(value) && map_default_valid(look, type->items, value);
    else if (type->kind == SL_AVRO_UNION)
        valid = branch_default_valid(look, type, value);
    else if (type->kind == SL_AVRO_RECORD)
        valid = json_is_object(value) && fields_default_valid(look, type, value);
    look->depth--;
    return valid;
}

static bool default_valid(struct look *look, const struct sl_avro_type *type, const json_t *value)
{
    json_int_t i = json_integer_value(value);

    if (look->left-- <= 0)
        return false;
    switch (type->kind) {
    case SL_AVRO_NULL: return json_is_null(value);
    case SL_AVRO_BOOLEAN: return json_is_boolean(value);
    case SL_AVRO_INT: return json_is_integer(value) && i >= INT32_MIN && i <= INT32_MAX;
    case SL_AVRO_LONG: return json_is_integer(value);
    case SL_AVRO_FLOAT:
    case SL_AVRO_DOUBLE: return json_is_number(value);
    case SL_AVRO_BYTES:
    case SL_AVRO_STRING:
    case SL_AVRO_ENUM:
    case SL_AVRO_FIXED: return json_is_string(value);
    case SL_AVRO_ARRAY:
    case SL_AVRO_MAP:
    case SL_AVRO_UNION:
    case SL_AVRO_RECORD: return nested_default_valid(look, type, value);
    }
    return false;
}

bool sl_avro_default_valid(const struct sl_avro_type *type, const json_t *value)
{
    return default_valid(&(struct look){.left = 100000}, type, value);
}

bool sl_avro_default_taken(const struct sl_avro_type *type, const json_t *value)
{
    return default_valid(&(struct look){.left = 100000, .any_branch = true}, type, value);
}
