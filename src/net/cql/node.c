/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes and their pools. A pool has its places ordered by shard; the first connection goes to the plain port
 * and learns how many shards there are, the others aim at the shards that have none yet: through the
 * shard-aware port, where the client's own port chooses (p mod shards), or, when that port does not answer or
 * an address translation has changed ours, by opening on the plain port until every shard was hit.
 */
#include "base/random.h"
#include "net/cql/session.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
    OPEN_AT_ONCE = 16,
    SURPLUS_PER_PLACE = 4, /* then some shards do without */
    TRY_SHARDS_AGAIN_US = 60000000,
    PORT_FIRST = 20000,
    PORT_LAST = 60000,
    PORT_TRIES = 8,
    BUSY_BASE_US = 50000,
    BUSY_MAX_US = 5000000,
};

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_in *a4 = (const void *)a;
    const struct sockaddr_in *b4 = (const void *)b;
    const struct sockaddr_in6 *a6 = (const void *)a;
    const struct sockaddr_in6 *b6 = (const void *)b;

    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
    return a6->sin6_port == b6->sin6_port && memcmp(&a6->sin6_addr, &b6->sin6_addr, 16) == 0;
}

struct sl_cql_node *sl_cql_node_find(struct sl_cql *cql, const struct sockaddr_storage *address)
{
    struct sl_cql_node *node = cql->nodes;

    while (node && !same_address(&node->sockaddr, address))
        node = node->next;
    return node;
}

