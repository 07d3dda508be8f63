/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: the server, its connections, and an exchange (one request with its
 * answer) on its way through them.
 *
 * An exchange is owned by its listener's thread; between "handed over" and "resumed" by the handler thread
 * that took it from the queue. A connection is owned by its listener's thread; its phase and time stamp are
 * read by the watch under the server's lock.
 */
#ifndef SLUICE_NET_HTTP_INSIDE_H
#define SLUICE_NET_HTTP_INSIDE_H

#include "base/queue.h"
#include "base/thread.h"
#include "net/http/server.h"

#include <microhttpd.h>

enum {
    SL_HTTP_SEGMENTS_MAX = 16, /* of a path; more fit no route */
    SL_HTTP_QUERY_MAX = 64,    /* parameters; more are 400 */
    SL_HTTP_PEER_SIZE = 64,
};

enum sl_http_phase {
    SL_HTTP_PHASE_IDLE,      /* no request has begun: limits.idle_us */
    SL_HTTP_PHASE_RECEIVING, /* limits.request_us */
    SL_HTTP_PHASE_HANDLING,  /* the handler's own affair */
    SL_HTTP_PHASE_SENDING,   /* limits.request_us */
};

struct sl_http_connection {
    struct sl_http_server *server;
    struct sl_http_connection *previous, *next; /* in server->connections, in no order */
    int fd;
    enum sl_http_phase phase;
    int64_t since_us; /* when the phase began */
    bool cut;         /* shut down by us; the listener's thread will notice */
    char peer[SL_HTTP_PEER_SIZE];
};

/* A text that was cut into decoded pieces. */
struct sl_http_pair {
    const char *name;
    const char *value;
};

struct sl_http_inside {
    struct sl_http_request request; /* what the handler sees */
    struct sl_http_answer answer;
    struct sl_http_server *server;
    struct sl_http_connection *connection;
    struct MHD_Connection *mhd;
    bool secure;
    bool begun;   /* the headers were looked at */
    bool handed;  /* a handler has it or had it */
    bool refused; /* the answer is there already; the body is thrown away */
    char *uri;    /* path NUL query */
    char *method;
    char *user;
    char *decoded; /* the segments and query pieces below, each ended by NUL */
    const char *segments[SL_HTTP_SEGMENTS_MAX];
    size_t n_segments;
    bool too_many_segments;
    struct sl_http_pair query[SL_HTTP_QUERY_MAX];
    size_t n_query;
    const struct sl_http_route *route; /* the one in use; gives the segments their names */
    struct sl_buf body;
    size_t charged_bytes;   /* of server->bodies_bytes */
    size_t discarded_bytes; /* of a refused body */
    int64_t began_us;
};

struct sl_http_bound {
    struct sl_http_server *server;
    struct MHD_Daemon *daemon;
    int quiet_fd; /* the listening socket, once it takes no more; closed when no thread can use it */
    char host[SL_HTTP_PEER_SIZE];
    uint16_t port;
    bool tls;
};

struct sl_http_server {
    struct sl_http_config config; /* its listeners and tls are gone after the start */
    char *name;
    struct sl_http_bound *bound;
    size_t n_bound;
    struct sl_queue *work; /* struct sl_http_inside * */
    struct sl_thread *handlers;
    unsigned n_handlers;
    struct sl_thread watch;
    struct sl_stop watch_stop;
    int client_auth; /* enum in struct sl_http_tls */
    _Atomic bool stopping;
    _Atomic size_t bodies_bytes; /* of all exchanges */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* busy went down, a connection left or became idle */
    unsigned busy;          /* handlers at work */
    struct sl_http_connection *connections;
    unsigned n_connections;
};

/* connections.c */
void sl_http_connection_event(void *server, struct MHD_Connection *mhd, void **context,
                              enum MHD_ConnectionNotificationCode code);
void sl_http_phase_set(struct sl_http_connection *connection, enum sl_http_phase phase);
void sl_http_watch_main(void *server);

/* receive.c: the callbacks of libmicrohttpd */
void *sl_http_uri_seen(void *bound, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result sl_http_access(void *bound, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload, size_t *upload_size, void **context);
void sl_http_completed(void *bound, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode how);

/* listener.c */
enum sl_rc sl_http_listen(struct sl_http_server *server, const struct sl_http_config *config, size_t index,
                          struct sl_error *err);

/* tls.c: PEM texts for libmicrohttpd, which speaks GnuTLS. */
struct sl_http_pem {
    char *key;
    char *chain;
    char *trusted; /* NULL: no client certificates */
    char *priorities;
};
enum sl_rc sl_http_pem_load(const struct sl_http_tls *tls, struct sl_http_pem *ret, struct sl_error *err);
void sl_http_pem_done(struct sl_http_pem *pem);
/* NULL when this client may speak, else what is wrong with its certificate. */
const char *sl_http_client_refused(struct MHD_Connection *mhd, int client_auth);

/* url.c */
/* Cut path and query of inside->uri into decoded pieces. False: malformed. */
bool sl_http_cut_uri(struct sl_http_inside *inside);

/* route.c */
void sl_http_dispatch(struct sl_http_inside *inside);

/* answer.c */
struct MHD_Response *sl_http_response_new(struct sl_http_inside *inside);

#endif
