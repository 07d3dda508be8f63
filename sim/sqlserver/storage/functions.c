/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata functions of T-SQL (OBJECT_ID, DB_NAME ...) and what system views compute. Each is a SQLite
 * function of the session's connection whose user data is the session; they look into the catalogue of the
 * running statement.
 */
#include "../tsql/arena.h"
#include "../cdc/functions.h"
#include "cell.h"
#include "functions.h"
#include "functions_more.h"
#include "login.h"
#include "sql.h"
#include "transaction.h"
#include "types.h"

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

static void result_text(sqlite3_context *context, const char *text)
{
    if (text)
        sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_null(context);
}

static void result_id(sqlite3_context *context, int32_t id)
{
    if (id)
        sqlite3_result_int(context, id);
    else
        sqlite3_result_null(context);
}

/* One part of a name: [a]]b], "a" or a; returns what follows its dot, NULL at the end. */
static const char *next_part(const char *p, char *buf, size_t size)
{
    size_t n = 0;
    char close = *p == '[' ? ']' : *p == '"' ? '"' : 0;
    if (close)
        p++;
    for (; *p && (close || *p != '.'); p++) {
        if (close && *p == close) {
            if (p[1] != close) {
                p++;
                break;
            }
            p++;
        }
        if (n < size - 1)
            buf[n++] = *p;
    }
    while (!close && n && buf[n - 1] == ' ')
        n--;
    buf[n] = 0;
    return *p == '.' ? p + 1 : NULL;
}

void ms_name_split(const char *text, struct ms_name_parts *ret)
{
    char parts[4][130];
    size_t n = 0;
    memset(ret, 0, sizeof *ret);
    for (const char *p = text; p && n < 4;)
        p = next_part(p, parts[n++], sizeof parts[0]);
    if (n == 0)
        return;
    memcpy(ret->name, parts[n - 1], sizeof ret->name);
    if (n > 1)
        memcpy(ret->schema, parts[n - 2], sizeof ret->schema);
    if (n > 2)
        memcpy(ret->database, parts[n - 3], sizeof ret->database);
}

int32_t ms_object_by_name(struct ms_session *session, const char *text, const char *type)
{
    struct ms_name_parts parts;
    ms_name_split(text, &parts);
    const struct ms_database *db = ms_catalog_database(session, parts.database);
    const struct ms_schema *schema = db ? ms_catalog_schema(db, *parts.schema ? parts.schema : "dbo") : NULL;
    if (!schema)
        return 0;
    const char *sql = "SELECT object_id FROM sys_objects WHERE db_id=?1 AND schema_id=?2 AND name=?3 AND"
                      " (?4 IS NULL OR type=?4) AND ms_visible(object_id)";
    if (db->case_sensitive)
        sql =
            "SELECT object_id FROM sys_objects WHERE db_id=?1 AND schema_id=?2 AND name=?3 COLLATE BINARY AND"
            " (?4 IS NULL OR type=?4) AND ms_visible(object_id)";
    return (int32_t)ms_sql_int(session, 0, sql, "iiss", db->db_id, schema->schema_id, parts.name, type);
}

static void object_id(sqlite3_context *context, int n, sqlite3_value **args)
{
    const char *name = text_of(args[0]);
    char type[3] = "";
    if (n > 1 && text_of(args[1])) {
        strncpy(type, text_of(args[1]), 2);
        for (int i = 0; i < 2; i++)
            type[i] = (char)(type[i] >= 'a' && type[i] <= 'z' ? type[i] - 32 : type[i]);
        if (type[1] == ' ')
            type[1] = 0;
    }
    result_id(context, name ? ms_object_by_name(session_of(context), name, *type ? type : NULL) : 0);
}

/* The name of an object, or of its schema, when it is in the database of the second argument (default:
 * current). */
