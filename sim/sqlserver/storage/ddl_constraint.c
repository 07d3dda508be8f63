/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "ddl_internal.h"
#include "sql.h"
#include "tran.h"

#include "../cdc/tracking.h"

#include <string.h>

#define MAX_FK_COLUMNS 16

/* Does a unique key of the table consist of exactly these columns, in any order? */
static const struct ms_index *key_over(const struct ms_table *table, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct ms_index *index = &table->indexes[i];
        size_t keys = 0;
        size_t found = 0;
        for (size_t k = 0; k < index->n_columns; k++) {
            if (index->columns[k].included)
                continue;
            keys++;
            for (size_t c = 0; c < n; c++)
                found += ids[c] == index->columns[k].column_id;
        }
        if (index->unique && keys == n && found == n)
            return index;
    }
    return NULL;
}

struct fk_columns {
    size_t n;
    int32_t parent[MAX_FK_COLUMNS];
    int32_t referenced[MAX_FK_COLUMNS];
};

static bool resolve(const struct ms_table *table, const struct ms_table *referenced,
                    const struct ms_fk_spec *fk, const char *name, struct fk_columns *ret,
                    struct ms_error *err)
{
    const struct ms_index *key = ms_table_primary_key(referenced);
    ret->n = fk->n_columns;
    if (fk->n_columns > MAX_FK_COLUMNS)
        return ms_error_set(err, 1757, 16, 0, "Foreign key '%s' has more than %d columns.", name,
                            MAX_FK_COLUMNS);
    if (!fk->referenced_columns && (!key || key->n_columns != fk->n_columns))
        return ms_error_set(
            err, 1773, 16, 0,
            "Foreign key '%s' has implicit reference to object '%s.%s' which does not have a primary key "
            "defined on it.",
            name, referenced->schema, referenced->name);
    for (size_t i = 0; i < fk->n_columns; i++) {
        int p = ms_table_column(table, fk->columns[i]);
        int r = fk->referenced_columns ? ms_table_column(referenced, fk->referenced_columns[i])
                                       : ms_table_column_by_id(referenced, key->columns[i].column_id);
        if (p < 0)
            return ms_error_set(err, 1769, 16, 1,
                                "Foreign key '%s' references invalid column '%s' in referencing table '%s'.",
                                name, fk->columns[i], table->name);
        if (r < 0)
            return ms_error_set(err, 1770, 16, 0,
                                "Foreign key '%s' references invalid column '%s' in referenced table '%s'.",
                                name, fk->referenced_columns[i], referenced->name);
        if (table->columns[p].type.id != referenced->columns[r].type.id)
            return ms_error_set(
                err, 1778, 16, 0,
                "Column '%s.%s.%s' is not the same data type as referencing column '%s.%s' in foreign "
                "key '%s'.",
                referenced->schema, referenced->name, referenced->columns[r].name, table->name,
                table->columns[p].name, name);
        ret->parent[i] = table->columns[p].column_id;
        ret->referenced[i] = referenced->columns[r].column_id;
    }
    if (!key_over(referenced, ret->referenced, ret->n))
        return ms_error_set(
            err, 1776, 16, 0,
            "There are no primary or candidate keys in the referenced table '%s.%s' that match the "
            "referencing column list in the foreign key '%s'.",
            referenced->schema, referenced->name, name);
    return true;
}

/* A row of the table without a partner in the referenced one stops the constraint (547). */
static bool check_rows(struct ms_session *session, const struct ms_table *table,
                       const struct ms_table *referenced, const struct fk_columns *columns, const char *name,
                       struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "SELECT 1 FROM %s p WHERE 1", table->sqlite_name);
    for (size_t i = 0; i < columns->n; i++)
        ms_buffer_format(&sql, " AND p.c%d IS NOT NULL", columns->parent[i]);
    ms_buffer_format(&sql, " AND NOT EXISTS(SELECT 1 FROM %s r WHERE 1", referenced->sqlite_name);
    for (size_t i = 0; i < columns->n; i++)
        ms_buffer_format(&sql, " AND r.c%d=p.c%d", columns->referenced[i], columns->parent[i]);
    ms_buffer_text(&sql, ") LIMIT 1");
    sqlite3_stmt *stmt = ms_sql_by_text(session, err, sql.data);
    ms_buffer_free(&sql);
    if (!stmt)
        return false;
    bool orphan = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_reset(stmt);
    return !orphan ||
           ms_error_set(err, 547, 16, 0,
                        "The ALTER TABLE statement conflicted with the FOREIGN KEY constraint \"%s\". The "
                        "conflict occurred in database \"%s\", table \"%s.%s\".",
                        name, referenced->db_name, referenced->schema, referenced->name);
}

