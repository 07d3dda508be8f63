/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store against a model that keeps every write and looks for the winner each time it is asked. Histories
 * come from seeds; SLUICE_SEED=n runs that one alone, SLUICE_HISTORIES=n that many.
 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_WRITES = 60, N_ROWS = 4, N_PATHS = 3, TIMES = 8 };

enum kind {
    WRITE_CELL,
    DELETE_CELL,
    ELEMENT,
    DELETE_ELEMENT,
    CLEAR_MAP,
    MARKER,
    DELETE_ROW,
    DELETE_RANGE,
    DELETE_PARTITION,
    N_KINDS
};

/* One thing that one statement does to one place. */
struct write {
    enum kind kind;
    int32_t ck;
    int32_t last_ck; /* of a range */
    bool first_inclusive, last_inclusive;
    int column; /* 0: v, 1: w, 2: the static s */
    int32_t path;
    char value[8];
    int64_t us;
    int32_t ttl_s;
    int64_t expiry_s;
};

struct history {
    uint64_t random;
    uint32_t n;
    struct write writes[MAX_WRITES];
};

static const char *const columns[] = {"v", "w", "s"};

static uint32_t draw(struct history *history, uint32_t below)
{
    history->random = history->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(history->random >> 33) % below;
}

static void make(struct history *history, uint64_t seed)
{
    static const int32_t ttls[] = {0, 0, 0, 20, 40};

    history->random = seed * 2654435761u + 1;
    history->n = 10 + draw(history, MAX_WRITES - 10);
    for (uint32_t i = 0; i < history->n; i++) {
        struct write *write = &history->writes[i];

        *write = (struct write){.kind = (enum kind)draw(history, N_KINDS),
                                .ck = (int32_t)draw(history, N_ROWS),
                                .column = (int)draw(history, 3),
                                .path = (int32_t)draw(history, N_PATHS),
                                .us = 1 + draw(history, TIMES),
                                .ttl_s = ttls[draw(history, 5)]};
        write->last_ck = write->ck + (int32_t)draw(history, N_ROWS);
        write->first_inclusive = draw(history, 2);
        write->last_inclusive = draw(history, 2);
        /* Rare enough that something is left. */
        if (write->kind >= DELETE_ROW && draw(history, 3) != 0)
            write->kind = MARKER;
        snprintf(write->value, sizeof(write->value), "%c", 'a' + (int)draw(history, 4));
        write->expiry_s = write->ttl_s > 0 ? START_S + write->ttl_s : 0;
    }
}

/* --- what the store is told --- */

static void tell(struct world *world, struct change *change, const struct write *write)
{
    int32_t first = write->ck;
    int32_t last = write->last_ck;
    bool whole = write->kind >= DELETE_RANGE;

    change_begin(change, world, 1);
    if (write->column == 2 && write->kind <= DELETE_CELL)
        change_static(change);
    else if (!whole)
        change_row(change, write->ck);
    switch (write->kind) {
    case WRITE_CELL:
        change_cell(change, columns[write->column], world_text(world, write->value), write->us, write->ttl_s);
        break;
    case DELETE_CELL: change_dead(change, columns[write->column], write->us); break;
    case ELEMENT:
        change_element(change, "m", world_int(world, write->path), world_text(world, write->value), write->us,
                       write->ttl_s);
        break;
    case DELETE_ELEMENT: change_dead_element(change, "m", world_int(world, write->path), write->us); break;
    case CLEAR_MAP: change_collection(change, "m", write->us); break;
    case MARKER: change_marker(change, write->us, write->ttl_s); break;
    case DELETE_ROW: change_delete_row(change, write->us); break;
    case DELETE_RANGE:
        change_delete_range(change, &first, write->first_inclusive, &last, write->last_inclusive, write->us);
        break;
    case DELETE_PARTITION:
    case N_KINDS: change_delete_partition(change, write->us); break;
    }
}

