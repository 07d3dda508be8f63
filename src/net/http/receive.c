/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request arrives, piece by piece, on its listener's thread. libmicrohttpd calls: sl_http_uri_seen when the
 * request line is there, sl_http_access once with the headers, once for each piece of the body, once at its
 * end, and once more when the handler has resumed the connection; sl_http_completed when all is over, however
 * it ended.
 */
#include "net/http/inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"

#include <stdio.h>
#include <strings.h>

static struct sl_http_connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info->socket_context;
}

void *sl_http_uri_seen(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct sl_http_bound *bound = cls;
    struct sl_http_inside *inside = sl_zalloc(1, sizeof(*inside));

    inside->server = bound->server;
    inside->connection = connection_of(mhd);
    inside->mhd = mhd;
    inside->uri = sl_strdup(uri);
    inside->began_us = sl_now_us();
    inside->request = (struct sl_http_request){.path = inside->uri,
                                               .query = "",
                                               .peer = inside->connection->peer,
                                               .secure = bound->tls,
                                               .inside = inside};
    sl_http_phase_set(inside->connection, SL_HTTP_PHASE_RECEIVING);
    return inside;
}

/* ---- the headers ---- */

struct framing {
    unsigned hosts, lengths, codings;
    bool chunked;
    bool odd; /* a name that is no token, a value with control characters */
    const char *length;
};

static bool is_token(const char *name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (const char *at = name; *at; at++) {
        char c = *at;

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              strchr(others, c)))
            return false;
    }
    return *name != 0;
}

static bool has_controls(const char *value)
{
    for (const unsigned char *at = (const unsigned char *)value; *at; at++) {
        if ((*at < 0x20 && *at != '\t') || *at == 0x7F)
            return true;
    }
    return false;
}

static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *framing = cls;

    (void)kind;
    if (!is_token(name) || !value || has_controls(value))
        framing->odd = true;
    else if (strcasecmp(name, "Host") == 0)
        framing->hosts++;
    else if (strcasecmp(name, "Content-Length") == 0 && ++framing->lengths)
        framing->length = value;
    else if (strcasecmp(name, "Transfer-Encoding") == 0 && ++framing->codings)
        framing->chunked = strcasecmp(value, "chunked") == 0;
    return MHD_YES;
}

/* Everything that two readers of these headers could understand differently. NULL: nothing. */
static const char *framing_fault(const struct framing *framing, const char *version)
{
    if (framing->odd)
        return "a header's name or value holds characters that may not stand there";
    if (framing->hosts > 1 || framing->lengths > 1 || framing->codings > 1)
        return "Host, Content-Length or Transfer-Encoding is given more than once";
    if (framing->hosts == 0 && strcmp(version, "HTTP/1.1") == 0)
        return "HTTP/1.1 needs a Host header";
    if (framing->lengths && framing->codings)
        return "Content-Length and Transfer-Encoding are both given";
    if (framing->codings && (!framing->chunked || strcmp(version, "HTTP/1.1") != 0))
        return "the only Transfer-Encoding that is taken is chunked, of HTTP/1.1";
    return NULL;
}

static void refuse(struct sl_http_inside *inside, int status, const char *text)
{
    inside->refused = true;
    sl_http_error(&inside->answer, status, 0, "%s", text);
}

static void check_length(struct sl_http_inside *inside, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long long length = digits && digits <= 18 ? strtoull(text, NULL, 10) : ~0ull;

    if (digits == 0 || text[digits])
        refuse(inside, 400, "Content-Length is not a number");
    else if (length > inside->server->config.limits.body_bytes)
        refuse(inside, 413, "The request's body is longer than this server takes.");
}

/* The first call: what can be refused before the body comes is refused here, and the connection is closed. */
static void look_at_headers(struct sl_http_inside *inside, const char *method, const char *version)
{
    struct framing framing = {0};
    const char *fault;

    inside->begun = true;
    inside->method = sl_strdup(method);
    inside->request.method = inside->method;
    (void)MHD_get_connection_values(inside->mhd, MHD_HEADER_KIND, look_at_header, &framing);
    fault = sl_http_client_refused(inside->mhd, inside->request.secure ? inside->server->client_auth : 0);
    if (fault) {
        refuse(inside, 403, fault);
        return;
    }
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) {
        refuse(inside, 505, "This server speaks HTTP/1.1.");
        return;
    }
    fault = framing_fault(&framing, version);
    if (!fault && !sl_http_cut_uri(inside))
        fault = "the path or the query is not UTF-8 text, escaped where needed, without control characters";
    if (fault)
        refuse(inside, 400, fault);
    else if (framing.length)
        check_length(inside, framing.length);
}

/* ---- the body ---- */

static void give_back(struct sl_http_inside *inside)
{
    atomic_fetch_sub(&inside->server->bodies_bytes, inside->charged_bytes);
    inside->charged_bytes = 0;
    sl_buf_done(&inside->body);
}

