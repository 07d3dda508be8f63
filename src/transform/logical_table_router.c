/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's ByLogicalTableRouter (ToLogicalTopicRouter in later releases): tables that are parts of one
 * logical table go to one topic. Their schemas are renamed after it, and the key gets a field that says which
 * table it was, unless keys are unique over all of them.
 */
#include "transform/transforms.h"

#include "base/arena.h"
#include "base/log.h"
#include "codec/envelope.h"
#include "codec/name_adjust.h"
#include "transform/row_plan.h"
#include "transform/side.h"
#include "transform/topic_rename.h"

#include <strings.h>

struct router {
    struct sl_topic_rename topics;
    struct sl_topic_rename identifiers; /* without a regex: the old topic's name */
    bool unique_keys;                   /* add the field */
    char *key_field;
    enum sl_name_adjust adjust;
    struct sl_pointer_map keys; /* by schema and new topic */
    struct sl_pointer_map envelopes;
};

/* One envelope schema under its new name. */
struct envelope_plan {
    const struct sl_schema *to;
    struct sl_row_plan *envelope; /* its own fields */
    struct sl_row_plan *row;      /* of before and after */
    int rows[2];
};

static const char *const by_table_classes[] = {"io.debezium.transforms.ByLogicalTableRouter", NULL};
static const char *const to_topic_classes[] = {"io.debezium.transforms.ToLogicalTopicRouter", NULL};
static const char *const adjust_modes[] = {"none", "avro", "avro_unicode", NULL};

#define ROUTER_OPTIONS(key_field_)                                                                          \
    {.name = "topic.regex",                                                                                 \
     .type = SL_OPT_STRING,                                                                                 \
     .required = true,                                                                                      \
     .importance = SL_IMPORTANCE_LOW,                                                                       \
     .doc = "A Java regular expression that must match the whole topic name; others pass unchanged."},      \
        {.name = "topic.replacement",                                                                       \
         .type = SL_OPT_STRING,                                                                             \
         .required = true,                                                                                  \
         .importance = SL_IMPORTANCE_LOW,                                                                   \
         .doc = "The logical topic; $1, $2, ... stand for the groups of the expression."},                  \
        {.name = "key.enforce.uniqueness",                                                                  \
         .type = SL_OPT_BOOLEAN,                                                                            \
         .default_text = "true",                                                                            \
         .importance = SL_IMPORTANCE_LOW,                                                                   \
         .doc = "Whether the key gets a field that says which table the record is of."},                    \
        {.name = "key.field.name",                                                                          \
         .type = SL_OPT_STRING,                                                                             \
         .default_text = key_field_,                                                                        \
         .importance = SL_IMPORTANCE_LOW,                                                                   \
         .doc = "The name of that field."},                                                                 \
        {.name = "key.field.regex",                                                                         \
         .type = SL_OPT_STRING,                                                                             \
         .importance = SL_IMPORTANCE_LOW,                                                                   \
         .doc = "A regular expression over the old topic name from which the field's value is made."},      \
        {.name = "key.field.replacement",                                                                   \
         .type = SL_OPT_STRING,                                                                             \
         .importance = SL_IMPORTANCE_LOW,                                                                   \
         .doc = "The field's value, with the groups of key.field.regex; without it the old topic's name."}, \
        {.name = "schema.name.adjustment.mode",                                                             \
         .type = SL_OPT_STRING,                                                                             \
         .default_text = "none",                                                                            \
         .importance = SL_IMPORTANCE_LOW,                                                                   \
         .doc = "How the schemas' new names are made to fit Avro.",                                         \
         .values = adjust_modes},                                                                           \
    {                                                                                                       \
        .name = "logical.table.cache.size", .type = SL_OPT_INT, .default_text = "16",                       \
        .importance = SL_IMPORTANCE_LOW,                                                                    \
        .doc = "Taken for compatibility; what was made for a schema is always kept.", .min = 1,             \
        .max = INT32_MAX                                                                                    \
    }

static const struct sl_option by_table_options[] = {ROUTER_OPTIONS("__dbz__physicalTableIdentifier"), {0}};
static const struct sl_option to_topic_options[] = {ROUTER_OPTIONS("__dbz__sourceIdentifier"), {0}};

static void free_key_plan(void *plan)
{
    sl_row_plan_free(plan);
}

static void free_envelope_plan(void *plan_)
{
    struct envelope_plan *plan = plan_;

    sl_row_plan_free(plan->envelope);
    sl_row_plan_free(plan->row);
    sl_free(plan);
}

