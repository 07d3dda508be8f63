/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "change_log.h"
#include "clock.h"
#include "sql.h"

#include <string.h>

/* The first byte of a value in an image. */
enum value_kind {
    KIND_NULL,
    KIND_INTEGER,
    KIND_REAL,
    KIND_DECIMAL,
    KIND_BYTES,
    KIND_OFFSET,
    KIND_ASSIGNED = 0x80,
};

static enum value_kind kind_of(const struct ms_type *type)
{
    switch ((int)type->id) {
    case MS_REAL:
    case MS_FLOAT: return KIND_REAL;
    case MS_DECIMAL:
    case MS_NUMERIC: return KIND_DECIMAL;
    case MS_DATETIMEOFFSET: return KIND_OFFSET;
    case MS_UNIQUEIDENTIFIER:
    case MS_XML:
    case MS_SQL_VARIANT:
    case MS_HIERARCHYID:
    case MS_GEOMETRY:
    case MS_GEOGRAPHY: return KIND_BYTES;
    default: break;
    }
    return type->id >= MS_CHAR && type->id <= MS_ROWVERSION ? KIND_BYTES : KIND_INTEGER;
}

static void add_value(struct ms_buffer *image, const struct ms_type *type, const struct ms_value *value,
                      bool assigned)
{
    uint8_t kind = value->is_null ? KIND_NULL : (uint8_t)kind_of(type);
    uint8_t tag = assigned ? kind | KIND_ASSIGNED : kind;
    ms_buffer_add(image, &tag, 1);
    switch (kind) {
    case KIND_NULL: break;
    case KIND_INTEGER: ms_buffer_add(image, &value->i, 8); break;
    case KIND_REAL: ms_buffer_add(image, &value->d, 8); break;
    case KIND_DECIMAL: ms_buffer_add(image, &value->dec, 16); break;
    case KIND_OFFSET:
        ms_buffer_add(image, &value->i, 8);
        ms_buffer_add(image, &value->offset_min, 2);
        break;
    default:
        ms_buffer_add(image, &value->len, 4);
        ms_buffer_add(image, value->bytes, value->len);
        break;
    }
}

static void add_row(struct ms_buffer *image, const struct ms_table *table, const struct ms_value *row,
                    const bool *assigned)
{
    uint16_t n = 0;
    for (size_t i = 0; i < table->n_columns; i++)
        n = (uint16_t)(n + (table->columns[i].computed_definition == NULL));
    ms_buffer_add(image, &n, 2);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ms_catalog_column *column = &table->columns[i];
        if (column->computed_definition)
            continue;
        ms_buffer_add(image, &column->column_id, 4);
        add_value(image, &column->type, &row[i], assigned && assigned[i]);
    }
}

static bool read_value(const uint8_t **at, const uint8_t *end, struct ms_log_value *ret)
{
    const uint8_t *p = *at;
    if (end - p < 5)
        return false;
    memcpy(&ret->column_id, p, 4);
    uint8_t kind = p[4] & 0x7F;
    ret->assigned = (p[4] & KIND_ASSIGNED) != 0;
    ret->value = (struct ms_value){.is_null = kind == KIND_NULL};
    p += 5;
    static const uint8_t sizes[] = {0, 8, 8, 16, 4, 10};
    if (kind >= sizeof sizes || end - p < sizes[kind])
        return false;
    switch (kind) {
    case KIND_INTEGER: memcpy(&ret->value.i, p, 8); break;
    case KIND_REAL: memcpy(&ret->value.d, p, 8); break;
    case KIND_DECIMAL: memcpy(&ret->value.dec, p, 16); break;
    case KIND_OFFSET:
        memcpy(&ret->value.i, p, 8);
        memcpy(&ret->value.offset_min, p + 8, 2);
        break;
    case KIND_BYTES:
        memcpy(&ret->value.len, p, 4);
        ret->value.bytes = p + 4;
        break;
    default: break;
    }
    p += sizes[kind];
    if (kind == KIND_BYTES) {
        if ((size_t)(end - p) < ret->value.len)
            return false;
        p += ret->value.len;
    }
    *at = p;
    return true;
}

