/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Circuit breakers: one for each external system that this process talks to (a target, a source's host, a
 * schema registry, Vault, a Kafka cluster), shared by all who talk to it. When the system does not answer,
 * the circuit is open: nobody asks it until the wait is over, which doubles from try to try. Then it is half
 * open: one of those who wait asks, the others go on waiting. When that succeeds the circuit is closed and
 * all ask.
 *
 * Who has a working connection is not held up: only one who has failed, or has never got through, waits. What
 * is one's own trouble (a deadlock, a refused row) opens nothing.
 *
 * A seat is one asker's place at a breaker. The table of breakers is the process's own, as the log is.
 * Threads: any; a seat belongs to one thread at a time, but for what says otherwise.
 */
#ifndef SLUICE_ENGINE_BREAKER_H
#define SLUICE_ENGINE_BREAKER_H

#include "base/buf.h"
#include "sluice/error.h"

#include <stdint.h>

struct sl_breaker;

struct sl_seat {
    struct sl_breaker *breaker; /* NULL: none, and everything is allowed */
    enum {
        SL_SEAT_NEW, /* has never got through */
        SL_SEAT_FINE,
        SL_SEAT_FAILING,
    } is;
};

/*
 * Take a seat. system is a word ("postgres", "vault"); address tells one of its kind from another and is
 * shown: no secret may stand in it. busy_too: an answer that says "not now" (BUSY) counts as a failure of the
 * system; for a database it is mostly a deadlock.
 */
void sl_seat_take(struct sl_seat *seat, const char *system, const char *address, bool busy_too);

/* Ask no more, and let go; the last to leave a breaker removes it. */
void sl_seat_leave(struct sl_seat *seat);

/* The asker rests: what it waited for is nobody's trouble while no other waits. It keeps its seat. */
void sl_seat_rest(struct sl_seat *seat);

/* True: ask now, and tell what became of it. False: look again in *ret_wait_us. */
bool sl_seat_may_ask(struct sl_seat *seat, int64_t *ret_wait_us);

/* What became of it. failed returns how long the system is to be left alone, 0 when err is not its trouble.
 */
void sl_seat_succeeded(struct sl_seat *seat);
int64_t sl_seat_failed(struct sl_seat *seat, const struct sl_error *err);

/* The last failure, for who is not let through; "" when the circuit is closed. */
void sl_seat_explain(const struct sl_seat *seat, char *out, size_t size);

/* The circuit is not closed, and the asker is not one who gets through all the same. Any thread. */
bool sl_seat_waits(const struct sl_seat *seat);

/* Append the breaker as an object {"system":...,"address":...,"state":...,...}. Any thread. */
void sl_seat_json(const struct sl_seat *seat, struct sl_buf *out);

/* Append an array of all breakers of the process, or of those that are not closed. */
void sl_breakers_json(bool closed_too, struct sl_buf *out);

#endif
