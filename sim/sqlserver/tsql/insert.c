/* SPDX-License-Identifier: Apache-2.0 */
/* INSERT: which columns, which values, defaults and identity, then row by row into storage. */
#include <string.h>
#include <strings.h>

#include "../storage/row.h"
#include "change.h"
#include "temporary.h"

struct insertion {
    const struct ms_table *table;
    bool temporary;
    int *targets; /* of each given value: index into table->columns */
    size_t n_targets;
    bool *given;                    /* by column */
    struct ms_value *defaults;      /* evaluated once, of columns not given */
    const char **volatile_defaults; /* definitions that must be evaluated for each row */
    bool identity_given;
    struct ms_value *row;
    int64_t *rowids;
    size_t n;
    size_t cap;
    const struct ms_value **kept;   /* for OUTPUT */
    const struct ms_rows *executed; /* INSERT ... EXEC into a temporary table: its rows, got beforehand */
};

/* --- which columns --- */

static bool add_target(struct ms_run *run, struct insertion *in, int at, const char *name)
{
    if (at < 0)
        return ms_error_set(run->err, 207, 16, 1, "Invalid column name '%s'.", name);
    const struct ms_catalog_column *c = &in->table->columns[at];
    if (c->computed_definition)
        return ms_error_set(run->err, 271, 16, 1,
                            "The column \"%s\" cannot be modified because it is either a computed "
                            "column or is the result of a UNION operator.",
                            c->name);
    if (in->given[at])
        return ms_error_set(
            run->err, 264, 16, 1,
            "The column name '%s' is specified more than once in the SET clause or "
            "column list of an INSERT. A column cannot be assigned more than one value in the same clause. "
            "Modify the clause to make sure that a column is updated only once. If this statement updates "
            "or inserts columns into a view, column aliasing can conceal the duplication in your code.",
            c->name);
    in->given[at] = true;
    in->targets[in->n_targets++] = at;
    in->identity_given = in->identity_given || c->identity;
    return true;
}

static bool choose_columns(struct ms_run *run, const struct ms_statement *st, struct insertion *in)
{
    const struct ms_table *t = in->table;
    in->targets = ms_arena_alloc(&run->arena, (t->n_columns + 1) * sizeof *in->targets);
    in->given = ms_arena_alloc(&run->arena, (t->n_columns + 1) * sizeof *in->given);
    for (size_t i = 0; i < st->n_columns; i++)
        if (!add_target(run, in, ms_table_column(t, st->columns[i]), st->columns[i]))
            return false;
    bool may_identity = run->l->identity_insert == t->object_id && t->object_id != 0;
    for (size_t i = 0; !st->n_columns && !st->default_values && i < t->n_columns; i++) {
        const struct ms_catalog_column *c = &t->columns[i];
        if (!c->computed_definition && !c->identity && c->type.id != MS_ROWVERSION &&
            !add_target(run, in, (int)i, c->name))
            return false;
    }
    if (in->identity_given && !may_identity)
        return ms_error_set(run->err, 544, 16, 1,
                            "Cannot insert explicit value for identity column in table '%s' when "
                            "IDENTITY_INSERT is set to OFF.",
                            t->name);
    if (!in->identity_given && may_identity && t->identity_column >= 0)
        return ms_error_set(
            run->err, 545, 16, 1,
            "Explicit value must be specified for identity column in table '%s' "
            "either when IDENTITY_INSERT is set to ON or when a replication user is inserting into a NOT "
            "FOR REPLICATION identity column.",
            t->name);
    return true;
}

static bool wrong_count(struct ms_run *run, const struct ms_statement *st, size_t have, size_t want)
{
    if (!st->n_columns)
        return ms_error_set(run->err, 213, 16, 1,
                            "Column name or number of supplied values does not match table "
                            "definition.");
    if (have < want)
        return ms_error_set(
            run->err, st->query && st->query->kind == MS_QUERY_VALUES ? 109 : 120, 15, 1,
            "There are more columns in the INSERT statement than values specified in the VALUES clause. The "
            "number of values in the VALUES clause must match the number of columns specified in the INSERT "
            "statement.");
    return ms_error_set(
        run->err, st->query && st->query->kind == MS_QUERY_VALUES ? 110 : 121, 15, 1,
        "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The "
        "number of values in the VALUES clause must match the number of columns specified in the INSERT "
        "statement.");
}

