/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "ddl_internal.h"
#include "sql.h"
#include "tran.h"

#include "../cdc/job.h"

#include <string.h>
#include <strings.h>

bool ms_ddl_create_database(struct ms_session *session, const char *name, const char *collation,
                            struct ms_error *err)
{
    uint8_t guid[16];
    if (ms_catalog_database(session, name))
        return ms_error_set(err, 1801, 16, 3,
                            "Database '%s' already exists. Choose a different database name.", name);
    if (collation && !ms_collation_known(collation))
        return ms_error_set(err, 448, 16, 1, "Invalid collation '%s'.", collation);
    /* the smallest free id, as in SQL Server */
    int32_t db_id =
        (int32_t)ms_sql_int(session, 5,
                            "SELECT min(db_id)+1 FROM sys_databases d WHERE db_id>=4 AND NOT EXISTS"
                            "(SELECT 1 FROM sys_databases e WHERE e.db_id=d.db_id+1)",
                            "");
    ms_server_guid(session->server, guid);
    ms_server_forget_database(session->server, db_id);
    return ms_sql_run(
               session, err,
               "INSERT INTO sys_databases(db_id,name,version,collation,create_date,owner,guid,recovery)"
               " VALUES(?,?,1,?,?,?,?,1)",
               "issIsb", db_id, name, collation ? collation : "SQL_Latin1_General_CP1_CI_AS",
               ms_clock_datetime(), session->login, guid, sizeof guid) &&
           ms_database_fill(session, db_id, err) && ms_catalog_changed(session, db_id, err);
}

static bool remove_objects(struct ms_session *session, const struct ms_database *db, struct ms_error *err)
{
    struct ms_arena arena = {0};
    size_t n = db->n_tables;
    bool ok = true;
    int32_t *ids = ms_arena_alloc(&arena, (n + 1) * sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = db->tables[i].object_id;
    for (size_t i = 0; ok && i < n; i++)
        ok = ms_ddl_remove_table(session, ids[i], err);
    ms_arena_free(&arena);
    return ok;
}

bool ms_ddl_drop_database(struct ms_session *session, const char *name, struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database(session, name);
    if (!db || !name || !*name)
        return ms_error_set(
            err, 3701, 11, 1,
            "Cannot drop the database '%s', because it does not exist or you do not have permission.", name);
    if (db->db_id <= 4)
        return ms_error_set(err, 3708, 16, 4,
                            "Cannot drop the database '%s' because it is a system database.", name);
    if (session->db_id == db->db_id || ms_server_sessions_in(session, db->db_id) > 0)
        return ms_error_set(err, 3702, 16, 3, "Cannot drop database \"%s\" because it is currently in use.",
                            db->name);
    int32_t id = db->db_id;
    ms_server_forget_database(session->server, id);
    ms_capture_forget(session->server, id);
    return remove_objects(session, db, err) &&
           ms_sql_run(session, err, "DELETE FROM sys_objects WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_schemas WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_principals WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_role_members WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_permissions WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM log_row WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM log_tran WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM cdc_jobs WHERE db_id=?", "i", id) &&
           ms_sql_run(session, err, "DELETE FROM sys_databases WHERE db_id=?", "i", id) &&
           ms_catalog_changed(session, 0, err);
}

static int word_index(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text && strcasecmp(text, words[i]) == 0)
            return (int)i;
    }
    return 0;
}

static bool set_collation(struct ms_session *session, int32_t db_id, const char *collation,
                          struct ms_error *err)
{
    if (!collation || !ms_collation_known(collation))
        return ms_error_set(err, 448, 16, 1, "Invalid collation '%s'.", collation ? collation : "");
    return ms_sql_run(session, err, "UPDATE sys_databases SET collation=? WHERE db_id=?", "si", collation,
                      db_id);
}

static bool rename_database(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err)
{
    if (ms_catalog_database(session, name))
        return ms_error_set(err, 1801, 16, 3,
                            "Database '%s' already exists. Choose a different database name.", name);
    return ms_sql_run(session, err, "UPDATE sys_databases SET name=? WHERE db_id=?", "si", name, db_id);
}

