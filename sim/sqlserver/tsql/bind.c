/* SPDX-License-Identifier: Apache-2.0 */
/* The doors of bind.h: each sets up a binder, catches its errors, and hands out a plan. */
#include "bind.h"

#include <string.h>
#include <strings.h>

#include "binder.h"
#include "parser.h"
#include "temporary.h"

static void start(struct ms_binder *b, struct ms_language *language, struct ms_arena *arena,
                  struct ms_plan *plan, struct ms_error *err)
{
    *plan = (struct ms_plan){0};
    *b = (struct ms_binder){
        .session = language->session, .language = language, .arena = arena, .plan = plan, .err = err};
}

bool ms_bind_query(struct ms_language *language, struct ms_arena *arena, const struct ms_query *query,
                   struct ms_plan *ret_plan, struct ms_error *err)
{
    struct ms_binder *b = ms_arena_alloc(arena, sizeof *b);
    start(b, language, arena, ret_plan, err);
    if (setjmp(b->escape) != 0)
        return false;
    for (size_t i = 0; i < query->n_items; i++)
        b->live_variables = b->live_variables || query->items[i].assign_slot >= 0;
    struct ms_relation r = ms_bind_relation(b, query);
    ret_plan->sql = r.sql;
    ret_plan->outputs = r.outputs;
    ret_plan->n_outputs = r.n_outputs;
    if (ret_plan->assigns)
        for (size_t i = 0; i < r.n_outputs; i++)
            if (r.outputs[i].assign_slot < 0)
                ms_binder_fail(b, 141, 15,
                               "A SELECT statement that assigns a value to a variable must not be combined "
                               "with data-retrieval operations.");
    return true;
}

bool ms_bind_condition(struct ms_language *language, struct ms_arena *arena, const struct ms_expr *expr,
                       struct ms_plan *ret_plan, struct ms_error *err)
{
    struct ms_binder *b = ms_arena_alloc(arena, sizeof *b);
    start(b, language, arena, ret_plan, err);
    if (setjmp(b->escape) != 0)
        return false;
    ret_plan->sql =
        ms_arena_format(arena, "SELECT CASE WHEN %s THEN 1 ELSE 0 END", ms_bind_predicate(b, expr));
    return true;
}

const char *ms_bind_place(struct ms_arena *arena, const struct ms_table *table,
                          const struct ms_catalog_column *column)
{
    return ms_arena_format(arena, "table '%s.%s.%s', column '%s'", table->db_name, table->schema, table->name,
                           column->name);
}

bool ms_bind_scalar(struct ms_language *language, struct ms_arena *arena, const struct ms_expr *expr,
                    const struct ms_type *to, struct ms_plan *ret_plan, struct ms_bound **ret_bound,
                    struct ms_error *err)
{
    struct ms_binder *b = ms_arena_alloc(arena, sizeof *b);
    start(b, language, arena, ret_plan, err);
    if (setjmp(b->escape) != 0)
        return false;
    struct ms_scope none = {0};
    b->scope = &none;
    struct ms_bound *bound = ms_bind_expr(b, expr);
    if (to->id != MS_UNKNOWN)
        bound = ms_bind_assign(b, bound, to);
    ret_plan->sql = ms_arena_format(arena, "SELECT %s", bound->sql);
    ret_plan->outputs = ms_arena_alloc(arena, sizeof *ret_plan->outputs);
    ret_plan->outputs[0].column.type = bound->type;
    ret_plan->outputs[0].column.name = "";
    ret_plan->n_outputs = 1;
    *ret_bound = bound;
    return true;
}

bool ms_bound_direct(const struct ms_bound *bound)
{
    return bound->form != MS_BOUND_SQL;
}

const struct ms_type *ms_bound_type(const struct ms_bound *bound)
{
    return &bound->type;
}

bool ms_bound_value(struct ms_language *language, struct ms_arena *arena, const struct ms_bound *bound,
                    struct ms_value *ret, struct ms_error *err)
{
    struct ms_value args[MS_OPERATION_ARGS];
    if (bound->form == MS_BOUND_CONSTANT) {
        *ret = bound->value;
        return true;
    }
    if (bound->form == MS_BOUND_VARIABLE) {
        *ret = language->frame->slots[bound->slot].value;
        return true;
    }
    for (size_t i = 0; i < bound->operation->n_args; i++)
        if (!ms_bound_value(language, arena, bound->args[i], &args[i], err))
            return false;
    struct ms_eval ev = {language->session, language, arena, err};
    return ms_operation_run(&ev, bound->operation, args, ret);
}

