/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dlq.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"

#include <stdio.h>

/* ---- filters ---- */

/* "90s", "10m", "2h", "7d" as ms. */
static bool parse_age(const char *text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}, {'d', 24 * 3600 * 1000}};
    size_t len = strlen(text);
    char number[24];
    int64_t n;

    if (len < 2 || len - 1 >= sizeof(number))
        return false;
    (void)snprintf(number, sizeof(number), "%.*s", (int)(len - 1), text);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (text[len - 1] != units[i].unit || !sl_parse_int64(number, &n) || n < 0 || n > 1000000)
            continue;
        *ret_ms = n * units[i].ms;
        return true;
    }
    return false;
}

static int take_age(const struct sl_command *command, const struct sl_arguments *arguments, const char *name,
                    int64_t *ret_at_ms)
{
    const char *text = sl_arguments_flag(arguments, name);
    int64_t age_ms;

    if (!text)
        return SL_EXIT_OK;
    if (!parse_age(text, &age_ms))
        return sl_cli_misuse(command, "'%s' is no age such as 90s, 10m, 2h or 7d", text);
    *ret_at_ms = sl_wall_us() / 1000 - age_ms;
    return SL_EXIT_OK;
}

int sl_dlq_flags(const struct sl_command *command, const struct sl_arguments *arguments,
                 struct sl_dlq_filter *ret)
{
    int status = take_age(command, arguments, "since", &ret->since_ms);

    if (status == SL_EXIT_OK)
        status = take_age(command, arguments, "until", &ret->until_ms);
    if (status)
        return status;
    ret->topic = sl_arguments_flag(arguments, "topic");
    ret->stage = sl_arguments_flag(arguments, "stage");
    ret->error = sl_arguments_flag(arguments, "error");
    ret->letters = sl_arguments_flag(arguments, "letters");
    if (ret->letters && !sl_dlq_are_letters(ret->letters))
        return sl_cli_misuse(command, "'%s' is no list of PARTITION@OFFSET, as dlq list shows them",
                             ret->letters);
    return SL_EXIT_OK;
}

/* ---- topics ---- */

struct search {
    struct sl_dlq_topics *topics;
    const char *wanted;
    bool known; /* there is a connector of that name */
};

static void add(struct sl_dlq_topics *topics, const char *topic, const char *connector)
{
    SL_GROW(topics->items, topics->n, topics->capacity);
    topics->items[topics->n++] = (struct sl_dlq_topic){.topic = sl_topic_intern(topic, strlen(topic)),
                                                       .connector = connector ? sl_strdup(connector) : NULL};
}

/* The config store's {"properties": {...}} under "connector-<name>". */
static void see_config(void *ctx, const char *key, struct sl_span value)
{
    struct search *search = ctx;
    const char *name = key + strlen("connector-");
    const char *topic;
    json_t *json = NULL;

    if (strncmp(key, "connector-", strlen("connector-")) != 0 || !value.ptr ||
        (search->wanted && strcmp(search->wanted, name) != 0) ||
        sl_json_parse((const char *)value.ptr, value.len, key, &json, NULL))
        return;
    topic = json_string_value(
        json_object_get(json_object_get(json, "properties"), "errors.deadletterqueue.topic.name"));
    search->known = true;
    if (topic && *topic)
        add(search->topics, topic, name);
    json_decref(json);
}

enum sl_rc sl_dlq_topics_find(struct sl_transport *log, const char *wanted, struct sl_dlq_topics *ret,
                              struct sl_error *err)
{
    struct search search = {.topics = ret, .wanted = wanted};
    enum sl_rc rc = log->ops->list(log, "configs", see_config, &search, err);

    if (rc || !wanted || ret->n)
        return rc;
    if (search.known)
        return sl_error_set(
            err, SL_E_CONFIG,
            "connector '%s' has no dead letter topic. HINT: errors.deadletterqueue.topic.name", wanted);
    add(ret, wanted, NULL);
    return SL_OK;
}

void sl_dlq_topics_done(struct sl_dlq_topics *topics)
{
    for (size_t i = 0; i < topics->n; i++)
        sl_free(topics->items[i].connector);
    sl_free(topics->items);
    *topics = (struct sl_dlq_topics){0};
}
