/* SPDX-License-Identifier: Apache-2.0 */
/* Queries as SQLite text whose columns are named k0, k1 ... */
#include <string.h>
#include <strings.h>

#include "binder.h"
#include "typing.h"

struct select {
    const struct ms_query *q;
    struct ms_output *outputs;
    struct ms_bound **values;
    size_t n;
};

static struct ms_output output_of(const struct ms_bound *v, const char *alias)
{
    struct ms_output o = {.assign_slot = -1, .collation = v->collation};
    o.column.name = alias ? alias : v->name ? v->name : "";
    o.column.type = v->type.id == MS_UNKNOWN ? ms_type_simple(MS_INT) : v->type;
    o.column.nullable = v->nullable;
    o.column.identity = v->identity;
    o.column.computed = v->computed;
    o.column.updatable = v->updatable;
    return o;
}

static void add_value(struct ms_binder *b, struct select *s, struct ms_bound *v,
                      const struct ms_select_item *item)
{
    if (v->loose)
        ms_binder_fail(b, 8120, 16,
                       "Column '%s' is invalid in the select list because it is not contained in either an "
                       "aggregate function or the GROUP BY clause.",
                       v->loose);
    s->values = ms_binder_grow(b, s->values, s->n, sizeof *s->values);
    s->outputs = ms_binder_grow(b, s->outputs, s->n, sizeof *s->outputs);
    s->values[s->n] = v;
    s->outputs[s->n] = output_of(v, item ? item->alias : NULL);
    if (item && item->assign_slot >= 0) {
        s->outputs[s->n].assign_slot = item->assign_slot;
        s->outputs[s->n].assign_operator = item->assign_operator;
        b->plan->assigns = true;
    }
    s->n++;
}

static bool star_matches(const struct ms_source_view *source, const struct ms_name *star)
{
    if (star->n == 0)
        return true;
    const char *last = star->parts[star->n - 1];
    if (source->alias)
        return star->n == 1 && ms_name_equal(source->alias, last);
    return source->table_name && ms_name_equal(source->table_name, last);
}

static void add_star(struct ms_binder *b, struct select *s, const struct ms_select_item *item)
{
    bool any = false;
    if (item->star.n == 0 && b->scope->n_sources == 0)
        ms_binder_fail(b, 263, 16, "Must specify table to select from.");
    for (size_t i = 0; i < b->scope->n_sources; i++) {
        const struct ms_source_view *source = &b->scope->sources[i];
        if (!star_matches(source, &item->star))
            continue;
        any = true;
        for (size_t c = 0; c < source->n_columns; c++) {
            struct ms_expr column = {.kind = MS_EXPR_COLUMN, .name = {{source->columns[c].name}, 1}};
            if (b->scope->grouped) { /* let the ordinary rules of grouping speak */
                add_value(b, s, ms_bind_expr(b, &column), NULL);
                continue;
            }
            add_value(b, s, &source->columns[c], NULL);
        }
    }
    if (!any)
        ms_binder_fail(b, 107, 15,
                       "The column prefix '%s' does not match with a table name or alias name used in the "
                       "query.",
                       ms_name_text(b->arena, &item->star));
}

static bool needs_grouping(const struct ms_query *q)
{
    bool grouped = q->n_groups > 0 || q->having;
    for (size_t i = 0; i < q->n_items && !grouped; i++)
        grouped = ms_bind_has_aggregate(q->items[i].expr);
    for (size_t i = 0; i < q->n_order && !grouped; i++)
        grouped = ms_bind_has_aggregate(q->order[i].expr);
    return grouped;
}

static void bind_groups(struct ms_binder *b, const struct ms_query *q)
{
    struct ms_scope *scope = b->scope;
    if (!needs_grouping(q))
        return;
    struct ms_bound **groups = ms_arena_alloc(b->arena, (q->n_groups + 1) * sizeof *groups);
    for (size_t i = 0; i < q->n_groups; i++)
        groups[i] = ms_bind_expr(b, q->groups[i]);
    scope->groups = groups;
    scope->n_groups = q->n_groups;
    scope->grouped = true;
}

/* --- ORDER BY: a position, an alias, a column of the list, or any expression --- */

