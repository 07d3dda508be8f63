/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in the cluster: asked on one connection, the control connection, which also brings the events. The
 * questions go one after the other: REGISTER, system.local, system.peers_v2 (Cassandra; elsewhere
 * system.peers), system_schema.keyspaces.
 */
#include "net/cql/session.h"

#include <stdlib.h>

enum {
    AFTER_EVENT_US = 500000, /* the event may be ahead of the tables */
    CELLS_MAX = 64,
};

struct sl_cql_refresh {
    struct sl_cql_conn *conn;
    bool by_v2;
};

/* ------------------------------------------------------------------ rows ---------------------------------
 */

struct row {
    const struct sl_cql_columns *columns;
    struct sl_cql_cell cells[CELLS_MAX];
};

static struct sl_cql_cell cell_of(const struct row *row, const char *name)
{
    int i = sl_cql_find_column(row->columns, name);

    return i >= 0 ? row->cells[i] : (struct sl_cql_cell){NULL, SL_CQL_NULL};
}

static void set_text(char **to, struct sl_cql_cell cell)
{
    if (cell.len < 0 || (strlen(*to) == (size_t)cell.len && memcmp(*to, cell.data, (size_t)cell.len) == 0))
        return;
    sl_free(*to);
    *to = sl_strndup((const char *)cell.data, (size_t)cell.len);
}

/* set<text>, each a number */
static void set_tokens(struct sl_cql_node *node, struct sl_cql_cell cell)
{
    const struct sl_cql_type *const args[] = {sl_cql_type_simple(SL_CQL_VARCHAR)};
    const struct sl_cql_type set = {.kind = SL_CQL_SET, .n_args = 1, .args = args};
    const struct sl_cql_type *type;
    struct sl_cql_parts parts;
    char text[24];

    node->n_tokens = 0;
    if (!sl_cql_parts_open(&set, cell, &parts))
        return;
    node->tokens = sl_realloc(node->tokens, parts.n + 1, sizeof(*node->tokens));
    while (sl_cql_parts_next(&parts, &type, &cell) > 0) {
        if (cell.len <= 0 || cell.len >= (int32_t)sizeof(text))
            continue;
        memcpy(text, cell.data, (size_t)cell.len);
        text[cell.len] = '\0';
        node->tokens[node->n_tokens++] = strtoll(text, NULL, 10);
    }
}

static void describe(struct sl_cql *cql, struct sl_cql_node *node, const struct row *row)
{
    struct sl_cql_cell id = cell_of(row, "host_id");

    set_text(&node->data_center, cell_of(row, "data_center"));
    set_text(&node->rack, cell_of(row, "rack"));
    set_text(&node->release_version, cell_of(row, "release_version"));
    set_tokens(node, cell_of(row, "tokens"));
    if (id.len == 16) {
        memcpy(node->host_id, id.data, 16);
        node->has_id = true;
    }
    node->seen_round = cql->round;
    node->is_member = true;
}

static bool is_any(struct sl_cql_cell address)
{
    for (int32_t i = 0; i < address.len; i++) {
        if (address.data[i])
            return false;
    }
    return true;
}

static bool peer_address(const struct sl_cql *cql, const struct row *row, struct sockaddr_storage *ret)
{
    struct sl_cql_cell address = cell_of(row, cql->refresh->by_v2 ? "native_address" : "rpc_address");
    struct sl_cql_cell port_cell = cell_of(row, "native_port");
    struct sockaddr_storage found = {0};
    int32_t port = 0;

    if (address.len <= 0 || is_any(address))
        address = cell_of(row, "peer");
    if (!sl_cql_int32(port_cell, &port) || port <= 0 || port > UINT16_MAX)
        port = cql->refresh->conn->node->port;
    if (address.len == 4) {
        struct sockaddr_in *v4 = (void *)&found;

        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        memcpy(&v4->sin_addr, address.data, 4);
    } else if (address.len == 16) {
        struct sockaddr_in6 *v6 = (void *)&found;

        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        memcpy(&v6->sin6_addr, address.data, 16);
    } else {
        return false;
    }
    *ret = found;
    return true;
}

