/* SPDX-License-Identifier: Apache-2.0 */
/* Which task of a sink reads which partition, as several workers see it. */
#include "engine/fakes.h"

#include "base/alloc.h"
#include "engine/config/connector_config.h"
#include "engine/subscription.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TASKS = 3, PARTITIONS = 2 };

/* What one worker of a group holds of it. */
struct one_worker {
    struct sl_shared shared;
    struct sl_subscription *subscription;
};

static void nothing(void *ctx)
{
    (void)ctx;
}

static void open_worker(struct one_worker *worker, struct sl_transport *log,
                        const struct sl_connector *connector)
{
    struct sl_error err;

    *worker = (struct one_worker){.shared = {.plugins = &fake_plugins, .transport = log}};
    assert_int_equal(sl_topics_open(log, &worker->shared.topics, &err), SL_OK);
    assert_int_equal(
        sl_subscription_open(&worker->shared, connector, nothing, NULL, &worker->subscription, &err), SL_OK);
}

static void close_worker(struct one_worker *worker)
{
    sl_subscription_close(worker->subscription);
    sl_topics_close(worker->shared.topics);
}

static void make_topic(struct one_worker *worker, const char *name)
{
    static const struct sl_topic_settings settings = {.partitions = PARTITIONS};
    struct sl_error err;
    int32_t partitions;

    assert_int_equal(sl_topics_ensure(worker->shared.topics, sl_topic_intern(name, strlen(name)), &settings,
                                      &partitions, &err),
                     SL_OK);
    assert_int_equal(partitions, PARTITIONS);
}

/* The task that reads a partition in this worker's eyes; exactly one does. */
static int reader_of(const struct one_worker *worker, const char *name, int32_t partition)
{
    const struct sl_topic *topic = sl_topic_intern(name, strlen(name));
    int found = -1;

    for (int task = 0; task < TASKS; task++) {
        struct sl_progress *items;
        size_t n = sl_subscription_assigned(worker->subscription, task, &items);

        for (size_t i = 0; i < n; i++) {
            if (items[i].topic != topic || items[i].partition != partition)
                continue;
            assert_int_equal(found, -1);
            found = task;
        }
        sl_free(items);
    }
    assert_int_not_equal(found, -1);
    return found;
}

static void workers_that_find_topics_in_other_orders_agree_on_who_reads_what(void **state)
{
    static const char *const names[] = {"shop.orders", "shop.customers", "shop.items", "shop.prices"};
    struct sl_connector *connector;
    struct one_worker early, late;
    struct sl_transport *log;
    struct sl_error err;

    (void)state;
    fake_world_reset();
    connector = fake_connector("snk", true, "topics.regex", "shop\\..*", "tasks.max", "3", NULL);
    assert_int_equal(fake_plugins.transports[0]->open(NULL, false, &log, &err), SL_OK);
    assert_int_equal(connector->tasks, TASKS);
    open_worker(&early, log, connector); /* it finds them as they are made */
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        make_topic(&early, names[i]);
    open_worker(&late, log, connector); /* it finds them by name */
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        for (int32_t partition = 0; partition < PARTITIONS; partition++)
            assert_int_equal(reader_of(&early, names[i], partition), reader_of(&late, names[i], partition));
    }
    close_worker(&late);
    close_worker(&early);
    log->ops->close(log);
    sl_connector_free(connector);
    fake_world_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_that_find_topics_in_other_orders_agree_on_who_reads_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
