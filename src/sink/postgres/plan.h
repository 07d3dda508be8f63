/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: what becomes of the records of one (topic, key schema, value schema) in their target table. Made
 * when such a run is first seen, kept until the connection or the table changes; per row nothing is looked
 * up.
 */
#ifndef SLUICE_SINK_POSTGRES_PLAN_H
#define SLUICE_SINK_POSTGRES_PLAN_H

#include "sink/postgres/cell.h"
#include "sink/postgres/config.h"

enum sl_pgsink_op {
    SL_PGSINK_WRITE,
    SL_PGSINK_DELETE,
    SL_PGSINK_GONE,  /* a later record of the same key took its place */
    SL_PGSINK_RANGE, /* a statement over a range of rows (range.h) */
};

/* A target table in use. */
struct sl_pgsink_target {
    char *path; /* quoted; as table.name.format gives it */
    struct sl_pgsink_table *table;
    int rank;              /* parents of foreign keys have a lower one */
    uint32_t depth;        /* 1 + the longest chain of foreign keys from here; 0: not asked yet */
    bool has_other_unique; /* besides the key: rows of a batch then depend on their order */
    bool is_parent;        /* another target's foreign key refers to it */
};

/* A prepared statement and what its parameters are: one array for each cell. */
struct sl_pgsink_statement {
    char name[24];
    struct sl_pgsink_target *target;
    enum sl_pgsink_op op;
    const struct sl_pgsink_cell **cells;
    uint16_t n_cells;
    bool empty;    /* nothing to execute (an update of key columns only) */
    uint8_t *mask; /* of a partial write: which of the plan's cells are there; NULL: all */
    char *sql;     /* of a range; NULL for the others */
};

struct sl_pgsink_plan {
    const struct sl_topic *topic;
    const struct sl_schema *key_schema;
    const struct sl_schema *value_schema;
    struct sl_pgsink_target *target;
    struct sl_pgsink_cell *cells; /* the key's first */
    uint16_t n_cells;
    uint16_t n_keys;
    bool number_key;                         /* one key column, and it is an integer */
    bool bare_key;                           /* the key is one primitive, not a struct */
    bool bare_value;                         /* likewise a string */
    bool kafka_key;                          /* topic, partition, offset stand in for the key */
    struct sl_pgsink_statement **statements; /* made when first needed */
    size_t n_statements, statements_capacity;
};

struct sl_pgsink;

/*
 * The plan of a run. One that is new is made by talking to the server, which cannot be done while a flight is
 * under way: then *ret is NULL, and the caller settles and begins again (for settling may forget plans).
 */
enum sl_rc sl_pgsink_plan_for(struct sl_pgsink *sink, const struct sl_run *run, struct sl_pgsink_plan **ret,
                              struct sl_error *err);

/* The statement for an operation; mask: NULL or n_cells bytes, 0 where a cell is left out. NULL as above. */
enum sl_rc sl_pgsink_statement_for(struct sl_pgsink *sink, struct sl_pgsink_plan *plan, enum sl_pgsink_op op,
                                   const uint8_t *mask, struct sl_pgsink_statement **ret,
                                   struct sl_error *err);

/* A statement over a range, by its text; one array of one element for each cell. NULL as above. */
enum sl_rc sl_pgsink_statement_for_sql(struct sl_pgsink *sink, struct sl_pgsink_plan *plan, const char *sql,
                                       const struct sl_pgsink_cell *const *cells, uint16_t n_cells,
                                       struct sl_pgsink_statement **ret, struct sl_error *err);

/* Forget all plans, targets and statements: the connection is new, or a table has changed. */
void sl_pgsink_plans_forget(struct sl_pgsink *sink);

/* SQL of a statement (statement.c). Appends. */
void sl_pgsink_statement_sql(const struct sl_pgsink_config *config, const struct sl_pgsink_plan *plan,
                             const struct sl_pgsink_statement *statement, struct sl_buf *sql);

/* CREATE TABLE and ALTER TABLE (evolve.c), of a plan's fields. Errors: SCHEMA when a type has no column type.
 */
struct sl_pgsink_new_column {
    const char *name;
    const struct sl_schema *schema;
    bool is_key;
};
enum sl_rc sl_pgsink_create_sql(const struct sl_pgsink_config *config, const char *path,
                                const struct sl_pgsink_new_column *columns, size_t n, struct sl_buf *sql,
                                struct sl_error *err);
enum sl_rc sl_pgsink_alter_sql(const struct sl_pgsink_config *config, const char *path,
                               const struct sl_pgsink_new_column *columns, size_t n, struct sl_buf *sql,
                               struct sl_error *err);

#endif
