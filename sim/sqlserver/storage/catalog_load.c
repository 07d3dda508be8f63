/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog_load.h"
#include "sql.h"
#include "types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A database with what keeps it alive. */
struct loaded {
    struct ms_database pub; /* first: a pointer to it is a pointer to this */
    atomic_int refs;
    struct ms_arena arena;
};

struct loader {
    struct ms_session *session;
    struct ms_error *err;
    struct loaded *db;
    struct ms_arena *arena;
};

static void database_unref(const struct ms_database *database)
{
    struct loaded *db = (struct loaded *)(uintptr_t)database;
    if (atomic_fetch_sub(&db->refs, 1) != 1)
        return;
    struct ms_arena arena = db->arena;
    ms_arena_free(&arena);
    free(db);
}

void ms_catalog_unref(struct ms_catalog *catalog)
{
    if (!catalog || atomic_fetch_sub(&catalog->refs, 1) != 1)
        return;
    for (size_t i = 0; i < catalog->n_databases; i++)
        database_unref(catalog->databases[i]);
    free(catalog->databases);
    free(catalog);
}

static enum ms_type_id type_by_system_id(int system_type_id)
{
    for (int id = MS_BIT; id <= MS_TYPE_LAST; id++) {
        const struct ms_type_info *info = ms_type_info((enum ms_type_id)id);
        if (info && info->user_type_id == system_type_id)
            return (enum ms_type_id)id;
    }
    return MS_UNKNOWN;
}

static int64_t count(struct loader *l, const char *literal)
{
    return ms_sql_int(l->session, 0, literal, "i", l->db->pub.db_id);
}

static bool load_schemas(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    struct ms_schema *list = ms_arena_alloc(
        l->arena, sizeof *list * (size_t)(count(l, "SELECT count(*) FROM sys_schemas WHERE db_id=?") + 1));
    sqlite3_stmt *s =
        ms_sql(l->session, l->err,
               "SELECT schema_id,name,principal_id FROM sys_schemas WHERE db_id=? ORDER BY schema_id", "i",
               db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW) {
        list[db->n_schemas++] = (struct ms_schema){.schema_id = sqlite3_column_int(s, 0),
                                                   .name = ms_sql_text(s, 1, l->arena),
                                                   .principal_id = sqlite3_column_int(s, 2)};
    }
    sqlite3_reset(s);
    db->schemas = list;
    return true;
}

static const char *schema_name(const struct ms_database *db, int32_t schema_id)
{
    for (size_t i = 0; i < db->n_schemas; i++) {
        if (db->schemas[i].schema_id == schema_id)
            return db->schemas[i].name;
    }
    return "dbo";
}

static bool load_tables(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t n = count(l, "SELECT count(*) FROM sys_objects WHERE db_id=? AND type='U'");
    struct ms_table *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(n + 1));
    sqlite3_stmt *s = ms_sql(l->session, l->err,
                             "SELECT object_id,name,schema_id,is_ms_shipped,tracked FROM sys_objects"
                             " WHERE db_id=? AND type='U' ORDER BY object_id",
                             "i", db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct ms_table *t = &list[db->n_tables++];
        *t = (struct ms_table){.object_id = sqlite3_column_int(s, 0),
                               .name = ms_sql_text(s, 1, l->arena),
                               .schema_id = sqlite3_column_int(s, 2),
                               .is_ms_shipped = sqlite3_column_int(s, 3) != 0,
                               .tracked_by_cdc = sqlite3_column_int(s, 4) > 0,
                               .db_id = db->db_id,
                               .db_name = db->name,
                               .identity_column = -1,
                               .rowversion_column = -1};
        t->schema = schema_name(db, t->schema_id);
        snprintf(t->sqlite_name, sizeof t->sqlite_name, "u%d", t->object_id);
    }
    sqlite3_reset(s);
    db->tables = list;
    return true;
}

static struct ms_table *table_by_id(const struct ms_database *db, int32_t object_id)
{
    size_t low = 0;
    size_t high = db->n_tables;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (db->tables[mid].object_id < object_id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == db->n_tables || db->tables[low].object_id != object_id)
        return NULL;
    return (struct ms_table *)(uintptr_t)&db->tables[low];
}

