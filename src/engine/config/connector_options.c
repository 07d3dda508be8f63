/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/connector_options.h"

#include "base/alloc.h"

static const char *const tolerances[] = {"none", "all", NULL};
static const char *const once[] = {"requested", "required", NULL};
static const char *const boundaries[] = {"poll", "interval", "connector", NULL};
static const char *const reload_actions[] = {"restart", "none", NULL};

#define FAMILY(name_, doc_) {.name = (name_), .importance = SL_IMPORTANCE_LOW, .doc = (doc_)}
#define IGNORED(name_) \
    {.name = (name_), .importance = SL_IMPORTANCE_LOW, .doc = "taken for compatibility; not used"}

const struct sl_option sl_connector_options[] = {
    {.name = "name", .required = true, .doc = "the connector's name, unique in the worker"},
    {.name = "connector.class",
     .type = SL_OPT_CLASS,
     .required = true,
     .doc = "the Java class of the connector, its last part, or our short name"},
    {.name = "tasks.max",
     .type = SL_OPT_INT,
     .default_text = "1",
     .doc = "the most tasks to make",
     .min = 1,
     .max = 1000},
    IGNORED("tasks.max.enforce"),
    {.name = "key.converter", .type = SL_OPT_CLASS, .doc = "converter of keys; the worker's when not given"},
    {.name = "value.converter",
     .type = SL_OPT_CLASS,
     .doc = "converter of values; the worker's when not given"},
    FAMILY("key.converter.*", "keys of the key converter"),
    FAMILY("value.converter.*", "keys of the value converter"),
    IGNORED("header.converter"),
    IGNORED("header.converter.*"),
    {.name = "transforms", .type = SL_OPT_LIST, .doc = "names of the transforms, in their order"},
    {.name = "predicates", .type = SL_OPT_LIST, .doc = "names of the predicates that transforms refer to"},
    {.name = "errors.tolerance",
     .default_text = "none",
     .doc = "what a bad record does: none stops the task, all goes on",
     .values = tolerances},
    {.name = "errors.log.enable",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .doc = "log each bad record, also when the task stops for it"},
    {.name = "errors.log.include.messages",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .doc = "taken for compatibility; the place of a bad record is always logged, its content never"},
    {.name = "errors.retry.timeout",
     .type = SL_OPT_LONG,
     .default_text = "-1",
     .doc =
         "how long a transform or converter that fails for a while (a registry that is away) is tried again, "
         "in ms; -1 for ever, 0 not at all; lost connections to databases are always tried again",
     .min = -1,
     .max = INT64_MAX / 1000},
    {.name = "errors.retry.delay.max.ms",
     .type = SL_OPT_LONG,
     .default_text = "60000",
     .doc = "the longest delay between such tries; it doubles from 100 ms, to 30 s at most",
     .min = 1,
     .max = INT64_MAX / 1000},
    {.name = "errors.deadletterqueue.topic.name", .doc = "topic for bad records; none when not given"},
    {.name = "errors.deadletterqueue.topic.replication.factor",
     .type = SL_OPT_INT,
     .default_text = "3",
     .doc = "copies of the dead letter topic when it is made, on Kafka; the embedded log has one",
     .min = -1,
     .max = 1000},
    {.name = "errors.deadletterqueue.context.headers.enable",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .doc = "add headers that say where a bad record comes from and what is wrong with it"},
    {.name = "config.action.reload",
     .default_text = "restart",
     .doc = "taken for compatibility",
     .values = reload_actions},
    IGNORED("connector.plugin.version"),
    IGNORED("producer.override.*"),
    IGNORED("consumer.override.*"),
    IGNORED("admin.override.*"),
    {.name = NULL},
};

const struct sl_option sl_source_connector_options[] = {
    {.name = "topic.creation.groups",
     .type = SL_OPT_LIST,
     .doc = "groups of topics with settings of their own, besides the default group; the first that takes a "
            "topic wins"},
    FAMILY("topic.creation.default.*", "settings of topics that this connector makes and no group takes"),
    {.name = "sluice.source.header",
     .type = SL_OPT_BOOLEAN,
     .default_text = "true",
     .doc = "write the source position into the header __sluice.src of each record"},
    {.name = "exactly.once.support",
     .default_text = "requested",
     .doc = "required: refuse to run where the worker does not write sources in transactions "
            "(exactly.once.source.support)",
     .values = once},
    {.name = "transaction.boundary",
     .default_text = "poll",
     .doc = "where a transaction ends when the worker writes in transactions: each batch is one, whatever is "
            "said here (interval: no transaction is open for longer); connector is not known to any source",
     .values = boundaries},
    {.name = "transaction.boundary.interval.ms",
     .type = SL_OPT_LONG,
     .doc = "taken for compatibility: batches end sooner",
     .min = 0,
     .max = INT64_MAX / 1000},
    {.name = "offsets.storage.topic",
     .doc = "on Kafka with a group of workers: a topic of the connector's own for its offsets; what stands "
            "there is taken over, and they are written there as well as in the worker's"},
    {.name = NULL},
};

const struct sl_option sl_sink_connector_options[] = {
    {.name = "topics", .type = SL_OPT_LIST, .doc = "the topics to read"},
    {.name = "errors.park.keys",
     .type = SL_OPT_BOOLEAN,
     .default_text = "false",
     .doc = "keep later records of a key that has a bad record behind it in the dead letter topic, in their "
            "order, until a replay has brought them to the target; needs errors.tolerance=all and a dead "
            "letter topic"},
    {.name = "errors.stale.threshold.ms",
     .type = SL_OPT_LONG,
     .default_text = "86400000",
     .doc = "events older than this when they come by are counted as stale; 0: none",
     .min = 0,
     .max = INT64_MAX / 1000},
    {.name = "topics.regex", .doc = "a Java regular expression for the topics to read"},
    {.name = NULL},
};

static const struct sl_option *table_of(const char *name)
{
    const struct sl_option *const tables[] = {sl_connector_options, sl_source_connector_options,
                                              sl_sink_connector_options};

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        if (sl_options_know(tables[i], name))
            return tables[i];
    }
    SL_ASSERT(!"a framework key that is in no table");
    return NULL;
}

const char *sl_connector_text(const struct sl_props *props, const char *name)
{
    return sl_option_text(table_of(name), props, NULL, name);
}

bool sl_connector_bool(const struct sl_props *props, const char *name)
{
    return sl_option_bool(table_of(name), props, NULL, name);
}

int64_t sl_connector_int(const struct sl_props *props, const char *name)
{
    return sl_option_int(table_of(name), props, NULL, name);
}
