/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's ReplaceField: fields are left out (exclude), only some are kept (include), and those that
 * are left get other names (renames). Long chains of it are common, one for each name; where it does nothing
 * to a schema but make it required, no value moves.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/props.h"
#include "data/schema_build.h"

#include <stdio.h>
#include <string.h>

struct rename {
    char *from;
    char *to;
};

/* One struct schema and what it becomes. */
struct plan {
    const struct sl_schema *from;
    const struct sl_schema *to; /* NULL: two fields of one name */
    const char *twice;
    bool all_kept;
    uint32_t *kept;     /* indexes in from */
    uint32_t *defaults; /* places in the outcome where a null is read as the default */
    uint32_t n_defaults;
};

struct replace {
    bool key;
    bool null_is_default;
    struct sl_props *lists; /* excluded names as "x name", included ones as "i name" */
    bool includes;
    struct rename *renames;
    size_t n_renames, renames_capacity;
    struct plan **plans;
    size_t n_plans, plans_capacity;
    struct plan *last;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.ReplaceField$Value",
                                      "org.apache.kafka.connect.transforms.ReplaceField$Key", NULL};

static const struct sl_option options[] = {
    {.name = "exclude",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Fields to leave out; comes before include.",
     .alias = "blacklist"},
    {.name = "include",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Fields to keep; empty: all.",
     .alias = "whitelist"},
    {.name = "renames",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Fields to rename, as old:new,old:new."},
    {.name = "replace.null.with.default",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Whether a null in a field with a default is read as the default."},
    {0},
};

static void replace_close(void *self_)
{
    struct replace *self = self_;

    for (size_t i = 0; i < self->n_plans; i++) {
        sl_free(self->plans[i]->kept);
        sl_free(self->plans[i]->defaults);
        sl_free(self->plans[i]);
    }
    for (size_t i = 0; i < self->n_renames; i++) {
        sl_free(self->renames[i].from);
        sl_free(self->renames[i].to);
    }
    sl_free(self->plans);
    sl_free(self->renames);
    sl_props_free(self->lists);
    sl_free(self);
}

static void read_list(struct replace *self, const struct sl_props *props, const char *prefix,
                      const char *name, char mark)
{
    const char *cursor = sl_option_text(options, props, prefix, name);
    char item[300];
    char key[310];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        (void)snprintf(key, sizeof(key), "%c %s", mark, item);
        sl_props_set(self->lists, key, "");
        self->includes |= mark == 'i';
    }
}

static enum sl_rc read_renames(struct replace *self, const struct sl_props *props, const char *prefix,
                               struct sl_error *err)
{
    const char *cursor = sl_option_text(options, props, prefix, "renames");
    char item[600];

    while (cursor && sl_list_next(&cursor, item, sizeof(item))) {
        char *colon = strchr(item, ':');

        if (!colon || colon == item || colon[1] == '\0' || strchr(colon + 1, ':'))
            return sl_error_set(err, SL_E_CONFIG, "%srenames: '%.100s' is not old:new. HINT: name both",
                                prefix, item);
        *colon = '\0';
        SL_GROW(self->renames, self->n_renames, self->renames_capacity);
        self->renames[self->n_renames++] =
            (struct rename){.from = sl_strdup(item), .to = sl_strdup(colon + 1)};
    }
    return SL_OK;
}

static enum sl_rc replace_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct replace *self = sl_zalloc(1, sizeof(*self));
    const char *dollar = strrchr(class_name, '$');
    enum sl_rc rc;

    self->key = dollar && strcmp(dollar, "$Key") == 0;
    self->null_is_default = sl_option_bool(options, props, prefix, "replace.null.with.default");
    self->lists = sl_props_new();
    read_list(self, props, prefix, "exclude", 'x');
    read_list(self, props, prefix, "include", 'i');
    rc = read_renames(self, props, prefix, err);
    if (rc)
        replace_close(self);
    else
        *ret_self = self;
    return rc;
}

/* ---- plans ---- */

static bool listed(const struct replace *self, char mark, const char *name)
{
    char key[310];

    (void)snprintf(key, sizeof(key), "%c %s", mark, name);
    return sl_props_get(self->lists, key) != NULL;
}

static const char *renamed(const struct replace *self, const char *name)
{
    for (size_t i = 0; i < self->n_renames; i++) {
        if (strcmp(self->renames[i].from, name) == 0)
            return self->renames[i].to;
    }
    return name;
}

static bool has_field(const struct sl_struct_builder *builder, const char *name)
{
    for (uint32_t i = 0; i < builder->n_fields; i++) {
        if (strcmp(builder->fields[i].name, name) == 0)
            return true;
    }
    return false;
}

static void keep_field(const struct replace *self, struct plan *plan, struct sl_struct_builder *builder,
                       uint32_t index)
{
    const struct sl_field *field = &plan->from->fields[index];
    const char *name = renamed(self, field->name);

    if (has_field(builder, name)) {
        plan->twice = name;
        return;
    }
    if (self->null_is_default && field->schema->has_default && !sl_is_null(field->schema->default_value))
        plan->defaults[plan->n_defaults++] = builder->n_fields;
    plan->kept[builder->n_fields] = index;
    sl_struct_add(builder, name, field->schema);
}

