/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session is made of, for the files of this folder alone:
 *
 *     session.c      poll: the loop over sockets and clocks     call.c        a request: tries, backoff,
 * answers node.c         nodes and their pools of connections       route.c       which connection takes a
 * request connection.c   frames in and out of one connection        topology.c    who is in the cluster
 *     startup.c      until a connection may be used             ring.c        replicas of a token
 *     statement.c    prepared statements                        answer.c      results as callers see them
 */
#ifndef SLUICE_NET_CQL_SESSION_H
#define SLUICE_NET_CQL_SESSION_H

#include "base/backoff.h"
#include "base/clock.h"
#include "net/cql/columns.h"
#include "net/cql/cql.h"
#include "net/cql/message.h"
#include "net/cql/ring.h"
#include "net/cql/socket.h"
#include "net/cql/wire.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/queue.h>

struct sl_cql_call;
struct sl_cql_conn;
struct sl_cql_node;
struct sl_cql_reply;

TAILQ_HEAD(sl_cql_calls, sl_cql_call);
TAILQ_HEAD(sl_cql_replies, sl_cql_reply);
TAILQ_HEAD(sl_cql_conns, sl_cql_conn);

/* ------------------------------------------------------------------ a request ----------------------------
 */

/* Takes the reply over. Only of calls that the client makes for itself. */
typedef void sl_cql_done(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply);

enum sl_cql_call_state {
    SL_CQL_WAITING, /* for its time, or for a connection with room */
    SL_CQL_SENT,
    SL_CQL_PARKED, /* until its statement is prepared on its node again */
};

struct sl_cql_call {
    TAILQ_ENTRY(sl_cql_call) link;
    enum sl_cql_call_state state;
    void *ctx;
    sl_cql_done *done; /* NULL: the answer goes to the owner */
    struct sl_cql_statement *statement;
    uint8_t opcode;
    struct sl_buf body;  /* of EXECUTE: what stands behind the id */
    size_t page_rows_at; /* where the page size stands in the body; 0: nowhere */
    int32_t page_rows;
    bool is_idempotent;
    bool has_token;
    int64_t token;
    char *keyspace, *table;
    struct sl_cql_conn *pinned; /* this connection or none */
    struct sl_cql_conn *conn;   /* while SENT */
    int16_t stream;
    struct sl_cql_node *node; /* where it was tried last */
    uint32_t tries;
    int timeout_ms;
    int64_t submitted_us, deadline_us, sent_us;
    int64_t due_us;          /* WAITING: not before */
    int64_t try_deadline_us; /* SENT */
    struct sl_error last;    /* how the last try failed; rc SL_OK: it did not */
    int32_t last_code;
};

/* An answer and what it holds on to. The answer stands first: a pointer to it is a pointer to the reply. */
struct sl_cql_reply {
    struct sl_cql_answer answer;
    TAILQ_ENTRY(sl_cql_reply) link;
    uint8_t opcode;
    int32_t kind;          /* of a RESULT: 1 void, 2 rows, 3 keyspace, 4 prepared, 5 schema change */
    struct sl_cql_in rest; /* behind the kind, or the whole body of another opcode */
    uint8_t *memory;       /* the body, and what it was decompressed into */
};

/* ------------------------------------------------------------------ a connection -------------------------
 */

enum sl_cql_phase {
    SL_CQL_CONNECTING,
    SL_CQL_ASKING,   /* OPTIONS is sent */
    SL_CQL_STARTING, /* STARTUP or AUTH_RESPONSE is sent */
    SL_CQL_READY,
    SL_CQL_CLOSED, /* freed when the round is over */
};

enum { SL_CQL_INPUT_BYTES = 64 * 1024 };

struct sl_cql_conn {
    TAILQ_ENTRY(sl_cql_conn) link; /* of all, or of the dead */
    struct sl_cql *cql;
    struct sl_cql_node *node;
    struct sl_cql_socket socket;
    enum sl_cql_phase phase;
    bool is_control;
    uint32_t wanted_shard; /* when it goes to the shard-aware port */
    bool by_shard_port;
    bool is_surplus; /* its shard has enough */
    int slot;        /* in the node's pool; -1: none (yet) */
    uint32_t shard;
    int version;
    bool compress;
    uint32_t epoll_mask;
    int64_t opened_us, last_in_us, pinged_us;

