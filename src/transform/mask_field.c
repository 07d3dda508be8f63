/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's MaskField: fields get the empty value of their type (0, false, "", 1970, an empty list), or
 * one replacement for all. What a field becomes depends on its schema only, so it is made when the schema is
 * first seen. Null stays null.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "codec/decimal_text.h"
#include "transform/config_list.h"
#include "codec/java_number.h"
#include "transform/map_value.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <stdlib.h>

struct mask {
    bool key;
    bool null_is_default;
    struct sl_config_list fields;
    char *replacement; /* NULL: the empty value */
    bool is_number;
    struct sl_arena *values;
    struct sl_plan_cache plans;
};

/* What a value of one type becomes. */
struct masked {
    struct sl_value value;
    const char *why; /* it cannot be masked; static text */
};

struct step {
    uint32_t at;
    struct masked masked;
};

struct plan {
    struct sl_plan_parts parts;
    struct step *steps;
    size_t n_steps;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.MaskField$Value",
                                      "org.apache.kafka.connect.transforms.MaskField$Key", NULL};

static const struct sl_option options[] = {
    {.name = "fields",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The fields to mask.",
     .validate = sl_config_list_validate},
    {.name = "replacement",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_LOW,
     .doc = "What numbers and strings become; without it 0, the empty string, and so on."},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void mask_close(void *self_)
{
    struct mask *self = self_;

    sl_plan_cache_done(&self->plans, sl_plan_parts_free);
    sl_config_list_done(&self->fields);
    sl_free(self->replacement);
    sl_arena_free(self->values);
    sl_free(self);
}

static enum sl_rc mask_open(const struct sl_props *props, const char *prefix, const char *class_name,
                            void **ret_self, struct sl_error *err)
{
    struct mask *self = sl_zalloc(1, sizeof(*self));
    const char *replacement = sl_option_text(options, props, prefix, "replacement");

    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
    self->replacement = replacement ? sl_strdup(replacement) : NULL;
    self->is_number = replacement && sl_java_is_decimal(replacement);
    self->values = sl_arena_new(1024);
    sl_config_list_read(&self->fields, sl_option_text(options, props, prefix, "fields"));
    if (self->fields.n && (!replacement || *replacement)) {
        *ret_self = self;
        return SL_OK;
    }
    (void)sl_error_set(err, SL_E_CONFIG,
                       "%s%s is empty. HINT: MaskField needs fields; a replacement is not "
                       "the empty text, which is what strings become without one",
                       prefix, self->fields.n ? "replacement" : "fields");
    mask_close(self);
    return SL_E_CONFIG;
}

/* ---- what values become ---- */

static struct masked empty_of(enum sl_type type, bool is_decimal)
{
    switch (type) {
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64: return (struct masked){.value = sl_int(type, 0)};
    case SL_FLOAT32:
    case SL_FLOAT64: return (struct masked){.value = sl_float(type, 0)};
    case SL_BOOLEAN: return (struct masked){.value = sl_bool(false)};
    case SL_STRING: return (struct masked){.value = sl_text("")};
    case SL_ARRAY:
    case SL_MAP: return (struct masked){.value = sl_items(type, NULL, 0)};
    case SL_BYTES:
        if (is_decimal)
            return (struct masked){.value = sl_bytes(SL_BYTES, "\0", 1)};
        break;
    case SL_ABSENT:
    case SL_NULL:
    case SL_STRUCT: break;
    }
    return (struct masked){.why = "bytes and structs have no empty value"};
}

static struct masked number_of(const struct mask *self, const struct sl_schema *schema, enum sl_type type)
{
    static const char not_one[] = "the replacement is no number (or has more digits than the field's scale)";
    const char *text = self->replacement;
    double real;
    struct sl_value value;

    if (!self->is_number)
        return (struct masked){.why = not_one};
    if (type == SL_BYTES)
        return sl_decimal_read(text, strlen(text), schema->scale, self->values, &value)
                   ? (struct masked){.value = value}
                   : (struct masked){.why = not_one};
    if (type <= SL_INT64)
        return (struct masked){.value = sl_int(type, sl_java_narrow(sl_java_decimal_long(text), type))};
    real = strtod(text, NULL);
    return (struct masked){.value = sl_float(type, type == SL_FLOAT32 ? (double)(float)real : real)};
}

static bool is_date(const struct sl_schema *schema)
{
    return schema && schema->semantic >= SL_SEM_DATE && schema->semantic <= SL_SEM_TIMESTAMP;
}

static struct masked masked_of(const struct mask *self, const struct sl_schema *schema, enum sl_type type)
{
    bool is_decimal = schema && schema->semantic == SL_SEM_DECIMAL;

    if (!self->replacement)
        return empty_of(type, is_decimal);
    if (type == SL_STRING)
        return (struct masked){.value = sl_text(self->replacement)};
    if ((type >= SL_INT8 && type <= SL_FLOAT64 && !is_date(schema)) || is_decimal)
        return number_of(self, schema, type);
    return (struct masked){.why = "a replacement is for numbers and strings only"};
}

static enum sl_verdict refuse(const char *field, const struct masked *masked, struct sl_error *err)
{
    return sl_bad_record(err,
                         "MaskField cannot mask the field '%.100s': %s. HINT: leave it out with ReplaceField",
                         field, masked->why);
}

/* ---- records ---- */

static const struct plan *plan_for(struct mask *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);
    struct sl_row_draft draft;

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->parts.own = plan->steps = sl_zalloc((size_t)schema->n_fields + 1, sizeof(*plan->steps));
    sl_row_draft_begin(&draft, "MaskField", schema, self->null_is_default);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_field *field = &schema->fields[i];

        sl_row_draft_keep(&draft, i, NULL, NULL);
        if (sl_config_list_has(&self->fields, field->name))
            plan->steps[plan->n_steps++] =
                (struct step){.at = i, .masked = masked_of(self, field->schema, field->schema->type)};
    }
    plan->parts.row = sl_row_draft_end(&draft, schema->optional);
    return sl_plan_cache_put(&self->plans, schema, plan);
}

