/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void nothing_at_all_still_has_an_address(void **state)
{
    struct sl_arena *arena = sl_arena_new(1024);
    void *first = sl_arena_alloc(arena, 0);

    (void)state;
    assert_non_null(first);
    for (int i = 0; i < 100000; i++)
        assert_non_null(sl_arena_alloc(arena, 0));
    assert_int_equal(sl_arena_used(arena), 0);
    sl_arena_free(arena);
}

static void pieces_are_aligned_and_apart(void **state)
{
    struct sl_arena *arena = sl_arena_new(1024);
    uint8_t *last = sl_arena_alloc(arena, 1);

    (void)state;
    for (size_t size = 1; size < 3000; size += 7) {
        uint8_t *piece = sl_arena_alloc(arena, size);

        assert_int_equal((uintptr_t)piece % 8, 0);
        *last = 1;
        memset(piece, 2, size);
        assert_int_equal(*last, 1);
        last = piece;
    }
    sl_arena_reset(arena);
    assert_int_equal(sl_arena_used(arena), 0);
    assert_non_null(sl_arena_alloc(arena, 1024));
    sl_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_at_all_still_has_an_address),
        cmocka_unit_test(pieces_are_aligned_and_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
