/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader's inside, shared by reader.c (where it begins) and fetch.c (how it goes on). It has a connection
 * of its own and walks the batches in the order in which they were appended, over all its partitions at once.
 *
 * Threads: one, but for reader_wake.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_READER_H
#define SLUICE_TRANSPORT_SQLITE_READER_H

#include "transport/sqlite/log.h"

/* One of the reader's partitions. */
struct sl_reader_part {
    const struct sl_topic *topic;
    int32_t number;
    int64_t id;        /* -1: the topic does not exist yet */
    int64_t gathered;  /* what is below was read from the file */
    int64_t delivered; /* what is below was handed out; never above gathered */
};

/* A batch of the append at hand, until the whole append is read. */
struct sl_reader_batch {
    struct sl_reader_part *part;
    size_t end; /* one past its last record */
    int64_t next_offset;
};

struct sl_log_reader {
    struct sl_sqlite *log;
    struct sl_sqlite_db db;
    char *name;
    struct sl_reader_part *parts; /* ordered by id; those without one at the end */
    size_t n_parts;
    size_t n_known;      /* parts with an id */
    int64_t scan_id;     /* batches with smaller ids are done with */
    bool ends_unchecked; /* something was read since the ends were compared with the table */

    struct sl_log_record *records; /* what was read and not handed out yet begins at cursor */
    uint32_t *ordinals;
    size_t n_records, records_capacity;
    size_t cursor;
    struct sl_arena *rest_arena; /* the bytes of an append that is larger than one fetch */
    struct sl_reader_batch *batches;
    size_t n_batches, batches_capacity;
    uint64_t *order[2];           /* memory for sorting */
    struct sl_log_record *sorted; /* likewise */
    size_t order_capacity;
    struct sl_progress *progress;

    bool woken; /* under the log's wait_lock */
};

/* Give ids to parts whose topic has come into being; in a read transaction. */
enum sl_rc sl_sqlite_reader_resolve(struct sl_log_reader *reader, struct sl_error *err);

#endif
