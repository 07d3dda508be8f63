/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories of writes to one ScyllaDB table, from a seed: the same seed and options give the same
 * steps.
 *
 * A history is a list of statements, pauses, crashes and switches of generations. It knows no server:
 * statements are CQL text in which a time is written as @register:offset@, or @register:offset! for
 * milliseconds. A register is set when it is met first, to the present time in microseconds plus the offset,
 * and keeps that: so one history can be run with a manual clock in one process, or with real programs, and
 * writes with equal and old timestamps stay equal and old.
 */
#ifndef SLUICE_TESTS_PROPERTY_HISTORY_H
#define SLUICE_TESTS_PROPERTY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum history_images { IMAGES_NONE = 0, IMAGES_PRE = 1, IMAGES_PRE_FULL = 2, IMAGES_POST = 4 };

/* What a table is made of; the sets of columns that statements draw from. */
struct history_table {
    char keyspace[32];
    char name[32];
    bool clustering;  /* PRIMARY KEY (p, c1, c2), else (p) */
    bool descending;  /* c1 */
    bool statics;     /* s1 int static, s2 text static; clustering only */
    bool collections; /* m map<text,int>, e set<text>, l list<int>, f frozen<map<text,int>> */
    bool udt;         /* u address {street text, number int}, t tuple<int,text> */
    int scalar;       /* the type of the column x, see scalars.h; -1: there is none */
    bool row_ttl;     /* x is a timestamp that says when the row ends */
    bool tablets;
    int images;        /* enum history_images, added up */
    int default_ttl_s; /* 0: none */
    int log_ttl_s;     /* of the change log; 0: the default, a day */
};

struct history_options {
    uint64_t seed;
    uint32_t statements; /* how many; pauses and the rest come on top */
    int64_t unit_us; /* the scale of pauses and of old timestamps: about a tenth of the confidence window */
    int ttl_min_s, ttl_max_s;
    bool crashes;         /* with steps that kill or restart the reader */
    bool generations;     /* with steps that open new streams */
    const char *keyspace; /* NULL: "h" */
    int tablets;          /* 0: drawn; 1: no; 2: yes */
    bool scalars;         /* with a column x of any scalar type, and the expiry of rows by it */
};

enum step_kind {
    STEP_END,
    STEP_STATEMENT,  /* text */
    STEP_PAUSE,      /* pause_us */
    STEP_CRASH,      /* kill the reader, start it again */
    STEP_RESTART,    /* stop the reader in order, start it again */
    STEP_EXPIRY,     /* the server's expiry service looks for rows whose x is past */
    STEP_GENERATION, /* open new streams: a generation, or another number of tablets */
};

/* What a statement does and how it races, for the histogram. */
enum step_trait {
    TRAIT_INSERT = 1 << 0,
    TRAIT_UPDATE = 1 << 1,
    TRAIT_DELETE_CELL = 1 << 2,
    TRAIT_DELETE_ROW = 1 << 3,
    TRAIT_DELETE_RANGE = 1 << 4,
    TRAIT_DELETE_PARTITION = 1 << 5,
    TRAIT_BATCH = 1 << 6,
    TRAIT_LWT = 1 << 7,
    TRAIT_STATIC = 1 << 8,
    TRAIT_MAP = 1 << 9,
    TRAIT_SET = 1 << 10,
    TRAIT_LIST = 1 << 11,
    TRAIT_UDT = 1 << 12,
    TRAIT_FROZEN = 1 << 13,
    TRAIT_TTL = 1 << 14,
    TRAIT_NULL = 1 << 15,       /* a column set to null */
    TRAIT_JITTER = 1 << 16,     /* a timestamp a little in the past: inside the confidence window */
    TRAIT_LATE = 1 << 17,       /* a timestamp far in the past */
    TRAIT_EQUAL_TIME = 1 << 18, /* the timestamp of an earlier statement */
    TRAIT_MANY_PARTITIONS = 1 << 19,
    TRAIT_SCALAR = 1 << 20, /* x */
};
enum { HISTORY_TRAITS = 21 };

struct step {
    enum step_kind kind;
    const char *text; /* lives until the next step */
    int64_t pause_us;
    unsigned traits;
};

struct history;

struct history *history_new(const struct history_options *options);
void history_free(struct history *history);

const struct history_table *history_table(const struct history *history);

/* The statements that make keyspace, types and table, one after another; NULL after the last. */
const char *history_setup(struct history *history);

void history_next(struct history *history, struct step *ret);

/* How many partitions its statements have named so far. */
uint32_t history_partitions(const struct history *history);

/* The n-th trait's name, e.g. "range delete". */
const char *history_trait_name(int n);

/* Put the times into a statement. registers: at least HISTORY_REGISTERS of them, zero at the start. */
enum { HISTORY_REGISTERS = 4096 };
void history_put_times(const char *text, int64_t now_us, int64_t *registers, char *ret, size_t size);

#endif
