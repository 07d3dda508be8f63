/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/catalog_load.h"
#include "../storage/cell.h"
#include "../storage/change_log.h"
#include "../storage/clock.h"
#include "../storage/ddl.h"
#include "../storage/ddl_internal.h"
#include "../storage/sql.h"
#include "../storage/types.h"
#include "enable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INSTANCES 2
#define MAX_NAME 100
#define MAX_COLUMNS 1024

bool ms_cdc_enable_db(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    if (!session->sysadmin)
        return ms_error_set(
            err, 22902, 16, 1,
            "Caller is not authorized to initiate the requested action. Sysadmin privileges are "
            "required.");
    if (db_id <= 4)
        return ms_error_set(
            err, 22989, 16, 1,
            "Could not enable Change Data Capture for database '%s'. Change data capture is not "
            "supported on system databases, or on a distribution database.",
            db->name);
    if (db->cdc_enabled)
        return true; /* the real server says nothing either */
    if (ms_catalog_schema(db, "cdc") ||
        ms_sql_int(session, 0, "SELECT count(*) FROM sys_principals WHERE db_id=? AND name='cdc'", "i",
                   db_id))
        return ms_error_set(
            err, 22906, 16, 1,
            "The database '%s' cannot be enabled for Change Data Capture because a database user named "
            "'cdc' or a schema named 'cdc' already exists in the current database. These objects are "
            "required exclusively by Change Data Capture. Drop or rename the user or schema and retry "
            "the operation.",
            db->name);
    return ms_cdc_create_objects(session, db_id, err) &&
           ms_sql_run(session, err, "UPDATE sys_databases SET is_cdc_enabled=1 WHERE db_id=?", "i", db_id) &&
           ms_catalog_changed(session, db_id, err);
}

bool ms_cdc_drop_instance(struct ms_session *session, int32_t db_id, int32_t change_table_id,
                          int32_t source_id, struct ms_error *err)
{
    return ms_cdc_run(session, db_id, err, "DELETE FROM {0} WHERE c1=?", "i", change_table_id) &&
           ms_cdc_run(session, db_id, err, "DELETE FROM {1} WHERE c1=?", "i", change_table_id) &&
           ms_cdc_run(session, db_id, err, "DELETE FROM {2} WHERE c1=?", "i", change_table_id) &&
           ms_cdc_run(session, db_id, err, "DELETE FROM {4} WHERE c2=?", "i", change_table_id) &&
           ms_ddl_remove_table(session, change_table_id, err) &&
           ms_sql_run(session, err, "UPDATE sys_objects SET tracked=max(0,tracked-1) WHERE object_id=?", "i",
                      source_id) &&
           ms_catalog_changed(session, db_id, err);
}

static bool drop_instances(struct ms_session *session, int32_t db_id, int32_t source_id, const char *name,
                           bool *ret_found, struct ms_error *err)
{
    struct ms_instances instances;
    bool ok = ms_instances_load(session, db_id, &instances, err);
    *ret_found = false;
    for (size_t i = 0; ok && i < instances.n; i++) {
        const struct ms_instance *instance = &instances.list[i];
        if ((source_id && instance->source_id != source_id) || (name && !ms_name_equal(name, instance->name)))
            continue;
        *ret_found = true;
        /* the table struct dies with the first drop, its id does not */
        int32_t id =
            (int32_t)ms_cdc_int(session, db_id, 0, "SELECT c1 FROM {0} WHERE c4=?", "s", instance->name);
        ok = ms_cdc_drop_instance(session, db_id, id, instance->source_id, err);
    }
    ms_instances_free(&instances);
    return ok;
}

