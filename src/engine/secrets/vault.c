/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secrets/vault.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/props.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    CONNECT_MS = 5 * 1000,
    ANSWER_MS = 15 * 1000,
    LARGEST_ANSWER = 4 << 20,
    LARGEST_PEM = 1 << 20,
};

static const char *const login_words[] = {"token", "approle", "kubernetes", NULL};
static const char *const versions[] = {"1", "2", NULL};
static const char *const never[] = {"false", NULL};

#define TAKEN(name_, why_) \
    {.name = (name_), .importance = SL_IMPORTANCE_LOW, .doc = "taken for compatibility; " why_}

const struct sl_option sl_vault_options[] = {
    {.name = "vault.address",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Vault's address, http(s)://host:port; VAULT_ADDR when not given, else http://127.0.0.1:8200",
     .alias = "vault.addr"},
    {.name = "vault.namespace",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "namespace of all requests; VAULT_NAMESPACE when not given"},
    {.name = "vault.prefix",
     .default_text = "",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "put before the path of each reference",
     .alias = "vault.prefixpath"},
    {.name = "vault.auth.method",
     .default_text = "token",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "how to log in",
     .values = login_words,
     .alias = "vault.login.by"},
    {.name = "vault.token",
     .type = SL_OPT_PASSWORD,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "the token, for method token; VAULT_TOKEN when not given",
     .alias = "vault.auth.token"},
    {.name = "vault.token.file",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "a file that holds the token, read at every log in (a Vault Agent's sink)"},
    {.name = "vault.role.id",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "role id, for method approle",
     .alias = "app.role.id,vault.auth.role"},
    {.name = "vault.secret.id",
     .type = SL_OPT_PASSWORD,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "secret id, for method approle",
     .alias = "app.role.secret.id,vault.auth.secret"},
    {.name = "vault.secret.id.file",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "a file that holds the secret id, read at every log in"},
    {.name = "app.role.path",
     .default_text = "approle",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "where the approle method is mounted",
     .alias = "vault.auth.mount"},
    {.name = "kubernetes.role", .importance = SL_IMPORTANCE_HIGH, .doc = "role, for method kubernetes"},
    {.name = "kubernetes.token.path",
     .default_text = "/var/run/secrets/kubernetes.io/serviceaccount/token",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "the file with the service account's token, read at every log in"},
    {.name = "kubernetes.auth.path",
     .default_text = "kubernetes",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "where the kubernetes method is mounted"},
    {.name = "vault.engine.version",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "version of the key-value engine; found out when not given",
     .values = versions,
     .alias = "vault.secrets.version,vault.secrets.engine.version"},
    {.name = "default.ttl",
     .type = SL_OPT_LONG,
     .default_text = "60000",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "after how many ms a secret without lease is looked at again; 0: only at a start",
     .alias = "vault.secret.minimum.ttl.ms",
     .min = 0,
     .max = INT64_MAX / 1000},
    {.name = "vault.ssl.verify.enabled",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "check the server's certificate"},
    {.name = "vault.pem",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "PEM file (or PEM text) with the authorities to trust; VAULT_CACERT, then the system's, when not "
            "given",
     .alias = "vault.ssl.truststore.location"},
    {.name = "vault.client.pem",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "PEM file (or PEM text) with our certificate and its key",
     .alias = "vault.ssl.keystore.location"},
    {.name = "vault.ssl.keystore.password",
     .type = SL_OPT_PASSWORD,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "password of that key"},
    {.name = "file.write",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .doc = "write secrets into files: refused here, since a file outlives the process",
     .values = never},
    TAKEN("file.dir", "no files are written"),
    TAKEN("vault.max.retries", "what cannot be read is tried again by the connector's own restarts"),
    TAKEN("vault.retry.interval.ms", "see vault.max.retries"),
    TAKEN("token.renewal.ms", "tokens are renewed after two thirds of their time"),
    {.name = NULL},
};

static const char *param(const struct vault *vault, const char *name)
{
    const char *text = sl_option_text(sl_vault_options, vault->params, NULL, name);

    return text && *text ? text : NULL;
}

/* ---- requests ---- */

/* Answers that say "not now": 429 too many requests, 472 and 473 standby, 501 not initialised, 503 sealed. */
static bool is_not_now(int status)
{
    return status == 429 || status == 472 || status == 473 || status >= 500;
}

