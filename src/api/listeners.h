/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the REST API listens and how others reach it, from the worker's properties: listeners, rest.*,
 * admin.listeners, ssl.* and sluice.rest.*. docs/rest.md is the user's page.
 */
#ifndef SLUICE_API_LISTENERS_H
#define SLUICE_API_LISTENERS_H

#include "net/http/server.h"

struct sl_props;

enum { SL_API_LISTENERS_MAX = 8 };

struct sl_api_listeners {
    struct sl_http_listener items[SL_API_LISTENERS_MAX];
    size_t n; /* 0: no REST API */
    char hosts[SL_API_LISTENERS_MAX][256];
};

/*
 * Read a list of "http://host:port". The host of a listener without one is loopback where open is false, and
 * every address where it is true. Errors: CONFIG (a listener that is none; too many).
 */
enum sl_rc sl_api_listeners_parse(const char *text, const char *key, bool open, struct sl_api_listeners *ret,
                                  struct sl_error *err);

/* listeners, or rest.host.name and rest.port. Errors: CONFIG. */
enum sl_rc sl_api_listeners_read(const struct sl_props *worker, struct sl_api_listeners *ret,
                                 struct sl_error *err);

/* admin.listeners: false when it is not given (/admin is served with the rest). Errors: CONFIG. */
enum sl_rc sl_api_listeners_read_admin(const struct sl_props *worker, bool *ret_given,
                                       struct sl_api_listeners *ret, struct sl_error *err);

/* Does this listener take connections from this machine alone? */
bool sl_api_is_loopback(const char *host);

/* Are logins asked for: by rest.extension.classes or by sluice.rest.users.file? */
bool sl_api_wants_login(const struct sl_props *worker);

/* A warning for each listener that takes requests from other machines without asking who they are. what:
 * "the REST API". */
void sl_api_warn_open(const char *what, const struct sl_http_server *server, size_t n);

/*
 * The URL under which other workers and clients reach this process: rest.advertised.*, else the first
 * listener that fits; "" without listeners. port: what that listener was given by the system, where its port
 * is 0.
 */
void sl_api_advertised_url(const struct sl_props *worker, const struct sl_api_listeners *listeners,
                           uint16_t port, char *ret, size_t size);

#define SL_API_HTTPS "listeners.https."

/* ssl.* with the prefix (SL_API_HTTPS) where any key has it, and without it otherwise. Texts are the
 * props'. Errors: CONFIG (ssl.client.auth). */
enum sl_rc sl_api_tls_read(const struct sl_props *worker, const char *prefix, struct sl_http_tls *ret,
                           struct sl_error *err);

/* Is there any key "<prefix>ssl.*"? */
bool sl_api_tls_given(const struct sl_props *worker, const char *prefix);

/* sluice.rest.*: limits and what is logged, of each port by itself. */
void sl_api_limits_read(const struct sl_props *worker, struct sl_http_limits *ret, enum sl_http_log *ret_log);

#endif
