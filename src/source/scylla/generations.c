/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/generations.h"

#include <stdlib.h>

/* The metadata is replicated: a quorum tells the newest, where there is more than one node to ask. */
static enum sl_cql_consistency consistency_of(const struct sl_cql *cql)
{
    return sl_cql_n_hosts(cql) > 1 ? SL_CQL_QUORUM : SL_CQL_ONE;
}

static enum sl_rc ask(struct sl_cql *cql, const char *text, const struct sl_cql_values *values,
                      enum sl_cql_consistency consistency, struct sl_cql_answer **ret, struct sl_error *err)
{
    return sl_cql_query(
        cql,
        &(struct sl_cql_request){.text = text, .values = values, .consistency = consistency, .page_rows = -1},
        ret, err);
}

/* ---- vnodes: which of the two generations of tables ---- */

static enum sl_rc has_rows(struct sl_cql *cql, const char *text, const char *first, const char *second,
                           bool *ret_has, struct sl_error *err)
{
    struct sl_cql_values values = {0};
    struct sl_cql_answer *answer;
    enum sl_rc rc;

    if (first)
        sl_cql_bind_text(&values, first);
    if (second)
        sl_cql_bind_text(&values, second);
    rc = ask(cql, text, first ? &values : NULL, SL_CQL_ONE, &answer, err);
    sl_cql_values_done(&values);
    if (rc != SL_OK)
        return rc;
    *ret_has = answer->rows.n_rows > 0;
    sl_cql_answer_free(answer);
    return SL_OK;
}

/* Before 4.4 there was one table; it is right until its contents were rewritten into the two new ones. */
static enum sl_rc is_old_form(struct sl_cql *cql, bool *ret_old, struct sl_error *err)
{
    static const char text[] =
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    bool has_new = false, has_old = false, rewritten = false;
    enum sl_rc rc = has_rows(cql, text, "system_distributed", "cdc_generation_timestamps", &has_new, err);

    if (rc == SL_OK)
        rc = has_rows(cql, text, "system_distributed", "cdc_streams_descriptions", &has_old, err);
    if (rc == SL_OK && has_new && has_old)
        rc = has_rows(cql, "SELECT key FROM system.cdc_local WHERE key = 'rewritten'", NULL, NULL, &rewritten,
                      err);
    if (rc == SL_OK && !has_new && !has_old)
        return sl_error_set(err, SL_E_NOT_FOUND,
                            "the cluster has no table of change-log generations (system_distributed."
                            "cdc_generation_timestamps). HINT: is it ScyllaDB 4.0 or newer?");
    *ret_old = has_old && !(has_new && rewritten);
    return rc;
}

/* ---- the next set ---- */

/* One row, one timestamp or null. */
static enum sl_rc read_time(struct sl_cql_answer *answer, int64_t *ret_ms, struct sl_error *err)
{
    struct sl_cql_cell cell;
    bool more = false;
    enum sl_rc rc = sl_cql_rows_next(&answer->rows, &cell, &more, err);

    if (rc == SL_OK && (!more || !sl_cql_int64(cell, ret_ms)))
        *ret_ms = SL_SCYLLA_NO_TIME;
    sl_cql_answer_free(answer);
    return rc;
}

static enum sl_rc next_of_tablets(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t after_ms,
                                  int64_t *ret_ms, struct sl_error *err)
{
    struct sl_cql_values values = {0};
    struct sl_cql_answer *answer;
    enum sl_rc rc;

    sl_cql_bind_text(&values, table->keyspace);
    sl_cql_bind_text(&values, table->name);
    sl_cql_bind_int64(&values, after_ms);
    rc = ask(cql,
             "SELECT timestamp FROM system.cdc_timestamps WHERE keyspace_name = ? AND table_name = ? AND "
             "timestamp > ? ORDER BY timestamp ASC LIMIT 1",
             &values, SL_CQL_ONE, &answer, err);
    sl_cql_values_done(&values);
    return rc == SL_OK ? read_time(answer, ret_ms, err) : rc;
}

enum sl_rc sl_scylla_next_generation(struct sl_cql *cql, const struct sl_scylla_table *table,
                                     int64_t after_ms, int64_t *ret_ms, struct sl_error *err)
{
    struct sl_cql_values values = {0};
    struct sl_cql_answer *answer;
    bool old = false;
    enum sl_rc rc;

    if (table->tablets)
        return next_of_tablets(cql, table, after_ms, ret_ms, err);
    rc = is_old_form(cql, &old, err);
    if (rc != SL_OK)
        return rc;
    sl_cql_bind_int64(&values, after_ms);
    rc = ask(cql,
             old ? "SELECT min(time) FROM system_distributed.cdc_streams_descriptions WHERE time > ? ALLOW "
                   "FILTERING"
                 : "SELECT min(time) FROM system_distributed.cdc_generation_timestamps WHERE key = "
                   "'timestamps' AND "
                   "time > ?",
             &values, consistency_of(cql), &answer, err);
    sl_cql_values_done(&values);
    return rc == SL_OK ? read_time(answer, ret_ms, err) : rc;
}

