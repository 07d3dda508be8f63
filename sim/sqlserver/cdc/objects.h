/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of schema cdc of a database, and the capture instances in them. They are ordinary tables of the
 * catalogue, so that anybody may select from them; this is how the capture's own code reaches their cells.
 */
#ifndef SIM_SQLSERVER_CDC_OBJECTS_H
#define SIM_SQLSERVER_CDC_OBJECTS_H

#include "../storage/lsn.h"
#include "../tsql/arena.h"
#include "../storage/transaction.h"

/* Physical columns ("c1" ...) of the metadata tables, in the order in which they are created. */
enum ms_change_tables_column {
    MS_CT_OBJECT_ID = 1,
    MS_CT_VERSION,
    MS_CT_SOURCE_OBJECT_ID,
    MS_CT_CAPTURE_INSTANCE,
    MS_CT_START_LSN,
    MS_CT_END_LSN,
    MS_CT_NET_CHANGES,
    MS_CT_DROP_PENDING,
    MS_CT_ROLE_NAME,
    MS_CT_INDEX_NAME,
    MS_CT_FILEGROUP_NAME,
    MS_CT_CREATE_DATE,
    MS_CT_PARTITION_SWITCH,
};

/* A change table's own columns; captured columns stand between the fifth and the last. */
#define MS_CHANGE_META_COLUMNS 5

/* Create or drop the schema, the user and the tables. Inside a WRITE. */
bool ms_cdc_create_objects(struct ms_session *session, int32_t db_id, struct ms_error *err);
bool ms_cdc_drop_objects(struct ms_session *session, int32_t db_id, struct ms_error *err);

/* A metadata table by its name ("change_tables"). NULL: the database is not enabled. */
const struct ms_table *ms_cdc_table(struct ms_session *session, int32_t db_id, const char *name);

/*
 * Prepare and bind a statement in which {0}, {1} ... stand for the physical names of these tables:
 * 0 change_tables, 1 captured_columns, 2 index_columns, 3 lsn_time_mapping, 4 ddl_history.
 * NULL with error 22901 when the database is not enabled.
 */
sqlite3_stmt *ms_cdc_sql(struct ms_session *session, int32_t db_id, struct ms_error *err, const char *text,
                         const char *types, ...);
bool ms_cdc_run(struct ms_session *session, int32_t db_id, struct ms_error *err, const char *text,
                const char *types, ...);
int64_t ms_cdc_int(struct ms_session *session, int32_t db_id, int64_t otherwise, const char *text,
                   const char *types, ...);

/* Error 22901. */
bool ms_cdc_not_enabled(struct ms_session *session, int32_t db_id, struct ms_error *err);

struct ms_captured {
    int32_t column_id; /* in the source table */
    int ordinal;       /* 1-based: bit ordinal-1 of the update mask, column 5+ordinal of the change table */
    bool computed;
};

struct ms_instance {
    const struct ms_table *table; /* the change table; as long as the session's catalogue */
    int32_t source_id;
    char name[101];
    bool started; /* start_lsn is known: rows are captured */
    uint8_t start_lsn[MS_LSN_SIZE];
    bool net_changes;
    char role[129];  /* "" none */
    char index[129]; /* "" none */
    struct ms_captured *columns;
    size_t n_columns;
};

struct ms_instances {
    struct ms_instance *list;
    size_t n;
    struct ms_arena arena;
};

/* All instances of a database. Empty when it is not enabled. */
bool ms_instances_load(struct ms_session *session, int32_t db_id, struct ms_instances *ret,
                       struct ms_error *err);
void ms_instances_free(struct ms_instances *instances);
const struct ms_instance *ms_instances_find(const struct ms_instances *instances, const char *name);

#endif
