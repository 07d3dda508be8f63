/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration in the config store to a connector that can run, and to its task configs. */
#include "engine/herd/herd.h"

#include "base/alloc.h"
#include "base/props.h"
#include "base/log.h"
#include "engine/config/connector_config.h"
#include "engine/config/connector_options.h"

#include <strings.h>

struct sl_props *sl_herd_props(json_t *config)
{
    struct sl_props *props = sl_props_new();
    const char *key;
    json_t *value;

    json_object_foreach(config, key, value)
    {
        char *text = sl_json_scalar_text(value);

        if (text)
            sl_props_set(props, key, text);
        sl_free(text);
    }
    return props;
}

json_t *sl_herd_json(const struct sl_props *props)
{
    json_t *config = json_object();

    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;

        sl_props_at(props, i, &key, &value);
        (void)json_object_set_new(config, key, json_string(value));
    }
    return config;
}

enum sl_rc sl_herd_make_connector(struct sl_herder *herder, json_t *config, struct sl_connector **ret,
                                  struct sl_error *err)
{
    const struct sl_shared *shared = &herder->shared;
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;
    enum sl_rc rc = SL_OK;

    sl_connector_check(sl_herd_props(config), shared->plugins, shared->worker, shared->secrets, &complaints,
                       &connector);
    if (connector)
        *ret = connector;
    else
        rc = sl_error_set(err, SL_E_CONFIG, "%s%s%s", complaints.items[0].key,
                          complaints.items[0].key[0] ? ": " : "", complaints.items[0].text);
    if (rc && complaints.passing) /* a provider of secrets is away */
        err->kind = SL_KIND_TRANSIENT;
    sl_complaints_done(&complaints);
    return rc;
}

static void secret_changed(void *ctx, const char *name)
{
    sl_info("a secret has another value; the connector is restarted", SL_T("connector", name));
    sl_herder_reload(ctx, name);
}

void sl_herd_watch_secrets(struct sl_herder *herder, const struct sl_connector *connector)
{
    const char *action = sl_connector_text(connector->raw, "config.action.reload");

    if (herder->shared.secrets && connector->ttl_ms >= 0 && strcasecmp(action, "restart") == 0)
        sl_secrets_watch(herder->shared.secrets, connector->name, connector->raw, connector->props,
                         connector->ttl_ms, secret_changed, herder);
}

void sl_herd_unwatch_secrets(struct sl_herder *herder, const char *name)
{
    if (herder->shared.secrets)
        sl_secrets_unwatch(herder->shared.secrets, name);
}

const char *sl_herd_type(struct sl_herder *herder, const json_t *config)
{
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    const struct sl_source_ops *source = NULL;
    const struct sl_sink_ops *sink = NULL;
    struct sl_error err;

    if (!class_name || sl_plugins_connector(herder->shared.plugins, class_name, &source, &sink, &err))
        return "unknown";
    return source ? "source" : "sink";
}

/* ---- task configs ---- */

/* Keys that a task has besides its connector's. */
static bool is_task_key(const char *key)
{
    return strcmp(key, "task.class") == 0 || strcmp(key, "task.id") == 0;
}

json_t *sl_herd_task_configs(const struct sl_connector *connector, const json_t *config)
{
    const char *const *classes = connector->source ? connector->source->classes : connector->sink->classes;
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    json_t *tasks = json_array();
    char *task_class;

    if (!class_name || !strchr(class_name, '.'))
        class_name = classes[0];
    task_class = sl_format("%sTask", class_name);
    for (int i = 0; i < connector->tasks; i++) {
        json_t *task = json_deep_copy(config);
        char *number = sl_format("%d", i);

        (void)json_object_set_new(task, "task.class", json_string(task_class));
        (void)json_object_set_new(task, "task.id", json_string(number));
        (void)json_array_append_new(tasks, task);
        sl_free(number);
    }
    sl_free(task_class);
    return tasks;
}

static bool fits(const json_t *config, json_t *task)
{
    size_t extra = 0;
    const char *key;
    json_t *value;

    json_object_foreach(task, key, value)
    {
        if (is_task_key(key) && !json_object_get(config, key))
            extra++;
        else if (!json_equal(value, json_object_get(config, key)))
            return false;
    }
    return json_object_size(task) == json_object_size(config) + extra;
}

bool sl_herd_tasks_fit(const struct sl_config_view *view, int tasks)
{
    if (!view->committed || !view->consistent || json_array_size(view->tasks) != (size_t)tasks)
        return false;
    for (size_t i = 0; i < json_array_size(view->tasks); i++) {
        if (!fits(view->config, json_array_get(view->tasks, i)))
            return false;
    }
    return true;
}
