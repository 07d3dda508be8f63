/* SPDX-License-Identifier: Apache-2.0 */
/* OPTIONS, STARTUP, perhaps a login: until a connection may be used (scylla-source §5.2). */
#include "net/cql/session.h"

enum { LOWEST_VERSION = 3 };

void sl_cql_startup_begin(struct sl_cql_conn *conn)
{
    const struct sl_buf nothing = {0};

    conn->phase = SL_CQL_ASKING;
    sl_cql_conn_send(conn, SL_CQL_OP_OPTIONS, 0, &nothing);
}

static void put_pair(struct sl_buf *out, const char *key, const char *value)
{
    sl_cql_put_string(out, key);
    sl_cql_put_string(out, value);
}

static void send_startup(struct sl_cql_conn *conn)
{
    const struct sl_cql_supported *supported = &conn->node->supported;
    bool lz4 = conn->cql->config.compress && supported->lz4;
    struct sl_buf body = {0};

    sl_cql_put_u16(&body, (uint16_t)(3 + lz4 + supported->tablets + (supported->rate_limit_code != 0)));
    put_pair(&body, "CQL_VERSION", "3.0.0");
    put_pair(&body, "DRIVER_NAME", conn->cql->config.application);
    put_pair(&body, "DRIVER_VERSION", SL_VERSION);
    if (lz4)
        put_pair(&body, "COMPRESSION", "lz4");
    if (supported->tablets)
        put_pair(&body, "TABLETS_ROUTING_V1", "");
    if (supported->rate_limit_code)
        put_pair(&body, "SCYLLA_RATE_LIMIT_ERROR", "");
    sl_cql_conn_send(conn, SL_CQL_OP_STARTUP, 0, &body);
    conn->compress = lz4;
    conn->phase = SL_CQL_STARTING;
    sl_buf_done(&body);
}

/* SASL PLAIN, whatever the class is called: every one that takes a password takes this. */
static void send_login(struct sl_cql_conn *conn, struct sl_span class_name)
{
    const struct sl_cql_config *config = &conn->cql->config;
    struct sl_buf body = {0};
    struct sl_error err;

    if (!config->user) {
        sl_error_set(&err, SL_E_AUTH, "%s asks for a login (%.*s). HINT: give user and password",
                     conn->node->address, (int)(class_name.len < 120 ? class_name.len : 120),
                     (const char *)class_name.ptr);
        sl_cql_conn_fail(conn, &err);
        return;
    }
    sl_buf_be32(&body, (uint32_t)(2 + strlen(config->user) + strlen(config->password)));
    sl_buf_u8(&body, 0);
    sl_buf_put(&body, config->user, strlen(config->user));
    sl_buf_u8(&body, 0);
    sl_buf_put(&body, config->password, strlen(config->password));
    sl_cql_conn_send(conn, SL_CQL_OP_AUTH_RESPONSE, 0, &body);
    explicit_bzero(body.data, body.len);
    sl_buf_done(&body);
}

static void refused(struct sl_cql_conn *conn, int frame_version, struct sl_cql_in *in)
{
    struct sl_cql_node *node = conn->node;
    struct sl_error err;
    int32_t code = sl_cql_error_read(in, node->address, 0, &err);

    /* It names a version that it knows, in its text; ours go down one by one. */
    if (code == SL_CQL_PROTOCOL_ERROR && conn->version > LOWEST_VERSION && frame_version != conn->version) {
        node->version = conn->version - 1;
        sl_cql_conn_fail(conn, &err);
        node->open_after_us = 0;
        return;
    }
    sl_cql_conn_fail(conn, &err);
}

static void unexpected(struct sl_cql_conn *conn, uint8_t opcode)
{
    struct sl_error err;

    sl_error_set(&err, SL_E_PROTOCOL,
                 "%s sent a message 0x%02X that does not belong at the start of a connection",
                 conn->node->address, opcode);
    sl_cql_conn_fail(conn, &err);
}

static void take_supported(struct sl_cql_conn *conn, struct sl_cql_in *in)
{
    struct sl_cql_supported supported;

    if (!sl_cql_supported_read(in, &supported)) {
        unexpected(conn, SL_CQL_OP_SUPPORTED);
        return;
    }
    conn->node->supported = supported;
    conn->node->is_known = true;
    conn->shard = supported.shard;
    send_startup(conn);
}

static void ready(struct sl_cql_conn *conn)
{
    conn->phase = SL_CQL_READY;
    conn->cql->stats.connects++;
    conn->cql->stats.connections++;
    conn->node->n_opening--;
    sl_cql_node_joined(conn->node, conn);
}

void sl_cql_startup_frame(struct sl_cql_conn *conn, int frame_version, uint8_t opcode, struct sl_cql_in *in)
{
    if (opcode == SL_CQL_OP_ERROR)
        refused(conn, frame_version, in);
    else if (opcode == SL_CQL_OP_SUPPORTED && conn->phase == SL_CQL_ASKING)
        take_supported(conn, in);
    else if (opcode == SL_CQL_OP_READY && conn->phase == SL_CQL_STARTING)
        ready(conn);
    else if (opcode == SL_CQL_OP_AUTHENTICATE && conn->phase == SL_CQL_STARTING)
        send_login(conn, sl_cql_take_short(in));
    else if (opcode == SL_CQL_OP_AUTH_CHALLENGE && conn->phase == SL_CQL_STARTING)
        send_login(conn, (struct sl_span){(const uint8_t *)"another challenge", 17});
    else if (opcode == SL_CQL_OP_AUTH_SUCCESS && conn->phase == SL_CQL_STARTING)
        ready(conn);
    else
        unexpected(conn, opcode);
}
