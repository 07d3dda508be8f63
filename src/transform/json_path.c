/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/json_path.h"

#include "transform/map_value.h"
#include "transform/row_plan.h"

void sl_json_steps_done(struct sl_json_steps *steps)
{
    sl_config_list_done(&steps->names);
    sl_plan_cache_done(&steps->places, sl_free);
}

void sl_json_node_free(struct sl_json_node *node)
{
    if (!node)
        return;
    sl_json_node_free(node->a);
    sl_json_node_free(node->b);
    sl_json_steps_done(&node->left.steps);
    sl_json_steps_done(&node->right.steps);
    sl_free(node->left.text);
    sl_free(node->right.text);
    if (node->pattern)
        sl_regex_free(node->pattern);
    sl_free(node);
}

struct sl_json_path *sl_json_path_of(const char *name)
{
    struct sl_json_path *path = sl_zalloc(1, sizeof(*path));
    struct sl_config_list *names = &path->steps.names;

    if (*name) {
        SL_GROW(names->items, names->n, names->capacity);
        names->items[names->n++] = sl_strdup(name);
    }
    return path;
}

void sl_json_path_free(struct sl_json_path *path)
{
    if (!path)
        return;
    sl_json_steps_done(&path->steps);
    sl_json_node_free(path->filter);
    sl_free(path);
}

/* ---- fields ---- */

static const struct sl_schema *element_of(const struct sl_schema *schema)
{
    return schema && schema->type == SL_MAP ? schema->element : NULL;
}

static int32_t *compile_places(const struct sl_json_steps *steps, const struct sl_schema *schema)
{
    int32_t *places = sl_zalloc(steps->names.n + 1, sizeof(*places));

    for (size_t i = 0; i < steps->names.n; i++) {
        bool is_struct = schema && schema->type == SL_STRUCT;

        places[i] = is_struct ? sl_schema_field(schema, steps->names.items[i]) : -1;
        if (is_struct)
            schema = places[i] < 0 ? NULL : schema->fields[places[i]].schema;
        else
            schema = element_of(schema);
    }
    return places;
}

static const int32_t *places_in(struct sl_json_steps *steps, const struct sl_schema *schema)
{
    const int32_t *places;

    if (!schema)
        return NULL;
    places = sl_plan_cache_get(&steps->places, schema);
    return places ? places : sl_plan_cache_put(&steps->places, schema, compile_places(steps, schema));
}

static struct sl_script_value find(struct sl_json_steps *steps, const struct sl_schema *schema,
                                   struct sl_value value)
{
    const int32_t *places = places_in(steps, schema);

    for (size_t i = 0; i < steps->names.n; i++) {
        if (value.tag == SL_MAP) {
            value = sl_map_get(value, steps->names.items[i]);
            schema = element_of(schema);
        } else if (value.tag == SL_STRUCT && schema && places && places[i] >= 0) {
            value = sl_field_get(schema, value, (uint32_t)places[i], true);
            schema = schema->fields[places[i]].schema;
        } else {
            return sl_script_of(NULL, sl_null());
        }
    }
    return sl_script_of(schema, value);
}

struct sl_script_value sl_json_path_find(struct sl_json_path *path, const struct sl_schema *schema,
                                         struct sl_value value)
{
    return find(&path->steps, schema, value);
}

/* ---- filters ---- */

static bool compare(enum sl_json_op op, const struct sl_script_value *a, const struct sl_script_value *b)
{
    struct sl_error none = {0};
    bool same = false;
    int order = 0;

    if (op == SL_JSON_SAME || op == SL_JSON_NOT_SAME) {
        /* What cannot be compared is not the same. */
        same = sl_script_same(a, b, &same, &none) == SL_OK && same;
        return same == (op == SL_JSON_SAME);
    }
    if (sl_script_order(a, b, &order, &none) != SL_OK)
        return false;
    if (op == SL_JSON_LESS || op == SL_JSON_LESS_OR_SAME)
        return op == SL_JSON_LESS ? order < 0 : order <= 0;
    return op == SL_JSON_MORE ? order > 0 : order >= 0;
}

static struct sl_script_value value_of(struct sl_json_operand *operand, const struct sl_script_value *object)
{
    return operand->is_path ? find(&operand->steps, object->schema, object->value) : operand->constant;
}

static bool holds(struct sl_json_node *node, const struct sl_script_value *object)
{
    struct sl_script_value a, b;

    if (node->op == SL_JSON_OR)
        return holds(node->a, object) || holds(node->b, object);
    if (node->op == SL_JSON_AND)
        return holds(node->a, object) && holds(node->b, object);
    a = value_of(&node->left, object);
    if (a.kind == SL_SCRIPT_NULL || node->op == SL_JSON_HAS)
        return a.kind != SL_SCRIPT_NULL;
    if (node->op == SL_JSON_PATTERN)
        return a.kind == SL_SCRIPT_STRING &&
               sl_regex_matches(node->pattern, (const char *)a.value.bytes, a.value.len);
    b = value_of(&node->right, object);
    return b.kind != SL_SCRIPT_NULL && compare(node->op, &a, &b);
}

enum sl_json_answer sl_json_path_ask(struct sl_json_path *path, const struct sl_schema *schema,
                                     struct sl_value value)
{
    struct sl_script_value at = find(&path->steps, schema, value);
    const struct sl_schema *element = at.schema && at.kind == SL_SCRIPT_LIST ? at.schema->element : NULL;
    bool yes = !path->filter;

    if (at.kind == SL_SCRIPT_NULL)
        return SL_JSON_MISSING;
    if (!yes && (at.kind == SL_SCRIPT_STRUCT || at.kind == SL_SCRIPT_MAP))
        yes = holds(path->filter, &at);
    for (uint32_t i = 0; !yes && at.kind == SL_SCRIPT_LIST && i < at.value.len; i++) {
        struct sl_script_value item = sl_script_of(element, at.value.items[i]);

        yes = holds(path->filter, &item);
    }
    return yes ? SL_JSON_YES : SL_JSON_NO;
}
