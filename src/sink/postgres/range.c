/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/postgres/range.h"

#include "base/arena.h"
#include "codec/value_json.h"
#include "sink/postgres/state.h"
#include "sluice/position.h"

/* How CQL orders a column, where PostgreSQL would order it otherwise. */
enum order { ORDER_PLAIN, ORDER_TIMEUUID, ORDER_UUID };

/* Key columns with a value each; in the order in which they are compared. */
struct side {
    uint16_t *cells; /* indexes into the plan's */
    uint16_t n;
    bool inclusive;
    struct sl_value *values; /* by field of the key */
};

struct request {
    struct sl_pgsink *sink;
    struct sl_pgsink_plan *plan;
    struct sl_batch *batch;
    const struct sl_record *record;
    uint32_t record_index;
    struct side equal;
    struct side from;
    struct side to;
    uint8_t *order; /* enum order, by cell */
    bool marks;     /* instead of deleting */
};

/* A parameter of the statement: which cell binds it, and from which values. */
struct param {
    const struct sl_pgsink_cell *cell;
    const struct sl_value *key_values;
};

struct params {
    struct param *items;
    size_t n, capacity;
};

struct sl_span sl_pgsink_range_header(const struct sl_record *record)
{
    for (uint16_t i = 0; i < record->n_headers; i++) {
        const struct sl_header *header = &record->headers[i];

        if (strcmp(header->name, SL_HEADER_RANGE) == 0 &&
            (header->value.tag == SL_BYTES || header->value.tag == SL_STRING))
            return (struct sl_span){header->value.bytes, header->value.len};
    }
    return (struct sl_span){0};
}

/* ---- reading the header; functions return NULL, or what is wrong ---- */

static bool is_named(struct sl_span span, const char *name)
{
    return span.len == strlen(name) && memcmp(span.ptr, name, span.len) == 0;
}

static int find_cell(const struct sl_pgsink_plan *plan, struct sl_span name)
{
    for (uint16_t i = 0; i < plan->n_keys; i++) {
        if (plan->cells[i].source == SL_PGSINK_FROM_KEY && is_named(name, plan->cells[i].name))
            return i;
    }
    return -1;
}

static const char *unknown_column(struct request *request, struct sl_span name)
{
    return sl_arena_format(
        request->batch->arena,
        "it deletes a range of rows by column '%.*s', which is no key column of the target "
        "here. HINT: keep the names of the record key's fields, and let pk.mode=record_key "
        "and pk.fields take all of them",
        (int)(name.len < 100 ? name.len : 100), (const char *)name.ptr);
}

static const char *read_side(struct request *request, struct sl_span text, struct side *side)
{
    const struct sl_pgsink_plan *plan = request->plan;
    struct sl_json_cursor cursor = {.rest = text};
    struct sl_span name;
    struct sl_span value;
    int more;

    while ((more = sl_json_next_member(&cursor, &name, &value)) > 0) {
        int found = find_cell(plan, name);
        const struct sl_pgsink_cell *cell;
        struct sl_error err = {0};
        struct sl_value read;

        if (found < 0)
            return unknown_column(request, name);
        if (side->n == plan->n_keys)
            return "its " SL_HEADER_RANGE " header names a column twice";
        cell = &plan->cells[found];
        if (sl_value_json_read(value, cell->schema, request->batch->arena, &read, &err) != SL_OK ||
            read.tag != cell->tag)
            return sl_arena_format(
                request->batch->arena,
                "its " SL_HEADER_RANGE " header has no value of type %s for column '%s'%s%.200s",
                sl_type_name(cell->schema->type), cell->name, *err.text ? ": " : "", err.text);
        side->cells[side->n++] = (uint16_t)found;
        side->values[cell->field] = read;
    }
    return more == 0 ? NULL : "its " SL_HEADER_RANGE " header is no sound JSON";
}

