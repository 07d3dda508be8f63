/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/catalog_load.h"
#include "../storage/cell.h"
#include "../storage/clock.h"
#include "../storage/ddl.h"
#include "../storage/ddl_internal.h"
#include "../storage/sql.h"
#include "objects.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSNAME {.id = MS_NVARCHAR, .length = 128}
#define LSN_TYPE {.id = MS_BINARY, .length = MS_LSN_SIZE}
#define INTEGER {.id = MS_INT}

static const struct ms_column_spec change_tables[] = {
    {.name = "object_id", .type = INTEGER},
    {.name = "version", .type = INTEGER, .nullable = true},
    {.name = "source_object_id", .type = INTEGER, .nullable = true},
    {.name = "capture_instance", .type = SYSNAME},
    {.name = "start_lsn", .type = LSN_TYPE, .nullable = true},
    {.name = "end_lsn", .type = LSN_TYPE, .nullable = true},
    {.name = "supports_net_changes", .type = {.id = MS_BIT}, .nullable = true},
    {.name = "has_drop_pending", .type = {.id = MS_BIT}, .nullable = true},
    {.name = "role_name", .type = SYSNAME, .nullable = true},
    {.name = "index_name", .type = SYSNAME, .nullable = true},
    {.name = "filegroup_name", .type = SYSNAME, .nullable = true},
    {.name = "create_date", .type = {.id = MS_DATETIME}, .nullable = true},
    {.name = "partition_switch", .type = {.id = MS_BIT}},
};

static const struct ms_column_spec captured_columns[] = {
    {.name = "object_id", .type = INTEGER},
    {.name = "column_name", .type = SYSNAME},
    {.name = "column_id", .type = INTEGER, .nullable = true},
    {.name = "column_type", .type = SYSNAME},
    {.name = "column_ordinal", .type = INTEGER},
    {.name = "is_computed", .type = {.id = MS_BIT}, .nullable = true},
};

static const struct ms_column_spec index_columns[] = {
    {.name = "object_id", .type = INTEGER},
    {.name = "column_name", .type = SYSNAME},
    {.name = "index_ordinal", .type = {.id = MS_TINYINT}},
    {.name = "column_id", .type = INTEGER},
};

static const struct ms_column_spec lsn_time_mapping[] = {
    {.name = "start_lsn", .type = LSN_TYPE},
    {.name = "tran_begin_time", .type = {.id = MS_DATETIME}, .nullable = true},
    {.name = "tran_end_time", .type = {.id = MS_DATETIME}, .nullable = true},
    {.name = "tran_id", .type = {.id = MS_VARBINARY, .length = 10}, .nullable = true},
    {.name = "tran_begin_lsn", .type = LSN_TYPE, .nullable = true},
};

static const struct ms_column_spec ddl_history[] = {
    {.name = "source_object_id", .type = INTEGER, .nullable = true},
    {.name = "object_id", .type = INTEGER},
    {.name = "required_column_update", .type = {.id = MS_BIT}, .nullable = true},
    {.name = "ddl_command", .type = {.id = MS_NVARCHAR, .length = MS_MAX}, .nullable = true},
    {.name = "ddl_lsn", .type = LSN_TYPE},
    {.name = "ddl_time", .type = {.id = MS_DATETIME}, .nullable = true},
};

#define COLUMNS(a) a, sizeof a / sizeof a[0]

static const struct {
    const char *name;
    const struct ms_column_spec *columns;
    size_t n_columns;
    const char *key[4]; /* of the clustered unique index */
    size_t n_key;
} tables[] = {
    {"change_tables", COLUMNS(change_tables), {"object_id"}, 1},
    {"captured_columns", COLUMNS(captured_columns), {"object_id", "column_ordinal"}, 2},
    {"index_columns", COLUMNS(index_columns), {"object_id", "index_ordinal", "column_id"}, 3},
    {"lsn_time_mapping", COLUMNS(lsn_time_mapping), {"start_lsn"}, 1},
    {"ddl_history", COLUMNS(ddl_history), {"object_id", "ddl_lsn"}, 2},
};

#define N_TABLES (sizeof tables / sizeof tables[0])

bool ms_cdc_create_objects(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    if (!ms_ddl_create_user(session, db_id, "cdc", NULL, "cdc", err) ||
        !ms_ddl_create_schema(session, db_id, "cdc", "cdc", err))
        return false;
    for (size_t i = 0; i < N_TABLES; i++) {
        int32_t id = 0;
        char index[64];
        snprintf(index, sizeof index, "%s_clustered_idx", tables[i].name);
        struct ms_key_spec key = {.name = index,
                                  .unique = true,
                                  .clustered = true,
                                  .columns = tables[i].key,
                                  .n_columns = tables[i].n_key};
        if (!ms_ddl_create_table(session, db_id, "cdc", tables[i].name, tables[i].columns,
                                 tables[i].n_columns, &id, err) ||
            !ms_ddl_add_key(session, id, &key, err))
            return false;
    }
    return true;
}

bool ms_cdc_drop_objects(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    for (size_t i = 0; i < N_TABLES; i++) {
        const struct ms_table *table = ms_cdc_table(session, db_id, tables[i].name);
        if (table && !ms_ddl_remove_table(session, table->object_id, err))
            return false;
    }
    return ms_catalog_changed(session, db_id, err) && ms_ddl_drop_schema(session, db_id, "cdc", err) &&
           ms_ddl_drop_user(session, db_id, "cdc", err);
}

const struct ms_table *ms_cdc_table(struct ms_session *session, int32_t db_id, const char *name)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    return db ? ms_catalog_table(session, db->name, "cdc", name) : NULL;
}