int ms_image_read(const uint8_t **at, const uint8_t *end, struct ms_log_value *ret_values, int max)
{
    uint16_t n = 0;
    if (end - *at < 2)
        return -1;
    memcpy(&n, *at, 2);
    *at += 2;
    if (n > max)
        return -1;
    for (int i = 0; i < n; i++) {
        if (!read_value(at, end, &ret_values[i]))
            return -1;
    }
    return n;
}

static struct ms_tran_log *log_of(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    struct ms_tran *tran = session->tran;
    for (size_t i = 0; i < tran->n_logs; i++) {
        if (tran->logs[i].db_id == db_id)
            return &tran->logs[i];
    }
    if (tran->n_logs == MS_MAX_TRAN_DATABASES) {
        ms_error_set(err, 8631, 17, 1, "More than %d tracked databases in one transaction.",
                     MS_MAX_TRAN_DATABASES);
        return NULL;
    }
    struct ms_tran_log *log = &tran->logs[tran->n_logs];
    *log = (struct ms_tran_log){.db_id = db_id, .first_row = session->server->last_log_row + 1};
    if (!ms_log_next_lsn(session, db_id, log->begin_lsn, err))
        return NULL;
    tran->n_logs++;
    return log;
}

bool ms_log_next_lsn(struct ms_session *session, int32_t db_id, uint8_t ret_lsn[MS_LSN_SIZE],
                     struct ms_error *err)
{
    struct ms_db_state *state = ms_server_db_state(session, db_id);
    if (!state)
        return ms_error_set(err, 911, 16, 1, "Database with id %d does not exist.", db_id);
    ms_lsn_next(&state->log, ret_lsn);
    state->dirty = true;
    return true;
}

bool ms_log_append(struct ms_session *session, int32_t db_id, int32_t object_id, char op, int32_t command_id,
                   const uint8_t *lsn, const void *image, size_t size, struct ms_error *err)
{
    struct ms_tran_log *log = log_of(session, db_id, err);
    uint8_t own[MS_LSN_SIZE];
    if (!log)
        return false;
    if (!lsn) {
        if (!ms_log_next_lsn(session, db_id, own, err))
            return false;
        lsn = own;
    }
    log->last_row = ++session->server->last_log_row;
    return ms_sql_run(session, err,
                      "INSERT INTO log_row(id,db_id,object_id,op,command_id,lsn,image) VALUES(?,?,?,?,?,?,?)",
                      "Iiiiibb", log->last_row, db_id, object_id, (int)op, command_id, lsn,
                      (size_t)MS_LSN_SIZE, image, size);
}

int32_t ms_change_command(struct ms_session *session)
{
    struct ms_tran *tran = session->tran;
    if (!tran->statement_changed) {
        tran->statement_changed = true;
        tran->command_id++;
    }
    return tran->command_id;
}

static bool append_image(struct ms_session *session, const struct ms_table *table, enum ms_log_op op,
                         int32_t command_id, const uint8_t *lsn, struct ms_error *err)
{
    struct ms_buffer *image = &session->tran->image;
    return ms_log_append(session, table->db_id, table->object_id, (char)op, command_id, lsn, image->data,
                         image->len, err);
}

bool ms_change_insert_at(struct ms_session *session, const struct ms_table *table,
                         const struct ms_value *after, int32_t command_id, const uint8_t *lsn,
                         struct ms_error *err)
{
    session->tran->image.len = 0;
    add_row(&session->tran->image, table, after, NULL);
    return append_image(session, table, MS_LOG_INSERT, command_id, lsn, err);
}

bool ms_change_insert(struct ms_session *session, const struct ms_table *table, const struct ms_value *after,
                      int32_t command_id, struct ms_error *err)
{
    return ms_change_insert_at(session, table, after, command_id, NULL, err);
}