static const char *order_item(struct ms_binder *b, const struct select *s, const struct ms_expr *e)
{
    if (e->kind == MS_EXPR_LITERAL && e->type.id == MS_INT) {
        if (e->value.i < 1 || (size_t)e->value.i > s->n)
            ms_binder_fail(b, 108, 15,
                           "The ORDER BY position number %lld is out of range of the number of items in the "
                           "select list.",
                           (long long)e->value.i);
        return ms_bind_key(b, s->values[e->value.i - 1]);
    }
    if (e->kind == MS_EXPR_COLUMN && e->name.n == 1)
        for (size_t i = 0; i < s->n; i++)
            if (s->outputs[i].column.name[0] && ms_name_equal(s->outputs[i].column.name, e->name.parts[0]))
                return ms_bind_key(b, s->values[i]);
    struct ms_bound *v = ms_bind_expr(b, e);
    if (v->loose)
        ms_binder_fail(b, 8127, 16,
                       "Column \"%s\" is invalid in the ORDER BY clause because it is not contained in "
                       "either an aggregate function or the GROUP BY clause.",
                       v->loose);
    return ms_bind_key(b, v);
}

static void write_order(struct ms_binder *b, const struct select *s, struct ms_buffer *sql)
{
    for (size_t i = 0; i < s->q->n_order; i++)
        ms_buffer_format(sql, "%s%s%s", i ? "," : " ORDER BY ", order_item(b, s, s->q->order[i].expr),
                         s->q->order[i].descending ? " DESC" : "");
}

static const char *row_number(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_type bigint = ms_type_simple(MS_BIGINT);
    struct ms_bound *v = ms_bind_expr(b, e);
    return ms_bind_convert(b, v, &bigint)->sql;
}

static void check_top(struct ms_binder *b, const struct ms_query *q)
{
    if (q->top && q->top->kind == MS_EXPR_UNARY && q->top->text && q->top->text[0] == '-')
        ms_binder_fail(b, q->top_percent ? 1031 : 127, 15,
                       q->top_percent ? "Percent values must be between 0 and 100."
                                      : "A TOP N or FETCH rowcount value may not be negative.");
    if (q->top_ties && q->n_order == 0)
        ms_binder_fail(b, 1062, 15,
                       "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.");
}

static void write_limit(struct ms_binder *b, const struct ms_query *q, struct ms_buffer *sql)
{
    if (q->top)
        ms_buffer_format(sql, " LIMIT max(0,%s)", row_number(b, q->top));
    else if (q->offset)
        ms_buffer_format(sql, " LIMIT %s OFFSET %s", q->fetch ? row_number(b, q->fetch) : "-1",
                         row_number(b, q->offset));
}

static void write_list(struct ms_binder *b, const struct select *s, struct ms_buffer *sql)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *collation = s->q->distinct ? ms_bind_collation(s->values[i], NULL) : NULL;
        ms_buffer_format(sql, "%s%s%s%s AS k%zu", i ? "," : "", s->values[i]->sql,
                         collation ? " COLLATE " : "", collation ? collation : "", i);
    }
    (void)b;
}

static void write_groups(struct ms_binder *b, struct ms_buffer *sql)
{
    for (size_t i = 0; i < b->scope->n_groups; i++) {
        const char *key = ms_bind_key(b, b->scope->groups[i]);
        bool constant =
            b->scope->groups[i]->form != MS_BOUND_SQL; /* SQLite would take a number as a position */
        ms_buffer_format(sql, "%s%s%s", i ? "," : " GROUP BY ", constant ? "+" : "", key);
    }
}

static struct ms_relation finish(struct ms_binder *b, struct ms_buffer *sql, struct ms_output *outputs,
                                 size_t n)
{
    struct ms_relation r = {
        .sql = ms_arena_dup(b->arena, sql->data, sql->len), .outputs = outputs, .n_outputs = n};
    ms_buffer_free(sql);
    return r;
}

/* The rows that TOP gives, of as many as the body has: a percentage of them is rounded up. */
static const char *top_rows(struct ms_binder *b, const struct ms_query *q, const char *body)
{
    struct ms_type percent = ms_type_simple(MS_FLOAT);
    if (!q->top_percent)
        return ms_arena_format(b->arena, "max(0,%s)", row_number(b, q->top));
    return ms_arena_format(b->arena,
                           "(SELECT CAST(p AS INT)+(p>CAST(p AS INT)) FROM (SELECT "
                           "count(*)*min(100.0,max(0.0,%s))/100 AS p FROM "
                           "(%s)))",
                           ms_bind_convert(b, ms_bind_expr(b, q->top), &percent)->sql, body);
}

