/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: aggregates, window functions, the functions that are syntax (COALESCE, IIF ...), the table of
 * built-ins, and the catalogue's own. */
#include <string.h>
#include <strings.h>

#include "binder.h"
#include "datetime.h"
#include "typing.h"

static const char *call_name(const struct ms_expr *e)
{
    return e->name.parts[e->name.n - 1];
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp(name, *list) == 0)
            return true;
    return false;
}

static const char *const aggregates[] = {"count",      "count_big", "sum",    "min", "max",  "avg",
                                         "string_agg", "stdev",     "stdevp", "var", "varp", NULL};
static const char *const rankings[] = {"row_number",   "rank",       "dense_rank", "ntile",
                                       "percent_rank", "cume_dist",  "lag",        "lead",
                                       "first_value",  "last_value", NULL};

bool ms_bind_is_aggregate(const struct ms_expr *e)
{
    return e->kind == MS_EXPR_CALL && e->name.n == 1 && !e->over && is_one_of(call_name(e), aggregates);
}

bool ms_bind_has_aggregate(const struct ms_expr *e)
{
    if (!e)
        return false;
    if (ms_bind_is_aggregate(e))
        return true;
    for (size_t i = 0; i < e->n_args; i++)
        if (ms_bind_has_aggregate(e->args[i]))
            return true;
    for (size_t i = 0; e->over && i < e->over->n_order; i++)
        if (ms_bind_has_aggregate(e->over->order[i].expr))
            return true;
    return false;
}

/* --- OVER --- */

static const char *window(struct ms_binder *b, const struct ms_window *w)
{
    struct ms_buffer sql = {.arena = b->arena};
    ms_buffer_text(&sql, " OVER (");
    for (size_t i = 0; i < w->n_partition; i++)
        ms_buffer_format(&sql, "%s%s", i ? "," : "PARTITION BY ",
                         ms_bind_key(b, ms_bind_expr(b, w->partition[i])));
    for (size_t i = 0; i < w->n_order; i++)
        ms_buffer_format(&sql, "%s%s%s", i ? "," : " ORDER BY ",
                         ms_bind_key(b, ms_bind_expr(b, w->order[i].expr)),
                         w->order[i].descending ? " DESC" : "");
    if (w->frame)
        ms_buffer_format(&sql, " %s", w->frame);
    ms_buffer_byte(&sql, ')');
    const char *text = ms_arena_dup(b->arena, sql.data, sql.len);
    ms_buffer_free(&sql);
    return text;
}

static struct ms_bound *bind_ranking(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_type type = ms_type_simple(MS_BIGINT);
    struct ms_buffer sql = {.arena = b->arena};
    const char *name = call_name(e), *collation = NULL;
    bool shifted = e->n_args > 0;
    if (!e->over)
        ms_binder_fail(b, 10753, 15, "The function '%s' must have an OVER clause.", name);
    if (!e->over->n_order)
        ms_binder_fail(b, 4112, 16, "The function '%s' must have an OVER clause with ORDER BY.", name);
    if (strcasecmp(name, "percent_rank") == 0 || strcasecmp(name, "cume_dist") == 0)
        type = ms_type_simple(MS_FLOAT);
    ms_buffer_format(&sql, "%s(", name);
    for (size_t i = 0; i < e->n_args; i++) {
        struct ms_bound *x = ms_bind_expr(b, e->args[i]);
        if (i == 0 && strcasecmp(name, "ntile") != 0) {
            type = x->type;
            collation = x->collation;
        } else if (i == 2) {
            x = ms_bind_convert(b, x, &type);
        }
        ms_buffer_format(&sql, "%s%s", i ? "," : "", x->sql);
    }
    ms_buffer_format(&sql, ")%s", window(b, e->over));
    struct ms_bound *bound = ms_bind_new(b, &type, ms_arena_dup(b->arena, sql.data, sql.len), shifted);
    ms_buffer_free(&sql);
    bound->collation = collation;
    return bound;
}

/* --- aggregates --- */

static struct ms_bound *aggregate_argument(struct ms_binder *b, const struct ms_expr *e)
{
    if (e->n_args < 1)
        ms_binder_fail(b, 174, 15, "The %s function requires 1 argument(s).", call_name(e));
    if (b->scope && !e->over)
        b->scope->in_aggregate++;
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    if (b->scope && !e->over)
        b->scope->in_aggregate--;
    if (!e->over)
        x->loose = NULL;
    return x;
}

