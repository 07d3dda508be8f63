/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets (KIP-875). What a partition and an offset of a connector look like is the herder's affair. */
#include "api/connect/inside.h"

SL_CONNECT_HANDLER(sl_connect_offsets)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};

    sl_herder_offsets(api->herder, sl_http_path(request, "connector"), &said);
    sl_connect_reply(api, request, &said, answer);
}

/* The array of a body {"offsets":[{"partition","offset"},..]}; false: it was answered. */
static bool take_offsets(json_t *body, json_t **ret, struct sl_http_answer *answer)
{
    json_t *offsets = json_object_get(body, "offsets");
    const json_t *one;
    size_t i;

    if (!offsets || json_is_null(offsets) || (json_is_array(offsets) && json_array_size(offsets) == 0)) {
        sl_http_error(answer, 400, 0,
                      "Partitions / offsets need to be provided for an alter offsets request");
        return false;
    }
    if (!json_is_array(offsets)) {
        sl_http_error(answer, 500, 0,
                      "\"offsets\" is no array. HINT: write {\"offsets\": [{\"partition\": {...}, "
                      "\"offset\": {...}}]}");
        return false;
    }
    json_array_foreach(offsets, i, one)
    {
        const json_t *partition = json_object_get(one, "partition");
        const json_t *offset = json_object_get(one, "offset");

        if (!json_is_object(one) || !json_is_object(partition) ||
            (offset && !json_is_null(offset) && !json_is_object(offset))) {
            sl_http_error(
                answer, json_is_object(one) && !json_is_object(partition) ? 400 : 500, 0,
                "Item %zu of \"offsets\" is not of the form {\"partition\": {...}, \"offset\": {...} or "
                "null}",
                i + 1);
            return false;
        }
    }
    *ret = json_incref(offsets);
    return true;
}

SL_CONNECT_HANDLER(sl_connect_alter_offsets)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};
    json_t *offsets = NULL;
    json_t *body = NULL;

    if (!sl_connect_body_object(request, &body, answer))
        return;
    if (take_offsets(body, &offsets, answer)) {
        sl_herder_alter_offsets(api->herder, sl_http_path(request, "connector"), offsets, &said);
        sl_connect_reply(api, request, &said, answer);
    }
    json_decref(body);
}

SL_CONNECT_HANDLER(sl_connect_reset_offsets)
{
    struct sl_connect_api *api = ctx;
    struct sl_answer said = {0};

    sl_herder_reset_offsets(api->herder, sl_http_path(request, "connector"), &said);
    sl_connect_reply(api, request, &said, answer);
}
