/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/message.h"

#include <stdio.h>

static const struct {
    int32_t code;
    enum sl_rc rc;
    const char *name;
} codes[] = {
    {SL_CQL_SERVER_ERROR, SL_E_BUSY, "server error"},
    {SL_CQL_PROTOCOL_ERROR, SL_E_PROTOCOL, "protocol error"},
    {SL_CQL_BAD_CREDENTIALS, SL_E_AUTH, "login refused"},
    {SL_CQL_UNAVAILABLE, SL_E_BUSY, "too few replicas are up"},
    {SL_CQL_OVERLOADED, SL_E_BUSY, "overloaded"},
    {SL_CQL_BOOTSTRAPPING, SL_E_BUSY, "bootstrapping"},
    {SL_CQL_TRUNCATE_ERROR, SL_E_BUSY, "truncate error"},
    {SL_CQL_WRITE_TIMEOUT, SL_E_TIMEOUT, "write timeout"},
    {SL_CQL_READ_TIMEOUT, SL_E_TIMEOUT, "read timeout"},
    {SL_CQL_READ_FAILURE, SL_E_BUSY, "read failure"},
    {SL_CQL_FUNCTION_FAILURE, SL_E_CONFIG, "function failure"},
    {SL_CQL_WRITE_FAILURE, SL_E_BUSY, "write failure"},
    {SL_CQL_CDC_WRITE_FAILURE, SL_E_BUSY, "CDC write failure"},
    {SL_CQL_SYNTAX_ERROR, SL_E_CONFIG, "syntax error"},
    {SL_CQL_UNAUTHORIZED, SL_E_AUTH, "not authorized"},
    {SL_CQL_INVALID, SL_E_CONFIG, "invalid"},
    {SL_CQL_CONFIG_ERROR, SL_E_CONFIG, "config error"},
    {SL_CQL_ALREADY_EXISTS, SL_E_CONFIG, "already exists"},
    {SL_CQL_UNPREPARED, SL_E_BUSY, "statement not prepared"},
    {SL_CQL_RATE_LIMIT, SL_E_BUSY, "rate limit"},
};

static bool contains(struct sl_span text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what)) != NULL;
}

/* "unconfigured table t", "Keyspace 'k' does not exist", "unconfigured columnfamily": of every release. */
static bool names_a_missing_thing(struct sl_span text)
{
    return contains(text, "unconfigured") || contains(text, "does not exist") ||
           contains(text, "doesn't exist") || contains(text, "Can't find a");
}

enum sl_rc sl_cql_rc_of_code(int32_t code, struct sl_span text)
{
    if (code == SL_CQL_INVALID && names_a_missing_thing(text))
        return SL_E_NOT_FOUND;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code == code)
            return codes[i].rc;
    }
    return SL_E_BUSY;
}

const char *sl_cql_code_name(int32_t code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code == code)
            return codes[i].name;
    }
    return "error";
}

static const char *hint(int32_t code)
{
    switch (code) {
    case SL_CQL_BAD_CREDENTIALS: return ". HINT: check user and password";
    case SL_CQL_UNAUTHORIZED: return ". HINT: grant the right to this user (GRANT SELECT ON ...)";
    case SL_CQL_UNAVAILABLE:
        return ". HINT: start the nodes that are down, or ask for a lower consistency level";
    case SL_CQL_READ_TIMEOUT:
        return ". HINT: the replicas are slow or down; a smaller page asks less of them";
    default: return "";
    }
}

int32_t sl_cql_error_read(struct sl_cql_in *in, const char *host, int32_t rate_limit_code,
                          struct sl_error *err)
{
    int32_t code = sl_cql_take_i32(in);
    struct sl_span text = sl_cql_take_short(in);
    char native[16];

    if (in->bad) {
        sl_error_set(err, SL_E_PROTOCOL, "%s sent an error message that is cut short", host);
        return SL_CQL_PROTOCOL_ERROR;
    }
    if (rate_limit_code && code == rate_limit_code)
        code = SL_CQL_RATE_LIMIT;
    sl_error_set(err, sl_cql_rc_of_code(code, text), "%s says: %s: %.*s%s", host, sl_cql_code_name(code),
                 (int)(text.len < 300 ? text.len : 300), (const char *)text.ptr, hint(code));
    (void)snprintf(native, sizeof(native), "0x%04X", (unsigned)code);
    sl_error_native(err, native);
    return code;
}

