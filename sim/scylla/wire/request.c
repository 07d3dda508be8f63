/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"
#include "../storage/arena.h"

static const char truncated[] = "truncated frame";

enum {
    PARAM_VALUES = 0x01,
    PARAM_SKIP_METADATA = 0x02,
    PARAM_PAGE_SIZE = 0x04,
    PARAM_PAGING_STATE = 0x08,
    PARAM_SERIAL = 0x10,
    PARAM_TIMESTAMP = 0x20,
    PARAM_NAMES = 0x40,
};

static struct sy_value read_string(struct sy_in *in)
{
    uint16_t len = sy_in_u16(in);
    const uint8_t *bytes = sy_in_bytes(in, len);
    return bytes == NULL ? (struct sy_value){.len = 0} : (struct sy_value){.len = len, .bytes = bytes};
}

static bool is(struct sy_value text, const char *word)
{
    return (size_t)text.len == strlen(word) && memcmp(text.bytes, word, (size_t)text.len) == 0;
}

/* [value]: -1 is null, -2 not set (which version 3 does not know). */
static struct sy_value read_value(struct sy_in *in, uint8_t version)
{
    int32_t len = (int32_t)sy_in_u32(in);
    if (len == SY_NULL || (len == SY_UNSET && version >= 4))
        return (struct sy_value){.len = len};
    if (len < 0) {
        in->failed = true;
        return (struct sy_value){.len = SY_NULL};
    }
    const uint8_t *bytes = sy_in_bytes(in, (size_t)len);
    return bytes == NULL ? (struct sy_value){.len = SY_NULL} : (struct sy_value){.len = len, .bytes = bytes};
}

static bool read_values(struct sy_in *in, uint8_t version, bool named, struct sy_arena *arena,
                        struct sy_parameters *p)
{
    uint32_t n = sy_in_u16(in);
    if (in->failed || sy_in_left(in) / 4 < n)
        return false;
    struct sy_value *values = sy_arena_raw(arena, n * sizeof(*values));
    const char **names = named ? sy_arena_alloc(arena, n * sizeof(*names)) : NULL;
    for (uint32_t i = 0; i < n && !in->failed; i++) {
        if (named) {
            struct sy_value name = read_string(in);
            names[i] = sy_arena_dup(arena, name.len > 0 ? (const char *)name.bytes : "", (size_t)name.len);
        }
        values[i] = read_value(in, version);
    }
    p->n_values = n;
    p->values = values;
    p->names = names;
    return !in->failed;
}

static const char *read_parameters(struct sy_in *in, uint8_t version, struct sy_arena *arena,
                                   struct sy_parameters *p)
{
    *p = (struct sy_parameters){.paging_state = {.len = SY_NULL}};
    p->consistency = sy_in_u16(in);
    uint8_t flags = sy_in_u8(in);
    p->skip_metadata = (flags & PARAM_SKIP_METADATA) != 0;
    if (flags & PARAM_VALUES && !read_values(in, version, (flags & PARAM_NAMES) != 0, arena, p))
        return truncated;
    if (flags & PARAM_PAGE_SIZE)
        p->page_size = (int32_t)sy_in_u32(in);
    if (flags & PARAM_PAGING_STATE)
        p->paging_state = read_value(in, 3);
    if (flags & PARAM_SERIAL)
        p->serial_consistency = sy_in_u16(in);
    if (flags & PARAM_TIMESTAMP) {
        p->has_timestamp = true;
        p->timestamp_us = (int64_t)sy_in_u64(in);
        if (p->timestamp_us == INT64_MIN)
            return "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]";
    }
    return in->failed ? truncated : NULL;
}

static const char *read_long_string(struct sy_in *in, struct sy_request *request)
{
    uint32_t len = sy_in_u32(in);
    const uint8_t *bytes = len > INT32_MAX ? NULL : sy_in_bytes(in, len);
    if (bytes == NULL)
        return truncated;
    request->cql = (const char *)bytes;
    request->cql_len = len;
    return NULL;
}

static const char *read_startup(struct sy_in *in, struct sy_startup *startup)
{
    uint32_t n = sy_in_u16(in);
    for (uint32_t i = 0; i < n && !in->failed; i++) {
        struct sy_value key = read_string(in);
        struct sy_value value = read_string(in);
        if (is(key, "COMPRESSION")) {
            startup->lz4 = is(value, "lz4") || is(value, "LZ4");
            startup->unknown_compression = !startup->lz4 && value.len > 0;
        } else if (is(key, "SCYLLA_RATE_LIMIT_ERROR")) {
            startup->rate_limit = true;
        } else if (is(key, "SCYLLA_LWT_ADD_METADATA_MARK")) {
            startup->lwt_mark = true;
        }
    }
    return in->failed ? truncated : NULL;
}

