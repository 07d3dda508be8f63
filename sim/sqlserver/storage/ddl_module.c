/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "catalog_load.h"
#include "clock.h"
#include "ddl_internal.h"
#include "sql.h"

#include <string.h>

static bool replace_module(struct ms_session *session, const struct ms_module *old, int32_t db_id,
                           const char *definition, struct ms_error *err)
{
    return ms_sql_run(session, err, "UPDATE sys_objects SET definition=?, modify_date=? WHERE object_id=?",
                      "sIi", definition, ms_clock_datetime(), old->object_id) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_create_module(struct ms_session *session, int32_t db_id, const char *schema, const char *name,
                          const char *type, const char *definition, bool alter, struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    const struct ms_schema *s = ms_catalog_schema(db, schema && *schema ? schema : "dbo");
    if (!s)
        return ms_error_set(
            err, 2760, 16, 1,
            "The specified schema name \"%s\" either does not exist or you do not have permission to "
            "use it.",
            schema);
    const struct ms_module *old = ms_catalog_module(session, db->name, s->name, name);
    if (alter && old)
        return replace_module(session, old, db_id, definition, err);
    if (alter)
        return ms_error_set(err, 208, 16, 6, "Invalid object name '%s'.", name);
    int32_t id = ms_ddl_new_object_id(session, err);
    int64_t now = ms_clock_datetime();
    return id && ms_ddl_name_free(session, db_id, s->schema_id, name, err) &&
           ms_sql_run(session, err,
                      "INSERT INTO "
                      "sys_objects(object_id,db_id,schema_id,name,type,definition,create_date,modify_date)"
                      " VALUES(?,?,?,?,?,?,?,?)",
                      "iiisssII", id, db_id, s->schema_id, name, type, definition, now, now) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_ddl_drop_module(struct ms_session *session, int32_t object_id, struct ms_error *err)
{
    int32_t db_id =
        (int32_t)ms_sql_int(session, 0, "SELECT db_id FROM sys_objects WHERE object_id=?", "i", object_id);
    return ms_sql_run(session, err, "DELETE FROM sys_objects WHERE object_id=?", "i", object_id) &&
           ms_catalog_changed(session, db_id, err);
}
