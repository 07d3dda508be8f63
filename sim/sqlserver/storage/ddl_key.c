/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "ddl_internal.h"
#include "sql.h"
#include "tran.h"
#include "types.h"

#include "../cdc/tracking.h"

#include <stdio.h>
#include <string.h>

#define MAX_KEY_COLUMNS 32

/* "([col] IS NOT NULL)" is the one filter that SQLite is given; other filtered indexes are not kept unique.
 */
static const struct ms_catalog_column *not_null_filter(const struct ms_table *table, const char *filter)
{
    char name[130];
    if (sscanf(filter, "([%129[^]]] IS NOT NULL)", name) != 1)
        return NULL;
    int c = ms_table_column(table, name);
    return c < 0 ? NULL : &table->columns[c];
}

static void add_index_columns(struct ms_buffer *sql, const struct ms_table *table,
                              const struct ms_index *index, bool null_is_a_value)
{
    bool first = true;
    for (size_t i = 0; i < index->n_columns; i++) {
        const struct ms_index_column *key = &index->columns[i];
        const struct ms_catalog_column *column =
            &table->columns[ms_table_column_by_id(table, key->column_id)];
        if (key->included)
            continue;
        ms_buffer_text(sql, first ? "" : ",");
        first = false;
        if (null_is_a_value && column->nullable)
            ms_buffer_format(sql, "ifnull(c%d,x'00ff4e554c4c')%s", key->column_id,
                             ms_cell_declaration(&column->type, column->collation));
        else
            ms_buffer_format(sql, "c%d%s", key->column_id, key->descending ? " DESC" : "");
    }
    ms_buffer_text(sql, ")");
}

static bool any_nullable(const struct ms_table *table, const struct ms_index *index)
{
    for (size_t i = 0; i < index->n_columns; i++) {
        int c = ms_table_column_by_id(table, index->columns[i].column_id);
        if (!index->columns[i].included && table->columns[c].nullable)
            return true;
    }
    return false;
}

/*
 * SQLite lets a unique index hold any number of NULLs, SQL Server one. So a unique index over nullable
 * columns is a plain index for finding rows, and beside it a unique one over expressions where NULL is a
 * value.
 */
bool ms_ddl_build_index(struct ms_session *session, const struct ms_table *table,
                        const struct ms_index *index, struct ms_error *err)
{
    const struct ms_catalog_column *filter = index->filter ? not_null_filter(table, index->filter) : NULL;
    bool two = index->unique && !index->filter && any_nullable(table, index);
    bool unique = index->unique && !two && (!index->filter || filter);
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "CREATE %s INDEX i%d_%d ON %s(", unique ? "UNIQUE" : "", table->object_id,
                     index->index_id, table->sqlite_name);
    add_index_columns(&sql, table, index, false);
    if (filter)
        ms_buffer_format(&sql, " WHERE c%d IS NOT NULL", filter->column_id);
    if (two) {
        ms_buffer_format(&sql, "; CREATE UNIQUE INDEX n%d_%d ON %s(", table->object_id, index->index_id,
                         table->sqlite_name);
        add_index_columns(&sql, table, index, true);
    }
    bool ok = sqlite3_exec(session->db, sql.data, NULL, NULL, NULL) == SQLITE_OK;
    ms_buffer_free(&sql);
    if (ok)
        return true;
    if ((sqlite3_errcode(session->db) & 0xFF) != SQLITE_CONSTRAINT)
        return ms_session_sqlite_error(session, err);
    return ms_error_set(
        err, 1505, 16, 1,
        "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object "
        "name '%s.%s' and the index name '%s'.",
        table->schema, table->name, index->name);
}

bool ms_ddl_unbuild_index(struct ms_session *session, const struct ms_table *table,
                          const struct ms_index *index, struct ms_error *err)
{
    return ms_sql_execf(session, err, "DROP INDEX IF EXISTS i%d_%d; DROP INDEX IF EXISTS n%d_%d",
                        table->object_id, index->index_id, table->object_id, index->index_id);
}

bool ms_ddl_rebuild_table(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    const struct ms_table *table = ms_catalog_table_by_id(session, object_id);
    struct ms_buffer create = {0};
    struct ms_buffer list = {0};
    ms_buffer_format(&create, "CREATE TABLE rebuilt(");
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ms_catalog_column *c = &table->columns[i];
        ms_buffer_format(&create, "%s%s%s", i ? "," : "", c->sql_name,
                         ms_cell_declaration(&c->type, c->collation));
        ms_buffer_format(&list, ",%s", c->sql_name);
    }
    ms_buffer_format(&create,
                     "); INSERT INTO rebuilt(rowid%s) SELECT rowid%s FROM u%d; DROP TABLE u%d;"
                     "ALTER TABLE rebuilt RENAME TO u%d",
                     list.data, list.data, object_id, object_id, object_id);
    bool ok = ms_sql_exec(session, err, create.data);
    ms_buffer_free(&create);
    ms_buffer_free(&list);
    for (size_t i = 0; ok && i < table->n_indexes; i++)
        ok = ms_ddl_build_index(session, table, &table->indexes[i], err);
    return ok;
}