/* --- defaults --- */

static bool is_changing(const char *definition)
{
    return strcasestr(definition, "newid") || strcasestr(definition, "rand(") ||
           strcasestr(definition, "newsequentialid");
}

static bool evaluate_default(struct ms_run *run, const struct ms_catalog_column *c, struct ms_value *ret)
{
    struct ms_expr *expr;
    return ms_parse_expression(&run->arena, c->default_definition, &expr, run->err) &&
           ms_run_evaluate(run, expr, &c->type, ret, NULL);
}

static bool prepare_defaults(struct ms_run *run, struct insertion *in)
{
    const struct ms_table *t = in->table;
    in->defaults = ms_arena_alloc(&run->arena, (t->n_columns + 1) * sizeof *in->defaults);
    in->volatile_defaults = ms_arena_alloc(&run->arena, (t->n_columns + 1) * sizeof *in->volatile_defaults);
    in->row = ms_arena_alloc(&run->arena, (t->n_columns + 1) * sizeof *in->row);
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct ms_catalog_column *c = &t->columns[i];
        in->defaults[i].is_null = true;
        if (!c->default_definition)
            continue;
        if (is_changing(c->default_definition))
            in->volatile_defaults[i] = c->default_definition;
        else if (!in->given[i] && !evaluate_default(run, c, &in->defaults[i]))
            return false;
    }
    return true;
}

static bool fill_row(struct ms_run *run, struct insertion *in)
{
    const struct ms_table *t = in->table;
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct ms_catalog_column *c = &t->columns[i];
        if (in->given[i])
            continue;
        in->row[i] = in->defaults[i];
        if (in->volatile_defaults[i] && !evaluate_default(run, c, &in->row[i]))
            return false;
        if (c->identity) {
            int64_t next = in->temporary ? ms_temporary_identity(run->l, t) : 0;
            if (!in->temporary && !ms_identity_next(run->session, t, &next, run->err))
                return false;
            in->row[i] = (struct ms_value){0};
            if (ms_type_class(c->type.id) == MS_CLASS_DECIMAL)
                in->row[i].dec = next;
            else
                in->row[i].i = next;
        }
    }
    return true;
}

/* --- one row --- */

static int64_t identity_value(const struct insertion *in)
{
    const struct ms_value *v = &in->row[in->table->identity_column];
    return ms_type_class(in->table->columns[in->table->identity_column].type.id) == MS_CLASS_DECIMAL
               ? (int64_t)v->dec
               : v->i;
}

static void note_row(struct ms_run *run, const struct ms_statement *st, struct insertion *in, int64_t rowid)
{
    if (in->n == in->cap) {
        size_t cap = in->cap ? in->cap * 2 : 16;
        int64_t *rowids = ms_arena_alloc(&run->arena, cap * sizeof *rowids);
        const struct ms_value **kept = ms_arena_alloc(&run->arena, cap * sizeof(const struct ms_value *));
        if (in->n) {
            memcpy(rowids, in->rowids, in->n * sizeof *rowids);
            memcpy(kept, in->kept, in->n * sizeof(const struct ms_value *));
        }
        in->rowids = rowids;
        in->kept = kept;
        in->cap = cap;
    }
    if (st->n_output) {
        struct ms_value *copy = ms_arena_alloc(&run->arena, in->table->n_columns * sizeof *copy);
        memcpy(copy, in->row, in->table->n_columns * sizeof *copy);
        in->kept[in->n] = copy;
    }
    in->rowids[in->n++] = rowid;
}

