/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming: windows of commit LSNs, one after the other.
 *
 * A round asks cdc.lsn_time_mapping for the transactions after the last window (one index seek; it bounds the
 * window and gives the commit times), then which change tables have something in it (one statement for all),
 * then scans those in index order, merged. A transaction of any size is streamed: batches end inside it, and
 * the offset names the row.
 */
#include "base/clock.h"
#include "base/log.h"
#include "source/sqlserver/database.h"
#include "source/sqlserver/structure.h"

#include <stdlib.h>

enum { IDLE_OFFSET_US = 10 * 1000000 }; /* how often an empty range moves the stored offset */

void sl_mssql_stream_drop(struct sl_mssql_database *db)
{
    db->window.open = false;
    db->window.n_heap = 0;
    sl_mssql_readers_drop(db);
}

static void restore_transaction(struct sl_mssql_database *db)
{
    const char *at = (const char *)db->handed.collections.data;
    const char *end = at + db->handed.collections.len;

    db->emitter.transaction = (struct sl_mssql_transaction){0};
    for (size_t i = 0; i < db->n_tables; i++)
        db->tables[i]->order = 0;
    if (!sl_lsn_parse(db->handed.transaction_id, &db->emitter.transaction.lsn))
        return;
    db->emitter.transaction.open = true;
    while (db->handed.collections.len && at < end) {
        const char *count = at + strlen(at) + 1;

        db->emitter.transaction.total += strtoll(count, NULL, 10);
        for (size_t i = 0; i < db->n_tables; i++)
            if (strcmp(db->tables[i]->id, at) == 0)
                db->tables[i]->order = strtoll(count, NULL, 10);
        at = count + strlen(count) + 1;
    }
}

void sl_mssql_stream_restore(struct sl_mssql_database *db)
{
    static const struct sl_lsn zero;
    struct sl_lsn commit = sl_mssql_position_commit(&db->handed.position);
    bool ended = db->handed.position.b[10] == 0xff && !db->handed.at_row; /* the end of a range */

    if (!db->has_offset) {
        db->next_from = zero;
        memset(&db->skip, 0, sizeof(db->skip));
        return;
    }
    db->next_from = ended || db->handed.complete ? sl_lsn_next(&commit) : commit;
    db->skip = db->handed.position;
    db->last = db->handed.position;
    db->serial = db->handed.at_row ? db->handed.event_serial_no : 0;
    restore_transaction(db);
}

/* Transactions from next_from on into the window; *ret_any: dummy ones included. */
static enum sl_rc read_commits(struct sl_mssql_database *db, bool *ret_any, struct sl_error *err)
{
    struct sl_mssql_window *window = &db->window;
    int limit = db->config->window_transactions;
    int n = 0;
    bool row = true;
    enum sl_rc rc = SL_OK;

    if (!db->commits_stmt) {
        char *sql = sl_format("SELECT TOP (%d) start_lsn, tran_id, tran_end_time FROM cdc.lsn_time_mapping"
                              " WHERE start_lsn >= ? ORDER BY start_lsn",
                              limit);

        rc = sl_odbc_prepare(db->control, sql, &db->commits_stmt, err);
        sl_free(sql);
        if (rc == SL_OK)
            rc = sl_odbc_bind_binary(db->commits_stmt, 1, db->next_from.b, SL_LSN_SIZE, err);
    }
    window->n_commits = 0;
    window->at = 0;
    window->from = db->next_from;
    if (rc == SL_OK)
        rc = sl_odbc_execute(db->commits_stmt, err);
    while (rc == SL_OK && (rc = sl_odbc_fetch(db->commits_stmt, &row, err)) == SL_OK && row) {
        const struct sl_cell *lsn = sl_odbc_cell(db->commits_stmt, 0);
        const struct sl_cell *id = sl_odbc_cell(db->commits_stmt, 1);
        const struct sl_cell *time = sl_odbc_cell(db->commits_stmt, 2);
        bool dummy = true;

        if (lsn->len != SL_LSN_SIZE)
            continue;
        n++;
        memcpy(window->to.b, lsn->data, SL_LSN_SIZE);
        for (SQLLEN i = 0; i < id->len && dummy; i++)
            dummy = ((const uint8_t *)id->data)[i] == 0;
        if (dummy)
            continue;
        SL_GROW(window->commits, window->n_commits, window->capacity);
        window->commits[window->n_commits].lsn = window->to;
        window->commits[window->n_commits++].ts_us = time->kind == SL_CELL_TIMESTAMP && !sl_cell_is_null(time)
                                                         ? sl_mssql_timestamp_us(time) - db->zone_us
                                                         : db->emitter.now_us;
    }
    if (rc == SL_OK)
        sl_odbc_finish(db->commits_stmt);
    window->full = n >= limit;
    *ret_any = n > 0;
    return rc;
}

