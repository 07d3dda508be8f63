/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/settle.h"

#include "base/hash.h"

#include <stdio.h>

enum {
    SOON_US = 5 * 1000 * 1000,      /* beyond the windows: what is kept a little longer */
    VISIBLE_US = 2 * 1000 * 1000,   /* a server gives up a write after two seconds */
    LATE_SEEN_US = 2 * 1000 * 1000, /* beyond it the timestamp does not tell when the write was made */
    EXPIRY_SLACK_US = 1000 * 1000,  /* the server counts expiry in whole seconds */
    TTL_GRID_US = 1000 * 1000,
    GRID_MIN_US = 100 * 1000,
    US_TICKS = 10,
};

#define DELETED_SALT 0x5bd1e995u /* tells a partition's deletions from its other changes */
#define UUID_EPOCH_TICKS 0x01B21DD213814000ULL

void sl_scylla_settle_init(struct sl_scylla_settle *settle, const struct sl_scylla_config *config, int task)
{
    int64_t confidence_us = config->confidence_ms * 1000;

    *settle = (struct sl_scylla_settle){
        .remembers = config->early || config->sweep_ms > 0,
        .reads_again = config->read_again,
        .confidence_us = confidence_us,
        .visible_us = confidence_us < VISIBLE_US ? confidence_us : VISIBLE_US,
        .grid_us = confidence_us / 4 > GRID_MIN_US ? confidence_us / 4 : GRID_MIN_US,
        .seen.task = (uint16_t)task,
        .seen.n_tasks = (uint16_t)config->n_tasks,
        .recent.keep_us = confidence_us + config->window_ms * 1000 + SOON_US,
    };
}

void sl_scylla_settle_done(struct sl_scylla_settle *settle)
{
    sl_seen_done(&settle->seen);
    sl_recent_done(&settle->recent);
    sl_buf_done(&settle->key);
    sl_buf_done(&settle->note);
}

enum sl_rc sl_scylla_settle_load(struct sl_scylla_settle *settle, const struct sl_note *note,
                                 struct sl_error *err)
{
    if (!sl_seen_load(&settle->seen, note))
        return sl_error_set(
            err, SL_E_INTERNAL,
            "a note of the changes that were written already cannot be read. HINT: it was written "
            "by another version of this program; go on with that one");
    for (size_t i = 0; i < settle->seen.n_notes; i++) {
        if (settle->seen.notes[i].last_ticks > settle->before_ticks)
            settle->before_ticks = settle->seen.notes[i].last_ticks;
    }
    return SL_OK;
}

void sl_scylla_settle_ran_until(struct sl_scylla_settle *settle, int64_t us)
{
    uint64_t ticks = (uint64_t)us * US_TICKS + UUID_EPOCH_TICKS;

    if (ticks > settle->before_ticks)
        settle->before_ticks = ticks;
}

bool sl_scylla_settle_is_new(const struct sl_scylla_settle *settle, const struct sl_scylla_place *place)
{
    return !settle->remembers || !sl_seen_has(&settle->seen, sl_seen_group_of(place->stream, place->time));
}

/* ---- keys ---- */

/* The values of the key columns as [bytes]: of the whole primary key, or of the partition key only. */
static struct sl_span put_key(struct sl_buf *out, const struct sl_scylla_row *row, bool partition_only)
{
    const struct sl_scylla_shape *shape = row->shape;

    sl_buf_reset(out);
    for (uint32_t i = 0; i < shape->n_partition; i++)
        sl_revisit_put_cell(out, sl_scylla_cell(row, shape->fields[shape->partition[i]].cell));
    for (uint32_t i = 0; i < shape->n_clustering && !partition_only; i++)
        sl_revisit_put_cell(out, sl_scylla_cell(row, shape->fields[shape->clustering[i]].cell));
    return (struct sl_span){out->data, out->len};
}

static uint64_t hash_of(uint32_t table, struct sl_span key, bool partition_only)
{
    return sl_hash_bytes(key.ptr, key.len, (uint64_t)table << 1 | partition_only);
}

/* ---- asking ---- */

