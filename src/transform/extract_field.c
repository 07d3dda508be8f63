/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's ExtractField: one field, or one in a struct within, becomes the whole key or value. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/field_path.h"
#include "transform/map_value.h"
#include "transform/plan_cache.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <strings.h>

struct extract {
    bool key;
    bool null_is_default;
    char *text;
    struct sl_field_path path;
    struct sl_plan_cache plans;
};

/* Where the path leads in one schema. */
struct plan {
    const struct sl_schema *to; /* NULL: nowhere */
    uint32_t *at;               /* for each step */
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.ExtractField$Value",
                                      "org.apache.kafka.connect.transforms.ExtractField$Key", NULL};
static const char *const versions[] = {"V1", "V2", NULL};

static const struct sl_option options[] = {
    {.name = "field",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "The field."},
    {.name = "field.syntax.version",
     .type = SL_OPT_STRING,
     .default_text = "V1",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "V1: the text is the field's name; V2: dots lead into structs, backticks quote a name with dots.",
     .values = versions},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void free_plan(void *plan_)
{
    struct plan *plan = plan_;

    sl_free(plan->at);
    sl_free(plan);
}

static void extract_close(void *self_)
{
    struct extract *self = self_;

    sl_plan_cache_done(&self->plans, free_plan);
    sl_field_path_done(&self->path);
    sl_free(self->text);
    sl_free(self);
}

static enum sl_rc extract_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct extract *self = sl_zalloc(1, sizeof(*self));
    const char *field = sl_option_text(options, props, prefix, "field");
    const char *version = sl_option_text(options, props, prefix, "field.syntax.version");
    enum sl_rc rc;

    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
    self->text = sl_strdup(field ? field : "");
    if (!field || !*field)
        rc = sl_error_set(err, SL_E_CONFIG, "%sfield is missing. HINT: name the field to extract", prefix);
    else
        rc = sl_field_path_parse(field, strcasecmp(version, "V2") == 0 ? 2 : 1, &self->path, err);
    if (rc)
        extract_close(self);
    else
        *ret_self = self;
    return rc;
}

static struct plan *compile(const struct extract *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_zalloc(1, sizeof(*plan));

    plan->at = sl_zalloc(self->path.n + 1, sizeof(*plan->at));
    for (size_t i = 0; i < self->path.n; i++) {
        int at = schema->type == SL_STRUCT ? sl_schema_field(schema, self->path.steps[i]) : -1;

        if (at < 0)
            return plan;
        plan->at[i] = (uint32_t)at;
        schema = schema->fields[at].schema;
    }
    plan->to = schema;
    return plan;
}

static enum sl_verdict with_schema(struct extract *self, struct sl_side side, struct sl_error *err)
{
    const struct sl_schema *schema = *side.schema;
    struct sl_value value = *side.value;
    const struct plan *plan;

    if (!sl_is_null(value) && !sl_side_is_struct(side))
        return sl_side_refuse(side, "ExtractField", err);
    plan = sl_plan_cache_get(&self->plans, schema);
    if (!plan)
        plan = sl_plan_cache_put(&self->plans, schema, compile(self, schema));
    if (!plan->to)
        return sl_bad_record(
            err, "ExtractField does not find the field '%.100s'. HINT: see the record's fields", self->text);
    for (size_t i = 0; i < self->path.n && !sl_is_null(value); i++) {
        value = sl_field_get(schema, value, plan->at[i], self->null_is_default);
        schema = schema->fields[plan->at[i]].schema;
    }
    *side.schema = plan->to;
    *side.value = sl_is_null(value) ? sl_null() : value;
    return SL_KEEP;
}

static enum sl_verdict without_schema(const struct extract *self, struct sl_side side, struct sl_error *err)
{
    struct sl_value value = *side.value;

    for (size_t i = 0; i < self->path.n && !sl_is_null(value); i++) {
        if (value.tag != SL_MAP) {
            *side.value = value;
            return sl_side_refuse(side, "ExtractField", err);
        }
        value = sl_map_get(value, self->path.steps[i]);
    }
    *side.value = value;
    return SL_KEEP;
}

static enum sl_verdict extract_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct extract *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    (void)arena;
    return *side.schema ? with_schema(self, side, err) : without_schema(self, side, err);
}

const struct sl_transform_ops sl_transform_extract_field = {
    .name = "ExtractField",
    .classes = classes,
    .options = options,
    .open = extract_open,
    .apply = extract_apply,
    .close = extract_close,
};
