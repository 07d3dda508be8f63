/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys behind which later records wait (errors.park.keys): once a record with a key has become a dead letter,
 * the records with that key that come after it go there too, in their order, until a replay has brought them
 * all to the target. Other keys flow on.
 *
 * A key is a topic and the bytes of the record's key in the log; records without a key never wait. The set is
 * durable in the log's keyed space "parked" (key "<connector>/<topic>/<hex of the key, or of its SHA-256>",
 * value
 * {"partition", "offset", "at"}): a key stands there before its first letter is written.
 *
 * Threads: any.
 */
#ifndef SLUICE_ENGINE_LETTERS_PARKING_H
#define SLUICE_ENGINE_LETTERS_PARKING_H

#include "sluice/transport.h"

struct sl_dead_letters;
struct sl_incoming;
struct sl_parking;

/* transport and connector are borrowed. Reads the set of the connector. Errors: the log's. */
enum sl_rc sl_parking_open(struct sl_transport *transport, const char *connector, struct sl_parking **ret,
                           struct sl_error *err);
/* An empty set that is nowhere but in memory. */
struct sl_parking *sl_parking_in_memory(const char *connector);
void sl_parking_close(struct sl_parking *parking); /* NULL is fine */

/* Read the set again: another process may have replayed. Errors: the log's; the set is as it was. */
enum sl_rc sl_parking_reload(struct sl_parking *parking, struct sl_error *err);

/* Moves whenever a key was added or an earlier offset learnt; 0: nothing was ever parked. */
uint64_t sl_parking_generation(const struct sl_parking *parking);

/* Records with this record's key that come after it wait from now on; durable on return. */
enum sl_rc sl_parking_park(struct sl_parking *parking, const struct sl_log_record *record,
                           struct sl_error *err);

/* Does the record wait? *ret_behind: for which offset. */
bool sl_parking_waits(struct sl_parking *parking, const struct sl_log_record *record, int64_t *ret_behind);

/*
 * Mark the records of a batch that wait by now and were not marked before, write their letters (attempt: 1,
 * or which one it is), and say what a sink asks with "parked" (sink.h). parking NULL: nobody waits. *ret_n:
 * how many were marked. Errors: the log's.
 */
enum sl_rc sl_parking_mark(struct sl_parking *parking, struct sl_dead_letters *letters, int attempt,
                           struct sl_incoming *incoming, const uint8_t **ret_skip, uint64_t *ret_generation,
                           size_t *ret_n, struct sl_error *err);

/* Is a key of this name (sl_parking_name) parked? */
bool sl_parking_has(struct sl_parking *parking, const char *name);

/* How many keys are parked. */
size_t sl_parking_count(struct sl_parking *parking);

/* Every key but those that keep says true of goes on; durable on return. */
enum sl_rc sl_parking_release(struct sl_parking *parking, bool (*keep)(void *ctx, const char *key), void *ctx,
                              struct sl_error *err);

/* The name of a record's key in the space: heap memory; NULL when it has no key. */
char *sl_parking_name(const char *connector, const struct sl_topic *topic, struct sl_span key);

#endif