/* Run a one-row, one-column plan. */
static bool run_single(struct ms_language *language, struct ms_arena *arena, struct ms_plan *plan,
                       struct ms_value *ret, struct ms_error *err)
{
    bool ok = ms_plan_open(language, plan, err);
    if (ok) {
        int rc = ms_plan_step(language->session, plan, err);
        ok = rc >= 0;
        *ret = (struct ms_value){.is_null = true};
        if (rc > 0) {
            ms_plan_read(plan, 0, arena, ret);
            enum ms_class class = ms_type_class(plan->outputs[0].column.type.id);
            if (!ret->is_null &&
                (class == MS_CLASS_TEXT || class == MS_CLASS_BINARY || class == MS_CLASS_GUID ||
                 class == MS_CLASS_XML || class == MS_CLASS_VARIANT))
                ret->bytes = (const uint8_t *)ms_arena_dup(arena, ret->bytes, ret->len);
        }
    }
    ms_plan_close(plan);
    return ok;
}

bool ms_evaluate(struct ms_language *language, struct ms_arena *arena, const struct ms_expr *expr,
                 const struct ms_type *to, struct ms_value *ret, struct ms_type *ret_type,
                 struct ms_error *err)
{
    struct ms_plan plan;
    struct ms_bound *bound;
    if (!ms_bind_scalar(language, arena, expr, to, &plan, &bound, err))
        return false;
    if (ret_type)
        *ret_type = bound->type;
    if (ms_bound_direct(bound))
        return ms_bound_value(language, arena, bound, ret, err);
    return ms_plan_lock(language->session, &plan, err) && run_single(language, arena, &plan, ret, err);
}

/* --- changes --- */

bool ms_bind_target(struct ms_language *language, const struct ms_from *target,
                    const struct ms_table **ret_table, bool *ret_temporary, struct ms_error *err)
{
    struct ms_binder b = {.session = language->session, .language = language, .err = err};
    *ret_temporary = target->kind == MS_FROM_VARIABLE;
    if (*ret_temporary) {
        *ret_table = language->frame->slots[target->slot].table;
        if (!*ret_table)
            return ms_error_set(err, 1087, 15, 2, "Must declare the table variable \"%s\".",
                                language->frame->batch->variables[target->slot].name);
        return true;
    }
    *ret_table = ms_bind_find_table(&b, &target->name, ret_temporary);
    if (*ret_table)
        return true;
    struct ms_arena arena = {0};
    (void)ms_error_set(err, 208, 16, 1, "Invalid object name '%s'.", ms_name_text(&arena, &target->name));
    ms_arena_free(&arena);
    return false;
}

/* UPDATE t ... FROM t AS a: the target is the source of that alias or table name; else a table of its own. */
static struct ms_source_view *find_target(struct ms_binder *b, const struct ms_statement *st)
{
    if (st->target->kind == MS_FROM_NAME) {
        const char *last = st->target->name.parts[st->target->name.n - 1];
        for (size_t i = 0; i < b->scope->n_sources; i++)
            if (st->target->name.n == 1 && b->scope->sources[i].alias && b->scope->sources[i].table &&
                ms_name_equal(b->scope->sources[i].alias, last))
                return &b->scope->sources[i];
        for (size_t i = 0; i < b->scope->n_sources; i++)
            if (b->scope->sources[i].table && ms_name_equal(b->scope->sources[i].table->name, last))
                return &b->scope->sources[i];
    }
    for (size_t i = 0; st->target->kind == MS_FROM_VARIABLE && i < b->scope->n_sources; i++)
        if (b->scope->sources[i].table == b->language->frame->slots[st->target->slot].table)
            return &b->scope->sources[i];
    return NULL;
}

