/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/inside.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "base/props.h"

#include <stdio.h>
#include <strings.h>

/* ---- the providers' settings ---- */

static bool is_class(const struct sl_provider_ops *ops, const char *class_name)
{
    if (strcasecmp(ops->name, class_name) == 0)
        return true;
    for (const char *const *known = ops->classes; *known; known++) {
        const char *dot = strrchr(*known, '.');

        if (strcmp(*known, class_name) == 0 || (dot && strcmp(dot + 1, class_name) == 0))
            return true;
    }
    return false;
}

static const struct sl_provider_ops *find_ops(const struct sl_provider_ops *const *providers,
                                              const char *class_name)
{
    for (; *providers; providers++) {
        if (is_class(*providers, class_name))
            return *providers;
    }
    return NULL;
}

static void say_unknown_class(const struct sl_provider_ops *const *providers, const char *key,
                              const char *class_name, struct sl_complaints *complaints)
{
    struct sl_nearest nearest = {.word = class_name};
    struct sl_buf all = {0};

    for (size_t i = 0; providers[i]; i++) {
        sl_buf_format(&all, "%s%s", i ? ", " : "", providers[i]->name);
        sl_nearest_try(&nearest, providers[i]->name);
        for (const char *const *known = providers[i]->classes; *known; known++)
            sl_nearest_try(&nearest, *known);
    }
    if (nearest.best)
        sl_complain(complaints, key, "there is no config provider class '%s'. HINT: did you mean '%s'?",
                    class_name, nearest.best);
    else
        sl_complain(complaints, key, "there is no config provider class '%s'. HINT: use one of: %s",
                    class_name, sl_buf_cstr(&all));
    sl_buf_done(&all);
}

static const char *class_of(const struct sl_props *worker, const char *name, char key[300])
{
    (void)snprintf(key, 300, "config.providers.%s.class", name);
    return sl_props_get(worker, key);
}

/* What stands behind config.providers.<name>.param. */
static struct sl_props *params_of(const struct sl_props *worker, const char *name)
{
    struct sl_props *params = sl_props_new();
    char prefix[300];
    size_t len = (size_t)snprintf(prefix, sizeof(prefix), "config.providers.%.200s.param.", name);

    for (size_t i = 0; i < sl_props_count(worker); i++) {
        const char *key;
        const char *value;

        sl_props_at(worker, i, &key, &value);
        if (strncmp(key, prefix, len) == 0)
            sl_props_set(params, key + len, value);
    }
    return params;
}

static void check_one(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                      const char *name, struct sl_complaints *complaints)
{
    const struct sl_provider_ops *ops;
    const char *class_name;
    char key[300];

    class_name = class_of(worker, name, key);
    if (!class_name || !*class_name) {
        sl_complain(complaints, key, "is required and not given: the class of config provider '%s'", name);
        return;
    }
    ops = find_ops(providers, class_name);
    if (!ops) {
        say_unknown_class(providers, key, class_name, complaints);
        return;
    }
    (void)snprintf(key, sizeof(key), "config.providers.%.200s.param.", name);
    sl_options_check(ops->options, worker, key, complaints);
}

void sl_secrets_check(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                      struct sl_complaints *complaints)
{
    const char *cursor = sl_props_get(worker, "config.providers");
    char name[200];

    while (cursor && sl_list_next(&cursor, name, sizeof(name)))
        check_one(providers, worker, name, complaints);
}

bool sl_secrets_know(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                     const char *key)
{
    const char *cursor = sl_props_get(worker, "config.providers");
    char name[200];

    if (strcmp(key, "config.providers") == 0)
        return true;
    while (cursor && sl_list_next(&cursor, name, sizeof(name))) {
        char prefix[300];
        const char *class_name = class_of(worker, name, prefix);
        const struct sl_provider_ops *ops = class_name ? find_ops(providers, class_name) : NULL;
        size_t len;

        if (strcmp(key, prefix) == 0)
            return true;
        len = (size_t)snprintf(prefix, sizeof(prefix), "config.providers.%s.param.", name);
        if (ops && strncmp(key, prefix, len) == 0)
            return sl_options_know(ops->options, key + len);
    }
    return false;
}

/* ---- open and close ---- */

static enum sl_rc open_one(struct sl_secrets *secrets, const struct sl_provider_ops *ops, const char *name,
                           const struct sl_props *raw, struct sl_error *err)
{
    struct provider *provider = &secrets->providers[secrets->n_providers];
    struct sl_props *params = NULL;
    int64_t ttl_ms;
    enum sl_rc rc = sl_secrets_resolve(secrets, raw, NULL, &params, &ttl_ms, err);

    if (rc == SL_OK) {
        sl_options_hide(ops->options, params, NULL);
        *provider = (struct provider){.ops = ops, .upkeep_us = ops->upkeep ? 0 : INT64_MAX};
        rc = ops->open(params, &provider->self, err);
    }
    sl_props_free(params);
    if (rc)
        return sl_error_wrap(err, "config provider '%s'", name);
    provider->name = sl_strdup(name);
    if (ops->address)
        sl_seat_take(&provider->seat, ops->name, ops->address(provider->self), true);
    secrets->n_providers++;
    return SL_OK;
}

