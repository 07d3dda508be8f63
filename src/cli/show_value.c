/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show_value.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/props.h"
#include "codec/header_codec.h"
#include "codec/value_json.h"

struct sl_shower {
    struct sl_registry *registry;
    struct sl_converter avro;
    struct sl_arena *arena;
};

/* The worker's own value converter says which registry; for a connector's own its addresses count. */
static enum sl_rc open_avro(const struct sl_plugins *plugins, const struct sl_props *worker,
                            struct sl_registry *registry, struct sl_converter *ret, struct sl_error *err)
{
    enum sl_rc rc = sl_plugins_converter(plugins, "avro", &ret->ops, err);

    if (rc == SL_OK)
        rc = ret->ops->open(worker, "value.converter.", false, registry, &ret->self, err);
    if (rc)
        ret->ops = NULL;
    return rc;
}

enum sl_rc sl_shower_open(const struct sl_plugins *plugins, const struct sl_props *worker,
                          struct sl_transport *transport, struct sl_shower **ret, struct sl_error *err)
{
    struct sl_shower *shower = sl_zalloc(1, sizeof(*shower));
    enum sl_rc rc = SL_OK;

    if (plugins->open_registry(worker, transport, true, &shower->registry, err))
        shower->registry = NULL;
    if (shower->registry)
        rc = open_avro(plugins, worker, shower->registry, &shower->avro, err);
    shower->arena = sl_arena_new(64 << 10);
    if (rc) {
        sl_shower_close(shower);
        return rc;
    }
    *ret = shower;
    return SL_OK;
}

void sl_shower_close(struct sl_shower *shower)
{
    if (shower->avro.ops)
        shower->avro.ops->close(shower->avro.self);
    if (shower->registry)
        shower->registry->ops->close(shower->registry);
    sl_arena_free(shower->arena);
    sl_free(shower);
}

static bool is_text(struct sl_span bytes)
{
    size_t i = 0;

    while (i < bytes.len) {
        uint8_t c = bytes.ptr[i];
        size_t more = c < 0x80                ? 0
                      : c >= 0xC2 && c < 0xE0 ? 1
                      : c >= 0xE0 && c < 0xF0 ? 2
                      : c >= 0xF0 && c < 0xF5 ? 3
                                              : 4;

        if (more == 4 || more >= bytes.len - i || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((bytes.ptr[i + k] & 0xC0) != 0x80)
                return false;
        }
        i += more + 1;
    }
    return true;
}

static void put_hex(struct sl_buf *out, struct sl_span bytes)
{
    static const char hex[] = "0123456789abcdef";

    sl_buf_text(out, "\"0x");
    for (size_t i = 0; i < bytes.len; i++) {
        sl_buf_u8(out, (uint8_t)hex[bytes.ptr[i] >> 4]);
        sl_buf_u8(out, (uint8_t)hex[bytes.ptr[i] & 15]);
    }
    sl_buf_u8(out, '"');
}

/* Avro to a value, the value to JSON. False: it is not Avro that this registry knows. */
static bool put_avro(struct sl_shower *shower, const struct sl_topic *topic, struct sl_span bytes,
                     struct sl_buf *out)
{
    const struct sl_json_style style = {.decimal_numbers = true};
    const struct sl_schema *schema = NULL;
    struct sl_value value = sl_null();
    struct sl_error err;

    if (!shower->avro.ops || bytes.len < 5 || bytes.ptr[0] != 0)
        return false;
    sl_arena_reset(shower->arena);
    if (shower->avro.ops->decode(shower->avro.self, topic, bytes, shower->arena, &schema, &value, &err) !=
        SL_OK)
        return false;
    sl_value_json(out, schema, value, &style);
    return true;
}

static bool put_json(struct sl_span bytes, struct sl_buf *out)
{
    json_t *json = NULL;

    if (!bytes.len || (bytes.ptr[0] != '{' && bytes.ptr[0] != '[') ||
        sl_json_parse((const char *)bytes.ptr, bytes.len, "", &json, NULL) != SL_OK)
        return false;
    sl_json_put(out, json);
    json_decref(json);
    return true;
}

void sl_shower_put(struct sl_shower *shower, const struct sl_topic *topic, struct sl_span bytes,
                   struct sl_buf *out)
{
    if (!bytes.ptr)
        sl_buf_text(out, "null");
    else if (put_avro(shower, topic, bytes, out) || put_json(bytes, out))
        return;
    else if (is_text(bytes))
        sl_json_put_text(out, (const char *)bytes.ptr, bytes.len);
    else
        put_hex(out, bytes);
}

void sl_shower_put_headers(struct sl_span headers, struct sl_buf *out)
{
    struct sl_raw_header header;
    const char *comma = "";

    sl_buf_u8(out, '{');
    while (sl_headers_next(&headers, &header) > 0) {
        sl_buf_text(out, comma);
        sl_json_put_text(out, (const char *)header.name.ptr, header.name.len);
        sl_buf_u8(out, ':');
        if (!header.value.ptr)
            sl_buf_text(out, "null");
        else if (is_text(header.value))
            sl_json_put_text(out, (const char *)header.value.ptr, header.value.len);
        else
            put_hex(out, header.value);
        comma = ",";
    }
    sl_buf_u8(out, '}');
}
