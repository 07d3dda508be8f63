/* SPDX-License-Identifier: Apache-2.0 */
/* The config store and the status store: Kafka Connect's records, and its rules for reading them. */
#include "engine/fakes.h"

#include "base/alloc.h"
#include "engine/herd/config_store.h"
#include "engine/fake_parts.h"
#include "engine/herd/status_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_transport *transport;
static struct sl_config_store *configs;
static struct sl_config_events events;
static int restarts;

static void count_restart(void *ctx, const char *connector, bool include_tasks, bool only_failed)
{
    (void)ctx;
    assert_string_equal(connector, "c");
    assert_true(include_tasks);
    assert_false(only_failed);
    restarts++;
}

static int setup(void **state)
{
    struct sl_error err;

    (void)state;
    fake_world_reset();
    restarts = 0;
    events = (struct sl_config_events){.restart = count_restart};
    return fake_log_ops.open(NULL, false, &transport, &err) != SL_OK;
}

static int teardown(void **state)
{
    (void)state;
    sl_config_store_close(configs);
    configs = NULL;
    return 0;
}

/* A record as another worker has written it. */
static void written(const char *key, const char *value)
{
    struct sl_span span =
        value ? (struct sl_span){(const uint8_t *)value, strlen(value)} : (struct sl_span){0};
    struct sl_error err;

    assert_int_equal(fake_log_ops.put(transport, SL_CONFIG_SPACE, key, span, &err), SL_OK);
}

static void open_store(void)
{
    struct sl_error err;

    assert_int_equal(sl_config_store_open(transport, &events, &configs, &err), SL_OK);
}

static void assert_record(const char *space, const char *key, const char *value)
{
    char *text = fake_text(space, key);

    if (value)
        assert_string_equal(text, value);
    else
        assert_null(text);
    sl_free(text);
}

static void records_of_connect_are_read_in_whatever_order_they_stand(void **state)
{
    struct sl_config_view view;

    (void)state;
    written("commit-c", "{\"tasks\":2}");
    written("session-key", "{\"key\":\"x\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":1}");
    written("task-c-1", "{\"properties\":{\"task.id\":\"1\"}}");
    written("target-state-c", "{\"state\":\"PAUSED\",\"state.v2\":\"STOPPED\"}");
    written("task-c-0", "{\"properties\":{\"task.id\":\"0\"}}");
    written("connector-c", "{\"properties\":{\"name\":\"c\"}}");
    written("tasks-fencing-c", "{\"task-count\":2}");
    open_store();
    assert_true(sl_config_store_read(configs, "c", &view));
    assert_int_equal(json_array_size(view.tasks), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(view.tasks, 1), "task.id")), "1");
    assert_true(view.consistent);
    assert_true(view.committed);
    assert_int_equal(view.target, SL_TARGET_STOPPED);
    sl_config_view_done(&view);
}

static void a_target_state_of_an_old_worker_has_no_second_word(void **state)
{
    struct sl_config_view view;

    (void)state;
    written("connector-c", "{\"properties\":{\"name\":\"c\"}}");
    written("target-state-c", "{\"state\":\"PAUSED\"}");
    open_store();
    assert_true(sl_config_store_read(configs, "c", &view));
    assert_int_equal(view.target, SL_TARGET_PAUSED);
    sl_config_view_done(&view);
}

static void a_commit_that_counts_more_than_there_is_leaves_the_connector_inconsistent(void **state)
{
    struct sl_config_view view;
    struct sl_error err;
    json_t *tasks;

    (void)state;
    written("connector-c", "{\"properties\":{\"name\":\"c\"}}");
    written("task-c-0", "{\"properties\":{}}");
    written("commit-c", "{\"tasks\":2}");
    open_store();
    assert_true(sl_config_store_read(configs, "c", &view));
    assert_false(view.consistent);
    assert_int_equal(json_array_size(view.tasks), 0);
    sl_config_view_done(&view);
    tasks = json_pack("[{}, {}]");
    assert_int_equal(sl_config_store_put_tasks(configs, "c", tasks, &err), SL_OK);
    json_decref(tasks);
    assert_true(sl_config_store_read(configs, "c", &view));
    assert_true(view.consistent);
    assert_int_equal(json_array_size(view.tasks), 2);
    sl_config_view_done(&view);
}