bool ms_cdc_disable_db(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    bool found;
    if (!session->sysadmin)
        return ms_error_set(
            err, 22902, 16, 1,
            "Caller is not authorized to initiate the requested action. Sysadmin privileges are "
            "required.");
    if (!db->cdc_enabled)
        return true;
    return drop_instances(session, db_id, 0, NULL, &found, err) && ms_cdc_drop_objects(session, db_id, err) &&
           ms_sql_run(session, err, "DELETE FROM log_row WHERE db_id=?", "i", db_id) &&
           ms_sql_run(session, err, "DELETE FROM log_tran WHERE db_id=?", "i", db_id) &&
           ms_sql_run(session, err, "DELETE FROM cdc_jobs WHERE db_id=?", "i", db_id) &&
           ms_sql_run(session, err, "UPDATE sys_objects SET tracked=0 WHERE db_id=?", "i", db_id) &&
           ms_sql_run(session, err, "UPDATE sys_databases SET is_cdc_enabled=0 WHERE db_id=?", "i", db_id) &&
           ms_catalog_changed(session, db_id, err);
}

/* --- one table --- */

/* What is being made, gathered step by step. */
struct enabling {
    struct ms_session *session;
    struct ms_error *err;
    const struct ms_enable_table *what;
    const struct ms_database *db;
    const struct ms_table *source;
    const struct ms_index *index; /* identifies rows; NULL: none */
    bool net_changes;
    char name[260];
    bool *captured; /* by column */
};

static bool split_columns(struct enabling *e)
{
    char name[130];
    const char *p = e->what->captured_columns;
    while (*p) {
        size_t n = 0;
        bool bracket = false;
        while (*p == ' ' || *p == ',' || *p == '\n' || *p == '\r' || *p == '\t')
            p++;
        if (!*p)
            break;
        if (*p == '[') {
            bracket = true;
            p++;
        }
        for (; *p && (bracket || *p != ',') && n < sizeof name - 1; p++) {
            if (bracket && *p == ']' && *++p != ']')
                break;
            name[n++] = *p;
        }
        while (!bracket && n && (name[n - 1] == ' ' || name[n - 1] == '\n'))
            n--;
        name[n] = 0;
        while (bracket && *p && *p != ',')
            p++;
        int c = ms_table_column(e->source, name);
        if (c < 0)
            return ms_error_set(
                e->err, 22942, 16, 1,
                "Columns specified in the captured column list could not be mapped to columns in source "
                "table '%s.%s'. Verify that the columns specified in the parameter "
                "@captured_column_list are delimited properly and identify columns in the source "
                "table.",
                e->source->schema, e->source->name);
        e->captured[c] = true;
    }
    return true;
}

static bool find_source(struct enabling *e)
{
    const struct ms_enable_table *what = e->what;
    e->db = ms_catalog_database_by_id(e->session, e->db->db_id);
    if (!e->db->cdc_enabled)
        return ms_cdc_not_enabled(e->session, e->db->db_id, e->err);
    e->source = ms_catalog_table(e->session, e->db->name, what->source_schema, what->source_name);
    if (!e->source || e->source->is_ms_shipped)
        return ms_error_set(
            e->err, 22931, 16, 1,
            "Source table '%s.%s' does not exist in the current database. Ensure that the correct "
            "database context is set. Specify a valid schema and table name for the database.",
            what->source_schema, what->source_name);
    return true;
}

static bool choose_name(struct enabling *e)
{
    const struct ms_enable_table *what = e->what;
    if (what->capture_instance)
        snprintf(e->name, sizeof e->name, "%s", what->capture_instance);
    else
        snprintf(e->name, sizeof e->name, "%s_%s", e->source->schema, e->source->name);
    if (strlen(e->name) > MAX_NAME)
        return ms_error_set(
            e->err, 22927, 16, 1,
            "Capture instance name '%s' exceeds the length limit of 100 characters. Specify a name that "
            "satisfies the length constraint.",
            e->name);
    if (ms_cdc_int(e->session, e->db->db_id, 0, "SELECT count(*) FROM {0} WHERE c3=?", "i",
                   e->source->object_id) >= MAX_INSTANCES)
        return ms_error_set(
            e->err, 22962, 16, 1,
            "Two capture instances already exist for source table '%s.%s'. A table can have at most two "
            "capture instances. If the current tracking options are not appropriate, disable change "
            "tracking for the obsolete instance by using sys.sp_cdc_disable_table and retry the "
            "operation.",
            e->source->schema, e->source->name);
    if (ms_cdc_int(e->session, e->db->db_id, 0, "SELECT count(*) FROM {0} WHERE c4=?", "s", e->name))
        return ms_error_set(
            e->err, 22926, 16, 1,
            "Could not create a capture instance because the capture instance name '%s' already exists "
            "in the current database. Specify an explicit unique name for the parameter "
            "@capture_instance.",
            e->name);
    return true;
}

