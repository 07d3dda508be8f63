/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/config_store.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/herd/keyed_view.h"

#include <stdlib.h>

struct entry {
    char *name;
    json_t *config;   /* NULL: none, or deleted */
    json_t *tasks;    /* committed: an array */
    json_t *buffered; /* number as text -> properties: not committed yet */
    bool committed;
    bool consistent;
    enum sl_target_state target;
};

/* A change that came while everything was being read. */
struct late {
    char *key;
    json_t *value;
};

struct sl_config_store {
    struct sl_transport *transport;
    const struct sl_config_events *events;
    struct sl_keyed_view *view;
    pthread_mutex_t lock; /* guards the rest */
    struct entry **entries;
    size_t n;
    size_t capacity;
    bool loading;
    struct late *late;
    size_t n_late;
    size_t late_capacity;
};

/* What a record was, for who is told of it after the lock is released. */
struct effect {
    bool changed;
    bool restart;
    bool include_tasks;
    bool only_failed;
    char *name;  /* connector of a restart, logger */
    char *level; /* of a logger */
};

/* ---- entries ---- */

static struct entry *find(struct sl_config_store *store, const char *name)
{
    for (size_t i = 0; i < store->n; i++) {
        if (strcmp(store->entries[i]->name, name) == 0)
            return store->entries[i];
    }
    return NULL;
}

static struct entry *find_or_add(struct sl_config_store *store, const char *name)
{
    struct entry *entry = find(store, name);

    if (entry)
        return entry;
    entry = sl_zalloc(1, sizeof(*entry));
    entry->name = sl_strdup(name);
    entry->tasks = json_array();
    entry->buffered = json_object();
    entry->consistent = true;
    SL_GROW(store->entries, store->n, store->capacity);
    store->entries[store->n++] = entry;
    return entry;
}

static void free_entry(struct entry *entry)
{
    json_decref(entry->config);
    json_decref(entry->tasks);
    json_decref(entry->buffered);
    sl_free(entry->name);
    sl_free(entry);
}

/* Everything but its buffered task records, whose commit may still come. */
static void forget(struct entry *entry)
{
    json_decref(entry->config);
    entry->config = NULL;
    (void)json_array_clear(entry->tasks);
    entry->committed = false;
    entry->consistent = true;
    entry->target = SL_TARGET_STARTED;
}

/* ---- records ---- */

static const char *after(const char *key, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(key, prefix, len) == 0 ? key + len : NULL;
}

static void see_connector(struct sl_config_store *store, const char *name, const json_t *value)
{
    struct entry *entry = find_or_add(store, name);
    const json_t *properties = json_object_get(value, "properties");

    if (!json_is_object(properties)) {
        forget(entry);
        return;
    }
    json_decref(entry->config);
    entry->config = json_deep_copy(properties);
}

/* "task-<c>-<n>": the number stands behind the last dash. */
static void see_task(struct sl_config_store *store, const char *rest, const json_t *value)
{
    const char *dash = strrchr(rest, '-');
    const json_t *properties = json_object_get(value, "properties");
    struct entry *entry;
    char *name;

    if (!dash || dash == rest || !dash[1] || strspn(dash + 1, "0123456789") != strlen(dash + 1))
        return;
    name = sl_strndup(rest, (size_t)(dash - rest));
    entry = find_or_add(store, name);
    if (json_is_object(properties))
        (void)json_object_set_new(entry->buffered, dash + 1, json_deep_copy(properties));
    else
        (void)json_object_del(entry->buffered, dash + 1);
    sl_free(name);
}

/*
 * The task configs that take effect: those buffered, and for a number that was not written anew (compaction
 * keeps only the last record of each) the ones from before.
 */
static void see_commit(struct sl_config_store *store, const char *name, const json_t *value)
{
    struct entry *entry = find_or_add(store, name);
    const json_t *count = json_object_get(value, "tasks");
    json_t *tasks;
    char number[24];

    if (!json_is_integer(count) || json_integer_value(count) < 0 || json_integer_value(count) > 100000)
        return;
    tasks = json_array();
    for (json_int_t i = 0; i < json_integer_value(count); i++) {
        json_t *task;

        (void)snprintf(number, sizeof(number), "%lld", (long long)i);
        task = json_object_get(entry->buffered, number);
        if (!task)
            task = json_array_get(entry->tasks, (size_t)i);
        if (!task)
            break;
        (void)json_array_append(tasks, task);
    }
    entry->committed = true;
    entry->consistent = (json_int_t)json_array_size(tasks) == json_integer_value(count);
    if (!entry->consistent)
        (void)json_array_clear(tasks);
    json_decref(entry->tasks);
    entry->tasks = tasks;
    (void)json_object_clear(entry->buffered);
}

