/* SPDX-License-Identifier: Apache-2.0 */
/* What sources remember beside their positions: bytes by connector and key, in the order of the keys. */
#include "base/buf.h"
#include "transport/sqlite/log.h"
#include "transport/sqlite/pairs.h"

static uint32_t note_crc(const char *connector, struct sl_span key, struct sl_span value)
{
    uint32_t crc = sl_sqlite_crc_text(0, sl_sqlite_span(connector));

    return sl_sqlite_crc_text(sl_sqlite_crc_text(crc, key), value);
}

/* A zero-length blob would otherwise be bound as NULL. */
static void bind_blob(sqlite3_stmt *statement, int at, struct sl_span span)
{
    (void)sqlite3_bind_blob64(statement, at, span.len ? (const void *)span.ptr : "", span.len, SQLITE_STATIC);
}

enum sl_rc sl_sqlite_note_store(struct sl_sqlite *log, const struct sl_source_note *note,
                                struct sl_error *err)
{
    enum sl_sql sql = note->note.value.ptr ? SL_SQL_SET_SOURCE_NOTE : SL_SQL_DROP_SOURCE_NOTE;
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, sql, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, note->connector);
    bind_blob(statement, 2, note->note.key);
    if (sql == SL_SQL_SET_SOURCE_NOTE) {
        bind_blob(statement, 3, note->note.value);
        (void)sqlite3_bind_int64(statement, 4, note_crc(note->connector, note->note.key, note->note.value));
    }
    return sl_sqlite_db_run(&log->db, sql, err);
}

/* Rows are copied out, so that the visitor runs without the lock. Lengths in front: key, value, key, ... */
static void take_row(struct sl_buf *rows, struct sl_span key, struct sl_span value)
{
    sl_buf_be32(rows, (uint32_t)key.len);
    sl_buf_be32(rows, (uint32_t)value.len);
    sl_buf_put(rows, key.ptr, key.len);
    sl_buf_put(rows, value.ptr, value.len);
}

static enum sl_rc read_rows(struct sl_sqlite *log, const char *connector, sqlite3_stmt *statement,
                            struct sl_buf *rows, struct sl_error *err)
{
    for (;;) {
        bool row = false;
        enum sl_rc rc = sl_sqlite_db_next(&log->db, SL_SQL_SOURCE_NOTES, &row, err);

        if (rc || !row)
            return rc;
        struct sl_span key = sl_sqlite_column_span(statement, 0);
        struct sl_span value = sl_sqlite_column_span(statement, 1);

        if (sqlite3_column_int64(statement, 2) != note_crc(connector, key, value)) {
            sl_sqlite_db_reset(&log->db, SL_SQL_SOURCE_NOTES);
            return sl_sqlite_db_damaged_row(&log->db, "a source note of connector", connector, err);
        }
        take_row(rows, key, value);
    }
}

static enum sl_rc read_notes(struct sl_sqlite *log, const char *connector, struct sl_span from,
                             struct sl_span to, size_t max, struct sl_buf *rows, struct sl_error *err)
{
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_SOURCE_NOTES, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, connector);
    bind_blob(statement, 2, from);
    if (to.ptr)
        bind_blob(statement, 3, to);
    (void)sqlite3_bind_int64(statement, 4, max > INT64_MAX ? INT64_MAX : (int64_t)max);
    return read_rows(log, connector, statement, rows, err);
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void visit_rows(const struct sl_buf *rows, sl_note_visitor *visit, void *ctx)
{
    const uint8_t *at = rows->data;
    const uint8_t *end = rows->data + rows->len;

    while (at < end) {
        size_t key_len = be32(at);
        size_t value_len = be32(at + 4);
        const struct sl_note note = {.key = {at + 8, key_len}, .value = {at + 8 + key_len, value_len}};

        visit(ctx, &note);
        at += 8 + key_len + value_len;
    }
}

enum sl_rc sl_sqlite_source_notes(struct sl_transport *transport, const char *connector, struct sl_span from,
                                  struct sl_span to, size_t max, sl_note_visitor *visit, void *ctx,
                                  struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_buf rows = {0};
    enum sl_rc rc;

    (void)pthread_mutex_lock(&log->lock);
    rc = read_notes(log, connector, from, to, max, &rows, err);
    (void)pthread_mutex_unlock(&log->lock);
    if (!rc && rows.len)
        visit_rows(&rows, visit, ctx);
    sl_buf_done(&rows);
    return rc;
}

static enum sl_rc check_row(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    const char *connector = (const char *)sqlite3_column_text(row, 0);

    if (!connector || sqlite3_column_int64(row, 3) !=
                          note_crc(connector, sl_sqlite_column_span(row, 1), sl_sqlite_column_span(row, 2)))
        return sl_sqlite_db_damaged_row(&log->db, "a source note of connector", connector ? connector : "?",
                                        err);
    return SL_OK;
}

enum sl_rc sl_sqlite_notes_check(struct sl_sqlite *log, struct sl_error *err)
{
    return sl_sqlite_load_rows(log, SL_SQL_ALL_SOURCE_NOTES, check_row, err);
}
