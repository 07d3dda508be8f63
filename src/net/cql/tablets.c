/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cql/ring.h"

struct sl_cql_tablet_table {
    struct sl_cql_tablet_table *next;
    char *keyspace, *table;
    struct sl_cql_tablet *tablets; /* ascending, without overlaps */
    uint32_t n, capacity;
};

static struct sl_cql_tablet_table *find_table(const struct sl_cql_tablets *tablets, const char *keyspace,
                                              const char *table)
{
    struct sl_cql_tablet_table *t = tablets->tables;

    while (t && (strcmp(t->table, table) != 0 || strcmp(t->keyspace, keyspace) != 0))
        t = t->next;
    return t;
}

/* tuple<uuid, int> */
static bool read_replica(struct sl_cql_cell cell, struct sl_cql_tablet *tablet)
{
    const struct sl_cql_type *const args[] = {sl_cql_type_simple(SL_CQL_UUID),
                                              sl_cql_type_simple(SL_CQL_INT)};
    const struct sl_cql_type tuple = {.kind = SL_CQL_TUPLE, .n_args = 2, .args = args};
    const struct sl_cql_type *type;
    struct sl_cql_parts parts;
    struct sl_cql_cell host;
    struct sl_cql_cell part;
    int32_t shard;

    if (!sl_cql_parts_open(&tuple, cell, &parts) || sl_cql_parts_next(&parts, &type, &host) != 1 ||
        sl_cql_parts_next(&parts, &type, &part) != 1 || host.len != 16 || !sl_cql_int32(part, &shard) ||
        shard < 0)
        return false;
    if (tablet->n < SL_CQL_REPLICAS_MAX) {
        memcpy(tablet->replicas[tablet->n].host_id, host.data, 16);
        tablet->replicas[tablet->n++].shard = (uint32_t)shard;
    }
    return true;
}

/* tuple<bigint, bigint, list<tuple<uuid, int>>> */
static bool read_tablet(struct sl_cql_cell payload, struct sl_cql_tablet *ret)
{
    const struct sl_cql_type *const blob[] = {sl_cql_type_simple(SL_CQL_BLOB)};
    const struct sl_cql_type list = {.kind = SL_CQL_LIST, .n_args = 1, .args = blob};
    const struct sl_cql_type *const args[] = {sl_cql_type_simple(SL_CQL_BIGINT),
                                              sl_cql_type_simple(SL_CQL_BIGINT), &list};
    const struct sl_cql_type tuple = {.kind = SL_CQL_TUPLE, .n_args = 3, .args = args};
    struct sl_cql_tablet tablet = {0};
    const struct sl_cql_type *type;
    struct sl_cql_cell cells[3];
    struct sl_cql_parts parts;
    struct sl_cql_cell cell;
    int more;

    if (!sl_cql_parts_open(&tuple, payload, &parts))
        return false;
    for (int i = 0; i < 3; i++) {
        if (sl_cql_parts_next(&parts, &type, &cells[i]) != 1)
            return false;
    }
    if (!sl_cql_int64(cells[0], &tablet.first) || !sl_cql_int64(cells[1], &tablet.last) ||
        tablet.first >= tablet.last || !sl_cql_parts_open(&list, cells[2], &parts))
        return false;
    while ((more = sl_cql_parts_next(&parts, &type, &cell)) > 0) {
        if (!read_replica(cell, &tablet))
            return false;
    }
    *ret = tablet;
    return more == 0 && tablet.n > 0;
}

void sl_cql_tablets_learn(struct sl_cql_tablets *tablets, const char *keyspace, const char *table,
                          struct sl_cql_cell payload)
{
    struct sl_cql_tablet_table *t;
    struct sl_cql_tablet tablet;
    uint32_t from = 0;
    uint32_t to;

    if (!read_tablet(payload, &tablet))
        return;
    if (!(t = find_table(tablets, keyspace, table))) {
        t = sl_zalloc(1, sizeof(*t));
        t->keyspace = sl_strdup(keyspace);
        t->table = sl_strdup(table);
        t->next = tablets->tables;
        tablets->tables = t;
    }
    while (from < t->n && t->tablets[from].last <= tablet.first)
        from++;
    for (to = from; to < t->n && t->tablets[to].first < tablet.last;)
        to++; /* what overlaps is out of date */
    SL_GROW(t->tablets, t->n, t->capacity);
    memmove(t->tablets + from + 1, t->tablets + to, (t->n - to) * sizeof(*t->tablets));
    t->tablets[from] = tablet;
    t->n = t->n - (to - from) + 1;
}

const struct sl_cql_tablet *sl_cql_tablets_find(const struct sl_cql_tablets *tablets, const char *keyspace,
                                                const char *table, int64_t token)
{
    const struct sl_cql_tablet_table *t = find_table(tablets, keyspace, table);
    uint32_t low = 0;
    uint32_t high = t ? t->n : 0;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (t->tablets[middle].last < token)
            low = middle + 1;
        else
            high = middle;
    }
    return t && low < t->n && t->tablets[low].first < token ? &t->tablets[low] : NULL;
}

void sl_cql_tablets_done(struct sl_cql_tablets *tablets)
{
    while (tablets->tables) {
        struct sl_cql_tablet_table *t = tablets->tables;

        tablets->tables = t->next;
        sl_free(t->keyspace);
        sl_free(t->table);
        sl_free(t->tablets);
        sl_free(t);
    }
}
