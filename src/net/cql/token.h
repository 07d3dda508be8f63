/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens and shards: where a partition lives. scylla-source §5.8 and §5.9; ScyllaDB's own description of the
 * algorithms is in its repository, docs/dev/protocol-extensions.md.
 */
#ifndef SLUICE_NET_CQL_TOKEN_H
#define SLUICE_NET_CQL_TOKEN_H

#include "net/cql/cell.h"

/* Murmur3 in Cassandra's variant (tail bytes are sign-extended), of a serialised partition key. */
int64_t sl_cql_murmur3(const uint8_t *key, size_t len);

/*
 * The token of a base table's partition. One column: its bytes are the key; several: each as a 16-bit length,
 * the bytes and a zero byte. Cells are not null.
 */
int64_t sl_cql_token(const struct sl_cql_cell *key, uint32_t n_columns);

/* The token of a CDC log's partition: the stream id's first eight bytes; any other length: the smallest. */
int64_t sl_cql_cdc_token(struct sl_cql_cell stream_id);

/* The shard of a token on a node with n_shards that leaves out the ignore_msb highest bits. */
static inline uint32_t sl_cql_shard(int64_t token, uint32_t n_shards, uint32_t ignore_msb)
{
    uint64_t biased = ignore_msb < 64 ? ((uint64_t)token + (1ULL << 63)) << ignore_msb : 0;
    __extension__ unsigned __int128 product = (unsigned __int128)biased * n_shards;

    return (uint32_t)(product >> 64);
}

#endif
