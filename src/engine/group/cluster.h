/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tasks this process runs, and whether it leads. Sits between the membership of the log (slots that
 * workers hold) and the herder (which starts and stops tasks): tasks are placed on slots by the leader, and
 * run where their slot is held. Alone in its log, a process leads and runs everything.
 *
 * The herder looks rather than being told what to do: after each `changed` it goes through its tasks, asks
 * sl_cluster_look for those it runs and sl_cluster_begin for those it does not, and acts. A task that began
 * here keeps its place until sl_cluster_end, so that nobody else begins it while it is still being stopped in
 * good order.
 *
 * Threads: all functions from any thread; the events come from any, must not wait and must not call
 * sl_cluster_close. None of the functions waits for a broker except those that say so.
 */
#ifndef SLUICE_ENGINE_GROUP_CLUSTER_H
#define SLUICE_ENGINE_GROUP_CLUSTER_H

#include "sluice/membership.h"
#include "sluice/transport.h"

struct sl_cluster;

struct sl_cluster_events {
    void *ctx;
    /* Something may look different now: what may run here, or who leads. */
    void (*changed)(void *ctx);
    /* This process is no member any more and cannot become one: end it. Everything is ABANDONed before. */
    void (*failed)(void *ctx, const struct sl_error *err);
};

/* How one that runs here stands. */
enum sl_lease {
    SL_LEASE_KEEP,    /* go on */
    SL_LEASE_HOLD,    /* the group does not answer: go on where a second one can do no harm, else wait where
                         you are; start nothing anew. Another answer follows */
    SL_LEASE_STOP,    /* it is to run elsewhere: stop it in good order, then sl_cluster_end */
    SL_LEASE_ABANDON, /* it may run elsewhere already: stop without making anything durable, then _end */
};

/* A worker as the others see it: for REST's worker_id and for forwarding. */
struct sl_cluster_worker {
    char name[256]; /* worker_id: "host:port" */
    char url[512];  /* of its REST API, "" when it serves none */
};

struct sl_cluster_settings {
    struct sl_transport *transport; /* borrowed, like events.ctx */
    const char *worker;             /* this process' stable name ("host:port", Connect's worker_id) */
    const char *url;                /* where its REST API answers, NULL or "" for none */
    const char *group;              /* group.id; NULL: this process is alone */
    bool exactly_once;              /* sources write in transactions (exactly.once.source.support=enabled) */
    struct sl_cluster_events events;
};

/* Join. changed may be called before this returns. Errors: the membership's. */
enum sl_rc sl_cluster_open(const struct sl_cluster_settings *settings, struct sl_cluster **ret,
                           struct sl_error *err);

/*
 * Which tasks there are: told by the herder of every worker whenever its view of the configs changes (the
 * leader places them; the others are ready to lead). connectors and counts are copied. Tasks that are not
 * named any more lose their place.
 */
struct sl_cluster_connector {
    const char *name;
    int tasks;
};
void sl_cluster_tell(struct sl_cluster *cluster, const struct sl_cluster_connector *connectors, size_t n);

/* May this task begin here now? True: it has, and sl_cluster_end must follow some time. */
bool sl_cluster_begin(struct sl_cluster *cluster, const char *connector, int task);
enum sl_lease sl_cluster_look(struct sl_cluster *cluster, const char *connector, int task);
/* No thread of it runs here any more. */
void sl_cluster_end(struct sl_cluster *cluster, const char *connector, int task);

/* This process leads, as far as it knows: for what may be repeated (whether to look at something). */
bool sl_cluster_leads(struct sl_cluster *cluster);

/*
 * Before each group of writes into the space "configs": makes sure that this process leads and holds the
 * claim on the space, so that puts of an earlier leader fail, and ours when a later one comes (FENCED). May
 * wait for brokers. Errors: FENCED: another leads, write nothing and forward the request to it; TRANSIENT
 * kinds.
 */
enum sl_rc sl_cluster_lead(struct sl_cluster *cluster, struct sl_error *err);

/*
 * The leader, before the tasks of a new generation may begin (KIP-618): shut out the writers of the earlier
 * one. Nothing when both generations have one task, for the new one then shuts the old one out itself, and
 * nothing where sources do not write in transactions. Waits.
 */
enum sl_rc sl_cluster_fence(struct sl_cluster *cluster, const char *connector, int old_tasks, int new_tasks,
                            struct sl_error *err);

/* Of the group: grows whenever slots come to this worker, above all that others said; a newer status wins. */
int64_t sl_cluster_generation(struct sl_cluster *cluster);

/* The leader as far as this process knows; false while nobody leads. */
bool sl_cluster_leader(struct sl_cluster *cluster, struct sl_cluster_worker *ret);
/* Its URL alone, for forwarding; false when nobody leads or it serves no REST. */
bool sl_cluster_leader_url(struct sl_cluster *cluster, char *url, size_t size);
/* Who runs a task (or is to): its worker_id. False while it has no place. */
bool sl_cluster_place(struct sl_cluster *cluster, const char *connector, int task, char *worker, size_t size);
/* This process' own worker_id. */
const char *sl_cluster_self(const struct sl_cluster *cluster);

/* Leave. Tasks have ended before (sl_cluster_end of each). */
void sl_cluster_close(struct sl_cluster *cluster);

#endif
