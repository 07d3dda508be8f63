/* SPDX-License-Identifier: Apache-2.0 */
#include "ddl.h"

#include "../cdc/cdc.h"

/* How long after a DROP a column of the same name may not come back while CDC is on. */
enum { READD_AFTER_S = 5 };

/* --- the log in step --- */

static bool follow_base(struct sy_ddl *ddl, const struct sy_table *base, bool is_new)
{
    const char *log_name = sy_log_table_name(ddl->arena, base->name);
    const struct sy_table *old = sy_catalog_table(ddl->server, base->keyspace->name, log_name);

    if (base->cdc.enabled) {
        if (sy_log_table_make(ddl->server, base, ddl->arena, ddl->error) == NULL)
            return false;
        sy_ddl_event(ddl, old == NULL ? "CREATED" : "UPDATED", "TABLE", base->keyspace->name, log_name);
    }
    sy_table_link(ddl->server, base->keyspace->name, base->name);
    if (is_new)
        sy_cdc_table_created(ddl->server, base);
    else
        sy_cdc_table_altered(ddl->server, base);
    return true;
}

static bool check_cdc(struct sy_ddl *ddl, const struct sy_table_draft *draft)
{
    const char *keyspace = draft->keyspace->name;
    const char *log_name = sy_log_table_name(ddl->arena, draft->name);
    const struct sy_table *log = sy_catalog_table(ddl->server, keyspace, log_name);

    if (!draft->cdc.enabled)
        return true;
    if (log != NULL && !log->is_cdc_log)
        return sy_fail(
            ddl->arena, ddl->error, 0x2200,
            "Cannot create CDC log table for table %s.%s because a table of name %s.%s already exists",
            keyspace, draft->name, keyspace, log_name);
    for (uint32_t i = 0; i < draft->n_columns; i++) {
        if (draft->columns[i].type->id == SY_COUNTER)
            return sy_fail(ddl->arena, ddl->error, 0x2200,
                           "Cannot create CDC log for table %s.%s. Counter support not implemented", keyspace,
                           draft->name);
        if (strncmp(draft->columns[i].name, "cdc$", 4) == 0)
            return sy_fail(
                ddl->arena, ddl->error, 0x2200,
                "Cannot create CDC log for table %s.%s. Column %s: names beginning with cdc$ are its own",
                keyspace, draft->name, draft->columns[i].name);
    }
    return true;
}

/* --- CREATE TABLE --- */

static bool check_columns(struct sy_ddl *ddl, const struct sy_table_spec *spec)
{
    uint32_t n_partition_key = 0;
    uint32_t n_clustering = 0;
    uint32_t n_static = 0;
    uint32_t n_counters = 0;
    uint32_t n_others = 0;

    for (uint32_t i = 0; i < spec->n_columns; i++) {
        const struct sy_column_spec *column = &spec->columns[i];

        n_partition_key += column->kind == SY_PARTITION_KEY;
        n_clustering += column->kind == SY_CLUSTERING;
        n_static += column->kind == SY_STATIC;
        if (column->kind == SY_STATIC || column->kind == SY_REGULAR)
            *(column->type->id == SY_COUNTER ? &n_counters : &n_others) += 1;
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(column->name, spec->columns[k].name) == 0)
                return sy_fail(ddl->arena, ddl->error, 0x2200, "Multiple definition of identifier %s",
                               column->name);
        }
    }
    if (n_partition_key == 0)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "No PRIMARY KEY specifed (exactly one required)");
    if (n_static > 0 && n_clustering == 0)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Static columns are only useful (and thus allowed) if the table has at least one "
                       "clustering column");
    if (n_counters > 0 && n_others > 0)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Cannot mix counter and non counter columns in the same table");
    return true;
}

