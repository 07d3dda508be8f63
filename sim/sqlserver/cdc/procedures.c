/* SPDX-License-Identifier: Apache-2.0 */
/* sys.sp_cdc_*: arguments in, results out; what they do is in enable.c, cleanup.c, capture.c and job.c. */
#include "../storage/cell.h"
#include "../storage/procedures.h"
#include "../storage/sql.h"
#include "access.h"
#include "capture.h"
#include "cleanup.h"
#include "enable.h"
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool owner_only(struct ms_procedure_call *call)
{
    /* a role_name that nobody has: only sysadmin and db_owner pass */
    return ms_cdc_may_read(call->session, call->db_id, "", NULL) ||
           ms_error_set(
               call->err, 22904, 16, 1,
               "Caller is not authorized to initiate the requested action. DBO privileges are required.");
}

static bool enable_db(struct ms_procedure_call *call)
{
    return ms_cdc_enable_db(call->session, call->db_id, call->err);
}

static bool disable_db(struct ms_procedure_call *call)
{
    ms_capture_forget(call->session->server, call->db_id);
    return ms_cdc_disable_db(call->session, call->db_id, call->err);
}

static bool run_enable_db(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, enable_db);
}

static bool run_disable_db(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, disable_db);
}

static bool enable_table(struct ms_procedure_call *call)
{
    bool first = false;
    struct ms_enable_table what = {
        .source_schema = ms_arg_text(call, 0),
        .source_name = ms_arg_text(call, 1),
        .capture_instance = ms_arg_text(call, 2),
        .supports_net_changes = (int)ms_arg_int(call, 3, -1),
        .role_name = ms_arg_text(call, 4),
        .index_name = ms_arg_text(call, 5),
        .captured_columns = ms_arg_text(call, 6),
        .filegroup_name = ms_arg_text(call, 7),
        .allow_partition_switch = ms_arg_int(call, 8, 1) != 0,
    };
    if (!owner_only(call) || !ms_cdc_enable_table(call->session, call->db_id, &what, &first, call->err))
        return false;
    const struct ms_database *db = ms_catalog_database_by_id(call->session, call->db_id);
    if (first) {
        ms_procedure_say(call, 0, "Job 'cdc.%s_capture' started successfully.", db->name);
        ms_procedure_say(call, 0, "Job 'cdc.%s_cleanup' started successfully.", db->name);
    }
    return true;
}

static bool run_enable_table(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, enable_table);
}

static bool disable_table(struct ms_procedure_call *call)
{
    return owner_only(call) && ms_cdc_disable_table(call->session, call->db_id, ms_arg_text(call, 0),
                                                    ms_arg_text(call, 1), ms_arg_text(call, 2), call->err);
}

static bool run_disable_table(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, disable_table);
}

/* --- help --- */

#define HELP_COLUMNS                                                                                        \
    "source_schema sysname, source_table sysname, capture_instance sysname, object_id int, "                \
    "source_object_id int,"                                                                                 \
    " start_lsn binary(10), end_lsn binary(10), supports_net_changes bit, has_drop_pending bit, role_name " \
    "sysname,"                                                                                              \
    " index_name sysname, filegroup_name sysname, create_date datetime, index_column_list nvarchar(max),"   \
    " captured_column_list nvarchar(max)"

static void add_list(struct ms_buffer *sql, const char *table, const char *order)
{
    ms_buffer_format(
        sql,
        ",(SELECT group_concat('['||replace(x,']',']]')||']',', ') FROM (SELECT k.c2 AS x FROM %s k WHERE"
        " k.c1=t.c1 ORDER BY k.%s))",
        table, order);
}

