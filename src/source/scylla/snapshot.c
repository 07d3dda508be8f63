/* SPDX-License-Identifier: Apache-2.0 */
#include "source/scylla/snapshot.h"

#include "base/clock.h"
#include "base/log.h"
#include "source/scylla/generations.h"
#include "source/scylla/offset.h"
#include "source/scylla/revisit_note.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RANGES = SL_SCYLLA_SNAPSHOT_RANGES,
    MARGIN_MS = SL_SCYLLA_SNAPSHOT_MARGIN_MS, /* clocks, and writes that were under way just then */
    LOOK_MS = 1000,                           /* between two looks at the notes of other tasks */
    PROGRESS_MS = 10000,                      /* between two lines of progress */
    PREPARE_US = 30000000,
};

static const uint8_t position_key[] = {'s', 1, 'p'}, position_end[] = {'s', 1, 'q'};
static const uint8_t asked_key[] = {'s', 1, 'n'}, asked_end[] = {'s', 1, 'o'};
static const uint8_t range_begin[] = {'s', 1, 'r'}, range_end[] = {'s', 1, 's'};

enum range_state { RANGE_WAITS, RANGE_UNDER_WAY, RANGE_DONE };

struct range {
    enum range_state state;
    bool stored; /* that it is done, durably */
    bool has_token;
    int64_t token; /* the last one that was read whole */
};

/* A table of the snapshot: what its rows look like, and which of its ranges were read. */
struct part {
    struct sl_scylla_log_table *log;
    const struct sl_scylla_table *table; /* that the statement was made for */
    struct sl_cql_statement *statement;
    struct sl_cql_columns columns; /* the table's own; behind them stand the ttls */
    const struct sl_cql_columns *result;
    struct sl_scylla_shape *shape;
    struct range ranges[RANGES];
    uint64_t rows;
};

/* One range that is read page by page. */
struct slot {
    struct sl_scylla_ask ask;
    struct sl_scylla_snapshot *snapshot;
    struct part *part; /* NULL: free */
    uint32_t range;
    bool asked;
    bool outdated; /* of a round before this one: what comes is thrown away */
    struct sl_buf paging_state;
    struct sl_cql_answer *answer; /* NULL: none here */
    int64_t last_token;           /* of the rows so far */
    bool has_last;
};

struct sl_scylla_snapshot {
    struct sl_scylla_snapshot_place place;
    int64_t round;   /* of the last one that was begun; -1: none was */
    int64_t from_ms; /* its position */
    bool known;      /* where the log is read from */
    int64_t asked;   /* the round that this task asked for */
    int64_t begun;   /* task 0: the round whose note is on its way, or was; -1: none in this run */
    bool running;
    int64_t round_ms, look_ms, progress_ms; /* when to look at the notes again, and to tell how far it is */
    struct part *parts;
    struct slot *slots;
    uint32_t n_slots;
    struct sl_cql_cell *cells;
    uint32_t cells_capacity;
    struct sl_buf key;
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

static void drop_answer(struct slot *slot)
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
        drop_answer(&snapshot->slots[i]);
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

/* ---- rounds ---- */

struct round {
    int64_t number; /* -1: none */
    int64_t from_ms;
};

static void copy_text(struct sl_span value, char text[48])
{
    size_t len = value.len < 47 ? value.len : 0;

    if (len)
        memcpy(text, value.ptr, len);
    text[len] = '\0';
}

static void read_position(void *ctx, const struct sl_note *note)
{
    struct round *round = ctx;
    char text[48];
    char *end;

    copy_text(note->value, text);
    if (!text[0])
        return;
    round->from_ms = strtoll(text, &end, 10);
    round->number = *end ? strtoll(end, NULL, 10) : 0;
}

static void read_asked(void *ctx, const struct sl_note *note)
{
    int64_t *asked = ctx;
    char text[48];

    copy_text(note->value, text);
    *asked = strtoll(text, NULL, 10);
}

static void count_position(void *ctx, const char *key, struct sl_span value)
{
    struct sl_scylla_offset offset;
    size_t *n = ctx;

    *n += sl_scylla_offset_parse(key, value, &offset);
}

static void put_text_note(struct sl_batch *batch, struct sl_span key, const char *text)
{
    sl_batch_add_note(batch, key, (struct sl_span){(const uint8_t *)text, strlen(text)});
}

static void begin_round(struct sl_scylla_snapshot *snapshot, int64_t number, int64_t now_ms,
                        struct sl_batch *batch)
{
    char text[48];

