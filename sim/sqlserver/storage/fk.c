/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "cell.h"
#include "fk.h"
#include "sql.h"
#include "tran.h"
#include "types.h"
#include "unique.h"

#include <string.h>

/* A key to be looked at when the statement ends. */
struct ms_fk_check {
    int32_t fk_id;
    bool parent_gone;     /* else: a child was written */
    struct ms_value *key; /* in the order of the constraint's columns; in tran->fk_arena */
    const char *verb;
};

void ms_fk_statement_forget(struct ms_session *session)
{
    session->tran->n_fk_checks = 0;
    ms_arena_reset(&session->tran->fk_arena);
}

static void copy_value(struct ms_arena *arena, const struct ms_type *type, const struct ms_value *from,
                       struct ms_value *to)
{
    bool bytes = (type->id >= MS_CHAR && type->id <= MS_UNIQUEIDENTIFIER) || type->id == MS_XML ||
                 ms_type_is_clr(type->id);
    *to = *from;
    if (bytes && !from->is_null)
        to->bytes = (const uint8_t *)ms_arena_dup(arena, from->bytes, from->len);
}

/* The constraint's key out of a row of the table that has those columns. */
static struct ms_value *key_of(struct ms_arena *arena, const struct ms_table *table, const int32_t *columns,
                               size_t n, const struct ms_value *row)
{
    struct ms_value *key = ms_arena_alloc(arena, n * sizeof *key);
    for (size_t i = 0; i < n; i++) {
        int c = ms_table_column_by_id(table, columns[i]);
        copy_value(arena, &table->columns[c].type, &row[c], &key[i]);
    }
    return key;
}

static bool has_null(const struct ms_value *key, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (key[i].is_null)
            return true;
    }
    return false;
}

static void check_later(struct ms_session *session, const struct ms_foreign_key *fk, struct ms_value *key,
                        bool parent_gone, const char *verb)
{
    struct ms_tran *tran = session->tran;
    if (tran->n_fk_checks == tran->cap_fk_checks) {
        tran->cap_fk_checks = tran->cap_fk_checks ? tran->cap_fk_checks * 2 : 16;
        tran->fk_checks = ms_heap_resize(tran->fk_checks, tran->cap_fk_checks * sizeof *tran->fk_checks);
    }
    tran->fk_checks[tran->n_fk_checks++] =
        (struct ms_fk_check){.fk_id = fk->object_id, .parent_gone = parent_gone, .key = key, .verb = verb};
}

/* A statement "what FROM table WHERE the columns are the key", bound. */
static sqlite3_stmt *select_by_key(struct ms_session *session, const char *what, const struct ms_table *table,
                                   const int32_t *columns, size_t n, const struct ms_value *key,
                                   struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "SELECT %s FROM %s WHERE 1", what, table->sqlite_name);
    for (size_t i = 0; i < n; i++)
        ms_buffer_format(&sql, " AND c%d=?", columns[i]);
    sqlite3_stmt *stmt = ms_sql_by_text(session, err, sql.data);
    ms_buffer_free(&sql);
    for (size_t i = 0; stmt && i < n; i++) {
        int c = ms_table_column_by_id(table, columns[i]);
        ms_cell_bind(stmt, (int)i + 1, &table->columns[c].type, &key[i]);
    }
    return stmt;
}

static bool exists(struct ms_session *session, const struct ms_table *table, const int32_t *columns, size_t n,
                   const struct ms_value *key, bool *ret_exists, struct ms_error *err)
{
    sqlite3_stmt *stmt = select_by_key(session, "1", table, columns, n, key, err);
    if (!stmt)
        return false;
    int rc = sqlite3_step(stmt);
    *ret_exists = rc == SQLITE_ROW;
    sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ms_session_sqlite_error(session, err);
}

static bool conflict(const struct ms_foreign_key *fk, const struct ms_table *where, const int32_t *columns,
                     const char *kind, const char *verb, struct ms_error *err)
{
    char column[160] = "";
    struct ms_buffer text = {0};
    if (fk->n_columns == 1) {
        int c = ms_table_column_by_id(where, columns[0]);
        ms_buffer_format(&text, ", column '%s'", where->columns[c].name);
        memcpy(column, text.data, text.len < sizeof column ? text.len + 1 : sizeof column);
        column[sizeof column - 1] = 0;
        ms_buffer_free(&text);
    }
    return ms_error_set(
        err, 547, 16, 0,
        "The %s statement conflicted with the %s constraint \"%s\". The conflict occurred in database "
        "\"%s\", table \"%s.%s\"%s.",
        verb, kind, fk->name, where->db_name, where->schema, where->name, column);
}

