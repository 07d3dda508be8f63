/* SPDX-License-Identifier: Apache-2.0 */
/* ExtractField, HoistField, MaskField, ValueToKey, SetSchemaMetadata and Filter; what is refused. */
#include "events.h"

#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const extract = &sl_transform_extract_field;
static const struct sl_transform_ops *const hoist = &sl_transform_hoist_field;
static const struct sl_transform_ops *const mask = &sl_transform_mask_field;
static const struct sl_transform_ops *const to_key = &sl_transform_value_to_key;
static const struct sl_transform_ops *const set = &sl_transform_set_schema_metadata;

static void reopen(struct bench *bench)
{
    bench->ops->close(bench->self);
    bench->self = NULL;
    sl_props_free(bench->props);
    bench->props = sl_props_new();
}

/* ---- ExtractField ---- */

static void a_field_becomes_the_whole(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 9);

    bench_open_key(bench, extract, "field", "id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_ptr_equal(message.key_schema, sl_schema_plain(SL_INT32, false));
    assert_int_equal(message.record.key.i, 9);
    reopen(bench);
    bench_open(bench, extract, "field", "qty", "replace.null.with.default", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.record.value.tag, SL_NULL);
    assert_int_equal(message.value_schema->type, SL_INT32);
}

static void paths_lead_into_structs(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, extract, "field", "inner.deep", "field.syntax.version", "V2", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value), "y");
    reopen(bench);
    message = rich_of(bench);
    bench_open(bench, extract, "field", "inner.deep", NULL); /* version 1: one name with a dot */
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    reopen(bench);
    message = map_of(bench);
    bench_open(bench, extract, "field", "`c`.`d`", "field.syntax.version", "V2", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value), "2.5");
    reopen(bench);
    assert_int_equal(bench_try(bench, extract, "field", "`open", "field.syntax.version", "V2", NULL),
                     SL_E_CONFIG);
    assert_int_equal(bench_try(bench, extract, "field", "", NULL), SL_E_CONFIG);
}

static void nothing_is_extracted_from_nothing(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = tombstone_of(bench, 1);

    bench_open(bench, extract, "field", "id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_true(sl_is_null(message.record.value));
    message = row_of(bench, 1);
    message.record.value = sl_null();
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_int_equal(message.value_schema->type, SL_INT32);
}

/* ---- HoistField ---- */

static void the_whole_becomes_a_field(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, hoist, "field", "row", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.value_schema, message.record.value),
                        "{row:{id:1,name:null,qty:null}}");
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP); /* no schema: a map */
    assert_string_equal(value_text(bench, NULL, message.record.value), "{row:null}");
    message = rich_of(bench);
    message.record.value = sl_null();
    assert_int_equal(bench_apply(bench, &message), SL_FAIL); /* its schema allows no null */
    reopen(bench);
    assert_int_equal(bench_try(bench, hoist, NULL), SL_E_CONFIG);
}

/* ---- MaskField ---- */

static void masked_fields_are_empty(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);
    const struct sl_schema *before = message.value_schema;

    bench_open(bench, mask, "fields", "id,text,n,real,flag,at,day,amount,list,nope", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(
        value_text(bench, message.value_schema, message.record.value),
        "{id:0,text:,n:0,real:0,flag:0,at:0,day:0,raw:0102,amount:00,list:[],inner:{deep:y}}");
    assert_ptr_equal(message.value_schema, before);
}