static void object_text(sqlite3_context *context, int n, sqlite3_value **args, const char *sql)
{
    struct ms_error ignored;
    struct ms_session *session = session_of(context);
    int32_t db_id =
        n > 1 && sqlite3_value_type(args[1]) != SQLITE_NULL ? sqlite3_value_int(args[1]) : session->db_id;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL) {
        sqlite3_result_null(context);
        return;
    }
    sqlite3_stmt *s = ms_sql(session, &ignored, sql, "ii", sqlite3_value_int(args[0]), db_id);
    if (s && sqlite3_step(s) == SQLITE_ROW)
        sqlite3_result_value(context, sqlite3_column_value(s, 0));
    else
        sqlite3_result_null(context);
    sqlite3_reset(s);
}

static void object_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    object_text(context, n, args, "SELECT name FROM sys_objects WHERE object_id=? AND db_id=?");
}

static void object_schema_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    object_text(
        context, n, args,
        "SELECT s.name FROM sys_objects o JOIN sys_schemas s ON s.db_id=o.db_id AND s.schema_id=o.schema_id"
        " WHERE o.object_id=? AND o.db_id=?");
}

static void object_definition(sqlite3_context *context, int n, sqlite3_value **args)
{
    object_text(context, n, args, "SELECT definition FROM sys_objects WHERE object_id=? AND db_id=?");
}

static void db_id(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    if (n == 0) {
        sqlite3_result_int(context, session->db_id);
        return;
    }
    const char *name = text_of(args[0]);
    const struct ms_database *db = name && *name ? ms_catalog_database(session, name) : NULL;
    result_id(context, db ? db->db_id : 0);
}

static void db_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const struct ms_database *db = NULL;
    if (n == 0)
        db = ms_catalog_database_by_id(session, session->db_id);
    else if (sqlite3_value_type(args[0]) != SQLITE_NULL)
        db = ms_catalog_database_by_id(session, sqlite3_value_int(args[0]));
    result_text(context, db ? db->name : NULL);
}

static void schema_id(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const struct ms_database *db = ms_catalog_database_by_id(session, session->db_id);
    const char *name = n ? text_of(args[0]) : "dbo";
    const struct ms_schema *schema = name ? ms_catalog_schema(db, name) : NULL;
    result_id(context, schema ? schema->schema_id : 0);
}

static void schema_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const struct ms_database *db = ms_catalog_database_by_id(session, session->db_id);
    int32_t id = n ? sqlite3_value_int(args[0]) : 1;
    const char *name = NULL;
    for (size_t i = 0; i < db->n_schemas; i++) {
        if (db->schemas[i].schema_id == id)
            name = db->schemas[i].name;
    }
    result_text(context, name);
}

static const struct ms_catalog_column *column_by_name(struct ms_session *session, int32_t table_id,
                                                      const char *name)
{
    const struct ms_table *table = ms_catalog_table_by_id(session, table_id);
    int c = table && name ? ms_table_column(table, name) : -1;
    return c < 0 ? NULL : &table->columns[c];
}

static void col_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    const struct ms_table *table = ms_catalog_table_by_id(session_of(context), sqlite3_value_int(args[0]));
    int c = table ? ms_table_column_by_id(table, sqlite3_value_int(args[1])) : -1;
    (void)n;
    result_text(context, c < 0 ? NULL : table->columns[c].name);
}

static void col_length(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const char *name = text_of(args[0]);
    (void)n;
    const struct ms_catalog_column *column =
        name ? column_by_name(session, ms_object_by_name(session, name, NULL), text_of(args[1])) : NULL;
    if (column)
        sqlite3_result_int(context, ms_type_max_length(&column->type));
    else
        sqlite3_result_null(context);
}

static void type_id(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_type type;
    const char *name = text_of(args[0]);
    (void)n;
    result_id(context, name && ms_type_find(name, &type) ? ms_type_info(type.id)->user_type_id : 0);
}

static void type_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    for (int id = MS_BIT; id <= MS_TYPE_LAST; id++) {
        const struct ms_type_info *info = ms_type_info((enum ms_type_id)id);
        if (info && info->user_type_id == sqlite3_value_int(args[0])) {
            result_text(context, info->name);
            return;
        }
    }
    result_text(context, sqlite3_value_int(args[0]) == 256 ? "sysname" : NULL);
}

