/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A write that came to a follower goes on to the leader, twice at most: the first hop says forward=true, one
 * from there forward=false, and whoever would have to pass that on answers 409 (kafka-connect.md §1.1).
 */
#include "api/connect/inside.h"
#include "api/connect/leader_call.h"

#include "base/json.h"

#include <strings.h>

enum { HEADERS_MAX = 60 };

struct headers {
    char *lines[HEADERS_MAX + 1];
    size_t n;
};

/* What belongs to the connection and not to the request stays here. */
static bool collect(void *ctx, const char *name, const char *value)
{
    static const char *const hops[] = {
        "Host",    "Connection", "Content-Length",  "Transfer-Encoding",   "Expect",          "TE", "Trailer",
        "Upgrade", "Keep-Alive", "Accept-Encoding", "Proxy-Authorization", "Proxy-Connection"};
    struct headers *headers = ctx;

    for (size_t i = 0; i < sizeof(hops) / sizeof(*hops); i++) {
        if (strcasecmp(name, hops[i]) == 0)
            return true;
    }
    if (headers->n < HEADERS_MAX)
        headers->lines[headers->n++] = sl_format("%s: %s", name, value);
    return true;
}

/* The query as it came but without "forward", and ours in its place. */
static void put_query(struct sl_buf *url, const char *query, const char *forward)
{
    const char *at = query;

    sl_buf_u8(url, '?');
    while (*at) {
        size_t len = strcspn(at, "&");

        if (len && strncmp(at, "forward=", 8) != 0) {
            sl_buf_put(url, at, len);
            sl_buf_u8(url, '&');
        }
        at += len + (at[len] == '&');
    }
    sl_buf_format(url, "forward=%s", forward);
}

static void pass_on(const struct sl_http_request *request, struct sl_leader_reply *reply,
                    struct sl_http_answer *answer)
{
    struct sl_error err;
    json_t *body = NULL;

    if (reply->body.len)
        sl_http_text(answer, reply->status, reply->type[0] ? reply->type : "application/json",
                     reply->body.data, reply->body.len);
    else
        sl_http_empty(answer, reply->status);
    if (reply->status != 201 ||
        sl_json_parse((const char *)reply->body.data, reply->body.len, "the leader's answer", &body, &err))
        return;
    if (json_is_string(json_object_get(body, "name")))
        sl_connect_put_location(request, json_string_value(json_object_get(body, "name")), answer);
    json_decref(body);
}

void sl_connect_forward(struct sl_connect_api *api, const struct sl_http_request *request, const char *url,
                        struct sl_http_answer *answer)
{
    const char *forward = sl_http_query(request, "forward");
    struct sl_leader_reply reply = {0};
    struct headers headers = {0};
    struct sl_buf target = {0};
    struct sl_error err = {0};

    if ((forward && strcasecmp(forward, "true") != 0) || !url || !*url) {
        sl_http_error(answer, 409, 0,
                      "Cannot complete request because of a conflicting operation (e.g. worker rebalance)");
        return;
    }
    sl_buf_format(&target, "%s%s", url, request->path);
    put_query(&target, request->query, forward ? "false" : "true");
    sl_http_headers(request, collect, &headers);
    if (sl_leader_call(api->leader,
                       &(struct sl_leader_request){.method = request->method,
                                                   .url = sl_buf_cstr(&target),
                                                   .headers = (const char *const *)headers.lines,
                                                   .body = request->body,
                                                   .body_bytes = request->body_bytes},
                       &reply, &err))
        sl_http_error(answer, 500, 0, "IO Error trying to forward REST request: %s", err.text);
    else
        pass_on(request, &reply, answer);
    sl_leader_reply_done(&reply);
    for (size_t i = 0; i < headers.n; i++)
        sl_free(headers.lines[i]);
    sl_buf_done(&target);
}
