/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading through the store's own interface: pages, slices, counters, batches, what is kept. */
#include "fixture.h"

#include "sim/scylla/types/bytes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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

/* --- reading in pages --- */

struct page {
    struct world *world;
    uint32_t left;
    uint32_t n;
    struct sy_value key;
    struct sy_value clustering;
    bool has_clustering;
    const char *text;
};

static struct sy_value keep(struct world *world, struct sy_value value)
{
    value.bytes = (const uint8_t *)sy_arena_dup(&world->arena, value.bytes, (size_t)value.len);
    return value;
}

static bool page_row(void *ctx, const struct sy_row *row)
{
    struct page *page = ctx;

    page->key = keep(page->world, row->partition_key[0]);
    page->has_clustering = row->has_clustering;
    if (row->has_clustering && page->world->table->n_clustering > 0)
        page->clustering = keep(page->world, row->clustering[0]);
    page->text = sy_arena_format(
        &page->world->arena, "%s %d", page->text,
        (int)sy_get_u32(page->world->table->n_clustering > 0 ? page->clustering.bytes : page->key.bytes));
    page->n++;
    return --page->left > 0;
}

static struct page read_pages(struct world *world, struct sy_read *read, uint32_t size)
{
    struct page page = {.world = world, .text = ""};
    bool more = true;

    read->table = world->table;
    while (more) {
        struct sy_value key = page.key;
        struct sy_value clustering = page.clustering;

        page.left = size;
        read->after_key = page.n > 0 ? &key : NULL;
        read->after_clustering = page.n > 0 && page.has_clustering ? &clustering : NULL;
        assert_true(sy_store_read(world->server, read, page_row, &page, &world->arena, &world->error));
        more = page.left == 0;
    }
    return page;
}

static void pages_of_a_table_without_clustering_columns_give_each_row_once(void **state)
{
    struct world *world = *state;
    struct sy_read read = {.first_token = INT64_MIN, .last_token = INT64_MAX};

    world_table(world, "pk int p, v text r", NULL);
    for (int pk = 0; pk < 50; pk++)
        world_write(world, pk, 0, "v", "a", 10);
    assert_int_equal(read_pages(world, &read, 7).n, 50);
}

static void pages_go_on_inside_a_partition_both_ways(void **state)
{
    struct world *world = *state;
    struct sy_value key = world_int(world, 1);
    const struct sy_value *keys[] = {&key};
    struct sy_read read = {.keys = keys, .n_keys = 1};

    world_table(world, "pk int p, ck int c, v text r", NULL);
    for (int ck = 0; ck < 6; ck++)
        world_write(world, 1, ck, "v", "a", 10);
    assert_string_equal(read_pages(world, &read, 4).text, " 0 1 2 3 4 5");
    read.reverse = true;
    assert_string_equal(read_pages(world, &read, 4).text, " 5 4 3 2 1 0");
}

static void descending_columns_turn_the_order(void **state)
{
    struct world *world = *state;
    struct sy_value key = world_int(world, 1);
    struct sy_value two = world_int(world, 2);
    const struct sy_value *keys[] = {&key};
    struct sy_slice slice = {.start = {.prefix = &two, .n = 1, .inclusive = true}};
    struct sy_read read = {.keys = keys, .n_keys = 1, .slices = &slice, .n_slices = 1};

    world_table(world, "pk int p, ck int d, v text r", NULL);
    for (int ck = 0; ck < 4; ck++)
        world_write(world, 1, ck, "v", "a", 10);
    assert_string_equal(read_pages(world, &read, 100).text, " 2 1 0");
}

static void partitions_come_in_the_order_of_their_tokens(void **state)
{
    struct world *world = *state;
    struct sy_value one = world_int(world, 1);

    world_table(world, "pk int p, v text r", NULL);
    /* What Cassandra and ScyllaDB say of token(1). */
    assert_int_equal(sy_store_token(world->table, &one), -4069959284402364209);
}

/* --- counters --- */

static void counters_add_up(void **state)
{
    struct world *world = *state;

    world_table(world, "pk int p, n counter r", NULL);
    for (int i = 1; i <= 3; i++) {
        struct change change;
        uint8_t delta[8];

        sy_put_u64(delta, (uint64_t)(i * 10));
        change_begin(&change, world, 1);
        change_row(&change, 0);
        change.row->clustering = NULL;
        change_cell(&change, "n", (struct sy_value){.len = 8, .bytes = delta}, i, 0);
        change.cells[0][0].kind = SY_CELL_COUNTER;
        change_apply(&change);
    }
    assert_string_equal(world_dump(world), "1 n=60@3\n");
}

