/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes_test.h"
#include "net/cql/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What SELECT token(b) says on Cassandra 5.0.9. */
static void murmur3_is_the_server_s_own(void **state)
{
    const struct {
        struct sl_cql_cell key;
        int64_t token;
    } known[] = {
        {CELL("a"), -8839064797231613815},
        {CELL("\x80\xff"), -1866254034066908819},
        {CELL("\x00\x01\x02\x03\x04\x05\x06\xf7"), 3009960932923137236},
        {CELL("\x00\x01\x02\x03\x04\x05\x06\x07\x88"), -1498691940496768737},
        {CELL("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"), 4920504430128807728},
        {CELL("\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"
              "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e"),
         -3178509922528124351},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(sl_cql_token(&known[i].key, 1), known[i].token);
}

static void a_key_of_several_columns_is_joined_with_lengths(void **state)
{
    const struct sl_cql_cell key[] = {CELL("key"), CELL("\xff\xff\xff\xf9")};

    (void)state;
    assert_int_equal(sl_cql_token(key, 2), -537808461293283087);
}

static void a_stream_s_token_stands_in_its_id(void **state)
{
    (void)state;
    assert_int_equal(sl_cql_cdc_token(CELL("\x80\0\0\0\0\0\0\x01"
                                           "12345678")),
                     INT64_MIN + 1);
    assert_int_equal(sl_cql_cdc_token(CELL("short")), INT64_MIN);
}

static void shards_share_the_ring_evenly(void **state)
{
    (void)state;
    assert_int_equal(sl_cql_shard(INT64_MIN, 8, 0), 0);
    assert_int_equal(sl_cql_shard(INT64_MAX, 8, 0), 7);
    assert_int_equal(sl_cql_shard(0, 8, 0), 4);
    /* twelve bits are left out: a 4096th of the ring spans all shards */
    assert_int_equal(sl_cql_shard(INT64_MIN + (1LL << 51), 8, 12), 4);
    assert_int_equal(sl_cql_shard(INT64_MIN + (1LL << 52) - 1, 8, 12), 7);
    assert_int_equal(sl_cql_shard(INT64_MIN + (1LL << 52), 8, 12), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur3_is_the_server_s_own),
        cmocka_unit_test(a_key_of_several_columns_is_joined_with_lengths),
        cmocka_unit_test(a_stream_s_token_stands_in_its_id),
        cmocka_unit_test(shards_share_the_ring_evenly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
