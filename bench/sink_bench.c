/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink beside its ceilings, on the same rows in one run: COPY BINARY, a bare loop of unnest upserts, and
 * the sink itself. A JSON line each: what, rows, wall seconds, this process's CPU seconds.
 *
 *     sink_bench JDBC_URL USER PASSWORD ROWS [ONLY]
 *
 * The rows are the demo's orders: half of them new, in a scattered order, then the same keys again in another
 * one. Records are made before the clock starts: reading and decoding are other stages.
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/props.h"
#include "data/schema_build.h"
#include "measure.h"
#include "sink/postgres/bind.h"
#include "sink/postgres/sink.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = 8, SINK_BATCH = 4000 };

struct order {
    int32_t id, customer;
    int64_t placed_us; /* since 2000 */
    int64_t cents;
    const char *status, *note, *op, *deleted;
};

static struct order *orders;
static uint32_t n_orders;
static const char *only;

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "sink_bench: %s: %s\n", what, why);
    exit(1);
}

/* ---- the rows ---- */

static uint32_t gcd(uint32_t a, uint32_t b)
{
    return b ? gcd(b, a % b) : a;
}

/* A step that visits every key of 0 .. n-1 once, far from the one before. */
static uint32_t stride(uint32_t n, double fraction)
{
    uint32_t step = (uint32_t)(n * fraction) | 1;

    while (gcd(step, n) != 1)
        step += 2;
    return step;
}

static void make_orders(uint32_t n)
{
    static const char *const states[] = {"new", "paid", "packed", "shipped", "delivered"};
    static const char *const notes[] = {"leave at the door", "gift, please wrap it in paper",
                                        "call before delivery", "Straße 12, zweiter Stock"};
    uint32_t half = n / 2 / 8000 * 8000;

    half = half ? half : 8000;
    n_orders = 2 * half;
    orders = sl_zalloc(n_orders, sizeof(*orders));
    for (uint32_t i = 0; i < n_orders; i++) {
        uint32_t key = (uint32_t)((uint64_t)i * stride(half, i < half ? 0.618 : 0.382) % half);

        orders[i] = (struct order){
            .id = (int32_t)key + 1,
            .customer = (int32_t)(key % 20000) + 1,
            .placed_us = INT64_C(700000000000000) + (int64_t)key * 1234567,
            .cents = (int64_t)(key % 100000) * 17 + 99 + i,
            .status = states[(key + i) % 5],
            .note = key % 3 ? notes[key % 4] : NULL,
            .op = i < half ? "c" : "u",
            .deleted = "false",
        };
    }
}

/* ---- PostgreSQL beside the sink ---- */

static PGconn *conn;

static void check(PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
        die("PostgreSQL", PQresultErrorMessage(result));
    PQclear(result);
}

static void run(const char *sql)
{
    check(PQexec(conn, sql));
}

static void fresh_table(void)
{
    run("SET client_min_messages = error; DROP TABLE IF EXISTS orders; CHECKPOINT");
    run("CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, placed_at timestamp NOT NULL, "
        "total "
        "numeric(10,2), status text, note text, __op text, __deleted text)");
}

static uint8_t *put_cell(uint8_t *at, const void *bytes, uint32_t len)
{
    at = put_be32(at, len);
    memcpy(at, bytes, len);
    return at + len;
}

static uint8_t *put_text_cell(uint8_t *at, const char *text)
{
    return text ? put_cell(at, text, (uint32_t)strlen(text)) : put_be32(at, UINT32_MAX);
}

