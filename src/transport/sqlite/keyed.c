/* SPDX-License-Identifier: Apache-2.0 */
/* Small durable texts by space and key: connector configurations, statuses. */
#include "transport/sqlite/log.h"
#include "transport/sqlite/pairs.h"

static uint32_t text_crc(const char *space, struct sl_span key, struct sl_span value)
{
    uint32_t crc = sl_sqlite_crc_text(0, sl_sqlite_span(space));

    return sl_sqlite_crc_text(sl_sqlite_crc_text(crc, key), value);
}

static enum sl_rc put(struct sl_sqlite *log, const char *space, const char *key, struct sl_span value,
                      struct sl_error *err)
{
    enum sl_sql sql = value.ptr ? SL_SQL_SET_TEXT : SL_SQL_DROP_TEXT;
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, sql, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, space);
    sl_sqlite_bind_text(statement, 2, key);
    if (value.ptr) {
        sl_sqlite_bind_span(statement, 3, value);
        (void)sqlite3_bind_int64(statement, 4, text_crc(space, sl_sqlite_span(key), value));
    }
    /* One statement: it is its own transaction. */
    return sl_sqlite_db_run(&log->db, sql, err);
}

/* Watchers are told under the lock: in the order of the file. */
static enum sl_rc put_each(struct sl_sqlite *log, const char *space, const struct sl_text *texts, size_t n,
                           struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (n > 1)
        rc = sl_sqlite_db_begin(&log->db, err);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < n; i++)
        rc = put(log, space, texts[i].key, texts[i].value, err);
    if (n > 1)
        rc = sl_sqlite_db_end(&log->db, rc, err);
    for (size_t i = 0; !rc && i < n; i++)
        sl_sqlite_watches_tell(&log->watches, space, texts[i].key, texts[i].value);
    return rc;
}

enum sl_rc sl_sqlite_put_all(struct sl_transport *transport, const char *space, const struct sl_text *texts,
                             size_t n, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    enum sl_rc rc = sl_sqlite_writable(log, err);

    if (rc)
        return rc;
    (void)pthread_mutex_lock(&log->lock);
    rc = put_each(log, space, texts, n, err);
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

enum sl_rc sl_sqlite_put(struct sl_transport *transport, const char *space, const char *key,
                         struct sl_span value, struct sl_error *err)
{
    const struct sl_text text = {key, value};

    return sl_sqlite_put_all(transport, space, &text, 1, err);
}

enum sl_rc sl_sqlite_watch(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                           void *ctx, struct sl_error *err)
{
    (void)err;
    sl_sqlite_watches_set(&sl_sqlite_of(transport)->watches, space, visit, ctx);
    return SL_OK;
}

enum sl_rc sl_sqlite_list(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                          void *ctx, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_sqlite_pairs pairs = {0};
    enum sl_rc rc;

    (void)pthread_mutex_lock(&log->lock);
    rc = sl_sqlite_pairs_read(&log->db, SL_SQL_TEXTS, space, text_crc, "a text of space", &pairs, err);
    (void)pthread_mutex_unlock(&log->lock);
    return sl_sqlite_pairs_visit(&pairs, rc, visit, ctx);
}

static enum sl_rc check_row(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    const char *space = (const char *)sqlite3_column_text(row, 0);

    if (!space || sqlite3_column_int64(row, 3) !=
                      text_crc(space, sl_sqlite_column_span(row, 1), sl_sqlite_column_span(row, 2)))
        return sl_sqlite_db_damaged_row(&log->db, "a text of space", space ? space : "?", err);
    return SL_OK;
}

enum sl_rc sl_sqlite_texts_check(struct sl_sqlite *log, struct sl_error *err)
{
    return sl_sqlite_load_rows(log, SL_SQL_ALL_TEXTS, check_row, err);
}
