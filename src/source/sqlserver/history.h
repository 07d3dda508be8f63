/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's schema history: one JSON record for each structure of each table (HistoryRecord of
 * debezium-core), in the topic that schema.history.internal.kafka.topic names (key null, partition 0), or one
 * line each in the file of schema.history.internal.file.filename, as schema.history.internal wants it.
 *
 * sluice needs none, since the change tables tell their own structure, and reads none. It is written so that
 * a Debezium that takes over again finds there what it would have written itself, and goes on without a new
 * snapshot. Debezium applies a record when the change LSN of its position is not beyond that of the stored
 * offset (SqlServerConnectorConfig's comparator). Change LSNs do not rise from commit to commit, and an
 * offset between two commits has none; ours carry "NULL", which is before everything, and are in the topic
 * before the offset that they belong to.
 *
 * Which structure of which table was written last stands in the source's notes, in the transaction of the
 * records. So the first start over a topic that others wrote says everything once more, which is what a
 * history may do.
 *
 * Threads: the task's reader thread.
 */
#ifndef SLUICE_SOURCE_SQLSERVER_HISTORY_H
#define SLUICE_SOURCE_SQLSERVER_HISTORY_H

#include "sluice/source.h"
#include "source/sqlserver/event.h"

struct sl_mssql_history;

enum sl_mssql_history_kind { SL_MSSQL_HISTORY_TOPIC, SL_MSSQL_HISTORY_FILE, SL_MSSQL_HISTORY_OTHER };

/* By the class that keeps it; NULL or "": Debezium's default, a topic. */
enum sl_mssql_history_kind sl_mssql_history_kind(const char *class_name);

/*
 * Is its topic in another cluster than ours, or is that not to be found out? Then a warning has said so, and
 * nothing is to be written: never into the wrong cluster. May take some seconds.
 */
bool sl_mssql_history_is_elsewhere(const struct sl_mssql_config *config, const struct sl_source_env *env);

/* NULL when none is to be kept: neither topic nor file is named, or nobody but us reads this log. What is
 * given outlives it. partition: JSON. */
struct sl_mssql_history *sl_mssql_history_new(const struct sl_mssql_config *config,
                                              const struct sl_source_env *env,
                                              const struct sl_buf *partition);
void sl_mssql_history_free(struct sl_mssql_history *history); /* NULL is fine */

/* Before anything is put: read the notes, once. NULL is fine. Errors: of the notes. */
enum sl_rc sl_mssql_history_load(struct sl_mssql_history *history, struct sl_error *err);

/* What was put since the last batch did not come to count: the notes are read again. NULL is fine. */
void sl_mssql_history_forget(struct sl_mssql_history *history);

/*
 * Write the structure of a table into the emitter's batch. commit: where the source is. snapshot: it is being
 * taken anew, and so is written whatever was written before; otherwise only what is not there yet. NULL is
 * fine.
 */
void sl_mssql_history_put(struct sl_mssql_history *history, struct sl_mssql_emitter *emitter,
                          const struct sl_mssql_table *table, const struct sl_lsn *commit, bool snapshot);

#endif
