/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink side's middle: what was fetched from the log goes through converters and transforms into a batch
 * of records with schemas. The batch's arena holds the fetched bytes too, so values point into them.
 *
 * Threads: belongs to one sink task's fetch thread.
 */
#ifndef SLUICE_ENGINE_DECODER_H
#define SLUICE_ENGINE_DECODER_H

#include "engine/chain.h"
#include "engine/converters.h"
#include "engine/letters/dead_letters.h"
#include "engine/letters/parking.h"
#include "engine/repeats.h"
#include "engine/letters/stale.h"

/* A batch on its way to the sink, with the bytes that its records had in the log. */
struct sl_incoming {
    struct sl_batch *batch;
    struct sl_log_record *raw; /* as fetched; in the batch's arena */
    uint32_t *raw_of;          /* for each record of the batch, its place in raw */
    uint32_t n_raw;
    size_t charged_bytes; /* taken from the budget */
    int64_t first_ms;     /* timestamps of the first and the last record, or INT64_MIN */
    int64_t last_ms;
    uint8_t *parked;            /* one byte a record of the batch: waits behind a bad one; NULL: none does */
    uint64_t parked_generation; /* of the parking, when that was found out */
};

/* A record that the sink refused and nobody tolerates: it and what comes behind it are not decoded. */
struct sl_refused {
    const struct sl_topic *topic; /* NULL: none */
    int32_t partition;
    int64_t offset;
    struct sl_error why; /* where the task stops */
};

struct sl_decoder {
    struct sl_chain chain;
    struct sl_converters converters;
    struct sl_dead_letters *letters;
    struct sl_refused refused;
    struct sl_parking *parking; /* errors.park.keys; NULL: not asked for */
    struct sl_stale stale;
    bool replays; /* the records are dead letters: their own topics are not the one that is read */
    struct sl_repeats *repeats; /* what was sent twice is left out; NULL: the log has nothing twice */
};

/*
 * Fill the incoming batch, whose arena holds what was fetched. Records that a transform drops are covered by
 * the batch's progress. Errors: DATA (a bad record that nobody tolerates), those of registry and dead
 * letters. After an error the batch holds what stood before the record that failed, which is good; n_raw 0:
 * nothing did.
 */
enum sl_rc sl_decoder_decode(struct sl_decoder *decoder, const struct sl_fetched *fetched,
                             struct sl_incoming *incoming, struct sl_error *err);

#endif