static void compile(const struct replace *self, struct plan *plan)
{
    const struct sl_schema *from = plan->from;
    struct sl_struct_builder builder = {
        .name = from->name,
        .doc = from->doc,
        .version = from->has_version ? from->version : 0,
        .parameters = from->parameters,
        .n_parameters = from->n_parameters,
    };

    plan->kept = sl_zalloc((size_t)from->n_fields + 1, sizeof(*plan->kept));
    plan->defaults = sl_zalloc((size_t)from->n_fields + 1, sizeof(*plan->defaults));
    for (uint32_t i = 0; i < from->n_fields; i++) {
        const char *name = from->fields[i].name;

        if (!listed(self, 'x', name) && (!self->includes || listed(self, 'i', name)))
            keep_field(self, plan, &builder, i);
    }
    plan->all_kept = builder.n_fields == from->n_fields; /* and in their order */
    plan->to = sl_struct_end(&builder, false);
    if (plan->twice)
        plan->to = NULL;
}

static const struct plan *plan_for(struct replace *self, const struct sl_schema *schema)
{
    if (self->last && self->last->from == schema)
        return self->last;
    for (size_t i = 0; i < self->n_plans; i++) {
        if (self->plans[i]->from == schema)
            return self->last = self->plans[i];
    }
    SL_GROW(self->plans, self->n_plans, self->plans_capacity);
    self->last = self->plans[self->n_plans++] = sl_zalloc(1, sizeof(*self->last));
    self->last->from = schema;
    compile(self, self->last);
    return self->last;
}

/* ---- records ---- */

static struct sl_value moved(const struct plan *plan, struct sl_value value, struct sl_arena *arena)
{
    uint32_t n = plan->to->n_fields;
    struct sl_value *fields;

    if (plan->all_kept && !plan->n_defaults)
        return value;
    fields = sl_arena_alloc(arena, n * sizeof(*fields));
    for (uint32_t i = 0; i < n; i++)
        fields[i] = value.items[plan->kept[i]];
    for (uint32_t i = 0; i < plan->n_defaults; i++) {
        uint32_t at = plan->defaults[i];

        if (fields[at].tag == SL_NULL)
            fields[at] = plan->to->fields[at].schema->default_value;
    }
    return sl_items(SL_STRUCT, fields, n);
}

static enum sl_verdict with_schema(struct replace *self, const struct sl_schema **schema,
                                   struct sl_value *value, struct sl_arena *arena, struct sl_error *err)
{
    const struct plan *plan;

    if ((*schema)->type != SL_STRUCT || value->tag != SL_STRUCT) {
        (void)sl_error_set(err, SL_E_DATA,
                           "ReplaceField needs structs, and this is a %s. HINT: use it on rows only",
                           sl_type_name((*schema)->type));
        return SL_FAIL;
    }
    plan = plan_for(self, *schema);
    if (!plan->to) {
        (void)sl_error_set(err, SL_E_DATA,
                           "ReplaceField gives two fields the name '%.100s'. HINT: see its renames",
                           plan->twice);
        return SL_FAIL;
    }
    *value = moved(plan, *value, arena);
    *schema = plan->to;
    return SL_KEEP;
}

static enum sl_verdict without_schema(const struct replace *self, struct sl_value *value,
                                      struct sl_arena *arena, struct sl_error *err)
{
    struct sl_value *pairs;
    uint32_t n = 0;

    if (value->tag != SL_MAP) {
        (void)sl_error_set(
            err, SL_E_DATA,
            "ReplaceField needs maps where there is no schema, and this is a %s. HINT: use it on "
            "objects only",
            sl_type_name((enum sl_type)value->tag));
        return SL_FAIL;
    }
    pairs = sl_arena_alloc(arena, 2 * (size_t)value->len * sizeof(*pairs));
    for (uint32_t i = 0; i < value->len; i++) {
        struct sl_value key = value->items[2 * (size_t)i];
        const char *name =
            key.tag == SL_STRING ? sl_arena_format(arena, "%.*s", (int)key.len, (const char *)key.bytes) : "";

        if (listed(self, 'x', name) || (self->includes && !listed(self, 'i', name)))
            continue;
        pairs[2 * (size_t)n] = key.tag == SL_STRING ? sl_text(renamed(self, name)) : key;
        pairs[2 * (size_t)n++ + 1] = value->items[2 * (size_t)i + 1];
    }
    *value = sl_items(SL_MAP, pairs, n);
    return SL_KEEP;
}

static enum sl_verdict replace_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct replace *self = self_;
    const struct sl_schema **schema = self->key ? &message->key_schema : &message->value_schema;
    struct sl_value *value = self->key ? &message->record.key : &message->record.value;

    if (sl_is_null(*value))
        return SL_KEEP;
    return *schema ? with_schema(self, schema, value, arena, err) : without_schema(self, value, arena, err);
}

const struct sl_transform_ops sl_transform_replace_field = {
    .name = "ReplaceField",
    .classes = classes,
    .options = options,
    .open = replace_open,
    .apply = replace_apply,
    .close = replace_close,
};
