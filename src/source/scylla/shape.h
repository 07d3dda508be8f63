/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table's log made ready for rows: where each base column stands in the rows of one set of result columns,
 * how it is decoded, and the schemas and topic of the events. Made when the columns of an answer are first
 * seen (again after an ALTER); rows only use it.
 */
#ifndef SLUICE_SOURCE_SCYLLA_SHAPE_H
#define SLUICE_SOURCE_SCYLLA_SHAPE_H

#include "source/scylla/schema.h"
#include "source/scylla/values.h"

/* One base column. */
struct sl_scylla_field {
    const char *name;
    enum sl_scylla_kind kind;
    uint32_t position; /* of a key column, within its part of the key */
    bool descending;
    int cell;     /* of its value in a log row */
    int deleted;  /* of cdc$deleted_<name>; -1 for key columns */
    int elements; /* of cdc$deleted_elements_<name>; -1 unless a non-frozen collection or UDT */
    int place; /* in before and after; -1: not there (a collection in legacy, a key that is placed elsewhere)
                */
    const struct sl_scylla_decoder *decoder;
    const char *header; /* "pk.<name>", "ck.<name>"; NULL for other columns */
};

/* Where the parts of an envelope stand; -1 for those that it does not have. */
struct sl_scylla_envelope {
    const struct sl_schema *schema;
    int source, before, after, key, op, ts_ms, transaction, ts_us, ts_ns;
    uint32_t n;
};

/* Where the parts of the source block stand; the same for all tables. */
struct sl_scylla_source_block {
    const struct sl_schema *schema;
    int version, connector, name, ts_ms, snapshot, db, sequence, ts_us, ts_ns, keyspace, table;
    uint32_t n;
};

struct sl_scylla_shape {
    struct sl_arena *arena;
    const struct sl_scylla_config *config;
    const struct sl_scylla_table *table;
    const struct sl_cql_columns *columns; /* of the rows that it is for */

    int stream, time, sequence, operation, ttl, end; /* cells of the log's own columns */

    const struct sl_scylla_field *fields; /* in the order of the log's SELECT *: by name */
    uint32_t n_fields;
    const uint32_t *partition, *clustering; /* indexes into fields, in declared order */
    uint32_t n_partition, n_clustering;
    const uint32_t *key; /* indexes into fields, in the order of the key's schema */
    uint32_t n_key;
    bool has_collections; /* non-frozen ones */

    const struct sl_topic *topic;
    const struct sl_schema *key_schema;
    const struct sl_schema *before_schema, *after_schema;
    uint32_t n_before, n_after; /* fields of the two; alike but for the key's placement */
    const int *before_place;    /* by field; place is that of after */
    struct sl_scylla_envelope envelope;
    struct sl_scylla_source_block source;

    /* What an ALTER has not yet told: a log column that no base column explains, or the other way round. */
    bool incomplete;
};

/*
 * Make the shape of rows with these columns. Never fails: what the base table's columns do not explain is
 * taken by the type of the log itself, and incomplete says so. Table and columns must outlive it.
 */
struct sl_scylla_shape *sl_scylla_shape_new(const struct sl_scylla_config *config,
                                            const struct sl_scylla_table *table,
                                            const struct sl_cql_columns *columns);

/*
 * The shape of rows of the base table itself with these result columns: lists are lists there, and the
 * columns of the log (stream, time, deleted, ...) are not: -1. Topic and schemas are those of the log's
 * events.
 */
struct sl_scylla_shape *sl_scylla_base_shape_new(const struct sl_scylla_config *config,
                                                 const struct sl_scylla_table *table,
                                                 const struct sl_cql_columns *columns);
void sl_scylla_shape_free(struct sl_scylla_shape *shape);

/* Is a column of the log's own needed and missing? Errors: SCHEMA. */
enum sl_rc sl_scylla_shape_check(const struct sl_scylla_shape *shape, struct sl_error *err);

#endif
