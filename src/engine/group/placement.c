/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/placement.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct plan {
    const int *owners;
    int32_t n_slots;
    size_t n_workers;
    struct sl_placed *tasks;
    size_t n_tasks;
    size_t *load;    /* tasks of each worker */
    size_t *on_slot; /* tasks of each slot */
    bool *able;      /* the worker holds a slot */
};

static int worker_of(const struct plan *plan, int32_t slot)
{
    return slot >= 0 && slot < plan->n_slots ? plan->owners[slot] : -1;
}

/* How many tasks of this connector a worker has. */
static size_t siblings(const struct plan *plan, const char *connector, size_t worker)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_tasks; i++) {
        if (worker_of(plan, plan->tasks[i].want) == (int)worker &&
            strcmp(plan->tasks[i].connector, connector) == 0)
            n++;
    }
    return n;
}

/* The worker with the fewest tasks, of several the one with the fewest of the connector; n_workers: none. */
static size_t lightest(const struct plan *plan, const char *connector)
{
    size_t best = plan->n_workers;
    size_t best_siblings = 0;

    for (size_t w = 0; w < plan->n_workers; w++) {
        if (!plan->able[w] || (best < plan->n_workers && plan->load[w] > plan->load[best]))
            continue;
        if (best == plan->n_workers || plan->load[w] < plan->load[best]) {
            best = w;
            best_siblings = connector ? siblings(plan, connector, w) : 0;
        } else if (connector) {
            size_t n = siblings(plan, connector, w);

            if (n < best_siblings) {
                best = w;
                best_siblings = n;
            }
        }
    }
    return best;
}

static size_t heaviest(const struct plan *plan)
{
    size_t best = plan->n_workers;

    for (size_t w = 0; w < plan->n_workers; w++) {
        if (plan->able[w] && (best == plan->n_workers || plan->load[w] > plan->load[best]))
            best = w;
    }
    return best;
}

/* The worker's slot with the fewest tasks. */
static int32_t emptiest_slot(const struct plan *plan, size_t worker)
{
    int32_t best = SL_NO_SLOT;

    for (int32_t s = 0; s < plan->n_slots; s++) {
        if (plan->owners[s] == (int)worker && (best == SL_NO_SLOT || plan->on_slot[s] < plan->on_slot[best]))
            best = s;
    }
    return best;
}

static void put(struct plan *plan, struct sl_placed *task, size_t worker)
{
    task->want = emptiest_slot(plan, worker);
    plan->on_slot[task->want]++;
    plan->load[worker]++;
}

/* Of a worker's tasks the one whose connector gains most by going to the other. */
static struct sl_placed *best_to_move(const struct plan *plan, size_t from, size_t to)
{
    struct sl_placed *best = NULL;
    int64_t best_gain = 0;

    for (size_t i = 0; i < plan->n_tasks; i++) {
        struct sl_placed *task = &plan->tasks[i];
        int64_t gain;

        if (worker_of(plan, task->want) != (int)from)
            continue;
        gain = (int64_t)siblings(plan, task->connector, from) - (int64_t)siblings(plan, task->connector, to);
        if (!best || gain > best_gain) {
            best = task;
            best_gain = gain;
        }
    }
    return best;
}

/* Where everything stands, before anything moves. */
static void count(struct plan *plan)
{
    for (int32_t s = 0; s < plan->n_slots; s++) {
        if (plan->owners[s] >= 0)
            plan->able[plan->owners[s]] = true;
    }
    for (size_t i = 0; i < plan->n_tasks; i++) {
        struct sl_placed *task = &plan->tasks[i];
        int worker = worker_of(plan, task->slot);

        task->want = task->slot >= 0 && task->slot < plan->n_slots ? task->slot : SL_NO_SLOT;
        if (task->want != SL_NO_SLOT)
            plan->on_slot[task->want]++;
        if (worker >= 0)
            plan->load[worker]++;
    }
}

static void place_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->n_tasks; i++) {
        struct sl_placed *task = &plan->tasks[i];
        size_t worker;

        if (task->want != SL_NO_SLOT)
            continue;
        worker = lightest(plan, task->connector);
        if (worker == plan->n_workers)
            return;
        put(plan, task, worker);
    }
}

static void level(struct plan *plan)
{
    for (;;) {
        size_t from = heaviest(plan);
        size_t to = lightest(plan, NULL);
        struct sl_placed *task;

        if (from == plan->n_workers || plan->load[from] < plan->load[to] + 2)
            return;
        task = best_to_move(plan, from, to);
        plan->on_slot[task->want]--;
        plan->load[from]--;
        put(plan, task, to);
    }
}

void sl_placement_plan(const int *owners, int32_t n_slots, size_t n_workers, struct sl_placed *tasks,
                       size_t n_tasks)
{
    struct plan plan = {
        .owners = owners,
        .n_slots = n_slots,
        .n_workers = n_workers,
        .tasks = tasks,
        .n_tasks = n_tasks,
        .load = sl_zalloc(n_workers, sizeof(size_t)),
        .on_slot = sl_zalloc((size_t)n_slots, sizeof(size_t)),
        .able = sl_zalloc(n_workers, sizeof(bool)),
    };

    count(&plan);
    place_free(&plan);
    level(&plan);
    sl_free(plan.load);
    sl_free(plan.on_slot);
    sl_free(plan.able);
}
