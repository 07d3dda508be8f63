/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/seen.h"

#include "base/hash.h"

enum {
    BUCKET_TICKS = 100 * 1000 * 1000, /* ten seconds */
    KEY_SIZE = 10,
    GROUP_SIZE = 16,
    FIRST_CAPACITY = 64,
    TASK_SHIFT = 48,
};

/*
 * An open-addressing table of marks, 64 bits that stand for a group; 0 is an empty slot. Eight bytes instead
 * of the group's sixteen: millions of them stand in a sweep's reach. Of two groups of the same ten seconds
 * one in 2^64 pairs has the same mark.
 */
struct sl_seen_bucket {
    uint64_t number; /* ticks / BUCKET_TICKS */
    uint64_t *marks;
    uint32_t n, capacity; /* a power of two */
};

const struct sl_span sl_seen_from = {(const uint8_t *)"e", 1};
const struct sl_span sl_seen_to = {(const uint8_t *)"f", 1};

static uint64_t be64(const uint8_t *at)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | at[i];
    return v;
}

struct sl_seen_group sl_seen_group_of(const uint8_t *stream, const uint8_t *time)
{
    uint64_t low = (uint64_t)time[0] << 24 | (uint64_t)time[1] << 16 | (uint64_t)time[2] << 8 | time[3];
    uint64_t middle = (uint64_t)time[4] << 8 | time[5];
    uint64_t high = (uint64_t)(time[6] & 0x0f) << 8 | time[7];
    uint64_t mixed = be64(stream) * 0x9e3779b97f4a7c15u ^ be64(stream + 8);

    return (struct sl_seen_group){
        .ticks = high << 48 | middle << 32 | low,
        .id = be64(time + 8) ^ (mixed << 31 | mixed >> 33),
    };
}

void sl_seen_done(struct sl_seen *seen)
{
    for (size_t i = 0; i < seen->n_buckets; i++)
        sl_free(seen->buckets[i].marks);
    sl_free(seen->buckets);
    sl_free(seen->notes);
    sl_buf_done(&seen->fresh);
    *seen = (struct sl_seen){0};
}

