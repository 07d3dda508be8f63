/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/compatibility.h"

#include "base/arena.h"
#include "base/hash.h"

#include <ctype.h>

enum {
    MAX_PAIRS = 200000, /* of types compared: unions of records multiply */
    MAX_DEPTH = 2000,   /* named types refer to one another to any depth */
    MAX_ITEMS = 500,    /* in an answer: lists double where a type is used twice */
};

struct result {
    const struct sl_incompatibility **items;
    uint32_t n;
    bool in_progress;
};

struct pair {
    const struct sl_avro_type *reader;
    const struct sl_avro_type *writer;
    struct result *result; /* NULL: the slot is free */
};

struct checker {
    struct sl_arena *arena;
    struct sl_error *err;
    struct pair *pairs; /* open addressing */
    size_t n_pairs, capacity;
    struct sl_buf path; /* "/fields/0/type"; what stands before path_from belongs to outer checks */
    size_t path_from;
    int depth;
    bool failed;
};

static const struct result *check(struct checker *c, const char *token, const struct sl_avro_type *reader,
                                  const struct sl_avro_type *writer);

const char *sl_incompatibility_name(enum sl_incompatibility_kind kind)
{
    static const char *const names[] = {"NAME_MISMATCH",        "FIXED_SIZE_MISMATCH",
                                        "MISSING_ENUM_SYMBOLS", "READER_FIELD_MISSING_DEFAULT_VALUE",
                                        "TYPE_MISMATCH",        "MISSING_UNION_BRANCH"};

    return names[kind];
}

/* ---- results ---- */

static void add_item(struct checker *c, struct result *to, const struct sl_incompatibility *item)
{
    const struct sl_incompatibility **items;

    if (to->n >= MAX_ITEMS)
        return;
    /* 0, 1, 2, 4, 8 ...: the capacity is the next power of two. */
    if ((to->n & (to->n - 1)) == 0) {
        items = sl_arena_alloc(c->arena, (to->n ? (size_t)to->n * 2 : 1) * sizeof(*items));
        if (to->n)
            memcpy(items, to->items, to->n * sizeof(*items));
        to->items = items;
    }
    to->items[to->n++] = item;
}

static void merge(struct checker *c, struct result *to, const struct result *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        add_item(c, to, from->items[i]);
}

static void add_caused(struct checker *c, struct result *to, enum sl_incompatibility_kind kind,
                       const char *message, const struct sl_incompatibility *cause)
{
    struct sl_incompatibility *item = sl_arena_alloc(c->arena, sizeof(*item));
    const char *path = sl_buf_cstr(&c->path) + c->path_from;

    *item = (struct sl_incompatibility){
        .kind = kind,
        .location = sl_arena_strdup(c->arena, *path ? path : "/"),
        .message = message,
        .cause = cause,
    };
    add_item(c, to, item);
}

static void add(struct checker *c, struct result *to, enum sl_incompatibility_kind kind, const char *message)
{
    add_caused(c, to, kind, message, NULL);
}

static size_t push(struct checker *c, const char *token)
{
    size_t before = c->path.len;

    sl_buf_u8(&c->path, '/');
    sl_buf_text(&c->path, token);
    return before;
}

static size_t push_index(struct checker *c, uint32_t index)
{
    size_t before = c->path.len;

    sl_buf_format(&c->path, "/%u", index);
    return before;
}

/* Avro's word in capitals, as Java's enum prints itself. */
static const char *type_word(struct checker *c, const struct sl_avro_type *type)
{
    char *word = sl_arena_strdup(c->arena, sl_avro_kind_name(type->kind));

    for (char *at = word; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return word;
}

/* ---- pairs that were compared already ---- */

static struct pair *find_pair(struct checker *c, const struct sl_avro_type *reader,
                              const struct sl_avro_type *writer)
{
    const struct sl_avro_type *both[2] = {reader, writer};
    size_t at = sl_hash_bytes(both, sizeof(both), 0) & (c->capacity - 1);

    while (c->pairs[at].result && (c->pairs[at].reader != reader || c->pairs[at].writer != writer))
        at = (at + 1) & (c->capacity - 1);
    return &c->pairs[at];
}

static void grow_pairs(struct checker *c)
{
    struct checker old = *c;

    if (c->n_pairs * 2 < c->capacity)
        return;
    c->capacity = c->capacity ? c->capacity * 2 : 64;
    c->pairs = sl_zalloc(c->capacity, sizeof(*c->pairs));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.pairs[i].result)
            *find_pair(c, old.pairs[i].reader, old.pairs[i].writer) = old.pairs[i];
    }
    sl_free(old.pairs);
}

