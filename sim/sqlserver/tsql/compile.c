/* SPDX-License-Identifier: Apache-2.0 */
#include "compile.h"

#include "temporary.h"

struct compilation {
    struct ms_run run;
    struct ms_batch *batch;
    struct ms_statement *bad; /* the statement with an error */
    bool moved;               /* USE stands before what follows: names mean something else there */
};

/* 102 and 195: what the binder finds to be no T-SQL (of ours) would be found by SQL Server's parser. */
static bool is_compile_error(int32_t number)
{
    return number == 102 || number == 195 || number == 207 || number == 209 || number == 4104 ||
           number == 8120;
}

static bool check_insert(struct compilation *c, struct ms_statement *st)
{
    struct ms_run *run = &c->run;
    const struct ms_table *table;
    bool temporary;
    if (st->target->kind == MS_FROM_VARIABLE ||
        !ms_bind_target(run->l, st->target, &table, &temporary, run->err))
        return true;
    for (size_t i = 0; i < st->n_columns; i++)
        if (ms_table_column(table, st->columns[i]) < 0)
            return ms_error_set(run->err, 207, 16, 1, "Invalid column name '%s'.", st->columns[i]);
    struct ms_plan plan;
    return !st->query || st->query->kind == MS_QUERY_VALUES ||
           ms_bind_query(run->l, &run->arena, st->query, &plan, run->err);
}

/* Bind what will be bound anyway; a plan that comes of it is kept for the run. */
static bool check_one(struct compilation *c, struct ms_statement *st)
{
    struct ms_run *run = &c->run;
    if (st->id == MS_ST_INSERT)
        return check_insert(c, st);
    if (st->id == MS_ST_UPDATE || st->id == MS_ST_DELETE) {
        struct ms_statement_plan *kept = ms_statement_plan_for(run, c->batch, st);
        if (!kept->bound && !st->word)
            kept->bound = ms_bind_change(run->l, &kept->arena, st, &kept->change, run->err);
        return kept->bound;
    }
    if (st->id != MS_ST_SELECT || st->query->into.n > 0)
        return true;
    struct ms_statement_plan *kept = ms_statement_plan_for(run, c->batch, st);
    if (!kept->bound)
        kept->bound = ms_bind_query(run->l, &kept->arena, st->query, &kept->plan, run->err);
    return kept->bound;
}

static void check_list(struct compilation *c, struct ms_statement *list)
{
    for (struct ms_statement *st = list; st && !c->bad && !c->moved; st = st->next) {
        c->run.err->number = 0;
        c->moved = st->id == MS_ST_USE;
        if (!check_one(c, st) && is_compile_error(c->run.err->number)) {
            c->bad = st;
            return;
        }
        check_list(c, st->body);
        if (!c->bad)
            check_list(c, st->other);
    }
}

static bool is_query(const struct ms_statement *st)
{
    return st->id == MS_ST_SELECT || st->id == MS_ST_INSERT || st->id == MS_ST_UPDATE ||
           st->id == MS_ST_DELETE;
}

/* A lone statement, or one after which nothing names a column, says it all when it runs. */
static bool needs_check(const struct ms_statement *list, bool first)
{
    for (const struct ms_statement *st = list; st; st = st->next) {
        if ((is_query(st) && !first) || needs_check(st->body, false) || needs_check(st->other, false))
            return true;
        first = false;
    }
    return false;
}

static bool is_checked(const struct ms_language *l, const struct ms_batch *batch, uint64_t version)
{
    return batch->checked && batch->checked_version == version &&
           batch->checked_temp_version == l->temp_version && batch->checked_db_id == l->session->db_id;
}

bool ms_compile_batch(struct ms_language *l, struct ms_batch *batch, enum ms_flow *ret_flow)
{
    struct ms_error err = {0}, ignored;
    struct compilation c = {.batch = batch};
    c.run = (struct ms_run){.l = l, .session = l->session, .sink = l->sink, .err = &err, .rows = -1};
    if (!needs_check(batch->statements, true) || !ms_statement_begin(l->session, MS_STATEMENT_READ, &ignored))
        return true;
    uint64_t version = ms_catalog_version(l->session);
    if (!is_checked(l, batch, version))
        check_list(&c, batch->statements);
    (void)ms_statement_end(l->session, true, &ignored);
    ms_arena_free(&c.run.arena);
    if (c.bad) {
        l->frame->line = c.bad->line;
        *ret_flow = ms_execute_fail(&c.run, c.bad, &err);
        return false;
    }
    batch->checked = true;
    batch->checked_version = version;
    batch->checked_temp_version = l->temp_version;
    batch->checked_db_id = l->session->db_id;
    return true;
}
