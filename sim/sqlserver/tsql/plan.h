/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bound query: SQLite text, what its parameters are, and the types of its columns.
 *
 * Made by the binder (bind.h), run many times. A plan belongs to one session and one version of the
 * catalogue; it lives in the arena it was bound in, but its SQLite statement must be closed with
 * ms_plan_close.
 */
#ifndef SIM_SQLSERVER_TSQL_PLAN_H
#define SIM_SQLSERVER_TSQL_PLAN_H

#include "../storage/transaction.h"
#include "language.h"
#include "operation.h"

enum ms_parameter_kind { MS_PARAMETER_LITERAL, MS_PARAMETER_VARIABLE, MS_PARAMETER_OPERATION };

struct ms_parameter {
    enum ms_parameter_kind kind;
    struct ms_type type;
    struct ms_value value; /* literal */
    int slot;              /* variable */
    const struct ms_operation *operation;
};

/* An output column: what clients see, and where its bytes come from. */
struct ms_output {
    struct ms_column column;
    const char *collation; /* SQLite's name, for text */
    int assign_slot;       /* SELECT @v = ...; -1 */
    char assign_operator;
};

struct ms_plan_lock {
    int32_t object_id;
    enum ms_lock_mode mode;
};

struct ms_plan {
    const char *sql;
    sqlite3_stmt *stmt;
    struct ms_parameter *parameters;
    size_t n_parameters;
    bool bound_once; /* literals and operations are in place */
    struct ms_output *outputs;
    size_t n_outputs;
    struct ms_plan_lock *locks;
    size_t n_locks;
    bool assigns; /* SELECT @v = ...: no result set */
};

/* Prepare (once) and bind the current values of variables. */
bool ms_plan_open(struct ms_language *language, struct ms_plan *plan, struct ms_error *err);
/* Take the locks that its tables ask for; after ms_statement_begin. */
bool ms_plan_lock(struct ms_session *session, const struct ms_plan *plan, struct ms_error *err);
/* The next row. 1 a row, 0 the end, -1 an error. */
int ms_plan_step(struct ms_session *session, struct ms_plan *plan, struct ms_error *err);
void ms_plan_read(const struct ms_plan *plan, size_t first_column, struct ms_arena *arena,
                  struct ms_value *values);
void ms_plan_rewind(struct ms_plan *plan);
void ms_plan_close(struct ms_plan *plan);

#endif
