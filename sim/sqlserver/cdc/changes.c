/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"
#include "changes.h"
#include "objects.h"

#include <string.h>
#include <strings.h>

#define ALL_PREFIX "fn_cdc_get_all_changes_"
#define NET_PREFIX "fn_cdc_get_net_changes_"

static const struct ms_type parameters[] = {
    {.id = MS_BINARY, .length = MS_LSN_SIZE},
    {.id = MS_BINARY, .length = MS_LSN_SIZE},
    {.id = MS_NVARCHAR, .length = 30},
};

static void add_text_literal(struct ms_buffer *sql, const char *text)
{
    ms_buffer_byte(sql, '\'');
    for (; *text; text++) {
        ms_buffer_byte(sql, *text);
        if (*text == '\'')
            ms_buffer_byte(sql, '\'');
    }
    ms_buffer_byte(sql, '\'');
}

/* The result's columns: the four of the change table (without end LSN), then the captured ones. */
static void add_columns(struct ms_arena *arena, const struct ms_table *table, bool net,
                        struct ms_source *source)
{
    static const char *const meta[] = {"__$start_lsn", "__$seqval", "__$operation", "__$update_mask"};
    struct ms_source_column *columns = ms_arena_alloc(arena, table->n_columns * sizeof *columns);
    for (size_t i = 0; i < 4; i++) {
        if (net && i == 1)
            continue;
        const struct ms_catalog_column *c = &table->columns[ms_table_column(table, meta[i])];
        columns[source->n_columns++] = (struct ms_source_column){
            .name = meta[i], .type = c->type, .nullable = true, .sql_name = c->sql_name};
    }
    for (size_t i = MS_CHANGE_META_COLUMNS; i + 1 < table->n_columns; i++) {
        const struct ms_catalog_column *c = &table->columns[i];
        columns[source->n_columns++] =
            (struct ms_source_column){.name = ms_arena_text(arena, c->name),
                                      .type = c->type,
                                      .nullable = true,
                                      .sql_name = ms_arena_text(arena, c->sql_name)};
    }
    for (size_t i = 0; i < source->n_columns; i++)
        columns[i].sql_name = ms_arena_text(arena, columns[i].sql_name);
    source->columns = columns;
}

/* The range check is a row of its own, made first; it raises error 313. */
static void add_range(struct ms_buffer *sql, int32_t db_id, const struct ms_instance *instance, bool net)
{
    ms_buffer_format(sql, "(SELECT f,l,o,ms_fn_cdc_range(%d,", db_id);
    add_text_literal(sql, instance->name);
    ms_buffer_format(sql, ",%d,f,l,o) AS ok FROM (SELECT {1} AS f,{2} AS l,{3} AS o LIMIT 1)) a", net);
}

static void all_changes(struct ms_buffer *sql, int32_t db_id, const struct ms_instance *instance)
{
    ms_buffer_text(sql, "(SELECT t.* FROM ");
    add_range(sql, db_id, instance, false);
    ms_buffer_format(sql,
                     " CROSS JOIN %s t WHERE a.ok AND t.c1>=a.f AND t.c1<=a.l"
                     " AND (t.c4<>3 OR a.o='all update old' COLLATE NOCASE))",
                     instance->table->sqlite_name);
}

static void add_key_match(struct ms_buffer *sql, const struct ms_instance *instance, const char *left,
                          const char *right, const int32_t *key, size_t n_key)
{
    for (size_t k = 0; k < n_key; k++) {
        for (size_t i = 0; i < instance->n_columns; i++) {
            if (instance->columns[i].column_id == key[k])
                ms_buffer_format(sql, "%s%s.c%zu=%s.c%zu", k ? " AND " : "", left,
                                 MS_CHANGE_META_COLUMNS + i + 1, right, MS_CHANGE_META_COLUMNS + i + 1);
        }
    }
}

/*
 * The last row of each key in the range, unless the key was born and died in it. Its operation: delete when
 * it is one; insert when the first row of the key was an insert; else update. The mask is NULL but for 'all
 * with mask', where it is that of the last row; 'all with merge' gives 5 for insert or update.
 */
