/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all connections of a service share: its nodes, its server, its faults and counters.
 */
#ifndef SIM_SCYLLA_WIRE_WIRE_H
#define SIM_SCYLLA_WIRE_WIRE_H

#include "faults.h"
#include "stats.h"
#include "../session.h"

#include <openssl/ssl.h>

#define SY_NODES_MAX 64
#define SY_SHARDS_MAX 256

enum sy_node_state {
    SY_NODE_UP,
    SY_NODE_DOWN,   /* connections are refused */
    SY_NODE_PAUSED, /* the kernel still takes connections and bytes; nobody looks at them */
};

struct sy_node {
    uint32_t index;
    char address[16];    /* IPv4 */
    uint16_t port;       /* shards in turn */
    uint16_t shard_port; /* source port modulo shards; 0: there is none */
    atomic_int state;    /* enum sy_node_state */
    atomic_uint next_shard;
    atomic_uint delay_min_ms; /* before each answer, a random time between the two */
    atomic_uint delay_max_ms;
};

struct sy_wire {
    struct sy_server *server; /* NULL while it restarts: no connection is alive then */
    struct sy_node nodes[SY_NODES_MAX];
    uint32_t n_nodes;
    uint32_t n_shards;
    bool authenticate;
    SSL_CTX *tls; /* NULL: in clear */
    struct sy_faults faults;
    struct sy_stats stats;
};

#endif
