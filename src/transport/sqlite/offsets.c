/* SPDX-License-Identifier: Apache-2.0 */
/* Source positions: JSON text by connector and source partition. */
#include "transport/sqlite/log.h"
#include "transport/sqlite/pairs.h"

static uint32_t offset_crc(const char *connector, struct sl_span partition, struct sl_span offset)
{
    uint32_t crc = sl_sqlite_crc_text(0, sl_sqlite_span(connector));

    return sl_sqlite_crc_text(sl_sqlite_crc_text(crc, partition), offset);
}

enum sl_rc sl_sqlite_offset_store(struct sl_sqlite *log, const struct sl_source_offset *offset,
                                  struct sl_error *err)
{
    enum sl_sql sql = offset->offset.len ? SL_SQL_SET_SOURCE_OFFSET : SL_SQL_DROP_SOURCE_OFFSET;
    sqlite3_stmt *statement;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, sql, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, offset->connector);
    sl_sqlite_bind_span(statement, 2, offset->partition);
    if (sql == SL_SQL_SET_SOURCE_OFFSET) {
        sl_sqlite_bind_span(statement, 3, offset->offset);
        (void)sqlite3_bind_int64(statement, 4,
                                 offset_crc(offset->connector, offset->partition, offset->offset));
    }
    return sl_sqlite_db_run(&log->db, sql, err);
}

static enum sl_rc read_offset(struct sl_sqlite *log, const char *connector, struct sl_span partition,
                              char **ret_offset, struct sl_error *err)
{
    sqlite3_stmt *statement;
    bool row = false;
    char *text = NULL;
    enum sl_rc rc = sl_sqlite_db_statement(&log->db, SL_SQL_SOURCE_OFFSET, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, connector);
    sl_sqlite_bind_span(statement, 2, partition);
    rc = sl_sqlite_db_next(&log->db, SL_SQL_SOURCE_OFFSET, &row, err);
    if (!rc && row) {
        struct sl_span offset = sl_sqlite_column_span(statement, 0);

        if (sqlite3_column_int64(statement, 1) != offset_crc(connector, partition, offset))
            rc = sl_sqlite_db_damaged_row(&log->db, "the source position of connector", connector, err);
        else
            text = sl_strndup((const char *)offset.ptr, offset.len);
        sl_sqlite_db_reset(&log->db, SL_SQL_SOURCE_OFFSET);
    }
    if (!rc)
        *ret_offset = text;
    return rc;
}

enum sl_rc sl_sqlite_source_offset(struct sl_transport *transport, const char *connector,
                                   struct sl_span partition, char **ret_offset, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    enum sl_rc rc;

    (void)pthread_mutex_lock(&log->lock);
    rc = read_offset(log, connector, partition, ret_offset, err);
    (void)pthread_mutex_unlock(&log->lock);
    return rc;
}

enum sl_rc sl_sqlite_source_offsets(struct sl_transport *transport, const char *connector,
                                    sl_text_visitor *visit, void *ctx, struct sl_error *err)
{
    struct sl_sqlite *log = sl_sqlite_of(transport);
    struct sl_sqlite_pairs pairs = {0};
    enum sl_rc rc;

    (void)pthread_mutex_lock(&log->lock);
    rc = sl_sqlite_pairs_read(&log->db, SL_SQL_SOURCE_OFFSETS, connector, offset_crc,
                              "a source position of connector", &pairs, err);
    (void)pthread_mutex_unlock(&log->lock);
    return sl_sqlite_pairs_visit(&pairs, rc, visit, ctx);
}

static enum sl_rc check_row(struct sl_sqlite *log, sqlite3_stmt *row, struct sl_error *err)
{
    const char *connector = (const char *)sqlite3_column_text(row, 0);

    if (!connector || sqlite3_column_int64(row, 3) !=
                          offset_crc(connector, sl_sqlite_column_span(row, 1), sl_sqlite_column_span(row, 2)))
        return sl_sqlite_db_damaged_row(&log->db, "a source position of connector",
                                        connector ? connector : "?", err);
    return SL_OK;
}

enum sl_rc sl_sqlite_offsets_check(struct sl_sqlite *log, struct sl_error *err)
{
    return sl_sqlite_load_rows(log, SL_SQL_ALL_SOURCE_OFFSETS, check_row, err);
}
