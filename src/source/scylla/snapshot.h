/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows that exist already (snapshot.mode), read once beside the change log.
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
 * Snapshots of one connector have numbers, rounds, from 0. always: task 0 begins a new one at each of its
 * starts. when_needed: a task whose position expired asks for one by a note, and task 0 begins it. The others
 * find the new round's note and begin anew with it.
 *
 * Notes: 's', version 1, 'p': the position, milliseconds as text, and behind a space the round (missing: 0).
 * 's', 1, 'n': the round that is asked for, as text. 's', 1, 'r', "keyspace.table", 0, u16 range: the round
 * as u32 big-endian (missing: 0), then i64 big-endian, the last token that was read whole; without it: done.
 *
 *     sl_scylla_snapshot_look(snapshot, now_ms, batch, &err);    is there a round, a new one?
 *     sl_scylla_snapshot_begin(snapshot, now_ms, &err);          asks for rows, as far as there is room
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
 * Look, when it is time to, whether a round was begun; task 0 begins one where it is due, by a note in the
 * batch. Errors: of the log's notes.
 */
enum sl_rc sl_scylla_snapshot_look(struct sl_scylla_snapshot *snapshot, int64_t now_ms,
                                   struct sl_batch *batch, struct sl_error *err);

/* Is it known where the log is to be read from? Before that no lane may begin. */
bool sl_scylla_snapshot_is_known(const struct sl_scylla_snapshot *snapshot);
/* The position of the last round; SL_SCYLLA_NO_TIME when none is taken. */
int64_t sl_scylla_snapshot_from_ms(const struct sl_scylla_snapshot *snapshot);

/* Ask for a round after the present one, by a note in the batch. */
void sl_scylla_snapshot_ask(struct sl_scylla_snapshot *snapshot, struct sl_batch *batch);

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
