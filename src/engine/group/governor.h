/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the leader does with the tasks: compares who holds which slot with where the tasks stand, and writes
 * placements until the load is even. A task that runs moves in two steps: its place is taken away; its worker
 * stops it and says so; then it gets a new place. So it never runs in two places while everybody is alive,
 * and whoever is not alive is shut out elsewhere (membership.h).
 */
#ifndef SLUICE_ENGINE_GROUP_GOVERNOR_H
#define SLUICE_ENGINE_GROUP_GOVERNOR_H

#include "engine/group/cluster_view.h"

#include <pthread.h>

struct sl_governor {
    struct sl_transport *transport;
    int32_t n_slots;    /* of the group */
    const char *worker; /* our own name */
    struct sl_view *view;
    pthread_mutex_t *lock; /* guards view */
};

/*
 * One round; nothing is written when nothing has to change, or while slots are moving. Waits for the brokers
 * when something is written. Errors: TRANSIENT kinds; FENCED: the records say that another holds slot 0.
 */
enum sl_rc sl_governor_run(const struct sl_governor *governor, struct sl_error *err);

#endif
