/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/projection.h"

#include "base/alloc.h"

enum move { AS_IT_IS, RETAG, TO_FLOAT, INTO_STRUCT, INTO_ITEMS };

#define MISSING UINT32_MAX

struct node {
    enum move move;
    enum sl_type tag;        /* of the result */
    uint32_t n;              /* fields of the result */
    uint32_t *from;          /* for each: the field of the value, or MISSING */
    struct sl_value *filler; /* for each: what a missing one is */
    struct node **children;  /* of fields; of an array or map: key (or NULL) and item */
};

struct sl_projection {
    struct node *root;
};

static struct node *make(const struct sl_schema *from, const struct sl_schema *to, const char *name,
                         struct sl_error *err);

static void free_node(struct node *node)
{
    uint32_t n = node ? (node->move == INTO_ITEMS ? 2 : node->n) : 0;

    if (!node)
        return;
    for (uint32_t i = 0; node->children && i < n; i++)
        free_node(node->children[i]);
    sl_free(node->children);
    sl_free(node->from);
    sl_free(node->filler);
    sl_free(node);
}

static bool is_integer(enum sl_type type)
{
    return type >= SL_INT8 && type <= SL_INT64;
}

static uint32_t find_field(const struct sl_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return i;
    }
    return MISSING;
}

static bool make_field(struct node *node, const struct sl_schema *from, const struct sl_schema *to,
                       uint32_t i, struct sl_error *err)
{
    const struct sl_schema *schema = to->fields[i].schema;
    const char *name = to->fields[i].name;

    node->from[i] = find_field(from, name);
    if (node->from[i] != MISSING) {
        node->children[i] = make(from->fields[node->from[i]].schema, schema, name, err);
        return node->children[i] != NULL;
    }
    node->filler[i] = schema->has_default ? schema->default_value : sl_null();
    if (schema->has_default || schema->optional)
        return true;
    (void)sl_error_set(
        err, SL_E_DATA,
        "the schema to write with has field '%s' without a default, and the record has no such "
        "field",
        name);
    return false;
}

static bool make_struct(struct node *node, const struct sl_schema *from, const struct sl_schema *to,
                        struct sl_error *err)
{
    node->move = INTO_STRUCT;
    node->n = to->n_fields;
    node->from = sl_zalloc(to->n_fields + 1, sizeof(*node->from));
    node->filler = sl_zalloc(to->n_fields + 1, sizeof(*node->filler));
    node->children = sl_zalloc(to->n_fields + 1, sizeof(*node->children));
    for (uint32_t i = 0; i < to->n_fields; i++) {
        if (!make_field(node, from, to, i, err))
            return false;
    }
    return true;
}

static bool make_items(struct node *node, const struct sl_schema *from, const struct sl_schema *to,
                       const char *name, struct sl_error *err)
{
    node->move = INTO_ITEMS;
    node->children = sl_zalloc(2, sizeof(*node->children));
    if (to->type == SL_MAP) {
        node->children[0] = make(from->key, to->key, name, err);
        if (!node->children[0])
            return false;
    }
    node->children[1] = make(from->element, to->element, name, err);
    return node->children[1] != NULL;
}

/* How a value gets from one type to another; false when it does not. */
static bool choose(struct node *node, const struct sl_schema *from, const struct sl_schema *to,
                   const char *name, struct sl_error *err)
{
    if (from->type == to->type && to->type == SL_STRUCT)
        return make_struct(node, from, to, err);
    if (from->type == to->type && (to->type == SL_ARRAY || to->type == SL_MAP))
        return make_items(node, from, to, name, err);
    if (from->type == to->type && !(from->semantic == SL_SEM_DECIMAL && from->scale != to->scale)) {
        node->move = AS_IT_IS;
        return true;
    }
    if ((is_integer(from->type) && is_integer(to->type) && from->type < to->type) ||
        (from->type == SL_FLOAT32 && to->type == SL_FLOAT64)) {
        node->move = RETAG;
        return true;
    }
    if (is_integer(from->type) && (to->type == SL_FLOAT32 || to->type == SL_FLOAT64)) {
        node->move = TO_FLOAT;
        return true;
    }
    (void)sl_error_set(err, SL_E_DATA, "field '%s' is %s in the record and %s in the schema to write with",
                       name, sl_type_name(from->type), sl_type_name(to->type));
    return false;
}

static struct node *make(const struct sl_schema *from, const struct sl_schema *to, const char *name,
                         struct sl_error *err)
{
    struct node *node = sl_zalloc(1, sizeof(*node));
    bool fits;

    node->tag = to->type;
    if (from->optional && !to->optional && !to->has_default) {
        (void)sl_error_set(err, SL_E_DATA,
                           "field '%s' can be null in the record and cannot in the schema to write with",
                           name);
        fits = false;
    } else {
        fits = from == to || choose(node, from, to, name, err);
    }
    if (fits)
        return node;
    free_node(node);
    return NULL;
}

enum sl_rc sl_projection_new(const struct sl_schema *from, const struct sl_schema *to,
                             struct sl_projection **ret, struct sl_error *err)
{
    struct node *root = make(from, to, "", err);

    if (!root)
        return SL_E_DATA;
    *ret = sl_alloc(sizeof(**ret));
    (*ret)->root = root;
    return SL_OK;
}

void sl_projection_free(struct sl_projection *projection)
{
    if (!projection)
        return;
    free_node(projection->root);
    sl_free(projection);
}

static struct sl_value project(const struct node *node, struct sl_value value, struct sl_arena *arena)
{
    struct sl_value *items;
    size_t n;

    if (sl_is_null(value) || node->move == AS_IT_IS)
        return value;
    if (node->move == RETAG) {
        value.tag = (uint8_t)node->tag;
        return value;
    }
    if (node->move == TO_FLOAT)
        return sl_float(node->tag, (double)value.i);
    if (node->move == INTO_STRUCT) {
        items = sl_arena_alloc(arena, node->n * sizeof(*items));
        for (uint32_t i = 0; i < node->n; i++) {
            uint32_t from = node->from[i];

            items[i] =
                from < value.len ? project(node->children[i], value.items[from], arena) : node->filler[i];
        }
        return sl_items(SL_STRUCT, items, node->n);
    }
    n = value.len * (value.tag == SL_MAP ? 2 : 1);
    items = sl_arena_alloc(arena, n * sizeof(*items));
    for (size_t i = 0; i < n; i++)
        items[i] = project(node->children[value.tag == SL_MAP ? i % 2 : 1], value.items[i], arena);
    return sl_items(node->tag, items, value.len);
}

struct sl_value sl_project(const struct sl_projection *projection, struct sl_value value,
                           struct sl_arena *arena)
{
    return project(projection->root, value, arena);
}
