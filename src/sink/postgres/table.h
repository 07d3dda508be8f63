/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target table as the server's catalogue describes it: columns with their types, unique indexes, the tables
 * that its foreign keys point to. Read at first use and after a failure that says it has changed.
 */
#ifndef SLUICE_SINK_POSTGRES_TABLE_H
#define SLUICE_SINK_POSTGRES_TABLE_H

#include "net/pg/connection.h"

struct sl_pgsink_column {
    char *name;
    Oid type;        /* a domain is resolved to what it is made of */
    Oid array_type;  /* of type */
    char *type_text; /* how SQL says it, without length or precision: "bigint", "mood" */
    char category;   /* pg_type.typcategory: 'E' enum, 'A' array, 'S' string ... */
    bool not_null;
    bool has_default;
    bool identity_always;
};

struct sl_pgsink_unique {
    char *name;
    uint16_t *columns; /* indexes into the table's columns; n is 0 when an expression takes part */
    uint16_t n;
    bool primary;
    bool inferable; /* ON CONFLICT (columns) finds it: no predicate, no expression, checked at once */
};

struct sl_pgsink_table {
    char *sql_name; /* quoted, with its schema */
    char *label;    /* for people */
    Oid oid;
    char kind; /* pg_class.relkind: r, p, v, f, m */
    struct sl_pgsink_column *columns;
    size_t n_columns;
    struct sl_pgsink_unique *uniques;
    size_t n_uniques;
    Oid *parents; /* tables that foreign keys of this one refer to */
    size_t n_parents;
};

/*
 * A name with dots, e.g. "sales.orders", as quoted SQL. lower: fold to lower case, as SQL without quotes
 * does. Parts longer than 63 bytes are cut as the server cuts them. Appends.
 */
void sl_pgsink_quote_path(struct sl_buf *sql, const char *path, bool lower);

/* Read a table; *ret is NULL when there is none of that (quoted) name. */
enum sl_rc sl_pgsink_table_read(struct sl_pg *pg, const char *sql_name, struct sl_pgsink_table **ret,
                                struct sl_error *err);
void sl_pgsink_table_free(struct sl_pgsink_table *table);

/* Index of a column, or -1. */
int sl_pgsink_table_column(const struct sl_pgsink_table *table, const char *name);

#endif
