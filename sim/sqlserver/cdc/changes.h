/* SPDX-License-Identifier: Apache-2.0 */
/* cdc.fn_cdc_get_all_changes_<ci> and cdc.fn_cdc_get_net_changes_<ci> as sources for FROM. */
#ifndef SIM_SQLSERVER_CDC_CHANGES_H
#define SIM_SQLSERVER_CDC_CHANGES_H

#include "../storage/system.h"

/* False: no such function (no such instance, no net changes, or the caller may not read it). */
bool ms_cdc_changes_function(struct ms_session *session, int32_t db_id, const char *name,
                             struct ms_arena *arena, struct ms_source *ret_source);

#endif
