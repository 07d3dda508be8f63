/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/database.h"
#include "base/clock.h"
#include "base/log.h"
#include "source/sqlserver/structure.h"

#include <stdio.h>

enum {
    BATCH_BYTES = 4 << 20,
    BATCH_RECORDS = 4000,
};

struct sl_mssql_database *sl_mssql_database_new(const struct sl_mssql_config *config,
                                                const struct sl_source_env *env, const char *name)
{
    struct sl_mssql_database *db = sl_zalloc(1, sizeof(*db));

    db->config = config;
    db->env = env;
    db->name = name;
    (void)pthread_mutex_init(&db->lock, NULL);
    sl_mssql_partition_write(config->prefix, name, &db->partition);
    sl_mssql_emitter_init(&db->emitter, config, name, env->task);
    db->history = sl_mssql_history_new(config, env, &db->partition);
    if (config->schema_changes) {
        char *prefix = sl_format("structure/%s/", name);

        db->structures = sl_mssql_told_new(env, prefix);
        sl_free(prefix);
    }
    return db;
}

void sl_mssql_database_keep_no_history(struct sl_mssql_database *db)
{
    sl_mssql_history_free(db->history);
    db->history = NULL;
}

static void free_tables(struct sl_mssql_database *db)
{
    sl_mssql_readers_drop(db);
    for (size_t i = 0; i < db->n_tables; i++)
        sl_mssql_table_free(db->tables[i]);
    sl_free(db->tables);
    sl_free(db->readers);
    db->tables = NULL;
    db->readers = NULL;
    db->n_tables = 0;
}

static void disconnect_control(struct sl_mssql_database *db)
{
    sl_mssql_disconnect(db, db->control);
    db->control = NULL;
    db->commits_stmt = NULL;
    db->marks_stmt = NULL;
}

void sl_mssql_database_free(struct sl_mssql_database *db)
{
    if (!db)
        return;
    sl_mssql_snapshot_drop(db);
    sl_mssql_stream_drop(db);
    free_tables(db);
    disconnect_control(db);
    sl_mssql_catalog_done(&db->catalog);
    sl_free(db->window.commits);
    sl_free(db->window.heap);
    sl_mssql_offset_done(&db->handed);
    sl_mssql_history_free(db->history);
    sl_mssql_told_free(db->structures);
    sl_buf_done(&db->partition);
    (void)pthread_mutex_destroy(&db->lock);
    sl_free(db);
}

static void remember(struct sl_mssql_database *db, struct sl_odbc *conn)
{
    (void)pthread_mutex_lock(&db->lock);
    for (size_t i = 0; i < sizeof(db->open) / sizeof(*db->open); i++)
        if (!db->open[i]) {
            db->open[i] = conn;
            break;
        }
    (void)pthread_mutex_unlock(&db->lock);
}

void sl_mssql_database_cancel(struct sl_mssql_database *db)
{
    (void)pthread_mutex_lock(&db->lock);
    for (size_t i = 0; i < sizeof(db->open) / sizeof(*db->open); i++)
        if (db->open[i])
            sl_odbc_cancel(db->open[i]);
    (void)pthread_mutex_unlock(&db->lock);
}

enum sl_rc sl_mssql_connect(struct sl_mssql_database *db, struct sl_odbc **ret_conn, struct sl_error *err)
{
    struct sl_odbc_target target = db->config->target;
    struct sl_odbc *conn;
    enum sl_rc rc;

    target.database = db->name;
    rc = sl_odbc_open(&target, &conn, err);
    if (rc != SL_OK)
        return rc;
    remember(db, conn);
    rc = sl_odbc_run(conn, "SET NOCOUNT ON; SET TEXTSIZE 2147483647", err);
    if (rc != SL_OK)
        sl_mssql_disconnect(db, conn);
    else
        *ret_conn = conn;
    return rc;
}

void sl_mssql_disconnect(struct sl_mssql_database *db, struct sl_odbc *conn)
{
    if (!conn)
        return;
    (void)pthread_mutex_lock(&db->lock);
    for (size_t i = 0; i < sizeof(db->open) / sizeof(*db->open); i++)
        if (db->open[i] == conn)
            db->open[i] = NULL;
    (void)pthread_mutex_unlock(&db->lock);
    sl_odbc_close(conn);
}

static enum sl_rc make_tables(struct sl_mssql_database *db, const struct sl_mssql_catalog *catalog,
                              struct sl_mssql_table ***ret_tables, struct sl_error *err)
{
    struct sl_mssql_table **tables = sl_zalloc(catalog->n + 1, sizeof(struct sl_mssql_table *));
    enum sl_rc rc = SL_OK;
    size_t n = 0;

