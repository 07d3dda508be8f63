/* SPDX-License-Identifier: Apache-2.0 */
/* The text of schemas, byte for byte: an id in a registry hangs on it. */
#include "codec/avro_schema.h"
#include "codec/envelope.h"
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct sl_avro_options usual = {.connect_meta_data = true, .flatten_singleton_unions = true};
static struct sl_buf out;

static const char *text_with(const struct sl_schema *schema, const struct sl_avro_options *options)
{
    struct sl_avro_doc *doc;
    struct sl_error err = {0};

    if (sl_avro_from_connect(schema, options, &doc, &err))
        fail_msg("%s", err.text);
    sl_buf_reset(&out);
    sl_avro_print(doc->root, &out);
    sl_avro_doc_free(doc);
    return sl_buf_cstr(&out);
}

static const char *text_of(const struct sl_schema *schema)
{
    return text_with(schema, &usual);
}

static const struct sl_schema *schema_with(const char *text, const struct sl_avro_options *options)
{
    const struct sl_schema *schema = NULL;
    struct sl_avro_doc *doc;
    struct sl_error err = {0};

    if (sl_avro_parse(text, strlen(text), &doc, &err) ||
        sl_avro_to_connect(doc->root, options, 0, &schema, &err))
        fail_msg("%s", err.text);
    sl_avro_doc_free(doc);
    return schema;
}

static const struct sl_schema *schema_of(const char *text)
{
    return schema_with(text, &usual);
}

/* What the registry would make of the text. */
static void assert_canonical(const char *text, const char *canonical)
{
    struct sl_avro_doc *doc;
    struct sl_error err = {0};

    if (sl_avro_parse(text, strlen(text), &doc, &err))
        fail_msg("%s", err.text);
    sl_buf_reset(&out);
    sl_avro_print(doc->root, &out);
    sl_avro_doc_free(doc);
    assert_string_equal(sl_buf_cstr(&out), canonical);
}

static const struct sl_schema *customers(void)
{
    struct sl_struct_builder b = {.name = "srv.shop.dbo.customers.Value"};

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "name", sl_schema_plain(SL_STRING, true));
    return sl_struct_end(&b, false);
}

static const struct sl_schema *source(enum sl_envelope_shape shape)
{
    struct sl_struct_builder b = {.name = "io.debezium.connector.sqlserver.Source",
                                  .version = sl_envelope_source_version(shape)};

    sl_struct_add(&b, "version", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "snapshot", sl_envelope_snapshot_schema(shape));
    sl_struct_add(&b, "change_lsn", sl_schema_plain(SL_STRING, true));
    return sl_struct_end(&b, false);
}

#define VALUE_TEXT                                                                            \
    "{\"type\":\"record\",\"name\":\"Value\",\"fields\":[{\"name\":\"id\",\"type\":\"int\"}," \
    "{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null}],"                   \
    "\"connect.name\":\"srv.shop.dbo.customers.Value\"}"
#define BLOCK_TEXT                                                                                    \
    "{\"type\":\"record\",\"name\":\"block\",\"namespace\":\"event\",\"fields\":["                    \
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"total_order\",\"type\":\"long\"},"             \
    "{\"name\":\"data_collection_order\",\"type\":\"long\"}],\"connect.version\":1,\"connect.name\":" \
    "\"event.block\"}"
#define ENVELOPE_HEAD                                                                                  \
    "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"srv.shop.dbo.customers\",\"fields\":[" \
    "{\"name\":\"before\",\"type\":[\"null\"," VALUE_TEXT "],\"default\":null},"                       \
    "{\"name\":\"after\",\"type\":[\"null\",\"Value\"],\"default\":null},"
