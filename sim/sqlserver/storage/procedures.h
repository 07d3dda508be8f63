/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of system procedures. A procedure is a query (columns and a SQLite SELECT with ?1, ?2 ... for
 * its parameters, {db} and {types} as in views), or a C function. Private to storage/ and cdc/.
 */
#ifndef SIM_SQLSERVER_STORAGE_PROCEDURES_H
#define SIM_SQLSERVER_STORAGE_PROCEDURES_H

#include "system.h"

/* What a procedure written in C is given. */
struct ms_procedure_call {
    struct ms_session *session;
    int32_t db_id;
    struct ms_value *args; /* in the order of the parameters */
    const bool *given;
    struct ms_arena *arena;
    const struct ms_sink *sink;
    int32_t *ret_status;
    struct ms_error *err;
};

struct ms_procedure_entry {
    const char *name;
    const char *parameters; /* "@name type, @name type!" where ! means required */
    const char *columns;    /* of the query's result */
    const char *query;
    bool (*run)(struct ms_procedure_call *call); /* instead of the query */
};

extern const struct ms_procedure_entry ms_procedures_catalog[];
extern const size_t ms_procedures_catalog_count;
extern const struct ms_procedure_entry ms_procedures_admin[];
extern const size_t ms_procedures_admin_count;
extern const struct ms_procedure_entry ms_procedures_cdc[]; /* cdc/procedures.c */
extern const size_t ms_procedures_cdc_count;

/* An argument as text (NULL when NULL or not given), as a number (otherwise when NULL or not given). */
const char *ms_arg_text(const struct ms_procedure_call *call, size_t i);
int64_t ms_arg_int(const struct ms_procedure_call *call, size_t i, int64_t otherwise);

/* Send a query's rows as a result set, in a READ of its own; letters and arguments as in sql.h. */
bool ms_procedure_query(struct ms_procedure_call *call, const char *columns, const char *query,
                        const char *types, ...);

/* Run a piece of work in a WRITE of its own; what it did is undone when it answers false. */
bool ms_procedure_in_write(struct ms_procedure_call *call, bool (*work)(struct ms_procedure_call *call));

/* An informational message. False: the client has gone. */
bool ms_procedure_say(struct ms_procedure_call *call, int32_t number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* {db} and {types} in a query; views.c's words. */
void ms_system_expand(struct ms_buffer *sql, const char *select, int32_t db_id);

#endif
