/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/vault.h"

#include "base/clock.h"
#include "base/props.h"

#include <ctype.h>

/* One reading. */
struct reading {
    struct vault *vault;
    char *full;   /* with the prefix, without slashes at the ends */
    json_t *data; /* of the secret: the caller's */
    int64_t ttl_ms;
};

/* ---- paths ---- */

/* A reference must not reach another part of the API, nor smuggle a query in. */
static enum sl_rc check_path(const char *path, struct sl_error *err)
{
    for (const char *c = path; *c; c++) {
        if (iscntrl((unsigned char)*c) || strchr("?#%\\", *c))
            return sl_error_set(err, SL_E_CONFIG, "the path '%s' holds a character that no secret's path has",
                                path);
    }
    if (!*path || strstr(path, "..") || strstr(path, "//"))
        return sl_error_set(err, SL_E_CONFIG,
                            "'%s' is no path of a secret. HINT: mount/name, e.g. secret/database", path);
    if (strncmp(path, "sys/", 4) == 0 || strncmp(path, "auth/", 5) == 0)
        return sl_error_set(err, SL_E_CONFIG, "'%s' is no secret but a part of Vault itself", path);
    return SL_OK;
}

static char *full_path(const struct vault *vault, const char *path)
{
    const char *prefix = sl_option_text(sl_vault_options, vault->params, NULL, "vault.prefix");
    char *full;
    size_t len;

    while (*path == '/')
        path++;
    if (strncmp(path, "v1/", 3) == 0)
        path += 3;
    while (*prefix == '/')
        prefix++;
    len = strlen(prefix);
    full = sl_format("%s%s%s", prefix, len && prefix[len - 1] != '/' ? "/" : "", path);
    for (len = strlen(full); len && full[len - 1] == '/'; len--)
        full[len - 1] = '\0';
    return full;
}

static char *escaped(const char *path)
{
    struct sl_buf out = {0};
    char *text;

    for (;;) {
        size_t len = strcspn(path, "/");

        sl_http_put_escaped(&out, path, len);
        if (!path[len])
            break;
        sl_buf_u8(&out, '/');
        path += len + 1;
    }
    text = sl_strdup(sl_buf_cstr(&out));
    sl_buf_done(&out);
    return text;
}

/* The mount is asked about again: it may have become another. */
static void forget_mount(struct vault *vault, const char *path)
{
    for (size_t i = 0; i < vault->n_mounts; i++) {
        if (strncmp(vault->mounts[i].path, path, strlen(vault->mounts[i].path)) != 0)
            continue;
        sl_free(vault->mounts[i].path);
        vault->mounts[i] = vault->mounts[--vault->n_mounts];
        return;
    }
}

/* "secret/database" of mount "secret/" as version 2 of the engine has it: "secret/data/database". */
static char *with_data(const char *mount, const char *path)
{
    const char *rest = path + strlen(mount);

    if (strncmp(rest, "data/", 5) == 0)
        return sl_strdup(path);
    return sl_format("%sdata/%s", mount, rest);
}

/* ---- asking ---- */

/* As sl_vault_ask, logged in; a token that is not good any more is replaced once. */
static enum sl_rc ask(struct vault *vault, const char *method, const char *path, const json_t *body,
                      int *ret_status, json_t **ret_json, struct sl_error *err)
{
    for (int tries = 0;; tries++) {
        enum sl_rc rc = sl_vault_log_in(vault, err);

        if (rc == SL_OK)
            rc = sl_vault_ask(vault, method, path, body, ret_status, ret_json, err);
        if (rc)
            return rc;
        if (*ret_status != 403 || tries || !sl_vault_log_out(vault))
            return SL_OK;
        json_decref(*ret_json);
        *ret_json = NULL;
    }
}

static enum sl_rc refuse(const struct reading *reading, int status, const json_t *json, struct sl_error *err)
{
    char why[256];

    (void)sl_vault_errors(json, why, sizeof(why));
    if (status == 404)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "Vault at %s has no secret at '%s'. HINT: look with: vault kv get %s",
                            reading->vault->address, reading->full, reading->full);
    if (status == 401 || status == 403)
        return sl_error_set(err, SL_E_AUTH,
                            "Vault at %s does not let us read '%s': %s. HINT: the token's policy must allow "
                            "read on it (with data/ behind the mount, for version 2 of the engine), and the "
                            "token must not have ended",
                            reading->vault->address, reading->full, why);
    return sl_error_set(err, SL_E_CONFIG, "Vault at %s cannot read '%s' (HTTP %d): %s",
                        reading->vault->address, reading->full, status, why);
}

/* ---- which engine ---- */

static struct vault_mount *known_mount(struct vault *vault, const char *path)
{
    for (size_t i = 0; i < vault->n_mounts; i++) {
        if (strncmp(vault->mounts[i].path, path, strlen(vault->mounts[i].path)) == 0)
            return &vault->mounts[i];
    }
    return NULL;
}

