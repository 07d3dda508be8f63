/* SPDX-License-Identifier: Apache-2.0 */
#include "ddl.h"

static const struct sy_index *index_named(struct sy_server *server, const char *keyspace, const char *name)
{
    struct sy_catalog *catalog = &server->catalog;

    for (uint32_t i = 0; i < catalog->n_indexes; i++) {
        if (strcmp(catalog->indexes[i]->keyspace, keyspace) == 0 &&
            strcmp(catalog->indexes[i]->name, name) == 0)
            return catalog->indexes[i];
    }
    return NULL;
}

static const char *free_name(struct sy_ddl *ddl, const char *keyspace, const char *table, const char *column)
{
    const char *name = sy_arena_format(ddl->arena, "%s_%s_idx", table, column);

    for (int i = 1; index_named(ddl->server, keyspace, name) != NULL; i++)
        name = sy_arena_format(ddl->arena, "%s_%s_idx_%d", table, column, i);
    return name;
}

static bool create_index(struct sy_ddl *ddl, const struct sy_index *wanted, bool if_not_exists)
{
    struct sy_arena *memory = &ddl->server->catalog.statement_memory;
    const struct sy_table *table;
    struct sy_index *index;

    if (sy_ddl_keyspace(ddl, wanted->keyspace) == NULL)
        return false;
    table = sy_catalog_table(ddl->server, wanted->keyspace, wanted->table);
    if (table == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "unconfigured table %s", wanted->table);
    if (table->is_cdc_log)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Secondary indexes are not supported on CDC log tables");
    if (sy_table_column_named(table, wanted->column, strlen(wanted->column)) == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "No column definition found for column %s",
                       wanted->column);
    if (wanted->name != NULL ? index_named(ddl->server, wanted->keyspace, wanted->name) != NULL
                             : sy_catalog_index_on(ddl->server, table, wanted->column) != NULL) {
        if (if_not_exists)
            return true;
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Index %s already exists",
                       wanted->name != NULL ? wanted->name : wanted->column);
    }
    index = sy_arena_alloc(memory, sizeof(*index));
    index->keyspace = sy_arena_text(memory, wanted->keyspace);
    index->table = sy_arena_text(memory, wanted->table);
    index->column = sy_arena_text(memory, wanted->column);
    index->target = sy_arena_text(memory, wanted->target != NULL ? wanted->target : wanted->column);
    index->name = sy_arena_text(
        memory, wanted->name != NULL ? wanted->name
                                     : free_name(ddl, wanted->keyspace, wanted->table, wanted->column));
    sy_catalog_put_index(ddl->server, index);
    sy_ddl_event(ddl, "UPDATED", "TABLE", wanted->keyspace, wanted->table);
    return true;
}

bool sy_catalog_create_index(struct sy_server *server, const char *keyspace, const char *table,
                             const char *index, const char *column, const char *target, bool if_not_exists,
                             struct sy_arena *arena, struct sy_schema_change *ret_change,
                             struct sy_error *ret)
{
    struct sy_index wanted = {
        .keyspace = keyspace, .table = table, .name = index, .column = column, .target = target};
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, create_index(&ddl, &wanted, if_not_exists));
}

static bool drop_index(struct sy_ddl *ddl, const char *keyspace, const char *name, bool if_exists)
{
    const struct sy_index *index = index_named(ddl->server, keyspace, name);

    if (index == NULL)
        return if_exists ||
               sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Index '%s' could not be found in any of the tables of keyspace '%s'", name, keyspace);
    sy_ddl_event(ddl, "UPDATED", "TABLE", keyspace, index->table);
    sy_catalog_remove_indexes(ddl->server, keyspace, NULL, name);
    return true;
}

bool sy_catalog_drop_index(struct sy_server *server, const char *keyspace, const char *index, bool if_exists,
                           struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, drop_index(&ddl, keyspace, index, if_exists));
}
