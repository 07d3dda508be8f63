/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in before and after, for both shapes. */
#include "source/scylla/event.h"

/* Nobody said anything about it: the record is told to be partial. */
static struct sl_value absent(struct sl_scylla_images *images)
{
    images->partial = true;
    return (struct sl_value){.tag = SL_ABSENT};
}

static enum sl_rc malformed(const struct sl_scylla_row *row, const struct sl_scylla_field *field,
                            struct sl_error *err)
{
    return sl_error_set(err, SL_E_PROTOCOL,
                        "table '%s.%s', column '%s': the server's bytes are no value of the column's type. "
                        "HINT: was the column's type changed just now?",
                        row->shape->table->keyspace, row->shape->table->name, field->name);
}

enum sl_rc sl_scylla_value_of(const struct sl_scylla_row *row, const struct sl_scylla_field *field,
                              struct sl_arena *arena, struct sl_value *ret, struct sl_error *err)
{
    if (__builtin_expect(!sl_scylla_decode(field->decoder, row->cells[field->cell], arena, ret), 0))
        return malformed(row, field, err);
    return SL_OK;
}

/* ---- legacy ---- */

/* {"value": x}, {"value": null} or nothing, as the row tells it. */
static enum sl_rc cell_of(struct sl_scylla_images *images, const struct sl_scylla_row *row,
                          const struct sl_scylla_field *field, struct sl_arena *arena, struct sl_value *ret,
                          struct sl_error *err)
{
    struct sl_value *value;

    if (row->cells[field->cell].len < 0 && !sl_scylla_flag(row, field->deleted)) {
        *ret = absent(images);
        return SL_OK;
    }
    value = sl_arena_alloc(arena, sizeof(*value));
    *ret = sl_items(SL_STRUCT, value, 1);
    return sl_scylla_value_of(row, field, arena, value, err);
}

/* cells: whose cells are shown; NULL: none. */
static enum sl_rc legacy_row(struct sl_scylla_images *images, const struct sl_scylla_row *cells,
                             struct sl_arena *arena, struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_shape *shape = images->row->shape;
    struct sl_value *values = sl_arena_alloc(arena, shape->n_after * sizeof(*values));

    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const struct sl_scylla_field *field = &shape->fields[i];
        enum sl_rc rc = SL_OK;

        if (field->place < 0)
            continue;
        if (field->kind <= SL_SCYLLA_CLUSTERING)
            rc = sl_scylla_value_of(images->row, field, arena, &values[field->place], err);
        else if (cells)
            rc = cell_of(images, cells, field, arena, &values[field->place], err);
        else
            values[field->place] = absent(images);
        if (rc != SL_OK)
            return rc;
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_after);
    return SL_OK;
}

enum sl_rc sl_scylla_legacy_after(struct sl_scylla_images *images, struct sl_arena *arena,
                                  struct sl_value *ret, struct sl_error *err)
{
    return legacy_row(images, images->row, arena, ret, err);
}

/* A delete always tells its key; other changes tell of before only what an image says. */
enum sl_rc sl_scylla_legacy_before(struct sl_scylla_images *images, struct sl_arena *arena,
                                   struct sl_value *ret, struct sl_error *err)
{
    bool is_delete = images->row->op != SL_SCYLLA_OP_INSERT && images->row->op != SL_SCYLLA_OP_UPDATE;
    const struct sl_scylla_row *image =
        images->before && images->before->shape == images->row->shape ? images->before : NULL;

    if (!image && !is_delete) {
        *ret = sl_null();
        return SL_OK;
    }
    return legacy_row(images, image, arena, ret, err);
}

enum sl_rc sl_scylla_range_before(struct sl_scylla_images *images, struct sl_arena *arena,
                                  struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_shape *shape = images->row->shape;
    struct sl_value *values = sl_arena_alloc(arena, ((size_t)shape->n_before + 1) * sizeof(*values));

    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const struct sl_scylla_field *field = &shape->fields[i];
        int place = shape->before_place[i];
        enum sl_rc rc = SL_OK;

        if (place < 0)
            continue;
        if (field->kind == SL_SCYLLA_PARTITION)
            rc = sl_scylla_value_of(images->row, field, arena, &values[place], err);
        else
            values[place] = field->kind == SL_SCYLLA_CLUSTERING ? sl_null() : absent(images);
        if (rc != SL_OK)
            return rc;
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_before);
    return SL_OK;
}

/* ---- advanced ---- */

/* An image says nothing of static columns in a clustered row, and nothing else in a static one. */
static bool image_covers(const struct sl_scylla_row *image, const struct sl_scylla_field *field)
{
    return image->is_static == (field->kind == SL_SCYLLA_STATIC);
}