/*
 * One answer of three kinds of rows: 0 the low-water mark of an instance, 1 the newest DDL, 2 the newest
 * change of a change table.
 */
static enum sl_rc prepare_marks(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_buf sql = {0};
    enum sl_rc rc;

    sl_buf_text(&sql, "SELECT object_id, start_lsn, 0 FROM cdc.change_tables"
                      " UNION ALL SELECT 0, MAX(ddl_lsn), 1 FROM cdc.ddl_history");
    for (size_t i = 0; i < db->n_tables && db->n_tables > 1; i++) {
        char *change_table = sl_format("%s_CT", db->tables[i]->instance->name);

        sl_buf_format(&sql, " UNION ALL SELECT %d, MAX(__$start_lsn), 2 FROM cdc.",
                      db->tables[i]->instance->object_id);
        sl_mssql_quote(&sql, change_table);
        sl_free(change_table);
    }
    rc = sl_odbc_prepare(db->control, sl_buf_cstr(&sql), &db->marks_stmt, err);
    sl_buf_done(&sql);
    return rc;
}

static void see_newest(struct sl_mssql_database *db, int object_id, const struct sl_lsn *lsn)
{
    for (size_t i = 0; i < db->n_tables; i++)
        if (db->tables[i]->instance->object_id == object_id)
            db->readers[i].newest = *lsn;
}

/* Look at the marks; in an open window, tell whether something was lost under it. */
static enum sl_rc read_marks(struct sl_mssql_database *db, struct sl_error *err)
{
    uint64_t signature = 14695981039346656037U;
    bool row = true;
    enum sl_rc rc = db->marks_stmt ? SL_OK : prepare_marks(db, err);

    if (rc == SL_OK)
        rc = sl_odbc_execute(db->marks_stmt, err);
    while (rc == SL_OK && (rc = sl_odbc_fetch(db->marks_stmt, &row, err)) == SL_OK && row) {
        const struct sl_cell *cell = sl_odbc_cell(db->marks_stmt, 1);
        int object_id = (int)sl_odbc_int(db->marks_stmt, 0);
        int kind = (int)sl_odbc_int(db->marks_stmt, 2);
        struct sl_lsn lsn = {{0}};

        if (cell->len == SL_LSN_SIZE)
            memcpy(lsn.b, cell->data, SL_LSN_SIZE);
        if (kind == 0) {
            signature =
                (signature ^ ((uint64_t)(uint32_t)object_id << 1 | sl_lsn_is_zero(&lsn))) * 1099511628211U;
            rc = sl_mssql_gap_in_window(db, object_id, &lsn, err);
        } else if (kind == 1 && sl_lsn_compare(&lsn, &db->catalog.ddl) != 0) {
            db->catalog_stale = true;
        } else if (kind == 2) {
            see_newest(db, object_id, &lsn);
        }
    }
    if (rc == SL_OK)
        sl_odbc_finish(db->marks_stmt);
    if (rc == SL_OK && signature != db->marks_signature) {
        db->catalog_stale = db->catalog_stale || db->marks_signature != 0;
        db->marks_signature = signature;
    }
    return rc;
}

/* The part of the window that an instance delivers; false: none. */
static bool share_of(const struct sl_mssql_database *db, size_t index, struct sl_lsn *ret_from,
                     struct sl_lsn *ret_to)
{
    const struct sl_mssql_instance *instance = db->tables[index]->instance;
    const struct sl_mssql_reader *reader = &db->readers[index];
    struct sl_lsn from = db->window.from;
    struct sl_lsn to = db->window.to;
    bool taken_over = false;

