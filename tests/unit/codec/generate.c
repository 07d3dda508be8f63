/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include "data/schema_build.h"

#include <math.h>

uint64_t generate_number(struct generator *g)
{
    uint64_t x = g->state += 0x9E3779B97F4A7C15u;

    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

uint32_t generate_below(struct generator *g, uint32_t n)
{
    return (uint32_t)(generate_number(g) % n);
}

static const char *make_name(struct generator *g, const char *prefix)
{
    return sl_arena_format(g->arena, "%s%u", prefix, ++g->names);
}

static const struct sl_schema *make_struct(struct generator *g, int depth, bool optional);

static const struct sl_schema *make_scalar(struct generator *g, bool optional)
{
    switch (generate_below(g, 16)) {
    case 0: return sl_schema_plain(SL_INT8, optional);
    case 1: return sl_schema_plain(SL_INT16, optional);
    case 2: return sl_schema_plain(SL_INT32, optional);
    case 3: return sl_schema_plain(SL_INT64, optional);
    case 4: return sl_schema_plain(SL_FLOAT32, optional);
    case 5: return sl_schema_plain(SL_FLOAT64, optional);
    case 6: return sl_schema_plain(SL_BOOLEAN, optional);
    case 7: return sl_schema_plain(SL_BYTES, optional);
    case 8:
        return sl_schema_decimal((int32_t)generate_below(g, 10), (int32_t)generate_below(g, 39), optional);
    case 9: return sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, optional);
    case 10: return sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Time", 1, optional);
    case 11: return sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, optional);
    case 12: return sl_schema_named(SL_INT64, "io.debezium.time.MicroTimestamp", 1, optional);
    default: return sl_schema_plain(SL_STRING, optional);
    }
}

static const struct sl_schema *make_map(struct generator *g, int depth, bool optional);

static const struct sl_schema *make_any(struct generator *g, int depth)
{
    bool optional = generate_below(g, 2);
    const struct sl_schema *schema;

    switch (depth > 0 ? generate_below(g, 8) : 7) {
    case 0: return make_struct(g, depth - 1, optional);
    case 1: return sl_schema_array(make_any(g, depth - 1), optional);
    case 2: return make_map(g, depth - 1, optional);
    default: break;
    }
    schema = make_scalar(g, optional);
    if (generate_below(g, 4) == 0) {
        struct sl_value value = generate_value(g, schema->required);

        if (schema->type != SL_FLOAT32 && schema->type != SL_FLOAT64)
            schema = sl_schema_with_default(schema, value);
        else if (isfinite(value.d))
            schema = sl_schema_with_default(schema, value);
    }
    return schema;
}

static const struct sl_schema *make_map(struct generator *g, int depth, bool optional)
{
    const struct sl_schema *element = make_any(g, depth);

    if (generate_below(g, 2))
        return sl_schema_map(sl_schema_plain(SL_STRING, false), element, optional);
    return sl_schema_intern(&(struct sl_schema){.type = SL_MAP,
                                                .name = make_name(g, "maps.M"),
                                                .key = sl_schema_plain(SL_INT32, generate_below(g, 2)),
                                                .element = element,
                                                .optional = optional});
}

static const struct sl_schema *make_struct(struct generator *g, int depth, bool optional)
{
    struct sl_struct_builder b = {.name = generate_below(g, 4) ? make_name(g, "some.space.S") : NULL};
    uint32_t n = generate_below(g, 6);

    b.version = (int32_t)generate_below(g, 3);
    b.doc = generate_below(g, 8) ? NULL : "what it is, \"quoted\"";
    for (uint32_t i = 0; i < n; i++)
        sl_struct_add(&b, make_name(g, "f"), make_any(g, depth));
    return sl_struct_end(&b, optional);
}

const struct sl_schema *generate_schema(struct generator *g, int depth)
{
    struct sl_struct_builder b = {.name = make_name(g, "top.T")};
    uint32_t n = 1 + generate_below(g, 8);

    for (uint32_t i = 0; i < n; i++)
        sl_struct_add(&b, make_name(g, "f"), make_any(g, depth));
    return sl_struct_end(&b, false);
}

