/* SPDX-License-Identifier: Apache-2.0 */
/* Statements one after another: control flow, errors and what follows from them. */
#include "execute.h"

#include <string.h>
#include <strings.h>
#include <stdlib.h>
#include <time.h>

#include "datetime.h"
#include "temporary.h"

/* --- telling --- */

static bool alive(struct ms_language *l, bool ok)
{
    if (!ok)
        l->gone = true;
    return ok;
}

void ms_tell(struct ms_language *l, const struct ms_error *err, int line)
{
    struct ms_message m = {.number = err->number,
                           .state = err->state,
                           .severity = err->severity,
                           .text = err->text,
                           .procedure = err->procedure,
                           .line = line};
    if (!m.procedure[0] && l->frame)
        m.procedure = l->frame->procedure;
    if (!l->gone)
        alive(l, l->sink->message(l->sink->ctx, &m));
}

void ms_tell_info(struct ms_language *l, int32_t number, uint8_t state, uint8_t severity, const char *text)
{
    struct ms_message m = {.number = number,
                           .state = state,
                           .severity = severity,
                           .text = text,
                           .procedure = l->frame ? l->frame->procedure : "",
                           .line = l->frame ? l->frame->line : 1};
    if (!l->gone)
        alive(l, l->sink->message(l->sink->ctx, &m));
}

void ms_tell_done(struct ms_language *l, enum ms_command command, int64_t rows, bool failed)
{
    if (!l->gone)
        alive(l, l->sink->done(l->sink->ctx, command, l->nocount ? -1 : rows, failed));
}

/* --- transactions --- */

bool ms_run_tran_begin(struct ms_language *l, const char *name, struct ms_error *err)
{
    bool first = ms_tran_count(l->session) == 0;
    if (!ms_tran_begin(l->session, name, err))
        return false;
    if (first && !l->gone)
        alive(l, l->sink->env(l->sink->ctx, MS_ENV_BEGIN_TRAN, "", "", ms_tran_descriptor(l->session)));
    return true;
}

bool ms_run_tran_commit(struct ms_language *l, struct ms_error *err)
{
    uint64_t descriptor = ms_tran_descriptor(l->session);
    if (l->doomed)
        return ms_error_set(err, 3930, 16, 1,
                            "The current transaction cannot be committed and cannot support operations "
                            "that write to the log file. Roll back the transaction.");
    if (!ms_tran_commit(l->session, err))
        return false;
    if (ms_tran_count(l->session) == 0 && !l->gone)
        alive(l, l->sink->env(l->sink->ctx, MS_ENV_COMMIT_TRAN, "", "", descriptor));
    return true;
}

bool ms_run_tran_rollback(struct ms_language *l, const char *name, struct ms_error *err)
{
    uint64_t descriptor = ms_tran_descriptor(l->session);
    if (!ms_tran_rollback(l->session, name, err))
        return false;
    ms_temporary_settle(l);
    if (ms_tran_count(l->session) == 0) {
        l->doomed = false;
        if (!l->gone)
            alive(l, l->sink->env(l->sink->ctx, MS_ENV_ROLLBACK_TRAN, "", "", descriptor));
    }
    return true;
}

bool ms_execute_begin_implicit(struct ms_run *run, struct ms_error *err)
{
    if (!run->l->implicit_transactions || ms_tran_count(run->session) > 0)
        return true;
    return ms_run_tran_begin(run->l, NULL, err);
}

/* --- what an error does --- */

static bool one_of(int32_t number, const int32_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == number)
            return true;
    return false;
}

/* Conversion failures, deadlocks and lost connections end the batch and roll back its transaction. */
static bool ends_transaction(const struct ms_error *err)
{
    static const int32_t numbers[] = {241,  242,  245,  295,  244, 248,  235, 293,
                                      8114, 8169, 1205, 3960, 596, 3930, 3998};
    return err->severity >= 20 || one_of(err->number, numbers, sizeof numbers / sizeof numbers[0]);
}

