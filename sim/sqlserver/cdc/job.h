/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs of SQL Server Agent: one thread that runs the capture job of each enabled database at its own
 * interval, and now and then the cleanup job. It owns a session of its own; orders come by a mutex and a
 * condition.
 */
#ifndef SIM_SQLSERVER_CDC_JOB_H
#define SIM_SQLSERVER_CDC_JOB_H

#include "../storage/server.h"

bool ms_capture_start(struct ms_server *server);
void ms_capture_stop(struct ms_server *server); /* joins the thread */

/* "stop", "start", "once", "interval MS", for all databases. */
bool ms_capture_fault(struct ms_server *server, const char *command, char *ret_text, size_t size);

/* sp_cdc_start_job, sp_cdc_stop_job: the capture job of one database. False: it is in that state already. */
bool ms_capture_set_running(struct ms_server *server, int32_t db_id, bool running);

/* The database is new, gone, or has other settings: forget what was counted about it and look again. */
void ms_capture_forget(struct ms_server *server, int32_t db_id);

/* What sys.dm_cdc_log_scan_sessions shows: one row per session that captured something, or a run of empty
 * scans. */
struct ms_scan_session {
    int32_t db_id;
    int32_t session_id;
    int64_t start_time; /* datetime ticks */
    int64_t end_time;
    int64_t tran_count;
    int64_t command_count;
    int64_t empty_scans;
    int64_t last_commit_time;
    int64_t latency_s;
    uint8_t first_lsn[MS_LSN_SIZE];
    uint8_t last_lsn[MS_LSN_SIZE];
};

struct ms_scan_error {
    int32_t db_id;
    int32_t session_id;
    int64_t time;
    int32_t number;
    int32_t severity;
    int32_t state;
    char text[2048];
};

/* Copy the newest ones of a database, oldest first; returns how many. */
size_t ms_capture_sessions(struct ms_server *server, int32_t db_id, struct ms_scan_session *ret, size_t max);
size_t ms_capture_errors(struct ms_server *server, int32_t db_id, struct ms_scan_error *ret, size_t max);

#endif
