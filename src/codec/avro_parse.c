/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Avro's schema text to a tree. The text comes from a registry, that is from anybody: nesting is bounded,
 * what is not a schema is refused with the place, nothing else is assumed.
 */
#include "base/alloc.h"
#include "codec/avro_tree.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_MEMBERS = 20000 }; /* fields, symbols, branches, named types: checks among them are quadratic */

struct parser {
    struct sl_avro_doc *doc;
    const struct sl_avro_type **named; /* defined so far */
    uint32_t n_named, capacity;
    struct sl_error *err;
};

/* Members that mean something on a type; all others are properties. */
static bool is_reserved(const char *member, bool is_enum)
{
    static const char *const reserved[] = {"aliases", "doc",     "fields", "items", "name", "namespace",
                                           "size",    "symbols", "values", "type",  NULL};

    for (size_t i = 0; reserved[i]; i++) {
        if (strcmp(reserved[i], member) == 0)
            return true;
    }
    return is_enum && strcmp(member, "default") == 0;
}

static const struct sl_avro_type *parse_type(struct parser *p, json_t *json, const char *space, int depth);

static const struct sl_avro_type *refuse(struct parser *p, const char *what, const char *name)
{
    (void)sl_error_set(p->err, SL_E_DATA,
                       "the Avro schema is not sound: %s '%.100s'. HINT: compare it with the registry's copy",
                       what, name ? name : "");
    return NULL;
}

static const char *text_member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const char *keep_text(struct parser *p, const char *text)
{
    return text ? sl_arena_strdup(p->doc->arena, text) : NULL;
}

static bool find_primitive(const char *name, enum sl_avro_kind *ret_kind)
{
    for (enum sl_avro_kind kind = SL_AVRO_NULL; kind <= SL_AVRO_STRING; kind++) {
        if (strcmp(sl_avro_kind_name(kind), name) == 0) {
            *ret_kind = kind;
            return true;
        }
    }
    return false;
}

static const struct sl_avro_type *find_full(const struct parser *p, const char *full)
{
    for (uint32_t i = 0; i < p->n_named; i++) {
        if (strcmp(p->named[i]->full, full) == 0)
            return p->named[i];
    }
    return NULL;
}

/* A name: of a primitive, else of a type defined before, first in the enclosing namespace. */
static const struct sl_avro_type *parse_name(struct parser *p, const char *name, const char *space)
{
    const struct sl_avro_type *found = NULL;
    enum sl_avro_kind kind;

    if (find_primitive(name, &kind))
        return sl_avro_type_new(p->doc, kind);
    if (space && !strchr(name, '.'))
        found = find_full(p, sl_arena_format(p->doc->arena, "%s.%s", space, name));
    if (!found)
        found = find_full(p, name);
    return found ? found : refuse(p, "no type is defined before it under the name", name);
}

static void copy_props(struct parser *p, struct sl_avro_type *type, json_t *json)
{
    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        if (!is_reserved(json_object_iter_key(it), type->kind == SL_AVRO_ENUM))
            sl_avro_prop_add(p->doc, type, json_object_iter_key(it), json_incref(json_object_iter_value(it)));
    }
}

/* Give a named type its name and make it known. */
/* Aliases as Java prints them: once each, without a namespace that is the type's own. */
static bool parse_aliases(struct parser *p, json_t *list, const char *space, json_t **ret)
{
    size_t own = space ? strlen(space) : 0;
    json_t *seen;

    if (!list || (json_is_array(list) && json_array_size(list) == 0))
        return true;
    if (!json_is_array(list) || json_array_size(list) > MAX_MEMBERS)
        return false;
    seen = json_object();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *alias = json_string_value(json_array_get(list, i));

        if (!alias) {
            json_decref(seen);
            return false;
        }
        if (own && strncmp(alias, space, own) == 0 && alias[own] == '.' && !strchr(alias + own + 1, '.'))
            alias += own + 1;
        (void)json_object_set_new(seen, alias, json_null());
    }
    *ret = sl_avro_keep(p->doc, json_array());
    for (void *it = json_object_iter(seen); it; it = json_object_iter_next(seen, it))
        (void)json_array_append_new(*ret, json_string(json_object_iter_key(it)));
    json_decref(seen);
    return true;
}

