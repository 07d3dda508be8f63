/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's JsonConverter: {"schema":...,"payload":...}, or the payload alone with schemas.enable=false. */
#include "base/props.h"
#include "codec/converters.h"
#include "codec/json_schema.h"
#include "base/pointer_map.h"
#include "data/value.h"

enum { MAX_CACHED = 1000 }; /* schema texts on the reading side; beyond that each is read anew */

struct known { /* a schema and its text */
    const struct sl_schema *schema;
    size_t len;
    uint8_t text[];
};

struct converter {
    struct sl_json_style style;
    bool with_schemas;
    struct sl_pointer_map heads; /* by schema id: {"schema":...,"payload": */
    struct sl_pointer_map known; /* by the hash of the schema's text */
};

static const char *const decimal_formats[] = {"BASE64", "NUMERIC", NULL};

static const struct sl_option options[] = {
    {.name = "schemas.enable",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Write each value with its schema, and expect so when reading."},
    {.name = "schemas.cache.size",
     .type = SL_OPT_INT,
     .default_text = "1000",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Taken and ignored: caches grow as needed, up to a bound.",
     .min = 0,
     .max = INT32_MAX},
    {.name = "decimal.format",
     .type = SL_OPT_STRING,
     .default_text = "BASE64",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "Write decimals as base64 of their bytes or as numbers.",
     .values = decimal_formats},
    {.name = "replace.null.with.default",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .importance = SL_IMPORTANCE_LOW,
     .doc =
         "Write a null as its column's default. Kafka's converter says true here; set it to get the same."},
    {.name = NULL},
};

static enum sl_rc open_json(const struct sl_props *props, const char *prefix, bool is_key,
                            struct sl_registry *registry, void **ret_self, struct sl_error *err)
{
    struct converter *c = sl_zalloc(1, sizeof(*c));

    (void)is_key;
    (void)registry;
    (void)err;
    c->with_schemas = sl_option_bool(options, props, prefix, "schemas.enable");
    c->style.null_becomes_default = sl_option_bool(options, props, prefix, "replace.null.with.default");
    c->style.decimal_numbers =
        strcasecmp(sl_option_text(options, props, prefix, "decimal.format"), "NUMERIC") == 0;
    *ret_self = c;
    return SL_OK;
}

static void close_json(void *self)
{
    struct converter *c = self;

    if (!c)
        return;
    sl_pointer_map_done(&c->heads, sl_free);
    sl_pointer_map_done(&c->known, sl_free);
    sl_free(c);
}

static struct known *new_known(const struct sl_schema *schema, const void *text, size_t len)
{
    struct known *known = sl_alloc(sizeof(*known) + len);

    known->schema = schema;
    known->len = len;
    memcpy(known->text, text, len);
    return known;
}

static void put_head(struct converter *c, const struct sl_schema *schema, struct sl_buf *out)
{
    struct known *head;

    if (!schema) {
        sl_buf_text(out, "{\"schema\":null,\"payload\":");
        return;
    }
    head = sl_pointer_map_get(&c->heads, schema->id);
    if (!head) {
        struct sl_buf text = {0};

        sl_buf_text(&text, "{\"schema\":");
        sl_json_schema_put(&text, schema, &c->style);
        sl_buf_text(&text, ",\"payload\":");
        head = new_known(schema, text.data, text.len);
        sl_pointer_map_put(&c->heads, schema->id, head);
        sl_buf_done(&text);
    }
    sl_buf_put(out, head->text, head->len);
}

static enum sl_rc encode_json(void *self, const struct sl_topic *topic, const struct sl_schema *schema,
                              struct sl_value value, struct sl_buf *out, bool *ret_null, struct sl_error *err)
{
    struct converter *c = self;

    /* A null with a schema is written as one: Kafka's converter does so, and readers know it. */
    if (!schema && sl_is_null(value)) {
        *ret_null = true;
        return SL_OK;
    }
    if (schema && sl_value_check(schema, value, err)) {
        (void)sl_error_wrap(err, "failed to write JSON to topic '%s'", topic->name);
        return SL_E_DATA;
    }
    if (c->with_schemas)
        put_head(c, schema, out);
    sl_value_json(out, schema, value, &c->style);
    if (c->with_schemas)
        sl_buf_u8(out, '}');
    *ret_null = false;
    return SL_OK;
}

/* The schema of a text, which is mostly the one of the record before. */
static enum sl_rc find_schema(struct converter *c, struct sl_span text, const struct sl_schema **ret,
                              struct sl_error *err)
{
    uint64_t hash = sl_hash_bytes(text.ptr, text.len, 0);
    const struct known *known = sl_pointer_map_get(&c->known, hash);
    enum sl_rc rc;

    if (known && known->len == text.len && memcmp(known->text, text.ptr, text.len) == 0) {
        *ret = known->schema;
        return SL_OK;
    }
    rc = sl_json_schema_read(text, ret, err);
    if (!rc && !known && c->known.n < MAX_CACHED)
        sl_pointer_map_put(&c->known, hash, new_known(*ret, text.ptr, text.len));
    return rc;
}

static bool is_named(struct sl_span name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.ptr, text, name.len) == 0;
}

