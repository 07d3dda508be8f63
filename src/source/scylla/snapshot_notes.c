/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tasks of a connector tell each other of a snapshot, as notes beside their positions: which round
 * was asked for and begun, from which position, and how far each range was read.
 */
#include "source/scylla/snapshot_inside.h"

#include "base/log.h"
#include "source/scylla/generations.h"
#include "source/scylla/offset.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RANGES = SL_SCYLLA_SNAPSHOT_RANGES,
    MARGIN_MS = SL_SCYLLA_SNAPSHOT_MARGIN_MS, /* clocks, and writes that were under way just then */
    LOOK_MS = 1000,                           /* between two looks at the notes of other tasks */
};

static const uint8_t position_key[] = {'s', 1, 'p'}, position_end[] = {'s', 1, 'q'};
static const uint8_t asked_key[] = {'s', 1, 'n'}, asked_end[] = {'s', 1, 'o'};
static const uint8_t range_begin[] = {'s', 1, 'r'}, range_end[] = {'s', 1, 's'};

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
        struct sl_scylla_snapshot_slot *slot = &snapshot->slots[i];

        sl_scylla_snapshot_drop_answer(slot);
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

static struct sl_span range_key(struct sl_scylla_snapshot *snapshot,
                                const struct sl_scylla_snapshot_part *part, uint32_t range)
{
    const uint8_t number[] = {(uint8_t)(range >> 8), (uint8_t)range};

    sl_buf_reset(&snapshot->key);
    sl_buf_put(&snapshot->key, range_begin, sizeof(range_begin));
    sl_buf_format(&snapshot->key, "%s.%s", part->log->name.keyspace, part->log->name.table);
    sl_buf_u8(&snapshot->key, 0);
    sl_buf_put(&snapshot->key, number, 2);
    return (struct sl_span){snapshot->key.data, snapshot->key.len};
}

static void read_progress(const struct sl_scylla_snapshot *snapshot, struct sl_scylla_snapshot_range *range,
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
        range->state = SL_SCYLLA_RANGE_DONE;
        range->stored = true;
    } else if (value.len == 8 && range->state == SL_SCYLLA_RANGE_WAITS) {
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
        struct sl_scylla_snapshot_range *range = &snapshot->parts[i].ranges[number];
        struct sl_span key = range_key(snapshot, &snapshot->parts[i], number);

        if (key.len != note->key.len || memcmp(key.ptr, note->key.ptr, key.len) != 0)
            continue;
        read_progress(snapshot, range, note->value);
    }
}

enum sl_rc sl_scylla_snapshot_look_at_ranges(struct sl_scylla_snapshot *snapshot, int64_t now_ms,
                                             struct sl_error *err)
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

void sl_scylla_snapshot_store_range(struct sl_scylla_snapshot *snapshot,
                                    const struct sl_scylla_snapshot_slot *slot, bool done,
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
