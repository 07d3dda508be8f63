/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATE and DELETE: find the rows, compute the new ones, hand them to the one place where rows change. */
#include <string.h>

#include "../storage/row.h"
#include "change.h"
#include "temporary.h"

/* --- CHECK constraints, looked at on the rows as they stand after the change --- */

static bool check_failed(struct ms_run *run, const struct ms_change_set *set, const struct ms_check *check)
{
    const char *column = "";
    int at = check->column_id ? ms_table_column_by_id(set->table, check->column_id) : -1;
    if (at >= 0)
        column = ms_arena_format(&run->arena, ", column '%s'", set->table->columns[at].name);
    return ms_error_set(run->err, 547, 16, 0,
                        "The %s statement conflicted with the CHECK constraint \"%s\". The conflict "
                        "occurred in database \"%s\", table \"%s.%s\"%s.",
                        set->verb, check->name, set->table->db_name, set->table->schema, set->table->name,
                        column);
}

static bool run_check(struct ms_run *run, const struct ms_change_set *set, const struct ms_check *check)
{
    struct ms_plan plan;
    struct ms_expr *expr, *args[1], negation = {.kind = MS_EXPR_NOT, .args = args, .n_args = 1};
    if (!ms_parse_expression(&run->arena, check->definition, &expr, run->err))
        return false;
    args[0] = expr;
    if (!ms_bind_over_table(run->l, &run->arena, set->table, set->temporary, &negation, &plan, run->err) ||
        !ms_plan_open(run->l, &plan, run->err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < set->n; i++) {
        sqlite3_bind_int64(plan.stmt, 1, set->rowids[i]);
        int rc = ms_plan_step(run->session, &plan, run->err);
        ok = rc >= 0;
        if (rc > 0 && sqlite3_column_int(plan.stmt, 0) == 1)
            ok = check_failed(run, set, check);
        sqlite3_reset(plan.stmt);
    }
    ms_plan_close(&plan);
    return ok;
}

bool ms_change_check(struct ms_run *run, const struct ms_change_set *set)
{
    for (size_t i = 0; i < set->table->n_checks; i++)
        if (!set->table->checks[i].disabled && !run_check(run, set, &set->table->checks[i]))
            return false;
    return true;
}

/* --- reading the rows --- */

struct found {
    int64_t rowid;
    struct ms_value *before;
    struct ms_value *after;
};

struct reading {
    struct ms_bound_change *change;
    struct found *list;
    size_t n;
    size_t cap;
    int64_t *seen; /* open addressing over rowid + 1; only when a join may meet a row twice */
    size_t seen_cap;
};

static bool already_seen(struct ms_run *run, struct reading *r, int64_t rowid)
{
    if (r->n * 2 >= r->seen_cap) {
        size_t cap = r->seen_cap ? r->seen_cap * 2 : 64;
        int64_t *more = ms_arena_alloc(&run->arena, cap * sizeof *more);
        for (size_t i = 0; i < r->seen_cap; i++) {
            if (!r->seen[i])
                continue;
            size_t at = (size_t)r->seen[i] * 2654435761u % cap;
            while (more[at])
                at = (at + 1) % cap;
            more[at] = r->seen[i];
        }
        r->seen = more;
        r->seen_cap = cap;
    }
    size_t at = (size_t)(rowid + 1) * 2654435761u % r->seen_cap;
    while (r->seen[at] && r->seen[at] != rowid + 1)
        at = (at + 1) % r->seen_cap;
    bool seen = r->seen[at] != 0;
    r->seen[at] = rowid + 1;
    return seen;
}

static void add_found(struct ms_run *run, struct reading *r, const struct ms_value *values,
                      const struct ms_type *types)
{
    size_t n = r->change->table->n_columns;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct found *more = ms_arena_alloc(&run->arena, cap * sizeof *more);
        if (r->n)
            memcpy(more, r->list, r->n * sizeof *more);
        r->list = more;
        r->cap = cap;
    }
    struct ms_rows copy = {.arena = &run->arena, .n_columns = r->change->plan.n_outputs};
    struct ms_value *row = ms_rows_add(&copy, types, values);
    struct found *f = &r->list[r->n++];
    f->rowid = row[0].i;
    f->before = row + 1;
    f->after = ms_arena_alloc(&run->arena, (n + 1) * sizeof *f->after);
    memcpy(f->after, f->before, n * sizeof *f->after);
    for (size_t i = 0; i < r->change->n_sets; i++)
        if (r->change->columns[i] >= 0)
            f->after[r->change->columns[i]] = row[1 + n + i];
}

/* SET @v = column = value, for the last row read. */
static bool set_variables(struct ms_run *run, const struct ms_bound_change *change,
                          const struct ms_value *values)
{
    size_t first = 1 + change->table->n_columns;
    for (size_t i = 0; i < change->n_sets; i++)
        if (change->slots[i] >= 0 &&
            !ms_run_assign(run, change->slots[i], &change->plan.outputs[first + i].column.type,
                           &values[first + i]))
            return false;
    return true;
}