static const char *read_register(struct sy_in *in, unsigned *ret_events)
{
    uint32_t n = sy_in_u16(in);
    unsigned events = 0;
    for (uint32_t i = 0; i < n && !in->failed; i++) {
        struct sy_value name = read_string(in);
        if (is(name, "SCHEMA_CHANGE"))
            events |= SY_EVENT_SCHEMA;
        else if (is(name, "STATUS_CHANGE"))
            events |= SY_EVENT_STATUS;
        else if (is(name, "TOPOLOGY_CHANGE"))
            events |= SY_EVENT_TOPOLOGY;
        else if (!in->failed)
            return "Invalid event type in REGISTER: SCHEMA_CHANGE, STATUS_CHANGE and TOPOLOGY_CHANGE are "
                   "known";
    }
    *ret_events = events;
    return in->failed ? truncated : NULL;
}

static const char *read_item(struct sy_in *in, uint8_t version, struct sy_arena *arena,
                             struct sy_batch_item *item)
{
    uint8_t kind = sy_in_u8(in);
    *item = (struct sy_batch_item){0};
    if (kind == 0) {
        uint32_t len = sy_in_u32(in);
        item->cql = (const char *)(len > INT32_MAX ? NULL : sy_in_bytes(in, len));
        item->cql_len = len;
        if (item->cql == NULL)
            return truncated;
    } else if (kind == 1) {
        struct sy_value id = read_string(in);
        if (in->failed)
            return truncated;
        if (id.len != sizeof(item->id))
            return "a prepared statement's id is 16 bytes long";
        memcpy(item->id, id.bytes, sizeof(item->id));
    } else {
        return "Invalid query kind in BATCH messages. Must be 0 or 1";
    }
    struct sy_parameters values = {0};
    if (!read_values(in, version, false, arena, &values))
        return truncated;
    item->n_values = values.n_values;
    item->values = values.values;
    return NULL;
}

static const char *read_batch(struct sy_in *in, uint8_t version, struct sy_arena *arena,
                              struct sy_request *request)
{
    uint8_t kind = sy_in_u8(in);
    uint32_t n = sy_in_u16(in);
    if (in->failed || sy_in_left(in) / 5 < n)
        return truncated;
    if (kind > SY_BATCH_COUNTER)
        return "Invalid BATCH message type";
    struct sy_batch_item *items = sy_arena_alloc(arena, n * sizeof(*items));
    for (uint32_t i = 0; i < n; i++) {
        const char *problem = read_item(in, version, arena, &items[i]);
        if (problem != NULL)
            return problem;
    }
    /* behind the consistency stands the flags byte of a QUERY, without values, paging and the like */
    if (sy_in_left(in) >= 3 && in->at[2] & ~(PARAM_SERIAL | PARAM_TIMESTAMP))
        return "BATCH knows the flags for serial consistency and timestamp only";
    const char *problem = read_parameters(in, version, arena, &request->parameters);
    request->batch_kind = (enum sy_batch_kind)kind;
    request->items = items;
    request->n_items = n;
    return problem;
}

static const char *read_execute(struct sy_in *in, uint8_t version, struct sy_arena *arena,
                                struct sy_request *request)
{
    request->id = read_string(in);
    return in->failed ? truncated : read_parameters(in, version, arena, &request->parameters);
}

static const char *read_body(struct sy_in *in, uint8_t version, struct sy_arena *arena,
                             struct sy_request *request)
{
    const char *problem;
    switch (request->opcode) {
    case SY_OP_STARTUP: return read_startup(in, &request->startup);
    case SY_OP_OPTIONS: return NULL;
    case SY_OP_AUTH_RESPONSE: request->token = read_value(in, version); return in->failed ? truncated : NULL;
    case SY_OP_QUERY:
        problem = read_long_string(in, request);
        return problem != NULL ? problem : read_parameters(in, version, arena, &request->parameters);
    case SY_OP_PREPARE: return read_long_string(in, request);
    case SY_OP_EXECUTE: return read_execute(in, version, arena, request);
    case SY_OP_BATCH: return read_batch(in, version, arena, request);
    case SY_OP_REGISTER: return read_register(in, &request->events);
    case SY_OP_ERROR:
    case SY_OP_READY:
    case SY_OP_AUTHENTICATE:
    case SY_OP_SUPPORTED:
    case SY_OP_RESULT:
    case SY_OP_EVENT:
    case SY_OP_AUTH_CHALLENGE:
    case SY_OP_AUTH_SUCCESS: break;
    }
    return "Unknown opcode of a request";
}

const char *sy_request_read(uint8_t version, uint8_t opcode, const uint8_t *body, size_t len,
                            struct sy_arena *arena, struct sy_request *ret_request)
{
    struct sy_in in = {.at = body, .end = body + len};
    struct sy_request request = {.opcode = (enum sy_opcode)opcode};
    if (opcode >= SY_OPCODES)
        return "Unknown opcode of a request";
    const char *problem = read_body(&in, version, arena, &request);
    if (problem == NULL)
        *ret_request = request;
    return problem;
}

bool sy_request_skip_payload(const uint8_t **body, size_t *len)
{
    struct sy_in in = {.at = *body, .end = *body + *len};
    uint32_t n = sy_in_u16(&in);
    for (uint32_t i = 0; i < n && !in.failed; i++) {
        (void)read_string(&in);
        (void)read_value(&in, 3);
    }
    if (in.failed)
        return false;
    *len = sy_in_left(&in);
    *body = in.at;
    return true;
}
