/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's HeaderToValue: headers become fields of the value, or of structs in it ("after.trace"). What a
 * record does not have as a header it does not get as a field. Headers that come as bytes from the log are
 * read as Connect's literals, as its SimpleHeaderConverter would have done.
 */
#include "transform/transforms.h"

#include "base/arena.h"
#include "codec/value_text.h"
#include "transform/config_list.h"
#include "transform/field_path.h"
#include "transform/record_headers.h"
#include "transform/row_plan.h"
#include "transform/side.h"

#include <strings.h>

struct to_value {
    bool move;
    struct sl_config_list headers;
    struct sl_config_list fields;
    struct sl_field_path *paths; /* of the fields */
    struct sl_header *found;     /* of the record at hand, by place in headers; schema NULL: it has none */
    struct sl_plan_cache plans;  /* struct variant lists */
};

/* A struct of the value, and what it becomes. */
struct node {
    struct sl_row_plan *row;
    struct child {
        uint32_t at; /* in the outcome */
        struct node *node;
    } *children;
    size_t n_children, children_capacity;
    uint32_t *added; /* places in headers, in the order of the fields behind */
    size_t n_added, added_capacity;
};

/* Records of one value schema, by the schemas of the headers that they have. */
struct variant {
    const struct sl_schema **headers; /* NULL: not there */
    struct node *root;
    struct variant *next;
};

static const char *const classes[] = {"io.debezium.transforms.HeaderToValue", NULL};
static const char *const operations[] = {"move", "copy", NULL};

static const struct sl_option options[] = {
    {.name = "headers",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The headers.",
     .validate = sl_config_list_validate},
    {.name = "fields",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The names of the fields, in the order of the headers; dots lead into structs.",
     .validate = sl_config_list_validate},
    {.name = "operation",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "Whether the headers stay: move takes them out, copy leaves them.",
     .values = operations},
    {0},
};

static void free_node(struct node *node)
{
    for (size_t i = 0; i < node->n_children; i++)
        free_node(node->children[i].node);
    sl_row_plan_free(node->row);
    sl_free(node->children);
    sl_free(node->added);
    sl_free(node);
}

static void free_variants(void *variant_)
{
    struct variant *variant = variant_;

    while (variant) {
        struct variant *next = variant->next;

        free_node(variant->root);
        sl_free(variant->headers);
        sl_free(variant);
        variant = next;
    }
}

static void to_value_close(void *self_)
{
    struct to_value *self = self_;

    sl_plan_cache_done(&self->plans, free_variants);
    for (size_t i = 0; self->paths && i < self->fields.n; i++)
        sl_field_path_done(&self->paths[i]);
    sl_free(self->paths);
    sl_free(self->found);
    sl_config_list_done(&self->headers);
    sl_config_list_done(&self->fields);
    sl_free(self);
}

/* Dots part the names, and nothing quotes them. */
static void split(const char *text, struct sl_field_path *ret)
{
    for (const char *dot = strchr(text, '.'); dot; text = dot + 1, dot = strchr(text, '.')) {
        SL_GROW(ret->steps, ret->n, ret->capacity);
        ret->steps[ret->n++] = sl_strndup(text, (size_t)(dot - text));
    }
    SL_GROW(ret->steps, ret->n, ret->capacity);
    ret->steps[ret->n++] = sl_strdup(text);
}

static enum sl_rc to_value_open(const struct sl_props *props, const char *prefix, const char *class_name,
                                void **ret_self, struct sl_error *err)
{
    struct to_value *self = sl_zalloc(1, sizeof(*self));
    const char *operation = sl_option_text(options, props, prefix, "operation");

    (void)class_name;
    sl_config_list_read(&self->headers, sl_option_text(options, props, prefix, "headers"));
    sl_config_list_read(&self->fields, sl_option_text(options, props, prefix, "fields"));
    if (!operation || self->headers.n == 0 || self->headers.n != self->fields.n) {
        (void)sl_error_set(err, SL_E_CONFIG,
                           "%stype: HeaderToValue has %zu headers and %zu fields%s. HINT: give headers and "
                           "fields of equal number, and operation=move or copy",
                           prefix, self->headers.n, self->fields.n, operation ? "" : " and no operation");
        to_value_close(self);
        return SL_E_CONFIG;
    }
    self->move = strcasecmp(operation, "move") == 0;
    self->found = sl_zalloc(self->headers.n, sizeof(*self->found));
    self->paths = sl_zalloc(self->fields.n, sizeof(*self->paths));
    for (size_t i = 0; i < self->fields.n; i++)
        split(self->fields.items[i], &self->paths[i]);
    *ret_self = self;
    return SL_OK;
}