static void replacements_take_the_field_s_type(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = rich_of(bench);

    bench_open(bench, mask, "fields", "id,text,real,amount,n", "replacement", "1.5",
               "replace.null.with.default", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(
        value_text(bench, message.value_schema, message.record.value),
        "{id:1,text:1.5,n:null,real:1.5,flag:1,at:1709212455016,day:19782,raw:0102,amount:0096,"
        "list:[1,2],inner:{deep:y}}");
}

static void what_cannot_be_masked_is_the_record_s_error(void **state)
{
    static const char *const fields[] = {"flag", "at", "list", "raw", "inner", "id"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        struct sl_message message = rich_of(bench);

        bench_open(bench, mask, "fields", fields[i], "replacement", "xxx", NULL);
        assert_int_equal(bench_apply(bench, &message), SL_FAIL);
        assert_non_null(strstr(bench->err.text, fields[i]));
        reopen(bench);
    }
    assert_int_equal(bench_try(bench, mask, "fields", "", NULL), SL_E_CONFIG);
    assert_int_equal(bench_try(bench, mask, "fields", "a", "replacement", "", NULL), SL_E_CONFIG);
}

static void maps_and_keys_are_masked(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);

    bench_open(bench, mask, "fields", "a,b,c,e,new", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.value), "{a:0,b:,c:{},e:null,new:null}");
    reopen(bench);
    bench_open_key(bench, mask, "fields", "shard", "replacement", "42", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key), "{id:1,shard:42}");
}

static void absent_fields_are_not_masked(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);
    struct sl_value fields[3] = {sl_int(SL_INT32, 1), {.tag = SL_ABSENT}, {.tag = SL_ABSENT}};

    message.record.value.items = fields;
    bench_open(bench, mask, "fields", "name,qty", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(row_text(bench, &message), "{id:1,name:absent,qty:absent}");
}

/* ---- ValueToKey ---- */

static void fields_of_the_value_make_the_key(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, to_key, "fields", "qty,id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, message.key_schema, message.record.key), "{qty:5,id:1}");
    assert_null(message.key_schema->name);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:null}");
    message = map_of(bench);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(value_text(bench, NULL, message.record.key), "{qty:null,id:null}");
    assert_null(message.key_schema);
}

static void a_key_needs_its_fields(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, to_key, "fields", "id,nope", "replace.null.with.default", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_non_null(strstr(bench->err.text, "'nope'"));
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    reopen(bench);
    message = row_of(bench, 1);
    bench_open(bench, to_key, "fields", "id,id", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    reopen(bench);
    assert_int_equal(bench_try(bench, to_key, NULL), SL_E_CONFIG);
}

/* ---- SetSchemaMetadata ---- */

static void a_schema_gets_another_name_and_version(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, set, "schema.name", "new", "schema.version", "42", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.value_schema->name, "new");
    assert_int_equal(message.value_schema->version, 42);
    assert_true(message.value_schema->optional);
    assert_string_equal(row_text(bench, &message), "{id:1,name:null,qty:5}");
    reopen(bench);
    bench_open_key(bench, set, "schema.version", "7", "replace.null.with.default", "false", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    assert_string_equal(message.key_schema->name, "srv.shop.dbo.things.Key");
    assert_int_equal(message.key_schema->version, 7);
}

static void metadata_needs_a_schema(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = map_of(bench);

    bench_open(bench, set, "schema.name", "new", NULL);
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    message = tombstone_of(bench, 1);
    assert_int_equal(bench_apply(bench, &message), SL_KEEP);
    reopen(bench);
    assert_int_equal(bench_try(bench, set, NULL), SL_E_CONFIG);
}

/* ---- Filter ---- */

static void what_comes_to_the_filter_goes(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = row_of(bench, 1);

    bench_open(bench, &sl_transform_filter, NULL);
    assert_int_equal(bench_apply(bench, &message), SL_DROP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_field_becomes_the_whole),
        TEST(paths_lead_into_structs),
        TEST(nothing_is_extracted_from_nothing),
        TEST(the_whole_becomes_a_field),
        TEST(masked_fields_are_empty),
        TEST(replacements_take_the_field_s_type),
        TEST(what_cannot_be_masked_is_the_record_s_error),
        TEST(maps_and_keys_are_masked),
        TEST(absent_fields_are_not_masked),
        TEST(fields_of_the_value_make_the_key),
        TEST(a_key_needs_its_fields),
        TEST(a_schema_gets_another_name_and_version),
        TEST(metadata_needs_a_schema),
        TEST(what_comes_to_the_filter_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
