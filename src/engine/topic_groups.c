/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/topic_groups.h"

#include "base/alloc.h"
#include "base/props.h"
#include "base/regex.h"

#include <stdio.h>
#include <strings.h>

enum { NAME_SIZE = 200, PATTERN_SIZE = 1024, PREFIX_SIZE = NAME_SIZE + 32 };

struct patterns {
    struct sl_regex **items;
    size_t n, capacity;
};

struct group {
    struct patterns include, exclude;
    struct sl_topic_settings settings;
    struct sl_topic_extra *extras; /* what settings points to */
    size_t n_extras, extras_capacity;
};

struct sl_topic_groups {
    struct group fallback; /* the default group */
    struct group *items;
    size_t n, capacity;
};

static const char *const policies[] = {"delete", "compact", NULL};

const struct sl_option sl_topic_group_options[] = {
    {.name = "include", .type = SL_OPT_LIST, .doc = "Java regular expressions of the group's topics"},
    {.name = "exclude", .type = SL_OPT_LIST, .doc = "and of those that are not in it all the same"},
    {.name = "partitions",
     .type = SL_OPT_INT,
     .doc = "partitions of topics that this connector makes; the default group's, or the worker's "
            "sluice.topic.partitions, when not given or -1",
     .min = -1,
     .max = 10000},
    {.name = "replication.factor",
     .type = SL_OPT_INT,
     .doc =
         "copies of each record on Kafka's brokers; -1 or not given: as they have it; the embedded log has "
         "one",
     .min = -1,
     .max = 1000},
    {.name = "cleanup.policy", .doc = "delete or compact", .values = policies},
    {.name = "retention.ms", .type = SL_OPT_LONG, .doc = "how long records are kept, in ms; -1 for ever"},
    {.name = "retention.bytes", .type = SL_OPT_LONG, .doc = "how many bytes are kept; -1 all"},
    {.name = "*",
     .importance = SL_IMPORTANCE_LOW,
     .doc = "any other setting of a Kafka topic; the embedded log leaves it aside"},
    {.name = NULL},
};

/* A key behind the prefix that has a meaning of its own here. */
static bool is_ours(const char *name)
{
    for (const struct sl_option *option = sl_topic_group_options; option->name; option++) {
        if (strcmp(option->name, name) == 0)
            return true;
    }
    return false;
}

static void put_prefix(char prefix[PREFIX_SIZE], const char *group)
{
    (void)snprintf(prefix, PREFIX_SIZE, "topic.creation.%.*s.", NAME_SIZE - 1, group);
}

static enum sl_rc read_patterns(const struct sl_props *props, const char *prefix, const char *name,
                                struct patterns *patterns, struct sl_error *err)
{
    const char *cursor = sl_option_text(sl_topic_group_options, props, prefix, name);
    char pattern[PATTERN_SIZE];

    while (cursor && sl_list_next(&cursor, pattern, sizeof(pattern))) {
        struct sl_regex *regex = NULL;
        enum sl_rc rc = sl_regex_compile(pattern, 0, &regex, err);

        if (rc)
            return sl_error_wrap(err, "%s%s", prefix, name);
        SL_GROW(patterns->items, patterns->n, patterns->capacity);
        patterns->items[patterns->n++] = regex;
    }
    return SL_OK;
}

static bool match(const struct patterns *patterns, const struct sl_topic *topic)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (sl_regex_matches(patterns->items[i], topic->name, topic->len))
            return true;
    return false;
}

static void free_patterns(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->n; i++)
        sl_regex_free(patterns->items[i]);
    sl_free(patterns->items);
}

/* A number that was given, or what there is already. */
static int64_t number_or(const struct sl_props *props, const char *prefix, const char *name,
                         int64_t otherwise)
{
    return sl_option_text(sl_topic_group_options, props, prefix, name)
               ? sl_option_int(sl_topic_group_options, props, prefix, name)
               : otherwise;
}

/* Whatever else is said of the group's topics is for the log to understand. */
static void read_extras(const struct sl_props *props, const char *prefix, struct group *group)
{
    size_t len = strlen(prefix);

    for (size_t i = 0; i < sl_props_count(props); i++) {
        const char *key;
        const char *value;
        struct sl_topic_extra extra;

        sl_props_at(props, i, &key, &value);
        if (strncmp(key, prefix, len) != 0 || is_ours(key + len))
            continue;
        extra = (struct sl_topic_extra){sl_strdup(key + len), sl_strdup(value)};
        SL_GROW(group->extras, group->n_extras, group->extras_capacity);
        group->extras[group->n_extras++] = extra;
    }
    group->settings.extras = group->extras;
    group->settings.n_extras = group->n_extras;
}

static void free_extras(struct group *group)
{
    for (size_t i = 0; i < group->n_extras; i++) {
        sl_free((void *)(uintptr_t)group->extras[i].name);
        sl_free((void *)(uintptr_t)group->extras[i].value);
    }
    sl_free(group->extras);
}

