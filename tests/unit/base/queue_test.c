/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 20000 };

struct pipe {
    struct sl_queue *queue;
    uint64_t sum;
    uintptr_t last;
    int disorder;
};

static void produce(void *arg)
{
    struct pipe *pipe = arg;

    for (uintptr_t i = 1; i <= ITEMS; i++) {
        if (sl_queue_push(pipe->queue, (void *)i, SL_FOREVER) != SL_QUEUE_OK)
            return;
    }
    sl_queue_close(pipe->queue);
}

static void consume(void *arg)
{
    struct pipe *pipe = arg;
    void *item;

    while (sl_queue_pop(pipe->queue, SL_FOREVER, &item) == SL_QUEUE_OK) {
        pipe->sum += (uintptr_t)item;
        pipe->disorder += (uintptr_t)item <= pipe->last;
        pipe->last = (uintptr_t)item;
    }
}

static void everything_arrives_once_and_in_order(void **state)
{
    struct pipe pipe = {.queue = sl_queue_new(3)};
    struct sl_thread producer = {0};
    struct sl_thread consumer = {0};

    (void)state;
    sl_thread_start(&consumer, "consumer", consume, &pipe);
    sl_thread_start(&producer, "producer", produce, &pipe);
    sl_thread_join(&producer);
    sl_thread_join(&consumer);
    assert_int_equal(pipe.sum, (uint64_t)ITEMS * (ITEMS + 1) / 2);
    assert_int_equal(pipe.disorder, 0);
    sl_queue_free(pipe.queue);
}

static void a_full_queue_times_out_and_an_empty_one_too(void **state)
{
    struct sl_queue *queue = sl_queue_new(1);
    int64_t before = sl_now_us();
    void *item;

    (void)state;
    assert_int_equal(sl_queue_pop(queue, 0, &item), SL_QUEUE_TIMEOUT);
    assert_int_equal(sl_queue_push(queue, queue, 0), SL_QUEUE_OK);
    assert_int_equal(sl_queue_push(queue, queue, sl_now_us() + 5000), SL_QUEUE_TIMEOUT);
    assert_true(sl_now_us() - before >= 5000);
    assert_int_equal(sl_queue_length(queue), 1);
    sl_queue_free(queue);
}

static void a_closed_queue_gives_what_is_left(void **state)
{
    struct sl_queue *queue = sl_queue_new(2);
    void *item;

    (void)state;
    (void)sl_queue_push(queue, queue, 0);
    sl_queue_close(queue);
    assert_int_equal(sl_queue_push(queue, queue, SL_FOREVER), SL_QUEUE_CLOSED);
    assert_int_equal(sl_queue_pop(queue, SL_FOREVER, &item), SL_QUEUE_OK);
    assert_int_equal(sl_queue_pop(queue, SL_FOREVER, &item), SL_QUEUE_CLOSED);
    sl_queue_reopen(queue);
    assert_int_equal(sl_queue_push(queue, queue, 0), SL_QUEUE_OK);
    sl_queue_free(queue);
}

static void a_wake_before_the_wait_is_not_lost(void **state)
{
    struct sl_queue *queue = sl_queue_new(2);
    void *item;

    (void)state;
    sl_queue_wake(queue);
    assert_int_equal(sl_queue_pop(queue, SL_FOREVER, &item), SL_QUEUE_WOKEN);
    assert_int_equal(sl_queue_pop(queue, 0, &item), SL_QUEUE_TIMEOUT);
    sl_queue_free(queue);
}

static void the_budget_stops_readers_but_never_the_one_who_holds_nothing(void **state)
{
    struct sl_budget *budget = sl_budget_new(100);
    struct sl_share big = {.budget = budget};
    struct sl_share other = {.budget = budget};

    (void)state;
    assert_true(sl_share_wait(&big, 0));
    sl_share_take(&big, 500);
    assert_false(sl_share_wait(&big, sl_now_us() + 1000));
    assert_true(sl_share_wait(&other, 0));
    sl_share_take(&other, 10);
    assert_false(sl_share_wait(&other, 0));
    sl_share_give(&big, 500);
    assert_true(sl_share_wait(&other, 0));
    assert_int_equal(sl_budget_used(budget), 10);
    sl_budget_free(budget);
}

struct waiter {
    struct sl_share share;
    struct sl_stop stop;
};

static void wait_for_room(void *arg)
{
    struct waiter *waiter = arg;

    while (!sl_stop_requested(&waiter->stop)) {
        if (sl_share_wait(&waiter->share, sl_now_us() + 100000))
            return;
    }
}

static void giving_back_wakes_who_waits(void **state)
{
    struct waiter waiter = {.share = {.budget = sl_budget_new(10)}};
    struct sl_thread thread = {0};

    (void)state;
    sl_stop_init(&waiter.stop);
    sl_share_take(&waiter.share, 20);
    sl_thread_start(&thread, "waiter", wait_for_room, &waiter);
    sl_share_give(&waiter.share, 15);
    sl_thread_join(&thread);
    sl_stop_request(&waiter.stop);
    assert_true(sl_stop_wait(&waiter.stop, 0));
    sl_stop_done(&waiter.stop);
    sl_budget_free(waiter.share.budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_once_and_in_order),
        cmocka_unit_test(a_full_queue_times_out_and_an_empty_one_too),
        cmocka_unit_test(a_closed_queue_gives_what_is_left),
        cmocka_unit_test(a_wake_before_the_wait_is_not_lost),
        cmocka_unit_test(the_budget_stops_readers_but_never_the_one_who_holds_nothing),
        cmocka_unit_test(giving_back_wakes_who_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
