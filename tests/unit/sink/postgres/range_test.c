/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes of many rows at once, between the rows of their batch. */
#include "sink_fixture.h"

#include "base/arena.h"
#include "base/buf.h"
#include "data/schema_build.h"
#include "sluice/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct sink_under_test sut;
static const struct sl_schema *key_schema; /* p, a, b */
static const struct sl_schema *value_schema;

static const char *const upsert_key[] = {"insert.mode",    "upsert", "pk.mode", "record_key",
                                         "delete.enabled", "true",   NULL};

static int start(void **state)
{
    const struct sl_schema *number = sl_schema_plain(SL_INT32, true);

    (void)server_start(state);
    key_schema = schema_of("p", number, "a", number, "b", number, NULL);
    value_schema = schema_of("v", number, "__deleted", sl_schema_plain(SL_STRING, true), "__op",
                             sl_schema_plain(SL_STRING, true), NULL);
    return 0;
}

static void open_on(const char *ddl)
{
    (void)server_clean(NULL);
    sink_open_on(&sut, ddl, upsert_key);
}

static const char table[] =
    "CREATE TABLE t (p int, a int, b int, v int, __deleted text, __op text, PRIMARY KEY (p, a, b))";

static void add_row(struct sl_batch *batch, int p, int a, int b, int v)
{
    (void)batch_add(batch, "t", key_schema, ROW(batch, INT(p), INT(a), INT(b)), value_schema,
                    ROW(batch, INT(v), TEXT("false"), TEXT("u")));
}

static void add_delete(struct sl_batch *batch, int p, int a, int b)
{
    (void)batch_add(batch, "t", key_schema, ROW(batch, INT(p), INT(a), INT(b)), NULL, NIL);
}

/* Put a header on a record, as the engine's decoder would. */
static void put_header(struct sl_batch *batch, struct sl_record *record, const char *name, const char *value,
                       uint8_t flag)
{
    struct sl_header *header = sl_arena_alloc(batch->arena, sizeof(*header));

    *header = (struct sl_header){
        .name = name,
        .value = sl_bytes(SL_BYTES, sl_arena_copy(batch->arena, value, strlen(value)), strlen(value))};
    record->headers = header;
    record->n_headers = 1;
    record->flags |= flag;
    batch->flags |= flag;
}

static void add_range_of(struct sl_batch *batch, const struct sl_schema *schema, struct sl_value key,
                         const char *range)
{
    struct sl_record *record = batch_add(batch, "t", schema, key, NULL, NIL);

    put_header(batch, record, SL_HEADER_RANGE, range, SL_RECORD_RANGE);
}

static void add_range(struct sl_batch *batch, const char *range)
{
    add_range_of(batch, key_schema, ROW(batch, INT(1), NIL, NIL), range);
}

static void put(struct sl_batch *batch)
{
    if (sink_put(&sut, "t", batch) != SL_OK)
        fail_msg("%s", sut.err.text);
}

static const char *rows(void)
{
    return pg_fixture_rows(&pg, "SELECT p, a, b FROM t ORDER BY p, a, b");
}

static const char nine_rows[] =
    "; INSERT INTO t SELECT 1, a, b, 0 FROM generate_series(1, 3) a, generate_series(1, 3) b"
    "; INSERT INTO t VALUES (2, 2, 2, 0)";

