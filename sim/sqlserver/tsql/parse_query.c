/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: WITH, SELECT, set operations, VALUES, FROM with its joins and hints. */
#include <string.h>
#include <strings.h>

#include "parse.h"

bool ms_parse_at_query(struct ms_parser *p)
{
    const struct ms_token *token = ms_parse_peek(p, 0);
    while (token->kind == MS_TOKEN_SYMBOL && strcmp(token->text, "(") == 0)
        token++;
    size_t ahead =
        (size_t)(token - ms_parse_peek(p, 0)); /* peeking from the start each time would be quadratic */
    return ms_parse_is_word(p, ahead, "select") || (ahead == 0 && ms_parse_is_word(p, 0, "with"));
}

static const char **parse_column_names(struct ms_parser *p, size_t *ret_n)
{
    const char **list = NULL;
    size_t n = 0;
    ms_parse_need_symbol(p, "(");
    do {
        list = ms_parse_grow(p, list, n, sizeof *list);
        list[n++] = ms_parse_name(p);
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
    *ret_n = n;
    return list;
}

struct ms_cte *ms_parse_ctes(struct ms_parser *p)
{
    struct ms_cte *first = NULL, **link = &first;
    do {
        struct ms_cte *cte = ms_arena_alloc(p->arena, sizeof *cte);
        cte->name = ms_parse_name(p);
        if (ms_parse_is_symbol(p, 0, "("))
            cte->columns = parse_column_names(p, &cte->n_columns);
        ms_parse_need_word(p, "as");
        ms_parse_need_symbol(p, "(");
        cte->query = ms_parse_query(p);
        ms_parse_need_symbol(p, ")");
        *link = cte;
        link = &cte->next;
    } while (ms_parse_symbol(p, ","));
    return first;
}

/* --- hints --- */

static void apply_hint(struct ms_from *from, const char *hint)
{
    from->hint_nolock =
        from->hint_nolock || strcasecmp(hint, "nolock") == 0 || strcasecmp(hint, "readuncommitted") == 0;
    from->hint_tablock = from->hint_tablock || strcasecmp(hint, "tablock") == 0;
    from->hint_tablockx = from->hint_tablockx || strcasecmp(hint, "tablockx") == 0;
    from->hint_holdlock = from->hint_holdlock || strcasecmp(hint, "holdlock") == 0 ||
                          strcasecmp(hint, "serializable") == 0 || strcasecmp(hint, "repeatableread") == 0;
}

static bool is_hint(const char *word)
{
    static const char *const hints[] = {
        "nolock",       "readuncommitted", "readcommitted",  "readcommittedlock", "tablock",   "tablockx",
        "holdlock",     "serializable",    "repeatableread", "updlock",           "rowlock",   "paglock",
        "xlock",        "nowait",          "snapshot",       "noexpand",          "forceseek", "forcescan",
        "keepidentity", "keepdefaults",    "index",          "fastfirstrow"};
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strcasecmp(word, hints[i]) == 0)
            return true;
    return false;
}

/* INDEX (a, b), INDEX = a, INDEX (1): the names are looked up when the table is. */
static void parse_index_hint(struct ms_parser *p, struct ms_from *from)
{
    bool list = ms_parse_symbol(p, "(");
    if (!list) {
        ms_parse_need_symbol(p, "=");
        list = ms_parse_symbol(p, "(");
    }
    do {
        if (ms_parse_peek(p, 0)->kind == MS_TOKEN_INTEGER)
            p->at++;
        else
            from->hint_index = ms_parse_name(p);
    } while (list && ms_parse_symbol(p, ","));
    if (list)
        ms_parse_need_symbol(p, ")");
}

