/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "transport/kafka/prefetch.h"

#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { RECORDS = 2000, VALUE = 1000, WAIT_MS = 30000, QUEUE_SECONDS = 15 };

static rd_kafka_t *open_client(rd_kafka_type_t type, const struct sl_kafka_setting *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct sl_error err;
    rd_kafka_t *client;
    char why[256];

    for (; settings->name; settings++)
        assert_int_equal(sl_kafka_conf_set(conf, settings->name, settings->value, &err), SL_OK);
    client = rd_kafka_new(type, conf, why, sizeof(why));
    assert_non_null(client);
    return client;
}

static void produce(const char *brokers)
{
    /* Batches of 20: the smallest piece that can be fetched. */
    const struct sl_kafka_setting settings[] = {
        {"bootstrap.servers", brokers}, {"batch.num.messages", "20"}, {"linger.ms", "50"}, {NULL, NULL}};
    rd_kafka_t *producer = open_client(RD_KAFKA_PRODUCER, settings);
    char value[VALUE] = "";
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = "t"},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = value, .size = sizeof(value)}},
    };

    for (size_t i = 0; i < RECORDS; i++)
        assert_null(rd_kafka_produceva(producer, parts, sizeof(parts) / sizeof(*parts)));
    assert_int_equal(rd_kafka_flush(producer, WAIT_MS), 0);
    rd_kafka_destroy(producer);
}

static rd_kafka_t *open_consumer(const char *brokers)
{
    const struct sl_kafka_setting settings[] = {
        {"bootstrap.servers", brokers},      {"group.id", "g"},
        {"queued.min.messages", "20"},       {"fetch.message.max.bytes", "20000"},
        {sl_kafka_prefetch_setting(), "10"}, {NULL, NULL}};
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_t *consumer = open_client(RD_KAFKA_CONSUMER, settings);

    rd_kafka_topic_partition_list_add(list, "t", 0)->offset = 0;
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return consumer;
}

/* The queue holds a hundredth of what there is, and its reader is slower than what fills it. */
static void a_small_queue_is_filled_again_before_a_second_is_over(void **state)
{
    const struct sl_kafka_setting none[] = {{NULL, NULL}};
    const struct timespec work = {.tv_nsec = 500000};
    rd_kafka_t *client = open_client(RD_KAFKA_PRODUCER, none);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    struct sl_kafka_prefetch prefetch;
    rd_kafka_t *consumer;
    int64_t began_us;

    (void)state;
    produce(rd_kafka_mock_cluster_bootstraps(cluster));
    consumer = open_consumer(rd_kafka_mock_cluster_bootstraps(cluster));
    sl_kafka_prefetch_init(&prefetch, consumer);
    began_us = sl_now_us();
    for (size_t i = 0; i < RECORDS; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, WAIT_MS);

        assert_non_null(message);
        assert_int_equal(message->err, 0);
        sl_kafka_prefetch_took(&prefetch, 1, message->len);
        rd_kafka_message_destroy(message);
        (void)nanosleep(&work, NULL);
    }
    assert_true(sl_now_us() - began_us < (int64_t)QUEUE_SECONDS * 1000 * 1000);
    rd_kafka_destroy(consumer);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_queue_is_filled_again_before_a_second_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
