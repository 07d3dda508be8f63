/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before and behind every request: is the worker ready, who asks, which pages may ask (CORS), and
 * the headers that every answer gets.
 *
 * Nobody has to log in on loopback by default, and browsers run on the same machine. Hence two refusals that
 * Connect does not have: a request that changes something and comes from a page (Origin) of another site is
 * 403 unless access.control.allow.origin names the site; and on loopback without logins a request for a host
 * name that is not this machine's is 403 (DNS rebinding).
 */
#include "api/connect/inside.h"

#include "base/clock.h"
#include "base/props.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

static const char *text_of(const struct sl_connect_api *api, const char *name)
{
    const char *text = sl_props_get(api->worker, name);

    return text && *text ? text : NULL;
}

/* ---- what the worker's properties say ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static enum sl_rc check_extensions(const struct sl_connect_api *api, struct sl_error *err)
{
    const char *cursor = text_of(api, "rest.extension.classes");
    char item[300];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        if (!ends_with(item, "BasicAuthSecurityRestExtension"))
            return sl_error_set(
                err, SL_E_UNSUPPORTED,
                "rest.extension.classes names '%s', which is not known here. HINT: only "
                "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension "
                "is; others are Java classes that this program cannot run",
                item);
    }
    return SL_OK;
}

static void http_date(int64_t ms_from_now, char *ret, size_t size)
{
    time_t when = (time_t)(sl_wall_us() / 1000000 + ms_from_now / 1000);
    struct tm parts;

    (void)gmtime_r(&when, &parts);
    (void)strftime(ret, size, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

/* One rule: "set X-A: b", "add X-A: b", "setDate Expires: 60000", "addDate ...". */
static enum sl_rc add_rule(struct sl_connect_api *api, char *rule, struct sl_error *err)
{
    char *space = strchr(rule, ' ');
    char *colon = space ? strchr(space, ':') : NULL;
    char *value = colon ? colon + 1 : NULL;
    bool date = false;

    if (space)
        *space = 0;
    if (strcasecmp(rule, "setDate") == 0 || strcasecmp(rule, "addDate") == 0)
        date = true;
    else if (strcasecmp(rule, "set") != 0 && strcasecmp(rule, "add") != 0)
        value = NULL;
    if (!value)
        return sl_error_set(
            err, SL_E_CONFIG,
            "response.http.headers.config: '%s...' is no rule. HINT: write 'set Name: value' or "
            "'add Name: value'; a rule with a comma in it stands in double quotes",
            rule);
    *colon = 0;
    value += strspn(value, " ");
    sl_buf_u8(&api->headers, date);
    sl_buf_put(&api->headers, space + 1, strlen(space + 1) + 1);
    sl_buf_put(&api->headers, value, strlen(value) + 1);
    return SL_OK;
}

/* Rules are separated by commas; double quotes around one keep its commas. */
static enum sl_rc read_header_rules(struct sl_connect_api *api, struct sl_error *err)
{
    const char *text = text_of(api, "response.http.headers.config");
    char *copy = text ? sl_strdup(text) : NULL;
    char *at = copy;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && at && *at) {
        bool quoted;
        char *end;

        at += strspn(at, " ,");
        quoted = *at == '"';
        at += quoted;
        end = at + strcspn(at, quoted ? "\"" : ",");
        if (end == at)
            break;
        text = *end ? end + 1 : end;
        *end = 0;
        rc = add_rule(api, at, err);
        at += text - at;
    }
    sl_free(copy);
    return rc;
}

enum sl_rc sl_connect_gate_open(struct sl_connect_api *api, struct sl_error *err)
{
    enum sl_rc rc = check_extensions(api, err);

    if (text_of(api, "access.control.allow.origin"))
        api->origins = sl_strdup(text_of(api, "access.control.allow.origin"));
    api->methods =
        sl_strdup(text_of(api, "access.control.allow.methods") ? text_of(api, "access.control.allow.methods")
                                                               : "GET,POST,HEAD");
    if (rc == SL_OK)
        rc = read_header_rules(api, err);
    if (rc == SL_OK && sl_api_wants_login(api->worker))
        rc = sl_users_open(sl_props_get(api->worker, "sluice.rest.users.file"), &api->users, err);
    return rc;
}

void sl_connect_gate_close(struct sl_connect_api *api)
{
    if (api->users)
        sl_users_close(api->users);
    sl_free(api->origins);
    sl_free(api->methods);
    sl_buf_done(&api->headers);
}

/* ---- who asks ---- */

/* Does the comma-separated list hold the item, or "*"? */
static bool listed(const char *list, const char *item)
{
    char one[300];

    while (list && sl_list_next(&list, one, sizeof(one))) {
        if (strcmp(one, "*") == 0 || strcasecmp(one, item) == 0)
            return true;
    }
    return false;
}

