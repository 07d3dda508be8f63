/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture instance made ready for rows: its fields, its schemas (key, row, envelope), its topic, and the
 * statements that read it. Made when the instance is first seen; rows only use it.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_TABLE_H
#define SLUICE_SOURCE_SQLSERVER_TABLE_H

#include "sluice/record.h"
#include "source/sqlserver/field.h"

/* Fields of the source block, in their order; -1 where the shape has none. */
struct sl_mssql_source_layout {
    const struct sl_schema *schema;
    int version, connector, name, ts_ms, snapshot, db, sequence, ts_us, ts_ns, schema_name, table, change_lsn,
        commit_lsn, event_serial_no;
    uint32_t n;
};

/* The same for every table; made once. */
void sl_mssql_source_layout_make(enum sl_envelope_shape shape, struct sl_mssql_source_layout *ret_layout);

struct sl_mssql_table {
    const struct sl_mssql_instance *instance;
    char *id;   /* "database.schema.table" */
    char *name; /* "schema.table", for people */
    uint32_t number;

    struct sl_mssql_field *fields; /* those of the row first, then key columns that the row leaves out */
    uint32_t n_fields, n_row, n_large;
    uint32_t *key; /* indexes into fields, in key order */
    uint32_t n_key;
    bool custom_key; /* an update can change it without making a delete and an insert */
    bool resumes;    /* a snapshot of it can go on behind a key; its rows are asked for in the key's order */

    const struct sl_topic *topic;
    const struct sl_schema *key_schema; /* NULL: no key */
    const struct sl_schema *row_schema;
    const struct sl_envelope *envelope;

    /* The constant part of the source block of this batch. */
    uint64_t template_batch;
    struct sl_value *template_values;

    int64_t order; /* events of this table in the open transaction */
    bool told;     /* a row of it was written, and before that its structure, where it was new */
};

/* Errors: SCHEMA (no column can be read). The instance must outlive the table. */
enum sl_rc sl_mssql_table_new(const struct sl_mssql_instance *instance, const struct sl_mssql_config *config,
                              const char *database, const struct sl_mssql_source_layout *layout,
                              struct sl_mssql_table **ret_table, struct sl_error *err);
void sl_mssql_table_free(struct sl_mssql_table *table);

enum {
    SL_MSSQL_META_LSN = 0, /* the first columns of the stream's select list */
    SL_MSSQL_META_COMMAND,
    SL_MSSQL_META_CHANGE,
    SL_MSSQL_META_OPERATION,
    SL_MSSQL_META_MASK,
    SL_MSSQL_META_COUNT,
};

/* The range scan of the change table between two commit LSNs, both included. Sets the fields' cell numbers.
 */
void sl_mssql_table_stream_sql(struct sl_mssql_table *table, struct sl_buf *ret_sql);

/* All rows of the source table. Sets the fields' cell numbers. */
/* behind: only rows behind a key, whose columns are the parameters: k1; k1, k2; k1, k2, k3 ... one after the
 * other. */
void sl_mssql_table_snapshot_sql(struct sl_mssql_table *table, enum sl_mssql_isolation isolation, bool behind,
                                 struct sl_buf *ret_sql);

/* Are the answer's cells of the kinds that the fields convert? Errors: SCHEMA. */
enum sl_rc sl_mssql_table_check_cells(const struct sl_mssql_table *table, const struct sl_cell *cells,
                                      struct sl_error *err);

/*
 * Convert the current row's cells. Gives n_fields values in the arena, the row's first. mask (NULL: none) and
 * operation tell which large values the change table lacks. Errors: of sl_odbc_read_long.
 */
enum sl_rc sl_mssql_table_row(struct sl_mssql_table *table, struct sl_odbc_stmt *stmt, bool update,
                              struct sl_arena *arena, struct sl_value **ret_values, struct sl_error *err);

/* The key of a row that sl_mssql_table_row gave. */
struct sl_value sl_mssql_table_key(const struct sl_mssql_table *table, const struct sl_value *values,
                                   struct sl_arena *arena);

/* Values that were held at their unit's end since the last look: warn or fail, as configured. */
enum sl_rc sl_mssql_table_overflows(struct sl_mssql_table *table, enum sl_mssql_overflow mode,
                                    struct sl_error *err);

/* A topic or schema name: prefix.database.schema.table, characters that topics do not have made "_". */
char *sl_mssql_topic_name(const struct sl_mssql_config *config, const char *database, const char *schema,
                          const char *table);

#endif