static const char *read_order(struct request *request, struct sl_span text)
{
    struct sl_json_cursor cursor = {.rest = text};
    struct sl_span name;
    struct sl_span value;
    int more;

    while ((more = sl_json_next_member(&cursor, &name, &value)) > 0) {
        int found = find_cell(request->plan, name);

        if (found < 0)
            return unknown_column(request, name);
        if (is_named(value, "\"timeuuid\""))
            request->order[found] = ORDER_TIMEUUID;
        else if (is_named(value, "\"uuid\""))
            request->order[found] = ORDER_UUID;
        else
            return "its " SL_HEADER_RANGE
                   " header names an order of values that is not known here. HINT: a newer "
                   "program wrote it";
    }
    return more == 0 ? NULL : "its " SL_HEADER_RANGE " header is no sound JSON";
}

static const char *read_member(struct request *request, struct sl_span name, struct sl_span value)
{
    if (is_named(name, "version"))
        return is_named(value, "1") ? NULL
                                    : "its " SL_HEADER_RANGE
                                      " header is of an unknown version. HINT: a newer "
                                      "program wrote it";
    if (is_named(name, "equal"))
        return read_side(request, value, &request->equal);
    if (is_named(name, "from"))
        return read_side(request, value, &request->from);
    if (is_named(name, "to"))
        return read_side(request, value, &request->to);
    if (is_named(name, "order"))
        return read_order(request, value);
    if (is_named(name, "from_inclusive"))
        request->from.inclusive = is_named(value, "true");
    else if (is_named(name, "to_inclusive"))
        request->to.inclusive = is_named(value, "true");
    return NULL; /* "descending": the ends are in the order of the values already */
}

static void side_init(struct request *request, struct side *side, struct sl_value *values)
{
    side->cells = sl_arena_alloc(request->batch->arena, request->plan->n_keys * sizeof(*side->cells));
    side->values = values;
}

static struct sl_value *no_values(const struct request *request)
{
    size_t n = request->plan->bare_key ? 1 : request->plan->key_schema->n_fields;
    struct sl_value *values = sl_arena_alloc(request->batch->arena, n * sizeof(*values));

    memset(values, 0, n * sizeof(*values));
    return values;
}

static const char *read_header(struct request *request)
{
    struct sl_json_cursor cursor = {.rest = sl_pgsink_range_header(request->record)};
    struct sl_value *low = no_values(request);
    const char *why = NULL;
    struct sl_span name;
    struct sl_span value;
    int more = 0;

    side_init(request, &request->equal, low);
    side_init(request, &request->from, low);
    side_init(request, &request->to, no_values(request));
    request->order = sl_arena_alloc(request->batch->arena, request->plan->n_keys);
    memset(request->order, ORDER_PLAIN, request->plan->n_keys);
    while (!why && (more = sl_json_next_member(&cursor, &name, &value)) > 0)
        why = read_member(request, name, value);
    if (why)
        return why;
    if (more < 0)
        return "its " SL_HEADER_RANGE " header is no sound JSON";
    /* Without a partition key the whole table would go. */
    return request->equal.n ? NULL : "its " SL_HEADER_RANGE " header names no partition key";
}

bool sl_pgsink_says_deleted(const struct sl_schema *schema, const struct sl_record *record)
{
    int field = schema && schema->type == SL_STRUCT ? sl_schema_field(schema, "__deleted") : -1;
    struct sl_value value = record->value;

    if (field < 0 || value.tag != SL_STRUCT || value.len != schema->n_fields)
        return false;
    value = value.items[field];
    return value.tag == SL_STRING && value.len == 4 && memcmp(value.bytes, "true", 4) == 0;
}

static bool is_mark(const struct sl_pgsink_cell *cell)
{
    return cell->source == SL_PGSINK_FROM_VALUE && strncmp(cell->name, "__", 2) == 0;
}

static const char *read_request(struct request *request)
{
    const struct sl_pgsink_plan *plan = request->plan;

    if (!plan->key_schema)
        return "it deletes a range of rows, and has no key with a schema";
    if (sl_is_null(request->record->value)) {
        if (!request->sink->config.delete_enabled)
            return "the record has no value (a tombstone), and delete.enabled is false. HINT: drop "
                   "tombstones "
                   "in a transform, or set delete.enabled=true with pk.mode=record_key";
    } else if (!sl_pgsink_says_deleted(request->plan->value_schema, request->record)) {
        return "it deletes a range of rows, and its value is neither null nor has it __deleted=true. HINT: "
               "let "
               "ExtractNewRecordState make it a tombstone, or rewrite it, and keep the field __deleted";
    } else {
        request->marks = true;
    }
    return read_header(request);
}