/* ---- the rules ---- */

/* Does the reader go by the writer's full name too? An alias without a dot is of the reader's namespace. */
static bool has_alias(const struct sl_avro_type *reader, const char *full)
{
    const char *last = strrchr(full, '.');

    for (size_t i = 0; i < json_array_size(reader->aliases); i++) {
        const char *alias = json_string_value(json_array_get(reader->aliases, i));

        if (!alias)
            continue;
        if (strcmp(alias, full) == 0 && (last || !reader->space))
            return true;
        if (!strchr(alias, '.') && reader->space && last && strcmp(last + 1, alias) == 0 &&
            strlen(reader->space) == (size_t)(last - full) &&
            strncmp(reader->space, full, (size_t)(last - full)) == 0)
            return true;
    }
    return false;
}

static void check_names(struct checker *c, const struct sl_avro_type *reader,
                        const struct sl_avro_type *writer, struct result *ret)
{
    size_t before = push(c, "name");

    if (strcmp(reader->name, writer->name) != 0 && !has_alias(reader, writer->full))
        add(c, ret, SL_NAME_MISMATCH, sl_arena_format(c->arena, "expected: %s", writer->full));
    c->path.len = before;
}

static void check_size(struct checker *c, const struct sl_avro_type *reader,
                       const struct sl_avro_type *writer, struct result *ret)
{
    size_t before = push(c, "size");

    if (reader->size != writer->size)
        add(c, ret, SL_FIXED_SIZE_MISMATCH,
            sl_arena_format(c->arena, "expected: %u, found: %u", writer->size, reader->size));
    c->path.len = before;
}

