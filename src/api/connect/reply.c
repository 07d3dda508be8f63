/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connect/inside.h"

#include "net/http/client.h"

void sl_connect_put_location(const struct sl_http_request *request, const char *name,
                             struct sl_http_answer *answer)
{
    const char *host = sl_http_header(request, "Host");
    struct sl_buf location = {0};

    if (host)
        sl_buf_format(&location, "%s://%s", request->secure ? "https" : "http", host);
    sl_buf_text(&location, "/connectors/");
    sl_http_put_escaped(&location, name, strlen(name));
    sl_http_add_header(answer, "Location", sl_buf_cstr(&location));
    sl_buf_done(&location);
}

void sl_connect_reply(struct sl_connect_api *api, const struct sl_http_request *request,
                      struct sl_answer *said, struct sl_http_answer *answer)
{
    if (said->status == SL_ANSWER_ELSEWHERE) {
        sl_connect_forward(api, request, said->url, answer);
    } else if (said->status >= 400) {
        sl_http_error(answer, (int)said->status, 0, "%s", said->message ? said->message : "");
    } else if (said->body) {
        sl_http_json(answer, (int)said->status, json_incref(said->body));
    } else {
        sl_http_empty(answer, (int)said->status);
    }
    if (said->status == SL_ANSWER_CREATED && json_is_string(json_object_get(said->body, "name")))
        sl_connect_put_location(request, json_string_value(json_object_get(said->body, "name")), answer);
    sl_answer_done(said);
}
