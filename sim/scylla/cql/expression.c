/* SPDX-License-Identifier: Apache-2.0 */
/* Binding a term to what it is to become. */
#include "expression.h"

#include <string.h>

#include "../storage/arena.h"
#include "../types/collection.h"
#include "constant.h"

static struct sy_expression *make(struct sy_binder *binder, enum sy_expression_kind kind,
                                  const struct sy_type *type)
{
    struct sy_expression *e = sy_arena_alloc(binder->arena, sizeof *e);
    e->kind = kind;
    e->type = type;
    return e;
}

static const char *type_text(struct sy_binder *binder, const struct sy_type *type)
{
    return sy_type_name(binder->arena, type);
}

static const struct sy_expression *constant(struct sy_binder *binder, const struct sy_type *type,
                                            struct sy_value value)
{
    struct sy_expression *e = make(binder, SY_EXPR_CONSTANT, type);
    e->value = value;
    return e;
}

static const struct sy_expression *bind_constant(struct sy_binder *binder, const struct sy_term *term,
                                                 const struct sy_column *receiver)
{
    enum sy_type_id id = receiver->type->id;
    if (!sy_constant_fits(term, id)) {
        sy_bind_fail(binder, 0x2200, "Invalid %s constant (%s%s) for \"%s\" of type %s",
                     sy_constant_kind_name(term->kind), term->kind == SY_TERM_BLOB ? "0x" : "", term->text,
                     receiver->name, type_text(binder, receiver->type));
        return NULL;
    }
    struct sy_value value = {0};
    const char *fault = sy_constant_value(term, id, binder->arena, &value);
    if (fault != NULL) {
        sy_bind_fail(binder, 0x2200, "%s", fault);
        return NULL;
    }
    return constant(binder, receiver->type, value);
}

static const struct sy_expression *bind_marker(struct sy_binder *binder, const struct sy_term *term,
                                               const struct sy_column *receiver)
{
    struct sy_expression *e = make(binder, SY_EXPR_MARKER, receiver->type);
    e->index = term->marker;
    binder->markers[term->marker] = *receiver;
    if (binder->marker_names != NULL && binder->marker_names[term->marker] != NULL)
        binder->markers[term->marker].name = binder->marker_names[term->marker];
    return e;
}

/* "value(c)": what a part of a collection is called in messages and in a marker's name. */
static struct sy_column part_of(struct sy_binder *binder, const struct sy_column *receiver, const char *role,
                                const struct sy_type *type)
{
    struct sy_column part = *receiver;
    part.name = sy_arena_format(binder->arena, "%s(%s)", role, receiver->name);
    part.type = type;
    return part;
}

static const struct sy_expression *invalid_literal(struct sy_binder *binder, const char *what,
                                                   const struct sy_column *receiver)
{
    sy_bind_fail(binder, 0x2200, "Invalid %s literal for %s of type %s", what, receiver->name,
                 type_text(binder, receiver->type));
    return NULL;
}

/* All its items constants: then it is one too. */
static const struct sy_expression *folded(struct sy_binder *binder, struct sy_expression *e)
{
    for (uint32_t i = 0; i < e->n_items; i++)
        if (e->items[i] != NULL && e->items[i]->kind != SY_EXPR_CONSTANT)
            return e;
    struct sy_run run = {.server = binder->server, .arena = binder->arena};
    struct sy_value value;
    if (!sy_evaluate(&run, e, &value)) {
        sy_bind_fail(binder, run.error.code, "%s", run.error.message);
        return NULL;
    }
    return constant(binder, e->type, value);
}

/* A list or set of items, or a map of alternating keys and values. */
static const struct sy_expression *bind_elements(struct sy_binder *binder, const struct sy_term *term,
                                                 const struct sy_column *receiver,
                                                 enum sy_expression_kind kind)
{
    const struct sy_type *type = receiver->type;
    struct sy_expression *e = make(binder, kind, type);
    const struct sy_expression **items = sy_arena_alloc(binder->arena, term->n_items * sizeof *items);
    struct sy_column parts[2];
    parts[0] = part_of(binder, receiver, kind == SY_EXPR_MAP ? "key" : "value", type->parts[0]);
    if (kind == SY_EXPR_MAP)
        parts[1] = part_of(binder, receiver, "value", type->parts[1]);
    for (uint32_t i = 0; i < term->n_items; i++) {
        items[i] = sy_bind_term(binder, term->items[i], &parts[kind == SY_EXPR_MAP ? i % 2 : 0]);
        if (items[i] == NULL)
            return NULL;
    }
    e->items = items;
    e->n_items = term->n_items;
    return folded(binder, e);
}

