/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connection takes a request: a replica of its token on the shard that owns it, in the local data
 * centre first; then any node. A node that said "overloaded" rests until its time is over; one on which the
 * request has just failed is taken only when there is no other.
 */
#include "net/cql/session.h"

static bool has_room(const struct sl_cql_conn *conn)
{
    return conn && conn->phase == SL_CQL_READY && conn->n_free > 0;
}

/* The shard's connections stand together in the pool; the one with most room. */
static struct sl_cql_conn *pick_of_slots(const struct sl_cql_node *node, uint32_t from, uint32_t to)
{
    struct sl_cql_conn *best = NULL;

    for (uint32_t i = from; i < to && i < node->n_pool; i++) {
        if (has_room(node->pool[i]) && (!best || node->pool[i]->n_free > best->n_free))
            best = node->pool[i];
    }
    return best;
}

static struct sl_cql_conn *pick_of_node(const struct sl_cql *cql, const struct sl_cql_node *node,
                                        const struct sl_cql_call *call, int64_t shard)
{
    uint32_t per_shard = (uint32_t)cql->config.connections_per_host;
    uint32_t n_shards = node->n_pool / per_shard;
    struct sl_cql_conn *conn = NULL;

    if (n_shards > 1 && call->has_token) {
        if (shard < 0 || shard >= n_shards)
            shard = sl_cql_shard(call->token, n_shards, node->supported.ignore_msb);
        conn = pick_of_slots(node, (uint32_t)shard * per_shard, ((uint32_t)shard + 1) * per_shard);
    }
    return conn ? conn : pick_of_slots(node, 0, node->n_pool);
}

struct wish {
    bool is_local;
    bool not_again; /* not where the last try was */
};

static bool suits(const struct sl_cql_node *node, const struct sl_cql_call *call, struct wish wish,
                  int64_t now_us)
{
    if (!node->is_up || !node->is_member || node->busy_until_us > now_us)
        return false;
    if (wish.is_local && !node->is_local)
        return false;
    return !(wish.not_again && call->node == node);
}

struct candidates {
    struct sl_cql_node *nodes[SL_CQL_REPLICAS_MAX];
    int64_t shards[SL_CQL_REPLICAS_MAX]; /* -1: compute it */
    uint32_t n;
};

static void find_replicas(struct sl_cql *cql, const struct sl_cql_call *call, struct candidates *ret)
{
    const struct sl_cql_tablet *tablet = NULL;

    ret->n = 0;
    if (!call->has_token)
        return;
    if (call->keyspace && call->table)
        tablet = sl_cql_tablets_find(&cql->tablets, call->keyspace, call->table, call->token);
    for (uint32_t i = 0; tablet && i < tablet->n; i++) {
        for (struct sl_cql_node *node = cql->nodes; node; node = node->next) {
            if (node->has_id && memcmp(node->host_id, tablet->replicas[i].host_id, 16) == 0) {
                ret->shards[ret->n] = tablet->replicas[i].shard;
                ret->nodes[ret->n++] = node;
                break;
            }
        }
    }
    if (ret->n)
        return;
    ret->n = sl_cql_ring_replicas(&cql->ring, call->keyspace, call->token, ret->nodes);
    for (uint32_t i = 0; i < ret->n; i++)
        ret->shards[i] = -1;
}

static struct sl_cql_conn *pick_replica(struct sl_cql *cql, const struct sl_cql_call *call,
                                        const struct candidates *replicas, struct wish wish, int64_t now_us)
{
    struct sl_cql_conn *conn = NULL;

    for (uint32_t i = 0; i < replicas->n && !conn; i++) {
        if (suits(replicas->nodes[i], call, wish, now_us))
            conn = pick_of_node(cql, replicas->nodes[i], call, replicas->shards[i]);
    }
    return conn;
}

static struct sl_cql_conn *pick_any(struct sl_cql *cql, const struct sl_cql_call *call, struct wish wish,
                                    int64_t now_us)
{
    struct sl_cql_conn *conn = NULL;
    struct sl_cql_node *node = cql->nodes;

    if (cql->n_nodes == 0)
        return NULL;
    for (uint32_t skip = cql->next_node % cql->n_nodes; skip; skip--)
        node = node->next;
    for (uint32_t i = 0; i < cql->n_nodes && !conn; i++) {
        if (suits(node, call, wish, now_us))
            conn = pick_of_node(cql, node, call, -1);
        node = node->next ? node->next : cql->nodes;
    }
    cql->next_node++;
    return conn;
}

struct sl_cql_conn *sl_cql_route(struct sl_cql *cql, struct sl_cql_call *call, int64_t now_us)
{
    static const struct wish wishes[] = {{true, true}, {false, true}, {true, false}, {false, false}};
    struct sl_cql_conn *conn = NULL;
    struct candidates replicas;

    if (call->pinned)
        return has_room(call->pinned) ? call->pinned : NULL;
    find_replicas(cql, call, &replicas);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]) && !conn; i++) {
        conn = pick_replica(cql, call, &replicas, wishes[i], now_us);
        if (!conn)
            conn = pick_any(cql, call, wishes[i], now_us);
    }
    return conn;
}
