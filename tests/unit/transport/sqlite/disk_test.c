/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that are full or fail. Whichever write or sync fails: an append that was refused has left nothing,
 * one that was accepted is there, what was durable stays readable, and once the disk is well it goes on.
 */
#include "workplace.h"

#include "faulty_vfs.h"
#include "transport/sqlite/sqlite.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { APPENDS = 5 };

static int make_on_faulty_disk(void **state)
{
    faulty_install();
    faulty_heal();
    return workplace_make(state);
}

static int remove_from_faulty_disk(void **state)
{
    faulty_heal();
    return workplace_remove(state);
}

/* Append number n: three records over two topics and the position "n". */
static enum sl_rc append_number(struct workplace *place, int n)
{
    struct sl_log_record records[3];
    char keys[3][16];
    char position[16];
    struct sl_source_offset offset = {.connector = "c", .partition = span_of("p")};
    struct sl_append append = {.records = records, .n_records = 3, .offsets = &offset, .n_offsets = 1};

    for (int i = 0; i < 3; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%d.%d", n, i);
        records[i] = record_of(i == 1 ? "b" : "a", keys[i], "v");
    }
    (void)snprintf(position, sizeof(position), "%d", n);
    offset.offset = span_of(position);
    return place->log->ops->append(place->log, &append, &place->err);
}

/* The log holds exactly these appends, in this order, and the position of the last. */
static void expect(struct workplace *place, const int *numbers, int n)
{
    struct sl_log_reader *reader = reader_from(place, "look", -1, "a", "b", NULL);
    char *text = NULL;
    int seen = 0;

    for (;;) {
        struct sl_fetched got = fetch_now(place, reader);

        if (got.n_records == 0)
            break;
        for (size_t i = 0; i < got.n_records; i++, seen++) {
            char key[16];

            assert_true(seen < n * 3);
            (void)snprintf(key, sizeof(key), "%d.%d", numbers[seen / 3], seen % 3);
            assert_int_equal(got.records[i].key.len, strlen(key));
            assert_memory_equal(got.records[i].key.ptr, key, strlen(key));
        }
    }
    close_reader(place, reader);
    assert_int_equal(seen, n * 3);
    assert_int_equal(place->log->ops->source_offset(place->log, "c", span_of("p"), &text, &place->err),
                     SL_OK);
    if (n == 0) {
        assert_null(text);
    } else {
        assert_non_null(text);
        assert_int_equal(atoi(text), numbers[n - 1]);
    }
    free(text);
}

static void expect_refusal(const struct workplace *place, enum sl_rc rc, bool full)
{
    assert_int_equal(rc, full ? SL_E_LOG_FULL : SL_E_IO);
    assert_non_null(strstr(place->err.text, "HINT:"));
    assert_non_null(strstr(place->err.native, "SQLITE"));
}

/* One short life with a fault at the n-th operation. Returns false when the fault did not come about. */
static bool live_with_fault(int n, int code, bool lasting)
{
    bool full = (code & 0xff) == SQLITE_FULL;
    struct workplace *place;
    void *state = NULL;
    int done[APPENDS + 2];
    int n_done = 0;
    bool came;
    enum sl_rc rc;

    (void)make_on_faulty_disk(&state);
    place = state;
    if (lasting)
        faulty_fail_at(n, code);
    else
        faulty_fail_once(n, code);
    rc = sl_transport_sqlite.open(place->props, false, &place->log, &place->err);
    if (rc) {
        place->log = NULL;
        expect_refusal(place, rc, full);
        faulty_heal();
        workplace_open(place); /* a half-made file is no obstacle */
    }
    for (int i = 0; i < APPENDS; i++) {
        rc = append_number(place, i);
        if (rc)
            expect_refusal(place, rc, full);
        else
            done[n_done++] = i;
    }
    came = faulty_count() >= n;
    faulty_heal();
    expect(place, done, n_done);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(append_number(place, 100 + i), SL_OK);
        done[n_done++] = 100 + i;
    }
    expect(place, done, n_done);
    workplace_reopen(place);
    expect(place, done, n_done);
    (void)remove_from_faulty_disk(&state);
    return came;
}

static void fail_each(int code, bool lasting)
{
    int n = 1;

    while (live_with_fault(n, code, lasting))
        n++;
    assert_in_range(n, 20, 1000);
}

static void whichever_operation_finds_the_disk_full_nothing_is_lost(void **state)
{
    (void)state;
    fail_each(SQLITE_FULL, true);
    fail_each(SQLITE_FULL, false);
}

static void whichever_write_fails_nothing_is_lost(void **state)
{
    (void)state;
    fail_each(SQLITE_IOERR_WRITE, true);
    fail_each(SQLITE_IOERR_WRITE, false);
}

static void whichever_sync_fails_nothing_is_lost(void **state)
{
    (void)state;
    fail_each(SQLITE_IOERR_FSYNC, false);
}

static void on_a_full_disk_what_is_there_stays_readable(void **state)
{
    struct workplace *place = *state;
    int done[2000];
    int n_done = 0;
    enum sl_rc rc = SL_OK;

    workplace_open(place);
    faulty_limit(300000);
    while (rc == SL_OK && n_done < 1999) {
        rc = append_number(place, n_done);
        if (rc == SL_OK) {
            done[n_done] = n_done;
            n_done++;
        }
    }
    assert_int_equal(rc, SL_E_LOG_FULL);
    assert_int_equal(place->err.kind, SL_KIND_TRANSIENT);
    assert_non_null(strstr(place->err.text, "disk"));
    faulty_limit(INT64_MAX);
    expect(place, done, n_done);
    assert_int_equal(append_number(place, 5000), SL_OK);
    done[n_done++] = 5000;
    expect(place, done, n_done);
    workplace_reopen(place);
    expect(place, done, n_done);
}

static void a_limit_on_file_sizes_refuses_appends_and_loses_nothing(void **state)
{
    struct workplace *place = *state;
    struct rlimit before;
    struct rlimit small = {.rlim_cur = 200000};
    int done[2000];
    int n_done = 0;
    enum sl_rc rc = SL_OK;

    (void)signal(SIGXFSZ, SIG_IGN);
    workplace_open(place);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (rc == SL_OK && n_done < 1999) {
        rc = append_number(place, n_done);
        if (rc == SL_OK) {
            done[n_done] = n_done;
            n_done++;
        }
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_refusal(place, rc, false); /* SQLite tells a full disk apart by ENOSPC, not by EFBIG */
    expect(place, done, n_done);
    assert_int_equal(append_number(place, 5000), SL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_operation_finds_the_disk_full_nothing_is_lost),
        cmocka_unit_test(whichever_write_fails_nothing_is_lost),
        cmocka_unit_test(whichever_sync_fails_nothing_is_lost),
        cmocka_unit_test_setup_teardown(on_a_full_disk_what_is_there_stays_readable, make_on_faulty_disk,
                                        remove_from_faulty_disk),
        cmocka_unit_test_setup_teardown(a_limit_on_file_sizes_refuses_appends_and_loses_nothing,
                                        workplace_make, workplace_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
