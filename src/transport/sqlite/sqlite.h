/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded log: the transport that keeps topics, positions and small keyed texts in one SQLite file,
 * `sluice.db` in the state directory. Everything that one append brings (records of any topics and the source
 * positions that cover them) is one transaction and one sync; the file format is in docs/log-format.md.
 *
 * One process writes (it holds a lock on `sluice.lock`), any number read beside it. Readers of the writer's
 * own process are woken by append; those of other processes look every few milliseconds.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_H
#define SLUICE_TRANSPORT_SQLITE_H

#include "sluice/transport.h"

extern const struct sl_transport_ops sl_transport_sqlite;

/* Does a process write to the log of this state directory now? *ret_pid: which one, 0 when nobody knows. */
bool sl_sqlite_log_in_use(const char *state_dir, long *ret_pid);

#endif
