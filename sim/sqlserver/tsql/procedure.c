/* SPDX-License-Identifier: Apache-2.0 */
/* EXECUTE: dynamic text, sp_executesql, the user's procedures, and the system's. */
#include "procedure.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../storage/system.h"
#include "lexer.h"
#include "undeclared.h"

/* --- arguments --- */

static bool too_many(struct ms_error *err, const char *name)
{
    return ms_error_set(err, 8144, 16, 2, "Procedure or function %s has too many arguments specified.", name);
}

static int formal_named(const struct ms_formal *formals, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (ms_name_equal(formals[i].name, name))
            return (int)i;
    return -1;
}

/* Put given arguments in the order of formals, converted. index[i]: which argument fills formal i, or -1. */
static bool arrange(struct ms_arena *arena, const char *name, const struct ms_formal *formals,
                    size_t n_formals, const struct ms_argument *args, size_t n_args, struct ms_value *values,
                    bool *given, int *index, struct ms_error *err)
{
    for (size_t i = 0; i < n_formals; i++) {
        values[i] = (struct ms_value){.is_null = true};
        given[i] = false;
        index[i] = -1;
    }
    for (size_t i = 0; i < n_args; i++) {
        int at = args[i].name && args[i].name[0] ? formal_named(formals, n_formals, args[i].name) : (int)i;
        if (at < 0)
            return ms_error_set(err, 8145, 16, 2, "%s is not a parameter for procedure %s.", args[i].name,
                                name);
        if ((size_t)at >= n_formals)
            return too_many(err, name);
        if (args[i].use_default)
            continue;
        struct ms_conversion how = {.from = args[i].type, .to = formals[at].type, .style = MS_STYLE_NONE};
        if (!ms_convert(arena, &how, &args[i].value, &values[at], err))
            return ms_error_set(err, 8114, 16, 5, "Error converting data type %s to %s.",
                                ms_type_word(args[i].type.id), ms_type_word(formals[at].type.id));
        given[at] = true;
        index[at] = (int)i;
    }
    for (size_t i = 0; i < n_formals; i++)
        if (formals[i].required && !given[i])
            return ms_error_set(err, 201, 16, 4,
                                "Procedure or function '%s' expects parameter '%s', which was not supplied.",
                                name, formals[i].name);
    return true;
}

static void return_outputs(const struct ms_formal *formals, size_t n_formals, const struct ms_value *values,
                           const int *index, struct ms_argument *args)
{
    for (size_t i = 0; i < n_formals; i++) {
        if (index[i] < 0 || !args[index[i]].output)
            continue;
        args[index[i]].value = values[i];
        args[index[i]].type = formals[i].type;
        args[index[i]].changed = true;
    }
}

/* --- the system's procedures --- */

static bool call_system(struct ms_call *call, const struct ms_procedure *p, const char *database)
{
    struct ms_language *l = call->l;
    if (l->fmt_only) /* what it would do must not happen */
        return true;
    struct ms_value *values = ms_arena_alloc(call->arena, (p->n_formals + 1) * sizeof *values);
    bool *given = ms_arena_alloc(call->arena, p->n_formals + 1);
    int *index = ms_arena_alloc(call->arena, (p->n_formals + 1) * sizeof *index);
    if (!arrange(call->arena, p->name, p->formals, p->n_formals, call->args, call->n_args, values, given,
                 index, call->err))
        return false;
    int32_t db_id = l->session->db_id;
    if (database && database[0]) {
        struct ms_error ignored;
        if (!ms_statement_begin(l->session, MS_STATEMENT_READ, call->err))
            return false;
        const struct ms_database *db = ms_catalog_database(l->session, database);
        db_id = db ? db->db_id : db_id;
        (void)ms_statement_end(l->session, true, &ignored);
    }
    bool ok =
        ms_procedure_run(p, l->session, db_id, values, given, call->arena, l->sink, &call->status, call->err);
    if (ok)
        return_outputs(p->formals, p->n_formals, values, index, call->args);
    else if (!call->err->procedure[0])
        (void)strncpy(call->err->procedure, p->name, sizeof call->err->procedure - 1);
    return ok;
}

/* --- text with parameters: sp_executesql, user procedures --- */

static bool nest_too_deep(struct ms_call *call)
{
    return ms_error_set(call->err, 217, 16, 1,
                        "Maximum stored procedure, function, trigger, or view nesting level exceeded "
                        "(limit %d).",
                        MS_NEST_LIMIT);
}

