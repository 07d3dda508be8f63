/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "cell.h"
#include "clock.h"
#include "ddl_internal.h"
#include "login.h"
#include "sql.h"

#include <string.h>
#include <strings.h>

static bool cannot(struct ms_error *err, const char *verb, const char *kind, const char *name)
{
    return ms_error_set(err, 15151, 16, 1,
                        "Cannot %s the %s '%s', because it does not exist or you do not have permission.",
                        verb, kind, name);
}

static int32_t login_id(struct ms_session *session, const char *name)
{
    return (int32_t)ms_sql_int(session, 0, "SELECT login_id FROM sys_logins WHERE name=?", "s", name);
}

static int32_t principal_id(struct ms_session *session, int32_t db_id, const char *name, const char *type)
{
    return (int32_t)ms_sql_int(
        session, -1,
        "SELECT principal_id FROM sys_principals WHERE db_id=? AND name=? AND (?3 IS NULL OR type=?3)", "iss",
        db_id, name, type);
}

bool ms_ddl_create_login(struct ms_session *session, const char *name, const char *password,
                         const char *default_database, struct ms_error *err)
{
    if (login_id(session, name))
        return ms_error_set(err, 15025, 16, 1, "The server principal '%s' already exists.", name);
    int32_t id = (int32_t)ms_sql_int(session, 267, "SELECT max(266, max(login_id))+1 FROM sys_logins", "");
    return ms_login_set(session, id, name, password, false, err) &&
           ms_sql_run(session, err, "UPDATE sys_logins SET default_database=? WHERE login_id=?", "si",
                      default_database ? default_database : "master", id);
}

bool ms_ddl_alter_login(struct ms_session *session, const char *name, const char *password, int enabled,
                        const char *default_database, struct ms_error *err)
{
    int32_t id = login_id(session, name);
    if (!id)
        return cannot(err, "alter", "login", name);
    return (!password || ms_login_set(session, id, name, password, id == 1, err)) &&
           (enabled < 0 || ms_sql_run(session, err, "UPDATE sys_logins SET disabled=? WHERE login_id=?", "ii",
                                      enabled ? 0 : 1, id)) &&
           (!default_database ||
            ms_sql_run(session, err, "UPDATE sys_logins SET default_database=? WHERE login_id=?", "si",
                       default_database, id));
}

static bool logged_in(struct ms_session *session, int32_t id)
{
    bool found = false;
    pthread_mutex_lock(&session->server->mutex);
    for (const struct ms_session *s = session->server->sessions; s; s = s->next)
        found = found || (s->login_id == id && !s->killed);
    pthread_mutex_unlock(&session->server->mutex);
    return found;
}

bool ms_ddl_drop_login(struct ms_session *session, const char *name, struct ms_error *err)
{
    int32_t id = login_id(session, name);
    if (!id || id == 1)
        return cannot(err, "drop", "login", name);
    if (logged_in(session, id))
        return ms_error_set(err, 15434, 16, 1,
                            "Could not drop login '%s' as the user is currently logged in.", name);
    return ms_sql_run(session, err, "DELETE FROM sys_logins WHERE login_id=?", "i", id) &&
           ms_sql_run(session, err, "UPDATE sys_principals SET login_id=-1 WHERE login_id=?", "i", id);
}

static bool add_principal(struct ms_session *session, int32_t db_id, const char *name, const char *type,
                          int32_t login, const char *default_schema, struct ms_error *err)
{
    if (principal_id(session, db_id, name, NULL) >= 0)
        return ms_error_set(err, 15023, 16, 1,
                            "User, group, or role '%s' already exists in the current database.", name);
    int32_t id = (int32_t)ms_sql_int(session, 5,
                                     "SELECT max(4, max(principal_id))+1 FROM sys_principals WHERE db_id=?"
                                     " AND principal_id<16384",
                                     "i", db_id);
    return ms_sql_run(session, err, "INSERT INTO sys_principals VALUES(?,?,?,?,?,?,0,?)", "iissisI", db_id,
                      id, name, type, login, default_schema, ms_clock_datetime());
}

bool ms_ddl_create_user(struct ms_session *session, int32_t db_id, const char *name, const char *login,
                        const char *default_schema, struct ms_error *err)
{
    int32_t id = login ? login_id(session, login) : -1;
    if (id == 0)
        return ms_error_set(err, 15007, 16, 1, "'%s' is not a valid login or you do not have permission.",
                            login);
    return add_principal(session, db_id, name, "S", id, default_schema ? default_schema : "dbo", err);
}

