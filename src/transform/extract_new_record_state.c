/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's ExtractNewRecordState, of both the 2.x and the 3.x releases: the two differ in how they spell
 * what happens to deletes. The order of the steps (take the row, route, add fields, leave fields out; for
 * deletes leave out first) is the original's, for it can be seen in the outcome.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/props.h"
#include "codec/envelope.h"
#include "transform/extract_options.h"
#include "transform/name_list.h"
#include "transform/record_headers.h"
#include "transform/struct_layout.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What comes of a delete event. */
enum on_delete {
    DELETE_DROP,
    DELETE_NULL,      /* a null value that keeps its schema */
    DELETE_REWRITE,   /* the row before, with __deleted */
    DELETE_TOMBSTONE, /* a null value without a schema */
};

/* A compiled way from one envelope to a row. */
struct plan {
    const struct sl_schema *value_schema; /* of the messages that it is for */
    const struct sl_envelope *envelope;   /* NULL: these are not envelopes, and pass */
    char *drop_names;                     /* as the header gave them; NULL: no header asked */
    size_t drop_len;
    bool is_delete;
    bool broken;
    struct sl_error why; /* when broken */
    struct sl_struct_layout layout;
    struct sl_field_place *headers; /* beside settings.headers; index -1 where the envelope lacks it */
};

/* The same for keys, when fields are dropped from them too. */
struct key_plan {
    const struct sl_schema *schema;
    char *drop_names;
    size_t drop_len;
    struct sl_struct_layout layout;
};

struct extract {
    enum on_delete on_delete;
    bool pass_tombstones;
    bool rewrite; /* __deleted in all rows */
    char *route_field;
    char *drop_header;
    bool drop_from_key;
    bool drop_optional_only;
    bool null_is_default;
    struct sl_field_references fields;
    struct sl_field_references headers;

    struct plan **plans;
    size_t n_plans, plans_capacity;
    struct plan *last;
    struct key_plan **key_plans;
    size_t n_key_plans, key_plans_capacity;
    const struct sl_topic *last_route;
};

static const char *const classes[] = {"io.debezium.transforms.ExtractNewRecordState", NULL};
static const struct sl_option options[] = {
    SL_EXTRACT_OPTIONS,
    {0},
};

static bool given(const struct sl_props *props, const char *prefix, const char *name)
{
    char key[400];
    const char *text;

    (void)snprintf(key, sizeof(key), "%s%s", prefix, name);
    text = sl_props_get(props, key);
    return text && *text;
}

static void read_new_mode(struct extract *self, const char *mode)
{
    self->rewrite = strncasecmp(mode, "rewrite", strlen("rewrite")) == 0;
    self->pass_tombstones = strcasecmp(mode, "rewrite-with-tombstone") == 0;
    if (self->rewrite)
        self->on_delete = DELETE_REWRITE;
    else if (strcasecmp(mode, "drop") == 0)
        self->on_delete = DELETE_DROP;
    else if (strcasecmp(mode, "delete-to-tombstone") == 0)
        self->on_delete = DELETE_TOMBSTONE;
    else
        self->on_delete = DELETE_NULL;
}

static void read_old_mode(struct extract *self, const char *mode, bool drop_tombstones)
{
    self->pass_tombstones = !drop_tombstones;
    self->rewrite = strcasecmp(mode, "rewrite") == 0;
    if (self->rewrite)
        self->on_delete = DELETE_REWRITE;
    else
        self->on_delete = strcasecmp(mode, "none") == 0 ? DELETE_NULL : DELETE_DROP;
}

static void read_modes(struct extract *self, const struct sl_props *props, const char *prefix)
{
    bool old = given(props, prefix, "delete.handling.mode") || given(props, prefix, "drop.tombstones");

    if (old && !given(props, prefix, "delete.tombstone.handling.mode"))
        read_old_mode(self, sl_option_text(options, props, prefix, "delete.handling.mode"),
                      sl_option_bool(options, props, prefix, "drop.tombstones"));
    else
        read_new_mode(self, sl_option_text(options, props, prefix, "delete.tombstone.handling.mode"));
}

/* A text option, or NULL when it is empty. Heap. */
static char *text_option(const struct sl_props *props, const char *prefix, const char *name)
{
    const char *text = sl_option_text(options, props, prefix, name);

    return text && *text ? sl_strdup(text) : NULL;
}

static void free_plan(struct plan *plan)
{
    sl_struct_layout_done(&plan->layout);
    sl_free(plan->drop_names);
    sl_free(plan->headers);
    sl_free(plan);
}

