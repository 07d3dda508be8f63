/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling a batch before it runs, as SQL Server does: a column that does not exist in a table that does is
 * found before the first statement has any effect (207, 209, 4104, 8120). Names of objects are left to the
 * moment when their statement runs (SQL Server's deferred name resolution), and so is everything that a
 * statement's own run will say about itself.
 */
#ifndef SIM_SQLSERVER_TSQL_COMPILE_H
#define SIM_SQLSERVER_TSQL_COMPILE_H

#include "execute.h"

/*
 * In the frame of the batch. False: the errors are told (or on their way to a CATCH of a caller), and
 * *ret_flow says how the batch ended.
 */
bool ms_compile_batch(struct ms_language *language, struct ms_batch *batch, enum ms_flow *ret_flow);

#endif
