/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/cluster_view.h"

#include "base/json.h"
#include "base/log.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>

void sl_view_init(struct sl_view *view, int32_t n_slots)
{
    *view = (struct sl_view){.n_slots = n_slots,
                             .slots = sl_zalloc((size_t)n_slots, sizeof(*view->slots)),
                             .gained = sl_zalloc((size_t)n_slots, sizeof(*view->gained))};
}

static void forget_worker(struct sl_view_worker *worker)
{
    for (size_t i = 0; i < worker->n_running; i++)
        sl_free(worker->running[i]);
    sl_free(worker->running);
    sl_free(worker->gained);
    sl_free(worker->name);
    sl_free(worker->url);
}

void sl_view_done(struct sl_view *view)
{
    for (size_t i = 0; i < view->n_tasks; i++)
        sl_free(view->tasks[i].connector);
    for (size_t i = 0; i < view->n_workers; i++)
        forget_worker(&view->workers[i]);
    sl_free(view->tasks);
    sl_free(view->workers);
    sl_free(view->slots);
    sl_free(view->gained);
}

/* ---- tasks ---- */

struct sl_view_task *sl_view_find(const struct sl_view *view, const char *connector, int task)
{
    for (size_t i = 0; i < view->n_tasks; i++) {
        if (view->tasks[i].task == task && strcmp(view->tasks[i].connector, connector) == 0)
            return &view->tasks[i];
    }
    return NULL;
}

static struct sl_view_task *find_or_add(struct sl_view *view, const char *connector, int task)
{
    struct sl_view_task *found = sl_view_find(view, connector, task);

    if (found)
        return found;
    SL_GROW(view->tasks, view->n_tasks, view->tasks_capacity);
    found = &view->tasks[view->n_tasks++];
    *found = (struct sl_view_task){.connector = sl_strdup(connector), .task = task, .slot = SL_NO_SLOT};
    return found;
}

/* Entries of which there is nothing to know. */
static void sweep(struct sl_view *view)
{
    size_t kept = 0;

    for (size_t i = 0; i < view->n_tasks; i++) {
        struct sl_view_task *task = &view->tasks[i];

        if (task->told || task->slot != SL_NO_SLOT || task->begun)
            view->tasks[kept++] = *task;
        else
            sl_free(task->connector);
    }
    view->n_tasks = kept;
}

void sl_view_tell(struct sl_view *view, const struct sl_cluster_connector *connectors, size_t n,
                  int64_t now_us)
{
    for (size_t i = 0; i < view->n_tasks; i++) {
        struct sl_view_task *task = &view->tasks[i];

        if (task->told)
            task->untold_us = now_us;
        task->told = false;
    }
    for (size_t i = 0; i < n; i++) {
        for (int number = 0; number < connectors[i].tasks; number++)
            find_or_add(view, connectors[i].name, number)->told = true;
    }
    sweep(view);
}

/* ---- records ---- */

void sl_view_key(const char *connector, int task, struct sl_buf *out)
{
    sl_buf_format(out, "%s/%d", connector, task);
}

/* "<connector>/<task>"; the connector may hold slashes itself. Its copy is the caller's. */
static bool read_key(const char *key, char **ret_connector, int *ret_task)
{
    const char *slash = strrchr(key, '/');
    int64_t number;

    if (!slash || slash == key || !sl_parse_int64(slash + 1, &number) || number < 0 || number > INT32_MAX)
        return false;
    *ret_connector = sl_strndup(key, (size_t)(slash - key));
    *ret_task = (int)number;
    return true;
}

static json_t *read_record(const char *space, const char *key, struct sl_span value)
{
    struct sl_error err = {0};
    json_t *json = NULL;

    if (sl_json_parse((const char *)value.ptr, value.len, space, &json, &err) == SL_OK &&
        json_is_object(json))
        return json;
    json_decref(json);
    sl_warn("a record of the cluster cannot be read; it is left out", SL_T("space", space), SL_T("key", key));
    return NULL;
}

