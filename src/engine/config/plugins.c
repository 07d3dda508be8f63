/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/plugins.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "base/props.h"

#include <strings.h>

/* A search in one or more arrays: the nearest name and the list of all are collected on the way. */
struct search {
    const char *wanted;
    struct sl_nearest nearest;
    struct sl_buf known;
};

static const char *last_part(const char *class_name)
{
    const char *dot = strrchr(class_name, '.');

    return dot ? dot + 1 : class_name;
}

/* The last part, also without the "Connector" at its end, as Connect's aliases are. */
static bool is_alias(const char *wanted, const char *class_name)
{
    static const char suffix[] = "Connector";
    const char *last = last_part(class_name);
    size_t len = strlen(last);
    size_t cut = sizeof(suffix) - 1;

    if (strcmp(wanted, last) == 0)
        return true;
    return len > cut && strcmp(last + len - cut, suffix) == 0 && strlen(wanted) == len - cut &&
           strncmp(wanted, last, len - cut) == 0;
}

static bool matches(struct search *search, const char *name, const char *const *classes)
{
    bool found = strcasecmp(search->wanted, name) == 0;

    if (search->known.len)
        sl_buf_text(&search->known, ", ");
    sl_buf_text(&search->known, classes && classes[0] ? classes[0] : name);
    for (; classes && *classes; classes++) {
        found = found || strcmp(search->wanted, *classes) == 0 || is_alias(search->wanted, *classes);
        sl_nearest_try(&search->nearest, *classes);
        /* Somebody who writes short names is shown a short one. */
        if (!strchr(search->wanted, '.'))
            sl_nearest_try(&search->nearest, last_part(*classes));
    }
    sl_nearest_try(&search->nearest, name);
    return found;
}

static enum sl_rc finish(struct search *search, bool found, const char *kind, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (!found && search->nearest.best)
        rc = sl_error_set(err, SL_E_CONFIG, "there is no %s '%s'. HINT: did you mean '%s'?", kind,
                          search->wanted, search->nearest.best);
    else if (!found)
        rc = sl_error_set(err, SL_E_CONFIG, "there is no %s '%s'. HINT: use one of: %s", kind, search->wanted,
                          sl_buf_cstr(&search->known));
    sl_buf_done(&search->known);
    return rc;
}

#define SEARCH(wanted_)                                      \
    {                                                        \
        .wanted = (wanted_), .nearest = {.word = (wanted_) } \
    }

enum sl_rc sl_plugins_connector(const struct sl_plugins *plugins, const char *class_name,
                                const struct sl_source_ops **ret_source, const struct sl_sink_ops **ret_sink,
                                struct sl_error *err)
{
    struct search search = SEARCH(class_name);
    const struct sl_source_ops *source = NULL;
    const struct sl_sink_ops *sink = NULL;
    enum sl_rc rc;

    for (size_t i = 0; plugins->sources[i]; i++) {
        if (matches(&search, plugins->sources[i]->name, plugins->sources[i]->classes) && !source)
            source = plugins->sources[i];
    }
    for (size_t i = 0; plugins->sinks[i]; i++) {
        if (matches(&search, plugins->sinks[i]->name, plugins->sinks[i]->classes) && !source && !sink)
            sink = plugins->sinks[i];
    }
    rc = finish(&search, source || sink, "connector class", err);
    if (rc)
        return rc;
    *ret_source = source;
    *ret_sink = sink;
    return SL_OK;
}

enum sl_rc sl_plugins_converter(const struct sl_plugins *plugins, const char *class_name,
                                const struct sl_converter_ops **ret, struct sl_error *err)
{
    struct search search = SEARCH(class_name);
    const struct sl_converter_ops *found = NULL;
    enum sl_rc rc;

    for (size_t i = 0; plugins->converters[i]; i++) {
        if (matches(&search, plugins->converters[i]->name, plugins->converters[i]->classes) && !found)
            found = plugins->converters[i];
    }
    rc = finish(&search, found, "converter class", err);
    if (rc == SL_OK)
        *ret = found;
    return rc;
}

enum sl_rc sl_plugins_transform(const struct sl_plugins *plugins, const char *class_name,
                                const struct sl_transform_ops **ret, struct sl_error *err)
{
    struct search search = SEARCH(class_name);
    const struct sl_transform_ops *found = NULL;
    enum sl_rc rc;

    for (size_t i = 0; plugins->transforms[i]; i++) {
        if (matches(&search, plugins->transforms[i]->name, plugins->transforms[i]->classes) && !found)
            found = plugins->transforms[i];
    }
    rc = finish(&search, found, "transform class", err);
    if (rc == SL_OK)
        *ret = found;
    return rc;
}

const struct sl_transport_ops *sl_plugins_transport(const struct sl_plugins *plugins,
                                                    const struct sl_props *worker)
{
    const char *brokers = sl_props_get(worker, "bootstrap.servers");

    for (size_t i = 0; brokers && *brokers && plugins->transports[i]; i++) {
        if (strcmp(plugins->transports[i]->name, "kafka") == 0)
            return plugins->transports[i];
    }
    return plugins->transports[0];
}
