/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors that come, go, pause and fail while others run on; between the fakes. */
#include "engine/fakes.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/config/connector_config.h"
#include "engine/herd/herd.h"

#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sl_herder *herder;

static void begin(int64_t records)
{
    fake_world_reset();
    world.source_end = records;
    herder = fake_start(NULL, 0);
}

static void again(void)
{
    fake_stop(herder);
    herder = fake_start(NULL, 0);
}

/* After a stop: with the file of one connector. */
static void start_with_file_of(const char *name, const char *topic)
{
    struct sl_connector *file = fake_connector(name, 1, "topics", topic, NULL);

    herder = fake_start(&file, 1);
    sl_connector_free(file);
}

static void end(void)
{
    fake_stop(herder);
    herder = NULL;
}

static void grow_source(int64_t records)
{
    (void)pthread_mutex_lock(&world.lock);
    world.source_end = records;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

/* ---- requests ---- */

static enum sl_answer_status status_of(struct sl_answer *answer)
{
    enum sl_answer_status status = answer->status;

    sl_answer_done(answer);
    return status;
}

static json_t *config(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);

    assert_non_null(json);
    return json;
}

static enum sl_answer_status put(const char *name, const char *text, enum sl_put_mode mode)
{
    struct sl_answer answer;

    sl_herder_put_config(herder, name, config(text), mode, SL_TARGET_STARTED, &answer);
    return status_of(&answer);
}

static void put_source(void)
{
    assert_int_equal(put("src", "{\"connector.class\":\"FakeSource\"}", SL_PUT_ANY), SL_ANSWER_CREATED);
}

static void put_sink(void)
{
    assert_int_equal(put("snk", "{\"connector.class\":\"FakeSink\",\"topics\":\"t0\"}", SL_PUT_ANY),
                     SL_ANSWER_CREATED);
}

static enum sl_answer_status target(const char *name, enum sl_target_state state)
{
    struct sl_answer answer;

    sl_herder_set_target(herder, name, state, &answer);
    return status_of(&answer);
}

/* "connector-state[,task-state...]", or "" when nothing is known. */
static void read_states(const char *name, char *ret, size_t size)
{
    struct sl_answer answer;
    const json_t *tasks;
    size_t len;

    *ret = '\0';
    sl_herder_status(herder, name, &answer);
    if (answer.status == SL_ANSWER_OK) {
        tasks = json_object_get(answer.body, "tasks");
        len = (size_t)snprintf(
            ret, size, "%s",
            json_string_value(json_object_get(json_object_get(answer.body, "connector"), "state")));
        for (size_t i = 0; i < json_array_size(tasks) && len < size; i++)
            len += (size_t)snprintf(ret + len, size - len, ",%s",
                                    json_string_value(json_object_get(json_array_get(tasks, i), "state")));
    }
    sl_answer_done(&answer);
}

static void wait_states(const char *name, const char *expected)
{
    int64_t deadline_us = sl_now_us() + 30 * INT64_C(1000000);
    char states[200];

    for (;;) {
        read_states(name, states, sizeof(states));
        if (strcmp(states, expected) == 0)
            return;
        if (sl_now_us() > deadline_us)
            fail_msg("%s is %s, not %s", name, states, expected);
        (void)usleep(2000);
    }
}

/* ---- promises ---- */

static void connectors_come_and_run_while_the_process_does(void **state)
{
    struct sl_answer answer;
    json_t *expected;

    (void)state;
    begin(100);
    put_source();
    wait_states("src", "RUNNING,RUNNING");
    put_sink();
    assert_true(fake_wait_rows(100));
    wait_states("snk", "RUNNING,RUNNING");
    sl_herder_info(herder, "snk", &answer);
    expected = config("{\"name\":\"snk\",\"config\":{\"connector.class\":\"FakeSink\",\"topics\":\"t0\","
                      "\"name\":\"snk\"},\"tasks\":[{\"connector\":\"snk\",\"task\":0}],\"type\":\"sink\"}");
    assert_true(json_equal(answer.body, expected));
    json_decref(expected);
    assert_int_equal(status_of(&answer), SL_ANSWER_OK);
    end();
}