/* Names and syntax: the scope ends, its transaction stays. */
static bool ends_batch(const struct ms_error *err)
{
    static const int32_t numbers[] = {207,  208,  209,  107, 137,  1087, 4104, 195,  174, 189,  4121, 4145,
                                      8120, 8121, 8127, 206, 257,  402,  529,  8117, 213, 109,  110,  264,
                                      205,  116,  141,  911, 4060, 3617, 217,  447,  448, 4413, 1046};
    return err->severity == 15 || one_of(err->number, numbers, sizeof numbers / sizeof numbers[0]);
}

static bool terminates_statement(const struct ms_error *err)
{
    static const int32_t numbers[] = {2627, 2601, 547, 515, 2628, 8152, 8115, 220, 8134, 3621, 1222, 512};
    return one_of(err->number, numbers, sizeof numbers / sizeof numbers[0]);
}

static void roll_back_all(struct ms_language *l)
{
    struct ms_error ignored;
    if (ms_tran_count(l->session) > 0)
        (void)ms_run_tran_rollback(l, NULL, &ignored);
}

static void keep_error(struct ms_language *l, const struct ms_error *err, int line)
{
    struct ms_caught *caught = ms_heap_alloc(sizeof *caught);
    caught->error = *err;
    caught->line = line;
    caught->outer = l->caught;
    l->caught = caught;
}

enum ms_flow ms_execute_fail(struct ms_run *run, const struct ms_statement *st, const struct ms_error *err)
{
    struct ms_language *l = run->l;
    bool raised = st->id == MS_ST_RAISERROR;
    l->last_error = err->number;
    bool kills = ends_transaction(err) || (l->xact_abort && !raised && err->severity > 10);
    if (l->try_depth > 0 && err->severity < 20 && err->number != 3617) {
        l->doomed = l->doomed || (kills && ms_tran_count(l->session) > 0);
        keep_error(l, err, st->line);
        return MS_FLOW_CAUGHT;
    }
    ms_tell(l, err, st->line);
    if (kills)
        roll_back_all(l);
    bool change = st->id == MS_ST_INSERT || st->id == MS_ST_UPDATE || st->id == MS_ST_DELETE;
    if (change && !kills && terminates_statement(err))
        ms_tell_info(l, 3621, 0, 0, "The statement has been terminated.");
    ms_tell_done(l, run->command ? run->command : MS_CMD_OTHER, -1, true);
    if (kills || ends_batch(err) || st->id == MS_ST_THROW)
        return MS_FLOW_ABORT;
    return MS_FLOW_NEXT;
}

/* --- small statements --- */

bool ms_value_has_bytes(const struct ms_type *type)
{
    switch (ms_type_class(type->id)) {
    case MS_CLASS_TEXT:
    case MS_CLASS_BINARY:
    case MS_CLASS_GUID:
    case MS_CLASS_XML:
    case MS_CLASS_VARIANT: return true;
    case MS_CLASS_NONE:
    case MS_CLASS_INTEGER:
    case MS_CLASS_FLOAT:
    case MS_CLASS_DECIMAL:
    case MS_CLASS_MONEY:
    case MS_CLASS_DATE: break;
    }
    return false;
}

void ms_slot_set(struct ms_slot *slot, const struct ms_type *type, const struct ms_value *value)
{
    slot->value = *value;
    if (value->is_null || !ms_value_has_bytes(type))
        return;
    if (slot->cap < (size_t)value->len + 1 || value->bytes == slot->owned) {
        uint8_t *fresh = ms_heap_resize(NULL, (size_t)value->len + 1);
        if (value->len)
            memcpy(fresh, value->bytes, value->len);
        free(slot->owned);
        slot->owned = fresh;
        slot->cap = (size_t)value->len + 1;
    } else if (value->len) {
        memmove(slot->owned, value->bytes, value->len);
    }
    slot->value.bytes = slot->owned;
}

