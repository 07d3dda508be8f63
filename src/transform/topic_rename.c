/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/topic_rename.h"

enum sl_rc sl_topic_rename_open(struct sl_topic_rename *rename, const char *prefix, const char *regex_option,
                                const char *regex, const char *replacement_option, const char *replacement,
                                struct sl_error *err)
{
    enum sl_rc rc;

    if (!regex || !replacement)
        return sl_error_set(err, SL_E_CONFIG, "%s%s is missing. HINT: %s and %s are given together", prefix,
                            regex ? replacement_option : regex_option, regex_option, replacement_option);
    rename->replacement = sl_strdup(replacement);
    rc = sl_regex_compile(regex, 0, &rename->regex, err);
    if (rc)
        (void)sl_error_wrap(err, "%s%s", prefix, regex_option);
    else if ((rc = sl_regex_check_replacement(rename->regex, replacement, err)) != SL_OK)
        (void)sl_error_wrap(err, "%s%s", prefix, replacement_option);
    return rc;
}

void sl_topic_rename_done(struct sl_topic_rename *rename)
{
    if (rename->regex)
        sl_regex_free(rename->regex);
    sl_free(rename->replacement);
    sl_free(rename->results);
    sl_buf_done(&rename->name);
    *rename = (struct sl_topic_rename){0};
}

static const struct sl_topic *ask(struct sl_topic_rename *rename, const struct sl_topic *topic)
{
    if (!sl_regex_matches(rename->regex, topic->name, topic->len))
        return NULL;
    sl_buf_reset(&rename->name);
    sl_regex_replace_first(rename->regex, topic->name, topic->len, rename->replacement, &rename->name);
    return sl_topic_intern((const char *)rename->name.data, rename->name.len);
}

static void make_room(struct sl_topic_rename *rename, uint32_t id)
{
    uint32_t capacity = rename->capacity ? rename->capacity : 64;

    while (capacity <= id)
        capacity *= 2;
    rename->results = sl_realloc(rename->results, capacity, sizeof(*rename->results));
    memset(rename->results + rename->capacity, 0, (capacity - rename->capacity) * sizeof(*rename->results));
    rename->capacity = capacity;
}

const struct sl_topic *sl_topic_rename(struct sl_topic_rename *rename, const struct sl_topic *topic)
{
    struct sl_topic_renamed *result;

    if (topic->id >= rename->capacity)
        make_room(rename, topic->id);
    result = &rename->results[topic->id];
    if (!result->asked)
        *result = (struct sl_topic_renamed){.asked = true, .to = ask(rename, topic)};
    return result->to;
}