    for (size_t i = 0; i < db->n_tables && !taken_over; i++)
        taken_over = db->tables[i]->instance->source_object_id == instance->source_object_id &&
                     db->tables[i]->instance->has_stop && i != index;
    if (taken_over && sl_lsn_compare(&instance->start, &from) > 0)
        from = instance->start; /* before that, the older instance delivers */
    if (instance->has_stop && sl_lsn_compare(&instance->stop, &to) <= 0)
        to = sl_lsn_previous(&instance->stop);
    if (sl_lsn_compare(&from, &to) > 0 || (db->n_tables > 1 && sl_lsn_compare(&reader->newest, &from) < 0))
        return false;
    *ret_from = from;
    *ret_to = to;
    return true;
}

static enum sl_rc open_readers(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_mssql_window *window = &db->window;
    enum sl_rc rc = SL_OK;

    window->heap = sl_realloc(window->heap, db->n_tables + 1, sizeof(struct sl_mssql_reader *));
    window->n_heap = 0;
    for (size_t i = 0; i < db->n_tables && rc == SL_OK; i++) {
        struct sl_lsn from, to;

        if (!share_of(db, i, &from, &to))
            continue;
        rc = sl_mssql_reader_open(db, &db->readers[i], &from, &to, err);
        if (rc == SL_OK && db->readers[i].has_row)
            sl_mssql_heap_push(window->heap, &window->n_heap, &db->readers[i]);
    }
    return rc;
}

/* *ret_open: there is a window, maybe without rows. */
static enum sl_rc open_window(struct sl_mssql_database *db, bool *ret_open, struct sl_error *err)
{
    bool any = false;
    enum sl_rc rc = read_commits(db, &any, err);

    *ret_open = false;
    if (rc != SL_OK || !any)
        return rc;
    db->window.rows = 0;
    if (db->window.n_commits) {
        rc = read_marks(db, err);
        if (rc == SL_OK && db->catalog_stale) {
            rc = sl_mssql_database_ready(db, err);
            if (rc == SL_OK)
                rc = read_marks(db, err);
        }
        if (rc == SL_OK)
            rc = open_readers(db, err);
    }
    db->window.open = rc == SL_OK;
    *ret_open = rc == SL_OK;
    return rc;
}

/* Commit time of a row: rows and commits both rise. */
static int64_t commit_time(struct sl_mssql_window *window, const struct sl_mssql_position *position,
                           int64_t otherwise)
{
    while (window->at < window->n_commits &&
           memcmp(window->commits[window->at].lsn.b, position->b, SL_LSN_SIZE) < 0)
        window->at++;
    if (window->at < window->n_commits &&
        memcmp(window->commits[window->at].lsn.b, position->b, SL_LSN_SIZE) == 0)
        return window->commits[window->at].ts_us;
    return otherwise;
}

static int64_t transaction_time(const struct sl_mssql_database *db)
{
    const struct sl_mssql_window *window = &db->window;

    for (size_t i = window->at < window->n_commits ? window->at + 1 : window->n_commits; i > 0; i--)
        if (sl_lsn_compare(&window->commits[i - 1].lsn, &db->emitter.transaction.lsn) == 0)
            return window->commits[i - 1].ts_us;
    return db->emitter.now_us;
}

static void turn_transaction(struct sl_mssql_database *db, const struct sl_mssql_position *position,
                             int64_t ts_us)
{
    struct sl_lsn commit = sl_mssql_position_commit(position);

    if (!db->config->transactions ||
        (db->emitter.transaction.open && sl_lsn_compare(&commit, &db->emitter.transaction.lsn) == 0))
        return;
    sl_mssql_emit_end(&db->emitter, transaction_time(db), db->tables, db->n_tables);
    sl_mssql_emit_begin(&db->emitter, &commit, ts_us, db->tables, db->n_tables);
}

static bool same_row_position(const struct sl_mssql_position *a, const struct sl_mssql_position *b)
{
    return memcmp(a->b, b->b, SL_LSN_SIZE) == 0 && memcmp(a->b + 14, b->b + 14, SL_LSN_SIZE) == 0;
}

