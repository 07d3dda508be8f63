/* SPDX-License-Identifier: Apache-2.0 */
/* TimezoneConverter; the values are those of Debezium's own test where it has them. */
#include "events.h"

#include "base/clock.h"
#include "codec/envelope.h"
#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const convert = &sl_transform_timezone_converter;

/* An event of srv.shop.dbo.things, table things, with one row of all sorts of timestamps as its after. */
static struct sl_message timed(struct bench *bench)
{
    struct sl_message message = event_of(bench, 'c', 1, "a");
    const struct sl_envelope *old = sl_envelope_of(message.value_schema);
    struct sl_struct_builder row = {.name = "timed.Value"};
    struct sl_value fields[7] = {sl_int(SL_INT64, 1529507596945104),
                                 sl_int(SL_INT64, 1531481025340000104),
                                 sl_int(SL_INT64, 1514908810123),
                                 sl_text("2018-01-02T11:15:30.123456789+00:00"),
                                 sl_text("11:15:30.123456789+00:00"),
                                 sl_int(SL_INT32, 19782),
                                 sl_null()};
    struct sl_value *event;

    sl_struct_add(&row, "micros", sl_schema_named(SL_INT64, "io.debezium.time.MicroTimestamp", 1, true));
    sl_struct_add(&row, "nanos", sl_schema_named(SL_INT64, "io.debezium.time.NanoTimestamp", 1, true));
    sl_struct_add(&row, "millis", sl_schema_named(SL_INT64, "io.debezium.time.Timestamp", 1, true));
    sl_struct_add(&row, "zoned", sl_schema_named(SL_STRING, "io.debezium.time.ZonedTimestamp", 1, true));
    sl_struct_add(&row, "time", sl_schema_named(SL_STRING, "io.debezium.time.ZonedTime", 1, true));
    sl_struct_add(&row, "day", sl_schema_named(SL_INT32, "io.debezium.time.Date", 1, true));
    sl_struct_add(&row, "kc", sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, true));
    message.value_schema =
        sl_envelope_make(SL_ENVELOPE_3_5, "timed", sl_struct_end(&row, true), old->source_schema)->schema;
    event =
        sl_arena_copy(bench->arena, message.record.value.items, message.record.value.len * sizeof(*event));
    event[old->after] = sl_items(SL_STRUCT, sl_arena_copy(bench->arena, fields, sizeof(fields)), 7);
    message.record.value.items = event;
    return message;
}

static struct sl_value after_of(const struct sl_message *message, const char *name)
{
    const struct sl_envelope *envelope = sl_envelope_of(message->value_schema);

    return message->record.value.items[envelope->after].items[sl_schema_field(envelope->row, name)];
}

static const char *text_of(struct bench *bench, struct sl_message *message, const char *name)
{
    assert_int_equal(bench_apply(bench, message), SL_KEEP);
    return value_text(bench, NULL, after_of(message, name));
}

static void all_timestamps_are_converted_as_debezium_does(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = timed(bench);

    bench_open(bench, convert, "converted.timezone", "+05:30", NULL);
    assert_string_equal(text_of(bench, &message, "micros"), "1529487796945104");
    assert_int_equal(after_of(&message, "nanos").i, 1531461225340000104);
    assert_int_equal(after_of(&message, "millis").i, 1514889010123);
    assert_string_equal(value_text(bench, NULL, after_of(&message, "zoned")),
                        "2018-01-02T16:45:30.123456789+05:30");
    assert_string_equal(value_text(bench, NULL, after_of(&message, "time")), "16:45:30.123456789+05:30");
    assert_int_equal(after_of(&message, "day").i, 19782);
    assert_int_equal(after_of(&message, "kc").tag, SL_NULL);
}

/* What becomes of a zoned timestamp in a zone. */
static void expect(const char *zone, const char *from, const char *to)
{
    void *made;
    struct bench *bench;
    struct sl_message message;
    const struct sl_envelope *envelope;
    struct sl_value row[7];

    (void)bench_make(&made);
    bench = made;
    message = timed(bench);
    envelope = sl_envelope_of(message.value_schema);
    memcpy(row, message.record.value.items[envelope->after].items, sizeof(row));
    row[3] = sl_text(from);
    ((struct sl_value *)(uintptr_t)message.record.value.items)[envelope->after].items = row;
    bench_open(bench, convert, "converted.timezone", zone, NULL);
    if (to)
        assert_string_equal(text_of(bench, &message, "zoned"), to);
    else
        assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    (void)bench_remove(&made);
}

