/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/values.h"

#include "base/uuid.h"
#include "source/scylla/type_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef bool sl_put(struct sl_buf *out, struct sl_cql_cell cell);

/* ---- scalars ---- */

static bool decode_int64(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                         struct sl_arena *arena, struct sl_value *ret)
{
    int64_t v;

    (void)self;
    (void)arena;
    if (!sl_cql_int64(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_int(SL_INT64, v);
    return true;
}

static bool decode_int32(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                         struct sl_arena *arena, struct sl_value *ret)
{
    int32_t v;

    (void)self;
    (void)arena;
    if (!sl_cql_int32(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_int(SL_INT32, v);
    return true;
}

static bool decode_int16(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                         struct sl_arena *arena, struct sl_value *ret)
{
    int16_t v;

    (void)self;
    (void)arena;
    if (!sl_cql_int16(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_int(SL_INT16, v);
    return true;
}

static bool decode_int8(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    int8_t v;

    (void)self;
    (void)arena;
    if (!sl_cql_int8(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_int(SL_INT8, v);
    return true;
}

static bool decode_bool(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    bool v;

    (void)self;
    (void)arena;
    if (!sl_cql_bool(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_bool(v);
    return true;
}

static bool decode_float(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                         struct sl_arena *arena, struct sl_value *ret)
{
    float v;

    (void)self;
    (void)arena;
    if (!sl_cql_float(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_float(SL_FLOAT32, (double)v);
    return true;
}

static bool decode_double(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                          struct sl_arena *arena, struct sl_value *ret)
{
    double v;

    (void)self;
    (void)arena;
    if (!sl_cql_double(cell, &v)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_float(SL_FLOAT64, v);
    return true;
}

static bool decode_date(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    int32_t days;

    (void)self;
    (void)arena;
    if (!sl_cql_date(cell, &days)) {
        *ret = sl_null();
        return cell.len == 0;
    }
    *ret = sl_int(SL_INT32, days);
    return true;
}

static bool decode_text(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    (void)self;
    *ret = sl_bytes(SL_STRING, sl_arena_copy(arena, cell.data, (size_t)cell.len), (size_t)cell.len);
    return true;
}

static bool decode_blob(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    (void)self;
    *ret = sl_bytes(SL_BYTES, sl_arena_copy(arena, cell.data, (size_t)cell.len), (size_t)cell.len);
    return true;
}

static bool decode_uuid(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    struct sl_uuid uuid;
    char *text;

    (void)self;
    if (cell.len != 16) {
        *ret = sl_null();
        return cell.len == 0;
    }
    memcpy(uuid.bytes, cell.data, sizeof(uuid.bytes));
    text = sl_arena_alloc(arena, SL_UUID_TEXT_SIZE);
    sl_uuid_format(&uuid, text);
    *ret = sl_bytes(SL_STRING, text, SL_UUID_TEXT_SIZE - 1);
    return true;
}

/* What has a text form only: made in a buffer of this call, for these types are rare and their texts short.
 */
static bool decode_by(sl_put *put, struct sl_cql_cell cell, struct sl_arena *arena, struct sl_value *ret)
{
    struct sl_buf text = {0};
    bool fine = true;

    if (cell.len == 0)
        *ret = sl_null();
    else if ((fine = put(&text, cell)))
        *ret = sl_bytes(SL_STRING, sl_arena_copy(arena, text.data, text.len), text.len);
    sl_buf_done(&text);
    return fine;
}

static bool decode_inet(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    (void)self;
    return decode_by(sl_cql_put_inet, cell, arena, ret);
}

static bool decode_decimal(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                           struct sl_arena *arena, struct sl_value *ret)
{
    (void)self;
    return decode_by(sl_cql_put_decimal, cell, arena, ret);
}

static bool decode_varint(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                          struct sl_arena *arena, struct sl_value *ret)
{
    (void)self;
    return decode_by(sl_cql_put_varint, cell, arena, ret);
}

static bool decode_duration(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                            struct sl_arena *arena, struct sl_value *ret)
{
    (void)self;
    return decode_by(sl_cql_put_duration, cell, arena, ret);
}

/* ---- collections ---- */

/* One part; NULL parts are null values. */
static bool decode_part(const struct sl_scylla_decoder *decoder, struct sl_cql_parts *parts,
                        struct sl_arena *arena, struct sl_value *ret)
{
    const struct sl_cql_type *type;
    struct sl_cql_cell cell;

    return sl_cql_parts_next(parts, &type, &cell) > 0 && sl_scylla_decode(decoder, cell, arena, ret);
}

static bool decode_list(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                        struct sl_value *ret)
{
    struct sl_cql_parts parts;
    struct sl_value *items;

    if (!sl_cql_parts_open(self->type, cell, &parts))
        return false;
    items = sl_arena_alloc(arena, ((size_t)parts.n + 1) * sizeof(*items));
    for (uint32_t i = 0; i < parts.n; i++)
        if (!decode_part(self->args, &parts, arena, &items[i]))
            return false;
    *ret = sl_items(SL_ARRAY, items, parts.n);
    return true;
}

/* A non-frozen list in the log: its cells' timeuuids are in the order of the list; they are not told. */
static bool decode_cells(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                         struct sl_arena *arena, struct sl_value *ret)
{
    const struct sl_cql_type *pair[] = {sl_cql_type_simple(SL_CQL_TIMEUUID), self->type->args[0]};
    const struct sl_cql_type map = {.kind = SL_CQL_MAP, .is_frozen = true, .n_args = 2, .args = pair};
    struct sl_cql_parts parts;
    struct sl_value *items;

    if (!sl_cql_parts_open(&map, cell, &parts))
        return false;
    items = sl_arena_alloc(arena, ((size_t)parts.n + 1) * sizeof(*items));
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct sl_cql_type *type;
        struct sl_cql_cell key;

        if (sl_cql_parts_next(&parts, &type, &key) <= 0 || !decode_part(self->args, &parts, arena, &items[i]))
            return false;
    }
    *ret = sl_items(SL_ARRAY, items, parts.n);
    return true;
}

static bool decode_map(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                       struct sl_value *ret)
{
    struct sl_cql_parts parts;
    struct sl_value *entries, *pairs;

    if (!sl_cql_parts_open(self->type, cell, &parts))
        return false;
    entries = sl_arena_alloc(arena, ((size_t)parts.n + 1) * sizeof(*entries));
    pairs = sl_arena_alloc(arena, ((size_t)parts.n * 2 + 1) * sizeof(*pairs));
    for (uint32_t i = 0; i < parts.n; i++) {
        struct sl_value *pair = &pairs[(size_t)i * 2];

        if (!decode_part(&self->args[0], &parts, arena, &pair[0]) ||
            !decode_part(&self->args[1], &parts, arena, &pair[1]))
            return false;
        entries[i] = sl_items(SL_STRUCT, pair, 2);
    }
    *ret = sl_items(SL_ARRAY, entries, parts.n);
    return true;
}

static bool decode_fields(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                          struct sl_arena *arena, struct sl_value *ret, bool *ret_all_null)
{
    struct sl_value *fields = sl_arena_alloc(arena, ((size_t)self->n_args + 1) * sizeof(*fields));
    struct sl_cql_parts parts;
    bool all_null = true;

    if (!sl_cql_parts_open(self->type, cell, &parts) || parts.n != self->n_args)
        return false;
    for (uint32_t i = 0; i < parts.n; i++) {
        if (!decode_part(&self->args[i], &parts, arena, &fields[i]))
            return false;
        all_null = all_null && sl_is_null(fields[i]);
    }
    *ret = sl_items(SL_STRUCT, fields, parts.n);
    *ret_all_null = all_null;
    return true;
}

static bool decode_tuple(const struct sl_scylla_decoder *self, struct sl_cql_cell cell,
                         struct sl_arena *arena, struct sl_value *ret)
{
    bool all_null;

    return decode_fields(self, cell, arena, ret, &all_null);
}

/* A UDT whose fields are all null is null itself, in the connector too. */
static bool decode_udt(const struct sl_scylla_decoder *self, struct sl_cql_cell cell, struct sl_arena *arena,
                       struct sl_value *ret)
{
    bool all_null = false;

    if (!decode_fields(self, cell, arena, ret, &all_null))
        return false;
    if (all_null)
        *ret = sl_null();
    return true;
}

/* ---- choosing ---- */

static const struct {
    enum sl_cql_kind kind;
    bool (*decode)(const struct sl_scylla_decoder *, struct sl_cql_cell, struct sl_arena *,
                   struct sl_value *);
} choices[] = {
    {SL_CQL_ASCII, decode_text},    {SL_CQL_VARCHAR, decode_text},      {SL_CQL_BIGINT, decode_int64},
    {SL_CQL_COUNTER, decode_int64}, {SL_CQL_TIMESTAMP, decode_int64},   {SL_CQL_TIME, decode_int64},
    {SL_CQL_INT, decode_int32},     {SL_CQL_SMALLINT, decode_int16},    {SL_CQL_TINYINT, decode_int8},
    {SL_CQL_BOOLEAN, decode_bool},  {SL_CQL_FLOAT, decode_float},       {SL_CQL_DOUBLE, decode_double},
    {SL_CQL_DATE, decode_date},     {SL_CQL_BLOB, decode_blob},         {SL_CQL_UUID, decode_uuid},
    {SL_CQL_TIMEUUID, decode_uuid}, {SL_CQL_INET, decode_inet},         {SL_CQL_DECIMAL, decode_decimal},
    {SL_CQL_VARINT, decode_varint}, {SL_CQL_DURATION, decode_duration}, {SL_CQL_LIST, decode_list},
    {SL_CQL_SET, decode_list},      {SL_CQL_MAP, decode_map},           {SL_CQL_TUPLE, decode_tuple},
    {SL_CQL_UDT, decode_udt},
};

static bool fill(struct sl_scylla_decoder *decoder, const struct sl_cql_type *type, bool as_cells,
                 const char *prefix, struct sl_arena *arena)
{
    struct sl_scylla_decoder *args;

    *decoder = (struct sl_scylla_decoder){.type = type, .n_args = type->n_args};
    for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
        if (choices[i].kind == type->kind)
            decoder->decode = choices[i].decode;
    if (!decoder->decode)
        return false;
    if (as_cells)
        decoder->decode = decode_cells;
    args = sl_arena_alloc(arena, ((size_t)type->n_args + 1) * sizeof(*args));
    for (uint32_t i = 0; i < type->n_args; i++)
        if (!fill(&args[i], type->args[i], false, prefix, arena))
            return false;
    decoder->args = args;
    decoder->schema = sl_scylla_type_schema(type, prefix);
    return true;
}

const struct sl_scylla_decoder *sl_scylla_decoder_make(const struct sl_cql_type *type, bool as_cells,
                                                       const char *prefix, struct sl_arena *arena)
{
    struct sl_scylla_decoder *decoder = sl_arena_alloc(arena, sizeof(*decoder));

    return fill(decoder, type, as_cells, prefix, arena) ? decoder : NULL;
}

bool sl_scylla_is_plain(const struct sl_cql_type *type)
{
    return type->kind != SL_CQL_CUSTOM && type->kind < SL_CQL_LIST;
}

/* ---- headers ---- */

static const char *date_text(int64_t ms, struct sl_arena *arena)
{
    time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
    struct tm tm;
    char text[64];

    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%a %b %d %H:%M:%S UTC %Y", &tm))
        return sl_arena_format(arena, "%lld", (long long)ms);
    return sl_arena_strdup(arena, text);
}

static const char *float_text(double v, int digits, struct sl_arena *arena)
{
    char text[40];

    for (int n = 1; n <= digits; n++) { /* the shortest text that is this number */
        (void)snprintf(text, sizeof(text), "%.*g", n, v);
        if (digits == 9 ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            break;
    }
    if (!strpbrk(text, ".eEn"))
        return sl_arena_format(arena, "%s.0", text);
    return sl_arena_strdup(arena, text);
}

const char *sl_scylla_header_text(const struct sl_scylla_decoder *decoder, struct sl_cql_cell cell,
                                  struct sl_arena *arena)
{
    const struct sl_cql_type *type = decoder->type;
    struct sl_value value;
    struct sl_buf text = {0};
    const char *copy;

    if (!sl_scylla_decode(decoder, cell, arena, &value) || sl_is_null(value))
        return NULL;
    if (type->kind == SL_CQL_TIMESTAMP)
        return date_text(value.i, arena);
    if (type->kind == SL_CQL_DATE)
        return date_text(value.i * 86400000, arena);
    switch ((int)value.tag) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return sl_arena_format(arena, "%lld", (long long)value.i);
    case SL_BOOLEAN: return value.i ? "true" : "false";
    case SL_FLOAT32: return float_text(value.d, 9, arena);
    case SL_FLOAT64: return float_text(value.d, 17, arena);
    case SL_STRING: return sl_arena_format(arena, "%.*s", (int)value.len, (const char *)value.bytes);
    default: break;
    }
    sl_cql_put_value(&text, type, cell);
    copy = sl_arena_strdup(arena, sl_buf_cstr(&text));
    sl_buf_done(&text);
    return copy;
}
