/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a session's transaction. Private to storage/ and cdc/. */
#ifndef SIM_SQLSERVER_STORAGE_TRAN_H
#define SIM_SQLSERVER_STORAGE_TRAN_H

#include "server.h"

#define MS_MAX_SAVEPOINTS 32
#define MS_MAX_TRAN_DATABASES 8

/* What a transaction wrote to the log of one database. */
struct ms_tran_log {
    int32_t db_id;
    int64_t first_row;
    int64_t last_row;
    uint8_t begin_lsn[MS_LSN_SIZE];
};

/* A key that must have (or must no longer have) a partner when the statement ends; fk.c. */
struct ms_fk_check;

struct ms_tran {
    _Atomic int32_t count; /* @@TRANCOUNT; sys.dm_tran_* reads it from other threads */
    _Atomic uint64_t id;   /* of the open transaction, autocommitted ones too */
    int64_t begin_time;    /* datetime ticks */
    char name[33];         /* of the outermost BEGIN TRAN */
    int32_t depth;         /* of statements */
    bool in_sqlite;        /* a SQLite transaction is open */
    bool writing;          /* ... with the writer place */
    bool statement_write;  /* the outermost statement is a WRITE and has its savepoint */
    bool undone;           /* something was rolled back to a savepoint: log rows may be fewer than counted */

    char savepoints[MS_MAX_SAVEPOINTS][33];
    int32_t n_savepoints;
    int32_t n_physical; /* how many of them SQLite knows */

    int32_t command_id;     /* of the last statement that changed a tracked table */
    bool statement_changed; /* the running statement has taken its id */
    struct ms_tran_log logs[MS_MAX_TRAN_DATABASES];
    size_t n_logs;

    int32_t *identities; /* object ids whose counter moved */
    size_t n_identities;
    size_t cap_identities;

    int32_t last_locked; /* table whose IX lock is known to be held; 0: none */
    struct ms_fk_check *fk_checks;
    size_t n_fk_checks;
    size_t cap_fk_checks;
    struct ms_arena fk_arena;
    struct ms_arena row_arena; /* scratch of one row */
    struct ms_buffer image;    /* of a log record */
    uint8_t rowversion[8];
    pthread_mutex_t
        busy; /* held while a statement or a transaction request runs: who else has it may abandon */
};

/* A log record of a tracked table or of the capture's own bookkeeping. Letters of `op` are in change_log.h.
 */
bool ms_log_append(struct ms_session *session, int32_t db_id, int32_t object_id, char op, int32_t command_id,
                   const uint8_t *lsn, const void *image, size_t size, struct ms_error *err);

/* The same as ms_change_insert and ms_change_delete, with a sequence value that was taken before. */
bool ms_change_insert_at(struct ms_session *session, const struct ms_table *table,
                         const struct ms_value *after, int32_t command_id, const uint8_t *lsn,
                         struct ms_error *err);
bool ms_change_delete_at(struct ms_session *session, const struct ms_table *table,
                         const struct ms_value *before, int32_t command_id, const uint8_t *lsn,
                         struct ms_error *err);

/* One row whose key changed; row.c. */
bool ms_change_key_update(struct ms_session *session, const struct ms_table *table,
                          const struct ms_value *before, const struct ms_value *after, int32_t command_id,
                          struct ms_error *err);

/* The next LSN of a database's log; only while writing. */
bool ms_log_next_lsn(struct ms_session *session, int32_t db_id, uint8_t ret_lsn[MS_LSN_SIZE],
                     struct ms_error *err);

/* Write what the transaction's log and counters need before SQLite commits. */
bool ms_log_commit(struct ms_session *session, struct ms_error *err);
/* TRUNCATE TABLE: the next value is the seed again. */
void ms_identity_forget(struct ms_session *session, const struct ms_table *table);
bool ms_identity_flush(struct ms_session *session, struct ms_error *err);

/* Run the foreign key checks that wait for the end of the statement; drop them. fk.c */
bool ms_fk_statement_end(struct ms_session *session, struct ms_error *err);
void ms_fk_statement_forget(struct ms_session *session);

/* Physical end of everything, by whatever means: for rollback, close and kill. */
void ms_tran_abandon(struct ms_session *session);

#endif