static bool create_table(struct sy_ddl *ddl, const struct sy_table_spec *spec, bool if_not_exists)
{
    struct sy_table_draft draft = {.name = spec->name, .compact_storage = spec->compact_storage};
    struct sy_table *table;

    draft.keyspace = sy_ddl_keyspace(ddl, spec->keyspace);
    if (draft.keyspace == NULL)
        return false;
    if (sy_catalog_table(ddl->server, spec->keyspace, spec->name) != NULL) {
        if (if_not_exists)
            return true;
        return sy_ddl_exists(ddl, spec->keyspace, spec->name,
                             sy_arena_format(ddl->arena,
                                             "Cannot add already existing table \"%s\" to keyspace \"%s\"",
                                             spec->name, spec->keyspace));
    }
    if (!check_columns(ddl, spec))
        return false;
    draft.columns = sy_arena_alloc(ddl->arena, spec->n_columns * sizeof(*draft.columns));
    for (uint32_t i = 0; i < spec->n_columns; i++)
        sy_table_draft_add(&draft, &spec->columns[i]);
    if (!sy_properties_take(&draft, spec->properties, spec->n_properties, ddl->arena, ddl->error) ||
        !check_cdc(ddl, &draft))
        return false;
    if (spec->id != NULL)
        memcpy(draft.id, spec->id, sizeof(draft.id));
    else
        sy_store_timeuuid(ddl->server, sy_server_now_us(ddl->server), draft.id);
    table = sy_table_install(ddl->server, &draft);
    sy_ddl_event(ddl, "CREATED", "TABLE", spec->keyspace, spec->name);
    return follow_base(ddl, table, true);
}

bool sy_catalog_create_table(struct sy_server *server, const struct sy_table_spec *spec, bool if_not_exists,
                             struct sy_arena *arena, struct sy_schema_change *ret_change,
                             struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, create_table(&ddl, spec, if_not_exists));
}

/* --- ALTER TABLE --- */

static struct sy_table_column *draft_column(struct sy_table_draft *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->n_columns; i++) {
        if (strcmp(draft->columns[i].name, name) == 0)
            return &draft->columns[i];
    }
    return NULL;
}

static bool add_column(struct sy_ddl *ddl, struct sy_table_draft *draft, const struct sy_column_spec *spec)
{
    int64_t now_us = sy_server_now_us(ddl->server);

    if (draft_column(draft, spec->name) != NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Invalid column name %s because it conflicts with an existing column", spec->name);
    for (struct sy_dropped_column *old = draft->data->dropped; old != NULL; old = old->next) {
        if (strcmp(old->name, spec->name) != 0)
            continue;
        if (draft->cdc.enabled && old->dropped_us + (int64_t)READD_AFTER_S * 1000000 > now_us)
            return sy_fail(
                ddl->arena, ddl->error, 0x2200,
                "Cannot add column %s because a column with the same name was dropped too recently. "
                "Please retry after %d seconds",
                spec->name, (int)((old->dropped_us - now_us) / 1000000 + READD_AFTER_S + 1));
        if (sy_type_is_multi_cell(spec->type) && old->type != spec->type)
            return sy_fail(
                ddl->arena, ddl->error, 0x2200,
                "Cannot add a collection with the name %s because a collection with the same name and "
                "a different type has already been used in the past",
                spec->name);
    }
    sy_table_draft_add(draft, spec);
    return true;
}

static bool drop_column(struct sy_ddl *ddl, struct sy_table_draft *draft, const char *name)
{
    struct sy_table_column *column = draft_column(draft, name);
    struct sy_arena *memory = &ddl->server->catalog.statement_memory;
    struct sy_dropped_column *dropped;

    if (column == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Column %s was not found in table %s", name,
                       draft->name);
    if (column->kind == SY_PARTITION_KEY || column->kind == SY_CLUSTERING)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Cannot drop PRIMARY KEY part %s", name);
    dropped = sy_arena_alloc(memory, sizeof(*dropped));
    dropped->name = sy_arena_text(memory, name);
    dropped->type = column->type;
    dropped->is_static = column->kind == SY_STATIC;
    dropped->dropped_us = sy_server_now_us(ddl->server);
    dropped->next = draft->data->dropped;
    draft->data->dropped = dropped;
    *column = draft->columns[--draft->n_columns];
    return true;
}

static bool rename_column(struct sy_ddl *ddl, struct sy_table_draft *draft,
                          const struct sy_table_rename *rename)
{
    struct sy_table_column *column = draft_column(draft, rename->from);

    if (column == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Cannot rename unknown column %s in table %s",
                       rename->from, draft->name);
    if (draft_column(draft, rename->to) != NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Cannot rename column %s to %s in table %s; another column of that name already exist",
                       rename->from, rename->to, draft->name);
    if (column->kind != SY_PARTITION_KEY && column->kind != SY_CLUSTERING)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Cannot rename non PRIMARY KEY part %s", rename->from);
    column->name = rename->to;
    return true;
}

static bool change_columns(struct sy_ddl *ddl, const struct sy_table_alter *alter,
                           struct sy_table_draft *draft)
{
    for (uint32_t i = 0; i < alter->n_add; i++) {
        if (!add_column(ddl, draft, &alter->add[i]))
            return false;
    }
    for (uint32_t i = 0; i < alter->n_drop; i++) {
        if (!drop_column(ddl, draft, alter->drop[i]))
            return false;
    }
    for (uint32_t i = 0; i < alter->n_rename; i++) {
        if (!rename_column(ddl, draft, &alter->rename[i]))
            return false;
    }
    return true;
}

static bool alter_table(struct sy_ddl *ddl, const struct sy_table_alter *alter)
{
    const struct sy_table *table;
    struct sy_table_draft draft;

    if (sy_ddl_keyspace(ddl, alter->keyspace) == NULL)
        return false;
    table = sy_catalog_table(ddl->server, alter->keyspace, alter->name);
    if (table == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "unconfigured table %s", alter->name);
    if (table->is_cdc_log && alter->n_add + alter->n_drop + alter->n_rename > 0)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "You cannot modify the set of columns of a CDC log table directly. "
                       "Modify the base table instead.");
    draft = sy_table_draft_of(table, ddl->arena, alter->n_add);
    if (!change_columns(ddl, alter, &draft) ||
        !sy_properties_take(&draft, alter->properties, alter->n_properties, ddl->arena, ddl->error) ||
        !check_cdc(ddl, &draft))
        return false;
    sy_ddl_event(ddl, "UPDATED", "TABLE", alter->keyspace, alter->name);
    table = sy_table_install(ddl->server, &draft);
    if (table->is_cdc_log) {
        const char *base =
            sy_arena_dup(ddl->arena, table->name, strlen(table->name) - strlen("_scylla_cdc_log"));

        sy_table_link(ddl->server, alter->keyspace, base);
        return true;
    }
    return follow_base(ddl, table, false);
}

