/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/catalog_load.h"
#include "../storage/cell.h"
#include "../storage/change_log.h"
#include "../storage/clock.h"
#include "../storage/column_change.h"
#include "../storage/ddl_internal.h"
#include "../storage/row_cache.h"
#include "../storage/sql.h"
#include "../storage/types.h"
#include "../storage/unique.h"
#include "capture.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MASK 128
#define MAX_COLUMNS 1100

enum operation {
    OP_DELETE = 1,
    OP_INSERT = 2,
    OP_BEFORE = 3,
    OP_AFTER = 4,
};

/* One transaction of the log. */
struct transaction {
    int64_t id;
    int64_t tran_id;
    int64_t first_row;
    int64_t last_row;
    int64_t begin_time;
    int64_t end_time;
    uint8_t begin_lsn[MS_LSN_SIZE];
    uint8_t commit_lsn[MS_LSN_SIZE];
};

/* One scan at work. */
struct scan {
    struct ms_session *session;
    struct ms_error *err;
    int32_t db_id;
    struct ms_instances instances;
    struct transaction tran;
    struct ms_log_value *before; /* MAX_COLUMNS each */
    struct ms_log_value *after;
    struct ms_value *row; /* of a change table */
    struct ms_arena arena;
};

/* One log record. */
struct record {
    int32_t object_id;
    char op;
    int32_t command_id;
    const uint8_t *lsn;
    const uint8_t *image;
    const uint8_t *end;
};

static struct ms_value blob(const uint8_t *bytes, size_t len)
{
    return (struct ms_value){.len = (uint32_t)len, .bytes = bytes};
}

static const struct ms_log_value *find_value(const struct ms_log_value *values, int n, int32_t column_id,
                                             int hint)
{
    if (hint < n && values[hint].column_id == column_id)
        return &values[hint];
    for (int i = 0; i < n; i++) {
        if (values[i].column_id == column_id)
            return &values[i];
    }
    return NULL;
}

static bool is_old_lob(const struct ms_type *type)
{
    return type->id == MS_TEXT || type->id == MS_NTEXT || type->id == MS_IMAGE;
}

static size_t mask_size(const struct ms_instance *instance)
{
    size_t size = (instance->n_columns + 7) / 8;
    return size < MAX_MASK ? size : MAX_MASK;
}

/* The mask is a big-endian number: the first column is the lowest bit of the last byte. */
static uint8_t *mask_byte(const struct ms_instance *instance, uint8_t *mask, int ordinal)
{
    return &mask[mask_size(instance) - 1 - (size_t)(ordinal - 1) / 8];
}

static void set_bit(const struct ms_instance *instance, uint8_t *mask, int ordinal)
{
    *mask_byte(instance, mask, ordinal) |= (uint8_t)(1 << ((ordinal - 1) % 8));
}

/*
 * Put one row into a change table. `values` is the image; `mask` says what changed, which decides about large
 * values: text, ntext and image are never there in rows of operation 1 and 3; (max) values are there in 1, in
 * 3 and 4 only when the statement changed them. Computed columns are always NULL.
 */
static bool put_change(struct scan *s, const struct ms_instance *instance, const struct record *record,
                       enum operation operation, const struct ms_log_value *values, int n, uint8_t *mask)
{
    const struct ms_table *table = instance->table;
    struct ms_value *row = s->row;
    row[0] = blob(s->tran.commit_lsn, MS_LSN_SIZE);
    row[1] = (struct ms_value){.is_null = true};
    row[2] = blob(record->lsn, MS_LSN_SIZE);
    row[3] = (struct ms_value){.i = operation};
    row[4] = blob(mask, mask_size(instance));
    for (size_t i = 0; i < instance->n_columns; i++) {
        const struct ms_captured *captured = &instance->columns[i];
        const struct ms_type *type = &table->columns[MS_CHANGE_META_COLUMNS + i].type;
        const struct ms_log_value *value =
            find_value(values, n, captured->column_id, captured->column_id - 1);
        bool changed = *mask_byte(instance, mask, captured->ordinal) >> ((captured->ordinal - 1) % 8) & 1;
        bool hidden = captured->computed || !value;
        if (is_old_lob(type))
            hidden = hidden || operation == OP_DELETE || operation == OP_BEFORE ||
                     (operation == OP_AFTER && !changed);
        else if (ms_type_is_lob(type))
            hidden = hidden || ((operation == OP_BEFORE || operation == OP_AFTER) && !changed);
        if (hidden)
            row[MS_CHANGE_META_COLUMNS + i] = (struct ms_value){.is_null = true};
        else
            row[MS_CHANGE_META_COLUMNS + i] = value->value;
    }
    row[table->n_columns - 1] = (struct ms_value){.i = record->command_id};
    return ms_row_put(s->session, table, row, 0, s->err);
}

