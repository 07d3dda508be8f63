/* SPDX-License-Identifier: Apache-2.0 */
#include "ddl.h"

const struct sy_type *sy_type_substitute(struct sy_server *server, const struct sy_type *type,
                                         const struct sy_type *changed)
{
    struct sy_arena arena = {0};
    const struct sy_type *result = type;
    struct sy_type face = *type;
    const struct sy_type **parts;
    bool touched = false;

    if (type->id == SY_UDT && strcmp(type->keyspace, changed->keyspace) == 0 &&
        strcmp(type->name, changed->name) == 0)
        return sy_type_freeze(server, changed, type->frozen);
    if (type->n_parts == 0)
        return type;
    parts = sy_arena_raw(&arena, type->n_parts * sizeof(*parts));
    for (uint32_t i = 0; i < type->n_parts; i++) {
        parts[i] = sy_type_substitute(server, type->parts[i], changed);
        touched = touched || parts[i] != type->parts[i];
    }
    face.parts = parts;
    if (touched)
        result = sy_type_intern(server, &face);
    sy_arena_free(&arena);
    return result;
}

/* User types and tables of the keyspace that have the type in them get its new shape. */
static bool spread_change(struct sy_ddl *ddl, const struct sy_type *changed)
{
    struct sy_catalog *catalog = &ddl->server->catalog;
    const struct sy_table *const *tables;
    uint32_t n = sy_catalog_tables(ddl->server, changed->keyspace, ddl->arena, &tables);

    sy_catalog_put_type(ddl->server, changed);
    for (uint32_t i = 0; i < catalog->n_user_types; i++) {
        const struct sy_type *other = catalog->user_types[i];
        const struct sy_type *next = sy_type_substitute(ddl->server, other, changed);

        if (next != other && other != changed && strcmp(other->name, changed->name) != 0)
            return spread_change(ddl, next) && spread_change(ddl, changed);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct sy_table_draft draft = sy_table_draft_of(tables[i], ddl->arena, 0);
        const struct sy_table *table;
        bool touched = false;

        for (uint32_t k = 0; k < draft.n_columns; k++) {
            const struct sy_type *next = sy_type_substitute(ddl->server, draft.columns[k].type, changed);

            touched = touched || next != draft.columns[k].type;
            draft.columns[k].type = next;
        }
        if (!touched || tables[i]->is_cdc_log)
            continue;
        table = sy_table_install(ddl->server, &draft);
        if (table->cdc.enabled && sy_log_table_make(ddl->server, table, ddl->arena, ddl->error) == NULL)
            return false;
        sy_table_link(ddl->server, table->keyspace->name, table->name);
    }
    return true;
}

/* --- CREATE TYPE --- */

static bool create_type(struct sy_ddl *ddl, const struct sy_type *shape, bool if_not_exists)
{
    if (sy_ddl_keyspace(ddl, shape->keyspace) == NULL)
        return false;
    if (sy_catalog_type(ddl->server, shape->keyspace, shape->name) != NULL) {
        if (if_not_exists)
            return true;
        return sy_fail(ddl->arena, ddl->error, 0x2200, "A user type of name %s.%s already exists",
                       shape->keyspace, shape->name);
    }
    for (uint32_t i = 0; i < shape->n_parts; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(shape->field_names[i], shape->field_names[k]) == 0)
                return sy_fail(ddl->arena, ddl->error, 0x2200, "Duplicate field name %s in type %s",
                               shape->field_names[i], shape->name);
        }
    }
    sy_catalog_put_type(ddl->server, sy_type_intern(ddl->server, shape));
    sy_ddl_event(ddl, "CREATED", "TYPE", shape->keyspace, shape->name);
    return true;
}

bool sy_catalog_create_type(struct sy_server *server, const char *keyspace, const char *name,
                            const char *const *field_names, const struct sy_type *const *field_types,
                            uint32_t n_fields, bool if_not_exists, struct sy_arena *arena,
                            struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_type shape = {.id = SY_UDT,
                            .n_parts = n_fields,
                            .parts = field_types,
                            .keyspace = keyspace,
                            .name = name,
                            .field_names = field_names};
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, create_type(&ddl, &shape, if_not_exists));
}

/* --- ALTER TYPE --- */

