/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/pairs.h"

static void add(struct sl_sqlite_pairs *pairs, struct sl_span text)
{
    SL_GROW(pairs->lengths, pairs->n, pairs->capacity);
    pairs->lengths[pairs->n++] = text.len;
    sl_buf_put(&pairs->bytes, text.ptr, text.len);
    sl_buf_u8(&pairs->bytes, 0);
}

enum sl_rc sl_sqlite_pairs_read(struct sl_sqlite_db *db, enum sl_sql sql, const char *group,
                                sl_sqlite_pair_crc *crc, const char *what, struct sl_sqlite_pairs *ret,
                                struct sl_error *err)
{
    sqlite3_stmt *statement;
    bool row = true;
    enum sl_rc rc = sl_sqlite_db_statement(db, sql, &statement, err);

    if (rc)
        return rc;
    sl_sqlite_bind_text(statement, 1, group);
    while (!rc) {
        struct sl_span key;
        struct sl_span value;

        rc = sl_sqlite_db_next(db, sql, &row, err);
        if (rc || !row)
            return rc;
        key = sl_sqlite_column_span(statement, 0);
        value = sl_sqlite_column_span(statement, 1);
        if (sqlite3_column_int64(statement, 2) != crc(group, key, value)) {
            rc = sl_sqlite_db_damaged_row(db, what, group, err);
            sl_sqlite_db_reset(db, sql);
        } else {
            add(ret, key);
            add(ret, value);
        }
    }
    return rc;
}

enum sl_rc sl_sqlite_pairs_visit(struct sl_sqlite_pairs *pairs, enum sl_rc rc, sl_text_visitor *visit,
                                 void *ctx)
{
    const uint8_t *at = pairs->bytes.data;

    for (size_t i = 0; !rc && i < pairs->n; i += 2) {
        const char *key = (const char *)at;
        struct sl_span value = {.ptr = at + pairs->lengths[i] + 1, .len = pairs->lengths[i + 1]};

        visit(ctx, key, value);
        at = value.ptr + value.len + 1;
    }
    sl_buf_done(&pairs->bytes);
    sl_free(pairs->lengths);
    return rc;
}
