/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's ActivateTracingSpan, as far as it carries a trace on: an application writes its trace context
 * into a column as the text of Java properties ("traceparent=00-...-01"), and the record gets it as headers.
 * The original also reports a span of its own to a collector; nothing here does that, so the context that
 * goes on is the application's itself.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "codec/envelope.h"
#include "transform/plan_cache.h"
#include "transform/record_headers.h"

enum { KEYS_MAX = 16 };

struct tracing {
    char *field;
    struct sl_plan_cache plans;
};

/* Where the column is in one envelope's rows. */
struct plan {
    int after;
    int field; /* -1: the rows have none */
};

static const char *const classes[] = {"io.debezium.transforms.tracing.ActivateTracingSpan", NULL};

static const struct sl_option options[] = {
    {.name = "tracing.span.context.field",
     .type = SL_OPT_STRING,
     .default_text = "tracingspancontext",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The column with the trace context, as the text of Java properties."},
    {.name = "tracing.operation.name",
     .type = SL_OPT_STRING,
     .default_text = "debezium-read",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Taken for compatibility; no span is reported."},
    {.name = "tracing.with.context.field.only",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Taken for compatibility; records without the column pass as they are."},
    {0},
};

static void tracing_close(void *self_)
{
    struct tracing *self = self_;

    sl_plan_cache_done(&self->plans, sl_free);
    sl_free(self->field);
    sl_free(self);
}

static enum sl_rc tracing_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct tracing *self = sl_zalloc(1, sizeof(*self));

    (void)class_name;
    (void)err;
    self->field = sl_strdup(sl_option_text(options, props, prefix, "tracing.span.context.field"));
    *ret_self = self;
    return SL_OK;
}

static const struct plan *plan_for(struct tracing *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);
    const struct sl_envelope *envelope;

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->field = -1;
    envelope = sl_envelope_of(schema);
    if (envelope && envelope->row) {
        plan->after = envelope->after;
        plan->field = sl_schema_field(envelope->row, self->field);
        if (plan->field >= 0 && envelope->row->fields[plan->field].schema->type != SL_STRING)
            plan->field = -1;
    }
    return sl_plan_cache_put(&self->plans, schema, plan);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

/* The next "key=value" line from *at; comments and empty lines are passed over. False: the end. */
static bool next_property(const uint8_t **at, const uint8_t *end, struct sl_span *ret_key,
                          struct sl_span *ret_value)
{
    while (*at < end) {
        const uint8_t *line = *at;
        const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));
        const uint8_t *stop = newline ? newline : end;
        const uint8_t *part;

        *at = newline ? newline + 1 : end;
        while (line < stop && is_blank(*line))
            line++;
        while (stop > line && is_blank(stop[-1]))
            stop--;
        if (line == stop || *line == '#' || *line == '!')
            continue;
        for (part = line; part < stop && *part != '=' && *part != ':' && !is_blank(*part); part++)
            ;
        *ret_key = (struct sl_span){line, (size_t)(part - line)};
        while (part < stop && (is_blank(*part) || *part == '=' || *part == ':'))
            part++;
        *ret_value = (struct sl_span){part, (size_t)(stop - part)};
        return true;
    }
    return false;
}

/* Properties escape = : and blanks with backslashes. */
static struct sl_value unescaped(struct sl_span text, struct sl_arena *arena)
{
    uint8_t *copy = sl_arena_alloc(arena, text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        i += text.ptr[i] == '\\' && i + 1 < text.len;
        copy[n++] = text.ptr[i];
    }
    copy[n] = '\0';
    return sl_bytes(SL_STRING, copy, n);
}

static bool has_header(const struct sl_record *record, const char *name)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static void add_context(struct sl_record *record, struct sl_value text, struct sl_arena *arena)
{
    struct sl_header *headers = sl_record_grow_headers(record, KEYS_MAX, arena);
    const uint8_t *at = text.bytes;
    struct sl_span key;
    struct sl_span value;

    for (int n = 0; n < KEYS_MAX && next_property(&at, text.bytes + text.len, &key, &value); n++) {
        const char *name = (const char *)unescaped(key, arena).bytes;

        if (*name && !has_header(record, name)) /* what is there already is nearer to the record */
            headers[record->n_headers++] = (struct sl_header){
                .name = name, .schema = sl_schema_plain(SL_STRING, false), .value = unescaped(value, arena)};
    }
}

static enum sl_verdict tracing_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct tracing *self = self_;
    struct sl_record *record = &message->record;
    const struct plan *plan;
    struct sl_value row;

    (void)err;
    if (!message->value_schema || record->value.tag != SL_STRUCT)
        return SL_KEEP;
    plan = plan_for(self, message->value_schema);
    if (plan->field < 0)
        return SL_KEEP;
    row = record->value.items[plan->after];
    if (row.tag == SL_STRUCT && row.items[plan->field].tag == SL_STRING)
        add_context(record, row.items[plan->field], arena);
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_activate_tracing_span = {
    .name = "ActivateTracingSpan",
    .classes = classes,
    .options = options,
    .open = tracing_open,
    .apply = tracing_apply,
    .close = tracing_close,
};
