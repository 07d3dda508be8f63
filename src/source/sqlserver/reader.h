/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one change table, in the order of its clustered index, on a connection of its own: a server sends one
 * result at a time on a connection, and the tables of a window are merged while they are read. Rows are
 * streamed; back-pressure is TCP's.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_READER_H
#define SLUICE_SOURCE_SQLSERVER_READER_H

#include "source/sqlserver/position.h"
#include "source/sqlserver/table.h"

struct sl_mssql_database;

struct sl_mssql_reader {
    struct sl_mssql_table *table;
    struct sl_odbc *conn; /* NULL while there is no need of it */
    struct sl_odbc_stmt *stmt;
    struct sl_lsn from, to; /* the statement's parameters */
    const struct sl_cell *cells;
    struct sl_mssql_position at; /* of the current row, with the row's own operation */
    bool has_row;
    struct sl_lsn newest; /* of its change table, as last seen */
    int64_t used_us;
};

struct sl_mssql_reader *sl_mssql_readers_new(struct sl_mssql_table **tables, size_t n);

/* Run the range scan and go to the first row after skip. */
enum sl_rc sl_mssql_reader_open(struct sl_mssql_database *db, struct sl_mssql_reader *reader,
                                const struct sl_lsn *from, const struct sl_lsn *to, struct sl_error *err);

/* To the next row. */
enum sl_rc sl_mssql_reader_next(struct sl_mssql_reader *reader, struct sl_error *err);

/* Close all connections, or those idle for longest beyond the configured number. */
void sl_mssql_readers_drop(struct sl_mssql_database *db);
void sl_mssql_readers_trim(struct sl_mssql_database *db);

/*
 * The merge: a heap whose first reader stands on the smallest position. Push one that has a row; after the
 * first one moved on, settle it (or drop it when it has no row left).
 */
void sl_mssql_heap_push(struct sl_mssql_reader **heap, size_t *n, struct sl_mssql_reader *reader);
void sl_mssql_heap_settle(struct sl_mssql_reader **heap, size_t *n);

#endif
