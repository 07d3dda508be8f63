/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes hold a token. For vnode keyspaces: the ring and the keyspace's replication. For keyspaces on
 * tablets: what the server told in answers to misrouted requests (TABLETS_ROUTING_V1, scylla-source §5.7).
 * Being wrong here costs a hop inside the cluster, never a row.
 */
#ifndef SLUICE_NET_CQL_RING_H
#define SLUICE_NET_CQL_RING_H

#include "net/cql/cell.h"

struct sl_cql_node;

enum { SL_CQL_REPLICAS_MAX = 8 }; /* more are not looked at */

struct sl_cql_owner {
    int64_t token; /* the end of the range */
    struct sl_cql_node *node;
};

/* A keyspace's replication. */
struct sl_cql_replication {
    char *keyspace;
    uint32_t factor;    /* SimpleStrategy; 0 otherwise */
    uint32_t n_centers; /* NetworkTopologyStrategy */
    struct {
        char *name;
        uint32_t factor;
    } *centers;
};

/* How far to look for replicas in a data centre. */
struct sl_cql_center {
    char *name;
    uint32_t n_nodes, n_racks;
};

struct sl_cql_ring {
    struct sl_cql_owner *owners; /* ascending */
    uint32_t n;
    int64_t *tokens; /* the same, for those who want them alone */
    struct sl_cql_center *centers;
    uint32_t n_centers, n_nodes;
    struct sl_cql_replication *keyspaces;
    uint32_t n_keyspaces, capacity;
    uint64_t fingerprint; /* of who is a member and owns what */
};

/* Build from the nodes' tokens; the replications stay. */
void sl_cql_ring_build(struct sl_cql_ring *ring, struct sl_cql_node *nodes);
void sl_cql_ring_clear_keyspaces(struct sl_cql_ring *ring);

/* One row of system_schema.keyspaces: replication is a map<text, text>. A malformed one is left out. */
void sl_cql_ring_add_keyspace(struct sl_cql_ring *ring, const char *keyspace, struct sl_cql_cell replication);
void sl_cql_ring_done(struct sl_cql_ring *ring);

/* Replicas of a token in the ring's order; with no keyspace known, the token's owner. */
uint32_t sl_cql_ring_replicas(const struct sl_cql_ring *ring, const char *keyspace, int64_t token,
                              struct sl_cql_node *ret[SL_CQL_REPLICAS_MAX]);

/* ------------------------------------------------------------------ tablets ------------------------------
 */

struct sl_cql_tablet_replica {
    uint8_t host_id[16];
    uint32_t shard;
};

struct sl_cql_tablet {
    int64_t first, last; /* (first, last] */
    uint32_t n;
    struct sl_cql_tablet_replica replicas[SL_CQL_REPLICAS_MAX];
};

struct sl_cql_tablet_table;

struct sl_cql_tablets {
    struct sl_cql_tablet_table *tables;
};

/* Learn from the payload "tablets-routing-v1" of an answer; anything malformed teaches nothing. */
void sl_cql_tablets_learn(struct sl_cql_tablets *tablets, const char *keyspace, const char *table,
                          struct sl_cql_cell payload);
const struct sl_cql_tablet *sl_cql_tablets_find(const struct sl_cql_tablets *tablets, const char *keyspace,
                                                const char *table, int64_t token);
void sl_cql_tablets_done(struct sl_cql_tablets *tablets);

#endif