static void deletes(const char *range, const char *left)
{
    struct sl_batch *batch = batch_new();
    char *ddl = sl_format("%s%s", table, nine_rows);

    open_on(ddl);
    sl_free(ddl);
    add_range(batch, range);
    put(batch);
    assert_string_equal(rows(), left);
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

static void the_ends_of_a_range_are_compared_as_tuples(void **state)
{
    (void)state;
    deletes("{\"version\":1,\"equal\":{\"p\":1},\"from\":{},\"from_inclusive\":true,\"to\":{},"
            "\"to_inclusive\":true}",
            "2|2|2");
    deletes("{\"version\":1,\"equal\":{\"p\":1},\"from\":{\"a\":2},\"from_inclusive\":false,\"to\":{},"
            "\"to_inclusive\":true}",
            "1|1|1\n1|1|2\n1|1|3\n1|2|1\n1|2|2\n1|2|3\n2|2|2");
    deletes("{\"version\":1,\"equal\":{\"p\":1},\"from\":{\"a\":1,\"b\":2},\"from_inclusive\":false,"
            "\"to\":{\"a\":3,\"b\":2},\"to_inclusive\":true}",
            "1|1|1\n1|1|2\n1|3|3\n2|2|2");
    deletes("{\"version\":1,\"equal\":{\"p\":1},\"from\":{\"a\":2,\"b\":2},\"from_inclusive\":true,"
            "\"to\":{\"a\":2},\"to_inclusive\":true,\"descending\":[\"b\"]}",
            "1|1|1\n1|1|2\n1|1|3\n1|2|1\n1|3|1\n1|3|2\n1|3|3\n2|2|2");
}

static void rows_keep_their_place_before_and_behind_a_range(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on(table);
    add_row(batch, 1, 1, 1, 1);
    add_row(batch, 1, 5, 5, 1);
    add_range(batch, "{\"version\":1,\"equal\":{\"p\":1},\"to\":{\"a\":4},\"to_inclusive\":true}");
    add_row(batch, 1, 2, 2, 2);
    add_row(batch, 1, 1, 1, 3);
    add_delete(batch, 1, 5, 5);
    put(batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT p, a, b, v FROM t ORDER BY p, a, b"),
                        "1|1|1|3\n1|2|2|2");
    assert_string_equal(pg_fixture_rows(&pg, "SELECT next_offset FROM sluice_offsets"), "6");
    sink_close(&sut);
}

static void a_rewritten_delete_marks_the_rows_of_its_range(void **state)
{
    struct sl_batch *batch = batch_new();
    struct sl_record *record;

    (void)state;
    open_on(table);
    add_row(batch, 1, 1, 1, 7);
    add_row(batch, 1, 2, 1, 8);
    record = batch_add(batch, "t", key_schema, ROW(batch, INT(1), NIL, NIL), value_schema,
                       ROW(batch, NIL, TEXT("true"), TEXT("d")));
    put_header(batch, record, SL_HEADER_RANGE,
               "{\"version\":1,\"equal\":{\"p\":1},\"from\":{\"a\":2},\"from_inclusive\":true}",
               SL_RECORD_RANGE);
    put(batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT a, v, __deleted, __op FROM t ORDER BY a"),
                        "1|7|false|u\n2|8|true|d");
    sink_close(&sut);
}

static void text_is_ordered_by_its_bytes_and_a_timeuuid_by_its_time(void **state)
{
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);
    const struct sl_schema *schema = schema_of("p", text, "c", text, NULL);
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (p text, c text COLLATE \"en-x-icu\", PRIMARY KEY (p, c));"
            "INSERT INTO t VALUES ('1', 'B'), ('1', 'a'), ('1', 'c')");
    add_range_of(batch, schema, ROW(batch, TEXT("1"), NIL),
                 "{\"version\":1,\"equal\":{\"p\":\"1\"},\"from\":{\"c\":\"a\"},\"from_inclusive\":true}");
    put(batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT c FROM t"), "B");
    sink_close(&sut);

    batch = batch_new();
    open_on("CREATE TABLE t (p text, c uuid, PRIMARY KEY (p, c)); INSERT INTO t VALUES"
            " ('1', 'ffffffff-0000-1000-8080-808080808080'), ('1', '00000000-0001-1000-8080-808080808080'),"
            " ('1', '00000000-0001-1000-7f7f-7f7f7f7f7f7f'), ('1', '00000000-0000-1001-8080-808080808080')");
    add_range_of(
        batch, schema, ROW(batch, TEXT("1"), NIL),
        "{\"version\":1,\"equal\":{\"p\":\"1\"},\"from\":{\"c\":\"00000000-0001-1000-8080-808080808080\"},"
        "\"from_inclusive\":false,\"order\":{\"c\":\"timeuuid\"}}");
    put(batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT c FROM t ORDER BY c"),
                        "00000000-0001-1000-8080-808080808080\nffffffff-0000-1000-8080-808080808080");
    sink_close(&sut);
}

static void uuids_are_ordered_by_their_version_first(void **state)
{
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);
    const struct sl_schema *schema = schema_of("p", text, "c", text, NULL);
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on("CREATE TABLE t (p text, c uuid, PRIMARY KEY (p, c)); INSERT INTO t VALUES"
            " ('1', 'ffffffff-0000-1000-8080-808080808080'), ('1', '00000000-0000-4000-8080-808080808080'),"
            " ('1', '10000000-0000-4000-8080-808080808080')");
    add_range_of(
        batch, schema, ROW(batch, TEXT("1"), NIL),
        "{\"version\":1,\"equal\":{\"p\":\"1\"},\"to\":{\"c\":\"00000000-0000-4000-8080-808080808080\"},"
        "\"to_inclusive\":true,\"order\":{\"c\":\"uuid\"}}");
    put(batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT c FROM t"), "10000000-0000-4000-8080-808080808080");
    sink_close(&sut);
}

static void a_range_that_cannot_be_understood_costs_itself(void **state)
{
    static const struct {
        const char *range;
        const char *says;
    } bad[] = {
        {"{\"version\":1,\"equal\":{\"q\":1}}", "column 'q'"},
        {"{\"version\":1,\"equal\":{\"p\":1},\"from\":{\"v\":1}}", "column 'v'"},
        {"{\"version\":1,\"equal\":{\"p\":\"x\"}}", "column 'p'"},
        {"{\"version\":1,\"equal\":{\"p\":null}}", "column 'p'"},
        {"{\"version\":1,\"equal\":{\"p\":1,\"p\":1,\"p\":1,\"p\":1}}", "twice"},
        {"{\"version\":1,\"equal\":{}}", "no partition key"},
        {"{\"version\":2,\"equal\":{\"p\":1}}", "unknown version"},
        {"{\"version\":1,\"equal\":{\"p\":1},\"order\":{\"a\":\"moon\"}}", "order of values"},
        {"{\"version\":1,\"equal\":{\"p\":1}", "no sound JSON"},
        {"", "no sound JSON"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct sl_batch *batch = batch_new();

        open_on(table);
        add_row(batch, 1, 1, 1, 1);
        add_range(batch, bad[i].range);
        add_row(batch, 1, 2, 2, 2);
        put(batch);
        assert_string_equal(rows(), "1|1|1\n1|2|2");
        assert_int_equal(sut.n_bad, 1);
        assert_int_equal(sut.bad[0], 1);
        if (!strstr(sut.bad_text, bad[i].says))
            fail_msg("%s: %s", bad[i].range, sut.bad_text);
        sink_close(&sut);
    }
}

static void a_bad_row_beside_a_range_costs_itself(void **state)
{
    struct sl_batch *batch = batch_new();
    char *ddl = sl_format("%s; ALTER TABLE t ADD CHECK (v < 100)", table);

    (void)state;
    open_on(ddl);
    sl_free(ddl);
    add_row(batch, 1, 1, 1, 1);
    add_row(batch, 1, 1, 2, 1000);
    add_range(batch, "{\"version\":1,\"equal\":{\"p\":1},\"to\":{\"a\":1},\"to_inclusive\":true}");
    add_row(batch, 1, 1, 3, 3);
    put(batch);
    assert_string_equal(rows(), "1|1|3");
    assert_int_equal(sut.n_bad, 1);
    assert_int_equal(sut.bad[0], 1);
    sink_close(&sut);
}

static void a_delete_by_a_key_with_a_null_is_no_delete_of_many(void **state)
{
    struct sl_batch *batch = batch_new();

    (void)state;
    open_on(table);
    add_row(batch, 1, 1, 1, 1);
    (void)batch_add(batch, "t", key_schema, ROW(batch, INT(1), NIL, NIL), NULL, NIL);
    put(batch);
    assert_string_equal(rows(), "1|1|1");
    assert_int_equal(sut.n_bad, 1);
    assert_int_equal(sut.bad[0], 1);
    assert_non_null(strstr(sut.bad_text, "null"));
    sink_close(&sut);
}

static void a_change_of_static_columns_is_passed_by(void **state)
{
    struct sl_batch *batch = batch_new();
    struct sl_record *record;

    (void)state;
    open_on(table);
    add_row(batch, 1, 1, 1, 1);
    record = batch_add(batch, "t", key_schema, ROW(batch, INT(1), NIL, NIL), value_schema,
                       ROW(batch, INT(9), TEXT("false"), TEXT("u")));
    put_header(batch, record, SL_HEADER_STATIC, "", SL_RECORD_STATIC);
    record = batch_add(batch, "t", key_schema, ROW(batch, INT(1), NIL, NIL), NULL, NIL);
    put_header(batch, record, SL_HEADER_STATIC, "", SL_RECORD_STATIC);
    add_row(batch, 1, 2, 2, 2);
    put(batch);
    assert_string_equal(rows(), "1|1|1\n1|2|2");
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT next_offset FROM sluice_offsets"), "4");
    sink_close(&sut);
}

static void a_delete_that_names_a_key_alone_marks_nothing_where_no_row_is(void **state)
{
    struct sl_batch *batch = batch_new();
    struct sl_record *record;

    (void)state;
    open_on("CREATE TABLE t (p int, a int, b int, v int NOT NULL, __deleted text, __op text, PRIMARY KEY (p, "
            "a, b))");
    add_row(batch, 1, 1, 1, 1);
    for (int i = 1; i <= 2; i++) { /* one that is there, one that is not */
        record = batch_add(batch, "t", key_schema, ROW(batch, INT(i), INT(1), INT(1)), value_schema,
                           ROW(batch, (struct sl_value){.tag = SL_ABSENT}, TEXT("true"), TEXT("d")));
        put_header(batch, record, SL_HEADER_READ, "\002", SL_RECORD_PARTIAL);
    }
    put(batch);
    assert_int_equal(sut.n_bad, 0);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT p, v, __deleted FROM t"), "1|1|true");
    batch = batch_new();
    record = batch_add(batch, "t", key_schema, ROW(batch, INT(3), INT(1), INT(1)), value_schema,
                       ROW(batch, (struct sl_value){.tag = SL_ABSENT}, TEXT("true"), TEXT("d")));
    record->flags |= SL_RECORD_PARTIAL; /* the log's own delete, behind the one that was read */
    put(batch);
    assert_int_equal(sut.n_bad, 0);
    batch = batch_new();
    (void)batch_add(
        batch, "t", key_schema, ROW(batch, INT(4), INT(1), INT(1)), value_schema,
        ROW(batch, NIL, TEXT("true"), TEXT("d"))); /* a row that says null where null must not be */
    put(batch);
    assert_int_equal(sut.n_bad, 1);
    sink_close(&sut);
}

static void a_table_without_keys_lists_them_as_they_are(void **state)
{
    static const char *const settings[] = {"insert.mode", "insert", "pk.mode", "none", NULL};
    struct sl_batch *batch = batch_new();
    struct sl_record *record;

    (void)state;
    pg_fixture_run(&pg, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    pg_fixture_run(&pg, "CREATE TABLE t (v int, __deleted text, __op text)");
    sink_open(&sut, settings);
    assert_int_equal(sink_assign(&sut, "t"), SL_OK);
    add_row(batch, 1, 1, 1, 7);
    record = batch_add(batch, "t", key_schema, ROW(batch, INT(1), NIL, NIL), value_schema,
                       ROW(batch, NIL, TEXT("true"), TEXT("d")));
    put_header(batch, record, SL_HEADER_RANGE, "{\"version\":1,\"equal\":{\"p\":1}}", SL_RECORD_RANGE);
    record = batch_add(batch, "t", key_schema, ROW(batch, INT(1), NIL, NIL), value_schema,
                       ROW(batch, INT(9), TEXT("false"), TEXT("u")));
    put_header(batch, record, SL_HEADER_STATIC, "", SL_RECORD_STATIC);
    put(batch);
    assert_string_equal(pg_fixture_rows(&pg, "SELECT v, __deleted, __op FROM t ORDER BY v"),
                        "7|false|u\n9|false|u\nNULL|true|d");
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

/* ---- random batches against a table in memory ---- */

enum { SIDE = 4 };
static int model[2][SIDE][SIDE]; /* v, 0: no row */

static uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random >> 8;
}

/* Is (a, b) on the inner side of a bound of n columns? direction 1: above it. */
static bool inside(int a, int b, const int *bound, int n, bool inclusive, int direction)
{
    int order = n > 0 ? a - bound[0] : 0;

    if (n > 1 && order == 0)
        order = b - bound[1];
    return n == 0 || order * direction > 0 || (inclusive && order == 0);
}

static void put_end(char *text, size_t size, const int *bound, int n)
{
    if (n == 0)
        (void)snprintf(text, size, "{}");
    else if (n == 1)
        (void)snprintf(text, size, "{\"a\":%d}", bound[0]);
    else
        (void)snprintf(text, size, "{\"a\":%d,\"b\":%d}", bound[0], bound[1]);
}

static void random_range(struct sl_batch *batch, uint64_t *random)
{
    int p = (int)(next(random) % 2);
    int low[2] = {(int)(next(random) % SIDE), (int)(next(random) % SIDE)};
    int high[2] = {(int)(next(random) % SIDE), (int)(next(random) % SIDE)};
    int n_low = (int)(next(random) % 3);
    int n_high = (int)(next(random) % 3);
    bool with_low = next(random) % 2;
    bool with_high = next(random) % 2;
    char from[40];
    char to[40];
    char header[300];

    put_end(from, sizeof(from), low, n_low);
    put_end(to, sizeof(to), high, n_high);
    (void)snprintf(header, sizeof(header),
                   "{\"version\":1,\"equal\":{\"p\":%d},\"from\":%s,\"from_inclusive\":%s,\"to\":%s,"
                   "\"to_inclusive\":%s}",
                   p, from, with_low ? "true" : "false", to, with_high ? "true" : "false");
    add_range_of(batch, key_schema, ROW(batch, INT(p), NIL, NIL), header);
    for (int a = 0; a < SIDE; a++) {
        for (int b = 0; b < SIDE; b++) {
            if (inside(a, b, low, n_low, with_low, 1) && inside(a, b, high, n_high, with_high, -1))
                model[p][a][b] = 0;
        }
    }
}

static void random_record(struct sl_batch *batch, uint64_t *random, int v)
{
    int p = (int)(next(random) % 2);
    int a = (int)(next(random) % SIDE);
    int b = (int)(next(random) % SIDE);

    switch (next(random) % 8) {
    case 0: random_range(batch, random); break;
    case 1:
        add_delete(batch, p, a, b);
        model[p][a][b] = 0;
        break;
    case 2: /* says nothing about v */
        (void)batch_add(batch, "t", key_schema, ROW(batch, INT(p), INT(a), INT(b)), value_schema,
                        ROW(batch, ABSENT, TEXT("false"), TEXT("u")));
        if (!model[p][a][b])
            model[p][a][b] = -1;
        break;
    default:
        add_row(batch, p, a, b, v);
        model[p][a][b] = v;
        break;
    }
}

static char *model_rows(void)
{
    struct sl_buf text = {0};

    for (int p = 0; p < 2; p++) {
        for (int a = 0; a < SIDE; a++) {
            for (int b = 0; b < SIDE; b++) {
                if (model[p][a][b])
                    sl_buf_format(&text, "%s%d|%d|%d|%d", text.len ? "\n" : "", p, a, b, model[p][a][b]);
            }
        }
    }
    (void)sl_buf_cstr(&text);
    return (char *)text.data;
}

static void any_mixture_ends_as_it_does_one_by_one(void **state)
{
    uint64_t random = 20261121;

    (void)state;
    memset(model, 0, sizeof(model));
    open_on(table);
    pg_fixture_run(&pg, "ALTER TABLE t ALTER v SET DEFAULT -1");
    for (int round = 0; round < 150; round++) {
        struct sl_batch *batch = batch_new();
        int n = 1 + (int)(next(&random) % 60);
        char *expected;

        for (int i = 0; i < n; i++)
            random_record(batch, &random, round * 100 + i + 1);
        put(batch);
        expected = model_rows();
        if (strcmp(pg_fixture_rows(&pg, "SELECT p, a, b, v FROM t ORDER BY p, a, b"), expected) != 0)
            fail_msg("round %d differs: expected\n%s\ngot\n%s", round, expected,
                     pg_fixture_rows(&pg, "SELECT p, a, b, v FROM t ORDER BY p, a, b"));
        sl_free(expected);
    }
    assert_int_equal(sut.n_bad, 0);
    sink_close(&sut);
}

static void one_list_of_key_columns_serves_tables_that_have_some_of_them(void **state)
{
    static const char *const settings[] = {"insert.mode",    "upsert",    "pk.mode",
                                           "record_key",     "pk.fields", "user_id,order_id,p,a,b,item_id",
                                           "delete.enabled", "true",      NULL};
    static const char *const slip[] = {"insert.mode", "upsert", "pk.mode", "record_key",
                                       "pk.fields",   "p,a,bb", NULL};
    struct sl_batch *batch = batch_new();

    (void)state;
    pg_fixture_run(&pg, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    pg_fixture_run(&pg, table);
    sink_open(&sut, settings);
    assert_int_equal(sink_assign(&sut, "t"), SL_OK);
    add_row(batch, 1, 1, 1, 1);
    add_row(batch, 1, 1, 2, 2);
    add_delete(batch, 1, 1, 1);
    put(batch);
    assert_string_equal(rows(), "1|1|2");
    sink_close(&sut);

    batch = batch_new();
    sink_open(&sut, slip);
    assert_int_equal(sink_assign(&sut, "t"), SL_OK);
    add_row(batch, 1, 1, 1, 1);
    assert_int_equal(sink_put(&sut, "t", batch), SL_E_SCHEMA);
    assert_non_null(strstr(sut.err.text, "'bb'"));
    sink_close(&sut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_of_a_range_are_compared_as_tuples),
        cmocka_unit_test(rows_keep_their_place_before_and_behind_a_range),
        cmocka_unit_test(a_rewritten_delete_marks_the_rows_of_its_range),
        cmocka_unit_test(text_is_ordered_by_its_bytes_and_a_timeuuid_by_its_time),
        cmocka_unit_test(uuids_are_ordered_by_their_version_first),
        cmocka_unit_test(a_range_that_cannot_be_understood_costs_itself),
        cmocka_unit_test(a_bad_row_beside_a_range_costs_itself),
        cmocka_unit_test(a_delete_by_a_key_with_a_null_is_no_delete_of_many),
        cmocka_unit_test(a_change_of_static_columns_is_passed_by),
        cmocka_unit_test(a_delete_that_names_a_key_alone_marks_nothing_where_no_row_is),
        cmocka_unit_test(a_table_without_keys_lists_them_as_they_are),
        cmocka_unit_test(any_mixture_ends_as_it_does_one_by_one),
        cmocka_unit_test(one_list_of_key_columns_serves_tables_that_have_some_of_them),
    };

    return cmocka_run_group_tests(tests, start, server_stop);
}
