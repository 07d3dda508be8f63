/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct sl_cql_type *find_address(void *ctx, const char *keyspace, const char *name)
{
    static const struct sl_cql_type address = {.kind = SL_CQL_UDT, .keyspace = "ks", .name = "address"};

    (void)ctx;
    return strcmp(keyspace, "ks") == 0 && strcmp(name, "address") == 0 ? &address : NULL;
}

static bool parses(const char *text, const char *as)
{
    struct sl_arena *arena = sl_arena_new(1024);
    const struct sl_cql_type *type;
    struct sl_buf out = {0};
    struct sl_error err;
    bool ok = sl_cql_type_parse(text, "ks", find_address, NULL, arena, &type, &err) == SL_OK;

    if (ok) {
        sl_cql_type_put(&out, type);
        assert_string_equal(sl_buf_cstr(&out), as);
    }
    sl_buf_done(&out);
    sl_arena_free(arena);
    return ok;
}

static void the_schema_s_texts_are_read(void **state)
{
    (void)state;
    assert_true(parses("varchar", "text"));
    assert_true(parses("map<text, frozen<list<int>>>", "map<text, frozen<list<int>>>"));
    assert_true(parses("tuple<int,text , frozen<address>>", "tuple<int, text, frozen<address>>"));
    assert_true(parses("frozen<ks.address>", "frozen<address>"));
    assert_true(parses("set<\"address\">", "set<address>"));
    assert_true(parses("vector<float, 3>", "vector<float, 3>"));
    assert_true(parses("'org.apache.cassandra.db.marshal.DurationType'", "duration"));
}

static void what_is_no_type_is_refused(void **state)
{
    struct sl_buf deep = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        sl_buf_text(&deep, "list<");
    assert_false(parses(sl_buf_cstr(&deep), ""));
    sl_buf_done(&deep);
    assert_false(parses("", ""));
    assert_false(parses("list<int", ""));
    assert_false(parses("map<int>", ""));
    assert_false(parses("list<int>>", ""));
    assert_false(parses("nobody", ""));
    assert_false(parses("\"open", ""));
    assert_false(parses("vector<float, 3", ""));
}

static void shows(const char *class_name, const char *text)
{
    struct sl_arena *arena = sl_arena_new(1024);
    struct sl_buf out = {0};

    sl_cql_type_put(&out, sl_cql_type_of_class(class_name, arena));
    assert_string_equal(sl_buf_cstr(&out), text);
    sl_buf_done(&out);
    sl_arena_free(arena);
}

static void java_s_class_names_are_read(void **state)
{
    (void)state;
    shows("org.apache.cassandra.db.marshal.DurationType", "duration");
    shows("org.apache.cassandra.db.marshal.MapType(org.apache.cassandra.db.marshal.UTF8Type,"
          "org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.ListType("
          "org.apache.cassandra.db.marshal.Int32Type)))",
          "map<text, frozen<list<int>>>");
    shows("UserType(ks,61646472,6e:Int32Type,74:UTF8Type)", "addr");
    shows("org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3)",
          "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3)");
    shows("UserType(ks,6,6e:Int32Type)", "UserType(ks,6,6e:Int32Type)");
    shows("ListType(", "ListType(");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_s_texts_are_read),
        cmocka_unit_test(what_is_no_type_is_refused),
        cmocka_unit_test(java_s_class_names_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
