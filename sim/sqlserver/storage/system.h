/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System objects: views, functions and procedures of sys, cdc, INFORMATION_SCHEMA and msdb, and the metadata
 * functions (OBJECT_ID, DB_NAME, COLUMNPROPERTY ...). User tables, the tables of schema cdc among them
 * (change_tables, lsn_time_mapping, <ci>_CT ...), are found through catalog.h.
 *
 * Names compare without case. A NULL database is the current one; a NULL or "" schema means that none was
 * written.
 */
#ifndef SIM_SQLSERVER_STORAGE_SYSTEM_H
#define SIM_SQLSERVER_STORAGE_SYSTEM_H

#include "catalog.h"
#include "../tsql/arena.h"

struct ms_source_column {
    const char *name;
    struct ms_type type;
    bool nullable;
    const char *sql_name; /* the column's name inside from_sql, to be quoted with "" */
};

/*
 * Something that stands in FROM. from_sql is a SQLite sub-select in parentheses, without alias; cells are as
 * cell.h says for each column's type. Where it takes arguments, {1}, {2} ... stand in it for their SQLite
 * texts, each used exactly once: the caller puts in expressions converted to `parameters`.
 */
struct ms_source {
    const char *from_sql;
    const struct ms_source_column *columns;
    size_t n_columns;
    const struct ms_type *parameters;
    size_t n_parameters;
};

/* Texts live in the arena. False: there is no such view (208 is the caller's to tell). */
bool ms_system_view(struct ms_session *session, const char *database, const char *schema, const char *name,
                    struct ms_arena *arena, struct ms_source *ret_source);

/* Table-valued: cdc.fn_cdc_get_all_changes_<ci>, cdc.fn_cdc_get_net_changes_<ci>, sys.fn_helpcollations ...
 */
bool ms_system_table_function(struct ms_session *session, const char *database, const char *schema,
                              const char *name, struct ms_arena *arena, struct ms_source *ret_source);

/*
 * A scalar function registered on every session's SQLite connection. The call is
 *     sqlite_function ( [leading ,] argument , argument ... )
 * with arguments converted to `parameters` (MS_UNKNOWN: any type, as it is). sys.fn_cdc_get_max_lsn and
 * friends carry their database's id in `leading`.
 */
struct ms_scalar {
    const char *sqlite_function;
    const char *leading; /* "" or "5" */
    struct ms_type type; /* of the result */
    struct ms_type parameters[8];
    uint8_t min_parameters;
    uint8_t max_parameters;
};
bool ms_system_scalar(struct ms_session *session, const char *database, const char *schema, const char *name,
                      struct ms_arena *arena, struct ms_scalar *ret_scalar);

/* "nvarchar(128)", "decimal(10,2)", "varbinary(max)": a type as views and procedures of this program write
 * it. */
bool ms_type_parse(const char *text, struct ms_type *ret_type);

/* "name type, name type!, ...": columns as views write them; ! means NOT NULL. Aborts on a mistake. */
struct ms_source_column *ms_source_columns(struct ms_arena *arena, const char *spec, size_t *ret_n);

/* One formal parameter of a system procedure. */
struct ms_formal {
    const char *name; /* with '@' */
    struct ms_type type;
    bool output;
    bool required;
};

struct ms_procedure {
    const char *name;
    const struct ms_formal *formals;
    size_t n_formals;
};

/*
 * Run it. args stand in the order of formals, converted to their types; given[i] false: not given (use the
 * default). Results go to sink: columns, rows and done of each result set, and messages; but not
 * return_status or return_value, which are the caller's, nor the error in *err. Outputs are written into
 * args. The procedure begins and ends its own statements: call it outside of one, or inside a WRITE. db_id:
 * the database it was called in (EXEC other.sys.sp_x).
 */
bool ms_procedure_run(const struct ms_procedure *procedure, struct ms_session *session, int32_t db_id,
                      struct ms_value *args, const bool *given, struct ms_arena *arena,
                      const struct ms_sink *sink, int32_t *ret_status, struct ms_error *err);

/* NULL: no such system procedure (2812 is the caller's). sp_ names are found from every database. */
const struct ms_procedure *ms_system_procedure(struct ms_session *session, const char *database,
                                               const char *schema, const char *name);

#endif