static void put_order_cell(struct sl_buf *out, const struct order *order, int column)
{
    uint8_t *at = sl_buf_reserve(out, 128);

    switch (column) {
    case 0: at = put_be32(put_be32(at, 4), (uint32_t)order->id); break;
    case 1: at = put_be32(put_be32(at, 4), (uint32_t)order->customer); break;
    case 2: at = put_be64(put_be32(at, 8), (uint64_t)order->placed_us); break;
    case 3: {
        size_t length_at = out->len;

        (void)put_be32(at, 0);
        out->len += 4;
        sl_pgsink_put_numeric_int(out, order->cents, 2);
        (void)put_be32(out->data + length_at, (uint32_t)(out->len - length_at - 4));
        return;
    }
    case 4: at = put_text_cell(at, order->status); break;
    case 5: at = put_text_cell(at, order->note); break;
    case 6: at = put_text_cell(at, order->op); break;
    default: at = put_text_cell(at, order->deleted); break;
    }
    out->len = (size_t)(at - out->data);
}

/* ---- ceilings ---- */

static void bench_copy(void)
{
    static const uint8_t head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    struct sl_buf out = {0};
    struct bench_run measured;

    fresh_table();
    run("ALTER TABLE orders DROP CONSTRAINT orders_pkey");

    measured = bench_begin(PQbackendPID(conn));
    run("COPY orders FROM STDIN (FORMAT binary)");
    sl_buf_put(&out, head, 19);
    for (uint32_t i = 0; i < n_orders; i++) {
        (void)put_be16(sl_buf_reserve(&out, 2), COLUMNS);
        out.len += 2;
        for (int column = 0; column < COLUMNS; column++)
            put_order_cell(&out, &orders[i], column);
        if (out.len > 256 * 1024) {
            if (PQputCopyData(conn, (const char *)out.data, (int)out.len) != 1)
                die("COPY", PQerrorMessage(conn));
            sl_buf_reset(&out);
        }
    }
    (void)put_be16(sl_buf_reserve(&out, 2), UINT16_MAX);
    out.len += 2;
    if (PQputCopyData(conn, (const char *)out.data, (int)out.len) != 1 || PQputCopyEnd(conn, NULL) != 1)
        die("COPY", PQerrorMessage(conn));
    for (PGresult *result; (result = PQgetResult(conn));)
        check(result);
    bench_tell(&measured, "COPY BINARY, no index", n_orders);
    sl_buf_done(&out);
}

static int by_id(const void *a, const void *b)
{
    const struct order *left = *(const struct order *const *)a;
    const struct order *right = *(const struct order *const *)b;

    return (left->id > right->id) - (left->id < right->id);
}

static void upsert(const struct order *const *rows, uint32_t n, struct sl_buf *params)
{
    static const Oid elements[COLUMNS] = {23, 23, 1114, 1700, 25, 25, 25, 25};
    static const int formats[COLUMNS] = {1, 1, 1, 1, 1, 1, 1, 1};
    const char *values[COLUMNS];
    int lengths[COLUMNS];

    for (int column = 0; column < COLUMNS; column++) {
        struct sl_buf *out = &params[column];

        sl_buf_reset(out);
        (void)put_array_header(sl_buf_reserve(out, SL_PGSINK_ARRAY_HEADER), elements[column], n);
        out->len = SL_PGSINK_ARRAY_HEADER;
        (void)put_be32(out->data + 4, 1);
        for (uint32_t i = 0; i < n; i++)
            put_order_cell(out, rows[i], column);
        values[column] = (const char *)out->data;
        lengths[column] = (int)out->len;
    }
    check(PQexecPrepared(conn, "upsert", COLUMNS, values, lengths, formats, 0));
}

