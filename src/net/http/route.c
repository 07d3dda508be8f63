/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http/inside.h"

#include <stdio.h>
#include <strings.h>

static bool fits(const struct sl_http_route *route, const struct sl_http_inside *inside)
{
    const char *at = route->pattern;
    size_t i = 0;

    for (; *at == '/' && at[1]; i++) {
        size_t len = strcspn(at + 1, "/");

        if (i == inside->n_segments)
            return false;
        if (at[1] != '{' &&
            (strlen(inside->segments[i]) != len || memcmp(at + 1, inside->segments[i], len) != 0))
            return false;
        if (at[1] == '{' && !inside->segments[i][0])
            return false;
        at += len + 1;
    }
    return i == inside->n_segments;
}

/* The methods of a path, for Allow. */
static void put_allowed(const struct sl_http_route *routes, const struct sl_http_inside *inside, char *text,
                        size_t size)
{
    size_t used = 0;

    text[0] = 0;
    for (; routes->method; routes++) {
        if (!fits(routes, inside) || used + strlen(routes->method) + 16 > size)
            continue;
        if (strcmp(routes->method, "GET") == 0)
            used += (size_t)snprintf(text + used, size - used, "HEAD,");
        used += (size_t)snprintf(text + used, size - used, "%s,", routes->method);
    }
    if (used)
        (void)snprintf(text + used, size - used, "OPTIONS");
}

static const struct sl_http_route *find(const struct sl_http_route *routes,
                                        const struct sl_http_inside *inside)
{
    const char *method = strcmp(inside->method, "HEAD") == 0 ? "GET" : inside->method;

    for (; routes->method; routes++) {
        if (strcmp(routes->method, method) == 0 && fits(routes, inside))
            return routes;
    }
    return NULL;
}

static void answer_no_route(struct sl_http_inside *inside, const char *allowed)
{
    struct sl_http_answer *answer = &inside->answer;

    if (!*allowed) {
        sl_http_error(answer, 404, 0, "HTTP 404 Not Found");
        return;
    }
    sl_http_add_header(answer, "Allow", allowed);
    if (strcmp(inside->method, "OPTIONS") == 0)
        sl_http_empty(answer, 200);
    else
        sl_http_error(answer, 405, 0, "HTTP 405 Method Not Allowed");
}

/* Does the media type of text (up to ';' or ',') stand in the list? */
static bool media_listed(const char *const *list, const char *text, size_t len)
{
    for (; *list; list++) {
        if (strlen(*list) == len && strncasecmp(*list, text, len) == 0)
            return true;
    }
    return false;
}

static bool consumes(const char *const *list, const struct sl_http_request *request)
{
    const char *type = sl_http_header(request, "Content-Type");

    if (!list || (request->body_bytes == 0 && !type))
        return true;
    /* Jersey takes a body without a type as the method's own. */
    return !type || media_listed(list, type, strcspn(type, "; \t,"));
}

/* One of the list, its type with any subtype, or anything: quality values decide between several, and there
 * is only one answer to give. */
static bool produces(const char *const *list, const char *accept)
{
    if (!list || !accept)
        return true;
    while (*accept) {
        size_t len;

        accept += strspn(accept, ", \t");
        len = strcspn(accept, ";, \t");
        if (len == 3 && strncmp(accept, "*/*", 3) == 0)
            return true;
        if (len == 13 && strncasecmp(accept, "application/*", 13) == 0)
            return true;
        if (len && media_listed(list, accept, len))
            return true;
        accept += strcspn(accept, ",");
    }
    return false;
}

static void handle(struct sl_http_inside *inside)
{
    const struct sl_http_config *config = &inside->server->config;
    char allowed[160];

    inside->route = inside->too_many_segments ? NULL : find(config->routes, inside);
    if (!inside->route) {
        allowed[0] = 0;
        if (!inside->too_many_segments)
            put_allowed(config->routes, inside, allowed, sizeof(allowed));
        answer_no_route(inside, allowed);
    } else if (!consumes(config->consumes, &inside->request)) {
        sl_http_error(&inside->answer, 415, 0, "HTTP 415 Unsupported Media Type");
    } else if (!produces(config->produces, sl_http_header(&inside->request, "Accept"))) {
        sl_http_error(&inside->answer, 406, 0, "HTTP 406 Not Acceptable");
    } else {
        inside->route->handle(config->ctx, &inside->request, &inside->answer);
    }
}

void sl_http_dispatch(struct sl_http_inside *inside)
{
    const struct sl_http_config *config = &inside->server->config;

    if (atomic_load(&inside->server->stopping))
        sl_http_error(&inside->answer, 503, 0, "The server is stopping.");
    else if (!config->before || config->before(config->before_ctx ? config->before_ctx : config->ctx,
                                               &inside->request, &inside->answer))
        handle(inside);
    if (!inside->answer.status)
        sl_http_error(&inside->answer, 500, 0, "The request was not answered.");
    if (config->produces && strcmp(inside->answer.type, "application/json") == 0)
        (void)snprintf(inside->answer.type, sizeof(inside->answer.type), "%s", config->produces[0]);
    if (config->after)
        config->after(config->ctx, &inside->request, &inside->answer);
}