static void parse_hints(struct ms_parser *p, struct ms_from *from)
{
    bool with = ms_parse_is_word(p, 0, "with") && ms_parse_is_symbol(p, 1, "(");
    bool bare = ms_parse_is_symbol(p, 0, "(") && ms_parse_peek(p, 1)->kind == MS_TOKEN_NAME &&
                is_hint(ms_parse_peek(p, 1)->text) && ms_parse_is_symbol(p, 2, ")");
    if (!with && !bare)
        return;
    p->at += with ? 2 : 1;
    do {
        const char *hint = ms_parse_any_word(p);
        if (!is_hint(hint))
            ms_parse_fail(p, 321, "\"%s\" is not a recognized table hints option.", hint);
        apply_hint(from, hint);
        if (strcasecmp(hint, "index") == 0)
            parse_index_hint(p, from);
        else if (ms_parse_is_symbol(p, 0, "("))
            ms_parse_skip_parenthesised(p);
    } while (ms_parse_symbol(p, ",") || ms_parse_peek(p, 0)->kind == MS_TOKEN_NAME);
    ms_parse_need_symbol(p, ")");
}

/* One hint of an OPTION clause: its words, and a number or a parenthesis behind it. */
static bool parse_option(struct ms_parser *p)
{
    static const char *const words[][3] = {{"recompile"},
                                           {"maxdop"},
                                           {"fast"},
                                           {"loop", "join"},
                                           {"hash", "join"},
                                           {"merge", "join"},
                                           {"hash", "group"},
                                           {"order", "group"},
                                           {"concat", "union"},
                                           {"hash", "union"},
                                           {"merge", "union"},
                                           {"force", "order"},
                                           {"keep", "plan"},
                                           {"keepfixed", "plan"},
                                           {"robust", "plan"},
                                           {"optimize", "for", "unknown"},
                                           {"optimize", "for"},
                                           {"parameterization", "simple"},
                                           {"parameterization", "forced"},
                                           {"expand", "views"},
                                           {"use", "hint"},
                                           {"querytraceon"},
                                           {"min_grant_percent"},
                                           {"max_grant_percent"},
                                           {"no_performance_spool"},
                                           {"ignore_nonclustered_columnstore_index"},
                                           {"label"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = 0;
        while (n < 3 && words[i][n] && ms_parse_is_word(p, n, words[i][n]))
            n++;
        if (n == 0 || (n < 3 && words[i][n]))
            continue;
        p->at += n;
        ms_parse_symbol(p, "="); /* MIN_GRANT_PERCENT = 10 */
        if (ms_parse_peek(p, 0)->kind == MS_TOKEN_INTEGER || ms_parse_peek(p, 0)->kind == MS_TOKEN_STRING)
            p->at++;
        if (ms_parse_is_symbol(p, 0, "("))
            ms_parse_skip_parenthesised(p);
        return true;
    }
    return false;
}

/*
 * OPTION (RECOMPILE, MAXDOP 1): hints about the way to an answer, which is SQLite's here. Those that change
 * the answer (MAXRECURSION, USE PLAN) are refused.
 */
void ms_parse_option_clause(struct ms_parser *p)
{
    if (!ms_parse_is_word(p, 0, "option") || !ms_parse_is_symbol(p, 1, "("))
        return;
    p->at += 2;
    do {
        if (!parse_option(p))
            ms_parse_fail_here(p);
    } while (ms_parse_symbol(p, ","));
    ms_parse_need_symbol(p, ")");
}

/* --- FROM --- */

static struct ms_from *new_from(struct ms_parser *p, enum ms_from_kind kind)
{
    struct ms_from *from = ms_arena_alloc(p->arena, sizeof *from);
    from->kind = kind;
    from->slot = -1;
    from->line = ms_parse_peek(p, 0)->line;
    return from;
}

static void parse_alias(struct ms_parser *p, struct ms_from *from)
{
    if (ms_parse_word(p, "as") || ms_parse_is_name(p, 0)) {
        from->alias = ms_parse_name(p);
        if (ms_parse_is_symbol(p, 0, "(") &&
            !(ms_parse_peek(p, 1)->kind == MS_TOKEN_NAME && is_hint(ms_parse_peek(p, 1)->text)))
            from->columns = parse_column_names(p, &from->n_columns);
    }
}

static struct ms_query *parse_values(struct ms_parser *p)
{
    struct ms_query *q = ms_arena_alloc(p->arena, sizeof *q);
    q->kind = MS_QUERY_VALUES;
    q->line = ms_parse_peek(p, 0)->line;
    do {
        struct ms_expr **row = NULL;
        size_t n = 0;
        ms_parse_need_symbol(p, "(");
        do {
            row = ms_parse_grow(p, row, n, sizeof *row);
            if (ms_parse_is_word(p, 0, "default")) {
                row[n++] = ms_parse_new_expr(p, MS_EXPR_DEFAULT);
                p->at++;
            } else {
                row[n++] = ms_parse_scalar(p);
            }
        } while (ms_parse_symbol(p, ","));
        ms_parse_need_symbol(p, ")");
        if (q->n_rows && n != q->n_values)
            ms_parse_fail(
                p, 10709,
                "The number of columns for each row in a table value constructor must be the same.");
        q->n_values = n;
        q->rows = ms_parse_grow(p, q->rows, q->n_rows, sizeof *q->rows);
        q->rows[q->n_rows++] = row;
    } while (ms_parse_symbol(p, ","));
    return q;
}

static struct ms_from *parse_joined(struct ms_parser *p);

static struct ms_from *parse_parenthesised(struct ms_parser *p)
{
    struct ms_from *from;
    ms_parse_need_symbol(p, "(");
    if (ms_parse_at_query(p) || ms_parse_is_word(p, 0, "values")) {
        from = new_from(p, MS_FROM_QUERY);
        from->query = ms_parse_word(p, "values") ? parse_values(p) : ms_parse_query(p);
        ms_parse_need_symbol(p, ")");
        parse_alias(p, from);
        if (!from->alias)
            ms_parse_fail_here(p);
        return from;
    }
    from = parse_joined(p);
    ms_parse_need_symbol(p, ")");
    return from;
}

static struct ms_from *parse_source(struct ms_parser *p)
{
    if (ms_parse_is_symbol(p, 0, "("))
        return parse_parenthesised(p);
    struct ms_from *from;
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE) {
        from = new_from(p, MS_FROM_VARIABLE);
        from->slot = ms_parse_variable(p);
        if (!p->variables[from->slot].table)
            ms_parse_fail(p, 1087, "Must declare the table variable \"%s\".", p->variables[from->slot].name);
        parse_alias(p, from);
        return from;
    }
    from = new_from(p, MS_FROM_NAME);
    ms_parse_symbol(p, "::"); /* ::fn_x(), the old way of calling system functions */
    from->name = ms_parse_object_name(p);
    bool hint = ms_parse_peek(p, 1)->kind == MS_TOKEN_NAME && is_hint(ms_parse_peek(p, 1)->text);
    if (ms_parse_is_symbol(p, 0, "(") && !hint) {
        from->kind = MS_FROM_CALL;
        p->at++;
        if (!ms_parse_symbol(p, ")")) {
            from->args = ms_parse_expr_list(p, &from->n_args);
            ms_parse_need_symbol(p, ")");
        }
    }
    parse_hints(p, from);
    parse_alias(p, from);
    parse_hints(p, from);
    return from;
}

