/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of CQL's native protocol, for ScyllaDB and Apache Cassandra. It knows nodes, shards, statements
 * and rows; of change data capture it knows nothing but that a caller may say the token of a request.
 *
 * One session serves one owner thread, which submits requests and polls for their answers; everything that
 * happens, sockets included, happens inside those calls, so an owner comes back to sl_cql_poll within a
 * second or so. Hundreds of requests can be on their way at once:
 *
 *     while (sl_cql_room(session) && (stream = next_stream()))
 *         sl_cql_submit(session, &(struct sl_cql_request){.statement = read_log, ..., .ctx = stream}, err);
 *     while ((answer = sl_cql_poll(session, deadline_us))) {
 *         while (sl_cql_rows_next(&answer->rows, cells, &more, err) == SL_OK && more)
 *             ...
 *         sl_cql_answer_free(answer);
 *     }
 *
 * The protocol is v4, or v3 where a server knows no v4; v5 is not spoken (every server with v5 speaks v4).
 *
 * Retries happen inside: a request fails only when its deadline or its tries are used up, or with an error
 * that no retry mends. What is retried: a lost connection, no answer in time, and the server's own words
 * overloaded, bootstrapping, unavailable, read timeout, read failure, server error, rate limit (all with
 * backoff, on another replica where there is one); a statement that a node does not know is prepared there
 * again. A request that is not idempotent is retried only where it surely was not executed.
 *
 * Threads: one at a time, except sl_cql_wake and sl_cql_cancel (any).
 */
#ifndef SLUICE_NET_CQL_H
#define SLUICE_NET_CQL_H

#include "net/cql/cell.h"
#include "net/cql/token.h"
#include "sluice/record.h"

enum sl_cql_consistency {
    SL_CQL_ANY = 0,
    SL_CQL_ONE = 1,
    SL_CQL_TWO = 2,
    SL_CQL_THREE = 3,
    SL_CQL_QUORUM = 4,
    SL_CQL_ALL = 5,
    SL_CQL_LOCAL_QUORUM = 6,
    SL_CQL_EACH_QUORUM = 7,
    SL_CQL_SERIAL = 8,
    SL_CQL_LOCAL_SERIAL = 9,
    SL_CQL_LOCAL_ONE = 10,
};

/* By its name, in either case ("LOCAL_QUORUM"); false when there is none such. */
bool sl_cql_consistency_parse(const char *name, enum sl_cql_consistency *ret);
const char *sl_cql_consistency_name(enum sl_cql_consistency consistency);

/* ------------------------------------------------------------------ session ------------------------------
 */

/* Stores may be JKS or PKCS#12, told apart by their bytes; PEM files need no password. NULL: not said. */
struct sl_cql_tls {
    bool enabled;
    const char *ca_path; /* PEM */
    const char *truststore_path, *truststore_password;
    const char *keystore_path, *keystore_password; /* the client's key and its certificates */
    const char *certificate_path, *key_path;       /* the same as PEM: both or neither */
    const char *ciphers;    /* JSSE or OpenSSL names, comma-separated; NULL: the usual */
    bool skip_verification; /* accept any certificate: only when nothing above gives a CA */
    bool verify_host;       /* the certificate must name the host that was called */
};

enum sl_cql_event_kind {
    SL_CQL_EVENT_TOPOLOGY, /* nodes came, went, or own other tokens now; already known when told */
    SL_CQL_EVENT_UP,       /* a node answers again: address */
    SL_CQL_EVENT_DOWN,
    SL_CQL_EVENT_SCHEMA, /* keyspace; object and name unless the keyspace itself changed */
    SL_CQL_EVENT_RESYNC, /* the connection that brings events was lost and is back: some may be missing */
};

struct sl_cql_event {
    enum sl_cql_event_kind kind;
    const char *address;  /* UP, DOWN: "10.0.0.1:9042" */
    const char *change;   /* SCHEMA: CREATED, UPDATED, DROPPED */
    const char *object;   /* SCHEMA: KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE */
    const char *keyspace; /* SCHEMA */
    const char *name;     /* SCHEMA: of the table or type; "" for a keyspace */
};

