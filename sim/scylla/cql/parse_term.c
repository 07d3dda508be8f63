/* SPDX-License-Identifier: Apache-2.0 */
/* Constants, markers, collections, calls; and type names. */
#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

enum { MAX_DEPTH = 100 };

static bool enter(struct sy_parser *p)
{
    if (++p->depth > MAX_DEPTH)
        sy_parser_fail(p, 0x2000, "the statement is nested deeper than %d levels", MAX_DEPTH);
    return !p->failed;
}

struct sy_term *sy_make_term(struct sy_parser *p, enum sy_term_kind kind, const char *text, uint32_t len)
{
    struct sy_term *term = sy_arena_alloc(p->arena, sizeof *term);
    term->kind = kind;
    term->text = text;
    term->len = len;
    return term;
}

const struct sy_term *sy_make_marker(struct sy_parser *p, const char *name)
{
    if (p->n_markers == UINT16_MAX)
        sy_parser_fail(p, 0x2200, "Invalid markers: a statement has at most %d of them", UINT16_MAX);
    struct sy_term *term = sy_make_term(p, SY_TERM_MARKER, NULL, 0);
    struct sy_list list = {.items = p->marker_names, .n = p->n_markers, .cap = p->cap_markers};
    *(const char **)sy_list_add(&list, sizeof name, p->arena) = name;
    p->marker_names = list.items;
    p->cap_markers = list.cap;
    term->marker = p->n_markers++;
    return term;
}

static void set_items(struct sy_term *term, const struct sy_list *list)
{
    term->items = list->items;
    term->n_items = list->n;
}

static void add_item(struct sy_parser *p, struct sy_list *list)
{
    const struct sy_term *item = sy_parse_term(p);
    *(const struct sy_term **)sy_list_add(list, sizeof item, p->arena) = item;
}

/* Terms up to the closing symbol, which is taken. */
static void parse_items(struct sy_parser *p, struct sy_list *list, int closing)
{
    if (sy_take_symbol(p, closing))
        return;
    do {
        add_item(p, list);
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, closing);
}

static const struct sy_term *parse_fields(struct sy_parser *p)
{
    struct sy_list names = {0}, values = {0};
    do {
        const char *name = sy_parse_name(p);
        *(const char **)sy_list_add(&names, sizeof name, p->arena) = name;
        sy_expect_symbol(p, ':');
        add_item(p, &values);
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, '}');
    struct sy_term *term = sy_make_term(p, SY_TERM_FIELDS, NULL, 0);
    set_items(term, &values);
    term->names = names.items;
    return term;
}

static bool at_literal_word(const struct sy_parser *p)
{
    return sy_at_word(p, "true") || sy_at_word(p, "false") || sy_at_word(p, "null") || sy_at_word(p, "nan") ||
           sy_at_word(p, "infinity");
}

static const struct sy_term *parse_braces(struct sy_parser *p)
{
    const struct sy_token *first = sy_parser_peek(p, 0), *second = sy_parser_peek(p, 1);
    bool name = first->kind == SY_TOKEN_QUOTED_NAME || (first->kind == SY_TOKEN_NAME && !at_literal_word(p));
    if (name && second->kind == SY_TOKEN_SYMBOL && second->symbol == ':')
        return parse_fields(p);
    struct sy_list items = {0};
    struct sy_term *term = sy_make_term(p, SY_TERM_SET, NULL, 0);
    if (sy_take_symbol(p, '}'))
        return term;
    add_item(p, &items);
    if (sy_at_symbol(p, ':'))
        term->kind = SY_TERM_MAP;
    while (!p->failed) {
        if (term->kind == SY_TERM_MAP) {
            sy_expect_symbol(p, ':');
            add_item(p, &items);
        }
        if (!sy_take_symbol(p, ','))
            break;
        add_item(p, &items);
    }
    sy_expect_symbol(p, '}');
    set_items(term, &items);
    return term;
}

static bool at_call(const struct sy_parser *p, uint32_t ahead)
{
    const struct sy_token *name = sy_parser_peek(p, ahead), *next = sy_parser_peek(p, ahead + 1);
    return (name->kind == SY_TOKEN_NAME || name->kind == SY_TOKEN_QUOTED_NAME) &&
           next->kind == SY_TOKEN_SYMBOL && next->symbol == '(';
}

