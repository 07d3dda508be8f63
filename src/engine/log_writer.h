/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread of the process that appends to the log. What several tasks hand in while a sync is under way
 * goes out in one append: batches grow by themselves when the log is the slower part, and leave at once when
 * it is idle.
 *
 * When the log is full, or busy, the writer tries again until it succeeds: the tasks wait, and with them the
 * sources. Any other failure ends it: everything handed in from then on fails with the same error.
 */
#ifndef SLUICE_ENGINE_LOG_WRITER_H
#define SLUICE_ENGINE_LOG_WRITER_H

#include "engine/outgoing.h"

struct sl_log_writer;

struct sl_log_writer *sl_log_writer_start(struct sl_transport *transport);

/* Hand a sealed batch in; its done is called exactly once, on the writer's thread. Any thread; may wait. */
void sl_log_writer_submit(struct sl_log_writer *writer, struct sl_outgoing *outgoing);

/* Why appending waits now ("" when it does not); a copy of at most size bytes. Any thread. */
void sl_log_writer_note(struct sl_log_writer *writer, char *note, size_t size);

/*
 * Append what was handed in, then end. A log that refuses meanwhile is not waited for: what is left fails
 * with STOPPED.
 */
void sl_log_writer_stop(struct sl_log_writer *writer);
void sl_log_writer_free(struct sl_log_writer *writer);

#endif