    (void)snprintf(text, sizeof(text), "%lld %lld",
                   (long long)(now_ms - snapshot->place.config->confidence_ms - MARGIN_MS),
                   (long long)number);
    put_text_note(batch, (struct sl_span){position_key, sizeof(position_key)}, text);
    snapshot->begun = number;
}

void sl_scylla_snapshot_ask(struct sl_scylla_snapshot *snapshot, struct sl_batch *batch)
{
    char text[24];

    if (snapshot->asked > snapshot->round)
        return;
    snapshot->asked = snapshot->round + 1;
    (void)snprintf(text, sizeof(text), "%lld", (long long)snapshot->asked);
    put_text_note(batch, (struct sl_span){asked_key, sizeof(asked_key)}, text);
}

/* All ranges anew; what is under way for the round before is not wanted any more. */
static void take_up(struct sl_scylla_snapshot *snapshot, const struct round *round)
{
    for (uint32_t i = 0; i < snapshot->n_slots; i++) {
        struct slot *slot = &snapshot->slots[i];

        drop_answer(slot);
        slot->outdated = slot->asked;
        if (!slot->asked)
            slot->part = NULL;
    }
    for (uint32_t i = 0; i < snapshot->place.n_tables; i++) {
        memset(snapshot->parts[i].ranges, 0, sizeof(snapshot->parts[i].ranges));
        snapshot->parts[i].rows = 0;
    }
    snapshot->round = round->number;
    snapshot->from_ms = round->from_ms;
    snapshot->running = true;
    snapshot->look_ms = 0;
}

/* Task 0: the round that is due, -1 for none. found: the last one that was begun. */
static int64_t due_round(const struct sl_scylla_snapshot *snapshot, const struct round *found,
                         size_t n_positions, int64_t asked)
{
    if (snapshot->place.config->snapshot == SL_SCYLLA_SNAPSHOT_ALWAYS)
        return snapshot->begun < 0 ? found->number + 1 : -1;
    if (asked > found->number && asked > snapshot->begun)
        return asked;
    /* Where positions stand and no snapshot was begun, none is taken any more. */
    return found->number < 0 && n_positions == 0 && snapshot->begun < 0 ? 0 : -1;
}

enum sl_rc sl_scylla_snapshot_look(struct sl_scylla_snapshot *snapshot, int64_t now_ms,
                                   struct sl_batch *batch, struct sl_error *err)
{
    const struct sl_source_env *env = snapshot->place.env;
    enum sl_scylla_snapshot_mode mode = snapshot->place.config->snapshot;
    bool may_come = mode == SL_SCYLLA_SNAPSHOT_ALWAYS || mode == SL_SCYLLA_SNAPSHOT_WHEN_NEEDED;
    struct round found = {.number = -1, .from_ms = SL_SCYLLA_NO_TIME};
    size_t n_positions = 0;
    int64_t asked = -1, due;
    enum sl_rc rc;

    if (snapshot->known && (!may_come || now_ms < snapshot->round_ms))
        return SL_OK;
    snapshot->round_ms = now_ms + LOOK_MS;
    rc = env->notes(env->ctx, (struct sl_span){position_key, sizeof(position_key)},
                    (struct sl_span){position_end, sizeof(position_end)}, 1, read_position, &found, err);
    if (rc == SL_OK && mode == SL_SCYLLA_SNAPSHOT_WHEN_NEEDED)
        rc = env->notes(env->ctx, (struct sl_span){asked_key, sizeof(asked_key)},
                        (struct sl_span){asked_end, sizeof(asked_end)}, 1, read_asked, &asked, err);
    if (rc == SL_OK && found.number < 0)
        rc = env->stored_offsets(env->ctx, count_position, &n_positions, err);
    if (rc != SL_OK)
        return rc;
    due = env->task == 0 ? due_round(snapshot, &found, n_positions, asked) : -1;
    if (due >= 0)
        begin_round(snapshot, due, now_ms, batch);
    if (found.number > snapshot->round)
        take_up(snapshot, &found);
    /* A round of this run goes before the one that an earlier run left. */
    snapshot->known = snapshot->known ||
                      (found.number >= snapshot->begun && due < 0 && (found.number >= 0 || n_positions > 0));
    return SL_OK;
}

bool sl_scylla_snapshot_is_known(const struct sl_scylla_snapshot *snapshot)
{
    return snapshot->known;
}

int64_t sl_scylla_snapshot_from_ms(const struct sl_scylla_snapshot *snapshot)
{
    return snapshot->from_ms;
}

bool sl_scylla_snapshot_running(const struct sl_scylla_snapshot *snapshot)
{
    return snapshot->running;
}

/* ---- notes of ranges ---- */

static struct sl_span range_key(struct sl_scylla_snapshot *snapshot, const struct part *part, uint32_t range)
{
    const uint8_t number[] = {(uint8_t)(range >> 8), (uint8_t)range};

