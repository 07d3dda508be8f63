/* SPDX-License-Identifier: Apache-2.0 */
/* A worker writes, other processes read beside it. */
#include "workplace.h"

#include "base/clock.h"
#include "transport/sqlite/sqlite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { APPENDS = 200, PER_APPEND = 5, READERS = 2 };

static void wait_for_go(int go)
{
    char byte;

    if (read(go, &byte, 1) != 1)
        _exit(9);
}

/* A reader process: every record in order, by waiting fetches, until all have come. Exit status 0: all well.
 */
static void read_beside(struct workplace *place, int go)
{
    struct sl_progress start[2] = {{.topic = topic_of("a"), .next_offset = -1},
                                   {.topic = topic_of("b"), .next_offset = -1}};
    struct sl_transport *log;
    struct sl_log_reader *reader;
    int next = 0;

    wait_for_go(go);
    if (sl_transport_sqlite.open(place->props, true, &log, &place->err) != SL_OK)
        _exit(1);
    if (log->ops->reader_open(log, "beside", start, 2, &reader, &place->err) != SL_OK)
        _exit(2);
    while (next < APPENDS * PER_APPEND) {
        struct sl_fetched got;

        sl_arena_reset(place->arena);
        if (log->ops->fetch(reader, 1 << 20, 100, sl_now_us() + 30000000, place->arena, &got, &place->err) !=
            SL_OK)
            _exit(3);
        if (got.n_records == 0)
            _exit(4);
        for (size_t i = 0; i < got.n_records; i++) {
            char key[16];
            int len = snprintf(key, sizeof(key), "%d", next++);

            if (got.records[i].key.len != (size_t)len ||
                memcmp(got.records[i].key.ptr, key, (size_t)len) != 0)
                _exit(5);
        }
    }
    log->ops->reader_close(reader);
    log->ops->close(log);
    _exit(0);
}

static void append_numbers(struct workplace *place)
{
    for (int n = 0; n < APPENDS; n++) {
        struct sl_log_record records[PER_APPEND];
        char keys[PER_APPEND][16];

        for (int i = 0; i < PER_APPEND; i++) {
            (void)snprintf(keys[i], sizeof(keys[i]), "%d", n * PER_APPEND + i);
            records[i] = record_of((n + i) % 4 ? "a" : "b", keys[i], "v");
        }
        append_all(place, records, PER_APPEND);
    }
}

/* Children are born before any SQLite file is open here: its locks do not survive a fork. */
static pid_t start_child(struct workplace *place, void (*work)(struct workplace *, int), int *ret_go)
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        (void)close(ends[1]);
        work(place, ends[0]);
    }
    (void)close(ends[0]);
    *ret_go = ends[1];
    return child;
}

static void expect_success(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void readers_of_other_processes_see_everything_in_order(void **state)
{
    struct workplace *place = *state;
    pid_t children[READERS];
    int go[READERS];

    for (int i = 0; i < READERS; i++)
        children[i] = start_child(place, read_beside, &go[i]);
    workplace_open(place);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(write(go[i], "g", 1), 1);
    append_numbers(place);
    for (int i = 0; i < READERS; i++) {
        expect_success(children[i]);
        (void)close(go[i]);
    }
}

static void write_until_killed(struct workplace *place, int go)
{
    wait_for_go(go);
    if (sl_transport_sqlite.open(place->props, false, &place->log, &place->err) != SL_OK)
        _exit(1);
    append_numbers(place);
    (void)kill(getpid(), SIGKILL); /* the write-ahead log stays as it is */
}

static void a_log_whose_writer_was_killed_can_be_read(void **state)
{
    struct workplace *place = *state;
    int writer_go;
    int reader_go;
    pid_t reader = start_child(place, read_beside, &reader_go);
    pid_t writer = start_child(place, write_until_killed, &writer_go);
    int status;

    assert_int_equal(write(writer_go, "g", 1), 1);
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(write(reader_go, "g", 1), 1);
    expect_success(reader);
    (void)close(writer_go);
    (void)close(reader_go);
    workplace_open(place); /* the lock went with the process */
    assert_true(next_offset(place, "a") + next_offset(place, "b") == APPENDS * PER_APPEND);
}

static void try_to_write(struct workplace *place, int go)
{
    char holder[40];

    wait_for_go(go);
    if (sl_transport_sqlite.open(place->props, false, &place->log, &place->err) != SL_E_BUSY)
        _exit(1);
    (void)snprintf(holder, sizeof(holder), "process %ld holds", (long)getppid());
    _exit(strstr(place->err.text, holder) ? 0 : 2);
}

static void a_second_writing_process_is_told_who_the_first_is(void **state)
{
    struct workplace *place = *state;
    int go;
    pid_t child = start_child(place, try_to_write, &go);

    workplace_open(place);
    assert_int_equal(write(go, "g", 1), 1);
    expect_success(child);
    (void)close(go);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, workplace_make, workplace_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(readers_of_other_processes_see_everything_in_order),
        PLACE_TEST(a_log_whose_writer_was_killed_can_be_read),
        PLACE_TEST(a_second_writing_process_is_told_who_the_first_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
