/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an answer about a partition's end is doubted. A broker that does not know a topic yet says that
 * there is none, and so does a client whose brokers have just died; a broker that has just become the leader
 * may tell an end that is older than what was read already.
 */
#ifndef SLUICE_TRANSPORT_KAFKA_PATIENCE_H
#define SLUICE_TRANSPORT_KAFKA_PATIENCE_H

#include "sluice/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SL_KAFKA_SHORT_US = 6 * 1000 * 1000, /* since the question was first asked */
    SL_KAFKA_GONE_US = 10 * 1000 * 1000, /* since when it is said to be gone, with no other answer between */
};

struct sl_kafka_patience {
    int64_t began_us; /* when the question was first asked */
    int64_t gone_us;  /* 0: the last answer was another */
};

/* Is this answer the last word? reached: the end is at least where it has to be. */
static inline bool sl_kafka_patience_ends(struct sl_kafka_patience *patience, enum sl_rc rc, bool reached,
                                          int64_t now_us)
{
    if (rc != SL_E_NOT_FOUND) {
        patience->gone_us = 0;
        return rc != SL_OK || reached || now_us - patience->began_us > SL_KAFKA_SHORT_US;
    }
    if (!patience->gone_us)
        patience->gone_us = now_us;
    return now_us - patience->gone_us > SL_KAFKA_GONE_US;
}

#endif