static struct vault_mount *add_mount(struct vault *vault, const char *path, int version)
{
    SL_GROW(vault->mounts, vault->n_mounts, vault->mounts_capacity);
    vault->mounts[vault->n_mounts] = (struct vault_mount){.path = sl_strdup(path), .version = version};
    return &vault->mounts[vault->n_mounts++];
}

/*
 * GET sys/internal/ui/mounts/<path>, open to every token that may do anything below the mount: {"data":
 * {"path": "secret/", "type": "kv", "options": {"version": "2"}}}. *ret stays NULL when Vault does not tell.
 */
static enum sl_rc ask_mount(struct reading *reading, struct vault_mount **ret, struct sl_error *err)
{
    char *path = escaped(reading->full);
    char *url = sl_format("sys/internal/ui/mounts/%s", path);
    json_t *json = NULL;
    int status = 0;
    enum sl_rc rc = ask(reading->vault, "GET", url, NULL, &status, &json, err);

    if (rc == SL_OK && status == 200) {
        const json_t *data = json_object_get(json, "data");
        const char *mount = json_string_value(json_object_get(data, "path"));
        const char *version = json_string_value(json_object_get(json_object_get(data, "options"), "version"));

        if (mount && strncmp(mount, reading->full, strlen(mount)) == 0)
            *ret = add_mount(reading->vault, mount, version && strcmp(version, "2") == 0 ? 2 : 1);
    }
    json_decref(json);
    sl_free(url);
    sl_free(path);
    return rc;
}

/* The engine's version as the user says it, for a mount that is the first part of the path. */
static struct vault_mount *say_mount(struct reading *reading)
{
    size_t len = strcspn(reading->full, "/");
    char *mount = sl_format("%.*s/", (int)len, reading->full);
    struct vault_mount *found = add_mount(reading->vault, mount, reading->vault->version);

    sl_free(mount);
    return found;
}

static enum sl_rc read_path(struct reading *reading, const char *path, int *ret_status, json_t **ret_json,
                            struct sl_error *err)
{
    char *url = escaped(path);
    enum sl_rc rc = ask(reading->vault, "GET", url, NULL, ret_status, ret_json, err);

    sl_free(url);
    return rc;
}

/* Vault does not tell which engine it is: as version 2 first, since version 1 has no such path. */
static enum sl_rc try_both(struct reading *reading, int *ret_status, json_t **ret_json, struct sl_error *err)
{
    size_t len = strcspn(reading->full, "/");
    char *mount = sl_format("%.*s/", (int)len, reading->full);
    char *path = reading->full[len] ? with_data(mount, reading->full) : sl_strdup(reading->full);
    enum sl_rc rc = read_path(reading, path, ret_status, ret_json, err);

    if (rc == SL_OK && *ret_status != 200 && strcmp(path, reading->full) != 0) {
        json_decref(*ret_json);
        *ret_json = NULL;
        rc = read_path(reading, reading->full, ret_status, ret_json, err);
    }
    sl_free(path);
    sl_free(mount);
    return rc;
}

static enum sl_rc read_secret(struct reading *reading, int *ret_status, json_t **ret_json,
                              struct sl_error *err)
{
    struct vault_mount *mount = known_mount(reading->vault, reading->full);
    enum sl_rc rc = SL_OK;
    char *path;

    if (!mount && reading->vault->version)
        mount = say_mount(reading);
    else if (!mount)
        rc = ask_mount(reading, &mount, err);
    if (rc)
        return rc;
    if (!mount)
        return try_both(reading, ret_status, ret_json, err);
    path = mount->version == 2 ? with_data(mount->path, reading->full) : sl_strdup(reading->full);
    rc = read_path(reading, path, ret_status, ret_json, err);
    sl_free(path);
    return rc;
}

/* ---- leases ---- */

static struct vault_lease *find_lease(struct vault *vault, const char *path)
{
    for (size_t i = 0; i < vault->n_leases; i++) {
        if (strcmp(vault->leases[i].path, path) == 0)
            return &vault->leases[i];
    }
    return NULL;
}

static void drop_lease(struct vault *vault, struct vault_lease *lease)
{
    sl_free(lease->path);
    sl_free(lease->id);
    json_decref(lease->data);
    *lease = vault->leases[--vault->n_leases];
}

static void keep_lease(struct reading *reading, const char *id, int64_t seconds, bool renewable)
{
    struct vault *vault = reading->vault;

    SL_GROW(vault->leases, vault->n_leases, vault->leases_capacity);
    vault->leases[vault->n_leases++] = (struct vault_lease){.path = sl_strdup(reading->full),
                                                            .id = sl_strdup(id),
                                                            .data = json_incref(reading->data),
                                                            .granted_s = seconds,
                                                            .ends_us = sl_now_us() + seconds * 1000000,
                                                            .renewable = renewable};
}