static void net_changes(struct ms_buffer *sql, int32_t db_id, const struct ms_instance *instance,
                        const int32_t *key, size_t n_key)
{
    const char *ct = instance->table->sqlite_name;
    size_t n_all = instance->table->n_columns;
    ms_buffer_text(
        sql,
        "(SELECT t.c1,CASE WHEN t.c4=1 THEN 1 WHEN a.o='all with merge' COLLATE NOCASE THEN 5 WHEN (SELECT"
        " x.c4 FROM ");
    ms_buffer_format(sql, "%s x WHERE x.c1>=a.f AND x.c1<=a.l AND ", ct);
    add_key_match(sql, instance, "x", "t", key, n_key);
    ms_buffer_text(sql, " ORDER BY ");
    ms_buffer_format(sql, "x.c1,x.c%zu,x.c3,x.c4", n_all);
    ms_buffer_text(
        sql,
        " LIMIT 1)=2 THEN 2 ELSE 4 END AS c4,CASE WHEN a.o='all with mask' COLLATE NOCASE AND t.c4=4 THEN"
        " t.c5 END AS c5");
    for (size_t i = 0; i < instance->n_columns; i++)
        ms_buffer_format(sql, ",t.c%zu", MS_CHANGE_META_COLUMNS + i + 1);
    ms_buffer_text(sql, " FROM ");
    add_range(sql, db_id, instance, true);
    ms_buffer_format(
        sql,
        " CROSS JOIN %s t WHERE a.ok AND t.c1>=a.f AND t.c1<=a.l AND t.c4<>3 AND NOT EXISTS(SELECT 1"
        " FROM %s x WHERE x.c1>=a.f AND x.c1<=a.l AND x.c4<>3 AND ",
        ct, ct);
    add_key_match(sql, instance, "x", "t", key, n_key);
    ms_buffer_format(
        sql,
        " AND (x.c1,x.c%zu,x.c3,x.c4)>(t.c1,t.c%zu,t.c3,t.c4)) AND NOT (t.c4=1 AND 2=(SELECT x.c4 FROM"
        " %s x WHERE x.c1>=a.f AND x.c1<=a.l AND ",
        n_all, n_all, ct);
    add_key_match(sql, instance, "x", "t", key, n_key);
    ms_buffer_format(sql, " ORDER BY x.c1,x.c%zu,x.c3,x.c4 LIMIT 1)) ORDER BY t.c1)", n_all);
}

static size_t key_columns(struct ms_session *session, int32_t db_id, const struct ms_instance *instance,
                          int32_t *ret, size_t max)
{
    struct ms_error ignored;
    size_t n = 0;
    sqlite3_stmt *s = ms_cdc_sql(session, db_id, &ignored, "SELECT c4 FROM {2} WHERE c1=? ORDER BY c3", "i",
                                 instance->table->object_id);
    while (s && n < max && sqlite3_step(s) == SQLITE_ROW)
        ret[n++] = sqlite3_column_int(s, 0);
    sqlite3_reset(s);
    return n;
}

bool ms_cdc_changes_function(struct ms_session *session, int32_t db_id, const char *name,
                             struct ms_arena *arena, struct ms_source *ret_source)
{
    struct ms_error ignored;
    struct ms_instances instances;
    struct ms_source source = {.parameters = parameters, .n_parameters = 3};
    int32_t key[32];
    bool net = strncasecmp(name, NET_PREFIX, strlen(NET_PREFIX)) == 0;
    if (!net && strncasecmp(name, ALL_PREFIX, strlen(ALL_PREFIX)) != 0)
        return false;
    if (!ms_instances_load(session, db_id, &instances, &ignored))
        return false;
    const struct ms_instance *instance = ms_instances_find(&instances, name + strlen(ALL_PREFIX));
    bool found =
        instance && (!net || instance->net_changes) &&
        ms_cdc_may_read(session, db_id, instance->role, ms_catalog_table_by_id(session, instance->source_id));
    if (found) {
        struct ms_buffer sql = {0};
        add_columns(arena, instance->table, net, &source);
        if (net)
            net_changes(&sql, db_id, instance, key, key_columns(session, db_id, instance, key, 32));
        else
            all_changes(&sql, db_id, instance);
        source.from_sql = ms_arena_dup(arena, sql.data, sql.len);
        ms_buffer_free(&sql);
        *ret_source = source;
    }
    ms_instances_free(&instances);
    return found;
}