/* WITH TIES: the body has the rank of each row, and those beyond the last that TOP gives are left out. */
static void keep_ties(struct ms_binder *b, const struct select *s, struct ms_buffer *sql)
{
    struct ms_buffer kept = {.arena = b->arena};
    for (size_t i = 0; i < s->n; i++)
        ms_buffer_format(&kept, "%sk%zu", i ? "," : "SELECT ", i);
    ms_buffer_format(&kept, " FROM (%s) WHERE place<=%s ORDER BY place", sql->data,
                     top_rows(b, s->q, sql->data));
    ms_buffer_free(sql);
    *sql = kept;
}

static void write_tail(struct ms_binder *b, const struct select *s, const char *order, struct ms_buffer *sql)
{
    check_top(b, s->q);
    if (s->q->top_ties) {
        keep_ties(b, s, sql);
        return;
    }
    const char *percent =
        s->q->top_percent ? ms_arena_format(b->arena, " LIMIT %s", top_rows(b, s->q, sql->data)) : NULL;
    ms_buffer_text(sql, order);
    if (percent)
        ms_buffer_text(sql, percent);
    else
        write_limit(b, s->q, sql);
}

static struct ms_relation bind_select(struct ms_binder *b, const struct ms_query *q)
{
    struct ms_scope scope = {.outer = b->scope};
    struct select s = {.q = q};
    struct ms_buffer sql = {.arena = b->arena}, order = {.arena = b->arena};
    const struct ms_output *wanted = b->wanted;
    size_t n_wanted = b->n_wanted;
    b->wanted = NULL;
    b->scope = &scope;
    const char *from = q->from ? ms_bind_from(b, q->from) : NULL;
    const char *where = q->where ? ms_bind_predicate(b, q->where) : NULL;
    bind_groups(b, q);
    for (size_t i = 0; i < q->n_items; i++) {
        if (q->items[i].expr)
            add_value(b, &s, ms_bind_expr(b, q->items[i].expr), &q->items[i]);
        else
            add_star(b, &s, &q->items[i]);
    }
    for (size_t i = 0; wanted && i < s.n && i < n_wanted; i++)
        s.values[i] = ms_bind_convert(b, s.values[i], &wanted[i].column.type);
    const char *having = q->having ? ms_bind_predicate(b, q->having) : NULL;
    ms_buffer_text(&order, "");
    write_order(b, &s, &order);
    ms_buffer_text(&sql, q->distinct ? "SELECT DISTINCT " : "SELECT ");
    write_list(b, &s, &sql);
    if (q->top_ties)
        ms_buffer_format(&sql, ",rank() OVER (%s) AS place", order.data);
    if (from)
        ms_buffer_format(&sql, " FROM %s", from);
    if (where)
        ms_buffer_format(&sql, " WHERE %s", where);
    write_groups(b, &sql);
    if (having)
        ms_buffer_format(&sql, " HAVING %s", having);
    write_tail(b, &s, order.data, &sql);
    ms_buffer_free(&order);
    b->scope = scope.outer;
    return finish(b, &sql, s.outputs, s.n);
}

/* --- set operations --- */

/* The columns of one side, converted to the common types. */
static const char *side(struct ms_binder *b, const struct ms_relation *r, const struct ms_output *wanted)
{
    bool same = true;
    struct ms_buffer sql = {.arena = b->arena};
    ms_buffer_text(&sql, "SELECT ");
    for (size_t i = 0; i < r->n_outputs; i++) {
        const char *name = ms_arena_format(b->arena, "k%zu", i);
        struct ms_bound *k = ms_bind_new(b, &r->outputs[i].column.type, name, r->outputs[i].column.nullable);
        struct ms_bound *v = ms_bind_convert(b, k, &wanted[i].column.type);
        const char *collation = ms_bind_collation(v, NULL);
        if (wanted[i].collation)
            collation = wanted[i].collation;
        same = same && v->sql == name && !collation;
        ms_buffer_format(&sql, "%s%s%s%s AS %s", i ? "," : "", v->sql, collation ? " COLLATE " : "",
                         collation ? collation : "", name);
    }
    ms_buffer_format(&sql, " FROM (%s)", r->sql);
    const char *text = same ? ms_arena_format(b->arena, "SELECT * FROM (%s)", r->sql)
                            : ms_arena_dup(b->arena, sql.data, sql.len);
    ms_buffer_free(&sql);
    return text;
}

