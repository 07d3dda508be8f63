/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The topics that a task has used since its start, so that each is told of once (Connect's "active topics").
 * Belongs to one thread of the task.
 */
#ifndef SLUICE_ENGINE_TOPIC_USE_H
#define SLUICE_ENGINE_TOPIC_USE_H

#include "base/alloc.h"
#include "engine/task_context.h"

struct sl_topic_use {
    const struct sl_topic **seen;
    size_t n;
    size_t capacity;
    const struct sl_topic *last; /* neighbours mostly share it */
};

static inline void sl_topic_use_note(struct sl_topic_use *use, const struct sl_shared *shared,
                                     const char *connector, int task, const struct sl_topic *topic)
{
    if (topic == use->last)
        return;
    use->last = topic;
    for (size_t i = 0; i < use->n; i++) {
        if (use->seen[i] == topic)
            return;
    }
    SL_GROW(use->seen, use->n, use->capacity);
    use->seen[use->n++] = topic;
    if (shared->topic_used)
        shared->topic_used(shared->ctx, connector, task, topic);
}

static inline void sl_topic_use_done(struct sl_topic_use *use)
{
    sl_free(use->seen);
}

#endif
