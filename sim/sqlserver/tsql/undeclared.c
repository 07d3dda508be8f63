/* SPDX-License-Identifier: Apache-2.0 */
#include "undeclared.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "operation.h"
#include "typing.h"

#define MAX_UNDECLARED 2100 /* SQL Server's own limit of parameters */

struct guess {
    const char *name;
    struct ms_type type;
    int uses;
};

/* A walk over the tree of the text, with the tables that names mean where it stands. */
struct walk {
    struct ms_language *l;
    struct ms_arena *arena;
    const struct ms_batch *batch;
    const struct ms_from *from;
    size_t first; /* variables from here on are the undeclared ones ... */
    size_t n;     /* ... and so many */
    struct guess *guesses;
};

static struct guess *guess_of(const struct walk *w, const struct ms_expr *e)
{
    if (!e || e->kind != MS_EXPR_VARIABLE || (size_t)e->slot < w->first || (size_t)e->slot >= w->first + w->n)
        return NULL;
    return &w->guesses[(size_t)e->slot - w->first];
}

/* The type of an expression over the tables of this place; false when it has none that helps. */
static bool type_of(struct walk *w, struct ms_expr *e, struct ms_type *ret)
{
    struct ms_select_item item = {.expr = e, .assign_slot = -1};
    struct ms_query q = {.kind = MS_QUERY_SELECT, .items = &item, .n_items = 1};
    struct ms_error ignored;
    struct ms_plan plan;
    q.from = (struct ms_from *)(uintptr_t)w->from; /* the binder only reads it */
    if (!e || guess_of(w, e) || !ms_bind_query(w->l, w->arena, &q, &plan, &ignored))
        return false;
    *ret = plan.outputs[0].column.type;
    return ret->id != MS_UNKNOWN && ret->id != MS_SQL_VARIANT;
}

static void walk_query(struct walk *w, const struct ms_query *q, const struct ms_type *wanted,
                       size_t n_wanted);
static void walk_expr(struct walk *w, const struct ms_expr *e, const struct ms_type *wanted);

/* Operands of one operator: each is wanted as the first of the others that has a type. */
static void walk_siblings(struct walk *w, struct ms_expr **args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ms_type type;
        bool found = false;
        for (size_t k = 0; guess_of(w, args[i]) && k < n && !found; k++)
            found = k != i && type_of(w, args[k], &type);
        walk_expr(w, args[i], found ? &type : NULL);
    }
}

static void walk_call(struct walk *w, const struct ms_expr *e)
{
    const struct ms_function *f = e->name.n ? ms_function_find(e->name.parts[e->name.n - 1]) : NULL;
    struct ms_type have = ms_type_string(true, 4000);
    if (!f) { /* COALESCE, ISNULL, aggregates */
        walk_siblings(w, e->args, e->n_args);
        return;
    }
    for (size_t i = 0; i < e->n_args; i++) {
        struct ms_type type = ms_function_arg_type(f, i, &have);
        walk_expr(w, e->args[i], &type);
    }
}

static void walk_expr(struct walk *w, const struct ms_expr *e, const struct ms_type *wanted)
{
    struct guess *guess = guess_of(w, e);
    if (!e)
        return;
    if (guess) {
        guess->uses++;
        if (wanted)
            guess->type = *wanted;
        return;
    }
    if (e->query)
        walk_query(w, e->query, NULL, 0);
    switch (e->kind) {
    case MS_EXPR_UNARY:
    case MS_EXPR_COLLATE: walk_expr(w, e->n_args ? e->args[0] : NULL, wanted); return;
    case MS_EXPR_CAST: walk_expr(w, e->n_args ? e->args[0] : NULL, &e->type); return;
    case MS_EXPR_CALL: walk_call(w, e); return;
    case MS_EXPR_AND:
    case MS_EXPR_OR:
    case MS_EXPR_NOT:
        for (size_t i = 0; i < e->n_args; i++)
            walk_expr(w, e->args[i], NULL);
        return;
    case MS_EXPR_LITERAL:
    case MS_EXPR_COLUMN:
    case MS_EXPR_VARIABLE:
    case MS_EXPR_GLOBAL:
    case MS_EXPR_DEFAULT: return;
    case MS_EXPR_BINARY:
    case MS_EXPR_CASE:
    case MS_EXPR_SUBQUERY:
    case MS_EXPR_AT_TIME_ZONE:
    case MS_EXPR_COMPARE:
    case MS_EXPR_IS_NULL:
    case MS_EXPR_BETWEEN:
    case MS_EXPR_IN:
    case MS_EXPR_LIKE:
    case MS_EXPR_EXISTS:
    case MS_EXPR_QUANTIFIED: walk_siblings(w, e->args, e->n_args); return;
    }
}

