/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/cluster.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/group/cluster_view.h"
#include "engine/exclusive.h"
#include "engine/group/governor.h"

#include <stdio.h>

enum {
    TICK_US = 1000 * 1000,     /* how often a leader looks after everybody without being told */
    RETRY_US = 500 * 1000,     /* after the log refused */
    PATIENCE_US = 1000 * 1000, /* with a log that is away, when leaving */
};

#define CLAIM_CONFIGS "configs"

struct sl_cluster {
    struct sl_transport *transport;
    struct sl_membership *membership; /* NULL: alone in its log */
    struct sl_cluster_events events;
    char worker[256];
    char *url;
    char *group;
    bool exactly_once;
    struct sl_thread thread;

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t wake;
    struct sl_view view;
    bool stop;
    bool over;       /* the thread has ended */
    bool fresh;      /* slots came: read what was written before */
    bool record_old; /* our own record says something else than the view */
    bool look;       /* something changed that a leader acts on */
    bool leads;      /* slot 0 is held and ready */
    bool claimed;    /* the sole right to write configs */
    bool outdone;    /* another took it, who has no right to it: claim again */
    bool told;       /* the herder has said which tasks there are */

    pthread_mutex_t claiming; /* held while the claim is made or given up; before lock */
};

static void tell_changed(struct sl_cluster *cluster)
{
    cluster->events.changed(cluster->events.ctx);
}

static void give_back(struct sl_cluster *cluster)
{
    int32_t slot;

    do {
        (void)pthread_mutex_lock(&cluster->lock);
        slot = sl_view_returnable(&cluster->view);
        (void)pthread_mutex_unlock(&cluster->lock);
        if (slot != SL_NO_SLOT && cluster->membership)
            cluster->transport->ops->membership->give_back(cluster->membership, slot);
    } while (slot != SL_NO_SLOT);
}

/* ---- what is heard ---- */

static void on_slots(void *ctx, enum sl_slot_event event, const int32_t *slots, size_t n)
{
    struct sl_cluster *cluster = ctx;

    (void)pthread_mutex_lock(&cluster->lock);
    if (event == SL_SLOTS_GAINED) {
        sl_view_gain(&cluster->view, slots, n);
        cluster->fresh = true;
    } else if (event == SL_SLOTS_ASKED) {
        sl_view_ask(&cluster->view, slots, n);
    } else if (event == SL_SLOTS_DOUBTED) {
        sl_view_doubt(&cluster->view, slots, n);
    } else {
        sl_view_lose(&cluster->view, slots, n);
        cluster->record_old = true;
    }
    if (cluster->view.slots[0] != SL_SLOT_HELD)
        cluster->leads = false;
    cluster->look = true;
    (void)pthread_cond_signal(&cluster->wake);
    (void)pthread_mutex_unlock(&cluster->lock);
    if (event == SL_SLOTS_ASKED)
        give_back(cluster);
    tell_changed(cluster);
}

static void on_failed(void *ctx, const struct sl_error *err)
{
    struct sl_cluster *cluster = ctx;

    cluster->events.failed(cluster->events.ctx, err);
}

static void after_record(struct sl_cluster *cluster)
{
    cluster->look = true;
    (void)pthread_cond_signal(&cluster->wake);
    (void)pthread_mutex_unlock(&cluster->lock);
    tell_changed(cluster);
}

static void on_placement(void *ctx, const char *key, struct sl_span value)
{
    struct sl_cluster *cluster = ctx;

    (void)pthread_mutex_lock(&cluster->lock);
    sl_view_placement(&cluster->view, key, value);
    after_record(cluster);
}

static void on_worker(void *ctx, const char *key, struct sl_span value)
{
    struct sl_cluster *cluster = ctx;

    int64_t generation;

    (void)pthread_mutex_lock(&cluster->lock);
    generation = cluster->view.seen_generation;
    sl_view_worker(&cluster->view, key, value);
    if (cluster->view.seen_generation != generation)
        cluster->view.moved_us = sl_now_us();
    after_record(cluster);
}

