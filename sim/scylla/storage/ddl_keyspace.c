/* SPDX-License-Identifier: Apache-2.0 */
#include "ddl.h"

#include "../cdc/cdc.h"
#include "../types/bytes.h"

#include <stdlib.h>
#include <strings.h>

void sy_ddl_begin(struct sy_ddl *ddl, struct sy_server *server, struct sy_arena *arena,
                  struct sy_schema_change *ret_change, struct sy_error *error)
{
    *ddl = (struct sy_ddl){.server = server, .arena = arena, .ret_change = ret_change, .error = error};
    *ret_change = (struct sy_schema_change){0};
    ddl->locked = sy_server_lock_write(server);
}

void sy_ddl_event(struct sy_ddl *ddl, const char *change, const char *target, const char *keyspace,
                  const char *name)
{
    struct sy_schema_change event = {.change = change,
                                     .target = target,
                                     .keyspace = sy_arena_text(ddl->arena, keyspace),
                                     .name = sy_arena_text(ddl->arena, name)};

    if (ddl->n_events == 0)
        *ddl->ret_change = event;
    if (ddl->n_events < SY_DDL_MAX_EVENTS)
        ddl->events[ddl->n_events++] = event;
}

bool sy_ddl_end(struct sy_ddl *ddl, bool ok)
{
    bool changed = ok && ddl->n_events > 0;

    if (changed) {
        sy_system_new_schema_version(ddl->server);
        ddl->server->catalog.schema_rows_stale = true;
        sy_journal_catalog(ddl->server);
        atomic_fetch_add(&ddl->server->catalog.generation, 1);
    }
    sy_server_unlock(ddl->server, ddl->locked);
    for (uint32_t i = 0; changed && i < ddl->n_events; i++) {
        for (struct sy_listener *l = ddl->server->listeners; l != NULL; l = l->next)
            l->call(l->ctx, &ddl->events[i]);
    }
    return ok;
}

const struct sy_keyspace *sy_ddl_keyspace(struct sy_ddl *ddl, const char *name)
{
    const struct sy_keyspace *keyspace = sy_catalog_keyspace(ddl->server, name);

    if (keyspace == NULL) {
        sy_fail(ddl->arena, ddl->error, 0x2300, "Keyspace '%s' doesn't exist", name);
        return NULL;
    }
    if (keyspace->system) {
        sy_fail(ddl->arena, ddl->error, 0x2100, "%s keyspace is not user-modifiable.", name);
        return NULL;
    }
    return keyspace;
}

bool sy_ddl_exists(struct sy_ddl *ddl, const char *keyspace, const char *table, const char *message)
{
    size_t n = strlen(keyspace);
    size_t m = strlen(table);
    uint8_t *bytes = sy_arena_raw(ddl->arena, n + m + 4);

    sy_put_u16(bytes, (uint16_t)n);
    memcpy(bytes + 2, keyspace, n);
    sy_put_u16(bytes + 2 + n, (uint16_t)m);
    memcpy(bytes + 4 + n, table, m);
    sy_fail(ddl->arena, ddl->error, 0x2400, "%s", message);
    ddl->error->extra = (struct sy_value){.len = (int32_t)(n + m + 4), .bytes = bytes};
    return false;
}

/* --- CREATE, ALTER, DROP KEYSPACE --- */

static bool take_tablets(struct sy_ddl *ddl, const struct sy_property *property, struct sy_keyspace *keyspace)
{
    const char *enabled = sy_property_get(property, "enabled");
    const char *initial = sy_property_get(property, "initial");
    char *end;

    keyspace->tablets = enabled == NULL || strcasecmp(enabled, "true") == 0;
    keyspace->initial_tablets = 0;
    if (initial != NULL) {
        unsigned long n = strtoul(initial, &end, 10);

        if (*initial == '\0' || *end != '\0' || n > 65536)
            return sy_fail(ddl->arena, ddl->error, 0x2300, "Initial number of tablets: %s is no number",
                           initial);
        keyspace->initial_tablets = (uint32_t)n;
    }
    return true;
}

/* NetworkTopologyStrategy's replication_factor is one for each data centre, and is kept and shown as that. */
static void spread_over_centers(struct sy_property *replication, struct sy_arena *arena)
{
    const char *class = sy_property_get(replication, "class");
    const char **keys = sy_arena_alloc(arena, replication->n * sizeof(*keys));

    if (!strstr(class, "NetworkTopologyStrategy") || sy_property_get(replication, SY_DATA_CENTER))
        return;
    for (uint32_t i = 0; i < replication->n; i++)
        keys[i] =
            strcmp(replication->keys[i], "replication_factor") == 0 ? SY_DATA_CENTER : replication->keys[i];
    replication->keys = keys;
}

static bool take_properties(struct sy_ddl *ddl, const struct sy_property *props, uint32_t n,
                            struct sy_keyspace *keyspace, bool *ret_replication)
{
    struct sy_arena *permanent = &ddl->server->catalog.statement_memory;

