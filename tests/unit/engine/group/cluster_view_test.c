/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/cluster_view.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 4 };

static void says(struct sl_view *view, const char *worker, const char *record)
{
    sl_view_worker(view, worker, (struct sl_span){(const uint8_t *)record, strlen(record)});
}

static void hold(struct sl_view *view, int32_t slot)
{
    sl_view_gain(view, &slot, 1);
    assert_true(sl_view_claim(view));
    sl_view_ready(view);
}

static void a_slot_is_whose_record_says_the_newest_generation(void **state)
{
    struct sl_view view;

    (void)state;
    sl_view_init(&view, SLOTS);
    assert_null(sl_view_owner(&view, "me", 0));
    says(&view, "dead", "{\"version\":1,\"generation\":3,\"slots\":[3,3,3,3]}");
    says(&view, "alive", "{\"version\":1,\"generation\":4,\"slots\":[0,4]}");
    assert_string_equal(sl_view_owner(&view, "me", 0), "dead");
    assert_string_equal(sl_view_owner(&view, "me", 1), "alive");
    hold(&view, 0);
    hold(&view, 2);
    assert_string_equal(sl_view_owner(&view, "me", 0), "me");
    assert_string_equal(sl_view_owner(&view, "me", 2), "me");
    assert_string_equal(sl_view_owner(&view, "me", 3), "dead");
    /* Another has it since: we were away and do not know it yet. */
    says(&view, "alive", "{\"version\":1,\"generation\":9,\"slots\":[9,4]}");
    assert_string_equal(sl_view_owner(&view, "me", 0), "alive");
    sl_view_done(&view);
}

static void of_a_slot_that_was_given_back_nobody_long_dead_is_the_owner(void **state)
{
    const int32_t first = 0;
    struct sl_view view;

    (void)state;
    sl_view_init(&view, SLOTS);
    says(&view, "dead", "{\"version\":1,\"generation\":3,\"slots\":[3]}");
    hold(&view, 0);
    sl_view_ask(&view, &first, 1);
    assert_int_equal(sl_view_returnable(&view), 0);
    assert_null(sl_view_owner(&view, "me", 0));
    says(&view, "next", "{\"version\":1,\"generation\":5,\"slots\":[5]}");
    assert_string_equal(sl_view_owner(&view, "me", 0), "next");
    sl_view_done(&view);
}

static void a_slot_is_not_given_back_before_its_generation_can_be_read(void **state)
{
    const int32_t first = 0;
    struct sl_buf record = {0};
    struct sl_view view;

    (void)state;
    sl_view_init(&view, SLOTS);
    sl_view_gain(&view, &first, 1);
    assert_true(sl_view_claim(&view));
    sl_view_ask(&view, &first, 1);
    assert_int_equal(sl_view_returnable(&view), SL_NO_SLOT);
    sl_view_write_worker(&view, "", &record);
    assert_non_null(strstr(sl_buf_cstr(&record), "\"slots\":[1]"));
    sl_buf_done(&record);
    sl_view_ready(&view);
    assert_int_equal(sl_view_returnable(&view), 0);
    sl_view_done(&view);
}

static void a_slot_that_was_lost_is_not_claimed_any_more(void **state)
{
    const int32_t first = 0;
    struct sl_buf record = {0};
    struct sl_view view;

    (void)state;
    sl_view_init(&view, SLOTS);
    hold(&view, 0);
    sl_view_lose(&view, &first, 1);
    sl_view_write_worker(&view, "", &record);
    assert_non_null(strstr(sl_buf_cstr(&record), "\"slots\":[]"));
    sl_buf_done(&record);
    sl_view_done(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_whose_record_says_the_newest_generation),
        cmocka_unit_test(of_a_slot_that_was_given_back_nobody_long_dead_is_the_owner),
        cmocka_unit_test(a_slot_is_not_given_back_before_its_generation_can_be_read),
        cmocka_unit_test(a_slot_that_was_lost_is_not_claimed_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
