/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sqlserver/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { READERS = 5, ROWS = 200 };

struct script {
    struct sl_mssql_reader reader;
    uint8_t rows[ROWS][3]; /* commit, command, change */
    int n, next;
};

static void advance(struct script *script)
{
    uint8_t lsn[10] = {0}, change[10] = {0};

    script->reader.has_row = script->next < script->n;
    if (!script->reader.has_row)
        return;
    lsn[9] = script->rows[script->next][0];
    change[9] = script->rows[script->next][2];
    sl_mssql_position_set(&script->reader.at, lsn, script->rows[script->next][1], change, 2);
    script->next++;
}

static int compare_rows(const void *a, const void *b)
{
    return memcmp(a, b, 3);
}

static void tables_merge_into_one_rising_order(void **state)
{
    static struct script scripts[READERS];
    struct sl_mssql_reader *heap[READERS];
    struct sl_mssql_position last = {{0}};
    size_t n = 0;
    int total = 0, seen = 0;

    (void)state;
    srand(7);
    for (int i = 0; i < READERS; i++) {
        scripts[i].n = i * 40; /* the first is empty */
        total += scripts[i].n;
        for (int j = 0; j < scripts[i].n; j++)
            for (int k = 0; k < 3; k++)
                scripts[i].rows[j][k] = (uint8_t)(rand() % 5);
        qsort(scripts[i].rows, (size_t)scripts[i].n, 3, compare_rows);
        advance(&scripts[i]);
        if (scripts[i].reader.has_row)
            sl_mssql_heap_push(heap, &n, &scripts[i].reader);
    }
    while (n) {
        assert_true(sl_mssql_position_compare(&last, &heap[0]->at) <= 0);
        last = heap[0]->at;
        seen++;
        advance((struct script *)heap[0]); /* the reader is its first member */
        sl_mssql_heap_settle(heap, &n);
    }
    assert_int_equal(seen, total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_merge_into_one_rising_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
