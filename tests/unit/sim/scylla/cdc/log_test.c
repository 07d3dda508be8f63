/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of write leaves in the change log: operation codes, images, splitting, columns. */
#include "../storage/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLAIN "pk int p, ck int c, v text r, w text r"
#define RICH "pk int p, ck int c, s text s, v text r, m map<int,text> r, e set<int> r, l list<text> r"
#define T (START_US)

static int setup(void **state)
{
    static struct world world;

    world_open(&world, NULL);
    world_keyspace(&world, 0);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

/* INSERT INTO t (pk, ck, v) VALUES (1, ck, text) */
static void insert(struct world *world, int32_t ck, const char *text, int64_t us, int32_t ttl_s)
{
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, ck);
    change_marker(&change, us, ttl_s);
    change_cell(&change, "v", world_text(world, text), us, ttl_s);
    change_apply(&change);
}

static void delete_row(struct world *world, int32_t ck, int64_t us)
{
    struct change change;

    change_begin(&change, world, 1);
    change_row(&change, ck);
    change_delete_row(&change, us);
    change_apply(&change);
}

static void delete_range(struct world *world, const int32_t *from, bool from_inclusive, const int32_t *to,
                         bool to_inclusive, int64_t us)
{
    struct change change;

    change_begin(&change, world, 1);
    change_delete_range(&change, from, from_inclusive, to, to_inclusive, us);
    change_apply(&change);
}

/* --- operation codes --- */

static void an_insert_is_2_and_an_update_is_1(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true");
    insert(world, 2, "a", T, 0);
    world_write(world, 1, 2, "v", "b", T + 1);
    assert_string_equal(world_log(world), "+0 0 op 2 end ck=2 pk=1 v='a'\n+1 0 op 1 end ck=2 pk=1 v='b'\n");
}

static void a_deleted_column_says_so_and_has_no_value(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, PLAIN, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_dead(&change, "v", T);
    change_apply(&change);
    assert_string_equal(world_log(world), "+0 0 op 1 deleted_v=true end ck=2 pk=1\n");
}

static void a_row_delete_is_3(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true");
    delete_row(world, 2, T);
    assert_string_equal(world_log(world), "+0 0 op 3 end ck=2 pk=1\n");
}

static void a_partition_delete_is_4_without_clustering_columns(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, PLAIN, "enabled=true");
    change_begin(&change, world, 1);
    change_delete_partition(&change, T);
    change_apply(&change);
    assert_string_equal(world_log(world), "+0 0 op 4 end pk=1\n");
}

static void a_range_delete_is_two_rows_5_to_8(void **state)
{
    struct world *world = *state;
    int32_t two = 2;
    int32_t four = 4;

    world_table(world, PLAIN, "enabled=true");
    delete_range(world, &two, true, &four, false, T);
    delete_range(world, &two, false, &four, true, T + 1);
    delete_range(world, NULL, false, &four, false, T + 2);
    delete_range(world, &two, false, NULL, false, T + 3);
    assert_string_equal(world_log(world), "+0 0 op 5 ck=2 pk=1\n+0 1 op 8 end ck=4 pk=1\n"
                                          "+1 0 op 6 ck=2 pk=1\n+1 1 op 7 end ck=4 pk=1\n"
                                          "+2 0 op 5 pk=1\n+2 1 op 8 end ck=4 pk=1\n"
                                          "+3 0 op 6 ck=2 pk=1\n+3 1 op 7 end pk=1\n");
}

static void a_static_change_is_1_without_clustering_columns(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true");
    change_begin(&change, world, 1);
    change_static(&change);
    change_cell(&change, "s", world_text(world, "x"), T, 0);
    change_apply(&change);
    assert_string_equal(world_log(world), "+0 0 op 1 end pk=1 s='x'\n");
}

