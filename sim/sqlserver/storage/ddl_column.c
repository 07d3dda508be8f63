/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "ddl_internal.h"
#include "column_change.h"
#include "sql.h"
#include "tran.h"
#include "types.h"

#include "../cdc/tracking.h"

#include <stdlib.h>
#include <string.h>

static bool touch(struct ms_session *session, const struct ms_table *table, struct ms_error *err)
{
    int32_t db_id = table->db_id;
    return ms_sql_run(session, err, "UPDATE sys_objects SET modify_date=? WHERE object_id=?", "Ii",
                      ms_clock_datetime(), table->object_id) &&
           ms_catalog_changed(session, db_id, err);
}

static bool fill_column(struct ms_session *session, int32_t object_id, int32_t column_id,
                        const struct ms_type *type, const struct ms_value *fill, struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "UPDATE u%d SET c%d=?", object_id, column_id);
    sqlite3_stmt *stmt = ms_sql_by_text(session, err, sql.data);
    ms_buffer_free(&sql);
    if (!stmt)
        return false;
    ms_cell_bind(stmt, 1, type, fill);
    bool ok = sqlite3_step(stmt) == SQLITE_DONE || ms_session_sqlite_error(session, err);
    sqlite3_reset(stmt);
    return ok;
}

/* A new identity or rowversion column numbers the rows that exist. */
static bool number_rows(struct ms_session *session, int32_t object_id, int32_t column_id,
                        struct ms_error *err)
{
    const struct ms_table *table = ms_catalog_table_by_id(session, object_id);
    int c = ms_table_column_by_id(table, column_id);
    if (table->columns[c].identity) {
        int64_t rows = ms_sql_execf(session, err,
                                    "UPDATE u%d SET c%d=%lld+%lld*((SELECT count(*) FROM u%d b WHERE"
                                    " b.rowid<u%d.rowid))",
                                    object_id, column_id, (long long)table->columns[c].identity_seed,
                                    (long long)table->columns[c].identity_increment, object_id, object_id)
                           ? sqlite3_changes64(session->db)
                           : -1;
        if (rows > 0)
            ms_identity_seen(session, table,
                             table->columns[c].identity_seed +
                                 (rows - 1) * table->columns[c].identity_increment);
        return rows >= 0;
    }
    return true;
}

static bool has_rows(struct ms_session *session, int32_t object_id)
{
    struct ms_error ignored;
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "SELECT 1 FROM u%d LIMIT 1", object_id);
    sqlite3_stmt *any = ms_sql_by_text(session, &ignored, sql.data);
    ms_buffer_free(&sql);
    bool found = any && sqlite3_step(any) == SQLITE_ROW;
    sqlite3_reset(any);
    return found;
}

bool ms_ddl_add_column(struct ms_session *session, int32_t object_id, const struct ms_column_spec *column,
                       const struct ms_value *fill, const char *ddl_text, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    if (ms_table_column(table, column->name) >= 0)
        return ms_error_set(
            err, 2705, 16, 4,
            "Column names in each table must be unique. Column name '%s' in table '%s.%s' is specified "
            "more than once.",
            column->name, table->schema, table->name);
    const struct ms_database *db = ms_catalog_database_by_id(session, table->db_id);
    bool special = column->identity || column->type.id == MS_ROWVERSION || column->computed_definition;
    if (!column->nullable && (!fill || fill->is_null) && !special && has_rows(session, object_id))
        return ms_error_set(
            err, 4901, 16, 1,
            "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT "
            "definition specified, or the column being added is an identity or timestamp column, or "
            "alternatively if none of the previous conditions are satisfied the table must be empty "
            "to allow addition of this column. Column '%s' cannot be added to non-empty table '%s' "
            "because it does not satisfy these conditions.",
            column->name, table->name);
    int32_t column_id =
        1 + (int32_t)ms_sql_int(session, 0, "SELECT max_column_id FROM sys_objects WHERE object_id=?", "i",
                                object_id);
    const char *collation = column->collation ? column->collation : db->collation;
    if (!ms_sql_run(session, err, "UPDATE sys_objects SET max_column_id=? WHERE object_id=?", "ii", column_id,
                    object_id) ||
        !ms_ddl_insert_column(session, db, object_id, column_id, column, err) ||
        !ms_sql_execf(session, err, "ALTER TABLE u%d ADD COLUMN c%d%s", object_id, column_id,
                      ms_cell_declaration(&column->type, collation)))
        return false;
    if (column->default_definition &&
        !ms_ddl_attach_default(session, table, column_id, column->name, column->default_name,
                               column->default_definition, err))
        return false;
    if (fill && !fill->is_null && !fill_column(session, object_id, column_id, &column->type, fill, err))
        return false;
    if (!ms_cdc_ddl(session, table, ddl_text, err) || !touch(session, table, err))
        return false;
    return !special || number_rows(session, object_id, column_id, err);
}