static void column_property(sqlite3_context *context, int n, sqlite3_value **args)
{
    const struct ms_catalog_column *c =
        column_by_name(session_of(context), sqlite3_value_int(args[0]), text_of(args[1]));
    const char *property = text_of(args[2]);
    int value = -1;
    (void)n;
    if (c && property) {
        if (strcasecmp(property, "IsIdentity") == 0)
            value = c->identity;
        else if (strcasecmp(property, "AllowsNull") == 0)
            value = c->nullable;
        else if (strcasecmp(property, "IsComputed") == 0)
            value = c->computed_definition != NULL;
        else if (strcasecmp(property, "ColumnId") == 0)
            value = c->column_id;
        else if (strcasecmp(property, "Precision") == 0)
            value = ms_type_precision(&c->type);
        else if (strcasecmp(property, "Scale") == 0)
            value = ms_type_scale(&c->type);
        else if (strcasecmp(property, "IsRowGuidCol") == 0)
            value = c->rowguidcol;
        else if (strcasecmp(property, "IsSparse") == 0 || strcasecmp(property, "IsColumnSet") == 0 ||
                 strcasecmp(property, "IsHidden") == 0 || strcasecmp(property, "GeneratedAlwaysType") == 0)
            value = 0;
    }
    if (value < 0)
        sqlite3_result_null(context);
    else
        sqlite3_result_int(context, value);
}

static void object_property(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const struct ms_table *table = ms_catalog_table_by_id(session, sqlite3_value_int(args[0]));
    const char *property = text_of(args[1]);
    (void)n;
    if (!property || !table) {
        sqlite3_result_null(context);
        return;
    }
    if (strcasecmp(property, "TableHasPrimaryKey") == 0)
        sqlite3_result_int(context, ms_table_primary_key(table) != NULL);
    else if (strcasecmp(property, "TableHasIdentity") == 0)
        sqlite3_result_int(context, table->identity_column >= 0);
    else if (strcasecmp(property, "IsUserTable") == 0 || strcasecmp(property, "IsTable") == 0)
        sqlite3_result_int(context, 1);
    else if (strcasecmp(property, "IsMSShipped") == 0)
        sqlite3_result_int(context, table->is_ms_shipped);
    else if (strcasecmp(property, "SchemaId") == 0)
        sqlite3_result_int(context, table->schema_id);
    else if (strcasecmp(property, "TableHasForeignKey") == 0)
        sqlite3_result_int(context, table->n_foreign_keys > 0);
    else if (strcasecmp(property, "IsView") == 0 || strcasecmp(property, "IsProcedure") == 0)
        sqlite3_result_int(context, 0);
    else
        sqlite3_result_null(context);
}

static void index_col(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const char *name = text_of(args[0]);
    const struct ms_table *table =
        name ? ms_catalog_table_by_id(session, ms_object_by_name(session, name, NULL)) : NULL;
    int position = sqlite3_value_int(args[2]);
    (void)n;
    for (size_t i = 0; table && i < table->n_indexes; i++) {
        const struct ms_index *index = &table->indexes[i];
        if (index->index_id == sqlite3_value_int(args[1]) && position > 0 &&
            (size_t)position <= index->n_columns) {
            int c = ms_table_column_by_id(table, index->columns[position - 1].column_id);
            result_text(context, table->columns[c].name);
            return;
        }
    }
    sqlite3_result_null(context);
}

static void index_property(sqlite3_context *context, int n, sqlite3_value **args)
{
    const struct ms_table *table = ms_catalog_table_by_id(session_of(context), sqlite3_value_int(args[0]));
    const char *name = text_of(args[1]);
    const char *property = text_of(args[2]);
    (void)n;
    for (size_t i = 0; table && name && property && i < table->n_indexes; i++) {
        const struct ms_index *index = &table->indexes[i];
        if (!ms_name_equal(index->name, name))
            continue;
        if (strcasecmp(property, "IndexID") == 0)
            sqlite3_result_int(context, index->index_id);
        else if (strcasecmp(property, "IsUnique") == 0)
            sqlite3_result_int(context, index->unique);
        else if (strcasecmp(property, "IsClustered") == 0)
            sqlite3_result_int(context, index->clustered);
        else
            sqlite3_result_null(context);
        return;
    }
    sqlite3_result_null(context);
}

