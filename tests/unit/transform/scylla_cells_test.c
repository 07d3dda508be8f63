/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const extract = &sl_transform_scylla_extract_new_record_state;
static const struct sl_transform_ops *const flatten = &sl_transform_scylla_flatten_columns;

static const struct sl_schema *cell(const char *name, enum sl_type type)
{
    struct sl_struct_builder b = {.name = name};

    sl_struct_add(&b, "value", sl_schema_plain(type, true));
    return sl_struct_end(&b, true);
}

static const struct sl_schema *row_schema(const char *name)
{
    struct sl_struct_builder b = {.name = name};

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&b, "a", cell("s.ks.t.a.Cell", SL_STRING));
    sl_struct_add(&b, "b", cell("s.ks.t.b.Cell", SL_INT64));
    sl_struct_add(&b, "c", cell("s.ks.t.c.Other", SL_INT64));
    return sl_struct_end(&b, true);
}

static struct sl_value copy(struct bench *bench, const struct sl_value *items, size_t n)
{
    return sl_items(SL_STRUCT, sl_arena_copy(bench->arena, items, n * sizeof(*items)), n);
}

/* An update in the legacy shape: a is not named, b set to null, c is 7. */
static struct sl_message legacy_update(struct bench *bench)
{
    struct sl_struct_builder b = {.name = "s.ks.t.Envelope"};
    struct sl_value null = sl_null();
    struct sl_value seven = sl_int(SL_INT64, 7);
    struct sl_value row[4] = {sl_int(SL_INT32, 1), sl_null(), copy(bench, &null, 1), copy(bench, &seven, 1)};
    struct sl_value fields[3] = {sl_null(), copy(bench, row, 4), sl_text("u")};
    struct sl_message message = tombstone_of(bench, 1);

    sl_struct_add(&b, "before", row_schema("s.ks.t.Before"));
    sl_struct_add(&b, "after", row_schema("s.ks.t.After"));
    sl_struct_add(&b, "op", sl_schema_plain(SL_STRING, true));
    message.value_schema = sl_struct_end(&b, false);
    message.record.value = copy(bench, fields, 3);
    return message;
}

static void a_column_that_was_not_named_is_absent_and_one_set_to_null_is_null(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = legacy_update(bench);

    bench_open(bench, extract, "add.fields", "op", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.items[3].tag, SL_STRUCT); /* another's struct stays */
    assert_int_equal(message.record.value.items[1].tag, SL_ABSENT);
    assert_int_equal(message.record.value.items[2].tag, SL_NULL);
    assert_int_equal(message.record.flags, SL_RECORD_PARTIAL);
    assert_string_equal(message.value_schema->name, "s.ks.t.After");
    assert_int_equal(message.value_schema->fields[1].schema->type, SL_STRING);
    assert_int_equal(message.value_schema->fields[2].schema->type, SL_INT64);
    assert_true(message.value_schema->fields[2].schema->optional);
    assert_string_equal(message.value_schema->fields[4].name, "__op");
}

static void the_advanced_shape_has_no_cells_to_open(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = legacy_update(bench);

    bench_open(bench, extract, "cdc.output.format", "advanced", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.items[2].tag, SL_STRUCT);
    assert_int_equal(message.record.flags, 0);
}

static void deletes_go_the_way_of_the_original(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, extract, "drop.tombstones", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    message = event_of(bench, 'd', 1, "a");
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
}

static void flattening_keeps_the_envelope(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = legacy_update(bench);
    struct sl_value after;

    bench_open(bench, flatten, NULL);
    for (int i = 0; i < 2; i++) {
        message = legacy_update(bench);
        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_string_equal(message.value_schema->name, "s.ks.t.Envelope");
        assert_int_equal(message.record.value.items[0].tag, SL_NULL);
        after = message.record.value.items[1];
        assert_int_equal(after.items[1].tag, SL_ABSENT);
        assert_int_equal(after.items[2].tag, SL_NULL);
        assert_int_equal(after.items[3].i, 7); /* whatever its struct's name is */
        assert_string_equal(message.value_schema->fields[1].schema->name, "s.ks.t.After");
        assert_int_equal(message.value_schema->fields[1].schema->fields[3].schema->type, SL_INT64);
        assert_int_equal(message.record.flags, SL_RECORD_PARTIAL);
    }
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_true(sl_is_null(message.record.value));
}

