/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/offset.h"

#include "base/json.h"
#include "base/number.h"
#include "base/uuid.h"

#include <inttypes.h>
#include <stdio.h>

void sl_scylla_window_bounds(int64_t start_ms, int64_t end_ms, uint8_t ret_from[16], uint8_t ret_to[16])
{
    static const uint64_t all_max = 0x7F7F7F7F7F7F7F7FULL;
    uint64_t ticks = (uint64_t)(end_ms * 10000 + SL_CQL_TICKS_OF_1970 - 1); /* the last one before the end */

    sl_cql_timeuuid_min(start_ms * 1000, ret_from);
    ret_to[0] = (uint8_t)(ticks >> 24);
    ret_to[1] = (uint8_t)(ticks >> 16);
    ret_to[2] = (uint8_t)(ticks >> 8);
    ret_to[3] = (uint8_t)ticks;
    ret_to[4] = (uint8_t)(ticks >> 40);
    ret_to[5] = (uint8_t)(ticks >> 32);
    ret_to[6] = (uint8_t)(0x10 | (ticks >> 56 & 0x0F));
    ret_to[7] = (uint8_t)(ticks >> 48);
    memcpy(ret_to + 8, &all_max, 8);
}

/* ---- writing ---- */

void sl_scylla_offset_put_partition(struct sl_buf *out, const char *keyspace, const char *table,
                                    uint32_t part, uint32_t parts, int64_t generation_ms)
{
    sl_buf_format(out, "{\"keyspace_name\":\"%s\",\"vnode_id\":\"%u", keyspace, part);
    if (parts)
        sl_buf_format(out, "/%u", parts);
    sl_buf_format(out, "\",\"generation_start\":\"%" PRId64 "\",\"table_name\":\"%s\"}", generation_ms,
                  table);
}

static void put_uuid(struct sl_buf *out, const uint8_t bytes[16])
{
    struct sl_uuid uuid;
    char text[SL_UUID_TEXT_SIZE];

    memcpy(uuid.bytes, bytes, 16);
    sl_uuid_format(&uuid, text);
    sl_buf_text(out, text);
}

void sl_scylla_offset_put(struct sl_buf *out, int64_t start_ms, int64_t end_ms,
                          const struct sl_scylla_place *change)
{
    uint8_t from[16], to[16];

    sl_scylla_window_bounds(start_ms, end_ms, from, to);
    sl_buf_text(out, "{\"window_end\":\"");
    put_uuid(out, to);
    if (change) {
        sl_buf_text(out, "\",\"change_id_time\":\"");
        put_uuid(out, change->time);
        sl_buf_text(out, "\",\"change_id_stream_id\":\"0x");
        for (int i = 0; i < 16; i++)
            sl_buf_format(out, "%02x", change->stream[i]);
    }
    sl_buf_text(out, "\",\"window_start\":\"");
    put_uuid(out, from);
    sl_buf_text(out, "\"}");
}

/* ---- reading ---- */

static bool read_text(const json_t *json, const char *key, char *text, size_t size)
{
    const char *value = json_string_value(json_object_get(json, key));

    if (!value || strlen(value) >= size)
        return false;
    memcpy(text, value, strlen(value) + 1);
    return true;
}

static bool read_uuid(const json_t *json, const char *key, uint8_t ret[16])
{
    const char *value = json_string_value(json_object_get(json, key));
    struct sl_uuid uuid;

    if (!value || !sl_uuid_parse(value, &uuid))
        return false;
    memcpy(ret, uuid.bytes, 16);
    return true;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static bool read_stream(const json_t *json, uint8_t ret[16])
{
    const char *value = json_string_value(json_object_get(json, "change_id_stream_id"));

    if (!value || strlen(value) != 34 || value[0] != '0' || value[1] != 'x')
        return false;
    for (int i = 0; i < 16; i++) {
        int high = hex_digit(value[2 + i * 2]), low = hex_digit(value[3 + i * 2]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_partition(const json_t *json, struct sl_scylla_offset *ret)
{
    char vnode[32], generation[32];
    int64_t part, parts = 0;
    char *slash;

    if (!read_text(json, "keyspace_name", ret->keyspace, sizeof(ret->keyspace)) ||
        !read_text(json, "table_name", ret->table, sizeof(ret->table)) ||
        !read_text(json, "vnode_id", vnode, sizeof(vnode)) ||
        !read_text(json, "generation_start", generation, sizeof(generation)))
        return false;
    slash = strchr(vnode, '/');
    if (slash) {
        *slash = '\0';
        if (!sl_parse_int64(slash + 1, &parts) || parts < 1 || parts > UINT32_MAX)
            return false;
    }
    if (!sl_parse_int64(vnode, &part) || part < 0 || part > UINT32_MAX ||
        !sl_parse_int64(generation, &ret->generation_ms))
        return false;
    ret->part = (uint32_t)part;
    ret->parts = (uint32_t)parts;
    return true;
}

static bool read_offset(const json_t *json, struct sl_scylla_offset *ret)
{
    uint8_t start[16];

    if (!read_uuid(json, "window_start", start) || !read_uuid(json, "window_end", ret->window_end))
        return false;
    ret->start_ms = sl_cql_timeuuid_us(start) / 1000;
    ret->has_change =
        read_uuid(json, "change_id_time", ret->change.time) && read_stream(json, ret->change.stream);
    return true;
}

bool sl_scylla_offset_parse(const char *partition, struct sl_span offset, struct sl_scylla_offset *ret)
{
    struct sl_scylla_offset parsed = {0};
    json_t *key = NULL, *value = NULL;
    bool fine =
        sl_json_parse(partition, strlen(partition), "a stored position", &key, NULL) == SL_OK &&
        sl_json_parse((const char *)offset.ptr, offset.len, "a stored position", &value, NULL) == SL_OK &&
        read_partition(key, &parsed) && read_offset(value, &parsed);

    json_decref(key);
    json_decref(value);
    if (fine)
        *ret = parsed;
    return fine;
}

void sl_scylla_offsets_visit(void *ctx, const char *key, struct sl_span value)
{
    struct sl_scylla_offsets *offsets = ctx;
    struct sl_scylla_offset offset;

    if (!sl_scylla_offset_parse(key, value, &offset))
        return;
    SL_GROW(offsets->items, offsets->n, offsets->capacity);
    offsets->items[offsets->n++] = offset;
}

void sl_scylla_offsets_done(struct sl_scylla_offsets *offsets)
{
    sl_free(offsets->items);
    *offsets = (struct sl_scylla_offsets){0};
}
