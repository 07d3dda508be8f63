/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENT_STACK_BYTES (2U << 20)
#define TRIES 50

struct sy_client {
    struct sy_connection connection;
    struct sy_listener *listener;
    struct sy_client *next;
    struct sy_client *previous;
};

static void close_all(struct sy_listener *listener)
{
    for (size_t i = 0; i < SY_NODES_MAX; i++)
        sy_sockets_close(listener->fds[i]);
}

/* All nodes' sockets; where a port is to be chosen, the first node's is the others' too. */
static bool bind_nodes(struct sy_listener *listener, const struct sy_ports *ports)
{
    struct sy_wire *wire = listener->wire;
    uint16_t port = ports->port;
    uint16_t shard_port = ports->shard_port;
    for (uint32_t i = 0; i < wire->n_nodes; i++) {
        struct sy_node *node = &wire->nodes[i];
        uint16_t step = ports->differ ? (uint16_t)i : 0;
        node->port = port == 0 ? 0 : (uint16_t)(port + step);
        node->shard_port = shard_port == 0 ? 0 : (uint16_t)(shard_port + step);
        if (!sy_sockets_open(node, ports->shard_aware, listener->fds[i]))
            return false;
        if (i == 0) {
            port = node->port;
            shard_port = node->shard_port;
        }
    }
    return true;
}

bool sy_listener_bind(struct sy_listener *listener, struct sy_wire *wire, const struct sy_ports *ports)
{
    *listener = (struct sy_listener){.wire = wire};
    for (size_t i = 0; i < SY_NODES_MAX; i++)
        listener->fds[i][0] = listener->fds[i][1] = -1;
    /* a port that is free for the first node need not be free for the others */
    int tries = ports->port == 0 || ports->shard_port == 0 ? TRIES : 1;
    bool bound = false;
    for (int i = 0; i < tries && !bound; i++) {
        bound = bind_nodes(listener, ports);
        if (!bound) {
            int saved = errno;
            close_all(listener);
            errno = saved;
        }
    }
    if (!bound) {
        fprintf(stderr,
                "sluice-sim-scylla: cannot listen on %s:%u for %u nodes: %s. HINT: choose another --listen "
                "address, or another --shard-port\n",
                wire->nodes[0].address, ports->port, wire->n_nodes, strerror(errno));
        return false;
    }
    pthread_mutex_init(&listener->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&listener->changed, &clock);
    pthread_condattr_destroy(&clock);
    listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return listener->wake >= 0;
}

static void link_client(struct sy_listener *listener, struct sy_client *client)
{
    pthread_mutex_lock(&listener->lock);
    client->next = listener->clients;
    if (client->next != NULL)
        client->next->previous = client;
    listener->clients = client;
    listener->n_clients++;
    if (listener->stopping)
        sy_connection_stop(&client->connection);
    pthread_mutex_unlock(&listener->lock);
}

/* Off the list first: whoever walks it holds the lock, so that nobody touches the client afterwards. The
 * count goes down last, for the stop waits for it before the server closes. */
static void end_client(struct sy_client *client)
{
    struct sy_listener *listener = client->listener;
    pthread_mutex_lock(&listener->lock);
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        listener->clients = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    pthread_mutex_unlock(&listener->lock);
    sy_connection_done(&client->connection);
    free(client);
    pthread_mutex_lock(&listener->lock);
    listener->n_clients--;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
}

static void *serve_client(void *arg)
{
    struct sy_client *client = arg;
    sy_connection_serve(&client->connection);
    end_client(client);
    return NULL;
}

static void begin_client(struct sy_listener *listener, uint32_t node, uint32_t shard, int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    atomic_fetch_add(&listener->wire->stats.connections, 1);
    struct sy_client *client = sy_wire_alloc(1, sizeof(*client));
    client->listener = listener;
    sy_connection_init(&client->connection, listener->wire, node, shard, fd);
    link_client(listener, client);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, CLIENT_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, serve_client, client) != 0)
        end_client(client);
    pthread_attr_destroy(&attributes);
}

static void accept_all(struct sy_listener *listener, uint32_t node, bool shard_aware)
{
    struct sy_wire *wire = listener->wire;
    for (;;) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);
        int fd = accept4(listener->fds[node][shard_aware], (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        if (fd >= 0) {
            uint32_t turn =
                shard_aware ? ntohs(peer.sin_port) : atomic_fetch_add(&wire->nodes[node].next_shard, 1);
            begin_client(listener, node, turn % wire->n_shards, fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno == EMFILE || errno == ENFILE) /* let some connection end before the next try */
                (void)poll(NULL, 0, 20);
            return;
        }
    }
}

/* Open and close sockets as the nodes' states say, and tell who waits for it. False: stop. */
static bool follow_states(struct sy_listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    bool stopping = listener->stopping;
    uint64_t asked = listener->asked;
    pthread_mutex_unlock(&listener->lock);
    bool failed = false;
    for (uint32_t i = 0; i < listener->wire->n_nodes; i++) {
        struct sy_node *node = &listener->wire->nodes[i];
        bool down = stopping || atomic_load(&node->state) == SY_NODE_DOWN;
        if (down)
            sy_sockets_close(listener->fds[i]);
        else if (listener->fds[i][0] < 0)
            failed = !sy_sockets_open(node, node->shard_port != 0, listener->fds[i]) || failed;
    }
    pthread_mutex_lock(&listener->lock);
    listener->done = asked;
    listener->failed = failed;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
    return !stopping;
}