    sl_buf_reset(&snapshot->key);
    sl_buf_put(&snapshot->key, range_begin, sizeof(range_begin));
    sl_buf_format(&snapshot->key, "%s.%s", part->log->name.keyspace, part->log->name.table);
    sl_buf_u8(&snapshot->key, 0);
    sl_buf_put(&snapshot->key, number, 2);
    return (struct sl_span){snapshot->key.data, snapshot->key.len};
}

static void read_progress(const struct sl_scylla_snapshot *snapshot, struct range *range,
                          struct sl_span value)
{
    int64_t round = 0;

    if (value.len % 8 == 4) {
        round = sl_cql_load_be32(value.ptr);
        value.ptr += 4;
        value.len -= 4;
    }
    if (round != snapshot->round)
        return;
    if (!value.len) {
        range->state = RANGE_DONE;
        range->stored = true;
    } else if (value.len == 8 && range->state == RANGE_WAITS) {
        range->has_token = true;
        range->token = (int64_t)sl_cql_load_be64(value.ptr);
    }
}

static void read_range(void *ctx, const struct sl_note *note)
{
    struct sl_scylla_snapshot *snapshot = ctx;
    uint32_t number;

    if (note->key.len < sizeof(range_begin) + 4)
        return;
    number = sl_cql_load_be16(note->key.ptr + note->key.len - 2);
    for (uint32_t i = 0; i < snapshot->place.n_tables && number < RANGES; i++) {
        struct range *range = &snapshot->parts[i].ranges[number];
        struct sl_span key = range_key(snapshot, &snapshot->parts[i], number);

        if (key.len != note->key.len || memcmp(key.ptr, note->key.ptr, key.len) != 0)
            continue;
        read_progress(snapshot, range, note->value);
    }
}

/* What was read so far, by all tasks; from time to time, as long as anything is missing. */
static enum sl_rc look(struct sl_scylla_snapshot *snapshot, int64_t now_ms, struct sl_error *err)
{
    const struct sl_source_env *env = snapshot->place.env;
    bool first = !snapshot->look_ms, all = true;
    enum sl_rc rc;

    if (now_ms < snapshot->look_ms)
        return SL_OK;
    snapshot->look_ms = now_ms + LOOK_MS;
    rc = env->notes(env->ctx, (struct sl_span){range_begin, sizeof(range_begin)},
                    (struct sl_span){range_end, sizeof(range_end)}, SIZE_MAX, read_range, snapshot, err);
    for (uint32_t i = 0; i < snapshot->place.n_tables; i++)
        for (uint32_t r = 0; r < RANGES; r++)
            all = all && snapshot->parts[i].ranges[r].stored;
    if (rc == SL_OK && all && snapshot->running) {
        snapshot->running = false;
        if (env->task == 0 && first) /* an earlier run ended before it could say so, or has said so */
            sl_info("the snapshot was complete before this start");
        else if (env->task == 0)
            sl_info("the snapshot is complete");
        if (env->task == 0 && snapshot->place.config->snapshot == SL_SCYLLA_SNAPSHOT_INITIAL_ONLY)
            sl_info("snapshot.mode=initial_only: nothing more is read");
    }
    return rc;
}

static void store_range(struct sl_scylla_snapshot *snapshot, const struct slot *slot, bool done,
                        struct sl_batch *batch)
{
    uint32_t round = __builtin_bswap32((uint32_t)snapshot->round);
    uint64_t token = __builtin_bswap64((uint64_t)slot->last_token);
    uint8_t value[12];