bool ms_ddl_alter_user(struct ms_session *session, int32_t db_id, const char *name, const char *login,
                       const char *default_schema, struct ms_error *err)
{
    int32_t id = principal_id(session, db_id, name, "S");
    int32_t login_to = login ? login_id(session, login) : -1;
    if (id < 0)
        return cannot(err, "alter", "user", name);
    if (login_to == 0)
        return ms_error_set(err, 15007, 16, 1, "'%s' is not a valid login or you do not have permission.",
                            login);
    return (!login ||
            ms_sql_run(session, err, "UPDATE sys_principals SET login_id=? WHERE db_id=? AND principal_id=?",
                       "iii", login_to, db_id, id)) &&
           (!default_schema ||
            ms_sql_run(session, err,
                       "UPDATE sys_principals SET default_schema=? WHERE db_id=? AND principal_id=?", "sii",
                       default_schema, db_id, id));
}

bool ms_ddl_create_role(struct ms_session *session, int32_t db_id, const char *name, const char *owner,
                        struct ms_error *err)
{
    if (owner && principal_id(session, db_id, owner, NULL) < 0)
        return cannot(err, "find", "user", owner);
    return add_principal(session, db_id, name, "R", 0, NULL, err);
}

static bool drop_principal(struct ms_session *session, int32_t db_id, int32_t id, struct ms_error *err)
{
    return ms_sql_run(session, err,
                      "DELETE FROM sys_role_members WHERE db_id=?1 AND (role_id=?2 OR member_id=?2)", "ii",
                      db_id, id) &&
           ms_sql_run(session, err, "DELETE FROM sys_permissions WHERE db_id=? AND grantee_id=?", "ii", db_id,
                      id) &&
           ms_sql_run(session, err, "DELETE FROM sys_principals WHERE db_id=? AND principal_id=?", "ii",
                      db_id, id);
}

bool ms_ddl_drop_user(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err)
{
    int32_t id = principal_id(session, db_id, name, "S");
    return id > 4 ? drop_principal(session, db_id, id, err) : cannot(err, "drop", "user", name);
}

bool ms_ddl_drop_role(struct ms_session *session, int32_t db_id, const char *name, struct ms_error *err)
{
    int32_t id = principal_id(session, db_id, name, "R");
    if (id <= 4 || id >= 16384)
        return cannot(err, "drop", "role", name);
    if (ms_sql_int(session, 0, "SELECT count(*) FROM sys_role_members WHERE db_id=? AND role_id=?", "ii",
                   db_id, id))
        return ms_error_set(err, 15144, 16, 1,
                            "The role has members. It must be empty before it can be dropped.");
    return drop_principal(session, db_id, id, err);
}

static bool server_role_member(struct ms_session *session, const char *role, const char *member, bool add,
                               struct ms_error *err)
{
    int32_t id = login_id(session, member);
    if (!id)
        return cannot(err, add ? "add" : "drop", "principal", member);
    if (strcasecmp(role, "sysadmin") != 0)
        return cannot(err, "alter", "server role", role);
    return ms_sql_run(session, err, "UPDATE sys_logins SET sysadmin=? WHERE login_id=?", "ii", (int)add, id);
}

bool ms_ddl_role_member(struct ms_session *session, int32_t db_id, const char *role, const char *member,
                        bool add, struct ms_error *err)
{
    if (!db_id)
        return server_role_member(session, role, member, add, err);
    int32_t role_id = principal_id(session, db_id, role, "R");
    int32_t member_id = principal_id(session, db_id, member, NULL);
    if (role_id < 0)
        return cannot(err, "alter", "role", role);
    if (member_id < 0)
        return cannot(err, add ? "add" : "drop", "principal", member);
    if (add)
        return ms_sql_run(session, err, "INSERT OR IGNORE INTO sys_role_members VALUES(?,?,?)", "iii", db_id,
                          role_id, member_id);
    return ms_sql_run(session, err,
                      "DELETE FROM sys_role_members WHERE db_id=? AND role_id=? AND member_id=?", "iii",
                      db_id, role_id, member_id);
}

bool ms_ddl_permission(struct ms_session *session, int32_t db_id, char grant, const char *permission,
                       int32_t object_id, int32_t schema_id, const char *grantee, struct ms_error *err)
{
    int32_t id = principal_id(session, db_id, grantee, NULL);
    int kind = object_id ? 1 : schema_id ? 3 : 0;
    int32_t major = object_id ? object_id : schema_id;
    if (id < 0)
        return cannot(err, "find", "user", grantee);
    if (!ms_sql_run(
            session, err,
            "DELETE FROM sys_permissions WHERE db_id=? AND class=? AND major_id=? AND grantee_id=? AND"
            " permission=?",
            "iiiis", db_id, kind, major, id, permission))
        return false;
    const char state[2] = {grant, 0};
    return grant == 'R' || ms_sql_run(session, err, "INSERT INTO sys_permissions VALUES(?,?,?,?,?,?)",
                                      "iiiiss", db_id, kind, major, id, permission, state);
}
