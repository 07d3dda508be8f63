/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions of a session, and the locks around them.
 *
 * What is beneath: one SQLite file in WAL mode for all databases, a connection per session. SQLite has one
 * writer at a time, so writers are serialised: a session's first write takes the server's writer place (first
 * come, first served) and keeps it until its transaction ends. Readers never wait for writers: they see what
 * is committed, as under READ_COMMITTED_SNAPSHOT. That also means:
 *   - READ COMMITTED (and UNCOMMITTED): each statement sees the newest committed state, also inside a
 * transaction;
 *   - REPEATABLE READ, SERIALIZABLE, SNAPSHOT: the first statement of a transaction fixes what is seen; no
 * shared locks are held. The first write of such a transaction moves it to the newest state (no error 3960);
 *   - after its first write a transaction is alone in writing and sees the newest state and its own changes.
 *
 * Table locks are kept in memory: a writer takes IX on the table until its transaction ends; TABLOCKX takes
 * X, TABLOCK and HOLDLOCK take S; a reader under READ COMMITTED and above waits while another session holds
 * X. Waiting ends with 1222 after session->lock_timeout_ms, with 1205 when it would close a circle (or on
 * command), with 3617 when the session is cancelled.
 *
 * Order of calls, for every statement that touches data or catalogue:
 *     ms_statement_begin -> look up in the catalogue -> ms_lock_table -> read or write -> ms_statement_end
 * Statements nest (INSERT ... EXEC): the inner one joins the outer, which must be a WRITE if the inner is.
 */
#ifndef SIM_SQLSERVER_STORAGE_TRANSACTION_H
#define SIM_SQLSERVER_STORAGE_TRANSACTION_H

#include "catalog.h"

enum ms_statement_kind {
    MS_STATEMENT_READ, /* also for writes to temporary tables only */
    MS_STATEMENT_WRITE,
};

/*
 * Begin a statement: brings the catalogue up to date, opens a SQLite transaction when none is open, sets a
 * savepoint for a WRITE. On false nothing was begun (1222, 1205, 3617, 596).
 */
bool ms_statement_begin(struct ms_session *session, enum ms_statement_kind kind, struct ms_error *err);

/*
 * End it. ok false: what the statement did is undone. Without a transaction of the user (@@TRANCOUNT = 0) it
 * is committed or rolled back here. May fail with ok true: foreign keys are checked at the end of a statement
 * (547); then the statement was undone.
 */
bool ms_statement_end(struct ms_session *session, bool ok, struct ms_error *err);

/* BEGIN TRAN: @@TRANCOUNT + 1. name may be NULL. */
bool ms_tran_begin(struct ms_session *session, const char *name, struct ms_error *err);
/* COMMIT: @@TRANCOUNT - 1, durable at 0. 3902 without a transaction. */
bool ms_tran_commit(struct ms_session *session, struct ms_error *err);
/* ROLLBACK: everything when name is NULL, "" or the outermost name; else to that savepoint (6401 unknown
 * name). */
bool ms_tran_rollback(struct ms_session *session, const char *name, struct ms_error *err);
/* SAVE TRAN: 628 without a transaction. */
bool ms_tran_save(struct ms_session *session, const char *name, struct ms_error *err);

int32_t ms_tran_count(const struct ms_session *session);       /* @@TRANCOUNT */
uint64_t ms_tran_descriptor(const struct ms_session *session); /* of the open transaction, 0: none */
uint64_t ms_tran_id(const struct ms_session *session);         /* its id for sys.dm_tran_*; 0: none */
bool ms_tran_is_writing(const struct ms_session *session);

enum ms_lock_mode {
    MS_LOCK_READ, /* wait while another session holds X, then keep nothing (READ COMMITTED reads) */
    MS_LOCK_S,    /* TABLOCK with HOLDLOCK, REPEATABLEREAD: to the end of the transaction */
    MS_LOCK_IX,   /* writes; row.h takes it by itself */
    MS_LOCK_X,    /* TABLOCKX: to the end of the transaction, or to a rollback to an earlier savepoint */
};
/* READ is skipped by itself under READ UNCOMMITTED and SNAPSHOT (or when the caller saw NOLOCK: do not call).
 */
bool ms_lock_table(struct ms_session *session, int32_t object_id, enum ms_lock_mode mode,
                   struct ms_error *err);

/*
 * The transaction log, one call per changed row of a tracked table; row.h calls them. Values stand in the
 * order of table->columns. command_id: see ms_change_command.
 */
bool ms_change_insert(struct ms_session *session, const struct ms_table *table, const struct ms_value *after,
                      int32_t command_id, struct ms_error *err);
bool ms_change_delete(struct ms_session *session, const struct ms_table *table, const struct ms_value *before,
                      int32_t command_id, struct ms_error *err);
/* assigned: one flag per column, true where the statement's SET named it (large values); NULL: by comparison.
 */
bool ms_change_update(struct ms_session *session, const struct ms_table *table, const struct ms_value *before,
                      const struct ms_value *after, const bool *assigned, int32_t command_id,
                      struct ms_error *err);
/* The id that the changes of the running statement carry: 1.. within the transaction. */
int32_t ms_change_command(struct ms_session *session);

/* The next identity value (8115 at the type's end), and after SET IDENTITY_INSERT the highest one seen. */
bool ms_identity_next(struct ms_session *session, const struct ms_table *table, int64_t *ret_value,
                      struct ms_error *err);
void ms_identity_seen(struct ms_session *session, const struct ms_table *table, int64_t value);
/* IDENT_CURRENT: false when the table has none. DBCC CHECKIDENT RESEED sets it. */
bool ms_identity_current(struct ms_session *session, const struct ms_table *table, int64_t *ret_value);
void ms_identity_reseed(struct ms_session *session, const struct ms_table *table, int64_t value);

uint64_t ms_rowversion_current(struct ms_session *session, int32_t db_id); /* @@DBTS */

#endif