static void tasks_of_a_deleted_connector_do_not_come_back_with_its_name(void **state)
{
    struct sl_config_view view;
    struct sl_error err;
    json_t *config = json_pack("{s:s}", "name", "c");
    json_t *tasks = json_pack("[{}]");

    (void)state;
    open_store();
    assert_int_equal(sl_config_store_put(configs, "c", config, &err), SL_OK);
    assert_int_equal(sl_config_store_put_tasks(configs, "c", tasks, &err), SL_OK);
    assert_int_equal(sl_config_store_put_target(configs, "c", SL_TARGET_PAUSED, &err), SL_OK);
    assert_record(SL_CONFIG_SPACE, "target-state-c", "{\"state\":\"PAUSED\",\"state.v2\":\"PAUSED\"}");
    assert_record(SL_CONFIG_SPACE, "connector-c", "{\"properties\":{\"name\":\"c\"}}");
    assert_record(SL_CONFIG_SPACE, "commit-c", "{\"tasks\":1}");
    assert_int_equal(sl_config_store_remove(configs, "c", &err), SL_OK);
    assert_false(sl_config_store_has(configs, "c"));
    assert_record(SL_CONFIG_SPACE, "connector-c", NULL);
    assert_record(SL_CONFIG_SPACE, "target-state-c", NULL);
    assert_int_equal(sl_config_store_put(configs, "c", config, &err), SL_OK);
    assert_true(sl_config_store_read(configs, "c", &view));
    assert_false(view.committed);
    assert_int_equal(json_array_size(view.tasks), 0);
    assert_int_equal(view.target, SL_TARGET_STARTED);
    sl_config_view_done(&view);
    json_decref(config);
    json_decref(tasks);
}

static void a_restart_is_told_once_and_never_from_the_past(void **state)
{
    struct sl_error err;

    (void)state;
    written("restart-connector-c", "{\"include-tasks\":true,\"only-failed\":false}");
    open_store();
    assert_int_equal(restarts, 0);
    assert_int_equal(sl_config_store_put_restart(configs, "c", true, false, &err), SL_OK);
    assert_int_equal(restarts, 1);
}

static void what_cannot_be_read_costs_only_itself(void **state)
{
    (void)state;
    written("connector-bad", "{\"properties\":");
    written("connector-c", "{\"properties\":{\"name\":\"c\"}}");
    written("commit-c", "{\"tasks\":-5}");
    written("task-c-x", "{\"properties\":{}}");
    written("target-state-c", "[]");
    open_store();
    assert_true(sl_config_store_has(configs, "c"));
    assert_false(sl_config_store_has(configs, "bad"));
}

/* ---- statuses ---- */

static void put_status(struct sl_status_store *store, int task, enum sl_part_state part, const char *worker,
                       int64_t generation, bool safely)
{
    const struct sl_part_status status = {.state = part, .worker_id = worker, .generation = generation};
    struct sl_error err;

    if (safely)
        assert_int_equal(sl_status_store_put_safe(store, "c", task, &status, &err), SL_OK);
    else
        assert_int_equal(sl_status_store_put(store, "c", task, &status, &err), SL_OK);
}

static void assert_state(struct sl_status_store *store, int task, const char *expected)
{
    json_t *state = sl_status_store_read(store, "c", task);

    assert_string_equal(json_string_value(json_object_get(state, "state")), expected);
    json_decref(state);
}

