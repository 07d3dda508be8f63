/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam between the wire (wire/) and the server behind it (cql/, storage/, cdc/).
 *
 * wire/ owns sockets, TLS, frames, compression, authentication, nodes, shards, events and faults; it knows no
 * CQL. The server knows no sockets: it is handed text or a prepared id with values, and fills a sy_result.
 * One session is used by one thread at a time; a server may be used by many threads.
 */
#ifndef SIM_SCYLLA_SESSION_H
#define SIM_SCYLLA_SESSION_H

#include "value.h"

struct sy_server;  /* one per process: state directory, catalogue, tables, streams, clock */
struct sy_session; /* one per connection: its keyspace and user */
struct sy_arena;   /* storage/arena.h: memory of one request */

struct sy_server_options {
    const char *state_dir; /* created when missing; NULL: nothing is kept (tests in one process) */
    uint64_t seed;         /* for generated stream ids and uuids, so that a run can be repeated */
    uint32_t n_nodes;      /* at least 1 */
    uint32_t n_shards;     /* of each node */
    uint32_t vnodes;       /* token ranges of each node */
    bool manual_clock;     /* time moves by sy_server_advance_us only */
    int64_t start_us;      /* with manual_clock: the first now, microseconds since 1970 */
    bool authenticate;     /* logins are checked against roles; the first one is cassandra/cassandra */
    const char *address;   /* IPv4 address of node 0; node i is at the address plus i, or the port plus i */
    uint16_t port;         /* native port of node 0 */
    bool ports_differ;     /* all nodes on one address, node i at port + i */
};

/* Open the state directory and recover. NULL with a line on stderr when that cannot be done. */
struct sy_server *sy_server_open(const struct sy_server_options *options);
void sy_server_close(struct sy_server *server);

int64_t sy_server_now_us(struct sy_server *server);
void sy_server_advance_us(struct sy_server *server, int64_t by_us); /* manual clock only */

/* Does this role exist with this password? (SASL PLAIN of the wire asks.) */
bool sy_server_login(struct sy_server *server, const char *user, const char *password);

/* node: 0 .. n_nodes-1, which one the client is connected to (system.local answers for it). */
struct sy_session *sy_session_open(struct sy_server *server, uint32_t node, const char *user);
void sy_session_close(struct sy_session *session);

/* Query parameters, v4 section 4.1.4. */
struct sy_parameters {
    uint16_t consistency;         /* the wire's code */
    uint16_t serial_consistency;  /* 0: not given */
    bool skip_metadata;           /* the wire leaves out the columns; the server ignores it */
    int32_t page_size;            /* <= 0: no paging */
    struct sy_value paging_state; /* SY_NULL: from the start */
    bool has_timestamp;
    int64_t timestamp_us; /* default timestamp of the client */
    uint32_t n_values;
    const struct sy_value *values; /* positional, or by name when names is set */
    const char *const *names;      /* NULL: positional */
};

enum sy_result_kind {
    SY_VOID = 1,
    SY_ROWS = 2,
    SY_SET_KEYSPACE = 3,
    SY_PREPARED = 4,
    SY_SCHEMA_CHANGE = 5,
    SY_ERROR = 0
};

/* One error of section 9; what a code carries besides its text stands in extra, ready to be sent. */
struct sy_error {
    int32_t code; /* 0x2200 ... */
    const char *message;
    struct sy_value extra; /* bytes that follow the message in the ERROR body; SY_NULL when none */
};

struct sy_schema_change {
    const char *change; /* CREATED, UPDATED, DROPPED */
    const char *target; /* KEYSPACE, TABLE, TYPE */
    const char *keyspace;
    const char *name; /* "" for a keyspace */
};

/* The answer to one request. Everything in it lives in the request's arena. */
struct sy_result {
    enum sy_result_kind kind;
    struct sy_error error;

    /* SY_ROWS; SY_PREPARED: the columns of its result */
    const struct sy_column *columns;
    uint32_t n_columns;
    const struct sy_value *cells; /* n_rows * n_columns, row after row */
    uint32_t n_rows;
    struct sy_value paging_state; /* SY_NULL: the last page */

    /* SY_PREPARED */
    uint8_t id[16]; /* md5 of keyspace and text, as drivers expect it to be stable */
    const struct sy_column *binds;
    uint32_t n_binds;
    const uint16_t
        *pk_indexes; /* bind markers that give the partition key, in key order; 0 when not all are bound */
    uint32_t n_pk_indexes;
    bool is_lwt; /* for SCYLLA_LWT_ADD_METADATA_MARK */

    const char *keyspace;           /* SY_SET_KEYSPACE */
    struct sy_schema_change change; /* SY_SCHEMA_CHANGE */
    const char *const *warnings;
    uint32_t n_warnings;
};

void sy_session_query(struct sy_session *session, const char *cql, size_t len,
                      const struct sy_parameters *parameters, struct sy_arena *arena, struct sy_result *ret);
void sy_session_prepare(struct sy_session *session, const char *cql, size_t len, struct sy_arena *arena,
                        struct sy_result *ret);
/* Prepared statements belong to the server and the node (0x2500 when this node does not know the id). */
void sy_session_execute(struct sy_session *session, const uint8_t id[16],
                        const struct sy_parameters *parameters, struct sy_arena *arena,
                        struct sy_result *ret);

/* A node forgets its prepared statements, as one does that restarts or evicts them; UINT32_MAX: all nodes. */
void sy_server_forget_prepared(struct sy_server *server, uint32_t node);

struct sy_batch_item {
    const char *cql; /* NULL: by id */
    size_t cql_len;
    uint8_t id[16];
    uint32_t n_values;
    const struct sy_value *values;
};

enum sy_batch_kind { SY_BATCH_LOGGED = 0, SY_BATCH_UNLOGGED = 1, SY_BATCH_COUNTER = 2 };

void sy_session_batch(struct sy_session *session, enum sy_batch_kind kind, const struct sy_batch_item *items,
                      uint32_t n, const struct sy_parameters *parameters, struct sy_arena *arena,
                      struct sy_result *ret);

/* Tell of schema changes and of nodes that come and go; called on the thread that makes the change. */
typedef void sy_schema_listener(void *ctx, const struct sy_schema_change *change);
void sy_server_listen(struct sy_server *server, sy_schema_listener *listener, void *ctx);

/* Operator's orders, for the control socket: one line in, text out. "generation new", "tablets split ks.t",
 * "log expire" ... */
bool sy_server_command(struct sy_server *server, const char *line, char *ret_text, size_t size);

#endif
