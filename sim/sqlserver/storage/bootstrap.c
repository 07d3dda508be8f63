/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the state file, and what an empty server holds.
 *
 * Each table here is close to the catalogue view that is made from it. Data tables are named u<object_id>.
 * log_row and log_tran are the transaction log of tracked tables, written with the changes and emptied by the
 * capture jobs.
 */
#include "../tsql/arena.h"
#include "clock.h"
#include "login.h"
#include "server.h"
#include "sql.h"

#include <stdio.h>
#include <string.h>

#define FORMAT_VERSION 1

static const char *const schema[] = {
    "CREATE TABLE sys_settings(key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE sys_databases(db_id INTEGER PRIMARY KEY, name TEXT COLLATE MS_CI UNIQUE, version INT, "
    "collation TEXT,"
    " create_date INT, owner TEXT, guid BLOB, is_cdc_enabled INT DEFAULT 0, snapshot_isolation INT DEFAULT 0,"
    " rcsi INT DEFAULT 0, state INT DEFAULT 0, user_access INT DEFAULT 0, recovery INT DEFAULT 1,"
    " is_read_only INT DEFAULT 0, log_lsn BLOB, dbts INT DEFAULT 2000)",
    "CREATE TABLE sys_schemas(db_id INT, schema_id INT, name TEXT COLLATE MS_CI, principal_id INT,"
    " PRIMARY KEY(db_id, schema_id)) WITHOUT ROWID",
    "CREATE TABLE sys_objects(object_id INTEGER PRIMARY KEY, db_id INT, schema_id INT, name TEXT COLLATE "
    "MS_CI,"
    " type TEXT, parent_id INT DEFAULT 0, parent_column_id INT DEFAULT 0, definition TEXT, create_date INT,"
    " modify_date INT, is_ms_shipped INT DEFAULT 0, is_system_named INT DEFAULT 0, is_disabled INT DEFAULT 0,"
    " max_column_id INT DEFAULT 0, tracked INT DEFAULT 0)",
    "CREATE INDEX sys_objects_db ON sys_objects(db_id, type, schema_id, name)",
    "CREATE INDEX sys_objects_parent ON sys_objects(parent_id)",
    "CREATE TABLE sys_columns(object_id INT, column_id INT, name TEXT COLLATE MS_CI, type_id INT, length INT,"
    " precision INT, scale INT, nullable INT, identity INT DEFAULT 0, seed INT, increment INT, last_value "
    "INT,"
    " rowguid INT DEFAULT 0, collation TEXT, computed TEXT, persisted INT DEFAULT 0, default_id INT DEFAULT "
    "0,"
    " PRIMARY KEY(object_id, column_id)) WITHOUT ROWID",
    "CREATE TABLE sys_indexes(object_id INT, index_id INT, name TEXT COLLATE MS_CI, clustered INT, is_unique "
    "INT,"
    " is_primary_key INT, is_unique_constraint INT, constraint_id INT DEFAULT 0, ignore_dup_key INT DEFAULT "
    "0,"
    " filter TEXT, PRIMARY KEY(object_id, index_id)) WITHOUT ROWID",
    "CREATE TABLE sys_index_columns(object_id INT, index_id INT, position INT, key_ordinal INT, column_id "
    "INT,"
    " descending INT, included INT, PRIMARY KEY(object_id, index_id, position)) WITHOUT ROWID",
    "CREATE TABLE sys_foreign_keys(object_id INTEGER PRIMARY KEY, parent_id INT, referenced_id INT, "
    "on_delete INT,"
    " on_update INT, key_index_id INT)",
    "CREATE INDEX sys_foreign_keys_referenced ON sys_foreign_keys(referenced_id)",
    "CREATE TABLE sys_fk_columns(object_id INT, ordinal INT, parent_column_id INT, referenced_column_id INT,"
    " PRIMARY KEY(object_id, ordinal)) WITHOUT ROWID",
    "CREATE TABLE sys_logins(login_id INTEGER PRIMARY KEY, name TEXT COLLATE MS_CI UNIQUE, salt BLOB, hash "
    "BLOB,"
    " default_database TEXT, disabled INT DEFAULT 0, sysadmin INT DEFAULT 0, create_date INT, sid BLOB)",
    "CREATE TABLE sys_principals(db_id INT, principal_id INT, name TEXT COLLATE MS_CI, type TEXT, login_id "
    "INT,"
    " default_schema TEXT, is_fixed INT DEFAULT 0, create_date INT, PRIMARY KEY(db_id, principal_id)) "
    "WITHOUT ROWID",
    "CREATE TABLE sys_role_members(db_id INT, role_id INT, member_id INT, PRIMARY KEY(db_id, role_id, "
    "member_id))"
    " WITHOUT ROWID",
    "CREATE TABLE sys_permissions(db_id INT, class INT, major_id INT, grantee_id INT, permission TEXT, state "
    "TEXT,"
    " PRIMARY KEY(db_id, class, major_id, grantee_id, permission)) WITHOUT ROWID",
    "CREATE TABLE log_row(id INTEGER PRIMARY KEY, db_id INT, object_id INT, op INT, command_id INT, lsn BLOB,"
    " image BLOB)",
    "CREATE TABLE log_tran(id INTEGER PRIMARY KEY, db_id INT, tran_id INT, first_row INT, last_row INT,"
    " begin_time INT, end_time INT, begin_lsn BLOB, commit_lsn BLOB)",
    "CREATE TABLE cdc_jobs(db_id INT, job_type TEXT, job_id BLOB, maxtrans INT, maxscans INT, continuous INT,"
    " pollinginterval INT, interval_ms INT, retention INT, threshold INT, enabled INT DEFAULT 1,"
    " PRIMARY KEY(db_id, job_type)) WITHOUT ROWID",
};

