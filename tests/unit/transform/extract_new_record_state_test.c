/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "codec/envelope.h"
#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const extract = &sl_transform_extract_new_record_state;

static void without_options_the_row_is_taken_and_nothing_copied(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");
    const struct sl_envelope *shape = sl_envelope_of(message.value_schema);
    const struct sl_value *fields = message.record.value.items[shape->after].items;

    bench_open(bench, extract, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.record.value.items, fields);
    assert_string_equal(row_text(bench, &message), "{id:1,name:a,qty:null}");
    assert_string_equal(message.value_schema->name, "srv.shop.dbo.things.Value");
    assert_int_equal(message.record.n_headers, 0);
}

static void the_first_users_settings_give_op_and_deleted(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'u', 1, "a");

    bench_open(bench, extract, "drop.tombstones", "true", "delete.handling.mode", "rewrite", "add.fields",
               "op,deleted", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:a,qty:5,__deleted:false,__op:u}");
    message = event_of(bench, 'd', 2, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:2,name:null,qty:5,__deleted:true,__op:d}");
    assert_true(message.value_schema->fields[3].schema->optional);
    assert_true(message.value_schema->fields[4].schema->optional);
    message = tombstone_of(bench, 2);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
}

struct outcome {
    const char *mode; /* new spelling; NULL: the two older keys */
    const char *old_mode;
    const char *drop_tombstones;
    const char *created; /* NULL: dropped */
    const char *deleted; /* likewise; "{}" a null value */
    bool schema_kept;    /* of a null value */
    bool tombstone_passes;
};

static const struct outcome outcomes[] = {
    {"drop", NULL, NULL, "{id:1,name:a,qty:null}", NULL, false, false},
    {"tombstone", NULL, NULL, "{id:1,name:a,qty:null}", "{}", true, false},
    {"rewrite", NULL, NULL, "{id:1,name:a,qty:5,__deleted:false}", "{id:1,name:a,qty:5,__deleted:true}",
     false, false},
    {"rewrite-with-tombstone", NULL, NULL, "{id:1,name:a,qty:5,__deleted:false}",
     "{id:1,name:a,qty:5,__deleted:true}", false, true},
    {"delete-to-tombstone", NULL, NULL, "{id:1,name:a,qty:null}", "{}", false, false},
    {NULL, "drop", "true", "{id:1,name:a,qty:null}", NULL, false, false},
    {NULL, "drop", "false", "{id:1,name:a,qty:null}", NULL, false, true},
    {NULL, "rewrite", "true", "{id:1,name:a,qty:5,__deleted:false}", "{id:1,name:a,qty:5,__deleted:true}",
     false, false},
    {NULL, "rewrite", "false", "{id:1,name:a,qty:5,__deleted:false}", "{id:1,name:a,qty:5,__deleted:true}",
     false, true},
    {NULL, "none", "true", "{id:1,name:a,qty:null}", "{}", true, false},
    {NULL, "none", "false", "{id:1,name:a,qty:null}", "{}", true, true},
};

static void check_outcome(struct bench *bench, const struct outcome *outcome)
{
    struct sl_message message = event_of(bench, 'r', 1, "a");

    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), outcome->created);
    message = event_of(bench, 'd', 1, "a");
    if (outcome->deleted) {
        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_string_equal(row_text(bench, &message), outcome->deleted);
        if (strcmp(outcome->deleted, "{}") == 0)
            assert_int_equal(message.value_schema != NULL, outcome->schema_kept);
    } else {
        assert_int_equal(bench_apply(bench, &message), SL_DROP);
    }
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), outcome->tombstone_passes ? SL_KEEP : SL_DROP);
    message = event_of(bench, 't', 1, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
}

static void every_mode_in_both_spellings_treats_deletes_as_debezium_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
        void *bench = NULL;

        (void)bench_make(&bench);
        if (outcomes[i].mode)
            bench_open(bench, extract, "delete.tombstone.handling.mode", outcomes[i].mode, NULL);
        else
            bench_open(bench, extract, "delete.handling.mode", outcomes[i].old_mode, "drop.tombstones",
                       outcomes[i].drop_tombstones, NULL);
        check_outcome(bench, &outcomes[i]);
        (void)bench_remove(&bench);
    }
}

static void the_newer_spelling_wins_over_the_older(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'd', 1, "a");

    bench_open(bench, extract, "delete.tombstone.handling.mode", "drop", "delete.handling.mode", "rewrite",
               NULL);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
}

static void fields_are_added_by_every_form_of_name(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, "add.fields",
               "op, table,source.ts_ms:when,ts_ms,transaction.id,source.missing,total_order", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:a,qty:null,__op:c,__table:things,__when:99,"
                                                   "__ts_ms:1234,__transaction_id:null,__total_order:null}");
    for (uint32_t i = 3; i < message.value_schema->n_fields; i++)
        assert_true(message.value_schema->fields[i].schema->optional);
    assert_false(message.value_schema->optional);
}