static bool define(struct parser *p, struct sl_avro_type *type, const json_t *json, const char *space)
{
    const char *name = text_member(json, "name");
    const char *own = text_member(json, "namespace");
    const char *dot = name ? strrchr(name, '.') : NULL;

    if (!name)
        return refuse(p, "a name is missing on a type", sl_avro_kind_name(type->kind));
    if (dot) {
        own = sl_arena_format(p->doc->arena, "%.*s", (int)(dot - name), name);
        name = dot + 1;
    }
    if (!sl_avro_type_name(p->doc, type, own ? own : space, name))
        return refuse(p, "not a name that Avro allows:", name);
    if (find_full(p, type->full))
        return refuse(p, "defined twice:", type->full);
    if (p->n_named > MAX_MEMBERS || json_object_size(json) > 1000)
        return refuse(p, "too many types, or members on type", type->full);
    type->doc = keep_text(p, text_member(json, "doc"));
    if (!parse_aliases(p, json_object_get(json, "aliases"), type->space, &type->aliases))
        return refuse(p, "aliases that are no list of names on type", type->full);
    SL_GROW(p->named, p->n_named, p->capacity);
    p->named[p->n_named++] = type;
    return true;
}

static void copy_field_props(struct parser *p, struct sl_avro_field *field, json_t *json)
{
    static const char *const reserved[] = {"default", "doc", "name", "order", "type", "aliases", NULL};
    struct sl_avro_prop *props =
        sl_arena_alloc(p->doc->arena, json_object_size(json) * sizeof(struct sl_avro_prop));
    uint32_t n = 0;

    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        size_t r = 0;

        while (reserved[r] && strcmp(reserved[r], json_object_iter_key(it)) != 0)
            r++;
        if (reserved[r])
            continue;
        props[n++] = (struct sl_avro_prop){.name = keep_text(p, json_object_iter_key(it)),
                                           .value = json_object_iter_value(it)};
    }
    field->props = props;
    field->n_props = n;
}

/* The library takes a number written as text for the default of a floating-point field. */
static bool read_float_default(struct parser *p, struct sl_avro_field *field)
{
    const char *text = json_string_value(field->default_value);
    json_t *number;
    char *end;
    double d;

    if (!text || (field->type->kind != SL_AVRO_FLOAT && field->type->kind != SL_AVRO_DOUBLE))
        return true;
    d = strtod(text, &end);
    if (end == text || *end)
        return refuse(p, "a default that is no number, of field", field->name);
    number = isfinite(d) ? json_real(d) : NULL;
    if (number)
        field->default_value = sl_avro_keep(p->doc, number);
    return true;
}

static bool parse_field(struct parser *p, json_t *json, const struct sl_avro_type *record, int depth,
                        struct sl_avro_field *ret)
{
    const char *name = text_member(json, "name");
    const char *order = text_member(json, "order");
    json_t *type = json_object_get(json, "type");

    if (!name || !sl_avro_name_valid(name) || !type)
        return refuse(p, "a field without a good name or without a type in record", record->full);
    *ret = (struct sl_avro_field){
        .name = keep_text(p, name),
        .type = parse_type(p, type, record->space, depth),
        .doc = keep_text(p, text_member(json, "doc")),
        .order = order && strcmp(order, "ascending") != 0 ? keep_text(p, order) : NULL,
        .default_value = json_object_get(json, "default"),
    };
    if (!parse_aliases(p, json_object_get(json, "aliases"), NULL, &ret->aliases))
        return refuse(p, "aliases that are no list of names in record", record->full);
    if (ret->type && !read_float_default(p, ret))
        return false;
    copy_field_props(p, ret, json);
    if (ret->type && ret->default_value && !p->doc->bad_default &&
        !sl_avro_default_taken(ret->type, ret->default_value))
        p->doc->bad_default = ret->name;
    return ret->type != NULL;
}

