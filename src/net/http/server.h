/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server for JSON interfaces: a table of routes, a request that is whole before anybody sees it,
 * an answer that is built in memory. It knows no Connect and no registry; both stand on it. It is no web
 * server: no files, no streaming in either direction.
 *
 *     static void get_one(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
 *     {
 *         const char *name = sl_http_path(request, "name");          // decoded, never NULL here
 *         ...
 *         sl_http_json(answer, 200, json_pack("{s:s}", "name", name));
 *     }
 *     static const struct sl_http_route routes[] = {{"GET", "/things/{name}", get_one}, {0}};
 *
 * Threads: one per listener reads and writes all its sockets (libmicrohttpd, epoll) and never waits for
 * anything else, so that a slow client costs a socket and a little memory, no thread. Whole requests go to
 * the server's handler threads; a handler may block (it should know a deadline). Handlers run at the same
 * time: ctx is shared and guards itself. Wire: RFC 9110, RFC 9112.
 *
 * What comes from outside is bounded before it is kept (struct sl_http_limits), and what two readers could
 * understand differently is refused with 400: a body with both Content-Length and Transfer-Encoding, a
 * repeated Content-Length or Host, a transfer coding other than chunked, control characters in a path.
 */
#ifndef SLUICE_NET_HTTP_SERVER_H
#define SLUICE_NET_HTTP_SERVER_H

#include "base/buf.h"
#include "sluice/error.h"

#include <jansson.h>
#include <stdbool.h>

/* ---- the request ---- */

struct sl_http_request {
    const char *method;  /* "GET" */
    const char *path;    /* as it came, escapes and all, without the query */
    const char *query;   /* as it came, without '?'; "" when there is none */
    const char *peer;    /* "127.0.0.1:50712", "[::1]:50712" */
    const char *user;    /* who logged in (sl_http_set_user), or NULL */
    const uint8_t *body; /* body_bytes of it; a NUL stands behind it */
    size_t body_bytes;
    bool secure; /* came over TLS */
    struct sl_http_inside *inside;
};

/* A parameter of the route's pattern, percent-decoded: UTF-8 without control characters. NULL: the pattern
 * has no such name. */
const char *sl_http_path(const struct sl_http_request *request, const char *name);

/* The first value of a query parameter, decoded ('+' is a blank); NULL when it was not given, "" for "?name".
 */
const char *sl_http_query(const struct sl_http_request *request, const char *name);

/* The query parameter at index, for names that may repeat; false behind the last one. */
bool sl_http_query_at(const struct sl_http_request *request, size_t index, const char **ret_name,
                      const char **ret_value);

/* "true" in any case is true, anything else false, as Java's parseBoolean; fallback when not given. */
bool sl_http_query_bool(const struct sl_http_request *request, const char *name, bool fallback);

/* The first header of that name (compared without case), or NULL. */
const char *sl_http_header(const struct sl_http_request *request, const char *name);

/* Every header in turn; a pass that returns false ends the walk. For forwarding. */
void sl_http_headers(const struct sl_http_request *request,
                     bool (*visit)(void *ctx, const char *name, const char *value), void *ctx);

/*
 * The body as JSON, any value. Depth and number of values are counted before a tree is built; an empty body
 * is *ret = NULL with SL_OK. The caller owns *ret. Errors: CONFIG, with line and column.
 */
enum sl_rc sl_http_body_json(const struct sl_http_request *request, json_t **ret, struct sl_error *err);

/* Name and password of "Authorization: Basic"; false when there is none or it is malformed. Heap memory of
 * the caller; the password is to be wiped. */
bool sl_http_basic(const struct sl_http_request *request, char **ret_user, char **ret_password);

/* From a before hook: who this is. Shows in the request log. */
void sl_http_set_user(const struct sl_http_request *request, const char *user);

/* ---- the answer ---- */

struct sl_http_answer {
    int status; /* 0 until something was said: the server then answers 500 */
    struct sl_buf body;
    struct sl_buf headers; /* "Name: value\n", each */
    char type[96];         /* Content-Type; "" with an empty body */
};

/* All of them replace what was said before (headers stay). json is taken over. */
void sl_http_json(struct sl_http_answer *answer, int status, json_t *json);
void sl_http_empty(struct sl_http_answer *answer, int status);
void sl_http_text(struct sl_http_answer *answer, int status, const char *type, const void *text, size_t len);

/* {"error_code": code, "message": ...}: what Connect and the registry both answer. code 0: the status. */
void sl_http_error(struct sl_http_answer *answer, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The name is ours; of the value what cannot stand in a header (CR, LF, controls) becomes a blank. */
void sl_http_add_header(struct sl_http_answer *answer, const char *name, const char *value);

void sl_http_answer_done(
    struct sl_http_answer *answer); /* for tests and forwarders; the server frees its own */

/* ---- routes ---- */

/*
 * Patterns are segments; "{name}" takes one segment whole, and a "%2F" in it is part of the name. A slash at
 * the end of a request's path is taken or not, as Connect does. The first route that fits path and method is
 * used: literal segments before parameters is the table's own affair. GET answers HEAD too. A path that fits
 * with another method is 405 with Allow (or the answer to OPTIONS); one that fits nothing is 404.
 */
struct sl_http_route {
    const char *method; /* NULL ends the table */
    const char *pattern;
    void (*handle)(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer);
};

/* ---- the server ---- */

struct sl_http_limits {
    unsigned connections;             /* more: the one that has been silent for longest is closed */
    unsigned connections_per_address; /* 0: no other limit than the first */
    size_t header_bytes;              /* request line and headers of one request: 431 */
    size_t body_bytes;                /* of one request: 413 */
    size_t bodies_bytes;              /* of all requests that are there at the same time: 503 */
    int64_t idle_us;                  /* a connection on which no request has begun */
    int64_t request_us; /* from the request line to its last byte; the same again to send the answer */
    unsigned threads;   /* handlers that run at the same time */
    unsigned waiting;   /* whole requests that wait for one: 503 */
    size_t json_depth;  /* of a body: 400 */
    size_t json_values; /* of a body: 400 */
};

/* 1024 connections, 16 KiB of headers, 4 MiB of body, 32 MiB of bodies, 60 s idle, 30 s a request, 8 threads.
 */
extern const struct sl_http_limits sl_http_default_limits;

struct sl_http_listener {
    const char *host; /* a name or an address; NULL, "" or "*": every address */
    uint16_t port;    /* 0: the system chooses (sl_http_server_port tells) */
    bool tls;
};

/* Whose names are Kafka's ssl.* keys. Texts are read at the start only. */
struct sl_http_tls {
    const char *keystore_path; /* PEM (key and chain), PKCS#12 or JKS, told apart by content */
    const char *keystore_password;
    const char *key_password;    /* of the key inside, where it differs; NULL: the store's */
    const char *keystore_key;    /* PEM text of the key (ssl.keystore.key), instead of a path */
    const char *keystore_chain;  /* PEM text of the chain (ssl.keystore.certificate.chain) */
    const char *truststore_path; /* for client certificates */
    const char *truststore_password;
    const char *truststore_certificates; /* PEM text, instead of a path */
    const char *protocols;               /* "TLSv1.2,TLSv1.3"; NULL: these two */
    bool any_name; /* ssl.endpoint.identification.algorithm is empty: for clients that share these keys */
    enum { SL_HTTP_CLIENT_NONE, SL_HTTP_CLIENT_REQUESTED, SL_HTTP_CLIENT_REQUIRED } client_auth;
};

enum sl_http_log { SL_HTTP_LOG_OFF, SL_HTTP_LOG_WRITES, SL_HTTP_LOG_ALL };

/* Copied at the start; what the pointers of ctx and routes mean must live as long as the server. */
struct sl_http_config {
    const char *name; /* "rest": stands in log lines and, shortened, in thread names */
    const struct sl_http_listener *listeners;
    size_t n_listeners;
    const struct sl_http_tls *tls; /* needed when a listener says tls */
    const struct sl_http_route *routes;
    void *ctx;
    struct sl_http_limits limits; /* all zero: the default ones */
    /* Media types of bodies, ended by NULL ("application/json"); another Content-Type is 415. NULL: any. */
    const char *const *consumes;
    /* Media types of answers, for Accept: none fits is 406. The first is what sl_http_json says. NULL:
     * "application/json", and Accept is not looked at. */
    const char *const *produces;
    /* Before the route is sought, e.g. to log in. False: it has answered. May be NULL. */
    bool (*before)(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer);
    void *before_ctx; /* NULL: ctx */
    /* On every answer that a handler or the server itself built, e.g. to add headers. May be NULL. */
    void (*after)(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer);
    enum sl_http_log log; /* one line a request: method, path, status, peer, user, bytes, time */
};

struct sl_http_server;

/*
 * Bind and serve. Errors: CONFIG (a port that is in use, an address that is not here, key stores; the text
 * names the listener), IO.
 */
enum sl_rc sl_http_server_start(const struct sl_http_config *config, struct sl_http_server **ret,
                                struct sl_error *err);

/* The port that a listener has. */
uint16_t sl_http_server_port(const struct sl_http_server *server, size_t listener);

/* The address that a listener was bound to: "127.0.0.1", "0.0.0.0", "[::]". */
const char *sl_http_server_host(const struct sl_http_server *server, size_t listener);

/*
 * Take no more connections, answer 503 to what still waits, let the handlers that run finish and their
 * answers leave, until the deadline (on sl_now_us). False: a handler did not return; leave the server
 * alone (the process is about to exit) or ask again. True: everything is freed.
 */
bool sl_http_server_stop(struct sl_http_server *server, int64_t deadline_us);

#endif
