/* SPDX-License-Identifier: Apache-2.0 */
/* INSERT, UPDATE, DELETE and BATCH. */
#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

/* TIMESTAMP t, TTL n and TIMEOUT d, joined by AND. */
static void parse_using(struct sy_parser *p, struct sy_modify *modify)
{
    do {
        if (sy_take_word(p, "timestamp"))
            modify->timestamp = sy_parse_term(p);
        else if (modify->kind != SY_DELETE && sy_take_word(p, "ttl"))
            modify->ttl = sy_parse_term(p);
        else if (sy_take_word(p, "timeout"))
            (void)sy_parse_term(p);
        else
            sy_parser_unexpected(p);
    } while (sy_take_word(p, "and"));
}

static void parse_insert_columns(struct sy_parser *p, struct sy_modify *insert)
{
    struct sy_list names = {0}, values = {0};
    sy_expect_symbol(p, '(');
    do {
        const char *name = sy_parse_name(p);
        *(const char **)sy_list_add(&names, sizeof name, p->arena) = name;
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, ')');
    sy_expect_word(p, "values");
    sy_expect_symbol(p, '(');
    do {
        const struct sy_term *value = sy_parse_term(p);
        *(const struct sy_term **)sy_list_add(&values, sizeof value, p->arena) = value;
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, ')');
    if (names.n != values.n)
        sy_parser_fail(p, 0x2200, "Unmatched column names/values");
    insert->names = names.items;
    insert->values = values.items;
    insert->n_names = names.n;
}

static void parse_insert(struct sy_parser *p, struct sy_modify *insert)
{
    sy_expect_word(p, "into");
    sy_parse_table_name(p, &insert->keyspace, &insert->table);
    if (sy_take_word(p, "json")) {
        insert->json = sy_parse_term(p);
        if (sy_take_word(p, "default") && !sy_take_word(p, "null"))
            sy_expect_word(p, "unset");
    } else {
        parse_insert_columns(p, insert);
    }
    insert->if_not_exists = sy_parse_if_not_exists(p);
    if (sy_take_word(p, "using"))
        parse_using(p, insert);
}

/* The right side of c = ...: a value, or the column itself with something added. */
static void parse_assigned(struct sy_parser *p, struct sy_operation *op)
{
    const struct sy_token *first = sy_parser_peek(p, 0), *second = sy_parser_peek(p, 1);
    bool name = first->kind == SY_TOKEN_NAME || first->kind == SY_TOKEN_QUOTED_NAME;
    if (name && second->kind == SY_TOKEN_SYMBOL && (second->symbol == '+' || second->symbol == '-')) {
        const char *left = sy_parse_name(p);
        op->kind = sy_take_symbol(p, '+') ? SY_ADD_TO : SY_SUBTRACT;
        if (op->kind == SY_SUBTRACT)
            p->at++;
        op->value = sy_parse_term(p);
        if (!p->failed && strcmp(left, op->column) != 0)
            sy_parser_fail(p, 0x2000, "Only expressions of the form X = X %c <value> are supported.",
                           op->kind == SY_ADD_TO ? '+' : '-');
        return;
    }
    op->value = sy_parse_term(p);
    if (sy_take_symbol(p, '+')) {
        const char *right = sy_parse_name(p);
        op->kind = SY_PREPEND;
        if (!p->failed && strcmp(right, op->column) != 0)
            sy_parser_fail(p, 0x2000, "Only expressions of the form X = <value> + X are supported.");
    }
}

static void parse_assignment(struct sy_parser *p, struct sy_list *list)
{
    struct sy_operation *op = sy_list_add(list, sizeof *op, p->arena);
    op->column = sy_parse_name(p);
    if (sy_take_symbol(p, '[')) {
        op->kind = SY_SET_ELEMENT;
        op->key = sy_parse_term(p);
        sy_expect_symbol(p, ']');
    } else if (sy_take_symbol(p, '.')) {
        op->kind = SY_SET_FIELD;
        op->field = sy_parse_name(p);
    } else if (sy_at_symbol(p, SY_PLUS_ASSIGN) || sy_at_symbol(p, SY_MINUS_ASSIGN)) {
        op->kind = sy_take_symbol(p, SY_PLUS_ASSIGN) ? SY_ADD_TO : SY_SUBTRACT;
        if (op->kind == SY_SUBTRACT)
            p->at++;
        op->value = sy_parse_term(p);
        return;
    }
    sy_expect_symbol(p, '=');
    if (op->kind == SY_SET_COLUMN)
        parse_assigned(p, op);
    else
        op->value = sy_parse_term(p);
}

