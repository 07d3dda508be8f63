/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/inside.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

const struct sl_http_limits sl_http_default_limits = {
    .connections = 1024,
    .header_bytes = 16 * 1024,
    .body_bytes = 4 * 1024 * 1024,
    .bodies_bytes = 32 * 1024 * 1024,
    .idle_us = 60 * 1000 * 1000,
    .request_us = 30 * 1000 * 1000,
    .threads = 8,
    .waiting = 256,
    .json_depth = 64,
    .json_values = 200 * 1000,
};

/* Connections must not take the descriptors that the databases need: a quarter of them at most. */
static void fit_connections(struct sl_http_server *server)
{
    struct sl_http_limits *limits = &server->config.limits;
    struct rlimit files;

    if (limits->threads == 0)
        *limits = sl_http_default_limits;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 4 < limits->connections) {
        limits->connections = (unsigned)(files.rlim_cur / 4);
        sl_debug("fewer HTTP connections than configured: the process may open few files",
                 SL_T("server", server->name), SL_I("connections", limits->connections));
    }
}

static void handler_main(void *arg)
{
    struct sl_http_server *server = arg;
    void *item;

    while (sl_queue_pop(server->work, SL_FOREVER, &item) != SL_QUEUE_CLOSED) {
        struct sl_http_inside *inside = item;

        (void)pthread_mutex_lock(&server->lock);
        server->busy++;
        (void)pthread_mutex_unlock(&server->lock);
        sl_http_dispatch(inside);
        MHD_resume_connection(inside->mhd); /* from here on it is the listener's again */
        (void)pthread_mutex_lock(&server->lock);
        server->busy--;
        (void)pthread_cond_broadcast(&server->changed);
        (void)pthread_mutex_unlock(&server->lock);
    }
}

static void start_threads(struct sl_http_server *server)
{
    char name[24];

    server->n_handlers = server->config.limits.threads;
    server->handlers = sl_zalloc(server->n_handlers, sizeof(*server->handlers));
    for (unsigned i = 0; i < server->n_handlers; i++) {
        (void)snprintf(name, sizeof(name), "%.8s-%u", server->name, i);
        sl_thread_start(&server->handlers[i], name, handler_main, server);
    }
    (void)snprintf(name, sizeof(name), "%.8s-watch", server->name);
    sl_thread_start(&server->watch, name, sl_http_watch_main, server);
}

static void free_server(struct sl_http_server *server)
{
    sl_queue_free(server->work);
    sl_stop_done(&server->watch_stop);
    (void)pthread_mutex_destroy(&server->lock);
    (void)pthread_cond_destroy(&server->changed);
    sl_free(server->handlers);
    sl_free(server->bound);
    sl_free(server->name);
    sl_free(server);
}

/* No handler runs: the listeners' threads end, and with them every connection. */
static void end_listeners(struct sl_http_server *server)
{
    for (size_t i = 0; i < server->n_bound; i++) {
        if (!server->bound[i].daemon)
            continue;
        MHD_stop_daemon(server->bound[i].daemon);
        if (server->bound[i].quiet_fd > 0)
            (void)close(server->bound[i].quiet_fd);
    }
}

static void end_threads(struct sl_http_server *server)
{
    sl_queue_close(server->work);
    for (unsigned i = 0; i < server->n_handlers; i++)
        sl_thread_join(&server->handlers[i]);
    sl_stop_request(&server->watch_stop);
    sl_thread_join(&server->watch);
}

enum sl_rc sl_http_server_start(const struct sl_http_config *config, struct sl_http_server **ret,
                                struct sl_error *err)
{
    struct sl_http_server *server = sl_zalloc(1, sizeof(*server));
    enum sl_rc rc = SL_OK;

    server->config = *config;
    server->config.listeners = NULL;
    server->config.tls = NULL;
    server->name = sl_strdup(config->name);
    server->config.name = server->name;
    server->client_auth = config->tls ? (int)config->tls->client_auth : 0;
    fit_connections(server);
    server->n_bound = config->n_listeners;
    server->bound = sl_zalloc(config->n_listeners, sizeof(*server->bound));
    server->work = sl_queue_new(server->config.limits.waiting);
    sl_stop_init(&server->watch_stop);
    (void)pthread_mutex_init(&server->lock, NULL);
    sl_cond_init(&server->changed);
    start_threads(server);
    for (size_t i = 0; rc == SL_OK && i < config->n_listeners; i++)
        rc = sl_http_listen(server, config, i, err);
    if (rc) {
        (void)sl_http_server_stop(server, SL_FOREVER);
        return rc;
    }
    *ret = server;
    return SL_OK;
}

uint16_t sl_http_server_port(const struct sl_http_server *server, size_t listener)
{
    return server->bound[listener].port;
}

const char *sl_http_server_host(const struct sl_http_server *server, size_t listener)
{
    return server->bound[listener].host;
}

static bool something_is_sent(const struct sl_http_server *server)
{
    for (const struct sl_http_connection *at = server->connections; at; at = at->next) {
        if (at->phase == SL_HTTP_PHASE_SENDING || at->phase == SL_HTTP_PHASE_HANDLING)
            return true;
    }
    return false;
}

/* Handlers return, and what they said leaves. False: a handler is still at work at the deadline. */
static bool wait_for_answers(struct sl_http_server *server, int64_t deadline_us)
{
    bool idle;

    (void)pthread_mutex_lock(&server->lock);
    while ((server->busy || sl_queue_length(server->work) || something_is_sent(server)) &&
           sl_cond_wait(&server->changed, &server->lock, deadline_us)) {
    }
    idle = server->busy == 0 && sl_queue_length(server->work) == 0;
    (void)pthread_mutex_unlock(&server->lock);
    return idle;
}

bool sl_http_server_stop(struct sl_http_server *server, int64_t deadline_us)
{
    atomic_store(&server->stopping, true);
    for (size_t i = 0; i < server->n_bound; i++) {
        int fd = server->bound[i].daemon ? MHD_quiesce_daemon(server->bound[i].daemon) : -1;

        if (fd < 0) /* asked a second time */
            continue;
        (void)shutdown(fd, SHUT_RDWR); /* who connects now is refused */
        server->bound[i].quiet_fd = fd;
    }
    if (!wait_for_answers(server, deadline_us))
        return false;
    /* A request that came in whole at this moment is pushed to a closed queue and answered 503. */
    end_threads(server);
    end_listeners(server);
    free_server(server);
    return true;
}
