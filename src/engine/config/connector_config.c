/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/connector_config.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/number.h"
#include "base/props.h"
#include "base/regex.h"
#include "engine/chain.h"
#include "engine/config/connector_options.h"
#include "engine/config/override_policy.h"
#include "engine/converters.h"
#include "engine/exclusive.h"
#include "engine/topic_groups.h"

#include <stdio.h>
#include <strings.h>

enum sl_rc sl_connector_read(const char *path, struct sl_props **ret, struct sl_error *err)
{
    struct sl_props *props = sl_props_new();
    size_t len = strlen(path);
    bool plain = len > 11 && strcmp(path + len - 11, ".properties") == 0;
    enum sl_rc rc = plain ? sl_props_read_file(props, path, err) : sl_props_read_connector(props, path, err);

    if (rc) {
        sl_props_free(props);
        return rc;
    }
    *ret = props;
    return SL_OK;
}

struct sl_connector *sl_connector_ref(struct sl_connector *connector)
{
    (void)atomic_fetch_add(&connector->refs, 1);
    return connector;
}

void sl_connector_free(struct sl_connector *connector)
{
    if (!connector || atomic_fetch_sub(&connector->refs, 1) > 1)
        return;
    sl_props_free(connector->props);
    sl_props_free(connector->raw);
    sl_free(connector->name);
    sl_free(connector);
}

/* ---- checks ---- */

/* A checked configuration in the making. */
struct check {
    struct sl_props *props;
    const struct sl_plugins *plugins;
    const struct sl_props *worker;
    struct sl_complaints *complaints;
    const struct sl_source_ops *source;
    const struct sl_sink_ops *sink;
};

static void check_class(struct check *check)
{
    const char *class_name = sl_props_get(check->props, "connector.class");
    struct sl_error err;

    if (class_name && *class_name &&
        sl_plugins_connector(check->plugins, class_name, &check->source, &check->sink, &err))
        sl_complain(check->complaints, "connector.class", "%s", err.text);
}

static void check_topics(struct check *check)
{
    const char *list = sl_connector_text(check->props, "topics");
    const char *regex = sl_connector_text(check->props, "topics.regex");
    struct sl_regex *compiled = NULL;
    struct sl_error err;
    bool has_list = list && *list;
    bool has_regex = regex && *regex;

    if (has_list && has_regex)
        sl_complain(check->complaints, "topics",
                    "is given together with topics.regex. HINT: keep one of them");
    if (!has_list && !has_regex)
        sl_complain(check->complaints, "topics",
                    "is required: a sink reads topics or topics.regex. HINT: list the "
                    "topics, separated by commas");
    if (has_regex && sl_regex_compile(regex, 0, &compiled, &err))
        sl_complain(check->complaints, "topics.regex", "%s", err.text);
    sl_regex_free(compiled);
}

static void check_parking(struct check *check)
{
    const char *topic = sl_connector_text(check->props, "errors.deadletterqueue.topic.name");
    const char *wanted = sl_connector_text(check->props, "errors.park.keys");
    bool parks = false;

    if (!sl_parse_bool(wanted, &parks) || !parks)
        return;
    if (!topic || !*topic || strcasecmp(sl_connector_text(check->props, "errors.tolerance"), "all") != 0)
        sl_complain(check->complaints, "errors.park.keys",
                    "needs errors.tolerance=all and errors.deadletterqueue.topic.name: what waits is kept "
                    "there");
}

static void check_overrides(struct check *check)
{
    const char *policy = sl_props_get(check->worker, "connector.client.config.override.policy");

    if (policy)
        sl_override_policy_check(policy, check->sink != NULL, check->props, check->complaints);
}

static void check_converter(struct check *check, bool is_key)
{
    const char *key = is_key ? "key.converter" : "value.converter";
    struct sl_converter_choice choice = sl_converters_choose(check->worker, check->props, is_key);
    const struct sl_converter_ops *ops = NULL;
    struct sl_error err;
    char prefix[32];

    if (choice.props != check->props) /* the worker's are checked with the worker */
        return;
    if (sl_plugins_converter(check->plugins, choice.class_name, &ops, &err)) {
        sl_complain(check->complaints, key, "%s", err.text);
        return;
    }
    (void)snprintf(prefix, sizeof(prefix), "%s.", key);
    if (ops->options)
        sl_options_check(ops->options, check->props, prefix, check->complaints);
}

