/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ceiling of the whole way: the least that can be done to bring the same changes into the same tables.
 *
 *     upsert_loop JDBC_URL USER PASSWORD KEY POSITION TABLE=JOURNAL...
 *
 * JOURNAL holds every change that TABLE got, one row each, in the order of its column "seq" (what an
 * inserting sink wrote); POSITION is an SQL expression over it, a text that rises over all journals in the
 * order in which the changes were made. They are read into memory as PostgreSQL's binary values; then for
 * each batch size, sorted by key and not, fresh copies of the tables are filled by unnest upserts: a batch is
 * so many changes in their order, a transaction, and one statement for each table in it. In the time measured
 * nothing is read, decoded or converted: values are copied into arrays, the last change a key of each batch
 * only. A JSON line for each.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "measure.h"
#include "net/pg/connection.h"
#include "sink/postgres/bind.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_COLUMNS = 64, MAX_TABLES = 16 };

struct table {
    char *name;
    int n_columns, key;
    Oid elements[MAX_COLUMNS];
    char *statement;    /* its prepared name */
    char *upsert;       /* its text */
    struct sl_buf rows; /* tuples of COPY BINARY, one after the other */
    size_t *starts;     /* of each tuple */
    size_t n_rows;
    size_t capacity;
};

struct change {
    const struct table *table;
    const uint8_t *tuple;
};

/* A statement as it will be sent: which rows, in which order. Made before the clock starts. */
struct step {
    const struct table *table;
    const uint8_t **rows;
    uint32_t n;
    bool begins, commits; /* a transaction of several statements */
};

struct steps {
    struct step *items;
    size_t n, capacity;
};

static PGconn *conn;

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "upsert_loop: %s: %s\n", what, why);
    exit(1);
}

static PGresult *ask(const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_OUT)
        die(sql, PQresultErrorMessage(result));
    return result;
}

static void run(const char *sql)
{
    PQclear(ask(sql));
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* ---- what is brought: once, before anything is measured ---- */

static void read_columns(struct table *table, const char *journal, const char *key, const char *position,
                         struct sl_buf *ret_copy)
{
    struct sl_buf sql = {0};
    struct sl_buf names = {0};
    struct sl_buf sets = {0};
    struct sl_buf params = {0};
    PGresult *result;

    sl_buf_text(&sql, "SELECT quote_ident(attname), atttypid, format_type(atttypid, atttypmod) FROM "
                      "pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid = ");
    sl_pg_quote_text(&sql, table->name);
    sl_buf_text(&sql, "::regclass ORDER BY attnum");
    result = ask(sl_buf_cstr(&sql));
    table->n_columns = PQntuples(result);
    if (table->n_columns >= MAX_COLUMNS)
        die(table->name, "has too many columns");
    table->key = -1;
    sl_buf_text(ret_copy, "COPY (SELECT ");
    for (int i = 0; i < table->n_columns; i++) {
        const char *name = PQgetvalue(result, i, 0);
        const char *type = PQgetvalue(result, i, 2);
        const char *comma = i ? ", " : "";

        table->elements[i] = (Oid)strtoul(PQgetvalue(result, i, 1), NULL, 10);
        sl_buf_format(&names, "%s%s", comma, name);
        sl_buf_format(&params, "%s$%d::%s[]", comma, i + 1, type);
        sl_buf_format(ret_copy, "%s%s::%s", comma, name, type);
        if (strcmp(name, key) == 0)
            table->key = i;
        else
            sl_buf_format(&sets, "%s%s = EXCLUDED.%s", sets.len ? ", " : "", name, name);
    }
    if (table->key < 0)
        die(table->name, "has no such key");
    sl_buf_format(ret_copy, ", (%s)::text FROM %s ORDER BY seq) TO STDOUT (FORMAT binary)", position,
                  journal);
    table->upsert =
        sl_format("INSERT INTO bare.%s (%s) SELECT * FROM unnest(%s) ON CONFLICT (%s) DO UPDATE SET %s",
                  table->name, sl_buf_cstr(&names), sl_buf_cstr(&params), key, sl_buf_cstr(&sets));
    PQclear(result);
    sl_buf_done(&sql);
    sl_buf_done(&names);
    sl_buf_done(&sets);
    sl_buf_done(&params);
}

/* Behind the tuple that starts there, or NULL at the trailer. */
static const uint8_t *skip_tuple(const uint8_t *at)
{
    int n = at[0] << 8 | at[1];

    if (n == 0xffff)
        return NULL;
    at += 2;
    for (int i = 0; i < n; i++) {
        uint32_t len = be32(at);

        at += 4 + (len == UINT32_MAX ? 0 : len);
    }
    return at;
}

static void read_rows(struct table *table, const char *copy)
{
    enum { HEADER = 19 };
    char *piece;
    int len;

    PQclear(ask(copy));
    while ((len = PQgetCopyData(conn, &piece, 0)) > 0) {
        sl_buf_put(&table->rows, piece, (size_t)len);
        PQfreemem(piece);
    }
    for (PGresult *result; (result = PQgetResult(conn));) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            die(copy, PQresultErrorMessage(result));
        PQclear(result);
    }
    for (const uint8_t *at = table->rows.data + HEADER, *next; (next = skip_tuple(at)); at = next) {
        SL_GROW(table->starts, table->n_rows, table->capacity);
        table->starts[table->n_rows++] = (size_t)(at - table->rows.data);
    }
}