/* A column as the change alone tells it: a part of a collection is not the collection. */
static enum sl_rc from_change(struct sl_scylla_images *images, const struct sl_scylla_field *field,
                              struct sl_arena *arena, struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_row *row = images->row;
    bool deleted = sl_scylla_flag(row, field->deleted);

    if (field->elements >= 0 ? !deleted : (row->cells[field->cell].len < 0 && !deleted)) {
        *ret = absent(images);
        return SL_OK;
    }
    return sl_scylla_value_of(row, field, arena, ret, err);
}

static enum sl_rc after_field(struct sl_scylla_images *images, const struct sl_scylla_field *field,
                              struct sl_arena *arena, struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_row *row = images->row;

    if (field->kind <= SL_SCYLLA_CLUSTERING)
        return sl_scylla_value_of(row, field, arena, ret, err);
    if (row->shape->config->after == SL_SCYLLA_IMAGE_ONLY_UPDATED && row->op == SL_SCYLLA_OP_UPDATE &&
        !sl_scylla_touches(row, field)) {
        *ret = absent(images);
        return SL_OK;
    }
    if (!images->after)
        return from_change(images, field, arena, ret, err);
    if (images->after->cells[field->cell].len < 0 && !image_covers(images->after, field)) {
        *ret = absent(images);
        return SL_OK;
    }
    return sl_scylla_value_of(images->after, field, arena, ret, err);
}

enum sl_rc sl_scylla_advanced_after(struct sl_scylla_images *images, struct sl_arena *arena,
                                    struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_shape *shape = images->row->shape;
    struct sl_value *values;

    if (shape->config->after == SL_SCYLLA_IMAGE_NONE) {
        *ret = sl_null();
        return SL_OK;
    }
    values = sl_arena_alloc(arena, ((size_t)shape->n_after + 1) * sizeof(*values));
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const struct sl_scylla_field *field = &shape->fields[i];
        enum sl_rc rc =
            field->place >= 0 ? after_field(images, field, arena, &values[field->place], err) : SL_OK;

        if (rc != SL_OK)
            return rc;
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_after);
    return SL_OK;
}

static enum sl_rc before_field(struct sl_scylla_images *images, const struct sl_scylla_field *field,
                               struct sl_arena *arena, struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_row *row = images->row, *before = images->before, *after = images->after;

    if (field->kind <= SL_SCYLLA_CLUSTERING)
        return sl_scylla_value_of(row, field, arena, ret, err);
    if (before->cells[field->cell].len >= 0 || sl_scylla_flag(before, field->deleted))
        return sl_scylla_value_of(before, field, arena, ret, err);
    *ret = absent(images);
    /* The connector completes the image of an update only. */
    if (row->shape->config->before == SL_SCYLLA_IMAGE_ONLY_UPDATED || row->op != SL_SCYLLA_OP_UPDATE)
        return SL_OK;
    /* What the change left alone is after as it was before. */
    if (after && !sl_scylla_touches(row, field) &&
        (after->cells[field->cell].len >= 0 || image_covers(after, field)))
        return sl_scylla_value_of(after, field, arena, ret, err);
    return SL_OK;
}

/* With preimage 'full' the image tells more than the change touched: only-updated leaves that out. */
static bool left_out(struct sl_scylla_images *images, const struct sl_scylla_field *field)
{
    const struct sl_scylla_row *row = images->row;

    return field->kind > SL_SCYLLA_CLUSTERING && row->shape->config->before == SL_SCYLLA_IMAGE_ONLY_UPDATED &&
           row->op == SL_SCYLLA_OP_UPDATE && !sl_scylla_touches(row, field);
}

enum sl_rc sl_scylla_advanced_before(struct sl_scylla_images *images, struct sl_arena *arena,
                                     struct sl_value *ret, struct sl_error *err)
{
    const struct sl_scylla_shape *shape = images->row->shape;
    struct sl_value *values;

    if (shape->config->before == SL_SCYLLA_IMAGE_NONE || !images->before) {
        *ret = sl_null();
        return SL_OK;
    }
    values = sl_arena_alloc(arena, ((size_t)shape->n_before + 1) * sizeof(*values));
    for (uint32_t i = 0; i < shape->n_fields; i++) {
        const struct sl_scylla_field *field = &shape->fields[i];
        int place = shape->before_place[i];
        enum sl_rc rc = SL_OK;

        if (place < 0)
            continue;
        if (left_out(images, field))
            values[place] = absent(images);
        else
            rc = before_field(images, field, arena, &values[place], err);
        if (rc != SL_OK)
            return rc;
    }
    *ret = sl_items(SL_STRUCT, values, shape->n_before);
    return SL_OK;
}
