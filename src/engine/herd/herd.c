/* SPDX-License-Identifier: Apache-2.0 */
/* The look: go through the config store and make what runs the same. */
#include "engine/herd/herd.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/config/connector_config.h"
#include "engine/herd/former_sinks.h"

#include <stdio.h>

enum {
    EVERY_US = 1000 * 1000,
    ABANDON_BEFORE_US = 250 * 1000, /* of a stop's deadline: a sink that has not flushed by then gives up */
    LEAD_AGAIN_US = 500 * 1000,
};

bool sl_herd_leads(struct sl_herder *herder)
{
    return !herder->placement || herder->placement->leads(herder->placement->ctx);
}

int64_t sl_herd_generation(struct sl_herder *herder)
{
    return herder->placement ? herder->placement->generation(herder->placement->ctx) : 0;
}

struct sl_herded *sl_herd_find(struct sl_herder *herder, const char *name)
{
    for (size_t i = 0; i < herder->n; i++) {
        if (strcmp(herder->herd[i]->name, name) == 0)
            return herder->herd[i];
    }
    return NULL;
}

/* ---- one revision of a connector ---- */

/* New partitions; any thread. */
static void partitions_changed(void *ctx)
{
    struct sl_herded *herded = ctx;

    atomic_store(&herded->partitions_changed, true);
    sl_herder_wake(herded->herder);
}

static void wake_tasks(struct sl_herded *herded)
{
    if (!atomic_exchange(&herded->partitions_changed, false))
        return;
    for (size_t i = 0; i < herded->n_slots; i++) {
        if (herded->slots[i].task)
            sl_task_wake(herded->slots[i].task);
    }
}

static void close_revision(struct sl_herded *herded)
{
    sl_herd_unwatch_secrets(herded->herder, herded->name);
    sl_subscription_close(herded->subscription);
    herded->subscription = NULL;
    sl_connector_free(herded->connector);
    herded->connector = NULL;
    json_decref(herded->config);
    herded->config = NULL;
    herded->failure = (struct sl_error){0};
    herded->next_make_us = 0;
    sl_backoff_reset(&herded->making);
    herded->n_slots = 0;
}

void sl_herd_reopen(struct sl_herded *herded)
{
    if (sl_herd_end_tasks(herded->herder, herded))
        close_revision(herded);
}

static void making_failed(struct sl_herder *herder, struct sl_herded *herded)
{
    int64_t wait_us = sl_backoff_next_us(&herded->making);

    if (herder->strict && herded->from_file && !herder->first_error.rc)
        herder->first_error = herded->failure;
    herded->next_make_us = INT64_MAX;
    if (herded->failure.kind == SL_KIND_TRANSIENT || (int)herded->making.attempt <= herder->restart_attempts)
        herded->next_make_us = sl_now_us() + wait_us;
    sl_log_context(herded->name, NULL);
    sl_log_error(SL_LEVEL_ERROR, "the connector cannot be made", &herded->failure);
    sl_log_context(NULL, NULL);
}

/* The connector of this configuration, and for a sink what it reads. */
static bool make_revision(struct sl_herder *herder, struct sl_herded *herded, json_t *config)
{
    struct sl_error *err = &herded->failure;
    enum sl_rc rc;

    if (herded->config && sl_now_us() < herded->next_make_us && !herded->remake) {
        sl_herd_look_by(herder, herded->next_make_us);
        return false;
    }
    sl_error_clear(err);
    json_decref(herded->config);
    herded->config = json_deep_copy(config);
    rc = sl_herd_make_connector(herder, config, &herded->connector, err);
    if (rc == SL_OK && herded->connector->sink) {
        rc = sl_subscription_open(&herder->shared, herded->connector, partitions_changed, herded,
                                  &herded->subscription, err);
        if (rc)
            (void)sl_error_wrap(err, "connector '%s'", herded->name);
    }
    if (rc) {
        sl_connector_free(herded->connector);
        herded->connector = NULL;
        making_failed(herder, herded);
        sl_herd_look_by(herder, herded->next_make_us);
        return false;
    }
    sl_connector_warn_unknown(herded->connector, herder->shared.plugins, herder->shared.worker);
    herded->fresh = true;
    sl_herd_watch_secrets(herder, herded->connector);
    sl_backoff_reset(&herded->making);
    return true;
}