const char *sl_vault_errors(const json_t *json, char *out, size_t size)
{
    const json_t *errors = json_object_get(json, "errors");
    struct sl_buf text = {0};
    const json_t *item;
    size_t i;

    json_array_foreach(errors, i, item)
    {
        if (json_is_string(item))
            sl_buf_format(&text, "%s%s", text.len ? "; " : "", json_string_value(item));
    }
    (void)snprintf(out, size, "%s", text.len ? sl_buf_cstr(&text) : "no reason given");
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    sl_buf_done(&text);
    return out;
}

static enum sl_rc say_not_now(const struct vault *vault, int status, const json_t *json, struct sl_error *err)
{
    char why[256];

    return sl_error_set(err, SL_E_BUSY, "Vault at %s cannot answer now (HTTP %d): %s%s", vault->address,
                        status, sl_vault_errors(json, why, sizeof(why)),
                        status == 503 ? ". HINT: unseal it" : "");
}

static enum sl_rc ask(struct vault *vault, const struct sl_http_call *request, int *ret_status,
                      json_t **ret_json, struct sl_error *err)
{
    enum sl_rc rc = sl_http_client_ask(vault->http, request, &vault->answer, err);
    json_t *json = NULL;

    if (rc)
        return rc;
    if (vault->answer.body.len)
        (void)sl_json_parse((const char *)vault->answer.body.data, vault->answer.body.len, "Vault's answer",
                            &json, NULL);
    sl_secret_wipe(vault->answer.body.data, vault->answer.body.len);
    if (is_not_now(vault->answer.status)) {
        rc = say_not_now(vault, vault->answer.status, json, err);
        json_decref(json);
        return rc;
    }
    *ret_status = vault->answer.status;
    *ret_json = json;
    return SL_OK;
}

enum sl_rc sl_vault_ask(struct vault *vault, const char *method, const char *path, const json_t *body,
                        int *ret_status, json_t **ret_json, struct sl_error *err)
{
    const char *space = param(vault, "vault.namespace");
    char *url = sl_format("%s/v1/%s", vault->address, path);
    char *token = vault->token ? sl_format("X-Vault-Token: %s", sl_secret_reveal(vault->token)) : NULL;
    char *in_space = NULL;
    const char *headers[5] = {"X-Vault-Request: true"};
    struct sl_buf text = {0};
    struct sl_http_call request = {.method = method,
                                   .url = url,
                                   .headers = headers,
                                   .deadline_us = sl_now_us() + ANSWER_MS * INT64_C(1000),
                                   .max_bytes = LARGEST_ANSWER};
    size_t n = 1;
    enum sl_rc rc;

    if (!space)
        space = getenv("VAULT_NAMESPACE");
    if (space && *space)
        headers[n++] = in_space = sl_format("X-Vault-Namespace: %s", space);
    if (token)
        headers[n++] = token;
    if (body) {
        headers[n++] = "Content-Type: application/json";
        sl_json_put(&text, body);
        request.body = text.data;
        request.body_len = text.len;
    }
    rc = ask(vault, &request, ret_status, ret_json, err);
    if (token)
        sl_secret_wipe(token, strlen(token));
    if (text.data)
        sl_secret_wipe(text.data, text.capacity);
    sl_buf_done(&text);
    sl_free(token);
    sl_free(in_space);
    sl_free(url);
    return rc;
}

/* ---- life ---- */

static bool is_pem_text(const char *text)
{
    return text && strncmp(text, "-----BEGIN", 10) == 0;
}

/* A store must be PEM: its file is looked into now, since libcurl's later message would not say so. */
static enum sl_rc check_pem(const char *name, const char *path, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc = sl_file_read(path, LARGEST_PEM, &text, err);

    if (rc == SL_OK && !strstr(sl_buf_cstr(&text), "-----BEGIN"))
        rc = sl_error_set(err, SL_E_UNSUPPORTED,
                          "%s: '%s' is no PEM file. HINT: make one of a Java key store with openssl pkcs12",
                          name, path);
    sl_secret_wipe(text.data, text.capacity);
    sl_buf_done(&text);
    return rc;
}

