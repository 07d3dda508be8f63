/* SPDX-License-Identifier: Apache-2.0 */
/* The housekeeping thread; see housekeeper.c. The single steps are here for tests. */
#ifndef SLUICE_TRANSPORT_SQLITE_HOUSEKEEPER_H
#define SLUICE_TRANSPORT_SQLITE_HOUSEKEEPER_H

#include "transport/sqlite/log.h"

enum {
    SL_SQLITE_WAL_PAGES = 1024,      /* 4 MiB: move them while others go on writing */
    SL_SQLITE_WAL_PAGES_MAX = 16384, /* 64 MiB: the writer moves them itself */
};

enum sl_rc sl_sqlite_housekeeper_start(struct sl_sqlite *log, struct sl_error *err);
void sl_sqlite_housekeeper_stop(struct sl_sqlite *log);

/* With `lock` held, no transaction open: keep the write-ahead log within its bound; on a full disk make room.
 */
void sl_sqlite_wal_bound(struct sl_sqlite *log, bool disk_is_full);

/* Write readers' positions now. Takes `lock`. */
void sl_sqlite_housekeeper_store_holds(struct sl_sqlite *log);

/* Remove, compact and give back what is due now. Takes `lock`. */
void sl_sqlite_housekeeper_tidy(struct sl_sqlite *log);

#endif