/* In the order of a permutation, some of them together in one batch. */
static void tell_all(struct world *world, struct history *history)
{
    static struct change changes[MAX_WRITES];
    struct change *batch[MAX_WRITES];
    uint32_t order[MAX_WRITES];

    for (uint32_t i = 0; i < history->n; i++)
        order[i] = i;
    for (uint32_t i = history->n; i-- > 1;) {
        uint32_t k = draw(history, i + 1);
        uint32_t swapped = order[i];

        order[i] = order[k];
        order[k] = swapped;
    }
    for (uint32_t i = 0; i < history->n;) {
        uint32_t n = 1 + draw(history, 4);
        uint32_t filled = 0;

        for (; filled < n && i < history->n; filled++, i++) {
            tell(world, &changes[filled], &history->writes[order[i]]);
            batch[filled] = &changes[filled];
        }
        changes_apply(world, batch, filled);
    }
}

/* --- what the model says --- */

static bool same_place(const struct write *a, const struct write *b)
{
    bool cells = a->kind <= DELETE_CELL && b->kind <= DELETE_CELL;
    bool elements = (a->kind == ELEMENT || a->kind == DELETE_ELEMENT) &&
                    (b->kind == ELEMENT || b->kind == DELETE_ELEMENT);

    if (cells)
        return a->column == b->column && (a->column == 2 || a->ck == b->ck);
    if (elements)
        return a->ck == b->ck && a->path == b->path;
    return a->kind == MARKER && b->kind == MARKER && a->ck == b->ck;
}

static bool beats(const struct write *a, const struct write *b)
{
    bool a_dead = a->kind == DELETE_CELL || a->kind == DELETE_ELEMENT;
    bool b_dead = b->kind == DELETE_CELL || b->kind == DELETE_ELEMENT;

    if (a->us != b->us)
        return a->us > b->us;
    if (a_dead != b_dead)
        return a_dead;
    if (a->expiry_s != b->expiry_s)
        return a->expiry_s > b->expiry_s; /* 0, no expiry, loses to each */
    return strcmp(a->value, b->value) > 0;
}

static bool in_range(const struct write *range, int32_t ck)
{
    bool from = range->first_inclusive ? ck >= range->ck : ck > range->ck;
    bool to = range->last_inclusive ? ck <= range->last_ck : ck < range->last_ck;

    return from && to;
}

/* What covers a row (ck < 0: the static one). */
static int64_t deleted_us(const struct history *history, int32_t ck)
{
    int64_t us = 0;

    for (uint32_t i = 0; i < history->n; i++) {
        const struct write *write = &history->writes[i];
        bool covers = write->kind == DELETE_PARTITION ||
                      (ck >= 0 && ((write->kind == DELETE_ROW && write->ck == ck) ||
                                   (write->kind == DELETE_RANGE && in_range(write, ck))));

        if (covers && write->us > us)
            us = write->us;
    }
    return us;
}

static int64_t cleared_us(const struct history *history, int32_t ck)
{
    int64_t us = 0;

    for (uint32_t i = 0; i < history->n; i++) {
        if (history->writes[i].kind == CLEAR_MAP && history->writes[i].ck == ck && history->writes[i].us > us)
            us = history->writes[i].us;
    }
    return us;
}

/* The winner at a place, when it is alive. */
static const struct write *winner(const struct history *history, const struct write *place,
                                  int64_t covered_us, int64_t now_s)
{
    const struct write *best = NULL;

    for (uint32_t i = 0; i < history->n; i++) {
        if (same_place(place, &history->writes[i]) && (best == NULL || beats(&history->writes[i], best)))
            best = &history->writes[i];
    }
    if (best == NULL || best->us <= covered_us || best->kind == DELETE_CELL || best->kind == DELETE_ELEMENT ||
        (best->ttl_s > 0 && best->expiry_s <= now_s))
        return NULL;
    return best;
}

static const char *cell_text(struct sy_arena *arena, const struct write *write)
{
    if (write->ttl_s > 0)
        return sy_arena_format(arena, "'%s'@%d/%d", write->value, (int)write->us, write->ttl_s);
    return sy_arena_format(arena, "'%s'@%d", write->value, (int)write->us);
}

static const char *expected_map(const struct history *history, int32_t ck, int64_t now_s,
                                struct sy_arena *arena)
{
    int64_t covered = deleted_us(history, ck);
    const char *text = "";

