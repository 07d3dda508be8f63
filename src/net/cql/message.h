/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of what a server sends besides rows: errors, what it supports, events. */
#ifndef SLUICE_NET_CQL_MESSAGE_H
#define SLUICE_NET_CQL_MESSAGE_H

#include "net/cql/cql.h"
#include "net/cql/wire.h"

/* The code of ours for a server's error code and its text. */
enum sl_rc sl_cql_rc_of_code(int32_t code, struct sl_span text);

const char *sl_cql_code_name(int32_t code); /* "read timeout"; "error" for a code that is not known */

/*
 * Read an ERROR body and fill err ("10.0.0.1:9042 says: read timeout: ..." and native "0x1200"). The code, or
 * SL_CQL_PROTOCOL_ERROR when the body itself is malformed. rate_limit is the code that this server uses.
 */
int32_t sl_cql_error_read(struct sl_cql_in *in, const char *host, int32_t rate_limit_code,
                          struct sl_error *err);

/* What a server's SUPPORTED says (scylla-source §5.7). */
struct sl_cql_supported {
    bool lz4;
    bool is_scylla;
    bool tablets;
    uint32_t shard, n_shards, ignore_msb;
    uint16_t shard_port, shard_port_tls; /* 0: none */
    int32_t rate_limit_code;
};

bool sl_cql_supported_read(struct sl_cql_in *in, struct sl_cql_supported *ret);

/* An EVENT: texts are copied into the buffers behind, cut when longer. */
struct sl_cql_event_message {
    enum { SL_CQL_EV_OTHER, SL_CQL_EV_TOPOLOGY, SL_CQL_EV_STATUS, SL_CQL_EV_SCHEMA } kind;
    char change[32];
    char object[32];
    char keyspace[64];
    char name[256];
};

bool sl_cql_event_read(struct sl_cql_in *in, struct sl_cql_event_message *ret);

#endif