static void names_are_taken_once_and_wrong_configurations_are_refused(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(1);
    put_source();
    assert_int_equal(put("src", "{\"connector.class\":\"FakeSource\"}", SL_PUT_CREATE), SL_ANSWER_CONFLICT);
    assert_int_equal(put("src", "{\"connector.class\":\"FakeSource\"}", SL_PUT_ANY), SL_ANSWER_OK);
    assert_int_equal(put("b", "{\"connector.class\":\"FakeSource\",\"name\":\"c\"}", SL_PUT_ANY),
                     SL_ANSWER_BAD_REQUEST);
    assert_int_equal(put("b", "{\"connector.class\":\"FakeSource\",\"x\":{}}", SL_PUT_ANY),
                     SL_ANSWER_BAD_REQUEST);
    assert_int_equal(put("nobody", "{\"a\":\"b\"}", SL_PUT_PATCH), SL_ANSWER_NOT_FOUND);
    sl_herder_put_config(herder, "b", config("{\"connector.class\":\"FakeSink\",\"tasks.max\":\"x\"}"),
                         SL_PUT_ANY, SL_TARGET_STARTED, &answer);
    assert_int_equal(answer.status, SL_ANSWER_BAD_REQUEST);
    assert_non_null(strstr(answer.message, "contains the following 2 error(s)"));
    assert_non_null(strstr(answer.message, "tasks.max"));
    sl_answer_done(&answer);
    sl_herder_info(herder, "b", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NOT_FOUND);
    end();
}

static void a_patch_merges_and_null_removes(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(1);
    assert_int_equal(put("src", "{\"connector.class\":\"FakeSource\",\"a\":\"1\",\"b\":\"2\"}", SL_PUT_ANY),
                     SL_ANSWER_CREATED);
    assert_int_equal(put("src", "{\"a\":null,\"b\":3,\"c\":true}", SL_PUT_PATCH), SL_ANSWER_OK);
    sl_herder_config(herder, "src", &answer);
    assert_null(json_object_get(answer.body, "a"));
    assert_string_equal(json_string_value(json_object_get(answer.body, "b")), "3");
    assert_string_equal(json_string_value(json_object_get(answer.body, "c")), "true");
    sl_answer_done(&answer);
    end();
}

static size_t rows_now(void)
{
    size_t n;

    (void)pthread_mutex_lock(&world.lock);
    n = world.n_rows;
    (void)pthread_mutex_unlock(&world.lock);
    return n;
}

static size_t stored_now(void)
{
    size_t n;

    (void)pthread_mutex_lock(&world.lock);
    n = world.n_stored;
    (void)pthread_mutex_unlock(&world.lock);
    return n;
}

static bool has_stored(void *arg)
{
    return world.n_stored >= *(size_t *)arg;
}

