/* SPDX-License-Identifier: Apache-2.0 */
/* Several workers in one process, each with a small herder that begins and ends what the cluster says. */
#include "engine/group/cluster.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "engine/group/fake_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TASKS = 24, WORKERS = 4, PATIENCE_US = 20 * 1000 * 1000, QUIET_US = 100 * 1000 };

struct worker {
    char name[16];
    struct sl_cluster *cluster;
    struct sl_thread thread;
    _Atomic bool stop, deaf; /* deaf: stopped like a process that got SIGSTOP */
    _Atomic bool runs[TASKS];
};

static struct worker workers[WORKERS];
static _Atomic int running[TASKS]; /* by workers that are not deaf */
static _Atomic int doubles, held, begun;

static void changed(void *ctx)
{
    (void)ctx; /* the herders look all the time */
}

static void failed(void *ctx, const struct sl_error *err)
{
    (void)ctx;
    (void)err;
}

static void end_task(struct worker *worker, int task)
{
    atomic_fetch_sub(&running[task], 1);
    atomic_store(&worker->runs[task], false);
    sl_cluster_end(worker->cluster, "c", task);
}

static void herd(void *arg)
{
    struct worker *worker = arg;

    while (!atomic_load(&worker->stop)) {
        for (int task = 0; task < TASKS && !atomic_load(&worker->deaf); task++) {
            if (atomic_load(&worker->runs[task])) {
                enum sl_lease lease = sl_cluster_look(worker->cluster, "c", task);

                if (lease == SL_LEASE_HOLD)
                    atomic_fetch_add(&held, 1);
                else if (lease != SL_LEASE_KEEP)
                    end_task(worker, task);
            } else if (sl_cluster_begin(worker->cluster, "c", task)) {
                atomic_fetch_add(&begun, 1);
                if (atomic_fetch_add(&running[task], 1) > 0)
                    atomic_fetch_add(&doubles, 1);
                atomic_store(&worker->runs[task], true);
            }
        }
        (void)usleep(500);
    }
}

static void start(int number)
{
    struct worker *worker = &workers[number];
    const struct sl_cluster_connector all = {.name = "c", .tasks = TASKS};
    struct sl_cluster_settings settings = {.transport = &fake_group_log,
                                           .group = "g",
                                           .exactly_once = true,
                                           .events = {.changed = changed, .failed = failed}};
    struct sl_error err;

    memset(worker, 0, sizeof(*worker));
    (void)snprintf(worker->name, sizeof(worker->name), "host:%d", number);
    settings.worker = worker->name;
    settings.url = worker->name;
    assert_int_equal(sl_cluster_open(&settings, &worker->cluster, &err), SL_OK);
    sl_cluster_tell(worker->cluster, &all, 1);
    sl_thread_start(&worker->thread, "herd", herd, worker);
}

static void stop(int number)
{
    struct worker *worker = &workers[number];

    if (!worker->cluster)
        return;
    atomic_store(&worker->stop, true);
    sl_thread_join(&worker->thread);
    for (int task = 0; task < TASKS; task++) {
        if (atomic_load(&worker->runs[task]))
            end_task(worker, task);
    }
    sl_cluster_close(worker->cluster);
    worker->cluster = NULL;
}

static int load(int number)
{
    int n = 0;

    for (int task = 0; task < TASKS; task++)
        n += atomic_load(&workers[number].runs[task]);
    return n;
}

static bool even(const int *numbers, int n)
{
    int least = TASKS;
    int most = 0;
    int sum = 0;

    for (int i = 0; i < n; i++) {
        int mine = load(numbers[i]);

        least = mine < least ? mine : least;
        most = mine > most ? mine : most;
        sum += mine;
    }
    return sum == TASKS && most <= least + 1;
}

static void until_even(const int *numbers, int n)
{
    int64_t until_us = sl_now_us() + PATIENCE_US;
    int64_t since_us = INT64_MAX;

    /* And stays so: by chance it may be, while the leader goes on moving. */
    while (since_us == INT64_MAX || sl_now_us() - since_us < QUIET_US) {
        if (!even(numbers, n))
            since_us = INT64_MAX;
        else if (since_us == INT64_MAX)
            since_us = sl_now_us();
        assert_true(sl_now_us() < until_us);
        (void)usleep(2000);
    }
}