bool ms_cdc_not_enabled(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    return ms_error_set(
        err, 22901, 16, 1,
        "The database '%s' is not enabled for Change Data Capture. Ensure that the correct database "
        "context is set and retry the operation. To report on the databases enabled for Change Data "
        "Capture, query the is_cdc_enabled column in the sys.databases catalog view.",
        db ? db->name : "");
}

/* {n} becomes the physical name of table n. */
static bool expand(struct ms_session *session, int32_t db_id, const char *text, struct ms_buffer *sql,
                   struct ms_error *err)
{
    for (const char *p = text; *p; p++) {
        if (p[0] != '{' || p[1] < '0' || p[1] >= '0' + (int)N_TABLES || p[2] != '}') {
            ms_buffer_byte(sql, *p);
            continue;
        }
        const struct ms_table *table = ms_cdc_table(session, db_id, tables[p[1] - '0'].name);
        if (!table)
            return ms_cdc_not_enabled(session, db_id, err);
        ms_buffer_text(sql, table->sqlite_name);
        p += 2;
    }
    return true;
}

static sqlite3_stmt *prepare(struct ms_session *session, int32_t db_id, struct ms_error *err,
                             const char *text)
{
    struct ms_buffer sql = {0};
    sqlite3_stmt *stmt =
        expand(session, db_id, text, &sql, err) ? ms_sql_by_text(session, err, sql.data) : NULL;
    ms_buffer_free(&sql);
    return stmt;
}

sqlite3_stmt *ms_cdc_sql(struct ms_session *session, int32_t db_id, struct ms_error *err, const char *text,
                         const char *types, ...)
{
    va_list args;
    sqlite3_stmt *stmt = prepare(session, db_id, err, text);
    if (!stmt)
        return NULL;
    va_start(args, types);
    ms_sql_bind(stmt, types, args);
    va_end(args);
    return stmt;
}

bool ms_cdc_run(struct ms_session *session, int32_t db_id, struct ms_error *err, const char *text,
                const char *types, ...)
{
    va_list args;
    sqlite3_stmt *stmt = prepare(session, db_id, err, text);
    if (!stmt)
        return false;
    va_start(args, types);
    ms_sql_bind(stmt, types, args);
    va_end(args);
    return ms_sql_finish(session, stmt, err);
}

int64_t ms_cdc_int(struct ms_session *session, int32_t db_id, int64_t otherwise, const char *text,
                   const char *types, ...)
{
    va_list args;
    struct ms_error ignored;
    sqlite3_stmt *stmt = prepare(session, db_id, &ignored, text);
    if (!stmt)
        return otherwise;
    va_start(args, types);
    ms_sql_bind(stmt, types, args);
    va_end(args);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        otherwise = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return otherwise;
}

static void copy_text(sqlite3_stmt *s, int column, char *buf, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    snprintf(buf, size, "%s", text ? text : "");
}

static bool load_columns(struct ms_session *session, int32_t db_id, struct ms_instances *instances,
                         struct ms_instance *instance, struct ms_error *err)
{
    size_t cap = instance->table->n_columns;
    instance->columns = ms_arena_alloc(&instances->arena, (cap + 1) * sizeof *instance->columns);
    sqlite3_stmt *s = ms_cdc_sql(session, db_id, err, "SELECT c3,c5,c6 FROM {1} WHERE c1=? ORDER BY c5", "i",
                                 instance->table->object_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW && instance->n_columns < cap) {
        instance->columns[instance->n_columns++] =
            (struct ms_captured){.column_id = sqlite3_column_int(s, 0),
                                 .ordinal = sqlite3_column_int(s, 1),
                                 .computed = sqlite3_column_int(s, 2) != 0};
    }
    sqlite3_reset(s);
    return true;
}

bool ms_instances_load(struct ms_session *session, int32_t db_id, struct ms_instances *ret,
                       struct ms_error *err)
{
    struct ms_instances instances = {0};
    *ret = instances;
    if (!ms_cdc_table(session, db_id, "change_tables"))
        return true;
    int64_t n = ms_cdc_int(session, db_id, 0, "SELECT count(*) FROM {0}", "");
    instances.list = ms_arena_alloc(&instances.arena, (size_t)(n + 1) * sizeof *instances.list);
    sqlite3_stmt *s =
        ms_cdc_sql(session, db_id, err, "SELECT c1,c3,c4,c5,c7,c9,c10 FROM {0} ORDER BY c12,c1", "");
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW && (int64_t)instances.n < n) {
        struct ms_instance *i = &instances.list[instances.n];
        i->table = ms_catalog_table_by_id(session, sqlite3_column_int(s, 0));
        if (!i->table)
            continue;
        i->source_id = sqlite3_column_int(s, 1);
        copy_text(s, 2, i->name, sizeof i->name);
        i->started = sqlite3_column_bytes(s, 3) == MS_LSN_SIZE;
        if (i->started)
            memcpy(i->start_lsn, sqlite3_column_blob(s, 3), MS_LSN_SIZE);
        i->net_changes = sqlite3_column_int(s, 4) != 0;
        copy_text(s, 5, i->role, sizeof i->role);
        copy_text(s, 6, i->index, sizeof i->index);
        instances.n++;
    }
    sqlite3_reset(s);
    for (size_t i = 0; i < instances.n; i++) {
        if (!load_columns(session, db_id, &instances, &instances.list[i], err)) {
            ms_instances_free(&instances);
            return false;
        }
    }
    *ret = instances;
    return true;
}

void ms_instances_free(struct ms_instances *instances)
{
    ms_arena_free(&instances->arena);
    *instances = (struct ms_instances){0};
}

const struct ms_instance *ms_instances_find(const struct ms_instances *instances, const char *name)
{
    for (size_t i = 0; i < instances->n; i++) {
        if (ms_name_equal(instances->list[i].name, name))
            return &instances->list[i];
    }
    return NULL;
}
