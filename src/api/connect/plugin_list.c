/* SPDX-License-Identifier: Apache-2.0 */
/* What there is, under the names that users know: each Java class name is an entry of its own; our short
 * names are not listed. */
#include "api/connect/definitions.h"
#include "api/connect/inside.h"

#include "transform/predicate.h"

static const char *const predicates[] = {
    "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
    "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
    "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
    NULL,
};

static void add(json_t *list, const char *const *classes, const char *type)
{
    for (; *classes; classes++) {
        if (strchr(*classes, '.'))
            (void)json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "class", *classes, "type", type, "version", SL_VERSION));
    }
}

SL_CONNECT_HANDLER(sl_connect_plugins)
{
    const struct sl_plugins *plugins = ((struct sl_connect_api *)ctx)->plugins;
    json_t *list = json_array();

    for (size_t i = 0; plugins->sinks[i]; i++)
        add(list, plugins->sinks[i]->classes, "sink");
    for (size_t i = 0; plugins->sources[i]; i++)
        add(list, plugins->sources[i]->classes, "source");
    if (!sl_http_query_bool(request, "connectorsOnly", true)) {
        for (size_t i = 0; plugins->transforms[i]; i++)
            add(list, plugins->transforms[i]->classes, "transformation");
        add(list, predicates, "predicate");
        for (size_t i = 0; plugins->converters[i]; i++)
            add(list, plugins->converters[i]->classes, "converter");
        for (size_t i = 0; plugins->converters[i]; i++)
            add(list, plugins->converters[i]->classes, "header_converter");
    }
    sl_http_json(answer, 200, list);
}

static json_t *definitions(const struct sl_plugins *plugins, const char *name)
{
    const struct sl_converter_ops *converter = NULL;
    const struct sl_transform_ops *transform = NULL;
    const struct sl_source_ops *source = NULL;
    const struct sl_sink_ops *sink = NULL;
    const struct sl_option *options = NULL;
    struct sl_error err;
    json_t *list;
    json_t *more;

    if (sl_plugins_connector(plugins, name, &source, &sink, &err) == SL_OK) {
        list = sl_definitions_of_class(source ? source->options : sink->options);
        more = sl_definitions_of_framework(source != NULL);
        (void)json_array_extend(list, more);
        json_decref(more);
        return list;
    }
    if (sl_plugins_transform(plugins, name, &transform, &err) == SL_OK)
        options = transform->options;
    else if (sl_plugins_converter(plugins, name, &converter, &err) == SL_OK)
        options = converter->options;
    else if (!(options = sl_predicate_options(name)))
        return NULL;
    return sl_definitions_of_part(options, "", NULL, -1);
}

SL_CONNECT_HANDLER(sl_connect_plugin_config)
{
    struct sl_connect_api *api = ctx;
    const char *name = sl_http_path(request, "plugin");
    json_t *list = definitions(api->plugins, name);

    if (list)
        sl_http_json(answer, 200, list);
    else
        sl_http_error(answer, 404, 0, "Unknown plugin %s.", name);
}
