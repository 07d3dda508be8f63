/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's Flatten: fields of structs in structs move up, under the names of all of them with a
 * delimiter between. What stood in a struct that may be null may be null. Arrays stay as they are; maps with
 * a schema are refused.
 *
 * Beyond that, a null cell of Scylla's legacy shape (cell.h) leaves its column absent.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "data/schema_build.h"
#include "transform/cell.h"
#include "transform/plan_cache.h"
#include "transform/side.h"

#include <string.h>

/* One struct schema and what it becomes. */
struct plan {
    const struct sl_schema *from;
    const struct sl_schema *to; /* NULL: why says what is wrong */
    struct sl_error why;
};

struct flatten {
    bool key;
    char *delimiter;
    struct sl_plan_cache plans;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.Flatten$Value",
                                      "org.apache.kafka.connect.transforms.Flatten$Key", NULL};

static const struct sl_option options[] = {
    {.name = "delimiter",
     .type = SL_OPT_STRING,
     .default_text = ".",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "What stands between the names; a dot gives names that Avro does not allow."},
    {0},
};

static void flatten_close(void *self_)
{
    struct flatten *self = self_;

    sl_plan_cache_done(&self->plans, sl_free);
    sl_free(self->delimiter);
    sl_free(self);
}

static enum sl_rc flatten_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct flatten *self = sl_zalloc(1, sizeof(*self));
    const char *delimiter = sl_option_text(options, props, prefix, "delimiter");

    (void)err;
    self->key = sl_side_is_key(class_name);
    self->delimiter = sl_strdup(delimiter ? delimiter : ".");
    *ret_self = self;
    return SL_OK;
}

/* ---- plans ---- */

/* Names of the outcome, until its schema is interned. */
struct names {
    char **items;
    size_t n, capacity;
};

struct compiling {
    const struct flatten *self;
    struct sl_struct_builder builder;
    struct names names;
    struct plan *plan;
};

/* The default of a field, its own or that of the struct around it; tag SL_NULL: none. */
static struct sl_value default_of(const struct sl_schema *schema, struct sl_value parent, uint32_t index)
{
    if (schema->has_default && !sl_is_null(schema->default_value))
        return schema->default_value;
    return parent.tag == SL_STRUCT && index < parent.len ? parent.items[index] : sl_null();
}

static const struct sl_schema *leaf_schema(const struct sl_schema *schema, bool optional,
                                           struct sl_value value)
{
    const struct sl_schema *leaf = sl_schema_as_optional(schema, optional);

    return sl_is_null(value) ? leaf : sl_schema_with_default(leaf, value);
}

static bool is_taken(const struct compiling *c, const char *name)
{
    for (size_t i = 0; i < c->names.n; i++) {
        if (strcmp(c->names.items[i], name) == 0)
            return true;
    }
    return false;
}

static bool add_fields(struct compiling *c, const struct sl_schema *schema, const char *prefix, bool optional,
                       struct sl_value parent_default);

/* Takes the name over. False: the plan's why says what is wrong. */
static bool add_field(struct compiling *c, const struct sl_schema *schema, char *name, bool optional,
                      struct sl_value value)
{
    bool fits;

    if (schema->type == SL_STRUCT) {
        fits = add_fields(c, schema, name, optional, value);
        sl_free(name);
        return fits;
    }
    fits = schema->type != SL_MAP && !is_taken(c, name);
    if (!fits)
        (void)sl_error_set(
            &c->plan->why, SL_E_DATA,
            schema->type == SL_MAP
                ? "Flatten cannot flatten the map '%.100s'. HINT: leave it out with ReplaceField"
                : "Flatten gives two fields the name '%.100s'. HINT: choose another delimiter",
            name);
    else
        sl_struct_add(&c->builder, name, leaf_schema(schema, optional, value));
    SL_GROW(c->names.items, c->names.n, c->names.capacity);
    c->names.items[c->names.n++] = name;
    return fits;
}

static bool add_fields(struct compiling *c, const struct sl_schema *schema, const char *prefix, bool optional,
                       struct sl_value parent_default)
{
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_field *field = &schema->fields[i];
        char *name =
            prefix ? sl_format("%s%s%s", prefix, c->self->delimiter, field->name) : sl_strdup(field->name);

        if (!add_field(c, field->schema, name, optional || field->schema->optional,
                       default_of(field->schema, parent_default, i)))
            return false;
    }
    return true;
}

