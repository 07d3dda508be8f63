/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bring a sink's dead letters to its target, or drop them.
 *
 * The dead letter topic is read as one more partition of the sink: the rows of the letters and the position
 * in the topic are committed in one transaction of the target, so that a replay that is cut off at any point
 * goes on where it was and applies nothing twice. The position only moves forward: letters that are not
 * meant, that fail again, or that wait behind one of those, are written to the end of the topic before it
 * passes them. Letters of other connectors in the same topic are passed by. Records with the same origin
 * (topic, partition, offset) are one record, written twice by a crash: the first counts.
 *
 * Order: within one reading (some thousand letters) by topic, partition and offset; so a key's records come
 * in the order in which they stood in the log. When all letters of a parked key (parking.h) are gone, the key
 * is let go.
 *
 * The connector's tasks must not run meanwhile: they would park rows behind letters that are just being
 * replayed.
 */
#ifndef SLUICE_ENGINE_LETTERS_REPLAY_H
#define SLUICE_ENGINE_LETTERS_REPLAY_H

#include "engine/letters/dlq.h"
#include "engine/task_context.h"

#include <jansson.h>

struct sl_replay_counts {
    uint64_t replayed; /* applied, or left out by a transform */
    uint64_t failed;   /* dead letters again */
    uint64_t waiting;  /* behind those, or behind one that was not meant */
    uint64_t kept;     /* not meant: at the end of the topic now */
    uint64_t dropped;
    uint64_t others; /* no letters of this connector */
    uint64_t keys_released;
};

/* Asked before each reading, with what was done so far; an error ends the run with it. NULL: go on. */
struct sl_replay_guard {
    enum sl_rc (*may_go_on)(void *ctx, const struct sl_replay_counts *counts, struct sl_error *err);
    void *ctx;
};

/* "replayed", "failed_again", "waiting", "kept", "dropped", "keys_released": as REST and the commands say it.
 */
void sl_replay_counts_json(const struct sl_replay_counts *counts, json_t *object);

/*
 * connector: a sink, resolved and checked. Everything is borrowed. drop: settle what the filter means without
 * applying it. Errors: CONFIG (no sink, no dead letter topic), the log's, the sink's; what was counted until
 * then is done.
 */
enum sl_rc sl_replay_run(const struct sl_shared *shared, const struct sl_connector *connector,
                         const struct sl_dlq_filter *filter, bool drop, const struct sl_replay_guard *guard,
                         struct sl_replay_counts *ret, struct sl_error *err);

#endif