static void on_leader(void *ctx, const char *key, struct sl_span value)
{
    struct sl_cluster *cluster = ctx;

    (void)key;
    (void)pthread_mutex_lock(&cluster->lock);
    sl_view_leader(&cluster->view, value);
    /* One that led before, and was long about it, has claimed after us. */
    cluster->outdone = cluster->claimed && cluster->leads && cluster->view.leader.name[0] &&
                       strcmp(cluster->view.leader.name, cluster->worker) != 0;
    after_record(cluster);
}

static const struct {
    const char *space;
    sl_text_visitor *visit;
} spaces[] = {
    {SL_CLUSTER_PLACEMENTS, on_placement},
    {SL_CLUSTER_WORKERS, on_worker},
    {SL_CLUSTER_LEADER, on_leader},
};

enum { N_SPACES = sizeof(spaces) / sizeof(*spaces) };

/* Everything that was written before now. What is gone meanwhile was told by the watchers. */
static enum sl_rc read_all(struct sl_cluster *cluster, struct sl_error *err)
{
    for (size_t i = 0; i < N_SPACES; i++) {
        enum sl_rc rc =
            cluster->transport->ops->list(cluster->transport, spaces[i].space, spaces[i].visit, cluster, err);

        if (rc)
            return rc;
    }
    return SL_OK;
}

/* ---- what this worker says ---- */

static enum sl_rc put(struct sl_cluster *cluster, const char *space, const char *key,
                      const struct sl_buf *text, struct sl_error *err)
{
    struct sl_span value = {text->data, text->len};

    return cluster->transport->ops->put(cluster->transport, space, key, value, err);
}

static enum sl_rc write_worker(struct sl_cluster *cluster, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc;

    (void)pthread_mutex_lock(&cluster->lock);
    sl_view_write_worker(&cluster->view, cluster->url, &text);
    (void)pthread_mutex_unlock(&cluster->lock);
    rc = put(cluster, SL_CLUSTER_WORKERS, cluster->worker, &text, err);
    sl_buf_done(&text);
    return rc;
}

static enum sl_rc write_leader(struct sl_cluster *cluster, struct sl_error *err)
{
    struct sl_cluster_worker leader;
    struct sl_buf text = {0};
    enum sl_rc rc;

    (void)snprintf(leader.name, sizeof(leader.name), "%s", cluster->worker);
    (void)snprintf(leader.url, sizeof(leader.url), "%s", cluster->url);
    sl_view_write_leader(&leader, &text);
    rc = put(cluster, SL_CLUSTER_LEADER, "leader", &text, err);
    sl_buf_done(&text);
    return rc;
}

/* ---- leading ---- */

/* True: slot 0 is ours, and stays here until end_claim. The next leader must not claim before us. */
static bool begin_claim(struct sl_cluster *cluster, bool *ret_claimed)
{
    bool held;

    (void)pthread_mutex_lock(&cluster->lock);
    held = cluster->view.slots[0] == SL_SLOT_HELD;
    cluster->claimed = cluster->claimed && !cluster->outdone;
    cluster->outdone = false;
    *ret_claimed = cluster->claimed;
    cluster->view.first_is_used = held && !*ret_claimed;
    (void)pthread_mutex_unlock(&cluster->lock);
    return held;
}

static void end_claim(struct sl_cluster *cluster)
{
    bool used;

    (void)pthread_mutex_lock(&cluster->lock);
    used = cluster->view.first_is_used;
    cluster->view.first_is_used = false;
    (void)pthread_mutex_unlock(&cluster->lock);
    if (used)
        give_back(cluster);
}

static enum sl_rc claim(struct sl_cluster *cluster, struct sl_error *err)
{
    char id[300];
    enum sl_rc rc;

