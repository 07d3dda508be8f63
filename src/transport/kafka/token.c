/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OAUTHBEARER with an issuer: its tokens, by client credentials (RFC 6749, section 4.4). librdkafka has this
 * itself where it was built with libcurl, which Debian's was not.
 */
#include "transport/kafka/client.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "net/http/client.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

enum { ANSWER_US = 10 * 1000 * 1000, LARGEST_TOKEN = 64 << 10, USUAL_LIFE_S = 300 };

/* The claims of a token that is a JWT, unchecked (brokers check them); NULL when it is none. */
static json_t *claims_of(const char *token)
{
    const char *from = strchr(token, '.');
    size_t len = from ? strcspn(from + 1, ".") : 0;
    struct sl_buf text = {0};
    unsigned char *decoded;
    json_t *claims = NULL;
    int n;

    if (!len)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = from[1 + i];

        sl_buf_u8(&text, (uint8_t)(c == '-' ? '+' : c == '_' ? '/' : c));
    }
    while (text.len % 4)
        sl_buf_u8(&text, 'A'); /* what is padded beyond the text's end is not looked at */
    decoded = sl_alloc(text.len + 1);
    n = EVP_DecodeBlock(decoded, text.data, (int)text.len);
    if (n > 0)
        claims = json_loadb((const char *)decoded, len * 3 / 4, 0, NULL);
    sl_free(decoded);
    sl_buf_done(&text);
    return claims;
}

static enum sl_rc hand_over(rd_kafka_t *client, json_t *answer, const char *id, struct sl_error *err)
{
    const char *token = json_string_value(json_object_get(answer, "access_token"));
    json_int_t life_s = json_integer_value(json_object_get(answer, "expires_in"));
    json_t *claims = token ? claims_of(token) : NULL;
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    json_int_t end_s = (json_int_t)json_number_value(json_object_get(claims, "exp"));
    char why[256] = "";
    enum sl_rc rc = SL_OK;

    if (end_s <= 0)
        end_s = sl_wall_us() / 1000000 + (life_s > 0 ? life_s : USUAL_LIFE_S);
    if (!token)
        rc = sl_error_set(err, SL_E_AUTH, "the answer has no 'access_token'");
    else if (rd_kafka_oauthbearer_set_token(client, token, end_s * 1000, subject ? subject : id, NULL, 0, why,
                                            sizeof(why)))
        rc = sl_error_set(err, SL_E_AUTH, "the token does not do: %s", why);
    json_decref(claims);
    return rc;
}

static enum sl_rc fetch(rd_kafka_t *client, json_t *issuer, struct sl_error *err)
{
    const char *scope = json_string_value(json_object_get(issuer, "scope"));
    const char *id = json_string_value(json_object_get(issuer, "id"));
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json", NULL};
    const struct sl_http_client_settings settings = {0};
    struct sl_http_client *http = sl_http_client_new(&settings);
    struct sl_http_reply reply = {0};
    struct sl_buf body = {0};
    json_t *answer = NULL;
    enum sl_rc rc;

    sl_buf_text(&body, "grant_type=client_credentials");
    if (scope) {
        sl_buf_text(&body, "&scope=");
        sl_http_put_escaped(&body, scope, strlen(scope));
    }
    rc = sl_http_client_ask(http,
                            &(struct sl_http_call){
                                .method = "POST",
                                .url = json_string_value(json_object_get(issuer, "url")),
                                .headers = headers,
                                .user = id,
                                .password = json_string_value(json_object_get(issuer, "secret")),
                                .body = body.data,
                                .body_len = body.len,
                                .deadline_us = sl_now_us() + ANSWER_US,
                                .max_bytes = LARGEST_TOKEN,
                            },
                            &reply, err);
    if (rc == SL_OK && reply.status != 200)
        rc = sl_error_set(err, SL_E_AUTH, "it answers with status %d", reply.status);
    if (rc == SL_OK)
        answer = json_loadb((const char *)reply.body.data, reply.body.len, 0, NULL);
    if (rc == SL_OK)
        rc = hand_over(client, answer, id, err);
    json_decref(answer);
    sl_http_reply_done(&reply);
    sl_buf_done(&body);
    sl_http_client_free(http);
    return rc;
}

/* Called by librdkafka's own thread, in time before a token ends, and again ten seconds after a failure. */
static void refresh(rd_kafka_t *client, const char *config, void *opaque)
{
    json_t *issuer = json_loads(config ? config : "", 0, NULL);
    struct sl_error err = {0};

    (void)opaque;
    if (fetch(client, issuer, &err)) {
        (void)sl_error_wrap(&err, "sasl.oauthbearer.token.endpoint.url");
        (void)rd_kafka_oauthbearer_set_token_failure(client, err.text);
    }
    json_decref(issuer);
}

enum sl_rc sl_kafka_conf_issuer(rd_kafka_conf_t *conf, const char *url, const char *id, const char *secret,
                                const char *scope, struct sl_error *err)
{
    json_t *issuer;
    char *text;
    enum sl_rc rc;

    if (!id || !secret)
        return sl_error_set(
            err, SL_E_CONFIG,
            "sasl.jaas.config: OAUTHBEARER with an issuer needs clientId and clientSecret. "
            "HINT: ...OAuthBearerLoginModule required clientId=\"...\" clientSecret=\"...\";");
    issuer = json_pack("{s:s, s:s, s:s, s:s*}", "url", url, "id", id, "secret", secret, "scope", scope);
    if (!issuer)
        return sl_error_set(err, SL_E_CONFIG,
                            "sasl.jaas.config: clientId, clientSecret or scope is not UTF-8");
    text = json_dumps(issuer, JSON_COMPACT);
    rc = sl_kafka_conf_set(conf, "sasl.oauthbearer.config", text, err);
    OPENSSL_cleanse(text, strlen(text));
    sl_free(text);
    json_decref(issuer);
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, refresh);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    return rc;
}

void sl_kafka_log_in_behind(rd_kafka_t *client)
{
    rd_kafka_error_t *error = rd_kafka_sasl_background_callbacks_enable(client);

    if (error) /* no mechanism that needs it */
        rd_kafka_error_destroy(error);
}