static int32_t choose_index_id(const struct ms_table *table, bool clustered)
{
    int32_t id = clustered ? 1 : 2;
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (!clustered && table->indexes[i].index_id >= id)
            id = table->indexes[i].index_id + 1;
    }
    return id;
}

static bool has_clustered(const struct ms_table *table)
{
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (table->indexes[i].clustered)
            return true;
    }
    return false;
}

static bool find_columns(const struct ms_table *table, const struct ms_key_spec *key,
                         int ret_columns[MAX_KEY_COLUMNS], struct ms_error *err)
{
    if (key->n_columns + key->n_included > MAX_KEY_COLUMNS)
        return ms_error_set(err, 1904, 16, 1,
                            "The index on table '%s' has too many columns. The limit is %d.", table->name,
                            MAX_KEY_COLUMNS);
    for (size_t i = 0; i < key->n_columns + key->n_included; i++) {
        const char *name = i < key->n_columns ? key->columns[i] : key->included[i - key->n_columns];
        ret_columns[i] = ms_table_column(table, name);
        if (ret_columns[i] < 0)
            return ms_error_set(err, 1911, 16, 1,
                                "Column name '%s' does not exist in the target table or view.", name);
        const struct ms_catalog_column *column = &table->columns[ret_columns[i]];
        if (key->primary_key && column->nullable)
            return ms_error_set(err, 8111, 16, 1,
                                "Cannot define PRIMARY KEY constraint on nullable column in table '%s'.",
                                table->name);
        if (i < key->n_columns && ms_type_is_lob(&column->type))
            return ms_error_set(
                err, 1919, 16, 1,
                "Column '%s' in table '%s.%s' is of a type that is invalid for use as a key column in "
                "an index.",
                name, table->schema, table->name);
    }
    return true;
}

static bool index_allowed(const struct ms_table *table, const struct ms_key_spec *key, struct ms_error *err)
{
    if (key->primary_key && ms_table_primary_key(table))
        return ms_error_set(err, 1779, 16, 0, "Table '%s' already has a primary key defined on it.",
                            table->name);
    if (key->primary_key && table->tracked_by_cdc)
        return ms_error_set(err, 4929, 16, 1,
                            "Cannot alter the table '%s' because it is being published for replication.",
                            table->name);
    for (size_t i = 0; key->name && i < table->n_indexes; i++) {
        if (ms_name_equal(table->indexes[i].name, key->name))
            return ms_error_set(
                err, 1913, 16, 1,
                "The operation failed because an index or statistics with name '%s' already exists on "
                "table '%s.%s'.",
                key->name, table->schema, table->name);
    }
    return true;
}

static bool write_index(struct ms_session *session, const struct ms_table *table,
                        const struct ms_key_spec *key, const struct ms_index *index, const int *columns,
                        struct ms_error *err)
{
    if (!ms_sql_run(session, err, "INSERT INTO sys_indexes VALUES(?,?,?,?,?,?,?,?,?,?)", "iisiiiiiis",
                    table->object_id, index->index_id, index->name, (int)index->clustered, (int)index->unique,
                    (int)index->primary_key, (int)index->unique_constraint, index->constraint_id,
                    (int)key->ignore_dup_key, key->filter))
        return false;
    for (size_t i = 0; i < key->n_columns + key->n_included; i++) {
        bool included = i >= key->n_columns;
        bool descending = !included && key->descending && key->descending[i];
        if (!ms_sql_run(session, err, "INSERT INTO sys_index_columns VALUES(?,?,?,?,?,?,?)", "iiiiiii",
                        table->object_id, index->index_id, (int)i + 1, included ? 0 : (int)i + 1,
                        table->columns[columns[i]].column_id, (int)descending, (int)included))
            return false;
    }
    return true;
}

