/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/herd/stored_connectors.h"

#include "base/json.h"
#include "base/props.h"
#include "base/regex.h"
#include "engine/herd/config_store.h"
#include "engine/config/connector_config.h"
#include "engine/config/connector_options.h"

#define PREFIX "connector-"

struct reading {
    const char *name; /* NULL: all */
    struct sl_props **configs;
    size_t n, capacity;
};

static void see(void *ctx, const char *key, struct sl_span value)
{
    struct reading *reading = ctx;
    struct sl_props *props;
    struct sl_error err;
    json_t *json = NULL;
    const char *name;
    json_t *text;

    if (strncmp(key, PREFIX, sizeof(PREFIX) - 1) != 0 ||
        (reading->name && strcmp(key + sizeof(PREFIX) - 1, reading->name) != 0) ||
        sl_json_parse((const char *)value.ptr, value.len, key, &json, &err) != SL_OK)
        return;
    props = sl_props_new();
    json_object_foreach(json_object_get(json, "properties"), name, text)
    {
        if (json_is_string(text))
            sl_props_set(props, name, json_string_value(text));
    }
    sl_props_set(props, "name", key + sizeof(PREFIX) - 1);
    json_decref(json);
    SL_GROW(reading->configs, reading->n, reading->capacity);
    reading->configs[reading->n++] = props;
}

static enum sl_rc check(struct sl_stored *stored, struct sl_props *props, struct sl_error *err)
{
    struct sl_complaints complaints = {0};
    struct sl_connector *connector = NULL;
    char *name = sl_strdup(sl_props_get(props, "name"));
    enum sl_rc rc = SL_OK;

    sl_connector_check(props, stored->plugins, stored->worker, stored->secrets, &complaints, &connector);
    if (connector) {
        SL_GROW(stored->connectors, stored->n, stored->capacity);
        stored->connectors[stored->n++] = connector;
    } else {
        rc = sl_error_set(err, SL_E_CONFIG, "connector '%s': %s: %s", name,
                          complaints.n ? complaints.items[0].key : "",
                          complaints.n ? complaints.items[0].text : "not valid");
    }
    sl_complaints_done(&complaints);
    sl_free(name);
    return rc;
}

enum sl_rc sl_stored_read(struct sl_stored *stored, const char *name, struct sl_error *err)
{
    struct reading reading = {.name = name};
    enum sl_rc rc = stored->transport->ops->list(stored->transport, SL_CONFIG_SPACE, see, &reading, err);

    for (size_t i = 0; i < reading.n; i++) {
        if (rc == SL_OK)
            rc = check(stored, reading.configs[i], err); /* takes them over */
        else
            sl_props_free(reading.configs[i]);
    }
    sl_free(reading.configs);
    if (rc == SL_OK && name && !stored->n)
        rc = sl_error_set(err, SL_E_NOT_FOUND, "there is no connector '%s' in this log's configs", name);
    return rc;
}

void sl_stored_done(struct sl_stored *stored)
{
    for (size_t i = 0; i < stored->n; i++)
        sl_connector_free(stored->connectors[i]);
    sl_free(stored->connectors);
}

bool sl_stored_reads(const struct sl_connector *sink, const char *topic)
{
    const char *list = sl_connector_text(sink->props, "topics");
    const char *pattern = sl_connector_text(sink->props, "topics.regex");
    struct sl_regex *regex = NULL;
    struct sl_error err;
    char item[256];
    bool reads = false;

    while (list && !reads && sl_list_next(&list, item, sizeof(item)))
        reads = strcmp(item, topic) == 0;
    if (!reads && pattern && *pattern && sl_regex_compile(pattern, 0, &regex, &err) == SL_OK)
        reads = sl_regex_matches(regex, topic, strlen(topic));
    sl_regex_free(regex);
    return reads;
}

/* ---- targets ---- */

static enum sl_rc identity(void *ctx, const struct sl_topic *topic, char **ret, struct sl_error *err)
{
    struct sl_sink_target *target = ctx;

    return target->transport->ops->topic_identity(target->transport, topic, ret, err);
}

enum sl_rc sl_sink_target_open(struct sl_transport *transport, const struct sl_connector *connector,
                               struct sl_sink_target *ret, struct sl_error *err)
{
    if (!connector->sink || !connector->sink->positions || !connector->sink->reposition)
        return sl_error_set(err, SL_E_UNSUPPORTED,
                            "connector '%s' is no sink that keeps positions in its target", connector->name);
    *ret = (struct sl_sink_target){.transport = transport, .connector = connector};
    ret->env = (struct sl_sink_env){.connector = connector->name,
                                    .log_identity = transport->ops->identity(transport),
                                    .ctx = ret,
                                    .topic_identity = identity};
    return connector->sink->open(&ret->env, connector->props, &ret->self, err);
}

void sl_sink_target_close(struct sl_sink_target *target)
{
    if (target->self)
        target->connector->sink->close(target->self);
    target->self = NULL;
}
