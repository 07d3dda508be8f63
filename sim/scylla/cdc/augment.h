/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a write leaves in the change log: one mutation of a table with CDC, and the rows as they were, become
 * rows of its log table.
 *
 * The rules are the server's. All changes of one partition with one timestamp are one group: same stream,
 * same cdc$time, cdc$batch_seq_no from 0, the last row says cdc$end_of_batch. In a group stand first the
 * images of what was (static row, then rows in clustering order), then the changes, then the images of what
 * is. A change row has one TTL and one kind, so a mutation with several is split: static row, inserts,
 * updates, each without TTL first and then by TTL; then deletes of rows, of ranges (two rows each), of the
 * partition. A collection that is set as a whole has its tombstone one microsecond before its cells: the
 * group's time is the tombstone's plus one.
 *
 * Images follow from the rows as they were and the changes in the order of their timestamps, whatever newer
 * cells the base table keeps: as the server does it.
 */
#ifndef SIM_SCYLLA_CDC_AUGMENT_H
#define SIM_SCYLLA_CDC_AUGMENT_H

#include "../storage/store.h"
#include "streams.h"

/*
 * The row as it is before the write: of that clustering key, or the static row (NULL). False: no such row, or
 * nothing of it is alive. What *ret points to must live as long as the arena.
 */
typedef bool sy_augment_fetch(void *ctx, const struct sy_value *clustering, struct sy_row *ret);

struct sy_augment {
    struct sy_server *server;
    const struct sy_streams *streams;
    const struct sy_mutation *mutation; /* of one partition, joined: no cell twice; default TTLs resolved */
    int64_t token;                      /* of its partition */
    int64_t now_us;
    bool expiry_service; /* deletes are operations -3 and -4 */
    sy_augment_fetch *fetch;
    void *ctx;
    struct sy_arena *arena;
};

/*
 * The log's mutations, one for each timestamp, in the arena. False: a timestamp that the table does not
 * accept; *ret_error is 0x2200 with the server's reason.
 */
bool sy_augment_run(const struct sy_augment *augment, const struct sy_mutation **ret, uint32_t *ret_n,
                    struct sy_error *ret_error);

#endif
