/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what the tasks say of themselves into the log's text space "status", about once a second, so that
 * `sluice status` of another process can read it: key "connector/task", value JSON (sl_status_json). What has
 * not changed is not written again.
 *
 * Threads: any; it has one of its own.
 */
#ifndef SLUICE_ENGINE_HERD_PUBLISHER_H
#define SLUICE_ENGINE_HERD_PUBLISHER_H

#include "engine/task.h"

#define SL_STATUS_SPACE "status"

/* The key of the process's circuit breakers that are not closed (engine/breaker.h): an array. With alone
 * only. */
#define SL_STATUS_BREAKERS "breakers"

struct sl_publisher;

/* alone: no other process writes there, so that what is found belongs to one that is gone and is removed. */
struct sl_publisher *sl_publisher_start(struct sl_transport *transport, bool alone);

/* Tell of a task from now on, in place of an earlier one with the same name and number. */
void sl_publisher_add(struct sl_publisher *publisher, struct sl_task *task);

/* Tell no more of it, and remove what was told. Nothing for a task that another took the place of. */
void sl_publisher_remove(struct sl_publisher *publisher, struct sl_task *task);

/* Write once more and end. Call it when the tasks have ended. */
void sl_publisher_stop(struct sl_publisher *publisher);

/* Look at the tasks now: something changed that a user wants to see at once. */
void sl_publisher_wake(struct sl_publisher *publisher);

void sl_publisher_free(struct sl_publisher *publisher); /* NULL is fine */

#endif
