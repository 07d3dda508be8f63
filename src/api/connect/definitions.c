/* SPDX-License-Identifier: Apache-2.0 */
#include "api/connect/definitions.h"

#include "base/alloc.h"
#include "engine/config/connector_options.h"

#include <stdlib.h>
#include <string.h>

static const char *type_name(enum sl_option_type type)
{
    static const char *const names[] = {
        [SL_OPT_STRING] = "STRING", [SL_OPT_PASSWORD] = "PASSWORD", [SL_OPT_BOOLEAN] = "BOOLEAN",
        [SL_OPT_INT] = "INT",       [SL_OPT_LONG] = "LONG",         [SL_OPT_DOUBLE] = "DOUBLE",
        [SL_OPT_LIST] = "LIST",     [SL_OPT_CLASS] = "CLASS",
    };

    return names[type];
}

static const char *importance_name(enum sl_importance importance)
{
    static const char *const names[] = {
        [SL_IMPORTANCE_HIGH] = "HIGH", [SL_IMPORTANCE_MEDIUM] = "MEDIUM", [SL_IMPORTANCE_LOW] = "LOW"};

    return names[importance];
}

json_t *sl_definition(const struct sl_option *option, const char *key, const struct sl_shown *shown)
{
    return json_pack("{s:s, s:s, s:b, s:s?, s:s, s:s, s:s?, s:s, s:s, s:[], s:i}", "name", key, "type",
                     type_name(option->type), "required", option->required, "default_value",
                     option->required ? NULL : option->default_text, "importance",
                     importance_name(option->importance), "documentation", option->doc ? option->doc : "",
                     "group", shown->group, "width", shown->width, "display_name",
                     shown->label ? shown->label : key, "dependents", "order", shown->order);
}

static bool is_family(const char *name)
{
    size_t len = strlen(name);

    return len > 2 && strcmp(name + len - 2, ".*") == 0;
}

static const char *usual_width(enum sl_option_type type)
{
    switch (type) {
    case SL_OPT_BOOLEAN:
    case SL_OPT_INT:
    case SL_OPT_LONG:
    case SL_OPT_DOUBLE: return "SHORT";
    case SL_OPT_LIST:
    case SL_OPT_CLASS: return "LONG";
    case SL_OPT_STRING:
    case SL_OPT_PASSWORD: break;
    }
    return "MEDIUM";
}

json_t *sl_definitions_of_class(const struct sl_option *options)
{
    json_t *list = json_array();
    int order = 0;

    for (; options && options->name; options++) {
        struct sl_shown shown = {"Connector", ++order, usual_width(options->type), NULL};

        if (!is_family(options->name))
            (void)json_array_append_new(list, sl_definition(options, options->name, &shown));
    }
    return list;
}

/* ---- the framework ---- */

static const struct sl_option *own_option(const char *name)
{
    const struct sl_option *const tables[] = {sl_connector_options, sl_source_connector_options,
                                              sl_sink_connector_options};

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        for (const struct sl_option *option = tables[i]; option->name; option++) {
            if (strcmp(option->name, name) == 0)
                return option;
        }
    }
    return NULL;
}

static bool in_framework(const struct sl_framework_key *keys, const char *name)
{
    for (; keys->name; keys++) {
        if (strcmp(keys->name, name) == 0)
            return true;
    }
    return false;
}

static void add_framework(json_t *list, const struct sl_framework_key *keys)
{
    for (; keys->name; keys++) {
        const struct sl_option *own = own_option(keys->name);
        struct sl_option option = {.name = keys->name,
                                   .type = keys->type,
                                   .required = keys->required,
                                   .importance = keys->importance,
                                   .default_text = keys->default_text,
                                   .doc = own ? own->doc : "taken for compatibility; not used"};

        if (own && own->default_text)
            option.default_text = own->default_text;
        (void)json_array_append_new(list, sl_definition(&option, keys->name, &keys->shown));
    }
}

/* Framework keys that Connect does not have, or does not describe. */
static void add_own(json_t *list, const struct sl_option *options, int *order)
{
    for (; options->name; options++) {
        struct sl_shown shown = {"sluice", 0, usual_width(options->type), NULL};

        if (is_family(options->name) || in_framework(sl_framework_keys, options->name) ||
            in_framework(sl_framework_source_keys, options->name) ||
            in_framework(sl_framework_sink_keys, options->name))
            continue;
        shown.order = ++*order;
        (void)json_array_append_new(list, sl_definition(options, options->name, &shown));
    }
}

json_t *sl_definitions_of_framework(bool is_source)
{
    json_t *list = json_array();
    int order = 0;

    add_framework(list, sl_framework_keys);
    add_framework(list, is_source ? sl_framework_source_keys : sl_framework_sink_keys);
    add_own(list, sl_connector_options, &order);
    add_own(list, is_source ? sl_source_connector_options : sl_sink_connector_options, &order);
    return list;
}

/* ---- parts with a prefix ---- */

static int compare(const void *a, const void *b)
{
    const struct sl_option *left = *(const struct sl_option *const *)a;
    const struct sl_option *right = *(const struct sl_option *const *)b;

    if (left->required != right->required)
        return left->required ? -1 : 1;
    if (left->importance != right->importance)
        return (int)left->importance - (int)right->importance;
    return strcmp(left->name, right->name);
}

json_t *sl_definitions_of_part(const struct sl_option *options, const char *prefix, const char *group,
                               int first_order)
{
    const struct sl_option **sorted;
    json_t *list = json_array();
    size_t n = 0;

    while (options && options[n].name)
        n++;
    sorted = sl_zalloc(n + 1, sizeof(const struct sl_option *));
    for (size_t i = 0; i < n; i++)
        sorted[i] = &options[i];
    qsort(sorted, n, sizeof(const struct sl_option *), compare);
    for (size_t i = 0; i < n; i++) {
        char *key = sl_format("%s%s", prefix, sorted[i]->name);
        struct sl_shown shown = {group, first_order < 0 ? -1 : first_order++, "NONE", sorted[i]->name};

        if (!is_family(sorted[i]->name))
            (void)json_array_append_new(list, sl_definition(sorted[i], key, &shown));
        sl_free(key);
    }
    sl_free(sorted);
    return list;
}
