/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/start_position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct sl_error error;

static enum sl_rc begin(int64_t target, int64_t committed, bool by_us, int64_t *ret_at)
{
    struct sl_progress position = {
        .topic = sl_topic_intern("orders", 6), .partition = 3, .next_offset = target};
    const struct sl_start_sources sources = {
        .connector = "pg", .reader = "connect-pg", .committed = committed, .committed_by_us = by_us};
    enum sl_rc rc = sl_start_position(&sources, &position, &error);

    *ret_at = position.next_offset;
    return rc;
}

static void the_target_is_right_about_what_we_committed_ourselves(void **state)
{
    int64_t at;

    (void)state;
    assert_int_equal(begin(100, 80, true, &at), SL_OK); /* our commits lag behind */
    assert_int_equal(at, 100);
    assert_int_equal(begin(-1, 80, true, &at), SL_OK); /* the user deleted the row: from the start */
    assert_int_equal(at, -1);
    assert_int_equal(begin(100, -1, false, &at), SL_OK);
    assert_int_equal(at, 100);
    assert_int_equal(begin(-1, -1, false, &at), SL_OK);
    assert_int_equal(at, -1);
}

static void a_connector_of_kafka_connect_goes_on_where_its_group_was(void **state)
{
    int64_t at;

    (void)state;
    assert_int_equal(begin(-1, 80, false, &at), SL_OK);
    assert_int_equal(at, 80);
    assert_int_equal(begin(-1, 0, false, &at), SL_OK);
    assert_int_equal(at, 0);
    assert_int_equal(begin(80, 80, false, &at), SL_OK);
    assert_int_equal(at, 80);
}

static void where_both_disagree_both_are_named_and_nothing_is_chosen(void **state)
{
    int64_t at;

    (void)state;
    assert_int_equal(begin(100, 80, false, &at), SL_E_FOREIGN_POSITION);
    assert_non_null(strstr(error.text, "offset 100"));
    assert_non_null(strstr(error.text, "offset 80"));
    assert_non_null(strstr(error.text, "'orders' partition 3"));
    assert_non_null(strstr(error.text, "sluice offsets adopt"));
    assert_int_equal(begin(80, 100, false, &at), SL_E_FOREIGN_POSITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_is_right_about_what_we_committed_ourselves),
        cmocka_unit_test(a_connector_of_kafka_connect_goes_on_where_its_group_was),
        cmocka_unit_test(where_both_disagree_both_are_named_and_nothing_is_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
