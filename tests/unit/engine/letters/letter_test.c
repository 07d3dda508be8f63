/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/dlq.h"
#include "engine/letters/parking.h"

#include "base/buf.h"
#include "codec/header_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_span span(const char *text)
{
    return (struct sl_span){(const uint8_t *)text, strlen(text)};
}

/* Headers of a letter that had one of its own, and Connect's. */
static void put_headers(struct sl_buf *out, const struct sl_letter *letter)
{
    struct sl_buf text = {0};

    sl_headers_put(out, "own", span("value"));
    sl_headers_put(out, "__connect.errors.topic", span("orders"));
    sl_letter_put(&text, letter);
    sl_headers_put(out, SL_HEADER_LETTER, (struct sl_span){text.data, text.len});
    sl_headers_put(out, "null", (struct sl_span){0});
    sl_buf_done(&text);
}

static void a_letter_comes_back_as_it_was_written(void **state)
{
    char connector[] = "sink \"a\"", topic[] = "orders", stage[] = "TASK_PUT", class_name[] = "x.Y",
         code[] = "DATA";
    char native[] = "23514", error[] = "line\nwith \xc3\xa9 and \"quotes\"",
         source[] = "{\"partition\":{\"a\":1}}";
    const struct sl_letter letter = {.connector = connector,
                                     .task = 3,
                                     .topic = topic,
                                     .partition = 2,
                                     .offset = 1234567890123,
                                     .stage = stage,
                                     .class_name = class_name,
                                     .code = code,
                                     .native = native,
                                     .error = error,
                                     .at_ms = 1700000000000,
                                     .attempt = 2,
                                     .behind = 17,
                                     .source = source};
    struct sl_letter read = {0};
    struct sl_buf headers = {0};

    (void)state;
    put_headers(&headers, &letter);
    assert_true(sl_letter_read((struct sl_span){headers.data, headers.len}, &read));
    assert_string_equal(read.connector, connector);
    assert_string_equal(read.error, error);
    assert_string_equal(read.native, native);
    assert_string_equal(read.source, source);
    assert_int_equal(read.task, 3);
    assert_int_equal(read.partition, 2);
    assert_true(read.offset == letter.offset && read.at_ms == letter.at_ms && read.behind == 17);
    assert_int_equal(read.attempt, 2);
    sl_letter_done(&read);
    sl_buf_done(&headers);
}

static void the_records_own_headers_are_left(void **state)
{
    char text[] = "x";
    const struct sl_letter letter = {text, 0, text, 0, 1, text, text, text, text, text, 0, 1, -1, NULL};
    struct sl_buf headers = {0};
    struct sl_buf own = {0};
    struct sl_buf expected = {0};

    (void)state;
    put_headers(&headers, &letter);
    sl_letter_own_headers((struct sl_span){headers.data, headers.len}, &own);
    sl_headers_put(&expected, "own", span("value"));
    sl_headers_put(&expected, "null", (struct sl_span){0});
    assert_int_equal(own.len, expected.len);
    assert_memory_equal(own.data, expected.data, own.len);
    sl_buf_done(&headers);
    sl_buf_done(&own);
    sl_buf_done(&expected);
}

static void what_is_no_letter_is_told(void **state)
{
    struct sl_letter letter;
    struct sl_buf headers = {0};

    (void)state;
    assert_false(sl_letter_read((struct sl_span){0}, &letter));
    sl_headers_put(&headers, SL_HEADER_LETTER, span("no json"));
    assert_false(sl_letter_read((struct sl_span){headers.data, headers.len}, &letter));
    sl_buf_reset(&headers);
    sl_headers_put(&headers, SL_HEADER_LETTER, span("{\"version\":99}"));
    assert_false(sl_letter_read((struct sl_span){headers.data, headers.len}, &letter));
    assert_false(sl_letter_read(span("\xff\xff\xff\xff"), &letter));
    sl_buf_done(&headers);
}

