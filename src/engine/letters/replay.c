/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/replay.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/props.h"
#include "engine/config/connector_options.h"
#include "engine/decoder.h"

#include <stdlib.h>

enum {
    ARENA_CHUNK = 256 << 10,
    FETCH_BYTES = 8 << 20,
    FETCH_RECORDS = 4000,
    FETCH_US = 500 * 1000,
    AGAIN = 2, /* attempts of a letter that was a letter before */
};

/* Origins that were seen in this run, as hashes in an open table; 0 is a free place. */
struct origins {
    uint64_t *places;
    size_t n, capacity; /* a power of two */
};

struct replay {
    const struct sl_shared *shared;
    const struct sl_connector *connector;
    const struct sl_dlq_filter *filter;
    bool drop;
    const struct sl_replay_guard *guard; /* or NULL */
    struct sl_replay_counts *counts;
    const struct sl_topic *topic;
    struct sl_progress *ends; /* first_offset: how far we are; next_offset: where the run ends */
    size_t n_ends;
    int64_t *at_target;     /* for each: the position that the target holds, -1: none. What was dropped lies
                               behind it */
    struct sl_props *props; /* the connector's, but that nothing stops the run */
    struct sl_log_reader *reader;
    struct sl_decoder decoder;
    struct sl_parking *again; /* keys whose letters stay, in memory only */
    bool keeps_order;         /* errors.park.keys */
    struct origins origins;
    struct sl_sink_env env;
    void *sink;
    struct sl_incoming incoming;
    bool released; /* the sink gave the batch back */
    bool durable;
    uint64_t not_applied; /* of the batch: failed again or waiting */

    /* One reading: the letters that are meant, as the records that they were, and those to be kept. */
    struct sl_log_record *meant, *kept;
    size_t n_meant, n_kept;
};

/* ---- origins ---- */

static bool put_place(struct origins *origins, uint64_t hash)
{
    size_t at = hash & (origins->capacity - 1);

    while (origins->places[at]) {
        if (origins->places[at] == hash)
            return false;
        at = (at + 1) & (origins->capacity - 1);
    }
    origins->places[at] = hash;
    return true;
}

static void grow(struct origins *origins)
{
    struct origins larger = {.capacity = origins->capacity ? origins->capacity * 2 : 1024};

    larger.places = sl_zalloc(larger.capacity, sizeof(*larger.places));
    for (size_t i = 0; i < origins->capacity; i++) {
        if (origins->places[i])
            (void)put_place(&larger, origins->places[i]);
    }
    larger.n = origins->n;
    sl_free(origins->places);
    *origins = larger;
}

/* True: the record was not seen before. */
static bool is_first(struct origins *origins, const struct sl_letter *letter)
{
    uint64_t hash = sl_hash_text(letter->topic);

    if (letter->offset < 0)
        return true;
    hash = sl_hash_mix(hash ^ (uint64_t)letter->offset, SL_HASH_A ^ (uint64_t)(uint32_t)letter->partition);
    hash = hash ? hash : 1;
    if (origins->n * 2 >= origins->capacity)
        grow(origins);
    if (!put_place(origins, hash))
        return false;
    origins->n++;
    return true;
}

/* ---- what the sink calls ---- */

static void release(void *ctx, struct sl_batch *batch, bool durable)
{
    struct replay *replay = ctx;

    (void)batch;
    replay->released = true;
    replay->durable = durable;
}

static enum sl_rc topic_identity(void *ctx, const struct sl_topic *topic, char **ret, struct sl_error *err)
{
    struct replay *replay = ctx;
    struct sl_transport *transport = replay->shared->transport;

    return transport->ops->topic_identity(transport, topic, ret, err);
}

static const struct sl_log_record *raw_of(const struct replay *replay, uint32_t record_index)
{
    return &replay->incoming.raw[replay->incoming.raw_of[record_index]];
}

