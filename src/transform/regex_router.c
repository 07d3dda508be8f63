/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's RegexRouter: a topic whose whole name matches is renamed. As in Java, the replacement then
 * goes to the first place where the expression is found, which is the whole name but for expressions whose
 * first alternative is shorter.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/regex.h"

#include <stdio.h>

struct router {
    struct sl_regex *regex;
    char *replacement;
    const struct sl_topic **results; /* by topic id; NULL: not asked yet */
    uint32_t capacity;
    struct sl_buf name;
};

static const char *const classes[] = {"org.apache.kafka.connect.transforms.RegexRouter", NULL};

static const struct sl_option options[] = {
    {.name = "regex",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "A Java regular expression that must match the whole topic name."},
    {.name = "replacement",
     .type = SL_OPT_STRING,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The new name; $1, $2, ... stand for the groups of the expression."},
    {0},
};

static void router_close(void *self_)
{
    struct router *self = self_;

    sl_regex_free(self->regex);
    sl_free(self->replacement);
    sl_free(self->results);
    sl_buf_done(&self->name);
    sl_free(self);
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    const char *regex = sl_option_text(options, props, prefix, "regex");
    const char *replacement = sl_option_text(options, props, prefix, "replacement");
    struct router *self;
    enum sl_rc rc;

    (void)class_name;
    if (!regex || !replacement)
        return sl_error_set(err, SL_E_CONFIG,
                            "%s%s is missing. HINT: RegexRouter needs regex and replacement", prefix,
                            regex ? "replacement" : "regex");
    self = sl_zalloc(1, sizeof(*self));
    self->replacement = sl_strdup(replacement);
    rc = sl_regex_compile(regex, 0, &self->regex, err);
    if (rc)
        (void)sl_error_wrap(err, "%sregex", prefix);
    else if ((rc = sl_regex_check_replacement(self->regex, replacement, err)) != SL_OK)
        (void)sl_error_wrap(err, "%sreplacement", prefix);
    if (rc)
        router_close(self);
    else
        *ret_self = self;
    return rc;
}

static const struct sl_topic *rename_topic(struct router *self, const struct sl_topic *topic)
{
    if (!sl_regex_matches(self->regex, topic->name, topic->len))
        return topic;
    sl_buf_reset(&self->name);
    sl_regex_replace_first(self->regex, topic->name, topic->len, self->replacement, &self->name);
    return sl_topic_intern((const char *)self->name.data, self->name.len);
}

static void remember(struct router *self, const struct sl_topic *topic, const struct sl_topic *result)
{
    if (topic->id >= self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity : 64;

        while (capacity <= topic->id)
            capacity *= 2;
        self->results = sl_realloc(self->results, capacity, sizeof(const struct sl_topic *));
        memset(self->results + self->capacity, 0,
               (capacity - self->capacity) * sizeof(const struct sl_topic *));
        self->capacity = capacity;
    }
    self->results[topic->id] = result;
}

static enum sl_verdict router_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct router *self = self_;
    const struct sl_topic *topic = message->topic;
    const struct sl_topic *result = topic->id < self->capacity ? self->results[topic->id] : NULL;

    (void)arena;
    if (!result) {
        result = rename_topic(self, topic);
        if (result->len == 0) {
            (void)sl_error_set(
                err, SL_E_DATA,
                "RegexRouter turns topic '%.200s' into an empty name. HINT: see its replacement",
                topic->name);
            return SL_FAIL;
        }
        remember(self, topic, result);
    }
    message->topic = result;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_regex_router = {
    .name = "RegexRouter",
    .classes = classes,
    .options = options,
    .open = router_open,
    .apply = router_apply,
    .close = router_close,
};
