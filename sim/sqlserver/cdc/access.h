/* SPDX-License-Identifier: Apache-2.0 */
/* Who may read captured changes. */
#ifndef SIM_SQLSERVER_CDC_ACCESS_H
#define SIM_SQLSERVER_CDC_ACCESS_H

#include "../storage/catalog.h"

/*
 * sysadmin and db_owner may; others need the gating role (when `role` is not empty) and SELECT on the source
 * table. source NULL: the table is gone, only the first two may.
 */
bool ms_cdc_may_read(struct ms_session *session, int32_t db_id, const char *role,
                     const struct ms_table *source);

#endif
