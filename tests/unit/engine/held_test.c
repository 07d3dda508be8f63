/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions whose next row waits are set aside while there is more to do in the others, and not for ever. */
#include "engine/held.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MINUTE_US = 60 * 1000 * 1000 };

static struct sl_progress at(const char *topic, int64_t first, int64_t next)
{
    return (struct sl_progress){
        .topic = sl_topic_intern(topic, strlen(topic)), .first_offset = first, .next_offset = next};
}

static void a_row_is_set_aside_until_the_others_have_come_to_the_ends_of_then(void **state)
{
    struct sl_held held = {0};
    const struct sl_progress row = at("child", 5, 9);
    struct sl_progress positions[] = {at("child", -1, 5), at("parent", -1, 10)};
    struct sl_progress ends[] = {at("child", 0, 50), at("parent", 0, 20)};

    (void)state;
    assert_true(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, 0, MINUTE_US));
    positions[1].next_offset = 15;
    ends[1].next_offset = 40;
    assert_true(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, 0, MINUTE_US));
    positions[1].next_offset = 20; /* what came later counts for a new row only */
    assert_false(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, 0, MINUTE_US));
    held.until_us = 0;
    assert_true(sl_held_set_aside(&held, &(struct sl_progress){row.topic, 0, 6, 9}, 1, positions, 2, ends, 2,
                                  0, MINUTE_US));
    sl_held_done(&held);
}

static void what_comes_later_counts_while_a_snapshot_is_open(void **state)
{
    struct sl_held held = {0};
    const struct sl_progress row = at("child", 5, 9);
    struct sl_progress positions[] = {at("child", -1, 5), at("parent", -1, 20)};
    struct sl_progress ends[] = {at("child", 0, 50), at("parent", 0, 20)};

    (void)state;
    assert_false(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, MINUTE_US, MINUTE_US));
    ends[1].next_offset = 40;
    assert_true(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, MINUTE_US, MINUTE_US));
    sl_held_done(&held);
}

/* A log may end with what is no record: then nothing moves, and the row has its time. */
static void what_brought_nothing_once_is_not_done_again(void **state)
{
    struct sl_held held = {0};
    const struct sl_progress row = at("child", 5, 9);
    struct sl_progress positions[] = {at("child", -1, 5), at("parent", -1, 19)};
    struct sl_progress ends[] = {at("child", 0, 50), at("parent", 0, 20)};

    (void)state;
    assert_true(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, 0, MINUTE_US));
    assert_false(sl_held_set_aside(&held, &row, 1, positions, 2, ends, 2, 0, MINUTE_US));
    sl_held_done(&held);
}

static void two_rows_do_not_send_the_task_to_and_fro(void **state)
{
    struct sl_held held = {0};
    const struct sl_progress rows[] = {at("a", 5, 9), at("b", 3, 9)};
    struct sl_progress positions[] = {at("a", -1, 5), at("b", -1, 2)};
    struct sl_progress ends[] = {at("a", 0, 50), at("b", 0, 20)};
    struct sl_positions known;

    (void)state;
    assert_true(sl_held_set_aside(&held, &rows[0], 1, positions, 2, ends, 2, 0, MINUTE_US));
    positions[1].next_offset = 3;
    assert_false(sl_held_set_aside(&held, &rows[1], 1, positions, 2, ends, 2, 0, MINUTE_US));
    sl_positions_init(&known);
    sl_positions_set(&known, positions, 2);
    assert_false(sl_held_is_over(&held, &known)); /* the second has its time */
    sl_held_wake(&held);
    assert_true(sl_held_is_over(&held, &known));
    sl_positions_done(&known);
    sl_held_done(&held);
}

static void the_others_are_read_and_the_row_keeps_its_position(void **state)
{
    struct sl_held held = {0};
    const struct sl_progress row = at("child", 5, 9);
    struct sl_progress positions[] = {at("child", -1, 5), at("parent", -1, 10), at("other", -1, 3)};
    struct sl_progress ends[] = {at("child", 0, 50), at("parent", 0, 20), at("other", 0, 3)};
    struct sl_progress partitions[] = {at("child", -1, -1), at("parent", -1, -1), at("other", -1, -1)};
    struct sl_positions known;

    (void)state;
    assert_int_equal(sl_held_part(&held, partitions, 3), 3);
    assert_true(sl_held_set_aside(&held, &row, 1, positions, 3, ends, 3, 0, MINUTE_US));
    assert_int_equal(sl_held_part(&held, partitions, 3), 2);
    assert_ptr_equal(partitions[2].topic, row.topic);
    assert_int_equal(partitions[2].next_offset, 5);
    sl_positions_init(&known);
    sl_positions_set(&known, positions, 3);
    assert_false(sl_held_is_over(&held, &known));
    sl_positions_advance(&known, &ends[1], 1);
    assert_true(sl_held_is_over(&held, &known));
    sl_positions_done(&known);
    sl_held_done(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_set_aside_until_the_others_have_come_to_the_ends_of_then),
        cmocka_unit_test(what_comes_later_counts_while_a_snapshot_is_open),
        cmocka_unit_test(what_brought_nothing_once_is_not_done_again),
        cmocka_unit_test(two_rows_do_not_send_the_task_to_and_fro),
        cmocka_unit_test(the_others_are_read_and_the_row_keeps_its_position),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
