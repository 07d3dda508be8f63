/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's RegexRouter: a topic whose whole name matches is renamed. */
#include "transform/transforms.h"

#include "transform/side.h"
#include "transform/topic_rename.h"

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

static void router_close(void *self)
{
    sl_topic_rename_done(self);
    sl_free(self);
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    struct sl_topic_rename *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc =
        sl_topic_rename_open(self, prefix, "regex", sl_option_text(options, props, prefix, "regex"),
                             "replacement", sl_option_text(options, props, prefix, "replacement"), err);

    (void)class_name;
    if (rc)
        router_close(self);
    else
        *ret_self = self;
    return rc;
}

static enum sl_verdict router_apply(void *self, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    const struct sl_topic *topic = sl_topic_rename(self, message->topic);

    (void)arena;
    if (!topic)
        return SL_KEEP;
    if (topic->len == 0)
        return sl_bad_record(err,
                             "RegexRouter turns topic '%.200s' into an empty name. HINT: see its replacement",
                             message->topic->name);
    message->topic = topic;
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