static void extract_close(void *self_)
{
    struct extract *self = self_;

    for (size_t i = 0; i < self->n_plans; i++)
        free_plan(self->plans[i]);
    for (size_t i = 0; i < self->n_key_plans; i++) {
        sl_struct_layout_done(&self->key_plans[i]->layout);
        sl_free(self->key_plans[i]->drop_names);
        sl_free(self->key_plans[i]);
    }
    sl_free(self->plans);
    sl_free(self->key_plans);
    sl_field_references_done(&self->fields);
    sl_field_references_done(&self->headers);
    sl_free(self->route_field);
    sl_free(self->drop_header);
    sl_free(self);
}

static enum sl_rc extract_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct extract *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc;

    (void)class_name;
    read_modes(self, props, prefix);
    self->route_field = text_option(props, prefix, "route.by.field");
    self->drop_header = text_option(props, prefix, "drop.fields.header.name");
    self->drop_from_key = sl_option_bool(options, props, prefix, "drop.fields.from.key");
    self->drop_optional_only = sl_option_bool(options, props, prefix, "drop.fields.keep.schema.compatible");
    self->null_is_default = sl_option_bool(options, props, prefix, "replace.null.with.default");
    rc = sl_field_references_parse(sl_option_text(options, props, prefix, "add.fields"),
                                   sl_option_text(options, props, prefix, "add.fields.prefix"), &self->fields,
                                   err);
    if (rc) {
        (void)sl_error_wrap(err, "%sadd.fields", prefix);
    } else {
        rc = sl_field_references_parse(sl_option_text(options, props, prefix, "add.headers"),
                                       sl_option_text(options, props, prefix, "add.headers.prefix"),
                                       &self->headers, err);
        if (rc)
            (void)sl_error_wrap(err, "%sadd.headers", prefix);
    }
    if (rc)
        extract_close(self);
    else
        *ret_self = self;
    return rc;
}

/* The names that the drop header of this record holds; .ptr NULL: no such header. */
static struct sl_span drop_names(const struct extract *self, const struct sl_record *record,
                                 struct sl_arena *arena)
{
    for (uint16_t i = 0; self->drop_header && i < record->n_headers; i++) {
        if (strcmp(record->headers[i].name, self->drop_header) == 0)
            return sl_name_list_pack(record->headers[i].value, arena);
    }
    return (struct sl_span){0};
}

static bool same_names(const char *names, size_t len, struct sl_span asked)
{
    return (names != NULL) == (asked.ptr != NULL) && len == asked.len &&
           (len == 0 || memcmp(names, asked.ptr, len) == 0);
}

static char *keep_names(struct sl_span names)
{
    return names.ptr ? sl_strndup((const char *)names.ptr, names.len) : NULL;
}

static void find_headers(const struct extract *self, struct plan *plan)
{
    plan->headers = sl_zalloc(self->headers.n, sizeof(*plan->headers));
    for (size_t i = 0; i < self->headers.n; i++) {
        if (!sl_field_reference_find(&self->headers.items[i], plan->value_schema, &plan->headers[i]))
            plan->headers[i].field = -1;
    }
}

static void compile_layout(const struct extract *self, struct plan *plan, struct sl_span names)
{
    struct sl_span *drops = NULL;
    struct sl_layout_plan layout = {
        .row = plan->is_delete && plan->envelope->before >= 0
                   ? plan->value_schema->fields[plan->envelope->before].schema
                   : plan->envelope->row,
        .deleted = !self->rewrite    ? NULL
                   : plan->is_delete ? "true"
                                     : "false",
        .adds = &self->fields,
        .envelope = plan->value_schema,
        .drops_first = plan->is_delete,
        .optional_only = self->drop_optional_only,
        .null_is_default = self->null_is_default,
        .n_drops = sl_name_list_unpack(names, &drops),
    };

    layout.drops = drops;
    plan->broken = sl_struct_layout_compile(&layout, &plan->layout, &plan->why) != SL_OK;
    sl_free(drops);
}

static struct plan *make_plan(struct extract *self, const struct sl_message *message, bool is_delete,
                              struct sl_span names)
{
    struct plan *plan = sl_zalloc(1, sizeof(*plan));