static int set_up(void **state)
{
    (void)state;
    fake_group_reset();
    memset(running, 0, sizeof(running));
    doubles = held = begun = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < WORKERS; i++)
        stop(i);
    fake_group_reset();
    return 0;
}

static void workers_that_come_get_their_share_and_no_task_runs_twice(void **state)
{
    (void)state;
    start(0);
    fake_group_settle();
    until_even((int[]){0}, 1);
    start(1);
    fake_group_settle();
    until_even((int[]){0, 1}, 2);
    start(2);
    fake_group_settle();
    until_even((int[]){0, 1, 2}, 3);
    assert_int_equal(doubles, 0);
}

static void tasks_of_a_worker_that_is_gone_run_elsewhere(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        start(i);
    fake_group_settle();
    until_even((int[]){0, 1, 2}, 3);
    atomic_store(&workers[1].deaf, true);
    fake_group_silence("host:1");
    for (int task = 0; task < TASKS; task++) { /* a zombie does not count */
        if (atomic_load(&workers[1].runs[task]))
            atomic_fetch_sub(&running[task], 1);
    }
    fake_group_settle();
    until_even((int[]){0, 2}, 2);
    assert_int_equal(doubles, 0);
    for (int task = 0; task < TASKS; task++) { /* woken, it learns that all of it is lost */
        if (atomic_load(&workers[1].runs[task]))
            atomic_fetch_add(&running[task], 1);
    }
    fake_group_wake("host:1");
    atomic_store(&workers[1].deaf, false);
    fake_group_settle();
    until_even((int[]){0, 1, 2}, 3);
}

static void there_is_one_leader_and_the_others_know_its_url(void **state)
{
    char url[512];
    int leaders = 0;
    int64_t until_us = sl_now_us() + PATIENCE_US;

    (void)state;
    for (int i = 0; i < 3; i++)
        start(i);
    fake_group_settle();
    until_even((int[]){0, 1, 2}, 3);
    for (int i = 0; i < 3; i++) {
        struct sl_error err;

        if (sl_cluster_leads(workers[i].cluster)) {
            leaders++;
            assert_int_equal(sl_cluster_lead(workers[i].cluster, &err), SL_OK);
        } else {
            assert_int_equal(sl_cluster_lead(workers[i].cluster, &err), SL_E_FENCED);
        }
    }
    assert_int_equal(leaders, 1);
    assert_true(fake_group_claims() >= 1);
    for (int i = 0; i < 3; i++) {
        while (!sl_cluster_leader_url(workers[i].cluster, url, sizeof(url)))
            assert_true(sl_now_us() < until_us);
        for (int k = 0; k < 3; k++) {
            if (sl_cluster_leads(workers[k].cluster))
                assert_string_equal(url, workers[k].name);
        }
    }
}

static void the_next_leader_claims_after_the_one_before_has(void **state)
{
    (void)state;
    fake_group_slow_claims();
    start(0);
    fake_group_settle();
    while (!fake_group_claiming())
        (void)usleep(500);
    start(1);
    fake_group_settle(); /* moves slot 0 first */
    until_even((int[]){0, 1}, 2);
    assert_true(sl_cluster_leads(workers[1].cluster));
    assert_int_equal(fake_group_early_returns(), 0);
}

static void a_leader_whose_claim_was_taken_by_one_that_leads_no_more_claims_again(void **state)
{
    int64_t until_us = sl_now_us() + PATIENCE_US;
    int claims;

    (void)state;
    start(0);
    fake_group_settle();
    until_even((int[]){0}, 1);
    claims = fake_group_claims();
    fake_group_usurp("host:3");
    while (fake_group_claims() == claims) {
        assert_true(sl_now_us() < until_us);
        (void)usleep(1000);
    }
    assert_true(sl_cluster_leads(workers[0].cluster));
}

