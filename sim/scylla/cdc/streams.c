/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include "../storage/arena.h"
#include "../types/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 4000, VERSION = 1 };

static void *need(void *memory)
{
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    return memory;
}

static uint64_t draw(struct sy_streams *streams)
{
    uint64_t z = streams->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct sy_streams *sy_streams_new(uint64_t seed, uint32_t n_shards, uint32_t ignore_msb)
{
    struct sy_streams *streams = need(calloc(1, sizeof(*streams)));

    streams->random = seed ^ 0x73747265616d73u;
    streams->n_shards = n_shards;
    streams->ignore_msb = ignore_msb;
    return streams;
}

static void free_generation(struct sy_generation *generation)
{
    for (uint32_t i = 0; i < generation->n_ranges; i++)
        free(generation->ranges[i].streams);
    free(generation->ranges);
}

static void free_sets(struct sy_table_streams *table)
{
    for (uint32_t i = 0; i < table->n_sets; i++)
        free(table->sets[i].streams);
    free(table->sets);
}

static void clear(struct sy_streams *streams)
{
    for (uint32_t i = 0; i < streams->n_generations; i++)
        free_generation(&streams->generations[i]);
    for (uint32_t i = 0; i < streams->n_tables; i++)
        free_sets(&streams->tables[i]);
    free(streams->generations);
    free(streams->tables);
    streams->generations = NULL;
    streams->tables = NULL;
    streams->n_generations = streams->n_tables = 0;
}

void sy_streams_free(struct sy_streams *streams)
{
    if (!streams)
        return;
    clear(streams);
    free(streams);
}

uint32_t sy_streams_shard(const struct sy_streams *streams, int64_t token)
{
    uint64_t biased = ((uint64_t)token + (1ULL << 63)) << streams->ignore_msb;

    return (uint32_t)((__extension__(unsigned __int128) biased * streams->n_shards) >> 64);
}

static struct sy_stream_id make_id(struct sy_streams *streams, int64_t token, uint32_t index)
{
    struct sy_stream_id id;
    uint64_t low = (draw(streams) & ~((1ULL << 26) - 1)) | (uint64_t)(index & 0x3fffff) << 4 | 1;

    sy_put_u64(id.bytes, (uint64_t)token);
    sy_put_u64(id.bytes + 8, low);
    return id;
}

/* ---- generations ---- */

/* A token in (before, end] on that shard; when the range holds none that is found, one in the range. */
static int64_t token_on_shard(struct sy_streams *streams, int64_t before, int64_t end, uint32_t shard)
{
    uint64_t width = (uint64_t)end - (uint64_t)before; /* 0: the whole ring */
    int64_t token = end;

    for (int i = 0; i < TRIES; i++) {
        token = (int64_t)((uint64_t)before + 1 + (width ? draw(streams) % width : draw(streams)));
        if (token != INT64_MIN && sy_streams_shard(streams, token) == shard)
            return token;
    }
    return token;
}

static void fill_range(struct sy_streams *streams, struct sy_stream_range *range, int64_t before, int64_t end,
                       uint32_t index)
{
    range->end_token = end;
    range->streams = need(calloc(streams->n_shards, sizeof(*range->streams)));
    for (uint32_t shard = 0; shard < streams->n_shards; shard++)
        range->streams[shard] = make_id(streams, token_on_shard(streams, before, end, shard), index);
}

const struct sy_generation *sy_streams_open_generation(struct sy_streams *streams, int64_t start_ms,
                                                       const int64_t *ring, uint32_t n_ring)
{
    struct sy_generation *generation;

    if (streams->n_generations && start_ms <= streams->generations[streams->n_generations - 1].start_ms)
        start_ms = streams->generations[streams->n_generations - 1].start_ms + 1;
    streams->generations =
        need(realloc(streams->generations, (streams->n_generations + 1) * sizeof(*streams->generations)));
    generation = &streams->generations[streams->n_generations++];
    *generation =
        (struct sy_generation){.start_ms = start_ms, .n_ranges = n_ring, .n_shards = streams->n_shards};
    generation->ranges = need(calloc(n_ring ? n_ring : 1, sizeof(*generation->ranges)));
    for (uint32_t i = 0; i < n_ring; i++)
        fill_range(streams, &generation->ranges[i], ring[i ? i - 1 : n_ring - 1], ring[i], i);
    return generation;
}

/* The range of a token: the first that ends at or behind it; behind the last one, the first again. */
static const struct sy_stream_range *find_range(const struct sy_generation *generation, int64_t token)
{
    uint32_t low = 0;
    uint32_t high = generation->n_ranges;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (generation->ranges[middle].end_token < token)
            low = middle + 1;
        else
            high = middle;
    }
    return &generation->ranges[low < generation->n_ranges ? low : 0];
}