static void the_expiry_service_writes_minus_3_and_minus_4(void **state)
{
    struct world *world = *state;
    struct sy_write_context context = {.consistency = 1, .expiry_service = true};
    struct change change;

    world_table(world, PLAIN, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_delete_row(&change, T);
    assert_true(sy_store_apply(world->server, &change.mutation, 1, &context, &world->arena, &world->error));
    change_begin(&change, world, 1);
    change_delete_partition(&change, T + 1);
    assert_true(sy_store_apply(world->server, &change.mutation, 1, &context, &world->arena, &world->error));
    assert_string_equal(world_log(world), "+0 0 op -3 end ck=2 pk=1\n+1 0 op -4 end pk=1\n");
}

static void truncate_and_expiry_write_nothing(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true");
    insert(world, 2, "a", T, 10);
    sy_server_advance_us(world->server, 20 * 1000000LL);
    assert_string_equal(world_dump(world), "");
    assert_true(sy_store_truncate(world->server, world->table, &world->arena, &world->error));
    assert_string_equal(world_log(world), "+0 0 op 2 end ttl=10 ck=2 pk=1 v='a'\n");
}

/* --- delta values --- */

static void a_collection_set_as_a_whole_is_one_group_at_its_cells_time(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_collection(&change, "m", T - 1);
    change_element(&change, "m", world_int(world, 1), world_text(world, "a"), T, 0);
    change_apply(&change);
    assert_string_equal(world_log(world), "+0 0 op 1 deleted_m=true end ck=2 m={1: 'a'} pk=1\n");
}

static void a_deleted_collection_shows_one_microsecond_late(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_collection(&change, "e", T);
    change_apply(&change);
    assert_string_equal(world_log(world), "+1 0 op 1 deleted_e=true end ck=2 pk=1\n");
}

static void added_and_removed_elements_stand_in_one_row(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_element(&change, "e", world_int(world, 1), (struct sy_value){.len = 0}, T, 0);
    change_dead_element(&change, "e", world_int(world, 2), T);
    change_dead_element(&change, "m", world_int(world, 3), T);
    change_apply(&change);
    assert_string_equal(world_log(world),
                        "+0 0 op 1 deleted_elements_e={2} deleted_elements_m={3} end ck=2 e={1} pk=1\n");
}

static void delta_keys_leaves_the_values_out(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true delta=keys");
    insert(world, 2, "a", T, 0);
    assert_string_equal(world_log(world), "+0 0 op 2 end ck=2 pk=1\n");
}

/* --- splitting --- */

static void an_insert_with_ttl_that_sets_a_map_is_split_in_three(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_marker(&change, T, 30);
    change_cell(&change, "v", world_text(world, "a"), T, 30);
    change_collection(&change, "m", T - 1);
    change_element(&change, "m", world_int(world, 1), world_text(world, "x"), T, 30);
    change_apply(&change);
    assert_string_equal(world_log(world), "+0 0 op 2 ttl=30 ck=2 pk=1 v='a'\n"
                                          "+0 1 op 1 deleted_m=true ck=2 pk=1\n"
                                          "+0 2 op 1 end ttl=30 ck=2 m={1: 'x'} pk=1\n");
}

static void static_and_clustered_cells_are_two_rows(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true");
    change_begin(&change, world, 1);
    change_static(&change);
    change_cell(&change, "s", world_text(world, "x"), T, 0);
    change_row(&change, 2);
    change_marker(&change, T, 0);
    change_cell(&change, "v", world_text(world, "a"), T, 0);
    change_apply(&change);
    assert_string_equal(world_log(world), "+0 0 op 1 pk=1 s='x'\n+0 1 op 2 end ck=2 pk=1 v='a'\n");
}

static void timestamps_of_one_batch_are_groups_of_their_own(void **state)
{
    struct world *world = *state;
    struct change first;
    struct change second;
    struct change *both[] = {&first, &second};

    world_table(world, PLAIN, "enabled=true");
    change_begin(&first, world, 1);
    change_row(&first, 2);
    change_cell(&first, "v", world_text(world, "a"), T + 5, 0);
    change_begin(&second, world, 1);
    change_row(&second, 2);
    change_delete_row(&second, T);
    changes_apply(world, both, 2);
    assert_string_equal(world_log(world), "+0 0 op 3 end ck=2 pk=1\n+5 0 op 1 end ck=2 pk=1 v='a'\n");
}

static void rows_of_one_batch_run_on_in_one_group(void **state)
{
    struct world *world = *state;
    struct change first;
    struct change second;
    struct change *both[] = {&second, &first};

    world_table(world, PLAIN, "enabled=true");
    change_begin(&first, world, 1);
    change_row(&first, 2);
    change_marker(&first, T, 0);
    change_cell(&first, "v", world_text(world, "a"), T, 0);
    change_begin(&second, world, 1);
    change_row(&second, 3);
    change_cell(&second, "v", world_text(world, "b"), T, 0);
    changes_apply(world, both, 2);
    assert_string_equal(world_log(world), "+0 0 op 2 ck=2 pk=1 v='a'\n+0 1 op 1 end ck=3 pk=1 v='b'\n");
}

/* --- images --- */

static void a_new_row_has_no_preimage(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true preimage=true postimage=true");
    insert(world, 2, "a", T, 0);
    assert_string_equal(world_log(world), "+0 0 op 2 ck=2 pk=1 v='a'\n+0 1 op 9 end ck=2 pk=1 v='a'\n");
}

static void an_update_of_a_row_has_both_images(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true preimage=true postimage=true");
    world_write(world, 1, 2, "w", "z", T);
    world_write(world, 1, 2, "v", "b", T + 1);
    assert_non_null(strstr(world_log(world), "+1 0 op 0 deleted_v=true ck=2 pk=1\n"
                                             "+1 1 op 1 ck=2 pk=1 v='b'\n"
                                             "+1 2 op 9 end ck=2 pk=1 v='b' w='z'\n"));
}

static void a_full_preimage_has_all_columns(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true preimage=full");
    world_write(world, 1, 2, "w", "z", T);
    world_write(world, 1, 2, "v", "b", T + 1);
    assert_non_null(strstr(world_log(world), "+1 0 op 0 deleted_v=true ck=2 pk=1 w='z'\n"
                                             "+1 1 op 1 end ck=2 pk=1 v='b'\n"));
}

static void a_row_delete_has_a_preimage_of_all_columns_and_no_postimage(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true preimage=true postimage=true");
    insert(world, 2, "a", T, 0);
    delete_row(world, 2, T + 1);
    delete_row(world, 3, T + 2);
    assert_non_null(strstr(world_log(world), "+1 0 op 0 deleted_w=true ck=2 pk=1 v='a'\n"
                                             "+1 1 op 3 end ck=2 pk=1\n"
                                             "+2 0 op 3 end ck=3 pk=1\n"));
}

static void range_and_partition_deletes_have_no_images(void **state)
{
    struct world *world = *state;
    struct change change;
    int32_t two = 2;

    world_table(world, PLAIN, "enabled=true preimage=full postimage=true");
    insert(world, 2, "a", T, 0);
    delete_range(world, &two, true, &two, true, T + 1);
    change_begin(&change, world, 1);
    change_delete_partition(&change, T + 2);
    change_apply(&change);
    assert_non_null(strstr(world_log(world), "+1 0 op 5 ck=2 pk=1\n+1 1 op 7 end ck=2 pk=1\n"
                                             "+2 0 op 4 end pk=1\n"));
}

static void a_row_left_without_cells_still_has_a_postimage(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, PLAIN, "enabled=true postimage=true");
    world_write(world, 1, 2, "v", "a", T);
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_dead(&change, "v", T + 1);
    change_apply(&change);
    assert_non_null(
        strstr(world_log(world), "+1 0 op 1 deleted_v=true ck=2 pk=1\n+1 1 op 9 end ck=2 pk=1\n"));
}