/* ---- task configs: the leader's ---- */

static enum sl_rc lead(struct sl_herder *herder, struct sl_error *err)
{
    return herder->placement ? herder->placement->lead(herder->placement->ctx, err) : SL_OK;
}

static void write_tasks(struct sl_herder *herder, struct sl_herded *herded, const struct sl_config_view *view,
                        bool stopped)
{
    json_t *tasks = stopped ? json_array() : sl_herd_task_configs(herded->connector, view->config);
    struct sl_error err;
    enum sl_rc rc = lead(herder, &err);

    if (rc == SL_OK)
        rc = sl_config_store_put_tasks(herder->configs, herded->name, tasks, &err);
    if (rc == SL_OK && herder->placement && herder->placement->fence && herded->connector->source) {
        herded->fence_due = true;
        herded->fenced_tasks = (int)json_array_size(view->tasks);
    }
    if (rc && rc != SL_E_FENCED)
        sl_log_error(SL_LEVEL_WARN, "task configs could not be written; it is tried again", &err);
    if (rc)
        sl_herd_look_by(herder, sl_now_us() + LEAD_AGAIN_US);
    json_decref(tasks);
}

/* False: the writers of the former tasks may still write. */
static bool fence(struct sl_herder *herder, struct sl_herded *herded, int tasks)
{
    const struct sl_placement *placement = herder->placement;
    struct sl_error err = {0};

    if (!herded->fence_due)
        return true;
    if (sl_herd_leads(herder) &&
        placement->fence(placement->ctx, herded->name, herded->fenced_tasks, tasks, &err)) {
        if (err.rc != SL_E_FENCED)
            sl_log_error(SL_LEVEL_WARN, "former tasks could not be fenced; it is tried again", &err);
        sl_herd_look_by(herder, sl_now_us() + LEAD_AGAIN_US);
        return false;
    }
    herded->fence_due = false;
    return true;
}

/* Somebody may have written since this was last told: the log is asked, once a look. */
bool sl_herd_confirm(struct sl_herder *herder, const struct sl_herded *herded)
{
    struct sl_config_view view;
    struct sl_error err;
    bool fits;

    if (!herder->refreshed && sl_config_store_refresh(herder->configs, &err)) {
        sl_log_error(SL_LEVEL_WARN, "the configs could not be read; no task begins meanwhile", &err);
        return false;
    }
    herder->refreshed = true;
    if (!sl_config_store_read(herder->configs, herded->name, &view))
        return false;
    fits = view.target != SL_TARGET_STOPPED && json_equal(view.config, herded->config) &&
           sl_herd_tasks_fit(&view, herded->connector->tasks);
    sl_config_view_done(&view);
    return fits;
}

/* How many tasks are to run by what is committed; false: not decided yet. */
static bool decided(struct sl_herder *herder, struct sl_herded *herded, struct sl_config_view *view,
                    size_t *ret_wanted)
{
    bool stopped = view->target == SL_TARGET_STOPPED;
    bool fits = stopped ? view->committed && view->consistent && json_array_size(view->tasks) == 0
                        : sl_herd_tasks_fit(view, herded->connector->tasks);

    if (!fits && sl_herd_leads(herder)) {
        write_tasks(herder, herded, view, stopped);
        sl_config_view_done(view);
        if (!sl_config_store_read(herder->configs, herded->name, view))
            return false;
        fits = stopped || sl_herd_tasks_fit(view, herded->connector->tasks);
    }
    *ret_wanted = stopped ? 0 : json_array_size(view->tasks);
    return stopped || (fits && fence(herder, herded, (int)*ret_wanted));
}