static bool is(struct sl_span text, const char *what)
{
    return text.len == strlen(what) && memcmp(text.ptr, what, text.len) == 0;
}

static uint32_t number(struct sl_span text, uint32_t max)
{
    uint64_t v = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || (v = v * 10 + (text.ptr[i] - '0')) > max)
            return 0;
    }
    return (uint32_t)v;
}

static void note_option(struct sl_cql_supported *s, struct sl_span key, struct sl_span value)
{
    enum { SHARDS_MAX = 1024, MSB_MAX = 63 };
    static const char error_code[] = "ERROR_CODE=";

    if (is(key, "COMPRESSION"))
        s->lz4 |= is(value, "lz4");
    else if (is(key, "SCYLLA_SHARD"))
        s->shard = number(value, SHARDS_MAX);
    else if (is(key, "SCYLLA_NR_SHARDS"))
        s->n_shards = number(value, SHARDS_MAX);
    else if (is(key, "SCYLLA_SHARDING_IGNORE_MSB"))
        s->ignore_msb = number(value, MSB_MAX);
    else if (is(key, "SCYLLA_SHARD_AWARE_PORT"))
        s->shard_port = (uint16_t)number(value, UINT16_MAX);
    else if (is(key, "SCYLLA_SHARD_AWARE_PORT_SSL"))
        s->shard_port_tls = (uint16_t)number(value, UINT16_MAX);
    else if (is(key, "SCYLLA_RATE_LIMIT_ERROR") && value.len > strlen(error_code) &&
             memcmp(value.ptr, error_code, strlen(error_code)) == 0)
        s->rate_limit_code = (int32_t)number(
            (struct sl_span){value.ptr + strlen(error_code), value.len - strlen(error_code)}, INT32_MAX);
}

bool sl_cql_supported_read(struct sl_cql_in *in, struct sl_cql_supported *ret)
{
    struct sl_cql_supported supported = {0};
    uint16_t n_keys = sl_cql_take_u16(in);

    for (uint16_t i = 0; i < n_keys && !in->bad; i++) {
        struct sl_span key = sl_cql_take_short(in);
        uint16_t n_values = sl_cql_take_u16(in);

        supported.is_scylla |= key.len > 7 && memcmp(key.ptr, "SCYLLA_", 7) == 0;
        supported.tablets |= is(key, "TABLETS_ROUTING_V1");
        for (uint16_t v = 0; v < n_values && !in->bad; v++)
            note_option(&supported, key, sl_cql_take_short(in));
    }
    if (in->bad)
        return false;
    if (supported.shard >= supported.n_shards)
        supported.shard = 0;
    *ret = supported;
    return true;
}

static void keep(char *to, size_t size, struct sl_span text)
{
    (void)snprintf(to, size, "%.*s", (int)(text.len < size ? text.len : size), (const char *)text.ptr);
}

bool sl_cql_event_read(struct sl_cql_in *in, struct sl_cql_event_message *ret)
{
    struct sl_cql_event_message event = {.kind = SL_CQL_EV_OTHER};
    struct sl_span type = sl_cql_take_short(in);

    if (is(type, "TOPOLOGY_CHANGE") || is(type, "STATUS_CHANGE")) {
        event.kind = is(type, "STATUS_CHANGE") ? SL_CQL_EV_STATUS : SL_CQL_EV_TOPOLOGY;
        keep(event.change, sizeof(event.change), sl_cql_take_short(in));
        (void)sl_cql_take(in, sl_cql_take_u8(in)); /* whom it is about: the nodes are asked again anyway */
        (void)sl_cql_take_i32(in);
    } else if (is(type, "SCHEMA_CHANGE")) {
        event.kind = SL_CQL_EV_SCHEMA;
        keep(event.change, sizeof(event.change), sl_cql_take_short(in));
        keep(event.object, sizeof(event.object), sl_cql_take_short(in));
        keep(event.keyspace, sizeof(event.keyspace), sl_cql_take_short(in));
        if (strcmp(event.object, "KEYSPACE") != 0)
            keep(event.name, sizeof(event.name), sl_cql_take_short(in));
    }
    if (in->bad)
        return false;
    *ret = event;
    return true;
}
