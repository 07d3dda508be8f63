/* SPDX-License-Identifier: Apache-2.0 */
/* Avro's schema text, in the order of the Java library's Schema.toString(). */
#include "base/alloc.h"
#include "codec/avro_schema.h"
#include "codec/json_text.h"

struct printer {
    struct sl_buf *out;
    const char *space;                 /* the enclosing namespace; NULL: none */
    const struct sl_avro_type **named; /* those already written in full */
    uint32_t n_named, capacity;
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

static void put_props(struct printer *p, const struct sl_avro_prop *props, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        put_member(p, props[i].name);
        sl_json_text_tree(p->out, props[i].value);
    }
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
    if (field->aliases) {
        put_member(p, "aliases");
        sl_json_text_tree(p->out, field->aliases);
    }
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
    sl_json_text_cstring(p->out, sl_avro_kind_name(type->kind));
    put_name(p, type);
    if (type->doc)
        put_text_member(p, "doc", type->doc);
    if (type->kind == SL_AVRO_RECORD) {
        print_fields(p, type);
    } else if (type->kind == SL_AVRO_ENUM) {
        print_symbols(p, type);
    } else {
        put_member(p, "size");
        sl_json_text_int(p->out, type->size);
    }
    put_props(p, type->props, type->n_props);
    if (type->aliases) {
        put_member(p, "aliases");
        sl_json_text_tree(p->out, type->aliases);
    }
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
    put_props(p, type->props, type->n_props);
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