/* One row for each instance of the database that the caller may read (of one table, when it is named). */
static bool run_help(struct ms_procedure_call *call)
{
    const char *schema = ms_arg_text(call, 0);
    const char *name = ms_arg_text(call, 1);
    struct ms_session *session = call->session;
    struct ms_buffer sql = {0};
    struct ms_error ignored;
    if (!ms_statement_begin(session, MS_STATEMENT_READ, call->err))
        return false;
    const struct ms_table *tables = ms_cdc_table(session, call->db_id, "change_tables");
    bool ok = tables || ms_cdc_not_enabled(session, call->db_id, call->err);
    if (ok) {
        ms_buffer_text(&sql,
                       "SELECT s.name,o.name,t.c4,t.c1,t.c3,t.c5,t.c6,t.c7,t.c8,t.c9,t.c10,t.c11,t.c12");
        add_list(&sql, ms_cdc_table(session, call->db_id, "index_columns")->sqlite_name, "c3");
        add_list(&sql, ms_cdc_table(session, call->db_id, "captured_columns")->sqlite_name, "c5");
        ms_buffer_format(
            &sql,
            " FROM %s t JOIN sys_objects o ON o.object_id=t.c3 JOIN sys_schemas s ON s.db_id=o.db_id AND"
            " s.schema_id=o.schema_id WHERE (?1 IS NULL OR s.name=?1) AND (?2 IS NULL OR o.name=?2) AND"
            " ms_fn_cdc_may_read(%d,t.c9,t.c3) ORDER BY t.c12,t.c1",
            tables->sqlite_name, call->db_id);
        ok = ms_procedure_query(call, HELP_COLUMNS, sql.data, "ss", schema, name);
        ms_buffer_free(&sql);
    }
    return ms_statement_end(session, ok, ok ? call->err : &ignored) && ok;
}

static bool run_help_jobs(struct ms_procedure_call *call)
{
    return ms_procedure_query(
        call,
        "job_id uniqueidentifier, job_type nvarchar(20), job_name sysname, maxtrans int, maxscans"
        " int, continuous bit, pollinginterval bigint, retention bigint, threshold bigint",
        "SELECT j.job_id,j.job_type,'cdc.'||d.name||'_'||j.job_type,j.maxtrans,j.maxscans,"
        "j.continuous,j.pollinginterval,j.retention,j.threshold FROM cdc_jobs j JOIN sys_databases d"
        " ON d.db_id=j.db_id WHERE j.db_id={db} ORDER BY j.job_type",
        "");
}

/* A query over the tables of schema cdc, where they are there. */
static bool cdc_query(struct ms_procedure_call *call, const char *columns, const char *query,
                      const char *instance)
{
    struct ms_error ignored;
    static const char *const names[] = {"change_tables", "captured_columns", "index_columns",
                                        "lsn_time_mapping", "ddl_history"};
    struct ms_buffer sql = {0};
    if (!ms_statement_begin(call->session, MS_STATEMENT_READ, call->err))
        return false;
    bool ok = ms_cdc_table(call->session, call->db_id, "change_tables") != NULL ||
              ms_cdc_not_enabled(call->session, call->db_id, call->err);
    for (const char *p = query; ok && *p; p++) {
        if (*p == '{' && p[1] >= '0' && p[1] <= '4') {
            ms_buffer_text(&sql, ms_cdc_table(call->session, call->db_id, names[p[1] - '0'])->sqlite_name);
            p += 2;
        } else {
            ms_buffer_byte(&sql, *p);
        }
    }
    ok = ok && ms_procedure_query(call, columns, sql.data, "s", instance);
    ms_buffer_free(&sql);
    return ms_statement_end(call->session, ok, ok ? call->err : &ignored) && ok;
}

static bool run_captured_columns(struct ms_procedure_call *call)
{
    return cdc_query(
        call,
        "source_schema sysname, source_table sysname, capture_instance sysname, column_name sysname,"
        " column_id int, ordinal_position int, data_type sysname, character_maximum_length int,"
        " numeric_precision tinyint, numeric_precision_radix smallint, numeric_scale int,"
        " datetime_precision smallint",
        "SELECT s.name,o.name,t.c4,c.c2,c.c3,c.c5,c.c4,CASE WHEN k.type_id IN (175,167,239,231,173,165)"
        " THEN k.length END,CASE WHEN k.type_id IN (48,52,56,127,106,108,122,60,59,62) THEN"
        " ms_column_precision(k.type_id,k.length,k.precision,k.scale) END,CASE WHEN k.type_id IN"
        " (48,52,56,127,106,108,122,60) THEN 10 END,CASE WHEN k.type_id IN (48,52,56,127,106,108,122,60) THEN"
        " ms_column_scale(k.type_id,k.length,k.precision,k.scale) END,CASE WHEN k.type_id IN (41,42,43) THEN"
        " k.scale WHEN k.type_id=61 THEN 3 END FROM {1} c JOIN {0} t ON t.c1=c.c1 JOIN sys_columns k ON"
        " k.object_id=t.c1 AND k.column_id=c.c5+5 JOIN sys_objects o ON o.object_id=t.c3 JOIN sys_schemas s"
        " ON s.db_id=o.db_id AND s.schema_id=o.schema_id WHERE t.c4=? ORDER BY c.c5",
        ms_arg_text(call, 0));
}

