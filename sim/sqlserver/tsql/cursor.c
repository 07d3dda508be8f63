/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: opened, a cursor is the rows of its query in memory, whatever its kind (all are STATIC here). */
#include <stdlib.h>
#include <string.h>

#include "execute.h"

struct ms_cursor {
    struct ms_cursor *next;
    char *name;
    struct ms_query *query; /* in the batch that declared it */
    const struct ms_batch *batch;
    struct ms_arena arena; /* of the rows */
    struct ms_rows rows;
    struct ms_output *outputs;
    int64_t at; /* 0: before the first row */
    bool open;
};

static struct ms_cursor *find(const struct ms_language *l, const char *name)
{
    for (struct ms_cursor *c = l->cursors; c; c = c->next)
        if (ms_name_equal(c->name, name))
            return c;
    return NULL;
}

static void close_cursor(struct ms_cursor *c)
{
    ms_arena_free(&c->arena);
    c->rows = (struct ms_rows){0};
    c->open = false;
}

static void deallocate(struct ms_language *l, struct ms_cursor *c)
{
    for (struct ms_cursor **link = &l->cursors; *link; link = &(*link)->next) {
        if (*link != c)
            continue;
        *link = c->next;
        close_cursor(c);
        free(c->name);
        free(c);
        return;
    }
}

void ms_cursors_free(struct ms_language *l)
{
    while (l->cursors)
        deallocate(l, l->cursors);
}

/* Of the batch that ends: its cursors' queries are gone with it. */
void ms_cursors_leave(struct ms_language *l, const struct ms_batch *batch)
{
    for (struct ms_cursor *c = l->cursors, *next; c; c = next) {
        next = c->next;
        if (c->batch == batch)
            deallocate(l, c);
    }
}

static bool declare(struct ms_run *run, struct ms_statement *st)
{
    if (find(run->l, st->word))
        return ms_error_set(run->err, 16915, 16, 1, "A cursor with the name '%s' already exists.", st->word);
    struct ms_cursor *c = ms_heap_alloc(sizeof *c);
    c->name = ms_heap_text(st->word, strlen(st->word));
    c->query = st->query;
    c->batch = run->l->frame->batch;
    c->next = run->l->cursors;
    run->l->cursors = c;
    return true;
}

static bool open_cursor(struct ms_run *run, struct ms_cursor *c)
{
    struct ms_error ignored;
    if (c->open)
        return ms_error_set(run->err, 16905, 16, 1, "The cursor is already open.");
    c->rows = (struct ms_rows){.arena = &c->arena};
    if (!ms_statement_begin(run->session, MS_STATEMENT_READ, run->err))
        return false;
    bool ok = ms_run_query_rows(run, c->query, &c->rows, &c->outputs);
    if (!ms_statement_end(run->session, ok, ok ? run->err : &ignored) || !ok)
        return false;
    c->open = true;
    c->at = 0;
    return true;
}

static bool target_row(struct ms_run *run, const struct ms_statement *st, const struct ms_cursor *c,
                       int64_t *ret)
{
    int64_t n = 0, last = (int64_t)c->rows.n;
    if (st->expr) {
        struct ms_type bigint = {.id = MS_BIGINT};
        struct ms_value v;
        if (!ms_run_evaluate(run, st->expr, &bigint, &v, NULL))
            return false;
        n = v.is_null ? 0 : v.i;
    }
    switch (st->word2[0]) {
    case 'p': *ret = c->at - 1; break;
    case 'f': *ret = 1; break;
    case 'l': *ret = last; break;
    case 'a': *ret = n < 0 ? last + 1 + n : n; break;
    case 'r': *ret = c->at + n; break;
    default: *ret = c->at + 1;
    }
    *ret = *ret < 0 ? 0 : *ret > last + 1 ? last + 1 : *ret;
    return true;
}

static bool send_row(struct ms_run *run, const struct ms_cursor *c, bool hit)
{
    struct ms_column *columns = ms_arena_alloc(&run->arena, (c->rows.n_columns + 1) * sizeof *columns);
    for (size_t i = 0; i < c->rows.n_columns; i++)
        columns[i] = c->outputs[i].column;
    if (!run->sink->columns(run->sink->ctx, columns, c->rows.n_columns) ||
        (hit && !run->sink->row(run->sink->ctx, c->rows.rows[c->at - 1])))
        run->l->gone = true;
    run->command = MS_CMD_SELECT;
    run->rows = hit;
    return true;
}

static bool fetch(struct ms_run *run, struct ms_statement *st, struct ms_cursor *c)
{
    if (!c->open)
        return ms_error_set(run->err, 16917, 16, 1, "Cursor is not open.");
    if (!target_row(run, st, c, &c->at))
        return false;
    bool hit = c->at >= 1 && c->at <= (int64_t)c->rows.n;
    run->l->fetch_status = hit ? 0 : -1;
    if (!st->n_slots)
        return send_row(run, c, hit);
    if (st->n_slots != c->rows.n_columns)
        return ms_error_set(run->err, 16924, 16, 1,
                            "Cursorfetch: The number of variables declared in the INTO list must match "
                            "that of selected columns.");
    for (size_t i = 0; hit && i < st->n_slots; i++)
        if (!ms_run_assign(run, st->slots[i], &c->rows.types[i], &c->rows.rows[c->at - 1][i]))
            return false;
    return true;
}

bool ms_run_cursor(struct ms_run *run, struct ms_statement *st)
{
    if (st->id == MS_ST_CURSOR_DECLARE)
        return declare(run, st);
    struct ms_cursor *c = find(run->l, st->word);
    if (!c)
        return ms_error_set(run->err, 16916, 16, 1, "A cursor with the name '%s' does not exist.", st->word);
    if (st->id == MS_ST_CURSOR_OPEN)
        return open_cursor(run, c);
    if (st->id == MS_ST_CURSOR_FETCH)
        return fetch(run, st, c);
    if (st->id == MS_ST_CURSOR_DEALLOCATE) {
        deallocate(run->l, c);
        return true;
    }
    if (!c->open)
        return ms_error_set(run->err, 16917, 16, 1, "Cursor is not open.");
    close_cursor(c);
    return true;
}
