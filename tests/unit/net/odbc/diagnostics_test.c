/* SPDX-License-Identifier: Apache-2.0 */
#include "net/odbc/odbc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void numbers_say_what_to_do_next(void **state)
{
    (void)state;
    assert_int_equal(sl_odbc_classify(18456, "28000"), SL_E_AUTH);
    assert_int_equal(sl_odbc_classify(4060, "42000"), SL_E_NOT_FOUND);
    assert_int_equal(sl_odbc_classify(208, "42S02"), SL_E_NOT_FOUND);
    assert_int_equal(sl_odbc_classify(313, "42000"), SL_E_GAP);
    assert_int_equal(sl_odbc_classify(1205, "40001"), SL_E_BUSY);
    assert_int_equal(sl_odbc_classify(1222, "HYT00"), SL_E_BUSY);
    assert_int_equal(sl_odbc_classify(20004, "08S01"), SL_E_CONNECT);
}

static void states_speak_where_numbers_do_not(void **state)
{
    (void)state;
    assert_int_equal(sl_odbc_classify(0, "08S01"), SL_E_CONNECT);
    assert_int_equal(sl_odbc_classify(0, "HYT00"), SL_E_TIMEOUT);
    assert_int_equal(sl_odbc_classify(0, "HY008"), SL_E_STOPPED);
    assert_int_equal(sl_odbc_classify(0, "IM002"), SL_E_CONFIG);
    assert_int_equal(sl_odbc_classify(99999, "42000"), SL_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_say_what_to_do_next),
        cmocka_unit_test(states_speak_where_numbers_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