/* ---- statuses ---- */

static void tell_connector(struct sl_herder *herder, struct sl_herded *herded, enum sl_target_state target)
{
    enum sl_part_state state = target == SL_TARGET_STOPPED  ? SL_PART_STOPPED
                               : target == SL_TARGET_PAUSED ? SL_PART_PAUSED
                                                            : SL_PART_RUNNING;

    if (!sl_herd_leads(herder)) {
        herded->told.known = false;
        return;
    }
    if (!herded->connector)
        state = SL_PART_FAILED;
    sl_herd_tell(herder, herded->name, -1, &herded->told, state,
                 herded->connector ? NULL : herded->failure.text);
}

/* Statuses of tasks that there are no more, whoever wrote them. */
static void remove_statuses(struct sl_herder *herder, const char *name, size_t from)
{
    int *numbers;
    size_t n = sl_status_store_tasks(herder->statuses, name, &numbers);
    struct sl_error err;

    for (size_t i = 0; i < n; i++) {
        if (numbers[i] >= (int)from && sl_status_store_remove(herder->statuses, name, numbers[i], &err))
            sl_herd_look_by(herder, sl_now_us() + EVERY_US);
    }
    sl_free(numbers);
}

static void forget_statuses(struct sl_herder *herder, const char *name)
{
    struct sl_error err;

    remove_statuses(herder, name, 0);
    if (sl_status_store_remove(herder->statuses, name, -1, &err) ||
        sl_status_store_remove_topics(herder->statuses, name, &err))
        sl_log_error(SL_LEVEL_WARN, "the statuses of a connector that is gone could not be removed", &err);
}

/* ---- one connector ---- */

static void run_revision(struct sl_herder *herder, struct sl_herded *herded, struct sl_config_view *view)
{
    size_t wanted;

    wake_tasks(herded);
    if (decided(herder, herded, view, &wanted)) {
        sl_herd_tasks(herder, herded, wanted, view->target == SL_TARGET_PAUSED);
        if (sl_herd_leads(herder) && herded->n_slots <= wanted)
            remove_statuses(herder, herded->name, wanted);
    }
}

/* False: it is gone, and nothing is left of it. */
static bool follow(struct sl_herder *herder, struct sl_herded *herded)
{
    struct sl_config_view view = {0};
    bool exists = sl_config_store_read(herder->configs, herded->name, &view);
    bool stale = herded->config && (!exists || !json_equal(view.config, herded->config));
    bool stays = true;

    herded->fresh = false;
    if (stale && sl_herd_end_tasks(herder, herded)) {
        close_revision(herded);
        stale = false;
    }
    if (!stale && !exists) {
        if (sl_herd_leads(herder))
            forget_statuses(herder, herded->name);
        stays = false;
    } else if (!stale) {
        if (herded->connector || make_revision(herder, herded, view.config))
            run_revision(herder, herded, &view);
        herded->remake = false;
        tell_connector(herder, herded, view.target);
    }
    sl_config_view_done(&view);
    return stays;
}

/* ---- all connectors ---- */

static void free_herded(struct sl_herded *herded)
{
    for (size_t i = 0; i < herded->n_slots; i++)
        sl_task_unref(herded->slots[i].task);
    close_revision(herded);
    sl_free(herded->slots);
    sl_free(herded->name);
    sl_free(herded);
}

static void add_new(struct sl_herder *herder, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct sl_herded *herded;

        if (sl_herd_find(herder, name))
            continue;
        herded = sl_zalloc(1, sizeof(*herded));
        herded->herder = herder;
        herded->name = sl_strdup(name);
        herded->from_file = json_object_get(herder->files, name) != NULL;
        herded->making = (struct sl_backoff){.base_us = herder->restart_backoff_us,
                                             .max_us = herder->restart_backoff_max_us};
        SL_GROW(herder->herd, herder->n, herder->capacity);
        herder->herd[herder->n++] = herded;
        herder->membership_changed = true;
    }
}

