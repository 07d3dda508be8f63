/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config/override_policy.h"

#include "base/props.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t complaints_of(const char *policy, bool sink, const char *key, const char *letters)
{
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};
    size_t n;

    sl_props_set(props, "name", "c");
    sl_props_set(props, key, "x");
    if (letters)
        sl_props_set(props, "errors.deadletterqueue.topic.name", letters);
    sl_override_policy_check(policy, sink, props, &complaints);
    n = complaints.n;
    if (n) {
        assert_string_equal(complaints.items[0].key, key);
        assert_non_null(strstr(complaints.items[0].text, "policy does not allow '"));
        assert_non_null(strstr(complaints.items[0].text, strstr(key, "override.") + 9));
    }
    sl_complaints_done(&complaints);
    sl_props_free(props);
    return n;
}

static void all_allows_everything(void **state)
{
    (void)state;
    assert_int_equal(complaints_of("All", true, "consumer.override.fetch.min.bytes", NULL), 0);
    assert_int_equal(
        complaints_of("AllConnectorClientConfigOverridePolicy", false, "producer.override.linger.ms", NULL),
        0);
}

static void none_allows_nothing(void **state)
{
    (void)state;
    assert_int_equal(complaints_of("None", true, "consumer.override.fetch.min.bytes", NULL), 1);
    assert_int_equal(complaints_of("None", false, "producer.override.linger.ms", NULL), 1);
    assert_int_equal(complaints_of("None", false, "admin.override.security.protocol", NULL), 1);
    assert_int_equal(
        complaints_of("org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy",
                      false, "producer.override.linger.ms", NULL),
        1);
}

static void none_of_a_sink_looks_at_producers_only_with_a_dead_letter_topic(void **state)
{
    (void)state;
    assert_int_equal(complaints_of("None", true, "producer.override.linger.ms", NULL), 0);
    assert_int_equal(complaints_of("None", true, "producer.override.linger.ms", "dlq"), 1);
}

static void principal_allows_who_the_connector_is(void **state)
{
    (void)state;
    assert_int_equal(complaints_of("Principal", true, "consumer.override.sasl.jaas.config", NULL), 0);
    assert_int_equal(complaints_of("Principal", true, "consumer.override.sasl.mechanism", NULL), 0);
    assert_int_equal(complaints_of("Principal", false, "producer.override.security.protocol", NULL), 0);
    assert_int_equal(complaints_of("Principal", false, "producer.override.linger.ms", NULL), 1);
}

static void other_keys_are_nobodys_business(void **state)
{
    (void)state;
    assert_int_equal(complaints_of("None", false, "topic.prefix", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_allows_everything),
        cmocka_unit_test(none_allows_nothing),
        cmocka_unit_test(none_of_a_sink_looks_at_producers_only_with_a_dead_letter_topic),
        cmocka_unit_test(principal_allows_who_the_connector_is),
        cmocka_unit_test(other_keys_are_nobodys_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
