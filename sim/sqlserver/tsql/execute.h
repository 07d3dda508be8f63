/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running statements: what the files of the executor share.
 *
 * Each kind of statement has one function. It answers false with *err filled when the statement failed; what
 * follows from that (message, CATCH, end of the batch, rollback) is decided in one place, execute.c.
 */
#ifndef SIM_SQLSERVER_TSQL_EXECUTE_H
#define SIM_SQLSERVER_TSQL_EXECUTE_H

#include "bind.h"
#include "language.h"
#include "parser.h"

enum ms_flow {
    MS_FLOW_NEXT,
    MS_FLOW_BREAK,
    MS_FLOW_CONTINUE,
    MS_FLOW_RETURN,
    MS_FLOW_GOTO,
    MS_FLOW_ABORT,  /* the batch ends */
    MS_FLOW_CAUGHT, /* an error is on its way to the nearest CATCH */
};

/* What was bound for a statement, good for one version of the catalogue and of the temporary tables. */
struct ms_statement_plan {
    struct ms_arena arena;
    uint64_t version;
    uint64_t temp_version;
    int32_t db_id;
    bool bound;
    struct ms_plan plan;
    struct ms_bound_change change;
    struct ms_statement_plan *next; /* of the batch */
};

/* One statement's run. */
struct ms_run {
    struct ms_language *l;
    struct ms_session *session;
    const struct ms_sink *sink;
    struct ms_arena arena; /* of this run */
    struct ms_error *err;
    enum ms_flow flow;
    enum ms_command command; /* of its done(); 0: it tells none */
    int64_t rows;            /* of its done(); -1: no count */
};

/* Tell an error or hand it to CATCH, and all that follows from it for the batch and its transaction. */
enum ms_flow ms_execute_fail(struct ms_run *run, const struct ms_statement *st, const struct ms_error *err);
enum ms_flow ms_execute_list(struct ms_language *l, struct ms_batch *batch, struct ms_statement *list);
bool ms_execute_begin_implicit(struct ms_run *run, struct ms_error *err);

/* Run a parsed batch in a frame of its own; arguments fill its parameters. */
enum ms_flow ms_execute_batch(struct ms_language *l, struct ms_batch *batch, const char *procedure,
                              const struct ms_value *arguments, struct ms_value *ret_outputs,
                              struct ms_arena *out_arena, int32_t *ret_status);
void ms_batch_free(struct ms_batch *batch);
void ms_session_settle(struct ms_language *l); /* what must be so between two batches */

/* The plan slot of a statement, emptied when it is out of date. */
struct ms_statement_plan *ms_statement_plan_for(struct ms_run *run, struct ms_batch *batch,
                                                struct ms_statement *st);

/* Messages. */
void ms_tell(struct ms_language *l, const struct ms_error *err, int line);
void ms_tell_info(struct ms_language *l, int32_t number, uint8_t state, uint8_t severity, const char *text);
void ms_tell_done(struct ms_language *l, enum ms_command command, int64_t rows, bool failed);

/* Transactions with their ENVCHANGEs. */
bool ms_run_tran_begin(struct ms_language *l, const char *name, struct ms_error *err);
bool ms_run_tran_commit(struct ms_language *l, struct ms_error *err);
bool ms_run_tran_rollback(struct ms_language *l, const char *name, struct ms_error *err);

/* Statements, by file. */
bool ms_run_select(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st);
/* Under SET FMTONLY ON: the columns of the statement's result, and no more. */
bool ms_run_shape(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st);
bool ms_run_insert(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st);
bool ms_run_change(struct ms_run *run, struct ms_batch *batch, struct ms_statement *st); /* UPDATE, DELETE */
bool ms_run_ddl(struct ms_run *run, struct ms_statement *st);
bool ms_run_option(struct ms_run *run, struct ms_statement *st);
bool ms_run_use(struct ms_run *run, const char *database);
bool ms_run_exec(struct ms_run *run, struct ms_statement *st);
bool ms_run_exec_text(struct ms_run *run, struct ms_statement *st);
bool ms_run_cursor(struct ms_run *run, struct ms_statement *st);
bool ms_run_raiserror(struct ms_run *run, struct ms_statement *st);
bool ms_run_throw(struct ms_run *run, struct ms_statement *st);
void ms_cursors_free(struct ms_language *l);
void ms_cursors_leave(struct ms_language *l,
                      const struct ms_batch *batch); /* those that this batch declared */
void ms_prepared_free(struct ms_language *l);

/* Rows kept in memory: cursors, INSERT ... SELECT, INSERT ... EXEC. */
struct ms_rows {
    struct ms_arena *arena;
    struct ms_type *types;
    size_t n_columns;
    struct ms_value **rows;
    size_t n;
    size_t cap;
};
struct ms_value *ms_rows_add(struct ms_rows *rows, const struct ms_type *types,
                             const struct ms_value *values);
bool ms_run_query_rows(struct ms_run *run, const struct ms_query *query, struct ms_rows *ret_rows,
                       struct ms_output **ret_outputs);

/* Run EXEC with its rows caught instead of sent (INSERT ... EXEC). */
bool ms_run_exec_rows(struct ms_run *run, struct ms_statement *exec, struct ms_rows *ret_rows);

/* Assign a value of a type to a variable, converting. */
bool ms_run_assign(struct ms_run *run, int slot, const struct ms_type *type, const struct ms_value *value);
bool ms_run_evaluate(struct ms_run *run, const struct ms_expr *expr, const struct ms_type *to,
                     struct ms_value *ret, struct ms_type *ret_type);
/* An expression as text, "" for NULL. */
bool ms_run_text(struct ms_run *run, const struct ms_expr *expr, const char **ret_text);
bool ms_value_has_bytes(const struct ms_type *type);

#endif
