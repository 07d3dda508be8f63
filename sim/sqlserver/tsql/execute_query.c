/* SPDX-License-Identifier: Apache-2.0 */
/* SELECT: to the client, into variables, into a new table, into memory. */
#include <string.h>

#include "execute.h"
#include "../storage/row.h"
#include "temporary.h"

static bool touches_tables(const struct ms_query *q)
{
    return q && (q->from || q->left || q->ctes);
}

/* --- rows in memory --- */

struct ms_value *ms_rows_add(struct ms_rows *rows, const struct ms_type *types, const struct ms_value *values)
{
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 16;
        struct ms_value **more = ms_arena_alloc(rows->arena, cap * sizeof *more);
        if (rows->n)
            memcpy(more, rows->rows, rows->n * sizeof *more);
        rows->rows = more;
        rows->cap = cap;
    }
    struct ms_value *row = ms_arena_alloc(rows->arena, (rows->n_columns + 1) * sizeof *row);
    for (size_t i = 0; i < rows->n_columns; i++) {
        row[i] = values[i];
        if (!row[i].is_null && ms_value_has_bytes(&types[i]))
            row[i].bytes = (const uint8_t *)ms_arena_dup(rows->arena, values[i].bytes, values[i].len);
    }
    rows->rows[rows->n++] = row;
    return row;
}

static void set_types(struct ms_rows *rows, const struct ms_output *outputs, size_t n)
{
    rows->n_columns = n;
    rows->types = ms_arena_alloc(rows->arena, (n + 1) * sizeof *rows->types);
    for (size_t i = 0; i < n; i++)
        rows->types[i] = outputs[i].column.type;
}

static bool collect(struct ms_run *run, struct ms_plan *plan, struct ms_rows *rows)
{
    struct ms_value *values = ms_arena_alloc(&run->arena, (plan->n_outputs + 1) * sizeof *values);
    struct ms_arena row = {0};
    int rc;
    while ((rc = ms_plan_step(run->session, plan, run->err)) > 0) {
        ms_arena_reset(&row);
        ms_plan_read(plan, 0, &row, values);
        (void)ms_rows_add(rows, rows->types, values);
    }
    ms_arena_free(&row);
    return rc == 0;
}

bool ms_run_query_rows(struct ms_run *run, const struct ms_query *query, struct ms_rows *ret_rows,
                       struct ms_output **ret_outputs)
{
    struct ms_plan plan;
    if (!ms_bind_query(run->l, ret_rows->arena, query, &plan, run->err))
        return false;
    set_types(ret_rows, plan.outputs, plan.n_outputs);
    if (ret_outputs)
        *ret_outputs = plan.outputs;
    bool ok = ms_plan_lock(run->session, &plan, run->err) && ms_plan_open(run->l, &plan, run->err) &&
              collect(run, &plan, ret_rows);
    ms_plan_close(&plan);
    return ok;
}

/* --- to the client --- */

static bool send_columns(struct ms_run *run, const struct ms_plan *plan)
{
    struct ms_column *columns = ms_arena_alloc(&run->arena, (plan->n_outputs + 1) * sizeof *columns);
    for (size_t i = 0; i < plan->n_outputs; i++)
        columns[i] = plan->outputs[i].column;
    if (run->sink->columns(run->sink->ctx, columns, plan->n_outputs))
        return true;
    run->l->gone = true;
    return false;
}

/* The bytes of UTF-8 that hold `units` code units of the type: UTF-16 for Unicode types, single bytes else.
 */
static uint32_t prefix_of_text(const struct ms_value *value, bool unicode, int32_t units)
{
    uint32_t at = 0;
    while (at < value->len) {
        uint8_t lead = value->bytes[at];
        uint32_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        units -= unicode && size == 4 ? 2 : 1;
        if (units < 0)
            break;
        at += size;
    }
    return at < value->len ? at : value->len;
}