    uint8_t *input; /* SL_CQL_INPUT_BYTES */
    size_t input_len;
    uint8_t *frame; /* a body longer than what is in the input; NULL: none */
    size_t frame_have, frame_capacity, frame_len;
    uint8_t frame_header[SL_CQL_HEADER_BYTES];

    struct sl_buf out;
    size_t out_at;

    struct sl_cql_call **streams; /* by stream id; NULL: free or given up */
    bool *is_orphan;              /* given up: an answer may come yet */
    int16_t *free_streams;
    uint32_t n_free, n_orphans;
};

/* ------------------------------------------------------------------ a node -------------------------------
 */

struct sl_cql_node {
    struct sl_cql_node *next;
    uint32_t index;
    char *address; /* "10.0.0.1:9042" */
    char *name;    /* as the user wrote it, or the IP address: what a certificate names */
    struct sockaddr_storage sockaddr;
    uint16_t port;
    char *data_center, *rack, *release_version;
    bool has_id;
    uint8_t host_id[16];
    bool is_contact;
    bool is_member; /* the cluster names it; before that is known, every contact point */
    bool is_local;
    bool is_up;
    bool is_known; /* supported was read */
    struct sl_cql_supported supported;
    int version; /* of the protocol that it is spoken to with */
    struct sl_cql_conn **pool;
    uint32_t n_pool;
    uint32_t n_ready, n_opening;
    bool shard_port_fails;
    uint32_t surplus; /* connections in a row that hit a shard which has one */
    struct sl_backoff backoff;
    int64_t open_after_us;
    struct sl_backoff busy_backoff;
    int64_t busy_until_us;
    struct sl_error last_error; /* why its last connection ended; rc SL_OK: none did */
    int64_t *tokens;
    uint32_t n_tokens;
    uint64_t seen_round; /* of the topology */
};

/* ------------------------------------------------------------------ the session --------------------------
 */

struct sl_cql_refresh; /* topology.c: the questions to the cluster, while they are asked */

struct sl_cql {
    struct sl_cql_config config; /* texts are the session's own */
    SSL_CTX *tls;
    int epoll_fd, wake_fd;
    _Atomic bool cancelled;

    struct sl_cql_node *nodes; /* in the order of index */
    uint32_t n_nodes;
    struct sl_cql_conns conns, dead;
    struct sl_cql_conn *control;
    struct sl_cql_refresh *refresh;
    uint64_t round;
    bool is_ready;            /* the topology is known */
    bool missed_events;       /* a control connection was lost since */
    int64_t refresh_after_us; /* INT64_MAX: no need */
    struct sl_backoff refresh_backoff;
    struct sl_error refresh_error;
    char *local_dc;
    struct sl_cql_ring ring;
    struct sl_cql_tablets tablets;

    struct sl_cql_calls waiting; /* and parked */
    struct sl_cql_calls sent;
    uint32_t n_calls; /* of the owner: waiting, sent, or answered and not polled */
    struct sl_cql_replies ready;
    struct sl_cql_columns_cache columns;
    struct sl_cql_statement *statements;
    uint32_t next_node;  /* round robin */
    int64_t next_due_us; /* the earliest time at which a clock wants something; may be too early */
    struct sl_cql_stats stats;
};

/* session.c */
/* Blocking: one message (body is taken over), on any node. */
enum sl_rc sl_cql_ask(struct sl_cql *cql, uint8_t opcode, struct sl_buf *body, int64_t deadline_us,
                      struct sl_cql_reply **ret, struct sl_error *err);
void sl_cql_tell(struct sl_cql *cql, const struct sl_cql_event *event);
void sl_cql_want_clock(struct sl_cql *cql, int64_t at_us);

/* node.c */
struct sl_cql_node *sl_cql_node_add(struct sl_cql *cql, const struct sockaddr_storage *address,
                                    const char *name);
struct sl_cql_node *sl_cql_node_find(struct sl_cql *cql, const struct sockaddr_storage *address);
void sl_cql_nodes_free(struct sl_cql *cql);
enum sl_rc sl_cql_nodes_of_contact_points(struct sl_cql *cql, struct sl_error *err);
void sl_cql_nodes_tend(struct sl_cql *cql, int64_t now_us);                  /* open what is missing */
void sl_cql_node_joined(struct sl_cql_node *node, struct sl_cql_conn *conn); /* the connection is READY */
void sl_cql_node_lost(struct sl_cql_node *node, struct sl_cql_conn *conn, const struct sl_error *why);
void sl_cql_node_busy(struct sl_cql *cql, struct sl_cql_node *node);

