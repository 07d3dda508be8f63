/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The column specifications of results and prepared statements (v4 section 4.2.5.2). Those of one session are
 * kept once, compared by their bytes: a page whose specifications are those of the page before costs a
 * memcmp.
 */
#ifndef SLUICE_NET_CQL_COLUMNS_H
#define SLUICE_NET_CQL_COLUMNS_H

#include "net/cql/cql.h"
#include "net/cql/wire.h"

struct sl_cql_known_columns;

struct sl_cql_columns_cache {
    struct sl_cql_known_columns *newest;
};

void sl_cql_columns_cache_done(struct sl_cql_columns_cache *cache);

/*
 * Read what follows the flags of a result's metadata: count, paging state, specifications. columns becomes
 * NULL when the server left them out (the caller has them from the statement then).
 */
struct sl_cql_metadata {
    uint32_t n_columns;
    const struct sl_cql_columns *columns;
    bool has_more;
    struct sl_span paging_state;
};

bool sl_cql_metadata_read(struct sl_cql_columns_cache *cache, struct sl_cql_in *in,
                          struct sl_cql_metadata *ret);

/* The same of the values of a prepared statement, which names the partition key's columns first (from v4). */
bool sl_cql_bind_metadata_read(struct sl_cql_columns_cache *cache, struct sl_cql_in *in, int version,
                               struct sl_cql_metadata *ret);

#endif
