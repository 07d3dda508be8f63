/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs, as Kafka Connect tells it: the state, the trace, the worker and its generation of each connector
 * and task, and the topics that a connector has used; keys and values of Connect's status topic, in the
 * transport's keyed space "statuses". The richer status that `sluice status` shows (lag, rates) is the
 * publisher's and stands elsewhere.
 *
 * Threads: any.
 */
#ifndef SLUICE_ENGINE_HERD_STATUS_STORE_H
#define SLUICE_ENGINE_HERD_STATUS_STORE_H

#include "base/json.h"
#include "sluice/transport.h"

#define SL_STATUSES_SPACE "statuses"

struct sl_status_store;

enum sl_part_state {
    SL_PART_UNASSIGNED,
    SL_PART_RUNNING,
    SL_PART_PAUSED,
    SL_PART_FAILED,
    SL_PART_RESTARTING,
    SL_PART_STOPPED, /* connectors only */
};

const char *sl_part_state_name(enum sl_part_state state);

/* One part's status; task -1 is the connector itself. */
struct sl_part_status {
    enum sl_part_state state;
    const char *trace; /* NULL: none */
    const char *worker_id;
    int64_t generation;
};

enum sl_rc sl_status_store_open(struct sl_transport *transport, struct sl_status_store **ret,
                                struct sl_error *err);
void sl_status_store_close(struct sl_status_store *store); /* NULL is fine */

enum sl_rc sl_status_store_put(struct sl_status_store *store, const char *connector, int task,
                               const struct sl_part_status *status, struct sl_error *err);

/*
 * The same, but only where it cannot cover what another worker has said since: nothing is known of the part,
 * or the same worker said it, or its generation is not newer. For UNASSIGNED and the end of a task.
 */
enum sl_rc sl_status_store_put_safe(struct sl_status_store *store, const char *connector, int task,
                                    const struct sl_part_status *status, struct sl_error *err);

/*
 * Has another worker the last word on the part? One that stood still while the part came to this one may
 * have said something of it since, not knowing yet that it is not its own any more.
 */
bool sl_status_store_is_covered(struct sl_status_store *store, const char *connector, int task,
                                const char *worker_id);

/* The part is no more (Connect's DESTROYED). Nothing when nothing is known of it. */
enum sl_rc sl_status_store_remove(struct sl_status_store *store, const char *connector, int task,
                                  struct sl_error *err);

/* A part's {"state","trace"?,"worker_id"} as the REST API shows it, of the caller's; NULL: nothing known. */
json_t *sl_status_store_read(struct sl_status_store *store, const char *connector, int task);

/* The numbers of the tasks of which something is known, ascending, in an array of the caller (sl_free). */
size_t sl_status_store_tasks(struct sl_status_store *store, const char *connector, int **ret);

/* The connector has used the topic. Nothing when that is known. */
enum sl_rc sl_status_store_put_topic(struct sl_status_store *store, const char *connector, int task,
                                     const char *topic, struct sl_error *err);
/* Its topics, sorted, as an array of texts of the caller's. */
json_t *sl_status_store_topics(struct sl_status_store *store, const char *connector);
enum sl_rc sl_status_store_remove_topics(struct sl_status_store *store, const char *connector,
                                         struct sl_error *err);

#endif