/* ---- SQL ---- */

static void put_operand(struct sl_buf *sql, struct params *params, const struct sl_pgsink_cell *cell,
                        const struct sl_value *key_values, bool compared)
{
    SL_GROW(params->items, params->n, params->capacity);
    params->items[params->n++] = (struct param){.cell = cell, .key_values = key_values};
    sl_buf_format(sql, "($%zu)[1]%s", params->n, cell->cast);
    /* Compared in the column's own type, else its index would not be used. */
    if (cell->cast_column || (compared && cell->element != cell->column->type))
        sl_buf_format(sql, "::%s", cell->column->type_text);
}

static void put_column(struct sl_buf *sql, const struct sl_pgsink_cell *cell)
{
    sl_buf_text(sql, "t.");
    sl_pg_quote_name(sql, cell->column->name);
}

/* The 60 bits of time of a UUID as bits, highest first; x: SQL for its text. */
static void put_uuid_time(struct sl_buf *sql, const char *x)
{
    sl_buf_format(sql, "('x'||substr(%s,16,3)||substr(%s,10,4)||substr(%s,1,8))::bit(60)", x, x, x);
}

static void put_uuid_low(struct sl_buf *sql, const char *x)
{
    sl_buf_format(sql, "('x'||substr(%s,20,4)||substr(%s,25,12))::bit(64)", x, x);
}

/*
 * Something that PostgreSQL orders as CQL does: text by its bytes; a timeuuid by its time, then its low half
 * as signed bytes; a uuid by its version, then by time if it has one, else by its bytes.
 */
static void put_ordered(struct sl_buf *sql, enum order order, const struct sl_pgsink_cell *cell,
                        struct sl_buf *plain)
{
    char *x;

    if (order == ORDER_PLAIN) {
        sl_buf_put(sql, plain->data, plain->len);
        if (cell->column->category == 'S' || cell->column->category == 'E')
            sl_buf_text(sql, "::text COLLATE \"C\"");
        return;
    }
    x = sl_format("(%s)::text", sl_buf_cstr(plain));
    if (order == ORDER_TIMEUUID) {
        sl_buf_u8(sql, '(');
        put_uuid_time(sql, x);
        sl_buf_text(sql, "||(");
        put_uuid_low(sql, x);
        sl_buf_text(sql, "#X'8080808080808080'))");
    } else {
        sl_buf_format(sql, "(('x'||substr(%s,15,1))::bit(4)||CASE substr(%s,15,1) WHEN '1' THEN ", x, x);
        put_uuid_time(sql, x);
        sl_buf_text(sql, "||");
        put_uuid_low(sql, x);
        sl_buf_format(sql, " ELSE ('x'||replace(%s,'-',''))::bit(128) END)", x);
    }
    sl_free(x);
}

/* (a, b) > ($1, $2) */
static void put_bound(struct sl_buf *sql, const struct request *request, struct params *params,
                      const struct side *side, const char *comparison)
{
    const struct sl_pgsink_plan *plan = request->plan;
    struct sl_buf part = {0};

    if (!side->n)
        return;
    sl_buf_text(sql, " AND (");
    for (uint16_t i = 0; i < side->n; i++) {
        const struct sl_pgsink_cell *cell = &plan->cells[side->cells[i]];

        sl_buf_text(sql, i ? "," : "");
        sl_buf_reset(&part);
        put_column(&part, cell);
        put_ordered(sql, (enum order)request->order[side->cells[i]], cell, &part);
    }
    sl_buf_format(sql, ")%s%s(", comparison, side->inclusive ? "=" : "");
    for (uint16_t i = 0; i < side->n; i++) {
        const struct sl_pgsink_cell *cell = &plan->cells[side->cells[i]];

        sl_buf_text(sql, i ? "," : "");
        sl_buf_reset(&part);
        put_operand(&part, params, cell, side->values, true);
        put_ordered(sql, (enum order)request->order[side->cells[i]], cell, &part);
    }
    sl_buf_u8(sql, ')');
    sl_buf_done(&part);
}

