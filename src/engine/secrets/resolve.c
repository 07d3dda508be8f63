/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/inside.h"
#include "engine/secrets/reference.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/props.h"

#include <stdio.h>
#include <unistd.h>

#define AT_ONCE_US INT64_C(200000)

/* A reference that was found, and what became of it. */
struct found {
    struct provider *provider; /* NULL: there is none of that name */
    const char *setting;
    char *name; /* of the provider */
    char *path;
    char *key;
    struct sl_secret *value; /* NULL: no such key */
    bool asked;
};

/* All references of one set of settings, in the order in which they stand there. */
struct work {
    struct sl_secrets *secrets;
    const struct sl_props *raw;
    struct found *found;
    size_t n, capacity;
    int64_t ttl_ms;
};

static struct provider *find_provider(const struct sl_secrets *secrets, const char *name, size_t len)
{
    for (size_t i = 0; secrets && i < secrets->n_providers; i++) {
        if (strlen(secrets->providers[i].name) == len && memcmp(secrets->providers[i].name, name, len) == 0)
            return &secrets->providers[i];
    }
    return NULL;
}

static void add(struct work *work, const char *setting, const struct sl_reference *reference)
{
    SL_GROW(work->found, work->n, work->capacity);
    work->found[work->n++] =
        (struct found){.provider = find_provider(work->secrets, reference->provider, reference->provider_len),
                       .setting = setting,
                       .name = sl_strndup(reference->provider, reference->provider_len),
                       .path = sl_strndup(reference->path, reference->path_len),
                       .key = sl_strndup(reference->key, reference->key_len)};
}

/* "vault:secret/database#key", where a provider of that name takes the form. */
static bool is_with_hash(const struct work *work, const char *text, struct sl_reference *ret)
{
    const struct provider *provider;

    if (!sl_reference_with_hash(text, ret))
        return false;
    provider = find_provider(work->secrets, ret->provider, ret->provider_len);
    return provider && provider->ops->with_hash;
}

/* The worker's own config.providers.* are the providers', and plugin.path is never resolved. */
static bool is_left_alone(const char *setting)
{
    return strcmp(setting, "plugin.path") == 0 || strncmp(setting, "config.providers", 16) == 0;
}

static void collect(struct work *work)
{
    for (size_t i = 0; i < sl_props_count(work->raw); i++) {
        struct sl_reference reference;
        const char *setting;
        const char *cursor;

        sl_props_at(work->raw, i, &setting, &cursor);
        if (is_left_alone(setting))
            continue;
        if (is_with_hash(work, cursor, &reference)) {
            add(work, setting, &reference);
            continue;
        }
        while (sl_reference_next(&cursor, &reference))
            add(work, setting, &reference);
    }
}

/* ---- asking ---- */

static bool same_path(const struct found *a, const struct found *b)
{
    return a->provider == b->provider && strcmp(a->path, b->path) == 0;
}

/* While its server is left alone nobody waits for it once more; what is due in a moment is waited for. */
static enum sl_rc take_turn(struct provider *provider, struct sl_error *err)
{
    int64_t wait_us = 0;
    char last[200];

    if (sl_seat_may_ask(&provider->seat, &wait_us))
        return SL_OK;
    if (wait_us <= AT_ONCE_US) {
        (void)usleep((useconds_t)wait_us);
        if (sl_seat_may_ask(&provider->seat, &wait_us))
            return SL_OK;
    }
    sl_seat_explain(&provider->seat, last, sizeof(last));
    return sl_error_set(err, SL_E_BUSY, "not asked again for another %lld ms, for it did not answer: %s",
                        (long long)(wait_us / 1000), last);
}

static enum sl_rc get(struct provider *provider, const char *path, struct sl_secret_wanted *wanted, size_t n,
                      int64_t *ret_ttl_ms, struct sl_error *err)
{
    enum sl_rc rc = take_turn(provider, err);

    if (rc)
        return rc;
    rc = provider->ops->get(provider->self, path, wanted, n, ret_ttl_ms, err);
    if (rc == SL_OK || err->kind != SL_KIND_TRANSIENT)
        sl_seat_succeeded(&provider->seat);
    else
        (void)sl_seat_failed(&provider->seat, err);
    return rc;
}

/* Everything that is wanted from the path of the first, in one question. */
static enum sl_rc ask(struct work *work, size_t first, struct sl_error *err)
{
    const struct found *head = &work->found[first];
    struct sl_secret_wanted *wanted = sl_zalloc(work->n - first, sizeof(*wanted));
    int64_t ttl_ms = -1;
    size_t n = 0;
    enum sl_rc rc;

    for (size_t i = first; i < work->n; i++) {
        if (same_path(head, &work->found[i]))
            wanted[n++].key = work->found[i].key;
    }
    rc = get(head->provider, head->path, wanted, n, &ttl_ms, err);
    if (rc)
        (void)sl_error_wrap(err, "config provider '%s'", head->provider->name);
    for (size_t i = first, at = 0; i < work->n; i++) {
        if (!same_path(&work->found[first], &work->found[i]))
            continue;
        work->found[i].value = wanted[at++].value;
        work->found[i].asked = true;
    }
    sl_free(wanted);
    if (rc == SL_OK && ttl_ms >= 0 && (work->ttl_ms < 0 || ttl_ms < work->ttl_ms))
        work->ttl_ms = ttl_ms;
    return rc;
}

