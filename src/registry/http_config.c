/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http_config.h"

#include "base/props.h"
#include "sluice/secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* A key under the prefix; some have a second name with "schema.registry." in front. */
static const char *get(const struct sl_props *props, const char *prefix, const char *name)
{
    char *key = sl_format("%s%s", prefix, name);
    const char *value = sl_props_get(props, key);

    sl_free(key);
    if (!value) {
        key = sl_format("%sschema.registry.%s", prefix, name);
        value = sl_props_get(props, key);
        sl_free(key);
    }
    return value && *value ? value : NULL;
}

static char *copy(const struct sl_props *props, const char *prefix, const char *name)
{
    const char *value = get(props, prefix, name);

    return value ? sl_strdup(value) : NULL;
}

const char *sl_registry_http_url(const struct sl_props *props, const char *prefix)
{
    char *key = sl_format("%sschema.registry.url", prefix);
    const char *value = sl_props_get(props, key);

    sl_free(key);
    return value && *value ? value : NULL;
}

static bool read_number(const struct sl_props *props, const char *prefix, const char *name, int64_t otherwise,
                        int64_t *ret, struct sl_error *err)
{
    const char *text = get(props, prefix, name);
    char *end;
    long long number;

    *ret = otherwise;
    if (!text)
        return true;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < 0) {
        (void)sl_error_set(err, SL_E_CONFIG, "%s%s=%.60s is not a number from 0 on", prefix, name, text);
        return false;
    }
    *ret = number;
    return true;
}

/* Put what stands before the first colon into user and the rest into password. */
static bool split_login(struct sl_registry_http_config *config, const char *login, size_t len)
{
    const char *colon = memchr(login, ':', len);

    if (!colon)
        return false;
    sl_free(config->user);
    sl_free(config->password);
    config->user = sl_strndup(login, (size_t)(colon - login));
    config->password = sl_strndup(colon + 1, len - (size_t)(colon + 1 - login));
    return true;
}

/* "%40" in a login that stands in an address. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        char hex[3] = {at[0] == '%' ? at[1] : '\0', at[0] == '%' && at[1] ? at[2] : '\0', '\0'};
        char *end = hex;
        long byte = hex[1] ? strtol(hex, &end, 16) : 0;

        if (byte > 0 && *end == '\0' && end == hex + 2) {
            *to++ = (char)byte;
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static bool read_url(struct sl_registry_http_config *config, const char *item, const char *prefix,
                     struct sl_error *err)
{
    const char *rest = strstr(item, "://");
    const char *at;
    size_t len;

    if ((strncmp(item, "http://", 7) != 0 && strncmp(item, "https://", 8) != 0) || rest[3] == '\0') {
        (void)sl_error_set(err, SL_E_CONFIG,
                           "%sschema.registry.url: an address begins with http:// or https://. HINT: give it "
                           "as http://host:8081, several with commas between",
                           prefix);
        return false;
    }
    if (config->n_urls == SL_REGISTRY_URLS) {
        (void)sl_error_set(err, SL_E_CONFIG, "%sschema.registry.url names more than %d addresses", prefix,
                           SL_REGISTRY_URLS);
        return false;
    }
    rest += 3;
    len = strcspn(rest, "/");
    at = memrchr(rest, '@', len);
    if (at && split_login(config, rest, (size_t)(at - rest))) {
        unescape(config->user);
        unescape(config->password);
    }
    config->urls[config->n_urls] = sl_format("%.*s%s", (int)(rest - item), item, at ? at + 1 : rest);
    len = strlen(config->urls[config->n_urls]);
    while (len && config->urls[config->n_urls][len - 1] == '/')
        config->urls[config->n_urls][--len] = '\0';
    config->n_urls++;
    return true;
}

static bool read_urls(const struct sl_props *props, const char *prefix,
                      struct sl_registry_http_config *config, struct sl_error *err)
{
    const char *cursor = sl_registry_http_url(props, prefix);
    char item[1024];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        if (*item && !read_url(config, item, prefix, err))
            return false;
    }
    return true;
}

/* The value of a word in a JAAS line: username="x". NULL: it is not there. */
static char *jaas_value(const char *line, const char *word)
{
    const char *at = strstr(line, word);
    const char *end;

    at = at ? strchr(at, '"') : NULL;
    end = at ? strchr(at + 1, '"') : NULL;
    return end ? sl_strndup(at + 1, (size_t)(end - at - 1)) : NULL;
}

