/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire of a whole cluster: what main() runs, and what a test runs in its own process.
 *
 *     struct sy_service *service = sy_service_bind(&(struct sy_service_options){.n_nodes = 1, .n_shards =
 * 2}); struct sy_server *server = sy_server_open(&(struct sy_server_options){ .n_nodes = 1, .n_shards = 2,
 * .vnodes = 16, .manual_clock = true, .authenticate = false, .address = "127.0.0.1", .port =
 * sy_service_port(service, 0)}); sy_service_start(service, server);
 *     ... clients connect to 127.0.0.1 at that port ...
 *     sy_service_stop(service, 5000);
 *     sy_server_close(server);
 *     sy_service_free(service);
 *
 * Ports are known before the server opens, for the server tells them in its system tables. The order of nodes
 * and shards must be the same in both.
 */
#ifndef SIM_SCYLLA_WIRE_SERVICE_H
#define SIM_SCYLLA_WIRE_SERVICE_H

#include "../session.h"

struct sy_service;

struct sy_service_options {
    const char *address;  /* IPv4 of node 0; NULL: 127.0.0.1. Node i is at the address plus i, same port */
    uint16_t port;        /* 0: a free one */
    uint16_t shard_port;  /* 0: a free one */
    bool no_shard_port;   /* no shard-aware port at all */
    bool ports_differ;    /* all nodes on one address, node i at port + i */
    uint32_t n_nodes;     /* 1 to 64 */
    uint32_t n_shards;    /* 1 to 256 */
    bool authenticate;    /* ask for a password */
    const char *tls_cert; /* NULL: no TLS. A pair is made when both files are missing */
    const char *tls_key;
    const char *tls_client_ca; /* NULL: clients need no certificate */
};

/* Take the ports. NULL with a line on stderr. */
struct sy_service *sy_service_bind(const struct sy_service_options *options);
uint16_t sy_service_port(const struct sy_service *service, uint32_t node);
uint16_t sy_service_shard_port(const struct sy_service *service, uint32_t node); /* 0: there is none */
const char *sy_service_address(const struct sy_service *service, uint32_t node);

/* Serve clients; the server must outlive the service's stop. False with a line on stderr. */
bool sy_service_start(struct sy_service *service, struct sy_server *server);
/* For a restart of the server: refuse and drop all clients, so that the server may be closed; then serve
 * another one. False when some requests did not end in time, or when the ports could not be had again. */
bool sy_service_detach(struct sy_service *service, int timeout_ms);
bool sy_service_attach(struct sy_service *service, struct sy_server *server);
/* Drop all clients and end all threads of the service; when it returns true, none of them is left. False when
 * some requests did not end in time: then nothing may be freed. */
bool sy_service_stop(struct sy_service *service, int timeout_ms);
void sy_service_free(struct sy_service *service);

/*
 * One order of the control socket ("node 1 down", "fail overload next 3" ...; sy_service_help has them all).
 * What is none of the wire's goes to sy_server_command. False with a text that says why; true with a text or
 * with none. "restart" is not for here: whoever owns the server does it.
 */
bool sy_service_command(struct sy_service *service, const char *line, char *ret_text, size_t size);
extern const char sy_service_help[];

#endif
