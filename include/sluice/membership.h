/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of several processes may do what. A log that is shared (Kafka) hands out a fixed number of slots
 * among the workers of a group; a log that one process has for itself hands all of them to it at once. What
 * stands under a slot (which tasks, who leads) is the engine's business (engine/cluster); here is only who
 * holds it.
 *
 * A slot has one owner. It moves in good order (its owner is asked for it and gives it back when nothing runs
 * under it any more), or because its owner was not heard of for the session's time. The second kind leaves a
 * process behind that may not know it yet: a stopped one, one behind a broken network. So holding a slot is
 * what starts work, never what makes it durable: that is guarded where it becomes durable, by the target's
 * compare-and-set, by the log's claims and exclusive ids (transport.h), by source positions.
 *
 * Threads: the listener is called on a thread of the membership's own, one call at a time, and on the
 * caller's thread inside join; it may take a short lock, but neither wait nor call leave. The functions are
 * for any thread.
 */
#ifndef SLUICE_MEMBERSHIP_H
#define SLUICE_MEMBERSHIP_H

#include "error.h"

#include <stdint.h>

struct sl_transport;
struct sl_membership;

enum sl_slot_event {
    SL_SLOTS_GAINED, /* ours from now on: nobody else was told that they are his */
    SL_SLOTS_ASKED,  /* end what runs under them, then give_back each; what takes too long becomes LOST */
    SL_SLOTS_LOST,   /* another may hold them already: stop at once, make nothing more durable */
    /*
     * The group has not answered for the session's time, and not because this process stood still: while it
     * is away it gives nothing to anybody, but whether it is away nobody can say from here. GAINED (still
     * ours, if nobody says that he had them meanwhile) or LOST follows for each.
     */
    SL_SLOTS_DOUBTED,
};

struct sl_membership_listener {
    void *ctx;
    void (*slots)(void *ctx, enum sl_slot_event event, const int32_t *slots, size_t n);
    /* The membership is over and will not come back by itself (a second worker of the same name, ...). LOST
     * was said of everything before. */
    void (*failed)(void *ctx, const struct sl_error *err);
};

struct sl_membership_ops {
    /*
     * Become a member under a name that is the same at every start of this worker (and of no other): a worker
     * that comes back within the session's time finds its slots where it left them. Borrowed: transport,
     * which lives longer; listener's ctx. Errors: what keeps this worker out for ever (CONFIG, AUTH,
     * UNSUPPORTED); brokers that cannot be reached are waited for.
     */
    enum sl_rc (*join)(struct sl_transport *transport, const char *worker,
                       const struct sl_membership_listener *listener, struct sl_membership **ret,
                       struct sl_error *err);
    /* How many slots there are, numbered from 0; the same for every member, for the life of the group. The
     * holder of slot 0 leads. */
    int32_t (*slots)(const struct sl_membership *membership);
    /* Nothing runs any more under a slot that was ASKED; of others nothing happens. */
    void (*give_back)(struct sl_membership *membership, int32_t slot);
    /* Leave; the listener is not called any more when this returns. Slots still held stay reserved for the
     * worker's name for the session's time: give back what others should have sooner. */
    void (*leave)(struct sl_membership *membership);
};

/* The membership of a process that has its log for itself: one slot, gained inside join, never lost. */
extern const struct sl_membership_ops sl_membership_alone;

#endif
