/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's ValueToKey: fields of the value become the key. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "transform/config_list.h"
#include "transform/map_value.h"
#include "transform/row_plan.h"
#include "transform/side.h"

struct to_key {
    struct sl_config_list fields;
    bool null_is_default;
    struct sl_plan_cache plans;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.ValueToKey", NULL};

static const struct sl_option options[] = {
    {.name = "fields",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Fields of the value that make the key, in their order.",
     .validate = sl_config_list_validate},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void to_key_close(void *self_)
{
    struct to_key *self = self_;

    sl_plan_cache_done(&self->plans, sl_row_plan_free);
    sl_config_list_done(&self->fields);
    sl_free(self);
}

static enum sl_rc to_key_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    struct to_key *self = sl_zalloc(1, sizeof(*self));

    (void)class_name;
    self->null_is_default = sl_null_is_default(options, props, prefix);
    sl_config_list_read(&self->fields, sl_option_text(options, props, prefix, "fields"));
    if (self->fields.n == 0) {
        to_key_close(self);
        return sl_error_set(err, SL_E_CONFIG, "%sfields is missing. HINT: name the fields of the key",
                            prefix);
    }
    *ret_self = self;
    return SL_OK;
}

static struct sl_row_plan *compile(const struct to_key *self, const struct sl_schema *from)
{
    struct sl_row_draft draft;

    sl_row_draft_begin(&draft, "ValueToKey", from, self->null_is_default);
    draft.builder = (struct sl_struct_builder){0}; /* a key of its own, without the value's name */
    for (size_t i = 0; i < self->fields.n; i++) {
        int at = sl_schema_field(from, self->fields.items[i]);

        if (at < 0)
            sl_row_draft_refuse(&draft,
                                "does not find the field '%.100s' in the value. HINT: see its fields, and "
                                "the transforms before it",
                                self->fields.items[i]);
        else
            sl_row_draft_keep(&draft, (uint32_t)at, NULL, NULL);
    }
    return sl_row_draft_end(&draft, false);
}

static enum sl_verdict with_schema(struct to_key *self, struct sl_message *message, struct sl_side side,
                                   struct sl_arena *arena, struct sl_error *err)
{
    const struct sl_row_plan *plan;

    if (!sl_side_is_struct(side))
        return sl_side_refuse(side, "ValueToKey", err);
    plan = sl_plan_cache_get(&self->plans, *side.schema);
    if (!plan)
        plan = sl_plan_cache_put(&self->plans, *side.schema, compile(self, *side.schema));
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    message->key_schema = plan->to;
    message->record.key = sl_row_plan_apply(plan, *side.value, arena);
    return SL_KEEP;
}

static enum sl_verdict to_key_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct to_key *self = self_;
    struct sl_side side = sl_side_of(message, false);
    struct sl_map_edit key;

    if (*side.schema)
        return with_schema(self, message, side, arena, err);
    if (side.value->tag != SL_MAP)
        return sl_side_refuse(side, "ValueToKey", err);
    key = sl_map_edit_begin(sl_items(SL_MAP, NULL, 0), self->fields.n, arena);
    for (size_t i = 0; i < self->fields.n; i++)
        sl_map_edit_put(&key, self->fields.items[i], sl_map_get(*side.value, self->fields.items[i]));
    message->key_schema = NULL;
    message->record.key = sl_map_edit_end(&key);
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_value_to_key = {
    .name = "ValueToKey",
    .classes = classes,
    .options = options,
    .open = to_key_open,
    .apply = to_key_apply,
    .close = to_key_close,
};