void sl_view_placement(struct sl_view *view, const char *key, struct sl_span value)
{
    json_t *json = value.ptr ? read_record(SL_CLUSTER_PLACEMENTS, key, value) : NULL;
    json_t *slot = json_object_get(json, "slot");
    char *connector;
    int number;

    if (read_key(key, &connector, &number)) {
        struct sl_view_task *task = find_or_add(view, connector, number);

        task->slot =
            json_is_integer(slot) && json_integer_value(slot) >= 0 && json_integer_value(slot) < view->n_slots
                ? (int32_t)json_integer_value(slot)
                : SL_NO_SLOT;
        if (!value.ptr)
            sweep(view);
        sl_free(connector);
    }
    json_decref(json);
}

static void read_running(struct sl_view_worker *worker, const json_t *running)
{
    size_t n = json_array_size(running);

    worker->running = sl_zalloc(n, sizeof(char *));
    for (size_t i = 0; i < n; i++) {
        const char *key = json_string_value(json_array_get(running, i));

        if (key)
            worker->running[worker->n_running++] = sl_strdup(key);
    }
}

static void read_gained(struct sl_view_worker *worker, const json_t *slots)
{
    size_t n = json_array_size(slots);

    worker->n_gained = n < SL_SLOTS_MAX ? n : SL_SLOTS_MAX;
    worker->gained = sl_zalloc(worker->n_gained, sizeof(*worker->gained));
    for (size_t i = 0; i < worker->n_gained; i++)
        worker->gained[i] = json_integer_value(json_array_get(slots, i));
}

void sl_view_worker(struct sl_view *view, const char *key, struct sl_span value)
{
    json_t *json = value.ptr ? read_record(SL_CLUSTER_WORKERS, key, value) : NULL;
    size_t at = 0;

    while (at < view->n_workers && strcmp(view->workers[at].name, key) != 0)
        at++;
    if (at < view->n_workers) {
        forget_worker(&view->workers[at]);
        view->workers[at] = view->workers[--view->n_workers];
    }
    if (json) {
        const char *url = json_string_value(json_object_get(json, "url"));
        struct sl_view_worker *worker;

        SL_GROW(view->workers, view->n_workers, view->workers_capacity);
        worker = &view->workers[view->n_workers++];
        *worker = (struct sl_view_worker){.name = sl_strdup(key), .url = sl_strdup(url ? url : "")};
        read_running(worker, json_object_get(json, "running"));
        read_gained(worker, json_object_get(json, "slots"));
        if (json_integer_value(json_object_get(json, "generation")) > view->seen_generation)
            view->seen_generation = json_integer_value(json_object_get(json, "generation"));
    }
    json_decref(json);
}

void sl_view_leader(struct sl_view *view, struct sl_span value)
{
    json_t *json = value.ptr ? read_record(SL_CLUSTER_LEADER, "leader", value) : NULL;
    const char *worker = json_string_value(json_object_get(json, "worker"));
    const char *url = json_string_value(json_object_get(json, "url"));

    (void)snprintf(view->leader.name, sizeof(view->leader.name), "%s", worker ? worker : "");
    (void)snprintf(view->leader.url, sizeof(view->leader.url), "%s", url ? url : "");
    json_decref(json);
}

void sl_view_write_worker(const struct sl_view *view, const char *url, struct sl_buf *out)
{
    struct sl_buf key = {0};
    int32_t n_gained = view->n_slots;
    bool first = true;

    sl_buf_format(out, "{\"version\":1,\"generation\":%lld,\"url\":", (long long)view->generation);
    sl_json_put_text(out, url, strlen(url));
    sl_buf_text(out, ",\"running\":[");
    for (size_t i = 0; i < view->n_tasks; i++) {
        if (!view->tasks[i].begun)
            continue;
        sl_buf_reset(&key);
        sl_view_key(view->tasks[i].connector, view->tasks[i].task, &key);
        sl_buf_text(out, first ? "" : ",");
        sl_json_put_text(out, (const char *)key.data, key.len);
        first = false;
    }
    sl_buf_text(out, "],\"slots\":[");
    while (n_gained && !view->gained[n_gained - 1])
        n_gained--;
    for (int32_t s = 0; s < n_gained; s++)
        sl_buf_format(out, s ? ",%lld" : "%lld", (long long)view->gained[s]);
    sl_buf_text(out, "]}");
    sl_buf_done(&key);
}

