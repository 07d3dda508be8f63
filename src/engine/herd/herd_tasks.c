/* SPDX-License-Identifier: Apache-2.0 */
/* One connector's tasks: started, paused, stopped, started again after a failure. */
#include "engine/herd/herd.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/config/connector_config.h"
#include "engine/exclusive.h"

enum {
    TELL_AGAIN_US = 1000 * 1000,
    CONFIRM_AGAIN_US = 200 * 1000,
};

/* ---- statuses ---- */

/* Not at every look: for a moment two may take a part for their own. */
static bool is_covered(struct sl_herder *herder, const char *connector, int task, const struct sl_told *told)
{
    if (!sl_status_store_is_covered(herder->statuses, connector, task, herder->worker_id))
        return false;
    if (sl_now_us() - told->at_us >= TELL_AGAIN_US)
        return true;
    sl_herd_look_by(herder, told->at_us + TELL_AGAIN_US);
    return false;
}

void sl_herd_tell(struct sl_herder *herder, const char *connector, int task, struct sl_told *told,
                  enum sl_part_state state, const char *trace)
{
    const struct sl_part_status status = {.state = state,
                                          .trace = trace && *trace ? trace : NULL,
                                          .worker_id = herder->worker_id,
                                          .generation = sl_herd_generation(herder)};
    uint64_t hash = status.trace ? sl_hash_bytes(trace, strlen(trace), 0) : 0;
    struct sl_error err;
    enum sl_rc rc;

    if (told->known && told->state == state && told->trace_hash == hash &&
        !is_covered(herder, connector, task, told))
        return;
    if (state == SL_PART_UNASSIGNED)
        rc = sl_status_store_put_safe(herder->statuses, connector, task, &status, &err);
    else
        rc = sl_status_store_put(herder->statuses, connector, task, &status, &err);
    if (rc) {
        if (told->known) /* once, not at every try */
            sl_log_error(SL_LEVEL_WARN, "a status could not be written; it is told again", &err);
        told->known = false;
        sl_herd_look_by(herder, sl_now_us() + TELL_AGAIN_US);
        return;
    }
    *told = (struct sl_told){.known = true, .state = state, .trace_hash = hash, .at_us = sl_now_us()};
}

static enum sl_part_state state_of(enum sl_task_state state)
{
    static const enum sl_part_state states[] = {
        [SL_TASK_UNASSIGNED] = SL_PART_UNASSIGNED,
        [SL_TASK_RUNNING] = SL_PART_RUNNING,
        [SL_TASK_PAUSED] = SL_PART_PAUSED,
        [SL_TASK_FAILED] = SL_PART_FAILED,
    };

    return states[state];
}

static void tell_slot(struct sl_herder *herder, struct sl_herded *herded, size_t number, bool paused)
{
    struct sl_slot *slot = &herded->slots[number];
    struct sl_status_view view;
    enum sl_part_state state;

    if (!slot->task || slot->lost || slot->doubtful)
        return;
    sl_status_read(sl_task_status(slot->task), &view);
    state = slot->restart ? SL_PART_RESTARTING : state_of(view.state);
    if ((state == SL_PART_UNASSIGNED && !slot->stopping) || (state == SL_PART_PAUSED && !paused))
        state = SL_PART_RUNNING; /* its thread has not come that far */
    sl_herd_tell(herder, herded->name, (int)number, &slot->told, state,
                 state == SL_PART_FAILED ? view.trace : NULL);
}

/* ---- ending ---- */

static void stop_slot(struct sl_herder *herder, struct sl_slot *slot)
{
    if (slot->stopping)
        return;
    slot->stopping = true;
    slot->abandon_us = sl_now_us() + herder->graceful_us;
    sl_task_stop(slot->task);
}

static void abandon_slot(struct sl_slot *slot)
{
    if (slot->abandoned)
        return;
    slot->stopping = true;
    slot->abandoned = true;
    sl_task_abandon(slot->task);
}

static void end_tenure(struct sl_herder *herder, const struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];

    if (slot->held && herder->placement)
        herder->placement->end(herder->placement->ctx, herded->name, (int)number);
    slot->held = false;
}

