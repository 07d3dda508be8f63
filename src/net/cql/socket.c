/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static enum sl_rc lost(const char *name, const char *doing, struct sl_error *err)
{
    return sl_error_set(err, SL_E_CONNECT, "%s: %s: %s", name, doing, strerror(errno));
}

static void set_options(int fd)
{
    const int on = 1;
    const int idle_s = 30;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
}

static bool bind_source(int fd, int family, uint16_t port)
{
    const int on = 1;
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        return bind(fd, (const struct sockaddr *)&any6, sizeof(any6)) == 0;
    return bind(fd, (const struct sockaddr *)&any4, sizeof(any4)) == 0;
}

enum sl_rc sl_cql_socket_open(const struct sockaddr_storage *address, uint16_t source_port, const char *name,
                              struct sl_cql_socket *ret, struct sl_error *err)
{
    socklen_t len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    enum sl_rc rc = SL_OK;

    if (fd < 0)
        return lost(name, "no socket", err);
    set_options(fd);
    if (source_port && !bind_source(fd, address->ss_family, source_port))
        rc = sl_error_set(err, SL_E_CONFIG, "port %u is taken here", source_port);
    else if (connect(fd, (const struct sockaddr *)address, len) != 0 && errno != EINPROGRESS)
        rc = errno == EADDRNOTAVAIL && source_port
                 ? sl_error_set(err, SL_E_CONFIG, "port %u is taken here", source_port)
                 : lost(name, "cannot connect", err);
    if (rc != SL_OK) {
        close(fd);
        return rc;
    }
    *ret = (struct sl_cql_socket){.fd = fd, .want_write = true};
    return SL_OK;
}

static enum sl_rc tls_failed(SSL *ssl, const char *name, int failure, struct sl_error *err)
{
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = ERR_peek_last_error();
    char text[160] = "the connection was closed";

    ERR_clear_error();
    if (verdict != X509_V_OK)
        return sl_error_set(
            err, SL_E_CONFIG,
            "%s: its TLS certificate is not accepted: %s. HINT: give the CA in the trust store, or "
            "check the host's name",
            name, X509_verify_cert_error_string(verdict));
    if (failure == SSL_ERROR_SSL && code) {
        ERR_error_string_n(code, text, sizeof(text));
        if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
            return sl_error_set(err, SL_E_CONFIG,
                                "%s does not speak TLS on this port. HINT: turn TLS off, or use "
                                "the port that has it",
                                name);
    }
    return sl_error_set(err, SL_E_CONNECT, "%s: TLS: %s", name, text);
}

static enum sl_rc start_tls(struct sl_cql_socket *socket, SSL_CTX *tls, const char *host, bool verify_host,
                            const char *name, struct sl_error *err)
{
    unsigned char address[16];

    socket->ssl = SSL_new(tls);
    if (!socket->ssl || SSL_set_fd(socket->ssl, socket->fd) != 1)
        return sl_error_set(err, SL_E_INTERNAL, "%s: TLS cannot be set up", name);
    SSL_set_connect_state(socket->ssl);
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        if (verify_host)
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(socket->ssl), host);
        return SL_OK;
    }
    /* what SSL_set_tlsext_host_name is, without its cast */
    SSL_ctrl(socket->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host);
    if (verify_host)
        SSL_set1_host(socket->ssl, host);
    return SL_OK;
}

static enum sl_rc check_connected(struct sl_cql_socket *socket, const char *name, bool *ret_done,
                                  struct sl_error *err)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    int failure = 0;
    socklen_t len = sizeof(failure);

    *ret_done = false;
    (void)getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &failure, &len);
    if (failure) {
        errno = failure;
        return lost(name, "cannot connect", err);
    }
    *ret_done = getpeername(socket->fd, (struct sockaddr *)&peer, &peer_len) == 0;
    return SL_OK;
}

enum sl_rc sl_cql_socket_advance(struct sl_cql_socket *socket, SSL_CTX *tls, const char *host,
                                 bool verify_host, const char *name, struct sl_error *err)
{
    bool connected = socket->ssl != NULL;
    enum sl_rc rc;
    int result;
    int failure;

    if (!connected && (rc = check_connected(socket, name, &connected, err)) != SL_OK)
        return rc;
    if (!connected)
        return SL_OK;
    socket->want_write = false;
    if (!tls) {
        socket->is_open = true;
        return SL_OK;
    }
    if (!socket->ssl && (rc = start_tls(socket, tls, host, verify_host, name, err)) != SL_OK)
        return rc;
    ERR_clear_error();
    result = SSL_do_handshake(socket->ssl);
    if (result == 1) {
        socket->is_open = true;
        return SL_OK;
    }
    failure = SSL_get_error(socket->ssl, result);
    socket->want_write = failure == SSL_ERROR_WANT_WRITE;
    if (failure == SSL_ERROR_WANT_READ || failure == SSL_ERROR_WANT_WRITE)
        return SL_OK;
    return tls_failed(socket->ssl, name, failure, err);
}

static enum sl_rc tls_moved(struct sl_cql_socket *socket, int moved, const char *name, size_t *ret,
                            struct sl_error *err)
{
    int failure;

    *ret = 0;
    if (moved > 0) {
        *ret = (size_t)moved;
        return SL_OK;
    }
    failure = SSL_get_error(socket->ssl, moved);
    if (failure == SSL_ERROR_WANT_WRITE)
        socket->want_write = true;
    if (failure == SSL_ERROR_WANT_READ || failure == SSL_ERROR_WANT_WRITE)
        return SL_OK;
    return tls_failed(socket->ssl, name, failure, err);
}

static enum sl_rc plain_moved(ssize_t moved, const char *name, const char *doing, size_t *ret,
                              struct sl_error *err)
{
    *ret = moved > 0 ? (size_t)moved : 0;
    if (moved > 0 || (moved < 0 && (errno == EAGAIN || errno == EINTR)))
        return SL_OK;
    if (moved == 0)
        return sl_error_set(err, SL_E_CONNECT, "%s closed the connection", name);
    return lost(name, doing, err);
}

enum sl_rc sl_cql_socket_read(struct sl_cql_socket *socket, void *to, size_t size, const char *name,
                              size_t *ret, struct sl_error *err)
{
    if (!socket->ssl)
        return plain_moved(recv(socket->fd, to, size, 0), name, "cannot read", ret, err);
    ERR_clear_error();
    return tls_moved(socket, SSL_read(socket->ssl, to, (int)(size < INT32_MAX ? size : INT32_MAX)), name, ret,
                     err);
}

enum sl_rc sl_cql_socket_write(struct sl_cql_socket *socket, const void *from, size_t size, const char *name,
                               size_t *ret, struct sl_error *err)
{
    socket->want_write = false;
    if (!socket->ssl)
        return plain_moved(send(socket->fd, from, size, MSG_NOSIGNAL), name, "cannot write", ret, err);
    ERR_clear_error();
    return tls_moved(socket, SSL_write(socket->ssl, from, (int)(size < INT32_MAX ? size : INT32_MAX)), name,
                     ret, err);
}

void sl_cql_socket_close(struct sl_cql_socket *socket)
{
    if (socket->ssl) {
        SSL_free(socket->ssl);
        ERR_clear_error();
    }
    if (socket->fd >= 0)
        close(socket->fd);
    *socket = (struct sl_cql_socket){.fd = -1};
}
