/* SPDX-License-Identifier: Apache-2.0 */
/* Copying the records of one partition from log to log, and where positions in the old one are in the new. */
#ifndef SLUICE_ENGINE_MIGRATE_MIGRATE_RECORDS_H
#define SLUICE_ENGINE_MIGRATE_MIGRATE_RECORDS_H

#include "sluice/transport.h"

/* A position that somebody holds in the old log. */
struct sl_moved {
    size_t sink; /* whose */
    const struct sl_topic *topic;
    int32_t partition;
    int64_t from; /* next offset in the old log; -1: none, all records are new to it */
    int64_t to;   /* in the new one; -1 until it is known */
};

struct sl_partition_move {
    struct sl_transport *from, *to;
    const struct sl_topic *topic;
    int32_t partition;
    int64_t begin;          /* the first offset to copy */
    int64_t end;            /* one past the last */
    struct sl_moved *moved; /* all of them; those of this partition get their `to` */
    size_t n_moved;
};

/*
 * Copy. The topic exists in the new log. What an earlier try has copied is left alone. *ret_records: how many
 * are there now. Errors: CONFIG (the topic holds records of others), the transports'.
 */
enum sl_rc sl_migrate_partition(const struct sl_partition_move *move, uint64_t *ret_records,
                                struct sl_error *err);

#endif
