/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/builtin.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/avro_schema.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { FORMAT = 1, DIGEST_SIZE = 32, BUSY_TIMEOUT_MS = 10000 };

enum statement {
    FIND_DIGEST,
    ADD_SCHEMA,
    FIND_VERSION,
    ADD_VERSION,
    TEXT_BY_ID,
    LATEST,
    N_STATEMENTS,
};

static const char *const statements[N_STATEMENTS] = {
    [FIND_DIGEST] = "SELECT id FROM schema WHERE digest = ?1",
    [ADD_SCHEMA] = "INSERT INTO schema (id, kind, digest, text) "
                   "SELECT coalesce(max(id), 0) + 1, 'AVRO', ?1, ?2 FROM schema RETURNING id",
    [FIND_VERSION] = "SELECT version FROM version WHERE subject = ?1 AND id = ?2 AND deleted = 0",
    [ADD_VERSION] = "INSERT INTO version (subject, version, id, deleted) "
                    "SELECT ?1, coalesce(max(version), 0) + 1, ?2, 0 FROM version WHERE subject = ?1",
    [TEXT_BY_ID] = "SELECT text FROM schema WHERE id = ?1",
    [LATEST] = "SELECT v.version, v.id, s.text FROM version v JOIN schema s ON s.id = v.id "
               "WHERE v.subject = ?1 AND v.deleted = 0 ORDER BY v.version DESC LIMIT 1",
};

