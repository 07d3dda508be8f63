/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a sink task begins to read a partition. Two places know: the target (its own transaction: exact) and
 * the log, under the reader's name (on Kafka the committed offset of group connect-<c>). What we commit there
 * only follows the target; but a Kafka Connect worker that ran this connector before us, or a tool that
 * resets a group, commits there too, and then it may be the one that is right.
 */
#ifndef SLUICE_ENGINE_START_POSITION_H
#define SLUICE_ENGINE_START_POSITION_H

#include "sluice/error.h"
#include "sluice/record.h"

struct sl_start_sources {
    const char *connector;
    const char *reader;   /* the group */
    int64_t committed;    /* -1: none */
    bool committed_by_us; /* not by Kafka Connect, nor by a tool */
};

/*
 * position->next_offset: what the target holds (-1: nothing); becomes where to begin (-1: at the oldest
 * record). Errors: FOREIGN_POSITION: another has committed something else than the target holds; the error
 * names both and how to choose.
 */
enum sl_rc sl_start_position(const struct sl_start_sources *sources, struct sl_progress *position,
                             struct sl_error *err);

#endif
