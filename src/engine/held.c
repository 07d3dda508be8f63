/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/held.h"

#include "base/alloc.h"
#include "base/clock.h"

void sl_held_done(struct sl_held *held)
{
    sl_free(held->rows);
    sl_free(held->rest);
    *held = (struct sl_held){0};
}

/* Does one of the rows wait since before? */
static bool is_known(const struct sl_held *held, const struct sl_progress *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sl_progress *before = sl_progress_find(held->rows, held->n, &rows[i]);

        if (before && before->first_offset == rows[i].first_offset)
            return true;
    }
    return false;
}

static void take_ends(struct sl_held *held, const struct sl_progress *positions, size_t n,
                      const struct sl_progress *ends, size_t n_ends)
{
    held->rest = sl_realloc(held->rest, n + 1, sizeof(*held->rest));
    held->n_rest = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sl_progress *end = sl_progress_find(ends, n_ends, &positions[i]);

        if (end && end->next_offset > end->first_offset)
            held->rest[held->n_rest++] = *end;
    }
}

/* Is something left to be done beside the rows? *ret_sum, *ret_end_sum: where the others are, and end. */
static bool has_more(const struct sl_held *held, const struct sl_progress *positions, size_t n,
                     int64_t *ret_sum, int64_t *ret_end_sum)
{
    bool more = false;

    *ret_sum = 0;
    *ret_end_sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sl_progress *end = sl_progress_find(held->rest, held->n_rest, &positions[i]);

        if (sl_progress_find(held->rows, held->n, &positions[i]))
            continue;
        *ret_sum += positions[i].next_offset;
        *ret_end_sum += end ? end->next_offset : 0;
        more |= end && positions[i].next_offset < end->next_offset;
    }
    return more;
}

/* Those that are set aside already stay so: else two rows would send the task to and fro between them. */
static void take_rows(struct sl_held *held, const struct sl_progress *rows, size_t n)
{
    struct sl_progress *all = sl_zalloc(n + held->n + 1, sizeof(*all));
    size_t n_all = n;

    memcpy(all, rows, n * sizeof(*rows));
    for (size_t i = 0; held->until_us && i < held->n; i++) {
        if (!sl_progress_find(rows, n, &held->rows[i]))
            all[n_all++] = held->rows[i];
    }
    sl_free(held->rows);
    held->rows = all;
    held->n = n_all;
}

bool sl_held_set_aside(struct sl_held *held, const struct sl_progress *rows, size_t n,
                       const struct sl_progress *positions, size_t n_positions,
                       const struct sl_progress *ends, size_t n_ends, int64_t open_us, int64_t pause_us)
{
    int64_t now_us = sl_now_us();
    bool known = held->until_us || is_known(held, rows, n);
    int64_t sum;
    int64_t end_sum;

    if (!known)
        held->began_us = now_us;
    if (!known || now_us - held->began_us < open_us)
        take_ends(held, positions, n_positions, ends, n_ends);
    take_rows(held, rows, n);
    /* Where the last time brought nothing, this one would not either (a log may end with what is no record).
     */
    if (!has_more(held, positions, n_positions, &sum, &end_sum) ||
        (known && sum == held->sum && end_sum == held->end_sum)) {
        held->resting = true;
        return false;
    }
    held->sum = sum;
    held->end_sum = end_sum;
    held->until_us = now_us + pause_us;
    return true;
}

bool sl_held_is_over(const struct sl_held *held, struct sl_positions *positions)
{
    bool more = false;
    int64_t sum;
    int64_t end_sum;

    if (!held->until_us || held->resting)
        return false;
    if (sl_now_us() >= held->until_us)
        return true;
    (void)pthread_mutex_lock(&positions->lock);
    more = has_more(held, positions->items, positions->n, &sum, &end_sum);
    (void)pthread_mutex_unlock(&positions->lock);
    return !more;
}

size_t sl_held_part(const struct sl_held *held, struct sl_progress *partitions, size_t n)
{
    size_t n_read = 0;

    for (size_t i = 0; held->until_us && i < n; i++) {
        if (!sl_progress_find(held->rows, held->n, &partitions[i])) {
            struct sl_progress other = partitions[i];

            partitions[i] = partitions[n_read];
            partitions[n_read++] = other;
        }
    }
    for (size_t i = n_read; n_read && i < n; i++)
        partitions[i].next_offset = sl_progress_find(held->rows, held->n, &partitions[i])->first_offset;
    return n_read ? n_read : n;
}
