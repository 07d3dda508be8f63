/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connect/inside.h"

#include "base/log.h"

#include <strings.h>

SL_CONNECT_HANDLER(sl_connect_loggers)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};

    sl_herder_loggers(api->herder, &said);
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_logger)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};

    sl_herder_logger(api->herder, sl_http_path(request, "logger"), &said);
    sl_connect_reply(api, request, &said, answer);
}

/* An unknown scope counts as worker (KIP-976). */
static bool in_cluster(const struct sl_http_request *request)
{
    const char *scope = sl_http_query(request, "scope");

    if (scope && strcasecmp(scope, "cluster") == 0)
        return true;
    if (scope && strcasecmp(scope, "worker") != 0)
        sl_warn("an unknown scope of a logger counts as worker", SL_T("scope", scope));
    return false;
}

SL_CONNECT_HANDLER(sl_connect_set_logger)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};
    json_t *body = NULL;
    const json_t *level;

    if (!sl_connect_body_object(request, &body, answer))
        return;
    level = json_object_get(body, "level");
    if (!json_is_string(level)) {
        sl_http_error(answer, 400, 0, "Desired 'level' parameter was not specified in request.");
    } else {
        sl_herder_set_logger(api->herder, sl_http_path(request, "logger"), json_string_value(level),
                             in_cluster(request), &said);
        sl_connect_reply(api, request, &said, answer);
    }
    json_decref(body);
}
