/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include "base/buf.h"
#include "sluice/position.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const char *const target_columns[TARGET_COLUMNS] = {"p", "c1", "c2", "a", "b",  "d",  "m", "e",
                                                    "l", "f",  "u",  "t", "s1", "s2", "x"};

__attribute__((format(printf, 2, 3))) static void fault(struct target *target, const char *format, ...)
{
    va_list args;

    if (target->fault[0])
        return;
    va_start(args, format);
    (void)vsnprintf(target->fault, sizeof(target->fault), format, args);
    va_end(args);
}

static void clear_row(struct target_row *row)
{
    for (int i = 0; i < TARGET_COLUMNS; i++) {
        sl_free(row->cells[i]);
        row->cells[i] = NULL;
    }
    row->live = false;
}

void target_done(struct target *target)
{
    for (size_t i = 0; i < target->n_rows; i++)
        clear_row(&target->rows[i]);
    sl_free(target->rows);
    sl_free(target->events);
}

/* ---- values as text ---- */

static void render(struct sl_buf *out, const struct sl_schema *schema, struct sl_value v)
{
    switch ((enum sl_type)v.tag) {
    case SL_ABSENT:
    case SL_NULL: sl_buf_text(out, "null"); break;
    case SL_INT8:
    case SL_INT16:
    case SL_INT32:
    case SL_INT64:
    case SL_BOOLEAN: sl_buf_format(out, "%" PRId64, v.i); break;
    case SL_FLOAT32:
    case SL_FLOAT64: sl_buf_format(out, "%.17g", v.d); break;
    case SL_STRING:
    case SL_BYTES: sl_buf_format(out, "\"%.*s\"", (int)v.len, (const char *)v.bytes); break;
    case SL_ARRAY:
        sl_buf_text(out, "[");
        for (uint32_t i = 0; i < v.len; i++) {
            sl_buf_text(out, i ? "," : "");
            render(out, schema->element, v.items[i]);
        }
        sl_buf_text(out, "]");
        break;
    case SL_STRUCT:
        sl_buf_text(out, "{");
        for (uint32_t i = 0; i < v.len; i++) {
            sl_buf_format(out, "%s%s:", i ? "," : "", schema->fields[i].name);
            render(out, schema->fields[i].schema, v.items[i]);
        }
        sl_buf_text(out, "}");
        break;
    case SL_MAP: sl_buf_text(out, "(a map of Connect)"); break; /* the connector has none */
    }
}

static char *text_of(const struct sl_schema *schema, struct sl_value v)
{
    struct sl_buf text = {0};
    char *copy;

    render(&text, schema, v);
    copy = sl_strdup(sl_buf_cstr(&text));
    sl_buf_done(&text);
    return copy;
}

/* ---- rows ---- */

static bool same_key(const struct target *target, const struct target_row *row, char *const keys[TARGET_KEYS])
{
    for (int i = 0; i < (target->clustering ? TARGET_KEYS : 1); i++) {
        if (!keys[i] || strcmp(row->cells[i], keys[i]) != 0)
            return false;
    }
    return true;
}

struct target_row *target_find(struct target *target, char *const keys[TARGET_KEYS])
{
    for (size_t i = 0; i < target->n_rows; i++) {
        if (target->rows[i].live && same_key(target, &target->rows[i], keys))
            return &target->rows[i];
    }
    return NULL;
}

static struct target_row *add_row(struct target *target, char *const keys[TARGET_KEYS])
{
    struct target_row *row = NULL;

    for (size_t i = 0; i < target->n_rows && !row; i++) {
        if (!target->rows[i].live)
            row = &target->rows[i];
    }
    if (!row) {
        SL_GROW(target->rows, target->n_rows, target->rows_capacity);
        row = &target->rows[target->n_rows++];
    }
    *row = (struct target_row){.live = true};
    for (int i = 0; i < (target->clustering ? TARGET_KEYS : 1); i++)
        row->cells[i] = sl_strdup(keys[i]);
    return row;
}

static int column_of(const char *name)
{
    for (int i = 0; i < TARGET_COLUMNS; i++) {
        if (strcmp(target_columns[i], name) == 0)
            return i;
    }
    return -1;
}

static bool is_cell(const struct sl_schema *schema)
{
    size_t len = schema->name ? strlen(schema->name) : 0;

    return schema->type == SL_STRUCT && len > 5 && strcmp(schema->name + len - 5, ".Cell") == 0;
}