static void bench_unnest(uint32_t batch, bool sorted)
{
    struct sl_buf params[COLUMNS] = {{0}};
    const struct order **rows = sl_zalloc(batch, sizeof(*rows));
    char what[80];
    struct bench_run measured;

    fresh_table();
    run("PREPARE upsert (int[], int[], timestamp[], numeric[], text[], text[], text[], text[]) AS INSERT "
        "INTO orders "
        "(id, customer_id, placed_at, total, status, note, __op, __deleted) SELECT * FROM unnest($1, $2, $3, "
        "$4, $5, $6, "
        "$7, $8) ON CONFLICT (id) DO UPDATE SET customer_id = EXCLUDED.customer_id, placed_at = "
        "EXCLUDED.placed_at, "
        "total = EXCLUDED.total, status = EXCLUDED.status, note = EXCLUDED.note, __op = EXCLUDED.__op, "
        "__deleted = "
        "EXCLUDED.__deleted");

    measured = bench_begin(PQbackendPID(conn));
    for (uint32_t at = 0; at < n_orders; at += batch) {
        uint32_t n = n_orders - at < batch ? n_orders - at : batch;

        for (uint32_t i = 0; i < n; i++)
            rows[i] = &orders[at + i];
        if (sorted)
            qsort(rows, n, sizeof(*rows), by_id);
        upsert(rows, n, params);
    }
    (void)snprintf(what, sizeof(what), "bare unnest, %u a batch, %s", batch, sorted ? "sorted" : "unsorted");
    bench_tell(&measured, what, n_orders);
    run("DEALLOCATE upsert");
    for (int i = 0; i < COLUMNS; i++)
        sl_buf_done(&params[i]);
    sl_free(rows);
}

/* ---- the sink ---- */

static const struct sl_schema *order_schema(void)
{
    struct sl_struct_builder b = {.name = "sqlserver.warehouse_source.dbo.orders.Value"};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "customer_id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "placed_at", sl_schema_named(SL_INT64, "io.debezium.time.NanoTimestamp", 1, false));
    sl_struct_add(&b, "total", sl_schema_decimal(2, 10, true));
    sl_struct_add(&b, "status", text);
    sl_struct_add(&b, "note", text);
    sl_struct_add(&b, "__op", text);
    sl_struct_add(&b, "__deleted", text);
    return sl_struct_end(&b, false);
}

static struct sl_value text_value(struct sl_arena *arena, const char *text)
{
    return text ? sl_bytes(SL_STRING, sl_arena_copy(arena, text, strlen(text)), strlen(text)) : sl_null();
}

static struct sl_value decimal_value(struct sl_arena *arena, int64_t cents)
{
    uint8_t bytes[8];
    size_t skip = 0;

    (void)put_be64(bytes, (uint64_t)cents);
    while (skip < 7 && bytes[skip] == 0 && !(bytes[skip + 1] & 0x80))
        skip++;
    return sl_bytes(SL_BYTES, sl_arena_copy(arena, bytes + skip, 8 - skip), 8 - skip);
}

static struct sl_batch *make_batch(const struct sl_topic *topic, const struct sl_schema *schema, uint32_t at,
                                   uint32_t n)
{
    struct sl_batch *batch = sl_batch_new(256 * 1024);

    for (uint32_t i = at; i < at + n; i++) {
        const struct order *order = &orders[i];
        struct sl_value *fields = sl_arena_alloc(batch->arena, COLUMNS * sizeof(*fields));
        struct sl_record *record = sl_batch_add(batch, topic, NULL, schema);

        fields[0] = sl_int(SL_INT32, order->id);
        fields[1] = sl_int(SL_INT32, order->customer);
        fields[2] = sl_int(SL_INT64, (order->placed_us + INT64_C(946684800000000)) * 1000);
        fields[3] = decimal_value(batch->arena, order->cents);
        fields[4] = text_value(batch->arena, order->status);
        fields[5] = text_value(batch->arena, order->note);
        fields[6] = text_value(batch->arena, order->op);
        fields[7] = text_value(batch->arena, order->deleted);
        record->value = sl_items(SL_STRUCT, fields, COLUMNS);
        record->offset = i;
    }
    batch->progress = sl_zalloc(1, sizeof(*batch->progress));
    batch->n_progress = batch->progress_capacity = 1;
    batch->progress[0] = (struct sl_progress){.topic = topic, .first_offset = at, .next_offset = at + n};
    return batch;
}

static void on_release(void *ctx, struct sl_batch *batch, bool durable)
{
    (void)ctx;
    if (!durable)
        die("the sink", "gave a batch up");
    (void)batch; /* freed at exit: not what is measured */
}

