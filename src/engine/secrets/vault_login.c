/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/vault.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/props.h"

#include <ctype.h>
#include <stdlib.h>

enum { LARGEST_TOKEN = 64 << 10 };

#define EARLY_US INT64_C(1000000)      /* a token that ends within this is not used any more */
#define SOON_US INT64_C(1000000)       /* the shortest time between two looks at the token */
#define LOOK_AGAIN_US INT64_C(5000000) /* after a renewal that failed */
#define NO_HURRY_US INT64_C(3600000000)

static const char *param(const struct vault *vault, const char *name)
{
    const char *text = sl_option_text(sl_vault_options, vault->params, NULL, name);

    return text && *text ? text : NULL;
}

/* A file's one word, as JSON text; blanks around it are none of it. */
static enum sl_rc read_word(const char *path, json_t **ret, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc = sl_file_read(path, LARGEST_TOKEN, &text, err);
    size_t first = 0;

    while (text.len && isspace(text.data[text.len - 1]))
        text.len--;
    while (first < text.len && isspace(text.data[first]))
        first++;
    if (rc == SL_OK) {
        *ret = json_stringn((const char *)text.data + first, text.len - first);
        if (!*ret || first == text.len) {
            json_decref(*ret);
            rc = sl_error_set(err, SL_E_CONFIG, "'%s' holds no token", path);
        } else {
            sl_secret_free(sl_secret_new((const char *)text.data + first, text.len - first));
        }
    }
    if (text.data)
        sl_secret_wipe(text.data, text.capacity);
    sl_buf_done(&text);
    return rc;
}

/* ---- the token and its time ---- */

static void take_time(struct vault *vault, int64_t seconds, bool renewable)
{
    vault->token_granted_s = seconds;
    vault->token_ends_us = seconds > 0 ? sl_now_us() + seconds * 1000000 : INT64_MAX;
    vault->token_renewable = renewable;
}

/* {"auth": {"client_token": ..., "lease_duration": seconds, "renewable": ...}} */
static bool take_auth(struct vault *vault, const json_t *json)
{
    const json_t *auth = json_object_get(json, "auth");
    const json_t *token = json_object_get(auth, "client_token");

    if (!json_is_string(token))
        return false;
    sl_secret_free(vault->token);
    vault->token = sl_secret_new(json_string_value(token), json_string_length(token));
    take_time(vault, json_integer_value(json_object_get(auth, "lease_duration")),
              json_is_true(json_object_get(auth, "renewable")));
    return true;
}

static enum sl_rc refused(struct vault *vault, const char *what, int status, const json_t *json,
                          struct sl_error *err)
{
    char why[256];

    return sl_error_set(err, SL_E_AUTH, "Vault at %s refuses %s (HTTP %d): %s", vault->address, what, status,
                        sl_vault_errors(json, why, sizeof(why)));
}

/* ---- the ways to log in ---- */

/* POST auth/<mount>/login answers with a token. */
static enum sl_rc post_login(struct vault *vault, const char *mount, json_t *body, const char *what,
                             struct sl_error *err)
{
    char *path = sl_format("auth/%s/login", mount);
    json_t *json = NULL;
    int status = 0;
    enum sl_rc rc;

    sl_secret_free(vault->token);
    vault->token = NULL;
    rc = sl_vault_ask(vault, "POST", path, body, &status, &json, err);
    if (rc == SL_OK && (status != 200 || !take_auth(vault, json)))
        rc = refused(vault, what, status, json, err);
    json_decref(json);
    sl_free(path);
    return rc;
}

static enum sl_rc by_approle(struct vault *vault, struct sl_error *err)
{
    const char *role = param(vault, "vault.role.id");
    const char *secret = param(vault, "vault.secret.id");
    const char *file = param(vault, "vault.secret.id.file");
    json_t *body = json_object();
    json_t *word = NULL;
    enum sl_rc rc = SL_OK;

    if (!role)
        rc = sl_error_set(err, SL_E_CONFIG, "vault.role.id is not given. HINT: the approle method needs it");
    if (rc == SL_OK && file)
        rc = read_word(file, &word, err);
    else if (rc == SL_OK && secret)
        word = json_string(secret);
    (void)json_object_set_new(body, "role_id", json_string(role ? role : ""));
    if (word) /* a role may be bound to addresses instead */
        (void)json_object_set_new(body, "secret_id", word);
    if (rc == SL_OK)
        rc = post_login(vault, param(vault, "app.role.path"), body, "the role id and secret id", err);
    json_decref(body);
    return rc;
}

static enum sl_rc by_kubernetes(struct vault *vault, struct sl_error *err)
{
    const char *role = param(vault, "kubernetes.role");
    json_t *body = json_object();
    json_t *word = NULL;
    enum sl_rc rc = role ? read_word(param(vault, "kubernetes.token.path"), &word, err)
                         : sl_error_set(err, SL_E_CONFIG,
                                        "kubernetes.role is not given. HINT: the kubernetes method needs it");