    plan->value_schema = message->value_schema;
    plan->is_delete = is_delete;
    plan->drop_names = keep_names(names);
    plan->drop_len = names.len;
    plan->envelope = message->value_schema ? sl_envelope_of(message->value_schema) : NULL;
    if (plan->envelope) {
        find_headers(self, plan);
        compile_layout(self, plan, names);
    } else {
        sl_warn("records that are no change events pass ExtractNewRecordState unchanged",
                SL_T("topic", message->topic->name),
                SL_T("schema", message->value_schema && message->value_schema->name
                                   ? message->value_schema->name
                                   : "none"));
    }
    SL_GROW(self->plans, self->n_plans, self->plans_capacity);
    self->plans[self->n_plans++] = plan;
    return plan;
}

static bool fits(const struct plan *plan, const struct sl_message *message, bool is_delete,
                 struct sl_span names)
{
    return plan->value_schema == message->value_schema && plan->is_delete == is_delete &&
           same_names(plan->drop_names, plan->drop_len, names);
}

static struct plan *find_plan(struct extract *self, const struct sl_message *message, bool is_delete,
                              struct sl_span names)
{
    for (size_t i = 0; i < self->n_plans; i++) {
        if (fits(self->plans[i], message, is_delete, names))
            return self->plans[i];
    }
    return make_plan(self, message, is_delete, names);
}

static inline struct plan *plan_for(struct extract *self, const struct sl_message *message, bool is_delete,
                                    struct sl_span names)
{
    if (!self->last || !fits(self->last, message, is_delete, names))
        self->last = find_plan(self, message, is_delete, names);
    return self->last;
}

static void add_headers(const struct extract *self, const struct plan *plan, struct sl_record *record,
                        struct sl_arena *arena)
{
    struct sl_header *headers;

    if (!self->headers.n)
        return;
    headers = sl_record_grow_headers(record, self->headers.n, arena);
    for (size_t i = 0; i < self->headers.n; i++) {
        const struct sl_field_place *place = &plan->headers[i];

        if (place->field >= 0)
            headers[record->n_headers++] =
                (struct sl_header){.name = self->headers.items[i].new_name,
                                   .schema = place->schema,
                                   .value = sl_field_place_value(place, record->value)};
    }
}

/* A tombstone has no envelope to look into, but what it says is a delete. */
static enum sl_verdict tombstone(const struct extract *self, struct sl_message *message,
                                 struct sl_arena *arena)
{
    if (!self->pass_tombstones)
        return SL_DROP;
    for (size_t i = 0; i < self->headers.n; i++) {
        if (strcmp(self->headers.items[i].field, "op") == 0) {
            struct sl_header *headers = sl_record_grow_headers(&message->record, 1, arena);

            headers[message->record.n_headers++] =
                (struct sl_header){.name = self->headers.items[i].new_name,
                                   .schema = sl_schema_plain(SL_STRING, false),
                                   .value = sl_text("d")};
        }
    }
    return SL_KEEP;
}

static enum sl_verdict route(struct extract *self, struct sl_message *message,
                             const struct sl_schema *row_schema, struct sl_value row, struct sl_error *err)
{
    int field = sl_schema_field(row_schema, self->route_field);
    struct sl_value value;
    bool blank = true;

    if (field < 0 || row_schema->fields[field].schema->type != SL_STRING) {
        (void)sl_error_set(
            err, SL_E_DATA,
            "route.by.field: a row of topic '%.200s' has no string field '%.100s'. HINT: name a string "
            "column that every table has",
            message->topic->name, self->route_field);
        return SL_FAIL;
    }
    value = row.items[field]; /* a null is no topic, whatever the field's default */
    for (uint32_t i = 0; value.tag == SL_STRING && i < value.len; i++)
        blank &= value.bytes[i] <= ' ';
    if (blank) /* the topic stays */
        return SL_KEEP;
    if (!self->last_route || self->last_route->len != value.len ||
        memcmp(self->last_route->name, value.bytes, value.len) != 0)
        self->last_route = sl_topic_intern((const char *)value.bytes, value.len);
    message->topic = self->last_route;
    return SL_KEEP;
}

static struct key_plan *key_plan_for(struct extract *self, const struct sl_schema *schema,
                                     struct sl_span names)
{
    struct key_plan *plan;
    struct sl_span *drops = NULL;
    struct sl_layout_plan layout = {
        .row = schema, .optional_only = self->drop_optional_only, .null_is_default = self->null_is_default};