static struct ms_bound *aggregate_sql(struct ms_binder *b, const struct ms_expr *e,
                                      const struct ms_type *type, const char *function, const char *argument,
                                      bool nullable)
{
    const char *sql = ms_arena_format(b->arena, "%s(%s%s)%s", function, e->distinct ? "DISTINCT " : "",
                                      argument, e->over ? window(b, e->over) : "");
    return ms_bind_new(b, type, sql, nullable);
}

static struct ms_bound *bind_count(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_type type = ms_type_simple(strcasecmp(call_name(e), "count") == 0 ? MS_INT : MS_BIGINT);
    return aggregate_sql(b, e, &type, "count", e->star ? "*" : ms_bind_key(b, aggregate_argument(b, e)),
                         false);
}

static struct ms_bound *bind_sum(struct ms_binder *b, const struct ms_expr *e, struct ms_bound *x)
{
    struct ms_type type = x->type;
    switch (ms_type_class(x->type.id)) {
    case MS_CLASS_INTEGER:
        if (x->type.id == MS_BIT)
            break;
        type = ms_type_simple(x->type.id == MS_BIGINT ? MS_BIGINT : MS_INT);
        return aggregate_sql(b, e, &type, type.id == MS_INT ? "ms_sum_int" : "ms_sum_bigint", x->sql, true);
    case MS_CLASS_MONEY:
        type = ms_type_simple(MS_MONEY);
        return aggregate_sql(b, e, &type, "ms_sum_bigint", x->sql, true);
    case MS_CLASS_DECIMAL:
        type.precision = 38;
        return aggregate_sql(b, e, &type, "ms_sum_decimal", x->sql, true);
    case MS_CLASS_FLOAT:
        type = ms_type_simple(MS_FLOAT);
        return aggregate_sql(b, e, &type, "sum", x->sql, true);
    case MS_CLASS_NONE:
    case MS_CLASS_TEXT:
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID:
    case MS_CLASS_DATE:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: break;
    }
    ms_binder_fail(b, 8117, 16, "Operand data type %s is invalid for %s operator.", ms_type_word(x->type.id),
                   strcasecmp(call_name(e), "avg") == 0 ? "avg" : "sum");
}

/* AVG is the sum divided by the count, by the rules of '/': whole for integers, scale 6 or more for decimals.
 */
static struct ms_bound *bind_avg(struct ms_binder *b, const struct ms_expr *e, struct ms_bound *x)
{
    if (ms_type_class(x->type.id) == MS_CLASS_INTEGER && x->type.id != MS_BIT && x->type.id != MS_BIGINT) {
        struct ms_type wide = ms_type_simple(MS_BIGINT);
        x = ms_bind_convert(b, x, &wide);
    }
    struct ms_bound *sum = bind_sum(b, e, x);
    struct ms_type type = sum->type, count_type = ms_type_simple(MS_BIGINT);
    if (ms_type_class(type.id) == MS_CLASS_FLOAT)
        return aggregate_sql(b, e, &type, "avg", x->sql, true);
    struct ms_bound **args = ms_arena_alloc(b->arena, 2 * sizeof *args);
    args[0] = sum;
    args[1] = aggregate_sql(b, e, &count_type, "count", x->sql, false);
    if (ms_type_class(type.id) == MS_CLASS_DECIMAL) {
        type.scale = type.scale > 6 ? type.scale : 6;
        count_type = (struct ms_type){.id = MS_NUMERIC, .precision = 19};
    } else {
        count_type = type;
    }
    args[1] = ms_bind_convert(b, args[1], &count_type);
    struct ms_operation op = {.eval = ms_op_arithmetic,
                              .symbol = '/',
                              .result = type,
                              .n_args = 2,
                              .args = {sum->type, count_type},
                              .null_in_null_out = true};
    struct ms_bound *bound = ms_bind_operation(b, &op, args);
    bound->form = MS_BOUND_SQL;
    bound->nullable = true;
    return bound;
}