/* The newest generation that began at or before that time; NULL when there is none. */
static const struct sy_generation *generation_at(const struct sy_streams *streams, int64_t us)
{
    for (uint32_t i = streams->n_generations; i > 0; i--) {
        if (streams->generations[i - 1].start_ms * 1000 <= us)
            return &streams->generations[i - 1];
    }
    return NULL;
}

/* ---- sets ---- */

static struct sy_table_streams *find_table(const struct sy_streams *streams, const uint8_t table_id[16])
{
    for (uint32_t i = 0; i < streams->n_tables; i++) {
        if (memcmp(streams->tables[i].table_id, table_id, 16) == 0)
            return &streams->tables[i];
    }
    return NULL;
}

static struct sy_table_streams *table_for(struct sy_streams *streams, const uint8_t table_id[16])
{
    struct sy_table_streams *table = find_table(streams, table_id);

    if (table)
        return table;
    streams->tables = need(realloc(streams->tables, (streams->n_tables + 1) * sizeof(*streams->tables)));
    table = &streams->tables[streams->n_tables++];
    *table = (struct sy_table_streams){0};
    memcpy(table->table_id, table_id, 16);
    return table;
}

/* The last token of tablet i of n. */
static int64_t last_token(uint32_t i, uint32_t n)
{
    __extension__ const unsigned __int128 whole = (unsigned __int128)1 << 64;

    return (int64_t)((uint64_t)(whole * (i + 1) / n - 1) ^ 1ULL << 63);
}

/* An empty set of n streams behind the table's last one. */
static struct sy_stream_set *add_set(struct sy_table_streams *table, int64_t start_ms, uint32_t n)
{
    struct sy_stream_set *set;

    if (table->n_sets && start_ms <= table->sets[table->n_sets - 1].start_ms)
        start_ms = table->sets[table->n_sets - 1].start_ms + 1;
    table->sets = need(realloc(table->sets, (table->n_sets + 1) * sizeof(*table->sets)));
    set = &table->sets[table->n_sets++];
    *set = (struct sy_stream_set){.start_ms = start_ms, .n = n};
    set->streams = need(calloc(n, sizeof(*set->streams)));
    return set;
}

const struct sy_stream_set *sy_streams_open_set(struct sy_streams *streams, const uint8_t table_id[16],
                                                int64_t start_ms, uint32_t n)
{
    struct sy_stream_set *set = add_set(table_for(streams, table_id), start_ms, n);

    for (uint32_t i = 0; i < n; i++)
        set->streams[i] = make_id(streams, last_token(i, n), 0);
    return set;
}

const struct sy_stream_set *sy_streams_split_one(struct sy_streams *streams, const uint8_t table_id[16],
                                                 int64_t start_ms, uint64_t which)
{
    struct sy_table_streams *table = table_for(streams, table_id);
    uint32_t n = table->sets[table->n_sets - 1].n;
    struct sy_stream_set *set = add_set(table, start_ms, n + 1);
    const struct sy_stream_id *former = table->sets[table->n_sets - 2].streams;
    uint32_t split = (uint32_t)(which % n);
    uint64_t before = split ? sy_get_u64(former[split - 1].bytes) : 1ULL << 63;
    uint64_t end = sy_get_u64(former[split].bytes);

    memcpy(set->streams, former, split * sizeof(*former));
    set->streams[split] = make_id(streams, (int64_t)(before + (end - before) / 2), 0);
    set->streams[split + 1] = make_id(streams, (int64_t)end, 0);
    memcpy(&set->streams[split + 2], &former[split + 1], (n - split - 1) * sizeof(*former));
    return set;
}

bool sy_streams_has(const struct sy_stream_set *set, const struct sy_stream_id *id)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (memcmp(set->streams[i].bytes, id->bytes, SY_STREAM_ID_SIZE) == 0)
            return true;
    }
    return false;
}

const struct sy_table_streams *sy_streams_of_table(const struct sy_streams *streams,
                                                   const uint8_t table_id[16])
{
    return find_table(streams, table_id);
}

