/* SPDX-License-Identifier: Apache-2.0 */
#include "ddl_table.h"

#include <string.h>
#include <strings.h>

#include "normal.h"
#include "temporary.h"

/* --- columns --- */

/* The type of a computed column, found by binding it over the table's other columns as they will be. */
static bool computed_type(struct ms_run *run, const struct ms_table_def *def, const struct ms_table *table,
                          struct ms_column_def *column)
{
    struct ms_query q = {.kind = MS_QUERY_SELECT}, inner = {.kind = MS_QUERY_SELECT};
    struct ms_from from = {.kind = MS_FROM_QUERY, .alias = "t", .query = &inner, .slot = -1};
    struct ms_select_item item = {.assign_slot = -1};
    struct ms_plan plan;
    size_t n = 0;
    if (!ms_parse_expression(&run->arena, column->computed_text, &item.expr, run->err))
        return false;
    inner.items = ms_arena_alloc(&run->arena,
                                 (def->n_columns + (table ? table->n_columns : 0) + 1) * sizeof *inner.items);
    for (const struct ms_column_def *c = def->columns; c; c = c->next) {
        struct ms_expr *cast = ms_arena_alloc(&run->arena, sizeof *cast),
                       *null = ms_arena_alloc(&run->arena, sizeof *null);
        if (c->computed_text)
            continue;
        *null = (struct ms_expr){.kind = MS_EXPR_LITERAL, .value = {.is_null = true}};
        *cast = (struct ms_expr){.kind = MS_EXPR_CAST, .type = c->spec.type, .n_args = 1};
        cast->args = ms_arena_alloc(&run->arena, sizeof *cast->args);
        cast->args[0] = null;
        inner.items[n++] = (struct ms_select_item){.expr = cast, .alias = c->spec.name, .assign_slot = -1};
    }
    if (table) {
        from = (struct ms_from){
            .kind = MS_FROM_NAME, .slot = -1, .name = {{table->db_name, table->schema, table->name}, 3}};
    }
    inner.n_items = n;
    q.items = &item;
    q.n_items = 1;
    q.from = n || table ? &from : NULL;
    if (!ms_bind_query(run->l, &run->arena, &q, &plan, run->err))
        return false;
    column->spec.type = plan.outputs[0].column.type;
    return true;
}

static bool default_binds(struct ms_run *run, const struct ms_expr *expr);

static bool fill_spec(struct ms_run *run, const struct ms_table_def *def, const struct ms_table *table,
                      struct ms_column_def *column)
{
    if (!run->l->ansi_padding && (ms_type_class(column->spec.type.id) == MS_CLASS_TEXT ||
                                  ms_type_class(column->spec.type.id) == MS_CLASS_BINARY))
        return ms_error_set(run->err, 1934, 16, 1,
                            "CREATE TABLE failed because the following SET options have incorrect settings: "
                            "'ANSI_PADDING'. Verify that SET options are correct.");
    if (column->default_expr && !default_binds(run, column->default_expr))
        return false;
    if (column->default_expr)
        column->spec.default_definition =
            ms_normal_form(&run->arena, column->default_expr, column->default_text);
    if (!column->computed_text)
        return true;
    if (!computed_type(run, def, table, column))
        return false;
    struct ms_expr *expr;
    if (!ms_parse_expression(&run->arena, column->computed_text, &expr, run->err))
        return false;
    column->spec.computed_definition = ms_normal_form(&run->arena, expr, column->computed_text);
    return true;
}

/* --- constraints --- */

static bool add_foreign(struct ms_run *run, int32_t id, const struct ms_constraint_def *c, bool nocheck)
{
    struct ms_fk_spec fk = c->foreign;
    const struct ms_table *own = ms_catalog_table_by_id(run->session, id);
    const struct ms_table *referenced = NULL;
    struct ms_name name = c->referenced;
    if (own && name.n <= 2)
        referenced = ms_catalog_table(run->session, own->db_name, name.n == 2 ? name.parts[0] : NULL,
                                      name.parts[name.n - 1]);
    if (!referenced)
        return ms_error_set(run->err, 1767, 16, 0, "Foreign key '%s' references invalid table '%s'.",
                            c->name ? c->name : "", ms_name_text(&run->arena, &name));
    fk.referenced_id = referenced->object_id;
    fk.nocheck = nocheck;
    return ms_ddl_add_foreign_key(run->session, id, &fk, run->err);
}

/* A check that names a column which is not there fails when it is made, not when a row meets it. */
static bool check_binds(struct ms_run *run, const struct ms_table *table, bool temporary,
                        const struct ms_expr *expr)
{
    struct ms_plan plan;
    return ms_bind_over_table(run->l, &run->arena, table, temporary, expr, &plan, run->err);
}

