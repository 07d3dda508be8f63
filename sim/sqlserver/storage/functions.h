/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite functions behind ms_system_scalar, registered on each session's connection. Private to storage/.
 */
#ifndef SIM_SQLSERVER_STORAGE_FUNCTIONS_H
#define SIM_SQLSERVER_STORAGE_FUNCTIONS_H

#include "session_state.h"

void ms_functions_register(struct ms_session *session);

#endif