/* All texts are copied by sl_cql_new. Zero means the default that stands in the comment. */
struct sl_cql_config {
    const char *contact_points;  /* "host:port,host:port"; [v6]:port; a port may be left out (9042) */
    const char *local_dc;        /* NULL: the one of the first node that answers */
    const char *user, *password; /* NULL: none */
    const char *application;     /* as the server's administrator sees it; "sluice" */
    struct sl_cql_tls tls;
    bool compress;               /* LZ4 where the server offers it */
    bool ignore_shards;          /* do not open a connection per shard, do not use the shard-aware port */
    bool contact_points_only;    /* do not look for other nodes (port forwarding, a single proxy) */
    int connections_per_host;    /* per shard on ScyllaDB: 1 */
    int requests_per_connection; /* in flight: 256 */
    int requests_per_session;    /* submitted and not answered: 1,024 */
    int connect_timeout_ms;      /* 5,000: until a connection can be used */
    int try_timeout_ms;          /* 12,000: for one try of a request */
    int request_timeout_ms;      /* 60,000: all tries of a request, unless it says its own */
    int tries;                   /* 8, at most, of one request */
    int backoff_base_ms, backoff_max_ms; /* 50 and 30,000: retries and reconnects, with jitter */
    int heartbeat_ms;                    /* 30,000 without a byte: is the node still there? */
    uint32_t frame_bytes_max; /* 256 MiB, the protocol's own limit; a longer frame ends the connection */
    /* Called from inside sl_cql_poll, sl_cql_submit and the blocking calls; it must not call the session. */
    void (*on_event)(void *ctx, const struct sl_cql_event *event);
    void *event_ctx;
};

struct sl_cql;

/* Check the configuration and load certificates; no connection yet. Errors: CONFIG, NOT_FOUND (a file). */
enum sl_rc sl_cql_new(const struct sl_cql_config *config, struct sl_cql **ret, struct sl_error *err);

/*
 * Connect to a contact point and learn the cluster. Every contact point is tried once, for the connect
 * timeout, then again until the deadline. May be called again after an error. Errors: CONNECT (nobody
 * answers; names who was tried and why), AUTH, CONFIG (no such data centre, TLS refused), PROTOCOL, STOPPED.
 */
enum sl_rc sl_cql_connect(struct sl_cql *cql, int64_t deadline_us, struct sl_error *err);

/* Closes everything; answers that were not taken are gone. NULL is fine. Statements die with it. */
void sl_cql_free(struct sl_cql *cql);

void sl_cql_wake(
    struct sl_cql *cql); /* the poll that waits, or the next one, returns NULL now. Any thread. */
void sl_cql_cancel(struct sl_cql *cql); /* blocking calls fail with STOPPED, for ever. Any thread. */

/* ------------------------------------------------------------------ metadata -----------------------------
 */

struct sl_cql_column {
    const char *keyspace;
    const char *table;
    const char *name;
    const struct sl_cql_type *type;
};

/*
 * Columns of a result or of a statement's values. Equal ones of one session are nearly always one pointer:
 * compare pointers to see a change quickly, then contents. They live as long as the session.
 */
struct sl_cql_columns {
    uint32_t n;
    const struct sl_cql_column *items;
};

/* The index of a column, by name; -1 when there is none. */
int sl_cql_find_column(const struct sl_cql_columns *columns, const char *name);

/* ------------------------------------------------------------------ requests -----------------------------
 */

/* Values to bind, in order, as they go on the wire. Reset keeps the memory. */
struct sl_cql_values {
    struct sl_buf bytes;
    uint16_t n;
};

