/* SPDX-License-Identifier: Apache-2.0 */
#include "base/props.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *write_file(const char *content)
{
    static char path[64];
    FILE *file;

    (void)snprintf(path, sizeof(path), "/tmp/sluice-props-%d", (int)getpid());
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(content, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static struct sl_props *read_properties(const char *content)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    assert_int_equal(sl_props_read_file(props, write_file(content), &err), SL_OK);
    return props;
}

static void java_properties_are_read_as_java_reads_them(void **state)
{
    struct sl_props *props = read_properties("# a comment\n"
                                             "! another\n"
                                             "a=1\n"
                                             "  b : two words \n"
                                             "c three\n"
                                             "path=C:\\\\x\n"
                                             "list=x,\\\n    y,\\\n    z\n"
                                             "tab=\\t|\n"
                                             "uni=\\u00e9\\uD83D\\uDE00\n"
                                             "key\\ with\\=odd=v\n"
                                             "empty\r\n"
                                             "last=end");
    (void)state;
    assert_string_equal(sl_props_get(props, "a"), "1");
    assert_string_equal(sl_props_get(props, "b"), "two words ");
    assert_string_equal(sl_props_get(props, "c"), "three");
    assert_string_equal(sl_props_get(props, "path"), "C:\\x");
    assert_string_equal(sl_props_get(props, "list"), "x,y,z");
    assert_string_equal(sl_props_get(props, "tab"), "\t|");
    assert_string_equal(sl_props_get(props, "uni"), "\xc3\xa9\xf0\x9f\x98\x80");
    assert_string_equal(sl_props_get(props, "key with=odd"), "v");
    assert_string_equal(sl_props_get(props, "empty"), "");
    assert_string_equal(sl_props_get(props, "last"), "end");
    assert_int_equal(sl_props_count(props), 10);
    sl_props_free(props);
}

static void a_malformed_unicode_escape_names_its_line(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_props_read_file(props, write_file("a=1\nb=\\u12x4\n"), &err), SL_E_CONFIG);
    assert_non_null(strstr(err.text, "line 2"));
    sl_props_free(props);
}

static void a_missing_file_is_named(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(sl_props_read_file(props, "/nowhere/x.properties", &err), SL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/x.properties"));
    assert_non_null(strstr(err.text, "HINT"));
    sl_props_free(props);
}

static void both_shapes_of_connector_files_are_taken(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(
        sl_props_read_connector(
            props,
            write_file("{\"name\": \"n\", \"config\": {\"a\": 1, \"b\": true, \"c\": 0.5, \"d\": null}}"),
            &err),
        SL_OK);
    assert_string_equal(sl_props_get(props, "name"), "n");
    assert_string_equal(sl_props_get(props, "a"), "1");
    assert_string_equal(sl_props_get(props, "b"), "true");
    assert_string_equal(sl_props_get(props, "c"), "0.5");
    assert_null(sl_props_get(props, "d"));
    assert_int_equal(sl_props_read_connector(props, write_file("{\"name\": \"m\", \"a\": \"x\"}"), &err),
                     SL_OK);
    assert_string_equal(sl_props_get(props, "name"), "m");
    assert_string_equal(sl_props_get(props, "a"), "x");
    sl_props_free(props);
}

static void malformed_json_names_line_and_column(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_error err = {0};

    (void)state;
    assert_int_equal(
        sl_props_read_connector(props, write_file("{\"name\": \"n\",\n \"config\": {\"a\": }}"), &err),
        SL_E_CONFIG);
    assert_non_null(strstr(err.text, "line 2"));
    assert_non_null(strstr(err.text, "column"));
    assert_int_equal(sl_props_read_connector(props, write_file("{\"config\": {\"a\": [1]}}"), &err),
                     SL_E_CONFIG);
    assert_non_null(strstr(err.text, "'a'"));
    sl_props_free(props);
}

static void lists_are_walked_item_by_item(void **state)
{
    const char *cursor = " a , b\\,c ,, d";
    char item[8];

    (void)state;
    assert_int_equal(sl_list_next(&cursor, item, sizeof(item)), 1);
    assert_string_equal(item, "a");
    assert_int_equal(sl_list_next(&cursor, item, sizeof(item)), 1);
    assert_string_equal(item, "b,c");
    assert_int_equal(sl_list_next(&cursor, item, sizeof(item)), 1);
    assert_string_equal(item, "d");
    assert_int_equal(sl_list_next(&cursor, item, sizeof(item)), 0);
}

static void order_is_kept_and_keys_are_replaced_and_removed(void **state)
{
    struct sl_props *props = sl_props_new();
    struct sl_props *copy;
    const char *key;
    const char *value;

    (void)state;
    sl_props_set(props, "a", "1");
    sl_props_set(props, "b", "2");
    sl_props_set(props, "a", "3");
    sl_props_set(props, "c", "4");
    sl_props_remove(props, "b");
    copy = sl_props_copy(props);
    sl_props_free(props);
    assert_int_equal(sl_props_count(copy), 2);
    sl_props_at(copy, 0, &key, &value);
    assert_string_equal(key, "a");
    assert_string_equal(value, "3");
    sl_props_at(copy, 1, &key, &value);
    assert_string_equal(key, "c");
    sl_props_free(copy);
}

static void settings_are_the_same_in_whatever_order(void **state)
{
    struct sl_props *a = read_properties("a=1\nb=2\n");
    struct sl_props *b = read_properties("b=2\na=1\n");

    (void)state;
    assert_true(sl_props_same(a, b));
    sl_props_hide(b, "a");
    assert_true(sl_props_same(a, b));
    sl_props_set(b, "c", "3");
    assert_false(sl_props_same(a, b));
    assert_false(sl_props_same(b, a));
    sl_props_remove(b, "c");
    sl_props_set(b, "a", "2");
    assert_false(sl_props_same(a, b));
    assert_false(sl_props_same(NULL, b));
    assert_true(sl_props_same(NULL, NULL));
    sl_props_free(a);
    sl_props_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(java_properties_are_read_as_java_reads_them),
        cmocka_unit_test(a_malformed_unicode_escape_names_its_line),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(both_shapes_of_connector_files_are_taken),
        cmocka_unit_test(malformed_json_names_line_and_column),
        cmocka_unit_test(lists_are_walked_item_by_item),
        cmocka_unit_test(order_is_kept_and_keys_are_replaced_and_removed),
        cmocka_unit_test(settings_are_the_same_in_whatever_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