    (void)snprintf(id, sizeof(id), "connect-cluster-%s", cluster->group ? cluster->group : "");
    rc = cluster->transport->ops->claim(cluster->transport, CLAIM_CONFIGS, id, err);
    if (rc == SL_OK)
        rc = write_leader(cluster, err);
    if (rc == SL_OK) {
        (void)pthread_mutex_lock(&cluster->lock);
        cluster->claimed = true;
        (void)pthread_mutex_unlock(&cluster->lock);
        sl_info("this worker leads the cluster", SL_T("worker", cluster->worker));
    }
    return rc;
}

enum sl_rc sl_cluster_lead(struct sl_cluster *cluster, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;
    bool claimed;

    if (!cluster->membership)
        return SL_OK;
    (void)pthread_mutex_lock(&cluster->claiming);
    if (!begin_claim(cluster, &claimed))
        rc = sl_error_set(err, SL_E_FENCED,
                          "this worker does not lead. HINT: send the request to the worker that does");
    else if (!claimed)
        rc = claim(cluster, err);
    end_claim(cluster);
    (void)pthread_mutex_unlock(&cluster->claiming);
    return rc;
}

/* Another leads, or soon will. */
static void resign(struct sl_cluster *cluster)
{
    struct sl_error err = {0};
    bool claimed;

    (void)pthread_mutex_lock(&cluster->claiming);
    (void)pthread_mutex_lock(&cluster->lock);
    claimed = cluster->claimed;
    cluster->claimed = false;
    (void)pthread_mutex_unlock(&cluster->lock);
    if (claimed && cluster->transport->ops->claim(cluster->transport, CLAIM_CONFIGS, NULL, &err))
        sl_log_error(SL_LEVEL_WARN, "the claim on the configs could not be let go", &err);
    (void)pthread_mutex_unlock(&cluster->claiming);
    if (claimed)
        sl_info("this worker leads no more");
}

/* As the holder of slot 0: place the tasks. */
static enum sl_rc govern(struct sl_cluster *cluster, struct sl_error *err)
{
    struct sl_governor governor = {
        .transport = cluster->transport,
        .n_slots = cluster->transport->ops->membership->slots(cluster->membership),
        .worker = cluster->worker,
        .view = &cluster->view,
        .lock = &cluster->lock,
    };

    return sl_governor_run(&governor, err);
}

/* ---- the cluster's thread ---- */

struct work {
    bool stop, fresh, record_old, leads, outdone, resign, told;
};

/* Until there is something to do, or a leader's tick. */
static struct work wait_for_work(struct sl_cluster *cluster, int64_t not_before_us)
{
    struct work work;
    int64_t tick_us = sl_now_us() + TICK_US;

    (void)pthread_mutex_lock(&cluster->lock);
    while (!cluster->stop && sl_now_us() < not_before_us)
        (void)sl_cond_wait(&cluster->wake, &cluster->lock, not_before_us);
    while (!cluster->stop && !cluster->fresh && !cluster->record_old &&
           !(cluster->look && (cluster->leads || cluster->claimed)) &&
           sl_cond_wait(&cluster->wake, &cluster->lock, cluster->leads ? tick_us : INT64_MAX))
        continue;
    work = (struct work){.stop = cluster->stop,
                         .fresh = cluster->fresh,
                         .record_old = cluster->record_old,
                         .leads = cluster->leads,
                         .outdone = cluster->leads && cluster->outdone,
                         .resign = cluster->claimed && !sl_view_may_lead(&cluster->view),
                         .told = cluster->told};
    cluster->fresh = cluster->record_old = cluster->look = false;
    (void)pthread_mutex_unlock(&cluster->lock);
    return work;
}

/* Slots came: what stands under them may begin once all is read that was written before they came. */
static enum sl_rc make_ready(struct sl_cluster *cluster, struct sl_error *err)
{
    bool claims;
    bool leads;
    enum sl_rc rc = read_all(cluster, err);

