/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker knows of its cluster, as tables: the tasks that there are, where each is placed, what runs
 * here, and what the other workers say of themselves. No threads, no log: the cluster guards it with its lock
 * and feeds it what it hears.
 *
 * Records, in the log's spaces:
 *   "placements"  <connector>/<task>  {"version":1,"slot":<n>}; gone: the task has no place
 *   "workers"     <worker>            {"version":1,"generation":<n>,"url":"...",
 *                                      "running":["<connector>/<task>",...],"slots":[<generation>,...]}
 *   "leader"      leader              {"version":1,"worker":"...","url":"..."}
 *
 * "slots" says of each slot, from 0, in which generation it came to this worker (0: never; below 0: it was
 * lost since). Whoever says the highest of a slot holds it, for a generation is above all that were said
 * before: so the records tell who is in the group, and a dead worker is out of it as soon as others have all
 * its slots. Nobody asks the brokers for that: they could not answer while one of them is away.
 */
#ifndef SLUICE_ENGINE_GROUP_CLUSTER_VIEW_H
#define SLUICE_ENGINE_GROUP_CLUSTER_VIEW_H

#include "base/buf.h"
#include "engine/group/cluster.h"
#include "engine/group/placement.h"

#define SL_SLOTS_MAX 1024 /* more than anybody has workers */

#define SL_CLUSTER_PLACEMENTS "placements"
#define SL_CLUSTER_WORKERS "workers"
#define SL_CLUSTER_LEADER "leader"

enum sl_slot_state {
    SL_SLOT_ELSEWHERE,
    SL_SLOT_FRESH, /* ours, but what others wrote before is not read yet: nothing begins */
    SL_SLOT_HELD,
    SL_SLOT_ASKED,
    SL_SLOT_DOUBTED,  /* the group does not answer: what runs under it stays, nothing begins */
    SL_SLOT_REGAINED, /* ours again after that; whether another had it meanwhile is not read yet */
};

struct sl_view_task {
    char *connector;
    int task;
    bool told;         /* it is to exist */
    int32_t slot;      /* its place, or SL_NO_SLOT */
    int64_t untold_us; /* since when it is not told any more */

    bool begun;       /* it runs here ... */
    int32_t run_slot; /* ... under this slot ... */
    bool lost;        /* ... which another may have by now */
};

struct sl_view_worker {
    char *name;
    char *url;
    char **running; /* "<connector>/<task>" */
    size_t n_running;
    int64_t *gained; /* per slot, as in the record */
    size_t n_gained;
};

struct sl_view {
    enum sl_slot_state *slots;
    int64_t *gained; /* per slot: as in our record */
    int32_t n_slots;
    struct sl_view_task *tasks;
    size_t n_tasks, tasks_capacity;
    struct sl_view_worker *workers;
    size_t n_workers, workers_capacity;
    struct sl_cluster_worker leader; /* name "": nobody */
    int64_t generation;      /* one more than any that was seen when slots last came here (a Lamport clock) */
    int64_t claiming;        /* the generation that is being written into our record; 0: none */
    int64_t seen_generation; /* the highest that any worker said */
    int64_t moved_us;        /* when slots last came to anybody, as far as was heard */
    bool first_is_used;      /* slot 0: a claim is being made under it */
};

/* n_slots: at most SL_SLOTS_MAX; slots that do not exist are never held. */
void sl_view_init(struct sl_view *view, int32_t n_slots);
void sl_view_done(struct sl_view *view);

/* The entry, or NULL. Pointers into the view live until the next change of it. */
struct sl_view_task *sl_view_find(const struct sl_view *view, const char *connector, int task);

/* What the log holds under a key; value ptr NULL: gone. A record that nobody can read is left out with a
 * warning. */
void sl_view_placement(struct sl_view *view, const char *key, struct sl_span value);
void sl_view_worker(struct sl_view *view, const char *key, struct sl_span value);
void sl_view_leader(struct sl_view *view, struct sl_span value);
void sl_view_tell(struct sl_view *view, const struct sl_cluster_connector *connectors, size_t n,
                  int64_t now_us);

/*
 * Slots. gain makes them FRESH, or REGAINED when they were in doubt. claim, when everything is read, makes
 * REGAINED ones of which nobody says that he had them HELD again, of the others it takes what runs there as
 * lost; FRESH ones it gives a generation, true when there were any; when our record says so, ready makes them
 * HELD. In between none of them is returnable: whoever has it next would not read our generation, and take
 * the same. doubt is for HELD ones; of the others under which nothing has begun it makes lost ones.
 */
void sl_view_gain(struct sl_view *view, const int32_t *slots, size_t n);
bool sl_view_claim(struct sl_view *view);
void sl_view_ready(struct sl_view *view);
void sl_view_ask(struct sl_view *view, const int32_t *slots, size_t n);
void sl_view_lose(struct sl_view *view, const int32_t *slots, size_t n);
void sl_view_doubt(struct sl_view *view, const int32_t *slots, size_t n);
/* The holder of slot 0, or who was it before the group fell silent. */
bool sl_view_may_lead(const struct sl_view *view);
/* A slot that was asked for and under which nothing runs: it is ELSEWHERE from now on; or SL_NO_SLOT. */
int32_t sl_view_returnable(struct sl_view *view);

bool sl_view_begin(struct sl_view *view, const char *connector, int task);
enum sl_lease sl_view_look(const struct sl_view *view, const char *connector, int task);
void sl_view_end(struct sl_view *view, const char *connector, int task);

/* Of one that has died the record stays: several may say so. */
bool sl_view_says_it_runs(const struct sl_view_worker *worker, const char *connector, int task);

/* Who holds a slot as far as the records and our own slots tell. self: this worker's name, which is the
 * answer only for what is HELD. NULL: nobody knows. */
const char *sl_view_owner(const struct sl_view *view, const char *self, int32_t slot);

/* Our own records, as text. */
void sl_view_write_worker(const struct sl_view *view, const char *url, struct sl_buf *out);
void sl_view_write_leader(const struct sl_cluster_worker *leader, struct sl_buf *out);
void sl_view_write_placement(int32_t slot, struct sl_buf *out);
/* "<connector>/<task>", the key of a placement. */
void sl_view_key(const char *connector, int task, struct sl_buf *out);

#endif
