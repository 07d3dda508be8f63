/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of SQLite functions share. Private to storage/. */
#ifndef SIM_SQLSERVER_STORAGE_FUNCTIONS_MORE_H
#define SIM_SQLSERVER_STORAGE_FUNCTIONS_MORE_H

#include "catalog.h"

struct ms_function {
    const char *name;
    void (*call)(sqlite3_context *context, int n, sqlite3_value **args);
};

/* Register functions of any number of arguments; the user data is the session. */
void ms_functions_add(struct ms_session *session, const struct ms_function *functions, size_t n);

void ms_functions_register_security(struct ms_session *session); /* logins, users, roles, visibility */
void ms_functions_register_views(struct ms_session *session);    /* what system views compute */
void ms_functions_register_odbc(struct ms_session *session);     /* types in the words of ODBC */

struct ms_name_parts {
    char database[130]; /* "" where the part is missing */
    char schema[130];
    char name[130];
};

/* "[my db].dbo.[a]]b]" into its parts. */
void ms_name_split(const char *text, struct ms_name_parts *ret);

/* OBJECT_ID: 0 when there is none, or the caller may not see it. type NULL: any. */
int32_t ms_object_by_name(struct ms_session *session, const char *text, const char *type);

/* May the caller see that an object exists? */
bool ms_object_visible(struct ms_session *session, int32_t object_id);

#endif