static void router_close(void *self_)
{
    struct router *self = self_;

    sl_pointer_map_done(&self->keys, free_key_plan);
    sl_pointer_map_done(&self->envelopes, free_envelope_plan);
    sl_topic_rename_done(&self->topics);
    sl_topic_rename_done(&self->identifiers);
    sl_free(self->key_field);
    sl_free(self);
}

static enum sl_rc open_regexes(struct router *self, const struct sl_option *options,
                               const struct sl_props *props, const char *prefix, struct sl_error *err)
{
    const char *key_regex = sl_option_text(options, props, prefix, "key.field.regex");
    const char *key_replacement = sl_option_text(options, props, prefix, "key.field.replacement");
    enum sl_rc rc = sl_topic_rename_open(
        &self->topics, prefix, "topic.regex", sl_option_text(options, props, prefix, "topic.regex"),
        "topic.replacement", sl_option_text(options, props, prefix, "topic.replacement"), err);

    if (rc || !key_regex || key_regex[strspn(key_regex, " \t")] == '\0')
        return rc;
    if (key_replacement && key_replacement[strspn(key_replacement, " \t")] == '\0')
        key_replacement = NULL;
    return sl_topic_rename_open(&self->identifiers, prefix, "key.field.regex", key_regex,
                                "key.field.replacement", key_replacement, err);
}

static enum sl_rc open_with(const struct sl_option *options, const struct sl_props *props, const char *prefix,
                            void **ret_self, struct sl_error *err)
{
    struct router *self = sl_zalloc(1, sizeof(*self));
    const char *mode = sl_option_text(options, props, prefix, "schema.name.adjustment.mode");
    enum sl_rc rc;

    self->unique_keys = sl_option_bool(options, props, prefix, "key.enforce.uniqueness");
    self->key_field = sl_strdup(sl_option_text(options, props, prefix, "key.field.name"));
    self->adjust = strcasecmp(mode, "avro") == 0           ? SL_NAME_ADJUST_AVRO
                   : strcasecmp(mode, "avro_unicode") == 0 ? SL_NAME_ADJUST_AVRO_UNICODE
                                                           : SL_NAME_ADJUST_NONE;
    rc = open_regexes(self, options, props, prefix, err);
    if (rc)
        router_close(self);
    else
        *ret_self = self;
    return rc;
}

static enum sl_rc by_table_open(const struct sl_props *props, const char *prefix, const char *class_name,
                                void **ret_self, struct sl_error *err)
{
    (void)class_name;
    return open_with(by_table_options, props, prefix, ret_self, err);
}

static enum sl_rc to_topic_open(const struct sl_props *props, const char *prefix, const char *class_name,
                                void **ret_self, struct sl_error *err)
{
    (void)class_name;
    return open_with(to_topic_options, props, prefix, ret_self, err);
}

/* ---- plans ---- */

/* A draft of all fields, under the name topic + suffix; *ret_name is to be freed after its end. */
static struct sl_row_draft begin(const struct router *self, const struct sl_schema *from,
                                 const struct sl_topic *topic, const char *suffix, char **ret_name)
{
    char *plain = sl_format("%s%s", topic->name, suffix);
    struct sl_row_draft draft;

    *ret_name = sl_name_adjust(self->adjust, plain);
    sl_free(plain);
    sl_row_draft_begin(&draft, "ByLogicalTableRouter", from, true);
    draft.builder.name = *ret_name;
    return draft;
}

static uint64_t plan_key(const struct sl_schema *schema, const struct sl_topic *topic)
{
    return (uint64_t)topic->id << 32 | schema->id;
}

static const struct sl_row_plan *key_plan_for(struct router *self, const struct sl_schema *schema,
                                              const struct sl_topic *topic)
{
    struct sl_row_plan *plan = sl_pointer_map_get(&self->keys, plan_key(schema, topic));
    struct sl_row_draft draft;
    char *name;

    if (plan)
        return plan;
    draft = begin(self, schema, topic, ".Key", &name);
    for (uint32_t i = 0; i < schema->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL, NULL);
    if (self->unique_keys)
        sl_row_draft_add(&draft, self->key_field, sl_schema_plain(SL_STRING, false));
    plan = sl_row_draft_end(&draft, schema->optional);
    sl_free(name);
    sl_pointer_map_put(&self->keys, plan_key(schema, topic), plan);
    return plan;
}

