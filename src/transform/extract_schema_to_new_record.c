/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debezium's ExtractSchemaToNewRecord: change events get a field sourceSchema that tells the table's columns
 * and their types in the source, which the row's schema has as parameters where the source writes them
 * (column.propagate.source.type; ours do not). The columns are worked out once for each schema.
 */
#include "transform/transforms.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/number.h"
#include "codec/envelope.h"
#include "transform/row_plan.h"
#include "transform/side.h"

enum { COLUMN_PARTS = 5 };

/* The plan of one envelope; the texts are those of its schema. */
struct plan {
    struct sl_plan_parts parts;
    const struct sl_envelope *envelope; /* NULL: no change event, and nothing else holds */
    int table;                          /* its field in the source block, or -1 */
    struct sl_value columns;            /* an array of structs, in parts.own */
    struct sl_error why;                /* what is wrong with the columns */
};

static const char *const classes[] = {"io.debezium.transforms.ExtractSchemaToNewRecord", NULL};

static const struct sl_option options[] = {{0}};

static void extract_close(void *self)
{
    sl_plan_cache_done(self, sl_plan_parts_free);
    sl_free(self);
}

static enum sl_rc extract_open(const struct sl_props *props, const char *prefix, const char *class_name,
                               void **ret_self, struct sl_error *err)
{
    (void)props;
    (void)prefix;
    (void)class_name;
    (void)err;
    *ret_self = sl_zalloc(1, sizeof(struct sl_plan_cache));
    return SL_OK;
}

static const struct sl_schema *made_schema(void)
{
    struct sl_struct_builder column = {.name = "io.debezium.connector.source.schema.Column", .version = 1};
    struct sl_struct_builder table = {.name = "io.debezium.connector.source.schema.Table", .version = 1};
    struct sl_struct_builder whole = {.name = "io.debezium.connector.source.Schema", .version = 1};

    sl_struct_add(&column, "name", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&column, "typeName", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&column, "length", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&column, "scale", sl_schema_plain(SL_INT32, true));
    sl_struct_add(&column, "comment", sl_schema_plain(SL_STRING, true));
    sl_struct_add(&table, "columns", sl_schema_array(sl_struct_end(&column, false), false));
    sl_struct_add(&whole, "id", sl_schema_plain(SL_STRING, false));
    sl_struct_add(&whole, "table", sl_struct_end(&table, false));
    return sl_struct_end(&whole, false);
}

static struct sl_value text_of(const struct sl_schema *schema, const char *parameter)
{
    const char *text = sl_schema_parameter(schema, parameter);

    return text ? sl_text(text) : sl_null();
}

/* False: the parameter is no int32. */
static bool number_of(const struct sl_schema *schema, const char *parameter, struct sl_value *ret)
{
    const char *text = sl_schema_parameter(schema, parameter);
    int64_t number = 0;

    *ret = sl_null();
    if (!text)
        return true;
    if (!sl_parse_int64(text, &number) || number < INT32_MIN || number > INT32_MAX)
        return false;
    *ret = sl_int(SL_INT32, number);
    return true;
}

static enum sl_rc describe(const struct sl_field *field, struct sl_value *parts, struct sl_error *err)
{
    const struct sl_schema *schema = field->schema;

    parts[0] = text_of(schema, "__debezium.source.column.name");
    parts[1] = text_of(schema, "__debezium.source.column.type");
    parts[4] = text_of(schema, "__debezium.source.column.comment");
    if (sl_is_null(parts[0]) || sl_is_null(parts[1]))
        return sl_error_set(err, SL_E_DATA,
                            "ExtractSchemaToNewRecord: the schema of the column '%.100s' does not tell its "
                            "type in the source. HINT: the source must be one that knows "
                            "column.propagate.source.type or datatype.propagate.source.type, with the value "
                            ".*",
                            field->name);
    if (number_of(schema, "__debezium.source.column.length", &parts[2]) &&
        number_of(schema, "__debezium.source.column.scale", &parts[3]))
        return SL_OK;
    return sl_error_set(err, SL_E_DATA,
                        "ExtractSchemaToNewRecord: the length or scale of the column '%.100s' is no number. "
                        "HINT: see the parameters of its schema",
                        field->name);
}

