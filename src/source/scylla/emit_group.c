/* SPDX-License-Identifier: Apache-2.0 */
/* From the rows of a group to its events: what each operation of the log means. */
#include "source/scylla/event.h"

/* What a change is, before its row is looked at closely. */
struct change {
    struct sl_scylla_emitter *emitter;
    struct sl_scylla_group *group;
    const struct sl_scylla_row *row;
    const struct sl_scylla_row *to; /* the end of a range */
    char op;
    bool is_range;
};

/* The image of the change's row; of another set of columns (an ALTER within the group) it is none. */
static const struct sl_scylla_row *image_of(struct change *change, enum sl_scylla_op op)
{
    const struct sl_scylla_row *image = sl_scylla_group_image(change->group, change->row, op);

    return image && image->shape == change->row->shape ? image : NULL;
}

static enum sl_rc fill_legacy(struct change *change, struct sl_scylla_images *images,
                              struct sl_scylla_event *event, struct sl_error *err)
{
    struct sl_arena *arena = change->emitter->batch->arena;
    enum sl_rc rc;

    if (change->emitter->config->preimages)
        images->before = image_of(change, SL_SCYLLA_OP_PREIMAGE);
    event->has_clock = !images->before || change->op == 'd';
    rc = sl_scylla_legacy_before(images, arena, &event->before, err);
    if (rc == SL_OK && change->op != 'd')
        rc = sl_scylla_legacy_after(images, arena, &event->after, err);
    return rc;
}

static enum sl_rc fill_advanced(struct change *change, struct sl_scylla_images *images,
                                struct sl_scylla_event *event, struct sl_error *err)
{
    const struct sl_scylla_config *config = change->emitter->config;
    struct sl_arena *arena = change->emitter->batch->arena;
    enum sl_rc rc;

    if (config->before != SL_SCYLLA_IMAGE_NONE)
        images->before = image_of(change, SL_SCYLLA_OP_PREIMAGE);
    if (change->op != 'd')
        images->after = image_of(change, SL_SCYLLA_OP_POSTIMAGE);
    rc = sl_scylla_advanced_before(images, arena, &event->before, err);
    if (rc == SL_OK && change->op != 'd')
        rc = sl_scylla_advanced_after(images, arena, &event->after, err);
    return rc;
}

static enum sl_rc fill_rows(struct change *change, struct sl_scylla_event *event, struct sl_error *err)
{
    struct sl_scylla_images images = {.row = change->row};
    enum sl_rc rc;

    if (change->is_range)
        rc = sl_scylla_range_before(&images, change->emitter->batch->arena, &event->before, err);
    else if (change->emitter->config->advanced)
        rc = fill_advanced(change, &images, event, err);
    else
        rc = fill_legacy(change, &images, event, err);
    event->partial = images.partial;
    return rc;
}

static enum sl_rc fill_headers(struct change *change, struct sl_scylla_event *event, struct sl_error *err)
{
    struct sl_arena *arena = change->emitter->batch->arena;
    bool special = change->is_range || change->row->is_static;
    struct sl_header *headers;
    enum sl_rc rc = SL_OK;

    if (!special && !change->emitter->config->placement.kafka_headers)
        return SL_OK;
    headers = sl_scylla_headers_of(change->row, special, arena, &event->n_headers);
    if (change->is_range)
        rc = sl_scylla_range_header(change->row, change->to ? change->row : NULL, change->to, arena,
                                    &headers[event->n_headers], err);
    else if (special)
        headers[event->n_headers] =
            (struct sl_header){.name = SL_HEADER_STATIC, .value = sl_bytes(SL_BYTES, "", 0)};
    event->n_headers = (uint16_t)(event->n_headers + special);
    event->headers = headers;
    return rc;
}

