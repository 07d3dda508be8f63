/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The herder: one thread that owns every connector and task of this process and makes what runs the same as
 * what should run. What should run stands in the config store (config_store.h): who changes it (REST, a file
 * on the command line, another worker of the group) only writes there, and the herder follows. What runs is
 * told in the status store (status_store.h).
 *
 * It is not the cluster: which parts are this process's to run, and whether this process is the one that may
 * write, is asked through struct sl_placement. Embedded, everything is ours and we lead.
 *
 * It is not the REST API either, but it answers in the API's terms: a status, and a body in the shape that
 * Kafka Connect's clients know. A URL, a header or a query string is never seen here.
 *
 * Threads: every function may be called from any thread, but open, place, start, stop and free, which belong
 * to the thread that made the herder. Requests that change something are carried out by the herder's thread
 * one after the other; the caller waits for the answer, SL_HERDER_WAIT_US at most; a worker that does not
 * lead answers ELSEWHERE, or 409 when nobody is known to lead. Requests that only read are answered on the
 * caller's own thread from the stores, and never wait.
 */
#ifndef SLUICE_ENGINE_HERD_HERDER_H
#define SLUICE_ENGINE_HERD_HERDER_H

#include "base/json.h"
#include "engine/task_context.h"

struct sl_herder;
struct sl_config_store;
struct sl_status_store;

/* How long a caller waits for the herder's thread (Connect's rest request timeout). */
#define SL_HERDER_WAIT_US (90 * INT64_C(1000000))

/* ---- answers ---- */

/* The class of an answer: the HTTP status that Kafka Connect gives it. */
enum sl_answer_status {
    SL_ANSWER_OK = 200,
    SL_ANSWER_CREATED = 201,
    SL_ANSWER_ACCEPTED = 202,
    SL_ANSWER_NO_CONTENT = 204,
    SL_ANSWER_ELSEWHERE =
        307, /* not for this worker to do: url is the leader's; body and message are empty */
    SL_ANSWER_BAD_REQUEST = 400, /* the request can never succeed as it is */
    SL_ANSWER_FORBIDDEN = 403,   /* switched off in the worker's properties */
    SL_ANSWER_NOT_FOUND = 404,
    SL_ANSWER_CONFLICT = 409, /* the name is taken, or: try again shortly (no leader, a change under way) */
    SL_ANSWER_FAILED = 500,   /* the log or the target refused, or the herder did not answer in time */
};

/* What a request brought. Made by the functions below, which fill every field; the caller frees it. */
struct sl_answer {
    enum sl_answer_status status;
    json_t *body;  /* below 400, or NULL for an empty body; the caller's alone: nobody else looks at it */
    char *message; /* from 400 on: Connect's sentence where Connect has one */
    char *url;     /* ELSEWHERE: "http://host:port"; else NULL */
};

void sl_answer_done(struct sl_answer *answer); /* frees what it holds; a zeroed one is fine */

/* ---- life ---- */

struct sl_herder_settings {
    const struct sl_plugins *plugins; /* borrowed for the herder's life, as is worker */
    const struct sl_props *worker;
    struct sl_secrets *secrets; /* the worker's config providers, borrowed; NULL: none */
    const char *worker_id; /* "host:port" for the statuses; NULL: what the worker's properties advertise */
};

/*
 * Open the log, the registry and both stores; nothing runs yet. Errors: the transport's (another process
 * writes there, damage), the registry's.
 */
enum sl_rc sl_herder_open(const struct sl_herder_settings *settings, struct sl_herder **ret,
                          struct sl_error *err);

/* What the tasks share; for the cluster (its transport) and for who shows the log's identity. */
struct sl_shared *sl_herder_shared(struct sl_herder *herder);
struct sl_config_store *sl_herder_configs(struct sl_herder *herder);
struct sl_status_store *sl_herder_statuses(struct sl_herder *herder);
const char *sl_herder_worker_id(const struct sl_herder *herder);

/*
 * Standalone: these configurations (as their files hold them, checked, borrowed) are written to the config
 * store as if REST had put them, in place of those that files made at an earlier start and that are missing
 * now (docs/lifecycle.md says what else comes back). Call it before start. Errors: the log's.
 */
enum sl_rc sl_herder_adopt_files(struct sl_herder *herder, const struct sl_props *const *configs, size_t n,
                                 struct sl_error *err);

/*
 * Start what the config store asks for, sinks before sources, then the herder's thread. Errors: what the
 * first connector of a file that cannot be started says (nothing runs then); a connector that came from
 * elsewhere becomes FAILED instead.
 */
enum sl_rc sl_herder_start(struct sl_herder *herder, struct sl_error *err);

/* Readable when a task has failed or ended: for poll(2) beside signals. Never blocks when read. */
int sl_herder_event_fd(const struct sl_herder *herder);