static void read_column(struct loader *l, sqlite3_stmt *s, struct ms_catalog_column *c)
{
    *c = (struct ms_catalog_column){
        .column_id = sqlite3_column_int(s, 1),
        .name = ms_sql_text(s, 2, l->arena),
        .type = {.id = type_by_system_id(sqlite3_column_int(s, 3)),
                 .length = sqlite3_column_int(s, 4),
                 .precision = (uint8_t)sqlite3_column_int(s, 5),
                 .scale = (uint8_t)sqlite3_column_int(s, 6)},
        .nullable = sqlite3_column_int(s, 7) != 0,
        .identity = sqlite3_column_int(s, 8) != 0,
        .identity_seed = sqlite3_column_int64(s, 9),
        .identity_increment = sqlite3_column_int64(s, 10),
        .rowguidcol = sqlite3_column_int(s, 11) != 0,
        .collation = ms_sql_text_or_null(s, 12, l->arena),
        .computed_definition = ms_sql_text_or_null(s, 13, l->arena),
        .computed_persisted = sqlite3_column_int(s, 14) != 0,
        .default_object_id = sqlite3_column_int(s, 15),
        .default_name = ms_sql_text_or_null(s, 16, l->arena),
        .default_definition = ms_sql_text_or_null(s, 17, l->arena),
    };
    snprintf(c->sql_name, sizeof c->sql_name, "c%d", c->column_id);
}

static bool load_columns(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t n = count(l, "SELECT count(*) FROM sys_objects o JOIN sys_columns c ON c.object_id=o.object_id"
                         " WHERE o.db_id=? AND o.type='U'");
    struct ms_catalog_column *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(n + 1));
    sqlite3_stmt *s = ms_sql(
        l->session, l->err,
        "SELECT "
        "c.object_id,c.column_id,c.name,c.type_id,c.length,c.precision,c.scale,c.nullable,c.identity,c.seed,"
        "c.increment,c.rowguid,c.collation,c.computed,c.persisted,c.default_id,d.name,d.definition"
        " FROM sys_objects o CROSS JOIN sys_columns c ON c.object_id=o.object_id"
        " LEFT JOIN sys_objects d ON d.object_id=c.default_id"
        " WHERE o.db_id=? AND o.type='U' ORDER BY c.object_id,c.column_id",
        "i", db->db_id);
    if (!s)
        return false;
    struct ms_table *table = NULL;
    while (sqlite3_step(s) == SQLITE_ROW) {
        int32_t object_id = sqlite3_column_int(s, 0);
        if (!table || table->object_id != object_id) {
            table = table_by_id(db, object_id);
            table->columns = list;
        }
        read_column(l, s, list);
        if (list->identity)
            table->identity_column = (int)table->n_columns;
        if (list->type.id == MS_ROWVERSION)
            table->rowversion_column = (int)table->n_columns;
        table->n_columns++;
        list++;
    }
    sqlite3_reset(s);
    return true;
}

static bool load_indexes(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t n = count(l, "SELECT count(*) FROM sys_objects o JOIN sys_indexes i ON i.object_id=o.object_id"
                         " WHERE o.db_id=? AND o.type='U'");
    struct ms_index *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(n + 1));
    sqlite3_stmt *s = ms_sql(
        l->session, l->err,
        "SELECT "
        "i.object_id,i.index_id,i.name,i.clustered,i.is_unique,i.is_primary_key,i.is_unique_constraint,"
        "i.constraint_id,i.ignore_dup_key,i.filter FROM sys_objects o CROSS JOIN sys_indexes i"
        " ON i.object_id=o.object_id WHERE o.db_id=? AND o.type='U'"
        " ORDER BY i.object_id,i.is_primary_key DESC,i.index_id",
        "i", db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct ms_table *table = table_by_id(db, sqlite3_column_int(s, 0));
        if (!table->n_indexes)
            table->indexes = list;
        table->n_indexes++;
        *list++ = (struct ms_index){.index_id = sqlite3_column_int(s, 1),
                                    .name = ms_sql_text(s, 2, l->arena),
                                    .clustered = sqlite3_column_int(s, 3) != 0,
                                    .unique = sqlite3_column_int(s, 4) != 0,
                                    .primary_key = sqlite3_column_int(s, 5) != 0,
                                    .unique_constraint = sqlite3_column_int(s, 6) != 0,
                                    .constraint_id = sqlite3_column_int(s, 7),
                                    .ignore_dup_key = sqlite3_column_int(s, 8) != 0,
                                    .filter = ms_sql_text_or_null(s, 9, l->arena)};
    }
    sqlite3_reset(s);
    return true;
}