/* ---- streams ---- */

uint32_t sl_scylla_stream_vnode(const struct sl_scylla_stream *stream)
{
    uint64_t low = sl_cql_load_be64(stream->id + 8);

    return (low & 0xF) == 1 ? (uint32_t)((low & 0x3FFFFF0) >> 4) : 0;
}

uint32_t sl_scylla_stream_part(const struct sl_scylla_stream *stream, uint32_t parts)
{
    /* The token's high bits are even enough, and they do not change from release to release. */
    return (uint32_t)((sl_cql_load_be64(stream->id) >> 32) * parts >> 32);
}

uint32_t sl_scylla_stream_set_vnode(const struct sl_scylla_stream_set *set, int64_t token)
{
    uint32_t low = 0, high = set->n_ranges;

    while (low < high) { /* the first range that ends at the token or beyond it */
        uint32_t middle = low + (high - low) / 2;

        if (set->ranges[middle].end < token)
            low = middle + 1;
        else
            high = middle;
    }
    return set->n_ranges ? set->ranges[low < set->n_ranges ? low : 0].vnode : 0;
}

static int64_t token_of(const struct sl_scylla_stream *stream)
{
    return (int64_t)sl_cql_load_be64(stream->id);
}

const struct sl_scylla_stream *sl_scylla_stream_set_tablet(const struct sl_scylla_stream_set *set,
                                                           int64_t token)
{
    const struct sl_scylla_stream *found = NULL, *least = NULL;

    for (uint32_t i = 0; i < set->n; i++) {
        const struct sl_scylla_stream *stream = &set->streams[i];

        if (!least || token_of(stream) < token_of(least))
            least = stream;
        if (token_of(stream) >= token && (!found || token_of(stream) < token_of(found)))
            found = stream;
    }
    return found ? found : least;
}

static int by_vnode_and_id(const void *a_, const void *b_)
{
    const struct sl_scylla_stream *a = a_, *b = b_;
    uint32_t x = sl_scylla_stream_vnode(a), y = sl_scylla_stream_vnode(b);

    if (x != y)
        return x < y ? -1 : 1;
    return sl_scylla_stream_compare(a->id, b->id);
}

struct growing {
    struct sl_scylla_stream *items;
    uint32_t n, capacity;
    struct sl_scylla_token_range *ranges;
    uint32_t n_ranges, ranges_capacity;
};

static int by_end(const void *a_, const void *b_)
{
    const struct sl_scylla_token_range *a = a_, *b = b_;

    return a->end < b->end ? -1 : a->end > b->end;
}

static void add_stream(struct growing *set, struct sl_cql_cell cell)
{
    if (cell.len != 16)
        return;
    SL_GROW(set->items, set->n, set->capacity);
    memcpy(set->items[set->n++].id, cell.data, 16);
}

/* Rows of frozen<set<blob>>, in the newer metadata with the end of their token range. */
static enum sl_rc add_sets(struct growing *set, struct sl_cql_rows *rows, struct sl_error *err)
{
    const struct sl_cql_type *args[] = {sl_cql_type_simple(SL_CQL_BLOB)};
    const struct sl_cql_type type = {.kind = SL_CQL_SET, .is_frozen = true, .n_args = 1, .args = args};
    struct sl_cql_cell cells[2];
    bool more = false;
    enum sl_rc rc;

    while ((rc = sl_cql_rows_next(rows, cells, &more, err)) == SL_OK && more) {
        const struct sl_cql_type *part_type;
        struct sl_cql_parts parts;
        struct sl_cql_cell part;
        uint32_t before = set->n;
        int64_t end;

        if (sl_cql_is_null(cells[0]) || !sl_cql_parts_open(&type, cells[0], &parts))
            continue;
        while (sl_cql_parts_next(&parts, &part_type, &part) > 0)
            add_stream(set, part);
        if (rows->columns->n < 2 || !sl_cql_int64(cells[1], &end) || set->n == before)
            continue;
        SL_GROW(set->ranges, set->n_ranges, set->ranges_capacity);
        set->ranges[set->n_ranges++] =
            (struct sl_scylla_token_range){.end = end, .vnode = sl_scylla_stream_vnode(&set->items[before])};
    }
    return rc;
}

static enum sl_rc read_vnodes(struct sl_cql *cql, int64_t start_ms, struct growing *set, struct sl_error *err)
{
    struct sl_cql_values values = {0};
    struct sl_cql_answer *answer;
    bool old = false;
    enum sl_rc rc = is_old_form(cql, &old, err);

    if (rc != SL_OK)
        return rc;
    sl_cql_bind_int64(&values, start_ms);
    rc = ask(
        cql,
        old ? "SELECT streams FROM system_distributed.cdc_streams_descriptions WHERE time = ?"
            : "SELECT streams, range_end FROM system_distributed.cdc_streams_descriptions_v2 WHERE time = ?",
        &values, consistency_of(cql), &answer, err);
    sl_cql_values_done(&values);
    if (rc != SL_OK)
        return rc;
    rc = add_sets(set, &answer->rows, err);
    sl_cql_answer_free(answer);
    return rc;
}