static const struct sl_avro_type *parse_record(struct parser *p, json_t *json, const char *space, int depth)
{
    struct sl_avro_type *type = sl_avro_type_new(p->doc, SL_AVRO_RECORD);
    json_t *list = json_object_get(json, "fields");
    size_t n = json_array_size(list);
    struct sl_avro_field *fields;

    if (!define(p, type, json, space))
        return NULL;
    if (!json_is_array(list) || n > MAX_MEMBERS)
        return refuse(p, "no array 'fields', or too many, in record", type->full);
    fields = sl_arena_alloc(p->doc->arena, n * sizeof(*fields));
    for (size_t i = 0; i < n; i++) {
        if (!parse_field(p, json_array_get(list, i), type, depth, &fields[i]))
            return NULL;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(fields[j].name, fields[i].name) == 0)
                return refuse(p, "two fields of one name:", fields[i].name);
        }
    }
    type->fields = fields;
    type->n = (uint32_t)n;
    type->is_error = strcmp(text_member(json, "type"), "error") == 0;
    copy_props(p, type, json);
    return type;
}

static const struct sl_avro_type *parse_enum(struct parser *p, json_t *json, const char *space)
{
    struct sl_avro_type *type = sl_avro_type_new(p->doc, SL_AVRO_ENUM);
    json_t *list = json_object_get(json, "symbols");
    size_t n = json_array_size(list);
    const char **symbols;

    if (!define(p, type, json, space))
        return NULL;
    if (n == 0 || n > MAX_MEMBERS)
        return refuse(p, "no symbols, or too many, in enum", type->full);
    symbols = sl_arena_alloc(p->doc->arena, n * sizeof(*symbols));
    for (size_t i = 0; i < n; i++) {
        const char *symbol = json_string_value(json_array_get(list, i));

        if (!symbol || !sl_avro_name_valid(symbol))
            return refuse(p, "a bad symbol in enum", type->full);
        symbols[i] = keep_text(p, symbol);
    }
    type->symbols = symbols;
    type->n = (uint32_t)n;
    type->enum_default = keep_text(p, text_member(json, "default"));
    copy_props(p, type, json);
    return type;
}

static const struct sl_avro_type *parse_fixed(struct parser *p, json_t *json, const char *space)
{
    struct sl_avro_type *type = sl_avro_type_new(p->doc, SL_AVRO_FIXED);
    json_t *size = json_object_get(json, "size");

    if (!define(p, type, json, space))
        return NULL;
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > SL_AVRO_MAX_FIXED)
        return refuse(p, "a bad size of fixed", type->full);
    type->size = (uint32_t)json_integer_value(size);
    copy_props(p, type, json);
    return type;
}

static const struct sl_avro_type *parse_collection(struct parser *p, json_t *json, enum sl_avro_kind kind,
                                                   const char *space, int depth)
{
    struct sl_avro_type *type = sl_avro_type_new(p->doc, kind);
    json_t *items = json_object_get(json, kind == SL_AVRO_ARRAY ? "items" : "values");

    if (!items)
        return refuse(p, "no item type on a type", sl_avro_kind_name(kind));
    type->items = parse_type(p, items, space, depth);
    if (!type->items)
        return NULL;
    copy_props(p, type, json);
    return type;
}

static const struct sl_avro_type *parse_union(struct parser *p, json_t *json, const char *space, int depth)
{
    struct sl_avro_type *type = sl_avro_type_new(p->doc, SL_AVRO_UNION);
    size_t n = json_array_size(json);
    const struct sl_avro_type **branches = sl_arena_alloc(p->doc->arena, n * sizeof(struct sl_avro_type *));

    if (n > 1000)
        return refuse(p, "too many branches in a", "union");
    for (size_t i = 0; i < n; i++) {
        branches[i] = parse_type(p, json_array_get(json, i), space, depth);
        if (!branches[i])
            return NULL;
        if (branches[i]->kind == SL_AVRO_UNION)
            return refuse(p, "a union directly inside a", "union");
        for (size_t j = 0; j < i; j++) {
            if (strcmp(branches[j]->full, branches[i]->full) == 0)
                return refuse(p, "twice in one union:", branches[i]->full);
        }
    }
    type->branches = branches;
    type->n = (uint32_t)n;
    return type;
}