/*
 * Connectors of files alone, and every task has failed: nothing moves any more here (a worker of a group goes
 * on all the same: others may give it work, and its status is asked for by REST). The first one's reason goes
 * to reason. Never true when a connector came by REST, or when there are no tasks.
 */
bool sl_herder_all_failed(struct sl_herder *herder, char *reason, size_t size);

/*
 * Stop everything, sources first, then what is under way is made durable, within the deadline. Requests that
 * wait are answered 409. False when something did not end in time: the process has to exit without freeing
 * the herder (nothing is lost by that: every stop is a crash that was announced).
 */
bool sl_herder_stop(struct sl_herder *herder, int64_t deadline_us);
void sl_herder_free(struct sl_herder *herder); /* only after a stop that returned true, or without a start */

/* ---- requests that read: answered at once ---- */

/* 200 when the herder's thread answers within wait_us, else 500: the health check. */
void sl_herder_ping(struct sl_herder *herder, int64_t wait_us, struct sl_answer *ret);

/* 200 ["a","b"], sorted. */
void sl_herder_names(struct sl_herder *herder, struct sl_answer *ret);

/* 200 ConnectorInfo {"name","config","tasks":[{"connector","task"}],"type"}; 404. */
void sl_herder_info(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/* 200 the configuration as it was given (references to secrets unresolved); 404. */
void sl_herder_config(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/* 200 [{"id":{"connector","task"},"config":{..}}]; 404. */
void sl_herder_task_configs(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/* 200 ConnectorStateInfo {"name","connector":{"state","worker_id","trace"?},"tasks":[..],"type"}; 404. */
void sl_herder_status(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/* 200 {"id","state","worker_id","trace"?}; 404. */
void sl_herder_task_status(struct sl_herder *herder, const char *name, int task, struct sl_answer *ret);

/* 200 {"<name>":{"topics":[..]}}; 403 when topic.tracking.enable=false; 404. */
void sl_herder_active_topics(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/*
 * 200 {"offsets":[{"partition":{..},"offset":{..}}]}; 404. Source: what is stored with the records. Sink:
 * what is known to be applied, {"kafka_topic","kafka_partition"} and {"kafka_offset": the next one}.
 */
void sl_herder_offsets(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/*
 * What became of the last sl_herder_settle_letters: 200
 * {"connector","verb","state":"RUNNING"|"DONE"|"FAILED", "error"?} and the counts (sl_replay_counts_json);
 * 404 when that was not of this connector. ELSEWHERE: the leader knows.
 */
void sl_herder_letters(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/* 200 {"root":{"level":"INFO","last_modified":null},..}, and one of them; 404 for a logger that has no level
 * of its own. */
void sl_herder_loggers(struct sl_herder *herder, struct sl_answer *ret);
void sl_herder_logger(struct sl_herder *herder, const char *logger, struct sl_answer *ret);

/*
 * What is wrong with a configuration, key by key, as create and put_config would find it: the complaints are
 * added (sl_complaints_done is the caller's). config is an object of scalars, and borrowed.
 */
void sl_herder_validate(struct sl_herder *herder, json_t *config, struct sl_complaints *complaints);

/* ---- requests that change: carried out by the herder's thread of the leader ---- */

enum sl_target_state { SL_TARGET_STARTED, SL_TARGET_PAUSED, SL_TARGET_STOPPED };

/* Connect's words, without case; "RUNNING" means STARTED (KIP-980). False: another word. */
bool sl_target_state_parse(const char *text, enum sl_target_state *ret);
const char *sl_target_state_name(enum sl_target_state state);

enum sl_put_mode {
    SL_PUT_CREATE, /* 409 when it exists */
    SL_PUT_ANY,    /* create (201) or replace (200) */
    SL_PUT_PATCH,  /* merge into what there is: null removes a key; 404 when it does not exist */
};

/*
 * Write a connector's configuration. config: an object of scalars (taken over); "name" is filled in, and must
 * be name where it is given. initial: for one that is created. Answers 201 or 200 with ConnectorInfo; 400
 * with one line per complaint; 404; 409. The tasks follow by themselves, only those of this connector.
 */
void sl_herder_put_config(struct sl_herder *herder, const char *name, json_t *config, enum sl_put_mode mode,
                          enum sl_target_state initial, struct sl_answer *ret);

/* 204; 404. The tasks end by themselves. Source offsets and the target's position stay, as with Connect. */
void sl_herder_delete(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/*
 * 202 (STARTED, PAUSED) or 204 (STOPPED); 404. PAUSED: tasks keep their connections and read nothing.
 * STOPPED: there are no tasks. The state outlives the process.
 */
void sl_herder_set_target(struct sl_herder *herder, const char *name, enum sl_target_state state,
                          struct sl_answer *ret);

/*
 * Restart the connector, its tasks (include_tasks), and of these only what is FAILED (only_failed). 204 when
 * both are false, else 202 with ConnectorStateInfo in which the chosen parts are RESTARTING; 404.
 */
void sl_herder_restart(struct sl_herder *herder, const char *name, bool include_tasks, bool only_failed,
                       struct sl_answer *ret);
void sl_herder_restart_task(struct sl_herder *herder, const char *name, int task, struct sl_answer *ret);

/* Something that the connector's configuration refers to has another value: restart it with its tasks.
 * Returns at once. */
void sl_herder_reload(struct sl_herder *herder, const char *name);

/*
 * Change or remove positions. offsets: the array of {"partition","offset"} (taken over), offset null removes
 * one. 200 {"message"}; 400 (not STOPPED, tasks still there, a shape that no connector of this kind has);
 * 404. A sink's position is changed in the target first, for the target holds the truth, then in the log.
 */
void sl_herder_alter_offsets(struct sl_herder *herder, const char *name, json_t *offsets,
                             struct sl_answer *ret);
void sl_herder_reset_offsets(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/*
 * Replay or drop the dead letters of a sink that is STOPPED (letters/replay.h), on a thread of their own.
 * filter (taken over): an object of the texts topic, stage, error and letters and the numbers since_ms and
 * until_ms (dlq.h). 202 {"connector","state":"RUNNING"}; 400; 404; 409 (another such request is under way).
 */
void sl_herder_settle_letters(struct sl_herder *herder, const char *name, json_t *filter, bool drop,
                              struct sl_answer *ret);

/* 202; 403 when topic.tracking.allow.reset=false or tracking is off; 404. */
void sl_herder_reset_topics(struct sl_herder *herder, const char *name, struct sl_answer *ret);

/*
 * Set the level of a logger ("root", or one of the names that sl_herder_loggers shows) in this worker: 200
 * with the list of loggers that changed; in the whole group (through the config store): 204. 404 with
 * Connect's text for an unknown level.
 */
void sl_herder_set_logger(struct sl_herder *herder, const char *logger, const char *level, bool in_cluster,
                          struct sl_answer *ret);

/* ---- for the cluster ---- */

/* What is to become of a task that runs here. */
enum sl_tenure {
    SL_TENURE_KEEP,
    SL_TENURE_HOLD,  /* whose it is nobody can say now: it goes on where what it writes is guarded (a sink, a
                        source with an exclusive id), else it waits; nothing is started anew */
    SL_TENURE_LEAVE, /* it is to run elsewhere: stop it in good order, then end */
    SL_TENURE_ABANDON, /* it may run elsewhere already: nothing it has becomes durable, no status; then end */
};

/* A connector that the config store knows and how many tasks it is to have now (0 while STOPPED). */
struct sl_herd_entry {
    const char *connector;
    int tasks;
};

/*
 * Who runs what, and who leads. Embedded there is none (NULL): everything is ours and we lead. The herder is
 * level-triggered: after sl_herder_look it goes through its tasks, asks look for those that run and begin for
 * those that should and do not. Only the leader writes to the config store and the statuses of connectors.
 *
 * Functions marked (any) are called from any thread and answer from memory; the others come from the herder's
 * thread, and only lead and fence may wait for others.
 */
struct sl_placement {
    void *ctx;

    bool (*leads)(void *ctx);                                  /* (any) as far as is known */
    bool (*leader_url)(void *ctx, char *ret_url, size_t size); /* (any) false: nobody is known to lead */
    enum sl_rc (*lead)(void *ctx, struct sl_error *err);       /* before each group of writes to the config
                                                                  store; FENCED: another leads */
    int64_t (*generation)(void *ctx);                          /* (any) of the group: a newer status wins */

    /* May this task begin here now? True: it has, and end follows some time, when no thread of it is left. */
    bool (*begin)(void *ctx, const char *connector, int task);
    enum sl_tenure (*look)(void *ctx, const char *connector, int task);
    void (*end)(void *ctx, const char *connector, int task);

    /* The connectors that there are, whenever that changes, on every worker. Copied. */
    void (*tell)(void *ctx, const struct sl_herd_entry *entries, size_t n);

    /* (any) worker_id of the one that runs a task, or is to; false while it has no place. */
    bool (*place)(void *ctx, const char *connector, int task, char *ret_worker, size_t size);

    /*
     * The leader, after new task configs of a source are committed and before they start: the writers of the
     * old ones can write nothing any more (KIP-618). An error is tried again with backoff.
     */
    enum sl_rc (*fence)(void *ctx, const char *connector, int old_tasks, int new_tasks, struct sl_error *err);
};

/* Between open and start. Borrowed for the herder's life. */
void sl_herder_place(struct sl_herder *herder, const struct sl_placement *placement);

/* Something is different: who leads, what may run here. The herder looks, soon. */
void sl_herder_look(struct sl_herder *herder);

#endif
