/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage's own statements on a session's connection: prepared once per session, found again by the address
 * of their text, which must be a string literal.
 *
 * Parameters are given by a word of letters: i int, I int64_t, s text (NULL: NULL), b bytes and their size_t
 * length, v const struct ms_type * and const struct ms_value *. Texts and bytes must live until the statement
 * is reset.
 */
#ifndef SIM_SQLSERVER_STORAGE_SQL_H
#define SIM_SQLSERVER_STORAGE_SQL_H

#include "../tsql/arena.h"
#include "session_state.h"

#include <stdarg.h>

struct ms_sql_cache *ms_sql_cache_new(void);
void ms_sql_cache_free(struct ms_sql_cache *cache); /* finalizes; before the connection is closed */

/* The statement, reset and bound, ready to be stepped; sqlite3_reset it when done. NULL with *err. */
sqlite3_stmt *ms_sql(struct ms_session *session, struct ms_error *err, const char *literal, const char *types,
                     ...);

/* Bind and run to the end. */
bool ms_sql_run(struct ms_session *session, struct ms_error *err, const char *literal, const char *types,
                ...);

/* The first column of the first row as an integer; otherwise when there is no row, or it is NULL. */
int64_t ms_sql_int(struct ms_session *session, int64_t otherwise, const char *literal, const char *types,
                   ...);

/*
 * A statement kept by its text: for texts made of physical names. About a thousand are kept. Not bound;
 * sqlite3_reset it when done. NULL with *err.
 */
sqlite3_stmt *ms_sql_by_text(struct ms_session *session, struct ms_error *err, const char *text);

void ms_sql_bind(sqlite3_stmt *stmt, const char *types, va_list args);
/* Called between statements: forgets texts when there are too many. */
void ms_sql_trim(struct ms_session *session);

/* Step to the end, reset, forget the bindings. */
bool ms_sql_finish(struct ms_session *session, sqlite3_stmt *stmt, struct ms_error *err);

/* A text made on the spot, without parameters. */
bool ms_sql_exec(struct ms_session *session, struct ms_error *err, const char *text);
bool ms_sql_execf(struct ms_session *session, struct ms_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A column's text, "" when NULL, in the arena; or NULL when NULL. */
const char *ms_sql_text(sqlite3_stmt *stmt, int index, struct ms_arena *arena);
const char *ms_sql_text_or_null(sqlite3_stmt *stmt, int index, struct ms_arena *arena);

#endif
