/* SPDX-License-Identifier: Apache-2.0 */
#include "augment.h"

#include "../storage/arena.h"
#include "group.h"

#include <string.h>

/* What is known of the mutation's rows, by place in it. */
struct images {
    struct sy_image *items;
    const struct sy_mutation *mutation;
    bool split;
};

static struct sy_image *image_of(struct images *images, const struct sy_row_change *change)
{
    return &images->items[change->row - images->mutation->rows];
}

static void images_load(struct images *images, const struct sy_augment *augment)
{
    const struct sy_cdc_options *cdc = &augment->mutation->table->cdc;

    if (cdc->preimage == SY_PREIMAGE_OFF && !cdc->postimage)
        return;
    for (uint32_t i = 0; i < images->mutation->n_rows; i++)
        sy_image_load(&images->items[i], augment, &images->mutation->rows[i]);
}

static void put_preimages(struct sy_log_rows *rows, struct images *images,
                          const struct sy_change_group *group)
{
    for (uint32_t i = 0; i < group->n_rows; i++) {
        const struct sy_image *image = image_of(images, &group->rows[i]);

        if (image->alive)
            sy_log_preimage(rows, image, &group->rows[i]);
    }
}

static void put_postimages(struct sy_log_rows *rows, struct images *images,
                           const struct sy_change_group *group)
{
    for (uint32_t i = 0; i < group->n_rows; i++) {
        const struct sy_image *image = image_of(images, &group->rows[i]);

        if (image->alive)
            sy_log_postimage(rows, image);
    }
}

/* The changes in the order in which the log tells them: a deletion of the same time comes last. */
static void follow(struct images *images, const struct sy_augment *augment,
                   const struct sy_change_group *group)
{
    const struct sy_mutation *m = augment->mutation;

    for (uint32_t i = 0; i < group->n_rows; i++)
        sy_image_apply(image_of(images, &group->rows[i]), m->table, &group->rows[i], augment->arena);
    for (uint32_t i = 0; i < group->n_ranges; i++) {
        for (uint32_t k = 0; k < m->n_rows; k++)
            sy_image_cover(&images->items[k], m->table, group->ranges[i]);
    }
    for (uint32_t k = 0; group->deletes_partition && k < m->n_rows; k++)
        sy_image_cover(&images->items[k], m->table, NULL);
}

static void end_batch(struct sy_log_rows *rows)
{
    struct sy_row_write *last = &rows->rows[rows->n - 1];
    struct sy_log_row row = {
        .rows = rows,
        .cells = sy_arena_alloc(rows->augment->arena, (last->n_cells + 1) * sizeof(*row.cells)),
        .n = last->n_cells,
        .capacity = last->n_cells + 1,
    };

    memcpy(row.cells, last->cells, last->n_cells * sizeof(*row.cells));
    sy_log_row_put_flag(&row, "", "cdc$end_of_batch");
    last->cells = row.cells;
    last->n_cells = row.n;
}

static void fill(struct sy_log_rows *rows, struct images *images, const struct sy_change_group *group)
{
    const struct sy_cdc_options *cdc = &rows->augment->mutation->table->cdc;
    bool with_images = cdc->preimage != SY_PREIMAGE_OFF || cdc->postimage;

    if (cdc->preimage != SY_PREIMAGE_OFF)
        put_preimages(rows, images, group);
    sy_log_deltas(rows, group, images->split);
    if (with_images)
        follow(images, rows->augment, group);
    if (cdc->postimage)
        put_postimages(rows, images, group);
    end_batch(rows);
}

static bool run_group(const struct sy_augment *augment, struct images *images,
                      const struct sy_change_group *group, struct sy_mutation *ret,
                      struct sy_error *ret_error)
{
    const struct sy_table *table = augment->mutation->table;
    struct sy_value *time = sy_arena_alloc(augment->arena, sizeof(*time));
    uint8_t *uuid = sy_arena_alloc(augment->arena, 16);
    struct sy_value *key = sy_arena_alloc(augment->arena, sizeof(*key));
    const uint8_t *table_id = table->keyspace->tablets ? table->id : NULL;
    struct sy_log_rows rows = {.augment = augment, .log = table->log, .us = group->us, .time = time};
    const struct sy_stream_id *stream = sy_streams_find(augment->streams, table_id, augment->token, group->us,
                                                        augment->now_us, augment->arena, ret_error);

    if (!stream)
        return false;
    sy_store_timeuuid(augment->server, group->us, uuid);
    *time = (struct sy_value){.len = 16, .bytes = uuid};
    *key = (struct sy_value){
        .len = SY_STREAM_ID_SIZE,
        .bytes = (const uint8_t *)sy_arena_dup(augment->arena, stream->bytes, SY_STREAM_ID_SIZE)};
    fill(&rows, images, group);
    *ret =
        (struct sy_mutation){.table = table->log, .partition_key = key, .rows = rows.rows, .n_rows = rows.n};
    return true;
}

bool sy_augment_run(const struct sy_augment *augment, const struct sy_mutation **ret, uint32_t *ret_n,
                    struct sy_error *ret_error)
{
    const struct sy_mutation *mutation = augment->mutation;
    uint32_t n = 0;
    struct sy_change_group *groups = sy_groups_of(mutation, augment->arena, &n);
    struct sy_mutation *logs = sy_arena_alloc(augment->arena, (n + 1) * sizeof(*logs));
    struct images images = {
        .items = sy_arena_alloc(augment->arena, (mutation->n_rows + 1) * sizeof(*images.items)),
        .mutation = mutation,
        .split = sy_is_split(groups, n),
    };

    images_load(&images, augment);
    for (uint32_t i = 0; i < n; i++) {
        if (!run_group(augment, &images, &groups[i], &logs[i], ret_error))
            return false;
    }
    *ret = logs;
    *ret_n = n;
    return true;
}
