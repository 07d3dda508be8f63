/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/group_member.h"

#include "base/props.h"
#include "base/thread.h"
#include "engine/exclusive.h"

#include <unistd.h>

struct sl_group_member {
    struct sl_herder *herder;
    struct sl_cluster *cluster;
    struct sl_placement placement; /* what the herder asks */
    struct sl_stop over;

    pthread_mutex_t lock; /* guards failure */
    struct sl_error failure;
};

/* ---- what the herder asks ---- */

static bool leads(void *ctx)
{
    return sl_cluster_leads(ctx);
}

static bool leader_url(void *ctx, char *ret_url, size_t size)
{
    return sl_cluster_leader_url(ctx, ret_url, size);
}

static enum sl_rc lead(void *ctx, struct sl_error *err)
{
    return sl_cluster_lead(ctx, err);
}

static int64_t generation(void *ctx)
{
    return sl_cluster_generation(ctx);
}

static bool begin(void *ctx, const char *connector, int task)
{
    return sl_cluster_begin(ctx, connector, task);
}

static enum sl_tenure look(void *ctx, const char *connector, int task)
{
    switch (sl_cluster_look(ctx, connector, task)) {
    case SL_LEASE_KEEP: return SL_TENURE_KEEP;
    case SL_LEASE_HOLD: return SL_TENURE_HOLD;
    case SL_LEASE_STOP: return SL_TENURE_LEAVE;
    case SL_LEASE_ABANDON: break;
    }
    return SL_TENURE_ABANDON;
}

static void end(void *ctx, const char *connector, int task)
{
    sl_cluster_end(ctx, connector, task);
}

static void tell(void *ctx, const struct sl_herd_entry *entries, size_t n)
{
    struct sl_cluster_connector *connectors = sl_zalloc(n, sizeof(*connectors));

    for (size_t i = 0; i < n; i++)
        connectors[i] =
            (struct sl_cluster_connector){.name = entries[i].connector, .tasks = entries[i].tasks};
    sl_cluster_tell(ctx, connectors, n);
    sl_free(connectors);
}

static bool place(void *ctx, const char *connector, int task, char *ret_worker, size_t size)
{
    return sl_cluster_place(ctx, connector, task, ret_worker, size);
}

static enum sl_rc fence(void *ctx, const char *connector, int old_tasks, int new_tasks, struct sl_error *err)
{
    return sl_cluster_fence(ctx, connector, old_tasks, new_tasks, err);
}

/* ---- what the cluster tells ---- */

static void changed(void *ctx)
{
    struct sl_group_member *member = ctx;

    sl_herder_look(member->herder);
}

static void failed(void *ctx, const struct sl_error *err)
{
    struct sl_group_member *member = ctx;

    (void)pthread_mutex_lock(&member->lock);
    member->failure = *err;
    (void)pthread_mutex_unlock(&member->lock);
    sl_stop_request(&member->over);
}

/* ---- joining and leaving ---- */

bool sl_group_member_is_wanted(const struct sl_props *worker)
{
    const char *brokers = sl_props_get(worker, "bootstrap.servers");
    const char *group = sl_props_get(worker, "group.id");

    return brokers && *brokers && group && *group;
}

static void free_member(struct sl_group_member *member)
{
    sl_stop_done(&member->over);
    (void)pthread_mutex_destroy(&member->lock);
    sl_free(member);
}

enum sl_rc sl_group_member_join(struct sl_herder *herder, const struct sl_props *worker, const char *url,
                                struct sl_group_member **ret, struct sl_error *err)
{
    struct sl_group_member *member = sl_zalloc(1, sizeof(*member));
    const struct sl_cluster_settings settings = {
        .transport = sl_herder_shared(herder)->transport,
        .worker = sl_herder_worker_id(herder),
        .url = url,
        .group = sl_props_get(worker, "group.id"),
        .exactly_once = sl_exclusive_enabled(worker),
        .events = {.ctx = member, .changed = changed, .failed = failed},
    };
    enum sl_rc rc;

    member->herder = herder;
    (void)pthread_mutex_init(&member->lock, NULL);
    sl_stop_init(&member->over);
    rc = sl_cluster_open(&settings, &member->cluster, err);
    if (rc) {
        free_member(member);
        return rc;
    }
    member->placement = (struct sl_placement){.ctx = member->cluster,
                                              .leads = leads,
                                              .leader_url = leader_url,
                                              .lead = lead,
                                              .generation = generation,
                                              .begin = begin,
                                              .look = look,
                                              .end = end,
                                              .tell = tell,
                                              .place = place,
                                              .fence = fence};
    sl_herder_place(herder, &member->placement);
    *ret = member;
    return SL_OK;
}

int sl_group_member_fd(const struct sl_group_member *member)
{
    return member->over.fd;
}

bool sl_group_member_failure(struct sl_group_member *member, struct sl_error *ret)
{
    bool over = sl_stop_requested(&member->over);

    (void)pthread_mutex_lock(&member->lock);
    if (over)
        *ret = member->failure;
    (void)pthread_mutex_unlock(&member->lock);
    return over;
}

struct sl_cluster *sl_group_member_cluster(struct sl_group_member *member)
{
    return member->cluster;
}

void sl_group_member_leave(struct sl_group_member *member)
{
    if (!member)
        return;
    sl_cluster_close(member->cluster);
    free_member(member);
}