static struct ms_bound *bind_variance(struct ms_binder *b, const struct ms_expr *e, struct ms_bound *x)
{
    struct ms_type type = ms_type_simple(MS_FLOAT);
    const char *f = ms_bind_convert(b, x, &type)->sql, *name = call_name(e),
               *over = e->over ? window(b, e->over) : "";
    bool population = strchr("pP", name[strlen(name) - 1]) != NULL, root = strncasecmp(name, "st", 2) == 0;
    const char *sql = ms_arena_format(b->arena,
                                      "(CASE WHEN count(%s)%s > %d THEN %s(max(0.0, (sum(%s*%s)%s - "
                                      "sum(%s)%s*sum(%s)%s/count(%s)%s))/(count(%s)%s-%d)) END)",
                                      f, over, population ? 0 : 1, root ? "sqrt" : "", f, f, over, f, over, f,
                                      over, f, over, f, over, population ? 0 : 1);
    return ms_bind_new(b, &type, sql, true);
}

static struct ms_bound *bind_string_agg(struct ms_binder *b, const struct ms_expr *e, struct ms_bound *x)
{
    if (e->n_args != 2)
        ms_binder_fail(b, 174, 15, "The string_agg function requires 2 argument(s).");
    bool unicode = ms_type_is_unicode(x->type.id);
    struct ms_type type = ms_type_string(
        unicode, ms_type_class(x->type.id) == MS_CLASS_TEXT && x->type.length == MS_MAX ? MS_MAX
                 : unicode                                                              ? 4000
                                                                                        : 8000);
    struct ms_type part = ms_type_string(unicode, MS_MAX);
    b->scope->in_aggregate++;
    const char *separator = ms_bind_convert(b, ms_bind_expr(b, e->args[1]), &part)->sql, *key = NULL;
    if (e->n_within > 1 || (e->n_within == 1 && e->within[0].descending))
        ms_binder_fail(b, 8711, 16, "This server orders STRING_AGG by one ascending key only.");
    if (e->n_within)
        key = ms_bind_expr(b, e->within[0].expr)->sql;
    b->scope->in_aggregate--;
    const char *sql = ms_arena_format(b->arena, "ms_string_agg(%s,%s%s%s)", ms_bind_convert(b, x, &part)->sql,
                                      separator, key ? "," : "", key ? key : "");
    return ms_bind_new(b, &type, sql, true);
}

static struct ms_bound *bind_min_max(struct ms_binder *b, const struct ms_expr *e, struct ms_bound *x)
{
    enum ms_type_id id = x->type.id;
    if (id == MS_BIT || id == MS_TEXT || id == MS_NTEXT || id == MS_IMAGE || id == MS_XML ||
        id == MS_GEOMETRY || id == MS_GEOGRAPHY)
        ms_binder_fail(b, 8117, 16, "Operand data type %s is invalid for %s operator.", ms_type_word(id),
                       call_name(e));
    const char *collation = ms_bind_collation(x, NULL);
    const char *argument = collation ? ms_arena_format(b->arena, "%s COLLATE %s", x->sql, collation) : x->sql;
    struct ms_bound *bound =
        aggregate_sql(b, e, &x->type, strcasecmp(call_name(e), "min") == 0 ? "min" : "max", argument, true);
    bound->collation = x->collation;
    return bound;
}

static struct ms_bound *bind_aggregate(struct ms_binder *b, const struct ms_expr *e)
{
    const char *name = call_name(e);
    if (strncasecmp(name, "count", 5) == 0)
        return bind_count(b, e);
    if (b->scope && b->scope->in_aggregate && !e->over)
        ms_binder_fail(b, 130, 15,
                       "Cannot perform an aggregate function on an expression containing an aggregate or a "
                       "subquery.");
    struct ms_bound *x = aggregate_argument(b, e);
    if (strcasecmp(name, "sum") == 0)
        return bind_sum(b, e, x);
    if (strcasecmp(name, "avg") == 0) {
        struct ms_bound *bound = bind_avg(b, e, x);
        if (ms_type_class(x->type.id) == MS_CLASS_INTEGER && x->type.id != MS_BIGINT)
            bound->type = ms_type_simple(MS_INT); /* an average of ints is never outside of int */
        return bound;
    }
    if (strcasecmp(name, "string_agg") == 0)
        return bind_string_agg(b, e, x);
    return name[0] == 'm' || name[0] == 'M' ? bind_min_max(b, e, x) : bind_variance(b, e, x);
}

/* --- functions that are syntax --- */

