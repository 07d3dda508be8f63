/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's SetSchemaMetadata: another name or version for the schema of the key or value. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "transform/row_plan.h"
#include "transform/side.h"

struct set {
    bool key;
    bool null_is_default;
    bool has_version;
    int32_t version;
    char *name; /* NULL: as it is */
    struct sl_plan_cache plans;
};

/* One schema, its other self, and for structs the fields in which a null is read as the default. */
struct plan {
    struct sl_plan_parts parts; /* row NULL: the values stay */
    const struct sl_schema *to;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
                                      "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key", NULL};

static const struct sl_option options[] = {
    {.name = "schema.name",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The schema's new name."},
    {.name = "schema.version",
     .type = SL_OPT_INT,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The schema's new version.",
     .min = INT32_MIN,
     .max = INT32_MAX},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void set_close(void *self_)
{
    struct set *self = self_;

    sl_plan_cache_done(&self->plans, sl_plan_parts_free);
    sl_free(self->name);
    sl_free(self);
}

static enum sl_rc set_open(const struct sl_props *props, const char *prefix, const char *class_name,
                           void **ret_self, struct sl_error *err)
{
    const char *name = sl_option_text(options, props, prefix, "schema.name");
    const char *version = sl_option_text(options, props, prefix, "schema.version");
    struct set *self;

    if (!name && !version)
        return sl_error_set(err, SL_E_CONFIG,
                            "%stype: neither a name nor a version is given. HINT: set schema.name or "
                            "schema.version",
                            prefix);
    self = sl_zalloc(1, sizeof(*self));
    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
    self->name = name ? sl_strdup(name) : NULL;
    self->has_version = version != NULL;
    if (version)
        self->version = (int32_t)sl_option_int(options, props, prefix, "schema.version");
    *ret_self = self;
    return SL_OK;
}

static struct sl_row_plan *compile_row(const struct set *self, const struct sl_schema *from)
{
    struct sl_row_draft draft;

    sl_row_draft_begin(&draft, "SetSchemaMetadata", from, self->null_is_default);
    for (uint32_t i = 0; i < from->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL, NULL);
    return sl_row_draft_end(&draft, false);
}

static const struct plan *plan_for(struct set *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);
    struct sl_schema draft = *schema;

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    if (self->name)
        draft.name = self->name;
    if (self->has_version) {
        draft.has_version = true;
        draft.version = self->version;
    }
    plan->to = sl_schema_intern(&draft);
    plan->parts.row = schema->type == SL_STRUCT ? compile_row(self, schema) : NULL;
    return sl_plan_cache_put(&self->plans, schema, plan);
}

static enum sl_verdict set_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                 struct sl_error *err)
{
    struct set *self = self_;
    struct sl_side side = sl_side_of(message, self->key);
    const struct plan *plan;

    if (!*side.schema) {
        if (sl_is_null(*side.value))
            return SL_KEEP;
        return sl_bad_record(err,
                             "SetSchemaMetadata needs a schema, and this record has none. HINT: it works "
                             "with converters that bring schemas");
    }
    plan = plan_for(self, *side.schema);
    if (plan->parts.row && side.value->tag == SL_STRUCT)
        *side.value = sl_row_plan_apply(plan->parts.row, *side.value, arena);
    *side.schema = plan->to;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_set_schema_metadata = {
    .name = "SetSchemaMetadata",
    .classes = classes,
    .options = options,
    .open = set_open,
    .apply = set_apply,
    .close = set_close,
};
