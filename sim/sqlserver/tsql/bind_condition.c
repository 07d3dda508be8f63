/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions, written as SQLite's own three-valued logic over converted operands. */
#include <string.h>

#include "binder.h"
#include "typing.h"

static void note_loose(struct ms_binder *b, const struct ms_bound *x)
{
    if (x->loose)
        ms_binder_fail(b, 8121, 16,
                       "Column '%s' is invalid in the HAVING clause because it is not contained in either "
                       "an aggregate function or the GROUP BY clause.",
                       x->loose);
}

/* Values of these types compare through something else than their cell. */
static const char *comparable(struct ms_binder *b, const struct ms_bound *x)
{
    return x->type.id == MS_DATETIMEOFFSET ? ms_arena_format(b->arena, "ms_dto_utc(%s)", x->sql) : x->sql;
}

static void check_comparable(struct ms_binder *b, const struct ms_bound *x, const char *op)
{
    enum ms_type_id id = x->type.id;
    if (id == MS_GEOMETRY || id == MS_GEOGRAPHY)
        ms_binder_fail(b, 403, 16, "Invalid operator for data type. Operator equals %s, type equals %s.",
                       strcmp(op, "=") == 0 ? "equal to" : op, ms_type_word(id));
    if (id == MS_TEXT || id == MS_NTEXT || id == MS_IMAGE || id == MS_XML)
        ms_binder_fail(b, id == MS_XML ? 305 : 402, 16,
                       id == MS_XML ? "The XML data type cannot be compared or sorted, except when using the "
                                      "IS NULL operator.%s%s"
                                    : "The data types %s and %s are incompatible in the equal to operator.",
                       id == MS_XML ? "" : ms_type_word(id), id == MS_XML ? "" : "varchar");
}

/*
 * A varchar beside an nvarchar becomes one, and sorts as one: by Windows' rules, not by the order of its code
 * page. Both hold the same texts for equal, so = and <> stay with the column's collation and its index.
 */
static const char *collation_of_order(const char *collation, const struct ms_type *type, const char *op)
{
    static const char *const pairs[][2] = {{"MS_CI", "MSN_CI"}, {"MS_CS", "MSN_CS"}, {"MS_BIN", "MSN_BIN"}};
    bool order = (op[0] == '<' || op[0] == '>') && op[1] != '>';
    for (size_t i = 0; collation && order && ms_type_is_unicode(type->id) && i < 3; i++) {
        if (strcmp(collation, pairs[i][0]) == 0)
            return pairs[i][1];
    }
    return collation;
}

static const char *compare(struct ms_binder *b, struct ms_bound *x, struct ms_bound *y, const char *op)
{
    struct ms_bound *pair[2] = {x, y};
    note_loose(b, x);
    note_loose(b, y);
    check_comparable(b, x, op);
    check_comparable(b, y, op);
    struct ms_type type = ms_bind_common(b, pair, 2, op);
    struct ms_bound *l = ms_bind_convert(b, x, &type), *r = ms_bind_convert(b, y, &type);
    const char *collation = ms_type_class(type.id) == MS_CLASS_TEXT ? ms_bind_collation(l, r) : NULL;
    collation = collation_of_order(collation, &type, op);
    return ms_arena_format(b->arena, "(%s %s %s%s%s)", comparable(b, l), op, comparable(b, r),
                           collation ? " COLLATE " : "", collation ? collation : "");
}

static const char *predicate_of_pair(struct ms_binder *b, const struct ms_expr *e, const char *word)
{
    const char *left = ms_bind_predicate(b, e->args[0]);
    return ms_arena_format(b->arena, "(%s %s %s)", left, word, ms_bind_predicate(b, e->args[1]));
}

static const char *bind_between(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    const char *low = compare(b, x, ms_bind_expr(b, e->args[1]), ">=");
    const char *high = compare(b, x, ms_bind_expr(b, e->args[2]), "<=");
    return ms_arena_format(b->arena, "(%s(%s AND %s))", e->negated ? "NOT " : "", low, high);
}

static const char *bind_in_list(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound **list = ms_arena_alloc(b->arena, e->n_args * sizeof *list);
    struct ms_buffer sql = {.arena = b->arena};
    for (size_t i = 0; i < e->n_args; i++) {
        list[i] = ms_bind_expr(b, e->args[i]);
        note_loose(b, list[i]);
        check_comparable(b, list[i], "=");
    }
    struct ms_type type = ms_bind_common(b, list, e->n_args, "IN");
    struct ms_bound *x = ms_bind_convert(b, list[0], &type);
    const char *collation = ms_bind_collation(x, NULL);
    ms_buffer_format(&sql, "(%s%s%s %sIN (", comparable(b, x), collation ? " COLLATE " : "",
                     collation ? collation : "", e->negated ? "NOT " : "");
    for (size_t i = 1; i < e->n_args; i++)
        ms_buffer_format(&sql, "%s%s", i > 1 ? "," : "", comparable(b, ms_bind_convert(b, list[i], &type)));
    ms_buffer_text(&sql, "))");
    const char *text = ms_arena_dup(b->arena, sql.data, sql.len);
    ms_buffer_free(&sql);
    return text;
}

