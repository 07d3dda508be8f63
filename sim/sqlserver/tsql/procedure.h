/* SPDX-License-Identifier: Apache-2.0 */
/* Calling procedures, from EXEC and from the wire. */
#ifndef SIM_SQLSERVER_TSQL_PROCEDURE_H
#define SIM_SQLSERVER_TSQL_PROCEDURE_H

#include "execute.h"

struct ms_argument {
    const char *name; /* "@x"; "" when positional */
    struct ms_type type;
    struct ms_value value;
    bool output;
    bool use_default;
    bool changed; /* an output was returned into value and type */
};

struct ms_call {
    struct ms_language *l;
    struct ms_arena *arena;
    struct ms_error *err;
    struct ms_argument *args;
    size_t n_args;
    int32_t status;    /* of RETURN */
    enum ms_flow flow; /* how its batch ended */
};

/* By name: the system's, the user's, sp_executesql. Call it outside of a statement. 2812: there is none. */
bool ms_call_procedure(struct ms_call *call, const struct ms_name *name);

/* Run a parsed text whose first variables are its parameters. */
bool ms_call_batch(struct ms_call *call, struct ms_batch *batch, const char *procedure,
                   struct ms_argument *args, size_t n_args);

/* A parsed text, kept for the next call with the same text and declaration; give it back with done. */
struct ms_batch *ms_prepared_text(struct ms_language *l, const char *text, size_t len,
                                  const char *declaration, int *ret_line, struct ms_error *err);
void ms_prepared_done(struct ms_language *l, struct ms_batch *batch);

#endif
