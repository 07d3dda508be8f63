/* SPDX-License-Identifier: Apache-2.0 */
/* sp_describe_undeclared_parameters: what types a text's parameters should have, from where they stand in it.
 */
#ifndef SIM_SQLSERVER_TSQL_UNDECLARED_H
#define SIM_SQLSERVER_TSQL_UNDECLARED_H

#include "procedure.h"

/*
 * @tsql, @params. Drivers ask before they bind: one row for each variable that neither @params nor the text
 * declares. Errors: 11503 (nothing tells the type), 11508 (used more than once), and those of the parser.
 */
bool ms_call_undeclared(struct ms_call *call);

#endif