bool ms_fk_child_written(struct ms_session *session, const struct ms_table *table,
                         const struct ms_value *after, const struct ms_value *before, const char *verb,
                         struct ms_error *err)
{
    for (size_t f = 0; f < table->n_foreign_keys; f++) {
        const struct ms_foreign_key *fk = &table->foreign_keys[f];
        const struct ms_table *parent = ms_catalog_table_by_id(session, fk->referenced_id);
        bool changed = before == NULL;
        for (size_t i = 0; before && i < fk->n_columns; i++) {
            int c = ms_table_column_by_id(table, fk->parent_columns[i]);
            changed = changed || !ms_value_same(&table->columns[c].type, &before[c], &after[c]);
        }
        if (fk->disabled || !changed || !parent)
            continue;
        struct ms_value key[16];
        bool found = false;
        for (size_t i = 0; i < fk->n_columns; i++)
            key[i] = after[ms_table_column_by_id(table, fk->parent_columns[i])];
        if (has_null(key, fk->n_columns))
            continue;
        if (!exists(session, parent, fk->referenced_columns, fk->n_columns, key, &found, err))
            return false;
        if (!found && fk->referenced_id != fk->parent_id)
            return conflict(fk, parent, fk->referenced_columns, "FOREIGN KEY", verb, err);
        if (!found)
            check_later(session, fk,
                        key_of(&session->tran->fk_arena, table, fk->parent_columns, fk->n_columns, after),
                        false, verb);
    }
    return true;
}

/* The rows of a child table that have a key, read at once so that they can be changed. */
struct children {
    size_t n;
    struct ms_row_update *rows;
};

static bool read_children(struct ms_session *session, const struct ms_table *child,
                          const struct ms_foreign_key *fk, const struct ms_value *key, struct children *ret,
                          struct ms_error *err)
{
    struct ms_arena *arena = &session->tran->fk_arena;
    struct ms_buffer what = {0};
    size_t cap = 0;
    int rc;
    ms_buffer_text(&what, "rowid");
    for (size_t i = 0; i < child->n_columns; i++)
        ms_buffer_format(&what, ",c%d", child->columns[i].column_id);
    sqlite3_stmt *stmt =
        select_by_key(session, what.data, child, fk->parent_columns, fk->n_columns, key, err);
    ms_buffer_free(&what);
    *ret = (struct children){0};
    if (!stmt)
        return false;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (ret->n == cap) {
            struct ms_row_update *old = ret->rows;
            cap = cap ? cap * 2 : 8;
            ret->rows = ms_arena_alloc(arena, cap * sizeof *ret->rows);
            if (ret->n)
                memcpy(ret->rows, old, ret->n * sizeof *old);
        }
        struct ms_value *before = ms_arena_alloc(arena, child->n_columns * sizeof *before);
        struct ms_value *after = ms_arena_alloc(arena, child->n_columns * sizeof *after);
        for (size_t i = 0; i < child->n_columns; i++) {
            struct ms_value cell;
            ms_cell_read(stmt, (int)i + 1, &child->columns[i].type, arena, &cell);
            copy_value(arena, &child->columns[i].type, &cell, &before[i]);
            after[i] = before[i];
        }
        ret->rows[ret->n++] =
            (struct ms_row_update){.rowid = sqlite3_column_int64(stmt, 0), .before = before, .after = after};
    }
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE || ms_session_sqlite_error(session, err);
}

static bool delete_children(struct ms_session *session, const struct ms_table *child,
                            const struct children *children, struct ms_error *err)
{
    for (size_t i = 0; i < children->n; i++) {
        if (!ms_row_delete(session, child, children->rows[i].rowid, children->rows[i].before, err))
            return false;
    }
    return true;
}