    (void)json_object_set_new(body, "role", json_string(role ? role : ""));
    if (word)
        (void)json_object_set_new(body, "jwt", word);
    if (rc == SL_OK)
        rc =
            post_login(vault, param(vault, "kubernetes.auth.path"), body, "the service account's token", err);
    json_decref(body);
    return rc;
}

/* How long a token that was given to us is good for; a token may lack the right to ask that. */
static enum sl_rc look_up(struct vault *vault, struct sl_error *err)
{
    json_t *json = NULL;
    int status = 0;
    enum sl_rc rc = sl_vault_ask(vault, "GET", "auth/token/lookup-self", NULL, &status, &json, err);

    if (rc == SL_OK && status == 200) {
        const json_t *data = json_object_get(json, "data");

        take_time(vault, json_integer_value(json_object_get(data, "ttl")),
                  json_is_true(json_object_get(data, "renewable")));
    } else if (rc == SL_OK) {
        take_time(vault, 0, false);
    }
    json_decref(json);
    return rc;
}

static enum sl_rc by_token(struct vault *vault, struct sl_error *err)
{
    const char *file = param(vault, "vault.token.file");
    const char *token = param(vault, "vault.token");
    enum sl_rc rc;

    sl_secret_free(vault->token);
    vault->token = NULL;
    if (file) {
        json_t *word = NULL;

        rc = read_word(file, &word, err);
        if (rc)
            return rc;
        vault->token = sl_secret_new(json_string_value(word), json_string_length(word));
        json_decref(word);
    } else {
        if (!token)
            token = getenv("VAULT_TOKEN");
        if (!token || !*token)
            return sl_error_set(
                err, SL_E_CONFIG,
                "there is no token for Vault. HINT: give vault.token, vault.token.file or the "
                "variable VAULT_TOKEN");
        vault->token = sl_secret_new(token, strlen(token));
    }
    rc = look_up(vault, err);
    if (rc) {
        sl_secret_free(vault->token);
        vault->token = NULL;
    }
    return rc;
}

enum sl_rc sl_vault_log_in(struct vault *vault, struct sl_error *err)
{
    if (vault->token && vault->token_ends_us - EARLY_US > sl_now_us())
        return SL_OK;
    switch (vault->login) {
    case VAULT_APPROLE: return by_approle(vault, err);
    case VAULT_KUBERNETES: return by_kubernetes(vault, err);
    case VAULT_TOKEN: break;
    }
    return by_token(vault, err);
}

bool sl_vault_log_out(struct vault *vault)
{
    if (vault->login == VAULT_TOKEN && !param(vault, "vault.token.file"))
        return false;
    sl_secret_free(vault->token);
    vault->token = NULL;
    return true;
}

/* ---- renewal ---- */

static int64_t next_look_us(const struct vault *vault)
{
    int64_t now_us = sl_now_us();
    int64_t third_us = vault->token_granted_s * 1000000 / 3;
    int64_t at_us = vault->token_ends_us - third_us;

    if (vault->token_ends_us == INT64_MAX)
        return now_us + NO_HURRY_US;
    return at_us > now_us ? at_us : now_us + SOON_US;
}

/*
 * POST auth/token/renew-self: the answer's lease_duration is what is left, cut at the token's longest life.
 * Once it is less than half of the first grant, that end is near: whoever can, logs in anew.
 */
static bool renew_token(struct vault *vault, struct sl_error *err)
{
    int64_t granted_s = vault->token_granted_s;
    json_t *body = json_object();
    json_t *json = NULL;
    int status = 0;
    enum sl_rc rc = sl_vault_ask(vault, "POST", "auth/token/renew-self", body, &status, &json, err);
    bool renewed = false;

    if (rc == SL_OK && status == 200)
        renewed = take_auth(vault, json) && vault->token_granted_s * 2 > granted_s;
    else if (rc == SL_OK)
        rc = refused(vault, "to renew our token", status, json, err);
    if (renewed)
        vault->token_granted_s = granted_s;
    json_decref(json);
    json_decref(body);
    return renewed || rc == SL_OK;
}

int64_t sl_vault_renew(struct vault *vault)
{
    struct sl_error err = {0};
    enum sl_rc rc;

    if (!vault->token) /* whoever asks next logs in */
        return sl_now_us() + SOON_US;
    if (next_look_us(vault) > sl_now_us() + SOON_US)
        return next_look_us(vault);
    if (vault->token_renewable && renew_token(vault, &err) && next_look_us(vault) > sl_now_us() + SOON_US)
        return next_look_us(vault);
    if (err.kind != SL_KIND_TRANSIENT && sl_vault_log_out(vault)) {
        rc = sl_vault_log_in(vault, &err);
        if (rc == SL_OK)
            return next_look_us(vault);
    }
    if (err.kind == SL_KIND_TRANSIENT) {
        sl_log_error(SL_LEVEL_WARN, "Vault's token could not be renewed; it is tried again", &err);
        return sl_now_us() + LOOK_AGAIN_US;
    }
    sl_warn("Vault's token ends and no other can be made. HINT: give a new one, or use approle or kubernetes",
            SL_T("error", err.text));
    return sl_now_us() + NO_HURRY_US;
}