static bool has_symbol(const struct sl_avro_type *type, const char *symbol)
{
    for (uint32_t i = 0; i < type->n; i++) {
        if (strcmp(type->symbols[i], symbol) == 0)
            return true;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_symbols(struct checker *c, const struct sl_avro_type *reader,
                          const struct sl_avro_type *writer, struct result *ret)
{
    const char **missing = sl_arena_alloc(c->arena, writer->n * sizeof(*missing));
    size_t before = push(c, "symbols");
    struct sl_buf list = {0};
    size_t n = 0;

    for (uint32_t i = 0; i < writer->n; i++) {
        if (!has_symbol(reader, writer->symbols[i]))
            missing[n++] = writer->symbols[i];
    }
    if (n && !(reader->enum_default && has_symbol(reader, reader->enum_default))) {
        qsort(missing, n, sizeof(*missing), by_text);
        for (size_t i = 0; i < n; i++)
            sl_buf_format(&list, "%s%s", i ? ", " : "[", missing[i]);
        sl_buf_u8(&list, ']');
        add(c, ret, SL_MISSING_ENUM_SYMBOLS, sl_arena_strdup(c->arena, sl_buf_cstr(&list)));
        sl_buf_done(&list);
    }
    c->path.len = before;
}

static const struct sl_avro_field *find_field(const struct sl_avro_type *record, const char *name)
{
    for (uint32_t i = 0; name && i < record->n; i++) {
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    }
    return NULL;
}

/* By its name or by one of its aliases; false: by more than one of them. */
static bool find_writer_field(struct checker *c, const struct sl_avro_type *writer,
                              const struct sl_avro_field *field, const struct sl_avro_field **ret)
{
    *ret = find_field(writer, field->name);
    for (size_t i = 0; i < json_array_size(field->aliases); i++) {
        const struct sl_avro_field *found =
            find_field(writer, json_string_value(json_array_get(field->aliases, i)));

        if (found && *ret) {
            (void)sl_error_set(c->err, SL_E_DATA,
                               "field '%s' of the reader's schema matches more than one field of record '%s' "
                               "by its name and aliases",
                               field->name, writer->full);
            return false;
        }
        if (found)
            *ret = found;
    }
    return true;
}

static void check_field(struct checker *c, const struct sl_avro_type *writer,
                        const struct sl_avro_field *field, struct result *ret)
{
    const struct sl_avro_field *theirs;

    if (!find_writer_field(c, writer, field, &theirs))
        c->failed = true;
    else if (theirs)
        merge(c, ret, check(c, "type", field->type, theirs->type));
    else if (!field->default_value && field->type->kind == SL_AVRO_ENUM && field->type->enum_default)
        merge(c, ret, check(c, "type", field->type, writer));
    else if (!field->default_value)
        add(c, ret, SL_READER_FIELD_MISSING_DEFAULT_VALUE, field->name);
}

static void check_fields(struct checker *c, const struct sl_avro_type *reader,
                         const struct sl_avro_type *writer, struct result *ret)
{
    size_t before = push(c, "fields");

    for (uint32_t i = 0; i < reader->n && !c->failed; i++) {
        size_t outer = push_index(c, i);

        check_field(c, writer, &reader->fields[i], ret);
        c->path.len = outer;
    }
    c->path.len = before;
}

/* A check whose places count from its own root: of a branch of a union. */
static const struct result *check_apart(struct checker *c, const struct sl_avro_type *reader,
                                        const struct sl_avro_type *writer)
{
    size_t outer = c->path_from;
    const struct result *result;

    c->path_from = c->path.len;
    result = check(c, NULL, reader, writer);
    c->path_from = outer;
    return result;
}

/* Java's library does not say why the branch of the same kind and name does not fit; people want to know. */
static const struct sl_incompatibility *find_cause(struct checker *c, const struct sl_avro_type *reader,
                                                   const struct sl_avro_type *writer)
{
    const struct result *result;

    if (reader->kind == SL_AVRO_UNION) {
        for (uint32_t i = 0; i < reader->n; i++) {
            const struct sl_incompatibility *cause = find_cause(c, reader->branches[i], writer);

            if (cause)
                return cause;
        }
        return NULL;
    }
    if (reader->kind != writer->kind || (reader->name && strcmp(reader->name, writer->name) != 0))
        return NULL;
    result = find_pair(c, reader, writer)->result;
    return result && result->n ? result->items[0] : NULL;
}

static void add_missing_branch(struct checker *c, const struct sl_avro_type *reader,
                               const struct sl_avro_type *writer, struct result *ret)
{
    add_caused(c, ret, SL_MISSING_UNION_BRANCH,
               sl_arena_format(c->arena, "reader union lacking writer type: %s", type_word(c, writer)),
               find_cause(c, reader, writer));
}

static void check_two_unions(struct checker *c, const struct sl_avro_type *reader,
                             const struct sl_avro_type *writer, struct result *ret)
{
    for (uint32_t i = 0; i < writer->n && !c->failed; i++) {
        size_t before = push_index(c, i);

        if (check_apart(c, reader, writer->branches[i])->n)
            add_missing_branch(c, reader, writer->branches[i], ret);
        c->path.len = before;
    }
}

static void check_reader_union(struct checker *c, const struct sl_avro_type *reader,
                               const struct sl_avro_type *writer, struct result *ret)
{
    for (uint32_t i = 0; i < reader->n && !c->failed; i++) {
        if (check_apart(c, reader->branches[i], writer)->n == 0)
            return;
    }
    add_missing_branch(c, reader, writer, ret);
}

static bool widens(enum sl_avro_kind reader, enum sl_avro_kind writer)
{
    switch (reader) {
    case SL_AVRO_LONG: return writer == SL_AVRO_INT;
    case SL_AVRO_FLOAT: return writer == SL_AVRO_INT || writer == SL_AVRO_LONG;
    case SL_AVRO_DOUBLE: return writer == SL_AVRO_INT || writer == SL_AVRO_LONG || writer == SL_AVRO_FLOAT;
    case SL_AVRO_BYTES: return writer == SL_AVRO_STRING;
    case SL_AVRO_STRING: return writer == SL_AVRO_BYTES;
    case SL_AVRO_NULL:
    case SL_AVRO_BOOLEAN:
    case SL_AVRO_INT:
    case SL_AVRO_RECORD:
    case SL_AVRO_ENUM:
    case SL_AVRO_ARRAY:
    case SL_AVRO_MAP:
    case SL_AVRO_UNION:
    case SL_AVRO_FIXED: break;
    }
    return false;
}

static void check_different(struct checker *c, const struct sl_avro_type *reader,
                            const struct sl_avro_type *writer, struct result *ret)
{
    if (writer->kind == SL_AVRO_UNION) {
        for (uint32_t i = 0; i < writer->n && !c->failed; i++) {
            size_t before = push_index(c, i);

            merge(c, ret, check(c, NULL, reader, writer->branches[i]));
            c->path.len = before;
        }
    } else if (reader->kind == SL_AVRO_UNION) {
        check_reader_union(c, reader, writer, ret);
    } else if (!widens(reader->kind, writer->kind)) {
        add(c, ret, SL_TYPE_MISMATCH,
            sl_arena_format(c->arena, "reader type: %s not compatible with writer type: %s",
                            type_word(c, reader), type_word(c, writer)));
    }
}

static void check_same(struct checker *c, const struct sl_avro_type *reader,
                       const struct sl_avro_type *writer, struct result *ret)
{
    if (reader->name)
        check_names(c, reader, writer, ret);
    switch (reader->kind) {
    case SL_AVRO_ARRAY: merge(c, ret, check(c, "items", reader->items, writer->items)); break;
    case SL_AVRO_MAP: merge(c, ret, check(c, "values", reader->items, writer->items)); break;
    case SL_AVRO_FIXED: check_size(c, reader, writer, ret); break;
    case SL_AVRO_ENUM: check_symbols(c, reader, writer, ret); break;
    case SL_AVRO_RECORD: check_fields(c, reader, writer, ret); break;
    case SL_AVRO_UNION: check_two_unions(c, reader, writer, ret); break;
    case SL_AVRO_NULL:
    case SL_AVRO_BOOLEAN:
    case SL_AVRO_INT:
    case SL_AVRO_LONG:
    case SL_AVRO_FLOAT:
    case SL_AVRO_DOUBLE:
    case SL_AVRO_BYTES:
    case SL_AVRO_STRING: break;
    }
}

/* Two types that are being compared further up count as compatible, unless something else says no. */
static const struct result *check(struct checker *c, const char *token, const struct sl_avro_type *reader,
                                  const struct sl_avro_type *writer)
{
    static const struct result compatible = {0};
    size_t before = token ? push(c, token) : c->path.len;
    struct result *result;
    struct pair *pair;

    grow_pairs(c);
    pair = find_pair(c, reader, writer);
    if (pair->result) {
        c->path.len = before;
        return pair->result->in_progress ? &compatible : pair->result;
    }
    if (c->failed || c->n_pairs >= MAX_PAIRS || c->depth >= MAX_DEPTH) {
        if (!c->failed)
            (void)sl_error_set(c->err, SL_E_DATA, "the two schemas are too large or too deep to be compared");
        c->failed = true;
        c->path.len = before;
        return &compatible;
    }
    result = sl_arena_alloc(c->arena, sizeof(*result));
    *result = (struct result){.in_progress = true};
    *pair = (struct pair){.reader = reader, .writer = writer, .result = result};
    c->n_pairs++;
    c->depth++;
    if (reader->kind == writer->kind)
        check_same(c, reader, writer, result);
    else
        check_different(c, reader, writer, result);
    c->depth--;
    result->in_progress = false;
    c->path.len = before;
    return result;
}

enum sl_rc sl_compatibility_check(const struct sl_avro_type *reader, const struct sl_avro_type *writer,
                                  struct sl_incompatibilities *ret, struct sl_error *err)
{
    struct checker c = {.arena = sl_arena_new(4096), .err = err};
    const struct result *result = check(&c, NULL, reader, writer);

    sl_buf_done(&c.path);
    sl_free(c.pairs);
    if (c.failed) {
        sl_arena_free(c.arena);
        return SL_E_DATA;
    }
    *ret = (struct sl_incompatibilities){.arena = c.arena, .items = result->items, .n = result->n};
    return SL_OK;
}

void sl_incompatibilities_done(struct sl_incompatibilities *list)
{
    if (list->arena)
        sl_arena_free(list->arena);
    *list = (struct sl_incompatibilities){0};
}
