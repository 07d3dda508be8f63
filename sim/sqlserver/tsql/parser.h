/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T-SQL text to a tree. Syntax errors are SQL Server's (102, 156, 137, 178, ...); nothing is looked up here.
 */
#ifndef SIM_SQLSERVER_TSQL_PARSER_H
#define SIM_SQLSERVER_TSQL_PARSER_H

#include "ast.h"

/*
 * Parse a batch. `declaration` is the text of its parameters ("@P0 int, @P1 nvarchar(4000) OUTPUT") or NULL;
 * they are the first variables. On failure *ret_line tells where; the batch can be freed in either case.
 * quoted_identifier: "x" is a name; else it is a string (SET QUOTED_IDENTIFIER OFF).
 */
bool ms_parse_batch(const char *sql, size_t len, const char *declaration, bool quoted_identifier,
                    struct ms_batch *ret_batch, int *ret_line, struct ms_error *err);

/* Parse one scalar expression or condition, such as a stored default or check. */
bool ms_parse_expression(struct ms_arena *arena, const char *text, struct ms_expr **ret_expr,
                         struct ms_error *err);

/* The query of a CREATE VIEW text. */
bool ms_parse_view(struct ms_arena *arena, const char *text, struct ms_query **ret_query,
                   struct ms_error *err);

#endif