/* Take {"schema":...,"payload":...} apart: these two members, each once, and no other. */
static bool split(struct sl_span bytes, struct sl_span *ret_schema, struct sl_span *ret_payload)
{
    struct sl_json_cursor cursor = {.rest = bytes};
    struct sl_span name;
    struct sl_span value;
    int more;

    *ret_schema = (struct sl_span){0};
    *ret_payload = (struct sl_span){0};
    while ((more = sl_json_next_member(&cursor, &name, &value)) > 0) {
        if (is_named(name, "schema") && !ret_schema->ptr)
            *ret_schema = value;
        else if (is_named(name, "payload") && !ret_payload->ptr)
            *ret_payload = value;
        else
            return false;
    }
    return more == 0 && ret_schema->ptr && ret_payload->ptr;
}

static enum sl_rc decode_parts(struct converter *c, struct sl_span bytes, struct sl_arena *arena,
                               const struct sl_schema **ret_schema, struct sl_value *ret_value,
                               struct sl_error *err)
{
    const struct sl_schema *schema = NULL;
    struct sl_span schema_text;
    struct sl_span payload = bytes;
    enum sl_rc rc = SL_OK;

    if (c->with_schemas) {
        if (!split(bytes, &schema_text, &payload))
            return sl_error_set(
                err, SL_E_DATA,
                "with schemas.enable=true a JSON object of just the members schema and payload is "
                "expected. HINT: set schemas.enable=false for plain JSON");
        rc = find_schema(c, schema_text, &schema, err);
    }
    if (!rc)
        rc = sl_value_json_read(payload, schema, arena, ret_value, err);
    if (!rc)
        *ret_schema = schema;
    return rc;
}

static enum sl_rc decode_json(void *self, const struct sl_topic *topic, struct sl_span bytes,
                              struct sl_arena *arena, const struct sl_schema **ret_schema,
                              struct sl_value *ret_value, struct sl_error *err)
{
    enum sl_rc rc;

    if (!bytes.ptr) {
        *ret_schema = NULL;
        *ret_value = sl_null();
        return SL_OK;
    }
    rc = decode_parts(self, bytes, arena, ret_schema, ret_value, err);
    if (rc)
        (void)sl_error_wrap(err, "failed to read JSON of topic '%s'", topic->name);
    return rc;
}

static const char *const classes[] = {"org.apache.kafka.connect.json.JsonConverter", NULL};

const struct sl_converter_ops sl_converter_json = {
    .name = "json",
    .classes = classes,
    .options = options,
    .open = open_json,
    .encode = encode_json,
    .decode = decode_json,
    .close = close_json,
};
