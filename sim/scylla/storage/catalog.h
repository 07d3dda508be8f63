/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: keyspaces, user types, tables, indexes; and the changes that CREATE, ALTER and DROP make.
 *
 * What is handed out is immutable and lives until the server closes, whatever is altered or dropped
 * meanwhile: a prepared statement may keep its sy_table, and learns by sy_catalog_is_current that it is old.
 * Reading and writing with an old version is harmless: columns are stored by id, and ids are not used twice.
 *
 * Changes check what ScyllaDB checks (names taken, unknown types, CDC rules) and give its error. They make
 * or alter the CDC log table in step, write system_schema, change schema_version and call the schema
 * listeners, on the caller's thread. Names are given as they are stored: unquoted ones already lower case.
 *
 * Errors' messages live in the arena that is passed. Thread-safe.
 */
#ifndef SIM_SCYLLA_STORAGE_CATALOG_H
#define SIM_SCYLLA_STORAGE_CATALOG_H

#include "../session.h"
#include "types.h"

enum sy_column_kind { SY_PARTITION_KEY, SY_CLUSTERING, SY_STATIC, SY_REGULAR };

struct sy_table_column {
    const char *name;
    const struct sy_type *type;
    enum sy_column_kind kind;
    uint32_t id;       /* stable; not used again after a drop */
    uint32_t index;    /* place in sy_table.columns */
    uint32_t position; /* among the columns of its kind */
    bool descending;   /* clustering columns: CLUSTERING ORDER BY (c DESC) */
    bool row_ttl;      /* the per-row TTL column ("expiration timestamp TTL") */
};

enum sy_preimage { SY_PREIMAGE_OFF, SY_PREIMAGE_ON, SY_PREIMAGE_FULL };

struct sy_cdc_options {
    bool enabled;
    enum sy_preimage preimage;
    bool postimage;
    bool delta_keys; /* delta = keys */
    int32_t ttl_s;   /* 86400; 0: for ever */
};

/* WITH name = text, or WITH name = {k: v, ...} (text is NULL then; keys and values as text without quotes).
 */
struct sy_property {
    const char *name;
    const char *text;
    uint32_t n;
    const char *const *keys;
    const char *const *values;
};

struct sy_keyspace {
    const char *name;
    struct sy_property replication; /* class and the rest */
    bool durable_writes;
    bool tablets;
    uint32_t initial_tablets;
    bool system; /* system, system_schema, system_distributed, system_auth ...: no DDL, and for the local ones
                    no DML by users */
};

struct sy_table {
    const struct sy_keyspace *keyspace;
    const char *name;
    uint8_t id[16];
    uint64_t version; /* another one for each ALTER */

    /* As SELECT * has them: partition key, clustering, static by name, regular by name. */
    const struct sy_table_column *columns;
    uint32_t n_columns;
    uint32_t n_partition_key;
    uint32_t n_clustering;
    uint32_t n_static;
    uint32_t n_regular;

    int32_t default_ttl_s;
    bool is_counter;
    bool compact_storage;
    bool is_cdc_log;             /* partitioned by the CDC partitioner */
    const struct sy_table *log;  /* the CDC log table while cdc is enabled, else NULL */
    const struct sy_table *base; /* of a log table */
    struct sy_cdc_options cdc;
    bool has_cdc_options;                 /* cdc was named once: extensions carry it */
    const struct sy_property *properties; /* as given, for DESCRIBE-like readers */
    uint32_t n_properties;
    /* storage's own */
    const uint32_t *index_of_id; /* n_ids of them; UINT32_MAX: dropped */
    uint32_t n_ids;
    struct sy_table_data *data;
};

static inline const struct sy_table_column *sy_table_partition_column(const struct sy_table *t, uint32_t i)
{
    return &t->columns[i];
}
static inline const struct sy_table_column *sy_table_clustering_column(const struct sy_table *t, uint32_t i)
{
    return &t->columns[t->n_partition_key + i];
}
/* The column whose cells are stored under that id; NULL: it was dropped. */
static inline const struct sy_table_column *sy_table_column_by_id(const struct sy_table *t, uint32_t id)
{
    return id < t->n_ids && t->index_of_id[id] != UINT32_MAX ? &t->columns[t->index_of_id[id]] : NULL;
}
/* NULL when there is none of that name. */
const struct sy_table_column *sy_table_column_named(const struct sy_table *table, const char *name,
                                                    size_t len);