static void filters_mean_what_they_say(void **state)
{
    char connector[] = "sink", topic[] = "orders", stage[] = "TASK_PUT", error[] = "violates Check \"x\"",
         none[] = "";
    const struct sl_letter letter = {connector, 0,    topic, 0,   1, stage, none,
                                     none,      none, error, 100, 1, -1,    NULL};
    const struct sl_log_record record = {.partition = 2, .offset = 17};

    (void)state;
    assert_true(sl_dlq_matches(&(struct sl_dlq_filter){0}, &record, &letter));
    assert_true(sl_dlq_matches(&(struct sl_dlq_filter){.error = "check"}, &record, &letter));
    assert_true(
        sl_dlq_matches(&(struct sl_dlq_filter){.stage = "task_put", .topic = "orders"}, &record, &letter));
    assert_false(sl_dlq_matches(&(struct sl_dlq_filter){.topic = "order"}, &record, &letter));
    assert_false(sl_dlq_matches(&(struct sl_dlq_filter){.connector = "other"}, &record, &letter));
    assert_true(sl_dlq_matches(&(struct sl_dlq_filter){.since_ms = 100}, &record, &letter));
    assert_false(sl_dlq_matches(&(struct sl_dlq_filter){.until_ms = 100}, &record, &letter));
    assert_true(sl_dlq_matches(&(struct sl_dlq_filter){.letters = "0@1, 2@17"}, &record, &letter));
    assert_false(sl_dlq_matches(&(struct sl_dlq_filter){.letters = "2@1,17@2"}, &record, &letter));
    assert_true(sl_dlq_are_letters("0@1,2@17"));
    assert_false(sl_dlq_are_letters("17"));
    assert_false(sl_dlq_are_letters("0@x"));
}

static struct sl_log_record keyed(const char *key, int64_t offset)
{
    return (struct sl_log_record){.topic = sl_topic_intern("orders", 6),
                                  .offset = offset,
                                  .key = key ? span(key) : (struct sl_span){0}};
}

static void what_comes_after_a_bad_record_of_its_key_waits(void **state)
{
    struct sl_parking *parking = sl_parking_in_memory("sink");
    struct sl_log_record bad = keyed("k", 10);
    struct sl_log_record earlier = keyed("k", 5);
    struct sl_log_record later = keyed("k", 11);
    struct sl_log_record other = keyed("l", 11);
    struct sl_log_record keyless = keyed(NULL, 11);
    int64_t behind = -1;

    (void)state;
    assert_int_equal(sl_parking_generation(parking), 0);
    assert_int_equal(sl_parking_park(parking, &bad, NULL), SL_OK);
    assert_int_equal(sl_parking_park(parking, &keyless, NULL), SL_OK);
    assert_int_equal(sl_parking_count(parking), 1);
    assert_false(sl_parking_waits(parking, &bad, &behind));
    assert_false(sl_parking_waits(parking, &earlier, &behind));
    assert_true(sl_parking_waits(parking, &later, &behind));
    assert_int_equal(behind, 10);
    assert_false(sl_parking_waits(parking, &other, &behind));
    assert_false(sl_parking_waits(parking, &keyless, &behind));
    /* An earlier record turns out bad too: what stands between waits from now on. */
    assert_int_equal(sl_parking_park(parking, &earlier, NULL), SL_OK);
    assert_true(sl_parking_waits(parking, &bad, &behind));
    assert_int_equal(sl_parking_count(parking), 1);
    sl_parking_close(parking);
}

static void long_keys_are_told_apart_too(void **state)
{
    struct sl_parking *parking = sl_parking_in_memory("sink");
    char one[200] = "a";
    char two[200] = "a";
    struct sl_log_record bad = keyed(one, 1);
    struct sl_log_record other = keyed(two, 2);
    int64_t behind;

    (void)state;
    memset(one, 'a', sizeof(one));
    memset(two, 'a', sizeof(two));
    two[198] = 'b';
    bad.key = (struct sl_span){(const uint8_t *)one, sizeof(one)};
    other.key = (struct sl_span){(const uint8_t *)two, sizeof(two)};
    assert_int_equal(sl_parking_park(parking, &bad, NULL), SL_OK);
    assert_false(sl_parking_waits(parking, &other, &behind));
    other.key = bad.key;
    assert_true(sl_parking_waits(parking, &other, &behind));
    sl_parking_close(parking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_comes_back_as_it_was_written),
        cmocka_unit_test(the_records_own_headers_are_left),
        cmocka_unit_test(what_is_no_letter_is_told),
        cmocka_unit_test(filters_mean_what_they_say),
        cmocka_unit_test(what_comes_after_a_bad_record_of_its_key_waits),
        cmocka_unit_test(long_keys_are_told_apart_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