static enum sl_rc open_http(struct vault *vault, struct sl_error *err)
{
    const char *trusted = param(vault, "vault.pem");
    const char *own = param(vault, "vault.client.pem");
    struct sl_http_client_settings settings = {
        .connect_timeout_ms = CONNECT_MS,
        .read_timeout_ms = ANSWER_MS,
        .key_password = param(vault, "vault.ssl.keystore.password"),
        .insecure = !sl_option_bool(sl_vault_options, vault->params, NULL, "vault.ssl.verify.enabled")};
    enum sl_rc rc = SL_OK;

    if (!trusted)
        trusted = getenv("VAULT_CACERT");
    if (is_pem_text(trusted))
        settings.ca_pem = trusted;
    else
        settings.ca_file = trusted;
    if (is_pem_text(own))
        settings.cert_pem = settings.key_pem = own;
    else
        settings.cert_file = settings.key_file = own;
    if (settings.ca_file)
        rc = check_pem("vault.pem", settings.ca_file, err);
    if (rc == SL_OK && settings.cert_file)
        rc = check_pem("vault.client.pem", settings.cert_file, err);
    if (rc == SL_OK)
        vault->http = sl_http_client_new(&settings);
    return rc;
}

static enum vault_login login_of(const struct vault *vault)
{
    const char *word = param(vault, "vault.auth.method");

    for (int i = 0; login_words[i]; i++) {
        if (strcasecmp(word, login_words[i]) == 0)
            return (enum vault_login)i;
    }
    return VAULT_TOKEN;
}

static char *address_of(const struct vault *vault)
{
    const char *given = param(vault, "vault.address");
    size_t len;

    if (!given)
        given = getenv("VAULT_ADDR");
    if (!given || !*given)
        given = "http://127.0.0.1:8200";
    len = strlen(given);
    while (len && given[len - 1] == '/')
        len--;
    if (len > 3 && strncmp(given + len - 3, "/v1", 3) == 0)
        len -= 3;
    return sl_strndup(given, len);
}

static void close_vault(void *self)
{
    struct vault *vault = self;

    for (size_t i = 0; i < vault->n_mounts; i++)
        sl_free(vault->mounts[i].path);
    for (size_t i = 0; i < vault->n_leases; i++) {
        sl_free(vault->leases[i].path);
        sl_free(vault->leases[i].id);
        json_decref(vault->leases[i].data);
    }
    sl_free(vault->mounts);
    sl_free(vault->leases);
    sl_http_client_free(vault->http);
    sl_http_reply_done(&vault->answer);
    sl_secret_free(vault->token);
    sl_props_free(vault->params);
    sl_free(vault->address);
    sl_free(vault);
}

static enum sl_rc open_vault(const struct sl_props *params, void **ret_self, struct sl_error *err)
{
    struct vault *vault = sl_zalloc(1, sizeof(*vault));
    const char *version;
    enum sl_rc rc;

    vault->params = sl_props_copy(params);
    vault->address = address_of(vault);
    vault->login = login_of(vault);
    version = param(vault, "vault.engine.version");
    vault->version = version ? version[0] - '0' : 0;
    vault->default_ttl_ms = sl_option_int(sl_vault_options, params, NULL, "default.ttl");
    vault->token_ends_us = INT64_MAX;
    rc = open_http(vault, err);
    if (rc) {
        close_vault(vault);
        return rc;
    }
    if (strncasecmp(vault->address, "http:", 5) == 0 && !strstr(vault->address, "//127.") &&
        !strstr(vault->address, "//localhost") && !strstr(vault->address, "//[::1]"))
        sl_warn("secrets come over a connection that anybody on the way can read. HINT: use https",
                SL_T("vault.address", vault->address));
    *ret_self = vault;
    return SL_OK;
}

static const char *address(const void *self)
{
    return ((const struct vault *)self)->address;
}

static int64_t upkeep(void *self)
{
    return sl_vault_renew(self);
}

static void wake(void *self)
{
    struct vault *vault = self;

    sl_http_client_stop(vault->http);
}

static const char *const classes[] = {
    "com.github.jcustenborder.kafka.config.vault.VaultConfigProvider",
    "io.lenses.connect.secrets.providers.VaultSecretProvider",
    "io.confluent.csid.config.provider.vault.VaultConfigProvider",
    NULL,
};

const struct sl_provider_ops sl_provider_vault = {
    .name = "vault",
    .classes = classes,
    .options = sl_vault_options,
    .with_hash = true,
    .open = open_vault,
    .get = sl_vault_get,
    .address = address,
    .upkeep = upkeep,
    .wake = wake,
    .close = close_vault,
};
