/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cluster's own schema says of a base table: its columns, and how its change log is kept. The log's
 * rows say neither which columns are the key nor which maps are lists.
 *
 * A table is read whole and never changed; after an ALTER another one is read.
 */
#ifndef SLUICE_SOURCE_SCYLLA_SCHEMA_H
#define SLUICE_SOURCE_SCYLLA_SCHEMA_H

#include "net/cql/cql.h"
#include "source/scylla/config.h"

enum sl_scylla_kind { SL_SCYLLA_PARTITION, SL_SCYLLA_CLUSTERING, SL_SCYLLA_STATIC, SL_SCYLLA_REGULAR };

struct sl_scylla_column {
    const char *name;
    enum sl_scylla_kind kind;
    uint32_t position; /* within the partition or the clustering key */
    bool descending;
    const struct sl_cql_type *type;
};

/* The table option cdc = {...}. */
struct sl_scylla_cdc {
    bool known; /* false: the server has no such option (not ScyllaDB); the log table is there all the same */
    bool enabled, preimage, postimage;
    int64_t ttl_s; /* 0: for ever */
};

struct sl_scylla_table {
    struct sl_arena *arena;
    const char *keyspace, *name, *log_name; /* "orders_scylla_cdc_log" */
    uint32_t number;                        /* its place in scylla.table.names */
    const struct sl_scylla_column *columns; /* partition key, clustering key, then the others by name */
    uint32_t n_columns, n_partition, n_clustering;
    bool has_statics;
    bool tablets;
    struct sl_scylla_cdc cdc;
};

/*
 * Errors: NOT_FOUND (no such keyspace or table), CONFIG (its CDC is off), those of the session. log_may_rest:
 * a table whose CDC was switched off meanwhile is taken all the same, as its log still ends.
 */
enum sl_rc sl_scylla_table_read(struct sl_cql *cql, const struct sl_scylla_table_name *name, uint32_t number,
                                bool log_may_rest, struct sl_scylla_table **ret, struct sl_error *err);
void sl_scylla_table_free(struct sl_scylla_table *table);

const struct sl_scylla_column *sl_scylla_table_column(const struct sl_scylla_table *table, const char *name);

/* Does the other table say anything else of columns or images? */
bool sl_scylla_table_equal(const struct sl_scylla_table *a, const struct sl_scylla_table *b);

/*
 * The option as system_schema.tables keeps it under the key "cdc" of extensions: int32 LE number of pairs,
 * then each text as int32 LE length and bytes. False: not that. (Wire fact: cdc/cdc_extension.hh.)
 */
bool sl_scylla_cdc_parse(struct sl_cql_cell blob, struct sl_scylla_cdc *ret);

#endif
