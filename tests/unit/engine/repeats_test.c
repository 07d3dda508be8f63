/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/repeats.h"

#include "base/alloc.h"
#include "codec/header_codec.h"
#include "sluice/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sl_repeats *repeats;
static struct sl_buf headers;

static int set_up(void **state)
{
    (void)state;
    repeats = sl_repeats_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sl_repeats_free(repeats);
    sl_buf_done(&headers);
    return 0;
}

struct origin {
    uint8_t kind;
    char incarnation;
    size_t position_len;
    uint32_t number; /* the position, big-endian in its first bytes */
    bool read_again;
};

static bool look_at(const char *topic, int32_t partition, const struct origin *origin, const char *text)
{
    uint8_t source[SL_SRC_PREFIX_SIZE + SL_SCYLLA_POSITION_SIZE] = {SL_SRC_VERSION, origin->kind};
    struct sl_log_record record = {.topic = sl_topic_intern(topic, strlen(topic)),
                                   .partition = partition,
                                   .key = {(const uint8_t *)"k", 1},
                                   .value = {(const uint8_t *)text, strlen(text)}};

    memset(source + 2, origin->incarnation, SL_SRC_INCARNATION_SIZE);
    for (int i = 0; i < 4; i++)
        source[SL_SRC_PREFIX_SIZE + i] = (uint8_t)(origin->number >> (24 - 8 * i));
    sl_buf_reset(&headers);
    if (origin->read_again)
        sl_headers_put(&headers, SL_HEADER_READ, (struct sl_span){(const uint8_t *)"\2", 1});
    sl_headers_put(&headers, "other", (struct sl_span){(const uint8_t *)"x", 1});
    sl_headers_put(&headers, SL_HEADER_SOURCE,
                   (struct sl_span){source, SL_SRC_PREFIX_SIZE + origin->position_len});
    record.headers = (struct sl_span){headers.data, headers.len};
    return sl_repeats_look(repeats, &record);
}

static bool mssql(char incarnation, uint32_t number)
{
    return look_at("t", 0,
                   &(struct origin){.kind = SL_SRC_STREAM,
                                    .incarnation = incarnation,
                                    .position_len = SL_MSSQL_POSITION_SIZE,
                                    .number = number},
                   "v");
}

static bool scylla(uint32_t number, const char *text)
{
    return look_at("t", 0,
                   &(struct origin){.kind = SL_SRC_STREAM,
                                    .incarnation = 1,
                                    .position_len = SL_SCYLLA_POSITION_SIZE,
                                    .number = number},
                   text);
}

static void what_a_restarted_source_sends_again_is_dropped_and_what_follows_is_not(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 100; n++)
        assert_false(mssql(1, n));
    for (uint32_t n = 60; n <= 100; n++)
        assert_true(mssql(1, n));
    assert_false(mssql(1, 101));
}

static void every_incarnation_counts_for_itself(void **state)
{
    (void)state;
    assert_false(mssql(1, 100));
    assert_false(mssql(2, 5));
    assert_true(mssql(1, 100));
    assert_false(mssql(2, 6));
    assert_true(mssql(2, 5));
}

static void of_many_incarnations_the_one_unused_for_longest_is_forgotten_and_nothing_lost(void **state)
{
    (void)state;
    for (int i = 1; i <= 60; i++)
        assert_false(mssql((char)i, 7));
    assert_true(mssql(60, 7));
    assert_false(mssql(1, 7)); /* forgotten: twice rather than never */
}

static void partitions_and_topics_count_for_themselves(void **state)
{
    const struct origin origin = {
        .kind = SL_SRC_STREAM, .incarnation = 1, .position_len = SL_MSSQL_POSITION_SIZE, .number = 5};

    (void)state;
    assert_false(look_at("t", 0, &origin, "v"));
    assert_false(look_at("t", 1, &origin, "v"));
    assert_false(look_at("u", 0, &origin, "v"));
    assert_true(look_at("t", 1, &origin, "v"));
}

static void snapshot_rows_and_rows_read_again_are_never_dropped(void **state)
{
    struct origin origin = {
        .kind = SL_SRC_SNAPSHOT, .incarnation = 1, .position_len = SL_MSSQL_POSITION_SIZE, .number = 5};

    (void)state;
    assert_false(look_at("t", 0, &origin, "v"));
    assert_false(look_at("t", 0, &origin, "v"));
    origin.kind = SL_SRC_STREAM;
    origin.position_len = SL_SCYLLA_POSITION_SIZE;
    origin.read_again = true;
    assert_false(look_at("t", 0, &origin, "v"));
    assert_false(look_at("t", 0, &origin, "v"));
}

static void without_order_only_exact_repeats_are_dropped(void **state)
{
    (void)state;
    assert_false(scylla(100, "a"));
    assert_false(scylla(50, "late"));
    assert_true(scylla(100, "a"));
    assert_true(scylla(50, "late"));
    assert_false(scylla(100, "b"));
}

static void exact_repeats_are_known_for_as_long_as_a_source_can_be_behind(void **state)
{
    int missed = 0;

    (void)state;
    for (uint32_t n = 0; n < SL_REPEATS_BACK; n++)
        assert_false(scylla(n, "v"));
    for (uint32_t n = 0; n < SL_REPEATS_BACK; n++)
        missed += !scylla(n, "v");
    assert_in_range(missed, 0, SL_REPEATS_BACK / 20);
}

static void records_of_others_pass(void **state)
{
    struct sl_log_record plain = {.topic = sl_topic_intern("t", 1)};
    struct sl_log_record broken = {.topic = plain.topic, .headers = {(const uint8_t *)"\x7f", 1}};
    const struct origin strange = {.kind = SL_SRC_STREAM, .incarnation = 1, .position_len = 3};

    (void)state;
    assert_false(sl_repeats_look(repeats, &plain));
    assert_false(sl_repeats_look(repeats, &plain));
    assert_false(sl_repeats_look(repeats, &broken));
    assert_false(look_at("t", 0, &strange, "v"));
    assert_false(look_at("t", 0, &strange, "v"));
}

static void after_a_reset_nothing_is_known(void **state)
{
    (void)state;
    assert_false(mssql(1, 5));
    sl_repeats_reset(repeats);
    assert_false(mssql(1, 5));
    assert_true(mssql(1, 5));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_a_restarted_source_sends_again_is_dropped_and_what_follows_is_not),
        CASE(every_incarnation_counts_for_itself),
        CASE(of_many_incarnations_the_one_unused_for_longest_is_forgotten_and_nothing_lost),
        CASE(partitions_and_topics_count_for_themselves),
        CASE(snapshot_rows_and_rows_read_again_are_never_dropped),
        CASE(without_order_only_exact_repeats_are_dropped),
        CASE(exact_repeats_are_known_for_as_long_as_a_source_can_be_behind),
        CASE(records_of_others_pass),
        CASE(after_a_reset_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