static struct ms_index *index_by_id(const struct ms_table *table, int32_t index_id)
{
    for (size_t i = 0; i < table->n_indexes; i++) {
        if (table->indexes[i].index_id == index_id)
            return (struct ms_index *)(uintptr_t)&table->indexes[i];
    }
    return NULL;
}

static bool load_index_columns(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t n =
        count(l, "SELECT count(*) FROM sys_objects o JOIN sys_index_columns i ON i.object_id=o.object_id"
                 " WHERE o.db_id=? AND o.type='U'");
    struct ms_index_column *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(n + 1));
    sqlite3_stmt *s =
        ms_sql(l->session, l->err,
               "SELECT i.object_id,i.index_id,i.column_id,i.descending,i.included FROM sys_objects o"
               " CROSS JOIN sys_index_columns i ON i.object_id=o.object_id"
               " WHERE o.db_id=? AND o.type='U' ORDER BY i.object_id,i.index_id,i.position",
               "i", db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct ms_table *table = table_by_id(db, sqlite3_column_int(s, 0));
        struct ms_index *index = index_by_id(table, sqlite3_column_int(s, 1));
        if (!index->n_columns)
            index->columns = list;
        index->n_columns++;
        *list++ = (struct ms_index_column){.column_id = sqlite3_column_int(s, 2),
                                           .descending = sqlite3_column_int(s, 3) != 0,
                                           .included = sqlite3_column_int(s, 4) != 0};
    }
    sqlite3_reset(s);
    return true;
}

static bool load_fk_columns(struct loader *l, struct ms_foreign_key *fk)
{
    int64_t n = ms_sql_int(l->session, 0, "SELECT count(*) FROM sys_fk_columns WHERE object_id=?", "i",
                           fk->object_id);
    int32_t *parent = ms_arena_alloc(l->arena, sizeof *parent * (size_t)(n + 1));
    int32_t *referenced = ms_arena_alloc(l->arena, sizeof *referenced * (size_t)(n + 1));
    sqlite3_stmt *s = ms_sql(
        l->session, l->err,
        "SELECT parent_column_id,referenced_column_id FROM sys_fk_columns WHERE object_id=? ORDER BY ordinal",
        "i", fk->object_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW && (int64_t)fk->n_columns < n) {
        parent[fk->n_columns] = sqlite3_column_int(s, 0);
        referenced[fk->n_columns++] = sqlite3_column_int(s, 1);
    }
    sqlite3_reset(s);
    fk->parent_columns = parent;
    fk->referenced_columns = referenced;
    return true;
}

/* Each referenced table gets the list of the constraints that point to it. */
static void link_referencing(struct loader *l, const struct ms_foreign_key *list, size_t n)
{
    struct ms_database *db = &l->db->pub;
    for (size_t t = 0; t < db->n_tables; t++) {
        struct ms_table *table = table_by_id(db, db->tables[t].object_id);
        size_t found = 0;
        for (size_t i = 0; i < n; i++)
            found += list[i].referenced_id == table->object_id;
        if (!found)
            continue;
        const struct ms_foreign_key **links = ms_arena_alloc(l->arena, sizeof *links * found);
        table->referencing = links;
        for (size_t i = 0; i < n; i++) {
            if (list[i].referenced_id == table->object_id)
                links[table->n_referencing++] = &list[i];
        }
    }
}