static bool write_fk(struct ms_session *session, const struct ms_table *table,
                     const struct ms_table *referenced, const struct ms_fk_spec *fk,
                     const struct fk_columns *columns, int32_t id, struct ms_error *err)
{
    const struct ms_index *key = key_over(referenced, columns->referenced, columns->n);
    if (!ms_sql_run(session, err, "INSERT INTO sys_foreign_keys VALUES(?,?,?,?,?,?)", "iiiiii", id,
                    table->object_id, referenced->object_id, (int)fk->on_delete, (int)fk->on_update,
                    key->index_id))
        return false;
    for (size_t i = 0; i < columns->n; i++) {
        if (!ms_sql_run(session, err, "INSERT INTO sys_fk_columns VALUES(?,?,?,?)", "iiii", id, (int)i + 1,
                        columns->parent[i], columns->referenced[i]))
            return false;
    }
    return true;
}

bool ms_ddl_add_foreign_key(struct ms_session *session, int32_t object_id, const struct ms_fk_spec *fk,
                            struct ms_error *err)
{
    char generated[140];
    struct fk_columns columns;
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    const struct ms_table *referenced = table ? ms_ddl_table(session, fk->referenced_id, err) : NULL;
    if (!referenced || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    int32_t id = ms_ddl_new_object_id(session, err);
    const char *name = fk->name;
    if (!name)
        name = ms_ddl_generated_name("FK", table->name, fk->columns[0], id, generated, sizeof generated);
    if (table->db_id != referenced->db_id)
        return ms_error_set(err, 1763, 16, 0,
                            "Cross-database foreign key references are not supported. Foreign key '%s'.",
                            name);
    int32_t db_id = table->db_id;
    return id && ms_ddl_name_free(session, db_id, table->schema_id, name, err) &&
           resolve(table, referenced, fk, name, &columns, err) &&
           (fk->nocheck || check_rows(session, table, referenced, &columns, name, err)) &&
           ms_ddl_add_object(session, table, id, name, "F", 0, NULL, fk->name == NULL, err) &&
           write_fk(session, table, referenced, fk, &columns, id, err) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_add_check(struct ms_session *session, int32_t object_id, const char *name, const char *column,
                      const char *definition, struct ms_error *err)
{
    char generated[140];
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    int32_t id = ms_ddl_new_object_id(session, err);
    int c = column ? ms_table_column(table, column) : -1;
    bool system_named = name == NULL;
    if (!name)
        name = column ? ms_ddl_generated_name("CK", table->name, column, id, generated, sizeof generated)
                      : ms_ddl_generated_name("CK", table->name, NULL, id, generated, sizeof generated);
    int32_t db_id = table->db_id;
    return id && ms_ddl_name_free(session, db_id, table->schema_id, name, err) &&
           ms_ddl_add_object(session, table, id, name, "C", c < 0 ? 0 : table->columns[c].column_id,
                             definition, system_named, err) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_add_default(struct ms_session *session, int32_t object_id, const char *name, const char *column,
                        const char *definition, const char *ddl_text, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    int c = ms_table_column(table, column);
    if (c < 0)
        return ms_error_set(err, 1752, 16, 0,
                            "Column '%s' in table '%s' is invalid for creating a default constraint.", column,
                            table->name);
    if (table->columns[c].default_object_id)
        return ms_error_set(err, 1781, 16, 1, "Column already has a DEFAULT bound to it.");
    int32_t db_id = table->db_id;
    return ms_ddl_attach_default(session, table, table->columns[c].column_id, table->columns[c].name, name,
                                 definition, err) &&
           ms_cdc_ddl(session, table, ddl_text, err) && ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_enable_constraint(struct ms_session *session, int32_t object_id, const char *name, bool enabled,
                              struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    if (name &&
        !ms_sql_int(session, 0,
                    "SELECT count(*) FROM sys_objects WHERE parent_id=? AND name=? AND type IN ('C','F')",
                    "is", object_id, name))
        return ms_error_set(err, 4917, 16, 0, "Constraint '%s' does not exist.", name);
    int32_t db_id = table->db_id;
    return ms_sql_run(session, err,
                      "UPDATE sys_objects SET is_disabled=?1 WHERE parent_id=?2 AND type IN ('C','F')"
                      " AND (?3 IS NULL OR name=?3)",
                      "iis", enabled ? 0 : 1, object_id, name) &&
           ms_catalog_changed(session, db_id, err);
}