static struct sl_row_plan *compile_row(const struct router *self, const struct sl_schema *row,
                                       const struct sl_topic *topic)
{
    char *name;
    struct sl_row_draft draft = begin(self, row, topic, ".Value", &name);
    struct sl_row_plan *plan;

    for (uint32_t i = 0; i < row->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL, NULL);
    plan = sl_row_draft_end(&draft, row->optional);
    sl_free(name);
    return plan;
}

static const struct envelope_plan *envelope_plan_for(struct router *self, const struct sl_schema *schema,
                                                     const struct sl_topic *topic)
{
    struct envelope_plan *plan = sl_pointer_map_get(&self->envelopes, plan_key(schema, topic));
    struct sl_row_draft draft;
    char *name;

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->rows[0] = sl_schema_field(schema, "before");
    plan->rows[1] = sl_schema_field(schema, "after");
    plan->row =
        compile_row(self, schema->fields[plan->rows[0] < 0 ? plan->rows[1] : plan->rows[0]].schema, topic);
    draft = begin(self, schema, topic, ".Envelope", &name);
    for (uint32_t i = 0; i < schema->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL,
                          (int)i == plan->rows[0] || (int)i == plan->rows[1] ? plan->row->to : NULL);
    plan->envelope = sl_row_draft_end(&draft, schema->optional);
    plan->to = plan->envelope->to;
    sl_free(name);
    sl_pointer_map_put(&self->envelopes, plan_key(schema, topic), plan);
    return plan;
}

/* ---- records ---- */

static enum sl_verdict route_key(struct router *self, struct sl_message *message,
                                 const struct sl_topic *topic, struct sl_arena *arena, struct sl_error *err)
{
    struct sl_side side = sl_side_of(message, true);
    const struct sl_row_plan *plan;
    const struct sl_topic *identifier = NULL;
    struct sl_value *fields;

    if (sl_is_null(*side.value)) {
        *side.schema = NULL;
        return SL_KEEP;
    }
    if (!*side.schema || !sl_side_is_struct(side))
        return sl_bad_record(err,
                             "ByLogicalTableRouter needs keys that are structs, and one of topic '%.200s' is "
                             "not. HINT: it works behind Debezium's connectors, before the key is changed",
                             message->topic->name);
    plan = key_plan_for(self, *side.schema, topic);
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    fields = sl_row_plan_copy(plan, *side.value, arena);
    if (self->unique_keys) {
        if (self->identifiers.regex)
            identifier = sl_topic_rename(&self->identifiers, message->topic);
        if (!identifier)
            identifier = message->topic;
        fields[plan->n_kept] = sl_bytes(SL_STRING, identifier->name, identifier->len);
    }
    *side.schema = plan->to;
    *side.value = sl_items(SL_STRUCT, fields, plan->n_kept + plan->n_added);
    return SL_KEEP;
}

static void route_envelope(struct router *self, struct sl_message *message, const struct sl_topic *topic,
                           struct sl_arena *arena)
{
    const struct envelope_plan *plan = envelope_plan_for(self, message->value_schema, topic);
    struct sl_value *fields = sl_row_plan_copy(plan->envelope, message->record.value, arena);

    for (int i = 0; i < 2; i++) {
        struct sl_value *row = plan->rows[i] >= 0 ? &fields[plan->rows[i]] : NULL;

        if (row && row->tag == SL_STRUCT)
            *row = sl_row_plan_apply(plan->row, *row, arena);
    }
    message->value_schema = plan->to;
    message->record.value = sl_items(SL_STRUCT, fields, plan->envelope->n_kept);
}

static enum sl_verdict router_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct router *self = self_;
    const struct sl_topic *topic = sl_topic_rename(&self->topics, message->topic);
    enum sl_verdict verdict;

    if (!topic || topic->len == 0) /* an empty name is no topic: as if it had not matched */
        return SL_KEEP;
    verdict = route_key(self, message, topic, arena, err);
    if (verdict != SL_KEEP)
        return verdict;
    if (message->record.value.tag == SL_STRUCT && message->value_schema &&
        sl_envelope_of(message->value_schema))
        route_envelope(self, message, topic, arena);
    message->topic = topic;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_by_logical_table_router = {
    .name = "ByLogicalTableRouter",
    .classes = by_table_classes,
    .options = by_table_options,
    .open = by_table_open,
    .apply = router_apply,
    .close = router_close,
};

const struct sl_transform_ops sl_transform_to_logical_topic_router = {
    .name = "ToLogicalTopicRouter",
    .classes = to_topic_classes,
    .options = to_topic_options,
    .open = to_topic_open,
    .apply = router_apply,
    .close = router_close,
};
