/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/revisit_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct sl_span table = {(const uint8_t *)"shop.orders", 11};

static struct sl_buf note_of(int64_t due_us, enum sl_revisit_scope scope, const char *key)
{
    struct sl_revisit revisit = {due_us, scope, table, {(const uint8_t *)key, strlen(key)}};
    struct sl_buf out = {0};

    sl_revisit_put(&out, &revisit);
    return out;
}

static void a_revisit_comes_back_as_it_was_put(void **state)
{
    struct sl_buf note = note_of(1760000000123456, SL_REVISIT_PARTITION, "key");
    struct sl_revisit back;

    (void)state;
    assert_true(sl_revisit_read((struct sl_span){note.data, note.len}, &back));
    assert_int_equal(back.due_us, 1760000000123456);
    assert_int_equal(back.scope, SL_REVISIT_PARTITION);
    assert_int_equal(back.table.len, 11);
    assert_memory_equal(back.table.ptr, "shop.orders", 11);
    assert_int_equal(back.key.len, 3);
    assert_memory_equal(back.key.ptr, "key", 3);
    sl_buf_done(&note);
}

static int order(const struct sl_buf *note, struct sl_span bound)
{
    return memcmp(note->data, bound.ptr, bound.len < note->len ? bound.len : note->len);
}

static void what_is_due_lies_below_the_bound_and_what_is_not_above(void **state)
{
    struct sl_buf before = note_of(999, SL_REVISIT_ROW, "zzz");
    struct sl_buf now = note_of(1000, SL_REVISIT_ROW, "zzz");
    struct sl_buf later = note_of(1001, SL_REVISIT_ROW, "");
    uint8_t bytes[SL_REVISIT_BOUND_SIZE];
    struct sl_span bound = sl_revisit_bound(1000, bytes);

    (void)state;
    assert_true(order(&before, bound) < 0);
    assert_true(order(&now, bound) < 0);
    assert_true(order(&later, bound) >= 0);
    sl_buf_done(&before);
    sl_buf_done(&now);
    sl_buf_done(&later);
}

static void times_are_rounded_up_to_the_grid_and_never_down(void **state)
{
    (void)state;
    assert_int_equal(sl_revisit_due_us(1001, 1000), 2000);
    assert_int_equal(sl_revisit_due_us(2000, 1000), 2000);
    assert_int_equal(sl_revisit_due_us(1, 0), 1);
}

static void malformed_keys_are_refused_at_every_length(void **state)
{
    struct sl_buf note = note_of(5, SL_REVISIT_ROW, "");
    struct sl_revisit back;

    (void)state;
    for (size_t len = 0; len < note.len; len++)
        assert_false(sl_revisit_read((struct sl_span){note.data, len}, &back));
    note.data[10] = 9; /* no such scope */
    assert_false(sl_revisit_read((struct sl_span){note.data, note.len}, &back));
    sl_buf_done(&note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revisit_comes_back_as_it_was_put),
        cmocka_unit_test(what_is_due_lies_below_the_bound_and_what_is_not_above),
        cmocka_unit_test(times_are_rounded_up_to_the_grid_and_never_down),
        cmocka_unit_test(malformed_keys_are_refused_at_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