static void mask_of_all(const struct ms_instance *instance, uint8_t *mask)
{
    memset(mask, 0, MAX_MASK);
    for (size_t i = 0; i < instance->n_columns && i < MAX_MASK * 8; i++)
        set_bit(instance, mask, instance->columns[i].ordinal);
}

/* The bits of the columns that differ; a large value counts as changed when SET named it. False: none
 * differs. */
static bool mask_of_changes(struct scan *s, const struct ms_instance *instance, int n_before, int n_after,
                            uint8_t *mask)
{
    bool any = false;
    memset(mask, 0, MAX_MASK);
    for (size_t i = 0; i < instance->n_columns && i < MAX_MASK * 8; i++) {
        const struct ms_captured *captured = &instance->columns[i];
        const struct ms_type *type = &instance->table->columns[MS_CHANGE_META_COLUMNS + i].type;
        const struct ms_log_value *before =
            find_value(s->before, n_before, captured->column_id, captured->column_id - 1);
        const struct ms_log_value *after =
            find_value(s->after, n_after, captured->column_id, captured->column_id - 1);
        if (!before || !after || captured->computed)
            continue;
        if ((ms_type_is_lob(type) && after->assigned) ||
            !ms_value_same(type, &before->value, &after->value)) {
            set_bit(instance, mask, captured->ordinal);
            any = true;
        }
    }
    return any;
}

/*
 * The captured key columns that SET named, though nothing differs. The real engine logs a row whose clustered
 * key a statement assigns, changed or not, so that such an UPDATE leaves a 3/4 pair. False: SET named none.
 */
static bool mask_of_named_keys(struct scan *s, const struct ms_instance *instance, int n_after, uint8_t *mask)
{
    const struct ms_table *source = ms_catalog_table_by_id(s->session, instance->source_id);
    const struct ms_index *key = source ? ms_table_primary_key(source) : NULL;
    bool any = false;
    for (size_t k = 0; key && k < key->n_columns; k++) {
        int32_t column_id = key->columns[k].column_id;
        const struct ms_log_value *after = find_value(s->after, n_after, column_id, column_id - 1);
        for (size_t i = 0; after && after->assigned && i < instance->n_columns && i < MAX_MASK * 8; i++) {
            if (instance->columns[i].column_id != column_id)
                continue;
            set_bit(instance, mask, instance->columns[i].ordinal);
            any = true;
        }
    }
    return any;
}

static bool capture_one(struct scan *s, const struct ms_instance *instance, const struct record *record,
                        int n_before, int n_after)
{
    uint8_t mask[MAX_MASK];
    mask_of_all(instance, mask);
    switch (record->op) {
    case MS_LOG_INSERT: return put_change(s, instance, record, OP_INSERT, s->before, n_before, mask);
    case MS_LOG_DELETE: return put_change(s, instance, record, OP_DELETE, s->before, n_before, mask);
    case MS_LOG_KEY_UPDATE:
        return put_change(s, instance, record, OP_DELETE, s->before, n_before, mask) &&
               put_change(s, instance, record, OP_INSERT, s->after, n_after, mask);
    default:
        /* an update that touches none of the captured columns leaves no trace, as in the real log scan */
        if (!mask_of_changes(s, instance, n_before, n_after, mask) &&
            !mask_of_named_keys(s, instance, n_after, mask))
            return true;
        return put_change(s, instance, record, OP_BEFORE, s->before, n_before, mask) &&
               put_change(s, instance, record, OP_AFTER, s->after, n_after, mask);
    }
}

static bool damaged(struct scan *s)
{
    return ms_error_set(
        s->err, 22859, 16, 1,
        "Log Scan process failed in processing log records: a record of transaction %lld is damaged.",
        (long long)s->tran.id);
}

static bool capture_row(struct scan *s, const struct record *record)
{
    const uint8_t *at = record->image;
    bool pair = record->op == MS_LOG_UPDATE || record->op == MS_LOG_KEY_UPDATE;
    int n_before = ms_image_read(&at, record->end, s->before, MAX_COLUMNS);
    int n_after = pair ? ms_image_read(&at, record->end, s->after, MAX_COLUMNS) : 0;
    if (n_before < 0 || n_after < 0)
        return damaged(s);
    for (size_t i = 0; i < s->instances.n; i++) {
        const struct ms_instance *instance = &s->instances.list[i];
        if (instance->source_id == record->object_id && instance->started &&
            !capture_one(s, instance, record, n_before, n_after))
            return false;
    }
    return true;
}

