/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/reader.h"
#include "base/clock.h"
#include "source/sqlserver/database.h"

struct sl_mssql_reader *sl_mssql_readers_new(struct sl_mssql_table **tables, size_t n)
{
    struct sl_mssql_reader *readers = sl_zalloc(n + 1, sizeof(*readers));

    for (size_t i = 0; i < n; i++)
        readers[i].table = tables[i];
    return readers;
}

static void close_reader(struct sl_mssql_database *db, struct sl_mssql_reader *reader)
{
    sl_mssql_disconnect(db, reader->conn);
    reader->conn = NULL;
    reader->stmt = NULL;
    reader->has_row = false;
}

static enum sl_rc prepare(struct sl_mssql_database *db, struct sl_mssql_reader *reader, struct sl_error *err)
{
    struct sl_buf sql = {0};
    enum sl_rc rc = SL_OK;

    if (!reader->conn)
        rc = sl_mssql_connect(db, &reader->conn, err);
    if (rc != SL_OK)
        return rc;
    sl_mssql_table_stream_sql(reader->table, &sql);
    rc = sl_odbc_prepare(reader->conn, sl_buf_cstr(&sql), &reader->stmt, err);
    if (rc == SL_OK)
        rc = sl_odbc_bind_binary(reader->stmt, 1, reader->from.b, SL_LSN_SIZE, err);
    if (rc == SL_OK)
        rc = sl_odbc_bind_binary(reader->stmt, 2, reader->to.b, SL_LSN_SIZE, err);
    sl_buf_done(&sql);
    return rc;
}

/* The answer must have the columns that were asked for, of the kinds that the table's fields convert. */
static enum sl_rc check_cells(struct sl_mssql_reader *reader, struct sl_error *err)
{
    const struct sl_mssql_table *table = reader->table;
    int meta = table->n_large ? SL_MSSQL_META_COUNT : SL_MSSQL_META_MASK;

    if (sl_odbc_n_cells(reader->stmt) != meta + (int)table->n_fields)
        return sl_error_set(err, SL_E_PROTOCOL, "table '%s': the server answered with %d columns",
                            table->name, sl_odbc_n_cells(reader->stmt));
    reader->cells = sl_odbc_cell(reader->stmt, 0);
    if (reader->cells[SL_MSSQL_META_LSN].kind != SL_CELL_BYTES ||
        reader->cells[SL_MSSQL_META_COMMAND].kind != SL_CELL_INT ||
        reader->cells[SL_MSSQL_META_CHANGE].kind != SL_CELL_BYTES ||
        reader->cells[SL_MSSQL_META_OPERATION].kind != SL_CELL_INT)
        return sl_error_set(err, SL_E_PROTOCOL, "table '%s': its change table is not one", table->name);
    return sl_mssql_table_check_cells(table, reader->cells, err);
}

enum sl_rc sl_mssql_reader_open(struct sl_mssql_database *db, struct sl_mssql_reader *reader,
                                const struct sl_lsn *from, const struct sl_lsn *to, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    reader->from = *from;
    reader->to = *to;
    reader->used_us = sl_now_us();
    if (!reader->stmt)
        rc = prepare(db, reader, err);
    if (rc == SL_OK)
        rc = sl_odbc_execute(reader->stmt, err);
    if (rc == SL_OK)
        rc = check_cells(reader, err);
    do {
        if (rc == SL_OK)
            rc = sl_mssql_reader_next(reader, err);
    } while (rc == SL_OK && reader->has_row && sl_mssql_position_compare(&reader->at, &db->skip) <= 0);
    return rc == SL_OK ? SL_OK : sl_error_wrap(err, "table '%s'", reader->table->name);
}

enum sl_rc sl_mssql_reader_next(struct sl_mssql_reader *reader, struct sl_error *err)
{
    const struct sl_cell *cells = reader->cells;
    int64_t command, operation;
    enum sl_rc rc = sl_odbc_fetch(reader->stmt, &reader->has_row, err);

    if (rc != SL_OK)
        return rc;
    if (!reader->has_row) {
        sl_odbc_finish(reader->stmt);
        return SL_OK;
    }
    if (cells[SL_MSSQL_META_LSN].len != SL_LSN_SIZE || cells[SL_MSSQL_META_CHANGE].len != SL_LSN_SIZE)
        return sl_error_set(err, SL_E_PROTOCOL, "table '%s': a change without LSN", reader->table->name);
    memcpy(&command, cells[SL_MSSQL_META_COMMAND].data, sizeof(command));
    memcpy(&operation, cells[SL_MSSQL_META_OPERATION].data, sizeof(operation));
    if (cells[SL_MSSQL_META_COMMAND].len == SQL_NULL_DATA)
        command = 0; /* rows from before the column was added */
    sl_mssql_position_set(&reader->at, cells[SL_MSSQL_META_LSN].data, (uint32_t)command,
                          cells[SL_MSSQL_META_CHANGE].data, (uint8_t)operation);
    return SL_OK;
}

void sl_mssql_readers_drop(struct sl_mssql_database *db)
{
    for (size_t i = 0; i < db->n_tables; i++)
        close_reader(db, &db->readers[i]);
}

void sl_mssql_readers_trim(struct sl_mssql_database *db)
{
    for (;;) {
        struct sl_mssql_reader *oldest = NULL;
        int connected = 1; /* the control connection */

        for (size_t i = 0; i < db->n_tables; i++) {
            struct sl_mssql_reader *reader = &db->readers[i];

            connected += reader->conn != NULL;
            if (reader->conn && (!oldest || reader->used_us < oldest->used_us))
                oldest = reader;
        }
        if (!oldest || connected <= db->config->max_connections)
            return;
        close_reader(db, oldest);
    }
}

static bool before(const struct sl_mssql_reader *a, const struct sl_mssql_reader *b)
{
    return sl_mssql_position_compare(&a->at, &b->at) < 0;
}

void sl_mssql_heap_push(struct sl_mssql_reader **heap, size_t *n, struct sl_mssql_reader *reader)
{
    size_t i = (*n)++;

    while (i && before(reader, heap[(i - 1) / 2])) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = reader;
}

void sl_mssql_heap_settle(struct sl_mssql_reader **heap, size_t *n)
{
    struct sl_mssql_reader *reader = heap[0];
    size_t i = 0;

    if (!reader->has_row) {
        if (--*n == 0)
            return;
        reader = heap[*n];
    }
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= *n)
            break;
        if (child + 1 < *n && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], reader))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = reader;
}