void sl_view_write_leader(const struct sl_cluster_worker *leader, struct sl_buf *out)
{
    sl_buf_text(out, "{\"version\":1,\"worker\":");
    sl_json_put_text(out, leader->name, strlen(leader->name));
    sl_buf_text(out, ",\"url\":");
    sl_json_put_text(out, leader->url, strlen(leader->url));
    sl_buf_text(out, "}");
}

void sl_view_write_placement(int32_t slot, struct sl_buf *out)
{
    sl_buf_format(out, "{\"version\":1,\"slot\":%d}", slot);
}

bool sl_view_says_it_runs(const struct sl_view_worker *worker, const char *connector, int task)
{
    struct sl_buf key = {0};
    bool found = false;

    sl_view_key(connector, task, &key);
    for (size_t i = 0; i < worker->n_running && !found; i++)
        found = strcmp(worker->running[i], sl_buf_cstr(&key)) == 0;
    sl_buf_done(&key);
    return found;
}

/* ---- slots ---- */

static void set(struct sl_view *view, const int32_t *slots, size_t n, enum sl_slot_state state)
{
    for (size_t i = 0; i < n; i++) {
        if (slots[i] >= 0 && slots[i] < view->n_slots)
            view->slots[slots[i]] = state;
    }
}

static bool is_in_doubt(const struct sl_view *view, int32_t slot)
{
    return view->slots[slot] == SL_SLOT_DOUBTED || view->slots[slot] == SL_SLOT_REGAINED;
}

static void disclaim(struct sl_view *view, const int32_t *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (slots[i] >= 0 && slots[i] < view->n_slots && view->gained[slots[i]] > 0)
            view->gained[slots[i]] = -view->gained[slots[i]];
    }
}

void sl_view_gain(struct sl_view *view, const int32_t *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool in_doubt = slots[i] >= 0 && slots[i] < view->n_slots && is_in_doubt(view, slots[i]);

        set(view, &slots[i], 1, in_doubt ? SL_SLOT_REGAINED : SL_SLOT_FRESH);
        if (!in_doubt)
            disclaim(view, &slots[i], 1);
    }
}

static void lose_tasks(struct sl_view *view, int32_t slot)
{
    for (size_t i = 0; i < view->n_tasks; i++) {
        if (view->tasks[i].begun && view->tasks[i].run_slot == slot)
            view->tasks[i].lost = true;
    }
}

static bool another_had_it(const struct sl_view *view, int32_t slot)
{
    for (size_t i = 0; i < view->n_workers; i++) {
        const struct sl_view_worker *worker = &view->workers[i];

        if ((size_t)slot < worker->n_gained && llabs(worker->gained[slot]) > view->gained[slot])
            return true;
    }
    return false;
}

/* What others wrote is read: was it ours all the time? */
static void settle_regained(struct sl_view *view)
{
    for (int32_t s = 0; s < view->n_slots; s++) {
        if (view->slots[s] != SL_SLOT_REGAINED)
            continue;
        view->slots[s] = SL_SLOT_HELD;
        if (another_had_it(view, s)) {
            lose_tasks(view, s);
            view->slots[s] = SL_SLOT_FRESH;
        }
    }
}

bool sl_view_claim(struct sl_view *view)
{
    int64_t next = (view->seen_generation > view->generation ? view->seen_generation : view->generation) + 1;

    view->claiming = 0;
    settle_regained(view);
    for (int32_t s = 0; s < view->n_slots; s++) {
        if (view->slots[s] == SL_SLOT_FRESH) {
            view->gained[s] = next;
            view->claiming = next;
        }
    }
    if (view->claiming)
        view->generation = view->seen_generation = next;
    return view->claiming != 0;
}

