/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected, since when in which phase, and the watch that ends what takes too long. libmicrohttpd's
 * own timeout is not used: it starts anew with each byte, and a client that sends one a minute is never late.
 */
#include "net/http/inside.h"

#include "base/clock.h"
#include "base/log.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    WATCH_US = 250 * 1000,
    WARN_US = 10 * 1000 * 1000, /* one line in this time, however many there are */
};

/* The listener's thread sees the end of the stream and cleans up; the descriptor stays open until then. */
static void cut(struct sl_http_connection *connection)
{
    connection->cut = true;
    (void)shutdown(connection->fd, SHUT_RDWR);
}

static void describe_peer(const struct sockaddr *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void)snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        (void)snprintf(text, size, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        (void)snprintf(text, size, "?");
    }
}

/* Of those on whose next bytes we wait, the one that has been at it for longest. */
static struct sl_http_connection *longest_silent(struct sl_http_server *server,
                                                 const struct sl_http_connection *but)
{
    struct sl_http_connection *found = NULL;

    for (struct sl_http_connection *at = server->connections; at; at = at->next) {
        if (at == but || at->cut || at->phase == SL_HTTP_PHASE_HANDLING)
            continue;
        if (!found || at->since_us < found->since_us)
            found = at;
    }
    return found;
}

static void add(struct sl_http_server *server, struct MHD_Connection *mhd, void **context)
{
    struct sl_http_connection *connection = sl_zalloc(1, sizeof(*connection));
    struct sl_http_connection *victim = NULL;

    connection->server = server;
    connection->since_us = sl_now_us();
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    describe_peer(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
                  connection->peer, sizeof(connection->peer));
    (void)pthread_mutex_lock(&server->lock);
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    if (++server->n_connections > server->config.limits.connections)
        victim = longest_silent(server, connection);
    if (victim)
        cut(victim);
    (void)pthread_mutex_unlock(&server->lock);
    *context = connection;
}

static void leave(struct sl_http_server *server, struct sl_http_connection *connection)
{
    (void)pthread_mutex_lock(&server->lock);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->n_connections--;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    sl_free(connection);
}

void sl_http_connection_event(void *cls, struct MHD_Connection *mhd, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    struct sl_http_bound *bound = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        add(bound->server, mhd, context);
    } else if (*context) {
        leave(bound->server, *context);
        *context = NULL;
    }
}

void sl_http_phase_set(struct sl_http_connection *connection, enum sl_http_phase phase)
{
    struct sl_http_server *server = connection->server;

    (void)pthread_mutex_lock(&server->lock);
    connection->phase = phase;
    connection->since_us = sl_now_us();
    if (phase == SL_HTTP_PHASE_IDLE)
        (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

static bool is_late(const struct sl_http_connection *connection, const struct sl_http_limits *limits,
                    int64_t now_us)
{
    int64_t since_us = now_us - connection->since_us;

    switch (connection->phase) {
    case SL_HTTP_PHASE_IDLE: return since_us > limits->idle_us;
    case SL_HTTP_PHASE_RECEIVING:
    case SL_HTTP_PHASE_SENDING: return since_us > limits->request_us;
    case SL_HTTP_PHASE_HANDLING: break;
    }
    return false;
}

static unsigned cut_late_ones(struct sl_http_server *server)
{
    int64_t now_us = sl_now_us();
    unsigned n = 0;

    (void)pthread_mutex_lock(&server->lock);
    for (struct sl_http_connection *at = server->connections; at; at = at->next) {
        if (at->cut || !is_late(at, &server->config.limits, now_us))
            continue;
        n += at->phase != SL_HTTP_PHASE_IDLE;
        cut(at);
    }
    (void)pthread_mutex_unlock(&server->lock);
    return n;
}

void sl_http_watch_main(void *arg)
{
    struct sl_http_server *server = arg;

    int64_t next_warning_us = 0;
    unsigned n = 0;

    while (!sl_stop_wait(&server->watch_stop, sl_now_us() + WATCH_US)) {
        n += cut_late_ones(server);
        if (n == 0 || sl_now_us() < next_warning_us)
            continue;
        sl_warn("requests that took too long to arrive or to be read were cut off",
                SL_T("server", server->name), SL_I("connections", n));
        next_warning_us = sl_now_us() + WARN_US;
        n = 0;
    }
}
