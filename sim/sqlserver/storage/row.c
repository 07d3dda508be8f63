/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "cell.h"
#include "fk.h"
#include "row_cache.h"
#include "sql.h"
#include "tran.h"
#include "types.h"
#include "unique.h"

#include <stdlib.h>
#include <string.h>

#define CACHED_TABLES 64

struct ms_row_cache {
    struct ms_row_statements slots[CACHED_TABLES];
    struct ms_row_statements *last;
    uint64_t clock;
};

static void finalize(struct ms_row_statements *slot)
{
    sqlite3_finalize(slot->insert);
    sqlite3_finalize(slot->update);
    sqlite3_finalize(slot->remove);
    *slot = (struct ms_row_statements){0};
}

void ms_row_cache_free(struct ms_row_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < CACHED_TABLES; i++)
        finalize(&cache->slots[i]);
    free(cache);
}

static void add_columns(struct ms_buffer *sql, const struct ms_table *table, const char *suffix)
{
    for (size_t i = 0; i < table->n_columns; i++)
        ms_buffer_format(sql, "%s%s,", table->columns[i].sql_name, suffix);
}

static bool prepare(struct ms_session *session, struct ms_buffer *sql, sqlite3_stmt **stmt,
                    struct ms_error *err)
{
    int rc = sqlite3_prepare_v3(session->db, sql->data, (int)sql->len, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    sql->len = 0;
    return rc == SQLITE_OK || ms_session_sqlite_error(session, err);
}

static bool prepare_all(struct ms_session *session, const struct ms_table *table,
                        struct ms_row_statements *slot, struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "INSERT INTO %s(", table->sqlite_name);
    add_columns(&sql, table, "");
    ms_buffer_text(&sql, "rowid) VALUES(");
    for (size_t i = 0; i < table->n_columns; i++)
        ms_buffer_text(&sql, "?,");
    ms_buffer_text(&sql, "?)");
    bool ok = prepare(session, &sql, &slot->insert, err);
    ms_buffer_format(&sql, "UPDATE %s SET ", table->sqlite_name);
    add_columns(&sql, table, "=?");
    sql.len--; /* the last comma */
    ms_buffer_text(&sql, " WHERE rowid=?");
    ok = ok && prepare(session, &sql, &slot->update, err);
    ms_buffer_format(&sql, "DELETE FROM %s WHERE rowid=?", table->sqlite_name);
    ok = ok && prepare(session, &sql, &slot->remove, err);
    ms_buffer_free(&sql);
    return ok;
}

static struct ms_row_statements *choose_slot(struct ms_row_cache *cache, int32_t object_id)
{
    struct ms_row_statements *oldest = &cache->slots[0];
    for (size_t i = 0; i < CACHED_TABLES; i++) {
        struct ms_row_statements *slot = &cache->slots[i];
        if (slot->object_id == object_id)
            return slot;
        if (slot->used < oldest->used)
            oldest = slot;
    }
    finalize(oldest);
    return oldest;
}

struct ms_row_statements *ms_row_statements(struct ms_session *session, const struct ms_table *table,
                                            struct ms_error *err)
{
    const struct ms_database *db = NULL;
    if (!session->rows)
        session->rows = ms_heap_alloc(sizeof *session->rows);
    struct ms_row_cache *cache = session->rows;
    struct ms_row_statements *slot = cache->last;
    /* the table's own database tells whether its columns may have changed */
    db = ms_catalog_database_by_id(session, table->db_id);
    if (!slot || slot->object_id != table->object_id)
        slot = choose_slot(cache, table->object_id);
    if (slot->object_id != table->object_id || slot->version != db->version) {
        finalize(slot);
        if (!prepare_all(session, table, slot, err)) {
            finalize(slot);
            cache->last = NULL;
            return NULL;
        }
        slot->object_id = table->object_id;
        slot->version = db->version;
    }
    slot->used = ++cache->clock;
    cache->last = slot;
    return slot;
}

static void bind_row(sqlite3_stmt *stmt, const struct ms_table *table, const struct ms_value *row)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ms_catalog_column *column = &table->columns[i];
        if (column->computed_definition)
            sqlite3_bind_null(stmt, (int)i + 1);
        else
            ms_cell_bind(stmt, (int)i + 1, &column->type, &row[i]);
    }
}

/* Run a bound row statement. SQLite's unique error becomes the one of the index that is hit. */
static bool run(struct ms_session *session, const struct ms_table *table, sqlite3_stmt *stmt,
                const struct ms_value *row, struct ms_error *err)
{
    int rc = sqlite3_step(stmt);
    bool ok = rc == SQLITE_DONE;
    if (!ok) {
        bool unique = (rc & 0xFF) == SQLITE_CONSTRAINT && row;
        sqlite3_reset(stmt);
        if (unique)
            ms_unique_error(session, table, row, err);
        else
            ms_session_sqlite_error(session, err);
    }
    sqlite3_reset(stmt);
    return ok;
}

