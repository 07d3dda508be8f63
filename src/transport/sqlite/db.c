/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/db.h"

#include "base/alloc.h"
#include "base/crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const texts[] = {
#define SL_SQL_TEXT(name, text) [SL_SQL_##name] = text,
    SL_SQL_LIST(SL_SQL_TEXT)
#undef SL_SQL_TEXT
};

#define DAMAGE_HINT                                                                                         \
    "HINT: stop sluice and keep a copy of the state directory; restore it from a backup, or move it away: " \
    "sources then start over with a snapshot"

/* ENOSPC and its kin come as IOERR where SQLite does not expect them (shared memory, sync). */
static bool no_space(sqlite3 *handle)
{
    int code = sqlite3_errcode(handle);
    int system = sqlite3_system_errno(handle);

    if (code == SQLITE_FULL)
        return true;
    return code == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT || system == EFBIG);
}

static enum sl_rc fail_io(struct sl_sqlite_db *db, const char *doing, struct sl_error *err)
{
    int system = sqlite3_system_errno(db->handle);

    return sl_error_set(
        err, SL_E_IO,
        "the log '%.180s' cannot be used while %s: %s%s%s. HINT: check the disk, the mount and "
        "the rights of the state directory; what was durable before is kept",
        db->path, doing, sqlite3_errmsg(db->handle), system ? ": " : "", system ? strerror(system) : "");
}

static enum sl_rc fail_by_code(struct sl_sqlite_db *db, const char *doing, struct sl_error *err)
{
    const char *why = sqlite3_errmsg(db->handle);
    int extended = sqlite3_extended_errcode(db->handle);

    switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_CONSTRAINT: /* our own rows cannot collide */
    case SQLITE_MISMATCH:
        return sl_error_set(err, SL_E_LOG_DAMAGED,
                            "the log '%.180s' is damaged (found while %s): %s. " DAMAGE_HINT, db->path, doing,
                            why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return sl_error_set(
            err, SL_E_BUSY,
            "another process holds the log '%.180s' while %s: %s. HINT: end what else has the "
            "file open for writing",
            db->path, doing, why);
    case SQLITE_TOOBIG:
        return sl_error_set(err, SL_E_CONFIG,
                            "too large for the log '%.180s' while %s: %s. HINT: smaller batches", db->path,
                            doing, why);
    case SQLITE_IOERR:
        if (extended == SQLITE_IOERR_CORRUPTFS || extended == SQLITE_IOERR_SHORT_READ)
            return sl_error_set(err, SL_E_LOG_DAMAGED,
                                "the log '%.180s' is damaged (found while %s): %s. " DAMAGE_HINT, db->path,
                                doing, why);
        return fail_io(db, doing, err);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOMEM:
    case SQLITE_NOLFS: return fail_io(db, doing, err);
    default:
        return sl_error_set(err, SL_E_INTERNAL, "the log '%.180s' refused a statement while %s: %s", db->path,
                            doing, why);
    }
}

enum sl_rc sl_sqlite_db_fail(struct sl_sqlite_db *db, const char *doing, struct sl_error *err)
{
    char native[16];
    enum sl_rc rc;

    (void)snprintf(native, sizeof(native), "SQLITE %d", sqlite3_extended_errcode(db->handle));
    if (no_space(db->handle))
        rc = sl_error_set(
            err, SL_E_LOG_FULL,
            "the disk of the log '%.180s' is full (found while %s). HINT: free or add space, lower "
            "sluice.log.max.bytes; nothing was written, and it goes on once there is room",
            db->path, doing);
    else
        rc = fail_by_code(db, doing, err);
    sl_error_native(err, native);
    return rc;
}

enum sl_rc sl_sqlite_db_exec(struct sl_sqlite_db *db, const char *sql, struct sl_error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sl_sqlite_db_fail(db, sql, err);
    return SL_OK;
}

enum sl_rc sl_sqlite_db_integer(struct sl_sqlite_db *db, const char *sql, int64_t *ret, struct sl_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum sl_rc rc = SL_OK;

    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        rc = sl_sqlite_db_fail(db, sql, err);
    else
        *ret = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return rc;
}

