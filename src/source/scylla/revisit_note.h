/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row or partition that is to be read again, and when: as a note beside the events that asked for it
 * (docs/decisions/scylla-order.md).
 *
 * Key: 'r', version 1, u64 due (microseconds since 1970), u8 scope, u16 length and text of "keyspace.table",
 * the key columns' values as [bytes] of CQL (i32 length, bytes) in the order of the primary key; numbers
 * big-endian. The value is empty. So notes come in the order in which they are due, and the same key due at
 * the same time is one note: times are rounded up to a grid, so that a row that is written all the time is
 * read again a few times a minute and not after each write.
 */
#ifndef SLUICE_SOURCE_SCYLLA_REVISIT_NOTE_H
#define SLUICE_SOURCE_SCYLLA_REVISIT_NOTE_H

#include "base/buf.h"
#include "net/cql/cell.h"
#include "sluice/record.h"

enum sl_revisit_scope {
    SL_REVISIT_ROW = 1,
    SL_REVISIT_PARTITION = 2, /* the key holds the partition key only */
};

struct sl_revisit {
    int64_t due_us;
    enum sl_revisit_scope scope;
    struct sl_span table; /* "keyspace.table" */
    struct sl_span key;   /* [bytes] of CQL, one after another */
};

/* Round up to the grid. */
int64_t sl_revisit_due_us(int64_t at_us, int64_t grid_us);

/* One value of a key as [bytes]: the one place that writes them, and the one that reads them. */
void sl_revisit_put_cell(struct sl_buf *key, struct sl_cql_cell cell);
/* Takes the next value off rest; false at the end, or when the bytes lie. */
bool sl_revisit_next_cell(struct sl_span *rest, struct sl_cql_cell *ret);

/* Append the note's key. */
void sl_revisit_put(struct sl_buf *out, const struct sl_revisit *revisit);

/* Read a note's key; the spans point into it. False: not a revisit, or malformed. */
bool sl_revisit_read(struct sl_span key, struct sl_revisit *ret);

/* Notes that are due at now lie in from <= key < to; from is "r", to is written here. */
extern const struct sl_span sl_revisit_from;
enum { SL_REVISIT_BOUND_SIZE = 10 };
struct sl_span sl_revisit_bound(int64_t now_us, uint8_t ret[SL_REVISIT_BOUND_SIZE]);

#endif