bool ms_ddl_alter_database(struct ms_session *session, const char *name, enum ms_db_option option, bool on,
                           const char *text, struct ms_error *err)
{
    static const char *const access[] = {"MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"};
    static const char *const recovery[] = {"", "FULL", "BULK_LOGGED", "SIMPLE"};
    const struct ms_database *db = ms_catalog_database(session, name);
    bool ok = false;
    if (!db)
        return ms_error_set(
            err, 5011, 14, 5,
            "User does not have permission to alter database '%s', the database does not exist, or the "
            "database is not in a state that allows access checks.",
            name);
    int32_t id = db->db_id;
    switch (option) {
    case MS_DB_SNAPSHOT_ISOLATION:
        ok = ms_sql_run(session, err, "UPDATE sys_databases SET snapshot_isolation=? WHERE db_id=?", "ii",
                        (int)on, id);
        break;
    case MS_DB_READ_COMMITTED_SNAPSHOT:
        ok = ms_sql_run(session, err, "UPDATE sys_databases SET rcsi=? WHERE db_id=?", "ii", (int)on, id);
        break;
    case MS_DB_ONLINE:
        ok = ms_sql_run(session, err, "UPDATE sys_databases SET state=? WHERE db_id=?", "ii", on ? 0 : 6, id);
        break;
    case MS_DB_USER_ACCESS:
        ok = ms_sql_run(session, err, "UPDATE sys_databases SET user_access=? WHERE db_id=?", "ii",
                        word_index(text, access, 3), id);
        break;
    case MS_DB_RECOVERY:
        ok = ms_sql_run(session, err, "UPDATE sys_databases SET recovery=? WHERE db_id=?", "ii",
                        word_index(text, recovery, 4), id);
        break;
    case MS_DB_COLLATE: ok = set_collation(session, id, text, err); break;
    case MS_DB_READ_ONLY:
        ok = ms_sql_run(session, err, "UPDATE sys_databases SET is_read_only=? WHERE db_id=?", "ii", (int)on,
                        id);
        break;
    case MS_DB_NAME: ok = rename_database(session, id, text, err); break;
    }
    return ok && ms_catalog_changed(session, id, err);
}

bool ms_ddl_create_schema(struct ms_session *session, int32_t db_id, const char *name, const char *owner,
                          struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    int32_t principal = 1;
    if (ms_catalog_schema(db, name))
        return ms_error_set(err, 2714, 16, 6, "There is already an object named '%s' in the database.", name);
    if (owner)
        principal = (int32_t)ms_sql_int(session, -1,
                                        "SELECT principal_id FROM sys_principals WHERE db_id=? AND name=?",
                                        "is", db_id, owner);
    if (principal < 0)
        return ms_error_set(
            err, 15151, 16, 1,
            "Cannot find the principal '%s', because it does not exist or you do not have permission.",
            owner);
    int32_t id = (int32_t)ms_sql_int(
        session, 5, "SELECT max(4, max(schema_id))+1 FROM sys_schemas WHERE db_id=? AND schema_id<16384", "i",
        db_id);
    return ms_sql_run(session, err, "INSERT INTO sys_schemas VALUES(?,?,?,?)", "iisi", db_id, id, name,
                      principal) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_drop_schema(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err)
{
    const struct ms_schema *schema = ms_catalog_schema(ms_catalog_database_by_id(session, db_id), name);
    if (!schema)
        return ms_error_set(
            err, 15151, 16, 1,
            "Cannot drop the schema '%s', because it does not exist or you do not have permission.", name);
    if (ms_sql_int(session, 0, "SELECT count(*) FROM sys_objects WHERE db_id=? AND schema_id=?", "ii", db_id,
                   schema->schema_id))
        return ms_error_set(err, 3729, 16, 1,
                            "Cannot drop schema '%s' because it is being referenced by an object in it.",
                            name);
    return ms_sql_run(session, err, "DELETE FROM sys_schemas WHERE db_id=? AND schema_id=?", "ii", db_id,
                      schema->schema_id) &&
           ms_catalog_changed(session, db_id, err);
}
