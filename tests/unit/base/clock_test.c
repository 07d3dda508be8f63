/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_wall_clock_stands_where_it_was_set_until_it_is_given_back(void **state)
{
    (void)state;
    sl_clock_set_wall(1000000);
    assert_int_equal(sl_wall_us(), 1000000);
    assert_int_equal(sl_wall_us(), 1000000);
    sl_clock_set_wall(1000005);
    assert_int_equal(sl_wall_us(), 1000005);
    sl_clock_set_wall(0);
    assert_true(sl_wall_us() > 1700000000LL * 1000000);
}

static void the_monotonic_clock_goes_on_whatever_the_wall_says(void **state)
{
    int64_t before = sl_now_us();

    (void)state;
    sl_clock_set_wall(7);
    while (sl_now_us() == before)
        ;
    assert_true(sl_now_us() > before);
    sl_clock_set_wall(0);
}

static void a_time_is_told_as_people_read_it(void **state)
{
    char text[SL_CLOCK_TEXT];

    (void)state;
    sl_clock_text(1763738883517, text);
    assert_string_equal(text, "2025-11-21T15:28:03.517Z");
    sl_clock_text(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    sl_clock_text(INT64_MIN, text);
    assert_string_equal(text, "-292275055-05-16T16:47:04.192Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_stands_where_it_was_set_until_it_is_given_back),
        cmocka_unit_test(the_monotonic_clock_goes_on_whatever_the_wall_says),
        cmocka_unit_test(a_time_is_told_as_people_read_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