static void set_column(struct target_row *row, const struct sl_field *field, struct sl_value value)
{
    const struct sl_schema *schema = field->schema;
    int column = column_of(field->name);

    if (is_cell(schema)) { /* legacy: no cell, nothing was said; {value: null}, null was said */
        if (value.tag != SL_STRUCT)
            return;
        schema = schema->fields[0].schema;
        value = value.items[0];
    }
    if (value.tag == SL_ABSENT || column < TARGET_KEYS)
        return;
    sl_free(row->cells[column]);
    row->cells[column] = text_of(schema, value);
}

/* ---- ranges ---- */

static int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

/* c1 goes by number, c2 by text; both as the target orders them. */
static int compare_part(int column, const char *a, const char *b)
{
    if (column == 1)
        return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
    return strcmp(a, b);
}

static void bound_text(const json_t *value, char *ret, size_t size)
{
    if (json_is_string(value))
        (void)snprintf(ret, size, "\"%s\"", json_string_value(value));
    else
        (void)snprintf(ret, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

/* Compare a row with a prefix of the clustering key. */
static int compare_bound(const struct target_row *row, const json_t *bound)
{
    for (int i = 1; i < TARGET_KEYS; i++) {
        const json_t *value = json_object_get(bound, target_columns[i]);
        char text[80];
        int order;

        if (!value)
            return 0;
        bound_text(value, text, sizeof(text));
        order = compare_part(i, row->cells[i], text);
        if (order)
            return order;
    }
    return 0;
}

static bool in_range(const struct target_row *row, const json_t *range)
{
    const json_t *from = json_object_get(range, "from");
    const json_t *to = json_object_get(range, "to");
    char partition[80];
    int order;

    bound_text(json_object_get(json_object_get(range, "equal"), "p"), partition, sizeof(partition));
    if (strcmp(row->cells[0], partition) != 0)
        return false;
    if (json_object_size(from)) {
        order = compare_bound(row, from);
        if (order < 0 || (order == 0 && !json_is_true(json_object_get(range, "from_inclusive"))))
            return false;
    }
    if (json_object_size(to)) {
        order = compare_bound(row, to);
        if (order > 0 || (order == 0 && !json_is_true(json_object_get(range, "to_inclusive"))))
            return false;
    }
    return true;
}

static void delete_range(struct target *target, const struct sl_header *header)
{
    json_error_t why;
    json_t *range = json_loadb((const char *)header->value.bytes, header->value.len, 0, &why);

    if (!range || !json_object_get(json_object_get(range, "equal"), "p")) {
        fault(target, "a range that cannot be read: %.*s", (int)header->value.len,
              (const char *)header->value.bytes);
        json_decref(range);
        return;
    }
    for (size_t i = 0; i < target->n_rows; i++) {
        if (target->rows[i].live && in_range(&target->rows[i], range))
            clear_row(&target->rows[i]);
    }
    json_decref(range);
}

/* ---- records ---- */

static const struct sl_header *find_header(const struct sl_record *record, const char *name)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            return &record->headers[i];
    }
    return NULL;
}

static bool read_keys(struct target *target, const struct sl_run *run, const struct sl_record *record,
                      char *keys[TARGET_KEYS])
{
    for (int i = 0; i < (target->clustering ? TARGET_KEYS : 1); i++) {
        int field = run->key_schema && record->key.tag == SL_STRUCT
                        ? sl_schema_field(run->key_schema, target_columns[i])
                        : -1;

        if (field < 0 || sl_is_null(record->key.items[field])) {
            fault(target, "a record without its key column %s", target_columns[i]);
            return false;
        }
        keys[i] = text_of(run->key_schema->fields[field].schema, record->key.items[field]);
    }
    return true;
}

static void upsert(struct target *target, char *const keys[TARGET_KEYS], const struct sl_schema *schema,
                   struct sl_value after)
{
    struct target_row *row = target_find(target, keys);

    if (!row)
        row = add_row(target, keys);
    for (uint32_t i = 0; after.tag == SL_STRUCT && i < schema->n_fields; i++)
        set_column(row, &schema->fields[i], after.items[i]);
}

static void apply_value(struct target *target, const struct sl_run *run, const struct sl_record *record,
                        char *const keys[TARGET_KEYS])
{
    const struct sl_schema *envelope = run->value_schema;
    int op = envelope ? sl_schema_field(envelope, "op") : -1;
    int after = envelope ? sl_schema_field(envelope, "after") : -1;
    struct target_row *row = target_find(target, keys);
    bool deletes = sl_is_null(record->value);

    if (!deletes && (op < 0 || after < 0)) {
        fault(target, "a value that is no envelope");
        return;
    }
    if (!deletes)
        deletes = record->value.items[op].len == 1 && record->value.items[op].bytes[0] == 'd';
    if (deletes && row)
        clear_row(row);
    else if (!deletes)
        upsert(target, keys, envelope->fields[after].schema, record->value.items[after]);
}