/* A node keeps its identity over a change of address only while nothing answers at the old one. */
static struct sl_cql_node *node_of_peer(struct sl_cql *cql, const struct row *row)
{
    struct sl_cql_cell id = cell_of(row, "host_id");
    struct sockaddr_storage address;
    struct sl_cql_node *node;

    for (node = cql->nodes; node && id.len == 16; node = node->next) {
        if (node->has_id && node->is_up && memcmp(node->host_id, id.data, 16) == 0)
            return node;
    }
    if (!peer_address(cql, row, &address))
        return NULL;
    node = sl_cql_node_find(cql, &address);
    if (!node && !cql->config.contact_points_only)
        node = sl_cql_node_add(cql, &address, NULL);
    for (struct sl_cql_node *old = cql->nodes; old && id.len == 16; old = old->next) {
        if (old != node && old->has_id && memcmp(old->host_id, id.data, 16) == 0)
            old->has_id = false;
    }
    return node;
}

static enum sl_rc each_row(struct sl_cql *cql, struct sl_cql_reply *reply,
                           void (*take)(struct sl_cql *cql, const struct row *row), struct sl_error *err)
{
    struct sl_cql_rows *rows = &reply->answer.rows;
    struct row row = {.columns = rows->columns};
    enum sl_rc rc;
    bool more;

    if (!rows->columns || rows->columns->n > CELLS_MAX)
        return sl_error_set(err, SL_E_PROTOCOL, "%s gave no rows where there must be some",
                            reply->answer.host);
    while ((rc = sl_cql_rows_next(rows, row.cells, &more, err)) == SL_OK && more)
        take(cql, &row);
    return rc;
}

static void take_local(struct sl_cql *cql, const struct row *row)
{
    describe(cql, cql->refresh->conn->node, row);
}

static void take_peer(struct sl_cql *cql, const struct row *row)
{
    struct sl_cql_node *node = node_of_peer(cql, row);

    if (node && node->seen_round != cql->round)
        describe(cql, node, row);
}

static void take_keyspace(struct sl_cql *cql, const struct row *row)
{
    struct sl_cql_cell cell = cell_of(row, "keyspace_name");
    char *name;

    if (cell.len <= 0)
        return;
    name = sl_strndup((const char *)cell.data, (size_t)cell.len);
    sl_cql_ring_add_keyspace(&cql->ring, name, cell_of(row, "replication"));
    sl_free(name);
}

/* ------------------------------------------------------------------ what it amounts to -------------------
 */

static uint64_t fingerprint(const struct sl_cql *cql)
{
    uint64_t sum = 0;

    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        if (!node->is_member)
            continue;
        sum += (node->index + 1) * 0x9E3779B97F4A7C15ULL;
        for (uint32_t i = 0; i < node->n_tokens; i++)
            sum += ((uint64_t)node->tokens[i] ^ node->index) * 0xff51afd7ed558ccdULL;
    }
    return sum;
}

static void list_centers(const struct sl_cql *cql, struct sl_buf *out)
{
    for (const struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        const struct sl_cql_node *before = cql->nodes;

        while (before != node && strcmp(before->data_center, node->data_center) != 0)
            before = before->next;
        if (before == node && node->is_member)
            sl_buf_format(out, "%s'%s'", out->len ? ", " : "", node->data_center);
    }
}

