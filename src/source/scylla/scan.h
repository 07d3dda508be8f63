/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the log: the rows of some streams with from < cdc$time <= to, as whole groups.
 *
 * Groups come stream by stream (streams in the order of sl_scylla_stream_compare), in the order of the log
 * within each. Streams are asked in IN lists, for most of them hold nothing; a list whose answer does not fit
 * into one page is asked again stream by stream, page by page. Pages are asked ahead, a few at a time.
 *
 *     scan = sl_scylla_scan_new(reader, log, streams, n, from, to);
 *     sl_scylla_reader_pump(reader, deadline_us);
 *     while ((rc = sl_scylla_scan_next(scan, &group, &stream, err)) == SL_OK && group)
 *         ...                       the group is valid until the next call
 *     if (rc == SL_OK && sl_scylla_scan_ended(scan))
 *         ...                       everything was read
 *     sl_scylla_scan_free(scan);
 *
 * Failures that pass by themselves are tried again inside, from the page that failed.
 */
#ifndef SLUICE_SOURCE_SCYLLA_SCAN_H
#define SLUICE_SOURCE_SCYLLA_SCAN_H

#include "source/scylla/change.h"
#include "source/scylla/reader.h"

enum { SL_SCYLLA_IN_MAX = 100 }; /* the server's max_partition_key_restrictions_per_query */

struct sl_scylla_stream {
    uint8_t id[16];
};

/*
 * Streams must be sorted (sl_scylla_stream_compare) and outlive the scan. from, to: timeuuids. limit_rows: 0:
 * whole pages. The scan queues itself; nothing is sent before the reader is pumped.
 */
struct sl_scylla_scan *sl_scylla_scan_new(struct sl_scylla_reader *reader, struct sl_scylla_log_table *log,
                                          const struct sl_scylla_stream *streams, uint32_t n,
                                          const uint8_t from[16], const uint8_t to[16]);

/*
 * The next group and the number of its stream; *ret_group NULL: there is none now (it is still on its way, or
 * all were given). Errors: PROTOCOL, SCHEMA, those of reading the schema again (TRANSIENT ones: call again).
 */
enum sl_rc sl_scylla_scan_next(struct sl_scylla_scan *scan, struct sl_scylla_group **ret_group,
                               uint32_t *ret_stream, struct sl_error *err);

bool sl_scylla_scan_ended(const struct sl_scylla_scan *scan); /* all groups were given */
bool sl_scylla_scan_ready(const struct sl_scylla_scan *scan); /* next would give a group, or the end */

/* Rows that the scan has met so far. */
uint64_t sl_scylla_scan_rows(const struct sl_scylla_scan *scan);

/* At any time; answers that are still on their way are dropped when they come. NULL is fine. */
void sl_scylla_scan_free(struct sl_scylla_scan *scan);

#endif