static bool reload(struct scan *s)
{
    ms_instances_free(&s->instances);
    return ms_instances_load(s->session, s->db_id, &s->instances, s->err);
}

static bool write_mapping(struct scan *s, const uint8_t *lsn, const uint8_t *tran_id, size_t size)
{
    return ms_cdc_run(s->session, s->db_id, s->err, "INSERT INTO {3}(c1,c2,c3,c4,c5) VALUES(?,?,?,?,?)",
                      "bIIbb", lsn, (size_t)MS_LSN_SIZE, s->tran.begin_time, s->tran.end_time, tran_id, size,
                      s->tran.begin_lsn, (size_t)MS_LSN_SIZE);
}

static bool map_transaction(struct scan *s)
{
    /* 6 bytes, as SQL Server shows its transaction ids */
    uint8_t tran_id[6];
    uint64_t id = (uint64_t)s->tran.tran_id;
    for (int i = 5; i >= 0; i--, id >>= 8)
        tran_id[i] = (uint8_t)id;
    return write_mapping(s, s->tran.commit_lsn, tran_id, sizeof tran_id);
}

/*
 * An instance is valid from the record of its enabling on. That record lies before its transaction's commit,
 * so that a reader who is told of the newest commit finds the instance's start below it (Debezium looks for
 * starts in a range whose end is exclusive). It has a row of its own in the mapping, so that it can be turned
 * into a time; with tran_id 0x00, so that no reader takes it for a transaction and stops there.
 */
static bool begin_instance(struct scan *s, const struct record *record)
{
    static const uint8_t no_tran[1] = {0};
    return ms_cdc_run(s->session, s->db_id, s->err, "UPDATE {0} SET c5=? WHERE c1=?", "bi", record->lsn,
                      (size_t)MS_LSN_SIZE, record->object_id) &&
           write_mapping(s, record->lsn, no_tran, sizeof no_tran) && reload(s);
}

static bool write_history(struct scan *s, const struct record *record, int32_t change_table_id,
                          bool column_update, const char *text)
{
    return ms_cdc_run(s->session, s->db_id, s->err,
                      "INSERT OR REPLACE INTO {4}(c1,c2,c3,c4,c5,c6) VALUES(?,?,?,?,?,?)", "iiisbI",
                      record->object_id, change_table_id, (int)column_update, text, record->lsn,
                      (size_t)MS_LSN_SIZE, s->tran.end_time);
}

/* A captured column has a new type: the change table follows, with what it holds. */
static bool alter_change_column(struct scan *s, const struct ms_instance *instance, size_t at,
                                const struct ms_type *type)
{
    const struct ms_catalog_column *column = &instance->table->columns[MS_CHANGE_META_COLUMNS + at];
    int32_t table_id = instance->table->object_id;
    const struct ms_database *db = ms_catalog_database_by_id(s->session, s->db_id);
    bool rebuild = strcmp(ms_cell_declaration(&column->type, column->collation),
                          ms_cell_declaration(type, db->collation)) != 0;
    return ms_column_convert(s->session, table_id, column->column_id, &column->type, type, s->err) &&
           ms_column_set_type(s->session, table_id, column->column_id, type, true, db->collation, s->err) &&
           ms_cdc_run(s->session, s->db_id, s->err, "UPDATE {1} SET c4=? WHERE c1=? AND c5=?", "sii",
                      ms_type_info(type->id)->name, table_id, instance->columns[at].ordinal) &&
           ms_catalog_changed(s->session, s->db_id, s->err) &&
           (!rebuild || ms_ddl_rebuild_table(s->session, table_id, s->err));
}