void sl_cql_values_reset(struct sl_cql_values *values);
void sl_cql_values_done(struct sl_cql_values *values);
void sl_cql_bind_cell(struct sl_cql_values *values, struct sl_cql_cell cell);        /* null and unset too */
void sl_cql_bind_bytes(struct sl_cql_values *values, const void *bytes, size_t len); /* blob, uuid, ... */
void sl_cql_bind_text(struct sl_cql_values *values, const char *text);               /* NULL: null */
void sl_cql_bind_int64(struct sl_cql_values *values, int64_t v); /* bigint, timestamp (ms), time (ns) */
void sl_cql_bind_int32(struct sl_cql_values *values, int32_t v);
void sl_cql_bind_int16(struct sl_cql_values *values, int16_t v);
void sl_cql_bind_int8(struct sl_cql_values *values, int8_t v);
void sl_cql_bind_bool(struct sl_cql_values *values, bool v);
void sl_cql_bind_double(struct sl_cql_values *values, double v);
void sl_cql_bind_float(struct sl_cql_values *values, float v);
void sl_cql_bind_null(struct sl_cql_values *values);
/* A list or set of n elements ("IN ?"). */
void sl_cql_bind_list(struct sl_cql_values *values, const struct sl_cql_cell *elements, uint32_t n);

struct sl_cql_statement;

/*
 * Prepare a text: on one node now, on the others when first needed there. Blocks. The statement belongs to
 * the session; free it when it is not needed any more (requests on their way keep it alive).
 */
enum sl_rc sl_cql_prepare(struct sl_cql *cql, const char *text, int64_t deadline_us,
                          struct sl_cql_statement **ret, struct sl_error *err);
void sl_cql_statement_free(struct sl_cql_statement *statement); /* NULL is fine */

const struct sl_cql_columns *sl_cql_statement_values(const struct sl_cql_statement *statement);
const struct sl_cql_columns *sl_cql_statement_result(const struct sl_cql_statement *statement);

struct sl_cql_request {
    const struct sl_cql_statement *statement; /* or */
    const char *text;
    const struct sl_cql_values *values; /* NULL: none; copied */
    enum sl_cql_consistency consistency;
    bool not_idempotent; /* a counter, a list append, an LWT: never do it twice */
    bool has_timestamp;
    int64_t timestamp_us;        /* default timestamp of writes */
    int32_t page_rows;           /* 0: 5,000; -1: no paging (the server sends everything at once) */
    struct sl_span paging_state; /* len 0: the first page; copied */
    bool has_token;              /* route to a replica of this token */
    int64_t token;
    const char *keyspace, *table; /* where the token lives; copied; table matters with tablets only */
    int timeout_ms;               /* all tries together; 0: the session's */
    void *ctx;
};

/* How many requests may be submitted now. */
uint32_t sl_cql_room(const struct sl_cql *cql);

/*
 * Put a request on its way; the answer comes out of sl_cql_poll. Never blocks, and fails for nothing but
 * BUSY (no room). Everything is copied.
 */
enum sl_rc sl_cql_submit(struct sl_cql *cql, const struct sl_cql_request *request, struct sl_error *err);

/* Requests whose answer was not yet polled. */
uint32_t sl_cql_in_flight(const struct sl_cql *cql);

/* ------------------------------------------------------------------ answers ------------------------------
 */

/* A reader over the rows of an answer, in the frame itself. */
struct sl_cql_rows {
    const struct sl_cql_columns *columns;
    uint32_t n_rows; /* as the server says */
    uint32_t index;  /* of the next row */
    const uint8_t *at;
    const uint8_t *end;
    bool has_more;               /* there is another page, though this one may be empty: ask with ... */
    struct sl_span paging_state; /* ... this */
};

/*
 * The next row's cells (columns->n of them; they point into the answer). Errors: PROTOCOL (a length that
 * lies).
 */
enum sl_rc sl_cql_rows_next(struct sl_cql_rows *rows, struct sl_cql_cell *cells, bool *ret_row,
                            struct sl_error *err);

enum { SL_CQL_NO_CODE = -1 };

