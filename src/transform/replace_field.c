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
#include "transform/row_plan.h"
#include "transform/side.h"

#include <stdio.h>
#include <string.h>

struct rename {
    char *from;
    char *to;
};

struct replace {
    bool key;
    bool null_is_default;
    struct sl_props *lists; /* excluded names as "x name", included ones as "i name" */
    bool includes;
    struct rename *renames;
    size_t n_renames, renames_capacity;
    struct sl_plan_cache plans;
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
    SL_NULL_DEFAULT_OPTION,
    {0},
};

/* Confluent's class takes names with dots for paths into structs; ours has the fields of the record alone. */
static const char *const confluent_classes[] = {"io.confluent.connect.transforms.ReplaceField$Value",
                                                "io.confluent.connect.transforms.ReplaceField$Key", NULL};

static const char *check_flat(const char *text)
{
    return text && strchr(text, '.') ? "fields within structs (names with dots) are not understood. HINT: "
                                       "Flatten makes them fields of the record"
                                     : NULL;
}

static const struct sl_option confluent_options[] = {
    {.name = "exclude",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Fields to leave out, without dots; comes before include.",
     .alias = "blacklist",
     .validate = check_flat},
    {.name = "include",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Fields to keep, without dots; empty: all.",
     .alias = "whitelist",
     .validate = check_flat},
    {.name = "renames",
     .type = SL_OPT_LIST,
     .default_text = "",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "Fields to rename, as old:new,old:new, without dots.",
     .validate = check_flat},
    SL_NULL_DEFAULT_OPTION,
    {0},
};

static void replace_close(void *self_)
{
    struct replace *self = self_;

    sl_plan_cache_done(&self->plans, sl_row_plan_free);
    for (size_t i = 0; i < self->n_renames; i++) {
        sl_free(self->renames[i].from);
        sl_free(self->renames[i].to);
    }
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
    enum sl_rc rc;

    self->key = sl_side_is_key(class_name);
    self->null_is_default = sl_null_is_default(options, props, prefix);
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

static enum sl_rc confluent_open(const struct sl_props *props, const char *prefix, const char *class_name,
                                 void **ret_self, struct sl_error *err)
{
    static const char *const lists[] = {"exclude", "include", "renames"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const char *wrong = check_flat(sl_option_text(confluent_options, props, prefix, lists[i]));

        if (wrong)
            return sl_error_set(err, SL_E_CONFIG, "%s%s: %s", prefix, lists[i], wrong);
    }
    return replace_open(props, prefix, class_name, ret_self, err);
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

static struct sl_row_plan *compile(const struct replace *self, const struct sl_schema *from)
{
    struct sl_row_draft draft;

    sl_row_draft_begin(&draft, "ReplaceField", from, self->null_is_default);
    for (uint32_t i = 0; i < from->n_fields; i++) {
        const char *name = from->fields[i].name;

        if (!listed(self, 'x', name) && (!self->includes || listed(self, 'i', name)))
            sl_row_draft_keep(&draft, i, renamed(self, name), NULL);
    }
    return sl_row_draft_end(&draft, false);
}

/* ---- records ---- */

static enum sl_verdict with_schema(struct replace *self, struct sl_side side, struct sl_arena *arena,
                                   struct sl_error *err)
{
    const struct sl_row_plan *plan;

    if (!sl_side_is_struct(side))
        return sl_side_refuse(side, "ReplaceField", err);
    plan = sl_plan_cache_get(&self->plans, *side.schema);
    if (!plan)
        plan = sl_plan_cache_put(&self->plans, *side.schema, compile(self, *side.schema));
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    *side.value = sl_row_plan_apply(plan, *side.value, arena);
    *side.schema = plan->to;
    return SL_KEEP;
}

static enum sl_verdict without_schema(const struct replace *self, struct sl_side side, struct sl_arena *arena,
                                      struct sl_error *err)
{
    struct sl_value *value = side.value;
    struct sl_value *pairs;
    uint32_t n = 0;

    if (value->tag != SL_MAP)
        return sl_side_refuse(side, "ReplaceField", err);
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
    struct sl_side side = sl_side_of(message, self->key);

    if (sl_is_null(*side.value))
        return SL_KEEP;
    return *side.schema ? with_schema(self, side, arena, err) : without_schema(self, side, arena, err);
}

const struct sl_transform_ops sl_transform_replace_field = {
    .name = "ReplaceField",
    .classes = classes,
    .options = options,
    .open = replace_open,
    .apply = replace_apply,
    .close = replace_close,
};

const struct sl_transform_ops sl_transform_confluent_replace_field = {
    .name = "ConfluentReplaceField",
    .classes = confluent_classes,
    .options = confluent_options,
    .open = confluent_open,
    .apply = replace_apply,
    .close = replace_close,
};
