/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT /connector-plugins/{p}/config/validate: each key that has a definition, with its value and what is
 * wrong with it. Definitions come from the option tables, complaints from the herder, which finds the same
 * when the connector is made. Values are shown as they were given (references to secrets unresolved), and
 * passwords not at all.
 */
#include "api/connect/definitions.h"
#include "api/connect/inside.h"

#include "base/props.h"
#include "engine/config/connector_options.h"
#include "sluice/secret.h"
#include "transform/predicate.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct validation {
    const struct sl_plugins *plugins;
    json_t *config; /* texts */
    bool is_source;
    json_t *entries; /* of the answer's configs */
    json_t *groups;
    struct sl_complaints complaints;
    bool *told; /* complaints that stand at their key */
};

static const char *given(const struct validation *validation, const char *key)
{
    return json_string_value(json_object_get(validation->config, key));
}

/* ---- one value ---- */

static bool is_number(const char *text, bool real)
{
    char *end;

    if (real)
        (void)strtod(text, &end);
    else
        (void)strtoll(text, &end, 10);
    return *text && !*end;
}

/*
 * "...?user=u&password=p": a caller's own password comes back to the logs and screens of whoever calls. It is
 * told by its place: masking every value that the process knows would tell a caller which of his guesses is
 * one.
 */
static json_t *without_password(const char *text)
{
    const char *at = strstr(text, "://") ? strcasestr(text, "password=") : NULL;
    struct sl_buf shown = {0};
    json_t *value;

    for (; at; at = strcasestr(text, "password=")) {
        at += strlen("password=");
        sl_buf_format(&shown, "%.*s" SL_SECRET_SHOWN, (int)(at - text), text);
        text = at + strcspn(at, "&;");
    }
    sl_buf_text(&shown, text);
    value = json_string(sl_buf_cstr(&shown));
    sl_buf_done(&shown);
    return value;
}

/* The value as Connect would show it after parsing; NULL when it is none of its type. */
static json_t *parsed_value(const char *type, const char *text)
{
    if (!text)
        return json_null();
    if (strcmp(type, "PASSWORD") == 0)
        return json_string("[hidden]");
    if (strcmp(type, "BOOLEAN") == 0) {
        if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
            return json_string(strcasecmp(text, "true") == 0 ? "true" : "false");
        return json_null();
    }
    if ((strcmp(type, "INT") == 0 || strcmp(type, "LONG") == 0) && !is_number(text, false))
        return json_null();
    if (strcmp(type, "DOUBLE") == 0 && !is_number(text, true))
        return json_null();
    return without_password(text);
}

static json_t *errors_of(struct validation *validation, const char *key)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < validation->complaints.n; i++) {
        if (strcmp(validation->complaints.items[i].key, key) != 0)
            continue;
        validation->told[i] = true;
        (void)json_array_append_new(errors,
                                    json_sprintf("%s: %s", key, validation->complaints.items[i].text));
    }
    return errors;
}

static void add_entry(struct validation *validation, json_t *definition, const char *key, json_t *value,
                      json_t *recommended)
{
    (void)json_array_append_new(validation->entries,
                                json_pack("{s:o, s:{s:s, s:o, s:o, s:o, s:b}}", "definition", definition,
                                          "value", "name", key, "value", value, "recommended_values",
                                          recommended, "errors", errors_of(validation, key), "visible", 1));
}

static void remember_group(struct validation *validation, json_t *group)
{
    const json_t *known;
    size_t i;

    if (!json_is_string(group))
        return;
    json_array_foreach(validation->groups, i, known)
    {
        if (json_equal(known, group))
            return;
    }
    (void)json_array_append(validation->groups, group);
}

/* Every definition of the list (taken over) with what was given for it. */
static void add_all(struct validation *validation, json_t *definitions, const json_t *recommended)
{
    json_t *definition;
    size_t i;

    json_array_foreach(definitions, i, definition)
    {
        const char *key = json_string_value(json_object_get(definition, "name"));
        const char *type = json_string_value(json_object_get(definition, "type"));
        const char *text = given(validation, key);

        if (!text)
            text = json_string_value(json_object_get(definition, "default_value"));
        remember_group(validation, json_object_get(definition, "group"));
        add_entry(validation, json_incref(definition), key, parsed_value(type, text),
                  i == 0 && recommended ? json_deep_copy(recommended) : json_array());
    }
    json_decref(definitions);
}

