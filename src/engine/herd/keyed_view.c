/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/keyed_view.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"

#include <string.h>

#define SEEN_WITHIN_US (30 * INT64_C(1000000))

/* A write that waits until it is told. */
struct awaited {
    const char *key;
    struct sl_span value;
    bool seen;
    struct awaited *next;
};

struct sl_keyed_view {
    struct sl_transport *transport;
    const char *space;
    sl_text_visitor *visit;
    void *ctx;
    pthread_mutex_t lock; /* guards awaited */
    pthread_cond_t told;
    struct awaited *awaited;
};

static bool same(struct sl_span a, struct sl_span b)
{
    if (!a.ptr || !b.ptr)
        return !a.ptr && !b.ptr;
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static void follow(void *ctx, const char *key, struct sl_span value)
{
    struct sl_keyed_view *view = ctx;

    view->visit(view->ctx, key, value);
    (void)pthread_mutex_lock(&view->lock);
    for (struct awaited *awaited = view->awaited; awaited; awaited = awaited->next) {
        if (!awaited->seen && strcmp(awaited->key, key) == 0 && same(awaited->value, value))
            awaited->seen = true;
    }
    (void)pthread_cond_broadcast(&view->told);
    (void)pthread_mutex_unlock(&view->lock);
}

enum sl_rc sl_keyed_view_open(struct sl_transport *transport, const char *space, sl_text_visitor *visit,
                              void *ctx, struct sl_keyed_view **ret, struct sl_error *err)
{
    struct sl_keyed_view *view = sl_zalloc(1, sizeof(*view));
    enum sl_rc rc = SL_OK;

    *view = (struct sl_keyed_view){.transport = transport, .space = space, .visit = visit, .ctx = ctx};
    (void)pthread_mutex_init(&view->lock, NULL);
    sl_cond_init(&view->told);
    if (transport->ops->watch)
        rc = transport->ops->watch(transport, space, follow, view, err);
    if (rc) {
        view->transport = NULL;
        sl_keyed_view_close(view);
        return rc;
    }
    *ret = view;
    return SL_OK;
}

void sl_keyed_view_close(struct sl_keyed_view *view)
{
    struct sl_error err;

    if (!view)
        return;
    if (view->transport && view->transport->ops->watch)
        (void)view->transport->ops->watch(view->transport, view->space, NULL, view, &err);
    (void)pthread_cond_destroy(&view->told);
    (void)pthread_mutex_destroy(&view->lock);
    sl_free(view);
}

static void await(struct sl_keyed_view *view, struct awaited *awaited)
{
    (void)pthread_mutex_lock(&view->lock);
    awaited->next = view->awaited;
    view->awaited = awaited;
    (void)pthread_mutex_unlock(&view->lock);
}

/* Until it is told; rc is what writing it said. */
static enum sl_rc settle(struct sl_keyed_view *view, struct awaited *awaited, enum sl_rc rc,
                         struct sl_error *err)
{
    int64_t deadline_us = sl_now_us() + SEEN_WITHIN_US;
    struct awaited **link = &view->awaited;

    (void)pthread_mutex_lock(&view->lock);
    while (rc == SL_OK && !awaited->seen && sl_cond_wait(&view->told, &view->lock, deadline_us))
        continue;
    if (rc == SL_OK && !awaited->seen)
        rc = sl_error_set(err, SL_E_TIMEOUT, "a record of '%s' was written and is not read back within 30 s",
                          view->space);
    while (*link != awaited)
        link = &(*link)->next;
    *link = awaited->next;
    (void)pthread_mutex_unlock(&view->lock);
    return rc;
}

enum sl_rc sl_keyed_view_put(struct sl_keyed_view *view, const char *key, struct sl_span value,
                             struct sl_error *err)
{
    const struct sl_transport_ops *ops = view->transport->ops;
    struct awaited awaited = {.key = key, .value = value};
    enum sl_rc rc;

    await(view, &awaited);
    rc = ops->put(view->transport, view->space, key, value, err);
    if (rc == SL_OK && !ops->watch)
        follow(view, key, value);
    return settle(view, &awaited, rc, err);
}

enum sl_rc sl_keyed_view_put_all(struct sl_keyed_view *view, const struct sl_text *texts, size_t n,
                                 struct sl_error *err)
{
    const struct sl_transport_ops *ops = view->transport->ops;
    struct awaited awaited = {0};
    enum sl_rc rc;

    if (!n)
        return SL_OK;
    awaited.key = texts[n - 1].key; /* they are told in their order */
    awaited.value = texts[n - 1].value;
    await(view, &awaited);
    rc = ops->put_all(view->transport, view->space, texts, n, err);
    for (size_t i = 0; rc == SL_OK && !ops->watch && i < n; i++)
        follow(view, texts[i].key, texts[i].value);
    return settle(view, &awaited, rc, err);
}