static bool follow_alter(struct scan *s, const struct record *record)
{
    struct ms_log_alter alter;
    if ((size_t)(record->end - record->image) < sizeof alter)
        return damaged(s);
    memcpy(&alter, record->image, sizeof alter);
    char *text = ms_arena_dup(&s->arena, record->image + sizeof alter,
                              (size_t)(record->end - record->image) - sizeof alter);
    for (size_t i = 0; i < s->instances.n; i++) {
        const struct ms_instance *instance = &s->instances.list[i];
        if (instance->source_id != record->object_id)
            continue;
        int32_t table_id = instance->table->object_id;
        bool captured = false;
        for (size_t c = 0; c < instance->n_columns && !captured; c++) {
            if (instance->columns[c].column_id != alter.column_id)
                continue;
            captured = true;
            /* an instance that was enabled after the change has the new type already */
            if (instance->started && !alter_change_column(s, instance, c, &alter.type))
                return false;
        }
        if (!write_history(s, record, table_id, captured, text) || !reload(s))
            return false;
    }
    return true;
}

static bool note_ddl(struct scan *s, const struct record *record)
{
    char *text = ms_arena_dup(&s->arena, record->image, (size_t)(record->end - record->image));
    for (size_t i = 0; i < s->instances.n; i++) {
        const struct ms_instance *instance = &s->instances.list[i];
        if (instance->source_id == record->object_id &&
            !write_history(s, record, instance->table->object_id, false, text))
            return false;
    }
    return true;
}

static bool capture_record(struct scan *s, const struct record *record)
{
    switch (record->op) {
    case MS_LOG_ENABLE: return begin_instance(s, record);
    case MS_LOG_DDL: return note_ddl(s, record);
    case MS_LOG_ALTER: return follow_alter(s, record);
    default: return capture_row(s, record);
    }
}

/* The records from *from on; stops behind a change of a column's type, which needs the tables for itself. */
static bool capture_records(struct scan *s, int64_t *from, struct ms_scan *result)
{
    bool ok = true;
    bool alter = false;
    int rc = SQLITE_DONE;
    sqlite3_stmt *rows =
        ms_sql(s->session, s->err,
               "SELECT object_id,op,command_id,lsn,image,id FROM log_row WHERE id BETWEEN ? AND ?"
               " AND db_id=? ORDER BY id",
               "IIi", *from, s->tran.last_row, s->db_id);
    if (!rows)
        return false;
    *from = s->tran.last_row + 1;
    while (ok && !alter && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
        int size = sqlite3_column_bytes(rows, 4);
        struct record record = {.object_id = sqlite3_column_int(rows, 0),
                                .op = (char)sqlite3_column_int(rows, 1),
                                .command_id = sqlite3_column_int(rows, 2),
                                .lsn = sqlite3_column_blob(rows, 3),
                                .image = sqlite3_column_blob(rows, 4)};
        result->commands++;
        if (sqlite3_column_bytes(rows, 3) != MS_LSN_SIZE) {
            ok = damaged(s);
            break;
        }
        alter = record.op == MS_LOG_ALTER;
        if (alter) {
            record.image = (uint8_t *)ms_arena_dup(&s->arena, record.image, (size_t)size);
            record.lsn = (uint8_t *)ms_arena_dup(&s->arena, record.lsn, MS_LSN_SIZE);
            *from = sqlite3_column_int64(rows, 5) + 1;
            sqlite3_reset(rows);
        }
        record.end = record.image + size;
        ok = capture_record(s, &record);
    }
    if (ok && !alter && rc != SQLITE_DONE)
        ok = ms_session_sqlite_error(s->session, s->err);
    sqlite3_reset(rows);
    return ok;
}

static bool capture_transaction(struct scan *s, struct ms_scan *result)
{
    bool ok = map_transaction(s);
    for (int64_t from = s->tran.first_row; ok && from <= s->tran.last_row;)
        ok = capture_records(s, &from, result);
    ms_arena_reset(&s->arena);
    return ok &&
           ms_sql_run(s->session, s->err, "DELETE FROM log_row WHERE id BETWEEN ? AND ? AND db_id=?", "IIi",
                      s->tran.first_row, s->tran.last_row, s->db_id) &&
           ms_sql_run(s->session, s->err, "DELETE FROM log_tran WHERE id=?", "I", s->tran.id);
}