/* SET TEXTSIZE: how many bytes of a large value a SELECT gives. */
static void cut_large_values(const struct ms_plan *plan, int32_t text_size, struct ms_value *values)
{
    for (size_t i = 0; i < plan->n_outputs; i++) {
        const struct ms_type *type = &plan->outputs[i].column.type;
        if (values[i].is_null || !ms_type_is_lob(type) || type->id == MS_XML)
            continue;
        bool unicode = ms_type_is_unicode(type->id);
        if (ms_type_is_character(type->id))
            values[i].len = prefix_of_text(&values[i], unicode, unicode ? text_size / 2 : text_size);
        else if (values[i].len > (uint32_t)text_size)
            values[i].len = (uint32_t)text_size;
    }
}

static bool send_rows(struct ms_run *run, struct ms_plan *plan)
{
    struct ms_value *values = ms_arena_alloc(&run->arena, (plan->n_outputs + 1) * sizeof *values);
    struct ms_arena row = {0};
    int64_t limit = run->l->row_limit;
    int rc = 0;
    run->rows = 0;
    while ((limit == 0 || run->rows < limit) && (rc = ms_plan_step(run->session, plan, run->err)) > 0) {
        ms_arena_reset(&row);
        ms_plan_read(plan, 0, &row, values);
        run->rows++;
        if (run->l->text_size != INT32_MAX)
            cut_large_values(plan, run->l->text_size, values);
        if (!run->sink->row(run->sink->ctx, values)) {
            run->l->gone = true;
            rc = 0;
            break;
        }
    }
    ms_arena_free(&row);
    return rc >= 0;
}

/* --- SELECT @v = ... --- */

static bool combine(struct ms_run *run, const struct ms_output *o, const struct ms_value *value)
{
    const struct ms_variable *v = &run->l->frame->batch->variables[o->assign_slot];
    struct ms_operation op = {.eval = ms_op_arithmetic,
                              .n_args = 2,
                              .args = {v->type, v->type},
                              .result = v->type,
                              .null_in_null_out = true,
                              .symbol = o->assign_operator};
    struct ms_conversion how = {.from = o->column.type, .to = v->type, .style = MS_STYLE_NONE};
    struct ms_value pair[2] = {run->l->frame->slots[o->assign_slot].value}, sum;
    struct ms_eval ev = {run->session, run->l, &run->arena, run->err};
    return ms_convert(&run->arena, &how, value, &pair[1], run->err) &&
           ms_operation_run(&ev, &op, pair, &sum) && ms_run_assign(run, o->assign_slot, &v->type, &sum);
}

/* The last row wins; without a row the variables keep what they had. */
static bool assign_rows(struct ms_run *run, struct ms_plan *plan)
{
    struct ms_value *values = ms_arena_alloc(&run->arena, (plan->n_outputs + 1) * sizeof *values);
    int rc;
    run->rows = 0;
    while ((rc = ms_plan_step(run->session, plan, run->err)) > 0) {
        ms_plan_read(plan, 0, &run->arena, values);
        run->rows++;
        for (size_t i = 0; i < plan->n_outputs; i++) {
            const struct ms_output *o = &plan->outputs[i];
            if (o->assign_operator ? !combine(run, o, &values[i])
                                   : !ms_run_assign(run, o->assign_slot, &o->column.type, &values[i]))
                return false;
        }
    }
    return rc == 0;
}

/* --- SELECT ... INTO --- */

static struct ms_table_def *def_of(struct ms_run *run, const struct ms_output *outputs, size_t n)
{
    struct ms_table_def *def = ms_arena_alloc(&run->arena, sizeof *def);
    struct ms_column_def **link = &def->columns;
    for (size_t i = 0; i < n; i++) {
        struct ms_column_def *c = ms_arena_alloc(&run->arena, sizeof *c);
        c->spec.name = outputs[i].column.name;
        c->spec.type = outputs[i].column.type;
        c->spec.nullable = outputs[i].column.nullable;
        c->spec.identity = outputs[i].column.identity;
        c->spec.identity_seed = c->spec.identity_increment = 1;
        *link = c;
        link = &c->next;
    }
    def->n_columns = n;
    return def;
}

