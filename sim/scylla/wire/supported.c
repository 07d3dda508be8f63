/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SUPPORTED: what ScyllaDB's drivers look for to believe in shards.
 *
 * SCYLLA_USE_METADATA_ID and TABLETS_ROUTING_V1 are not offered, for what they promise is not done here:
 * drivers that take the first one break on plain answers.
 */
#include "dialog.h"

#include <stdio.h>

static void put(struct sy_out *out, const char *key, const char *value)
{
    sy_out_string(out, key);
    sy_out_u16(out, 1);
    sy_out_string(out, value);
}

static void put_number(struct sy_out *out, const char *key, uint32_t number)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", number);
    put(out, key, text);
}

void sy_supported_put(struct sy_out *out, const struct sy_wire *wire, uint32_t node, uint32_t shard)
{
    uint16_t shard_port = wire->nodes[node].shard_port;
    sy_out_u16(out, shard_port == 0 ? 9 : 10);
    put(out, "CQL_VERSION", "3.3.1");
    put(out, "COMPRESSION", "lz4");
    put_number(out, "SCYLLA_SHARD", shard);
    put_number(out, "SCYLLA_NR_SHARDS", wire->n_shards);
    put(out, "SCYLLA_PARTITIONER", "org.apache.cassandra.dht.Murmur3Partitioner");
    put(out, "SCYLLA_SHARDING_ALGORITHM", "biased-token-round-robin");
    put(out, "SCYLLA_SHARDING_IGNORE_MSB", "12");
    put(out, "SCYLLA_LWT_ADD_METADATA_MARK", "LWT_OPTIMIZATION_META_BIT_MASK=2147483648");
    put(out, "SCYLLA_RATE_LIMIT_ERROR", "ERROR_CODE=61440");
    if (shard_port != 0)
        put_number(out, wire->tls == NULL ? "SCYLLA_SHARD_AWARE_PORT" : "SCYLLA_SHARD_AWARE_PORT_SSL",
                   shard_port);
}
