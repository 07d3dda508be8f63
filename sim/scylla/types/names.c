/* SPDX-License-Identifier: Apache-2.0 */
/* What types are called: in CQL, and as the Java classes that old tables and some clients know. */
#include <string.h>

#include "../storage/arena.h"
#include "../storage/types.h"

static const struct {
    enum sy_type_id id;
    const char *name;
    const char *class_name;
} natives[] = {
    {SY_ASCII, "ascii", "AsciiType"},
    {SY_BIGINT, "bigint", "LongType"},
    {SY_BLOB, "blob", "BytesType"},
    {SY_BOOLEAN, "boolean", "BooleanType"},
    {SY_COUNTER, "counter", "CounterColumnType"},
    {SY_DATE, "date", "SimpleDateType"},
    {SY_DECIMAL, "decimal", "DecimalType"},
    {SY_DOUBLE, "double", "DoubleType"},
    {SY_DURATION, "duration", "DurationType"},
    {SY_FLOAT, "float", "FloatType"},
    {SY_INET, "inet", "InetAddressType"},
    {SY_INT, "int", "Int32Type"},
    {SY_SMALLINT, "smallint", "ShortType"},
    {SY_TEXT, "text", "UTF8Type"},
    {SY_TIME, "time", "TimeType"},
    {SY_TIMESTAMP, "timestamp", "TimestampType"},
    {SY_TIMEUUID, "timeuuid", "TimeUUIDType"},
    {SY_TINYINT, "tinyint", "ByteType"},
    {SY_UUID, "uuid", "UUIDType"},
    {SY_VARINT, "varint", "IntegerType"},
};

enum { N_NATIVES = sizeof natives / sizeof *natives };

#define NATIVE(which) [which] = {.id = which}
static const struct sy_type native_types[] = {
    NATIVE(SY_ASCII),     NATIVE(SY_BIGINT),   NATIVE(SY_BLOB),     NATIVE(SY_BOOLEAN),  NATIVE(SY_COUNTER),
    NATIVE(SY_DATE),      NATIVE(SY_DECIMAL),  NATIVE(SY_DOUBLE),   NATIVE(SY_DURATION), NATIVE(SY_FLOAT),
    NATIVE(SY_INET),      NATIVE(SY_INT),      NATIVE(SY_SMALLINT), NATIVE(SY_TEXT),     NATIVE(SY_TIME),
    NATIVE(SY_TIMESTAMP), NATIVE(SY_TIMEUUID), NATIVE(SY_TINYINT),  NATIVE(SY_UUID),     NATIVE(SY_VARINT),
};

const struct sy_type *sy_type_native(enum sy_type_id id)
{
    size_t place = (size_t)id;
    bool known = place > 0 && place < sizeof native_types / sizeof *native_types;
    return known && native_types[place].id == id ? &native_types[place] : NULL;
}

const struct sy_type *sy_type_by_name(const char *name)
{
    if (strcmp(name, "varchar") == 0)
        return &native_types[SY_TEXT];
    for (size_t i = 0; i < N_NATIVES; i++)
        if (strcmp(natives[i].name, name) == 0)
            return &native_types[natives[i].id];
    return NULL;
}

const struct sy_type *sy_type_path(const struct sy_type *type)
{
    switch ((int)type->id) {
    case SY_LIST: return &native_types[SY_TIMEUUID];
    case SY_UDT: return &native_types[SY_SMALLINT];
    default: return type->parts[0];
    }
}

static const char *native_name(enum sy_type_id id, bool class_name)
{
    for (size_t i = 0; i < N_NATIVES; i++)
        if (natives[i].id == id)
            return class_name ? natives[i].class_name : natives[i].name;
    return class_name ? "BytesType" : "blob";
}

/* A name as CQL must have it: quoted unless it is a plain lower-case word. */
static const char *quoted(struct sy_arena *arena, const char *name)
{
    bool plain = name[0] >= 'a' && name[0] <= 'z';
    for (const char *s = name; *s != '\0' && plain; s++)
        plain = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_';
    if (plain)
        return name;
    char *copy = sy_arena_alloc(arena, 2 * strlen(name) + 3), *at = copy;
    *at++ = '"';
    for (const char *s = name; *s != '\0'; s++) {
        if (*s == '"')
            *at++ = '"';
        *at++ = *s;
    }
    *at = '"';
    return copy;
}

static const char *join_parts(struct sy_arena *arena, const struct sy_type *type, const char *between,
                              const char *(*name_of)(struct sy_arena *, const struct sy_type *))
{
    const char *joined = "";
    for (uint32_t i = 0; i < type->n_parts; i++)
        joined =
            sy_arena_format(arena, "%s%s%s", joined, i > 0 ? between : "", name_of(arena, type->parts[i]));
    return joined;
}

const char *sy_type_name(struct sy_arena *arena, const struct sy_type *type)
{
    static const char *const kinds[] = {
        [SY_LIST - SY_LIST] = "list", [SY_MAP - SY_LIST] = "map", [SY_SET - SY_LIST] = "set"};
    switch ((int)type->id) {
    case SY_LIST:
    case SY_MAP:
    case SY_SET:
        return sy_arena_format(arena, "%s%s<%s>%s", type->frozen ? "frozen<" : "", kinds[type->id - SY_LIST],
                               join_parts(arena, type, ", ", sy_type_name), type->frozen ? ">" : "");
    case SY_TUPLE:
        return sy_arena_format(arena, "frozen<tuple<%s>>", join_parts(arena, type, ", ", sy_type_name));
    case SY_UDT:
        return type->frozen ? sy_arena_format(arena, "frozen<%s>", quoted(arena, type->name))
                            : quoted(arena, type->name);
    default: return native_name(type->id, false);
    }
}

static const char *hex_of(struct sy_arena *arena, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = strlen(text);
    char *hex = sy_arena_alloc(arena, 2 * len + 1);
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[(unsigned char)text[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)text[i] & 15];
    }
    return hex;
}

static const char *udt_class(struct sy_arena *arena, const struct sy_type *type)
{
    const char *fields = "";
    for (uint32_t i = 0; i < type->n_parts; i++)
        fields = sy_arena_format(arena, "%s,%s:%s", fields, hex_of(arena, type->field_names[i]),
                                 sy_type_class_name(arena, type->parts[i]));
    return sy_arena_format(arena, "UserType(%s,%s%s)", type->keyspace, hex_of(arena, type->name), fields);
}

const char *sy_type_class_name(struct sy_arena *arena, const struct sy_type *type)
{
    static const char package[] = "org.apache.cassandra.db.marshal.";
    static const char *const kinds[] = {
        [SY_LIST - SY_LIST] = "ListType", [SY_MAP - SY_LIST] = "MapType", [SY_SET - SY_LIST] = "SetType"};
    const char *inner;
    switch ((int)type->id) {
    case SY_LIST:
    case SY_MAP:
    case SY_SET:
        inner = sy_arena_format(arena, "%s(%s)", kinds[type->id - SY_LIST],
                                join_parts(arena, type, ",", sy_type_class_name));
        break;
    case SY_TUPLE:
        return sy_arena_format(arena, "%sTupleType(%s)", package,
                               join_parts(arena, type, ",", sy_type_class_name));
    case SY_UDT: inner = udt_class(arena, type); break;
    default: return sy_arena_format(arena, "%s%s", package, native_name(type->id, true));
    }
    return type->frozen ? sy_arena_format(arena, "%sFrozenType(%s%s)", package, package, inner)
                        : sy_arena_format(arena, "%s%s", package, inner);
}
