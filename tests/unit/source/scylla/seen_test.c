/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/seen.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t stream[16] = {0x7f, 0xb9, 0xf7, 0x81, 0x95, 0x6c, 0xea, 0x08,
                                   0xc6, 0x51, 0x29, 0x57, 0x20, 0,    0,    1};
static const uint8_t other[16] = {0x00, 0xc0, 0, 0, 0, 0, 0, 0, 0xc2, 0x98, 0xb9, 0xf1, 0x68, 0, 0, 0x11};

/* A version 1 UUID of that time. */
static struct sl_seen_group group_at(const uint8_t *of, uint64_t ticks, uint8_t salt)
{
    uint8_t time[16] = {0};

    for (int i = 0; i < 4; i++)
        time[i] = (uint8_t)(ticks >> (24 - 8 * i));
    time[4] = (uint8_t)(ticks >> 40);
    time[5] = (uint8_t)(ticks >> 32);
    time[6] = (uint8_t)(0x10 | (ticks >> 56 & 0x0f));
    time[7] = (uint8_t)(ticks >> 48);
    time[15] = salt;
    return sl_seen_group_of(of, time);
}

static const uint64_t base = 139000000000000000u;

static void a_group_is_known_by_its_stream_its_time_and_its_random_half(void **state)
{
    struct sl_seen seen = {.n_tasks = 1};

    (void)state;
    assert_int_equal(group_at(stream, base, 1).ticks, base);
    sl_seen_add(&seen, group_at(stream, base, 1));
    assert_true(sl_seen_has(&seen, group_at(stream, base, 1)));
    assert_false(sl_seen_has(&seen, group_at(stream, base, 2)));
    assert_false(sl_seen_has(&seen, group_at(other, base, 1)));
    assert_false(sl_seen_has(&seen, group_at(stream, base + 1, 1)));
    sl_seen_done(&seen);
}

static void many_groups_over_many_seconds_are_all_known(void **state)
{
    struct sl_seen seen = {.n_tasks = 1};

    (void)state;
    for (uint64_t i = 0; i < 20000; i++)
        sl_seen_add(&seen, group_at(stream, base + (i * 7919 % 20000) * 1000003, (uint8_t)i));
    assert_int_equal(seen.n_groups, 20000);
    for (uint64_t i = 0; i < 20000; i++)
        assert_true(sl_seen_has(&seen, group_at(stream, base + (i * 7919 % 20000) * 1000003, (uint8_t)i)));
    sl_seen_done(&seen);
}

static void a_restart_knows_what_was_stored_with_the_events_and_nothing_else(void **state)
{
    struct sl_batch *batch = sl_batch_new(4096);
    struct sl_seen before = {.n_tasks = 1};
    struct sl_seen after = {.n_tasks = 1};

    (void)state;
    sl_seen_add(&before, group_at(stream, base, 1));
    sl_seen_add(&before, group_at(other, base + 5, 1));
    sl_seen_store(&before, batch);
    sl_seen_add(&before, group_at(stream, base + 9, 1)); /* not stored: lost in the crash */
    assert_int_equal(batch->n_notes, 1);
    assert_true(sl_seen_load(&after, &batch->notes[0]));
    assert_true(sl_seen_has(&after, group_at(stream, base, 1)));
    assert_true(sl_seen_has(&after, group_at(other, base + 5, 1)));
    assert_false(sl_seen_has(&after, group_at(stream, base + 9, 1)));
    sl_seen_add(&after, group_at(stream, base + 9, 1));
    sl_seen_store(&after, batch);
    assert_memory_not_equal(batch->notes[0].key.ptr, batch->notes[1].key.ptr, batch->notes[0].key.len);
    sl_seen_done(&before);
    sl_seen_done(&after);
    sl_batch_free(batch);
}

static void what_no_pass_reads_again_is_dropped_from_memory_and_notes(void **state)
{
    struct sl_batch *batch = sl_batch_new(4096);
    struct sl_seen seen = {.n_tasks = 1};

    (void)state;
    sl_seen_add(&seen, group_at(stream, base, 1));
    sl_seen_store(&seen, batch);
    sl_seen_add(&seen, group_at(stream, base + 10000000000u, 1));
    sl_seen_store(&seen, batch);
    sl_batch_reset(batch);
    sl_seen_drop(&seen, base + 9000000000u, batch);
    assert_int_equal(batch->n_notes, 1);
    assert_null(batch->notes[0].value.ptr);
    assert_false(sl_seen_has(&seen, group_at(stream, base, 1)));
    assert_true(sl_seen_has(&seen, group_at(stream, base + 10000000000u, 1)));
    assert_int_equal(seen.n_groups, 1);
    sl_seen_done(&seen);
    sl_batch_free(batch);
}

static void malformed_notes_are_refused(void **state)
{
    struct sl_seen seen = {.n_tasks = 1};
    const uint8_t key[10] = {'e', 1};
    const uint8_t value[40] = {0};

    (void)state;
    assert_false(sl_seen_load(&seen, &(struct sl_note){{key, 9}, {value, 24}}));
    assert_false(sl_seen_load(&seen, &(struct sl_note){{key, 10}, {value, 7}}));
    assert_false(sl_seen_load(&seen, &(struct sl_note){{key, 10}, {value, 25}}));
    assert_false(sl_seen_load(&seen, &(struct sl_note){{key, 10}, {value, 24}})); /* a group of no time */
    assert_false(sl_seen_load(&seen, &(struct sl_note){{value, 10}, {value, 24}}));
    sl_seen_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_known_by_its_stream_its_time_and_its_random_half),
        cmocka_unit_test(many_groups_over_many_seconds_are_all_known),
        cmocka_unit_test(a_restart_knows_what_was_stored_with_the_events_and_nothing_else),
        cmocka_unit_test(what_no_pass_reads_again_is_dropped_from_memory_and_notes),
        cmocka_unit_test(malformed_notes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
