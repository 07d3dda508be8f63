/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading rows again when it is due: the notes that settle.h left (and the snapshot), the reads of the base
 * table, and the records of what they found.
 *
 *     sl_scylla_revisits_begin(revisits, now_us, &err);   // asks for what is due, as far as there is room
 *     sl_scylla_reader_pump(reader, deadline_us);
 *     sl_scylla_revisits_emit(revisits, emitter, &err);   // behind the events of the same batch
 *
 * A row's record is written behind all events that were read before it was asked for, so that what it says is
 * never older than they are. The note goes with the record, in one append; after a crash between the two it
 * is found again, and the row is read once more. Threads: the task's reader thread.
 */
#ifndef SLUICE_SOURCE_SCYLLA_REVISIT_H
#define SLUICE_SOURCE_SCYLLA_REVISIT_H

#include "sluice/source.h"
#include "source/scylla/event.h"
#include "source/scylla/reader.h"
#include "source/scylla/settle.h"

struct sl_scylla_revisits;

/* Does this task look after the key? Others leave the note alone. partition: the key's values as [bytes]. */
typedef bool sl_scylla_owner(void *ctx, const struct sl_scylla_table *table, struct sl_span partition);

struct sl_scylla_revisit_place {
    const struct sl_source_env *env;
    const struct sl_scylla_config *config;
    struct sl_cql *cql;
    struct sl_scylla_reader *reader;
    struct sl_scylla_settle *settle;
    struct sl_scylla_log_table *const *tables;
    uint32_t n_tables;
    sl_scylla_owner *is_ours;
    void *ctx;
};

struct sl_scylla_revisits *sl_scylla_revisits_new(const struct sl_scylla_revisit_place *place);
void sl_scylla_revisits_free(
    struct sl_scylla_revisits *revisits); /* the session must not be polled any more */

/* Ask for rows that are due. Errors: of the log's notes; of preparing (TRANSIENT: call again). */
enum sl_rc sl_scylla_revisits_begin(struct sl_scylla_revisits *revisits, int64_t now_us,
                                    struct sl_error *err);

/* Put what came into the batch that the emitter fills. Errors: PROTOCOL, SCHEMA. */
enum sl_rc sl_scylla_revisits_emit(struct sl_scylla_revisits *revisits, struct sl_scylla_emitter *emitter,
                                   struct sl_error *err);

#endif
