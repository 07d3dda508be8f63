/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/stale.h"

#include "base/clock.h"
#include "base/log.h"

#define LINE_EVERY_US INT64_C(60000000)

/* Where the event's time stands in values of this schema: found once, not per row. */
static void learn(struct sl_stale *stale, const struct sl_schema *schema)
{
    const struct sl_schema *source;

    stale->schema = schema;
    stale->source = schema && schema->type == SL_STRUCT ? sl_schema_field(schema, "source") : -1;
    stale->ts_ms = -1;
    if (stale->source < 0)
        return;
    source = schema->fields[stale->source].schema;
    if (source->type == SL_STRUCT)
        stale->ts_ms = sl_schema_field(source, "ts_ms");
    if (stale->ts_ms >= 0 && source->fields[stale->ts_ms].schema->type != SL_INT64)
        stale->ts_ms = -1;
}

static int64_t event_ms(const struct sl_stale *stale, const struct sl_message *message)
{
    struct sl_value value = message->record.value;

    if (stale->ts_ms >= 0 && value.tag == SL_STRUCT) {
        struct sl_value source = value.items[stale->source];

        if (source.tag == SL_STRUCT && source.items[stale->ts_ms].tag == SL_INT64)
            return source.items[stale->ts_ms].i;
    }
    return message->record.timestamp_ms;
}

void sl_stale_look(struct sl_stale *stale, const struct sl_message *message, int64_t now_ms)
{
    int64_t ms;

    if (message->value_schema != stale->schema)
        learn(stale, message->value_schema);
    ms = event_ms(stale, message);
    if (ms <= 0 || now_ms - ms <= stale->after_ms)
        return;
    (void)atomic_fetch_add(&stale->n, 1);
    if (sl_now_us() < stale->next_line_us)
        return;
    stale->next_line_us = sl_now_us() + LINE_EVERY_US;
    sl_warn("an event comes late: it is older than errors.stale.threshold.ms",
            SL_T("topic", message->topic->name), SL_I("partition", message->record.partition),
            SL_I("offset", message->record.offset), SL_I("age_ms", now_ms - ms),
            SL_I("stale_events", atomic_load(&stale->n)));
}
