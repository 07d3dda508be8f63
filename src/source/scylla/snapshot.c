/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/snapshot_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "source/scylla/generations.h"
#include "source/scylla/revisit_note.h"

enum {
    RANGES = SL_SCYLLA_SNAPSHOT_RANGES,
    PROGRESS_MS = 10000, /* between two lines of progress */
    PREPARE_US = 30000000,
};

static void answered(struct sl_scylla_ask *ask, struct sl_cql_answer *answer);

struct sl_scylla_snapshot *sl_scylla_snapshot_new(const struct sl_scylla_snapshot_place *place)
{
    struct sl_scylla_snapshot *snapshot = sl_zalloc(1, sizeof(*snapshot));

    snapshot->place = *place;
    snapshot->round = snapshot->begun = snapshot->asked = -1;
    snapshot->from_ms = SL_SCYLLA_NO_TIME;
    snapshot->parts = sl_zalloc((size_t)place->n_tables + 1, sizeof(*snapshot->parts));
    for (uint32_t i = 0; i < place->n_tables; i++)
        snapshot->parts[i].log = place->tables[i];
    snapshot->n_slots = place->config->snapshot_ranges;
    snapshot->slots = sl_zalloc((size_t)snapshot->n_slots + 1, sizeof(*snapshot->slots));
    for (uint32_t i = 0; i < snapshot->n_slots; i++) {
        snapshot->slots[i].ask.answered = answered;
        snapshot->slots[i].snapshot = snapshot;
    }
    return snapshot;
}

void sl_scylla_snapshot_drop_answer(struct sl_scylla_snapshot_slot *slot)
{
    if (!slot->answer)
        return;
    slot->snapshot->place.reader->held_bytes -= slot->answer->size_bytes;
    sl_cql_answer_free(slot->answer);
    slot->answer = NULL;
}

void sl_scylla_snapshot_free(struct sl_scylla_snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (uint32_t i = 0; i < snapshot->n_slots; i++) {
        sl_scylla_snapshot_drop_answer(&snapshot->slots[i]);
        sl_buf_done(&snapshot->slots[i].paging_state);
    }
    for (uint32_t i = 0; i < snapshot->place.n_tables; i++) {
        sl_cql_statement_free(snapshot->parts[i].statement);
        sl_scylla_shape_free(snapshot->parts[i].shape);
    }
    sl_buf_done(&snapshot->key);
    sl_free(snapshot->parts);
    sl_free(snapshot->slots);
    sl_free(snapshot->cells);
    sl_free(snapshot);
}

/* ---- asking ---- */

/* Everything before the first token of a range; the last range ends with the greatest token. */
static int64_t bound_of(uint32_t range)
{
    return range < RANGES ? (int64_t)(((uint64_t)range << 56) ^ (1ULL << 63)) : INT64_MAX;
}

static bool has_ttl(const struct sl_scylla_column *column)
{
    const struct sl_cql_type *type = column->type;
    bool collection = type->kind == SL_CQL_LIST || type->kind == SL_CQL_SET || type->kind == SL_CQL_MAP ||
                      type->kind == SL_CQL_UDT;

    return column->kind > SL_SCYLLA_CLUSTERING && (!collection || type->is_frozen);
}