#define SOURCE_TEXT(allowed, version)                                                               \
    "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\","                       \
    "\"namespace\":\"io.debezium.connector.sqlserver\",\"fields\":[{\"name\":\"version\",\"type\":" \
    "\"string\"},"                                                                                  \
    "{\"name\":\"snapshot\",\"type\":[{\"type\":\"string\",\"connect.version\":1,"                  \
    "\"connect.parameters\":{\"allowed\":\"" allowed "\"},\"connect.default\":\"false\","           \
    "\"connect.name\":\"io.debezium.data.Enum\"},\"null\"],\"default\":\"false\"},"                 \
    "{\"name\":\"change_lsn\",\"type\":[\"null\",\"string\"],\"default\":null}]," version           \
    "\"connect.name\":\"io.debezium.connector.sqlserver.Source\"}},"

static void debeziums_envelope_is_written_as_confluent_writes_it(void **state)
{
    static const char new_text[] = ENVELOPE_HEAD SOURCE_TEXT(
        "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental",
        "\"connect.version\":1,") "{\"name\":\"transaction\",\"type\":[\"null\"," BLOCK_TEXT
                                  "],\"default\":null},"
                                  "{\"name\":\"op\",\"type\":\"string\"},"
                                  "{\"name\":\"ts_ms\",\"type\":[\"null\",\"long\"],\"default\":null},"
                                  "{\"name\":\"ts_us\",\"type\":[\"null\",\"long\"],\"default\":null},"
                                  "{\"name\":\"ts_ns\",\"type\":[\"null\",\"long\"],\"default\":null}],"
                                  "\"connect.version\":2,\"connect.name\":\"srv.shop.dbo.customers."
                                  "Envelope\"}";
    static const char old_text[] = ENVELOPE_HEAD SOURCE_TEXT(
        "true,last,false,incremental",
        "") "{\"name\":\"op\",\"type\":\"string\"},"
            "{\"name\":\"ts_ms\",\"type\":[\"null\",\"long\"],\"default\":null},"
            "{\"name\":\"transaction\",\"type\":[\"null\"," BLOCK_TEXT "],\"default\":null}],"
            "\"connect.version\":1,\"connect.name\":\"srv.shop.dbo.customers.Envelope\"}";
    const struct sl_schema *schema =
        sl_envelope_make(SL_ENVELOPE_3_5, "srv.shop.dbo.customers", customers(), source(SL_ENVELOPE_3_5))
            ->schema;

    (void)state;
    assert_string_equal(text_of(schema), new_text);
    assert_ptr_equal(schema_of(new_text), schema);
    schema = sl_envelope_make(SL_ENVELOPE_2_5, "srv.shop.dbo.customers", customers(), source(SL_ENVELOPE_2_5))
                 ->schema;
    assert_string_equal(text_of(schema), old_text);
    assert_ptr_equal(schema_of(old_text), schema);
}

static void logical_types_carry_their_properties_in_order(void **state)
{
    (void)state;
    assert_string_equal(
        text_of(sl_schema_decimal(4, 19, false)),
        "{\"type\":\"bytes\",\"scale\":4,\"precision\":19,\"connect.version\":1,"
        "\"connect.parameters\":{\"scale\":\"4\",\"connect.decimal.precision\":\"19\"},"
        "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}");
    assert_string_equal(
        text_of(sl_schema_decimal(2, 0, false)),
        "{\"type\":\"bytes\",\"scale\":2,\"precision\":64,\"connect.version\":1,"
        "\"connect.parameters\":{\"scale\":\"2\"},"
        "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}");
    assert_string_equal(
        text_of(sl_schema_named(SL_INT64, "io.debezium.time.Timestamp", 1, false)),
        "{\"type\":\"long\",\"connect.version\":1,\"connect.name\":\"io.debezium.time.Timestamp\"}");
    assert_string_equal(text_of(sl_schema_named(SL_INT32, "org.apache.kafka.connect.data.Date", 1, false)),
                        "{\"type\":\"int\",\"connect.version\":1,"
                        "\"connect.name\":\"org.apache.kafka.connect.data.Date\",\"logicalType\":\"date\"}");
    assert_string_equal(
        text_of(sl_schema_named(SL_INT64, "org.apache.kafka.connect.data.Timestamp", 1, true)),
        "[\"null\",{\"type\":\"long\",\"connect.version\":1,"
        "\"connect.name\":\"org.apache.kafka.connect.data.Timestamp\","
        "\"logicalType\":\"timestamp-millis\"}]");
    assert_string_equal(text_of(sl_schema_plain(SL_INT8, false)),
                        "{\"type\":\"int\",\"connect.type\":\"int8\"}");
    assert_string_equal(text_of(sl_schema_plain(SL_INT16, true)),
                        "[\"null\",{\"type\":\"int\",\"connect.type\":\"int16\"}]");
}