/* Names for what callers look at; all codes are in native protocol v4 section 9. */
enum sl_cql_code {
    SL_CQL_SERVER_ERROR = 0x0000,
    SL_CQL_PROTOCOL_ERROR = 0x000A,
    SL_CQL_BAD_CREDENTIALS = 0x0100,
    SL_CQL_UNAVAILABLE = 0x1000,
    SL_CQL_OVERLOADED = 0x1001,
    SL_CQL_BOOTSTRAPPING = 0x1002,
    SL_CQL_TRUNCATE_ERROR = 0x1003,
    SL_CQL_WRITE_TIMEOUT = 0x1100,
    SL_CQL_READ_TIMEOUT = 0x1200,
    SL_CQL_READ_FAILURE = 0x1300,
    SL_CQL_FUNCTION_FAILURE = 0x1400,
    SL_CQL_WRITE_FAILURE = 0x1500,
    SL_CQL_CDC_WRITE_FAILURE = 0x1600,
    SL_CQL_SYNTAX_ERROR = 0x2000,
    SL_CQL_UNAUTHORIZED = 0x2100,
    SL_CQL_INVALID = 0x2200,
    SL_CQL_CONFIG_ERROR = 0x2300,
    SL_CQL_ALREADY_EXISTS = 0x2400,
    SL_CQL_UNPREPARED = 0x2500,
    SL_CQL_RATE_LIMIT = 0xF000,
};

struct sl_cql_answer {
    void *ctx;                         /* the request's */
    enum sl_rc rc;                     /* SL_OK, or err is filled */
    int32_t code;                      /* the server's error code, or SL_CQL_NO_CODE */
    struct sl_error err;               /* native: "0x2200" */
    struct sl_cql_rows rows;           /* n_rows 0 and no columns when the statement gives none */
    size_t size_bytes;                 /* of the frame that the answer holds on to */
    int64_t submitted_us, received_us; /* sl_now_us clock */
    uint32_t tries;
    const char *host; /* who answered: "10.0.0.1:9042"; "" when nobody did. Lives as long as the session */
};

/*
 * The next answer, in the order of arrival; NULL at the deadline (sl_now_us clock; 0: only what is there), or
 * when woken, or when nothing is in flight and nothing will come before the deadline (it waits, for events).
 */
struct sl_cql_answer *sl_cql_poll(struct sl_cql *cql, int64_t deadline_us);

void sl_cql_answer_free(struct sl_cql_answer *answer); /* NULL is fine; before the session's end */

/*
 * Blocking: submit, wait, return this answer alone; other answers wait for the next poll. The rc is that of
 * the answer (which is then freed), or STOPPED.
 */
enum sl_rc sl_cql_query(struct sl_cql *cql, const struct sl_cql_request *request,
                        struct sl_cql_answer **ret_answer, struct sl_error *err);

/* Blocking: a text without values and without rows (DDL and the like), at this consistency. */
enum sl_rc sl_cql_run(struct sl_cql *cql, const char *text, enum sl_cql_consistency consistency,
                      struct sl_error *err);

/* ------------------------------------------------------------------ cluster ------------------------------
 */

struct sl_cql_host {
    const char *address; /* "10.0.0.1:9042" */
    const char *data_center, *rack;
    const char *release_version; /* of the server ("3.0.8" on ScyllaDB, whatever its own version) */
    uint8_t host_id[16];
    bool is_up;
    bool is_local;     /* in the local data centre */
    bool is_scylla;    /* known once connected */
    uint32_t n_shards; /* 0: not known, or no shards */
    uint32_t ignore_msb;
};

/* The nodes now known; texts live as long as the session. */
uint32_t sl_cql_n_hosts(const struct sl_cql *cql);
void sl_cql_host(const struct sl_cql *cql, uint32_t index, struct sl_cql_host *ret);
bool sl_cql_is_scylla(const struct sl_cql *cql); /* the node that was connected first */
const char *sl_cql_local_dc(const struct sl_cql *cql);

/* The ring: all tokens of all nodes, ascending; a range ends at its token. Valid until the next call. */
const int64_t *sl_cql_ring(const struct sl_cql *cql, uint32_t *ret_n);

/* Counters since the beginning. */
struct sl_cql_stats {
    uint64_t requests, answers, retries, timeouts, overloads, reprepares, connects, disconnects;
    uint64_t bytes_in, bytes_out; /* on the wire, before decompression, inside TLS */
    uint32_t connections;         /* now */
};

void sl_cql_stats(const struct sl_cql *cql, struct sl_cql_stats *ret);

#endif
