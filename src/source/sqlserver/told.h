/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was told of each table to those who wish to know its structure: the readers of the schema-change topic
 * (structure.c), and Debezium's schema history (history.c). A mark for each table, which stands in the
 * source's notes beside the records that told it: a restart tells neither less nor more.
 *
 * Threads: the task's reader thread.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_TOLD_H
#define SLUICE_SOURCE_SQLSERVER_TOLD_H

#include "sluice/source.h"

struct sl_mssql_told;

enum { SL_MSSQL_MARK_SIZE = 80 };

/* prefix: of the notes' keys, ends with "/"; copied. env outlives it. */
struct sl_mssql_told *sl_mssql_told_new(const struct sl_source_env *env, const char *prefix);
void sl_mssql_told_free(struct sl_mssql_told *told); /* NULL is fine */

/* Before anything else: read the notes, once. NULL is fine. Errors: of the notes. */
enum sl_rc sl_mssql_told_load(struct sl_mssql_told *told, struct sl_error *err);

/* What was put since the last batch did not come to count: the notes are read again. NULL is fine. */
void sl_mssql_told_forget(struct sl_mssql_told *told);

/* Nothing was ever told. */
bool sl_mssql_told_is_empty(const struct sl_mssql_told *told);

/* A table's mark, until the next call of any of these; NULL: nothing was told of it. */
const char *sl_mssql_told_find(const struct sl_mssql_told *told, const char *table_id);

/* Keep it, with the batch. */
void sl_mssql_told_put(struct sl_mssql_told *told, struct sl_batch *batch, const char *table_id,
                       const char *mark);

#endif