/* Behind an opening bracket: a type, as in (int) 3, for names alone are no values. */
static bool at_type(const struct sy_parser *p)
{
    enum sy_token_kind kind = sy_parser_peek(p, 0)->kind;
    if (p->columns_allowed || (kind != SY_TOKEN_NAME && kind != SY_TOKEN_QUOTED_NAME))
        return false;
    return !at_literal_word(p) && !at_call(p, 0) && !(sy_parser_peek(p, 1)->symbol == '.' && at_call(p, 2));
}

static const struct sy_term *parse_brackets(struct sy_parser *p)
{
    if (at_type(p)) {
        struct sy_term *typed = sy_make_term(p, SY_TERM_TYPED, NULL, 0);
        struct sy_list item = {0};
        typed->type = sy_parse_type_name(p);
        sy_expect_symbol(p, ')');
        add_item(p, &item);
        set_items(typed, &item);
        return typed;
    }
    struct sy_list items = {0};
    parse_items(p, &items, ')');
    struct sy_term *tuple = sy_make_term(p, SY_TERM_TUPLE, NULL, 0);
    set_items(tuple, &items);
    return tuple;
}

static const struct sy_term *parse_cast(struct sy_parser *p)
{
    struct sy_list item = {0};
    p->at += 2;
    add_item(p, &item);
    struct sy_term *cast = sy_make_term(p, SY_TERM_CAST, NULL, 0);
    sy_expect_word(p, "as");
    cast->type = sy_parse_type_name(p);
    sy_expect_symbol(p, ')');
    set_items(cast, &item);
    return cast;
}

static const struct sy_term *parse_call(struct sy_parser *p)
{
    const char *keyspace = NULL;
    if (sy_at_word(p, "cast") && at_call(p, 0))
        return parse_cast(p);
    if (!at_call(p, 0)) {
        keyspace = sy_parser_peek(p, 0)->text;
        p->at += 2;
    }
    const struct sy_token *name = sy_parser_peek(p, 0);
    struct sy_term *call = sy_make_term(p, SY_TERM_CALL, name->text, name->len);
    struct sy_list items = {0};
    call->keyspace = keyspace;
    p->at += 2;
    if (strcmp(name->text, "count") == 0 && sy_take_symbol(p, '*'))
        sy_expect_symbol(p, ')');
    else
        parse_items(p, &items, ')');
    set_items(call, &items);
    return call;
}

/* A column of a SELECT's list, or a part of it: c, c.field, c[key]. */
static const struct sy_term *parse_column(struct sy_parser *p)
{
    const char *name = sy_parse_name(p);
    struct sy_term *term = sy_make_term(p, SY_TERM_COLUMN, name, (uint32_t)strlen(name));
    while (sy_at_symbol(p, '.') || sy_at_symbol(p, '[')) {
        bool field = sy_at_symbol(p, '.');
        struct sy_list items = {0};
        *(const struct sy_term **)sy_list_add(&items, sizeof term, p->arena) = term;
        p->at++;
        term = sy_make_term(p, field ? SY_TERM_FIELD : SY_TERM_ELEMENT, NULL, 0);
        if (field) {
            term->text = sy_parse_name(p);
        } else {
            add_item(p, &items);
            sy_expect_symbol(p, ']');
        }
        set_items(term, &items);
    }
    return term;
}

static const struct sy_term *parse_word(struct sy_parser *p)
{
    const struct sy_token *token = sy_parser_peek(p, 0);
    bool dotted_call = sy_parser_peek(p, 1)->symbol == '.' && at_call(p, 2);
    if (at_call(p, 0) || dotted_call)
        return parse_call(p);
    if (token->kind == SY_TOKEN_NAME && at_literal_word(p)) {
        enum sy_term_kind kind = token->text[0] == 't' || token->text[0] == 'f' ? SY_TERM_BOOLEAN
                                 : strcmp(token->text, "null") == 0             ? SY_TERM_NULL
                                                                                : SY_TERM_FLOAT;
        p->at++;
        return sy_make_term(p, kind, token->text, token->len);
    }
    if (p->columns_allowed)
        return parse_column(p);
    sy_parser_unexpected(p);
    return sy_make_term(p, SY_TERM_NULL, NULL, 0);
}