static bool is_own_page(const struct sl_http_request *request, const char *origin)
{
    const char *host = sl_http_header(request, "Host");
    const char *name = strstr(origin, "://");

    return host && name && strcasecmp(name + 3, host) == 0;
}

static bool changes_nothing(const struct sl_http_request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0 ||
           strcmp(request->method, "OPTIONS") == 0;
}

/* The host of a Host header, without port and brackets. */
static void host_name(const char *header, char *ret, size_t size)
{
    size_t len = header[0] == '[' ? strcspn(header, "]") : strcspn(header, ":");
    size_t skip = header[0] == '[';

    len = len > skip ? len - skip : 0;
    if (len >= size)
        len = size - 1;
    memcpy(ret, header + skip, len);
    ret[len] = 0;
}

static bool is_this_machine(const struct sl_connect_api *api, const char *header)
{
    const char *const keys[] = {"rest.advertised.host.name", "rest.host.name"};
    struct in6_addr address;
    char host[300];

    host_name(header, host, sizeof(host));
    if (strcasecmp(host, "localhost") == 0 || ends_with(host, ".localhost") ||
        inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return true;
    for (size_t i = 0; i < api->listeners.n; i++) {
        if (api->listeners.items[i].host && strcasecmp(api->listeners.items[i].host, host) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (text_of(api, keys[i]) && strcasecmp(text_of(api, keys[i]), host) == 0)
            return true;
    }
    return false;
}

static bool all_on_loopback(const struct sl_connect_api *api)
{
    for (size_t i = 0; i < api->listeners.n; i++) {
        if (!sl_api_is_loopback(api->listeners.items[i].host))
            return false;
    }
    return true;
}

static bool refuse_strange_pages(const struct sl_connect_api *api, const struct sl_http_request *request,
                                 struct sl_http_answer *answer)
{
    const char *origin = sl_http_header(request, "Origin");
    const char *host = sl_http_header(request, "Host");

    if (!api->users && host && all_on_loopback(api) && !is_this_machine(api, host)) {
        sl_http_error(answer, 403, 0,
                      "Host '%s' is not this machine. HINT: without logins the API is for clients of this "
                      "machine; set sluice.rest.users.file, or name the host in rest.advertised.host.name",
                      host);
        return false;
    }
    if (origin && !changes_nothing(request) && !is_own_page(request, origin) &&
        !listed(api->origins, origin)) {
        sl_http_error(answer, 403, 0,
                      "Pages of '%s' may not change anything here. HINT: access.control.allow.origin and "
                      "access.control.allow.methods say which may",
                      origin);
        return false;
    }
    return true;
}

bool sl_connect_before(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    struct sl_connect_api *api = ctx;
    bool root = strcmp(request->path, "/") == 0 || strncmp(request->path, "/health", 7) == 0;

    if (!refuse_strange_pages(api, request, answer))
        return false;
    if (api->users && !sl_users_log_in(api->users, request, answer))
        return false;
    if (!root && !atomic_load(&api->ready)) {
        sl_http_add_header(answer, "Retry-After", "1");
        sl_http_error(answer, 503, 0, "The worker is starting or stopping. Try again shortly.");
        return false;
    }
    return true;
}

/* ---- what every answer gets ---- */

static void put_rules(const struct sl_connect_api *api, struct sl_http_answer *answer)
{
    const char *at = (const char *)api->headers.data;
    const char *end = at + api->headers.len;

    while (at < end) {
        bool date = *at;
        const char *name = at + 1;
        const char *value = name + strlen(name) + 1;
        char when[64];

        if (date)
            http_date(strtoll(value, NULL, 10), when, sizeof(when));
        sl_http_add_header(answer, name, date ? when : value);
        at = value + strlen(value) + 1;
    }
}

/* As Jetty's CrossOriginFilter, but without credentials where every site is allowed. */
static void put_cors(const struct sl_connect_api *api, const struct sl_http_request *request,
                     struct sl_http_answer *answer)
{
    const char *origin = sl_http_header(request, "Origin");
    const char *method = sl_http_header(request, "Access-Control-Request-Method");

    if (!api->origins || !origin || !listed(api->origins, origin))
        return;
    sl_http_add_header(answer, "Access-Control-Allow-Origin", origin);
    if (!listed(api->origins, ""))
        sl_http_add_header(answer, "Access-Control-Allow-Credentials", "true");
    if (strcmp(request->method, "OPTIONS") == 0 && method) {
        sl_http_add_header(answer, "Access-Control-Allow-Methods", api->methods);
        sl_http_add_header(answer, "Access-Control-Allow-Headers",
                           "X-Requested-With,Content-Type,Accept,Origin,Authorization");
        sl_http_add_header(answer, "Access-Control-Max-Age", "1800");
    }
    sl_http_add_header(answer, "Vary", "Origin");
}

void sl_connect_after(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)
{
    const struct sl_connect_api *api = ctx;

    put_cors(api, request, answer);
    put_rules(api, answer);
}