static bool select_into(struct ms_run *run, struct ms_statement *st)
{
    struct ms_rows rows = {.arena = &run->arena};
    struct ms_output *outputs;
    struct ms_table *temp = NULL;
    const char *name = st->query->into.parts[st->query->into.n - 1];
    if (!ms_run_query_rows(run, st->query, &rows, &outputs))
        return false;
    for (size_t i = 0; i < rows.n_columns; i++)
        if (!outputs[i].column.name[0])
            return ms_error_set(
                run->err, 1038, 15, 5,
                "An object or column name is missing or empty. For SELECT INTO "
                "statements, verify each column has a name. For other statements, look for empty alias "
                "names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name.");
    struct ms_table_def *def = def_of(run, outputs, rows.n_columns);
    const struct ms_table *table;
    if (name[0] == '#') {
        if (!ms_temporary_create(run->l, name, def, &temp, run->err))
            return false;
        table = temp;
    } else {
        struct ms_column_spec *specs = ms_arena_alloc(&run->arena, (rows.n_columns + 1) * sizeof *specs);
        int32_t id;
        size_t n = 0;
        for (struct ms_column_def *c = def->columns; c; c = c->next)
            specs[n++] = c->spec;
        const char *schema = st->query->into.n > 1 ? st->query->into.parts[st->query->into.n - 2] : NULL;
        if (!ms_ddl_create_table(run->session, run->session->db_id, schema, name, specs, n, &id, run->err))
            return false;
        table = ms_catalog_table_by_id(run->session, id);
    }
    for (size_t i = 0; i < rows.n; i++) {
        int64_t rowid;
        if (temp ? !ms_temporary_insert(run->l, table, rows.rows[i], &rowid, run->err)
                 : !ms_row_insert(run->session, table, rows.rows[i], &rowid, run->err))
            return false;
    }
    run->rows = (int64_t)rows.n;
    return true;
}

bool ms_run_select(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_error ignored;
    bool into = st->query->into.n > 0;
    run->command = MS_CMD_SELECT;
    if (touches_tables(st->query) && !ms_execute_begin_implicit(run, run->err))
        return false;
    if (!ms_statement_begin(run->session, into ? MS_STATEMENT_WRITE : MS_STATEMENT_READ, run->err))
        return false;
    bool ok = true;
    if (into) {
        ok = select_into(run, st);
        return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
    }
    struct ms_statement_plan *kept = ms_statement_plan_for(run, batch, st);
    if (!kept->bound)
        ok = kept->bound = ms_bind_query(run->l, &kept->arena, st->query, &kept->plan, run->err);
    ok = ok && ms_plan_lock(run->session, &kept->plan, run->err) &&
         ms_plan_open(run->l, &kept->plan, run->err);
    if (ok && kept->plan.assigns)
        ok = assign_rows(run, &kept->plan);
    else if (ok)
        ok = !send_columns(run, &kept->plan) || send_rows(run, &kept->plan);
    ms_plan_rewind(&kept->plan);
    if (ok && kept->plan.assigns)
        run->command = 0; /* tells no result of its own */
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}

bool ms_run_shape(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_error ignored;
    if (st->id != MS_ST_SELECT || st->query->into.n > 0)
        return true;
    if (!ms_statement_begin(run->session, MS_STATEMENT_READ, run->err))
        return false;
    struct ms_statement_plan *kept = ms_statement_plan_for(run, batch, st);
    if (!kept->bound)
        kept->bound = ms_bind_query(run->l, &kept->arena, st->query, &kept->plan, run->err);
    bool ok = kept->bound;
    if (ok && !kept->plan.assigns && send_columns(run, &kept->plan))
        ms_tell_done(run->l, MS_CMD_SELECT, 0, false);
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}