static void images_show_collections_whole_in_log_form(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, RICH, "enabled=true preimage=true postimage=true");
    for (int i = 1; i <= 2; i++) {
        change_begin(&change, world, 1);
        change_row(&change, 2);
        change_element(&change, "m", world_int(world, i), world_text(world, "x"), T + i, 0);
        change_apply(&change);
    }
    assert_non_null(strstr(world_log(world), "+2 0 op 0 ck=2 m={1: 'x'} pk=1\n"
                                             "+2 1 op 1 ck=2 m={2: 'x'} pk=1\n"
                                             "+2 2 op 9 end ck=2 m={1: 'x', 2: 'x'} pk=1\n"));
}

static void an_image_of_freed_bytes_is_a_copy(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, PLAIN, "enabled=true postimage=true");
    world_write(world, 1, 2, "w", "a text that is long enough to be seen", T);
    for (int i = 1; i <= 3; i++) {
        change_begin(&change, world, 1);
        change_row(&change, 2);
        change_dead(&change, "v", T + i);
        change_apply(&change);
        assert_non_null(
            strstr(world_log(world), "op 9 end ck=2 pk=1 w='a text that is long enough to be seen'"));
    }
}

/* --- what timestamps are taken --- */

static void a_timestamp_from_the_future_is_refused(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, PLAIN, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_marker(&change, T + 6 * 1000000, 0);
    assert_false(change_try(&change));
    assert_int_equal(world->error.code, 0x2200);
    assert_non_null(strstr(world->error.message, "from the future"));
    assert_string_equal(world_dump(world), "");
    change.rows[0].marker_timestamp_us = T + 4 * 1000000;
    change_apply(&change);
}

