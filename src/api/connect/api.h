/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's REST API over the herder. It knows HTTP, Connect's JSON shapes and the option tables; what
 * a connector is and does is the herder's. docs/rest.md lists the endpoints and where an answer differs from
 * Connect's.
 *
 *     sl_connect_api_open(...)     ports are bound: a port in use is told before anything starts; everything
 *                                  but / and /health is answered 503
 *     sl_connect_api_ready(...)    the herder runs: requests reach it
 *     sl_connect_api_leave(...)    the herder is about to stop: new requests are answered 503
 *     sl_connect_api_close(...)    after the herder stopped (which answers those that wait for it), before it
 *                                  is freed
 *
 * Threads: these functions belong to the main thread; requests are handled on the HTTP server's threads.
 */
#ifndef SLUICE_API_CONNECT_API_H
#define SLUICE_API_CONNECT_API_H

#include "engine/herd/herder.h"

struct sl_connect_api;

/* *ret is NULL when listeners is empty: there is no REST API then. worker and plugins are borrowed. Errors:
 * CONFIG (listeners, ports, key stores, the users file), NOT_FOUND. */
enum sl_rc sl_connect_api_open(const struct sl_props *worker, const struct sl_plugins *plugins,
                               struct sl_connect_api **ret, struct sl_error *err);

/* "http://host:port" under which others reach this worker; for the cluster. */
const char *sl_connect_api_url(const struct sl_connect_api *api);

/* From now on requests are answered by this herder (borrowed). */
void sl_connect_api_ready(struct sl_connect_api *api, struct sl_herder *herder);

void sl_connect_api_leave(struct sl_connect_api *api);

/* False: a request is still at work at the deadline; the process has to exit without freeing anything. */
bool sl_connect_api_close(struct sl_connect_api *api, int64_t deadline_us);

#endif
