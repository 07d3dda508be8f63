/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "column_change.h"
#include "ddl_internal.h"
#include "sql.h"
#include "tran.h"
#include "types.h"

#include "../cdc/tracking.h"

#include <stdio.h>
#include <string.h>

#define OBJECT_ID_STEP 16000057
#define OBJECT_ID_PRIME 2147483647

int32_t ms_ddl_new_object_id(struct ms_session *session, struct ms_error *err)
{
    int64_t id =
        ms_sql_int(session, 885578193, "SELECT value FROM sys_settings WHERE key='last_object_id'", "");
    do {
        id = (id + OBJECT_ID_STEP) % OBJECT_ID_PRIME;
    } while (id < 1000);
    if (!ms_sql_run(session, err, "UPDATE sys_settings SET value=? WHERE key='last_object_id'", "I", id))
        return 0;
    return (int32_t)id;
}

const struct ms_table *ms_ddl_table(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    const struct ms_table *table = ms_catalog_table_by_id(session, object_id);
    if (!table)
        ms_error_set(
            err, 4902, 16, 1,
            "Cannot find the object \"%d\" because it does not exist or you do not have permissions.",
            object_id);
    return table;
}

bool ms_ddl_name_free(struct ms_session *session, int32_t db_id, int32_t schema_id, const char *name,
                      struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    const char *sql =
        db->case_sensitive
            ? "SELECT count(*) FROM sys_objects WHERE db_id=? AND schema_id=? AND name=? COLLATE BINARY"
            : "SELECT count(*) FROM sys_objects WHERE db_id=? AND schema_id=? AND name=?";
    if (ms_sql_int(session, 0, sql, "iis", db_id, schema_id, name) == 0)
        return true;
    return ms_error_set(err, 2714, 16, 6, "There is already an object named '%s' in the database.", name);
}

const char *ms_ddl_generated_name(const char *prefix, const char *table, const char *column,
                                  int32_t object_id, char *buf, size_t size)
{
    uint32_t hash = (uint32_t)object_id * 2654435761u;
    if (column)
        snprintf(buf, size, "%s__%.9s__%.5s__%08X", prefix, table, column, (uint32_t)object_id);
    else
        snprintf(buf, size, "%s__%.8s__%08X%08X", prefix, table, hash, (uint32_t)object_id);
    return buf;
}

bool ms_ddl_add_object(struct ms_session *session, const struct ms_table *table, int32_t object_id,
                       const char *name, const char *type, int32_t column_id, const char *definition,
                       bool system_named, struct ms_error *err)
{
    int64_t now = ms_clock_datetime();
    return ms_sql_run(
        session, err,
        "INSERT INTO sys_objects(object_id,db_id,schema_id,name,type,parent_id,parent_column_id,definition,"
        "create_date,modify_date,is_ms_shipped,is_system_named) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
        "iiissiisIIii", object_id, table->db_id, table->schema_id, name, type, table->object_id, column_id,
        definition, now, now, (int)table->is_ms_shipped, (int)system_named);
}

bool ms_ddl_attach_default(struct ms_session *session, const struct ms_table *table, int32_t column_id,
                           const char *column, const char *name, const char *definition, struct ms_error *err)
{
    char generated[140];
    int32_t id = ms_ddl_new_object_id(session, err);
    if (!id)
        return false;
    bool system_named = name == NULL;
    if (!name)
        name = ms_ddl_generated_name("DF", table->name, column, id, generated, sizeof generated);
    return ms_ddl_name_free(session, table->db_id, table->schema_id, name, err) &&
           ms_ddl_add_object(session, table, id, name, "D", column_id, definition, system_named, err) &&
           ms_sql_run(session, err, "UPDATE sys_columns SET default_id=? WHERE object_id=? AND column_id=?",
                      "iii", id, table->object_id, column_id);
}

static const char *collation_of(const struct ms_database *db, const struct ms_column_spec *spec)
{
    if (!ms_type_is_character(spec->type.id))
        return NULL;
    return spec->collation ? spec->collation : db->collation;
}

bool ms_ddl_insert_column(struct ms_session *session, const struct ms_database *db, int32_t object_id,
                          int32_t column_id, const struct ms_column_spec *spec, struct ms_error *err)
{
    const struct ms_type_info *info = ms_type_info(spec->type.id);
    return ms_sql_run(
        session, err,
        "INSERT INTO sys_columns(object_id,column_id,name,type_id,length,precision,scale,nullable,identity,"
        "seed,increment,rowguid,collation,computed,persisted) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        "iisiiiiiiIIissi", object_id, column_id, spec->name, info ? info->user_type_id : 0, spec->type.length,
        spec->type.precision, spec->type.scale, (int)spec->nullable, (int)spec->identity, spec->identity_seed,
        spec->identity_increment, (int)spec->rowguidcol, collation_of(db, spec), spec->computed_definition,
        (int)spec->computed_persisted);
}

static bool columns_distinct(const char *table, const struct ms_column_spec *columns, size_t n,
                             struct ms_error *err)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (ms_name_equal(columns[i].name, columns[j].name))
                return ms_error_set(
                    err, 2705, 16, 3,
                    "Column names in each table must be unique. Column name '%s' in table '%s' is "
                    "specified more than once.",
                    columns[i].name, table);
        }
    }
    return true;
}

static bool create_physical(struct ms_session *session, const struct ms_database *db, int32_t object_id,
                            const struct ms_column_spec *columns, size_t n, struct ms_error *err)
{
    struct ms_buffer sql = {0};
    ms_buffer_format(&sql, "CREATE TABLE u%d(", object_id);
    for (size_t i = 0; i < n; i++)
        ms_buffer_format(&sql, "%sc%zu%s", i ? "," : "", i + 1,
                         ms_cell_declaration(&columns[i].type, collation_of(db, &columns[i])));
    ms_buffer_text(&sql, ")");
    bool ok = ms_sql_exec(session, err, sql.data);
    ms_buffer_free(&sql);
    return ok;
}