/* The next transaction after *ret's id. 1 found, 0 none, -1 error. */
static int next_transaction(struct scan *s, struct transaction *ret)
{
    sqlite3_stmt *t =
        ms_sql(s->session, s->err,
               "SELECT id,tran_id,first_row,last_row,begin_time,end_time,begin_lsn,commit_lsn FROM log_tran"
               " WHERE id>? AND db_id=? ORDER BY id LIMIT 1",
               "Ii", ret->id, s->db_id);
    if (!t)
        return -1;
    int rc = sqlite3_step(t);
    if (rc == SQLITE_ROW && sqlite3_column_bytes(t, 6) == MS_LSN_SIZE &&
        sqlite3_column_bytes(t, 7) == MS_LSN_SIZE) {
        *ret = (struct transaction){.id = sqlite3_column_int64(t, 0),
                                    .tran_id = sqlite3_column_int64(t, 1),
                                    .first_row = sqlite3_column_int64(t, 2),
                                    .last_row = sqlite3_column_int64(t, 3),
                                    .begin_time = sqlite3_column_int64(t, 4),
                                    .end_time = sqlite3_column_int64(t, 5)};
        memcpy(ret->begin_lsn, sqlite3_column_blob(t, 6), MS_LSN_SIZE);
        memcpy(ret->commit_lsn, sqlite3_column_blob(t, 7), MS_LSN_SIZE);
    }
    sqlite3_reset(t);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : (ms_session_sqlite_error(s->session, s->err), -1);
}

static void note_commit(struct ms_scan *result, const struct transaction *tran, bool want_commits)
{
    if (result->transactions == 0)
        memcpy(result->first_lsn, tran->begin_lsn, MS_LSN_SIZE);
    memcpy(result->last_lsn, tran->commit_lsn, MS_LSN_SIZE);
    result->last_commit_time = tran->end_time;
    if (want_commits) {
        size_t n = (size_t)result->transactions;
        result->commits = ms_heap_resize(result->commits, (n + 1) * MS_LSN_SIZE);
        memcpy(result->commits + n * MS_LSN_SIZE, tran->commit_lsn, MS_LSN_SIZE);
    }
    result->transactions++;
}

static bool scan_all(struct scan *s, int64_t max_transactions, bool want_commits, struct ms_scan *result)
{
    const struct ms_database *db = ms_catalog_database_by_id(s->session, s->db_id);
    if (!db || !db->cdc_enabled)
        return ms_cdc_not_enabled(s->session, s->db_id, s->err);
    if (!ms_instances_load(s->session, s->db_id, &s->instances, s->err))
        return false;
    while (result->transactions < max_transactions) {
        int found = next_transaction(s, &s->tran);
        if (found <= 0)
            return found == 0;
        if (!capture_transaction(s, result))
            return false;
        note_commit(result, &s->tran, want_commits);
    }
    return true;
}

bool ms_capture_pending(struct ms_session *session, int32_t db_id)
{
    return ms_sql_int(session, 0, "SELECT EXISTS(SELECT 1 FROM log_tran WHERE db_id=?)", "i", db_id) != 0;
}

bool ms_capture_scan(struct ms_session *session, int32_t db_id, int64_t max_transactions, bool want_commits,
                     struct ms_scan *ret_scan, struct ms_error *err)
{
    struct ms_scan result = {0};
    struct scan s = {.session = session, .err = err, .db_id = db_id};
    if (!ms_statement_begin(session, MS_STATEMENT_WRITE, err))
        return false;
    s.before = ms_heap_alloc(MAX_COLUMNS * sizeof *s.before);
    s.after = ms_heap_alloc(MAX_COLUMNS * sizeof *s.after);
    s.row = ms_heap_alloc(MAX_COLUMNS * sizeof *s.row);
    bool ok = scan_all(&s, max_transactions, want_commits, &result);
    ms_instances_free(&s.instances);
    ms_arena_free(&s.arena);
    free(s.before);
    free(s.after);
    free(s.row);
    struct ms_error end_error;
    bool ended = ms_statement_end(session, ok, &end_error);
    if (ok && !ended)
        *err = end_error;
    if (!ok || !ended) {
        free(result.commits);
        return false;
    }
    *ret_scan = result;
    return true;
}

bool ms_capture_dummy(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    uint8_t lsn[MS_LSN_SIZE];
    static const uint8_t no_tran[1] = {0};
    int64_t now = ms_clock_datetime();
    if (!ms_statement_begin(session, MS_STATEMENT_WRITE, err))
        return false;
    bool ok = ms_log_next_lsn(session, db_id, lsn, err);
    if (ok) {
        ms_lsn_new_block(&ms_server_db_state(session, db_id)->log);
        ok = ms_cdc_run(session, db_id, err, "INSERT INTO {3}(c1,c2,c3,c4,c5) VALUES(?,?,?,?,?)", "bIIbb",
                        lsn, sizeof lsn, now, now, no_tran, sizeof no_tran, lsn, sizeof lsn);
    }
    struct ms_error ignored;
    return ms_statement_end(session, ok, ok ? err : &ignored) && ok;
}