static enum sl_rc bad_record(void *ctx, const struct sl_batch *batch, uint32_t record_index,
                             const struct sl_error *why, struct sl_error *err)
{
    struct replay *replay = ctx;
    const struct sl_log_record *raw = raw_of(replay, record_index);
    const struct sl_bad_record bad = {.raw = raw,
                                      .stage = "TASK_PUT",
                                      .class_name = "org.apache.kafka.connect.sink.SinkTask",
                                      .why = why,
                                      .attempt = AGAIN};

    (void)batch;
    replay->counts->failed++;
    replay->not_applied++;
    sl_warn("a dead letter failed again", SL_T("topic", raw->topic->name), SL_I("partition", raw->partition),
            SL_I("offset", raw->offset), SL_T("error", why->text));
    (void)sl_parking_park(replay->again, raw, NULL);
    return sl_dead_letters_write(replay->decoder.letters, &bad, 1, err);
}

static enum sl_rc parked(void *ctx, struct sl_batch *batch, const uint8_t **ret_skip,
                         uint64_t *ret_generation, struct sl_error *err)
{
    struct replay *replay = ctx;
    size_t n = 0;
    enum sl_rc rc = sl_parking_mark(replay->keeps_order ? replay->again : NULL, replay->decoder.letters,
                                    AGAIN, &replay->incoming, ret_skip, ret_generation, &n, err);

    (void)batch;
    replay->counts->waiting += n;
    replay->not_applied += n;
    return rc;
}

/* ---- one reading ---- */

static struct sl_progress *end_of(struct replay *replay, int32_t partition)
{
    for (size_t i = 0; i < replay->n_ends; i++) {
        if (replay->ends[i].partition == partition)
            return &replay->ends[i];
    }
    return NULL;
}

/* The record that the letter is of, with its own place and headers. */
static struct sl_log_record origin_of(struct replay *replay, const struct sl_log_record *record,
                                      const struct sl_letter *letter)
{
    struct sl_arena *arena = replay->incoming.batch->arena;
    struct sl_log_record origin = *record;
    struct sl_buf headers = {0};

    origin.topic = sl_topic_intern(letter->topic, strlen(letter->topic));
    origin.partition = letter->partition;
    origin.offset = letter->offset;
    sl_letter_own_headers(record->headers, &headers);
    origin.headers = (struct sl_span){0};
    if (headers.len)
        origin.headers = (struct sl_span){sl_arena_copy(arena, headers.data, headers.len), headers.len};
    sl_buf_done(&headers);
    return origin;
}

static void sort_letter(struct replay *replay, const struct sl_log_record *record,
                        const struct sl_letter *letter)
{
    struct sl_log_record origin = origin_of(replay, record, letter);
    int64_t behind;

    if (!is_first(&replay->origins, letter))
        return;
    if (sl_dlq_matches(replay->filter, record, letter) &&
        !(replay->keeps_order && sl_parking_waits(replay->again, &origin, &behind))) {
        replay->meant[replay->n_meant++] = origin;
        return;
    }
    (void)sl_parking_park(replay->again, &origin, NULL);
    replay->kept[replay->n_kept++] = *record;
}

static void sort_out(struct replay *replay, const struct sl_fetched *fetched)
{
    struct sl_arena *arena = replay->incoming.batch->arena;

    replay->meant = sl_arena_alloc(arena, (fetched->n_records + 1) * sizeof(*replay->meant));
    replay->kept = sl_arena_alloc(arena, (fetched->n_records + 1) * sizeof(*replay->kept));
    replay->n_meant = replay->n_kept = 0;
    for (size_t i = 0; i < fetched->n_records; i++) {
        const struct sl_log_record *record = &fetched->records[i];
        const struct sl_progress *end = end_of(replay, record->partition);
        struct sl_letter letter = {0};

        if (!end || record->offset >= end->next_offset)
            continue;
        if (sl_letter_read(record->headers, &letter) &&
            strcmp(letter.connector, replay->connector->name) == 0 && letter.offset >= 0)
            sort_letter(replay, record, &letter);
        else
            replay->counts->others++;
        sl_letter_done(&letter);
    }
}

