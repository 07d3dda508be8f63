/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's InsertField: the topic, partition, offset, timestamp or a fixed text as fields behind those
 * of the key or the value. As there: a key or value that is null passes; what a record has not (no timestamp
 * yet, no partition) leaves its field null.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "transform/map_value.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <string.h>

enum what { TOPIC, PARTITION, OFFSET, TIMESTAMP, STATIC, N_WHATS };

struct insertion {
    char *name; /* NULL: not asked for */
    bool optional;
};

struct insert {
    bool key;
    bool null_is_default;
    struct insertion what[N_WHATS];
    char *static_value;
    uint32_t n; /* how many are asked for */
    struct sl_plan_cache plans;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.InsertField$Value",
                                      "org.apache.kafka.connect.transforms.InsertField$Key", NULL};

static const struct sl_option options[] = {
    {.name = "topic.field",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Field for the topic's name; a ! behind it makes it required, a ? optional (as without)."},
    {.name = "partition.field",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Field for the partition; suffixes as for topic.field."},
    {.name = "offset.field",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Field for the offset, in sinks only; suffixes as for topic.field."},
    {.name = "timestamp.field",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Field for the record's timestamp; suffixes as for topic.field."},
    {.name = "static.field",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Field for static.value; suffixes as for topic.field."},
    {.name = "static.value",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "The text that goes into static.field."},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void insert_close(void *self_)
{
    struct insert *self = self_;

    sl_plan_cache_done(&self->plans, sl_row_plan_free);
    for (int i = 0; i < N_WHATS; i++)
        sl_free(self->what[i].name);
    sl_free(self->static_value);
    sl_free(self);
}

static struct insertion parse(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    bool suffix = len && (text[len - 1] == '!' || text[len - 1] == '?');

    if (!text)
        return (struct insertion){0};
    return (struct insertion){.name = sl_strndup(text, suffix ? len - 1 : len),
                              .optional = !suffix || text[len - 1] == '?'};
}

static enum sl_rc check(const struct insert *self, const char *prefix, struct sl_error *err)
{
    if (!self->n)
        return sl_error_set(err, SL_E_CONFIG,
                            "%stype: no field to insert is given. HINT: set topic.field, partition.field, "
                            "offset.field, timestamp.field or static.field",
                            prefix);
    if (self->what[STATIC].name && !self->static_value)
        return sl_error_set(err, SL_E_CONFIG,
                            "%sstatic.value is missing. HINT: it goes into the field %sstatic.field", prefix,
                            prefix);
    return SL_OK;
}

static enum sl_rc insert_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    static const char *const names[N_WHATS] = {"topic.field", "partition.field", "offset.field",
                                               "timestamp.field", "static.field"};
    struct insert *self = sl_zalloc(1, sizeof(*self));
    const char *value = sl_option_text(options, props, prefix, "static.value");
    enum sl_rc rc;

    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
    self->static_value = value ? sl_strdup(value) : NULL;
    for (int i = 0; i < N_WHATS; i++) {
        self->what[i] = parse(sl_option_text(options, props, prefix, names[i]));
        self->n += self->what[i].name != NULL;
    }
    rc = check(self, prefix, err);
    if (rc)
        insert_close(self);
    else
        *ret_self = self;
    return rc;
}

/* ---- plans ---- */

static const struct sl_schema *schema_for(enum what what, bool optional)
{
    switch (what) {
    case PARTITION: return sl_schema_plain(SL_INT32, optional);
    case OFFSET: return sl_schema_plain(SL_INT64, optional);
    case TIMESTAMP: return sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, optional);
    case TOPIC:
    case STATIC:
    case N_WHATS: break;
    }
    return sl_schema_plain(SL_STRING, optional);
}

static struct sl_row_plan *compile(const struct insert *self, const struct sl_schema *from)
{
    struct sl_row_draft draft;

    sl_row_draft_begin(&draft, "InsertField", from, self->null_is_default);
    for (uint32_t i = 0; i < from->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL, NULL);
    for (int i = 0; i < N_WHATS; i++) {
        if (self->what[i].name)
            sl_row_draft_add(&draft, self->what[i].name, schema_for((enum what)i, self->what[i].optional));
    }
    return sl_row_draft_end(&draft, false);
}

/* ---- records ---- */

static struct sl_value value_of(const struct insert *self, enum what what, const struct sl_message *message)
{
    const struct sl_record *record = &message->record;

    switch (what) {
    case TOPIC: return sl_bytes(SL_STRING, message->topic->name, message->topic->len);
    case PARTITION: return record->partition < 0 ? sl_null() : sl_int(SL_INT32, record->partition);
    case OFFSET: return sl_int(SL_INT64, record->offset);
    case TIMESTAMP:
        return record->timestamp_ms == SL_NO_TIMESTAMP ? sl_null() : sl_int(SL_INT64, record->timestamp_ms);
    case STATIC: return sl_text(self->static_value);
    case N_WHATS: break;
    }
    return sl_null();
}

static enum sl_verdict with_schema(struct insert *self, struct sl_message *message, struct sl_side side,
                                   struct sl_arena *arena, struct sl_error *err)
{
    const struct sl_row_plan *plan;
    struct sl_value *fields;
    uint32_t n;

    if (!sl_side_is_struct(side))
        return sl_side_refuse(side, "InsertField", err);
    plan = sl_plan_cache_get(&self->plans, *side.schema);
    if (!plan)
        plan = sl_plan_cache_put(&self->plans, *side.schema, compile(self, *side.schema));
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    fields = sl_row_plan_copy(plan, *side.value, arena);
    n = plan->n_kept;
    for (int i = 0; i < N_WHATS; i++) {
        if (self->what[i].name)
            fields[n++] = value_of(self, (enum what)i, message);
    }
    *side.schema = plan->to;
    *side.value = sl_items(SL_STRUCT, fields, n);
    return SL_KEEP;
}

static enum sl_verdict without_schema(struct insert *self, struct sl_message *message, struct sl_side side,
                                      struct sl_arena *arena, struct sl_error *err)
{
    struct sl_map_edit edit;

    if (side.value->tag != SL_MAP)
        return sl_side_refuse(side, "InsertField", err);
    edit = sl_map_edit_begin(*side.value, self->n, arena);
    for (int i = 0; i < N_WHATS; i++) {
        struct sl_value inserted;

        if (!self->what[i].name)
            continue;
        inserted = value_of(self, (enum what)i, message);
        if (!sl_is_null(inserted))
            sl_map_edit_put(&edit, self->what[i].name, inserted);
    }
    *side.value = sl_map_edit_end(&edit);
    return SL_KEEP;
}

static enum sl_verdict insert_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct insert *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    if (sl_is_null(*side.value))
        return SL_KEEP;
    if (self->what[OFFSET].name && message->record.offset < 0)
        return sl_bad_record(
            err,
            "InsertField's offset.field: a record has no offset before it is in the log. HINT: insert it in "
            "the sink's transforms");
    return *side.schema ? with_schema(self, message, side, arena, err)
                        : without_schema(self, message, side, arena, err);
}

const struct sl_transform_ops sl_transform_insert_field = {
    .name = "InsertField",
    .classes = classes,
    .options = options,
    .open = insert_open,
    .apply = insert_apply,
    .close = insert_close,
};
