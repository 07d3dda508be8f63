/* SPDX-License-Identifier: Apache-2.0 */
#include "api/listeners.h"

#include "base/log.h"
#include "base/props.h"
#include "engine/config/worker_config.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

static const char *option(const struct sl_props *worker, const char *name)
{
    return sl_option_text(sl_worker_options, worker, NULL, name);
}

static bool given(const struct sl_props *worker, const char *name)
{
    const char *text = sl_props_get(worker, name);

    return text && *text;
}

bool sl_api_is_loopback(const char *host)
{
    return host && (strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
                    strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0);
}

bool sl_api_wants_login(const struct sl_props *worker)
{
    return given(worker, "rest.extension.classes") || given(worker, "sluice.rest.users.file");
}

void sl_api_warn_open(const char *what, const struct sl_http_server *server, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *host = sl_http_server_host(server, i);
        char said[160];

        if (sl_api_is_loopback(host))
            continue;
        (void)snprintf(said, sizeof(said), "%s takes requests from other machines without a login", what);
        sl_warn(said, SL_T("host", host), SL_I("port", sl_http_server_port(server, i)),
                SL_T("hint", "set sluice.rest.users.file, or listen on 127.0.0.1"));
    }
}

static enum sl_rc not_a_listener(const char *key, const char *item, struct sl_error *err)
{
    return sl_error_set(err, SL_E_CONFIG,
                        "%s: '%s' is no listener. HINT: write http://host:port or https://host:port, e.g. "
                        "http://127.0.0.1:8083; several are separated by commas",
                        key, item);
}

/* "http://host:port", with an IPv6 host in brackets, and "/" behind it or not. */
static enum sl_rc parse_one(char *item, const char *key, bool open, struct sl_api_listeners *into,
                            struct sl_error *err)
{
    struct sl_http_listener *listener = &into->items[into->n];
    size_t scheme = strncasecmp(item, "http://", 7) == 0 ? 7 : strncasecmp(item, "https://", 8) == 0 ? 8 : 0;
    char *host = item + scheme;
    char *colon = strrchr(host, ':');
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    size_t len;

    if (!scheme || !colon || end == colon + 1 || colon[1] < '0' || colon[1] > '9' || port > 65535 ||
        strcmp(*end == '/' ? end + 1 : end, "") != 0)
        return not_a_listener(key, item, err);
    *colon = 0;
    len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = 0;
        host++;
    } else if (strchr(host, ':')) {
        *colon = ':';
        return not_a_listener(key, item, err);
    }
    (void)snprintf(into->hosts[into->n], sizeof(into->hosts[0]), "%s",
                   strcmp(host, "*") == 0 ? ""
                   : !*host && !open      ? "127.0.0.1"
                                          : host);
    listener->host = into->hosts[into->n];
    listener->port = (uint16_t)port;
    listener->tls = scheme == 8;
    into->n++;
    return SL_OK;
}

enum sl_rc sl_api_listeners_parse(const char *text, const char *key, bool open, struct sl_api_listeners *ret,
                                  struct sl_error *err)
{
    char item[300];

    ret->n = 0;
    while (sl_list_next(&text, item, sizeof(item))) {
        enum sl_rc rc = SL_OK;

        if (ret->n == SL_API_LISTENERS_MAX)
            return sl_error_set(err, SL_E_CONFIG, "%s names more than %d listeners. HINT: a few will do", key,
                                SL_API_LISTENERS_MAX);
        if (*item)
            rc = parse_one(item, key, open, ret, err);
        if (rc)
            return rc;
    }
    return SL_OK;
}

enum sl_rc sl_api_listeners_read(const struct sl_props *worker, struct sl_api_listeners *ret,
                                 struct sl_error *err)
{
    const char *text = sl_props_get(worker, "listeners");
    const char *host = sl_props_get(worker, "rest.host.name");
    bool open = sl_api_wants_login(worker);
    char one[300];

    if (text)
        return sl_api_listeners_parse(text, "listeners", open, ret, err);
    (void)snprintf(one, sizeof(one), "http://%s:%s", host ? host : "", option(worker, "rest.port"));
    return sl_api_listeners_parse(one, "rest.host.name and rest.port", open, ret, err);
}

enum sl_rc sl_api_listeners_read_admin(const struct sl_props *worker, bool *ret_given,
                                       struct sl_api_listeners *ret, struct sl_error *err)
{
    const char *text = sl_props_get(worker, "admin.listeners");
    enum sl_rc rc = SL_OK;

    if (text)
        rc = sl_api_listeners_parse(text, "admin.listeners", sl_api_wants_login(worker), ret, err);
    if (rc == SL_OK)
        *ret_given = text != NULL;
    return rc;
}

/* The listener that others use: of the protocol that is asked for, else the first. */
static const struct sl_http_listener *advertised(const struct sl_props *worker,
                                                 const struct sl_api_listeners *listeners)
{
    const char *protocol = sl_props_get(worker, "rest.advertised.listener");

    for (size_t i = 0; protocol && i < listeners->n; i++) {
        if ((strcasecmp(protocol, "https") == 0) == listeners->items[i].tls)
            return &listeners->items[i];
    }
    return &listeners->items[0];
}