static bool find_locals(struct sl_cql *cql, struct sl_error *err)
{
    struct sl_buf centers = {0};
    uint32_t n = 0;

    if (!cql->local_dc) {
        const char *given = cql->config.local_dc;

        cql->local_dc = sl_strdup(given && *given ? given : cql->refresh->conn->node->data_center);
    }
    for (struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        node->is_local = node->is_member && strcmp(node->data_center, cql->local_dc) == 0;
        n += node->is_local;
    }
    if (n || cql->is_ready)
        return true;
    list_centers(cql, &centers);
    sl_error_set(err, SL_E_CONFIG, "no node is in the data centre '%s'. HINT: the cluster has %s",
                 cql->local_dc, sl_buf_cstr(&centers));
    sl_buf_done(&centers);
    return false;
}

static void finish(struct sl_cql *cql, const struct sl_error *failure)
{
    int64_t now_us = sl_now_us();

    sl_free(cql->refresh);
    cql->refresh = NULL;
    if (failure) {
        cql->control = NULL; /* another one may do better */
        cql->missed_events |= cql->is_ready;
        cql->refresh_error = *failure;
        cql->refresh_after_us = now_us + sl_backoff_next_us(&cql->refresh_backoff);
        sl_cql_want_clock(cql, cql->refresh_after_us);
        return;
    }
    sl_backoff_reset(&cql->refresh_backoff);
    cql->refresh_error.rc = SL_OK;
    cql->is_ready = true;
    sl_cql_want_clock(cql, 0); /* pools of the nodes that were found */
    if (cql->missed_events)
        sl_cql_tell(cql, &(struct sl_cql_event){.kind = SL_CQL_EVENT_RESYNC});
    cql->missed_events = false;
}

static void settle(struct sl_cql *cql)
{
    uint64_t before = cql->ring.fingerprint;
    struct sl_error err;

    for (struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        if (node->seen_round != cql->round && !(cql->config.contact_points_only && node->is_contact))
            node->is_member = false;
    }
    sl_cql_ring_build(&cql->ring, cql->nodes);
    cql->ring.fingerprint = fingerprint(cql);
    if (!find_locals(cql, &err)) {
        finish(cql, &err);
        return;
    }
    if (cql->is_ready && before != cql->ring.fingerprint)
        sl_cql_tell(cql, &(struct sl_cql_event){.kind = SL_CQL_EVENT_TOPOLOGY});
    finish(cql, NULL);
}

/* ------------------------------------------------------------------ the questions ------------------------
 */

/* A failed question ends the round, unless it may be left out. */
static bool is_bad(struct sl_cql *cql, struct sl_cql_reply *reply, enum sl_rc rc, struct sl_error *err)
{
    if (rc == SL_OK)
        return false;
    sl_cql_reply_free(reply);
    finish(cql, err);
    return true;
}

static void got_keyspaces(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct sl_error err = reply->answer.err;

    (void)call;
    sl_cql_ring_clear_keyspaces(&cql->ring);
    /* Without it requests go to a token's owner, which is right if not best. */
    if (reply->answer.rc == SL_OK)
        (void)each_row(cql, reply, take_keyspace, &err);
    sl_cql_reply_free(reply);
    settle(cql);
}

static void got_peers(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct sl_cql_conn *conn = cql->refresh->conn;
    struct sl_error err = reply->answer.err;
    enum sl_rc rc = reply->answer.rc;

    (void)call;
    if (rc != SL_OK && reply->answer.code == SL_CQL_INVALID && cql->refresh->by_v2) {
        cql->refresh->by_v2 = false;
        sl_cql_reply_free(reply);
        sl_cql_call_query(cql, "SELECT * FROM system.peers", conn, got_peers, NULL);
        return;
    }
    if (rc == SL_OK)
        rc = each_row(cql, reply, take_peer, &err);
    if (is_bad(cql, reply, rc, &err))
        return;
    sl_cql_reply_free(reply);
    sl_cql_call_query(cql, "SELECT keyspace_name, replication FROM system_schema.keyspaces", conn,
                      got_keyspaces, NULL);
}

