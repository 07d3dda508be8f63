/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening sockets of all nodes, and the connections that came of them, a thread each.
 *
 * The accept thread owns the sockets and opens or closes them as the nodes' states say; connections are in a
 * list guarded by `lock`. A node has a plain port, where shards are given out in turn, and a shard-aware one,
 * where the client's own port chooses.
 */
#ifndef SIM_SCYLLA_WIRE_LISTENER_H
#define SIM_SCYLLA_WIRE_LISTENER_H

#include "connection.h"

struct sy_client;

struct sy_listener {
    struct sy_wire *wire;
    int fds[SY_NODES_MAX][2]; /* plain, shard-aware; -1: closed */
    int wake;                 /* eventfd: look at the nodes' states and at `stopping` */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool started;
    bool stopping;
    uint64_t asked; /* orders given, and orders followed */
    uint64_t done;
    bool failed; /* a socket could not be opened again */
    struct sy_client *clients;
    size_t n_clients;
};

struct sy_ports {
    uint16_t port;       /* 0: choose one that is free on all addresses */
    uint16_t shard_port; /* 0: choose */
    bool shard_aware;    /* false: no shard-aware ports */
    bool differ;         /* node i at port + i */
};

/* Bind all sockets, and set the ports of wire->nodes. Nothing is accepted yet. False with a line on stderr.
 */
bool sy_listener_bind(struct sy_listener *listener, struct sy_wire *wire, const struct sy_ports *ports);
bool sy_listener_start(struct sy_listener *listener);
/* Close the sockets, end all connections. False when some thread had not ended after timeout_ms. */
bool sy_listener_stop(struct sy_listener *listener, int timeout_ms);
void sy_listener_done(struct sy_listener *listener); /* after a stop that was true, or without a start */

/* Set a node's state (SY_FAULT_ALL_NODES: of all) and return once it is true: a node that goes down drops its
 * connections. False when a socket could not be opened again. */
bool sy_listener_set_state(struct sy_listener *listener, uint32_t node, enum sy_node_state state);
/* End the connections of a node, or of all. Returns how many were. */
size_t sy_listener_kill(struct sy_listener *listener, uint32_t node);
/* Wait until no connection is left. */
bool sy_listener_wait_idle(struct sy_listener *listener, int timeout_ms);
/* To all clients that registered; but for those of node `except` (SY_FAULT_ALL_NODES: none). */
void sy_listener_push(struct sy_listener *listener, unsigned event, uint32_t except,
                      const struct sy_out *body);
size_t sy_listener_count(struct sy_listener *listener, uint32_t node);

#endif
