/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys.fn_cdc_*: SQLite functions on every session's connection. Their first argument is the database's id
 * where they belong to one. Names on SQLite's side: ms_fn_cdc_<what>.
 */
#ifndef SIM_SQLSERVER_CDC_FUNCTIONS_H
#define SIM_SQLSERVER_CDC_FUNCTIONS_H

#include "../storage/session_state.h"

void ms_cdc_functions_register(struct ms_session *session);

#endif