static const struct sy_expression *bind_tuple(struct sy_binder *binder, const struct sy_term *term,
                                              const struct sy_column *receiver)
{
    const struct sy_type *type = receiver->type;
    if (type->id != SY_TUPLE) {
        if (term->n_items == 1) /* only brackets */
            return sy_bind_term(binder, term->items[0], receiver);
        return invalid_literal(binder, "tuple", receiver);
    }
    if (term->n_items > type->n_parts) {
        sy_bind_fail(binder, 0x2200,
                     "Invalid tuple literal for %s: too many elements. Type %s expects %u but got %u",
                     receiver->name, type_text(binder, type), type->n_parts, term->n_items);
        return NULL;
    }
    struct sy_expression *e = make(binder, SY_EXPR_FIELDS, type);
    const struct sy_expression **items = sy_arena_alloc(binder->arena, type->n_parts * sizeof *items);
    for (uint32_t i = 0; i < term->n_items; i++) {
        struct sy_column part = *receiver;
        part.name = sy_arena_format(binder->arena, "%s[%u]", receiver->name, i);
        part.type = type->parts[i];
        items[i] = sy_bind_term(binder, term->items[i], &part);
        if (items[i] == NULL)
            return NULL;
    }
    e->items = items;
    e->n_items = term->n_items; /* a shorter literal is a shorter value */
    return folded(binder, e);
}

static const struct sy_expression *bind_fields(struct sy_binder *binder, const struct sy_term *term,
                                               const struct sy_column *receiver)
{
    const struct sy_type *type = receiver->type;
    if (type->id != SY_UDT)
        return invalid_literal(binder, "user type", receiver);
    struct sy_expression *e = make(binder, SY_EXPR_FIELDS, type);
    const struct sy_expression **items = sy_arena_alloc(binder->arena, type->n_parts * sizeof *items);
    for (uint32_t t = 0; t < term->n_items; t++) {
        uint32_t i = 0;
        while (i < type->n_parts && strcmp(type->field_names[i], term->names[t]) != 0)
            i++;
        if (i == type->n_parts) {
            sy_bind_fail(binder, 0x2200, "Unknown field '%s' in value of user defined type %s",
                         term->names[t], type->name);
            return NULL;
        }
        struct sy_column part = *receiver;
        part.name = sy_arena_format(binder->arena, "%s.%s", receiver->name, term->names[t]);
        part.type = type->parts[i];
        items[i] = sy_bind_term(binder, term->items[t], &part);
        if (items[i] == NULL)
            return NULL;
    }
    e->items = items;
    e->n_items = type->n_parts;
    return folded(binder, e);
}

/* text and ascii, timeuuid and uuid, ints into varint and counter: one may stand where the other is wanted.
 */
static bool assignable(const struct sy_type *to, const struct sy_type *from)
{
    if (to == from || (to->id == from->id && to->n_parts == 0))
        return true;
    if (to->id == SY_BLOB)
        return true;
    return (to->id == SY_TEXT && from->id == SY_ASCII) || (to->id == SY_UUID && from->id == SY_TIMEUUID) ||
           (to->id == SY_COUNTER && from->id == SY_BIGINT) ||
           (to->n_parts > 0 && to->id == from->id && to->n_parts == from->n_parts &&
            memcmp(to->parts, from->parts, to->n_parts * sizeof(void *)) == 0);
}

/* An argument: a column, a call, or something that fits the wanted type. NULL without an error: does not fit.
 */