static bool store_row(struct ms_run *run, const struct ms_statement *st, struct insertion *in)
{
    int64_t rowid = 0;
    struct ms_frame *frame = run->l->frame;
    if (!fill_row(run, in))
        return false;
    if (in->temporary)
        return ms_temporary_insert(run->l, in->table, in->row, &rowid, run->err) &&
               (note_row(run, st, in, rowid), true);
    if (!ms_row_insert(run->session, in->table, in->row, &rowid, run->err))
        return false;
    if (in->table->identity_column >= 0 && frame) {
        if (in->identity_given)
            ms_identity_seen(run->session, in->table, identity_value(in));
        frame->has_identity = true;
        frame->identity = identity_value(in);
    }
    note_row(run, st, in, rowid);
    return true;
}

static bool assign_value(struct ms_run *run, const struct insertion *in, size_t target,
                         const struct ms_type *from, const struct ms_value *value)
{
    const struct ms_catalog_column *c = &in->table->columns[in->targets[target]];
    struct ms_value *to = &in->row[in->targets[target]];
    if (ms_convert_allowed(from, &c->type) < 2)
        return ms_error_set(
            run->err, ms_convert_allowed(from, &c->type) ? 257 : 206, 16, 3,
            ms_convert_allowed(from, &c->type)
                ? "Implicit conversion from data type %s to %s is not allowed. Use the CONVERT function to "
                  "run this query."
                : "Operand type clash: %s is incompatible with %s",
            ms_type_word(from->id), ms_type_word(c->type.id));
    struct ms_conversion how = {.from = *from, .to = c->type, .style = MS_STYLE_NONE, .assign = true};
    if (ms_convert(&run->arena, &how, value, to, run->err))
        return true;
    if (run->err->number == 8152 && !in->temporary) {
        size_t room = (size_t)c->type.length < value->len ? (size_t)c->type.length : value->len;
        return ms_error_set(run->err, 2628, 16, 1,
                            "String or binary data would be truncated in %s. Truncated value: "
                            "'%.*s'.",
                            ms_bind_place(&run->arena, in->table, c), (int)room, (const char *)value->bytes);
    }
    return false;
}

/* --- where the rows come from --- */

static bool value_of(struct ms_run *run, struct insertion *in, size_t target, const struct ms_expr *e)
{
    const struct ms_catalog_column *c = &in->table->columns[in->targets[target]];
    struct ms_type type;
    struct ms_value value;
    if (e->kind == MS_EXPR_LITERAL)
        return assign_value(run, in, target, &e->type, &e->value);
    if (e->kind == MS_EXPR_VARIABLE && !run->l->frame->batch->variables[e->slot].table)
        return assign_value(run, in, target, &run->l->frame->batch->variables[e->slot].type,
                            &run->l->frame->slots[e->slot].value);
    if (e->kind == MS_EXPR_DEFAULT) {
        in->row[in->targets[target]] = (struct ms_value){.is_null = true};
        return !c->default_definition || evaluate_default(run, c, &in->row[in->targets[target]]);
    }
    return ms_run_evaluate(run, e, NULL, &value, &type) && assign_value(run, in, target, &type, &value);
}

static bool insert_values(struct ms_run *run, const struct ms_statement *st, struct insertion *in)
{
    const struct ms_query *q = st->query;
    if (q->n_values != in->n_targets)
        return wrong_count(run, st, q->n_values, in->n_targets);
    for (size_t r = 0; r < q->n_rows; r++) {
        for (size_t c = 0; c < q->n_values; c++)
            if (!value_of(run, in, c, q->rows[r][c]))
                return false;
        if (!store_row(run, st, in))
            return false;
    }
    return true;
}

static bool insert_rows(struct ms_run *run, const struct ms_statement *st, struct insertion *in,
                        const struct ms_rows *rows)
{
    if (rows->n_columns != in->n_targets)
        return rows->n_columns == 0 && rows->n == 0 ? true
                                                    : wrong_count(run, st, rows->n_columns, in->n_targets);
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t c = 0; c < rows->n_columns; c++)
            if (!assign_value(run, in, c, &rows->types[c], &rows->rows[r][c]))
                return false;
        if (!store_row(run, st, in))
            return false;
    }
    return true;
}