static void without_meta_data_only_avro_is_left(void **state)
{
    const struct sl_avro_options bare = {.flatten_singleton_unions = true};

    (void)state;
    assert_string_equal(text_with(sl_schema_plain(SL_INT8, false), &bare), "\"int\"");
    assert_string_equal(text_with(sl_schema_decimal(2, 5, false), &bare),
                        "{\"type\":\"bytes\",\"scale\":2,\"precision\":5,\"logicalType\":\"decimal\"}");
    assert_string_equal(
        text_with(customers(), &bare),
        "{\"type\":\"record\",\"name\":\"Value\",\"namespace\":\"srv.shop.dbo.customers\",\"fields\":["
        "{\"name\":\"id\",\"type\":\"int\"},"
        "{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null}]}");
}

static void unnamed_structs_are_numbered_as_they_come(void **state)
{
    struct sl_struct_builder b = {0};
    const struct sl_schema *inner;
    const struct sl_schema *other;

    (void)state;
    sl_struct_add(&b, "a", sl_schema_plain(SL_INT64, false));
    inner = sl_struct_end(&b, false);
    sl_struct_add(&b, "b", sl_schema_plain(SL_BOOLEAN, false));
    other = sl_struct_end(&b, false);
    sl_struct_add(&b, "x", inner);
    sl_struct_add(&b, "y", inner);
    sl_struct_add(&b, "z", other);
    assert_string_equal(
        text_of(sl_struct_end(&b, false)),
        "{\"type\":\"record\",\"name\":\"ConnectDefault\",\"namespace\":\"io.confluent.connect.avro\","
        "\"fields\":["
        "{\"name\":\"x\",\"type\":{\"type\":\"record\",\"name\":\"ConnectDefault2\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"long\"}]}},"
        "{\"name\":\"y\",\"type\":\"ConnectDefault2\"},"
        "{\"name\":\"z\",\"type\":{\"type\":\"record\",\"name\":\"ConnectDefault3\",\"fields\":["
        "{\"name\":\"b\",\"type\":\"boolean\"}]}}]}");
}

static void maps_without_string_keys_are_arrays_of_entries(void **state)
{
    const struct sl_schema *map =
        sl_schema_map(sl_schema_plain(SL_INT32, false), sl_schema_plain(SL_STRING, true), false);
    static const char text[] =
        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"MapEntry\","
        "\"namespace\":\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"key\",\"type\":\"int\"},"
        "{\"name\":\"value\",\"type\":[\"null\",\"string\"],\"default\":null}]}}";

    (void)state;
    assert_string_equal(text_of(map), text);
    assert_ptr_equal(schema_of(text), map);
    assert_string_equal(
        text_of(sl_schema_map(sl_schema_plain(SL_STRING, false), sl_schema_plain(SL_BYTES, false), true)),
        "[\"null\",{\"type\":\"map\",\"values\":\"bytes\"}]");
    map = sl_schema_intern(&(struct sl_schema){.type = SL_MAP,
                                               .name = "a.b.Pairs",
                                               .key = sl_schema_plain(SL_INT64, false),
                                               .element = sl_schema_plain(SL_INT64, false)});
    assert_string_equal(
        text_of(map),
        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Pairs\",\"namespace\":\"a.b\","
        "\"fields\":[{\"name\":\"key\",\"type\":\"long\"},{\"name\":\"value\",\"type\":\"long\"}],"
        "\"connect.internal.type\":\"MapEntry\"},\"connect.name\":\"a.b.Pairs\"}");
}

