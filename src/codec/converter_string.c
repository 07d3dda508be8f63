/* SPDX-License-Identifier: Apache-2.0 */
/* Text: StringConverter, and SimpleHeaderConverter, which guesses the type back from the text. */
#include "base/alloc.h"
#include "base/props.h"
#include "codec/converters.h"
#include "codec/value_text.h"

#include <strings.h>

static const char *check_encoding(const char *text)
{
    return strcasecmp(text, "UTF-8") == 0 || strcasecmp(text, "UTF8") == 0 ? NULL : "only UTF-8 is supported";
}

#define ENCODING_OPTION(name_)                     \
    {.name = (name_),                              \
     .type = SL_OPT_STRING,                        \
     .default_text = "UTF-8",                      \
     .importance = SL_IMPORTANCE_HIGH,             \
     .doc = "How text becomes bytes; UTF-8 only.", \
     .validate = check_encoding}

static const struct sl_option options[] = {
    ENCODING_OPTION("converter.encoding"),
    ENCODING_OPTION("converter.encoding.serializer"),
    ENCODING_OPTION("converter.encoding.deserializer"),
    {.name = NULL},
};

static const struct sl_option no_options[] = {{.name = NULL}};

/* The two differ in the text that they write, and in what they take a text for. */
struct converter {
    void (*write)(struct sl_buf *out, const struct sl_schema *schema, struct sl_value value);
    bool guesses;                 /* the type is in the text's form */
    const struct sl_schema *text; /* else it is this */
};

static enum sl_rc open_as(struct converter converter, void **ret_self)
{
    struct converter *c = sl_alloc(sizeof(*c));

    *c = converter;
    *ret_self = c;
    return SL_OK;
}

static enum sl_rc open_string(const struct sl_props *props, const char *prefix, bool is_key,
                              struct sl_registry *registry, void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)prefix;
    (void)is_key;
    (void)registry;
    (void)err;
    return open_as((struct converter){.write = sl_value_string, .text = sl_schema_plain(SL_STRING, true)},
                   ret_self);
}

static enum sl_rc open_simple(const struct sl_props *props, const char *prefix, bool is_key,
                              struct sl_registry *registry, void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)prefix;
    (void)is_key;
    (void)registry;
    (void)err;
    return open_as((struct converter){.write = sl_value_literal, .guesses = true}, ret_self);
}

static enum sl_rc encode_text(void *self, const struct sl_topic *topic, const struct sl_schema *schema,
                              struct sl_value value, struct sl_buf *out, bool *ret_null, struct sl_error *err)
{
    const struct converter *c = self;

    (void)topic;
    (void)err;
    *ret_null = sl_is_null(value);
    if (!*ret_null)
        c->write(out, schema, value);
    return SL_OK;
}

static enum sl_rc decode_text(void *self, const struct sl_topic *topic, struct sl_span bytes,
                              struct sl_arena *arena, const struct sl_schema **ret_schema,
                              struct sl_value *ret_value, struct sl_error *err)
{
    const struct converter *c = self;

    (void)topic;
    (void)err;
    if (c->guesses) {
        sl_value_literal_read(bytes, arena, ret_schema, ret_value);
        return SL_OK;
    }
    *ret_schema = c->text;
    *ret_value = bytes.ptr ? sl_bytes(SL_STRING, bytes.ptr, bytes.len) : sl_null();
    return SL_OK;
}

static const char *const string_classes[] = {"org.apache.kafka.connect.storage.StringConverter", NULL};
static const char *const simple_classes[] = {"org.apache.kafka.connect.storage.SimpleHeaderConverter", NULL};

const struct sl_converter_ops sl_converter_string = {
    .name = "string",
    .classes = string_classes,
    .options = options,
    .open = open_string,
    .encode = encode_text,
    .decode = decode_text,
    .close = sl_free,
};

const struct sl_converter_ops sl_converter_simple = {
    .name = "simple",
    .classes = simple_classes,
    .options = no_options,
    .open = open_simple,
    .encode = encode_text,
    .decode = decode_text,
    .close = sl_free,
};