void sl_view_ready(struct sl_view *view)
{
    for (int32_t s = 0; s < view->n_slots; s++) {
        if (view->slots[s] == SL_SLOT_FRESH && view->claiming && view->gained[s] == view->claiming)
            view->slots[s] = SL_SLOT_HELD;
    }
    view->claiming = 0;
}

void sl_view_ask(struct sl_view *view, const int32_t *slots, size_t n)
{
    set(view, slots, n, SL_SLOT_ASKED);
}

void sl_view_lose(struct sl_view *view, const int32_t *slots, size_t n)
{
    set(view, slots, n, SL_SLOT_ELSEWHERE);
    disclaim(view, slots, n);
    for (int32_t s = 0; s < view->n_slots; s++) {
        if (view->slots[s] == SL_SLOT_ELSEWHERE)
            lose_tasks(view, s);
    }
}

void sl_view_doubt(struct sl_view *view, const int32_t *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum sl_slot_state state =
            slots[i] >= 0 && slots[i] < view->n_slots ? view->slots[slots[i]] : SL_SLOT_ELSEWHERE;

        if (state == SL_SLOT_HELD || state == SL_SLOT_REGAINED)
            set(view, &slots[i], 1, SL_SLOT_DOUBTED);
        else if (state != SL_SLOT_DOUBTED)
            sl_view_lose(view, &slots[i], 1);
    }
}

bool sl_view_may_lead(const struct sl_view *view)
{
    return view->slots[0] == SL_SLOT_HELD || is_in_doubt(view, 0);
}

int32_t sl_view_returnable(struct sl_view *view)
{
    for (int32_t s = 0; s < view->n_slots; s++) {
        bool used = s == 0 && view->first_is_used;

        if (view->slots[s] != SL_SLOT_ASKED || (view->claiming && view->gained[s] == view->claiming))
            continue;
        for (size_t i = 0; i < view->n_tasks && !used; i++)
            used = view->tasks[i].begun && view->tasks[i].run_slot == s;
        if (!used) {
            view->slots[s] = SL_SLOT_ELSEWHERE;
            return s;
        }
    }
    return SL_NO_SLOT;
}

/* What was given back in good order is still said to be ours, until another says that it has it: else a
 * worker that died long ago would seem to hold it in between. */
const char *sl_view_owner(const struct sl_view *view, const char *self, int32_t slot)
{
    int64_t newest = slot < view->n_slots && view->gained[slot] > 0 ? view->gained[slot] : 0;
    const char *owner = newest && view->slots[slot] == SL_SLOT_HELD ? self : NULL;

    for (size_t i = 0; i < view->n_workers; i++) {
        const struct sl_view_worker *worker = &view->workers[i];

        if ((size_t)slot < worker->n_gained && worker->gained[slot] > newest &&
            strcmp(worker->name, self) != 0) {
            newest = worker->gained[slot];
            owner = worker->name;
        }
    }
    return owner;
}

/* ---- leases ---- */

bool sl_view_begin(struct sl_view *view, const char *connector, int number)
{
    struct sl_view_task *task = sl_view_find(view, connector, number);

    if (!task || task->begun || task->slot == SL_NO_SLOT || view->slots[task->slot] != SL_SLOT_HELD)
        return false;
    task->begun = true;
    task->lost = false;
    task->run_slot = task->slot;
    return true;
}

enum sl_lease sl_view_look(const struct sl_view *view, const char *connector, int number)
{
    const struct sl_view_task *task = sl_view_find(view, connector, number);

    if (!task || !task->begun || task->lost)
        return SL_LEASE_ABANDON;
    if (is_in_doubt(view, task->run_slot))
        return SL_LEASE_HOLD;
    return view->slots[task->run_slot] == SL_SLOT_ASKED || task->slot != task->run_slot ? SL_LEASE_STOP
                                                                                        : SL_LEASE_KEEP;
}

void sl_view_end(struct sl_view *view, const char *connector, int number)
{
    struct sl_view_task *task = sl_view_find(view, connector, number);

    if (!task)
        return;
    task->begun = false;
    task->lost = false;
    sweep(view);
}