bool sy_catalog_alter_table(struct sy_server *server, const struct sy_table_alter *alter,
                            struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, alter_table(&ddl, alter));
}

/* --- DROP TABLE --- */

void sy_ddl_drop_one_table(struct sy_ddl *ddl, const struct sy_table *table)
{
    const char *log_name = sy_log_table_name(ddl->arena, table->name);
    const struct sy_table *log = sy_catalog_table(ddl->server, table->keyspace->name, log_name);

    sy_ddl_event(ddl, "DROPPED", "TABLE", table->keyspace->name, table->name);
    if (log != NULL && log->is_cdc_log && !table->is_cdc_log) {
        sy_ddl_event(ddl, "DROPPED", "TABLE", table->keyspace->name, log_name);
        sy_table_remove(ddl->server, log);
    }
    sy_cdc_table_dropped(ddl->server, table);
    sy_catalog_remove_indexes(ddl->server, table->keyspace->name, table->name, NULL);
    sy_table_remove(ddl->server, table);
}

static bool drop_table(struct sy_ddl *ddl, const char *keyspace, const char *name, bool if_exists)
{
    const struct sy_table *table = sy_catalog_table(ddl->server, keyspace, name);

    if (table == NULL && if_exists)
        return true;
    if (sy_ddl_keyspace(ddl, keyspace) == NULL)
        return false;
    if (table == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Cannot drop non existing table '%s' in keyspace '%s'.", name, keyspace);
    if (table->is_cdc_log && table->base != NULL && table->base->log == table)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Cannot drop table %s.%s: it is the CDC log of %s. Turn cdc off there first", keyspace,
                       name, table->base->name);
    sy_ddl_drop_one_table(ddl, table);
    return true;
}

bool sy_catalog_drop_table(struct sy_server *server, const char *keyspace, const char *name, bool if_exists,
                           struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, drop_table(&ddl, keyspace, name, if_exists));
}
