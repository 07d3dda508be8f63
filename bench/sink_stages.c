/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink's stages alone, on one thread and without a server, on a batch of orders of eight columns:
 * beside the budget of the design.
 *
 *     sink_stages [rounds]
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "data/schema_build.h"
#include "sink/postgres/load.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 4000, COLUMNS = 8 };

static struct sl_pgsink_config config = {.insert_mode = SL_PGSINK_UPSERT,
                                         .pk_mode = SL_PGSINK_PK_VALUE,
                                         .null_to_default = true,
                                         .zone_is_utc = true};

static struct sl_pgsink_column columns[COLUMNS] = {
    {.name = (char[]){"id"}, .type = 23, .category = 'N'},
    {.name = (char[]){"customer_id"}, .type = 23, .category = 'N'},
    {.name = (char[]){"placed_at"}, .type = 1114, .category = 'D'},
    {.name = (char[]){"total"}, .type = 1700, .category = 'N'},
    {.name = (char[]){"status"}, .type = 25, .category = 'S'},
    {.name = (char[]){"note"}, .type = 25, .category = 'S'},
    {.name = (char[]){"__op"}, .type = 25, .category = 'S'},
    {.name = (char[]){"__deleted"}, .type = 25, .category = 'S'},
};
static struct sl_pgsink_table table = {.label = (char[]){"orders"}, .columns = columns, .n_columns = COLUMNS};
static struct sl_pgsink_target target = {.table = &table};

static const struct sl_schema *order_schema(void)
{
    struct sl_struct_builder b = {.name = "sqlserver.warehouse_source.dbo.orders.Value"};
    const struct sl_schema *text = sl_schema_plain(SL_STRING, true);

    sl_struct_add(&b, "id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "customer_id", sl_schema_plain(SL_INT32, false));
    sl_struct_add(&b, "placed_at", sl_schema_named(SL_INT64, "io.debezium.time.NanoTimestamp", 1, false));
    sl_struct_add(&b, "total", sl_schema_decimal(2, 10, true));
    for (int i = 4; i < COLUMNS; i++)
        sl_struct_add(&b, columns[i].name, text);
    return sl_struct_end(&b, false);
}

static struct sl_batch *make_batch(const struct sl_schema *schema)
{
    static const char *const states[] = {"new", "paid", "packed", "shipped", "delivered"};
    static const uint8_t cents[3] = {0x01, 0xE2, 0x40};
    const struct sl_topic *topic = sl_topic_intern("orders", 6);
    struct sl_batch *batch = sl_batch_new(256 * 1024);

    for (uint32_t i = 0; i < ROWS; i++) {
        struct sl_value *fields = sl_arena_alloc(batch->arena, COLUMNS * sizeof(*fields));

        fields[0] = sl_int(SL_INT32, (int64_t)((uint64_t)i * 2477 % (ROWS - ROWS / 10) * 250));
        fields[1] = sl_int(SL_INT32, i % 20000);
        fields[2] = sl_int(SL_INT64, INT64_C(1700000000000000000) + i * INT64_C(1234567));
        fields[3] = sl_bytes(SL_BYTES, cents, sizeof(cents));
        fields[4] = sl_text(states[i % 5]);
        fields[5] = i % 3 ? sl_text("gift, please wrap it in paper") : sl_null();
        fields[6] = sl_text("u");
        fields[7] = sl_text("false");
        sl_batch_add(batch, topic, NULL, schema)->value = sl_items(SL_STRUCT, fields, COLUMNS);
    }
    return batch;
}

static struct sl_pgsink_plan make_plan(const struct sl_schema *schema, struct sl_pgsink_cell *cells)
{
    for (uint16_t i = 0; i < COLUMNS; i++) {
        struct sl_error err;

        cells[i] = (struct sl_pgsink_cell){
            .field = i, .name = columns[i].name, .schema = schema->fields[i].schema, .column = &columns[i]};
        if (sl_pgsink_cell_choose(&config, &table, &cells[i], &err) != SL_OK) {
            (void)fprintf(stderr, "sink_stages: %s\n", err.text);
            exit(1);
        }
    }
    return (struct sl_pgsink_plan){.value_schema = schema,
                                   .target = &target,
                                   .cells = cells,
                                   .n_cells = COLUMNS,
                                   .n_keys = 1,
                                   .number_key = true};
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 200;
    const struct sl_schema *schema = order_schema();
    struct sl_batch *batch = make_batch(schema);
    struct sl_pgsink_cell cells[COLUMNS];
    struct sl_pgsink_plan plan = make_plan(schema, cells);
    struct sl_pgsink_load load = {0};
    struct sl_pgsink_group group = {0};
    struct sl_buf params[COLUMNS] = {{0}};
    struct bench_stage reduce = {.name = "last state a key, sort", .rows = ROWS, .budget_ns = 200};
    struct bench_stage bind = {.name = "bind to binary arrays", .rows = ROWS, .budget_ns = 200};

    for (long round = 0; round < rounds; round++) {
        size_t bytes = 0;

        bench_stage_begin(&reduce);
        sl_pgsink_group_begin(&group, &target);
        sl_pgsink_group_add(&config, &load, &group, &plan, batch, &batch->runs[0], 0, batch->n_records, NULL);
        sl_pgsink_group_sort(&group, false);
        bench_stage_end(&reduce, 0);
        bench_stage_begin(&bind);
        for (int i = 0; i < COLUMNS; i++) {
            sl_buf_reset(&params[i]);
            cells[i].bind(&cells[i], (const struct sl_pgsink_row *const *)group.sorted, group.n_sorted,
                          &params[i], &load.bads);
            bytes += params[i].len;
        }
        bench_stage_end(&bind, bytes);
    }
    bench_stage_tell(&reduce);
    bench_stage_tell(&bind);
    for (int i = 0; i < COLUMNS; i++)
        sl_buf_done(&params[i]);
    sl_pgsink_group_done(&group);
    sl_pgsink_load_done(&load);
    sl_batch_free(batch);
    return 0;
}