static void optional_keys_make_entries_unless_they_are_allowed(void **state)
{
    const struct sl_schema *map =
        sl_schema_map(sl_schema_plain(SL_STRING, true), sl_schema_plain(SL_BYTES, false), false);
    struct sl_avro_options allowed = usual;

    (void)state;
    assert_string_equal(text_of(map),
                        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"MapEntry\","
                        "\"namespace\":\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"key\",\"type\":"
                        "[\"null\",\"string\"],\"default\":null},{\"name\":\"value\",\"type\":\"bytes\"}]}}");
    allowed.allow_optional_map_keys = true;
    assert_string_equal(text_with(map, &allowed), "{\"type\":\"map\",\"values\":\"bytes\"}");
}

static void type_docs_and_field_defaults_can_be_left_out_of_the_parameters(void **state)
{
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"R\",\"doc\":\"of R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\","
        "\"doc\":\"of a\",\"default\":3}]}";
    struct sl_avro_options discarding = usual;
    const struct sl_schema *schema;

    (void)state;
    schema = schema_of(text);
    assert_string_equal(sl_schema_parameter(schema, "io.confluent.connect.avro.record.doc"), "of R");
    assert_string_equal(
        sl_schema_parameter(schema->fields[0].schema, "io.confluent.connect.avro.field.default"), "true");
    discarding.discard_type_doc_default = true;
    schema = schema_with(text, &discarding);
    assert_null(sl_schema_parameter(schema, "io.confluent.connect.avro.record.doc"));
    assert_int_equal(schema->fields[0].schema->n_parameters, 0);
    assert_int_equal(schema->fields[0].schema->default_value.i, 3);
}

static void defaults_stand_on_the_type_and_on_the_field(void **state)
{
    struct sl_struct_builder b = {.name = "D"};
    const struct sl_schema *schema;
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"D\",\"fields\":["
        "{\"name\":\"n\",\"type\":{\"type\":\"int\",\"connect.default\":5},\"default\":5},"
        "{\"name\":\"s\",\"type\":[{\"type\":\"string\",\"connect.default\":\"\"},\"null\"],\"default\":\"\"}"
        ","
        "{\"name\":\"b\",\"type\":{\"type\":\"bytes\",\"connect.default\":\"\\u0000a\xC3\xBF\"},"
        "\"default\":\"\\u0000a\xC3\xBF\"},"
        "{\"name\":\"f\",\"type\":{\"type\":\"float\",\"connect.default\":1.1},\"default\":1.1},"
        "{\"name\":\"d\",\"type\":[{\"type\":\"double\",\"connect.default\":1.0E10},\"null\"],\"default\":1."
        "0E10}],"
        "\"connect.name\":\"D\"}";

    (void)state;
    sl_struct_add(&b, "n", sl_schema_with_default(sl_schema_plain(SL_INT32, false), sl_int(SL_INT32, 5)));
    sl_struct_add(&b, "s", sl_schema_with_default(sl_schema_plain(SL_STRING, true), sl_text("")));
    sl_struct_add(&b, "b",
                  sl_schema_with_default(sl_schema_plain(SL_BYTES, false), sl_bytes(SL_BYTES, "\0a\xFF", 3)));
    sl_struct_add(
        &b, "f",
        sl_schema_with_default(sl_schema_plain(SL_FLOAT32, false), sl_float(SL_FLOAT32, (double)1.1f)));
    sl_struct_add(&b, "d",
                  sl_schema_with_default(sl_schema_plain(SL_FLOAT64, true), sl_float(SL_FLOAT64, 1e10)));
    schema = sl_struct_end(&b, false);
    assert_string_equal(text_of(schema), text);
    assert_ptr_equal(schema_of(text), schema);
}