static void put_key_list(struct sl_buf *text, const struct sl_scylla_table *table)
{
    for (uint32_t i = 0; i < table->n_partition; i++)
        sl_buf_format(text, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
}

/* The columns by name, then the time to live of each that has one. */
static void put_select(struct sl_buf *text, const struct sl_scylla_table *table, bool is_scylla)
{
    sl_buf_text(text, "SELECT ");
    for (uint32_t i = 0; i < table->n_columns; i++)
        sl_buf_format(text, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
    for (uint32_t i = 0; i < table->n_columns; i++)
        if (has_ttl(&table->columns[i]))
            sl_buf_format(text, ", ttl(\"%s\")", table->columns[i].name);
    sl_buf_format(text, " FROM \"%s\".\"%s\" WHERE token(", table->keyspace, table->name);
    put_key_list(text, table);
    sl_buf_text(text, ") >= ? AND token(");
    put_key_list(text, table);
    sl_buf_text(text, is_scylla ? ") <= ? BYPASS CACHE"
                                : ") <= ?"); /* what is read once is not worth a place in it */
}

/* Answers to the statement that are on their way, or not gone through. */
static bool is_in_use(const struct sl_scylla_snapshot *snapshot, const struct sl_scylla_snapshot_part *part)
{
    for (uint32_t i = 0; i < snapshot->n_slots; i++)
        if (snapshot->slots[i].part == part && (snapshot->slots[i].asked || snapshot->slots[i].answer))
            return true;
    return false;
}

static enum sl_rc prepare(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_part *part,
                          struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc;

    if (part->statement && (part->table == part->log->table || is_in_use(snapshot, part)))
        return SL_OK;
    sl_cql_statement_free(part->statement);
    part->statement = NULL;
    part->table = part->log->table;
    put_select(&text, part->table, sl_cql_is_scylla(snapshot->place.cql));
    rc = sl_cql_prepare(snapshot->place.cql, sl_buf_cstr(&text), sl_now_us() + PREPARE_US, &part->statement,
                        err);
    if (rc != SL_OK)
        (void)sl_error_wrap(err, "preparing the snapshot of '%s.%s'", part->table->keyspace,
                            part->table->name);
    sl_buf_done(&text);
    return rc;
}

static void ask(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_slot *slot)
{
    const struct sl_scylla_config *config = snapshot->place.config;
    const struct sl_scylla_snapshot_range *range = &slot->part->ranges[slot->range];
    struct sl_cql_values values = {0};
    int64_t from = range->has_token ? range->token : bound_of(slot->range);
    int64_t to = slot->range + 1 < RANGES ? bound_of(slot->range + 1) - 1 : INT64_MAX;
    struct sl_cql_request request = {
        .statement = slot->part->statement,
        .values = &values,
        .consistency = config->consistency,
        .page_rows = config->page_rows,
        .paging_state = {.ptr = slot->paging_state.data, .len = slot->paging_state.len},
        .has_token = true,
        .token = from,
        .keyspace = slot->part->table->keyspace,
        .table = slot->part->table->name,
    };

    sl_cql_bind_int64(&values, from);
    sl_cql_bind_int64(&values, to);
    slot->asked = true;
    sl_scylla_reader_ask(snapshot->place.reader, &request, &slot->ask);
    sl_cql_values_done(&values);
}

/* An error of a statement that an ALTER made wrong is mended by asking anew; others are the reader's. */
static void failed(struct sl_scylla_snapshot_slot *slot, const struct sl_error *err)
{
    struct sl_scylla_snapshot_part *part = slot->part;

    sl_buf_reset(&slot->paging_state);
    if (slot->has_last) {
        part->ranges[slot->range].has_token = true;
        part->ranges[slot->range].token = slot->last_token;
    }
    part->ranges[slot->range].state = SL_SCYLLA_RANGE_WAITS;
    slot->part = NULL;
    if (err->kind != SL_KIND_TRANSIENT && (part->log->stale || part->table != part->log->table))
        return;
    sl_scylla_reader_failed(slot->snapshot->place.reader, part->table, err);
}

static void answered(struct sl_scylla_ask *asked, struct sl_cql_answer *answer)
{
    struct sl_scylla_snapshot_slot *slot = (struct sl_scylla_snapshot_slot *)asked;

    slot->asked = false;
    if (slot->outdated) {
        slot->outdated = false;
        slot->part = NULL;
        sl_cql_answer_free(answer);
        return;
    }
    if (answer->rc != SL_OK) {
        failed(slot, &answer->err);
        sl_cql_answer_free(answer);
        return;
    }
    slot->answer = answer;
    slot->snapshot->place.reader->held_bytes += answer->size_bytes;
}

/* The next range of this task that nobody reads. */
static bool take_range(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_slot *slot)
{
    uint32_t tasks = snapshot->place.config->n_tasks;

    for (uint32_t i = 0; i < snapshot->place.n_tables; i++)
        for (uint32_t r = 0; r < RANGES; r++) {
            struct sl_scylla_snapshot_range *range = &snapshot->parts[i].ranges[r];

            if (range->state != SL_SCYLLA_RANGE_WAITS || r % tasks != (uint32_t)snapshot->place.env->task)
                continue;
            range->state = SL_SCYLLA_RANGE_UNDER_WAY;
            slot->part = &snapshot->parts[i];
            slot->range = r;
            slot->has_last = false;
            sl_buf_reset(&slot->paging_state);
            return true;
        }
    return false;
}

static void tell_progress(struct sl_scylla_snapshot *snapshot, int64_t now_ms)
{
    if (now_ms < snapshot->progress_ms)
        return;
    if (snapshot->progress_ms)
        for (uint32_t i = 0; i < snapshot->place.n_tables; i++) {
            const struct sl_scylla_snapshot_part *part = &snapshot->parts[i];
            uint32_t done = 0;

            for (uint32_t r = 0; r < RANGES; r++)
                done += part->ranges[r].state == SL_SCYLLA_RANGE_DONE;
            if (done < RANGES)
                sl_info("snapshot under way", SL_T("table", part->log->name.table), SL_I("rows", part->rows),
                        SL_I("percent", done * 100 / RANGES));
        }
    snapshot->progress_ms = now_ms + PROGRESS_MS;
}

enum sl_rc sl_scylla_snapshot_begin(struct sl_scylla_snapshot *snapshot, int64_t now_ms, struct sl_error *err)
{
    enum sl_rc rc = snapshot->running ? sl_scylla_snapshot_look_at_ranges(snapshot, now_ms, err) : SL_OK;

    if (rc == SL_OK && snapshot->running)
        tell_progress(snapshot, now_ms);
    for (uint32_t i = 0; i < snapshot->n_slots && snapshot->running && rc == SL_OK; i++) {
        struct sl_scylla_snapshot_slot *slot = &snapshot->slots[i];

        if (!sl_scylla_reader_has_room(snapshot->place.reader) ||
            snapshot->place.reader->held_bytes >= snapshot->place.reader->bytes_max)
            break;
        if (slot->asked || slot->answer || (!slot->part && !take_range(snapshot, slot)))
            continue;
        rc = prepare(snapshot, slot->part, err);
        if (rc == SL_OK) {
            ask(snapshot, slot);
        } else { /* another slot, or this one, will take it */
            slot->part->ranges[slot->range].state = SL_SCYLLA_RANGE_WAITS;
            slot->part = NULL;
        }
    }
    return rc;
}

/* ---- rows ---- */

static void make_shape(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_part *part,
                       const struct sl_cql_columns *result)
{
    if (part->result == result)
        return;
    part->result = result;
    part->columns = (struct sl_cql_columns){
        .n = result->n < part->table->n_columns ? result->n : part->table->n_columns, .items = result->items};
    sl_scylla_shape_free(part->shape);
    part->shape = sl_scylla_base_shape_new(snapshot->place.config, part->table, &part->columns);
    if (snapshot->cells_capacity < result->n) {
        snapshot->cells = sl_realloc(snapshot->cells, result->n, sizeof(*snapshot->cells));
        snapshot->cells_capacity = result->n;
    }
}

/* Columns stand in the order of the table: the partition key, the clustering key, the rest. */
static void ask_again(const struct sl_scylla_snapshot_part *part, const struct sl_cql_cell *cells,
                      bool whole_partition, int64_t due_us, struct sl_batch *batch)
{
    const struct sl_scylla_table *table = part->table;
    uint32_t n = table->n_partition + (whole_partition ? 0 : table->n_clustering);
    struct sl_buf name = {0}, key = {0}, note = {0};
    struct sl_revisit revisit = {.due_us = due_us,
                                 .scope = whole_partition ? SL_REVISIT_PARTITION : SL_REVISIT_ROW};

    sl_buf_format(&name, "%s.%s", table->keyspace, table->name);
    for (uint32_t i = 0; i < n; i++)
        sl_revisit_put_cell(&key, cells[i]);
    revisit.table = (struct sl_span){name.data, name.len};
    revisit.key = (struct sl_span){key.data, key.len};
    sl_revisit_put(&note, &revisit);
    sl_batch_add_note(batch, (struct sl_span){note.data, note.len}, (struct sl_span){(const uint8_t *)"", 0});
    sl_buf_done(&name);
    sl_buf_done(&key);
    sl_buf_done(&note);
}

/* Ordinary expiry writes nothing to the log: the row is read again when one of its cells runs out. */
static void note_ttls(const struct sl_scylla_snapshot_part *part, const struct sl_cql_cell *cells,
                      int64_t now_ms, struct sl_batch *batch)
{
    const struct sl_scylla_table *table = part->table;
    uint32_t cell = table->n_columns;
    int32_t last_s = 0;

    for (uint32_t i = 0; i < table->n_columns; i++) {
        int32_t ttl_s;

        if (!has_ttl(&table->columns[i]))
            continue;
        if (cell < part->result->n && sl_cql_int32(cells[cell], &ttl_s) && ttl_s > 0 && ttl_s != last_s) {
            ask_again(part, cells, table->columns[i].kind == SL_SCYLLA_STATIC && table->n_clustering > 0,
                      (now_ms + ((int64_t)ttl_s + 1) * 1000) * 1000, batch);
            last_s = ttl_s;
        }
        cell++;
    }
}

static bool is_whole(const struct sl_scylla_snapshot_part *part, const struct sl_cql_cell *cells)
{
    for (uint32_t i = 0; i < part->table->n_clustering; i++)
        if (cells[part->table->n_partition + i].len < 0)
            return false; /* a partition that has nothing but static columns */
    return true;
}

static enum sl_rc emit_row(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_slot *slot,
                           struct sl_scylla_emitter *emitter, int64_t now_ms, struct sl_error *err)
{
    struct sl_scylla_snapshot_part *part = slot->part;
    const struct sl_cql_cell *cells = snapshot->cells;
    enum sl_rc rc = SL_OK;

    if (is_whole(part, cells)) {
        rc = sl_scylla_emit_read(emitter, part->shape, cells, true, 1, now_ms * 1000, err);
        part->rows++;
    }
    if (rc == SL_OK && snapshot->place.config->read_again &&
        snapshot->place.config->snapshot != SL_SCYLLA_SNAPSHOT_INITIAL_ONLY)
        note_ttls(part, cells, now_ms, emitter->batch);
    slot->last_token = sl_cql_token(cells, part->table->n_partition);
    slot->has_last = true;
    return rc;
}

/* The page is gone through: the next one, or the range is done. */
static void leave_page(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_slot *slot,
                       struct sl_batch *batch)
{
    bool done = !slot->answer->rows.has_more;

    sl_buf_reset(&slot->paging_state);
    sl_buf_put(&slot->paging_state, slot->answer->rows.paging_state.ptr, slot->answer->rows.paging_state.len);
    sl_scylla_snapshot_drop_answer(slot);
    sl_scylla_snapshot_store_range(snapshot, slot, done, batch);
    if (done) {
        slot->part->ranges[slot->range].state = SL_SCYLLA_RANGE_DONE;
        slot->part = NULL;
    }
}

static enum sl_rc emit_page(struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_slot *slot,
                            struct sl_scylla_emitter *emitter, int64_t now_ms, bool *ret_full,
                            struct sl_error *err)
{
    struct sl_cql_rows *rows = &slot->answer->rows;
    bool more = false;
    enum sl_rc rc = SL_OK;

    if (rows->n_rows)
        make_shape(snapshot, slot->part, rows->columns);
    while (rc == SL_OK && rows->index < rows->n_rows) {
        if (emitter->batch->n_records >= 4000 || sl_arena_used(emitter->batch->arena) >= (4U << 20)) {
            *ret_full = true;
            sl_scylla_snapshot_store_range(snapshot, slot, false, emitter->batch);
            return SL_OK;
        }
        rc = sl_cql_rows_next(rows, snapshot->cells, &more, err);
        if (rc == SL_OK && !more)
            break;
        if (rc == SL_OK)
            rc = emit_row(snapshot, slot, emitter, now_ms, err);
    }
    if (rc == SL_OK)
        leave_page(snapshot, slot, emitter->batch);
    return rc;
}

enum sl_rc sl_scylla_snapshot_emit(struct sl_scylla_snapshot *snapshot, struct sl_scylla_emitter *emitter,
                                   int64_t now_ms, bool *ret_full, struct sl_error *err)
{
    for (uint32_t i = 0; i < snapshot->n_slots && !*ret_full; i++) {
        struct sl_scylla_snapshot_slot *slot = &snapshot->slots[i];
        enum sl_rc rc = slot->answer ? emit_page(snapshot, slot, emitter, now_ms, ret_full, err) : SL_OK;

        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}