static bool alter_type(struct sy_ddl *ddl, const char *keyspace, const char *name, const char *field,
                       const char *to_name, const struct sy_type *add_type)
{
    const struct sy_type *old = sy_catalog_type(ddl->server, keyspace, name);
    const struct sy_type **parts;
    const char **names;
    struct sy_type shape;
    uint32_t at = 0;

    if (sy_ddl_keyspace(ddl, keyspace) == NULL)
        return false;
    if (old == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "No user type named %s.%s exists.", keyspace, name);
    parts = sy_arena_raw(ddl->arena, (old->n_parts + 1) * sizeof(*parts));
    names = sy_arena_raw(ddl->arena, (old->n_parts + 1) * sizeof(*names));
    for (uint32_t i = 0; i < old->n_parts; i++) {
        parts[i] = old->parts[i];
        names[i] = old->field_names[i];
    }
    while (at < old->n_parts && strcmp(names[at], field) != 0)
        at++;
    if (to_name == NULL && at < old->n_parts)
        return sy_fail(ddl->arena, ddl->error, 0x2200,
                       "Cannot add new field %s to type %s.%s: a field of the same name already exists",
                       field, keyspace, name);
    if (to_name != NULL && at == old->n_parts)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "Unknown field %s in type %s.%s", field, keyspace,
                       name);
    names[at] = to_name != NULL ? to_name : field;
    if (to_name == NULL)
        parts[at] = add_type;
    shape = *old;
    shape.n_parts = old->n_parts + (to_name == NULL ? 1 : 0);
    shape.parts = parts;
    shape.field_names = names;
    sy_ddl_event(ddl, "UPDATED", "TYPE", keyspace, name);
    return spread_change(ddl, sy_type_intern(ddl->server, &shape));
}

bool sy_catalog_alter_type(struct sy_server *server, const char *keyspace, const char *name,
                           const char *field, const char *to_name, const struct sy_type *add_type,
                           struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, alter_type(&ddl, keyspace, name, field, to_name, add_type));
}

/* --- DROP TYPE --- */

static bool uses(const struct sy_type *type, const struct sy_type *sought)
{
    if (type->id == SY_UDT && strcmp(type->keyspace, sought->keyspace) == 0 &&
        strcmp(type->name, sought->name) == 0)
        return true;
    for (uint32_t i = 0; i < type->n_parts; i++) {
        if (uses(type->parts[i], sought))
            return true;
    }
    return false;
}

static bool is_unused(struct sy_ddl *ddl, const struct sy_type *type)
{
    struct sy_catalog *catalog = &ddl->server->catalog;

    for (uint32_t i = 0; i < catalog->n_user_types; i++) {
        const struct sy_type *other = catalog->user_types[i];

        if (other != type && uses(other, type))
            return sy_fail(ddl->arena, ddl->error, 0x2200,
                           "Cannot drop user type %s.%s as it is still used by user type %s", type->keyspace,
                           type->name, other->name);
    }
    for (uint32_t i = 0; i < catalog->n_tables; i++) {
        const struct sy_table *table = catalog->tables[i];

        for (uint32_t k = 0; k < table->n_columns; k++) {
            if (uses(table->columns[k].type, type))
                return sy_fail(ddl->arena, ddl->error, 0x2200,
                               "Cannot drop user type %s.%s as it is still used by table %s.%s",
                               type->keyspace, type->name, table->keyspace->name, table->name);
        }
    }
    return true;
}

static bool drop_type(struct sy_ddl *ddl, const char *keyspace, const char *name, bool if_exists)
{
    const struct sy_type *type = sy_catalog_type(ddl->server, keyspace, name);

    if (type == NULL && if_exists)
        return true;
    if (sy_ddl_keyspace(ddl, keyspace) == NULL)
        return false;
    if (type == NULL)
        return sy_fail(ddl->arena, ddl->error, 0x2200, "No user type named %s.%s exists.", keyspace, name);
    if (!is_unused(ddl, type))
        return false;
    sy_ddl_event(ddl, "DROPPED", "TYPE", keyspace, name);
    sy_catalog_remove_type(ddl->server, keyspace, name);
    return true;
}

bool sy_catalog_drop_type(struct sy_server *server, const char *keyspace, const char *name, bool if_exists,
                          struct sy_arena *arena, struct sy_schema_change *ret_change, struct sy_error *ret)
{
    struct sy_ddl ddl;

    sy_ddl_begin(&ddl, server, arena, ret_change, ret);
    return sy_ddl_end(&ddl, drop_type(&ddl, keyspace, name, if_exists));
}