static void a_default_of_plain_avro_is_marked_as_such(void **state)
{
    const struct sl_schema *schema = schema_of(
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":3}]}");
    const struct sl_schema *field = schema->fields[0].schema;

    (void)state;
    assert_true(field->has_default);
    assert_int_equal(field->default_value.i, 3);
    assert_string_equal(sl_schema_parameter(field, "io.confluent.connect.avro.field.default"), "true");
    assert_string_equal(text_of(schema),
                        "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                        "{\"name\":\"a\",\"type\":\"int\",\"default\":3}],\"connect.name\":\"R\"}");
}

static void enums_and_fixed_keep_what_they_were(void **state)
{
    static const char text[] = "{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"n\",\"doc\":\"d\","
                               "\"symbols\":[\"A\",\"B\"]}";
    struct sl_avro_options enhanced = usual;
    const struct sl_schema *schema;

    (void)state;
    enhanced.enhanced_schema_support = true;
    schema = schema_with(text, &enhanced);
    assert_int_equal(schema->type, SL_STRING);
    assert_string_equal(schema->name, "n.E");
    assert_string_equal(sl_schema_parameter(schema, "io.confluent.connect.avro.Enum"), "n.E");
    assert_string_equal(sl_schema_parameter(schema, "io.confluent.connect.avro.Enum.B"), "B");
    assert_string_equal(
        text_with(schema, &enhanced),
        "{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"n\",\"doc\":\"d\",\"symbols\":[\"A\",\"B\"],"
        "\"connect.parameters\":{\"io.confluent.connect.avro.enum.doc.E\":\"d\","
        "\"io.confluent.connect.avro.Enum\":\"n.E\",\"io.confluent.connect.avro.Enum.A\":\"A\","
        "\"io.confluent.connect.avro.Enum.B\":\"B\"},\"connect.name\":\"n.E\"}");
    schema = schema_of("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}");
    assert_int_equal(schema->type, SL_BYTES);
    assert_string_equal(sl_schema_parameter(schema, "connect.fixed.size"), "3");
    assert_string_equal(text_of(schema), "{\"type\":\"fixed\",\"name\":\"F\",\"size\":3,"
                                         "\"connect.parameters\":{\"connect.fixed.size\":\"3\"},"
                                         "\"connect.name\":\"F\"}");
}

static void unions_become_structs_of_their_branches(void **state)
{
    const struct sl_schema *schema =
        schema_of("[\"null\",\"int\",{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[]}]");

    (void)state;
    assert_string_equal(schema->name, "io.confluent.connect.avro.Union");
    assert_true(schema->optional);
    assert_string_equal(schema->fields[0].name, "int");
    assert_string_equal(schema->fields[1].name, "R");
    assert_true(schema->fields[1].schema->optional);
    assert_string_equal(
        text_of(schema),
        "[\"null\",\"int\",{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":[],"
        "\"connect.name\":\"a.R\"}]");
    assert_ptr_equal(schema_of("[\"string\"]"), sl_schema_plain(SL_STRING, false));
    assert_ptr_equal(schema_of("[\"long\",\"null\"]"), sl_schema_plain(SL_INT64, true));
}

static void unions_and_enums_have_a_form_that_other_converters_share(void **state)
{
    struct sl_avro_options general = usual;
    const struct sl_schema *schema;
    const struct sl_schema *choice;
    const struct sl_schema *color;

    (void)state;
    general.generalized_sum_type_support = true;
    schema = schema_with(
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
        "{\"name\":\"u\",\"type\":[\"null\",\"int\",\"string\"]},"
        "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}}]}",
        &general);
    choice = schema->fields[0].schema;
    assert_string_equal(choice->name, "connect_union_0");
    assert_string_equal(sl_schema_parameter(choice, SL_AVRO_GENERAL_UNION), "connect_union_0");
    assert_true(choice->optional);
    assert_string_equal(choice->fields[0].name, "connect_union_field_1");
    assert_string_equal(choice->fields[1].name, "connect_union_field_2");
    color = schema->fields[1].schema;
    assert_string_equal(sl_schema_parameter(color, "org.apache.kafka.connect.data.Enum"), "E");
    assert_string_equal(sl_schema_parameter(color, "org.apache.kafka.connect.data.Enum.B"), "1");
    assert_non_null(strstr(text_with(schema, &general), "\"type\":[\"null\",\"int\",\"string\"]"));
    assert_non_null(
        strstr(text_with(schema, &general), "\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]"));
}

static void odd_names_are_refused_or_scrubbed(void **state)
{
    struct sl_struct_builder b = {.name = "my-srv.1st.Value"};
    struct sl_avro_options scrub = usual;
    const struct sl_schema *schema;
    struct sl_avro_doc *doc;
    struct sl_error err = {0};

    (void)state;
    scrub.scrub_invalid_names = true;
    sl_struct_add(&b, "a b\xC3\xA9", sl_schema_plain(SL_INT32, false));
    schema = sl_struct_end(&b, false);
    assert_int_equal(sl_avro_from_connect(schema, &usual, &doc, &err), SL_E_DATA);
    assert_non_null(strstr(err.text, "my-srv.1st.Value"));
    assert_non_null(strstr(err.text, "HINT"));
    assert_string_equal(text_with(schema, &scrub),
                        "{\"type\":\"record\",\"name\":\"Value\",\"namespace\":\"my_srv.x1st\",\"fields\":["
                        "{\"name\":\"a_b_C3_A9\",\"type\":\"int\"}],\"connect.name\":\"my-srv.1st.Value\"}");
}

static void text_is_put_in_order_as_the_registry_does_it(void **state)
{
    (void)state;
    assert_canonical(" { \"type\" : \"int\" } ", "\"int\"");
    assert_canonical(
        "{\"fields\":[{\"type\":{\"type\":\"string\"},\"name\":\"f\",\"order\":\"ascending\"}],"
        "\"custom\":{\"z\":1,\"a\":[1.5,1e3,true,null]},\"name\":\"x.y.R\",\"type\":\"record\"}",
        "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"x.y\",\"fields\":["
        "{\"name\":\"f\",\"type\":\"string\"}],\"custom\":{\"z\":1,\"a\":[1.5,1000.0,true,null]}}");
    /* Names are relative to the enclosing record; another namespace is spelled out. */
    assert_canonical(
        "{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"n\",\"fields\":["
        "{\"name\":\"b\",\"type\":{\"type\":\"enum\",\"name\":\"m.E\",\"symbols\":[\"X\"]}},"
        "{\"name\":\"c\",\"type\":\"m.E\",\"aliases\":[\"d\"],\"doc\":\"t\",\"order\":\"ignore\"},"
        "{\"name\":\"e\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"aliases\":[\"G\"]}},"
        "{\"name\":\"g\",\"type\":\"n.F\"}]}",
        "{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"n\",\"fields\":["
        "{\"name\":\"b\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"m\",\"symbols\":[\"X\"]}}"
        ","
        "{\"name\":\"c\",\"type\":\"m.E\",\"doc\":\"t\",\"order\":\"ignore\",\"aliases\":[\"d\"]},"
        "{\"name\":\"e\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2,\"aliases\":[\"G\"]}},"
        "{\"name\":\"g\",\"type\":\"F\"}]}");
}

static void what_is_no_schema_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "nul",
        "{}",
        "3",
        "\"integer\"",
        "{\"type\":\"record\",\"name\":\"R\"}",
        "{\"type\":\"record\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"a-b\",\"fields\":[]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\"}]}",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\","
        "\"type\":\"int\"}]}",
        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}",
        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}",
        "{\"type\":\"array\"}",
        "[\"int\",\"int\"]",
        "[[\"int\"]]",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":"
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct sl_avro_doc *doc;
        struct sl_error err = {0};

        assert_int_equal(sl_avro_parse(bad[i], strlen(bad[i]), &doc, &err), SL_E_DATA);
        assert_true(err.text[0] != '\0');
    }
}