/* What came out of one transform for one message, in words. */
static const char *outcome(struct bench *bench, enum sl_verdict verdict, const struct sl_message *message)
{
    if (verdict != SL_KEEP)
        return verdict == SL_DROP ? "dropped" : bench->err.text;
    return sl_arena_format(
        bench->arena, "%s %s key %s headers %s", message->topic->name,
        message->value_schema && !sl_is_null(message->record.value) ? row_text(bench, message) : "null",
        value_text(bench, message->key_schema, message->record.key), headers_text(bench, message));
}

static struct sl_message nth_event(struct bench *bench, size_t n)
{
    struct sl_message message = n == 4   ? tombstone_of(bench, 1)
                                : n == 5 ? heartbeat_of(bench)
                                         : event_of(bench, "crud"[n], 1, "a");
    struct sl_header drop = {.name = "drop", .value = sl_text("[name, id]")};

    message.record.headers = sl_arena_copy(bench->arena, &drop, sizeof(drop));
    message.record.n_headers = 1;
    return message;
}

/* Where there are no cells, Scylla's transform does with these options what Debezium's does. */
static void alike(struct bench *bench, const struct sl_transform_ops *ops, const char *key, ...)
{
    void *theirs = NULL;
    va_list more;

    va_start(more, key);
    for (; key; key = va_arg(more, const char *))
        sl_props_set(bench->props, key, va_arg(more, const char *));
    va_end(more);
    bench->ops = ops;
    assert_int_equal(ops->open(bench->props, "", ops->classes[0], &bench->self, &bench->err), SL_OK);
    ops = &sl_transform_extract_new_record_state;
    assert_int_equal(ops->open(bench->props, "", ops->classes[0], &theirs, &bench->err), SL_OK);
    for (size_t n = 0; n < 6; n++) {
        struct sl_message a = nth_event(bench, n);
        struct sl_message b = nth_event(bench, n);
        const char *ours = outcome(bench, bench_apply(bench, &a), &a);

        assert_string_equal(ours, outcome(bench, ops->apply(theirs, &b, bench->arena, &bench->err), &b));
    }
    ops->close(theirs);
}

static void the_modes_of_debezium_s_hold_here_too(void **state)
{
    alike(*state, extract, "delete.tombstone.handling.mode", "rewrite-with-tombstone",
          "replace.null.with.default", "false", NULL);
}

static void the_older_modes_hold_here_too(void **state)
{
    alike(*state, extract, "delete.handling.mode", "rewrite", "drop.tombstones", "false", NULL);
}

static void fields_headers_and_routes_are_debezium_s(void **state)
{
    alike(*state, extract, "add.fields", "op,source.ts_ms", "add.fields.prefix", "x_", "add.headers",
          "op,table", "add.headers.prefix", "h_", "route.by.field", "name", NULL);
}

static void fields_are_left_out_as_debezium_does_it(void **state)
{
    alike(*state, extract, "drop.fields.header.name", "drop", "drop.fields.from.key", "true",
          "drop.fields.keep.schema.compatible", "false", NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_column_that_was_not_named_is_absent_and_one_set_to_null_is_null),
        TEST(the_advanced_shape_has_no_cells_to_open),
        TEST(deletes_go_the_way_of_the_original),
        TEST(flattening_keeps_the_envelope),
        TEST(the_modes_of_debezium_s_hold_here_too),
        TEST(the_older_modes_hold_here_too),
        TEST(fields_headers_and_routes_are_debezium_s),
        TEST(fields_are_left_out_as_debezium_does_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
