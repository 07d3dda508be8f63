/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connectors that stand in a log's configs, for commands that work beside a running worker: moving a log,
 * choosing positions. Nothing runs; a sink may be opened to read or set what its target holds.
 */
#ifndef SLUICE_ENGINE_HERD_STORED_CONNECTORS_H
#define SLUICE_ENGINE_HERD_STORED_CONNECTORS_H

#include "engine/task_context.h"

struct sl_stored {
    const struct sl_plugins *plugins; /* these four are given, and borrowed */
    const struct sl_props *worker;
    struct sl_secrets *secrets;
    struct sl_transport *transport;

    struct sl_connector **connectors;
    size_t n, capacity;
};

/* Read those of this name, or all (NULL). Errors: CONFIG (one that is not valid here), the transport's. */
enum sl_rc sl_stored_read(struct sl_stored *stored, const char *name, struct sl_error *err);
void sl_stored_done(struct sl_stored *stored);

/* Does the sink read the topic: topics or topics.regex? */
bool sl_stored_reads(const struct sl_connector *sink, const char *topic);

/* A sink's target, opened as this transport's: positions count under the transport's identities. */
struct sl_sink_target {
    struct sl_transport *transport;
    const struct sl_connector *connector;
    struct sl_sink_env env;
    void *self;
};

/* In place: ret must not move. Errors: the sink's; UNSUPPORTED: it cannot tell or set positions. */
enum sl_rc sl_sink_target_open(struct sl_transport *transport, const struct sl_connector *connector,
                               struct sl_sink_target *ret, struct sl_error *err);
void sl_sink_target_close(struct sl_sink_target *target);

#endif