/* Sinks reserve what they read before any source writes: they come first. */
static bool is_sink(struct sl_herder *herder, const struct sl_herded *herded)
{
    struct sl_config_view view;
    bool sink;

    if (herded->connector)
        return herded->connector->sink != NULL;
    if (!sl_config_store_read(herder->configs, herded->name, &view))
        return false;
    sink = strcmp(sl_herd_type(herder, view.config), "sink") == 0;
    sl_config_view_done(&view);
    return sink;
}

static void follow_all(struct sl_herder *herder, bool sinks)
{
    for (size_t i = 0; i < herder->n; i++) {
        struct sl_herded *herded = herder->herd[i];

        if (is_sink(herder, herded) != sinks || follow(herder, herded))
            continue;
        free_herded(herded);
        herder->herd[i--] = herder->herd[--herder->n];
        herder->membership_changed = true;
    }
}

/* The log lets go of what is kept for sinks that are not configured any more. */
static void release_former(struct sl_herder *herder)
{
    char **readers = sl_zalloc(herder->n, sizeof(*readers));
    struct sl_error err;
    size_t n = 0;

    for (size_t i = 0; i < herder->n; i++) {
        if (!herder->herd[i]->connector || herder->herd[i]->connector->sink)
            readers[n++] = sl_format("connect-%s", herder->herd[i]->name);
    }
    if (sl_former_sinks_release(herder->shared.transport, (const char *const *)readers, n, &err)) {
        sl_log_error(SL_LEVEL_WARN, "the log could not let go of former sinks; it is tried again", &err);
        herder->membership_changed = true;
    }
    for (size_t i = 0; i < n; i++)
        sl_free(readers[i]);
    sl_free(readers);
}

static void tell_placement(struct sl_herder *herder)
{
    struct sl_herd_entry *entries;
    json_t *names;
    size_t n;

    if (!herder->placement)
        return;
    names = sl_config_store_names(herder->configs);
    n = json_array_size(names);
    entries = sl_zalloc(n, sizeof(*entries));
    for (size_t i = 0; i < n; i++) {
        struct sl_config_view view;

        entries[i].connector = json_string_value(json_array_get(names, i));
        if (!sl_config_store_read(herder->configs, entries[i].connector, &view))
            continue;
        if (view.target != SL_TARGET_STOPPED)
            entries[i].tasks = (int)json_array_size(view.tasks);
        sl_config_view_done(&view);
    }
    herder->placement->tell(herder->placement->ctx, entries, n);
    sl_free(entries);
    json_decref(names);
}

/* For who decides whether the process still has anything to do. */
static void judge(struct sl_herder *herder)
{
    char reason[sizeof(herder->reason)] = "";
    struct sl_status_view view;
    bool all = true;
    bool any = false;

    for (size_t i = 0; i < herder->n && all; i++) {
        const struct sl_herded *herded = herder->herd[i];

        all = herded->from_file && herded->connector;
        for (size_t t = 0; t < herded->n_slots && all; t++) {
            if (!herded->slots[t].task)
                continue;
            sl_status_read(sl_task_status(herded->slots[t].task), &view);
            all = view.state == SL_TASK_FAILED;
            if (all && !any)
                (void)snprintf(reason, sizeof(reason), "connector '%.200s', task %d: %s", herded->name,
                               (int)t, view.trace);
            any = true;
        }
    }
    (void)pthread_mutex_lock(&herder->lock);
    herder->all_failed = all && any;
    memcpy(herder->reason, reason, sizeof(reason));
    (void)pthread_mutex_unlock(&herder->lock);
}

