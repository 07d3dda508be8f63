/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/columns.h"

enum {
    GLOBAL_SPEC = 0x01,
    MORE_PAGES = 0x02,
    NO_METADATA = 0x04,
    METADATA_CHANGED = 0x08,
    CHUNK_BYTES = 4096,
};

struct sl_cql_known_columns {
    struct sl_cql_columns columns;
    bool is_global;
    const uint8_t *bytes; /* the specifications as they came */
    size_t len;
    struct sl_arena *arena; /* of all this, itself included */
    struct sl_cql_known_columns *next;
};

void sl_cql_columns_cache_done(struct sl_cql_columns_cache *cache)
{
    while (cache->newest) {
        struct sl_cql_known_columns *known = cache->newest;

        cache->newest = known->next;
        sl_arena_free(known->arena);
    }
}

static const char *keep(struct sl_arena *arena, struct sl_span text)
{
    char *copy = sl_arena_alloc(arena, text.len + 1);

    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static const struct sl_cql_type *read_type(struct sl_cql_in *in, struct sl_arena *arena, int depth);

/* Each argument takes at least two bytes, so that n is bounded before memory is asked for. */
static bool read_args(struct sl_cql_in *in, struct sl_arena *arena, uint32_t n, int depth,
                      struct sl_cql_type *type)
{
    bool is_udt = type->kind == SL_CQL_UDT;
    const struct sl_cql_type **args;
    const char **names = NULL;

    if (in->bad || n > (size_t)(in->end - in->at) / 2)
        return false;
    args = sl_arena_alloc(arena, n * sizeof(struct sl_cql_type *));
    if (is_udt)
        names = sl_arena_alloc(arena, n * sizeof(char *));
    for (uint32_t i = 0; i < n; i++) {
        if (is_udt)
            names[i] = keep(arena, sl_cql_take_short(in));
        if (!(args[i] = read_type(in, arena, depth)))
            return false;
    }
    type->n_args = n;
    type->args = args;
    type->field_names = names;
    return true;
}

static const struct sl_cql_type *read_nested(struct sl_cql_in *in, struct sl_arena *arena,
                                             enum sl_cql_kind kind, int depth)
{
    struct sl_cql_type *type = sl_arena_alloc(arena, sizeof(*type));
    uint32_t n = kind == SL_CQL_MAP ? 2 : 1;

    *type = (struct sl_cql_type){.kind = kind};
    if (kind == SL_CQL_UDT) {
        type->keyspace = keep(arena, sl_cql_take_short(in));
        type->name = keep(arena, sl_cql_take_short(in));
    }
    if (kind == SL_CQL_UDT || kind == SL_CQL_TUPLE)
        n = sl_cql_take_u16(in);
    return read_args(in, arena, n, depth, type) ? type : NULL;
}

static const struct sl_cql_type *read_type(struct sl_cql_in *in, struct sl_arena *arena, int depth)
{
    uint16_t id = sl_cql_take_u16(in);

    if (in->bad || depth >= SL_CQL_TYPE_DEPTH)
        return NULL;
    switch (id) {
    case SL_CQL_CUSTOM: return sl_cql_type_of_class(keep(arena, sl_cql_take_short(in)), arena);
    case SL_CQL_LIST:
    case SL_CQL_MAP:
    case SL_CQL_SET:
    case SL_CQL_UDT:
    case SL_CQL_TUPLE: return read_nested(in, arena, id, depth + 1);
    case 0x0A: /* text of protocol versions long gone */ return sl_cql_type_simple(SL_CQL_VARCHAR);
    default: return sl_cql_type_simple(id);
    }
}

static bool read_specs(struct sl_cql_in *in, struct sl_cql_known_columns *known, uint32_t n)
{
    struct sl_cql_column *items = sl_arena_alloc(known->arena, n * sizeof(*items));
    const char *keyspace = NULL;
    const char *table = NULL;

    if (known->is_global) {
        keyspace = keep(known->arena, sl_cql_take_short(in));
        table = keep(known->arena, sl_cql_take_short(in));
    }
    for (uint32_t i = 0; i < n; i++) {
        items[i].keyspace = known->is_global ? keyspace : keep(known->arena, sl_cql_take_short(in));
        items[i].table = known->is_global ? table : keep(known->arena, sl_cql_take_short(in));
        items[i].name = keep(known->arena, sl_cql_take_short(in));
        items[i].type = read_type(in, known->arena, 0);
        if (in->bad || !items[i].type)
            return false;
    }
    known->columns = (struct sl_cql_columns){n, items};
    return !in->bad;
}

/* Specifications end themselves: equal bytes up to the known ones' end are the same specifications. */
static const struct sl_cql_columns *find_known(struct sl_cql_columns_cache *cache, struct sl_cql_in *in,
                                               uint32_t n, bool is_global)
{
    struct sl_cql_known_columns **link = &cache->newest;

    for (; *link; link = &(*link)->next) {
        struct sl_cql_known_columns *known = *link;

        if (known->columns.n != n || known->is_global != is_global ||
            known->len > (size_t)(in->end - in->at) || memcmp(known->bytes, in->at, known->len) != 0)
            continue;
        in->at += known->len;
        *link = known->next;
        known->next = cache->newest;
        cache->newest = known;
        return &known->columns;
    }
    return NULL;
}

static const struct sl_cql_columns *read_columns(struct sl_cql_columns_cache *cache, struct sl_cql_in *in,
                                                 uint32_t n, bool is_global)
{
    const struct sl_cql_columns *columns = find_known(cache, in, n, is_global);
    struct sl_cql_known_columns *known;
    const uint8_t *start = in->at;
    struct sl_arena *arena;

    if (columns)
        return columns;
    if (n > (size_t)(in->end - in->at) / 4) /* a name's length and a type */
        return NULL;
    arena = sl_arena_new(CHUNK_BYTES);
    known = sl_arena_alloc(arena, sizeof(*known));
    *known = (struct sl_cql_known_columns){.arena = arena, .is_global = is_global, .next = cache->newest};
    if (!read_specs(in, known, n)) {
        sl_arena_free(arena);
        return NULL;
    }
    known->len = (size_t)(in->at - start);
    known->bytes = sl_arena_copy(arena, start, known->len);
    cache->newest = known;
    return &known->columns;
}

/* What stands behind flags, count (and the partition key's indexes, which are skipped before). */
static bool read_rest(struct sl_cql_columns_cache *cache, struct sl_cql_in *in, int32_t flags, int32_t n,
                      struct sl_cql_metadata *ret)
{
    struct sl_cql_metadata metadata = {.n_columns = (uint32_t)n};

    if (flags & MORE_PAGES) {
        struct sl_cql_cell state = sl_cql_take_bytes(in);

        metadata.has_more = true;
        if (state.len > 0)
            metadata.paging_state = (struct sl_span){state.data, (size_t)state.len};
    }
    if (flags & METADATA_CHANGED)
        (void)sl_cql_take_short(in);
    if (in->bad || n < 0)
        return false;
    if (!(flags & NO_METADATA) &&
        !(metadata.columns = read_columns(cache, in, (uint32_t)n, flags & GLOBAL_SPEC)))
        return false;
    *ret = metadata;
    return true;
}

bool sl_cql_metadata_read(struct sl_cql_columns_cache *cache, struct sl_cql_in *in,
                          struct sl_cql_metadata *ret)
{
    int32_t flags = sl_cql_take_i32(in);
    int32_t n = sl_cql_take_i32(in);

    return read_rest(cache, in, flags, n, ret);
}

bool sl_cql_bind_metadata_read(struct sl_cql_columns_cache *cache, struct sl_cql_in *in, int version,
                               struct sl_cql_metadata *ret)
{
    int32_t flags = sl_cql_take_i32(in);
    int32_t n = sl_cql_take_i32(in);

    if (version >= 4) {
        int32_t n_key = sl_cql_take_i32(in);

        if (n_key < 0 || n_key > UINT16_MAX)
            return false;
        (void)sl_cql_take(in, 2 * (size_t)n_key);
    }
    /* Without values there is no table to name, whatever the flag says. */
    return read_rest(cache, in, n == 0 ? flags & ~GLOBAL_SPEC : flags, n, ret);
}

int sl_cql_find_column(const struct sl_cql_columns *columns, const char *name)
{
    for (uint32_t i = 0; i < columns->n; i++) {
        if (strcmp(columns->items[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}
