/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include "server.h"

#include <stdlib.h>
#include <string.h>

struct sy_interned {
    struct sy_interned *next;
    struct sy_type type;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_type(const struct sy_type *a, const struct sy_type *b)
{
    if (a->id != b->id || a->frozen != b->frozen || a->n_parts != b->n_parts ||
        !same_text(a->keyspace, b->keyspace) || !same_text(a->name, b->name))
        return false;
    for (uint32_t i = 0; i < a->n_parts; i++) {
        if (a->parts[i] != b->parts[i])
            return false;
        if (a->id == SY_UDT && strcmp(a->field_names[i], b->field_names[i]) != 0)
            return false;
    }
    return true;
}

static struct sy_interned *copy_type(struct sy_arena *arena, const struct sy_type *type)
{
    struct sy_interned *copy = sy_arena_alloc(arena, sizeof(*copy));
    const struct sy_type **parts = sy_arena_alloc(arena, type->n_parts * sizeof(const struct sy_type *));
    const char **names = sy_arena_alloc(arena, type->n_parts * sizeof(const char *));

    for (uint32_t i = 0; i < type->n_parts; i++) {
        parts[i] = type->parts[i];
        names[i] = type->id == SY_UDT ? sy_arena_text(arena, type->field_names[i]) : NULL;
    }
    copy->type = *type;
    copy->type.parts = parts;
    copy->type.field_names = type->id == SY_UDT ? names : NULL;
    copy->type.keyspace = type->keyspace != NULL ? sy_arena_text(arena, type->keyspace) : NULL;
    copy->type.name = type->name != NULL ? sy_arena_text(arena, type->name) : NULL;
    return copy;
}

const struct sy_type *sy_type_intern(struct sy_server *server, const struct sy_type *type)
{
    struct sy_catalog *catalog = &server->catalog;
    struct sy_interned *found;

    pthread_mutex_lock(&catalog->mutex);
    for (found = catalog->interned; found != NULL; found = found->next) {
        if (same_type(&found->type, type))
            break;
    }
    if (found == NULL) {
        found = copy_type(&catalog->permanent, type);
        found->next = catalog->interned;
        catalog->interned = found;
    }
    pthread_mutex_unlock(&catalog->mutex);
    return &found->type;
}

const struct sy_type *sy_type_list(struct sy_server *server, const struct sy_type *element, bool frozen)
{
    return sy_type_intern(
        server, &(struct sy_type){.id = SY_LIST, .frozen = frozen, .n_parts = 1, .parts = &element});
}

const struct sy_type *sy_type_set(struct sy_server *server, const struct sy_type *element, bool frozen)
{
    return sy_type_intern(server,
                          &(struct sy_type){.id = SY_SET, .frozen = frozen, .n_parts = 1, .parts = &element});
}

const struct sy_type *sy_type_map(struct sy_server *server, const struct sy_type *key,
                                  const struct sy_type *value, bool frozen)
{
    const struct sy_type *parts[2] = {key, value};

    return sy_type_intern(server,
                          &(struct sy_type){.id = SY_MAP, .frozen = frozen, .n_parts = 2, .parts = parts});
}

const struct sy_type *sy_type_tuple(struct sy_server *server, const struct sy_type *const *parts, uint32_t n)
{
    return sy_type_intern(server,
                          &(struct sy_type){.id = SY_TUPLE, .frozen = true, .n_parts = n, .parts = parts});
}

const struct sy_type *sy_type_freeze(struct sy_server *server, const struct sy_type *type, bool frozen)
{
    struct sy_type face = *type;

    if (type->frozen == frozen || type->id == SY_TUPLE || type->n_parts == 0)
        return type;
    face.frozen = frozen;
    return sy_type_intern(server, &face);
}
