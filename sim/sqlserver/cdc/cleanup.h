/* SPDX-License-Identifier: Apache-2.0 */
/* Old changes go: the cleanup job, and sp_cdc_cleanup_change_table. */
#ifndef SIM_SQLSERVER_CDC_CLEANUP_H
#define SIM_SQLSERVER_CDC_CLEANUP_H

#include "objects.h"

/* What is older than the job's retention, counted from the newest commit; a WRITE of its own. */
bool ms_cleanup_by_retention(struct ms_session *session, int32_t db_id, struct ms_error *err);

/*
 * Remove an instance's rows below a mark and raise the start_lsn of all instances that are below it. mark
 * NULL: rows below the instance's start_lsn go, no mark moves. 22964 when the mark is not in
 * lsn_time_mapping. Inside a WRITE.
 */
bool ms_cleanup_instance(struct ms_session *session, int32_t db_id, const char *capture_instance,
                         const uint8_t *mark, struct ms_error *err);

#endif