/* --- journal --- */

static const char *scratch_dir(void)
{
    static char path[64];

    if (path[0] == '\0') /* once: the child that is killed uses its parent's */
        snprintf(path, sizeof(path), "/tmp/sy-store-%d", (int)getpid());
    return path;
}

static void remove_scratch(void)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/journal", scratch_dir());
    unlink(path);
    rmdir(scratch_dir());
}

static void write_much(struct world *world)
{
    struct change change;
    int32_t three = 3;

    world_keyspace(world, 0);
    world_table(world, "pk int p, ck int c, s text s, v text r, m map<int,text> r",
                "enabled=true preimage=full postimage=true");
    for (int ck = 0; ck < 6; ck++)
        world_write(world, 1, ck, "v", "a", START_US + ck);
    change_begin(&change, world, 1);
    change_static(&change);
    change_cell(&change, "s", world_text(world, "static"), START_US + 10, 0);
    change_row(&change, 2);
    change_element(&change, "m", world_int(world, 4), world_text(world, "four"), START_US + 10, 0);
    change_apply(&change);
    change_begin(&change, world, 1);
    change_delete_range(&change, &three, true, NULL, false, START_US + 20);
    change_apply(&change);
    change_begin(&change, world, 2);
    change_delete_partition(&change, START_US + 30);
    change_apply(&change);
    world_write(world, 2, 1, "v", "b", START_US + 31);
}

static void what_was_answered_is_there_after_a_kill(void **state)
{
    struct world world;
    const char *rows;
    const char *log;
    int status;
    int pipes[2];
    char buffer[16384];
    ssize_t n;
    pid_t child;

    (void)state;
    remove_scratch();
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        world_open(&world, scratch_dir());
        write_much(&world);
        dprintf(pipes[1], "%s--%s", world_dump(&world), world_log(&world));
        kill(getpid(), 9);
    }
    close(pipes[1]);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    n = read(pipes[0], buffer, sizeof(buffer) - 1);
    assert_true(n > 0);
    buffer[n] = '\0';
    close(pipes[0]);
    world_open(&world, scratch_dir());
    world.table = sy_catalog_table(world.server, "ks", "t");
    assert_non_null(world.table);
    rows = world_dump(&world);
    log = world_log(&world);
    assert_string_equal(sy_arena_format(&world.arena, "%s--%s", rows, log), buffer);
    world_write(&world, 3, 1, "v", "again", START_US + 40);
    assert_non_null(strstr(world_log(&world), "v='again'"));
    world_close(&world);
    remove_scratch();
}

static void a_record_cut_short_is_cut_off(void **state)
{
    struct world world;
    char path[96];
    FILE *file;

    (void)state;
    remove_scratch();
    world_open(&world, scratch_dir());
    write_much(&world);
    world_close(&world);
    snprintf(path, sizeof(path), "%s/journal", scratch_dir());
    file = fopen(path, "ae");
    assert_non_null(file);
    fwrite("\x40\0\0\0half", 1, 8, file);
    fclose(file);
    world_open(&world, scratch_dir());
    world.table = sy_catalog_table(world.server, "ks", "t");
    assert_non_null(strstr(world_dump(&world), "2|1"));
    world_write(&world, 9, 9, "v", "kept", START_US + 50);
    world_close(&world);
    world_open(&world, scratch_dir());
    assert_non_null(strstr(world_dump(&world), "9|9"));
    world_close(&world);
    remove_scratch();
}

static void a_second_server_does_not_open_the_directory(void **state)
{
    struct world world;

    (void)state;
    remove_scratch();
    world_open(&world, scratch_dir());
    assert_null(sy_server_open(&world.options));
    world_close(&world);
    world_open(&world, scratch_dir());
    world_close(&world);
    remove_scratch();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(pages_of_a_table_without_clustering_columns_give_each_row_once),
        TEST(pages_go_on_inside_a_partition_both_ways),
        TEST(descending_columns_turn_the_order),
        TEST(partitions_come_in_the_order_of_their_tokens),
        TEST(counters_add_up),
        cmocka_unit_test(what_was_answered_is_there_after_a_kill),
        cmocka_unit_test(a_record_cut_short_is_cut_off),
        cmocka_unit_test(a_second_server_does_not_open_the_directory),
    };

    return cmocka_run_group_tests_name("sim/scylla/storage/write", tests, NULL, NULL);
}