/* The fixed principals of a new database; ids as in SQL Server. */
static const struct {
    int id;
    const char *name;
    const char *type;
} principals[] = {
    {0, "public", "R"},
    {1, "dbo", "S"},
    {2, "guest", "S"},
    {3, "INFORMATION_SCHEMA", "S"},
    {4, "sys", "S"},
    {16384, "db_owner", "R"},
    {16385, "db_accessadmin", "R"},
    {16386, "db_securityadmin", "R"},
    {16387, "db_ddladmin", "R"},
    {16389, "db_backupoperator", "R"},
    {16390, "db_datareader", "R"},
    {16391, "db_datawriter", "R"},
    {16392, "db_denydatareader", "R"},
    {16393, "db_denydatawriter", "R"},
};

bool ms_database_fill(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    int64_t now = ms_clock_datetime();
    for (size_t i = 0; i < sizeof principals / sizeof principals[0]; i++) {
        bool fixed = principals[i].id < 5 || principals[i].id >= 16384;
        if (!ms_sql_run(session, err, "INSERT INTO sys_principals VALUES(?,?,?,?,?,?,?,?)", "iissisiI", db_id,
                        principals[i].id, principals[i].name, principals[i].type,
                        principals[i].id == 1 ? 1 : 0, principals[i].id == 1 ? "dbo" : NULL, fixed ? 1 : 0,
                        now))
            return false;
        bool has_schema = principals[i].id != 0;
        if (has_schema && !ms_sql_run(session, err, "INSERT INTO sys_schemas VALUES(?,?,?,?)", "iisi", db_id,
                                      principals[i].id, principals[i].name, principals[i].id))
            return false;
    }
    return true;
}

static bool add_database(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err)
{
    uint8_t guid[16];
    ms_server_guid(session->server, guid);
    return ms_sql_run(
               session, err,
               "INSERT INTO sys_databases(db_id,name,version,collation,create_date,owner,guid,recovery)"
               " VALUES(?,?,1,'SQL_Latin1_General_CP1_CI_AS',?,'sa',?,?)",
               "isIbi", db_id, name, ms_clock_datetime(), guid, sizeof guid, db_id == 3 ? 1 : 3) &&
           ms_database_fill(session, db_id, err);
}

static bool create_all(struct ms_session *session, struct ms_error *err)
{
    static const char *const names[] = {"master", "tempdb", "model", "msdb"};
    for (size_t i = 0; i < sizeof schema / sizeof schema[0]; i++) {
        if (!ms_sql_exec(session, err, schema[i]))
            return false;
    }
    for (int32_t i = 0; i < 4; i++) {
        if (!add_database(session, i + 1, names[i], err))
            return false;
    }
    return ms_sql_run(
        session, err,
        "INSERT INTO sys_settings VALUES('format',?),('catalog_version',1),('last_object_id',885578193)", "i",
        FORMAT_VERSION);
}

bool ms_bootstrap(struct ms_session *session, const char *sa_password, struct ms_error *err)
{
    if (!ms_sql_exec(session, err, "BEGIN IMMEDIATE"))
        return false;
    bool ok = true;
    if (ms_sql_int(session, 0, "SELECT count(*) FROM sqlite_master WHERE name='sys_settings'", "") == 0)
        ok = create_all(session, err);
    int64_t format = ok ? ms_sql_int(session, 0, "SELECT value FROM sys_settings WHERE key='format'", "") : 0;
    if (ok && format != FORMAT_VERSION)
        ok = ms_error_set(err, 948, 20, 1, "the state file has format %lld, this program writes format %d",
                          (long long)format, FORMAT_VERSION);
    ok = ok && ms_login_set(session, 1, "sa", sa_password, true, err);
    if (!ok) {
        sqlite3_exec(session->db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return ms_sql_exec(session, err, "COMMIT");
}