    for (; n < catalog->n && rc == SL_OK; n++) {
        rc = sl_mssql_table_new(&catalog->instances[n], db->config, db->name, &db->emitter.layout, &tables[n],
                                err);
        if (rc != SL_OK)
            break;
        tables[n]->number = (uint32_t)n;
    }
    if (rc != SL_OK) {
        while (n)
            sl_mssql_table_free(tables[--n]);
        sl_free(tables);
        return rc;
    }
    *ret_tables = tables;
    return SL_OK;
}

/* What the include list names and the server does not capture. */
static void warn_missing(const struct sl_mssql_database *db)
{
    for (size_t i = 0; i < db->config->tables.n; i++) {
        bool found = false;

        for (size_t j = 0; j < db->n_tables && !found; j++)
            found = sl_regex_matches(db->config->tables.patterns[i], db->tables[j]->name,
                                     strlen(db->tables[j]->name));
        if (!found)
            sl_warn("no captured table matches this entry of table.include.list; it is looked for again",
                    SL_T("database", db->name), SL_T("entry", db->config->tables.texts[i]));
    }
}

static enum sl_rc read_catalog(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_mssql_catalog catalog;
    struct sl_mssql_table **tables;
    size_t n_before = db->n_tables;
    enum sl_rc rc = sl_mssql_catalog_read(db->control, db->config, db->name, &catalog, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_mssql_gap_of_vanished(db, &catalog, &db->vanished, err);
    if (rc == SL_OK)
        rc = make_tables(db, &catalog, &tables, err);
    if (rc != SL_OK) {
        sl_mssql_catalog_done(&catalog);
        return rc;
    }
    for (size_t i = 0; i < catalog.n; i++) /* the open transaction goes on counting */
        for (size_t j = 0; j < db->n_tables; j++)
            if (db->catalog.instances[j].object_id == catalog.instances[i].object_id)
                tables[i]->order = db->tables[j]->order;
    free_tables(db);
    sl_mssql_catalog_done(&db->catalog);
    db->catalog = catalog;
    db->tables = tables;
    db->n_tables = catalog.n;
    db->readers = sl_mssql_readers_new(tables, catalog.n);
    db->catalog_stale = false;
    sl_odbc_stmt_free(db->marks_stmt);
    db->marks_stmt = NULL;
    if (n_before != db->n_tables)
        warn_missing(db);
    if (!db->n_tables)
        return sl_error_set(
            err, SL_E_NOT_FOUND,
            "database '%s': none of the wanted tables is captured. HINT: EXEC "
            "sys.sp_cdc_enable_table @source_schema=..., @source_name=..., @role_name=NULL; or "
            "check table.include.list",
            db->name);
    return SL_OK;
}

/* The server's times are its local ones: its present distance from UTC makes them UTC, as Debezium does. */
static enum sl_rc read_zone(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    bool row = false;
    enum sl_rc rc = sl_odbc_direct(db->control, "SELECT DATEPART(TZOFFSET, SYSDATETIMEOFFSET())", &stmt, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_execute(stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_fetch(stmt, &row, err);
    if (rc == SL_OK && row) {
        db->zone_us = sl_odbc_int(stmt, 0) * 60 * 1000000;
        db->zone_read_us = sl_now_us();
    }
    sl_odbc_stmt_free(stmt);
    return rc;
}

enum sl_rc sl_mssql_database_ready(struct sl_mssql_database *db, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (!db->control) {
        rc = sl_mssql_connect(db, &db->control, err);
        db->catalog_stale = true;
    }
    if (rc == SL_OK && db->catalog_stale)
        rc = read_catalog(db, err);
    if (rc == SL_OK && sl_now_us() - db->zone_read_us > 60 * 1000000)
        rc = read_zone(db, err);
    return rc;
}

static enum sl_rc one_row(struct sl_mssql_database *db, const char *sql, struct sl_odbc_stmt **ret_stmt,
                          struct sl_error *err)
{
    bool row = false;
    enum sl_rc rc = sl_odbc_direct(db->control, sql, ret_stmt, err);

    if (rc != SL_OK)
        return rc;
    rc = sl_odbc_execute(*ret_stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_fetch(*ret_stmt, &row, err);
    if (rc == SL_OK && !row)
        rc = sl_error_set(err, SL_E_PROTOCOL, "'%s' gave no row", sql);
    if (rc != SL_OK)
        sl_odbc_stmt_free(*ret_stmt);
    return rc;
}

enum sl_rc sl_mssql_newest_lsn(struct sl_mssql_database *db, struct sl_lsn *ret_lsn, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    const struct sl_cell *cell;
    enum sl_rc rc = one_row(db, "SELECT MAX(start_lsn) FROM cdc.lsn_time_mapping", &stmt, err);

    if (rc != SL_OK)
        return rc;
    cell = sl_odbc_cell(stmt, 0);
    memset(ret_lsn->b, 0, sizeof(ret_lsn->b));
    if (cell->len == SL_LSN_SIZE)
        memcpy(ret_lsn->b, cell->data, SL_LSN_SIZE);
    sl_odbc_stmt_free(stmt);
    return SL_OK;
}

int64_t sl_mssql_timestamp_us(const struct sl_cell *cell)
{
    const SQL_TIMESTAMP_STRUCT *t = cell->data;
    int64_t seconds = sl_mssql_days(t->year, t->month, t->day) * 86400 + (int64_t)t->hour * 3600 +
                      (int64_t)t->minute * 60 + t->second;

    return seconds * 1000000 + (t->fraction + 500) / 1000;
}

enum sl_rc sl_mssql_server_time(struct sl_mssql_database *db, int64_t *ret_us, struct sl_error *err)
{
    struct sl_odbc_stmt *stmt;
    enum sl_rc rc = one_row(db, "SELECT SYSUTCDATETIME()", &stmt, err);

    if (rc != SL_OK)
        return rc;
    if (sl_odbc_cell(stmt, 0)->kind == SL_CELL_TIMESTAMP)
        *ret_us = sl_mssql_timestamp_us(sl_odbc_cell(stmt, 0));
    else
        rc = sl_error_set(err, SL_E_PROTOCOL, "SYSUTCDATETIME() is no date-time");
    sl_odbc_stmt_free(stmt);
    return rc;
}

bool sl_mssql_batch_is_full(const struct sl_mssql_database *db, const struct sl_batch *batch)
{
    uint32_t limit = db->config->batch_records < BATCH_RECORDS ? db->config->batch_records : BATCH_RECORDS;

    return batch->n_records >= limit || sl_arena_used(batch->arena) >= BATCH_BYTES;
}

/* The open transaction's counts, as the offset stores them. */
static void remember_transaction(struct sl_mssql_database *db)
{
    const struct sl_mssql_transaction *transaction = &db->emitter.transaction;

    sl_buf_reset(&db->handed.collections);
    memset(db->handed.transaction_id, 0, sizeof(db->handed.transaction_id));
    if (!transaction->open)
        return;
    sl_lsn_write(&transaction->lsn, db->handed.transaction_id);
    for (size_t i = 0; i < db->n_tables; i++) {
        if (!db->tables[i]->order)
            continue;
        sl_buf_put(&db->handed.collections, db->tables[i]->id, strlen(db->tables[i]->id) + 1);
        sl_buf_format(&db->handed.collections, "%lld", (long long)db->tables[i]->order);
        sl_buf_u8(&db->handed.collections, 0);
    }
}

void sl_mssql_hand_out(struct sl_mssql_database *db, struct sl_batch *batch)
{
    struct sl_buf json = {0};

    remember_transaction(db);
    sl_mssql_offset_write(&db->handed, db->config->shape == SL_ENVELOPE_3_5, &json);
    batch->source_partition = (struct sl_span){
        .ptr = sl_arena_copy(batch->arena, db->partition.data, db->partition.len), .len = db->partition.len};
    batch->source_offset =
        (struct sl_span){.ptr = sl_arena_copy(batch->arena, json.data, json.len), .len = json.len};
    batch->bytes = sl_arena_used(batch->arena) + batch->n_records * sizeof(struct sl_record);
    db->has_offset = true;
    sl_buf_done(&json);
}

static enum sl_rc load_offset(struct sl_mssql_database *db, struct sl_error *err)
{
    struct sl_span partition = {.ptr = db->partition.data, .len = db->partition.len};
    char *text = NULL;
    enum sl_rc rc = SL_OK;

    if (db->env->stored_offset)
        rc = db->env->stored_offset(db->env->ctx, partition, &text, err);
    if (rc == SL_OK && text) {
        sl_mssql_offset_done(&db->handed);
        rc = sl_mssql_offset_read(text, &db->handed, err);
        db->has_offset = rc == SL_OK;
    }
    sl_free(text);
    return rc;
}

/* From a stored offset: snapshot again, or go on? */
static enum sl_rc begin_with_offset(struct sl_mssql_database *db, struct sl_error *err)
{
    enum sl_mssql_snapshot_mode mode = db->config->snapshot;
    enum sl_rc rc;

    rc = sl_mssql_database_ready(db, err);
    if (rc == SL_OK) {
        sl_mssql_stream_restore(db); /* the tables are there now, for their counts */
        rc = sl_mssql_gap_at_start(db, err);
    }
    if (rc == SL_E_GAP &&
        (mode == SL_MSSQL_SNAPSHOT_WHEN_NEEDED || mode == SL_MSSQL_SNAPSHOT_WHEN_NEEDED_NO_DATA)) {
        sl_log_error(SL_LEVEL_WARN, "the stored position is lost, a new snapshot is taken", err);
        db->has_offset = false;
        db->phase = SL_MSSQL_PHASE_SNAPSHOT;
        return SL_OK;
    }
    if (rc != SL_OK)
        return rc;
    if (mode == SL_MSSQL_SNAPSHOT_ALWAYS || db->handed.state == SL_MSSQL_OFFSET_SNAPSHOT)
        db->phase = SL_MSSQL_PHASE_SNAPSHOT;
    else
        db->phase = mode == SL_MSSQL_SNAPSHOT_INITIAL_ONLY ? SL_MSSQL_PHASE_IDLE : SL_MSSQL_PHASE_STREAM;
    db->structures_due = db->handed.state != SL_MSSQL_OFFSET_SNAPSHOT;
    sl_mssql_stream_announce(db);
    return SL_OK;
}

static enum sl_rc begin(struct sl_mssql_database *db, struct sl_error *err)
{
    enum sl_rc rc = load_offset(db, err);

    if (rc != SL_OK)
        return rc;
    if (db->has_offset)
        return begin_with_offset(db, err);
    if (db->config->snapshot == SL_MSSQL_SNAPSHOT_RECOVERY)
        return sl_error_set(
            err, SL_E_CONFIG,
            "snapshot.mode=recovery needs a stored offset for database '%s'. HINT: use initial or "
            "no_data",
            db->name);
    db->phase = SL_MSSQL_PHASE_SNAPSHOT;
    return SL_OK;
}

/* Does a row of this instance come next, of those that its table has? */
static bool is_current(const struct sl_mssql_database *db, const struct sl_mssql_table *table)
{
    if (table->instance->has_stop)
        return sl_lsn_compare(&db->next_from, &table->instance->stop) < 0;
    for (size_t i = 0; i < db->n_tables; i++) {
        const struct sl_mssql_instance *other = db->tables[i]->instance;

        if (other->source_object_id == table->instance->source_object_id && other->has_stop &&
            sl_lsn_compare(&db->next_from, &other->stop) < 0)
            return false;
    }
    return true;
}

/*
 * After a start: the structures that a history lacks which others began, or nobody. On the schema-change
 * topic they stand then, by whoever wrote before.
 */
static void complete_structures(struct sl_mssql_database *db)
{
    bool known = db->structures && sl_mssql_told_is_empty(db->structures);

    for (size_t i = 0; i < db->n_tables; i++) {
        if (!is_current(db, db->tables[i]))
            continue;
        sl_mssql_history_put(db->history, &db->emitter, db->tables[i], &db->next_from, false);
        if (known)
            sl_mssql_structure_known(db->structures, db->emitter.batch, db->tables[i]);
    }
    db->structures_due = false;
}

void sl_mssql_database_untell(struct sl_mssql_database *db)
{
    sl_mssql_history_forget(db->history);
    sl_mssql_told_forget(db->structures);
    db->structures_due = (db->history || db->structures) && db->phase == SL_MSSQL_PHASE_STREAM;
    for (size_t i = 0; i < db->n_tables; i++)
        db->tables[i]->told = false;
}

static enum sl_rc poll_phase(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                             struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    *ret_more = false;
    rc = sl_mssql_history_load(db->history, err);
    if (rc == SL_OK)
        rc = sl_mssql_told_load(db->structures, err);
    if (rc == SL_OK && db->phase == SL_MSSQL_PHASE_START)
        rc = begin(db, err);
    if (rc == SL_OK && db->structures_due)
        rc = sl_mssql_database_ready(db, err);
    if (rc == SL_OK && db->structures_due) {
        complete_structures(db);
        *ret_more = true;
        if (batch->n_records || batch->n_notes)
            return SL_OK;
    }
    if (rc == SL_OK && db->phase == SL_MSSQL_PHASE_SNAPSHOT)
        return sl_mssql_snapshot_poll(db, batch, ret_more, err);
    if (rc == SL_OK && db->phase == SL_MSSQL_PHASE_STREAM)
        rc = sl_mssql_stream_poll(db, batch, ret_more, err);
    return rc;
}

enum sl_rc sl_mssql_database_poll(struct sl_mssql_database *db, struct sl_batch *batch, bool *ret_more,
                                  struct sl_error *err)
{
    enum sl_rc rc;

    sl_mssql_emitter_begin(&db->emitter, batch);
    rc = poll_phase(db, batch, ret_more, err);
    if (rc == SL_OK)
        return SL_OK;
    /* Nothing of this batch counts; the next poll connects again and goes on from the one before. */
    sl_mssql_snapshot_drop(db);
    sl_mssql_stream_drop(db);
    sl_mssql_stream_restore(db);
    disconnect_control(db);
    sl_batch_reset(batch);
    sl_mssql_database_untell(db);
    return sl_error_wrap(err, "database '%s'", db->name);
}
