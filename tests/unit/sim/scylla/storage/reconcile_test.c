/* SPDX-License-Identifier: Apache-2.0 */
/* What wins when two writes meet, and which rows are alive. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS "pk int p, ck int c, s text s, v text r, w text r, m map<int,text> r"

static int setup(void **state)
{
    static struct world world;

    world_open(&world, NULL);
    world_keyspace(&world, 0);
    world_table(&world, COLUMNS, NULL);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static void the_later_timestamp_wins_whatever_the_order_of_arrival(void **state)
{
    struct world *world = *state;

    world_write(world, 1, 1, "v", "new", 20);
    world_write(world, 1, 1, "v", "old", 10);
    assert_string_equal(world_dump(world), "1|1 v='new'@20\n");
}

static void at_one_timestamp_the_larger_value_wins(void **state)
{
    struct world *world = *state;

    world_write(world, 1, 1, "v", "b", 10);
    world_write(world, 1, 1, "v", "a", 10);
    assert_string_equal(world_dump(world), "1|1 v='b'@10\n");
}

static void at_one_timestamp_a_deleted_cell_beats_a_live_one(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_dead(&change, "v", 10);
    change_apply(&change);
    world_write(world, 1, 1, "v", "z", 10);
    world_write(world, 1, 1, "w", "x", 10);
    assert_string_equal(world_dump(world), "1|1 w='x'@10\n");
}

static void at_one_timestamp_an_expiring_cell_beats_one_that_stays(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_cell(&change, "v", world_text(world, "a"), 10, 100);
    change_apply(&change);
    world_write(world, 1, 1, "v", "z", 10);
    assert_string_equal(world_dump(world), "1|1 v='a'@10/100\n");
}

static void a_row_without_marker_dies_with_its_last_cell(void **state)
{
    struct world *world = *state;
    struct change change;

    world_write(world, 1, 1, "v", "a", 10);
    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_dead(&change, "v", 11);
    change_apply(&change);
    assert_string_equal(world_dump(world), "");
}

static void a_row_with_a_marker_stays_without_cells(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_marker(&change, 10, 0);
    change_apply(&change);
    assert_string_equal(world_dump(world), "1|1 row@10\n");
}

static void statics_alone_give_one_row_without_clustering(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_static(&change);
    change_cell(&change, "s", world_text(world, "a"), 10, 0);
    change_apply(&change);
    assert_string_equal(world_dump(world), "1 (static) s='a'@10\n");
    world_write(world, 1, 5, "v", "b", 11);
    assert_string_equal(world_dump(world), "1|5 s='a'@10 v='b'@11\n");
}

static void a_row_tombstone_covers_what_is_not_newer(void **state)
{
    struct world *world = *state;
    struct change change;

    world_write(world, 1, 1, "v", "a", 10);
    world_write(world, 1, 1, "w", "b", 12);
    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_delete_row(&change, 11);
    change_apply(&change);
    assert_string_equal(world_dump(world), "1|1 w='b'@12\n");
    world_write(world, 1, 1, "v", "late", 11);
    assert_string_equal(world_dump(world), "1|1 w='b'@12\n");
}

static void a_range_tombstone_covers_its_rows_and_those_written_late(void **state)
{
    struct world *world = *state;
    struct change change;
    int32_t two = 2;
    int32_t four = 4;

    for (int ck = 1; ck <= 5; ck++)
        world_write(world, 1, ck, "v", "a", 10);
    change_begin(&change, world, 1);
    change_delete_range(&change, &two, false, &four, true, 11);
    change_apply(&change);
    world_write(world, 1, 3, "v", "late", 11);
    world_write(world, 1, 4, "v", "new", 12);
    assert_string_equal(world_dump(world), "1|1 v='a'@10\n1|2 v='a'@10\n1|4 v='new'@12\n1|5 v='a'@10\n");
}

static void a_partition_tombstone_covers_rows_and_statics(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_static(&change);
    change_cell(&change, "s", world_text(world, "a"), 10, 0);
    change_row(&change, 1);
    change_cell(&change, "v", world_text(world, "a"), 10, 0);
    change_apply(&change);
    change_begin(&change, world, 1);
    change_delete_partition(&change, 10);
    change_apply(&change);
    assert_string_equal(world_dump(world), "");
}

static void a_collection_set_as_a_whole_loses_its_older_elements(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_element(&change, "m", world_int(world, 1), world_text(world, "a"), 10, 0);
    change_element(&change, "m", world_int(world, 2), world_text(world, "b"), 20, 0);
    change_apply(&change);
    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_collection(&change, "m", 14);
    change_element(&change, "m", world_int(world, 3), world_text(world, "c"), 15, 0);
    change_apply(&change);
    assert_string_equal(world_dump(world), "1|1 m={2: 'b'@20, 3: 'c'@15}\n");
}

static void a_ttl_ends_by_the_clock(void **state)
{
    struct world *world = *state;
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_marker(&change, 10, 50);
    change_cell(&change, "v", world_text(world, "a"), 10, 50);
    change_cell(&change, "w", world_text(world, "b"), 10, 60);
    change_apply(&change);
    sy_server_advance_us(world->server, 49 * 1000000LL);
    assert_string_equal(world_dump(world), "1|1 row@10/50 v='a'@10/50 w='b'@10/60\n");
    sy_server_advance_us(world->server, 1000000LL);
    assert_string_equal(world_dump(world), "1|1 w='b'@10/60\n");
    sy_server_advance_us(world->server, 10 * 1000000LL);
    assert_string_equal(world_dump(world), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_later_timestamp_wins_whatever_the_order_of_arrival),
        TEST(at_one_timestamp_the_larger_value_wins),
        TEST(at_one_timestamp_a_deleted_cell_beats_a_live_one),
        TEST(at_one_timestamp_an_expiring_cell_beats_one_that_stays),
        TEST(a_row_without_marker_dies_with_its_last_cell),
        TEST(a_row_with_a_marker_stays_without_cells),
        TEST(statics_alone_give_one_row_without_clustering),
        TEST(a_row_tombstone_covers_what_is_not_newer),
        TEST(a_range_tombstone_covers_its_rows_and_those_written_late),
        TEST(a_partition_tombstone_covers_rows_and_statics),
        TEST(a_collection_set_as_a_whole_loses_its_older_elements),
        TEST(a_ttl_ends_by_the_clock),
    };

    return cmocka_run_group_tests_name("sim/scylla/storage/reconcile", tests, NULL, NULL);
}
