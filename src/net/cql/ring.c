/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/session.h"

#include <stdlib.h>

static int by_token(const void *a, const void *b)
{
    int64_t left = ((const struct sl_cql_owner *)a)->token;
    int64_t right = ((const struct sl_cql_owner *)b)->token;

    return left < right ? -1 : left > right;
}

static void clear_centers(struct sl_cql_ring *ring)
{
    for (uint32_t i = 0; i < ring->n_centers; i++)
        sl_free(ring->centers[i].name);
    ring->n_centers = 0;
    ring->n_nodes = 0;
}

static struct sl_cql_center *find_center(const struct sl_cql_ring *ring, const char *name)
{
    for (uint32_t i = 0; i < ring->n_centers; i++) {
        if (strcmp(ring->centers[i].name, name) == 0)
            return &ring->centers[i];
    }
    return NULL;
}

static bool owns_some(const struct sl_cql_node *node)
{
    return node->is_member && node->n_tokens;
}

static bool same_rack(const struct sl_cql_node *a, const struct sl_cql_node *b)
{
    return strcmp(a->data_center, b->data_center) == 0 && strcmp(a->rack, b->rack) == 0;
}

static void count_node(struct sl_cql_ring *ring, const struct sl_cql_node *nodes,
                       const struct sl_cql_node *node)
{
    struct sl_cql_center *center = find_center(ring, node->data_center);
    const struct sl_cql_node *before = nodes;

    if (!center) {
        ring->centers = sl_realloc(ring->centers, ring->n_centers + 1, sizeof(*ring->centers));
        center = &ring->centers[ring->n_centers++];
        *center = (struct sl_cql_center){.name = sl_strdup(node->data_center)};
    }
    while (before != node && !(owns_some(before) && same_rack(before, node)))
        before = before->next;
    center->n_racks += before == node;
    center->n_nodes++;
    ring->n_nodes++;
}

void sl_cql_ring_build(struct sl_cql_ring *ring, struct sl_cql_node *nodes)
{
    uint32_t n = 0;

    for (struct sl_cql_node *node = nodes; node; node = node->next)
        n += node->is_member ? node->n_tokens : 0;
    ring->owners = sl_realloc(ring->owners, n + 1, sizeof(*ring->owners));
    ring->tokens = sl_realloc(ring->tokens, n + 1, sizeof(*ring->tokens));
    ring->n = 0;
    clear_centers(ring);
    for (const struct sl_cql_node *node = nodes; node; node = node->next) {
        if (owns_some(node))
            count_node(ring, nodes, node);
    }
    for (struct sl_cql_node *node = nodes; node; node = node->next) {
        for (uint32_t i = 0; node->is_member && i < node->n_tokens; i++)
            ring->owners[ring->n++] = (struct sl_cql_owner){node->tokens[i], node};
    }
    qsort(ring->owners, ring->n, sizeof(*ring->owners), by_token);
    for (uint32_t i = 0; i < ring->n; i++)
        ring->tokens[i] = ring->owners[i].token;
}

void sl_cql_ring_clear_keyspaces(struct sl_cql_ring *ring)
{
    for (uint32_t i = 0; i < ring->n_keyspaces; i++) {
        struct sl_cql_replication *replication = &ring->keyspaces[i];

        for (uint32_t c = 0; c < replication->n_centers; c++)
            sl_free(replication->centers[c].name);
        sl_free(replication->centers);
        sl_free(replication->keyspace);
    }
    ring->n_keyspaces = 0;
}

void sl_cql_ring_done(struct sl_cql_ring *ring)
{
    sl_cql_ring_clear_keyspaces(ring);
    clear_centers(ring);
    sl_free(ring->centers);
    sl_free(ring->keyspaces);
    sl_free(ring->owners);
    sl_free(ring->tokens);
}

static bool is(struct sl_cql_cell text, const char *what)
{
    return text.len >= 0 && (size_t)text.len == strlen(what) &&
           memcmp(text.data, what, (size_t)text.len) == 0;
}