static enum sl_rc ask_all(struct work *work, struct sl_error *err)
{
    for (size_t i = 0; i < work->n; i++) {
        enum sl_rc rc;

        if (!work->found[i].provider || work->found[i].asked)
            continue;
        (void)pthread_mutex_lock(&work->secrets->asking);
        rc = ask(work, i, err);
        (void)pthread_mutex_unlock(&work->secrets->asking);
        if (rc)
            return sl_error_wrap(err, "setting '%s'", work->found[i].setting);
    }
    return SL_OK;
}

/* ---- what leads nowhere ---- */

static bool may_be_meant(const char *setting)
{
    return strncmp(setting, "transforms.", 11) == 0 || strncmp(setting, "predicates.", 11) == 0;
}

static enum sl_rc refuse(const struct found *found, struct sl_error *err)
{
    if (found->provider)
        return sl_error_set(
            err, SL_E_CONFIG,
            "refers to the key '%s' at '%s' of the config provider '%s', and there is no such "
            "key. HINT: keys are told apart by case",
            found->key, found->path, found->name);
    return sl_error_set(err, SL_E_CONFIG,
                        "refers to the key '%s' of the config provider '%s', which the worker does not have. "
                        "HINT: name it in the worker's config.providers",
                        found->key, found->name);
}

static void warn(const struct found *found)
{
    sl_warn("a reference leads nowhere; its text is used as it stands", SL_T("setting", found->setting),
            SL_T("provider", found->name), SL_T("path", found->path), SL_T("key", found->key),
            SL_T("because", found->provider ? "no such key" : "no such provider"));
}

static enum sl_rc judge(const struct work *work, struct sl_complaints *complaints, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; i < work->n; i++) {
        const struct found *found = &work->found[i];
        struct sl_error why = {0};

        if (found->value)
            continue;
        if (may_be_meant(found->setting)) {
            warn(found);
            continue;
        }
        (void)refuse(found, &why);
        if (complaints)
            sl_complain(complaints, found->setting, "%s", why.text);
        if (rc == SL_OK && err) {
            *err = why;
            (void)sl_error_wrap(err, "setting '%s'", found->setting);
        }
        rc = SL_E_CONFIG;
    }
    return rc;
}

/* ---- putting in ---- */

static void put_in(struct work *work, struct sl_props *resolved, const char *setting, const char *text,
                   size_t *at)
{
    struct sl_buf out = {0};
    struct sl_reference reference;
    const char *cursor = text;
    const char *rest = text;
    bool any = false;

    while (*at < work->n && work->found[*at].setting == setting) {
        const struct found *found = &work->found[*at];

        if (!is_with_hash(work, text, &reference))
            (void)sl_reference_next(&cursor, &reference);
        sl_buf_put(&out, rest, (size_t)(reference.start - rest));
        if (found->value)
            sl_buf_put(&out, sl_secret_reveal(found->value), sl_secret_len(found->value));
        else
            sl_buf_put(&out, reference.start, reference.len);
        any = any || found->value;
        rest = reference.start + reference.len;
        (*at)++;
    }
    sl_buf_text(&out, rest);
    if (any)
        sl_props_set_secret(resolved, setting, sl_buf_cstr(&out));
    sl_secret_wipe(out.data, out.capacity);
    sl_buf_done(&out);
}

/* "...?user=u&password=p": the mask gets to know p, though the URL is no secret. */
static void note_url_password(const char *text)
{
    const char *at = strstr(text, "://") ? strstr(text, "password=") : NULL;

    if (at) {
        at += strlen("password=");
        sl_secret_free(sl_secret_new(at, strcspn(at, "&;")));
    }
}

static struct sl_props *rebuild(struct work *work)
{
    struct sl_props *resolved = sl_props_copy(work->raw);
    size_t at = 0;

    for (size_t i = 0; i < sl_props_count(work->raw); i++) {
        const char *setting;
        const char *text;

        sl_props_at(work->raw, i, &setting, &text);
        if (at < work->n && work->found[at].setting == setting)
            put_in(work, resolved, setting, text, &at);
        if (sl_secret_is_name(setting))
            sl_props_hide(resolved, setting);
        note_url_password(sl_props_get(resolved, setting));
    }
    return resolved;
}

enum sl_rc sl_secrets_resolve(struct sl_secrets *secrets, const struct sl_props *raw,
                              struct sl_complaints *complaints, struct sl_props **ret, int64_t *ret_ttl_ms,
                              struct sl_error *err)
{
    struct work work = {.secrets = secrets, .raw = raw, .ttl_ms = -1};
    enum sl_rc rc;

    collect(&work);
    rc = ask_all(&work, err);
    if (rc == SL_OK)
        rc = judge(&work, complaints, err);
    if (rc == SL_OK) {
        *ret = rebuild(&work);
        *ret_ttl_ms = work.ttl_ms;
    }
    for (size_t i = 0; i < work.n; i++) {
        sl_free(work.found[i].name);
        sl_free(work.found[i].path);
        sl_free(work.found[i].key);
        sl_secret_free(work.found[i].value);
    }
    sl_free(work.found);
    return rc;
}
