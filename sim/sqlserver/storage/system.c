/* SPDX-License-Identifier: Apache-2.0 */
#include "../cdc/changes.h"
#include "cell.h"
#include "procedures.h"
#include "scalars.h"
#include "system.h"
#include "types.h"
#include "views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- views --- */

/* sys.types as a sub-select, in the order of ids. */
static void add_types(struct ms_buffer *sql)
{
    const char *join = "(";
    for (int id = MS_BIT; id <= MS_TYPE_LAST; id++) {
        const struct ms_type_info *t = ms_type_info((enum ms_type_id)id);
        if (!t)
            continue;
        ms_buffer_format(
            sql,
            "%sSELECT '%s' AS name,%u AS system_type_id,%u AS user_type_id,%d AS max_length,%u AS precision,"
            "%u AS scale,%d AS is_character,%d AS nullable",
            join, t->name, ms_type_system_id(t), t->user_type_id, t->max_length, t->precision, t->scale,
            ms_type_is_character(t->id), t->id != MS_ROWVERSION);
        join = " UNION ALL ";
    }
    ms_buffer_text(sql, " UNION ALL SELECT 'sysname',231,256,256,0,0,1,0)");
}

static void add_sessions(struct ms_buffer *sql)
{
    static const char *const names[] = {"spid",       "login_time", "host_name", "program_name",
                                        "login_name", "status",     "isolation", "lock_timeout",
                                        "db_id",      "tran_count", "tran_id"};
    ms_buffer_text(sql, "(SELECT ");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ms_buffer_format(sql, "%sjson_extract(value,'$[%zu]') AS %s", i ? "," : "", i, names[i]);
    ms_buffer_text(sql, " FROM json_each(ms_sessions_json()))");
}

static void add_scans(struct ms_buffer *sql, int32_t db_id)
{
    static const char *const names[] = {"session_id",    "start_time", "end_time",
                                        "error_count",   "tran_count", "last_commit_time",
                                        "command_count", "latency",    "empty_scan_count"};
    /* the LSN of an empty scan carries a NUL behind it, and readers know */
    static const char *const lsns[] = {"start_lsn", "end_lsn"};
    ms_buffer_text(sql, "(SELECT ");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ms_buffer_format(sql, "json_extract(value,'$[%zu]') AS %s,", i, names[i]);
    for (size_t i = 0; i < 2; i++)
        ms_buffer_format(
            sql,
            "%sCASE json_extract(value,'$[%zu]') WHEN '' THEN '00000000:00000000:0000'||char(0) ELSE"
            " json_extract(value,'$[%zu]') END AS %s",
            i ? "," : "", 9 + i, 9 + i, lsns[i]);
    ms_buffer_format(sql, " FROM json_each(ms_scans_json(%d)))", db_id);
}

static void add_errors(struct ms_buffer *sql, int32_t db_id)
{
    static const char *const names[] = {"session_id",     "entry_time",  "error_number",
                                        "error_severity", "error_state", "error_message"};
    ms_buffer_text(sql, "(SELECT ");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ms_buffer_format(sql, "%sjson_extract(value,'$[%zu]') AS %s", i ? "," : "", i, names[i]);
    ms_buffer_format(sql, " FROM json_each(ms_errors_json(%d)))", db_id);
}

void ms_system_expand(struct ms_buffer *sql, const char *select, int32_t db_id)
{
    for (const char *p = select; *p; p++) {
        if (strncmp(p, "{db}", 4) == 0) {
            ms_buffer_format(sql, "%d", db_id);
            p += 3;
        } else if (strncmp(p, "{types}", 7) == 0) {
            add_types(sql);
            p += 6;
        } else if (strncmp(p, "{sessions}", 10) == 0) {
            add_sessions(sql);
            p += 9;
        } else if (strncmp(p, "{scans}", 7) == 0) {
            add_scans(sql, db_id);
            p += 6;
        } else if (strncmp(p, "{errors}", 8) == 0) {
            add_errors(sql, db_id);
            p += 7;
        } else {
            ms_buffer_byte(sql, *p);
        }
    }
}

bool ms_type_parse(const char *text, struct ms_type *ret_type)
{
    char name[40];
    size_t n = strcspn(text, "(");
    snprintf(name, sizeof name, "%.*s", (int)n, text);
    if (!ms_type_find(name, ret_type))
        return false;
    if (!text[n])
        return true;
    unsigned precision = 0;
    unsigned scale = 0;
    if (strncmp(text + n, "(max)", 5) == 0)
        ret_type->length = MS_MAX;
    else if (sscanf(text + n, "(%u,%u)", &precision, &scale) == 2) {
        ret_type->precision = (uint8_t)precision;
        ret_type->scale = (uint8_t)scale;
    } else if (ret_type->length == 0)
        ret_type->scale = (uint8_t)strtol(text + n + 1, NULL, 10);
    else
        ret_type->length = (int32_t)strtol(text + n + 1, NULL, 10);
    return true;
}

