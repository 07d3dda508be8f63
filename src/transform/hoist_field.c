/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's HoistField: the key or value becomes the one field of a struct, or of a map where there is
 * no schema.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "data/schema_build.h"
#include "transform/plan_cache.h"
#include "transform/side.h"

struct hoist {
    bool key;
    char *field;
    struct sl_plan_cache plans;
};

struct plan {
    const struct sl_schema *to;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.HoistField$Value",
                                      "org.apache.kafka.connect.transforms.HoistField$Key", NULL};

static const struct sl_option options[] = {
    {.name = "field",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "The name of the one field."},
    {0},
};

static void hoist_close(void *self_)
{
    struct hoist *self = self_;

    sl_plan_cache_done(&self->plans, sl_free);
    sl_free(self->field);
    sl_free(self);
}

static enum sl_rc hoist_open(const struct sl_props *props, const char *prefix, const char *class_name,
                             void **ret_self, struct sl_error *err)
{
    const char *field = sl_option_text(options, props, prefix, "field");
    struct hoist *self;

    if (!field || !*field)
        return sl_error_set(err, SL_E_CONFIG, "%sfield is missing. HINT: HoistField needs a name", prefix);
    self = sl_zalloc(1, sizeof(*self));
    self->key = sl_side_is_key(class_name);
    self->field = sl_strdup(field);
    *ret_self = self;
    return SL_OK;
}

static const struct sl_schema *outcome_of(struct hoist *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);
    struct sl_struct_builder builder = {0};

    if (plan)
        return plan->to;
    plan = sl_zalloc(1, sizeof(*plan));
    sl_struct_add(&builder, self->field, schema);
    plan->to = sl_struct_end(&builder, false);
    sl_plan_cache_put(&self->plans, schema, plan);
    return plan->to;
}

static enum sl_verdict hoist_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                   struct sl_error *err)
{
    struct hoist *self = self_;
    struct sl_side side = sl_side_of(message, self->key);
    bool schemaless = !*side.schema;
    struct sl_value *items;

    if (!schemaless && sl_is_null(*side.value) && !(*side.schema)->optional)
        return sl_bad_record(
            err,
            "HoistField gives the required field '%.100s' a null. HINT: keep tombstones away from "
            "it with a predicate",
            self->field);
    items = sl_arena_alloc(arena, 2 * sizeof(*items));
    if (schemaless) {
        items[0] = sl_text(self->field);
        items[1] = *side.value;
        *side.value = sl_items(SL_MAP, items, 1);
        return SL_KEEP;
    }
    items[0] = *side.value;
    *side.schema = outcome_of(self, *side.schema);
    *side.value = sl_items(SL_STRUCT, items, 1);
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_hoist_field = {
    .name = "HoistField",
    .classes = classes,
    .options = options,
    .open = hoist_open,
    .apply = hoist_apply,
    .close = hoist_close,
};