static const struct sy_expression *bind_argument(struct sy_binder *binder, const struct sy_term *term,
                                                 enum sy_type_id want)
{
    if (term->kind == SY_TERM_COLUMN || term->kind == SY_TERM_CALL || term->kind == SY_TERM_CAST ||
        term->kind == SY_TERM_FIELD || term->kind == SY_TERM_ELEMENT || term->kind == SY_TERM_TYPED) {
        const struct sy_expression *e = sy_bind_selector(binder, term);
        bool fits = e != NULL &&
                    (want == SY_CUSTOM || e->type->id == want || assignable(sy_type_native(want), e->type));
        return fits ? e : NULL;
    }
    if (want == SY_CUSTOM)
        return NULL;
    struct sy_column receiver = {.keyspace = binder->table != NULL ? binder->table->keyspace->name : "",
                                 .table = binder->table != NULL ? binder->table->name : "",
                                 .name = "arg0",
                                 .type = sy_type_native(want)};
    if (term->kind != SY_TERM_MARKER && term->kind != SY_TERM_NULL && !sy_constant_fits(term, want))
        return NULL;
    return sy_bind_term(binder, term, &receiver);
}

static const struct sy_expression *bind_call(struct sy_binder *binder, const struct sy_term *term)
{
    const struct sy_function *f = NULL;
    if (!sy_function_exists(term->text)) {
        sy_bind_fail(binder, 0x2200, "Unknown function '%s'", term->text);
        return NULL;
    }
    while ((f = sy_function_named(term->text, term->n_items, f)) != NULL) {
        const struct sy_expression **items = sy_arena_alloc(binder->arena, sizeof *items);
        if (f->n_arguments == 1 &&
            (items[0] = bind_argument(binder, term->items[0], f->arguments[0])) == NULL) {
            if (binder->failed)
                return NULL;
            continue;
        }
        struct sy_expression *e = make(binder, f->fold != NULL ? SY_EXPR_AGGREGATE : SY_EXPR_CALL, NULL);
        e->type = f->returns == SY_CUSTOM ? items[0]->type : sy_type_native(f->returns);
        e->function = f;
        e->items = items;
        e->n_items = f->n_arguments;
        return e;
    }
    sy_bind_fail(
        binder, 0x2200,
        "Invalid call to function %s, none of its type signatures match (known type signatures: see the "
        "documentation)",
        term->text);
    return NULL;
}

static const struct sy_expression *bind_typed(struct sy_binder *binder, const struct sy_term *term)
{
    struct sy_column receiver = {.keyspace = "", .table = "", .name = "arg0"};
    receiver.type = sy_bind_type(binder, binder->keyspace, term->type);
    return receiver.type != NULL ? sy_bind_term(binder, term->items[0], &receiver) : NULL;
}

static const struct sy_expression *bind_other(struct sy_binder *binder, const struct sy_term *term,
                                              const struct sy_column *receiver)
{
    const struct sy_expression *e =
        term->kind == SY_TERM_CALL ? bind_call(binder, term) : bind_typed(binder, term);
    if (e == NULL)
        return NULL;
    if (e->kind == SY_EXPR_AGGREGATE) {
        sy_bind_fail(binder, 0x2200, "Invalid aggregate function %s here", term->text);
        return NULL;
    }
    if (!assignable(receiver->type, e->type)) {
        sy_bind_fail(binder, 0x2200,
                     "Type error: cannot assign result of function %s (type %s) to %s (type %s)",
                     term->kind == SY_TERM_CALL ? term->text : "cast", type_text(binder, e->type),
                     receiver->name, type_text(binder, receiver->type));
        return NULL;
    }
    return e;
}