/* Both rows of an update; they follow each other in one table. */
static enum sl_rc read_update(struct sl_mssql_database *db, struct sl_mssql_reader *reader,
                              struct sl_value **ret_before, struct sl_value **ret_after, struct sl_error *err)
{
    struct sl_arena *arena = db->emitter.batch->arena;
    struct sl_mssql_position before = reader->at;
    enum sl_rc rc = sl_mssql_table_row(reader->table, reader->stmt, true, arena, ret_before, err);

    if (rc == SL_OK)
        rc = sl_mssql_reader_next(reader, err);
    if (rc != SL_OK)
        return rc;
    if (!reader->has_row || reader->at.b[24] != SL_MSSQL_OP_UPDATE || memcmp(before.b, reader->at.b, 24) != 0)
        return sl_error_set(
            err, SL_E_SCHEMA,
            "table '%s': an update's old values are not followed by its new ones. HINT: was the "
            "change table edited by hand? Take a new snapshot",
            reader->table->name);
    return sl_mssql_table_row(reader->table, reader->stmt, true, arena, ret_after, err);
}

static bool is_skipped(const struct sl_mssql_config *config, const struct sl_mssql_table *table, char op,
                       const struct sl_value *before, const struct sl_value *after)
{
    if ((op == 'c' && config->skip_create) || (op == 'u' && config->skip_update) ||
        (op == 'd' && config->skip_delete))
        return true;
    if (op != 'u' || !config->skip_unchanged)
        return false;
    for (uint32_t i = 0; i < table->n_row; i++)
        if (!sl_value_equal(before[i], after[i]))
            return false;
    return true;
}

/* Before the first row of a table since the catalog was read. */
static void tell_structure(struct sl_mssql_database *db, struct sl_mssql_table *table,
                           const struct sl_mssql_origin *origin)
{
    struct sl_lsn commit = sl_mssql_position_commit(&origin->position);

    sl_mssql_structure_tell(db->structures, &db->emitter, table, origin);
    sl_mssql_history_put(db->history, &db->emitter, table, &commit, false);
    table->told = true;
}

/* Write the change on which the reader stands, and move it on. */
static enum sl_rc write_change(struct sl_mssql_database *db, struct sl_mssql_reader *reader,
                               struct sl_error *err)
{
    struct sl_mssql_table *table = reader->table;
    struct sl_arena *arena = db->emitter.batch->arena;
    struct sl_mssql_origin origin = {.snapshot = "false", .streamed = true, .known_lsn = true};
    struct sl_value *before = NULL, *after = NULL;
    uint8_t operation = reader->at.b[24];
    int64_t consumed = 1;
    char op = 'u';
    enum sl_rc rc;

    switch (operation) {
    case SL_MSSQL_OP_DELETE:
        op = 'd';
        rc = sl_mssql_table_row(table, reader->stmt, false, arena, &before, err);
        break;
    case SL_MSSQL_OP_INSERT:
        op = 'c';
        rc = sl_mssql_table_row(table, reader->stmt, false, arena, &after, err);
        break;
    case SL_MSSQL_OP_BEFORE:
        consumed = 2;
        rc = read_update(db, reader, &before, &after, err);
        break;
    default:
        return sl_error_set(err, SL_E_SCHEMA, "table '%s': a change of operation %u out of its order",
                            table->name, operation);
    }
    if (rc != SL_OK)
        return rc;
    origin.position = reader->at;
    origin.ts_us = commit_time(&db->window, &reader->at, db->emitter.now_us);
    db->serial = same_row_position(&reader->at, &db->last) ? db->serial + consumed : consumed;
    db->last = reader->at;
    origin.event_serial_no = db->serial;
    db->window.rows++;
    if (!is_skipped(db->config, table, op, before, after)) {
        if (!table->told)
            tell_structure(db, table, &origin);
        turn_transaction(db, &reader->at, origin.ts_us);
        sl_mssql_emit_change(&db->emitter, table, op, before, after, &origin, NULL);
    }
    return sl_mssql_reader_next(reader, err);
}

