/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "registry/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FORMAT = 2, BUSY_TIMEOUT_MS = 10000 };

enum statement {
    ADD_SCHEMA,
    PUT_VERSION,
    DROP_VERSION,
    PUT_SETTING,
    DROP_SETTING,
    N_STATEMENTS,
};

static const char *const statements[N_STATEMENTS] = {
    [ADD_SCHEMA] = "INSERT OR IGNORE INTO schema (id, kind, digest, text, refs, extra) "
                   "VALUES (?1, 'AVRO', ?2, ?3, ?4, ?5)",
    [PUT_VERSION] = "INSERT INTO version (subject, version, id, deleted) VALUES (?1, ?2, ?3, ?4) "
                    "ON CONFLICT (subject, version) DO UPDATE SET id = ?3, deleted = ?4",
    [DROP_VERSION] = "DELETE FROM version WHERE subject = ?1 AND version = ?2",
    [PUT_SETTING] = "INSERT INTO setting (subject, name, value) VALUES (?1, ?2, ?3) "
                    "ON CONFLICT (subject, name) DO UPDATE SET value = ?3",
    [DROP_SETTING] = "DELETE FROM setting WHERE subject = ?1 AND name = ?2",
};

static const char layout[] =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS schema (id INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " digest BLOB NOT NULL UNIQUE, text TEXT NOT NULL, refs TEXT, extra TEXT);"
    "CREATE TABLE IF NOT EXISTS version (subject TEXT NOT NULL, version INTEGER NOT NULL, id INTEGER NOT NULL"
    " REFERENCES schema (id), deleted INTEGER NOT NULL, PRIMARY KEY (subject, version)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS setting (subject TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (subject, name)) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO meta (key, value) VALUES ('format', '2');";

static const char from_format_1[] = "ALTER TABLE schema ADD COLUMN refs TEXT;"
                                    "ALTER TABLE schema ADD COLUMN extra TEXT;"
                                    "UPDATE meta SET value = '2' WHERE key = 'format';";

struct store {
    struct sl_schema_store store;
    sqlite3 *db;
    sqlite3_stmt *prepared[N_STATEMENTS];
    char *path;
    bool read_only;
    int format;
    int64_t data_version; /* SQLite's own count of what others committed, as of the last load */
};

static enum sl_rc sqlite_failed(const struct store *s, struct sl_error *err)
{
    int code = sqlite3_extended_errcode(s->db);
    enum sl_rc rc = SL_E_IO;
    char native[16];

    if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED)
        rc = SL_E_BUSY;
    else if ((code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB)
        rc = SL_E_LOG_DAMAGED;
    (void)sl_error_set(err, rc, "the schema registry '%s': %s. HINT: %s", s->path, sqlite3_errmsg(s->db),
                       rc == SL_E_BUSY
                           ? "another process writes to it; it is tried again"
                           : "check that the state directory is readable, writable, and has room; a damaged "
                             "file must come back from a backup");
    (void)snprintf(native, sizeof(native), "SQLITE %d", code);
    sl_error_native(err, native);
    return rc;
}

static enum sl_rc execute(struct store *s, const char *sql, struct sl_error *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SL_OK : sqlite_failed(s, err);
}

/* The first number that a query gives; 0 when it gives none or fails. */
static int64_t ask_number(const struct store *s, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t number = 0;

    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return number;
}

/* ---- loading ---- */

typedef void row_visitor(struct sl_catalog *catalog, sqlite3_stmt *row);

static struct sl_schema_text row_text(sqlite3_stmt *row, int column)
{
    return (struct sl_schema_text){
        .text = (const char *)sqlite3_column_text(row, column),
        .references = (const char *)sqlite3_column_text(row, column + 1),
        .extra = (const char *)sqlite3_column_text(row, column + 2),
    };
}

static void load_schema(struct sl_catalog *catalog, sqlite3_stmt *row)
{
    struct sl_schema_text schema = row_text(row, 1);

    if (schema.text)
        sl_catalog_put_entry(catalog, sqlite3_column_int(row, 0), &schema);
}

static void load_version(struct sl_catalog *catalog, sqlite3_stmt *row)
{
    const struct sl_schema_entry *entry = sl_catalog_by_id(catalog, sqlite3_column_int(row, 2));
    const char *subject = (const char *)sqlite3_column_text(row, 0);

    if (entry && subject)
        sl_catalog_put_version(catalog, subject, sqlite3_column_int(row, 1), entry->id, &entry->schema,
                               sqlite3_column_int(row, 3) != 0);
}

static void load_setting(struct sl_catalog *catalog, sqlite3_stmt *row)
{
    const char *subject = (const char *)sqlite3_column_text(row, 0);
    const char *name = (const char *)sqlite3_column_text(row, 1);

    if (subject && name)
        sl_catalog_set(catalog, subject, strcmp(name, "mode") == 0 ? SL_SETTING_MODE : SL_SETTING_CONFIG,
                       (const char *)sqlite3_column_text(row, 2));
}

static enum sl_rc visit_rows(struct store *s, const char *sql, row_visitor *visit, struct sl_catalog *catalog,
                             struct sl_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum sl_rc rc = SL_OK;
    int code;

    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return sqlite_failed(s, err);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        visit(catalog, stmt);
    if (code != SQLITE_DONE)
        rc = sqlite_failed(s, err);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static enum sl_rc load(struct sl_schema_store *store, struct sl_catalog *catalog, struct sl_error *err)
{
    struct store *s = (struct store *)store;
    enum sl_rc rc = execute(s, "BEGIN", err);

    if (rc)
        return rc;
    /* A file of format 1 that is only read has no references and extras. */
    rc = visit_rows(s,
                    s->format == 1 ? "SELECT id, text, NULL, NULL FROM schema ORDER BY id"
                                   : "SELECT id, text, refs, extra FROM schema ORDER BY id",
                    load_schema, catalog, err);
    if (!rc)
        rc = visit_rows(s, "SELECT subject, version, id, deleted FROM version ORDER BY subject, version",
                        load_version, catalog, err);
    if (!rc)
        rc = visit_rows(s, "SELECT subject, name, value FROM setting", load_setting, catalog, err);
    s->data_version = ask_number(s, "PRAGMA data_version");
    (void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

static bool changed(struct sl_schema_store *store)
{
    struct store *s = (struct store *)store;

    return ask_number(s, "PRAGMA data_version") != s->data_version;
}

/* ---- saving ---- */

/* A statement ready for its parameters; give it back with sqlite3_reset. */
static sqlite3_stmt *prepare(struct store *s, enum statement which)
{
    if (!s->prepared[which])
        (void)sqlite3_prepare_v3(s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, &s->prepared[which],
                                 NULL);
    return s->prepared[which];
}

static enum sl_rc run(struct store *s, sqlite3_stmt *stmt, struct sl_error *err)
{
    enum sl_rc rc = sqlite3_step(stmt) == SQLITE_DONE ? SL_OK : sqlite_failed(s, err);

    (void)sqlite3_reset(stmt);
    return rc;
}

static enum sl_rc save_schema(struct store *s, const struct sl_schema_change *change, struct sl_error *err)
{
    sqlite3_stmt *stmt = prepare(s, ADD_SCHEMA);
    uint8_t digest[SL_SCHEMA_DIGEST];

    if (!stmt)
        return sqlite_failed(s, err);
    sl_schema_text_digest(&change->schema, digest);
    (void)sqlite3_bind_int(stmt, 1, change->id);
    (void)sqlite3_bind_blob(stmt, 2, digest, sizeof(digest), SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(stmt, 3, change->schema.text, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(stmt, 4, change->schema.references, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(stmt, 5, change->schema.extra, -1, SQLITE_TRANSIENT);
    return run(s, stmt, err);
}

static enum sl_rc save_version(struct store *s, const struct sl_schema_change *change, struct sl_error *err)
{
    enum sl_rc rc = change->kind == SL_CHANGE_VERSION ? save_schema(s, change, err) : SL_OK;
    sqlite3_stmt *stmt = prepare(s, change->kind == SL_CHANGE_VERSION ? PUT_VERSION : DROP_VERSION);

    if (rc)
        return rc;
    if (!stmt)
        return sqlite_failed(s, err);
    (void)sqlite3_bind_text(stmt, 1, change->subject, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int(stmt, 2, change->version);
    if (change->kind == SL_CHANGE_VERSION) {
        (void)sqlite3_bind_int(stmt, 3, change->id);
        (void)sqlite3_bind_int(stmt, 4, change->deleted);
    }
    return run(s, stmt, err);
}

static enum sl_rc save_setting(struct store *s, const struct sl_schema_change *change, struct sl_error *err)
{
    sqlite3_stmt *stmt = prepare(s, change->value ? PUT_SETTING : DROP_SETTING);

    if (!stmt)
        return sqlite_failed(s, err);
    (void)sqlite3_bind_text(stmt, 1, change->subject, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(stmt, 2, change->setting == SL_SETTING_MODE ? "mode" : "config", -1,
                            SQLITE_STATIC);
    if (change->value)
        (void)sqlite3_bind_text(stmt, 3, change->value, -1, SQLITE_TRANSIENT);
    return run(s, stmt, err);
}

/* One transaction; its commit is the moment when an id is durable. */
static enum sl_rc save(struct sl_schema_store *store, const struct sl_schema_change *changes, size_t n,
                       struct sl_error *err)
{
    struct store *s = (struct store *)store;
    enum sl_rc rc;

    if (s->read_only)
        return sl_error_set(err, SL_E_UNSUPPORTED, "the schema registry '%s' is open for reading only",
                            s->path);
    rc = execute(s, "BEGIN IMMEDIATE", err);
    if (rc)
        return rc;
    for (size_t i = 0; i < n && !rc; i++)
        rc = changes[i].kind == SL_CHANGE_SETTING ? save_setting(s, &changes[i], err)
                                                  : save_version(s, &changes[i], err);
    if (!rc)
        rc = execute(s, "COMMIT", err);
    if (rc)
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static const char *name(const struct sl_schema_store *store)
{
    return ((const struct store *)store)->path;
}

static void close_store(struct sl_schema_store *store)
{
    struct store *s = (struct store *)store;

    for (int i = 0; i < N_STATEMENTS; i++)
        (void)sqlite3_finalize(s->prepared[i]);
    (void)sqlite3_close(s->db);
    sl_free(s->path);
    sl_free(s);
}

static const struct sl_schema_store_ops sqlite_ops = {
    .load = load,
    .save = save,
    .changed = changed,
    .name = name,
    .close = close_store,
};

/* ---- opening ---- */

static enum sl_rc check_format(struct store *s, struct sl_error *err)
{
    /* A file that is no database fails here first. */
    enum sl_rc rc = execute(s, "SELECT count(*) FROM meta", err);

    if (rc)
        return rc;
    s->format = (int)ask_number(s, "SELECT value FROM meta WHERE key = 'format'");
    if (s->format == FORMAT || (s->format == 1 && s->read_only))
        return SL_OK;
    return sl_error_set(err, SL_E_LOG_DAMAGED,
                        "the schema registry '%s' has format %d; this program reads format %d. HINT: use the "
                        "program that wrote it",
                        s->path, s->format, FORMAT);
}

static enum sl_rc lay_out(struct store *s, struct sl_error *err)
{
    enum sl_rc rc = execute(s, "BEGIN IMMEDIATE", err);

    if (!rc)
        rc = execute(s, layout, err);
    if (!rc && ask_number(s, "SELECT value FROM meta WHERE key = 'format'") == 1)
        rc = execute(s, from_format_1, err);
    if (!rc)
        rc = execute(s, "COMMIT", err);
    return rc;
}

static enum sl_rc set_up(struct store *s, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    (void)sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    if (s->read_only)
        return check_format(s, err);
    rc = execute(s, "PRAGMA journal_mode = WAL", err);
    if (!rc)
        rc = execute(s, "PRAGMA synchronous = FULL", err);
    if (!rc)
        rc = lay_out(s, err);
    return rc ? rc : check_format(s, err);
}

enum sl_rc sl_schema_store_sqlite_open(const char *state_dir, bool read_only, struct sl_schema_store **ret,
                                       struct sl_error *err)
{
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    struct store *s = sl_zalloc(1, sizeof(*s));
    struct stat info;
    enum sl_rc rc = SL_OK;

    s->store.ops = &sqlite_ops;
    s->read_only = read_only;
    s->path = sl_format("%s/registry.db", state_dir);
    if (read_only && stat(s->path, &info) != 0)
        rc = sl_error_set(
            err, SL_E_NOT_FOUND,
            "there is no schema registry '%s': %s. HINT: name the state directory of a worker that "
            "has run",
            s->path, strerror(errno));
    else if (!read_only && mkdir(state_dir, 0700) != 0 && errno != EEXIST)
        rc = sl_error_set(err, SL_E_IO, "the state directory '%s' cannot be made: %s", state_dir,
                          strerror(errno));
    else if (sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        rc = sqlite_failed(s, err);
    if (!rc)
        rc = set_up(s, err);
    if (rc) {
        close_store(&s->store);
        return rc;
    }
    *ret = &s->store;
    return SL_OK;
}
