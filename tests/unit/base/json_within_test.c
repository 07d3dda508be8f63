/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static enum sl_rc within(const char *text, size_t depth, size_t values)
{
    struct sl_error err = {0};

    return sl_json_within(text, strlen(text), "it", depth, values, &err);
}

static void depth_counts_what_is_open_at_once(void **state)
{
    (void)state;
    assert_int_equal(within("[[[]]]", 3, 100), SL_OK);
    assert_int_equal(within("[[[[]]]]", 3, 100), SL_E_CONFIG);
    assert_int_equal(within("[[],[],[],{},{}]", 2, 100), SL_OK);
}

static void what_stands_in_a_text_does_not_count(void **state)
{
    (void)state;
    assert_int_equal(within("{\"a\":\"[[[[[[,,,,,,\\\"[[[[\\\\\"}", 1, 3), SL_OK);
    assert_int_equal(within("{\"a\":\"\\\\\",\"b\":[[]]}", 2, 100), SL_E_CONFIG);
}

static void values_are_counted(void **state)
{
    (void)state;
    assert_int_equal(within("[1,2,3]", 9, 4), SL_OK);
    assert_int_equal(within("[1,2,3,4]", 9, 4), SL_E_CONFIG);
}

static void text_that_ends_in_the_middle_is_read_to_its_end_only(void **state)
{
    (void)state;
    assert_int_equal(within("{\"a", 9, 9), SL_OK);
    assert_int_equal(within("{\"a\\", 9, 9), SL_OK);
    assert_int_equal(within("]]]]", 9, 9), SL_OK);
    assert_int_equal(within("", 9, 9), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_counts_what_is_open_at_once),
        cmocka_unit_test(what_stands_in_a_text_does_not_count),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(text_that_ends_in_the_middle_is_read_to_its_end_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
