/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in schema registry over HTTP: Confluent's REST interface, for the serializers, consoles and
 * scripts that speak it. Every path, parameter, status, code and wording is theirs (docs/registry.md has the
 * list).
 */
#ifndef SLUICE_API_REGISTRY_SERVE_H
#define SLUICE_API_REGISTRY_SERVE_H

#include "registry/book.h"
#include "sluice/option.h"

struct sl_registry_server;

/*
 * Serve as the worker's sluice.registry.listeners say. Without that key: at 127.0.0.1:8081 when the worker's
 * own converters use the built-in registry; a port that is taken is a warning then, else an error. *ret is
 * NULL when nothing is served. registries is what sl_registries_open gave; borrowed. Errors: CONFIG, IO.
 */
enum sl_rc sl_registry_server_start(const struct sl_props *worker, struct sl_registry *registries,
                                    struct sl_registry_server **ret, struct sl_error *err);

/* The port of the first listener. */
int sl_registry_server_port(const struct sl_registry_server *server);

/* Before the registries are closed. NULL is fine. False: a request is still worked on, so the registries may
 * not be closed; leave both alone (the process is about to exit). */
bool sl_registry_server_stop(struct sl_registry_server *server);

#endif
