/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which incarnation a topic is in, where several workers may have found at once that a new one begins: each
 * writes a proposal that names the incarnation which it follows, and of those that follow the same one the
 * first in the log counts. Who reads the same log comes to the same answer, at any time.
 *
 * Texts of the space "topics": <topic>/<incarnation> {"version":1,"after":"<the one before it, or empty>"}
 */
#ifndef SLUICE_TRANSPORT_KAFKA_PROPOSALS_H
#define SLUICE_TRANSPORT_KAFKA_PROPOSALS_H

#include "base/uuid.h"
#include "sluice/transport.h"

struct sl_kafka_proposals {
    const char *topic; /* others' are passed over */
    struct sl_kafka_proposal {
        char id[SL_UUID_TEXT_SIZE], after[SL_UUID_TEXT_SIZE];
    } *items; /* in the order of the log */
    size_t n, capacity;
};

/* An sl_text_visitor; ctx: the proposals. What is no proposal is passed over. */
void sl_kafka_proposals_see(void *ctx, const char *key, struct sl_span value);

/* From the first incarnation to the one that none follows; "" when there is none. */
void sl_kafka_proposals_settle(const struct sl_kafka_proposals *proposals, char ret_id[SL_UUID_TEXT_SIZE]);

void sl_kafka_proposals_done(struct sl_kafka_proposals *proposals);

#endif
