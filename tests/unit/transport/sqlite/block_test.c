/* SPDX-License-Identifier: Apache-2.0 */
#include "workplace.h"

#include "transport/sqlite/block.h"

#include <stdlib.h>
#include <string.h>

enum { N = 200 };

struct sample {
    struct sl_log_record records[N];
    uint8_t bytes[N][3][40];
    int64_t offsets[N];
    int64_t ordinals[N];
};

static uint64_t seed;

static uint64_t next_random(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return seed >> 33;
}

static struct sl_span random_span(uint8_t *bytes, bool may_be_null)
{
    size_t len = next_random() % 40;

    if (may_be_null && next_random() % 5 == 0)
        return (struct sl_span){0};
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(next_random() % 7);
    return (struct sl_span){.ptr = bytes, .len = len};
}

static void fill(struct sample *sample, uint64_t from)
{
    int64_t offset = 1000;
    int64_t ordinal = -1;

    seed = from;
    for (int i = 0; i < N; i++) {
        struct sl_log_record *record = &sample->records[i];

        record->key = random_span(sample->bytes[i][0], true);
        record->value = random_span(sample->bytes[i][1], true);
        record->headers = random_span(sample->bytes[i][2], false);
        record->timestamp_ms = next_random() % 4 ? (int64_t)next_random() - 1000000 : SL_NO_TIMESTAMP;
        offset += from % 2 ? 1 : 1 + (int64_t)(next_random() % 3);
        ordinal += from % 2 ? 1 : 1 + (int64_t)(next_random() % 300);
        sample->offsets[i] = offset;
        sample->ordinals[i] = ordinal;
    }
}

static struct sl_buf encode(const struct sample *sample, enum sl_block_codec codec)
{
    struct sl_block_encoder encoder = {.codec = codec};
    struct sl_buf block = {0};

    sl_block_begin(&encoder, 7, 8, 1000);
    for (int i = 0; i < N; i++)
        sl_block_add(&encoder, &sample->records[i], sample->offsets[i], sample->ordinals[i]);
    sl_block_end(&encoder, sample->offsets[N - 1] + 3, &block);
    sl_block_encoder_done(&encoder);
    return block;
}

static void same_span(struct sl_span a, struct sl_span b, bool null_is_empty)
{
    if (!null_is_empty)
        assert_int_equal(a.ptr == NULL, b.ptr == NULL);
    assert_int_equal(a.len, b.len);
    if (a.len)
        assert_memory_equal(a.ptr, b.ptr, a.len);
}

static void read_back(const struct sample *sample, const struct sl_buf *block, struct sl_arena *arena)
{
    struct sl_log_record blank = {.topic = topic_of("t"), .partition = 3};
    struct sl_log_record records[N];
    uint32_t ordinals[N];
    struct sl_block_head head;
    const uint8_t *raw;

    assert_null(sl_block_check(block->data, block->len, &head));
    assert_int_equal(head.partition_id, 7);
    assert_int_equal(head.append_id, 8);
    assert_int_equal(head.first_offset, 1000);
    assert_int_equal(head.next_offset, sample->offsets[N - 1] + 3);
    assert_int_equal(head.records, N);
    assert_null(sl_block_unpack(&head, block->data, block->len, arena, &raw));
    assert_null(sl_block_records(&head, raw, &blank, records, ordinals));
    for (int i = 0; i < N; i++) {
        assert_ptr_equal(records[i].topic, blank.topic);
        assert_int_equal(records[i].partition, 3);
        assert_int_equal(records[i].offset, sample->offsets[i]);
        assert_int_equal(ordinals[i], sample->ordinals[i]);
        assert_true(records[i].timestamp_ms == sample->records[i].timestamp_ms);
        same_span(records[i].key, sample->records[i].key, false);
        same_span(records[i].value, sample->records[i].value, false);
        same_span(records[i].headers, sample->records[i].headers, true);
    }
}

static void what_goes_in_comes_out_with_every_codec(void **state)
{
    struct sl_arena *arena = sl_arena_new(4096);
    struct sample *sample = calloc(1, sizeof(*sample));

    (void)state;
    for (uint64_t round = 1; round < 40; round++) {
        enum sl_block_codec codec = (enum sl_block_codec)(round % 3);
        struct sl_buf block;

        fill(sample, round);
        block = encode(sample, codec);
        assert_int_equal(block.data[8], codec);
        read_back(sample, &block, arena);
        sl_buf_done(&block);
        sl_arena_reset(arena);
    }
    free(sample);
    sl_arena_free(arena);
}

static void what_does_not_shrink_is_stored_raw(void **state)
{
    static const uint8_t noise[] = {0x91, 0x3c, 0x07, 0xee, 0x58, 0xa2};
    struct sl_block_encoder encoder = {.codec = SL_BLOCK_LZ4};
    struct sl_log_record record = {.key = {.ptr = noise, .len = sizeof(noise)}};
    struct sl_buf block = {0};

    (void)state;
    sl_block_begin(&encoder, 1, 1, 0);
    sl_block_add(&encoder, &record, 0, 0);
    sl_block_end(&encoder, 1, &block);
    assert_int_equal(block.data[8], SL_BLOCK_RAW);
    sl_buf_done(&block);
    sl_block_encoder_done(&encoder);
}

static void every_changed_byte_and_every_cut_is_noticed(void **state)
{
    struct sample *sample = calloc(1, sizeof(*sample));
    struct sl_block_head head;
    struct sl_buf block;

    (void)state;
    fill(sample, 5);
    block = encode(sample, SL_BLOCK_LZ4);
    for (size_t i = 0; i < block.len; i++) {
        /* The three bytes behind the codec are reserved, but checked as the rest. */
        block.data[i] ^= 0x10;
        assert_non_null(sl_block_check(block.data, block.len, &head));
        block.data[i] ^= 0x10;
        assert_non_null(sl_block_check(block.data, i, &head));
    }
    sl_buf_done(&block);
    free(sample);
}

static void records_that_are_no_records_are_refused_not_followed(void **state)
{
    struct sl_log_record blank = {.topic = topic_of("t")};
    struct sl_log_record records[64];
    uint32_t ordinals[64];

    (void)state;
    seed = 11;
    for (int round = 0; round < 20000; round++) {
        size_t size = next_random() % 64;
        uint8_t *raw = malloc(size ? size : 1); /* of its exact size: ASan watches its end */
        struct sl_block_head head = {.first_offset = 5,
                                     .next_offset = 60,
                                     .records = (uint32_t)(next_random() % (size + 1)),
                                     .raw_bytes = (uint32_t)size};

        for (size_t i = 0; i < size; i++)
            raw[i] = (uint8_t)(next_random() & (round % 2 ? 0xff : 0x3f));
        if (sl_block_records(&head, raw, &blank, records, ordinals) == NULL) {
            for (uint32_t i = 0; i < head.records; i++)
                assert_true(records[i].offset >= 5 && records[i].offset < 60);
        }
        free(raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_with_every_codec),
        cmocka_unit_test(what_does_not_shrink_is_stored_raw),
        cmocka_unit_test(every_changed_byte_and_every_cut_is_noticed),
        cmocka_unit_test(records_that_are_no_records_are_refused_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
