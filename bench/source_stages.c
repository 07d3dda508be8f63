/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL Server's rows made into records, alone: cells as ODBC leaves them, through the table's conversions,
 * into Debezium's envelope in a batch. What reading the cells costs is the source part's business.
 *
 *     source_stages [rounds]
 */
#include "base/alloc.h"
#include "net/odbc/connection.h"
#include "source/sqlserver/event.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 4000, COLUMNS = 7, CELLS = SL_MSSQL_META_MASK + COLUMNS };

static struct sl_mssql_column columns[COLUMNS] = {
    {.name = "id", .id = 1, .ordinal = 1, .type = SL_MSSQL_INT, .max_length = 4, .key = 1},
    {.name = "customer_id", .id = 2, .ordinal = 2, .type = SL_MSSQL_INT, .max_length = 4},
    {.name = "status", .id = 3, .ordinal = 3, .type = SL_MSSQL_NVARCHAR, .max_length = 40},
    {.name = "note", .id = 4, .ordinal = 4, .type = SL_MSSQL_NVARCHAR, .max_length = 400, .nullable = true},
    {.name = "total", .id = 5, .ordinal = 5, .type = SL_MSSQL_DECIMAL, .precision = 10, .scale = 2},
    {.name = "created_at", .id = 6, .ordinal = 6, .type = SL_MSSQL_DATETIME2, .scale = 3},
    {.name = "quantity", .id = 7, .ordinal = 7, .type = SL_MSSQL_SMALLINT, .max_length = 2},
};
static struct sl_mssql_instance instance = {.name = "dbo_orders",
                                            .schema = "dbo",
                                            .table = "orders",
                                            .has_command_id = true,
                                            .columns = columns,
                                            .n_columns = COLUMNS};
static struct sl_mssql_config config = {.prefix = (char[]){"srv"},
                                        .delimiter = (char[]){"."},
                                        .transaction_topic = (char[]){"transaction"},
                                        .placeholder = (char[]){"__debezium_unavailable_value"},
                                        .shape = SL_ENVELOPE_2_5,
                                        .tombstones = true};

/* The current row, as a fetch would have left it. */
static int64_t id, customer, quantity = 3;
static SQL_NUMERIC_STRUCT total = {.precision = 10, .scale = 2, .sign = 1, .val = {0x40, 0xe2, 1}};
static SQL_TIMESTAMP_STRUCT created = {2026, 3, 14, 15, 9, 26, 535000000};
static char status[] = "shipped";
static char note[] = "left at the door of the neighbour";

static void bind(struct sl_cell *cells, const struct sl_mssql_table *table)
{
    const struct sl_cell values[COLUMNS] = {
        {.kind = SL_CELL_INT, .len = 8, .data = &id},
        {.kind = SL_CELL_INT, .len = 8, .data = &customer},
        {.kind = SL_CELL_TEXT, .len = sizeof(status) - 1, .data = status},
        {.kind = SL_CELL_TEXT, .len = sizeof(note) - 1, .data = note},
        {.kind = SL_CELL_NUMERIC, .len = sizeof(total), .data = &total},
        {.kind = SL_CELL_TIMESTAMP, .len = sizeof(created), .data = &created},
        {.kind = SL_CELL_INT, .len = 8, .data = &quantity},
    };

    for (int i = 0; i < COLUMNS; i++)
        cells[table->fields[i].cell] = values[i];
}

static void must(enum sl_rc rc, const struct sl_error *err)
{
    if (rc == SL_OK)
        return;
    (void)fprintf(stderr, "source_stages: %s\n", err->text);
    exit(1);
}

static void build_batch(struct sl_mssql_emitter *emitter, struct sl_mssql_table *table,
                        struct sl_odbc_stmt *stmt, struct sl_batch *batch)
{
    struct sl_mssql_origin origin = {
        .snapshot = "false", .streamed = true, .known_lsn = true, .ts_us = INT64_C(1700000000123000)};
    const uint8_t commit[SL_LSN_SIZE] = {0, 0, 0, 0x27, 0, 0, 7, 0x58, 0, 5};
    uint8_t change[SL_LSN_SIZE] = {0, 0, 0, 0x27, 0, 0, 7, 0x58, 0, 3};

    sl_mssql_emitter_begin(emitter, batch);
    for (uint32_t i = 0; i < ROWS; i++) {
        struct sl_value *row = NULL;
        struct sl_error err;

        id = 100000 + i;
        customer = i % 997;
        change[8] = (uint8_t)(i >> 8);
        change[9] = (uint8_t)i;
        sl_mssql_position_set(&origin.position, commit, 1, change, SL_MSSQL_OP_INSERT);
        origin.event_serial_no = i;
        stmt->cells[table->fields[3].cell].len = i % 3 ? (SQLLEN)sizeof(note) - 1 : SQL_NULL_DATA;
        must(sl_mssql_table_row(table, stmt, false, batch->arena, &row, &err), &err);
        sl_mssql_emit_change(emitter, table, 'c', NULL, row, &origin, NULL);
    }
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 200;
    struct bench_stage stage = {.name = "build the record", .rows = ROWS, .budget_ns = 100};
    struct sl_cell cells[CELLS] = {{0}};
    struct sl_odbc_stmt stmt = {.cells = cells, .n_cells = CELLS};
    struct sl_batch *batch = sl_batch_new(256 * 1024);
    struct sl_mssql_source_layout layout;
    struct sl_mssql_emitter emitter = {0};
    struct sl_mssql_table *table;
    struct sl_buf sql = {0};
    struct sl_error err;

    sl_mssql_source_layout_make(config.shape, &layout);
    must(sl_mssql_table_new(&instance, &config, "shop", &layout, &table, &err), &err);
    sl_mssql_table_stream_sql(table, &sql);
    bind(cells, table);
    sl_mssql_emitter_init(&emitter, &config, "shop", 0);
    for (long i = 0; i < rounds; i++) {
        sl_batch_reset(batch);
        bench_stage_begin(&stage);
        build_batch(&emitter, table, &stmt, batch);
        bench_stage_end(&stage, sl_arena_used(batch->arena));
    }
    bench_stage_tell(&stage);
    sl_buf_done(&sql);
    sl_mssql_table_free(table);
    sl_batch_free(batch);
    return 0;
}