/* ---- plans ---- */

/* Does the path of field i lead through this struct (of that depth), below all the structs of field like? */
static bool leads_through(const struct to_value *self, size_t i, size_t like, size_t depth)
{
    if (self->paths[i].n <= depth)
        return false;
    for (size_t d = 0; d < depth; d++) {
        if (strcmp(self->paths[i].steps[d], self->paths[like].steps[d]) != 0)
            return false;
    }
    return true;
}

static struct node *compile(const struct to_value *self, const struct sl_schema *schema, size_t like,
                            size_t depth);

/* Paths that lead into what is no struct of this one. */
static void refuse_lost_paths(const struct to_value *self, const struct sl_schema *schema, size_t like,
                              size_t depth, struct sl_row_draft *draft)
{
    for (size_t i = 0; i < self->fields.n; i++) {
        int at;

        if (!self->found[i].schema || self->paths[i].n <= depth + 1 || !leads_through(self, i, like, depth))
            continue;
        at = sl_schema_field(schema, self->paths[i].steps[depth]);
        if (at < 0 || schema->fields[at].schema->type != SL_STRUCT)
            sl_row_draft_refuse(draft,
                                "finds no struct '%.100s' for the field '%.100s'. HINT: use a predicate, or "
                                "another field",
                                self->paths[i].steps[depth], self->fields.items[i]);
    }
}

/* A field that some path leads on into, as it becomes; NULL: it stays. */
static struct node *compile_child(const struct to_value *self, const struct sl_field *field, size_t like,
                                  size_t depth)
{
    for (size_t i = 0; i < self->fields.n; i++) {
        if (self->found[i].schema && self->paths[i].n > depth + 1 && leads_through(self, i, like, depth) &&
            strcmp(self->paths[i].steps[depth], field->name) == 0 && field->schema->type == SL_STRUCT)
            return compile(self, field->schema, i, depth + 1);
    }
    return NULL;
}

static struct node *compile(const struct to_value *self, const struct sl_schema *schema, size_t like,
                            size_t depth)
{
    struct node *node = sl_zalloc(1, sizeof(*node));
    struct sl_row_draft draft;

    sl_row_draft_begin(&draft, "HeaderToValue", schema, true);
    refuse_lost_paths(self, schema, like, depth, &draft);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        struct node *child = compile_child(self, &schema->fields[i], like, depth);

        if (child && !child->row->to)
            sl_row_draft_refuse(&draft, "(in '%.50s'): %.200s", schema->fields[i].name, child->row->why.text);
        sl_row_draft_keep(&draft, i, NULL, child ? child->row->to : NULL);
        if (!child)
            continue;
        SL_GROW(node->children, node->n_children, node->children_capacity);
        node->children[node->n_children++] = (struct child){.at = i, .node = child};
    }
    for (size_t i = 0; i < self->fields.n; i++) {
        if (!self->found[i].schema || self->paths[i].n != depth + 1 || !leads_through(self, i, like, depth))
            continue;
        SL_GROW(node->added, node->n_added, node->added_capacity);
        node->added[node->n_added++] = (uint32_t)i;
        sl_row_draft_add(&draft, self->paths[i].steps[depth], self->found[i].schema);
    }
    node->row = sl_row_draft_end(&draft, depth && schema->optional);
    return node;
}

static bool fits(const struct to_value *self, const struct variant *variant)
{
    for (size_t i = 0; i < self->headers.n; i++) {
        if (variant->headers[i] != self->found[i].schema)
            return false;
    }
    return true;
}

