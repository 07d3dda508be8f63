/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/log.h"

#include "base/uuid.h"

#include <stdio.h>

enum {
    APPLICATION_ID = 0x534C5543, /* "SLUC": what file(1) and we look for */
    FORMAT_VERSION = 2,
    PAGE_SIZE = 4096,
};

/* docs/log-format.md explains each table. */
static const char *const tables =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL,"
    " compact INTEGER NOT NULL, retention_ms INTEGER NOT NULL, retention_bytes INTEGER NOT NULL,"
    " crc INTEGER NOT NULL);"
    "CREATE TABLE partitions (id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL REFERENCES topics (id),"
    " number INTEGER NOT NULL, first_offset INTEGER NOT NULL, next_offset INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, last_batch INTEGER NOT NULL, cleaned_to INTEGER NOT NULL, crc INTEGER NOT NULL,"
    " UNIQUE (topic_id, number));"
    "CREATE TABLE batches (id INTEGER PRIMARY KEY, append_id INTEGER NOT NULL,"
    " partition_id INTEGER NOT NULL REFERENCES partitions (id), first_offset INTEGER NOT NULL,"
    " next_offset INTEGER NOT NULL, appended_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, block BLOB NOT "
    "NULL);"
    "CREATE INDEX batches_by_offset ON batches (partition_id, first_offset);"
    "CREATE TABLE source_offsets (connector TEXT NOT NULL, partition TEXT NOT NULL, offset TEXT NOT NULL,"
    " crc INTEGER NOT NULL, PRIMARY KEY (connector, partition)) WITHOUT ROWID;"
    "CREATE TABLE readers (name TEXT NOT NULL, partition_id INTEGER NOT NULL REFERENCES partitions (id),"
    " next_offset INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (name, partition_id)) WITHOUT ROWID;"
    "CREATE TABLE reservations (name TEXT NOT NULL, topic TEXT NOT NULL, crc INTEGER NOT NULL,"
    " PRIMARY KEY (name, topic)) WITHOUT ROWID;"
    "CREATE TABLE texts (space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, crc INTEGER NOT NULL,"
    " PRIMARY KEY (space, key)) WITHOUT ROWID;";

/* Since format version 2. */
static const char *const notes_table =
    "CREATE TABLE source_notes (connector TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " crc INTEGER NOT NULL, PRIMARY KEY (connector, key)) WITHOUT ROWID;";

static enum sl_rc set_meta(struct sl_sqlite_db *db, const char *key, const char *value, struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(db, SL_SQL_SET_META, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, key);
    sl_sqlite_bind_text(statement, 2, value);
    return sl_sqlite_db_run(db, SL_SQL_SET_META, err);
}

static enum sl_rc create(struct sl_sqlite_db *db, struct sl_error *err)
{
    struct sl_uuid uuid;
    char identity[SL_UUID_TEXT_SIZE];
    char pragmas[96];
    enum sl_rc rc = sl_sqlite_db_begin(db, err);

    if (rc)
        return rc;
    sl_uuid_new(&uuid);
    sl_uuid_format(&uuid, identity);
    rc = sl_sqlite_db_exec(db, tables, err);
    if (!rc)
        rc = sl_sqlite_db_exec(db, notes_table, err);
    if (!rc)
        rc = set_meta(db, "identity", identity, err);
    if (!rc) {
        (void)snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                       APPLICATION_ID, FORMAT_VERSION);
        rc = sl_sqlite_db_exec(db, pragmas, err);
    }
    return sl_sqlite_db_end(db, rc, err);
}

/* A file without any table is one that was never finished: created, and the process was killed. */
static enum sl_rc is_new(struct sl_sqlite_db *db, bool *ret, struct sl_error *err)
{
    int64_t objects;
    enum sl_rc rc = sl_sqlite_db_integer(db, "SELECT count(*) FROM sqlite_master", &objects, err);

    if (!rc)
        *ret = objects == 0;
    return rc;
}

static enum sl_rc check_format(struct sl_sqlite_db *db, struct sl_error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    enum sl_rc rc = sl_sqlite_db_integer(db, "PRAGMA application_id", &application, err);

    if (!rc)
        rc = sl_sqlite_db_integer(db, "PRAGMA user_version", &version, err);
    if (rc)
        return rc;
    if (application != APPLICATION_ID)
        return sl_error_set(
            err, SL_E_CONFIG,
            "'%.200s' is a database, but not a log of sluice. HINT: sluice.state.dir must name a "
            "directory of sluice's own",
            db->path);
    if (version > FORMAT_VERSION || version < 1)
        return sl_error_set(
            err, SL_E_UNSUPPORTED,
            "the log '%.200s' has format version %lld, this sluice knows versions up to %d. HINT: run "
            "the newer sluice that wrote it; an older one cannot go on with it",
            db->path, (long long)version, FORMAT_VERSION);
    return SL_OK;
}

/* A log of version 1 gets what it lacks, in one transaction with its new version. */
static enum sl_rc upgrade(struct sl_sqlite_db *db, struct sl_error *err)
{
    int64_t version = 0;
    char pragma[48];
    enum sl_rc rc = sl_sqlite_db_integer(db, "PRAGMA user_version", &version, err);

    if (rc || version == FORMAT_VERSION)
        return rc;
    rc = sl_sqlite_db_begin(db, err);
    if (rc)
        return rc;
    (void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", FORMAT_VERSION);
    rc = sl_sqlite_db_exec(db, notes_table, err);
    if (!rc)
        rc = sl_sqlite_db_exec(db, pragma, err);
    return sl_sqlite_db_end(db, rc, err);
}

static enum sl_rc load_identity(struct sl_sqlite *log, struct sl_error *err)
{
    sqlite3_stmt *statement;
    struct sl_uuid uuid;
    bool row = false;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_META, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, "identity");
    rc = sl_sqlite_db_next(&log->db, SL_SQL_META, &row, err);
    if (rc)
        return rc;
    if (row)
        (void)snprintf(log->identity, sizeof(log->identity), "%s",
                       (const char *)sqlite3_column_text(statement, 0));
    sl_sqlite_db_reset(&log->db, SL_SQL_META);
    if (!row || !sl_uuid_parse(log->identity, &uuid))
        return sl_sqlite_db_damaged_row(&log->db, "the log's", "identity", err);
    return SL_OK;
}

/* What must be said before the first table exists: it is fixed for the life of the file. */
static enum sl_rc prepare_new(struct sl_sqlite_db *db, struct sl_error *err)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL", PAGE_SIZE);
    return sl_sqlite_db_exec(db, text, err);
}

enum sl_rc sl_sqlite_schema_open(struct sl_sqlite *log, struct sl_error *err)
{
    bool fresh = false;
    enum sl_rc rc = is_new(&log->db, &fresh, err);

    if (!rc && fresh && log->read_only)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "the log '%.200s' is still empty. HINT: start the worker that writes it first",
                            log->path);
    if (!rc)
        rc = fresh ? prepare_new(&log->db, err) : check_format(&log->db, err);
    if (!rc && !log->read_only)
        /* Checkpoints are the housekeeper's. The cache holds the pages of one batch until they are written.
         */
        rc = sl_sqlite_db_exec(&log->db,
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
                               "PRAGMA cache_size = -2048",
                               err);
    if (!rc && fresh)
        rc = create(&log->db, err);
    else if (!rc && !log->read_only)
        rc = upgrade(&log->db, err);
    return rc ? rc : load_identity(log, err);
}