static bool put(struct ms_session *session, const struct ms_table *table, const struct ms_value *row,
                int64_t rowid, struct ms_error *err)
{
    struct ms_row_statements *statements = ms_row_statements(session, table, err);
    if (!statements)
        return false;
    bind_row(statements->insert, table, row);
    if (rowid)
        sqlite3_bind_int64(statements->insert, (int)table->n_columns + 1, rowid);
    else
        sqlite3_bind_null(statements->insert, (int)table->n_columns + 1);
    return run(session, table, statements->insert, row, err);
}

bool ms_row_put(struct ms_session *session, const struct ms_table *table, const struct ms_value *row,
                int64_t rowid, struct ms_error *err)
{
    return put(session, table, row, rowid, err);
}

static bool replace(struct ms_session *session, const struct ms_table *table, const struct ms_value *row,
                    int64_t rowid, struct ms_error *err)
{
    struct ms_row_statements *statements = ms_row_statements(session, table, err);
    if (!statements)
        return false;
    bind_row(statements->update, table, row);
    sqlite3_bind_int64(statements->update, (int)table->n_columns + 1, rowid);
    return run(session, table, statements->update, row, err);
}

static bool take_out(struct ms_session *session, const struct ms_table *table, int64_t rowid,
                     struct ms_error *err)
{
    struct ms_row_statements *statements = ms_row_statements(session, table, err);
    if (!statements)
        return false;
    sqlite3_bind_int64(statements->remove, 1, rowid);
    return run(session, table, statements->remove, NULL, err);
}

static bool check_nulls(const struct ms_table *table, const struct ms_value *row, const char *verb,
                        struct ms_error *err)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ms_catalog_column *column = &table->columns[i];
        if (row[i].is_null && !column->nullable && !column->computed_definition)
            return ms_error_set(
                err, 515, 16, 2,
                "Cannot insert the value NULL into column '%s', table '%s.%s.%s'; column does not "
                "allow nulls. %s fails.",
                column->name, table->db_name, table->schema, table->name, verb);
    }
    return true;
}

static void stamp(struct ms_session *session, const struct ms_table *table, struct ms_value *row)
{
    if (table->rowversion_column < 0)
        return;
    struct ms_db_state *state = ms_server_db_state(session, table->db_id);
    uint64_t value = ++state->dbts;
    state->dirty = true;
    for (int i = 7; i >= 0; i--, value >>= 8)
        session->tran->rowversion[i] = (uint8_t)value;
    row[table->rowversion_column] = (struct ms_value){.len = 8, .bytes = session->tran->rowversion};
}

bool ms_row_insert(struct ms_session *session, const struct ms_table *table, struct ms_value *row,
                   int64_t *ret_rowid, struct ms_error *err)
{
    if (!ms_lock_table(session, table->object_id, MS_LOCK_IX, err))
        return false;
    stamp(session, table, row);
    if (!check_nulls(table, row, "INSERT", err) ||
        !ms_fk_child_written(session, table, row, NULL, "INSERT", err) || !put(session, table, row, 0, err))
        return false;
    *ret_rowid = sqlite3_last_insert_rowid(session->db);
    if (table->identity_column >= 0) {
        session->has_identity = true;
        session->last_identity = row[table->identity_column].i;
    }
    return !table->tracked_by_cdc || ms_change_insert(session, table, row, ms_change_command(session), err);
}

bool ms_row_delete(struct ms_session *session, const struct ms_table *table, int64_t rowid,
                   const struct ms_value *before, struct ms_error *err)
{
    return ms_lock_table(session, table->object_id, MS_LOCK_IX, err) &&
           take_out(session, table, rowid, err) &&
           (!table->tracked_by_cdc ||
            ms_change_delete(session, table, before, ms_change_command(session), err)) &&
           ms_fk_parent_gone(session, table, before, NULL, err);
}

static bool same_key(const struct ms_table *table, const struct ms_index *index,
                     const struct ms_row_update *u)
{
    for (size_t i = 0; i < index->n_columns; i++) {
        int c = ms_table_column_by_id(table, index->columns[i].column_id);
        if (!index->columns[i].included &&
            !ms_value_same(&table->columns[c].type, &u->before[c], &u->after[c]))
            return false;
    }
    return true;
}

/* Did a unique key of this row change? Then the log gets a delete and an insert. */
static bool key_changed(const struct ms_table *table, const struct ms_row_update *u)
{
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (table->indexes[i].unique && !same_key(table, &table->indexes[i], u))
            return true;
    }
    return false;
}

