/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log scan: committed transactions out of the log, in commit order, into the change tables and
 * cdc.lsn_time_mapping.
 */
#ifndef SIM_SQLSERVER_CDC_CAPTURE_H
#define SIM_SQLSERVER_CDC_CAPTURE_H

#include "objects.h"

/* What one scan did. */
struct ms_scan {
    int64_t transactions;
    int64_t commands; /* log records looked at */
    uint8_t first_lsn[MS_LSN_SIZE];
    uint8_t last_lsn[MS_LSN_SIZE]; /* commit of the last transaction */
    int64_t last_commit_time;      /* datetime ticks */
    uint8_t *commits;              /* MS_LSN_SIZE bytes for each transaction, when asked for */
};

/* Is there anything in the log of the database? One cheap look, outside of any statement. */
bool ms_capture_pending(struct ms_session *session, int32_t db_id);

/*
 * Scan at most max_transactions in one WRITE of its own. want_commits: fill ret->commits (the caller frees
 * it).
 */
bool ms_capture_scan(struct ms_session *session, int32_t db_id, int64_t max_transactions, bool want_commits,
                     struct ms_scan *ret_scan, struct ms_error *err);

/* A row of lsn_time_mapping with tran_id 0x00, as an idle server writes from time to time. A WRITE of its
 * own. */
bool ms_capture_dummy(struct ms_session *session, int32_t db_id, struct ms_error *err);

#endif
