/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/row_plan.h"

#include "base/arena.h"

#include <stdio.h>

void sl_row_draft_begin(struct sl_row_draft *draft, const char *transform, const struct sl_schema *from,
                        bool null_is_default)
{
    struct sl_row_plan *plan = sl_zalloc(1, sizeof(*plan));

    plan->from = from;
    plan->kept = sl_zalloc((size_t)from->n_fields + 1, sizeof(*plan->kept));
    plan->defaults = sl_zalloc((size_t)from->n_fields + 1, sizeof(*plan->defaults));
    *draft = (struct sl_row_draft){.transform = transform,
                                   .null_is_default = null_is_default,
                                   .plan = plan,
                                   .builder = sl_struct_like(from)};
}

void sl_row_draft_refuse(struct sl_row_draft *draft, const char *format, ...)
{
    char text[300];
    va_list args;

    if (draft->plan->why.rc)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)sl_error_set(&draft->plan->why, SL_E_DATA, "%s %s", draft->transform, text);
}

static void add_field(struct sl_row_draft *draft, const char *name, const struct sl_schema *schema)
{
    for (uint32_t i = 0; i < draft->builder.n_fields; i++) {
        if (strcmp(draft->builder.fields[i].name, name) == 0)
            sl_row_draft_refuse(
                draft, "gives two fields the name '%.100s'. HINT: choose another name for one of them", name);
    }
    sl_struct_add(&draft->builder, name, schema);
}

void sl_row_draft_keep(struct sl_row_draft *draft, uint32_t index, const char *name,
                       const struct sl_schema *schema)
{
    struct sl_row_plan *plan = draft->plan;
    const struct sl_field *field = &plan->from->fields[index];

    if (plan->n_kept == plan->from->n_fields) { /* one field twice: there is no room, nor sense */
        sl_row_draft_refuse(draft, "takes the field '%.100s' twice. HINT: name it once", field->name);
        return;
    }
    if (draft->null_is_default && field->schema->has_default && !sl_is_null(field->schema->default_value))
        plan->defaults[plan->n_defaults++] = plan->n_kept;
    plan->kept[plan->n_kept++] = index;
    add_field(draft, name ? name : field->name, schema ? schema : field->schema);
}

void sl_row_draft_add(struct sl_row_draft *draft, const char *name, const struct sl_schema *schema)
{
    draft->plan->n_added++;
    add_field(draft, name, schema);
}

static bool all_in_place(const struct sl_row_plan *plan)
{
    if (plan->n_kept != plan->from->n_fields)
        return false;
    for (uint32_t i = 0; i < plan->n_kept; i++) {
        if (plan->kept[i] != i)
            return false;
    }
    return true;
}

struct sl_row_plan *sl_row_draft_end(struct sl_row_draft *draft, bool optional)
{
    struct sl_row_plan *plan = draft->plan;

    if (all_in_place(plan)) {
        sl_free(plan->kept);
        plan->kept = NULL;
    }
    plan->to = sl_struct_end(&draft->builder, optional);
    if (plan->why.rc)
        plan->to = NULL;
    return plan;
}

void sl_row_plan_free(void *plan_)
{
    struct sl_row_plan *plan = plan_;

    if (!plan)
        return;
    sl_free(plan->kept);
    sl_free(plan->defaults);
    sl_free(plan);
}

void sl_plan_parts_free(void *plan)
{
    struct sl_plan_parts *parts = plan;

    sl_row_plan_free(parts->row);
    sl_free(parts->own);
    sl_free(plan);
}

struct sl_value *sl_row_plan_copy(const struct sl_row_plan *plan, struct sl_value row, struct sl_arena *arena)
{
    struct sl_value *fields = sl_arena_alloc(arena, ((size_t)plan->n_kept + plan->n_added) * sizeof(*fields));

    if (plan->kept) {
        for (uint32_t i = 0; i < plan->n_kept; i++)
            fields[i] = row.items[plan->kept[i]];
    } else if (plan->n_kept) {
        memcpy(fields, row.items, plan->n_kept * sizeof(*fields));
    }
    for (uint32_t i = 0; i < plan->n_defaults; i++) {
        uint32_t at = plan->defaults[i];

        if (fields[at].tag == SL_NULL)
            fields[at] = plan->from->fields[plan->kept ? plan->kept[at] : at].schema->default_value;
    }
    return fields;
}