    if (rc)
        return rc;
    (void)pthread_mutex_lock(&cluster->lock);
    /* More may have come while we read: they wait for the next round. */
    claims = !cluster->fresh && sl_view_claim(&cluster->view);
    if (claims)
        cluster->view.moved_us = sl_now_us();
    (void)pthread_mutex_unlock(&cluster->lock);
    if (claims)
        rc = write_worker(cluster, err);
    if (rc)
        return rc;
    (void)pthread_mutex_lock(&cluster->lock);
    sl_view_ready(&cluster->view);
    leads = cluster->view.slots[0] == SL_SLOT_HELD;
    cluster->leads = leads;
    (void)pthread_mutex_unlock(&cluster->lock);
    give_back(cluster);
    tell_changed(cluster);
    return leads ? sl_cluster_lead(cluster, err) : SL_OK;
}

/* What was not done is asked for again. */
static void again(struct sl_cluster *cluster, const struct work *work)
{
    (void)pthread_mutex_lock(&cluster->lock);
    cluster->fresh = cluster->fresh || work->fresh;
    cluster->record_old = cluster->record_old || work->record_old;
    cluster->outdone = cluster->outdone || work->outdone;
    cluster->look = true;
    (void)pthread_mutex_unlock(&cluster->lock);
}

static enum sl_rc one_round(struct sl_cluster *cluster, const struct work *work, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (work->resign)
        resign(cluster);
    if (work->fresh)
        rc = make_ready(cluster, err);
    if (rc == SL_OK && work->record_old)
        rc = write_worker(cluster, err);
    if (rc == SL_OK && work->outdone)
        rc = sl_cluster_lead(cluster, err);
    if (rc == SL_OK && work->leads && work->told)
        rc = govern(cluster, err);
    return rc;
}

static void work_on(struct sl_cluster *cluster)
{
    int64_t not_before_us = 0;
    bool failing = false;

    for (;;) {
        struct work work = wait_for_work(cluster, not_before_us);
        struct sl_error err = {0};

        if (work.stop)
            return;
        not_before_us = 0;
        if (one_round(cluster, &work, &err) == SL_OK) {
            failing = false;
            continue;
        }
        if (err.rc == SL_E_STOPPED)
            return;
        if (!failing && err.rc != SL_E_FENCED)
            sl_log_error(SL_LEVEL_WARN, "the cluster's records cannot be read or written; trying again",
                         &err);
        failing = true;
        again(cluster, &work);
        not_before_us = sl_now_us() + RETRY_US;
    }
}

static void run(void *arg)
{
    struct sl_cluster *cluster = arg;

    work_on(cluster);
    (void)pthread_mutex_lock(&cluster->lock);
    cluster->over = true;
    (void)pthread_cond_signal(&cluster->wake);
    (void)pthread_mutex_unlock(&cluster->lock);
}

/* ---- joining and leaving ---- */

static void free_cluster(struct sl_cluster *cluster)
{
    sl_view_done(&cluster->view);
    (void)pthread_cond_destroy(&cluster->wake);
    (void)pthread_mutex_destroy(&cluster->lock);
    (void)pthread_mutex_destroy(&cluster->claiming);
    sl_free(cluster->url);
    sl_free(cluster->group);
    sl_free(cluster);
}

static void end_watching(struct sl_cluster *cluster)
{
    struct sl_error err;

    for (size_t i = 0; i < N_SPACES; i++)
        (void)cluster->transport->ops->watch(cluster->transport, spaces[i].space, NULL, cluster, &err);
}

static enum sl_rc join(struct sl_cluster *cluster, struct sl_error *err)
{
    const struct sl_membership_listener listener = {.ctx = cluster, .slots = on_slots, .failed = on_failed};
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < N_SPACES; i++)
        rc = cluster->transport->ops->watch(cluster->transport, spaces[i].space, spaces[i].visit, cluster,
                                            err);
    if (rc == SL_OK)
        rc = read_all(cluster, err);
    if (rc == SL_OK) /* what an earlier life of this worker said is not so any more */
        rc = write_worker(cluster, err);
    if (rc == SL_OK)
        rc = cluster->transport->ops->membership->join(cluster->transport, cluster->worker, &listener,
                                                       &cluster->membership, err);
    if (rc)
        end_watching(cluster);
    return rc;
}