static const struct sl_avro_type *parse_object(struct parser *p, json_t *json, const char *space, int depth)
{
    const json_t *word = json_object_get(json, "type");
    const char *name = json_string_value(word);
    struct sl_avro_type *type;
    enum sl_avro_kind kind;

    if (!name)
        return word ? parse_type(p, json_object_get(json, "type"), space, depth)
                    : refuse(p, "a member is missing:", "type");
    if (json_object_size(json) > 1000)
        return refuse(p, "too many members on type", name);
    if (find_primitive(name, &kind)) {
        type = sl_avro_type_new(p->doc, kind);
        copy_props(p, type, json);
        return type;
    }
    if (strcmp(name, "record") == 0 || strcmp(name, "error") == 0)
        return parse_record(p, json, space, depth);
    if (strcmp(name, "enum") == 0)
        return parse_enum(p, json, space);
    if (strcmp(name, "fixed") == 0)
        return parse_fixed(p, json, space);
    if (strcmp(name, "array") == 0)
        return parse_collection(p, json, SL_AVRO_ARRAY, space, depth);
    if (strcmp(name, "map") == 0)
        return parse_collection(p, json, SL_AVRO_MAP, space, depth);
    return parse_name(p, name, space);
}

static const struct sl_avro_type *parse_type(struct parser *p, json_t *json, const char *space, int depth)
{
    if (depth >= SL_AVRO_MAX_DEPTH)
        return refuse(p, "types are nested too deep:", "more than 64 levels");
    if (json_is_string(json))
        return parse_name(p, json_string_value(json), space);
    if (json_is_array(json))
        return parse_union(p, json, space, depth + 1);
    if (json_is_object(json))
        return parse_object(p, json, space, depth + 1);
    return refuse(p, "a type is neither text nor array nor object:", "");
}

/* One text; NULL when it is refused, with the reason in the error. */
static const struct sl_avro_type *parse_text(struct parser *p, const char *text, size_t len)
{
    json_error_t bad;
    json_t *json;

    if (len > SL_AVRO_MAX_TEXT) {
        (void)sl_error_set(p->err, SL_E_DATA, "the Avro schema has %zu bytes; at most %d are read", len,
                           SL_AVRO_MAX_TEXT);
        return NULL;
    }
    json = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &bad);
    if (!json) {
        (void)sl_error_set(p->err, SL_E_DATA, "the Avro schema is not JSON: line %d, column %d: %s", bad.line,
                           bad.column, bad.text);
        return NULL;
    }
    return parse_type(p, sl_avro_keep(p->doc, json), NULL, 0);
}

enum sl_rc sl_avro_parse_with(const char *const *before, size_t n_before, const char *text, size_t len,
                              struct sl_avro_doc **ret, struct sl_error *err)
{
    struct parser p = {.err = err, .doc = sl_avro_doc_new()};
    bool good = true;

    for (size_t i = 0; i < n_before && good; i++)
        good = parse_text(&p, before[i], strlen(before[i])) != NULL;
    if (p.n_named)
        p.doc->known = sl_arena_copy(p.doc->arena, p.named, p.n_named * sizeof(*p.named));
    p.doc->n_known = p.n_named;
    if (good)
        p.doc->root = parse_text(&p, text, len);
    sl_free(p.named);
    if (!p.doc->root) {
        sl_avro_doc_free(p.doc);
        return SL_E_DATA;
    }
    *ret = p.doc;
    return SL_OK;
}

enum sl_rc sl_avro_parse(const char *text, size_t len, struct sl_avro_doc **ret, struct sl_error *err)
{
    return sl_avro_parse_with(NULL, 0, text, len, ret, err);
}
