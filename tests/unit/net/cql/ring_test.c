/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Six nodes on a ring of 0, 10, 20 ...: dc1 has a, b (rack r1), c (r2), d (r2); dc2 has e, f. */
enum { A, B, C, D, E, F, NODES };

static struct sl_cql_node nodes[NODES];
static int64_t tokens[NODES];
static char dc1[] = "dc1", dc2[] = "dc2", r1[] = "r1", r2[] = "r2";

static struct sl_cql_ring make_ring(void)
{
    char *const racks[NODES] = {r1, r1, r2, r2, r1, r1};
    struct sl_cql_ring ring = {0};

    for (int i = 0; i < NODES; i++) {
        tokens[i] = 10 * i;
        nodes[i] = (struct sl_cql_node){.next = i + 1 < NODES ? &nodes[i + 1] : NULL,
                                        .data_center = i < E ? dc1 : dc2,
                                        .rack = racks[i],
                                        .is_member = true,
                                        .tokens = &tokens[i],
                                        .n_tokens = 1};
    }
    sl_cql_ring_build(&ring, nodes);
    return ring;
}

static void add_text(struct sl_buf *out, const char *text)
{
    sl_buf_be32(out, (uint32_t)strlen(text));
    sl_buf_text(out, text);
}

/* pairs of names and values, ended by NULL */
static void add_keyspace(struct sl_cql_ring *ring, const char *name, const char *const *pairs)
{
    struct sl_buf map = {0};
    uint32_t n = 0;

    while (pairs[2 * n])
        n++;
    sl_buf_be32(&map, n);
    for (uint32_t i = 0; i < 2 * n; i++)
        add_text(&map, pairs[i]);
    sl_cql_ring_add_keyspace(ring, name, (struct sl_cql_cell){map.data, (int32_t)map.len});
    sl_buf_done(&map);
}

/* "abc": the replicas' letters in order. */
static void assert_replicas(const struct sl_cql_ring *ring, const char *keyspace, int64_t token,
                            const char *letters)
{
    struct sl_cql_node *found[SL_CQL_REPLICAS_MAX];
    uint32_t n = sl_cql_ring_replicas(ring, keyspace, token, found);
    char text[SL_CQL_REPLICAS_MAX + 1] = "";

    for (uint32_t i = 0; i < n; i++)
        text[i] = (char)('a' + (found[i] - nodes));
    assert_string_equal(text, letters);
}

static void a_range_belongs_to_the_token_at_its_end(void **state)
{
    struct sl_cql_ring ring = make_ring();

    (void)state;
    assert_replicas(&ring, NULL, 10, "b");
    assert_replicas(&ring, NULL, 11, "c");
    assert_replicas(&ring, NULL, INT64_MIN, "a");
    assert_replicas(&ring, NULL, 51, "a");
    assert_replicas(&ring, "unknown", INT64_MAX, "a");
    sl_cql_ring_done(&ring);
}

static void simple_replication_goes_round(void **state)
{
    static const char *const three[] = {"class", "org.apache.cassandra.locator.SimpleStrategy",
                                        "replication_factor", "3", NULL};
    struct sl_cql_ring ring = make_ring();

    (void)state;
    add_keyspace(&ring, "ks", three);
    assert_replicas(&ring, "ks", 45, "fab");
    sl_cql_ring_done(&ring);
}

static void replication_by_data_centre_takes_each_rack_first(void **state)
{
    static const char *const both[] = {"class", "NetworkTopologyStrategy", "dc1", "3", "dc2", "1", NULL};
    static const char *const two[] = {"class", "NetworkTopologyStrategy", "dc1", "2", NULL};
    struct sl_cql_ring ring = make_ring();

    (void)state;
    add_keyspace(&ring, "both", both);
    add_keyspace(&ring, "two", two);
    assert_replicas(&ring, "both", 0,
                    "acbe"); /* b shares its rack with a, and comes when each rack was used */
    assert_replicas(&ring, "two", 15, "ca");
    assert_replicas(&ring, "two", 35, "ac"); /* e and f are elsewhere */
    sl_cql_ring_done(&ring);
}

static void a_malformed_replication_is_left_out(void **state)
{
    struct sl_cql_ring ring = make_ring();

    (void)state;
    sl_cql_ring_add_keyspace(&ring, "ks", (struct sl_cql_cell){(const uint8_t *)"\x7f\xff\xff\xff", 4});
    sl_cql_ring_add_keyspace(&ring, "ks", (struct sl_cql_cell){NULL, SL_CQL_NULL});
    assert_replicas(&ring, "ks", 10, "b");
    sl_cql_ring_done(&ring);
}

static void an_empty_ring_has_no_replicas(void **state)
{
    struct sl_cql_ring ring = {0};

    (void)state;
    assert_replicas(&ring, "ks", 10, "");
    sl_cql_ring_done(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_belongs_to_the_token_at_its_end),
        cmocka_unit_test(simple_replication_goes_round),
        cmocka_unit_test(replication_by_data_centre_takes_each_rack_first),
        cmocka_unit_test(a_malformed_replication_is_left_out),
        cmocka_unit_test(an_empty_ring_has_no_replicas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
