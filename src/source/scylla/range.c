/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes of many rows at once, told in a header: the connector has no event for them. */
#include "base/json.h"
#include "codec/value_json.h"
#include "source/scylla/event.h"

/* "<column>":value, for the columns that are there. Errors: PROTOCOL. */
static enum sl_rc put_columns(struct sl_buf *out, const struct sl_scylla_row *row, const uint32_t *indexes,
                              uint32_t n, struct sl_arena *arena, struct sl_error *err)
{
    const struct sl_json_style style = {0};

    sl_buf_u8(out, '{');
    for (uint32_t i = 0; row && i < n; i++) {
        const struct sl_scylla_field *field = &row->shape->fields[indexes[i]];
        struct sl_value value;
        enum sl_rc rc;

        if (row->cells[field->cell].len < 0)
            break; /* a bound is a prefix of the key */
        rc = sl_scylla_value_of(row, field, arena, &value, err);
        if (rc != SL_OK)
            return rc;
        if (i)
            sl_buf_u8(out, ',');
        sl_json_put_text(out, field->name, strlen(field->name));
        sl_buf_u8(out, ':');
        sl_value_json(out, field->decoder->schema, value, &style);
    }
    sl_buf_u8(out, '}');
    return SL_OK;
}

/* Clustering columns in descending order. */
static void put_descending(struct sl_buf *out, const struct sl_scylla_shape *shape)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < shape->n_clustering; i++) {
        const struct sl_scylla_field *field = &shape->fields[shape->clustering[i]];

        if (!field->descending)
            continue;
        sl_buf_text(out, n++ ? "," : ",\"descending\":[");
        sl_json_put_text(out, field->name, strlen(field->name));
    }
    if (n)
        sl_buf_u8(out, ']');
}

/* Clustering columns whose values CQL orders by a rule of its own. */
static void put_orders(struct sl_buf *out, const struct sl_scylla_shape *shape)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < shape->n_clustering; i++) {
        const struct sl_scylla_field *field = &shape->fields[shape->clustering[i]];
        enum sl_cql_kind kind = field->decoder->type->kind;

        if (kind != SL_CQL_UUID && kind != SL_CQL_TIMEUUID)
            continue;
        sl_buf_text(out, n++ ? "," : ",\"order\":{");
        sl_json_put_text(out, field->name, strlen(field->name));
        sl_buf_text(out, kind == SL_CQL_UUID ? ":\"uuid\"" : ":\"timeuuid\"");
    }
    if (n)
        sl_buf_u8(out, '}');
}

static uint32_t prefix_length(const struct sl_scylla_row *row)
{
    uint32_t n = 0;

    while (row && n < row->shape->n_clustering &&
           row->cells[row->shape->fields[row->shape->clustering[n]].cell].len >= 0)
        n++;
    return n;
}

/*
 * Which column do the two bounds part at: the first one where they differ, or the last of the longer. Where
 * it is descending, the log's "from" is the larger value.
 */
static bool ends_are_swapped(const struct sl_scylla_row *from, const struct sl_scylla_row *to)
{
    const struct sl_scylla_shape *shape = from->shape;
    uint32_t n_from = prefix_length(from), n_to = prefix_length(to);
    uint32_t longest = n_from > n_to ? n_from : n_to;

    for (uint32_t i = 0; i < longest; i++) {
        const struct sl_scylla_field *field = &shape->fields[shape->clustering[i]];
        struct sl_cql_cell a = from->cells[field->cell], b = to->cells[field->cell];

        if (a.len != b.len || (a.len > 0 && memcmp(a.data, b.data, (size_t)a.len) != 0))
            return field->descending;
    }
    return false;
}

enum sl_rc sl_scylla_range_header(const struct sl_scylla_row *row, const struct sl_scylla_row *from,
                                  const struct sl_scylla_row *to, struct sl_arena *arena,
                                  struct sl_header *ret, struct sl_error *err)
{
    const struct sl_scylla_shape *shape = row->shape;
    bool from_inclusive = !from || from->op == SL_SCYLLA_OP_RANGE_FROM_INCLUSIVE;
    bool to_inclusive = !to || to->op == SL_SCYLLA_OP_RANGE_TO_INCLUSIVE;
    bool swap = from && to && ends_are_swapped(from, to);
    struct sl_buf out = {0};
    enum sl_rc rc;

    sl_buf_text(&out, "{\"version\":1,\"equal\":");
    rc = put_columns(&out, row, shape->partition, shape->n_partition, arena, err);
    sl_buf_text(&out, ",\"from\":");
    if (rc == SL_OK)
        rc = put_columns(&out, swap ? to : from, shape->clustering, shape->n_clustering, arena, err);
    sl_buf_format(
        &out, ",\"from_inclusive\":%s,\"to\":", (swap ? to_inclusive : from_inclusive) ? "true" : "false");
    if (rc == SL_OK)
        rc = put_columns(&out, swap ? from : to, shape->clustering, shape->n_clustering, arena, err);
    sl_buf_format(&out, ",\"to_inclusive\":%s", (swap ? from_inclusive : to_inclusive) ? "true" : "false");
    put_descending(&out, shape);
    put_orders(&out, shape);
    sl_buf_u8(&out, '}');
    *ret = (struct sl_header){.name = SL_HEADER_RANGE,
                              .value = sl_bytes(SL_BYTES, sl_arena_copy(arena, out.data, out.len), out.len)};
    sl_buf_done(&out);
    return rc;
}
