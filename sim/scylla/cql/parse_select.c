/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../storage/arena.h"
#include "parser.h"

static void parse_selector(struct sy_parser *p, struct sy_list *list)
{
    struct sy_selector *selector = sy_list_add(list, sizeof *selector, p->arena);
    uint32_t start = sy_parser_peek(p, 0)->start;
    selector->term = sy_parse_term(p);
    uint32_t end = p->at > 0 ? p->tokens[p->at - 1].end : start;
    selector->text = sy_arena_dup(p->arena, p->cql + start, end > start ? end - start : 0);
    if (sy_take_word(p, "as"))
        selector->alias = sy_parse_name(p);
}

static bool is_count_star(const struct sy_select *select)
{
    const struct sy_term *term = select->n_selectors == 1 ? select->selectors[0].term : NULL;
    return term != NULL && term->kind == SY_TERM_CALL && strcmp(term->text, "count") == 0 &&
           (term->n_items == 0 || term->items[0]->kind == SY_TERM_INTEGER);
}

static void parse_selection(struct sy_parser *p, struct sy_select *select)
{
    struct sy_list selectors = {0};
    if (sy_take_symbol(p, '*')) {
        select->star = true;
        return;
    }
    p->columns_allowed = true;
    do {
        parse_selector(p, &selectors);
    } while (sy_take_symbol(p, ','));
    p->columns_allowed = false;
    select->selectors = selectors.items;
    select->n_selectors = selectors.n;
    select->count_star = is_count_star(select);
}

static void parse_group_by(struct sy_parser *p, struct sy_select *select)
{
    struct sy_list names = {0};
    do {
        const char *name = sy_parse_name(p);
        *(const char **)sy_list_add(&names, sizeof name, p->arena) = name;
    } while (sy_take_symbol(p, ','));
    select->group_by = names.items;
    select->n_group_by = names.n;
}

static void parse_order_by(struct sy_parser *p, struct sy_select *select)
{
    struct sy_list orders = {0};
    do {
        struct sy_order *order = sy_list_add(&orders, sizeof *order, p->arena);
        order->column = sy_parse_name(p);
        if (!sy_take_word(p, "asc"))
            order->descending = sy_take_word(p, "desc");
    } while (sy_take_symbol(p, ','));
    select->order_by = orders.items;
    select->n_order_by = orders.n;
}

/* ALLOW FILTERING, BYPASS CACHE and USING TIMEOUT: the last two mean nothing here, but must be read. */
static void parse_tail(struct sy_parser *p, struct sy_select *select)
{
    if (sy_take_word(p, "allow")) {
        sy_expect_word(p, "filtering");
        select->allow_filtering = true;
    }
    if (sy_take_word(p, "bypass"))
        sy_expect_word(p, "cache");
    if (sy_take_word(p, "using")) {
        sy_expect_word(p, "timeout");
        (void)sy_parse_term(p);
    }
}

const struct sy_select *sy_parse_select(struct sy_parser *p)
{
    struct sy_select *select = sy_arena_alloc(p->arena, sizeof *select);
    p->at++;
    if (sy_at_word(p, "json") && sy_parser_peek(p, 1)->symbol != ',' && !sy_at_words(p, "json", "from"))
        select->json = sy_take_word(p, "json");
    if (sy_at_word(p, "distinct") && sy_parser_peek(p, 1)->symbol != ',' &&
        !sy_at_words(p, "distinct", "from"))
        select->distinct = sy_take_word(p, "distinct");
    parse_selection(p, select);
    sy_expect_word(p, "from");
    sy_parse_table_name(p, &select->keyspace, &select->table);
    if (sy_take_word(p, "where"))
        select->where = sy_parse_where(p, &select->n_where);
    if (sy_at_words(p, "group", "by")) {
        p->at += 2;
        parse_group_by(p, select);
    }
    if (sy_take_word(p, "order")) {
        sy_expect_word(p, "by");
        parse_order_by(p, select);
    }
    if (sy_take_word(p, "per")) {
        sy_expect_word(p, "partition");
        sy_expect_word(p, "limit");
        select->per_partition_limit = sy_parse_term(p);
    }
    if (sy_take_word(p, "limit"))
        select->limit = sy_parse_term(p);
    parse_tail(p, select);
    return select;
}
