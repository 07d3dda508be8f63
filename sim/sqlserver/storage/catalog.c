/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"
#include "catalog_load.h"
#include "cell.h"
#include "login.h"
#include "sql.h"

#include <string.h>

uint64_t ms_catalog_version(const struct ms_session *session)
{
    return session->catalog ? session->catalog->version : 0;
}

const struct ms_database *ms_catalog_database_by_id(const struct ms_session *session, int32_t db_id)
{
    const struct ms_catalog *catalog = session->catalog;
    for (size_t i = 0; i < catalog->n_databases; i++) {
        if (catalog->databases[i]->db_id == db_id)
            return catalog->databases[i];
    }
    return NULL;
}

const struct ms_database *ms_catalog_database(const struct ms_session *session, const char *name)
{
    const struct ms_catalog *catalog = session->catalog;
    if (!name || !*name)
        return ms_catalog_database_by_id(session, session->db_id);
    for (size_t i = 0; i < catalog->n_databases; i++) {
        if (ms_name_equal(catalog->databases[i]->name, name))
            return catalog->databases[i];
    }
    return NULL;
}

size_t ms_catalog_databases(const struct ms_session *session, const struct ms_database *const **ret_list)
{
    *ret_list = session->catalog->databases;
    return session->catalog->n_databases;
}

/* Names of objects compare as the database's collation says. */
static bool same_name(const struct ms_database *database, const char *a, const char *b)
{
    return database->case_sensitive ? strcmp(a, b) == 0 : ms_name_equal(a, b);
}

const struct ms_schema *ms_catalog_schema(const struct ms_database *database, const char *name)
{
    for (size_t i = 0; i < database->n_schemas; i++) {
        if (same_name(database, database->schemas[i].name, name))
            return &database->schemas[i];
    }
    return NULL;
}

const struct ms_table *ms_catalog_table(const struct ms_session *session, const char *database,
                                        const char *schema, const char *name)
{
    const struct ms_database *db = ms_catalog_database(session, database);
    if (!db)
        return NULL;
    if (!schema || !*schema)
        schema = "dbo";
    for (size_t i = 0; i < db->n_tables; i++) {
        if (same_name(db, db->tables[i].name, name) && same_name(db, db->tables[i].schema, schema))
            return &db->tables[i];
    }
    return NULL;
}

const struct ms_table *ms_catalog_table_by_id(const struct ms_session *session, int32_t object_id)
{
    const struct ms_catalog *catalog = session->catalog;
    for (size_t d = 0; d < catalog->n_databases; d++) {
        const struct ms_database *db = catalog->databases[d];
        for (size_t i = 0; i < db->n_tables; i++) {
            if (db->tables[i].object_id == object_id)
                return &db->tables[i];
        }
    }
    return NULL;
}

const struct ms_module *ms_catalog_module(const struct ms_session *session, const char *database,
                                          const char *schema, const char *name)
{
    const struct ms_database *db = ms_catalog_database(session, database);
    if (!db)
        return NULL;
    if (!schema || !*schema)
        schema = "dbo";
    for (size_t i = 0; i < db->n_modules; i++) {
        if (same_name(db, db->modules[i].name, name) && same_name(db, db->modules[i].schema, schema))
            return &db->modules[i];
    }
    return NULL;
}

int ms_table_column(const struct ms_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (ms_name_equal(table->columns[i].name, name))
            return (int)i;
    }
    return -1;
}

int ms_table_column_by_id(const struct ms_table *table, int32_t column_id)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].column_id == column_id)
            return (int)i;
    }
    return -1;
}

const struct ms_index *ms_table_primary_key(const struct ms_table *table)
{
    return table->n_indexes && table->indexes[0].primary_key ? &table->indexes[0] : NULL;
}

static bool granted(struct ms_session *session, const struct ms_table *table, int32_t user,
                    const char *permission)
{
    /* class 0 database, 3 schema, 1 object; a denial anywhere wins */
    static const char *const sql =
        "WITH RECURSIVE r(id) AS (SELECT ?2 UNION SELECT 0 UNION SELECT role_id FROM sys_role_members m JOIN "
        "r"
        " ON m.member_id=r.id WHERE m.db_id=?1)"
        " SELECT CASE WHEN sum(state='D') THEN 0 ELSE count(*) END FROM sys_permissions WHERE db_id=?1"
        " AND grantee_id IN (SELECT id FROM r) AND (permission=?3 OR permission='CONTROL')"
        " AND (class=0 OR (class=3 AND major_id=?4) OR (class=1 AND major_id=?5))";
    return ms_sql_int(session, 0, sql, "iisii", table->db_id, user, permission, table->schema_id,
                      table->object_id) > 0;
}

bool ms_access_check(struct ms_session *session, const struct ms_table *table, enum ms_access access,
                     struct ms_error *err)
{
    static const char *const names[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "ALTER"};
    static const char *const roles[] = {"db_datareader", "db_datawriter", "db_datawriter", "db_datawriter",
                                        "db_ddladmin"};
    if (session->sysadmin || session->internal)
        return true;
    int32_t user = ms_login_user(session, table->db_id);
    const char *deny = access == MS_MAY_SELECT ? "db_denydatareader" : "db_denydatawriter";
    bool denied = user > 1 && access != MS_MAY_ALTER && ms_login_in_role(session, table->db_id, user, deny);
    if (user && !denied &&
        (ms_login_in_role(session, table->db_id, user, "db_owner") ||
         ms_login_in_role(session, table->db_id, user, roles[access]) ||
         granted(session, table, user, names[access])))
        return true;
    return ms_error_set(err, 229, 14, 5,
                        "The %s permission was denied on the object '%s', database '%s', schema '%s'.",
                        names[access], table->name, table->db_name, table->schema);
}