/* --- look-ups: NULL when there is none --- */
const struct sy_keyspace *sy_catalog_keyspace(struct sy_server *server, const char *name);
const struct sy_table *sy_catalog_table(struct sy_server *server, const char *keyspace, const char *name);
bool sy_catalog_is_current(struct sy_server *server, const struct sy_table *table);
/* A user type, not frozen (sy_type_freeze gives the frozen one). */
const struct sy_type *sy_catalog_type(struct sy_server *server, const char *keyspace, const char *name);
/* Counts every change of the catalogue; for caches. */
uint64_t sy_catalog_generation(struct sy_server *server);
/* All tables of a keyspace (NULL: of all keyspaces), by name; the array lives in the arena. */
uint32_t sy_catalog_tables(struct sy_server *server, const char *keyspace, struct sy_arena *arena,
                           const struct sy_table *const **ret);
/* The table's index on that column, or NULL. */
struct sy_index {
    const char *keyspace, *table, *name;
    const char *column;
    const char *target; /* "c", "values(c)", "keys(c)", "entries(c)", "full(c)" */
};
const struct sy_index *sy_catalog_index_on(struct sy_server *server, const struct sy_table *table,
                                           const char *column);

/* --- changes. false: ret->code and ret->message are set. ret_change->change NULL: nothing was done, as IF
 * (NOT) EXISTS asks; the statement is then answered with Void. --- */
bool sy_catalog_create_keyspace(struct sy_server *server, const char *name, const struct sy_property *props,
                                uint32_t n_props, bool if_not_exists, struct sy_arena *arena,
                                struct sy_schema_change *ret_change, struct sy_error *ret);
bool sy_catalog_alter_keyspace(struct sy_server *server, const char *name, const struct sy_property *props,
                               uint32_t n_props, struct sy_arena *arena, struct sy_schema_change *ret_change,
                               struct sy_error *ret);
bool sy_catalog_drop_keyspace(struct sy_server *server, const char *name, bool if_exists,
                              struct sy_arena *arena, struct sy_schema_change *ret_change,
                              struct sy_error *ret);

struct sy_column_spec {
    const char *name;
    const struct sy_type *type;
    enum sy_column_kind kind;
    uint32_t position; /* in the primary key */
    bool descending;
    bool row_ttl;
};
struct sy_table_spec {
    const char *keyspace;
    const char *name;
    const struct sy_column_spec *columns; /* in any order */
    uint32_t n_columns;
    bool compact_storage;
    const uint8_t *id; /* WITH ID = ...; NULL: made */
    const struct sy_property *properties;
    uint32_t n_properties;
};
bool sy_catalog_create_table(struct sy_server *server, const struct sy_table_spec *spec, bool if_not_exists,
                             struct sy_arena *arena, struct sy_schema_change *ret_change,
                             struct sy_error *ret);

struct sy_table_rename {
    const char *from;
    const char *to;
};
/* Any of the parts; ALTER TABLE has one kind at a time. */
struct sy_table_alter {
    const char *keyspace;
    const char *name;
    const struct sy_column_spec *add;
    uint32_t n_add;
    const char *const *drop;
    uint32_t n_drop;
    const struct sy_table_rename *rename;
    uint32_t n_rename;
    const struct sy_property *properties;
    uint32_t n_properties;
};
bool sy_catalog_alter_table(struct sy_server *server, const struct sy_table_alter *alter,
                            struct sy_arena *arena, struct sy_schema_change *ret_change,
                            struct sy_error *ret);
bool sy_catalog_drop_table(struct sy_server *server, const char *keyspace, const char *name, bool if_exists,
                           struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret);

bool sy_catalog_create_type(struct sy_server *server, const char *keyspace, const char *name,
                            const char *const *field_names, const struct sy_type *const *field_types,
                            uint32_t n_fields, bool if_not_exists, struct sy_arena *arena,
                            struct sy_schema_change *ret_change, struct sy_error *ret);
/* ADD (to_name NULL) or RENAME one field. Tables that use the type are altered with it. */
bool sy_catalog_alter_type(struct sy_server *server, const char *keyspace, const char *name,
                           const char *field, const char *to_name, const struct sy_type *add_type,
                           struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret);
bool sy_catalog_drop_type(struct sy_server *server, const char *keyspace, const char *name, bool if_exists,
                          struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret);

/* index NULL: <table>_<column>_idx is made up. Indexes hold nothing: a SELECT filters. */
bool sy_catalog_create_index(struct sy_server *server, const char *keyspace, const char *table,
                             const char *index, const char *column, const char *target, bool if_not_exists,
                             struct sy_arena *arena, struct sy_schema_change *ret_change,
                             struct sy_error *ret);
bool sy_catalog_drop_index(struct sy_server *server, const char *keyspace, const char *index, bool if_exists,
                           struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret);

#endif