static bool run_ddl_history(struct ms_procedure_call *call)
{
    return cdc_query(
        call,
        "source_schema sysname, source_table sysname, capture_instance sysname, required_column_update bit,"
        " ddl_command nvarchar(max), ddl_lsn binary(10), ddl_time datetime",
        "SELECT s.name,o.name,t.c4,h.c3,h.c4,h.c5,h.c6 FROM {4} h JOIN {0} t ON t.c1=h.c2 JOIN sys_objects o"
        " ON o.object_id=t.c3 JOIN sys_schemas s ON s.db_id=o.db_id AND s.schema_id=o.schema_id WHERE"
        " t.c4=? ORDER BY h.c5",
        ms_arg_text(call, 0));
}

/* --- jobs --- */

static bool job_type_of(struct ms_procedure_call *call, size_t i, const char **ret_type)
{
    const char *type = ms_arg_text(call, i);
    if (!type || strcasecmp(type, "capture") == 0)
        *ret_type = "capture";
    else if (strcasecmp(type, "cleanup") == 0)
        *ret_type = "cleanup";
    else
        return ms_error_set(
            call->err, 22991, 16, 1,
            "The value specified for the parameter @job_type must be N'capture' or N'cleanup'.");
    return true;
}

static bool job_exists(struct ms_procedure_call *call, const char *type)
{
    return ms_sql_int(call->session, 0, "SELECT count(*) FROM cdc_jobs WHERE db_id=? AND job_type=?", "is",
                      call->db_id, type) != 0;
}

static bool set_job(struct ms_procedure_call *call, const char *type, size_t first)
{
    static const char *const columns[] = {"maxtrans",        "maxscans",  "continuous",
                                          "pollinginterval", "retention", "threshold"};
    for (size_t i = 0; i < 6; i++) {
        char sql[160];
        if (!call->given[first + i] || call->args[first + i].is_null)
            continue;
        snprintf(sql, sizeof sql, "UPDATE cdc_jobs SET %s=? WHERE db_id=? AND job_type=?", columns[i]);
        sqlite3_stmt *s = ms_sql_by_text(call->session, call->err, sql);
        if (!s)
            return false;
        sqlite3_bind_int64(s, 1, call->args[first + i].i);
        sqlite3_bind_int(s, 2, call->db_id);
        sqlite3_bind_text(s, 3, type, -1, SQLITE_STATIC);
        if (!ms_sql_finish(call->session, s, call->err))
            return false;
        if (i == 3 &&
            !ms_sql_run(call->session, call->err,
                        "UPDATE cdc_jobs SET interval_ms=pollinginterval*1000 WHERE db_id=? AND job_type=?",
                        "is", call->db_id, type))
            return false;
    }
    return true;
}

static bool change_job(struct ms_procedure_call *call)
{
    const char *type = NULL;
    if (!owner_only(call) || !job_type_of(call, 0, &type))
        return false;
    if (!job_exists(call, type))
        return ms_error_set(
            call->err, 22918, 16, 1,
            "One or more of the values supplied for the parameters are not valid: the %s job does not "
            "exist in this database.",
            type);
    return set_job(call, type, 1);
}

static bool run_change_job(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, change_job);
}

static bool add_job(struct ms_procedure_call *call)
{
    const char *type = NULL;
    const struct ms_database *db = ms_catalog_database_by_id(call->session, call->db_id);
    if (!owner_only(call) || !job_type_of(call, 0, &type))
        return false;
    if (!db->cdc_enabled)
        return ms_cdc_not_enabled(call->session, call->db_id, call->err);
    if (job_exists(call, type))
        return ms_error_set(call->err, 22919, 16, 1, "The %s job already exists for the database.", type);
    return ms_cdc_add_job(call->session, call->db_id, type, call->err) && set_job(call, type, 2);
}

static bool run_add_job(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, add_job);
}

static bool drop_job(struct ms_procedure_call *call)
{
    const char *type = NULL;
    return owner_only(call) && job_type_of(call, 0, &type) &&
           ms_sql_run(call->session, call->err, "DELETE FROM cdc_jobs WHERE db_id=? AND job_type=?", "is",
                      call->db_id, type);
}

static bool run_drop_job(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, drop_job);
}