static void check_transform(struct check *check, const char *alias)
{
    const struct sl_transform_ops *ops = NULL;
    const char *class_name;
    struct sl_error err;
    char key[300];

    (void)snprintf(key, sizeof(key), "transforms.%s.type", alias);
    class_name = sl_props_get(check->props, key);
    if (!class_name || !*class_name) {
        sl_complain(check->complaints, key,
                    "is required and not given: the class of transform '%s'. HINT: e.g. "
                    "org.apache.kafka.connect.transforms.RegexRouter",
                    alias);
        return;
    }
    if (sl_plugins_transform(check->plugins, class_name, &ops, &err)) {
        sl_complain(check->complaints, key, "%s", err.text);
        return;
    }
    (void)snprintf(key, sizeof(key), "transforms.%s.", alias);
    if (ops->options)
        sl_options_check(ops->options, check->props, key, check->complaints);
}

static void check_transforms(struct check *check)
{
    const char *cursor = sl_props_get(check->props, "transforms");
    char alias[200];

    while (cursor && sl_list_next(&cursor, alias, sizeof(alias)))
        check_transform(check, alias);
}

static void complain_of(struct sl_complaints *complaints, const struct sl_error *err)
{
    sl_complain(complaints, "", "%s", err->text);
}

/* What only the parts themselves can tell; asked when every key is fine by itself. */
static int check_parts(struct check *check)
{
    int tasks_max = (int)sl_connector_int(check->props, "tasks.max");
    struct sl_error err = {0};
    struct sl_chain chain = {0};
    int tasks = tasks_max;

    if (sl_chain_open(&chain, check->plugins, check->props, &err))
        complain_of(check->complaints, &err);
    sl_chain_close(&chain);
    if (check->source && check->source->plan(check->props, tasks_max, &tasks, &err))
        complain_of(check->complaints, &err);
    if (check->source && sl_exclusive_check(check->worker, check->props, &err))
        complain_of(check->complaints, &err);
    if (check->sink && check->sink->check && check->sink->check(check->props, &err))
        complain_of(check->complaints, &err);
    return tasks;
}

/* Keys that a worker may give for all of its sources. */
static void inherit(struct check *check)
{
    static const char *const keys[] = {"sluice.compat.debezium", "sluice.compat.scylla"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const char *value = sl_props_get(check->worker, keys[i]);

        if (value && *value && !sl_props_get(check->props, keys[i]) &&
            sl_options_know(check->source->options, keys[i]))
            sl_props_set(check->props, keys[i], value);
    }
}

static void check_keys(struct check *check)
{
    sl_options_check(sl_connector_options, check->props, NULL, check->complaints);
    check_class(check);
    if (check->source) {
        inherit(check);
        sl_options_check(sl_source_connector_options, check->props, NULL, check->complaints);
        sl_options_check(check->source->options, check->props, NULL, check->complaints);
        sl_topic_groups_check(check->props, check->complaints);
    }
    if (check->sink) {
        sl_options_check(sl_sink_connector_options, check->props, NULL, check->complaints);
        sl_options_check(check->sink->options, check->props, NULL, check->complaints);
        check_topics(check);
        check_parking(check);
    }
    if (check->source || check->sink)
        check_overrides(check);
    check_converter(check, true);
    check_converter(check, false);
    check_transforms(check);
}

