/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const router = &sl_transform_regex_router;

static const char *routed(struct bench *bench, const char *topic)
{
    struct sl_message message = tombstone_of(bench, 1);

    message.topic = sl_topic_intern(topic, strlen(topic));
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    return message.topic->name;
}

static void groups_of_the_whole_name_are_put_into_the_replacement(void **state)
{
    struct bench *bench = *state;

    bench_open(bench, router, "regex", "sqlserver\\.warehouse_source\\.dbo\\.(.*)", "replacement", "$1",
               NULL);
    assert_string_equal(routed(bench, "sqlserver.warehouse_source.dbo.orders"), "orders");
    assert_string_equal(routed(bench, "sqlserver.warehouse_source.dbo.orders"), "orders");
}

static void a_name_that_matches_only_in_part_stays(void **state)
{
    struct bench *bench = *state;

    bench_open(bench, router, "regex", "dbo\\.(.*)", "replacement", "$1", NULL);
    assert_string_equal(routed(bench, "x.dbo.orders"), "x.dbo.orders");
}

static void the_first_find_is_replaced_as_in_java(void **state)
{
    struct bench *bench = *state;

    bench_open(bench, router, "regex", "a|ab", "replacement", "x", NULL);
    assert_string_equal(routed(bench, "ab"), "xb");
}

static void many_topics_keep_their_own_results(void **state)
{
    struct bench *bench = *state;

    bench_open(bench, router, "regex", "t(\\d+)", "replacement", "u$1", NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 300; i++) {
            const char *name = sl_arena_format(bench->arena, "t%d", i);

            assert_string_equal(routed(bench, name), sl_arena_format(bench->arena, "u%d", i));
        }
    }
}

static void a_broken_expression_or_a_missing_key_is_refused_by_name(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, router, "regex", "(", "replacement", "x", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.regex"));
    sl_props_set(bench->props, "transforms.t.regex", "(a)");
    assert_int_equal(bench_try(bench, router, "replacement", "$2", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.replacement"));
    sl_props_remove(bench->props, "transforms.t.replacement");
    assert_int_equal(bench_try(bench, router, NULL), SL_E_CONFIG);
    bench->self = NULL;
}

static void an_empty_name_is_a_bad_record(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, router, "regex", "srv[a-z.]*()", "replacement", "$1", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(bench->err.rc, SL_E_DATA);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(groups_of_the_whole_name_are_put_into_the_replacement),
        BENCH_TEST(a_name_that_matches_only_in_part_stays),
        BENCH_TEST(the_first_find_is_replaced_as_in_java),
        BENCH_TEST(many_topics_keep_their_own_results),
        BENCH_TEST(a_broken_expression_or_a_missing_key_is_refused_by_name),
        BENCH_TEST(an_empty_name_is_a_bad_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