static bool switch_job(struct ms_procedure_call *call, bool running)
{
    const char *type = NULL;
    const struct ms_database *db = ms_catalog_database_by_id(call->session, call->db_id);
    if (!owner_only(call) || !job_type_of(call, 0, &type))
        return false;
    if (!job_exists(call, type))
        return ms_error_set(call->err, 22918, 16, 1,
                            "The specified '%s' job does not exist for the database.", type);
    if (strcmp(type, "cleanup") == 0)
        return !running || ms_cleanup_by_retention(call->session, call->db_id, call->err);
    if (!ms_capture_set_running(call->session->server, call->db_id, running))
        return ms_error_set(
            call->err, 22022, 16, 1,
            "SQLServerAgent Error: Request to %s job cdc.%s_capture refused because the job is %s.",
            running ? "run" : "stop", db->name,
            running ? "already running from a request by User sa" : "not currently running");
    return true;
}

static bool start_job(struct ms_procedure_call *call)
{
    return switch_job(call, true);
}

static bool stop_job(struct ms_procedure_call *call)
{
    return switch_job(call, false);
}

static bool run_start_job(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, start_job);
}

static bool run_stop_job(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, stop_job);
}

static bool run_scan(struct ms_procedure_call *call)
{
    int64_t maxtrans = ms_arg_int(call, 0, 500);
    int64_t maxscans = ms_arg_int(call, 1, 10);
    for (int64_t i = 0; i < maxscans; i++) {
        struct ms_scan scan = {0};
        if (!ms_capture_scan(call->session, call->db_id, maxtrans, false, &scan, call->err))
            return false;
        if (scan.transactions < maxtrans)
            break;
    }
    return true;
}

static bool cleanup(struct ms_procedure_call *call)
{
    const char *instance = ms_arg_text(call, 0);
    bool has_mark = call->given[1] && !call->args[1].is_null && call->args[1].len == MS_LSN_SIZE;
    return owner_only(call) && ms_cleanup_instance(call->session, call->db_id, instance ? instance : "",
                                                   has_mark ? call->args[1].bytes : NULL, call->err);
}

static bool run_cleanup(struct ms_procedure_call *call)
{
    return ms_procedure_in_write(call, cleanup);
}

/* --- wrapper functions --- */

static void add_wrapper(struct ms_buffer *out, const struct ms_instance *instance, bool net)
{
    const char *kind = net ? "net" : "all";
    ms_buffer_format(out,
                     "create function [fn_%s_changes_%s]\n"
                     "(\t@start_time datetime = null,\n\t@end_time datetime = null,\n"
                     "\t@row_filter_option nvarchar(30) = N'all'\n)\nreturns table\nreturn\n",
                     kind, instance->name);
    ms_buffer_text(out, "select NULL as [__CDC_STARTLSN], NULL as [__CDC_SEQVAL]");
    for (size_t i = 0; i < instance->n_columns; i++)
        ms_buffer_format(out, ", NULL as [%s]", instance->table->columns[MS_CHANGE_META_COLUMNS + i].name);
    ms_buffer_format(
        out,
        ", NULL as [__CDC_OPERATION]\nwhere ( [sys].[fn_cdc_check_parameters]( N'%s', @start_time, @end_time,"
        " @row_filter_option, %d) = 0)\n\nunion all\n\nselect t.__$start_lsn as [__CDC_STARTLSN]",
        instance->name, net);
    if (!net)
        ms_buffer_text(out, ", t.__$seqval as [__CDC_SEQVAL]");
    for (size_t i = 0; i < instance->n_columns; i++)
        ms_buffer_format(out, ", t.[%s]", instance->table->columns[MS_CHANGE_META_COLUMNS + i].name);
    ms_buffer_format(
        out,
        ", case t.__$operation when 1 then 'D' when 2 then 'I' when 3 then 'UO' when 4 then 'UN' end as"
        " [__CDC_OPERATION]\nfrom [cdc].[fn_cdc_get_%s_changes_%s]("
        "sys.fn_cdc_map_time_to_lsn('smallest greater than', @start_time),"
        " sys.fn_cdc_map_time_to_lsn('largest less than or equal', @end_time), @row_filter_option) t",
        kind, instance->name);
}

static bool send_wrapper(struct ms_procedure_call *call, const struct ms_instance *instance, bool net)
{
    char name[140];
    struct ms_buffer script = {0};
    struct ms_value row[2];
    snprintf(name, sizeof name, "fn_%s_changes_%s", net ? "net" : "all", instance->name);
    add_wrapper(&script, instance, net);
    row[0] = (struct ms_value){.len = (uint32_t)strlen(name), .bytes = (const uint8_t *)name};
    row[1] = (struct ms_value){.len = (uint32_t)script.len, .bytes = (const uint8_t *)script.data};
    bool ok = call->sink->row(call->sink->ctx, row);
    ms_buffer_free(&script);
    return ok;
}

