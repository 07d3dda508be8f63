/* SPDX-License-Identifier: Apache-2.0 */
/* What INSERT, UPDATE and DELETE share: checks after the change, and OUTPUT. */
#ifndef SIM_SQLSERVER_TSQL_CHANGE_H
#define SIM_SQLSERVER_TSQL_CHANGE_H

#include "execute.h"

/* The rows that a statement left behind. */
struct ms_change_set {
    const struct ms_table *table;
    bool temporary;
    const char *verb; /* "INSERT", "UPDATE", "MERGE": for 547 */
    const int64_t *rowids;
    size_t n;
};

/* Look at the table's CHECK constraints; 547 for the first that a row fails. */
bool ms_change_check(struct ms_run *run, const struct ms_change_set *set);

/* Put rows into a table as INSERT does: columns named or all, defaults, identity, checks. */
bool ms_insert_rows(struct ms_run *run, struct ms_from *target, const char **columns, size_t n_columns,
                    const struct ms_rows *rows);

/* OUTPUT inserted.a, deleted.b ...: to the client, or INTO a table. before or after may be NULL. */
bool ms_change_output(struct ms_run *run, const struct ms_statement *st, const struct ms_table *table,
                      const struct ms_value **before, const struct ms_value **after, size_t n);

#endif
