/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/repeats.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "codec/header_codec.h"
#include "sluice/position.h"

#include <string.h>

enum {
    LINES = 32,  /* incarnations of one log partition that are told apart */
    WAYS = 8,    /* places that one record may have in the table of exact repeats */
    SETS = 4096, /* a power of two; WAYS * SETS is twice what lies between a record and its repeat */
};

struct mark {
    uint64_t a, b; /* both zero: empty */
};

/* The highest position of an incarnation. */
struct line {
    uint8_t incarnation[SL_SRC_INCARNATION_SIZE];
    uint8_t high[SL_MSSQL_POSITION_SIZE];
    uint64_t used; /* for choosing whom to forget */
};

struct part {
    const struct sl_topic *topic;
    int32_t number;
    struct line lines[LINES];
    int n_lines;
    struct mark *marks; /* SETS * WAYS, newest first in each set; NULL until one is needed */
};

struct sl_repeats {
    struct part **parts;
    size_t n, capacity;
    struct part *last; /* of the record before this one */
    uint64_t clock;
};

struct sl_repeats *sl_repeats_new(void)
{
    return sl_zalloc(1, sizeof(struct sl_repeats));
}

void sl_repeats_reset(struct sl_repeats *repeats)
{
    for (size_t i = 0; i < repeats->n; i++) {
        sl_free(repeats->parts[i]->marks);
        sl_free(repeats->parts[i]);
    }
    repeats->n = 0;
    repeats->last = NULL;
}

void sl_repeats_free(struct sl_repeats *repeats)
{
    if (!repeats)
        return;
    sl_repeats_reset(repeats);
    sl_free(repeats->parts);
    sl_free(repeats);
}

static struct part *part_of(struct sl_repeats *repeats, const struct sl_log_record *record)
{
    struct part *part = repeats->last;

    if (part && part->topic == record->topic && part->number == record->partition)
        return part;
    for (size_t i = 0; i < repeats->n; i++) {
        part = repeats->parts[i];
        if (part->topic == record->topic && part->number == record->partition)
            return repeats->last = part;
    }
    part = sl_zalloc(1, sizeof(*part));
    part->topic = record->topic;
    part->number = record->partition;
    SL_GROW(repeats->parts, repeats->n, repeats->capacity);
    repeats->parts[repeats->n++] = part;
    return repeats->last = part;
}

static struct line *line_of(struct part *part, const uint8_t *incarnation)
{
    struct line *oldest = &part->lines[0];

    for (int i = 0; i < part->n_lines; i++) {
        struct line *line = &part->lines[i];

        if (memcmp(line->incarnation, incarnation, SL_SRC_INCARNATION_SIZE) == 0)
            return line;
        if (line->used < oldest->used)
            oldest = line;
    }
    if (part->n_lines < LINES)
        oldest = &part->lines[part->n_lines++];
    memset(oldest, 0, sizeof(*oldest)); /* below every position */
    memcpy(oldest->incarnation, incarnation, SL_SRC_INCARNATION_SIZE);
    return oldest;
}

static bool is_below(struct sl_repeats *repeats, struct part *part, const uint8_t *incarnation,
                     const uint8_t *position)
{
    struct line *line = line_of(part, incarnation);

    line->used = ++repeats->clock;
    if (memcmp(position, line->high, SL_MSSQL_POSITION_SIZE) <= 0)
        return true;
    memcpy(line->high, position, SL_MSSQL_POSITION_SIZE);
    return false;
}

static uint64_t hash_of(const struct sl_log_record *record, uint64_t seed)
{
    uint64_t hash = sl_hash_bytes(record->headers.ptr, record->headers.len, seed);

    hash = sl_hash_bytes(record->key.ptr, record->key.len, hash + (record->key.ptr != NULL));
    return sl_hash_bytes(record->value.ptr, record->value.len, hash + (record->value.ptr != NULL));
}

/* Each set holds its newest marks: a new one pushes the oldest out. */
static bool is_exact_repeat(struct part *part, const struct sl_log_record *record)
{
    struct mark mark = {.a = hash_of(record, 1), .b = hash_of(record, 2) | 1};
    struct mark *set;

    if (!part->marks)
        part->marks = sl_zalloc((size_t)SETS * WAYS, sizeof(*part->marks));
    set = &part->marks[(mark.a & (SETS - 1)) * WAYS];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].a == mark.a && set[i].b == mark.b)
            return true;
    }
    memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
    set[0] = mark;
    return false;
}

static bool is_named(struct sl_span name, const char *wanted, size_t len)
{
    return name.len == len && memcmp(name.ptr, wanted, len) == 0;
}

/* The source's header; false: there is none, or it says that the record is no change of a log. */
static bool find_source(struct sl_span headers, struct sl_span *ret)
{
    struct sl_raw_header header;
    bool found = false;

    while (sl_headers_next(&headers, &header) > 0) {
        if (is_named(header.name, SL_HEADER_READ, sizeof(SL_HEADER_READ) - 1))
            return false;
        if (is_named(header.name, SL_HEADER_SOURCE, sizeof(SL_HEADER_SOURCE) - 1)) {
            *ret = header.value;
            found = true;
        }
    }
    return found;
}

bool sl_repeats_look(struct sl_repeats *repeats, const struct sl_log_record *record)
{
    struct sl_span source = {0};
    size_t position_len;

    if (!record->headers.len || !find_source(record->headers, &source) || source.len < SL_SRC_PREFIX_SIZE ||
        source.ptr[0] != SL_SRC_VERSION || source.ptr[1] != SL_SRC_STREAM)
        return false;
    position_len = source.len - SL_SRC_PREFIX_SIZE;
    if (position_len == SL_MSSQL_POSITION_SIZE)
        return is_below(repeats, part_of(repeats, record), source.ptr + 2, source.ptr + SL_SRC_PREFIX_SIZE);
    if (position_len == SL_SCYLLA_POSITION_SIZE)
        return is_exact_repeat(part_of(repeats, record), record);
    return false;
}
