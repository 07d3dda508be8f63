/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/topic_groups.h"

#include "base/props.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct sl_topic_settings worker = {.partitions = 2, .retention_ms = -1, .retention_bytes = -1};
static struct sl_props *props;
static struct sl_topic_groups *groups;

static void open_with(const char *const *pairs)
{
    struct sl_error err;

    props = sl_props_new();
    for (; *pairs; pairs += 2)
        sl_props_set(props, pairs[0], pairs[1]);
    assert_int_equal(sl_topic_groups_open(props, &worker, &groups, &err), SL_OK);
}

static int tear_down(void **state)
{
    (void)state;
    sl_topic_groups_close(groups);
    sl_props_free(props);
    groups = NULL;
    return 0;
}

static const struct sl_topic_settings *of(const char *topic)
{
    return sl_topic_groups_settings(groups, sl_topic_intern(topic, strlen(topic)));
}

static void without_groups_the_default_group_decides(void **state)
{
    static const char *const pairs[] = {"topic.creation.default.partitions", "7",
                                        "topic.creation.default.retention.ms", "1000", NULL};

    (void)state;
    open_with(pairs);
    assert_int_equal(of("a")->partitions, 7);
    assert_int_equal(of("a")->retention_ms, 1000);
    assert_int_equal(of("a")->retention_bytes, -1);
    assert_false(of("a")->compact);
}

static void the_first_group_that_takes_a_topic_wins(void **state)
{
    static const char *const pairs[] = {"topic.creation.groups",
                                        "state,logs",
                                        "topic.creation.state.include",
                                        ".*\\.state, exact",
                                        "topic.creation.state.exclude",
                                        "old\\..*",
                                        "topic.creation.state.cleanup.policy",
                                        "compact",
                                        "topic.creation.state.partitions",
                                        "1",
                                        "topic.creation.logs.include",
                                        ".*",
                                        "topic.creation.logs.retention.ms",
                                        "60000",
                                        "topic.creation.default.partitions",
                                        "5",
                                        "topic.creation.default.retention.bytes",
                                        "1000000",
                                        NULL};

    (void)state;
    open_with(pairs);
    assert_true(of("db.state")->compact);
    assert_int_equal(of("db.state")->partitions, 1);
    assert_true(of("exact")->compact);
    assert_false(of("exactly")->compact); /* the whole name has to match */
    assert_false(of("old.state")->compact);
    assert_int_equal(of("old.state")->retention_ms, 60000);
    assert_int_equal(of("old.state")->partitions, 5);       /* the default group's */
    assert_int_equal(of("old.state")->retention_bytes, -1); /* is not inherited */
}

static void minus_one_leaves_the_partitions_to_the_worker(void **state)
{
    static const char *const pairs[] = {"topic.creation.default.partitions", "-1", NULL};

    (void)state;
    open_with(pairs);
    assert_int_equal(of("a")->partitions, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_groups_the_default_group_decides, tear_down),
        cmocka_unit_test_teardown(the_first_group_that_takes_a_topic_wins, tear_down),
        cmocka_unit_test_teardown(minus_one_leaves_the_partitions_to_the_worker, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