    if (!done && !slot->has_last)
        return;
    memcpy(value, &round, 4);
    memcpy(value + 4, &token, 8);
    sl_batch_add_note(batch, range_key(snapshot, slot->part, slot->range),
                      (struct sl_span){value, done ? 4 : 12});
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
static bool is_in_use(const struct sl_scylla_snapshot *snapshot, const struct part *part)
{
    for (uint32_t i = 0; i < snapshot->n_slots; i++)
        if (snapshot->slots[i].part == part && (snapshot->slots[i].asked || snapshot->slots[i].answer))
            return true;
    return false;
}

static enum sl_rc prepare(struct sl_scylla_snapshot *snapshot, struct part *part, struct sl_error *err)
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

static void ask(struct sl_scylla_snapshot *snapshot, struct slot *slot)
{
    const struct sl_scylla_config *config = snapshot->place.config;
    const struct range *range = &slot->part->ranges[slot->range];
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
static void failed(struct slot *slot, const struct sl_error *err)
{
    struct part *part = slot->part;

    sl_buf_reset(&slot->paging_state);
    if (slot->has_last) {
        part->ranges[slot->range].has_token = true;
        part->ranges[slot->range].token = slot->last_token;
    }
    part->ranges[slot->range].state = RANGE_WAITS;
    slot->part = NULL;
    if (err->kind != SL_KIND_TRANSIENT && (part->log->stale || part->table != part->log->table))
        return;
    sl_scylla_reader_failed(slot->snapshot->place.reader, part->table, err);
}

static void answered(struct sl_scylla_ask *asked, struct sl_cql_answer *answer)
{
    struct slot *slot = (struct slot *)asked;

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
static bool take_range(struct sl_scylla_snapshot *snapshot, struct slot *slot)
{
    uint32_t tasks = snapshot->place.config->n_tasks;

    for (uint32_t i = 0; i < snapshot->place.n_tables; i++)
        for (uint32_t r = 0; r < RANGES; r++) {
            struct range *range = &snapshot->parts[i].ranges[r];

            if (range->state != RANGE_WAITS || r % tasks != (uint32_t)snapshot->place.env->task)
                continue;
            range->state = RANGE_UNDER_WAY;
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
            const struct part *part = &snapshot->parts[i];
            uint32_t done = 0;

            for (uint32_t r = 0; r < RANGES; r++)
                done += part->ranges[r].state == RANGE_DONE;
            if (done < RANGES)
                sl_info("snapshot under way", SL_T("table", part->log->name.table), SL_I("rows", part->rows),
                        SL_I("percent", done * 100 / RANGES));
        }
    snapshot->progress_ms = now_ms + PROGRESS_MS;
}

enum sl_rc sl_scylla_snapshot_begin(struct sl_scylla_snapshot *snapshot, int64_t now_ms, struct sl_error *err)
{
    enum sl_rc rc = snapshot->running ? look(snapshot, now_ms, err) : SL_OK;

    if (rc == SL_OK && snapshot->running)
        tell_progress(snapshot, now_ms);
    for (uint32_t i = 0; i < snapshot->n_slots && snapshot->running && rc == SL_OK; i++) {
        struct slot *slot = &snapshot->slots[i];

        if (!sl_scylla_reader_has_room(snapshot->place.reader) ||
            snapshot->place.reader->held_bytes >= snapshot->place.reader->bytes_max)
            break;
        if (slot->asked || slot->answer || (!slot->part && !take_range(snapshot, slot)))
            continue;
        rc = prepare(snapshot, slot->part, err);
        if (rc == SL_OK) {
            ask(snapshot, slot);
        } else { /* another slot, or this one, will take it */
            slot->part->ranges[slot->range].state = RANGE_WAITS;
            slot->part = NULL;
        }
    }
    return rc;
}

/* ---- rows ---- */

static void make_shape(struct sl_scylla_snapshot *snapshot, struct part *part,
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
static void ask_again(const struct part *part, const struct sl_cql_cell *cells, bool whole_partition,
                      int64_t due_us, struct sl_batch *batch)
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
static void note_ttls(const struct part *part, const struct sl_cql_cell *cells, int64_t now_ms,
                      struct sl_batch *batch)
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

static bool is_whole(const struct part *part, const struct sl_cql_cell *cells)
{
    for (uint32_t i = 0; i < part->table->n_clustering; i++)
        if (cells[part->table->n_partition + i].len < 0)
            return false; /* a partition that has nothing but static columns */
    return true;
}

static enum sl_rc emit_row(struct sl_scylla_snapshot *snapshot, struct slot *slot,
                           struct sl_scylla_emitter *emitter, int64_t now_ms, struct sl_error *err)
{
    struct part *part = slot->part;
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
static void leave_page(struct sl_scylla_snapshot *snapshot, struct slot *slot, struct sl_batch *batch)
{
    bool done = !slot->answer->rows.has_more;

    sl_buf_reset(&slot->paging_state);
    sl_buf_put(&slot->paging_state, slot->answer->rows.paging_state.ptr, slot->answer->rows.paging_state.len);
    drop_answer(slot);
    store_range(snapshot, slot, done, batch);
    if (done) {
        slot->part->ranges[slot->range].state = RANGE_DONE;
        slot->part = NULL;
    }
}

static enum sl_rc emit_page(struct sl_scylla_snapshot *snapshot, struct slot *slot,
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
            store_range(snapshot, slot, false, emitter->batch);
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
        struct slot *slot = &snapshot->slots[i];
        enum sl_rc rc = slot->answer ? emit_page(snapshot, slot, emitter, now_ms, ret_full, err) : SL_OK;

        if (rc != SL_OK)
            return rc;
    }
    return SL_OK;
}
