/* SPDX-License-Identifier: Apache-2.0 */
/* Avro's schema text, in the order of the Java library's Schema.toString(). */
#include "base/alloc.h"
#include "codec/avro_schema.h"
#include "codec/json_text.h"

#include <stdlib.h>

struct printer {
    struct sl_buf *out;
    const char *space;                 /* the enclosing namespace; NULL: none */
    const struct sl_avro_type **named; /* those already written in full */
    uint32_t n_named, capacity;
    bool normal; /* as the registry's normalize=true makes it */
};

static void print_type(struct printer *p, const struct sl_avro_type *type);

static void put_member(struct printer *p, const char *name)
{
    sl_buf_u8(p->out, ',');
    sl_json_text_cstring(p->out, name);
    sl_buf_u8(p->out, ':');
}

static void put_text_member(struct printer *p, const char *name, const char *text)
{
    put_member(p, name);
    sl_json_text_cstring(p->out, text);
}

static int by_name(const void *a, const void *b)
{
    const struct sl_avro_prop *const *one = a;
    const struct sl_avro_prop *const *other = b;

    return strcmp((*one)->name, (*other)->name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_prop(struct printer *p, const struct sl_avro_prop *prop)
{
    put_member(p, prop->name);
    sl_json_text_tree(p->out, prop->value);
}

/* Sorted, but for those that a known logical type brings itself, which the caller has written. */
static void put_sorted(struct printer *p, const struct sl_avro_prop *props, uint32_t n,
                       const char *const *written)
{
    const struct sl_avro_prop **sorted = sl_alloc((n + 1) * sizeof(*sorted));

    for (uint32_t i = 0; i < n; i++)
        sorted[i] = &props[i];
    qsort(sorted, n, sizeof(*sorted), by_name);
    for (uint32_t i = 0; i < n; i++) {
        size_t w = 0;

        while (written && written[w] && strcmp(written[w], sorted[i]->name) != 0)
            w++;
        if (!written || !written[w])
            put_prop(p, sorted[i]);
    }
    sl_free(sorted);
}

static void put_props(struct printer *p, const struct sl_avro_prop *props, uint32_t n)
{
    if (p->normal) {
        put_sorted(p, props, n, NULL);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        put_prop(p, &props[i]);
}

/* Does Java's library know the logical type on this type? */
static bool is_logical(const struct sl_avro_type *type, const char *name)
{
    static const struct {
        const char *name;
        enum sl_avro_kind kind;
    } known[] = {{"date", SL_AVRO_INT},
                 {"time-millis", SL_AVRO_INT},
                 {"time-micros", SL_AVRO_LONG},
                 {"timestamp-millis", SL_AVRO_LONG},
                 {"timestamp-micros", SL_AVRO_LONG},
                 {"timestamp-nanos", SL_AVRO_LONG},
                 {"local-timestamp-millis", SL_AVRO_LONG},
                 {"local-timestamp-micros", SL_AVRO_LONG},
                 {"local-timestamp-nanos", SL_AVRO_LONG},
                 {"uuid", SL_AVRO_STRING},
                 {"big-decimal", SL_AVRO_BYTES}};
    const struct sl_avro_prop *precision = sl_avro_prop_find(type, "precision");
    const struct sl_avro_prop *scale = sl_avro_prop_find(type, "scale");

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (known[i].kind == type->kind && strcmp(known[i].name, name) == 0)
            return true;
    }
    if (type->kind == SL_AVRO_FIXED && strcmp(name, "uuid") == 0)
        return type->size == 16;
    if (type->kind == SL_AVRO_FIXED && strcmp(name, "duration") == 0)
        return type->size == 12;
    if (strcmp(name, "decimal") != 0 || (type->kind != SL_AVRO_BYTES && type->kind != SL_AVRO_FIXED))
        return false;
    return precision && json_is_integer(precision->value) && json_integer_value(precision->value) > 0 &&
           (!scale || (json_is_integer(scale->value) && json_integer_value(scale->value) >= 0 &&
                       json_integer_value(scale->value) <= json_integer_value(precision->value)));
}

static void put_type_props(struct printer *p, const struct sl_avro_type *type)
{
    const struct sl_avro_prop *logical = p->normal ? sl_avro_prop_find(type, "logicalType") : NULL;
    const char *written[4] = {NULL};
    size_t n = 0;

    if (!logical || !json_is_string(logical->value) || !is_logical(type, json_string_value(logical->value))) {
        put_props(p, type->props, type->n_props);
        return;
    }
    put_prop(p, logical);
    written[n++] = "logicalType";
    if (strcmp(json_string_value(logical->value), "decimal") == 0) {
        const struct sl_avro_prop *scale = sl_avro_prop_find(type, "scale");

        put_prop(p, sl_avro_prop_find(type, "precision"));
        written[n++] = "precision";
        if (scale && json_integer_value(scale->value) != 0) {
            put_prop(p, scale);
            written[n++] = "scale";
        }
    }
    put_sorted(p, type->props, type->n_props, written);
}

static void put_aliases(struct printer *p, json_t *aliases)
{
    size_t n = json_array_size(aliases);
    const char **texts;

    if (!aliases)
        return;
    put_member(p, "aliases");
    texts = sl_alloc((n + 1) * sizeof(*texts));
    for (size_t i = 0; i < n; i++)
        texts[i] = json_string_value(json_array_get(aliases, i));
    if (p->normal)
        qsort(texts, n, sizeof(*texts), by_text);
    sl_buf_u8(p->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            sl_buf_u8(p->out, ',');
        sl_json_text_cstring(p->out, texts[i]);
    }
    sl_buf_u8(p->out, ']');
    sl_free(texts);
}

/* Write a named type's name alone if it was written in full before. */
static bool put_reference(struct printer *p, const struct sl_avro_type *type)
{
    for (uint32_t i = 0; i < p->n_named; i++) {
        if (p->named[i] != type)
            continue;
        if (!type->space || (p->space && strcmp(p->space, type->space) == 0))
            sl_json_text_cstring(p->out, type->name);
        else
            sl_json_text_cstring(p->out, type->full);
        return true;
    }
    SL_GROW(p->named, p->n_named, p->capacity);
    p->named[p->n_named++] = type;
    return false;
}

static void put_name(struct printer *p, const struct sl_avro_type *type)
{
    put_text_member(p, "name", type->name);
    if (type->space && !(p->space && strcmp(p->space, type->space) == 0))
        put_text_member(p, "namespace", type->space);
    else if (!type->space && p->space)
        put_text_member(p, "namespace", "");
}

static void print_field(struct printer *p, const struct sl_avro_field *field)
{
    sl_buf_text(p->out, "{\"name\":");
    sl_json_text_cstring(p->out, field->name);
    put_member(p, "type");
    print_type(p, field->type);
    if (field->doc)
        put_text_member(p, "doc", field->doc);
    if (field->default_value) {
        put_member(p, "default");
        sl_json_text_tree(p->out, field->default_value);
    }
    if (field->order)
        put_text_member(p, "order", field->order);
    put_aliases(p, field->aliases);
    put_props(p, field->props, field->n_props);
    sl_buf_u8(p->out, '}');
}

static void print_fields(struct printer *p, const struct sl_avro_type *type)
{
    const char *enclosing = p->space;

    p->space = type->space;
    put_member(p, "fields");
    sl_buf_u8(p->out, '[');
    for (uint32_t i = 0; i < type->n; i++) {
        if (i)
            sl_buf_u8(p->out, ',');
        print_field(p, &type->fields[i]);
    }
    sl_buf_u8(p->out, ']');
    p->space = enclosing;
}

static void print_symbols(struct printer *p, const struct sl_avro_type *type)
{
    put_member(p, "symbols");
    sl_buf_u8(p->out, '[');
    for (uint32_t i = 0; i < type->n; i++) {
        if (i)
            sl_buf_u8(p->out, ',');
        sl_json_text_cstring(p->out, type->symbols[i]);
    }
    sl_buf_u8(p->out, ']');
    if (type->enum_default)
        put_text_member(p, "default", type->enum_default);
}

static void print_named(struct printer *p, const struct sl_avro_type *type)
{
    if (put_reference(p, type))
        return;
    sl_buf_text(p->out, "{\"type\":");
    sl_json_text_cstring(p->out, type->is_error ? "error" : sl_avro_kind_name(type->kind));
    put_name(p, type);
    if (type->doc && !(p->normal && *type->doc == '\0'))
        put_text_member(p, "doc", type->doc);
    if (type->kind == SL_AVRO_RECORD) {
        print_fields(p, type);
    } else if (type->kind == SL_AVRO_ENUM) {
        print_symbols(p, type);
    } else {
        put_member(p, "size");
        sl_json_text_int(p->out, type->size);
    }
    put_type_props(p, type);
    put_aliases(p, type->aliases);
    sl_buf_u8(p->out, '}');
}

static void print_union(struct printer *p, const struct sl_avro_type *type)
{
    sl_buf_u8(p->out, '[');
    for (uint32_t i = 0; i < type->n; i++) {
        if (i)
            sl_buf_u8(p->out, ',');
        print_type(p, type->branches[i]);
    }
    sl_buf_u8(p->out, ']');
}

static void print_unnamed(struct printer *p, const struct sl_avro_type *type)
{
    if (!type->items && type->n_props == 0) {
        sl_json_text_cstring(p->out, type->full);
        return;
    }
    sl_buf_text(p->out, "{\"type\":");
    sl_json_text_cstring(p->out, type->full);
    if (type->items) {
        put_member(p, type->kind == SL_AVRO_ARRAY ? "items" : "values");
        print_type(p, type->items);
    }
    put_type_props(p, type);
    sl_buf_u8(p->out, '}');
}

static void print_type(struct printer *p, const struct sl_avro_type *type)
{
    if (type->name)
        print_named(p, type);
    else if (type->kind == SL_AVRO_UNION)
        print_union(p, type);
    else
        print_unnamed(p, type);
}

void sl_avro_print(const struct sl_avro_type *type, struct sl_buf *out)
{
    struct printer p = {.out = out};

    print_type(&p, type);
    sl_free(p.named);
}

void sl_avro_print_doc(const struct sl_avro_doc *doc, enum sl_avro_form form, struct sl_buf *out)
{
    struct printer p = {.out = out, .normal = form == SL_AVRO_NORMAL};

    for (uint32_t i = 0; i < doc->n_known; i++) {
        SL_GROW(p.named, p.n_named, p.capacity);
        p.named[p.n_named++] = doc->known[i];
    }
    print_type(&p, doc->root);
    sl_free(p.named);
}