static int64_t any_int(struct generator *g, int bits)
{
    static const int64_t edges[] = {0,   1,        -1,        63,        64,        -64,
                                    -65, INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX, INT64_MIN};
    int64_t i = generate_below(g, 2) ? edges[generate_below(g, sizeof(edges) / sizeof(*edges))]
                                     : (int64_t)(generate_number(g) >> generate_below(g, 64));

    if (bits == 8)
        return (int8_t)i;
    if (bits == 16)
        return (int16_t)i;
    return bits == 32 ? (int32_t)i : i;
}

/* Java drops needless leading bytes of a decimal, and takes no empty one. */
static struct sl_value tame_decimal(struct sl_value v)
{
    if (v.len == 0)
        return sl_bytes(SL_BYTES, "\0", 1);
    while (v.len > 1 && (v.bytes[0] == 0 || v.bytes[0] == 0xFF) && ((v.bytes[0] ^ v.bytes[1]) & 0x80) == 0) {
        v.bytes++;
        v.len--;
    }
    return v;
}

static struct sl_value any_bytes(struct generator *g, enum sl_type type)
{
    size_t len = generate_below(g, 8) ? generate_below(g, 20) : generate_below(g, 300);
    uint8_t *bytes = sl_arena_alloc(g->arena, len);

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)generate_number(g);
        if (type == SL_STRING)
            bytes[i] &= 0x7F; /* UTF-8, control characters included */
    }
    return sl_bytes(type, bytes, len);
}

static double any_double(struct generator *g)
{
    union {
        uint64_t u;
        double d;
    } bits = {.u = generate_number(g)};

    /* Java before 19 does not write every double in its shortest form, its JSON reader forgets the sign of 0.
     */
    if (g->tame)
        return ((double)any_int(g, 16) + 0.5) / 8;
    switch (generate_below(g, 4)) {
    case 0: return (double)any_int(g, 32) / 100;
    case 1: return isnan(bits.d) ? (double)NAN : bits.d;
    case 2: return generate_below(g, 2) ? -0.0 : (double)INFINITY;
    default: return (double)(float)any_int(g, 64);
    }
}

static struct sl_value any_items(struct generator *g, const struct sl_schema *schema)
{
    size_t n = generate_below(g, 5);
    size_t width = schema->type == SL_MAP ? 2 : 1;
    struct sl_value *items = sl_arena_alloc(g->arena, n * width * sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        if (width == 2)
            items[2 * i] = generate_value(g, schema->key);
        items[width * i + width - 1] = generate_value(g, schema->element);
    }
    return sl_items(schema->type, items, n);
}

struct sl_value generate_value(struct generator *g, const struct sl_schema *schema)
{
    struct sl_value *fields;

    if (schema->optional && generate_below(g, 4) == 0)
        return sl_null();
    switch (schema->type) {
    case SL_INT8: return sl_int(SL_INT8, any_int(g, 8));
    case SL_INT16: return sl_int(SL_INT16, any_int(g, 16));
    case SL_INT32:
        if (g->tame && schema->semantic == SL_SEM_TIME)
            return sl_int(SL_INT32, generate_below(g, 86400000));
        return sl_int(SL_INT32, any_int(g, 32));
    case SL_INT64: return sl_int(SL_INT64, any_int(g, 64));
    case SL_FLOAT32: return sl_float(SL_FLOAT32, (double)(float)any_double(g));
    case SL_FLOAT64: return sl_float(SL_FLOAT64, any_double(g));
    case SL_BOOLEAN: return sl_bool(generate_below(g, 2));
    case SL_STRING: return any_bytes(g, SL_STRING);
    case SL_BYTES:
        if (g->tame && schema->semantic == SL_SEM_DECIMAL)
            return tame_decimal(any_bytes(g, SL_BYTES));
        return any_bytes(g, SL_BYTES);
    case SL_ARRAY:
    case SL_MAP: return any_items(g, schema);
    case SL_STRUCT:
        fields = sl_arena_alloc(g->arena, schema->n_fields * sizeof(*fields));
        for (uint32_t i = 0; i < schema->n_fields; i++)
            fields[i] = generate_value(g, schema->fields[i].schema);
        return sl_items(SL_STRUCT, fields, schema->n_fields);
    case SL_ABSENT:
    case SL_NULL: break;
    }
    return sl_null();
}