    for (size_t i = 0; i < self->n_key_plans; i++) {
        plan = self->key_plans[i];
        if (plan->schema == schema && same_names(plan->drop_names, plan->drop_len, names))
            return plan;
    }
    plan = sl_zalloc(1, sizeof(*plan));
    plan->schema = schema;
    plan->drop_names = keep_names(names);
    plan->drop_len = names.len;
    layout.n_drops = sl_name_list_unpack(names, &drops);
    layout.drops = drops;
    /* Nothing is added: no name can appear twice. */
    (void)sl_struct_layout_compile(&layout, &plan->layout, NULL);
    sl_free(drops);
    SL_GROW(self->key_plans, self->n_key_plans, self->key_plans_capacity);
    self->key_plans[self->n_key_plans++] = plan;
    return plan;
}

static void drop_from_key(struct extract *self, struct sl_message *message, struct sl_span names,
                          struct sl_arena *arena)
{
    const struct key_plan *plan;

    if (!names.ptr || !message->key_schema || message->key_schema->type != SL_STRUCT ||
        message->record.key.tag != SL_STRUCT)
        return;
    plan = key_plan_for(self, message->key_schema, names);
    if (plan->layout.same_fields)
        return;
    message->record.key = sl_struct_layout_apply(&plan->layout, message->record.key, sl_null(), arena);
    message->key_schema = plan->layout.schema;
}

static struct sl_value field_of(struct sl_value envelope, int index)
{
    return index >= 0 ? envelope.items[index] : sl_null();
}

/* The value of a delete, by mode; the row itself when it is rewritten. */
static void delete_value(const struct extract *self, const struct plan *plan, struct sl_message *message,
                         struct sl_value row, struct sl_value envelope, struct sl_arena *arena)
{
    if (self->on_delete == DELETE_REWRITE) {
        message->value_schema = plan->layout.schema;
        message->record.value = sl_struct_layout_apply(&plan->layout, row, envelope, arena);
    } else {
        message->value_schema = self->on_delete == DELETE_NULL ? plan->envelope->row : NULL;
        message->record.value = sl_null();
    }
}

static enum sl_verdict change_event(struct extract *self, const struct plan *plan, struct sl_message *message,
                                    struct sl_span names, struct sl_arena *arena, struct sl_error *err)
{
    struct sl_value envelope = message->record.value;
    struct sl_value row =
        field_of(envelope, plan->is_delete ? plan->envelope->before : plan->envelope->after);
    const struct sl_schema *row_schema = plan->envelope->row;
    enum sl_verdict verdict = SL_KEEP;

    if (sl_is_null(row)) /* neither before nor after: a truncate, which has no row to speak of */
        return SL_DROP;
    if (plan->is_delete && self->on_delete == DELETE_DROP)
        return SL_DROP;
    if (plan->broken && (!plan->is_delete || self->rewrite)) {
        *err = plan->why;
        return SL_FAIL;
    }
    add_headers(self, plan, &message->record, arena);
    if (self->route_field) {
        if (plan->is_delete)
            row_schema = message->value_schema->fields[plan->envelope->before].schema;
        verdict = route(self, message, row_schema, row, err);
    }
    if (verdict != SL_KEEP)
        return verdict;
    if (self->drop_from_key)
        drop_from_key(self, message, names, arena);
    if (plan->is_delete) {
        delete_value(self, plan, message, row, envelope, arena);
    } else {
        message->value_schema = plan->layout.schema;
        message->record.value = sl_struct_layout_apply(&plan->layout, row, envelope, arena);
    }
    return SL_KEEP;
}

/* A delete is an envelope without a row after. */
static bool is_delete(const struct extract *self, const struct sl_message *message)
{
    const struct sl_envelope *envelope;

    if (self->last && self->last->value_schema == message->value_schema)
        envelope = self->last->envelope;
    else
        envelope = message->value_schema ? sl_envelope_of(message->value_schema) : NULL;
    return envelope && message->record.value.tag == SL_STRUCT &&
           sl_is_null(message->record.value.items[envelope->after]);
}

static enum sl_verdict extract_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct extract *self = self_;
    struct sl_span names;
    const struct plan *plan;

    if (sl_is_null(message->record.value))
        return tombstone(self, message, arena);
    names = drop_names(self, &message->record, arena);
    plan = plan_for(self, message, is_delete(self, message), names);
    if (!plan->envelope || message->record.value.tag != SL_STRUCT)
        return SL_KEEP;
    return change_event(self, plan, message, names, arena, err);
}

const struct sl_transform_ops sl_transform_extract_new_record_state = {
    .name = "ExtractNewRecordState",
    .classes = classes,
    .options = options,
    .open = extract_open,
    .apply = extract_apply,
    .close = extract_close,
};
