/* SPDX-License-Identifier: Apache-2.0 */
/* Procedures that change things: names, roles, settings. */
#include "ddl.h"
#include "functions_more.h"
#include "procedures.h"
#include "sql.h"
#include "transaction.h"

#include <string.h>
#include <strings.h>

static bool ambiguous(struct ms_procedure_call *call, const char *type)
{
    return ms_error_set(call->err, 15248, 11, 1,
                        "Either the parameter @objname is ambiguous or the claimed @objtype (%s) is wrong.",
                        type ? type : "(null)");
}

/* "table.column" or "schema.table.column": true when it names a column; then *ret_table is its table. */
static bool names_column(struct ms_session *session, const char *name, int32_t *ret_table,
                         struct ms_name_parts *parts)
{
    char table[300];
    size_t at = 0;
    ms_name_split(name, parts);
    if (!*parts->schema)
        return false;
    const char *const pieces[] = {parts->database, parts->schema};
    for (size_t i = 0; i < 2; i++) {
        if (!*pieces[i])
            continue;
        if (at)
            table[at++] = '.';
        table[at++] = '[';
        for (const char *p = pieces[i]; *p && at < sizeof table - 4; p++) {
            table[at++] = *p;
            if (*p == ']')
                table[at++] = ']';
        }
        table[at++] = ']';
    }
    table[at] = 0;
    *ret_table = ms_object_by_name(session, table, "U");
    const struct ms_table *found = *ret_table ? ms_catalog_table_by_id(session, *ret_table) : NULL;
    return found && ms_table_column(found, parts->name) >= 0;
}

static bool rename_work(struct ms_procedure_call *call)
{
    const char *old = ms_arg_text(call, 0);
    const char *new_name = ms_arg_text(call, 1);
    const char *type = ms_arg_text(call, 2);
    struct ms_name_parts parts;
    int32_t table = 0;
    if (!old || !new_name)
        return ambiguous(call, type);
    bool database = type && strcasecmp(type, "DATABASE") == 0;
    if (database)
        return ms_ddl_alter_database(call->session, old, MS_DB_NAME, true, new_name, call->err);
    int32_t object =
        type && strcasecmp(type, "OBJECT") != 0 ? 0 : ms_object_by_name(call->session, old, NULL);
    if (object) /* tracked or not: its instances keep their names and go on */
        return ms_ddl_rename_object(call->session, object, new_name, call->err);
    bool may_be_column = !type || strcasecmp(type, "COLUMN") == 0;
    if (may_be_column && names_column(call->session, old, &table, &parts))
        return ms_ddl_rename_column(call->session, table, parts.name, new_name, call->err);
    return ambiguous(call, type);
}

static bool run_rename(struct ms_procedure_call *call)
{
    if (!ms_procedure_in_write(call, rename_work))
        return false;
    ms_procedure_say(
        call, 15477,
        "Caution: Changing any part of an object name could break scripts and stored procedures.");
    return true;
}

static bool role_work(struct ms_procedure_call *call, bool add)
{
    const char *role = ms_arg_text(call, 0);
    const char *member = ms_arg_text(call, 1);
    return ms_ddl_role_member(call->session, call->db_id, role ? role : "", member ? member : "", add,
                              call->err);
}

static bool add_role_member(struct ms_procedure_call *call)
{
    return role_work(call, true);
}

static bool drop_role_member(struct ms_procedure_call *call)
{
    return role_work(call, false);
}

static bool run_addrolemember(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, add_role_member);
}

static bool run_droprolemember(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, drop_role_member);
}

static bool add_server_role(struct ms_procedure_call *call)
{
    const char *member = ms_arg_text(call, 0);
    const char *role = ms_arg_text(call, 1);
    return ms_ddl_role_member(call->session, 0, role ? role : "", member ? member : "", true, call->err);
}

static bool run_addsrvrolemember(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, add_server_role);
}

/* The one option that matters to change data capture has no limit here, so any value will do. */
static bool run_configure(struct ms_procedure_call *call)
{
    const char *option = ms_arg_text(call, 0);
    if (!option || !call->given[1])
        return ms_procedure_query(
            call, "name nvarchar(35), minimum int, maximum int, config_value int, run_value int",
            "SELECT 'max text repl size (B)',-1,2147483647,-1,-1", "");
    if (strncasecmp(option, "max text repl size", 18) != 0 && strncasecmp(option, "show advanced", 13) != 0 &&
        strncasecmp(option, "Agent XPs", 9) != 0)
        return ms_error_set(call->err, 15123, 16, 1,
                            "The configuration option '%s' does not exist, or it may be an advanced option.",
                            option);
    ms_procedure_say(
        call, 15457,
        "Configuration option '%s' changed from %lld to %lld. Run the RECONFIGURE statement to install.",
        option, (long long)call->args[1].i, (long long)call->args[1].i);
    return true;
}

const struct ms_procedure_entry ms_procedures_admin[] = {
    {"sp_rename", "@objname nvarchar(1035)!, @newname nvarchar(128)!, @objtype varchar(13)", NULL, NULL,
     run_rename},
    {"sp_addrolemember", "@rolename nvarchar(128)!, @membername nvarchar(128)!", NULL, NULL,
     run_addrolemember},
    {"sp_droprolemember", "@rolename nvarchar(128)!, @membername nvarchar(128)!", NULL, NULL,
     run_droprolemember},
    {"sp_addsrvrolemember", "@loginame nvarchar(128)!, @rolename nvarchar(128)", NULL, NULL,
     run_addsrvrolemember},
    {"sp_configure", "@configname varchar(35), @configvalue int", NULL, NULL, run_configure},
};
const size_t ms_procedures_admin_count = sizeof ms_procedures_admin / sizeof ms_procedures_admin[0];
