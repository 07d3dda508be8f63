/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What should run: connectors, their task configs and target states, as Kafka Connect keeps them in its
 * config topic (keys connector-<c>, task-<c>-<n>, commit-<c>, target-state-<c>, restart-connector-<c>,
 * logger-cluster-<l>), in the transport's keyed space "configs". A Connect worker can read what this writes,
 * and the other way round.
 *
 * The rules of a reader: task configs take effect together, when their commit is seen; a commit whose count
 * does not fit the task configs at hand leaves the connector inconsistent until the leader writes them anew;
 * of a target state, state.v2 is preferred to state; a connector that is deleted loses its target state and
 * its task configs, whatever of the latter still stands in the log.
 *
 * Threads: reads from any; writes from one at a time (the herder's).
 */
#ifndef SLUICE_ENGINE_HERD_CONFIG_STORE_H
#define SLUICE_ENGINE_HERD_CONFIG_STORE_H

#include "base/json.h"
#include "engine/herd/herder.h"
#include "sluice/transport.h"

#define SL_CONFIG_SPACE "configs"

struct sl_config_store;

/* Told of what others (and we) have written, on any thread, without a lock. None may wait. */
struct sl_config_events {
    void *ctx;
    void (*changed)(void *ctx); /* a connector, its tasks or its target state */
    void (*restart)(void *ctx, const char *connector, bool include_tasks, bool only_failed);
    void (*logger)(void *ctx, const char *logger, const char *level);
};

/* A connector as it should be: a copy for the caller, to be given back with sl_config_view_done. */
struct sl_config_view {
    json_t *config; /* the object of texts, as it was written */
    json_t *tasks;  /* an array of the committed task configs, in the order of their numbers */
    bool consistent;
    bool committed; /* a commit was seen: tasks may be empty and still be what was decided */
    enum sl_target_state target;
};

/* Read everything there is. events are borrowed. Errors: the transport's. */
enum sl_rc sl_config_store_open(struct sl_transport *transport, const struct sl_config_events *events,
                                struct sl_config_store **ret, struct sl_error *err);
void sl_config_store_close(struct sl_config_store *store); /* NULL is fine */

/* Read again what stands in the log now: before tasks are started after a change of ownership. */
enum sl_rc sl_config_store_refresh(struct sl_config_store *store, struct sl_error *err);

/* The names of the connectors, sorted, as an array of texts of the caller's. */
json_t *sl_config_store_names(struct sl_config_store *store);

/* False when there is no such connector. */
bool sl_config_store_read(struct sl_config_store *store, const char *connector, struct sl_config_view *ret);
void sl_config_view_done(struct sl_config_view *view);

bool sl_config_store_has(struct sl_config_store *store, const char *connector);

/* ---- writes: durable, and seen by the reads, when they return. Errors: the transport's ---- */

enum sl_rc sl_config_store_put(struct sl_config_store *store, const char *connector, const json_t *config,
                               struct sl_error *err);
enum sl_rc sl_config_store_remove(struct sl_config_store *store, const char *connector, struct sl_error *err);

/* tasks: an array of objects. They replace the connector's task configs at once. */
enum sl_rc sl_config_store_put_tasks(struct sl_config_store *store, const char *connector,
                                     const json_t *tasks, struct sl_error *err);
enum sl_rc sl_config_store_put_target(struct sl_config_store *store, const char *connector,
                                      enum sl_target_state target, struct sl_error *err);
enum sl_rc sl_config_store_put_restart(struct sl_config_store *store, const char *connector,
                                       bool include_tasks, bool only_failed, struct sl_error *err);
enum sl_rc sl_config_store_put_logger(struct sl_config_store *store, const char *logger, const char *level,
                                      struct sl_error *err);

#endif
