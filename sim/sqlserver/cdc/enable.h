/* SPDX-License-Identifier: Apache-2.0 */
/* Enabling and disabling of databases and tables. All inside a WRITE of the session; errors are SQL Server's
 * 229xx. */
#ifndef SIM_SQLSERVER_CDC_ENABLE_H
#define SIM_SQLSERVER_CDC_ENABLE_H

#include "objects.h"

bool ms_cdc_enable_db(struct ms_session *session, int32_t db_id, struct ms_error *err);
bool ms_cdc_disable_db(struct ms_session *session, int32_t db_id, struct ms_error *err);

struct ms_enable_table {
    const char *source_schema;
    const char *source_name;
    const char *role_name;        /* NULL: no gating role */
    const char *capture_instance; /* NULL: <schema>_<table> */
    int supports_net_changes;     /* -1: yes when there is a key */
    const char *index_name;       /* NULL: the primary key */
    const char *captured_columns; /* NULL: all; else "a, [b c]" */
    const char *filegroup_name;
    bool allow_partition_switch;
};

/* *ret_first: these are the database's first jobs. */
bool ms_cdc_enable_table(struct ms_session *session, int32_t db_id, const struct ms_enable_table *what,
                         bool *ret_first, struct ms_error *err);

/* capture_instance "all": every instance of the table. */
bool ms_cdc_disable_table(struct ms_session *session, int32_t db_id, const char *source_schema,
                          const char *source_name, const char *capture_instance, struct ms_error *err);

/* Remove one instance: its change table and its rows of the metadata. */
bool ms_cdc_drop_instance(struct ms_session *session, int32_t db_id, int32_t change_table_id,
                          int32_t source_id, struct ms_error *err);

/* The job's row with its default settings; nothing when it exists. */
bool ms_cdc_add_job(struct ms_session *session, int32_t db_id, const char *job_type, struct ms_error *err);

#endif
