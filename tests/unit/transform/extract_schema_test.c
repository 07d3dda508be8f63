/* SPDX-License-Identifier: Apache-2.0 */
/* ExtractSchemaToNewRecord. */
#include "events.h"

#include "codec/envelope.h"
#include "data/schema_build.h"
#include "transform/transforms.h"

#include <string.h>

static const struct sl_transform_ops *const extract = &sl_transform_extract_schema_to_new_record;

static const struct sl_schema *column(enum sl_type type, const char *name, const char *type_name,
                                      const char *length)
{
    const struct sl_parameter parameters[] = {{"__debezium.source.column.type", type_name},
                                              {"__debezium.source.column.name", name},
                                              {"__debezium.source.column.length", length},
                                              {"__debezium.source.column.scale", "2"},
                                              {"__debezium.source.column.comment", "why"}};
    struct sl_schema draft = {
        .type = type, .optional = true, .parameters = parameters, .n_parameters = length ? 5 : 2};

    return sl_schema_intern(&draft);
}

/* The event with a row whose columns are told. */
static struct sl_message told(struct bench *bench, char op, const char *length)
{
    struct sl_message message = event_of(bench, op, 9, "a");
    const struct sl_envelope *shape = sl_envelope_of(message.value_schema);
    struct sl_struct_builder row = {.name = "srv.shop.dbo.told.Value"};

    sl_struct_add(&row, "id", column(SL_INT32, "Id", "INT", NULL));
    sl_struct_add(&row, "name", column(SL_STRING, "Name", "NVARCHAR", length));
    sl_struct_add(&row, "qty", column(SL_INT32, "Qty", "DECIMAL", "7"));
    message.value_schema = sl_envelope_make(SL_ENVELOPE_3_5, "srv.shop.dbo.told", sl_struct_end(&row, true),
                                            shape->source_schema)
                               ->schema;
    return message;
}

static void events_tell_the_columns_of_their_table(void **state)
{
    static const char *const columns[] = {
        "{name:Id,typeName:INT,length:null,scale:null,comment:null}",
        "{name:Name,typeName:NVARCHAR,length:40,scale:2,comment:why}",
        "{name:Qty,typeName:DECIMAL,length:7,scale:2,comment:why}",
    };
    struct bench *bench = *state;

    bench_open(bench, extract, NULL);
    for (const char *op = "cud"; *op; op++) {
        struct sl_message message = told(bench, *op, "40");
        const struct sl_schema *from = message.value_schema;
        const struct sl_schema *made;
        const struct sl_schema *table;
        const struct sl_value *items;

        assert_int_equal(bench_apply(bench, &message), SL_KEEP);
        assert_int_equal(message.value_schema->n_fields, from->n_fields + 1);
        assert_string_equal(message.value_schema->name, from->name);
        assert_string_equal(message.value_schema->fields[from->n_fields].name, "sourceSchema");
        made = message.value_schema->fields[from->n_fields].schema;
        assert_string_equal(made->name, "io.debezium.connector.source.Schema");
        items = message.record.value.items[from->n_fields].items;
        table = made->fields[1].schema;
        assert_string_equal(table->name, "io.debezium.connector.source.schema.Table");
        assert_int_equal(items[1].items[0].len, 3);
        assert_string_equal(value_text(bench, NULL, items[0]), "things");
        for (uint32_t i = 0; i < 3; i++)
            assert_string_equal(
                value_text(bench, table->fields[0].schema->element, items[1].items[0].items[i]), columns[i]);
    }
}

static void what_is_no_change_of_a_row_stays(void **state)
{
    struct bench *bench = *state;
    struct sl_message messages[] = {tombstone_of(bench, 1), heartbeat_of(bench), row_of(bench, 1),
                                    map_of(bench), told(bench, 't', "40")};

    bench_open(bench, extract, NULL);
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        const struct sl_schema *from = messages[i].value_schema;

        assert_int_equal(bench_apply(bench, &messages[i]), SL_KEEP);
        assert_ptr_equal(messages[i].value_schema, from);
    }
}

static void columns_of_which_nothing_is_told_are_bad_records(void **state)
{
    struct bench *bench = *state;
    struct sl_message message = event_of(bench, 'c', 1, "a");

    bench_open(bench, extract, NULL);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(bench_apply(bench, &message), SL_FAIL);
        assert_non_null(strstr(bench->err.text, "column.propagate.source.type"));
    }
    message = told(bench, 'c', "long");
    assert_int_equal(bench_apply(bench, &message), SL_FAIL);
    assert_non_null(strstr(bench->err.text, "no number"));
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(events_tell_the_columns_of_their_table),
        BENCH_TEST(what_is_no_change_of_a_row_stays),
        BENCH_TEST(columns_of_which_nothing_is_told_are_bad_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