static void ask(struct sl_scylla_settle *settle, const struct sl_scylla_table *table, struct sl_span key,
                enum sl_revisit_scope scope, int64_t due_us, struct sl_batch *batch)
{
    char name[260];
    int len = snprintf(name, sizeof(name), "%s.%s", table->keyspace, table->name);
    struct sl_revisit revisit = {
        .due_us = due_us, .scope = scope, .table = {(const uint8_t *)name, (size_t)len}, .key = key};

    sl_buf_reset(&settle->note);
    sl_revisit_put(&settle->note, &revisit);
    sl_batch_add_note(batch, (struct sl_span){settle->note.data, settle->note.len},
                      (struct sl_span){(const uint8_t *)"", 0});
    settle->asked++;
}

/* When everything that can still be put in order beside the change has come. */
static int64_t settled_us(const struct sl_scylla_settle *settle, int64_t change_us, int64_t now_us)
{
    int64_t due_us = change_us + settle->confidence_us;

    if (due_us < now_us + settle->visible_us)
        due_us = now_us + settle->visible_us;
    return sl_revisit_due_us(due_us, settle->grid_us);
}

/* What a key column or an image cannot say is asked of the row, or of all rows of the partition. */
static void ask_row(struct sl_scylla_settle *settle, const struct sl_scylla_row *row, bool partition,
                    int64_t due_us, struct sl_batch *batch)
{
    bool whole = partition && row->shape->n_clustering;

    ask(settle, row->shape->table, put_key(&settle->key, row, whole),
        whole ? SL_REVISIT_PARTITION : SL_REVISIT_ROW, due_us, batch);
}

/*
 * A TTL runs out: counted from the write. Where the timestamp is not the time of the write, that is not
 * known: it lies before now.
 */
static void ask_at_expiry(struct sl_scylla_settle *settle, const struct sl_scylla_row *row, int64_t us,
                          int64_t now_us, struct sl_batch *batch)
{
    int64_t ttl_us = row->ttl_s * 1000000 + EXPIRY_SLACK_US;
    int64_t due_us = us + ttl_us > now_us ? us + ttl_us : now_us + EXPIRY_SLACK_US;

    ask_row(settle, row, row->is_static, sl_revisit_due_us(due_us, TTL_GRID_US), batch);
    if (now_us - us > LATE_SEEN_US)
        ask_row(settle, row, row->is_static, sl_revisit_due_us(now_us + ttl_us, TTL_GRID_US), batch);
}

/* ---- what the log cannot tell of one row ---- */

/* Does the change delete cells? The row may be gone with its last one. */
static bool deletes_cells(const struct sl_scylla_row *row)
{
    for (uint32_t i = 0; i < row->shape->n_fields; i++) {
        const struct sl_scylla_field *field = &row->shape->fields[i];

        if (sl_scylla_flag(row, field->deleted) || sl_scylla_cell(row, field->elements).len >= 0)
            return true;
    }
    return false;
}

/* A part of a collection was changed: the delta does not say what the whole is. */
static bool changes_parts(const struct sl_scylla_row *row)
{
    for (uint32_t i = 0; i < row->shape->n_fields; i++) {
        const struct sl_scylla_field *field = &row->shape->fields[i];

        if (field->elements >= 0 && !sl_scylla_flag(row, field->deleted) && sl_scylla_touches(row, field))
            return true;
    }
    return false;
}

/* An upsert whose event does not settle the row, whatever else was written to it. */
static bool is_unclear(struct sl_scylla_group *group, const struct sl_scylla_row *row)
{
    const struct sl_scylla_config *config = row->shape->config;
    bool wants_image = config->advanced && config->after != SL_SCYLLA_IMAGE_NONE;
    bool has_image = wants_image && sl_scylla_group_image(group, row, SL_SCYLLA_OP_POSTIMAGE) != NULL;

    if (row->op == SL_SCYLLA_OP_UPDATE && deletes_cells(row))
        return true;
    if (config->advanced && !has_image && changes_parts(row))
        return true;
    if (wants_image && !has_image && row->shape->table->cdc.postimage)
        return true;
    return row->shape->table->has_statics; /* a new row shows statics that its own change does not name */
}

/* ---- one change ---- */

struct settling {
    struct sl_scylla_settle *settle;
    struct sl_scylla_group *group;
    const struct sl_scylla_pass *pass;
    struct sl_batch *batch;
    struct sl_recent_change change;
    bool suspect; /* late, or perhaps a straggler of the last run */
};

