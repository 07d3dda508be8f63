/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SQLite connection of the log, with its statements (the SQL stands in statements.h) and the translation
 * of SQLite's failures into ours.
 *
 * Threads: a connection is used by one thread at a time; whoever shares one brings the lock.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_DB_H
#define SLUICE_TRANSPORT_SQLITE_DB_H

#include "sluice/error.h"
#include "sluice/record.h"
#include "transport/sqlite/statements.h"

#include <sqlite3.h>

struct sl_sqlite_db {
    sqlite3 *handle;
    char *path;                                  /* of sluice.db, for messages */
    sqlite3_stmt *statements[SL_SQL_STATEMENTS]; /* prepared at first use */
};

enum sl_sqlite_mode {
    SL_SQLITE_WRITE, /* may create the file */
    SL_SQLITE_READ,  /* never changes a row; the file must exist */
};

/* Open a connection. On failure nothing stays open. Errors: IO, LOG_DAMAGED, NOT_FOUND (no file to read). */
enum sl_rc sl_sqlite_db_open(struct sl_sqlite_db *db, const char *path, enum sl_sqlite_mode mode,
                             struct sl_error *err);
void sl_sqlite_db_close(struct sl_sqlite_db *db);

/*
 * Say in err what the last call on this connection failed of. Damage (CORRUPT, NOTADB) is LOG_DAMAGED, a full
 * disk LOG_FULL, a lock held by others BUSY, the rest of the file system's refusals IO.
 */
enum sl_rc sl_sqlite_db_fail(struct sl_sqlite_db *db, const char *doing, struct sl_error *err);

/* The prepared statement, reset and ready to bind: nothing is bound (NULL), whatever was before. */
enum sl_rc sl_sqlite_db_statement(struct sl_sqlite_db *db, enum sl_sql sql, sqlite3_stmt **ret,
                                  struct sl_error *err);

/* Step a statement that gives no rows; it is reset afterwards, whatever came. */
enum sl_rc sl_sqlite_db_run(struct sl_sqlite_db *db, enum sl_sql sql, struct sl_error *err);

/* Step to the next row. At the end *ret_row is false and the statement is reset; likewise on an error. */
enum sl_rc sl_sqlite_db_next(struct sl_sqlite_db *db, enum sl_sql sql, bool *ret_row, struct sl_error *err);

/* Stop reading a statement before its end. */
void sl_sqlite_db_reset(struct sl_sqlite_db *db, enum sl_sql sql);

/* Text of this program's own (never built from values). */
enum sl_rc sl_sqlite_db_exec(struct sl_sqlite_db *db, const char *sql, struct sl_error *err);

/* One integer that a PRAGMA or a query of constants gives. */
enum sl_rc sl_sqlite_db_integer(struct sl_sqlite_db *db, const char *sql, int64_t *ret, struct sl_error *err);

/* Transactions. end: COMMIT when rc is SL_OK, else (or when COMMIT fails) ROLLBACK; returns what came out. */
enum sl_rc sl_sqlite_db_begin(struct sl_sqlite_db *db, struct sl_error *err);
enum sl_rc sl_sqlite_db_begin_read(struct sl_sqlite_db *db, struct sl_error *err);
enum sl_rc sl_sqlite_db_end(struct sl_sqlite_db *db, enum sl_rc rc, struct sl_error *err);

/* Short rows carry a CRC32C over their fields, in the order of these calls. */
uint32_t sl_sqlite_crc_int(uint32_t crc, int64_t value);
uint32_t sl_sqlite_crc_text(uint32_t crc, struct sl_span text); /* length, then bytes */

/* Bind helpers that keep call sites to one line. Text is borrowed until the statement is reset. */
void sl_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text);
void sl_sqlite_bind_span(sqlite3_stmt *statement, int index, struct sl_span span); /* ptr NULL: NULL */
struct sl_span sl_sqlite_column_span(sqlite3_stmt *statement, int column);         /* until the next step */

/* LOG_DAMAGED for a short row whose CRC does not match. */
enum sl_rc sl_sqlite_db_damaged_row(struct sl_sqlite_db *db, const char *what, const char *name,
                                    struct sl_error *err);

static inline struct sl_span sl_sqlite_span(const char *text)
{
    return (struct sl_span){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

#endif