static bool read_jaas(const struct sl_props *props, const char *prefix,
                      struct sl_registry_http_config *config)
{
    const char *line = get(props, prefix, "sasl.jaas.config");

    if (!line)
        line = sl_props_get(props, "sasl.jaas.config");
    if (!line)
        return false;
    sl_free(config->user);
    sl_free(config->password);
    config->user = jaas_value(line, "username=");
    config->password = jaas_value(line, "password=");
    return config->user && config->password;
}

static bool read_basic(const struct sl_props *props, const char *prefix,
                       struct sl_registry_http_config *config, struct sl_error *err)
{
    const char *source = get(props, prefix, "basic.auth.credentials.source");
    const char *login = get(props, prefix, "basic.auth.user.info");

    if (!source || strcmp(source, "URL") == 0)
        return true; /* what stood in the address was taken already */
    if (strcmp(source, "USER_INFO") == 0) {
        if (login && split_login(config, login, strlen(login)))
            return true;
        (void)sl_error_set(err, SL_E_CONFIG, "%sbasic.auth.user.info must be user:password", prefix);
    } else if (strcmp(source, "SASL_INHERIT") == 0) {
        if (read_jaas(props, prefix, config))
            return true;
        (void)sl_error_set(err, SL_E_CONFIG,
                           "%sbasic.auth.credentials.source=SASL_INHERIT needs sasl.jaas.config with a "
                           "username and a password",
                           prefix);
    } else {
        (void)sl_error_set(err, SL_E_CONFIG,
                           "%sbasic.auth.credentials.source=%.40s must be URL, USER_INFO or SASL_INHERIT",
                           prefix, source);
    }
    return false;
}

static bool read_bearer(const struct sl_props *props, const char *prefix,
                        struct sl_registry_http_config *config, struct sl_error *err)
{
    const char *source = get(props, prefix, "bearer.auth.credentials.source");

    if (!source)
        return true;
    config->bearer = copy(props, prefix, "bearer.auth.token");
    if (strcmp(source, "STATIC_TOKEN") == 0 && config->bearer && !strpbrk(config->bearer, "\r\n"))
        return true;
    if (strcmp(source, "STATIC_TOKEN") == 0)
        (void)sl_error_set(err, SL_E_CONFIG,
                           "%sbearer.auth.credentials.source=STATIC_TOKEN needs bearer.auth.token", prefix);
    else
        (void)sl_error_set(err, SL_E_UNSUPPORTED,
                           "%sbearer.auth.credentials.source=%.40s is not supported. HINT: use STATIC_TOKEN "
                           "with bearer.auth.token",
                           prefix, source);
    return false;
}

static void read_tls(const struct sl_props *props, const char *prefix, struct sl_http_stores *tls)
{
    char *key = sl_format("%sschema.registry.ssl.endpoint.identification.algorithm", prefix);
    const char *algorithm = sl_props_get(props, key);

    sl_free(key);
    tls->whose = "the schema registry's";
    tls->truststore = copy(props, prefix, "ssl.truststore.location");
    tls->truststore_password = copy(props, prefix, "ssl.truststore.password");
    tls->truststore_pem = copy(props, prefix, "ssl.truststore.certificates");
    tls->keystore = copy(props, prefix, "ssl.keystore.location");
    tls->keystore_password = copy(props, prefix, "ssl.keystore.password");
    tls->keystore_key = copy(props, prefix, "ssl.keystore.key");
    tls->keystore_chain = copy(props, prefix, "ssl.keystore.certificate.chain");
    tls->key_password = copy(props, prefix, "ssl.key.password");
    tls->any_name = algorithm && *algorithm == '\0';
}

/* The login as it goes over the line: a server's message that quotes it is masked like one that quotes the
 * password. */