static void tasks_go_on_when_the_group_finds_itself_again(void **state)
{
    int64_t until_us = sl_now_us() + PATIENCE_US;
    int claims;
    int before;

    (void)state;
    for (int i = 0; i < 3; i++)
        start(i);
    fake_group_settle();
    until_even((int[]){0, 1, 2}, 3);
    before = atomic_load(&begun);
    claims = fake_group_claims();
    for (int i = 0; i < 3; i++)
        fake_group_doubt(workers[i].name);
    while (atomic_load(&held) < TASKS) {
        assert_true(sl_now_us() < until_us);
        (void)usleep(1000);
    }
    for (int i = 0; i < 3; i++)
        fake_group_speak(workers[i].name);
    until_even((int[]){0, 1, 2}, 3);
    for (int task = 0; task < TASKS; task++) {
        for (int i = 0; i < 3; i++) {
            while (atomic_load(&workers[i].runs[task]) &&
                   sl_cluster_look(workers[i].cluster, "c", task) != SL_LEASE_KEEP) {
                assert_true(sl_now_us() < until_us);
                (void)usleep(1000);
            }
        }
    }
    assert_int_equal(atomic_load(&begun), before);
    assert_int_equal(fake_group_claims(), claims); /* and the leader leads on */
    assert_int_equal(doubles, 0);
}

static void a_task_that_does_not_exist_any_more_begins_nowhere(void **state)
{
    const struct sl_cluster_connector fewer = {.name = "c", .tasks = 2};
    char place[64];

    (void)state;
    start(0);
    fake_group_settle();
    until_even((int[]){0}, 1);
    stop(0);
    start(1);
    sl_cluster_tell(workers[1].cluster, &fewer, 1);
    fake_group_settle();
    while (load(1) < 2)
        (void)usleep(1000);
    assert_true(sl_cluster_place(workers[1].cluster, "c", 1, place, sizeof(place)));
    assert_string_equal(place, "host:1");
    assert_false(sl_cluster_place(workers[1].cluster, "other", 0, place, sizeof(place)));
}

static void the_writers_of_an_earlier_generation_are_shut_out_where_there_were_several(void **state)
{
    struct sl_error err;

    (void)state;
    start(0);
    assert_int_equal(sl_cluster_fence(workers[0].cluster, "c", 1, 1, &err), SL_OK);
    assert_int_equal(fake_group_fenced(), 0);
    assert_int_equal(sl_cluster_fence(workers[0].cluster, "c", 3, 1, &err), SL_OK);
    assert_int_equal(fake_group_fenced(), 3);
    assert_int_equal(sl_cluster_fence(workers[0].cluster, "c", 1, 2, &err), SL_OK);
    assert_int_equal(fake_group_fenced(), 4);
}

static void alone_in_its_log_a_process_leads_and_runs_everything_at_once(void **state)
{
    static const struct sl_transport_ops alone = {.membership = &sl_membership_alone};
    struct sl_transport log = {.ops = &alone};
    const struct sl_cluster_settings settings = {
        .transport = &log, .worker = "me", .events = {.changed = changed, .failed = failed}};
    const struct sl_cluster_connector one = {.name = "c", .tasks = 1};
    struct sl_cluster *cluster;
    struct sl_error err;

    (void)state;
    assert_int_equal(sl_cluster_open(&settings, &cluster, &err), SL_OK);
    assert_true(sl_cluster_leads(cluster));
    assert_int_equal(sl_cluster_lead(cluster, &err), SL_OK);
    assert_false(sl_cluster_begin(cluster, "c", 0));
    sl_cluster_tell(cluster, &one, 1);
    assert_true(sl_cluster_begin(cluster, "c", 0));
    assert_false(sl_cluster_begin(cluster, "c", 0));
    assert_int_equal(sl_cluster_look(cluster, "c", 0), SL_LEASE_KEEP);
    sl_cluster_end(cluster, "c", 0);
    assert_true(sl_cluster_begin(cluster, "c", 0));
    sl_cluster_end(cluster, "c", 0);
    sl_cluster_close(cluster);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(workers_that_come_get_their_share_and_no_task_runs_twice),
        CASE(tasks_of_a_worker_that_is_gone_run_elsewhere),
        CASE(there_is_one_leader_and_the_others_know_its_url),
        CASE(the_next_leader_claims_after_the_one_before_has),
        CASE(a_leader_whose_claim_was_taken_by_one_that_leads_no_more_claims_again),
        CASE(tasks_go_on_when_the_group_finds_itself_again),
        CASE(a_task_that_does_not_exist_any_more_begins_nowhere),
        CASE(the_writers_of_an_earlier_generation_are_shut_out_where_there_were_several),
        CASE(alone_in_its_log_a_process_leads_and_runs_everything_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