static void name_node(struct sl_cql_node *node, const char *name)
{
    const struct sockaddr_in6 *v6 = (const void *)&node->sockaddr;
    const struct sockaddr_in *v4 = (const void *)&node->sockaddr;
    char text[INET6_ADDRSTRLEN] = "?";

    if (node->sockaddr.ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    else
        (void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    node->port = ntohs(node->sockaddr.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
    node->address = sl_format(node->sockaddr.ss_family == AF_INET6 ? "[%s]:%d" : "%s:%d", text, node->port);
    node->name = sl_strdup(name ? name : text);
}

struct sl_cql_node *sl_cql_node_add(struct sl_cql *cql, const struct sockaddr_storage *address,
                                    const char *name)
{
    enum { NEWEST_VERSION = 4 };
    struct sl_cql_node **link = &cql->nodes;
    struct sl_cql_node *node = sl_zalloc(1, sizeof(*node));
    int64_t base_us = (int64_t)cql->config.backoff_base_ms * 1000;

    node->sockaddr = *address;
    name_node(node, name);
    node->index = cql->n_nodes++;
    node->version = NEWEST_VERSION;
    node->data_center = sl_strdup("");
    node->rack = sl_strdup("");
    node->release_version = sl_strdup("");
    node->backoff = (struct sl_backoff){base_us, (int64_t)cql->config.backoff_max_ms * 1000, 0};
    node->busy_backoff = (struct sl_backoff){BUSY_BASE_US, BUSY_MAX_US, 0};
    while (*link)
        link = &(*link)->next;
    *link = node;
    return node;
}

void sl_cql_nodes_free(struct sl_cql *cql)
{
    while (cql->nodes) {
        struct sl_cql_node *node = cql->nodes;

        cql->nodes = node->next;
        sl_free(node->address);
        sl_free(node->name);
        sl_free(node->data_center);
        sl_free(node->rack);
        sl_free(node->release_version);
        sl_free(node->pool);
        sl_free(node->tokens);
        sl_free(node);
    }
}

/* ------------------------------------------------------------------ pools --------------------------------
 */

static void resize_pool(struct sl_cql *cql, struct sl_cql_node *node)
{
    uint32_t shards = cql->config.ignore_shards || !node->supported.n_shards ? 1 : node->supported.n_shards;
    uint32_t n = shards * (uint32_t)cql->config.connections_per_host;

    if (node->n_pool == n)
        return;
    /* A node that came back with other shards: what is left of the old pool goes. */
    for (uint32_t i = 0; i < node->n_pool; i++) {
        struct sl_cql_conn *old = node->pool[i];
        struct sl_error err;

        if (!old)
            continue;
        sl_error_set(&err, SL_E_CONNECT, "%s has another number of shards now", node->address);
        sl_cql_conn_fail(old, &err);
    }
    sl_free(node->pool);
    node->pool = sl_zalloc(n, sizeof(struct sl_cql_conn *));
    node->n_pool = n;
}

static int free_place(const struct sl_cql *cql, const struct sl_cql_node *node, uint32_t shard)
{
    uint32_t per_shard = (uint32_t)cql->config.connections_per_host;

    if (node->n_pool == per_shard)
        shard = 0; /* shards do not count */
    for (uint32_t i = shard * per_shard; i < (shard + 1) * per_shard && i < node->n_pool; i++) {
        if (!node->pool[i])
            return (int)i;
    }
    return -1;
}

void sl_cql_node_joined(struct sl_cql_node *node, struct sl_cql_conn *conn)
{
    struct sl_cql *cql = conn->cql;
    struct sl_error err;

    resize_pool(cql, node);
    if (conn->by_shard_port && conn->wanted_shard != conn->shard)
        node->shard_port_fails = true;
    conn->slot = free_place(cql, node, conn->shard);
    if (conn->slot < 0) {
        node->surplus++;
        conn->is_surplus = true;
        sl_error_set(&err, SL_E_CONNECT, "%s: this shard has its connections", node->address);
        sl_cql_conn_fail(conn, &err);
        return;
    }
    node->pool[conn->slot] = conn;
    node->n_ready++;
    node->surplus = 0;
    sl_backoff_reset(&node->backoff);
    if (!node->is_up) {
        node->is_up = true;
        node->shard_port_fails = false;
        node->last_error.rc = SL_OK;
        sl_cql_tell(cql, &(struct sl_cql_event){.kind = SL_CQL_EVENT_UP, .address = node->address});
    }
    sl_cql_want_clock(cql, 0);
}

void sl_cql_node_lost(struct sl_cql_node *node, struct sl_cql_conn *conn, const struct sl_error *why)
{
    struct sl_cql *cql = conn->cql;
    bool was_ready = conn->slot >= 0;

    sl_cql_want_clock(cql, 0);
    if (was_ready) {
        node->pool[conn->slot] = NULL;
        node->n_ready--;
    } else if (conn->by_shard_port) {
        node->shard_port_fails = true;
        return;
    } else if (conn->is_surplus) {
        return;
    }
    node->last_error = *why;
    node->open_after_us = sl_now_us() + sl_backoff_next_us(&node->backoff);
    if (node->is_up && node->n_ready == 0) {
        node->is_up = false;
        sl_cql_tell(cql, &(struct sl_cql_event){.kind = SL_CQL_EVENT_DOWN, .address = node->address});
    }
}

void sl_cql_node_busy(struct sl_cql *cql, struct sl_cql_node *node)
{
    int64_t now_us = sl_now_us();

    if (node->busy_until_us <= now_us)
        node->busy_until_us = now_us + sl_backoff_next_us(&node->busy_backoff);
    sl_cql_want_clock(cql, node->busy_until_us);
}

static bool open_plain(struct sl_cql *cql, struct sl_cql_node *node)
{
    struct sl_cql_conn *conn;

    if (sl_cql_conn_open(cql, node, node->port, 0, &conn, &node->last_error) == SL_OK)
        return true;
    node->open_after_us = sl_now_us() + sl_backoff_next_us(&node->backoff);
    return false;
}

/* From a port of ours that leads to the shard; false: none was free, or the node refuses. */
static bool open_at_shard(struct sl_cql *cql, struct sl_cql_node *node, uint16_t port, uint32_t shard)
{
    uint32_t n_shards = node->supported.n_shards;
    struct sl_cql_conn *conn;
    struct sl_error err;

    for (int i = 0; i < PORT_TRIES; i++) {
        uint32_t from = PORT_FIRST + (uint32_t)(sl_random_u64() % (PORT_LAST - PORT_FIRST));

        from = from - from % n_shards + shard;
        if (sl_cql_conn_open(cql, node, port, (uint16_t)from, &conn, &err) == SL_OK) {
            conn->wanted_shard = shard;
            return true;
        }
        if (err.rc != SL_E_CONFIG)
            break;
    }
    node->shard_port_fails = true;
    return false;
}

static void fill_pool(struct sl_cql *cql, struct sl_cql_node *node, int64_t now_us)
{
    const struct sl_cql_supported *supported = &node->supported;
    uint16_t port = cql->config.tls.enabled ? supported->shard_port_tls : supported->shard_port;
    uint32_t per_shard = (uint32_t)cql->config.connections_per_host;
    int n = 0;

    if (node->surplus > SURPLUS_PER_PLACE * node->n_pool) {
        node->surplus = 0;
        node->open_after_us = now_us + TRY_SHARDS_AGAIN_US;
        sl_cql_want_clock(cql, node->open_after_us);
        return;
    }
    for (uint32_t i = 0; i < node->n_pool && n < OPEN_AT_ONCE; i++) {
        bool at_shard = port && node->n_pool > per_shard && !node->shard_port_fails;

        if (node->pool[i])
            continue;
        n++;
        if (!(at_shard && open_at_shard(cql, node, port, i / per_shard)) && !open_plain(cql, node))
            return;
    }
}

static bool is_wanted(const struct sl_cql *cql, const struct sl_cql_node *node, bool local_is_up)
{
    if (!cql->is_ready)
        return node->is_contact;
    return node->is_member && (node->is_local || !local_is_up);
}

void sl_cql_nodes_tend(struct sl_cql *cql, int64_t now_us)
{
    bool local_is_up = false;

    for (struct sl_cql_node *node = cql->nodes; node; node = node->next)
        local_is_up |= node->is_up && node->is_local && node->is_member;
    for (struct sl_cql_node *node = cql->nodes; node; node = node->next) {
        bool is_full = node->n_pool && node->n_ready + node->n_opening >= node->n_pool;

        if (!is_wanted(cql, node, local_is_up) || node->n_opening || is_full)
            continue;
        if (now_us < node->open_after_us)
            sl_cql_want_clock(cql, node->open_after_us);
        else if (node->n_ready)
            fill_pool(cql, node, now_us);
        else
            (void)open_plain(cql, node);
    }
}