bool ms_run_evaluate(struct ms_run *run, const struct ms_expr *expr, const struct ms_type *to,
                     struct ms_value *ret, struct ms_type *ret_type)
{
    static const struct ms_type any = {0};
    return ms_evaluate(run->l, &run->arena, expr, to ? to : &any, ret, ret_type, run->err);
}

bool ms_run_assign(struct ms_run *run, int slot, const struct ms_type *type, const struct ms_value *value)
{
    const struct ms_variable *v = &run->l->frame->batch->variables[slot];
    struct ms_conversion how = {.from = *type, .to = v->type, .style = MS_STYLE_NONE};
    struct ms_value converted;
    if (!ms_convert(&run->arena, &how, value, &converted, run->err))
        return false;
    ms_slot_set(&run->l->frame->slots[slot], &v->type, &converted);
    return true;
}

bool ms_run_text(struct ms_run *run, const struct ms_expr *expr, const char **ret_text)
{
    struct ms_type type, text = ms_type_string(true, MS_MAX);
    struct ms_value value;
    if (!ms_run_evaluate(run, expr, NULL, &value, &type))
        return false;
    struct ms_conversion how = {.from = type, .to = text, .style = MS_STYLE_NONE};
    if (!ms_convert(&run->arena, &how, &value, &value, run->err))
        return false;
    *ret_text = value.is_null ? "" : ms_arena_dup(&run->arena, value.bytes, value.len);
    return true;
}

static bool run_condition(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st, bool *ret)
{
    bool ok = ms_statement_begin(run->session, MS_STATEMENT_READ, run->err);
    if (!ok)
        return false;
    struct ms_statement_plan *kept = ms_statement_plan_for(run, batch, st);
    if (!kept->bound)
        ok = kept->bound = ms_bind_condition(run->l, &kept->arena, st->expr, &kept->plan, run->err);
    ok = ok && ms_plan_lock(run->session, &kept->plan, run->err) &&
         ms_plan_open(run->l, &kept->plan, run->err);
    if (ok) {
        int rc = ms_plan_step(run->session, &kept->plan, run->err);
        ok = rc >= 0;
        *ret = rc > 0 && sqlite3_column_int(kept->plan.stmt, 0) == 1;
    }
    ms_plan_rewind(&kept->plan);
    struct ms_error ignored;
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}

static bool run_in_statement(struct ms_run *run, bool (*body)(struct ms_run *run, struct ms_statement *st),
                             struct ms_statement *st)
{
    if (!ms_statement_begin(run->session, MS_STATEMENT_READ, run->err))
        return false;
    struct ms_error ignored;
    bool ok = body(run, st);
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}

static bool set_variable(struct ms_run *run, struct ms_statement *st)
{
    struct ms_type type;
    struct ms_value value;
    struct ms_expr *expr = st->expr;
    if (st->op) {
        struct ms_expr *variable = ms_arena_alloc(&run->arena, sizeof *variable);
        struct ms_expr *sum = ms_arena_alloc(&run->arena, sizeof *sum);
        *variable = (struct ms_expr){.kind = MS_EXPR_VARIABLE, .slot = st->slot};
        *sum = (struct ms_expr){
            .kind = MS_EXPR_BINARY, .n_args = 2, .text = ms_arena_format(&run->arena, "%c", st->op)};
        sum->args = ms_arena_alloc(&run->arena, 2 * sizeof *sum->args);
        sum->args[0] = variable;
        sum->args[1] = expr;
        expr = sum;
    }
    return ms_run_evaluate(run, expr, NULL, &value, &type) && ms_run_assign(run, st->slot, &type, &value);
}