/* A default has no row to look at. */
static bool default_binds(struct ms_run *run, const struct ms_expr *expr)
{
    struct ms_type any = {0};
    struct ms_plan plan;
    struct ms_bound *bound;
    if (ms_bind_scalar(run->l, &run->arena, expr, &any, &plan, &bound, run->err))
        return true;
    if (run->err->number == 207 && expr->kind == MS_EXPR_COLUMN)
        return ms_error_set(
            run->err, 128, 15, 1,
            "The name \"%s\" is not permitted in this context. Valid expressions are constants, "
            "constant expressions, and (in some contexts) variables. Column names are not "
            "permitted.",
            expr->name.parts[expr->name.n - 1]);
    return false;
}

/* Rows that exist must pass a new check, unless WITH NOCHECK. */
static bool rows_pass(struct ms_run *run, const struct ms_table *table, const struct ms_constraint_def *c)
{
    struct ms_query q = {.kind = MS_QUERY_SELECT};
    struct ms_from from = {
        .kind = MS_FROM_NAME, .slot = -1, .name = {{table->db_name, table->schema, table->name}, 3}};
    struct ms_expr one = {.kind = MS_EXPR_LITERAL, .type = {.id = MS_INT}, .value = {.i = 1}},
                   *args[1] = {c->expr};
    struct ms_expr negation = {.kind = MS_EXPR_NOT, .args = args, .n_args = 1};
    struct ms_select_item item = {.expr = &one, .assign_slot = -1};
    struct ms_rows rows = {.arena = &run->arena};
    q.items = &item;
    q.n_items = 1;
    q.from = &from;
    q.where = &negation;
    q.top = &one;
    if (!ms_run_query_rows(run, &q, &rows, NULL))
        return false;
    return rows.n == 0 || ms_error_set(run->err, 547, 16, 0,
                                       "The ALTER TABLE statement conflicted with the CHECK constraint "
                                       "\"%s\". The conflict occurred in database \"%s\", table \"%s.%s\".",
                                       c->name ? c->name : "", table->db_name, table->schema, table->name);
}

static bool add_constraint(struct ms_run *run, int32_t id, const struct ms_constraint_def *c, bool existing,
                           bool nocheck, const char *ddl_text)
{
    switch (c->kind) {
    case MS_CONSTRAINT_KEY: return ms_ddl_add_key(run->session, id, &c->key, run->err);
    case MS_CONSTRAINT_FOREIGN: return add_foreign(run, id, c, nocheck);
    case MS_CONSTRAINT_DEFAULT:
        return default_binds(run, c->expr) &&
               ms_ddl_add_default(run->session, id, c->name, c->column,
                                  ms_normal_form(&run->arena, c->expr, c->default_text), ddl_text, run->err);
    case MS_CONSTRAINT_CHECK: break;
    }
    if (!check_binds(run, ms_catalog_table_by_id(run->session, id), false, c->expr) ||
        (existing && !nocheck && !rows_pass(run, ms_catalog_table_by_id(run->session, id), c)))
        return false;
    return ms_ddl_add_check(run->session, id, c->name, c->column,
                            ms_normal_form(&run->arena, c->expr, c->check_text), run->err);
}

/* Columns of a primary key become NOT NULL when nothing else was said. */
static void settle_nulls(struct ms_table_def *def)
{
    for (const struct ms_constraint_def *c = def->constraints; c; c = c->next)
        for (size_t i = 0; c->kind == MS_CONSTRAINT_KEY && c->key.primary_key && i < c->key.n_columns; i++)
            for (struct ms_column_def *column = def->columns; column; column = column->next)
                if (!column->null_given && ms_name_equal(column->spec.name, c->key.columns[i]))
                    column->spec.nullable = false;
}

static bool create_temporary(struct ms_run *run, const char *name, const struct ms_table_def *def)
{
    struct ms_table *table;
    if (!ms_temporary_create(run->l, name, def, &table, run->err))
        return false;
    bool ok = true;
    for (const struct ms_constraint_def *c = def->constraints; ok && c; c = c->next) {
        if (c->kind == MS_CONSTRAINT_CHECK)
            ok = check_binds(run, table, true, c->expr);
        else if (c->kind == MS_CONSTRAINT_FOREIGN)
            ms_tell_info(
                run->l, 1766, 0, 0,
                ms_arena_format(&run->arena,
                                "Skipping FOREIGN KEY constraint '%s' definition for temporary table. "
                                "FOREIGN KEY constraints are not enforced on local or global temporary "
                                "tables.",
                                c->name ? c->name : ""));
    }
    if (!ok)
        ms_temporary_free(run->l, table);
    return ok;
}