/* ---- parts that the configuration names ---- */

static json_t *transform_classes(const struct sl_plugins *plugins)
{
    json_t *classes = json_array();

    for (size_t i = 0; plugins->transforms[i]; i++) {
        for (const char *const *class_name = plugins->transforms[i]->classes; *class_name; class_name++)
            (void)json_array_append_new(classes, json_string(*class_name));
    }
    return classes;
}

static json_t *class_definition(const char *key, const char *alias, bool is_transform, const char *group)
{
    char doc[300];
    char label[300];
    const struct sl_option option = {
        .name = "type", .type = SL_OPT_CLASS, .required = true, .importance = SL_IMPORTANCE_HIGH, .doc = doc};
    const struct sl_shown shown = {group, 0, "LONG", label};

    (void)snprintf(doc, sizeof(doc), "Class for the '%s' %s.", alias,
                   is_transform ? "transformation" : "predicate");
    (void)snprintf(label, sizeof(label), "%s type for %s", is_transform ? "Transformation" : "Predicate",
                   alias);
    return sl_definition(&option, key, &shown);
}

/* The part's own options, and the two that every transform has. */
static struct sl_option *options_of_transform(const struct sl_option *options)
{
    static const struct sl_option every[] = {
        {.name = "predicate",
         .importance = SL_IMPORTANCE_MEDIUM,
         .doc = "name of the predicate that says which records are transformed"},
        {.name = "negate",
         .type = SL_OPT_BOOLEAN,
         .default_text = "false",
         .importance = SL_IMPORTANCE_MEDIUM,
         .doc = "transform the records for which the predicate does not hold"},
    };
    struct sl_option *all;
    size_t n = 0;

    while (options && options[n].name)
        n++;
    all = sl_zalloc(n + 3, sizeof(*all));
    if (n)
        memcpy(all, options, n * sizeof(*all));
    memcpy(all + n, every, sizeof(every));
    return all;
}

static void add_part(struct validation *validation, const char *alias, bool is_transform)
{
    const char *family = is_transform ? "transforms" : "predicates";
    char *group = sl_format("%s: %s", is_transform ? "Transforms" : "Predicates", alias);
    char *prefix = sl_format("%s.%s.", family, alias);
    char *key = sl_format("%stype", prefix);
    const char *class_name = given(validation, key);
    const struct sl_transform_ops *ops = NULL;
    struct sl_option *options = NULL;
    json_t *classes = is_transform ? transform_classes(validation->plugins) : NULL;
    json_t *list = json_array();
    struct sl_error err;

    (void)json_array_append_new(list, class_definition(key, alias, is_transform, group));
    add_all(validation, list, classes);
    if (is_transform && class_name &&
        sl_plugins_transform(validation->plugins, class_name, &ops, &err) == SL_OK)
        options = options_of_transform(ops->options);
    if (options)
        add_all(validation, sl_definitions_of_part(options, prefix, group, 1), NULL);
    else if (!is_transform && class_name)
        add_all(validation, sl_definitions_of_part(sl_predicate_options(class_name), prefix, group, 1), NULL);
    json_decref(classes);
    sl_free(options);
    sl_free(key);
    sl_free(prefix);
    sl_free(group);
}

static void add_parts(struct validation *validation, const char *list_key, bool is_transform)
{
    const char *cursor = given(validation, list_key);
    char alias[128];

    while (cursor && sl_list_next(&cursor, alias, sizeof(alias))) {
        if (*alias)
            add_part(validation, alias, is_transform);
    }
}

