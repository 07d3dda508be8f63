/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/status_store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/herd/keyed_view.h"

#include <stdlib.h>

struct sl_status_store {
    struct sl_keyed_view *view;
    pthread_mutex_t lock; /* guards known */
    json_t *known;        /* key -> value, as in the log */
};

const char *sl_part_state_name(enum sl_part_state state)
{
    static const char *const names[] = {"UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "RESTARTING", "STOPPED"};

    return names[state];
}

static char *part_key(const char *connector, int task)
{
    return task < 0 ? sl_format("status-connector-%s", connector)
                    : sl_format("status-task-%s-%d", connector, task);
}

static char *topic_key(const char *connector, const char *topic)
{
    return sl_format("status-topic-%s:connector-%s", topic, connector);
}

/* A change of the space, whoever made it. */
static void follow(void *ctx, const char *key, struct sl_span value)
{
    struct sl_status_store *store = ctx;
    json_t *json = NULL;
    struct sl_error err;

    if (value.ptr && sl_json_parse((const char *)value.ptr, value.len, key, &json, &err)) {
        sl_log_error(SL_LEVEL_WARN, "a record of the statuses cannot be read; it is left out", &err);
        return;
    }
    (void)pthread_mutex_lock(&store->lock);
    if (json)
        (void)json_object_set_new(store->known, key, json);
    else
        (void)json_object_del(store->known, key);
    (void)pthread_mutex_unlock(&store->lock);
}

enum sl_rc sl_status_store_open(struct sl_transport *transport, struct sl_status_store **ret,
                                struct sl_error *err)
{
    struct sl_status_store *store = sl_zalloc(1, sizeof(*store));
    enum sl_rc rc;

    store->known = json_object();
    (void)pthread_mutex_init(&store->lock, NULL);
    rc = sl_keyed_view_open(transport, SL_STATUSES_SPACE, follow, store, &store->view, err);
    if (rc == SL_OK)
        rc = transport->ops->list(transport, SL_STATUSES_SPACE, follow, store, err);
    if (rc) {
        sl_status_store_close(store);
        return rc;
    }
    *ret = store;
    return SL_OK;
}

void sl_status_store_close(struct sl_status_store *store)
{
    if (!store)
        return;
    sl_keyed_view_close(store->view);
    json_decref(store->known);
    (void)pthread_mutex_destroy(&store->lock);
    sl_free(store);
}

/* ---- writing ---- */

/* Key and value are taken over; value NULL deletes. */
static enum sl_rc put(struct sl_status_store *store, char *key, json_t *value, struct sl_error *err)
{
    struct sl_buf text = {0};
    struct sl_span span = {0};
    enum sl_rc rc;

    if (value) {
        sl_json_put(&text, value);
        span = (struct sl_span){text.data, text.len};
    }
    rc = sl_keyed_view_put(store->view, key, span, err);
    sl_buf_done(&text);
    json_decref(value);
    sl_free(key);
    return rc;
}

enum sl_rc sl_status_store_put(struct sl_status_store *store, const char *connector, int task,
                               const struct sl_part_status *status, struct sl_error *err)
{
    json_t *value =
        json_pack("{s:s, s:s?, s:s, s:I}", "state", sl_part_state_name(status->state), "trace", status->trace,
                  "worker_id", status->worker_id, "generation", (json_int_t)status->generation);

    return put(store, part_key(connector, task), value, err);
}

/* Under the lock: somebody else said the last of it. */
static bool is_anothers(const json_t *known, const char *worker_id)
{
    const char *worker = json_string_value(json_object_get(known, "worker_id"));

    return known && (!worker || strcmp(worker, worker_id) != 0);
}

static bool may_cover(struct sl_status_store *store, const char *key, const struct sl_part_status *status)
{
    const json_t *known;
    bool may;

    (void)pthread_mutex_lock(&store->lock);
    known = json_object_get(store->known, key);
    may = !is_anothers(known, status->worker_id) ||
          json_integer_value(json_object_get(known, "generation")) <= status->generation;
    (void)pthread_mutex_unlock(&store->lock);
    return may;
}

bool sl_status_store_is_covered(struct sl_status_store *store, const char *connector, int task,
                                const char *worker_id)
{
    char *key = part_key(connector, task);
    bool covered;

    (void)pthread_mutex_lock(&store->lock);
    covered = is_anothers(json_object_get(store->known, key), worker_id);
    (void)pthread_mutex_unlock(&store->lock);
    sl_free(key);
    return covered;
}

enum sl_rc sl_status_store_put_safe(struct sl_status_store *store, const char *connector, int task,
                                    const struct sl_part_status *status, struct sl_error *err)
{
    char *key = part_key(connector, task);
    bool may = may_cover(store, key, status);

    sl_free(key);
    return may ? sl_status_store_put(store, connector, task, status, err) : SL_OK;
}

static bool knows(struct sl_status_store *store, const char *key)
{
    bool known;

    (void)pthread_mutex_lock(&store->lock);
    known = json_object_get(store->known, key) != NULL;
    (void)pthread_mutex_unlock(&store->lock);
    return known;
}

enum sl_rc sl_status_store_remove(struct sl_status_store *store, const char *connector, int task,
                                  struct sl_error *err)
{
    char *key = part_key(connector, task);

    if (knows(store, key))
        return put(store, key, NULL, err);
    sl_free(key);
    return SL_OK;
}

/* ---- reading ---- */

json_t *sl_status_store_read(struct sl_status_store *store, const char *connector, int task)
{
    char *key = part_key(connector, task);
    const json_t *known;
    json_t *shown = NULL;

    (void)pthread_mutex_lock(&store->lock);
    known = json_object_get(store->known, key);
    if (known) {
        const json_t *trace = json_object_get(known, "trace");
        const char *state = json_string_value(json_object_get(known, "state"));
        const char *worker = json_string_value(json_object_get(known, "worker_id"));

        shown =
            json_pack("{s:s, s:s}", "state", state ? state : "UNASSIGNED", "worker_id", worker ? worker : "");
        if (json_is_string(trace))
            (void)json_object_set_new(shown, "trace", json_string(json_string_value(trace)));
    }
    (void)pthread_mutex_unlock(&store->lock);
    sl_free(key);
    return shown;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

size_t sl_status_store_tasks(struct sl_status_store *store, const char *connector, int **ret)
{
    char *prefix = sl_format("status-task-%s-", connector);
    size_t len = strlen(prefix);
    size_t capacity = 0;
    int *numbers = NULL;
    size_t n = 0;
    const char *key;
    json_t *value;

    (void)pthread_mutex_lock(&store->lock);
    json_object_foreach(store->known, key, value)
    {
        const char *digits = key + len;

        if (strncmp(key, prefix, len) != 0 || !*digits || strlen(digits) > 6 ||
            strspn(digits, "0123456789") != strlen(digits))
            continue;
        SL_GROW(numbers, n, capacity);
        numbers[n++] = (int)strtol(digits, NULL, 10);
    }
    (void)pthread_mutex_unlock(&store->lock);
    sl_free(prefix);
    if (n)
        qsort(numbers, n, sizeof(*numbers), by_number);
    *ret = numbers;
    return n;
}

/* ---- topics ---- */

enum sl_rc sl_status_store_put_topic(struct sl_status_store *store, const char *connector, int task,
                                     const char *topic, struct sl_error *err)
{
    char *key = topic_key(connector, topic);

    if (!knows(store, key))
        return put(store, key,
                   json_pack("{s:{s:s, s:s, s:i, s:I}}", "topic", "name", topic, "connector", connector,
                             "task", task, "discoverTimestamp", (json_int_t)(sl_wall_us() / 1000)),
                   err);
    sl_free(key);
    return SL_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

json_t *sl_status_store_topics(struct sl_status_store *store, const char *connector)
{
    json_t *topics = json_array();
    json_t **found = NULL;
    size_t capacity = 0;
    size_t n = 0;
    const char *key;
    json_t *value;

    (void)pthread_mutex_lock(&store->lock);
    json_object_foreach(store->known, key, value)
    {
        const json_t *topic = json_object_get(value, "topic");
        const char *owner = json_string_value(json_object_get(topic, "connector"));
        const char *name = json_string_value(json_object_get(topic, "name"));

        if (strncmp(key, "status-topic-", 13) != 0 || !owner || !name || strcmp(owner, connector) != 0)
            continue;
        SL_GROW(found, n, capacity);
        found[n++] = json_string(name);
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (n)
        qsort(found, n, sizeof(*found), by_text);
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(topics, found[i]);
    sl_free(found);
    return topics;
}

enum sl_rc sl_status_store_remove_topics(struct sl_status_store *store, const char *connector,
                                         struct sl_error *err)
{
    json_t *topics = sl_status_store_topics(store, connector);
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < json_array_size(topics); i++)
        rc = put(store, topic_key(connector, json_string_value(json_array_get(topics, i))), NULL, err);
    json_decref(topics);
    return rc;
}