static enum sl_rc fill(struct sl_mssql_database *db, struct sl_batch *batch, struct sl_error *err)
{
    struct sl_mssql_window *window = &db->window;
    enum sl_rc rc = SL_OK;

    while (window->n_heap && !sl_mssql_batch_is_full(db, batch)) {
        rc = write_change(db, window->heap[0], err);
        if (rc != SL_OK)
            return rc;
        sl_mssql_heap_settle(window->heap, &window->n_heap);
    }
    for (size_t i = 0; i < db->n_tables && rc == SL_OK; i++)
        rc = sl_mssql_table_overflows(db->tables[i], db->config->overflow, err);
    return rc;
}

/* What the batch covers: its last row, or the end of a range in which there was none. */
static void set_offset(struct sl_mssql_database *db, bool ended)
{
    db->handed.state = SL_MSSQL_OFFSET_STREAM;
    if (db->window.rows) {
        db->handed.position = db->last;
        db->handed.at_row = true;
        db->handed.event_serial_no = db->serial;
        db->handed.complete = ended;
    } else {
        sl_mssql_position_end_of(&db->handed.position, &db->window.to);
        db->handed.at_row = false;
        db->handed.complete = false;
        db->handed.event_serial_no = 0;
    }
}

static bool idle_offset_is_due(struct sl_mssql_database *db)
{
    int64_t now = sl_now_us();

    if (now - db->idle_offset_us < IDLE_OFFSET_US)
        return false;
    db->idle_offset_us = now;
    return true;
}

void sl_mssql_stream_announce(const struct sl_mssql_database *db)
{
    char from[SL_LSN_TEXT_SIZE + 1] = "";

    if (db->phase != SL_MSSQL_PHASE_STREAM)
        return;
    sl_lsn_write(&db->next_from, from);
    sl_info("streaming starts", SL_T("database", db->name), SL_T("from_lsn", from));
}

static enum sl_rc poll_window(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                              struct sl_error *err)
{
    struct sl_mssql_window *window = &db->window;
    bool ended;
    enum sl_rc rc = SL_OK;

    *ret_more = false;
    if (!window->open) { /* tables change between windows only */
        rc = sl_mssql_database_ready(db, err);
        if (rc == SL_OK)
            rc = open_window(db, &window->open, err);
        if (rc != SL_OK || !window->open)
            return rc;
    }
    rc = fill(db, batch, err);
    if (rc != SL_OK)
        return rc;
    ended = window->n_heap == 0;
    if (ended && db->emitter.transaction.open)
        sl_mssql_emit_end(&db->emitter, transaction_time(db), db->tables, db->n_tables);
    if (window->rows) {
        rc = read_marks(db, err); /* nothing may have been lost while it was read */
        if (rc != SL_OK)
            return rc;
    }
    if (window->rows || idle_offset_is_due(db)) {
        set_offset(db, ended);
        sl_mssql_hand_out(db, batch);
    }
    if (ended) {
        db->next_from = sl_lsn_next(&window->to);
        memset(&db->skip, 0, sizeof(db->skip));
        window->open = false;
        sl_mssql_readers_trim(db);
    }
    *ret_more = !ended || window->full || window->rows;
    return SL_OK;
}

/*
 * A statement named a change table that is gone: somebody dropped a capture instance since the catalog was
 * read. When its changes were all read, or a newer instance has taken over, the stream goes on without it.
 */
enum sl_rc sl_mssql_stream_poll(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                                struct sl_error *err)
{
    enum sl_rc rc = poll_window(db, batch, ret_more, err);
    struct sl_error again = {0};

    if (rc != SL_E_NOT_FOUND || !db->n_tables)
        return rc;
    sl_mssql_stream_drop(db);
    sl_mssql_stream_restore(db);
    db->catalog_stale = true;
    db->vanished = 0;
    rc = sl_mssql_database_ready(db, &again);
    if (rc == SL_OK && !db->vanished)
        return SL_E_NOT_FOUND; /* it was something else */
    if (rc != SL_OK) {
        sl_error_clear(err);
        *err = again;
        return rc;
    }
    sl_error_clear(err);
    sl_batch_reset(batch);
    sl_mssql_database_untell(db);
    *ret_more = true;
    return SL_OK;
}
