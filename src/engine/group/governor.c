/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/governor.h"

#include "base/clock.h"
#include "base/log.h"

enum {
    FORGET_US = 5 * 1000 * 1000, /* a task that the herder does not name any more keeps its place so long */
    SETTLE_US = 3 * 1000 * 1000, /* after slots moved: what starts elsewhere is not to wait for evenness */
};

/* The group as its records tell. */
struct members {
    int owners[SL_SLOTS_MAX]; /* per slot: an index into names, or -1 */
    const char **names;       /* the view's */
    size_t n, capacity;
};

/* A placement to be written. */
struct change {
    char *key;
    int32_t slot; /* SL_NO_SLOT: take the place away */
};

struct changes {
    struct change *items;
    size_t n, capacity;
};

static int number_of(struct members *members, const char *worker)
{
    for (size_t i = 0; i < members->n; i++) {
        if (strcmp(members->names[i], worker) == 0)
            return (int)i;
    }
    SL_GROW(members->names, members->n, members->capacity);
    members->names[members->n++] = worker;
    return (int)members->n - 1;
}

/* Under the lock. False: somebody holds a slot and has not said so yet; look again when he does. */
static bool find_members(const struct sl_governor *governor, struct members *members)
{
    for (int32_t s = 0; s < SL_SLOTS_MAX; s++)
        members->owners[s] = -1;
    for (int32_t s = 0; s < governor->n_slots; s++) {
        const char *owner = sl_view_owner(governor->view, governor->worker, s);

        if (!owner)
            return false;
        members->owners[s] = number_of(members, owner);
    }
    return true;
}

static bool is_member(const struct members *members, const char *name)
{
    for (size_t i = 0; i < members->n; i++) {
        if (strcmp(members->names[i], name) == 0)
            return true;
    }
    return false;
}

static bool runs_somewhere(const struct sl_governor *governor, const struct members *members,
                           const struct sl_view_task *task)
{
    if (task->begun) /* our own record may be younger than what we heard of it */
        return true;
    for (size_t i = 0; i < governor->view->n_workers; i++) {
        const struct sl_view_worker *worker = &governor->view->workers[i];

        if (is_member(members, worker->name) && sl_view_says_it_runs(worker, task->connector, task->task))
            return true;
    }
    return false;
}

static void add(struct changes *changes, const struct sl_view_task *task, int32_t slot)
{
    struct sl_buf key = {0};

    sl_view_key(task->connector, task->task, &key);
    SL_GROW(changes->items, changes->n, changes->capacity);
    changes->items[changes->n++] = (struct change){.key = sl_strdup(sl_buf_cstr(&key)), .slot = slot};
    sl_buf_done(&key);
}

/* The plan's answer for one task: place what is free, take away what is to move (when the group has come to
 * rest), wait for what is stopping. */
static void act(const struct sl_governor *governor, const struct members *members,
                const struct sl_view_task *task, int32_t want, struct changes *changes)
{
    bool runs = runs_somewhere(governor, members, task);

    if (want == task->slot || want == SL_NO_SLOT)
        return;
    if (task->slot == SL_NO_SLOT && !runs)
        add(changes, task, want);
    else if (task->slot != SL_NO_SLOT && runs && sl_now_us() - governor->view->moved_us > SETTLE_US)
        add(changes, task, SL_NO_SLOT);
}

/* Under the lock: what has to be written. */
static void plan(const struct sl_governor *governor, const struct members *members, struct changes *changes)
{
    const struct sl_view *view = governor->view;
    struct sl_placed *placed = sl_zalloc(view->n_tasks, sizeof(*placed));
    size_t *index = sl_zalloc(view->n_tasks, sizeof(*index));
    int64_t now_us = sl_now_us();
    size_t n = 0;

    for (size_t i = 0; i < view->n_tasks; i++) {
        const struct sl_view_task *task = &view->tasks[i];

        if (task->told) {
            placed[n] = (struct sl_placed){.connector = task->connector, .slot = task->slot};
            index[n++] = i;
        } else if (task->slot != SL_NO_SLOT && now_us - task->untold_us > FORGET_US) {
            add(changes, task, SL_NO_SLOT);
        }
    }
    sl_placement_plan(members->owners, SL_SLOTS_MAX, members->n, placed, n);
    for (size_t i = 0; i < n; i++)
        act(governor, members, &view->tasks[index[i]], placed[i].want, changes);
    sl_free(placed);
    sl_free(index);
}

/* Written, and known at once: the next round must not decide on what this one has changed. */
static enum sl_rc write_one(const struct sl_governor *governor, const struct change *change,
                            struct sl_error *err)
{
    struct sl_buf text = {0};
    struct sl_span value = {0};
    enum sl_rc rc;

    if (change->slot != SL_NO_SLOT) {
        sl_view_write_placement(change->slot, &text);
        value = (struct sl_span){text.data, text.len};
    }
    rc = governor->transport->ops->put(governor->transport, SL_CLUSTER_PLACEMENTS, change->key, value, err);
    if (rc == SL_OK) {
        (void)pthread_mutex_lock(governor->lock);
        sl_view_placement(governor->view, change->key, value);
        (void)pthread_mutex_unlock(governor->lock);
    }
    sl_buf_done(&text);
    return rc;
}

static enum sl_rc write_changes(const struct sl_governor *governor, const struct changes *changes,
                                struct sl_error *err)
{
    if (changes->n)
        sl_info("placing tasks", SL_I("changes", changes->n));
    for (size_t i = 0; i < changes->n; i++) {
        enum sl_rc rc = write_one(governor, &changes->items[i], err);

        if (rc)
            return rc;
    }
    return SL_OK;
}

static void forget_changes(struct changes *changes)
{
    for (size_t i = 0; i < changes->n; i++)
        sl_free(changes->items[i].key);
    sl_free(changes->items);
}

enum sl_rc sl_governor_run(const struct sl_governor *governor, struct sl_error *err)
{
    struct members members = {0};
    struct changes changes = {0};
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(governor->lock);
    if (find_members(governor, &members)) {
        if (strcmp(members.names[members.owners[0]], governor->worker) == 0)
            plan(governor, &members, &changes);
        else
            rc = sl_error_set(err, SL_E_FENCED, "the records say that another worker leads");
    }
    (void)pthread_mutex_unlock(governor->lock);
    if (rc == SL_OK)
        rc = write_changes(governor, &changes, err);
    forget_changes(&changes);
    sl_free(members.names);
    return rc;
}