void sl_api_advertised_url(const struct sl_props *worker, const struct sl_api_listeners *listeners,
                           uint16_t port, char *ret, size_t size)
{
    const struct sl_http_listener *listener;
    const char *host = sl_props_get(worker, "rest.advertised.host.name");
    const char *said_port = sl_props_get(worker, "rest.advertised.port");
    char own_port[8];
    char own_host[256] = "localhost";

    ret[0] = 0;
    if (listeners->n == 0)
        return;
    listener = advertised(worker, listeners);
    (void)snprintf(own_port, sizeof(own_port), "%u", listener->port ? listener->port : port);
    if (!host || !*host)
        host = listener->host && *listener->host ? listener->host : NULL;
    if (!host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) {
        if (gethostname(own_host, sizeof(own_host) - 1) != 0)
            (void)snprintf(own_host, sizeof(own_host), "localhost");
        host = own_host;
    }
    (void)snprintf(ret, size, strchr(host, ':') && host[0] != '[' ? "%s://[%s]:%s" : "%s://%s:%s",
                   listener->tls ? "https" : "http", host, said_port && *said_port ? said_port : own_port);
}

/* ---- TLS ---- */

bool sl_api_tls_given(const struct sl_props *worker, const char *prefix)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < sl_props_count(worker); i++) {
        const char *key;
        const char *value;

        sl_props_at(worker, i, &key, &value);
        if (strncmp(key, prefix, len) == 0 && strncmp(key + len, "ssl.", 4) == 0)
            return true;
    }
    return false;
}

static const char *ssl_text(const struct sl_props *worker, const char *prefix, const char *name)
{
    char key[128];
    const char *text;

    (void)snprintf(key, sizeof(key), "%s%s", prefix, name);
    text = sl_props_get(worker, key);
    return text && *text ? text : NULL;
}

enum sl_rc sl_api_tls_read(const struct sl_props *worker, const char *prefix, struct sl_http_tls *ret,
                           struct sl_error *err)
{
    char algorithm_key[128];
    const char *algorithm;
    const char *client_auth;

    if (!sl_api_tls_given(worker, prefix))
        prefix = "";
    (void)snprintf(algorithm_key, sizeof(algorithm_key), "%sssl.endpoint.identification.algorithm", prefix);
    algorithm = sl_props_get(worker, algorithm_key);
    client_auth = ssl_text(worker, prefix, "ssl.client.auth");
    *ret = (struct sl_http_tls){
        .keystore_path = ssl_text(worker, prefix, "ssl.keystore.location"),
        .keystore_password = ssl_text(worker, prefix, "ssl.keystore.password"),
        .key_password = ssl_text(worker, prefix, "ssl.key.password"),
        .keystore_key = ssl_text(worker, prefix, "ssl.keystore.key"),
        .keystore_chain = ssl_text(worker, prefix, "ssl.keystore.certificate.chain"),
        .truststore_path = ssl_text(worker, prefix, "ssl.truststore.location"),
        .truststore_password = ssl_text(worker, prefix, "ssl.truststore.password"),
        .truststore_certificates = ssl_text(worker, prefix, "ssl.truststore.certificates"),
        .protocols = ssl_text(worker, prefix, "ssl.enabled.protocols"),
        .any_name = algorithm && !*algorithm,
    };
    if (!client_auth || strcasecmp(client_auth, "none") == 0)
        ret->client_auth = SL_HTTP_CLIENT_NONE;
    else if (strcasecmp(client_auth, "required") == 0)
        ret->client_auth = SL_HTTP_CLIENT_REQUIRED;
    else if (strcasecmp(client_auth, "requested") == 0)
        ret->client_auth = SL_HTTP_CLIENT_REQUESTED;
    else
        return sl_error_set(err, SL_E_CONFIG,
                            "%sssl.client.auth is '%s'. HINT: it is one of none, requested, required", prefix,
                            client_auth);
    return SL_OK;
}

void sl_api_limits_read(const struct sl_props *worker, struct sl_http_limits *ret, enum sl_http_log *ret_log)
{
    const char *log = option(worker, "sluice.rest.log");

#define NUMBER(name_) sl_option_int(sl_worker_options, worker, NULL, "sluice.rest." name_)
    *ret = sl_http_default_limits;
    ret->connections = (unsigned)NUMBER("connections");
    ret->connections_per_address = (unsigned)NUMBER("connections.per.address");
    ret->header_bytes = (size_t)NUMBER("header.bytes");
    ret->body_bytes = (size_t)NUMBER("body.bytes");
    ret->bodies_bytes = (size_t)NUMBER("bodies.bytes");
    ret->idle_us = NUMBER("idle.ms") * 1000;
    ret->request_us = NUMBER("request.ms") * 1000;
    ret->threads = (unsigned)NUMBER("threads");
#undef NUMBER
    *ret_log = strcasecmp(log, "all") == 0   ? SL_HTTP_LOG_ALL
               : strcasecmp(log, "off") == 0 ? SL_HTTP_LOG_OFF
                                             : SL_HTTP_LOG_WRITES;
}
