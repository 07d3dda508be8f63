/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/doubt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

enum { SESSION = 6 };

static void look_until(struct sl_doubt *doubt, int64_t *now_us, int64_t until_us)
{
    for (; *now_us < until_us; *now_us += SECOND / 20)
        sl_doubt_look(doubt, *now_us);
}

static void slots_of_a_group_that_fell_silent_may_still_be_ours(void **state)
{
    struct sl_doubt doubt;
    int64_t now_us = 0;

    (void)state;
    sl_doubt_init(&doubt, SESSION * SECOND, now_us);
    look_until(&doubt, &now_us, 20 * SECOND);
    sl_doubt_silence(&doubt);
    assert_true(sl_doubt_may_be(&doubt, now_us));
    /* It was asked: the next loss is another. */
    assert_false(sl_doubt_may_be(&doubt, now_us));
    sl_doubt_done(&doubt);
}

static void what_the_group_says_itself_leaves_no_doubt(void **state)
{
    struct sl_doubt doubt;
    int64_t now_us = 0;

    (void)state;
    sl_doubt_init(&doubt, SESSION * SECOND, now_us);
    look_until(&doubt, &now_us, 20 * SECOND);
    assert_false(sl_doubt_may_be(&doubt, now_us));
    sl_doubt_done(&doubt);
}

static void a_process_that_stood_still_has_no_doubt(void **state)
{
    struct sl_doubt doubt;
    int64_t now_us = 0;

    (void)state;
    sl_doubt_init(&doubt, SESSION * SECOND, now_us);
    look_until(&doubt, &now_us, 20 * SECOND);
    sl_doubt_silence(&doubt);
    now_us += 10 * SECOND; /* whether it hears of the loss first thing ... */
    assert_false(sl_doubt_may_be(&doubt, now_us));
    sl_doubt_silence(&doubt);
    look_until(&doubt, &now_us, now_us + 5 * SECOND); /* ... or a while later */
    assert_false(sl_doubt_may_be(&doubt, now_us));
    sl_doubt_silence(&doubt);
    look_until(&doubt, &now_us, now_us + 5 * SECOND);
    assert_true(sl_doubt_may_be(&doubt, now_us));
    sl_doubt_done(&doubt);
}

static void what_is_not_assigned_again_is_lost(void **state)
{
    const int32_t ours[] = {3, 5, 8};
    const int32_t assigned[] = {8, 1, 3};
    int32_t lost[3];
    struct sl_doubt doubt;

    (void)state;
    sl_doubt_init(&doubt, SESSION * SECOND, 0);
    assert_int_equal(sl_doubt_settle(&doubt, assigned, 3, lost), 0);
    sl_doubt_begin(&doubt, ours, 3, 0);
    assert_int_equal(sl_doubt_settle(&doubt, assigned, 3, lost), 1);
    assert_int_equal(lost[0], 5);
    assert_int_equal(sl_doubt_settle(&doubt, assigned, 0, lost), 0);
    sl_doubt_done(&doubt);
}

static void doubt_ends_when_nobody_speaks_for_long(void **state)
{
    const int32_t ours[] = {3, 5};
    int32_t lost[2];
    struct sl_doubt doubt;

    (void)state;
    sl_doubt_init(&doubt, SESSION * SECOND, 0);
    assert_false(sl_doubt_is_over(&doubt, 1000 * SECOND));
    sl_doubt_begin(&doubt, ours, 2, 100 * SECOND);
    assert_false(sl_doubt_is_over(&doubt, 129 * SECOND));
    assert_true(sl_doubt_is_over(&doubt, 131 * SECOND));
    assert_int_equal(sl_doubt_settle(&doubt, NULL, 0, lost), 2);
    assert_false(sl_doubt_is_over(&doubt, 131 * SECOND));
    sl_doubt_done(&doubt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_of_a_group_that_fell_silent_may_still_be_ours),
        cmocka_unit_test(what_the_group_says_itself_leaves_no_doubt),
        cmocka_unit_test(a_process_that_stood_still_has_no_doubt),
        cmocka_unit_test(what_is_not_assigned_again_is_lost),
        cmocka_unit_test(doubt_ends_when_nobody_speaks_for_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