static void put_marks(struct sl_buf *sql, const struct request *request, struct params *params)
{
    const struct sl_pgsink_plan *plan = request->plan;
    bool any = false;

    sl_buf_format(sql, "UPDATE %s AS t SET ", plan->target->table->sql_name);
    for (uint16_t i = plan->n_keys; i < plan->n_cells; i++) {
        if (!is_mark(&plan->cells[i]))
            continue;
        sl_buf_text(sql, any ? "," : "");
        sl_pg_quote_name(sql, plan->cells[i].column->name);
        sl_buf_u8(sql, '=');
        put_operand(sql, params, &plan->cells[i], NULL, false);
        any = true;
    }
}

static void put_sql(struct sl_buf *sql, const struct request *request, struct params *params)
{
    if (request->marks)
        put_marks(sql, request, params);
    else
        sl_buf_format(sql, "DELETE FROM %s AS t", request->plan->target->table->sql_name);
    for (uint16_t i = 0; i < request->equal.n; i++) {
        const struct sl_pgsink_cell *cell = &request->plan->cells[request->equal.cells[i]];

        sl_buf_text(sql, i ? " AND " : " WHERE ");
        put_column(sql, cell);
        sl_buf_u8(sql, '=');
        put_operand(sql, params, cell, request->equal.values, true);
    }
    put_bound(sql, request, params, &request->from, ">");
    put_bound(sql, request, params, &request->to, "<");
}

/* ---- the step ---- */

static void bind_params(const struct request *request, const struct params *params,
                        struct sl_pgsink_step *step, struct sl_pgsink_bads *bads)
{
    for (size_t i = 0; i < params->n; i++) {
        const struct param *param = &params->items[i];
        const struct sl_pgsink_row row = {
            .cells = {request->record->value.items, param->key_values},
            .record = request->record_index,
        };
        const struct sl_pgsink_row *rows[1] = {&row};

        sl_buf_reset(&step->params[i]);
        param->cell->bind(param->cell, rows, 1, &step->params[i], bads);
    }
}

static enum sl_rc make_step(struct request *request, struct sl_pgsink_load *load, uint32_t segment,
                            struct sl_buf *sql, struct params *params, bool *ret_again, struct sl_error *err)
{
    struct sl_pgsink_statement *statement = NULL;
    const struct sl_pgsink_cell **cells;
    struct sl_pgsink_step *step;
    enum sl_rc rc;

    put_sql(sql, request, params);
    cells = sl_arena_alloc(request->batch->arena, params->n * sizeof(*cells));
    for (size_t i = 0; i < params->n; i++)
        cells[i] = params->items[i].cell;
    rc = sl_pgsink_statement_for_sql(request->sink, request->plan, sl_buf_cstr(sql), cells,
                                     (uint16_t)params->n, &statement, err);
    if (rc != SL_OK)
        return rc;
    if (!statement) {
        *ret_again = true;
        return SL_OK;
    }
    step = sl_pgsink_load_add_step(load, statement, segment);
    step->n_rows = 1;
    step->phase = 1;
    step->bound = true;
    sl_pgsink_step_reserve(step);
    bind_params(request, params, step, &load->bads);
    return SL_OK;
}

enum sl_rc sl_pgsink_range_step(struct sl_pgsink *sink, struct sl_pgsink_load *load, struct sl_batch *batch,
                                const struct sl_pgsink_load_range *range, bool *ret_again,
                                struct sl_error *err)
{
    struct request request = {
        .sink = sink,
        .plan = range->plan,
        .batch = batch,
        .record = &batch->records[range->record],
        .record_index = range->record,
    };
    struct params params = {0};
    struct sl_buf sql = {0};
    const char *why = read_request(&request);
    enum sl_rc rc = SL_OK;

    if (why)
        sl_pgsink_bads_add(&load->bads, range->record, NULL, why);
    else
        rc = make_step(&request, load, range->segment, &sql, &params, ret_again, err);
    sl_free(params.items);
    sl_buf_done(&sql);
    return rc;
}