static bool choose_index(struct enabling *e)
{
    const struct ms_table *source = e->source;
    e->index = ms_table_primary_key(source);
    if (e->what->index_name) {
        e->index = NULL;
        for (size_t i = 0; i < source->n_indexes; i++) {
            if (ms_name_equal(source->indexes[i].name, e->what->index_name))
                e->index = &source->indexes[i];
        }
        if (!e->index)
            return ms_error_set(
                e->err, 22928, 16, 1,
                "Index name '%s' is not an index for table '%s.%s'. Specify a valid index name for the "
                "table.",
                e->what->index_name, source->schema, source->name);
        if (!e->index->unique)
            return ms_error_set(
                e->err, 22929, 16, 1,
                "Index '%s' must be either a primary key or a unique index for table '%s.%s'. Specify a "
                "valid index name for the table.",
                e->what->index_name, source->schema, source->name);
    }
    e->net_changes =
        e->what->supports_net_changes < 0 ? e->index != NULL : e->what->supports_net_changes != 0;
    if (e->net_changes && !e->index)
        return ms_error_set(
            e->err, 22939, 16, 1,
            "The parameter @supports_net_changes is set to 1, but the source table does not have a "
            "primary key defined and no alternate unique index has been specified.");
    return true;
}

static bool choose_columns(struct enabling *e, struct ms_arena *arena)
{
    const struct ms_table *source = e->source;
    e->captured = ms_arena_alloc(arena, source->n_columns * sizeof *e->captured);
    if (e->what->captured_columns) {
        if (!split_columns(e))
            return false;
    } else {
        memset(e->captured, 1, source->n_columns * sizeof *e->captured);
    }
    for (size_t i = 0; i < source->n_columns; i++) {
        if (e->captured[i] && strncmp(source->columns[i].name, "__$", 3) == 0)
            return ms_error_set(
                e->err, 22970, 16, 1,
                "The value for parameter @source_name is not valid: column '%s' of table '%s.%s' has a "
                "name that is reserved for Change Data Capture.",
                source->columns[i].name, source->schema, source->name);
    }
    for (size_t i = 0; e->index && i < e->index->n_columns; i++) {
        int c = ms_table_column_by_id(source, e->index->columns[i].column_id);
        if (!e->captured[c] && !e->index->columns[i].included)
            return ms_error_set(
                e->err, 22943, 16, 1,
                "Columns used to uniquely identify a row for net change tracking must be included in "
                "the list of captured columns. Add either the primary key columns of the source table, "
                "or the columns defined for the index specified in the parameter @index_name to the "
                "list of captured columns and retry the operation.");
    }
    return true;
}

static struct ms_type change_type(const struct ms_catalog_column *column)
{
    if (column->type.id == MS_ROWVERSION)
        return (struct ms_type){.id = MS_BINARY, .length = 8};
    return column->type;
}