static const struct ms_table *table_named(struct ms_session *session, sqlite3_value *arg)
{
    const char *name = text_of(arg);
    return name ? ms_catalog_table_by_id(session, ms_object_by_name(session, name, NULL)) : NULL;
}

static void ident_current(sqlite3_context *context, int n, sqlite3_value **args)
{
    int64_t value;
    const struct ms_table *table = table_named(session_of(context), args[0]);
    (void)n;
    if (table && ms_identity_current(session_of(context), table, &value))
        sqlite3_result_int64(context, value);
    else
        sqlite3_result_null(context);
}

static void ident_setting(sqlite3_context *context, sqlite3_value **args, bool seed)
{
    const struct ms_table *table = table_named(session_of(context), args[0]);
    if (!table || table->identity_column < 0) {
        sqlite3_result_null(context);
        return;
    }
    const struct ms_catalog_column *c = &table->columns[table->identity_column];
    sqlite3_result_int64(context, seed ? c->identity_seed : c->identity_increment);
}

static void ident_seed(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    ident_setting(context, args, true);
}

static void ident_incr(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    ident_setting(context, args, false);
}

static void database_property(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const char *name = text_of(args[0]);
    const char *property = text_of(args[1]);
    const struct ms_database *db = name ? ms_catalog_database(session, name) : NULL;
    const char *value = NULL;
    (void)n;
    if (db && property) {
        if (strcasecmp(property, "Collation") == 0)
            value = db->collation;
        else if (strcasecmp(property, "Status") == 0)
            value = db->offline ? "OFFLINE" : "ONLINE";
        else if (strcasecmp(property, "Updateability") == 0)
            value = db->read_only ? "READ_ONLY" : "READ_WRITE";
        else if (strcasecmp(property, "Recovery") == 0)
            value = "FULL";
        else if (strcasecmp(property, "UserAccess") == 0)
            value = "MULTI_USER";
        else if (strcasecmp(property, "Edition") == 0)
            value = NULL;
        else if (strcasecmp(property, "IsInStandBy") == 0)
            value = "0";
        else if (strcasecmp(property, "Version") == 0)
            value = "904";
    }
    result_text(context, value);
}

static void has_dbaccess(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *session = session_of(context);
    const char *name = text_of(args[0]);
    const struct ms_database *db = name ? ms_catalog_database(session, name) : NULL;
    (void)n;
    if (db)
        sqlite3_result_int(context, !db->offline && ms_login_user(session, db->db_id) != 0);
    else
        sqlite3_result_null(context);
}

void ms_functions_register(struct ms_session *session)
{
    static const struct ms_function functions[] = {
        {"ms_object_id", object_id},
        {"ms_object_name", object_name},
        {"ms_object_schema_name", object_schema_name},
        {"ms_object_definition", object_definition},
        {"ms_db_id", db_id},
        {"ms_db_name", db_name},
        {"ms_schema_id", schema_id},
        {"ms_schema_name", schema_name},
        {"ms_col_name", col_name},
        {"ms_col_length", col_length},
        {"ms_type_id_of", type_id},
        {"ms_type_name_of", type_name},
        {"ms_columnproperty", column_property},
        {"ms_objectproperty", object_property},
        {"ms_index_col", index_col},
        {"ms_indexproperty", index_property},
        {"ms_ident_current", ident_current},
        {"ms_ident_seed", ident_seed},
        {"ms_ident_incr", ident_incr},
        {"ms_databasepropertyex", database_property},
        {"ms_has_dbaccess", has_dbaccess},
    };
    ms_functions_add(session, functions, sizeof functions / sizeof functions[0]);
    ms_functions_register_security(session);
    ms_functions_register_views(session);
    ms_functions_register_odbc(session);
    ms_cdc_functions_register(session);
}

void ms_functions_add(struct ms_session *session, const struct ms_function *functions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sqlite3_create_function_v2(session->db, functions[i].name, -1, SQLITE_UTF8, session,
                                   functions[i].call, NULL, NULL, NULL);
}