static bool create(struct ms_session *session, const struct ms_database *db, const struct ms_schema *schema,
                   const char *name, const struct ms_column_spec *columns, size_t n, int32_t id,
                   struct ms_error *err)
{
    struct ms_table table = {
        .object_id = id, .db_id = db->db_id, .schema_id = schema->schema_id, .name = name};
    int64_t now = ms_clock_datetime();
    if (!ms_sql_run(session, err,
                    "INSERT INTO "
                    "sys_objects(object_id,db_id,schema_id,name,type,create_date,modify_date,max_column_id,"
                    "is_ms_shipped) VALUES(?,?,?,?,'U',?,?,?,?)",
                    "iiisIIii", id, db->db_id, schema->schema_id, name, now, now, (int)n,
                    (int)ms_name_equal(schema->name, "cdc")))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct ms_column_spec *c = &columns[i];
        if (!ms_ddl_insert_column(session, db, id, (int32_t)i + 1, c, err))
            return false;
        if (c->default_definition && !ms_ddl_attach_default(session, &table, (int32_t)i + 1, c->name,
                                                            c->default_name, c->default_definition, err))
            return false;
    }
    return create_physical(session, db, id, columns, n, err);
}

bool ms_ddl_create_table(struct ms_session *session, int32_t db_id, const char *schema, const char *name,
                         const struct ms_column_spec *columns, size_t n_columns, int32_t *ret_object_id,
                         struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    const struct ms_schema *s = ms_catalog_schema(db, schema && *schema ? schema : "dbo");
    if (!s)
        return ms_error_set(
            err, 2760, 16, 1,
            "The specified schema name \"%s\" either does not exist or you do not have permission to "
            "use it.",
            schema);
    if (!ms_ddl_name_free(session, db_id, s->schema_id, name, err) ||
        !columns_distinct(name, columns, n_columns, err))
        return false;
    int32_t id = ms_ddl_new_object_id(session, err);
    if (!id || !create(session, db, s, name, columns, n_columns, id, err) ||
        !ms_catalog_changed(session, db_id, err))
        return false;
    *ret_object_id = id;
    return true;
}

bool ms_ddl_remove_table(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    return ms_sql_run(
               session, err,
               "DELETE FROM sys_fk_columns WHERE object_id IN (SELECT object_id FROM sys_foreign_keys WHERE"
               " parent_id=?)",
               "i", object_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_foreign_keys WHERE parent_id=?", "i", object_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_index_columns WHERE object_id=?", "i", object_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_indexes WHERE object_id=?", "i", object_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_columns WHERE object_id=?", "i", object_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_permissions WHERE class=1 AND major_id=?", "i",
                      object_id) &&
           ms_sql_run(session, err, "DELETE FROM sys_objects WHERE object_id=?1 OR parent_id=?1", "i",
                      object_id) &&
           ms_sql_execf(session, err, "DROP TABLE u%d", object_id);
}

bool ms_ddl_drop_table(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    for (size_t i = 0; i < table->n_referencing; i++) {
        if (table->referencing[i]->parent_id != object_id)
            return ms_error_set(
                err, 3726, 16, 1,
                "Could not drop object '%s.%s' because it is referenced by a FOREIGN KEY constraint.",
                table->schema, table->name);
    }
    int32_t db_id = table->db_id;
    if (table->tracked_by_cdc && !ms_cdc_table_dropped(session, object_id, err))
        return false;
    return ms_ddl_remove_table(session, object_id, err) && ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_truncate_table(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    const struct ms_table *table = ms_ddl_table(session, object_id, err);
    if (!table || !ms_lock_table(session, object_id, MS_LOCK_X, err))
        return false;
    if (table->tracked_by_cdc)
        return ms_error_set(
            err, 4711, 16, 1,
            "Cannot truncate table '%s.%s' because it is published for replication or enabled for "
            "Change Data Capture.",
            table->schema, table->name);
    for (size_t i = 0; i < table->n_referencing; i++) {
        if (table->referencing[i]->parent_id != object_id)
            return ms_error_set(
                err, 4712, 16, 1,
                "Cannot truncate table '%s.%s' because it is being referenced by a FOREIGN KEY "
                "constraint.",
                table->schema, table->name);
    }
    if (table->identity_column >= 0)
        ms_identity_forget(session, table);
    return ms_sql_execf(session, err, "DELETE FROM u%d", object_id);
}

bool ms_ddl_rename_object(struct ms_session *session, int32_t object_id, const char *new_name,
                          struct ms_error *err)
{
    int32_t db_id =
        (int32_t)ms_sql_int(session, 0, "SELECT db_id FROM sys_objects WHERE object_id=?", "i", object_id);
    int32_t schema_id = (int32_t)ms_sql_int(session, 0, "SELECT schema_id FROM sys_objects WHERE object_id=?",
                                            "i", object_id);
    if (!ms_ddl_name_free(session, db_id, schema_id, new_name, err))
        return ms_error_set(
            err, 15335, 11, 1,
            "Error: The new name '%s' is already in use as a OBJECT name and would cause a duplicate "
            "that is not permitted.",
            new_name);
    return ms_sql_run(session, err, "UPDATE sys_objects SET name=?, modify_date=? WHERE object_id=?", "sIi",
                      new_name, ms_clock_datetime(), object_id) &&
           ms_sql_run(session, err, "UPDATE sys_indexes SET name=? WHERE constraint_id=?", "si", new_name,
                      object_id) &&
           ms_catalog_changed(session, db_id, err);
}