/* The single column of a sub-query, converted: "SELECT conv(k0) FROM (...)". */
static const char *column_of(struct ms_binder *b, const struct ms_relation *r, const struct ms_type *type)
{
    struct ms_bound *column = ms_bind_new(b, &r->outputs[0].column.type, "k0", true);
    column->collation = r->outputs[0].collation;
    return ms_arena_format(b->arena, "SELECT %s AS k0 FROM (%s)",
                           comparable(b, ms_bind_convert(b, column, type)), r->sql);
}

static struct ms_relation one_column(struct ms_binder *b, const struct ms_query *q)
{
    struct ms_relation r = ms_bind_relation(b, q);
    if (r.n_outputs != 1)
        ms_binder_fail(b, 116, 16,
                       "Only one expression can be specified in the select list when the subquery is not "
                       "introduced with EXISTS.");
    return r;
}

static const char *bind_in_query(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    struct ms_relation r = one_column(b, e->query);
    struct ms_bound *pair[2] = {x, ms_bind_new(b, &r.outputs[0].column.type, "k0", true)};
    note_loose(b, x);
    struct ms_type type = ms_bind_common(b, pair, 2, "IN");
    x = ms_bind_convert(b, x, &type);
    const char *collation = ms_bind_collation(x, NULL);
    return ms_arena_format(b->arena, "(%s%s%s %sIN (%s))", comparable(b, x), collation ? " COLLATE " : "",
                           collation ? collation : "", e->negated ? "NOT " : "", column_of(b, &r, &type));
}

/* x > ALL (q): no row of q for which it is not so; x = ANY (q): some row for which it is. */
static const char *bind_quantified(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    struct ms_relation r = one_column(b, e->query);
    struct ms_bound *column = ms_bind_new(b, &r.outputs[0].column.type, "k0", true);
    column->collation = r.outputs[0].collation;
    const char *test = compare(b, x, column, e->text[0] == '!' ? "<>" : e->text);
    if (e->negated)
        return ms_arena_format(b->arena, "(NOT EXISTS (SELECT 1 FROM (%s) WHERE NOT coalesce(%s, 0)))", r.sql,
                               test);
    return ms_arena_format(b->arena, "(EXISTS (SELECT 1 FROM (%s) WHERE %s))", r.sql, test);
}

static const char *bind_like(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_operation op = {
        .eval = ms_op_like, .result = {.id = MS_BIT}, .n_args = e->n_args, .null_in_null_out = true};
    struct ms_bound **args = ms_arena_alloc(b->arena, 3 * sizeof *args);
    for (size_t i = 0; i < e->n_args; i++) {
        struct ms_bound *x = ms_bind_expr(b, e->args[i]);
        note_loose(b, x);
        const char *collation = ms_bind_collation(x, NULL);
        op.flag = op.flag || (i == 0 && x->collation && collation && !strstr(collation, "_CI"));
        op.args[i] = ms_type_class(x->type.id) == MS_CLASS_TEXT ? x->type : ms_type_string(true, MS_MAX);
        args[i] = ms_bind_convert(b, x, &op.args[i]);
    }
    return ms_arena_format(b->arena, "(%s%s)", e->negated ? "NOT " : "",
                           ms_bind_operation(b, &op, args)->sql);
}

static const char *bind_is_null(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    note_loose(b, x);
    return ms_arena_format(b->arena, "(%s IS %sNULL)", x->sql, e->negated ? "NOT " : "");
}

const char *ms_bind_predicate(struct ms_binder *b, const struct ms_expr *e)
{
    switch (e->kind) {
    case MS_EXPR_COMPARE: {
        struct ms_bound *x = ms_bind_expr(b, e->args[0]);
        return compare(b, x, ms_bind_expr(b, e->args[1]), e->text);
    }
    case MS_EXPR_AND: return predicate_of_pair(b, e, "AND");
    case MS_EXPR_OR: return predicate_of_pair(b, e, "OR");
    case MS_EXPR_NOT: return ms_arena_format(b->arena, "(NOT %s)", ms_bind_predicate(b, e->args[0]));
    case MS_EXPR_IS_NULL: return bind_is_null(b, e);
    case MS_EXPR_BETWEEN: return bind_between(b, e);
    case MS_EXPR_IN: return e->query ? bind_in_query(b, e) : bind_in_list(b, e);
    case MS_EXPR_LIKE: return bind_like(b, e);
    case MS_EXPR_EXISTS: return ms_arena_format(b->arena, "(EXISTS (%s))", ms_bind_relation(b, e->query).sql);
    case MS_EXPR_QUANTIFIED: return bind_quantified(b, e);
    case MS_EXPR_LITERAL:
    case MS_EXPR_COLUMN:
    case MS_EXPR_VARIABLE:
    case MS_EXPR_GLOBAL:
    case MS_EXPR_UNARY:
    case MS_EXPR_BINARY:
    case MS_EXPR_CALL:
    case MS_EXPR_CAST:
    case MS_EXPR_CASE:
    case MS_EXPR_SUBQUERY:
    case MS_EXPR_COLLATE:
    case MS_EXPR_DEFAULT:
    case MS_EXPR_AT_TIME_ZONE: break;
    }
    ms_binder_fail(b, 4145, 15,
                   "An expression of non-boolean type specified in a context where a condition is "
                   "expected, near '%s'.",
                   e->text     ? e->text
                   : e->name.n ? e->name.parts[e->name.n - 1]
                               : ")");
}