static struct sl_recent_change newest(const struct settling *s, uint64_t hash)
{
    return sl_recent_find(&s->settle->recent, hash);
}

static void note_newest(const struct settling *s, uint64_t hash)
{
    sl_recent_add(&s->settle->recent, hash, s->change, s->pass->now_us);
}

/* What deletes of ranges ask for; a table without clustering key has none. */
static void note_partition(const struct settling *s, const struct sl_scylla_row *row, uint64_t hash)
{
    if (row->shape->n_clustering)
        note_newest(s, hash);
}

static bool not_after(struct sl_recent_change other, struct sl_recent_change change)
{
    return other.ticks > change.ticks ||
           (other.ticks == change.ticks && other.ticks && other.id != change.id);
}

/*
 * An image holds what the server saw when the write was made, which says nothing of writes that came after it
 * with an older timestamp, nor of another writer's at the same moment: it is believed only where nothing else
 * was written to the row lately.
 */
static bool image_is_doubtful(const struct sl_scylla_row *row, struct sl_recent_change last,
                              struct sl_recent_change deleted, struct sl_recent_change change)
{
    bool others =
        (last.ticks && last.ticks != change.ticks) || (deleted.ticks && deleted.ticks != change.ticks);

    return others && row->shape->config->advanced && row->shape->table->cdc.postimage;
}

static void settle_upsert(const struct settling *s, const struct sl_scylla_row *row)
{
    uint32_t table = row->shape->table->number;
    uint64_t partition = hash_of(table, put_key(&s->settle->key, row, true), true);
    uint64_t key = hash_of(table, put_key(&s->settle->key, row, false), false);
    struct sl_recent_change last = newest(s, key);
    struct sl_recent_change deleted = newest(s, partition ^ DELETED_SALT);
    bool again = s->suspect || not_after(last, s->change) || deleted.ticks >= s->change.ticks ||
                 image_is_doubtful(row, last, deleted, s->change);

    note_newest(s, key);
    note_partition(s, row, partition);
    if (!s->pass->is_new)
        return;
    if (again || is_unclear(s->group, row))
        ask_row(s->settle, row, false, settled_us(s->settle, s->group->us, s->pass->now_us), s->batch);
}

static void settle_static(const struct settling *s, const struct sl_scylla_row *row)
{
    if (s->pass->is_new)
        ask_row(s->settle, row, true, settled_us(s->settle, s->group->us, s->pass->now_us), s->batch);
}

static void settle_row_delete(const struct settling *s, const struct sl_scylla_row *row)
{
    uint32_t table = row->shape->table->number;
    uint64_t partition = hash_of(table, put_key(&s->settle->key, row, true), true);
    uint64_t key = hash_of(table, put_key(&s->settle->key, row, false), false);
    bool again = s->suspect || not_after(newest(s, key), s->change);

    note_newest(s, key);
    note_partition(s, row, partition);
    if (s->pass->is_new && again)
        ask_row(s->settle, row, false, settled_us(s->settle, s->group->us, s->pass->now_us), s->batch);
}

/* Many rows at once: what was written to the partition later must be there again. */
static void settle_range(const struct settling *s, const struct sl_scylla_row *row)
{
    uint64_t partition = hash_of(row->shape->table->number, put_key(&s->settle->key, row, true), true);
    bool again = s->suspect || newest(s, partition).ticks >= s->change.ticks;

    note_newest(s, partition ^ DELETED_SALT);
    if (s->pass->is_new && again)
        ask_row(s->settle, row, true, settled_us(s->settle, s->group->us, s->pass->now_us), s->batch);
}