static enum sl_rc open_handle(struct sl_sqlite_db *db, enum sl_sqlite_mode mode, struct sl_error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int code;

    /* A reader opens for writing too where it may: reading a WAL after a crash needs its shared index built.
     */
    code = sqlite3_open_v2(db->path, &db->handle, flags | SQLITE_OPEN_READWRITE, NULL);
    if (mode == SL_SQLITE_READ && code != SQLITE_OK && (code & 0xff) != SQLITE_NOTADB) {
        (void)sqlite3_close(db->handle);
        code = sqlite3_open_v2(db->path, &db->handle, flags | SQLITE_OPEN_READONLY, NULL);
    }
    if (code == SQLITE_OK)
        return SL_OK;
    return sl_sqlite_db_fail(db, "opening it", err);
}

/* SQLite opens a file for reading only that it may not write, or whose header asks for another SQLite. */
static enum sl_rc check_writable(struct sl_sqlite_db *db, struct sl_error *err)
{
    int64_t version;
    enum sl_rc rc = sl_sqlite_db_integer(db, "PRAGMA schema_version", &version, err); /* reads the header */

    if (rc || sqlite3_db_readonly(db->handle, "main") != 1)
        return rc;
    if (access(db->path, W_OK) == 0)
        return sl_error_set(
            err, SL_E_LOG_DAMAGED,
            "the log '%.180s' is damaged: its header has a version that cannot be written. " DAMAGE_HINT,
            db->path);
    return sl_error_set(err, SL_E_IO,
                        "the log '%.180s' may not be written: %s. HINT: see the file's owner and rights",
                        db->path, strerror(errno));
}

static enum sl_rc set_up(struct sl_sqlite_db *db, enum sl_sqlite_mode mode, struct sl_error *err)
{
    enum sl_rc rc;

    (void)sqlite3_busy_timeout(db->handle, 10000);
    /* The reader that closes last must not pay for the writer's checkpoint. */
    if (mode == SL_SQLITE_READ)
        (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = sl_sqlite_db_exec(
        db,
        "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
        "PRAGMA mmap_size = 0",
        err);
    if (!rc && mode == SL_SQLITE_WRITE)
        rc = check_writable(db, err);
    if (!rc && mode == SL_SQLITE_READ)
        rc = sl_sqlite_db_exec(db, "PRAGMA query_only = ON; PRAGMA cache_size = -512", err);
    return rc;
}

enum sl_rc sl_sqlite_db_open(struct sl_sqlite_db *db, const char *path, enum sl_sqlite_mode mode,
                             struct sl_error *err)
{
    enum sl_rc rc;

    *db = (struct sl_sqlite_db){.path = sl_strdup(path)};
    rc = open_handle(db, mode, err);
    if (!rc)
        rc = set_up(db, mode, err);
    if (rc)
        sl_sqlite_db_close(db);
    return rc;
}

void sl_sqlite_db_close(struct sl_sqlite_db *db)
{
    for (size_t i = 0; i < SL_SQL_STATEMENTS; i++)
        (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->handle);
    sl_free(db->path);
    *db = (struct sl_sqlite_db){0};
}

/* The statements are constant: one that does not compile met tables that are not as they were made. */
static enum sl_rc fail_to_prepare(struct sl_sqlite_db *db, struct sl_error *err)
{
    if (sqlite3_errcode(db->handle) != SQLITE_ERROR)
        return sl_sqlite_db_fail(db, "reading its tables", err);
    return sl_error_set(err, SL_E_LOG_DAMAGED,
                        "the log '%.180s' is damaged: its tables have changed: %s. " DAMAGE_HINT, db->path,
                        sqlite3_errmsg(db->handle));
}

enum sl_rc sl_sqlite_db_statement(struct sl_sqlite_db *db, enum sl_sql sql, sqlite3_stmt **ret,
                                  struct sl_error *err)
{
    if (!db->statements[sql] && sqlite3_prepare_v3(db->handle, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
                                                   &db->statements[sql], NULL) != SQLITE_OK)
        return fail_to_prepare(db, err);
    *ret = db->statements[sql];
    (void)sqlite3_clear_bindings(*ret); /* what an earlier use bound may be freed memory by now */
    return SL_OK;
}

/* What a statement does, in words for a message. */
static const char *doing(enum sl_sql sql)
{
    if (sql == SL_SQL_COMMIT)
        return "making a transaction durable";
    if (sql == SL_SQL_ADD_BATCH)
        return "adding a batch";
    if (sql == SL_SQL_SCAN)
        return "reading batches";
    return strncmp(texts[sql], "SELECT", 6) == 0 ? "reading from it" : "writing to it";
}

enum sl_rc sl_sqlite_db_next(struct sl_sqlite_db *db, enum sl_sql sql, bool *ret_row, struct sl_error *err)
{
    sqlite3_stmt *statement = db->statements[sql];
    int code = sqlite3_step(statement);
    enum sl_rc rc = SL_OK;