static enum sl_rc open_all(struct sl_secrets *secrets, const struct sl_provider_ops *const *providers,
                           const struct sl_props *worker, struct sl_error *err)
{
    const char *cursor = sl_props_get(worker, "config.providers");
    enum sl_rc rc = SL_OK;
    char name[200];

    while (rc == SL_OK && cursor && sl_list_next(&cursor, name, sizeof(name))) {
        char key[300];
        const char *class_name = class_of(worker, name, key);
        const struct sl_provider_ops *ops = class_name ? find_ops(providers, class_name) : NULL;
        struct sl_props *params = params_of(worker, name);

        secrets->providers =
            sl_realloc(secrets->providers, secrets->n_providers + 1, sizeof(*secrets->providers));
        rc = ops ? open_one(secrets, ops, name, params, err)
                 : sl_error_set(err, SL_E_CONFIG, "there is no class for the config provider '%s'", name);
        sl_props_free(params);
    }
    return rc;
}

enum sl_rc sl_secrets_open(const struct sl_provider_ops *const *providers, const struct sl_props *worker,
                           struct sl_secrets **ret, struct sl_error *err)
{
    struct sl_secrets *secrets = sl_zalloc(1, sizeof(*secrets));
    enum sl_rc rc;

    (void)pthread_mutex_init(&secrets->asking, NULL);
    (void)pthread_mutex_init(&secrets->lock, NULL);
    sl_cond_init(&secrets->woken);
    rc = open_all(secrets, providers, worker, err);
    if (rc) {
        sl_secrets_close(secrets);
        return rc;
    }
    if (secrets->n_providers)
        sl_thread_start(&secrets->thread, "secrets", sl_secrets_keep, secrets);
    *ret = secrets;
    return SL_OK;
}

static void free_watch(struct watch *watch)
{
    sl_free(watch->name);
    sl_props_free(watch->raw);
    sl_props_free(watch->resolved);
}

void sl_secrets_close(struct sl_secrets *secrets)
{
    if (!secrets)
        return;
    (void)pthread_mutex_lock(&secrets->lock);
    secrets->stopping = true;
    (void)pthread_cond_signal(&secrets->woken);
    (void)pthread_mutex_unlock(&secrets->lock);
    for (size_t i = 0; i < secrets->n_providers; i++) {
        if (secrets->providers[i].ops->wake)
            secrets->providers[i].ops->wake(secrets->providers[i].self);
    }
    sl_thread_join(&secrets->thread);
    for (size_t i = 0; i < secrets->n_providers; i++) {
        sl_seat_leave(&secrets->providers[i].seat);
        secrets->providers[i].ops->close(secrets->providers[i].self);
        sl_free(secrets->providers[i].name);
    }
    for (size_t i = 0; i < secrets->n_watches; i++)
        free_watch(&secrets->watches[i]);
    sl_free(secrets->watches);
    sl_free(secrets->providers);
    (void)pthread_cond_destroy(&secrets->woken);
    (void)pthread_mutex_destroy(&secrets->lock);
    (void)pthread_mutex_destroy(&secrets->asking);
    sl_free(secrets);
}

/* ---- watches ---- */

static void remove_watch(struct sl_secrets *secrets, const char *name)
{
    for (size_t i = 0; i < secrets->n_watches; i++) {
        if (strcmp(secrets->watches[i].name, name) != 0)
            continue;
        free_watch(&secrets->watches[i]);
        secrets->watches[i] = secrets->watches[--secrets->n_watches];
        return;
    }
}

void sl_secrets_unwatch(struct sl_secrets *secrets, const char *name)
{
    if (!secrets)
        return;
    (void)pthread_mutex_lock(&secrets->lock);
    remove_watch(secrets, name);
    (void)pthread_mutex_unlock(&secrets->lock);
}

void sl_secrets_watch(struct sl_secrets *secrets, const char *name, const struct sl_props *raw,
                      const struct sl_props *resolved, int64_t ttl_ms,
                      void (*changed)(void *ctx, const char *name), void *ctx)
{
    if (!secrets || ttl_ms < 0)
        return;
    (void)pthread_mutex_lock(&secrets->lock);
    remove_watch(secrets, name);
    SL_GROW(secrets->watches, secrets->n_watches, secrets->capacity);
    secrets->watches[secrets->n_watches++] = (struct watch){.name = sl_strdup(name),
                                                            .id = ++secrets->last_id,
                                                            .raw = sl_props_copy(raw),
                                                            .resolved = sl_props_copy(resolved),
                                                            .ttl_ms = ttl_ms,
                                                            .due_us = sl_now_us() + ttl_ms * 1000,
                                                            .changed = changed,
                                                            .ctx = ctx};
    (void)pthread_cond_signal(&secrets->woken);
    (void)pthread_mutex_unlock(&secrets->lock);
}