/* The first bucket that is not before that number. */
static size_t find_bucket(const struct sl_seen *seen, uint64_t number)
{
    size_t low = 0;
    size_t high = seen->n_buckets;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (seen->buckets[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t mark_of(struct sl_seen_group group)
{
    uint64_t mark = sl_hash_mix(group.ticks ^ SL_HASH_A, SL_HASH_B) ^ group.id;

    return mark ? mark : 1;
}

static uint64_t *find_slot(const struct sl_seen_bucket *bucket, uint64_t mark)
{
    uint32_t mask = bucket->capacity - 1;
    uint32_t at = (uint32_t)sl_hash_mix(mark ^ SL_HASH_A, SL_HASH_C) & mask;

    while (bucket->marks[at] && bucket->marks[at] != mark)
        at = (at + 1) & mask;
    return &bucket->marks[at];
}

bool sl_seen_has(const struct sl_seen *seen, struct sl_seen_group group)
{
    uint64_t number = group.ticks / BUCKET_TICKS;
    size_t at = find_bucket(seen, number);

    return at < seen->n_buckets && seen->buckets[at].number == number &&
           *find_slot(&seen->buckets[at], mark_of(group)) != 0;
}

static void grow(struct sl_seen_bucket *bucket)
{
    struct sl_seen_bucket larger = {
        .number = bucket->number,
        .n = bucket->n,
        .capacity = bucket->capacity ? bucket->capacity * 2 : FIRST_CAPACITY,
    };

    larger.marks = sl_zalloc(larger.capacity, sizeof(*larger.marks));
    for (uint32_t i = 0; i < bucket->capacity; i++) {
        if (bucket->marks[i])
            *find_slot(&larger, bucket->marks[i]) = bucket->marks[i];
    }
    sl_free(bucket->marks);
    *bucket = larger;
}

static struct sl_seen_bucket *bucket_for(struct sl_seen *seen, uint64_t number)
{
    size_t at = find_bucket(seen, number);

    if (at < seen->n_buckets && seen->buckets[at].number == number)
        return &seen->buckets[at];
    SL_GROW(seen->buckets, seen->n_buckets, seen->buckets_capacity);
    memmove(&seen->buckets[at + 1], &seen->buckets[at], (seen->n_buckets - at) * sizeof(*seen->buckets));
    seen->buckets[at] = (struct sl_seen_bucket){.number = number};
    seen->n_buckets++;
    return &seen->buckets[at];
}

static bool remember(struct sl_seen *seen, struct sl_seen_group group)
{
    struct sl_seen_bucket *bucket = bucket_for(seen, group.ticks / BUCKET_TICKS);
    uint64_t *slot;

    if ((bucket->n + 1) * 4 > bucket->capacity * 3)
        grow(bucket);
    slot = find_slot(bucket, mark_of(group));
    if (*slot)
        return false;
    *slot = mark_of(group);
    bucket->n++;
    seen->n_groups++;
    return true;
}

static void put_be64(struct sl_buf *out, uint64_t v)
{
    sl_buf_be32(out, (uint32_t)(v >> 32));
    sl_buf_be32(out, (uint32_t)v);
}

void sl_seen_add(struct sl_seen *seen, struct sl_seen_group group)
{
    if (!remember(seen, group))
        return;
    put_be64(&seen->fresh, group.ticks);
    put_be64(&seen->fresh, group.id);
    if (group.ticks > seen->fresh_last_ticks)
        seen->fresh_last_ticks = group.ticks;
}

static void put_key(uint8_t key[KEY_SIZE], uint64_t number)
{
    key[0] = 'e';
    key[1] = 1;
    for (int i = 0; i < 8; i++)
        key[2 + i] = (uint8_t)(number >> (56 - 8 * i));
}

/* Another task that runs drops its own. */
static bool is_ours(const struct sl_seen *seen, uint64_t number)
{
    uint64_t task = number >> TASK_SHIFT;

    return task == seen->task || task >= seen->n_tasks;
}

static void drop_notes(struct sl_seen *seen, uint64_t up_to_ticks, struct sl_batch *batch)
{
    size_t kept = 0;

    for (size_t i = 0; i < seen->n_notes; i++) {
        uint8_t key[KEY_SIZE];

        if (seen->notes[i].last_ticks > up_to_ticks || !is_ours(seen, seen->notes[i].number)) {
            seen->notes[kept++] = seen->notes[i];
            continue;
        }
        put_key(key, seen->notes[i].number);
        sl_batch_add_note(batch, (struct sl_span){key, KEY_SIZE}, (struct sl_span){0});
    }
    seen->n_notes = kept;
}

void sl_seen_drop(struct sl_seen *seen, uint64_t up_to_ticks, struct sl_batch *batch)
{
    size_t n = 0;

    while (n < seen->n_buckets && (seen->buckets[n].number + 1) * BUCKET_TICKS <= up_to_ticks) {
        seen->n_groups -= seen->buckets[n].n;
        sl_free(seen->buckets[n].marks);
        n++;
    }
    if (n) {
        seen->n_buckets -= n;
        memmove(seen->buckets, &seen->buckets[n], seen->n_buckets * sizeof(*seen->buckets));
    }
    drop_notes(seen, up_to_ticks, batch);
}

void sl_seen_store(struct sl_seen *seen, struct sl_batch *batch)
{
    struct sl_buf value = {0};
    uint8_t key[KEY_SIZE];

    if (!seen->fresh.len)
        return;
    put_key(key, (uint64_t)seen->task << TASK_SHIFT | seen->next_number);
    put_be64(&value, seen->fresh_last_ticks);
    sl_buf_put(&value, seen->fresh.data, seen->fresh.len);
    sl_batch_add_note(batch, (struct sl_span){key, KEY_SIZE}, (struct sl_span){value.data, value.len});
    sl_buf_done(&value);
    SL_GROW(seen->notes, seen->n_notes, seen->notes_capacity);
    seen->notes[seen->n_notes++] =
        (struct sl_seen_note){.number = (uint64_t)seen->task << TASK_SHIFT | seen->next_number++,
                              .last_ticks = seen->fresh_last_ticks};
    sl_buf_reset(&seen->fresh);
    seen->fresh_last_ticks = 0;
}

bool sl_seen_load(struct sl_seen *seen, const struct sl_note *note)
{
    uint64_t number;

    if (note->key.len != KEY_SIZE || note->key.ptr[0] != 'e' || note->key.ptr[1] != 1 ||
        note->value.len < 8 || (note->value.len - 8) % GROUP_SIZE)
        return false;
    number = be64(note->key.ptr + 2);
    for (size_t at = 8; at < note->value.len; at += GROUP_SIZE) {
        struct sl_seen_group group = {be64(note->value.ptr + at), be64(note->value.ptr + at + 8)};

        if (!group.ticks)
            return false;
        (void)remember(seen, group);
    }
    SL_GROW(seen->notes, seen->n_notes, seen->notes_capacity);
    seen->notes[seen->n_notes++] =
        (struct sl_seen_note){.number = number, .last_ticks = be64(note->value.ptr)};
    if (number >> TASK_SHIFT == seen->task && (number & ((1ULL << TASK_SHIFT) - 1)) >= seen->next_number)
        seen->next_number = (number & ((1ULL << TASK_SHIFT) - 1)) + 1;
    return true;
}
