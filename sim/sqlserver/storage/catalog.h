/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue as binders see it: databases, schemas, tables, columns, indexes, constraints.
 *
 * A catalogue is immutable. A session holds the one that fits its running statement: ms_statement_begin
 * brings it up to date, and DDL of the session itself replaces it at once. Pointers into it live until the
 * next ms_statement_begin or ms_ddl_* call of the same session. ms_catalog_version names what was seen: a
 * cached plan is good for as long as the version is the same.
 *
 * Physical names are stable: a table is `sqlite_name` ("u1205579333") and its columns are "c<column_id>", so
 * that a rename touches no data. Every table is a SQLite rowid table; its rowid is the row's identity for
 * row.h.
 */
#ifndef SIM_SQLSERVER_STORAGE_CATALOG_H
#define SIM_SQLSERVER_STORAGE_CATALOG_H

#include "session_state.h"

struct ms_catalog_column {
    const char *name;
    int32_t column_id;
    char sql_name[16]; /* "c<column_id>" */
    struct ms_type type;
    bool nullable;
    bool identity;
    int64_t identity_seed;
    int64_t identity_increment;
    bool rowguidcol;
    const char *collation; /* SQL Server name; NULL for types without one */
    const char
        *computed_definition; /* "([a]+[b])", NULL for plain columns; storage keeps NULL in its cells */
    bool computed_persisted;
    int32_t default_object_id; /* 0: no default */
    const char *default_name;
    const char *default_definition; /* normalized: ((1)), ('abc'), (getdate()) */
};

struct ms_index_column {
    int32_t column_id;
    bool descending;
    bool included; /* INCLUDE (...): not part of the key */
};

struct ms_index {
    const char *name;
    int32_t index_id;      /* 1 clustered, 2.. nonclustered; a heap has no ms_index */
    int32_t constraint_id; /* object id of its key constraint; 0: a plain index */
    bool clustered;
    bool unique;
    bool primary_key;
    bool unique_constraint;
    bool ignore_dup_key;
    const char *filter; /* "([x] IS NOT NULL)" or NULL */
    const struct ms_index_column *columns;
    size_t n_columns;
};

enum ms_fk_action { MS_FK_NO_ACTION = 0, MS_FK_CASCADE = 1, MS_FK_SET_NULL = 2, MS_FK_SET_DEFAULT = 3 };

struct ms_foreign_key {
    const char *name;
    int32_t object_id;
    int32_t parent_id;     /* the table that has the constraint */
    int32_t referenced_id; /* the table it points to */
    const int32_t *parent_columns;
    const int32_t *referenced_columns;
    size_t n_columns;
    enum ms_fk_action on_delete;
    enum ms_fk_action on_update;
    bool disabled;
};

struct ms_check {
    const char *name;
    int32_t object_id;
    int32_t column_id;      /* 0: table level */
    const char *definition; /* "([price]>(0))" */
    bool disabled;
};

struct ms_table {
    const char *name;
    const char *schema;
    int32_t object_id; /* unique over all databases of the simulator */
    int32_t schema_id;
    int32_t db_id;
    const char *db_name;
    char sqlite_name[24]; /* in the main schema */
    bool is_ms_shipped;   /* cdc.* */
    bool tracked_by_cdc;
    const struct ms_catalog_column *columns; /* by column_id */
    size_t n_columns;
    int identity_column; /* index into columns; -1: none */
    int rowversion_column;
    const struct ms_index *indexes; /* primary key first, then by index_id */
    size_t n_indexes;
    const struct ms_foreign_key *foreign_keys; /* where this table is the parent */
    size_t n_foreign_keys;
    const struct ms_foreign_key *const *referencing; /* where this table is the referenced one */
    size_t n_referencing;
    const struct ms_check *checks;
    size_t n_checks;
};

/* A view, procedure or function made by a user: kept as text for tsql/ to run. */
struct ms_module {
    const char *name;
    const char *schema;
    int32_t object_id;
    int32_t schema_id;
    char type[3]; /* "V", "P", "FN", "IF", "TF" */
    const char *definition;
};

struct ms_schema {
    const char *name;
    int32_t schema_id;
    int32_t principal_id;
};

struct ms_database {
    const char *name;
    int32_t db_id;
    uint64_t version;
    const char *collation;
    bool case_sensitive; /* names of objects, by the collation */
    bool cdc_enabled;
    bool snapshot_isolation;
    bool read_committed_snapshot;
    bool offline;
    bool read_only;
    const struct ms_schema *schemas;
    size_t n_schemas;
    const struct ms_table *tables; /* by object_id */
    size_t n_tables;
    const struct ms_module *modules;
    size_t n_modules;
};

uint64_t ms_catalog_version(const struct ms_session *session);

/* By name; NULL name: the current database. NULL result: there is none. */
const struct ms_database *ms_catalog_database(const struct ms_session *session, const char *name);
const struct ms_database *ms_catalog_database_by_id(const struct ms_session *session, int32_t db_id);
size_t ms_catalog_databases(const struct ms_session *session, const struct ms_database *const **ret_list);

const struct ms_schema *ms_catalog_schema(const struct ms_database *database, const char *name);

/*
 * A table by up to three parts. NULL database: the current one; NULL or "" schema: the user's default schema
 * (dbo). Temporary tables (#x) are tsql's own affair and are never found here.
 */
const struct ms_table *ms_catalog_table(const struct ms_session *session, const char *database,
                                        const char *schema, const char *name);
const struct ms_table *ms_catalog_table_by_id(const struct ms_session *session, int32_t object_id);
const struct ms_module *ms_catalog_module(const struct ms_session *session, const char *database,
                                          const char *schema, const char *name);

/* Index into table->columns; -1 when there is no such column. */
int ms_table_column(const struct ms_table *table, const char *name);
int ms_table_column_by_id(const struct ms_table *table, int32_t column_id);
const struct ms_index *ms_table_primary_key(const struct ms_table *table); /* or NULL */

/* What a session may do. False: error 229 (or 208 for names it may not even see). sysadmin and db_owner may
 * all. */
enum ms_access { MS_MAY_SELECT, MS_MAY_INSERT, MS_MAY_UPDATE, MS_MAY_DELETE, MS_MAY_ALTER };
bool ms_access_check(struct ms_session *session, const struct ms_table *table, enum ms_access access,
                     struct ms_error *err);

#endif
