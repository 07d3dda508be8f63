/* SPDX-License-Identifier: Apache-2.0 */
/* A member of a group at librdkafka's own imitation of brokers, which can be switched off. */
#include "transport/kafka/slots.h"

#include "base/clock.h"

#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The session is longer than the 3 s that these brokers wait for more members. */
enum { SLOTS = 4, SESSION_MS = 4000, PATIENCE_US = 40 * 1000 * 1000, HEARTBEAT = 12 };

static struct {
    rd_kafka_t *client;
    rd_kafka_mock_cluster_t *brokers;
    struct sl_slots *slots;
    _Atomic int told[4];            /* per event: slots */
    const char *_Atomic join_state; /* of the client's membership, by its statistics */
} world;

static void on_slots(void *ctx, enum sl_slot_event event, const int32_t *slots, size_t n)
{
    (void)ctx;
    (void)slots;
    atomic_fetch_add(&world.told[event], (int)n);
}

static void on_failed(void *ctx, const struct sl_error *err)
{
    (void)ctx;
    (void)err;
}

static int on_statistics(rd_kafka_t *consumer, char *json, size_t size, void *opaque)
{
    static const char *const states[] = {"init", "wait-join", "steady"};
    char field[40];

    (void)consumer;
    (void)size;
    (void)opaque;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
        (void)snprintf(field, sizeof(field), "\"join_state\": \"%s\"", states[i]);
        if (strstr(json, field))
            atomic_store(&world.join_state, states[i]);
    }
    return 0; /* the text stays the client's */
}

static void wait_told(enum sl_slot_event event, int n)
{
    int64_t until_us = sl_now_us() + PATIENCE_US;

    while (atomic_load(&world.told[event]) < n) {
        if (sl_now_us() > until_us)
            fail_msg("event %d: %d slots, not %d", event, atomic_load(&world.told[event]), n);
        (void)usleep(5000);
    }
}

static int make_brokers(void **state)
{
    char text[200];

    (void)state;
    for (int i = 0; i < 4; i++)
        atomic_store(&world.told[i], 0);
    atomic_store(&world.join_state, "");
    world.client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof(text));
    world.brokers = rd_kafka_mock_cluster_new(world.client, 3);
    assert_int_equal(rd_kafka_mock_topic_create(world.brokers, "slots", SLOTS, 3), 0);
    (void)rd_kafka_mock_coordinator_set(world.brokers, "group", "g", 1);
    for (int slot = 0; slot < SLOTS; slot++)
        (void)rd_kafka_mock_partition_set_leader(world.brokers, "slots", slot, 3);
    return 0;
}

static void open_slots(void)
{
    const struct sl_membership_listener listener = {.slots = on_slots, .failed = on_failed};
    struct sl_slots_config config = {.group = "g",
                                     .topic = "slots",
                                     .n_slots = SLOTS,
                                     .worker = "me",
                                     .session_timeout_ms = SESSION_MS,
                                     .give_back_ms = 1000};
    struct sl_error err;
    char text[200];

    config.conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(config.conf, "bootstrap.servers",
                                       rd_kafka_mock_cluster_bootstraps(world.brokers), text, sizeof(text)),
                     RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(config.conf, "statistics.interval.ms", "100", text, sizeof(text)),
                     RD_KAFKA_CONF_OK);
    rd_kafka_conf_set_stats_cb(config.conf, on_statistics);
    assert_int_equal(sl_slots_open(&config, &listener, &world.slots, &err), SL_OK);
}

static int join(void **state)
{
    make_brokers(state);
    open_slots();
    wait_told(SL_SLOTS_GAINED, SLOTS);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    rd_kafka_destroy_flags(sl_slots_close(world.slots), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); /* as bury.c */
    rd_kafka_mock_cluster_destroy(world.brokers);
    rd_kafka_destroy(world.client);
    return 0;
}

static void when_the_coordinator_is_gone_slots_are_in_doubt_until_another_coordinates(void **state)
{
    (void)state;
    assert_int_equal(rd_kafka_mock_broker_set_down(world.brokers, 1), 0);
    wait_told(SL_SLOTS_DOUBTED, SLOTS);
    assert_int_equal(atomic_load(&world.told[SL_SLOTS_LOST]), 0);
    (void)rd_kafka_mock_coordinator_set(world.brokers, "group", "g", 2);
    wait_told(SL_SLOTS_GAINED, 2 * SLOTS);
    assert_int_equal(atomic_load(&world.told[SL_SLOTS_LOST]), 0);
}

static void who_is_told_that_he_is_no_member_has_lost_his_slots(void **state)
{
    (void)state;
    rd_kafka_mock_push_request_errors(world.brokers, HEARTBEAT, 1, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    wait_told(SL_SLOTS_LOST, SLOTS);
    assert_int_equal(atomic_load(&world.told[SL_SLOTS_DOUBTED]), 0);
}

/* Until the client's membership is in one of two states. */
static void wait_state(const char *one, const char *other)
{
    int64_t until_us = sl_now_us() + PATIENCE_US;
    const char *state;

    while (state = atomic_load(&world.join_state), strcmp(state, one) != 0 && strcmp(state, other) != 0) {
        if (sl_now_us() > until_us)
            fail_msg("join state '%s', not '%s' or '%s'", state, one, other);
        (void)usleep(5000);
    }
}

/* As on a cluster whose brokers hear one after another of the topic that the worker has just made: the one
 * that it asks while it joins does not know it, so that there is nothing to assign. */
static void who_joins_at_a_broker_that_does_not_know_the_topic_gains_slots_when_it_does(void **state)
{
    (void)state;
    open_slots();
    wait_state("wait-join", "wait-join");
    rd_kafka_mock_topic_set_error(world.brokers, "slots", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    wait_state("steady", "init"); /* a member without slots, or one that has looked meanwhile and is none */
    assert_int_equal(atomic_load(&world.told[SL_SLOTS_GAINED]), 0);
    rd_kafka_mock_topic_set_error(world.brokers, "slots", RD_KAFKA_RESP_ERR_NO_ERROR);
    wait_told(SL_SLOTS_GAINED, SLOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            when_the_coordinator_is_gone_slots_are_in_doubt_until_another_coordinates, join, leave),
        cmocka_unit_test_setup_teardown(who_is_told_that_he_is_no_member_has_lost_his_slots, join, leave),
        cmocka_unit_test_setup_teardown(
            who_joins_at_a_broker_that_does_not_know_the_topic_gains_slots_when_it_does, make_brokers, leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