static void a_timestamp_from_before_the_generation_is_refused_with_vnodes(void **state)
{
    struct world *world = *state;
    struct change change;

    world_table(world, PLAIN, "enabled=true");
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_marker(&change, 1000, 0);
    assert_false(change_try(&change));
    assert_int_equal(world->error.code, 0x2200);
    assert_non_null(strstr(world->error.message, "from the past"));
}

static void log_rows_expire_by_the_ttl_of_the_option(void **state)
{
    struct world *world = *state;

    world_table(world, PLAIN, "enabled=true ttl=60");
    insert(world, 2, "a", T, 0);
    sy_server_advance_us(world->server, 59 * 1000000LL);
    assert_string_not_equal(world_log(world), "");
    sy_server_advance_us(world->server, 2 * 1000000LL);
    assert_string_equal(world_log(world), "");
    assert_string_not_equal(world_dump(world), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_insert_is_2_and_an_update_is_1),
        TEST(a_deleted_column_says_so_and_has_no_value),
        TEST(a_row_delete_is_3),
        TEST(a_partition_delete_is_4_without_clustering_columns),
        TEST(a_range_delete_is_two_rows_5_to_8),
        TEST(a_static_change_is_1_without_clustering_columns),
        TEST(the_expiry_service_writes_minus_3_and_minus_4),
        TEST(truncate_and_expiry_write_nothing),
        TEST(a_collection_set_as_a_whole_is_one_group_at_its_cells_time),
        TEST(a_deleted_collection_shows_one_microsecond_late),
        TEST(added_and_removed_elements_stand_in_one_row),
        TEST(delta_keys_leaves_the_values_out),
        TEST(an_insert_with_ttl_that_sets_a_map_is_split_in_three),
        TEST(static_and_clustered_cells_are_two_rows),
        TEST(timestamps_of_one_batch_are_groups_of_their_own),
        TEST(rows_of_one_batch_run_on_in_one_group),
        TEST(a_new_row_has_no_preimage),
        TEST(an_update_of_a_row_has_both_images),
        TEST(a_full_preimage_has_all_columns),
        TEST(a_row_delete_has_a_preimage_of_all_columns_and_no_postimage),
        TEST(range_and_partition_deletes_have_no_images),
        TEST(a_row_left_without_cells_still_has_a_postimage),
        TEST(images_show_collections_whole_in_log_form),
        TEST(an_image_of_freed_bytes_is_a_copy),
        TEST(a_timestamp_from_the_future_is_refused),
        TEST(a_timestamp_from_before_the_generation_is_refused_with_vnodes),
        TEST(log_rows_expire_by_the_ttl_of_the_option),
    };

    return cmocka_run_group_tests_name("sim/scylla/cdc/log", tests, NULL, NULL);
}
