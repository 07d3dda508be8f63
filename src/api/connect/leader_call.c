/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connect/leader_call.h"

#include "api/listeners.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "net/http/client.h"
#include "net/http/stores.h"

#include <stdio.h>

enum {
    WAIT_US = 90 * 1000 * 1000,
    CONNECT_MS = 5000,
    ANSWER_MAX = 16 * 1024 * 1024,
};

struct sl_leader_call {
    struct sl_http_client *client;
    struct sl_http_stores stores; /* what we listen with, shown to a leader that asks, and whom we trust */
};

/* The worker keeps the texts. */
static char *lent(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* As Connect does: listeners.https.ssl.*, and only if there is none of them, ssl.* */
static enum sl_rc read_stores(const struct sl_props *worker, struct sl_http_stores *ret, struct sl_error *err)
{
    struct sl_http_tls tls;
    enum sl_rc rc = sl_api_tls_read(worker, SL_API_HTTPS, &tls, err);

    if (rc == SL_OK)
        *ret = (struct sl_http_stores){.whose = "the workers' own",
                                       .truststore = lent(tls.truststore_path),
                                       .truststore_password = lent(tls.truststore_password),
                                       .truststore_pem = lent(tls.truststore_certificates),
                                       .keystore = lent(tls.keystore_path),
                                       .keystore_password = lent(tls.keystore_password),
                                       .keystore_key = lent(tls.keystore_key),
                                       .keystore_chain = lent(tls.keystore_chain),
                                       .key_password = lent(tls.key_password),
                                       .any_name = tls.any_name};
    return rc;
}

enum sl_rc sl_leader_call_open(const struct sl_props *worker, struct sl_leader_call **ret,
                               struct sl_error *err)
{
    struct sl_leader_call *calls = sl_zalloc(1, sizeof(*calls));
    struct sl_http_client_settings settings = {.connect_timeout_ms = CONNECT_MS,
                                               .read_timeout_ms = WAIT_US / 1000,
                                               .tls = sl_http_stores_apply,
                                               .tls_ctx = &calls->stores};
    enum sl_rc rc = read_stores(worker, &calls->stores, err);

    if (rc) {
        sl_leader_call_close(calls);
        return rc;
    }
    settings.any_name = calls->stores.any_name;
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

    if (rc == SL_E_CONFIG)
        (void)sl_error_wrap(err, "workers trust one another by listeners.https.ssl.truststore.*, or ssl.*");
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