static bool create_change_table(struct enabling *e, int32_t *ret_id)
{
    static const struct ms_column_spec meta[] = {
        {.name = "__$start_lsn", .type = {.id = MS_BINARY, .length = MS_LSN_SIZE}},
        {.name = "__$end_lsn", .type = {.id = MS_BINARY, .length = MS_LSN_SIZE}, .nullable = true},
        {.name = "__$seqval", .type = {.id = MS_BINARY, .length = MS_LSN_SIZE}},
        {.name = "__$operation", .type = {.id = MS_INT}},
        {.name = "__$update_mask", .type = {.id = MS_VARBINARY, .length = 128}, .nullable = true},
    };
    static const char *const key_columns[] = {"__$start_lsn", "__$command_id", "__$seqval", "__$operation"};
    struct ms_column_spec *specs = ms_heap_alloc((e->source->n_columns + 6) * sizeof *specs);
    char table_name[140];
    char index_name[170];
    size_t n = MS_CHANGE_META_COLUMNS;
    memcpy(specs, meta, sizeof meta);
    for (size_t i = 0; i < e->source->n_columns; i++) {
        const struct ms_catalog_column *column = &e->source->columns[i];
        if (e->captured[i])
            specs[n++] = (struct ms_column_spec){.name = column->name,
                                                 .type = change_type(column),
                                                 .nullable = true,
                                                 .collation = column->collation};
    }
    specs[n++] = (struct ms_column_spec){.name = "__$command_id", .type = {.id = MS_INT}, .nullable = true};
    snprintf(table_name, sizeof table_name, "%s_CT", e->name);
    snprintf(index_name, sizeof index_name, "%s_clustered_idx", table_name);
    struct ms_key_spec key = {
        .name = index_name, .unique = true, .clustered = true, .columns = key_columns, .n_columns = 4};
    int32_t db_id = e->db->db_id;
    bool ok = ms_ddl_create_table(e->session, db_id, "cdc", table_name, specs, n, ret_id, e->err) &&
              ms_ddl_add_key(e->session, *ret_id, &key, e->err);
    free(specs);
    return ok;
}

static bool write_captured_columns(struct enabling *e, int32_t id)
{
    int ordinal = 0;
    for (size_t i = 0; i < e->source->n_columns; i++) {
        const struct ms_catalog_column *column = &e->source->columns[i];
        if (e->captured[i] &&
            !ms_cdc_run(e->session, e->source->db_id, e->err,
                        "INSERT INTO {1}(c1,c2,c3,c4,c5,c6) VALUES(?,?,?,?,?,?)", "isisii", id, column->name,
                        column->column_id, ms_type_info(column->type.id)->name, ++ordinal,
                        (int)(column->computed_definition != NULL)))
            return false;
    }
    return true;
}

static bool write_instance(struct enabling *e, int32_t id)
{
    struct ms_session *session = e->session;
    int32_t db_id = e->source->db_id;
    if (!ms_cdc_run(session, db_id, e->err,
                    "INSERT INTO {0}(c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13)"
                    " VALUES(?,NULL,?,?,NULL,NULL,?,NULL,?,?,?,?,?)",
                    "iisisssIi", id, e->source->object_id, e->name, (int)e->net_changes, e->what->role_name,
                    e->index ? e->index->name : NULL, e->what->filegroup_name, ms_clock_datetime(),
                    (int)e->what->allow_partition_switch) ||
        !write_captured_columns(e, id))
        return false;
    for (size_t i = 0; e->index && i < e->index->n_columns; i++) {
        int c = ms_table_column_by_id(e->source, e->index->columns[i].column_id);
        if (!e->index->columns[i].included &&
            !ms_cdc_run(session, db_id, e->err, "INSERT INTO {2}(c1,c2,c3,c4) VALUES(?,?,?,?)", "isii", id,
                        e->source->columns[c].name, (int)i + 1, e->source->columns[c].column_id))
            return false;
    }
    return true;
}

bool ms_cdc_add_job(struct ms_session *session, int32_t db_id, const char *job_type, struct ms_error *err)
{
    uint8_t guid[16];
    bool capture = strcmp(job_type, "capture") == 0;
    int64_t interval_ms = session->server->capture_interval_ms;
    int64_t interval_s = interval_ms < 1000 ? 1 : interval_ms / 1000;
    ms_server_guid(session->server, guid);
    return ms_sql_run(
        session, err,
        "INSERT OR IGNORE INTO cdc_jobs(db_id,job_type,job_id,maxtrans,maxscans,continuous,pollinginterval,"
        "interval_ms,retention,threshold) VALUES(?,?,?,?,?,?,?,?,?,?)",
        "isbiiiIIii", db_id, job_type, guid, sizeof guid, capture ? 500 : 0, capture ? 10 : 0,
        capture ? 1 : 0, capture ? interval_s : 0, capture ? interval_ms : 0, capture ? 0 : 4320,
        capture ? 0 : 5000);
}