void sy_streams_drop_table(struct sy_streams *streams, const uint8_t table_id[16])
{
    struct sy_table_streams *table = find_table(streams, table_id);

    if (!table)
        return;
    free_sets(table);
    *table = streams->tables[--streams->n_tables];
}

static const struct sy_stream_set *set_at(const struct sy_table_streams *table, int64_t us)
{
    for (uint32_t i = table ? table->n_sets : 0; i > 0; i--) {
        if (table->sets[i - 1].start_ms * 1000 <= us)
            return &table->sets[i - 1];
    }
    return NULL;
}

static const struct sy_stream_id *stream_in_set(const struct sy_stream_set *set, int64_t token)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if ((int64_t)sy_get_u64(set->streams[i].bytes) >= token)
            return &set->streams[i];
    }
    return &set->streams[0];
}

/* ---- time ---- */

void sy_streams_expire(struct sy_streams *streams, int64_t before_ms)
{
    uint32_t n = 0;

    while (n + 1 < streams->n_generations && streams->generations[n + 1].start_ms <= before_ms)
        free_generation(&streams->generations[n++]);
    streams->n_generations -= n;
    memmove(streams->generations, streams->generations + n,
            streams->n_generations * sizeof(*streams->generations));
    for (uint32_t t = 0; t < streams->n_tables; t++) {
        struct sy_table_streams *table = &streams->tables[t];

        for (n = 0; n + 1 < table->n_sets && table->sets[n + 1].start_ms <= before_ms; n++)
            free(table->sets[n].streams);
        table->n_sets -= n;
        memmove(table->sets, table->sets + n, table->n_sets * sizeof(*table->sets));
    }
}

static const struct sy_stream_id *refuse(struct sy_arena *arena, struct sy_error *ret_error, int32_t code,
                                         const char *what, int64_t write_us, int64_t now_us)
{
    *ret_error = (struct sy_error){
        .code = code,
        .message =
            sy_arena_format(arena, "%s (write timestamp %" PRId64 " us; current server time %" PRId64 " us)",
                            what, write_us, now_us),
        .extra = {.len = SY_NULL},
    };
    return NULL;
}

/* A write of the past is for the current generation, and only once that has lasted for a while. */
static bool is_too_old(const struct sy_streams *streams, int64_t write_us, int64_t now_us)
{
    const struct sy_generation *settled = generation_at(streams, now_us - SY_CDC_PAST_US);

    if (write_us > now_us - SY_CDC_PAST_US)
        return false;
    return !settled || write_us < settled->start_ms * 1000 || settled != generation_at(streams, now_us);
}

static const struct sy_stream_id *find_in_generations(const struct sy_streams *streams, int64_t token,
                                                      int64_t write_us, int64_t now_us,
                                                      struct sy_arena *arena, struct sy_error *ret_error)
{
    const struct sy_generation *generation = generation_at(streams, write_us);

    if (is_too_old(streams, write_us, now_us))
        return refuse(arena, ret_error, 0x2200, "cdc: attempted to get a stream \"from the past\"", write_us,
                      now_us);
    if (!generation)
        return refuse(arena, ret_error, 0x0000,
                      "cdc::metadata::get_stream: could not find any CDC stream for the timestamp", write_us,
                      now_us);
    return &find_range(generation, token)->streams[sy_streams_shard(streams, token)];
}

const struct sy_stream_id *sy_streams_find(const struct sy_streams *streams, const uint8_t *table_id,
                                           int64_t token, int64_t write_us, int64_t now_us,
                                           struct sy_arena *arena, struct sy_error *ret_error)
{
    const struct sy_stream_set *set;

    if (write_us > now_us + SY_CDC_FUTURE_US)
        return refuse(arena, ret_error, 0x2200, "cdc: attempted to get a stream \"from the future\"",
                      write_us, now_us);
    if (!table_id)
        return find_in_generations(streams, token, write_us, now_us, arena, ret_error);
    set = set_at(find_table(streams, table_id), write_us);
    if (!set)
        return refuse(
            arena, ret_error, 0x0000,
            "cdc::metadata::get_stream: could not find any CDC streams of the table for the timestamp",
            write_us, now_us);
    return stream_in_set(set, token);
}

/* ---- to bytes and back ---- */

static void save_ids(struct sy_buffer *out, const struct sy_stream_id *ids, uint32_t n)
{
    sy_buffer_put(out, ids, n * sizeof(*ids));
}