static void see_target(struct sl_config_store *store, const char *name, const json_t *value)
{
    struct entry *entry = find_or_add(store, name);
    const char *text = json_string_value(json_object_get(value, "state.v2"));

    if (!text)
        text = json_string_value(json_object_get(value, "state"));
    if (!value || !text)
        entry->target = SL_TARGET_STARTED;
    else if (!sl_target_state_parse(text, &entry->target))
        sl_warn("a target state that nobody knows is left out", SL_T("connector", name), SL_T("state", text));
}

static void see_restart(const char *name, const json_t *value, struct effect *effect)
{
    if (!value)
        return;
    effect->restart = true;
    effect->include_tasks = json_is_true(json_object_get(value, "include-tasks"));
    effect->only_failed = json_is_true(json_object_get(value, "only-failed"));
    effect->name = sl_strdup(name);
}

static void see_logger(const char *name, const json_t *value, struct effect *effect)
{
    const char *level = json_string_value(json_object_get(value, "level"));

    if (!level)
        return;
    effect->name = sl_strdup(name);
    effect->level = sl_strdup(level);
}

/* One record; value NULL: the key is gone. Under the lock. */
static void see(struct sl_config_store *store, const char *key, const json_t *value, struct effect *effect)
{
    const char *rest;

    effect->changed = true;
    if ((rest = after(key, "restart-connector-")) || (rest = after(key, "logger-cluster-")))
        effect->changed = false;
    if (effect->changed) {
        if ((rest = after(key, "connector-")))
            see_connector(store, rest, value);
        else if ((rest = after(key, "task-")))
            see_task(store, rest, value);
        else if ((rest = after(key, "commit-")))
            see_commit(store, rest, value);
        else if ((rest = after(key, "target-state-")))
            see_target(store, rest, value);
        return; /* session-key, tasks-fencing-: not ours to read */
    }
    if (after(key, "restart-connector-"))
        see_restart(rest, value, effect);
    else
        see_logger(rest, value, effect);
}

static json_t *parse(const char *key, struct sl_span value)
{
    json_t *json = NULL;
    struct sl_error err;

    if (!value.ptr)
        return NULL;
    if (sl_json_parse((const char *)value.ptr, value.len, key, &json, &err))
        sl_log_error(SL_LEVEL_WARN, "a record of the configs cannot be read; it is left out", &err);
    return json;
}

static void tell(struct sl_config_store *store, struct effect *effect)
{
    const struct sl_config_events *events = store->events;

    if (effect->changed && events->changed)
        events->changed(events->ctx);
    if (effect->restart && events->restart)
        events->restart(events->ctx, effect->name, effect->include_tasks, effect->only_failed);
    if (effect->level && events->logger)
        events->logger(events->ctx, effect->name, effect->level);
    sl_free(effect->name);
    sl_free(effect->level);
}

/* A change of the space, whoever made it. */
static void follow(void *ctx, const char *key, struct sl_span value)
{
    struct sl_config_store *store = ctx;
    struct effect effect = {0};
    json_t *json = parse(key, value);

    (void)pthread_mutex_lock(&store->lock);
    see(store, key, json, &effect);
    if (store->loading) {
        SL_GROW(store->late, store->n_late, store->late_capacity);
        store->late[store->n_late++] =
            (struct late){.key = sl_strdup(key), .value = json ? json_incref(json) : NULL};
    }
    (void)pthread_mutex_unlock(&store->lock);
    tell(store, &effect);
    json_decref(json);
}

/* ---- reading everything ---- */

struct loading {
    struct sl_config_store *store;
    int pass;
};

/*
 * A list comes in any order, so commits are taken last. Restarts and levels of the past are past: they were
 * requests, not states.
 */
static void load(void *ctx, const char *key, struct sl_span value)
{
    struct loading *loading = ctx;
    struct effect effect = {0};
    json_t *json;

    if ((after(key, "commit-") != NULL) != (loading->pass == 1) || after(key, "restart-connector-") ||
        after(key, "logger-cluster-"))
        return;
    json = parse(key, value);
    if (!json)
        return;
    see(loading->store, key, json, &effect);
    json_decref(json);
}

/* Task records of a connector that was deleted stand in the log for ever: without a config they are nothing.
 */
