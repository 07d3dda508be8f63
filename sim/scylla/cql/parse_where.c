/* SPDX-License-Identifier: Apache-2.0 */
/* The relations of WHERE and IF. */
#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

static bool take_comparison(struct sy_parser *p, enum sy_operator *ret)
{
    static const struct {
        int symbol;
        enum sy_operator op;
    } comparisons[] = {{'=', SY_OP_EQ},           {'<', SY_OP_LT},          {'>', SY_OP_GT},
                       {SY_LESS_EQUAL, SY_OP_LE}, {SY_NOT_EQUAL, SY_OP_NE}, {SY_GREATER_EQUAL, SY_OP_GE}};
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (sy_take_symbol(p, comparisons[i].symbol)) {
            *ret = comparisons[i].op;
            return true;
        }
    return false;
}

static void parse_operator(struct sy_parser *p, struct sy_relation *relation)
{
    if (take_comparison(p, &relation->op))
        return;
    if (sy_take_word(p, "in")) {
        relation->op = SY_OP_IN;
    } else if (sy_take_word(p, "contains")) {
        relation->op = sy_take_word(p, "key") ? SY_OP_CONTAINS_KEY : SY_OP_CONTAINS;
    } else if (sy_take_word(p, "like")) {
        relation->op = SY_OP_LIKE;
    } else if (sy_take_word(p, "is")) {
        relation->op = SY_OP_IS_NOT_NULL;
        sy_expect_word(p, "not");
        sy_expect_word(p, "null");
    } else {
        sy_parser_unexpected(p);
    }
}

static const char *const *parse_names(struct sy_parser *p, uint32_t *ret_n)
{
    struct sy_list names = {0};
    sy_expect_symbol(p, '(');
    do {
        const char *name = sy_parse_name(p);
        *(const char **)sy_list_add(&names, sizeof name, p->arena) = name;
    } while (sy_take_symbol(p, ','));
    sy_expect_symbol(p, ')');
    *ret_n = names.n;
    return names.items;
}

static void parse_left_side(struct sy_parser *p, struct sy_relation *relation)
{
    if (sy_at_word(p, "token") && sy_parser_peek(p, 1)->symbol == '(') {
        p->at++;
        relation->kind = SY_RELATION_TOKEN;
        relation->columns = parse_names(p, &relation->n_columns);
        return;
    }
    if (sy_at_symbol(p, '(')) {
        relation->kind = SY_RELATION_TUPLE;
        relation->columns = parse_names(p, &relation->n_columns);
        return;
    }
    const char **name = sy_arena_alloc(p->arena, sizeof *name);
    name[0] = sy_parse_name(p);
    relation->columns = name;
    relation->n_columns = 1;
    if (sy_take_symbol(p, '[')) {
        relation->key = sy_parse_term(p);
        sy_expect_symbol(p, ']');
    } else if (sy_take_symbol(p, '.')) {
        relation->field = sy_parse_name(p);
    }
}

static void parse_relation(struct sy_parser *p, struct sy_list *list)
{
    struct sy_relation *relation = sy_list_add(list, sizeof *relation, p->arena);
    if (sy_at_symbol(p, '(') && sy_parser_peek(p, 1)->symbol == '(') { /* ((a, b) = (1, 2)) */
        p->at++;
        list->n--;
        parse_relation(p, list);
        sy_expect_symbol(p, ')');
        return;
    }
    parse_left_side(p, relation);
    parse_operator(p, relation);
    if (relation->op == SY_OP_IS_NOT_NULL || p->failed)
        return;
    if (relation->op == SY_OP_IN && !sy_at_symbol(p, '(') && !sy_at_symbol(p, ':') &&
        sy_parser_peek(p, 0)->kind != SY_TOKEN_MARKER)
        sy_parser_unexpected(p);
    relation->value = sy_parse_term(p);
}

static const struct sy_relation *parse_relations(struct sy_parser *p, uint32_t *ret_n)
{
    struct sy_list list = {0};
    do {
        parse_relation(p, &list);
    } while (sy_take_word(p, "and"));
    *ret_n = list.n;
    return list.items;
}

const struct sy_relation *sy_parse_where(struct sy_parser *p, uint32_t *ret_n)
{
    return parse_relations(p, ret_n);
}

const struct sy_relation *sy_parse_conditions(struct sy_parser *p, uint32_t *ret_n)
{
    return parse_relations(p, ret_n);
}
