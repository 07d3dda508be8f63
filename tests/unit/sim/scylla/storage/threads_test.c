/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at one server: writers, readers, tables that come and go. The thread sanitizer's test. */
#include "fixture.h"

#include "sim/scylla/types/bytes.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_WRITERS = 3, N_WRITES = 300 };

static struct world world;
static _Atomic int writers_left;

/* A world of one's own over the same server: the arena is not shared. */
static struct world own_world(void)
{
    struct world own = {.server = world.server, .table = world.table};

    return own;
}

static void *write_rows(void *arg)
{
    struct world own = own_world();
    int32_t pk = (int32_t)(intptr_t)arg;

    for (int32_t ck = 0; ck < N_WRITES; ck++) {
        int64_t us = sy_store_timestamp_us(own.server);
        struct change change;

        change_begin(&change, &own, pk);
        change_row(&change, ck);
        change_marker(&change, us, 0);
        change_cell(&change, "v", world_text(&own, "a"), us, 0);
        if (!change_try(&change))
            break;
        sy_arena_reset(&own.arena);
    }
    sy_arena_free(&own.arena);
    atomic_fetch_sub(&writers_left, 1);
    return NULL;
}

static bool see_row(void *ctx, const struct sy_row *row)
{
    *(uint64_t *)ctx += row->has_clustering ? 1 : 0;
    return true;
}

static void *read_rows(void *arg)
{
    const char *names[][2] = {{"ks", "t"}, {"ks", "t_scylla_cdc_log"}, {"system_schema", "columns"}};
    uint64_t seen = 0;

    (void)arg;
    while (atomic_load(&writers_left) > 0) {
        for (size_t i = 0; i < 3; i++) {
            struct sy_arena arena = {0};
            struct sy_error error;
            struct sy_read read = {.table = sy_catalog_table(world.server, names[i][0], names[i][1]),
                                   .first_token = INT64_MIN,
                                   .last_token = INT64_MAX};

            sy_store_read(world.server, &read, see_row, &seen, &arena, &error);
            sy_arena_free(&arena);
        }
    }
    return NULL;
}

static void *change_tables(void *arg)
{
    struct sy_column_spec column = {.name = "k", .type = sy_type_native(SY_INT), .kind = SY_PARTITION_KEY};
    struct sy_table_spec spec = {.keyspace = "ks", .name = "other", .columns = &column, .n_columns = 1};

    (void)arg;
    while (atomic_load(&writers_left) > 0) {
        struct sy_arena arena = {0};
        struct sy_schema_change change;
        struct sy_error error;

        sy_catalog_create_table(world.server, &spec, true, &arena, &change, &error);
        sy_catalog_drop_table(world.server, "ks", "other", true, &arena, &change, &error);
        sy_arena_free(&arena);
    }
    return NULL;
}

static bool count_row(void *ctx, const struct sy_row *row)
{
    (void)row;
    (*(uint32_t *)ctx)++;
    return true;
}

static void writers_readers_and_changes_of_tables_do_not_disturb_each_other(void **state)
{
    struct sy_read read = {.first_token = INT64_MIN, .last_token = INT64_MAX};
    pthread_t threads[N_WRITERS + 2];
    uint32_t n = 0;

    (void)state;
    world_open(&world, NULL);
    world_keyspace(&world, 0);
    world_table(&world, "pk int p, ck int c, v text r", "enabled=true postimage=true");
    atomic_store(&writers_left, N_WRITERS);
    for (intptr_t i = 0; i < N_WRITERS; i++)
        pthread_create(&threads[i], NULL, write_rows, (void *)i);
    pthread_create(&threads[N_WRITERS], NULL, read_rows, NULL);
    pthread_create(&threads[N_WRITERS + 1], NULL, change_tables, NULL);
    for (int i = 0; i < N_WRITERS + 2; i++)
        pthread_join(threads[i], NULL);
    read.table = world.table->log;
    assert_true(sy_store_read(world.server, &read, count_row, &n, &world.arena, &world.error));
    assert_int_equal(n, N_WRITERS * N_WRITES * 2);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_readers_and_changes_of_tables_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests_name("sim/scylla/storage/threads", tests, NULL, NULL);
}
