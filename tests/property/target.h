/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target in memory for the property test: applies a source's records as the PostgreSQL sink does (absent
 * fields are left alone, tombstones delete, ranges delete by range, static changes are passed by), and keeps
 * a ledger of the events' positions, so that a repeat is seen at once and a gap at the end.
 *
 * Values are kept as text: integers in digits, texts in quotes, [..] for lists and sets, {name:value,..} for
 * structs, maps as lists of {key:..,value:..}, null. render.h makes the same text of what ScyllaDB answers.
 */
#ifndef SLUICE_TESTS_PROPERTY_TARGET_H
#define SLUICE_TESTS_PROPERTY_TARGET_H

#include "sluice/record.h"

#include <stdio.h>

enum { TARGET_KEYS = 3, TARGET_COLUMNS = 15, TARGET_EVENT_SIZE = 36 };

/* p, c1, c2, then a, b, d, m, e, l, f, u, t, s1, s2, x. */
extern const char *const target_columns[TARGET_COLUMNS];

struct target_row {
    char *cells[TARGET_COLUMNS]; /* NULL: the column was never named; the keys always are */
    bool live;
};

/* A change-log row: stream id, cdc$time (as in a position), cdc$batch_seq_no. */
struct target_event {
    uint8_t bytes[TARGET_EVENT_SIZE];
};

struct target {
    bool clustering;
    struct target_row *rows;
    size_t n_rows, rows_capacity;
    struct target_event *events;
    size_t n_events, events_capacity;
    size_t read_again; /* records that were rows read again */
    char fault[400];   /* the first thing that no sink could bear; "" when none */
};

void target_done(struct target *target);

/* Apply what one poll gave. */
void target_apply(struct target *target, const struct sl_batch *batch);

struct target_row *target_find(struct target *target, char *const keys[TARGET_KEYS]);

/* Sort the events; a repeat goes into fault. */
void target_close_ledger(struct target *target);
bool target_has_event(const struct target *target, const struct target_event *event);

/* One line for each record of a batch. */
void target_describe(const struct sl_batch *batch, FILE *out);

void target_print(const struct target *target, FILE *out);

#endif
