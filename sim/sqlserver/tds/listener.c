/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENT_STACK_BYTES (2U << 20)
#define BACKLOG 512

struct ms_client {
    struct ms_connection connection;
    struct ms_listener *listener;
    struct ms_client *next;
    struct ms_client *previous;
};

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int bind_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_socket(const char *host, uint16_t port, uint16_t *ret_port)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int problem = getaddrinfo(host, service, &hints, &found);
    int fd = -1;
    for (struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next)
        fd = bind_to(one);
    if (fd < 0) {
        fprintf(stderr,
                "sluice-sim-sqlserver: cannot listen on %s:%u: %s. HINT: choose another --listen address\n",
                host, port, problem != 0 ? gai_strerror(problem) : strerror(errno));
    } else {
        *ret_port = bound_port(fd);
    }
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}

static void link_client(struct ms_listener *listener, struct ms_client *client)
{
    client->next = listener->clients;
    if (client->next != NULL)
        client->next->previous = client;
    listener->clients = client;
    listener->n_clients++;
}

static void unlink_client(struct ms_listener *listener, struct ms_client *client)
{
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        listener->clients = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    listener->n_clients--;
}

static void *serve_client(void *arg)
{
    struct ms_client *client = arg;
    struct ms_listener *listener = client->listener;
    ms_connection_serve(&client->connection);
    pthread_mutex_lock(&listener->lock);
    unlink_client(listener, client);
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
    ms_connection_done(&client->connection);
    free(client);
    return NULL;
}

static void discard_client(struct ms_client *client)
{
    pthread_mutex_lock(&client->listener->lock);
    unlink_client(client->listener, client);
    pthread_mutex_unlock(&client->listener->lock);
    ms_connection_done(&client->connection);
    free(client);
}

static void begin_client(struct ms_listener *listener, int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct ms_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        close(fd);
        return;
    }
    client->listener = listener;
    ms_connection_init(&client->connection, listener->wire, fd);
    pthread_mutex_lock(&listener->lock);
    link_client(listener, client);
    pthread_mutex_unlock(&listener->lock);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, CLIENT_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, serve_client, client) != 0)
        discard_client(client);
    pthread_attr_destroy(&attributes);
}

static void accept_all(struct ms_listener *listener, int fd)
{
    for (;;) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0) {
            begin_client(listener, client);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno == EMFILE || errno == ENFILE) /* let some connection end before the next try */
                (void)poll(NULL, 0, 20);
            return;
        }
    }
}

/* Open or close the socket as `refusing` says, and tell who waits for it. */
static int follow_refusing(struct ms_listener *listener, int fd)
{
    pthread_mutex_lock(&listener->lock);
    if (listener->refusing && fd >= 0) {
        close(fd);
        fd = -1;
    } else if (!listener->refusing && fd < 0 && !listener->stopping) {
        fd = open_socket(listener->host, listener->port, &listener->port);
        listener->refusing = fd < 0;
    }
    listener->listening = fd >= 0;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
    return fd;
}

struct accept_start {
    struct ms_listener *listener;
    int fd;
};

static void *accept_until_stopped(void *arg)
{
    struct accept_start start = *(struct accept_start *)arg;
    struct ms_listener *listener = start.listener;
    int fd = start.fd;
    free(arg);
    for (;;) {
        struct pollfd waits[2] = {{.fd = listener->wake, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        (void)poll(waits, 2, -1);
        uint64_t count;
        if (waits[0].revents != 0 && read(listener->wake, &count, sizeof(count)) > 0) {
            fd = follow_refusing(listener, fd);
            pthread_mutex_lock(&listener->lock);
            bool stopping = listener->stopping;
            pthread_mutex_unlock(&listener->lock);
            if (stopping)
                break;
        } else if (fd >= 0 && waits[1].revents != 0) {
            accept_all(listener, fd);
        }
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void wake(struct ms_listener *listener)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(listener->wake, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
}

bool ms_listener_start(struct ms_listener *listener, const struct ms_wire *wire, const char *host,
                       uint16_t port)
{
    *listener = (struct ms_listener){.wire = wire, .listening = true};
    snprintf(listener->host, sizeof(listener->host), "%s", host);
    int fd = open_socket(host, port, &listener->port);
    if (fd < 0)
        return false;
    pthread_mutex_init(&listener->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&listener->changed, &clock);
    pthread_condattr_destroy(&clock);
    listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct accept_start *start = malloc(sizeof(*start));
    if (start == NULL || listener->wake < 0)
        abort();
    *start = (struct accept_start){.listener = listener, .fd = fd};
    return pthread_create(&listener->thread, NULL, accept_until_stopped, start) == 0;
}

/* The caller holds `lock`: no client is freed meanwhile. */
static size_t interrupt_clients(struct ms_listener *listener, uint16_t spid)
{
    size_t n = 0;
    for (struct ms_client *client = listener->clients; client != NULL; client = client->next) {
        if (spid == 0 || atomic_load(&client->connection.spid) == spid) {
            ms_connection_interrupt(&client->connection);
            n++;
        }
    }
    return n;
}

static bool wait_for_clients(struct ms_listener *listener, int timeout_ms)
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

bool ms_listener_stop(struct ms_listener *listener, int timeout_ms)
{
    pthread_mutex_lock(&listener->lock);
    listener->stopping = true;
    pthread_mutex_unlock(&listener->lock);
    wake(listener);
    pthread_join(listener->thread, NULL);
    pthread_mutex_lock(&listener->lock);
    interrupt_clients(listener, 0);
    bool all = wait_for_clients(listener, timeout_ms);
    pthread_mutex_unlock(&listener->lock);
    if (!all) /* their threads still use this object */
        return false;
    close(listener->wake);
    pthread_cond_destroy(&listener->changed);
    pthread_mutex_destroy(&listener->lock);
    return true;
}

bool ms_listener_refuse(struct ms_listener *listener, bool refuse)
{
    pthread_mutex_lock(&listener->lock);
    listener->refusing = refuse;
    wake(listener);
    /* the accept thread sets `refusing` back when the port could not be had again */
    while (listener->listening == refuse && listener->refusing == refuse)
        pthread_cond_wait(&listener->changed, &listener->lock);
    bool done = listener->listening != refuse;
    pthread_mutex_unlock(&listener->lock);
    return done;
}

size_t ms_listener_kill(struct ms_listener *listener, uint16_t spid)
{
    pthread_mutex_lock(&listener->lock);
    size_t n = interrupt_clients(listener, spid);
    pthread_mutex_unlock(&listener->lock);
    return n;
}
