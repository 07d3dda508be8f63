/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const flatten = &sl_transform_flatten;

static const struct sl_schema *cell(const char *name)
{
    struct sl_struct_builder b = {.name = name};

    sl_struct_add(&b, "value", sl_schema_plain(SL_STRING, true));
    return sl_struct_end(&b, true);
}

static struct sl_value copy(struct bench *bench, const struct sl_value *items, size_t n)
{
    return sl_items(SL_STRUCT, sl_arena_copy(bench->arena, items, n * sizeof(*items)), n);
}

/* {id, email{value}, name{value}, note{value}} with the given cells. */
static struct sl_message legacy_row(struct bench *bench, struct sl_value email, struct sl_value name,
                                    struct sl_value note)
{
    struct sl_struct_builder b = {.name = "s.ks.t.After"};
    struct sl_value row[4] = {sl_int(SL_INT32, 1), email, name, note};
    struct sl_message message = tombstone_of(bench, 1);

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&b, "email", cell("s.ks.t.email.Cell"));
    sl_struct_add(&b, "name", cell("s.ks.t.name.Cell"));
    sl_struct_add(&b, "note", cell("s.ks.t.note.Other"));
    message.value_schema = sl_struct_end(&b, true);
    message.record.value = copy(bench, row, 4);
    return message;
}

static void names_are_joined_and_the_record_is_required(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, flatten, "delimiter", "_", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.value_schema->fields[0].name, "before_id");
    assert_true(message.value_schema->fields[0].schema->optional); /* before may be null */
    assert_int_equal(sl_schema_field(message.value_schema, "after_name"), 4);
    assert_string_equal((const char *)message.record.value.items[4].bytes, "a");
    assert_int_equal(message.record.value.items[5].i, 5); /* qty's default */
    assert_int_equal(message.record.value.items[2].tag, SL_NULL);
    assert_int_equal(message.record.flags, 0);
}

static void a_null_cell_leaves_its_column_absent(void **state)
{
    struct bench *bench = *state;
    struct sl_value null = sl_null();
    struct sl_message message = legacy_row(bench, sl_null(), copy(bench, &null, 1), sl_null());

    bench_open(bench, flatten, "delimiter", "_", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message),
                        "{id:1,email_value:absent,name_value:null,note_value:null}");
    assert_int_equal(message.record.flags, SL_RECORD_PARTIAL);
}

static void an_absent_struct_has_absent_fields(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = legacy_row(bench, sl_null(), sl_null(), (struct sl_value){.tag = SL_ABSENT});

    bench_open(bench, flatten, "delimiter", "_", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message),
                        "{id:1,email_value:absent,name_value:absent,note_value:absent}");
}

static void maps_with_a_schema_and_equal_names_are_the_record_s_error(void **state)
{
    struct bench *bench = *state;
    struct sl_struct_builder b = {0};
    struct sl_struct_builder inner = {0};
    struct sl_message message = tombstone_of(bench, 1);
    struct sl_value fields[2] = {sl_null(), sl_null()};

    sl_struct_add(&b, "m",
                  sl_schema_map(sl_schema_plain(SL_STRING, false), sl_schema_plain(SL_STRING, true), true));
    message.value_schema = sl_struct_end(&b, false);
    message.record.value = copy(bench, fields, 1);
    bench_open(bench, flatten, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_non_null(strstr(bench->err.text, "map 'm'"));

    sl_struct_add(&inner, "b", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&b, "a", sl_struct_end(&inner, true));
    sl_struct_add(&b, "a.b", sl_schema_plain(SL_STRING, true));
    message.value_schema = sl_struct_end(&b, false);
    message.record.value = copy(bench, fields, 2);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_non_null(strstr(bench->err.text, "'a.b'"));
}

static void maps_without_a_schema_are_flattened(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);
    struct sl_value inner[2] = {sl_text("b"), sl_int(SL_INT64, 2)};
    struct sl_value outer[4] = {sl_text("a"), sl_items(SL_MAP, inner, 1), sl_text("c"), sl_null()};

    message.value_schema = NULL;
    message.record.value = sl_items(SL_MAP, outer, 2);
    bench_open(bench, flatten, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.len, 2);
    assert_memory_equal(message.record.value.items[0].bytes, "a.b", 3);
    assert_int_equal(message.record.value.items[1].i, 2);
    message.record.value = sl_text("x");
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(names_are_joined_and_the_record_is_required),
        TEST(a_null_cell_leaves_its_column_absent),
        TEST(an_absent_struct_has_absent_fields),
        TEST(maps_with_a_schema_and_equal_names_are_the_record_s_error),
        TEST(maps_without_a_schema_are_flattened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
