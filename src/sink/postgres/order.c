/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in the order of their keys: neighbours in the table's index, and one order of row locks for all
 * writers. Batches mostly come sorted or nearly so; else a radix sort over the bytes of the order word that
 * differ.
 */
#include "sink/postgres/load.h"

enum { SMALL = 48, DIGITS = 256 };

static bool before(const struct sl_pgsink_group *group, const struct sl_pgsink_row *a,
                   const struct sl_pgsink_row *b)
{
    uint32_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order;

    if (a->order != b->order)
        return a->order < b->order;
    if (shorter == 0)
        return a->key_len < b->key_len;
    order = memcmp(group->keys.data + a->key_at, group->keys.data + b->key_at, shorter);
    return order ? order < 0 : a->key_len < b->key_len;
}

static void insertion_sort(const struct sl_pgsink_group *group, struct sl_pgsink_row **rows, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct sl_pgsink_row *row = rows[i];
        uint32_t at = i;

        for (; at && before(group, row, rows[at - 1]); at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

/* One pass by the byte at shift; stable. */
static void radix_pass(struct sl_pgsink_row **from, struct sl_pgsink_row **to, uint32_t n, int shift)
{
    uint32_t start[DIGITS + 1] = {0};

    for (uint32_t i = 0; i < n; i++)
        start[(from[i]->order >> shift & 0xFF) + 1]++;
    for (int i = 0; i < DIGITS; i++)
        start[i + 1] += start[i];
    for (uint32_t i = 0; i < n; i++)
        to[start[from[i]->order >> shift & 0xFF]++] = from[i];
}

/* Merge sort for runs of equal order words: keys that differ only further back. */
static void sort_ties(const struct sl_pgsink_group *group, struct sl_pgsink_row **rows,
                      struct sl_pgsink_row **spare, uint32_t n)
{
    uint32_t half = n / 2;
    uint32_t left = 0;
    uint32_t right = half;

    if (n <= SMALL) {
        insertion_sort(group, rows, n);
        return;
    }
    sort_ties(group, rows, spare, half);
    sort_ties(group, rows + half, spare, n - half);
    for (uint32_t i = 0; i < n; i++) {
        bool from_right = right < n && (left == half || before(group, rows[right], rows[left]));

        spare[i] = from_right ? rows[right++] : rows[left++];
    }
    memcpy(rows, spare, n * sizeof(*rows));
}

static void sort_by_key(struct sl_pgsink_group *group)
{
    struct sl_pgsink_row **rows = group->sorted;
    struct sl_pgsink_row **spare = group->placed;
    uint32_t n = group->n_sorted;
    uint64_t differ = 0;

    for (uint32_t i = 1; i < n; i++)
        differ |= rows[i]->order ^ rows[0]->order;
    for (int shift = 0; shift < 64; shift += 8) {
        if (!(differ >> shift & 0xFF))
            continue;
        radix_pass(rows, spare, n, shift);
        rows = spare;
        spare = rows == group->sorted ? group->placed : group->sorted;
    }
    if (rows != group->sorted)
        memcpy(group->sorted, rows, n * sizeof(*rows));
    for (uint32_t first = 0; first < n;) {
        uint32_t end = first + 1;

        while (end < n && group->sorted[end]->order == group->sorted[first]->order)
            end++;
        if (end - first > 1)
            sort_ties(group, group->sorted + first, group->placed, end - first);
        first = end;
    }
}

void sl_pgsink_group_sort(struct sl_pgsink_group *group, bool keep_order)
{
    bool sorted = true;

    if (group->n_rows > group->sorted_capacity) {
        group->sorted_capacity = group->rows_capacity;
        group->sorted = sl_realloc(group->sorted, group->sorted_capacity, sizeof(*group->sorted));
        group->placed = sl_realloc(group->placed, group->sorted_capacity, sizeof(*group->placed));
    }
    group->n_sorted = 0;
    for (uint32_t i = 0; i < group->n_rows; i++) {
        struct sl_pgsink_row *row = &group->rows[i];

        if (row->op == SL_PGSINK_GONE)
            continue;
        if (!keep_order && sorted && group->n_sorted)
            sorted = !before(group, row, group->sorted[group->n_sorted - 1]);
        group->sorted[group->n_sorted++] = row;
    }
    if (keep_order || sorted)
        return;
    if (group->n_sorted <= SMALL)
        insertion_sort(group, group->sorted, group->n_sorted);
    else
        sort_by_key(group);
}