static const struct ms_formal *formals_of(struct ms_arena *arena, const struct ms_batch *batch)
{
    struct ms_formal *formals = ms_arena_alloc(arena, (batch->n_parameters + 1) * sizeof *formals);
    for (size_t i = 0; i < batch->n_parameters; i++) {
        const struct ms_variable *v = &batch->variables[i];
        formals[i] = (struct ms_formal){
            .name = v->name, .type = v->type, .output = v->output, .required = !v->initial};
    }
    return formals;
}

static bool fill_defaults(struct ms_call *call, const struct ms_batch *batch, struct ms_value *values,
                          const bool *given)
{
    for (size_t i = 0; i < batch->n_parameters; i++)
        if (!given[i] && batch->variables[i].initial &&
            !ms_evaluate(call->l, call->arena, batch->variables[i].initial, &batch->variables[i].type,
                         &values[i], NULL, call->err))
            return false;
    return true;
}

bool ms_call_batch(struct ms_call *call, struct ms_batch *batch, const char *procedure,
                   struct ms_argument *args, size_t n_args)
{
    size_t n = batch->n_parameters;
    const struct ms_formal *formals = formals_of(call->arena, batch);
    struct ms_value *values = ms_arena_alloc(call->arena, (n + 1) * sizeof *values);
    struct ms_value *outputs = ms_arena_alloc(call->arena, (n + 1) * sizeof *outputs);
    bool *given = ms_arena_alloc(call->arena, n + 1);
    int *index = ms_arena_alloc(call->arena, (n + 1) * sizeof *index);
    if (call->l->nest >= MS_NEST_LIMIT)
        return nest_too_deep(call);
    if (!arrange(call->arena, procedure[0] ? procedure : "sp_executesql", formals, n, args, n_args, values,
                 given, index, call->err) ||
        !fill_defaults(call, batch, values, given))
        return false;
    call->flow = ms_execute_batch(call->l, batch, procedure, values, outputs, call->arena, &call->status);
    return_outputs(formals, n, outputs, index, args);
    return true;
}

static const char *text_argument(struct ms_call *call, size_t i, size_t *ret_len)
{
    struct ms_type text = ms_type_string(true, MS_MAX);
    struct ms_conversion how = {.from = call->args[i].type, .to = text, .style = MS_STYLE_NONE};
    struct ms_value v;
    *ret_len = 0;
    if (!ms_convert(call->arena, &how, &call->args[i].value, &v, call->err) || v.is_null)
        return NULL;
    *ret_len = v.len;
    return ms_arena_dup(call->arena, v.bytes, v.len);
}

static bool parse_failed(struct ms_call *call, int line)
{
    call->l->last_error = call->err->number;
    if (call->l->try_depth > 0)
        return false;
    ms_tell(call->l, call->err, line);
    ms_tell_done(call->l, MS_CMD_OTHER, -1, true);
    call->status = call->err->number;
    return true; /* told already: the caller's batch goes on */
}

static bool call_executesql(struct ms_call *call)
{
    size_t len, ignored;
    if (call->n_args < 1)
        return ms_error_set(call->err, 201, 16, 10,
                            "Procedure or function 'sp_executesql' expects parameter '@statement', "
                            "which was not supplied.");
    const char *text = text_argument(call, 0, &len);
    const char *declaration = call->n_args > 1 ? text_argument(call, 1, &ignored) : NULL;
    int line;
    struct ms_batch *batch = ms_prepared_text(call->l, text ? text : "", len, declaration, &line, call->err);
    if (!batch)
        return parse_failed(call, line);
    size_t skip = call->n_args > 1 ? 2 : 1;
    bool ok = ms_call_batch(call, batch, "", call->args + skip, call->n_args - skip);
    ms_prepared_done(call->l, batch);
    return ok;
}

/* CREATE PROCEDURE name [(] @a int = 1, ... [)] [WITH ...] AS body: where the parameters and the body stand.
 */
static bool split_procedure(struct ms_call *call, const char *text, const char **ret_declaration,
                            const char **ret_body)
{
    struct ms_token *t;
    int line;
    size_t i = 0;
    if (!ms_lex(call->arena, text, strlen(text), &t, &line, call->err))
        return false;
    while (t[i].kind != MS_TOKEN_END && t[i].kind != MS_TOKEN_VARIABLE &&
           !(t[i].kind == MS_TOKEN_NAME && !t[i].quoted && strcasecmp(t[i].text, "as") == 0))
        i++;
    size_t first = t[i].begin, last = first;
    int depth = 0;
    for (; t[i].kind != MS_TOKEN_END; i++) {
        bool name = t[i].kind == MS_TOKEN_NAME && !t[i].quoted;
        bool typed = i > 0 && t[i - 1].kind == MS_TOKEN_VARIABLE; /* "@a AS int" */
        if (t[i].kind == MS_TOKEN_SYMBOL && t[i].text[0] == '(')
            depth++;
        if (t[i].kind == MS_TOKEN_SYMBOL && t[i].text[0] == ')' && --depth < 0)
            continue; /* the parenthesis around the whole list */
        if (name && strcasecmp(t[i].text, "as") == 0 && !typed)
            break;
        if (name && strcasecmp(t[i].text, "with") == 0)
            continue;
        if (!(name && i > 0 && t[i - 1].kind == MS_TOKEN_NAME && strcasecmp(t[i - 1].text, "with") == 0))
            last = t[i].end;
    }
    *ret_declaration = ms_arena_dup(call->arena, text + first, last - first);
    *ret_body = t[i].kind == MS_TOKEN_END ? "" : text + t[i].end;
    return true;
}