static struct ms_source_view *bind_sources(struct ms_binder *b, const struct ms_statement *st,
                                           const char **ret_from)
{
    const char *from = st->from ? ms_bind_from(b, st->from) : NULL;
    struct ms_source_view *target = find_target(b, st);
    if (!target) {
        const char *own = ms_bind_from(b, st->target);
        from = from ? ms_arena_format(b->arena, "%s CROSS JOIN %s", own, from) : own;
        target = &b->scope->sources[b->scope->n_sources - 1];
        if (!target->table)
            ms_binder_fail(b, 208, 16, "Invalid object name '%s'.",
                           ms_name_text(b->arena, &st->target->name));
    }
    *ret_from = from;
    return target;
}

static struct ms_bound *assigned_value(struct ms_binder *b, const struct ms_assignment *a,
                                       const struct ms_catalog_column *column)
{
    struct ms_expr *expr = a->expr;
    if (expr->kind == MS_EXPR_DEFAULT) {
        if (!column || !column->default_definition)
            return ms_bind_new(b, &(struct ms_type){0}, "NULL", true);
        if (!ms_parse_expression(b->arena, column->default_definition, &expr, b->err))
            longjmp(b->escape, 1);
    }
    struct ms_bound *v = NULL;
    if (a->op) {
        struct ms_expr variable = {.kind = MS_EXPR_VARIABLE, .slot = a->slot};
        struct ms_expr name = {.kind = MS_EXPR_COLUMN, .name = a->column};
        struct ms_expr *args[2] = {column ? &name : &variable, expr};
        struct ms_expr sum = {.kind = MS_EXPR_BINARY, .args = args, .n_args = 2};
        sum.text = ms_arena_format(b->arena, "%c", a->op);
        v = ms_bind_expr(b, &sum);
    } else {
        v = ms_bind_expr(b, expr);
    }
    return v;
}

static int assigned_column(struct ms_binder *b, const struct ms_table *table, const struct ms_assignment *a)
{
    if (a->column.n == 0)
        return -1;
    const char *name = a->column.parts[a->column.n - 1];
    int i = ms_table_column(table, name);
    if (i < 0)
        ms_binder_fail(b, 207, 16, "Invalid column name '%s'.", name);
    if (table->columns[i].identity)
        ms_binder_fail(b, 8102, 16, "Cannot update identity column '%s'.", table->columns[i].name);
    if (table->columns[i].computed_definition)
        ms_binder_fail(b, 271, 16,
                       "The column \"%s\" cannot be modified because it is either a computed column or is "
                       "the result of a UNION operator.",
                       table->columns[i].name);
    if (table->columns[i].type.id == MS_ROWVERSION)
        ms_binder_fail(b, 272, 16, "Cannot update a timestamp column.");
    return i;
}

static void add_output(struct ms_binder *b, struct ms_plan *plan, const struct ms_type *type,
                       const char *name)
{
    plan->outputs = ms_binder_grow(b, plan->outputs, plan->n_outputs, sizeof *plan->outputs);
    plan->outputs[plan->n_outputs++] =
        (struct ms_output){.column = {.name = name, .type = *type}, .assign_slot = -1};
}

static void bind_sets(struct ms_binder *b, const struct ms_statement *st, struct ms_bound_change *change,
                      struct ms_buffer *sql)
{
    const struct ms_table *table = change->table;
    change->columns = ms_arena_alloc(b->arena, (st->n_sets + 1) * sizeof *change->columns);
    change->slots = ms_arena_alloc(b->arena, (st->n_sets + 1) * sizeof *change->slots);
    for (size_t i = 0; i < st->n_sets; i++) {
        int at = assigned_column(b, table, &st->sets[i]);
        for (size_t k = 0; k < i && at >= 0; k++)
            if (change->columns[k] == at)
                ms_binder_fail(
                    b, 264, 16,
                    "The column name '%s' is specified more than once in the SET clause or column "
                    "list of an INSERT. A column cannot be assigned more than one value in the same clause. "
                    "Modify the clause to make sure that a column is updated only once. If this statement "
                    "updates or inserts columns into a view, column aliasing can conceal the duplication in "
                    "your code.",
                    table->columns[at].name);
        const struct ms_catalog_column *column = at >= 0 ? &table->columns[at] : NULL;
        const struct ms_type *type =
            column ? &column->type : &b->language->frame->batch->variables[st->sets[i].slot].type;
        struct ms_bound *v = assigned_value(b, &st->sets[i], column);
        b->assigning = column ? ms_bind_place(b->arena, table, column) : NULL;
        v = ms_bind_assign(b, v, type);
        b->assigning = NULL;
        change->columns[i] = at;
        change->slots[i] = st->sets[i].slot;
        ms_buffer_format(sql, ",%s", v->sql);
        add_output(b, &change->plan, type, column ? column->name : "");
    }
    change->n_sets = st->n_sets;
}