static void walk_from(struct walk *w, const struct ms_from *from)
{
    if (!from)
        return;
    walk_from(w, from->left);
    walk_from(w, from->right);
    if (from->query)
        walk_query(w, from->query, NULL, 0);
    for (size_t i = 0; i < from->n_args; i++)
        walk_expr(w, from->args[i], NULL);
    walk_expr(w, from->on, NULL);
}

static void walk_values(struct walk *w, const struct ms_query *q, const struct ms_type *wanted,
                        size_t n_wanted)
{
    for (size_t r = 0; r < q->n_rows; r++)
        for (size_t c = 0; c < q->n_values; c++)
            walk_expr(w, q->rows[r][c], c < n_wanted ? &wanted[c] : NULL);
}

static void walk_query(struct walk *w, const struct ms_query *q, const struct ms_type *wanted,
                       size_t n_wanted)
{
    const struct ms_type bigint = {.id = MS_BIGINT};
    const struct ms_from *outer = w->from;
    for (const struct ms_cte *cte = q->ctes; cte; cte = cte->next)
        walk_query(w, cte->query, NULL, 0);
    if (q->left)
        walk_query(w, q->left, wanted, n_wanted);
    if (q->right)
        walk_query(w, q->right, wanted, n_wanted);
    w->from = q->from ? q->from : outer;
    walk_from(w, q->from);
    walk_values(w, q, wanted, n_wanted);
    walk_expr(w, q->top, &bigint);
    for (size_t i = 0; i < q->n_items; i++) {
        const struct ms_select_item *item = &q->items[i];
        bool assigns = item->assign_slot >= 0;
        walk_expr(w, item->expr,
                  assigns        ? &w->batch->variables[item->assign_slot].type
                  : i < n_wanted ? &wanted[i]
                                 : NULL);
    }
    walk_expr(w, q->where, NULL);
    for (size_t i = 0; i < q->n_groups; i++)
        walk_expr(w, q->groups[i], NULL);
    walk_expr(w, q->having, NULL);
    for (size_t i = 0; i < q->n_order; i++)
        walk_expr(w, q->order[i].expr, NULL);
    walk_expr(w, q->offset, &bigint);
    walk_expr(w, q->fetch, &bigint);
    w->from = outer;
}

/* --- statements --- */

static void walk_insert(struct walk *w, const struct ms_statement *st)
{
    const struct ms_table *table;
    bool temporary;
    struct ms_error ignored;
    size_t n = 0;
    if (!st->query)
        return;
    if (!ms_bind_target(w->l, st->target, &table, &temporary, &ignored)) {
        walk_query(w, st->query, NULL, 0);
        return;
    }
    struct ms_type *types = ms_arena_alloc(w->arena, (table->n_columns + st->n_columns + 1) * sizeof *types);
    for (size_t i = 0; i < st->n_columns; i++) {
        int at = ms_table_column(table, st->columns[i]);
        types[n++] = at >= 0 ? table->columns[at].type : (struct ms_type){0};
    }
    for (size_t i = 0; i < table->n_columns && !st->n_columns; i++)
        if (!table->columns[i].identity && !table->columns[i].computed_definition &&
            table->columns[i].type.id != MS_ROWVERSION)
            types[n++] = table->columns[i].type;
    walk_query(w, st->query, types, n);
}

static void walk_change(struct walk *w, const struct ms_statement *st)
{
    const struct ms_type bigint = {.id = MS_BIGINT};
    w->from = st->from ? st->from : st->target;
    walk_from(w, st->from);
    walk_expr(w, st->top, &bigint);
    for (size_t i = 0; i < st->n_sets; i++) {
        struct ms_expr column = {.kind = MS_EXPR_COLUMN, .name = st->sets[i].column, .slot = -1};
        struct ms_type type;
        if (st->from && column.name.n == 1) /* the table that is changed, not another of the join */
            column.name =
                (struct ms_name){{st->target->name.parts[st->target->name.n - 1], column.name.parts[0]}, 2};
        bool known = st->sets[i].column.n > 0 && type_of(w, &column, &type);
        walk_expr(w, st->sets[i].expr, known ? &type : NULL);
    }
    walk_expr(w, st->where, NULL);
    w->from = NULL;
}

