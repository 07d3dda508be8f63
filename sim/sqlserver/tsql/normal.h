/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL Server's normal form of stored expressions: 1 becomes ((1)), 'a' becomes ('a'), a > 0 becomes
 * ([a]>(0)), 1.2345e3 becomes ((1.2345000000000000e+003)). Clients parse defaults in this form.
 */
#ifndef SIM_SQLSERVER_TSQL_NORMAL_H
#define SIM_SQLSERVER_TSQL_NORMAL_H

#include "arena.h"
#include "ast.h"

/* written: the text as the user wrote it, for expressions that have no normal form of their own
 * (sub-queries). */
const char *ms_normal_form(struct ms_arena *arena, const struct ms_expr *expr, const char *written);

#endif