static void read_settings(const struct sl_props *props, const char *prefix, struct group *group)
{
    struct sl_topic_settings *settings = &group->settings;
    const char *policy = sl_option_text(sl_topic_group_options, props, prefix, "cleanup.policy");
    int64_t partitions = number_or(props, prefix, "partitions", -1);

    if (partitions > 0)
        settings->partitions = (int32_t)partitions;
    if (policy)
        settings->compact = strcasecmp(policy, "compact") == 0;
    settings->retention_ms = number_or(props, prefix, "retention.ms", settings->retention_ms);
    settings->retention_bytes = number_or(props, prefix, "retention.bytes", settings->retention_bytes);
    settings->replication = (int16_t)number_or(props, prefix, "replication.factor", settings->replication);
    read_extras(props, prefix, group);
}

static enum sl_rc add_group(struct sl_topic_groups *groups, const struct sl_props *props, const char *name,
                            const struct sl_topic_settings *settings, struct sl_error *err)
{
    struct group *group;
    char prefix[PREFIX_SIZE];
    enum sl_rc rc;

    put_prefix(prefix, name);
    SL_GROW(groups->items, groups->n, groups->capacity);
    group = &groups->items[groups->n++];
    *group = (struct group){.settings = *settings};
    group->settings.partitions = groups->fallback.settings.partitions;
    group->settings.props = props;
    read_settings(props, prefix, group);
    rc = read_patterns(props, prefix, "include", &group->include, err);
    return rc ? rc : read_patterns(props, prefix, "exclude", &group->exclude, err);
}

enum sl_rc sl_topic_groups_open(const struct sl_props *props, const struct sl_topic_settings *settings,
                                struct sl_topic_groups **ret, struct sl_error *err)
{
    struct sl_topic_groups *groups = sl_zalloc(1, sizeof(*groups));
    const char *cursor = sl_props_get(props, "topic.creation.groups");
    char name[NAME_SIZE];
    enum sl_rc rc = SL_OK;

    groups->fallback.settings = *settings;
    groups->fallback.settings.props = props;
    read_settings(props, "topic.creation.default.", &groups->fallback);
    while (rc == SL_OK && cursor && sl_list_next(&cursor, name, sizeof(name)))
        if (strcmp(name, "default") != 0)
            rc = add_group(groups, props, name, settings, err);
    if (rc) {
        sl_topic_groups_close(groups);
        return rc;
    }
    *ret = groups;
    return SL_OK;
}

void sl_topic_groups_close(struct sl_topic_groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < groups->n; i++) {
        free_patterns(&groups->items[i].include);
        free_patterns(&groups->items[i].exclude);
        free_extras(&groups->items[i]);
    }
    free_extras(&groups->fallback);
    sl_free(groups->items);
    sl_free(groups);
}

const struct sl_topic_settings *sl_topic_groups_settings(const struct sl_topic_groups *groups,
                                                         const struct sl_topic *topic)
{
    for (size_t i = 0; topic && i < groups->n; i++)
        if (match(&groups->items[i].include, topic) && !match(&groups->items[i].exclude, topic))
            return &groups->items[i].settings;
    return &groups->fallback.settings;
}

void sl_topic_groups_check(const struct sl_props *props, struct sl_complaints *complaints)
{
    const char *cursor = sl_props_get(props, "topic.creation.groups");
    size_t before = complaints->n;
    struct sl_topic_groups *groups = NULL;
    struct sl_topic_settings none = {0};
    struct sl_error err = {0};
    char name[NAME_SIZE];
    char prefix[PREFIX_SIZE];
    char key[PREFIX_SIZE + 8];

    sl_options_check(sl_topic_group_options, props, "topic.creation.default.", complaints);
    while (cursor && sl_list_next(&cursor, name, sizeof(name))) {
        const char *include;

        if (strcmp(name, "default") == 0)
            continue;
        put_prefix(prefix, name);
        sl_options_check(sl_topic_group_options, props, prefix, complaints);
        include = sl_option_text(sl_topic_group_options, props, prefix, "include");
        if (!include || !*include) {
            (void)snprintf(key, sizeof(key), "%sinclude", prefix);
            sl_complain(complaints, key,
                        "is required and not given: a Java regular expression of the topics of group '%s'",
                        name);
        }
    }
    if (complaints->n == before && sl_topic_groups_open(props, &none, &groups, &err))
        sl_complain(complaints, "topic.creation.groups", "%s", err.text);
    sl_topic_groups_close(groups);
}

bool sl_topic_groups_know(const struct sl_props *props, const char *key)
{
    const char *cursor = sl_props_get(props, "topic.creation.groups");
    char name[NAME_SIZE] = "default";
    char prefix[PREFIX_SIZE];

    do {
        put_prefix(prefix, name);
        if (strncmp(key, prefix, strlen(prefix)) == 0)
            return true;
    } while (cursor && sl_list_next(&cursor, name, sizeof(name)));
    return false;
}