bool ms_ddl_add_key(struct ms_session *session, int32_t object_id, const struct ms_key_spec *key,
                    struct ms_error *err)
{
    int columns[MAX_KEY_COLUMNS];
    char generated[140];
    bool constraint = key->primary_key || key->unique_constraint;
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err) || !index_allowed(table, key, err) ||
        !find_columns(table, key, columns, err))
        return false;
    bool clustered = key->clustered && !has_clustered(table);
    struct ms_index index = {.name = key->name,
                             .index_id = choose_index_id(table, clustered),
                             .clustered = clustered,
                             .unique = constraint || key->unique,
                             .primary_key = key->primary_key,
                             .unique_constraint = key->unique_constraint};
    if (constraint) {
        index.constraint_id = ms_ddl_new_object_id(session, err);
        if (!index.name)
            index.name = ms_ddl_generated_name(key->primary_key ? "PK" : "UQ", table->name, NULL,
                                               index.constraint_id, generated, sizeof generated);
        if (!index.constraint_id ||
            !ms_ddl_name_free(session, table->db_id, table->schema_id, index.name, err) ||
            !ms_ddl_add_object(session, table, index.constraint_id, index.name,
                               key->primary_key ? "PK" : "UQ", 0, NULL, key->name == NULL, err))
            return false;
    }
    int32_t index_id = index.index_id;
    if (!write_index(session, table, key, &index, columns, err) ||
        !ms_catalog_changed(session, table->db_id, err))
        return false;
    table = ms_catalog_table_by_id(session, object_id);
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (table->indexes[i].index_id == index_id)
            return ms_ddl_build_index(session, table, &table->indexes[i], err);
    }
    return true;
}

static bool remove_index(struct ms_session *session, const struct ms_table *table,
                         const struct ms_index *index, struct ms_error *err)
{
    int32_t db_id = table->db_id;
    return ms_ddl_unbuild_index(session, table, index, err) &&
           ms_sql_run(session, err, "DELETE FROM sys_objects WHERE object_id=? AND object_id<>0", "i",
                      index->constraint_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_index_columns WHERE object_id=? AND index_id=?", "ii",
                      table->object_id, index->index_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_indexes WHERE object_id=? AND index_id=?", "ii",
                      table->object_id, index->index_id) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_drop_index(struct ms_session *session, int32_t object_id, const char *index, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct ms_index *found = &table->indexes[i];
        if (!ms_name_equal(found->name, index))
            continue;
        if (found->constraint_id)
            return ms_error_set(
                err, 3723, 16, found->primary_key ? 4 : 5,
                "An explicit DROP INDEX is not allowed on index '%s.%s'. It is being used for %s "
                "constraint enforcement.",
                table->name, found->name, found->primary_key ? "PRIMARY KEY" : "UNIQUE KEY");
        if (!ms_cdc_index_may_go(session, table, found->name, err))
            return false;
        return remove_index(session, table, found, err);
    }
    return ms_error_set(
        err, 3701, 11, 7,
        "Cannot drop the index '%s.%s', because it does not exist or you do not have permission.",
        table->name, index);
}

static bool drop_key_constraint(struct ms_session *session, const struct ms_table *table,
                                const struct ms_index *index, struct ms_error *err)
{
    for (size_t i = 0; i < table->n_referencing; i++) {
        const struct ms_foreign_key *fk = table->referencing[i];
        bool uses = fk->n_columns == index->n_columns;
        for (size_t k = 0; uses && k < fk->n_columns; k++)
            uses = fk->referenced_columns[k] == index->columns[k].column_id;
        if (uses)
            return ms_error_set(
                err, 3725, 16, 0,
                "The constraint '%s' is being referenced by table '%s', foreign key constraint '%s'.",
                index->name, ms_catalog_table_by_id(session, fk->parent_id)->name, fk->name);
    }
    return ms_cdc_index_may_go(session, table, index->name, err) && remove_index(session, table, index, err);
}

bool ms_ddl_drop_constraint(struct ms_session *session, int32_t object_id, const char *name,
                            struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (table->indexes[i].constraint_id && ms_name_equal(table->indexes[i].name, name))
            return drop_key_constraint(session, table, &table->indexes[i], err);
    }
    int32_t id =
        (int32_t)ms_sql_int(session, 0,
                            "SELECT object_id FROM sys_objects WHERE parent_id=? AND name=? AND type IN"
                            " ('D','C','F')",
                            "is", object_id, name);
    if (!id)
        return ms_error_set(err, 3728, 16, 1, "'%s' is not a constraint.", name);
    int32_t db_id = table->db_id;
    return ms_sql_run(session, err, "UPDATE sys_columns SET default_id=0 WHERE object_id=? AND default_id=?",
                      "ii", object_id, id) &&
           ms_sql_run(session, err, "DELETE FROM sys_fk_columns WHERE object_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_foreign_keys WHERE object_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_objects WHERE object_id=?", "i", id) &&
           ms_catalog_changed(session, db_id, err);
}