/* "3"; Cassandra's transient replication writes "3/1". */
static uint32_t factor_of(struct sl_cql_cell text)
{
    uint32_t v = 0;

    for (int32_t i = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9' && v < 1000; i++)
        v = v * 10 + (uint32_t)(text.data[i] - '0');
    return v;
}

static void add_center(struct sl_cql_replication *replication, struct sl_cql_cell name,
                       struct sl_cql_cell factor)
{
    uint32_t n = replication->n_centers;

    replication->centers = sl_realloc(replication->centers, n + 1, sizeof(*replication->centers));
    replication->centers[n].name = sl_strndup((const char *)name.data, (size_t)name.len);
    replication->centers[n].factor = factor_of(factor);
    replication->n_centers++;
}

void sl_cql_ring_add_keyspace(struct sl_cql_ring *ring, const char *keyspace, struct sl_cql_cell cell)
{
    const struct sl_cql_type *const text2[] = {sl_cql_type_simple(SL_CQL_VARCHAR),
                                               sl_cql_type_simple(SL_CQL_VARCHAR)};
    const struct sl_cql_type map = {.kind = SL_CQL_MAP, .n_args = 2, .args = text2};
    struct sl_cql_replication *replication;
    const struct sl_cql_type *type;
    struct sl_cql_parts parts;
    struct sl_cql_cell value;
    struct sl_cql_cell key;

    if (!sl_cql_parts_open(&map, cell, &parts))
        return;
    SL_GROW(ring->keyspaces, ring->n_keyspaces, ring->capacity);
    replication = &ring->keyspaces[ring->n_keyspaces++];
    *replication = (struct sl_cql_replication){.keyspace = sl_strdup(keyspace)};
    while (sl_cql_parts_next(&parts, &type, &key) > 0 && sl_cql_parts_next(&parts, &type, &value) > 0) {
        if (key.len < 0 || value.len < 0 || is(key, "class"))
            continue;
        if (is(key, "replication_factor"))
            replication->factor = factor_of(value);
        else
            add_center(replication, key, value);
    }
}

static bool contains(struct sl_cql_node *const *nodes, uint32_t n, const struct sl_cql_node *node)
{
    for (uint32_t i = 0; i < n; i++) {
        if (nodes[i] == node)
            return true;
    }
    return false;
}

/* Has one of the nodes this node's data centre and rack? */
static bool has_rack(struct sl_cql_node *const *nodes, uint32_t n, const struct sl_cql_node *node)
{
    for (uint32_t i = 0; i < n; i++) {
        if (same_rack(nodes[i], node))
            return true;
    }
    return false;
}

/*
 * NetworkTopologyStrategy, one data centre: going round the ring, a rack is used twice only when every rack
 * was used once, and then by those who were passed over first.
 */
static uint32_t add_center_replicas(const struct sl_cql_ring *ring, uint32_t start, const char *name,
                                    uint32_t factor, struct sl_cql_node **ret, uint32_t n)
{
    const struct sl_cql_center *center = find_center(ring, name);
    uint32_t taken = 0;

    for (int pass = 0; center && pass < 2; pass++) {
        uint32_t there_are = pass ? center->n_nodes : center->n_racks;
        uint32_t wanted = factor < there_are ? factor : there_are;

        for (uint32_t i = 0; i < ring->n && taken < wanted && n < SL_CQL_REPLICAS_MAX; i++) {
            struct sl_cql_node *node = ring->owners[(start + i) % ring->n].node;

            if (strcmp(node->data_center, name) != 0 || contains(ret, n, node))
                continue;
            if (pass == 0 && has_rack(ret, n, node))
                continue;
            taken++;
            ret[n++] = node;
        }
    }
    return n;
}

static uint32_t add_simple(const struct sl_cql_ring *ring, uint32_t start, uint32_t factor,
                           struct sl_cql_node **ret)
{
    uint32_t wanted = factor < ring->n_nodes ? factor : ring->n_nodes;
    uint32_t n = 0;

    for (uint32_t i = 0; i < ring->n && n < wanted && n < SL_CQL_REPLICAS_MAX; i++) {
        struct sl_cql_node *node = ring->owners[(start + i) % ring->n].node;

        if (!contains(ret, n, node))
            ret[n++] = node;
    }
    return n;
}

/* The range that holds the token ends at the first token that is not smaller. */
static uint32_t find_owner(const struct sl_cql_ring *ring, int64_t token)
{
    uint32_t low = 0;
    uint32_t high = ring->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ring->owners[middle].token < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low == ring->n ? 0 : low;
}

uint32_t sl_cql_ring_replicas(const struct sl_cql_ring *ring, const char *keyspace, int64_t token,
                              struct sl_cql_node *ret[SL_CQL_REPLICAS_MAX])
{
    const struct sl_cql_replication *replication = NULL;
    uint32_t n = 0;
    uint32_t start;

    if (ring->n == 0)
        return 0;
    start = find_owner(ring, token);
    for (uint32_t i = 0; keyspace && i < ring->n_keyspaces && !replication; i++) {
        if (strcmp(ring->keyspaces[i].keyspace, keyspace) == 0)
            replication = &ring->keyspaces[i];
    }
    if (!replication || (!replication->factor && !replication->n_centers))
        return add_simple(ring, start, 1, ret);
    if (!replication->n_centers)
        return add_simple(ring, start, replication->factor, ret);
    for (uint32_t c = 0; c < replication->n_centers; c++)
        n = add_center_replicas(ring, start, replication->centers[c].name, replication->centers[c].factor,
                                ret, n);
    return n;
}
