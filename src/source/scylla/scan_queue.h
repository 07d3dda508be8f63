/* SPDX-License-Identifier: Apache-2.0 */
/* Between reader.c and scan.c: the scans that have something to ask. */
#ifndef SLUICE_SOURCE_SCYLLA_SCAN_QUEUE_H
#define SLUICE_SOURCE_SCYLLA_SCAN_QUEUE_H

#include "source/scylla/scan.h"

/* Send what may be sent now; a scan with nothing more to ask leaves the queue. */
void sl_scylla_scan_send(struct sl_scylla_scan *scan);

struct sl_scylla_scan *sl_scylla_scan_queued_after(const struct sl_scylla_scan *scan);

#endif