static bool make_role(struct enabling *e)
{
    const char *role = e->what->role_name;
    int32_t db_id = e->source->db_id;
    if (!role)
        return true;
    if (!*role)
        return ms_error_set(
            e->err, 22907, 16, 1,
            "Parameter @role_name cannot be empty. Specify a value for @role_name and retry the "
            "operation. Supply null as the value if no role is to be used to gate access to captured "
            "change data.");
    if (ms_sql_int(e->session, 0, "SELECT count(*) FROM sys_principals WHERE db_id=? AND name=?", "is", db_id,
                   role))
        return true;
    return ms_ddl_create_role(e->session, db_id, role, NULL, e->err);
}

bool ms_cdc_enable_table(struct ms_session *session, int32_t db_id, const struct ms_enable_table *what,
                         bool *ret_first, struct ms_error *err)
{
    struct ms_arena arena = {0};
    struct enabling e = {
        .session = session, .err = err, .what = what, .db = ms_catalog_database_by_id(session, db_id)};
    int32_t id = 0;
    bool ok = find_source(&e) && ms_lock_table(session, e.source->object_id, MS_LOCK_X, err) &&
              choose_name(&e) && choose_index(&e) && choose_columns(&e, &arena) && make_role(&e);
    int32_t source_id = ok ? e.source->object_id : 0;
    ok = ok && create_change_table(&e, &id);
    /* the catalogue was replaced: look the source up again */
    if (ok) {
        e.source = ms_catalog_table_by_id(session, source_id);
        e.db = ms_catalog_database_by_id(session, db_id);
        ok = choose_index(&e) && write_instance(&e, id);
    }
    bool first = ok && ms_sql_int(session, 0, "SELECT count(*) FROM cdc_jobs WHERE db_id=?", "i", db_id) == 0;
    ok = ok && ms_cdc_add_job(session, db_id, "capture", err) &&
         ms_cdc_add_job(session, db_id, "cleanup", err) &&
         ms_sql_run(session, err, "UPDATE sys_objects SET tracked=tracked+1 WHERE object_id=?", "i",
                    source_id) &&
         ms_catalog_changed(session, db_id, err) &&
         ms_log_append(session, db_id, id, MS_LOG_ENABLE, 0, NULL, NULL, 0, err);
    ms_arena_free(&arena);
    if (ok && ret_first)
        *ret_first = first;
    return ok;
}

bool ms_cdc_disable_table(struct ms_session *session, int32_t db_id, const char *source_schema,
                          const char *source_name, const char *capture_instance, struct ms_error *err)
{
    const struct ms_database *db = ms_catalog_database_by_id(session, db_id);
    bool found = false;
    if (!db->cdc_enabled)
        return ms_cdc_not_enabled(session, db_id, err);
    const struct ms_table *source = ms_catalog_table(session, db->name, source_schema, source_name);
    if (!source)
        return ms_error_set(
            err, 22931, 16, 1,
            "Source table '%s.%s' does not exist in the current database. Ensure that the correct "
            "database context is set. Specify a valid schema and table name for the database.",
            source_schema, source_name);
    bool all = ms_name_equal(capture_instance, "all");
    if (!ms_lock_table(session, source->object_id, MS_LOCK_X, err) ||
        !drop_instances(session, db_id, source->object_id, all ? NULL : capture_instance, &found, err))
        return false;
    if (found || all)
        return true;
    return ms_error_set(
        err, 22960, 16, 1,
        "Change data capture instance '%s' has not been enabled for the source table '%s.%s'. Use "
        "sys.sp_cdc_help_change_data_capture to verify the capture instance name and retry the "
        "operation.",
        capture_instance, source_schema, source_name);
}