static const struct sy_term *parse_negative(struct sy_parser *p)
{
    p->at++;
    const struct sy_token *token = sy_parser_peek(p, 0);
    enum sy_term_kind kind;
    if (token->kind == SY_TOKEN_INTEGER)
        kind = SY_TERM_INTEGER;
    else if (token->kind == SY_TOKEN_FLOAT || sy_at_word(p, "nan") || sy_at_word(p, "infinity"))
        kind = SY_TERM_FLOAT;
    else if (token->kind == SY_TOKEN_DURATION)
        kind = SY_TERM_DURATION;
    else {
        sy_parser_unexpected(p);
        return sy_make_term(p, SY_TERM_NULL, NULL, 0);
    }
    p->at++;
    return sy_make_term(p, kind, sy_arena_format(p->arena, "-%s", token->text), token->len + 1);
}

static const struct sy_term *parse_symbol(struct sy_parser *p)
{
    if (sy_at_symbol(p, '-'))
        return parse_negative(p);
    if (sy_take_symbol(p, '('))
        return parse_brackets(p);
    if (sy_take_symbol(p, '{'))
        return parse_braces(p);
    if (sy_take_symbol(p, '[')) {
        struct sy_list items = {0};
        parse_items(p, &items, ']');
        struct sy_term *list = sy_make_term(p, SY_TERM_LIST, NULL, 0);
        set_items(list, &items);
        return list;
    }
    if (sy_take_symbol(p, ':'))
        return sy_make_marker(p, sy_parse_name(p));
    sy_parser_unexpected(p);
    return sy_make_term(p, SY_TERM_NULL, NULL, 0);
}

static const struct sy_term *parse_one(struct sy_parser *p)
{
    static const enum sy_term_kind literals[] = {
        [SY_TOKEN_STRING] = SY_TERM_STRING, [SY_TOKEN_INTEGER] = SY_TERM_INTEGER,
        [SY_TOKEN_FLOAT] = SY_TERM_FLOAT,   [SY_TOKEN_UUID] = SY_TERM_UUID,
        [SY_TOKEN_BLOB] = SY_TERM_BLOB,     [SY_TOKEN_DURATION] = SY_TERM_DURATION,
    };
    const struct sy_token *token = sy_parser_peek(p, 0);
    switch (token->kind) {
    case SY_TOKEN_STRING:
    case SY_TOKEN_INTEGER:
    case SY_TOKEN_FLOAT:
    case SY_TOKEN_UUID:
    case SY_TOKEN_BLOB:
    case SY_TOKEN_DURATION: p->at++; return sy_make_term(p, literals[token->kind], token->text, token->len);
    case SY_TOKEN_MARKER: p->at++; return sy_make_marker(p, NULL);
    case SY_TOKEN_NAME:
    case SY_TOKEN_QUOTED_NAME: return parse_word(p);
    case SY_TOKEN_SYMBOL: return parse_symbol(p);
    case SY_TOKEN_END: break;
    }
    sy_parser_unexpected(p);
    return sy_make_term(p, SY_TERM_NULL, NULL, 0);
}

const struct sy_term *sy_parse_term(struct sy_parser *p)
{
    const struct sy_term *term = enter(p) ? parse_one(p) : sy_make_term(p, SY_TERM_NULL, NULL, 0);
    p->depth--;
    return term;
}

static const struct sy_type_name *parse_type_parts(struct sy_parser *p)
{
    struct sy_type_name *type = sy_arena_alloc(p->arena, sizeof *type);
    struct sy_list parts = {0};
    const struct sy_token *token = sy_parser_peek(p, 0);
    type->quoted = token->kind == SY_TOKEN_QUOTED_NAME;
    if (token->kind == SY_TOKEN_STRING) { /* a class name */
        type->name = sy_parse_string(p);
        type->quoted = true;
        return type;
    }
    if (sy_at_word(p, "set") && sy_parser_peek(p, 1)->symbol == '<') { /* a reserved word but here */
        type->name = token->text;
        p->at++;
    } else {
        sy_parse_table_name(p, &type->keyspace, &type->name);
    }
    if (sy_take_symbol(p, '<')) {
        do {
            const struct sy_type_name *part = sy_parse_type_name(p);
            *(const struct sy_type_name **)sy_list_add(&parts, sizeof part, p->arena) = part;
        } while (sy_take_symbol(p, ','));
        sy_expect_symbol(p, '>');
    }
    type->parts = parts.items;
    type->n_parts = parts.n;
    return type;
}

const struct sy_type_name *sy_parse_type_name(struct sy_parser *p)
{
    static const struct sy_type_name none = {.name = ""};
    const struct sy_type_name *type = enter(p) ? parse_type_parts(p) : &none;
    p->depth--;
    return type;
}
