/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/type.h"

#include <ctype.h>

/*
 * org.apache.cassandra.db.marshal.MapType(org.apache.cassandra.db.marshal.UTF8Type,...): how a server names
 * a type for which its protocol version has no id, and how old tables name theirs. User types carry their
 * names in hexadecimal: UserType(keyspace,6e616d65,6669656c64:Class,...).
 */
#define PACKAGE "org.apache.cassandra.db.marshal."

static const struct {
    const char *name;
    enum sl_cql_kind kind;
} classes[] = {
    {"AsciiType", SL_CQL_ASCII},
    {"BooleanType", SL_CQL_BOOLEAN},
    {"ByteType", SL_CQL_TINYINT},
    {"BytesType", SL_CQL_BLOB},
    {"CounterColumnType", SL_CQL_COUNTER},
    {"DateType", SL_CQL_TIMESTAMP},
    {"DecimalType", SL_CQL_DECIMAL},
    {"DoubleType", SL_CQL_DOUBLE},
    {"DurationType", SL_CQL_DURATION},
    {"FloatType", SL_CQL_FLOAT},
    {"InetAddressType", SL_CQL_INET},
    {"Int32Type", SL_CQL_INT},
    {"IntegerType", SL_CQL_VARINT},
    {"LongType", SL_CQL_BIGINT},
    {"ShortType", SL_CQL_SMALLINT},
    {"SimpleDateType", SL_CQL_DATE},
    {"TimeType", SL_CQL_TIME},
    {"TimeUUIDType", SL_CQL_TIMEUUID},
    {"TimestampType", SL_CQL_TIMESTAMP},
    {"UTF8Type", SL_CQL_VARCHAR},
    {"UUIDType", SL_CQL_UUID},
};

struct reader {
    const char *at;
    struct sl_arena *arena;
    int depth;
};

static const struct sl_cql_type *read_class(struct reader *reader);

static bool take(struct reader *reader, char c)
{
    while (*reader->at == ' ')
        reader->at++;
    if (*reader->at != c)
        return false;
    reader->at++;
    return true;
}

static char *read_word(struct reader *reader)
{
    size_t n = strcspn(reader->at, "(),: ");
    char *word = sl_arena_alloc(reader->arena, n + 1);

    memcpy(word, reader->at, n);
    word[n] = '\0';
    reader->at += n;
    return word;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *read_hex_name(struct reader *reader)
{
    char *word = read_word(reader);
    size_t n = strlen(word) / 2;

    if (strlen(word) % 2)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(word[2 * i]);
        int low = hex_digit(word[2 * i + 1]);

        if (high < 0 || low < 0 || (high | low) == 0)
            return NULL;
        word[i] = (char)(high << 4 | low);
    }
    word[n] = '\0';
    return word;
}

/* The types up to the closing bracket; in a user type each has its name in front. */
static bool read_args(struct reader *reader, struct sl_cql_type *type)
{
    const struct sl_cql_type **args = NULL;
    const char **fields = NULL;
    uint32_t n = 0;
    uint32_t arg_capacity = 0;
    uint32_t field_capacity = 0;
    bool ok = false;

    do {
        SL_GROW(args, n, arg_capacity);
        SL_GROW(fields, n, field_capacity);
        fields[n] = NULL;
        if (type->kind == SL_CQL_UDT && (!(fields[n] = read_hex_name(reader)) || !take(reader, ':')))
            goto done;
        if (!(args[n] = read_class(reader)))
            goto done;
        n++;
    } while (take(reader, ','));
    type->n_args = n;
    type->args = sl_arena_copy(reader->arena, args, n * sizeof(struct sl_cql_type *));
    if (type->kind == SL_CQL_UDT)
        type->field_names = sl_arena_copy(reader->arena, fields, n * sizeof(char *));
    ok = take(reader, ')');
done:
    sl_free(args);
    sl_free(fields);
    return ok;
}

static const struct sl_cql_type *read_nested(struct reader *reader, enum sl_cql_kind kind, uint32_t wanted)
{
    struct sl_cql_type *type = sl_arena_alloc(reader->arena, sizeof(*type));

    *type = (struct sl_cql_type){.kind = kind};
    if (!take(reader, '('))
        return NULL;
    if (kind == SL_CQL_UDT) {
        type->keyspace = read_word(reader);
        if (!take(reader, ',') || !(type->name = read_hex_name(reader)) || !take(reader, ','))
            return NULL;
    }
    return read_args(reader, type) && (!wanted || type->n_args == wanted) ? type : NULL;
}

/* FrozenType(X), ReversedType(X) */
static const struct sl_cql_type *read_wrapped(struct reader *reader, bool is_frozen)
{
    const struct sl_cql_type *inner;
    struct sl_cql_type *type;

    if (!take(reader, '(') || !(inner = read_class(reader)) || !take(reader, ')'))
        return NULL;
    if (!is_frozen)
        return inner;
    type = sl_arena_copy(reader->arena, inner, sizeof(*inner));
    type->is_frozen = true;
    return type;
}

static const struct sl_cql_type *read_known(struct reader *reader, const char *word)
{
    if (strncmp(word, PACKAGE, strlen(PACKAGE)) == 0)
        word += strlen(PACKAGE);
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strcmp(word, classes[i].name) == 0)
            return sl_cql_type_simple(classes[i].kind);
    }
    if (strcmp(word, "ListType") == 0)
        return read_nested(reader, SL_CQL_LIST, 1);
    if (strcmp(word, "SetType") == 0)
        return read_nested(reader, SL_CQL_SET, 1);
    if (strcmp(word, "MapType") == 0)
        return read_nested(reader, SL_CQL_MAP, 2);
    if (strcmp(word, "TupleType") == 0)
        return read_nested(reader, SL_CQL_TUPLE, 0);
    if (strcmp(word, "UserType") == 0)
        return read_nested(reader, SL_CQL_UDT, 0);
    if (strcmp(word, "FrozenType") == 0)
        return read_wrapped(reader, true);
    if (strcmp(word, "ReversedType") == 0)
        return read_wrapped(reader, false);
    return NULL;
}

static const struct sl_cql_type *read_class(struct reader *reader)
{
    const struct sl_cql_type *type = NULL;

    while (*reader->at == ' ')
        reader->at++;
    if (++reader->depth <= SL_CQL_TYPE_DEPTH)
        type = read_known(reader, read_word(reader));
    reader->depth--;
    return type;
}

const struct sl_cql_type *sl_cql_type_of_class(const char *class_name, struct sl_arena *arena)
{
    struct reader reader = {.at = class_name, .arena = arena};
    const struct sl_cql_type *type = read_class(&reader);
    struct sl_cql_type *custom;

    if (type && !*reader.at)
        return type;
    custom = sl_arena_alloc(arena, sizeof(*custom));
    *custom = (struct sl_cql_type){.kind = SL_CQL_CUSTOM, .name = sl_arena_strdup(arena, class_name)};
    return custom;
}
