/* SPDX-License-Identifier: Apache-2.0 */
#include "functions_more.h"
#include "login.h"
#include "sql.h"

#include <string.h>
#include <strings.h>

static struct ms_session *session_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

static const char *text_of(sqlite3_value *arg)
{
    return (const char *)sqlite3_value_text(arg);
}

bool ms_object_visible(struct ms_session *session, int32_t object_id)
{
    struct ms_error ignored;
    if (session->sysadmin || session->internal)
        return true;
    int32_t parent = (int32_t)ms_sql_int(session, 0, "SELECT parent_id FROM sys_objects WHERE object_id=?",
                                         "i", object_id);
    const struct ms_table *table = ms_catalog_table_by_id(session, parent ? parent : object_id);
    int32_t db_id = table ? table->db_id : session->db_id;
    int32_t user = ms_login_user(session, db_id);
    if (!user)
        return false;
    if (ms_login_in_role(session, db_id, user, "db_owner") ||
        ms_login_in_role(session, db_id, user, "db_ddladmin"))
        return true;
    if (!table)
        return false;
    for (int access = MS_MAY_SELECT; access <= MS_MAY_ALTER; access++) {
        if (ms_access_check(session, table, (enum ms_access)access, &ignored))
            return true;
    }
    return false;
}

static void visible(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    sqlite3_result_int(context, ms_object_visible(session_of(context), sqlite3_value_int(args[0])));
}

/* Everybody sees master and tempdb, and the databases it is a user of. */
static void database_visible(sqlite3_context *context, int n, sqlite3_value **args)
{
    int32_t db_id = sqlite3_value_int(args[0]);
    (void)n;
    /* VIEW ANY DATABASE is granted to public */
    sqlite3_result_int(context, db_id != 0);
}

static void is_member_of(sqlite3_context *context, const char *role, int32_t user_id)
{
    struct ms_session *session = session_of(context);
    bool exists =
        role &&
        ms_sql_int(session, 0, "SELECT count(*) FROM sys_principals WHERE db_id=? AND name=? AND type='R'",
                   "is", session->db_id, role) != 0;
    if (exists)
        sqlite3_result_int(context, ms_login_in_role(session, session->db_id, user_id, role));
    else
        sqlite3_result_null(context);
}

static void is_member(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    is_member_of(context, text_of(args[0]), ms_login_user(session_of(context), session_of(context)->db_id));
}

static void is_rolemember(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    int32_t user = ms_login_user(session, session->db_id);
    if (n > 1 && text_of(args[1]))
        user = (int32_t)ms_sql_int(session, -1,
                                   "SELECT principal_id FROM sys_principals WHERE db_id=? AND name=?", "is",
                                   session->db_id, text_of(args[1]));
    is_member_of(context, text_of(args[0]), user);
}

static void is_srvrolemember(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const char *role = text_of(args[0]);
    bool sysadmin = session->sysadmin;
    if (n > 1 && text_of(args[1]))
        sysadmin = ms_sql_int(session, 0, "SELECT sysadmin FROM sys_logins WHERE name=?", "s",
                              text_of(args[1])) != 0;
    if (!role)
        sqlite3_result_null(context);
    else
        sqlite3_result_int(context, sysadmin || strcasecmp(role, "public") == 0);
}

static void suser_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    struct ms_error ignored;
    if (n == 0) {
        sqlite3_result_text(context, session->login, -1, SQLITE_TRANSIENT);
        return;
    }
    bool by_sid = sqlite3_value_type(args[0]) == SQLITE_BLOB;
    sqlite3_stmt *s = by_sid ? ms_sql(session, &ignored, "SELECT name FROM sys_logins WHERE sid=?", "b",
                                      sqlite3_value_blob(args[0]), (size_t)sqlite3_value_bytes(args[0]))
                             : ms_sql(session, &ignored, "SELECT name FROM sys_logins WHERE login_id=?", "i",
                                      sqlite3_value_int(args[0]));
    if (s && sqlite3_step(s) == SQLITE_ROW)
        sqlite3_result_value(context, sqlite3_column_value(s, 0));
    else
        sqlite3_result_null(context);
    sqlite3_reset(s);
}

static void suser_id(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    int32_t id = session->login_id;
    if (n && text_of(args[0]))
        id = (int32_t)ms_sql_int(session, 0, "SELECT login_id FROM sys_logins WHERE name=?", "s",
                                 text_of(args[0]));
    if (id)
        sqlite3_result_int(context, id);
    else
        sqlite3_result_null(context);
}

static void user_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    struct ms_error ignored;
    int32_t id = n && sqlite3_value_type(args[0]) != SQLITE_NULL ? sqlite3_value_int(args[0])
                                                                 : ms_login_user(session, session->db_id);
    sqlite3_stmt *s =
        ms_sql(session, &ignored, "SELECT name FROM sys_principals WHERE db_id=? AND principal_id=?", "ii",
               session->db_id, id);
    if (s && sqlite3_step(s) == SQLITE_ROW)
        sqlite3_result_value(context, sqlite3_column_value(s, 0));
    else
        sqlite3_result_null(context);
    sqlite3_reset(s);
}

static void user_id(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    int32_t id = ms_login_user(session, session->db_id);
    if (n && text_of(args[0]))
        id = (int32_t)ms_sql_int(session, -1,
                                 "SELECT principal_id FROM sys_principals WHERE db_id=? AND name=?", "is",
                                 session->db_id, text_of(args[0]));
    if (id >= 0)
        sqlite3_result_int(context, id);
    else
        sqlite3_result_null(context);
}

/* HAS_PERMS_BY_NAME(securable, class, permission) for objects; everything else is for the owner of the
 * database. */
static void has_perms(sqlite3_context *context, int n, sqlite3_value **args)
{
    static const char *const names[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "ALTER"};
    struct ms_session *session = session_of(context);
    struct ms_error ignored;
    const char *securable = text_of(args[0]);
    const char *permission = text_of(args[2]);
    (void)n;
    bool all = session->sysadmin ||
               ms_login_in_role(session, session->db_id, ms_login_user(session, session->db_id), "db_owner");
    if (all || !securable || !permission) {
        sqlite3_result_int(context, all);
        return;
    }
    const struct ms_table *table =
        ms_catalog_table_by_id(session, ms_object_by_name(session, securable, NULL));
    for (int i = 0; table && i < 5; i++) {
        if (strcasecmp(permission, names[i]) == 0) {
            sqlite3_result_int(context, ms_access_check(session, table, (enum ms_access)i, &ignored));
            return;
        }
    }
    sqlite3_result_int(context, 0);
}

void ms_functions_register_security(struct ms_session *session)
{
    static const struct ms_function functions[] = {
        {"ms_visible", visible},
        {"ms_database_visible", database_visible},
        {"ms_is_member", is_member},
        {"ms_is_rolemember", is_rolemember},
        {"ms_is_srvrolemember", is_srvrolemember},
        {"ms_suser_name", suser_name},
        {"ms_suser_id", suser_id},
        {"ms_user_name", user_name},
        {"ms_user_id", user_id},
        {"ms_has_perms_by_name", has_perms},
    };
    ms_functions_add(session, functions, sizeof functions / sizeof functions[0]);
}
