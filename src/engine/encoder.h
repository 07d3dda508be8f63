/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source side's middle: a batch of records with schemas goes through the transforms and converters into
 * bytes, each record to its topic's partition.
 *
 * Threads: belongs to one source task's reader thread.
 */
#ifndef SLUICE_ENGINE_ENCODER_H
#define SLUICE_ENGINE_ENCODER_H

#include "engine/chain.h"
#include "engine/converters.h"
#include "engine/letters/dead_letters.h"
#include "engine/incarnation.h"
#include "engine/outgoing.h"
#include "engine/topic_groups.h"
#include "engine/topics.h"

struct sl_encoder {
    struct sl_chain chain;
    struct sl_converters converters;
    struct sl_dead_letters *letters;
    struct sl_topics *topics;
    struct sl_topic_groups *groups; /* how topics come into being */
    struct sl_incarnation incarnation;
    bool with_source_header;
    uint32_t next_partition; /* for records without a key */

    const struct sl_topic *verbatim_topic; /* the newest of those; NULL: none */

    /* The topic of the last record: neighbours mostly share it. */
    const struct sl_topic *topic;
    int32_t partitions;
};

/*
 * Encode a batch into an empty outgoing and seal it. The batch stays as it is but for its arena, so the same
 * batch may be encoded again after a failure. Errors: DATA (a bad record that nobody tolerates), those of the
 * registry, the transport and the dead letters.
 */
enum sl_rc sl_encoder_encode(struct sl_encoder *encoder, struct sl_batch *batch, struct sl_outgoing *outgoing,
                             struct sl_error *err);

#endif
