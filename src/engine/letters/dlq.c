/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/dlq.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/props.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { FETCH_BYTES = 1 << 20, FETCH_RECORDS = 1000, FETCH_US = 500 * 1000, ARENA_CHUNK = 256 << 10 };

/* ---- filters ---- */

/* "partition@offset". */
static bool parse_place(const char *text, int64_t *ret_partition, int64_t *ret_offset)
{
    const char *at = strchr(text, '@');
    char partition[24];

    if (!at || at == text || (size_t)(at - text) >= sizeof(partition))
        return false;
    (void)snprintf(partition, sizeof(partition), "%.*s", (int)(at - text), text);
    return sl_parse_int64(partition, ret_partition) && sl_parse_int64(at + 1, ret_offset);
}

bool sl_dlq_are_letters(const char *text)
{
    int64_t partition;
    int64_t offset;
    char item[64];

    while (sl_list_next(&text, item, sizeof(item))) {
        if (!parse_place(item, &partition, &offset))
            return false;
    }
    return true;
}

static bool is_listed(const char *list, const struct sl_log_record *record)
{
    int64_t partition;
    int64_t offset;
    char item[64];

    while (sl_list_next(&list, item, sizeof(item))) {
        if (parse_place(item, &partition, &offset) && partition == record->partition &&
            offset == record->offset)
            return true;
    }
    return false;
}

bool sl_dlq_matches(const struct sl_dlq_filter *filter, const struct sl_log_record *record,
                    const struct sl_letter *letter)
{
    return (!filter->connector || strcmp(filter->connector, letter->connector) == 0) &&
           (!filter->topic || strcmp(filter->topic, letter->topic) == 0) &&
           (!filter->stage || strcasecmp(filter->stage, letter->stage) == 0) &&
           (!filter->error || strcasestr(letter->error, filter->error)) &&
           (!filter->since_ms || letter->at_ms >= filter->since_ms) &&
           (!filter->until_ms || letter->at_ms < filter->until_ms) &&
           (!filter->letters || is_listed(filter->letters, record));
}

/* ---- the queue ---- */

char *sl_dlq_reader(const char *connector)
{
    return sl_format("sluice-dlq-%s", connector);
}

struct ends {
    const struct sl_topic *topic;
    struct sl_progress *items;
    size_t n, capacity;
};

static void see_end(void *ctx, const struct sl_topic_info *info)
{
    struct ends *ends = ctx;

    if (strcmp(info->name, ends->topic->name) != 0)
        return;
    SL_GROW(ends->items, ends->n, ends->capacity);
    ends->items[ends->n++] = (struct sl_progress){.topic = ends->topic,
                                                  .partition = info->partition,
                                                  .first_offset = info->first_offset,
                                                  .next_offset = info->next_offset};
}

static enum sl_rc pass_settled(struct sl_transport *transport, const char *connector, struct ends *ends,
                               struct sl_error *err)
{
    char *reader = sl_dlq_reader(connector);
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; rc == SL_OK && i < ends->n; i++) {
        int64_t settled = -1;
        bool foreign = false;

        rc = transport->ops->committed(transport, reader, ends->topic, ends->items[i].partition, &settled,
                                       &foreign, err);
        if (rc == SL_OK && settled > ends->items[i].first_offset)
            ends->items[i].first_offset =
                settled < ends->items[i].next_offset ? settled : ends->items[i].next_offset;
    }
    sl_free(reader);
    return rc;
}

enum sl_rc sl_dlq_ends(struct sl_transport *transport, const char *connector, const struct sl_topic *topic,
                       struct sl_progress **ret, size_t *ret_n, struct sl_error *err)
{
    struct ends ends = {.topic = topic};
    enum sl_rc rc = transport->ops->topics(transport, see_end, &ends, err);

    if (rc == SL_OK && !ends.n)
        rc = sl_error_set(
            err, SL_E_NOT_FOUND,
            "there is no topic '%s'. HINT: it comes into being with the first start of its connector",
            topic->name);
    if (rc == SL_OK && connector)
        rc = pass_settled(transport, connector, &ends, err);
    if (rc) {
        sl_free(ends.items);
        return rc;
    }
    *ret = ends.items;
    *ret_n = ends.n;
    return SL_OK;
}

/* ---- scanning ---- */

struct scan {
    struct sl_transport *transport;
    struct sl_log_reader *reader;
    struct sl_arena *arena;
    struct sl_progress *ends; /* first_offset: how far we are */
    size_t n_ends;
    sl_dlq_visitor *visit;
    void *ctx;
    bool enough;
};

static struct sl_progress *end_of(struct scan *scan, int32_t partition)
{
    for (size_t i = 0; i < scan->n_ends; i++) {
        if (scan->ends[i].partition == partition)
            return &scan->ends[i];
    }
    return NULL;
}

static void show(struct scan *scan, const struct sl_log_record *record)
{
    const struct sl_progress *end = end_of(scan, record->partition);
    struct sl_letter letter = {0};
    bool ours;

    if (!end || record->offset >= end->next_offset)
        return;
    ours = sl_letter_read(record->headers, &letter);
    scan->enough = !scan->visit(scan->ctx, record, ours ? &letter : NULL);
    if (ours)
        sl_letter_done(&letter);
}

static bool at_the_end(const struct scan *scan)
{
    for (size_t i = 0; i < scan->n_ends; i++) {
        if (scan->ends[i].first_offset < scan->ends[i].next_offset)
            return false;
    }
    return true;
}

static enum sl_rc read_all(struct scan *scan, struct sl_error *err)
{
    while (!scan->enough && !at_the_end(scan)) {
        struct sl_fetched fetched = {0};
        enum sl_rc rc;

        sl_arena_reset(scan->arena);
        rc = scan->transport->ops->fetch(scan->reader, FETCH_BYTES, FETCH_RECORDS, sl_now_us() + FETCH_US,
                                         scan->arena, &fetched, err);
        if (rc)
            return rc;
        for (size_t i = 0; i < fetched.n_records && !scan->enough; i++)
            show(scan, &fetched.records[i]);
        for (size_t i = 0; i < fetched.n_progress; i++) {
            struct sl_progress *end = end_of(scan, fetched.progress[i].partition);

            if (end)
                end->first_offset = fetched.progress[i].next_offset;
        }
    }
    return SL_OK;
}

enum sl_rc sl_dlq_scan(struct sl_transport *transport, const char *connector, const struct sl_topic *topic,
                       sl_dlq_visitor *visit, void *ctx, struct sl_error *err)
{
    struct scan scan = {.transport = transport, .visit = visit, .ctx = ctx};
    struct sl_progress *start = NULL;
    enum sl_rc rc = sl_dlq_ends(transport, connector, topic, &scan.ends, &scan.n_ends, err);
    char name[40];

    if (rc)
        return rc;
    start = sl_zalloc(scan.n_ends, sizeof(*start));
    for (size_t i = 0; i < scan.n_ends; i++) {
        start[i] = scan.ends[i];
        start[i].next_offset = scan.ends[i].first_offset;
    }
    (void)snprintf(name, sizeof(name), "sluice-dlq-scan-%d", (int)getpid());
    scan.arena = sl_arena_new(ARENA_CHUNK);
    rc = transport->ops->reader_open(transport, name, start, scan.n_ends, &scan.reader, err);
    if (rc == SL_OK)
        rc = read_all(&scan, err);
    if (scan.reader)
        transport->ops->reader_close(scan.reader);
    sl_arena_free(scan.arena);
    sl_free(scan.ends);
    sl_free(start);
    return rc;
}
