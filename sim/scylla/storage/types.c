/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include "server.h"

#include <stdlib.h>
#include <string.h>

struct sy_interned {
    struct sy_interned *next;
    struct sy_type type;
};

struct native {
    enum sy_type_id id;
    const char *name;
    const char *class_name;
};

static const struct native natives[] = {
    {SY_ASCII, "ascii", "AsciiType"},
    {SY_BIGINT, "bigint", "LongType"},
    {SY_BLOB, "blob", "BytesType"},
    {SY_BOOLEAN, "boolean", "BooleanType"},
    {SY_COUNTER, "counter", "CounterColumnType"},
    {SY_DECIMAL, "decimal", "DecimalType"},
    {SY_DOUBLE, "double", "DoubleType"},
    {SY_FLOAT, "float", "FloatType"},
    {SY_INT, "int", "Int32Type"},
    {SY_TIMESTAMP, "timestamp", "TimestampType"},
    {SY_UUID, "uuid", "UUIDType"},
    {SY_TEXT, "text", "UTF8Type"},
    {SY_VARINT, "varint", "IntegerType"},
    {SY_TIMEUUID, "timeuuid", "TimeUUIDType"},
    {SY_INET, "inet", "InetAddressType"},
    {SY_DATE, "date", "SimpleDateType"},
    {SY_TIME, "time", "TimeType"},
    {SY_SMALLINT, "smallint", "ShortType"},
    {SY_TINYINT, "tinyint", "ByteType"},
    {SY_DURATION, "duration", "DurationType"},
};
enum { N_NATIVES = sizeof(natives) / sizeof(natives[0]) };

/* Static, so that any two servers agree on them. */
static const struct sy_type native_types[N_NATIVES] = {
    {.id = SY_ASCII},   {.id = SY_BIGINT}, {.id = SY_BLOB},     {.id = SY_BOOLEAN},  {.id = SY_COUNTER},
    {.id = SY_DECIMAL}, {.id = SY_DOUBLE}, {.id = SY_FLOAT},    {.id = SY_INT},      {.id = SY_TIMESTAMP},
    {.id = SY_UUID},    {.id = SY_TEXT},   {.id = SY_VARINT},   {.id = SY_TIMEUUID}, {.id = SY_INET},
    {.id = SY_DATE},    {.id = SY_TIME},   {.id = SY_SMALLINT}, {.id = SY_TINYINT},  {.id = SY_DURATION},
};

const struct sy_type *sy_type_native(enum sy_type_id id)
{
    for (uint32_t i = 0; i < N_NATIVES; i++) {
        if (natives[i].id == id)
            return &native_types[i];
    }
    return NULL;
}

const struct sy_type *sy_type_by_name(const char *name)
{
    if (strcmp(name, "varchar") == 0)
        return sy_type_native(SY_TEXT);
    for (uint32_t i = 0; i < N_NATIVES; i++) {
        if (strcmp(natives[i].name, name) == 0)
            return &native_types[i];
    }
    return NULL;
}

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

const struct sy_type *sy_type_path(const struct sy_type *type)
{
    switch (type->id) {
    case SY_LIST: return sy_type_native(SY_TIMEUUID);
    case SY_UDT: return sy_type_native(SY_SMALLINT);
    case SY_SET:
    case SY_MAP: return type->parts[0];
    default: return NULL;
    }
}

/* --- names --- */

static const char *join_parts(struct sy_arena *arena, const struct sy_type *type, const char *separator,
                              const char *(*name)(struct sy_arena *, const struct sy_type *))
{
    const char *text = "";

    for (uint32_t i = 0; i < type->n_parts; i++)
        text = sy_arena_format(arena, "%s%s%s", text, i > 0 ? separator : "", name(arena, type->parts[i]));
    return text;
}

/* A user type's name, in quotes when it needs them. */
static const char *quoted(struct sy_arena *arena, const char *name)
{
    bool plain = name[0] >= 'a' && name[0] <= 'z';

    for (const char *at = name; *at != '\0'; at++)
        plain = plain && ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_');
    return plain ? name : sy_arena_format(arena, "\"%s\"", name);
}

const char *sy_type_name(struct sy_arena *arena, const struct sy_type *type)
{
    const char *text = "custom";

    for (uint32_t i = 0; i < N_NATIVES; i++) {
        if (natives[i].id == type->id)
            return natives[i].name;
    }
    if (type->id == SY_UDT)
        text = quoted(arena, type->name);
    else if (type->id == SY_LIST)
        text = sy_arena_format(arena, "list<%s>", join_parts(arena, type, ", ", sy_type_name));
    else if (type->id == SY_SET)
        text = sy_arena_format(arena, "set<%s>", join_parts(arena, type, ", ", sy_type_name));
    else if (type->id == SY_MAP)
        text = sy_arena_format(arena, "map<%s>", join_parts(arena, type, ", ", sy_type_name));
    else if (type->id == SY_TUPLE)
        text = sy_arena_format(arena, "tuple<%s>", join_parts(arena, type, ", ", sy_type_name));
    return type->frozen ? sy_arena_format(arena, "frozen<%s>", text) : text;
}

#define MARSHAL "org.apache.cassandra.db.marshal."

const char *sy_type_class_name(struct sy_arena *arena, const struct sy_type *type)
{
    static const struct {
        enum sy_type_id id;
        const char *name;
    } built[] = {{SY_LIST, "ListType"}, {SY_SET, "SetType"}, {SY_MAP, "MapType"}, {SY_TUPLE, "TupleType"}};
    const char *text = MARSHAL "BytesType";

    for (uint32_t i = 0; i < N_NATIVES; i++) {
        if (natives[i].id == type->id)
            return sy_arena_format(arena, MARSHAL "%s", natives[i].class_name);
    }
    for (uint32_t i = 0; i < sizeof(built) / sizeof(built[0]); i++) {
        if (built[i].id == type->id)
            text = sy_arena_format(arena, MARSHAL "%s(%s)", built[i].name,
                                   join_parts(arena, type, ",", sy_type_class_name));
    }
    if (type->id == SY_UDT)
        text = sy_arena_format(arena, MARSHAL "UserType(%s,%s,%s)", type->keyspace, type->name,
                               join_parts(arena, type, ",", sy_type_class_name));
    return type->frozen && type->id != SY_TUPLE ? sy_arena_format(arena, MARSHAL "FrozenType(%s)", text)
                                                : text;
}