static bool load_foreign_keys(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t total = count(l, "SELECT count(*) FROM sys_objects WHERE db_id=? AND type='F'");
    struct ms_foreign_key *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(total + 1));
    size_t n = 0;
    sqlite3_stmt *s =
        ms_sql(l->session, l->err,
               "SELECT o.object_id,o.name,f.parent_id,f.referenced_id,f.on_delete,f.on_update,o.is_disabled"
               " FROM sys_objects o JOIN sys_foreign_keys f ON f.object_id=o.object_id"
               " WHERE o.db_id=? AND o.type='F' ORDER BY f.parent_id,o.object_id",
               "i", db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW && (int64_t)n < total) {
        list[n] = (struct ms_foreign_key){.object_id = sqlite3_column_int(s, 0),
                                          .name = ms_sql_text(s, 1, l->arena),
                                          .parent_id = sqlite3_column_int(s, 2),
                                          .referenced_id = sqlite3_column_int(s, 3),
                                          .on_delete = (enum ms_fk_action)sqlite3_column_int(s, 4),
                                          .on_update = (enum ms_fk_action)sqlite3_column_int(s, 5),
                                          .disabled = sqlite3_column_int(s, 6) != 0};
        struct ms_table *table = table_by_id(db, list[n].parent_id);
        if (!table->n_foreign_keys)
            table->foreign_keys = &list[n];
        table->n_foreign_keys++;
        n++;
    }
    sqlite3_reset(s);
    for (size_t i = 0; i < n; i++) {
        if (!load_fk_columns(l, &list[i]))
            return false;
    }
    link_referencing(l, list, n);
    return true;
}

static bool load_checks(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t n = count(l, "SELECT count(*) FROM sys_objects WHERE db_id=? AND type='C'");
    struct ms_check *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(n + 1));
    sqlite3_stmt *s =
        ms_sql(l->session, l->err,
               "SELECT parent_id,object_id,name,parent_column_id,definition,is_disabled FROM sys_objects"
               " WHERE db_id=? AND type='C' ORDER BY parent_id,object_id",
               "i", db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct ms_table *table = table_by_id(db, sqlite3_column_int(s, 0));
        if (!table)
            continue;
        if (!table->n_checks)
            table->checks = list;
        table->n_checks++;
        *list++ = (struct ms_check){.object_id = sqlite3_column_int(s, 1),
                                    .name = ms_sql_text(s, 2, l->arena),
                                    .column_id = sqlite3_column_int(s, 3),
                                    .definition = ms_sql_text(s, 4, l->arena),
                                    .disabled = sqlite3_column_int(s, 5) != 0};
    }
    sqlite3_reset(s);
    return true;
}

static bool load_modules(struct loader *l)
{
    struct ms_database *db = &l->db->pub;
    int64_t n =
        count(l, "SELECT count(*) FROM sys_objects WHERE db_id=? AND type IN ('V','P','FN','IF','TF')");
    struct ms_module *list = ms_arena_alloc(l->arena, sizeof *list * (size_t)(n + 1));
    sqlite3_stmt *s = ms_sql(l->session, l->err,
                             "SELECT object_id,name,schema_id,type,definition FROM sys_objects"
                             " WHERE db_id=? AND type IN ('V','P','FN','IF','TF') ORDER BY object_id",
                             "i", db->db_id);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW && (int64_t)db->n_modules < n) {
        struct ms_module *m = &list[db->n_modules++];
        *m = (struct ms_module){.object_id = sqlite3_column_int(s, 0),
                                .name = ms_sql_text(s, 1, l->arena),
                                .schema_id = sqlite3_column_int(s, 2),
                                .definition = ms_sql_text(s, 4, l->arena)};
        snprintf(m->type, sizeof m->type, "%s", (const char *)sqlite3_column_text(s, 3));
        m->schema = schema_name(db, m->schema_id);
    }
    sqlite3_reset(s);
    db->modules = list;
    return true;
}

static bool load_objects(struct loader *l)
{
    return load_schemas(l) && load_tables(l) && load_columns(l) && load_indexes(l) && load_index_columns(l) &&
           load_foreign_keys(l) && load_checks(l) && load_modules(l);
}

static struct loaded *read_database_row(sqlite3_stmt *s)
{
    struct loaded *db = ms_heap_alloc(sizeof *db);
    atomic_init(&db->refs, 1);
    const char *collation = ms_sql_text(s, 3, &db->arena);
    db->pub = (struct ms_database){
        .db_id = sqlite3_column_int(s, 0),
        .name = ms_sql_text(s, 1, &db->arena),
        .version = (uint64_t)sqlite3_column_int64(s, 2),
        .collation = collation,
        .case_sensitive = strcasestr(collation, "_CS") || strcasestr(collation, "_BIN"),
        .cdc_enabled = sqlite3_column_int(s, 4) != 0,
        .snapshot_isolation = sqlite3_column_int(s, 5) != 0,
        .read_committed_snapshot = sqlite3_column_int(s, 6) != 0,
        .offline = sqlite3_column_int(s, 7) != 0,
        .read_only = sqlite3_column_int(s, 8) != 0,
    };
    return db;
}

