/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stream a write's log rows go to: generations for keyspaces with vnodes, a set of streams for each
 * table of a keyspace with tablets; how they follow one another, and which timestamps a CDC table accepts.
 *
 * A stream id is 16 bytes, big-endian: token (8), then 38 random bits, the index of the vnode range (22 bits,
 * 0 with tablets) and the version 1 (4 bits).
 *
 * A generation covers the whole ring: each range of it, ending at a token, has one stream for each shard,
 * whose token lies in the range and on the shard. A set of streams has one for each tablet, whose token is
 * the tablet's last.
 *
 * Threads: the caller locks (it is called under the store's lock). Nothing here is durable: save and load do
 * that.
 */
#ifndef SIM_SCYLLA_CDC_STREAMS_H
#define SIM_SCYLLA_CDC_STREAMS_H

#include "../session.h"
#include "../storage/buffer.h"

enum {
    SY_STREAM_ID_SIZE = 16,
    SY_CDC_FUTURE_US = 5 * 1000 * 1000, /* how far ahead of the server a write may be */
    SY_CDC_PAST_US = 5 * 1000 * 1000,   /* how long writes to the generation before are accepted */
};

struct sy_stream_id {
    uint8_t bytes[SY_STREAM_ID_SIZE];
};

struct sy_stream_range {
    int64_t end_token;
    struct sy_stream_id *streams; /* one for each shard, in their order */
};

struct sy_generation {
    int64_t start_ms;
    uint32_t n_ranges, n_shards;
    struct sy_stream_range *ranges; /* in the order of their tokens */
};

struct sy_stream_set {
    int64_t start_ms;
    uint32_t n;
    struct sy_stream_id *streams; /* in the order of their tokens */
};

/* The sets of one table with tablets. */
struct sy_table_streams {
    uint8_t table_id[16];
    struct sy_stream_set *sets; /* in the order of time */
    uint32_t n_sets;
};

struct sy_streams {
    uint64_t random;
    uint32_t n_shards, ignore_msb;
    struct sy_generation *generations; /* in the order of time */
    uint32_t n_generations;
    struct sy_table_streams *tables;
    uint32_t n_tables;
};

struct sy_streams *sy_streams_new(uint64_t seed, uint32_t n_shards, uint32_t ignore_msb);
void sy_streams_free(struct sy_streams *streams);

/* The shard of a token (scylla-cdc's and the server's rule: biased token round robin). */
uint32_t sy_streams_shard(const struct sy_streams *streams, int64_t token);

/*
 * Open a generation over the ring's tokens (ascending), from start_ms on; it must lie behind the last one:
 * when it does not, it is put one millisecond behind it. Returns it; valid until the next one is opened.
 */
const struct sy_generation *sy_streams_open_generation(struct sy_streams *streams, int64_t start_ms,
                                                       const int64_t *ring, uint32_t n_ring);

/* Open a set of n streams (a power of two) for a table; as above. */
const struct sy_stream_set *sy_streams_open_set(struct sy_streams *streams, const uint8_t table_id[16],
                                                int64_t start_ms, uint32_t n);
/*
 * Open a set in which one tablet of the last one is split: the others keep their streams. which: any number,
 * it is taken modulo the tablets. The table must have a set.
 */
const struct sy_stream_set *sy_streams_split_one(struct sy_streams *streams, const uint8_t table_id[16],
                                                 int64_t start_ms, uint64_t which);
/* Does the set have the stream? */
bool sy_streams_has(const struct sy_stream_set *set, const struct sy_stream_id *id);
/* The sets of a table; NULL when it has none. */
const struct sy_table_streams *sy_streams_of_table(const struct sy_streams *streams,
                                                   const uint8_t table_id[16]);
void sy_streams_drop_table(struct sy_streams *streams, const uint8_t table_id[16]);

/* Forget generations and sets that were followed by another one before that time. */
void sy_streams_expire(struct sy_streams *streams, int64_t before_ms);

/*
 * The stream of a partition's token for a write of that time. table_id: of the base table when its keyspace
 * has tablets, NULL for vnodes. NULL: *ret_error is the server's answer (0x2200 for a time that is not
 * accepted, 0x0000 when there are no streams of that time).
 */
const struct sy_stream_id *sy_streams_find(const struct sy_streams *streams, const uint8_t *table_id,
                                           int64_t token, int64_t write_us, int64_t now_us,
                                           struct sy_arena *arena, struct sy_error *ret_error);

void sy_streams_save(const struct sy_streams *streams, struct sy_buffer *out);
/* False when the bytes are no saved streams; the streams are then empty. */
bool sy_streams_load(struct sy_streams *streams, struct sy_reader *in);

#endif
