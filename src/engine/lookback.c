/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lookback.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"

enum {
    CHUNK = 256 << 10,
    FETCH_BYTES = 4 << 20,
    FETCH_RECORDS = 4000,
    FETCH_US = 250 * 1000,
    NOTHING_US = 10 * 1000 * 1000, /* what has not come by then does not come: go on without */
};

/* One partition: from where on, and up to where. */
struct stretch {
    struct sl_progress from; /* next_offset: where reading begins */
    int64_t until;
    int64_t at;
};

struct stretches {
    struct stretch *items;
    size_t n;
};

static struct stretch *find(struct stretches *stretches, const struct sl_topic *topic, int32_t partition)
{
    for (size_t i = 0; i < stretches->n; i++) {
        if (stretches->items[i].from.topic == topic && stretches->items[i].from.partition == partition)
            return &stretches->items[i];
    }
    return NULL;
}

/* Not before the oldest record that is still there. */
static void see_ends(void *ctx, const struct sl_topic_info *info)
{
    struct stretches *stretches = ctx;
    struct stretch *stretch =
        find(stretches, sl_topic_intern(info->name, strlen(info->name)), info->partition);

    if (stretch && stretch->from.next_offset < info->first_offset)
        stretch->from.next_offset = info->first_offset;
}

/* The stretches that hold anything, as the start of a reader. */
static size_t plan(struct sl_transport *transport, const struct sl_progress *partitions, size_t n,
                   struct stretches *stretches, struct sl_progress *start)
{
    struct sl_error err;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t until = partitions[i].next_offset;

        if (until <= 0)
            continue;
        stretches->items[stretches->n] = (struct stretch){.from = partitions[i], .until = until};
        stretches->items[stretches->n++].from.next_offset =
            until > SL_REPEATS_BACK ? until - SL_REPEATS_BACK : 0;
    }
    if (stretches->n && transport->ops->ends(transport, see_ends, stretches, &err))
        return 0;
    for (size_t i = 0; i < stretches->n; i++) {
        struct stretch *stretch = &stretches->items[i];

        stretch->at = stretch->from.next_offset;
        if (stretch->at < stretch->until) {
            start[kept] = stretch->from;
            stretches->items[kept++] = *stretch;
        }
    }
    stretches->n = kept;
    return kept;
}

static bool is_done(const struct stretches *stretches)
{
    for (size_t i = 0; i < stretches->n; i++) {
        if (stretches->items[i].at < stretches->items[i].until)
            return false;
    }
    return true;
}

static void take(struct stretches *stretches, const struct sl_fetched *fetched, struct sl_repeats *repeats)
{
    for (size_t i = 0; i < fetched->n_records; i++) {
        const struct sl_log_record *record = &fetched->records[i];
        const struct stretch *stretch = find(stretches, record->topic, record->partition);

        if (stretch && record->offset < stretch->until)
            (void)sl_repeats_look(repeats, record);
    }
    for (size_t i = 0; i < fetched->n_progress; i++) {
        struct stretch *stretch = find(stretches, fetched->progress[i].topic, fetched->progress[i].partition);

        if (stretch)
            stretch->at = fetched->progress[i].next_offset;
    }
}

static enum sl_rc read_all(struct sl_transport *transport, struct sl_log_reader *reader,
                           struct stretches *stretches, const struct sl_stop *stop,
                           struct sl_repeats *repeats, struct sl_error *err)
{
    struct sl_arena *arena = sl_arena_new(CHUNK);
    int64_t give_up_us = sl_now_us() + NOTHING_US;
    enum sl_rc rc = SL_OK;

    while (rc == SL_OK && !is_done(stretches) && !sl_stop_requested(stop) && sl_now_us() < give_up_us) {
        struct sl_fetched fetched = {0};

        sl_arena_reset(arena);
        rc = transport->ops->fetch(reader, FETCH_BYTES, FETCH_RECORDS, sl_now_us() + FETCH_US, arena,
                                   &fetched, err);
        if (rc == SL_OK && fetched.n_progress) {
            take(stretches, &fetched, repeats);
            give_up_us = sl_now_us() + NOTHING_US;
        }
    }
    sl_arena_free(arena);
    return rc;
}

enum sl_rc sl_lookback(struct sl_transport *transport, const char *reader,
                       const struct sl_progress *partitions, size_t n, const struct sl_stop *stop,
                       struct sl_repeats *repeats, struct sl_error *err)
{
    struct stretches stretches = {.items = sl_zalloc(n, sizeof(struct stretch))};
    struct sl_progress *start = sl_zalloc(n, sizeof(*start));
    struct sl_log_reader *log = NULL;
    enum sl_rc rc = SL_OK;

    if (plan(transport, partitions, n, &stretches, start))
        rc = transport->ops->reader_open(transport, reader, start, stretches.n, &log, err);
    if (rc == SL_OK && log) {
        rc = read_all(transport, log, &stretches, stop, repeats, err);
        transport->ops->reader_close(log);
    }
    sl_free(stretches.items);
    sl_free(start);
    /* Retention was faster than we: then what it took is not there to be compared with either. */
    return rc == SL_E_GAP ? SL_OK : rc;
}
