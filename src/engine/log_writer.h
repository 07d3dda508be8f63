/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who appends to the log. A log that one process has for itself is written by one thread: what several tasks
 * hand in while a sync is under way goes out in one append, so that batches grow by themselves when the log
 * is the slower part, and leave at once when it is idle. In a log that takes many writers each task has an
 * appender of the log's own. Tasks see no difference: they open an end and submit.
 *
 * When the log is full, busy or away, appending waits until it succeeds: the tasks wait, and with them the
 * sources. Any other failure ends the writer (or the task's end): everything handed in from then on fails
 * with the same error.
 */
#ifndef SLUICE_ENGINE_LOG_WRITER_H
#define SLUICE_ENGINE_LOG_WRITER_H

#include "engine/outgoing.h"

struct sl_log_writer;

/* The process's own. */
struct sl_log_writer *sl_log_writer_start(struct sl_transport *transport);

/*
 * A task's end of it: the writer itself where one thread appends, else a writer of the task's own. Before a
 * task reads its stored offsets: with an exclusive id, an older holder of it is shut out from here on.
 * Errors: the transport's appender_open.
 */
enum sl_rc sl_log_writer_open(struct sl_log_writer *writer, const struct sl_appender_config *config,
                              struct sl_log_writer **ret, struct sl_error *err);
/* Nothing of the task's is waited for any more: what is on its way fails soon. Any thread. */
void sl_log_writer_abandon(struct sl_log_writer *end);
/* Give an end back; NULL is fine. Nothing of the task's is on its way any more. */
void sl_log_writer_close(struct sl_log_writer *end);

/* Hand a sealed batch in; its done is called exactly once, on a thread that appends. From one thread at a
 * time; may wait. */
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
