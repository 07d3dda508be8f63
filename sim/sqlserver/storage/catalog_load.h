/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How catalogues come about and are shared: read from the state file, counted by references, one newest
 * committed one kept by the server. A database whose version did not change is taken over from the catalogue
 * before. Private to storage/.
 */
#ifndef SIM_SQLSERVER_STORAGE_CATALOG_LOAD_H
#define SIM_SQLSERVER_STORAGE_CATALOG_LOAD_H

#include "server.h"

struct ms_catalog {
    uint64_t version;
    atomic_int refs;
    const struct ms_database **databases; /* by db_id */
    size_t n_databases;
};

/*
 * Make session->catalog the one that the session's open SQLite transaction sees. publish: what it sees is
 * committed, so that other sessions may take it.
 */
bool ms_catalog_refresh(struct ms_session *session, bool publish, struct ms_error *err);

/* The catalogue of a session was committed: it is the newest now. */
void ms_catalog_publish(struct ms_server *server, struct ms_catalog *catalog);
void ms_catalog_unref(struct ms_catalog *catalog); /* takes NULL */

/* DDL calls this after each change: the database's objects have changed; db_id 0: only the list of databases
 * has. */
bool ms_catalog_changed(struct ms_session *session, int32_t db_id, struct ms_error *err);

#endif
