/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/stamped_topic.h"

#include "transform/side.h"

enum sl_rc sl_stamped_topic_open(struct sl_stamped_topic *stamped, const char *topic_format,
                                 const char *timestamp_format, struct sl_error *err)
{
    stamped->topic_format = sl_strdup(topic_format);
    return sl_date_format_compile(timestamp_format, &stamped->timestamp_format, err);
}

void sl_stamped_topic_done(struct sl_stamped_topic *stamped)
{
    sl_date_format_free(stamped->timestamp_format);
    sl_free(stamped->topic_format);
    sl_buf_done(&stamped->name);
    *stamped = (struct sl_stamped_topic){0};
}

/* The original replaces ${topic} first, and then ${timestamp} in all of it, topic included. */
static void put_timestamps(struct sl_stamped_topic *stamped, const char *text, size_t len,
                           int64_t timestamp_ms)
{
    static const char mark[] = "${timestamp}";
    const char *end = text + len;
    const char *hit;

    while ((hit = memmem(text, (size_t)(end - text), mark, sizeof(mark) - 1))) {
        sl_buf_put(&stamped->name, text, (size_t)(hit - text));
        sl_date_format_put(stamped->timestamp_format, timestamp_ms, &stamped->name);
        text = hit + sizeof(mark) - 1;
    }
    sl_buf_put(&stamped->name, text, (size_t)(end - text));
}

static const struct sl_topic *rename_topic(struct sl_stamped_topic *stamped, const struct sl_topic *topic,
                                           int64_t timestamp_ms)
{
    static const char mark[] = "${topic}";
    struct sl_buf text = {0};
    const char *from = stamped->topic_format;
    const char *hit;

    while ((hit = strstr(from, mark))) {
        sl_buf_put(&text, from, (size_t)(hit - from));
        sl_buf_put(&text, topic->name, topic->len);
        from = hit + sizeof(mark) - 1;
    }
    sl_buf_text(&text, from);
    sl_buf_reset(&stamped->name);
    put_timestamps(stamped, sl_buf_cstr(&text), text.len, timestamp_ms);
    sl_buf_done(&text);
    return sl_topic_intern(sl_buf_cstr(&stamped->name), stamped->name.len);
}

static const struct sl_topic *find_name(struct sl_stamped_topic *stamped, const struct sl_topic *topic,
                                        int64_t ms)
{
    int64_t step_ms = sl_date_format_step_ms(stamped->timestamp_format);
    int64_t step = ms / step_ms - (ms % step_ms < 0);

    if (topic != stamped->last_from || step != stamped->last_step) {
        stamped->last_to = rename_topic(stamped, topic, ms);
        stamped->last_from = topic;
        stamped->last_step = step;
    }
    return stamped->last_to;
}

enum sl_verdict sl_stamped_topic_apply(struct sl_stamped_topic *stamped, const char *transform, int64_t ms,
                                       struct sl_message *message, struct sl_error *err)
{
    const struct sl_topic *topic = find_name(stamped, message->topic, ms);

    if (topic->len == 0)
        return sl_bad_record(err, "%s gives topic '%.200s' an empty name. HINT: see its topic.format",
                             transform, message->topic->name);
    message->topic = topic;
    return SL_KEEP;
}