static bool call_module(struct ms_call *call, const struct ms_module *module)
{
    const char *declaration, *body, *name = ms_arena_text(call->arena, module->name);
    const char *definition = ms_arena_text(call->arena, module->definition);
    int line;
    if (!split_procedure(call, definition, &declaration, &body))
        return false;
    struct ms_batch *batch = ms_prepared_text(call->l, body, strlen(body), declaration, &line, call->err);
    if (!batch)
        return false;
    bool ok = ms_call_batch(call, batch, name, call->args, call->n_args);
    ms_prepared_done(call->l, batch);
    return ok;
}

static const struct ms_module *find_module(struct ms_call *call, const char *database, const char *schema,
                                           const char *name)
{
    struct ms_error ignored;
    if (!ms_statement_begin(call->l->session, MS_STATEMENT_READ, &ignored))
        return NULL;
    const struct ms_module *module = ms_catalog_module(call->l->session, database, schema, name);
    (void)ms_statement_end(call->l->session, true, &ignored);
    return module && strcmp(module->type, "P") == 0 ? module : NULL;
}

bool ms_call_procedure(struct ms_call *call, const struct ms_name *name)
{
    const char *last = name->parts[name->n - 1];
    const char *schema = name->n > 1 && name->parts[name->n - 2][0] ? name->parts[name->n - 2] : NULL;
    const char *database = name->n > 2 && name->parts[name->n - 3][0] ? name->parts[name->n - 3] : NULL;
    if (strcasecmp(last, "sp_executesql") == 0)
        return call_executesql(call);
    if (strcasecmp(last, "sp_describe_undeclared_parameters") == 0)
        return ms_call_undeclared(call);
    const struct ms_procedure *p = ms_system_procedure(call->l->session, database, schema, last);
    if (p)
        return call_system(call, p, database);
    const struct ms_module *module = find_module(call, database, schema, last);
    if (module)
        return call_module(call, module);
    return ms_error_set(call->err, 2812, 16, 62, "Could not find stored procedure '%s'.",
                        ms_name_text(call->arena, name));
}

/* --- EXEC as a statement --- */

static bool collect_arguments(struct ms_run *run, struct ms_statement *st, struct ms_argument *args)
{
    for (size_t i = 0; i < st->n_exec_args; i++) {
        const struct ms_exec_arg *a = &st->exec_args[i];
        args[i] = (struct ms_argument){.name = a->name, .output = a->output, .use_default = a->use_default};
        if (a->expr && !ms_run_evaluate(run, a->expr, NULL, &args[i].value, &args[i].type))
            return false;
    }
    return true;
}

static bool store_outputs(struct ms_run *run, struct ms_statement *st, const struct ms_call *call)
{
    for (size_t i = 0; i < st->n_exec_args; i++)
        if (call->args[i].changed &&
            !ms_run_assign(run, st->exec_args[i].expr->slot, &call->args[i].type, &call->args[i].value))
            return false;
    struct ms_type integer = {.id = MS_INT};
    struct ms_value status = {.i = call->status};
    return st->slot < 0 || ms_run_assign(run, st->slot, &integer, &status);
}

/* "EXEC @name": the name is text, dots and brackets included. */
static bool name_from_variable(struct ms_run *run, struct ms_statement *st, struct ms_name *ret)
{
    const char *text;
    struct ms_token *t;
    int line;
    if (!ms_run_text(run, st->expr, &text) || !ms_lex(&run->arena, text, strlen(text), &t, &line, run->err))
        return false;
    ret->n = 0;
    for (size_t i = 0; t[i].kind == MS_TOKEN_NAME && ret->n < 4; i += 2) {
        ret->parts[ret->n++] = t[i].text;
        if (t[i + 1].kind != MS_TOKEN_SYMBOL || t[i + 1].text[0] != '.')
            break;
    }
    return ret->n > 0 || ms_error_set(run->err, 2812, 16, 62, "Could not find stored procedure '%s'.", text);
}

