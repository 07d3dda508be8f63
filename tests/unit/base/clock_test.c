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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_stands_where_it_was_set_until_it_is_given_back),
        cmocka_unit_test(the_monotonic_clock_goes_on_whatever_the_wall_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
