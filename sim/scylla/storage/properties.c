/* SPDX-License-Identifier: Apache-2.0 */
/* What WITH says: known names, and the ones that the store itself obeys. */
#include "table_make.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

const char *sy_property_get(const struct sy_property *property, const char *key)
{
    for (uint32_t i = 0; property->text == NULL && i < property->n; i++) {
        if (strcmp(property->keys[i], key) == 0)
            return property->values[i];
    }
    return NULL;
}

struct sy_property sy_property_copy(struct sy_arena *arena, const struct sy_property *property)
{
    const char **keys = sy_arena_alloc(arena, property->n * sizeof(*keys));
    const char **values = sy_arena_alloc(arena, property->n * sizeof(*values));

    for (uint32_t i = 0; i < property->n; i++) {
        keys[i] = sy_arena_text(arena, property->keys[i]);
        values[i] = sy_arena_text(arena, property->values[i]);
    }
    return (struct sy_property){.name = sy_arena_text(arena, property->name),
                                .text = property->text != NULL ? sy_arena_text(arena, property->text) : NULL,
                                .n = property->n,
                                .keys = keys,
                                .values = values};
}

static bool is_known(const char *name)
{
    static const char *const known[] = {"comment",
                                        "gc_grace_seconds",
                                        "default_time_to_live",
                                        "compaction",
                                        "compression",
                                        "caching",
                                        "bloom_filter_fp_chance",
                                        "speculative_retry",
                                        "crc_check_chance",
                                        "dclocal_read_repair_chance",
                                        "read_repair_chance",
                                        "memtable_flush_period_in_ms",
                                        "min_index_interval",
                                        "max_index_interval",
                                        "cdc",
                                        "tablets",
                                        "paxos_grace_seconds",
                                        "tombstone_gc",
                                        "synchronous_updates",
                                        "per_partition_rate_limit",
                                        "additional_write_policy",
                                        "read_repair",
                                        "in_memory",
                                        "extensions",
                                        "memtable",
                                        "incremental_backups",
                                        "storage_engine"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], name) == 0)
            return true;
    }
    return false;
}

static bool take_seconds(const char *text, int64_t max, int32_t *ret)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0 || value > max)
        return false;
    *ret = (int32_t)value;
    return true;
}

static bool take_bool(const char *text, bool *ret)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(words[i], text) == 0) {
            *ret = i % 2 == 1;
            return true;
        }
    }
    return false;
}

static bool take_cdc_option(const char *key, const char *value, struct sy_cdc_options *cdc)
{
    bool on;

    if (strcmp(key, "enabled") == 0)
        return take_bool(value, &cdc->enabled);
    if (strcmp(key, "postimage") == 0)
        return take_bool(value, &cdc->postimage);
    if (strcmp(key, "preimage") == 0) {
        if (strcasecmp(value, "full") == 0) {
            cdc->preimage = SY_PREIMAGE_FULL;
            return true;
        }
        if (!take_bool(value, &on))
            return false;
        cdc->preimage = on ? SY_PREIMAGE_ON : SY_PREIMAGE_OFF;
        return true;
    }
    if (strcmp(key, "delta") == 0) {
        cdc->delta_keys = strcasecmp(value, "keys") == 0;
        return cdc->delta_keys || strcasecmp(value, "full") == 0;
    }
    return take_seconds(value, INT32_MAX, &cdc->ttl_s);
}

static bool take_cdc(struct sy_table_draft *draft, const struct sy_property *property, struct sy_arena *arena,
                     struct sy_error *error)
{
    static const char *const keys[] = {"enabled", "preimage", "postimage", "delta", "ttl"};
    struct sy_cdc_options cdc = {.ttl_s = 86400};

    for (uint32_t i = 0; i < property->n; i++) {
        bool known = false;

        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            known = known || strcmp(keys[k], property->keys[i]) == 0;
        if (!known)
            return sy_fail(arena, error, 0x2300, "Invalid CDC option: %s", property->keys[i]);
        if (!take_cdc_option(property->keys[i], property->values[i], &cdc))
            return sy_fail(arena, error, 0x2300, "Invalid value for CDC option \"%s\": %s", property->keys[i],
                           property->values[i]);
    }
    draft->cdc = cdc;
    draft->has_cdc_options = true;
    return true;
}

/* The new ones in the place of those of the same names. */
static void replace_property(struct sy_table_draft *draft, const struct sy_property *property,
                             struct sy_arena *arena)
{
    struct sy_property *all = sy_arena_alloc(arena, (draft->n_properties + 1) * sizeof(*all));
    uint32_t n = draft->n_properties;
    uint32_t at = 0;

    for (uint32_t i = 0; i < n; i++)
        all[i] = draft->properties[i];
    while (at < n && strcmp(all[at].name, property->name) != 0)
        at++;
    all[at] = *property;
    draft->properties = all;
    draft->n_properties = at == n ? n + 1 : n;
}

bool sy_properties_take(struct sy_table_draft *draft, const struct sy_property *properties, uint32_t n,
                        struct sy_arena *arena, struct sy_error *error)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct sy_property *property = &properties[i];

        if (!is_known(property->name))
            return sy_fail(arena, error, 0x2000, "Unknown property '%s'", property->name);
        if (strcmp(property->name, "cdc") == 0 && !take_cdc(draft, property, arena, error))
            return false;
        if (strcmp(property->name, "default_time_to_live") == 0 &&
            (property->text == NULL || !take_seconds(property->text, 630720000, &draft->default_ttl_s)))
            return sy_fail(arena, error, 0x2300,
                           "default_time_to_live must be between 0 and 630720000 seconds (got %s)",
                           property->text != NULL ? property->text : "a map");
        replace_property(draft, property, arena);
    }
    return true;
}
