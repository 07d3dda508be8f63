/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection that never blocks, plain or with TLS from its first byte. */
#ifndef SLUICE_NET_CQL_SOCKET_H
#define SLUICE_NET_CQL_SOCKET_H

#include "sluice/error.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

struct sl_cql_socket {
    int fd;
    SSL *ssl;        /* NULL: plain */
    bool is_open;    /* connected, and TLS has shaken hands */
    bool want_write; /* wait for room to write, whatever else */
};

/*
 * Begin to connect. source_port 0: any; else that one is bound first (shard-aware routing), and CONFIG says
 * that it is taken. Errors: CONNECT, CONFIG.
 */
enum sl_rc sl_cql_socket_open(const struct sockaddr_storage *address, uint16_t source_port, const char *name,
                              struct sl_cql_socket *ret, struct sl_error *err);

/*
 * Go on connecting after the socket became ready; is_open tells whether it is done. tls NULL: plain. host is
 * the name that the certificate must bear when verify_host is set. Errors: CONNECT; CONFIG (a certificate
 * that is not trusted).
 */
enum sl_rc sl_cql_socket_advance(struct sl_cql_socket *socket, SSL_CTX *tls, const char *host,
                                 bool verify_host, const char *name, struct sl_error *err);

/* Bytes moved; 0: not now. Errors: CONNECT (closed, reset). */
enum sl_rc sl_cql_socket_read(struct sl_cql_socket *socket, void *to, size_t size, const char *name,
                              size_t *ret, struct sl_error *err);
enum sl_rc sl_cql_socket_write(struct sl_cql_socket *socket, const void *from, size_t size, const char *name,
                               size_t *ret, struct sl_error *err);

void sl_cql_socket_close(struct sl_cql_socket *socket);

#endif
