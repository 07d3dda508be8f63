/* SPDX-License-Identifier: Apache-2.0 */
/* Logins and their passwords (salted SHA-256). Private to storage/. */
#ifndef SIM_SQLSERVER_STORAGE_LOGIN_H
#define SIM_SQLSERVER_STORAGE_LOGIN_H

#include "session_state.h"

/* Create or replace a login. */
bool ms_login_set(struct ms_session *session, int32_t login_id, const char *name, const char *password,
                  bool sysadmin, struct ms_error *err);

/* Fill the session's login fields. False: unknown, disabled or wrong password (18456 in *err). */
bool ms_login_check(struct ms_session *session, const char *name, const char *password, struct ms_error *err);

/* The login's user in a database: its principal id; 0: none. sysadmins are dbo (1). */
int32_t ms_login_user(struct ms_session *session, int32_t db_id);

/* Is the user a member of the role (itself, or through roles, or dbo for db_owner)? */
bool ms_login_in_role(struct ms_session *session, int32_t db_id, int32_t user_id, const char *role);

#endif
