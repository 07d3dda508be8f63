/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The herder's inside, for herder*.c and herd*.c alone: the connectors that this process knows and what runs
 * of them. Everything here belongs to the herder's thread unless its comment says otherwise.
 */
#ifndef SLUICE_ENGINE_HERD_HERD_H
#define SLUICE_ENGINE_HERD_HERD_H

#include "base/backoff.h"
#include "engine/herd/config_store.h"
#include "engine/herd/herder.h"
#include "engine/herd/publisher.h"
#include "engine/herd/status_store.h"

/* What the status store was told last of a part, so that it is told once. */
struct sl_told {
    bool known;
    enum sl_part_state state;
    uint64_t trace_hash;
    int64_t at_us;
};

/* A task's place: it may be empty, hold a task that runs, or one that has ended and is FAILED. */
struct sl_slot {
    struct sl_task *task;
    bool held;          /* placement let it begin and was not told of its end */
    bool stopping;      /* asked to end: what comes of it is no failure */
    bool abandoned;     /* asked not to finish */
    bool lost;          /* to another worker: its status is not ours to write */
    bool doubtful;      /* nobody can say now whose it is */
    bool restart;       /* somebody wants it started anew */
    bool waits;         /* FAILED: it is started again at next_start_us, if that is not INT64_MAX */
    int64_t abandon_us; /* stopping: when patience ends */
    int64_t next_start_us;
    int64_t started_us;
    struct sl_backoff backoff; /* attempt counts the restarts since it last ran well */
    struct sl_told told;
};

/* A connector: one revision of its configuration, and the tasks of that revision. */
struct sl_herded {
    struct sl_herder *herder;
    char *name;
    bool from_file;
    json_t *config;                 /* of this revision; NULL: none was made yet */
    struct sl_connector *connector; /* counted; NULL: it cannot be made, failure says why */
    bool fresh;                     /* made in this look: a start need not make it again */
    bool paused;                    /* its tasks are to be */
    struct sl_subscription *subscription;
    _Atomic bool partitions_changed; /* set by any thread */
    struct sl_slot *slots;
    size_t n_slots;
    size_t slots_capacity;
    struct sl_error failure;
    bool fence_due;   /* new task configs are committed, writers of the old are not shut out yet */
    int fenced_tasks; /* how many those were */
    bool remake;      /* somebody wants the connector restarted */
    int64_t next_make_us;
    struct sl_backoff making;
    struct sl_told told;
};

struct sl_request {
    void (*serve)(struct sl_herder *herder, struct sl_request *request);
    char *name;
    json_t *json;
    json_t *base; /* put: what the new configuration was made from */
    int number;
    bool flags[2];
    const struct sl_topic *topic;
    struct sl_answer answer;
    bool done;
    bool alone; /* nobody waits for it: who serves it frees it */
    struct sl_request *next;
};

struct sl_herder {
    struct sl_shared shared;
    struct sl_config_store *configs;
    struct sl_status_store *statuses;
    struct sl_config_events events;
    struct sl_publisher *publisher;
    const struct sl_placement *placement; /* NULL: everything is ours */
    char *worker_id;
    int event_fd;
    struct sl_thread thread;

    struct sl_herded **herd;
    size_t n;
    size_t capacity;
    json_t *files;  /* names of the connectors that files made (an object) */
    bool refreshed; /* the config store was read to its end in this look */
    bool strict;    /* the first look: what a file's connector says is an error of the start */
    struct sl_error first_error;
    bool membership_changed; /* connectors came or went: tell placement, let go of former sinks */
    int64_t next_look_us;
    int restart_attempts;
    int64_t restart_backoff_us;
    int64_t restart_backoff_max_us;
    int64_t graceful_us;
    bool topics_may_be_reset;

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t woken;
    pthread_cond_t answered;
    bool look;
    bool stop;
    bool stopping; /* the thread has come to it */
    bool stopped;
    bool stopped_well;
    int64_t stop_deadline_us;
    struct sl_request *first;
    struct sl_request *last;
    char *altering;               /* whose offsets are being changed; NULL: nobody's */
    struct sl_settling *settling; /* whose dead letters are settled, or were last; NULL: nobody's */
    bool all_failed;
    char reason[SL_ERROR_TEXT_SIZE + 512];
};

/* ---- herd.c: the look ---- */

/* Make what runs the same as what should run, as far as that goes now; sets next_look_us. */
void sl_herd_look(struct sl_herder *herder);

/* Everything is asked to end; true when no thread is left, and the log writer and the publisher have ended.
 */
bool sl_herd_stop(struct sl_herder *herder, int64_t deadline_us);
void sl_herd_free(struct sl_herder *herder);

