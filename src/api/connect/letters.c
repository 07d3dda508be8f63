/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters of a connector, replayed or dropped by this process. Ours: Connect has nothing of the kind. */
#include "api/connect/inside.h"

#include "base/json.h"

static void settle(struct sl_connect_api *api, const struct sl_http_request *request, bool drop,
                   struct sl_http_answer *answer)
{
    struct sl_answer said = {0};
    json_t *filter = NULL;

    if (!request->body_bytes)
        filter = json_object();
    else if (!sl_connect_body_object(request, &filter, answer))
        return;
    sl_herder_settle_letters(api->herder, sl_http_path(request, "connector"), filter, drop, &said);
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_letters)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};

    sl_herder_letters(api->herder, sl_http_path(request, "connector"), &said);
    sl_connect_reply(api, request, &said, answer);
}

SL_CONNECT_HANDLER(sl_connect_replay_letters)
{
    settle(ctx, request, false, answer);
}

SL_CONNECT_HANDLER(sl_connect_drop_letters)
{
    settle(ctx, request, true, answer);
}
