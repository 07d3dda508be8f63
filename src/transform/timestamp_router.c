/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka Connect's TimestampRouter: the record's timestamp goes into the topic name. The name is the same for
 * all timestamps of one step of the pattern (a day for yyyyMMdd), so it is made once for each.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "codec/date_format.h"
#include "transform/side.h"

struct router {
    char *topic_format;
    struct sl_date_format *timestamp_format;
    struct sl_buf name;
    const struct sl_topic *last_from;
    const struct sl_topic *last_to;
    int64_t last_step; /* of last_to */
};

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

static void router_close(void *self_)
{
    struct router *self = self_;

    sl_date_format_free(self->timestamp_format);
    sl_free(self->topic_format);
    sl_buf_done(&self->name);
    sl_free(self);
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    struct router *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc;

    (void)class_name;
    self->topic_format = sl_strdup(sl_option_text(options, props, prefix, "topic.format"));
    rc = sl_date_format_compile(sl_option_text(options, props, prefix, "timestamp.format"),
                                &self->timestamp_format, err);
    if (rc) {
        (void)sl_error_wrap(err, "%stimestamp.format", prefix);
        router_close(self);
    } else {
        *ret_self = self;
    }
    return rc;
}

/* The original replaces ${topic} first, and then ${timestamp} in all of it, topic included. */
static void put_timestamps(struct router *self, const char *text, size_t len, int64_t timestamp_ms)
{
    static const char mark[] = "${timestamp}";
    const char *end = text + len;
    const char *hit;

    while ((hit = memmem(text, (size_t)(end - text), mark, sizeof(mark) - 1))) {
        sl_buf_put(&self->name, text, (size_t)(hit - text));
        sl_date_format_put(self->timestamp_format, timestamp_ms, &self->name);
        text = hit + sizeof(mark) - 1;
    }
    sl_buf_put(&self->name, text, (size_t)(end - text));
}

static const struct sl_topic *rename_topic(struct router *self, const struct sl_topic *topic,
                                           int64_t timestamp_ms)
{
    static const char mark[] = "${topic}";
    struct sl_buf text = {0};
    const char *from = self->topic_format;
    const char *hit;

    while ((hit = strstr(from, mark))) {
        sl_buf_put(&text, from, (size_t)(hit - from));
        sl_buf_put(&text, topic->name, topic->len);
        from = hit + sizeof(mark) - 1;
    }
    sl_buf_text(&text, from);
    sl_buf_reset(&self->name);
    put_timestamps(self, sl_buf_cstr(&text), text.len, timestamp_ms);
    sl_buf_done(&text);
    return sl_topic_intern((const char *)self->name.data, self->name.len);
}

static enum sl_verdict router_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct router *self = self_;
    int64_t ms = message->record.timestamp_ms;
    int64_t step_ms = sl_date_format_step_ms(self->timestamp_format);
    int64_t step;

    (void)arena;
    if (ms == SL_NO_TIMESTAMP)
        return sl_bad_record(
            err,
            "TimestampRouter needs the record's timestamp, and a record of topic '%.200s' has "
            "none. HINT: use it in the sink's transforms, where records have one",
            message->topic->name);
    step = ms / step_ms - (ms % step_ms < 0);
    if (message->topic != self->last_from || step != self->last_step) {
        self->last_to = rename_topic(self, message->topic, ms);
        self->last_from = message->topic;
        self->last_step = step;
    }
    if (self->last_to->len == 0)
        return sl_bad_record(err,
                             "TimestampRouter gives topic '%.200s' an empty name. HINT: see its topic.format",
                             message->topic->name);
    message->topic = self->last_to;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_timestamp_router = {
    .name = "TimestampRouter",
    .classes = classes,
    .options = options,
    .open = router_open,
    .apply = router_apply,
    .close = router_close,
};