/* connection.c */
enum sl_rc sl_cql_conn_open(struct sl_cql *cql, struct sl_cql_node *node, uint16_t port, uint16_t source_port,
                            struct sl_cql_conn **ret, struct sl_error *err);
void sl_cql_conn_event(struct sl_cql_conn *conn, uint32_t events);
void sl_cql_conn_flush(struct sl_cql_conn *conn);
void sl_cql_conn_fail(struct sl_cql_conn *conn,
                      const struct sl_error *why); /* closes; its calls are tried again */
void sl_cql_conn_free(struct sl_cql_conn *conn);
void sl_cql_conn_send(struct sl_cql_conn *conn, uint8_t opcode, int16_t stream, const struct sl_buf *body);
void sl_cql_conn_send_call(struct sl_cql_conn *conn, struct sl_cql_call *call, int64_t now_us);
void sl_cql_conn_give_up(struct sl_cql_conn *conn, struct sl_cql_call *call); /* the answer will be dropped */
void sl_cql_conn_release(struct sl_cql_conn *conn, struct sl_cql_call *call); /* the answer is here */
void sl_cql_conn_check_clock(struct sl_cql_conn *conn, int64_t now_us);

/* startup.c */
void sl_cql_startup_begin(struct sl_cql_conn *conn);
void sl_cql_startup_frame(struct sl_cql_conn *conn, int frame_version, uint8_t opcode, struct sl_cql_in *in);

/* call.c */
struct sl_cql_call *sl_cql_call_new(struct sl_cql *cql, uint8_t opcode, int timeout_ms);
struct sl_cql_call *sl_cql_call_of_request(struct sl_cql *cql, const struct sl_cql_request *request);
void sl_cql_call_query(struct sl_cql *cql, const char *text, struct sl_cql_conn *conn, sl_cql_done *done,
                       void *ctx);
void sl_cql_call_start(struct sl_cql *cql, struct sl_cql_call *call);
void sl_cql_call_reply(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_reply *reply);
/* A try failed: with the server's code, or SL_CQL_NO_CODE. Again later, or the end. The call is in no list.
 */
void sl_cql_call_failed(struct sl_cql *cql, struct sl_cql_call *call, const struct sl_error *why,
                        int32_t code);
/* The connection of a sent call is gone. */
void sl_cql_call_lost(struct sl_cql *cql, struct sl_cql_call *call, const struct sl_error *why);
/* What waits for this connection and no other will not get it. */
void sl_cql_calls_unpin(struct sl_cql *cql, struct sl_cql_conn *conn, const struct sl_error *why);
void sl_cql_calls_dispatch(struct sl_cql *cql, int64_t now_us);
void sl_cql_calls_check_clock(struct sl_cql *cql, int64_t now_us);
void sl_cql_call_free(struct sl_cql_call *call);

/* route.c: a ready connection with room; NULL: none now */
struct sl_cql_conn *sl_cql_route(struct sl_cql *cql, struct sl_cql_call *call, int64_t now_us);

/* answer.c */
struct sl_cql_reply *sl_cql_reply_new(struct sl_cql_conn *conn, uint8_t opcode, struct sl_cql_in in,
                                      uint8_t *memory);
struct sl_cql_reply *sl_cql_reply_failed(const struct sl_error *err, int32_t code);
void sl_cql_reply_free(struct sl_cql_reply *reply);
/* Read a RESULT up to its rows. False: malformed. */
bool sl_cql_reply_read(struct sl_cql *cql, const struct sl_cql_statement *statement,
                       struct sl_cql_reply *reply);

/* topology.c */
void sl_cql_topology_start(struct sl_cql *cql); /* ask, on the control connection; choose one first */
void sl_cql_topology_lost(struct sl_cql *cql);  /* the control connection ended */
void sl_cql_topology_event(struct sl_cql *cql, struct sl_cql_in *in);
void sl_cql_topology_done(struct sl_cql *cql);

/* statement.c */
struct sl_span sl_cql_statement_id(const struct sl_cql_statement *statement, const struct sl_cql_node *node);
struct sl_cql_statement *sl_cql_statement_ref(struct sl_cql_statement *statement);
void sl_cql_statement_unref(struct sl_cql_statement *statement);
void sl_cql_statement_prepare_again(struct sl_cql *cql, struct sl_cql_call *call, struct sl_cql_conn *conn);

#endif
