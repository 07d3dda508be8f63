/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key and value texts read from the file into memory, and then visited without any lock, so that a visitor
 * may call the transport again.
 */
#ifndef SLUICE_TRANSPORT_SQLITE_PAIRS_H
#define SLUICE_TRANSPORT_SQLITE_PAIRS_H

#include "base/buf.h"
#include "transport/sqlite/db.h"
#include "sluice/transport.h"

struct sl_sqlite_pairs {
    struct sl_buf bytes; /* for each pair: key, NUL, value, NUL */
    size_t *lengths;     /* key length, value length */
    size_t n, capacity;  /* of lengths */
};

/* The checksum of a row (group, key, value). */
typedef uint32_t sl_sqlite_pair_crc(const char *group, struct sl_span key, struct sl_span value);

/* Run a statement with the group as its parameter that gives key, value, crc. Errors: LOG_DAMAGED names what.
 */
enum sl_rc sl_sqlite_pairs_read(struct sl_sqlite_db *db, enum sl_sql sql, const char *group,
                                sl_sqlite_pair_crc *crc, const char *what, struct sl_sqlite_pairs *ret,
                                struct sl_error *err);

/* Visit the pairs if rc is SL_OK, free them in any case; returns rc. */
enum sl_rc sl_sqlite_pairs_visit(struct sl_sqlite_pairs *pairs, enum sl_rc rc, sl_text_visitor *visit,
                                 void *ctx);

#endif
