/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table that is read: what its schema says now, the shapes of the log rows seen so far, and the statements
 * that read its log.
 *
 * After an ALTER rows of either set of columns may come; each set has its shape, and schemas are read again
 * when a row shows a column that they do not explain.
 */
#ifndef SLUICE_SOURCE_SCYLLA_LOG_TABLE_H
#define SLUICE_SOURCE_SCYLLA_LOG_TABLE_H

#include "source/scylla/shape.h"

struct sl_scylla_log_table {
    const struct sl_scylla_config *config;
    struct sl_cql *cql;
    struct sl_scylla_table_name name;
    uint32_t number; /* in scylla.table.names */

    struct sl_scylla_table *table;   /* the newest */
    struct sl_scylla_table **tables; /* all that were read: shapes hold on to them */
    uint32_t n_tables, tables_capacity;
    struct sl_scylla_shape **shapes;
    uint32_t n_shapes, shapes_capacity;
    bool stale; /* a schema event named it */

    struct sl_cql_statement *in_streams; /* "cdc$stream_id" IN ? AND "cdc$time" > ? AND "cdc$time" <= ? */
};

/* Read the schema and prepare. Blocks. Errors: of sl_scylla_table_read and the session. */
enum sl_rc sl_scylla_log_table_open(const struct sl_scylla_config *config, struct sl_cql *cql,
                                    uint32_t number, struct sl_scylla_log_table **ret, struct sl_error *err);
void sl_scylla_log_table_free(struct sl_scylla_log_table *log);

/*
 * The shape of log rows with these columns. Reads the schema again (blocks) when they are new and not
 * explained. Errors: SCHEMA, those of the session.
 */
enum sl_rc sl_scylla_log_table_shape(struct sl_scylla_log_table *log, const struct sl_cql_columns *columns,
                                     const struct sl_scylla_shape **ret, struct sl_error *err);

/* Read the schema again. Blocks. Errors: NOT_FOUND (the table is gone), those of the session. */
enum sl_rc sl_scylla_log_table_refresh(struct sl_scylla_log_table *log, struct sl_error *err);

#endif
