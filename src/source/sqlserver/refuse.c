/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of Debezium that this source takes but does not carry out. Those whose loss would change data are
 * refused by name; the others are named once in a warning.
 */
#include "base/log.h"
#include "base/props.h"
#include "source/sqlserver/history.h"
#include "source/sqlserver/options.h"

#include <string.h>
#include <strings.h>

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static enum sl_rc refuse_key(const char *key, struct sl_error *err)
{
    static const struct {
        const char *start;
        const char *why;
    } refused[] = {
        {"column.mask.", "columns would be written unmasked"},
        {"column.truncate.", "columns would be written whole"},
        {"converters", "custom Java converters cannot run here"},
        {"snapshot.mode.custom", "Java plug-ins cannot run here"},
        {"snapshot.query.mode.custom", "Java plug-ins cannot run here"},
        {"snapshot.mode.configuration.based", "the mode configuration_based does not exist here"},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (starts_with(key, refused[i].start))
            return sl_error_set(err, SL_E_UNSUPPORTED, "%s is set: %s. HINT: remove the key", key,
                                refused[i].why);
    return SL_OK;
}

static enum sl_rc refuse_value(const struct sl_props *props, const char *key, const char *const *accepted,
                               const char *why, struct sl_error *err)
{
    const char *value = sl_props_get(props, key);

    if (!value || !*value)
        return SL_OK;
    for (; *accepted; accepted++)
        if (strcasecmp(*accepted, value) == 0)
            return SL_OK;
    return sl_error_set(err, SL_E_UNSUPPORTED, "%s=%s is set: %s", key, value, why);
}

static enum sl_rc refuse_values(const struct sl_props *props, struct sl_error *err)
{
    static const struct {
        const char *key;
        const char *accepted[12];
        const char *why;
    } rules[] = {
        {"topic.naming.strategy",
         {"io.debezium.schema.SchemaTopicNamingStrategy", "io.debezium.schema.DefaultTopicNamingStrategy"},
         "other naming classes cannot run here. HINT: rename topics with RegexRouter"},
        {"sourceinfo.struct.maker",
         {"io.debezium.connector.sqlserver.SqlServerSourceInfoStructMaker"},
         "other classes cannot run here. HINT: remove the key"},
        {"source.struct.version", {"v2"}, "the old source block is not written. HINT: remove the key"},
        {"snapshot.mode",
         {"initial", "initial_only", "always", "no_data", "schema_only", "recovery", "schema_only_recovery",
          "when_needed", "when_needed_no_data"},
         "the mode does not exist here. HINT: use initial, initial_only, always, no_data or when_needed"},
        {"snapshot.query.mode", {"select_all"}, "Java plug-ins cannot run here. HINT: remove the key"},
        {"snapshot.locking.mode", {"none", "exclusive"}, "Java plug-ins cannot run here. HINT: use none"},
        {"event.processing.failure.handling.mode",
         {"fail"},
         "leaving changes out would lose them. HINT: use fail"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        enum sl_rc rc = refuse_value(props, rules[i].key, rules[i].accepted, rules[i].why, err);

        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}

/* Set to something that asks for more than happens. */
static bool has_no_effect(const char *key, const char *value)
{
    static const char *const keys[] = {"signal.data.collection",       "signal.enabled.channels",
                                       "heartbeat.action.query",       "notification.enabled.channels",
                                       "column.propagate.source.type", "datatype.propagate.source.type",
                                       "streaming.delay.ms",           "snapshot.delay.ms"};

    if (!*value)
        return false;
    if (strcmp(key, "heartbeat.interval.ms") == 0 || strcmp(key, "guardrail.collections.max") == 0)
        return strcmp(value, "0") != 0;
    if (strcmp(key, "snapshot.max.threads") == 0)
        return strcmp(value, "1") != 0;
    if (strcmp(key, "schema.history.internal") == 0 || strcmp(key, "database.history") == 0)
        return sl_mssql_history_kind(value) == SL_MSSQL_HISTORY_OTHER;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

enum sl_rc sl_mssql_options_refuse(const struct sl_props *props, struct sl_error *err)
{
    const char *key, *value;

    for (size_t i = 0; i < sl_props_count(props); i++) {
        enum sl_rc rc;

        sl_props_at(props, i, &key, &value);
        rc = *value ? refuse_key(key, err) : SL_OK;
        if (rc != SL_OK)
            return rc;
    }
    return refuse_values(props, err);
}

void sl_mssql_options_warn(const struct sl_props *props)
{
    const char *key, *value;

    for (size_t i = 0; i < sl_props_count(props); i++) {
        sl_props_at(props, i, &key, &value);
        if (has_no_effect(key, value))
            sl_warn("this setting has no effect here", SL_T("key", key), SL_T("value", value));
    }
}