static bool read_rows(struct ms_run *run, const struct ms_statement *st, struct reading *r)
{
    struct ms_plan *plan = &r->change->plan;
    struct ms_value *values = ms_arena_alloc(&run->arena, (plan->n_outputs + 1) * sizeof *values);
    struct ms_type *types = ms_arena_alloc(&run->arena, (plan->n_outputs + 1) * sizeof *types);
    struct ms_arena row = {0};
    bool ok = true;
    int rc = 0;
    for (size_t i = 0; i < plan->n_outputs; i++)
        types[i] = plan->outputs[i].column.type;
    int64_t limit = run->l->row_limit;
    while (ok && (limit == 0 || (int64_t)r->n < limit) &&
           (rc = ms_plan_step(run->session, plan, run->err)) > 0) {
        ms_arena_reset(&row);
        ms_plan_read(plan, 0, &row, values);
        if (st->from && already_seen(run, r, values[0].i))
            continue;
        add_found(run, r, values, types);
        ok = set_variables(run, r->change, values);
    }
    ms_arena_free(&row);
    ms_plan_rewind(plan);
    return ok && rc >= 0;
}

/* --- writing them --- */

static bool update_temporary(struct ms_run *run, const struct reading *r)
{
    int64_t *rowids = ms_arena_alloc(&run->arena, (r->n + 1) * sizeof *rowids);
    for (size_t i = 0; i < r->n; i++) {
        rowids[i] = r->list[i].rowid;
        if (!ms_temporary_update(run->l, r->change->table, rowids[i], r->list[i].after, run->err))
            return false;
    }
    struct ms_change_set set = {
        .table = r->change->table, .temporary = true, .verb = "UPDATE", .rowids = rowids, .n = r->n};
    return ms_change_check(run, &set);
}

static bool update_rows(struct ms_run *run, const struct reading *r)
{
    const struct ms_table *table = r->change->table;
    struct ms_row_update *rows = ms_arena_alloc(&run->arena, (r->n + 1) * sizeof *rows);
    bool *assigned = ms_arena_alloc(&run->arena, table->n_columns * sizeof *assigned);
    struct ms_change_set set = {.table = table, .verb = "UPDATE", .n = r->n};
    int64_t *rowids = ms_arena_alloc(&run->arena, (r->n + 1) * sizeof *rowids);
    for (size_t i = 0; i < r->change->n_sets; i++)
        if (r->change->columns[i] >= 0)
            assigned[r->change->columns[i]] = true;
    for (size_t i = 0; i < r->n; i++) {
        rows[i] = (struct ms_row_update){r->list[i].rowid, r->list[i].before, r->list[i].after};
        rowids[i] = r->list[i].rowid;
    }
    set.rowids = rowids;
    return r->n == 0 || (ms_rows_update(run->session, table, rows, r->n, assigned, run->err) &&
                         ms_change_check(run, &set));
}

static bool delete_rows(struct ms_run *run, const struct reading *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->change->temporary ? !ms_temporary_delete(run->l, r->change->table, r->list[i].rowid, run->err)
                                 : !ms_row_delete(run->session, r->change->table, r->list[i].rowid,
                                                  r->list[i].before, run->err))
            return false;
    return true;
}

static bool output_rows(struct ms_run *run, struct ms_statement *st, const struct reading *r)
{
    const struct ms_value **before =
        ms_arena_alloc(&run->arena, (r->n + 1) * sizeof(const struct ms_value *));
    const struct ms_value **after = ms_arena_alloc(&run->arena, (r->n + 1) * sizeof(const struct ms_value *));
    for (size_t i = 0; i < r->n; i++) {
        before[i] = r->list[i].before;
        after[i] = r->list[i].after;
    }
    return ms_change_output(run, st, r->change->table, before, st->id == MS_ST_UPDATE ? after : NULL, r->n);
}

static bool change_rows(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_statement_plan *kept = ms_statement_plan_for(run, batch, st);
    if (!kept->bound)
        kept->bound = ms_bind_change(run->l, &kept->arena, st, &kept->change, run->err);
    struct reading r = {.change = &kept->change};
    if (!kept->bound || !ms_plan_lock(run->session, &kept->change.plan, run->err) ||
        !ms_plan_open(run->l, &kept->change.plan, run->err) || !read_rows(run, st, &r))
        return false;
    run->rows = (int64_t)r.n;
    if (st->id == MS_ST_DELETE   ? !delete_rows(run, &r)
        : kept->change.temporary ? !update_temporary(run, &r)
                                 : !update_rows(run, &r))
        return false;
    return !st->n_output || output_rows(run, st, &r);
}

bool ms_run_change(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_error ignored;
    run->command = st->id == MS_ST_UPDATE ? MS_CMD_UPDATE : MS_CMD_DELETE;
    if (st->word)
        return ms_error_set(run->err, 16929, 16, 1, "The cursor is READ ONLY.");
    if (run->l->doomed)
        return ms_error_set(run->err, 3930, 16, 1,
                            "The current transaction cannot be committed and cannot support "
                            "operations that write to the log file. Roll back the transaction.");
    if (!ms_execute_begin_implicit(run, run->err) ||
        !ms_statement_begin(run->session, MS_STATEMENT_WRITE, run->err))
        return false;
    bool ok = change_rows(run, batch, st);
    if (!ok && st->plan)
        ms_plan_rewind(&st->plan->change.plan);
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}
