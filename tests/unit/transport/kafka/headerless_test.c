/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/headerless.h"

#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 600, LONGEST = 70000, WAIT_MS = 30000 };

struct layout {
    size_t key, value; /* lengths */
    uint8_t count;
    bool old; /* formats 0 and 1: the value's length in four bytes, the highest first; no count */
};

/* The record's end as it stands in a batch: key, length, value, count. */
static bool judged(uint8_t *room, struct layout layout)
{
    rd_kafka_message_t message = {.key = room, .key_len = layout.key, .len = layout.value};
    uint8_t *at = room + layout.key;
    uint64_t left = layout.value << 1;

    if (layout.old) {
        for (int shift = 24; shift >= 0; shift -= 8)
            *at++ = (uint8_t)(layout.value >> shift);
    } else {
        for (; left >= 0x80; left >>= 7)
            *at++ = (uint8_t)(left | 0x80);
        *at++ = (uint8_t)left;
    }
    message.payload = at;
    at[layout.value] = layout.count;
    return sl_kafka_headerless(&message);
}

static void a_count_of_zero_behind_the_value_is_believed(void **state)
{
    static const size_t values[] = {1, 63, 64, 250, 8191, 8192, 65536};
    uint8_t *room = aligned_alloc(SL_KAFKA_PAGE_MIN, (size_t)32 * SL_KAFKA_PAGE_MIN);

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct layout layout = {.key = 8 + i, .value = values[i]};

        assert_true(judged(room, layout)); /* none of them ends where a page does */
        layout.count = 2;
        assert_false(judged(room, layout));
    }
    free(room);
}

static void records_of_the_old_formats_are_never_believed(void **state)
{
    static uint8_t room[2 * LONGEST];

    (void)state;
    for (size_t value = 1; value < LONGEST; value++)
        assert_false(judged(room, (struct layout){.key = 3, .value = value, .old = true}));
}

static void what_has_no_key_or_no_value_is_left_to_librdkafka(void **state)
{
    uint8_t bytes[16] = {'k', 2, 'v', 0};
    rd_kafka_message_t message = {.key = bytes, .key_len = 1, .payload = bytes + 2, .len = 1};

    (void)state;
    assert_true(sl_kafka_headerless(&message));
    message.key = NULL;
    assert_false(sl_kafka_headerless(&message));
    message.key = bytes;
    message.payload = NULL;
    assert_false(sl_kafka_headerless(&message));
}

static void the_first_byte_of_another_page_is_not_read(void **state)
{
    uint8_t *pages = aligned_alloc(SL_KAFKA_PAGE_MIN, (size_t)2 * SL_KAFKA_PAGE_MIN);
    uint8_t *key = pages + SL_KAFKA_PAGE_MIN - 3;
    rd_kafka_message_t message = {.key = key, .key_len = 1, .payload = key + 2, .len = 1};

    (void)state;
    memcpy(key, "k\2v\0", 4);
    assert_false(sl_kafka_headerless(&message));
    memcpy(key - 1, "k\2v\0", 4);
    message.key = key - 1;
    message.payload = key + 1;
    assert_true(sl_kafka_headerless(&message));
    free(pages);
}

/* ---- librdkafka as it is installed, and its own broker of one process ---- */

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *const (*settings)[2])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];
    rd_kafka_t *client;

    for (; (*settings)[0]; settings++)
        assert_int_equal(rd_kafka_conf_set(conf, (*settings)[0], (*settings)[1], why, sizeof(why)), 0);
    client = rd_kafka_new(type, conf, why, sizeof(why));
    assert_non_null(client);
    return client;
}

static void produce(const char *brokers, const char *codec, const uint8_t *bytes)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers}, {"compression.codec", codec}, {"linger.ms", "20"}, {NULL, NULL}};
    rd_kafka_t *producer = open_client(RD_KAFKA_PRODUCER, settings);
    void *copy = (void *)(uintptr_t)bytes; /* librdkafka copies it, and takes no const */

    for (size_t i = 0; i < RECORDS; i++) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
        rd_kafka_vu_t parts[6];
        size_t n_parts = 0;
        size_t key = i % 7 ? i % 91 : 0;
        size_t value = i % 50 == 1 ? LONGEST : i * 37 % 900;

        for (size_t n = 0; n < i % 3; n++)
            (void)rd_kafka_header_add(headers, "name", -1, "value", n ? 5 : 0);
        parts[n_parts++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = "t"};
        parts[n_parts++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0};
        parts[n_parts++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
        parts[n_parts++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
        parts[n_parts++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {key ? copy : NULL, key}};
        parts[n_parts++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {value ? copy : NULL, value}};
        assert_null(rd_kafka_produceva(producer, parts, n_parts));
    }
    assert_int_equal(rd_kafka_flush(producer, WAIT_MS), 0);
    rd_kafka_destroy(producer);
}

/* How many of them were known to have none. */
static size_t read_all(const char *brokers)
{
    const char *const settings[][2] = {{"bootstrap.servers", brokers}, {"group.id", "g"}, {NULL, NULL}};
    rd_kafka_t *consumer = open_client(RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    size_t known = 0;

    rd_kafka_topic_partition_list_add(list, "t", 0)->offset = 0;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    for (size_t i = 0; i < RECORDS; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, WAIT_MS);
        rd_kafka_headers_t *headers;
        bool headerless;

        assert_non_null(message);
        assert_int_equal(message->err, 0);
        headerless = sl_kafka_headerless(message);
        known += headerless;
        assert_int_equal(rd_kafka_message_headers(message, &headers),
                         i % 3 ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT);
        assert_false(headerless && i % 3);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(consumer);
    return known;
}

static void librdkafka_agrees_of_every_record_and_the_short_way_is_taken(void **state)
{
    static const char *const codecs[] = {"none", "gzip", "lz4"};
    static const char *const settings[][2] = {{"client.id", "test"}, {NULL, NULL}};
    rd_kafka_t *client = open_client(RD_KAFKA_PRODUCER, settings);
    uint8_t *bytes = calloc(1, LONGEST);

    (void)state;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(*codecs); i++) {
        rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);

        produce(rd_kafka_mock_cluster_bootstraps(cluster), codecs[i], bytes);
        assert_true(read_all(rd_kafka_mock_cluster_bootstraps(cluster)) > (size_t)RECORDS / 4);
        rd_kafka_mock_cluster_destroy(cluster);
    }
    free(bytes);
    rd_kafka_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_of_zero_behind_the_value_is_believed),
        cmocka_unit_test(records_of_the_old_formats_are_never_believed),
        cmocka_unit_test(what_has_no_key_or_no_value_is_left_to_librdkafka),
        cmocka_unit_test(the_first_byte_of_another_page_is_not_read),
        cmocka_unit_test(librdkafka_agrees_of_every_record_and_the_short_way_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
