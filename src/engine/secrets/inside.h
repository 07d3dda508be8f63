/* SPDX-License-Identifier: Apache-2.0 */
/* The open providers, as the files of this folder share them. */
#ifndef SLUICE_ENGINE_SECRETS_INSIDE_H
#define SLUICE_ENGINE_SECRETS_INSIDE_H

#include "base/alloc.h"
#include "base/thread.h"
#include "engine/breaker.h"
#include "engine/secrets/path.h"
#include "engine/secrets/secrets.h"

struct provider {
    char *name; /* as references call it */
    const struct sl_provider_ops *ops;
    void *self;
    int64_t upkeep_us;   /* when upkeep is due; INT64_MAX: never */
    struct sl_seat seat; /* at the breaker of the server that is asked; guarded by asking */
};

/* A connector whose references have a time to live. */
struct watch {
    char *name;
    uint64_t id; /* which watch of that name */
    struct sl_props *raw, *resolved;
    int64_t ttl_ms;
    int64_t due_us;
    int failures; /* in a row */
    void (*changed)(void *ctx, const char *name);
    void *ctx;
};

struct sl_secrets {
    struct provider *providers; /* fixed once open */
    size_t n_providers;
    pthread_mutex_t asking; /* one question at a time; guards what the providers keep */

    struct sl_thread thread;
    pthread_mutex_t lock; /* guards the watches and stopping */
    pthread_cond_t woken;
    struct watch *watches;
    size_t n_watches, capacity;
    uint64_t last_id;
    bool stopping;
};

/* The keeper's main function. */
void sl_secrets_keep(void *arg);

#endif
