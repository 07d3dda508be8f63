/* SPDX-License-Identifier: Apache-2.0 */
#include "data/schema_build.h"
#include "source/sqlserver/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sl_mssql_field choose(struct sl_mssql_column *column, const struct sl_mssql_config *config)
{
    struct sl_mssql_field field;

    assert_true(sl_mssql_field_choose(column, config, &field));
    return field;
}

static void every_type_has_debeziums_schema(void **state)
{
    static const struct {
        enum sl_mssql_type type;
        int scale;
        enum sl_type connect;
        const char *name;
    } cases[] = {
        {SL_MSSQL_BIT, 0, SL_BOOLEAN, NULL},
        {SL_MSSQL_TINYINT, 0, SL_INT16, NULL},
        {SL_MSSQL_SMALLINT, 0, SL_INT16, NULL},
        {SL_MSSQL_INT, 0, SL_INT32, NULL},
        {SL_MSSQL_BIGINT, 0, SL_INT64, NULL},
        {SL_MSSQL_REAL, 0, SL_FLOAT32, NULL},
        {SL_MSSQL_FLOAT, 0, SL_FLOAT64, NULL},
        {SL_MSSQL_DECIMAL, 2, SL_BYTES, "org.apache.kafka.connect.data.Decimal"},
        {SL_MSSQL_MONEY, 4, SL_BYTES, "org.apache.kafka.connect.data.Decimal"},
        {SL_MSSQL_NVARCHAR, 0, SL_STRING, NULL},
        {SL_MSSQL_XML, 0, SL_STRING, NULL},
        {SL_MSSQL_UNIQUEIDENTIFIER, 0, SL_STRING, NULL},
        {SL_MSSQL_DATE, 0, SL_INT32, "io.debezium.time.Date"},
        {SL_MSSQL_TIME, 3, SL_INT32, "io.debezium.time.Time"},
        {SL_MSSQL_TIME, 7, SL_INT64, "io.debezium.time.NanoTime"},
        {SL_MSSQL_DATETIME, 3, SL_INT64, "io.debezium.time.Timestamp"},
        {SL_MSSQL_SMALLDATETIME, 0, SL_INT64, "io.debezium.time.Timestamp"},
        {SL_MSSQL_DATETIME2, 7, SL_INT64, "io.debezium.time.NanoTimestamp"},
        {SL_MSSQL_DATETIMEOFFSET, 7, SL_STRING, "io.debezium.time.ZonedTimestamp"},
        {SL_MSSQL_VARBINARY, 0, SL_BYTES, NULL},
        {SL_MSSQL_TIMESTAMP, 0, SL_BYTES, NULL},
    };
    const struct sl_mssql_config config = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_mssql_column column = {
            .name = "c", .type = cases[i].type, .scale = cases[i].scale, .precision = 10, .nullable = i % 2};
        struct sl_mssql_field field = choose(&column, &config);

        assert_int_equal(field.schema->type, cases[i].connect);
        assert_int_equal(field.schema->optional, i % 2);
        if (cases[i].name)
            assert_string_equal(field.schema->name, cases[i].name);
        else
            assert_null(field.schema->name);
        assert_int_equal(field.schema->has_version, cases[i].name != NULL);
        sl_mssql_field_done(&field);
    }
}

static void decimals_name_scale_before_precision(void **state)
{
    const struct sl_mssql_config config = {0};
    struct sl_mssql_column column = {.name = "c", .type = SL_MSSQL_MONEY, .scale = 4, .precision = 19};
    struct sl_mssql_field field = choose(&column, &config);

    (void)state;
    assert_int_equal(field.schema->n_parameters, 2);
    assert_string_equal(field.schema->parameters[0].name, "scale");
    assert_string_equal(field.schema->parameters[0].value, "4");
    assert_string_equal(field.schema->parameters[1].name, "connect.decimal.precision");
    assert_string_equal(field.schema->parameters[1].value, "19");
    sl_mssql_field_done(&field);
}

static void types_that_nobody_reads_make_no_field(void **state)
{
    const struct sl_mssql_config config = {0};
    struct sl_mssql_column column = {.name = "c", .type = SL_MSSQL_VARIANT};
    struct sl_mssql_field field;

    (void)state;
    assert_false(sl_mssql_field_choose(&column, &config, &field));
}

