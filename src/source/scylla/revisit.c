/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/revisit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

enum {
    UNDER_WAY_MAX = 128,       /* rows asked for at a time */
    LOOK_EVERY_US = 50 * 1000, /* at the notes */
    NOTES_PAGE = 512,
    DONE_KEPT = 512, /* as many as may be done while a batch is on its way, and more */
    DONE_US = 2 * 1000 * 1000,
    PREPARE_US = 10 * 1000 * 1000,
    EMIT_ROWS_MAX = 2000, /* of one partition, into one batch */
};

/* What reads one table's rows: two statements, and the shape of what they give. */
struct base_table {
    struct sl_cql_statement *row, *partition;
    const struct sl_scylla_table *table; /* that they were made for */
    struct sl_scylla_shape *shape;
};

/* A note that is being worked off. */
struct item {
    struct sl_scylla_ask ask;
    struct sl_scylla_revisits *revisits;
    struct sl_buf note;        /* its key */
    struct sl_revisit revisit; /* points into note */
    uint32_t table;
    int64_t read_us; /* wall clock, when it was asked */
    struct sl_cql_answer *answer;
    struct sl_buf paging_state;
    bool waits_to_ask; /* the next page, or the same again after a failure */
};

struct done_note {
    uint64_t hash;
    int64_t at_us; /* wall clock */
};

struct sl_scylla_revisits {
    struct sl_scylla_revisit_place place;
    struct done_note done[DONE_KEPT];
    uint32_t next_done;
    int64_t now_us; /* of the last look; wall clock */
    struct base_table *bases;
    struct item **items;
    uint32_t n_items, items_capacity;
    uint32_t n_answers;
    int64_t next_look_us;
    struct sl_cql_values values;
    struct sl_cql_cell *cells;
    uint32_t cells_capacity;
    uint32_t n_before; /* items before the look at hand */
    struct sl_buf row_key;
    struct sl_buf last_note; /* of the page of notes at hand: the next page begins behind it */
    uint32_t n_notes;        /* of that page */
};

struct sl_scylla_revisits *sl_scylla_revisits_new(const struct sl_scylla_revisit_place *place)
{
    struct sl_scylla_revisits *revisits = sl_zalloc(1, sizeof(*revisits));

    revisits->place = *place;
    revisits->bases = sl_zalloc(place->n_tables, sizeof(*revisits->bases));
    return revisits;
}

static void free_item(struct item *item)
{
    sl_cql_answer_free(item->answer);
    sl_buf_done(&item->note);
    sl_buf_done(&item->paging_state);
    sl_free(item);
}

static void forget_base(struct base_table *base)
{
    sl_cql_statement_free(base->row);
    sl_cql_statement_free(base->partition);
    sl_scylla_shape_free(base->shape);
    *base = (struct base_table){0};
}

void sl_scylla_revisits_free(struct sl_scylla_revisits *revisits)
{
    if (!revisits)
        return;
    for (uint32_t i = 0; i < revisits->n_items; i++)
        free_item(revisits->items[i]);
    for (uint32_t i = 0; i < revisits->place.n_tables; i++)
        forget_base(&revisits->bases[i]);
    sl_buf_done(&revisits->row_key);
    sl_buf_done(&revisits->last_note);
    sl_cql_values_done(&revisits->values);
    sl_free(revisits->cells);
    sl_free(revisits->items);
    sl_free(revisits->bases);
    sl_free(revisits);
}

/* ---- statements ---- */

static void put_name(struct sl_buf *out, const char *name)
{
    sl_buf_u8(out, '"');
    for (; *name; name++) {
        if (*name == '"')
            sl_buf_u8(out, '"');
        sl_buf_u8(out, (uint8_t)*name);
    }
    sl_buf_u8(out, '"');
}

static enum sl_rc prepare_one(struct sl_scylla_revisits *revisits, const struct sl_scylla_table *table,
                              uint32_t n_keys, struct sl_cql_statement **ret, struct sl_error *err)
{
    struct sl_buf text = {0};
    enum sl_rc rc;

    sl_buf_text(&text, "SELECT * FROM ");
    put_name(&text, table->keyspace);
    sl_buf_u8(&text, '.');
    put_name(&text, table->name);
    for (uint32_t i = 0; i < n_keys; i++) {
        sl_buf_text(&text, i ? " AND " : " WHERE ");
        put_name(&text, table->columns[i].name);
        sl_buf_text(&text, " = ?");
    }
    rc = sl_cql_prepare(revisits->place.cql, sl_buf_cstr(&text), sl_now_us() + PREPARE_US, ret, err);
    sl_buf_done(&text);
    return rc;
}