static struct ms_bound *join_as(struct ms_binder *b, const char *function, struct ms_bound **list, size_t n,
                                const struct ms_type *type)
{
    struct ms_buffer sql = {.arena = b->arena};
    bool nullable = true;
    ms_buffer_format(&sql, "%s(", function);
    for (size_t i = 0; i < n; i++) {
        ms_buffer_format(&sql, "%s%s", i ? "," : "", ms_bind_convert(b, list[i], type)->sql);
        nullable = nullable && list[i]->nullable;
    }
    ms_buffer_byte(&sql, ')');
    struct ms_bound *bound = ms_bind_new(b, type, ms_arena_dup(b->arena, sql.data, sql.len), nullable);
    ms_buffer_free(&sql);
    bound->loose = ms_bind_loose(list, n);
    bound->collation = list[0]->collation;
    return bound;
}

static struct ms_bound **bind_args(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound **list = ms_arena_alloc(b->arena, (e->n_args + 1) * sizeof *list);
    for (size_t i = 0; i < e->n_args; i++)
        list[i] = ms_bind_expr(b, e->args[i]);
    return list;
}

static struct ms_bound *bind_coalesce(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound **list = bind_args(b, e);
    struct ms_type type = ms_bind_common(b, list, e->n_args, "COALESCE");
    return join_as(b, "coalesce", list, e->n_args, &type);
}

static struct ms_bound *bind_isnull(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound **list = bind_args(b, e);
    struct ms_type type = list[0]->type.id == MS_UNKNOWN ? list[1]->type : list[0]->type;
    if (type.id == MS_UNKNOWN)
        type = ms_type_simple(MS_INT);
    list[1] = ms_bind_cast(b, list[1], &type, MS_STYLE_NONE, false);
    return join_as(b, "ifnull", list, 2, &type);
}

static struct ms_bound *bind_nullif(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_expr compare = {.kind = MS_EXPR_COMPARE, .text = "=", .args = e->args, .n_args = 2};
    struct ms_bound *x = ms_bind_expr(b, e->args[0]);
    const char *sql = ms_arena_format(b->arena, "CASE WHEN %s THEN NULL ELSE %s END",
                                      ms_bind_predicate(b, &compare), x->sql);
    struct ms_bound *bound = ms_bind_new(b, &x->type, sql, true);
    bound->loose = x->loose;
    bound->collation = x->collation;
    return bound;
}

static struct ms_bound *bind_iif(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_expr as_case = *e;
    as_case.kind = MS_EXPR_CASE;
    as_case.has_else = true;
    return ms_bind_expr(b, &as_case);
}

static struct ms_bound *bind_choose(struct ms_binder *b, const struct ms_expr *e)
{
    struct ms_bound **list = bind_args(b, e);
    struct ms_type type = ms_bind_common(b, list + 1, e->n_args - 1, "CHOOSE"),
                   integer = ms_type_simple(MS_INT);
    struct ms_buffer sql = {.arena = b->arena};
    ms_buffer_format(&sql, "CASE %s", ms_bind_convert(b, list[0], &integer)->sql);
    for (size_t i = 1; i < e->n_args; i++)
        ms_buffer_format(&sql, " WHEN %zu THEN %s", i, ms_bind_convert(b, list[i], &type)->sql);
    ms_buffer_text(&sql, " END");
    struct ms_bound *bound = ms_bind_new(b, &type, ms_arena_dup(b->arena, sql.data, sql.len), true);
    ms_buffer_free(&sql);
    bound->loose = ms_bind_loose(list, e->n_args);
    return bound;
}

static const struct {
    const char *name;
    size_t min;
    size_t max;
    struct ms_bound *(*bind)(struct ms_binder *b, const struct ms_expr *e);
} syntax[] = {
    {"coalesce", 2, 999, bind_coalesce}, {"isnull", 2, 2, bind_isnull},
    {"nullif", 2, 2, bind_nullif},       {"iif", 3, 3, bind_iif},
    {"choose", 2, 999, bind_choose},
};

/* --- the table of built-ins --- */

static void check_count(struct ms_binder *b, const char *name, size_t n, size_t min, size_t max)
{
    if (n >= min && n <= max)
        return;
    if (min == max)
        ms_binder_fail(b, 174, 15, "The %s function requires %zu argument(s).", name, min);
    ms_binder_fail(b, 189, 15, "The %s function requires %zu to %zu arguments.", name, min, max);
}

