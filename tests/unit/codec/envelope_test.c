/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/envelope.h"
#include "data/schema_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct sl_schema *row_schema(void)
{
    struct sl_struct_builder b = {.name = "srv.shop.dbo.t.Value"};

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    return sl_struct_end(&b, false);
}

static const struct sl_schema *source_schema(void)
{
    struct sl_struct_builder b = {.name = "io.debezium.connector.x.Source"};

    sl_struct_add(&b, "ts_ms", sl_schema_plain(SL_INT64, false));
    return sl_struct_end(&b, false);
}

static void assert_fields(const struct sl_schema *schema, const char *const *names, uint32_t n)
{
    assert_int_equal(schema->n_fields, n);
    for (uint32_t i = 0; i < n; i++)
        assert_string_equal(schema->fields[i].name, names[i]);
}

static void fields_stand_in_the_order_of_each_release(void **state)
{
    static const char *const old_names[] = {"before", "after", "source", "op", "ts_ms", "transaction"};
    static const char *const new_names[] = {"before", "after", "source", "transaction",
                                            "op",     "ts_ms", "ts_us",  "ts_ns"};
    const struct sl_envelope *e =
        sl_envelope_make(SL_ENVELOPE_2_5, "srv.shop.dbo.t", row_schema(), source_schema());

    (void)state;
    assert_fields(e->schema, old_names, 6);
    assert_string_equal(e->schema->name, "srv.shop.dbo.t.Envelope");
    assert_int_equal(e->schema->version, 1);
    assert_int_equal(e->op, 3);
    assert_int_equal(e->ts_ns, -1);
    assert_int_equal(e->transaction, 5);
    e = sl_envelope_make(SL_ENVELOPE_3_5, "srv.shop.dbo.t", row_schema(), source_schema());
    assert_fields(e->schema, new_names, 8);
    assert_int_equal(e->schema->version, 2);
    assert_int_equal(e->op, 4);
    assert_int_equal(e->ts_ns, 7);
    assert_ptr_equal(e->row, sl_schema_as_optional(row_schema(), true));
}

static void an_envelope_is_recognised_and_found_again(void **state)
{
    const struct sl_envelope *e = sl_envelope_make(SL_ENVELOPE_3_5, "a", row_schema(), source_schema());

    (void)state;
    assert_ptr_equal(sl_envelope_of(e->schema), e);
    assert_ptr_equal(sl_envelope_of(sl_schema_as_optional(e->schema, true)), e);
}

static void what_only_looks_like_an_envelope_is_none(void **state)
{
    struct sl_struct_builder b = {.name = "a.Envelope"};

    (void)state;
    assert_null(sl_envelope_of(NULL));
    assert_null(sl_envelope_of(row_schema()));
    assert_null(sl_envelope_of(sl_schema_named(SL_STRING, "a.Envelope", 1, false)));
    sl_struct_add(&b, "op", sl_schema_plain(SL_STRING, false));
    assert_null(sl_envelope_of(sl_struct_end(&b, false)));
    b = (struct sl_struct_builder){.name = "a.Enveloped"};
    sl_struct_add(&b, "op", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&b, "after", row_schema());
    assert_null(sl_envelope_of(sl_struct_end(&b, false)));
}

static void an_operation_is_one_known_letter(void **state)
{
    (void)state;
    assert_int_equal(sl_envelope_op(sl_text("d")), 'd');
    assert_int_equal(sl_envelope_op(sl_text("x")), 0);
    assert_int_equal(sl_envelope_op(sl_text("cc")), 0);
    assert_int_equal(sl_envelope_op(sl_text("")), 0);
    assert_int_equal(sl_envelope_op(sl_null()), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_in_the_order_of_each_release),
        cmocka_unit_test(an_envelope_is_recognised_and_found_again),
        cmocka_unit_test(what_only_looks_like_an_envelope_is_none),
        cmocka_unit_test(an_operation_is_one_known_letter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