void sy_streams_save(const struct sy_streams *streams, struct sy_buffer *out)
{
    sy_buffer_put_u8(out, VERSION);
    sy_buffer_put_u64(out, streams->random);
    sy_buffer_put_varint(out, streams->n_generations);
    for (uint32_t i = 0; i < streams->n_generations; i++) {
        const struct sy_generation *generation = &streams->generations[i];

        sy_buffer_put_u64(out, (uint64_t)generation->start_ms);
        sy_buffer_put_varint(out, generation->n_ranges);
        sy_buffer_put_varint(out, generation->n_shards);
        for (uint32_t k = 0; k < generation->n_ranges; k++) {
            sy_buffer_put_u64(out, (uint64_t)generation->ranges[k].end_token);
            save_ids(out, generation->ranges[k].streams, generation->n_shards);
        }
    }
    sy_buffer_put_varint(out, streams->n_tables);
    for (uint32_t i = 0; i < streams->n_tables; i++) {
        const struct sy_table_streams *table = &streams->tables[i];

        sy_buffer_put(out, table->table_id, sizeof(table->table_id));
        sy_buffer_put_varint(out, table->n_sets);
        for (uint32_t k = 0; k < table->n_sets; k++) {
            sy_buffer_put_u64(out, (uint64_t)table->sets[k].start_ms);
            sy_buffer_put_varint(out, table->sets[k].n);
            save_ids(out, table->sets[k].streams, table->sets[k].n);
        }
    }
}

static struct sy_stream_id *load_ids(struct sy_reader *in, uint64_t n)
{
    const uint8_t *bytes;
    struct sy_stream_id *ids;

    if (n == 0 || n > (size_t)(in->end - in->at) / sizeof(*ids)) {
        in->bad = true;
        return NULL;
    }
    bytes = sy_reader_bytes(in, n * sizeof(*ids));
    ids = need(calloc(n, sizeof(*ids)));
    memcpy(ids, bytes, n * sizeof(*ids));
    return ids;
}

static void load_generation(struct sy_streams *streams, struct sy_reader *in)
{
    struct sy_generation generation = {.start_ms = (int64_t)sy_reader_u64(in)};
    uint64_t n_ranges = sy_reader_varint(in);
    uint64_t n_shards = sy_reader_varint(in);

    if (in->bad || n_shards != streams->n_shards || n_ranges > (size_t)(in->end - in->at) / 8) {
        in->bad = true;
        return;
    }
    generation.n_shards = (uint32_t)n_shards;
    generation.ranges = need(calloc(n_ranges ? n_ranges : 1, sizeof(*generation.ranges)));
    while (generation.n_ranges < n_ranges && !in->bad) {
        struct sy_stream_range *range = &generation.ranges[generation.n_ranges++];

        range->end_token = (int64_t)sy_reader_u64(in);
        range->streams = load_ids(in, n_shards);
    }
    streams->generations =
        need(realloc(streams->generations, (streams->n_generations + 1) * sizeof(*streams->generations)));
    streams->generations[streams->n_generations++] = generation;
}

static void load_table(struct sy_streams *streams, struct sy_reader *in)
{
    const uint8_t *id = sy_reader_bytes(in, 16);
    uint64_t n_sets = sy_reader_varint(in);
    struct sy_table_streams *table;

    if (in->bad || !id)
        return;
    table = table_for(streams, id);
    for (uint64_t i = 0; i < n_sets && !in->bad; i++) {
        struct sy_stream_set set = {.start_ms = (int64_t)sy_reader_u64(in)};
        uint64_t n = sy_reader_varint(in);

        set.streams = load_ids(in, n);
        set.n = set.streams ? (uint32_t)n : 0;
        table->sets = need(realloc(table->sets, (table->n_sets + 1) * sizeof(*table->sets)));
        table->sets[table->n_sets++] = set;
    }
}

bool sy_streams_load(struct sy_streams *streams, struct sy_reader *in)
{
    uint64_t n;

    clear(streams);
    if (sy_reader_u8(in) != VERSION)
        return false;
    streams->random = sy_reader_u64(in);
    for (n = sy_reader_varint(in); n && !in->bad; n--)
        load_generation(streams, in);
    for (n = in->bad ? 0 : sy_reader_varint(in); n && !in->bad; n--)
        load_table(streams, in);
    if (in->bad)
        clear(streams);
    return !in->bad;
}