void sl_herd_look(struct sl_herder *herder)
{
    json_t *names = sl_config_store_names(herder->configs);

    herder->next_look_us = sl_now_us() + EVERY_US;
    herder->refreshed = false;
    add_new(herder, names);
    json_decref(names);
    tell_placement(herder);
    follow_all(herder, true);
    if (!herder->first_error.rc)
        follow_all(herder, false);
    for (size_t i = 0; i < herder->n; i++)
        sl_herd_tell_tasks(herder, herder->herd[i]);
    if (herder->membership_changed && sl_herd_leads(herder)) {
        herder->membership_changed = false;
        release_former(herder);
    }
    tell_placement(herder); /* the leader has written task configs since */
    judge(herder);
}

/* ---- the end ---- */

static bool all_ended(struct sl_herder *herder)
{
    for (size_t i = 0; i < herder->n; i++) {
        for (size_t t = 0; t < herder->herd[i]->n_slots; t++) {
            struct sl_task *task = herder->herd[i]->slots[t].task;

            if (task && !sl_task_ended(task))
                return false;
        }
    }
    return true;
}

/* Each task's end wakes us; the short timeout covers one that woke before we looked. */
static bool wait_for_all(struct sl_herder *herder, int64_t deadline_us)
{
    while (!all_ended(herder)) {
        int64_t now_us = sl_now_us();
        int64_t until_us = now_us + 20000 < deadline_us ? now_us + 20000 : deadline_us;

        if (now_us >= deadline_us)
            return false;
        (void)pthread_mutex_lock(&herder->lock);
        if (!herder->look)
            (void)sl_cond_wait(&herder->woken, &herder->lock, until_us);
        herder->look = false;
        (void)pthread_mutex_unlock(&herder->lock);
    }
    return true;
}

static void each_task(struct sl_herder *herder, void (*call)(struct sl_task *task), bool sinks)
{
    for (size_t i = 0; i < herder->n; i++) {
        const struct sl_herded *herded = herder->herd[i];

        for (size_t t = 0; t < herded->n_slots; t++) {
            if (herded->slots[t].task && (herded->connector && herded->connector->sink) == sinks)
                call(herded->slots[t].task);
        }
    }
}

static void say_who_hangs(struct sl_task *task)
{
    if (!sl_task_ended(task))
        sl_warn("a task did not stop in time", SL_T("connector", sl_task_connector(task)->name),
                SL_I("task", sl_task_number(task)));
}

/* What others see of a worker that has gone in good order. */
static void tell_the_end(struct sl_herder *herder, int64_t deadline_us)
{
    for (size_t i = 0; i < herder->n; i++) {
        struct sl_herded *herded = herder->herd[i];

        for (size_t t = 0; t < herded->n_slots && sl_now_us() < deadline_us; t++) {
            struct sl_slot *slot = &herded->slots[t];

            if (slot->task && !slot->lost)
                sl_herd_tell(herder, herded->name, (int)t, &slot->told, SL_PART_UNASSIGNED, NULL);
            if (slot->held && herder->placement)
                herder->placement->end(herder->placement->ctx, herded->name, (int)t);
            slot->held = false;
        }
    }
}

bool sl_herd_stop(struct sl_herder *herder, int64_t deadline_us)
{
    each_task(herder, sl_task_stop, false);
    each_task(herder, sl_task_stop, true);
    if (!wait_for_all(herder, deadline_us - ABANDON_BEFORE_US)) {
        each_task(herder, sl_task_abandon, true);
        if (!wait_for_all(herder, deadline_us)) {
            each_task(herder, say_who_hangs, false);
            each_task(herder, say_who_hangs, true);
            return false;
        }
    }
    if (!sl_herd_stop_settling(herder, deadline_us))
        return false;
    sl_log_writer_stop(herder->shared.writer);
    tell_the_end(herder, deadline_us - ABANDON_BEFORE_US);
    sl_publisher_stop(herder->publisher);
    return true;
}

void sl_herd_free(struct sl_herder *herder)
{
    for (size_t i = 0; i < herder->n; i++)
        free_herded(herder->herd[i]);
    sl_free(herder->herd);
}