static void schemas_that_connect_cannot_hold_are_refused(void **state)
{
    static const char *const bad[] = {
        "\"null\"",
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"R\"]}]}",
        "{\"type\":\"int\",\"connect.type\":\"int24\"}",
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":\"a lot\"}",
        "{\"type\":\"int\",\"logicalType\":\"date\",\"connect.version\":2}",
        "{\"type\":\"int\",\"connect.parameters\":{\"a\":1}}",
        "{\"type\":\"int\",\"connect.name\":7}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct sl_schema *schema;
        struct sl_avro_doc *doc;
        struct sl_error err = {0};

        assert_int_equal(sl_avro_parse(bad[i], strlen(bad[i]), &doc, &err), SL_OK);
        assert_int_equal(sl_avro_to_connect(doc->root, &usual, 0, &schema, &err), SL_E_DATA);
        sl_avro_doc_free(doc);
    }
}

static void nesting_is_bounded(void **state)
{
    struct sl_buf deep = {0};
    struct sl_avro_doc *doc;
    struct sl_error err = {0};
    const struct sl_schema *schema = sl_schema_plain(SL_INT32, false);

    (void)state;
    for (int i = 0; i < 1000; i++)
        sl_buf_text(&deep, "{\"type\":\"array\",\"items\":");
    sl_buf_text(&deep, "\"int\"");
    for (int i = 0; i < 1000; i++)
        sl_buf_u8(&deep, '}');
    assert_int_equal(sl_avro_parse((const char *)deep.data, deep.len, &doc, &err), SL_E_DATA);
    sl_buf_done(&deep);
    for (int i = 0; i < 100; i++)
        schema = sl_schema_array(schema, false);
    assert_int_equal(sl_avro_from_connect(schema, &usual, &doc, &err), SL_E_DATA);
}