/* One allocation: the structs, then their parts. */
static void compile_columns(struct plan *plan)
{
    const struct sl_schema *row = plan->envelope->row;
    struct sl_value *items = sl_zalloc((size_t)row->n_fields * (COLUMN_PARTS + 1) + 1, sizeof(*items));
    struct sl_value *parts = items + row->n_fields;

    plan->parts.own = items;
    for (uint32_t i = 0; i < row->n_fields && !plan->why.rc; i++, parts += COLUMN_PARTS) {
        (void)describe(&row->fields[i], parts, &plan->why);
        items[i] = sl_items(SL_STRUCT, parts, COLUMN_PARTS);
    }
    plan->columns = sl_items(SL_ARRAY, items, row->n_fields);
}

static struct plan *compile(const struct sl_schema *schema)
{
    struct plan *plan = sl_zalloc(1, sizeof(*plan));
    struct sl_row_draft draft;

    plan->envelope = sl_envelope_of(schema);
    if (!plan->envelope)
        return plan;
    plan->table =
        plan->envelope->source_schema ? sl_schema_field(plan->envelope->source_schema, "table") : -1;
    compile_columns(plan);
    sl_row_draft_begin(&draft, "ExtractSchemaToNewRecord", schema, false);
    for (uint32_t i = 0; i < schema->n_fields; i++)
        sl_row_draft_keep(&draft, i, NULL, NULL);
    sl_row_draft_add(&draft, "sourceSchema", made_schema());
    plan->parts.row = sl_row_draft_end(&draft, schema->optional);
    if (!plan->parts.row->to && !plan->why.rc)
        plan->why = plan->parts.row->why;
    return plan;
}

static struct sl_value table_name(const struct plan *plan, struct sl_value event)
{
    struct sl_value source = plan->envelope->source < 0 ? sl_null() : event.items[plan->envelope->source];

    return plan->table < 0 || source.tag != SL_STRUCT ? sl_null() : source.items[plan->table];
}

static struct sl_value describe_table(const struct plan *plan, struct sl_value name, struct sl_arena *arena)
{
    struct sl_value *parts = sl_arena_alloc(arena, 3 * sizeof(*parts));

    parts[0] = name;
    parts[1] = sl_items(SL_STRUCT, &parts[2], 1);
    parts[2] = plan->columns;
    return sl_items(SL_STRUCT, parts, 2);
}

static bool has_row(const struct sl_envelope *envelope, struct sl_value event)
{
    return event.items[envelope->after].tag == SL_STRUCT ||
           (envelope->before >= 0 && event.items[envelope->before].tag == SL_STRUCT);
}

static enum sl_verdict extract_apply(void *self, struct sl_message *message, struct sl_arena *arena,
                                     struct sl_error *err)
{
    struct sl_value event = message->record.value;
    struct sl_value name;
    struct sl_value *fields;
    const struct plan *plan;

    if (!message->value_schema || event.tag != SL_STRUCT)
        return SL_KEEP;
    plan = sl_plan_cache_get(self, message->value_schema);
    if (!plan)
        plan = sl_plan_cache_put(self, message->value_schema, compile(message->value_schema));
    if (!plan->envelope || !has_row(plan->envelope, event))
        return SL_KEEP;
    if (plan->why.rc) {
        *err = plan->why;
        return SL_FAIL;
    }
    name = table_name(plan, event);
    if (name.tag != SL_STRING)
        return sl_bad_record(err,
                             "ExtractSchemaToNewRecord finds no table in the source block of an event of "
                             "topic '%.200s'. HINT: use it on the events of tables only, with a predicate",
                             message->topic->name);
    fields = sl_row_plan_copy(plan->parts.row, event, arena);
    fields[plan->parts.row->n_kept] = describe_table(plan, name, arena);
    message->record.value = sl_items(SL_STRUCT, fields, (size_t)plan->parts.row->n_kept + 1);
    message->value_schema = plan->parts.row->to;
    return SL_KEEP;
}

const struct sl_transform_ops sl_transform_extract_schema_to_new_record = {
    .name = "ExtractSchemaToNewRecord",
    .classes = classes,
    .options = options,
    .open = extract_open,
    .apply = extract_apply,
    .close = extract_close,
};
