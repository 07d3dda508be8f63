/* SPDX-License-Identifier: Apache-2.0 */
#include "../tsql/arena.h"
#include "../cdc/job.h"
#include "functions_more.h"
#include "sql.h"
#include "tran.h"
#include "types.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct ms_session *session_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

/* (system_type_id, length, precision, scale) of a catalogue row as a type */
static bool type_argument(sqlite3_value **args, struct ms_type *ret)
{
    for (int id = MS_BIT; id <= MS_TYPE_LAST; id++) {
        const struct ms_type_info *info = ms_type_info((enum ms_type_id)id);
        if (info && info->user_type_id == sqlite3_value_int(args[0])) {
            *ret = (struct ms_type){.id = (enum ms_type_id)id,
                                    .length = sqlite3_value_int(args[1]),
                                    .precision = (uint8_t)sqlite3_value_int(args[2]),
                                    .scale = (uint8_t)sqlite3_value_int(args[3])};
            return true;
        }
    }
    return false;
}

static void column_size(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_type type;
    (void)n;
    sqlite3_result_int(context, type_argument(args, &type) ? ms_type_max_length(&type) : 0);
}

static void column_precision(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_type type;
    (void)n;
    sqlite3_result_int(context, type_argument(args, &type) ? ms_type_precision(&type) : 0);
}

static void column_scale(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_type type;
    (void)n;
    sqlite3_result_int(context, type_argument(args, &type) ? ms_type_scale(&type) : 0);
}

static void identity_last(sqlite3_context *context, int n, sqlite3_value **args)
{
    int64_t value = ms_sql_int(session_of(context), INT64_MIN,
                               "SELECT last_value FROM sys_columns WHERE object_id=? AND identity=1", "i",
                               sqlite3_value_int(args[0]));
    (void)n;
    if (value == INT64_MIN)
        sqlite3_result_null(context);
    else
        sqlite3_result_int64(context, value);
}

static void row_count(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_error ignored;
    struct ms_buffer sql = {0};
    (void)n;
    ms_buffer_format(&sql, "SELECT count(*) FROM u%d", sqlite3_value_int(args[0]));
    sqlite3_stmt *s = ms_sql_by_text(session_of(context), &ignored, sql.data);
    ms_buffer_free(&sql);
    if (s && sqlite3_step(s) == SQLITE_ROW)
        sqlite3_result_int64(context, sqlite3_column_int64(s, 0));
    else
        sqlite3_result_null(context);
    sqlite3_reset(s);
}

static void add_json_text(struct ms_buffer *json, const char *text)
{
    ms_buffer_byte(json, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            ms_buffer_byte(json, '\\');
        if (c < 32)
            ms_buffer_format(json, "\\u%04x", c);
        else
            ms_buffer_byte(json, *text);
    }
    ms_buffer_byte(json, '"');
}

static void result_json(sqlite3_context *context, struct ms_buffer *json)
{
    ms_buffer_byte(json, ']');
    sqlite3_result_text(context, json->data, (int)json->len, SQLITE_TRANSIENT);
    ms_buffer_free(json);
}

static void sessions_json(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_session *me = session_of(context);
    struct ms_buffer json = {0};
    (void)n;
    (void)args;
    ms_buffer_byte(&json, '[');
    pthread_mutex_lock(&me->server->mutex);
    for (const struct ms_session *s = me->server->sessions; s; s = s->next) {
        /* the other threads write these few numbers without asking; a reader of a view may see them a moment
         * late */
        if (!me->sysadmin && s != me)
            continue;
        ms_buffer_format(&json, "%s[%u,%" PRId64 ",", json.len > 1 ? "," : "", s->spid, s->login_time_dt);
        add_json_text(&json, s->host_name);
        ms_buffer_byte(&json, ',');
        add_json_text(&json, s->app_name);
        ms_buffer_byte(&json, ',');
        add_json_text(&json, s->login);
        ms_buffer_format(&json, ",\"%s\",%d,%d,%d,%d,%" PRIu64 "]", s == me ? "running" : "sleeping",
                         (int)s->isolation, s->lock_timeout_ms, s->db_id, (int)s->tran->count,
                         s->tran->count ? (uint64_t)s->tran->id : 0);
    }
    pthread_mutex_unlock(&me->server->mutex);
    result_json(context, &json);
}

static void add_scan(struct ms_buffer *json, const struct ms_scan_session *s)
{
    char first[23];
    char last[23];
    bool empty = s->tran_count == 0;
    ms_buffer_format(json, "%s[%d,%" PRId64 ",%" PRId64 ",0,%" PRId64 ",", json->len > 1 ? "," : "",
                     s->session_id, s->start_time, s->end_time, s->tran_count);
    if (empty)
        ms_buffer_text(json, "null");
    else
        ms_buffer_format(json, "%" PRId64, s->last_commit_time);
    ms_buffer_format(json, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",\"%s\",\"%s\"]", s->command_count,
                     s->latency_s, s->empty_scans, empty ? "" : ms_lsn_text(s->first_lsn, first),
                     empty ? "" : ms_lsn_text(s->last_lsn, last));
}

static void scans_json(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_scan_session list[64];
    struct ms_scan_session sum = {0};
    struct ms_buffer json = {0};
    (void)n;
    size_t count = ms_capture_sessions(session_of(context)->server, sqlite3_value_int(args[0]), list, 64);
    ms_buffer_byte(&json, '[');
    for (size_t i = 0; i < count; i++) {
        sum.start_time = i ? sum.start_time : list[i].start_time;
        sum.end_time = list[i].end_time;
        sum.tran_count += list[i].tran_count;
        sum.command_count += list[i].command_count;
        sum.empty_scans += list[i].empty_scans;
        if (list[i].tran_count) {
            sum.last_commit_time = list[i].last_commit_time;
            memcpy(sum.last_lsn, list[i].last_lsn, MS_LSN_SIZE);
        }
    }
    if (count)
        add_scan(&json, &sum); /* session 0: all of them together */
    for (size_t i = 0; i < count; i++)
        add_scan(&json, &list[i]);
    result_json(context, &json);
}

static void errors_json(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct ms_scan_error *list = ms_heap_alloc(32 * sizeof *list);
    struct ms_buffer json = {0};
    (void)n;
    size_t count = ms_capture_errors(session_of(context)->server, sqlite3_value_int(args[0]), list, 32);
    ms_buffer_byte(&json, '[');
    for (size_t i = 0; i < count; i++) {
        ms_buffer_format(&json, "%s[%d,%" PRId64 ",%d,%d,%d,", i ? "," : "", list[i].session_id, list[i].time,
                         list[i].number, list[i].severity, list[i].state);
        add_json_text(&json, list[i].text);
        ms_buffer_byte(&json, ']');
    }
    free(list);
    result_json(context, &json);
}

void ms_functions_register_views(struct ms_session *session)
{
    static const struct ms_function functions[] = {
        {"ms_column_size", column_size},   {"ms_column_precision", column_precision},
        {"ms_column_scale", column_scale}, {"ms_identity_last", identity_last},
        {"ms_row_count", row_count},       {"ms_sessions_json", sessions_json},
        {"ms_scans_json", scans_json},     {"ms_errors_json", errors_json},
    };
    ms_functions_add(session, functions, sizeof functions / sizeof functions[0]);
}