static enum sl_verdict with_schema(struct mask *self, struct sl_side side, struct sl_arena *arena,
                                   struct sl_error *err)
{
    const struct sl_schema *schema = *side.schema;
    const struct plan *plan;
    struct sl_value *fields;

    if (!sl_side_is_struct(side))
        return sl_side_refuse(side, "MaskField", err);
    plan = plan_for(self, schema);
    fields = sl_row_plan_copy(plan->parts.row, *side.value, arena);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = &plan->steps[i];

        if (sl_is_null(fields[step->at]))
            continue;
        if (step->masked.why)
            return refuse(schema->fields[step->at].name, &step->masked, err);
        fields[step->at] = step->masked.value;
    }
    *side.value = sl_items(SL_STRUCT, fields, plan->parts.row->n_kept);
    return SL_KEEP;
}

static enum sl_verdict without_schema(const struct mask *self, struct sl_side side, struct sl_arena *arena,
                                      struct sl_error *err)
{
    struct sl_map_edit edit;

    if (side.value->tag != SL_MAP)
        return sl_side_refuse(side, "MaskField", err);
    edit = sl_map_edit_begin(*side.value, self->fields.n, arena);
    for (size_t i = 0; i < self->fields.n; i++) {
        struct sl_value value = sl_map_get(*side.value, self->fields.items[i]);

        if (!sl_is_null(value)) {
            struct masked masked = masked_of(self, NULL, (enum sl_type)value.tag);

            if (masked.why)
                return refuse(self->fields.items[i], &masked, err);
            value = masked.value;
        }
        sl_map_edit_put(&edit, self->fields.items[i], value);
    }
    *side.value = sl_map_edit_end(&edit);
    return SL_KEEP;
}

static enum sl_verdict mask_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                  struct sl_error *err)
{
    struct mask *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    return *side.schema ? with_schema(self, side, arena, err) : without_schema(self, side, arena, err);
}

const struct sl_transform_ops sl_transform_mask_field = {
    .name = "MaskField",
    .classes = classes,
    .options = options,
    .open = mask_open,
    .apply = mask_apply,
    .close = mask_close,
};
