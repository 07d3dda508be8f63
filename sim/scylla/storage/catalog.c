/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include "server.h"
#include "table_make.h"

#include <stdio.h>
#include <stdlib.h>

/* Pointers in a list that grows; the old list stays in the permanent arena (readers hold the mutex). */
static void insert_at(struct sy_catalog *catalog, const void ***list, uint32_t *n, uint32_t at,
                      const void *item)
{
    if ((*n & (*n - 1)) == 0) { /* full: sizes are powers of two */
        const void **grown =
            sy_arena_raw(&catalog->permanent, (*n == 0 ? 2 : 2 * (size_t)*n) * sizeof(*grown));

        if (*n > 0)
            memcpy(grown, *list, *n * sizeof(*grown));
        *list = grown;
    }
    memmove(*list + at + 1, *list + at, (*n - at) * sizeof(**list));
    (*list)[at] = item;
    (*n)++;
}

static void remove_at(const void **list, uint32_t *n, uint32_t at)
{
    memmove(list + at, list + at + 1, (*n - at - 1) * sizeof(*list));
    /* A list that is a power of two long is taken to be full, so it may only be copied once more. */
    (*n)--;
}

static int compare_names(const char *a_keyspace, const char *a, const char *b_keyspace, const char *b)
{
    int order = strcmp(a_keyspace, b_keyspace);

    return order != 0 ? order : strcmp(a, b);
}

