/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slot each task should have: a pure function. Tasks are spread so that no worker runs two more than
 * another, with as few moves as that takes; tasks of one connector rather go to different workers.
 */
#ifndef SLUICE_ENGINE_GROUP_PLACEMENT_H
#define SLUICE_ENGINE_GROUP_PLACEMENT_H

#include <stddef.h>
#include <stdint.h>

#define SL_NO_SLOT (-1)

/* A task as it stands. */
struct sl_placed {
    const char *connector;
    int32_t slot; /* where it is placed; SL_NO_SLOT or out of range: nowhere */
    int32_t want; /* the answer; SL_NO_SLOT when no worker holds any slot and it has none */
};

/*
 * owners: for each slot the number of its worker, below n_workers, or -1 when nobody holds it now (tasks
 * there stay: somebody will). Workers without slots get nothing. Sets want of every task; slot is left alone.
 */
void sl_placement_plan(const int *owners, int32_t n_slots, size_t n_workers, struct sl_placed *tasks,
                       size_t n_tasks);

#endif
