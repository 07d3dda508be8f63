/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confluent's MessageTimestampRouter: a date in a field of the value, written as text, goes into the topic
 * name. The original takes maps only; here the fields of structs are read likewise.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "transform/config_list.h"
#include "transform/json_path.h"
#include "transform/side.h"
#include "transform/stamped_topic.h"

struct router {
    struct sl_json_path **fields;
    size_t n_fields;
    struct sl_date_format *message_format;
    struct sl_stamped_topic topic;
};

static const char *const classes[] = {"io.confluent.connect.transforms.MessageTimestampRouter", NULL};

static const struct sl_option options[] = {
    {.name = "topic.format",
     .type = SL_OPT_STRING,
     .default_text = "${topic}-${timestamp}",
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The new name, with ${topic} and ${timestamp} in it."},
    {.name = "message.timestamp.format",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "How the dates in the fields are written, as for Java's SimpleDateFormat, in UTC."},
    {.name = "topic.timestamp.format",
     .type = SL_OPT_STRING,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "How the timestamp is written into the name, likewise."},
    {.name = "message.timestamp.keys",
     .type = SL_OPT_LIST,
     .required = true,
     .importance = SL_IMPORTANCE_HIGH,
     .doc = "The fields; the first one that is there and not null counts.",
     .validate = sl_config_list_validate},
    {0},
};

static void router_close(void *self_)
{
    struct router *self = self_;

    for (size_t i = 0; i < self->n_fields; i++)
        sl_json_path_free(self->fields[i]);
    sl_free(self->fields);
    sl_date_format_free(self->message_format);
    sl_stamped_topic_done(&self->topic);
    sl_free(self);
}

static void read_keys(struct router *self, const char *text)
{
    struct sl_config_list keys = {0};

    sl_config_list_read(&keys, text);
    self->fields = sl_zalloc(keys.n + 1, sizeof(struct sl_json_path *));
    for (size_t i = 0; i < keys.n; i++)
        self->fields[self->n_fields++] = sl_json_path_of(keys.items[i]);
    sl_config_list_done(&keys);
}

static enum sl_rc open_parts(struct router *self, const struct sl_props *props, const char *prefix,
                             struct sl_error *err)
{
    const char *read = sl_option_text(options, props, prefix, "message.timestamp.format");
    const char *write = sl_option_text(options, props, prefix, "topic.timestamp.format");

    read_keys(self, sl_option_text(options, props, prefix, "message.timestamp.keys"));
    if (!read || !*read || !write || !*write || !self->n_fields)
        return sl_error_set(err, SL_E_CONFIG,
                            "%smessage.timestamp.format, topic.timestamp.format or message.timestamp.keys is "
                            "missing. HINT: give all three",
                            prefix);
    if (sl_date_format_compile(read, &self->message_format, err))
        return sl_error_wrap(err, "%smessage.timestamp.format", prefix);
    if (sl_stamped_topic_open(&self->topic, sl_option_text(options, props, prefix, "topic.format"), write,
                              err))
        return sl_error_wrap(err, "%stopic.timestamp.format", prefix);
    return SL_OK;
}

static enum sl_rc router_open(const struct sl_props *props, const char *prefix, const char *class_name,
                              void **ret_self, struct sl_error *err)
{
    struct router *self = sl_zalloc(1, sizeof(*self));
    enum sl_rc rc = open_parts(self, props, prefix, err);

    (void)class_name;
    if (rc)
        router_close(self);
    else
        *ret_self = self;
    return rc;
}

static struct sl_value first_field(const struct router *self, const struct sl_message *message)
{
    struct sl_value value = sl_null();

    for (size_t i = 0; i < self->n_fields && sl_is_null(value); i++)
        value = sl_json_path_find(self->fields[i], message->value_schema, message->record.value).value;
    return value;
}

static enum sl_verdict router_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                    struct sl_error *err)
{
    struct router *self = self_;
    struct sl_value date = first_field(self, message);
    int64_t ms = 0;

    (void)arena;
    if (date.tag != SL_STRING)
        return sl_bad_record(
            err,
            "MessageTimestampRouter finds no text in the fields of message.timestamp.keys in "
            "a record of topic '%.200s'. HINT: use it on records with one, with a predicate",
            message->topic->name);
    if (!sl_date_format_read(self->message_format, (const char *)date.bytes, date.len, &ms))
        return sl_bad_record(err,
                             "MessageTimestampRouter: '%.*s' is not written as message.timestamp.format "
                             "says. HINT: see the record's date",
                             (int)(date.len < 60 ? date.len : 60), (const char *)date.bytes);
    return sl_stamped_topic_apply(&self->topic, "MessageTimestampRouter", ms, message, err);
}

const struct sl_transform_ops sl_transform_message_timestamp_router = {
    .name = "MessageTimestampRouter",
    .classes = classes,
    .options = options,
    .open = router_open,
    .apply = router_apply,
    .close = router_close,
};