static bool parse_join_kind(struct ms_parser *p, enum ms_join_kind *ret)
{
    if (ms_parse_is_word(p, 0, "cross") ||
        (ms_parse_is_word(p, 0, "outer") && ms_parse_is_word(p, 1, "apply"))) {
        bool outer = ms_parse_is_word(p, 0, "outer");
        p->at++;
        if (ms_parse_word(p, "apply")) {
            *ret = outer ? MS_JOIN_OUTER_APPLY : MS_JOIN_CROSS_APPLY;
            return true;
        }
        ms_parse_need_word(p, "join");
        *ret = MS_JOIN_CROSS;
        return true;
    }
    if (ms_parse_word(p, "join")) {
        *ret = MS_JOIN_INNER;
        return true;
    }
    static const struct {
        const char *word;
        enum ms_join_kind kind;
    } kinds[] = {
        {"inner", MS_JOIN_INNER}, {"left", MS_JOIN_LEFT}, {"right", MS_JOIN_RIGHT}, {"full", MS_JOIN_FULL}};
    for (size_t i = 0; i < 4; i++) {
        if (ms_parse_word(p, kinds[i].word)) {
            ms_parse_word(p, "outer");
            if (!ms_parse_word(p, "loop") && !ms_parse_word(p, "hash"))
                ms_parse_word(p, "merge");
            ms_parse_need_word(p, "join");
            *ret = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static struct ms_from *parse_joined(struct ms_parser *p)
{
    ms_parse_enter(p);
    struct ms_from *left = parse_source(p);
    enum ms_join_kind kind;
    while (parse_join_kind(p, &kind)) {
        struct ms_from *join = new_from(p, MS_FROM_JOIN);
        join->join = kind;
        join->left = left;
        if (kind >= MS_JOIN_CROSS) {
            join->right = parse_source(p);
        } else {
            join->right = parse_joined(p); /* a JOIN b JOIN c ON .. ON .. nests to the right */
            ms_parse_need_word(p, "on");
            join->on = ms_parse_expr(p);
        }
        left = join;
        if (kind < MS_JOIN_CROSS && ms_parse_is_word(p, 0, "on"))
            break;
    }
    ms_parse_leave(p);
    return left;
}

struct ms_from *ms_parse_from_list(struct ms_parser *p)
{
    struct ms_from *left = parse_joined(p);
    while (ms_parse_symbol(p, ",")) {
        struct ms_from *join = new_from(p, MS_FROM_JOIN);
        join->join = MS_JOIN_CROSS;
        join->left = left;
        join->right = parse_joined(p);
        left = join;
    }
    return left;
}

struct ms_from *ms_parse_target(struct ms_parser *p)
{
    struct ms_from *from;
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_VARIABLE) {
        from = new_from(p, MS_FROM_VARIABLE);
        from->slot = ms_parse_variable(p);
        if (!p->variables[from->slot].table)
            ms_parse_fail(p, 1087, "Must declare the table variable \"%s\".", p->variables[from->slot].name);
        return from;
    }
    from = new_from(p, MS_FROM_NAME);
    from->name = ms_parse_object_name(p);
    parse_hints(p, from);
    return from;
}

/* --- SELECT --- */

static bool parse_star(struct ms_parser *p, struct ms_select_item *item)
{
    if (ms_parse_symbol(p, "*"))
        return true;
    size_t ahead = 0;
    while (ms_parse_is_name(p, ahead) && ms_parse_is_symbol(p, ahead + 1, ".")) {
        ahead += 2;
        if (ms_parse_is_symbol(p, ahead, "*")) {
            for (size_t i = 0; i < ahead && item->star.n < 4; i += 2)
                item->star.parts[item->star.n++] = ms_parse_peek(p, i)->text;
            p->at += ahead + 1;
            return true;
        }
    }
    return false;
}

/*
 * SELECT @s = @s + a + b adds a + b to what the row before left in @s, in the order of ORDER BY. Written as
 * @s += a + b, it does so whenever the rows' expressions are computed.
 */
static void as_accumulation(struct ms_parser *p, struct ms_select_item *item)
{
    struct ms_expr *chain[64], *e = item->expr, *sum;
    size_t n = 0;
    while (e->kind == MS_EXPR_BINARY && e->text[0] == '+' && n < 64) {
        chain[n++] = e;
        e = e->args[0];
    }
    if (n == 0 || e->kind != MS_EXPR_VARIABLE || e->slot != item->assign_slot)
        return;
    sum = chain[n - 1]->args[1];
    for (size_t i = n - 1; i-- > 0;) {
        struct ms_expr *more = ms_parse_new_expr(p, MS_EXPR_BINARY);
        more->text = "+";
        more->args = ms_arena_alloc(p->arena, 2 * sizeof *more->args);
        more->args[0] = sum;
        more->args[1] = chain[i]->args[1];
        more->n_args = 2;
        sum = more;
    }
    item->expr = sum;
    item->assign_operator = '+';
}

static bool parse_item_assignment(struct ms_parser *p, struct ms_select_item *item)
{
    const struct ms_token *op = ms_parse_peek(p, 1);
    if (ms_parse_peek(p, 0)->kind != MS_TOKEN_VARIABLE || op->kind != MS_TOKEN_SYMBOL ||
        op->text[strlen(op->text) - 1] != '=' || strchr("<>!", op->text[0]))
        return false;
    item->assign_slot = ms_parse_variable(p);
    item->assign_operator = op->text[0] == '=' ? 0 : op->text[0];
    p->at++;
    item->expr = ms_parse_scalar(p);
    if (!item->assign_operator)
        as_accumulation(p, item);
    return true;
}

static void parse_item_alias(struct ms_parser *p, struct ms_select_item *item)
{
    bool as = ms_parse_word(p, "as");
    if (ms_parse_peek(p, 0)->kind == MS_TOKEN_STRING)
        item->alias = p->tokens[p->at++].text;
    else if (as || ms_parse_is_name(p, 0))
        item->alias = ms_parse_name(p);
}

static void parse_item(struct ms_parser *p, struct ms_select_item *item)
{
    *item = (struct ms_select_item){.assign_slot = -1};
    if (parse_star(p, item) || parse_item_assignment(p, item))
        return;
    if ((ms_parse_is_name(p, 0) || ms_parse_peek(p, 0)->kind == MS_TOKEN_STRING) &&
        ms_parse_is_symbol(p, 1, "=")) {
        item->alias = ms_parse_peek(p, 0)->text;
        p->at += 2;
        item->expr = ms_parse_scalar(p);
        return;
    }
    item->expr = ms_parse_scalar(p);
    parse_item_alias(p, item);
}

void ms_parse_select_items(struct ms_parser *p, struct ms_select_item **ret_items, size_t *ret_n)
{
    struct ms_select_item *items = NULL;
    size_t n = 0;
    do {
        items = ms_parse_grow(p, items, n, sizeof *items);
        parse_item(p, &items[n++]);
    } while (ms_parse_symbol(p, ","));
    *ret_items = items;
    *ret_n = n;
}

static void parse_top(struct ms_parser *p, struct ms_query *q)
{
    if (!ms_parse_word(p, "top"))
        return;
    if (ms_parse_symbol(p, "(")) {
        q->top = ms_parse_scalar(p);
        ms_parse_need_symbol(p, ")");
    } else {
        if (ms_parse_peek(p, 0)->kind != MS_TOKEN_INTEGER && ms_parse_peek(p, 0)->kind != MS_TOKEN_DECIMAL)
            ms_parse_fail_here(p);
        size_t at = p->at;
        p->at++; /* a bare number, no expression: TOP 5 -x would be something else */
        struct ms_token next = p->tokens[p->at];
        p->tokens[p->at].kind = MS_TOKEN_END;
        p->at = at;
        q->top = ms_parse_scalar(p);
        p->tokens[p->at] = next;
    }
    q->top_percent = ms_parse_word(p, "percent");
    if (ms_parse_is_word(p, 0, "with") && ms_parse_is_word(p, 1, "ties")) {
        q->top_ties = true;
        p->at += 2;
    }
}

static void parse_select_tail(struct ms_parser *p, struct ms_query *q)
{
    if (ms_parse_word(p, "into"))
        q->into = ms_parse_object_name(p);
    if (ms_parse_word(p, "from"))
        q->from = ms_parse_from_list(p);
    if (ms_parse_word(p, "where"))
        q->where = ms_parse_expr(p);
    if (ms_parse_is_word(p, 0, "group") && ms_parse_is_word(p, 1, "by")) {
        p->at += 2;
        q->groups = ms_parse_expr_list(p, &q->n_groups);
    }
    if (ms_parse_word(p, "having"))
        q->having = ms_parse_expr(p);
}

static struct ms_query *parse_select(struct ms_parser *p)
{
    if (ms_parse_symbol(p, "(")) {
        struct ms_query *inner = ms_parse_query(p);
        ms_parse_need_symbol(p, ")");
        return inner;
    }
    struct ms_query *q = ms_arena_alloc(p->arena, sizeof *q);
    q->line = ms_parse_peek(p, 0)->line;
    ms_parse_need_word(p, "select");
    q->distinct = ms_parse_word(p, "distinct");
    if (!q->distinct)
        ms_parse_word(p, "all");
    parse_top(p, q);
    ms_parse_select_items(p, &q->items, &q->n_items);
    parse_select_tail(p, q);
    return q;
}

static struct ms_query *set_operation(struct ms_parser *p, enum ms_query_kind kind, struct ms_query *left,
                                      struct ms_query *right)
{
    struct ms_query *q = ms_arena_alloc(p->arena, sizeof *q);
    q->kind = kind;
    q->line = left->line;
    q->left = left;
    q->right = right;
    q->into = left->into;
    return q;
}

static struct ms_query *parse_intersect(struct ms_parser *p)
{
    struct ms_query *q = parse_select(p);
    while (ms_parse_word(p, "intersect"))
        q = set_operation(p, MS_QUERY_INTERSECT, q, parse_select(p));
    return q;
}

static struct ms_query *parse_union(struct ms_parser *p)
{
    struct ms_query *q = parse_intersect(p);
    for (;;) {
        if (ms_parse_word(p, "union")) {
            enum ms_query_kind kind = ms_parse_word(p, "all") ? MS_QUERY_UNION_ALL : MS_QUERY_UNION;
            q = set_operation(p, kind, q, parse_intersect(p));
        } else if (ms_parse_word(p, "except")) {
            q = set_operation(p, MS_QUERY_EXCEPT, q, parse_intersect(p));
        } else {
            return q;
        }
    }
}

static void parse_order(struct ms_parser *p, struct ms_query *q)
{
    if (!ms_parse_is_word(p, 0, "order") || !ms_parse_is_word(p, 1, "by"))
        return;
    p->at += 2;
    q->order = ms_parse_order_list(p, &q->n_order);
    if (!ms_parse_word(p, "offset"))
        return;
    q->offset = ms_parse_scalar(p);
    if (!ms_parse_word(p, "rows"))
        ms_parse_need_word(p, "row");
    if (!ms_parse_word(p, "fetch"))
        return;
    if (!ms_parse_word(p, "next"))
        ms_parse_need_word(p, "first");
    q->fetch = ms_parse_scalar(p);
    if (!ms_parse_word(p, "rows"))
        ms_parse_need_word(p, "row");
    ms_parse_need_word(p, "only");
}

struct ms_query *ms_parse_query(struct ms_parser *p)
{
    ms_parse_enter(p);
    struct ms_cte *ctes = NULL;
    if (ms_parse_word(p, "with"))
        ctes = ms_parse_ctes(p);
    struct ms_query *q = ms_parse_is_word(p, 0, "values") ? (p->at++, parse_values(p)) : parse_union(p);
    if (ctes)
        q->ctes = ctes;
    parse_order(p, q);
    ms_parse_option_clause(p);
    ms_parse_leave(p);
    return q;
}