static bool run_wrappers(struct ms_procedure_call *call)
{
    static const struct ms_column columns[] = {
        {.name = "function_name", .type = {.id = MS_NVARCHAR, .length = 145}, .nullable = true},
        {.name = "create_script", .type = {.id = MS_NVARCHAR, .length = MS_MAX}, .nullable = true},
    };
    struct ms_instances instances;
    struct ms_error ignored;
    const char *only = ms_arg_text(call, 0);
    int64_t rows = 0;
    if (!ms_statement_begin(call->session, MS_STATEMENT_READ, call->err))
        return false;
    bool ok = ms_instances_load(call->session, call->db_id, &instances, call->err) &&
              call->sink->columns(call->sink->ctx, columns, 2);
    for (size_t i = 0; ok && i < instances.n; i++) {
        const struct ms_instance *instance = &instances.list[i];
        if (only && !ms_name_equal(only, instance->name))
            continue;
        ok = send_wrapper(call, instance, false) &&
             (!instance->net_changes || send_wrapper(call, instance, true));
        rows += instance->net_changes ? 2 : 1;
    }
    ok = ok && call->sink->done(call->sink->ctx, MS_CMD_SELECT, rows, false);
    ms_instances_free(&instances);
    return ms_statement_end(call->session, ok, ok ? call->err : &ignored) && ok;
}

#define JOB_SETTINGS                                                                                         \
    "@maxtrans int, @maxscans int, @continuous bit, @pollinginterval bigint, @retention bigint, @threshold " \
    "bigint"

const struct ms_procedure_entry ms_procedures_cdc[] = {
    {"sp_cdc_enable_db", "", NULL, NULL, run_enable_db},
    {"sp_cdc_disable_db", "", NULL, NULL, run_disable_db},
    {"sp_cdc_enable_table",
     "@source_schema nvarchar(128)!, @source_name nvarchar(128)!, @capture_instance nvarchar(128),"
     " @supports_net_changes bit, @role_name nvarchar(128)!, @index_name nvarchar(128), @captured_column_list"
     " nvarchar(max), @filegroup_name nvarchar(128), @allow_partition_switch bit",
     NULL, NULL, run_enable_table},
    {"sp_cdc_disable_table",
     "@source_schema nvarchar(128)!, @source_name nvarchar(128)!, @capture_instance nvarchar(128)!", NULL,
     NULL, run_disable_table},
    {"sp_cdc_help_change_data_capture", "@source_schema nvarchar(128), @source_name nvarchar(128)", NULL,
     NULL, run_help},
    {"sp_cdc_help_jobs", "", NULL, NULL, run_help_jobs},
    {"sp_cdc_get_captured_columns", "@capture_instance nvarchar(128)!", NULL, NULL, run_captured_columns},
    {"sp_cdc_get_ddl_history", "@capture_instance nvarchar(128)!", NULL, NULL, run_ddl_history},
    {"sp_cdc_change_job", "@job_type nvarchar(20), " JOB_SETTINGS, NULL, NULL, run_change_job},
    {"sp_cdc_add_job", "@job_type nvarchar(20)!, @start_job bit, " JOB_SETTINGS, NULL, NULL, run_add_job},
    {"sp_cdc_drop_job", "@job_type nvarchar(20)!", NULL, NULL, run_drop_job},
    {"sp_cdc_start_job", "@job_type nvarchar(20)", NULL, NULL, run_start_job},
    {"sp_cdc_stop_job", "@job_type nvarchar(20)", NULL, NULL, run_stop_job},
    {"sp_cdc_scan", "@maxtrans int, @maxscans int, @continuous bit, @pollinginterval bigint", NULL, NULL,
     run_scan},
    {"sp_cdc_cleanup_change_table",
     "@capture_instance nvarchar(128)!, @low_water_mark binary(10), @threshold bigint, @fCleanupFailed bit",
     NULL, NULL, run_cleanup},
    {"sp_cdc_generate_wrapper_function",
     "@capture_instance nvarchar(128), @closed_high_end_point bit, @column_list nvarchar(max), "
     "@update_flag_list"
     " nvarchar(max)",
     NULL, NULL, run_wrappers},
};
const size_t ms_procedures_cdc_count = sizeof ms_procedures_cdc / sizeof ms_procedures_cdc[0];