static void *accept_until_stopped(void *arg)
{
    struct sy_listener *listener = arg;
    struct pollfd waits[1 + 2 * SY_NODES_MAX];
    uint32_t n = listener->wire->n_nodes;
    for (;;) {
        waits[0] = (struct pollfd){.fd = listener->wake, .events = POLLIN};
        for (uint32_t i = 0; i < n; i++) {
            bool open = atomic_load(&listener->wire->nodes[i].state) == SY_NODE_UP;
            for (int j = 0; j < 2; j++)
                waits[1 + 2 * i + j] =
                    (struct pollfd){.fd = open ? listener->fds[i][j] : -1, .events = POLLIN};
        }
        (void)poll(waits, 1 + 2 * n, -1);
        uint64_t count;
        if (waits[0].revents != 0 && read(listener->wake, &count, sizeof(count)) > 0) {
            if (!follow_states(listener))
                return NULL;
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            for (int j = 0; j < 2; j++)
                if (waits[1 + 2 * i + j].revents != 0)
                    accept_all(listener, i, j == 1);
        }
    }
}

static void wake(struct sy_listener *listener)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(listener->wake, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
}

bool sy_listener_start(struct sy_listener *listener)
{
    listener->started = pthread_create(&listener->thread, NULL, accept_until_stopped, listener) == 0;
    return listener->started;
}

/* The caller holds `lock`: no client is freed meanwhile. */
static size_t stop_clients(struct sy_listener *listener, uint32_t node)
{
    size_t n = 0;
    for (struct sy_client *client = listener->clients; client != NULL; client = client->next) {
        if (node == SY_FAULT_ALL_NODES || client->connection.dialog.node == node) {
            sy_connection_stop(&client->connection);
            n++;
        }
    }
    return n;
}

/* The caller holds `lock`. */
static bool wait_for_clients(struct sy_listener *listener, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    int waited = 0;
    while (listener->n_clients > 0 && waited == 0)
        waited = pthread_cond_timedwait(&listener->changed, &listener->lock, &until);
    return listener->n_clients == 0;
}

bool sy_listener_stop(struct sy_listener *listener, int timeout_ms)
{
    pthread_mutex_lock(&listener->lock);
    listener->stopping = true;
    pthread_mutex_unlock(&listener->lock);
    wake(listener);
    if (listener->started)
        pthread_join(listener->thread, NULL);
    close_all(listener);
    pthread_mutex_lock(&listener->lock);
    stop_clients(listener, SY_FAULT_ALL_NODES);
    bool all = wait_for_clients(listener, timeout_ms);
    pthread_mutex_unlock(&listener->lock);
    return all;
}

void sy_listener_done(struct sy_listener *listener)
{
    close_all(listener);
    close(listener->wake);
    pthread_cond_destroy(&listener->changed);
    pthread_mutex_destroy(&listener->lock);
}

bool sy_listener_set_state(struct sy_listener *listener, uint32_t node, enum sy_node_state state)
{
    struct sy_wire *wire = listener->wire;
    for (uint32_t i = 0; i < wire->n_nodes; i++) {
        if (node == SY_FAULT_ALL_NODES || node == i)
            atomic_store(&wire->nodes[i].state, (int)state);
    }
    pthread_mutex_lock(&listener->lock);
    uint64_t order = ++listener->asked;
    wake(listener);
    while (listener->done < order)
        pthread_cond_wait(&listener->changed, &listener->lock);
    bool ok = !listener->failed;
    for (struct sy_client *client = listener->clients; client != NULL; client = client->next)
        sy_connection_wake(&client->connection);
    if (state == SY_NODE_DOWN)
        stop_clients(listener, node);
    pthread_mutex_unlock(&listener->lock);
    return ok;
}

size_t sy_listener_kill(struct sy_listener *listener, uint32_t node)
{
    pthread_mutex_lock(&listener->lock);
    size_t n = stop_clients(listener, node);
    pthread_mutex_unlock(&listener->lock);
    return n;
}

bool sy_listener_wait_idle(struct sy_listener *listener, int timeout_ms)
{
    pthread_mutex_lock(&listener->lock);
    bool idle = wait_for_clients(listener, timeout_ms);
    pthread_mutex_unlock(&listener->lock);
    return idle;
}

void sy_listener_push(struct sy_listener *listener, unsigned event, uint32_t except,
                      const struct sy_out *body)
{
    pthread_mutex_lock(&listener->lock);
    for (struct sy_client *client = listener->clients; client != NULL; client = client->next) {
        if (client->connection.dialog.node != except)
            sy_connection_push(&client->connection, event, body);
    }
    pthread_mutex_unlock(&listener->lock);
}

size_t sy_listener_count(struct sy_listener *listener, uint32_t node)
{
    size_t n = 0;
    pthread_mutex_lock(&listener->lock);
    for (struct sy_client *client = listener->clients; client != NULL; client = client->next)
        n += node == SY_FAULT_ALL_NODES || client->connection.dialog.node == node;
    pthread_mutex_unlock(&listener->lock);
    return n;
}
