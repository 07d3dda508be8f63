/* SPDX-License-Identifier: Apache-2.0 */
#include "service_internal.h"
#include "result.h"
#include "tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static bool complain(const char *text)
{
    fprintf(stderr, "sluice-sim-scylla: %s\n", text);
    return false;
}

/* Node i is at the address plus i, or at the same one. */
static bool place_nodes(struct sy_wire *wire, const char *address, bool one_address)
{
    struct in_addr first;
    if (inet_pton(AF_INET, address, &first) != 1)
        return complain("the address is not an IPv4 one. HINT: give, for example, 127.0.0.1");
    for (uint32_t i = 0; i < wire->n_nodes; i++) {
        struct in_addr at = {.s_addr = htonl(ntohl(first.s_addr) + (one_address ? 0 : i))};
        wire->nodes[i].index = i;
        inet_ntop(AF_INET, &at, wire->nodes[i].address, sizeof(wire->nodes[i].address));
    }
    return true;
}

static bool prepare(struct sy_service *service, const struct sy_service_options *options)
{
    struct sy_wire *wire = &service->wire;
    if (options->n_nodes < 1 || options->n_nodes > SY_NODES_MAX)
        return complain("a cluster has 1 to 64 nodes. HINT: see --nodes");
    if (options->n_shards < 1 || options->n_shards > SY_SHARDS_MAX)
        return complain("a node has 1 to 256 shards. HINT: see --shards");
    wire->n_nodes = options->n_nodes;
    wire->n_shards = options->n_shards;
    wire->authenticate = options->authenticate;
    sy_stats_count_shards(&wire->stats, wire->n_nodes, wire->n_shards);
    if (!place_nodes(wire, options->address == NULL ? "127.0.0.1" : options->address, options->ports_differ))
        return false;
    if (options->tls_cert != NULL) {
        wire->tls = sy_tls_open(options->tls_cert, options->tls_key, options->tls_client_ca);
        if (wire->tls == NULL)
            return false;
    }
    const struct sy_ports ports = {.port = options->port,
                                   .shard_port = options->shard_port,
                                   .shard_aware = !options->no_shard_port,
                                   .differ = options->ports_differ};
    return sy_listener_bind(&service->listener, wire, &ports);
}

static void discard(struct sy_service *service)
{
    sy_faults_done(&service->wire.faults);
    sy_stats_done(&service->wire.stats);
    SSL_CTX_free(service->wire.tls);
    free(service);
}

struct sy_service *sy_service_bind(const struct sy_service_options *options)
{
    struct sy_service *service = sy_wire_alloc(1, sizeof(*service));
    sy_faults_init(&service->wire.faults);
    sy_stats_init(&service->wire.stats);
    if (prepare(service, options))
        return service;
    discard(service);
    return NULL;
}

uint16_t sy_service_port(const struct sy_service *service, uint32_t node)
{
    return service->wire.nodes[node].port;
}

uint16_t sy_service_shard_port(const struct sy_service *service, uint32_t node)
{
    return service->wire.nodes[node].shard_port;
}

const char *sy_service_address(const struct sy_service *service, uint32_t node)
{
    return service->wire.nodes[node].address;
}

/* On the thread that made the change. */
static void on_schema_change(void *ctx, const struct sy_schema_change *change)
{
    struct sy_service *service = ctx;
    if (!atomic_load(&service->serving))
        return;
    struct sy_out body = {0};
    sy_out_string(&body, "SCHEMA_CHANGE");
    sy_result_put_schema_change(&body, change);
    sy_listener_push(&service->listener, SY_EVENT_SCHEMA, SY_FAULT_ALL_NODES, &body);
    sy_out_done(&body);
}

void sy_service_announce(struct sy_service *service, unsigned event, const char *change, uint32_t node)
{
    struct sy_out body = {0};
    struct in_addr address = {0};
    (void)inet_pton(AF_INET, service->wire.nodes[node].address, &address);
    sy_out_string(&body, event == SY_EVENT_STATUS ? "STATUS_CHANGE" : "TOPOLOGY_CHANGE");
    sy_out_string(&body, change);
    sy_out_u8(&body, sizeof(address.s_addr));
    sy_out_bytes(&body, &address.s_addr, sizeof(address.s_addr));
    sy_out_i32(&body, service->wire.nodes[node].port);
    sy_listener_push(&service->listener, event, node, &body);
    sy_out_done(&body);
}

static void serve(struct sy_service *service, struct sy_server *server)
{
    service->wire.server = server;
    sy_server_listen(server, on_schema_change, service);
    atomic_store(&service->serving, true);
}

bool sy_service_start(struct sy_service *service, struct sy_server *server)
{
    serve(service, server);
    return sy_listener_start(&service->listener) || complain("cannot start the thread that accepts clients");
}

bool sy_service_detach(struct sy_service *service, int timeout_ms)
{
    atomic_store(&service->serving, false);
    (void)sy_listener_set_state(&service->listener, SY_FAULT_ALL_NODES, SY_NODE_DOWN);
    return sy_listener_wait_idle(&service->listener, timeout_ms);
}

bool sy_service_attach(struct sy_service *service, struct sy_server *server)
{
    serve(service, server);
    return sy_listener_set_state(&service->listener, SY_FAULT_ALL_NODES, SY_NODE_UP);
}

bool sy_service_stop(struct sy_service *service, int timeout_ms)
{
    atomic_store(&service->serving, false);
    return sy_listener_stop(&service->listener, timeout_ms);
}

void sy_service_free(struct sy_service *service)
{
    sy_listener_done(&service->listener);
    discard(service);
}