struct ms_source_column *ms_source_columns(struct ms_arena *arena, const char *spec, size_t *ret_n)
{
    size_t cap = 1;
    for (const char *p = spec; *p; p++)
        cap += *p == ',';
    struct ms_source_column *columns = ms_arena_alloc(arena, cap * sizeof *columns);
    *ret_n = 0;
    while (*spec) {
        struct ms_source_column *c = &columns[(*ret_n)++];
        char type[60];
        size_t depth = 0;
        size_t n = 0;
        spec += strspn(spec, " ");
        size_t name_len = strcspn(spec, " ");
        c->name = c->sql_name = ms_arena_dup(arena, spec, name_len);
        spec += name_len;
        spec += strspn(spec, " ");
        for (; *spec && (*spec != ',' || depth); spec++) {
            depth += *spec == '(';
            depth -= *spec == ')';
            if (n < sizeof type - 1 && *spec != ' ')
                type[n++] = *spec;
        }
        c->nullable = !(n && type[n - 1] == '!');
        type[c->nullable ? n : n - 1] = 0;
        if (!ms_type_parse(type, &c->type))
            abort(); /* a mistake in a table of this program, met by the first test that names the view */
        if (*spec == ',')
            spec++;
    }
    return columns;
}

static bool lists(const struct ms_view *view, int32_t db_id, const char *schema, const char *name)
{
    if (strcasecmp(view->name, name) != 0)
        return false;
    if (strcmp(view->schema, "dbo") == 0) /* the tables of msdb */
        return db_id == 4 && (!schema || strcasecmp(schema, "dbo") == 0);
    if (strcmp(view->schema, "INFORMATION_SCHEMA") == 0)
        return schema && strcasecmp(schema, "INFORMATION_SCHEMA") == 0;
    /* sysobjects and the like are found without schema, too */
    bool old = strncasecmp(name, "sys", 3) == 0;
    return schema ? strcasecmp(schema, "sys") == 0 || (old && strcasecmp(schema, "dbo") == 0) : old;
}

static const struct ms_view *find_view(int32_t db_id, const char *schema, const char *name)
{
    const struct ms_view *const lists_of_views[] = {ms_views_objects, ms_views_server, ms_views_standard};
    const size_t counts[] = {ms_views_objects_count, ms_views_server_count, ms_views_standard_count};
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < counts[l]; i++) {
            if (lists(&lists_of_views[l][i], db_id, schema, name))
                return &lists_of_views[l][i];
        }
    }
    return NULL;
}

bool ms_system_view(struct ms_session *session, const char *database, const char *schema, const char *name,
                    struct ms_arena *arena, struct ms_source *ret_source)
{
    const struct ms_database *db = ms_catalog_database(session, database);
    const struct ms_view *view = db ? find_view(db->db_id, schema && *schema ? schema : NULL, name) : NULL;
    if (!view)
        return false;
    struct ms_source source = {0};
    struct ms_buffer sql = {0};
    source.columns = ms_source_columns(arena, view->columns, &source.n_columns);
    ms_buffer_text(&sql, "(WITH v(");
    for (size_t i = 0; i < source.n_columns; i++)
        ms_buffer_format(&sql, "%s\"%s\"", i ? "," : "", source.columns[i].name);
    ms_buffer_text(&sql, ") AS (");
    ms_system_expand(&sql, view->select, db->db_id);
    ms_buffer_text(&sql, ") SELECT * FROM v)");
    source.from_sql = ms_arena_dup(arena, sql.data, sql.len);
    ms_buffer_free(&sql);
    *ret_source = source;
    return true;
}

/* --- functions --- */

bool ms_system_table_function(struct ms_session *session, const char *database, const char *schema,
                              const char *name, struct ms_arena *arena, struct ms_source *ret_source)
{
    const struct ms_database *db = ms_catalog_database(session, database);
    if (!db || !schema || strcasecmp(schema, "cdc") != 0)
        return false;
    return ms_cdc_changes_function(session, db->db_id, name, arena, ret_source);
}

bool ms_system_scalar(struct ms_session *session, const char *database, const char *schema, const char *name,
                      struct ms_arena *arena, struct ms_scalar *ret_scalar)
{
    const struct ms_database *db = ms_catalog_database(session, database);
    const struct ms_scalar_entry *entry = ms_scalar_find(name);
    bool in_sys = schema && strcasecmp(schema, "sys") == 0;
    if (!db || !entry || (schema && *schema && !in_sys) || (entry->needs_sys && !in_sys))
        return false;
    *ret_scalar = (struct ms_scalar){
        .sqlite_function = entry->sqlite_function, .leading = "", .min_parameters = entry->min_parameters};
    if (entry->with_database)
        ret_scalar->leading = ms_arena_format(arena, "%d", db->db_id);
    if (!ms_type_parse(entry->type, &ret_scalar->type))
        return false;
    for (const char *p = entry->parameters; *p;) {
        char type[40];
        size_t n = strcspn(p, ";");
        snprintf(type, sizeof type, "%.*s", (int)n, p);
        struct ms_type *parameter = &ret_scalar->parameters[ret_scalar->max_parameters++];
        if (strcmp(type, "any") != 0 && !ms_type_parse(type, parameter))
            return false;
        p += n + (p[n] == ';');
    }
    return true;
}
