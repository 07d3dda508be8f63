/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FieldNameTransformation of Debezium's JDBC sink: the fields of key and value in another style of names; of
 * an envelope, those of before and after. Only schemas change: no value moves. The original leaves the keys
 * of tombstones alone, whose names then no longer are those of the table; here they change like all others.
 */
#include "transform/transforms.h"

#include "transform/naming_style.h"
#include "transform/row_plan.h"
#include "transform/side.h"

struct renamer {
    struct sl_naming naming;
    struct sl_plan_cache keys, values; /* struct plan: a struct named ...Envelope counts in values only */
};

struct plan {
    const struct sl_schema *to; /* NULL: see why */
    struct sl_error why;
};

static const char *const classes[] = {"io.debezium.connector.jdbc.transforms.FieldNameTransformation", NULL};

static const struct sl_option options[] = {SL_NAMING_OPTIONS("column.naming.", "fields"), {0}};

static void renamer_close(void *self_)
{
    struct renamer *self = self_;

    sl_plan_cache_done(&self->keys, sl_free);
    sl_plan_cache_done(&self->values, sl_free);
    sl_naming_done(&self->naming);
    sl_free(self);
}

static enum sl_rc renamer_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct renamer *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc = sl_naming_open(&self->naming, options, props, prefix, "column.naming.", err);

    (void)class_name;
    if (rc)
        renamer_close(self);
    else
        *ret_self = self;
    return rc;
}

/* The struct with its fields renamed, or NULL, with *err. */
static const struct sl_schema *rename_fields(const struct renamer *self, const struct sl_schema *from,
                                             struct sl_error *err)
{
    struct sl_buf *names = sl_zalloc((size_t)from->n_fields + 1, sizeof(*names));
    const struct sl_schema *to;
    struct sl_row_draft draft;
    struct sl_row_plan *plan;

    sl_row_draft_begin(&draft, "FieldNameTransformation", from, false);
    for (uint32_t i = 0; i < from->n_fields; i++) {
        const char *name = from->fields[i].name;

        sl_naming_put(&self->naming, name, strlen(name), &names[i]);
        if (names[i].len == 0)
            sl_row_draft_refuse(&draft, "leaves nothing of the name '%.100s'. HINT: give it a prefix", name);
        sl_row_draft_keep(&draft, i, sl_buf_cstr(&names[i]), NULL);
    }
    plan = sl_row_draft_end(&draft, from->optional);
    to = plan->to;
    if (!to)
        *err = plan->why;
    sl_row_plan_free(plan);
    for (uint32_t i = 0; i < from->n_fields; i++)
        sl_buf_done(&names[i]);
    sl_free(names);
    return to;
}

static bool is_envelope(const struct sl_schema *schema)
{
    static const char end[] = ".Envelope";
    size_t len = schema->name ? strlen(schema->name) : 0;

    return len >= sizeof(end) - 1 && strcmp(schema->name + len - (sizeof(end) - 1), end) == 0;
}

static const struct sl_schema *rename_within(const struct renamer *self, const struct sl_schema *envelope,
                                             struct sl_error *err)
{
    struct sl_struct_builder builder = sl_struct_like(envelope);
    bool good = true;

    for (uint32_t i = 0; i < envelope->n_fields; i++) {
        const struct sl_field *field = &envelope->fields[i];
        const struct sl_schema *to = field->schema;

        if (to->type == SL_STRUCT &&
            (strcmp(field->name, "before") == 0 || strcmp(field->name, "after") == 0))
            to = rename_fields(self, field->schema, err);
        good = good && to;
        sl_struct_add(&builder, field->name, to ? to : field->schema);
    }
    envelope = sl_struct_end(&builder, envelope->optional);
    return good ? envelope : NULL;
}

static const struct plan *plan_for(const struct renamer *self, struct sl_plan_cache *plans,
                                   const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(plans, schema);

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->to = plans == &self->values && is_envelope(schema) ? rename_within(self, schema, &plan->why)
                                                             : rename_fields(self, schema, &plan->why);
    return sl_plan_cache_put(plans, schema, plan);
}

/* What is no struct stays. */
static enum sl_verdict rename_side(const struct renamer *self, struct sl_plan_cache *plans,
                                   const struct sl_schema **schema, struct sl_error *err)
{
    const struct plan *plan;

    if (!*schema || (*schema)->type != SL_STRUCT)
        return SL_KEEP;
    plan = plan_for(self, plans, *schema);
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    *schema = plan->to;
    return SL_KEEP;
}

static enum sl_verdict renamer_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct renamer *self = self_;
    const struct sl_schema *value = message->value_schema;
    enum sl_verdict verdict;

    (void)arena;
    /* Records whose value is no struct are none of a table's; tombstones are. */
    if (value ? value->type != SL_STRUCT : !sl_is_null(message->record.value))
        return SL_KEEP;
    verdict = rename_side(self, &self->values, &value, err);
    if (verdict == SL_KEEP)
        verdict = rename_side(self, &self->keys, &message->key_schema, err);
    if (verdict == SL_KEEP)
        message->value_schema = value;
    return verdict;
}

const struct sl_transform_ops sl_transform_field_name = {
    .name = "FieldNameTransformation",
    .classes = classes,
    .options = options,
    .open = renamer_open,
    .apply = renamer_apply,
    .close = renamer_close,
};
