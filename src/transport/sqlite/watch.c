/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/sqlite/watch.h"

#include "base/alloc.h"

#include <string.h>

struct sl_sqlite_watcher {
    char *space;
    sl_text_visitor *visit;
    void *ctx;
};

struct sl_sqlite_change {
    struct sl_sqlite_change *next;
    char *space;
    char *key;
    char *value; /* NULL: the key is gone */
    size_t value_len;
};

void sl_sqlite_watches_init(struct sl_sqlite_watches *watches)
{
    *watches = (struct sl_sqlite_watches){0};
    (void)pthread_mutex_init(&watches->lock, NULL);
    sl_cond_init(&watches->changed);
}

static void free_change(struct sl_sqlite_change *change)
{
    sl_free(change->space);
    sl_free(change->key);
    sl_free(change->value);
    sl_free(change);
}

void sl_sqlite_watches_done(struct sl_sqlite_watches *watches)
{
    (void)pthread_mutex_lock(&watches->lock);
    watches->stopping = true;
    (void)pthread_cond_broadcast(&watches->changed);
    (void)pthread_mutex_unlock(&watches->lock);
    sl_thread_join(&watches->thread);
    while (watches->first) {
        struct sl_sqlite_change *change = watches->first;

        watches->first = change->next;
        free_change(change);
    }
    for (size_t i = 0; i < watches->n_watchers; i++)
        sl_free(watches->watchers[i].space);
    sl_free(watches->watchers);
    (void)pthread_cond_destroy(&watches->changed);
    (void)pthread_mutex_destroy(&watches->lock);
}

/* The watchers may change between two calls: one that is new hears of this change too, which does no harm. */
static void tell_all(struct sl_sqlite_watches *watches, const struct sl_sqlite_change *change)
{
    for (size_t i = 0; i < watches->n_watchers; i++) {
        struct sl_sqlite_watcher watcher = watches->watchers[i];

        if (strcmp(watcher.space, change->space) != 0)
            continue;
        watches->telling = watcher.ctx;
        (void)pthread_mutex_unlock(&watches->lock);
        watcher.visit(watcher.ctx, change->key,
                      (struct sl_span){(const uint8_t *)change->value, change->value_len});
        (void)pthread_mutex_lock(&watches->lock);
        watches->telling = NULL;
        (void)pthread_cond_broadcast(&watches->changed);
    }
}

static void run(void *arg)
{
    struct sl_sqlite_watches *watches = arg;

    (void)pthread_mutex_lock(&watches->lock);
    while (!watches->stopping) {
        struct sl_sqlite_change *change = watches->first;

        if (!change) {
            (void)sl_cond_wait(&watches->changed, &watches->lock, INT64_MAX);
            continue;
        }
        watches->first = change->next;
        if (!watches->first)
            watches->last = NULL;
        tell_all(watches, change);
        free_change(change);
    }
    (void)pthread_mutex_unlock(&watches->lock);
}

static void forget(struct sl_sqlite_watches *watches, const char *space, const void *ctx)
{
    size_t kept = 0;

    for (size_t i = 0; i < watches->n_watchers; i++) {
        if (watches->watchers[i].ctx == ctx && strcmp(watches->watchers[i].space, space) == 0)
            sl_free(watches->watchers[i].space);
        else
            watches->watchers[kept++] = watches->watchers[i];
    }
    watches->n_watchers = kept;
    while (watches->telling == ctx && ctx)
        (void)sl_cond_wait(&watches->changed, &watches->lock, INT64_MAX);
}

void sl_sqlite_watches_set(struct sl_sqlite_watches *watches, const char *space, sl_text_visitor *visit,
                           void *ctx)
{
    (void)pthread_mutex_lock(&watches->lock);
    if (visit) {
        SL_GROW(watches->watchers, watches->n_watchers, watches->watchers_capacity);
        watches->watchers[watches->n_watchers++] =
            (struct sl_sqlite_watcher){.space = sl_strdup(space), .visit = visit, .ctx = ctx};
        if (!watches->thread.started)
            sl_thread_start(&watches->thread, "watch", run, watches);
    } else {
        forget(watches, space, ctx);
    }
    (void)pthread_mutex_unlock(&watches->lock);
}

static bool is_watched(const struct sl_sqlite_watches *watches, const char *space)
{
    for (size_t i = 0; i < watches->n_watchers; i++) {
        if (strcmp(watches->watchers[i].space, space) == 0)
            return true;
    }
    return false;
}

void sl_sqlite_watches_tell(struct sl_sqlite_watches *watches, const char *space, const char *key,
                            struct sl_span value)
{
    struct sl_sqlite_change *change;

    (void)pthread_mutex_lock(&watches->lock);
    if (is_watched(watches, space)) {
        change = sl_zalloc(1, sizeof(*change));
        change->space = sl_strdup(space);
        change->key = sl_strdup(key);
        change->value = value.ptr ? sl_strndup((const char *)value.ptr, value.len) : NULL;
        change->value_len = value.len;
        if (watches->last)
            watches->last->next = change;
        else
            watches->first = change;
        watches->last = change;
        (void)pthread_cond_broadcast(&watches->changed);
    }
    (void)pthread_mutex_unlock(&watches->lock);
}