static void read_table(struct table *table, char *pair, const char *key, const char *position)
{
    char *equals = strchr(pair, '=');
    struct sl_buf copy = {0};

    if (!equals)
        die(pair, "is no TABLE=JOURNAL");
    *equals = '\0';
    table->name = pair;
    table->statement = sl_format("upsert_%s", pair);
    read_columns(table, equals + 1, key, position, &copy);
    read_rows(table, sl_buf_cstr(&copy));
    sl_buf_done(&copy);
}

static void free_table(struct table *table)
{
    sl_free(table->statement);
    sl_free(table->upsert);
    sl_free(table->starts);
    sl_buf_done(&table->rows);
}

/* ---- batches ---- */

static int sort_column; /* of the table whose rows are being sorted */

static const uint8_t *cell_of(const uint8_t *tuple, int column)
{
    tuple += 2;
    for (int i = 0; i < column; i++) {
        uint32_t len = be32(tuple);

        tuple += 4 + (len == UINT32_MAX ? 0 : len);
    }
    return tuple;
}

static int compare_cells(const uint8_t *left, const uint8_t *right, int column_left, int column_right)
{
    const uint8_t *a = cell_of(left, column_left);
    const uint8_t *b = cell_of(right, column_right);
    uint32_t a_len = be32(a);
    uint32_t b_len = be32(b);
    int order = memcmp(a + 4, b + 4, a_len < b_len ? a_len : b_len);

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_keys(const uint8_t *left, const uint8_t *right)
{
    return compare_cells(left, right, sort_column, sort_column);
}

static int by_key(const void *a, const void *b)
{
    const uint8_t *left = *(const uint8_t *const *)a;
    const uint8_t *right = *(const uint8_t *const *)b;
    int order = compare_keys(left, right);

    return order ? order : (left > right) - (left < right); /* the older first */
}

static int by_age(const void *a, const void *b)
{
    const uint8_t *left = *(const uint8_t *const *)a;
    const uint8_t *right = *(const uint8_t *const *)b;

    return (left > right) - (left < right);
}

/* The changes of all tables in the order of their positions, the cell behind the columns. */
static struct change *merge(const struct table *tables, int n, size_t *ret_n)
{
    size_t at[MAX_TABLES] = {0};
    struct change *changes = NULL;
    size_t n_changes = 0;
    size_t capacity = 0;

    for (;;) {
        struct change next = {0};
        int from = 0;

        for (int i = 0; i < n; i++) {
            const uint8_t *tuple =
                tables[i].rows.data + (at[i] < tables[i].n_rows ? tables[i].starts[at[i]] : 0);

            if (at[i] == tables[i].n_rows ||
                (next.table &&
                 compare_cells(next.tuple, tuple, next.table->n_columns, tables[i].n_columns) <= 0))
                continue;
            next = (struct change){&tables[i], tuple};
            from = i;
        }
        if (!next.table)
            break;
        at[from]++;
        SL_GROW(changes, n_changes, capacity);
        changes[n_changes++] = next;
    }
    *ret_n = n_changes;
    return changes;
}

static struct step make_step(const struct table *table, const struct change *changes, size_t n, bool sorted)
{
    struct step step = {.table = table, .rows = sl_zalloc(n, sizeof(const uint8_t *))};
    uint32_t n_rows = 0;

    for (size_t i = 0; i < n; i++)
        if (changes[i].table == table)
            step.rows[n_rows++] = changes[i].tuple;
    sort_column = table->key;
    qsort(step.rows, n_rows, sizeof(*step.rows), by_key);
    for (uint32_t i = 0; i < n_rows; i++)
        if (i + 1 == n_rows || compare_keys(step.rows[i], step.rows[i + 1]) != 0)
            step.rows[step.n++] = step.rows[i];
    if (!sorted)
        qsort(step.rows, step.n, sizeof(*step.rows), by_age);
    return step;
}

static void add_batch(struct steps *steps, const struct table *tables, int n_tables,
                      const struct change *changes, size_t n, bool sorted)
{
    size_t first = steps->n;

    for (int t = 0; t < n_tables; t++) {
        struct step step = make_step(&tables[t], changes, n, sorted);

        if (!step.n) {
            sl_free(step.rows);
            continue;
        }
        SL_GROW(steps->items, steps->n, steps->capacity);
        steps->items[steps->n++] = step;
    }
    if (steps->n - first > 1) {
        steps->items[first].begins = true;
        steps->items[steps->n - 1].commits = true;
    }
}

static void upsert(const struct step *step, struct sl_buf *params)
{
    const struct table *table = step->table;
    const char *values[MAX_COLUMNS];
    int lengths[MAX_COLUMNS];
    int formats[MAX_COLUMNS];
    PGresult *result;

    for (int column = 0; column < table->n_columns; column++) {
        sl_buf_reset(&params[column]);
        (void)put_array_header(sl_buf_reserve(&params[column], SL_PGSINK_ARRAY_HEADER),
                               table->elements[column], step->n);
        (void)put_be32(params[column].data + 4, 1); /* with NULLs */
        params[column].len = SL_PGSINK_ARRAY_HEADER;
    }
    for (uint32_t i = 0; i < step->n; i++) {
        const uint8_t *cell = step->rows[i] + 2;

        for (int column = 0; column < table->n_columns; column++) {
            uint32_t len = be32(cell);
            uint32_t whole = 4 + (len == UINT32_MAX ? 0 : len);

            sl_buf_put(&params[column], cell, whole);
            cell += whole;
        }
    }
    for (int column = 0; column < table->n_columns; column++) {
        values[column] = (const char *)params[column].data;
        lengths[column] = (int)params[column].len;
        formats[column] = 1;
    }
    result = PQexecPrepared(conn, table->statement, table->n_columns, values, lengths, formats, 0);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        die(table->name, PQresultErrorMessage(result));
    PQclear(result);
}

/* ---- the runs ---- */

static void fresh_tables(const struct table *tables, int n)
{
    struct sl_buf sql = {0};

    run("SET client_min_messages = error; DEALLOCATE ALL; DROP SCHEMA IF EXISTS bare CASCADE");
    run("CREATE SCHEMA bare");
    for (int i = 0; i < n; i++) {
        PGresult *result;

        sl_buf_reset(&sql);
        sl_buf_format(&sql, "CREATE TABLE bare.%s (LIKE public.%s INCLUDING ALL)", tables[i].name,
                      tables[i].name);
        run(sl_buf_cstr(&sql));
        result = PQprepare(conn, tables[i].statement, tables[i].upsert, 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            die(tables[i].name, PQresultErrorMessage(result));
        PQclear(result);
    }
    run("CHECKPOINT");
    sl_buf_done(&sql);
}

static void bench(const struct table *tables, int n_tables, const struct change *changes, size_t n,
                  uint32_t batch_rows, bool sorted)
{
    struct steps steps = {0};
    struct sl_buf params[MAX_COLUMNS] = {{0}};
    struct bench_run measured;
    char what[80];

    fresh_tables(tables, n_tables);
    for (size_t at = 0; at < n; at += batch_rows)
        add_batch(&steps, tables, n_tables, changes + at, n - at < batch_rows ? n - at : batch_rows, sorted);
    measured = bench_begin(PQbackendPID(conn));
    for (size_t i = 0; i < steps.n; i++) {
        if (steps.items[i].begins)
            run("BEGIN");
        upsert(&steps.items[i], params);
        if (steps.items[i].commits)
            run("COMMIT");
    }
    (void)snprintf(what, sizeof(what), "bare upserts, %u a batch, %s", batch_rows,
                   sorted ? "sorted" : "unsorted");
    bench_tell(&measured, what, n);
    for (int i = 0; i < MAX_COLUMNS; i++)
        sl_buf_done(&params[i]);
    for (size_t i = 0; i < steps.n; i++)
        sl_free(steps.items[i].rows);
    sl_free(steps.items);
}

int main(int argc, char **argv)
{
    struct sl_pg_params params = {0};
    struct table tables[MAX_TABLES] = {{0}};
    struct sl_error err = {0};
    struct change *changes;
    size_t n_changes;
    int n = argc - 6;

    if (n < 1 || n > MAX_TABLES) {
        (void)fprintf(stderr, "usage: upsert_loop JDBC_URL USER PASSWORD KEY POSITION TABLE=JOURNAL...\n");
        return 2;
    }
    if (sl_pg_params_url(&params, argv[1], &err) != SL_OK)
        die("the URL", err.text);
    sl_pg_params_set(&params, "user", argv[2]);
    sl_pg_params_set(&params, "password", argv[3]);
    conn = PQconnectdbParams((const char *const *)params.keywords, (const char *const *)params.values, 0);
    if (PQstatus(conn) != CONNECTION_OK)
        die("connect", PQerrorMessage(conn));
    for (int i = 0; i < n; i++)
        read_table(&tables[i], argv[6 + i], argv[4], argv[5]);
    changes = merge(tables, n, &n_changes);
    for (int sorted = 0; sorted < 2; sorted++) {
        bench(tables, n, changes, n_changes, 500, sorted);
        bench(tables, n, changes, n_changes, 2000, sorted);
        bench(tables, n, changes, n_changes, 8000, sorted);
    }
    sl_free(changes);
    run("DROP SCHEMA bare CASCADE");
    for (int i = 0; i < n; i++)
        free_table(&tables[i]);
    PQfinish(conn);
    sl_pg_params_done(&params);
    return 0;
}