static void settle_row(const struct settling *s, const struct sl_scylla_row *row)
{
    switch (row->op) {
    case SL_SCYLLA_OP_UPDATE:
    case SL_SCYLLA_OP_INSERT:
        if (row->is_static)
            settle_static(s, row);
        else
            settle_upsert(s, row);
        if (row->ttl_s > 0 && s->pass->is_new)
            ask_at_expiry(s->settle, row, s->group->us, s->pass->now_us, s->batch);
        break;
    case SL_SCYLLA_OP_ROW_DELETE:
    case SL_SCYLLA_OP_EXPIRED_ROW: settle_row_delete(s, row); break;
    case SL_SCYLLA_OP_PARTITION_DELETE:
    case SL_SCYLLA_OP_EXPIRED_PARTITION:
        if (row->shape->n_clustering)
            settle_range(s, row);
        else
            settle_row_delete(s, row);
        break;
    case SL_SCYLLA_OP_RANGE_FROM_INCLUSIVE:
    case SL_SCYLLA_OP_RANGE_FROM_EXCLUSIVE: settle_range(s, row); break;
    default: break; /* images, and the ends of ranges */
    }
}

void sl_scylla_settle_group(struct sl_scylla_settle *settle, struct sl_scylla_group *group,
                            const struct sl_scylla_pass *pass, struct sl_batch *batch)
{
    struct sl_seen_group place = sl_seen_group_of(group->place.stream, group->place.time);
    struct settling s = {
        .settle = settle,
        .group = group,
        .pass = pass,
        .batch = batch,
        .change = {.ticks = place.ticks, .id = (uint32_t)place.id},
        .suspect = pass->late || place.ticks <= settle->before_ticks,
    };

    if (settle->remembers && pass->is_new)
        sl_seen_add(&settle->seen, place);
    if (!settle->reads_again)
        return;
    for (uint32_t i = 0; i < group->n; i++)
        settle_row(&s, &group->rows[i]);
}

void sl_scylla_settle_forget(struct sl_scylla_settle *settle, int64_t up_to_us, struct sl_batch *batch)
{
    if (settle->remembers)
        sl_seen_drop(&settle->seen, (uint64_t)up_to_us * US_TICKS + UUID_EPOCH_TICKS, batch);
}

void sl_scylla_settle_reached(struct sl_scylla_settle *settle, int64_t settled_us)
{
    settle->recent.settled_ticks = (uint64_t)(settled_us - SOON_US) * US_TICKS + UUID_EPOCH_TICKS;
}

void sl_scylla_settle_store(struct sl_scylla_settle *settle, struct sl_batch *batch)
{
    sl_seen_store(&settle->seen, batch);
}

bool sl_scylla_settle_row_is_fresh(struct sl_scylla_settle *settle, const struct sl_scylla_table *table,
                                   struct sl_span key, int64_t read_us, struct sl_batch *batch)
{
    int64_t met_us = sl_recent_find(&settle->recent, hash_of(table->number, key, false)).met_us;

    if (met_us + settle->visible_us <= read_us)
        return true;
    ask(settle, table, key, SL_REVISIT_ROW, settled_us(settle, met_us, met_us > read_us ? met_us : read_us),
        batch);
    return false;
}

bool sl_scylla_settle_was_deleted(const struct sl_scylla_settle *settle, uint32_t table,
                                  struct sl_span partition, int64_t read_us)
{
    int64_t met_us = sl_recent_find(&settle->recent, hash_of(table, partition, true) ^ DELETED_SALT).met_us;

    return met_us + settle->visible_us > read_us;
}

void sl_scylla_settle_was_read(struct sl_scylla_settle *settle, uint32_t table,
                               const struct sl_revisit *revisit, struct sl_span partition, int64_t read_us,
                               struct sl_batch *batch)
{
    bool whole = revisit->scope == SL_REVISIT_PARTITION;
    struct sl_recent_change change = sl_recent_find(&settle->recent, hash_of(table, revisit->key, whole));
    struct sl_recent_change deleted =
        sl_recent_find(&settle->recent, hash_of(table, partition, true) ^ DELETED_SALT);
    int64_t met_us = deleted.met_us > change.met_us ? deleted.met_us : change.met_us;
    struct sl_revisit again = *revisit;

    if (met_us + settle->visible_us <= read_us)
        return;
    again.due_us = settled_us(settle, met_us, met_us > read_us ? met_us : read_us);
    if (again.due_us <= revisit->due_us)
        return;
    sl_buf_reset(&settle->note);
    sl_revisit_put(&settle->note, &again);
    sl_batch_add_note(batch, (struct sl_span){settle->note.data, settle->note.len},
                      (struct sl_span){(const uint8_t *)"", 0});
    settle->asked++;
}