static bool insert_source(struct ms_run *run, struct ms_statement *st, struct insertion *in)
{
    struct ms_rows rows = {.arena = &run->arena};
    if (st->default_values)
        return store_row(run, st, in);
    if (st->query && st->query->kind == MS_QUERY_VALUES)
        return insert_values(run, st, in);
    if (in->executed)
        rows = *in->executed;
    else if (st->exec ? !ms_run_exec_rows(run, st->exec, &rows)
                      : !ms_run_query_rows(run, st->query, &rows, NULL))
        return false;
    if (st->top) {
        struct ms_type bigint = {.id = MS_BIGINT};
        struct ms_value limit;
        if (!ms_run_evaluate(run, st->top, &bigint, &limit, NULL))
            return false;
        rows.n = !limit.is_null && (int64_t)rows.n > limit.i ? (size_t)limit.i : rows.n;
    }
    return insert_rows(run, st, in, &rows);
}

static bool open_target(struct ms_run *run, struct ms_statement *st, struct insertion *in)
{
    return ms_bind_target(run->l, st->target, &in->table, &in->temporary, run->err) &&
           (in->temporary || ms_access_check(run->session, in->table, MS_MAY_INSERT, run->err)) &&
           choose_columns(run, st, in) && prepare_defaults(run, in);
}

static bool check_inserted(struct ms_run *run, const struct insertion *in)
{
    struct ms_change_set set = {
        .table = in->table, .temporary = in->temporary, .verb = "INSERT", .rowids = in->rowids, .n = in->n};
    return ms_change_check(run, &set);
}

static bool insert(struct ms_run *run, struct ms_statement *st, const struct ms_rows *executed)
{
    struct insertion in = {.executed = executed};
    if (!open_target(run, st, &in) || !insert_source(run, st, &in) || !check_inserted(run, &in))
        return false;
    run->rows = (int64_t)in.n;
    return !st->n_output || ms_change_output(run, st, in.table, NULL, in.kept, in.n);
}

bool ms_insert_rows(struct ms_run *run, struct ms_from *target, const char **columns, size_t n_columns,
                    const struct ms_rows *rows)
{
    struct ms_statement st = {
        .id = MS_ST_INSERT, .slot = -1, .target = target, .columns = columns, .n_columns = n_columns};
    struct insertion in = {0};
    return open_target(run, &st, &in) && insert_rows(run, &st, &in, rows) && check_inserted(run, &in);
}

bool ms_run_insert(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_error ignored;
    (void)batch;
    run->command = MS_CMD_INSERT;
    if (run->l->doomed)
        return ms_error_set(run->err, 3930, 16, 1,
                            "The current transaction cannot be committed and cannot support "
                            "operations that write to the log file. Roll back the transaction.");
    bool temporary =
        st->target->kind == MS_FROM_VARIABLE || st->target->name.parts[st->target->name.n - 1][0] == '#';
    if (!temporary && !ms_execute_begin_implicit(run, run->err))
        return false;
    /* Into a temporary table, the procedure runs on its own: a mere reader must not become a writer. */
    struct ms_rows executed = {.arena = &run->arena};
    if (temporary && st->exec && !ms_run_exec_rows(run, st->exec, &executed))
        return false;
    if (run->flow != MS_FLOW_NEXT)
        return true;
    if (!ms_statement_begin(run->session, temporary ? MS_STATEMENT_READ : MS_STATEMENT_WRITE, run->err))
        return false;
    bool ok = temporary ? ms_temporary_begin(run->l, run->err) : true;
    ok = ok && insert(run, st, temporary && st->exec ? &executed : NULL);
    if (temporary)
        ms_temporary_end(run->l, ok);
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}
