/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Debezium says of a table and its columns, as Microsoft's JDBC driver reports them: in the records of
 * the schema-change topic (structure.c) and of the schema history (history.c).
 */
#ifndef SLUICE_SOURCE_SQLSERVER_STRUCTURE_H
#define SLUICE_SOURCE_SQLSERVER_STRUCTURE_H

#include "source/sqlserver/event.h"
#include "source/sqlserver/told.h"

/* java.sql.Types. */
int sl_mssql_jdbc_type(const struct sl_mssql_column *column);

/* Characters of text, bytes of binaries, digits of numbers and dates. */
int64_t sl_mssql_jdbc_length(const struct sl_mssql_column *column);

bool sl_mssql_jdbc_has_scale(const struct sl_mssql_column *column);

/* JSON, behind what the buffer holds: JsonTableChangeSerializer's "table". */
void sl_mssql_structure_write(const struct sl_mssql_table *table, struct sl_buf *out);

/* A short text that another structure does not have. text: what sl_mssql_structure_write gave. */
void sl_mssql_structure_mark(const struct sl_buf *text, char ret_mark[SL_MSSQL_MARK_SIZE]);

/*
 * The schema-change topic (include.schema.changes). told NULL: nobody is to be told.
 *
 * Before a row of the table: tell its structure, unless that was done, or a newer one was told already (the
 * stream may begin again before the place where the newer capture instance took over).
 */
void sl_mssql_structure_tell(struct sl_mssql_told *told, struct sl_mssql_emitter *emitter,
                             struct sl_mssql_table *table, const struct sl_mssql_origin *origin);

/* In a snapshot: tell it, whatever was told. */
void sl_mssql_structure_tell_anew(struct sl_mssql_told *told, struct sl_mssql_emitter *emitter,
                                  struct sl_mssql_table *table, const struct sl_mssql_origin *origin);

/* Somebody else has told it, or a version of ours that kept no notes: say nothing, and note it. */
void sl_mssql_structure_known(struct sl_mssql_told *told, struct sl_batch *batch,
                              const struct sl_mssql_table *table);

#endif
