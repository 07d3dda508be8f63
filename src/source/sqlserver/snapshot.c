/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows that exist already. The log position is fixed first, then each table is read whole, on one
 * connection; whatever changed meanwhile is settled by streaming from that position afterwards. So no lock is
 * needed for the end to be right, and by default none is held: snapshot isolation where the database allows
 * it, else read committed.
 *
 * A snapshot that is interrupted keeps its first position, and goes on with the table in which it was, behind
 * the last row where the key allows it, else from that table's beginning. It does not matter that its parts
 * are of different times: whatever changed after the first position comes once more by the stream, a row that
 * was sent and is deleted before the second attempt as well.
 */
#include "base/clock.h"
#include "base/log.h"
#include "source/sqlserver/database.h"
#include "source/sqlserver/structure.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct sl_mssql_snapshot {
    struct sl_odbc *conn;
    struct sl_odbc_stmt *stmt;
    enum sl_mssql_isolation isolation;
    struct sl_lsn lsn;
    size_t table, first_table; /* of db->tables; the first that is read */
    bool announced;            /* structures were written */
    bool has_row;              /* the statement stands on a row that is not written yet */
    bool first_in_table;
    uint64_t rows, table_rows;
    struct sl_mssql_progress at; /* what the next batch covers */
    const struct sl_value *last; /* the last row of the batch, when it is of the table being read */
    int64_t numbers[SL_MSSQL_PROGRESS_KEY]; /* parameters, until they were read */
    int64_t table_us;                       /* the server's clock when the table began */
    int64_t begin_us;
};

void sl_mssql_snapshot_drop(struct sl_mssql_database *db)
{
    if (!db->snapshot)
        return;
    sl_mssql_disconnect(db, db->snapshot->conn);
    sl_free(db->snapshot);
    db->snapshot = NULL;
}