static void a_prefix_replaces_the_underscores(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, "add.fields", "op,source.table", "add.fields.prefix", "meta_", "add.headers",
               "op:kind", "add.headers.prefix", "h.", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message),
                        "{id:1,name:a,qty:null,meta_op:c,meta_source_table:things}");
    assert_string_equal(headers_text(bench, &message), "h.kind:c");
}

static void a_name_that_the_row_has_already_is_a_bad_record(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, "add.fields", "op:name", "add.fields.prefix", "", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(bench->err.rc, SL_E_DATA);
    assert_non_null(strstr(bench->err.text, "'name'"));
}

static void headers_are_added_to_events_and_to_tombstones_that_pass(void **state)
{
    struct bench *bench = *state;
    struct sl_header own = {.name = "mine", .value = sl_text("x")};
    struct sl_message message = event_of(bench, 'd', 1, "a");

    bench_open(bench, extract, "add.headers", "op,source.table", "delete.tombstone.handling.mode",
               "rewrite-with-tombstone", NULL);
    message.record.headers = &own;
    message.record.n_headers = 1;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(headers_text(bench, &message), "mine:x,__op:d,__source_table:things");
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(headers_text(bench, &message), "__op:d");
}

static void a_column_can_route_rows_and_deletes(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "elsewhere");

    bench_open(bench, extract, "route.by.field", "name", "delete.tombstone.handling.mode", "rewrite", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "elsewhere");
    message = event_of(bench, 'd', 1, "there");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "there");
    message = event_of(bench, 'c', 1, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.topic->name, "srv.shop.dbo.things");
}

static void routing_by_a_missing_column_is_a_bad_record(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, "route.by.field", "nowhere", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_int_equal(bench->err.rc, SL_E_DATA);
    assert_non_null(strstr(bench->err.text, "'nowhere'"));
}

static void fields_named_by_a_header_are_left_out(void **state)
{
    struct bench *bench = *state;
    struct sl_header drop = {.name = "drop", .value = sl_text("[\"name\", id]")};
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, "drop.fields.header.name", "drop", "add.fields", "op", NULL);
    message.record.headers = &drop;
    message.record.n_headers = 1;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,qty:5,__op:c}"); /* id is not optional */
    message = event_of(bench, 'c', 2, "b");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:2,name:b,qty:null,__op:c}");
}

static void incompatible_drops_reach_required_fields_and_the_key(void **state)
{
    struct bench *bench = *state;
    struct sl_value names[2] = {sl_text("id"), sl_text("__op")};
    struct sl_header drop = {.name = "drop", .value = sl_items(SL_ARRAY, names, 2)};
    struct sl_message message = event_of(bench, 'u', 1, "a");

    bench_open(bench, extract, "drop.fields.header.name", "drop", "drop.fields.from.key", "true",
               "drop.fields.keep.schema.compatible", "false", "add.fields", "op", NULL);
    message.record.headers = &drop;
    message.record.n_headers = 1;
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{name:a,qty:5}");
    assert_int_equal(message.key_schema->n_fields, 1);
    assert_string_equal(message.key_schema->fields[0].name, "shard");
    assert_int_equal(message.record.key.items[0].i, 7);
}

static void nulls_stay_null_where_that_is_asked_for(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, "delete.tombstone.handling.mode", "rewrite", "replace.null.with.default",
               "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:a,qty:null,__deleted:false}");
}

static void what_is_no_change_event_passes_unchanged(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = heartbeat_of(bench);
    struct sl_message before = message;

    bench_open(bench, extract, "add.headers", "op", "delete.tombstone.handling.mode", "rewrite", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_memory_equal(&message, &before, sizeof(message));
    message.value_schema = NULL; /* schemaless */
    message.record.value = sl_text("x");
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
}

static void a_field_list_that_cannot_be_read_is_refused(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(bench_try(bench, extract, "add.fields", "op,a:b:c", NULL), SL_E_CONFIG);
    assert_non_null(strstr(bench->err.text, "transforms.t.add.fields"));
    bench->self = NULL;
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(without_options_the_row_is_taken_and_nothing_copied),
        BENCH_TEST(the_first_users_settings_give_op_and_deleted),
        cmocka_unit_test(every_mode_in_both_spellings_treats_deletes_as_debezium_does),
        BENCH_TEST(the_newer_spelling_wins_over_the_older),
        BENCH_TEST(fields_are_added_by_every_form_of_name),
        BENCH_TEST(a_prefix_replaces_the_underscores),
        BENCH_TEST(a_name_that_the_row_has_already_is_a_bad_record),
        BENCH_TEST(headers_are_added_to_events_and_to_tombstones_that_pass),
        BENCH_TEST(a_column_can_route_rows_and_deletes),
        BENCH_TEST(routing_by_a_missing_column_is_a_bad_record),
        BENCH_TEST(fields_named_by_a_header_are_left_out),
        BENCH_TEST(incompatible_drops_reach_required_fields_and_the_key),
        BENCH_TEST(nulls_stay_null_where_that_is_asked_for),
        BENCH_TEST(what_is_no_change_event_passes_unchanged),
        BENCH_TEST(a_field_list_that_cannot_be_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
