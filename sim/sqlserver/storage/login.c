/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"
#include "clock.h"
#include "server.h"
#include "sql.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define SALT_SIZE 16
#define HASH_SIZE 32

static void hash_password(const uint8_t salt[SALT_SIZE], const char *password, uint8_t ret_hash[HASH_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned int size = HASH_SIZE;
    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    EVP_DigestUpdate(ctx, salt, SALT_SIZE);
    EVP_DigestUpdate(ctx, password, strlen(password));
    EVP_DigestFinal_ex(ctx, ret_hash, &size);
    EVP_MD_CTX_free(ctx);
}

bool ms_login_set(struct ms_session *session, int32_t login_id, const char *name, const char *password,
                  bool sysadmin, struct ms_error *err)
{
    uint8_t salt[SALT_SIZE];
    uint8_t hash[HASH_SIZE];
    uint8_t sid[16] = {1};
    ms_server_guid(session->server, salt);
    hash_password(salt, password, hash);
    if (login_id != 1)
        ms_server_guid(session->server, sid);
    return ms_sql_run(
        session, err,
        "INSERT INTO sys_logins(login_id,name,salt,hash,default_database,sysadmin,create_date,sid)"
        " VALUES(?,?,?,?,'master',?,?,?)"
        " ON CONFLICT(login_id) DO UPDATE SET salt=excluded.salt, hash=excluded.hash",
        "isbbiIb", login_id, name, salt, sizeof salt, hash, sizeof hash, sysadmin ? 1 : 0,
        ms_clock_datetime(), sid, login_id == 1 ? (size_t)1 : sizeof sid);
}

bool ms_login_check(struct ms_session *session, const char *name, const char *password, struct ms_error *err)
{
    uint8_t hash[HASH_SIZE];
    bool right = false;
    sqlite3_stmt *stmt =
        ms_sql(session, err, "SELECT login_id,name,salt,hash,disabled,sysadmin FROM sys_logins WHERE name=?",
               "s", name);
    if (!stmt)
        return false;
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_bytes(stmt, 2) == SALT_SIZE &&
        sqlite3_column_bytes(stmt, 3) == HASH_SIZE && !sqlite3_column_int(stmt, 4)) {
        hash_password(sqlite3_column_blob(stmt, 2), password, hash);
        right = CRYPTO_memcmp(hash, sqlite3_column_blob(stmt, 3), HASH_SIZE) == 0;
        session->login_id = sqlite3_column_int(stmt, 0);
        snprintf(session->login, sizeof session->login, "%s", (const char *)sqlite3_column_text(stmt, 1));
        session->sysadmin = sqlite3_column_int(stmt, 5) != 0;
    }
    sqlite3_reset(stmt);
    return right || ms_error_set(err, 18456, 14, 1, "Login failed for user '%s'.", name);
}

int32_t ms_login_user(struct ms_session *session, int32_t db_id)
{
    if (session->sysadmin || session->internal)
        return 1;
    int32_t user = (int32_t)ms_sql_int(
        session, 0, "SELECT principal_id FROM sys_principals WHERE db_id=? AND type='S' AND login_id=?", "ii",
        db_id, session->login_id);
    /* guest is open in the system databases */
    return user == 0 && (db_id == 1 || db_id == 2 || db_id == 4) ? 2 : user;
}

bool ms_login_in_role(struct ms_session *session, int32_t db_id, int32_t user_id, const char *role)
{
    if (user_id == 1 && ms_sql_int(session, 0,
                                   "SELECT count(*) FROM sys_principals WHERE db_id=? AND name=? AND type='R'"
                                   " AND (name='db_owner' OR name='public')",
                                   "is", db_id, role))
        return true;
    return ms_sql_int(
               session, 0,
               "WITH RECURSIVE r(id) AS (SELECT ?2 UNION SELECT role_id FROM sys_role_members m JOIN r ON"
               " m.member_id=r.id WHERE m.db_id=?1)"
               " SELECT count(*) FROM sys_principals p WHERE p.db_id=?1 AND p.name=?3 AND p.type='R'"
               " AND (p.principal_id=0 OR p.principal_id IN (SELECT id FROM r))",
               "iis", db_id, user_id, role) != 0;
}
