/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge between operations and SQLite: ms(), msv() and the aggregates that SQLite does not have. */
#include "operation.h"

#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "language.h"

#define POINTER_TYPE "ms_operation"

bool ms_operation_run(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                      struct ms_value *ret)
{
    *ret = (struct ms_value){0};
    for (size_t i = 0; op->null_in_null_out && i < op->n_args; i++) {
        if (args[i].is_null) {
            ret->is_null = true;
            return true;
        }
    }
    return op->eval(ev, op, args, ret);
}

static void call(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct ms_session *session = sqlite3_user_data(context);
    struct ms_language *language = ms_language_of(session);
    const struct ms_operation *op = argc > 0 ? sqlite3_value_pointer(argv[0], POINTER_TYPE) : NULL;
    struct ms_value args[MS_OPERATION_ARGS], result;
    struct ms_error err;
    if (!op || (size_t)argc != op->n_args + 1) {
        sqlite3_result_error(context, "ms(): no operation", -1);
        return;
    }
    ms_arena_reset(&language->scratch);
    for (size_t i = 0; i < op->n_args; i++)
        ms_cell_from_sqlite(argv[i + 1], &op->args[i], &language->scratch, &args[i]);
    struct ms_eval ev = {session, language, &language->scratch, &err};
    if (ms_operation_run(&ev, op, args, &result))
        ms_cell_result(context, &op->result, &result);
    else
        ms_session_fail_function(session, context, &err);
}

/* --- sums: SUM of int and bigint overflows as an error, SUM of decimals is exact to 38 digits --- */

struct sum {
    uint8_t total[sizeof(ms_int128)]; /* SQLite aligns an aggregate's memory to 8 bytes only */
    int64_t n;
    bool overflow;
};

static ms_int128 total_of(const struct sum *sum)
{
    ms_int128 total;
    memcpy(&total, sum->total, sizeof total);
    return total;
}

static bool cell_number(sqlite3_value *cell, ms_int128 *ret)
{
    if (sqlite3_value_type(cell) == SQLITE_NULL)
        return false;
    if (sqlite3_value_type(cell) == SQLITE_BLOB && sqlite3_value_bytes(cell) == 16)
        *ret = ms_cell_to_decimal(sqlite3_value_blob(cell));
    else
        *ret = sqlite3_value_int64(cell);
    return true;
}

static void sum_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct sum *sum = sqlite3_aggregate_context(context, sizeof *sum);
    ms_int128 value;
    (void)argc;
    if (!sum || !cell_number(argv[0], &value))
        return;
    ms_int128 total = total_of(sum);
    sum->overflow = sum->overflow || !ms_decimal_add(total, value, &total);
    memcpy(sum->total, &total, sizeof total);
    sum->n++;
}

static void sum_undo(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct sum *sum = sqlite3_aggregate_context(context, sizeof *sum);
    ms_int128 value;
    (void)argc;
    if (!sum || !cell_number(argv[0], &value))
        return;
    ms_int128 total = total_of(sum) - value;
    memcpy(sum->total, &total, sizeof total);
    sum->n--;
}

static void sum_fail(sqlite3_context *context, const char *type)
{
    struct ms_error err;
    (void)ms_error_set(&err, 8115, 16, 2, "Arithmetic overflow error converting expression to data type %s.",
                       type);
    ms_session_fail_function(sqlite3_user_data(context), context, &err);
}

static void sum_int_value(sqlite3_context *context)
{
    struct sum *sum = sqlite3_aggregate_context(context, 0);
    if (!sum || sum->n == 0)
        sqlite3_result_null(context);
    else if (sum->overflow || total_of(sum) > INT32_MAX || total_of(sum) < INT32_MIN)
        sum_fail(context, "int");
    else
        sqlite3_result_int64(context, (int64_t)total_of(sum));
}

static void sum_bigint_value(sqlite3_context *context)
{
    struct sum *sum = sqlite3_aggregate_context(context, 0);
    if (!sum || sum->n == 0)
        sqlite3_result_null(context);
    else if (sum->overflow || total_of(sum) > INT64_MAX || total_of(sum) < INT64_MIN)
        sum_fail(context, "bigint");
    else
        sqlite3_result_int64(context, (int64_t)total_of(sum));
}

