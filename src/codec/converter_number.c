/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converters for a single thing without a schema on the wire: raw bytes, and Kafka's big-endian numbers. They
 * have no state; the instance only says which one it is, with the schema at hand.
 */
#include "base/buf.h"
#include "codec/converters.h"

struct kind {
    enum sl_type type;
    size_t size; /* 0: any */
    const char *word;
};

static const struct kind kinds[] = {
    {SL_BYTES, 0, "bytes"},   {SL_INT16, 2, "int16"},    {SL_INT32, 4, "int32"},     {SL_INT64, 8, "int64"},
    {SL_FLOAT32, 4, "float"}, {SL_FLOAT64, 8, "double"}, {SL_BOOLEAN, 1, "boolean"},
};

struct converter {
    const struct kind *kind;
    const struct sl_schema *schema; /* of everything that is read */
};

static const struct sl_option no_options[] = {{.name = NULL}};

static enum sl_rc encode(void *self, const struct sl_topic *topic, const struct sl_schema *schema,
                         struct sl_value value, struct sl_buf *out, bool *ret_null, struct sl_error *err)
{
    const struct kind *kind = ((const struct converter *)self)->kind;
    uint64_t word = (uint64_t)value.i;
    float f;
    uint32_t half;

    (void)schema;
    *ret_null = sl_is_null(value);
    if (*ret_null)
        return SL_OK;
    if (value.tag != kind->type)
        return sl_error_set(err, SL_E_DATA,
                            "topic '%s' takes %s only, and a record has a %s. HINT: choose another converter",
                            topic->name, kind->word, sl_type_name((enum sl_type)value.tag));
    if (kind->type == SL_BYTES) {
        sl_buf_put(out, value.bytes, value.len);
        return SL_OK;
    }
    if (kind->type == SL_FLOAT32) {
        f = (float)value.d;
        memcpy(&half, &f, 4);
        word = half;
    }
    word = __builtin_bswap64(word);
    sl_buf_put(out, (const uint8_t *)&word + 8 - kind->size, kind->size);
    return SL_OK;
}

static struct sl_value read_number(const struct kind *kind, const uint8_t *bytes)
{
    uint64_t word = 0;
    uint32_t half;
    float f;
    double d;

    memcpy((uint8_t *)&word + 8 - kind->size, bytes, kind->size);
    word = __builtin_bswap64(word);
    if (kind->type == SL_FLOAT32) {
        half = (uint32_t)word;
        memcpy(&f, &half, 4);
        return sl_float(SL_FLOAT32, (double)f);
    }
    if (kind->type == SL_FLOAT64) {
        memcpy(&d, &word, 8);
        return sl_float(SL_FLOAT64, d);
    }
    if (kind->type == SL_BOOLEAN)
        return sl_bool(word != 0);
    if (kind->type == SL_INT16)
        return sl_int(SL_INT16, (int16_t)word);
    return sl_int(kind->type, kind->type == SL_INT32 ? (int32_t)word : (int64_t)word);
}

static enum sl_rc decode(void *self, const struct sl_topic *topic, struct sl_span bytes,
                         struct sl_arena *arena, const struct sl_schema **ret_schema,
                         struct sl_value *ret_value, struct sl_error *err)
{
    const struct converter *c = self;
    const struct kind *kind = c->kind;

    (void)arena;
    if (bytes.ptr && kind->size && bytes.len != kind->size)
        return sl_error_set(
            err, SL_E_DATA,
            "topic '%s' should hold %s of %zu bytes, and a record has %zu. HINT: choose another "
            "converter",
            topic->name, kind->word, kind->size, bytes.len);
    *ret_schema = c->schema;
    if (!bytes.ptr)
        *ret_value = sl_null();
    else if (kind->type == SL_BYTES)
        *ret_value = sl_bytes(SL_BYTES, bytes.ptr, bytes.len);
    else
        *ret_value = read_number(kind, bytes.ptr);
    return SL_OK;
}

static void *new_converter(const struct kind *kind)
{
    struct converter *c = sl_alloc(sizeof(*c));

    *c = (struct converter){.kind = kind, .schema = sl_schema_plain(kind->type, true)};
    return c;
}

/* ByteArrayConverter and the others differ in their kind and their names alone. */
#define CONVERTER(symbol, index, name_, ...)                                                             \
    static enum sl_rc open_##symbol(const struct sl_props *props, const char *prefix, bool is_key,       \
                                    struct sl_registry *registry, void **ret_self, struct sl_error *err) \
    {                                                                                                    \
        (void)props;                                                                                     \
        (void)prefix;                                                                                    \
        (void)is_key;                                                                                    \
        (void)registry;                                                                                  \
        (void)err;                                                                                       \
        *ret_self = new_converter(&kinds[index]);                                                        \
        return SL_OK;                                                                                    \
    }                                                                                                    \
    static const char *const symbol##_classes[] = {__VA_ARGS__, NULL};                                   \
    const struct sl_converter_ops symbol = {                                                             \
        .name = name_,                                                                                   \
        .classes = symbol##_classes,                                                                     \
        .options = no_options,                                                                           \
        .open = open_##symbol,                                                                           \
        .encode = encode,                                                                                \
        .decode = decode,                                                                                \
        .close = sl_free,                                                                                \
    }

CONVERTER(sl_converter_bytes, 0, "bytes", "org.apache.kafka.connect.converters.ByteArrayConverter");
CONVERTER(sl_converter_short, 1, "short", "org.apache.kafka.connect.converters.ShortConverter");
CONVERTER(sl_converter_integer, 2, "integer", "org.apache.kafka.connect.converters.IntegerConverter");
CONVERTER(sl_converter_long, 3, "long", "org.apache.kafka.connect.converters.LongConverter");
CONVERTER(sl_converter_float, 4, "float", "org.apache.kafka.connect.converters.FloatConverter");
CONVERTER(sl_converter_double, 5, "double", "org.apache.kafka.connect.converters.DoubleConverter");
CONVERTER(sl_converter_boolean, 6, "boolean", "org.apache.kafka.connect.converters.BooleanConverter");
