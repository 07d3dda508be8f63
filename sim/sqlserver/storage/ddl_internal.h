/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of ddl.h share. Private to storage/ and cdc/. */
#ifndef SIM_SQLSERVER_STORAGE_DDL_INTERNAL_H
#define SIM_SQLSERVER_STORAGE_DDL_INTERNAL_H

#include "ddl.h"

/* Object ids come from one sequence for all databases. 0 with *err. */
int32_t ms_ddl_new_object_id(struct ms_session *session, struct ms_error *err);

/* The table, or error 4902 with its number. */
const struct ms_table *ms_ddl_table(struct ms_session *session, int32_t object_id, struct ms_error *err);

/* 2714 when the schema has an object of that name. */
bool ms_ddl_name_free(struct ms_session *session, int32_t db_id, int32_t schema_id, const char *name,
                      struct ms_error *err);

/* A constraint's object row. column_id 0: table level; definition may be NULL. */
bool ms_ddl_add_object(struct ms_session *session, const struct ms_table *table, int32_t object_id,
                       const char *name, const char *type, int32_t column_id, const char *definition,
                       bool system_named, struct ms_error *err);

/* "DF__customers__name__3B75D760". Returns buf. */
const char *ms_ddl_generated_name(const char *prefix, const char *table, const char *column,
                                  int32_t object_id, char *buf, size_t size);

/* The default constraint of a column that exists. */
bool ms_ddl_attach_default(struct ms_session *session, const struct ms_table *table, int32_t column_id,
                           const char *column, const char *name, const char *definition,
                           struct ms_error *err);

/* Forget all of a table: rows of the catalogue, SQLite table. */
bool ms_ddl_remove_table(struct ms_session *session, int32_t object_id, struct ms_error *err);

/* (Re)create the SQLite indexes of one index, or of all. */
bool ms_ddl_build_index(struct ms_session *session, const struct ms_table *table,
                        const struct ms_index *index, struct ms_error *err);
bool ms_ddl_unbuild_index(struct ms_session *session, const struct ms_table *table,
                          const struct ms_index *index, struct ms_error *err);

/* Make the table's SQLite table anew from the catalogue, rows and rowids kept: for another collation of a
 * column. */
bool ms_ddl_rebuild_table(struct ms_session *session, int32_t object_id, struct ms_error *err);

#endif