static int by_origin(const void *a, const void *b)
{
    const struct sl_log_record *x = a;
    const struct sl_log_record *y = b;

    if (x->topic != y->topic)
        return strcmp(x->topic->name, y->topic->name);
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The reading's progress in the dead letter topic, cut at the ends of the run. */
static size_t take_progress(struct replay *replay, const struct sl_fetched *fetched,
                            struct sl_progress *progress)
{
    size_t n = 0;

    for (size_t i = 0; i < fetched->n_progress; i++) {
        struct sl_progress *end = end_of(replay, fetched->progress[i].partition);
        int64_t next = fetched->progress[i].next_offset;
        int64_t *at_target;

        if (!end || end->first_offset >= end->next_offset)
            continue;
        next = next < end->next_offset ? next : end->next_offset;
        at_target = &replay->at_target[end - replay->ends];
        progress[n++] = (struct sl_progress){.topic = replay->topic,
                                             .partition = end->partition,
                                             .first_offset = *at_target >= 0 ? *at_target : end->first_offset,
                                             .next_offset = next};
        *at_target = next;
        end->first_offset = next;
    }
    return n;
}

static enum sl_rc settle(struct replay *replay, const struct sl_progress *progress, size_t n,
                         struct sl_error *err)
{
    struct sl_transport *transport = replay->shared->transport;
    char *reader = sl_dlq_reader(replay->connector->name);
    enum sl_rc rc = transport->ops->commit(transport, reader, progress, n, err);

    sl_free(reader);
    return rc;
}

static uint64_t failed_to_decode(struct replay *replay)
{
    struct sl_error_counts counts;

    sl_dead_letters_counts(replay->decoder.letters, &counts);
    return counts.failures;
}

static enum sl_rc apply(struct replay *replay, const struct sl_progress *progress, size_t n,
                        struct sl_error *err)
{
    const struct sl_sink_ops *sink = replay->connector->sink;
    const struct sl_fetched meant = {
        .records = replay->meant, .n_records = replay->n_meant, .progress = progress, .n_progress = n};
    uint64_t undecoded = failed_to_decode(replay);
    enum sl_rc rc;

    qsort(replay->meant, replay->n_meant, sizeof(*replay->meant), by_origin);
    replay->not_applied = 0;
    rc = sl_decoder_decode(&replay->decoder, &meant, &replay->incoming, err);
    undecoded = failed_to_decode(replay) - undecoded;
    replay->counts->failed += undecoded;
    if (rc == SL_OK)
        rc = sink->put(replay->sink, replay->incoming.batch, err);
    if (rc == SL_OK)
        rc = sink->flush(replay->sink, err);
    if (rc == SL_OK)
        replay->counts->replayed += replay->n_meant - replay->not_applied - undecoded;
    return rc;
}

static enum sl_rc one_reading(struct replay *replay, struct sl_error *err)
{
    struct sl_transport *transport = replay->shared->transport;
    struct sl_progress *progress = sl_zalloc(replay->n_ends, sizeof(*progress));
    struct sl_fetched fetched = {0};
    enum sl_rc rc;
    size_t n;

    sl_batch_reset(replay->incoming.batch);
    replay->incoming.parked = NULL;
    replay->incoming.parked_generation = 0;
    rc = transport->ops->fetch(replay->reader, FETCH_BYTES, FETCH_RECORDS, sl_now_us() + FETCH_US,
                               replay->incoming.batch->arena, &fetched, err);
    if (rc == SL_OK)
        sort_out(replay, &fetched);
    n = rc == SL_OK ? take_progress(replay, &fetched, progress) : 0;
    if (rc == SL_OK && n)
        rc = sl_dead_letters_put_back(replay->decoder.letters, replay->kept, replay->n_kept, err);
    if (rc == SL_OK && n && !replay->drop)
        rc = apply(replay, progress, n, err);
    if (rc == SL_OK && n)
        rc = settle(replay, progress, n, err);
    if (rc == SL_OK && n) {
        replay->counts->kept += replay->n_kept;
        replay->counts->dropped += replay->drop ? replay->n_meant : 0;
    }
    sl_free(progress);
    return rc;
}

static bool at_the_end(const struct replay *replay)
{
    for (size_t i = 0; i < replay->n_ends; i++) {
        if (replay->ends[i].first_offset < replay->ends[i].next_offset)
            return false;
    }
    return true;
}

/* ---- parked keys ---- */

static bool stays(void *ctx, const char *key)
{
    return sl_parking_has(ctx, key);
}

static enum sl_rc let_keys_go(struct replay *replay, struct sl_error *err)
{
    struct sl_parking *parking = NULL;
    enum sl_rc rc = sl_parking_open(replay->shared->transport, replay->connector->name, &parking, err);
    size_t before;

    if (rc)
        return rc;
    before = sl_parking_count(parking);
    rc = sl_parking_release(parking, stays, replay->again, err);
    replay->counts->keys_released = before - sl_parking_count(parking);
    sl_parking_close(parking);
    return rc;
}

/* ---- a run ---- */

static enum sl_rc open_decoder(struct replay *replay, struct sl_error *err)
{
    const struct sl_shared *shared = replay->shared;
    const struct sl_connector *connector = replay->connector;
    struct sl_decoder *decoder = &replay->decoder;
    enum sl_rc rc = sl_chain_open(&decoder->chain, shared->plugins, replay->props, err);

    decoder->parking = replay->again;
    decoder->replays = true;
    if (rc == SL_OK)
        rc = sl_converters_open(&decoder->converters, shared->plugins, shared->worker, replay->props,
                                shared->registry, err);
    if (rc == SL_OK)
        rc = sl_dead_letters_open(&decoder->letters, connector->name, 0, replay->props,
                                  &shared->topic_settings, shared->topics, shared->writer, err);
    return rc;
}

/* Where the target says that we are; it may know more than the log, and less when letters were dropped. */
static enum sl_rc take_over(struct replay *replay, const struct sl_progress *partitions, struct sl_error *err)
{
    for (size_t i = 0; i < replay->n_ends; i++) {
        struct sl_progress *end = &replay->ends[i];
        int64_t at = partitions[i].next_offset;

        if (at > end->next_offset)
            return sl_error_set(
                err, SL_E_FOREIGN_POSITION,
                "the target has replayed topic '%s', partition %d, up to offset %lld, and the topic "
                "ends at %lld. HINT: is this the log that the connector reads?",
                replay->topic->name, (int)end->partition, (long long)at, (long long)end->next_offset);
        replay->at_target[i] = at;
        if (at > end->first_offset)
            end->first_offset = at;
    }
    return SL_OK;
}

static enum sl_rc open_sink(struct replay *replay, struct sl_error *err)
{
    const struct sl_sink_ops *sink = replay->connector->sink;
    struct sl_progress *partitions = sl_zalloc(replay->n_ends, sizeof(*partitions));
    enum sl_rc rc = sink->open(&replay->env, replay->props, &replay->sink, err);

    for (size_t i = 0; i < replay->n_ends; i++)
        partitions[i] = (struct sl_progress){
            .topic = replay->topic, .partition = replay->ends[i].partition, .next_offset = -1};
    if (rc == SL_OK)
        rc = sink->assign(replay->sink, partitions, replay->n_ends, err);
    if (rc == SL_OK)
        rc = take_over(replay, partitions, err);
    sl_free(partitions);
    return rc;
}

static enum sl_rc open_reader(struct replay *replay, struct sl_error *err)
{
    struct sl_transport *transport = replay->shared->transport;
    struct sl_progress *start = sl_zalloc(replay->n_ends, sizeof(*start));
    char *name = sl_dlq_reader(replay->connector->name);
    enum sl_rc rc;

    for (size_t i = 0; i < replay->n_ends; i++) {
        start[i] = replay->ends[i];
        start[i].next_offset = replay->ends[i].first_offset;
    }
    rc = transport->ops->reader_open(transport, name, start, replay->n_ends, &replay->reader, err);
    sl_free(name);
    sl_free(start);
    return rc;
}

static enum sl_rc may_go_on(const struct replay *replay, struct sl_error *err)
{
    return replay->guard ? replay->guard->may_go_on(replay->guard->ctx, replay->counts, err) : SL_OK;
}

static enum sl_rc run(struct replay *replay, struct sl_error *err)
{
    struct sl_transport *transport = replay->shared->transport;
    enum sl_rc rc = open_decoder(replay, err);

    if (rc == SL_OK)
        rc = sl_dlq_ends(transport, replay->connector->name, replay->topic, &replay->ends, &replay->n_ends,
                         err);
    if (rc == SL_OK) {
        replay->at_target = sl_zalloc(replay->n_ends, sizeof(*replay->at_target));
        for (size_t i = 0; i < replay->n_ends; i++)
            replay->at_target[i] = -1;
    }
    if (rc == SL_OK && !replay->drop)
        rc = open_sink(replay, err);
    if (rc == SL_OK)
        rc = open_reader(replay, err);
    if (rc == SL_OK)
        rc = may_go_on(replay, err);
    while (rc == SL_OK && !at_the_end(replay)) {
        rc = one_reading(replay, err);
        if (rc == SL_OK)
            rc = may_go_on(replay, err);
    }
    if (rc == SL_OK && transport->ops->sync_commits) /* what was dropped does not come back */
        rc = transport->ops->sync_commits(transport, err);
    if (rc == SL_OK)
        rc = let_keys_go(replay, err);
    return rc;
}

static void close_all(struct replay *replay)
{
    if (replay->reader)
        replay->shared->transport->ops->reader_close(replay->reader);
    if (replay->sink)
        replay->connector->sink->close(replay->sink);
    sl_dead_letters_close(replay->decoder.letters);
    sl_converters_close(&replay->decoder.converters);
    sl_chain_close(&replay->decoder.chain);
    sl_batch_free(replay->incoming.batch);
    sl_parking_close(replay->again);
    sl_free(replay->origins.places);
    sl_free(replay->ends);
    sl_free(replay->at_target);
    sl_props_free(replay->props);
}

void sl_replay_counts_json(const struct sl_replay_counts *counts, json_t *object)
{
    const struct {
        const char *name;
        uint64_t count;
    } all[] = {{"replayed", counts->replayed}, {"failed_again", counts->failed},
               {"waiting", counts->waiting},   {"kept", counts->kept},
               {"dropped", counts->dropped},   {"keys_released", counts->keys_released}};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        (void)json_object_set_new(object, all[i].name, json_integer((json_int_t)all[i].count));
}

enum sl_rc sl_replay_run(const struct sl_shared *shared, const struct sl_connector *connector,
                         const struct sl_dlq_filter *filter, bool drop, const struct sl_replay_guard *guard,
                         struct sl_replay_counts *ret, struct sl_error *err)
{
    const char *topic = sl_connector_text(connector->props, "errors.deadletterqueue.topic.name");
    struct replay replay = {.shared = shared,
                            .connector = connector,
                            .filter = filter,
                            .drop = drop,
                            .guard = guard,
                            .counts = ret,
                            .keeps_order =
                                connector->sink && sl_connector_bool(connector->props, "errors.park.keys")};
    enum sl_rc rc;

    *ret = (struct sl_replay_counts){0};
    if (!connector->sink || !topic || !*topic)
        return sl_error_set(
            err, SL_E_CONFIG, "connector '%s' is %s. HINT: only a sink's dead letters can be replayed",
            connector->name, connector->sink ? "a sink without dead letter topic" : "no sink");
    replay.topic = sl_topic_intern(topic, strlen(topic));
    replay.props = sl_props_copy(connector->props);
    sl_props_set(replay.props, "errors.tolerance", "all");
    replay.again = sl_parking_in_memory(connector->name);
    replay.incoming.batch = sl_batch_new(ARENA_CHUNK);
    replay.env = (struct sl_sink_env){.connector = connector->name,
                                      .log_identity = shared->transport->ops->identity(shared->transport),
                                      .topic_identity = topic_identity,
                                      .ctx = &replay,
                                      .release = release,
                                      .bad_record = bad_record,
                                      .parked = parked,
                                      .whole = true};
    rc = run(&replay, err);
    close_all(&replay);
    return rc;
}
