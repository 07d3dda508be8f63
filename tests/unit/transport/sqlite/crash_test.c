/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that appends is killed at any moment, again and again, and the next one goes on. Every append is
 * there whole or not at all, its source position with it, and what was reported durable is never gone.
 */
#include "workplace.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 12, PER_APPEND = 7 };

/* Append number n: records n * PER_APPEND ... over two topics, position "n". */
static enum sl_rc append_number(struct workplace *place, int n)
{
    struct sl_log_record records[PER_APPEND];
    char keys[PER_APPEND][16];
    char position[16];
    static char value[3000];
    struct sl_source_offset offset = {.connector = "c", .partition = span_of("p")};
    struct sl_append append = {
        .records = records, .n_records = PER_APPEND, .offsets = &offset, .n_offsets = 1};

    memset(value, 'a' + n % 26, sizeof(value) - 1);
    for (int i = 0; i < PER_APPEND; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%d", n * PER_APPEND + i);
        records[i] = record_of((n + i) % 3 ? "a" : "b", keys[i], value);
    }
    (void)snprintf(position, sizeof(position), "%d", n);
    offset.offset = span_of(position);
    return place->log->ops->append(place->log, &append, &place->err);
}

/* The child: go on from the stored position, tell each append that is durable, until killed. */
static void work(struct workplace *place, int report)
{
    char *text = NULL;
    int n = 0;

    workplace_open(place);
    if (place->log->ops->source_offset(place->log, "c", span_of("p"), &text, &place->err) != SL_OK)
        _exit(3);
    if (text)
        n = atoi(text) + 1;
    free(text);
    for (;; n++) {
        if (append_number(place, n) != SL_OK)
            _exit(4);
        if (n % 40 == 0) { /* readers' positions and removal are in the way of the kill, too */
            struct sl_progress progress = {.topic = topic_of("b"), .next_offset = 1};

            (void)place->log->ops->commit(place->log, "r", &progress, 1, &place->err);
        }
        if (write(report, &n, sizeof(n)) != sizeof(n))
            _exit(5);
    }
}

/* Read reports until some have come, kill, read the rest. Returns the last append that was reported. */
static int run_and_kill(struct workplace *place, int reports_before)
{
    int ends[2];
    int last = -1;
    int n;
    pid_t child;
    int status;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        work(place, ends[1]);
    }
    (void)close(ends[1]);
    for (int i = 0; i < reports_before && read(ends[0], &n, sizeof(n)) == sizeof(n); i++)
        last = n;
    (void)usleep((useconds_t)(rand() % 900)); /* not a wait: a moment chosen by chance */
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ends[0], &n, sizeof(n)) == sizeof(n))
        last = n;
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return last;
}

static int stored_position(struct workplace *place)
{
    char *text = NULL;
    int n = -1;

    assert_int_equal(place->log->ops->source_offset(place->log, "c", span_of("p"), &text, &place->err),
                     SL_OK);
    if (text)
        n = atoi(text);
    free(text);
    return n;
}

static int count_in_order(struct workplace *place)
{
    struct sl_log_reader *reader = reader_from(place, "look", -1, "a", "b", NULL);
    int next = 0;

    for (;;) {
        struct sl_fetched got = fetch_now(place, reader);

        if (got.n_records == 0)
            break;
        for (size_t i = 0; i < got.n_records; i++) {
            char key[16];

            (void)snprintf(key, sizeof(key), "%d", next++);
            assert_int_equal(got.records[i].key.len, strlen(key));
            assert_memory_equal(got.records[i].key.ptr, key, strlen(key));
        }
    }
    close_reader(place, reader);
    return next;
}

static void appends_survive_a_kill_whole_or_not_at_all(void **state)
{
    struct workplace *place = *state;

    srand((unsigned)getpid());
    workplace_set(place, "sluice.log.retention.check.ms", "10");
    for (int round = 0; round < ROUNDS; round++) {
        int reported = run_and_kill(place, 1 + rand() % 60);
        int stored;

        workplace_open(place);
        stored = stored_position(place);
        assert_true(stored >= reported);
        assert_int_equal(count_in_order(place), (stored + 1) * PER_APPEND);
        workplace_close(place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appends_survive_a_kill_whole_or_not_at_all, workplace_make,
                                        workplace_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