/* What depends on a column stops its removal: 5074 in the text, 4922 as the number clients see last. */
static bool column_is_free(const struct ms_table *table, const struct ms_catalog_column *column,
                           const char *verb, struct ms_error *err)
{
    const char *by = NULL;
    if (column->default_object_id)
        by = column->default_name;
    for (size_t i = 0; i < table->n_indexes; i++) {
        for (size_t k = 0; k < table->indexes[i].n_columns; k++) {
            if (table->indexes[i].columns[k].column_id == column->column_id)
                by = table->indexes[i].name;
        }
    }
    for (size_t i = 0; i < table->n_checks; i++) {
        if (table->checks[i].column_id == column->column_id)
            by = table->checks[i].name;
    }
    for (size_t i = 0; i < table->n_foreign_keys; i++) {
        for (size_t k = 0; k < table->foreign_keys[i].n_columns; k++) {
            if (table->foreign_keys[i].parent_columns[k] == column->column_id)
                by = table->foreign_keys[i].name;
        }
    }
    return !by ||
           ms_error_set(err, 4922, 16, 9,
                        "ALTER TABLE %s COLUMN %s failed because one or more objects access this column. The "
                        "object '%s' is dependent on column '%s'.",
                        verb, column->name, by, column->name);
}

bool ms_ddl_drop_column(struct ms_session *session, int32_t object_id, const char *column,
                        const char *ddl_text, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    int c = ms_table_column(table, column);
    if (c < 0)
        return ms_error_set(
            err, 4924, 16, 1,
            "ALTER TABLE DROP COLUMN failed because column '%s' does not exist in table '%s'.", column,
            table->name);
    if (!column_is_free(table, &table->columns[c], "DROP", err))
        return false;
    if (table->n_columns == 1)
        return ms_error_set(
            err, 4923, 16, 1,
            "ALTER TABLE DROP COLUMN failed because '%s' is the only data column in table '%s'. A table "
            "must have at least one data column.",
            column, table->name);
    /* Column ids are never used again, so the cells may stay behind, emptied. */
    return ms_sql_run(session, err, "DELETE FROM sys_columns WHERE object_id=? AND column_id=?", "ii",
                      object_id, table->columns[c].column_id) &&
           ms_sql_execf(session, err, "UPDATE u%d SET c%d=NULL", object_id, table->columns[c].column_id) &&
           ms_cdc_ddl(session, table, ddl_text, err) && touch(session, table, err);
}

