/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket and the connections that came of it, a thread each.
 *
 * The accept thread owns the socket; connections are in a list guarded by `lock`. Stopping interrupts them
 * all and waits for their threads for a bounded time.
 */
#ifndef SIM_SQLSERVER_TDS_LISTENER_H
#define SIM_SQLSERVER_TDS_LISTENER_H

#include "connection.h"

struct ms_client;

struct ms_listener {
    const struct ms_wire *wire;
    char host[64];
    uint16_t port; /* as bound */
    int wake;      /* eventfd: look at `stopping` and `refusing` */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool stopping;
    bool refusing; /* the socket is closed, so that clients get "connection refused" */
    bool listening;
    struct ms_client *clients;
    size_t n_clients;
};

/* port 0 chooses one. False with a line on stderr. */
bool ms_listener_start(struct ms_listener *listener, const struct ms_wire *wire, const char *host,
                       uint16_t port);
/* Close the socket, end all connections. False when some thread had not ended after timeout_ms. */
bool ms_listener_stop(struct ms_listener *listener, int timeout_ms);

/* Returns once the socket is closed or open again; false when it could not be opened. */
bool ms_listener_refuse(struct ms_listener *listener, bool refuse);
/* End the connection of this session; 0 for all. Returns how many. */
size_t ms_listener_kill(struct ms_listener *listener, uint16_t spid);

#endif
