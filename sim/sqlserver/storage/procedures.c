/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "cell.h"
#include "procedures.h"
#include "sql.h"
#include "transaction.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_PROCEDURES 128

/* An entry of the tables in the shape that callers see. */
struct built {
    struct ms_procedure pub;
    const struct ms_procedure_entry *entry;
};

static struct built all[MAX_PROCEDURES];
static size_t n_all;
static struct ms_arena forever; /* the formals of all procedures */
static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *ms_arg_text(const struct ms_procedure_call *call, size_t i)
{
    if (!call->given[i] || call->args[i].is_null)
        return NULL;
    return ms_arena_dup(call->arena, call->args[i].bytes, call->args[i].len);
}

int64_t ms_arg_int(const struct ms_procedure_call *call, size_t i, int64_t otherwise)
{
    return call->given[i] && !call->args[i].is_null ? call->args[i].i : otherwise;
}

bool ms_procedure_say(struct ms_procedure_call *call, int32_t number, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct ms_message message = {.number = number, .state = 1, .text = text, .procedure = "", .line = 1};
    return call->sink->message(call->sink->ctx, &message);
}

bool ms_procedure_in_write(struct ms_procedure_call *call, bool (*work)(struct ms_procedure_call *call))
{
    struct ms_error ignored;
    if (!ms_statement_begin(call->session, MS_STATEMENT_WRITE, call->err))
        return false;
    bool ok = work(call);
    return ms_statement_end(call->session, ok, ok ? call->err : &ignored) && ok;
}

static bool gone(struct ms_error *err)
{
    return ms_error_set(err, 3617, 16, 1, "The batch has been aborted by an attention of the client.");
}

/* The rows of a bound statement as a result set. */
static bool send_rows(struct ms_procedure_call *call, const char *spec, sqlite3_stmt *stmt)
{
    const struct ms_sink *sink = call->sink;
    size_t n = 0;
    int64_t rows = 0;
    int rc;
    struct ms_source_column *source = ms_source_columns(call->arena, spec, &n);
    struct ms_column *columns = ms_arena_alloc(call->arena, n * sizeof *columns);
    struct ms_value *values = ms_arena_alloc(call->arena, n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        columns[i] = (struct ms_column){
            .name = source[i].name, .type = source[i].type, .nullable = source[i].nullable};
    if (!sink->columns(sink->ctx, columns, n))
        return gone(call->err);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (size_t i = 0; i < n; i++)
            ms_cell_read(stmt, (int)i, &columns[i].type, call->arena, &values[i]);
        if (!sink->row(sink->ctx, values))
            return gone(call->err);
        rows++;
    }
    if (rc != SQLITE_DONE)
        return ms_session_sqlite_error(call->session, call->err);
    return sink->done(sink->ctx, MS_CMD_SELECT, rows, false) || gone(call->err);
}

static sqlite3_stmt *prepare(struct ms_procedure_call *call, const char *query)
{
    struct ms_buffer sql = {0};
    ms_system_expand(&sql, query, call->db_id);
    sqlite3_stmt *stmt = ms_sql_by_text(call->session, call->err, sql.data);
    ms_buffer_free(&sql);
    return stmt;
}

bool ms_procedure_query(struct ms_procedure_call *call, const char *columns, const char *query,
                        const char *types, ...)
{
    struct ms_error ignored;
    va_list args;
    if (!ms_statement_begin(call->session, MS_STATEMENT_READ, call->err))
        return false;
    sqlite3_stmt *stmt = prepare(call, query);
    bool ok = stmt != NULL;
    if (ok) {
        va_start(args, types);
        ms_sql_bind(stmt, types, args);
        va_end(args);
        ok = send_rows(call, columns, stmt);
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    return ms_statement_end(call->session, ok, ok ? call->err : &ignored) && ok;
}

static bool run_query(struct ms_procedure_call *call, const struct built *procedure)
{
    struct ms_error ignored;
    if (!ms_statement_begin(call->session, MS_STATEMENT_READ, call->err))
        return false;
    sqlite3_stmt *stmt = prepare(call, procedure->entry->query);
    bool ok = stmt != NULL;
    for (size_t i = 0; ok && i < procedure->pub.n_formals; i++) {
        struct ms_value none = {.is_null = true};
        ms_cell_bind(stmt, (int)i + 1, &procedure->pub.formals[i].type,
                     call->given[i] ? &call->args[i] : &none);
    }
    ok = ok && send_rows(call, procedure->entry->columns, stmt);
    if (stmt) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    return ms_statement_end(call->session, ok, ok ? call->err : &ignored) && ok;
}

static bool run_built(struct ms_session *session, int32_t db_id, const struct built *procedure,
                      struct ms_value *args, const bool *given, struct ms_arena *arena,
                      const struct ms_sink *sink, int32_t *ret_status, struct ms_error *err)
{
    struct ms_procedure_call call = {.session = session,
                                     .db_id = db_id,
                                     .args = args,
                                     .given = given,
                                     .arena = arena,
                                     .sink = sink,
                                     .ret_status = ret_status,
                                     .err = err};
    *ret_status = 0;
    if (procedure->entry->run ? procedure->entry->run(&call) : run_query(&call, procedure))
        return true;
    if (!*err->procedure && err->number >= 15000)
        snprintf(err->procedure, sizeof err->procedure, "%s", procedure->entry->name);
    *ret_status = 1;
    return false;
}

bool ms_procedure_run(const struct ms_procedure *procedure, struct ms_session *session, int32_t db_id,
                      struct ms_value *args, const bool *given, struct ms_arena *arena,
                      const struct ms_sink *sink, int32_t *ret_status, struct ms_error *err)
{
    return run_built(session, db_id, (const struct built *)procedure, args, given, arena, sink, ret_status,
                     err);
}

static void build(const struct ms_procedure_entry *entries, size_t n)
{
    for (size_t e = 0; e < n && n_all < MAX_PROCEDURES; e++) {
        size_t count = 0;
        struct ms_source_column *parameters = ms_source_columns(&forever, entries[e].parameters, &count);
        struct ms_formal *formals = ms_arena_alloc(&forever, (count + 1) * sizeof *formals);
        for (size_t i = 0; i < count; i++)
            formals[i] = (struct ms_formal){
                .name = parameters[i].name, .type = parameters[i].type, .required = !parameters[i].nullable};
        all[n_all++] = (struct built){
            .pub = {.name = entries[e].name, .formals = formals, .n_formals = count}, .entry = &entries[e]};
    }
}

static void build_all(void)
{
    build(ms_procedures_catalog, ms_procedures_catalog_count);
    build(ms_procedures_admin, ms_procedures_admin_count);
    build(ms_procedures_cdc, ms_procedures_cdc_count);
}

const struct ms_procedure *ms_system_procedure(struct ms_session *session, const char *database,
                                               const char *schema, const char *name)
{
    (void)session;
    (void)database;
    pthread_once(&once, build_all);
    if (schema && *schema && strcasecmp(schema, "sys") != 0 && strcasecmp(schema, "dbo") != 0)
        return NULL;
    for (size_t i = 0; i < n_all; i++) {
        if (strcasecmp(all[i].pub.name, name) == 0)
            return &all[i].pub;
    }
    return NULL;
}
