/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one struct becomes another: which fields stay and where, in which a null is read as the default, and
 * what is put behind them. Compiled when a schema is first seen; applying it is moves of 16-byte values, or
 * nothing at all when only the schema's pointer changes. What a field's value becomes, and what stands in the
 * places behind, is the transform's own.
 *
 *     struct sl_row_draft draft;
 *     sl_row_draft_begin(&draft, "ReplaceField", from, null_is_default);
 *     sl_row_draft_keep(&draft, 0, "new_name", NULL);
 *     struct sl_row_plan *plan = sl_row_draft_end(&draft, false);
 */
#ifndef SLUICE_TRANSFORM_ROW_PLAN_H
#define SLUICE_TRANSFORM_ROW_PLAN_H

#include "data/schema_build.h"
#include "sluice/error.h"
#include "sluice/option.h"
#include "transform/plan_cache.h"

struct sl_arena;

struct sl_row_plan {
    const struct sl_schema *from;
    const struct sl_schema *to; /* NULL: no record of this schema can pass; why says what is wrong */
    struct sl_error why;
    uint32_t *kept; /* NULL: all fields stay where they are; else their indexes in from */
    uint32_t n_kept;
    uint32_t n_added;   /* places behind them */
    uint32_t *defaults; /* places in which a null is read as the default of the field in from */
    uint32_t n_defaults;
};

/* A plan in the making. */
struct sl_row_draft {
    const char *transform; /* its name, for messages; borrowed */
    bool null_is_default;
    struct sl_row_plan *plan;
    struct sl_struct_builder builder; /* begun with from's name, version, doc and parameters */
};

void sl_row_draft_begin(struct sl_row_draft *draft, const char *transform, const struct sl_schema *from,
                        bool null_is_default);

/* A field of from stays. name NULL: its own; schema NULL: its own. All of them before the first add. */
void sl_row_draft_keep(struct sl_row_draft *draft, uint32_t index, const char *name,
                       const struct sl_schema *schema);

/* One more field behind them. The name is borrowed until the end. */
void sl_row_draft_add(struct sl_row_draft *draft, const char *name, const struct sl_schema *schema);

/* What is wrong with this schema; the first thing said stays. */
void sl_row_draft_refuse(struct sl_row_draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The plan, of the caller. Two fields of one name make it one without an outcome. */
struct sl_row_plan *sl_row_draft_end(struct sl_row_draft *draft, bool optional);

void sl_row_plan_free(void *plan); /* a function for sl_plan_cache_done; NULL is fine */

/* How the plan of a transform begins that keeps more for a schema than how its structs move. */
struct sl_plan_parts {
    struct sl_row_plan *row; /* NULL: nothing moves */
    void *own;               /* an array of the transform's, or NULL */
};

void sl_plan_parts_free(void *plan); /* both and the plan itself; a function for sl_plan_cache_done */

/* The kept fields of a struct in an array of their own, with room behind for the added ones. */
struct sl_value *sl_row_plan_copy(const struct sl_row_plan *plan, struct sl_value row,
                                  struct sl_arena *arena);

/* Whether the values of the outcome are those of from as they stand. */
static inline bool sl_row_plan_moves_nothing(const struct sl_row_plan *plan)
{
    return !plan->kept && !plan->n_defaults && !plan->n_added;
}

/* The struct's new value, where nothing is added. */
static inline struct sl_value sl_row_plan_apply(const struct sl_row_plan *plan, struct sl_value row,
                                                struct sl_arena *arena)
{
    return sl_row_plan_moves_nothing(plan)
               ? row
               : sl_items(SL_STRUCT, sl_row_plan_copy(plan, row, arena), plan->n_kept);
}

/* The value of a field as Connect's Struct.get gives it: null_is_default reads a null as the default. */
static inline struct sl_value sl_field_get(const struct sl_schema *schema, struct sl_value row,
                                           uint32_t index, bool null_is_default)
{
    const struct sl_schema *field = schema->fields[index].schema;
    struct sl_value value = row.items[index];

    return value.tag == SL_NULL && null_is_default && field->has_default ? field->default_value : value;
}

/* The option of all that read fields, and what it says. */
#define SL_NULL_DEFAULT_OPTION            \
    {.name = "replace.null.with.default", \
     .type = SL_OPT_BOOLEAN,              \
     .default_text = "true",              \
     .importance = SL_IMPORTANCE_MEDIUM,  \
     .doc = "Whether a null in a field with a default is read as the default."}

static inline bool sl_null_is_default(const struct sl_option *options, const struct sl_props *props,
                                      const char *prefix)
{
    return sl_option_bool(options, props, prefix, "replace.null.with.default");
}

#endif