/* No group, or a log that one process has for itself whatever the worker's file says. */
static bool is_alone(const struct sl_cluster *cluster)
{
    const struct sl_membership_ops *ops = cluster->transport->ops->membership;

    return !cluster->group || !ops || ops == &sl_membership_alone;
}

enum sl_rc sl_cluster_open(const struct sl_cluster_settings *settings, struct sl_cluster **ret,
                           struct sl_error *err)
{
    struct sl_cluster *cluster = sl_zalloc(1, sizeof(*cluster));
    enum sl_rc rc = SL_OK;

    cluster->transport = settings->transport;
    cluster->events = settings->events;
    cluster->url = sl_strdup(settings->url ? settings->url : "");
    cluster->group = settings->group ? sl_strdup(settings->group) : NULL;
    cluster->exactly_once = settings->exactly_once;
    (void)snprintf(cluster->worker, sizeof(cluster->worker), "%s", settings->worker);
    (void)pthread_mutex_init(&cluster->lock, NULL);
    (void)pthread_mutex_init(&cluster->claiming, NULL);
    sl_cond_init(&cluster->wake);
    sl_view_init(&cluster->view, is_alone(cluster) ? 1 : SL_SLOTS_MAX);
    if (is_alone(cluster)) {
        cluster->view.slots[0] = SL_SLOT_HELD;
        cluster->leads = true;
    } else {
        rc = join(cluster, err);
    }
    if (rc) {
        free_cluster(cluster);
        return rc;
    }
    if (cluster->membership)
        sl_thread_start(&cluster->thread, "cluster", run, cluster);
    *ret = cluster;
    return SL_OK;
}

/* What it waits for in the log is given up after a moment: no task runs here any more. */
static void end_thread(struct sl_cluster *cluster)
{
    int64_t until_us = sl_now_us() + PATIENCE_US;
    bool over;

    (void)pthread_mutex_lock(&cluster->lock);
    while (cluster->membership && !cluster->over && sl_cond_wait(&cluster->wake, &cluster->lock, until_us))
        continue;
    over = !cluster->membership || cluster->over;
    (void)pthread_mutex_unlock(&cluster->lock);
    if (!over && cluster->transport->ops->abandon)
        cluster->transport->ops->abandon(cluster->transport);
    sl_thread_join(&cluster->thread);
}

void sl_cluster_close(struct sl_cluster *cluster)
{
    if (!cluster)
        return;
    (void)pthread_mutex_lock(&cluster->lock);
    cluster->stop = true;
    (void)pthread_cond_signal(&cluster->wake);
    (void)pthread_mutex_unlock(&cluster->lock);
    end_thread(cluster);
    if (cluster->membership) {
        cluster->transport->ops->membership->leave(cluster->membership);
        resign(cluster);
        end_watching(cluster);
    }
    free_cluster(cluster);
}

/* ---- for the herder ---- */

/* Alone there is one slot, and everything stands under it. */
static void place_all_here(struct sl_cluster *cluster)
{
    for (size_t i = 0; i < cluster->view.n_tasks; i++)
        cluster->view.tasks[i].slot = 0;
}

void sl_cluster_tell(struct sl_cluster *cluster, const struct sl_cluster_connector *connectors, size_t n)
{
    (void)pthread_mutex_lock(&cluster->lock);
    sl_view_tell(&cluster->view, connectors, n, sl_now_us());
    if (!cluster->membership)
        place_all_here(cluster);
    cluster->told = true;
    cluster->look = true;
    (void)pthread_cond_signal(&cluster->wake);
    (void)pthread_mutex_unlock(&cluster->lock);
}

bool sl_cluster_begin(struct sl_cluster *cluster, const char *connector, int task)
{
    bool begun;

    (void)pthread_mutex_lock(&cluster->lock);
    begun = sl_view_begin(&cluster->view, connector, task);
    if (begun) {
        cluster->record_old = true;
        (void)pthread_cond_signal(&cluster->wake);
    }
    (void)pthread_mutex_unlock(&cluster->lock);
    return begun;
}