static void literals_become_defaults_and_expressions_do_not(void **state)
{
    static struct {
        enum sl_mssql_type type;
        int scale;
        char text[48];
        bool has;
        int64_t i;
        const char *bytes;
    } cases[] = {
        {SL_MSSQL_INT, 0, "((1))", true, 1, NULL},
        {SL_MSSQL_INT, 0, "((-1))", true, -1, NULL},
        {SL_MSSQL_BIT, 0, "((1))", true, 1, NULL},
        {SL_MSSQL_INT, 0, "(getdate())", false, 0, NULL},
        {SL_MSSQL_INT, 0, "((1)+(2))", false, 0, NULL},
        {SL_MSSQL_INT, 0, "(NULL)", false, 0, NULL},
        {SL_MSSQL_NVARCHAR, 0, "(N'it''s')", true, 0, "it''s"},
        {SL_MSSQL_NVARCHAR, 0, "(N'it''')", true, 0, "it''"},
        {SL_MSSQL_VARCHAR, 0, "('a'')", false, 0, NULL},
        {SL_MSSQL_VARCHAR, 0, "('a')", true, 0, "a"},
        {SL_MSSQL_VARCHAR, 0, "('')", true, 0, ""},
        {SL_MSSQL_VARCHAR, 0, "('a'+'b')", false, 0, NULL},
        {SL_MSSQL_VARCHAR, 0, "(suser_sname())", false, 0, NULL},
        {SL_MSSQL_DATE, 0, "('2018-07-13')", true, 17725, NULL},
        {SL_MSSQL_DATETIME2, 3, "('2018-07-13T12:23:45.123')", true, INT64_C(1531484625123), NULL},
        {SL_MSSQL_DATETIME, 3, "(getdate())", false, 0, NULL},
        {SL_MSSQL_DATETIME, 3, "('13 July 2018')", false, 0, NULL},
        {SL_MSSQL_UNIQUEIDENTIFIER, 0, "('6f9619ff-8b86-d011-b42d-00c04fc964ff')", true, 0,
         "6F9619FF-8B86-D011-B42D-00C04FC964FF"},
        {SL_MSSQL_UNIQUEIDENTIFIER, 0, "(newid())", false, 0, NULL},
        {SL_MSSQL_VARBINARY, 0, "(0x41)", true, 0, "A"},
    };
    const struct sl_mssql_config config = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sl_mssql_column column = {
            .name = "c", .type = cases[i].type, .scale = cases[i].scale, .default_text = cases[i].text};
        struct sl_mssql_field field = choose(&column, &config);
        struct sl_value value = field.schema->default_value;

        assert_int_equal(field.schema->has_default, cases[i].has);
        if (cases[i].has && cases[i].bytes) {
            assert_int_equal(value.len, strlen(cases[i].bytes));
            assert_memory_equal(value.bytes, cases[i].bytes, value.len);
        } else if (cases[i].has) {
            assert_int_equal(value.i, cases[i].i);
        }
        sl_mssql_field_done(&field);
    }
}

static void decimal_defaults_are_brought_to_the_scale(void **state)
{
    const struct sl_mssql_config config = {0};
    struct sl_mssql_column column = {.name = "c",
                                     .type = SL_MSSQL_DECIMAL,
                                     .scale = 2,
                                     .precision = 10,
                                     .default_text = (char[]){"((1000))"}};
    struct sl_mssql_field field = choose(&column, &config);
    struct sl_value value = field.schema->default_value;

    (void)state;
    assert_true(field.schema->has_default); /* 100000 = 0x0186A0 */
    assert_int_equal(value.len, 3);
    assert_memory_equal(value.bytes, "\x01\x86\xa0", 3);
    sl_mssql_field_done(&field);
    column.default_text = (char[]){"((-1.5))"};
    field = choose(&column, &config);
    value = field.schema->default_value; /* -150 = 0xFF6A */
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.bytes, "\xff\x6a", 2);
    sl_mssql_field_done(&field);
    column.default_text = (char[]){"((1.005))"};
    field = choose(&column, &config);
    assert_false(field.schema->has_default);
    sl_mssql_field_done(&field);
}

static void null_in_a_not_null_column_becomes_its_zero(void **state)
{
    const struct sl_mssql_config config = {0};
    struct sl_mssql_column column = {.name = "c", .type = SL_MSSQL_BIT};
    struct sl_mssql_field field = choose(&column, &config);

    (void)state;
    assert_false(field.optional);
    assert_int_equal(field.fallback.tag, SL_BOOLEAN);
    assert_int_equal(field.fallback.i, 0);
    sl_mssql_field_done(&field);
}

static void the_placeholder_takes_the_columns_form(void **state)
{
    struct sl_mssql_config config = {.placeholder = (char[]){"?!"}, .binaries = SL_MSSQL_BINARY_HEX};
    struct sl_mssql_column column = {.name = "c", .type = SL_MSSQL_VARBINARY, .max_length = -1};
    struct sl_mssql_field field = choose(&column, &config);

    (void)state;
    assert_true(field.large);
    assert_int_equal(field.unavailable.len, 4);
    assert_memory_equal(field.unavailable.bytes, "3f21", 4);
    sl_mssql_field_done(&field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_debeziums_schema),
        cmocka_unit_test(decimals_name_scale_before_precision),
        cmocka_unit_test(types_that_nobody_reads_make_no_field),
        cmocka_unit_test(literals_become_defaults_and_expressions_do_not),
        cmocka_unit_test(decimal_defaults_are_brought_to_the_scale),
        cmocka_unit_test(null_in_a_not_null_column_becomes_its_zero),
        cmocka_unit_test(the_placeholder_takes_the_columns_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
