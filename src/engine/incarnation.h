/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The incarnation of a source partition (sluice/position.h): a UUID within which source positions may be
 * compared. Kept beside the log, in the text space "incarnations", so that it outlives the process. A new one
 * begins when no offset is stored for the partition (a first start, a reset), and when a snapshot row follows
 * streamed changes (a new snapshot).
 *
 * Threads: belongs to one source task's reader thread.
 */
#ifndef SLUICE_ENGINE_INCARNATION_H
#define SLUICE_ENGINE_INCARNATION_H

#include "base/buf.h"
#include "base/uuid.h"
#include "sluice/position.h"
#include "sluice/transport.h"

struct sl_incarnation {
    struct sl_transport *transport; /* these two are given */
    const char *connector;
    struct sl_buf partition; /* whose incarnation is loaded; empty: none */
    struct sl_uuid id;
    uint8_t kind; /* of the last record: SL_SRC_SNAPSHOT or SL_SRC_STREAM */
};

/* Make this the partition of what follows. Errors: the transport's. */
enum sl_rc sl_incarnation_select(struct sl_incarnation *incarnation, struct sl_span partition,
                                 struct sl_error *err);

/* A record of another kind than the last one comes: durable before this returns. */
enum sl_rc sl_incarnation_turn(struct sl_incarnation *incarnation, uint8_t kind, struct sl_error *err);

void sl_incarnation_done(struct sl_incarnation *incarnation);

#endif
