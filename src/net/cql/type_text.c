/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/type.h"

#include <ctype.h>

/* frozen<map<text, "Address">>: names, and lists of types in angle brackets. */
struct reader {
    const char *at;
    struct sl_arena *arena;
    const char *keyspace;
    sl_cql_udt_finder *find;
    void *ctx;
    int depth;
};

static const struct sl_cql_type *read_type(struct reader *reader);

static void skip_blanks(struct reader *reader)
{
    while (*reader->at == ' ')
        reader->at++;
}

static bool take(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (*reader->at != c)
        return false;
    reader->at++;
    return true;
}

/* "a""b" is a"b */
static char *read_quoted_name(struct reader *reader)
{
    const char *end = reader->at + 1;
    char *name;
    size_t n = 0;

    while (*end && (*end != '"' || end[1] == '"'))
        end += *end == '"' ? 2 : 1;
    if (!*end || end == reader->at + 1)
        return NULL;
    name = sl_arena_alloc(reader->arena, (size_t)(end - reader->at));
    for (const char *c = reader->at + 1; c < end; c += *c == '"' ? 2 : 1)
        name[n++] = *c;
    name[n] = '\0';
    reader->at = end + 1;
    return name;
}

/* A name, folded to lower case unless it stands in double quotes; NULL when there is none. */
static char *read_name(struct reader *reader)
{
    size_t n = 0;
    char *name;

    skip_blanks(reader);
    if (*reader->at == '"')
        return read_quoted_name(reader);
    while (isalnum((unsigned char)reader->at[n]) || reader->at[n] == '_')
        n++;
    if (n == 0)
        return NULL;
    name = sl_arena_alloc(reader->arena, n + 1);
    for (size_t i = 0; i < n; i++)
        name[i] = (char)tolower((unsigned char)reader->at[i]);
    name[n] = '\0';
    reader->at += n;
    return name;
}

static struct sl_cql_type *new_type(struct reader *reader, enum sl_cql_kind kind)
{
    struct sl_cql_type *type = sl_arena_alloc(reader->arena, sizeof(*type));

    *type = (struct sl_cql_type){.kind = kind};
    return type;
}

static const struct sl_cql_type *read_nested(struct reader *reader, enum sl_cql_kind kind, uint32_t wanted)
{
    enum { MAX_ARGS = 1024 };
    const struct sl_cql_type **args = NULL;
    struct sl_cql_type *type = new_type(reader, kind);
    uint32_t capacity = 0;
    uint32_t n = 0;

    if (!take(reader, '<'))
        return NULL;
    do {
        const struct sl_cql_type *arg = read_type(reader);

        if (!arg || n == MAX_ARGS)
            goto malformed;
        SL_GROW(args, n, capacity);
        args[n++] = arg;
    } while (take(reader, ','));
    if (!take(reader, '>') || (wanted && n != wanted))
        goto malformed;
    type->n_args = n;
    type->args = sl_arena_copy(reader->arena, args, n * sizeof(struct sl_cql_type *));
    sl_free(args);
    return type;
malformed:
    sl_free(args);
    return NULL;
}

static const struct sl_cql_type *read_frozen(struct reader *reader)
{
    const struct sl_cql_type *inner;
    struct sl_cql_type *type;

    if (!take(reader, '<') || !(inner = read_type(reader)) || !take(reader, '>'))
        return NULL;
    type = sl_arena_copy(reader->arena, inner, sizeof(*inner));
    type->is_frozen = true;
    return type;
}

/* vector<float, 3>: kept as text, brackets and all. */
static const struct sl_cql_type *read_vector(struct reader *reader, const char *start)
{
    struct sl_cql_type *type = new_type(reader, SL_CQL_CUSTOM);
    size_t len;
    char *text;
    int open = 0;

    do {
        open += (*reader->at == '<') - (*reader->at == '>');
    } while (*reader->at && *reader->at++ && open > 0);
    if (open != 0)
        return NULL;
    len = (size_t)(reader->at - start);
    text = sl_arena_alloc(reader->arena, len + 1);
    memcpy(text, start, len);
    text[len] = '\0';
    type->name = text;
    return type;
}

/* 'org.apache.cassandra.db.marshal.X' */
static const struct sl_cql_type *read_class(struct reader *reader)
{
    const char *start = reader->at + 1;
    const char *end = strchr(start, '\'');
    char *name;

    if (!end)
        return NULL;
    name = sl_arena_alloc(reader->arena, (size_t)(end - start) + 1);
    memcpy(name, start, (size_t)(end - start));
    name[end - start] = '\0';
    reader->at = end + 1;
    return sl_cql_type_of_class(name, reader->arena);
}

static const struct sl_cql_type *read_udt(struct reader *reader, const char *name)
{
    const char *keyspace = reader->keyspace;

    if (*reader->at == '.') {
        reader->at++;
        keyspace = name;
        name = read_name(reader);
    }
    return reader->find && name ? reader->find(reader->ctx, keyspace, name) : NULL;
}

static const struct sl_cql_type *read_named(struct reader *reader)
{
    const char *start = reader->at;
    bool is_quoted = *start == '"';
    const struct sl_cql_type *type;
    char *name = read_name(reader);

    if (!name)
        return NULL;
    if (is_quoted || *reader->at == '.')
        return read_udt(reader, name);
    if ((type = sl_cql_type_named(name, strlen(name))))
        return type;
    if (strcmp(name, "frozen") == 0)
        return read_frozen(reader);
    if (strcmp(name, "list") == 0)
        return read_nested(reader, SL_CQL_LIST, 1);
    if (strcmp(name, "set") == 0)
        return read_nested(reader, SL_CQL_SET, 1);
    if (strcmp(name, "map") == 0)
        return read_nested(reader, SL_CQL_MAP, 2);
    if (strcmp(name, "tuple") == 0)
        return read_nested(reader, SL_CQL_TUPLE, 0);
    if (strcmp(name, "vector") == 0)
        return read_vector(reader, start);
    return read_udt(reader, name);
}

static const struct sl_cql_type *read_type(struct reader *reader)
{
    const struct sl_cql_type *type = NULL;

    skip_blanks(reader);
    if (++reader->depth <= SL_CQL_TYPE_DEPTH)
        type = *reader->at == '\'' ? read_class(reader) : read_named(reader);
    reader->depth--;
    return type;
}

enum sl_rc sl_cql_type_parse(const char *text, const char *keyspace, sl_cql_udt_finder *find, void *ctx,
                             struct sl_arena *arena, const struct sl_cql_type **ret, struct sl_error *err)
{
    struct reader reader = {.at = text, .arena = arena, .keyspace = keyspace, .find = find, .ctx = ctx};
    const struct sl_cql_type *type = read_type(&reader);

    skip_blanks(&reader);
    if (!type || *reader.at)
        return sl_error_set(err, SL_E_DATA, "'%s' in keyspace %s is no type that this program knows", text,
                            keyspace ? keyspace : "(none)");
    *ret = type;
    return SL_OK;
}
