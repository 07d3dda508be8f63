/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka Connect's TimestampRouter: the record's timestamp goes into the topic name. */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/side.h"
#include "transform/stamped_topic.h"

static const char *const classes[] = {"org.apache.kafka.connect.transforms.TimestampRouter", NULL};

static const struct sl_option options[] = {
    {.name = "topic.format",
     .type = SL_OPT_STRING,
     .default_text = "${topic}-${timestamp}",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The new name, with ${topic} and ${timestamp} in it."},
    {.name = "timestamp.format",
     .type = SL_OPT_STRING,
     .default_text = "yyyyMMdd",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "How the timestamp is written, as for Java's SimpleDateFormat, in UTC."},
    {0},
};

static void router_close(void *self)
{
    sl_stamped_topic_done(self);
    sl_free(self);
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    struct sl_stamped_topic *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc = sl_stamped_topic_open(self, sl_option_text(options, props, prefix, "topic.format"),
                                          sl_option_text(options, props, prefix, "timestamp.format"), err);

    (void)class_name;
    if (rc) {
        (void)sl_error_wrap(err, "%stimestamp.format", prefix);
        router_close(self);
    } else {
        *ret_self = self;
    }
    return rc;
}

static enum sl_verdict router_apply(void *self, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    (void)arena;
    if (message->record.timestamp_ms == SL_NO_TIMESTAMP)
        return sl_bad_record(
            err,
            "TimestampRouter needs the record's timestamp, and a record of topic '%.200s' has "
            "none. HINT: use it in the sink's transforms, where records have one",
            message->topic->name);
    return sl_stamped_topic_apply(self, "TimestampRouter", message->record.timestamp_ms, message, err);
}

const struct sl_transform_ops sl_transform_timestamp_router = {
    .name = "TimestampRouter",
    .classes = classes,
    .options = options,
    .open = router_open,
    .apply = router_apply,
    .close = router_close,
};
