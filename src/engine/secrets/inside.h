/* SPDX-License-Identifier: Apache-2.0 */
/* The open providers, as the files of this folder share them. */
#ifndef SLUICE_ENGINE_SECRETS_INSIDE_H
#define SLUICE_ENGINE_SECRETS_INSIDE_H

#include "base/alloc.h"
#include "base/thread.h"
#include "engine/secrets/secrets.h"

struct provider {
    char *name; /* as references call it */
    const struct sl_provider_ops *ops;
    void *self;
    int64_t upkeep_us; /* when upkeep is due; INT64_MAX: never */
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

/* A path is one of the allowed ones (separated by commas) or below one; both are real paths. */
bool sl_path_is_allowed(const char *allowed, const char *path);

/* The real path of a plain, not too large file below an allowed folder. Errors: CONFIG, NOT_FOUND. */
enum sl_rc sl_path_check(const char *allowed, const char *path, char **ret_real, struct sl_error *err);

/* Where file and directory providers may read when nobody says otherwise. */
#define SL_DEFAULT_ALLOWED_PATHS                                                                        \
    "/vault/secrets,/run/secrets,/var/run/secrets,/etc/secrets,/etc/sluice/secrets,/etc/kafka/secrets," \
    "/opt/kafka/external-configuration"

#endif