static void a_paused_sink_applies_nothing_and_a_paused_source_reads_nothing(void **state)
{
    size_t wanted = 200;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_true(fake_wait_rows(100));
    assert_int_equal(target("snk", SL_TARGET_PAUSED), SL_ANSWER_ACCEPTED);
    wait_states("snk", "PAUSED,PAUSED");
    grow_source(200);
    assert_true(fake_wait(has_stored, &wanted)); /* the source runs on */
    assert_int_equal(rows_now(), 100);
    assert_int_equal(target("src", SL_TARGET_PAUSED), SL_ANSWER_ACCEPTED);
    wait_states("src", "PAUSED,PAUSED");
    grow_source(300);
    assert_int_equal(target("snk", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(200));
    assert_int_equal(stored_now(), 200);
    assert_int_equal(target("src", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(300));
    assert_int_equal(rows_now(), 300);
    assert_int_equal(target("nobody", SL_TARGET_PAUSED), SL_ANSWER_NOT_FOUND);
    end();
}

/* ---- a group that may fall silent ---- */

static _Atomic int tenure;

static bool leads(void *ctx)
{
    (void)ctx;
    return true;
}

static bool leader_url(void *ctx, char *ret_url, size_t size)
{
    (void)ctx;
    (void)ret_url;
    (void)size;
    return false;
}

static enum sl_rc lead(void *ctx, struct sl_error *err)
{
    (void)ctx;
    (void)err;
    return SL_OK;
}

static int64_t generation(void *ctx)
{
    (void)ctx;
    return 1;
}

static bool begin_here(void *ctx, const char *connector, int task)
{
    (void)ctx;
    (void)connector;
    (void)task;
    return tenure == SL_TENURE_KEEP;
}

static enum sl_tenure look(void *ctx, const char *connector, int task)
{
    (void)ctx;
    (void)connector;
    (void)task;
    return (enum sl_tenure)tenure;
}

static void end_here(void *ctx, const char *connector, int task)
{
    (void)ctx;
    (void)connector;
    (void)task;
}

static void tell(void *ctx, const struct sl_herd_entry *entries, size_t n)
{
    (void)ctx;
    (void)entries;
    (void)n;
}

static bool place(void *ctx, const char *connector, int task, char *ret_worker, size_t size)
{
    (void)ctx;
    (void)connector;
    (void)task;
    (void)ret_worker;
    (void)size;
    return false;
}

static enum sl_rc fence(void *ctx, const char *connector, int old_tasks, int new_tasks, struct sl_error *err)
{
    (void)ctx;
    (void)connector;
    (void)old_tasks;
    (void)new_tasks;
    return lead(ctx, err);
}

static const struct sl_placement group = {.leads = leads,
                                          .leader_url = leader_url,
                                          .lead = lead,
                                          .generation = generation,
                                          .begin = begin_here,
                                          .look = look,
                                          .end = end_here,
                                          .tell = tell,
                                          .place = place,
                                          .fence = fence};

static void begin_in_group(int64_t records)
{
    fake_world_reset();
    world.source_end = records;
    tenure = SL_TENURE_KEEP;
    fake_place(&group);
    herder = fake_start(NULL, 0);
    put_source();
    put_sink();
    assert_true(fake_wait_rows((size_t)records));
}

static void become(enum sl_tenure next)
{
    tenure = (int)next;
    sl_herder_look(herder);
}

/* In the rich status, which is told of what runs and not of what was told to others. */
static bool waits(const char *connector)
{
    for (size_t i = 0; i < world.n_texts; i++) {
        if (strcmp(world.texts[i].space, "status") == 0 && strstr(world.texts[i].key, connector) &&
            world.texts[i].value && strstr(world.texts[i].value, "PAUSED"))
            return true;
    }
    return false;
}

static bool source_alone_waits(void *arg)
{
    (void)arg;
    return waits("src") && !waits("snk");
}

static void while_a_group_is_silent_sinks_go_on_and_sources_without_an_id_wait(void **state)
{
    size_t wanted = 200;

    (void)state;
    begin_in_group(100);
    become(SL_TENURE_HOLD);
    assert_true(fake_wait(source_alone_waits, NULL));
    grow_source(200);
    wait_states("src", "RUNNING,RUNNING"); /* nobody is told of what may be over in a moment */
    assert_int_equal(stored_now(), 100);
    become(SL_TENURE_KEEP);
    assert_true(fake_wait(has_stored, &wanted));
    assert_true(fake_wait_rows(200));
    end();
}

static void while_a_group_is_silent_no_task_is_started_again(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin_in_group(100);
    become(SL_TENURE_HOLD);
    assert_true(fake_wait(source_alone_waits, NULL));
    sl_herder_restart_task(herder, "src", 0, &answer);
    (void)status_of(&answer);
    grow_source(200);
    (void)usleep(100 * 1000); /* it would be under way by then */
    assert_int_equal(stored_now(), 100);
    become(SL_TENURE_KEEP);
    assert_true(fake_wait_rows(200));
    end();
}

static void who_runs_a_task_has_the_last_word_on_it(void **state)
{
    const struct sl_part_status late = {
        .state = SL_PART_FAILED, .trace = "it was fenced", .worker_id = "stood-still:1", .generation = 1000};
    struct sl_error err;

    (void)state;
    begin_in_group(100);
    wait_states("snk", "RUNNING,RUNNING");
    assert_int_equal(sl_status_store_put(herder->statuses, "snk", 0, &late, &err), SL_OK);
    wait_states("snk", "RUNNING,RUNNING");
    end();
}

static void a_stopped_connector_has_no_tasks_until_it_is_resumed(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_true(fake_wait_rows(100));
    assert_int_equal(target("snk", SL_TARGET_STOPPED), SL_ANSWER_NO_CONTENT);
    wait_states("snk", "STOPPED");
    sl_herder_task_configs(herder, "snk", &answer);
    assert_int_equal(json_array_size(answer.body), 0);
    sl_answer_done(&answer);
    grow_source(200);
    wait_states("src", "RUNNING,RUNNING");
    assert_int_equal(target("snk", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(200));
    wait_states("snk", "RUNNING,RUNNING");
    end();
}

static void states_and_connectors_outlive_the_process(void **state)
{
    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_int_equal(target("snk", SL_TARGET_PAUSED), SL_ANSWER_ACCEPTED);
    wait_states("snk", "PAUSED,PAUSED");
    again();
    wait_states("snk", "PAUSED,PAUSED");
    wait_states("src", "RUNNING,RUNNING");
    grow_source(150);
    assert_int_equal(rows_now() <= 100, 1);
    assert_int_equal(target("snk", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(150));
    assert_int_equal(rows_now(), 150);
    end();
}

static void a_deleted_connector_ends_and_the_others_run_on(void **state)
{
    struct sl_answer answer;
    char *reserved;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_int_equal(put("other", "{\"connector.class\":\"FakeSink\",\"topics\":\"t9\"}", SL_PUT_ANY),
                     SL_ANSWER_CREATED);
    wait_states("other", "RUNNING,RUNNING");
    sl_herder_delete(herder, "other", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NO_CONTENT);
    wait_states("other", "");
    sl_herder_delete(herder, "other", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NOT_FOUND);
    while ((reserved = fake_text("reserved", "connect-other/t9"))) { /* the log keeps nothing for it */
        sl_free(reserved);
        (void)usleep(2000);
    }
    grow_source(200);
    assert_true(fake_wait_rows(200));
    end();
}

static void a_changed_configuration_restarts_only_its_own_connector(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_true(fake_wait_rows(100));
    assert_int_equal(
        put("snk", "{\"connector.class\":\"FakeSink\",\"topics\":\"t0\",\"tasks.max\":\"3\"}", SL_PUT_ANY),
        SL_ANSWER_OK);
    wait_states("snk", "RUNNING,RUNNING,RUNNING,RUNNING");
    sl_herder_task_configs(herder, "snk", &answer);
    assert_int_equal(json_array_size(answer.body), 3);
    sl_answer_done(&answer);
    assert_int_equal(
        put("snk", "{\"connector.class\":\"FakeSink\",\"topics\":\"t0\",\"tasks.max\":\"1\"}", SL_PUT_ANY),
        SL_ANSWER_OK);
    wait_states("snk", "RUNNING,RUNNING");
    grow_source(200);
    assert_true(fake_wait_rows(200));
    assert_int_equal(rows_now(), 200);
    end();
}

static void a_restart_takes_up_where_the_task_was(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    wait_states("src", "RUNNING,RUNNING");
    wait_states("snk", "RUNNING,RUNNING");
    for (int64_t records = 200; records <= 600; records += 100) {
        grow_source(records);
        sl_herder_restart(herder, records % 200 ? "src" : "snk", true, false, &answer);
        assert_int_equal(answer.status, SL_ANSWER_ACCEPTED);
        assert_string_equal(
            json_string_value(json_object_get(json_object_get(answer.body, "connector"), "state")),
            "RESTARTING");
        sl_answer_done(&answer);
        sl_herder_restart_task(herder, "src", 0, &answer);
        assert_int_equal(status_of(&answer), SL_ANSWER_NO_CONTENT);
    }
    assert_true(fake_wait_rows(600));
    assert_int_equal(rows_now(), 600);
    sl_herder_restart_task(herder, "src", 1, &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NOT_FOUND);
    sl_herder_restart(herder, "nobody", true, false, &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NOT_FOUND);
    end();
}

static void a_failed_task_is_started_again_by_itself(void **state)
{
    (void)state;
    begin(100);
    fake_worker_set("sluice.restart.backoff.ms", "10");
    again();
    put_source();
    world.faults.bad_value = "57";
    put_sink();
    wait_states("snk", "RUNNING,FAILED");
    assert_true(fake_wait_rows(57));
    (void)pthread_mutex_lock(&world.lock);
    world.faults.bad_value = NULL; /* the user has mended it */
    (void)pthread_mutex_unlock(&world.lock);
    assert_true(fake_wait_rows(100));
    wait_states("snk", "RUNNING,RUNNING");
    assert_int_equal(rows_now(), 100);
    end();
}

static void a_task_that_goes_on_failing_stays_failed_until_someone_restarts_it(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(100);
    fake_worker_set("sluice.restart.attempts", "0");
    again();
    put_source();
    world.faults.bad_value = "57";
    put_sink();
    wait_states("snk", "RUNNING,FAILED");
    sl_herder_task_status(herder, "snk", 0, &answer);
    assert_non_null(strstr(json_string_value(json_object_get(answer.body, "trace")), "offset 57"));
    sl_answer_done(&answer);
    (void)pthread_mutex_lock(&world.lock);
    world.faults.bad_value = NULL;
    (void)pthread_mutex_unlock(&world.lock);
    assert_int_equal(rows_now(), 57);
    sl_herder_restart(herder, "snk", true, true, &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(100));
    end();
}

static void a_sink_that_hangs_is_let_go_after_the_graceful_time(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(100);
    fake_worker_set("task.shutdown.graceful.timeout.ms", "50");
    again();
    put_source();
    world.faults.sink_hangs = true;
    put_sink();
    wait_states("snk", "RUNNING,RUNNING");
    sl_herder_delete(herder, "snk", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NO_CONTENT);
    wait_states("snk", "");
    (void)pthread_mutex_lock(&world.lock);
    world.faults.sink_hangs = false;
    (void)pthread_mutex_unlock(&world.lock);
    put_sink();
    assert_true(fake_wait_rows(100));
    assert_int_equal(rows_now(), 100);
    end();
}

static size_t count_connectors(void)
{
    struct sl_answer answer;
    size_t n;

    sl_herder_names(herder, &answer);
    n = json_array_size(answer.body);
    sl_answer_done(&answer);
    return n;
}

static void connectors_of_files_go_with_their_files_and_those_of_rest_stay(void **state)
{
    (void)state;
    begin(1);
    fake_stop(herder);
    start_with_file_of("filed", "t1");
    wait_states("filed", "RUNNING,RUNNING");
    put_source();
    fake_stop(herder);
    start_with_file_of("other", "t2");
    wait_states("src", "RUNNING,RUNNING");
    wait_states("other", "RUNNING,RUNNING");
    assert_int_equal(count_connectors(), 2);
    again(); /* without files: everything that is known */
    wait_states("other", "RUNNING,RUNNING");
    wait_states("src", "RUNNING,RUNNING");
    end();
}

static void in_a_group_a_worker_removes_no_connector_of_anothers_files(void **state)
{
    (void)state;
    begin(1);
    fake_stop(herder);
    fake_worker_set("bootstrap.servers", "broker:9092");
    fake_worker_set("group.id", "warehouse");
    start_with_file_of("filed", "t1");
    wait_states("filed", "RUNNING,RUNNING");
    fake_stop(herder);
    start_with_file_of("other", "t2");
    wait_states("other", "RUNNING,RUNNING");
    assert_int_equal(count_connectors(), 2);
    end();
}

static void connects_standalone_file_means_that_only_files_count(void **state)
{
    (void)state;
    begin(1);
    put_source();
    fake_stop(herder);
    fake_worker_set("offset.storage.file.filename", "/tmp/connect.offsets");
    start_with_file_of("filed", "t1");
    assert_int_equal(count_connectors(), 1);
    wait_states("filed", "RUNNING,RUNNING");
    end();
}

static void topics_that_are_used_are_told(void **state)
{
    struct sl_answer answer;
    size_t n;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_true(fake_wait_rows(100));
    do {
        sl_herder_active_topics(herder, "snk", &answer);
        n = json_array_size(json_object_get(json_object_get(answer.body, "snk"), "topics"));
        sl_answer_done(&answer);
        (void)usleep(2000);
    } while (!n);
    sl_herder_reset_topics(herder, "snk", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_ACCEPTED);
    sl_herder_active_topics(herder, "snk", &answer);
    assert_int_equal(json_array_size(json_object_get(json_object_get(answer.body, "snk"), "topics")), 0);
    sl_answer_done(&answer);
    end();
}

static void a_request_after_the_stop_is_refused_and_a_ping_answered(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(1);
    sl_herder_ping(herder, 10 * INT64_C(1000000), &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_OK);
    assert_true(sl_herder_stop(herder, sl_now_us() + 10 * INT64_C(1000000)));
    assert_int_equal(put("src", "{\"connector.class\":\"FakeSource\"}", SL_PUT_ANY), SL_ANSWER_CONFLICT);
    sl_herder_free(herder);
}

static void levels_of_loggers_are_shown_and_set(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(1);
    sl_herder_set_logger(herder, "root", "WARN", false, &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_OK);
    sl_herder_logger(herder, "root", &answer);
    assert_string_equal(json_string_value(json_object_get(answer.body, "level")), "WARN");
    sl_answer_done(&answer);
    sl_herder_set_logger(herder, "root", "error", true, &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NO_CONTENT);
    sl_herder_loggers(herder, &answer);
    assert_string_equal(json_string_value(json_object_get(json_object_get(answer.body, "root"), "level")),
                        "ERROR");
    sl_answer_done(&answer);
    sl_herder_set_logger(herder, "root", "loud", false, &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NOT_FOUND);
    end();
}

/* ---- offsets ---- */

static void wait_offset(const char *name, json_int_t expected)
{
    int64_t deadline_us = sl_now_us() + 30 * INT64_C(1000000);
    const json_t *entry;
    json_int_t offset;

    do {
        struct sl_answer answer;

        sl_herder_offsets(herder, name, &answer);
        entry = json_object_get(json_array_get(json_object_get(answer.body, "offsets"), 0), "offset");
        offset = json_is_object(entry) ? json_integer_value(json_object_get(entry, "kafka_offset"))
                 : entry               ? json_integer_value(entry)
                                       : -1;
        sl_answer_done(&answer);
        if (sl_now_us() > deadline_us)
            fail_msg("the offset of %s is %lld, not %lld", name, (long long)offset, (long long)expected);
        (void)usleep(2000);
    } while (offset != expected);
}

static enum sl_answer_status alter(const char *name, const char *offsets)
{
    struct sl_answer answer;

    sl_herder_alter_offsets(herder, name, config(offsets), &answer);
    return status_of(&answer);
}

static void stop_connector(const char *name)
{
    assert_int_equal(target(name, SL_TARGET_STOPPED), SL_ANSWER_NO_CONTENT);
    wait_states(name, "STOPPED");
}

#define SINK_AT(offset_) \
    "[{\"partition\":{\"kafka_topic\":\"t0\",\"kafka_partition\":0},\"offset\":" offset_ "}]"

static void a_sinks_position_is_moved_in_the_target_too(void **state)
{
    struct sl_answer answer;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_true(fake_wait_rows(100));
    wait_offset("snk", 100);
    assert_int_equal(alter("snk", SINK_AT("{\"kafka_offset\":40}")), SL_ANSWER_BAD_REQUEST); /* it runs */
    stop_connector("snk");
    assert_int_equal(alter("snk", SINK_AT("{\"kafka_offset\":101}")), SL_ANSWER_BAD_REQUEST);
    assert_int_equal(alter("snk", SINK_AT("{\"kafka_offset\":-1}")), SL_ANSWER_BAD_REQUEST);
    assert_int_equal(alter("snk", SINK_AT("{\"offset\":1}")), SL_ANSWER_BAD_REQUEST);
    assert_int_equal(alter("snk", "[{\"partition\":{\"kafka_topic\":\"t7\",\"kafka_partition\":0},"
                                  "\"offset\":null}]"),
                     SL_ANSWER_BAD_REQUEST);
    assert_int_equal(alter("snk", "[]"), SL_ANSWER_BAD_REQUEST);
    assert_int_equal(alter("snk", SINK_AT("{\"kafka_offset\":\"40\"}")), SL_ANSWER_OK);
    wait_offset("snk", 40);
    assert_int_equal(target("snk", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(160));
    assert_int_equal(rows_now(), 160);
    stop_connector("snk");
    sl_herder_reset_offsets(herder, "snk", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_OK);
    assert_int_equal(target("snk", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(260));
    assert_int_equal(rows_now(), 260);
    end();
}

static void a_sources_position_is_moved_and_begins_a_new_incarnation(void **state)
{
    struct sl_answer answer;
    char *before;
    char *after;

    (void)state;
    begin(100);
    put_source();
    put_sink();
    assert_true(fake_wait_rows(100));
    stop_connector("src");
    wait_offset("src", 100);
    before = fake_text("incarnations", "src\n{\"db\":\"fake\"}");
    assert_int_equal(alter("src", "[{\"partition\":{\"db\":\"fake\"},\"offset\":{}}]"), SL_ANSWER_OK);
    assert_null(fake_text("incarnations", "src\n{\"db\":\"fake\"}"));
    sl_herder_reset_offsets(herder, "src", &answer);
    assert_string_equal(json_string_value(json_object_get(answer.body, "message")),
                        "The offsets for this connector have been reset successfully");
    sl_answer_done(&answer);
    wait_offset("src", -1);
    assert_int_equal(target("src", SL_TARGET_STARTED), SL_ANSWER_ACCEPTED);
    assert_true(fake_wait_rows(200));
    after = fake_text("incarnations", "src\n{\"db\":\"fake\"}");
    assert_string_not_equal(before, after);
    sl_free(before);
    sl_free(after);
    sl_herder_reset_offsets(herder, "nobody", &answer);
    assert_int_equal(status_of(&answer), SL_ANSWER_NOT_FOUND);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connectors_come_and_run_while_the_process_does),
        cmocka_unit_test(names_are_taken_once_and_wrong_configurations_are_refused),
        cmocka_unit_test(a_patch_merges_and_null_removes),
        cmocka_unit_test(a_paused_sink_applies_nothing_and_a_paused_source_reads_nothing),
        cmocka_unit_test(while_a_group_is_silent_sinks_go_on_and_sources_without_an_id_wait),
        cmocka_unit_test(while_a_group_is_silent_no_task_is_started_again),
        cmocka_unit_test(who_runs_a_task_has_the_last_word_on_it),
        cmocka_unit_test(a_stopped_connector_has_no_tasks_until_it_is_resumed),
        cmocka_unit_test(states_and_connectors_outlive_the_process),
        cmocka_unit_test(a_deleted_connector_ends_and_the_others_run_on),
        cmocka_unit_test(a_changed_configuration_restarts_only_its_own_connector),
        cmocka_unit_test(a_restart_takes_up_where_the_task_was),
        cmocka_unit_test(a_failed_task_is_started_again_by_itself),
        cmocka_unit_test(a_task_that_goes_on_failing_stays_failed_until_someone_restarts_it),
        cmocka_unit_test(a_sink_that_hangs_is_let_go_after_the_graceful_time),
        cmocka_unit_test(connectors_of_files_go_with_their_files_and_those_of_rest_stay),
        cmocka_unit_test(in_a_group_a_worker_removes_no_connector_of_anothers_files),
        cmocka_unit_test(connects_standalone_file_means_that_only_files_count),
        cmocka_unit_test(topics_that_are_used_are_told),
        cmocka_unit_test(a_request_after_the_stop_is_refused_and_a_ping_answered),
        cmocka_unit_test(levels_of_loggers_are_shown_and_set),
        cmocka_unit_test(a_sinks_position_is_moved_in_the_target_too),
        cmocka_unit_test(a_sources_position_is_moved_and_begins_a_new_incarnation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