static void sum_decimal_value(sqlite3_context *context)
{
    struct sum *sum = sqlite3_aggregate_context(context, 0);
    uint8_t cell[16];
    if (!sum || sum->n == 0) {
        sqlite3_result_null(context);
        return;
    }
    if (sum->overflow) {
        sum_fail(context, "numeric");
        return;
    }
    ms_cell_from_decimal(total_of(sum), cell);
    sqlite3_result_blob(context, cell, 16, SQLITE_TRANSIENT);
}

/* --- STRING_AGG(text, separator [, order key]) --- */

struct piece {
    char *text;
    int len;
    sqlite3_value *key;
};

struct pieces {
    struct piece *list;
    size_t n;
    char *separator;
    int separator_len;
};

static void pieces_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct pieces *all = sqlite3_aggregate_context(context, sizeof *all);
    if (!all || sqlite3_value_type(argv[0]) == SQLITE_NULL)
        return;
    if ((all->n & (all->n - 1)) == 0)
        all->list = ms_heap_resize(all->list, (all->n ? all->n * 2 : 1) * sizeof *all->list);
    struct piece *piece = &all->list[all->n++];
    piece->len = sqlite3_value_bytes(argv[0]);
    piece->text = ms_heap_text((const char *)sqlite3_value_text(argv[0]), (size_t)piece->len);
    piece->key = argc > 2 ? sqlite3_value_dup(argv[2]) : NULL;
    if (!all->separator) {
        all->separator_len = sqlite3_value_bytes(argv[1]);
        all->separator = ms_heap_text((const char *)sqlite3_value_text(argv[1]), (size_t)all->separator_len);
    }
}

static int compare_pieces(const void *a, const void *b)
{
    sqlite3_value *x = ((const struct piece *)a)->key, *y = ((const struct piece *)b)->key;
    if (!x || !y)
        return 0;
    int tx = sqlite3_value_type(x), ty = sqlite3_value_type(y);
    if (tx == SQLITE_NULL || ty == SQLITE_NULL)
        return (tx != SQLITE_NULL) - (ty != SQLITE_NULL);
    if (tx == SQLITE_INTEGER && ty == SQLITE_INTEGER) {
        int64_t i = sqlite3_value_int64(x), j = sqlite3_value_int64(y);
        return (i > j) - (i < j);
    }
    if (tx == SQLITE_FLOAT || ty == SQLITE_FLOAT) {
        double i = sqlite3_value_double(x), j = sqlite3_value_double(y);
        return (i > j) - (i < j);
    }
    return ms_collation_compare("MSN_CI", sqlite3_value_blob(x), (size_t)sqlite3_value_bytes(x),
                                sqlite3_value_blob(y), (size_t)sqlite3_value_bytes(y));
}

static void pieces_final(sqlite3_context *context)
{
    struct pieces *all = sqlite3_aggregate_context(context, 0);
    struct ms_buffer out = {0};
    if (!all || all->n == 0) {
        sqlite3_result_null(context);
        return;
    }
    qsort(all->list, all->n, sizeof *all->list, compare_pieces);
    for (size_t i = 0; i < all->n; i++) {
        if (i && all->separator)
            ms_buffer_add(&out, all->separator, (size_t)all->separator_len);
        ms_buffer_add(&out, all->list[i].text, (size_t)all->list[i].len);
        free(all->list[i].text);
        sqlite3_value_free(all->list[i].key);
    }
    free(all->list);
    free(all->separator);
    sqlite3_result_text(context, out.data ? out.data : "", (int)out.len, SQLITE_TRANSIENT);
    ms_buffer_free(&out);
}

void ms_operation_register(struct ms_session *session)
{
    sqlite3 *db = session->db;
    sqlite3_create_function_v2(db, "ms", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, session, call, NULL, NULL,
                               NULL);
    sqlite3_create_function_v2(db, "msv", -1, SQLITE_UTF8, session, call, NULL, NULL, NULL);
    sqlite3_create_window_function(db, "ms_sum_int", 1, SQLITE_UTF8, session, sum_step, sum_int_value,
                                   sum_int_value, sum_undo, NULL);
    sqlite3_create_window_function(db, "ms_sum_bigint", 1, SQLITE_UTF8, session, sum_step, sum_bigint_value,
                                   sum_bigint_value, sum_undo, NULL);
    sqlite3_create_window_function(db, "ms_sum_decimal", 1, SQLITE_UTF8, session, sum_step, sum_decimal_value,
                                   sum_decimal_value, sum_undo, NULL);
    for (int n = 2; n <= 3; n++)
        sqlite3_create_function_v2(db, "ms_string_agg", n, SQLITE_UTF8, session, NULL, pieces_step,
                                   pieces_final, NULL);
}
