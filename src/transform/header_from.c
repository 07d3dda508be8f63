/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's HeaderFrom: fields of the key or value are copied or moved into headers. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/config_list.h"
#include "transform/map_value.h"
#include "transform/record_headers.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <strings.h>

struct from {
    bool key;
    bool move;
    bool null_is_default;
    struct sl_config_list fields;
    struct sl_config_list headers;
    struct sl_plan_cache plans;
};

/* Where the fields stand in one schema, and what is left of it. */
struct plan {
    struct sl_plan_parts parts; /* the row when they move */
    uint32_t *at;
    const char *missing; /* a field that the schema has not; then nothing else holds */
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.HeaderFrom$Value",
                                      "org.apache.kafka.connect.transforms.HeaderFrom$Key", NULL};
static const char *const operations[] = {"move", "copy", NULL};

static const struct sl_option options[] = {
    {.name = "fields",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The fields.",
     .validate = sl_config_list_validate},
    {.name = "headers",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The names of the headers, in the order of the fields.",
     .validate = sl_config_list_validate},
    {.name = "operation",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Whether the fields stay: move takes them out, copy leaves them.",
     .values = operations},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void from_close(void *self_)
{
    struct from *self = self_;

    sl_plan_cache_done(&self->plans, sl_plan_parts_free);
    sl_config_list_done(&self->fields);
    sl_config_list_done(&self->headers);
    sl_free(self);
}

static enum sl_rc from_open(const struct sl_props *props, const char *prefix, const char *class_name,
                            void **ret_self, struct sl_error *err)
{
    struct from *self = sl_zalloc(1, sizeof(*self));
    const char *operation = sl_option_text(options, props, prefix, "operation");

    self->key = sl_side_is_key(class_name);
    self->move = operation && strcasecmp(operation, "move") == 0;
    self->null_is_default = sl_null_is_default(options, props, prefix);
    sl_config_list_read(&self->fields, sl_option_text(options, props, prefix, "fields"));
    sl_config_list_read(&self->headers, sl_option_text(options, props, prefix, "headers"));
    if (!operation || self->fields.n == 0 || self->fields.n != self->headers.n) {
        (void)sl_error_set(err, SL_E_CONFIG,
                           "%stype: HeaderFrom has %zu fields and %zu headers%s. HINT: give fields and "
                           "headers of equal number, and operation=move or copy",
                           prefix, self->fields.n, self->headers.n, operation ? "" : " and no operation");
        from_close(self);
        return SL_E_CONFIG;
    }
    *ret_self = self;
    return SL_OK;
}

static struct sl_row_plan *compile_rest(const struct from *self, const struct sl_schema *schema)
{
    struct sl_row_draft draft;

    sl_row_draft_begin(&draft, "HeaderFrom", schema, self->null_is_default);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        if (!sl_config_list_has(&self->fields, schema->fields[i].name))
            sl_row_draft_keep(&draft, i, NULL, NULL);
    }
    return sl_row_draft_end(&draft, false);
}

static const struct plan *plan_for(struct from *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->parts.own = plan->at = sl_zalloc(self->fields.n, sizeof(*plan->at));
    for (size_t i = 0; i < self->fields.n; i++) {
        int at = sl_schema_field(schema, self->fields.items[i]);

        if (at < 0)
            plan->missing = self->fields.items[i];
        else
            plan->at[i] = (uint32_t)at;
    }
    plan->parts.row = self->move ? compile_rest(self, schema) : NULL;
    return sl_plan_cache_put(&self->plans, schema, plan);
}

static enum sl_verdict with_schema(struct from *self, struct sl_message *message, struct sl_side side,
                                   struct sl_arena *arena, struct sl_error *err)
{
    const struct sl_schema *schema = *side.schema;
    struct sl_record *record = &message->record;
    struct sl_header *headers;
    const struct plan *plan;

    if (!sl_side_is_struct(side))
        return sl_side_refuse(side, "HeaderFrom", err);
    plan = plan_for(self, schema);
    if (plan->missing)
        return sl_bad_record(err, "HeaderFrom does not find the field '%.100s'. HINT: see its fields",
                             plan->missing);
    headers = sl_record_grow_headers(record, self->fields.n, arena);
    for (size_t i = 0; i < self->fields.n; i++)
        headers[record->n_headers++] = (struct sl_header){
            .name = self->headers.items[i],
            .schema = schema->fields[plan->at[i]].schema,
            .value = sl_field_get(schema, *side.value, plan->at[i], self->null_is_default),
        };
    if (plan->parts.row) {
        *side.value = sl_row_plan_apply(plan->parts.row, *side.value, arena);
        *side.schema = plan->parts.row->to;
    }
    return SL_KEEP;
}

static enum sl_verdict without_schema(const struct from *self, struct sl_message *message,
                                      struct sl_side side, struct sl_arena *arena, struct sl_error *err)
{
    struct sl_record *record = &message->record;
    struct sl_header *headers;
    struct sl_map_edit rest;

    if (side.value->tag != SL_MAP)
        return sl_side_refuse(side, "HeaderFrom", err);
    headers = sl_record_grow_headers(record, self->fields.n, arena);
    for (size_t i = 0; i < self->fields.n; i++) {
        struct sl_value value = sl_map_get(*side.value, self->fields.items[i]);

        headers[record->n_headers++] = (struct sl_header){
            .name = self->headers.items[i], .schema = sl_header_schema_of(value), .value = value};
    }
    if (!self->move)
        return SL_KEEP;
    rest = sl_map_edit_begin(*side.value, 0, arena);
    for (size_t i = 0; i < self->fields.n; i++)
        sl_map_edit_remove(&rest, self->fields.items[i]);
    *side.value = sl_map_edit_end(&rest);
    return SL_KEEP;
}

static enum sl_verdict from_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                  struct sl_error *err)
{
    struct from *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    return *side.schema ? with_schema(self, message, side, arena, err)
                        : without_schema(self, message, side, arena, err);
}

const struct sl_transform_ops sl_transform_header_from = {
    .name = "HeaderFrom",
    .classes = classes,
    .options = options,
    .open = from_open,
    .apply = from_apply,
    .close = from_close,
};
