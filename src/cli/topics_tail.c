/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show_value.h"
#include "cli/state.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/number.h"

#include <stdio.h>
#include <unistd.h>

enum { FETCH_BYTES = 1 << 20, FETCH_RECORDS = 1000, FETCH_US = 1000 * 1000 };

struct tail {
    struct sl_state state;
    struct sl_shower *shower;
    struct sl_log_reader *reader;
    struct sl_arena *arena;
    struct sl_progress *ends; /* the topic's partitions; next_offset: the end when we began */
    size_t n_ends, capacity;
    const struct sl_topic *topic;
    int64_t left;    /* records still to show; INT64_MAX: no limit */
    bool to_the_end; /* stop at the ends */
    bool as_table;
};

static void see_end(void *ctx, const struct sl_topic_info *info)
{
    struct tail *tail = ctx;

    if (strcmp(info->name, tail->topic->name) != 0)
        return;
    SL_GROW(tail->ends, tail->n_ends, tail->capacity);
    tail->ends[tail->n_ends++] = (struct sl_progress){.topic = tail->topic,
                                                      .partition = info->partition,
                                                      .first_offset = info->first_offset,
                                                      .next_offset = info->next_offset};
}

static enum sl_rc open_reader(struct tail *tail, bool from_beginning, struct sl_error *err)
{
    struct sl_transport *log = tail->state.log;
    struct sl_progress *start;
    enum sl_rc rc = log->ops->topics(log, see_end, tail, err);
    char name[40];

    if (rc)
        return rc;
    if (!tail->n_ends)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "there is no topic '%s'. HINT: sluice topics list shows those that "
                            "exist",
                            tail->topic->name);
    start = sl_zalloc(tail->n_ends, sizeof(*start));
    for (size_t i = 0; i < tail->n_ends; i++) {
        start[i] = tail->ends[i];
        if (from_beginning)
            start[i].next_offset = -1;
    }
    (void)snprintf(name, sizeof(name), "sluice-tail-%d", (int)getpid());
    rc = log->ops->reader_open(log, name, start, tail->n_ends, &tail->reader, err);
    sl_free(start);
    return rc;
}

static void put_row(const struct tail *tail, const struct sl_log_record *record, struct sl_buf *out)
{
    char at[SL_CLOCK_TEXT];

    sl_clock_text(record->timestamp_ms, at);
    sl_buf_format(out, "%d@%lld  %s  ", (int)record->partition, (long long)record->offset, at);
    sl_shower_put(tail->shower, record->topic, record->key, out);
    sl_buf_text(out, "  ");
    sl_shower_put(tail->shower, record->topic, record->value, out);
}

static void put_object(const struct tail *tail, const struct sl_log_record *record, struct sl_buf *out)
{
    sl_buf_text(out, "{\"topic\":");
    sl_shower_put(tail->shower, record->topic,
                  (struct sl_span){(const uint8_t *)record->topic->name, record->topic->len}, out);
    sl_buf_format(out,
                  ",\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld,\"key\":", (int)record->partition,
                  (long long)record->offset, (long long)record->timestamp_ms);
    sl_shower_put(tail->shower, record->topic, record->key, out);
    sl_buf_text(out, ",\"value\":");
    sl_shower_put(tail->shower, record->topic, record->value, out);
    sl_buf_text(out, ",\"headers\":");
    sl_shower_put_headers(record->headers, out);
    sl_buf_u8(out, '}');
}

static bool at_the_end(const struct tail *tail)
{
    for (size_t i = 0; i < tail->n_ends; i++) {
        if (tail->ends[i].first_offset < tail->ends[i].next_offset)
            return false;
    }
    return true;
}

/* Here first_offset of the ends serves as "shown up to". */
static void note_progress(struct tail *tail, const struct sl_fetched *fetched)
{
    for (size_t p = 0; p < fetched->n_progress; p++) {
        for (size_t i = 0; i < tail->n_ends; i++) {
            if (tail->ends[i].partition == fetched->progress[p].partition)
                tail->ends[i].first_offset = fetched->progress[p].next_offset;
        }
    }
}

