/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/group/placement.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 64, TASKS_MAX = 60, WORKERS_MAX = 9, WORLDS = 3000 };

static const char *const connectors[] = {"orders", "stock", "people", "logs"};

/* A world: who holds which slot, and where the tasks stand. */
struct world {
    int owners[SLOTS];
    size_t n_workers;
    struct sl_placed tasks[TASKS_MAX];
    size_t n_tasks;
};

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return below ? (uint32_t)(state >> 33) % below : 0;
}

/* Some slots may be nobody's, some workers may have none, some tasks may be nowhere. */
static void make(struct world *world, uint64_t seed)
{
    uint32_t orphans = 0;

    state = seed * 2654435761U + 1;
    world->n_workers = 1 + draw(WORKERS_MAX);
    world->n_tasks = draw(TASKS_MAX);
    orphans = draw(4);
    for (size_t s = 0; s < SLOTS; s++)
        world->owners[s] = orphans && draw(10) < orphans ? -1 : (int)draw((uint32_t)world->n_workers);
    for (size_t i = 0; i < world->n_tasks; i++)
        world->tasks[i] = (struct sl_placed){.connector = connectors[draw(4)],
                                             .slot = draw(3) ? (int32_t)draw(SLOTS) : SL_NO_SLOT};
}

static void plan(struct world *world)
{
    sl_placement_plan(world->owners, SLOTS, world->n_workers, world->tasks, world->n_tasks);
}

static int owner(const struct world *world, int32_t slot)
{
    return slot == SL_NO_SLOT ? -1 : world->owners[slot];
}

static void count(const struct world *world, bool wanted, size_t *load)
{
    memset(load, 0, WORKERS_MAX * sizeof(*load));
    for (size_t i = 0; i < world->n_tasks; i++) {
        int worker = owner(world, wanted ? world->tasks[i].want : world->tasks[i].slot);

        if (worker >= 0)
            load[worker]++;
    }
}

static bool able(const struct world *world, size_t worker)
{
    for (size_t s = 0; s < SLOTS; s++) {
        if (world->owners[s] == (int)worker)
            return true;
    }
    return false;
}

static void no_worker_runs_two_tasks_more_than_another(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct world world;
        size_t load[WORKERS_MAX];
        size_t least = SIZE_MAX;
        size_t most = 0;

        make(&world, seed);
        plan(&world);
        count(&world, true, load);
        for (size_t w = 0; w < world.n_workers; w++) {
            if (!able(&world, w)) {
                assert_int_equal(load[w], 0);
                continue;
            }
            least = load[w] < least ? load[w] : least;
            most = load[w] > most ? load[w] : most;
        }
        assert_true(most == 0 || most <= least + 1);
    }
}

static void every_task_has_a_place_when_anybody_holds_a_slot(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct world world;
        bool any = false;

        make(&world, seed);
        plan(&world);
        for (size_t w = 0; w < world.n_workers; w++)
            any = any || able(&world, w);
        for (size_t i = 0; any && i < world.n_tasks; i++)
            assert_in_range(world.tasks[i].want, 0, SLOTS - 1);
    }
}

/*
 * The fewest moves that make it even: with T tasks on W workers, every worker keeps what it has up to the
 * fair share, and as many workers keep one more as the remainder allows.
 */
static size_t fewest_moves(const struct world *world)
{
    size_t load[WORKERS_MAX];
    size_t total = 0;
    size_t workers = 0;
    size_t moves = 0;
    size_t share, rest;

    count(world, false, load);
    for (size_t i = 0; i < world->n_tasks; i++) /* on slots of nobody they stay, and count for nobody */
        total += world->tasks[i].slot == SL_NO_SLOT || owner(world, world->tasks[i].slot) >= 0;
    for (size_t w = 0; w < world->n_workers; w++)
        workers += able(world, w);
    if (!workers)
        return 0;
    share = total / workers;
    rest = total % workers;
    for (size_t w = 0; w < world->n_workers; w++) {
        if (load[w] > share && rest) {
            moves += load[w] - share - 1;
            rest--;
        } else if (load[w] > share) {
            moves += load[w] - share;
        }
    }
    return moves;
}

static void no_more_tasks_move_than_have_to(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct world world;
        size_t moves = 0;

        make(&world, seed);
        plan(&world);
        for (size_t i = 0; i < world.n_tasks; i++)
            moves += world.tasks[i].slot != SL_NO_SLOT && world.tasks[i].want != world.tasks[i].slot;
        assert_int_equal(moves, fewest_moves(&world));
    }
}

static void what_is_even_stays(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct world world;

        make(&world, seed);
        plan(&world);
        for (size_t i = 0; i < world.n_tasks; i++)
            world.tasks[i].slot = world.tasks[i].want;
        plan(&world);
        for (size_t i = 0; i < world.n_tasks; i++)
            assert_int_equal(world.tasks[i].want, world.tasks[i].slot);
    }
}

static void tasks_of_a_slot_that_nobody_holds_wait_there(void **unused)
{
    static const int owners[] = {0, -1, 1};
    struct sl_placed tasks[] = {{.connector = "a", .slot = 1}, {.connector = "a", .slot = 1}};

    (void)unused;
    sl_placement_plan(owners, 3, 2, tasks, 2);
    assert_int_equal(tasks[0].want, 1);
    assert_int_equal(tasks[1].want, 1);
}

static void tasks_of_one_connector_go_to_different_workers(void **unused)
{
    static const int owners[] = {0, 1, 2, 0, 1, 2};
    struct sl_placed tasks[] = {
        {.connector = "a", .slot = SL_NO_SLOT}, {.connector = "b", .slot = SL_NO_SLOT},
        {.connector = "a", .slot = SL_NO_SLOT}, {.connector = "b", .slot = SL_NO_SLOT},
        {.connector = "a", .slot = SL_NO_SLOT}, {.connector = "b", .slot = SL_NO_SLOT}};
    bool seen[3] = {false};

    (void)unused;
    sl_placement_plan(owners, 6, 3, tasks, 6);
    for (size_t i = 0; i < 6; i += 2) {
        assert_false(seen[owners[tasks[i].want]]);
        seen[owners[tasks[i].want]] = true;
    }
}

static void with_nobody_there_nothing_is_placed(void **unused)
{
    static const int owners[] = {-1, -1};
    struct sl_placed tasks[] = {{.connector = "a", .slot = SL_NO_SLOT}, {.connector = "a", .slot = 77}};

    (void)unused;
    sl_placement_plan(owners, 2, 0, tasks, 2);
    assert_int_equal(tasks[0].want, SL_NO_SLOT);
    assert_int_equal(tasks[1].want, SL_NO_SLOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_worker_runs_two_tasks_more_than_another),
        cmocka_unit_test(every_task_has_a_place_when_anybody_holds_a_slot),
        cmocka_unit_test(no_more_tasks_move_than_have_to),
        cmocka_unit_test(what_is_even_stays),
        cmocka_unit_test(tasks_of_a_slot_that_nobody_holds_wait_there),
        cmocka_unit_test(tasks_of_one_connector_go_to_different_workers),
        cmocka_unit_test(with_nobody_there_nothing_is_placed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
