/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/incarnation.h"

#include "base/json.h"

#define SPACE "incarnations"

struct lookup {
    const char *key;
    struct sl_uuid id;
    bool found;
    bool streamed;
};

/* Key: the connector and the source partition, parted by a line end, which neither holds. */
static void make_key(const struct sl_incarnation *incarnation, struct sl_buf *key)
{
    sl_buf_text(key, incarnation->connector);
    sl_buf_u8(key, '\n');
    sl_buf_put(key, incarnation->partition.data, incarnation->partition.len);
}

static void look(void *ctx, const char *key, struct sl_span value)
{
    struct lookup *lookup = ctx;
    const char *id;
    json_t *json;

    if (strcmp(key, lookup->key) != 0 ||
        sl_json_parse((const char *)value.ptr, value.len, SPACE, &json, NULL) != SL_OK)
        return;
    id = json_string_value(json_object_get(json, "incarnation"));
    lookup->found = id && sl_uuid_parse(id, &lookup->id);
    lookup->streamed = json_is_true(json_object_get(json, "streamed"));
    json_decref(json);
}

static enum sl_rc store(struct sl_incarnation *incarnation, struct sl_error *err)
{
    struct sl_transport *transport = incarnation->transport;
    struct sl_buf key = {0};
    struct sl_buf value = {0};
    char id[SL_UUID_TEXT_SIZE];
    enum sl_rc rc;

    make_key(incarnation, &key);
    sl_uuid_format(&incarnation->id, id);
    sl_buf_format(&value, "{\"version\":1,\"incarnation\":\"%s\",\"streamed\":%s}", id,
                  incarnation->kind == SL_SRC_STREAM ? "true" : "false");
    rc = transport->ops->put(transport, SPACE, sl_buf_cstr(&key), (struct sl_span){value.data, value.len},
                             err);
    sl_buf_done(&key);
    sl_buf_done(&value);
    return rc;
}

static enum sl_rc load(struct sl_incarnation *incarnation, struct sl_error *err)
{
    struct sl_transport *transport = incarnation->transport;
    struct sl_span partition = {incarnation->partition.data, incarnation->partition.len};
    struct lookup lookup = {0};
    struct sl_buf key = {0};
    char *offset = NULL;
    enum sl_rc rc;

    make_key(incarnation, &key);
    lookup.key = sl_buf_cstr(&key);
    rc = transport->ops->source_offset(transport, incarnation->connector, partition, &offset, err);
    if (rc == SL_OK)
        rc = transport->ops->list(transport, SPACE, look, &lookup, err);
    sl_buf_done(&key);
    if (rc == SL_OK && offset && lookup.found) {
        incarnation->id = lookup.id;
        incarnation->kind = lookup.streamed ? SL_SRC_STREAM : SL_SRC_SNAPSHOT;
    } else if (rc == SL_OK) {
        sl_uuid_new(&incarnation->id);
        incarnation->kind = SL_SRC_SNAPSHOT;
        rc = store(incarnation, err);
    }
    sl_free(offset);
    return rc;
}

enum sl_rc sl_incarnation_select(struct sl_incarnation *incarnation, struct sl_span partition,
                                 struct sl_error *err)
{
    enum sl_rc rc;

    if (incarnation->partition.len == partition.len && partition.len &&
        memcmp(incarnation->partition.data, partition.ptr, partition.len) == 0)
        return SL_OK;
    sl_buf_reset(&incarnation->partition);
    sl_buf_put(&incarnation->partition, partition.ptr, partition.len);
    rc = load(incarnation, err);
    if (rc)
        sl_buf_reset(&incarnation->partition);
    return rc;
}

enum sl_rc sl_incarnation_turn(struct sl_incarnation *incarnation, uint8_t kind, struct sl_error *err)
{
    struct sl_incarnation before = *incarnation;
    enum sl_rc rc;

    if (kind == SL_SRC_SNAPSHOT)
        sl_uuid_new(&incarnation->id);
    incarnation->kind = kind;
    rc = store(incarnation, err);
    if (rc)
        *incarnation = before;
    return rc;
}

void sl_incarnation_done(struct sl_incarnation *incarnation)
{
    sl_buf_done(&incarnation->partition);
}
