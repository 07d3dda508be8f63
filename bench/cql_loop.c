/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ceiling of reading a change log: SELECT * over ranges of the ring, page by page, a few ranges at a
 * time. Every cell is found, none is looked at.
 *
 *     cql_loop HOST:PORT LOG_TABLE
 */
#include "base/clock.h"
#include "measure.h"
#include "net/cql/cql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANGES = 16, CELLS_MAX = 256, PATIENCE_US = 60 * 1000000 };

struct range {
    int64_t after, to;
};

struct loop {
    struct sl_cql *cql;
    struct sl_cql_statement *statement;
    struct sl_cql_values values;
    uint64_t rows, bytes;
};

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK)
        return;
    (void)fprintf(stderr, "cql_loop: %s\n", err->text);
    exit(1);
}

static void ask(struct loop *loop, struct range *range, struct sl_span paging_state)
{
    struct sl_error err = {0};

    sl_cql_values_reset(&loop->values);
    sl_cql_bind_int64(&loop->values, range->after);
    sl_cql_bind_int64(&loop->values, range->to);
    must(sl_cql_submit(loop->cql,
                       &(struct sl_cql_request){.statement = loop->statement,
                                                .values = &loop->values,
                                                .consistency = SL_CQL_QUORUM,
                                                .paging_state = paging_state,
                                                .ctx = range},
                       &err),
         &err);
}

static void read_page(struct loop *loop, struct sl_cql_answer *answer)
{
    struct sl_cql_cell cells[CELLS_MAX];
    struct sl_error err = {0};
    bool more = true;

    must(answer->rc, &answer->err);
    if (answer->rows.columns && answer->rows.columns->n > CELLS_MAX)
        exit(1);
    if (answer->rows.has_more)
        ask(loop, answer->ctx, answer->rows.paging_state);
    for (; more; loop->rows += more)
        must(sl_cql_rows_next(&answer->rows, cells, &more, &err), &err);
    loop->bytes += answer->size_bytes;
    sl_cql_answer_free(answer);
}

static void read_all(struct loop *loop)
{
    static struct range ranges[RANGES];
    const uint64_t step = UINT64_MAX / RANGES;

    for (uint64_t i = 0; i < RANGES; i++) {
        ranges[i].after = (int64_t)(((uint64_t)1 << 63) + i * step);
        ranges[i].to = i == RANGES - 1 ? INT64_MAX : (int64_t)(((uint64_t)1 << 63) + (i + 1) * step);
        ask(loop, &ranges[i], (struct sl_span){0});
    }
    while (sl_cql_in_flight(loop->cql) > 0) {
        struct sl_cql_answer *answer = sl_cql_poll(loop->cql, sl_now_us() + PATIENCE_US);

        if (answer)
            read_page(loop, answer);
    }
}

int main(int argc, char **argv)
{
    struct loop loop = {0};
    struct bench_run measured;
    struct sl_error err = {0};
    char text[256];

    if (argc != 3) {
        (void)fprintf(stderr, "usage: cql_loop HOST:PORT LOG_TABLE\n");
        return 2;
    }
    must(sl_cql_new(
             &(struct sl_cql_config){.contact_points = argv[1], .application = "bench", .compress = true},
             &loop.cql, &err),
         &err);
    must(sl_cql_connect(loop.cql, sl_now_us() + PATIENCE_US, &err), &err);
    (void)snprintf(text, sizeof(text),
                   "SELECT * FROM %s WHERE token(\"cdc$stream_id\") > ? AND token(\"cdc$stream_id\") <= ?",
                   argv[2]);
    must(sl_cql_prepare(loop.cql, text, sl_now_us() + PATIENCE_US, &loop.statement, &err), &err);
    measured = bench_begin(0);
    read_all(&loop);
    bench_tell(&measured, "bare paged SELECT loop", loop.rows);
    sl_cql_values_done(&loop.values);
    sl_cql_free(loop.cql);
    return 0;
}