static enum sl_rc resolve_isolation(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    bool row = false;
    enum sl_rc rc;

    db->snapshot->isolation = db->config->isolation;
    if (db->config->isolation != SL_MSSQL_ISOLATION_ADAPTIVE)
        return SL_OK;
    rc = sl_odbc_direct(db->snapshot->conn,
                        "SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()", &stmt,
                        err);
    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_execute(stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_fetch(stmt, &row, err);
    db->snapshot->isolation = rc == SL_OK && row && sl_odbc_int(stmt, 0) == 1
                                  ? SL_MSSQL_ISOLATION_SNAPSHOT
                                  : SL_MSSQL_ISOLATION_READ_COMMITTED;
    sl_odbc_stmt_free(stmt);
    return rc;
}

static enum sl_rc set_isolation(struct sl_mssql_database *db, struct sl_error *err)
{
    static const char *const levels[] = {
        [SL_MSSQL_ISOLATION_ADAPTIVE] = "READ COMMITTED",
        [SL_MSSQL_ISOLATION_SNAPSHOT] = "SNAPSHOT",
        [SL_MSSQL_ISOLATION_READ_COMMITTED] = "READ COMMITTED",
        [SL_MSSQL_ISOLATION_REPEATABLE_READ] = "REPEATABLE READ",
        [SL_MSSQL_ISOLATION_EXCLUSIVE] = "REPEATABLE READ",
        [SL_MSSQL_ISOLATION_READ_UNCOMMITTED] = "READ UNCOMMITTED",
    };
    enum sl_rc rc = resolve_isolation(db, err);
    bool in_transaction;
    char *sql;

    if (rc != SL_OK)
        return rc;
    in_transaction = db->snapshot->isolation != SL_MSSQL_ISOLATION_READ_COMMITTED &&
                     db->snapshot->isolation != SL_MSSQL_ISOLATION_READ_UNCOMMITTED;
    sql = sl_format("SET LOCK_TIMEOUT %lld; SET TRANSACTION ISOLATION LEVEL %s%s",
                    (long long)db->config->lock_timeout_ms, levels[db->snapshot->isolation],
                    in_transaction ? "; BEGIN TRANSACTION" : "");
    rc = sl_odbc_run(db->snapshot->conn, sql, err);
    sl_free(sql);
    return rc;
}

/* From where the stream will go on: as far back as anything was promised already, else from now. */
static enum sl_rc fix_position(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_mssql_snapshot *snapshot = db->snapshot;

    if (!db->has_offset)
        return sl_mssql_newest_lsn(db, &snapshot->lsn, err);
    snapshot->lsn = sl_mssql_position_commit(&db->handed.position);
    if (!sl_lsn_is_zero(&db->next_from) && sl_lsn_compare(&db->next_from, &snapshot->lsn) <= 0)
        snapshot->lsn = sl_lsn_previous(&db->next_from); /* inside a transaction: all of it once more */
    return SL_OK;
}

static bool wants_rows(const struct sl_mssql_database *db)
{
    return db->config->snapshot != SL_MSSQL_SNAPSHOT_NO_DATA &&
           db->config->snapshot != SL_MSSQL_SNAPSHOT_WHEN_NEEDED_NO_DATA;
}

/* Is this table read, and is it the newest instance of its table? */
static bool is_read(const struct sl_mssql_database *db, size_t index)
{
    const struct sl_mssql_table *table = db->tables[index];

    if (!wants_rows(db) || table->instance->has_stop)
        return false;
    return !db->config->snapshot_tables.n ||
           sl_mssql_filter_match(&db->config->snapshot_tables, table->id) >= 0 ||
           sl_mssql_filter_match(&db->config->snapshot_tables, table->name) >= 0;
}

static size_t next_table(const struct sl_mssql_database *db, size_t from)
{
    while (from < db->n_tables && !is_read(db, from))
        from++;
    return from;
}

static uint64_t add_text(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211U;
    return (hash ^ 0xff) * 1099511628211U;
}

/* The list of tables, in which progress counts, with all that decides in which order their rows come. */
static uint64_t fingerprint(const struct sl_mssql_database *db)
{
    uint64_t hash = 14695981039346656037U;

    for (size_t i = next_table(db, 0); i < db->n_tables; i = next_table(db, i + 1)) {
        const struct sl_mssql_table *table = db->tables[i];

        hash = add_text(hash, table->id);
        hash = (hash ^ (uint32_t)table->instance->object_id ^ (uint64_t)i << 32) * 1099511628211U;
        for (uint32_t k = 0; k < table->n_key; k++)
            hash = add_text(hash, table->fields[table->key[k]].name);
        hash = add_text(hash, sl_mssql_config_override(db->config, db->name, table->instance->schema,
                                                       table->instance->table));
    }
    return hash;
}

/* Go on where the stored offset says, when it is an unfinished snapshot's and the tables are the same. */
static void resume(struct sl_mssql_database *db)
{
    struct sl_mssql_snapshot *snapshot = db->snapshot;
    const struct sl_mssql_progress *stored = &db->handed.progress;

    snapshot->at = (struct sl_mssql_progress){.known = true, .tables = fingerprint(db)};
    if (!db->has_offset || db->handed.state != SL_MSSQL_OFFSET_SNAPSHOT || !stored->known ||
        stored->tables != snapshot->at.tables || next_table(db, stored->table) != stored->table ||
        stored->table >= db->n_tables)
        return;
    snapshot->table = stored->table;
    snapshot->at.table = stored->table;
    if (db->tables[stored->table]->resumes && stored->n_key == db->tables[stored->table]->n_key)
        snapshot->at = *stored;
    /* In the first attempt; but one of a version that kept no notes of it cannot be counted on. */
    snapshot->announced = !db->structures || !sl_mssql_told_is_empty(db->structures);
    sl_info("snapshot goes on", SL_T("database", db->name), SL_T("table", db->tables[stored->table]->name),
            SL_I("behind_rows", snapshot->at.rows));
}

static enum sl_rc start(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_mssql_snapshot *snapshot;
    enum sl_rc rc = sl_mssql_database_ready(db, err);

    if (rc != SL_OK)
        return rc;
    db->snapshot = snapshot = sl_zalloc(1, sizeof(*snapshot));
    snapshot->begin_us = sl_now_us();
    rc = fix_position(db, err);
    if (rc != SL_OK)
        return rc;
    snapshot->first_table = snapshot->table = next_table(db, 0);
    if (snapshot->table == db->n_tables)
        return SL_OK;
    resume(db);
    rc = sl_mssql_connect(db, &snapshot->conn, err);
    if (rc == SL_OK)
        rc = set_isolation(db, err);
    if (rc == SL_OK)
        sl_info(
            "snapshot begins", SL_T("database", db->name), SL_I("tables", db->n_tables),
            SL_T("isolation", snapshot->isolation == SL_MSSQL_ISOLATION_SNAPSHOT ? "snapshot" : "locking"));
    return rc;
}

/* Columns of a SELECT that the user wrote are found by their names. */
static enum sl_rc match_columns(struct sl_mssql_table *table, struct sl_odbc_stmt *stmt, struct sl_error *err)
{
    for (uint32_t i = 0; i < table->n_fields; i++) {
        int column = 0;

        while (column < sl_odbc_n_cells(stmt) &&
               strcasecmp(sl_odbc_cell(stmt, column)->name, table->fields[i].name) != 0)
            column++;
        if (column == sl_odbc_n_cells(stmt))
            return sl_error_set(
                err, SL_E_CONFIG,
                "snapshot.select.statement.overrides.%s gives no column '%s'. HINT: select all "
                "captured columns",
                table->name, table->fields[i].name);
        table->fields[i].cell = column;
    }
    return SL_OK;
}

static bool is_text(const struct sl_mssql_table *table, uint32_t part)
{
    enum sl_mssql_type type = table->fields[table->key[part]].column->type;

    return type == SL_MSSQL_NCHAR || type == SL_MSSQL_NVARCHAR;
}

static enum sl_rc bind_part(struct sl_mssql_snapshot *snapshot, const struct sl_mssql_table *table,
                            uint32_t part, const char *text, int parameter, struct sl_error *err)
{
    if (is_text(table, part))
        return sl_odbc_bind_text(snapshot->stmt, parameter, text, err);
    snapshot->numbers[part] = strtoll(text, NULL, 10);
    return sl_odbc_bind_int(snapshot->stmt, parameter, &snapshot->numbers[part], err);
}

/* One part of a key as text. 0: it cannot be kept, or might not be what the server has ('?' stands for what a
 * driver could not convert). */
static size_t write_part(const struct sl_value *value, bool text, char *to, size_t room)
{
    size_t n = text ? value->len : (size_t)snprintf(to, room, "%lld", (long long)value->i);

    if (n + 1 > room || (text && (value->tag != SL_STRING || memchr(value->bytes, '?', n) ||
                                  memchr(value->bytes, 0, n) || memmem(value->bytes, n, "\xef\xbf\xbd", 3))))
        return 0;
    if (text)
        memcpy(to, value->bytes, n);
    to[n] = '\0';
    return n + 1;
}

/* What the last row of the batch says about where to go on. */
static void note_key(struct sl_mssql_snapshot *snapshot, const struct sl_mssql_table *table)
{
    size_t used = 0;

    snapshot->at.n_key = 0;
    for (uint32_t i = 0; table->resumes && i < table->n_key; i++) {
        size_t n = write_part(&snapshot->last[table->key[i]], is_text(table, i), snapshot->at.key + used,
                              sizeof(snapshot->at.key) - used);

        if (!n)
            return;
        used += n;
    }
    snapshot->at.n_key = table->resumes ? table->n_key : 0;
}

/* The rows behind the key to which the snapshot had come; see sl_mssql_table_snapshot_sql for its parameters.
 */
static enum sl_rc prepare_behind(struct sl_mssql_snapshot *snapshot, const struct sl_mssql_table *table,
                                 const char *sql, struct sl_error *err)
{
    enum sl_rc rc = sl_odbc_prepare(snapshot->conn, sql, &snapshot->stmt, err);
    int parameter = 1;

    for (uint32_t last = 0; last < snapshot->at.n_key && rc == SL_OK; last++) {
        const char *part = snapshot->at.key;

        for (uint32_t i = 0; i <= last && rc == SL_OK; i++, part += strlen(part) + 1)
            rc = bind_part(snapshot, table, i, part, parameter++, err);
    }
    return rc;
}

static enum sl_rc begin_table(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_mssql_snapshot *snapshot = db->snapshot;
    struct sl_mssql_table *table = db->tables[snapshot->table];
    const char *override =
        sl_mssql_config_override(db->config, db->name, table->instance->schema, table->instance->table);
    struct sl_buf sql = {0};
    enum sl_rc rc = sl_mssql_server_time(db, &snapshot->table_us, err);

    if (rc != SL_OK)
        return rc;
    bool behind = !override && snapshot->at.n_key > 0;

    sl_mssql_table_snapshot_sql(table, snapshot->isolation, behind, &sql);
    if (behind)
        rc = prepare_behind(snapshot, table, sl_buf_cstr(&sql), err);
    else
        rc = sl_odbc_direct(snapshot->conn, override ? override : sl_buf_cstr(&sql), &snapshot->stmt, err);
    sl_buf_done(&sql);
    if (rc == SL_OK)
        rc = sl_odbc_execute(snapshot->stmt, err);
    if (rc == SL_OK && override)
        rc = match_columns(table, snapshot->stmt, err);
    if (rc == SL_OK)
        rc = sl_mssql_table_check_cells(table, sl_odbc_cell(snapshot->stmt, 0), err);
    snapshot->first_in_table = !behind;
    snapshot->table_rows = behind ? (uint64_t)snapshot->at.rows : 0;
    return rc == SL_OK ? SL_OK : sl_error_wrap(err, "snapshot of table '%s'", table->name);
}

/* To the next row, over the ends of tables and over empty ones. *ret_ended: the table that was read has
 * ended. */
static enum sl_rc next_row(struct sl_mssql_database *db, bool *ret_ended, struct sl_error *err)
{
    struct sl_mssql_snapshot *snapshot = db->snapshot;
    enum sl_rc rc = SL_OK;

    *ret_ended = false;
    while (rc == SL_OK && snapshot->table < db->n_tables) {
        if (!snapshot->stmt)
            rc = begin_table(db, err);
        if (rc == SL_OK)
            rc = sl_odbc_fetch(snapshot->stmt, &snapshot->has_row, err);
        if (rc != SL_OK || snapshot->has_row)
            break;
        sl_info("snapshot of a table is read", SL_T("table", db->tables[snapshot->table]->name),
                SL_I("rows", snapshot->table_rows));
        sl_odbc_stmt_free(snapshot->stmt);
        snapshot->stmt = NULL;
        snapshot->table = next_table(db, snapshot->table + 1);
        snapshot->at.table = (uint32_t)snapshot->table;
        snapshot->at.rows = 0;
        snapshot->at.n_key = 0;
        snapshot->last = NULL;
        *ret_ended = true;
    }
    return rc;
}

/* Debezium's word for a row's place, in its own order of precedence. */
static const char *place(const struct sl_mssql_database *db, bool first, bool first_table, bool ended)
{
    if (ended && !db->snapshot->has_row)
        return "last";
    if (first && first_table)
        return "first";
    if (ended)
        return "last_in_data_collection";
    return first ? "first_in_data_collection" : "true";
}

static enum sl_rc write_row(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_mssql_snapshot *snapshot = db->snapshot;
    struct sl_mssql_table *table = db->tables[snapshot->table];
    struct sl_mssql_origin origin = {
        .snapshot = "true", .known_lsn = !sl_lsn_is_zero(&snapshot->lsn), .ts_us = snapshot->table_us};
    bool first = snapshot->first_in_table;
    bool first_table = snapshot->table == snapshot->first_table;
    struct sl_value *values, *mark;
    bool ended;
    enum sl_rc rc = sl_mssql_table_row(table, snapshot->stmt, false, db->emitter.batch->arena, &values, err);

    if (rc != SL_OK)
        return rc;
    sl_mssql_position_snapshot(&origin.position, &snapshot->lsn, table->number, snapshot->table_rows);
    sl_mssql_emit_change(&db->emitter, table, 'r', NULL, values, &origin, &mark);
    snapshot->first_in_table = false;
    snapshot->rows++;
    snapshot->table_rows++;
    snapshot->has_row = false;
    snapshot->at.rows = (int64_t)snapshot->table_rows;
    snapshot->last = values;
    rc = next_row(db, &ended, err);
    if (rc == SL_OK) /* only now is known what row this was */
        *mark = sl_text(place(db, first, first_table, ended));
    return rc;
}

static int compare_ids(const void *a, const void *b)
{
    const struct sl_mssql_table *const *left = a;
    const struct sl_mssql_table *const *right = b;

    return strcmp((*left)->id, (*right)->id);
}

/* The tables' structures, by name as the peer tells them (the rows come in the order of table.include.list).
 */
static void announce(struct sl_mssql_database *db)
{
    struct sl_mssql_origin origin = {.snapshot = "true", .known_lsn = !sl_lsn_is_zero(&db->snapshot->lsn)};
    struct sl_mssql_table **sorted = sl_zalloc(db->n_tables, sizeof(struct sl_mssql_table *));

    memcpy(sorted, db->tables, db->n_tables * sizeof(*sorted));
    qsort(sorted, db->n_tables, sizeof(*sorted), compare_ids);
    sl_mssql_position_snapshot(&origin.position, &db->snapshot->lsn, 0, 0);
    for (size_t i = 0; i < db->n_tables; i++) {
        origin.ts_us = db->emitter.now_us;
        if (sorted[i]->instance->has_stop)
            continue;
        sl_mssql_structure_tell_anew(db->structures, &db->emitter, sorted[i], &origin);
        sl_mssql_history_put(db->history, &db->emitter, sorted[i], &db->snapshot->lsn, true);
    }
    sl_free(sorted);
    db->snapshot->announced = true;
}

static void finish(struct sl_mssql_database *db)
{
    sl_info("snapshot is complete", SL_T("database", db->name), SL_I("rows", db->snapshot->rows),
            SL_I("ms", (sl_now_us() - db->snapshot->begin_us) / 1000));
    sl_mssql_snapshot_drop(db);
    db->phase =
        db->config->snapshot == SL_MSSQL_SNAPSHOT_INITIAL_ONLY ? SL_MSSQL_PHASE_IDLE : SL_MSSQL_PHASE_STREAM;
    sl_mssql_stream_announce(db);
    db->checked_start = false; /* a long snapshot may have been overtaken by the cleanup job */
}

enum sl_rc sl_mssql_snapshot_poll(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                                  struct sl_error *err)
{
    enum sl_rc rc = SL_OK;
    bool ended, done;

    if (!db->snapshot) {
        rc = start(db, err);
        if (rc == SL_OK)
            rc = next_row(db, &ended, err);
    }
    if (rc == SL_OK && !db->snapshot->announced)
        announce(db);
    while (rc == SL_OK && db->snapshot->has_row && !sl_mssql_batch_is_full(db, batch))
        rc = write_row(db, err);
    for (size_t i = 0; i < db->n_tables && rc == SL_OK; i++)
        rc = sl_mssql_table_overflows(db->tables[i], db->config->overflow, err);
    if (rc != SL_OK)
        return rc;
    done = !db->snapshot->has_row;
    if (db->snapshot->last) {
        note_key(db->snapshot, db->tables[db->snapshot->table]);
        db->snapshot->last = NULL; /* it is the batch's */
    }
    db->handed.state = done ? SL_MSSQL_OFFSET_SNAPSHOT_DONE : SL_MSSQL_OFFSET_SNAPSHOT;
    sl_mssql_position_end_of(&db->handed.position, &db->snapshot->lsn);
    db->handed.progress = db->snapshot->at;
    db->handed.at_row = false;
    db->handed.complete = false;
    sl_mssql_hand_out(db, batch);
    sl_mssql_stream_restore(db);
    if (done)
        finish(db);
    *ret_more = true;
    return SL_OK;
}
