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
    assert_non_null(strstr(sl_buf_cstr(&record), "\"slots\":[-1]"));
    assert_null(sl_view_owner(&view, "me", 0));
    says(&view, "one", "{\"version\":1,\"generation\":1,\"slots\":[0]}");
    says(&view, "other", "{\"version\":1,\"generation\":3,\"slots\":[-3]}");
    assert_null(sl_view_owner(&view, "me", 0));
    sl_buf_done(&record);
    sl_view_done(&view);
}

/* Slot 0 held, with task c/0 begun under it. */
static void run_one(struct sl_view *view)
{
    const struct sl_cluster_connector one = {.name = "c", .tasks = 2};
    static const char place[] = "{\"version\":1,\"slot\":0}";

    sl_view_init(view, SLOTS);
    sl_view_tell(view, &one, 1, 0);
    for (int task = 0; task < 2; task++)
        sl_view_placement(view, task ? "c/1" : "c/0",
                          (struct sl_span){(const uint8_t *)place, sizeof(place) - 1});
    hold(view, 0);
    assert_true(sl_view_begin(view, "c", 0));
}

static void while_the_group_is_silent_what_runs_is_held_and_nothing_begins(void **state)
{
    const int32_t first = 0;
    struct sl_view view;

    (void)state;
    run_one(&view);
    sl_view_doubt(&view, &first, 1);
    assert_int_equal(sl_view_look(&view, "c", 0), SL_LEASE_HOLD);
    assert_false(sl_view_begin(&view, "c", 1));
    assert_true(sl_view_may_lead(&view));
    assert_null(sl_view_owner(&view, "me", 0));
    /* It is ours again, but what others wrote is not read yet. */
    sl_view_gain(&view, &first, 1);
    assert_int_equal(sl_view_look(&view, "c", 0), SL_LEASE_HOLD);
    assert_false(sl_view_begin(&view, "c", 1));
    sl_view_done(&view);
}

static void what_nobody_else_had_while_the_group_was_silent_goes_on(void **state)
{
    const int32_t first = 0;
    struct sl_view view;

    (void)state;
    run_one(&view);
    sl_view_doubt(&view, &first, 1);
    sl_view_gain(&view, &first, 1);
    says(&view, "other", "{\"version\":1,\"generation\":9,\"slots\":[0,9]}");
    assert_false(sl_view_claim(&view)); /* in the generation that it had */
    assert_int_equal(sl_view_look(&view, "c", 0), SL_LEASE_KEEP);
    assert_true(sl_view_begin(&view, "c", 1));
    assert_string_equal(sl_view_owner(&view, "me", 0), "me");
    sl_view_done(&view);
}

static void what_another_had_while_the_group_was_silent_is_lost(void **state)
{
    static const char *const records[] = {
        "{\"version\":1,\"generation\":2,\"slots\":[2]}",  /* and died */
        "{\"version\":1,\"generation\":2,\"slots\":[-2]}", /* and lost it again */
    };
    const int32_t first = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
        struct sl_view view;

        run_one(&view);
        sl_view_doubt(&view, &first, 1);
        sl_view_gain(&view, &first, 1);
        says(&view, "other", records[i]);
        assert_true(sl_view_claim(&view));
        sl_view_ready(&view);
        assert_int_equal(sl_view_look(&view, "c", 0), SL_LEASE_ABANDON);
        sl_view_end(&view, "c", 0);
        assert_true(sl_view_begin(&view, "c", 0));
        assert_string_equal(sl_view_owner(&view, "me", 0), "me");
        sl_view_done(&view);
    }
}

static void what_the_group_gives_to_others_after_its_silence_is_lost(void **state)
{
    const int32_t first = 0;
    struct sl_view view;

    (void)state;
    run_one(&view);
    sl_view_doubt(&view, &first, 1);
    sl_view_lose(&view, &first, 1);
    assert_int_equal(sl_view_look(&view, "c", 0), SL_LEASE_ABANDON);
    assert_false(sl_view_may_lead(&view));
    sl_view_done(&view);
}

static void slots_that_came_just_before_the_silence_are_taken_anew(void **state)
{
    const int32_t first = 0;
    struct sl_view view;

    (void)state;
    sl_view_init(&view, SLOTS);
    sl_view_gain(&view, &first, 1); /* not read, not claimed */
    sl_view_doubt(&view, &first, 1);
    assert_false(sl_view_claim(&view));
    sl_view_gain(&view, &first, 1);
    assert_true(sl_view_claim(&view));
    sl_view_done(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_whose_record_says_the_newest_generation),
        cmocka_unit_test(of_a_slot_that_was_given_back_nobody_long_dead_is_the_owner),
        cmocka_unit_test(a_slot_is_not_given_back_before_its_generation_can_be_read),
        cmocka_unit_test(a_slot_that_was_lost_is_not_claimed_any_more),
        cmocka_unit_test(while_the_group_is_silent_what_runs_is_held_and_nothing_begins),
        cmocka_unit_test(what_nobody_else_had_while_the_group_was_silent_goes_on),
        cmocka_unit_test(what_another_had_while_the_group_was_silent_is_lost),
        cmocka_unit_test(what_the_group_gives_to_others_after_its_silence_is_lost),
        cmocka_unit_test(slots_that_came_just_before_the_silence_are_taken_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
