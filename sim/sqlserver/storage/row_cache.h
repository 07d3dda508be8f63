/* SPDX-License-Identifier: Apache-2.0 */
/* The prepared row statements of a session, by table; row.c. Private to storage/ and cdc/. */
#ifndef SIM_SQLSERVER_STORAGE_ROW_CACHE_H
#define SIM_SQLSERVER_STORAGE_ROW_CACHE_H

#include "row.h"

struct ms_row_statements {
    int32_t object_id;    /* 0: a free slot */
    uint64_t version;     /* of the database that the statements were made for */
    uint64_t used;        /* clock for eviction */
    sqlite3_stmt *insert; /* parameters: the columns in order, then rowid */
    sqlite3_stmt *update; /* the same */
    sqlite3_stmt *remove; /* rowid */
};

/* The statements of a table, made anew after DDL. NULL with *err. */
struct ms_row_statements *ms_row_statements(struct ms_session *session, const struct ms_table *table,
                                            struct ms_error *err);

void ms_row_cache_free(struct ms_row_cache *cache); /* takes NULL */

/* Put a row into a table as it stands: no checks, no log (the change tables' own way). rowid 0: the next. */
bool ms_row_put(struct ms_session *session, const struct ms_table *table, const struct ms_value *row,
                int64_t rowid, struct ms_error *err);

#endif