static bool assigns_key(const struct ms_table *table, const bool *assigned)
{
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct ms_index *index = &table->indexes[i];
        for (size_t k = 0; index->unique && k < index->n_columns; k++) {
            int c = ms_table_column_by_id(table, index->columns[k].column_id);
            if (!index->columns[k].included && (!assigned || assigned[c]))
                return true;
        }
    }
    return false;
}

static bool update_in_place(struct ms_session *session, const struct ms_table *table, struct ms_row_update *u,
                            const bool *assigned, bool keys, struct ms_error *err)
{
    if (!replace(session, table, u->after, u->rowid, err))
        return false;
    if (table->tracked_by_cdc) {
        int32_t command = ms_change_command(session);
        bool ok = keys && key_changed(table, u)
                      ? ms_change_key_update(session, table, u->before, u->after, command, err)
                      : ms_change_update(session, table, u->before, u->after, assigned, command, err);
        if (!ok)
            return false;
    }
    return ms_fk_parent_gone(session, table, u->before, u->after, err);
}

/*
 * Several rows whose keys move: all of them leave before any of them comes back, in the table and in the log.
 * The log's shape is that of a deferred update: deletes and inserts with command ids of their own, and the
 * sequence values of the deletes behind those of the inserts.
 */
static bool log_moved(struct ms_session *session, const struct ms_table *table, struct ms_row_update **moved,
                      size_t n, struct ms_error *err);

static bool update_deferred(struct ms_session *session, const struct ms_table *table,
                            struct ms_row_update **moved, size_t n, struct ms_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!take_out(session, table, moved[i]->rowid, err))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!put(session, table, moved[i]->after, moved[i]->rowid, err))
            return false;
    }
    if (table->tracked_by_cdc && !log_moved(session, table, moved, n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ms_fk_parent_gone(session, table, moved[i]->before, moved[i]->after, err))
            return false;
    }
    return true;
}

static bool log_moved(struct ms_session *session, const struct ms_table *table, struct ms_row_update **moved,
                      size_t n, struct ms_error *err)
{
    int32_t command = ms_change_command(session);
    uint8_t(*lsns)[MS_LSN_SIZE] = ms_heap_alloc(n * 2 * MS_LSN_SIZE);
    bool ok = true;
    for (size_t i = 0; ok && i < n * 2; i++)
        ok = ms_log_next_lsn(session, table->db_id, lsns[i], err);
    for (size_t i = 0; ok && i < n; i++)
        ok = ms_change_delete_at(session, table, moved[i]->before, command, lsns[n + i], err);
    session->tran->command_id++;
    for (size_t i = 0; ok && i < n; i++)
        ok = ms_change_insert_at(session, table, moved[i]->after, command + 1, lsns[i], err);
    free(lsns);
    return ok;
}

static bool prepare_updates(struct ms_session *session, const struct ms_table *table,
                            struct ms_row_update *rows, size_t n, struct ms_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!check_nulls(table, rows[i].after, "UPDATE", err) ||
            !ms_fk_child_written(session, table, rows[i].after, rows[i].before, "UPDATE", err))
            return false;
        if (table->rowversion_column >= 0) {
            stamp(session, table, rows[i].after);
            struct ms_value *cell = &rows[i].after[table->rowversion_column];
            cell->bytes = (const uint8_t *)ms_arena_dup(&session->tran->fk_arena, cell->bytes, 8);
        }
    }
    return true;
}

bool ms_rows_update(struct ms_session *session, const struct ms_table *table, struct ms_row_update *rows,
                    size_t n, const bool *assigned, struct ms_error *err)
{
    bool keys = assigns_key(table, assigned);
    size_t n_moved = 0;
    bool ok = ms_lock_table(session, table->object_id, MS_LOCK_IX, err) &&
              prepare_updates(session, table, rows, n, err);
    if (!ok || n == 0)
        return ok;
    struct ms_row_update **moved = keys && n > 1 ? ms_heap_alloc(n * sizeof *moved) : NULL;
    for (size_t i = 0; moved && i < n; i++) {
        /* a statement that names a key column and meets several rows moves them all, changed or not */
        if (assigned || key_changed(table, &rows[i]))
            moved[n_moved++] = &rows[i];
    }
    if (n_moved == 1)
        n_moved = 0; /* one row alone moves in place */
    size_t skip = 0;
    for (size_t i = 0; ok && i < n; i++) {
        if (skip < n_moved && moved[skip] == &rows[i])
            skip++;
        else
            ok = update_in_place(session, table, &rows[i], assigned, keys, err);
    }
    if (ok && n_moved)
        ok = update_deferred(session, table, moved, n_moved, err);
    free(moved);
    return ok;
}