/* Cells of `from` that are cells of `to` without any change. */
static bool same_cells(const struct ms_type *from, const struct ms_type *to)
{
    bool integers = from->id >= MS_BIT && from->id <= MS_BIGINT && to->id >= from->id && to->id <= MS_BIGINT;
    if (integers)
        return from->id != MS_BIT || to->id == MS_BIT;
    if (from->id != to->id)
        return from->id == MS_REAL && to->id == MS_FLOAT;
    switch ((int)to->id) {
    case MS_VARCHAR:
    case MS_NVARCHAR:
    case MS_VARBINARY: return to->length == MS_MAX || (from->length != MS_MAX && from->length <= to->length);
    case MS_CHAR:
    case MS_NCHAR:
    case MS_BINARY: return from->length == to->length;
    case MS_DECIMAL:
    case MS_NUMERIC:
        return from->scale == to->scale && from->precision <= to->precision &&
               (from->precision <= 18) == (to->precision <= 18);
    case MS_TIME:
    case MS_DATETIME2:
    case MS_DATETIMEOFFSET: return from->scale <= to->scale;
    default: return true;
    }
}

bool ms_column_convert(struct ms_session *session, int32_t object_id, int32_t column_id,
                       const struct ms_type *from, const struct ms_type *to, struct ms_error *err)
{
    struct ms_arena arena = {0};
    struct ms_buffer sql = {0};
    bool ok = true;
    int rc = SQLITE_DONE;
    if (same_cells(from, to))
        return true;
    if (!ms_convert_value)
        return ms_error_set(err, 4928, 16, 1, "This program was built without conversions between types.");
    ms_buffer_format(&sql, "SELECT rowid,c%d FROM u%d WHERE c%d IS NOT NULL", column_id, object_id,
                     column_id);
    sqlite3_stmt *read = ms_sql_by_text(session, err, sql.data);
    sql.len = 0;
    ms_buffer_format(&sql, "UPDATE u%d SET c%d=? WHERE rowid=?", object_id, column_id);
    sqlite3_stmt *write = read ? ms_sql_by_text(session, err, sql.data) : NULL;
    ms_buffer_free(&sql);
    if (!write)
        return false;
    while (ok && (rc = sqlite3_step(read)) == SQLITE_ROW) {
        struct ms_value in;
        struct ms_value out;
        ms_cell_read(read, 1, from, &arena, &in);
        ok = ms_convert_value(&arena, from, &in, to, &out, err);
        if (!ok)
            break;
        sqlite3_bind_int64(write, 2, sqlite3_column_int64(read, 0));
        ms_cell_bind(write, 1, to, &out);
        ok = sqlite3_step(write) == SQLITE_DONE || ms_session_sqlite_error(session, err);
        sqlite3_reset(write);
        ms_arena_reset(&arena);
    }
    sqlite3_reset(read);
    ms_arena_free(&arena);
    return ok && (rc == SQLITE_DONE || ms_session_sqlite_error(session, err));
}

bool ms_column_set_type(struct ms_session *session, int32_t object_id, int32_t column_id,
                        const struct ms_type *type, bool nullable, const char *collation,
                        struct ms_error *err)
{
    return ms_sql_run(session, err,
                      "UPDATE sys_columns SET type_id=?,length=?,precision=?,scale=?,nullable=?,collation=?"
                      " WHERE object_id=? AND column_id=?",
                      "iiiiisii", ms_type_info(type->id)->user_type_id, type->length, type->precision,
                      type->scale, (int)nullable, ms_type_is_character(type->id) ? collation : NULL,
                      object_id, column_id);
}

/* NOT NULL is asked for: is there a NULL? */
static bool no_nulls(struct ms_session *session, const struct ms_table *table,
                     const struct ms_catalog_column *column, struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "SELECT 1 FROM u%d WHERE c%d IS NULL LIMIT 1", table->object_id,
                     column->column_id);
    sqlite3_stmt *stmt = ms_sql_by_text(session, err, sql.data);
    ms_buffer_free(&sql);
    if (!stmt)
        return false;
    bool found = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_reset(stmt);
    return !found ||
           ms_error_set(err, 515, 16, 2,
                        "Cannot insert the value NULL into column '%s', table '%s.%s.%s'; column does not "
                        "allow nulls. UPDATE fails.",
                        column->name, table->db_name, table->schema, table->name);
}