static void note_event(struct target *target, const struct sl_record *record)
{
    if (record->position.len != 1 + SL_SCYLLA_POSITION_SIZE) {
        fault(target, "an event with a position of %zu bytes", record->position.len);
        return;
    }
    if (record->position.ptr[SL_SCYLLA_POSITION_SIZE] != 0)
        return; /* a tombstone, behind its event */
    SL_GROW(target->events, target->n_events, target->events_capacity);
    memcpy(target->events[target->n_events++].bytes, record->position.ptr + 1, TARGET_EVENT_SIZE);
}

static void apply_one(struct target *target, const struct sl_run *run, const struct sl_record *record)
{
    const struct sl_header *range = find_header(record, SL_HEADER_RANGE);
    char *keys[TARGET_KEYS] = {NULL};

    if (find_header(record, SL_HEADER_READ))
        target->read_again++;
    else
        note_event(target, record);
    if (range) {
        if (sl_is_null(record->value)) /* as the sink: the tombstone deletes */
            delete_range(target, range);
        return;
    }
    if (find_header(record, SL_HEADER_STATIC))
        return;
    if (read_keys(target, run, record, keys))
        apply_value(target, run, record, keys);
    for (int i = 0; i < TARGET_KEYS; i++)
        sl_free(keys[i]);
}

/* Heartbeats go to a topic of their own. */
static bool is_data(const struct sl_run *run)
{
    return strstr(run->topic->name, "heartbeat") == NULL;
}

void target_apply(struct target *target, const struct sl_batch *batch)
{
    for (uint32_t i = 0; i < batch->n_runs; i++) {
        const struct sl_run *run = &batch->runs[i];

        for (uint32_t k = run->first; is_data(run) && k < run->first + run->count; k++)
            apply_one(target, run, &batch->records[k]);
    }
}

static void describe(const struct sl_run *run, const struct sl_record *record, FILE *out)
{
    const struct sl_header *range = find_header(record, SL_HEADER_RANGE);
    int op = run->value_schema ? sl_schema_field(run->value_schema, "op") : -1;
    struct sl_buf text = {0};

    if (run->key_schema)
        render(&text, run->key_schema, record->key);
    fprintf(out, "              %c %s%s%s",
            op >= 0 && !sl_is_null(record->value) ? record->value.items[op].bytes[0] : '-',
            sl_buf_cstr(&text), find_header(record, SL_HEADER_READ) ? " read" : "",
            find_header(record, SL_HEADER_STATIC) ? " static" : "");
    if (range)
        fprintf(out, " range %.*s", (int)range->value.len, (const char *)range->value.bytes);
    if (op >= 0 && !sl_is_null(record->value)) {
        int after = sl_schema_field(run->value_schema, "after");

        sl_buf_reset(&text);
        render(&text, run->value_schema->fields[after].schema, record->value.items[after]);
        fprintf(out, " %s", sl_buf_cstr(&text));
    }
    fprintf(out, "\n");
    sl_buf_done(&text);
}

void target_describe(const struct sl_batch *batch, FILE *out)
{
    for (uint32_t i = 0; i < batch->n_runs; i++) {
        const struct sl_run *run = &batch->runs[i];

        for (uint32_t k = run->first; is_data(run) && k < run->first + run->count; k++)
            describe(run, &batch->records[k], out);
    }
}

/* ---- the ledger ---- */

static int compare_events(const void *a, const void *b)
{
    return memcmp(a, b, TARGET_EVENT_SIZE);
}

void target_close_ledger(struct target *target)
{
    if (target->n_events)
        qsort(target->events, target->n_events, sizeof(*target->events), compare_events);
    for (size_t i = 1; i < target->n_events; i++) {
        if (compare_events(&target->events[i - 1], &target->events[i]) == 0)
            fault(target, "a change came twice");
    }
}

bool target_has_event(const struct target *target, const struct target_event *event)
{
    return target->n_events &&
           bsearch(event, target->events, target->n_events, sizeof(*target->events), compare_events) != NULL;
}

void target_print(const struct target *target, FILE *out)
{
    for (size_t i = 0; i < target->n_rows; i++) {
        const struct target_row *row = &target->rows[i];

        if (!row->live)
            continue;
        fprintf(out, "   ");
        for (int k = 0; k < TARGET_COLUMNS; k++) {
            if (row->cells[k])
                fprintf(out, " %s=%s", target_columns[k], row->cells[k]);
        }
        fprintf(out, "\n");
    }
}
