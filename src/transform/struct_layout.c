/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/struct_layout.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "data/schema_build.h"

#include <string.h>

/* A field of the outcome while it is compiled. */
struct item {
    const char *name;
    const struct sl_schema *schema;
    int from; /* index in the row; -1: an extra */
    struct sl_layout_extra extra;
};

struct items {
    struct item *items;
    uint32_t n, capacity;
    bool nulls_replaced; /* of the fields that the row brings */
    bool changed;
};

static enum sl_rc add(struct items *items, struct item item, struct sl_error *err)
{
    for (uint32_t i = 0; i < items->n; i++) {
        if (strcmp(items->items[i].name, item.name) == 0)
            return sl_error_set(
                err, SL_E_DATA,
                "the record has a field '%.100s' already. HINT: another add.fields.prefix, or a new name "
                "behind a colon",
                item.name);
    }
    SL_GROW(items->items, items->n, items->capacity);
    items->items[items->n++] = item;
    return SL_OK;
}

static void take_row(struct items *items, const struct sl_schema *row)
{
    for (uint32_t i = 0; i < row->n_fields; i++) {
        SL_GROW(items->items, items->n, items->capacity);
        items->items[items->n++] =
            (struct item){.name = row->fields[i].name, .schema = row->fields[i].schema, .from = (int)i};
    }
}

static enum sl_rc add_deleted(struct items *items, const struct sl_layout_plan *plan, struct sl_error *err)
{
    if (!plan->deleted)
        return SL_OK;
    items->nulls_replaced |= plan->null_is_default;
    items->changed = true;
    return add(items,
               (struct item){.name = "__deleted",
                             .schema = sl_schema_plain(SL_STRING, true),
                             .from = -1,
                             .extra = {.constant = true, .value = sl_text(plan->deleted)}},
               err);
}

static enum sl_rc add_fields(struct items *items, const struct sl_layout_plan *plan, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (size_t i = 0; !rc && plan->adds && i < plan->adds->n; i++) {
        struct item item = {.name = plan->adds->items[i].new_name, .from = -1};

        if (!sl_field_reference_find(&plan->adds->items[i], plan->envelope, &item.extra.place))
            continue;
        item.schema = item.extra.place.schema;
        items->changed = true;
        rc = add(items, item, err);
    }
    return rc;
}

static bool dropped(const struct sl_layout_plan *plan, const struct item *item)
{
    if (plan->optional_only && !item->schema->optional)
        return false;
    for (size_t i = 0; i < plan->n_drops; i++) {
        if (strlen(item->name) == plan->drops[i].len &&
            memcmp(item->name, plan->drops[i].ptr, plan->drops[i].len) == 0)
            return true;
    }
    return false;
}

static void drop_fields(struct items *items, const struct sl_layout_plan *plan)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < items->n; i++) {
        if (!dropped(plan, &items->items[i]))
            items->items[kept++] = items->items[i];
    }
    /* The original copies the row, and so reads its nulls, also when no name in the list was one of its. */
    if (kept == items->n && (plan->optional_only || !plan->n_drops))
        return;
    items->n = kept;
    items->changed = true;
    items->nulls_replaced |= plan->null_is_default;
}

static const struct sl_schema *outcome_schema(const struct items *items, const struct sl_schema *row)
{
    struct sl_struct_builder builder = sl_struct_like(row);

    for (uint32_t i = 0; i < items->n; i++)
        sl_struct_add(&builder, items->items[i].name, items->items[i].schema);
    return sl_struct_end(&builder, false);
}

static void fill(const struct items *items, const struct sl_schema *row, struct sl_struct_layout *layout)
{
    layout->kept = sl_zalloc(items->n, sizeof(*layout->kept));
    layout->defaults = sl_zalloc(items->n, sizeof(*layout->defaults));
    layout->extras = sl_zalloc(items->n, sizeof(*layout->extras));
    for (uint32_t i = 0; i < items->n; i++) {
        const struct item *item = &items->items[i];

        if (item->from < 0) {
            layout->extras[layout->n_extras++] = item->extra;
            continue;
        }
        if (items->nulls_replaced && item->schema->has_default && item->schema->default_value.tag != SL_NULL)
            layout->defaults[layout->n_defaults++] = i;
        layout->kept[layout->n_kept++] = (uint32_t)item->from;
    }
    if (layout->n_kept == row->n_fields) { /* fields keep their order: all means one copy */
        sl_free(layout->kept);
        layout->kept = NULL;
    }
}

enum sl_rc sl_struct_layout_compile(const struct sl_layout_plan *plan, struct sl_struct_layout *ret,
                                    struct sl_error *err)
{
    struct sl_struct_layout layout = {0};
    struct items items = {0};
    enum sl_rc rc;

    take_row(&items, plan->row);
    rc = add_deleted(&items, plan, err);
    if (!rc && plan->drops_first)
        drop_fields(&items, plan);
    if (!rc)
        rc = add_fields(&items, plan, err);
    if (!rc && !plan->drops_first)
        drop_fields(&items, plan);
    if (!rc) {
        fill(&items, plan->row, &layout);
        layout.same_fields = !items.changed;
        layout.schema = outcome_schema(&items, plan->row);
        *ret = layout;
    }
    sl_free(items.items);
    return rc;
}

void sl_struct_layout_done(struct sl_struct_layout *layout)
{
    sl_free(layout->kept);
    sl_free(layout->defaults);
    sl_free(layout->extras);
    *layout = (struct sl_struct_layout){0};
}

struct sl_value sl_struct_layout_apply(const struct sl_struct_layout *layout, struct sl_value row,
                                       struct sl_value envelope, struct sl_arena *arena)
{
    uint32_t n = layout->n_kept + layout->n_extras;
    struct sl_value *fields;

    if (layout->same_fields)
        return row;
    fields = sl_arena_alloc(arena, n * sizeof(*fields));
    if (layout->kept) {
        for (uint32_t i = 0; i < layout->n_kept; i++)
            fields[i] = row.items[layout->kept[i]];
    } else if (layout->n_kept) {
        memcpy(fields, row.items, layout->n_kept * sizeof(*fields));
    }
    for (uint32_t i = 0; i < layout->n_defaults; i++) {
        uint32_t at = layout->defaults[i];

        if (fields[at].tag == SL_NULL)
            fields[at] = layout->schema->fields[at].schema->default_value;
    }
    for (uint32_t i = 0; i < layout->n_extras; i++) {
        const struct sl_layout_extra *extra = &layout->extras[i];

        fields[layout->n_kept + i] =
            extra->constant ? extra->value : sl_field_place_value(&extra->place, envelope);
    }
    return sl_items(SL_STRUCT, fields, n);
}