/* False: the reader of our output is gone. */
static bool show(struct tail *tail, const struct sl_fetched *fetched)
{
    struct sl_buf line = {0};
    bool written = true;

    for (size_t i = 0; i < fetched->n_records && tail->left > 0 && written; i++, tail->left--) {
        sl_buf_reset(&line);
        if (tail->as_table)
            put_row(tail, &fetched->records[i], &line);
        else
            put_object(tail, &fetched->records[i], &line);
        sl_buf_u8(&line, '\n');
        written = fwrite(line.data, 1, line.len, stdout) == line.len;
    }
    sl_buf_done(&line);
    return fflush(stdout) == 0 && written;
}

static enum sl_rc follow(struct tail *tail, struct sl_error *err)
{
    while (tail->left > 0 && !(tail->to_the_end && at_the_end(tail))) {
        struct sl_fetched fetched = {0};
        enum sl_rc rc;

        sl_arena_reset(tail->arena);
        rc = tail->state.log->ops->fetch(tail->reader, FETCH_BYTES, FETCH_RECORDS, sl_now_us() + FETCH_US,
                                         tail->arena, &fetched, err);
        if (rc)
            return rc;
        note_progress(tail, &fetched);
        if (!show(tail, &fetched))
            return SL_OK;
    }
    return SL_OK;
}

static int tail_topic(struct tail *tail, const struct sl_arguments *arguments)
{
    struct sl_error err = {0};
    enum sl_rc rc;

    tail->topic = sl_topic_intern(arguments->words[0], strlen(arguments->words[0]));
    tail->arena = sl_arena_new(256 << 10);
    rc = open_reader(tail, sl_arguments_flag(arguments, "from-beginning"), &err);
    if (rc == SL_OK)
        rc = follow(tail, &err);
    if (tail->reader)
        tail->state.log->ops->reader_close(tail->reader);
    sl_arena_free(tail->arena);
    sl_free(tail->ends);
    return rc ? sl_cli_fail(NULL, &err) : SL_EXIT_OK;
}

static int tail_command(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    const char *format = sl_arguments_flag(arguments, "output");
    const char *count = sl_arguments_flag(arguments, "count");
    struct tail tail = {.left = INT64_MAX};
    struct sl_error err = {0};
    int status;

    if (format && strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
        return sl_cli_misuse(&sl_command_topics_tail, "'%s' is neither table nor json", format);
    if (count && (!sl_parse_int64(count, &tail.left) || tail.left < 1))
        return sl_cli_misuse(&sl_command_topics_tail, "'%s' is not a number of records", count);
    tail.as_table = format && strcmp(format, "table") == 0;
    tail.to_the_end = sl_arguments_flag(arguments, "no-follow");
    if (sl_state_open(cli, arguments, &tail.state, &err))
        return sl_cli_fail(NULL, &err);
    if (sl_shower_open(cli->plugins, tail.state.props, tail.state.log, &tail.shower, &err)) {
        status = sl_cli_fail(NULL, &err);
    } else {
        status = tail_topic(&tail, arguments);
        sl_shower_close(tail.shower);
    }
    sl_state_close(&tail.state);
    return status;
}

static const struct sl_flag flags[] = {
    SL_STATE_FLAGS,
    {"from-beginning", 0, NULL, "begin with the oldest record instead of the next new one"},
    {"no-follow", 0, NULL, "stop at the end instead of waiting for more"},
    {"count", 'n', "N", "stop after N records"},
    {"output", 'o', "FORMAT", "json (default): one object a line; or table"},
    {NULL, 0, NULL, NULL},
};

const struct sl_command sl_command_topics_tail = {
    .name = "topics tail",
    .arguments = "[--state DIR] [--from-beginning] [-n N] [--no-follow] [-o json|table] TOPIC",
    .summary = "show the records of a topic as they come",
    .help = "Avro is decoded through the built-in registry, JSON is shown as it is, other bytes as text or, "
            "when they\n"
            "are none, as hexadecimal digits. Runs beside the worker and disturbs nothing.",
    .min_words = 1,
    .max_words = 1,
    .flags = flags,
    .run = tail_command,
};
