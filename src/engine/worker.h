/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running process: the log, the registry, the log writer, the tasks of all connectors and the publisher
 * of their statuses. Made, started, watched and stopped by the thread that calls these functions; the rest is
 * the tasks' own threads (docs/threads.md).
 */
#ifndef SLUICE_ENGINE_WORKER_H
#define SLUICE_ENGINE_WORKER_H

#include "engine/task_context.h"

struct sl_worker;

/*
 * Open the state directory and everything that tasks share. props, plugins and secrets are borrowed. Errors:
 * the transport's (another process writes there, damage), the registry's.
 */
enum sl_rc sl_worker_open(const struct sl_plugins *plugins, const struct sl_props *props,
                          struct sl_secrets *secrets, struct sl_worker **ret, struct sl_error *err);

/* The identity of the log. */
const char *sl_worker_identity(const struct sl_worker *worker);

/*
 * Start the tasks of these connectors (borrowed): sinks reserve their topics before any source reads. Errors:
 * what the first part that refuses says; then nothing runs.
 */
enum sl_rc sl_worker_start(struct sl_worker *worker, struct sl_connector *const *connectors, size_t n,
                           struct sl_error *err);

/* Readable when a task has failed or ended: for poll(2) beside signals. Never blocks when read. */
int sl_worker_event_fd(const struct sl_worker *worker);

/* Every task has failed: nothing moves any more. The first one's reason goes to reason. */
bool sl_worker_all_failed(struct sl_worker *worker, char *reason, size_t size);

/*
 * Stop: sources first, then what is under way is made durable, within the deadline. False when something did
 * not end in time: the process has to exit without freeing the worker (nothing is lost by that: every stop is
 * a crash that was announced).
 */
bool sl_worker_stop(struct sl_worker *worker, int64_t deadline_us);

/* Only after a stop that returned true. */
void sl_worker_free(struct sl_worker *worker);

#endif