static void named_zones_have_their_summers(void **state)
{
    (void)state;
    expect("Pacific/Easter", "2011-01-11T16:40:30.123456789+00:00", "2011-01-11T11:40:30.123456789-05:00");
    expect("Atlantic/Azores", "2020-01-01T11:55:30+00:00", "2020-01-01T10:55:30-01:00");
    expect("Europe/Berlin", "2024-07-01T00:00Z", "2024-07-01T02:00:00+02:00");
    expect("Europe/Berlin", "2024-12-31T23:30:00.500Z", "2025-01-01T00:30:00.5+01:00");
    expect("Europe/Berlin", "2124-07-01T00:00:00+02:00", "2124-07-01T00:00:00+02:00");
    /* 02:30 does not exist on this day, and 02:30 comes twice on the other: the offset from before. */
    expect("Europe/Berlin", "2024-03-31T02:30:00Z", "2024-03-31T03:30:00+01:00");
    expect("Europe/Berlin", "2024-10-27T02:30:00Z", "2024-10-27T04:30:00+02:00");
    expect("UTC", "2024-02-29T01:00:00-05:30", "2024-02-29T06:30:00Z");
    expect("UTC", "2023-02-29T01:00:00Z", NULL);
    expect("UTC", "2023-02-28 01:00:00Z", NULL);
    expect("UTC", "2023-02-28T01:00:00", NULL);
}

static void lists_say_which_events_and_fields(void **state)
{
    static const struct {
        const char *list, *text;
        bool micros, zoned;
    } cases[] = {
        {"include.list", "source:things", true, true},
        {"include.list", "source:other", false, false},
        {"include.list", "source:things:zoned", false, true},
        {"include.list", "source:things:after.zoned", false, true},
        {"include.list", "source:things:before.zoned", false, false},
        {"include.list", "source:other,things", true, true},
        {"include.list", "topic:srv.shop.dbo.things:micros", true, false},
        {"include.list", "things:micros", true, false},
        {"include.list", "srv.shop.dbo.things:micros,srv.shop.dbo.things:zoned", true, true},
        {"exclude.list", "source:things", false, false},
        {"exclude.list", "source:other", true, true},
        {"exclude.list", "topic:srv.shop.dbo.things:micros", false, true},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_message message = timed(bench);
        bool micros, zoned;

        bench_open(bench, convert, "converted.timezone", "+01:00", cases[i].list, cases[i].text, NULL);
        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        micros = after_of(&message, "micros").i != 1529507596945104;
        zoned = after_of(&message, "zoned").bytes[31] == '1';
        if (micros != cases[i].micros || zoned != cases[i].zoned)
            fail_msg("%s %s", cases[i].list, cases[i].text);
        bench->ops->close(bench->self);
        bench->self = NULL;
        sl_props_free(bench->props);
        bench->props = sl_props_new();
    }
}

static void the_source_blocks_time_moves_when_it_is_listed(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = timed(bench);
    const struct sl_envelope *envelope = sl_envelope_of(message.value_schema);

    bench_open(bench, convert, "converted.timezone", "+01:00", "include.list", "source:things:source.ts_ms",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.items[envelope->source].items[1].i, 99 + 3600000);
    assert_int_equal(after_of(&message, "micros").i, 1529507596945104);
}

static void what_is_no_change_event_stays(void **state)
{
    struct bench *bench = *state;
    struct sl_message messages[] = {tombstone_of(bench, 1), heartbeat_of(bench), row_of(bench, 1),
                                    map_of(bench), event_of(bench, 't', 1, "a")};

    bench_open(bench, convert, "converted.timezone", "+01:00", NULL);
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        struct sl_value value = messages[i].record.value;

        assert_int_equal(bench_apply(bench, &messages[i]), SL_KEEP);
        assert_true(sl_value_equal(messages[i].record.value, value));
    }
}

static void zones_and_lists_that_are_none_are_refused(void **state)
{
    static const char *const zones[] = {"Mars/Olympus", "../etc/passwd", "+5:30", "+19:00",
                                        "+05:60",       "a..b",          ""};
    static const char *const lists[] = {"things", "source:", "source:a:", "source:a:b:c", "a:b:c"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++)
        assert_int_equal(bench_try(bench, convert, "converted.timezone", zones[i], NULL), SL_E_CONFIG);
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        assert_int_equal(
            bench_try(bench, convert, "converted.timezone", "UTC", "include.list", lists[i], NULL),
            SL_E_CONFIG);
    assert_int_equal(bench_try(bench, convert, "include.list", "source:a", "exclude.list", "source:b", NULL),
                     SL_E_CONFIG);
    bench->self = NULL;
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(all_timestamps_are_converted_as_debezium_does),
        cmocka_unit_test(named_zones_have_their_summers),
        BENCH_TEST(lists_say_which_events_and_fields),
        BENCH_TEST(the_source_blocks_time_moves_when_it_is_listed),
        BENCH_TEST(what_is_no_change_event_stays),
        BENCH_TEST(zones_and_lists_that_are_none_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
