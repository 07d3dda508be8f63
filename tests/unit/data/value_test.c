/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "data/schema_build.h"
#include "data/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void absent_null_and_empty_are_three_things(void **state)
{
    struct sl_value absent = {0};

    (void)state;
    assert_false(sl_value_equal(absent, sl_null()));
    assert_false(sl_value_equal(sl_null(), sl_text("")));
    assert_true(sl_is_null(absent) && sl_is_null(sl_null()) && !sl_is_null(sl_text("")));
}

static void equality_asks_for_the_same_bytes(void **state)
{
    (void)state;
    assert_true(sl_value_equal(sl_float(SL_FLOAT64, NAN), sl_float(SL_FLOAT64, -NAN)));
    assert_false(sl_value_equal(sl_float(SL_FLOAT64, 0.0), sl_float(SL_FLOAT64, -0.0)));
    assert_false(sl_value_equal(sl_int(SL_INT32, 1), sl_int(SL_INT64, 1)));
    assert_false(sl_value_equal(sl_text("a"), sl_bytes(SL_BYTES, "a", 1)));
    assert_false(sl_value_equal(sl_text("ab"), sl_text("abc")));
    assert_int_equal(sl_value_hash(7, sl_float(SL_FLOAT64, NAN)),
                     sl_value_hash(7, sl_float(SL_FLOAT64, -NAN)));
}

static void maps_compare_keys_and_values(void **state)
{
    const struct sl_value a[] = {sl_text("k"), sl_int(SL_INT32, 1)};
    const struct sl_value b[] = {sl_text("k"), sl_int(SL_INT32, 2)};

    (void)state;
    assert_true(sl_value_equal(sl_items(SL_MAP, a, 1), sl_items(SL_MAP, a, 1)));
    assert_false(sl_value_equal(sl_items(SL_MAP, a, 1), sl_items(SL_MAP, b, 1)));
    assert_false(sl_value_equal(sl_items(SL_MAP, a, 1), sl_items(SL_ARRAY, a, 1)));
}

static void a_copy_owns_everything(void **state)
{
    struct sl_arena *arena = sl_arena_new(1024);
    char text[] = "text";
    struct sl_value inner[] = {sl_text(text), sl_null()};
    struct sl_value outer[] = {sl_items(SL_MAP, inner, 1), sl_int(SL_INT8, -1)};
    struct sl_value copy = sl_value_copy(arena, sl_items(SL_STRUCT, outer, 2));

    (void)state;
    text[0] = 'n';
    inner[1] = sl_bool(true);
    outer[1] = sl_null();
    assert_memory_equal(copy.items[0].items[0].bytes, "text", 4);
    assert_int_equal(copy.items[0].items[1].tag, SL_NULL);
    assert_int_equal(copy.items[1].i, -1);
    sl_arena_free(arena);
}

static void a_value_that_does_not_fit_names_its_field(void **state)
{
    struct sl_struct_builder b = {.name = "s"};
    const struct sl_schema *schema;
    struct sl_value fields[2] = {sl_int(SL_INT16, 40000), sl_null()};
    struct sl_error err;

    (void)state;
    sl_struct_add(&b, "small", sl_schema_plain(SL_INT16, false));
    sl_struct_add(&b, "name", sl_schema_plain(SL_STRING, false));
    schema = sl_struct_end(&b, false);
    assert_int_equal(sl_value_check(schema, sl_items(SL_STRUCT, fields, 2), &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "'small'"));
    fields[0].i = 4000;
    assert_int_equal(sl_value_check(schema, sl_items(SL_STRUCT, fields, 2), &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "'name'"));
    fields[1] = sl_text("x");
    assert_int_equal(sl_value_check(schema, sl_items(SL_STRUCT, fields, 2), &err), SL_OK);
    assert_int_equal(sl_value_check(schema, sl_items(SL_STRUCT, fields, 1), &err), SL_E_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_null_and_empty_are_three_things),
        cmocka_unit_test(equality_asks_for_the_same_bytes),
        cmocka_unit_test(maps_compare_keys_and_values),
        cmocka_unit_test(a_copy_owns_everything),
        cmocka_unit_test(a_value_that_does_not_fit_names_its_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