static void walk_list(struct walk *w, const struct ms_statement *list)
{
    for (const struct ms_statement *st = list; st; st = st->next) {
        if (st->id == MS_ST_INSERT)
            walk_insert(w, st);
        else if (st->id == MS_ST_UPDATE || st->id == MS_ST_DELETE)
            walk_change(w, st);
        else if (st->query)
            walk_query(w, st->query, NULL, 0);
        else
            walk_expr(w, st->expr, st->id == MS_ST_SET_VARIABLE ? &w->batch->variables[st->slot].type : NULL);
        for (size_t i = 0; st->id == MS_ST_DECLARE && i < st->n_sets; i++)
            walk_expr(w, st->sets[i].expr, &w->batch->variables[st->sets[i].slot].type);
        for (size_t i = 0; i < st->n_exec_args; i++)
            walk_expr(w, st->exec_args[i].expr, NULL);
        walk_list(w, st->body);
        walk_list(w, st->other);
    }
}

/* --- the answer --- */

static const struct ms_column answer_columns[] = {
    {.name = "parameter_ordinal", .type = {.id = MS_INT}},
    {.name = "name", .type = {.id = MS_NVARCHAR, .length = 128}},
    {.name = "suggested_system_type_id", .type = {.id = MS_INT}},
    {.name = "suggested_system_type_name", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_max_length", .type = {.id = MS_SMALLINT}},
    {.name = "suggested_precision", .type = {.id = MS_TINYINT}},
    {.name = "suggested_scale", .type = {.id = MS_TINYINT}},
    {.name = "suggested_user_type_id", .type = {.id = MS_INT}, .nullable = true},
    {.name = "suggested_user_type_database", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_user_type_schema", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_user_type_name", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_assembly_qualified_type_name",
     .type = {.id = MS_NVARCHAR, .length = 4000},
     .nullable = true},
    {.name = "suggested_xml_collection_id", .type = {.id = MS_INT}, .nullable = true},
    {.name = "suggested_xml_collection_database",
     .type = {.id = MS_NVARCHAR, .length = 128},
     .nullable = true},
    {.name = "suggested_xml_collection_schema", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_xml_collection_name", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_is_xml_document", .type = {.id = MS_BIT}},
    {.name = "suggested_is_case_sensitive", .type = {.id = MS_BIT}},
    {.name = "suggested_is_fixed_length_clr_type", .type = {.id = MS_BIT}},
    {.name = "suggested_is_input", .type = {.id = MS_BIT}},
    {.name = "suggested_is_output", .type = {.id = MS_BIT}},
    {.name = "formal_parameter_name", .type = {.id = MS_NVARCHAR, .length = 128}, .nullable = true},
    {.name = "suggested_tds_type_id", .type = {.id = MS_INT}},
    {.name = "suggested_tds_length", .type = {.id = MS_INT}},
};
enum { N_ANSWER = sizeof answer_columns / sizeof answer_columns[0] };

static struct ms_value text_value(const char *text)
{
    return (struct ms_value){.len = (uint32_t)strlen(text), .bytes = (const uint8_t *)text};
}

static bool send_row(struct ms_call *call, size_t ordinal, const struct guess *guess)
{
    char *name = ms_arena_alloc(call->arena, 64);
    const struct ms_type_info *info = ms_type_info(guess->type.id);
    int16_t length = ms_type_max_length(&guess->type);
    struct ms_value row[N_ANSWER];
    for (size_t i = 0; i < N_ANSWER; i++)
        row[i] = (struct ms_value){.is_null = answer_columns[i].nullable};
    row[0].i = (int64_t)ordinal;
    row[1] = text_value(guess->name);
    row[2].i = ms_type_system_id(info);
    row[3] = text_value(ms_type_text(&guess->type, name, 64));
    row[4].i = length;
    row[5].i = ms_type_precision(&guess->type);
    row[6].i = ms_type_scale(&guess->type);
    row[19].i = 1;
    row[22].i = info->user_type_id;
    row[23].i = length < 0 ? 65535 : length;
    return call->l->sink->row(call->l->sink->ctx, row);
}

static bool send_answer(struct ms_call *call, const struct walk *w)
{
    struct ms_language *l = call->l;
    for (size_t i = 0; i < w->n; i++) {
        if (w->guesses[i].uses > 1)
            return ms_error_set(call->err, 11508, 16, 1,
                                "The undeclared parameter '%s' is used more than once in the batch being "
                                "analyzed.",
                                w->guesses[i].name);
        if (w->guesses[i].type.id == MS_UNKNOWN)
            return ms_error_set(call->err, 11503, 16, 1,
                                "The parameter type cannot be deduced because no expressions references "
                                "parameter '%s'.",
                                w->guesses[i].name);
    }
    bool there = l->sink->columns(l->sink->ctx, answer_columns, N_ANSWER);
    for (size_t i = 0; there && i < w->n; i++)
        there = send_row(call, i + 1, &w->guesses[i]);
    l->gone = l->gone || !there;
    ms_tell_done(l, MS_CMD_SELECT, (int64_t)w->n, false);
    return true;
}

/* --- the text --- */

/* Parse it again and again, each time with one more variable declared, until none is missing. */
static bool parse(struct ms_call *call, const char *sql, const char *declared, struct ms_batch *batch,
                  size_t *ret_undeclared)
{
    struct ms_buffer declaration = {0};
    int line;
    size_t n = 0;
    bool ok = false;
    ms_buffer_text(&declaration, declared ? declared : "");
    for (;; n++) {
        const char *from, *to;
        ok = ms_parse_batch(sql, strlen(sql), declaration.data ? declaration.data : "",
                            call->l->quoted_identifier, batch, &line, call->err);
        if (ok || call->err->number != 137 || n == MAX_UNDECLARED)
            break;
        from = strchr(call->err->text, '"');
        to = from ? strchr(from + 1, '"') : NULL;
        if (!to)
            break;
        ms_buffer_format(&declaration, "%s%.*s sql_variant", declaration.len ? "," : "", (int)(to - from - 1),
                         from + 1);
        ms_batch_free(batch);
    }
    ms_buffer_free(&declaration);
    *ret_undeclared = n;
    return ok;
}

static bool analyse(struct ms_call *call, const struct ms_batch *batch, size_t undeclared)
{
    struct ms_language *l = call->l;
    struct ms_frame frame = {.outer = l->frame, .batch = batch, .procedure = "", .line = 1};
    struct walk w = {.l = l, .arena = call->arena, .batch = batch, .n = undeclared};
    struct ms_error ignored;
    w.first = batch->n_parameters - undeclared;
    w.guesses = ms_arena_alloc(call->arena, (undeclared + 1) * sizeof *w.guesses);
    for (size_t i = 0; i < undeclared; i++)
        w.guesses[i].name = batch->variables[w.first + i].name;
    if (!ms_statement_begin(l->session, MS_STATEMENT_READ, call->err))
        return false;
    frame.slots = ms_heap_alloc((batch->n_variables + 1) * sizeof *frame.slots);
    l->frame = &frame;
    walk_list(&w, batch->statements);
    l->frame = frame.outer;
    free(frame.slots);
    (void)ms_statement_end(l->session, true, &ignored);
    return send_answer(call, &w);
}

static const char *argument(struct ms_call *call, size_t at, const char *name)
{
    struct ms_conversion how = {.to = ms_type_string(true, MS_MAX), .style = MS_STYLE_NONE};
    for (size_t i = 0; i < call->n_args; i++) {
        const struct ms_argument *a = &call->args[i];
        struct ms_value v;
        if (a->name && a->name[0] ? !ms_name_equal(a->name, name) : i != at)
            continue;
        how.from = a->type;
        if (a->use_default || !ms_convert(call->arena, &how, &a->value, &v, call->err) || v.is_null)
            return NULL;
        return ms_arena_dup(call->arena, v.bytes, v.len);
    }
    return NULL;
}

bool ms_call_undeclared(struct ms_call *call)
{
    const char *sql = argument(call, 0, "@tsql"), *declared = argument(call, 1, "@params");
    struct ms_batch batch = {0};
    size_t undeclared = 0;
    if (!sql)
        return ms_error_set(call->err, 201, 16, 4,
                            "Procedure or function 'sp_describe_undeclared_parameters' expects parameter "
                            "'@tsql', which was not supplied.");
    bool ok = parse(call, sql, declared, &batch, &undeclared) && analyse(call, &batch, undeclared);
    ms_batch_free(&batch);
    return ok;
}