static const char layout[] =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS schema (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, digest BLOB NOT NULL "
    "UNIQUE,"
    " text TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS version (subject TEXT NOT NULL, version INTEGER NOT NULL, id INTEGER NOT NULL"
    " REFERENCES schema (id), deleted INTEGER NOT NULL, PRIMARY KEY (subject, version)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS setting (subject TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (subject, name)) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO meta (key, value) VALUES ('format', '1');";

struct builtin {
    struct sl_registry registry;
    pthread_mutex_t lock; /* guards everything below */
    sqlite3 *db;
    sqlite3_stmt *prepared[N_STATEMENTS];
    char *path;
    bool read_only;
};

static enum sl_rc sqlite_failed(const struct builtin *b, struct sl_error *err)
{
    int code = sqlite3_extended_errcode(b->db);
    enum sl_rc rc = SL_E_IO;
    char native[16];

    if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED)
        rc = SL_E_BUSY;
    else if ((code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB)
        rc = SL_E_LOG_DAMAGED;
    (void)sl_error_set(err, rc, "the schema registry '%s': %s. HINT: %s", b->path, sqlite3_errmsg(b->db),
                       rc == SL_E_BUSY
                           ? "another process writes to it; it is tried again"
                           : "check that the state directory is readable, writable, and has room; a damaged "
                             "file must come back from a backup");
    (void)snprintf(native, sizeof(native), "SQLITE %d", code);
    sl_error_native(err, native);
    return rc;
}

static enum sl_rc execute(struct builtin *b, const char *sql, struct sl_error *err)
{
    return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SL_OK : sqlite_failed(b, err);
}

/* A statement ready for its parameters; give it back with sqlite3_reset. */
static sqlite3_stmt *prepare(struct builtin *b, enum statement which)
{
    if (!b->prepared[which])
        (void)sqlite3_prepare_v3(b->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, &b->prepared[which],
                                 NULL);
    return b->prepared[which];
}

/* Run a statement that gives one number or none. *ret_found says which. */
static enum sl_rc step_number(struct builtin *b, sqlite3_stmt *stmt, int32_t *ret, bool *ret_found,
                              struct sl_error *err)
{
    int code = sqlite3_step(stmt);
    enum sl_rc rc = SL_OK;

    if (code == SQLITE_ROW)
        *ret = sqlite3_column_int(stmt, 0);
    else if (code != SQLITE_DONE)
        rc = sqlite_failed(b, err);
    *ret_found = code == SQLITE_ROW;
    /* INSERT ... RETURNING ends only when it is stepped to its end. */
    if (code == SQLITE_ROW && sqlite3_step(stmt) != SQLITE_DONE)
        rc = sqlite_failed(b, err);
    (void)sqlite3_reset(stmt);
    return rc;
}

static enum sl_rc find_or_add_schema(struct builtin *b, const struct sl_buf *text, int32_t *ret_id,
                                     struct sl_error *err)
{
    uint8_t digest[DIGEST_SIZE];
    sqlite3_stmt *stmt = prepare(b, FIND_DIGEST);
    bool found;

    if (!stmt || EVP_Digest(text->data, text->len, digest, NULL, EVP_sha256(), NULL) != 1)
        return sqlite_failed(b, err);
    (void)sqlite3_bind_blob(stmt, 1, digest, sizeof(digest), SQLITE_TRANSIENT);
    if (step_number(b, stmt, ret_id, &found, err))
        return err ? err->rc : SL_E_IO;
    if (found)
        return SL_OK;
    stmt = prepare(b, ADD_SCHEMA);
    if (!stmt)
        return sqlite_failed(b, err);
    (void)sqlite3_bind_blob(stmt, 1, digest, sizeof(digest), SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(stmt, 2, (const char *)text->data, (int)text->len, SQLITE_TRANSIENT);
    return step_number(b, stmt, ret_id, &found, err);
}

static enum sl_rc find_or_add_version(struct builtin *b, const char *subject, int32_t id,
                                      struct sl_error *err)
{
    enum statement both[] = {FIND_VERSION, ADD_VERSION};
    bool found = false;

    for (int i = 0; i < 2 && !found; i++) {
        sqlite3_stmt *stmt = prepare(b, both[i]);
        int32_t version;
        enum sl_rc rc;

        if (!stmt)
            return sqlite_failed(b, err);
        (void)sqlite3_bind_text(stmt, 1, subject, -1, SQLITE_TRANSIENT);
        (void)sqlite3_bind_int(stmt, 2, id);
        rc = step_number(b, stmt, &version, &found, err);
        if (rc)
            return rc;
    }
    return SL_OK;
}

/* All in one transaction; its commit is the moment when the id is durable. */
static enum sl_rc register_text(struct builtin *b, const char *subject, const struct sl_buf *text,
                                int32_t *ret_id, struct sl_error *err)
{
    enum sl_rc rc = execute(b, "BEGIN IMMEDIATE", err);
    int32_t id = 0;

    if (rc)
        return rc;
    rc = find_or_add_schema(b, text, &id, err);
    if (!rc)
        rc = find_or_add_version(b, subject, id, err);
    if (!rc)
        rc = execute(b, "COMMIT", err);
    if (rc)
        (void)sqlite3_exec(b->db, "ROLLBACK", NULL, NULL, NULL);
    else
        *ret_id = id;
    return rc;
}

static enum sl_rc register_schema(struct sl_registry *registry, const char *subject, const char *text,
                                  int32_t *ret_id, struct sl_error *err)
{
    struct builtin *b = (struct builtin *)registry;
    struct sl_buf canonical = {0};
    struct sl_avro_doc *doc;
    enum sl_rc rc;

    if (b->read_only)
        return sl_error_set(err, SL_E_UNSUPPORTED, "the schema registry '%s' is open for reading only",
                            b->path);
    rc = sl_avro_parse(text, strlen(text), &doc, err);
    if (rc)
        return rc;
    sl_avro_print(doc->root, &canonical);
    sl_avro_doc_free(doc);
    (void)pthread_mutex_lock(&b->lock);
    rc = register_text(b, subject, &canonical, ret_id, err);
    (void)pthread_mutex_unlock(&b->lock);
    sl_buf_done(&canonical);
    return rc;
}

static char *column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return sl_strndup(text ? text : "", (size_t)sqlite3_column_bytes(stmt, column));
}

static enum sl_rc text_by_id(struct builtin *b, int32_t id, char **ret_text, struct sl_error *err)
{
    sqlite3_stmt *stmt = prepare(b, TEXT_BY_ID);
    enum sl_rc rc = SL_OK;
    int code;

    if (!stmt)
        return sqlite_failed(b, err);
    (void)sqlite3_bind_int(stmt, 1, id);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *ret_text = column_text(stmt, 0);
    else if (code == SQLITE_DONE)
        rc = sl_error_set(
            err, SL_E_NOT_FOUND,
            "schema id %d is not in the registry '%s'. HINT: the log and the registry of one state "
            "directory belong together; restore both from the same backup",
            id, b->path);
    else
        rc = sqlite_failed(b, err);
    (void)sqlite3_reset(stmt);
    return rc;
}

static enum sl_rc schema_by_id(struct sl_registry *registry, int32_t id, char **ret_text,
                               struct sl_error *err)
{
    struct builtin *b = (struct builtin *)registry;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&b->lock);
    rc = text_by_id(b, id, ret_text, err);
    (void)pthread_mutex_unlock(&b->lock);
    return rc;
}