enum sl_lease sl_cluster_look(struct sl_cluster *cluster, const char *connector, int task)
{
    enum sl_lease lease;

    (void)pthread_mutex_lock(&cluster->lock);
    lease = sl_view_look(&cluster->view, connector, task);
    (void)pthread_mutex_unlock(&cluster->lock);
    return lease;
}

void sl_cluster_end(struct sl_cluster *cluster, const char *connector, int task)
{
    (void)pthread_mutex_lock(&cluster->lock);
    sl_view_end(&cluster->view, connector, task);
    cluster->record_old = true;
    (void)pthread_cond_signal(&cluster->wake);
    (void)pthread_mutex_unlock(&cluster->lock);
    give_back(cluster);
}

bool sl_cluster_leads(struct sl_cluster *cluster)
{
    bool leads;

    (void)pthread_mutex_lock(&cluster->lock);
    leads = cluster->leads;
    (void)pthread_mutex_unlock(&cluster->lock);
    return leads;
}

int64_t sl_cluster_generation(struct sl_cluster *cluster)
{
    int64_t generation;

    (void)pthread_mutex_lock(&cluster->lock);
    generation = cluster->view.generation;
    (void)pthread_mutex_unlock(&cluster->lock);
    return generation;
}

enum sl_rc sl_cluster_fence(struct sl_cluster *cluster, const char *connector, int old_tasks, int new_tasks,
                            struct sl_error *err)
{
    if (!cluster->exactly_once || (old_tasks <= 1 && new_tasks <= 1))
        return SL_OK;
    for (int task = 0; task < old_tasks; task++) {
        char *id = sl_exclusive_id(cluster->group, connector, task);
        enum sl_rc rc = cluster->transport->ops->fence(cluster->transport, id, err);

        sl_free(id);
        if (rc)
            return sl_error_wrap(err, "connector '%s', task %d", connector, task);
    }
    return SL_OK;
}

bool sl_cluster_leader(struct sl_cluster *cluster, struct sl_cluster_worker *ret)
{
    bool known;

    (void)pthread_mutex_lock(&cluster->lock);
    if (cluster->leads) {
        (void)snprintf(ret->name, sizeof(ret->name), "%s", cluster->worker);
        (void)snprintf(ret->url, sizeof(ret->url), "%s", cluster->url);
        known = true;
    } else {
        /* The record of an earlier life of ours, or of a leader that resigned to nobody yet. */
        known = cluster->view.leader.name[0] && strcmp(cluster->view.leader.name, cluster->worker) != 0;
        if (known)
            *ret = cluster->view.leader;
    }
    (void)pthread_mutex_unlock(&cluster->lock);
    return known;
}

bool sl_cluster_leader_url(struct sl_cluster *cluster, char *url, size_t size)
{
    struct sl_cluster_worker leader;

    if (!sl_cluster_leader(cluster, &leader) || !leader.url[0])
        return false;
    (void)snprintf(url, size, "%s", leader.url);
    return true;
}

bool sl_cluster_place(struct sl_cluster *cluster, const char *connector, int task, char *worker, size_t size)
{
    const struct sl_view_task *here;
    const char *name = NULL;

    (void)pthread_mutex_lock(&cluster->lock);
    here = sl_view_find(&cluster->view, connector, task);
    if (here && here->slot != SL_NO_SLOT && cluster->view.slots[here->slot] == SL_SLOT_HELD)
        name = cluster->worker;
    for (size_t i = 0; !name && i < cluster->view.n_workers; i++) {
        if (sl_view_says_it_runs(&cluster->view.workers[i], connector, task))
            name = cluster->view.workers[i].name;
    }
    if (name)
        (void)snprintf(worker, size, "%s", name);
    (void)pthread_mutex_unlock(&cluster->lock);
    return name != NULL;
}

const char *sl_cluster_self(const struct sl_cluster *cluster)
{
    return cluster->worker;
}
