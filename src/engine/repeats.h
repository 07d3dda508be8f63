/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restarted source sent twice, recognised by its source position (header __sluice.src, position.h).
 * Needed where records and the source's offset are not stored in one transaction (Kafka without
 * exactly-once): a source that dies between the two sends again what it had sent since.
 *
 * Streamed changes whose positions have an order (SQL Server) are dropped when they are not above the highest
 * one seen of their incarnation. ScyllaDB's have none: late rows lie below newer ones; they are dropped only
 * as exact repeats (position, key, value and headers) of one of the last few thousand records. Snapshot rows
 * and rows that were read again are never dropped, nor what has no such header.
 *
 * What was seen has to be what is applied: a reader that begins again somewhere starts with nothing, reads
 * some records before that place first (SL_REPEATS_BACK) and shows them here.
 *
 * Threads: one.
 */
#ifndef SLUICE_ENGINE_REPEATS_H
#define SLUICE_ENGINE_REPEATS_H

#include "sluice/transport.h"

/* As many records as a source can have sent beyond its stored offset, and some: repeats lie no farther back.
 */
enum { SL_REPEATS_BACK = 16384 };

struct sl_repeats;

struct sl_repeats *sl_repeats_new(void);
void sl_repeats_free(struct sl_repeats *repeats); /* NULL is fine */
void sl_repeats_reset(struct sl_repeats *repeats);

/* Look at a record, in the log's order: is it a repeat? It is remembered when it is not. */
bool sl_repeats_look(struct sl_repeats *repeats, const struct sl_log_record *record);

#endif