bool ms_ddl_run_create_table(struct ms_run *run, const struct ms_statement *st)
{
    struct ms_ddl_place place;
    struct ms_table_def *def = st->table;
    struct ms_column_spec *specs = ms_arena_alloc(&run->arena, (def->n_columns + 1) * sizeof *specs);
    int32_t id;
    size_t n = 0;
    settle_nulls(def);
    for (struct ms_column_def *c = def->columns; c; c = c->next) {
        if (!fill_spec(run, def, NULL, c))
            return false;
        specs[n++] = c->spec;
    }
    if (st->name.parts[st->name.n - 1][0] == '#')
        return create_temporary(run, st->name.parts[st->name.n - 1], def);
    if (!ms_ddl_place_of(run, &st->name, &place) ||
        !ms_ddl_create_table(run->session, place.db_id, place.schema, place.name, specs, n, &id, run->err))
        return false;
    for (int pass = 0; pass < 2; pass++) /* keys first: a foreign key may point to its own table */
        for (const struct ms_constraint_def *c = def->constraints; c; c = c->next)
            if ((c->kind == MS_CONSTRAINT_KEY) == (pass == 0) &&
                !add_constraint(run, id, c, false, false, st->text))
                return false;
    return true;
}

/* --- ALTER TABLE --- */

static bool add_column(struct ms_run *run, int32_t id, struct ms_table_def *def, struct ms_column_def *c,
                       const char *text)
{
    struct ms_value fill = {.is_null = true};
    const struct ms_table *table = ms_catalog_table_by_id(run->session, id);
    if (!fill_spec(run, def, table, c))
        return false;
    bool filled = c->default_expr && (!c->spec.nullable || c->with_values);
    if (c->default_expr && !ms_run_evaluate(run, c->default_expr, &c->spec.type, &fill, NULL))
        return false;
    return ms_ddl_add_column(run->session, id, &c->spec, filled ? &fill : NULL, text, run->err);
}

static bool alter_add(struct ms_run *run, const struct ms_statement *st, int32_t id)
{
    for (struct ms_column_def *c = st->table->columns; c; c = c->next)
        if (!add_column(run, id, st->table, c, st->text))
            return false;
    for (const struct ms_constraint_def *c = st->table->constraints; c; c = c->next)
        if (!add_constraint(run, id, c, true, st->flag2, st->text))
            return false;
    return true;
}

static bool has_constraint(const struct ms_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_indexes; i++)
        if (t->indexes[i].constraint_id && ms_name_equal(t->indexes[i].name, name))
            return true;
    for (size_t i = 0; i < t->n_foreign_keys; i++)
        if (ms_name_equal(t->foreign_keys[i].name, name))
            return true;
    for (size_t i = 0; i < t->n_checks; i++)
        if (ms_name_equal(t->checks[i].name, name))
            return true;
    for (size_t i = 0; i < t->n_columns; i++)
        if (t->columns[i].default_name && ms_name_equal(t->columns[i].default_name, name))
            return true;
    return false;
}

static bool alter_drop(struct ms_run *run, const struct ms_statement *st, int32_t id)
{
    bool column = strcmp(st->word, "drop column") == 0;
    for (size_t i = 0; i < st->n_names; i++) {
        const char *name = st->names[i].parts[0];
        const struct ms_table *table = ms_catalog_table_by_id(run->session, id);
        if (st->flag && (column ? ms_table_column(table, name) < 0 : !has_constraint(table, name)))
            continue;
        if (column ? !ms_ddl_drop_column(run->session, id, name, st->text, run->err)
                   : !ms_ddl_drop_constraint(run->session, id, name, run->err))
            return false;
    }
    return true;
}

static bool alter_enable(struct ms_run *run, const struct ms_statement *st, int32_t id)
{
    if (st->n_names == 0)
        return ms_ddl_enable_constraint(run->session, id, NULL, st->flag, run->err);
    for (size_t i = 0; i < st->n_names; i++)
        if (!ms_ddl_enable_constraint(run->session, id, st->names[i].parts[0], st->flag, run->err))
            return false;
    return true;
}

bool ms_ddl_run_alter_table(struct ms_run *run, const struct ms_statement *st)
{
    const struct ms_table *table = ms_ddl_table_of(run, &st->name);
    if (!table)
        return ms_error_set(run->err, 4902, 16, 1,
                            "Cannot find the object \"%s\" because it does not exist or you do not have "
                            "permissions.",
                            ms_name_text(&run->arena, &st->name));
    int32_t id = table->object_id;
    if (!ms_access_check(run->session, table, MS_MAY_ALTER, run->err))
        return false;
    if (strcmp(st->word, "add") == 0)
        return alter_add(run, st, id);
    if (strcmp(st->word, "alter column") == 0)
        return ms_ddl_alter_column(run->session, id, st->word2, &st->type, st->nullable,
                                   st->n_columns ? st->columns[0] : NULL, st->text, run->err);
    if (strncmp(st->word, "drop", 4) == 0)
        return alter_drop(run, st, id);
    if (strcmp(st->word, "enable") == 0)
        return alter_enable(run, st, id);
    return true; /* storage options: SET (LOCK_ESCALATION = ...), REBUILD */
}