bool ms_change_delete_at(struct ms_session *session, const struct ms_table *table,
                         const struct ms_value *before, int32_t command_id, const uint8_t *lsn,
                         struct ms_error *err)
{
    session->tran->image.len = 0;
    add_row(&session->tran->image, table, before, NULL);
    return append_image(session, table, MS_LOG_DELETE, command_id, lsn, err);
}

bool ms_change_delete(struct ms_session *session, const struct ms_table *table, const struct ms_value *before,
                      int32_t command_id, struct ms_error *err)
{
    return ms_change_delete_at(session, table, before, command_id, NULL, err);
}

static bool append_pair(struct ms_session *session, const struct ms_table *table, enum ms_log_op op,
                        const struct ms_value *before, const struct ms_value *after, const bool *assigned,
                        int32_t command_id, struct ms_error *err)
{
    session->tran->image.len = 0;
    add_row(&session->tran->image, table, before, NULL);
    add_row(&session->tran->image, table, after, assigned);
    return append_image(session, table, op, command_id, NULL, err);
}

bool ms_change_update(struct ms_session *session, const struct ms_table *table, const struct ms_value *before,
                      const struct ms_value *after, const bool *assigned, int32_t command_id,
                      struct ms_error *err)
{
    return append_pair(session, table, MS_LOG_UPDATE, before, after, assigned, command_id, err);
}

bool ms_change_key_update(struct ms_session *session, const struct ms_table *table,
                          const struct ms_value *before, const struct ms_value *after, int32_t command_id,
                          struct ms_error *err)
{
    return append_pair(session, table, MS_LOG_KEY_UPDATE, before, after, NULL, command_id, err);
}

/* After a rollback to a savepoint a database may have no rows left. */
static bool has_rows(struct ms_session *session, const struct ms_tran_log *log)
{
    return !session->tran->undone ||
           ms_sql_int(session, 0, "SELECT EXISTS(SELECT 1 FROM log_row WHERE id BETWEEN ? AND ? AND db_id=?)",
                      "IIi", log->first_row, log->last_row, log->db_id) != 0;
}

static bool write_log_tran(struct ms_session *session, const struct ms_tran_log *log, struct ms_error *err)
{
    uint8_t commit_lsn[MS_LSN_SIZE];
    struct ms_tran *tran = session->tran;
    if (!ms_log_next_lsn(session, log->db_id, commit_lsn, err))
        return false;
    ms_lsn_new_block(&ms_server_db_state(session, log->db_id)->log);
    return ms_sql_run(
        session, err,
        "INSERT INTO log_tran(id,db_id,tran_id,first_row,last_row,begin_time,end_time,begin_lsn,commit_lsn)"
        " VALUES(?,?,?,?,?,?,?,?,?)",
        "IiIIIIIbb", ++session->server->last_log_tran, log->db_id, (int64_t)tran->id, log->first_row,
        log->last_row, tran->begin_time, ms_clock_datetime(), log->begin_lsn, (size_t)MS_LSN_SIZE, commit_lsn,
        (size_t)MS_LSN_SIZE);
}

bool ms_log_commit(struct ms_session *session, struct ms_error *err)
{
    struct ms_server *server = session->server;
    for (size_t i = 0; i < session->tran->n_logs; i++) {
        const struct ms_tran_log *log = &session->tran->logs[i];
        if (has_rows(session, log) && !write_log_tran(session, log, err))
            return false;
    }
    for (size_t i = 0; i < server->n_db_states; i++) {
        struct ms_db_state *state = &server->db_states[i];
        uint8_t lsn[MS_LSN_SIZE];
        if (!state->dirty)
            continue;
        ms_lsn_encode(&state->log, lsn);
        if (!ms_sql_run(session, err, "UPDATE sys_databases SET log_lsn=?, dbts=? WHERE db_id=?", "bIi", lsn,
                        (size_t)MS_LSN_SIZE, (int64_t)state->dbts, state->db_id))
            return false;
        state->dirty = false;
    }
    return true;
}