/* Streams of one state at one time: 0 the full set, 1 closed by it, 2 opened by it. */
static enum sl_rc read_state(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t at_ms,
                             int8_t state, struct growing *set, struct sl_error *err)
{
    struct sl_cql_values values = {0};
    struct sl_cql_answer *answer;
    struct sl_cql_cell cell;
    bool more = false;
    enum sl_rc rc;

    sl_cql_bind_text(&values, table->keyspace);
    sl_cql_bind_text(&values, table->name);
    sl_cql_bind_int64(&values, at_ms);
    sl_cql_bind_int8(&values, state);
    rc = ask(
        cql,
        "SELECT stream_id FROM system.cdc_streams WHERE keyspace_name = ? AND table_name = ? AND timestamp = "
        "? AND stream_state = ?",
        &values, SL_CQL_ONE, &answer, err);
    sl_cql_values_done(&values);
    if (rc != SL_OK)
        return rc;
    while ((rc = sl_cql_rows_next(&answer->rows, &cell, &more, err)) == SL_OK && more)
        add_stream(set, cell);
    sl_cql_answer_free(answer);
    return rc;
}

static void remove_streams(struct growing *set, const struct growing *closed)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < set->n; i++) {
        bool gone = false;

        for (uint32_t j = 0; j < closed->n && !gone; j++)
            gone = memcmp(set->items[i].id, closed->items[j].id, 16) == 0;
        if (!gone)
            set->items[kept++] = set->items[i];
    }
    set->n = kept;
}

/* One change that tells only what it closed and what it opened. *ret_any: it told something. */
static enum sl_rc apply_change(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t at_ms,
                               struct growing *set, bool *ret_any, struct sl_error *err)
{
    struct growing closed = {0};
    uint32_t before = set->n;
    enum sl_rc rc = read_state(cql, table, at_ms, 1, &closed, err);

    if (rc == SL_OK) {
        remove_streams(set, &closed);
        before = set->n;
        rc = read_state(cql, table, at_ms, 2, set, err);
    }
    *ret_any = closed.n || set->n > before;
    sl_free(closed.items);
    return rc;
}

/* What one time says of the streams so far: the full set, or a change to it. *ret_any: it said something. */
static enum sl_rc step_to(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t at_ms,
                          struct growing *set, bool *ret_any, struct sl_error *err)
{
    struct growing whole = {0};
    enum sl_rc rc = read_state(cql, table, at_ms, 0, &whole, err);

    if (rc == SL_OK && whole.n) {
        sl_free(set->items);
        *set = whole;
        *ret_any = true;
        return SL_OK;
    }
    sl_free(whole.items);
    return rc == SL_OK ? apply_change(cql, table, at_ms, set, ret_any, err) : rc;
}

/*
 * The full set where the time has one; else the last full set before it, with what was closed and opened
 * since (the format allows partial changes, though splits and merges replace the whole set today).
 */
static enum sl_rc read_tablets(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t start_ms,
                               struct growing *set, struct sl_error *err)
{
    int64_t at_ms = 0;
    bool any = false;
    enum sl_rc rc = read_state(cql, table, start_ms, 0, set, err);

    if (rc != SL_OK || set->n)
        return rc;
    while (rc == SL_OK && at_ms < start_ms) {
        rc = next_of_tablets(cql, table, at_ms, &at_ms, err);
        if (rc != SL_OK || at_ms == SL_SCYLLA_NO_TIME || at_ms > start_ms)
            break;
        rc = step_to(cql, table, at_ms, set, &any, err);
    }
    if (at_ms != start_ms || !any)
        set->n = 0; /* the time is known, its streams are not: not ready */
    return rc;
}

enum sl_rc sl_scylla_read_streams(struct sl_cql *cql, const struct sl_scylla_table *table, int64_t start_ms,
                                  struct sl_scylla_stream_set *ret, struct sl_error *err)
{
    struct growing set = {0};
    enum sl_rc rc = table->tablets ? read_tablets(cql, table, start_ms, &set, err)
                                   : read_vnodes(cql, start_ms, &set, err);

    if (rc != SL_OK) {
        sl_free(set.items);
        sl_free(set.ranges);
        return sl_error_wrap(err, "reading the streams of '%s.%s'", table->keyspace, table->name);
    }
    if (set.n)
        qsort(set.items, set.n, sizeof(*set.items), by_vnode_and_id);
    if (set.n_ranges)
        qsort(set.ranges, set.n_ranges, sizeof(*set.ranges), by_end);
    *ret = (struct sl_scylla_stream_set){.start_ms = start_ms,
                                         .streams = set.items,
                                         .n = set.n,
                                         .ranges = set.ranges,
                                         .n_ranges = set.n_ranges};
    return SL_OK;
}

void sl_scylla_stream_set_free(struct sl_scylla_stream_set *set)
{
    sl_free(set->streams);
    sl_free(set->ranges);
    *set = (struct sl_scylla_stream_set){0};
}
