/* SPDX-License-Identifier: Apache-2.0 */
#include "data/schema_build.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void equal_drafts_become_one_pointer(void **state)
{
    char name[] = "a.b.Key";
    const struct sl_schema *first;
    struct sl_struct_builder b = {.name = name, .version = 2};

    (void)state;
    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    first = sl_struct_end(&b, false);
    name[0] = 'x'; /* the table keeps a copy */
    assert_string_equal(first->name, "a.b.Key");
    b = (struct sl_struct_builder){.name = "a.b.Key", .version = 2};
    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    assert_ptr_equal(sl_struct_end(&b, false), first);
}

static void any_difference_makes_another_schema(void **state)
{
    static const struct sl_parameter one[] = {{"a", "1"}, {"b", "2"}};
    static const struct sl_parameter other[] = {{"b", "2"}, {"a", "1"}};
    const struct sl_schema base = {
        .type = SL_STRING, .name = "n", .doc = "d", .parameters = one, .n_parameters = 2};
    struct sl_schema drafts[9];
    const struct sl_schema *seen[9];

    (void)state;
    for (size_t i = 0; i < 9; i++)
        drafts[i] = base;
    drafts[1].type = SL_BYTES;
    drafts[2].optional = true;
    drafts[3].name = "m";
    drafts[4].doc = NULL;
    drafts[5].has_version = true; /* version 0 is not "no version" */
    drafts[6].has_default = true;
    drafts[6].default_value = sl_text("");
    drafts[7].parameters = other;
    drafts[8].name = NULL;
    for (size_t i = 0; i < 9; i++) {
        seen[i] = sl_schema_intern(&drafts[i]);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(seen[i], seen[j]);
        assert_ptr_equal(sl_schema_intern(&drafts[i]), seen[i]);
    }
}

static void optional_knows_its_required_twin(void **state)
{
    const struct sl_schema *required = sl_schema_plain(SL_INT64, false);
    const struct sl_schema *optional = sl_schema_plain(SL_INT64, true);

    (void)state;
    assert_ptr_equal(required->required, required);
    assert_ptr_equal(optional->required, required);
    assert_ptr_equal(sl_schema_as_optional(required, true), optional);
    assert_ptr_equal(sl_schema_as_optional(optional, false), required);
}

static void a_null_default_does_not_survive_being_required(void **state)
{
    const struct sl_schema *schema = sl_schema_with_default(sl_schema_plain(SL_STRING, true), sl_null());

    (void)state;
    assert_true(schema->has_default);
    assert_false(schema->required->has_default);
}

static void names_that_mean_something_are_found_once(void **state)
{
    (void)state;
    assert_int_equal(sl_schema_named(SL_INT64, "io.debezium.time.MicroTimestamp", 1, true)->semantic,
                     SL_SEM_DBZ_MICRO_TIMESTAMP);
    assert_int_equal(sl_schema_named(SL_INT32, "io.debezium.time.Date", 1, false)->semantic, SL_SEM_DBZ_DATE);
    assert_int_equal(sl_schema_named(SL_STRING, "io.debezium.time.Date", 1, false)->semantic, SL_SEM_OTHER);
    assert_int_equal(sl_schema_named(SL_STRING, "mine", 0, false)->semantic, SL_SEM_OTHER);
    assert_int_equal(sl_schema_plain(SL_STRING, false)->semantic, SL_SEM_NONE);
}

static void a_decimal_carries_its_scale(void **state)
{
    const struct sl_schema *schema = sl_schema_decimal(-3, 19, true);

    (void)state;
    assert_int_equal(schema->semantic, SL_SEM_DECIMAL);
    assert_int_equal(schema->scale, -3);
    assert_string_equal(sl_schema_parameter(schema, "connect.decimal.precision"), "19");
    assert_int_equal(sl_schema_decimal(2, 0, false)->n_parameters, 1);
    /* A decimal whose scale cannot be read is only bytes with a name. */
    assert_int_equal(sl_schema_named(SL_BYTES, "org.apache.kafka.connect.data.Decimal", 1, false)->semantic,
                     SL_SEM_OTHER);
}

static void defaults_are_copied_deep(void **state)
{
    char text[] = "free";
    struct sl_value items[2] = {sl_text(text), sl_null()};
    const struct sl_schema *array = sl_schema_array(sl_schema_plain(SL_STRING, true), false);
    const struct sl_schema *schema = sl_schema_with_default(array, sl_items(SL_ARRAY, items, 2));
    struct sl_value again[2] = {sl_text("free"), sl_null()};

    (void)state;
    text[0] = 't';
    items[1] = sl_text("x");
    assert_true(sl_value_equal(schema->default_value, sl_items(SL_ARRAY, again, 2)));
    assert_ptr_equal(sl_schema_with_default(array, sl_items(SL_ARRAY, again, 2)), schema);
}

static void a_field_is_found_by_name_or_not_at_all(void **state)
{
    struct sl_struct_builder b = {.name = "s"};
    const struct sl_schema *schema;

    (void)state;
    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "name", sl_schema_plain(SL_STRING, true));
    schema = sl_struct_end(&b, true);
    assert_int_equal(sl_schema_field(schema, "name"), 1);
    assert_int_equal(sl_schema_field(schema, "Name"), -1);
}

#define SHARED_SCHEMAS 500

static void *intern_many(void *arg)
{
    const struct sl_schema **seen = arg;

    for (int i = 0; i < SHARED_SCHEMAS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "shared.%d", i);
        seen[i] = sl_schema_named(SL_STRING, name, 1, true);
    }
    return NULL;
}

static void threads_that_intern_at_once_get_the_same_pointers(void **state)
{
    static const struct sl_schema *seen[4][SHARED_SCHEMAS];
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, intern_many, seen[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < SHARED_SCHEMAS; i++) {
        for (int t = 1; t < 4; t++)
            assert_ptr_equal(seen[t][i], seen[0][i]);
        assert_true(seen[0][i]->required->id < seen[0][i]->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_drafts_become_one_pointer),
        cmocka_unit_test(any_difference_makes_another_schema),
        cmocka_unit_test(optional_knows_its_required_twin),
        cmocka_unit_test(a_null_default_does_not_survive_being_required),
        cmocka_unit_test(names_that_mean_something_are_found_once),
        cmocka_unit_test(a_decimal_carries_its_scale),
        cmocka_unit_test(defaults_are_copied_deep),
        cmocka_unit_test(a_field_is_found_by_name_or_not_at_all),
        cmocka_unit_test(threads_that_intern_at_once_get_the_same_pointers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