static void take_flow(struct ms_run *run, enum ms_flow flow)
{
    if (flow == MS_FLOW_CAUGHT || run->l->gone)
        run->flow = flow == MS_FLOW_CAUGHT ? flow : MS_FLOW_ABORT;
}

bool ms_run_exec(struct ms_run *run, struct ms_statement *st)
{
    struct ms_name name = st->name;
    struct ms_argument *args = ms_arena_alloc(&run->arena, (st->n_exec_args + 1) * sizeof *args);
    struct ms_call call = {
        .l = run->l, .arena = &run->arena, .err = run->err, .args = args, .n_args = st->n_exec_args};
    run->command = MS_CMD_EXECUTE;
    struct ms_error ignored;
    if (!ms_statement_begin(run->session, MS_STATEMENT_READ, run->err))
        return false;
    bool ok = collect_arguments(run, st, args) && (!st->expr || name_from_variable(run, st, &name));
    if (!ms_statement_end(run->session, ok, ok ? run->err : &ignored) || !ok)
        return false;
    if (!ms_call_procedure(&call, &name))
        return false;
    take_flow(run, call.flow);
    return store_outputs(run, st, &call);
}

bool ms_run_exec_text(struct ms_run *run, struct ms_statement *st)
{
    const char *text;
    struct ms_error ignored;
    int line;
    struct ms_call call = {.l = run->l, .arena = &run->arena, .err = run->err};
    run->command = MS_CMD_EXECUTE;
    if (!ms_statement_begin(run->session, MS_STATEMENT_READ, run->err))
        return false;
    bool ok = ms_run_text(run, st->expr, &text);
    if (!ms_statement_end(run->session, ok, ok ? run->err : &ignored) || !ok)
        return false;
    struct ms_batch *batch = ms_prepared_text(run->l, text, strlen(text), NULL, &line, run->err);
    if (!batch)
        return parse_failed(&call, line);
    ok = ms_call_batch(&call, batch, "", NULL, 0);
    ms_prepared_done(run->l, batch);
    take_flow(run, call.flow);
    return ok;
}

/* --- INSERT ... EXEC: a sink that keeps rows and passes on everything else --- */

struct catching {
    struct ms_rows *rows;
    const struct ms_sink *outer;
    bool mixed; /* a second result set of another width */
};

static bool catch_columns(void *ctx, const struct ms_column *columns, size_t n)
{
    struct catching *c = ctx;
    if (c->rows->types) {
        c->mixed = c->mixed || n != c->rows->n_columns;
        return true;
    }
    c->rows->n_columns = n;
    c->rows->types = ms_arena_alloc(c->rows->arena, (n + 1) * sizeof *c->rows->types);
    for (size_t i = 0; i < n; i++)
        c->rows->types[i] = columns[i].type;
    return true;
}

static bool catch_row(void *ctx, const struct ms_value *values)
{
    struct catching *c = ctx;
    if (!c->mixed)
        (void)ms_rows_add(c->rows, c->rows->types, values);
    return true;
}

static bool catch_done(void *ctx, enum ms_command command, int64_t rows, bool failed)
{
    (void)ctx;
    (void)command;
    (void)rows;
    (void)failed;
    return true;
}

static bool catch_message(void *ctx, const struct ms_message *message)
{
    struct catching *c = ctx;
    return c->outer->message(c->outer->ctx, message);
}

static bool catch_env(void *ctx, enum ms_env what, const char *new_text, const char *old_text,
                      uint64_t descriptor)
{
    struct catching *c = ctx;
    return c->outer->env(c->outer->ctx, what, new_text, old_text, descriptor);
}

static bool catch_return_value(void *ctx, const struct ms_column *column, const struct ms_value *value)
{
    (void)ctx;
    (void)column;
    (void)value;
    return true;
}

static bool catch_return_status(void *ctx, int32_t status)
{
    (void)ctx;
    (void)status;
    return true;
}

bool ms_run_exec_rows(struct ms_run *run, struct ms_statement *exec, struct ms_rows *ret_rows)
{
    struct catching c = {.rows = ret_rows, .outer = run->sink};
    struct ms_sink sink = {&c,        catch_columns,      catch_row,          catch_done, catch_message,
                           catch_env, catch_return_value, catch_return_status};
    enum ms_command command = run->command;
    run->l->sink = &sink;
    run->sink = &sink;
    bool ok = exec->id == MS_ST_EXEC ? ms_run_exec(run, exec) : ms_run_exec_text(run, exec);
    run->l->sink = run->sink = c.outer;
    run->command = command;
    if (ok && c.mixed)
        return ms_error_set(run->err, 213, 16, 7,
                            "Column name or number of supplied values does not match table definition.");
    return ok;
}
