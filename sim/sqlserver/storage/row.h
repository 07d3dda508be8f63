/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing rows: the one way by which rows of user tables change. Keeps unique keys (2627, 2601), NOT NULL
 * (515), foreign keys with their actions (547), rowversion columns, table locks and the transaction log of
 * tracked tables. The caller has converted each value to its column's type, filled defaults and identity, and
 * looked at check constraints.
 *
 * Rows are arrays of ms_value in the order of table->columns; cells of computed columns are ignored. Find the
 * rows to change with SQLite (SELECT rowid, c1, c2 ... FROM sqlite_name), finish that statement, then change
 * them. Only between ms_statement_begin(MS_STATEMENT_WRITE) and ms_statement_end.
 */
#ifndef SIM_SQLSERVER_STORAGE_ROW_H
#define SIM_SQLSERVER_STORAGE_ROW_H

#include "transaction.h"

/* row's rowversion cell, if any, is filled in (its 8 bytes live until the next call on this session). */
bool ms_row_insert(struct ms_session *session, const struct ms_table *table, struct ms_value *row,
                   int64_t *ret_rowid, struct ms_error *err);

bool ms_row_delete(struct ms_session *session, const struct ms_table *table, int64_t rowid,
                   const struct ms_value *before, struct ms_error *err);

struct ms_row_update {
    int64_t rowid;
    const struct ms_value *before;
    struct ms_value *after;
};

/*
 * Update all rows of one UPDATE statement at once, so that keys may move through each other (SET id = id +
 * 1). assigned: one flag per column, true where SET names it. The transaction log gets 3/4 pairs, or deletes
 * and inserts where a key of the table (primary key or the index of a capture instance) moves: one row, when
 * its key changed, as a pair with one sequence value; several in the shape of a deferred update, when SET
 * names a key, whether it changed or not (Microsoft's KB 238254; Debezium's tests count on it).
 */
bool ms_rows_update(struct ms_session *session, const struct ms_table *table, struct ms_row_update *rows,
                    size_t n, const bool *assigned, struct ms_error *err);

#endif