const struct sy_expression *sy_bind_term(struct sy_binder *binder, const struct sy_term *term,
                                         const struct sy_column *receiver)
{
    enum sy_type_id id = receiver->type->id;
    switch (term->kind) {
    case SY_TERM_NULL: return constant(binder, receiver->type, (struct sy_value){.len = SY_NULL});
    case SY_TERM_MARKER: return bind_marker(binder, term, receiver);
    case SY_TERM_LIST:
        return id == SY_LIST ? bind_elements(binder, term, receiver, SY_EXPR_LIST)
                             : invalid_literal(binder, "list", receiver);
    case SY_TERM_SET:
        if (id == SY_MAP && term->n_items == 0)
            return bind_elements(binder, term, receiver, SY_EXPR_MAP);
        if (id == SY_UDT && term->n_items == 0)
            return bind_fields(binder, term, receiver);
        return id == SY_SET ? bind_elements(binder, term, receiver, SY_EXPR_SET)
                            : invalid_literal(binder, "set", receiver);
    case SY_TERM_MAP:
        return id == SY_MAP ? bind_elements(binder, term, receiver, SY_EXPR_MAP)
                            : invalid_literal(binder, "map", receiver);
    case SY_TERM_FIELDS: return bind_fields(binder, term, receiver);
    case SY_TERM_TUPLE: return bind_tuple(binder, term, receiver);
    case SY_TERM_CALL:
    case SY_TERM_TYPED: return bind_other(binder, term, receiver);
    case SY_TERM_CAST:
    case SY_TERM_COLUMN:
    case SY_TERM_ELEMENT:
    case SY_TERM_FIELD:
        sy_bind_fail(binder, 0x2200, "a column cannot stand for %s", receiver->name);
        return NULL;
    case SY_TERM_INTEGER:
    case SY_TERM_FLOAT:
    case SY_TERM_STRING:
    case SY_TERM_UUID:
    case SY_TERM_BLOB:
    case SY_TERM_BOOLEAN:
    case SY_TERM_DURATION: break;
    }
    return bind_constant(binder, term, receiver);
}

/* --- a SELECT's own --- */

static const struct sy_expression *bind_selected_column(struct sy_binder *binder, const struct sy_term *term)
{
    const struct sy_table_column *column = sy_bind_column(binder, term->text);
    if (column == NULL) {
        sy_bind_fail(binder, 0x2200, "Unrecognized name %s", term->text);
        return NULL;
    }
    struct sy_expression *e = make(binder, SY_EXPR_COLUMN, column->type);
    e->column = column;
    return e;
}

static const struct sy_expression *bind_part(struct sy_binder *binder, const struct sy_term *term)
{
    const struct sy_expression *whole = sy_bind_selector(binder, term->items[0]);
    if (whole == NULL)
        return NULL;
    bool field = term->kind == SY_TERM_FIELD;
    struct sy_expression *e = make(binder, field ? SY_EXPR_FIELD : SY_EXPR_ELEMENT, NULL);
    const struct sy_expression **items = sy_arena_alloc(binder->arena, 2 * sizeof *items);
    items[0] = whole;
    e->items = items;
    if (field) {
        const struct sy_type *type = whole->type;
        while (type->id == SY_UDT && e->index < type->n_parts &&
               strcmp(type->field_names[e->index], term->text) != 0)
            e->index++;
        if (type->id != SY_UDT || e->index == type->n_parts) {
            sy_bind_fail(binder, 0x2200, "%s of type %s has no field %s", term->items[0]->text,
                         type_text(binder, type), term->text);
            return NULL;
        }
        e->n_items = 1;
        e->type = type->parts[e->index];
        return e;
    }
    if (whole->type->id != SY_MAP && whole->type->id != SY_SET) {
        sy_bind_fail(binder, 0x2200,
                     "Invalid element selection: %s is of type %s, which has no elements by key",
                     term->items[0]->text, type_text(binder, whole->type));
        return NULL;
    }
    struct sy_column receiver = {.keyspace = binder->table->keyspace->name,
                                 .table = binder->table->name,
                                 .name = "key",
                                 .type = whole->type->parts[0]};
    items[1] = sy_bind_term(binder, term->items[1], &receiver);
    e->n_items = 2;
    e->type = whole->type->parts[whole->type->n_parts - 1];
    return items[1] != NULL ? e : NULL;
}

static const struct sy_expression *bind_cast(struct sy_binder *binder, const struct sy_term *term)
{
    const struct sy_expression *from = sy_bind_selector(binder, term->items[0]);
    const struct sy_type *to = sy_bind_type(binder, binder->keyspace, term->type);
    if (from == NULL || to == NULL)
        return NULL;
    if (!sy_cast_exists(from->type->id, to->id)) {
        sy_bind_fail(binder, 0x2200, "%s cannot be cast to %s", type_text(binder, from->type),
                     type_text(binder, to));
        return NULL;
    }
    struct sy_expression *e = make(binder, SY_EXPR_CAST, to);
    const struct sy_expression **items = sy_arena_alloc(binder->arena, sizeof *items);
    items[0] = from;
    e->items = items;
    e->n_items = 1;
    return e;
}

