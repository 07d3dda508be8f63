/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/positions.h"

#include "base/alloc.h"
#include "engine/sink_task.h"

const struct sl_progress *sl_progress_find(const struct sl_progress *items, size_t n,
                                           const struct sl_progress *wanted)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i].topic == wanted->topic && items[i].partition == wanted->partition)
            return &items[i];
    }
    return NULL;
}

struct sl_progress sl_progress_of_log(const struct sl_topic_info *info)
{
    return (struct sl_progress){.topic = sl_topic_intern(info->name, strlen(info->name)),
                                .partition = info->partition,
                                .first_offset = info->first_offset,
                                .next_offset = info->next_offset};
}

void sl_positions_init(struct sl_positions *positions)
{
    *positions = (struct sl_positions){0};
    (void)pthread_mutex_init(&positions->lock, NULL);
}

void sl_positions_done(struct sl_positions *positions)
{
    (void)pthread_mutex_destroy(&positions->lock);
    sl_free(positions->items);
}

void sl_positions_set(struct sl_positions *positions, const struct sl_progress *items, size_t n)
{
    (void)pthread_mutex_lock(&positions->lock);
    positions->items = sl_realloc(positions->items, n, sizeof(*items));
    if (n)
        memcpy(positions->items, items, n * sizeof(*items));
    positions->n = n;
    positions->dirty = n > 0;
    (void)pthread_mutex_unlock(&positions->lock);
}

static struct sl_progress *find(struct sl_positions *positions, const struct sl_progress *wanted)
{
    const struct sl_progress *found = sl_progress_find(positions->items, positions->n, wanted);

    return found ? positions->items + (found - positions->items) : NULL;
}

void sl_positions_advance(struct sl_positions *positions, const struct sl_progress *items, size_t n)
{
    (void)pthread_mutex_lock(&positions->lock);
    for (size_t i = 0; i < n; i++) {
        struct sl_progress *position = find(positions, &items[i]);

        if (position)
            position->next_offset = items[i].next_offset;
    }
    positions->dirty = true;
    (void)pthread_mutex_unlock(&positions->lock);
}

struct sl_progress *sl_positions_copy(struct sl_positions *positions, size_t *ret_n)
{
    struct sl_progress *copy;

    (void)pthread_mutex_lock(&positions->lock);
    copy = sl_zalloc(positions->n + 1, sizeof(*copy));
    if (positions->n)
        memcpy(copy, positions->items, positions->n * sizeof(*copy));
    *ret_n = positions->n;
    (void)pthread_mutex_unlock(&positions->lock);
    return copy;
}

bool sl_positions_dirty(struct sl_positions *positions)
{
    bool dirty;

    (void)pthread_mutex_lock(&positions->lock);
    dirty = positions->dirty;
    (void)pthread_mutex_unlock(&positions->lock);
    return dirty;
}

/* A copy of those that have a position; the log is told without holding the lock. */
static struct sl_progress *copy_known(struct sl_positions *positions, size_t *ret_n)
{
    struct sl_progress *copy;
    size_t n = 0;

    (void)pthread_mutex_lock(&positions->lock);
    copy = sl_zalloc(positions->n, sizeof(*copy));
    for (size_t i = 0; i < positions->n; i++) {
        if (positions->items[i].next_offset >= 0)
            copy[n++] = positions->items[i];
    }
    positions->dirty = false;
    (void)pthread_mutex_unlock(&positions->lock);
    *ret_n = n;
    return copy;
}

enum sl_rc sl_positions_commit(struct sl_positions *positions, struct sl_transport *transport,
                               const char *reader, struct sl_error *err)
{
    size_t n;
    struct sl_progress *known = copy_known(positions, &n);
    enum sl_rc rc = SL_OK;

    if (n)
        rc = transport->ops->commit(transport, reader, known, n, err);
    if (rc) {
        (void)pthread_mutex_lock(&positions->lock);
        positions->dirty = true;
        (void)pthread_mutex_unlock(&positions->lock);
    }
    sl_free(known);
    return rc;
}

int64_t sl_positions_lag(struct sl_positions *positions, const struct sl_log_ends *ends)
{
    bool known;
    int64_t lag = 0;

    (void)pthread_mutex_lock(&positions->lock);
    known = positions->n == 0;
    for (size_t i = 0; i < ends->n; i++) {
        const struct sl_progress *end = &ends->items[i];
        const struct sl_progress *position = find(positions, end);
        int64_t at;

        if (!position)
            continue;
        known = true;
        at = position->next_offset >= 0 ? position->next_offset : end->first_offset;
        if (end->next_offset > at)
            lag += end->next_offset - at;
    }
    (void)pthread_mutex_unlock(&positions->lock);
    return known ? lag : -1;
}
