/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include "scalars.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTITIONS = 5,
    TEXT_SIZE = 8192,
    EQUAL_KEPT = 8,
    LOG_TTL_S = 600,
    LONG_TTL_S = 864000, /* still alive when the history is over */
};

struct history {
    struct history_options options;
    struct history_table table;
    uint64_t random;
    uint32_t statements; /* that were given out */
    uint32_t setup;
    bool pause_due;
    uint32_t next_register;
    uint32_t equal[EQUAL_KEPT]; /* registers of late statements, to be used again */
    uint32_t n_equal;
    char text[TEXT_SIZE];
    size_t len;
    unsigned traits;
    unsigned partitions; /* a bit for each that a statement named */
};

static const char *const trait_names[HISTORY_TRAITS] = {
    "insert",       "update",
    "cell delete",  "row delete",
    "range delete", "partition delete",
    "batch",        "LWT",
    "static",       "map",
    "set",          "list",
    "UDT",          "frozen",
    "TTL",          "null value",
    "jitter",       "late",
    "equal time",   "many partitions",
    "scalar",
};

const char *history_trait_name(int n)
{
    return trait_names[n];
}

/* splitmix64: small, fast, the same everywhere. */
static uint64_t draw(struct history *h)
{
    uint64_t z = h->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t below(struct history *h, uint32_t n)
{
    return (uint32_t)(draw(h) % n);
}

static bool chance(struct history *h, uint32_t percent)
{
    return below(h, 100) < percent;
}

__attribute__((format(printf, 2, 3))) static void add(struct history *h, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(h->text + h->len, TEXT_SIZE - h->len, format, args);
    va_end(args);
    if (n > 0)
        h->len += (size_t)n < TEXT_SIZE - h->len ? (size_t)n : TEXT_SIZE - h->len - 1;
}

/* ---- the table ---- */

static void choose_table(struct history *h)
{
    struct history_table *t = &h->table;

    (void)snprintf(t->keyspace, sizeof(t->keyspace), "%s", h->options.keyspace ? h->options.keyspace : "h");
    (void)snprintf(t->name, sizeof(t->name), "t%" PRIu64, h->options.seed);
    t->clustering = chance(h, 65);
    t->descending = t->clustering && chance(h, 30);
    t->statics = t->clustering && chance(h, 50);
    t->collections = chance(h, 60);
    t->udt = t->collections && chance(h, 50);
    t->tablets = chance(h, 30);
    if (h->options.tablets)
        t->tablets = h->options.tablets == 2;
    t->images = (chance(h, 50) ? IMAGES_POST : 0);
    t->images |= (int)below(h, 3); /* none, pre, full */
    t->default_ttl_s = chance(h, 8) ? h->options.ttl_max_s : 0;
    t->scalar = h->options.scalars ? (int)below(h, SCALARS) : -1;
    t->row_ttl = h->options.scalars && !t->default_ttl_s && chance(h, 15);
    if (t->row_ttl)
        t->scalar = SCALAR_TIMESTAMP;
    /* Shorter than a history, longer than any reader is behind: generations end whose positions are not
     * needed. */
    t->log_ttl_s = h->options.scalars && chance(h, 15) ? LOG_TTL_S : 0;
}

struct history *history_new(const struct history_options *options)
{
    struct history *h = calloc(1, sizeof(*h));

    if (!h)
        abort();
    h->options = *options;
    h->random = options->seed * 0x2545f4914f6cdd1du + 1;
    choose_table(h);
    return h;
}

void history_free(struct history *h)
{
    free(h);
}

const struct history_table *history_table(const struct history *h)
{
    return &h->table;
}

static void put_create_table(struct history *h)
{
    const struct history_table *t = &h->table;
    static const char *const pre[] = {"false", "true", "'full'"};

    add(h, "CREATE TABLE %s.%s (p int", t->keyspace, t->name);
    if (t->clustering)
        add(h, ", c1 int, c2 text");
    add(h, ", a int, b text, d bigint");
    if (t->statics)
        add(h, ", s1 int static, s2 text static");
    if (t->collections)
        add(h, ", m map<text, int>, e set<text>, l list<int>, f frozen<map<text, int>>");
    if (t->udt)
        add(h, ", u %s_address, t tuple<int, text>", t->name);
    if (t->scalar >= 0)
        add(h, ", x %s%s", scalars[t->scalar].type, t->row_ttl ? " TTL" : "");
    add(h, ", PRIMARY KEY (p%s))", t->clustering ? ", c1, c2" : "");
    add(h, " WITH cdc = {'enabled': 'true', 'preimage': %s, 'postimage': %s", pre[t->images & 3],
        t->images & IMAGES_POST ? "true" : "false");
    if (t->log_ttl_s)
        add(h, ", 'ttl': %d", t->log_ttl_s);
    add(h, "}");
    if (t->descending)
        add(h, " AND CLUSTERING ORDER BY (c1 DESC, c2 ASC)");
    if (t->default_ttl_s)
        add(h, " AND default_time_to_live = %d", t->default_ttl_s);
}

const char *history_setup(struct history *h)
{
    const struct history_table *t = &h->table;

    h->len = 0;
    switch (h->setup++) {
    case 0:
        add(h,
            "CREATE KEYSPACE IF NOT EXISTS %s WITH replication = {'class': 'NetworkTopologyStrategy', "
            "'replication_factor': 1} AND tablets = {'enabled': %s}",
            t->keyspace, t->tablets ? "true" : "false");
        return h->text;
    case 1:
        if (t->udt) {
            add(h, "CREATE TYPE %s.%s_address (street text, number int)", t->keyspace, t->name);
            return h->text;
        }
        h->setup++;
        /* fall through */
    case 2: put_create_table(h); return h->text;
    default: return NULL;
    }
}

/* ---- values: few of them, so that equal ones meet ---- */

static const char *const words[] = {"'x'", "'y'", "'zz'", "''", "'it''s'"};
static const char *const keys[] = {"'k1'", "'k2'", "'k3'", "'k4'"};

static const char *word(struct history *h)
{
    return words[below(h, 5)];
}

static const char *key(struct history *h)
{
    return keys[below(h, 4)];
}

static void put_map(struct history *h)
{
    uint32_t n = below(h, 4);

    add(h, "{");
    for (uint32_t i = 0; i < n; i++)
        add(h, "%s%s: %u", i ? ", " : "", keys[i], below(h, 10));
    add(h, "}");
}

static void put_set(struct history *h)
{
    uint32_t n = below(h, 4);

    add(h, "{");
    for (uint32_t i = 0; i < n; i++)
        add(h, "%s%s", i ? ", " : "", keys[i]);
    add(h, "}");
}

static void put_list(struct history *h)
{
    uint32_t n = below(h, 3);

    add(h, "[");
    for (uint32_t i = 0; i < n; i++)
        add(h, "%s%u", i ? ", " : "", below(h, 10));
    add(h, "]");
}

/* A value of one of the columns that every table has, or of those that this one has. */
enum column { A, B, D, M, E, L, F, U, T, S1, S2, X };
static const char *const column_names[] = {"a", "b", "d", "m", "e", "l", "f", "u", "t", "s1", "s2", "x"};

static enum column pick_column(struct history *h, bool regular_only)
{
    for (;;) {
        enum column c = (enum column)below(h, h->table.scalar >= 0 ? 12 : 11);

        if (c >= M && c <= F && !h->table.collections)
            continue;
        if ((c == U || c == T) && !h->table.udt)
            continue;
        if ((c == S1 || c == S2) && (!h->table.statics || regular_only))
            continue;
        return c;
    }
}

static unsigned column_trait(enum column c)
{
    switch (c) {
    case M: return TRAIT_MAP;
    case E: return TRAIT_SET;
    case L: return TRAIT_LIST;
    case F:
    case T: return TRAIT_FROZEN;
    case U: return TRAIT_UDT;
    case S1:
    case S2: return TRAIT_STATIC;
    case X: return TRAIT_SCALAR;
    case A:
    case B:
    case D: return 0;
    }
    return 0;
}

/* A literal of its type; the end of a row lies near the present. */
static void put_scalar(struct history *h)
{
    uint32_t r;

    if (!h->table.row_ttl) {
        add(h, "%s", scalars[h->table.scalar].literals[below(h, SCALAR_LITERALS)]);
        return;
    }
    r = h->next_register < HISTORY_REGISTERS ? h->next_register++ : HISTORY_REGISTERS - 1;
    add(h, "@%u:%" PRId64 "!", r, (int64_t)(draw(h) % (uint64_t)(60 * h->options.unit_us)));
}

static void put_value(struct history *h, enum column c)
{
    h->traits |= column_trait(c);
    if (chance(h, 12)) {
        h->traits |= TRAIT_NULL;
        add(h, "null");
        return;
    }
    switch (c) {
    case A:
    case S1: add(h, "%u", below(h, 20)); break;
    case D: add(h, "%" PRIu64, draw(h) >> 20); break;
    case B:
    case S2: add(h, "%s", word(h)); break;
    case M:
    case F: put_map(h); break;
    case E: put_set(h); break;
    case L: put_list(h); break;
    case U: add(h, "{street: %s, number: %u}", word(h), below(h, 9)); break;
    case T: add(h, "(%u, %s)", below(h, 9), word(h)); break;
    case X: put_scalar(h); break;
    }
}

/* ---- clauses ---- */

/*
 * An old timestamp: @register:offset@. The present, a little before it, long before it, or just that of an
 * earlier statement.
 */
static void put_time(struct history *h)
{
    uint32_t r = h->next_register < HISTORY_REGISTERS ? h->next_register++ : HISTORY_REGISTERS - 1;
    int64_t unit = h->options.unit_us;
    uint32_t kind = below(h, 10);

    if (kind < 3 && h->n_equal) {
        h->traits |= TRAIT_EQUAL_TIME;
        add(h, "@%u:0@", h->equal[below(h, h->n_equal)]);
        return;
    }
    h->equal[h->n_equal < EQUAL_KEPT ? h->n_equal++ : below(h, EQUAL_KEPT)] = r;
    if (kind < 8) {
        h->traits |= TRAIT_JITTER;
        add(h, "@%u:-%" PRId64 "@", r, (int64_t)(draw(h) % (uint64_t)(8 * unit)));
    } else {
        h->traits |= TRAIT_LATE;
        add(h, "@%u:-%" PRId64 "@", r, (int64_t)(25 * unit + (int64_t)(draw(h) % (uint64_t)(25 * unit))));
    }
}

/* USING TTL and TIMESTAMP; ttl: may it have one? */
static void put_using(struct history *h, bool ttl, bool time)
{
    bool with_ttl = ttl && chance(h, 12);
    bool with_time = time && chance(h, 20);

    if (!with_ttl && !with_time)
        return;
    add(h, " USING ");
    if (with_ttl) {
        int range = h->options.ttl_max_s - h->options.ttl_min_s + 1;
        int ttl_s = h->options.ttl_min_s + (int)below(h, (uint32_t)range);

        h->traits |= TRAIT_TTL;

        add(h, "TTL %d%s", chance(h, 25) ? LONG_TTL_S : ttl_s, with_time ? " AND " : "");
    }
    if (with_time) {
        add(h, "TIMESTAMP ");
        put_time(h);
    }
}

/* p, or one that is drawn. */
static int named_partition(struct history *h, int p)
{
    int named = p >= 0 ? p : (int)below(h, PARTITIONS);

    h->partitions |= 1u << named;
    return named;
}

static void put_partition(struct history *h, int p)
{
    add(h, "p = %d", named_partition(h, p));
}

static void put_row(struct history *h, int p)
{
    put_partition(h, p);
    if (h->table.clustering)
        add(h, " AND c1 = %u AND c2 = %s", below(h, 3), words[below(h, 3)]);
}

/* ---- statements; p >= 0: in that partition; time: USING TIMESTAMP is allowed ---- */

static void put_insert(struct history *h, int p, bool time, bool lwt)
{
    const struct history_table *t = &h->table;
    enum column chosen[12];
    uint32_t n = 0;

    h->traits |= TRAIT_INSERT;
    add(h, "INSERT INTO %s.%s (p%s", t->keyspace, t->name, t->clustering ? ", c1, c2" : "");
    for (uint32_t want = below(h, 5); n < want; n++) {
        enum column c;
        bool again;

        do {
            c = pick_column(h, false);
            again = false;
            for (uint32_t i = 0; i < n; i++)
                again |= chosen[i] == c;
            if (again && n >= 3)
                break;
        } while (again);
        if (again)
            break;
        chosen[n] = c;
        add(h, ", %s", column_names[c]);
    }
    add(h, ") VALUES (%d", named_partition(h, p));
    if (t->clustering)
        add(h, ", %u, %s", below(h, 3), words[below(h, 3)]);
    for (uint32_t i = 0; i < n; i++) {
        add(h, ", ");
        put_value(h, chosen[i]);
    }
    add(h, ")");
    if (lwt) {
        h->traits |= TRAIT_LWT;
        add(h, " IF NOT EXISTS");
    }
    put_using(h, true, time && !lwt);
}

/* One assignment of an UPDATE. */
static void put_assignment(struct history *h, enum column c)
{
    const char *name = column_names[c];
    uint32_t how = below(h, 4);

    h->traits |= column_trait(c);
    if (c == M && how == 0)
        add(h, "m[%s] = %u", key(h), below(h, 10));
    else if (c == M && how == 1)
        add(h, "m = m - {%s}", key(h));
    else if (c == M && how == 2)
        add(h, "m = m + {%s: %u}", key(h), below(h, 10));
    else if (c == E && how < 3)
        add(h, "e = e %c {%s}", how ? '+' : '-', key(h));
    else if (c == L && how == 0)
        add(h, "l = l + [%u]", below(h, 10));
    else if (c == L && how == 1)
        add(h, "l = [%u] + l", below(h, 10));
    else if (c == L && how == 2)
        add(h, "l = l - [%u]", below(h, 10));
    else if (c == U && how < 2)
        add(h, how ? "u.number = %u" : "u.street = '%u'", below(h, 10));
    else {
        add(h, "%s = ", name);
        put_value(h, c);
    }
}

static void put_update(struct history *h, int p, bool time)
{
    const struct history_table *t = &h->table;
    enum column first = pick_column(h, true);
    enum column second = pick_column(h, true);

    h->traits |= TRAIT_UPDATE;
    add(h, "UPDATE %s.%s", t->keyspace, t->name);
    put_using(h, true, time);
    add(h, " SET ");
    put_assignment(h, first);
    if (second != first && chance(h, 40)) {
        add(h, ", ");
        put_assignment(h, second);
    }
    add(h, " WHERE ");
    put_row(h, p);
}

static void put_static_update(struct history *h, int p, bool time)
{
    const struct history_table *t = &h->table;
    enum column c = chance(h, 50) ? S1 : S2;

    h->traits |= TRAIT_STATIC | TRAIT_UPDATE;
    add(h, "UPDATE %s.%s", t->keyspace, t->name);
    put_using(h, true, time);
    add(h, " SET %s = ", column_names[c]);
    put_value(h, c);
    add(h, " WHERE ");
    put_partition(h, p);
}

static void put_delete_cells(struct history *h, int p, bool time)
{
    const struct history_table *t = &h->table;
    enum column c = pick_column(h, true);

    h->traits |= TRAIT_DELETE_CELL | column_trait(c);
    add(h, "DELETE %s", column_names[c]);
    if (c == M && chance(h, 60))
        add(h, "[%s]", key(h));
    else if (c == U && chance(h, 50))
        add(h, ".street");
    add(h, " FROM %s.%s", t->keyspace, t->name);
    put_using(h, false, time);
    add(h, " WHERE ");
    put_row(h, p);
}

static void put_delete_row(struct history *h, int p, bool time)
{
    h->traits |= h->table.clustering ? TRAIT_DELETE_ROW : TRAIT_DELETE_PARTITION;
    add(h, "DELETE FROM %s.%s", h->table.keyspace, h->table.name);
    put_using(h, false, time);
    add(h, " WHERE ");
    put_row(h, p);
}

static void put_bounds(struct history *h)
{
    static const char *const lower[] = {">", ">="};
    static const char *const upper[] = {"<", "<="};
    uint32_t at = below(h, 3);

    switch (below(h, 5)) {
    case 0: add(h, " AND c1 = %u", at); break;
    case 1: add(h, " AND c1 %s %u", lower[below(h, 2)], at); break;
    case 2: add(h, " AND c1 %s %u", upper[below(h, 2)], at); break;
    case 3: add(h, " AND c1 %s %u AND c1 %s %u", lower[below(h, 2)], at, upper[below(h, 2)], at + 1); break;
    default: add(h, " AND c1 = %u AND c2 %s %s", at, below(h, 2) ? ">" : "<=", words[below(h, 3)]); break;
    }
}

static void put_delete_range(struct history *h, int p, bool time)
{
    h->traits |= TRAIT_DELETE_RANGE;
    add(h, "DELETE FROM %s.%s", h->table.keyspace, h->table.name);
    put_using(h, false, time);
    add(h, " WHERE ");
    put_partition(h, p);
    put_bounds(h);
}

static void put_delete_partition(struct history *h, int p, bool time)
{
    h->traits |= TRAIT_DELETE_PARTITION;
    add(h, "DELETE FROM %s.%s", h->table.keyspace, h->table.name);
    put_using(h, false, time);
    add(h, " WHERE ");
    put_partition(h, p);
}

/* One statement that may stand in a batch. */
static void put_simple(struct history *h, int p, bool time)
{
    uint32_t what = below(h, 100);

    if (what < 38)
        put_insert(h, p, time, false);
    else if (what < 70)
        put_update(h, p, time);
    else if (what < 78)
        put_delete_cells(h, p, time);
    else if (what < 86 || !h->table.clustering)
        put_delete_row(h, p, time);
    else if (what < 92)
        put_delete_range(h, p, time);
    else if (what < 95)
        put_delete_partition(h, p, time);
    else if (h->table.statics)
        put_static_update(h, p, time);
    else
        put_update(h, p, time);
}

static void put_batch(struct history *h)
{
    bool one_time = chance(h, 25);
    bool one_partition = chance(h, 70);
    int p = (int)below(h, PARTITIONS);

    h->traits |= TRAIT_BATCH | (one_partition ? 0 : TRAIT_MANY_PARTITIONS);
    add(h, "BEGIN %sBATCH", chance(h, 50) ? "UNLOGGED " : "");
    if (one_time) {
        add(h, " USING TIMESTAMP ");
        put_time(h);
    }
    for (uint32_t n = 2 + below(h, 3); n; n--) {
        add(h, " ");
        put_simple(h, one_partition ? p : -1, !one_time);
        add(h, ";");
    }
    add(h, " APPLY BATCH");
}

static void put_lwt(struct history *h)
{
    if (chance(h, 60)) {
        put_insert(h, -1, false, true);
        return;
    }
    h->traits |= TRAIT_LWT | TRAIT_UPDATE;
    add(h, "UPDATE %s.%s SET a = %u WHERE ", h->table.keyspace, h->table.name, below(h, 20));
    put_row(h, -1);
    add(h, chance(h, 50) ? " IF EXISTS" : " IF b = 'x'");
}

static void put_statement(struct history *h)
{
    uint32_t what = below(h, 100);

    h->len = 0;
    h->traits = 0;
    if (what < 14)
        put_batch(h);
    else if (what < 18)
        put_lwt(h);
    else
        put_simple(h, -1, true);
}

/* ---- steps ---- */

static int64_t pause_us(struct history *h)
{
    int64_t unit = h->options.unit_us;
    uint32_t kind = below(h, 100);

    if (kind < 55)
        return (int64_t)(draw(h) % 2000); /* many writes inside a moment */
    if (kind < 93)
        return (int64_t)(draw(h) % (uint64_t)(2 * unit));
    return (int64_t)(draw(h) % (uint64_t)(40 * unit)); /* windows close, TTLs run out */
}

void history_next(struct history *h, struct step *ret)
{
    *ret = (struct step){.kind = STEP_END};
    if (h->statements >= h->options.statements)
        return;
    if (h->pause_due) {
        uint32_t what = below(h, 1000);

        h->pause_due = false;
        if (h->options.crashes && what < 12)
            ret->kind = what < 8 ? STEP_CRASH : STEP_RESTART;
        else if (h->options.generations && what >= 995)
            ret->kind = STEP_GENERATION;
        else if (h->table.row_ttl && what >= 900)
            ret->kind = STEP_EXPIRY;
        else
            *ret = (struct step){.kind = STEP_PAUSE, .pause_us = pause_us(h)};
        return;
    }
    put_statement(h);
    h->statements++;
    h->pause_due = true;
    *ret = (struct step){.kind = STEP_STATEMENT, .text = h->text, .traits = h->traits};
}

uint32_t history_partitions(const struct history *h)
{
    return (uint32_t)__builtin_popcount(h->partitions);
}

void history_put_times(const char *text, int64_t now_us, int64_t *registers, char *ret, size_t size)
{
    size_t len = 0;

    while (*text && len + 1 < size) {
        uint32_t r;
        int64_t offset;
        char unit = 0;
        int used = 0;

        if (*text != '@' || sscanf(text, "@%" SCNu32 ":%" SCNd64 "%c%n", &r, &offset, &unit, &used) != 3 ||
            (unit != '@' && unit != '!') || r >= HISTORY_REGISTERS) {
            ret[len++] = *text++;
            continue;
        }
        if (!registers[r])
            registers[r] = now_us + offset;
        len += (size_t)snprintf(ret + len, size - len, "%" PRId64, registers[r] / (unit == '!' ? 1000 : 1));
        text += used;
    }
    ret[len < size ? len : size - 1] = '\0';
}