static void add_converter(struct validation *validation, const char *key)
{
    const char *class_name = given(validation, key);
    const struct sl_converter_ops *ops = NULL;
    struct sl_error err;
    char prefix[32];

    if (!class_name || sl_plugins_converter(validation->plugins, class_name, &ops, &err))
        return;
    (void)snprintf(prefix, sizeof(prefix), "%s.", key);
    add_all(validation, sl_definitions_of_part(ops->options, prefix, "Serialization", 0), NULL);
}

/* ---- what has no definition ---- */

static bool is_override(const char *key)
{
    return strncmp(key, "producer.override.", 18) == 0 || strncmp(key, "consumer.override.", 18) == 0 ||
           strncmp(key, "admin.override.", 15) == 0;
}

static void add_undefined(struct validation *validation)
{
    const char *key;
    json_t *value;

    json_object_foreach(validation->config, key, value)
    {
        if (is_override(key))
            add_entry(validation, json_null(), key, json_incref(value), json_array());
    }
    for (size_t i = 0; i < validation->complaints.n; i++) {
        const char *name = validation->complaints.items[i].key;

        if (!validation->told[i])
            add_entry(validation, json_null(), name, parsed_value("STRING", given(validation, name)),
                      json_array());
    }
}

/* ---- the whole ---- */

static void add_everything(struct validation *validation, const struct sl_option *options)
{
    add_all(validation, sl_definitions_of_framework(validation->is_source), NULL);
    add_parts(validation, "transforms", true);
    add_parts(validation, "predicates", false);
    add_all(validation, sl_definitions_of_class(options), NULL);
    add_converter(validation, "key.converter");
    add_converter(validation, "value.converter");
    add_undefined(validation);
}

static void answer_validation(struct sl_connect_api *api, json_t *config, const struct sl_source_ops *source,
                              const struct sl_sink_ops *sink, struct sl_http_answer *answer)
{
    struct validation validation = {.plugins = api->plugins,
                                    .config = config,
                                    .is_source = source != NULL,
                                    .entries = json_array(),
                                    .groups = json_array()};

    sl_herder_validate(api->herder, config, &validation.complaints);
    validation.told = sl_zalloc(validation.complaints.n + 1, sizeof(bool));
    add_everything(&validation, source ? source->options : sink->options);
    sl_http_json(answer, 200,
                 json_pack("{s:s, s:i, s:o, s:o}", "name", given(&validation, "connector.class"),
                           "error_count", (int)validation.complaints.n, "groups", validation.groups,
                           "configs", validation.entries));
    sl_complaints_done(&validation.complaints);
    sl_free(validation.told);
}

/* The classes of the path and of the body: the same one, under any of its names. */
static bool find_class(const struct sl_plugins *plugins, const char *asked, const char *included,
                       const struct sl_source_ops **ret_source, const struct sl_sink_ops **ret_sink,
                       struct sl_http_answer *answer)
{
    const struct sl_source_ops *source = NULL;
    const struct sl_sink_ops *sink = NULL;
    struct sl_error err;

    if (!included || !*included)
        sl_http_error(answer, 400, 0,
                      "Connector config contains no connector type. HINT: give connector.class");
    else if (sl_plugins_connector(plugins, included, ret_source, ret_sink, &err))
        sl_http_error(answer, 400, 0, "%s", err.text);
    else if (sl_plugins_connector(plugins, asked, &source, &sink, &err) || source != *ret_source ||
             sink != *ret_sink)
        sl_http_error(answer, 400, 0, "Included connector type %s does not match request type %s", included,
                      asked);
    else
        return true;
    return false;
}

SL_CONNECT_HANDLER(sl_connect_validate)
{
    struct sl_connect_api *api = ctx;
    const struct sl_source_ops *source = NULL;
    const struct sl_sink_ops *sink = NULL;
    json_t *config = NULL;
    json_t *body = NULL;

    if (!sl_connect_body_object(request, &body, answer) ||
        !sl_connect_config_texts(body, false, &config, answer))
        return;
    if (find_class(api->plugins, sl_http_path(request, "plugin"),
                   json_string_value(json_object_get(config, "connector.class")), &source, &sink, answer))
        answer_validation(api, config, source, sink, answer);
    json_decref(config);
}