/* What stands in options of type PASSWORD is not printed from here on. */
static void hide_passwords(const struct check *check)
{
    static const char *const prefixes[] = {"key.converter.", "value.converter."};

    if (check->source)
        sl_options_hide(check->source->options, check->props, NULL);
    if (check->sink)
        sl_options_hide(check->sink->options, check->props, NULL);
    for (int i = 0; i < 2; i++) {
        struct sl_converter_choice choice = sl_converters_choose(check->worker, check->props, i == 0);
        const struct sl_converter_ops *ops = NULL;

        if (choice.props == check->props &&
            sl_plugins_converter(check->plugins, choice.class_name, &ops, NULL) == SL_OK && ops->options)
            sl_options_hide(ops->options, check->props, prefixes[i]);
    }
}

static struct sl_connector *make(const struct check *check, struct sl_props *raw, int64_t ttl_ms, int tasks)
{
    struct sl_connector *connector = sl_zalloc(1, sizeof(*connector));

    atomic_init(&connector->refs, 1);
    hide_passwords(check);
    connector->name = sl_strdup(sl_props_get(check->props, "name"));
    connector->props = check->props;
    connector->raw = raw;
    connector->ttl_ms = ttl_ms;
    connector->source = check->source;
    connector->sink = check->sink;
    connector->tasks = tasks;
    return connector;
}

/* Connect trims what it reads by an option table; the tables of transforms and predicates want it as well. */
static void trim_transform_keys(struct sl_props *props)
{
    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;
        char *trimmed;
        size_t len;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, "transforms.", 11) != 0 && strncmp(key, "predicates.", 11) != 0)
            continue;
        if (!*value || (!strchr(" \t\r\n", *value) && !strchr(" \t\r\n", value[strlen(value) - 1])))
            continue;
        value += strspn(value, " \t\r\n");
        for (len = strlen(value); len && strchr(" \t\r\n", value[len - 1]);)
            len--;
        trimmed = sl_strndup(value, len);
        sl_props_set(props, key, trimmed);
        sl_free(trimmed);
    }
}

void sl_connector_check(struct sl_props *props, const struct sl_plugins *plugins,
                        const struct sl_props *worker, struct sl_secrets *secrets,
                        struct sl_complaints *complaints, struct sl_connector **ret)
{
    struct check check = {.plugins = plugins, .worker = worker, .complaints = complaints};
    size_t before = complaints->n;
    struct sl_error err = {0};
    int64_t ttl_ms = -1;
    int tasks = 1;

    *ret = NULL;
    trim_transform_keys(props);
    if (sl_secrets_resolve(secrets, props, complaints, &check.props, &ttl_ms, &err)) {
        if (complaints->n == before)
            complain_of(complaints, &err);
        complaints->passing = err.kind == SL_KIND_TRANSIENT;
        sl_props_free(props);
        return;
    }
    check_keys(&check);
    if (complaints->n == before)
        tasks = check_parts(&check);
    if (complaints->n == before) {
        *ret = make(&check, props, ttl_ms, tasks);
        return;
    }
    sl_props_free(check.props);
    sl_props_free(props);
}

/* ---- keys that nobody knows ---- */

static bool transform_knows(const struct sl_connector *connector, const struct sl_plugins *plugins,
                            const char *key)
{
    const char *alias;
    const char *dot;
    const struct sl_transform_ops *ops = NULL;
    const char *class_name = NULL;
    char type_key[300];

    if (strncmp(key, "transforms.", strlen("transforms.")) != 0)
        return false;
    alias = key + strlen("transforms.");
    /* Neither the alias nor the option need be free of dots: try every place to part them. */
    for (dot = strchr(alias, '.'); dot; dot = strchr(dot + 1, '.')) {
        (void)snprintf(type_key, sizeof(type_key), "transforms.%.*s.type", (int)(dot - alias), alias);
        class_name = sl_props_get(connector->props, type_key);
        if (class_name)
            break;
    }
    if (!class_name || sl_plugins_transform(plugins, class_name, &ops, NULL))
        return false;
    if (strcmp(dot, ".type") == 0 || strcmp(dot, ".predicate") == 0 || strcmp(dot, ".negate") == 0)
        return true;
    return ops->options && sl_options_know(ops->options, dot + 1);
}