static enum sl_rc find_latest(struct builtin *b, const char *subject, int32_t *ret_version, int32_t *ret_id,
                              char **ret_text, struct sl_error *err)
{
    sqlite3_stmt *stmt = prepare(b, LATEST);
    enum sl_rc rc = SL_OK;
    int code;

    if (!stmt)
        return sqlite_failed(b, err);
    (void)sqlite3_bind_text(stmt, 1, subject, -1, SQLITE_TRANSIENT);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        *ret_version = sqlite3_column_int(stmt, 0);
        *ret_id = sqlite3_column_int(stmt, 1);
        *ret_text = column_text(stmt, 2);
    } else if (code == SQLITE_DONE) {
        rc = sl_error_set(err, SL_E_NOT_FOUND, "subject '%s' is not in the registry '%s'", subject, b->path);
    } else {
        rc = sqlite_failed(b, err);
    }
    (void)sqlite3_reset(stmt);
    return rc;
}

static enum sl_rc latest(struct sl_registry *registry, const char *subject, int32_t *ret_version,
                         int32_t *ret_id, char **ret_text, struct sl_error *err)
{
    struct builtin *b = (struct builtin *)registry;
    enum sl_rc rc;

    (void)pthread_mutex_lock(&b->lock);
    rc = find_latest(b, subject, ret_version, ret_id, ret_text, err);
    (void)pthread_mutex_unlock(&b->lock);
    return rc;
}

static void close_builtin(struct sl_registry *registry)
{
    struct builtin *b = (struct builtin *)registry;

    if (!b)
        return;
    for (int i = 0; i < N_STATEMENTS; i++)
        (void)sqlite3_finalize(b->prepared[i]);
    (void)sqlite3_close(b->db);
    (void)pthread_mutex_destroy(&b->lock);
    sl_free(b->path);
    sl_free(b);
}

static const struct sl_registry_ops builtin_ops = {
    .name = "builtin",
    .register_schema = register_schema,
    .schema_by_id = schema_by_id,
    .latest = latest,
    .close = close_builtin,
};

static enum sl_rc check_format(struct builtin *b, struct sl_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int format = 0;

    if (sqlite3_prepare_v2(b->db, "SELECT value FROM meta WHERE key = 'format'", -1, &stmt, NULL) !=
        SQLITE_OK)
        return sqlite_failed(b, err);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        format = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    if (format == FORMAT)
        return SL_OK;
    return sl_error_set(err, SL_E_LOG_DAMAGED,
                        "the schema registry '%s' has format %d; this program reads format %d. HINT: use the "
                        "program that wrote it",
                        b->path, format, FORMAT);
}

static enum sl_rc set_up(struct builtin *b, struct sl_error *err)
{
    enum sl_rc rc;

    (void)sqlite3_busy_timeout(b->db, BUSY_TIMEOUT_MS);
    if (b->read_only)
        return check_format(b, err);
    rc = execute(b, "PRAGMA journal_mode = WAL", err);
    if (!rc)
        rc = execute(b, "PRAGMA synchronous = FULL", err);
    if (!rc)
        rc = execute(b, "BEGIN IMMEDIATE", err);
    if (!rc)
        rc = execute(b, layout, err);
    if (!rc)
        rc = execute(b, "COMMIT", err);
    return rc ? rc : check_format(b, err);
}

enum sl_rc sl_registry_builtin_open(const char *state_dir, bool read_only, struct sl_registry **ret,
                                    struct sl_error *err)
{
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    struct builtin *b = sl_zalloc(1, sizeof(*b));
    struct stat info;
    enum sl_rc rc = SL_OK;

    b->registry.ops = &builtin_ops;
    b->read_only = read_only;
    b->path = sl_format("%s/registry.db", state_dir);
    (void)pthread_mutex_init(&b->lock, NULL);
    if (read_only && stat(b->path, &info) != 0)
        rc = sl_error_set(
            err, SL_E_NOT_FOUND,
            "there is no schema registry '%s': %s. HINT: name the state directory of a worker that "
            "has run",
            b->path, strerror(errno));
    else if (!read_only && mkdir(state_dir, 0700) != 0 && errno != EEXIST)
        rc = sl_error_set(err, SL_E_IO, "the state directory '%s' cannot be made: %s", state_dir,
                          strerror(errno));
    else if (sqlite3_open_v2(b->path, &b->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        rc = sqlite_failed(b, err);
    if (!rc)
        rc = set_up(b, err);
    if (rc) {
        close_builtin(&b->registry);
        return rc;
    }
    *ret = &b->registry;
    return SL_OK;
}
