/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two transforms of Scylla's connector. In its legacy shape a column is a struct <...>.Cell with the one
 * field value: a null cell is a column that the change did not name, a cell that holds null one that it set
 * to null. Theirs forget the difference when they take the value out of its cell; ours leave the column
 * absent.
 *
 * ScyllaExtractNewRecordState is ExtractNewRecordState with that behind it. ScyllaFlattenColumns keeps the
 * envelope and does it in before and after, whatever the structs' names.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "data/schema_build.h"
#include "transform/cell.h"
#include "transform/extract_options.h"
#include "transform/plan_cache.h"

#include <string.h>
#include <strings.h>

/* One row schema without its cells. */
struct row_plan {
    const struct sl_schema *from;
    const struct sl_schema *to; /* the same pointer when there is no cell in it */
    uint8_t *is_cell;
};

/* One envelope schema whose rows have been flattened. */
struct envelope_plan {
    const struct sl_schema *from;
    const struct sl_schema *to;
    int rows[2]; /* fields before and after, -1: none */
};

struct cells {
    void *extract; /* ScyllaExtractNewRecordState: what is done first; else NULL */
    bool keeps_cells;
    bool by_name; /* only structs whose name says Cell */
    struct sl_plan_cache rows;
    struct sl_plan_cache envelopes;
};

static const char *const extract_classes[] = {
    "com.scylladb.cdc.debezium.connector.transforms.ScyllaExtractNewRecordState", NULL};
static const char *const flatten_classes[] = {
    "com.scylladb.cdc.debezium.connector.transforms.ScyllaFlattenColumns", NULL};
static const char *const formats[] = {"legacy", "advanced", NULL};

static const struct sl_option extract_options[] = {
    SL_EXTRACT_OPTIONS,
    {.name = "cdc.output.format",
     .type = SL_OPT_STRING,
     .default_text = "legacy",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "The connector's shape: legacy has cells to take the values out of, advanced has none.",
     .values = formats},
    {0},
};

static const struct sl_option flatten_options[] = {{0}};

/* ---- rows ---- */

static bool is_cell(const struct cells *self, const struct sl_schema *schema)
{
    return self->by_name ? sl_cell_is(schema) : sl_cell_like(schema);
}

static struct row_plan *make_row_plan(const struct cells *self, const struct sl_schema *from)
{
    struct row_plan *plan = sl_zalloc(1, sizeof(*plan));
    struct sl_struct_builder builder = sl_struct_like(from);
    bool any = false;

    plan->from = from;
    plan->is_cell = sl_zalloc((size_t)from->n_fields + 1, 1);
    for (uint32_t i = 0; i < from->n_fields; i++) {
        const struct sl_schema *schema = from->fields[i].schema;

        if (is_cell(self, schema)) {
            plan->is_cell[i] = 1;
            any = true;
            schema = sl_schema_as_optional(schema->fields[0].schema, true);
        }
        sl_struct_add(&builder, from->fields[i].name, schema);
    }
    plan->to = sl_struct_end(&builder, from->optional);
    if (!any)
        plan->to = from;
    return plan;
}

static const struct row_plan *row_plan_for(struct cells *self, const struct sl_schema *schema)
{
    struct row_plan *plan = sl_plan_cache_get(&self->rows, schema);

    return plan ? plan : sl_plan_cache_put(&self->rows, schema, make_row_plan(self, schema));
}

static struct sl_value flatten_row(const struct row_plan *plan, struct sl_value row, struct sl_record *record,
                                   struct sl_arena *arena)
{
    struct sl_value *fields;

    if (plan->to == plan->from || row.tag != SL_STRUCT || row.len != plan->from->n_fields)
        return row;
    fields = sl_arena_alloc(arena, row.len * sizeof(*fields));
    for (uint32_t i = 0; i < row.len; i++) {
        fields[i] = row.items[i];
        if (!plan->is_cell[i])
            continue;
        if (sl_is_null(fields[i])) {
            fields[i].tag = SL_ABSENT;
            record->flags |= SL_RECORD_PARTIAL;
        } else {
            fields[i] = fields[i].items[0];
        }
    }
    return sl_items(SL_STRUCT, fields, row.len);
}

/* ---- envelopes ---- */

static struct envelope_plan *make_envelope_plan(struct cells *self, const struct sl_schema *from)
{
    static const char *const names[2] = {"before", "after"};
    struct envelope_plan *plan = sl_zalloc(1, sizeof(*plan));
    struct sl_struct_builder builder = sl_struct_like(from);