/* ON UPDATE CASCADE gives the new key, SET NULL gives NULLs. */
static bool rewrite_children(struct ms_session *session, const struct ms_table *child,
                             const struct ms_foreign_key *fk, const struct children *children,
                             const struct ms_value *new_key, struct ms_error *err)
{
    bool *assigned = ms_arena_alloc(&session->tran->fk_arena, child->n_columns * sizeof *assigned);
    for (size_t i = 0; i < fk->n_columns; i++) {
        int c = ms_table_column_by_id(child, fk->parent_columns[i]);
        assigned[c] = true;
        for (size_t r = 0; r < children->n; r++)
            children->rows[r].after[c] = new_key ? new_key[i] : (struct ms_value){.is_null = true};
    }
    return ms_rows_update(session, child, children->rows, children->n, assigned, err);
}

static bool act_on_children(struct ms_session *session, const struct ms_foreign_key *fk,
                            const struct ms_table *parent, struct ms_value *key, const struct ms_value *after,
                            struct ms_error *err)
{
    enum ms_fk_action action = after ? fk->on_update : fk->on_delete;
    const struct ms_table *child = ms_catalog_table_by_id(session, fk->parent_id);
    struct children children;
    if (action == MS_FK_NO_ACTION || action == MS_FK_SET_DEFAULT) {
        check_later(session, fk, key, true, after ? "UPDATE" : "DELETE");
        return true;
    }
    if (!read_children(session, child, fk, key, &children, err))
        return false;
    if (children.n == 0)
        return true;
    if (action == MS_FK_CASCADE && !after)
        return delete_children(session, child, &children, err);
    struct ms_value *new_key = NULL;
    if (action == MS_FK_CASCADE)
        new_key = key_of(&session->tran->fk_arena, parent, fk->referenced_columns, fk->n_columns, after);
    return rewrite_children(session, child, fk, &children, new_key, err);
}

bool ms_fk_parent_gone(struct ms_session *session, const struct ms_table *table,
                       const struct ms_value *before, const struct ms_value *after, struct ms_error *err)
{
    for (size_t f = 0; f < table->n_referencing; f++) {
        const struct ms_foreign_key *fk = table->referencing[f];
        bool changed = after == NULL;
        for (size_t i = 0; after && i < fk->n_columns; i++) {
            int c = ms_table_column_by_id(table, fk->referenced_columns[i]);
            changed = changed || !ms_value_same(&table->columns[c].type, &before[c], &after[c]);
        }
        if (fk->disabled || !changed)
            continue;
        struct ms_value *key =
            key_of(&session->tran->fk_arena, table, fk->referenced_columns, fk->n_columns, before);
        if (!has_null(key, fk->n_columns) && !act_on_children(session, fk, table, key, after, err))
            return false;
    }
    return true;
}

static const struct ms_foreign_key *find_fk(struct ms_session *session, int32_t fk_id)
{
    const struct ms_database *const *list;
    size_t n = ms_catalog_databases(session, &list);
    for (size_t d = 0; d < n; d++) {
        for (size_t t = 0; t < list[d]->n_tables; t++) {
            const struct ms_table *table = &list[d]->tables[t];
            for (size_t f = 0; f < table->n_foreign_keys; f++) {
                if (table->foreign_keys[f].object_id == fk_id)
                    return &table->foreign_keys[f];
            }
        }
    }
    return NULL;
}

static bool check_now(struct ms_session *session, const struct ms_fk_check *check, struct ms_error *err)
{
    const struct ms_foreign_key *fk = find_fk(session, check->fk_id);
    if (!fk)
        return true;
    const struct ms_table *child = ms_catalog_table_by_id(session, fk->parent_id);
    const struct ms_table *parent = ms_catalog_table_by_id(session, fk->referenced_id);
    bool has_parent = false;
    bool has_child = true;
    if (!exists(session, parent, fk->referenced_columns, fk->n_columns, check->key, &has_parent, err))
        return false;
    if (has_parent)
        return true;
    if (!exists(session, child, fk->parent_columns, fk->n_columns, check->key, &has_child, err))
        return false;
    if (!has_child)
        return true;
    if (check->parent_gone)
        return conflict(fk, child, fk->parent_columns, "REFERENCE", check->verb, err);
    return conflict(fk, parent, fk->referenced_columns, "FOREIGN KEY SAME TABLE", check->verb, err);
}

bool ms_fk_statement_end(struct ms_session *session, struct ms_error *err)
{
    for (size_t i = 0; i < session->tran->n_fk_checks; i++) {
        if (!check_now(session, &session->tran->fk_checks[i], err))
            return false;
    }
    return true;
}