static void got_local(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct sl_cql_conn *conn = cql->refresh->conn;
    struct sl_error err = reply->answer.err;
    enum sl_rc rc = reply->answer.rc;

    (void)call;
    if (rc == SL_OK)
        rc = each_row(cql, reply, take_local, &err);
    if (is_bad(cql, reply, rc, &err))
        return;
    sl_cql_reply_free(reply);
    cql->refresh->by_v2 = !conn->node->supported.is_scylla;
    sl_cql_call_query(cql,
                      cql->refresh->by_v2 ? "SELECT * FROM system.peers_v2" : "SELECT * FROM system.peers",
                      conn, got_peers, NULL);
}

static void registered(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply)
{
    struct sl_error err = reply->answer.err;

    (void)call;
    if (is_bad(cql, reply, reply->answer.rc, &err))
        return;
    sl_cql_reply_free(reply);
    sl_cql_call_query(cql, "SELECT * FROM system.local WHERE key='local'", cql->refresh->conn, got_local,
                      NULL);
}

static void register_events(struct sl_cql *cql)
{
    struct sl_cql_call *call = sl_cql_call_new(cql, SL_CQL_OP_REGISTER, cql->config.try_timeout_ms);

    call->done = registered;
    call->pinned = cql->control;
    sl_cql_put_u16(&call->body, 3);
    sl_cql_put_string(&call->body, "TOPOLOGY_CHANGE");
    sl_cql_put_string(&call->body, "STATUS_CHANGE");
    sl_cql_put_string(&call->body, "SCHEMA_CHANGE");
    sl_cql_call_start(cql, call);
}

void sl_cql_topology_start(struct sl_cql *cql)
{
    struct sl_cql_conn *conn = cql->control;
    bool is_new = !conn;

    if (!conn) {
        TAILQ_FOREACH(conn, &cql->conns, link)
        {
            if (conn->phase == SL_CQL_READY && conn->node->is_member)
                break;
        }
    }
    if (!conn || cql->refresh)
        return;
    cql->control = conn;
    cql->refresh = sl_zalloc(1, sizeof(*cql->refresh));
    cql->refresh->conn = conn;
    cql->refresh_after_us = INT64_MAX;
    cql->round++;
    if (is_new)
        register_events(cql);
    else
        sl_cql_call_query(cql, "SELECT * FROM system.local WHERE key='local'", conn, got_local, NULL);
}

void sl_cql_topology_lost(struct sl_cql *cql)
{
    cql->control = NULL;
    cql->missed_events |= cql->is_ready;
    cql->refresh_after_us = 0;
    sl_cql_want_clock(cql, 0);
}

/* ------------------------------------------------------------------ events -------------------------------
 */

static void ask_again(struct sl_cql *cql)
{
    int64_t at_us = sl_now_us() + AFTER_EVENT_US;

    if (at_us < cql->refresh_after_us)
        cql->refresh_after_us = at_us;
    sl_cql_want_clock(cql, cql->refresh_after_us);
}

void sl_cql_topology_event(struct sl_cql *cql, struct sl_cql_in *in)
{
    struct sl_cql_event_message message;

    if (!sl_cql_event_read(in, &message))
        return;
    if (message.kind == SL_CQL_EV_SCHEMA) {
        const struct sl_cql_event event = {.kind = SL_CQL_EVENT_SCHEMA,
                                           .change = message.change,
                                           .object = message.object,
                                           .keyspace = message.keyspace,
                                           .name = message.name};

        if (!*message.name)
            ask_again(cql);
        sl_cql_tell(cql, &event);
    } else if (message.kind != SL_CQL_EV_OTHER) {
        for (struct sl_cql_node *node = cql->nodes; node; node = node->next)
            node->open_after_us = node->is_up || strcmp(message.change, "UP") != 0 ? node->open_after_us : 0;
        ask_again(cql);
    }
}

void sl_cql_topology_done(struct sl_cql *cql)
{
    sl_free(cql->refresh);
    sl_cql_ring_done(&cql->ring);
    sl_cql_tablets_done(&cql->tablets);
}