static void write_change(struct ms_binder *b, const struct ms_statement *st, struct ms_bound_change *change,
                         const struct ms_source_view *target, const char *from)
{
    struct ms_buffer sql = {.arena = b->arena};
    struct ms_type bigint = {.id = MS_BIGINT};
    add_output(b, &change->plan, &bigint, "rowid");
    ms_buffer_format(&sql, "SELECT %s.rowid", target->sql);
    for (size_t i = 0; i < target->n_columns; i++) {
        ms_buffer_format(&sql, ",%s", target->columns[i].computed ? "NULL" : target->columns[i].sql);
        add_output(b, &change->plan, &change->table->columns[i].type, change->table->columns[i].name);
    }
    bind_sets(b, st, change, &sql);
    ms_buffer_format(&sql, " FROM %s", from);
    if (st->where)
        ms_buffer_format(&sql, " WHERE %s", ms_bind_predicate(b, st->where));
    if (st->top) {
        struct ms_bound *top = ms_bind_convert(b, ms_bind_expr(b, st->top), &bigint);
        ms_buffer_format(&sql, " LIMIT %s", top->sql);
    }
    change->plan.sql = ms_arena_dup(b->arena, sql.data, sql.len);
    ms_buffer_free(&sql);
}

/* The WITH names of WITH ... UPDATE hang on an empty query (parse_dml.c). */
static void enter_names(struct ms_binder *b, const struct ms_statement *st)
{
    for (const struct ms_cte *cte = st->query ? st->query->ctes : NULL; cte; cte = cte->next) {
        struct ms_cte_view *view = ms_arena_alloc(b->arena, sizeof *view);
        *view = (struct ms_cte_view){.cte = cte, .outer = b->ctes};
        b->ctes = view;
    }
}

bool ms_bind_change(struct ms_language *language, struct ms_arena *arena,
                    const struct ms_statement *statement, struct ms_bound_change *ret_change,
                    struct ms_error *err)
{
    struct ms_binder *b = ms_arena_alloc(arena, sizeof *b);
    struct ms_scope scope = {0};
    const char *from;
    *ret_change = (struct ms_bound_change){0};
    start(b, language, arena, &ret_change->plan, err);
    if (setjmp(b->escape) != 0)
        return false;
    b->scope = &scope;
    enter_names(b, statement);
    struct ms_source_view *target = bind_sources(b, statement, &from);
    ret_change->table = target->table;
    ret_change->temporary = target->temporary;
    if (!target->temporary &&
        !ms_access_check(b->session, target->table,
                         statement->id == MS_ST_UPDATE ? MS_MAY_UPDATE : MS_MAY_DELETE, err))
        return false;
    write_change(b, statement, ret_change, target, from);
    return true;
}

bool ms_bind_over_table(struct ms_language *language, struct ms_arena *arena, const struct ms_table *table,
                        bool temporary, const struct ms_expr *expr, struct ms_plan *ret_plan,
                        struct ms_error *err)
{
    struct ms_binder *b = ms_arena_alloc(arena, sizeof *b);
    struct ms_scope scope = {0};
    start(b, language, arena, ret_plan, err);
    if (setjmp(b->escape) != 0)
        return false;
    b->scope = &scope;
    struct ms_type bigint = {.id = MS_BIGINT};
    struct ms_value zero = {0};
    struct ms_parameter rowid = {.kind = MS_PARAMETER_LITERAL, .type = bigint, .value = zero};
    (void)ms_binder_parameter(b, &rowid); /* ?1 */
    struct ms_source_view *s = ms_bind_add_table(b, table, temporary, NULL);
    ret_plan->sql = ms_arena_format(
        arena, "SELECT CASE WHEN %s THEN 1 ELSE 0 END FROM %s%s AS %s WHERE %s.rowid = ?1",
        ms_bind_predicate(b, expr), temporary ? "temp." : "main.", table->sqlite_name, s->sql, s->sql);
    return true;
}