    *ret_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return SL_OK;
    if (code != SQLITE_DONE)
        rc = sl_sqlite_db_fail(db, doing(sql), err);
    (void)sqlite3_reset(statement);
    return rc;
}

enum sl_rc sl_sqlite_db_run(struct sl_sqlite_db *db, enum sl_sql sql, struct sl_error *err)
{
    bool row;
    enum sl_rc rc = sl_sqlite_db_next(db, sql, &row, err);

    if (!rc && row)
        sl_sqlite_db_reset(db, sql);
    return rc;
}

void sl_sqlite_db_reset(struct sl_sqlite_db *db, enum sl_sql sql)
{
    (void)sqlite3_reset(db->statements[sql]);
}

static enum sl_rc run_plain(struct sl_sqlite_db *db, enum sl_sql sql, struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(db, sql, &statement, err);

    return rc ? rc : sl_sqlite_db_run(db, sql, err);
}

enum sl_rc sl_sqlite_db_begin(struct sl_sqlite_db *db, struct sl_error *err)
{
    return run_plain(db, SL_SQL_BEGIN, err);
}

enum sl_rc sl_sqlite_db_begin_read(struct sl_sqlite_db *db, struct sl_error *err)
{
    return run_plain(db, SL_SQL_BEGIN_READ, err);
}

enum sl_rc sl_sqlite_db_end(struct sl_sqlite_db *db, enum sl_rc rc, struct sl_error *err)
{
    if (!rc)
        rc = run_plain(db, SL_SQL_COMMIT, err);
    /* Some failures (full disk, IO) have rolled back already. */
    if (rc && !sqlite3_get_autocommit(db->handle))
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

uint32_t sl_sqlite_crc_int(uint32_t crc, int64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    return sl_crc32c(crc, bytes, sizeof(bytes));
}

uint32_t sl_sqlite_crc_text(uint32_t crc, struct sl_span text)
{
    return sl_crc32c(sl_sqlite_crc_int(crc, (int64_t)text.len), text.ptr, text.len);
}

void sl_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    (void)sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void sl_sqlite_bind_span(sqlite3_stmt *statement, int index, struct sl_span span)
{
    if (span.ptr)
        (void)sqlite3_bind_text64(statement, index, (const char *)span.ptr, span.len, SQLITE_STATIC,
                                  SQLITE_UTF8);
    else
        (void)sqlite3_bind_null(statement, index);
}

struct sl_span sl_sqlite_column_span(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t len = (size_t)sqlite3_column_bytes(statement, column);

    return (struct sl_span){.ptr = bytes ? bytes : (const uint8_t *)"", .len = bytes ? len : 0};
}

enum sl_rc sl_sqlite_db_damaged_row(struct sl_sqlite_db *db, const char *what, const char *name,
                                    struct sl_error *err)
{
    return sl_error_set(
        err, SL_E_LOG_DAMAGED,
        "the log '%.180s' is damaged: the checksum of %s '%.60s' does not match. " DAMAGE_HINT, db->path,
        what, name);
}