static void statuses_are_written_as_connect_writes_them(void **state)
{
    const struct sl_part_status failed = {
        .state = SL_PART_FAILED, .trace = "it broke", .worker_id = "h:8083", .generation = 3};
    struct sl_status_store *store = NULL;
    struct sl_error err;
    json_t *read;
    int *tasks;

    (void)state;
    assert_int_equal(sl_status_store_open(transport, &store, &err), SL_OK);
    put_status(store, -1, SL_PART_RUNNING, "h:8083", 3, false);
    assert_int_equal(sl_status_store_put(store, "c", 1, &failed, &err), SL_OK);
    assert_record(SL_STATUSES_SPACE, "status-connector-c",
                  "{\"state\":\"RUNNING\",\"trace\":null,\"worker_id\":\"h:8083\",\"generation\":3}");
    assert_record(SL_STATUSES_SPACE, "status-task-c-1",
                  "{\"state\":\"FAILED\",\"trace\":\"it broke\",\"worker_id\":\"h:8083\",\"generation\":3}");
    read = sl_status_store_read(store, "c", 1);
    assert_string_equal(json_string_value(json_object_get(read, "trace")), "it broke");
    json_decref(read);
    assert_int_equal(sl_status_store_tasks(store, "c", &tasks), 1);
    assert_int_equal(tasks[0], 1);
    sl_free(tasks);
    assert_int_equal(sl_status_store_remove(store, "c", 1, &err), SL_OK);
    assert_record(SL_STATUSES_SPACE, "status-task-c-1", NULL);
    sl_status_store_close(store);
}

static void a_safe_write_does_not_cover_what_a_newer_worker_said(void **state)
{
    struct sl_status_store *store = NULL;
    struct sl_error err;

    (void)state;
    assert_int_equal(sl_status_store_open(transport, &store, &err), SL_OK);
    put_status(store, 0, SL_PART_UNASSIGNED, "old:1", 4, true);
    assert_state(store, 0, "UNASSIGNED");
    put_status(store, 0, SL_PART_RUNNING, "new:1", 5, false);
    put_status(store, 0, SL_PART_UNASSIGNED, "old:1", 4, true);
    assert_state(store, 0, "RUNNING");
    put_status(store, 0, SL_PART_UNASSIGNED, "new:1", 4, true); /* its own */
    assert_state(store, 0, "UNASSIGNED");
    put_status(store, 0, SL_PART_RUNNING, "new:1", 5, false);
    put_status(store, 0, SL_PART_UNASSIGNED, "old:1", 5, true); /* not newer than ours */
    assert_state(store, 0, "UNASSIGNED");
    sl_status_store_close(store);
}

static void topics_are_remembered_once_and_forgotten_together(void **state)
{
    struct sl_status_store *store = NULL;
    struct sl_error err;
    json_t *topics;

    (void)state;
    assert_int_equal(sl_status_store_open(transport, &store, &err), SL_OK);
    assert_int_equal(sl_status_store_put_topic(store, "c", 0, "b", &err), SL_OK);
    assert_int_equal(sl_status_store_put_topic(store, "c", 1, "a", &err), SL_OK);
    assert_int_equal(sl_status_store_put_topic(store, "c", 1, "b", &err), SL_OK);
    assert_int_equal(sl_status_store_put_topic(store, "other", 0, "z", &err), SL_OK);
    sl_status_store_close(store);
    assert_int_equal(sl_status_store_open(transport, &store, &err), SL_OK);
    topics = sl_status_store_topics(store, "c");
    assert_int_equal(json_array_size(topics), 2);
    assert_string_equal(json_string_value(json_array_get(topics, 0)), "a");
    json_decref(topics);
    assert_int_equal(sl_status_store_remove_topics(store, "c", &err), SL_OK);
    topics = sl_status_store_topics(store, "c");
    assert_int_equal(json_array_size(topics), 0);
    json_decref(topics);
    topics = sl_status_store_topics(store, "other");
    assert_int_equal(json_array_size(topics), 1);
    json_decref(topics);
    sl_status_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_of_connect_are_read_in_whatever_order_they_stand, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_target_state_of_an_old_worker_has_no_second_word, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_commit_that_counts_more_than_there_is_leaves_the_connector_inconsistent, setup, teardown),
        cmocka_unit_test_setup_teardown(tasks_of_a_deleted_connector_do_not_come_back_with_its_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_restart_is_told_once_and_never_from_the_past, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_costs_only_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(statuses_are_written_as_connect_writes_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_safe_write_does_not_cover_what_a_newer_worker_said, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(topics_are_remembered_once_and_forgotten_together, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