/* Where a table stands or would stand. */
static uint32_t table_place(const struct sy_catalog *catalog, const char *keyspace, const char *name,
                            bool *ret_found)
{
    uint32_t low = 0;
    uint32_t high = catalog->n_tables;

    *ret_found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct sy_table *table = catalog->tables[middle];
        int order = compare_names(table->keyspace->name, table->name, keyspace, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct sy_table *sy_catalog_table(struct sy_server *server, const char *keyspace, const char *name)
{
    struct sy_catalog *catalog = &server->catalog;
    const struct sy_table *table = NULL;
    bool found;
    uint32_t at;

    pthread_mutex_lock(&catalog->mutex);
    at = table_place(catalog, keyspace, name, &found);
    if (found)
        table = catalog->tables[at];
    pthread_mutex_unlock(&catalog->mutex);
    return table;
}

const struct sy_keyspace *sy_catalog_keyspace(struct sy_server *server, const char *name)
{
    struct sy_catalog *catalog = &server->catalog;
    const struct sy_keyspace *found = NULL;

    pthread_mutex_lock(&catalog->mutex);
    for (uint32_t i = 0; i < catalog->n_keyspaces && found == NULL; i++) {
        if (strcmp(catalog->keyspaces[i]->name, name) == 0)
            found = catalog->keyspaces[i];
    }
    pthread_mutex_unlock(&catalog->mutex);
    return found;
}

const struct sy_type *sy_catalog_type(struct sy_server *server, const char *keyspace, const char *name)
{
    struct sy_catalog *catalog = &server->catalog;
    const struct sy_type *found = NULL;

    pthread_mutex_lock(&catalog->mutex);
    for (uint32_t i = 0; i < catalog->n_user_types && found == NULL; i++) {
        const struct sy_type *type = catalog->user_types[i];

        if (compare_names(type->keyspace, type->name, keyspace, name) == 0)
            found = type;
    }
    pthread_mutex_unlock(&catalog->mutex);
    return found;
}

bool sy_catalog_is_current(struct sy_server *server, const struct sy_table *table)
{
    bool current;

    pthread_mutex_lock(&server->catalog.mutex);
    current = table->data->current == table;
    pthread_mutex_unlock(&server->catalog.mutex);
    return current;
}

uint64_t sy_catalog_generation(struct sy_server *server)
{
    return atomic_load(&server->catalog.generation);
}

uint32_t sy_catalog_tables(struct sy_server *server, const char *keyspace, struct sy_arena *arena,
                           const struct sy_table *const **ret)
{
    struct sy_catalog *catalog = &server->catalog;
    const struct sy_table **tables;
    uint32_t n = 0;

    pthread_mutex_lock(&catalog->mutex);
    tables = sy_arena_raw(arena, catalog->n_tables * sizeof(*tables));
    for (uint32_t i = 0; i < catalog->n_tables; i++) {
        if (keyspace == NULL || strcmp(catalog->tables[i]->keyspace->name, keyspace) == 0)
            tables[n++] = catalog->tables[i];
    }
    pthread_mutex_unlock(&catalog->mutex);
    *ret = tables;
    return n;
}

const struct sy_index *sy_catalog_index_on(struct sy_server *server, const struct sy_table *table,
                                           const char *column)
{
    struct sy_catalog *catalog = &server->catalog;
    const struct sy_index *found = NULL;

    pthread_mutex_lock(&catalog->mutex);
    for (uint32_t i = 0; i < catalog->n_indexes && found == NULL; i++) {
        const struct sy_index *index = catalog->indexes[i];

        if (compare_names(index->keyspace, index->table, table->keyspace->name, table->name) == 0 &&
            strcmp(index->column, column) == 0)
            found = index;
    }
    pthread_mutex_unlock(&catalog->mutex);
    return found;
}

const struct sy_table_column *sy_table_column_named(const struct sy_table *table, const char *name,
                                                    size_t len)
{
    for (uint32_t i = 0; i < table->n_columns; i++) {
        if (strlen(table->columns[i].name) == len && memcmp(table->columns[i].name, name, len) == 0)
            return &table->columns[i];
    }
    return NULL;
}

/* --- changing the lists --- */

void sy_catalog_put_keyspace(struct sy_server *server, const struct sy_keyspace *keyspace)
{
    struct sy_catalog *catalog = &server->catalog;
    uint32_t at = 0;

    pthread_mutex_lock(&catalog->mutex);
    while (at < catalog->n_keyspaces && strcmp(catalog->keyspaces[at]->name, keyspace->name) < 0)
        at++;
    if (at < catalog->n_keyspaces && strcmp(catalog->keyspaces[at]->name, keyspace->name) == 0)
        catalog->keyspaces[at] = keyspace;
    else
        insert_at(catalog, (const void ***)&catalog->keyspaces, &catalog->n_keyspaces, at, keyspace);
    pthread_mutex_unlock(&catalog->mutex);
}

void sy_catalog_remove_keyspace(struct sy_server *server, const char *name)
{
    struct sy_catalog *catalog = &server->catalog;

    pthread_mutex_lock(&catalog->mutex);
    for (uint32_t i = 0; i < catalog->n_keyspaces; i++) {
        if (strcmp(catalog->keyspaces[i]->name, name) == 0)
            remove_at((const void **)catalog->keyspaces, &catalog->n_keyspaces, i--);
    }
    pthread_mutex_unlock(&catalog->mutex);
}

void sy_catalog_put_type(struct sy_server *server, const struct sy_type *type)
{
    struct sy_catalog *catalog = &server->catalog;
    uint32_t at = 0;
    int order = 1;

    pthread_mutex_lock(&catalog->mutex);
    while (at < catalog->n_user_types) {
        const struct sy_type *other = catalog->user_types[at];

        order = compare_names(other->keyspace, other->name, type->keyspace, type->name);
        if (order >= 0)
            break;
        at++;
    }
    if (at < catalog->n_user_types && order == 0)
        catalog->user_types[at] = type;
    else
        insert_at(catalog, (const void ***)&catalog->user_types, &catalog->n_user_types, at, type);
    pthread_mutex_unlock(&catalog->mutex);
}

void sy_catalog_remove_type(struct sy_server *server, const char *keyspace, const char *name)
{
    struct sy_catalog *catalog = &server->catalog;

    pthread_mutex_lock(&catalog->mutex);
    for (uint32_t i = 0; i < catalog->n_user_types; i++) {
        const struct sy_type *type = catalog->user_types[i];

        if (strcmp(type->keyspace, keyspace) == 0 && (name == NULL || strcmp(type->name, name) == 0))
            remove_at((const void **)catalog->user_types, &catalog->n_user_types, i--);
    }
    pthread_mutex_unlock(&catalog->mutex);
}

void sy_catalog_put_index(struct sy_server *server, const struct sy_index *index)
{
    struct sy_catalog *catalog = &server->catalog;
    uint32_t at = 0;

    pthread_mutex_lock(&catalog->mutex);
    while (at < catalog->n_indexes &&
           compare_names(catalog->indexes[at]->keyspace, catalog->indexes[at]->name, index->keyspace,
                         index->name) < 0)
        at++;
    insert_at(catalog, (const void ***)&catalog->indexes, &catalog->n_indexes, at, index);
    pthread_mutex_unlock(&catalog->mutex);
}

void sy_catalog_remove_indexes(struct sy_server *server, const char *keyspace, const char *table,
                               const char *index)
{
    struct sy_catalog *catalog = &server->catalog;

    pthread_mutex_lock(&catalog->mutex);
    for (uint32_t i = 0; i < catalog->n_indexes; i++) {
        const struct sy_index *at = catalog->indexes[i];

        if (strcmp(at->keyspace, keyspace) == 0 && (table == NULL || strcmp(at->table, table) == 0) &&
            (index == NULL || strcmp(at->name, index) == 0))
            remove_at((const void **)catalog->indexes, &catalog->n_indexes, i--);
    }
    pthread_mutex_unlock(&catalog->mutex);
}

/* --- putting tables in --- */

static struct sy_table_data *new_data(struct sy_server *server, const uint8_t id[16])
{
    struct sy_table_data *data = sy_arena_alloc(&server->catalog.permanent, sizeof(*data));

    memcpy(data->id, id, 16);
    data->n_partitions = 1;
    data->partitions = calloc(1, sizeof(*data->partitions));
    if (data->partitions == NULL)
        abort();
    data->next = server->catalog.data;
    server->catalog.data = data;
    return data;
}

static int compare_columns(const void *x, const void *y)
{
    const struct sy_table_column *a = x;
    const struct sy_table_column *b = y;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == SY_PARTITION_KEY || a->kind == SY_CLUSTERING)
        return (a->position > b->position) - (a->position < b->position);
    return strcmp(a->name, b->name);
}

static void number_columns(struct sy_table *table, struct sy_table_column *columns, struct sy_arena *arena)
{
    uint32_t *counts[] = {&table->n_partition_key, &table->n_clustering, &table->n_static, &table->n_regular};
    uint32_t *index_of_id;

    for (uint32_t i = 0; i < table->n_columns; i++) {
        columns[i].index = i;
        columns[i].position = (*counts[columns[i].kind])++;
        columns[i].name = sy_arena_text(arena, columns[i].name);
        if (columns[i].id >= table->n_ids)
            table->n_ids = columns[i].id + 1;
        table->is_counter = table->is_counter || columns[i].type->id == SY_COUNTER;
    }
    index_of_id = sy_arena_raw(arena, table->n_ids * sizeof(*index_of_id));
    memset(index_of_id, 0xff, table->n_ids * sizeof(*index_of_id));
    for (uint32_t i = 0; i < table->n_columns; i++)
        index_of_id[columns[i].id] = i;
    table->index_of_id = index_of_id;
}

/* The types by id, those of columns that are gone included. */
static void extend_types(struct sy_table_data *data, const struct sy_table *table, struct sy_arena *arena)
{
    uint32_t n = table->n_ids > data->types.n ? table->n_ids : data->types.n;
    const struct sy_type **types = sy_arena_alloc(arena, n * sizeof(*types));

    for (uint32_t i = 0; i < data->types.n; i++)
        types[i] = data->types.types[i];
    for (uint32_t i = 0; i < table->n_columns; i++)
        types[table->columns[i].id] = table->columns[i].type;
    data->types = (struct sy_column_types){.types = types, .n = n};
}

static struct sy_table *make_table(struct sy_server *server, const struct sy_table_draft *draft)
{
    struct sy_arena *arena = &server->catalog.permanent;
    struct sy_table *table = sy_arena_alloc(arena, sizeof(*table));
    struct sy_table_column *columns =
        (struct sy_table_column *)sy_arena_dup(arena, draft->columns, draft->n_columns * sizeof(*columns));
    struct sy_property *properties = sy_arena_alloc(arena, draft->n_properties * sizeof(*properties));

    qsort(columns, draft->n_columns, sizeof(*columns), compare_columns);
    *table = (struct sy_table){.keyspace = draft->keyspace,
                               .name = sy_arena_text(arena, draft->name),
                               .version = ++server->catalog.last_version,
                               .columns = columns,
                               .n_columns = draft->n_columns,
                               .default_ttl_s = draft->default_ttl_s,
                               .compact_storage = draft->compact_storage,
                               .is_cdc_log = draft->is_cdc_log,
                               .cdc = draft->cdc,
                               .has_cdc_options = draft->has_cdc_options,
                               .properties = properties,
                               .n_properties = draft->n_properties};
    memcpy(table->id, draft->id, 16);
    for (uint32_t i = 0; i < draft->n_properties; i++)
        properties[i] = sy_property_copy(arena, &draft->properties[i]);
    number_columns(table, columns, arena);
    table->data = draft->data != NULL ? draft->data : new_data(server, draft->id);
    extend_types(table->data, table, arena);
    return table;
}

struct sy_table *sy_table_install(struct sy_server *server, const struct sy_table_draft *draft)
{
    struct sy_catalog *catalog = &server->catalog;
    struct sy_table *table;
    uint32_t at;
    bool found;

    pthread_mutex_lock(&catalog->mutex);
    table = make_table(server, draft);
    table->data->current = table;
    at = table_place(catalog, table->keyspace->name, table->name, &found);
    if (found)
        catalog->tables[at] = table;
    else
        insert_at(catalog, (const void ***)&catalog->tables, &catalog->n_tables, at, table);
    pthread_mutex_unlock(&catalog->mutex);
    atomic_fetch_add(&catalog->generation, 1);
    return table;
}

void sy_table_remove(struct sy_server *server, const struct sy_table *table)
{
    struct sy_catalog *catalog = &server->catalog;
    struct sy_table_data *data = table->data;
    uint32_t at;
    bool found;

    pthread_mutex_lock(&catalog->mutex);
    at = table_place(catalog, table->keyspace->name, table->name, &found);
    if (found)
        remove_at((const void **)catalog->tables, &catalog->n_tables, at);
    data->current = NULL;
    pthread_mutex_unlock(&catalog->mutex);
    for (uint32_t i = 0; i < data->n_partitions; i++)
        sy_partitions_clear(&data->partitions[i]);
    atomic_fetch_add(&catalog->generation, 1);
}

void sy_table_link(struct sy_server *server, const char *keyspace, const char *name)
{
    struct sy_arena arena = {0};
    const struct sy_table *base = sy_catalog_table(server, keyspace, name);
    const struct sy_table *log = sy_catalog_table(server, keyspace, sy_log_table_name(&arena, name));

    sy_arena_free(&arena);
    if (base == NULL)
        return;
    if (log != NULL && !log->is_cdc_log)
        log = NULL;
    base->data->current->log = base->cdc.enabled ? log : NULL;
    if (log != NULL)
        log->data->current->base = base;
}

struct sy_table_draft sy_table_draft_of(const struct sy_table *table, struct sy_arena *arena, uint32_t more)
{
    struct sy_table_draft draft = {.keyspace = table->keyspace,
                                   .name = table->name,
                                   .n_columns = table->n_columns,
                                   .properties = table->properties,
                                   .n_properties = table->n_properties,
                                   .cdc = table->cdc,
                                   .has_cdc_options = table->has_cdc_options,
                                   .default_ttl_s = table->default_ttl_s,
                                   .compact_storage = table->compact_storage,
                                   .is_cdc_log = table->is_cdc_log,
                                   .data = table->data};

    memcpy(draft.id, table->id, 16);
    draft.columns = sy_arena_alloc(arena, ((size_t)table->n_columns + more) * sizeof(*draft.columns));
    memcpy(draft.columns, table->columns, table->n_columns * sizeof(*draft.columns));
    return draft;
}

struct sy_table_column *sy_table_draft_add(struct sy_table_draft *draft, const struct sy_column_spec *spec)
{
    uint32_t id = draft->data != NULL ? draft->data->types.n : 0;
    struct sy_table_column *column = &draft->columns[draft->n_columns];

    for (uint32_t i = 0; i < draft->n_columns; i++) {
        if (draft->columns[i].id >= id)
            id = draft->columns[i].id + 1;
    }
    *column = (struct sy_table_column){.name = spec->name,
                                       .type = spec->type,
                                       .kind = spec->kind,
                                       .id = id,
                                       .position = spec->position,
                                       .descending = spec->descending,
                                       .row_ttl = spec->row_ttl};
    draft->n_columns++;
    return column;
}

void sy_catalog_close(struct sy_server *server)
{
    struct sy_catalog *catalog = &server->catalog;

    for (struct sy_table_data *data = catalog->data; data != NULL; data = data->next) {
        for (uint32_t i = 0; i < data->n_partitions; i++)
            sy_partitions_clear(&data->partitions[i]);
        free(data->partitions);
    }
    sy_arena_free(&catalog->permanent);
    sy_arena_free(&catalog->statement_memory);
    pthread_mutex_destroy(&catalog->mutex);
}