static struct ms_bound *bind_builtin(struct ms_binder *b, const struct ms_expr *e,
                                     const struct ms_function *f)
{
    struct ms_operation op = {
        .eval = f->eval, .n_args = e->n_args, .null_in_null_out = !f->nulls, .changing = f->changing};
    check_count(b, f->name, e->n_args, f->min_args, f->max_args);
    struct ms_bound **args = bind_args(b, e);
    const char *collation = NULL;
    for (size_t i = 0; i < e->n_args; i++) {
        op.args[i] = ms_function_arg_type(f, i, &args[i]->type);
        if (op.args[i].id == MS_UNKNOWN)
            op.args[i] = ms_type_simple(MS_INT);
        if (!collation)
            collation = args[i]->collation;
        args[i] = ms_bind_cast(b, args[i], &op.args[i], MS_STYLE_NONE, false);
    }
    op.result = ms_function_result_type(f, op.args, e->n_args);
    if (e->text)
        op.number = (int)ms_datetime_part_named(e->text);
    if (strcasecmp(f->name, "eomonth") == 0)
        op.result = ms_type_simple(MS_DATE);
    struct ms_bound *bound = ms_bind_operation(b, &op, args);
    enum ms_class class = ms_type_class(op.result.id);
    bool always =
        e->n_args == 0 && (class == MS_CLASS_DATE || class == MS_CLASS_GUID || class == MS_CLASS_FLOAT);
    bound->nullable = !always;
    if (ms_type_class(op.result.id) == MS_CLASS_TEXT)
        bound->collation = collation;
    return bound;
}

static struct ms_bound *bind_catalogue(struct ms_binder *b, const struct ms_expr *e,
                                       const struct ms_scalar *s)
{
    struct ms_buffer sql = {.arena = b->arena};
    check_count(b, call_name(e), e->n_args, s->min_parameters, s->max_parameters);
    struct ms_bound **args = bind_args(b, e);
    ms_buffer_format(&sql, "%s(%s", s->sqlite_function, s->leading ? s->leading : "");
    for (size_t i = 0; i < e->n_args; i++) {
        struct ms_bound *x = args[i];
        if (s->parameters[i].id != MS_UNKNOWN)
            x = ms_bind_cast(b, x, &s->parameters[i], MS_STYLE_NONE, false);
        ms_buffer_format(&sql, "%s%s", i || (s->leading && s->leading[0]) ? "," : "", x->sql);
    }
    ms_buffer_byte(&sql, ')');
    struct ms_bound *bound = ms_bind_new(b, &s->type, ms_arena_dup(b->arena, sql.data, sql.len), true);
    ms_buffer_free(&sql);
    bound->loose = ms_bind_loose(args, e->n_args);
    return bound;
}

static bool find_scalar(struct ms_binder *b, const struct ms_name *name, struct ms_scalar *ret)
{
    const char *parts[3] = {NULL, NULL, NULL};
    for (int i = 0; i < name->n && i < 3; i++)
        parts[i] = name->parts[name->n - 1 - i];
    return ms_system_scalar(b->session, parts[2] && parts[2][0] ? parts[2] : NULL, parts[1], parts[0],
                            b->arena, ret);
}

struct ms_bound *ms_bind_call(struct ms_binder *b, const struct ms_expr *e)
{
    const char *name = call_name(e);
    struct ms_scalar scalar;
    if (e->name.n == 1) {
        if (is_one_of(name, aggregates))
            return bind_aggregate(b, e);
        if (is_one_of(name, rankings))
            return bind_ranking(b, e);
        for (size_t i = 0; i < sizeof syntax / sizeof syntax[0]; i++) {
            if (strcasecmp(name, syntax[i].name) == 0) {
                check_count(b, name, e->n_args, syntax[i].min, syntax[i].max);
                return syntax[i].bind(b, e);
            }
        }
        const struct ms_function *f = ms_function_find(name);
        if (f)
            return bind_builtin(b, e, f);
    }
    if (e->name.n > 2)
        ms_bind_check_online(b, &e->name);
    if (find_scalar(b, &e->name, &scalar))
        return bind_catalogue(b, e, &scalar);
    if (e->name.n == 1)
        ms_binder_fail(b, 195, 15, "'%s' is not a recognized built-in function name.", name);
    ms_binder_fail(b, 4121, 16,
                   "Cannot find either column \"%s\" or the user-defined function or aggregate \"%s\", or "
                   "the name is ambiguous.",
                   e->name.parts[0], ms_name_text(b->arena, &e->name));
}
