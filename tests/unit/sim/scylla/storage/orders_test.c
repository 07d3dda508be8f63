/* SPDX-License-Identifier: Apache-2.0 */
/* An operator's orders, tables with tablets, and tables that change while their log goes on. */
#include "fixture.h"

#include "sim/scylla/types/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLAIN "pk int p, ck int c, v text r"
#define T START_US
#define MS 1000

static int setup(void **state)
{
    static struct world world;

    world_open(&world, NULL);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static const char *order(struct world *world, const char *line)
{
    static char text[1024];

    if (!sy_server_command(world->server, line, text, sizeof(text)))
        fail_msg("%s: %s", line, text);
    return text;
}

/* --- what is held back --- */

static void delayed_log_rows_come_after_their_base_rows(void **state)
{
    struct world *world = *state;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true");
    order(world, "delay log ks.t 500 count 1");
    world_write(world, 1, 1, "v", "a", T);
    world_write(world, 1, 2, "v", "b", T + 1);
    assert_string_equal(world_dump(world), "1|1 v='a'@1700000000000000\n1|2 v='b'@1700000000000001\n");
    assert_string_equal(world_log(world), "+1 0 op 1 end ck=2 pk=1 v='b'\n");
    sy_server_advance_us(world->server, 499 * MS);
    assert_string_equal(world_log(world), "+1 0 op 1 end ck=2 pk=1 v='b'\n");
    sy_server_advance_us(world->server, 1 * MS);
    assert_string_equal(world_log(world), "+0 0 op 1 end ck=1 pk=1 v='a'\n+1 0 op 1 end ck=2 pk=1 v='b'\n");
}

static void delayed_base_rows_come_after_their_log_rows(void **state)
{
    struct world *world = *state;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true");
    order(world, "delay base ks.t 500");
    world_write(world, 1, 1, "v", "a", T);
    assert_string_equal(world_dump(world), "");
    assert_string_equal(world_log(world), "+0 0 op 1 end ck=1 pk=1 v='a'\n");
    assert_string_equal(order(world, "release"), "1 released");
    assert_string_equal(world_dump(world), "1|1 v='a'@1700000000000000\n");
    order(world, "delay off");
    world_write(world, 1, 2, "v", "b", T);
    assert_non_null(strstr(world_dump(world), "1|2"));
}

static void shuffled_rows_come_in_another_order_than_they_were_written(void **state)
{
    struct world *world = *state;
    bool overtaken = false;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true");
    order(world, "delay log ks.t 1000 shuffled");
    for (int ck = 0; ck < 8; ck++)
        world_write(world, 1, ck, "v", "a", T + ck);
    for (int i = 0; i < 1000 / 10; i++) {
        const char *log;

        sy_server_advance_us(world->server, 10 * MS);
        log = world_log(world);
        overtaken = overtaken || (strstr(log, "+7 ") != NULL && strstr(log, "+0 ") == NULL) ||
                    (strstr(log, "+5 ") != NULL && strstr(log, "+2 ") == NULL);
    }
    assert_true(overtaken);
    assert_string_equal(order(world, "log count ks.t"), "8 rows, 0 expired");
}

static void an_unknown_order_says_what_there_is(void **state)
{
    struct world *world = *state;
    char text[1024];

    assert_false(sy_server_command(world->server, "dance", text, sizeof(text)));
    assert_non_null(strstr(text, "HINT"));
    assert_false(sy_server_command(world->server, "dump nowhere.t", text, sizeof(text)));
    assert_non_null(strstr(text, "no table"));
}

/* --- expiry on command --- */

static void log_rows_can_be_made_to_expire(void **state)
{
    struct world *world = *state;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true");
    for (int ck = 0; ck < 5; ck++)
        world_write(world, 1, ck, "v", "a", T + ck);
    assert_string_equal(order(world, "log expire ks.t before 1700000000000003"), "5 rows, 3 expired");
    assert_string_equal(world_log(world), "+3 0 op 1 end ck=3 pk=1 v='a'\n+4 0 op 1 end ck=4 pk=1 v='a'\n");
}

static void rows_past_their_ttl_column_are_deleted_by_the_service(void **state)
{
    struct world *world = *state;
    uint8_t soon[8];
    uint8_t late[8];
    struct change change;

    world_keyspace(world, 0);
    world_table(world, "pk int p, ck int c, until timestamp rt", "enabled=true preimage=true");
    sy_put_u64(soon, (uint64_t)START_S * 1000);
    sy_put_u64(late, (uint64_t)START_S * 1000 + 3600000);
    change_begin(&change, world, 1);
    change_row(&change, 1);
    change_cell(&change, "until", (struct sy_value){.len = 8, .bytes = soon}, T, 0);
    change_row(&change, 2);
    change_cell(&change, "until", (struct sy_value){.len = 8, .bytes = late}, T, 0);
    change_apply(&change);
    sy_server_advance_us(world->server, 1000);
    assert_string_equal(order(world, "rowttl expire ks.t"), "1 of 2 rows expired");
    assert_null(strstr(world_dump(world), "1|1"));
    assert_non_null(strstr(world_dump(world), "1|2"));
    assert_non_null(strstr(world_log(world), "op -3 end ck=1 pk=1\n"));
}

static void expired_log_rows_leave_the_memory_as_new_ones_come(void **state)
{
    struct world *world = *state;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true ttl=10");
    for (int round = 0; round < 3; round++) {
        for (int ck = 0; ck < 20; ck++)
            world_write(world, 1, ck, "v", "a", sy_store_timestamp_us(world->server));
        assert_string_equal(order(world, "log count ks.t"), "20 rows, 0 expired");
        sy_server_advance_us(world->server, 11 * 1000000LL);
        assert_string_equal(order(world, "log count ks.t"), "0 rows, 0 expired");
    }
}

/* --- streams --- */

static bool count_row(void *ctx, const struct sy_row *row)
{
    (void)row;
    (*(uint32_t *)ctx)++;
    return true;
}

static uint32_t count_rows(struct world *world, const char *keyspace, const char *name)
{
    struct sy_read read = {.table = sy_catalog_table(world->server, keyspace, name),
                           .first_token = INT64_MIN,
                           .last_token = INT64_MAX};
    uint32_t n = 0;

    assert_non_null(read.table);
    assert_true(sy_store_read(world->server, &read, count_row, &n, &world->arena, &world->error));
    return n;
}

static void a_new_generation_has_a_stream_for_each_range_and_shard(void **state)
{
    struct world *world = *state;

    assert_int_equal(count_rows(world, "system_distributed", "cdc_generation_timestamps"), 1);
    assert_int_equal(count_rows(world, "system_distributed", "cdc_streams_descriptions_v2"), 4);
    order(world, "generation new in 1000");
    assert_int_equal(count_rows(world, "system_distributed", "cdc_generation_timestamps"), 2);
    assert_int_equal(count_rows(world, "system_distributed", "cdc_streams_descriptions_v2"), 8);
}

static void a_write_to_the_generation_before_is_accepted_for_five_seconds(void **state)
{
    struct world *world = *state;
    struct change change;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true");
    order(world, "generation new in 1000");
    sy_server_advance_us(world->server, 2000 * MS);
    world_write(world, 1, 1, "v", "a", T);
    sy_server_advance_us(world->server, 4000 * MS);
    change_begin(&change, world, 1);
    change_row(&change, 2);
    change_marker(&change, T + 1, 0);
    assert_false(change_try(&change));
    assert_non_null(strstr(world->error.message, "from the past"));
    change.rows[0].marker_timestamp_us = T + 1500 * MS;
    change_apply(&change);
}

static void tablets_have_sets_of_streams_that_are_split(void **state)
{
    struct world *world = *state;

    world_keyspace(world, 4);
    world_table(world, PLAIN, "enabled=true");
    assert_int_equal(count_rows(world, "system", "cdc_timestamps"), 1);
    order(world, "tablets split ks.t in 1000");
    assert_int_equal(count_rows(world, "system", "cdc_timestamps"), 2);
    sy_server_advance_us(world->server, 20000 * MS);
    /* Late writes go to the set of their time, closed as it is. */
    world_write(world, 1, 1, "v", "late", T);
    world_write(world, 1, 1, "v", "now", T + 20000 * MS);
    assert_string_equal(order(world, "log count ks.t"), "2 rows, 0 expired");

    /* Sets of 4 and 8: all current and opened, and the 4 closed. Then one of the 8 becomes two. */
    assert_int_equal(count_rows(world, "system", "cdc_streams"), 4 + 4 + 8 + 8 + 4);
    assert_string_equal(order(world, "tablets split ks.t one in 1000"), "9 streams from 1700000021000 on");
    assert_int_equal(count_rows(world, "system", "cdc_streams"), 28 + 9 + 2 + 1);
}

/* --- ALTER TABLE --- */

static void alter(struct world *world, const struct sy_table_alter *alter)
{
    struct sy_schema_change change;

    if (!sy_catalog_alter_table(world->server, alter, &world->arena, &change, &world->error))
        fail_msg("%s", world->error.message);
    assert_string_equal(change.change, "UPDATED");
    world->table = sy_catalog_table(world->server, "ks", "t");
}

static void the_log_follows_its_table(void **state)
{
    struct world *world = *state;
    struct sy_column_spec added = {.name = "x", .type = sy_type_native(SY_TEXT), .kind = SY_REGULAR};
    struct sy_table_alter add = {.keyspace = "ks", .name = "t", .add = &added, .n_add = 1};
    const char *dropped = "v";
    struct sy_table_alter drop = {.keyspace = "ks", .name = "t", .drop = &dropped, .n_drop = 1};
    const struct sy_table *log;

    world_keyspace(world, 0);
    world_table(world, PLAIN, "enabled=true");
    world_write(world, 1, 1, "v", "a", T);
    alter(world, &add);
    world_write(world, 1, 1, "x", "b", T + 1);
    assert_string_equal(world_log(world), "+0 0 op 1 end ck=1 pk=1 v='a'\n+1 0 op 1 end ck=1 pk=1 x='b'\n");
    alter(world, &drop);
    log = sy_catalog_table(world->server, "ks", "t_scylla_cdc_log");
    assert_null(sy_table_column_named(log, "v", 1));
    assert_null(sy_table_column_named(log, "cdc$deleted_v", 13));
    assert_non_null(sy_table_column_named(log, "cdc$deleted_x", 13));
    assert_string_equal(world_dump(world), "1|1 x='b'@1700000000000001\n");
}

static void a_column_that_comes_back_has_forgotten_its_cells(void **state)
{
    struct world *world = *state;
    struct sy_column_spec added = {.name = "v", .type = sy_type_native(SY_TEXT), .kind = SY_REGULAR};
    struct sy_table_alter add = {.keyspace = "ks", .name = "t", .add = &added, .n_add = 1};
    const char *dropped = "v";
    struct sy_table_alter drop = {.keyspace = "ks", .name = "t", .drop = &dropped, .n_drop = 1};
    struct sy_schema_change change;

    world_keyspace(world, 0);
    world_table(world, "pk int p, ck int c, v text r, w text r", "enabled=true");
    world_write(world, 1, 1, "v", "old", T);
    world_write(world, 1, 1, "w", "w", T);
    alter(world, &drop);
    assert_false(sy_catalog_alter_table(world->server, &add, &world->arena, &change, &world->error));
    assert_non_null(strstr(world->error.message, "dropped too recently"));
    sy_server_advance_us(world->server, 10000 * MS);
    alter(world, &add);
    assert_string_equal(world_dump(world), "1|1 w='w'@1700000000000000\n");
}

static void the_select_order_of_a_log_mixes_all_columns_by_name(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"cdc$stream_id",
                                        "cdc$time",
                                        "cdc$batch_seq_no",
                                        "b",
                                        "cdc$deleted_b",
                                        "cdc$deleted_elements_m",
                                        "cdc$deleted_m",
                                        "cdc$end_of_batch",
                                        "cdc$operation",
                                        "cdc$ttl",
                                        "m",
                                        "pk"};
    const struct sy_table *log;

    world_keyspace(world, 0);
    world_table(world, "pk int p, b text r, m map<int,text> r", "enabled=true");
    log = sy_catalog_table(world->server, "ks", "t_scylla_cdc_log");
    assert_int_equal(log->n_columns, sizeof(names) / sizeof(names[0]));
    for (uint32_t i = 0; i < log->n_columns; i++)
        assert_string_equal(log->columns[i].name, names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(delayed_log_rows_come_after_their_base_rows),
        TEST(delayed_base_rows_come_after_their_log_rows),
        TEST(shuffled_rows_come_in_another_order_than_they_were_written),
        TEST(an_unknown_order_says_what_there_is),
        TEST(log_rows_can_be_made_to_expire),
        TEST(rows_past_their_ttl_column_are_deleted_by_the_service),
        TEST(expired_log_rows_leave_the_memory_as_new_ones_come),
        TEST(a_new_generation_has_a_stream_for_each_range_and_shard),
        TEST(a_write_to_the_generation_before_is_accepted_for_five_seconds),
        TEST(tablets_have_sets_of_streams_that_are_split),
        TEST(the_log_follows_its_table),
        TEST(a_column_that_comes_back_has_forgotten_its_cells),
        TEST(the_select_order_of_a_log_mixes_all_columns_by_name),
    };

    return cmocka_run_group_tests_name("sim/scylla/storage/orders", tests, NULL, NULL);
}