static bool declare(struct ms_run *run, struct ms_statement *st)
{
    for (size_t i = 0; i < st->n_sets; i++) {
        int slot = st->sets[i].slot;
        struct ms_slot *s = &run->l->frame->slots[slot];
        const struct ms_variable *v = &run->l->frame->batch->variables[slot];
        if (v->table) {
            if (!s->table && !ms_temporary_create(run->l, NULL, v->table, &s->table, run->err))
                return false;
            continue;
        }
        if (!st->sets[i].expr)
            continue;
        struct ms_statement set = {.id = MS_ST_SET_VARIABLE, .slot = slot, .expr = st->sets[i].expr};
        if (!set_variable(run, &set))
            return false;
    }
    return true;
}

static bool print(struct ms_run *run, struct ms_statement *st)
{
    const char *text;
    if (!ms_run_text(run, st->expr, &text))
        return false;
    ms_tell_info(run->l, 0, 1, 0, text);
    return true;
}

static bool run_return(struct ms_run *run, struct ms_statement *st)
{
    struct ms_type integer = {.id = MS_INT};
    struct ms_value value;
    run->flow = MS_FLOW_RETURN;
    if (!st->expr)
        return true;
    if (!ms_run_evaluate(run, st->expr, &integer, &value, NULL))
        return false;
    run->l->frame->return_status = value.is_null ? 0 : (int32_t)value.i;
    return true;
}

static bool wait_for(struct ms_run *run, struct ms_statement *st)
{
    struct ms_type time = {.id = MS_TIME, .scale = 3};
    struct ms_value value;
    struct timespec slice = {.tv_nsec = 10 * 1000 * 1000};
    if (!ms_run_evaluate(run, st->expr, &time, &value, NULL))
        return false;
    int64_t ticks = value.is_null ? 0 : value.i;
    if (!st->flag) {
        struct ms_moment now;
        ms_datetime_now(&now, false);
        ticks = (ticks - now.ticks + MS_TICKS_PER_DAY) % MS_TICKS_PER_DAY;
    }
    for (int64_t left = ticks; left > 0 && !run->session->cancelled; left -= slice.tv_nsec / 100)
        nanosleep(&slice, NULL);
    return true;
}

static bool transaction(struct ms_run *run, struct ms_statement *st)
{
    const char *name = st->word;
    if (st->slot >= 0) {
        const struct ms_value *v = &run->l->frame->slots[st->slot].value;
        name = v->is_null ? NULL : ms_arena_dup(&run->arena, v->bytes, v->len);
    }
    if (st->id == MS_ST_BEGIN_TRAN) {
        run->command = MS_CMD_BEGIN_TRAN;
        return ms_run_tran_begin(run->l, name, run->err);
    }
    if (st->id == MS_ST_COMMIT) {
        run->command = MS_CMD_COMMIT_TRAN;
        return ms_run_tran_commit(run->l, run->err);
    }
    if (st->id == MS_ST_ROLLBACK) {
        run->command = MS_CMD_ROLLBACK_TRAN;
        return ms_run_tran_rollback(run->l, name, run->err);
    }
    if (run->l->implicit_transactions && ms_tran_count(run->session) == 0 &&
        !ms_run_tran_begin(run->l, NULL, run->err))
        return false;
    return ms_tran_save(run->session, name, run->err);
}

/* --- control flow --- */

static enum ms_flow execute_one(struct ms_language *l, struct ms_batch *batch, struct ms_statement *st);

static enum ms_flow run_while(struct ms_language *l, struct ms_batch *batch, struct ms_statement *st,
                              struct ms_run *run)
{
    for (;;) {
        bool yes = false;
        l->frame->line = st->line;
        ms_arena_reset(&run->arena);
        if (!run_condition(run, batch, st, &yes))
            return ms_execute_fail(run, st, run->err);
        if (!yes || l->gone || l->session->cancelled)
            return l->gone || l->session->cancelled ? MS_FLOW_ABORT : MS_FLOW_NEXT;
        enum ms_flow flow = execute_one(l, batch, st->body);
        if (flow == MS_FLOW_BREAK)
            return MS_FLOW_NEXT;
        if (flow != MS_FLOW_NEXT && flow != MS_FLOW_CONTINUE)
            return flow;
    }
}