/* What is made for us is looked at again when two thirds of its time are over. */
static int64_t lease_ttl_ms(int64_t seconds)
{
    return seconds * 1000 * 2 / 3;
}

/* PUT sys/leases/renew {"lease_id", "increment"}: true when it is good for more than half of its first time.
 */
static enum sl_rc renew_lease(struct reading *reading, const struct vault_lease *lease, bool *ret_good,
                              struct sl_error *err)
{
    json_t *body = json_pack("{s:s, s:I}", "lease_id", lease->id, "increment", (json_int_t)lease->granted_s);
    json_t *json = NULL;
    int status = 0;
    enum sl_rc rc = ask(reading->vault, "PUT", "sys/leases/renew", body, &status, &json, err);
    int64_t seconds = json_integer_value(json_object_get(json, "lease_duration"));

    *ret_good = rc == SL_OK && status == 200 && seconds * 2 > lease->granted_s;
    if (*ret_good)
        reading->ttl_ms = lease_ttl_ms(seconds);
    json_decref(json);
    json_decref(body);
    return rc;
}

/* Credentials that were made for us before and can go on; data stays NULL when there are none. */
static enum sl_rc reuse_lease(struct reading *reading, struct sl_error *err)
{
    struct vault_lease *lease = find_lease(reading->vault, reading->full);
    bool good = false;
    enum sl_rc rc = SL_OK;

    if (!lease)
        return SL_OK;
    if (lease->renewable && lease->ends_us > sl_now_us())
        rc = renew_lease(reading, lease, &good, err);
    if (rc)
        return rc;
    if (good) {
        lease->ends_us = sl_now_us() + reading->ttl_ms * 1500;
        reading->data = json_incref(lease->data);
    } else {
        drop_lease(reading->vault, lease);
    }
    return SL_OK;
}

/* ---- the answer ---- */

/* {"data": {...}} of version 1 and of other engines, {"data": {"data": {...}, "metadata": {...}}} of
 * version 2. */
static json_t *data_of(const json_t *json)
{
    json_t *data = json_object_get(json, "data");
    json_t *inner = json_object_get(data, "data");

    return inner && json_is_object(json_object_get(data, "metadata")) ? inner : data;
}

static void take_times(struct reading *reading, const json_t *json)
{
    const char *id = json_string_value(json_object_get(json, "lease_id"));
    int64_t seconds = json_integer_value(json_object_get(json, "lease_duration"));
    int64_t ttl_ms = reading->vault->default_ttl_ms;

    if (id && *id) {
        keep_lease(reading, id, seconds, json_is_true(json_object_get(json, "renewable")));
        ttl_ms = lease_ttl_ms(seconds);
    } else if (seconds > 0 && ttl_ms > seconds * 1000) { /* version 1 says how often to look */
        ttl_ms = seconds * 1000;
    }
    reading->ttl_ms = ttl_ms > 0 ? ttl_ms : -1;
}

static enum sl_rc read_fresh(struct reading *reading, struct sl_error *err)
{
    json_t *json = NULL;
    int status = 0;
    enum sl_rc rc = read_secret(reading, &status, &json, err);

    if (rc == SL_OK && status == 404)
        forget_mount(reading->vault, reading->full);
    if (rc == SL_OK && status != 200)
        rc = refuse(reading, status, json, err);
    if (rc == SL_OK && !json_is_object(data_of(json)))
        rc = sl_error_set(err, SL_E_NOT_FOUND, "Vault at %s: the secret at '%s' is deleted",
                          reading->vault->address, reading->full);
    if (rc == SL_OK) {
        reading->data = json_incref(data_of(json));
        take_times(reading, json);
    }
    json_decref(json);
    return rc;
}

static struct sl_secret *value_of(const json_t *data, const char *key)
{
    const json_t *value = json_object_get(data, key);
    struct sl_secret *secret = NULL;
    struct sl_buf text = {0};

    if (json_is_string(value))
        return sl_secret_new(json_string_value(value), json_string_length(value));
    if (!value || json_is_null(value))
        return NULL;
    sl_json_put(&text, value);
    secret = sl_secret_new((const char *)text.data, text.len);
    sl_secret_wipe(text.data, text.capacity);
    sl_buf_done(&text);
    return secret;
}

enum sl_rc sl_vault_get(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                        int64_t *ret_ttl_ms, struct sl_error *err)
{
    struct vault *vault = self;
    struct reading reading = {.vault = vault, .full = full_path(vault, path), .ttl_ms = -1};
    enum sl_rc rc = check_path(reading.full, err);

    if (rc == SL_OK)
        rc = reuse_lease(&reading, err);
    if (rc == SL_OK && !reading.data)
        rc = read_fresh(&reading, err);
    for (size_t i = 0; rc == SL_OK && i < n; i++)
        wanted[i].value = value_of(reading.data, wanted[i].key);
    if (rc == SL_OK)
        *ret_ttl_ms = reading.ttl_ms;
    json_decref(reading.data);
    sl_free(reading.full);
    return rc;
}