static void compile(const struct flatten *self, struct plan *plan)
{
    const struct sl_schema *from = plan->from;
    struct compiling c = {.self = self, .builder = sl_struct_like(from), .plan = plan};
    bool fits =
        add_fields(&c, from, NULL, from->optional, from->has_default ? from->default_value : sl_null());

    plan->to = sl_struct_end(&c.builder, false);
    if (!fits)
        plan->to = NULL;
    for (size_t i = 0; i < c.names.n; i++)
        sl_free(c.names.items[i]);
    sl_free(c.names.items);
}

static const struct plan *plan_for(struct flatten *self, const struct sl_schema *schema)
{
    struct plan *plan = sl_plan_cache_get(&self->plans, schema);

    if (plan)
        return plan;
    plan = sl_zalloc(1, sizeof(*plan));
    plan->from = schema;
    compile(self, plan);
    return sl_plan_cache_put(&self->plans, schema, plan);
}

/* ---- records ---- */

/* The leaves of a struct go to *at. value may be null or absent: then so are they. */
static void put_leaves(const struct sl_schema *schema, struct sl_value value, struct sl_value **at,
                       uint8_t *flags)
{
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_schema *field = schema->fields[i].schema;
        bool there = value.tag == SL_STRUCT;
        struct sl_value item = there ? value.items[i] : (struct sl_value){.tag = value.tag};

        if (item.tag == SL_NULL && sl_cell_is(field))
            item.tag = SL_ABSENT;
        if (field->type == SL_STRUCT) {
            put_leaves(field, item, at, flags);
            continue;
        }
        if (there && item.tag == SL_NULL && field->has_default)
            item = field->default_value;
        if (item.tag == SL_ABSENT)
            *flags |= SL_RECORD_PARTIAL;
        *(*at)++ = item;
    }
}

static enum sl_verdict with_schema(struct flatten *self, struct sl_side side, uint8_t *flags,
                                   struct sl_arena *arena, struct sl_error *err)
{
    const struct plan *plan;
    struct sl_value *fields;
    struct sl_value *at;

    if (!sl_side_is_struct(side))
        return sl_side_refuse(side, "Flatten", err);
    plan = plan_for(self, *side.schema);
    if (!plan->to) {
        *err = plan->why;
        return SL_FAIL;
    }
    fields = at = sl_arena_alloc(arena, plan->to->n_fields * sizeof(*fields));
    put_leaves(*side.schema, *side.value, &at, flags);
    *side.value = sl_items(SL_STRUCT, fields, plan->to->n_fields);
    *side.schema = plan->to;
    return SL_KEEP;
}

/* Maps without a schema: how many entries they hold when flat. */
static uint32_t count_entries(struct sl_value map)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < map.len; i++)
        n += map.items[2 * (size_t)i + 1].tag == SL_MAP ? count_entries(map.items[2 * (size_t)i + 1]) : 1;
    return n;
}

static void put_entries(const struct flatten *self, struct sl_value map, const char *prefix,
                        struct sl_value **at, struct sl_arena *arena)
{
    for (uint32_t i = 0; i < map.len; i++) {
        struct sl_value key = map.items[2 * (size_t)i];
        struct sl_value item = map.items[2 * (size_t)i + 1];
        const char *name = sl_arena_format(
            arena, "%s%s%.*s", prefix ? prefix : "", prefix ? self->delimiter : "",
            key.tag == SL_STRING ? (int)key.len : 0, key.tag == SL_STRING ? (const char *)key.bytes : "");

        if (item.tag == SL_MAP) {
            put_entries(self, item, name, at, arena);
            continue;
        }
        *(*at)++ = sl_text(name);
        *(*at)++ = item;
    }
}

static enum sl_verdict without_schema(const struct flatten *self, struct sl_side side, struct sl_arena *arena,
                                      struct sl_error *err)
{
    struct sl_value *pairs;
    struct sl_value *at;
    uint32_t n;

    if (side.value->tag != SL_MAP)
        return sl_side_refuse(side, "Flatten", err);
    n = count_entries(*side.value);
    pairs = at = sl_arena_alloc(arena, 2 * (size_t)n * sizeof(*pairs));
    put_entries(self, *side.value, NULL, &at, arena);
    *side.value = sl_items(SL_MAP, pairs, n);
    return SL_KEEP;
}

static enum sl_verdict flatten_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct flatten *self = self_;
    struct sl_side side = sl_side_of(message, self->key);

    if (sl_is_null(*side.value))
        return SL_KEEP;
    return *side.schema ? with_schema(self, side, &message->record.flags, arena, err)
                        : without_schema(self, side, arena, err);
}

const struct sl_transform_ops sl_transform_flatten = {
    .name = "Flatten",
    .classes = classes,
    .options = options,
    .open = flatten_open,
    .apply = flatten_apply,
    .close = flatten_close,
};
