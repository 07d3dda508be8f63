/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets are opened here and not by libmicrohttpd, so that what is wrong with one can be told. */
#include "net/http/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 128,
    SLACK = 64, /* connections that may be there beside the limit, until the one that has to go is gone */
};

static bool is_every(const char *host)
{
    return !host || !*host || strcmp(host, "*") == 0;
}

static int bind_to(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    int no = 0;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (at->ai_family == AF_INET6) /* "[::]" takes IPv4 too */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    yes = errno;
    (void)close(fd);
    errno = yes;
    return -1;
}

static enum sl_rc bind_failed(const char *name, const char *host, uint16_t port, int reason,
                              struct sl_error *err)
{
    const char *shown = is_every(host) ? "every address" : host;

    if (reason == EADDRINUSE)
        return sl_error_set(err, SL_E_CONFIG,
                            "%s: port %u on %s is in use by another process. HINT: choose another port in "
                            "listeners, or stop the other process (ss -ltnp shows it)",
                            name, port, shown);
    return sl_error_set(err, SL_E_CONFIG,
                        "%s: cannot listen on %s, port %u: %s. HINT: check host and port in listeners", name,
                        shown, port, strerror(reason));
}

static enum sl_rc open_socket(const char *name, const struct sl_http_listener *listener, int *ret_fd,
                              struct sl_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    int reason;
    int fd = -1;

    (void)snprintf(port, sizeof(port), "%u", listener->port);
    reason = getaddrinfo(is_every(listener->host) ? "::" : listener->host, port, &hints, &found);
    if (reason)
        return sl_error_set(err, SL_E_CONFIG, "%s: host '%s' of a listener: %s. HINT: correct listeners",
                            name, listener->host, gai_strerror(reason));
    reason = 0;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = bind_to(at);
        reason = fd < 0 ? errno : 0;
    }
    freeaddrinfo(found);
    if (fd < 0 && is_every(listener->host) && reason != EADDRINUSE) { /* a machine without IPv6 */
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(listener->port)};
        struct addrinfo at = {
            .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&any, .ai_addrlen = sizeof(any)};

        fd = bind_to(&at);
        reason = fd < 0 ? errno : 0;
    }
    if (fd < 0)
        return bind_failed(name, listener->host, listener->port, reason, err);
    *ret_fd = fd;
    return SL_OK;
}

static void describe(int fd, struct sl_http_bound *bound)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    char text[INET6_ADDRSTRLEN] = "";

    (void)getsockname(fd, (struct sockaddr *)&address, &len);
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;

        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
        (void)snprintf(bound->host, sizeof(bound->host), "[%s]", text);
        bound->port = ntohs(in6->sin6_port);
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address;

        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        (void)snprintf(bound->host, sizeof(bound->host), "%s", text);
        bound->port = ntohs(in->sin_port);
    }
}

/* The URI is decoded by us, piece by piece: libmicrohttpd leaves it as it came. */
static size_t leave_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static void swallow_log(void *cls, const char *format, va_list args)
{
    (void)cls;
    (void)format;
    (void)args;
}

static struct MHD_Daemon *start_daemon(struct sl_http_bound *bound, int fd, const struct sl_http_pem *pem)
{
    const struct sl_http_limits *limits = &bound->server->config.limits;
    struct MHD_OptionItem options[8] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    size_t n = 0;

    if (bound->tls) {
        flags |= MHD_USE_TLS;
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, pem->chain};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, pem->priorities};
        if (pem->trusted)
            options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, pem->trusted};
    }
    if (limits->connections_per_address)
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                               limits->connections_per_address, NULL};
    options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        flags, 0, NULL, NULL, sl_http_access, bound, MHD_OPTION_EXTERNAL_LOGGER, swallow_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, limits->connections + SLACK,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits->header_bytes + 4096,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)2048, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK, sl_http_uri_seen,
        bound, MHD_OPTION_NOTIFY_COMPLETED, sl_http_completed, bound, MHD_OPTION_NOTIFY_CONNECTION,
        sl_http_connection_event, bound, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

enum sl_rc sl_http_listen(struct sl_http_server *server, const struct sl_http_config *config, size_t index,
                          struct sl_error *err)
{
    const struct sl_http_listener *listener = &config->listeners[index];
    struct sl_http_bound *bound = &server->bound[index];
    struct sl_http_pem pem = {0};
    enum sl_rc rc;
    int fd = -1;

    bound->server = server;
    bound->tls = listener->tls;
    if (listener->tls && !config->tls)
        return sl_error_set(err, SL_E_CONFIG,
                            "%s: a listener says https, but no key store is given. HINT: set "
                            "listeners.https.ssl.keystore.location and its password",
                            server->name);
    rc = open_socket(server->name, listener, &fd, err);
    if (rc)
        return rc;
    describe(fd, bound);
    if (listener->tls)
        rc = sl_http_pem_load(config->tls, &pem, err);
    if (rc == SL_OK) {
        bound->daemon = start_daemon(bound, fd, &pem);
        if (!bound->daemon)
            rc = sl_error_set(
                err, SL_E_CONFIG, "%s: cannot serve on port %u. HINT: %s", server->name, bound->port,
                listener->tls ? "check that key and certificate of the key store belong together"
                              : "the machine lacks threads, descriptors or memory");
    } else {
        (void)close(fd);
    }
    sl_http_pem_done(&pem);
    return rc;
}