/* What the buffer will hold, its slack included, is charged before it is taken. */
static bool charge(struct sl_http_inside *inside, size_t more)
{
    struct sl_http_server *server = inside->server;
    size_t needed = inside->body.len + more + 1;
    size_t capacity = inside->body.capacity ? inside->body.capacity : 1024;

    while (capacity < needed)
        capacity *= 2;
    if (capacity > inside->charged_bytes) {
        size_t growth = capacity - inside->charged_bytes;

        inside->charged_bytes += growth;
        if (atomic_fetch_add(&server->bodies_bytes, growth) + growth > server->config.limits.bodies_bytes)
            return false;
    }
    return true;
}

/* False: the rest of a refused body is not worth reading. */
static bool take_body(struct sl_http_inside *inside, const char *bytes, size_t len)
{
    size_t limit = inside->server->config.limits.body_bytes;

    if (!inside->refused && inside->body.len + len > limit) {
        refuse(inside, 413, "The request's body is longer than this server takes.");
        give_back(inside);
    } else if (!inside->refused && !charge(inside, len)) {
        refuse(inside, 503, "Too many bodies are being received. Try again shortly.");
        give_back(inside);
    }
    if (inside->refused) {
        inside->discarded_bytes += len;
        return inside->discarded_bytes <= 4 * limit;
    }
    sl_buf_put(&inside->body, bytes, len);
    return true;
}

/* ---- the way to a handler and back ---- */

static void finish_refusal(struct sl_http_inside *inside)
{
    const struct sl_http_config *config = &inside->server->config;

    if (config->after && inside->decoded)
        config->after(config->ctx, &inside->request, &inside->answer);
}

static enum MHD_Result send_answer(struct sl_http_inside *inside)
{
    struct MHD_Response *response = sl_http_response_new(inside);
    enum MHD_Result sent;

    if (!response)
        return MHD_NO;
    if (inside->refused || atomic_load(&inside->server->stopping))
        (void)MHD_add_response_header(response, "Connection", "close");
    sl_http_phase_set(inside->connection, SL_HTTP_PHASE_SENDING);
    sent = MHD_queue_response(inside->mhd, (unsigned)inside->answer.status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result hand_over(struct sl_http_inside *inside)
{
    inside->handed = true;
    if (inside->body.len)
        (void)sl_buf_cstr(&inside->body);
    inside->request.body = inside->body.len ? inside->body.data : (const uint8_t *)"";
    inside->request.body_bytes = inside->body.len;
    sl_http_phase_set(inside->connection, SL_HTTP_PHASE_HANDLING);
    MHD_suspend_connection(inside->mhd);
    if (sl_queue_push(inside->server->work, inside, 0) == SL_QUEUE_OK)
        return MHD_YES;
    sl_http_error(&inside->answer, 503, 0, "The server is busy. Try again shortly.");
    MHD_resume_connection(inside->mhd);
    return MHD_YES;
}

enum MHD_Result sl_http_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct sl_http_inside *inside = *context;

    (void)cls;
    (void)mhd;
    (void)url;
    if (!inside->begun) {
        look_at_headers(inside, method, version);
        if (!inside->refused)
            return MHD_YES;
        finish_refusal(inside);
        return send_answer(inside);
    }
    if (*upload_size) {
        bool more = take_body(inside, upload, *upload_size);

        *upload_size = 0;
        return more ? MHD_YES : MHD_NO;
    }
    if (inside->refused && !inside->handed)
        finish_refusal(inside);
    else if (!inside->handed)
        return hand_over(inside);
    return send_answer(inside);
}

/* ---- the end ---- */

static bool is_read(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

static void log_request(const struct sl_http_inside *inside, bool sent)
{
    const struct sl_http_config *config = &inside->server->config;
    const struct sl_http_request *request = &inside->request;
    char path[512];

    if (config->log == SL_HTTP_LOG_OFF || !inside->method)
        return;
    if (config->log == SL_HTTP_LOG_WRITES && is_read(inside->method) && inside->answer.status != 401 &&
        inside->answer.status != 403)
        return;
    (void)snprintf(path, sizeof(path), "%s%s%s", request->path, request->query[0] ? "?" : "", request->query);
    sl_info("request", SL_T("server", inside->server->name), SL_T("method", inside->method),
            SL_T("path", path), SL_I("status", sent ? inside->answer.status : 0),
            SL_T("peer", inside->connection->peer), SL_T("user", inside->user ? inside->user : "-"),
            SL_I("body_bytes", (int64_t)inside->request.body_bytes),
            SL_I("answer_bytes", (int64_t)inside->answer.body.len),
            SL_I("us", sl_now_us() - inside->began_us));
}

void sl_http_completed(void *cls, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode how)
{
    struct sl_http_inside *inside = *context;

    (void)cls;
    (void)mhd;
    if (!inside)
        return;
    *context = NULL;
    log_request(inside, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    sl_http_phase_set(inside->connection, SL_HTTP_PHASE_IDLE);
    give_back(inside);
    sl_http_answer_done(&inside->answer);
    sl_free(inside->uri);
    sl_free(inside->method);
    sl_free(inside->user);
    sl_free(inside->decoded);
    sl_free(inside);
}