static enum ms_flow run_try(struct ms_language *l, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_caught *outer = l->caught;
    l->try_depth++;
    enum ms_flow flow = ms_execute_list(l, batch, st->body);
    l->try_depth--;
    if (flow != MS_FLOW_CAUGHT)
        return flow;
    int try_depth = l->try_depth;
    flow = ms_execute_list(l, batch, st->other);
    l->try_depth = try_depth;
    if (flow == MS_FLOW_CAUGHT) { /* an error inside CATCH: it alone goes on outwards */
        struct ms_caught *thrown = l->caught, *mine = thrown->outer;
        thrown->outer = outer;
        free(mine);
        return flow;
    }
    while (l->caught != outer) {
        struct ms_caught *gone = l->caught;
        l->caught = gone->outer;
        free(gone);
    }
    return flow;
}

static enum ms_flow run_control(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_language *l = run->l;
    bool yes = false;
    if (st->id == MS_ST_BLOCK)
        return ms_execute_list(l, batch, st->body);
    if (st->id == MS_ST_TRY)
        return run_try(l, batch, st);
    if (st->id == MS_ST_WHILE)
        return l->fmt_only ? execute_one(l, batch, st->body) : run_while(l, batch, st, run);
    if (st->id == MS_ST_BREAK)
        return l->fmt_only ? MS_FLOW_NEXT : MS_FLOW_BREAK;
    if (st->id == MS_ST_CONTINUE)
        return l->fmt_only ? MS_FLOW_NEXT : MS_FLOW_CONTINUE;
    if (st->id == MS_ST_GOTO && !l->fmt_only) {
        l->frame->going_to = st->word;
        return MS_FLOW_GOTO;
    }
    if (st->id != MS_ST_IF)
        return MS_FLOW_NEXT;
    if (l->fmt_only) { /* both ways are walked */
        enum ms_flow flow = execute_one(l, batch, st->body);
        return flow == MS_FLOW_NEXT && st->other ? execute_one(l, batch, st->other) : flow;
    }
    if (!run_condition(run, batch, st, &yes))
        return ms_execute_fail(run, st, run->err);
    if (yes)
        return execute_one(l, batch, st->body);
    return st->other ? execute_one(l, batch, st->other) : MS_FLOW_NEXT;
}

static bool is_control(enum ms_statement_id id)
{
    return id == MS_ST_BLOCK || id == MS_ST_TRY || id == MS_ST_WHILE || id == MS_ST_BREAK ||
           id == MS_ST_CONTINUE || id == MS_ST_GOTO || id == MS_ST_IF || id == MS_ST_LABEL;
}

static bool run_statement(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st)
{
    if (st->id >= MS_ST_TRUNCATE && st->id <= MS_ST_UPDATE_STATISTICS && st->id != MS_ST_USE)
        return ms_run_ddl(run, st);
    if (st->id >= MS_ST_CURSOR_DECLARE && st->id <= MS_ST_CURSOR_DEALLOCATE)
        return ms_run_cursor(run, st);
    if (st->id >= MS_ST_BEGIN_TRAN && st->id <= MS_ST_SAVE_TRAN)
        return transaction(run, st);
    if (st->id == MS_ST_SELECT)
        return ms_run_select(run, batch, st);
    if (st->id == MS_ST_INSERT)
        return ms_run_insert(run, batch, st);
    if (st->id == MS_ST_UPDATE || st->id == MS_ST_DELETE)
        return ms_run_change(run, batch, st);
    if (st->id == MS_ST_USE)
        return ms_run_use(run, st->word);
    if (st->id == MS_ST_SET_OPTION)
        return ms_run_option(run, st);
    if (st->id == MS_ST_EXEC)
        return ms_run_exec(run, st);
    if (st->id == MS_ST_EXEC_TEXT)
        return ms_run_exec_text(run, st);
    if (st->id == MS_ST_SET_VARIABLE || st->id == MS_ST_DECLARE)
        return run_in_statement(run, st->id == MS_ST_DECLARE ? declare : set_variable, st);
    if (st->id == MS_ST_PRINT)
        return run_in_statement(run, print, st);
    if (st->id == MS_ST_RETURN)
        return run_in_statement(run, run_return, st);
    if (st->id == MS_ST_RAISERROR)
        return run_in_statement(run, ms_run_raiserror, st);
    if (st->id == MS_ST_THROW)
        return run_in_statement(run, ms_run_throw, st);
    if (st->id == MS_ST_WAITFOR)
        return wait_for(run, st);
    return true;
}

