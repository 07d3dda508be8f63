/* SPDX-License-Identifier: Apache-2.0 */
/* system.local and system.peers: the cluster as each of its nodes tells it. */
#include "system_row.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What ScyllaDB says for the sake of Cassandra's drivers, which ask for no virtual schema then. */
#define RELEASE_VERSION "3.0.8"
#define CQL_VERSION "3.3.1"
#define PARTITIONER "org.apache.cassandra.dht.Murmur3Partitioner"
#define RACK "rack1"

static void address_of(const struct sy_server *server, uint32_t node, char ret[INET_ADDRSTRLEN])
{
    struct in_addr first = {0};
    const char *address = server->options.address == NULL ? "127.0.0.1" : server->options.address;
    (void)inet_pton(AF_INET, address, &first);
    struct in_addr at = {.s_addr = htonl(ntohl(first.s_addr) + (server->options.ports_differ ? 0 : node))};
    (void)inet_ntop(AF_INET, &at, ret, INET_ADDRSTRLEN);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_tokens(struct sy_system_row *row, const struct sy_server *server, uint32_t node)
{
    uint32_t n = server->options.vnodes;
    const char **texts = sy_arena_alloc(row->arena, (n + 1) * sizeof(*texts));
    for (uint32_t i = 0; i < n; i++)
        texts[i] = sy_arena_format(row->arena, "%" PRId64, server->tokens[(size_t)node * n + i]);
    qsort(texts, n, sizeof(*texts), compare_texts);
    sy_system_row_texts(row, "tokens", texts, n);
}

/* The columns that local and peers share. */
static void put_node(struct sy_system_row *row, const struct sy_server *server, uint32_t node)
{
    char address[INET_ADDRSTRLEN];
    address_of(server, node, address);
    sy_system_row_text(row, "data_center", SY_DATA_CENTER);
    sy_system_row_text(row, "rack", RACK);
    sy_system_row_text(row, "release_version", RELEASE_VERSION);
    sy_system_row_text(row, "supported_features", "CDC,CDC_GENERATIONS_V2,LWT,TABLETS,UDA");
    sy_system_row_uuid(row, "host_id", server->host_ids[node]);
    sy_system_row_uuid(row, "schema_version", server->catalog.schema_version);
    sy_system_row_inet(row, "rpc_address", address);
    put_tokens(row, server, node);
}

static void fill_local(struct sy_server *server, uint32_t node, struct sy_arena *arena)
{
    struct sy_system_row row;
    char address[INET_ADDRSTRLEN];
    address_of(server, node, address);
    sy_system_row_begin(&row, server, "system", "local", node, arena);
    sy_system_row_text(&row, "key", "local");
    sy_system_row_text(&row, "bootstrapped", "COMPLETED");
    sy_system_row_text(&row, "cluster_name", "sluice simulator");
    sy_system_row_text(&row, "cql_version", CQL_VERSION);
    sy_system_row_text(&row, "native_protocol_version", "4");
    sy_system_row_text(&row, "partitioner", PARTITIONER);
    sy_system_row_int(&row, "gossip_generation", (int32_t)sy_server_now_s(server));
    sy_system_row_inet(&row, "broadcast_address", address);
    sy_system_row_inet(&row, "listen_address", address);
    put_node(&row, server, node);
    sy_system_row_write(&row);
}

static void fill_peer(struct sy_server *server, uint32_t node, uint32_t peer, struct sy_arena *arena)
{
    struct sy_system_row row;
    char address[INET_ADDRSTRLEN];
    address_of(server, peer, address);
    sy_system_row_begin(&row, server, "system", "peers", node, arena);
    sy_system_row_inet(&row, "peer", address);
    sy_system_row_inet(&row, "preferred_ip", address);
    put_node(&row, server, peer);
    sy_system_row_write(&row);
}

void sy_system_fill_local(struct sy_server *server)
{
    struct sy_arena arena = {0};
    for (uint32_t i = 0; i < server->options.n_nodes; i++) {
        fill_local(server, i, &arena);
        /* nodes of one address cannot be told apart: the table's key is the address */
        for (uint32_t j = 0; j < server->options.n_nodes && !server->options.ports_differ; j++) {
            if (j != i)
                fill_peer(server, i, j, &arena);
        }
        sy_arena_reset(&arena);
    }
    sy_arena_free(&arena);
}

void sy_system_new_schema_version(struct sy_server *server)
{
    sy_store_random_uuid(server, server->catalog.schema_version);
    sy_system_fill_local(server);
}