    plan->from = from;
    for (int i = 0; i < 2; i++) {
        plan->rows[i] = sl_schema_field(from, names[i]);
        if (plan->rows[i] >= 0 && from->fields[plan->rows[i]].schema->type != SL_STRUCT)
            plan->rows[i] = -1;
    }
    for (uint32_t i = 0; i < from->n_fields; i++) {
        const struct sl_schema *schema = from->fields[i].schema;

        if ((int)i == plan->rows[0] || (int)i == plan->rows[1])
            schema = row_plan_for(self, schema)->to;
        sl_struct_add(&builder, from->fields[i].name, schema);
    }
    plan->to = sl_struct_end(&builder, from->optional);
    return plan;
}

static const struct envelope_plan *envelope_plan_for(struct cells *self, const struct sl_schema *schema)
{
    struct envelope_plan *plan = sl_plan_cache_get(&self->envelopes, schema);

    return plan ? plan : sl_plan_cache_put(&self->envelopes, schema, make_envelope_plan(self, schema));
}

static void flatten_envelope(struct cells *self, struct sl_message *message, struct sl_arena *arena)
{
    const struct sl_schema *schema = message->value_schema;
    const struct envelope_plan *plan = envelope_plan_for(self, schema);
    struct sl_value *fields;

    if (message->record.value.len != schema->n_fields)
        return;
    fields = sl_arena_copy(arena, message->record.value.items, schema->n_fields * sizeof(*fields));
    for (int i = 0; i < 2; i++) {
        if (plan->rows[i] < 0)
            continue;
        fields[plan->rows[i]] = flatten_row(row_plan_for(self, schema->fields[plan->rows[i]].schema),
                                            fields[plan->rows[i]], &message->record, arena);
    }
    message->value_schema = plan->to;
    message->record.value = sl_items(SL_STRUCT, fields, schema->n_fields);
}

/* ---- the transforms ---- */

static void free_row_plan(void *plan_)
{
    struct row_plan *plan = plan_;

    sl_free(plan->is_cell);
    sl_free(plan);
}

static void cells_close(void *self_)
{
    struct cells *self = self_;

    if (self->extract)
        sl_transform_extract_new_record_state.close(self->extract);
    sl_plan_cache_done(&self->rows, free_row_plan);
    sl_plan_cache_done(&self->envelopes, sl_free);
    sl_free(self);
}

static enum sl_rc extract_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    struct cells *self = sl_zalloc(1, sizeof(*self));
    const char *format = sl_option_text(extract_options, props, prefix, "cdc.output.format");
    enum sl_rc rc =
        sl_transform_extract_new_record_state.open(props, prefix, class_name, &self->extract, err);

    self->by_name = true;
    self->keeps_cells = format && strcasecmp(format, "advanced") == 0;
    if (rc == SL_OK) {
        *ret_self = self;
        return SL_OK;
    }
    self->extract = NULL;
    cells_close(self);
    return rc;
}

static enum sl_rc flatten_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)prefix;
    (void)class_name;
    (void)err;
    *ret_self = sl_zalloc(1, sizeof(struct cells));
    return SL_OK;
}

static bool is_struct(const struct sl_message *message)
{
    return message->value_schema && message->value_schema->type == SL_STRUCT &&
           message->record.value.tag == SL_STRUCT;
}

static enum sl_verdict extract_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct cells *self = self_;
    enum sl_verdict verdict = sl_transform_extract_new_record_state.apply(self->extract, message, arena, err);

    if (verdict == SL_KEEP && !self->keeps_cells && message->value_schema &&
        message->value_schema->type == SL_STRUCT) {
        const struct row_plan *plan = row_plan_for(self, message->value_schema);

        message->record.value = flatten_row(plan, message->record.value, &message->record, arena);
        message->value_schema = plan->to;
    }
    return verdict;
}

static enum sl_verdict flatten_apply(void *self_, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    (void)err;
    if (is_struct(message))
        flatten_envelope(self_, message, arena);
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_scylla_extract_new_record_state = {
    .name = "ScyllaExtractNewRecordState",
    .classes = extract_classes,
    .options = extract_options,
    .open = extract_open,
    .apply = extract_apply,
    .close = cells_close,
};

const struct sl_transform_ops sl_transform_scylla_flatten_columns = {
    .name = "ScyllaFlattenColumns",
    .classes = flatten_classes,
    .options = flatten_options,
    .open = flatten_open,
    .apply = flatten_apply,
    .close = cells_close,
};
