/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of one session: #temporary tables and table variables. They stand in SQLite's temp schema and never
 * reach the catalogue, locks or change capture; their ms_table is made here.
 *
 * A statement on them that fails is undone whole. A ROLLBACK undoes what was done to them only in a
 * transaction that had written a lasting table before: a mere reader keeps no SQLite transaction open
 * (transaction.h), and table variables outlive a ROLLBACK in SQL Server too.
 */
#ifndef SIM_SQLSERVER_TSQL_TEMPORARY_H
#define SIM_SQLSERVER_TSQL_TEMPORARY_H

#include "ast.h"
#include "language.h"

const struct ms_table *ms_temporary_find(const struct ms_language *language, const char *name);

/* name NULL: a table variable, dropped by the caller. 2714 when the name is taken. */
bool ms_temporary_create(struct ms_language *language, const char *name, const struct ms_table_def *def,
                         struct ms_table **ret_table, struct ms_error *err);
bool ms_temporary_drop(struct ms_language *language, const char *name); /* false: there is none */
void ms_temporary_free(struct ms_language *language, struct ms_table *table);
/* After a ROLLBACK: forget the tables that were made in what is undone. */
void ms_temporary_settle(struct ms_language *language);
void ms_temporary_drop_all(struct ms_language *language);

/* CREATE INDEX: 1911, 1913, 1505. DROP INDEX: 3701, 3723. */
bool ms_temporary_add_index(struct ms_language *language, const struct ms_table *table,
                            const struct ms_key_spec *key, struct ms_error *err);
bool ms_temporary_drop_index(struct ms_language *language, const struct ms_table *table, const char *name,
                             struct ms_error *err);

/* Around a statement that only writes here: with ok false all of it is undone. */
bool ms_temporary_begin(struct ms_language *language, struct ms_error *err);
void ms_temporary_end(struct ms_language *language, bool ok);

bool ms_temporary_insert(struct ms_language *language, const struct ms_table *table,
                         const struct ms_value *row, int64_t *ret_rowid, struct ms_error *err);
bool ms_temporary_update(struct ms_language *language, const struct ms_table *table, int64_t rowid,
                         const struct ms_value *row, struct ms_error *err);
bool ms_temporary_delete(struct ms_language *language, const struct ms_table *table, int64_t rowid,
                         struct ms_error *err);
bool ms_temporary_clear(struct ms_language *language, const struct ms_table *table, struct ms_error *err);
int64_t ms_temporary_identity(const struct ms_language *language,
                              const struct ms_table *table); /* the next one */

#endif