/* A range's key: the partition, with null clustering columns. */
static void clear_clustering(const struct sl_scylla_shape *shape, struct sl_value *key)
{
    struct sl_value *values = (struct sl_value *)(uintptr_t)key->items;

    for (uint32_t i = 0; i < shape->n_key; i++)
        if (shape->fields[shape->key[i]].kind == SL_SCYLLA_CLUSTERING)
            values[i] = sl_null();
}

static enum sl_rc emit_change(struct change *change, struct sl_error *err)
{
    struct sl_arena *arena = change->emitter->batch->arena;
    struct sl_scylla_event event = {.shape = change->row->shape,
                                    .op = change->op,
                                    .us = change->group->us,
                                    .before = sl_null(),
                                    .after = sl_null(),
                                    .snapshot = "false",
                                    .partition = sl_scylla_partition_of(change->row)};
    enum sl_rc rc = sl_scylla_key_of(change->row, arena, &event.key, err);

    if (rc == SL_OK)
        rc = fill_rows(change, &event, err);
    if (rc == SL_OK)
        rc = fill_headers(change, &event, err);
    if (rc != SL_OK)
        return rc;
    if (change->is_range)
        clear_clustering(event.shape, &event.key);
    event.position = sl_scylla_position(SL_SRC_STREAM, &change->group->place, change->row->sequence, arena);
    sl_scylla_emit(change->emitter, &event);
    return SL_OK;
}

static enum sl_rc unknown_operation(const struct sl_scylla_row *row, struct sl_error *err)
{
    return sl_error_set(err, SL_E_SCHEMA,
                        "the change log of '%s.%s' has an operation (%d) that this version does not know. "
                        "HINT: update sluice; nothing after it was written",
                        row->shape->table->keyspace, row->shape->table->name, row->op);
}

/* The row at i and what belongs to it; *ret_next: the row after that. */
static enum sl_rc emit_row(struct sl_scylla_emitter *emitter, struct sl_scylla_group *group, uint32_t i,
                           uint32_t *ret_next, struct sl_error *err)
{
    const struct sl_scylla_row *row = &group->rows[i];
    struct change change = {.emitter = emitter, .group = group, .row = row, .op = 'd'};

    *ret_next = i + 1;
    switch (row->op) {
    case SL_SCYLLA_OP_PREIMAGE:
    case SL_SCYLLA_OP_POSTIMAGE: return SL_OK;
    case SL_SCYLLA_OP_UPDATE: change.op = 'u'; break;
    case SL_SCYLLA_OP_INSERT: change.op = 'c'; break;
    case SL_SCYLLA_OP_ROW_DELETE:
    case SL_SCYLLA_OP_EXPIRED_ROW: break;
    case SL_SCYLLA_OP_PARTITION_DELETE:
    case SL_SCYLLA_OP_EXPIRED_PARTITION: change.is_range = row->shape->n_clustering > 0; break;
    case SL_SCYLLA_OP_RANGE_FROM_INCLUSIVE:
    case SL_SCYLLA_OP_RANGE_FROM_EXCLUSIVE:
        change.is_range = true;
        if (i + 1 < group->n && (group->rows[i + 1].op == SL_SCYLLA_OP_RANGE_TO_INCLUSIVE ||
                                 group->rows[i + 1].op == SL_SCYLLA_OP_RANGE_TO_EXCLUSIVE))
            change.to = &group->rows[i + 1];
        if (!change.to)
            return sl_error_set(err, SL_E_PROTOCOL,
                                "the change log of '%s.%s' has the start of a range delete without its end",
                                row->shape->table->keyspace, row->shape->table->name);
        *ret_next = i + 2;
        break;
    default: return unknown_operation(row, err);
    }
    if (change.is_range && !emitter->config->range_deletes)
        return SL_OK;
    return emit_change(&change, err);
}

enum sl_rc sl_scylla_emit_group(struct sl_scylla_emitter *emitter, struct sl_scylla_group *group,
                                struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (uint32_t i = 0, next; rc == SL_OK && i < group->n; i = next)
        rc = emit_row(emitter, group, i, &next, err);
    return rc;
}