static const struct ms_database *reuse(const struct ms_catalog *old, const struct ms_database *now)
{
    for (size_t i = 0; old && i < old->n_databases; i++) {
        if (old->databases[i]->db_id == now->db_id && old->databases[i]->version == now->version)
            return old->databases[i];
    }
    return NULL;
}

static bool load_databases(struct ms_session *session, const struct ms_catalog *old,
                           struct ms_catalog *catalog, struct ms_error *err)
{
    int64_t n = ms_sql_int(session, 0, "SELECT count(*) FROM sys_databases", "");
    catalog->databases = ms_heap_alloc(sizeof *catalog->databases * (size_t)(n + 1));
    sqlite3_stmt *s =
        ms_sql(session, err,
               "SELECT db_id,name,version,collation,is_cdc_enabled,snapshot_isolation,rcsi,state,"
               "is_read_only FROM sys_databases ORDER BY db_id",
               "");
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW && (int64_t)catalog->n_databases < n)
        catalog->databases[catalog->n_databases++] = &read_database_row(s)->pub;
    sqlite3_reset(s);
    for (size_t i = 0; i < catalog->n_databases; i++) {
        struct loaded *db = (struct loaded *)(uintptr_t)catalog->databases[i];
        const struct ms_database *same = reuse(old, &db->pub);
        if (same) {
            atomic_fetch_add(&((struct loaded *)(uintptr_t)same)->refs, 1);
            database_unref(&db->pub);
            catalog->databases[i] = same;
            continue;
        }
        struct loader loader = {.session = session, .err = err, .db = db, .arena = &db->arena};
        if (!load_objects(&loader))
            return false;
    }
    return true;
}

void ms_catalog_publish(struct ms_server *server, struct ms_catalog *catalog)
{
    struct ms_catalog *old = NULL;
    pthread_mutex_lock(&server->mutex);
    if (!server->published || server->published->version < catalog->version) {
        old = server->published;
        atomic_fetch_add(&catalog->refs, 1);
        server->published = catalog;
    }
    pthread_mutex_unlock(&server->mutex);
    ms_catalog_unref(old);
}

static struct ms_catalog *published(struct ms_server *server)
{
    pthread_mutex_lock(&server->mutex);
    struct ms_catalog *catalog = server->published;
    if (catalog)
        atomic_fetch_add(&catalog->refs, 1);
    pthread_mutex_unlock(&server->mutex);
    return catalog;
}

bool ms_catalog_refresh(struct ms_session *session, bool publish, struct ms_error *err)
{
    int64_t version =
        ms_sql_int(session, -1, "SELECT value FROM sys_settings WHERE key='catalog_version'", "");
    if (version < 0)
        return ms_session_sqlite_error(session, err);
    if (session->catalog && session->catalog->version == (uint64_t)version)
        return true;
    struct ms_catalog *newest = published(session->server);
    if (newest && newest->version == (uint64_t)version) {
        ms_catalog_unref(session->catalog);
        session->catalog = newest;
        return true;
    }
    struct ms_catalog *catalog = ms_heap_alloc(sizeof *catalog);
    catalog->version = (uint64_t)version;
    atomic_init(&catalog->refs, 1);
    if (!load_databases(session, session->catalog ? session->catalog : newest, catalog, err)) {
        ms_catalog_unref(catalog);
        ms_catalog_unref(newest);
        return false;
    }
    ms_catalog_unref(newest);
    ms_catalog_unref(session->catalog);
    session->catalog = catalog;
    if (publish)
        ms_catalog_publish(session->server, catalog);
    return true;
}

bool ms_catalog_changed(struct ms_session *session, int32_t db_id, struct ms_error *err)
{
    int64_t version = (int64_t)atomic_fetch_add(&session->server->last_catalog_version, 1) + 1;
    if (db_id &&
        !ms_sql_run(session, err, "UPDATE sys_databases SET version=? WHERE db_id=?", "Ii", version, db_id))
        return false;
    return ms_sql_run(session, err, "UPDATE sys_settings SET value=? WHERE key='catalog_version'", "I",
                      version) &&
           ms_catalog_refresh(session, false, err);
}