/* Ready the statements; made anew when the table was altered. */
static enum sl_rc ready_base(struct sl_scylla_revisits *revisits, uint32_t number, struct sl_error *err)
{
    const struct sl_scylla_table *table = revisits->place.tables[number]->table;
    struct base_table *base = &revisits->bases[number];
    enum sl_rc rc;

    if (base->table == table)
        return SL_OK;
    forget_base(base);
    rc = prepare_one(revisits, table, table->n_partition + table->n_clustering, &base->row, err);
    if (rc == SL_OK && table->n_clustering)
        rc = prepare_one(revisits, table, table->n_partition, &base->partition, err);
    if (rc)
        forget_base(base);
    else
        base->table = table;
    return rc;
}

/* ---- keys: [bytes] of CQL, one after another ---- */

static uint32_t n_keys(const struct sl_revisit *revisit, const struct sl_scylla_table *table)
{
    return revisit->scope == SL_REVISIT_PARTITION ? table->n_partition
                                                  : table->n_partition + table->n_clustering;
}

/* The partition key's part of a key. */
static struct sl_span partition_part(struct sl_span key, uint32_t n_partition)
{
    struct sl_span rest = key;
    struct sl_cql_cell cell;

    for (uint32_t i = 0; i < n_partition; i++) {
        if (!sl_revisit_next_cell(&rest, &cell))
            return key;
    }
    return (struct sl_span){key.ptr, key.len - rest.len};
}

/* The token of the partition key, for a request that goes to a replica at once. */
static int64_t token_of(struct sl_span key, uint32_t n_partition)
{
    struct sl_cql_cell cells[32];
    uint32_t n = n_partition < 32 ? n_partition : 32;

    for (uint32_t i = 0; i < n; i++) {
        if (!sl_revisit_next_cell(&key, &cells[i]))
            return 0;
    }
    return sl_cql_token(cells, n);
}

/* ---- asking ---- */

static void answered(struct sl_scylla_ask *ask, struct sl_cql_answer *answer)
{
    struct item *item = (struct item *)ask;
    struct sl_scylla_revisits *revisits = item->revisits;

    if (answer->rc) {
        sl_scylla_reader_failed(revisits->place.reader, revisits->place.tables[item->table]->table,
                                &answer->err);
        sl_cql_answer_free(answer);
        item->waits_to_ask = true;
        return;
    }
    item->answer = answer;
    revisits->n_answers++;
}

static enum sl_rc send(struct sl_scylla_revisits *revisits, struct item *item, int64_t now_us,
                       struct sl_error *err)
{
    const struct sl_scylla_table *table = revisits->place.tables[item->table]->table;
    struct base_table *base = &revisits->bases[item->table];
    struct sl_span rest = item->revisit.key;
    struct sl_cql_cell cell;
    struct sl_cql_request request = {
        .values = &revisits->values,
        .consistency = revisits->place.config->consistency,
        .page_rows = EMIT_ROWS_MAX,
        .paging_state = {item->paging_state.data, item->paging_state.len},
        .has_token = true,
        .token = token_of(item->revisit.key, table->n_partition),
        .keyspace = table->keyspace,
        .table = table->name,
    };
    enum sl_rc rc = ready_base(revisits, item->table, err);

    if (rc)
        return rc;
    request.statement = item->revisit.scope == SL_REVISIT_PARTITION ? base->partition : base->row;
    sl_cql_values_reset(&revisits->values);
    for (uint32_t i = 0; i < n_keys(&item->revisit, table) && sl_revisit_next_cell(&rest, &cell); i++)
        sl_cql_bind_cell(&revisits->values, cell);
    item->waits_to_ask = false;
    item->read_us = now_us;
    item->ask.answered = answered;
    sl_scylla_reader_ask(revisits->place.reader, &request, &item->ask);
    return SL_OK;
}

static enum sl_rc send_waiting(struct sl_scylla_revisits *revisits, int64_t now_us, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    for (uint32_t i = 0; i < revisits->n_items && rc == SL_OK; i++) {
        if (revisits->items[i]->waits_to_ask && sl_scylla_reader_has_room(revisits->place.reader))
            rc = send(revisits, revisits->items[i], now_us, err);
    }
    return rc;
}

