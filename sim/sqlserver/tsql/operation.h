/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed operations: what an expression computes that SQLite cannot compute by SQL Server's rules.
 *
 * The binder makes one ms_operation for each typed operator, conversion or function call. Inside SQLite it is
 * the call `ms(?k, a, b ...)` whose first argument carries the operation as a bound pointer; a tree without
 * columns is evaluated directly. Both ways end in `eval`.
 */
#ifndef SIM_SQLSERVER_TSQL_OPERATION_H
#define SIM_SQLSERVER_TSQL_OPERATION_H

#include "../storage/cell.h"
#include "../storage/session_state.h"
#include "arena.h"
#include "convert.h"

#define MS_OPERATION_ARGS 16

struct ms_language;

/* What an operation may use while it runs. */
struct ms_eval {
    struct ms_session *session;
    struct ms_language *language;
    struct ms_arena *arena;
    struct ms_error *err;
};

struct ms_operation;
typedef bool ms_eval_function(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                              struct ms_value *ret);

struct ms_operation {
    ms_eval_function *eval;
    struct ms_type result;
    size_t n_args;
    struct ms_type args[MS_OPERATION_ARGS];
    bool null_in_null_out; /* eval is not called when an argument is NULL */
    bool changing;         /* answers differ from call to call: NEWID(), SYSDATETIME() */
    char symbol;           /* operators */
    int number;            /* style, date part, anything the binder wants to hand over */
    bool flag;
    const char *text;
};

/* Run one operation on values of its argument types. */
bool ms_operation_run(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                      struct ms_value *ret);

/* Register ms(), msv() and the aggregates on a session's connection. */
void ms_operation_register(struct ms_session *session);

/* --- the operations by name --- */
ms_eval_function ms_op_convert;    /* number: style; flag: TRY_; args[0] to result */
ms_eval_function ms_op_assign;     /* as an assignment to a column converts */
ms_eval_function ms_op_arithmetic; /* symbol; both arguments already have the wanted types */
ms_eval_function ms_op_negate;
ms_eval_function ms_op_invert;
ms_eval_function ms_op_like;     /* text, pattern [, escape] */
ms_eval_function ms_op_compare;  /* -1, 0, 1 for types whose cells do not compare */
ms_eval_function ms_op_variable; /* number: the slot, read when run */
ms_eval_function ms_op_global;   /* text: "@@rowcount" */

/* One built-in scalar function as the binder sees it. */
struct ms_function {
    const char *name;
    uint8_t min_args;
    uint8_t max_args;
    const char *args;   /* a letter for each: see functions.c; the last one repeats */
    const char *result; /* the rule of the result type: see functions.c */
    ms_eval_function *eval;
    bool changing;
    bool nulls; /* eval wants to see NULLs */
};
const struct ms_function *ms_function_find(const char *name);

/* The type that argument `i` of the call is converted to, given what it has; and the type of the result. */
struct ms_type ms_function_arg_type(const struct ms_function *f, size_t i, const struct ms_type *have);
struct ms_type ms_function_result_type(const struct ms_function *f, const struct ms_type *args, size_t n);

extern const struct ms_function ms_functions_text[];
extern const struct ms_function ms_functions_math[];
extern const struct ms_function ms_functions_date[];
extern const struct ms_function ms_functions_session[];

#endif