    *ret_replication = false;
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(props[i].name, "replication") == 0) {
            if (sy_property_get(&props[i], "class") == NULL)
                return sy_fail(ddl->arena, ddl->error, 0x2300, "Missing replication strategy class");
            keyspace->replication = sy_property_copy(permanent, &props[i]);
            spread_over_centers(&keyspace->replication, permanent);
            *ret_replication = true;
        } else if (strcmp(props[i].name, "durable_writes") == 0) {
            keyspace->durable_writes = props[i].text == NULL || strcasecmp(props[i].text, "false") != 0;
        } else if (strcmp(props[i].name, "tablets") == 0) {
            if (!take_tablets(ddl, &props[i], keyspace))
                return false;
        } else if (strcmp(props[i].name, "storage") != 0 && strcmp(props[i].name, "consistency") != 0) {
            return sy_fail(ddl->arena, ddl->error, 0x2000, "Unknown property '%s'", props[i].name);
        }
    }
    return true;
}

static bool create_keyspace(struct sy_ddl *ddl, const char *name, const struct sy_property *props, uint32_t n,
                            bool if_not_exists)
{
    struct sy_arena *permanent = &ddl->server->catalog.statement_memory;
    struct sy_keyspace *keyspace;
    bool has_replication;

    if (sy_catalog_keyspace(ddl->server, name) != NULL) {
        if (if_not_exists)
            return true;
        return sy_ddl_exists(ddl, name, "",
                             sy_arena_format(ddl->arena, "Keyspace '%s' already exists", name));
    }
    keyspace = sy_arena_alloc(permanent, sizeof(*keyspace));
    keyspace->name = sy_arena_text(permanent, name);
    keyspace->durable_writes = true;
    if (!take_properties(ddl, props, n, keyspace, &has_replication))
        return false;
    if (!has_replication)
        return sy_fail(ddl->arena, ddl->error, 0x2300, "Missing mandatory replication strategy class");
    sy_catalog_put_keyspace(ddl->server, keyspace);
    sy_ddl_event(ddl, "CREATED", "KEYSPACE", name, "");
    return true;
}

bool sy_catalog_create_keyspace(struct sy_server *server, const char *name, const struct sy_property *props,
                                uint32_t n_props, bool if_not_exists, struct sy_arena *arena,
                                struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, create_keyspace(&ddl, name, props, n_props, if_not_exists));
}

/* Tables point to their keyspace: they get a version that points to the new one. */
static void move_tables(struct sy_ddl *ddl, const struct sy_keyspace *keyspace)
{
    const struct sy_table *const *tables;
    uint32_t n = sy_catalog_tables(ddl->server, keyspace->name, ddl->arena, &tables);

    for (uint32_t i = 0; i < n; i++) {
        struct sy_table_draft draft = sy_table_draft_of(tables[i], ddl->arena, 0);

        draft.keyspace = keyspace;
        sy_table_install(ddl->server, &draft);
    }
    for (uint32_t i = 0; i < n; i++)
        sy_table_link(ddl->server, keyspace->name, tables[i]->name);
}

static bool alter_keyspace(struct sy_ddl *ddl, const char *name, const struct sy_property *props, uint32_t n)
{
    const struct sy_keyspace *old = sy_catalog_keyspace(ddl->server, name);
    struct sy_keyspace *keyspace;
    bool has_replication;

    if (old == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Unknown keyspace %s", name);
    keyspace = sy_arena_alloc(&ddl->server->catalog.statement_memory, sizeof(*keyspace));
    *keyspace = *old;
    if (!take_properties(ddl, props, n, keyspace, &has_replication))
        return false;
    if (keyspace->tablets != old->tablets)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Cannot alter replication strategy vnode/tablets flavor");
    sy_catalog_put_keyspace(ddl->server, keyspace);
    move_tables(ddl, keyspace);
    sy_ddl_event(ddl, "UPDATED", "KEYSPACE", name, "");
    return true;
}

bool sy_catalog_alter_keyspace(struct sy_server *server, const char *name, const struct sy_property *props,
                               uint32_t n_props, struct sy_arena *arena, struct sy_schema_change *ret_change,
                               struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, alter_keyspace(&ddl, name, props, n_props));
}

static bool drop_keyspace(struct sy_ddl *ddl, const char *name, bool if_exists)
{
    const struct sy_table *const *tables;
    uint32_t n;

    if (sy_catalog_keyspace(ddl->server, name) == NULL && if_exists)
        return true;
    if (sy_ddl_keyspace(ddl, name) == NULL)
        return false;
    sy_ddl_event(ddl, "DROPPED", "KEYSPACE", name, "");
    n = sy_catalog_tables(ddl->server, name, ddl->arena, &tables);
    for (uint32_t i = 0; i < n; i++) {
        sy_cdc_table_dropped(ddl->server, tables[i]);
        sy_table_remove(ddl->server, tables[i]);
    }
    sy_catalog_remove_indexes(ddl->server, name, NULL, NULL);
    sy_catalog_remove_type(ddl->server, name, NULL);
    sy_catalog_remove_keyspace(ddl->server, name);
    return true;
}

bool sy_catalog_drop_keyspace(struct sy_server *server, const char *name, bool if_exists,
                              struct sy_arena *arena, struct sy_schema_change *ret_change,
                              struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, drop_keyspace(&ddl, name, if_exists));
}