/* 2^40 fields in 2 KB of text: each record holds the one before it twice. */
static void names_that_multiply_do_not_explode(void **state)
{
    struct sl_buf text = {0};
    struct sl_avro_doc *doc;
    struct sl_error err = {0};
    const struct sl_schema *schema;

    (void)state;
    for (int i = 40; i > 0; i--)
        sl_buf_format(&text,
                      "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":", i);
    sl_buf_text(&text, "\"int\"");
    for (int i = 1; i <= 40; i++) {
        if (i > 1)
            sl_buf_format(&text, "},{\"name\":\"b\",\"type\":\"R%d\"}]}", i - 1);
        else
            sl_buf_text(&text, "}]}");
    }
    if (sl_avro_parse((const char *)text.data, text.len, &doc, &err))
        fail_msg("%s", err.text);
    assert_int_equal(sl_avro_to_connect(doc->root, &usual, 0, &schema, &err), SL_E_DATA);
    sl_avro_doc_free(doc);
    sl_buf_done(&text);
}

static int tear_down(void **state)
{
    (void)state;
    sl_buf_done(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debeziums_envelope_is_written_as_confluent_writes_it),
        cmocka_unit_test(logical_types_carry_their_properties_in_order),
        cmocka_unit_test(without_meta_data_only_avro_is_left),
        cmocka_unit_test(unnamed_structs_are_numbered_as_they_come),
        cmocka_unit_test(maps_without_string_keys_are_arrays_of_entries),
        cmocka_unit_test(optional_keys_make_entries_unless_they_are_allowed),
        cmocka_unit_test(type_docs_and_field_defaults_can_be_left_out_of_the_parameters),
        cmocka_unit_test(defaults_stand_on_the_type_and_on_the_field),
        cmocka_unit_test(a_default_of_plain_avro_is_marked_as_such),
        cmocka_unit_test(enums_and_fixed_keep_what_they_were),
        cmocka_unit_test(unions_become_structs_of_their_branches),
        cmocka_unit_test(unions_and_enums_have_a_form_that_other_converters_share),
        cmocka_unit_test(odd_names_are_refused_or_scrubbed),
        cmocka_unit_test(text_is_put_in_order_as_the_registry_does_it),
        cmocka_unit_test(what_is_no_schema_is_refused),
        cmocka_unit_test(schemas_that_connect_cannot_hold_are_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(names_that_multiply_do_not_explode),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
