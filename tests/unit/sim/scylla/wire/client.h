/* SPDX-License-Identifier: Apache-2.0 */
/* A small blocking client of the native protocol, for tests of the server's side. */
#ifndef TESTS_UNIT_SIM_SCYLLA_WIRE_CLIENT_H
#define TESTS_UNIT_SIM_SCYLLA_WIRE_CLIENT_H

#include "sim/scylla/wire/frame.h"

#include <openssl/ssl.h>

struct client {
    int fd;
    SSL *ssl;           /* NULL: in clear */
    struct sy_out body; /* of the last answer, in clear */
    uint8_t version;
    uint8_t flags;
    int16_t stream;
    uint8_t opcode;
};

/* source_port: 0, or the client's own. Asserts that it is connected. */
void client_dial(struct client *client, uint16_t port, uint16_t source_port);
/* False: the source port is taken, or nobody listens. */
bool client_try_dial(struct client *client, uint16_t port, uint16_t source_port);
void client_dial_tls(struct client *client, uint16_t port, SSL_CTX *context);
void client_hang_up(struct client *client);
bool client_refused(uint16_t port);

bool client_send_raw(struct client *client, const void *bytes, size_t len);
void client_send(struct client *client, int16_t stream, uint8_t opcode, const struct sy_out *body);
/* False at the end of the stream, or after timeout_ms. */
bool client_read(struct client *client, int timeout_ms);

/* Send STARTUP with one pair or none, and read the answer. */
void client_start(struct client *client, const char *key, const char *value);
/* Send QUERY without parameters. */
void client_query(struct client *client, int16_t stream, const char *cql);
/* client_query, and read; asserts the answer's stream. Returns its opcode. */
uint8_t client_ask(struct client *client, const char *cql);
/* The code of the ERROR that was read. */
int32_t client_error(const struct client *client);
int32_t client_i32(const struct client *client, size_t at);

#endif