/* IF EXISTS, or IF relation AND ... */
static void parse_if(struct sy_parser *p, struct sy_modify *modify)
{
    if (!sy_take_word(p, "if"))
        return;
    if (sy_at_word(p, "exists") && sy_parser_peek(p, 1)->kind != SY_TOKEN_SYMBOL) {
        p->at++;
        modify->if_exists = true;
    } else if (sy_at_word(p, "exists") && sy_parser_peek(p, 1)->symbol == ';') {
        p->at++;
        modify->if_exists = true;
    } else {
        modify->conditions = sy_parse_conditions(p, &modify->n_conditions);
    }
}

static void parse_update(struct sy_parser *p, struct sy_modify *update)
{
    struct sy_list operations = {0};
    sy_parse_table_name(p, &update->keyspace, &update->table);
    if (sy_take_word(p, "using"))
        parse_using(p, update);
    sy_expect_word(p, "set");
    do {
        parse_assignment(p, &operations);
    } while (sy_take_symbol(p, ','));
    update->operations = operations.items;
    update->n_operations = operations.n;
    sy_expect_word(p, "where");
    update->where = sy_parse_where(p, &update->n_where);
    parse_if(p, update);
}

static void parse_delete_target(struct sy_parser *p, struct sy_list *list)
{
    struct sy_operation *op = sy_list_add(list, sizeof *op, p->arena);
    op->kind = SY_DROP_COLUMN;
    op->column = sy_parse_name(p);
    if (sy_take_symbol(p, '[')) {
        op->kind = SY_DROP_ELEMENT;
        op->key = sy_parse_term(p);
        sy_expect_symbol(p, ']');
    } else if (sy_take_symbol(p, '.')) {
        op->kind = SY_DROP_FIELD;
        op->field = sy_parse_name(p);
    }
}

static void parse_delete(struct sy_parser *p, struct sy_modify *delete)
{
    struct sy_list operations = {0};
    if (!sy_at_word(p, "from")) {
        do {
            parse_delete_target(p, &operations);
        } while (sy_take_symbol(p, ','));
    }
    delete->operations = operations.items;
    delete->n_operations = operations.n;
    sy_expect_word(p, "from");
    sy_parse_table_name(p, &delete->keyspace, &delete->table);
    if (sy_take_word(p, "using"))
        parse_using(p, delete);
    sy_expect_word(p, "where");
    delete->where = sy_parse_where(p, &delete->n_where);
    parse_if(p, delete);
}

const struct sy_modify *sy_parse_modify(struct sy_parser *p)
{
    struct sy_modify *modify = sy_arena_alloc(p->arena, sizeof *modify);
    if (sy_take_word(p, "insert")) {
        modify->kind = SY_INSERT;
        parse_insert(p, modify);
    } else if (sy_take_word(p, "update")) {
        modify->kind = SY_UPDATE;
        parse_update(p, modify);
    } else {
        sy_expect_word(p, "delete");
        modify->kind = SY_DELETE;
        parse_delete(p, modify);
    }
    return modify;
}

const struct sy_text_batch *sy_parse_batch(struct sy_parser *p)
{
    struct sy_text_batch *batch = sy_arena_alloc(p->arena, sizeof *batch);
    struct sy_list items = {0};
    p->at++;
    batch->kind = sy_take_word(p, "unlogged")  ? SY_BATCH_UNLOGGED
                  : sy_take_word(p, "counter") ? SY_BATCH_COUNTER
                                               : SY_BATCH_LOGGED;
    sy_expect_word(p, "batch");
    if (sy_take_word(p, "using")) {
        struct sy_modify using = {.kind = SY_DELETE};
        parse_using(p, &using);
        batch->timestamp = using.timestamp;
    }
    while (!p->failed && !sy_at_word(p, "apply")) {
        const struct sy_modify *item = sy_parse_modify(p);
        *(const struct sy_modify **)sy_list_add(&items, sizeof item, p->arena) = item;
        (void)sy_take_symbol(p, ';');
    }
    sy_expect_word(p, "apply");
    sy_expect_word(p, "batch");
    batch->items = (const struct sy_modify *const *)items.items;
    batch->n_items = items.n;
    return batch;
}