static bool may_alter(const struct ms_table *table, const struct ms_catalog_column *column,
                      const struct ms_type *type, bool nullable, struct ms_error *err)
{
    if (table->tracked_by_cdc && ms_table_primary_key(table)) {
        const struct ms_index *key = ms_table_primary_key(table);
        for (size_t i = 0; i < key->n_columns; i++) {
            if (key->columns[i].column_id == column->column_id)
                return ms_error_set(
                    err, 4922, 16, 9,
                    "ALTER TABLE ALTER COLUMN %s failed because one or more objects access this column. "
                    "The object '%s' is dependent on column '%s'.",
                    column->name, key->name, column->name);
        }
    }
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct ms_index *index = &table->indexes[i];
        for (size_t k = 0; k < index->n_columns; k++) {
            bool harmless = type->id == column->type.id && nullable == column->nullable &&
                            (type->length == MS_MAX || type->length >= column->type.length);
            if (index->columns[k].column_id == column->column_id && !harmless)
                return ms_error_set(
                    err, 4922, 16, 9,
                    "ALTER TABLE ALTER COLUMN %s failed because one or more objects access this column. "
                    "The object '%s' is dependent on column '%s'.",
                    column->name, index->name, column->name);
        }
    }
    return true;
}

bool ms_ddl_alter_column(struct ms_session *session, int32_t object_id, const char *column,
                         const struct ms_type *type, bool nullable, const char *collation,
                         const char *ddl_text, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    int c = ms_table_column(table, column);
    if (c < 0)
        return ms_error_set(
            err, 4924, 16, 1,
            "ALTER TABLE ALTER COLUMN failed because column '%s' does not exist in table '%s'.", column,
            table->name);
    const struct ms_catalog_column *old = &table->columns[c];
    const struct ms_database *db = ms_catalog_database_by_id(session, table->db_id);
    if (!collation)
        collation = db->collation;
    bool rebuild =
        strcmp(ms_cell_declaration(&old->type, old->collation), ms_cell_declaration(type, collation)) != 0;
    if (!may_alter(table, old, type, nullable, err) || (!nullable && !no_nulls(session, table, old, err)) ||
        !ms_column_convert(session, object_id, old->column_id, &old->type, type, err) ||
        !ms_column_set_type(session, object_id, old->column_id, type, nullable, collation, err))
        return false;
    bool same_type = old->type.id == type->id && old->type.length == type->length &&
                     old->type.precision == type->precision && old->type.scale == type->scale;
    bool ok = same_type ? ms_cdc_ddl(session, table, ddl_text, err)
                        : ms_cdc_column_altered(session, table, old->column_id, type, ddl_text, err);
    return ok && touch(session, table, err) && (!rebuild || ms_ddl_rebuild_table(session, object_id, err));
}

bool ms_ddl_rename_column(struct ms_session *session, int32_t object_id, const char *column,
                          const char *new_name, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    int c = ms_table_column(table, column);
    if (c < 0)
        return ms_error_set(
            err, 15248, 11, 1,
            "Either the parameter @objname is ambiguous or the claimed @objtype (COLUMN) is wrong.");
    if (table->tracked_by_cdc)
        return ms_error_set(err, 4928, 16, 1, "Cannot alter column '%s' because it is 'REPLICATED'.",
                            table->columns[c].name);
    int taken = ms_table_column(table, new_name);
    if (taken >= 0 && taken != c)
        return ms_error_set(
            err, 15335, 11, 1,
            "Error: The new name '%s' is already in use as a COLUMN name and would cause a duplicate "
            "that is not permitted.",
            new_name);
    return ms_sql_run(session, err, "UPDATE sys_columns SET name=? WHERE object_id=? AND column_id=?", "sii",
                      new_name, object_id, table->columns[c].column_id) &&
           touch(session, table, err);
}