/* It is gone: forget it. What it leaves is a slot that may be started. */
static void clear_slot(struct sl_herder *herder, struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];
    bool told_by_us = !slot->lost && !slot->restart;

    sl_publisher_remove(herder->publisher, slot->task);
    sl_task_unref(slot->task);
    slot->task = NULL;
    if (told_by_us)
        sl_herd_tell(herder, herded->name, (int)number, &slot->told, SL_PART_UNASSIGNED, NULL);
    else if (slot->lost) /* others have told of it since */
        slot->told.known = false;
    if (!slot->restart)
        end_tenure(herder, herded, number);
    slot->stopping = slot->abandoned = slot->lost = slot->restart = slot->waits = false;
    slot->next_start_us = 0;
}

/* True when the slot is empty. */
static bool finish_slot(struct sl_herder *herder, struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];

    if (!slot->task)
        return true;
    if (slot->stopping && sl_task_gone(slot->task)) {
        clear_slot(herder, herded, number);
        return true;
    }
    if (slot->stopping && sl_now_us() >= slot->abandon_us)
        abandon_slot(slot);
    else if (slot->stopping)
        sl_herd_look_by(herder, slot->abandon_us);
    return false;
}

static bool end_slot(struct sl_herder *herder, struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];

    if (slot->task) {
        stop_slot(herder, slot);
        slot->restart = false;
    } else {
        end_tenure(herder, herded, number);
    }
    return finish_slot(herder, herded, number);
}

bool sl_herd_end_tasks(struct sl_herder *herder, struct sl_herded *herded)
{
    bool ended = true;

    for (size_t i = 0; i < herded->n_slots; i++)
        ended &= end_slot(herder, herded, i);
    return ended;
}

/* ---- failing and starting again ---- */

/* What another try cannot mend: it would only say the same again, or undo what a user or a worker did. */
static bool is_hopeless(const struct sl_herder *herder, enum sl_rc rc)
{
    return rc == SL_E_GAP || rc == SL_E_FOREIGN_POSITION || rc == SL_E_LOG_DAMAGED ||
           (rc == SL_E_FENCED && !herder->placement);
}

static void plan_restart(struct sl_herder *herder, struct sl_herded *herded, size_t number,
                         const struct sl_status_view *view)
{
    struct sl_slot *slot = &herded->slots[number];
    int64_t now_us = sl_now_us();
    int64_t wait_us;

    if (now_us - slot->started_us > herder->restart_backoff_max_us)
        sl_backoff_reset(&slot->backoff);
    slot->waits = true;
    slot->next_start_us = INT64_MAX;
    if (is_hopeless(herder, view->failure) || (int)slot->backoff.attempt >= herder->restart_attempts) {
        sl_warn("the task stays FAILED until it is restarted", SL_T("connector", herded->name),
                SL_I("task", number), SL_I("restarts", slot->backoff.attempt));
        return;
    }
    wait_us = sl_backoff_next_us(&slot->backoff);
    slot->next_start_us = now_us + wait_us;
    sl_info("the task is started again by itself", SL_T("connector", herded->name), SL_I("task", number),
            SL_I("after_ms", wait_us / 1000), SL_I("restart", slot->backoff.attempt),
            SL_I("of", herder->restart_attempts));
}

/*
 * A task that has ended by itself. Where nobody can say whose it is it is not started again, and one that was
 * fenced then has met its successor.
 */
static void tend_ended(struct sl_herder *herder, struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];
    struct sl_status_view view;

    sl_status_read(sl_task_status(slot->task), &view);
    if (slot->doubtful) {
        slot->lost = view.failure == SL_E_FENCED;
        if (slot->lost)
            abandon_slot(slot);
        return;
    }
    if (!slot->waits)
        plan_restart(herder, herded, number, &view);
    if (sl_now_us() >= slot->next_start_us) {
        slot->restart = true;
        stop_slot(herder, slot);
    } else {
        sl_herd_look_by(herder, slot->next_start_us);
    }
}

/* ---- starting ---- */

/* A secret may have changed since: every start makes the connector anew, but those of one look share it. */
static enum sl_rc freshen(struct sl_herder *herder, struct sl_herded *herded, struct sl_error *err)
{
    struct sl_connector *connector = NULL;
    enum sl_rc rc;

    if (herded->fresh)
        return SL_OK;
    rc = sl_herd_make_connector(herder, herded->config, &connector, err);
    if (rc)
        return rc;
    sl_connector_free(herded->connector);
    herded->connector = connector;
    herded->fresh = true;
    sl_herd_watch_secrets(herder, connector);
    return SL_OK;
}