static void drop_orphans(struct sl_config_store *store)
{
    size_t kept = 0;

    for (size_t i = 0; i < store->n; i++) {
        if (store->entries[i]->config)
            store->entries[kept++] = store->entries[i];
        else
            free_entry(store->entries[i]);
    }
    store->n = kept;
}

static void begin_loading(struct sl_config_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    store->loading = true;
    (void)pthread_mutex_unlock(&store->lock);
}

/* What was read takes the place of what was known; what came meanwhile is newer. */
static void end_loading(struct sl_config_store *store, struct sl_config_store *fresh, bool well)
{
    (void)pthread_mutex_lock(&store->lock);
    if (well) {
        struct sl_config_store old = {.entries = store->entries, .n = store->n};

        store->entries = fresh->entries;
        store->n = fresh->n;
        store->capacity = fresh->capacity;
        fresh->entries = old.entries;
        fresh->n = old.n;
    }
    for (size_t i = 0; i < store->n_late; i++) {
        struct effect told_already = {0};

        if (well)
            see(store, store->late[i].key, store->late[i].value, &told_already);
        sl_free(told_already.name);
        sl_free(told_already.level);
        sl_free(store->late[i].key);
        json_decref(store->late[i].value);
    }
    store->n_late = 0;
    store->loading = false;
    (void)pthread_mutex_unlock(&store->lock);
}

enum sl_rc sl_config_store_refresh(struct sl_config_store *store, struct sl_error *err)
{
    struct sl_config_store fresh = {0};
    enum sl_rc rc = SL_OK;

    begin_loading(store);
    for (int pass = 0; pass < 2 && rc == SL_OK; pass++) {
        struct loading loading = {&fresh, pass};

        rc = store->transport->ops->list(store->transport, SL_CONFIG_SPACE, load, &loading, err);
    }
    if (rc == SL_OK)
        drop_orphans(&fresh);
    end_loading(store, &fresh, rc == SL_OK);
    for (size_t i = 0; i < fresh.n; i++)
        free_entry(fresh.entries[i]);
    sl_free(fresh.entries);
    return rc;
}

enum sl_rc sl_config_store_open(struct sl_transport *transport, const struct sl_config_events *events,
                                struct sl_config_store **ret, struct sl_error *err)
{
    struct sl_config_store *store = sl_zalloc(1, sizeof(*store));
    enum sl_rc rc;

    store->transport = transport;
    store->events = events;
    (void)pthread_mutex_init(&store->lock, NULL);
    rc = sl_keyed_view_open(transport, SL_CONFIG_SPACE, follow, store, &store->view, err);
    if (rc == SL_OK)
        rc = sl_config_store_refresh(store, err);
    if (rc) {
        sl_config_store_close(store);
        return rc;
    }
    *ret = store;
    return SL_OK;
}

void sl_config_store_close(struct sl_config_store *store)
{
    if (!store)
        return;
    sl_keyed_view_close(store->view);
    for (size_t i = 0; i < store->n; i++)
        free_entry(store->entries[i]);
    sl_free(store->entries);
    sl_free(store->late);
    (void)pthread_mutex_destroy(&store->lock);
    sl_free(store);
}

/* ---- reads ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *sl_config_store_names(struct sl_config_store *store)
{
    json_t *names = json_array();
    const char **sorted;
    size_t n = 0;

    (void)pthread_mutex_lock(&store->lock);
    sorted = sl_zalloc(store->n, sizeof(*sorted));
    for (size_t i = 0; i < store->n; i++) {
        if (store->entries[i]->config)
            sorted[n++] = store->entries[i]->name;
    }
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(names, json_string(sorted[i]));
    (void)pthread_mutex_unlock(&store->lock);
    sl_free(sorted);
    return names;
}

bool sl_config_store_read(struct sl_config_store *store, const char *connector, struct sl_config_view *ret)
{
    struct entry *entry;
    bool found;

    (void)pthread_mutex_lock(&store->lock);
    entry = find(store, connector);
    found = entry && entry->config;
    if (found)
        *ret = (struct sl_config_view){
            .config = json_deep_copy(entry->config),
            .tasks = json_deep_copy(entry->tasks),
            .consistent = entry->consistent,
            .committed = entry->committed,
            .target = entry->target,
        };
    (void)pthread_mutex_unlock(&store->lock);
    return found;
}

void sl_config_view_done(struct sl_config_view *view)
{
    json_decref(view->config);
    json_decref(view->tasks);
    *view = (struct sl_config_view){0};
}

bool sl_config_store_has(struct sl_config_store *store, const char *connector)
{
    const struct entry *entry;
    bool has;

    (void)pthread_mutex_lock(&store->lock);
    entry = find(store, connector);
    has = entry && entry->config;
    (void)pthread_mutex_unlock(&store->lock);
    return has;
}

/* ---- writes ---- */

