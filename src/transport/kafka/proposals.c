/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/proposals.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

static bool copy_id(const char *text, char *id)
{
    if (!text || strlen(text) != SL_UUID_TEXT_SIZE - 1)
        return false;
    memcpy(id, text, SL_UUID_TEXT_SIZE);
    return true;
}

void sl_kafka_proposals_see(void *ctx, const char *key, struct sl_span value)
{
    struct sl_kafka_proposals *proposals = ctx;
    size_t len = strlen(proposals->topic);
    struct sl_kafka_proposal proposal = {0};
    json_t *json;

    if (strncmp(key, proposals->topic, len) != 0 || key[len] != '/' || !copy_id(key + len + 1, proposal.id) ||
        sl_json_parse((const char *)value.ptr, value.len, "topics", &json, NULL))
        return;
    (void)copy_id(json_string_value(json_object_get(json, "after")), proposal.after);
    json_decref(json);
    SL_GROW(proposals->items, proposals->n, proposals->capacity);
    proposals->items[proposals->n++] = proposal;
}

void sl_kafka_proposals_settle(const struct sl_kafka_proposals *proposals, char ret_id[SL_UUID_TEXT_SIZE])
{
    memset(ret_id, 0, SL_UUID_TEXT_SIZE);
    for (size_t steps = 0, i = 0; i < proposals->n && steps < proposals->n; i++) {
        if (strcmp(proposals->items[i].after, ret_id) != 0)
            continue;
        memcpy(ret_id, proposals->items[i].id, SL_UUID_TEXT_SIZE);
        steps++;
        i = (size_t)-1; /* the one that follows may have been written by somebody faster */
    }
}

void sl_kafka_proposals_done(struct sl_kafka_proposals *proposals)
{
    sl_free(proposals->items);
    proposals->items = NULL;
    proposals->n = proposals->capacity = 0;
}
