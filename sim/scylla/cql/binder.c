/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include <stdarg.h>
#include <string.h>

#include "../storage/arena.h"

void sy_binder_init(struct sy_binder *binder, struct sy_server *server, const char *keyspace,
                    const struct sy_statement *statement, struct sy_arena *arena)
{
    *binder = (struct sy_binder){.server = server,
                                 .keyspace = keyspace,
                                 .arena = arena,
                                 .n_markers = statement->n_markers,
                                 .marker_names = statement->marker_names};
    binder->markers = sy_arena_alloc(arena, statement->n_markers * sizeof *binder->markers);
}

bool sy_bind_fail(struct sy_binder *binder, int32_t code, const char *format, ...)
{
    if (binder->failed)
        return false;
    va_list args;
    va_start(args, format);
    binder->error.code = code;
    binder->error.message = sy_arena_vformat(binder->arena, format, args);
    binder->error.extra.len = SY_NULL;
    va_end(args);
    binder->failed = true;
    return false;
}

const char *sy_bind_keyspace(struct sy_binder *binder, const char *keyspace)
{
    if (keyspace == NULL)
        keyspace = binder->keyspace;
    if (keyspace == NULL)
        sy_bind_fail(binder, 0x2200,
                     "No keyspace has been specified. USE a keyspace, or explicitly specify "
                     "keyspace.tablename");
    return keyspace;
}

bool sy_bind_table(struct sy_binder *binder, const char *keyspace, const char *table)
{
    keyspace = sy_bind_keyspace(binder, keyspace);
    if (keyspace == NULL)
        return false;
    binder->table = sy_catalog_table(binder->server, keyspace, table);
    if (binder->table != NULL)
        return true;
    if (sy_catalog_keyspace(binder->server, keyspace) == NULL)
        return sy_bind_fail(binder, 0x2200, "Keyspace %s does not exist", keyspace);
    return sy_bind_fail(binder, 0x2200, "unconfigured table %s", table);
}

const struct sy_table_column *sy_bind_column(const struct sy_binder *binder, const char *name)
{
    return sy_table_column_named(binder->table, name, strlen(name));
}

static const struct sy_type *bind_collection(struct sy_binder *binder, const char *keyspace,
                                             const struct sy_type_name *name)
{
    const struct sy_type *parts[2] = {NULL, NULL};
    uint32_t want = strcmp(name->name, "map") == 0 ? 2 : 1;
    if (name->n_parts != want) {
        sy_bind_fail(binder, 0x2000, "%s takes %u type%s, not %u", name->name, want, want == 1 ? "" : "s",
                     name->n_parts);
        return NULL;
    }
    for (uint32_t i = 0; i < want; i++) {
        parts[i] = sy_bind_type(binder, keyspace, name->parts[i]);
        if (parts[i] == NULL)
            return NULL;
        if (parts[i]->id == SY_COUNTER) {
            sy_bind_fail(binder, 0x2200, "Counters are not allowed inside collections");
            return NULL;
        }
        if (sy_type_is_multi_cell(parts[i]) && binder->freezing > 0)
            parts[i] = sy_type_freeze(binder->server, parts[i], true);
        if (sy_type_is_multi_cell(parts[i])) {
            sy_bind_fail(binder, 0x2200, "Non-frozen %s are not allowed inside collections",
                         parts[i]->id == SY_UDT ? "user types" : "collections");
            return NULL;
        }
    }
    if (parts[0]->id == SY_DURATION && strcmp(name->name, "list") != 0) {
        sy_bind_fail(binder, 0x2200, "Durations are not allowed %s",
                     want == 2 ? "as map keys" : "inside sets");
        return NULL;
    }
    if (want == 2)
        return sy_type_map(binder->server, parts[0], parts[1], false);
    return name->name[0] == 'l' ? sy_type_list(binder->server, parts[0], false)
                                : sy_type_set(binder->server, parts[0], false);
}

static const struct sy_type *bind_tuple(struct sy_binder *binder, const char *keyspace,
                                        const struct sy_type_name *name)
{
    const struct sy_type **parts = sy_arena_alloc(binder->arena, name->n_parts * sizeof *parts);
    for (uint32_t i = 0; i < name->n_parts; i++) {
        parts[i] = sy_bind_type(binder, keyspace, name->parts[i]);
        if (parts[i] == NULL)
            return NULL;
        if (sy_type_is_multi_cell(parts[i])) /* a tuple freezes what is in it */
            parts[i] = sy_type_freeze(binder->server, parts[i], true);
    }
    return sy_type_tuple(binder->server, parts, name->n_parts);
}

static const struct sy_type *bind_frozen(struct sy_binder *binder, const char *keyspace,
                                         const struct sy_type_name *name)
{
    if (name->n_parts != 1) {
        sy_bind_fail(binder, 0x2000, "frozen<> takes one type");
        return NULL;
    }
    const struct sy_type_name *inner = name->parts[0];
    binder->freezing++;
    const struct sy_type *type = sy_bind_type(binder, keyspace, inner);
    binder->freezing--;
    if (type == NULL)
        return NULL;
    if (type->id == SY_TUPLE || sy_type_is_multi_cell(type) || type->frozen)
        return type->id == SY_TUPLE ? type : sy_type_freeze(binder->server, type, true);
    sy_bind_fail(binder, 0x2200,
                 "frozen<> is only allowed on collections, tuples, and user-defined types (got %s)",
                 inner->name);
    return NULL;
}

static bool is_collection_name(const char *name)
{
    return strcmp(name, "list") == 0 || strcmp(name, "set") == 0 || strcmp(name, "map") == 0;
}

const struct sy_type *sy_bind_type(struct sy_binder *binder, const char *keyspace,
                                   const struct sy_type_name *name)
{
    const struct sy_type *type = NULL;
    if (!name->quoted && name->keyspace == NULL) {
        if (strcmp(name->name, "frozen") == 0)
            return bind_frozen(binder, keyspace, name);
        if (strcmp(name->name, "tuple") == 0 && name->n_parts > 0)
            return bind_tuple(binder, keyspace, name);
        if (is_collection_name(name->name) && name->n_parts > 0)
            return bind_collection(binder, keyspace, name);
        type = name->n_parts == 0 ? sy_type_by_name(name->name) : NULL;
    }
    if (type == NULL && name->n_parts == 0) {
        if (name->keyspace != NULL && keyspace != NULL && strcmp(name->keyspace, keyspace) != 0) {
            sy_bind_fail(
                binder, 0x2200,
                "Statement on keyspace %s cannot refer to a user type in keyspace %s; user types can "
                "only be used in the keyspace they are defined in",
                keyspace, name->keyspace);
            return NULL;
        }
        const char *home = name->keyspace != NULL ? name->keyspace : keyspace;
        type = home != NULL ? sy_catalog_type(binder->server, home, name->name) : NULL;
    }
    if (type == NULL)
        sy_bind_fail(binder, 0x2200, "Unknown type %s%s%s", keyspace != NULL ? keyspace : "",
                     keyspace != NULL ? "." : "", name->name);
    return type;
}