static bool predicate_knows(const struct sl_connector *connector, const char *key)
{
    const char *alias;

    if (strncmp(key, "predicates.", strlen("predicates.")) != 0)
        return false;
    alias = key + strlen("predicates.");
    for (const char *dot = strchr(alias, '.'); dot; dot = strchr(dot + 1, '.')) {
        const struct sl_option *options;
        const char *class_name;
        char type_key[300];

        (void)snprintf(type_key, sizeof(type_key), "predicates.%.*s.type", (int)(dot - alias), alias);
        class_name = sl_props_get(connector->props, type_key);
        if (!class_name)
            continue;
        options = sl_predicate_options(class_name);
        return strcmp(dot, ".type") == 0 || (options && sl_options_know(options, dot + 1));
    }
    return false;
}

static bool converter_knows(const struct sl_connector *connector, const struct sl_plugins *plugins,
                            const struct sl_props *worker, const char *key, bool is_key)
{
    const char *prefix = is_key ? "key.converter." : "value.converter.";
    struct sl_converter_choice choice = sl_converters_choose(worker, connector->props, is_key);
    const struct sl_converter_ops *ops = NULL;

    if (strncmp(key, prefix, strlen(prefix)) != 0)
        return false;
    if (sl_plugins_converter(plugins, choice.class_name, &ops, NULL))
        return false;
    return ops->options && sl_options_know(ops->options, key + strlen(prefix));
}

static bool known(const struct sl_connector *connector, const struct sl_plugins *plugins,
                  const struct sl_props *worker, const char *key)
{
    if (strncmp(key, "key.converter.", 14) == 0 || strncmp(key, "value.converter.", 16) == 0)
        return converter_knows(connector, plugins, worker, key, key[0] == 'k');
    if (sl_options_know(sl_connector_options, key) || transform_knows(connector, plugins, key) ||
        predicate_knows(connector, key))
        return true;
    if (connector->source)
        return sl_options_know(sl_source_connector_options, key) ||
               sl_topic_groups_know(connector->props, key) ||
               sl_options_know(connector->source->options, key);
    return sl_options_know(sl_sink_connector_options, key) || sl_options_know(connector->sink->options, key);
}

void sl_connector_warn_unknown(const struct sl_connector *connector, const struct sl_plugins *plugins,
                               const struct sl_props *worker)
{
    struct sl_buf unknown = {0};

    for (size_t i = 0; i < sl_props_count(connector->props); i++) {
        const char *key;
        const char *value;

        sl_props_at(connector->props, i, &key, &value);
        if (known(connector, plugins, worker, key))
            continue;
        if (unknown.len)
            sl_buf_text(&unknown, ", ");
        sl_buf_text(&unknown, key);
    }
    if (unknown.len)
        sl_warn("connector keys that nobody knows; they change nothing", SL_T("connector", connector->name),
                SL_T("keys", sl_buf_cstr(&unknown)));
    sl_buf_done(&unknown);
}

/* ---- the live system ---- */

/* A sink looks for its tables: it is told what the transforms make of its topics. */
static struct sl_props *with_routed_topics(const struct sl_connector *connector,
                                           const struct sl_plugins *plugins)
{
    struct sl_props *props = sl_props_copy(connector->props);
    const char *topics = sl_connector_text(props, "topics");
    struct sl_chain chain = {0};
    struct sl_error err;

    if (topics && *topics && sl_chain_open(&chain, plugins, props, &err) == SL_OK) {
        char *routed = sl_chain_route(&chain, topics);

        sl_props_set(props, "sluice.routed.topics", routed);
        sl_free(routed);
        sl_chain_close(&chain);
    }
    return props;
}

enum sl_rc sl_connector_probe(const struct sl_connector *connector, const struct sl_plugins *plugins,
                              struct sl_error *err)
{
    struct sl_props *props;
    enum sl_rc rc;

    if (connector->source)
        return connector->source->probe ? connector->source->probe(connector->props, err) : SL_OK;
    if (!connector->sink->probe)
        return SL_OK;
    props = with_routed_topics(connector, plugins);
    rc = connector->sink->probe(props, err);
    sl_props_free(props);
    return rc;
}