/* Open it anew at the next look; it has no tasks. */
void sl_herd_reopen(struct sl_herded *herded);

/* Its offsets are being changed, or its dead letters settled: it may not start. */
bool sl_herd_is_altering(struct sl_herder *herder, const char *name);

/*
 * herder_offsets.c: the connector (*ret_view, to be done with) is STOPPED and nobody works on it any more,
 * here or elsewhere. False: the answer says so; what: "their offsets can be modified".
 */
bool sl_herd_check_stopped(struct sl_herder *herder, const char *name, const char *what,
                           struct sl_config_view *ret_view, struct sl_answer *ret);

/* herder_letters.c; the second: false when the thread did not end in time. */
bool sl_herd_is_settling(struct sl_herder *herder, const char *name);
bool sl_herd_stop_settling(struct sl_herder *herder, int64_t deadline_us);

struct sl_herded *sl_herd_find(struct sl_herder *herder, const char *name);
bool sl_herd_leads(struct sl_herder *herder);
int64_t sl_herd_generation(struct sl_herder *herder);

/* ---- herd_tasks.c: one connector's tasks ---- */

/* What is committed lets this revision run; the answer is for now. */
bool sl_herd_confirm(struct sl_herder *herder, const struct sl_herded *herded);

/* Bring every slot nearer to running `wanted` tasks. */
void sl_herd_tasks(struct sl_herder *herder, struct sl_herded *herded, size_t wanted, bool paused);

/* Tell what has become of them. It waits for brokers at each: everything is to be started before. */
void sl_herd_tell_tasks(struct sl_herder *herder, struct sl_herded *herded);

/* Ask all to end; true when none is left. */
bool sl_herd_end_tasks(struct sl_herder *herder, struct sl_herded *herded);

/* Look again not later than this. */
static inline void sl_herd_look_by(struct sl_herder *herder, int64_t at_us)
{
    if (at_us < herder->next_look_us)
        herder->next_look_us = at_us;
}

/* Tell the status store, once. */
void sl_herd_tell(struct sl_herder *herder, const char *connector, int task, struct sl_told *told,
                  enum sl_part_state state, const char *trace);

/* ---- herd_connector.c ---- */

/* The connector from a configuration of the config store: what every start is made from. */
enum sl_rc sl_herd_make_connector(struct sl_herder *herder, json_t *config, struct sl_connector **ret,
                                  struct sl_error *err);

/* Restart the connector when one of its secrets has another value, until unwatched. */
void sl_herd_watch_secrets(struct sl_herder *herder, const struct sl_connector *connector);
void sl_herd_unwatch_secrets(struct sl_herder *herder, const char *name);

/* The configuration as properties, and the other way round. */
struct sl_props *sl_herd_props(json_t *config);
json_t *sl_herd_json(const struct sl_props *props);

/* Are these task configs made from this configuration? And how they are made. */
bool sl_herd_tasks_fit(const struct sl_config_view *view, int tasks);
json_t *sl_herd_task_configs(const struct sl_connector *connector, const json_t *config);

/* "source", "sink" or "unknown". */
const char *sl_herd_type(struct sl_herder *herder, const json_t *config);

/* ---- herder.c ---- */

/* Hand a request to the herder's thread and wait for its answer; frees the request. */
void sl_herder_call(struct sl_herder *herder, struct sl_request *request, struct sl_answer *ret);

/* What stands in the config store, or is told by others: any thread, never waits. */
void sl_herder_obey_restart(void *ctx, const char *connector, bool include_tasks, bool only_failed);
void sl_herder_obey_logger(void *ctx, const char *logger, const char *level);

/* May this worker write configs? False: the answer says where to ask. */
bool sl_herd_may_write(struct sl_herder *herder, struct sl_answer *ret);

/* A request about a connector, to be handed over by the two below. */
struct sl_request *sl_request_new(void (*serve)(struct sl_herder *herder, struct sl_request *request),
                                  const char *name);

/* Hand it over without waiting; served and freed by the herder's thread. */
void sl_herder_post(struct sl_herder *herder, struct sl_request *request);

void sl_herder_wake(struct sl_herder *herder);

/* ---- answers (herder_answers.c) ---- */

void sl_answer_body(struct sl_answer *ret, enum sl_answer_status status, json_t *body);
void sl_answer_refuse(struct sl_answer *ret, enum sl_answer_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sl_answer_error(struct sl_answer *ret, const struct sl_error *err);

/* ConnectorInfo and ConnectorStateInfo; NULL when there is none. */
json_t *sl_herd_info(struct sl_herder *herder, const char *name);
json_t *sl_herd_state_info(struct sl_herder *herder, const char *name);

#endif