/* writetime(c) and ttl(c) */
static const struct sy_expression *bind_cell_function(struct sy_binder *binder, const struct sy_term *term)
{
    bool ttl = strcmp(term->text, "ttl") == 0;
    const struct sy_table_column *column = NULL;
    if (term->n_items == 1 && term->items[0]->kind == SY_TERM_COLUMN)
        column = sy_bind_column(binder, term->items[0]->text);
    if (column == NULL) {
        sy_bind_fail(binder, 0x2200, "%s takes the name of a column", term->text);
        return NULL;
    }
    if (column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING) {
        sy_bind_fail(binder, 0x2200, "Cannot use selection function %s on PRIMARY KEY part %s",
                     ttl ? "ttl" : "writeTime", column->name);
        return NULL;
    }
    if (sy_type_is_multi_cell(column->type)) {
        sy_bind_fail(binder, 0x2200, "Cannot use selection function %s on non-frozen %s %s",
                     ttl ? "ttl" : "writeTime", column->type->id == SY_UDT ? "UDT" : "collection",
                     column->name);
        return NULL;
    }
    struct sy_expression *e =
        make(binder, ttl ? SY_EXPR_TTL : SY_EXPR_WRITETIME, sy_type_native(ttl ? SY_INT : SY_BIGINT));
    e->column = column;
    return e;
}

/* token(a, b): of the row's key when these are its columns in order, else of any values of their types. */
static const struct sy_expression *bind_token(struct sy_binder *binder, const struct sy_term *term)
{
    const struct sy_table *table = binder->table;
    if (term->n_items != table->n_partition_key) {
        sy_bind_fail(binder, 0x2200,
                     "Invalid number of arguments in call to function token: %u required but %u provided",
                     table->n_partition_key, term->n_items);
        return NULL;
    }
    struct sy_expression *e = make(binder, SY_EXPR_TOKEN, sy_type_native(SY_BIGINT));
    const struct sy_expression **items = sy_arena_alloc(binder->arena, term->n_items * sizeof *items);
    for (uint32_t i = 0; i < term->n_items; i++) {
        struct sy_column receiver = sy_receiver_of(table, sy_table_partition_column(table, i));
        items[i] = term->items[i]->kind == SY_TERM_COLUMN ? sy_bind_selector(binder, term->items[i])
                                                          : sy_bind_term(binder, term->items[i], &receiver);
        if (items[i] == NULL)
            return NULL;
        if (!assignable(receiver.type, items[i]->type)) {
            sy_bind_fail(binder, 0x2200, "Type error: argument %u of function token is not of type %s", i + 1,
                         type_text(binder, receiver.type));
            return NULL;
        }
    }
    e->items = items;
    e->n_items = term->n_items;
    return e;
}

const struct sy_expression *sy_bind_selector(struct sy_binder *binder, const struct sy_term *term)
{
    switch ((int)term->kind) {
    case SY_TERM_COLUMN: return bind_selected_column(binder, term);
    case SY_TERM_FIELD:
    case SY_TERM_ELEMENT: return bind_part(binder, term);
    case SY_TERM_CAST: return bind_cast(binder, term);
    case SY_TERM_TYPED: return bind_typed(binder, term);
    case SY_TERM_CALL:
        if (binder->table != NULL && (strcmp(term->text, "writetime") == 0 || strcmp(term->text, "ttl") == 0))
            return bind_cell_function(binder, term);
        if (binder->table != NULL && strcmp(term->text, "token") == 0)
            return bind_token(binder, term);
        return bind_call(binder, term);
    default:
        sy_bind_fail(binder, 0x2200,
                     "Cannot infer type for term %s in selection clause (try using a cast to force a type)",
                     term->kind == SY_TERM_MARKER ? "?"
                     : term->text != NULL         ? term->text
                                                  : "");
        return NULL;
    }
}

bool sy_expression_has(const struct sy_expression *expression, enum sy_expression_kind kind)
{
    if (expression->kind == kind)
        return true;
    for (uint32_t i = 0; i < expression->n_items; i++)
        if (expression->items[i] != NULL && sy_expression_has(expression->items[i], kind))
            return true;
    return false;
}
