/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PARTITION                                                                                         \
    "{\"keyspace_name\":\"vn\",\"vnode_id\":\"0\",\"generation_start\":\"1795229668404\",\"table_name\":" \
    "\"t\"}"
#define OFFSET                                                                     \
    "{\"window_end\":\"e13d5fbf-e556-11f1-7f7f-7f7f7f7f7f7f\",\"change_id_time\":" \
    "\"e0172c16-e556-11f1-ae81-4f2cf3fac5a9\",\"change_id_stream_id\":"            \
    "\"0x7fb9f781956cea08c651295720000001\","                                      \
    "\"window_start\":\"de426f40-e556-11f1-8080-808080808080\"}"

static const struct sl_scylla_place recorded = {
    .stream = {0x7f, 0xb9, 0xf7, 0x81, 0x95, 0x6c, 0xea, 0x08, 0xc6, 0x51, 0x29, 0x57, 0x20, 0x00, 0x00,
               0x01},
    .time = {0xe0, 0x17, 0x2c, 0x16, 0xe5, 0x56, 0x11, 0xf1, 0xae, 0x81, 0x4f, 0x2c, 0xf3, 0xfa, 0xc5, 0xa9},
};

static struct sl_span span(const char *text)
{
    return (struct sl_span){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

static struct sl_scylla_offset parse(const char *partition, const char *offset)
{
    struct sl_scylla_offset parsed;

    assert_true(sl_scylla_offset_parse(partition, span(offset), &parsed));
    return parsed;
}

/* The connector 2.0.0 stored exactly these. */
static void a_position_is_written_as_the_connector_writes_it(void **state)
{
    struct sl_scylla_offset parsed = parse(PARTITION, OFFSET);
    struct sl_buf out = {0};

    (void)state;
    assert_int_equal(parsed.start_ms % 1, 0);
    sl_scylla_offset_put_partition(&out, "vn", "t", 0, 0, 1795229668404);
    assert_string_equal(sl_buf_cstr(&out), PARTITION);
    sl_buf_reset(&out);
    sl_scylla_offset_put(&out, parsed.start_ms, parsed.start_ms + 5000, &recorded);
    assert_string_equal(sl_buf_cstr(&out), OFFSET);
    sl_buf_done(&out);
}

static void a_position_is_read_back(void **state)
{
    struct sl_scylla_offset parsed = parse(PARTITION, OFFSET);

    (void)state;
    assert_string_equal(parsed.keyspace, "vn");
    assert_string_equal(parsed.table, "t");
    assert_int_equal(parsed.part, 0);
    assert_int_equal(parsed.parts, 0);
    assert_int_equal(parsed.generation_ms, 1795229668404);
    assert_true(parsed.has_change);
    assert_memory_equal(&parsed.change, &recorded, sizeof(recorded));
}

static void other_peoples_positions_are_left_alone(void **state)
{
    struct sl_scylla_offset parsed;

    (void)state;
    assert_false(sl_scylla_offset_parse("{\"scylla\":\"rec\"}", span("{\"version\":1}"), &parsed));
    assert_false(sl_scylla_offset_parse("not json", span(OFFSET), &parsed));
    assert_false(sl_scylla_offset_parse(PARTITION, span("{\"window_start\":\"x\"}"), &parsed));
}

/* ---- a lane that takes them over ---- */

static struct sl_scylla_table table = {.keyspace = "vn", .name = "t"};
static struct sl_scylla_log_table log_table = {.table = &table};
static struct sl_scylla_stream streams[3];

static struct sl_scylla_lane make_lane(void)
{
    memset(streams, 0, sizeof(streams));
    memcpy(streams[1].id, recorded.stream, 16);
    streams[0].id[0] = 0xC0; /* signed: the smallest */
    streams[2] = streams[1];
    streams[2].id[1] = 0x00; /* above 0xb9, which is negative */
    return (struct sl_scylla_lane){.log = &log_table,
                                   .generation_ms = 1795229668404,
                                   .streams = streams,
                                   .n = 3,
                                   .start_ms = 1795229668404,
                                   .width = 1};
}

static void a_lane_goes_on_within_the_window(void **state)
{
    struct sl_scylla_offset stored = parse(PARTITION, OFFSET);
    struct sl_scylla_offsets offsets = {.items = &stored, .n = 1};
    struct sl_scylla_lane lane = make_lane();
    uint8_t later[16];

    (void)state;
    memcpy(later, recorded.time, 16);
    later[15]++;
    assert_true(sl_scylla_lane_resume(&lane, &offsets));
    assert_int_equal(lane.start_ms, stored.start_ms);
    assert_true(sl_scylla_lane_is_done(&lane, 0, recorded.time)); /* streams before it: the whole window */
    assert_true(sl_scylla_lane_is_done(&lane, 0, later));
    assert_true(sl_scylla_lane_is_done(&lane, 1, recorded.time)); /* its own: up to the change */
    assert_false(sl_scylla_lane_is_done(&lane, 1, later));
    assert_false(sl_scylla_lane_is_done(&lane, 2, recorded.time)); /* those behind it: nothing */
    sl_scylla_lane_done(&lane);
}

static void a_lane_without_a_position_says_so(void **state)
{
    struct sl_scylla_offset stored = parse(PARTITION, OFFSET);
    struct sl_scylla_offsets offsets = {.items = &stored, .n = 1};
    struct sl_scylla_lane lane = make_lane();

    (void)state;
    lane.part = 3;
    assert_false(sl_scylla_lane_resume(&lane, &offsets));
    assert_int_equal(lane.start_ms, 1795229668404);
    assert_null(lane.done);
    sl_scylla_lane_done(&lane);
}

/* With tablets the tasks may have been three before: each stream goes on where its part was. */
static void parts_of_a_set_can_be_dealt_anew(void **state)
{
    struct sl_scylla_offset stored[3];
    struct sl_scylla_offsets offsets = {.items = stored, .n = 3};
    struct sl_scylla_lane lane = make_lane();
    int64_t least = INT64_MAX;

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        stored[i] = (struct sl_scylla_offset){.keyspace = "vn",
                                              .table = "t",
                                              .part = i,
                                              .parts = 3,
                                              .generation_ms = 1795229668404,
                                              .start_ms = 1795229670000 + i * 1000};
    table.tablets = true;
    for (uint32_t i = 0; i < 3; i++) {
        int64_t start_ms = stored[sl_scylla_stream_part(&streams[i], 3)].start_ms;

        least = start_ms < least ? start_ms : least;
    }
    assert_true(sl_scylla_lane_resume(&lane, &offsets));
    assert_int_equal(lane.start_ms, least);
    assert_non_null(lane.done); /* the others are further */
    sl_scylla_lane_done(&lane);
    table.tablets = false;
}

/* ---- windows ---- */

static const struct sl_scylla_config config = {.window_ms = 5000, .confidence_ms = 1000};

static void a_window_is_due_when_its_end_has_settled(void **state)
{
    struct sl_scylla_lane lane = make_lane();
    int64_t end_ms;

    (void)state;
    lane.start_ms = 100000;
    assert_int_equal(sl_scylla_lane_due_ms(&lane, &config, INT64_MAX, 100000, &end_ms), 106000);
    assert_int_equal(end_ms, 105000);
}

static void the_last_window_ends_with_its_generation(void **state)
{
    struct sl_scylla_lane lane = make_lane();
    int64_t end_ms;

    (void)state;
    lane.start_ms = 100000;
    assert_int_equal(sl_scylla_lane_due_ms(&lane, &config, 102000, 100000, &end_ms), 103000);
    assert_int_equal(end_ms, 102000);
}

static void windows_are_taken_together_only_while_all_of_them_are_over(void **state)
{
    struct sl_scylla_lane lane = make_lane();
    int64_t end_ms;

    (void)state;
    lane.start_ms = 100000;
    lane.width = 256;
    (void)sl_scylla_lane_due_ms(&lane, &config, INT64_MAX, 117500, &end_ms);
    assert_int_equal(end_ms, 115000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_is_written_as_the_connector_writes_it),
        cmocka_unit_test(a_position_is_read_back),
        cmocka_unit_test(other_peoples_positions_are_left_alone),
        cmocka_unit_test(a_lane_goes_on_within_the_window),
        cmocka_unit_test(a_lane_without_a_position_says_so),
        cmocka_unit_test(parts_of_a_set_can_be_dealt_anew),
        cmocka_unit_test(a_window_is_due_when_its_end_has_settled),
        cmocka_unit_test(the_last_window_ends_with_its_generation),
        cmocka_unit_test(windows_are_taken_together_only_while_all_of_them_are_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