static bool tells_done(const struct ms_run *run)
{
    return run->command != 0 &&
           !(run->l->nocount && run->command != MS_CMD_SELECT && run->rows >= 0 && run->l->nest > 1);
}

static bool sets(const struct ms_statement *st, const char *option)
{
    return st->id == MS_ST_SET_OPTION && strcasecmp(st->word, option) == 0;
}

/* What SET FMTONLY ON leaves: the options themselves, what declares and calls, and the ways through a batch.
 */
static bool runs_under_fmtonly(const struct ms_statement *st)
{
    return st->id == MS_ST_SET_OPTION || st->id == MS_ST_DECLARE || st->id == MS_ST_EXEC_TEXT ||
           st->id == MS_ST_EXEC || st->id == MS_ST_USE || is_control(st->id);
}

static enum ms_flow execute_one(struct ms_language *l, struct ms_batch *batch, struct ms_statement *st)
{
    struct ms_error err = {0};
    struct ms_run run = {.l = l, .session = l->session, .sink = l->sink, .err = &err, .rows = -1};
    l->frame->line = st->line;
    if (l->gone || l->session->cancelled)
        return MS_FLOW_ABORT;
    enum ms_flow flow;
    if (l->no_exec && !sets(st, "noexec"))
        return MS_FLOW_NEXT;
    if (l->fmt_only && !runs_under_fmtonly(st)) {
        flow = ms_run_shape(&run, batch, st) ? MS_FLOW_NEXT : ms_execute_fail(&run, st, &err);
    } else if (is_control(st->id)) {
        flow = run_control(&run, batch, st);
    } else if (run_statement(&run, batch, st)) {
        bool keeps = st->id == MS_ST_DECLARE || st->id == MS_ST_PRINT || st->id == MS_ST_EXEC ||
                     st->id == MS_ST_EXEC_TEXT || st->id == MS_ST_RAISERROR || st->id == MS_ST_RETURN;
        l->last_error = st->id == MS_ST_RAISERROR ? l->last_error : 0;
        if (!keeps)
            l->row_count = run.rows >= 0 ? run.rows : st->id == MS_ST_SET_VARIABLE ? 1 : 0;
        if (tells_done(&run))
            ms_tell_done(l, run.command, run.rows, false);
        flow = run.flow;
    } else {
        flow = ms_execute_fail(&run, st, &err);
    }
    ms_arena_free(&run.arena);
    return flow;
}

static struct ms_statement *find_label(struct ms_statement *list, const char *label)
{
    for (struct ms_statement *st = list; st; st = st->next)
        if (st->id == MS_ST_LABEL && ms_name_equal(st->word, label))
            return st;
    return NULL;
}

enum ms_flow ms_execute_list(struct ms_language *l, struct ms_batch *batch, struct ms_statement *list)
{
    struct ms_statement *st = list;
    while (st) {
        enum ms_flow flow = execute_one(l, batch, st);
        if (flow == MS_FLOW_GOTO) {
            struct ms_statement *label = find_label(list, l->frame->going_to);
            if (label) {
                st = label->next;
                continue;
            }
        }
        if (flow != MS_FLOW_NEXT)
            return flow;
        st = st->next;
    }
    return MS_FLOW_NEXT;
}