/* Several records that belong together. */
struct writing {
    struct sl_text *texts;
    size_t n;
    size_t capacity;
    char **owned; /* what the texts point to */
    size_t n_owned;
    size_t owned_capacity;
};

static char *own(struct writing *writing, char *text)
{
    SL_GROW(writing->owned, writing->n_owned, writing->owned_capacity);
    return writing->owned[writing->n_owned++] = text;
}

/* The key of prefix and name; the value is taken over, NULL deletes. */
static void add(struct writing *writing, const char *prefix, const char *name, json_t *value)
{
    struct sl_buf text = {0};
    struct sl_span span = {0};

    if (value) {
        sl_json_put(&text, value);
        span = (struct sl_span){(const uint8_t *)own(writing, sl_strdup(sl_buf_cstr(&text))), text.len};
    }
    SL_GROW(writing->texts, writing->n, writing->capacity);
    writing->texts[writing->n++] =
        (struct sl_text){.key = own(writing, sl_format("%s%s", prefix, name)), .value = span};
    sl_buf_done(&text);
    json_decref(value);
}

static enum sl_rc write_all(struct sl_config_store *store, struct writing *writing, struct sl_error *err)
{
    enum sl_rc rc = writing->n == 1
                        ? sl_keyed_view_put(store->view, writing->texts[0].key, writing->texts[0].value, err)
                        : sl_keyed_view_put_all(store->view, writing->texts, writing->n, err);

    for (size_t i = 0; i < writing->n_owned; i++)
        sl_free(writing->owned[i]);
    sl_free(writing->owned);
    sl_free(writing->texts);
    return rc;
}

static enum sl_rc put_named(struct sl_config_store *store, const char *prefix, const char *name,
                            json_t *value, struct sl_error *err)
{
    struct writing writing = {0};

    add(&writing, prefix, name, value);
    return write_all(store, &writing, err);
}

enum sl_rc sl_config_store_put(struct sl_config_store *store, const char *connector, const json_t *config,
                               struct sl_error *err)
{
    return put_named(store, "connector-", connector, json_pack("{s:o}", "properties", json_deep_copy(config)),
                     err);
}

enum sl_rc sl_config_store_remove(struct sl_config_store *store, const char *connector, struct sl_error *err)
{
    struct writing writing = {0};

    add(&writing, "connector-", connector, NULL);
    add(&writing, "target-state-", connector, NULL);
    return write_all(store, &writing, err);
}

enum sl_rc sl_config_store_put_tasks(struct sl_config_store *store, const char *connector,
                                     const json_t *tasks, struct sl_error *err)
{
    struct writing writing = {0};
    size_t n = json_array_size(tasks);

    for (size_t i = 0; i < n; i++) {
        char *name = sl_format("%s-%zu", connector, i);

        add(&writing, "task-", name,
            json_pack("{s:o}", "properties", json_deep_copy(json_array_get(tasks, i))));
        sl_free(name);
    }
    add(&writing, "commit-", connector, json_pack("{s:I}", "tasks", (json_int_t)n));
    return write_all(store, &writing, err);
}

enum sl_rc sl_config_store_put_target(struct sl_config_store *store, const char *connector,
                                      enum sl_target_state target, struct sl_error *err)
{
    /* Workers before 3.5 know no STOPPED: to them it is PAUSED. */
    const char *old = sl_target_state_name(target == SL_TARGET_STOPPED ? SL_TARGET_PAUSED : target);

    return put_named(store, "target-state-", connector,
                     json_pack("{s:s, s:s}", "state", old, "state.v2", sl_target_state_name(target)), err);
}

enum sl_rc sl_config_store_put_restart(struct sl_config_store *store, const char *connector,
                                       bool include_tasks, bool only_failed, struct sl_error *err)
{
    return put_named(store, "restart-connector-", connector,
                     json_pack("{s:b, s:b}", "include-tasks", include_tasks, "only-failed", only_failed),
                     err);
}

enum sl_rc sl_config_store_put_logger(struct sl_config_store *store, const char *logger, const char *level,
                                      struct sl_error *err)
{
    return put_named(store, "logger-cluster-", logger, json_pack("{s:s}", "level", level), err);
}
