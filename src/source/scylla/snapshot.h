/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows that exist already (snapshot.mode=initial), read once beside the change log.
 *
 * The log's position is fixed first, by task 0, in a note that all tasks wait for: the log is read from
 * there, a confidence window and some seconds before the first row is. So every write is in the rows, or in
 * the log, or in both; and as long as rows are read, each event asks for its row to be read again, since a
 * row that was read before the event may be written after it.
 *
 * The ring of tokens is cut into SL_SCYLLA_SNAPSHOT_RANGES equal ranges, dealt to the tasks; each page of
 * rows is stored together with the note of how far its range is, so that a restart goes on there (the last
 * partition of a page is read once more).
 *
 * Notes: 's', version 1, 'p': the position, milliseconds as text. 's', 1, 'r', "keyspace.table", 0, u16
 * range: i64 big-endian, the last token that was read whole; or empty: done.
 *
 *     sl_scylla_snapshot_begin(snapshot, now_ms, &err);    asks for rows, as far as there is room
 *     sl_scylla_reader_pump(reader, deadline_us);
 *     sl_scylla_snapshot_emit(snapshot, emitter, &full, &err);
 */
#ifndef SLUICE_SOURCE_SCYLLA_SNAPSHOT_H
#define SLUICE_SOURCE_SCYLLA_SNAPSHOT_H

#include "sluice/source.h"
#include "source/scylla/event.h"
#include "source/scylla/reader.h"

enum { SL_SCYLLA_SNAPSHOT_RANGES = 256 };

struct sl_scylla_snapshot;

struct sl_scylla_snapshot_place {
    const struct sl_source_env *env;
    const struct sl_scylla_config *config;
    struct sl_cql *cql;
    struct sl_scylla_reader *reader;
    struct sl_scylla_log_table *const *tables;
    uint32_t n_tables;
};

struct sl_scylla_snapshot *sl_scylla_snapshot_new(const struct sl_scylla_snapshot_place *place);
void sl_scylla_snapshot_free(
    struct sl_scylla_snapshot *snapshot); /* the session must not be polled any more */

/*
 * Is it known where the log is to be read from? Before that no lane may begin. *ret_from_ms: there, or
 * SL_SCYLLA_NO_TIME when no snapshot is taken. Task 0 puts its decision into the batch as a note; all go on
 * once they find it. Errors: of the log's notes.
 */
enum sl_rc sl_scylla_snapshot_decide(struct sl_scylla_snapshot *snapshot, int64_t now_ms,
                                     struct sl_batch *batch, bool *ret_known, int64_t *ret_from_ms,
                                     struct sl_error *err);

/* Are rows of the table still read, by any task? */
bool sl_scylla_snapshot_running(const struct sl_scylla_snapshot *snapshot);

/* Errors: of the log's notes; of preparing (TRANSIENT: call again); SCHEMA. */
enum sl_rc sl_scylla_snapshot_begin(struct sl_scylla_snapshot *snapshot, int64_t now_ms,
                                    struct sl_error *err);

/* Put the rows that came into the batch that the emitter fills, until it is full. Errors: PROTOCOL, SCHEMA.
 */
enum sl_rc sl_scylla_snapshot_emit(struct sl_scylla_snapshot *snapshot, struct sl_scylla_emitter *emitter,
                                   int64_t now_ms, bool *ret_full, struct sl_error *err);

#endif