/* ---- notes ---- */

/* The table of a revisit; -1: one that this connector reads no more. */
static int find_table(const struct sl_scylla_revisits *revisits, struct sl_span name)
{
    for (uint32_t i = 0; i < revisits->place.n_tables; i++) {
        const struct sl_scylla_table *table = revisits->place.tables[i]->table;
        size_t keyspace = strlen(table->keyspace);

        if (name.len == keyspace + 1 + strlen(table->name) &&
            memcmp(name.ptr, table->keyspace, keyspace) == 0 &&
            memcmp(name.ptr + keyspace + 1, table->name, name.len - keyspace - 1) == 0)
            return (int)i;
    }
    return -1;
}

static bool same_bytes(struct sl_span a, struct sl_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/*
 * Is the row, or the partition that it lies in, being read? Then the note waits: of two reads under way the
 * older one could be written last, and say again what has expired meanwhile.
 */
static bool is_under_way(const struct sl_scylla_revisits *revisits, uint32_t table,
                         const struct sl_revisit *revisit)
{
    uint32_t n_partition = revisits->place.tables[table]->table->n_partition;
    struct sl_span partition = partition_part(revisit->key, n_partition);

    for (uint32_t i = 0; i < revisits->n_items; i++) {
        const struct item *item = revisits->items[i];

        if (item->table != table || !same_bytes(partition_part(item->revisit.key, n_partition), partition))
            continue;
        if (item->revisit.scope == SL_REVISIT_PARTITION || revisit->scope == SL_REVISIT_PARTITION ||
            same_bytes(item->revisit.key, revisit->key))
            return true;
    }
    return false;
}

/* Its note goes with a batch that may still be on its way into the log. */
static bool was_just_done(const struct sl_scylla_revisits *revisits, struct sl_span key)
{
    uint64_t hash = sl_hash_bytes(key.ptr, key.len, 0);

    for (uint32_t i = 0; i < DONE_KEPT; i++) {
        if (revisits->done[i].hash == hash && revisits->now_us - revisits->done[i].at_us < DONE_US)
            return true;
    }
    return false;
}

static void note_done(struct sl_scylla_revisits *revisits, struct sl_span key)
{
    revisits->done[revisits->next_done++ % DONE_KEPT] =
        (struct done_note){.hash = sl_hash_bytes(key.ptr, key.len, 0), .at_us = revisits->now_us};
}

/* Has the key as many values as the table's key has columns? After another table took the name it may not. */
static bool fits(const struct sl_revisit *revisit, const struct sl_scylla_table *table)
{
    uint32_t want = n_keys(revisit, table);
    struct sl_span rest = revisit->key;
    struct sl_cql_cell cell;

    for (uint32_t i = 0; i < want; i++) {
        if (!sl_revisit_next_cell(&rest, &cell) || cell.len < 0)
            return false;
    }
    return rest.len == 0 && (revisit->scope != SL_REVISIT_PARTITION || table->n_clustering);
}

static void take_note(void *ctx, const struct sl_note *note)
{
    struct sl_scylla_revisits *revisits = ctx;
    struct sl_revisit revisit;
    struct item *item;
    int table;

    revisits->n_notes++;
    sl_buf_reset(&revisits->last_note);
    sl_buf_put(&revisits->last_note, note->key.ptr, note->key.len);
    sl_buf_u8(&revisits->last_note, 0);
    if (revisits->n_items >= UNDER_WAY_MAX || !sl_revisit_read(note->key, &revisit))
        return;
    table = find_table(revisits, revisit.table);
    if (table < 0 || !fits(&revisit, revisits->place.tables[table]->table) ||
        !revisits->place.is_ours(
            revisits->place.ctx, revisits->place.tables[table]->table,
            partition_part(revisit.key, revisits->place.tables[table]->table->n_partition)) ||
        is_under_way(revisits, (uint32_t)table, &revisit) || was_just_done(revisits, note->key))
        return;
    item = sl_zalloc(1, sizeof(*item));
    item->revisits = revisits;
    item->table = (uint32_t)table;
    item->waits_to_ask = true;
    sl_buf_put(&item->note, note->key.ptr, note->key.len);
    (void)sl_revisit_read((struct sl_span){item->note.data, item->note.len}, &item->revisit);
    SL_GROW(revisits->items, revisits->n_items, revisits->items_capacity);
    revisits->items[revisits->n_items++] = item;
}

/* Go through what is due page by page: other tasks' notes, and those of tables that went, lie between ours.
 */
static enum sl_rc look(struct sl_scylla_revisits *revisits, int64_t now_us, struct sl_error *err)
{
    uint8_t bytes[SL_REVISIT_BOUND_SIZE];
    struct sl_span bound = sl_revisit_bound(now_us, bytes);

    revisits->n_before = revisits->n_items;
    sl_buf_reset(&revisits->last_note);
    sl_buf_put(&revisits->last_note, sl_revisit_from.ptr, sl_revisit_from.len);
    do {
        struct sl_buf from = revisits->last_note;
        enum sl_rc rc;

        revisits->last_note = (struct sl_buf){0};
        revisits->n_notes = 0;
        rc = revisits->place.env->notes(revisits->place.env->ctx, (struct sl_span){from.data, from.len},
                                        bound, NOTES_PAGE, take_note, revisits, err);
        sl_buf_done(&from);
        if (rc)
            return rc;
    } while (revisits->n_notes == NOTES_PAGE && revisits->n_items < UNDER_WAY_MAX);
    if (revisits->n_items == revisits->n_before)
        revisits->next_look_us = now_us + LOOK_EVERY_US;
    return SL_OK;
}

enum sl_rc sl_scylla_revisits_begin(struct sl_scylla_revisits *revisits, int64_t now_us, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    revisits->now_us = now_us;
    if (now_us >= revisits->next_look_us && revisits->n_items < UNDER_WAY_MAX / 2)
        rc = look(revisits, now_us, err);
    return rc ? rc : send_waiting(revisits, now_us, err);
}

/* ---- what was found ---- */

static struct sl_cql_cell *cells_for(struct sl_scylla_revisits *revisits, uint32_t n)
{
    if (n > revisits->cells_capacity) {
        revisits->cells = sl_realloc(revisits->cells, n, sizeof(*revisits->cells));
        revisits->cells_capacity = n;
    }
    return revisits->cells;
}

static void ready_shape(struct sl_scylla_revisits *revisits, struct base_table *base,
                        const struct sl_cql_columns *columns)
{
    if (base->shape && base->shape->columns == columns)
        return;
    sl_scylla_shape_free(base->shape);
    base->shape = sl_scylla_base_shape_new(revisits->place.config, base->table, columns);
}

/* There is no such row: only its key is known. */
static enum sl_rc emit_gone(struct sl_scylla_revisits *revisits, struct sl_scylla_emitter *emitter,
                            const struct item *item, const struct sl_scylla_shape *shape,
                            struct sl_error *err)
{
    struct sl_cql_cell *cells = cells_for(revisits, shape->columns->n);
    struct sl_span rest = item->revisit.key;

    for (uint32_t i = 0; i < shape->columns->n; i++)
        cells[i] = (struct sl_cql_cell){.len = SL_CQL_NULL};
    for (uint32_t i = 0; i < shape->n_partition; i++)
        (void)sl_revisit_next_cell(&rest, &cells[shape->fields[shape->partition[i]].cell]);
    for (uint32_t i = 0; i < shape->n_clustering; i++)
        (void)sl_revisit_next_cell(&rest, &cells[shape->fields[shape->clustering[i]].cell]);
    return sl_scylla_emit_read(emitter, shape, cells, false, SL_SCYLLA_READ_AGAIN, item->read_us, err);
}

/* A partition of which only static columns are left answers with a row without clustering key. */
static bool is_a_row(const struct sl_scylla_shape *shape, const struct sl_cql_cell *cells)
{
    return !shape->n_clustering || cells[shape->fields[shape->clustering[0]].cell].len >= 0;
}

/* The key of a row that was read, as notes have it. */
static struct sl_span key_of(struct sl_scylla_revisits *revisits, const struct sl_scylla_shape *shape,
                             const struct sl_cql_cell *cells)
{
    struct sl_buf *key = &revisits->row_key;

    sl_buf_reset(key);
    for (uint32_t i = 0; i < shape->n_partition + shape->n_clustering; i++) {
        uint32_t field =
            i < shape->n_partition ? shape->partition[i] : shape->clustering[i - shape->n_partition];

        sl_revisit_put_cell(key, cells[shape->fields[field].cell]);
    }
    return (struct sl_span){key->data, key->len};
}

/* May the row be written, or was it changed since it was read? A row that was asked for alone always may. */
static bool may_be_written(struct sl_scylla_revisits *revisits, const struct item *item,
                           const struct sl_scylla_shape *shape, const struct sl_cql_cell *cells,
                           struct sl_batch *batch)
{
    if (!is_a_row(shape, cells))
        return false;
    return item->revisit.scope == SL_REVISIT_ROW ||
           sl_scylla_settle_row_is_fresh(revisits->place.settle, revisits->place.tables[item->table]->table,
                                         key_of(revisits, shape, cells), item->read_us, batch);
}

static enum sl_rc emit_rows(struct sl_scylla_revisits *revisits, struct sl_scylla_emitter *emitter,
                            struct item *item, struct sl_error *err)
{
    struct base_table *base = &revisits->bases[item->table];
    struct sl_cql_rows *rows = &item->answer->rows;
    struct sl_cql_cell *cells;
    uint32_t found = 0;
    bool more = false;
    enum sl_rc rc;

    ready_shape(revisits, base, rows->columns);
    cells = cells_for(revisits, rows->columns->n);
    while ((rc = sl_cql_rows_next(rows, cells, &more, err)) == SL_OK && more) {
        if (!may_be_written(revisits, item, base->shape, cells, emitter->batch))
            continue;
        rc = sl_scylla_emit_read(emitter, base->shape, cells, true, SL_SCYLLA_READ_AGAIN, item->read_us, err);
        if (rc)
            return rc;
        found++;
    }
    if (rc == SL_OK && !found && item->revisit.scope == SL_REVISIT_ROW && !rows->has_more)
        rc = emit_gone(revisits, emitter, item, base->shape, err);
    return rc;
}

/*
 * The rows of a partition of which many were deleted since: they would stand again, and the next read of the
 * partition would not take them away.
 */
static bool is_outdated(const struct sl_scylla_revisits *revisits, const struct item *item)
{
    const struct sl_scylla_table *table = revisits->place.tables[item->table]->table;

    return item->revisit.scope == SL_REVISIT_PARTITION &&
           sl_scylla_settle_was_deleted(revisits->place.settle, item->table,
                                        partition_part(item->revisit.key, table->n_partition), item->read_us);
}

static void drop_item(struct sl_scylla_revisits *revisits, uint32_t index)
{
    free_item(revisits->items[index]);
    revisits->n_items--;
    memmove(&revisits->items[index], &revisits->items[index + 1],
            (revisits->n_items - index) * sizeof(struct item *));
}

/* True: the item is done with. */
static enum sl_rc emit_item(struct sl_scylla_revisits *revisits, struct sl_scylla_emitter *emitter,
                            struct item *item, bool *ret_done, struct sl_error *err)
{
    bool outdated = is_outdated(revisits, item);
    enum sl_rc rc = outdated ? SL_OK : emit_rows(revisits, emitter, item, err);
    struct sl_cql_rows *rows = &item->answer->rows;

    if (rc)
        return rc;
    *ret_done = outdated || !rows->has_more;
    if (!*ret_done) {
        sl_buf_reset(&item->paging_state);
        sl_buf_put(&item->paging_state, rows->paging_state.ptr, rows->paging_state.len);
        item->waits_to_ask = true;
    } else {
        sl_batch_add_note(emitter->batch, (struct sl_span){item->note.data, item->note.len},
                          (struct sl_span){0});
        note_done(revisits, (struct sl_span){item->note.data, item->note.len});
        sl_scylla_settle_was_read(
            revisits->place.settle, item->table, &item->revisit,
            partition_part(item->revisit.key, revisits->place.tables[item->table]->table->n_partition),
            item->read_us, emitter->batch);
    }
    sl_cql_answer_free(item->answer);
    item->answer = NULL;
    revisits->n_answers--;
    return SL_OK;
}

enum sl_rc sl_scylla_revisits_emit(struct sl_scylla_revisits *revisits, struct sl_scylla_emitter *emitter,
                                   struct sl_error *err)
{
    for (uint32_t i = 0; i < revisits->n_items && revisits->n_answers;) {
        bool done = false;
        enum sl_rc rc = SL_OK;

        if (revisits->items[i]->answer)
            rc = emit_item(revisits, emitter, revisits->items[i], &done, err);
        if (rc)
            return rc;
        if (done)
            drop_item(revisits, i);
        else
            i++;
    }
    return SL_OK;
}