static void note_header(const struct sl_registry_http_config *config)
{
    char *login;
    uint8_t *header;
    size_t len;
    int n;

    if (!config->user || !config->password)
        return;
    login = sl_format("%s:%s", config->user, config->password);
    len = strlen(login);
    header = sl_alloc(len / 3 * 4 + 5);
    n = EVP_EncodeBlock(header, (const uint8_t *)login, (int)len);
    while (n && header[n - 1] == '=')
        n--;
    sl_secret_free(sl_secret_new((const char *)header, (size_t)n));
    sl_secret_wipe(header, len / 3 * 4 + 5);
    sl_secret_wipe(login, len);
    sl_free(header);
    sl_free(login);
}

enum sl_rc sl_registry_http_config_read(const struct sl_props *props, const char *prefix,
                                        struct sl_registry_http_config *ret, struct sl_error *err)
{
    struct sl_registry_http_config config = {0};
    const char *host = get(props, prefix, "proxy.host");
    const char *port = get(props, prefix, "proxy.port");
    int64_t retries = 0;
    bool good;

    if (host)
        config.proxy = sl_format("%s:%s", host, port ? port : "80");
    read_tls(props, prefix, &config.tls);
    good = read_urls(props, prefix, &config, err) && read_basic(props, prefix, &config, err) &&
           read_bearer(props, prefix, &config, err) &&
           read_number(props, prefix, "http.connect.timeout.ms", 60000, &config.connect_timeout_ms, err) &&
           read_number(props, prefix, "http.read.timeout.ms", 60000, &config.read_timeout_ms, err) &&
           read_number(props, prefix, "retries.wait.ms", 1000, &config.retries_wait_ms, err) &&
           read_number(props, prefix, "retries.max.wait.ms", 20000, &config.retries_max_wait_ms, err) &&
           read_number(props, prefix, "max.retries", 3, &retries, err);
    if (good && config.n_urls == 0) {
        (void)sl_error_set(err, SL_E_CONFIG, "%sschema.registry.url names no address", prefix);
        good = false;
    }
    if (!good) {
        sl_registry_http_config_done(&config);
        return err && err->rc ? err->rc : SL_E_CONFIG;
    }
    config.max_retries = retries > 100 ? 100 : (int)retries;
    note_header(&config);
    *ret = config;
    return SL_OK;
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    sl_free(secret);
}

void sl_registry_http_config_done(struct sl_registry_http_config *config)
{
    for (size_t i = 0; i < config->n_urls; i++)
        sl_free(config->urls[i]);
    sl_free(config->user);
    forget(config->password);
    forget(config->bearer);
    sl_free(config->proxy);
    sl_free(config->tls.truststore);
    forget(config->tls.truststore_password);
    sl_free(config->tls.truststore_pem);
    sl_free(config->tls.keystore);
    forget(config->tls.keystore_password);
    forget(config->tls.keystore_key);
    sl_free(config->tls.keystore_chain);
    forget(config->tls.key_password);
    *config = (struct sl_registry_http_config){0};
}

static void put_part(struct sl_buf *out, const char *text)
{
    sl_buf_text(out, text ? text : "");
    sl_buf_u8(out, '\n');
}

void sl_registry_http_config_identity(const struct sl_registry_http_config *config, struct sl_buf *out)
{
    for (size_t i = 0; i < config->n_urls; i++)
        put_part(out, config->urls[i]);
    put_part(out, config->user);
    put_part(out, config->password);
    put_part(out, config->bearer);
    put_part(out, config->proxy);
    put_part(out, config->tls.truststore);
    put_part(out, config->tls.truststore_password);
    put_part(out, config->tls.truststore_pem);
    put_part(out, config->tls.keystore);
    put_part(out, config->tls.keystore_password);
    put_part(out, config->tls.keystore_key);
    put_part(out, config->tls.keystore_chain);
    put_part(out, config->tls.key_password);
    sl_buf_format(out, "%d %lld %lld %lld %lld %d\n", config->tls.any_name,
                  (long long)config->connect_timeout_ms, (long long)config->read_timeout_ms,
                  (long long)config->retries_wait_ms, (long long)config->retries_max_wait_ms,
                  config->max_retries);
}