static enum sl_rc on_bad(void *ctx, const struct sl_batch *batch, uint32_t record, const struct sl_error *why,
                         struct sl_error *err)
{
    (void)ctx;
    (void)batch;
    (void)record;
    (void)err;
    die("a bad record", why->text);
    return SL_E_INTERNAL;
}

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc != SL_OK)
        die("the sink", err->text);
}

static int sink_backend(void)
{
    PGresult *result =
        PQexec(conn, "SELECT pid FROM pg_stat_activity WHERE application_name = 'sluice bench'");
    int pid = PQntuples(result) ? (int)strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;

    PQclear(result);
    return pid;
}

static void bench_sink(struct sl_props *props, uint32_t batch_rows)
{
    const struct sl_topic *topic = sl_topic_intern("orders", 6);
    const struct sl_schema *schema = order_schema();
    uint32_t n = (n_orders + batch_rows - 1) / batch_rows;
    struct sl_batch **batches = sl_zalloc(n, sizeof(struct sl_batch *));
    struct sl_progress progress = {.topic = topic};
    struct sl_sink_env env = {
        .connector = "bench", .log_identity = "bench", .release = on_release, .bad_record = on_bad};
    struct sl_error err = {0};
    struct bench_run measured;
    char what[80];
    void *self = NULL;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i * batch_rows;

        batches[i] = make_batch(topic, schema, at, n_orders - at < batch_rows ? n_orders - at : batch_rows);
    }
    fresh_table();
    run("DROP TABLE IF EXISTS sluice_offsets");
    must(sl_pgsink_ops.open(&env, props, &self, &err), &err);
    must(sl_pgsink_ops.assign(self, &progress, 1, &err), &err);
    measured = bench_begin(sink_backend());
    for (uint32_t i = 0; i < n; i++)
        must(sl_pgsink_ops.put(self, batches[i], &err), &err);
    must(sl_pgsink_ops.flush(self, &err), &err);
    (void)snprintf(what, sizeof(what), "sluice's sink, %u a batch", batch_rows);
    bench_tell(&measured, what, n_orders);
    sl_pgsink_ops.close(self);
    for (uint32_t i = 0; i < n; i++)
        sl_batch_free(batches[i]);
    sl_free(batches);
}

static bool wanted(const char *part)
{
    return !only || strstr(only, part);
}

int main(int argc, char **argv)
{
    struct sl_props *props = sl_props_new();
    struct sl_pg_params params = {0};
    struct sl_error err = {0};

    if (argc < 5) {
        (void)fprintf(stderr, "usage: sink_bench JDBC_URL USER PASSWORD ROWS [copy,unnest,sink]\n");
        return 2;
    }
    only = argc > 5 ? argv[5] : NULL;
    must(sl_pg_params_url(&params, argv[1], &err), &err);
    sl_pg_params_set(&params, "user", argv[2]);
    sl_pg_params_set(&params, "password", argv[3]);
    conn = PQconnectdbParams((const char *const *)params.keywords, (const char *const *)params.values, 0);
    if (PQstatus(conn) != CONNECTION_OK)
        die("connect", PQerrorMessage(conn));
    make_orders((uint32_t)strtoul(argv[4], NULL, 10));

    sl_props_set(props, "connection.url", argv[1]);
    sl_props_set(props, "connection.user", argv[2]);
    sl_props_set(props, "connection.password", argv[3]);
    sl_props_set(props, "insert.mode", "upsert");
    sl_props_set(props, "pk.mode", "record_value");
    sl_props_set(props, "pk.fields", "id");
    sl_props_set(props, "batch.size", "10000");

    if (wanted("copy"))
        bench_copy();
    for (int sorted = 0; sorted < 2 && wanted("unnest"); sorted++) {
        bench_unnest(500, sorted);
        bench_unnest(2000, sorted);
        bench_unnest(8000, sorted);
    }
    if (wanted("sink")) {
        bench_sink(props, 500);
        bench_sink(props, 2000);
        bench_sink(props, SINK_BATCH);
        bench_sink(props, 8000);
    }
    sl_props_free(props);
    sl_pg_params_done(&params);
    PQfinish(conn);
    sl_free(orders);
    return 0;
}