static struct ms_output *common_outputs(struct ms_binder *b, const struct ms_relation *l,
                                        const struct ms_relation *r)
{
    struct ms_output *outputs = ms_arena_alloc(b->arena, (l->n_outputs + 1) * sizeof *outputs);
    if (l->n_outputs != r->n_outputs)
        ms_binder_fail(b, 205, 16,
                       "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal "
                       "number of expressions in their target lists.");
    for (size_t i = 0; i < l->n_outputs; i++) {
        const struct ms_column *x = &l->outputs[i].column, *y = &r->outputs[i].column;
        outputs[i] = (struct ms_output){.assign_slot = -1, .collation = l->outputs[i].collation};
        outputs[i].column.name = x->name;
        outputs[i].column.nullable = x->nullable || y->nullable;
        if (!ms_type_common(&x->type, &y->type, &outputs[i].column.type))
            ms_binder_fail(b, 206, 16, "Operand type clash: %s is incompatible with %s",
                           ms_type_word(y->type.id), ms_type_word(x->type.id));
    }
    return outputs;
}

static void order_compound(struct ms_binder *b, const struct ms_query *q, const struct ms_output *outputs,
                           size_t n, struct ms_buffer *sql)
{
    struct select s = {.q = q, .n = n};
    struct ms_output *kept = ms_arena_alloc(b->arena, (n + 1) * sizeof *kept);
    s.values = ms_arena_alloc(b->arena, (n + 1) * sizeof *s.values);
    for (size_t i = 0; i < n; i++) {
        kept[i] = outputs[i];
        s.values[i] = ms_bind_new(b, &outputs[i].column.type, ms_arena_format(b->arena, "k%zu", i), true);
        s.values[i]->collation = outputs[i].collation;
    }
    s.outputs = kept;
    write_order(b, &s, sql);
    write_limit(b, q, sql);
}

/* a UNION ALL b UNION ALL c leans to the left: its arms are bound side by side, for SQLite's parser has a
 * depth. */
static size_t arms_of(struct ms_binder *b, const struct ms_query *q, const struct ms_query ***ret_arms)
{
    size_t n = 1;
    const struct ms_query *at = q;
    while (at->kind == q->kind && (at == q || (!at->ctes && !at->order && !at->top))) {
        n++;
        at = at->left;
    }
    const struct ms_query **arms = ms_arena_alloc(b->arena, n * sizeof(const struct ms_query *));
    const struct ms_query *walk = q;
    for (size_t i = n; i-- > 1; walk = walk->left)
        arms[i] = walk->right;
    arms[0] = at;
    *ret_arms = arms;
    return n;
}

static struct ms_relation bind_set(struct ms_binder *b, const struct ms_query *q)
{
    static const char *const words[] = {[MS_QUERY_UNION] = "UNION",
                                        [MS_QUERY_UNION_ALL] = "UNION ALL",
                                        [MS_QUERY_EXCEPT] = "EXCEPT",
                                        [MS_QUERY_INTERSECT] = "INTERSECT"};
    const struct ms_query **arms;
    size_t n = arms_of(b, q, &arms);
    struct ms_relation *relations = ms_arena_alloc(b->arena, n * sizeof *relations), common;
    struct ms_buffer sql = {.arena = b->arena};
    for (size_t i = 0; i < n; i++)
        relations[i] = ms_bind_relation(b, arms[i]);
    common = relations[0];
    for (size_t i = 1; i < n; i++)
        common.outputs = common_outputs(b, &common, &relations[i]);
    for (size_t i = 0; i < n; i++)
        ms_buffer_format(&sql, "%s%s%s%s", i ? " " : "SELECT * FROM (", i ? words[q->kind] : "", i ? " " : "",
                         side(b, &relations[i], common.outputs));
    ms_buffer_byte(&sql, ')');
    order_compound(b, q, common.outputs, common.n_outputs, &sql);
    return finish(b, &sql, common.outputs, common.n_outputs);
}