static bool may_begin(struct sl_herder *herder, struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];
    const struct sl_placement *placement = herder->placement;

    if (slot->held)
        return true;
    slot->held = !placement || placement->begin(placement->ctx, herded->name, (int)number);
    if (slot->held && placement && !sl_herd_confirm(herder, herded)) {
        end_tenure(herder, herded, number);
        sl_herd_look_by(herder, sl_now_us() + CONFIRM_AGAIN_US);
    }
    return slot->held;
}

static void start_slot(struct sl_herder *herder, struct sl_herded *herded, size_t number, bool paused)
{
    struct sl_slot *slot = &herded->slots[number];
    struct sl_error err = {0};

    if (!may_begin(herder, herded, number))
        return;
    if (freshen(herder, herded, &err) == SL_OK)
        slot->task = sl_task_start(&herder->shared, herded->connector, (int)number, herded->subscription,
                                   paused, &err);
    else
        slot->task = sl_task_failed(herded->connector, (int)number, &err);
    slot->started_us = sl_now_us();
    if (!slot->backoff.base_us)
        slot->backoff = (struct sl_backoff){.base_us = herder->restart_backoff_us,
                                            .max_us = herder->restart_backoff_max_us};
    sl_publisher_add(herder->publisher, slot->task);
    if (!err.rc)
        return;
    if (herder->strict && herded->from_file) {
        if (!herder->first_error.rc)
            herder->first_error = err;
        return;
    }
    sl_log_context(herded->name, NULL);
    sl_log_error(SL_LEVEL_ERROR, "the task could not be started", &err);
    sl_log_context(NULL, NULL);
}

/* ---- the look ---- */

static void obey_tenure(struct sl_herder *herder, struct sl_herded *herded, size_t number)
{
    struct sl_slot *slot = &herded->slots[number];
    enum sl_tenure tenure = SL_TENURE_KEEP;

    if (herder->placement && slot->held)
        tenure = herder->placement->look(herder->placement->ctx, herded->name, (int)number);
    slot->doubtful = tenure == SL_TENURE_HOLD;
    if (!slot->task || tenure == SL_TENURE_KEEP || tenure == SL_TENURE_HOLD)
        return;
    slot->restart = false;
    if (tenure == SL_TENURE_LEAVE) {
        stop_slot(herder, slot);
        return;
    }
    slot->lost = true;
    abandon_slot(slot);
}

/* May a second one do harm? A sink's target takes one writer's rows alone, and so does the log from a source
 * that has an id for itself. */
static bool is_unguarded(const struct sl_herder *herder, const struct sl_slot *slot)
{
    return sl_task_connector(slot->task)->source && !sl_exclusive_enabled(herder->shared.worker);
}

static void run_slot(struct sl_herder *herder, struct sl_herded *herded, size_t number, bool paused)
{
    struct sl_slot *slot = &herded->slots[number];

    obey_tenure(herder, herded, number);
    if (slot->task && slot->restart && !slot->doubtful)
        stop_slot(herder, slot);
    if (slot->task && !slot->stopping && sl_task_gone(slot->task))
        tend_ended(herder, herded, number);
    else if (slot->task && !slot->stopping)
        sl_task_pause(slot->task, paused || (slot->doubtful && is_unguarded(herder, slot)));
    tell_slot(herder, herded, number, paused);
    if (finish_slot(herder, herded, number) && !slot->doubtful)
        start_slot(herder, herded, number, paused);
}

static void grow(struct sl_herded *herded, size_t wanted)
{
    while (herded->n_slots < wanted) {
        SL_GROW(herded->slots, herded->n_slots, herded->slots_capacity);
        herded->slots[herded->n_slots++] = (struct sl_slot){0};
    }
}

void sl_herd_tasks(struct sl_herder *herder, struct sl_herded *herded, size_t wanted, bool paused)
{
    herded->paused = paused;
    grow(herded, wanted);
    for (size_t i = 0; i < wanted; i++)
        run_slot(herder, herded, i, paused);
    for (size_t i = wanted; i < herded->n_slots; i++) {
        tell_slot(herder, herded, i, true);
        (void)end_slot(herder, herded, i);
    }
    while (herded->n_slots > wanted && !herded->slots[herded->n_slots - 1].task)
        herded->n_slots--;
}

void sl_herd_tell_tasks(struct sl_herder *herder, struct sl_herded *herded)
{
    for (size_t i = 0; i < herded->n_slots; i++)
        tell_slot(herder, herded, i, herded->paused);
}
