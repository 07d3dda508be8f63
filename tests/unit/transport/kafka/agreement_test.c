/* SPDX-License-Identifier: Apache-2.0 */
/* What workers agree about without asking each other, and how long they doubt what brokers say. */
#include "transport/kafka/patience.h"
#include "transport/kafka/proposals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID(n) "00000000-0000-4000-8000-00000000000" #n

static void propose(struct sl_kafka_proposals *proposals, const char *topic, const char *id,
                    const char *after)
{
    char key[200];
    char value[200];

    (void)snprintf(key, sizeof(key), "%s/%s", topic, id);
    (void)snprintf(value, sizeof(value), "{\"version\":1,\"after\":\"%s\"}", after);
    sl_kafka_proposals_see(proposals, key, (struct sl_span){(const uint8_t *)value, strlen(value)});
}

static void expect(const struct sl_kafka_proposals *proposals, const char *wanted)
{
    char id[SL_UUID_TEXT_SIZE];

    sl_kafka_proposals_settle(proposals, id);
    assert_string_equal(id, wanted);
}

static void of_workers_that_propose_at_once_the_first_in_the_log_is_right_for_all(void **state)
{
    struct sl_kafka_proposals log = {.topic = "t"};

    (void)state;
    expect(&log, "");
    propose(&log, "t", ID(1), "");
    expect(&log, ID(1)); /* what the first reads behind its own proposal */
    propose(&log, "t", ID(2), "");
    expect(&log, ID(1)); /* ... and the second */
    propose(&log, "t", ID(3), ID(1));
    propose(&log, "t", ID(4), ID(1));
    expect(&log, ID(3));
    propose(&log, "t", ID(5), ID(2)); /* behind one that never counted */
    propose(&log, "t", ID(6), ID(4));
    expect(&log, ID(3));
    propose(&log, "t", ID(7), ID(3));
    expect(&log, ID(7));
    sl_kafka_proposals_done(&log);
}

static void others_topics_and_what_is_no_proposal_say_nothing(void **state)
{
    struct sl_kafka_proposals log = {.topic = "t"};

    (void)state;
    propose(&log, "tt", ID(1), "");
    propose(&log, "t", "no-id", "");
    sl_kafka_proposals_see(&log, "t/" ID(2), (struct sl_span){(const uint8_t *)"[", 1});
    expect(&log, "");
    propose(&log, "t", ID(3), ID(4)); /* a ring, with no way in */
    propose(&log, "t", ID(4), ID(3));
    expect(&log, "");
    sl_kafka_proposals_done(&log);
}

enum { SECOND = 1000 * 1000, BEGAN = 100 * SECOND };

static void a_topic_is_gone_when_nothing_else_was_said_for_ten_seconds(void **state)
{
    struct sl_kafka_patience patience = {.began_us = BEGAN};

    (void)state;
    assert_false(sl_kafka_patience_ends(&patience, SL_E_NOT_FOUND, false, BEGAN + 1));
    assert_false(sl_kafka_patience_ends(&patience, SL_OK, false, BEGAN + 5 * SECOND)); /* there after all */
    assert_false(sl_kafka_patience_ends(&patience, SL_E_NOT_FOUND, false, BEGAN + 6 * SECOND));
    assert_false(sl_kafka_patience_ends(&patience, SL_E_NOT_FOUND, false, BEGAN + 16 * SECOND));
    assert_true(sl_kafka_patience_ends(&patience, SL_E_NOT_FOUND, false, BEGAN + 16 * SECOND + 1));
}

static void an_end_that_is_too_early_is_believed_after_six_seconds_and_errors_at_once(void **state)
{
    struct sl_kafka_patience patience = {.began_us = BEGAN};

    (void)state;
    assert_false(sl_kafka_patience_ends(&patience, SL_OK, false, BEGAN + 6 * SECOND));
    assert_true(sl_kafka_patience_ends(&patience, SL_OK, false, BEGAN + 6 * SECOND + 1));
    assert_true(sl_kafka_patience_ends(&patience, SL_OK, true, BEGAN));
    assert_true(sl_kafka_patience_ends(&patience, SL_E_AUTH, false, BEGAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_workers_that_propose_at_once_the_first_in_the_log_is_right_for_all),
        cmocka_unit_test(others_topics_and_what_is_no_proposal_say_nothing),
        cmocka_unit_test(a_topic_is_gone_when_nothing_else_was_said_for_ten_seconds),
        cmocka_unit_test(an_end_that_is_too_early_is_believed_after_six_seconds_and_errors_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