static const struct node *plan_for(struct to_value *self, const struct sl_schema *schema)
{
    struct variant *first = sl_plan_cache_get(&self->plans, schema);
    struct variant *variant = first;

    while (variant && !fits(self, variant))
        variant = variant->next;
    if (variant)
        return variant->root;
    variant = sl_zalloc(1, sizeof(*variant));
    variant->headers = sl_zalloc(self->headers.n, sizeof(const struct sl_schema *));
    for (size_t i = 0; i < self->headers.n; i++)
        variant->headers[i] = self->found[i].schema;
    variant->root = compile(self, schema, 0, 0);
    if (first) { /* behind the first, which the cache points to */
        variant->next = first->next;
        first->next = variant;
    } else {
        sl_plan_cache_put(&self->plans, schema, variant);
    }
    return variant->root;
}

/* ---- records ---- */

static struct sl_header as_field(struct sl_header header, struct sl_arena *arena)
{
    if (!header.schema && header.value.tag == SL_BYTES)
        sl_value_literal_read((struct sl_span){header.value.bytes, header.value.len}, arena, &header.schema,
                              &header.value);
    if (!header.schema)
        header.schema =
            sl_is_null(header.value) ? sl_schema_plain(SL_STRING, true) : sl_header_schema_of(header.value);
    return header;
}

/* Of headers of one name the last counts. False: the record has none of them. */
static bool find_headers(struct to_value *self, const struct sl_record *record, struct sl_arena *arena)
{
    bool any = false;

    for (size_t i = 0; i < self->headers.n; i++) {
        self->found[i] = (struct sl_header){0};
        for (uint16_t h = record->n_headers; h-- > 0 && !self->found[i].schema;) {
            if (strcmp(record->headers[h].name, self->headers.items[i]) == 0)
                self->found[i] = as_field(record->headers[h], arena);
        }
        any |= self->found[i].schema != NULL;
    }
    return any;
}

static struct sl_value apply_node(const struct to_value *self, const struct node *node, struct sl_value row,
                                  struct sl_arena *arena)
{
    struct sl_value *fields;

    if (row.tag != SL_STRUCT)
        return row;
    fields = sl_row_plan_copy(node->row, row, arena);
    for (size_t i = 0; i < node->n_children; i++) {
        const struct child *child = &node->children[i];

        fields[child->at] = apply_node(self, child->node, fields[child->at], arena);
    }
    for (size_t i = 0; i < node->n_added; i++)
        fields[node->row->n_kept + i] = self->found[node->added[i]].value;
    return sl_items(SL_STRUCT, fields, node->row->n_kept + node->n_added);
}

static void remove_headers(const struct to_value *self, struct sl_record *record, struct sl_arena *arena)
{
    struct sl_header *left = sl_arena_alloc(arena, record->n_headers * sizeof(*left));
    uint16_t n = 0;

    for (uint16_t i = 0; i < record->n_headers; i++) {
        if (!sl_config_list_has(&self->headers, record->headers[i].name))
            left[n++] = record->headers[i];
    }
    record->headers = left;
    record->n_headers = n;
}

static enum sl_verdict to_value_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                      struct sl_error *err)
{
    struct to_value *self = self_;
    struct sl_side side = sl_side_of(message, false);
    const struct node *node;

    if (sl_is_null(*side.value))
        return SL_KEEP;
    if (!*side.schema || !sl_side_is_struct(side))
        return sl_bad_record(
            err,
            "HeaderToValue needs structs, and this is a %s. HINT: use it on rows only, with a "
            "predicate",
            sl_type_name((enum sl_type)side.value->tag));
    if (!find_headers(self, &message->record, arena))
        return SL_KEEP;
    node = plan_for(self, *side.schema);
    if (!node->row->to) {
        *err = node->row->why;
        return SL_FAIL;
    }
    *side.value = apply_node(self, node, *side.value, arena);
    *side.schema = node->row->to;
    if (self->move)
        remove_headers(self, &message->record, arena);
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_header_to_value = {
    .name = "HeaderToValue",
    .classes = classes,
    .options = options,
    .open = to_value_open,
    .apply = to_value_apply,
    .close = to_value_close,
};