static struct ms_relation bind_values(struct ms_binder *b, const struct ms_query *q)
{
    struct ms_buffer sql = {.arena = b->arena};
    struct ms_output *outputs = ms_arena_alloc(b->arena, (q->n_values + 1) * sizeof *outputs);
    struct ms_bound ***cells = ms_arena_alloc(b->arena, q->n_values * sizeof *cells);
    for (size_t c = 0; c < q->n_values; c++) {
        cells[c] = ms_arena_alloc(b->arena, q->n_rows * sizeof *cells[c]);
        for (size_t r = 0; r < q->n_rows; r++)
            cells[c][r] = ms_bind_expr(b, q->rows[r][c]);
        struct ms_type type = ms_bind_common(b, cells[c], q->n_rows, "VALUES");
        struct ms_bound column = {.type = type, .nullable = true, .collation = cells[c][0]->collation};
        outputs[c] = output_of(&column, NULL);
    }
    for (size_t r = 0; r < q->n_rows; r++) {
        ms_buffer_text(&sql, r ? " UNION ALL SELECT " : "SELECT ");
        for (size_t c = 0; c < q->n_values; c++)
            ms_buffer_format(&sql, "%s%s AS k%zu", c ? "," : "",
                             ms_bind_convert(b, cells[c][r], &outputs[c].column.type)->sql, c);
    }
    return finish(b, &sql, outputs, q->n_values);
}

/* --- WITH --- */

static bool mentions(const struct ms_from *from, const char *name);

static bool query_mentions(const struct ms_query *q, const char *name)
{
    if (!q)
        return false;
    return mentions(q->from, name) || query_mentions(q->left, name) || query_mentions(q->right, name);
}

static bool mentions(const struct ms_from *from, const char *name)
{
    if (!from)
        return false;
    if (from->kind == MS_FROM_NAME && from->name.n == 1 && ms_name_equal(from->name.parts[0], name))
        return true;
    return mentions(from->left, name) || mentions(from->right, name) || query_mentions(from->query, name);
}

/* WITH x AS (anchor UNION ALL recursive part): the anchor gives the types. */
static const char *bind_recursive(struct ms_binder *b, struct ms_cte_view *view)
{
    const struct ms_query *q = view->cte->query;
    struct ms_relation anchor = ms_bind_relation(b, q->left);
    view->outputs = anchor.outputs;
    view->n_outputs = anchor.n_outputs;
    view->recursive_sql = ms_arena_format(b->arena, "w%d", ++b->next_source);
    b->ctes = view;
    b->wanted =
        anchor.outputs; /* SQLite wants the recursive part bare: its conversions go into its own list */
    b->n_wanted = anchor.n_outputs;
    struct ms_relation part = ms_bind_relation(b, q->right);
    b->wanted = NULL;
    if (part.n_outputs != anchor.n_outputs)
        ms_binder_fail(b, 205, 16,
                       "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal "
                       "number of expressions in their target lists.");
    struct ms_buffer names = {.arena = b->arena};
    for (size_t i = 0; i < anchor.n_outputs; i++)
        ms_buffer_format(&names, "%sk%zu", i ? "," : "", i);
    const char *text = ms_arena_format(b->arena, "%s(%s) AS (SELECT * FROM (%s) UNION ALL %s)",
                                       view->recursive_sql, names.data, anchor.sql, part.sql);
    ms_buffer_free(&names);
    return text;
}

/* Put the names of a WITH in force; answers the SQLite WITH text of the recursive ones, or NULL. */
static const char *enter_ctes(struct ms_binder *b, const struct ms_cte *ctes)
{
    const char *with = NULL;
    for (const struct ms_cte *cte = ctes; cte; cte = cte->next) {
        struct ms_cte_view *view = ms_arena_alloc(b->arena, sizeof *view);
        *view = (struct ms_cte_view){.cte = cte, .outer = b->ctes};
        if (cte->query->kind == MS_QUERY_UNION_ALL && query_mentions(cte->query->right, cte->name)) {
            const char *one = bind_recursive(b, view);
            with = with ? ms_arena_format(b->arena, "%s,%s", with, one)
                        : ms_arena_format(b->arena, "WITH RECURSIVE %s", one);
        }
        b->ctes = view;
    }
    return with;
}

struct ms_relation ms_bind_relation(struct ms_binder *b, const struct ms_query *q)
{
    struct ms_cte_view *ctes = b->ctes;
    struct ms_relation r;
    if (++b->depth > 100)
        ms_binder_fail(b, 191, 15,
                       "Some part of your SQL statement is nested too deeply. Rewrite the query or break it "
                       "up into smaller queries.");
    const char *with = enter_ctes(b, q->ctes);
    if (q->kind == MS_QUERY_SELECT)
        r = bind_select(b, q);
    else if (q->kind == MS_QUERY_VALUES)
        r = bind_values(b, q);
    else
        r = bind_set(b, q);
    if (with)
        r.sql = ms_arena_format(b->arena, "%s %s", with, r.sql);
    b->ctes = ctes;
    b->depth--;
    return r;
}
