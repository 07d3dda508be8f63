/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots of which nobody can say whose they are: the group's coordinator has not answered for the session's
 * time, so the client has given its membership up and joins again. Mostly the coordinator is gone and another
 * broker takes its place; that one knows the members and gives each of them a session's time anew, so a
 * worker that was there all the while finds its slots where it left them.
 *
 * Told apart from the losses that are certain: the group said that we are not in it (another has the slots by
 * now), or this process stood still itself (a stopped process, a frozen machine: then the group was there and
 * has gone on without us). What stands in doubt is settled by the next assignment, or by the time limit.
 *
 * Threads: the one that polls the consumer; sl_doubt_silence any.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_DOUBT_H
#define SLUICE_TRANSPORT_KAFKA_DOUBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_doubt {
    int64_t session_us;
    int64_t looked_us;    /* when the polling thread last looked */
    int64_t woke_us;      /* when it last looked after it had stood still; INT64_MIN: never */
    _Atomic bool silence; /* the client said that the session ran out, and was not asked about it yet */
    int32_t *slots;       /* in doubt */
    size_t n;
    int64_t until_us; /* when what is still in doubt is lost */
};

void sl_doubt_init(struct sl_doubt *doubt, int64_t session_us, int64_t now_us);
void sl_doubt_done(struct sl_doubt *doubt);

/* The polling thread runs: to be called at least several times in a session's time. */
void sl_doubt_look(struct sl_doubt *doubt, int64_t now_us);
/* The client gave the membership up because nobody answered: the next loss is by silence. */
void sl_doubt_silence(struct sl_doubt *doubt);
/* Of a loss that was just told: may the slots still be ours? */
bool sl_doubt_may_be(struct sl_doubt *doubt, int64_t now_us);

/* From now on these are in doubt, for the time that a group takes to find itself again. */
void sl_doubt_begin(struct sl_doubt *doubt, const int32_t *slots, size_t n, int64_t now_us);
/* The group has spoken: fills lost (as many as were in doubt have room) with those that are not assigned any
 * more, and returns how many. Nothing is in doubt then. */
size_t sl_doubt_settle(struct sl_doubt *doubt, const int32_t *assigned, size_t n_assigned, int32_t *lost);
/* True when something is in doubt and its time is over. */
bool sl_doubt_is_over(const struct sl_doubt *doubt, int64_t now_us);

#endif
