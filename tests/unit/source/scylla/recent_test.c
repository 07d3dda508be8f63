/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_newest_change_of_a_key_is_known_whatever_the_order_of_arrival(void **state)
{
    struct sl_recent recent = {.keep_us = 1000};

    (void)state;
    sl_recent_add(&recent, 7, (struct sl_recent_change){50, 1}, 10000);
    sl_recent_add(&recent, 7, (struct sl_recent_change){40, 2}, 10001);
    assert_int_equal(sl_recent_find(&recent, 7).ticks, 50);
    assert_int_equal(sl_recent_find(&recent, 7).id, 1);
    assert_int_equal(sl_recent_find(&recent, 8).ticks, 0);
    sl_recent_done(&recent);
}

static void a_key_is_kept_for_its_span_and_forgotten_after_two(void **state)
{
    struct sl_recent recent = {.keep_us = 1000, .settled_ticks = 1000};

    (void)state;
    sl_recent_add(&recent, 7, (struct sl_recent_change){50, 1}, 10000);
    sl_recent_add(&recent, 8, (struct sl_recent_change){60, 1}, 11000); /* the tables turn */
    assert_int_equal(sl_recent_find(&recent, 7).ticks, 50);
    sl_recent_add(&recent, 8, (struct sl_recent_change){61, 1}, 12000);
    assert_int_equal(sl_recent_find(&recent, 7).ticks, 0);
    assert_int_equal(sl_recent_find(&recent, 8).ticks, 61);
    sl_recent_done(&recent);
}

static void a_key_is_kept_as_long_as_its_window_is_not_settled(void **state)
{
    struct sl_recent recent = {.keep_us = 1000, .settled_ticks = 40};

    (void)state;
    sl_recent_add(&recent, 7, (struct sl_recent_change){50, 1}, 10000);
    for (int i = 0; i < 10; i++)
        sl_recent_add(&recent, 8, (struct sl_recent_change){60, 1}, 20000 + 5000 * i);
    assert_int_equal(sl_recent_find(&recent, 7).ticks, 50);
    recent.settled_ticks = 51;
    for (int i = 0; i < 3; i++)
        sl_recent_add(&recent, 8, (struct sl_recent_change){60, 1}, 100000 + 5000 * i);
    assert_int_equal(sl_recent_find(&recent, 7).ticks, 0);
    sl_recent_done(&recent);
}

static void thousands_of_keys_are_told_apart(void **state)
{
    struct sl_recent recent = {.keep_us = 1000};

    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        sl_recent_add(&recent, i * 0x9e3779b97f4a7c15u,
                      (struct sl_recent_change){.ticks = i + 1, .id = (uint32_t)i}, 1);
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(sl_recent_find(&recent, i * 0x9e3779b97f4a7c15u).ticks, i + 1);
    sl_recent_done(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_change_of_a_key_is_known_whatever_the_order_of_arrival),
        cmocka_unit_test(a_key_is_kept_for_its_span_and_forgotten_after_two),
        cmocka_unit_test(a_key_is_kept_as_long_as_its_window_is_not_settled),
        cmocka_unit_test(thousands_of_keys_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