    if (cleared_us(history, ck) > covered)
        covered = cleared_us(history, ck);
    for (int32_t path = 0; path < N_PATHS; path++) {
        struct write place = {.kind = ELEMENT, .ck = ck, .path = path};
        const struct write *best = winner(history, &place, covered, now_s);

        if (best != NULL)
            text = sy_arena_format(arena, "%s%s%d: %s", text, *text != '\0' ? ", " : "", path,
                                   cell_text(arena, best));
    }
    return text;
}

static const char *expected_cell(const struct history *history, int32_t ck, int column, int64_t now_s,
                                 struct sy_arena *arena)
{
    struct write place = {.kind = WRITE_CELL, .ck = ck, .column = column};
    const struct write *best = winner(history, &place, deleted_us(history, column == 2 ? -1 : ck), now_s);

    return best != NULL ? sy_arena_format(arena, " %s=%s", columns[column], cell_text(arena, best)) : "";
}

/* A row's line, "" when it is not alive. */
static const char *expected_row(const struct history *history, int32_t ck, int64_t now_s,
                                struct sy_arena *arena)
{
    struct write place = {.kind = MARKER, .ck = ck};
    const struct write *marker = winner(history, &place, deleted_us(history, ck), now_s);
    const char *fixed = expected_cell(history, ck, 2, now_s, arena);
    const char *v = expected_cell(history, ck, 0, now_s, arena);
    const char *w = expected_cell(history, ck, 1, now_s, arena);
    const char *map = expected_map(history, ck, now_s, arena);
    const char *head = "";

    if (marker == NULL && *v == '\0' && *w == '\0' && *map == '\0')
        return "";
    if (marker != NULL && marker->ttl_s > 0)
        head = sy_arena_format(arena, " row@%d/%d", (int)marker->us, marker->ttl_s);
    else if (marker != NULL)
        head = sy_arena_format(arena, " row@%d", (int)marker->us);
    if (*map != '\0')
        map = sy_arena_format(arena, " m={%s}", map);
    return sy_arena_format(arena, "1|%d%s%s%s%s%s\n", ck, head, fixed, map, v, w);
}

static const char *expected(const struct history *history, int64_t now_s, struct sy_arena *arena)
{
    const char *text = "";

    for (int32_t ck = 0; ck < N_ROWS; ck++)
        text = sy_arena_format(arena, "%s%s", text, expected_row(history, ck, now_s, arena));
    if (*text == '\0' && *expected_cell(history, 0, 2, now_s, arena) != '\0')
        text = sy_arena_format(arena, "1 (static)%s\n", expected_cell(history, 0, 2, now_s, arena));
    return text;
}

/* --- the comparison --- */

static void check(struct world *world, struct history *history, uint64_t seed, int64_t now_s)
{
    const char *want = expected(history, now_s, &world->arena);
    const char *have = world_dump(world);

    if (strcmp(want, have) != 0)
        fail_msg("seed %llu at +%d s\nexpected:\n%sstore:\n%s", (unsigned long long)seed,
                 (int)(now_s - START_S), want, have);
}

static void run_history(uint64_t seed)
{
    static struct history history;
    struct world world;

    make(&history, seed);
    world_open(&world, NULL);
    world_keyspace(&world, 0);
    world_table(&world, "pk int p, ck int c, s text s, v text r, w text r, m map<int,text> r", NULL);
    tell_all(&world, &history);
    check(&world, &history, seed, START_S);
    sy_server_advance_us(world.server, 20 * 1000000LL);
    check(&world, &history, seed, START_S + 20);
    sy_server_advance_us(world.server, 20 * 1000000LL);
    check(&world, &history, seed, START_S + 40);
    world_close(&world);
}

static void any_order_of_arrival_ends_as_the_model_says(void **state)
{
    const char *one = getenv("SLUICE_SEED");
    const char *many = getenv("SLUICE_HISTORIES");
    uint64_t n = many != NULL ? strtoull(many, NULL, 10) : 2000;

    (void)state;
    if (one != NULL) {
        run_history(strtoull(one, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= n; seed++)
        run_history(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_arrival_ends_as_the_model_says),
    };

    return cmocka_run_group_tests_name("sim/scylla/storage/property", tests, NULL, NULL);
}
