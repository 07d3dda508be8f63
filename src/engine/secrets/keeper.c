/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that keeps tokens alive and looks whether a secret with a time to live has become another. */
#include "engine/secrets/inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/props.h"

#include <string.h>

enum {
    SHORTEST_MS = 200, /* between two readings of one connector's references */
    LONGEST_RETRY_MS = 30 * 1000,
};

/* One reading: what is needed of a watch while the lock is not held. */
struct reading {
    char *name;
    uint64_t id;
    struct sl_props *raw;
};

static struct watch *find(struct sl_secrets *secrets, uint64_t id)
{
    for (size_t i = 0; i < secrets->n_watches; i++) {
        if (secrets->watches[i].id == id)
            return &secrets->watches[i];
    }
    return NULL;
}

/* Under the lock: the next time after a failure or a reading. */
static void plan_next(struct watch *watch, int64_t ttl_ms)
{
    int64_t wait_ms = ttl_ms < SHORTEST_MS ? SHORTEST_MS : ttl_ms;

    if (watch->failures) {
        int64_t retry_ms = INT64_C(1000) << (watch->failures < 6 ? watch->failures - 1 : 5);

        wait_ms = retry_ms < LONGEST_RETRY_MS ? retry_ms : LONGEST_RETRY_MS;
    }
    watch->due_us = sl_now_us() + wait_ms * 1000;
}

static void say_failure(const struct reading *reading, const struct watch *watch, const struct sl_error *err)
{
    sl_log_context(reading->name, NULL);
    if (watch->failures == 1 && err->rc != SL_E_STOPPED)
        sl_log_error(SL_LEVEL_WARN, "secrets could not be read again; the ones that are known stay in use",
                     err);
    sl_log_context(NULL, NULL);
}

/* The answer to a reading goes into its watch, if that still stands. True: tell whoever watches. */
static bool take_answer(struct sl_secrets *secrets, const struct reading *reading, struct sl_props *resolved,
                        int64_t ttl_ms, const struct sl_error *err, struct watch *ret_told)
{
    struct watch *watch;
    bool changed = false;

    (void)pthread_mutex_lock(&secrets->lock);
    watch = find(secrets, reading->id);
    if (watch && !resolved) {
        watch->failures++;
        say_failure(reading, watch, err);
        plan_next(watch, watch->ttl_ms);
    } else if (watch) {
        watch->failures = 0;
        if (ttl_ms >= 0)
            watch->ttl_ms = ttl_ms;
        changed = !sl_props_same(resolved, watch->resolved);
        if (changed) {
            sl_props_free(watch->resolved);
            watch->resolved = sl_props_copy(resolved);
        }
        plan_next(watch, watch->ttl_ms);
        *ret_told = *watch;
    }
    (void)pthread_mutex_unlock(&secrets->lock);
    return changed;
}

static void read_again(struct sl_secrets *secrets, const struct reading *reading)
{
    struct sl_props *resolved = NULL;
    struct sl_error err = {0};
    struct watch told = {0};
    int64_t ttl_ms = -1;

    (void)sl_secrets_resolve(secrets, reading->raw, NULL, &resolved, &ttl_ms, &err);
    if (take_answer(secrets, reading, resolved, ttl_ms, &err, &told)) {
        sl_log_context(reading->name, NULL);
        sl_info("a secret has become another; the connector starts again with it");
        sl_log_context(NULL, NULL);
        told.changed(told.ctx, reading->name);
    }
    sl_props_free(resolved);
}

/* Under the lock: a copy of what is due; false when nothing is. */
static bool take_due(struct sl_secrets *secrets, struct reading *ret)
{
    for (size_t i = 0; i < secrets->n_watches; i++) {
        const struct watch *watch = &secrets->watches[i];

        if (watch->due_us > sl_now_us())
            continue;
        *ret = (struct reading){
            .name = sl_strdup(watch->name), .id = watch->id, .raw = sl_props_copy(watch->raw)};
        return true;
    }
    return false;
}

static void renew(struct sl_secrets *secrets)
{
    for (size_t i = 0; i < secrets->n_providers; i++) {
        struct provider *provider = &secrets->providers[i];

        if (provider->upkeep_us > sl_now_us())
            continue;
        (void)pthread_mutex_lock(&secrets->asking);
        provider->upkeep_us = provider->ops->upkeep(provider->self);
        (void)pthread_mutex_unlock(&secrets->asking);
    }
}

/* Under the lock. */
static int64_t next_us(const struct sl_secrets *secrets)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < secrets->n_providers; i++) {
        if (secrets->providers[i].upkeep_us < next)
            next = secrets->providers[i].upkeep_us;
    }
    for (size_t i = 0; i < secrets->n_watches; i++) {
        if (secrets->watches[i].due_us < next)
            next = secrets->watches[i].due_us;
    }
    return next;
}

void sl_secrets_keep(void *arg)
{
    struct sl_secrets *secrets = arg;

    (void)pthread_mutex_lock(&secrets->lock);
    while (!secrets->stopping) {
        struct reading reading;
        bool due;

        if (next_us(secrets) > sl_now_us()) {
            (void)sl_cond_wait(&secrets->woken, &secrets->lock, next_us(secrets));
            continue;
        }
        due = take_due(secrets, &reading);
        (void)pthread_mutex_unlock(&secrets->lock);
        if (due) {
            read_again(secrets, &reading);
            sl_free(reading.name);
            sl_props_free(reading.raw);
        }
        renew(secrets);
        (void)pthread_mutex_lock(&secrets->lock);
    }
    (void)pthread_mutex_unlock(&secrets->lock);
}
