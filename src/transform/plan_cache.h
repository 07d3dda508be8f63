/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transform compiled from a schema, by that schema. Neighbouring records mostly share theirs, so the
 * last plan is kept at hand and asking for it is one compare.
 *
 * Threads: one, the instance's.
 */
#ifndef SLUICE_TRANSFORM_PLAN_CACHE_H
#define SLUICE_TRANSFORM_PLAN_CACHE_H

#include "base/pointer_map.h"
#include "sluice/schema.h"

/* Begin with a zeroed one. */
struct sl_plan_cache {
    const struct sl_schema *last_schema;
    void *last;
    struct sl_pointer_map plans; /* by schema id */
};

/* The plan of a schema, or NULL: then compile it and put it in. */
static inline void *sl_plan_cache_get(struct sl_plan_cache *cache, const struct sl_schema *schema)
{
    if (cache->last_schema != schema) {
        cache->last = sl_pointer_map_get(&cache->plans, schema->id);
        cache->last_schema = cache->last ? schema : NULL;
    }
    return cache->last;
}

/* Takes the plan over, and returns it. */
static inline void *sl_plan_cache_put(struct sl_plan_cache *cache, const struct sl_schema *schema, void *plan)
{
    sl_pointer_map_put(&cache->plans, schema->id, plan);
    cache->last_schema = schema;
    cache->last = plan;
    return plan;
}

static inline void sl_plan_cache_done(struct sl_plan_cache *cache, void (*free_plan)(void *))
{
    sl_pointer_map_done(&cache->plans, free_plan);
    cache->last_schema = NULL;
    cache->last = NULL;
}

#endif
