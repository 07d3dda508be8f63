/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connect/leader_call.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/props.h"
#include "net/http/client.h"
#include "net/keystore.h"

#include <openssl/ssl.h>
#include <stdio.h>

enum {
    WAIT_US = 90 * 1000 * 1000,
    CONNECT_MS = 5000,
    ANSWER_MAX = 16 * 1024 * 1024,
};

struct sl_leader_call {
    struct sl_http_client *client;
    struct sl_keystore own;     /* what we listen with; shown to a leader that asks for a certificate */
    struct sl_keystore trusted; /* empty: the system's authorities */
};

static const char *ssl_text(const struct sl_props *worker, const char *name)
{
    char key[96];
    const char *text;

    (void)snprintf(key, sizeof(key), "listeners.https.%s", name);
    text = sl_props_get(worker, key);
    if (!text || !*text)
        text = sl_props_get(worker, name);
    return text && *text ? text : NULL;
}

static enum sl_rc read_store(const struct sl_props *worker, const char *kind, struct sl_keystore *ret,
                             struct sl_error *err)
{
    char location[64];
    char password[64];
    const char *path;

    (void)snprintf(location, sizeof(location), "ssl.%s.location", kind);
    (void)snprintf(password, sizeof(password), "ssl.%s.password", kind);
    path = ssl_text(worker, location);
    return path ? sl_keystore_read(path, ssl_text(worker, password), ret, err) : SL_OK;
}

/* The client calls this for each new connection's context. */
static enum sl_rc prepare_tls(void *ctx, struct ssl_ctx_st *context, struct sl_error *err)
{
    struct sl_leader_call *calls = ctx;
    X509_STORE *store = SSL_CTX_get_cert_store(context);

    for (size_t i = 0; i < calls->trusted.n_certificates; i++)
        (void)X509_STORE_add_cert(store, calls->trusted.certificates[i]);
    if (calls->trusted.n_certificates)
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    if (calls->own.key && calls->own.n_chain &&
        (SSL_CTX_use_certificate(context, calls->own.chain[0]) != 1 ||
         SSL_CTX_use_PrivateKey(context, calls->own.key) != 1))
        return sl_error_set(err, SL_E_CONFIG,
                            "the key store's certificate and key cannot be shown to the leader. HINT: check "
                            "listeners.https.ssl.keystore.location");
    for (size_t i = 1; i < calls->own.n_chain; i++)
        (void)SSL_CTX_add1_chain_cert(context, calls->own.chain[i]);
    return SL_OK;
}

enum sl_rc sl_leader_call_open(const struct sl_props *worker, struct sl_leader_call **ret,
                               struct sl_error *err)
{
    struct sl_leader_call *calls = sl_zalloc(1, sizeof(*calls));
    struct sl_http_client_settings settings = {.connect_timeout_ms = CONNECT_MS,
                                               .read_timeout_ms = WAIT_US / 1000,
                                               .tls = prepare_tls,
                                               .tls_ctx = calls};
    enum sl_rc rc = read_store(worker, "keystore", &calls->own, err);

    if (rc == SL_OK)
        rc = read_store(worker, "truststore", &calls->trusted, err);
    if (rc) {
        sl_leader_call_close(calls);
        return rc;
    }
    calls->client = sl_http_client_new(&settings);
    *ret = calls;
    return SL_OK;
}

void sl_leader_call_stop(struct sl_leader_call *calls)
{
    sl_http_client_stop(calls->client);
}

void sl_leader_call_close(struct sl_leader_call *calls)
{
    if (calls->client)
        sl_http_client_free(calls->client);
    sl_keystore_done(&calls->own);
    sl_keystore_done(&calls->trusted);
    sl_free(calls);
}

enum sl_rc sl_leader_call(struct sl_leader_call *calls, const struct sl_leader_request *request,
                          struct sl_leader_reply *ret, struct sl_error *err)
{
    const struct sl_http_call call = {.method = request->method,
                                      .url = request->url,
                                      .headers = request->headers,
                                      .body = request->body_bytes ? request->body : NULL,
                                      .body_len = request->body_bytes,
                                      .deadline_us = sl_now_us() + WAIT_US,
                                      .max_bytes = ANSWER_MAX};
    struct sl_http_reply response = {0};
    enum sl_rc rc = sl_http_client_ask(calls->client, &call, &response, err);

    if (rc) {
        sl_http_reply_done(&response);
        return rc;
    }
    ret->status = response.status;
    (void)snprintf(ret->type, sizeof(ret->type), "%s", response.content_type);
    ret->body = response.body;
    return SL_OK;
}

void sl_leader_reply_done(struct sl_leader_reply *reply)
{
    sl_buf_done(&reply->body);
}
